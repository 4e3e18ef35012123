"""Floor 1: where time, ids and randomness come from: the only module that may ask for them.

Everything else is handed these as arguments, so that a test or a simulation can replay it.
"""

from __future__ import annotations

import getpass
import os
import random
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Tells the time."""

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970 in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards, for measuring waits."""
        ...


class Ids(Protocol):
    """Makes ids that were never made before."""

    def new(self, now_us: int) -> str:
        """Return a new id for something made at `now_us`."""
        ...


class Randomness(Protocol):
    """Draws random numbers, for jitter."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970 in UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()


class RandomIds:
    """Ids of the form UUIDv7: ordered by the time of making, unguessable in the rest."""

    def new(self, now_us: int) -> str:
        """Return a UUIDv7 (RFC 9562 section 5.7) with sub-millisecond time (section 6.2)."""
        milliseconds, fraction_us = divmod(now_us, 1000)
        return uuid7(milliseconds, fraction_us * 4096 // 1000, os.urandom(8))


def uuid7(milliseconds: int, fraction: int, entropy: bytes) -> str:
    """Lay out a UUIDv7 as text.

    Args:
        milliseconds: since 1970, below 2**48.
        fraction: the part below a millisecond, in 1/4096, from 0 to 4095.
        entropy: 8 bytes, of which 62 bits are used.
    """
    high = f"{milliseconds & 0xFFFF_FFFF_FFFF:012x}"
    low = f"{int.from_bytes(entropy, 'big') & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63:016x}"
    return f"{high[:8]}-{high[8:]}-7{fraction:03x}-{low[:4]}-{low[4:]}"


def login_name() -> str:
    """Return the name of the user who runs the process, or ``unknown``."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def host_name() -> str:
    """Return the name of the machine."""
    return socket.gethostname()


def process_name() -> str:
    """Return what this process is called, for people."""
    return f"process {os.getpid()}"


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources that a journal and a subscriber use; replace any of them in tests."""

    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=RandomIds)
    randomness: Randomness = field(default_factory=random.SystemRandom)
    trace: Callable[[], str | None] | None = None
    """Returns the trace in which a change is being made, as a W3C ``traceparent``, or None."""
