"""Floor 4: decisions about drafts: retry, amend, discard; pure.

Each is handed the record as it is, or the queue, and refuses or returns events. It knows nothing
of logs, clocks, ids or remotes.

- V1. A decision that was carried out before returns no events: it is safe to try again.
- V2. A draft of which a request may have been applied is neither amended nor, unless somebody
  insists, discarded.
- V3. Nothing that is left in the queue refers to a record whose create has fallen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.errors import (
    DanglingReferenceError,
    DraftMissingError,
    DraftStateError,
)
from journal.events import (
    DraftAmended,
    DraftDiscarded,
    DraftRetried,
    Event,
)
from journal.record import (
    Change,
    Record,
    checked_references,
)
from journal.values import Fields, Ref, places_of, references, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from journal.drafts import Draft


def pending(record: Record, draft_id: str) -> Change:
    """Return the pending change of the record that is the draft.

    Raises:
        DraftMissingError: there is none.
    """
    change = record.change(draft_id)
    if change is None:
        raise DraftMissingError(draft_id)
    return change


def is_maybe_applied(change: Change) -> bool:
    """Say whether a request of the draft may have been applied, and nobody knows."""
    return change.state == "sending" or change.held_as == "unknown"


# --- retry, amend ----------------------------------------------------------------------------


def retry(record: Record, draft_id: str) -> tuple[Event, ...]:
    """Return the events of sending a held draft again; none where it is not held (V1).

    Raises:
        DraftMissingError: it is not pending.
    """
    change = pending(record, draft_id)
    return (DraftRetried(draft_id=draft_id),) if change.state == "held" else ()


def amendable(record: Record, draft_id: str) -> Change:
    """Return the change that is to be amended (V2).

    Raises:
        DraftMissingError: it is not pending.
        DraftStateError: it has no fields, or may have been applied.
    """
    change = pending(record, draft_id)
    if change.kind == "delete":
        raise refused(record, change, "a delete has no fields", "retry it, or discard it")
    if is_maybe_applied(change):
        problem = "a request of it may have been applied, so that it can no longer be amended"
        hint = (
            "let the subscriber find out first; or resolve it as applied, and update the record"
            if change.state == "sending"
            else "resolve it as applied, retry it, or discard it by force"
        )
        raise refused(record, change, problem, hint)
    return change


def amend(
    record: Record, change: Change, fields: Fields, targets: Mapping[Ref, Record]
) -> tuple[Event, ...]:
    """Return the events of sending a draft with these fields in place of its own.

    Args:
        record: the record.
        change: its draft, which is amendable.
        fields: all that it is to set.
        targets: the records that these fields refer to.

    Raises:
        DraftStateError: an update would set nothing.
        DanglingReferenceError: it would refer to a record that is not there, or not there yet.
    """
    if same(fields, change.fields):
        return ()
    if not fields and change.kind == "update":
        raise refused(record, change, "nothing of it would be left", "discard it")
    given = {
        name: value
        for name, value in fields.items()
        if not (name in change.fields and same(value, change.fields[name]))
    }
    check_targets(record, change, given, targets)
    return (
        DraftAmended(
            draft_id=change.draft_id,
            revision=change.revision + 1,
            fields=fields,
            references=places_of("fields", fields),
        ),
    )


def check_targets(
    record: Record, change: Change, given: Fields, targets: Mapping[Ref, Record]
) -> None:
    """Refuse values that refer to a record that the remote will not have by then.

    Raises:
        DanglingReferenceError: one does.
    """
    checked_references(record.ref, given, targets)
    for place, target in references(given):
        first = next(iter(targets[target].changes), None)
        if first is None or first.kind != "create":
            continue
        if first.position > change.position:
            problem = "is created later than this draft is sent"
            raise DanglingReferenceError(record.ref, place, target, problem)
        if first.draft_id == change.draft_id and not record.remote.exists:
            raise DanglingReferenceError(record.ref, place, target, "is what this draft creates")


# --- discard ---------------------------------------------------------------------------------


def falling(drafts: Iterable[Draft], draft_id: str) -> tuple[Draft, ...]:
    """Return the draft and all that fall with it if it is discarded, in order (V3).

    With a create fall every later draft of the record, and every later draft that refers to it,
    directly or not; with any other draft nothing does.

    Raises:
        DraftMissingError: no pending draft has that id.
    """
    fallen: list[Draft] = []
    lost: set[Ref] = set()
    for draft in drafts:
        if draft.draft_id == draft_id or not lost.isdisjoint((draft.ref, *draft.targets)):
            fallen.append(draft)
            if draft.kind == "create":
                lost.add(draft.ref)
    if not fallen:
        raise DraftMissingError(draft_id)
    return tuple(fallen)


def discard(
    record: Record, draft_id: str, *, cause: str | None = None, is_forced: bool = False
) -> tuple[Event, ...]:
    """Return the events of never sending a draft (V2).

    Args:
        record: the record.
        draft_id: its draft.
        cause: the draft that it falls with; None where it is discarded itself.
        is_forced: whether somebody insists.

    Raises:
        DraftMissingError: it is not pending.
        DraftStateError: a request of it may have been applied.
    """
    change = pending(record, draft_id)
    is_risky = is_maybe_applied(change)
    if is_risky and not is_forced:
        problem = "a request of it may have been applied, and would not be undone"
        hint = "let the subscriber find out first, or discard it by force"
        raise refused(record, change, problem, hint)
    return (DraftDiscarded(draft_id=draft_id, cause=cause, maybe_applied=is_risky),)


def refused(record: Record, change: Change, problem: str, hint: str) -> DraftStateError:
    """Return the error that says in which state the draft is."""
    held = f"held as {change.held_as}" if change.held_as else change.state
    return DraftStateError(change.draft_id, record.ref, held, problem, hint=hint)
