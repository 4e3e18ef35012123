"""The command that tries the library itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from journal.testing.simulate import simulate

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
