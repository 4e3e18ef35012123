"""Floor 0: every error that this library raises; it knows nothing but text.

```
JournalError
├── RefusedError                  a command was refused; nothing was stored
│   ├── InvalidNameError          a record type, record id or field name is not allowed
│   ├── InvalidValueError         a value could not be stored exactly
│   ├── InvalidRecordError        a record does not fit its registered type
│   │   └── WouldBeRefusedError   the service has described the type, and would refuse the draft
│   ├── UnknownTypeError          types are registered, and this is none of them
│   ├── RecordMissingError        the journal has never heard of this record
│   ├── RecordDeletedError        the record is deleted; it can no longer be changed
│   ├── RecordExistsError         another record with this id was created before
│   ├── DanglingReferenceError    a field refers to a record that cannot be referred to
│   ├── DraftMissingError         no pending draft has this id
│   ├── DraftStateError           the draft is in a state in which this cannot be done
│   ├── ConflictUnresolvedError   what was decided leaves fields of the conflict open
│   ├── BatchMovedError           a batch was ended by another task than opened it
│   └── InvalidChangeError        a line of an import is not a change
├── VersionConflictError          the stream is not at the version that the writer expected
├── LogError                      the log could not be read or written
│   ├── LogMissingError           there is no journal at this path, and none was to be made
│   ├── LogBusyError              another process held the log for too long
│   ├── LogFullError              no space left; what was stored before is safe
│   ├── LogUnavailableError       the file cannot be opened, read or written
│   ├── LogCorruptError           the log is damaged or was tampered with
│   ├── LogClosedError            the journal was closed, or inherited over a fork
│   ├── UnknownEventError         written by a newer release; upgrade to read it
│   └── WrongFileError            the file is no journal, or not safe to use as one
├── ViewError                     a projection's tables could not be read or written
├── SchemaError                   the record types that were registered cannot be used
├── ProfileError                  a remote's profile does not say what it must
├── PolicyError                   a policy for conflicts is none that there is
├── ActionError                   a quick action cannot be registered, or is not there
├── QueryError                    a query is none that a remote could be primed by
├── SubscriberBusyError           the subscriber is sending, or pulling, already
├── LeaseLostError                another sender has taken over; nothing was stored
├── StillPendingError             a draft was not settled in the time that was given
└── RemoteError                   a remote broke its contract with the subscriber
```

Facts are attributes; the text says what happened, to which record, and how to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class JournalError(Exception):
    """Base of all errors of this library: what happened, and how to mend it."""

    def __init__(self, problem: str, *, hint: str = "") -> None:
        """Keep the problem and the hint; the text is both."""
        super().__init__(f"{problem}; {hint}" if hint else problem)
        self.problem = problem
        self.hint = hint


class RefusedError(JournalError):
    """A command was refused; nothing was stored."""


class InvalidNameError(RefusedError):
    """A record type, record id or field name is not allowed."""

    def __init__(self, what: str, name: str, *, hint: str) -> None:
        """Say which kind of name it is, and show it shortened."""
        self.what = what
        self.name = name
        super().__init__(f"{what} {shown(name)} is not allowed", hint=hint)


class InvalidValueError(RefusedError):
    """A value could not be stored exactly."""

    def __init__(self, path: str, problem: str, *, hint: str, record: str | None = None) -> None:
        """Name the place by its path, such as ``/Address/lines/0``."""
        self.path = path
        self.record = record
        self.reason = problem
        where = f"{record} {path}" if record else path
        super().__init__(f"{where}: {problem}", hint=hint)


class InvalidRecordError(RefusedError):
    """A record does not fit its registered type."""

    def __init__(self, record: str, messages: Mapping[str, str]) -> None:
        """Keep one message per field; the empty name stands for the whole record."""
        self.record = record
        self.messages = dict(messages)
        listed = ", ".join(f"{field or 'record'}: {text}" for field, text in messages.items())
        super().__init__(f"{record} is not valid: {listed}", hint="mend these fields and try again")


class WouldBeRefusedError(InvalidRecordError):
    """The service has described the type, and would refuse the draft."""

    def __init__(self, record: str, messages: Mapping[str, str], source: str) -> None:
        """Keep who described the type, and one message per field, as for an invalid record."""
        self.record = record
        self.messages = dict(messages)
        self.source = source
        listed = ", ".join(f"{field or 'record'}: {text}" for field, text in messages.items())
        JournalError.__init__(
            self,
            f"{record} would be refused: {listed}",
            hint=f"mend these fields; where {source} has changed, describe the type anew; "
            'with hints="warn", the draft is made all the same',
        )


class UnknownTypeError(RefusedError):
    """Types are registered, and this is none of them."""

    def __init__(self, record_type: str, known: tuple[str, ...]) -> None:
        """List the types that are known."""
        self.record_type = record_type
        self.known = known
        super().__init__(
            f"record type {shown(record_type)} is not registered",
            hint=f"use one of {', '.join(known)}, or register it",
        )


class RecordMissingError(RefusedError):
    """The journal has never heard of this record."""

    def __init__(self, record: str) -> None:
        """Name the record."""
        self.record = record
        super().__init__(
            f"record {record} is unknown",
            hint="create it, or observe the remote's state of it first",
        )


class RecordDeletedError(RefusedError):
    """The record is deleted; it can no longer be changed."""

    def __init__(self, record: str) -> None:
        """Name the record."""
        self.record = record
        super().__init__(
            f"record {record} is deleted",
            hint="create a new record",
        )


class RecordExistsError(RefusedError):
    """Another record with this id was created before."""

    def __init__(self, record: str) -> None:
        """Name the record."""
        self.record = record
        super().__init__(
            f"record {record} exists already, and was not created with these fields",
            hint="update it, or choose another id",
        )


class DanglingReferenceError(RefusedError):
    """A field refers to a record that cannot be referred to."""

    def __init__(self, record: str, path: str, target: str, problem: str) -> None:
        """Name the record, the field and the record that it refers to."""
        self.record = record
        self.path = path
        self.target = target
        super().__init__(
            f"{record} {path}: {target} {problem}",
            hint="create or observe the record first, or refer to another one",
        )


class DraftMissingError(RefusedError):
    """No pending draft has this id."""

    def __init__(self, draft_id: str) -> None:
        """Name the draft."""
        self.draft_id = draft_id
        super().__init__(
            f"no pending draft has the id {shown(str(draft_id))}",
            hint="it may be acknowledged or discarded already; list the pending drafts",
        )


class DraftStateError(RefusedError):
    """The draft is in a state in which this cannot be done."""

    def __init__(self, draft_id: str, record: str, state: str, problem: str, *, hint: str) -> None:
        """Name the draft, its record and its state."""
        self.draft_id = draft_id
        self.record = record
        self.state = state
        super().__init__(f"draft {shown(draft_id)} of {record}: {problem}", hint=hint)


class ConflictUnresolvedError(RefusedError):
    """What was decided leaves fields of the conflict open."""

    def __init__(self, draft_id: str, record: str, messages: Mapping[str, str]) -> None:
        """Keep one message per field; the empty name stands for the whole record."""
        self.draft_id = draft_id
        self.record = record
        self.messages = dict(messages)
        listed = ", ".join(f"{field or 'record'}: {text}" for field, text in messages.items())
        super().__init__(
            f"the conflict of draft {shown(draft_id)} of {record} is still open: {listed}",
            hint="decide for ours or theirs, or give values for these fields",
        )


class BatchMovedError(RefusedError):
    """A batch was ended by another task than opened it."""

    def __init__(self, count: int) -> None:
        """Keep how many changes were in the batch."""
        self.count = count
        changes = "its 1 change was" if count == 1 else f"its {count} changes were"
        super().__init__(
            f"a batch was opened in one task or thread and ended in another: {changes} not stored",
            hint="make the changes again, within a block that begins and ends in one task",
        )


class InvalidChangeError(RefusedError):
    """A line of an import is not a change."""

    def __init__(self, line: int, problem: str, *, hint: str = "") -> None:
        """Name the line, counted from 1."""
        self.line = line
        super().__init__(f"line {line}: {problem}", hint=hint)


class VersionConflictError(JournalError):
    """The stream is not at the version that the writer expected."""

    def __init__(self, stream: str, expected: int, actual: int | None) -> None:
        """Keep both versions; the actual one is None where it is not known."""
        self.stream = stream
        self.expected = expected
        self.actual = actual
        at = "another version" if actual is None else f"version {actual}"
        super().__init__(
            f"{stream} was expected at version {expected} and is at {at}",
            hint="read the record again, decide again, and try again",
        )


class LogError(JournalError):
    """The log could not be read or written."""


class LogMissingError(LogError):
    """There is no journal at this path, and none was to be made."""

    def __init__(self, path: str, *, hint: str = "") -> None:
        """Name the path."""
        self.path = path
        super().__init__(
            f"there is no journal at {shown(path, 200)}",
            hint=hint or "check the name; opened with create=True, it is made",
        )


class LogBusyError(LogError):
    """Another process held the log for too long."""


class LogFullError(LogError):
    """No space left; what was stored before is safe."""


class LogUnavailableError(LogError):
    """The file cannot be opened, read or written."""


class LogCorruptError(LogError):
    """The log is damaged or was tampered with."""

    def __init__(self, position: int | None, problem: str, *, hint: str = "") -> None:
        """Keep the first position that is wrong, where it is known."""
        self.position = position
        where = "the log" if position is None else f"the log at position {position}"
        super().__init__(
            f"{where}: {problem}",
            hint=hint or "export what can be read, and restore the file from a backup",
        )


class LogClosedError(LogError):
    """The journal was closed, or inherited over a fork."""


class UnknownEventError(LogError):
    """Written by a newer release; upgrade to read it."""

    def __init__(self, position: int | None, event_type: str, schema_version: int) -> None:
        """Keep what was found and where."""
        self.position = position
        self.event_type = event_type
        self.schema_version = schema_version
        where = "" if position is None else f" at position {position}"
        super().__init__(
            f"the event{where} is a {shown(event_type)} of schema version {schema_version}, "
            "which this release does not know",
            hint="upgrade draft-journal; exporting works without",
        )


class WrongFileError(LogError):
    """The file is no journal, or not safe to use as one."""


class ViewError(JournalError):
    """A projection's tables could not be read or written."""


