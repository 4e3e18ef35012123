"""Floor 1: what a record may hold: names, JSON values and references; pure.

It knows nothing of events or of where records are kept.

- V1. What `freeze` returns is equal to what it was given, value for value and type for type,
  and shares nothing with it that can change.
- V2. What `freeze` returns survives a round trip through JSON unchanged, given the places
  of its references.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from journal.errors import InvalidNameError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

Fields: TypeAlias = dict[str, Any]
"""The fields of a record: JSON values, with a `Ref` wherever a record is referred to."""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 7493 section 2.2)."""
MAX_DEPTH: Final = 32
"""How deep lists and objects may be nested within a field."""
MAX_NAME: Final = 128
"""How many characters the name of a field may have."""
MAX_BYTES: Final = 1_048_576
"""How much text and structure the fields of one change may hold, as UTF-8 bytes."""

_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,79}")
_FIELD = re.compile(r"[\w@$#][\w \-.:@$#/()?%&+,!]{0,127}")


class Ref(str):
    """Refers to a record: its type and its id, as the text ``Type:id``.

    A reference is its own text, so it is the name of the record's stream and it is what is
    stored; being a type of its own, it is never mistaken for a text that looks like one.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text ``Type:id``.

        Raises:
            InvalidNameError: the type or the id is not allowed.
        """
        if ":" not in _written(text):
            raise InvalidNameError("reference", _written(text), hint="write it as Type:id")
        record_type, _, record_id = text.partition(":")
        check_type(record_type)
        check_record_id(record_id)
        return str.__new__(cls, text)

    @classmethod
    def of(cls, record_type: str, record_id: str) -> Ref:
        """Return the reference to the record of that type with that id.

        Raises:
            InvalidNameError: the type or the id is not allowed.
        """
        check_type(record_type)
        check_record_id(record_id)
        return str.__new__(cls, ":".join((record_type, record_id)))  # noqa: FLY002  whatever str() says

    @classmethod
    def trusted(cls, text: str) -> Ref:
        """Return the reference with that text, which was checked when it was stored."""
        return str.__new__(cls, text)

    @property
    def type(self) -> str:
        """The type of the record."""
        return self.partition(":")[0]

    @property
    def id(self) -> str:
        """The id of the record: ours, for ever, whatever the remote calls it."""
        return self.partition(":")[2]

    def __repr__(self) -> str:
        """Show the reference as it is written in code."""
        return f"Ref({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:  # noqa: ANN401
        """Let a field of a pydantic model be a reference to a record of any type."""
        from pydantic_core import core_schema  # noqa: PLC0415  slow, and for models only

        return core_schema.no_info_plain_validator_function(check_reference)

    def __getnewargs__(self) -> tuple[str]:
        """Copy and pickle by the text."""
        return (str(self),)


def check_reference(value: object) -> Ref:
    """Return what a field of a pydantic model was given as a reference: a text is none.

    Raises:
        PydanticCustomError: it is no `Ref`.
    """
    if type(value) is Ref:
        return value
    from pydantic_core import PydanticCustomError  # noqa: PLC0415  the same

    kind, message = "reference", "must be a reference to a record"
    raise PydanticCustomError(kind, message)


def check_type(name: object) -> None:
    """Refuse what is not the name of a record type.

    Raises:
        InvalidNameError: not a letter or ``_`` followed by letters, digits and ``_ . -``.
    """
    if not (isinstance(name, str) and _TYPE.fullmatch(name)):
        raise InvalidNameError(
            "record type",
            _written(name),
            hint="begin with a letter or _, and use at most 80 letters, digits, and _ . -",
        )


def check_record_id(record_id: object) -> None:
    """Refuse what cannot be the id of a record in a log, a URL and a terminal.

    Raises:
        InvalidNameError: empty, too long, not printable, ``.`` or ``..``.
    """
    if not (
        isinstance(record_id, str)
        and 0 < len(record_id) <= 255  # noqa: PLR2004  said in the hint
        and record_id.isprintable()
        and record_id.strip() == record_id
        and record_id not in {".", ".."}
    ):
        raise InvalidNameError(
            "record id",
            _written(record_id),
            hint="use text of 1 to 255 printable characters without white space at the ends",
        )


