"""The sections of a profile, each with its keys, their defaults and their checks; pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, NoReturn, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from journal.remotes.forms import Kind
from journal.remotes.pointers import steps_of
from journal.remotes.selection import NONE, Source, check_selector
from journal.remotes.templates import check_path, json_of

Verb: TypeAlias = Literal["create", "update", "delete", "read", "find", "changes"]
"""What is asked of a service."""
Means: TypeAlias = Literal[
    "done", "absent", "refused", "conflict", "wait", "unauthorized", "unknown"
]
"""What an answer can mean."""

_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "host"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that the library sets itself, or that would change what a request is."""
_CONDITIONS: Final = frozenset({"if-match", "if-none-match"})
_SECRETS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def checked_url(url: str) -> str:
    """Return the URL of a service without a slash at its end.

    Raises:
        ValueError: it is none, or holds what does not belong there.
    """
    if not (url.isascii() and url.isprintable()) or {" ", "\\"} & set(url):
        _refuse("must be printable ASCII without spaces and backslashes")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        _refuse("must be an http or https URL")
    if "@" in parts.netloc or "?" in url or "#" in url:
        _refuse("must not hold credentials, a query or a fragment; use [auth] for credentials")
    try:
        parts.hostname.encode("idna")
    except UnicodeError as error:
        message = "must name a host whose parts have 1 to 63 characters each"
        raise ValueError(message) from error
    if parts.port == 0:
        _refuse("must not name the port 0")
    return url.rstrip("/")


def _checked_path(path: str) -> str:
    check_path(path)
    return path


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _SECRETS:
            _refuse(f"{name} is a credential: say in [auth] where it is, and not what it is")
        if name.lower() in _OURS:
            _refuse(f"{name} is set by the library")
    return headers


