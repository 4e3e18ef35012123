"""Until when a remote is to be left alone, for it has asked for patience.

- S8. A remote that asks for patience is asked nothing before that time is over, whatever wakes
  the sender, and whoever would ask: a push, or a pull.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.outcomes import Wait

if TYPE_CHECKING:
    from journal.outcomes import Unsettled
    from journal.sources import Clock


class Floor:
    """The time before which a subscriber asks its remote nothing."""

    _problem = ""

    def __init__(self, clock: Clock) -> None:
        """Begin with none: the remote may be asked now."""
        self._clock = clock
        self._until_s = clock.monotonic_s()

    @property
    def left_s(self) -> float:
        """How long the remote is to be left alone yet, in seconds; not above 0: no longer."""
        return self._until_s - self._clock.monotonic_s()

    @property
    def problem(self) -> str:
        """Why it is to be left alone; nothing where it may be asked."""
        return self._problem if self.left_s > 0 else ""

    def heed(self, outcome: Unsettled, delay_s: float) -> None:
        """Leave the remote alone for as long as an outcome asks for, if it does.

        Args:
            outcome: why it is to be asked again.
            delay_s: how long is waited, in seconds, where it does not say how long.
        """
        if isinstance(outcome, Wait):
            asked_s = outcome.retry_after_s
            self.rise(delay_s if asked_s is None else asked_s, outcome.problem)

    def rise(self, seconds: float, problem: str) -> None:
        """Leave the remote alone for so long, from now on, if it is not for longer already."""
        until_s = self._clock.monotonic_s() + seconds
        if until_s >= self._until_s:
            self._until_s, self._problem = until_s, problem
