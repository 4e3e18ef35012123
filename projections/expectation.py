"""What is expected of a journal at a moment: a small language of comparisons; pure.

    expectation  comparison, or several with "and" between them
    comparison   PATH OPERATOR VALUE
    OPERATOR     == != < <= > >=
    VALUE        JSON, or @Type:id for a reference

- E1. No text is ever run: an expectation is parsed into comparisons, and these are carried out.
- E2. Values are compared exactly: the text "1" is not the number 1, and a reference is no text.
- E3. Of a record of which nothing was heard yet, of a row that is not there, and of a name that the
  state of a fold has not, whatever is expected holds; of a record that is gone, no field has a
  value.
"""

from __future__ import annotations

import json
import re
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.errors import InvalidNameError, InvalidValueError
from journal.values import Ref, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.record import Record
    from projections.folding import Moment

_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s.=!<>"]+')
_OPERATOR: Final = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*")
_AND: Final = re.compile(r"\s+and(?=\s|$)\s*|\s*$")
_REFERENCE: Final = re.compile(r"@(\S+)")
_ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_DRAFTS: Final = ("pending", "held", "sending", "stopped")
_RECORD: Final = ("deleted", "drafts", "exists", "fields", "remote_id", "remote_version", "version")
_HINT: Final = (
    'write PATH OPERATOR VALUE, such as records.Account:1.fields.Name == "Acme", or '
    "drafts.held == 0"
)


class _Unheard:
    """What stands for a value of a record of which nothing was heard."""


UNHEARD: Final = _Unheard()


class Comparison(NamedTuple):
    """One comparison."""

    text: str
    """The path as it was written."""
    path: tuple[str, ...]
    operator: str
    value: Any

    @property
    def is_of_view(self) -> bool:
        """Whether it is about a projection of the host."""
        return self.path[0] == "views"

    @property
    def is_of_fold(self) -> bool:
        """Whether it is about a fold of the host."""
        return self.path[0] == "folds"

    def found(self, moment: Moment) -> Any:  # noqa: ANN401  JSON
        """Return what is at the path; UNHEARD where nothing was heard of the record yet."""
        match self.path:
            case ("position",):
                return moment.position
            case ("drafts", what):
                return _of_drafts(moment, what)
            case ("records", *names, "count") if all(":" not in name for name in names):
                return sum(
                    _is_here(r) and r.ref.type in (names or (r.ref.type,))
                    for r in moment.records.values()
                )
            case ("views", name, table, "count"):
                return len(moment.views[name][table])
            case ("views", name, table, key, column, *names):
                row = moment.views[name][table].get(key)
                return UNHEARD if row is None else _in_row(row.get(column), names)
            case ("folds", name, *names):
                state = moment.folds[name]
                is_there = not names or not isinstance(state, dict) or names[0] in state
                return _within(state, names) if is_there else UNHEARD
            case ("records", ref, *names):
                record = moment.records.get(Ref.trusted(ref))
                return UNHEARD if record is None else _of_record(record, names)
            case _:
                return None

    def holds(self, moment: Moment) -> bool:
        """Say whether it is so (E2, E3)."""
        found = self.found(moment)
        if found is UNHEARD:
            return True
        if self.operator in {"==", "!="}:
            return same(found, self.value) == (self.operator == "==")
        return _are_ordered(found, self.value) and _ORDERED[self.operator](found, self.value)


class Expectation(NamedTuple):
    """Comparisons, all of which are expected to hold."""

    text: str
    comparisons: tuple[Comparison, ...]

    @classmethod
    def parse(cls, text: str) -> Expectation:
        """Return the expectation that is written so (E1).

        Raises:
            InvalidValueError: it is none.
        """
        comparisons: list[Comparison] = []
        at = 0
        while at < len(text.rstrip()) or not comparisons:
            comparison, at = _comparison(text, at)
            comparisons.append(comparison)
        return cls(text.strip(), tuple(comparisons))

    def failing(self, moment: Moment) -> Comparison | None:
        """Return the first comparison that does not hold at a moment, or None."""
        return next((each for each in self.comparisons if not each.holds(moment)), None)


def _wrong(text: str, problem: str, hint: str = _HINT) -> InvalidValueError:
    return InvalidValueError("expectation", f"{text.strip()!r}: {problem}", hint=hint)


