"""Floor 2: the events, their envelope, and how old ones are read; pure.

The names of the events, of their fields and of the columns of the envelope are the stored
format. CHOOSE THEM WITH CARE; NEVER RENAME THEM: a log is read for ever. A change of shape is
a new schema version with an upcaster in `UPCASTERS`.

It knows nothing of where entries are kept, nor how they are chained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict

from journal.values import Fields, Ref

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LATEST: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""The last microsecond of the year 9999: what is stored is never later than that."""

ChangeKind: TypeAlias = Literal["create", "update", "delete"]
DraftState: TypeAlias = Literal["pending", "sending", "held"]
HoldClass: TypeAlias = Literal["rejected", "conflict", "gone", "unknown"]
Evidence: TypeAlias = Literal["answer", "read", "person"]
StopCause: TypeAlias = Literal["person", "rejections"]
Side: TypeAlias = Literal["ours", "theirs", "value"]


class _Event(BaseModel):
    """What all events share: they are facts, so they are frozen, strict and closed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    references: tuple[str, ...] = ()
    """JSON pointers to the places in this event that hold a `Ref`; never inferred from text."""


class RecordCreated(_Event):
    """A record was created here: a draft."""

    fields: Fields


class RecordUpdated(_Event):
    """Fields of a record were changed here: a draft."""

    changes: Fields
    base: Fields
    """The value that each changed field had here before; absent where it had none."""
    base_version: str | None = None
    """The remote's version of the record that the change was made on, where it is known."""


class RecordDeleted(_Event):
    """A record was deleted here: a draft."""

    base: Fields
    """The fields that the record had here before."""
    base_version: str | None = None


class RecordObserved(_Event):
    """The remote's state of a record, as seen by a pull, a prime or a read."""

    exists: bool
    fields: Fields = {}
    remote_id: str | None = None
    remote_version: str | None = None
    partial: bool = False
    """True where only some fields were seen; the others stay as they were."""


class PushStarted(_Event):
    """A draft is about to leave: until its outcome is known, it is maybe applied."""

    draft_id: str
    revision: int = 0
    """How often the draft was amended; together with its id, the key that the remote sees."""


class FieldMessage(BaseModel):
    """What a remote says of one field, or of the whole record where `field` is empty."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    field: str = ""
    message: str
    code: str = ""

    @property
    def text(self) -> str:
        """What it says, and of which field, in one line."""
        return f"{self.field}: {self.message}" if self.field else self.message


class DraftAcknowledged(_Event):
    """The remote has the draft: the receipt."""

    draft_id: str
    revision: int = 0
    """Which revision of it the remote has."""
    remote_id: str | None = None
    remote_version: str | None = None
    evidence: Evidence
    """How we know: by the answer to the request, by reading the record, or from a person."""
    attempts: int = 1
    """How often whoever settled it had tried to send it in a row."""
    status: int | None = None
    """The HTTP status of the answer that is the evidence, where there was one."""
    remote_date: str | None = None
    """The answer's Date, as the remote wrote it, where there was one."""
    fields: Fields | None = None
    """The whole record as the receipt showed it, or a read right before, where one did."""


class DraftHeld(_Event):
    """The remote will not have the draft as it is: somebody must decide."""

    draft_id: str
    revision: int = 0
    """Which revision of it was refused."""
    classification: HoldClass
    messages: tuple[FieldMessage, ...] = ()
    status: int | None = None
    answer: str = ""
    """The beginning of the raw answer."""
    attempts: int = 1


class DraftRetried(_Event):
    """A draft is to be sent again as it is: a held one, or one of a batch that was not applied."""

    draft_id: str


class DraftAmended(_Event):
    """A draft is to be sent with other fields; the original stays in the log."""

    draft_id: str
    revision: int
    fields: Fields
    """All fields that the draft now holds, in place of those it held before."""