def check_field(name: object) -> None:
    """Refuse what cannot be the name of a field.

    Raises:
        InvalidNameError: not text, or with a character that SQL, JSON or a shell acts on.
    """
    if not (type(name) is str and len(name) <= MAX_NAME and _is_field(name)):
        raise InvalidNameError(
            "field name",
            _written(name),
            hint="use at most 128 letters, digits, spaces and _-.:@$#/()?%&+,! "
            "and let the profile map it to the name that the service uses",
        )


@lru_cache(maxsize=1024)
def _is_field(name: str) -> bool:
    """Say whether it may name a field; remembered, for most changes bring the same few names."""
    return _FIELD.fullmatch(name) is not None and "--" not in name and "/*" not in name


def freeze(fields: Mapping[str, object], *, record: str | None = None) -> Fields:
    """Copy the fields, refusing what could not be stored exactly (V1, V2).

    Args:
        fields: names to JSON values: None, bool, int, float, str, list, dict, or a `Ref`.
        record: the record to name in an error.

    Raises:
        InvalidNameError: a field name is not allowed.
        InvalidValueError: a value is not JSON, or not to be kept exactly, or too large.
    """
    check_is_mapping(fields, record)
    frozen: Fields = {}
    budget = _Budget(record)
    for name, value in fields.items():
        check_field(name)
        if type(value) is str and value.isascii():
            budget.spend(name, len(name) + len(value) + 4)
            frozen[name] = value
            continue
        budget.spend(name, len(name))
        frozen[name] = _frozen(value, budget, (name,))
    return frozen


def check_is_mapping(fields: object, record: str | None = None) -> None:
    """Refuse fields that are no mapping at all.

    Raises:
        InvalidValueError: names and values cannot be told apart.
    """
    if not isinstance(fields, Mapping):
        raise InvalidValueError(
            "/",
            f"the fields are a value of type {type(fields).__name__}",
            hint="give a mapping of field names to values, such as a dict",
            record=record,
        )


def copied(value: Any) -> Any:  # noqa: ANN401  JSON
    """Return a list or an object that shares nothing with this one that can change (V1)."""
    if type(value) is dict:
        if _CONTAINERS.isdisjoint(map(type, value.values())):
            return value.copy()
        return {
            key: copied(item) if type(item) in _CONTAINERS else item for key, item in value.items()
        }
    return [copied(item) if type(item) in _CONTAINERS else item for item in value]


def _written(name: object) -> str:
    """Return a name for an error, whatever was given as one."""
    return name if isinstance(name, str) else f"<{type(name).__name__}>"


class _Budget:
    """Counts what the fields of a change may still hold."""

    __slots__ = ("left", "record")

    def __init__(self, record: str | None) -> None:
        self.left = MAX_BYTES
        self.record = record

    def spend(self, name: str, size: int) -> None:
        self.left -= size + 4
        if self.left < 0:
            raise InvalidValueError(
                ascii_pointer((name,)),
                f"the change holds more than {MAX_BYTES} bytes",
                hint="keep large content elsewhere and its address in the record",
                record=self.record,
            )


def _frozen(value: object, budget: _Budget, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401
    """Copy one value; `path` leads to it from the record."""
    kind = type(value)
    if kind is str or kind is Ref:
        budget.spend(str(path[0]), _utf8_size(value, budget, path))
        return value
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]
            raise _unfit(
                budget, path, "the integer is too large for JSON", "store it as text instead"
            )
    elif kind is float:
        if not isfinite(value):  # type: ignore[arg-type]
            raise _unfit(
                budget, path, f"{value} is not a JSON number", "store None, or text, instead"
            )
    elif kind is dict or kind is list:
        return _frozen_container(value, budget, path)
    elif kind is not bool and value is not None:
        raise _unfit(
            budget,
            path,
            f"a value of type {kind.__name__} cannot be stored exactly",
            "use None, bool, int, float, str, list, dict or Ref, such as str(value) "
            "or value.isoformat()",
        )
    budget.spend(str(path[0]), 4)
    return value


