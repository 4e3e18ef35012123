"""The place for the tables of projections: next to the log, in the same database.

It knows nothing of what projections there are. All that is kept here can be derived from the
log, so it may be deleted at any time; a commit here is atomic, and need not be durable.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Protocol

from journal.errors import ViewError
from journal.log.database import COMMIT, ROLLBACK
from journal.log.failures import is_refused
from journal.log.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from journal.log.database import Database

    Noted: TypeAlias = Callable[[str, int, tuple[Any, ...]], None]


class Cursor(Protocol):
    """What a projection may do: run statements with bound values, and fetch their rows."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Any:  # noqa: ANN401
        """Run a statement with these values in place of its question marks."""
        ...

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Any:  # noqa: ANN401
        """Run a statement once for each of the values."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401  rows are tuples of what the statement selects
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        ...


class Views(Protocol):
    """Where projections keep their tables."""

    def write(self, name: str = "") -> AbstractContextManager[Cursor]:
        """Return a cursor in one transaction, rolled back if the block fails.

        Args:
            name: of the projection that writes.
        """
        ...

    def only(self, name: str, tables: Collection[str]) -> AbstractContextManager[None]:
        """Within `write`, let the projection of that name write to these tables only."""
        ...

    def read(self) -> AbstractContextManager[Cursor]:
        """Return a cursor that sees one moment of the tables."""
        ...


class DatabaseViews:
    """Tables in the file of the log."""

    def __init__(self, database: Database) -> None:
        """Keep them in that file."""
        self._database = database
        self._guards: dict[str, Guard] = {}

    @contextmanager
    def write(self, name: str = "") -> Iterator[Cursor]:
        """Return a cursor in one transaction, rolled back if the block fails.

        Args:
            name: of the projection that writes.

        Raises:
            LogError: the file could not be written.
            ViewError: a statement was refused.
        """
        with self._database.write_views(name) as connection, _refusals():
            if name not in self._guards:
                self._guards[name] = Guard(connection)
            try:
                yield connection.cursor()
            finally:
                self._guards[name].lift()

    def only(self, name: str, tables: Collection[str]) -> AbstractContextManager[None]:
        """Within `write`, let the projection of that name write to these tables only.

        Raises:
            ViewError: it tried to do more.
        """
        return self._guards[name].only(name, tables)

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Return a cursor that sees one moment of the tables.

        Raises:
            LogError: the file could not be read.
            ViewError: a statement was refused.
        """
        with self._database.snapshot() as connection, _refusals():
            yield connection.cursor()


class MemoryViews:
    """Tables in memory, for a log in memory."""

    def __init__(self) -> None:
        """Begin without tables."""
        self._lock = RLock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._guarded = ""
        self._guard = Guard(self._connection)
        self._is_read_only = False

    @contextmanager
    def write(self, name: str = "") -> Iterator[Cursor]:
        """Return a cursor in one transaction, rolled back if the block fails.

        Args:
            name: of the projection that writes.

        Raises:
            ViewError: a statement was refused.
        """
        with self._lock, _refusals(), self._read_only(is_so=False):
            if name != self._guarded:  # what others have prepared is asked for anew
                self._guarded = name
                self._guard = Guard(self._connection)
            self._connection.execute("BEGIN")
            try:
                yield self._connection.cursor()
                self._connection.execute(COMMIT)
            except BaseException:
                self._guard.lift()
                self._connection.execute(ROLLBACK)
                raise

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Return a cursor that sees one moment of the tables.

        Raises:
            ViewError: a statement was refused.
        """
        with self._lock, _refusals(), self._read_only(is_so=True):
            yield self._connection.cursor()

    @contextmanager
    def _read_only(self, *, is_so: bool) -> Iterator[None]:
        """Let the tables be written to, or not, while the block lasts: a read may lead to a write.

        There is one connection, which else would let a reader change the rows.
        """
        was_so = self._is_read_only
        self._set_read_only(is_so=is_so)
        try:
            yield
        finally:
            self._set_read_only(is_so=was_so)

    def _set_read_only(self, *, is_so: bool) -> None:
        if is_so != self._is_read_only:
            self._connection.execute(_READ_ONLY[is_so])
            self._is_read_only = is_so

    def only(self, name: str, tables: Collection[str]) -> AbstractContextManager[None]:
        """Within `write`, let the projection of that name write to these tables only.

        Raises:
            ViewError: it tried to do more.
        """
        return self._guard.only(name, tables)

    def watch(self, tables: Mapping[str, Sequence[str]], noted: Noted) -> None:
        """Call a function with every row that is written to these tables from now on.

        Args:
            tables: each with the names of its columns.
            noted: called with the table, 1 for a row that is there now and -1 for one that is
                there no more, and the values of the row.
        """
        with self._lock, self._read_only(is_so=False):
            self._connection.execute("PRAGMA recursive_triggers = ON")  # for REPLACE to tell, too
            self._connection.create_function(
                "journal_noted", -1, lambda table, sign, *row: noted(table, sign, row)
            )
            for table, columns in tables.items():
                for statement in _triggers(table, columns):
                    self._connection.execute(statement)

    def close(self) -> None:
        """Forget the tables."""
        with self._lock:
            self._connection.close()


def _triggers(table: str, columns: Sequence[str]) -> Iterator[str]:
    """Yield the statements by which whatever happens to a table is told."""
    for event, ends in (("INSERT", "+NEW"), ("DELETE", "-OLD"), ("UPDATE", "-OLD +NEW")):
        calls = ", ".join(
            f"journal_noted('{table}', {end[0]}1, "
            + ", ".join(f'{end[1:]}."{column}"' for column in columns)
            + ")"
            for end in ends.split()
        )
        yield (
            f"CREATE TEMP TRIGGER {table}_{event} AFTER {event} ON {table} "
            f"BEGIN SELECT {calls}; END"
        )


_READ_ONLY: Final = ("PRAGMA query_only = OFF", "PRAGMA query_only = ON")
_REFUSALS: Final = (
    sqlite3.ProgrammingError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn the refusal of a statement, which is a projection's mistake, into our error."""
    try:
        yield
    except _REFUSALS as error:
        raise ViewError(f"a projection's statement was refused: {error}") from error
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_READONLY:
            raise ViewError(
                "a cursor for reading was written to",
                hint="a projection writes in its apply() only, to its own tables",
            ) from error
        if is_refused(error):
            raise ViewError(f"a projection's statement was refused: {error}") from error
        raise
