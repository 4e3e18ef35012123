"""Floor 3: one record, as the fold of its stream, and the decisions about it; pure.

It knows nothing of queues, of other records, of logs, clocks or ids: `decide` is handed a
record and a command and refuses or returns events; `evolve` never refuses.

- R1. `fields` is always the remote's fields with the pending changes laid over them in order.
- R2. A command that was carried out before returns no events: it is safe to try again. A create
  is refused where the record exists, which its caller may know to be its own doing, and where
  it has been deleted since: nobody is to believe that it is there.
- R3. `evolve(fold(a), b) == fold(a + [b])`, and neither changes what it was given.
- R4. A delete is the last of the pending changes: nothing is changed after it.
- R5. The base of a change is what its author saw: where an earlier pending change of the record
  gets other fields, or falls away, by a decision made here, the bases of those after it follow.
  So they do where the remote has made the record: what it has given a value itself is nobody
  else's edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from journal.errors import (
    DanglingReferenceError,
    RecordDeletedError,
    RecordExistsError,
    RecordMissingError,
)
from journal.events import (
    ChangeKind,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    DraftState,
    Entry,
    HoldClass,
    PushStarted,
    QueueStarted,
    QueueStopped,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)
from journal.values import Fields, Ref, copied, places_of, references, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from journal.events import Event


class Made(NamedTuple):
    """When, by whom, where and why a change was made, as its envelope says."""

    occurred_at: int
    """In microseconds since 1970 in UTC."""
    actor: str
    origin: str
    reason: str | None


class Change(NamedTuple):
    """A local change of the record that is still pending."""

    draft_id: str
    position: int
    kind: ChangeKind
    fields: Fields
    """The fields that it sets; none for a delete."""
    base: Fields
    base_version: str | None
    based_at: int
    """The position of the entry that set the base."""
    revision: int = 0
    state: DraftState = "pending"
    held_as: HoldClass | None = None
    """How a held one was refused."""
    resolved: int = 0
    """How often in a row, without a hold in between, a conflict of it was resolved."""
    first_sent_at: int | None = None
    """When its first request was about to leave, in microseconds since 1970 in UTC."""
    is_doubted: bool = False
    """Whether it was last held as unknown: an earlier request of it may have been applied."""
    made: Made | None = None
    """When, by whom and where it was made; None where only its effects are known."""


class Remote(NamedTuple):
    """What the remote last said of the record, pulled or acknowledged."""

    exists: bool | None = None
    """None as long as nothing was heard of it."""
    fields: Fields = {}  # noqa: RUF012  a NamedTuple's default, never written to
    remote_id: str | None = None
    version: str | None = None
    receipt: int = 0
    """The position of our last acknowledgement, from which `receipt_version` is."""
    receipt_version: str | None = None


class Record(NamedTuple):
    """The local state of a record."""

    ref: Ref
    version: int = 0
    """The version of its stream; 0 for a record that the journal has never heard of."""
    remote: Remote = Remote()
    changes: tuple[Change, ...] = ()
    """The pending changes in the order in which they were made."""
    fields: Fields | None = None
    """The fields as they are here; None where there is no such record."""

    @property
    def is_deleted(self) -> bool:
        """Whether a delete is pending, or the record is gone."""
        return self.fields is None or bool(self.changes and self.changes[-1].kind == "delete")

    def change(self, draft_id: str) -> Change | None:
        """Return the pending change with that draft id."""
        for change in self.changes:
            if change.draft_id == draft_id:
                return change
        return None


def detached(record: Record) -> Record:
    """Return a record that shares nothing with this one that can change."""
    remote = record.remote._replace(fields=copied(record.remote.fields))
    changes = tuple(
        [
            change._replace(fields=copied(change.fields), base=copied(change.base))
            for change in record.changes
        ]
    )
    fields = None if record.fields is None else copied(record.fields)
    return Record(record.ref, record.version, remote, changes, fields)


def initial(ref: Ref) -> Record:
    """Return the record before its first event."""
    return Record(ref)


def fold(ref: Ref, entries: Iterable[Entry]) -> Record:
    """Return the record after these entries of its stream."""
    return reduce(evolve, entries, initial(ref))


def evolve(record: Record, entry: Entry) -> Record:
    """Return the record after one more entry of its stream."""
    event = entry.event
    match event:
        case RecordUpdated(changes=fields, base=base, base_version=version):
            return _changed(record, entry, "update", fields, base, version)
        case DraftAcknowledged():
            return _acknowledged(record, entry, event)
        case RecordCreated(fields=fields):
            return _changed(record, entry, "create", fields, {}, None)
        case RecordDeleted(base=base, base_version=version):
            return _changed(record, entry, "delete", {}, base, version)
        case RecordObserved():
            return _relaid(record, entry.version, _observed(record.remote, event), record.changes)
        case DraftDiscarded() | ConflictResolved(kind=None):
            return _ended(record, entry, event)
        case DraftAmended() | ConflictResolved():
            return _amended(record, entry, event)
        case PushStarted() | DraftHeld() | DraftRetried():
            return _in_state(record, entry, event)
        case QueueStopped() | QueueStarted():
            return record._replace(version=entry.version)
        case _:
            assert_never(event)


def base_version(record: Record, change: Change) -> str | None:
    """Return the remote version that the change is to be conditional on.

    That is the version it was made on, or the one that our own later acknowledgement of an
    earlier change of the same record left behind; never one that a pull has seen since. It is
    None, so that the values are compared, where the record at that version had others than the
    change was made on: an earlier change of it then lay over them, and has fallen away.
    """
    remote = record.remote
    if remote.receipt > change.based_at:
        return remote.receipt_version
    is_as_seen = all(same(remote.fields.get(name), v) for name, v in change.base.items())
    return change.base_version if change.base_version != remote.version or is_as_seen else None


def fields_before(record: Record, change: Change) -> Fields:
    """Return the fields as they are before a pending change: what those before it leave."""
    is_based = record.remote.exists or record.changes[0].kind != "create"
    fields = record.remote.fields if is_based else None
    for earlier in record.changes[: record.changes.index(change)]:
        fields = _laid_over(fields, earlier)
    return fields or {}


def _changed(  # noqa: PLR0913, PLR0917  one for each part of a change
    record: Record,
    entry: Entry,
    kind: ChangeKind,
    fields: Fields,
    base: Fields,
    version: str | None,
) -> Record:
    at = entry.position
    made = Made(entry.occurred_at, entry.actor, entry.origin, entry.reason)
    change = Change(entry.event_id, at, kind, fields, base, version, at, made=made)
    changes = (*record.changes, change)
    laid_over = _laid_over(record.fields, change)
    return Record(record.ref, entry.version, record.remote, changes, laid_over)


def _laid_over(fields: Fields | None, change: Change) -> Fields | None:
    """Return the fields after the change; a delete leaves them to be looked at."""
    if change.kind == "delete":
        return fields
    return {**fields, **change.fields} if fields else change.fields


def _relaid(record: Record, version: int, remote: Remote, changes: tuple[Change, ...]) -> Record:
    """Return the record with its pending changes laid over another remote state (R1).

    Where the remote has lost the record, the changes that were made to it still lie over what
    it last was: local work does not vanish because somebody else deleted the record.
    """
    is_based = remote.exists or (changes and changes[0].kind != "create")
    fields = remote.fields if is_based else None
    for change in changes:
        fields = _laid_over(fields, change)
    return Record(record.ref, version, remote, changes, fields)


def _observed(remote: Remote, event: RecordObserved) -> Remote:
    if not event.exists:
        return remote._replace(exists=False, version=event.remote_version)
    seen = {**remote.fields, **event.fields} if event.partial else event.fields
    return remote._replace(
        exists=True,
        fields=seen,
        remote_id=event.remote_id or remote.remote_id,
        version=event.remote_version,
    )


def _acknowledged(record: Record, entry: Entry, event: DraftAcknowledged) -> Record:
    change = record.change(event.draft_id)
    if change is None:
        return record._replace(version=entry.version)
    remote = record.remote
    after = Remote(
        exists=change.kind != "delete",
        fields=_after_push(remote, change, event),
        remote_id=event.remote_id or remote.remote_id,
        version=event.remote_version,
        receipt=entry.position,
        receipt_version=event.remote_version,
    )
    if record.changes[0] is not change:
        left = tuple(other for other in record.changes if other is not change)
        return _relaid(record, entry.version, after, left)
    left = record.changes[1:]
    if change.kind == "create" and event.evidence == "answer" and event.fields is not None:
        left = _rebased(left, _given(change.fields, event.fields), event.fields)
    is_as_laid_over = change.kind == "update" or (change.kind == "create" and not remote.fields)
    if event.fields is None and is_as_laid_over:
        return Record(record.ref, entry.version, after, left, record.fields)
    return _relaid(record, entry.version, after, left)


def _given(sent: Fields, shown: Fields) -> set[str]:
    """Return the fields that the remote has given values when it made the record."""
    return {name for name in shown if name not in sent}


def _after_push(remote: Remote, change: Change, event: DraftAcknowledged) -> Fields:
    if change.kind == "delete":
        return {}
    if event.fields is not None:
        return event.fields
    if change.kind == "create":
        return change.fields
    return {**remote.fields, **change.fields}


def _in_state(
    record: Record, entry: Entry, event: PushStarted | DraftHeld | DraftRetried
) -> Record:
    """Return the record with one of its changes in another state; what it sets stays the same."""
    state: DraftState = "pending"
    held_as = None
    if isinstance(event, PushStarted):
        state = "sending"
    elif isinstance(event, DraftHeld):
        state, held_as = "held", event.classification
    at = next((n for n, c in enumerate(record.changes) if c.draft_id == event.draft_id), None)
    if at is None:
        return record._replace(version=entry.version)
    before, change, after = record.changes[:at], record.changes[at], record.changes[at + 1 :]
    resolved = 0 if state == "held" else change.resolved
    sent_at, is_doubted = change.first_sent_at, change.is_doubted
    if state == "sending":
        sent_at = sent_at or entry.occurred_at
    elif state == "held":
        is_doubted = held_as == "unknown"
    moved = change._replace(
        state=state,
        held_as=held_as,
        resolved=resolved,
        first_sent_at=sent_at,
        is_doubted=is_doubted,
    )
    return record._replace(version=entry.version, changes=(*before, moved, *after))


def _ended(record: Record, entry: Entry, event: DraftDiscarded | ConflictResolved) -> Record:
    """Return the record without one of its changes.

    Those after a discarded one follow what was before it (R5). One that has ended in a conflict
    has left the remote's values, which nobody has seen who made those after it: they are
    compared with them in their turn.
    """
    change = record.change(event.draft_id)
    if change is None:
        return record._replace(version=entry.version)
    at = record.changes.index(change)
    later = record.changes[at + 1 :]
    if isinstance(event, DraftDiscarded):
        later = _rebased(later, {*change.fields}, change.base)
    return _relaid(record, entry.version, record.remote, (*record.changes[:at], *later))


def _amended(record: Record, entry: Entry, event: DraftAmended | ConflictResolved) -> Record:
    """Return the record with other fields in one of its changes."""
    change = record.change(event.draft_id)
    if change is None:
        return record._replace(version=entry.version)
    fields = event.fields
    after = change._replace(
        fields=fields,
        revision=event.revision,
        state="pending",
        held_as=None,
        first_sent_at=None,
    )
    touched, left = {*change.fields, *fields}, {**change.base, **fields}
    if isinstance(event, ConflictResolved):
        after = after._replace(
            kind=event.kind or change.kind,
            base=event.theirs or {},
            base_version=event.remote_version,
            based_at=entry.position,
            resolved=change.resolved + 1,
        )
        touched = {each.field for each in event.resolutions if each.side == "value"}
    elif change.kind == "update":
        known = {**fields_before(record, change), **change.base}
        after = after._replace(base={name: known[name] for name in fields if name in known})
    at = record.changes.index(change)
    later = _rebased(record.changes[at + 1 :], touched, left)
    changes = (*record.changes[:at], after, *later)
    return _relaid(record, entry.version, record.remote, changes)


def _rebased(later: tuple[Change, ...], touched: set[str], left: Fields) -> tuple[Change, ...]:
    """Return changes as made on other values of fields than they were (R5).

    Args:
        later: the changes, in order.
        touched: the fields in question.
        left: what is in them before the first of these changes.
    """
    rebased = []
    for change in later:
        names = touched if change.kind == "delete" else touched & change.fields.keys()
        kept = {name: value for name, value in change.base.items() if name not in names}
        known = {name: left[name] for name in sorted(names) if name in left}
        rebased.append(change._replace(base=kept | known) if names else change)
        touched = touched - names
    return tuple(rebased)


# --- decisions ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateRecord:
    """Create the record with these fields."""

    ref: Ref
    fields: Fields


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """Set these fields of the record."""

    ref: Ref
    changes: Fields


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """Delete the record."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class ObserveRecord:
    """Note the remote's state of the record; `fields` None says that it has none."""

    ref: Ref
    fields: Fields | None
    remote_id: str | None = None
    remote_version: str | None = None
    partial: bool = False


