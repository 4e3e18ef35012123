"""The notation of fields on a command line, and its inverse; pure.

- N1. ``Field=text`` is a text, ``Field:=json`` any JSON value, ``Field=@Type:id`` a reference.
- N2. The first ``=`` ends the name; a text that begins with ``@`` is written as JSON.
- N3. `parse` of what `written` returns is the field that was written.

It knows nothing of shells, nor of what a record may hold beyond the names of its fields.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from journal.cli import strict_json
from journal.errors import InvalidNameError, InvalidValueError
from journal.values import Fields, Ref, check_field

if TYPE_CHECKING:
    from collections.abc import Iterable


def parse(argument: str) -> tuple[str, Any]:
    """Return the name and the value of one field (N1, N2).

    Raises:
        InvalidNameError: the name, or the reference, is not allowed.
        InvalidValueError: the argument is none of the three notations.
    """
    name, equals, text = argument.partition("=")
    if not equals:
        raise InvalidValueError(
            f"/{name}",
            "there is no = in it",
            hint="write a field as Field=text, Field:=json or Field=@Type:id",
        )
    if name.endswith(":"):
        name = name[:-1]
        check_field(name)
        return name, _json(name, text)
    check_field(name)
    return name, _reference(name, text[1:]) if text.startswith("@") else text


def parse_all(arguments: Iterable[str]) -> Fields:
    """Return the fields of several arguments.

    Raises:
        InvalidNameError: a name, or a reference, is not allowed.
        InvalidValueError: an argument is none of the three notations, or sets a field again.
    """
    fields: Fields = {}
    for argument in arguments:
        name, value = parse(argument)
        if name in fields:
            raise InvalidValueError(f"/{name}", "the field is given twice", hint="give it once")
        fields[name] = value
    return fields


def written(name: str, value: object) -> str:
    """Return the field in the notation in which it is typed (N3)."""
    if type(value) is Ref:
        return f"{name}=@{value}"
    if type(value) is str and not value.startswith("@"):
        return f"{name}={value}"
    return f"{name}:={json.dumps(value, ensure_ascii=False)}"


def _json(name: str, text: str) -> Any:  # noqa: ANN401  any JSON value
    try:
        return strict_json.parse(text)
    except ValueError as error:
        raise InvalidValueError(
            f"/{name}",
            str(error),
            hint=f"after := comes JSON, such as 3, true, null or [1, 2]; for a text write {name}=…",
        ) from error


def _reference(name: str, text: str) -> Ref:
    try:
        return Ref(text)
    except InvalidNameError as error:
        raise InvalidValueError(
            f"/{name}",
            f"@ begins a reference, and {error.problem}",
            hint=f"""write {name}=@Type:id, or {name}:='"@…"' for a text that begins with @""",
        ) from error
