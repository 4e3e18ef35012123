"""What an answer means, before anything is known of the record: one total, pure function.

The table is `docs/explanation/what-answers-mean.md`, which a test compares with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, assert_never
from urllib.parse import urlsplit

from journal.outcomes import NotSent, Refused, Unauthorized, Unknown, Unsettled, Wait
from journal.remotes.pages import is_page, text_of, words_of
from journal.remotes.patience import retry_after_s
from journal.remotes.problems import field_messages, json_of, summary
from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from journal.events import HoldClass
    from journal.remotes.remote import Answer


class Success(NamedTuple):
    """The remote says that it did what it was asked to."""

    response: Response


class Doubt(NamedTuple):
    """The remote declined: whether because of an earlier request of ours, only a read tells."""

    response: Response
    refusal: Refused


Meaning: TypeAlias = Success | Doubt | Refused | Unsettled

_WAIT: Final = frozenset({408, 425, 429, 503})
_ON_THE_WAY: Final = frozenset({407, 511})
"""Asked for by a proxy on the way, such as that of a hotel."""
_PROXIES: Final = ("proxy-authenticate", "x-squid-error")
"""Headers of an answer that no remote sends, but a proxy on the way."""
_NOT_ABLE: Final = frozenset({501, 505})
"""Of the 5xx those that say that the request will never be carried out."""
_CONFLICT: Final = frozenset({409, 412})
_GONE: Final = frozenset({404, 410})
_KEY_STATUSES: Final = frozenset({400, 409, 422})
"""Answers that may be about the key of a request, by which a second one is recognised."""

_KEY: Final = re.compile(r"idempoten\w*")
_OUTSTANDING: Final = re.compile(
    r"outstanding|in[-_ ]?use|(?:in|still)[-_ ]?progress|in[-_ ]?flight|concurrent"
    r"|being[-_ ]?processed|still[-_ ]?(?:being|processing|running)"
)
_REUSED: Final = re.compile(
    r"re-?used|already[-_ ]?(?:been[-_ ]?)?used|mismatch|idempotency[-_ ]?error"
    r"|different|not[-_ ]?match|same[-_ ]?(?:parameters|payload|body|request)"
)
_MAX_SAID: Final = 4_096
_MAX_TITLE: Final = 100


def classify(answer: Answer, names: Iterable[str] = ()) -> Meaning:
    """Return what an answer means.

    Args:
        answer: whatever came of a request.
        names: of the draft's fields, by which a message is recognised to be about one of them.
    """
    match answer:
        case NoAnswer(cause="credentials", problem=problem):
            return Unauthorized(problem)
        case NoAnswer(cause="turn", problem=problem):
            return Wait(problem)
        case NoAnswer(was_sent=False, problem=problem, cause=cause):
            return NotSent(problem, cause == "configuration")
        case NoAnswer(problem=problem):
            return Unknown(problem)
        case Response():
            return _by_status(answer, names)
        case _:
            assert_never(answer)


def _by_status(response: Response, names: Iterable[str]) -> Meaning:
    status = response.status
    said = f"the remote answered {status}"
    if status in _ON_THE_WAY or any(name in response.headers for name in _PROXIES):
        return Unknown(f"offline: {said}, which a proxy on the way does", is_offline=True)
    if 200 <= status < 300:  # noqa: PLR2004  every 2xx
        return _by_body(response)
    if status in _WAIT:
        return Wait(_with(said, response), retry_after_s(response))
    if status == 401:  # noqa: PLR2004  Unauthorized
        return Unauthorized(_with(said, response))
    if status < 400:  # noqa: PLR2004  1xx and 3xx
        return Unknown(_unfollowed(response))
    if status >= 500 and status not in _NOT_ABLE:  # noqa: PLR2004  every other 5xx, and beyond
        return Unknown(_with(said, response))
    if status in _KEY_STATUSES:
        about = _about_the_key(response)
        if _OUTSTANDING.search(about):
            return Wait(_with(said, response), retry_after_s(response))
        if _REUSED.search(about):
            return refused("unknown", response, names)._replace(is_alarm=True)
    if status in _CONFLICT:
        return Doubt(response, refused("conflict", response, names))
    if status in _GONE:
        return Doubt(response, refused("gone", response, names))
    return Doubt(response, refused("rejected", response, names))


def _by_body(response: Response) -> Meaning:
    """Say what a success means: nothing, where the body is that of a captive portal."""
    if not is_page(response.body):
        return Success(response)
    title = words_of(text_of(response.body))
    if len(title) > _MAX_TITLE:  # cut between words, for half a secret is found by nobody
        title = f"{title[:_MAX_TITLE].rpartition(' ')[0]} …"
    said = f"the remote answered {response.status} with a page, titled {title!r}"
    return Unknown(f"offline: {said}, as a captive portal does", is_offline=True)


def refused(classification: HoldClass, response: Response, names: Iterable[str] = ()) -> Refused:
    """Return the refusal that an answer is, with what it says of it."""
    messages = field_messages(response.body, response.status, names)
    text = response.body.decode("utf-8", "replace")
    return Refused(classification, messages, response.status, text)


def _with(said: str, response: Response) -> str:
    """Return our words with those of the remote, if it has any."""
    theirs = summary(response.body, response.status)
    return f"{said}: {theirs}" if theirs else said


def _unfollowed(response: Response) -> str:
    """Say where an answer leads that is never followed: the origin, for more could be a secret."""
    said = f"the remote answered {response.status}"
    try:
        parts = urlsplit(response.headers.get("location", ""))
        origin = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return f"{said}, a redirect to no address, which is never followed"
    if not (parts.scheme and parts.hostname):
        return f"{said}, a redirect or half an answer, which is never followed"
    return f"{said}, a redirect to {origin}, which is never followed"


def _about_the_key(response: Response) -> str:
    """Return what an answer says of the key that requests are recognised by, or nothing."""
    said = " ".join(_texts(json_of(response.body))) or text_of(response.body)
    said = said[:_MAX_SAID].lower()
    return said if _KEY.search(said) else ""


def _texts(content: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    """Yield the texts of an error: its own, and those one step below."""
    match content:
        case dict():
            values = list(content.values())
            inner = [v for value in values if isinstance(value, dict) for v in value.values()]
            yield from (value for value in (*values, *inner) if isinstance(value, str))
        case [dict(first), *_]:
            yield from _texts(first)
        case _:
            return
