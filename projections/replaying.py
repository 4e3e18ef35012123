"""Replays of a log, compared: the same log gives the same views, whichever way it is replayed.

One replay, entry by entry, says what every view is at every position. Each other way must come
to the same digest wherever it stops; where one does not, the first event is named after which
it is another, with the place of the difference.

- V1. Nothing of the journal is written to: neither its log nor its views.
- V2. What is appended meanwhile is not looked at.
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import accumulate, cycle, takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from projections.digests import SIZE
from projections.divergence import Divergence
from projections.drafts import Drafts
from projections.elsewhere import PLACES, SEEDS, Elsewhere, each
from projections.folding import FOLDED, Folding
from projections.history import History
from projections.portable import is_importable
from projections.records import Records
from projections.replay import Replay
from projections.states import difference, key_of, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from journal import Journal
    from projections.elsewhere import Place
    from projections.projection import Projection
    from projections.replay import Views
    from projections.states import Difference, State

    Progress: TypeAlias = Callable[[int, int], None]

__all__ = [
    "VIEWS",
    "Divergence",
    "digests",
    "divergences",
    "divergences_by_restart",
    "divergences_in_tables",
]

VIEWS: Final[tuple[type[Projection], ...]] = (Records, Drafts, History)
"""The projections of this library."""

_TICK: Final = 200
_PARTS: Final = (1, 2, 3, 5, 8, 13)


class _Way(NamedTuple):
    """A way to replay in this process."""

    name: str
    stops: Callable[[int], Iterator[int]]
    renewed: bool = False


def _once(head: int) -> Iterator[int]:
    return iter((head,) if head else ())


def _parts(head: int) -> Iterator[int]:
    """Yield where parts of various sizes end, that is, where the process might have restarted."""
    yield from takewhile(lambda stop: stop < head, accumulate(cycle(_PARTS)))
    yield from _once(head)


_WAYS: Final = (
    _Way("in one go", _once),
    _Way("in parts, each by new objects", _parts, renewed=True),
)
_RESTARTS: Final = _Way("with a restart after every event", lambda h: iter(range(1, h + 1)), True)  # noqa: FBT003


class _Plan(NamedTuple):
    """How a log is replayed: in which ways here, and in which other processes."""

    ways: tuple[_Way, ...]
    places: tuple[Place, ...]


class _Reference(NamedTuple):
    """What every view is at every position, entry by entry."""

    journal: Journal
    views: Views
    head: int
    digests: list[bytearray]

    def at(self, view: int, position: int) -> bytes:
        """Return the digest of a view after the entry at a position."""
        return bytes(self.digests[view][position * SIZE : (position + 1) * SIZE])

    def is_other(self, view: int, position: int, digest: bytes) -> bool:
        """Say whether a digest is not that of the view at the position."""
        return digest != self.at(view, position)


def digests(
    journal: Journal,
    views: Views = VIEWS,
    *,
    until: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Replay a log entry by entry, and yield each position with the digest of each view there.

    Args:
        journal: whose log is replayed; nothing of it is written to.
        views: the projections.
        until: the last position; the end of the log otherwise.
        progress: called now and then with the position and the last one.

    Raises:
        ViewError: a statement of a projection was refused.
        LogError: the log could not be read.
    """
    head = journal.log.head() if until is None else until
    names = [view.name for view in views]
    with Replay(journal, views) as replay:
        for position in range(head + 1):
            found = replay.to(position)
            yield position, dict(zip(names, map(bytes.hex, found), strict=True))
            if position % _TICK == 0 or position == head:
                progress(position, head)


