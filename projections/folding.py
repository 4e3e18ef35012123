"""The same views folded in memory, by the pure folds alone, with the digest after each entry.

It knows nothing of tables but what a row of them is: so a table that is not the fold is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.drafts import Queue, draft_id_of
from journal.errors import DraftMissingError
from journal.events import QUEUE
from journal.record import evolve, initial
from projections.digests import Digest
from projections.drafts import Drafts, draft_row, switch_row
from projections.records import Records
from projections.rows import change_row, row_of

if TYPE_CHECKING:
    from journal.drafts import Draft
    from journal.events import Entry
    from journal.record import Record
    from journal.values import Ref
    from projections.projection import Projection
    from projections.states import State

FOLDED: Final[tuple[type[Projection], ...]] = (Records, Drafts)
"""The views that have a home in memory, too."""


class Moment:
    """Records and queue after some entry, folded in memory."""

    def __init__(self) -> None:
        """Begin before the first entry."""
        self.position = 0
        self.records: dict[Ref, Record] = {}
        self.queue = Queue()
        self.views: dict[str, State] = {}
        """What projections of the host hold, by their names, where somebody has looked."""
        self.folds: dict[str, Any] = {}
        """What the state of folds of the host is, as documents, by their names, likewise."""

    def copy(self) -> Moment:
        """Return the same moment, to be folded on by itself."""
        other = Moment()
        other.position = self.position
        other.records = dict(self.records)
        other.queue = Queue(self.queue, self.queue.position, self.queue.switch)
        return other

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry."""
        self.position = entry.position
        if entry.stream != QUEUE:
            before = self.records.get(entry.stream) or initial(entry.stream)
            self.records[entry.stream] = evolve(before, entry)
        self.queue.apply(entry)


class Folding(Moment):
    """A moment with the digests of what the tables must hold then."""

    def __init__(self) -> None:
        """Begin before the first entry."""
        super().__init__()
        self._of_records = Digest(Records.tables)
        self._of_drafts = Digest(Drafts.tables)

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry."""
        ref, draft_id = entry.stream, draft_id_of(entry)
        before, switch = self.records.get(ref), self.queue.switch
        self._note_draft(self._draft(draft_id), -1)
        super().apply(entry)
        self._note_record(before, self.records.get(ref))
        self._note_draft(self._draft(draft_id), 1)
        if self.queue.switch != switch:
            self._note(self._of_drafts, "draft_queue", -1, switch_row(switch))
            self._note(self._of_drafts, "draft_queue", 1, switch_row(self.queue.switch))

    def _draft(self, draft_id: str | None) -> Draft | None:
        try:
            return None if draft_id is None else self.queue[draft_id]
        except DraftMissingError:
            return None

    def _note_record(self, before: Record | None, after: Record | None) -> None:
        """Note a record and its pending changes, of which most have stayed what they were."""
        rows = {-1: before, 1: after}
        changes = {
            sign: {} if record is None else {id(change): change for change in record.changes}
            for sign, record in rows.items()
        }
        for sign, record in rows.items():
            if record is None:
                continue
            self._note(self._of_records, "records", sign, row_of(record))
            for known in changes[sign].keys() - changes[-sign].keys():
                row = change_row(record.ref, changes[sign][known])
                self._note(self._of_records, "record_changes", sign, row)

    def _note_draft(self, draft: Draft | None, sign: int) -> None:
        self._note(self._of_drafts, "drafts", sign, None if draft is None else draft_row(draft))

    @staticmethod
    def _note(digest: Digest, table: str, sign: int, row: tuple[object, ...] | None) -> None:
        if row is not None:
            digest.note(table, sign, row)

    def digests(self) -> list[bytes]:
        """Return the digests of the views that have a home in memory, in their order."""
        return [self._of_records.value(), self._of_drafts.value()]

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows that the tables must hold."""
        switch = switch_row(self.queue.switch)
        return {
            "records": [row_of(record) for record in self.records.values()],
            "record_changes": [
                change_row(record.ref, change)
                for record in self.records.values()
                for change in record.changes
            ],
            "drafts": list(map(draft_row, self.queue)),
            "draft_queue": [] if switch is None else [switch],
        }
