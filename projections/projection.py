"""A projection: a fold of the log with a name, kept in tables.

It knows nothing of what the tables are about.

- P1. The rows and the checkpoint change in one transaction: a view is always that of the log
  up to its checkpoint, whoever died in between.
- P2. A transaction applies only what follows the checkpoint that it has read itself: any number
  of threads and processes may catch up the same view at once.
- P3. A read begins with all that was appended before it.
- P4. While it applies entries, a projection writes to its own tables, and to nothing else.
- P5. A view whose tables, version or log are not those of its checkpoint is built anew; a
  reader that comes upon one that is being built helps to build it, and never sees half of it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeAlias

from pydantic_core import from_json, to_json

from journal.errors import LogCorruptError, ViewError
from projections.digests import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from journal import Journal
    from journal.events import Entry
    from journal.log import Cursor, Log, Row

    Progress: TypeAlias = Callable[[int, int], None]
    Rows: TypeAlias = dict[str, list[tuple[object, ...]]]

BATCH: Final = 10_000
"""How many entries one transaction applies at most: it holds up whoever appends meanwhile."""
PAGE: Final = 500
"""How many entries are decoded at once."""
BATCH_BYTES: Final = 8_388_608
"""How much stored data one transaction applies, give or take a page."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAKEN: Final = frozenset({"entries", "journal", "sync_checkpoint", "view_checkpoints"})
_OURS: Final = MappingProxyType(
    {
        "records": "records",
        "record_changes": "records",
        "drafts": "drafts",
        "draft_queue": "drafts",
        "history": "history",
        "history_outcomes": "history",
    }
)
"""The tables of the projections in this package, each with the name of its projection."""
_CREATE: Final = (
    "CREATE TABLE view_checkpoints (name TEXT PRIMARY KEY, version INTEGER NOT NULL, "
    "tables TEXT NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL) STRICT, WITHOUT ROWID"
)
_LOAD: Final = "SELECT version, position, hash FROM view_checkpoints WHERE name = ?"
_SAVE: Final = "UPDATE view_checkpoints SET position = ?, hash = ? WHERE name = ?"
_BEGIN: Final = "INSERT OR REPLACE INTO view_checkpoints VALUES (?, ?, ?, 0, x'')"
_TABLES: Final = "SELECT tables FROM view_checkpoints WHERE name = ?"
_IS_THERE: Final = "SELECT count(*) FROM sqlite_schema WHERE sql = ?"


class Checkpoint(NamedTuple):
    """Up to where a view has come."""

    position: int
    hash: bytes
    """That of the entry at the position, so that another log is noticed."""


