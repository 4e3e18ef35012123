"""Work that is spread over the cores of the machine."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Piece = TypeVar("_Piece")
_Done = TypeVar("_Done")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(work: Callable[[_Piece], _Done], pieces: Sequence[_Piece], jobs: int) -> Iterator[_Done]:
    """Yield what came of each piece, in order; whoever asks for no more ends it.

    Args:
        work: does a piece; a function at the top of a module.
        pieces: of the work.
        jobs: how many processes do it; with one, it is this one.
    """
    if jobs == 1:
        yield from map(work, pieces)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as workers:
        waiting = iter(pieces)
        due = [workers.submit(work, each) for each in islice(waiting, 2 * jobs)]
        try:
            while due:
                yield due.pop(0).result()
                due += [workers.submit(work, each) for each in islice(waiting, 1)]
        finally:
            for each in due:
                each.cancel()
