"""Mistakes of the projections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.events import DraftDiscarded, DraftRetried, RecordObserved
from projections import Drafts, History, Records
from projections.projection import _SAVE, Projection, _Batch, _bound
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.events import Entry
    from journal.log import Cursor, Row
    from projections.projection import Checkpoint


def _without(real: Code, kind: type) -> object:
    """Return what applies entries, but not those of events of a kind."""

    def apply(self: Projection, cursor: Cursor, entries: Iterable[Entry]) -> None:
        real(self, cursor, (entry for entry in entries if not isinstance(entry.event, kind)))

    return apply


@plants(Records, "apply", by="I8")
def shows_records_without_what_was_discarded(real: Code) -> object:
    """The view of the records still has what a discarded draft had set."""
    return _without(real, DraftDiscarded)


@plants(Drafts, "apply", by="I8")
def shows_drafts_as_held_that_are_not(real: Code) -> object:
    """The list of drafts shows one as held that somebody has let be sent again."""
    return _without(real, DraftRetried)


@plants(History, "apply", by="I8")
def leaves_out_of_the_history_what_others_did(real: Code) -> object:
    """The history of a record has what was changed here only."""
    return _without(real, RecordObserved)


@plants(Projection, "_advanced", by="I8")
def keeps_rows_and_place_apart(_: Code) -> object:
    """The rows of a view are stored in one transaction, and up to where they go in another."""

    def advanced(self: Projection, left: Checkpoint, page: list[Row]) -> Checkpoint:
        with self._log.views.write(self.name) as cursor:
            found = self._found(cursor) or self._begun(cursor)
            if found != left:
                return found
            batch = _Batch(self._log, page)
            with self._log.views.only(self.name, self.tables), _bound(self.name):
                self.apply(cursor, batch)
        found = batch.rest()
        with self._log.views.write(self.name) as cursor:
            cursor.execute(_SAVE, (*found, self.name))
        self._left = found
        return found

    return advanced
