"""Every short workload, with a crash at every call to the log, and around every request.

Nothing is drawn: a workload is run once with nothing going wrong, which tells at how many places
something could, and then once for each of them, up to its end. Of the shortest ones, the same is
done with each of these runs: there, two things go wrong, the second one while the first is mended.
"""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.testing.simulate.alphabet import workloads
from journal.testing.simulate.cases import Case, cases_after
from journal.testing.simulate.parts import REAL
from journal.testing.simulate.workers import cores, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from journal.testing.simulate.alphabet import Workload
    from journal.testing.simulate.parts import Parts

CHUNK: Final = 8
"""How many workloads a worker runs before it tells of them."""


class BrokenCase(NamedTuple):
    """A case in which a promise was broken."""

    case: str
    text: str


class Tally(NamedTuple):
    """What came of some workloads."""

    workloads: Counter[int]
    """How many there were, by their length."""
    cases: Counter[tuple[int, str]]
    """How many cases, by the length of the workload, and what went wrong."""
    failures: tuple[BrokenCase, ...]


class Exhausted(NamedTuple):
    """What came of all of them."""

    length: int
    jobs: int
    seconds: float
    workloads: Counter[int]
    cases: Counter[tuple[int, str]]
    failures: tuple[BrokenCase, ...]

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept, in every case."""
        return not self.failures


def tallied(given: Iterable[Workload], parts: Parts = REAL, *, of_one: int = 2) -> Tally:
    """Run all cases of some workloads, one after another.

    Args:
        given: the workloads.
        parts: what the simulated processes are made of.
        of_one: how many things go wrong, one after another, where there is one operation only.
    """
    total = Tally(Counter(), Counter(), ())
    with _rarely_collecting():
        for workload in given:
            length = len(workload.letters)
            total.workloads[length] += 1
            most = 1 if length > 1 or workload.on_file else of_one
            found = tuple(_failing(Case(workload), most, parts, total.cases))
            total = total._replace(failures=total.failures + found)
    return total


def _failing(
    case: Case, most: int, parts: Parts, cases: Counter[tuple[int, str]]
) -> Iterator[BrokenCase]:
    """Run a case, and those in which more goes wrong; yield what was broken."""
    cases[len(case.workload.letters), case.kind] += 1
    result = case.run(parts)
    if result.violation is not None:
        yield BrokenCase(str(case), str(result.violation))
        return
    if Counter(fault.row for fault in case.faults) - result.counts.rows:
        yield BrokenCase(str(case), "what was to go wrong did not happen")
    if len(case.faults) < most:
        for each in cases_after(case, result, parts):
            yield from _failing(each, most, parts, cases)


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Let, in the block, garbage lie for longer: each run leaves little, and takes long to look."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def exhaust(
    length: int,
    jobs: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    most_failures: int = 10,
    only: str = "",
) -> Exhausted:
    """Run every case of every workload of up to so many operations.

    Args:
        length: of the workloads, from 1 to 3.
        jobs: how many processes run them; one for each core where that is 0.
        progress: told how many workloads are done, and how many there are.
        most_failures: after how many failures no more are begun.
        only: how the names begin of those that are run.

    Raises:
        ValueError: no workload has a name that begins so.
    """
    jobs, began_s = jobs or cores(), perf_counter()
    given = tuple(each for each in workloads(length) if str(each).startswith(only))
    if not given:
        raise ValueError(f"no workload has a name that begins with {only!r}")
    chunks = [given[at : at + CHUNK] for at in range(0, len(given), CHUNK)]
    total = Tally(Counter(), Counter(), ())
    for tally in spread(tallied, chunks, jobs):
        total = Tally(
            total.workloads + tally.workloads,
            total.cases + tally.cases,
            total.failures + tally.failures,
        )
        progress(total.workloads.total(), len(given))
        if len(total.failures) >= most_failures:
            break
    return Exhausted(length, jobs, perf_counter() - began_s, *total)
