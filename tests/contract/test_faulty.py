"""An adapter that breaks a promise of the log is found by its contract, by the right test."""

from __future__ import annotations

import pytest

# Imported here, so that a run within this process does not import them anew each time.
import journal.testing.contracts.durable
import journal.testing.contracts.leases
import journal.testing.contracts.log  # noqa: F401
from tests.contract import faulty

SOURCE = """
import pytest
from journal.log import Log
from journal.testing.contracts.{contract} import *
from tests.contract.faulty import {adapter}

@pytest.fixture
def log(tmp_path):
    log = Log({adapter}(str(tmp_path)))
    yield log
    log.close()

@pytest.fixture
def another(tmp_path):
    return lambda: Log({adapter}(str(tmp_path)))
"""


def run(pytester: pytest.Pytester, contract: str, adapter: str, *more: str) -> pytest.RunResult:
    """Run a contract on an adapter."""
    pytester.makepyfile(SOURCE.format(contract=contract, adapter=adapter))
    return pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-rf", *more)


@pytest.mark.parametrize(
    ("contract", "adapter", "finding"),
    [
        ("log", faulty.Reusing, "TestAppend::test_positions_rise_by_one"),
        ("log", faulty.Racing, "TestThreads::test_"),
        ("log", faulty.Halving, "TestThreads::test_reader_never_sees_a_hole"),
        ("log", faulty.Permitting, "TestAppend::test_conflict_says_both_versions"),
        ("log", faulty.Unchained, "TestVerify::test_sound_log_is_intact"),
        ("log", faulty.Backwards, "TestTime::test_clock_that_went_back_is_flagged"),
        ("durable", faulty.Delaying, "TestDurable::test_whoever_comes_after_a_crash"),
        ("durable", faulty.Disordered, "TestDurable::test_whoever_comes_after_a_crash"),
        ("durable", faulty.Alone, "TestTogether::test_positions_are_given_once"),
        ("leases", faulty.Unfenced, "TestLeases::test_a_fence_that_was_replaced_is_never"),
        ("leases", faulty.Generous, "TestLeases::test_one_at_a_time"),
        ("leases", faulty.Forgetful, "TestLeases::test_one_at_a_time"),
        ("leases", faulty.Separate, "TestLeasesOfTwo::test_one_at_a_time"),
    ],
)
def test_it_is_found(
    pytester: pytest.Pytester, contract: str, adapter: type[faulty.Stored], finding: str
) -> None:
    """One that reuses a position, or loses, reorders or halves an append, is told so."""
    result = run(pytester, contract, adapter.__name__, "-k", finding.replace("::", " and "))

    found = [line for line in result.outlines if line.startswith(("FAILED", "ERROR"))]
    assert found, "no test has failed"
    assert f"::{finding}" in found[0]


def test_one_that_is_not_wrong_passes(pytester: pytest.Pytester) -> None:
    """What these adapters are made of keeps the contract, where one has it open."""
    run(pytester, "log", "Stored", "-k", "not Threads").assert_outcomes(
        failed=0, errors=0, passed=137
    )
