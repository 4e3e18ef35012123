"""What a projection may do while it applies entries, kept by SQLite's authorizer.

SQLite asks when a statement is prepared, not when it is run, so it costs a catch-up nothing;
and a statement that is kept prepared is not asked for again, so each projection has a
connection of its own. It guards against mistakes, not against whoever means harm.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from journal.errors import ViewError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SCHEMA: Final = frozenset({"sqlite_master", "sqlite_temp_master"})
"""Written to whenever a table or an index is made, which is asked for, too; SQLite itself refuses
to let anybody write there directly."""
_READING: Final = frozenset(
    {
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_REINDEX,
    }
)
_ROWS: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_INDEXES: Final = frozenset({sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_DROP_INDEX})
_TABLES: Final = {
    sqlite3.SQLITE_CREATE_TABLE: "make the table {0}",
    sqlite3.SQLITE_CREATE_TEMP_TABLE: "make the table {0}",
    sqlite3.SQLITE_DROP_TABLE: "drop the table {0}",
    sqlite3.SQLITE_ALTER_TABLE: "alter the table {1}",
    sqlite3.SQLITE_CREATE_TRIGGER: "make a trigger on the table {1}",
    sqlite3.SQLITE_TRANSACTION: "begin or end a transaction ({0})",
    sqlite3.SQLITE_PRAGMA: "set the pragma {0}",
}
_QUESTIONS: Final = frozenset({"table_info", "table_xinfo", "index_list", "index_info"})
"""Pragmas whose argument sets nothing."""


class Guard:
    """Watches over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Let everything pass until `only` is entered."""
        self._tables: Collection[str] | None = None
        self._refused = ""
        connection.set_authorizer(self._answer)

    @contextmanager
    def only(self, name: str, tables: Collection[str]) -> Iterator[None]:
        """Let the projection with that name write to these tables only, in the block.

        Raises:
            ViewError: it tried to do more.
        """
        self._tables, self._refused = tables, ""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if self._refused and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_AUTH:
                raise ViewError(
                    f"the projection {name} may not {self._refused}: it writes only to its own "
                    f"tables, {', '.join(sorted(tables))}",
                    hint="mend its apply(); the log and the other views are untouched",
                ) from error
            raise
        finally:
            self.lift()

    def lift(self) -> None:
        """Let everything pass, also where an interrupt came while `only` was left."""
        self._tables = None

    def _answer(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if self._tables is None or action in _READING or self._is_own(action, first, second):
            return sqlite3.SQLITE_OK
        self._refused = _described(action, first, second)
        return sqlite3.SQLITE_DENY

    def _is_own(self, action: int, first: str | None, second: str | None) -> bool:
        tables = self._tables or ()
        if action in _ROWS:
            return first in tables or first in _SCHEMA
        if action in _INDEXES:
            return second in tables
        is_question = second is None or first in _QUESTIONS
        return action == sqlite3.SQLITE_PRAGMA and is_question


def _described(action: int, first: str | None, second: str | None) -> str:
    """Return what was refused, to follow 'may not'."""
    if action in _ROWS:
        return f"write to the table {first}"
    if action in _INDEXES:
        return f"make or drop an index of the table {second}"
    return _TABLES.get(action, "run such a statement").format(first, second)
