"""Sources that give the same times, ids and dice in every run."""

from __future__ import annotations

import random
from dataclasses import dataclass

from journal.sources import Sources, uuid7
from journal.testing.sources import BEGIN_US, SteppingClock

__all__ = ["BEGIN_US", "HOUR_US", "CountedIds", "FixedSources", "SteppingClock"]

HOUR_US = 3_600_000_000


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
