"""What SQLite says when it fails, and what we say instead; it knows nothing of connections."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from journal.errors import (
    LogBusyError,
    LogCorruptError,
    LogError,
    LogFullError,
    LogUnavailableError,
)
from journal.log.place import no_journal

if TYPE_CHECKING:
    from pathlib import Path

APPEND: Final = "nothing of this append was stored"
VIEWS: Final = "the views could not be brought up to date, and the log itself is safe"
SAFE: Final = "the log itself is safe"

_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_MISSING: Final = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA})
_READ_ONLY: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
FATAL: Final = _CORRUPT | {sqlite3.SQLITE_IOERR}
"""After these, the file must be looked at anew."""


def is_refused(error: sqlite3.Error) -> bool:
    """Say whether a statement was refused, such as one that names a table that is not there.

    Where other tables are made while it looks, and again while it looks once more, SQLite says
    that the schema has changed, of a table that is not there, too.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    is_missing = str(error).startswith("no such") and code & 0xFF in _MISSING
    return is_missing or code == sqlite3.SQLITE_ERROR


def translate(error: sqlite3.Error, path: Path | str, left: str = SAFE) -> LogError:
    """Return our error for one of SQLite's.

    Args:
        error: SQLite's.
        path: of the file.
        left: what a full disk leaves behind.
    """
    full_code = getattr(error, "sqlite_errorcode", 0)
    code = full_code & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return no_journal(path, error)
    if str(error).startswith("no such") and is_refused(error):
        return LogCorruptError(None, f"{path} has {error}")  # such as: no such table: entries
    if code in _CORRUPT or str(error).startswith("Could not decode"):
        return LogCorruptError(None, f"{path}: {error}")
    if code in _BUSY:
        return LogBusyError(
            f"{path} is in use by another process: {error}",
            hint="try again, and look for a process that holds it",
        )
    if code == sqlite3.SQLITE_FULL or full_code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return LogFullError(
            f"no space left on the disk of {path}: {left}", hint="free some space and try again"
        )
    if code in _READ_ONLY:
        return LogUnavailableError(f"{path} cannot be written to", hint="check its permissions")
    return LogUnavailableError(
        f"{path}: {error}", hint="check the disk and the permissions, and open it again"
    )
