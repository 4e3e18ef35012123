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

SHARE: Final = 0.2
"""Which share of all scenarios is watched."""
_CHANGES: Final = (("update", 7), ("create", 2))
_LOOKS: Final = (
    ("news", 6),
    ("conflict", 4),
    ("observe", 5),
    ("pull", 4),
    ("foreign", 2),
    ("update", 1),
)
_TIMES: Final = (0, 0, 1, 1, 2, 3)
_SOON_S: Final = (0.02, 0.1, 0.2, 0.3)
_APART_S: Final = (0.5, 1.5)
"""How long after a change, and all that is seen of it, the next one is made."""
_STREAM: Final = 3
"""Of its dice."""


def watched(scenario: Scenario) -> Scenario:
    """Return the scenario, or, of some, one of no more operations that is watched."""
    dice = Dice(scenario.seed, _STREAM)
    if not dice.chance(SHARE):
        return scenario
    knobs = scenario.knobs._replace(
        is_terse=dice.chance(0.5),
        shows_part=dice.chance(0.5) and scenario.knobs.dialect != "together",
    )
    made = next(each for each in scenario.operations if each.kind == "create")
    change = made._replace(at_s=round(dice.uniform(0.1, 0.5), 3))
    operations: list[Operation] = []
    while len(operations) < len(scenario.operations) and change.at_s < knobs.troubled_s * 0.8:
        operations += [change, *_looks(dice, change)]
        at_s = round(operations[-1].at_s + dice.uniform(*_APART_S), 3)
        a, b, c = (dice.below(1000) for _ in range(3))
        change = Operation(at_s, dice.weighed(_CHANGES), a, b, c)
    kept = operations[: len(scenario.operations)]
    return scenario._replace(knobs=knobs, operations=tuple(sorted(kept)))


def _looks(dice: Dice, change: Operation) -> Iterator[Operation]:
    """Yield what is seen of a record that was just changed, and what others do to it."""
    at_s, of = change.at_s, -1 if change.kind == "create" else change.a
    for _ in range(dice.one_of(_TIMES)):
        at_s += dice.one_of(_SOON_S) * dice.uniform(0.5, 1.5)
        kind = dice.weighed(_LOOKS)
        b, c = dice.below(1000), dice.below(1000)
        if kind == "conflict":  # somebody is faster, and changes it again while it is read
            yield Operation(round(change.at_s + 0.01, 3), "foreign", of, b, c)
            at_s = max(at_s, change.at_s + dice.uniform(0.2, 0.7))
        if kind in {"conflict", "news"}:  # what somebody has changed there is seen at once
            yield Operation(round(at_s, 3), "foreign", of, b, c + 1)
            yield Operation(round(at_s + 0.001, 3), "observe", of, b, c)
        else:
            yield Operation(round(at_s, 3), kind, of, b, c - c % 2 if kind == "pull" else c)
