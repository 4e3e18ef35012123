"""How the tests run: on the same examples every time; `HYPOTHESIS_PROFILE=search` finds others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings

from tests.integration.kills import tally
from tests.integration.matrix import HITS, report

if TYPE_CHECKING:
    import pytest

settings.register_profile("same", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("search", deadline=None, max_examples=2000)
# Mutants are tried in forks of a process that has run the tests: an example that fails is enough.
settings.register_profile(
    "mutants",
    settings.get_profile("same"),
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.differing_executors],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often each row of the fault matrix was hit in this run, and who was killed."""
    if HITS:
        terminalreporter.section("faults injected, by row of the fault matrix")
        terminalreporter.write("".join(f"{line}\n" for line in report()))
    if tally.KILLED:
        terminalreporter.section("processes killed")
        terminalreporter.write("".join(f"{line}\n" for line in tally.report()))
