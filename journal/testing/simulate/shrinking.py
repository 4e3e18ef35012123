"""Makes a failing scenario short: it drops operations and faults as long as it still fails.

It is delta debugging: halves first, then ever smaller parts, until nothing more can be dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from journal.testing.simulate.parts import REAL
from journal.testing.simulate.scenario import Fault, Knobs, Operation
from journal.testing.simulate.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.testing.simulate.parts import Parts
    from journal.testing.simulate.scenario import Scenario
    from journal.testing.simulate.simulation import Result

_Item = TypeVar("_Item", Operation, Fault)

MOST_RUNS: Final = 400
"""How many runs a scenario is worth."""
_PLAIN: Final = Knobs()


class _Budget:
    """How many runs are left."""

    def __init__(self, runs: int) -> None:
        self.left = runs


def shrunk(result: Result, parts: Parts = REAL, most_runs: int = MOST_RUNS) -> Result:
    """Return a shorter run that breaks the same promise; the same one where there is none.

    Args:
        result: of a run that broke one.
        parts: what it was run with.
        most_runs: how many runs may be tried.
    """
    if result.violation is None:
        return result
    best, budget = result, _Budget(most_runs)

    def still(scenario: Scenario) -> bool:
        """Say whether that breaks it too, and keep it then."""
        nonlocal best
        if budget.left <= 0:
            return False
        budget.left -= 1
        found = simulate(scenario.seed, parts, scenario)
        is_same = found.violation is not None and (
            found.violation.invariant == result.violation.invariant  # type: ignore[union-attr]
        )
        has_fewer = _size(scenario) < _size(best.scenario)
        if is_same and (has_fewer or len(found.trace) <= len(best.trace)):
            best = found
            return True
        return False

    before = None
    while before != best.scenario and budget.left > 0:
        before = best.scenario
        _dropped(best.scenario.faults, lambda kept: still(best.scenario._replace(faults=kept)))
        _dropped(
            best.scenario.operations, lambda kept: still(best.scenario._replace(operations=kept))
        )
        for name in Knobs._fields:
            plain = getattr(_PLAIN, name)
            if getattr(best.scenario.knobs, name) != plain:
                knobs = best.scenario.knobs._replace(**{name: plain})
                still(best.scenario._replace(knobs=knobs))
    return best


def _size(scenario: Scenario) -> int:
    return len(scenario.operations) + len(scenario.faults)


def _dropped(items: tuple[_Item, ...], still: Callable[[tuple[_Item, ...]], bool]) -> None:
    """Drop as many items as possible, in parts that become ever smaller."""
    size = max(len(items) // 2, 1)
    while items:
        at, has_dropped = 0, False
        while at < len(items):
            kept = items[:at] + items[at + size :]
            if still(kept):
                items, has_dropped = kept, True
            else:
                at += size
        if size == 1 and not has_dropped:
            return
        size = max(size // 2, 1)
