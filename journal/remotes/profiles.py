"""The profile of a record service: what it expects, as data in a TOML file; pure but for `load`.

A profile says where the service is, how a record is created, updated, deleted and read, and
how it tells versions apart. Every key has a default that fits a plain JSON service whose
records live at ``/{type}/{id}`` and that answers with an ETag.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from journal.errors import ProfileError
from journal.remotes.addresses import is_secure
from journal.remotes.auth import Auth

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_PLACEHOLDERS: Final = frozenset({"type", "id"})
_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "host"}
    | {"if-match", "if-none-match", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that the library sets itself, or that would change what a request is."""
_SECRETS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


def _checked_path(path: str) -> str:
    if not path.startswith("/") or path.startswith("//"):
        message = "must begin with one slash"
        raise ValueError(message)
    if not (path.isascii() and path.isprintable()) or {" ", "\\", "#"} & set(path):
        message = "must be printable ASCII without spaces, backslashes and #; quote others as %xx"
        raise ValueError(message)
    names = set()
    for _, name, layout, conversion in Formatter().parse(path):
        names |= set() if name is None else {name}
        if layout or conversion:
            message = "must hold {type} and {id} without anything else in the braces"
            raise ValueError(message)
    if unknown := names - _PLACEHOLDERS:
        message = f"has the unknown placeholder {{{min(unknown)}}}; use {{type}} and {{id}}"
        raise ValueError(message)
    if "id" not in names:
        message = "must hold {id}: a request without it would be about all records at once"
        raise ValueError(message)
    if {".", ".."} & set(path.partition("?")[0].split("/")):
        message = "must not contain . or .. as a segment"
        raise ValueError(message)
    return path


def _checked_url(url: str) -> str:
    if not (url.isascii() and url.isprintable()) or {" ", "\\"} & set(url):
        message = "must be printable ASCII without spaces and backslashes"
        raise ValueError(message)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "must be an http or https URL"
        raise ValueError(message)
    if "@" in parts.netloc or "?" in url or "#" in url:
        message = "must not hold credentials, a query or a fragment; use [auth] for credentials"
        raise ValueError(message)
    try:
        parts.hostname.encode("idna")
    except UnicodeError as error:
        message = "must name a host whose parts have 1 to 63 characters each"
        raise ValueError(message) from error
    if parts.port == 0:
        message = "must not name the port 0"
        raise ValueError(message)
    return url.rstrip("/")


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _SECRETS:
            message = f"{name} is a credential: name where it is in [auth], and not what it is"
            raise ValueError(message)
        if name.lower() in _OURS:
            message = f"{name} is set by the library"
            raise ValueError(message)
    return headers


_Path = Annotated[str, AfterValidator(_checked_path)]
_Token = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")]
_HeaderText = Annotated[str, Field(pattern=r"^([!-~]([ -~]*[!-~])?)?$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Verb(_Section):
    """How one kind of request is made."""

    method: _Token
    path: _Path = "/{type}/{id}"
    media_type: _HeaderText = "application/json"


class Create(Verb):
    """How a record is created under our key."""

    method: _Token = "PUT"
    only_new: bool = True
    """Whether to send ``If-None-Match: *``, so that an existing record is never overwritten."""


class Update(Verb):
    """How fields of a record are changed, leaving the others as they are."""

    method: _Token = "PATCH"
    media_type: _HeaderText = "application/merge-patch+json"


class Delete(Verb):
    """How a record is deleted."""

    method: _Token = "DELETE"


class Read(Verb):
    """How a record is read."""

    method: _Token = "GET"


class Version(_Section):
    """How the service tells the versions of a record apart."""

    header: _Token | None = "ETag"
    """The header of an answer that holds the version; none where there are no versions."""
    condition: _Token = "If-Match"
    """The header of a request that makes it conditional on a version."""


class TypeNames(_Section):
    """What the service calls a record type."""

    name: Annotated[str, Field(min_length=1)] | None = None
    """What stands for ``{type}``; the type itself otherwise."""


class Profile(_Section):
    """Describes a record service."""

    url: Annotated[str, AfterValidator(_checked_url)]
    allow_insecure: bool = False
    """Whether plain http is allowed beyond loopback."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long one request may take in all, in seconds."""
    max_bytes: Annotated[int, Field(gt=0)] = 16_777_216
    """The largest answer that is accepted, in bytes."""
    headers: Annotated[dict[_Token, _HeaderText], AfterValidator(_checked_headers)] = {}
    """Headers of every request; credentials belong into `auth`."""
    create: Create = Create()
    update: Update = Update()
    delete: Delete = Delete()
    read: Read = Read()
    version: Version = Version()
    auth: Auth = Auth()
    types: dict[str, TypeNames] = {}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read the profile from a TOML file.

        Raises:
            ProfileError: the file cannot be read, or a key in it is wrong.
        """
        try:
            with Path(path).open("rb") as file:
                content = tomllib.load(file)
        except OSError as error:
            raise ProfileError("file", f"{path} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProfileError("file", f"{path} is not TOML: {error}") from error
        return cls.of(content)

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Self:
        """Check a profile that is there as an object.

        Raises:
            ProfileError: a key in it is wrong.
        """
        try:
            profile = cls.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(str(step) for step in first["loc"] if step != "[key]") or "profile"
            if first["type"] == "extra_forbidden":
                raise ProfileError(key, "is unknown", hint="check its spelling") from error
            raise ProfileError(key, first["msg"].removeprefix("Value error, ")) from error
        profile.check()
        return profile

    def check(self) -> None:
        """Refuse a profile by which everybody on the way could read what is sent.

        Raises:
            ProfileError: it is not secure, and does not say that it may be so.
        """
        if not self.is_secure and not self.allow_insecure:
            raise ProfileError(
                "url",
                "plain http would send the records and the credentials readable by all",
                hint="use https, or set allow_insecure = true",
            )

    @property
    def is_secure(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return is_secure(self.url)

    def type_name(self, record_type: str) -> str:
        """Return what the service calls a record type."""
        names = self.types.get(record_type)
        return record_type if names is None or names.name is None else names.name
