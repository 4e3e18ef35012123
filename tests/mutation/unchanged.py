"""Whether the tests pass without a change, run just as they are run for one.

They are run by name, in forks of a process that has run them before: a name that is not found
there, or a test that minds what ran before it, would look as if it had noticed every change.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

_QUIETLY = ("-x", "-q", "--rootdir=.", "--tb=native", "-p", "no:cacheprovider")


def main() -> int:
    """Print the functions whose tests fail with nothing changed, and return 1 if there are any."""
    stats = json.loads(Path("mutmut-stats.json").read_text())
    took: dict[str, float] = stats["duration_by_test"]
    tests_of: dict[str, list[str]] = {
        function: sorted(tests, key=lambda test: took.get(test, 0.0))
        for function, tests in stats["tests_by_mangled_function_name"].items()
    }
    os.environ["MUTANT_UNDER_TEST"] = ""
    _run(sorted({test.partition("::")[0] for tests in tests_of.values() for test in tests}))
    codes: dict[tuple[str, ...], int] = {}
    failed = []
    for function, tests in tests_of.items():
        if tuple(tests) not in codes:
            codes[tuple(tests)] = _forked(tests)
        if tests and codes[tuple(tests)] != 0:
            failed.append(function)
    print("\n".join(failed), end="")
    return int(bool(failed))


def _forked(tests: list[str]) -> int:
    """Return the exit code of the tests in a fork of this process."""
    child = os.fork()
    if child == 0:
        os._exit(_run(tests))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(tests: list[str]) -> int:
    """Run tests, and say nothing."""
    said = sys.stdout, sys.stderr
    with Path(os.devnull).open("w") as nothing:
        sys.stdout = sys.stderr = nothing
        try:
            return int(pytest.main([*_QUIETLY, *tests]))
        finally:
            sys.stdout, sys.stderr = said


if __name__ == "__main__":
    sys.exit(main())
