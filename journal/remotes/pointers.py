"""Places in JSON: pointers (RFC 6901), and what is missing there; pure."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final, TypeAlias

from pydantic_core import to_json


class Missing(Enum):
    """What stands for no value at all, which is not the same as null."""

    MISSING = "missing"

    def __bool__(self) -> bool:
        """Be false, as other nothings are."""
        return False


MISSING: Final = Missing.MISSING
"""There is no value."""
Steps: TypeAlias = tuple[str, ...]

_BAD_ESCAPE: Final = re.compile(r"~(?![01])")


def steps_of(pointer: str) -> Steps:
    """Return the steps of a pointer; none for the whole value.

    Raises:
        ValueError: it is no JSON pointer.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        message = "must begin with a slash, as /data/id does"
        raise ValueError(message)
    if _BAD_ESCAPE.search(pointer):
        message = "must write ~ as ~0, and / within a name as ~1"
        raise ValueError(message)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def at(value: object, steps: Steps) -> object:
    """Return what is at the place, or `MISSING`."""
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list):
            value = _item(value, step)
        else:
            return MISSING
    return value


def _item(items: list[Any], step: str) -> object:
    """Return the item of a number, the last, or the first that is as ``member=text`` says."""
    if step == "-1":
        return items[-1] if items else MISSING
    if step.isascii() and step.isdigit():
        return items[int(step)] if len(step) < 8 and int(step) < len(items) else MISSING  # noqa: PLR2004  no list is longer
    name, _, text = step.partition("=")
    fitting = (i for i in items if isinstance(i, dict) and name in i and _is_said(i[name], text))
    return next(fitting, MISSING) if "=" in step else MISSING


def _is_said(value: object, text: str) -> bool:
    """Say whether a text says a value: a text as it is, anything else as its JSON."""
    return text == (value if isinstance(value, str) else to_json(value).decode())


def without(value: object, places: tuple[Steps, ...]) -> object:
    """Return the value without what is at the places; ``*`` in a name stands for any text."""
    if not isinstance(value, dict) or not places:
        return value
    kept = {}
    for name, item in value.items():
        below = tuple(steps[1:] for steps in places if steps and fits(steps[0], name))
        if () not in below:
            kept[name] = without(item, below)
    return kept


def fits(step: str, name: str) -> bool:
    """Say whether a name is a step of a place, in which ``*`` stands for any text, once."""
    head, star, tail = step.partition("*")
    if not star or name == step:
        return name == step
    return len(name) >= len(head + tail) and name.startswith(head) and name.endswith(tail)
