"""What a campaign, or a run, is told as: in words, and as an object for a program; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.testing.simulate.cases import KINDS
from journal.testing.simulate.counts import MEANINGS, OUTCOMES, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.testing.simulate.campaigns import Campaign
    from journal.testing.simulate.exhaustive import Exhausted
    from journal.testing.simulate.simulation import Result

COMMAND = "draft-journal simulate --seed"
CASE = "draft-journal simulate --case"


def told(found: Campaign) -> Iterator[str]:
    """Yield the lines of a campaign, for a person."""
    yield "met   row of the fault matrix"
    yield from (f"{found.counts.rows[row]:9,}  {row:2}  {what}" for row, what in ROWS.items())
    yield "met   what an answer meant"
    yield from (f"{found.counts.meanings[name]:9,}  {name}" for name in MEANINGS)
    yield "met   what a push came to"
    yield from (f"{found.counts.outcomes[name]:9,}  {name}" for name in OUTCOMES)
    hours = found.virtual_s / 3600
    yield (
        f"{found.seeds:,} seeds: {found.operations:,} operations, {found.requests:,} requests, "
        f"{found.effects:,} effects, {hours:,.0f} simulated hours"
    )
    per_core = found.seeds / found.seconds / found.jobs
    yield f"{found.seconds:.1f} s on {found.jobs} cores: {per_core:.0f} seeds a second and core"
    for failure in found.failures:
        yield f"BROKEN {failure.text}"
        yield f"  again: {COMMAND} {failure.seed}"
    for seed in found.differing:
        yield f"BROKEN I30: seed {seed} has another trace in another process"
    for what in found.missing:
        yield f"BROKEN I31: never met: {what}"
    if found.is_kept:
        yield "every promise was kept"


def described(found: Campaign) -> dict[str, Any]:
    """Return a campaign as an object."""
    return {
        "kept": found.is_kept,
        "seeds": found.seeds,
        "jobs": found.jobs,
        "seconds": round(found.seconds, 3),
        "operations": found.operations,
        "requests": found.requests,
        "effects": found.effects,
        "virtual_s": round(found.virtual_s, 3),
        "rows": {str(row): found.counts.rows[row] for row in ROWS},
        "answers": {name: found.counts.meanings[name] for name in MEANINGS},
        "outcomes": {name: found.counts.outcomes[name] for name in OUTCOMES},
        "failures": [failure._asdict() for failure in found.failures],
        "differing": list(found.differing),
        "missing": list(found.missing),
    }


def tried(found: Exhausted) -> Iterator[str]:
    """Yield the lines of all short workloads, for a person."""
    lengths = sorted(found.workloads)
    heads = [f"of {length}" for length in lengths]
    yield "cases, by how many operations the workload has, and what goes wrong"
    yield "".join(f"{head:>10}" for head in heads)
    for kind in KINDS:
        counts = [found.cases[length, kind] for length in lengths]
        if any(counts):
            yield "".join(f"{count:10,}" for count in counts) + f"  {kind}"
    yield "".join(f"{found.workloads[length]:10,}" for length in lengths) + "  workloads"
    count = found.cases.total()
    per_core = count / found.seconds / found.jobs
    yield f"{count:,} cases of {found.workloads.total():,} workloads"
    yield f"{found.seconds:.1f} s on {found.jobs} cores: {per_core:.0f} cases a second and core"
    for failure in found.failures:
        yield f"BROKEN {failure.text}"
        yield f"  again: {CASE} {failure.case}"
    if found.is_kept:
        yield "every promise was kept"


def listed(found: Exhausted) -> dict[str, Any]:
    """Return all short workloads as an object."""
    cases = {
        kind: {str(length): found.cases[length, kind] for length in sorted(found.workloads)}
        for kind in KINDS
    }
    return {
        "kept": found.is_kept,
        "length": found.length,
        "jobs": found.jobs,
        "seconds": round(found.seconds, 3),
        "workloads": {str(length): found.workloads[length] for length in sorted(found.workloads)},
        "count": found.cases.total(),
        "cases": cases,
        "failures": [failure._asdict() for failure in found.failures],
    }


def lived(result: Result, again: str = "") -> Iterator[str]:
    """Yield the lines of one run, for a person; `again` is the command that makes it again."""
    knobs = result.scenario.knobs
    yield f"seed {result.scenario.seed}"
    yield "knobs  " + "  ".join(f"{name}={value}" for name, value in knobs._asdict().items())
    for fault in result.scenario.faults:
        yield f"fault  row {fault.row}: {fault.kind}, at {fault.at}" + (
            f", {fault.more:g}" if fault.more else ""
        )
    yield from result.trace
    if result.violation is None:
        yield f"every promise was kept; the hash of the trace is {result.hash}"
        return
    yield f"BROKEN {result.violation}"
    yield f"  again: {again or f'{COMMAND} {result.scenario.seed}'}"


def outlined(result: Result) -> dict[str, Any]:
    """Return one run as an object."""
    violation = result.violation
    return {
        "kept": result.is_kept,
        "seed": result.scenario.seed,
        "hash": result.hash,
        "violation": None if violation is None else violation._asdict(),
        "knobs": result.scenario.knobs._asdict(),
        "operations": [operation._asdict() for operation in result.scenario.operations],
        "faults": [fault._asdict() for fault in result.scenario.faults],
        "trace": list(result.trace),
    }
