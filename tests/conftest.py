"""How the tests run: on the same examples every time; `HYPOTHESIS_PROFILE=search` finds others."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.integration.kills import tally
from tests.integration.matrix import HITS, report

_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "same")

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
settings.load_profile(_PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test have the same name however often it is collected in a process, as mutants need.

    Else the names that are given with `ids=` are escaped once more each time.
    """
    if _PROFILE != "mutants":
        return
    for mark in metafunc.definition.iter_markers("parametrize"):
        if mark._param_ids_from:
            object.__setattr__(mark._param_ids_from, "_param_ids_generated", None)


def pytest_sessionstart() -> None:
    """Forget what was remembered of functions, where a mutant of one is to be tried."""
    if _PROFILE != "mutants":
        return
    for name, module in list(sys.modules.items()):
        for value in list(vars(module).values()) if name.startswith("journal") else ():
            if callable(forget := getattr(value, "cache_clear", None)):
                forget()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often each row of the fault matrix was hit in this run, and who was killed."""
    if HITS:
        terminalreporter.section("faults injected, by row of the fault matrix")
        terminalreporter.write("".join(f"{line}\n" for line in report()))
    if tally.KILLED:
        terminalreporter.section("processes killed")
        terminalreporter.write("".join(f"{line}\n" for line in tally.report()))
