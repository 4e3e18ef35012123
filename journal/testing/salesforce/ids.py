"""Record ids: a key prefix of three characters, twelve more, and three that spell the case.

The 15 characters tell upper case from lower; the 18 say the same to who does not. Three more
letters hold a bit for each of the fifteen: set where it is upper case.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["full_id", "minted_id", "normal_id"]

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARKS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FORM: Final = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)
_POD: Final = "Ws0"
_FIRST: Final = 29_000_000_000_000  # so that ids have letters of both cases, like those of an org
_SHORT: Final = 15
_PART: Final = 5


def minted_id(prefix: str, number: int) -> str:
    """Return the id of 18 characters of the record with that number."""
    rest, digits = _FIRST + number, ""
    for _ in range(_SHORT - len(prefix) - len(_POD)):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return full_id(prefix + _POD + digits)


def full_id(short: str) -> str:
    """Return the 18 characters of an id of 15."""
    parts = (short[start : start + _PART] for start in range(0, _SHORT, _PART))
    return short + "".join(_MARKS[_upper_bits(part)] for part in parts)


def normal_id(text: str) -> str | None:
    """Return the 18 characters of an id in either form, or None where it is none.

    The 18 characters may be of any case: the last three say what the case is.
    """
    if not _FORM.fullmatch(text):
        return None
    if len(text) == _SHORT:
        return full_id(text)
    marks, short = text[_SHORT:].upper(), ""
    for at, character in enumerate(text[:_SHORT]):
        part, bit = divmod(at, _PART)
        is_upper = _MARKS.find(marks[part]) >> bit & 1
        short += character.upper() if is_upper else character.lower()
    return short + marks if full_id(short)[_SHORT:] == marks else None


def _upper_bits(part: str) -> int:
    return sum(1 << bit for bit, character in enumerate(part) if character.isupper())
