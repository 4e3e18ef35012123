"""What a query finds: its rows, sorted and cut, each as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from journal.testing.salesforce.refusal import Complaint, Content, RefusedError
from journal.testing.salesforce.soql.comparing import comparable, folded, holds, in_span, pattern
from journal.testing.salesforce.soql.sentence import (
    Among,
    Both,
    Column,
    Compared,
    Condition,
    Either,
    Not,
    Order,
    Query,
)
from journal.testing.salesforce.soql.ways import Ways
from journal.testing.salesforce.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from journal.testing.salesforce.database import Database, Row
    from journal.testing.salesforce.schema import Field, SObject

__all__ = ["Finder", "Found", "attributes"]

OFFSET_MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: how many, and as they are shown."""

    total: int
    records: list[Content]


def attributes(sobject: str, record_id: str, version: int) -> dict[str, str]:
    """Return what a record says of itself."""
    return {"type": sobject, "url": f"/services/data/v{version}.0/sobjects/{sobject}/{record_id}"}


class Finder:
    """Finds, on behalf of one user.

    Args:
        database: where rows are.
        is_visible: whether the user may see a row.
        version: of the API that was asked.
        with_deleted: whether what is in the bin is found.
    """

    def __init__(
        self,
        database: Database,
        is_visible: Callable[[Row], bool],
        version: int,
        *,
        with_deleted: bool = False,
    ) -> None:
        self._database, self._is_visible = database, is_visible
        self._ways = Ways(database)
        self._version, self._with_deleted = version, with_deleted

    def find(self, query: Query) -> Found:
        """Return what a query finds.

        Raises:
            RefusedError: it names what is not there, or compares what cannot be compared.
        """
        sobject = self._ways.object(query.source)
        rows = self._rows(sobject, query)
        if query.counts:
            return Found(len(rows), [])
        if any(column.kind in {"count", "min", "max"} for column in query.columns):
            return Found(1, [self._aggregate(sobject, query.columns, rows)])
        columns = self._spread(sobject, query)
        records = [self._shown(row, columns) for row in rows]
        return Found(len(rows), records)

    # --- which rows ----------------------------------------------------------------------

    def _rows(
        self, sobject: SObject, query: Query, among: Iterable[Row] | None = None
    ) -> list[Row]:
        if query.offset > OFFSET_MOST:
            message = f"Maximum SOQL offset allowed is {OFFSET_MOST}"
            raise RefusedError(400, Complaint("NUMBER_OUTSIDE_VALID_RANGE", message))
        test = self._test(sobject, query.where)
        sorting = [(self._ways.path(sobject, order.path), order) for order in query.orders]
        with_deleted = self._with_deleted or query.has_all_rows
        rows = [
            row
            for row in (self._database.rows(sobject) if among is None else among)
            if (with_deleted or not row.is_deleted) and self._is_visible(row) and test(row)
        ]
        for path, order in reversed(sorting):
            rows = self._sorted(rows, path, order)
        end = None if query.limit is None else query.offset + query.limit
        return rows[query.offset : end]

    def _sorted(self, rows: list[Row], path: Sequence[str], order: Order) -> list[Row]:
        keyed = [(self._ways.value(row, path), row) for row in rows]
        some = [(value, row) for value, row in keyed if value is not None]
        none = [row for value, row in keyed if value is None]
        some.sort(key=lambda pair: folded(pair[0]), reverse=order.is_descending)
        ordered = [row for _, row in some]
        return [*ordered, *none] if order.has_nulls_last else [*none, *ordered]

    def _test(self, sobject: SObject, condition: Condition | None) -> Callable[[Row], bool]:
        match condition:
            case None:
                return lambda _: True
            case Both(parts):
                tests = [self._test(sobject, part) for part in parts]
                return lambda row: all(test(row) for test in tests)
            case Either(parts):
                tests = [self._test(sobject, part) for part in parts]
                return lambda row: any(test(row) for test in tests)
            case Not(part):
                test = self._test(sobject, part)
                return lambda row: not test(row)
            case Among(path, values):
                field, way = self._ways.field(sobject, path), self._ways.path(sobject, path)
                listed = self._inner(values) if isinstance(values, Query) else values
                wanted = {folded(comparable(field, value)) for value in listed}
                return lambda row: folded(self._ways.value(row, way)) in wanted
            case Compared():
                return self._compared(sobject, condition)

    def _compared(self, sobject: SObject, condition: Compared) -> Callable[[Row], bool]:
        field, way = (
            self._ways.field(sobject, condition.path),
            self._ways.path(sobject, condition.path),
        )
        if not field.is_filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise RefusedError(400, Complaint("INVALID_FIELD", message))
        value, sign = condition.value, condition.sign
        if isinstance(value, tuple):
            start, end = value
            return lambda row: in_span(self._ways.value(row, way), sign, start, end)
        if sign == "LIKE":
            like = pattern(field, value)
            return lambda row: bool(like.fullmatch(str(self._ways.value(row, way) or "")))
        wanted = folded(comparable(field, value))
        return lambda row: holds(folded(self._ways.value(row, way)), sign, wanted)

    def _inner(self, query: Query) -> list[Any]:
        """Return the values of the one column of a query within a query."""
        sobject = self._ways.object(query.source)
        if len(query.columns) != 1 or query.columns[0].kind != "field":
            raise RefusedError(
                400, Complaint("MALFORMED_QUERY", "a query in a list has one column")
            )
        way = self._ways.path(sobject, query.columns[0].path)
        values = (self._ways.value(row, way) for row in self._rows(sobject, query))
        return [value for value in values if value is not None]

    # --- what is shown -------------------------------------------------------------------

    def _spread(self, sobject: SObject, query: Query) -> list[Column]:
        """Return the columns, checked; those that stand for many spread out."""
        columns: list[Column] = []
        for column in query.columns:
            if column.kind == "field":
                columns.append(Column(self._ways.path(sobject, column.path)))
            elif column.kind == "children":
                columns.append(column)
            else:
                if query.limit is None or query.limit > 200:  # noqa: PLR2004  as documented
                    message = "The SOQL FIELDS function must have a LIMIT of at most 200"
                    raise RefusedError(400, Complaint("MALFORMED_QUERY", message))
                columns += [Column((field.name,)) for field in _of_kind(sobject, column.kind)]
        return columns

    def _shown(self, row: Row, columns: Iterable[Column]) -> Content:
        record: Content = {"attributes": attributes(row.sobject.name, row.id, self._version)}
        for column in columns:
            if column.children is not None:
                name, found = self._children(row, column.children)
                record[name] = found
            else:
                self._show(record, row, column.path)
        return record

    def _show(self, record: Content, row: Row, path: Sequence[str]) -> None:
        if len(path) == 1:
            if path[0] in row.values:
                record[path[0]] = shown(row.sobject.field(path[0]), row.values[path[0]])
            return
        parent = self._ways.parent(row, path[0])
        if parent is None:
            record.setdefault(path[0], None)
            return
        says = attributes(parent.sobject.name, parent.id, self._version)
        inner = record.get(path[0]) or {"attributes": says}
        record[path[0]] = inner
        self._show(inner, parent, path[1:])

    def _children(self, row: Row, query: Query) -> tuple[str, Content]:
        """Return what the way to the children is called, and those that are found."""
        for sobject, field in self._database.schema.references_to(row.sobject.name):
            if field.children.lower() != query.source.lower():
                continue
            all_rows = self._database.rows(sobject)
            own = [child for child in all_rows if child.values[field.name] == row.id]
            rows = self._rows(sobject, query, own)
            columns = self._spread(sobject, query)
            records = [self._shown(child, columns) for child in rows]
            if not records:
                return field.children, None
            return field.children, {"totalSize": len(records), "done": True, "records": records}
        message = f"Didn't understand relationship '{query.source}' in FROM part of query call."
        raise RefusedError(400, Complaint("INVALID_TYPE", message))

    def _aggregate(
        self, sobject: SObject, columns: Iterable[Column], rows: Sequence[Row]
    ) -> Content:
        record: Content = {"attributes": {"type": "AggregateResult"}}
        for n, column in enumerate(columns):
            if column.kind not in {"count", "min", "max"}:
                message = "the stand-in does not know GROUP BY"
                raise RefusedError(400, Complaint("MALFORMED_QUERY", message))
            field, way = (
                self._ways.field(sobject, column.path),
                self._ways.path(sobject, column.path),
            )
            found = [
                value for value in (self._ways.value(row, way) for row in rows) if value is not None
            ]
            name = column.alias or f"expr{n}"
            if column.kind == "count":
                record[name] = len(found)
            else:
                edge = min if column.kind == "min" else max
                record[name] = shown(field, edge(found, key=folded)) if found else None
        return record


def _of_kind(sobject: SObject, kind: str) -> list[Field]:
    return [f for f in sobject.all_fields if kind == "all" or f.is_custom == (kind == "custom")]
