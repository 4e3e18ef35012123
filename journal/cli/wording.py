"""How things are said to a person: harmless text, ages, counts, short ids; pure.

What is stored may hold anything: `harmless` is the only way for it onto a terminal.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from journal.cli.notation import written
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_JOINERS: Final = "\u200c\u200d"
"""Written within words of some scripts, and within emoji; a terminal does not act on them."""
_AGES: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN: Final = re.compile(r"""[^@"\[{\s]""")
"""How a text begins that looks like no reference and no JSON, but for these and numbers."""
_JSON_WORDS: Final = frozenset({"null", "true", "false"})
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
SHOWN_TAIL: Final = 8
"""How much of an id is left when it is shown short: the end, for the beginning is the time."""


def harmless(text: str) -> str:
    r"""Return the text with everything that a terminal might act on escaped, such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _JOINERS else _escaped(char) for char in text
    )


def _escaped(char: str) -> str:
    if char == "\n":
        return "\\n"
    code = ord(char)
    if code < 0x100:  # noqa: PLR2004  two digits are enough
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  the same


def cells(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(char: str) -> int:
    if unicodedata.combining(char) or char in _JOINERS or "\ufe00" <= char <= "\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning with an ellipsis where it takes more columns."""
    if cells(text) <= width:
        return text
    kept, taken = [], 0
    for char in text:
        taken += _cells_of(char)
        if taken > width - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def age(seconds: float) -> str:
    """Return how long ago something was, such as ``3 min``."""
    for size, unit in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things, such as ``1,234 drafts``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def short(ref: str) -> str:
    """Return a reference to be read: of an id that is a UUID, only the end."""
    record_type, _, record_id = ref.partition(":")
    if not _UUID.fullmatch(record_id):
        return harmless(ref)
    return f"{record_type}:…{record_id[-SHOWN_TAIL:]}"


def field(name: str, value: object) -> str:
    """Return a field in the notation in which it is typed."""
    return harmless(written(name, value))


def value(of: object) -> str:
    """Return a value: a text as it is where that cannot be mistaken, anything else as typed."""
    if type(of) is Ref:
        return harmless(f"@{of}")
    if type(of) is str and _is_plain(of):
        return harmless(of)
    return harmless(json.dumps(of, ensure_ascii=False))


def _is_plain(text: str) -> bool:
    """Say whether a text, unquoted, looks like nothing but a text."""
    looks_like_json = text in _JSON_WORDS or _NUMBER.fullmatch(text)
    return bool(_PLAIN.match(text)) and text == text.strip() and not looks_like_json


def fields(values: Mapping[str, object]) -> str:
    """Return fields in the notation in which they are typed."""
    return "  ".join(field(name, value) for name, value in values.items())


def moment(at: datetime) -> str:
    """Return a time, in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S}"
