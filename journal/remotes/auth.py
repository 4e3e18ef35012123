"""The `[auth]` section of a profile: who we say we are, and where the secrets are; pure.

A profile names where a secret is, as ``{env:NAME}``, and never holds one.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from journal.errors import ProfileError
from journal.remotes.addresses import checked_token_url

PLACEHOLDER: Final = re.compile(r"\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
"""Where the value of an environment variable stands."""
_OURS: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "expect"}
    | {"host", "if-match", "if-none-match", "te", "trailer", "transfer-encoding", "upgrade"}
)
_WAYS: Final = ("basic", "bearer", "oauth")


def _checked_text(text: str) -> str:
    if "{env" in PLACEHOLDER.sub("", text):
        message = "must name an environment variable as {env:NAME}, in letters, digits and _"
        raise ValueError(message)
    return text


def _checked_secret(text: str) -> str:
    if not PLACEHOLDER.search(_checked_text(text)):
        message = "must not hold a secret: name the environment variable of it, as {env:NAME}"
        raise ValueError(message)
    return text


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _OURS:
            message = f"{name} is no credential"
            raise ValueError(message)
    return headers


_Text = Annotated[str, AfterValidator(_checked_text)]
_Secret = Annotated[str, AfterValidator(_checked_secret)]
_Host = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
_Name = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Basic(_Section):
    """A user and a password (RFC 7617)."""

    user: _Text
    password: _Text = ""

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if not PLACEHOLDER.search(self.user + self.password):
            message = "must not hold a secret: name where it is, as password = '{env:NAME}'"
            raise ValueError(message)
        if not PLACEHOLDER.search(self.user) and ":" in self.user:
            message = "user must not hold a colon"
            raise ValueError(message)
        return self


class OAuth(_Section):
    """Access tokens of OAuth 2.0 (RFC 6749): by a refresh token, by client credentials or a key."""

    token_url: Annotated[str, AfterValidator(checked_token_url)]
    """Where access tokens come from: nobody else ever sees the two secrets."""
    client_id: _Text
    client_secret: _Secret | None = None
    refresh_token: _Secret | None = None
    """By which tokens are renewed; without one, the client speaks for itself."""
    scope: str | None = None
    audience: str | None = None
    client_auth: Literal["header", "body"] = "header"
    """Whether the client's id and secret go into the Basic header, or into the body."""
    private_key: _Secret | None = None
    """The RSA key, in PEM, that signs for whom a token is asked (RFC 7523)."""
    subject: _Text | None = None
    """For whom, where a key signs: the name of a user."""
    instance_hosts: tuple[_Host, ...] = ()
    """The hosts to which a token may move us by its ``instance_url``, with all below them."""

    @model_validator(mode="after")
    def _can_ask(self) -> Self:
        if self.private_key is None:
            if self.client_secret is None and self.refresh_token is None:
                message = "must have a client_secret, a refresh_token, or a private_key"
                raise ValueError(message)
            if self.subject is not None:
                message = "has a subject, and no private_key that signs for it"
                raise ValueError(message)
        elif self.subject is None or self.audience is None:
            message = "must have a subject and an audience beside its private_key"
            raise ValueError(message)
        elif self.client_secret is not None or self.refresh_token is not None:
            message = "must not have a private_key beside a client_secret or a refresh_token"
            raise ValueError(message)
        return self


class Auth(_Section):
    """How requests are authorised: one way at most, and headers or query parameters."""

    basic: Basic | None = None
    bearer: _Secret | None = None
    """A token."""
    oauth: OAuth | None = None
    headers: Annotated[dict[_Name, _Secret], AfterValidator(_checked_headers)] = {}
    """Headers that hold a secret, such as an API key."""
    query: dict[Annotated[str, Field(min_length=1)], _Secret] = {}
    """Query parameters that hold a secret."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        ways = self.ways
        if len(ways) > 1:
            message = f"must name one way at most, and names {' and '.join(ways)}"
            raise ValueError(message)
        if ways and any(name.lower() == "authorization" for name in self.headers):
            message = f"must not set Authorization beside {ways[0]}"
            raise ValueError(message)
        return self

    @property
    def ways(self) -> list[str]:
        """The ways that it names to say who we are."""
        return [way for way in _WAYS if getattr(self, way) is not None]


def checked_header(key: str, text: str) -> str:
    """Return a secret that is to stand in a header.

    Raises:
        ProfileError: no header can carry it.
    """
    if not (text.isascii() and text.isprintable()) or text != text.strip() or not text:
        raise ProfileError(
            key,
            "no header can carry what is there: it is empty, or has spaces at its ends, line "
            "breaks, or characters beyond ASCII",
            hint="set it without a line break at its end",
        )
    return text


def checked_token(key: str, text: str) -> str:
    """Return a bearer token.

    Raises:
        ProfileError: it is none.
    """
    if " " in text or not (text.isascii() and text.isprintable() and text):
        raise ProfileError(
            key,
            "what is there is no token: it has spaces, line breaks, or characters beyond ASCII",
            hint="set it without a line break at its end",
        )
    return text


def form(pairs: dict[str, str | None]) -> bytes:
    """Return the members of a form that are there, encoded."""
    there = ((name, text) for name, text in pairs.items() if text is not None)
    return "&".join(f"{quote(n, safe='')}={quote(t, safe='')}" for n, t in there).encode()
