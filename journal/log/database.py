"""The SQLite file: how it is opened, locked, read and written; it knows nothing of entries.

- D1. One connection writes at a time, in a transaction that begins ``IMMEDIATE``, as one of a
  single statement does by itself: a writer never holds a stale snapshot.
- D2. Every write, and every close, which may checkpoint, is made under a lock on a file beside
  the database, across processes. SQLite 3.7.0 to 3.51.2 can corrupt a WAL that is written and
  checkpointed at once (fixed in 3.51.3); under the lock that cannot happen, whatever the
  version of the other process.
- D3. After an I/O error or a sign of corruption, this object writes no more: the file must be
  opened, and looked at, anew.
- D4. A file has all its tables before it is in WAL mode, so that what is left of one that has
  lost its WAL is never taken for a new one.
- D5. What a sender appends waits for the disk, whatever the durability, and with it all that was
  appended before: what a remote has seen is never taken back by a power failure.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import sys
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar
from weakref import WeakSet, finalize

from journal.errors import (
    LogClosedError,
    LogCorruptError,
    LogError,
    LogFullError,
    LogMissingError,
    LogUnavailableError,
    ViewError,
    WrongFileError,
)
from journal.log.abandoned import Abandoned, close_abandoned, close_left
from journal.log.beside import check_whole
from journal.log.failures import APPEND, FATAL, SAFE, VIEWS, translate
from journal.log.filelock import FileLock, NoLock
from journal.log.place import absolute, claimed, is_marked, look, unopened
from journal.log.readonly import ReadOnly, may_write, unwritable
from journal.log.registry import register, unregister

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

Durability: TypeAlias = Literal["full", "normal"]
Written = TypeVar("Written")

OLDEST_SQLITE: Final = (3, 38, 0)
"""The first SQLite with STRICT tables and the `->` operator."""
WAL_RESET_BUG: Final = ((3, 7, 0), (3, 51, 2))
"""The first and the last version of SQLite with the WAL-reset bug."""
BUSY_TIMEOUT_S: Final = 30.0


COMMIT: Final = "COMMIT -- by the journal"
ROLLBACK: Final = "ROLLBACK -- by the journal"
"""Not the words of a projection: what is prepared already, SQLite's authorizer is not asked for."""
_SETTLED_NS: Final = 3_000_000_000
"""The coarsest of the steps is that of FAT: two seconds."""
_ROLLBACKS: Final = 3
"""How often to try: Ctrl-C may come in the guard of a view, which then lets nothing pass."""


