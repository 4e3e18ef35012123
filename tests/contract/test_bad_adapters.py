"""The contract of the log tells a bad adapter from a good one."""

from __future__ import annotations

from typing import Final

import pytest

from tests.integration.simulate.planted import CATALOGUE, planted

BAD: Final = {
    "stores an append row by row": "Torn",
    "takes a version twice": "Around",
    "leaves a gap where an append was refused": "Around",
    "chains a batch to what was before it": "Around",
    "believes a clock that was set back": "Around",
}
"""Planted bugs of the log, each with the adapter that has it, or that is around one that has."""
QUICK: Final = "TestAppend or TestTime or TestVerify or TestRead"
"""What of the contract needs no threads, and no waiting."""
SUITE: Final = """
    import pytest
    from journal.log import MEMORY, Log, open_recorder
    from journal.testing.contracts.log import *
    from tests.integration.simulate.planted.of_log import {adapter}

    @pytest.fixture
    def log():
        log = Log({adapter}(open_recorder(MEMORY, lambda: "j1")))
        yield log
        log.close()
"""


@pytest.mark.parametrize("name", BAD)
def test_a_bad_adapter_is_caught(name: str, pytester: pytest.Pytester) -> None:
    """Whoever writes an adapter with one of these mistakes is told by the contract."""
    pytester.makepyfile(SUITE.format(adapter=BAD[name]))

    with planted(CATALOGUE[name]):
        result = pytester.runpytest_inprocess("-q", "-x", "-k", QUICK)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1, passed=result.parseoutcomes().get("passed", 0))


def test_an_adapter_around_a_good_one_is_good(pytester: pytest.Pytester) -> None:
    """What the bad ones are made of keeps the contract, without the mistake."""
    pytester.makepyfile(SUITE.format(adapter="Around"))

    result = pytester.runpytest_inprocess("-q", "-x", "-k", QUICK)

    assert result.ret == pytest.ExitCode.OK
