"""What a record must look like here, worked out from the log alone, by other code than ours.

What the remote was last heard to have, with what is pending laid over it, in order. It shares
the events with the library, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)

if TYPE_CHECKING:
    from journal.events import Entry
    from journal.record import Record
    from journal.values import Ref


class Sides(NamedTuple):
    """A record as it is here, and as the remote was last heard to have it."""

    here: dict[str, Any] | None
    exists: bool | None
    there: dict[str, Any]
    remote_id: str | None
    version: str | None


def sides_of(record: Record) -> Sides:
    """Return what the library makes of a record."""
    remote = record.remote
    return Sides(record.fields, remote.exists, remote.fields, remote.remote_id, remote.version)


class _Copy:
    """One record."""

    __slots__ = ("exists", "pending", "remote_id", "there", "version")

    def __init__(self) -> None:
        self.exists: bool | None = None
        self.there: dict[str, Any] = {}
        self.remote_id: str | None = None
        self.version: str | None = None
        self.pending: dict[str, tuple[str, dict[str, Any]]] = {}
        """Of each draft, in order: what it does, and the fields that it sets."""


class Copies:
    """All records."""

    def __init__(self) -> None:
        """Begin before the first entry."""
        self._copies: dict[Ref, _Copy] = {}

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry."""
        copy = self._copies.setdefault(entry.stream, _Copy())
        match entry.event:
            case RecordCreated(fields=fields):
                copy.pending[entry.event_id] = ("create", fields)
            case RecordUpdated(changes=fields):
                copy.pending[entry.event_id] = ("update", fields)
            case RecordDeleted():
                copy.pending[entry.event_id] = ("delete", {})
            case RecordObserved() as event:
                _see(copy, event)
            case DraftAcknowledged(draft_id=draft_id) as event if draft_id in copy.pending:
                _settle(copy, event)
            case DraftDiscarded(draft_id=draft_id) | ConflictResolved(draft_id=draft_id, kind=None):
                copy.pending.pop(draft_id, None)
            case DraftAmended() | ConflictResolved() as event if event.draft_id in copy.pending:
                kind = event.kind if isinstance(event, ConflictResolved) else None
                before, _ = copy.pending[event.draft_id]
                copy.pending[event.draft_id] = (kind or before, event.fields)
            case _:
                pass

    def sides(self, ref: Ref) -> Sides:
        """Return what a record must be."""
        copy = self._copies[ref]
        kinds = [kind for kind, _ in copy.pending.values()]
        here: dict[str, Any] | None = None
        if copy.exists or (kinds and kinds[0] != "create"):  # what is changed here was there once
            here = dict(copy.there)
        for kind, fields in copy.pending.values():
            if kind != "delete":
                here = {**(here or {}), **fields}
        return Sides(here, copy.exists, copy.there, copy.remote_id, copy.version)


def _see(copy: _Copy, event: RecordObserved) -> None:
    copy.exists, copy.version = event.exists, event.remote_version
    if event.exists:
        copy.there = {**copy.there, **event.fields} if event.partial else dict(event.fields)
        copy.remote_id = event.remote_id or copy.remote_id


def _settle(copy: _Copy, event: DraftAcknowledged) -> None:
    kind, fields = copy.pending.pop(event.draft_id)
    before = copy.there if kind == "update" else {}
    left = {**before, **fields} if event.fields is None else dict(event.fields)
    copy.exists, copy.there = kind != "delete", {} if kind == "delete" else left
    copy.remote_id = event.remote_id or copy.remote_id
    copy.version = event.remote_version
