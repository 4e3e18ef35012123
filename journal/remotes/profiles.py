"""The profile of a record service: what it expects, as data in a TOML file; pure but for `load`.

A profile says where the service is, how a record is created, updated, deleted and read, and
how it tells versions apart. Every key has a default that fits a plain JSON service whose
records live at ``/{type}/{id}`` and that answers with an ETag.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from journal.errors import ProfileError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

PLACEHOLDERS = frozenset({"type", "id"})


def _checked_path(path: str) -> str:
    names = {name for _, name, _, _ in Formatter().parse(path) if name is not None}
    if not path.startswith("/") or path.startswith("//"):
        message = "must begin with one slash"
        raise ValueError(message)
    if unknown := names - PLACEHOLDERS:
        message = f"has the unknown placeholder {{{min(unknown)}}}; use {{type}} and {{id}}"
        raise ValueError(message)
    if {".", ".."} & set(path.split("/")):
        message = "must not contain . or .. as a segment"
        raise ValueError(message)
    return path


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "must be an http or https URL"
        raise ValueError(message)
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "must not hold credentials, a query or a fragment; use [auth] for credentials"
        raise ValueError(message)
    return url.rstrip("/")


_Path = Annotated[str, AfterValidator(_checked_path)]
_Token = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Verb(_Section):
    """How one kind of request is made."""

    method: _Token
    path: _Path = "/{type}/{id}"
    media_type: str = "application/json"


class Create(Verb):
    """How a record is created under our key."""

    method: _Token = "PUT"
    only_new: bool = True
    """Whether to send ``If-None-Match: *``, so that an existing record is never overwritten."""


class Update(Verb):
    """How fields of a record are changed, leaving the others as they are."""

    method: _Token = "PATCH"
    media_type: str = "application/merge-patch+json"


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


class Auth(_Section):
    """How requests are authorised; a profile names where a secret is, and never holds one."""

    bearer_env: str | None = None
    """The environment variable that holds a bearer token."""


class TypeNames(_Section):
    """What the service calls a record type."""

    name: str | None = None
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
    headers: dict[_Token, str] = {}
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
            key = ".".join(map(str, first["loc"])) or "profile"
            if first["type"] == "extra_forbidden":
                raise ProfileError(key, "is unknown", hint="check its spelling") from error
            raise ProfileError(key, first["msg"].removeprefix("Value error, ")) from error
        if not profile.is_secure and not profile.allow_insecure:
            raise ProfileError(
                "url",
                "plain http would send the records and the credentials readable by all",
                hint="use https, or set allow_insecure = true",
            )
        return profile

    @property
    def is_secure(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "::1", "localhost"}

    def type_name(self, record_type: str) -> str:
        """Return what the service calls a record type."""
        names = self.types.get(record_type)
        return record_type if names is None or names.name is None else names.name
