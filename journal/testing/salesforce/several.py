"""Collections: many records in one call, each with a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.call import Call, body_of, flag
from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError
from journal.testing.salesforce.rows import (
    SeveralError,
    key_field,
    object_named,
    row_of,
    saved,
    shown_row,
    upsert,
)
from journal.testing.salesforce.schema import SObject, UnknownError

if TYPE_CHECKING:
    from journal.testing.salesforce.database import Row
    from journal.testing.salesforce.state import State

__all__ = ["on_collection", "read_many"]

RECORDS_MOST: Final = 200
CHUNKS_MOST: Final = 10
_ROLLED_BACK: Final = Complaint(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid "
    "and the request was using AllOrNone header",
)


class _HalfError(Exception):
    """An item failed, and so does all."""


def on_collection(state: State, call: Call) -> Answer:
    """Make, change, upsert or delete many records, in the order in which they are listed."""
    if call.method == "DELETE":
        ids = [each for each in call.query.get("ids", "").split(",") if each]
        _check_size(ids)
        works = [_deleting(state, call, each) for each in ids]
        return _each(state, works, all_or_none=flag(call.query.get("allOrNone")))
    body = body_of(call.content)
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, Mapping) for each in records):
        raise RefusedError(400, Complaint("JSON_PARSER_ERROR", "records is not a list of records"))
    _check_size(records)
    _check_chunks(records)
    if len(call.resource) > 2:  # noqa: PLR2004  composite, sobjects
        sobject = object_named(state, call.resource[2])
        works = [_upserting(state, call, sobject, each) for each in records]
    elif call.method == "POST":
        works = [_creating(state, call, each) for each in records]
    else:
        works = [_updating(state, call, each) for each in records]
    return _each(state, works, all_or_none=flag(body.get("allOrNone")))


def read_many(state: State, call: Call, name: str) -> Answer:
    """Read many records of one object; those that are not there are null."""
    sobject = object_named(state, name)
    body = call.query if call.method == "GET" else body_of(call.content)
    ids, names = (_listed(body.get(member)) for member in ("ids", "fields"))
    found: list[Content] = []
    for each in ids:
        try:
            row = row_of(state, call, sobject, each)
        except RefusedError:
            found.append(None)
        else:
            found.append(shown_row(row, call.version, names))
    return Answer(200, found)


def _listed(value: Content) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    return [str(each) for each in value] if isinstance(value, list) else []


def _check_size(records: Sequence[Content]) -> None:
    if len(records) > RECORDS_MOST:
        message = (
            f"record limit reached. cannot submit more than {RECORDS_MOST} records into this call"
        )
        raise RefusedError(400, Complaint("EXCEEDED_ID_LIMIT", message))


def _check_chunks(records: Sequence[Content]) -> None:
    types = [_type_of(record) for record in records]
    chunks = sum(1 for before, now in zip(["", *types], types, strict=False) if before != now)
    if chunks > CHUNKS_MOST:
        message = f"the records are of more than {CHUNKS_MOST} chunks of types"
        raise RefusedError(400, Complaint("LIMIT_EXCEEDED", message))


def _each(state: State, works: Sequence[Callable[[], Content]], *, all_or_none: bool) -> Answer:
    """Do each, and say what came of it; where one fails and all have to be, none is done."""
    results: list[Content] = []
    has_failed = False
    try:
        with state.database.transaction() if all_or_none else nullcontext():
            for work in works:
                try:
                    with state.database.transaction():
                        results.append(work())
                except RefusedError as refused:
                    has_failed = True
                    results.append(_failed(*refused.complaints))
            _check_whole(all_or_none and has_failed)
    except _HalfError:
        results = [_failed(_ROLLED_BACK) if each["success"] else each for each in results]
    return Answer(200, results)


def _check_whole(is_half: bool) -> None:  # noqa: FBT001  says it all
    if is_half:
        raise _HalfError


def _failed(*complaints: Complaint) -> Content:
    return {"success": False, "errors": [each.in_item() for each in complaints]}


def _type_of(record: Mapping[str, Content]) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type", "")) if isinstance(attributes, Mapping) else ""


def _typed(state: State, record: Mapping[str, Content]) -> SObject:
    name = _type_of(record)
    try:
        return state.schema.object(name)
    except UnknownError:
        message = f"sObject type '{name}' is not supported."
        raise RefusedError(400, Complaint("INVALID_TYPE", message)) from None


def _creating(state: State, call: Call, record: Mapping[str, Content]) -> Callable[[], Content]:
    return lambda: saved(state.writer.create(_typed(state, record), record, call.caller).id)


def _updating(state: State, call: Call, record: Mapping[str, Content]) -> Callable[[], Content]:
    def _work() -> Content:
        sobject = _typed(state, record)
        given = next((value for name, value in record.items() if name.lower() == "id"), None)
        if not isinstance(given, str):
            message = "Id not specified in an update call"
            raise RefusedError(400, Complaint("MISSING_ARGUMENT", message, ("Id",)))
        row = _found(state, call, sobject, given)
        body = {name: value for name, value in record.items() if name.lower() != "id"}
        state.writer.update(row, body, call.caller)
        return saved(row.id)

    return _work


def _deleting(state: State, call: Call, text: str) -> Callable[[], Content]:
    def _work() -> Content:
        sobject = state.schema.of_id(normal_id(text) or "")
        if sobject is None:
            message = f"malformed id {text}"
            raise RefusedError(400, Complaint("MALFORMED_ID", message, ("Id",)))
        row = _found(state, call, sobject, text)
        state.writer.delete(row, call.caller)
        return saved(row.id)

    return _work


def _upserting(
    state: State, call: Call, sobject: SObject, record: Mapping[str, Content]
) -> Callable[[], Content]:
    def _work() -> Content:
        field = key_field(sobject, call.resource[3])
        given = {k: v for k, v in record.items() if k.lower() != field.name.lower()}
        key = next((v for k, v in record.items() if k.lower() == field.name.lower()), None)
        if key is None:
            message = f"{field.name} not specified"
            raise RefusedError(400, Complaint("MISSING_ARGUMENT", message, (field.name,)))
        try:
            row, is_new = upsert(state, call.caller, (sobject, field, key), given)
        except SeveralError as several:
            ids = ", ".join(row.id for row in several.rows)
            message = f"more than one record found for external id field: [{ids}]"
            complaint = Complaint("DUPLICATE_EXTERNAL_ID", message, (field.name,))
            raise RefusedError(400, complaint) from None
        return {**saved(row.id), "created": is_new}

    return _work


def _found(state: State, call: Call, sobject: SObject, text: str) -> Row:
    """Return the row of an id, or refuse as collections do."""
    try:
        return row_of(state, call, sobject, text)
    except RefusedError as refused:
        code = refused.complaints[0].code
        if code == "NOT_FOUND":
            is_id = normal_id(text) is not None
            wrong = Complaint("MALFORMED_ID", f"malformed id {text}", ("Id",))
            missing = Complaint("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            raise RefusedError(400, missing if is_id else wrong) from None
        raise
