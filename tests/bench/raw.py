"""The limit: `sqlite3` with ready rows, the log's schema, its pragmas and its statement cache."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from journal.log import Row
from journal.log.tables import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ", ".join(Row._fields)
INSERT = f"INSERT INTO entries ({COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
SELECT = f"SELECT {COLUMNS} FROM entries ORDER BY position"  # noqa: S608
PAGE = f"SELECT {COLUMNS} FROM entries WHERE position > ? ORDER BY position LIMIT ?"  # noqa: S608
DATA = Row._fields.index("data")
STREAM = Row._fields.index("stream")


def connected(path: Path, synchronous: str = "FULL") -> sqlite3.Connection:
    """Open a file as a journal does."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "mmap_size=0",
        "cell_size_check=ON",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def created(path: Path) -> sqlite3.Connection:
    """Make a file with the tables of a log."""
    connection = connected(path)
    for statement in SCHEMA:
        connection.execute(statement)
    return connection
