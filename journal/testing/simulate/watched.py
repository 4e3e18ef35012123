"""Scenarios in which others look at what is changed while it is on its way; pure.

There the answers and the lists of the service say less, too: so it must be told by other means
what is newer. Dice of their own let all other scenarios be as they would be without these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.testing.simulate.dice import Dice
from journal.testing.simulate.scenario import Operation, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARE: Final = 0.15
"""Which share of all scenarios is watched."""
_CHANGES: Final = frozenset({"create", "update"})
_LOOKS: Final = (("pull", 5), ("news", 5), ("observe", 3), ("foreign", 2), ("update", 2))
_SOON_S: Final = (0.02, 0.1, 0.4)
_STREAM: Final = 3
"""Of its dice."""


def watched(scenario: Scenario) -> Scenario:
    """Return the scenario, or, of some, one of as many operations that is watched."""
    dice = Dice(scenario.seed, _STREAM)
    if not dice.chance(SHARE):
        return scenario
    knobs = scenario.knobs._replace(
        is_terse=dice.chance(0.5),
        shows_part=dice.chance(0.5) and scenario.knobs.dialect != "together",
    )
    count = len(scenario.operations)
    operations: list[Operation] = []
    for each in scenario.operations:
        operations.append(each)
        if each.kind in _CHANGES:
            operations += _looks(dice, each)
        if len(operations) >= count:
            break
    return scenario._replace(knobs=knobs, operations=tuple(sorted(operations[:count])))


def _looks(dice: Dice, change: Operation) -> Iterator[Operation]:
    """Yield what is seen of a record that was just changed, and what others do to it."""
    at_s, of = change.at_s, -1 if change.kind == "create" else change.a
    for _ in range(1 + dice.below(3)):
        at_s += dice.one_of(_SOON_S) * dice.uniform(0.5, 1.5)
        kind = dice.weighed(_LOOKS)
        b, c = dice.below(1000), dice.below(1000)
        if kind == "news":  # what somebody has changed there is seen at once
            yield Operation(round(at_s, 3), "foreign", of, b, c)
            yield Operation(round(at_s + 0.001, 3), "observe", of, b, c)
        else:
            yield Operation(round(at_s, 3), kind, of, b, c - c % 2 if kind == "pull" else c)
