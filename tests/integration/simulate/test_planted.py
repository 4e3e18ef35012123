"""Every planted bug is found, within its budget of seeds, by the promise that it breaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from journal.testing.simulate import simulate
from tests.integration.simulate.planted import CATALOGUE, DEFENDED, planted
from tests.integration.simulate.planted.table import FLOORS, table, twice

if TYPE_CHECKING:
    from tests.integration.simulate.planted import Bug

PAGE: Final = Path(__file__).parents[3] / "docs/explanation/planted-bugs.md"
LEAST: Final = 30
SOME: Final = 20


@pytest.mark.parametrize("bug", CATALOGUE.values(), ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    """It breaks its promise in the seed in which it was found first, or soon in another one.

    A seed stands for another day once the library takes another step, so others are tried then.
    """
    first = bug.seeds - 1
    others = [seed for seed in range(bug.budget) if seed != first]

    result = bug.found([first, *others])

    assert result is not None, f"{bug.name}: not found in {bug.budget} seeds"


@pytest.mark.long
def test_all_planted_bugs_are_found_from_the_first_seed_on() -> None:
    """Whoever does not know the seed finds each within its budget; in how many seeds is printed."""
    missed = []
    for bug in CATALOGUE.values():
        result = bug.found(range(bug.budget))
        if result is None or result.violation is None:
            missed.append(bug.name)
            continue
        print(f"| {bug.name} | {result.scenario.seed + 1} | {result.violation.invariant} |")

    assert missed == []


@pytest.mark.long
@pytest.mark.parametrize("bug", DEFENDED.values(), ids=lambda bug: bug.name)
def test_what_is_defended_twice_breaks_nothing(bug: Bug) -> None:
    """A mistake that another defence makes harmless is found by nothing: it is not counted."""
    assert bug.found(range(500)) is None


@pytest.mark.parametrize("bug", DEFENDED.values(), ids=lambda bug: bug.name)
def test_what_is_defended_twice_is_planted_all_the_same(bug: Bug) -> None:
    """The code that it breaks runs: it is there to be swapped, and the day goes on."""
    assert bug.run(0).is_kept


def test_nothing_is_left_of_a_bug() -> None:
    """After the block the library is as it was, and does the same."""
    before = [simulate(seed).hash for seed in range(3)]

    for bug in [*CATALOGUE.values(), *DEFENDED.values()]:
        swapped = [(swap.owner, swap.name) for swap in bug.swaps]
        real = [vars(owner)[name] for owner, name in swapped]
        with planted(bug):
            broken = [vars(owner)[name] for owner, name in swapped]
        assert all(new is not old for new, old in zip(broken, real, strict=True))
        assert [vars(owner)[name] for owner, name in swapped] == real

    assert [simulate(seed).hash for seed in range(3)] == before


def test_there_are_enough_on_every_floor() -> None:
    """A catalogue of some size, and no floor without one."""
    assert len(CATALOGUE) >= LEAST
    assert {bug.floor for bug in CATALOGUE.values()} == FLOORS.keys()


def test_the_table_in_the_documentation_is_the_catalogue() -> None:
    """The page names each bug, what goes wrong, in how many seeds it was found, and by what."""
    lines = PAGE.read_text("utf-8").splitlines()

    assert [line for line in lines if line.startswith("|")] == list(table())
    assert [line for line in lines if line.startswith("- ")] == list(twice())
