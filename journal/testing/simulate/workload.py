"""What a seed stands for: the scenario is drawn at once, before anything happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.testing.simulate.dice import Dice
from journal.testing.simulate.scenario import OF_A_PULL, Fault, Knobs, Operation, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS: Final = (
    ("create", 24),
    ("update", 24),
    ("delete", 6),
    ("batch", 8),
    ("foreign", 12),
    ("observe", 4),
    ("pull", 4),
    ("amend", 5),
    ("discard", 4),
    ("retry", 5),
    ("resolve", 6),
    ("stop", 1),
    ("start", 2),
    ("nudge", 2),
    ("read", 3),
)
"""What is done, and how often."""

AT_REQUESTS: Final = (
    (16, "not sent", 4),
    (17, "untrusted", 1),
    (18, "request lost", 6),
    (18, "answer lost", 10),
    (18, "slow", 2),
    (19, "twice", 5),
    (19, "twice, second answer", 5),
    (19, "late", 6),
    (20, "other answer", 4),
    (20, "stranger", 2),
    (20, "empty", 2),
    (21, "page", 3),
    (21, "511", 1),
    (21, "407", 1),
    (21, "proxy", 1),
    (22, "no JSON", 2),
    (22, "NaN", 1),
    (22, "latin-1", 1),
    (22, "mark", 1),
    (22, "deep", 1),
    (22, "list", 1),
    (22, "nothing", 1),
    (23, "cut", 4),
    (26, "301", 1),
    (26, "302", 1),
    (26, "307", 1),
    (26, "308", 1),
    (27, "keyless", 1),
    (27, "busy token", 1),
    (28, "400", 1),
    (28, "403", 2),
    (28, "404", 1),
    (28, "410", 1),
    (28, "413", 1),
    (28, "422", 2),
    (28, "422 though done", 2),
    (28, "501", 1),
    (28, "echo", 1),
    (29, "409", 2),
    (29, "412", 2),
    (29, "412 though done", 2),
    (29, "409 though done", 2),
    (29, "409 outstanding", 2),
    (29, "422 reused", 1),
    (30, "408", 1),
    (30, "425", 1),
    (30, "429", 2),
    (30, "429 in seconds", 2),
    (30, "503 in seconds", 2),
    (30, "503 at a date", 2),
    (30, "503 in the past", 1),
    (30, "503 without sense", 1),
    (31, "500", 3),
    (31, "502", 2),
    (31, "504", 2),
    (31, "500 though done", 3),
    (31, "504 though done", 3),
    (32, "items missing", 2),
    (32, "items swapped", 2),
    (14, "dies with the answer", 6),
)
"""What happens at one request: its row, its name, how often."""

WHILE: Final = (
    (16, "while away", 4),
    (33, "while flapping", 4),
    (21, "while in a hotel", 2),
    (31, "while failing", 2),
    (30, "while busy", 2),
)
"""What lasts for a while."""

_FEW: Final = tuple((each, each[2]) for each in AT_REQUESTS)
_LASTING: Final = tuple((each, each[2]) for each in WHILE)
_OTHERS: Final = (
    ((1, "crash before"), 8),
    ((1, "crash after"), 8),
    ((1, "crash within"), 4),
    ((6, "full"), 3),
    ((7, "broken"), 2),
    ((9, "busy"), 2),
    ((3, "power"), 3),
    ((27, "token expires"), 4),
    ((35, "clock jumps"), 4),
    ((36, "suspended"), 2),
    ((37, "pause"), 4),
    ((38, "cancel"), 4),
    ((43, "keys forgotten"), 1),
)
_SEVERAL: Final = 32
"""The row of what happens to several drafts that go together only."""
WATCHED: Final = 0.15
"""In which share of all scenarios others look at what is on its way."""
_SEEN: Final = frozenset({"create", "update"})
_LOOKS: Final = (("pull", 5), ("news", 5), ("observe", 3), ("foreign", 2), ("update", 2))
_SOON_S: Final = (0.02, 0.1, 0.4)
_JUMPS_S: Final = (-31_536_000.0, -3_600.0, -288.0, -5.0, 5.0, 288.0, 31_536_000.0)


def scenario_of(seed: int) -> Scenario:
    """Return the scenario that a seed stands for, always the same."""
    dice = Dice(seed)
    knobs = _knobs(dice)
    count = 3 + dice.below(14)
    operations = sorted(
        Operation(
            round(dice.uniform(0.0, knobs.troubled_s * 0.8), 3),
            "create" if number < 1 else dice.weighed(OPERATIONS),
            number if number < 1 else dice.below(1000),
            dice.below(1000),
            dice.below(1000),
        )
        for number in range(count)
    )
    kept = tuple(
        operation for operation in operations if knobs.reads_views or operation.kind != "read"
    )
    faults = () if dice.chance(0.05) else tuple(_faults(dice, knobs, count))
    if any(fault.is_of_pull for fault in faults):  # there must be one, and something to see
        half_s = round(knobs.troubled_s / 2, 3)
        seen = Operation(half_s, "foreign", seed, 0, 1)
        kept = tuple(sorted((*kept, seen, Operation(half_s + 0.1, "pull", seed, 0, 0))))
    return _watched(Scenario(seed, knobs, kept, faults))


def _watched(scenario: Scenario) -> Scenario:
    """Let others look, in some, at what is changed while it is on its way.

    There the answers and the lists of the service say less, too. It has dice of its own, so that
    all others are as they would be without it.
    """
    dice = Dice(scenario.seed, 3)
    if not dice.chance(WATCHED):
        return scenario
    knobs = scenario.knobs
    knobs = knobs._replace(
        is_terse=dice.chance(0.5),
        shows_part=knobs.dialect != "together" and dice.chance(0.5),
    )
    count, operations = len(scenario.operations), []
    for each in scenario.operations:
        operations += [each, *_looks(dice, each)] if each.kind in _SEEN else [each]
        if len(operations) >= count:
            break
    return scenario._replace(knobs=knobs, operations=tuple(sorted(operations[:count])))


def _looks(dice: Dice, change: Operation) -> Iterator[Operation]:
    """Yield looks at a record that was just changed, which somebody else may have changed since."""
    at_s = change.at_s
    of = -1 if change.kind == "create" else change.a
    for _ in range(1 + dice.below(3)):
        at_s += dice.one_of(_SOON_S) * dice.uniform(0.5, 1.5)
        kind = dice.weighed(_LOOKS)
        b, c = dice.below(1000), dice.below(1000)
        if kind == "news":  # somebody's edit that is seen at once
            yield Operation(round(at_s, 3), "foreign", of, b, c)
            yield Operation(round(at_s + 0.001, 3), "observe", of, b, c)
        else:
            yield Operation(round(at_s, 3), kind, of, b, c - c % 2 if kind == "pull" else c)
