"""The place of a journal's file: what stands there, and whether it may be used as a journal.

Everything here happens before anything is written, or opened in a way that leaves a trace: a
file that is no journal is left as it is, with nothing beside it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from journal.errors import (
    LogFullError,
    LogMissingError,
    LogUnavailableError,
    WrongFileError,
    shown,
)
from journal.log.beside import beside, check_not_emptied, check_not_left
from journal.log.tables import APPLICATION_ID

if TYPE_CHECKING:
    from journal.log.registry import Identity

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_MAKING: Final = Lock()


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return the path from the root, so that it stays the same wherever the process goes.

    Raises:
        WrongFileError: it is no path.
        LogUnavailableError: there can be no such path.
    """
    text: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise WrongFileError(
            f"a journal's path is a text or a Path, not {shown(repr(path))}",
            hint="name a file; os.fsdecode() makes a text of bytes",
        )
    try:
        return Path(os.path.abspath(text))  # noqa: PTH100  a link is refused, not followed
    except (OSError, ValueError) as error:
        raise unopened(Path(text), error) from error


def claimed(path: Path, *, create: bool) -> Identity:
    """Return the device and the inode of the file, made for this user alone if it is not there.

    Args:
        path: of the file.
        create: whether a file that is not there is made.

    Raises:
        LogMissingError: there is none, and none is to be made.
        WrongFileError: what is there is no ordinary file, or its place is not safe.
        LogUnavailableError: it cannot be opened.
    """
    try:
        check_not_left(path)
        if not create and not os.path.lexists(path):
            raise LogMissingError(str(path))
        _check_place(path)
        with _MAKING:
            if create and not path.exists():
                _make(path)
        found = path.stat()
    except (OSError, ValueError) as error:
        raise unopened(path, error) from error
    return found.st_dev, found.st_ino


def look(path: Path, *, create: bool) -> None:
    """Look into the file, before anything is made beside it.

    Raises:
        LogMissingError: nothing is in it yet, and no journal is to be made.
        WrongFileError: it is the file of another application, or no SQLite file.
        LogUnavailableError: a journal was in it, or it cannot be opened.
    """
    try:
        is_empty = path.stat().st_size == 0
        if not is_empty and not _is_journal(path):
            check_not_emptied(path)
            is_empty = True
    except OSError as error:
        raise unopened(path, error) from error
    if is_empty and not create:
        raise LogMissingError(str(path))


def _check_place(path: Path) -> None:
    """Refuse what is no file of its own, and a folder in which anybody could replace it."""
    found = path.lstat() if os.path.lexists(path) else None
    mode = stat.S_IFREG if found is None else found.st_mode
    if stat.S_ISLNK(mode):
        raise WrongFileError(f"{path} is a symbolic link", hint="name the file that it leads to")
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "no ordinary file")
        raise WrongFileError(
            f"{path} is {kind}: it cannot hold a journal", hint="name an ordinary file"
        )
    if found is not None and found.st_nlink > 1:
        raise WrongFileError(
            f"{path} is a hard link: the same file has {found.st_nlink} names, and each of them "
            "would have a -wal of its own",
            hint="remove the other names; or make a file of its own, under a new name, by "
            "SQLite's backup",
        )
    mode = path.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise WrongFileError(
            f"everybody may replace files in the folder of {path}",
            hint="take the write permission of others away: chmod o-w",
        )


def _make(path: Path) -> None:
    """Create the file, unless another process was faster.

    A file that is there is not opened: to close any descriptor of it would drop the locks that
    SQLite holds on it in this process (``fcntl``), and others would take it for unused.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def _is_journal(path: Path) -> bool:
    """Say whether the file has the mark of a journal; False where it is as good as empty.

    True, too, where only opening it for writing will tell. A connection that may only read
    neither writes nor checkpoints; where there is no WAL, it need not make an index of one.
    While another process makes the journal, its pages may be half written.
    """
    if beside(path, "-journal").exists():
        return True
    mode = "mode=ro" if beside(path, "-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=0)) as reader:
            return is_marked(reader, path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
            raise no_journal(path, error) from error
        return True


def is_marked(connection: sqlite3.Connection, path: Path) -> bool:
    """Say whether the file has the mark of a journal; False where there is nothing in it yet.

    Raises:
        WrongFileError: it is the file of another application.
    """
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    if mark != APPLICATION_ID and (mark or _has_tables(connection)):
        raise WrongFileError(
            f"{path} is an SQLite file of another application",
            hint="name another file; a journal creates its own",
        )
    return bool(mark)


def _has_tables(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()
    return bool(found[0])


def no_journal(path: Path | str, error: Exception) -> WrongFileError:
    """Return the error for a file that is no SQLite file."""
    return WrongFileError(f"{path} is no journal: {error}", hint="name another file")


def unopened(path: Path, error: Exception) -> LogUnavailableError | LogFullError:
    """Return our error for one of the system's, met at opening."""
    if getattr(error, "errno", None) in {ENOSPC, EDQUOT}:
        return LogFullError(
            f"no space left on the disk of {path}: what is stored is safe",
            hint="free some space and try again",
        )
    return LogUnavailableError(
        f"{shown(str(path), 200)} cannot be opened: {getattr(error, 'strerror', None) or error}",
        hint="check that its folder exists and may be written to",
    )
