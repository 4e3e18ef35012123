"""The board on which a subscriber writes how it is doing, for whoever wants to know."""

from __future__ import annotations

from threading import Condition
from typing import TYPE_CHECKING, Any

from journal.sync.reports import SyncStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.sources import Clock


class Board:
    """The status now; whoever watches it is told that it changed, never how often."""

    def __init__(self, clock: Clock, on_status: Callable[[SyncStatus], None] | None = None) -> None:
        """Begin with nothing going on; `on_status` is called with every change."""
        self._clock = clock
        self._on_status = on_status
        self._status = SyncStatus(since=clock.now_us())
        self._due_s: float | None = None
        self._number = 0
        self._changed = Condition()
        self._listeners: list[Callable[[], object]] = []
        self._is_closed = False

    def now(self) -> SyncStatus:
        """Return the status, with the time until the next attempt as it is now."""
        status, due_s = self._status, self._due_s
        if status.next_attempt_s is None or due_s is None:
            return status
        return status._replace(next_attempt_s=max(due_s - self._clock.monotonic_s(), 0.0))

    def write(self, **changes: Any) -> None:  # noqa: ANN401  fields of the status
        """Change some of the status; what changes nothing is told to nobody."""
        changed = self._status._replace(**changes)
        if changed == self._status:
            return
        wait_s = changed.next_attempt_s
        now_us = self._clock.now_us()
        if wait_s != self._status.next_attempt_s:
            self._due_s = None if wait_s is None else self._clock.monotonic_s() + wait_s
            at = None if wait_s is None else now_us + round(wait_s * 1e6)
            changed = changed._replace(next_attempt_at=at)
        self._status = changed._replace(since=now_us)
        self._tell()
        if self._on_status is not None:
            self._on_status(self._status)

    def _tell(self) -> None:
        with self._changed:
            self._number += 1
            self._changed.notify_all()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def open(self) -> None:
        """Let whoever watches wait for the next change."""
        self._is_closed = False

    def close(self) -> None:
        """Tell whoever watches that there will be no other change."""
        self._is_closed = True
        self._tell()

    # --- watching ------------------------------------------------------------------------

    def watch(self) -> Iterator[SyncStatus]:
        """Yield the status, and again whenever it has changed since, until it is closed."""
        seen = -1
        while True:
            with self._changed:
                while self._number == seen and not self._is_closed:
                    self._changed.wait()
                if self._number == seen:
                    return
                seen = self._number
            yield self.now()
            if self._is_closed and self._number == seen:
                return

    def news(self, seen: int) -> tuple[int, SyncStatus | None, bool]:
        """Return the number of the last change, the status if that is news, and whether it ends."""
        with self._changed:
            number, is_closed = self._number, self._is_closed
        return number, None if number == seen else self.now(), is_closed

    def listen(self, listener: Callable[[], object]) -> None:
        """Call a function on every change, in whichever thread makes it; it must not block."""
        with self._changed:
            self._listeners.append(listener)

    def forget(self, listener: Callable[[], object]) -> None:
        """Call that function no more."""
        with self._changed:
            self._listeners.remove(listener)
