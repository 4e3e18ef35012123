"""The generic remote: a record service described by a profile; it does no I/O.

- G1. Nothing is acknowledged by an answer that contradicts the draft, or says nothing of it
  where it should.
- G2. On any doubt the record is read, and the read decides: what the remote has, not what it
  said.
- G3. A change is sent on a condition, or right after a read has shown that the record is as
  the change expects it.

```
maybe applied, or no condition known:  read -> as expected -> write
otherwise:                             write -> a receipt
                                             -> anything else -> read -> settled, or in doubt
```
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import quote

from pydantic_core import from_json, to_json

from journal.errors import RemoteError
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, NotSent, Refused, Unknown
from journal.remotes.classify import Doubt, Success, classify
from journal.remotes.comparison import (
    expected,
    holds,
    is_about,
    is_overtaken,
    merge_patch,
    resolved,
    shown,
)
from journal.remotes.credentials import Credentials, authorised
from journal.remotes.remote import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from journal.events import Evidence
    from journal.outcomes import Outcome
    from journal.remotes.profiles import Profile, Verb
    from journal.remotes.remote import Answer, Push, Response
    from journal.values import Fields

_NO_CONTENT: Final = frozenset({204, 205})
_ACCEPTED: Final = 202
"""The remote may do it later, or never: no receipt."""
_ABSENT: Final = frozenset({404, 410})
_CONFLICT: Final = 409
"""Any conflict, so that the remote's words say more than ours."""
_MERGE_PATCH: Final = "application/merge-patch+json"


class _AsExpected(NamedTuple):
    """What a read found: the draft is not applied, and nothing speaks against sending it."""

    version: str | None = None


_Found: TypeAlias = "Outcome | _AsExpected | None"
"""What a read settles; None where the remote refused to be read."""


