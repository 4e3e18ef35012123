"""The rows of an object: made, read, changed, deleted; by id, or by an external id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.assigning import no_such_field
from journal.testing.salesforce.call import Call, body_of, flag, not_found
from journal.testing.salesforce.conditions import (
    check_conditions,
    etag_of,
    http_date,
    is_unchanged,
)
from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError
from journal.testing.salesforce.schema import Field, SObject, UnknownError
from journal.testing.salesforce.soql.finding import attributes
from journal.testing.salesforce.values import kept
from journal.testing.salesforce.writing import shown_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from journal.testing.salesforce.caller import Caller
    from journal.testing.salesforce.database import Row
    from journal.testing.salesforce.state import State

__all__ = [
    "SeveralError",
    "create",
    "key_field",
    "object_named",
    "on_key",
    "on_row",
    "row_of",
    "saved",
    "shown_row",
    "upsert",
]

_LIKE_A_FILE: Final = re.compile(r".*\.(com|css|inc|js|jsp|net|org)", re.IGNORECASE)
_TELLS_CREATED: Final = 46  # the first version that says whether an upsert made a record


def object_named(state: State, name: str) -> SObject:
    """Return the object of a path.

    Raises:
        RefusedError: there is none.
    """
    try:
        return state.schema.object(name)
    except UnknownError:
        raise not_found() from None


def saved(record_id: str) -> Content:
    """Return what is said of a record that was saved."""
    return {"id": record_id, "success": True, "errors": []}


def create(state: State, call: Call, sobject: SObject) -> Answer:
    """Make a record."""
    with state.database.transaction():
        row = state.writer.create(sobject, body_of(call.content), call.caller)
    return Answer(201, saved(row.id), {"Location": f"{call.base}/sobjects/{sobject.name}/{row.id}"})


def row_of(state: State, call: Call, sobject: SObject, text: str) -> Row:
    """Return the row of an id.

    Raises:
        RefusedError: it is no id of the object, or there is no such record, or no more.
    """
    record_id = normal_id(text)
    if record_id is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
    if not record_id.startswith(sobject.prefix):
        message = f"{sobject.shown_label} ID: id value of incorrect type: {text}"
        raise RefusedError(400, Complaint("MALFORMED_ID", message, ("Id",)))
    row = state.database.row(record_id)
    if row is None or not state.is_visible(row, call.caller):
        raise not_found()
    if row.is_deleted:
        raise RefusedError(404, Complaint("ENTITY_IS_DELETED", "entity is deleted"))
    return row


def on_row(state: State, call: Call, sobject: SObject, text: str) -> Answer:
    """Read, change or delete a record by its id."""
    row = row_of(state, call, sobject, text)
    check_conditions(call, row)
    match call.method:
        case "GET" | "HEAD":
            return _read(call, row)
        case "PATCH":
            with state.database.transaction():
                state.writer.update(row, body_of(call.content), call.caller)
        case _:
            state.writer.delete(row, call.caller)
    return Answer(204)


def _read(call: Call, row: Row) -> Answer:
    headers = {"Last-Modified": http_date(row.values["LastModifiedDate"])}
    if row.sobject.has_etag:
        headers["ETag"] = f'"{etag_of(row)}"'
    if is_unchanged(call, row):
        return Answer(304, headers=headers)
    names = call.query.get("fields")
    wanted = None if names is None else [name.strip() for name in names.split(",") if name.strip()]
    return Answer(200, shown_row(row, call.version, wanted), headers)


def shown_row(row: Row, version: int, names: Iterable[str] | None = None) -> Content:
    """Return a row as it is read.

    Raises:
        RefusedError: a field that is asked for is not there.
    """
    fields: list[str] | None = None
    if names is not None:
        fields = ["Id"]
        for name in names:
            try:
                fields.append(row.sobject.field(name).name)
            except UnknownError:
                raise no_such_field(row.sobject, name) from None
    says = attributes(row.sobject.name, row.id, version)
    return {"attributes": says, **shown_fields(row, fields)}


# --- by an external id -------------------------------------------------------------------


def on_key(state: State, call: Call, sobject: SObject, name: str, text: str) -> Answer:
    """Read, upsert or delete the record that an external id names."""
    if name.lower() == "id" and call.method != "POST":
        return on_row(state, call, sobject, text)
    field = key_field(sobject, name)
    if _LIKE_A_FILE.fullmatch(text):
        raise not_found()
    if call.method == "PATCH":
        return _upserted(state, call, sobject, field, text)
    rows = [
        row
        for row in state.database.named(sobject, field, kept(field, text))
        if state.is_visible(row, call.caller)
    ]
    if not rows:
        raise not_found()
    if len(rows) > 1:
        return _several(call, rows)
    if call.method == "DELETE":
        state.writer.delete(rows[0], call.caller)
        return Answer(204)
    return _read(call, rows[0])


def key_field(sobject: SObject, name: str) -> Field:
    """Return the external-id field of that name.

    Raises:
        RefusedError: there is none.
    """
    try:
        field = sobject.field(name)
    except UnknownError:
        field = None
    if field is None or not field.is_external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


class SeveralError(Exception):
    """An external id names more than one record."""

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__(f"{len(rows)} records")
        self.rows = rows


def upsert(
    state: State,
    caller: Caller,
    key: tuple[SObject, Field, Content],
    body: Mapping[str, Content],
    *,
    updates_only: bool = False,
) -> tuple[Row, bool]:
    """Change the record that an external id names, or make it; say whether it was made.

    Args:
        state: the org.
        caller: who asks.
        key: the object, its external-id field, and the value.
        body: what is set.
        updates_only: whether none is made.

    Raises:
        RefusedError: it may not be saved.
        SeveralError: more than one record has that external id.
    """
    sobject, field, value = key
    if any(name.lower() in {field.name.lower(), "id"} for name in body):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise RefusedError(400, Complaint("INVALID_FIELD", message, (field.name,)))
    found = state.database.named(sobject, field, kept(field, value))
    if len(found) > 1:
        raise SeveralError(found)
    if not found and updates_only:
        raise not_found()
    with state.database.transaction():
        if not found:
            return state.writer.create(sobject, {**body, field.name: value}, caller), True
        if not state.is_visible(found[0], caller):
            message = "insufficient access rights on cross-reference id"
            code = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
            raise RefusedError(403, Complaint(code, message))
        return state.writer.update(found[0], body, caller), False


def _upserted(state: State, call: Call, sobject: SObject, field: Field, text: str) -> Answer:
    body, updates_only = body_of(call.content), flag(call.query.get("updateOnly"))
    try:
        key = (sobject, field, text)
        row, is_new = upsert(state, call.caller, key, body, updates_only=updates_only)
    except SeveralError as several:
        return _several(call, several.rows)
    if call.version < _TELLS_CREATED and not is_new:
        return Answer(204)
    says = {**saved(row.id), "created": is_new} if call.version >= _TELLS_CREATED else saved(row.id)
    if not is_new:
        return Answer(200, says)
    return Answer(201, says, {"Location": f"{call.base}/sobjects/{sobject.name}/{row.id}"})


def _several(call: Call, rows: Iterable[Row]) -> Answer:
    return Answer(300, [f"{call.base}/sobjects/{row.sobject.name}/{row.id}" for row in rows])
