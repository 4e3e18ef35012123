"""What settles a draft that was sent, and what became of the draft once that is appended.

- S3. A draft is acknowledged only by the event that says how that is known.
- What was seen of the record since the draft was begun, and is newer than the receipt, is decided
  with it (N1); what was seen since the remote was asked lets nothing be decided on its answer (N3).

It does no I/O: it decides on the record as it is when the events are appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.conflicts import Resolved
from journal.errors import RefusedError
from journal.events import ConflictResolved, DraftHeld, FieldMessage
from journal.outcomes import Acknowledged, Refused
from journal.resolutions import settled
from journal.values import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.drafts import Draft
    from journal.events import Event
    from journal.outcomes import Outcome, Settled
    from journal.policies import Policies
    from journal.record import Change, Record
    from journal.values import Ref

_WHY: Final = {
    "conflict": "the remote has another state of the record than the draft was made on",
    "gone": "the remote no longer has the record",
}
"""The reason, in the envelope, of what became of a draft that stood in a conflict."""


class Verdict:
    """What settles a draft, and what became of the draft once that is appended."""

    def __init__(
        self,
        draft: Draft,
        outcome: Settled,
        attempts: int,
        conflicts: Policies,
        as_seen: Callable[[Record, Change, Sequence[Event]], Sequence[Event]],
    ) -> None:
        """Begin with what settles it.

        Args:
            draft: that was sent.
            outcome: what settles it.
            attempts: how often it was tried to be sent.
            conflicts: decide what is in a conflict.
            as_seen: returns what settles it with what was seen of the record meanwhile.
        """
        self.draft = draft
        self.outcome = outcome
        self.events: Sequence[Event] = ()
        """What was decided when it was appended; nothing where somebody else was first."""
        self._attempts = attempts
        self._conflicts = conflicts
        self._as_seen = as_seen

    @property
    def reason(self) -> str | None:
        """Why it is so, for the envelope."""
        outcome = self.outcome
        if isinstance(outcome, Acknowledged):
            return outcome.note
        return _WHY.get(outcome.classification)

    def decide(self, record: Record, change: Change) -> Sequence[Event]:
        """Return the events of what settles the draft, on its record as it is then."""
        events = settled(record, change, self.outcome, self._attempts, self._conflicts)
        self.events = self._as_seen(record, change, events)
        return self.events

    @property
    def became(self) -> Outcome | Resolved | None:
        """What became of the draft."""
        outcome = self.outcome
        match self.events[-1] if self.events else None:
            case None:
                return None
            case ConflictResolved() as event:
                return Resolved(event.kind, event.fields, event.resolutions, self.reason or "")
            case DraftHeld(messages=messages) if isinstance(outcome, Refused):
                return outcome._replace(messages=messages)
            case _:
                return outcome


def storable(outcome: Settled, ref: Ref) -> Settled:
    """Return the outcome with what a read has shown as it can be kept, or without it."""
    if isinstance(outcome, Acknowledged) or outcome.seen is None or outcome.seen.fields is None:
        return outcome
    try:
        fields = freeze(outcome.seen.fields, record=ref)
    except RefusedError as error:
        said = FieldMessage(message=f"the remote's record cannot be kept: {error}")
        return outcome._replace(messages=(*outcome.messages, said), seen=None)
    return outcome._replace(seen=outcome.seen._replace(fields=fields))