class SchemaError(JournalError):
    """The record types that were registered cannot be used."""


class ProfileError(JournalError):
    """A remote's profile does not say what it must."""

    def __init__(
        self, key: str, problem: str, *, hint: str = "", others: Iterable[ProfileError] = ()
    ) -> None:
        """Name the key of the profile, such as ``create.path``, and all keys that are wrong."""
        more = tuple(others)
        self.key = key
        self.keys = (key, *(other.key for other in more))
        problem = f"profile key {key}: {problem}"
        if more:
            first = f"{problem}; {hint}" if hint else problem
            problem, hint = "\n".join([first, *map(str, more)]), ""
        super().__init__(problem, hint=hint)


class PolicyError(JournalError):
    """A policy for conflicts is none that there is."""

    def __init__(self, key: str, policy: object) -> None:
        """Name the key under which it was given, such as ``Account.Phone``."""
        self.key = key
        super().__init__(
            f"the policy {shown(str(policy))} for {shown(key)} is none that there is",
            hint="use merge, ours, theirs, hold or, in code, a function",
        )


class ActionError(JournalError):
    """A quick action cannot be registered, or is not there."""

    def __init__(self, action: str, problem: str, *, hint: str = "") -> None:
        """Name the action, or where it was to come from."""
        self.action = action
        super().__init__(f"quick action {shown(action)}: {problem}", hint=hint)


