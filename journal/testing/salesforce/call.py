"""A request for data, once it is known who asks: alone, or as a part of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from journal.testing.salesforce.refusal import Complaint, Content, RefusedError

if TYPE_CHECKING:
    from journal.testing.salesforce.caller import Caller

__all__ = ["Call", "body_of", "call_to", "flag", "not_found", "segments_of"]

DATA = ("services", "data")
OLDEST, NEWEST = 20, 68


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its method, what follows the version in its path, and what comes with it."""

    method: str
    resource: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: Content
    caller: Caller

    @property
    def version(self) -> int:
        """The version of the API that is asked."""
        return self.caller.version

    @property
    def base(self) -> str:
        """The path up to the version."""
        return f"/services/data/v{self.version}.0"


def segments_of(path: str) -> tuple[str, ...]:
    """Return the decoded segments of a path; empty ones are left out."""
    return tuple(unquote(part) for part in path.split("/") if part)


def call_to(
    method: str, target: str, headers: Mapping[str, str], content: Content, caller: Caller
) -> Call:
    """Return the call that a request is.

    Raises:
        RefusedError: its path does not begin with a version that there is.
    """
    path, _, query = target.partition("?")
    segments = segments_of(path)
    version = segments[2] if segments[:2] == DATA and len(segments) > len(DATA) else ""
    number = version.removeprefix("v").removesuffix(".0")
    if version != f"v{number}.0" or not number.isdigit() or not OLDEST <= int(number) <= NEWEST:
        raise not_found()
    known = replace(caller, version=int(number))
    parsed = dict(parse_qsl(query, keep_blank_values=True))
    return Call(method, segments[3:], parsed, headers, content, known)


def body_of(content: Content) -> Mapping[str, Content]:
    """Return the object that a body is.

    Raises:
        RefusedError: it is none.
    """
    if not isinstance(content, Mapping):
        message = "The HTTP entity body is required, but this request has no entity body."
        if content is not None:
            message = "Cannot deserialize instance of sobject: the body is not a JSON object"
        raise RefusedError(400, Complaint("JSON_PARSER_ERROR", message))
    return content


def flag(value: Content) -> bool:
    """Return what a parameter or a member says, as true or false."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def not_found(message: str = "The requested resource does not exist") -> RefusedError:
    """Return the refusal of what is not there."""
    return RefusedError(404, Complaint("NOT_FOUND", message))
