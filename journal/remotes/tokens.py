"""Access tokens: from the token endpoint of OAuth 2.0, or from a callback; no I/O of its own.

- A3. There is one renewal at a time; who finds one under way waits for its turn.
- A4. A refresh token that the service has replaced is saved before it is used.
"""

from __future__ import annotations

from base64 import b64encode
from logging import getLogger
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import quote_plus

from journal.errors import ProfileError
from journal.remotes.addresses import followed
from journal.remotes.auth import checked_token, form
from journal.remotes.problems import json_of, summary
from journal.remotes.remote import NoAnswer, Request
from journal.sources import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from journal.remotes.auth import OAuth
    from journal.remotes.masking import Secrets
    from journal.remotes.remote import Answer, Response
    from journal.sources import Clock

ASK: Final = Request("POST", "", to="token")
"""Asks for a token; all that is in it, the credentials add when it is sent."""
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_log = getLogger("journal.remotes")


class Turn(Protocol):
    """Held by one at a time, as a `Lock`."""

    def acquire(self, blocking: bool = ...) -> bool:  # noqa: FBT001  as Lock's
        """Take it, where nobody has it; say whether it is ours."""
        ...

    def release(self) -> None:
        """Let others have it."""
        ...


class TokenRequest(NamedTuple):
    """What asks for a token: all of it is secret."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Show where it goes, and no secret."""
        return f"TokenRequest({self.url!r})"


class _Tokens(NamedTuple):
    """What the service has given."""

    access: str
    refresh: str | None
    instance: str | None = None

    def __repr__(self) -> str:
        return "_Tokens()"


