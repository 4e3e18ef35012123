"""Floor 8: the commands about drafts and the queue: retry, amend, discard, resolve, stop, start.

They are decided by `journal.decisions`; here is what that is handed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal import decisions, resolutions
from journal.commands import Commands, on_stream
from journal.errors import DraftMissingError
from journal.events import ConflictResolved, DraftDiscarded, QueueStarted, QueueStopped
from journal.record import fields_before
from journal.resolutions import Choice
from journal.values import check_field, freeze, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Unpack

    from journal.commands import Move
    from journal.conflicts import PolicyName
    from journal.drafts import Draft, Queue
    from journal.events import Event
    from journal.record import Change, Record
    from journal.staging import Decision, Envelope, Lookup
    from journal.values import Fields, Ref


class DraftCommands(Commands):
    """Decides about drafts, and about the queue as a whole."""

    def retry(self, draft_id: str, **envelope: Unpack[Envelope]) -> str | None:
        """Send a held draft again, as it is.

        Args:
            draft_id: the draft.
            **envelope: who decides so, why, and what it belongs to.

        Returns:
            The id of the event, or None where the draft is not held.

        Raises:
            DraftMissingError: no pending draft has that id.
            LogError: it could not be stored.
        """
        return self._decide(draft_id, lambda record, _: decisions.retry(record, draft_id), envelope)

    def amend(
        self,
        draft_id: str,
        changes: Mapping[str, object] | None = None,
        *,
        remove: Iterable[str] = (),
        **envelope: Unpack[Envelope],
    ) -> str | None:
        """Send a create or an update with other fields; what was made stays in the log.

        Args:
            draft_id: the draft, pending or held.
            changes: laid over the fields of the draft; None leaves a field without a value.
            remove: the fields that the draft is not to set at all; others are passed over.
            **envelope: who decides so, why, and what it belongs to.

        Returns:
            The id of the event, or None where the draft has these fields already.

        Raises:
            DraftMissingError: no pending draft has that id.
            DraftStateError: it may have been applied, is a delete, or nothing of it is left.
            RefusedError: a subclass says what is wrong with the fields; nothing was stored.
            LogError: it could not be stored.
        """
        removed = frozenset((remove,) if isinstance(remove, str) else remove)
        for name in removed:
            check_field(name)
        given = dict(changes or {})

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            change = decisions.amendable(record, draft_id)
            fields = self._amended(record, change, given, removed)
            targets = {target: lookup(target) for _, target in references(fields)}
            if events := decisions.amend(record, change, fields, targets):
                advice.check(change.kind, fields)
            return events

        now_us = self.sources.clock.now_us()
        ref = self._record_of(draft_id)
        advice = self._advice(ref)
        event_id = self._do(ref, decision, now_us, envelope)
        advice.say()
        return event_id

    def _amended(
        self, record: Record, change: Change, given: Mapping[str, Any], removed: frozenset[str]
    ) -> Fields:
        """Return all fields of a draft, with those that are given, valid for their type."""
        ref = record.ref
        kept = {name: value for name, value in change.fields.items() if name not in removed}
        if change.kind == "create":
            return self.schema.of_create(ref, self.schema.overlaid(ref, kept, given))
        before = {**fields_before(record, change), **kept}
        return {**kept, **self.schema.of_update(ref, before, given)}

    def resolve(  # noqa: PLR0913  keywords, each a way to decide
        self,
        draft_id: str,
        policy: PolicyName | None = None,
        *,
        fields: Mapping[str, object] | None = None,
        applied: bool = False,
        remote_id: str | None = None,
        remote_version: str | None = None,
        **envelope: Unpack[Envelope],
    ) -> str | None:
        """Decide a draft that is held as a conflict or as gone; or say that it is applied.

        Args:
            draft_id: the draft.
            policy: ``ours``, ``theirs`` or ``merge``, for all that `fields` does not decide.
            fields: the values that fields are to have.
            applied: say that the remote has the draft, where nothing tells; it ends.
            remote_id: what the remote calls the record, with `applied`.
            remote_version: the remote's version of the record, with `applied`; none where
                somebody else has changed it since, which later changes would overwrite unseen.
            **envelope: who decides so, why, and what it belongs to.

        Returns:
            The id of the event, or None where it was resolved already.

        Raises:
            DraftMissingError: no pending draft has that id.
            DraftStateError: it is in no conflict; with `applied`, it cannot have been applied.
            ConflictUnresolvedError: fields are left open.
            RefusedError: a subclass says what is wrong with the fields; nothing was stored.
            LogError: it could not be stored.
        """
        given = freeze(fields or {})
        choice = Choice(policy, given, applied, remote_id, remote_version).checked(draft_id)

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            valid = choice
            if given:
                before = {**(record.remote.fields), **(record.fields or {})}
                valid = choice._replace(fields=self.schema.of_update(record.ref, before, given))
            targets = {target: lookup(target) for _, target in references(valid.fields)}
            events = resolutions.resolve(record, draft_id, valid, targets)
            for event in events:
                if isinstance(event, ConflictResolved) and event.kind is not None and given:
                    advice.check(event.kind, event.fields, given)
            return events

        advice = self._advice(self._record_of(draft_id))
        event_id = self._decide(draft_id, decision, envelope)
        advice.say()
        return event_id

    def _decide(self, draft_id: str, decision: Decision, envelope: Envelope) -> str | None:
        """Carry out a decision about one draft."""
        now_us = self.sources.clock.now_us()
        return self._do(self._record_of(draft_id), decision, now_us, envelope)

    def _record_of(self, draft_id: str) -> Ref:
        """Return the record that the draft is about; it may be pending no more.

        Raises:
            DraftMissingError: there never was such a draft.
        """
        batch = self._batches.own()
        staged = [] if batch is None or batch.staging is None else batch.staging.new
        for new in staged:
            if new.event_id == draft_id:
                return new.stream
        entry = self._log.find(draft_id)
        if entry is None:
            raise DraftMissingError(draft_id)
        return entry.stream

    # --- what concerns several drafts, or the queue as a whole ---------------------------

    def falling(self, draft_id: str) -> tuple[Draft, ...]:
        """Return what would fall if a draft were discarded: the draft, and what stands on it.

        Raises:
            DraftMissingError: no pending draft has that id.
            LogError: the log could not be read.
        """
        return decisions.falling(self._pending.queue(), draft_id)

    def discard(
        self, draft_id: str, *, force: bool = False, **envelope: Unpack[Envelope]
    ) -> tuple[Draft, ...]:
        """Never send a draft; with a create, nor what changes that record or refers to it.

        Args:
            draft_id: the draft.
            force: discard also what may have been applied already; the remote keeps it then.
            **envelope: who decides so, why, and what it belongs to.

        Returns:
            The drafts that fell, in order; none where it was discarded before.

        Raises:
            DraftMissingError: no pending draft has that id.
            DraftStateError: it, or one that would fall with it, may have been applied.
            RefusedError: it was to be part of a batch.
            LogError: it could not be stored.
        """
        fallen: list[Draft] = []

        def plan(queue: Queue) -> list[Move]:
            fallen.clear()
            if self._was_discarded(draft_id):
                return []
            fallen.extend(decisions.falling(queue, draft_id))
            return [(draft.ref, _discarding(draft, draft_id, is_forced=force)) for draft in fallen]

        self._on_queue(plan, envelope)
        return tuple(fallen)

    def _was_discarded(self, draft_id: str) -> bool:
        found = self._log.find(draft_id)
        entries = [] if found is None else self._log.stream(found.stream, found.version)
        events = [entry.event for entry in entries]
        return any(isinstance(e, DraftDiscarded) and e.draft_id == draft_id for e in events)

    def stop_queue(self, **envelope: Unpack[Envelope]) -> bool:
        """Let nothing be sent until the queue is started again, whoever sends.

        The draft in flight is finished.

        Args:
            **envelope: who decides so, why, and what it belongs to.

        Returns:
            Whether that was new: False where the queue was stopped already.

        Raises:
            RefusedError: it was to be part of a batch.
            LogError: it could not be stored.
        """

        def plan(queue: Queue) -> list[Move]:
            is_stopped = queue.switch.stop is not None
            return [] if is_stopped else on_stream([QueueStopped(cause="person")])

        return bool(self._on_queue(plan, envelope))

    def start_queue(self, **envelope: Unpack[Envelope]) -> bool:
        """Let the queue be sent again, whoever or whatever stopped it.

        Args:
            **envelope: who decides so, why, and what it belongs to.

        Returns:
            Whether that was new: False where the queue was not stopped.

        Raises:
            RefusedError: it was to be part of a batch.
            LogError: it could not be stored.
        """

        def plan(queue: Queue) -> list[Move]:
            return [] if queue.switch.stop is None else on_stream([QueueStarted()])

        return bool(self._on_queue(plan, envelope))


def _discarding(draft: Draft, draft_id: str, *, is_forced: bool) -> Decision:
    """Return the decision to discard a draft, or one that falls with it."""
    cause = None if draft.draft_id == draft_id else draft_id

    def decision(record: Record, _lookup: Lookup) -> Sequence[Event]:
        return decisions.discard(record, draft.draft_id, cause=cause, is_forced=is_forced)

    return decision
