"""Whether the tests pass without a change, run just as they are run for one.

They are run by name, the quickest first, in a fork of a process that has collected them before:
a name that is not found there would look as if the test had noticed every change.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

_QUIETLY = ("-x", "-q", "--rootdir=.", "--tb=native", "-p", "no:cacheprovider")


def main() -> int:
    """Print what the tests say where they fail with nothing changed, and return their code."""
    stats = json.loads(Path("mutmut-stats.json").read_text())
    took: dict[str, float] = stats["duration_by_test"]
    named = {test for tests in stats["tests_by_mangled_function_name"].values() for test in tests}
    tests = sorted(named, key=lambda test: took.get(test, 0.0))
    os.environ["MUTANT_UNDER_TEST"] = ""
    pytest.main([*_QUIETLY, "--collect-only", *sorted({t.partition("::")[0] for t in tests})])
    child = os.fork()
    if child == 0:
        os._exit(pytest.main([*_QUIETLY, *tests]) if tests else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