def divergences(
    journal: Journal,
    views: Views = VIEWS,
    *,
    until: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Generator[Divergence, None, None]:
    """Replay a log in every way there is, and yield what differs, each view once for each way.

    Compared with the replay entry by entry are: the tables as they are in the journal; the pure
    folds in memory; all in one go; in parts, each by new objects; and in other processes with
    other hash seeds, time zones and locales, as far as the projections can be imported there.

    Args:
        journal: whose log is replayed; nothing of it is written to.
        views: the projections.
        until: the last position; the end of the log otherwise.
        progress: called now and then with how much is done, and how much there is to do.

    Raises:
        ViewError: a statement of a projection was refused, or it failed in another process.
        LogError: the log could not be read.
    """
    yield from _compared(journal, views, _Plan(_WAYS, PLACES), until, progress)


def divergences_by_restart(
    journal: Journal,
    views: Views,
    *,
    progress: Progress = lambda _done, _total: None,
) -> Generator[Divergence, None, None]:
    """Do as `divergences`, with a restart after every event, and under more hash seeds.

    It is for logs that are short.

    Raises:
        ViewError: a statement of a projection was refused, or it failed in another process.
        LogError: the log could not be read.
    """
    plan = _Plan((*_WAYS, _RESTARTS), (*PLACES, *SEEDS))
    yield from _compared(journal, views, plan, None, progress)


def divergences_in_tables(journal: Journal, views: Views = VIEWS) -> list[Divergence]:
    """Return the views whose tables, as they are, are not those of a replay.

    Raises:
        ViewError: a statement of a projection was refused.
        LogError: the log could not be read.
    """
    head = journal.log.head()
    found: list[Divergence] = []
    for view in views:
        position, digest, _ = view(journal).left()
        if not 0 < position <= head:
            continue
        with Replay(journal, (view,)) as replay:
            is_same = replay.to(position)[0].hex() == digest
        if not is_same:
            found += _in_tables(_replayed(journal, (view,), position, lambda _done: None))
    return found


def _compared(
    journal: Journal,
    views: Views,
    plan: _Plan,
    until: int | None,
    progress: Progress,
) -> Iterator[Divergence]:
    head = journal.log.head() if until is None else until
    total = (2 + len(plan.ways)) * head
    portable = tuple(view for view in views if is_importable(view))
    with ExitStack() as stack:
        others = []
        for place in plan.places if portable else ():
            other = Elsewhere(journal, portable, head, place)
            stack.callback(other.close)
            others.append((place, other))
        reference = _replayed(journal, views, head, lambda done: progress(done, total))
        yield from _in_tables(reference)
        yield from _in_memory(reference)
        for number, way in enumerate(plan.ways, 2):
            yield from _in_steps(reference, way)
            progress(number * head, total)
        for place, other in others:
            found = each(other.digests(), len(portable))
            for view, _, position in _first_others(reference, portable, enumerate(found)):
                yield _elsewhere(reference, view, position, place)
    progress(total, total)


def _replayed(
    journal: Journal, views: Views, head: int, progress: Callable[[int], None]
) -> _Reference:
    reference = _Reference(journal, views, head, [bytearray() for _ in views])
    with Replay(journal, views) as replay:
        for position in range(head + 1):
            for kept, digest in zip(reference.digests, replay.to(position), strict=True):
                kept.extend(digest)
            if position % _TICK == 0:
                progress(position)
    return reference


def _first_others(
    reference: _Reference, views: Views, found: Iterable[tuple[int, list[bytes]]]
) -> Iterator[tuple[type[Projection], int, int]]:
    """Yield each view that is another at a stop, with the stop before, and that one."""
    left = {reference.views.index(view): at for at, view in enumerate(views)}
    before = 0
    for position, digests_there in found:
        others = [v for v, at in left.items() if reference.is_other(v, position, digests_there[at])]
        for view in others:
            del left[view]
            yield reference.views[view], before, position
        before = position
        if not left:
            return


# --- each way --------------------------------------------------------------------------------


def _in_steps(reference: _Reference, way: _Way) -> Iterator[Divergence]:
    def taken() -> Iterator[tuple[int, list[bytes]]]:
        with Replay(reference.journal, reference.views, renewed=way.renewed) as replay:
            for stop in way.stops(reference.head):
                yield stop, replay.to(stop)

    for view, before, position in _first_others(reference, reference.views, taken()):
        at = _narrowed(reference, way, view, before, position)
        with _walked(reference, way, view, before, at) as replay:
            yield _divergence(reference, view, way.name, at, replay.state(view))


def _walked(
    reference: _Reference, way: _Way, view: type[Projection], before: int, position: int
) -> Replay:
    """Return a replay of one view that went that way up to a stop, and on to a position."""
    replay = Replay(reference.journal, (view,), renewed=way.renewed)
    for stop in takewhile(lambda stop: stop <= before, way.stops(reference.head)):
        replay.to(stop)
    replay.to(position)
    return replay


def _narrowed(
    reference: _Reference, way: _Way, view: type[Projection], before: int, position: int
) -> int:
    """Return the first position at which a step from a stop on leads to another view."""
    index = reference.views.index(view)
    low, high = before, position
    while high - low > 1:
        middle = (low + high) // 2
        with _walked(reference, way, view, before, middle) as replay:
            if reference.is_other(index, middle, replay.digests()[0]):
                high = middle
            else:
                low = middle
    return high


def _in_tables(reference: _Reference) -> Iterator[Divergence]:
    """Compare the tables as they are in the journal, which are those of an earlier position."""
    for index, view in enumerate(reference.views):
        position, digest, rows = view(reference.journal).left()
        if 0 < position <= reference.head and digest != reference.at(index, position).hex():
            name = f"as its tables are, at position {position}"
            with Replay(reference.journal, (view,)) as replay:
                found = state_of({table: replay.columns[table] for table in rows}, rows)
                replay.to(position)
                where = difference(replay.state(view), found)
            since = None if where is None else _written_at(reference, view, where, position)
            yield _named(reference, view, name, since, where)


def _written_at(
    reference: _Reference, view: type[Projection], where: Difference, position: int
) -> int | None:
    """Return the position of the entry that made the row of a place what it should be."""
    last: int | None = None

    def note(table: str, _sign: int, row: tuple[Any, ...]) -> None:
        nonlocal last
        if table == where.table and key_of(replay.columns[table], row) == where.key:
            last = replay.position + 1

    with Replay(reference.journal, (view,), noted=note) as replay:
        for at in range(1, position + 1):
            replay.to(at)
    return last


def _in_memory(reference: _Reference) -> Iterator[Divergence]:
    """Compare the pure folds, which keep no tables."""
    views = tuple(view for view in reference.views if view in FOLDED)
    indexes = [FOLDED.index(view) for view in views]

    def folded() -> Iterator[tuple[int, list[bytes]]]:
        folding = Folding()
        for entry in reference.journal.log.scan(until=reference.head):
            folding.apply(entry)
            found = folding.digests()
            yield entry.position, [found[index] for index in indexes]

    for view, _, position in _first_others(reference, views, folded()) if views else ():
        folding = Folding()
        for entry in reference.journal.log.scan(until=position):
            folding.apply(entry)
        rows = folding.rows()
        with Replay(reference.journal, (view,)) as replay:
            columns = {table: replay.columns[table] for table in sorted(view.tables)}
        yield _divergence(reference, view, "in memory", position, state_of(columns, rows))


def _elsewhere(
    reference: _Reference, view: type[Projection], position: int, place: Place
) -> Divergence:
    other = Elsewhere(reference.journal, (view,), reference.head, place, at=position)
    try:
        return _divergence(reference, view, place.name, position, other.state())
    finally:
        other.close()


def _divergence(
    reference: _Reference, view: type[Projection], way: str, position: int, found: State
) -> Divergence:
    """Return the divergence of a view that is this after an entry; look where it differs."""
    with Replay(reference.journal, (view,)) as replay:
        for at in range(1, position + 1):
            replay.to(at)
        where = difference(replay.state(view), found)
    return _named(reference, view, way, position, where)


def _named(
    reference: _Reference,
    view: type[Projection],
    way: str,
    position: int | None,
    where: Difference | None,
) -> Divergence:
    entry = reference.journal.log.read(position - 1, 1)[0] if position else None
    if where is None:
        return Divergence(view.name, way, entry, "", None, None, None, None)
    return Divergence(view.name, way, entry, *where[2:])
