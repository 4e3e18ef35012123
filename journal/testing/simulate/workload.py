"""What a seed stands for: the scenario is drawn at once, before anything happens."""

from __future__ import annotations

from typing import Final

from journal.testing.simulate.dice import Dice
from journal.testing.simulate.scenario import OF_A_PULL, Fault, Knobs, Operation, Scenario
from journal.testing.simulate.watched import watched

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
    return watched(Scenario(seed, knobs, kept, faults))


def _knobs(dice: Dice) -> Knobs:
    two = dice.chance(0.2)
    first_s = dice.one_of((0.02, 0.1, 0.25, 1.0))
    request_s = dice.one_of((0.5, 2.0, 5.0) if two else (0.5, 2.0, 10.0, 30.0))
    return Knobs(
        dialect=dice.weighed((("etag", 4), ("keyed", 3), ("plain", 2), ("together", 2))),
        on_file=dice.chance(0.03),
        durability=dice.weighed((("full", 3), ("normal", 1))),
        senders=2 if two else 1,
        on_held="stop" if dice.chance(0.2) else "lane",
        policy=dice.weighed((("merge", 4), ("ours", 2), ("theirs", 2), ("hold", 2))),
        attempts=dice.one_of((1, 2, 5, 10)),
        rejections=dice.one_of((None, 2, 5)),
        doubts=dice.one_of((None, 1, 3, 20)),
        first_s=first_s,
        most_s=dice.one_of((0.5, 2.0) if two else (0.5, 2.0, 10.0, 60.0)),
        request_s=request_s,
        lease_s=dice.one_of((None, 1.0, 5.0)) if two else None,
        most_together=dice.one_of((1, 2, 4, 10)),
        remembered_s=dice.one_of((2.0, 60.0, 86_400.0)),
        drains=dice.chance(0.15),
        reads_views=dice.chance(0.08),
        troubled_s=dice.one_of((3.0, 8.0, 20.0)),
    )


def _faults(dice: Dice, knobs: Knobs, count: int) -> list[Fault]:
    """Draw what goes wrong: at requests, at calls to the log, at steps, and at times."""
    found: list[Fault] = []
    requests = 2 * count
    for _ in range(dice.below(2 + count)):
        row, kind, _ = dice.weighed(_FEW)
        if row == _SEVERAL and knobs.dialect != "together":
            continue
        patience_s = dice.one_of((0.0, 1.0, 3.0) if knobs.senders > 1 else (0.0, 1.0, 5.0, 20.0))
        more = dice.one_of((0.3, 2.0, 8.0)) if kind == "late" else patience_s
        found.append(Fault(row, kind, 1 + dice.below(requests), more))
    if knobs.dialect == "together" and dice.chance(0.5):
        kind = dice.one_of(("items missing", "items swapped"))
        found.append(Fault(_SEVERAL, kind, 1 + dice.below(count)))
    if dice.chance(0.3):
        row, kind, _ = dice.weighed(_LASTING)
        begin = dice.below(int(knobs.troubled_s * 0.7) + 1)
        found.append(Fault(row, kind, begin, dice.uniform(0.5, knobs.troubled_s / 2)))
    found += [_other(dice, knobs, count) for _ in range(dice.below(4))]
    return sorted(found)


def _other(dice: Dice, knobs: Knobs, count: int) -> Fault:
    (row, kind) = dice.weighed(_OTHERS)
    second = dice.below(int(knobs.troubled_s * 0.9) + 1)
    match kind:
        case "power":
            row = 4 if knobs.durability == "normal" else 3
            return Fault(row, kind, second, float(1 + dice.below(6)))
        case "token expires" | "keys forgotten":
            return Fault(row, kind, second)
        case "clock jumps":
            return Fault(row, kind, second, dice.one_of(_JUMPS_S))
        case "suspended":
            return Fault(row, kind, second, dice.one_of((60.0, 7_200.0, 200_000.0)))
        case "pause":
            return Fault(row, kind, dice.below(30 * count), dice.uniform(0.1, 12.0))
        case "cancel":
            return Fault(row, kind, dice.below(30 * count))
        case "full":
            return Fault(row, kind, 1 + dice.below(6 * count), dice.uniform(0.1, 4.0))
        case "crash within":
            return Fault(row, kind, 1 + dice.below(6 * count), float(1 + dice.below(5)))
        case _:
            at = 1 + dice.below(6 * count)
            if kind in {"crash before", "crash after"} and at % 2 == 0:
                return Fault(row, kind, 1 + at // 2 % 4, OF_A_PULL)
            return Fault(row, kind, at)