def _checked_common(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _CONDITIONS:
            _refuse(f"{name} is set by the library; see version.condition and create.only_new")
    return _checked_headers(headers)


def _checked_json(source: str) -> str:
    json_of(source)
    return source


def _checked_unset(source: str) -> str:
    return source if source in {"null", "omit"} else _checked_json(source)


def _checked_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"is no regular expression: {error}"
        raise ValueError(message) from None
    return pattern


def _checked_version(source: object) -> object:
    if not isinstance(source, dict):
        return check_selector(source)
    if not source:
        _refuse("must name its parts, as { seq = '/_seq_no' } does")
    return {name: check_selector(part) for name, part in source.items()}


def _checked_place(source: object) -> Source:
    return check_selector(source, is_pointer=True)


def _checked_pointer(source: str) -> str:
    steps_of(source)
    return source


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _several(value: object) -> object:
    return (value,) if isinstance(value, int) else _tuple(value)


_Path = Annotated[str, AfterValidator(_checked_path)]
_Token = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")]
_HeaderText = Annotated[str, Field(pattern=r"^([!-~]([ -~]*[!-~])?)?$")]
_Json = Annotated[str, AfterValidator(_checked_json)]
_Unset = Annotated[str, AfterValidator(_checked_unset)]
_Selector = Annotated[Source, PlainValidator(check_selector)]
_Place = Annotated[Source, PlainValidator(_checked_place)]
_Pointer = Annotated[str, AfterValidator(_checked_pointer)]
_Pointers = Annotated[tuple[_Pointer, ...], BeforeValidator(_tuple)]
_VersionSource = Annotated[Any, PlainValidator(_checked_version)]
_Headers = Annotated[dict[_Token, _HeaderText], AfterValidator(_checked_headers)]
CommonHeaders: TypeAlias = Annotated[dict[_Token, _HeaderText], AfterValidator(_checked_common)]
_Word = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A table of a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Places(Section):
    """Where an answer shows what; of one verb, where it differs from `answer`."""

    record: _Place | None = None
    fields: _Place | None = None
    id: _Selector | None = None
    key: _Selector | None = None
    version: _VersionSource | None = None
    own: _Pointers | None = None


class AnswerSection(Section):
    """Where an answer shows what."""

    record: _Place = ""
    """The record, in the answer."""
    fields: _Place = ""
    """Its fields, in the record."""
    id: _Selector = NONE
    """The service's own id of the record, in the record; none where our key is the id."""
    key: _Selector = NONE
    """Our key, in the record."""
    version: _VersionSource = "header:ETag"
    """The version, in the record; none where there are no versions."""
    own: _Pointers = ()
    """What the service keeps itself among the fields."""
    id_type: Literal["text", "number"] = "text"
    """Whether an id is a number in a body."""
    compare: Kind = "exact"
    """How a field is compared that says nothing else."""


class Request(Section):
    """How one kind of request is made."""

    method: _Token = "GET"
    path: _Path = "/{type}/{id}"
    headers: _Headers = {}
    media_type: _HeaderText | None = None
    body: _Json | None = None
    answer: Places = Places()


class Create(Request):
    """How a record is created."""

    method: _Token = "PUT"
    body: _Json | None = '"{fields}"'
    unset: _Unset = "null"
    """What is sent for a field without a value."""
    only_new: bool | None = None
    """Whether to send ``If-None-Match: *``; by itself where the method is PUT."""
    is_repeatable: bool = False
    """Whether the service makes one record of several requests with the same ``{draft}``."""
    on_doubt: Literal["look", "hold"] = "look"
    """What to do where a create may have been applied: look for the record, or hold it."""


class Update(Request):
    """How fields of a record are changed."""

    method: _Token = "PATCH"
    body: _Json | None = '"{fields}"'
    unset: _Unset | None = None
    """What is sent for a field that is unset."""
    set: _Json | None = None
    """The operation that sets a field."""


class Delete(Request):
    """How a record is deleted."""

    method: _Token = "DELETE"


class Read(Request):
    """How a record is read."""


class Find(Request):
    """How a record is looked up by our key."""

    path: _Path = "/{type}?key={key}"
    items: _Pointer = ""
    """The list of hits, in the answer."""
    record: _Place = ""
    """The record, in a hit."""
    lists_all: bool = False
    """Whether it lists all records, of whatever key, in one answer."""


class Changes(Request):
    """How the changes since a checkpoint are listed."""

    path: _Path = "/{type}"
    items: _Pointer = ""
    """The list of changes, in the answer."""
    record: _Place = ""
    """The record, in a change."""
    deleted: _Pointer | None = None
    """What is there and true in a change that deleted its record."""
    since: _Selector = NONE
    """The checkpoint after a change, in the change."""
    next_since: _Selector = NONE
    """The checkpoint after a page, in the answer."""
    first: str | None = None
    """The checkpoint to begin with."""
    overlap_s: Annotated[float, Field(ge=0)] = 0.0
    """How far before its checkpoint a list begins, in seconds."""
    next: _Selector = NONE
    """The address of the next page, in the answer."""
    page: _Selector = NONE
    """The token of the next page, in the answer."""
    index_from: int | None = None
    """The index of the first item."""
    more: _Selector = NONE
    """What is there and true in an answer that more pages follow."""


class VersionSection(Section):
    """How a change is made conditional on a version."""

    condition: _Token = "If-Match"
    """The header that a version is sent in; none where it stands in the request itself."""
    is_required: bool = False
    """Whether the service refuses a change without a version."""


class Key(Section):
    """What the service takes for a key."""

    pattern: Annotated[str, AfterValidator(_checked_pattern)] = ".+"
    """What our key must match, whole, before anything is sent."""


class Rule(Section):
    """What an answer means."""

    on: Annotated[tuple[Verb, ...] | None, BeforeValidator(_tuple)] = None
    status: Annotated[tuple[int, ...] | None, BeforeValidator(_several)] = None
    at: _Selector | None = None
    is_: Annotated[Any, Field(alias="is")] = None
    is_not: Any = None
    is_empty: bool = False
    means: Means


class FieldForm(Section):
    """How the service names and writes one field."""

    name: _Word | None = None
    compare: Kind | None = None
    write: _Json | None = None
    read: _Pointer = ""


class TypeSection(Section):
    """How the service names and writes the records of one type."""

    name: _Word | None = None
    """What stands for ``{type}``; the type itself otherwise."""
    words: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], _Word] = {}
    """What stands for ``{type.WORD}``."""
    fields: dict[str, FieldForm] = {}
