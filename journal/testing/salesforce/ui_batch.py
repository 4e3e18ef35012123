"""Records of the UI API, many in one call: made, changed and deleted, in their order."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce import ui
from journal.testing.salesforce.call import Call, body_of, flag
from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.testing.salesforce.state import State

__all__ = ["on_records_batch"]

RECORDS_MOST: Final = 200
_METHODS: Final = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_FIRST_ERROR: Final = 400
_HALTED: Final = Answer(
    412,
    [
        {
            "errorCode": "BATCH_PROCESSING_HALTED",
            "message": "Another operation of the same request failed.",
        }
    ],
)


class _HalfError(Exception):
    """An operation failed, and so do all."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done with one record: its id, unless it is made, and what is said of it."""

    method: str
    record_id: str
    said: Mapping[str, Content]


def on_records_batch(state: State, call: Call) -> Answer:
    """Do operations on records, all or each for itself; nothing said, all.

    Raises:
        RefusedError: it cannot be read: nothing was done.
    """
    body = body_of(call.content)
    works = _works(body)
    all_or_none = flag(body.get("allOrNone", True))
    answers: list[Answer] = []
    try:
        with state.database.transaction() if all_or_none else nullcontext():
            for work in works:
                answers.append(_done(state, call, work))
                _check_whole(all_or_none and answers[-1].status >= _FIRST_ERROR)
    except _HalfError:
        answers = [_HALTED] * (len(answers) - 1) + answers[-1:]
        answers += [_HALTED] * (len(works) - len(answers))
    results = [{"statusCode": each.status, "result": each.document} for each in answers]
    has_errors = any(each.status >= _FIRST_ERROR for each in answers)
    return Answer(200, {"hasErrors": has_errors, "results": results})


def _check_whole(is_half: bool) -> None:  # noqa: FBT001  says it all
    if is_half:
        raise _HalfError


def _works(body: Mapping[str, Content]) -> list[_Work]:
    operations = body.get("operations")
    if not isinstance(operations, list) or not operations:
        raise _refused("INVALID_INPUT", "operations is missing or empty")
    works = [work for each in operations for work in _of_operation(body_of(each))]
    if len(works) > RECORDS_MOST:
        raise _refused("INVALID_INPUT", f"more than {RECORDS_MOST} records")
    ids = [work.record_id for work in works if work.record_id]
    if len(set(ids)) < len(ids):
        raise _refused("INVALID_BATCH_REQUEST", "a record has more than one operation")
    return works


def _of_operation(operation: Mapping[str, Content]) -> list[_Work]:
    method = _METHODS.get(str(operation.get("type")).lower())
    records = operation.get("records")
    if method is None or not isinstance(records, list) or not records:
        raise _refused("INVALID_INPUT", "an operation has a type and records")
    works: list[_Work] = []
    for each in records:
        record = body_of(each)
        fields = dict(body_of(record.get("fields", {})))
        record_id = fields.pop("Id", None)
        if (record_id is None) != (method == "POST"):
            raise _refused(
                "INVALID_BATCH_REQUEST", "a record that is there has an Id, a new one none"
            )
        works.append(_Work(method, _known(record_id), {**record, "fields": fields}))
    return works


def _known(record_id: Content) -> str:
    return "" if record_id is None else normal_id(str(record_id)) or str(record_id)


def _done(state: State, call: Call, work: _Work) -> Answer:
    part = replace(call, method=work.method, content=work.said)
    try:
        if work.method == "POST":
            return ui.on_records(state, part)
        return ui.on_record(state, part, work.record_id)
    except RefusedError as refused:
        return ui.refused(part, refused)


def _refused(code: str, message: str) -> RefusedError:
    return RefusedError(400, Complaint(code, message))
