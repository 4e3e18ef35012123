"""History: who changed what, when, from what to what, and what became of it.

The table is slim: it says which entries there are, and which of them settled a draft. What is
in them is read from the log when it is asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, assert_never

from journal.drafts import draft_id_of
from journal.errors import InvalidValueError, RecordMissingError, shown
from journal.events import (
    EPOCH,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    Entry,
    Evidence,
    FieldMessage,
    PushStarted,
    QueueStarted,
    QueueStopped,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
    time_of,
)
from journal.record import Record, evolve, initial
from journal.values import Fields, Ref, same
from projections.projection import Projection
from projections.rows import bounded, decoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from journal.log import Cursor

Settled: TypeAlias = Literal["acknowledged", "held", "discarded", "resolved"]

_CHANGES: Final = (RecordCreated, RecordUpdated, RecordDeleted)
_SAVE: Final = "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)"
_SETTLE: Final = "INSERT OR REPLACE INTO history_outcomes VALUES (?, ?)"
_UNSETTLE: Final = "DELETE FROM history_outcomes WHERE draft_id = ?"
_BETWEEN: Final = f"""
    SELECT h.position, o.position FROM history h LEFT JOIN history_outcomes o
    ON o.draft_id = h.draft_id AND h.event IN ({", ".join(f"'{e.__name__}'" for e in _CHANGES)})
"""  # noqa: S608
_LATEST: Final = " ORDER BY h.occurred_at DESC, h.position DESC LIMIT ?"


class FieldChange(NamedTuple):
    """What a field was, and what it became; None where it has no value."""

    field: str
    before: Any
    after: Any


class Outcome(NamedTuple):
    """What became of a draft."""

    state: Settled
    at: datetime
    """When that was learned, in UTC."""
    evidence: Evidence | None
    """How an acknowledgement is known: by the answer, by a read afterwards, or from a person."""
    remote_id: str | None
    remote_version: str | None
    attempts: int
    """How often it was sent."""
    messages: tuple[FieldMessage, ...]
    """What the remote said of a draft that is held."""


class HistoryLine(NamedTuple):
    """One event: who, when, why, from what to what, and what became of it."""

    position: int
    at: datetime
    """When it occurred, in UTC."""
    actor: str
    origin: str
    reason: str | None
    ref: Ref
    event: str
    """The type of the event."""
    draft_id: str | None
    """The draft that it is about, which is itself where it is a local change."""
    changes: tuple[FieldChange, ...]
    """Of the record here, for a local change; of what the remote says, for an observation."""
    outcome: Outcome | None
    """What became of a local change; None as long as it is pending, and for other events."""
    event_id: str
    correlation_id: str | None


class History(Projection):
    """Who changed what, when, from what to what, and how it was acknowledged."""

    name: ClassVar[str] = "history"
    version: ClassVar[int] = 1
    tables: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "history": """
                position INTEGER NOT NULL,
                record_type TEXT NOT NULL,
                record_id TEXT NOT NULL,
                occurred_at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                event TEXT NOT NULL,
                draft_id TEXT,
                PRIMARY KEY (occurred_at, position)
            """,
            "history_outcomes": """
                draft_id TEXT PRIMARY KEY,
                position INTEGER NOT NULL
            """,
        }
    )

    def of(self, ref: Ref | str) -> list[HistoryLine]:
        """Return what happened to a record, in order.

        Args:
            ref: the record; the text ``Type:id`` will do.

        Raises:
            InvalidNameError: the text is no reference.
            RecordMissingError: the journal has never heard of it.
            LogError: it could not be read.
        """
        ref = ref if type(ref) is Ref else Ref(ref)
        entries = self._log.stream(ref)
        if not entries:
            raise RecordMissingError(ref)
        settled: dict[str | None, Entry | None] = {}
        for entry in entries:
            if _bears_on_outcome(entry):
                settled[draft_id_of(entry)] = entry if _outcome(entry) else None
        changes = _changes_in_stream(entries)
        return [
            _line(entry, changes[entry.position], settled.get(entry.event_id)) for entry in entries
        ]

    def between(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        actor: str | None = None,
        record_type: str | None = None,
        limit: int | None = None,
    ) -> list[HistoryLine]:
        """Return what happened in a time, in order.

        Args:
            since: the first moment of that time.
            until: the moment at which it is over.
            actor: return only what this one did.
            record_type: return only what happened to records of this type.
            limit: how many to return at most: the latest.

        Raises:
            InvalidValueError: a moment is no datetime, or has no time zone.
            LogError: it could not be read.
        """
        conditions: dict[str, object] = {
            "h.occurred_at >= ?": None if since is None else _occurred_at("since", since),
            "h.occurred_at < ?": None if until is None else _occurred_at("until", until),
            "h.actor = ?": actor,
            "h.record_type = ?": record_type,
        }
        given = {text: value for text, value in conditions.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        most = -1 if limit is None else bounded(limit)
        with self.reading() as cursor:
            cursor.execute(f"{_BETWEEN}{where}{_LATEST}", (*given.values(), most))
            found = cursor.fetchall()[::-1]
        with decoding():
            return self._lines(found)

    def _lines(self, found: Sequence[tuple[int, int | None]]) -> list[HistoryLine]:
        """Return the lines of the entries at these positions, each with that of its outcome."""
        positions = {position for pair in found for position in pair if position is not None}
        entries = self._entries(positions)
        folded: dict[int, tuple[FieldChange, ...]] = {}
        for ref in {entries[at].stream for at, _ in found if _needs_fold(entries[at])}:
            folded |= _changes_in_stream(self._log.stream(ref))
        lines = []
        for position, settled_at in found:
            entry = entries[position]
            changes = folded.get(position)
            if changes is None:
                changes = _changes(entry, initial(entry.stream), initial(entry.stream))
            lines.append(_line(entry, changes, None if settled_at is None else entries[settled_at]))
        return lines

    def _entries(self, positions: Iterable[int]) -> dict[int, Entry]:
        """Return the entries at the positions, runs of which are read at once."""
        entries: dict[int, Entry] = {}
        ordered = sorted(positions)
        breaks = [at for at, (one, next_) in enumerate(pairwise(ordered), 1) if next_ != one + 1]
        for start, end in pairwise([0, *breaks, len(ordered)]):
            if start < end:
                for entry in self._log.read(ordered[start] - 1, end - start):
                    entries[entry.position] = entry
        return entries

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Note which entries there are, and which settle a draft."""
        rows = []
        settled: dict[str | None, int | None] = {}
        for entry in entries:
            draft_id = draft_id_of(entry)
            record_type, _, record_id = entry.stream.partition(":")
            rows.append(
                (
                    entry.position,
                    record_type,
                    record_id,
                    entry.occurred_at,
                    entry.actor,
                    type(entry.event).__name__,
                    draft_id,
                )
            )
            if _bears_on_outcome(entry):
                settled[draft_id] = entry.position if _outcome(entry) else None
        cursor.executemany(_SAVE, rows)
        cursor.executemany(_SETTLE, [pair for pair in settled.items() if pair[1] is not None])
        cursor.executemany(_UNSETTLE, [(key,) for key, at in settled.items() if at is None])


