"""Many drafts over a bad link, with the process that sends them killed again and again."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from journal import Journal, Ref
from journal.testing.service import RecordService
from tests.integration.crashing import child, working
from tests.integration.faults import Proxy
from tests.integration.lossy import LATEST, LossyLink
from tests.integration.oracle import acknowledged_in, check_log, check_pushed, drain, pushes_of
from tests.integration.workload import pushing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults import Seen

DRAFTS: Final = 1_000
KILLS: Final = 4
FAULTS: Final = 13
"""How many kinds of trouble the link has."""
QUIET: Final = 100
"""How many drafts at least lie between the create of a record and its delete: see `lossy`."""


def journaled(path: Path, seed: int) -> None:
    """Make a thousand drafts, offline: of several types, with references, updates and deletes."""
    dice = random.Random(seed)  # noqa: S311  a test's
    made: dict[Ref, int] = {}
    with Journal(path, actor="tech-17", origin="tablet-3", durability="normal") as journal:
        for start in range(0, DRAFTS, 50):
            with journal.batch():
                for number in range(start, start + 50):
                    change(journal, dice, made, number)


def change(journal: Journal, dice: random.Random, made: dict[Ref, int], number: int) -> None:
    """Make one change; `made` has the records that are there, with the numbers of their creates."""
    deletable = [ref for ref, since in made.items() if since + QUIET < number]
    kind = dice.choice(("create", "create", "update", "update", "update", "delete"))
    if kind == "delete" and deletable:
        ref = dice.choice(deletable)
        journal.delete(ref)
        del made[ref]
    elif kind == "update" and made:
        journal.update(dice.choice(list(made)), {"Name": f"n{number}", "Grade": dice.random()})
    else:
        fields: dict[str, object] = {"Name": f"n{number}", "Note": dice.choice(("", "ü", [1, {}]))}
        if made:
            fields["Of"] = dice.choice(list(made))
        made[journal.create(dice.choice(("Account", "Visit")), fields, id=f"r{number}")] = number


def pushed_over(path: Path, seed: int) -> Counter[str]:
    """Push the drafts over a link of that seed, killed and begun anew; check what came of it.

    Returns:
        How often the link did what.
    """
    journaled(path, seed)
    link = LossyLink(seed)
    dice = random.Random(~seed)  # noqa: S311  a test's
    with RecordService() as service, Proxy(service.url) as proxy:
        proxy.otherwise = link
        for _ in range(KILLS):
            dies_after = len(proxy.seen) + dice.randint(1, DRAFTS // KILLS)
            with child(working, pushing, (str(path), proxy.url)) as process:

                def kill(_: Seen, dies_after: int = dies_after) -> None:
                    if len(proxy.seen) >= dies_after:
                        process.strike()

                proxy.on_request = kill
                list(process.words())
            link.met["killed"] += 1
            with Journal(path, actor="heir", origin="tablet-3") as journal:
                check_pushed(check_log(journal), service.effects)
        proxy.on_request = lambda _: None
        with child(working, pushing, (str(path), proxy.url)) as process:
            assert list(process.words()) == [("drained",)]
            assert process.ended_by == 0
        with Journal(path, actor="heir", origin="tablet-3") as journal:
            entries = check_log(journal)
            assert len(acknowledged_in(entries)) == len(pushes_of(entries))
            drain(journal, service)
    return link.met


def pushed_over_all(folder: Path, seeds: range) -> Counter[str]:
    """Push over the links of all these seeds, two at a time; return what was met in all."""

    def pushed(seed: int) -> Counter[str]:
        try:
            met = pushed_over(folder / f"{seed}.db", seed)
        except BaseException as error:
            error.add_note(f"over the link of seed {seed}")
            raise
        assert len(met) == FAULTS + len(("passed", "killed")), met
        return met

    with ThreadPoolExecutor(2) as two:
        return sum(two.map(pushed, seeds), Counter())


@pytest.mark.parametrize("seeds", [range(n, n + 5) for n in range(0, 25, 5)], ids=str)
def test_drafts_arrive_once_and_in_order(tmp_path: Path, seeds: range) -> None:
    """Whatever the link does and whoever dies: each draft is applied once, and in order (I12-I14).

    The service ends equal to the local state, and none of the drafts is stuck (I26).
    """
    met = pushed_over_all(tmp_path, seeds)

    assert met["killed"] == KILLS * len(seeds)
    assert LATEST < QUIET


@pytest.mark.long
def test_drafts_arrive_over_many_links(tmp_path: Path) -> None:
    """The same over 500 links: none is stuck, and every kind of trouble was met many times."""
    met = pushed_over_all(tmp_path, range(25, 525))

    print(*(f"{count:7,}  {name}" for name, count in met.most_common()), sep="\n")
    assert min(met.values()) > 500
