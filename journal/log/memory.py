"""The in-memory adapter: rows in lists, for tests and for trying things out.

It illustrates the smallest recorder: what it does is what a log must do.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING, Self

from eventsourcing.persistence import IntegrityError

from journal.errors import LogClosedError
from journal.log.bell import Bell
from journal.log.chain import Head, Row, genesis, seal
from journal.log.lease import MemoryLeases, lost
from journal.log.recorder import RowRecorder, check_head
from journal.log.views import MemoryViews

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from threading import Event

    from journal.log.chain import Unsealed
    from journal.log.lease import Fence


class MemoryRecorder(RowRecorder):
    """Keeps rows in lists."""

    def __init__(self, journal_id: str) -> None:
        """Begin with an empty log."""
        self.journal_id = journal_id
        self._genesis = genesis(journal_id)
        self._rows: list[Row] = []
        self._streams: dict[str, dict[int, int]] = defaultdict(dict)
        self._by_id: dict[str, int] = {}
        self._lock = Lock()
        self._bell = Bell()
        self._views = MemoryViews()
        self._leases = MemoryLeases(self._lock)
        self._is_closed = False

    @classmethod
    def of(cls, journal_id: str, rows: Iterable[Row]) -> Self:
        """Return one that holds these rows, which are those of that journal, in order."""
        recorder = cls(journal_id)
        for row in rows:
            recorder._keep(row)
        return recorder

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows after the last one and return them.

        Raises:
            IntegrityError: a version of a stream, or an event id, is taken, or the last row is
                not at `head`; none was stored.
            LeaseLostError: another sender has taken the lease; none was stored.
        """
        with self._lock:
            self._check_open()
            if fence is not None and not self._leases.is_held(fence):
                raise lost(fence)
            self._check_free(rows)
            last = self._rows[-1] if self._rows else None
            behind = (
                Head(last.position, last.hash, last.occurred_at)
                if last
                else Head(0, self._genesis, 0)
            )
            check_head(behind.position, head)
            sealed = seal(behind, rows)
            for row in sealed:
                self._keep(row)
        self._bell.ring()
        return sealed

    def _keep(self, row: Row) -> None:
        self._rows.append(row)
        self._streams[row.stream][row.version] = row.position
        self._by_id[row.event_id] = row.position

    def _check_free(self, rows: Sequence[Unsealed]) -> None:
        versions = {(row.stream, row.version) for row in rows}
        event_ids = {row.event_id for row in rows}
        if len(versions) < len(rows) or len(event_ids) < len(rows):
            message = "the rows of one append are not unique"
            raise IntegrityError(message)
        for row in rows:
            if row.version in self._streams[row.stream] or row.event_id in self._by_id:
                message = f"{row.stream} version {row.version} or event {row.event_id} is taken"
                raise IntegrityError(message)

    def rows(self, after: int, limit: int, until: int | None = None) -> list[Row]:
        """Return at most `limit` rows in order, after one position and up to another."""
        with self._lock:
            self._check_open()
            start = max(after, 0)
            stop = start + limit if until is None else min(start + limit, until)
            return self._rows[start : max(stop, start)]

    def stream_rows(
        self, stream: str, after: int, until: int | None, limit: int | None, *, newest: bool
    ) -> list[Row]:
        """Return the rows of a stream after a version and up to another, oldest or newest first."""
        with self._lock:
            self._check_open()
            positions = self._streams.get(stream, {})
            versions = sorted(
                (v for v in positions if v > after and (until is None or v <= until)),
                reverse=newest,
            )
            return [self._rows[positions[v] - 1] for v in versions[:limit]]

    def row_of(self, event_id: str) -> Row | None:
        """Return the row with that event id."""
        with self._lock:
            self._check_open()
            position = self._by_id.get(event_id)
            return self._rows[position - 1] if position else None

    def head(self) -> int:
        """Return the position of the last row; 0 where there is none."""
        with self._lock:
            self._check_open()
            return len(self._rows)

    def wait(self, after: int, timeout_s: float, interrupt: Event | None = None) -> int:
        """Return the head as soon as it is beyond `after`, or at the latest after the timeout."""
        waited_s = 0.0
        with self._bell.listen() as rung:
            while self.head() <= after and waited_s < timeout_s:
                if interrupt is not None and interrupt.is_set():
                    break
                poll_s = min(_POLL_S, timeout_s - waited_s)
                waited_s += poll_s
                rung.wait(poll_s)
                rung.clear()
        return self.head()

    def problems(self) -> list[str]:
        """Return nothing: there is no file that could be damaged."""
        return []

    @property
    def views(self) -> MemoryViews:
        """The place for the tables of projections: memory too."""
        return self._views

    @property
    def leases(self) -> MemoryLeases:
        """Who may send."""
        return self._leases

    def close(self) -> None:
        """Forget everything; a second time changes nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._bell.ring()
            self._views.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogClosedError("the journal was closed", hint="open the journal again")


_POLL_S = 0.02
