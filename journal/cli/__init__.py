"""The command line `draft-journal`, an entry point: nothing imports it.

It is made of click and, for progress bars, rich, which come with the extra ``[cli]``. Modules
of it import what is slow only when a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

__all__ = ["main"]

_NEEDED = ("click", "rich")


def main() -> None:
    """Run the command line with the arguments of the process, and exit."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        sys.stderr.write(
            f"draft-journal: the command line needs {' and '.join(missing)}: "
            "install draft-journal[cli]\n"
        )
        sys.exit(2)
    _open_missing_streams()
    try:
        from journal.cli.program import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing is lost: what was stored stays stored.\n")
        code = 130
    sys.exit(code)


def _open_missing_streams() -> None:
    """Let output go nowhere where the caller has closed it (``>&-``)."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  until the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  until the end
