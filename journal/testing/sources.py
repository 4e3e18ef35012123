"""Sources of time, ids and randomness that give the same in every run: they follow from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random  # noqa: TID251  it is seeded: the same dice in every run

from journal.sources import Sources, uuid7

__all__ = ["BEGIN_US", "SeededIds", "SeededSources", "SteppingClock"]

BEGIN_US = 1_750_000_000_000_000
"""The first moment: 2025-06-15 15:06:40 UTC."""


@dataclass
class SteppingClock:
    """Stands still but for one step at every look; `now` may be set, back too."""

    now: int = BEGIN_US
    step_us: int = 1_000
    monotonic: float = 0.0

    def now_us(self) -> int:
        """Return the time, one step later than at the last look."""
        self.now += self.step_us
        return self.now

    def monotonic_s(self) -> float:
        """Return seconds, one step later than at the last look."""
        self.monotonic += self.step_us / 1e6
        return self.monotonic

    def advance(self, seconds: float) -> None:
        """Let that time go by."""
        self.now += round(seconds * 1e6)
        self.monotonic += seconds


class SeededIds:
    """Ids of the form UUIDv7, whose random part follows from a seed."""

    def __init__(self, seed: int) -> None:
        """Begin with that seed."""
        self._dice = Random(seed)  # noqa: S311  a test's

    def new(self, now_us: int) -> str:
        """Return the next id."""
        milliseconds, fraction_us = divmod(now_us, 1000)
        return uuid7(milliseconds, fraction_us * 4096 // 1000, self._dice.randbytes(8))


class SeededSources(Sources):
    """Sources that follow from a seed; their clock can be set."""

    clock: SteppingClock
    ids: SeededIds

    def __init__(self, seed: int = 0) -> None:
        """Begin at the first moment.

        Args:
            seed: from which ids and jitter follow.
        """
        super().__init__(SteppingClock(), SeededIds(seed), Random(f"jitter {seed}"))  # noqa: S311