class Tokens:
    """The access token that is in use, and how another one is had."""

    def __init__(  # noqa: PLR0913  what tokens are got by
        self,
        oauth: OAuth | None,
        filled: Callable[[str, str], str],
        secrets: Secrets,
        *,
        ask: Callable[[], str] | None = None,
        save: Callable[[str], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Get tokens from the endpoint, or from the callback, if there is either.

        Args:
            oauth: the section of the profile.
            filled: returns the text of a key with the values of the environment.
            secrets: are told every token.
            ask: the callback that gives tokens.
            save: keeps a refresh token that has replaced another.
            clock: says until when an assertion is valid.
        """
        self.access: str | None = None
        self.instance: str | None = None
        """The origin that the token is for, where it said so and may lead there."""
        self._clock = clock or SystemClock()
        self._oauth = oauth
        self._filled = filled
        self._secrets = secrets
        self._ask = ask
        self._save = save
        self.turn: Turn = Lock()
        """Held by who asks for a token; other processes may have to know of it, too."""
        self._refresh: str | None = None
        self._unsaved: _Tokens | None = None

    @property
    def are_renewable(self) -> bool:
        """Whether there is somebody to ask."""
        return self._ask is not None or self._oauth is not None

    def request(self) -> TokenRequest:
        """Return what asks for a token: to be sent to its URL, and nowhere else.

        Raises:
            ProfileError: a secret is not set, or no token is asked for at all.
        """
        oauth = self._oauth
        if oauth is None:
            raise ProfileError("auth.oauth", "is not there, and a token was to be asked for")
        fields, headers = self._asked_of(oauth)
        headers |= {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return TokenRequest(oauth.token_url, headers, form(fields))

    def _asked_of(self, oauth: OAuth) -> tuple[dict[str, str | None], dict[str, str]]:
        if oauth.private_key is not None:
            return self._asserted(oauth, oauth.private_key), {}
        refresh = self._refresh or self._looked_up(oauth)
        fields: dict[str, str | None] = {
            "grant_type": "client_credentials" if refresh is None else "refresh_token",
            "refresh_token": refresh,
            "scope": oauth.scope,
            "audience": oauth.audience,
        }
        self._secrets.add([refresh or ""])
        client = self._filled("auth.oauth.client_id", oauth.client_id)
        if oauth.client_secret is None:
            return {**fields, "client_id": client}, {}
        secret = self._filled("auth.oauth.client_secret", oauth.client_secret)
        self._secrets.add([secret])
        if oauth.client_auth == "body":
            return {**fields, "client_id": client, "client_secret": secret}, {}
        pair = b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()
        self._secrets.add([pair])
        return fields, {"Authorization": f"Basic {pair}"}

    def _asserted(self, oauth: OAuth, private_key: str) -> dict[str, str | None]:
        """Return what asks by an assertion that our key has signed (RFC 7523)."""
        from journal.remotes.assertions import Assertion, signed  # noqa: PLC0415  it is an extra

        assertion = Assertion(
            self._filled("auth.oauth.client_id", oauth.client_id),
            self._filled("auth.oauth.subject", oauth.subject or ""),
            oauth.audience or "",
            self._clock.now_us() // 1_000_000,
        )
        key = self._filled("auth.oauth.private_key", private_key)
        token = signed(assertion, key)
        self._secrets.add([key, key.strip(), *token.split("."), token])
        return {"grant_type": JWT_BEARER, "assertion": token, "scope": oauth.scope}

    def renewed(self) -> Generator[Request, Answer, NoAnswer | None]:
        """Get a token; return why not, if not (A3)."""
        try:
            is_ours = self.turn.acquire(blocking=False)
        except Exception as error:  # noqa: BLE001  of whatever the turn is held by
            said = f"a new refresh token could not be saved: {type(error).__name__}"
            return _no_token(said)
        if not is_ours:
            return NoAnswer(
                was_sent=False,
                problem="another request is renewing the access token",
                cause="turn",
            )
        try:
            if self._ask is not None:
                return self._given(self._ask)
            if self._unsaved is not None:
                return self._kept(self._unsaved)
            return self._taken((yield ASK))
        finally:
            self.turn.release()

    def _given(self, ask: Callable[[], str]) -> NoAnswer | None:
        """Take the token of the callback."""
        try:
            token = checked_token("auth.bearer", ask())
        except ProfileError as error:
            return _no_token(f"that of the callback is none: {error.problem}")
        except Exception as error:  # noqa: BLE001  a callback may raise anything
            return _no_token(f"the callback failed: {type(error).__name__}")
        self._secrets.add([token])
        self.access = token
        return None

    def _taken(self, answer: Answer) -> NoAnswer | None:
        """Take the token of the answer."""
        if isinstance(answer, NoAnswer):  # not reached: no word about who we are
            problem = _no_token(self._secrets.masked(answer.problem)).problem
            return NoAnswer(was_sent=False, problem=problem, cause=answer.cause)
        content = json_of(answer.body) if answer.status // 100 == 2 else None  # noqa: PLR2004
        token = content.get("access_token") if isinstance(content, dict) else None
        if not isinstance(content, dict) or not isinstance(token, str):
            return _no_token(self._secrets.masked(_said(answer)))
        if str(content.get("token_type") or "bearer").lower() != "bearer":
            return _no_token("the token endpoint gave one of another type than Bearer")
        refresh = content.get("refresh_token")
        self._secrets.add([token, refresh if isinstance(refresh, str) else ""])
        try:
            checked_token("auth.oauth", token)
        except ProfileError:
            return _no_token("the token endpoint gave one that no header can carry")
        instance = content.get("instance_url")
        hosts = () if self._oauth is None else self._oauth.instance_hosts
        origin = followed(instance, hosts) if isinstance(instance, str) else None
        if hosts and instance and origin is None:
            return _no_token("the one that was given is for a host that is not allowed")
        is_new = isinstance(refresh, str) and refresh not in {"", self._refresh_now()}
        return self._kept(_Tokens(token, refresh if is_new else None, origin))

    def _refresh_now(self) -> str | None:
        oauth = self._oauth
        return self._refresh if oauth is None else self._refresh or self._looked_up(oauth)

    def _looked_up(self, oauth: OAuth) -> str | None:
        if oauth.refresh_token is None:
            return None
        return self._filled("auth.oauth.refresh_token", oauth.refresh_token)

    def _kept(self, tokens: _Tokens) -> NoAnswer | None:
        """Use the tokens, once the new refresh token is safe (A4)."""
        oauth = self._oauth
        is_rotated = tokens.refresh is not None and oauth is not None and oauth.refresh_token
        if is_rotated and self._save is not None:
            self._unsaved = tokens
            try:
                self._save(tokens.refresh or "")
            except Exception as error:  # noqa: BLE001  a callback may raise anything
                said = f"the new refresh token could not be saved: {type(error).__name__}"
                return _no_token(said)
        elif is_rotated:
            _log.warning(
                "the service has replaced the refresh token, and nothing saves the new one"
            )
        self._unsaved = None
        self.access = tokens.access
        self.instance = tokens.instance or self.instance
        if is_rotated:
            # What is looked up anew may be of another process, and newer, the next time.
            is_there = oauth is not None and tokens.refresh == self._looked_up(oauth)
            self._refresh = None if is_there else tokens.refresh
        return None


def _no_token(problem: str) -> NoAnswer:
    said = f"there is no access token: {problem}"
    return NoAnswer(was_sent=False, problem=said, cause="credentials")


def _said(answer: Response) -> str:
    """Return what the token endpoint says instead of a token."""
    if 300 <= answer.status < 400:  # noqa: PLR2004  every redirect
        return f"the token endpoint answered {answer.status}, a redirect, which is never followed"
    is_success = answer.status // 100 == 2  # noqa: PLR2004
    theirs = "" if is_success else summary(answer.body, answer.status)
    said = f"the token endpoint answered {answer.status}"
    return f"{said}: {theirs}" if theirs else f"{said}, and nothing that is a token"
