"""The SQLite adapter: rows in a table of a file; the default."""

from __future__ import annotations

import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Final

from eventsourcing.persistence import IntegrityError

from journal.errors import LogCorruptError, LogUnavailableError
from journal.log.chain import Head, Row, genesis, seal
from journal.log.lease import MemoryLeases, lost
from journal.log.recorder import check_head
from journal.log.rows import COLUMNS, NOTHING, RowReader
from journal.log.senders import DatabaseLeases, is_held
from journal.log.tables import FORMAT
from journal.log.views import DatabaseViews, MemoryViews

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.log.chain import Unsealed
    from journal.log.database import Database
    from journal.log.lease import Fence, Leases
    from journal.log.views import Views

_INSERT: Final = f"INSERT INTO entries ({COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
_MARKS: Final = {column: f"?{number}" for number, column in enumerate(Row._fields, 1)}
_PREVIOUS: Final = (
    "(SELECT e.hash FROM sqlite_sequence s JOIN entries e ON e.position = s.seq "  # noqa: S608
    f"WHERE s.name = 'entries' AND s.seq = {_MARKS['position']} - 1 "
    f"AND e.hash = {_MARKS['previous_hash']})"
)
_INSERT_ALONE: Final = "INSERT INTO entries ({}) VALUES ({})".format(  # noqa: S608
    COLUMNS, ", ".join((_MARKS | {"previous_hash": _PREVIOUS}).values())
)
"""Inserts a row, and fails where the last row is not the one that it is chained to."""
_LAST: Final = (
    "SELECT s.seq, e.hash, e.occurred_at FROM sqlite_sequence s "
    "LEFT JOIN entries e ON e.position = s.seq WHERE s.name = 'entries'"
)
_HASH_AT: Final = "SELECT 1 FROM entries WHERE position = ? AND hash = ?"


class SQLiteRecorder(RowReader):
    """Keeps rows in a table of an SQLite file."""

    def __init__(self, database: Database) -> None:
        """Use the file, which is a journal.

        Raises:
            LogUnavailableError: a newer release wrote it.
        """
        super().__init__(database)
        self.path = database.path
        self._views: Views = DatabaseViews(database)
        self._leases: Leases = DatabaseLeases(database)
        if database.is_read_only:  # the views are made in memory, and nobody can send
            self._views, self._leases = MemoryViews(), MemoryLeases(Lock())
        try:
            with database.read() as connection:
                _check_format(connection, database)
                self.journal_id = _journal_id(connection)
        except BaseException:
            database.close()
            raise
        self._genesis = genesis(self.journal_id)
        self._head: Head | None = None

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
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise IntegrityError(str(error)) from error
            raise _refused(error) from error
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
                lambda connection: self._insert(connection, rows, fence),
                by_sender=fence is not None,
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
        with self._database.append(by_sender=fence is not None) as connection:
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
            self._seen = NOTHING
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

    @property
    def views(self) -> Views:
        """The place for the tables of projections: the same file, where it may be written to."""
        return self._views

    @property
    def leases(self) -> Leases:
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


def _refused(error: sqlite3.IntegrityError) -> LogCorruptError:
    """Return our error where it is the file that refuses a row, whatever is in the row."""
    if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
        return LogCorruptError(None, "there are entries that the file has not counted")
    return LogCorruptError(None, f"the file refuses what is written to it: {error}")


def _check_kept(done: sqlite3.Cursor, rows: Sequence[Row]) -> None:
    """Refuse to go on where a statement has stored fewer rows than it was given."""
    if done.rowcount != len(rows):
        raise LogCorruptError(rows[0].position, "the file does not keep what is written to it")
