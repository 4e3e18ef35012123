"""The command that tries the library itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from journal.testing.simulate import simulate
from journal.testing.simulate.campaigns import campaign

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Cli


def test_a_campaign(cli: Cli) -> None:
    """Some seeds say what was met, and that every promise was kept; it needs no journal."""
    done = cli("simulate", "--seeds", "40", "--jobs", "1")

    assert (done.code, done.out.splitlines()[-1]) == (0, "every promise was kept")
    assert "a request, or its answer, is lost" in done.out
    assert "40 seeds: " in done.out


def test_a_campaign_for_a_program(cli: Cli) -> None:
    """With --json, it is one object."""
    done = cli("simulate", "--seeds", "20", "--begin", "100", "--jobs", "1", "--json")

    found = json.loads(done.out)
    assert (found["kept"], found["seeds"], found["failures"]) == (True, 20, [])
    assert found["rows"].keys() >= {"1", "18", "37"}


def test_one_seed(cli: Cli) -> None:
    """One seed is told line by line, and its hash is that of the library's own run."""
    done = cli("simulate", "--seed", "3")
    told = json.loads(cli("simulate", "--seed", "3", "--json").out)

    result = simulate(3)
    assert done.code == 0
    assert done.out.splitlines()[-1].endswith(result.hash)
    assert (told["hash"], told["trace"]) == (result.hash, list(result.trace))


def test_all_short_workloads(cli: Cli) -> None:
    """Some of them say how many cases there were, and that every promise was kept."""
    only = ("--only", "memory/plain/at-once/update,v", "--jobs", "1")
    done = cli("simulate", "--exhaustive", "2", *only)
    told = json.loads(cli("simulate", "--exhaustive", "2", *only, "--json").out)

    assert (done.code, done.out.splitlines()[-1]) == (0, "every promise was kept")
    assert f"{told['count']} cases of 1 workloads" in done.out
    assert (told["kept"], told["workloads"], told["failures"]) == (True, {"2": 1}, [])
    assert told["cases"]["answer lost"]["2"] >= 2


def test_a_name_that_no_workload_has(cli: Cli) -> None:
    """It is a wrong use, for all of them as for one."""
    for given in (("--exhaustive", "1", "--only", "tape"), ("--case", "tape/etag/at-once/update")):
        done = cli("simulate", *given)

        assert done.code == 2
        assert "tape" in done.err


def test_one_case(cli: Cli) -> None:
    """One case is told line by line, as a seed is."""
    name = "memory/etag/at-once/update/answer-lost@2"
    done = cli("simulate", "--case", name)
    told = json.loads(cli("simulate", "--case", name, "--json").out)

    assert done.code == 0
    assert any("<- answer lost" in line for line in done.out.splitlines())
    assert done.out.splitlines()[-1].endswith(told["hash"])
    assert told["faults"] == [{"row": 18, "kind": "answer lost", "at": 2, "more": 0.0}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--seed 3 --seeds 5", "--seeds does not go with --seed"),
        ("--only memory", "--only does not go with a campaign"),
        ("--exhaustive 1 --seeds 2", "--seeds does not go with --exhaustive"),
        ("--case x --seed 1", "--seed does not go with --case"),
    ],
)
def test_what_would_be_passed_over_is_refused(cli: Cli, given: str, said: str) -> None:
    """Of two ways to say what is run, none is silently taken."""
    done = cli("simulate", *given.split())

    assert done.code == 2
    assert said in done.err


def test_no_more_processes_than_there_is_work_for() -> None:
    """A few seeds are run by one process, however many were asked for."""
    assert campaign(2, jobs=64).jobs == 1
