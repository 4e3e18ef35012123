"""Floor 4: what a service would surely refuse, by its description of a record type; pure.

- T1. A description is a hint, of the past: what it does not say is not refused for it. A field is
  found to be wrong only where the service, being as described, would refuse it for sure.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from journal.errors import shown
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.descriptions import FieldDescription, TypeDescription
    from journal.events import ChangeKind

SEPARATOR: Final = ";"
"""What stands between the values where several are written as one text."""
_SHOWN_CHOICES: Final = 8
_ALLOWED: Final[Mapping[ChangeKind, str]] = {
    "create": "createable",
    "update": "updateable",
    "delete": "deletable",
}


def misfits(
    description: TypeDescription, kind: ChangeKind, fields: Mapping[str, object]
) -> dict[str, str]:
    """Return what the service would surely refuse: a message for each field (T1).

    Args:
        description: of the record's type.
        kind: whether a record is to be created, updated or deleted.
        fields: that the change sets.

    Returns:
        The messages; one about the record as a whole stands under no name.
    """
    if not getattr(description, _ALLOWED[kind]):
        return {"": f"the service lets nobody {kind} a record of this type"}
    if kind == "delete":
        return {}
    known = {field.name: field for field in description.fields}
    relations = {field.relation for field in description.fields if field.relation}
    found: dict[str, str] = {}
    for name, value in fields.items():
        if name in known:
            problem = _of_change(known[name], kind, value)
        else:
            is_related = name in relations and isinstance(value, dict)
            problem = (
                "" if is_related or not description.complete else "the service has no such field"
            )
        if problem:
            found[name] = problem
    if kind == "create":
        given = {name for name, value in fields.items() if not _is_nothing(value)}
        for field in description.fields:
            if field.required and not given & {field.name, field.relation}:
                found[field.name] = "is required"
    return found


def _of_change(field: FieldDescription, kind: ChangeKind, value: object) -> str:
    """Return what is wrong with setting a field, or nothing."""
    if kind == "create" and value is None:
        return ""
    if kind == "create" and not field.createable:
        return "cannot be set when a record is created"
    if kind == "update" and not field.updateable:
        return "cannot be changed"
    if _is_nothing(value):
        is_refused = kind == "update" and not field.nullable and field.kind != "boolean"
        return "cannot be left without a value" if is_refused else ""
    return unfit(field, value)


def _is_nothing(value: object) -> bool:
    return value is None or (type(value) is str and not value)


def unfit(field: FieldDescription, value: object) -> str:
    """Return why a value is none for a field, or nothing; the text of a number is a number."""
    if type(value) is Ref:
        return _unfit_reference(field, value)
    match field.kind:
        case "number" | "integer":
            return _unfit_number(field, value)
        case "boolean":
            is_said = value in {"true", "false"} if isinstance(value, str) else False
            return "" if is_said or type(value) is bool else "is neither true nor false"
        case "date" | "datetime" | "time" as kind:
            is_said = isinstance(value, str) and any(_reads(read, value) for read in _READ[kind])
            return "" if is_said else f"is no {kind}, such as {_SUCH[kind]}"
        case "choices":
            values = value if type(value) is list else [value]
            return next(filter(None, (_unfit_text(field, one) for one in values)), "")
        case "text" | "choice":
            return _unfit_text(field, value)
        case "reference":
            return "" if type(value) is str else "is no reference"
        case _:
            return ""


_READ: Final[Mapping[str, tuple[Callable[[str], object], ...]]] = {
    "date": (date.fromisoformat, datetime.fromisoformat),
    "datetime": (datetime.fromisoformat,),
    "time": (time.fromisoformat,),
}
_SUCH: Final = {
    "date": "2026-04-01",
    "datetime": "2026-04-01T09:30:00Z",
    "time": "09:30:00",
}


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _unfit_reference(field: FieldDescription, ref: Ref) -> str:
    if field.kind in {"number", "integer", "boolean", "date", "datetime", "time"}:
        return f"is a reference, and the field holds a {field.kind}"
    if field.kind == "reference" and field.refers_to and ref.type not in field.refers_to:
        return f"must refer to {' or '.join(field.refers_to)}, not to {ref.type}"
    return ""


def _unfit_number(field: FieldDescription, value: object) -> str:
    if type(value) is bool or not isinstance(value, int | float | str):
        return "is no number"
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return "is no number"
    if not number.is_finite():
        return "is no number"
    if field.precision is not None and number:
        most = field.precision - (field.scale or 0)
        if number.adjusted() + 1 > most:
            return f"has too many digits: at most {most} may stand before the point"
    return ""


def _unfit_text(field: FieldDescription, value: object) -> str:
    if isinstance(value, dict | list):
        return "is no text"
    if not isinstance(value, str):
        return ""
    if field.kind == "text":
        if field.length is not None and len(value) > field.length:
            return f"has {len(value):,} characters; the service takes {field.length:,}"
        return ""
    values = value.split(SEPARATOR) if field.kind == "choices" else [value]
    known = {text.casefold() for choice in field.choices for text in choice if text}
    for one in values if field.closed and known else ():
        if one.casefold() not in known:
            offered = ", ".join(choice.value for choice in field.choices[:_SHOWN_CHOICES])
            more = ", …" if len(field.choices) > _SHOWN_CHOICES else ""
            return f"{shown(one)} is none of its values: {offered}{more}"
    return ""
