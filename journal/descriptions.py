"""Floor 3: what a record type is, as a service or a model describes it; pure.

- K1. `of_json(as_json(description))` is the description.

It knows nothing of services, nor of where descriptions are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, get_args

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

FieldKind: TypeAlias = Literal[
    "text",
    "number",
    "integer",
    "boolean",
    "date",
    "datetime",
    "time",
    "choice",
    "choices",
    "reference",
    "any",
]
"""What a field holds; ``choices`` are several of its values, ``any`` is not told."""
KINDS: Final = frozenset(get_args(FieldKind))


class Choice(NamedTuple):
    """A value that a field may have."""

    value: str
    label: str = ""
    """What a person reads; the value otherwise."""


class FieldDescription(NamedTuple):
    """A field of a record type, as a service or a model says that it is."""

    name: str
    """Under which it is stored here."""
    kind: FieldKind = "any"
    label: str = ""
    """What a person reads; the name otherwise."""
    help: str = ""
    """What a person may be told of it."""
    required: bool = False
    """Whether a record cannot be created without a value of it."""
    nullable: bool = True
    """Whether it may be left without a value by a change."""
    default: Any = None
    """The value that it gets where none is given, as far as that is told."""
    length: int | None = None
    """How many characters a text may have."""
    precision: int | None = None
    """How many digits a number may have in all."""
    scale: int | None = None
    """How many of them stand after the point."""
    choices: tuple[Choice, ...] = ()
    """The values that are offered."""
    closed: bool = False
    """Whether it takes no others."""
    createable: bool = True
    """Whether it may be set when a record is created."""
    updateable: bool = True
    """Whether it may be changed."""
    refers_to: tuple[str, ...] = ()
    """The types of record that it may refer to; any where none is named."""
    relation: str = ""
    """Under which other name the record that it refers to may be given, as an object."""
    unique: bool = False
    """Whether no two records have the same value of it."""
    external_id: bool = False
    """Whether records can be found by it."""

    @property
    def title(self) -> str:
        """What a person reads."""
        return self.label or self.name


class TypeDescription(NamedTuple):
    """A record type, as a service or a model says that it is."""

    record_type: str
    fields: tuple[FieldDescription, ...] = ()
    label: str = ""
    """What a person reads; the type otherwise."""
    complete: bool = True
    """Whether it has no other fields."""
    createable: bool = True
    updateable: bool = True
    deletable: bool = True

    @property
    def title(self) -> str:
        """What a person reads."""
        return self.label or self.record_type

    def field(self, name: str) -> FieldDescription | None:
        """Return the field of that name.

        Args:
            name: under which it is stored here.
        """
        return next((field for field in self.fields if field.name == name), None)


# --- as text ---------------------------------------------------------------------------------


def as_json(description: TypeDescription) -> bytes:
    """Return a description as JSON; what is as usual is left out (K1)."""
    fields = [_told(field, field._asdict()) for field in description.fields]
    return to_json({**_told(description, description._asdict()), "fields": fields})


def of_json(text: str | bytes) -> TypeDescription:
    """Return the description that a text is (K1); a key that is not known is passed over.

    Raises:
        ValueError: it is none.
    """
    try:
        content = _known(TypeDescription, from_json(text))
        fields = tuple(_field(_known(FieldDescription, one)) for one in content.pop("fields", ()))
        return TypeDescription(**content, fields=fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("this is no description of a record type") from error


def _told(of: NamedTuple, content: dict[str, Any]) -> dict[str, Any]:
    usual = type(of)._field_defaults
    return {key: value for key, value in content.items() if key not in usual or usual[key] != value}


def _known(of: type[NamedTuple], content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name in of._fields}


def _field(content: dict[str, Any]) -> FieldDescription:
    choices = tuple(Choice(*choice) for choice in content.pop("choices", ()))
    refers_to = tuple(content.pop("refers_to", ()))
    kind = content.pop("kind", "any")
    known: FieldKind = kind if kind in KINDS else "any"
    return FieldDescription(**content, kind=known, choices=choices, refers_to=refers_to)
