"""The bell between threads: rung at every append; it knows nothing of what was appended."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bell:
    """Rung when something was appended in this process; a wait on it costs no poll."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: set[Event] = set()

    def ring(self) -> None:
        """Wake everybody who waits now."""
        for event in tuple(self._waiting):
            event.set()

    @contextmanager
    def listen(self) -> Iterator[Event]:
        """Return an event that is set by every ring from now on."""
        event = Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)
