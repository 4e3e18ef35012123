"""The cases of a workload: where something can go wrong in it, and what."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.testing.simulate.alphabet import Workload, workload_of
from journal.testing.simulate.parts import REAL
from journal.testing.simulate.scenario import Fault, Places
from journal.testing.simulate.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.testing.simulate.parts import Parts
    from journal.testing.simulate.simulation import Result

CALM: Final = "nothing"
"""What goes wrong in the first run of a workload."""
TWO: Final = "two of these"
"""What goes wrong where it is more than one thing."""
AT_WRITES: Final = {"crash before": 1, "crash after": 1}
"""What happens at a call to the log, with its row of the fault matrix."""
WITHIN: Final = "crash within"
"""What happens before each statement of such a call, where the log is on a file."""
AT_REQUESTS: Final = {
    "dies before the request": 1,
    "dies after the request": 14,
    "dies with the answer": 14,
    "request lost": 18,
    "answer lost": 18,
}
"""What happens at a request."""
ROWS: Final = {**AT_WRITES, WITHIN: 1, **AT_REQUESTS}
KINDS: Final = (CALM, *ROWS, TWO)


class Case(NamedTuple):
    """One run: a workload, and what goes wrong, which is one thing, or one after another."""

    workload: Workload
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        """Return its name, by which it is run again."""
        return "/".join((str(self.workload), *map(_named, self.faults)))

    @property
    def kind(self) -> str:
        """What goes wrong."""
        if not self.faults:
            return CALM
        return self.faults[0].kind if len(self.faults) == 1 else TWO

    def run(self, parts: Parts = REAL) -> Result:
        """Run it, with processes that are made of these parts."""
        return simulate(0, parts, self.workload.scenario(self.faults))


def case_of(name: str) -> Case:
    """Return the case of a name.

    Raises:
        ValueError: there is none of that name.
    """
    parts = name.split("/")
    return Case(workload_of("/".join(parts[:4])), tuple(map(_fault, parts[4:])))


def _named(fault: Fault) -> str:
    more = f".{fault.more:g}" if fault.more else ""
    return f"{fault.kind.replace(' ', '-')}@{fault.at}{more}"


def _fault(name: str) -> Fault:
    kind, _, place = name.replace("-", " ").partition("@")
    at, _, more = place.partition(".")
    if kind not in ROWS or not at.isdecimal() or not (more or "0").isdecimal():
        raise ValueError(f"nothing that can go wrong is called {name!r}")
    return Fault(ROWS[kind], kind, int(at), float(more or 0))


def cases_after(case: Case, result: Result, parts: Parts = REAL) -> Iterator[Case]:
    """Yield the cases in which one thing more goes wrong, after all that does in this one.

    Args:
        case: of which they are.
        result: what came of it.
        parts: what it was run with.
    """
    workload, faults = case.workload, case.faults
    begun, end = result.struck if faults else _before(workload, parts), result.places
    for at in range(begun.writes + 1, end.writes + 1):
        for kind, row in AT_WRITES.items():
            yield Case(workload, (*faults, Fault(row, kind, at)))
        if workload.on_file:  # before the first statement of a call is before the call
            for statement in range(2, end.statements[at - 1] + 1):
                yield Case(workload, (*faults, Fault(1, WITHIN, at, float(statement))))
    if workload.on_file:
        return  # what goes over the wire knows nothing of a file
    for at in range(begun.requests + 1, end.requests + 1):
        for kind, row in AT_REQUESTS.items():
            yield Case(workload, (*faults, Fault(row, kind, at)))


def _before(workload: Workload, parts: Parts) -> Places:
    """Return how many places there are before the first operation of a workload."""
    if not workload.has_begun:
        return Places()
    return _before_any(workload._replace(letters=("update",), pace="at-once"), parts)


@cache
def _before_any(workload: Workload, parts: Parts) -> Places:
    return simulate(0, parts, workload.before()).places
