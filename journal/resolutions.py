"""Floor 4: conflicts of drafts: decided by policies when they are met, or by a person; pure.

It knows nothing of logs, clocks, ids or remotes.

- V4. One draft is resolved by policies `MAX_RESOLUTIONS` times in a row at most, then held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from journal import conflicts
from journal.conflicts import Conflict, Resolved, Unresolved
from journal.decisions import check_targets, is_maybe_applied, pending, refused
from journal.errors import (
    ConflictUnresolvedError,
    PolicyError,
    RefusedError,
    shown,
)
from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftHeld,
    Event,
    FieldMessage,
)
from journal.outcomes import Acknowledged, Refused, Seen, settle
from journal.policies import Policies, decided
from journal.record import (
    Change,
    ObserveRecord,
    Record,
    decide,
    evolve,
    fields_before,
    initial,
)
from journal.values import Fields, Ref, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from journal.conflicts import PolicyName, Verdict
    from journal.events import Entry
    from journal.outcomes import Settled

MAX_RESOLUTIONS: Final = 5
"""How often in a row policies may resolve one draft: a remote that is always faster ends it."""


# --- resolve ---------------------------------------------------------------------------------


class Choice(NamedTuple):
    """How a person resolves a draft."""

    policy: PolicyName | None = None
    fields: Fields = {}  # noqa: RUF012  a NamedTuple's default, never written to
    is_applied: bool = False
    remote_id: str | None = None
    remote_version: str | None = None

    def checked(self, draft_id: str) -> Choice:
        """Return the choice, which must be one.

        Raises:
            RefusedError: it says nothing, or two things.
            PolicyError: it names a policy that decides nothing.
        """
        if self.policy not in {None, "merge", "ours", "theirs"}:
            raise PolicyError(draft_id, self.policy)
        if self.is_applied == bool(self.policy or self.fields):
            raise RefusedError(
                f"it is not said how draft {shown(draft_id)} is decided",
                hint="name a policy, or give values; or say that it is applied, and neither",
            )
        return self


def resolve(
    record: Record, draft_id: str, choice: Choice, targets: Mapping[Ref, Record]
) -> tuple[Event, ...]:
    """Return the events of a person's decision on a draft that is held, or maybe applied.

    A side is taken only where both are known (V2, V3): a draft that is held as unknown may have
    been applied, and where it is a create, there may be no record that what follows refers to.

    Raises:
        DraftMissingError: it is not pending.
        DraftStateError: it is in no conflict, or not in doubt.
        ConflictUnresolvedError: fields are left open.
        DanglingReferenceError: a value refers to a record that is not there.
    """
    change = pending(record, draft_id)
    if choice.is_applied:
        return (_applied(record, change, choice),)
    conflict = conflict_of(record, change, _theirs(record))
    if change.held_as not in {"conflict", "gone"}:
        if change.resolved:
            return ()
        raise refused(record, change, "it is not held in a conflict", _instead(change))
    if choice.fields and (change.kind == "delete"):
        raise refused(record, change, "a delete takes no values", "decide for ours or theirs")
    check_targets(record, change, choice.fields, targets)
    verdict = _chosen(conflict, choice)
    if isinstance(verdict, Unresolved):
        messages = {message.field: message.message for message in verdict.messages}
        raise ConflictUnresolvedError(draft_id, record.ref, messages)
    version = record.remote.version
    return (conflicts.event_of(conflict, change.revision + 1, version, verdict),)


def _instead(change: Change) -> str:
    """Return how to decide about a draft that is in no conflict."""
    if change.held_as == "unknown":  # what the remote has is not known: there are no two sides yet
        return "look there, and resolve it as applied; or retry it, which looks, or discard it"
    return "amend it, retry it, or discard it" if change.state == "held" else "let it be sent"


def _applied(record: Record, change: Change, choice: Choice) -> Event:
    """Return the receipt of a draft of which a person says that the remote has it."""
    if not is_maybe_applied(change):
        problem = "nothing of it has left whose outcome is not known"
        raise refused(record, change, problem, "let it be sent, or discard it")
    remote_id = choice.remote_id or record.remote.remote_id or record.ref.id
    return DraftAcknowledged(
        draft_id=change.draft_id,
        revision=change.revision,
        remote_id=remote_id,
        remote_version=choice.remote_version,
        evidence="person",
    )


def _theirs(record: Record) -> Fields | None:
    """Return the record as the remote last showed it; None where it no longer has it."""
    return None if record.remote.exists is False else record.remote.fields


def _chosen(conflict: Conflict, choice: Choice) -> Verdict:
    policy = choice.policy or "merge"
    if not choice.fields:
        return conflicts.as_a_whole(conflict, policy)
    if conflict.remote is None:
        if policy == "theirs":
            text = "the remote no longer has the record: there is nothing to give values to"
            return Unresolved((FieldMessage(message=text),))
        again = conflict._replace(whole={**conflict.whole, **choice.fields})
        return conflicts.as_a_whole(again, "ours", "a person's values")
    names = dict.fromkeys(conflict.disputed, (policy, policy))
    values = {name: (value, "a person's value") for name, value in choice.fields.items()}
    return conflicts.chosen(conflict, names, values)


def conflict_of(record: Record, change: Change, remote: Fields | None) -> Conflict:
    """Return the conflict of a draft with the record as the remote has it."""
    whole = {**fields_before(record, change), **change.fields}
    return Conflict(
        record.ref, change.draft_id, change.kind, change.base, change.fields, remote, whole
    )


# --- what an outcome is ----------------------------------------------------------------------


def settled(
    record: Record, change: Change, outcome: Settled, attempts: int, policies: Policies
) -> Sequence[Event]:
    """Return the events of what became of a draft: conflicts are decided by the policies.

    What a read has shown of the record is noted first, so that the decision can be followed.

    Args:
        record: the record as it is.
        change: its draft, as it was sent.
        outcome: what became of it.
        attempts: how often it was tried to be sent, at least 1.
        policies: decide what is disputed.
    """
    event = settle(change.draft_id, change.revision, outcome, attempts)
    seen = None if isinstance(outcome, Acknowledged) else _seen(outcome)
    if seen is None or isinstance(outcome, Acknowledged):
        return (event,)
    remote_id = seen.remote_id or record.remote.remote_id
    if seen.fields is not None:
        remote_id = remote_id or record.ref.id
    observed = ObserveRecord(record.ref, seen.fields, remote_id, seen.remote_version)
    noted = decide(record, observed, {})
    conflict = conflict_of(record, change, seen.fields)
    verdict = _verdict(conflict, change, policies)
    if isinstance(verdict, Resolved):
        revision = change.revision + 1
        return (*noted, conflicts.event_of(conflict, revision, seen.remote_version, verdict))
    messages = tuple(dict.fromkeys((*verdict.messages, *outcome.messages)))
    held = settle(change.draft_id, change.revision, outcome._replace(messages=messages), attempts)
    return (*noted, held)


def _seen(outcome: Refused) -> Seen | None:
    """Return what is known of the remote's record, where that is what the draft is refused for."""
    if outcome.classification == "gone":
        return outcome.seen or Seen(None)
    return outcome.seen if outcome.classification == "conflict" else None


