"""Checks the whole log: the file, the chain, the streams, and that every event can be read.

A chain by itself cannot tell that the end was cut off, or that all of it was written anew: that
takes an anchor, which was kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from journal.errors import LogCorruptError, UnknownEventError
from journal.log.chain import Row, genesis, hash_of
from journal.log.recorder import RowRecorder, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.log.mapper import EntryMapper

_TEXT_OR_NONE = (str, type(None))
_KINDS: Final[tuple[type | tuple[type, ...], ...]] = (
    *(int, int, str, str, int, str, int, int, int, str, str),
    *(_TEXT_OR_NONE, _TEXT_OR_NONE, _TEXT_OR_NONE, _TEXT_OR_NONE, bytes, bytes, bytes),
)
"""What the columns of a row hold, in their order."""
PAGE = 1000
MOST_PROBLEMS = 20


class Problem(NamedTuple):
    """Something that is wrong at a position; 0 where it is the log as a whole."""

    position: int
    text: str


class Rows(Protocol):
    """Where the rows of a log are read: the log, or what keeps it."""

    @property
    def journal_id(self) -> str:
        """The id of the journal."""
        ...

    def rows(self, after: int, limit: int) -> list[Row]:
        """Return at most `limit` rows after a position."""
        ...


class Anchor(NamedTuple):
    """An entry as it once was, kept where nobody who writes to the log can change it."""

    position: int
    """Of the entry; 0 for the beginning of the log."""
    hash: str
    """Of the entry, in hexadecimal."""
    journal_id: str | None = None
    """Of the journal, where it is known; the hash depends on it anyway."""

    def problems(self, log: Rows) -> list[Problem]:
        """Return why the log does not hold the entry any more; nothing where it does.

        Only for a log whose chain was verified: then all that led to the entry is unchanged.
        """
        if self.journal_id not in {None, log.journal_id}:
            text = f"it is journal {log.journal_id}, and the anchor is of {self.journal_id}"
            return [Problem(0, text)]
        stored = _hash_at(self.position, log)
        if stored is None:
            text = f"entry {self.position}, of the anchor, was cut off: the log ends before it"
            return [Problem(self.position, text)]
        if stored != self.hash.lower():
            text = "it is not the entry of the anchor: the log was written anew, or is another"
            return [Problem(self.position, text)]
        return []


class Verification(NamedTuple):
    """What was checked, and what was found."""

    journal_id: str
    entries: int
    """How many were looked at."""
    head_hash: str
    """The hash of the last entry: whoever holds it can tell whether the log was rewritten."""
    problems: tuple[Problem, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def anchor(self) -> Anchor:
        """What to keep elsewhere, for a later verification to hold the log against."""
        return Anchor(self.entries, self.head_hash, self.journal_id)


def _hash_at(position: int, log: Rows) -> str | None:
    """Return the hash of the entry at a position, empty where it is damaged; None at the end."""
    if position == 0:
        return genesis(log.journal_id).hex()
    try:
        rows = log.rows(position - 1, 1)
    except LogCorruptError:
        return ""
    if not rows:
        return None
    stored: object = rows[0].hash if rows[0].position == position else None
    return stored.hex() if isinstance(stored, bytes) else ""


def verify(
    recorder: RowRecorder,
    mapper: EntryMapper,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verification:
    """Check every row of the log, also those behind one that cannot be read.

    Args:
        recorder: keeps the rows.
        mapper: reads the events.
        progress: called with the rows checked and the rows in all, a thousand at a time.
    """
    problems = [Problem(0, text) for text in _file_problems(recorder)]
    end = _end(recorder)
    chain = _Chain(genesis(recorder.journal_id), mapper)
    for page in recorder.salvaged(0, end, PAGE):
        for row in page:
            if len(problems) >= MOST_PROBLEMS:
                text = f"the entries from here to {end} were not checked: too much is wrong"
                problems.append(Problem(row.position, text))
                return chain.verification(recorder.journal_id, problems)
            problems += [Problem(row.position, text) for text in chain.followed(row)]
        progress(chain.position, end)
    return chain.verification(recorder.journal_id, problems)


def _file_problems(recorder: RowRecorder) -> list[str]:
    try:
        return recorder.problems()
    except LogCorruptError as error:
        return [error.problem]


def _end(recorder: RowRecorder) -> int:
    """Return the position of the last row: the file's own count may be wrong."""
    try:
        return max(recorder.head(), recorder.last())
    except LogCorruptError:
        return recorder.head()


class _Chain:
    """The rows that were checked so far, and what must follow them."""

    def __init__(self, beginning: bytes, mapper: EntryMapper) -> None:
        self.position = 0
        self._mapper = mapper
        self._count = 0
        self._lost = 0
        self._occurred_at = 0
        self._previous: bytes | None = beginning
        self._head_hash = beginning
        self._versions: dict[str, int] = {}

    def verification(self, journal_id: str, problems: list[Problem]) -> Verification:
        """Return what was checked, and what was found."""
        return Verification(journal_id, self._count, self._head_hash.hex(), tuple(problems))

    def followed(self, row: Row | Unreadable) -> list[str]:
        """Return what is wrong with the row that comes next, and go on behind it."""
        found = [*self._gap(row.position)]
        self.position = row.position
        if isinstance(row, Unreadable):
            self._previous = None
            self._lost += 1
            return [*found, f"it cannot be read: {row.problem}"]
        self._count += 1
        if shape := [*_shape_problems(row)]:
            self._previous = None
            self._lost += 1
            return [*found, *shape]
        found += [
            *self._link_problems(row),
            *self._stream_problems(row),
            *self._event_problems(row),
        ]
        self._previous = self._head_hash = row.hash
        self._occurred_at = row.occurred_at
        return found

    def _gap(self, position: int) -> Iterator[str]:
        if position != self.position + 1:
            yield f"entries {self.position + 1} to {position - 1} are missing"

    def _link_problems(self, row: Row) -> Iterator[str]:
        if self._previous is not None and row.previous_hash != self._previous:
            yield "it is not chained to the entry before it"
        if row.hash != hash_of(row):
            yield "its hash does not fit its content: it was changed"
        if row.occurred_at <= self._occurred_at:
            yield "it occurred before the entry before it"

    def _stream_problems(self, row: Row) -> Iterator[str]:
        """Say whether a version was left out; those in rows that cannot be read are unknown."""
        expected = self._versions.get(row.stream, 0) + 1
        if not expected <= row.version <= expected + self._lost:
            yield f"it is version {row.version} of {row.stream} where {expected} was due"
        self._versions[row.stream] = row.version

    def _event_problems(self, row: Row) -> Iterator[str]:
        try:
            self._mapper.event(row.event_type, row.schema_version, row.data, row.position)
        except (LogCorruptError, UnknownEventError) as error:
            yield error.problem


def _shape_problems(row: Row) -> Iterator[str]:
    for name, value, kind in zip(Row._fields, row, _KINDS, strict=True):
        if isinstance(value, kind):
            continue
        found = type(value).__name__
        what = "no text in UTF-8" if found == "bytes" else f"a {found}"
        yield f"its {name} is {what}: the file is damaged"
