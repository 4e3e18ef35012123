"""The table of the planted bugs, as the documentation has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.integration.simulate.planted import CATALOGUE, DEFENDED

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOORS: Final = {
    "log": "the log",
    "journal": "commands",
    "queue": "the queue",
    "sender": "the sender",
    "sights": "what is seen meanwhile",
    "requests": "what is sent",
    "answers": "what an answer is taken for",
    "conflicts": "conflicts",
    "secrets": "secrets",
    "views": "projections",
}
"""What the floors are called."""


def table() -> Iterator[str]:
    """Yield the lines of the table: each bug, where it is, in how many seeds it was found, by what.

    The numbers are those that were last measured.
    """
    yield "| Planted | What goes wrong | Found in seeds | By |"
    yield "| --- | --- | ---: | --- |"
    for floor, called in FLOORS.items():
        yield f"| **{called}** | | | |"
        for bug in CATALOGUE.values():
            if bug.floor == floor:
                yield f"| {bug.name} | {bug.breaks} | {bug.seeds:,} | {', '.join(bug.by)} |"


def twice() -> Iterator[str]:
    """Yield a line for each mistake after which another defence keeps all promises."""
    yield from (f"- {bug.name}: {bug.breaks}" for bug in DEFENDED.values())
