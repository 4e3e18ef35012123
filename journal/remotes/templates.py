"""Templates: texts and JSON with placeholders, filled in with values; pure.

- T1. What is filled in is never read as a template: a value with braces stays what it is.
- T2. What has no value is left out: the member, the item, the parameter, the header.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias
from urllib.parse import quote_plus

from pydantic_core import to_json

from journal.errors import RemoteError
from journal.remotes.pointers import MISSING, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Values: TypeAlias = "Mapping[str, object]"
"""What stands for each placeholder; one without a value is not in it."""

SPREAD: Final = "..."
"""The name of a member whose value is spread into the object, or list, around it."""

HOLE: Final = re.compile(r"\{([A-Za-z_][\w.:\-]*)\}")
"""A placeholder: a name in braces."""
_HEADER: Final = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")


class Hole(NamedTuple):
    """A placeholder."""

    name: str


Parts: TypeAlias = "tuple[str | Hole, ...]"


@lru_cache(maxsize=1024)
def parts_of(text: str) -> Parts:
    """Return the text in parts: what stands there, and the placeholders.

    A placeholder is a name in braces without a space; all other braces are text.
    """
    parts: list[str | Hole] = []
    end = 0
    for found in HOLE.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        parts.append(Hole(found[1]))
        end = found.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


def holes_in(text: str) -> frozenset[str]:
    """Return the names of the placeholders of a text."""
    return frozenset(part.name for part in parts_of(text) if isinstance(part, Hole))


def text_of(value: object) -> str:
    """Return a value as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else to_json(value).decode()


# --- texts: headers, and texts in JSON ---------------------------------------------------


def fill(text: str, values: Values) -> object:
    """Return the text with its placeholders filled in, or `MISSING` where one has no value.

    A text that is one placeholder takes the value as it is, with its type.
    """
    parts = parts_of(text)
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return values.get(parts[0].name, MISSING)
    filled = []
    for part in parts:
        value = values.get(part.name, MISSING) if isinstance(part, Hole) else part
        if value is MISSING:
            return MISSING
        filled.append(text_of(value))
    return "".join(filled)


def header(name: str, text: str, values: Values) -> str | None:
    """Return what is to go into a header; None where it has no value.

    Raises:
        RemoteError: it cannot be sent in a header.
    """
    value = fill(text, values)
    if value is MISSING:
        return None
    filled = text_of(value)
    if not _HEADER.fullmatch(filled):
        raise RemoteError(
            f"what is to go into the header {name} cannot be sent in one",
            hint="let the profile send it in the body or the query",
        )
    return filled


# --- JSON: bodies ------------------------------------------------------------------------


@lru_cache(maxsize=256)
def json_of(source: str) -> Any:  # noqa: ANN401  JSON
    """Return a template that is written as JSON text.

    Raises:
        ValueError: it is no JSON, or has a member twice.
    """
    try:
        return json.loads(source, object_pairs_hook=_members, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        message = f"is no JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        if HOLE.search(source):
            message += "; placeholders stand in quotes, and keep the type of what they stand for"
        raise ValueError(message) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "has a member twice in one object"
        raise ValueError(message)
    return members


def _refuse(_: str) -> NoReturn:
    message = "has a number that JSON does not know"
    raise ValueError(message)


def texts_in(template: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    """Yield every text of a JSON template, the names of members included."""
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict):
        for name, item in template.items():
            yield name
            yield from texts_in(item)
    elif isinstance(template, list):
        for item in template:
            yield from texts_in(item)


def fill_json(template: Any, values: Values) -> Any:  # noqa: ANN401  JSON
    """Return the JSON template with its placeholders filled in, or `MISSING` (T1, T2)."""
    match template:
        case str():
            return fill(template, values)
        case dict():
            return _filled_object(template, values)
        case list():
            return _filled_list(template, values)
        case _:
            return template


def _filled_object(template: dict[str, Any], values: Values) -> dict[str, Any] | Missing:
    """Fill in an object; what it says itself wins over what is spread into it."""
    filled: dict[str, Any] = {}
    is_left_out = False
    spread = fill_json(template.get(SPREAD, MISSING), values)
    said: dict[str, Any] = {}
    for name, item in template.items():
        if name == SPREAD:
            is_left_out |= spread is MISSING
            filled |= spread if isinstance(spread, dict) else {}
            continue
        value, called = fill_json(item, values), fill(name, values)
        if value is MISSING or called is MISSING:
            is_left_out = True
        else:
            said[text_of(called)] = filled[text_of(called)] = value
    return MISSING if is_left_out and not filled else {**filled, **said}


def _filled_list(template: list[Any], values: Values) -> list[Any]:
    filled: list[Any] = []
    for item in template:
        is_spread = isinstance(item, dict) and list(item) == [SPREAD]
        value = fill_json(item[SPREAD] if is_spread else item, values)
        if is_spread and isinstance(value, list):
            filled.extend(value)
        elif value is not MISSING:
            filled.append(value)
    return filled


def as_form(content: object) -> bytes:
    """Return an object as a form has it: ``a=1&b[c]=2&d[]=3``; null is empty."""
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}" for name, value in _pairs(content, "")
    ).encode()


def _pairs(content: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for key, item in content.items():
            yield from _pairs(item, f"{name}[{key}]" if name else key)
    elif isinstance(content, list):
        for item in content:
            yield from _pairs(item, f"{name}[]")
    else:
        yield name, "" if content is None else text_of(content)
