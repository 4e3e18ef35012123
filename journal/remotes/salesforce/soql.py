"""Queries to an org, in SOQL: one of a person, read and completed; and our own; pure.

- Q1. Whatever a query lists are whole records of one object, in their own fields: nothing that
  is counted, computed, or of another record would be taken for a field of them.
- Q2. What a text holds stays within its quotes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z_][\w.]*)
    | (?P<other>[0-9][\w.:+-]*|[^\s'])
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_FIELD: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_LITERAL: Final = re.compile(r"[\\']")
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_WHOLE: Final = {"ALL", "STANDARD", "CUSTOM"}
_AFTER: Final = {"WHERE", "WITH", "ORDER", "LIMIT", "OFFSET", "USING", "GROUP", "HAVING", "FOR"}
_AFTER_ALL: Final = {*_AFTER, "ALL", "UPDATE"}
_TAIL: Final = {"ORDER", "GROUP", "HAVING", "LIMIT", "OFFSET", "FOR", "ALL", "WITH", "WHERE"}
_OWN: Final = "name the fields of the record itself: SELECT Name, Phone FROM Account WHERE …"
_YEARS: Final = (1700, 4000)
"""The first and the last one of which an org takes a time."""


class _Word(NamedTuple):
    """A word of a query, and where it stands."""

    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        return self.text.upper()


class Query(NamedTuple):
    """A query of a person, read."""

    text: str
    object: str
    names: tuple[str, ...]
    """The fields that it names, as it writes them."""
    groups: frozenset[str]
    """The groups of fields that it asks for: ``ALL``, ``STANDARD`` or ``CUSTOM``."""
    end: int
    """Where the list of its fields ends."""

    def with_fields(self, wanted: Iterable[str]) -> str:
        """Return the query with these fields, too, unless it has them.

        Args:
            wanted: standard and custom ones.
        """
        known = {name.upper() for name in self.names}
        missing = [name for name in wanted if name.upper() not in known and not self._has(name)]
        return f"{self.text[: self.end]}{''.join(f', {n}' for n in missing)}{self.text[self.end :]}"

    def _has(self, name: str) -> bool:
        group = "CUSTOM" if name.endswith("__c") else "STANDARD"
        return not self.groups.isdisjoint({group, "ALL"})


def read(text: str) -> Query:
    """Return a query that lists whole records (Q1).

    Args:
        text: as a person has written it.

    Raises:
        QueryError: it lists something else, or is no query.
    """
    text = text.strip().removesuffix(";").rstrip()
    words = _words(text)
    if not words or words[0].upper != "SELECT":
        raise QueryError(text, "does not begin with SELECT", hint=_OWN)
    items, at = _items(text, words)
    names, groups = [], set()
    for item in items:
        if _FIELD.fullmatch(item):
            names.append(item)
        elif (group := _group(item)) is not None:
            groups.add(group)
        else:
            raise QueryError(text, f"{item} is {_what(item)}", hint=_OWN)
    following = words[at + 1 :]
    if not following or not _FIELD.fullmatch(following[0].text):
        raise QueryError(text, "does not say FROM which object", hint=_OWN)
    _check_rest(text, following)
    end = words[at].start
    return Query(text, following[0].text, tuple(names), frozenset(groups), _trimmed(text, end))


def _words(text: str) -> list[_Word]:
    words, at = [], 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise QueryError(text, "has a quote that is not closed")
        words.append(_Word(found[0].strip(), found.start(found.lastgroup or 0), found.end()))
        at = found.end()
    return words


def _items(text: str, words: Sequence[_Word]) -> tuple[list[str], int]:
    """Return what is selected, and the index of FROM."""
    items, depth, start = [], 0, words[0].end
    for at, word in enumerate(words[1:], 1):
        depth += (word.text == "(") - (word.text == ")")
        if depth == 0 and (word.text == "," or word.upper == "FROM"):
            items.append(" ".join(text[start : word.start].split()))
            start = word.end
            if word.text != ",":
                return items, at
    raise QueryError(text, "does not say FROM which object", hint=_OWN)


def _group(item: str) -> str | None:
    """Return which group of fields an item asks for, if it does."""
    found = re.fullmatch(r"FIELDS\s*\(\s*(\w+)\s*\)", item, re.IGNORECASE)
    return found[1].upper() if found is not None and found[1].upper() in _WHOLE else None


def _what(item: str) -> str:
    """Return what is selected, if no field of the record."""
    if not item:
        return "nothing: there is a comma too many"
    if item.startswith("("):
        return "about other records: prime them by a query of their own"
    if "(" in item or item.upper().startswith("TYPEOF"):
        return "no field, but computed"
    if "." in item:
        return "a field of another record: prime that by a query of its own"
    return "no field"


def _check_rest(text: str, following: Sequence[_Word]) -> None:
    """Refuse what would list something else than records that are there (Q1)."""
    rest = [word.upper for word in following[1:]]
    if rest[:1] == [","]:
        raise QueryError(text, "lists several objects", hint="use a query for each")
    depth, before = 0, ""
    for word in rest:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in {"GROUP", "HAVING"}:
            raise QueryError(text, "lists groups, and no records", hint=_OWN)
        if depth == 0 and (before, word) == ("ALL", "ROWS"):
            problem = "lists records that are deleted, too"
            raise QueryError(text, problem, hint="leave out ALL ROWS")
        if depth == 0 and (before, word) == ("FOR", "UPDATE"):
            raise QueryError(text, "would lock the records", hint="leave out FOR UPDATE")
        before = word
    if depth:
        raise QueryError(text, "has parentheses that do not match")


def _trimmed(text: str, end: int) -> int:
    return len(text[:end].rstrip())


# --- our own ---------------------------------------------------------------------------------


def is_condition(text: str) -> bool:
    """Say whether a text can stand after WHERE, with another condition beside it (Q2).

    Args:
        text: as somebody has written it.
    """
    try:
        words = _words(text)
    except QueryError:
        return False
    depth = 0
    for word in words:
        depth += (word.text == "(") - (word.text == ")")
        if depth < 0 or word.text == ";" or (depth == 0 and word.upper in _TAIL):
            return False
    return depth == 0


def changed(name: str, fields: Iterable[str], since: str | None, where: str) -> str:
    """Return the query for the records of an object that have changed, oldest first.

    Args:
        name: of the object.
        fields: that are listed.
        since: from when on; None for all records.
        where: another condition; nothing for all records.
    """
    conditions = [f"({where})"] if where else []
    if since is not None:
        conditions.append(f"SystemModstamp >= {since}")
    filtered = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(fields)} FROM {name}{filtered} ORDER BY SystemModstamp, Id"  # noqa: S608  SOQL, which only reads


def all_of(name: str, fields: Iterable[str], where: str) -> str:
    """Return the query for all records of an object, in whatever order.

    Args:
        name: of the object.
        fields: that are listed.
        where: a condition; nothing for all records.
    """
    filtered = f" WHERE {where}" if where else ""
    return f"SELECT {', '.join(fields)} FROM {name}{filtered}"  # noqa: S608  as above


def clock(name: str) -> str:
    """Return a query that costs next to nothing, and whose answer has the time of the org.

    Args:
        name: of an object.
    """
    return f"SELECT Id FROM {name} LIMIT 1"  # noqa: S608  as above


def among(name: str, fields: Iterable[str], ids: Iterable[str], where: str = "") -> str:
    """Return the query for records by their ids.

    Args:
        name: of the object.
        fields: that are listed.
        ids: of the records.
        where: another condition; nothing for all records.
    """
    listed = ", ".join(map(quoted, ids))
    also = f" AND ({where})" if where else ""
    return f"SELECT {', '.join(fields)} FROM {name} WHERE Id IN ({listed}){also}"  # noqa: S608  as above


def named(
    name: str, fields: Iterable[str], ids: Iterable[str], key: str, keys: Iterable[str]
) -> str:
    """Return the query for records by their ids, or by our keys of them.

    Args:
        name: of the object.
        fields: that are listed.
        ids: of records.
        key: the field for our key.
        keys: of other records.
    """
    listed = [("Id", ", ".join(map(quoted, ids))), (key, ", ".join(map(quoted, keys)))]
    which = " OR ".join(f"{field} IN ({values})" for field, values in listed if values)
    return f"SELECT {', '.join(fields)} FROM {name} WHERE {which}"  # noqa: S608  as above


def quoted(text: str) -> str:
    """Return a text as a query has it (Q2)."""
    escaped = _LITERAL.sub(lambda found: f"\\{found[0]}", text)
    return f"'{''.join(_ESCAPES.get(character, character) for character in escaped)}'"


def moment(at: datetime) -> str:
    """Return a time as a query, or an address, has it: in UTC, to the millisecond below."""
    at = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def time_of(text: object) -> datetime | None:
    """Return the time that a text is; None where it is none that an org knows."""
    if not isinstance(text, str):
        return None
    try:
        return known_time(datetime.fromisoformat(text))
    except ValueError:
        return None


def known_time(at: datetime) -> datetime | None:
    """Return a time in UTC; None where an org knows no such year. One without a zone is in UTC."""
    try:
        at = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None
    return at if _YEARS[0] <= at.year <= _YEARS[1] else None
