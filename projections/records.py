"""Records: the local state of every record, with the pending drafts laid over it.

What an entry does to a record is defined once, by `journal.record`; here its result is kept.

- S1. The rows are the same to the byte, however the log was split into batches.
- S2. `_kept` holds records as they were at `_kept_at`, where this object left the tables. Rows
  are made from them only while the tables' checkpoint is there.
- S3. `_ahead` holds those of the records that have changed since, at `_ahead_at`; nothing of it
  is written. So a record that was just changed is read without a transaction; the tables follow
  when they are asked for, or when too much has come together.
"""

from __future__ import annotations

from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from pydantic_core import from_json, to_json

from journal.drafts import draft_id_of
from journal.errors import RecordDeletedError, RecordMissingError, ViewError
from journal.events import QUEUE
from journal.record import evolve, initial
from journal.values import Ref, copied, freeze, same
from projections.projection import Projection
from projections.rows import (
    ALL,
    CHANGE_COLUMNS,
    RECORD_COLUMNS,
    RecordRow,
    bounded,
    change_of,
    change_row,
    decoding,
    flags_of,
    key_of,
    record_of,
    row_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from journal import Journal
    from journal.events import Entry
    from journal.log import Cursor
    from journal.record import Change, Record
    from journal.values import Fields

KEPT_RECORDS: Final = 20_000
"""How many records are kept folded in memory."""
SIFTED_AT_ONCE: Final = 500
"""How many records are read at once, at least, of which only some are returned."""
MOST_AHEAD: Final = 1000
"""How many entries memory is ahead of the tables at most."""
MANY_IDS: Final = 50
"""How many pending drafts a record must have for their ids to be kept."""

_COLUMNS: Final = ", ".join(RecordRow._fields)
_LOAD: Final = f"SELECT {_COLUMNS} FROM records WHERE record_type = ? AND record_id = ?"  # noqa: S608
_LOAD_CHANGES: Final = "SELECT * FROM record_changes WHERE record = ? ORDER BY position"
_SAVE: Final = f"INSERT OR REPLACE INTO records VALUES ({', '.join('?' * 16)})"  # noqa: S608
_SAVE_CHANGE: Final = "INSERT OR REPLACE INTO record_changes VALUES (?, ?, ?, ?, ?, ?, ?)"
_DROP_CHANGE: Final = "DELETE FROM record_changes WHERE position = ?"
_IDS: Final = """CASE WHEN drafts THEN (
    SELECT json_group_array(draft_id) FROM (
        SELECT draft_id FROM record_changes c
        WHERE c.record = r.record_type || ':' || r.record_id ORDER BY c.position
    )
) END"""
_VIEW: Final = f"SELECT {_COLUMNS}, {_IDS} FROM records r WHERE record_type = ?"  # noqa: S608
_IS_LISTED: Final = "fields IS NOT NULL AND NOT deleted"
_COUNTS: Final = (
    f"SELECT record_type, count(*) FROM records WHERE {_IS_LISTED} GROUP BY record_type"  # noqa: S608
)
_HAS_VALUE: Final = "coalesce(fields -> ?, 'null') = ?"


class RecordDrafts(NamedTuple):
    """What is pending for a record."""

    created: bool
    """Whether it was created here, and the remote does not have it yet."""
    edited: bool
    """Whether changes of its fields are pending."""
    deleted: bool
    """Whether its delete is pending."""
    server: Fields | None
    """What the remote last said of it; None where it said nothing, or that it has none."""
    ids: tuple[str, ...]
    """The ids of its pending drafts, in order."""


class RecordView(NamedTuple):
    """A record as it is here."""

    ref: Ref
    version: int
    """The version of its stream: what `expected_version` of a change refers to."""
    fields: Fields
    """What the remote last said, with the pending drafts laid over it."""
    remote_id: str | None
    remote_version: str | None
    drafts: RecordDrafts


class Records(Projection):
    """The local state of every record."""

    name: ClassVar[str] = "records"
    version: ClassVar[int] = 1
    tables: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"records": RECORD_COLUMNS, "record_changes": CHANGE_COLUMNS}
    )

    def __init__(self, journal: Journal) -> None:
        """View the records of the journal."""
        super().__init__(journal)
        self._lock = Lock()
        self._kept: dict[Ref, Record] = {}
        self._kept_at = -1
        self._ahead: dict[Ref, Record] = {}
        self._ahead_at = -1
        self._ids: dict[Ref, tuple[str, ...]] = {}

    # --- reads ---------------------------------------------------------------------------

    def get(self, ref: Ref | str) -> RecordView:
        """Return a record, also one whose delete is pending.

        Args:
            ref: the record; the text ``Type:id`` will do.

        Raises:
            InvalidNameError: the text is no reference.
            RecordMissingError: the journal has never heard of it.
            RecordDeletedError: it is gone for good.
            LogError: it could not be read.
        """
        ref = ref if type(ref) is Ref else Ref(ref)
        found = self._get(ref)
        if found is None:
            raise RecordMissingError(ref)
        if isinstance(found, Ref):
            raise RecordDeletedError(ref)
        return found

    def __contains__(self, ref: Ref | str) -> bool:
        """Say whether there is such a record here, that is, whether it is listed."""
        found = self._get(ref if type(ref) is Ref else Ref(ref))
        return isinstance(found, RecordView) and not found.drafts.deleted

    def list(
        self,
        record_type: str,
        where: Mapping[str, object] | None = None,
        *,
        include_deleted: bool = False,
        limit: int | None = None,
    ) -> list[RecordView]:
        """Return the records of a type in the order of their ids.

        Args:
            record_type: the type.
            where: fields and the exact JSON values that they must have: the text "1" is not the
                number 1; None is what an absent field has; a `Ref` is no text.
            include_deleted: whether to return those, too, whose delete is pending.
            limit: how many to return at most.

        Raises:
            InvalidNameError: a field has a name that no field has.
            InvalidValueError: a value is not JSON.
            LogError: they could not be read.
        """
        wanted = freeze(where or {})
        statement = f"{_VIEW} AND record_id > ? AND fields IS NOT NULL"
        statement += "" if include_deleted else " AND NOT deleted"
        values: list[object] = []
        for name, value in wanted.items():
            if not isinstance(value, dict | list):
                statement += f" AND {_HAS_VALUE}"
                values += [f'$."{name}"', to_json(value).decode()]
        statement += " ORDER BY record_id LIMIT ?"
        most = ALL if limit is None else bounded(limit)
        is_sifted = len(values) < 2 * len(wanted)
        page = max(most, SIFTED_AT_ONCE) if is_sifted else most
        views: list[RecordView] = []
        after = ""
        with self.reading() as cursor:
            while len(views) < most:
                cursor.execute(statement, (record_type, after, *values, page))
                with decoding():
                    rows = [_view_of_row(RecordRow(*row), ids) for *row, ids in cursor.fetchall()]
                views += [view for view in rows if _has(view.fields, wanted)]
                if len(rows) < page:
                    break
                after = rows[-1].ref.id
        return views[:most]

    def types(self) -> dict[str, int]:
        """Return the types of which there are records, and how many of each.

        Raises:
            LogError: they could not be read.
        """
        with self.reading() as cursor:
            cursor.execute(_COUNTS)
            return dict(cursor.fetchall())

    def _get(self, ref: Ref) -> RecordView | Ref | None:
        """Return the record; its reference where it is gone; None where it is unknown."""
        with self._lock:
            record = self._known(ref)
            if record is not None:
                return ref if record.fields is None else _view(record, self._ids_of(record))
        with self.reading() as cursor:
            self._begin_at(self._at(cursor))
            cursor.execute(f"{_VIEW} AND record_id = ?", (ref.type, ref.id))
            found = cursor.fetchone()
        if found is None:
            return None
        *columns, ids = found
        row = RecordRow(*columns)
        with decoding():
            return ref if row.fields is None else _view_of_row(row, ids)

    # --- in memory -----------------------------------------------------------------------

    def _known(self, ref: Ref) -> Record | None:
        """Return the record as it is at the end of the log, if it is known in memory (S3)."""
        room = self._kept_at + MOST_AHEAD - self._ahead_at
        if self._kept_at < 0 or len(page := self._log.rows(self._ahead_at, room + 1)) > room:
            return None
        for entry in self._log.entries(page):
            changed = entry.stream
            before = self._ahead.get(changed) or self._kept.get(changed) or initial(changed)
            if before.version == entry.version - 1 and changed != QUEUE:
                self._ahead[changed] = evolve(before, entry)
            self._ahead_at = entry.position
        return self._ahead.get(ref) or self._kept.get(ref)

    def _ids_of(self, record: Record) -> tuple[str, ...]:
        """Return the ids of the pending drafts; many are not listed anew for one that is added.

        Changes are only ever appended, so where the last of the known ones is in the place that
        it had, so are all before it.
        """
        changes = record.changes
        ids = self._ids.pop(record.ref, ())
        known = len(ids)
        if not 0 < known <= len(changes) or changes[known - 1].draft_id != ids[-1]:
            ids, known = (), 0
        if known < len(changes):
            ids = (*ids, *[change.draft_id for change in changes[known:]])
        if len(ids) >= MANY_IDS:
            self._ids[record.ref] = ids
        return ids

    def _begin_at(self, position: int) -> None:
        """Let memory begin where the tables are, unless that is where it ended."""
        with self._lock:
            if self._kept_at < position:
                self._kept.clear()
                self._keep({}, position)

    def _keep(self, touched: Mapping[Ref, Record], position: int) -> None:
        """Keep these records, too; whoever is interrupted in this knows nothing any more (S2)."""
        self._kept_at = -1
        self._kept.update(touched)
        for ref in list(self._kept)[: max(len(self._kept) - KEPT_RECORDS, 0)]:
            del self._kept[ref]
        self._ahead.clear()
        self._ahead_at = position
        self._kept_at = position

    # --- the fold ------------------------------------------------------------------------

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Fold the entries into the records that they are about."""
        at = self._kept_at
        touched: dict[Ref, Record] = {}
        changes: dict[int, tuple[Ref, Change] | None] = {}
        for entry in entries:
            if entry.position != at + 1:
                with self._lock:
                    self._kept.clear()
            at = entry.position
            ref = entry.stream
            if ref == QUEUE:
                continue
            before = touched.get(ref) or self._kept.get(ref) or _loaded(cursor, entry)
            after = touched[ref] = evolve(before, entry)
            if after.changes is not before.changes:
                _note_change(changes, before, after, entry)
        cursor.executemany(_SAVE, [row_of(touched[ref]) for ref in sorted(touched)])
        _write_changes(cursor, changes)
        with self._lock:
            self._keep(touched, at)


def _note_change(
    noted: dict[int, tuple[Ref, Change] | None], before: Record, after: Record, entry: Entry
) -> None:
    """Note, under its position, the pending change that the entry has added, altered or ended."""
    if len(after.changes) > len(before.changes):
        change = after.changes[-1]
        noted[change.position] = entry.stream, change
        return
    draft_id = draft_id_of(entry)
    old = None if draft_id is None else before.change(draft_id)
    if old is None:
        return
    new = None if len(after.changes) < len(before.changes) else after.change(old.draft_id)
    if new is not None and new.fields is old.fields and new.revision == old.revision:
        return  # it is only sent, held or tried again
    noted[old.position] = None if new is None else (entry.stream, new)


def _write_changes(cursor: Cursor, noted: Mapping[int, tuple[Ref, Change] | None]) -> None:
    saved = [change_row(*found) for found in noted.values() if found is not None]
    ended = [(position,) for position, found in noted.items() if found is None]
    if saved:
        cursor.executemany(_SAVE_CHANGE, saved)
    if ended:
        cursor.executemany(_DROP_CHANGE, ended)


def _loaded(cursor: Cursor, entry: Entry) -> Record:
    """Return the record before the entry, which is the first of the batch that is about it.

    Raises:
        ViewError: it is not where it should be.
    """
    ref = entry.stream
    if entry.version == 1:
        return initial(ref)
    cursor.execute(_LOAD, key_of(ref))
    found = cursor.fetchone()
    if found is None:
        raise ViewError(
            f"{ref} is at version {entry.version}, and is not in the table records",
            hint="rebuild the projection records: somebody has changed its tables",
        )
    cursor.execute(_LOAD_CHANGES, (ref,))
    with decoding():
        return record_of(RecordRow(*found), tuple(map(change_of, cursor.fetchall())))


# --- views -----------------------------------------------------------------------------------


def _view(record: Record, ids: tuple[str, ...]) -> RecordView:
    """Return the record, sharing nothing with what is kept."""
    remote = record.remote
    server = copied(remote.fields) if remote.exists else None
    drafts = RecordDrafts(*flags_of(record), server, ids)
    return RecordView(
        record.ref,
        record.version,
        copied(record.fields),
        remote.remote_id,
        remote.version,
        drafts,
    )


def _view_of_row(row: RecordRow, ids: str | None) -> RecordView:
    drafts = RecordDrafts(
        bool(row.created),
        bool(row.edited),
        bool(row.deleted),
        row.server_fields() if row.remote_exists else None,
        tuple(from_json(ids)) if ids else (),
    )
    fields = row.local_fields() or {}
    return RecordView(row.ref, row.version, fields, row.remote_id, row.remote_version, drafts)


def _has(fields: Fields, wanted: Fields) -> bool:
    return all(same(fields.get(name), value) for name, value in wanted.items())
