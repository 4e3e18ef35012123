"""Who may send: a lease for each queue, fenced by an epoch; the port, and its adapters.

It knows nothing of what is sent, nor of when a lease should be taken from somebody.

- F1. What is appended with a fence is stored only while the lease is held by that fence: that is
  looked at under the lock under which it is stored.
- F2. A fence that was replaced is never valid again: the epoch rises with every taking, and the
  token of a holder is never made twice, so that not even a restored file makes an old one valid.
- F3. The lease of a holder that has died is free at once: the system releases its lock.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from journal.errors import LeaseLostError
from journal.log.filelock import FileLock

if TYPE_CHECKING:
    from threading import Lock

    from journal.log.database import Database

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


class Fence(NamedTuple):
    """What a sender shows with everything that it appends."""

    queue: str
    epoch: int
    """How often the lease of the queue was taken; it only rises."""
    token: str
    """Made for this taking, and for no other."""


class Claim(NamedTuple):
    """Who wants to have the lease of a queue."""

    queue: str
    token: str
    name: str
    """Who that is, for people."""
    taken_at: int
    """Microseconds since 1970 in UTC, for people."""
    lease_s: float
    """How long it may show no sign of life before the lease is taken from it."""
    renewed_s: float
    """The monotonic clock of the machine."""


class Holding(NamedTuple):
    """Who has the lease of a queue."""

    queue: str
    epoch: int
    token: str
    name: str
    taken_at: int
    lease_s: float
    renewed_s: float
    renewals: int
    """Signs of life: how often it was renewed."""

    @property
    def fence(self) -> Fence:
        """What the holder shows."""
        return Fence(self.queue, self.epoch, self.token)


class Taken(NamedTuple):
    """A lease that was taken."""

    fence: Fence
    skipped: int = 0
    """How many epochs the journal's file has forgotten: it is an older copy that was put back."""


class Leases(Protocol):
    """Where the leases of a journal are kept."""

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        """Take the lease where its holder has died, or nobody had it; None where one lives.

        Args:
            claim: who takes it.
            instead_of: a holder that lives, to take it from, provided that it has shown no sign
                of life since.

        Raises:
            LogError: the lease could not be read or written.
        """
        ...

    def renew(self, fence: Fence, now_s: float) -> bool:
        """Show a sign of life; say whether the lease is still held.

        Raises:
            LogError: the lease could not be read or written.
        """
        ...

    def release(self, fence: Fence) -> None:
        """Let anybody take the lease; a second time changes nothing."""
        ...

    def last(self, queue: str) -> Holding | None:
        """Return who took the lease last, dead or alive.

        Raises:
            LogError: it could not be read.
        """
        ...

    def holder(self, queue: str) -> Holding | None:
        """Return who has the lease now; None where nobody that lives has it.

        Raises:
            LogError: it could not be read.
        """
        ...


def _holding(fence: Fence, claim: Claim) -> Holding:
    """Return the holding that a claim becomes."""
    _, _, name, taken_at, lease_s, renewed_s = claim
    return Holding(*fence, name, taken_at, lease_s, renewed_s, 0)


def lost(fence: Fence) -> LeaseLostError:
    """Return the error of a sender that is none any more."""
    return LeaseLostError(fence.queue, fence.epoch)


# --- SQLite --------------------------------------------------------------------------------


class DatabaseLeases:
    """Leases as rows in the journal's file, each with a lock on a file beside it."""

    def __init__(self, database: Database) -> None:
        """Keep them in that file, and beside it."""
        self._database = database
        self._locks: dict[str, FileLock] = {}

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        """Take the lease; None where its holder lives, or has shown a sign of life since."""
        lock: FileLock | None = None
        try:
            with self._database.write_views() as connection:
                connection.execute(_CREATE)
                found = _found(connection, claim.queue)
                if instead_of is None:
                    lock = self._locked(claim.queue)
                elif found == instead_of:
                    lock = self._put_in_place(claim.queue)
                if lock is None:
                    return None
                known, noted = (0 if found is None else found.epoch), _noted(lock)
                fence = Fence(claim.queue, max(known, noted) + 1, claim.token)
                connection.execute(_TAKE, _holding(fence, claim))
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
            return _is_held(connection, fence) and (
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
                os.replace(lock.path, path)  # noqa: PTH105  the path of a lock stays as it is
                return lock
        except OSError:  # pragma: no cover  where a file that is open cannot be replaced
            pass
        lock.close()
        return None


def is_held(connection: sqlite3.Connection, fence: Fence) -> bool:
    """Say whether that fence holds the lease; the caller holds the database's lock (F1)."""
    return _is_held(connection, fence)


def _is_held(connection: sqlite3.Connection, fence: Fence) -> bool:
    try:
        return connection.execute(_CHECK, fence).fetchone() is not None
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return False  # the table is gone: an older copy of the file was put back


def _found(connection: sqlite3.Connection, queue: str) -> Holding | None:
    try:
        found = connection.execute(_FIND, (queue,)).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return None  # nobody has ever sent from this file
    return None if found is None else Holding(*found)


def _noted(lock: FileLock) -> int:
    """Return the epoch that the file beside the journal's remembers; 0 where it does not."""
    text = lock.noted().partition(" ")[0]
    return int(text) if text.isascii() and text.isdigit() else 0


# --- in memory -----------------------------------------------------------------------------


class MemoryLeases:
    """Leases in memory, for a log in memory: within one process nobody dies alone."""

    def __init__(self, lock: Lock) -> None:
        """Keep them under that lock, which is the log's."""
        self._lock = lock
        self._last: dict[str, Holding] = {}
        self._held: set[str] = set()

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        """Take the lease; None where its holder lives, or has shown a sign of life since."""
        with self._lock:
            found = self._last.get(claim.queue)
            if found is not None and found.token in self._held and found != instead_of:
                return None
            fence = Fence(claim.queue, 1 if found is None else found.epoch + 1, claim.token)
            self._last[claim.queue] = _holding(fence, claim)
            self._held = {*self._held, claim.token} - {found.token if found else ""}
            return Taken(fence)

    def renew(self, fence: Fence, now_s: float) -> bool:
        """Show a sign of life; say whether the lease is still held."""
        with self._lock:
            is_held = self.is_held(fence)
            if is_held:
                found = self._last[fence.queue]
                renewed = found._replace(renewed_s=now_s, renewals=found.renewals + 1)
                self._last[fence.queue] = renewed
            return is_held

    def release(self, fence: Fence) -> None:
        """Let anybody take the lease; a second time changes nothing."""
        with self._lock:
            self._held.discard(fence.token)

    def last(self, queue: str) -> Holding | None:
        """Return who took the lease last, dead or alive."""
        return self._last.get(queue)

    def holder(self, queue: str) -> Holding | None:
        """Return who has the lease now; None where nobody that lives has it."""
        with self._lock:
            found = self._last.get(queue)
            return found if found is not None and found.token in self._held else None

    def is_held(self, fence: Fence) -> bool:
        """Say whether that fence holds the lease; the caller holds the log's lock (F1)."""
        found = self._last.get(fence.queue)
        return found is not None and found.fence == fence
