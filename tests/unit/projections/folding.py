"""What views must say, worked out from the entries alone; and journals that hold given entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.events import Entry, NewEntry
from journal.record import Record, fold
from journal.staging import Facts
from projections import RecordDrafts, RecordView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from journal import Journal, Ref
    from journal.events import Event


def append(journal: Journal, entries: Sequence[Entry]) -> None:
    """Append the entries of a history in one transaction."""
    new = [NewEntry(*(getattr(entry, name) for name in NewEntry._fields)) for entry in entries]
    if new:
        journal.log.append(new)


def note(journal: Journal, ref: Ref, *events: Event) -> None:
    """Append events of a record as a subscriber does."""
    journal.note(ref, lambda _: events, Facts("sync", "van-7"))


def record_of(entries: Iterable[Entry], ref: Ref) -> Record:
    """Return the record as folded."""
    return fold(ref, [entry for entry in entries if entry.stream == ref])


def view_of(record: Record) -> RecordView | None:
    """Return what `Records` must say of the record, or None where it is not there."""
    if record.fields is None:
        return None
    kinds = [change.kind for change in record.changes]
    drafts = RecordDrafts(
        created=kinds[:1] == ["create"],
        edited=len(kinds) > (kinds[:1] == ["create"]) + (kinds[-1:] == ["delete"]),
        deleted=kinds[-1:] == ["delete"],
        server=record.remote.fields if record.remote.exists else None,
        ids=tuple(change.draft_id for change in record.changes),
    )
    remote = record.remote
    return RecordView(
        record.ref, record.version, record.fields, remote.remote_id, remote.version, drafts
    )
