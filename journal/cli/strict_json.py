"""JSON without the liberties that readers take: what is ambiguous is refused; pure.

It knows nothing of what the values mean.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NoReturn

_MOST_DIGITS: Final = 400
"""More than any number that JSON's readers keep; beyond some thousand, Python reads none."""

_MARKS_OF_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""With which Windows begins a text that it calls Unicode; that of UTF-32 begins alike."""


def parse(text: str | bytes) -> Any:  # noqa: ANN401  any JSON value
    """Return the value of a JSON text; of bytes, a byte order mark of UTF-8 is passed over.

    Raises:
        ValueError: no UTF-8, no JSON, a key that stands twice in an object, a number that JSON
            does not have, or nested too deep; the text is one phrase for a person.
    """
    try:
        return json.loads(
            text.decode("utf-8-sig") if isinstance(text, bytes) else text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise ValueError(
            encoding_problem(text) or f"it is not UTF-8 at byte {error.start + 1}"
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(
            encoding_problem(text)
            or f"it is not JSON: {_phrase(error.msg)} at character {error.pos + 1}"
        ) from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def encoding_problem(text: str | bytes) -> str:
    """Return in plain words how a text is encoded, where that is why it cannot be read."""
    if isinstance(text, str):
        is_marked = text.startswith("\ufeff")
        return "it begins with an invisible byte order mark: take that away" if is_marked else ""
    if text.startswith(_MARKS_OF_UTF_16) or b"\0" in text:
        return "it is UTF-16, or has zero bytes in it: save it as UTF-8"
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {json.dumps(twice)} stands twice in an object")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has more than {_MOST_DIGITS} digits")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _phrase(message: str) -> str:
    """Return the parser's message as the part of a sentence."""
    return message[:1].lower() + message[1:]
