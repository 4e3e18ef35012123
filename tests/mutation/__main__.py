"""Tries the mutants of modules of the pure core: ``python -m tests.mutation MODULE...``."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.mutation import reasons, trying
from tests.mutation.proofs import PROOFS

WANTED = 90.0
"""How much of the mutants is to be noticed, in percent."""


def main() -> int:
    """Try, print a row for each module and each survivor, and return 1 below what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="+", choices=sorted(PROOFS), metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=2, help="how many modules at a time")
    parser.add_argument("--work", type=Path, default=trying.ROOT / ".mutation")
    parser.add_argument("--last", action="store_true", help="only read what was found last time")
    parser.add_argument("--again", action="store_true", help="only what was not killed last time")
    parser.add_argument("--report", type=Path, help="write a table and the survivors there")
    arguments = parser.parse_args()
    ask = trying.read if arguments.last else partial(trying.run, again=arguments.again)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(
            pool.map(lambda module: _told(ask(module, arguments.work)), arguments.modules)
        )
    if arguments.report:
        arguments.report.write_text("\n".join(reasons.report(results)) + "\n")
    mutants = sum(result.mutants for result in results)
    noticed = sum(result.killed + result.timeouts for result in results)
    print(f"{noticed} of {mutants} noticed: {100 * noticed / max(mutants, 1):.1f} %")
    return int(100 * noticed < WANTED * mutants)


def _told(result: trying.Result) -> trying.Result:
    """Print what was found for a module, and return it."""
    lines = [
        (
            f"{result.module}: {result.mutants} mutants, {result.killed} killed, {result.timeouts}"
            f" timeouts, {len(result.survivors)} survived, {len(result.others)} others,"
            f" {result.share:.1f} %"
        ),
    ]
    for survivor in result.survivors:
        lines.append(f"  {survivor.name}")
        lines.extend(f"    - {line}" for line in survivor.removed)
        lines.extend(f"    + {line}" for line in survivor.added)
    lines.extend(f"  {name}: neither killed nor survived" for name in result.others)
    print("\n".join(lines), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
