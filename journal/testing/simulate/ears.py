"""Listens to what the library says in the log of the program; no secret is said there."""

from __future__ import annotations

from contextlib import contextmanager
from logging import WARNING, Handler, LogRecord, getLogger
from typing import TYPE_CHECKING, Final

from journal.testing.simulate import invariants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.testing.simulate.world import World

NAME: Final = "journal"


class _Ear(Handler):
    """Hears every line, and shows none."""

    def __init__(self) -> None:
        super().__init__(WARNING)
        self.heard: list[str] = []

    def emit(self, record: LogRecord) -> None:
        """Keep a line."""
        self.heard.append(record.getMessage())
        if record.exc_info is not None:
            self.heard.append(repr(record.exc_info[1]))


@contextmanager
def heard(world: World) -> Iterator[None]:
    """Hear, in the block, what the library says, and check it."""
    log, ear = getLogger(NAME), _Ear()
    before = log.level, log.propagate
    log.addHandler(ear)
    log.setLevel(WARNING)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(ear)
        log.setLevel(before[0])
        log.propagate = before[1]
    invariants.i19_said(world, ear.heard)
