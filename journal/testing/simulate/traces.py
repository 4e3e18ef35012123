"""What happened in a run, line by line, and the hash by which two runs are told apart."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from journal.testing.simulate.clock import VirtualClock


class Violation(NamedTuple):
    """A promise that was broken."""

    invariant: str
    """Such as ``I12``."""
    at_s: float
    text: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.invariant} at {self.at_s:.3f} s: {self.text}"


class Broken(BaseException):
    """An invariant does not hold; the run ends."""

    def __init__(self, violation: Violation) -> None:
        """Say which."""
        super().__init__(str(violation))
        self.violation = violation


class Trace:
    """The lines of a run."""

    def __init__(self, clock: VirtualClock) -> None:
        """Begin with none."""
        self._clock = clock
        self.lines: list[str] = []

    def say(self, who: str, what: str) -> None:
        """Note that somebody did something, now."""
        self.lines.append(f"{self._clock.now_s:10.3f}  {who:8} {what}")

    def hash(self) -> str:
        """Return the hash of all lines."""
        return sha256("\n".join(self.lines).encode()).hexdigest()
