"""How requests are authorised; a profile names where a secret is, and never holds one."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from journal.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET: Final = re.compile(r"\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def _checked(text: str) -> str:
    if not _SECRET.search(text):
        message = "must name the environment variable of the secret, as {env:TOKEN} does"
        raise ValueError(message)
    return text


_Secret = Annotated[str, AfterValidator(_checked)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Basic(_Section):
    """A user and a password."""

    user: str
    password: _Secret


class Auth(_Section):
    """How requests are authorised."""

    bearer: _Secret | None = None
    """A bearer token."""
    basic: Basic | None = None
    """A user and a password."""
    headers: dict[str, _Secret] = {}
    """Headers of the service's own."""


class Credentials:
    """The secrets of a profile, as the environment has them now."""

    def __init__(self, auth: Auth, environ: Mapping[str, str]) -> None:
        """Read secrets from that environment."""
        self._auth = auth
        self._environ = environ

    def headers(self) -> dict[str, str]:
        """Return the headers that authorise a request.

        Raises:
            ProfileError: the environment variable of a secret is not set, or holds none.
        """
        auth = self._auth
        headers = {
            name: self._filled(f"auth.headers.{name}", t) for name, t in auth.headers.items()
        }
        if auth.bearer is not None:
            headers["Authorization"] = f"Bearer {self._filled('auth.bearer', auth.bearer)}"
        if auth.basic is not None:
            user = self._filled("auth.basic.user", auth.basic.user)
            password = self._filled("auth.basic.password", auth.basic.password)
            pair = b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        return headers

    def cleared(self, text: str) -> str:
        """Return the text without our own secrets in it, which an error page may have shown."""
        auth = self._auth
        texts = [auth.bearer, *auth.headers.values()]
        texts += [] if auth.basic is None else [auth.basic.password]
        for secret in texts:
            for name in _SECRET.findall(secret or ""):
                if value := self._environ.get(name):
                    text = text.replace(value, "[secret]")
        return text

    def _filled(self, key: str, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            secret = self._environ.get(found[1], "")
            if not secret:
                raise ProfileError(key, f"the environment has no {found[1]}", hint="set it")
            if not (secret.isascii() and secret.isprintable()) or " " in secret:
                raise ProfileError(
                    key,
                    f"what {found[1]} holds is no secret: it has spaces, or is beyond ASCII",
                    hint="set it without a line break at its end",
                )
            return secret

        return _SECRET.sub(value, text)