def _frozen_container(value: Any, budget: _Budget, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401
    """Copy a list or an object, bounded in depth, which ends a circle too."""
    if len(path) > MAX_DEPTH:
        raise _unfit(
            budget,
            path[:3],
            f"lists and objects are nested deeper than {MAX_DEPTH}, or contain themselves",
            "flatten the value",
        )
    budget.spend(str(path[0]), 2)
    if type(value) is list:
        return [_frozen(item, budget, (*path, at)) for at, item in enumerate(value)]
    copy = {}
    for key, item in value.items():
        if type(key) is not str:
            raise _unfit(
                budget,
                path,
                f"an object's key is a {type(key).__name__}",
                "use text for the keys of objects",
            )
        budget.spend(str(path[0]), _utf8_size(key, budget, (*path, key)))
        copy[key] = _frozen(item, budget, (*path, key))
    return copy


def _utf8_size(text: Any, budget: _Budget, path: tuple[str | int, ...]) -> int:  # noqa: ANN401
    """Return the size of the text as UTF-8, which lone surrogates do not have."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise _unfit(
            budget,
            path,
            "the text holds a lone surrogate, half a character, which UTF-8 cannot carry",
            "decode the text with the encoding in which it was written",
        ) from None


def _unfit(
    budget: _Budget, path: tuple[str | int, ...], problem: str, hint: str
) -> InvalidValueError:
    return InvalidValueError(ascii_pointer(path), problem, hint=hint, record=budget.record)


def ascii_pointer(path: tuple[str | int, ...]) -> str:
    """Return the JSON pointer of the path with every character printable."""
    return pointer(path).encode("ascii", "backslashreplace").decode()


def pointer(path: tuple[str | int, ...]) -> str:
    """Return the path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def references(
    value: Any,  # noqa: ANN401  JSON
    path: tuple[str | int, ...] = (),
) -> Iterator[tuple[str, Ref]]:
    """Yield the place, as a JSON pointer, and the target of every reference in the value."""
    if type(value) is dict and _MAY_REFER.isdisjoint(map(type, value.values())):
        return iter(())
    return _references(value, path)


def places_of(name: str, part: Fields | None) -> tuple[str, ...]:
    """Return where references stand in a part of an event, as JSON pointers into the event."""
    return () if part is None else tuple([place for place, _ in references(part, (name,))])


def _references(
    value: Any,  # noqa: ANN401  JSON
    path: tuple[str | int, ...],
) -> Iterator[tuple[str, Ref]]:
    kind = type(value)
    if kind is Ref:
        yield pointer(path), value
    elif kind is dict:
        for key, item in value.items():
            if type(item) in _MAY_REFER:
                yield from _references(item, (*path, key))
    elif kind is list:
        for at, item in enumerate(value):
            if type(item) in _MAY_REFER:
                yield from _references(item, (*path, at))


_CONTAINERS = frozenset({dict, list})
_MAY_REFER = _CONTAINERS | {Ref}


def restore(value: Any, places: tuple[str, ...]) -> None:  # noqa: ANN401  JSON
    """Turn the text at each place back into a reference, within `value` itself (V2).

    Raises:
        LookupError, TypeError, ValueError: there is no text at a place.
    """
    for place in places:
        *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in place[1:].split("/")]
        holder = value
        for step in steps:
            holder = holder[int(step) if type(holder) is list else step]
        key = int(last) if type(holder) is list else last
        if type(holder[key]) is not str:
            message = f"there is no text at {place} to be a reference"
            raise TypeError(message)
        holder[key] = Ref.trusted(holder[key])


def same(one: Any, other: Any) -> bool:  # noqa: ANN401  JSON
    """Say whether two values are the same JSON, unlike Python's ``True == 1 == 1.0``."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is dict:
        return one.keys() == other.keys() and all(
            same(item, other[key]) for key, item in one.items()
        )
    if kind is list:
        return len(one) == len(other) and all(map(same, one, other))
    if kind is float:
        return repr(one) == repr(other)
    return bool(one == other)
