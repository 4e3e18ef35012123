"""The words of a body that is no JSON: a page of HTML, markup, or plain text; pure.

What a body is, is told by what it holds. Everything here takes time in proportion to the body,
whatever it is: no pattern is tried twice on the same characters.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

MAX_READ: Final = 1_048_576
"""How many bytes of a body are looked at."""
MAX_PAGE: Final = 65_536
"""How many characters of a page are looked at."""
_TAG: Final = re.compile(r"<[^<>]*>")
_PROLOGUE: Final = re.compile(r"<\?[^<>]*>|<!--[^<>]*-->|\s+")
_PAGE: Final = re.compile(r"<(?:!doctype html|html|head|body|title|h1|meta|script)\b")
_MARKUP: Final = re.compile(r"<[!?a-zA-Z]")


def text_of(body: bytes) -> str:
    """Return the text of a body, whatever its bytes."""
    head = body[:MAX_READ]
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return head.decode("utf-16", "replace")
    return head.decode("utf-8", "replace").removeprefix("\ufeff")


def is_page(body: bytes) -> bool:
    """Say whether a body is a page of HTML, whatever its media type."""
    text = text_of(body[:MAX_PAGE]).lower()
    begin = 0
    while found := _PROLOGUE.match(text, begin):
        begin = found.end()
    return _PAGE.match(text, begin) is not None


def words_of(text: str) -> str:
    """Return the words of a text: of a page its title, of markup what stands between tags."""
    text = text[:MAX_PAGE].lstrip()
    if _MARKUP.match(text):
        for tag in ("title", "h1", "h2", "h3"):
            if said := _between(text, tag):
                return said
        for tag in ("script", "style"):
            text = _without(text, tag)
        text = unescape(_TAG.sub(" ", text))
    return " ".join(text.split())


def _between(text: str, tag: str) -> str:
    """Return the words of the first element with that tag."""
    opened = re.search(f"<{tag}", text, re.IGNORECASE)
    begin = text.find(">", opened.end()) if opened else -1
    closed = re.compile(f"</{tag}", re.IGNORECASE).search(text, begin) if begin > 0 else None
    said = text[begin + 1 : closed.start()] if closed else ""
    return " ".join(unescape(_TAG.sub(" ", said)).split())


def _without(text: str, tag: str) -> str:
    """Return the text without the elements of that tag, and what is in them."""
    first, *rest = re.split(rf"<{tag}\b", text, flags=re.IGNORECASE)
    ends = [re.split(rf"</{tag}>", part, maxsplit=1, flags=re.IGNORECASE) for part in rest]
    return first + "".join(end[1] for end in ends if len(end) > 1)