def _occurred_at(name: str, moment: object) -> int:
    hint = "say which it is, such as datetime(2025, 6, 1, tzinfo=UTC)"
    if not isinstance(moment, datetime):
        problem = f"{shown(repr(moment))} is no moment: a datetime is"
        raise InvalidValueError(name, problem, hint=hint)
    if moment.utcoffset() is None:
        raise InvalidValueError(
            name,
            f"the time {moment} has no time zone",
            hint=hint,
        )
    return (moment - EPOCH) // timedelta(microseconds=1)


def _line(entry: Entry, changes: tuple[FieldChange, ...], settled: Entry | None) -> HistoryLine:
    return HistoryLine(
        entry.position,
        entry.at,
        entry.actor,
        entry.origin,
        entry.reason,
        entry.stream,
        type(entry.event).__name__,
        draft_id_of(entry),
        changes,
        None if settled is None else _outcome(settled),
        entry.event_id,
        entry.correlation_id,
    )


# --- what became of a draft ------------------------------------------------------------------


def _bears_on_outcome(entry: Entry) -> bool:
    """Say whether the entry settles a draft, or sends one that is held on its way again."""
    return not isinstance(
        entry.event, (*_CHANGES, RecordObserved, PushStarted, QueueStopped, QueueStarted)
    )


def _outcome(entry: Entry) -> Outcome | None:
    """Return the outcome that the entry tells of, if it does."""
    event = entry.event
    at = time_of(entry.occurred_at)
    match event:
        case DraftAcknowledged(evidence=evidence, remote_id=remote_id, attempts=attempts):
            version = event.remote_version
            return Outcome("acknowledged", at, evidence, remote_id, version, attempts, ())
        case DraftHeld(attempts=attempts, messages=messages):
            return Outcome("held", at, None, None, None, attempts, messages)
        case DraftDiscarded():
            return Outcome("discarded", at, None, None, None, 0, ())
        case ConflictResolved(kind=None, remote_version=version):
            return Outcome("resolved", at, None, None, version, 0, ())
        case _:
            return None


# --- from what to what -----------------------------------------------------------------------


def _needs_fold(entry: Entry) -> bool:
    """Say whether what was before can be told only from the entries before it."""
    match entry.event:
        case RecordObserved() | DraftAmended() | ConflictResolved() | DraftDiscarded():
            return True
        case DraftAcknowledged(fields=fields):
            return fields is not None
        case _:
            return False


def _changes_in_stream(entries: Sequence[Entry]) -> dict[int, tuple[FieldChange, ...]]:
    """Return the changes at each position of a stream, which is given from its beginning."""
    record = initial(entries[0].stream)
    changes = {}
    for entry in entries:
        after = evolve(record, entry)
        changes[entry.position] = _changes(entry, record, after)
        record = after
    return changes


def _changes(entry: Entry, before: Record, after: Record) -> tuple[FieldChange, ...]:
    """Return what the entry changed, from the record before it to the record after it."""
    event = entry.event
    match event:
        case RecordCreated(fields=fields):
            return _differences({}, fields)
        case RecordUpdated(base=base, changes=changes):
            return _differences(base, changes)
        case RecordDeleted(base=base):
            return _differences(base, {})
        case RecordObserved(exists=exists):
            seen = after.remote.fields if exists else {}
            return _differences(before.remote.fields if before.remote.exists else {}, seen)
        case DraftAmended(draft_id=draft_id) | ConflictResolved(draft_id=draft_id):
            change = before.change(draft_id)
            return () if change is None else _differences(change.fields, event.fields)
        case DraftAcknowledged(fields=None):
            return ()
        case DraftAcknowledged() | DraftDiscarded():
            return _differences(before.fields or {}, after.fields or {})
        case PushStarted() | DraftHeld() | DraftRetried() | QueueStopped() | QueueStarted():
            return ()
        case _:
            assert_never(event)


def _differences(before: Fields, after: Fields) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if not same(before.get(name), after.get(name))
    )
