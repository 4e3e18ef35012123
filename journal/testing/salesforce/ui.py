"""Records as the UI API has them: their own shape, their own errors, answers kept by key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.call import Call, body_of, flag, not_found
from journal.testing.salesforce.conditions import check_conditions, etag_of
from journal.testing.salesforce.idempotency import HEADER, not_supported
from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError
from journal.testing.salesforce.rows import row_of
from journal.testing.salesforce.schema import UnknownError
from journal.testing.salesforce.soql.ways import Ways
from journal.testing.salesforce.values import displayed, shown_moment, shown_ui

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from journal.testing.salesforce.caller import Caller
    from journal.testing.salesforce.database import Row
    from journal.testing.salesforce.state import State

__all__ = ["on_record", "on_records", "once", "refused"]

_MASTER: Final = "012000000000000AAA"
_DOING: Final = {"POST": "create", "PATCH": "update", "DELETE": "delete"}
_PLAIN: Final = {
    "ENTITY_IS_DELETED",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INVALID_BATCH_REQUEST",
    "INVALID_INPUT",
    "JSON_PARSER_ERROR",
    "NOT_FOUND",
}


def once(state: State, call: Call, run: Callable[[State, Call], Answer]) -> Answer:
    """Run a request, or give the answer that it had before, by its `Idempotency-Key`.

    Raises:
        RefusedError: the key is not for this request, or is not heeded here.
    """
    key = call.headers.get(HEADER)
    if key is None or call.method in {"GET", "HEAD"}:
        return run(state, call)
    if call.resource[:2] != ("ui-api", "records"):
        raise not_supported()
    if not state.settings.has_idempotency:
        raise not_supported("IDEMPOTENCY_FEATURE_NOT_ENABLED")
    sent = json.dumps([call.method, call.resource, dict(call.query), call.content], sort_keys=True)
    digest = hashlib.sha256(sent.encode()).hexdigest()
    earlier = state.keys.earlier(key, call.caller.user_id, digest, state.now())
    if earlier is not None:
        return earlier
    answer = run(state, call)
    state.keys.keep(key, answer, len(json.dumps(answer.document)))
    return answer


def on_records(state: State, call: Call) -> Answer:
    """Make a record."""
    body = body_of(call.content)
    name = body.get("apiName")
    try:
        sobject = state.schema.object(name if isinstance(name, str) else "")
    except UnknownError:
        message = f"Object {name} is not supported in UI API"
        raise RefusedError(400, Complaint("INVALID_TYPE", message)) from None
    with state.database.transaction():
        caller = _caller(call, body)
        row = state.writer.create(sobject, _fields(body), caller)
    _check_seen(state, call, body, row)
    return Answer(201, _record(state, row, _paths(row)))


def on_record(state: State, call: Call, text: str) -> Answer:
    """Read, change or delete a record."""
    sobject = state.schema.of_id(normal_id(text) or "")
    if sobject is None:
        raise not_found()
    row = row_of(state, call, sobject, text)
    check_conditions(call, row)
    match call.method:
        case "GET" | "HEAD":
            return Answer(200, _record(state, row, _asked(state, call, row)))
        case "PATCH":
            body = body_of(call.content)
            with state.database.transaction():
                fields = _fields(body)
                row = state.writer.update(row, fields, _caller(call, body))
            _check_seen(state, call, body, row)
            return Answer(200, _record(state, row, _paths(row)))
        case _:
            state.writer.delete(row, call.caller)
            return Answer(204)


def _check_seen(state: State, call: Call, body: Mapping[str, Content], row: Row) -> None:
    """Refuse to show a record to who has given it away: it was saved, all the same.

    Raises:
        RefusedError: who has saved it does not see it.
    """
    handles = flag(body.get("handleOwnerChange", call.query.get("handleOwnerChange")))
    if not handles and not state.is_visible(row, call.caller):
        raise not_found()


def refused(call: Call, error: RefusedError) -> Answer:
    """Return a refusal as the UI API answers it."""
    if error.status != 400 or error.complaints[0].code in _PLAIN:  # noqa: PLR2004
        return error.answer()
    doing = _DOING.get(call.method, "read")
    by_field: dict[str, list[Content]] = {}
    for each in error.complaints:
        if each.fields:
            by_field.setdefault(each.fields[0], []).append(each.in_ui())
    rest = [each.in_ui() for each in error.complaints if not each.fields]
    document = {
        "enhancedErrorType": "RecordError",
        "message": f"An error occurred while trying to {doing} the record. Please try again.",
        "output": {"errors": rest, "fieldErrors": by_field},
    }
    return Answer(error.status, document, error.headers)


def _fields(body: Mapping[str, Content]) -> Mapping[str, Content]:
    """Return the fields of a record that is sent: none of them is nested.

    Raises:
        RefusedError: one is, or they are no fields.
    """
    fields = body_of(body.get("fields", {}))
    for name, value in fields.items():
        if isinstance(value, dict | list):
            message = f"{name}: a field has one value here; a parent is named by its id"
            raise RefusedError(400, Complaint("INVALID_FIELD", message))
    return fields


def _caller(call: Call, body: Mapping[str, Content]) -> Caller:
    allows = flag(body.get("allowSaveOnDuplicate")) or flag(call.query.get("allowSaveOnDuplicate"))
    return replace(call.caller, allow_save=allows)


def _paths(row: Row) -> list[tuple[str, ...]]:
    return [(field.name,) for field in row.sobject.all_fields if field.name != "Id"]


def _asked(state: State, call: Call, row: Row) -> list[tuple[str, ...]]:
    """Return the ways to the fields that are asked for.

    Raises:
        RefusedError: one of them is not there, or none is asked for.
    """
    if "layoutTypes" in call.query:
        return _paths(row)
    asked = call.query.get("fields", "").split(",")
    optional = call.query.get("optionalFields", "").split(",")
    paths: list[tuple[str, ...]] = []
    for name in filter(None, (each.strip() for each in [*asked, *optional])):
        try:
            paths.append(_way(state, row, name))
        except RefusedError:
            if name in asked:
                raise
    if not paths:
        message = "a record is asked for with fields, optionalFields or layoutTypes"
        raise RefusedError(400, Complaint("ILLEGAL_QUERY_PARAMETER_VALUE", message))
    return paths


def _way(state: State, row: Row, name: str) -> tuple[str, ...]:
    """Return the way that a name like `Account.Parent.Name` leads.

    Raises:
        RefusedError: it leads nowhere.
    """
    own, *path = name.split(".")
    if own.lower() != row.sobject.name.lower() or not path:
        message = f"No such column '{name}' on entity '{row.sobject.name}'"
        raise RefusedError(400, Complaint("INVALID_FIELD", message))
    return Ways(state.database).path(row.sobject, path)


def _record(state: State, row: Row, paths: Iterable[Sequence[str]]) -> Content:
    """Return a record with the fields that some ways lead to."""
    fields: Content = {}
    parents: dict[str, list[Sequence[str]]] = {}
    for path in paths:
        if len(path) > 1:
            parents.setdefault(path[0], []).append(path[1:])
            continue
        try:
            field = row.sobject.field(path[0])
        except UnknownError:
            continue  # of a parent that may be of several kinds
        value = row.values[field.name]
        shown = shown_ui(field, value)
        fields[field.name] = {"displayValue": displayed(field, value), "value": shown}
    for relationship, below in parents.items():
        parent_id = row.values[row.sobject.reference(relationship).name]
        parent = None if parent_id is None else state.database.row(parent_id)
        fields[relationship] = {
            "displayValue": None
            if parent is None
            else parent.values.get(parent.sobject.name_field),
            "value": None if parent is None else _record(state, parent, below),
        }
    stamp = row.values["SystemModstamp"]
    return {
        "apiName": row.sobject.name,
        "childRelationships": {},
        "eTag": etag_of(row),
        "fields": fields,
        "id": row.id,
        "lastModifiedById": row.values["LastModifiedById"],
        "lastModifiedDate": shown_moment(row.values["LastModifiedDate"], "Z"),
        "recordTypeId": _MASTER,
        "recordTypeInfo": None,
        "systemModstamp": shown_moment(stamp, "Z"),
        "weakEtag": int(stamp.timestamp() * 1000),
    }
