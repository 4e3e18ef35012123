"""Chance that is the same for a seed, on any machine: the only place that imports `random`."""

from __future__ import annotations

import random  # noqa: TID251  seeded, so that every draw can be made again
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_Item = TypeVar("_Item")


class Dice:
    """Draws by a seed; it is a `journal.sources.Randomness`."""

    def __init__(self, seed: int, stream: int = 0) -> None:
        """Draw by that seed; streams of one seed do not disturb each other."""
        self._random = random.Random(seed * 64 + stream)  # noqa: S311  no secret is made of it

    def uniform(self, low: float, high: float) -> float:
        """Return a number between two."""
        return low + (high - low) * self._random.random()

    def chance(self, share: float) -> bool:
        """Say yes in a share of the cases, from 0 to 1."""
        return self._random.random() < share

    def below(self, most: int) -> int:
        """Return a whole number from 0, and below another."""
        return int(self._random.random() * most)

    def one_of(self, items: Sequence[_Item]) -> _Item:
        """Return one of several."""
        return items[int(self._random.random() * len(items))]

    def weighed(self, weights: Sequence[tuple[_Item, int]]) -> _Item:
        """Return one of several, each as often as it weighs."""
        left = self._random.random() * sum(weight for _, weight in weights)
        for item, weight in weights:
            left -= weight
            if left < 0:
                return item
        return weights[-1][0]
