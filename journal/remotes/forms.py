"""The forms of values: what a service calls our fields, and how it writes them; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pydantic_core import from_json

from journal.remotes.pointers import MISSING, at, steps_of
from journal.remotes.templates import fill_json, json_of, text_of
from journal.remotes.times import instant
from journal.values import same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.remotes.sections import FieldForm
    from journal.values import Fields

Kind: TypeAlias = Literal["exact", "number", "time", "text", "bool", "json", "lenient", "any"]
"""How a field of the service's is compared with ours."""
IdType: TypeAlias = Literal["text", "number", "salesforce"]
"""What an id of the service's is."""

_NUMBERS: Final = frozenset({int, float})
_SHORT_ID: Final = 15
_LONG_ID: Final = 18
_NEVER_EMPTY: Final = frozenset({"number", "time", "bool", "json"})
"""As these an empty text is no value."""
_NO_FRACTION: Final = re.compile(r"(T\d\d:\d\d:\d\d)\.0+(?!\d)", re.ASCII)
"""A fraction of a second that is nothing."""
_BOOLS: Final = {"true": True, "1": True, "false": False, "0": False}


def agrees(received: object, wanted: object) -> bool:
    """Say whether a remote's value is the wanted one.

    JSON knows one kind of number, so ``10`` agrees with ``10.0``; and many services leave out
    what has no value, so in an object a missing value agrees with null.
    """
    if type(received) is dict and type(wanted) is dict:
        return all(agrees(received.get(key), wanted.get(key)) for key in received | wanted)
    if type(received) is list and type(wanted) is list:
        return len(received) == len(wanted) and all(map(agrees, received, wanted))
    if type(received) in _NUMBERS and type(wanted) in _NUMBERS:
        return received == wanted
    return same(received, wanted)


def agrees_as(kind: Kind, received: object, wanted: object) -> bool:
    """Say whether a remote's value is the wanted one, in the form that the service gives it."""
    if kind == "any":
        return True
    if kind == "lenient":
        return _is_alike(_unpadded(received), _unpadded(wanted))
    if received is None or wanted is None or kind == "exact":
        return agrees(received, wanted)
    if kind == "text":
        return text_of(received).strip() == text_of(wanted).strip()
    if kind == "time":
        return _is_same_time(received, wanted) or agrees(received, wanted)
    return agrees(canonical(kind, received), canonical(kind, wanted)) or agrees(received, wanted)


def _is_alike(received: object, wanted: object) -> bool:
    """Say whether two values are alike to a service that always writes its times with zeros.

    It keeps whole seconds, so a fraction of zeros says nothing of the fraction that was sent.
    """
    is_time = _is_same_time(_unfractioned(received), _unfractioned(wanted))
    return is_time or agrees(received, wanted)


def _unfractioned(value: object) -> object:
    """Return a text without a fraction that is nothing but zeros."""
    return _NO_FRACTION.sub(r"\1", value) if isinstance(value, str) else value


def _unpadded(value: object) -> object:
    """Return a text without the spaces around it; one of spaces only has no value.

    A line ends as it may.
    """
    if not isinstance(value, str):
        return value
    return value.replace("\r\n", "\n").replace("\r", "\n").strip() or None


def is_same_id(kind: IdType, one: str, other: str) -> bool:
    """Say whether two ids of a service name one record.

    Of the 18 characters of Salesforce, the last three only say which letters are capitals.
    """
    lengths = {len(one), len(other)}
    if kind == "salesforce" and lengths == {_SHORT_ID, _LONG_ID}:
        return one[:_SHORT_ID] == other[:_SHORT_ID]
    return one == other


def canonical(kind: Kind, received: object) -> object:
    """Return a remote's value as we would write it, where its form says what it is."""
    if received == "" and kind in _NEVER_EMPTY:
        return None
    match kind:
        case "number":
            return _number(received)
        case "bool":
            spelt = text_of(received).strip().lower()
            return _BOOLS.get(spelt, received)
        case "json" if isinstance(received, str):
            try:
                return from_json(received, allow_inf_nan=False)
            except ValueError:
                return received
        case _:
            return received


