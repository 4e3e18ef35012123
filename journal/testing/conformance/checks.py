"""The questions: what a service is able to do, what trouble it bears, and what is believed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, get_args

from journal.errors import RemoteError
from journal.events import ChangeKind
from journal.outcomes import (
    OUTCOMES,
    Acknowledged,
    NotSent,
    Outcome,
    Refused,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.remotes.remote import NoAnswer, Response
from journal.remotes.trial import CAPABILITIES
from journal.testing.conformance import trouble
from journal.testing.conformance.desk import Desk, cleaned, desk
from journal.testing.conformance.subject import (
    Check,
    NonconformingError,
    NotToldError,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.remote import Answer, Push, Request
    from journal.testing.conformance.trouble import Trouble

KINDS: Final[tuple[ChangeKind, ...]] = get_args(ChangeKind)
MOST_REQUESTS: Final = 20
"""How many requests a remote may make for one attempt to send a draft."""
_PATIENCE_S: Final = 7
_TROUBLES: Final[dict[str, tuple[Trouble, str]]] = {
    "lost request": (trouble.lost_request, "a draft whose request is lost arrives all the same"),
    "lost answer": (trouble.lost_answer, "a draft whose answer is lost arrives all the same"),
    "refused connection": (trouble.refused_connection, "a draft waits until there is somebody"),
    "request delivered twice": (trouble.doubled, "a request that comes twice does no harm"),
    "second answer": (trouble.doubled_late, "the answer to a second copy is understood"),
    "captive portal": (trouble.portal, "a page is no receipt, and holds nothing"),
    "captive portal after the effect": (trouble.portal_after, "a page says nothing of the effect"),
}
_ODD: Final[dict[str, Response]] = {
    "a page": trouble.PORTAL,
    "half of a JSON": Response(200, {"content-type": "application/json"}, b'{"id": "a", "na'),
    "null": Response(200, {"content-type": "application/json"}, b"null"),
    "no text": Response(200, {"content-type": "application/json"}, b"\xff\xfe\x00{"),
    "a deep nest": Response(200, {"content-type": "application/json"}, b"[" * 100_000),
    "a redirect": Response(302, {"location": "https://elsewhere.example.com/"}),
    "a failure": Response(500, {"content-type": "text/html"}, b"<h1>Internal Server Error</h1>"),
    "a status that nobody knows": Response(599),
}
"""Answers that are receipts of nothing, whatever a profile says."""
_SECRET: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


# --- what the service is able to do ------------------------------------------------------------


def _capable(capability: str, subject: Subject) -> None:
    """See what a trial of the service has found of a capability."""
    found = [finding for finding in subject.findings if finding.capability == capability]
    for finding in found:
        if finding.verdict == "does not":
            key = f" (see {finding.key} of the profile)" if finding.key else ""
            raise NonconformingError(f"{finding.says}{key}")
    if not any(finding.verdict == "works" for finding in found):
        raise NotToldError(found[0].says if found else "it was not come to")


# --- what trouble it bears ---------------------------------------------------------------------


def _arrives(kind: ChangeKind, subject: Subject) -> None:
    """See that a draft arrives where nothing goes wrong."""
    with desk(subject, kind) as at:
        at.change(kind)
        at.push()
        at.compare()


def _bears(kind: ChangeKind, of: str, subject: Subject) -> None:
    """See that a draft arrives though each of its exchanges in turn meets with trouble."""
    met = _TROUBLES[of][0]
    nth, requests = 0, 1
    while nth < requests:
        with desk(subject, kind) as at:
            at.change(kind)
            asked = at.push(*[trouble.passed] * nth, met)
            at.compare()
            if kind != "delete":
                at.change("update")  # what is known of the record must be so
                at.push()
                at.compare()
        requests = min(max(requests, len(asked) - 1), 3)
        nth += 1


def _late(subject: Subject) -> None:
    """See that a late copy of an update does not undo a later one."""
    service = subject.service
    if service is not None and not (
        service.dialect.is_conditional("update") and service.dialect.has_versions
    ):
        raise NotToldError("without versions a late copy may undo what came after it")
    with desk(subject, "update") as at:
        at.change("update")
        copies = at.push()
        at.change("update")
        at.push()
        other = Desk(subject, at.journal)
        with cleaned(other):
            other.change("create")
            other.push(late=copies)
            at.compare()


# --- what is believed --------------------------------------------------------------------------


def _outcome(push: Push, subject: Subject, answer: Answer) -> tuple[Outcome | None, list[Request]]:
    """Return what a remote makes of a draft to whose requests that is always the answer."""
    exchange = subject.remote.push(push)
    requests: list[Request] = []
    try:
        request = next(exchange)
        while len(requests) < MOST_REQUESTS:
            requests.append(request)
            request = exchange.send(answer)
    except StopIteration as ended:
        outcome: Outcome = ended.value
        if not isinstance(outcome, OUTCOMES):
            raise NonconformingError(f"it returned {outcome!r}, which is no outcome") from None
        return outcome, requests
    except RemoteError:
        return None, requests
    finally:
        exchange.close()
    raise NonconformingError(f"it made {MOST_REQUESTS} requests for one draft, and did not end")


def _pushes(subject: Subject, *kinds: ChangeKind) -> Iterator[tuple[ChangeKind, Push]]:
    """Yield a change of each kind, which is never sent."""
    for kind in kinds or KINDS:
        with desk(subject, kind) as at:
            at.change(kind)
            yield kind, at.pushes()


def _believes(of: str, subject: Subject) -> None:
    """See that an answer that shows nothing is no receipt."""
    for kind, push in _pushes(subject, "create", "update"):
        outcome, _ = _outcome(push, subject, _ODD[of])
        if isinstance(outcome, Acknowledged):
            raise NonconformingError(f"{kind} is acknowledged by {of}: {outcome}")


def _knows_nobody(subject: Subject) -> None:
    """See that a draft that could not be sent is neither done nor refused."""
    for kind, push in _pushes(subject):
        nobody = NoAnswer(was_sent=False, problem="connection refused")
        outcome, _ = _outcome(push, subject, nobody)
        if not isinstance(outcome, NotSent | Unknown | Wait):
            raise NonconformingError(f"{kind}, which could not be sent, came to {outcome}")


def _waits(subject: Subject) -> None:
    """See that a remote that asks for patience is given it."""
    busy = Response(503, {"retry-after": str(_PATIENCE_S)})
    for kind, push in _pushes(subject):
        outcome, _ = _outcome(push, subject, busy)
        is_heard = isinstance(outcome, Wait) and (outcome.retry_after_s or 0) >= _PATIENCE_S
        if not is_heard:
            raise NonconformingError(f"{kind}, asked to wait {_PATIENCE_S} s, came to {outcome}")


def _stops(subject: Subject) -> None:
    """See that credentials that are refused are not the draft's fault."""
    for kind, push in _pushes(subject):
        outcome, _ = _outcome(push, subject, Response(401))
        if isinstance(outcome, Acknowledged | Refused):
            raise NonconformingError(f"{kind}, answered 401, came to {outcome}")
        if not isinstance(outcome, Unauthorized):
            raise NotToldError(f"{kind}, answered 401, came to {outcome}")