class _Batch:
    """The entries that one transaction applies, decoded page by page.

    So the memory for them is soon free again, and the garbage collector is not woken.
    """

    def __init__(self, log: Log, page: list[Row]) -> None:
        """Begin with that page."""
        self._log = log
        self._last = page[-1]
        self._entries = self._decoded(page)

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries that are left."""
        return self._entries

    def _decoded(self, page: list[Row]) -> Iterator[Entry]:
        count = size = 0
        while page:
            self._last = page[-1]
            yield from self._log.entries(page)
            count += len(page)
            size += sum([len(row.data) for row in page])
            is_more = len(page) == PAGE and count < BATCH and size < BATCH_BYTES
            page = self._log.rows(self._last.position, PAGE) if is_more else []

    def rest(self) -> Checkpoint:
        """Pass over what was not looked at, and return the checkpoint behind it all."""
        deque(self._entries, maxlen=0)
        return Checkpoint(self._last.position, self._last.hash)


class Projection(ABC):
    """A view of the log, kept in tables of its own; override `apply` to make one.

    The tables have a primary key, and values of the types that they declare (``STRICT, WITHOUT
    ROWID``). Change `version` with what `apply` does, and the view is built anew.
    """

    name: ClassVar[str]
    """Names the view: lower-case letters, digits and underscores."""
    version: ClassVar[int] = 1
    """The version of what `apply` makes of the log."""
    tables: ClassVar[Mapping[str, str]]
    """The names of the tables, and the definitions of their columns and keys, in SQL."""

    def __init__(self, journal: Journal) -> None:
        """View the journal; the tables are made when they are first needed.

        Raises:
            ViewError: the projection or one of its tables has no name, or one that is not
                allowed.
        """
        for attribute in ("name", "tables"):
            if not hasattr(self, attribute):
                raise ViewError(
                    f"the projection {type(self).__name__} has no {attribute}",
                    hint=f"say in its class what its {attribute} is, or are",
                )
        _check_name("projection", self.name)
        _check_is_ours(self.name, self.tables)
        for table in self.tables:
            _check_name("table", table)
        self._journal = journal
        self._log = journal.log
        self._creates = {
            table: f"CREATE TABLE {table} ({columns}) STRICT, WITHOUT ROWID"
            for table, columns in self.tables.items()
        }
        self._schema = (_CREATE, *self._creates.values())
        marks = ", ".join("?" * len(self._schema))
        self._count = f"SELECT count(*) FROM sqlite_schema WHERE sql IN ({marks})"  # noqa: S608
        self._seen_at: int | None = None
        self._left: Checkpoint | None = None

    @abstractmethod
    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Change the rows as the entries say; each entry is handed over once, in order (P4).

        It may read any table of the file, and write to those in `tables` only.

        Args:
            cursor: runs statements, in the transaction that also moves the checkpoint.
            entries: to be looped over once; look at nothing else, so that a rebuild gives the
                same rows.
        """

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """Catch up, and return a cursor that sees one moment of the tables (P3).

        Raises:
            ViewError: a statement was refused.
            LogError: the file could not be read or written.
        """
        head = self._log.head()
        if self._left is not None and self._left.position < head:
            self._followed(self._left)
        while True:
            with self._log.views.read() as cursor:
                found = self._found(cursor)
                if found is not None and found.position >= head:
                    with _bound(self.name):
                        yield cursor
                    return
            if (position := self.catch_up()) < head:
                raise LogCorruptError(
                    position + 1, f"the entries up to {head} were removed from the file"
                )

    def catch_up(self, progress: Progress | None = None) -> int:
        """Apply what was appended since the checkpoint; `reading` does so by itself.

        Args:
            progress: called after each transaction with the position and the log's head.

        Returns:
            The position of the last entry that the view holds.

        Raises:
            ViewError: a statement of the projection was refused.
            LogError: the file could not be read or written.
        """
        with self._log.views.read() as cursor:
            left = self._found(cursor)
        if left is None:
            with self._log.views.write(self.name) as cursor:
                left = self._found(cursor) or self._begun(cursor)
        return self._followed(left, progress)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Delete all rows and apply the whole log, in as many transactions as it takes (P5).

        Args:
            progress: called after each transaction with the position and the log's head.

        Returns:
            The position of the last entry that the view holds.

        Raises:
            ViewError: a statement of the projection was refused.
            LogError: the file could not be read or written.
        """
        with self._log.views.write(self.name) as cursor:
            left = self._begun(cursor)
        return self._followed(left, progress)

    @staticmethod
    def forget(journal: Journal, name: str) -> bool:
        """Delete the tables of a projection that is there no more, under that name.

        Args:
            journal: the journal.
            name: that of the projection; one that is still used is built anew when it is read.

        Returns:
            Whether there was such a projection.

        Raises:
            LogError: the file could not be written.
        """
        with journal.log.views.write(name) as cursor:
            cursor.execute(_IS_THERE, (_CREATE,))
            if not cursor.fetchone()[0]:
                return False
            cursor.execute(_TABLES, (name,))
            found = cursor.fetchone()
            if found is None:
                return False
            for table in _listed(found[0]):
                cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute("DELETE FROM view_checkpoints WHERE name = ?", (name,))
        return True

    def checkpoint(self) -> int:
        """Return the position of the last entry that the view holds, without catching up.

        Raises:
            LogError: the file could not be read.
        """
        with self._log.views.read() as cursor:
            return self._at(cursor)

    def digest(self) -> str:
        """Return a SHA-256 of all rows, whatever their order, once caught up.

        Raises:
            ViewError: the tables could not be read.
            LogError: the file could not be read or written.
        """
        with self.reading() as cursor:
            return self._digest(cursor)

    def left(self) -> tuple[int, str, Rows]:
        """Return what the tables hold as they are, without catching up.

        Returns:
            The position of the last entry that they hold, 0 where they are to be built anew, the
            digest, and the rows of each table.

        Raises:
            ViewError: the tables could not be read.
            LogError: the file could not be read.
        """
        with self._log.views.read() as cursor:
            position = self._at(cursor)
            if not position:
                return 0, Digest(self.tables).value().hex(), {}
            rows = {table: list(_all_rows(cursor, table)) for table in sorted(self.tables)}
            return position, self._digest(cursor), rows

    def _digest(self, cursor: Cursor) -> str:
        total = Digest(self.tables)
        for table in self.tables:
            for row in _all_rows(cursor, table):
                total.note(table, 1, row)
        return total.value().hex()

    # --- catching up ---------------------------------------------------------------------

    def _followed(self, left: Checkpoint, progress: Progress | None = None) -> int:
        """Apply all that follows the checkpoint, and return the new position."""
        head = self._log.head() if progress is not None else 0
        while page := self._log.rows(left.position, PAGE):
            left = self._advanced(left, page)
            if progress is not None:
                progress(left.position, max(head, left.position))
        return left.position

    def _advanced(self, left: Checkpoint, page: list[Row]) -> Checkpoint:
        """Apply a batch that begins with the page behind that checkpoint (P1, P2).

        Returns:
            Where the view is now, which is elsewhere where somebody else was faster.
        """
        with self._log.views.write(self.name) as cursor:
            found = self._found(cursor) or self._begun(cursor)
            if found == left:
                batch = _Batch(self._log, page)
                with self._log.views.only(self.name, self.tables), _bound(self.name):
                    _check_is_done(self.name, self.apply(cursor, batch))
                found = batch.rest()
                cursor.execute(_SAVE, (*found, self.name))
        self._left = found
        return found

    def _found(self, cursor: Cursor) -> Checkpoint | None:
        """Return the checkpoint, or None where the view has to be built anew (P5)."""
        if not self._has_tables(cursor):
            return None
        cursor.execute(_LOAD, (self.name,))
        found = cursor.fetchone()
        if found is None or found[0] != self.version:
            return None
        checkpoint = Checkpoint(found[1], found[2])
        if checkpoint != self._left and not self._is_of_log(checkpoint):
            return None
        self._left = checkpoint
        return checkpoint

    def _has_tables(self, cursor: Cursor) -> bool:
        """Say whether the tables are there, defined as they are here.

        SQLite counts the changes of a file's schema: what was seen at a count need not be
        looked for again.
        """
        cursor.execute("PRAGMA schema_version")
        count = cursor.fetchone()[0]
        if count == self._seen_at:
            return True
        cursor.execute(self._count, self._schema)
        if cursor.fetchone()[0] != len(self._schema):
            return False
        self._seen_at = count
        return True

    def _at(self, cursor: Cursor) -> int:
        """Return the position up to which the view is what it should be."""
        found = self._found(cursor)
        return 0 if found is None else found.position

    def _is_of_log(self, checkpoint: Checkpoint) -> bool:
        if checkpoint.position == 0:
            return True
        rows = self._log.rows(checkpoint.position - 1, 1)
        return bool(rows) and (rows[0].position, rows[0].hash) == checkpoint

    def _begun(self, cursor: Cursor) -> Checkpoint:
        """Make the tables anew, and return the checkpoint before the first entry."""
        cursor.execute(_IS_THERE, (_CREATE,))
        if not cursor.fetchone()[0]:
            cursor.execute("DROP TABLE IF EXISTS view_checkpoints")
            cursor.execute(_CREATE)
        for table in {*self._owned(cursor), *self.tables}:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        for create in self._creates.values():
            cursor.execute(create)
        tables = to_json(sorted(self.tables)).decode()
        cursor.execute(_BEGIN, (self.name, self.version, tables))
        self._left = Checkpoint(0, b"")
        return self._left

    def _owned(self, cursor: Cursor) -> list[str]:
        """Return the tables that an older version has left behind.

        Raises:
            ViewError: another projection has a table of that name.
        """
        cursor.execute("SELECT name, tables FROM view_checkpoints")
        owned: list[str] = []
        for name, listed in cursor.fetchall():
            tables = _listed(listed)
            if name == self.name:
                owned += tables
            elif shared := sorted(tables & self.tables.keys()):
                raise ViewError(
                    f"the projections {self.name} and {name} both have a table {shared[0]}",
                    hint="give each projection tables of its own; where "
                    f"{name} is there no more: Projection.forget(journal, {name!r})",
                )
        return owned


def _all_rows(cursor: Cursor, table: str) -> Iterable[tuple[object, ...]]:
    rows: Iterable[tuple[object, ...]] = cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
    return rows


def _listed(text: str) -> set[str]:
    """Return the tables of a list in JSON; what cannot be one of a projection is passed over."""
    try:
        found = from_json(text)
    except ValueError:
        return set()
    return {table for table in found if _is_free(table)} if isinstance(found, list) else set()


def _is_free(name: object) -> bool:
    return (
        isinstance(name, str)
        and _NAME.fullmatch(name) is not None
        and name not in _TAKEN
        and not name.startswith("sqlite_")
    )


def _check_is_ours(name: str, tables: Mapping[str, str]) -> None:
    """Refuse the names of the projections that are in this package to any other."""
    ours = {table for table, owner in _OURS.items() if owner == name}
    taken = sorted(table for table in tables if _OURS.get(table, name) != name)
    if taken or not ours <= tables.keys():
        what = f"table {taken[0]}" if taken else f"name {name}"
        raise ViewError(
            f"the {what} is that of a projection of this library", hint="choose another name"
        )


@contextmanager
def _bound(name: str) -> Iterator[None]:
    """Say which projection hands a statement a value that SQLite cannot hold.

    Raises:
        ViewError: it does.
    """
    try:
        yield
    except (OverflowError, UnicodeEncodeError) as error:
        if isinstance(error, OverflowError) and "SQLite" not in str(error):
            raise
        raise ViewError(
            f"the projection {name} keeps what SQLite cannot hold: {error}",
            hint="keep integers beyond 64 bits, and text that is no Unicode, as other text",
        ) from error


def _check_is_done(name: str, returned: object) -> None:
    """Refuse an `apply` that has done nothing yet: a generator, or a coroutine.

    Raises:
        ViewError: its entries would be passed over for good.
    """
    if isinstance(returned, Iterator | Coroutine):
        if isinstance(returned, Coroutine):
            returned.close()
        raise ViewError(
            f"the apply() of the projection {name} has a yield in it, or is async, and did nothing",
            hint="write it as a plain method that changes the rows before it returns",
        )


def _check_name(what: str, name: str) -> None:
    if not _is_free(name):
        raise ViewError(
            f"the {what} name {name!r} is not allowed",
            hint="use at most 63 lower-case letters, digits and underscores, beginning with a "
            f"letter, and none of {', '.join(sorted(_TAKEN))}",
        )
