"""Who we say we are to a remote, as of now; it does no I/O of its own.

- A1. The remote's origin sees what authorises a request, and the origin of the token endpoint
  what asks for a token; neither sees the other's, and nobody else sees either.
- A2. Whether a token still holds is for the service to say: for each 401 it is renewed once, and
  the request sent again once.

How a token is renewed is in `tokens`.
"""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from journal.errors import ProfileError
from journal.remotes.addresses import moved
from journal.remotes.auth import PLACEHOLDER, checked_header, checked_token
from journal.remotes.masking import Secrets
from journal.remotes.remote import Response
from journal.remotes.tokens import TokenRequest, Tokens

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Generator, Mapping

    from journal.remotes.auth import Auth
    from journal.remotes.remote import Answer, Request
    from journal.remotes.tokens import Turn
    from journal.sources import Clock

_Result = TypeVar("_Result")


class Credentials:
    """What authorises the requests to one remote."""

    def __init__(
        self,
        auth: Auth,
        environ: Mapping[str, str],
        *,
        bearer: Callable[[], str] | None = None,
        save: Callable[[str], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Read the secrets from that environment.

        Args:
            auth: the section of the profile.
            environ: where ``{env:NAME}`` is looked up, anew for every request.
            bearer: asked for a token when there is none, and when the service refuses the last.
            save: keeps a refresh token that replaces the one of the environment (A4).
            clock: says until when an assertion is valid; that of the machine otherwise.

        Raises:
            ProfileError: a secret is not set, or there are two ways to say who we are.
        """
        if bearer is not None and auth.ways:
            raise ProfileError(
                f"auth.{auth.ways[0]}", "a callback gives the token as well", hint="leave one out"
            )
        self.secrets = Secrets()
        self._auth = auth
        self._environ = environ
        self._tokens = Tokens(
            auth.oauth, self._filled, self.secrets, ask=bearer, save=save, clock=clock
        )
        self._mark()
        if auth.oauth is not None:
            self.token_request()

    def __repr__(self) -> str:
        """Show how it is said who we are, and no secret."""
        return f"Credentials({self._auth!r})"

    # --- as they are now -----------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """Return the headers that authorise a request to the remote.

        Raises:
            ProfileError: a secret is not set, or no header can carry it.
        """
        auth = self._auth
        headers = {
            name: checked_header(f"auth.headers.{name}", self._filled(f"auth.headers.{name}", text))
            for name, text in auth.headers.items()
        }
        if auth.basic is not None:
            headers["Authorization"] = f"Basic {self._basic()}"
        elif auth.bearer is not None:
            token = checked_token("auth.bearer", self._filled("auth.bearer", auth.bearer))
            headers["Authorization"] = f"Bearer {token}"
        elif self._tokens.access is not None:
            headers["Authorization"] = f"Bearer {self._tokens.access}"
        self.secrets.add(text.removeprefix("Bearer ") for text in headers.values())
        return headers

    def query(self) -> dict[str, str]:
        """Return the query parameters that authorise a request to the remote.

        Raises:
            ProfileError: a secret is not set.
        """
        query = {
            name: self._filled(f"auth.query.{name}", text)
            for name, text in self._auth.query.items()
        }
        self.secrets.add(query.values())
        return query

    def located(self, url: str) -> str:
        """Return the URL of the remote, at the instance that the token in use is for."""
        instance = self._tokens.instance
        return url if instance is None else moved(url, instance)

    @property
    def token_url(self) -> str | None:
        """Where access tokens come from, if they do."""
        return None if self._auth.oauth is None else self._auth.oauth.token_url

    def token_request(self) -> TokenRequest:
        """Return what asks for a token: to be sent to its URL, and nowhere else (A1).

        Raises:
            ProfileError: a secret is not set, or no token is asked for at all.
        """
        return self._tokens.request()

    def _basic(self) -> str:
        basic = self._auth.basic
        assert basic is not None  # noqa: S101  asked for where there is one
        user = self._filled("auth.basic.user", basic.user)
        password = self._filled("auth.basic.password", basic.password)
        if ":" in user:
            raise ProfileError("auth.basic.user", "holds a colon, which no user may")
        pair = b64encode(f"{user}:{password}".encode()).decode()
        self.secrets.add([password or user, pair, quote(f"{user}:{password}", safe="")])
        return pair

    def _filled(self, key: str, text: str) -> str:
        """Return the text with the values of the environment.

        Raises:
            ProfileError: a variable is not set.
        """

        def value(found: re.Match[str]) -> str:
            secret = self._environ.get(found[1], "")
            if not secret:
                raise ProfileError(key, f"the environment has no {found[1]}", hint="set it")
            return secret

        return PLACEHOLDER.sub(value, text)

    def _mark(self) -> object:
        """Return what is equal as long as the credentials are the same."""
        return self.headers(), self.query(), self._tokens.instance

    def share(self, turn: Turn) -> None:
        """Let who asks for a token hold that turn: others have the same refresh token."""
        self._tokens.turn = turn

    # --- renewed -------------------------------------------------------------------------

    def authorised(
        self, request: Request, is_refused: Callable[[Answer], bool]
    ) -> Generator[Request, Answer, Answer]:
        """Send a request, with new credentials where the old ones are refused (A2).

        Args:
            request: to the remote.
            is_refused: says of an answer whether it refuses the credentials.
        """
        if self._tokens.are_renewable and self._tokens.access is None:
            failed = yield from self._tokens.renewed()
            if failed is not None:
                return failed
        used = self._mark()
        answer = yield request
        if not is_refused(answer):
            return answer
        if self._mark() == used:
            failed = (yield from self._tokens.renewed()) if self._tokens.are_renewable else None
            if failed is not None or self._mark() == used:
                return failed or answer
        return (yield request)


def authorised(
    exchange: Generator[Request, Answer, _Result],
    credentials: Credentials,
    is_refused: Callable[[Answer], bool] | None = None,
) -> Generator[Request, Answer, _Result]:
    """Drive what a remote does, so that each of its requests is authorised (A2).

    Args:
        exchange: yields requests, and is sent their answers.
        credentials: of the remote.
        is_refused: says of an answer whether it refuses the credentials; a 401 does otherwise.

    Returns:
        What the exchange returns.
    """
    is_refused = is_refused or is_unauthorized
    step: Callable[[], Request] = partial(next, exchange)
    try:
        while True:
            try:
                request = step()
            except StopIteration as ended:
                returned: _Result = ended.value
                return returned
            try:
                answer = yield from credentials.authorised(request, is_refused)
            except Exception as error:  # noqa: BLE001  for the exchange to judge
                step = partial(exchange.throw, error)
            else:
                step = partial(exchange.send, answer)
    finally:
        exchange.close()


def is_unauthorized(answer: Answer) -> bool:
    """Say whether an answer refuses who we say we are."""
    return isinstance(answer, Response) and answer.status == 401  # noqa: PLR2004
