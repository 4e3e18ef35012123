"""The sections of a profile, each with its keys, their defaults and their checks; pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from journal.remotes.constraints import (
    as_condition,
    as_tuple,
    checked_common,
    checked_headers,
    checked_json,
    checked_path,
    checked_pattern,
    checked_place,
    checked_pointer,
    checked_pointer_of_type,
    checked_time_form,
    checked_unset,
    checked_version,
    several,
)
from journal.remotes.forms import IdType, Kind
from journal.remotes.selection import NONE, Source, check_selector

Verb: TypeAlias = Literal["create", "update", "delete", "read", "find", "changes"]
"""What is asked of a service."""
Means: TypeAlias = Literal[
    "done", "absent", "refused", "conflict", "wait", "unauthorized", "unknown"
]
"""What an answer can mean."""

_Path = Annotated[str, AfterValidator(checked_path)]
_Token = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")]
_HeaderText = Annotated[str, Field(pattern=r"^([!-~]([ -~]*[!-~])?)?$")]
_Json = Annotated[str, AfterValidator(checked_json)]
_Unset = Annotated[str, AfterValidator(checked_unset)]
_Selector = Annotated[Source, PlainValidator(check_selector)]
_Place = Annotated[Source, PlainValidator(checked_place)]
_Pointer = Annotated[str, AfterValidator(checked_pointer)]
_PointerOfType = Annotated[str, AfterValidator(checked_pointer_of_type)]
_Pointers = Annotated[tuple[_PointerOfType, ...], BeforeValidator(as_tuple)]
_VersionSource = Annotated[Any, PlainValidator(checked_version)]
_Headers = Annotated[dict[_Token, _HeaderText], AfterValidator(checked_headers)]
CommonHeaders: TypeAlias = Annotated[dict[_Token, _HeaderText], AfterValidator(checked_common)]
_Word = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A table of a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Condition(Section):
    """What must stand at a place in an answer; with the place alone, something true."""

    at: _Selector
    is_: Annotated[Any, Field(alias="is")] = None
    is_not: Any = None
    has: _Word | None = None
    is_empty: bool = False


_Condition = Annotated[Condition, BeforeValidator(as_condition)]


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
    id_type: IdType = "text"
    """Whether an id is a number in a body; or one of Salesforce, with 15 or with 18 characters."""
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


class Write(Request):
    """How a record is changed, in whatever way."""

    is_repeatable: bool = False
    """Whether the service makes one change of several requests with the same ``{draft}``."""
    remembered_s: Annotated[float, Field(ge=0)] = 86_400.0
    """How long the service remembers these requests, in seconds; later, it is looked up first."""


class Create(Write):
    """How a record is created."""

    method: _Token = "PUT"
    body: _Json | None = '"{fields}"'
    unset: _Unset = "null"
    """What is sent for a field without a value."""
    only_new: bool | None = None
    """Whether to send ``If-None-Match: *``; by itself where the method is PUT."""
    looks_first: bool = False
    """Whether to look for the record first, for the service lets two have one key."""
    on_doubt: Literal["look", "hold"] = "look"
    """What to do where a create may have been applied: look for the record, or hold it."""


class Update(Write):
    """How fields of a record are changed."""

    method: _Token = "PATCH"
    body: _Json | None = '"{fields}"'
    unset: _Unset | None = None
    """What is sent for a field that is unset."""
    set: _Json | None = None
    """The operation that sets a field."""


class Delete(Write):
    """How a record is deleted."""

    method: _Token = "DELETE"


class Read(Request):
    """How a record is read."""

    key_path: _Path | None = None
    """Where it is read by our key, as long as the service's id of it is not known."""
    after_writes: bool = False
    """Whether it is read after each write too, for its version and for what became of it."""


class Find(Request):
    """How a record is looked up by our key."""

    path: _Path = "/{type}?key={key}"
    items: _PointerOfType = ""
    """The list of hits, in the answer."""
    record: _Place = ""
    """The record, in a hit."""
    lists_all: bool = False
    """Whether it lists all records, of whatever key, in one answer."""


class Changes(Request):
    """How the changes since a checkpoint are listed."""

    path: _Path = "/{type}"
    items: _PointerOfType = ""
    """The list of changes, in the answer."""
    record: _Place = ""
    """The record, in a change."""
    deleted: _Condition | None = None
    """How a change says that it deleted its record."""
    since: _Selector = NONE
    """The checkpoint after a change, in the change."""
    next_since: _Selector = NONE
    """The checkpoint after a page, in the answer."""
    next_list: _Selector = NONE
    """The address of the list of what changes after this one, in the answer."""
    first: str | None = None
    """The checkpoint to begin with."""
    since_as: Annotated[str, AfterValidator(checked_time_form)] | None = None
    """How a checkpoint that is a time is written into the request; as it is shown otherwise."""
    overlap_s: Annotated[float, Field(ge=0)] = 0.0
    """How far before its checkpoint a list begins, in seconds."""
    next: _Selector = NONE
    """The address of the next page, in the answer."""
    page: _Selector = NONE
    """The token of the next page, in the answer."""
    index_from: int | None = None
    """The index of the first item, or of the first page."""
    index_counts: Literal["items", "pages"] = "items"
    """What an index counts."""
    lists_all: bool = False
    """Whether it has no checkpoints, and lists all records each time."""
    more: _Condition | None = None
    """How an answer says that more pages follow."""


class VersionSection(Section):
    """How a change is made conditional on a version."""

    condition: _Token = "If-Match"
    """The header that a version is sent in; none where it stands in the request itself."""
    is_required: bool = False
    """Whether the service refuses a change without a version."""
    on: Annotated[tuple[Literal["update", "delete"], ...] | None, BeforeValidator(as_tuple)] = None
    """Which changes take the condition; both otherwise."""
    form: Literal["as it came", "http-date"] = "as it came"
    """How the header says it: as it came, or as the date that it is, to the second."""
    is_weak: bool = False
    """Whether two changes may share one: then the record is read and compared first as well."""


class Key(Section):
    """What the service takes for a key."""

    pattern: Annotated[str, AfterValidator(checked_pattern)] = ".+"
    """What our key must match, whole, before anything is sent."""


class Rule(Section):
    """What an answer means."""

    on: Annotated[tuple[Verb, ...] | None, BeforeValidator(as_tuple)] = None
    status: Annotated[tuple[int, ...] | None, BeforeValidator(several)] = None
    at: _Selector | None = None
    is_: Annotated[Any, Field(alias="is")] = None
    is_not: Any = None
    has: _Word | None = None
    is_empty: bool = False
    means: Means


class FieldForm(Section):
    """How the service names and writes one field."""

    name: _Word | None = None
    shown_as: _Word | None = None
    """What the service calls the field where it shows it; the same otherwise."""
    compare: Kind | None = None
    write: _Json | None = None
    unset: _Json | None = None
    """What is sent where the field has no value."""
    read: _Pointer = ""


class TypeSection(Section):
    """How the service names and writes the records of one type."""

    name: _Word | None = None
    """What stands for ``{type}``; the type itself otherwise."""
    words: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], _Word] = {}
    """What stands for ``{type.WORD}``."""
    fields: dict[str, FieldForm] = {}
