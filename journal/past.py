"""Floor 6: a journal as it was at a position, to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.errors import InvalidValueError
from journal.journal import Journal
from journal.log.excerpt import Excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journal.log.views import Noted


class Past(Journal):
    """A journal as it was at a position: projections show it as it was, and it takes no change.

    It reads the log of the journal, which stays open; its views are in memory, and those of the
    journal are left alone. What is appended meanwhile is not seen.
    """

    def __init__(self, journal: Journal, position: int) -> None:
        """Go back to the position.

        Args:
            journal: the journal; it must stay open.
            position: that of the last entry that is seen; 0 for none.

        Raises:
            InvalidValueError: the log has no such position.
            LogError: it could not be read.
        """
        head = journal.log.head()
        if not 0 <= position <= head:
            raise InvalidValueError(
                "position",
                f"the log has no position {position}: it ends at {head}",
                hint=f"name one from 0 to {head}",
            )
        self._excerpt = Excerpt(journal.log, position)
        sources = journal.sources
        super().__init__(actor="replay", origin=journal.origin, sources=sources, log=self._excerpt)

    def move(self, position: int) -> None:
        """Go on to a later position; projections follow when they are read."""
        self._excerpt.move(position)

    def watch(self, tables: Mapping[str, Sequence[str]], noted: Noted) -> None:
        """Call a function with every row that projections write from now on.

        Args:
            tables: each with the names of its columns.
            noted: called with the table, 1 for a row that is there now and -1 for one that is
                there no more, and the values of the row.
        """
        self._excerpt.watch(tables, noted)