def _number(received: object) -> object:
    """Return the number that a text, or a truth, stands for."""
    if isinstance(received, bool):
        return int(received)
    if not isinstance(received, str):
        return received
    try:
        number = Decimal(received.strip())
    except InvalidOperation:
        return received
    if not number.is_finite() or abs(number.adjusted()) > 400:  # noqa: PLR2004  no float is
        return received
    return int(number) if number == number.to_integral_value() else float(number)


def _is_same_time(received: object, wanted: object) -> bool:
    """Say whether two texts name one instant, as far as the less precise of them goes."""
    one, other = _time(received), _time(wanted)
    if one is None or other is None:
        return False
    finest = min(_digits(received), _digits(wanted))
    return _cut(one, finest) == _cut(other, finest)


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return instant(value.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _digits(value: object) -> int:
    """Return how many digits of the second a time has."""
    fraction = text_of(value).partition(".")[2]
    return min(6, len(fraction) - len(fraction.lstrip("0123456789")))


def _cut(time: datetime, digits: int) -> datetime:
    unit = 10 ** (6 - digits)
    return time.replace(microsecond=time.microsecond // unit * unit)


class Forms:
    """How a service names and writes the fields of one record type."""

    def __init__(
        self,
        fields: Mapping[str, FieldForm],
        kind: Kind,
        marker: object,
        id_type: IdType = "text",
    ) -> None:
        """Keep what the profile says.

        Args:
            fields: the fields that the profile names.
            kind: how all others are compared.
            marker: what the service may show where a field has no value, besides null.
            id_type: what its ids are.
        """
        self._id_type: IdType = id_type
        self._fields = fields
        self._kind: Kind = kind
        self._marker = marker
        self._ours = {form.name: name for name, form in fields.items() if form.name is not None}
        self._ours |= {form.shown_as: name for name, form in fields.items() if form.shown_as}

    def name(self, ours: str) -> str:
        """Return what the service calls a field of ours."""
        form = self._fields.get(ours)
        return ours if form is None or form.name is None else form.name

    def ours(self, name: str) -> str:
        """Return what we call a field of the service's."""
        return self._ours.get(name, name)

    def written(self, ours: str, value: object) -> Any:  # noqa: ANN401  JSON
        """Return a value of ours as the service wants it; nothing stays nothing."""
        form = self._fields.get(ours)
        if form is None or form.write is None or value is None:
            return value
        return fill_json(json_of(form.write), {"value": value, "value.text": text_of(value)})

    def unset(self, ours: str) -> str | None:
        """Return the JSON that the service wants where a field has no value, if it is its own."""
        form = self._fields.get(ours)
        return None if form is None else form.unset

    def read(self, received: Mapping[str, Any]) -> Fields:
        """Return what the service shows under our names, out of its envelopes."""
        fields: Fields = {}
        for name, value in received.items():
            ours = self._ours.get(name, name)
            form = self._fields.get(ours)
            if form is not None and form.read and value is not None:
                value = at(value, steps_of(form.read))  # noqa: PLW2901  the same, unwrapped
            if form is not None and form.unset is not None and self.agrees(ours, value, None):
                value = None  # noqa: PLW2901  so the service shows that there is none
            if value is not MISSING:
                fields[ours] = value
        return fields

    def agrees(self, ours: str, received: object, wanted: object) -> bool:
        """Say whether the service's value of a field is the wanted one."""
        if wanted is None or received is None:
            marker = self._marker_of(ours)
            if marker is not None and agrees(received if wanted is None else wanted, marker):
                return True
        return agrees_as(self.kind(ours), received, wanted)

    def is_same_id(self, one: str, other: str) -> bool:
        """Say whether two ids of the service name one record."""
        return is_same_id(self._id_type, one, other)

    def _marker_of(self, ours: str) -> object:
        """Return what the service may show where a field has no value, besides null."""
        form = self._fields.get(ours)
        if form is None or form.unset is None:
            return self._marker
        shown = at(json_of(form.unset), steps_of(form.read))
        return None if shown is MISSING else shown

    def canonical(self, ours: str, received: object) -> object:
        """Return the service's value of a field as we would write it."""
        return canonical(self.kind(ours), received)

    def kind(self, ours: str) -> Kind:
        """Return how a field is compared."""
        form = self._fields.get(ours)
        return self._kind if form is None or form.compare is None else form.compare
