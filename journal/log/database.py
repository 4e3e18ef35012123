"""The SQLite file: how it is opened, locked, read and written; it knows nothing of entries.

- D1. One connection writes at a time, in a transaction that begins ``IMMEDIATE``, as one of a
  single statement does by itself: a writer never holds a stale snapshot.
- D2. Every write, and every close, which may checkpoint, is made under a lock on a file beside
  the database, across processes. SQLite 3.7.0 to 3.51.2 can corrupt a WAL that is written and
  checkpointed at once (fixed in 3.51.3); under the lock that cannot happen, whatever the
  version of the other process.
- D3. After an I/O error or a sign of corruption, this object writes no more: the file must be
  opened, and looked at, anew.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections import deque
from contextlib import contextmanager, suppress
from errno import EINVAL
from pathlib import Path
from threading import Event, Lock, get_ident
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar

from journal.errors import (
    LogBusyError,
    LogClosedError,
    LogCorruptError,
    LogError,
    LogFullError,
    LogUnavailableError,
    ViewError,
    WrongFileError,
    shown,
)
from journal.log.filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

Durability: TypeAlias = Literal["full", "normal"]
RowT = TypeVar("RowT", bound=tuple[Any, ...])

APPLICATION_ID: Final = 0x444A524E
"""``DJRN``: the mark in the header of a file that is a journal."""
OLDEST_SQLITE: Final = (3, 38, 0)
"""The first SQLite with STRICT tables and the `->` operator."""
WAL_RESET_BUG: Final = ((3, 7, 0), (3, 51, 2))
"""The first and the last version of SQLite with the WAL-reset bug."""
BUSY_TIMEOUT_S: Final = 30.0

_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_READ_ONLY = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_FATAL = _CORRUPT | {sqlite3.SQLITE_IOERR}


def has_wal_reset_bug(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Say whether that version of SQLite has the WAL-reset bug."""
    return WAL_RESET_BUG[0] <= version[:3] <= WAL_RESET_BUG[1]