class HttpRemote:
    """A record service over HTTP, described by a profile."""

    def __init__(
        self,
        profile: Profile,
        *,
        environ: Mapping[str, str] = os.environ,
        bearer: Callable[[], str] | None = None,
        save: Callable[[str], object] | None = None,
    ) -> None:
        """Speak to the service as the profile says.

        Args:
            profile: of the service.
            environ: where the secrets that the profile names are looked up.
            bearer: gives a token, when there is none and when the service refuses the last one.
            save: keeps a refresh token that the service has put in the place of another.

        Raises:
            ProfileError: the profile is not safe, or a secret is not set in the environment.
        """
        profile.check()
        self.profile = profile
        self.credentials = Credentials(profile.auth, environ, bearer=bearer, save=save)

    def __repr__(self) -> str:
        """Show where the service is, and no secret."""
        return f"HttpRemote({self.profile.url!r})"

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.profile.url

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request, credentials among them, as they are now.

        Raises:
            ProfileError: the environment variable of a secret is not set, or holds none.
        """
        own = {"Accept": "application/json", **self.profile.headers}
        return {**own, **self.credentials.headers()}

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft: yield requests, receive their answers, return the outcome.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        outcome = yield from authorised(self._pushed(push), self.credentials)
        known = [push.fields, push.base, push.record.remote.fields]
        return self.credentials.secrets.cleared(outcome, known)

    def _pushed(self, push: Push) -> Generator[Request, Answer, Outcome]:
        version = push.base_version
        body = self._body(push)
        if push.is_maybe_applied or (push.kind != "create" and self._is_unsure(push)):
            found = yield from self._looked_up(push)
            if found is None:
                return Unknown("the remote refused to be read")
            if not isinstance(found, _AsExpected):
                return found
            version = version if push.base_version is not None else found.version
        answer = yield self._made(push, push.kind, self._condition(push, version), body)
        match classify(answer, push.fields):
            case Success(response):
                return self._receipt(push, response) or (yield from self._settled(push, None))
            case Doubt(_, refusal):
                return (yield from self._settled(push, refusal))
            case meaning:
                return meaning

    def _settled(self, push: Push, refusal: Refused | None) -> Generator[Request, Answer, Outcome]:
        """Settle a doubt by a read, or by what the remote said where the read settles nothing.

        Args:
            push: the draft that was sent.
            refusal: what the remote said; None where it said that it had done it.
        """
        found = yield from self._looked_up(push)
        if refusal is None:
            if found is None or isinstance(found, _AsExpected):
                return Unknown("the remote's answer and its record do not fit together")
            return found
        match found:
            case None:
                return refusal
            case _AsExpected():
                return refusal._replace(classification="rejected")
            case Refused(classification="conflict") if refusal.classification == "rejected":
                return refusal
            case Refused(classification="conflict") if refusal.status == _CONFLICT:
                said = (*found.messages, *refusal.messages)
                return found._replace(messages=said, status=refusal.status)
            case Refused():
                return found._replace(status=refusal.status)
            case _:
                return found

    # --- reading -------------------------------------------------------------------------

    def _looked_up(self, push: Push) -> Generator[Request, Answer, _Found]:
        """Read the record and say what that settles (G2)."""
        answer = yield self._made(push, "read")
        match classify(answer, push.fields):
            case Success(response):
                fields = _fields(response)
                if fields is None or not is_about(push, fields):
                    return Unknown("a read was answered with something that is not the record")
                return self._compared(push, response, fields)
            case Doubt(response, _) if response.status in _ABSENT:
                return _absent(push, response)
            case Doubt():
                return None
            case NotSent(problem=problem):
                return Unknown(problem)  # the read was not sent; an earlier write may have been
            case meaning:
                return meaning

    def _compared(self, push: Push, response: Response, fields: Fields) -> _Found:
        """Compare what the remote has with what the draft wants."""
        if push.kind != "delete" and holds(push, fields, push.fields):
            return self._acknowledged(push, response, fields, "read")
        version = self._version(response)
        if push.kind != "create" and self._is_asexpected(push, version, fields):
            return _AsExpected(version)
        newer = "the remote has a newer version of the record"
        taken = "the remote has another record under our key"
        message = FieldMessage(message=taken if push.kind == "create" else newer)
        answer = response.body.decode("utf-8", "replace")
        return Refused("conflict", (message,), response.status, answer)

    def _is_unsure(self, push: Push) -> bool:
        """Say whether a read must come first: a condition alone would not find a conflict (G3)."""
        return self._known_version(push) is None or is_overtaken(push)

    def _is_asexpected(self, push: Push, version: str | None, fields: Fields) -> bool:
        """Say whether the remote's record is still the one that the draft was made on."""
        if is_overtaken(push):
            return False
        known = self._known_version(push)
        if known is not None and version is not None:
            return version == known
        return holds(push, fields, expected(push))

    def _known_version(self, push: Push) -> str | None:
        return None if self.profile.version.header is None else push.base_version

    def _version(self, response: Response) -> str | None:
        header = self.profile.version.header
        return None if header is None else response.headers.get(header.lower())

    # --- writing -------------------------------------------------------------------------

    def _body(self, push: Push) -> bytes | None:
        """Return the body of the request; the same bytes whenever it is sent.

        Raises:
            RemoteError: the draft refers to a record that the remote does not have.
        """
        if push.kind == "delete":
            return None
        fields = resolved(push)
        if push.kind == "update" and self.profile.update.media_type == _MERGE_PATCH:
            fields = {name: merge_patch(push.base.get(name), item) for name, item in fields.items()}
        return to_json(fields)

    def _condition(self, push: Push, version: str | None) -> Mapping[str, str]:
        if push.kind == "create":
            return {"If-None-Match": "*"} if self.profile.create.only_new else {}
        if version is None or self.profile.version.header is None:
            return {}
        return {self.profile.version.condition: version}

    def _made(
        self,
        push: Push,
        name: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Request:
        verb: Verb = getattr(self.profile, name)
        path = verb.path.format(
            type=_segment(self.profile.type_name(push.ref.type)),
            id=_segment(push.remote_id or push.ref.id),
        )
        all_headers = dict(headers or {})
        if body is not None:
            all_headers["Content-Type"] = verb.media_type
        return Request(verb.method, path, all_headers, body)

    def _receipt(self, push: Push, response: Response) -> Acknowledged | None:
        """Return the acknowledgement that the answer is, or None where it is none (G1)."""
        if response.status == _ACCEPTED:
            return None
        if push.kind == "delete" or response.status in _NO_CONTENT:
            is_receipt = not response.body
            return self._acknowledged(push, response, None, "answer") if is_receipt else None
        fields = _fields(response)
        if fields is None or not is_about(push, fields) or not holds(push, fields, push.fields):
            return None
        return self._acknowledged(push, response, fields, "answer")

    def _acknowledged(
        self, push: Push, response: Response, fields: Fields | None, evidence: Evidence
    ) -> Acknowledged:
        return Acknowledged(
            evidence,
            push.remote_id or push.ref.id,
            self._version(response),
            response.status,
            response.headers.get("date"),
            None if fields is None else shown(push, fields, evidence),
        )


def _absent(push: Push, response: Response) -> _Found:
    """Say what it settles that the remote does not have the record."""
    if push.kind == "delete":
        date = response.headers.get("date")
        return Acknowledged("read", push.remote_id, None, response.status, date)
    if push.kind == "create":
        return _AsExpected()
    message = FieldMessage(message="the remote no longer has the record")
    return Refused("gone", (message,), response.status)


def _segment(text: str) -> str:
    """Return the text as one segment of a path.

    Raises:
        RemoteError: no quoting makes it one.
    """
    if text in {"", ".", ".."}:
        raise RemoteError(
            f"{text!r} cannot stand in a path: it would lead to another record",
            hint="give the record or the type another name at the remote",
        )
    return quote(text, safe="")


def _fields(response: Response) -> Fields | None:
    """Return the record in the answer, or None where there is none."""
    try:
        content = from_json(response.body, allow_inf_nan=False)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
