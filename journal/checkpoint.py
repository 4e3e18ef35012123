"""Where a subscriber may begin to read: kept with the views, for it can be derived anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.errors import ViewError

if TYPE_CHECKING:
    from journal.log import Cursor, Log

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS sync_checkpoint "
    "(name TEXT PRIMARY KEY, position INTEGER NOT NULL, hash BLOB NOT NULL)"
)
_SAVE: Final = (
    "INSERT INTO sync_checkpoint (name, position, hash) VALUES (?, ?, ?) ON CONFLICT (name) "
    "DO UPDATE SET position = excluded.position, hash = excluded.hash"
)
_LOAD: Final = "SELECT position, hash FROM sync_checkpoint WHERE name = ?"
SETTLED: Final = "subscriber"
"""The low-water mark: every change up to it is settled."""
ACKNOWLEDGED: Final = "acknowledged"
"""The number of the last draft that an answer has acknowledged; it is said to the next ones."""
NAMES: Final = "remote names"
"""How far the table of what remotes call records has been derived."""


class Checkpoint:
    """A position up to which something is done, which need not be done again."""

    def __init__(self, log: Log, name: str = SETTLED) -> None:
        """Keep it beside that log, under that name."""
        self._log = log
        self._name = name
        self._saved: int | None = None

    def load(self) -> int:
        """Return the position to begin after; 0 where it is unknown, or of another log.

        Raises:
            LogError: it could not be read.
        """
        try:
            with self._log.views.read() as cursor:
                cursor.execute(_LOAD, (self._name,))
                found = cursor.fetchone()
        except ViewError:
            return 0
        if found is None or hash_at(self._log, found[0]) != found[1]:
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
        at = hash_at(self._log, position)
        with self._log.views.write() as cursor:
            self.save_with(cursor, position, at)

    def save_with(self, cursor: Cursor, position: int, at: bytes) -> None:
        """Keep the position together with what else is written.

        Args:
            cursor: that writes.
            position: to begin after.
            at: the hash of the entry there.

        Raises:
            LogError: it could not be written.
        """
        cursor.execute(_CREATE)
        cursor.execute(_SAVE, (self._name, position, at))
        self._saved = position


def hash_at(log: Log, position: int) -> bytes:
    """Return the hash of the entry at a position, by which a log is known again.

    Raises:
        LogError: it could not be read.
    """
    rows = log.rows(position - 1, 1) if position else []
    return rows[0].hash if rows and rows[0].position == position else b""