Command: TypeAlias = CreateRecord | UpdateRecord | DeleteRecord | ObserveRecord


def decide(record: Record, command: Command, targets: Mapping[Ref, Record]) -> tuple[Event, ...]:
    """Return the events of carrying out the command; none where nothing is left to do (R2).

    Args:
        record: the record that the command is about.
        command: what to do.
        targets: the records that the command's fields refer to.

    Raises:
        RecordMissingError: it changes a record that was never created nor observed.
        RecordDeletedError: it changes or creates anew a record that is deleted.
        RecordExistsError: it creates a record that exists with other fields.
        DanglingReferenceError: it refers to a record that is not there.
    """
    match command:
        case CreateRecord(fields=fields):
            return _decide_create(record, fields, targets)
        case UpdateRecord(changes=changes):
            return _decide_update(record, changes, targets)
        case DeleteRecord():
            return _decide_delete(record)
        case ObserveRecord():
            return _decide_observe(record, command)
        case _:
            assert_never(command)


def _decide_create(
    record: Record, fields: Fields, targets: Mapping[Ref, Record]
) -> tuple[Event, ...]:
    if not record.is_deleted:
        raise RecordExistsError(record.ref)
    remote = record.remote
    if record.changes or remote.receipt or remote.remote_id or remote.fields:
        raise RecordDeletedError(record.ref)
    places = checked_references(record.ref, fields, targets)
    return (RecordCreated(fields=fields, references=within("fields", places)),)


