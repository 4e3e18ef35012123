"""How a query compares what a row has with what it says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.refusal import Complaint, RefusedError

if TYPE_CHECKING:
    from journal.testing.salesforce.schema import Field

__all__ = ["comparable", "folded", "holds", "in_span", "pattern"]

_TEMPORAL: Final = {"date", "datetime"}
_NUMERIC: Final = {"currency", "double", "int", "percent"}


def folded(value: Any) -> Any:  # noqa: ANN401  kept values
    """Return a value as it is compared: letters of any case are one."""
    return value.lower() if isinstance(value, str) else value


def comparable(field: Field, value: Any) -> Any:  # noqa: ANN401  kept values
    """Return a value of a query as the field would keep it.

    Raises:
        RefusedError: they cannot be compared.
    """
    kind = field.type
    if value is None:
        return None
    if kind in {"id", "reference"}:
        return (normal_id(value) or value) if isinstance(value, str) else _mistyped(field, value)
    if kind in _TEMPORAL:
        is_moment = isinstance(value, datetime)
        is_right = is_moment if kind == "datetime" else isinstance(value, date) and not is_moment
        return value if is_right else _mistyped(field, value)
    if kind == "boolean":
        return value if isinstance(value, bool) else _mistyped(field, value)
    if kind in _NUMERIC:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number else _mistyped(field, value)
    return (value or None) if isinstance(value, str) else _mistyped(field, value)


def _mistyped(field: Field, value: Any) -> Any:  # noqa: ANN401  kept values
    kind = {"datetime": "dateTime"}.get(field.type, field.type)
    quotes = "should not" if field.type in _TEMPORAL | _NUMERIC | {"boolean"} else "should"
    message = (
        f"value of filter criterion for field '{field.name}' must be of type {kind} "
        f"and {quotes} be enclosed in quotes"
    )
    raise RefusedError(400, Complaint("INVALID_FIELD", f"{message}: {value}"))


def holds(value: Any, sign: str, wanted: Any) -> bool:  # noqa: ANN401  kept values
    """Say whether a sign holds between two values."""
    if sign == "=":
        return bool(value == wanted)
    if sign == "!=":
        return bool(value != wanted)
    if value is None or wanted is None:
        return False
    found = {"<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted}
    return bool(found[sign])


def in_span(value: Any, sign: str, start: datetime, end: datetime) -> bool:  # noqa: ANN401
    """Say whether a sign holds between a time and a span of time."""
    if value is None:
        return sign == "!="
    is_day = not isinstance(value, datetime)
    at = datetime.combine(value, datetime.min.time(), UTC) if is_day else value
    within = start <= at < end
    held = {"=": within, "!=": not within, "<": at < start, "<=": at < end}
    return {**held, ">": at >= end, ">=": at >= start}.get(sign, False)


def pattern(field: Field, value: Any) -> re.Pattern[str]:  # noqa: ANN401  of a query
    """Return what a text matches that is LIKE another.

    Raises:
        RefusedError: the other is no text.
    """
    if not isinstance(value, str):
        _mistyped(field, value)
    spelled = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", value, flags=re.DOTALL)
    made = (re.escape(p[1:]) if p[0] == "\\" else spelled.get(p, re.escape(p)) for p in parts)
    return re.compile("".join(made), re.IGNORECASE | re.DOTALL)
