"""Selectors: the place in an answer where something stands; pure.

```
""                       the whole
/data/id                 a JSON pointer
/{type.one}/id           the same, with what the profile calls the type
header:ETag              a header of the answer
"{/rev}"                 a text, with pointers or headers in braces
none                     nowhere
[ … , … ]                the first of these that is there
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from journal.errors import RemoteError
from journal.remotes.pointers import MISSING, Missing, Steps, at, steps_of
from journal.remotes.templates import holes_in, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NONE: Final = "none"
"""The selector that selects nothing."""
Source: TypeAlias = "str | tuple[str, ...]"

_HEADER: Final = re.compile(r"header:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)")
_INNER: Final = re.compile(r"\{(/[^{}]*|header:[^{}]+)\}")


class Header(NamedTuple):
    """A header of the answer, by its name in lower case."""

    name: str


class Text(NamedTuple):
    """A text with places in it."""

    parts: tuple[str | Header | Steps, ...]


Selector: TypeAlias = "tuple[Header | Text | Steps, ...]"
"""The alternatives of a selector, in order; none where it selects nothing."""


def check_selector(source: object, *, is_pointer: bool = False) -> Source:
    """Return the source of a selector, if it is one.

    Args:
        source: a text, or a list of texts.
        is_pointer: whether it must lead into the content: no headers, and no texts.

    Raises:
        ValueError: it is none.
    """
    if isinstance(source, (list, tuple)) and source and all(isinstance(s, str) for s in source):
        for one in source:
            check_selector(one, is_pointer=is_pointer)
        return tuple(source)
    if not isinstance(source, str):
        message = "must be a text such as /data/id, or a list of such texts"
        raise ValueError(message)  # noqa: TRY004  pydantic reads a ValueError
    if is_pointer and source != NONE:
        steps_of(source)
    for name in _words_in(source):
        if name.partition(".")[0] != "type":
            message = f"has the unknown placeholder {{{name}}}; in a pointer only {{type}} can be"
            raise ValueError(message)
    selector(source, _AnyWord())
    return source


def selector(source: Source, words: Mapping[str, str]) -> Selector:
    """Return the selector of the source.

    Args:
        source: what the profile says.
        words: what stands for ``{type}`` in pointers.

    Raises:
        ValueError: it is no selector.
    """
    if not isinstance(source, str):
        return tuple(one for each in source for one in selector(each, words))
    if source == NONE:
        return ()
    if not source or source.startswith("/"):
        return (_pointer(source, words),)
    if source.startswith("header:"):
        return (_header(source),)
    if not _INNER.search(source):
        message = "must begin with / or header:, or hold a pointer in braces, or be none"
        raise ValueError(message)
    pieces = _INNER.split(source)
    parts: list[str | Header | Steps] = []
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            parts += [piece] if piece else []
        else:
            parts.append(_header(piece) if piece.startswith("h") else _pointer(piece, words))
    return (Text(tuple(parts)),)


def _words_in(source: str) -> frozenset[str]:
    return frozenset() if source.startswith("header:") else holes_in(_INNER.sub("", source))


def _pointer(source: str, words: Mapping[str, str]) -> Steps:
    return tuple(_worded(step, words) for step in steps_of(source))


def _worded(step: str, words: Mapping[str, str]) -> str:
    for name in holes_in(step):
        if name not in words:
            raise RemoteError(
                f"the profile does not say what stands for {{{name}}}",
                hint=f"add it: [types.TYPE] words = {{ {name.partition('.')[2]} = … }}",
            )
        step = step.replace(f"{{{name}}}", words[name])
    return step


def _header(source: str) -> Header:
    found = _HEADER.fullmatch(source)
    if found is None:
        message = "must name a header, as header:ETag does"
        raise ValueError(message)
    return Header(found[1].lower())


class _AnyWord(dict[str, str]):
    """Knows every word, for a selector is only to be checked."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> str:
        return "_"


def select(
    where: Selector,
    content: object,
    headers: Mapping[str, str],
    *,
    takes_null: bool = False,
) -> object:
    """Return what stands at the first place that is there, or `MISSING`.

    Args:
        where: the places.
        content: the JSON of the answer, or what is in it.
        headers: the headers of the answer, by their names in lower case.
        takes_null: whether null is a value too.
    """
    for one in where:
        found = _found(one, content, headers)
        if found is not MISSING and (found is not None or takes_null):
            return found
    return MISSING


def _found(
    one: Header | Text | Steps, content: object, headers: Mapping[str, str]
) -> object | Missing:
    if isinstance(one, Header):
        return headers.get(one.name, MISSING)
    if not isinstance(one, Text):
        return at(content, one)
    texts = []
    for part in one.parts:
        found = part if isinstance(part, str) else _found(part, content, headers)
        if found is MISSING or found is None:
            return MISSING
        texts.append(text_of(found))
    return "".join(texts)


def inner_steps(source: Source) -> tuple[Steps, ...]:
    """Return the pointers that a selector follows, in whatever way."""
    sources = [source] if isinstance(source, str) else source
    found: list[str] = []
    for one in sources:
        if one.startswith("/"):
            found.append(one)
        else:
            found += [inner for inner in _INNER.findall(one) if inner.startswith("/")]
    return tuple(map(steps_of, found))


def pointers_in(where: Selector) -> Iterator[Steps]:
    """Yield the pointers that a selector follows into the content."""
    for one in where:
        for part in one.parts if isinstance(one, Text) else (one,):
            if not isinstance(part, (str, Header)):
                yield part