def _decide_update(
    record: Record, changes: Fields, targets: Mapping[Ref, Record]
) -> tuple[Event, ...]:
    fields = _changeable(record)
    changes = {
        name: value
        for name, value in changes.items()
        if name not in fields or not same(value, fields[name])
    }
    if not changes:
        return ()
    base = {name: fields[name] for name in changes if name in fields}
    places = checked_references(record.ref, changes, targets)
    based = [place for place, _ in references(base)]
    return (
        RecordUpdated(
            changes=changes,
            base=base,
            base_version=record.remote.version,
            references=within("changes", places) + within("base", based),
        ),
    )


def _decide_delete(record: Record) -> tuple[Event, ...]:
    if record.version == 0:
        raise RecordMissingError(record.ref)
    if record.is_deleted:
        return ()
    base = record.fields or {}
    places = [place for place, _ in references(base)]
    return (
        RecordDeleted(
            base=base,
            base_version=record.remote.version,
            references=within("base", places),
        ),
    )


def _decide_observe(record: Record, command: ObserveRecord) -> tuple[Event, ...]:
    fields = command.fields or {}
    event = RecordObserved(
        exists=command.fields is not None,
        fields=fields,
        remote_id=command.remote_id,
        remote_version=command.remote_version,
        partial=command.partial,
        references=places_of("fields", fields),
    )
    remote = record.remote
    after = _observed(remote, event)
    is_known = remote._replace(fields={}) == after._replace(fields={})
    return () if is_known and same(remote.fields, after.fields) else (event,)


def _changeable(record: Record) -> Fields:
    """Return the fields of the record, which must be there to be changed."""
    if record.version == 0:
        raise RecordMissingError(record.ref)
    if record.fields is None or record.is_deleted:
        raise RecordDeletedError(record.ref)
    return record.fields


def checked_references(ref: Ref, fields: Fields, targets: Mapping[Ref, Record]) -> list[str]:
    """Return the places of the references, each of which leads to a record that is there.

    Raises:
        DanglingReferenceError: one does not.
    """
    places = []
    for place, target in references(fields):
        record = targets[target]
        if record.version == 0:
            raise DanglingReferenceError(ref, place, target, "is unknown")
        if record.is_deleted:
            raise DanglingReferenceError(ref, place, target, "is deleted")
        places.append(place)
    return places


def within(name: str, places: Iterable[str]) -> tuple[str, ...]:
    """Return the places in a part of an event as places in the event."""
    return tuple([f"/{name}{place}" for place in places])