def has_wal_reset_bug(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Say whether that version of SQLite has the WAL-reset bug."""
    return WAL_RESET_BUG[0] <= version[:3] <= WAL_RESET_BUG[1]


class Database:
    """A journal's file: a connection to append, one for each view, and a pool to read."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        fill: Callable[[sqlite3.Connection], object],
        *,
        create: bool = True,
        durability: Durability = "full",
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        """Open the file, creating it with mode 0600 where there is none.

        Args:
            path: of the file.
            fill: makes the tables of a new one, and marks it as a journal.
            create: whether a journal is made where there is none.
            durability: of what is appended.
            busy_timeout_s: how long to wait for another process, in seconds.

        Raises:
            LogMissingError: there is no journal, and none is to be made.
            WrongFileError: a link, a folder open to all, no SQLite file, or too old a SQLite.
            LogUnavailableError: it cannot be opened, or a file that belongs to it is missing.
        """
        _check_sqlite_version()
        self.path = absolute(path)
        self._name = os.fspath(self.path)
        self._wal_name = f"{self.path}-wal"
        self._folder = os.fspath(self.path.parent)
        self._settled_at = 0
        self.durability = durability
        self._waits_for_disk = durability == "full"
        """Whether the next append does."""
        self._busy_timeout_s = busy_timeout_s
        self._pid = os.getpid()
        self._lock = Lock()
        self._writer_thread = 0
        self._failure: LogError | None = None
        self._is_closed = False
        self._readers: deque[sqlite3.Connection] = deque()
        self._lent: set[sqlite3.Connection] = set()
        self._viewers: dict[str, sqlite3.Connection] = {}
        self._identity = claimed(self.path, create=create)
        self._inode = self._identity[1]
        register(self._identity, self.path)
        try:
            look(self.path, create=create)
            self._read_only = None if may_write(self.path) else self._only_read(create=create)
            self._file_lock = (
                FileLock(Path(f"{self.path}-lock"), busy_timeout_s)
                if self._read_only is None
                else NoLock()
            )
        except BaseException:
            unregister(self._identity)
            raise
        try:
            self._file_lock.take()
            try:
                check_whole(self.path)
                with self._translated():
                    self._appender = self._connected(durability, fill if create else None)
                self._wal_inode = _inode(self._wal_name)
            finally:
                self._file_lock.release()
        except BaseException:
            self._file_lock.close()
            unregister(self._identity)
            raise
        _OPEN.add(self)
        self._abandoned = finalize(
            self,
            close_abandoned,
            Abandoned(
                self._pid,
                self._file_lock,
                self._identity,
                self._readers,
                self._viewers,
                self._appender,
            ),
        )
        self._abandoned.atexit = False
        close_left()

    def _only_read(self, *, create: bool) -> ReadOnly:
        """Return how to read the file; whoever might make it asks to write, and is refused."""
        if create:
            raise unwritable(
                self.path,
                "check the permissions of the file, of its folder and of what is beside it; "
                "opened with create=False, it can be read",
            )
        try:
            return ReadOnly(self.path)
        except OSError as error:
            raise unopened(self.path, error) from error

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written to the file."""
        return self._read_only is not None

    def _connected(
        self,
        durability: Durability,
        fill: Callable[[sqlite3.Connection], object] | None = None,
    ) -> sqlite3.Connection:
        connection = sqlite3.connect(
            # never creates: another file may be in its place
            f"{self.path.as_uri()}?{self._read_only.mode if self._read_only else 'mode=rw'}",
            uri=True,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            self._prepare(connection, durability, fill)
        except UnicodeDecodeError as error:  # SQLite's own message, of a damaged file
            connection.close()
            raise LogCorruptError(None, f"{self.path}: {error}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(
        self,
        connection: sqlite3.Connection,
        durability: Durability,
        fill: Callable[[sqlite3.Connection], object] | None,
    ) -> None:
        """Set the connection up, unless the file is another application's: that stays as it is."""
        has_mark = is_marked(connection, self.path)
        if not has_mark and fill is None:
            raise LogMissingError(self._name)
        for pragma in ("mmap_size=0", "cell_size_check=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        if self._read_only is not None:
            return
        connection.execute(f"PRAGMA synchronous={durability.upper()}")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync=ON")
            connection.execute("PRAGMA checkpoint_fullfsync=ON")
        if not has_mark and fill is not None:
            self._restrict()
            connection.execute("BEGIN IMMEDIATE")
            fill(connection)
            connection.execute(COMMIT)
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise WrongFileError(
                f"{self.path} cannot be kept in WAL mode, only in {mode}",
                hint="keep the journal on a local disk, not on a network share",
            )
        connection.execute("SELECT 1 FROM sqlite_schema")  # so that its -wal is there

    def append(self, *, by_sender: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        """Write as one transaction that is durable when the block ends (D1, D2).

        Args:
            by_sender: whether it is about what is sent (D5).

        Raises:
            LogError: the transaction was rolled back.
        """
        return self._writing(lambda: self._appending(by_sender=by_sender), APPEND)

    def append_alone(
        self, write: Callable[[sqlite3.Connection], Written], *, by_sender: bool = False
    ) -> Written:
        """Write by one statement, which SQLite begins and commits by itself (D1, D2).

        Args:
            write: runs the statement, when nobody else can write, and returns what it wrote.
            by_sender: whether it is about what is sent (D5).

        Returns:
            What it wrote, which is durable.

        Raises:
            LogError: the statement was rolled back.
        """
        self._check_may_write()
        with self._lock:
            self._file_lock.take()
            try:
                self._check_file()
                return write(self._appending(by_sender=by_sender))
            except sqlite3.Error as error:
                self._raise_translated(error, APPEND)
                raise
            finally:
                self._file_lock.release()

    def _appending(self, *, by_sender: bool) -> sqlite3.Connection:
        """Return the connection that appends, which waits for the disk if it has to (D5)."""
        waits = by_sender or self.durability == "full"
        if waits and not self._waits_for_disk:
            self._appender.execute("PRAGMA synchronous=FULL")
            self._waits_for_disk = True
        elif self._waits_for_disk and not waits:
            self._waits_for_disk = False  # first: an interrupt may come between the two
            self._appender.execute("PRAGMA synchronous=NORMAL")
        return self._appender

    def write_views(self, name: str = "") -> AbstractContextManager[sqlite3.Connection]:
        """Write as one transaction of which only the atomicity is promised (D1, D2).

        Args:
            name: of the view; each is written on a connection of its own.

        Raises:
            LogError: the transaction was rolled back.
        """
        return self._writing(lambda: self._viewer(name), VIEWS)

    def _viewer(self, name: str) -> sqlite3.Connection:
        """Return the connection of a view, made when it is first written."""
        connection = self._viewers.get(name)
        if connection is None:
            connection = self._viewers[name] = self._connected("normal")
        return connection

    @contextmanager
    def _writing(
        self, connected: Callable[[], sqlite3.Connection], left: str
    ) -> Iterator[sqlite3.Connection]:
        self._check_may_write()
        connection = None
        with self._lock:
            self._file_lock.take()
            try:
                self._writer_thread = get_ident()
                self._check_file()
                connection = connected()
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute(COMMIT)
            except BaseException as error:
                if connection is not None and connection.in_transaction:
                    try:  # here, not in a function: an interrupt could come as it begins
                        connection.execute(ROLLBACK)
                    except sqlite3.Error:
                        _rolled_back(connection)
                if isinstance(error, sqlite3.Error):
                    self._raise_translated(error, left)
                raise
            finally:
                self._file_lock.release()
                self._writer_thread = 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from writing, without writing.

        Raises:
            LogBusyError: another process held the lock for longer than the timeout.
        """
        self._check_may_write()
        with self._lock:
            self._file_lock.take()
            try:
                yield
            finally:
                self._file_lock.release()

    def _check_may_write(self) -> None:
        self.check_usable()
        if self._read_only is not None:
            raise unwritable(self.path)
        if self._is_writing():
            raise ViewError(
                "the journal was written to from within a write to it",
                hint="a projection's apply() may write only to the cursor that it is given",
            )

    def _is_writing(self) -> bool:
        """Say whether this thread is within a write; what an interrupt left behind is no sign."""
        return self._writer_thread == get_ident() and self._lock.locked()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read on a connection of one's own; each statement sees one moment of the file.

        Raises:
            LogError: it could not be read.
        """
        self.check_usable()
        try:
            connection = self._taken()
            try:
                yield connection
            finally:
                self._given_back(connection)
        except sqlite3.Error as error:
            self._raise_translated(error)
            raise

    def select(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Read by one statement, and return the rows that it found.

        It does what `read` does, without the cost of a generator for every look at the file.

        Raises:
            LogError: it could not be read.
        """
        self.check_usable()
        try:
            connection = self._taken()
            try:
                return connection.execute(statement, values).fetchall()
            finally:
                self._given_back(connection)
        except sqlite3.Error as error:
            self._raise_translated(error)
            raise

    def _taken(self) -> sqlite3.Connection:
        """Return a connection that nobody else reads on, to be given back."""
        if self._read_only is not None:
            self._read_only.check()
        try:
            connection = self._readers.pop()
        except IndexError:
            if self._read_only is None:
                self._check_wal()  # a new connection would make another
            connection = self._connected("normal")
            connection.execute("PRAGMA query_only=ON")
        self._lent.add(connection)
        return connection

    def _given_back(self, connection: sqlite3.Connection) -> None:
        """Keep the connection for the next reader, or close it where there will be none."""
        _rolled_back(connection)  # an interrupt may have left a transaction open
        if self._is_closed and not self._is_writing():
            with self._lock:
                self._lent.discard(connection)
                self._close_last(connection)
        else:
            self._lent.discard(connection)
            self._readers.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read on a connection whose statements all see the same moment of the file.

        Raises:
            LogError: it could not be read.
        """
        with self.read() as connection:
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                _rolled_back(connection)

    def _restrict(self) -> None:
        """Let nobody else read or write the file, whoever made it."""
        with suppress(OSError):
            self.path.chmod(0o600)

    def close(self) -> None:
        """Close all connections; a second time changes nothing."""
        if self._is_closed or self._pid != os.getpid():
            return
        self._is_closed = True
        self._abandoned.detach()
        with self._lock:
            self._close_last(*self._readers, *self._viewers.values(), self._appender)
            self._readers.clear()
            self._viewers.clear()
        unregister(self._identity)
        close_left()

    def _close_last(self, *connections: sqlite3.Connection) -> None:
        """Close under the lock, for the last connection to close checkpoints (D2)."""
        with suppress(sqlite3.Error, LogError):
            self._file_lock.take()
            try:
                for connection in connections:
                    connection.close()
            finally:
                self._file_lock.release()
        if not self._lent:
            self._file_lock.close()

    def check_usable(self) -> None:
        """Refuse to be used after the end, or in another process.

        Raises:
            LogClosedError: it was closed, or opened before a fork.
        """
        if self._is_closed:
            raise LogClosedError(f"{self.path} was closed", hint="open the journal again")
        if self._pid != os.getpid():
            raise LogClosedError(
                f"{self.path} was opened before this process was forked",
                hint="open the journal after the fork only, or start the process by spawn",
            )

    def _check_file(self) -> None:
        """Refuse to write where a write has failed, or a file at its path is another (D3).

        Whatever is made, moved or removed in a folder changes the time of the folder. So that
        alone is looked at, once it is older than the steps in which such times are kept.
        """
        if self._failure is not None:
            raise self._failure
        try:
            folder = os.stat(self._folder)  # noqa: PTH116  a microsecond less, per append
        except OSError:
            folder = None
        if folder is not None and folder.st_mtime_ns == self._settled_at:
            return
        self._settled_at = 0
        self._check_names()
        if folder is not None:
            written_ns = os.stat(self._wal_name).st_mtime_ns  # noqa: PTH116
            if written_ns - folder.st_mtime_ns > _SETTLED_NS:
                self._settled_at = folder.st_mtime_ns

    def _check_names(self) -> None:
        """Refuse to go on where a file is no longer found under its name (D3)."""
        if _inode(self._name) != self._inode:
            self._failure = LogUnavailableError(
                f"{self.path} was replaced or removed while it was open",
                hint="put the file back, or open the journal again",
            )
            raise self._failure
        if self._file_lock.is_lost():
            self._failure = LogUnavailableError(
                f"{self.path}-lock was replaced or removed while the journal was open: others "
                "would not wait for it",
                hint="close the journal, and open it again",
            )
            raise self._failure
        self._check_wal()

    def loss(self) -> str:
        """Return which of the files was lost while they were open; nothing where none was."""
        try:
            if self._read_only is None:
                self._check_names()
        except LogError as error:
            return error.problem
        return ""

    def _check_wal(self) -> None:
        """Refuse to go on where what is written would be in a file without a name (D3)."""
        if _inode(self._wal_name) != self._wal_inode:
            self._failure = LogUnavailableError(
                f"{self._wal_name} was replaced or removed while the journal was open, and the "
                "newest entries were in it",
                hint="close the journal, which moves them to its own file where it still can; "
                "then open it again, and verify",
            )
            raise self._failure

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's exceptions into ours."""
        try:
            yield
        except sqlite3.Error as error:
            self._raise_translated(error)
            raise

    def _raise_translated(self, error: sqlite3.Error, left: str = SAFE) -> None:
        """Raise ours for one of SQLite's, unless it is of integrity, which is the recorder's."""
        if isinstance(error, sqlite3.IntegrityError):
            return
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_AUTH:
            raise KeyboardInterrupt from error  # it came in a guard, where SQLite swallows it
        translated = translate(error, self.path, left)
        is_fatal = (getattr(error, "sqlite_errorcode", 0) & 0xFF) in FATAL
        if is_fatal and not isinstance(translated, LogFullError):
            self._failure = translated
        raise translated from error


_OPEN: Final[WeakSet[Database]] = WeakSet()


@atexit.register
def _close_all() -> None:
    """Close what was never closed, under the lock, before the interpreter does so without."""
    for database in list(_OPEN):
        database.close()
    close_left(wait=True)


def _inode(name: str) -> int:
    """Return the inode of the file with that name; -1 where there is none."""
    try:
        return os.stat(name).st_ino  # noqa: PTH116  a microsecond less, per append
    except OSError:
        return -1


def _check_sqlite_version() -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise WrongFileError(
            f"SQLite {sqlite3.sqlite_version} is too old",
            hint=f"use a Python with SQLite {oldest} or newer",
        )


def _rolled_back(connection: sqlite3.Connection) -> None:
    """Roll back, unless SQLite did so itself, without hiding the error that led here."""
    for _ in range(_ROLLBACKS):
        if not connection.in_transaction:
            return
        with suppress(sqlite3.Error):
            connection.execute(ROLLBACK)
