"""One replay of a log: views that follow it step by step, with the digest after each step.

The rows are those that the projections write, in a database of their own in memory; those of
the journal are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from journal.errors import ViewError
from journal.past import Past
from projections.digests import Digest
from projections.states import Columns, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from journal import Journal
    from projections.projection import Projection
    from projections.states import State

    Views: TypeAlias = Sequence[type[Projection]]
    Noted: TypeAlias = Callable[[str, int, tuple[Any, ...]], None]

_COLUMNS = "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid"


class Replay:
    """Replays a journal from its first entry; it goes forwards only."""

    def __init__(
        self,
        journal: Journal,
        views: Views,
        *,
        renewed: bool = False,
        noted: Noted = lambda _table, _sign, _row: None,
    ) -> None:
        """Begin before the first entry.

        Args:
            journal: whose log is replayed; it stays open, and is not written to.
            views: the projections.
            renewed: whether each step is taken by new objects, as after a restart.
            noted: called with every row that is written: the table, 1 for a row that is there
                now and -1 for one that is there no more, and the row.

        Raises:
            ViewError: one of the projections is none, or two have one name.
        """
        self.position = 0
        self.past = Past(journal, 0)
        self._kinds = tuple(views)
        self._renewed = renewed
        self.views = self._made()
        _check_names(view.name for view in views)
        self._digests = {view.name: Digest(view.tables) for view in views}
        self._home = {table: view.name for view in views for table in view.tables}
        for view in self.views:
            view.catch_up()  # so that its tables are there
        self.columns = {table: self._columns_of(table) for table in self._home}
        self._told = noted
        self.past.watch({table: of.names for table, of in self.columns.items()}, self._note)

    def _made(self) -> list[Projection]:
        return [view(self.past) for view in self._kinds]

    def _columns_of(self, table: str) -> Columns:
        with self.past.log.views.read() as cursor:
            cursor.execute(_COLUMNS, (table,))
            found = cursor.fetchall()
        keys = sorted((pk, name) for name, pk in found if pk)
        return Columns(tuple(name for name, _ in found), tuple(name for _, name in keys))

    def _note(self, table: str, sign: int, row: tuple[Any, ...]) -> None:
        self._digests[self._home[table]].note(table, sign, row)
        self._told(table, sign, row)

    def to(self, position: int) -> list[bytes]:
        """Go on to a position in one step, and return the digest of each view there.

        Raises:
            ViewError: a statement of a projection was refused.
            LogError: the log could not be read.
        """
        if self._renewed:
            self.views = self._made()
        self.past.move(position)
        for view in self.views:
            view.catch_up()
        self.position = position
        return self.digests()

    def digests(self) -> list[bytes]:
        """Return the digest of each view where the replay is now."""
        return [digest.value() for digest in self._digests.values()]

    def state(self, view: type[Projection]) -> State:
        """Return what the tables of a view hold where the replay is now."""
        tables = {table: self.columns[table] for table in sorted(view.tables)}
        with self.past.log.views.read() as cursor:
            rows = {
                table: cursor.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
                for table in tables
            }
        return state_of(tables, rows)

    def close(self) -> None:
        """Forget everything."""
        self.past.close()

    def __enter__(self) -> Self:
        """Return the replay, to be closed when the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ViewError(
                f"two projections are called {name}", hint="name each once, or replay them apart"
            )
        seen.add(name)
