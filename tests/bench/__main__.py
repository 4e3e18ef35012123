"""Runs the measurements: ``python -m tests.bench [--quick] [--json] [--check] [--folder DIR]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.bench import growing, pushing, reading, report, starting, writing


class Effort(NamedTuple):
    """How much to measure."""

    single_rounds: int
    batch_rounds: int
    read_events: int
    read_rounds: int
    large: int
    growth_rounds: int
    start_rounds: int
    drafts: int
    waits: int


WHOLE = Effort(300, 40, 30_000, 15, 100_000, 400, 10, 2_000, 300)
QUICK = Effort(20, 6, 5_000, 3, 10_000, 30, 3, 300, 50)


def main() -> int:
    """Measure, print, and return 1 where a target was missed and that was asked about."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less: a rough picture")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    parser.add_argument("--folder", type=Path, help="where to put the files; the system's else")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else WHOLE
    with TemporaryDirectory(prefix="draft-journal-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        found = report.facts(folder)
        results = [
            *writing.one_by_one(folder, effort.single_rounds),
            *writing.in_batches(folder, effort.batch_rounds),
            *reading.results(folder, effort.read_events, effort.read_rounds),
            *growing.results(folder, effort.large, effort.growth_rounds),
            *starting.results(effort.start_rounds),
            *pushing.results(folder, effort.drafts, effort.waits),
        ]
    print((report.as_json if arguments.json else report.as_table)(found, results))
    return int(arguments.check and any(result.is_met is False for result in results))


if __name__ == "__main__":
    sys.exit(main())