def _comparison(text: str, start: int) -> tuple[Comparison, int]:
    """Return the comparison that begins there, and where the next one does."""
    path, at = _path(text, start)
    written = text[start:at].strip()
    _check(text, path)
    operator = _OPERATOR.match(text, at)
    if operator is None:
        raise _wrong(text, f"after {written} comes one of == != < <= > >=")
    value, at = _value(text, operator.end())
    end = _AND.match(text, at)
    if end is None:
        raise _wrong(text, f"what is {text[at:].strip()!r}?")
    if end.group().strip() and end.end() >= len(text.rstrip()):
        raise _wrong(text, "nothing follows the last and")
    return Comparison(written, path, operator[1], value), end.end()


def _path(text: str, at: int) -> tuple[tuple[str, ...], int]:
    parts: list[str] = []
    at += len(text[at:]) - len(text[at:].lstrip())
    while True:
        part = _PART.match(text, at)
        if part is None:
            raise _wrong(text, "a path is names with dots between them")
        parts.append(_unquoted(text, part.group()))
        at = part.end()
        if text[at : at + 1] != ".":
            return tuple(parts), at
        at += 1


def _unquoted(text: str, part: str) -> str:
    if not part.startswith('"'):
        return part
    try:
        return str(json.loads(part))
    except ValueError as error:
        raise _wrong(text, f"{part} is no text in JSON") from error


def _value(text: str, at: int) -> tuple[Any, int]:
    reference = _REFERENCE.match(text, at)
    try:
        if reference is not None:
            return Ref(reference[1]), reference.end()
        value, end = _DECODER.raw_decode(text, at)
    except (InvalidNameError, ValueError, RecursionError) as error:
        wrong = text[at:].strip()
        hint = 'a text stands in quotes: "Acme"; a reference behind @: @Account:1'
        raise _wrong(text, f"{wrong!r} is no JSON, nor a reference", hint) from error
    return value, end


def _no_number(text: str) -> None:
    raise ValueError(text)


_DECODER: Final = json.JSONDecoder(parse_constant=_no_number)


def _check(text: str, path: tuple[str, ...]) -> None:
    """Refuse a path that can lead nowhere, at whatever moment."""
    match path:
        case ("position",):
            return
        case ("drafts", what) if what in _DRAFTS:
            return
        case ("records", "count"):
            return
        case ("records", name, "count") if ":" not in name:
            return
        case ("views", _, _, "count") | ("views", _, _, _, _, *_) | ("folds", _, *_):
            return
        case ("records", ref, what, *rest) if ":" in ref and what in _RECORD:
            try:
                Ref(ref)
            except InvalidNameError as error:
                raise _wrong(text, error.problem) from error
            if what == "fields" or not rest:
                return
        case _:
            pass
    raise _wrong(
        text,
        f"there is no {'.'.join(path)}",
        "there are position; drafts." + ", drafts.".join(_DRAFTS) + "; records.count, "
        "records.TYPE.count; and of a record, such as records.Account:1: "
        + ", ".join(_RECORD)
        + "; views.NAME.TABLE.count and views.NAME.TABLE.KEY.COLUMN of a projection"
        + "; folds.NAME and what is in it of a fold"
        + '; a name with a dot in it stands in quotes: records."Account:1.5".exists',
    )


def _is_here(record: Record) -> bool:
    return not record.is_deleted


def _of_drafts(moment: Moment, what: str) -> Any:  # noqa: ANN401  JSON
    queue = moment.queue
    match what:
        case "pending":
            return len(queue)
        case "held":
            return queue.held
        case "sending":
            return sum(draft.state == "sending" for draft in queue)
        case _:
            return queue.switch.stop is not None


def _of_record(record: Record, names: list[str]) -> Any:  # noqa: ANN401  JSON
    match names:
        case ["exists"]:
            return _is_here(record)
        case ["deleted"]:
            return record.is_deleted
        case ["version"]:
            return record.version
        case ["drafts"]:
            return len(record.changes)
        case ["remote_id"]:
            return record.remote.remote_id
        case ["remote_version"]:
            return record.remote.version
        case ["fields", *inner]:
            return _within(None if record.is_deleted else record.fields, inner)
        case _:
            return None


def _in_row(value: Any, names: list[str]) -> Any:  # noqa: ANN401  of a column
    """Return what is in a column, and on into the JSON that is a text there."""
    if names and isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return _within(value, names)


def _within(value: Any, names: list[str]) -> Any:  # noqa: ANN401  JSON
    """Return what is at a place in a JSON value; None where there is nothing."""
    for name in names:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _are_ordered(one: Any, other: Any) -> bool:  # noqa: ANN401  JSON
    """Say whether two values have an order: two numbers, or two texts."""
    kinds = [
        "number" if isinstance(value, int | float) and type(value) is not bool else type(value)
        for value in (one, other)
    ]
    return kinds[0] == kinds[1] and kinds[0] in {"number", str}
