"""A form on a terminal: how a field is shown, and what an answer means; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from journal.cli import wording
from journal.fitting import unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.descriptions import FieldDescription
    from journal.values import Ref

_TRUTHS: Final[Mapping[str, bool]] = {
    "y": True,
    "yes": True,
    "true": True,
    "1": True,
    "n": False,
    "no": False,
    "false": False,
    "0": False,
}
_WHOLE: Final = re.compile(r"[+-]?\d{1,15}")
LISTED_MOST: Final = 12
"""How many choices are listed; of more, the first."""


def kind_of(field: FieldDescription) -> str:
    """Return what a field holds, in a few words."""
    if field.kind == "reference":
        return f"a record: {' or '.join(field.refers_to) or 'Type:id'}"
    if field.kind == "text" and field.length is not None:
        return f"text of at most {field.length:,}"
    if field.kind in {"number", "integer"} and field.precision is not None:
        before = field.precision - (field.scale or 0)
        after = f".{'9' * field.scale}" if field.scale else ""
        return f"{field.kind} up to {'9' * min(before, 12)}{after}"
    return _WORDS.get(field.kind, field.kind)


_WORDS: Final = {
    "any": "text, or JSON after :=",
    "boolean": "yes or no",
    "choice": "one of",
    "choices": "some of, with ; between them",
    "date": "date, such as 2026-04-01",
    "datetime": "date and time, such as 2026-04-01T09:30:00Z",
    "time": "time of day, such as 09:30",
}


def question(field: FieldDescription) -> list[str]:
    """Return the lines above the place where a field is filled in."""
    marks = [kind_of(field), "required" if field.required else "Enter for none"]
    if field.default is not None and not field.required:
        usual = wording.value(field.default)
        if field.kind == "boolean":
            usual = "yes" if field.default else "no"
        marks[1] = f"Enter for {usual}"
    title = wording.harmless(field.title)
    named = title if field.title == field.name else f"{title} ({wording.harmless(field.name)})"
    lines = [f"{named}: {', '.join(map(wording.harmless, marks))}"]
    if field.help:
        lines.append(f"  {wording.harmless(field.help)}")
    for number, choice in enumerate(field.choices[:LISTED_MOST], 1):
        label = f"  {choice.label}" if choice.label not in {"", choice.value} else ""
        lines.append(f"  {number:>2}  {wording.harmless(choice.value + label)}")
    if (more := len(field.choices) - LISTED_MOST) > 0:
        lines.append(f"      and {more:,} more")
    return lines


def value_of(field: FieldDescription, text: str, refer: Callable[[str], Ref]) -> Any:  # noqa: ANN401  JSON
    """Return the value that a text means for a field.

    Args:
        field: that is filled in.
        text: as it was typed; not empty.
        refer: returns the record that a text names.

    Raises:
        ValueError: it means none; the message says why.
        RefusedError: it names no record.
    """
    value = _value(field, text, refer)
    if problem := unfit(field, value):
        raise ValueError(problem)
    return value


def _value(field: FieldDescription, text: str, refer: Callable[[str], Ref]) -> Any:  # noqa: ANN401  JSON
    match field.kind:
        case "reference":
            return refer(_written(field, text))
        case "boolean":
            return _TRUTHS.get(text.strip().lower(), text)
        case "integer" | "number" if _WHOLE.fullmatch(text.strip()):
            return int(text)
        case "integer":
            raise ValueError("is no whole number")
        case "number" if unfit(field, text) == "":
            return float(text)
        case "choice":
            return _chosen(field, text)
        case "choices":
            return ";".join(_chosen(field, one.strip()) for one in text.split(";"))
        case _:
            return text


def _written(field: FieldDescription, text: str) -> str:
    """Return how a record was named: where it can be of one type only, its id is enough."""
    text = text.strip().removeprefix("@")
    is_id = ":" not in text and len(field.refers_to) == 1
    return f"{field.refers_to[0]}:{text}" if is_id else text


def _chosen(field: FieldDescription, text: str) -> str:
    """Return the choice that was meant: by its value, its label, or its number in the list."""
    for choice in field.choices:
        if text in choice:
            return choice.value
    for choice in field.choices:
        if text.casefold() in {choice.value.casefold(), choice.label.casefold()}:
            return choice.value
    if text.isdecimal() and 0 < int(text) <= min(len(field.choices), LISTED_MOST):
        return field.choices[int(text) - 1].value
    return text
