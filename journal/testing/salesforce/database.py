"""The rows of an org, and what was done to them: all of a transaction, or nothing."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from journal.testing.salesforce.ids import minted_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from journal.testing.salesforce.schema import Field, Schema, SObject

__all__ = ["Database", "Operation", "RecordEffect", "Row"]

Operation: TypeAlias = Literal["create", "update", "delete", "undelete", "touch"]


class RecordEffect(NamedTuple):
    """One thing that was done to one record, and stayed done.

    Attributes:
        n: its number, from 1.
        operation: what it was.
        sobject: the name of the object.
        id: the id of the record, in 18 characters.
        fields: what was set, by the request and by triggers, as a row would show it.
        by: the id of the user.
        request: the number of the request, or None for what was done within the process.
        at: when.
    """

    n: int
    operation: Operation
    sobject: str
    id: str
    fields: Mapping[str, Any]
    by: str
    request: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A record: what it is one of, its id, and a value for each of its fields."""

    sobject: SObject
    id: str
    values: Mapping[str, Any]

    @property
    def is_deleted(self) -> bool:
        """Whether it is in the bin."""
        return bool(self.values["IsDeleted"])


class Database:
    """Rows by id, found by the values of the fields that name records."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.effects: list[RecordEffect] = []
        self._rows: dict[str, Row] = {}
        self._named: defaultdict[tuple[str, str, Any], set[str]] = defaultdict(set)
        self._undo: list[tuple[str, Row | None]] | None = None
        self._minted = 0

    def new_id(self, sobject: SObject) -> str:
        """Return an id that no record had before."""
        self._minted += 1
        return minted_id(sobject.prefix, self._minted)

    def row(self, record_id: str) -> Row | None:
        """Return a row, deleted ones too."""
        return self._rows.get(record_id)

    def rows(self, sobject: SObject) -> list[Row]:
        """Return the rows of an object, deleted ones too, in the order of their making."""
        return [row for row in self._rows.values() if row.sobject.name == sobject.name]

    def named(self, sobject: SObject, field: Field, value: Any) -> list[Row]:  # noqa: ANN401  kept
        """Return the rows that are not deleted and have that value in a field that names them."""
        found = self._named.get((sobject.name, field.name, _folded(field, value)), set())
        return [self._rows[record_id] for record_id in sorted(found)]

    def put(self, row: Row) -> None:
        """Keep a row in place of what it was."""
        if self._undo is not None:
            self._undo.append((row.id, self._rows.get(row.id)))
        self._set(row.id, row)

    def alter(self, sobject: SObject) -> None:
        """Put an object in place of the one of its name; its rows get what they lack."""
        self.schema.put(sobject)
        lacking = dict.fromkeys(field.name for field in sobject.all_fields)
        for row in self.rows(sobject):
            self.put(replace(row, sobject=sobject, values={**lacking, **row.values}))

    def erase(self, row: Row) -> None:
        """Forget a row, as if it had never been."""
        self._set(row.id, None)

    def _set(self, record_id: str, row: Row | None) -> None:
        before = self._rows.get(record_id)
        if before is not None and not before.is_deleted:
            for key in _names(before):
                self._named[key].discard(record_id)
        if row is None:
            del self._rows[record_id]
            return
        self._rows[record_id] = row
        if not row.is_deleted:
            for key in _names(row):
                self._named[key].add(record_id)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Take back all that was done within the block where the block raises."""
        outer, self._undo = self._undo, []
        effects = len(self.effects)
        try:
            yield
        except BaseException:
            for record_id, row in reversed(self._undo):
                self._set(record_id, row)
            del self.effects[effects:]
            self._undo = outer
            raise
        if outer is not None:
            outer += self._undo
        self._undo = outer


def _names(row: Row) -> Iterator[tuple[str, str, Any]]:
    for field in row.sobject.fields:
        if field.is_external_id or field.is_unique:
            value = row.values.get(field.name)
            if value is not None:
                yield row.sobject.name, field.name, _folded(field, value)


def _folded(field: Field, value: Any) -> Any:  # noqa: ANN401  kept values
    return value.lower() if isinstance(value, str) and not field.is_case_sensitive else value
