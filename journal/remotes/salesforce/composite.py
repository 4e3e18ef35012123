"""Several requests in one call of an org: how they are asked, and what is answered; pure.

- C1. An answer that does not say of each request what became of it says nothing.

Two resources keep the order of what they hold. `composite/batch` with ``haltOnError`` carries
out one request after another, and stops at the first that fails; what went before stays.
`composite` with ``collateSubrequests`` off and ``allOrNone`` on is one transaction, and its
requests may be conditional, and name what those before them have made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from journal.remotes.meanings import content_of
from journal.remotes.remote import Request, Response
from journal.remotes.salesforce.answers import complaints
from journal.remotes.salesforce.ids import StandIn

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 25
"""How many requests a call can hold."""
MOST_QUERIES: Final = 5
"""How many of them may be queries."""
_JSON: Final = {"Content-Type": "application/json"}
_HALTED: Final = frozenset({"BATCH_PROCESSING_HALTED", "PROCESSING_HALTED"})
_ROLLED_BACK: Final = "rolled back"
_PRECONDITION: Final = 412


def serial(version: str, requests: Sequence[Request], *, halts: bool = True) -> Request:
    """Return the call that carries out requests one after another.

    Args:
        version: of the interface, such as 67.0.
        requests: no more than `MOST`; they have no headers of their own.
        halts: whether what comes after the first that fails is not carried out.
    """
    listed = [
        {"method": each.method, "url": f"v{version}{each.path}", **_content("richInput", each)}
        for each in requests
    ]
    body = to_json({"haltOnError": halts, "batchRequests": listed})
    return Request("POST", "/composite/batch", _JSON, body)


def whole(version: str, requests: Sequence[Request]) -> Request:
    """Return the call that carries out requests in their order, all of them or none.

    Args:
        version: of the interface, such as 67.0.
        requests: no more than `MOST`; each can name what one before it has made.
    """
    listed = [
        {
            "method": each.method,
            "url": f"/services/data/v{version}{each.path}",
            "referenceId": f"r{at}",
            **({"httpHeaders": dict(each.headers)} if each.headers else {}),
            **_content("body", each),
        }
        for at, each in enumerate(requests)
    ]
    said = {"allOrNone": True, "collateSubrequests": False, "compositeRequest": listed}
    return Request("POST", "/composite", _JSON, to_json(said))


def made_by(at: int) -> StandIn:
    """Return what stands for the id of the record that the request at that place makes."""
    return StandIn(f"@{{r{at}.id}}")


def _content(name: str, request: Request) -> dict[str, Any]:
    return {} if request.body is None else {name: from_json(request.body)}


def serial_answers(response: Response, count: int) -> list[Response] | None:
    """Return what became of each request that was to be carried out; None where that is not said.

    Args:
        response: the answer to the call.
        count: how many requests it held.
    """
    match content_of(response):
        case {"results": [*results]} if len(results) == count:
            found = [_answer(response, r, "statusCode", "result") for r in results]
        case _:
            return None
    return _complete(found)


def whole_answers(response: Response, count: int) -> list[Response] | None:
    """Return what became of each request of a transaction; None where that is not said.

    Args:
        response: the answer to the call.
        count: how many requests it held.
    """
    match content_of(response):
        case {"compositeResponse": [*results]} if len(results) == count:
            named = {
                result.get("referenceId"): result for result in results if isinstance(result, dict)
            }
        case _:
            return None
    return _complete(
        [_answer(response, named.get(f"r{at}"), "httpStatusCode", "body") for at in range(count)]
    )


def _complete(found: Sequence[Response | None]) -> list[Response] | None:
    """Return the answers, if none is missing (C1)."""
    answers = [each for each in found if each is not None]
    return answers if len(answers) == len(found) else None


def _answer(response: Response, said: object, status: str, body: str) -> Response | None:
    """Return what became of one request, with the time of the call."""
    if not isinstance(said, dict) or type(said.get(status)) is not int:
        return None
    date = response.headers.get("date")
    headers = {} if date is None else {"date": date}
    content = said.get(body)
    return Response(said[status], headers, b"" if content is None else to_json(content))


def is_done(response: Response) -> bool:
    """Say whether a request of a call succeeded, as far as it says itself."""
    return 200 <= response.status < 300  # noqa: PLR2004  any 2xx


def is_halted(response: Response) -> bool:
    """Say whether a request was not carried out for another one failed before it."""
    is_status = response.status == _PRECONDITION
    return is_status and any(each.code in _HALTED for each in complaints(response.body))


def is_rolled_back(response: Response) -> bool:
    """Say whether a request was undone, or not begun, for another one failed."""
    return any(
        each.code in _HALTED and _ROLLED_BACK in each.message.lower()
        for each in complaints(response.body)
    )
