"""Contenders take turns, round after round; the median of each is what counts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")

Run: TypeAlias = Callable[[], object]
"""What is timed."""
Contender: TypeAlias = Callable[[], Run]
"""Prepares one round, which is not timed, and returns what is."""


class Result(NamedTuple):
    """A measurement beside its reference and its target."""

    key: str
    name: str
    ours: float
    reference: float
    ratio: float
    target: float
    unit: str = "/s"
    is_ceiling: bool = False
    """Whether the ratio is to stay below the target, instead of reaching it."""
    ours_at_least: float | None = None
    """A figure of ours that meets the target too, whatever the ratio."""

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        if self.ours_at_least is not None and self.ours >= self.ours_at_least:
            return True
        return self.ratio <= self.target if self.is_ceiling else self.ratio >= self.target


def race(contenders: Mapping[str, Contender], rounds: int) -> dict[str, float]:
    """Return the median seconds of a round of each contender.

    In every round each has its turn; the one that begins changes from round to round.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for contender in contenders.values():
        contender()()
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            run = contenders[name]()
            gc.collect()
            start = perf_counter()
            run()
            seconds[name].append(perf_counter() - start)
    gc.unfreeze()
    return {name: median(values) for name, values in seconds.items()}


def parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the things in parts of that size."""
    return (things[start : start + size] for start in range(0, len(things), size))


def rate(key: str, name: str, ours_s: float, reference_s: float, count: int, target: float) -> Result:
    """Return the result for rounds of `count` operations: how many a second, and the ratio."""
    return Result(key, name, count / ours_s, count / reference_s, reference_s / ours_s, target)
