"""What our recorders can do beyond those of the library: whole rows, and waiting.

The recorders are the adapters of the log: they keep rows, and know nothing of what is in them.
"""

from __future__ import annotations

from abc import abstractmethod
from threading import Event
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)

from journal.errors import LogCorruptError
from journal.log.mapper import unsealed_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from journal.log.chain import Row, Unsealed
    from journal.log.lease import Fence, Leases
    from journal.log.views import Views

PAGE: Final = 500
_LONG_S: Final = 3600.0


class Unreadable(NamedTuple):
    """A row of which nothing can be read; there may have been none at that position."""

    position: int
    problem: str


class RowRecorder(ApplicationRecorder):
    """An application recorder that keeps whole rows, chained, at positions without a gap."""

    journal_id: str
    path: Path | None = None
    """The file in which they are kept, if there is one."""
    histories = 1
    """How many logs it was: another one after an older copy was put into the open file."""

    @abstractmethod
    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows after the last one, in one durable transaction, and return them.

        Args:
            rows: the rows.
            head: the position of the last one, where the rows must follow just that.
            fence: of a sender; they are stored only while it holds the lease (F1).

        Raises:
            IntegrityError: a version of a stream, or an event id, is taken, or the last row is
                another one; none was stored.
            LeaseLostError: another sender has taken the lease; none was stored.
        """

    @abstractmethod
    def rows(self, after: int, limit: int, until: int | None = None) -> list[Row]:
        """Return at most `limit` rows in order, after one position and up to another."""

    def contents(
        self, after: int, limit: int, until: int | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """Return what `rows` does, where need be without the hashes: no entry is made of them."""
        return self.rows(after, limit, until)

    @abstractmethod
    def stream_rows(
        self, stream: str, after: int, until: int | None, limit: int | None, *, newest: bool
    ) -> list[Row]:
        """Return the rows of a stream after a version and up to another, oldest or newest first."""

    @abstractmethod
    def row_of(self, event_id: str) -> Row | None:
        """Return the row with that event id."""

    @abstractmethod
    def head(self) -> int:
        """Return the position of the last row; 0 where there is none."""

    @abstractmethod
    def wait(self, after: int, timeout_s: float, interrupt: Event | None = None) -> int:
        """Return the head as soon as it is beyond `after`, or at the latest after the timeout."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Return what is wrong with the store itself, whatever is in it."""

    def last(self) -> int:
        """Return the position of the last row that is there, whatever the store counts."""
        return self.head()

    def readable(self, after: int, until: int) -> Sequence[Row | Unreadable]:
        """Return the rows between two positions, as far as they can be read."""
        return self.rows(after, until - after, until)

    def salvaged(
        self, after: int, until: int, size: int = PAGE
    ) -> Iterator[Sequence[Row | Unreadable]]:
        """Yield the rows between two positions in pages, also those behind a damaged one."""
        while after < until:
            try:
                page: Sequence[Row | Unreadable] = self.rows(after, size, until)
                if not page:
                    return
                after = page[-1].position
            except LogCorruptError:
                page = self.readable(after, min(after + size, until))
                after = min(after + size, until)
            yield page

    @property
    @abstractmethod
    def views(self) -> Views:
        """The place for the tables of projections."""

    @property
    @abstractmethod
    def leases(self) -> Leases:
        """Who may send."""

    @abstractmethod
    def close(self) -> None:
        """Close the store; a second time changes nothing."""

    # --- the library's interface ---------------------------------------------------------

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **_: object
    ) -> Sequence[int] | None:
        """Store the events after the last one; return their positions."""
        if not stored_events:
            return []
        return [row.position for row in self.append([unsealed_of(s) for s in stored_events])]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the stored events of a stream."""
        rows = self.stream_rows(
            str(originator_id), -1 if gt is None else gt, lte, limit, newest=desc
        )
        return [StoredEvent(originator_id, row.version, row.event_type, row.data) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return stored events in the order of the log."""
        after = 0 if start is None else start - inclusive_of_start
        found: list[Notification] = []
        while len(found) < limit:
            page = self.rows(after, max(limit, PAGE) if topics else limit - len(found), stop)
            if not page:
                break
            found += [_notification(row) for row in page if not topics or row.event_type in topics]
            after = page[-1].position
        return found[:limit]

    def max_notification_id(self) -> int | None:
        """Return the position of the last event, or None."""
        return self.head() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an iterator over the events after `gt` that waits for more."""
        return RowSubscription(self, gt, topics)


class RowSubscription(Subscription[RowRecorder]):
    """Yields stored events as they come, until it is stopped."""

    def __init__(self, recorder: RowRecorder, gt: int | None, topics: Sequence[str]) -> None:
        """Begin after `gt`."""
        super().__init__(recorder, gt, topics)
        self._after = gt or 0
        self._stop_event = Event()
        self._page: list[Notification] = []

    def stop(self) -> None:
        """End the iteration, also in another thread."""
        super().stop()
        self._stop_event.set()

    def __next__(self) -> Notification:
        """Return the next event, waiting for it where need be."""
        while not self._stop_event.is_set():
            head = self._recorder.head()
            if not self._page:
                self._page = list(
                    self._recorder.select_notifications(
                        self._after, PAGE, topics=self._topics, inclusive_of_start=False
                    )
                )
            if self._page:
                notification = self._page.pop(0)
                self._after = notification.id
                return notification
            self._recorder.wait(head, _LONG_S, self._stop_event)
        raise StopIteration


def check_head(found: int, expected: int | None) -> None:
    """Refuse to append behind another row than the one that was expected.

    Raises:
        IntegrityError: the last row is at another position.
    """
    if expected not in {None, found}:
        message = f"the log was expected to end at {expected}, and ends at {found}"
        raise IntegrityError(message)


def _notification(row: Row) -> Notification:
    return Notification(row.stream, row.version, row.event_type, row.data, row.position)
