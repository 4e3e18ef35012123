"""A request as it comes over the wire, and what goes back: who asks, limits, faults."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from logging import getLogger
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from journal.testing.salesforce.call import NEWEST, OLDEST, call_to, flag, segments_of
from journal.testing.salesforce.caller import Caller
from journal.testing.salesforce.describe import versions
from journal.testing.salesforce.faults import Fault, Faults, elsewhere
from journal.testing.salesforce.idempotency import HEADER
from journal.testing.salesforce.oauth import GrantError, identity, revoked, token_for
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError
from journal.testing.salesforce.routes import answer_to

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from journal.testing.salesforce.state import State

__all__ = ["Delivery", "ReceivedRequest", "Sent", "Service"]

TARGET_BYTES_MOST: Final = 16_384
_log = getLogger("journal.testing.salesforce")
_UNKNOWN: Final = "UNKNOWN_EXCEPTION"
_JSON: Final = "application/json"
_TOKEN: Final = ("services", "oauth2", "token")
_ROOT: Final = ("services", "data")


class ReceivedRequest(NamedTuple):
    """A request that came.

    Attributes:
        n: its number, from 1.
        method: its method.
        path: its path, with the query; without it where a token may stand there.
        headers: its headers, their names in small letters, without `authorization`.
        body: what it carries, or None; what is sent to get a token is not kept.
        status: what it was answered with, or None where it was not answered.
        fault: what went wrong with it, or None.
    """

    n: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: Content
    status: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent: the names of its headers in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    scheme: str = "http"

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be sent back, and what goes wrong on the way."""

    answer: Answer
    fault: Fault | None = None
    key: str | None = None


@dataclass(slots=True)
class _Late:
    sent: Sent
    n: int
    left: int = field(default=1)


