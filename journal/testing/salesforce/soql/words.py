"""The words of a query: names, values, signs, each with where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, TypeAlias

from journal.testing.salesforce.refusal import Complaint, RefusedError

__all__ = ["Word", "day_of", "malformed", "text_of", "time_named", "words_of"]

Kind: TypeAlias = Literal["moment", "day", "number", "text", "name", "sign", "end"]
_WORD: Final = re.compile(
    r"""\s*(?:
      (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<day>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | '(?P<text>(?:[^'\\]|\\.)*)'
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Word:
    """A word: of what kind, what it says, and at which character it begins."""

    kind: Kind
    text: str
    at: int

    def says(self, *words: str) -> bool:
        """Say whether it is one of these, in letters of any case; a text never is."""
        return self.kind in {"name", "sign"} and self.text.upper() in words


def words_of(query: str) -> list[Word]:
    """Return the words of a query, and an end.

    Raises:
        RefusedError: it has something that is no word.
    """
    words: list[Word] = []
    at, end = 0, len(query.rstrip())
    while at < end:
        found = _WORD.match(query, at)
        if found is None:
            rest = query[at:].strip()
            raise malformed(
                query, at, f"line 1:{at} no viable alternative at character '{rest[0]}'"
            )
        [(kind, text)] = [(k, t) for k, t in found.groupdict().items() if t is not None]
        words.append(Word(_kind(kind), text, found.start(kind)))
        at = found.end()
    return [*words, Word("end", "<EOF>", end)]


def _kind(name: str) -> Kind:
    kinds: dict[str, Kind] = {
        "moment": "moment",
        "day": "day",
        "number": "number",
        "text": "text",
        "name": "name",
        "sign": "sign",
    }
    return kinds[name]


def text_of(escaped: str, *, for_like: bool = False) -> str:
    """Return what a quoted text says; for LIKE, an escaped % or _ keeps its backslash."""

    def _said(match: re.Match[str]) -> str:
        character = match[1]
        if for_like and character in "%_\\":
            return f"\\{character}"
        return _ESCAPES.get(character.lower(), character)

    return re.sub(r"\\(.)", _said, escaped, flags=re.DOTALL)


def malformed(query: str, at: int, why: str) -> RefusedError:
    """Return the refusal of a query that cannot be read."""
    shown = query[max(0, at - 20) : at + 20]
    message = f"\n{shown}\n{' ' * min(at, 20)}^\nERROR at Row:1:Column:{at + 1}\n{why}"
    return RefusedError(400, Complaint("MALFORMED_QUERY", message))


def time_named(name: str, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the beginning and the end of a time like `TODAY` or `LAST_N_DAYS:3`, or None."""
    try:
        return _time_named(name, now)
    except OverflowError:
        return None  # further away than there are days


def _time_named(name: str, now: datetime) -> tuple[datetime, datetime] | None:
    word, _, number = name.upper().partition(":")
    today = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    count = int(number) if number else 0
    match word, bool(number):
        case "TODAY", False:
            return today, today + _DAY
        case "YESTERDAY", False:
            return today - _DAY, today
        case "TOMORROW", False:
            return today + _DAY, today + 2 * _DAY
        case "LAST_N_DAYS", True:
            return today - count * _DAY, today + _DAY
        case "NEXT_N_DAYS", True:
            return today + _DAY, today + (count + 1) * _DAY
        case "THIS_MONTH", False:
            first = today.replace(day=1)
            return first, (first + 32 * _DAY).replace(day=1)
        case "LAST_MONTH", False:
            first = today.replace(day=1)
            return (first - _DAY).replace(day=1), first
        case "THIS_YEAR", False:
            first = today.replace(month=1, day=1)
            return first, first.replace(year=first.year + 1)
        case _:
            return None


def day_of(text: str) -> date | None:
    """Return the day that a text says, or None where there is no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
