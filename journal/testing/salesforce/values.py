"""Values of fields: as they are sent, as they are kept, as they are shown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.refusal import Complaint, Content, RefusedError

if TYPE_CHECKING:
    from journal.testing.salesforce.schema import Field

__all__ = ["displayed", "kept", "moment", "shown", "shown_moment", "shown_ui"]

_TEXTS: Final = {
    "combobox",
    "email",
    "multipicklist",
    "phone",
    "picklist",
    "string",
    "textarea",
    "url",
}
_NUMBERS: Final = {"currency", "double", "int", "percent"}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_JSON_KINDS: Final = {
    bool: "VALUE_TRUE",
    dict: "START_OBJECT",
    float: "VALUE_NUMBER_FLOAT",
    int: "VALUE_NUMBER_INT",
    list: "START_ARRAY",
    str: "VALUE_STRING",
}


def kept(field: Field, value: Content) -> Content:
    """Return a value that was sent as it is kept.

    Text is trimmed, an empty one is nothing, a moment has no fractions of a second, and a number
    as many digits behind its point as the field has.

    Raises:
        RefusedError: the field does not take it.
    """
    if value is None:
        return False if field.type == "boolean" else None
    if field.type in _TEXTS:
        return _text(field, value)
    if field.type in _NUMBERS:
        return _number(field, value)
    match field.type:
        case "boolean":
            return _boolean(value)
        case "date":
            return _date(value)
        case "datetime":
            return _moment(value)
        case _:
            return _id(field, value)


def _text(field: Field, value: Content) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _unreadable("string", value)
    text = str(value) if field.type == "textarea" else str(value).strip()
    if not text:
        return None
    if len(text) > field.length_most:
        shortened = text if len(text) < 100 else text[:100] + "..."  # noqa: PLR2004  as much as is shown
        message = f"{field.shown_label}: data value too large: {shortened}"
        raise _refused("STRING_TOO_LONG", f"{message} (max length={field.length_most})", field)
    if field.type == "email" and not _EMAIL.fullmatch(text):
        message = f"{field.shown_label}: invalid email address: {text}"
        raise _refused("INVALID_EMAIL_ADDRESS", message, field)
    chosen = text.split(";") if field.type == "multipicklist" else [text]
    if field.values and field.is_restricted and not set(chosen) <= set(field.values):
        message = f"{field.shown_label}: bad value for restricted picklist field: {text}"
        raise _refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field)
    return text


def _number(field: Field, value: Content) -> float | int:
    kind = "int" if field.type == "int" else "double"
    try:
        number = float(value) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool) or not isfinite(number):
        raise _unreadable(kind, value)
    if kind == "int" and not number.is_integer():
        raise _unreadable(kind, value)
    whole = field.precision - (0 if kind == "int" else field.scale)
    if abs(number) >= 10**whole:
        message = f"{field.shown_label}: value outside of valid range on numeric field: {value}"
        raise _refused("NUMBER_OUTSIDE_VALID_RANGE", message, field)
    return int(number) if kind == "int" else round(number, field.scale)


def _boolean(value: Content) -> bool:
    spelled = {"true": True, "false": False}
    if isinstance(value, str) and value.lower() in spelled:
        return spelled[value.lower()]
    if not isinstance(value, bool):
        raise _unreadable("boolean", value)
    return value


def _date(value: Content) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _unreadable("date", value) from None


def moment(text: str) -> datetime | None:
    """Return the moment that a text says, in whole seconds, or None where it says none."""
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _moment(value: Content) -> datetime:
    at = moment(value) if isinstance(value, str) else None
    if at is None:
        raise _unreadable("datetime", value)
    return at


def _id(field: Field, value: Content) -> str | None:
    if not isinstance(value, str):
        raise _unreadable("reference", value)
    if not value:
        return None
    found = normal_id(value)
    if found is None:
        message = f"{field.shown_label}: id value of incorrect type: {value}"
        raise _refused("MALFORMED_ID", message, field)
    return found


def _refused(code: str, message: str, field: Field) -> RefusedError:
    return RefusedError(400, Complaint(code, message, (field.name,)))


def _unreadable(kind: str, value: Content) -> RefusedError:
    token = _JSON_KINDS.get(type(value), "VALUE_NULL")
    said = f" value {value}" if isinstance(value, str | int | float) else ""
    message = (
        f"Cannot deserialize instance of {kind} from {token}{said} "
        "or request may be missing a required field at [line:1, column:2]"
    )
    return RefusedError(400, Complaint("JSON_PARSER_ERROR", message))


def shown_moment(at: datetime, zone: str = "+0000") -> str:
    """Return a moment as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000") + zone


def shown(field: Field, value: Content) -> Content:
    """Return a kept value as rows and queries show it."""
    if isinstance(value, datetime):
        return shown_moment(value)
    if isinstance(value, date):
        return value.isoformat()
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_number and field.type != "int" else value


def shown_ui(field: Field, value: Content) -> Content:
    """Return a kept value as the UI API shows it."""
    return shown_moment(value, "Z") if isinstance(value, datetime) else shown(field, value)


def displayed(field: Field, value: Content) -> str | None:
    """Return what the UI API would print of a value, or None where the value says it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y, %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if field.type in {"picklist", "multipicklist"}:
        return str(value)
    if field.type == "percent":
        return f"{value:,.{field.scale}f}%"
    return f"{value:,.{field.scale}f}" if field.type in _NUMBERS - {"int"} else None
