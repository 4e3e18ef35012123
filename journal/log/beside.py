"""The files beside a journal's file, and what it says where one of them is missing or is left.

The newest entries are in ``-wal`` until SQLite moves them. Where it is lost they are, and what
is left looks like a sound, older journal, or an empty file; where it stands beside a file that
is empty, SQLite deletes it. So whatever does not fit together is refused, before SQLite sees it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from journal.errors import LogUnavailableError
from journal.log.chain import genesis

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAL: Final = "-wal"
_PAGE: Final = 1 << 20
_WAL_MODE: Final = b"\x02\x02"
"""The read and write version in the header of a file that is in WAL mode."""
_LAST_HASH: Final = "SELECT hash FROM entries ORDER BY position DESC LIMIT 1"
_JOURNAL_ID: Final = "SELECT value FROM journal WHERE key = 'journal_id'"


def beside(path: Path, end: str) -> Path:
    """Return the path of the file beside the journal's whose name ends so."""
    return Path(f"{path}{end}")


def check_not_left(path: Path) -> None:
    """Refuse a file that is missing or empty, while entries that belong to one are beside it.

    Another process may make the journal meanwhile: then the file is no longer empty.

    Raises:
        LogUnavailableError: there are such entries.
        OSError: it cannot be looked at.
    """
    wal = beside(path, _WAL)
    if _size(path) == 0 and _size(wal) > 0 and _size(path) == 0:
        raise LogUnavailableError(
            f"{path} is {'empty' if path.exists() else 'not there'}, and {wal.name} beside it "
            "holds entries of a journal",
            hint="put the journal's own file back beside it, under the same name; or move "
            f"{wal.name} away, if a new journal is wanted",
        )


def check_not_emptied(path: Path) -> None:
    """Refuse a file with no table in it that was in use: what was in it is, or was, in its WAL.

    A journal's file has its tables before it is in WAL mode. The file must not be a journal's
    that this process has open, whose locks this would drop.

    Raises:
        LogUnavailableError: it is such a file.
        OSError: it cannot be looked at.
    """
    with path.open("rb") as file:
        is_in_use = file.read(20)[18:] == _WAL_MODE
    if is_in_use:
        raise LogUnavailableError(
            f"{path} is empty, but was in use: what was in it is in a file that ended in -wal",
            hint=f"put that file beside it as {path.name}{_WAL}, or name another file",
        )


def check_whole(path: Path) -> None:
    """Refuse a journal whose ``-wal`` was lost or left elsewhere; the caller holds its lock.

    Raises:
        LogUnavailableError: it was.
    """
    if beside(path, _WAL).exists():
        return
    if beside(path, "-shm").exists():  # SQLite makes it after the other, and removes it before
        raise LogUnavailableError(
            f"{path.name}-shm is beside {path}, but not {path.name}{_WAL}, which may hold the "
            "newest entries",
            hint=f"put {path.name}{_WAL} back; or remove {path.name}-shm, if it is left of an "
            "older file, or to go on without those entries",
        )
    for left in _left_behind(path):
        raise LogUnavailableError(
            f"{path} was moved without {left.name}, which holds its newest entries",
            hint=f"rename {left.name} to {path.name}{_WAL}, and verify; or move it to another "
            f"folder, if {path.name} is a copy",
        )


def _left_behind(path: Path) -> Iterator[Path]:
    """Yield the files in the same folder that hold entries which follow the journal's last one.

    Every entry holds the hash of the one before it.
    """
    alone: list[Path] = []
    with suppress(OSError), os.scandir(path.parent) as found:
        alone += [Path(file.path) for file in found if file.name.endswith(_WAL)]
    alone = [file for file in alone if not Path(str(file).removesuffix(_WAL)).exists()]
    last = _last_hash(path) if alone else b""
    if last:
        yield from (file for file in alone if _holds(file, last))


def _last_hash(path: Path) -> bytes:
    """Return the hash that the next entry holds; nothing where the file cannot tell."""
    with (
        suppress(sqlite3.Error, TypeError),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection,
    ):
        found = connection.execute(_LAST_HASH).fetchone()
        if found is None:
            return genesis(connection.execute(_JOURNAL_ID).fetchone()[0])
        return bytes(found[0])
    return b""


def _holds(file: Path, sought: bytes) -> bool:
    with suppress(OSError), file.open("rb") as stream:
        before = b""
        while page := stream.read(_PAGE):
            if sought in before + page:
                return True
            before = page[-len(sought) :]
    return False


def _size(path: Path) -> int:
    """Return the size of the file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
