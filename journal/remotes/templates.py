"""Templates: texts, JSON and paths with placeholders, filled in with values; pure.

- T1. What is filled in is never read as a template: a value with braces stays what it is.
- T2. What has no value is left out: the member, the item, the parameter, the header.
- T3. A value in a path or a query stays within its place, whatever characters it has.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias
from urllib.parse import quote, quote_plus, unquote

from pydantic_core import to_json

from journal.errors import RemoteError
from journal.remotes.pointers import MISSING, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Values: TypeAlias = "Mapping[str, object]"
"""What stands for each placeholder; one without a value is not in it."""

SPREAD: Final = "..."
"""The name of a member whose value is spread into the object, or list, around it."""

_HOLE: Final = re.compile(r"\{([A-Za-z_][\w.:\-]*)\}")
_ESCAPED: Final = re.compile(r"(%[0-9A-Fa-f]{2})")
_HEADER: Final = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_IN_PATH: Final = "!$&'()*+,;=:@-._~"
_IN_QUERY: Final = "!$'()*+,;=:@/?-._~"


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
    for found in _HOLE.finditer(text):
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
        if _HOLE.search(source):
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


# --- paths -------------------------------------------------------------------------------


def check_path(path: str) -> None:
    """Refuse what is no path below a URL.

    Raises:
        ValueError: it is none.
    """
    head = path.partition("?")[0]
    if not path.startswith("/") or path.startswith("//"):
        message = "must begin with one slash"
        raise ValueError(message)
    if not path.isprintable() or {"\\", "#"} & set(path):
        message = "must be printable, without backslashes and #"
        raise ValueError(message)
    if {".", ".."} & set(map(unquote, head.split("/"))):
        message = "must not contain . or .. as a segment"
        raise ValueError(message)
    if {"{", "}"} & set(_HOLE.sub("", head)):
        message = "has a brace that is no placeholder; a placeholder is a name in braces, as {id}"
        raise ValueError(message)


def fill_path(path: str, values: Values) -> str:
    """Return the path with its placeholders filled in, each quoted within its place (T3).

    A parameter of the query without a value is left out; a list repeats it.

    Raises:
        RemoteError: a segment has no value, or one that no quoting makes harmless.
    """
    head, mark, query = path.partition("?")
    segments = [_segment(segment, values) for segment in head.split("/")]
    pairs = [pair for text in query.split("&") if mark for pair in _parameters(text, values)]
    return "/".join(segments) + ("?" + "&".join(pairs) if pairs else "")


def _segment(segment: str, values: Values) -> str:
    filled = _quoted(segment, values, _IN_PATH)
    if filled is None:
        missing = next(name for name in sorted(holes_in(segment)) if name not in values)
        raise RemoteError(
            f"the path needs {{{missing}}}, which is not known",
            hint="acknowledge or observe the record first, or let the profile look it up",
        )
    if holes_in(segment) and unquote(filled) in {"", ".", ".."}:
        raise RemoteError(
            f"{unquote(filled)!r} cannot stand in a path: it would lead to another record",
            hint="give the record or the type another name at the remote",
        )
    return filled


def _parameters(text: str, values: Values) -> Iterator[str]:
    """Yield the parameters that one parameter of the template makes."""
    name, mark, item = text.partition("=")
    parts = parts_of(item)
    if len(parts) == 1 and isinstance(parts[0], Hole):
        value = values.get(parts[0].name, MISSING)
        several = value if isinstance(value, list) else [value]
        filled = [None if one is MISSING else quote(text_of(one), safe="") for one in several]
    else:
        filled = [_quoted(item, values, _IN_QUERY)]
    called = _quoted(name, values, _IN_QUERY)
    for one in filled:
        if one is not None and called is not None:
            yield f"{called}{mark}{one}"


def _quoted(text: str, values: Values, safe: str) -> str | None:
    """Return the text filled in and quoted, or None where a placeholder has no value.

    Raises:
        RemoteError: a value would end the quotes in which it stands.
    """
    filled = []
    within = ""
    for part in parts_of(text):
        if isinstance(part, str):
            pieces = _ESCAPED.split(part)
            filled += [p if _ESCAPED.fullmatch(p) else quote(p, safe=safe) for p in pieces]
            within = _open_quote(within, unquote(part))
            continue
        value = values.get(part.name, MISSING)
        if value is MISSING:
            return None
        spelt = text_of(value)
        if within and {"'", '"', "\\"} & set(spelt):
            raise RemoteError(
                f"the {part.name} {spelt!r} has a quote or a backslash, and stands in quotes",
                hint="use ids without them, or let the profile send it elsewhere",
            )
        filled.append(quote(spelt, safe=""))
    return "".join(filled)


def _open_quote(within: str, text: str) -> str:
    """Return the quote that is open after the text, if any."""
    for character in text:
        if within:
            within = "" if character == within else within
        elif character in {"'", '"'}:
            within = character
    return within
