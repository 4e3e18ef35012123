"""Projections that are wrong, each in its way: a replay must find every one of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from projections import Projection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.events import Entry
    from journal.log import Cursor


class Wayward(Projection):
    """One text for each event."""

    name = "wayward"
    tables = {"wayward": "position INTEGER PRIMARY KEY, said TEXT NOT NULL"}  # noqa: RUF012

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Write what is said of each event."""
        for entry in entries:
            cursor.execute("INSERT INTO wayward VALUES (?, ?)", (entry.position, self.said(entry)))

    def said(self, entry: Entry) -> str:
        """Return what is said of an event."""
        return entry.actor


class Hashing(Wayward):
    """Iterates a set of texts, from the second event on."""

    def said(self, entry: Entry) -> str:
        """Return a list in JSON in the order of a set."""
        words = {entry.actor, "b", "c", "d", "e", "f"}
        ordered = sorted(words) if entry.position == 1 else list(words)
        return json.dumps({"words": ordered})


class Dated(Wayward):
    """Says on which local day it was applied."""

    def said(self, entry: Entry) -> str:  # noqa: ARG002
        """Return today."""
        return dt.date.today().isoformat()  # noqa: DTZ011


class Counting(Wayward):
    """Counts in memory, which is gone with the process."""

    _seen = 0

    def said(self, entry: Entry) -> str:  # noqa: ARG002
        """Return how many events this object has seen."""
        self._seen += 1
        return str(self._seen)


class Batched(Wayward):
    """Looks at how many events come at once."""

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Write how many there are, from the third event on."""
        given = list(entries)
        for entry in given:
            said = str(len(given)) if entry.position > 2 else "1"
            cursor.execute("INSERT INTO wayward VALUES (?, ?)", (entry.position, said))
