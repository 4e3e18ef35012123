"""The SQLite adapter: rows in a table of a file; the default."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from eventsourcing.persistence import IntegrityError

from journal.errors import LogCorruptError, LogUnavailableError
from journal.log.bell import Bell
from journal.log.chain import Head, Row, genesis, seal
from journal.log.lease import lost
from journal.log.recorder import RowRecorder, Unreadable, check_head
from journal.log.senders import DatabaseLeases, is_held
from journal.log.soundness import file_problems
from journal.log.tables import FORMAT
from journal.log.views import DatabaseViews

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from journal.log.chain import Unsealed
    from journal.log.database import Database
    from journal.log.lease import Fence

_COLUMNS: Final = ", ".join(Row._fields)
_INSERT: Final = f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
_MARKS: Final = {column: f"?{number}" for number, column in enumerate(Row._fields, 1)}
_PREVIOUS: Final = (
    "(SELECT e.hash FROM sqlite_sequence s JOIN entries e ON e.position = s.seq "  # noqa: S608
    f"WHERE s.name = 'entries' AND s.seq = {_MARKS['position']} - 1 "
    f"AND e.hash = {_MARKS['previous_hash']})"
)
_INSERT_ALONE: Final = "INSERT INTO entries ({}) VALUES ({})".format(  # noqa: S608
    _COLUMNS, ", ".join((_MARKS | {"previous_hash": _PREVIOUS}).values())
)
"""Inserts a row, and fails where the last row is not the one that it is chained to."""
_HEAD: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'entries'"
_LAST: Final = (
    "SELECT s.seq, e.hash, e.occurred_at FROM sqlite_sequence s "
    "LEFT JOIN entries e ON e.position = s.seq WHERE s.name = 'entries'"
)
_IN_ORDER: Final = "WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
_PAGE: Final = f"SELECT {_COLUMNS} FROM entries {_IN_ORDER}"  # noqa: S608
_CONTENTS: Final = f"SELECT {', '.join(Row._fields[:-2])} FROM entries {_IN_ORDER}"  # noqa: S608
_STREAM: Final = (
    f"SELECT {_COLUMNS} FROM entries "  # noqa: S608
    "WHERE stream = ? AND version > ? AND version <= ? ORDER BY version"
)
_BY_ID: Final = f"SELECT {_COLUMNS} FROM entries WHERE event_id = ?"  # noqa: S608
_HASH_AT: Final = "SELECT 1 FROM entries WHERE position = ? AND hash = ?"
_NOTHING: Final = (0, b"")
_FOREVER: Final = 2**63 - 1
_POLLS_S: Final = (0.001, 0.001, 0.002, 0.002, 0.005, 0.01, 0.02)
"""How long to wait between looks for another process's appends; the last one stays."""


