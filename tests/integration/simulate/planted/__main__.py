"""Looks for the planted bugs, each from seed 0 on; tells in how many seeds it was found.

Names, or parts of them, choose some; ``--table`` prints the table of the documentation as it is.
"""

from __future__ import annotations

import sys

from tests.integration.simulate.planted import CATALOGUE
from tests.integration.simulate.planted.seams import MOST_SEEDS
from tests.integration.simulate.planted.table import table, twice


def main(words: list[str]) -> int:
    """Look for the bugs whose names have one of these words; return how many were not found."""
    if words == ["--table"]:
        print(*table(), "", *twice(), sep="\n")
        return 0
    missed = 0
    for name, bug in CATALOGUE.items():
        if words and not any(word in name for word in words):
            continue
        found = bug.found(range(MOST_SEEDS))
        missed += found is None
        seeds = "-" if found is None else str(found.scenario.seed + 1)
        said = "NOT FOUND" if found is None else str(found.violation)[:90]
        print(f"{seeds:>5} (was {bug.seeds:>4})  {name:50} {said}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
