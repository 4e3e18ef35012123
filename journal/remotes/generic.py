"""The generic remote: a record service described by a profile; it does no I/O.

- G1. Nothing is acknowledged by an answer that contradicts the draft, or says nothing of it
  where it should.
- G2. On any doubt the record is read, and the read decides: what the remote has, not what it
  said.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pydantic_core import from_json, to_json

from journal.errors import ProfileError
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, Refused, Unknown
from journal.remotes.classify import Doubt, Success, classify
from journal.remotes.remote import Request, Response, recognised, resolved
from journal.values import Fields, same

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from journal.outcomes import Outcome
    from journal.remotes.profiles import Profile, Verb
    from journal.remotes.remote import Answer, Push

_NO_CONTENT: Final = frozenset({204, 205})
_ABSENT: Final = frozenset({404, 410})


class HttpRemote:
    """A record service over HTTP, described by a profile."""

    def __init__(self, profile: Profile, *, environ: Mapping[str, str] = os.environ) -> None:
        """Speak to the service as the profile says.

        Raises:
            ProfileError: the environment variable of a secret is not set.
        """
        self.profile = profile
        self._environ = environ
        self.headers()

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
            ProfileError: the environment variable of a secret is not set.
        """
        headers = {"Accept": "application/json", **self.profile.headers}
        if variable := self.profile.auth.bearer_env:
            token = self._environ.get(variable)
            if not token:
                raise ProfileError(
                    "auth.bearer_env", f"the environment has no {variable}", hint="set it"
                )
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft: yield requests, receive their answers, return the outcome."""
        if push.is_maybe_applied:
            settled = yield from self._resolve(push, None)
            if settled is not None:
                return settled
        answer = yield self._request(push)
        match classify(answer):
            case Success(response):
                receipt = self._receipt(push, response)
                if receipt is not None:
                    return receipt
                return (yield from self._resolved(push, None))
            case Doubt(_, refusal):
                return (yield from self._resolved(push, refusal))
            case meaning:
                return meaning

    def _resolved(self, push: Push, refusal: Refused | None) -> Generator[Request, Answer, Outcome]:
        """Settle a doubt by a read, or by what the remote said where the read settles nothing."""
        settled = yield from self._resolve(push, refusal)
        if settled is not None:
            return settled
        return refusal or Unknown("the remote's answer and its record do not fit together")

    def _resolve(
        self, push: Push, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome | None]:
        """Read the record and say what it settles; None where the draft was not applied (G2)."""
        answer = yield self._made(push, "read")
        match classify(answer):
            case Success(response):
                fields = _fields(response)
                if fields is None:
                    return Unknown("a read was answered with something that is not a record")
                return self._compared(push, response, fields, refusal)
            case Doubt(response, _) if response.status in _ABSENT:
                return self._absent(push, response, refusal)
            case Doubt(response, _):
                return refusal or Unknown(f"a read was answered with {response.status}")
            case meaning:
                return meaning

    def _compared(
        self, push: Push, response: Response, fields: Fields, refusal: Refused | None
    ) -> Outcome | None:
        """Compare what the remote has with what the draft wants."""
        if push.kind != "delete" and _holds(fields, resolved(push, push.fields)):
            return self._acknowledged(push, response, fields, "read")
        if refusal is not None and refusal.classification == "rejected":
            return refusal
        if refusal is None and push.kind != "create" and self._is_as_based(push, response, fields):
            return None
        return self._conflict(push, response, refusal)

    def _is_as_based(self, push: Push, response: Response, fields: Fields) -> bool:
        """Say whether the remote's record is still the one that the draft was made on."""
        version = self._version(response)
        if version is not None and push.base_version is not None:
            return version == push.base_version
        before = {name: push.base.get(name) for name in push.fields or push.base}
        return _holds(fields, resolved(push, before))

    def _absent(self, push: Push, response: Response, refusal: Refused | None) -> Outcome | None:
        if push.kind == "delete":
            return Acknowledged("read", push.remote_id, None, response.status, _date(response))
        if push.kind == "create":
            return refusal
        message = FieldMessage(message="the remote no longer has the record")
        return Refused("gone", (message,), response.status)

    @staticmethod
    def _conflict(push: Push, response: Response, refusal: Refused | None) -> Refused:
        newer = "the remote has a newer version of the record"
        taken = "the remote has another record under our key"
        message = FieldMessage(message=taken if push.kind == "create" else newer)
        answer = response.body.decode("utf-8", "replace")
        status = response.status if refusal is None else refusal.status
        return Refused("conflict", (message,), status, answer)

    def _receipt(self, push: Push, response: Response) -> Acknowledged | None:
        """Return the acknowledgement that the answer is, or None where it is none (G1)."""
        if push.kind == "delete" or response.status in _NO_CONTENT:
            if response.body and _fields(response) is None:
                return None
            return self._acknowledged(push, response, None, "answer")
        fields = _fields(response)
        if fields is None or not _holds(fields, resolved(push, push.fields)):
            return None
        return self._acknowledged(push, response, fields, "answer")

    def _acknowledged(
        self, push: Push, response: Response, fields: Fields | None, evidence: str
    ) -> Acknowledged:
        expected = {**push.record.remote.fields, **push.fields}
        shown = None if fields is None else recognised(fields, push)
        return Acknowledged(
            evidence,  # type: ignore[arg-type]
            push.remote_id or push.ref.id,
            self._version(response),
            response.status,
            _date(response),
            None if shown is None or same(shown, expected) else shown,
        )

    def _version(self, response: Response) -> str | None:
        header = self.profile.version.header
        return None if header is None else response.headers.get(header.lower())

    def _request(self, push: Push) -> Request:
        if push.kind == "delete":
            return self._made(push, "delete", self._condition(push))
        headers = self._condition(push)
        if push.kind == "create" and self.profile.create.only_new:
            headers = {"If-None-Match": "*"}
        return self._made(push, push.kind, headers, to_json(resolved(push, push.fields)))

    def _condition(self, push: Push) -> Mapping[str, str]:
        if push.kind == "create" or push.base_version is None:
            return {}
        return {self.profile.version.condition: push.base_version}

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


def _segment(text: str) -> str:
    """Return the text as one segment of a path."""
    return quote(text, safe="")


def _date(response: Response) -> str | None:
    return response.headers.get("date")


def _fields(response: Response) -> Fields | None:
    """Return the record in the answer, or None where there is none."""
    try:
        content = from_json(response.body, allow_inf_nan=False)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _holds(fields: Fields, wanted: Fields) -> bool:
    """Say whether a record has the wanted values; a field without a value may be missing."""
    return all(same(fields.get(name), value) for name, value in wanted.items())
