"""What a campaign, or a run, is told as: in words, and as an object for a program; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.testing.simulate.counts import MEANINGS, OUTCOMES, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.testing.simulate.campaigns import Campaign
    from journal.testing.simulate.simulation import Result

COMMAND = "draft-journal simulate --seed"


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


def lived(result: Result) -> Iterator[str]:
    """Yield the lines of one run, for a person."""
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
    yield f"  again: {COMMAND} {result.scenario.seed}"


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
