"""What is wrong with a journal's file itself, whatever its entries say.

It looks for what the chain of hashes does not cover: the tables and their indexes, the triggers
that keep the log append-only, and the file's own count of its entries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from journal.log.tables import SCHEMA

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_MOST: Final = 5
"""How much of SQLite's own report is told: it may name every page of the file."""
_TRIGGERS: Final = (
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' "
    "AND tbl_name IN ('entries', 'journal') ORDER BY name"
)
_COUNTED: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'entries'"
_BEYOND: Final = "SELECT count(*), max(position) FROM entries WHERE position > ?"
_LAST: Final = "SELECT max(position) FROM entries"
_COLUMN_ADDED: Final = re.compile(r", [a-z_]+ (?:TEXT|INTEGER|BLOB)")
"""As ``ALTER TABLE ADD COLUMN`` writes it, behind the last column: null in all older rows."""


def file_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong with the file."""
    yield from _reported([row[0] for row in connection.execute("PRAGMA integrity_check")])
    yield from _definition_problems(connection)
    counted = _one(connection, _COUNTED)
    beyond, last = connection.execute(_BEYOND, (counted,)).fetchone()
    if beyond:
        yield (
            f"the file counts entries up to {counted}; {beyond} beyond it, up to position {last}, "
            "were never counted by the file"
        )
    elif (end := _one(connection, _LAST)) < counted:
        yield f"entries {end + 1} to {counted} were removed from the end of the log"


def is_as_made(stored: str, made: str, format_version: int) -> bool:
    """Say whether a definition in the file is that of the tables that it was made with.

    Args:
        stored: the definition in the file.
        made: what the file was made with, in format 1.
        format_version: of the file; a later one may have added columns to the table.
    """
    if stored == made:
        return True
    head, end, tail = made.rpartition("hash BLOB NOT NULL")
    if format_version < 2 or not end or not stored.startswith(head + end):  # noqa: PLR2004
        return False
    added = stored[len(head + end) :].removesuffix(tail)
    return stored.endswith(tail) and _COLUMN_ADDED.sub("", added) == ""


def _definition_problems(connection: sqlite3.Connection) -> Iterator[str]:
    format_version = _one(connection, "PRAGMA user_version")
    defined = [row[0] for row in connection.execute("SELECT sql FROM sqlite_schema") if row[0]]
    for statement in SCHEMA:
        if not any(is_as_made(stored, statement, format_version) for stored in defined):
            first = statement.partition("\n")[0]
            yield f"this was taken from the file, or changed: {first}"
    for name, statement in connection.execute(_TRIGGERS).fetchall():
        if statement not in SCHEMA:
            yield f"the trigger {name} was added to the file"


def _reported(found: list[str]) -> Iterator[str]:
    """Yield the beginning of what SQLite says, which is one text or many, of many lines each."""
    if found == ["ok"]:
        return
    lines = [line for text in found for line in text.splitlines() if not line.startswith("***")]
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"SQLite's integrity_check says this of {len(lines) - _MOST} more places"


def _one(connection: sqlite3.Connection, statement: str) -> int:
    found = connection.execute(statement).fetchone()
    return 0 if found is None or found[0] is None else int(found[0])
