"""What an answer means, before anything is known of the record: one total, pure function."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, assert_never

from pydantic_core import from_json

from journal.events import FieldMessage
from journal.outcomes import NotSent, Refused, Unauthorized, Unknown, Unsettled, Wait
from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.remote import Answer

MAX_RETRY_AFTER_S: Final = 3600.0
"""The longest wait that a remote may ask for, in seconds."""


class Success(NamedTuple):
    """The remote says that it did what it was asked to."""

    response: Response


class Doubt(NamedTuple):
    """The remote declined: whether because of an earlier request of ours, only a read tells."""

    response: Response
    refusal: Refused


Meaning: TypeAlias = Success | Doubt | Refused | Unsettled

_WAIT: Final = frozenset({408, 425, 429, 503})
_AUTH: Final = frozenset({401, 407, 511})
_UNKNOWN: Final = frozenset({500, 502, 504})
_CONFLICT: Final = frozenset({409, 412})
_GONE: Final = frozenset({404, 410})


def classify(answer: Answer) -> Meaning:
    """Return what an answer means (the table of the sync contract, section 1.1)."""
    match answer:
        case NoAnswer(was_sent=False, problem=problem):
            return NotSent(problem)
        case NoAnswer(problem=problem):
            return Unknown(problem)
        case Response():
            return _by_status(answer)
        case _:
            assert_never(answer)


def _by_status(response: Response) -> Meaning:
    status = response.status
    said = f"the remote answered {status}"
    if 200 <= status < 300:  # noqa: PLR2004  every 2xx
        return Success(response)
    if status in _WAIT:
        return Wait(said, retry_after_s(response))
    if status in _AUTH:
        return Unauthorized(said)
    if status in _UNKNOWN or status > 504:  # noqa: PLR2004  every other 5xx
        return Unknown(said)
    if status < 400:  # noqa: PLR2004  1xx and 3xx
        return Unknown(f"{said}, a redirect or half an answer, which is never followed")
    if status in _CONFLICT:
        return Doubt(response, _refused("conflict", response))
    if status in _GONE:
        return Doubt(response, _refused("gone", response))
    return Doubt(response, _refused("rejected", response))


def _refused(classification: str, response: Response) -> Refused:
    text = response.body.decode("utf-8", "replace")
    messages = tuple(_messages(response.body)) or (
        FieldMessage(message=f"the remote answered {response.status}"),
    )
    return Refused(classification, messages, response.status, text)  # type: ignore[arg-type]


def _messages(body: bytes) -> Iterator[FieldMessage]:
    """Yield what a problem document says (RFC 9457), of fields first, in `errors`."""
    try:
        content = from_json(body)
    except ValueError:
        return
    if not isinstance(content, dict):
        return
    errors = content.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            yield FieldMessage(field=str(error.get("field") or ""), message=error["message"])
    said = content.get("detail") or content.get("title") or content.get("message")
    if isinstance(said, str) and not errors:
        yield FieldMessage(message=said)


def retry_after_s(response: Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3), or None.

    A date is counted from the answer's own ``Date``, never from our clock.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), MAX_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(response.headers.get("date", ""))
        seconds = (until - since).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