def _plain(subject: Subject) -> None:
    """See that requests are such as can be sent, and hold no secret."""
    gone = NoAnswer(was_sent=False, problem="connection refused")
    for kind, push in _pushes(subject):
        for request in _outcome(push, subject, gone)[1]:
            if request.to != "remote":
                continue
            if not request.path.startswith("/") or not request.path.isascii():
                raise NonconformingError(f"{kind}: the path {request.path!r} begins with no slash")
            if secret := _SECRET & {name.lower() for name in request.headers}:
                raise NonconformingError(f"{kind}: a request holds a secret: {', '.join(secret)}")
            if not all(isinstance(text, str) for text in request.headers.values()):
                raise NonconformingError(f"{kind}: a header is no text: {request.headers}")


def _closes(subject: Subject) -> None:
    """See that a remote may be left at any request."""
    for kind, push in _pushes(subject):
        exchange = subject.remote.push(push)
        try:
            next(exchange)
            exchange.close()
        except (RuntimeError, StopIteration) as error:
            raise NonconformingError(f"{kind}: it does not end when it is left: {error}") from error


def _same(subject: Subject) -> None:
    """See that a draft is asked for in the same words, however often it is sent."""
    gone = NoAnswer(was_sent=False, problem="connection refused")
    for kind, push in _pushes(subject):
        one, other = (_outcome(push, subject, gone)[1] for _ in range(2))
        if one != other:
            raise NonconformingError(f"{kind} is sent as {one[0]} and as {other[0]}")


CHECKS: Final[tuple[Check, ...]] = (
    *(
        Check(name, f"a trial by the profile finds: {name}", partial(_capable, name))
        for name in CAPABILITIES
    ),
    *(Check(f"{kind} arrives", "a draft arrives", partial(_arrives, kind)) for kind in KINDS),
    *(
        Check(f"{kind}: {name}", says, partial(_bears, kind, name))
        for kind in KINDS
        for name, (_, says) in _TROUBLES.items()
    ),
    Check("late copy", "a late copy of an update does not undo a later one", _late),
    *(
        Check(f"not believed: {name}", f"{name} is no receipt", partial(_believes, name))
        for name in _ODD
    ),
    Check("nobody there", "what could not be sent is neither done nor refused", _knows_nobody),
    Check("patience", "who asks for patience is given it", _waits),
    Check("credentials", "credentials that are refused are not the draft's fault", _stops),
    Check("plain requests", "requests can be sent, and hold no secret", _plain),
    Check("same words", "a draft is asked for in the same words each time", _same),
    Check("left alone", "a remote may be left at any request", _closes),
)
"""What is asked of every subject, in order."""
