"""Floor 6: the record types that services have described, kept beside the log.

They are kept with the views, for they can be asked for anew; nothing of them is in the log. It
knows nothing of how they are asked for.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.descriptions import as_json, of_json
from journal.errors import ViewError

if TYPE_CHECKING:
    from journal.descriptions import TypeDescription
    from journal.log import Log

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS sync_record_type (type TEXT PRIMARY KEY, source TEXT NOT NULL, "
    "described_at INTEGER NOT NULL, description TEXT NOT NULL)"
)
_SAVE: Final = (
    "INSERT OR REPLACE INTO sync_record_type (type, source, described_at, description) "
    "VALUES (?, ?, ?, ?)"
)
_COLUMNS: Final = "SELECT source, described_at, description FROM sync_record_type"
_LOAD: Final = f"{_COLUMNS} WHERE type = ?"
_LIST: Final = f"{_COLUMNS} ORDER BY type"
_FORGET: Final = "DELETE FROM sync_record_type WHERE type = ?"


class Described(NamedTuple):
    """A record type, who described it, and when."""

    type: TypeDescription
    source: str
    """Where the service is."""
    described_at: int
    """Microseconds since 1970 in UTC."""


class Catalogue:
    """The record types that services have described, the last description of each."""

    def __init__(self, log: Log) -> None:
        """Keep them beside that log."""
        self._log = log
        self._found: dict[str, Described | None] = {}

    def find(self, record_type: str) -> Described | None:
        """Return the description of a type, if there is one.

        It is looked up once: what another process learns meanwhile is seen after `again` or
        `reload`. A journal looks again before it refuses a draft.

        Args:
            record_type: the name of the type.

        Raises:
            LogError: the file could not be read.
        """
        if record_type not in self._found:
            found = self._rows(_LOAD, record_type)
            self._found[record_type] = found[0] if found else None
        return self._found[record_type]

    def again(self, record_type: str) -> Described | None:
        """Look a type up anew; return its description, if there is one.

        Args:
            record_type: the name of the type.

        Raises:
            LogError: the file could not be read.
        """
        self._found.pop(record_type, None)
        return self.find(record_type)

    def all(self) -> list[Described]:
        """Return all types that are described, in the order of their names.

        Raises:
            LogError: the file could not be read.
        """
        return self._rows(_LIST)

    def keep(self, described: Described) -> None:
        """Keep a description in the place of the last one.

        Args:
            described: the type, and who described it.

        Raises:
            LogError: the file could not be written.
        """
        text = as_json(described.type).decode()
        name = described.type.record_type
        with self._log.views.write() as cursor:
            cursor.execute(_CREATE)
            cursor.execute(_SAVE, (name, described.source, described.described_at, text))
        self._found[name] = described

    def forget(self, record_type: str) -> bool:
        """Forget the description of a type; say whether there was one.

        Args:
            record_type: the name of the type.

        Raises:
            LogError: the file could not be written.
        """
        self._found.pop(record_type, None)
        if self.find(record_type) is None:
            return False
        with self._log.views.write() as cursor:
            cursor.execute(_FORGET, (record_type,))
        self._found[record_type] = None
        return True

    def reload(self) -> None:
        """Look every type up anew when it is next asked for."""
        self._found.clear()

    def _rows(self, statement: str, *values: str) -> list[Described]:
        """Return what is kept; what cannot be read was never there, for it can be asked for."""
        try:
            with self._log.views.read() as cursor:
                cursor.execute(statement, values)
                rows = cursor.fetchall()
        except ViewError:  # there is no table, so nothing was described
            return []
        described = []
        for source, described_at, text in rows:
            with suppress(ValueError):
                described.append(Described(of_json(text), source, described_at))
        return described
