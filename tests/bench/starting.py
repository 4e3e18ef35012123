"""How long a process takes to start, import and answer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.bench.race import Result, duration, race

if TYPE_CHECKING:
    from tests.bench.race import Contender

_BARE = ("-c", "pass")
_IMPORT = ("-c", "import journal")
_NAMES = ("-c", "import journal; [getattr(journal, name) for name in journal.__all__]")
_HELP = ("-c", "from journal.cli import main; main()", "--help")
"""What the installed script `draft-journal` does."""


def results(rounds: int) -> list[Result]:
    """Race whole processes against a Python that does nothing."""
    s = race(
        {
            "bare": _process(*_BARE),
            "import": _process(*_IMPORT),
            "names": _process(*_NAMES),
            "help": _process(*_HELP),
        },
        rounds,
    )
    bare = s["bare"]
    return [
        duration(
            "h",
            "import journal, no name / bare python",
            ours_s=s["import"],
            reference_s=bare,
            at_most_s=0.25,
        ),
        duration(
            "h",
            "import journal, all names / bare python",
            ours_s=s["names"],
            reference_s=bare,
            at_most_s=0.25,
        ),
        duration(
            "h",
            "draft-journal --help / bare python",
            ours_s=s["help"],
            reference_s=bare,
            at_most_s=0.35,
        ),
    ]


def _process(*arguments: str) -> Contender:
    command = [sys.executable, *arguments]
    return lambda: lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
