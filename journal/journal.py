"""Floor 5: the journal: load, fold, decide, append.

It knows nothing of remotes, queues or views.

- J1. When a command returns, its event is durable, or there was nothing left to do.
- J2. A command that raised has stored nothing.
- J3. A command is decided on the state that its events follow: where another writer was
  faster, it is decided anew, unless the caller named the version that it had seen.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from journal.errors import RefusedError
from journal.log import MEMORY, Log, open_recorder
from journal.log.database import BUSY_TIMEOUT_S
from journal.record import (
    CreateRecord,
    DeleteRecord,
    ObserveRecord,
    Record,
    UpdateRecord,
    decide,
)
from journal.schema import Schema
from journal.sources import Sources, host_name, login_name
from journal.staging import Batch, Facts, Step, check_text
from journal.values import Ref, freeze, references, same
from journal.writer import Writer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from pydantic import BaseModel

    from journal.events import Entry, Event
    from journal.log import Durability, Fence
    from journal.record import Command
    from journal.schema import RecordTypes
    from journal.staging import Decision, Lookup


class Journal:
    """Keeps record changes in an append-only log, whatever the network does."""

    def __init__(  # noqa: PLR0913  keywords, each with a safe default
        self,
        path: str | os.PathLike[str] = MEMORY,
        *,
        actor: str | None = None,
        origin: str | None = None,
        types: RecordTypes = (),
        durability: Durability = "full",
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        sources: Sources | None = None,
    ) -> None:
        """Open a journal, creating it where there is none.

        Args:
            path: of its SQLite file; ``:memory:`` for one that is forgotten when closed.
            actor: who makes the changes, where a change does not say; the login name otherwise.
            origin: the device or application; the host's name otherwise.
            types: pydantic models that records must fit; any JSON object is a record otherwise.
            durability: ``full`` for changes that survive power loss, ``normal`` for changes
                that survive the death of the process only.
            busy_timeout_s: how long to wait for another process, in seconds.
            sources: of time, ids and randomness.

        Raises:
            LogError: the file cannot be used.
            InvalidNameError: the actor, the origin or a type has a name that is not allowed.
        """
        self.sources = sources or Sources()
        self.schema = Schema(types)
        self._facts = Facts(actor or login_name(), origin or host_name() or "unknown").checked()
        self._log = Log(
            open_recorder(
                path,
                lambda: self._new_id(self.sources.clock.now_us()),
                durability=durability,
                busy_timeout_s=busy_timeout_s,
            )
        )
        self._writer = Writer(self._log, self._new_id)
        self._batch: ContextVar[Batch | None] = ContextVar("batch", default=None)

    def _new_id(self, now_us: int) -> str:
        return self.sources.ids.new(now_us)

    @property
    def log(self) -> Log:
        """The log, for whoever reads it: projections, subscribers, audits."""
        return self._log

    @property
    def origin(self) -> str:
        """The device or application in which this journal is open."""
        return self._facts.origin

    # --- commands ------------------------------------------------------------------------

    def create(  # noqa: PLR0913  keywords of the envelope
        self,
        record_type: str,
        fields: Mapping[str, object] | BaseModel,
        *,
        id: str | None = None,  # noqa: A002  the word that its users expect
        actor: str | None = None,
        reason: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> Ref:
        """Create a record; it is durable when this returns.

        Args:
            record_type: its type, such as ``Account``.
            fields: its fields; a `Ref` where they refer to another record.
            id: its id; a new one otherwise. With an id that was seen before, and the same
                fields, nothing is stored again: it is safe to retry.
            actor: who does it.
            reason: why.
            correlation_id: what it belongs to, such as a request of the application.
            causation_id: the event or command that led to it.

        Returns:
            The reference to the record.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            LogError: it could not be stored.
        """
        now_us = self.sources.clock.now_us()
        ref = Ref.of(record_type, self._new_id(now_us) if id is None else id)
        frozen = self.schema.of_create(ref, fields)

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            try:
                return _decided(record, CreateRecord(ref, frozen), frozen, lookup)
            except RefusedError:
                if self._was_created_with(record, frozen):
                    return ()
                raise

        facts = (actor, correlation_id, causation_id, reason)
        self._do(ref, decision, now_us, facts)
        return ref

    def _was_created_with(self, record: Record, fields: Mapping[str, object]) -> bool:
        if record.version == 0:
            return False
        if record.changes and record.changes[0].kind == "create":
            created: Mapping[str, object] = record.changes[0].fields
            return record.changes[0].revision == 0 and same(created, fields)
        event = self._log.created(record.ref)
        return event is not None and same(event.fields, fields)

    def update(  # noqa: PLR0913  keywords of the envelope
        self,
        ref: Ref | str,
        changes: Mapping[str, object],
        *,
        expected_version: int | None = None,
        actor: str | None = None,
        reason: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> str | None:
        """Set fields of a record; it is durable when this returns.

        Args:
            ref: the record; the text ``Type:id`` will do.
            changes: the fields to set; None leaves a field without a value. Fields that have
                the value already are not set again.
            expected_version: the version of the record's stream that the caller saw; where it
                has moved on, the change is refused instead of decided anew.
            actor: who does it.
            reason: why.
            correlation_id: what it belongs to, such as a request of the application.
            causation_id: the event or command that led to it.

        Returns:
            The id of the draft, or None where nothing was left to change.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            VersionConflictError: the record is not at the expected version.
            LogError: it could not be stored.
        """
        ref = _ref(ref)
        now_us = self.sources.clock.now_us()
        current = self._writer.current(ref, self._open_batch()) if self.schema.record_types else {}
        frozen = self.schema.of_update(ref, current, changes)

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            valid = frozen
            if self.schema.record_types and record.fields is not current:
                valid = self.schema.of_update(ref, record.fields or {}, frozen)
            return _decided(record, UpdateRecord(ref, valid), valid, lookup)

        facts = (actor, correlation_id, causation_id, reason)
        return self._do(ref, decision, now_us, facts, expected_version)

    def delete(  # noqa: PLR0913  keywords of the envelope
        self,
        ref: Ref | str,
        *,
        expected_version: int | None = None,
        actor: str | None = None,
        reason: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> str | None:
        """Delete a record; it is durable when this returns.

        Args:
            ref: the record; the text ``Type:id`` will do.
            expected_version: the version of the record's stream that the caller saw; where it
                has moved on, the change is refused instead of decided anew.
            actor: who does it.
            reason: why.
            correlation_id: what it belongs to, such as a request of the application.
            causation_id: the event or command that led to it.

        Returns:
            The id of the draft, or None where the record was deleted before.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            VersionConflictError: the record is not at the expected version.
            LogError: it could not be stored.
        """
        ref = _ref(ref)
        now_us = self.sources.clock.now_us()

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            return _decided(record, DeleteRecord(ref), {}, lookup)

        facts = (actor, correlation_id, causation_id, reason)
        return self._do(ref, decision, now_us, facts, expected_version)

    def observe(  # noqa: PLR0913  keywords of the envelope
        self,
        ref: Ref | str,
        fields: Mapping[str, object] | None,
        *,
        remote_id: str | None = None,
        remote_version: str | None = None,
        partial: bool = False,
        actor: str | None = None,
        reason: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> str | None:
        """Note the remote's state of a record, so that it can be read and edited offline.

        Args:
            ref: the record; the text ``Type:id`` will do.
            fields: its fields as the remote has them; None where the remote has no such record.
            remote_id: what the remote calls it; its own id otherwise.
            remote_version: the remote's version of it, such as an ETag, to the letter.
            partial: whether `fields` are only some of its fields.
            actor: who saw it.
            reason: why.
            correlation_id: what it belongs to, such as a pull.
            causation_id: the event or command that led to it.

        Returns:
            The id of the event, or None where this was known already.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            LogError: it could not be stored.
        """
        ref = _ref(ref)
        now_us = self.sources.clock.now_us()
        check_text("remote id", remote_id, 1024)
        check_text("remote version", remote_version, 1024)
        frozen = None if fields is None else freeze(fields, record=ref)
        known_as = remote_id if remote_id is not None or fields is None else ref.id

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            name = record.remote.remote_id if remote_id is None else None
            command = ObserveRecord(ref, frozen, name or known_as, remote_version, partial)
            return _decided(record, command, {}, lookup)

        facts = (actor, correlation_id, causation_id, reason)
        return self._do(ref, decision, now_us, facts)

    def note(
        self,
        ref: Ref,
        decision: Callable[[Record], Sequence[Event]],
        facts: Facts,
        fence: Fence | None = None,
    ) -> bool:
        """Append what a subscriber learned about a record, decided on its current state.

        Args:
            ref: the record; the text ``Type:id`` will do.
            decision: returns the events, from the record as it is when they are appended.
            facts: who says so.
            fence: of a sender; nothing is stored unless it holds the lease.

        Returns:
            Whether there were any events.

        Raises:
            LeaseLostError: another sender has taken the lease.
            LogError: they could not be stored.
        """
        return bool(self.note_together([(ref, decision, facts)], fence))

    def note_together(self, notes: Sequence[Note], fence: Fence | None = None) -> list[Entry]:
        """Append what a subscriber learned about several records, all or nothing, durable at once.

        Args:
            notes: of each: the record, what returns the events, and who says so, as for `note`.
            fence: of a sender; nothing is stored unless it holds the lease.

        Returns:
            The entries.

        Raises:
            LeaseLostError: another sender has taken the lease.
            LogError: they could not be stored.
        """
        now_us = self.sources.clock.now_us()

        def step(ref: Ref, decision: Callable[[Record], Sequence[Event]], facts: Facts) -> Step:
            return Step(
                ref, lambda record, _: decision(record), self._new_id(now_us), now_us, facts
            )

        return self._writer.carry_out([step(*note) for note in notes], fence=fence)

    @contextmanager
    def batch(
        self,
        *,
        actor: str | None = None,
        reason: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> Iterator[Batch]:
        """Store the changes that are made in the block together, all or none, when it ends.

        Where the block raises, nothing of it is stored. A batch in a batch is part of the outer
        one, and stored with it. Views show the changes once the outer one has ended.

        Args:
            actor: who makes the changes, where a change does not say.
            reason: why, where a change does not say.
            correlation_id: what they belong to; an id of their own otherwise.
            causation_id: the event or command that led to them.

        Raises:
            JournalError: the changes could not be stored; none was.
        """
        if (outer := self._open_batch()) is not None:
            with self._inner_batch(outer, (actor, correlation_id, causation_id, reason)):
                yield outer
            return
        group = correlation_id or self._new_id(self.sources.clock.now_us())
        batch = Batch(self._all_facts((actor, group, causation_id, reason)))
        token = self._batch.set(batch)
        try:
            yield batch
        finally:
            batch.is_open = False
            self._batch.reset(token)
        self._writer.carry_out(batch.steps, batch.staging)

    @contextmanager
    def _inner_batch(self, outer: Batch, given: _Given) -> Iterator[None]:
        """Let the outer batch say other facts for a while; undo what a failing block did to it."""
        facts, count = outer.facts, len(outer)
        outer.facts = self._all_facts(given)
        try:
            yield
        except BaseException:
            self._writer.unstage(outer, count)
            raise
        finally:
            outer.facts = facts

    def _open_batch(self) -> Batch | None:
        batch = self._batch.get()
        return batch if batch is not None and batch.is_open else None

    # --- load, decide, append ------------------------------------------------------------

    def _all_facts(self, given: _Given) -> Facts:
        batch = self._open_batch()
        default = self._facts if batch is None else batch.facts
        if given == _NOTHING_GIVEN:
            return default
        actor, correlation_id, causation_id, reason = given
        return Facts(
            default.actor if actor is None else actor,
            default.origin,
            default.correlation_id if correlation_id is None else correlation_id,
            default.causation_id if causation_id is None else causation_id,
            default.reason if reason is None else reason,
        ).checked()

    def _do(
        self,
        ref: Ref,
        decision: Decision,
        now_us: int,
        given: _Given,
        expected_version: int | None = None,
    ) -> str | None:
        """Carry out one command, now or at the end of the batch; return the id of its event."""
        facts = self._all_facts(given)
        if self.sources.trace is not None:
            facts = facts._replace(trace=self.sources.trace()).checked()
        step = Step(ref, decision, self._new_id(now_us), now_us, facts, expected_version)
        batch = self._open_batch()
        if batch is None:
            return step.event_id if self._writer.carry_out([step]) else None
        return step.event_id if self._writer.stage(batch, step) else None

    def load(self, ref: Ref | str) -> Record:
        """Return the local state of a record as it is in the log now.

        The fields in it belong to the journal: copy what you want to change. A record that
        the journal has never heard of has version 0.

        Raises:
            LogError: it could not be read.
        """
        return self._writer.load(_ref(ref))

    # --- the end -------------------------------------------------------------------------

    def close(self) -> None:
        """Close the journal; a second time changes nothing."""
        self._log.close()

    def __enter__(self) -> Self:
        """Return the journal, to be closed when the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the journal."""
        self.close()


Note: TypeAlias = "tuple[Ref, Callable[[Record], Sequence[Event]], Facts]"
"""What a subscriber learned: of which record, what returns the events, and who says so."""
_Given: TypeAlias = tuple[str | None, str | None, str | None, str | None]
"""What a caller says of actor, correlation id, causation id and reason."""
_NOTHING_GIVEN: Final = (None, None, None, None)


def _ref(ref: Ref | str) -> Ref:
    """Return the reference, checked where it was given as a text."""
    return ref if type(ref) is Ref else Ref(ref)


def _decided(
    record: Record, command: Command, fields: Mapping[str, object], lookup: Lookup
) -> Sequence[Event]:
    targets = {target: lookup(target) for _, target in references(fields)}
    return decide(record, command, targets)
