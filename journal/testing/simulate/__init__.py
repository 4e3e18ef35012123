r"""The simulator: the library, whole, in a world in which everything goes wrong.

The same happens for the same seed. It stands for a scenario: knobs, what is done, and what goes
wrong. `simulate` runs it: the
real journal, projections, sender and remote, in one thread, on a simulated clock, disk and
network, against a model service that notes what really happened. It ends at the first promise
that is broken, or when everything has come to rest.

    from journal.testing.simulate import simulate

    result = simulate(7)
    assert result.is_kept, result.violation

Everything that a process is made of can be swapped, by `Parts`:

    recorder(recorder) -> RowRecorder     the log adapter that the journal is given
    journal(recorder, sources, name)      the journal
    remote(profile, knobs, bearer, clock) the remote
    session(journal, remote, settings, board, spans)
                                          what sends

    class Forgetful(HttpRemote): ...

    parts = REAL._replace(remote=lambda profile, knobs, bearer, clock: Forgetful(...))
    results = (simulate(seed, parts) for seed in range(1000))
    found = next(result for result in results if not result.is_kept)
    print(*shrunk(found, parts).trace, sep="\\n")

A `Scenario` is a plain value: `simulate(0, scenario=...)` runs one that was made by hand, such as
one of all short workloads: `exhaust` runs them all, with a crash at every call of each. `campaign`
runs many seeds over all cores, and tells what was met.
"""

from __future__ import annotations

from journal.testing.simulate.campaigns import Campaign, Failure, campaign
from journal.testing.simulate.cases import Case, case_of
from journal.testing.simulate.counts import Counts
from journal.testing.simulate.exhaustive import Exhausted, exhaust
from journal.testing.simulate.parts import REAL, Parts
from journal.testing.simulate.scenario import Fault, Knobs, Operation, Scenario
from journal.testing.simulate.shrinking import shrunk
from journal.testing.simulate.simulation import Result, simulate
from journal.testing.simulate.traces import Violation
from journal.testing.simulate.workload import scenario_of

__all__ = [
    "REAL",
    "Campaign",
    "Case",
    "Counts",
    "Exhausted",
    "Failure",
    "Fault",
    "Knobs",
    "Operation",
    "Parts",
    "Result",
    "Scenario",
    "Violation",
    "campaign",
    "case_of",
    "exhaust",
    "scenario_of",
    "shrunk",
    "simulate",
]