class QueryError(JournalError):
    """A query is none that a remote could be primed by."""

    def __init__(self, query: str, problem: str, *, hint: str = "") -> None:
        """Keep the query, and say what is the matter with it."""
        self.query = query
        super().__init__(f"the query {shown(query)}: {problem}", hint=hint)


class SubscriberBusyError(JournalError):
    """The subscriber is sending, or pulling, already."""


class LeaseLostError(JournalError):
    """Another sender has taken over; nothing was stored."""

    def __init__(self, queue: str, epoch: int) -> None:
        """Keep the queue, and the epoch that is over."""
        self.queue = queue
        self.epoch = epoch
        super().__init__(
            f"the lease of epoch {epoch} on the queue {shown(queue)} is held no more",
            hint="another sender goes on; nothing needs to be done",
        )


class StillPendingError(JournalError):
    """A draft was not settled in the time that was given."""

    def __init__(self, what: str, timeout_s: float, why: str) -> None:
        """Name the draft, or the record, and what it waits for."""
        self.what = what
        self.timeout_s = timeout_s
        self.why = why
        super().__init__(
            f"{what} is still pending after {timeout_s:g} s: {why}",
            hint="it stays in the queue; wait for it again, or look at what is in its way",
        )


class RemoteError(JournalError):
    """A remote broke its contract with the subscriber."""


def shown(text: str, limit: int = 60) -> str:
    """Return the text quoted for a message, shortened to `limit` characters and harmless."""
    quoted = ascii(text) if not text.isprintable() else repr(text)
    return quoted if len(quoted) <= limit else f"{quoted[: limit - 1]}…"
