"""Sources that give the same times, ids and dice in every run."""

from __future__ import annotations

import random
from dataclasses import dataclass

from journal.sources import Sources, uuid7

BEGIN_US = 1_750_000_000_000_000
"""The first moment: 2025-06-15 15:06:40 UTC."""
HOUR_US = 3_600_000_000


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


@dataclass
class CountedIds:
    """Ids of the form UUIDv7 whose random part counts."""

    count: int = 0

    def new(self, now_us: int) -> str:
        """Return the next id."""
        self.count += 1
        milliseconds, fraction_us = divmod(now_us, 1000)
        return uuid7(milliseconds, fraction_us * 4096 // 1000, self.count.to_bytes(8, "big"))


class FixedSources(Sources):
    """Sources whose clock and counter a test can set."""

    clock: SteppingClock
    ids: CountedIds

    def __init__(self) -> None:
        """Begin at the first moment."""
        super().__init__(SteppingClock(), CountedIds(), random.Random(7))  # noqa: S311  jitter
