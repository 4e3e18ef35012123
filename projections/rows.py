"""How fields and records are kept in rows; pure.

- W1. What was packed comes back equal, value for value and type for type, in the same order;
  and what is equal in all of these is packed into the same text.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from journal.errors import ViewError
from journal.record import Change, Record, Remote
from journal.values import Ref, references, restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.values import Fields

ALL: Final = 2**62
"""More rows than there can be, and not too many for SQLite."""
RECORD_COLUMNS: Final = """
    record_type TEXT NOT NULL,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    fields TEXT,
    refs TEXT,
    drafts INTEGER NOT NULL,
    created INTEGER NOT NULL,
    edited INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    server TEXT,
    server_refs TEXT,
    remote_exists INTEGER,
    remote_id TEXT,
    remote_version TEXT,
    receipt INTEGER NOT NULL,
    receipt_version TEXT,
    PRIMARY KEY (record_type, record_id)
"""
CHANGE_COLUMNS: Final = """
    position INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    draft_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    refs TEXT,
    revision INTEGER NOT NULL,
    UNIQUE (record, position)
"""

_MAY_REFER: Final = frozenset({Ref, dict, list})
_NOTHING: Final = ("{}", None)


@contextmanager
def decoding() -> Iterator[None]:
    """Say that a view is damaged where what its rows say makes no sense.

    Raises:
        ViewError: it is.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ViewError(
            f"a view is damaged: {type(error).__name__}: {error}",
            hint="build it anew: draft-journal rebuild",
        ) from error


def bounded(limit: int) -> int:
    """Return how many rows to ask for at most, which SQLite must be able to hold."""
    return min(max(limit, 0), ALL)


def packed(fields: Fields) -> tuple[str, str | None]:
    """Return the fields as JSON, and the places of their references as a list in JSON.

    There is no such list where there are no references, which are never told from a text.
    """
    text = to_json(fields).decode()
    if _MAY_REFER.isdisjoint(map(type, fields.values())):
        return text, None
    places = [place for place, _ in references(fields)]
    return text, to_json(places).decode() if places else None


def unpacked(text: str, refs: str | None) -> Fields:
    """Return the fields, with a reference at each of the places and nowhere else.

    Raises:
        LookupError, TypeError, ValueError: that is not what was packed.
    """
    fields: Fields = from_json(text)
    if type(fields) is not dict:
        message = f"{text[:20]!r} is no object"
        raise TypeError(message)
    if refs is not None:
        restore(fields, from_json(refs))
    return fields


class RecordRow(NamedTuple):
    """A record as it is stored."""

    record_type: str
    record_id: str
    version: int
    fields: str | None
    """None where there is no such record."""
    refs: str | None
    drafts: int
    """How many changes are pending."""
    created: int
    edited: int
    deleted: int
    server: str | None
    """What the remote last said; None where that is the same, to the letter, as `fields`."""
    server_refs: str | None
    remote_exists: int | None
    remote_id: str | None
    remote_version: str | None
    receipt: int
    receipt_version: str | None

    @property
    def ref(self) -> Ref:
        """The reference to the record."""
        return Ref.trusted(f"{self.record_type}:{self.record_id}")

    def local_fields(self) -> Fields | None:
        """Return the fields as they are here."""
        return None if self.fields is None else unpacked(self.fields, self.refs)

    def server_fields(self) -> Fields:
        """Return the fields as the remote last said them."""
        if self.server is not None:
            return unpacked(self.server, self.server_refs)
        return self.local_fields() or {}


def key_of(ref: Ref) -> tuple[str, str]:
    """Return the type and the id of the record."""
    record_type, _, record_id = ref.partition(":")
    return record_type, record_id


def flags_of(record: Record) -> tuple[bool, bool, bool]:
    """Say whether its creation, edits of it, and its deletion are pending."""
    changes = record.changes
    if not changes:
        return False, False, False
    created = changes[0].kind == "create"
    deleted = changes[-1].kind == "delete"
    return created, len(changes) > created + deleted, deleted


def row_of(record: Record) -> tuple[object, ...]:
    """Return the row of a record, in the order of the columns."""
    local = (None, None) if record.fields is None else packed(record.fields)
    remote = record.remote
    server = packed(remote.fields) if remote.fields else _NOTHING
    return (
        *key_of(record.ref),
        record.version,
        *local,
        len(record.changes),
        *flags_of(record),
        *((None, None) if server == local else server),
        remote.exists,
        remote.remote_id,
        remote.version,
        remote.receipt,
        remote.receipt_version,
    )


def record_of(row: RecordRow, changes: tuple[Change, ...]) -> Record:
    """Return the record of a row with its pending changes."""
    remote = Remote(
        None if row.remote_exists is None else bool(row.remote_exists),
        row.server_fields(),
        row.remote_id,
        row.remote_version,
        row.receipt,
        row.receipt_version,
    )
    return Record(row.ref, row.version, remote, changes, row.local_fields())


def change_row(ref: Ref, change: Change) -> tuple[object, ...]:
    """Return the row of a pending change, in the order of the columns."""
    fields, refs = packed(change.fields)
    return (change.position, ref, change.draft_id, change.kind, fields, refs, change.revision)


def change_of(row: tuple[Any, ...]) -> Change:
    """Return the pending change of a row, without base and state: no fold looks at these."""
    position, _, draft_id, kind, fields, refs, revision = row
    return Change(draft_id, position, kind, unpacked(fields, refs), {}, None, position, revision)
