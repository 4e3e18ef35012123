"""Processes that die between two statements, and how they are ended there."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import wait
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from journal.testing.crashing import Moment, watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import (
        ForkServerContext,
        ForkServerProcess,
        SpawnContext,
        SpawnProcess,
    )

    from tests.integration.workload import Tell

Words: TypeAlias = tuple[str, ...]

FRESH: Final = get_context("spawn")
"""Starts an interpreter for each process."""
PROCESSES: Final = get_context("forkserver")
"""Makes processes by a fork of a small one that has imported everything and has no threads."""
PROCESSES.set_forkserver_preload(
    ["__main__", "tests.integration.workload", "tests.integration.kills.victims", "httpcore", "h11"]
)

_REAPING: Final = Lock()
"""Held while exit codes are read: a start reads those of all other children too, and who reads
one second takes it for 255."""


class _Death:
    """Ends this process at the n-th moment at which a commit begins or has ended."""

    def __init__(self, moment: int) -> None:
        self.left = moment

    def __call__(self, moment: Moment) -> None:
        if moment.is_commit:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def dying_at(
    moment: int, work: Callable[..., None], arguments: tuple[Any, ...], pipe: Connection
) -> None:
    """Work until the moment, in a child; tell how many moments were left where it never came."""
    death = _Death(moment)
    with watching(death):
        work(*arguments, _tell_on(pipe))
    pipe.send(("left", str(death.left)))


def working(work: Callable[..., None], arguments: tuple[Any, ...], pipe: Connection) -> None:
    """Work until somebody else ends it, in a child."""
    work(*arguments, _tell_on(pipe))


def _tell_on(pipe: Connection) -> Tell:
    return lambda *words: pipe.send(words)


@contextmanager
def child(
    target: Callable[..., None],
    *arguments: object,
    context: ForkServerContext | SpawnContext = PROCESSES,
) -> Iterator[Child]:
    """Start a process that tells what it does; it is dead when the block ends."""
    theirs: Connection
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, theirs))
    with _REAPING:
        process.start()
    theirs.close()
    made = Child(process, ours)
    try:
        yield made
    finally:
        made.kill()
        ours.close()
        process.close()


class Child:
    """A process that tells what it does."""

    def __init__(self, process: ForkServerProcess | SpawnProcess, pipe: Connection) -> None:
        """Listen to the process."""
        self._process = process
        self.pipe = pipe
        """Where it tells something."""

    def word(self) -> Words | None:
        """Return what it tells next; None at its end."""
        try:
            word: Words = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return word

    def words(self) -> Iterator[Words]:
        """Yield what it tells, until its end."""
        while (word := self.word()) is not None:
            yield word

    def until(self, count: int) -> list[Words]:
        """Return the first things that it tells, or fewer where it ends before."""
        return list(islice(self.words(), count))

    def strike(self) -> None:
        """Send it SIGKILL, also from another thread; nothing happens where it has ended."""
        with suppress(ValueError):  # it was closed
            self._process.kill()

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it is no more."""
        self._process.kill()
        self._join()

    @property
    def ended_by(self) -> int:
        """The signal that ended it; 0 where it came to its end, more where it failed."""
        self._join()
        return -(self._process.exitcode or 0)

    def _join(self) -> None:
        wait([self._process.sentinel])
        with _REAPING:
            self._process.join()
