"""What a sender reads from the journal, and notes in it; every function may block.

- S2. `PushStarted` is durable before the first request of a draft leaves.
- S3. A draft is acknowledged only by the event that says how that is known, and that event is
  appended before the next request leaves: together with the beginning of the next draft, where
  nothing speaks against that one, so that a draft costs one durable append.
- S6. So many rejections in a row stop the queue, durably: who configured it wrongly must not
  burn through it.
- S7. Everything that it appends is appended with the fence of its lease: whoever has lost the
  lease appends nothing (O1).
- S9. A remote that has seen our key with another content stops the queue, in the append that
  holds the draft: it is our fault, or somebody tampers.

It knows nothing of requests and answers, nor of waits.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from journal.conflicts import Resolved
from journal.drafts import Hold, Queue
from journal.errors import RefusedError
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftHeld,
    FieldMessage,
    PushStarted,
    QueueStopped,
)
from journal.explanation import hold_text, name_of
from journal.outcomes import Acknowledged, Refused
from journal.record import base_version
from journal.remotes.remote import Push
from journal.resolutions import settled
from journal.staging import Facts
from journal.values import freeze, references

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.checkpoint import Checkpoint
    from journal.commands import Note
    from journal.drafts import Draft
    from journal.events import Entry, Event
    from journal.journal import Journal
    from journal.outcomes import Outcome, Settled
    from journal.record import Change, Record
    from journal.sync.lease import Other, SenderLease
    from journal.sync.settings import Settings
    from journal.values import Ref

ACTOR: Final = "sync"
"""Who acknowledges and holds, in the envelope of what a subscriber appends."""
ENTRIES_AT_ONCE: Final = 1000
SAVE_EVERY: Final = 500
"""After how many drafts it is noted how far they are settled, in case the end is not reached."""
MAX_PROBLEM: Final = 1000
"""How many characters say why the queue was stopped."""
_WHY: Final = {
    "conflict": "the remote has another state of the record than the draft was made on",
    "gone": "the remote no longer has the record",
}
"""The reason, in the envelope, of what became of a draft that stood in a conflict."""


class Ledger:
    """The queue as a sender has it, and what it notes of its drafts."""

    def __init__(
        self, journal: Journal, lease: SenderLease, settings: Settings, checkpoint: Checkpoint
    ) -> None:
        """Begin where the checkpoint says that everything before is settled."""
        self._journal = journal
        self._lease = lease
        self._settings = settings
        self._checkpoint = checkpoint
        self.queue = Queue(position=checkpoint.load())
        self._unsent: str | None = None
        """The draft of which it is known that none of its requests has left."""
        self._unsaved = 0
        self._epoch = 0

    # --- reading -------------------------------------------------------------------------

    def next(self) -> Draft | None:
        """Return the draft to send now, after folding in what was appended since."""
        self._catch_up()
        if self._lease.fence is not None and self._has_tripped(self.queue):
            facts = Facts(ACTOR, self._journal.origin)
            self._journal.note_on_queue(self._tripped, facts, self._lease.fence)
            self._catch_up()
        if self._unsaved >= SAVE_EVERY:
            self.save()
        return self.queue.next_to_send(self._settings.on_held)

    def _catch_up(self) -> None:
        for entry in self._journal.log.scan(self.queue.position, page=ENTRIES_AT_ONCE):
            self.queue.apply(entry)

    def lead(self) -> Other | None:
        """Take the lease, or keep it; return who else has it, if somebody does."""
        other = self._lease.attempt()
        fence = self._lease.fence
        if fence is not None and fence.epoch != self._epoch:
            if fence.epoch != self._epoch + 1:
                self._unsent = None  # another sender was there, and may have sent it
            self._epoch = fence.epoch
        return other

    def save(self) -> None:
        """Keep where to begin the next time.

        It reads no further: a draft that was appended since `next` looked must be seen by
        `next`, or else the wait for the next entry would begin behind it.
        """
        self._checkpoint.save(self.queue.low_water)
        self._unsaved = 0

    # --- before a push, and after it -----------------------------------------------------

    def started(self, draft: Draft) -> Push | None:
        """Note that the draft is about to leave (S2); None where it is pending no more."""
        if not draft.is_maybe_applied:
            started = PushStarted(draft_id=draft.draft_id, revision=draft.revision)
            if not self._noted([self._note(draft, lambda _record, _change: (started,))]):
                return None
        record = self._journal.kept(draft.ref)
        change = record.change(draft.draft_id)
        if change is None:
            return None
        known = [change.fields, change.base, record.fields, record.remote.fields]
        targets = {target for _, target in references(known)}
        return Push(
            draft.draft_id,
            draft.ref,
            change.kind,
            change.fields,
            change.base,
            base_version(record, change),
            change.revision,
            draft.is_maybe_applied and draft.draft_id != self._unsent,
            record,
            {target: self._journal.kept(target) for target in targets},
            change.is_doubted,
            self._age_s(change),
            change.made,
        )

    def _age_s(self, change: Change) -> float:
        """Return how long ago the first request of a draft left, by the clock on the wall."""
        if change.first_sent_at is None:
            return 0.0
        return max(self._journal.sources.clock.now_us() - change.first_sent_at, 0) / 1_000_000

    def leaves(self, draft: Draft, *, has_left: bool) -> None:
        """Note whether a request of the draft may have left, as far as is known here."""
        self._unsent = None if has_left else draft.draft_id

    def settled(
        self, draft: Draft, outcome: Settled, attempts: int, *, with_next: bool
    ) -> Outcome | Resolved | None:
        """Append what became of a draft; return it, or how a conflict was resolved.

        Args:
            draft: the draft.
            outcome: what settles it.
            attempts: how often it was tried to be sent.
            with_next: whether the next draft is begun, and durable at once (S2, S3).

        Returns:
            None where somebody else has settled the draft.
        """
        outcome = _storable(outcome, draft.ref)
        events: Sequence[Event] = ()

        def decision(record: Record, change: Change) -> Sequence[Event]:
            nonlocal events
            events = settled(record, change, outcome, attempts, self._settings.conflicts)
            return events

        notes = [self._note(draft, decision, _reason(outcome))]
        if isinstance(outcome, Refused) and outcome.is_alarm:
            notes.append(self._alarm(draft, outcome, lambda: bool(events)))
        following = self._following(draft) if with_next else None
        if following is not None:
            started = PushStarted(draft_id=following.draft_id, revision=following.revision)
            notes.append(self._note(following, lambda _record, _change: (started,)))
            if any(e.event == started for e in self._noted(notes)):
                self._unsent = following.draft_id  # begun, and no request of it has left
        else:
            self._noted(notes)
        if not events:
            return None
        self._unsaved += 1
        match events[-1]:
            case ConflictResolved() as event:
                return Resolved(event.kind, event.fields, event.resolutions, _reason(outcome) or "")
            case DraftHeld(messages=messages) if isinstance(outcome, Refused):
                return outcome._replace(messages=messages)
            case _:
                return outcome

    def _following(self, draft: Draft) -> Draft | None:
        """Return the draft that comes next once this one is acknowledged, if that is plain."""
        self._catch_up()
        if self.queue.switch.stop is not None:
            return None
        first_two = list(islice(self.queue, 2))
        if len(first_two) < 2 or first_two[0].draft_id != draft.draft_id:  # noqa: PLR2004
            return None
        return None if first_two[1].is_maybe_applied else first_two[1]

    # --- the switch of the queue ---------------------------------------------------------

    def _has_tripped(self, queue: Queue) -> bool:
        """Say whether so many drafts in a row were rejected that something else must be wrong."""
        most = self._settings.rejections
        return most is not None and queue.switch.rejections >= most and not queue.switch.stop

    def _tripped(self, queue: Queue) -> tuple[Event, ...]:
        """Return the events of stopping a queue in which too much is rejected (S6)."""
        if not self._has_tripped(queue):
            return ()
        rejected = [d for d in queue if d.hold and d.hold.classification == "rejected"]
        last = (
            f", such as {name_of(rejected[-1])}: {hold_text(rejected[-1].hold)}" if rejected else ""
        )
        problem = f"{queue.switch.rejections} drafts in a row were rejected{last}"
        return (QueueStopped(cause="rejections", problem=problem[:MAX_PROBLEM]),)

    def _alarm(self, draft: Draft, outcome: Refused, is_held: Callable[[], bool]) -> Note:
        """Return the stop of the queue, in the append that holds the draft (S9)."""
        said = hold_text(Hold("unknown", outcome.messages, outcome.status, ""))
        problem = (
            f"the remote has seen the key of {name_of(draft)} with another content: "
            f"somebody else uses the key, or it was changed on the way: {said}"
        )
        stopped = QueueStopped(cause="rejections", problem=problem[:MAX_PROBLEM])

        def decision(_: Record) -> Sequence[Event]:
            return (stopped,) if is_held() and self.queue.switch.stop is None else ()

        facts = Facts(ACTOR, self._journal.origin, causation_id=draft.draft_id)
        return QUEUE, decision, facts

    # --- appending -----------------------------------------------------------------------

    def _noted(self, notes: Sequence[Note]) -> Sequence[Entry]:
        """Append what was learned, as the sender that has the lease (S7)."""
        entries = self._journal.note_together(notes, self._lease.held())
        if entries and entries[0].position == self.queue.position + 1:
            for entry in entries:
                self.queue.apply(entry)  # nobody else wrote in between: no need to read it again
        else:
            self._catch_up()
        return entries

    def _note(
        self,
        draft: Draft,
        decide: Callable[[Record, Change], Sequence[Event]],
        reason: str | None = None,
    ) -> Note:
        """Return what is to be appended if the draft is still as it was sent."""

        def decision(record: Record) -> Sequence[Event]:
            change = record.change(draft.draft_id)
            if change is None or change.revision != draft.revision or change.state == "held":
                return ()
            return decide(record, change)

        origin = self._journal.origin
        facts = Facts(ACTOR, origin, causation_id=draft.draft_id, reason=reason)
        return draft.ref, decision, facts


def _reason(outcome: Settled) -> str | None:
    """Return what the envelope says of how a draft was settled, where there is something to say."""
    if isinstance(outcome, Acknowledged):
        return outcome.note
    return _WHY.get(outcome.classification)


def _storable(outcome: Settled, ref: Ref) -> Settled:
    """Return the outcome with what a read has shown as it can be kept, or without it."""
    if isinstance(outcome, Acknowledged) or outcome.seen is None or outcome.seen.fields is None:
        return outcome
    try:
        fields = freeze(outcome.seen.fields, record=ref)
    except RefusedError as error:
        said = FieldMessage(message=f"the remote's record cannot be kept: {error}")
        return outcome._replace(messages=(*outcome.messages, said), seen=None)
    return outcome._replace(seen=outcome.seen._replace(fields=fields))
