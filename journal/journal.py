"""Floor 5: the journal: load, fold, decide, append.

It knows nothing of remotes, queues or views.

- J1. When a command returns, its event is durable, or there was nothing left to do.
- J2. A command that raised an error has stored nothing. An interrupt is no error: Ctrl-C may
  come when the event is durable already, and only the log tells. A create with an id, or a
  command with an expected version, is safe to repeat: it is not done twice.
- J3. A command is decided on the state that its events follow: where another writer was
  faster, it is decided anew, unless the caller named the version that it had seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.action_commands import ActionCommands
from journal.commands import as_ref
from journal.errors import InvalidValueError, RecordExistsError, shown
from journal.record import (
    CreateRecord,
    DeleteRecord,
    ObserveRecord,
    Record,
    UpdateRecord,
    decide,
    detached,
)
from journal.staging import check_text
from journal.values import Ref, freeze, references, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from pydantic import BaseModel

    from journal.events import Event
    from journal.record import Command
    from journal.staging import Envelope, Lookup
    from journal.values import Fields


class Journal(ActionCommands):
    """Keeps record changes in an append-only log, whatever the network does."""

    def create(
        self,
        record_type: str,
        fields: Mapping[str, object] | BaseModel,
        *,
        id: str | None = None,  # noqa: A002  the word that its users expect
        **envelope: Unpack[Envelope],
    ) -> Ref:
        """Create a record; it is durable when this returns.

        Args:
            record_type: its type, such as ``Account``.
            fields: its fields; a `Ref` where they refer to another record.
            id: its id; a new one otherwise. With an id that was seen before, and the same
                fields, nothing is stored again: it is safe to retry. Where the record has been
                deleted since, it is refused.
            **envelope: who does it, why, and what it belongs to.

        Returns:
            The reference to the record.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            LogError: it could not be stored.
        """
        now_us = self.sources.clock.now_us()
        ref = Ref.of(record_type, self._new_id(now_us) if id is None else id)
        frozen = self.schema.of_create(ref, fields)
        advice = self._advice(ref)

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            try:
                return advice.checked(_decided(record, CreateRecord(ref, frozen), frozen, lookup))
            except RecordExistsError:
                created = self._created_with(record)
                if created is None:
                    raise
                if same(created, self.schema.of_repeated(ref, fields, frozen, created)):
                    return ()
                raise

        self._do(ref, decision, now_us, envelope)
        advice.say()
        return ref

    def _created_with(self, record: Record) -> Fields | None:
        """Return the fields with which a record was created, if it was created here."""
        if record.changes and record.changes[0].kind == "create":
            return None if record.changes[0].revision else record.changes[0].fields
        event = self._log.created(record.ref)
        return None if event is None else event.fields

    def update(
        self,
        ref: Ref | str,
        changes: Mapping[str, object],
        *,
        expected_version: int | None = None,
        **envelope: Unpack[Envelope],
    ) -> str | None:
        """Set fields of a record; it is durable when this returns.

        Args:
            ref: the record; the text ``Type:id`` will do.
            changes: the fields to set; None leaves a field without a value. Fields that have
                the value already are not set again.
            expected_version: the version of the record's stream that the caller saw; where it
                has moved on, the change is refused instead of decided anew.
            **envelope: who does it, why, and what it belongs to.

        Returns:
            The id of the draft, or None where nothing was left to change.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            VersionConflictError: the record is not at the expected version.
            LogError: it could not be stored.
        """
        ref = as_ref(ref)
        now_us = self.sources.clock.now_us()
        current = self._writer.current(ref, self._batches.own()) if self.schema.record_types else {}
        frozen = self.schema.of_update(ref, current, changes)
        advice = self._advice(ref)

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            valid = frozen
            if self.schema.record_types and record.fields is not current:
                valid = self.schema.of_update(ref, record.fields or {}, frozen)
            return advice.checked(_decided(record, UpdateRecord(ref, valid), valid, lookup))

        draft_id = self._do(ref, decision, now_us, envelope, expected_version)
        advice.say()
        return draft_id

    def delete(
        self,
        ref: Ref | str,
        *,
        expected_version: int | None = None,
        **envelope: Unpack[Envelope],
    ) -> str | None:
        """Delete a record; it is durable when this returns.

        Args:
            ref: the record; the text ``Type:id`` will do.
            expected_version: the version of the record's stream that the caller saw; where it
                has moved on, the change is refused instead of decided anew.
            **envelope: who does it, why, and what it belongs to.

        Returns:
            The id of the draft, or None where the record was deleted before.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            VersionConflictError: the record is not at the expected version.
            LogError: it could not be stored.
        """
        ref = as_ref(ref)
        now_us = self.sources.clock.now_us()
        advice = self._advice(ref)

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            return advice.checked(_decided(record, DeleteRecord(ref), {}, lookup))

        draft_id = self._do(ref, decision, now_us, envelope, expected_version)
        advice.say()
        return draft_id

    def observe(
        self,
        ref: Ref | str,
        fields: Mapping[str, object] | None,
        *,
        remote_id: str | None = None,
        remote_version: str | None = None,
        partial: bool = False,
        **envelope: Unpack[Envelope],
    ) -> str | None:
        """Note the remote's state of a record, so that it can be read and edited offline.

        Args:
            ref: the record; the text ``Type:id`` will do.
            fields: its fields as the remote has them; None where the remote has no such record.
            remote_id: what the remote calls it; its own id otherwise.
            remote_version: the remote's version of it, such as an ETag, to the letter.
            partial: whether `fields` are only some of its fields.
            **envelope: who saw it, why, and what it belongs to, such as a pull.

        Returns:
            The id of the event, or None where this was known already.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            LogError: it could not be stored.
        """
        ref = as_ref(ref)
        now_us = self.sources.clock.now_us()
        if type(partial) is not bool:
            problem = f"{shown(str(partial))} is neither True nor False"
            raise InvalidValueError("partial", problem, hint="give one of them")
        check_text("remote id", remote_id, 1024)
        check_text("remote version", remote_version, 1024)
        frozen = None if fields is None else freeze(fields, record=ref)
        known_as = remote_id if remote_id is not None or fields is None else ref.id

        def decision(record: Record, lookup: Lookup) -> Sequence[Event]:
            name = record.remote.remote_id if remote_id is None else None
            command = ObserveRecord(ref, frozen, name or known_as, remote_version, partial)
            return _decided(record, command, {}, lookup)

        return self._do(ref, decision, now_us, envelope)

    def load(self, ref: Ref | str) -> Record:
        """Return the local state of a record as it is in the log now.

        What is in it is yours, to be changed as you like. A record that the journal has never
        heard of has version 0.

        Raises:
            LogError: it could not be read.
        """
        return detached(self.kept(as_ref(ref)))

    def kept(self, ref: Ref) -> Record:
        """Return a record as it is now, for a subscriber, which changes nothing in it.

        Raises:
            LogError: it could not be read.
        """
        return self._writer.load(ref)


def _decided(
    record: Record, command: Command, fields: Mapping[str, object], lookup: Lookup
) -> Sequence[Event]:
    targets = {target: lookup(target) for _, target in references(fields)}
    return decide(record, command, targets)
