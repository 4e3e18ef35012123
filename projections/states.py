"""What the tables of a view hold, as one document, and where two of them differ; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

State: TypeAlias = dict[str, dict[str, dict[str, Any]]]
"""By table, and by the key of a row, the values of its columns."""


class _Absent:
    """What stands for a value that is not there, in either state."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()


class Columns(NamedTuple):
    """The columns of a table."""

    names: tuple[str, ...]
    key: tuple[str, ...]
    """Those of its primary key, in order."""


class Difference(NamedTuple):
    """The first place at which two states differ."""

    table: str
    key: str
    """That of the row."""
    path: str
    """A JSON path: ``$.records["Account:1"].fields.Name``."""
    expected: Any
    found: Any
    expected_row: Any
    """The whole row of that place; None where there is none."""
    found_row: Any


def state_of(columns: Mapping[str, Columns], rows: Mapping[str, Iterable[Sequence[Any]]]) -> State:
    """Return the rows of the tables of a view as a document."""
    state: State = {}
    for table, (names, _) in columns.items():
        of_table = state.setdefault(table, {})
        for row in rows.get(table, ()):
            of_table[key_of(columns[table], row)] = dict(zip(names, row, strict=True))
    return state


def key_of(columns: Columns, row: Sequence[Any]) -> str:
    """Return the key of a row as one text."""
    values = dict(zip(columns.names, row, strict=True))
    return ":".join(str(values[name]) for name in columns.key)


def difference(expected: State, found: State) -> Difference | None:
    """Return the first place at which the states differ, in the order of names and keys."""
    for table in sorted(expected.keys() | found.keys()):
        ours, theirs = expected.get(table, {}), found.get(table, {})
        for key in sorted(ours.keys() | theirs.keys()):
            row, other = ours.get(key), theirs.get(key)
            place = _first(f"$.{table}{_step(key)}", row, other)
            if place is not None:
                return Difference(table, key, *place, row, other)
    return None


def _first(path: str, expected: Any, found: Any) -> tuple[str, Any, Any] | None:  # noqa: ANN401
    """Return where two rows differ first, and the two values."""
    if expected is None or found is None:
        return None if expected is found else (path, _there(expected), _there(found))
    for column in expected:
        ours, theirs = expected[column], found.get(column)
        if not is_same(ours, theirs):
            return _within(f"{path}{_step(column)}", ours, theirs)
    return None


def _there(value: Any) -> Any:  # noqa: ANN401  JSON
    return ABSENT if value is None else value


def _within(path: str, expected: Any, found: Any) -> tuple[str, Any, Any]:  # noqa: ANN401
    """Go on into the JSON of a column, where both hold some that says something else."""
    ours, theirs = _parsed(expected), _parsed(found)
    if type(ours) is not type(theirs) or not isinstance(ours, dict | list) or is_same(ours, theirs):
        return path, expected, found
    return deeper(path, ours, theirs)


def deeper(path: str, expected: Any, found: Any) -> tuple[str, Any, Any]:  # noqa: ANN401
    """Return where two documents of JSON that are not the same differ first, and both values."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            ours, theirs = expected.get(key, ABSENT), found.get(key, ABSENT)
            if not is_same(ours, theirs):
                return deeper(f"{path}{_step(key)}", ours, theirs)
    elif isinstance(expected, list) and isinstance(found, list):
        for at in range(max(len(expected), len(found))):
            ours = expected[at] if at < len(expected) else ABSENT
            theirs = found[at] if at < len(found) else ABSENT
            if not is_same(ours, theirs):
                return deeper(f"{path}[{at}]", ours, theirs)
    return path, expected, found


def is_same(one: Any, other: Any) -> bool:  # noqa: ANN401  JSON
    """Say whether two values are the same, to the type and the last bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return repr(one) == repr(other)


def _parsed(value: Any) -> Any:  # noqa: ANN401  JSON
    if not (isinstance(value, str) and value[:1] in {"{", "["}):
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None


def _step(key: str) -> str:
    """Return a key as a step of a JSON path."""
    plain = key.isascii() and key.replace("_", "a").isalnum() and not key[:1].isdigit()
    return f".{key}" if plain else f"[{json.dumps(key, ensure_ascii=False)}]"
