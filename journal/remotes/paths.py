"""Paths: templates of the address of a request, filled in and quoted; pure.

- T3. A value in a path or a query stays within its place, whatever characters it has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from journal.errors import RemoteError
from journal.remotes.pointers import MISSING
from journal.remotes.templates import HOLE, Hole, holes_in, parts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.templates import Values

_ESCAPED: Final = re.compile(r"(%[0-9A-Fa-f]{2})")
_IN_PATH: Final = "!$&'()*+,;=:@-._~"
_IN_QUERY: Final = "!$'()*+,;=:@/?-._~"


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
    if {"{", "}"} & set(HOLE.sub("", head)):
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
