"""The files that this process has open, so that none is used across a fork.

SQLite remembers the locks of a process in its memory, which a child inherits, and holds them
at the system, where a child has none: in the child it would believe itself safe.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeAlias

from journal.errors import LogClosedError

if TYPE_CHECKING:
    from pathlib import Path

Identity: TypeAlias = tuple[int, int]
"""The device and the inode of a file."""

_OPEN: Final[dict[Identity, tuple[int, int]]] = {}
"""The files that are open: to the process that opened them, and how often."""
_CHANGING: Final = RLock()
"""Taken anew by the thread that has it where it collects garbage, in which a file was open."""


def register(identity: Identity, path: Path) -> None:
    """Note that the file is open.

    Raises:
        LogClosedError: that was inherited over a fork.
    """
    with _CHANGING:
        pid, count = _OPEN.get(identity, (os.getpid(), 0))
        if pid != os.getpid():
            raise LogClosedError(
                f"{path} was open when this process was forked, and cannot be opened safely here",
                hint="open the journal after the fork only, or start the process by spawn",
            )
        _OPEN[identity] = (pid, count + 1)


def unregister(identity: Identity) -> None:
    """Note that the file was closed once."""
    with _CHANGING:
        pid, count = _OPEN.get(identity, (0, 1))
        if count > 1:
            _OPEN[identity] = (pid, count - 1)
        else:
            _OPEN.pop(identity, None)