class DraftDiscarded(_Event):
    """A draft will never be sent."""

    draft_id: str
    cause: str | None = None
    """The draft whose discard made this one fall, where it was not discarded itself."""
    maybe_applied: bool = False
    """True where a request of it had left whose outcome was not known."""


class Resolution(BaseModel):
    """How one field of a conflict was decided."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    field: str
    side: Side
    rule: str


class ConflictResolved(_Event):
    """A conflict was decided, by a person or by a policy."""

    draft_id: str
    revision: int
    base: Fields
    ours: Fields
    theirs: Fields | None
    """The remote's values of the same fields; None where the remote has no such record."""
    resolutions: tuple[Resolution, ...]
    kind: ChangeKind | None
    """What the draft is from now on; None where nothing of it is left to send: it has ended."""
    fields: Fields
    """What the draft is to send now."""
    remote_version: str | None = None
    """The remote's version that the decision was made on: the draft's new base."""


class QueueStopped(_Event):
    """Nothing is sent until the queue is started again."""

    cause: StopCause
    problem: str = ""
    """What was the matter, where it was not a person's wish."""


class QueueStarted(_Event):
    """The queue is sent again."""


Event: TypeAlias = (
    RecordCreated
    | RecordUpdated
    | RecordDeleted
    | RecordObserved
    | PushStarted
    | DraftAcknowledged
    | DraftHeld
    | DraftRetried
    | DraftAmended
    | DraftDiscarded
    | ConflictResolved
    | QueueStopped
    | QueueStarted
)

EVENT_TYPES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        event_type.__name__: event_type
        for event_type in (
            RecordCreated,
            RecordUpdated,
            RecordDeleted,
            RecordObserved,
            PushStarted,
            DraftAcknowledged,
            DraftHeld,
            DraftRetried,
            DraftAmended,
            DraftDiscarded,
            ConflictResolved,
            QueueStopped,
            QueueStarted,
        )
    }
)
"""The allow-list: a stored name is looked up here, and never imported."""

SCHEMA_VERSIONS: Final[Mapping[str, int]] = MappingProxyType(dict.fromkeys(EVENT_TYPES, 1))
"""The schema version in which each event is written now."""

QUEUE: Final = Ref.trusted("$queue:default")
"""The stream of what concerns the queue as a whole; no type of records has such a name."""

Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = MappingProxyType({})
"""For an event type and an old schema version: the function to the next version."""


class NewEntry(NamedTuple):
    """An event with all of its envelope that is known before the append."""

    event_id: str
    stream: Ref
    version: int
    occurred_at: int
    """Microseconds since 1970 in UTC, as the writer's clock says."""
    actor: str
    origin: str
    correlation_id: str | None
    causation_id: str | None
    reason: str | None
    trace: str | None
    event: Event


class Entry(NamedTuple):
    """An event at its position in the log, with its envelope."""

    position: int
    """The place in the log, from 1, rising by 1."""
    batch: int
    """The position of the first entry of the append that this entry was part of."""
    event_id: str
    stream: Ref
    version: int
    """The place in the stream of the record, from 1, rising by 1."""
    occurred_at: int
    """Microseconds since 1970 in UTC; never the same nor earlier than an earlier entry's."""
    clock_adjusted: bool
    """True where the clock was behind the append before, so that `occurred_at` was moved on."""
    actor: str
    origin: str
    correlation_id: str | None
    causation_id: str | None
    reason: str | None
    trace: str | None
    """The trace in which it was made, as a W3C ``traceparent``, where there was one."""
    event: Event

    @property
    def at(self) -> datetime:
        """When it occurred, in UTC."""
        return time_of(self.occurred_at)


def time_of(occurred_at: int) -> datetime:
    """Return the time that is `occurred_at` microseconds after 1970, in UTC.

    A time before the year 1 or after the year 9999 is the first or the last that there is.
    """
    return EPOCH + timedelta(microseconds=max(EARLIEST, min(occurred_at, LATEST)))
