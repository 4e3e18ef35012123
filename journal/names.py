"""Floor 6: what remotes call our records: a table that is folded from the log, and kept.

It is kept with the views, for it can be derived anew; a name that is the record's own id is
not kept at all. It knows nothing of remotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.checkpoint import NAMES, Checkpoint, hash_at
from journal.errors import ViewError
from journal.events import DraftAcknowledged, RecordObserved
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.log import Log

ENTRIES_AT_ONCE: Final = 1000
_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS sync_remote_name "
    "(type TEXT NOT NULL, remote_id TEXT NOT NULL, ref TEXT NOT NULL, "
    "PRIMARY KEY (type, remote_id)) WITHOUT ROWID"
)
_SAVE: Final = (
    "INSERT INTO sync_remote_name (type, remote_id, ref) VALUES (?, ?, ?) "
    "ON CONFLICT (type, remote_id) DO UPDATE SET ref = excluded.ref"
)
_FIND: Final = "SELECT ref FROM sync_remote_name WHERE type = ? AND remote_id = ?"


class Names:
    """Which record a remote means by an id."""

    def __init__(self, log: Log) -> None:
        """Keep them beside that log."""
        self._log = log
        self._checkpoint = Checkpoint(log, NAMES)
        self._position: int | None = None

    def catch_up(self) -> None:
        """Fold in what was appended since.

        Raises:
            LogError: the log could not be read, or the table not be written.
        """
        if self._position is None:
            self._position = self._checkpoint.load()
        while entries := self._log.read(self._position, ENTRIES_AT_ONCE):
            named = [
                (entry.stream.type, event.remote_id, str(entry.stream))
                for entry in entries
                if isinstance(event := entry.event, (DraftAcknowledged, RecordObserved))
                and event.remote_id not in {None, entry.stream.id}
            ]
            position = entries[-1].position
            at = hash_at(self._log, position)
            with self._log.views.write() as cursor:
                cursor.execute(_CREATE)
                cursor.executemany(_SAVE, named)
                self._checkpoint.save_with(cursor, position, at)
            self._position = position

    def find(self, record_type: str, remote_ids: Iterable[str]) -> dict[str, Ref]:
        """Return which records a remote means by these ids, as far as it was told.

        Raises:
            LogError: the table could not be read.
        """
        found: dict[str, Ref] = {}
        try:
            with self._log.views.read() as cursor:
                for remote_id in remote_ids:
                    cursor.execute(_FIND, (record_type, remote_id))
                    if (row := cursor.fetchone()) is not None:
                        found[remote_id] = Ref.trusted(row[0])
        except ViewError:  # there is no table, so there are no names
            return {}
        return found
