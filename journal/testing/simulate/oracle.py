"""What must be pending, worked out from the log alone, by other code than the library's.

It shares the events with the library, and nothing else: neither its fold nor its queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    PushStarted,
    QueueStarted,
    QueueStopped,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import Entry


class Expected:
    """A draft, as the log says that it is."""

    __slots__ = (
        "decided_at", "draft_id", "fields", "held_as", "is_sending", "kind", "position", "ref",
        "revision", "said", "since_s",
    )  # fmt: skip

    def __init__(self, entry: Entry, kind: str, fields: dict[str, Any]) -> None:
        """Begin with the change."""
        self.draft_id = entry.event_id
        self.position = entry.position
        self.decided_at = entry.position
        """Where in the log it was last said what it sets."""
        self.ref = entry.stream
        self.kind = kind
        self.fields = fields
        self.revision = 0
        self.is_sending = False
        self.held_as: str | None = None
        self.said = ""
        self.since_s = 0.0

    @property
    def key(self) -> str:
        """The key under which it is sent."""
        return f"{self.draft_id}-{self.revision}" if self.revision else self.draft_id

    @property
    def targets(self) -> set[Ref]:
        """The records that it refers to."""
        return set(targets_of(self.fields))


class Oracle:
    """The drafts that are pending, and what became of the others."""

    def __init__(self) -> None:
        """Begin before the first entry."""
        self.position = 0
        self.pending: dict[str, Expected] = {}
        self.ended: dict[str, str] = {}
        """Of each draft that has ended: how."""
        self.drafts: dict[str, Expected] = {}
        """Every draft that there ever was, by its id."""
        self.by_key: dict[str, Expected] = {}
        """Every draft, by each key that it was ever to be sent under."""
        self.versions: dict[Ref, int] = {}
        self.receipts: dict[Ref, int] = {}
        """Where in the log the last receipt of each record is."""
        self.is_stopped = False
        self.why = ""
        """Why the queue is stopped."""
        self.rejections = 0
        """How many drafts in a row were rejected, since the queue was last stopped or started."""
        self.fallen: set[Ref] = set()
        """The records whose create was discarded, and that the service was never seen to have."""
        self._seen: set[Ref] = set()

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry."""
        self.position = entry.position
        self.versions[entry.stream] = entry.version
        event = entry.event
        self._count(entry)
        match event:
            case RecordCreated(fields=fields):
                self._begin(Expected(entry, "create", dict(fields)))
            case RecordUpdated(changes=fields):
                self._begin(Expected(entry, "update", dict(fields)))
            case RecordDeleted():
                self._begin(Expected(entry, "delete", {}))
            case DraftAcknowledged(draft_id=draft_id):
                self.receipts[entry.stream] = entry.position
                self._end(draft_id, "acknowledged")
            case DraftDiscarded(draft_id=draft_id):
                self._end(draft_id, "discarded")
            case ConflictResolved(draft_id=draft_id, kind=None):
                self._end(draft_id, "resolved")
            case PushStarted() | DraftHeld() | DraftRetried() | DraftAmended() | ConflictResolved():
                self._move(event)
            case QueueStopped(cause=cause, problem=problem):
                self.is_stopped, self.why = True, problem or cause
            case QueueStarted():
                self.is_stopped, self.why = False, ""
            case _:
                pass

    def _count(self, entry: Entry) -> None:
        """Count rejections in a row, and which records are lost with their create."""
        event = entry.event
        match event:
            case DraftHeld(classification="rejected"):
                self.rejections += 1
            case DraftAcknowledged() | QueueStopped() | QueueStarted():
                self.rejections = 0
            case DraftDiscarded(draft_id=draft_id):
                if self.drafts[draft_id].kind == "create" and entry.stream not in self._seen:
                    self.fallen.add(entry.stream)
            case RecordObserved(exists=True):
                self._seen.add(entry.stream)
                self.fallen.discard(entry.stream)
            case RecordCreated():
                self.fallen.discard(entry.stream)
            case _:
                pass

    def _begin(self, draft: Expected) -> None:
        self.pending[draft.draft_id] = self.drafts[draft.draft_id] = draft
        self.by_key[draft.key] = draft

    def _end(self, draft_id: str, how: str) -> None:
        if self.pending.pop(draft_id, None) is not None:
            self.ended[draft_id] = how

    def _move(
        self, event: PushStarted | DraftHeld | DraftRetried | DraftAmended | ConflictResolved
    ) -> None:
        draft = self.pending.get(event.draft_id)
        if draft is None:
            return
        draft.is_sending = isinstance(event, PushStarted)
        draft.held_as, draft.said = None, ""
        if isinstance(event, DraftHeld):
            draft.held_as = event.classification
            draft.said = " ".join(message.message for message in event.messages) or event.answer
        elif isinstance(event, DraftAmended | ConflictResolved):
            draft.fields, draft.revision = dict(event.fields), event.revision
            draft.decided_at = self.position
            if isinstance(event, ConflictResolved) and event.kind is not None:
                draft.kind = event.kind
            self.by_key[draft.key] = draft

    def free(self, on_held: str) -> Iterator[Expected]:
        """Yield the drafts that nothing holds back, in order, whether the queue is stopped or not.

        Args:
            on_held: whether a held draft holds its ``lane`` only, or all must ``stop``.
        """
        lanes: set[Ref] = set()
        drafts = sorted(self.pending.values(), key=_position)
        if on_held == "stop" and any(draft.held_as for draft in drafts):
            drafts = [] if drafts[0].held_as else drafts[:1]
        for draft in drafts:
            if draft.held_as is not None or draft.ref in lanes or draft.targets & lanes:
                lanes.add(draft.ref)
            else:
                yield draft


def _position(draft: Expected) -> int:
    return draft.position


def targets_of(value: object) -> Iterator[Ref]:
    """Yield the records that a value refers to, at whatever depth."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from targets_of(item)