class SQLiteRecorder(RowRecorder):
    """Keeps rows in a table of an SQLite file."""

    def __init__(self, database: Database) -> None:
        """Use the file, which is a journal.

        Raises:
            LogUnavailableError: a newer release wrote it.
        """
        self._database = database
        self._bell = Bell()
        self._views = DatabaseViews(database)
        self._leases = DatabaseLeases(database)
        try:
            with database.read() as connection:
                _check_format(connection, database)
                self.journal_id = _journal_id(connection)
        except BaseException:
            database.close()
            raise
        self._genesis = genesis(self.journal_id)
        self._head: Head | None = None
        self._seen = _NOTHING

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows after the last one, in one durable transaction, and return them.

        Raises:
            IntegrityError: a version of a stream, or an event id, is taken, or the last row is
                not at `head`; none was stored.
            LeaseLostError: another sender has taken the lease; none was stored.
            LogError: they could not be stored.
        """
        try:
            alone = self._inserted_alone(rows, fence) if head is None else []
            return alone or self._inserted(rows, head, fence)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(str(error)) from error
        finally:
            self._bell.ring()

    def _inserted_alone(self, rows: Sequence[Unsealed], fence: Fence | None) -> list[Row]:
        """Insert a single row without ``BEGIN``.

        Returns nothing, and has inserted nothing, where there are more rows, or where the row
        does not fit behind the head that this process knows.
        """
        if len(rows) > 1:
            return []
        try:
            return self._database.append_alone(
                lambda connection: self._insert(connection, rows, fence)
            )
        except sqlite3.IntegrityError:
            return []

    def _insert(
        self, connection: sqlite3.Connection, rows: Sequence[Unsealed], fence: Fence | None
    ) -> list[Row]:
        """Insert a single row behind the head that is known; the caller holds the lock."""
        sealed = self._sealed(connection, rows, fence)
        row = sealed[0]
        _check_kept(connection.execute(_INSERT_ALONE, row), sealed)
        self._head = Head(row.position, row.hash, row.occurred_at)
        self._seen = (row.position, row.hash)
        return sealed

    def _inserted(
        self, rows: Sequence[Unsealed], head: int | None, fence: Fence | None
    ) -> list[Row]:
        """Insert the rows in one transaction, behind the true head, which must be where it was."""
        with self._database.append() as connection:
            self._head = None
            sealed = self._sealed(connection, rows, fence)
            check_head(sealed[0].position - 1, head)
            _check_kept(connection.executemany(_INSERT, sealed), sealed)
        self._seen = (sealed[-1].position, sealed[-1].hash)
        return sealed

    def _sealed(
        self, connection: sqlite3.Connection, rows: Sequence[Unsealed], fence: Fence | None
    ) -> list[Row]:
        """Return the rows as they follow the head, which is read where it is not known.

        The caller holds the lock, without which no lease is taken (F1). No head is known from
        here on until a row is stored, so that nobody can chain to one that was not.
        """
        if fence is not None and not is_held(connection, fence):
            raise lost(fence)
        head, self._head = self._head, None
        if head is None or head.position < self._seen[0]:
            head = self._last(connection)
            self._check_seen(connection, head)
        return seal(head, rows)

    def _check_seen(self, connection: sqlite3.Connection, head: Head) -> None:
        """Refuse to append to another log than the one whose rows were seen last (C1).

        What was decided on them does not follow what is there now.

        Raises:
            IntegrityError: an older copy was put into the file while it was open.
        """
        position, seen = self._seen
        if not position or head[:2] == self._seen:
            return
        if connection.execute(_HASH_AT, (position, seen)).fetchone() is None:
            self._seen = _NOTHING
            self.histories += 1
            message = "an older copy was put into the file"
            raise IntegrityError(message)

    def _last(self, connection: sqlite3.Connection) -> Head:
        """Return the end of the log, which must be where the file says that it is."""
        found = connection.execute(_LAST).fetchone()
        if found is None:
            return Head(0, self._genesis, 0)
        position, last_hash, occurred_at = found
        if last_hash is None:
            raise LogCorruptError(position, "the last entries were removed from the file")
        return Head(position, last_hash, occurred_at)

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

    @property
    def views(self) -> DatabaseViews:
        """The place for the tables of projections: the same file."""
        return self._views

    @property
    def leases(self) -> DatabaseLeases:
        """Who may send: in the same file, and beside it."""
        return self._leases

    def close(self) -> None:
        """Close the file; a second time changes nothing."""
        self._database.close()
        self._bell.ring()


def _check_format(connection: sqlite3.Connection, database: Database) -> None:
    format_version = connection.execute("PRAGMA user_version").fetchone()[0]
    if format_version != FORMAT:
        raise LogUnavailableError(
            f"{database.path} is a journal of format {format_version}; this release reads {FORMAT}",
            hint="upgrade draft-journal",
        )


def _journal_id(connection: sqlite3.Connection) -> str:
    found = connection.execute("SELECT value FROM journal WHERE key = 'journal_id'").fetchone()
    if found is None:
        raise LogCorruptError(None, "the id of the journal is missing")
    journal_id: str = found[0]
    return journal_id


def _rows(found: list[tuple[object, ...]]) -> list[Row]:
    return list(map(Row._make, found))


def _text(stored: bytes) -> str | bytes:
    """Return the text, or the bytes where they are none."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _check_kept(done: sqlite3.Cursor, rows: Sequence[Row]) -> None:
    """Refuse to go on where a statement has stored fewer rows than it was given."""
    if done.rowcount != len(rows):
        raise LogCorruptError(rows[0].position, "the file does not keep what is written to it")


def _head(connection: sqlite3.Connection) -> int:
    found = connection.execute(_HEAD).fetchone()
    return found[0] if found else 0


def _data_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