class Service:
    """Answers requests, one at a time.

    Args:
        state: what the org is.
        lock: held while it is read or changed.
    """

    def __init__(self, state: State, lock: threading.RLock) -> None:
        self._state, self._lock = state, lock
        self.faults = Faults(self._deliver_all)
        self.requests: list[ReceivedRequest] = []
        self._late: list[_Late] = []

    def deliver(self, sent: Sent) -> Delivery:
        """Return what is to be sent back to a request."""
        with self._lock:
            self._deliver_due()
            n = len(self.requests) + 1
            fault = self.faults.strike(n, sent.method, sent.path)
            self.requests.append(self._noted(n, sent, fault))
            answer = self._answer(sent, n, fault)
            is_answered = fault is None or not fault.kind.startswith(("drop", "delay"))
            self.requests[n - 1] = self.requests[n - 1]._replace(
                status=answer.status if is_answered else None
            )
            key = sent.headers.get(HEADER) if fault is not None and fault.kind == "slow" else None
            if key is not None:
                self._state.keys.ending.add(key.lower())
            return Delivery(answer, fault, key)

    def settle(self, delivery: Delivery) -> None:
        """Note that an answer that took its time has been given."""
        with self._lock:
            self._state.keys.ending.discard((delivery.key or "").lower())

    def _noted(self, n: int, sent: Sent, fault: Fault | None) -> ReceivedRequest:
        is_secret = segments_of(sent.path)[:2] == ("services", "oauth2")
        body = None if is_secret else _parsed_or_text(sent.body)
        headers = {name: v for name, v in sent.headers.items() if name != "authorization"}
        kind = fault.kind if fault else None
        path = sent.path if is_secret else sent.target
        return ReceivedRequest(n, sent.method, path, headers, body, None, kind)

    def _answer(self, sent: Sent, n: int, fault: Fault | None) -> Answer:
        if fault is None or fault.is_heard:
            answer = self._process(sent, n)
            if fault is not None and fault.kind == "duplicate":
                self._late.append(_Late(sent, n, fault.later))
            said = None if fault is None else fault.answer
            return answer if said is None else self._with_usage(said)
        if fault.kind == "expire":
            self._state.tokens.end(_token(sent))
            return self._process(sent, n)
        if fault.kind == "delay":
            self._late.append(_Late(sent, n, fault.later))
        return self._with_usage(fault.answer or Answer(500))

    # --- what is late --------------------------------------------------------------------

    def _deliver_due(self) -> None:
        for late in list(self._late):
            late.left -= 1
            if late.left < 0:
                self._late.remove(late)
                self._process(late.sent, late.n)

    def _deliver_all(self) -> int:
        with self._lock:
            due, self._late = self._late, []
            for late in due:
                self._process(late.sent, late.n)
            return len(due)

    # --- who asks, and for what ----------------------------------------------------------

    def _process(self, sent: Sent, n: int) -> Answer:
        try:
            return self._with_usage(self._routed(sent, n))
        except RefusedError as refused:
            return self._with_usage(refused.answer())
        except GrantError as refused:
            return refused.answer
        except Exception:  # noqa: BLE001  what somebody else wrote: it is logged
            _log.exception("request %s %s: a rule or a trigger failed", sent.method, sent.path)
            message = "An unexpected error occurred."
            return self._with_usage(Answer(500, [{"message": message, "errorCode": _UNKNOWN}]))

    def _routed(self, sent: Sent, n: int) -> Answer:
        if len(sent.target) > TARGET_BYTES_MOST:
            raise RefusedError(414, Complaint("URI_TOO_LONG", "The URI is too long."))
        segments, instance_url = segments_of(sent.path), self._instance_url(sent)
        if segments == _TOKEN and sent.method == "POST":
            form = dict(parse_qsl(sent.body.decode("utf-8", "replace"), keep_blank_values=True))
            return token_for(self._state, form, sent.headers, instance_url)
        if segments == ("services", "oauth2", "revoke"):
            said = sent.body.decode("utf-8", "replace") or sent.target.partition("?")[2]
            return revoked(self._state, dict(parse_qsl(said)))
        if self._is_elsewhere(sent):
            return elsewhere()
        if segments == _ROOT:
            return versions(OLDEST, NEWEST)
        caller = self._caller(sent, n)
        if segments == ("services", "oauth2", "userinfo") or segments[:1] == ("id",):
            return identity(self._state, caller.user_id, instance_url)
        self._count()
        media_type = sent.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if sent.body.strip() and media_type != _JSON:
            message = (
                f"Content-Type header specified in HTTP request is not supported: {media_type}"
            )
            raise RefusedError(415, Complaint("UNSUPPORTED_MEDIA_TYPE", message))
        content = _parsed(sent.body)
        return answer_to(
            self._state, call_to(sent.method, sent.target, sent.headers, content, caller)
        )

    def _caller(self, sent: Sent, n: int) -> Caller:
        if "authorization" not in sent.headers:
            complaint = Complaint("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
            raise RefusedError(401, complaint)
        session = self._state.tokens.session(_token(sent))
        if session is None:
            message = "Session expired or invalid"
            raise RefusedError(401, Complaint("INVALID_SESSION_ID", message))
        said = sent.headers.get("sforce-duplicate-rule-header", "")
        options = dict(
            part.strip().partition("=")[::2] for part in said.replace(",", ";").split(";")
        )
        return Caller(
            session.user_id,
            n,
            allow_save=flag(options.get("allowSave")),
            shows_details=flag(options.get("includeRecordDetails")),
        )

    def _count(self) -> None:
        state = self._state
        if state.calls_of_a_day() >= state.settings.calls_per_day:
            complaint = Complaint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            raise RefusedError(403, complaint)
        state.count_calls()

    def _with_usage(self, answer: Answer) -> Answer:
        used, most = self._state.calls_of_a_day(), self._state.settings.calls_per_day
        headers = {**answer.headers, "Sforce-Limit-Info": f"api-usage={used}/{most}"}
        return Answer(answer.status, answer.document, headers, answer.media_type)

    def _instance_url(self, sent: Sent) -> str:
        asked = f"{sent.scheme}://{sent.headers.get('host', '')}"
        return self._state.settings.instance_url or asked

    def _is_elsewhere(self, sent: Sent) -> bool:
        """Say whether a request went to a host that the org has left."""
        if not self._state.settings.has_moved:
            return False
        here = urlsplit(self._state.settings.instance_url or "").netloc
        return sent.headers.get("host", "").lower() != here.lower()


def _token(sent: Sent) -> str:
    kind, _, token = sent.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in {"bearer", "oauth"} else ""


def _parsed(body: bytes) -> Content:
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, Complaint("JSON_PARSER_ERROR", str(error))) from error


def _parsed_or_text(body: bytes) -> Content:
    try:
        return _parsed(body)
    except RefusedError:
        return base64.b64encode(body).decode()
