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
- What was seen of a record since its draft was begun, and is newer than the receipt, is noted
  once more in the append of the receipt (N1).

It knows nothing of requests and answers, nor of waits.
"""

from __future__ import annotations

from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Final

from journal.checkpoint import ACKNOWLEDGED, Checkpoint
from journal.drafts import Hold, Queue, draft_id_of
from journal.events import (
    QUEUE,
    DraftAcknowledged,
    DraftRetried,
    PushStarted,
    QueueStopped,
)
from journal.explanation import hold_text, name_of
from journal.outcomes import Refused
from journal.record import base_version
from journal.remotes.remote import Push, Turn
from journal.staging import Facts
from journal.sync.seen import SeenSince, is_other, seen_again
from journal.sync.turns import Turns
from journal.sync.verdict import Verdict, storable
from journal.values import references

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.commands import Note
    from journal.conflicts import Resolved
    from journal.drafts import Draft
    from journal.events import Entry, Event
    from journal.journal import Journal
    from journal.outcomes import Outcome, Settled
    from journal.record import Change, Record
    from journal.sync.lease import Other, SenderLease
    from journal.sync.settings import Settings

ACTOR: Final = "sync"
"""Who acknowledges and holds, in the envelope of what a subscriber appends."""
ENTRIES_AT_ONCE: Final = 1000
SAVE_EVERY: Final = 500
"""After how many drafts it is noted how far they are settled, in case the end is not reached."""
MAX_PROBLEM: Final = 1000
"""How many characters say why the queue was stopped."""
_NOT_CARRIED_OUT: Final = "the remote did not carry it out"
"""The reason, in the envelope, of what is pending again for it did not go with others."""


class Ledger:
    """The queue as a sender has it, and what it notes of its drafts."""

    def __init__(
        self,
        journal: Journal,
        lease: SenderLease,
        settings: Settings,
        checkpoint: Checkpoint,
        *,
        binds: bool = False,
    ) -> None:
        """Begin where the checkpoint says that everything before is settled.

        Args:
            journal: that has the drafts.
            lease: without which nothing is appended.
            settings: of the subscriber.
            checkpoint: says up to where all is settled.
            binds: whether the drafts of one batch are sent together or not at all.
        """
        self._journal = journal
        self._lease = lease
        self._settings = settings
        self._checkpoint = checkpoint
        self.queue = Queue(position=checkpoint.load(), binds=binds)
        self._acknowledged = Checkpoint(journal.log, ACKNOWLEDGED)
        self._turns = Turns(self._acknowledged.load())
        self._seen = SeenSince()
        self._unsent: set[str] = set()
        """The drafts that were begun, and of which it is known that no request has left."""
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
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        self.queue.apply(entry)
        self._turns.apply(entry)
        self._seen.apply(entry)

    def trace_of(self, draft: Draft) -> str | None:
        """Return the trace in which the change was made, if in any."""
        entry = self._journal.log.find(draft.draft_id)
        return None if entry is None else entry.trace

    def lead(self) -> Other | None:
        """Take the lease, or keep it; return who else has it, if somebody does."""
        other = self._lease.attempt()
        fence = self._lease.fence
        if fence is not None and fence.epoch != self._epoch:
            if fence.epoch != self._epoch + 1:
                self._unsent.clear()  # another sender was there, and may have sent them
            self._epoch = fence.epoch
        return other

    def save(self) -> None:
        """Keep where to begin the next time.

        It reads no further: a draft that was appended since `next` looked must be seen by
        `next`, or else the wait for the next entry would begin behind it.
        """
        self._acknowledged.save(self._turns.acknowledged)
        self._checkpoint.save(self.queue.low_water)
        self._unsaved = 0

    # --- before a push, and after it -----------------------------------------------------

    def started(self, draft: Draft) -> Push | None:
        """Note that the draft is about to leave (S2); None where it is pending no more."""
        return self.push_of(draft) if self.begin([draft]) else None

    def begin(self, drafts: Sequence[Draft]) -> bool:
        """Note that drafts are about to leave (S2); say whether all of them are pending yet."""
        first = {draft.draft_id for draft in drafts if not draft.is_maybe_applied}
        notes = [
            self._beginning(draft)
            for draft in drafts
            if draft.draft_id in first or self._turns.is_overtaken(draft.draft_id)
        ]
        entries = self._noted(notes) if notes else ()
        self._unsent.update(first.intersection(filter(None, map(draft_id_of, entries))))
        return len(entries) == len(notes)

    def _beginning(self, draft: Draft) -> Note:
        started = PushStarted(draft_id=draft.draft_id, revision=draft.revision)
        return self._note(draft, lambda _record, _change: (started,))

    def next_together(self, most: int) -> list[Draft]:
        """Return the drafts that are next to send, so many at most, that may go together."""
        self._catch_up()
        return self.queue.next_together(most, self._settings.on_held, self._unsent)

    def push_of(self, draft: Draft) -> Push | None:
        """Return the draft as it is sent; None where it is pending no more."""
        record = self._journal.kept(draft.ref)
        change = record.change(draft.draft_id)
        if change is None:
            return None
        is_maybe_applied = draft.is_maybe_applied and draft.draft_id not in self._unsent
        if not (is_maybe_applied or change.is_doubted):
            self._leaves_first(record, draft)
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
            is_maybe_applied,
            record,
            {target: self._journal.kept(target) for target in targets},
            change.is_doubted,
            self._age_s(change),
            change.made,
            self._turn(draft.draft_id),
            draft.batch,
            self.queue.size_of(draft),
        )

    def _turn(self, draft_id: str) -> Turn | None:
        number, turns = self._turns.of(draft_id), self._turns
        if number is None:
            return None
        return Turn(self._journal.log.journal_id, number, turns.acknowledged)

    def _age_s(self, change: Change) -> float:
        """Return how long ago the first request of a draft left, by the clock on the wall.

        Where that is still to come, the clock was set back by as much, at least: how long ago it
        was is not known, and may be as long.
        """
        if change.first_sent_at is None:
            return 0.0
        return abs(self._journal.sources.clock.now_us() - change.first_sent_at) / 1_000_000

    def leaves(self, draft: Draft, *, has_left: bool) -> None:
        """Note whether a request of the draft may have left, as far as is known here."""
        if has_left:
            self._unsent.discard(draft.draft_id)
        else:
            self._unsent.add(draft.draft_id)

    def settled(
        self,
        outcomes: Sequence[tuple[Draft, Settled]],
        attempts: int,
        *,
        with_next: bool,
        back: Sequence[Draft] = (),
    ) -> list[Outcome | Resolved | None]:
        """Append what became of drafts; return it, or how a conflict was resolved.

        Args:
            outcomes: each draft, with what settles it.
            attempts: how often they were tried to be sent.
            with_next: whether the next draft is begun, and durable at once (S2, S3).
            back: drafts that were begun with these, and did not go: they are pending again.

        Returns:
            What became of each; None where somebody else has settled it.
        """
        verdicts = [
            Verdict(
                draft,
                storable(outcome, draft.ref),
                attempts,
                self._settings.conflicts,
                self._as_seen,
            )
            for draft, outcome in outcomes
        ]
        notes: list[Note] = []
        for verdict in verdicts:
            draft, outcome = verdict.draft, verdict.outcome
            notes.append(self._note(draft, verdict.decide, verdict.reason))
            if isinstance(outcome, Refused) and outcome.is_alarm:
                notes.append(self._alarm(draft, outcome, verdict))
        notes += [self._note(draft, _put_back, _NOT_CARRIED_OUT) for draft in back]
        following = self._following([draft for draft, _ in outcomes]) if with_next else None
        if following is not None:
            notes.append(self._beginning(following))
        entries = self._noted(notes) if notes else ()
        self._unsent.difference_update(draft.draft_id for draft in back)
        begun = [e.event for e in entries if isinstance(e.event, PushStarted)]
        self._unsent.update(event.draft_id for event in begun)  # and no request has left
        self._unsaved += sum(bool(verdict.events) for verdict in verdicts)
        return [verdict.became for verdict in verdicts]

    def _following(self, drafts: Sequence[Draft]) -> Draft | None:
        """Return the draft that comes next once these are acknowledged, if that is plain."""
        self._catch_up()
        if self.queue.switch.stop is not None:
            return None
        *first, following = islice(chain(self.queue, repeat(None)), len(drafts) + 1)
        if following is None or following.is_maybe_applied or self.queue.size_of(following) > 1:
            return None
        is_next = [draft and draft.draft_id for draft in first] == [d.draft_id for d in drafts]
        return following if is_next else None

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

    def _alarm(self, draft: Draft, outcome: Refused, verdict: Verdict) -> Note:
        """Return the stop of the queue, in the append that holds the draft (S9)."""
        said = hold_text(Hold("unknown", outcome.messages, outcome.status, ""))
        problem = (
            f"the remote has seen the key of {name_of(draft)} with another content: "
            f"somebody else uses the key, or it was changed on the way: {said}"
        )
        stopped = QueueStopped(cause="rejections", problem=problem[:MAX_PROBLEM])

        def decision(_: Record) -> Sequence[Event]:
            return (stopped,) if verdict.events and self.queue.switch.stop is None else ()

        facts = Facts(ACTOR, self._journal.origin, causation_id=draft.draft_id)
        return QUEUE, decision, facts

    # --- what was seen meanwhile ---------------------------------------------------------

    def _leaves_first(self, record: Record, draft: Draft) -> None:
        """Take what was seen until now for older: no request of the draft has left (N1)."""
        if draft.is_maybe_applied and not self._seen.is_current(record):
            self._catch_up()
        self._seen.forget(draft.draft_id)

    def looked(self, draft_id: str) -> None:
        """Note that the remote was read, had the draft not, and is sent it now (N1)."""
        self._catch_up()
        self._seen.forget(draft_id)

    def asks(self, draft_id: str) -> None:
        """Note that the remote is asked now what it has of the record of a draft (N3)."""
        self._seen.asks(draft_id)

    def _as_seen(self, record: Record, change: Change, events: Sequence[Event]) -> Sequence[Event]:
        """Return what settles a draft, with what was seen since it was begun behind it (N1).

        What was read while something else was seen settles nothing: it is read once more (N3).
        """
        receipt = events[-1]
        if not self._seen.is_current(record):
            self._catch_up()
        if not isinstance(receipt, DraftAcknowledged):
            is_older = self._seen.is_late(change.draft_id) and is_other(record, events)
            return () if is_older else events
        if not self._seen.has_seen(change.draft_id):
            return events
        sight, gone = self._seen.sight(change.draft_id), self._seen.gone(change.draft_id)
        return (*events, *seen_again(record, change, receipt, sight, gone))

    # --- appending -----------------------------------------------------------------------

    def _noted(self, notes: Sequence[Note]) -> Sequence[Entry]:
        """Append what was learned, as the sender that has the lease (S7)."""
        entries = self._journal.note_together(notes, self._lease.held())
        if entries and entries[0].position == self.queue.position + 1:
            for entry in entries:
                self._apply(entry)  # nobody else wrote in between: no need to read it again
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


def _put_back(_: Record, change: Change) -> Sequence[Event]:
    """Return the events of a draft being pending again that was begun, and did not go."""
    return (DraftRetried(draft_id=change.draft_id),) if change.state == "sending" else ()
