"""A seed repeats; a failure is made short; nothing that is claimed goes unmet."""

from __future__ import annotations

import pytest

from journal.testing.simulate import (
    Counts,
    Fault,
    Knobs,
    Operation,
    Scenario,
    campaign,
    scenario_of,
    shrunk,
    simulate,
)
from journal.testing.simulate.counts import MEANINGS, OUTCOMES, ROWS
from tests.integration.simulate.planted import CATALOGUE, planted


def test_a_failure_is_made_short() -> None:
    """What is left of a scenario breaks the same promise, and nothing of it can be left out."""
    with planted(CATALOGUE["takes a lost answer for done"]):
        result = next(run for run in map(simulate, range(600)) if not run.is_kept)

        short = shrunk(result)

        assert short.violation is not None
        assert result.violation is not None
        assert short.violation.invariant == result.violation.invariant
        assert len(short.scenario.operations) <= len(result.scenario.operations)
        assert len(short.scenario.faults) <= len(result.scenario.faults)
        for part in ("operations", "faults"):
            items = getattr(short.scenario, part)
            for at in range(len(items)):
                fewer = short.scenario._replace(**{part: items[:at] + items[at + 1 :]})
                violation = simulate(0, scenario=fewer).violation
                assert violation is None or violation.invariant != short.violation.invariant
        assert simulate(0, scenario=short.scenario).hash == short.hash


def test_what_is_kept_is_not_made_short() -> None:
    """A run that breaks nothing is returned as it is."""
    result = simulate(1)

    assert shrunk(result) is result


def test_a_seed_repeats() -> None:
    """The same seed gives the same trace, to the byte; another seed gives another one (I30)."""
    first = [simulate(seed) for seed in range(10)]
    again = [simulate(seed) for seed in range(10)]

    assert [run.trace for run in first] == [run.trace for run in again]
    assert [run.hash for run in first] == [run.hash for run in again]
    assert len({run.hash for run in first}) == len(first)


def test_a_campaign_keeps_every_promise() -> None:
    """So it does in another process with another hash seed, whatever the number of workers."""
    done = campaign(100, begin=5_000, jobs=2)

    assert done.failures == ()
    assert done.differing == ()
    assert (done.seeds, done.missing) == (100, ())
    assert done.operations > 500
    assert done.requests > done.effects > 400


def test_a_campaign_that_meets_too_little_fails() -> None:
    """Whatever is claimed to be simulated must be met by whoever runs enough seeds (I31)."""
    done = campaign(3, jobs=1, enough=3)

    assert not done.is_kept
    assert any(what.startswith("row ") for what in done.missing)


def test_what_was_never_met_is_named() -> None:
    """Every row, every meaning and every outcome counts."""
    assert len(Counts().missing()) == len(ROWS) + len(MEANINGS) + len(OUTCOMES)


@pytest.mark.parametrize("seed", range(4))
def test_a_real_file(seed: int) -> None:
    """The same scenario keeps its promises on a file, whoever dies at whichever statement."""
    scenario = scenario_of(seed)
    deaths = tuple(Fault(1, "crash within", at, 2.0) for at in range(3, 60, 7))
    scenario = scenario._replace(
        knobs=scenario.knobs._replace(on_file=True), faults=scenario.faults + deaths
    )

    result = simulate(seed, scenario=scenario)

    assert result.violation is None
    assert result.counts.rows[1] > 0


def test_a_scenario_made_by_hand() -> None:
    """Whoever wants to know what happens writes it down, and reads the trace."""
    scenario = Scenario(
        7,
        Knobs(),
        (Operation(1.0, "create", 1, 0, 1), Operation(3.0, "update", 0, 0, 2)),
        (Fault(18, "answer lost", 1),),
    )

    result = simulate(7, scenario=scenario)

    assert result.violation is None
    assert (result.effects, result.counts.rows[18]) == (2, 1)
    sent = [line.split("#")[1] for line in result.trace if "#" in line and "of 0" in line]
    assert [line.split(" ")[1] for line in sent] == ["PUT", "PATCH"]


def test_a_crash_at_a_call_of_a_pull() -> None:
    """The calls of a pull are counted for themselves; what it had not stored is pulled again."""
    operations = (
        Operation(1.0, "create", 1, 0, 3),
        Operation(2.0, "foreign", 0, 0, 1),
        Operation(3.0, "pull"),
    )
    scenario = Scenario(8, Knobs(), operations, (Fault(1, "crash before", 1, 1.0),))

    result = simulate(8, scenario=scenario)

    assert result.violation is None
    assert result.counts.rows[1] == 1
    death = next(at for at, line in enumerate(result.trace) if "dies at a call" in line)
    assert "van pull" in result.trace[death - 1]
    assert any("RecordObserved" in line for line in result.trace[death:])