def _verdict(conflict: Conflict, change: Change, policies: Policies) -> Verdict:
    if change.resolved >= MAX_RESOLUTIONS:
        text = (
            f"it was resolved {change.resolved} times, and the remote was changed again each time"
        )
        return Unresolved((FieldMessage(message=text),))
    return decided(conflict, policies)


# --- a dry run -------------------------------------------------------------------------------


class WhatIf(NamedTuple):
    """A conflict of the past, what was decided, and what other policies would have."""

    position: int
    """Of the entry that says what was decided."""
    conflict: Conflict
    decided: ConflictResolved | None
    """None where the draft was held instead."""
    verdict: Verdict

    @property
    def is_same(self) -> bool:
        """Whether the same would be sent, or the draft would be held as it was."""
        if self.decided is None or isinstance(self.verdict, Unresolved):
            return self.decided is None and isinstance(self.verdict, Unresolved)
        is_kind = self.verdict.kind == self.decided.kind
        return is_kind and same(self.verdict.fields, self.decided.fields)


def what_if(entries: Iterable[Entry], policies: Policies) -> Iterator[WhatIf]:
    """Yield each conflict in a log with what these policies would have decided.

    Args:
        entries: of a log from its beginning, such as ``journal.log.scan()``.
        policies: to be tried; nothing is changed.
    """
    known: dict[Ref, Record] = {}
    for entry in entries:
        record = known.get(entry.stream, initial(entry.stream))
        event = entry.event
        is_hold = isinstance(event, DraftHeld) and event.classification in {"conflict", "gone"}
        if isinstance(event, ConflictResolved | DraftHeld):
            change = record.change(event.draft_id)
            if change is not None and (is_hold or isinstance(event, ConflictResolved)):
                made = event if isinstance(event, ConflictResolved) else None
                conflict = conflict_of(record, change, _theirs(record))
                verdict = decided(conflict, policies)
                yield WhatIf(entry.position, conflict, made, verdict)
        known[entry.stream] = evolve(record, entry)
