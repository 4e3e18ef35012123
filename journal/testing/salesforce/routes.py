"""Which resource a request is for, and what may be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.testing.salesforce import changes, rows, several, ui
from journal.testing.salesforce.batch import on_batch
from journal.testing.salesforce.call import Call, not_found
from journal.testing.salesforce.composite import on_composite, on_graphs
from journal.testing.salesforce.conditions import http_date, is_unmodified
from journal.testing.salesforce.describe import describe, describe_all, information, resources
from journal.testing.salesforce.refusal import Answer, Complaint, RefusedError
from journal.testing.salesforce.soql.finding import Finder
from journal.testing.salesforce.soql.reading import read_query
from journal.testing.salesforce.ui_batch import on_records_batch

if TYPE_CHECKING:
    from journal.testing.salesforce.schema import SObject
    from journal.testing.salesforce.state import State

__all__ = ["answer_to"]

PAGE_LEAST: Final = 200
_READ: Final = ("GET", "HEAD")


def answer_to(state: State, call: Call) -> Answer:
    """Answer a request of somebody who is logged in.

    Raises:
        RefusedError: it is refused.
    """
    return ui.once(state, call, _routed)


def _routed(state: State, call: Call) -> Answer:
    match call.resource:
        case ():
            _check_method(call, *_READ)
            return resources(call)
        case ("sobjects", *rest):
            return _sobjects(state, call, rest)
        case ("query" | "queryAll", *rest):
            _check_method(call, *_READ)
            return _query(state, call, rest)
        case ("limits",):
            _check_method(call, *_READ)
            return _limits(state)
        case ("composite", *rest):
            return _composite(state, call, rest)
        case ("ui-api", "records", *rest):
            return _ui(state, call, rest)
        case _:
            raise not_found()


def _check_method(call: Call, *allowed: str) -> None:
    if call.method not in allowed:
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(allowed)}"
        refused = RefusedError(405, Complaint("METHOD_NOT_ALLOWED", message))
        refused.headers = {"Allow": ",".join(allowed)}
        raise refused


def _sobjects(state: State, call: Call, rest: list[str]) -> Answer:
    if not rest:
        _check_method(call, *_READ)
        return _if_modified(state, call, describe_all(state, call))
    sobject = rows.object_named(state, rest[0])
    match rest[1:]:
        case []:
            _check_method(call, *_READ, "POST")
            is_new = call.method == "POST"
            return (
                rows.create(state, call, sobject) if is_new else information(state, call, sobject)
            )
        case ["describe" | "updated" | "deleted" as name]:
            _check_method(call, *_READ)
            return _about(state, call, sobject, name)
        case [text]:
            _check_method(call, *_READ, "PATCH", "DELETE")
            return rows.on_row(state, call, sobject, text)
        case [field, text]:
            _check_method(call, *_READ, "PATCH", "DELETE")
            return rows.on_key(state, call, sobject, field, text)
        case _:
            raise not_found()


def _about(state: State, call: Call, sobject: SObject, name: str) -> Answer:
    match name:
        case "describe":
            return _if_modified(state, call, describe(state, call, sobject))
        case "updated":
            return changes.updated(state, call, sobject)
        case _:
            return changes.deleted(state, call, sobject)


def _if_modified(state: State, call: Call, answer: Answer) -> Answer:
    headers = {"Last-Modified": http_date(state.described_at)}
    if is_unmodified(call, state.described_at):
        return Answer(304, headers=headers)
    return Answer(answer.status, answer.document, headers)


def _query(state: State, call: Call, rest: list[str]) -> Answer:
    size = _page_size(state, call)
    if rest:
        return Answer(200, state.cursors.next_page(rest[0], size, call.base))
    query = read_query(call.query.get("q", ""), state.now())
    finder = Finder(
        state.database,
        lambda row: state.is_visible(row, call.caller),
        call.version,
        with_deleted=call.resource[0] == "queryAll",
    )
    found = finder.find(query)
    if query.counts:
        return Answer(200, {"totalSize": found.total, "done": True, "records": []})
    return Answer(200, state.cursors.page(found.records, size, call.base))


def _page_size(state: State, call: Call) -> int:
    said = call.headers.get("sforce-query-options", "")
    name, _, number = said.replace(" ", "").partition("=")
    if name.lower() == "batchsize" and number.isdigit():
        return min(max(int(number), PAGE_LEAST), state.settings.page_size)
    return state.settings.page_size


def _limits(state: State) -> Answer:
    most = state.settings.calls_per_day
    left = max(0, most - state.calls_of_a_day())
    document = {
        "DailyApiRequests": {"Max": most, "Remaining": left},
        "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
        "DataStorageMB": {"Max": 1024, "Remaining": 1024},
        "FileStorageMB": {"Max": 1024, "Remaining": 1024},
    }
    return Answer(200, document)


def _composite(state: State, call: Call, rest: list[str]) -> Answer:
    match rest:
        case []:
            _check_method(call, "POST")
            return on_composite(state, call, _part)
        case ["batch"]:
            _check_method(call, "POST")
            return on_batch(state, call, _part)
        case ["graph"]:
            _check_method(call, "POST")
            return on_graphs(state, call, _part)
        case ["sobjects"]:
            _check_method(call, "POST", "PATCH", "DELETE")
            return several.on_collection(state, call)
        case ["sobjects", name]:
            _check_method(call, *_READ, "POST")
            return several.read_many(state, call, name)
        case ["sobjects", _, _]:
            _check_method(call, "PATCH")
            return several.on_collection(state, call)
        case _:
            raise not_found()


def _part(state: State, call: Call) -> Answer:
    """Answer a request within another."""
    if call.resource[:1] == ("composite",) and call.resource[1:2] != ("sobjects",):
        raise RefusedError(400, Complaint("INVALID_INPUT", "a composite request cannot hold one"))
    return _routed(state, call)


def _ui(state: State, call: Call, rest: list[str]) -> Answer:
    try:
        match rest:
            case []:
                _check_method(call, "POST")
                return ui.on_records(state, call)
            case ["batch"]:
                _check_method(call, "POST")
                return on_records_batch(state, call)
            case [text]:
                _check_method(call, *_READ, "PATCH", "DELETE")
                return ui.on_record(state, call, text)
            case _:
                raise not_found()
    except RefusedError as refused:
        return ui.refused(call, refused)