class Database:
    """A journal's file, with one connection to append, one for views, and a pool to read."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "full",
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        """Open the file, creating it with mode 0600 where there is none.

        Raises:
            WrongFileError: a link, a folder open to all, no SQLite file, or too old a SQLite.
            LogUnavailableError: it cannot be opened.
        """
        _check_sqlite_version()
        self.path = _absolute(path)
        self._name = os.fspath(self.path)
        self.durability = durability
        self._busy_timeout_s = busy_timeout_s
        self._pid = os.getpid()
        self._lock = Lock()
        self._writer_thread = 0
        self._failure: LogError | None = None
        self._is_closed = False
        self._readers: deque[sqlite3.Connection] = deque()
        self._lent: set[sqlite3.Connection] = set()
        self._identity = _created(self.path)
        self._inode = self._identity[1]
        _register(self._identity, self.path)
        try:
            self._file_lock = FileLock(Path(f"{self.path}-lock"), busy_timeout_s)
        except BaseException:
            _unregister(self._identity)
            raise
        try:
            with self._translated(), self._file_lock:
                self._appender = self._connected(durability)
                self._viewer = self._connected("normal")
        except BaseException:
            self._file_lock.close()
            _unregister(self._identity)
            raise

    def _connected(self, durability: Durability) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",  # never creates: another file may be in its place
            uri=True,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            self._prepare(connection, durability)
        except UnicodeDecodeError as error:  # SQLite's own message, of a damaged file
            connection.close()
            raise LogCorruptError(None, f"{self.path}: {error}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, durability: Durability) -> None:
        """Set the connection up, unless the file is another application's: that stays as it is."""
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        if application_id != APPLICATION_ID and _has_tables(connection):
            raise WrongFileError(
                f"{self.path} is an SQLite file of another application",
                hint="name another file; a journal creates its own",
            )
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise WrongFileError(
                f"{self.path} cannot be kept in WAL mode, only in {mode}",
                hint="keep the journal on a local disk, not on a network share",
            )
        connection.execute(f"PRAGMA synchronous={durability.upper()}")
        for pragma in ("mmap_size=0", "cell_size_check=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync=ON")
            connection.execute("PRAGMA checkpoint_fullfsync=ON")

    def append(self) -> AbstractContextManager[sqlite3.Connection]:
        """Write as one transaction that is durable when the block ends (D1, D2).

        Raises:
            LogError: the transaction was rolled back.
        """
        return self._writing(self._appender)

    def append_row(
        self,
        statement: str,
        row: Callable[[sqlite3.Connection], RowT],
        stored: Callable[[RowT], None],
    ) -> RowT:
        """Write by one statement, which SQLite begins and commits by itself (D1, D2).

        Args:
            statement: the statement.
            row: makes its values, once nobody else can write.
            stored: is told of them when they are durable, before anybody else can write.

        Returns:
            The values.

        Raises:
            LogError: the statement was rolled back.
        """
        self._check_may_write()
        with self._lock, self._file_lock:
            try:
                self._check_file()
                values = row(self._appender)
                if self._appender.execute(statement, values).rowcount != 1:
                    raise _unkept(self.path)
                stored(values)
            except sqlite3.Error as error:
                self._raise_translated(error)
                raise
        return values

    def write_views(self) -> AbstractContextManager[sqlite3.Connection]:
        """Write as one transaction of which only the atomicity is promised (D1, D2).

        Raises:
            LogError: the transaction was rolled back.
        """
        return self._writing(self._viewer)

    @contextmanager
    def _writing(self, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        self._check_may_write()
        with self._lock, self._file_lock:
            try:
                self._writer_thread = get_ident()
                self._check_file()
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                _rolled_back(connection)
                if isinstance(error, sqlite3.Error):
                    self._raise_translated(error)
                raise
            finally:
                self._writer_thread = 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from writing, without writing.

        Raises:
            LogBusyError: another process held the lock for longer than the timeout.
        """
        self._check_may_write()
        with self._lock, self._file_lock:
            yield

    def _check_may_write(self) -> None:
        self.check_usable()
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

    def _taken(self) -> sqlite3.Connection:
        """Return a connection that nobody else reads on, to be given back."""
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self._connected("normal")
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

    def restrict(self) -> None:
        """Let nobody else read or write the file, whoever made it."""
        with suppress(OSError):
            self.path.chmod(0o600)

    def close(self) -> None:
        """Close all connections; a second time changes nothing."""
        if self._is_closed or self._pid != os.getpid():
            return
        self._is_closed = True
        with self._lock:
            self._close_last(*self._readers, self._viewer, self._appender)
            self._readers.clear()
        _unregister(self._identity)

    def _close_last(self, *connections: sqlite3.Connection) -> None:
        """Close under the lock, for the last connection to close checkpoints (D2)."""
        with suppress(sqlite3.Error, LogError), self._file_lock:
            for connection in connections:
                connection.close()
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
        """Refuse to write where a write has failed, or the file at the path is another (D3)."""
        if self._failure is not None:
            raise self._failure
        try:
            inode = os.stat(self._name).st_ino  # noqa: PTH116  a microsecond less, per append
        except OSError:
            inode = -1
        if inode != self._inode:
            self._failure = LogUnavailableError(
                f"{self.path} was replaced or removed while it was open",
                hint="put the file back, or open the journal again",
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

    def _raise_translated(self, error: sqlite3.Error) -> None:
        """Raise ours for one of SQLite's, unless it is of integrity, which is the recorder's."""
        if isinstance(error, sqlite3.IntegrityError):
            return
        translated = translate(error, self.path)
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _FATAL:
            self._failure = translated
        raise translated from error


def _unkept(path: Path) -> LogCorruptError:
    return LogCorruptError(None, f"{path} does not keep what is written to it: it was changed")


def translate(error: sqlite3.Error, path: Path | str) -> LogError:
    """Return our error for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return WrongFileError(f"{path} is no journal: {error}", hint="name another file")
    if code in _CORRUPT or str(error).startswith("Could not decode"):
        return LogCorruptError(None, f"{path}: {error}")
    if code in _BUSY:
        return LogBusyError(
            f"{path} is in use by another process: {error}",
            hint="try again, and look for a process that holds it",
        )
    if code == sqlite3.SQLITE_FULL:
        return LogFullError(
            f"no space left for {path}; nothing of this append was stored",
            hint="free some space and try again",
        )
    if code in _READ_ONLY:
        return LogUnavailableError(f"{path} cannot be written to", hint="check its permissions")
    return LogUnavailableError(
        f"{path}: {error}", hint="check the disk and the permissions, and open it again"
    )


def _check_sqlite_version() -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise WrongFileError(
            f"SQLite {sqlite3.sqlite_version} is too old",
            hint=f"use a Python with SQLite {oldest} or newer",
        )


_OPEN: Final[dict[tuple[int, int], tuple[int, int]]] = {}
"""The files that are open: device and inode, to the process that opened them, and how often."""
_OPENING: Final = Lock()


def _register(identity: tuple[int, int], path: Path) -> None:
    """Note that the file is open, unless that was inherited over a fork.

    SQLite remembers the locks of a process in its memory, which a child inherits, and holds
    them at the system, where a child has none: in the child it would believe itself safe.
    """
    with _OPENING:
        pid, count = _OPEN.get(identity, (os.getpid(), 0))
        if pid != os.getpid():
            raise LogClosedError(
                f"{path} was open when this process was forked, and cannot be opened safely here",
                hint="open the journal after the fork only, or start the process by spawn",
            )
        _OPEN[identity] = (pid, count + 1)


def _unregister(identity: tuple[int, int]) -> None:
    with _OPENING:
        pid, count = _OPEN.get(identity, (0, 1))
        if count > 1:
            _OPEN[identity] = (pid, count - 1)
        else:
            _OPEN.pop(identity, None)


def _absolute(path: str | os.PathLike[str]) -> Path:
    """Return the path from the root, so that it stays the same wherever the process goes."""
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100  a link is refused, not followed
    except (OSError, ValueError) as error:
        raise _unopened(Path(path), error) from error


def _created(path: Path) -> tuple[int, int]:
    """Return the device and the inode of the file, made for this user alone if it is not there.

    A file that is there is not opened: to close any descriptor of it would drop the locks that
    SQLite holds on it in this process (``fcntl``), and others would take it for unused.
    """
    try:
        _check_place(path)
        with _OPENING:
            if not path.exists():
                _make(path)
        found = _ordinary(path.stat())
    except (OSError, ValueError) as error:
        raise _unopened(path, error) from error
    return found.st_dev, found.st_ino


def _ordinary(found: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(EINVAL, "it is no ordinary file")
    return found


def _make(path: Path) -> None:
    """Create the file, unless another process was faster."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def _unopened(path: Path, error: Exception) -> LogUnavailableError:
    return LogUnavailableError(
        f"{shown(str(path), 200)} cannot be opened: {getattr(error, 'strerror', None) or error}",
        hint="check that its folder exists and may be written to",
    )


def _check_place(path: Path) -> None:
    """Refuse a link, and a folder in which anybody could put another file in its place."""
    if path.is_symlink():
        raise WrongFileError(f"{path} is a symbolic link", hint="name the file that it leads to")
    mode = path.absolute().parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise WrongFileError(
            f"everybody may replace files in the folder of {path}",
            hint="take the write permission of others away: chmod o-w",
        )


def _has_tables(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()
    return bool(found[0])


def _rolled_back(connection: sqlite3.Connection) -> None:
    """Roll back, unless SQLite did so itself, without hiding the error that led here."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


class Bell:
    """Rung when something was appended in this process; a wait on it costs no poll."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: set[Event] = set()

    def ring(self) -> None:
        """Wake everybody who waits now."""
        for event in tuple(self._waiting):
            event.set()

    @contextmanager
    def listen(self) -> Iterator[Event]:
        """Return an event that is set by every ring from now on."""
        event = Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)
