"""What an answer means, before anything is known of the record: one total, pure function."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, assert_never

from pydantic_core import from_json

from journal.events import FieldMessage
from journal.outcomes import NotSent, Refused, Unauthorized, Unknown, Unsettled, Wait
from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import HoldClass
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
_NOT_THE_REMOTE: Final = frozenset({407, 511})
"""Asked for by a proxy on the way, such as that of a hotel."""
_NOT_ABLE: Final = frozenset({501, 505})
"""Of the 5xx those that say that the request will never be carried out."""
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
    if status == 401:  # noqa: PLR2004  Unauthorized
        return Unauthorized(said)
    if status in _NOT_THE_REMOTE:
        return Unknown(f"{said}, which a proxy on the way does")
    if status < 400:  # noqa: PLR2004  1xx and 3xx
        return Unknown(f"{said}, a redirect or half an answer, which is never followed")
    if status >= 500 and status not in _NOT_ABLE:  # noqa: PLR2004  every other 5xx, and beyond
        return Unknown(said)
    if status in _CONFLICT:
        return Doubt(response, _refused("conflict", response))
    if status in _GONE:
        return Doubt(response, _refused("gone", response))
    return Doubt(response, _refused("rejected", response))


def _refused(classification: HoldClass, response: Response) -> Refused:
    text = response.body.decode("utf-8", "replace")
    messages = tuple(_messages(response.body)) or (
        FieldMessage(message=f"the remote answered {response.status}"),
    )
    return Refused(classification, messages, response.status, text)


def _messages(body: bytes) -> Iterator[FieldMessage]:
    """Yield what a problem document says (RFC 9457): of fields in `errors`, or of the whole."""
    try:
        content = from_json(body)
    except ValueError:
        return
    if not isinstance(content, dict):
        return
    errors = content.get("errors")
    says_of_fields = False
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            says_of_fields = True
            yield FieldMessage(field=str(error.get("field") or ""), message=error["message"])
    said = content.get("detail") or content.get("title") or content.get("message")
    if isinstance(said, str) and not says_of_fields:
        yield FieldMessage(message=said)


def retry_after_s(response: Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3), or None.

    A date is counted from the answer's own ``Date``, never from our clock.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER_S)
    until, since = _date(value), _date(response.headers.get("date", ""))
    if until is None or since is None:
        return None
    return min(max((until - since).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _date(text: str) -> datetime | None:
    """Return the time that an HTTP date names, in any of its three forms, or None."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def refused(classification: HoldClass, response: Response) -> Refused:
    """Return the refusal that an answer is, with what it says of it."""
    return _refused(classification, response)
