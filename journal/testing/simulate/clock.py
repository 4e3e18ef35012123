"""Time that passes by events: the clock on the wall may jump, the monotonic one may not."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from journal.sources import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN_US: Final = 1_750_000_000_000_000
"""The wall clock at the beginning: 2025-06-15 15:06:40 UTC."""


class VirtualClock:
    """The clock of the simulated machine; it is a `journal.sources.Clock`."""

    def __init__(self) -> None:
        """Begin, just booted."""
        self.now_s = 0.0
        """The time of the world, which never jumps."""
        self.jumped_s = 0.0
        """How far the clock on the wall is from where it should be."""
        self.booted_s = 0.0
        self.has_gone_back = False
        """Whether the clock on the wall was ever set back."""

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970 in UTC."""
        return BEGIN_US + round((self.now_s + self.jumped_s) * 1e6)

    def monotonic_s(self) -> float:
        """Return the seconds since the machine was booted."""
        return self.now_s - self.booted_s


class CountedIds:
    """Ids of the form UUIDv7 whose random part counts; they are `journal.sources.Ids`."""

    def __init__(self) -> None:
        """Begin to count."""
        self._count = 0

    def new(self, now_us: int) -> str:
        """Return the next id."""
        self._count += 1
        milliseconds, fraction_us = divmod(now_us, 1000)
        return uuid7(milliseconds, fraction_us * 4096 // 1000, self._count.to_bytes(8, "big"))


class Timer:
    """Something that is to happen; it may be called off."""

    __slots__ = ("action", "at_s", "is_off", "number")

    def __init__(self, at_s: float, number: int, action: Callable[[], None]) -> None:
        """Let it happen at a time."""
        self.at_s = at_s
        self.number = number
        self.action = action
        self.is_off = False

    def __lt__(self, other: Timer) -> bool:
        """Say which is first; of those at one time, the one that was set first."""
        return (self.at_s, self.number) < (other.at_s, other.number)


class Agenda:
    """All that is to happen, in order; time leaps from one thing to the next."""

    def __init__(self, clock: VirtualClock) -> None:
        """Begin with nothing."""
        self._clock = clock
        self._timers: list[Timer] = []
        self._count = 0

    def at(self, at_s: float, action: Callable[[], None]) -> Timer:
        """Let something happen at a time of the world, or now where that is over."""
        self._count += 1
        timer = Timer(max(at_s, self._clock.now_s), self._count, action)
        heappush(self._timers, timer)
        return timer

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Let something happen after a while."""
        return self.at(self._clock.now_s + seconds, action)

    @property
    def next_s(self) -> float:
        """When the next thing happens; infinity where nothing does."""
        while self._timers and self._timers[0].is_off:
            heappop(self._timers)
        return self._timers[0].at_s if self._timers else float("inf")

    def step(self) -> bool:
        """Let the next thing happen; say whether there was one."""
        while self._timers:
            timer = heappop(self._timers)
            if not timer.is_off:
                self._clock.now_s = timer.at_s
                timer.action()
                return True
        return False
