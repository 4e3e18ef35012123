"""What an org says of an object, as the description of a record type; pure.

Nothing is made stricter than the org is known to be: what the description of an org leaves
open, or says in words of its own, is left open here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from journal.descriptions import Choice, FieldDescription, FieldKind, TypeDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
"""Of a field: it is written into queries."""
_KINDS: Final[Mapping[str, FieldKind]] = {
    "boolean": "boolean",
    "combobox": "text",
    "currency": "number",
    "date": "date",
    "datetime": "datetime",
    "double": "number",
    "email": "text",
    "encryptedstring": "text",
    "id": "text",
    "int": "integer",
    "long": "integer",
    "multipicklist": "choices",
    "percent": "number",
    "phone": "text",
    "picklist": "choice",
    "reference": "reference",
    "string": "text",
    "textarea": "text",
    "time": "time",
    "url": "text",
}
_UNREADABLE: Final = {"address", "base64", "location"}
"""Types whose values are parts of other fields, or too large for a list."""
KEPT_ITSELF: Final = {
    "Id",
    "IsDeleted",
    "LastModifiedById",
    "LastModifiedDate",
    "LastReferencedDate",
    "LastViewedDate",
    "SystemModstamp",
}
"""Fields that say nothing of the record but that it was looked at, or changed."""


def described(
    record_type: str, content: Mapping[str, Any], ours: Callable[[str], str] = str
) -> TypeDescription:
    """Return the description of a record type.

    Args:
        record_type: what we call it.
        content: an object, as `read` returns it.
        ours: returns what we call a field.
    """
    return TypeDescription(
        record_type,
        tuple(_field(field, ours) for field in content["fields"]),
        label=_text(content.get("label")),
        createable=content.get("createable") is not False,
        updateable=content.get("updateable") is not False,
        deletable=content.get("deletable") is not False,
    )


def read(content: Any) -> dict[str, Any] | None:  # noqa: ANN401  JSON
    """Return the JSON that an org answers to ``describe``, if that is what it is."""
    match content:
        case {"name": str(), "fields": [*fields]} if all(map(_is_field, fields)):
            return dict(content)
        case _:
            return None


def readable(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that are worth having of every record, in the words of the org.

    Args:
        content: an object, as `read` returns it.
    """
    return tuple(
        field["name"]
        for field in content["fields"]
        if _text(field.get("type")) not in _UNREADABLE and field["name"] not in KEPT_ITSELF
    )


def unsettable(content: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that nobody may set when a record is created, in the words of the org.

    Args:
        content: an object, as `read` returns it.
    """
    fields = content["fields"]
    return frozenset(field["name"] for field in fields if field.get("createable") is False)


def _is_field(field: object) -> bool:
    return isinstance(field, dict) and _NAME.fullmatch(_text(field.get("name"))) is not None


def _field(said: Mapping[str, Any], ours: Callable[[str], str]) -> FieldDescription:
    kind: FieldKind = _KINDS.get(_text(said.get("type")), "any")
    is_createable = said.get("createable") is not False
    is_needed = said.get("nillable") is False and said.get("defaultedOnCreate") is False
    is_number = kind in {"number", "integer"}
    precision = said.get("digits") if kind == "integer" else said.get("precision")
    choices, usual = _choices(said.get("picklistValues"))
    default = said.get("defaultValue")
    return FieldDescription(
        ours(said["name"]),
        kind,
        label=_text(said.get("label")),
        help=_text(said.get("inlineHelpText")),
        required=is_createable and is_needed,
        nullable=said.get("nillable") is not False,
        default=usual if default is None else default,
        length=_count(said.get("length")) if kind in {"text", "choice"} else None,
        precision=_count(precision) if is_number else None,
        scale=(_count(said.get("scale")) or 0) if is_number else None,
        choices=choices,
        closed=said.get("restrictedPicklist") is True and bool(choices),
        createable=is_createable,
        updateable=said.get("updateable") is not False,
        refers_to=_names(said.get("referenceTo")) if kind == "reference" else (),
        relation=_text(said.get("relationshipName")) if kind == "reference" else "",
        unique=said.get("unique") is True,
        external_id=said.get("externalId") is True,
    )


def _choices(values: object) -> tuple[tuple[Choice, ...], str | None]:
    """Return the values that may be chosen, and the one that is usual."""
    listed = values if isinstance(values, list) else []
    active = [
        value
        for value in listed
        if isinstance(value, dict)
        and isinstance(value.get("value"), str)
        and value.get("active") is not False
    ]
    choices = tuple(Choice(value["value"], _text(value.get("label"))) for value in active)
    usual = next((value["value"] for value in active if value.get("defaultValue") is True), None)
    return choices, usual


def _names(said: object) -> tuple[str, ...]:
    """Return the names in a list of them."""
    listed = said if isinstance(said, list) else []
    return tuple(name for name in listed if isinstance(name, str))


def _count(number: object) -> int | None:
    """Return a number; 0 says that there is no limit."""
    return number if type(number) is int and number > 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
