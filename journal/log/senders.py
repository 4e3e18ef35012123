"""Who may send, in SQLite: a row in the journal's file, and a lock on a file beside it.

The row says who took the lease last, and is gone where an older copy of the file is put back; the
file beside it remembers the epoch then, and the system says by its lock whether the holder lives.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from journal.log.failures import is_refused
from journal.log.filelock import FileLock
from journal.log.lease import Fence, Holding, Taken, holding_of

if TYPE_CHECKING:
    from journal.log.database import Database
    from journal.log.lease import Claim

_CREATE: Final = """CREATE TABLE IF NOT EXISTS senders (
    queue TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    token TEXT NOT NULL,
    name TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    lease_s REAL NOT NULL,
    renewed_s REAL NOT NULL,
    renewals INTEGER NOT NULL
) STRICT, WITHOUT ROWID"""
_FIND: Final = (
    "SELECT queue, epoch, token, name, taken_at, lease_s, renewed_s, renewals "
    "FROM senders WHERE queue = ?"
)
_TAKE: Final = "INSERT OR REPLACE INTO senders VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_RENEW: Final = (
    "UPDATE senders SET renewals = renewals + 1, renewed_s = ? "
    "WHERE queue = ? AND epoch = ? AND token = ?"
)
_CHECK: Final = "SELECT 1 FROM senders WHERE queue = ? AND epoch = ? AND token = ?"


class DatabaseLeases:
    """Leases as rows in the journal's file, each with a lock on a file beside it."""

    def __init__(self, database: Database) -> None:
        """Keep them in that file, and beside it."""
        self._database = database
        self._locks: dict[str, FileLock] = {}

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        """Take the lease; None where its holder lives, or has shown a sign of life since."""
        lock: FileLock | None = None
        if instead_of is None:
            lock = self._locked(claim.queue)  # first, so that who stands by holds up no writer
            if lock is None:
                return None
        try:
            with self._database.write_views() as connection:
                connection.execute(_CREATE)
                found = _found(connection, claim.queue)
                if lock is None and found == instead_of:
                    lock = self._put_in_place(claim.queue)
                if lock is None:
                    return None
                if not lock.is_in_place:  # another file was put there since it was opened
                    lock.close()
                    return None
                known, noted = (0 if found is None else found.epoch), _noted(lock)
                fence = Fence(claim.queue, max(known, noted) + 1, claim.token)
                connection.execute(_TAKE, holding_of(fence, claim))
            # Noted only once it is stored: who dies in between has sent nothing.
            lock.note(f"{fence.epoch} {claim.name}\n")
        except BaseException:
            if lock is not None:
                lock.close()
            raise
        self._locks[claim.token] = lock
        return Taken(fence, max(noted - known, 0))

    def renew(self, fence: Fence, now_s: float) -> bool:
        """Show a sign of life; say whether the lease is still held."""
        with self._database.write_views() as connection:
            return is_held(connection, fence) and (
                connection.execute(_RENEW, (now_s, *fence)).rowcount == 1
            )

    def release(self, fence: Fence) -> None:
        """Let anybody take the lease; a second time changes nothing."""
        lock = self._locks.pop(fence.token, None)
        if lock is not None:
            lock.close()

    def last(self, queue: str) -> Holding | None:
        """Return who took the lease last, dead or alive."""
        with self._database.read() as connection:
            return _found(connection, queue)

    def holder(self, queue: str) -> Holding | None:
        """Return who has the lease now; None where nobody that lives has it."""
        if not self._path(queue).exists():
            return None
        with self._database.locked():  # so that nobody who takes it meets this look at it
            lock = self._locked(queue)
            if lock is not None:
                lock.close()
                return None
        return self.last(queue)

    def _path(self, queue: str) -> Path:
        return Path(f"{self._database.path}-sender" + ("" if queue == "default" else f"-{queue}"))

    def _locked(self, queue: str) -> FileLock | None:
        """Return the lock on the file beside the journal's; None where another has it."""
        lock = FileLock(self._path(queue), 0.0)
        if lock.attempt():
            return lock
        lock.close()
        return None

    def _put_in_place(self, queue: str) -> FileLock | None:
        """Put another file in the place of one whose lock is held, and return the lock on it.

        Whoever looks from now on finds this one; the lock of the other is on a file that nobody
        can find. Nobody else does so at the same time, for that needs the database's lock.
        """
        path = self._path(queue)
        epoch = path.read_text(encoding="utf-8", errors="replace").partition(" ")[0]
        lock = FileLock(Path(f"{path}-new"), 0.0)
        try:
            if lock.attempt():
                lock.note(f"{epoch} nobody\n")
                os.replace(lock.path, path)  # noqa: PTH105  as everywhere here
                lock.path = path
                return lock
        except OSError:  # pragma: no cover  where a file that is open cannot be replaced
            pass
        lock.close()
        return None


def is_held(connection: sqlite3.Connection, fence: Fence) -> bool:
    """Say whether that fence holds the lease; the caller holds the database's lock (F1)."""
    try:
        return connection.execute(_CHECK, fence).fetchone() is not None
    except sqlite3.OperationalError as error:
        if not is_refused(error):
            raise
        return False  # the table is gone: an older copy of the file was put back


def _found(connection: sqlite3.Connection, queue: str) -> Holding | None:
    try:
        found = connection.execute(_FIND, (queue,)).fetchone()
    except sqlite3.OperationalError as error:
        if not is_refused(error):
            raise
        return None  # nobody has ever sent from this file
    return None if found is None else Holding(*found)


def _noted(lock: FileLock) -> int:
    """Return the epoch that the file beside the journal's remembers; 0 where it does not."""
    text = lock.noted().partition(" ")[0]
    return int(text) if text.isascii() and text.isdigit() else 0
