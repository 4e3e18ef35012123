"""Where a subscriber may begin to read: kept with the views, for it can be derived anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.errors import ViewError

if TYPE_CHECKING:
    from journal.log import Log

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS sync_checkpoint "
    "(name TEXT PRIMARY KEY, position INTEGER NOT NULL, hash BLOB NOT NULL)"
)
_SAVE: Final = (
    "INSERT INTO sync_checkpoint (name, position, hash) VALUES (?, ?, ?) ON CONFLICT (name) "
    "DO UPDATE SET position = excluded.position, hash = excluded.hash"
)
_LOAD: Final = "SELECT position, hash FROM sync_checkpoint WHERE name = ?"
_NAME: Final = "subscriber"


class Checkpoint:
    """The low-water mark: every change up to it is settled."""

    def __init__(self, log: Log) -> None:
        """Keep it beside that log."""
        self._log = log
        self._saved: int | None = None

    def load(self) -> int:
        """Return the position to begin after; 0 where it is unknown, or of another log.

        Raises:
            LogError: it could not be read.
        """
        try:
            with self._log.views.read() as cursor:
                cursor.execute(_LOAD, (_NAME,))
                found = cursor.fetchone()
        except ViewError:
            return 0
        if found is None or self._hash_at(found[0]) != found[1]:
            return 0
        self._saved = found[0]
        return int(found[0])

    def save(self, position: int) -> None:
        """Keep the position to begin after.

        Raises:
            LogError: it could not be written.
        """
        if position == self._saved:
            return
        with self._log.views.write() as cursor:
            cursor.execute(_CREATE)
            cursor.execute(_SAVE, (_NAME, position, self._hash_at(position)))
        self._saved = position

    def _hash_at(self, position: int) -> bytes:
        rows = self._log.rows(position - 1, 1) if position else []
        return rows[0].hash if rows and rows[0].position == position else b""
