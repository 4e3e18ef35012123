"""A fold: a view of the log that is kept in memory alone."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal import Journal
    from journal.events import Entry

State = TypeVar("State")


class Fold(Generic[State]):
    """A view of the log in memory, folded by a pure function; nothing of it is stored."""

    def __init__(
        self, journal: Journal, initial: State, evolve: Callable[[State, Entry], State]
    ) -> None:
        """Begin before the first entry.

        Args:
            journal: the journal to view.
            initial: the state before the first entry.
            evolve: returns the state after one more entry.
        """
        self.initial = initial
        """The state before the first entry."""
        self.evolve = evolve
        """The function."""
        self._log = journal.log
        self._state = initial
        self._position = 0
        self._lock = Lock()

    @property
    def name(self) -> str:
        """What it is called: the function."""
        function = getattr(self.evolve, "func", self.evolve)  # of a partial one
        return str(getattr(function, "__qualname__", type(function).__qualname__))

    def state(self) -> State:
        """Return the state after all that was appended before the call.

        Raises:
            LogError: the log could not be read.
        """
        with self._lock:
            for entry in self._log.scan(self._position):
                self._state = self.evolve(self._state, entry)
                self._position = entry.position
            return self._state

    def left(self) -> tuple[int, State]:
        """Return the state as it is, and the position of which it is, without catching up."""
        with self._lock:
            return self._position, self._state
