"""A journal that may only be read: on a read-only disk, or a file or folder of somebody else's.

Nothing is made beside it, not even a lock: a file of ours there could keep its owner from
opening it. So what SQLite could not read without writing is refused.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from journal.errors import LogUnavailableError
from journal.log.beside import beside

if TYPE_CHECKING:
    from pathlib import Path

_WRITTEN: Final = ("-wal", "-shm", "-lock")
"""The files beside the journal's that whoever opens it writes to, or makes."""


def may_write(path: Path) -> bool:
    """Say whether the file and those beside it may be written to, or made."""
    files = [beside(path, end) for end in _WRITTEN]
    return all(
        os.access(file if file.exists() else file.parent, os.W_OK) for file in (path, *files)
    )


def unwritable(path: Path, hint: str = "") -> LogUnavailableError:
    """Return the error of whoever would write to a journal that may only be read."""
    return LogUnavailableError(
        f"{path} may only be read",
        hint=hint or "check the permissions of the file, of its folder and of what is beside it",
    )


class ReadOnly:
    """How the file is opened to be read, and whether it is still what was opened."""

    def __init__(self, path: Path) -> None:
        """Look at what is there.

        Raises:
            LogUnavailableError: its newest entries could only be read by who may write.
            OSError: it cannot be looked at.
        """
        self._path = path
        wal = beside(path, "-wal")
        self._is_shared = wal.exists() and wal.stat().st_size > 0
        if self._is_shared and not beside(path, "-shm").exists():
            raise LogUnavailableError(
                f"{path} may only be read, and its newest entries are still in {wal.name}",
                hint="copy both to where you may write; or let somebody who may write to it "
                "open it and close it once",
            )
        self._seen = self._look()

    @property
    def mode(self) -> str:
        """The parameters of SQLite's URI: where there is no WAL, nobody must write meanwhile."""
        return "mode=ro" if self._is_shared else "mode=ro&immutable=1"

    def check(self) -> None:
        """Refuse to read on where somebody has begun to write.

        Raises:
            LogUnavailableError: somebody has.
        """
        if not self._is_shared and self._look() != self._seen:
            raise LogUnavailableError(
                f"{self._path} may only be read, and has been written to since it was opened",
                hint="open it again",
            )

    def _look(self) -> tuple[int, ...]:
        found = self._path.stat()
        wal = beside(self._path, "-wal")
        size = wal.stat().st_size if wal.exists() else 0
        return found.st_ino, found.st_size, found.st_mtime_ns, size
