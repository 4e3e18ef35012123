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


FEWEST_ROUNDS = 5
MOST_S = 45.0
"""How long a race may take, once there were a few rounds."""


class Result(NamedTuple):
    """A measurement beside its reference and its target."""

    key: str
    name: str
    ours: float
    reference: float
    unit: str
    ratio: float
    target: str
    is_met: bool | None
    """None where there is no target, only something to know."""


def race(contenders: Mapping[str, Contender], rounds: int) -> dict[str, float]:
    """Return the median seconds of a round of each contender.

    In every round each has its turn; the one that begins changes from round to round. Where the
    disk is slow, there are fewer rounds.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for contender in contenders.values():
        contender()()
    gc.collect()
    gc.freeze()
    began = perf_counter()
    for number in range(rounds):
        if number >= FEWEST_ROUNDS and perf_counter() - began > MOST_S:
            break
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


def rate(  # noqa: PLR0913  keywords of a result
    key: str,
    name: str,
    *,
    ours_s: float,
    reference_s: float,
    count: int,
    at_least: float | None = None,
    or_per_s: float | None = None,
) -> Result:
    """Return how many of `count` operations a second, and the ratio, which is to be that high.

    Args:
        key: the letter of the target.
        name: what is beside what.
        ours_s: how long our round took.
        reference_s: how long the reference's took.
        count: the operations in a round.
        at_least: the target, where there is one.
        or_per_s: so many operations a second meet the target too.
    """
    ratio = reference_s / ours_s
    target = "" if at_least is None else f">= {at_least:.2f}"
    is_met = None if at_least is None else ratio >= at_least
    if or_per_s is not None:
        target += f" or {or_per_s:,.0f}/s"
        is_met = is_met or count / ours_s >= or_per_s
    return Result(key, name, count / ours_s, count / reference_s, "/s", ratio, target, is_met)


def growth(key: str, name: str, *, large_s: float, small_s: float, at_most: float) -> Result:
    """Return by how much an operation costs more than where there is little, at most that."""
    ratio = large_s / small_s
    target = f"<= {at_most:.2f}"
    return Result(key, name, large_s * 1e6, small_s * 1e6, "us", ratio, target, ratio <= at_most)


def duration(key: str, name: str, *, ours_s: float, reference_s: float, at_most_s: float) -> Result:
    """Return how long something takes, which is to be below that, beside the least possible."""
    ratio = ours_s / reference_s
    target = f"< {at_most_s * 1000:.0f} ms"
    is_met = ours_s < at_most_s
    return Result(key, name, ours_s * 1000, reference_s * 1000, "ms", ratio, target, is_met)
