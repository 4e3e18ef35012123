"""How far the changes of a remote are stored: kept with the views, for a pull can begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from journal.checkpoint import hash_at
from journal.errors import ViewError

if TYPE_CHECKING:
    from journal.log import Log

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS sync_bookmark (remote TEXT NOT NULL, type TEXT NOT NULL, "
    "since TEXT, page TEXT, newest TEXT, position INTEGER NOT NULL, hash BLOB NOT NULL, "
    "PRIMARY KEY (remote, type))"
)
_SAVE: Final = (
    "INSERT OR REPLACE INTO sync_bookmark (remote, type, since, page, newest, position, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LOAD: Final = (
    "SELECT since, page, newest, position, hash FROM sync_bookmark WHERE remote = ? AND type = ?"
)


class Bookmark(NamedTuple):
    """The page at which a pull goes on."""

    since: str | None = None
    """The checkpoint with which the list began that is being read, or is to be read next."""
    page: str | None = None
    """The next page of that list; None where it is to be begun."""
    newest: str | None = None
    """The checkpoint after what is stored of that list; the next one begins there."""

    def after(self, newest: str | None, page: str | None) -> Bookmark:
        """Return the bookmark after one more page.

        Args:
            newest: the checkpoint after it.
            page: the page that follows; None where the list ends.
        """
        newest = newest or self.newest
        return (
            Bookmark(newest or self.since) if page is None else Bookmark(self.since, page, newest)
        )


class Bookmarks:
    """The bookmarks in the changes of one remote."""

    def __init__(self, log: Log, remote: str) -> None:
        """Keep them beside that log."""
        self._log = log
        self._remote = remote

    def load(self, record_type: str) -> Bookmark:
        """Return where to go on; at the beginning where that is unknown, or of another log.

        Raises:
            LogError: it could not be read.
        """
        try:
            with self._log.views.read() as cursor:
                cursor.execute(_LOAD, (self._remote, record_type))
                found = cursor.fetchone()
        except ViewError:
            return Bookmark()
        if found is None or hash_at(self._log, found[3]) != found[4]:
            return Bookmark()
        return Bookmark(*found[:3])

    def save(self, record_type: str, bookmark: Bookmark) -> None:
        """Keep where to go on, after everything before it was stored.

        Raises:
            LogError: it could not be written.
        """
        position = self._log.head()
        row = (self._remote, record_type, *bookmark, position, hash_at(self._log, position))
        with self._log.views.write() as cursor:
            cursor.execute(_CREATE)
            cursor.execute(_SAVE, row)
