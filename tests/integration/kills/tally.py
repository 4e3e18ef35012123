"""How many processes were really killed in this run, and how; printed at its end."""

from __future__ import annotations

from collections import Counter
from typing import Final

KILLED: Final[Counter[str]] = Counter()
"""How many processes were alive, and died of SIGKILL, by what they were."""


def count(what: str) -> None:
    """Count a process that was alive, and died of SIGKILL."""
    KILLED[what] += 1


def report() -> list[str]:
    """Return a line for each kind of process that was killed, and one for all."""
    lines = [f"{number:7,}  {what}" for what, number in sorted(KILLED.items())]
    return [*lines, f"{KILLED.total():7,}  in all"]
