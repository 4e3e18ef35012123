"""Mistakes of the projections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.events import DraftDiscarded, DraftHeld, RecordObserved
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


@plants(Records, "apply", by="I8", seeds=760)
def shows_records_without_what_was_discarded(real: Code) -> object:
    """The view of the records still has what a discarded draft had set."""
    return _without(real, DraftDiscarded)


@plants(Drafts, "apply", by="I10", seeds=5)
def shows_held_drafts_as_under_way(real: Code) -> object:
    """The list of drafts does not show that one is held, and why."""
    return _without(real, DraftHeld)


@plants(History, "apply", by="I8", seeds=5)
def leaves_out_of_the_history_what_others_did(real: Code) -> object:
    """The history of a record has what was changed here only."""
    return _without(real, RecordObserved)


def _apart(*, is_place_first: bool) -> object:
    """Return what advances a view in two transactions."""

    def advanced(self: Projection, left: Checkpoint, page: list[Row]) -> Checkpoint:
        with self._log.views.write(self.name) as cursor:
            found = self._found(cursor) or self._begun(cursor)
        if found != left:
            return found
        found = _Batch(self._log, page).rest()
        for is_place in (is_place_first, not is_place_first):
            with self._log.views.write(self.name) as cursor:
                if is_place:
                    cursor.execute(_SAVE, (*found, self.name))
                    continue
                with self._log.views.only(self.name, self.tables), _bound(self.name):
                    self.apply(cursor, _Batch(self._log, page))
        self._left = found
        return found

    return advanced


@plants(Projection, "_advanced", by="I22", seeds=97)
def keeps_the_place_of_a_view_before_its_rows(_: Code) -> object:
    """Up to where a view goes is stored in a transaction of its own, before its rows."""
    return _apart(is_place_first=True)


@plants(Projection, "_advanced")
def keeps_the_place_of_a_view_after_its_rows(_: Code) -> object:
    """The place of a view is stored after its rows; but to apply an entry twice changes nothing."""
    return _apart(is_place_first=False)
