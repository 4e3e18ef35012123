"""Files that were never closed, and that nobody can reach any more: they are closed for him.

The last connection to close checkpoints, so that must be under the lock (D2); to wait for the
lock while garbage is collected could be to wait for oneself.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.errors import LogError
from journal.log.registry import Identity, unregister

if TYPE_CHECKING:
    from collections import deque

    from journal.log.filelock import FileLock, NoLock


class Abandoned(NamedTuple):
    """What is left open of a file."""

    pid: int
    lock: FileLock | NoLock
    identity: Identity
    readers: deque[sqlite3.Connection]
    viewers: dict[str, sqlite3.Connection]
    appender: sqlite3.Connection


_LEFT: Final[list[Abandoned]] = []
"""Those that could not be closed yet, and those of the parent of this process, which never are."""


def close_abandoned(left: Abandoned) -> None:
    """Close what is left of a file, or keep it until nobody has the lock."""
    if left.lock.is_closed and left.pid == os.getpid():
        return  # it was closed, but for what an interrupt left
    if left.pid == os.getpid() and left.lock.attempt():
        _close(left)
    else:
        _LEFT.append(left)


def close_left(*, wait: bool = False) -> None:
    """Close what was kept, now or, where it is the last chance, when the lock is free."""
    for left in [left for left in _LEFT if left.pid == os.getpid()]:
        _LEFT.remove(left)
        if wait:
            with suppress(LogError):
                left.lock.take()
                _close(left)
        else:
            close_abandoned(left)


def _close(left: Abandoned) -> None:
    """Close the connections; the lock is held."""
    try:
        for connection in (*left.readers, *left.viewers.values(), left.appender):
            with suppress(sqlite3.Error):
                connection.close()
    finally:
        left.lock.release()
        left.lock.close()
        unregister(left.identity)
