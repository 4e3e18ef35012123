"""Reads the rows of an SQLite file; it knows nothing of how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.errors import LogCorruptError
from journal.log.bell import Bell
from journal.log.chain import Row
from journal.log.recorder import RowRecorder, Unreadable
from journal.log.soundness import file_problems

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from threading import Event

    from journal.log.database import Database

COLUMNS: Final = ", ".join(Row._fields)
_HEAD: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'entries'"
_IN_ORDER: Final = "WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
_PAGE: Final = f"SELECT {COLUMNS} FROM entries {_IN_ORDER}"  # noqa: S608
_CONTENTS: Final = f"SELECT {', '.join(Row._fields[:-2])} FROM entries {_IN_ORDER}"  # noqa: S608
_STREAM: Final = (
    f"SELECT {COLUMNS} FROM entries "  # noqa: S608
    "WHERE stream = ? AND version > ? AND version <= ? ORDER BY version"
)
_BY_ID: Final = f"SELECT {COLUMNS} FROM entries WHERE event_id = ?"  # noqa: S608
NOTHING: Final = (0, b"")
"""Seen of an empty log: the position and the hash of its last row."""
_FOREVER: Final = 2**63 - 1
_POLLS_S: Final = (0.001, 0.001, 0.002, 0.002, 0.005, 0.01, 0.02)
"""How long to wait between looks for another process's appends; the last one stays."""


class RowReader(RowRecorder):
    """Reads rows from a table of an SQLite file."""

    def __init__(self, database: Database) -> None:
        """Read that file."""
        self._database = database
        self._bell = Bell()
        self._seen = NOTHING

    def rows(self, after: int, limit: int, until: int | None = None) -> list[Row]:
        """Return at most `limit` rows in order, after one position and up to another."""
        stop = _FOREVER if until is None else until
        return _rows(self._database.select(_PAGE, (after, stop, limit)))

    def contents(
        self, after: int, limit: int, until: int | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """Return what `rows` does, without the hashes: no entry is made of them."""
        stop = _FOREVER if until is None else until
        return self._database.select(_CONTENTS, (after, stop, limit))

    def stream_rows(
        self, stream: str, after: int, until: int | None, limit: int | None, *, newest: bool
    ) -> list[Row]:
        """Return the rows of a stream after a version and up to another, oldest or newest first."""
        statement = f"{_STREAM} {'DESC' if newest else 'ASC'} LIMIT ?"
        stop = _FOREVER if until is None else until
        most = -1 if limit is None else limit
        rows = _rows(self._database.select(statement, (str(stream), after, stop, most)))
        for row in rows[-1:]:
            if row.position > self._seen[0]:
                self._seen = (row.position, row.hash)
        return rows

    def row_of(self, event_id: str) -> Row | None:
        """Return the row with that event id."""
        return next(iter(_rows(self._database.select(_BY_ID, (event_id,)))), None)

    def head(self) -> int:
        """Return the position of the last row; 0 where there is none."""
        with self._database.read() as connection:
            return _head(connection)

    def wait(self, after: int, timeout_s: float, interrupt: Event | None = None) -> int:
        """Return the head as soon as it is beyond `after`, or at the latest after the timeout.

        An append in this process ends the wait at once; one in another process when its
        commit is seen in ``PRAGMA data_version``, within 20 ms.
        """
        waited_s = 0.0
        polls = 0
        with self._bell.listen() as rung, self._database.read() as connection:
            seen = _data_version(connection)
            head = _head(connection)
            while head <= after and waited_s < timeout_s:
                if interrupt is not None and interrupt.is_set():
                    break
                poll_s = min(_POLLS_S[min(polls, len(_POLLS_S) - 1)], timeout_s - waited_s)
                was_rung = rung.wait(poll_s)
                self._database.check_usable()
                waited_s += poll_s
                polls += 1
                version = _data_version(connection)
                if was_rung or version != seen:
                    rung.clear()
                    seen = version
                    head = _head(connection)
        return head

    def problems(self) -> list[str]:
        """Return what is wrong with the file itself, whatever is in it."""
        with self._database.snapshot() as connection:
            problems = list(file_problems(connection))
        if loss := self._database.loss():
            problems.insert(0, loss)
        return problems

    def last(self) -> int:
        """Return the position of the last row that is there, whatever the file counts."""
        (found,) = self._database.select("SELECT max(position) FROM entries")
        return found[0] or 0

    def readable(self, after: int, until: int) -> list[Row | Unreadable]:
        """Return the rows between two positions, with bytes in the place of damaged texts."""
        try:
            return [*self._raw(after, until)]
        except LogCorruptError as error:
            if until - after == 1:
                return [Unreadable(until, error.problem)]
            return [row for at in range(after, until) for row in self.readable(at, at + 1)]

    def _raw(self, after: int, until: int) -> list[Row]:
        with self._database.read() as connection:
            connection.text_factory = _text
            try:
                return _rows(connection.execute(_PAGE, (after, until, -1)).fetchall())
            finally:
                connection.text_factory = str


def _rows(found: list[tuple[object, ...]]) -> list[Row]:
    return list(map(Row._make, found))


def _text(stored: bytes) -> str | bytes:
    """Return the text, or the bytes where they are none."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _head(connection: sqlite3.Connection) -> int:
    found = connection.execute(_HEAD).fetchone()
    return found[0] if found else 0


def _data_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
