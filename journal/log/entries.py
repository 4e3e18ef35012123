"""The log as the rest of the library sees it: entries in, entries out.

- L1. What `append` returned is there for ever, at its position, whatever happens next.
- L2. `append` stores all of its entries or none.
- L3. A reader never sees a position before every smaller one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing.persistence import IntegrityError

from journal.errors import VersionConflictError
from journal.events import Entry, RecordCreated
from journal.log.mapper import EntryMapper
from journal.log.verify import Verification, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from journal.events import NewEntry
    from journal.log.chain import Row
    from journal.log.lease import Fence, Leases
    from journal.log.recorder import RowRecorder, Unreadable
    from journal.log.verify import Anchor
    from journal.log.views import Views
    from journal.values import Ref


class Log:
    """An append-only log of entries on a recorder."""

    def __init__(self, recorder: RowRecorder, mapper: EntryMapper | None = None) -> None:
        """Read and write by this recorder and this mapper."""
        self._recorder = recorder
        self._mapper = mapper or EntryMapper()

    @property
    def journal_id(self) -> str:
        """The id of the journal, made with its file."""
        return self._recorder.journal_id

    @property
    def path(self) -> Path | None:
        """The file; None for a log in memory, and for one as it was."""
        return self._recorder.path

    @property
    def histories(self) -> int:
        """How many logs this was: one more where an append did not find what was seen before."""
        return self._recorder.histories

    @property
    def views(self) -> Views:
        """The place for the tables of projections."""
        return self._recorder.views

    @property
    def leases(self) -> Leases:
        """Who may send."""
        return self._recorder.leases

    def append(
        self, new: Sequence[NewEntry], head: int | None = None, fence: Fence | None = None
    ) -> list[Entry]:
        """Store the entries after the last one, durably, all or none (L1, L2).

        Args:
            new: entries whose versions follow those that the writer saw.
            head: the position that they must follow; None for whichever is the last.
            fence: of a sender; they are stored only while it holds the lease (F1).

        Returns:
            The entries with their positions.

        Raises:
            VersionConflictError: a stream has moved on since the writer saw it, or the head.
            LeaseLostError: another sender has taken the lease.
            LogError: they could not be stored.
        """
        if not new:
            return []
        unsealed = list(map(self._mapper.unsealed, new))
        try:
            append = self._recorder.append
            is_plain = head is None and fence is None
            rows = append(unsealed) if is_plain else append(unsealed, head, fence)
        except IntegrityError as error:
            raise self._conflict(new, error) from error
        return [_entry(entry, row) for entry, row in zip(new, rows, strict=True)]

    def _conflict(self, new: Sequence[NewEntry], error: Exception) -> VersionConflictError:
        """Return the conflict: which stream is at which version."""
        firsts: dict[Ref, int] = {}
        for entry in new:
            firsts.setdefault(entry.stream, entry.version)
        for stream, version in firsts.items():
            newest = self._recorder.stream_rows(stream, 0, None, 1, newest=True)
            actual = newest[0].version if newest else 0
            if actual != version - 1:
                return VersionConflictError(stream, version - 1, actual)
        return VersionConflictError(f"{new[0].stream} ({error})", new[0].version - 1, None)

    def read(self, after: int = 0, limit: int = 1000, until: int | None = None) -> list[Entry]:
        """Return at most `limit` entries in order, after one position and up to another (L3).

        Raises:
            LogError: they could not be read.
        """
        return list(map(self._mapper.entry, self._recorder.contents(after, limit, until)))

    def scan(self, after: int = 0, until: int | None = None, page: int = 100) -> Iterator[Entry]:
        """Yield all entries in order, after one position and up to another, page by page.

        Rows are read in small pages and entries made one by one: what is gone soon costs no memory.

        Raises:
            LogError: they could not be read.
        """
        is_more = True
        while is_more and (found := self._recorder.contents(after, page, until)):
            yield from map(self._mapper.entry, found)
            after = found[-1][0]
            is_more = len(found) == page

    def stream(self, ref: Ref, after: int = 0) -> list[Entry]:
        """Return the entries of a record in order, after a version of its stream.

        Raises:
            LogError: they could not be read.
        """
        rows = self._recorder.stream_rows(ref, after, None, None, newest=False)
        return list(map(self._mapper.entry, rows))

    def created(self, ref: Ref) -> RecordCreated | None:
        """Return the event by which the record was created here, or None.

        Raises:
            LogError: it could not be read.
        """
        rows = self._recorder.stream_rows(ref, 0, None, None, newest=False)
        row = next((row for row in rows if row.event_type == RecordCreated.__name__), None)
        event = None if row is None else self._mapper.entry(row).event
        return event if isinstance(event, RecordCreated) else None

    def find(self, event_id: str) -> Entry | None:
        """Return the entry with that event id, or None.

        Raises:
            LogError: it could not be read.
        """
        row = self._recorder.row_of(event_id)
        return None if row is None else self._mapper.entry(row)

    def rows(self, after: int = 0, limit: int = 1000) -> list[Row]:
        """Return stored rows as they are, without looking at what is in them.

        Raises:
            LogError: they could not be read.
        """
        return self._recorder.rows(after, limit)

    def salvaged(self, after: int = 0) -> Iterator[Sequence[Row | Unreadable]]:
        """Yield stored rows in pages, also those behind one that is damaged.

        A text that is none is bytes in such a row; one that cannot be read at all is an
        `Unreadable`.

        Raises:
            LogError: they could not be read.
        """
        return self._recorder.salvaged(after, max(self._recorder.head(), self._recorder.last()))

    def entries(self, rows: Iterable[Row]) -> list[Entry]:
        """Return what stored rows say.

        Raises:
            LogError: one could not be read.
        """
        return list(map(self._mapper.entry, rows))

    def head(self) -> int:
        """Return the position of the last entry; 0 where there is none.

        Raises:
            LogError: it could not be read.
        """
        return self._recorder.head()

    def wait(self, after: int, timeout_s: float, interrupt: Event | None = None) -> int:
        """Wait for an entry beyond a position, appended by whichever process.

        Args:
            after: the position.
            timeout_s: how long to wait, in seconds.
            interrupt: ends the wait, within 20 ms, when it is set.

        Returns:
            The position of the last entry.

        Raises:
            LogError: it could not be read.
        """
        return self._recorder.wait(after, timeout_s, interrupt)

    def verify(
        self,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        anchor: Anchor | None = None,
    ) -> Verification:
        """Check the file, the chain, the streams and every event.

        Args:
            progress: told how many entries are checked, and how many there are.
            anchor: what was kept of an earlier verification: a log that does not hold that
                entry any more was cut off, or written anew.

        Raises:
            LogError: it could not be read at all.
        """
        found = verify(self._recorder, self._mapper, progress)
        if anchor is None:
            return found
        return found._replace(problems=(*found.problems, *anchor.problems(self)))

    def close(self) -> None:
        """Close the log; a second time changes nothing."""
        self._recorder.close()


def _entry(new: NewEntry, row: Row) -> Entry:
    """Return the entry, of which the append has decided position, batch and time."""
    adjusted = bool(row.clock_adjusted)
    return Entry._make((row.position, row.batch, *new[:3], row.occurred_at, adjusted, *new[4:]))
