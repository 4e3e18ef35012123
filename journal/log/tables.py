"""The tables of the stored format, in SQL: THEY STAY FOR EVER; a later format may add columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID: Final = 0x444A524E
"""``DJRN``: the mark in the header of a file that is a journal."""

FORMAT: Final = 1
"""The version of the stored format, kept in the header of the file."""

SCHEMA: Final = (
    """CREATE TABLE journal (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE entries (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        batch INTEGER NOT NULL,
        event_id TEXT NOT NULL UNIQUE,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        schema_version INTEGER NOT NULL,
        occurred_at INTEGER NOT NULL,
        clock_adjusted INTEGER NOT NULL,
        actor TEXT NOT NULL,
        origin TEXT NOT NULL,
        correlation_id TEXT,
        causation_id TEXT,
        reason TEXT,
        trace TEXT,
        data BLOB NOT NULL,
        previous_hash BLOB NOT NULL,
        hash BLOB NOT NULL,
        UNIQUE (stream, version)
    ) STRICT""",
    """CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
)


def fill(connection: sqlite3.Connection, journal_id: str) -> None:
    """Make the tables of a new journal, and mark its file as one."""
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO journal (key, value) VALUES ('journal_id', ?)", (journal_id,))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
