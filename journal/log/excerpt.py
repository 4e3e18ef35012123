"""A log as it was at a position, which may be moved on; it can be read, and nothing else.

What is read from it are the rows of the log itself: nothing is copied, and what is appended
meanwhile is not seen. Its views are made anew, in memory.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from journal.errors import LogUnavailableError
from journal.log.entries import Log
from journal.log.lease import MemoryLeases
from journal.log.recorder import RowRecorder
from journal.log.views import MemoryViews

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event

    from journal.log.chain import Row, Unsealed
    from journal.log.lease import Fence
    from journal.log.views import Noted


class Excerpt(Log):
    """The beginning of a log."""

    def __init__(self, log: Log, until: int) -> None:
        """Read that log up to the position."""
        self._window = Window(log._recorder, until)  # noqa: SLF001  it is a log itself
        super().__init__(self._window, log._mapper)  # noqa: SLF001

    def move(self, until: int) -> None:
        """Let it end at another position; views follow forwards only."""
        self._window.until = until

    def watch(self, tables: Mapping[str, Sequence[str]], noted: Noted) -> None:
        """Call a function with every row of views that is written from now on.

        Args:
            tables: each with the names of its columns.
            noted: called with the table, 1 for a row that is there now and -1 for one that is
                there no more, and the values of the row.
        """
        self._window.views.watch(tables, noted)


class Window(RowRecorder):
    """Reads the rows of another recorder up to a position."""

    def __init__(self, source: RowRecorder, until: int) -> None:
        """Read that one; it is not closed."""
        self.journal_id = source.journal_id
        self.until = until
        self._source = source
        self._views = MemoryViews()
        self._leases = MemoryLeases(Lock())

    def append(
        self,
        rows: Sequence[Unsealed],  # noqa: ARG002  the interface
        head: int | None = None,  # noqa: ARG002
        fence: Fence | None = None,  # noqa: ARG002
    ) -> list[Row]:
        """Refuse: what is past does not change.

        Raises:
            LogUnavailableError: always.
        """
        raise LogUnavailableError(
            f"a journal as it was at position {self.until} may only be read",
            hint="make the change in the journal itself",
        )

    def rows(self, after: int, limit: int, until: int | None = None) -> list[Row]:
        """Return at most `limit` rows in order, after one position and up to another."""
        return self._source.rows(after, limit, self._end(until))

    def contents(
        self, after: int, limit: int, until: int | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """Return what `rows` does, without the hashes."""
        return self._source.contents(after, limit, self._end(until))

    def _end(self, until: int | None) -> int:
        return self.until if until is None else min(until, self.until)

    def stream_rows(
        self, stream: str, after: int, until: int | None, limit: int | None, *, newest: bool
    ) -> list[Row]:
        """Return the rows of a stream after a version and up to another, oldest or newest first."""
        found = self._source.stream_rows(stream, after, until, None, newest=newest)
        return [row for row in found if row.position <= self.until][:limit]

    def row_of(self, event_id: str) -> Row | None:
        """Return the row with that event id."""
        row = self._source.row_of(event_id)
        return None if row is None or row.position > self.until else row

    def head(self) -> int:
        """Return the position up to which is read."""
        return self.until

    def wait(
        self,
        after: int,  # noqa: ARG002  the interface
        timeout_s: float,  # noqa: ARG002
        interrupt: Event | None = None,  # noqa: ARG002
    ) -> int:
        """Return the head at once: nothing is ever appended."""
        return self.until

    def problems(self) -> list[str]:
        """Return what is wrong with the store itself, whatever is in it."""
        return self._source.problems()

    @property
    def views(self) -> MemoryViews:
        """The place for the tables of projections: memory."""
        return self._views

    @property
    def leases(self) -> MemoryLeases:
        """Who may send: nothing is sent from the past."""
        return self._leases

    def close(self) -> None:
        """Forget the views; the log that is read stays open."""
        self._views.close()
