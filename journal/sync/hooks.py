"""Calls the functions of a host, in a thread of their own: none can stall or end the sender."""

from __future__ import annotations

from collections import deque
from logging import getLogger
from threading import Condition, Thread, current_thread
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")
MOST: Final = 1000
"""How many values wait for a function that is slow; beyond, the oldest are dropped."""
FLUSH_S: Final = 2.0
"""How long to wait, at the end, for a function that is slow, in seconds."""

_log = getLogger("journal.sync")


class Hook(Generic[_Value]):
    """Hands values to a function, in order; a slow one misses the oldest, and nobody waits."""

    def __init__(self, function: Callable[[_Value], object], name: str, most: int = MOST) -> None:
        """Call that function.

        Args:
            function: of the host; what it raises is logged.
            name: what it is called in the log.
            most: how many values wait for it.
        """
        self.dropped = 0
        self._function = function
        self._name = name
        self._most = most
        self._waiting: deque[_Value] = deque()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._is_ending = False

    def __call__(self, value: _Value) -> None:
        """Let the function be called with the value, soon."""
        with self._changed:
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(value)
            self._is_ending = False
            if self._thread is None:
                self._thread = Thread(target=self._run, name="journal-hook", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._is_ending:
                        self._thread = None
                        return
                    self._changed.wait()
                value = self._waiting.popleft()
            try:
                self._function(value)
            except (Exception, SystemExit):  # noqa: BLE001  a host's function may raise anything
                _log.exception("the %s callback failed at %s", self._name, _shown(value))

    def end(self) -> None:
        """Let the thread end once everything was handed over; wait for nothing."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()

    def flush(self) -> None:
        """End the thread once everything was handed over, and wait for that, up to a bound."""
        thread = self._thread
        self.end()
        if thread is None or thread is current_thread():
            return
        thread.join(FLUSH_S)
        if thread.is_alive():
            _log.warning("the %s callback is slow: %d wait", self._name, len(self._waiting))
        if self.dropped:
            _log.warning("the %s callback is slow: %d dropped", self._name, self.dropped)
            self.dropped = 0

    @property
    def is_calling(self) -> bool:
        """Whether it is the function that asks."""
        return self._thread is current_thread()


def _shown(value: object) -> str:
    """Return which step it was, and no values of fields."""
    step, draft = getattr(value, "step", None), getattr(value, "draft", None)
    of = "" if draft is None else f" of {draft.ref}"
    return f"{step or 'a change'}{of}"
