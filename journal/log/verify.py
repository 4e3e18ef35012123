"""Checks the whole log: the file, the chain, the streams, and that every event can be read.

A chain by itself cannot tell that the end was cut off, or that all of it was written anew: that
takes an anchor, which was kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from journal.errors import LogCorruptError, UnknownEventError
from journal.log.chain import Row, genesis, hash_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.log.mapper import EntryMapper
    from journal.log.recorder import RowRecorder

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

    def head(self) -> int:
        """Return the position of the last row."""
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
        head = log.head()
        if self.journal_id not in {None, log.journal_id}:
            text = f"it is journal {log.journal_id}, and the anchor is of {self.journal_id}"
            return [Problem(0, text)]
        if self.position > head:
            text = f"the log ends at {head}: entry {self.position}, of the anchor, was cut off"
            return [Problem(self.position, text)]
        if _hash_at(self.position, log) != self.hash.lower():
            text = "it is not the entry of the anchor: the log was written anew, or is another"
            return [Problem(self.position, text)]
        return []


class Verification(NamedTuple):
    """What was checked, and what was found."""

    journal_id: str
    entries: int
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
    """Return the hash of the entry at a position; None where it is damaged."""
    if position == 0:
        return genesis(log.journal_id).hex()
    try:
        rows = log.rows(position - 1, 1)
    except LogCorruptError:
        return None
    stored: object = rows[0].hash if rows and rows[0].position == position else None
    return stored.hex() if isinstance(stored, bytes) else None


def verify(
    recorder: RowRecorder,
    mapper: EntryMapper,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verification:
    """Check every row of the log.

    Args:
        recorder: keeps the rows.
        mapper: reads the events.
        progress: called with the rows checked and the rows in all, a thousand at a time.
    """
    problems = [Problem(0, text) for text in _file_problems(recorder)]
    head = recorder.head()
    previous = genesis(recorder.journal_id)
    occurred_at = position = 0
    versions: dict[str, int] = {}
    for row in _rows(recorder, head, progress):
        if isinstance(row, Problem):
            problems.append(row)
            break
        found = [*_shape_problems(row)]
        is_sound = not found
        found = found or [
            *_chain_problems(row, position, previous, occurred_at),
            *_stream_problems(row, versions),
            *_event_problems(row, mapper),
        ]
        problems += [Problem(row.position, text) for text in found]
        if len(problems) >= MOST_PROBLEMS:
            break
        position = row.position
        if is_sound:
            previous, occurred_at = row.hash, row.occurred_at
    return Verification(recorder.journal_id, position, previous.hex(), tuple(problems))


def _file_problems(recorder: RowRecorder) -> list[str]:
    try:
        return recorder.problems()
    except LogCorruptError as error:
        return [error.problem]


def _rows(
    recorder: RowRecorder, head: int, progress: Callable[[int, int], None]
) -> Iterator[Row | Problem]:
    """Yield the rows in order; at the end the first that cannot be read at all, as a problem."""
    after = 0
    limit = PAGE
    while True:
        try:
            page = recorder.rows(after, limit, head)
        except LogCorruptError as error:
            if limit == 1:
                yield Problem(after + 1, error.problem)
                return
            limit = 1
            continue
        if not page:
            return
        yield from page
        after = page[-1].position
        progress(after, head)


def _shape_problems(row: Row) -> Iterator[str]:
    for name, value, kind in zip(Row._fields, row, _KINDS, strict=True):
        if not isinstance(value, kind):
            yield f"its {name} is a {type(value).__name__}: the file is damaged"


def _chain_problems(row: Row, position: int, previous: bytes, occurred_at: int) -> Iterator[str]:
    if row.position != position + 1:
        yield f"entries {position + 1} to {row.position - 1} are missing"
    if row.previous_hash != previous:
        yield "it is not chained to the entry before it"
    if row.hash != hash_of(row):
        yield "its hash does not fit its content: it was changed"
    if row.occurred_at <= occurred_at:
        yield "it occurred before the entry before it"


def _stream_problems(row: Row, versions: dict[str, int]) -> Iterator[str]:
    expected = versions.get(row.stream, 0) + 1
    if row.version != expected:
        yield f"it is version {row.version} of {row.stream} where {expected} was due"
    versions[row.stream] = row.version


def _event_problems(row: Row, mapper: EntryMapper) -> Iterator[str]:
    try:
        mapper.event(row.event_type, row.schema_version, row.data, row.position)
    except (LogCorruptError, UnknownEventError) as error:
        yield error.problem
