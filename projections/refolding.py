"""Replays of a fold in memory, compared: the same log gives the same state.

One replay, entry by entry, says what the state is after every entry. Compared with it are: the
state that was handed over, looked at once more; the fold as it is; a second replay; and replays in
other processes.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.digests import SIZE
from projections.divergence import Divergence
from projections.documents import digest_of, document
from projections.elsewhere import PLACES, SEEDS, Elsewhere
from projections.portable import deepcopied, packed_fold
from projections.states import deeper, is_same

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from journal import Journal
    from journal.events import Entry
    from projections.elsewhere import Place
    from projections.fold import Fold
    from projections.portable import PackedFold

__all__ = ["divergences_of_fold"]


class _Step(NamedTuple):
    """A fold after an entry, or before the first one."""

    entry: Entry | None
    shown: Any
    """The state, as a document."""


def divergences_of_fold(
    journal: Journal, fold: Fold[Any], *, until: int | None = None
) -> Generator[Divergence, None, None]:
    """Replay a log by a fold in every way there is, and yield what differs, each way once.

    Args:
        journal: whose log is replayed.
        fold: what replays it; its own state is left as it is.
        until: the last position; the end of the log otherwise.

    Raises:
        ViewError: it failed in another process.
        LogError: the log could not be read.
    """
    head = journal.log.head() if until is None else until
    packed = packed_fold(fold)
    with ExitStack() as stack:
        others: list[tuple[Place, Elsewhere]] = []
        for place in (*PLACES, *SEEDS) if packed is not None else ():
            other = Elsewhere(journal, packed, head, place)  # type: ignore[arg-type]
            stack.callback(other.close)
            others.append((place, other))
        if (spoiled := _spoiled(journal, fold, head)) is not None:
            yield spoiled
        yield from _as_it_is(journal, fold, head)
        digests: list[bytes] = []
        again: Divergence | None = None
        for one, other_one in zip(
            _steps(journal, fold, head), _steps(journal, fold, head), strict=True
        ):
            digests.append(digest_of(one.shown))
            if again is None and not is_same(one.shown, other_one.shown):
                again = _named(fold, "a second time", one, other_one.shown)
        if again is not None:
            yield again
        for place, other in others:
            found = other.digests()
            for at in range(1, head + 1):
                if found[(at - 1) * SIZE : at * SIZE] != digests[at]:
                    yield _elsewhere(journal, fold, packed, place, at)  # type: ignore[arg-type]
                    break


def _steps(journal: Journal, fold: Fold[Any], head: int) -> Iterator[_Step]:
    """Replay entry by entry; no state that was yielded is handed over again."""
    state = deepcopied(fold.initial)
    yield _Step(None, document(state))
    for entry in journal.log.scan(until=head):
        state = fold.evolve(deepcopied(state), entry)
        yield _Step(entry, document(state))


def _last(journal: Journal, fold: Fold[Any], position: int) -> _Step:
    return deque(_steps(journal, fold, position), maxlen=1)[0]


def _spoiled(journal: Journal, fold: Fold[Any], head: int) -> Divergence | None:
    """Say where the function has changed the state that it was handed."""
    state = deepcopied(fold.initial)
    for entry in journal.log.scan(until=head):
        before = document(state)
        after = fold.evolve(state, entry)
        handed = document(state)
        if not is_same(before, handed):
            way = "afterwards, for the function changes the state that it is handed"
            return _named(fold, way, _Step(entry, before), handed)
        state = after
    return None


def _as_it_is(journal: Journal, fold: Fold[Any], head: int) -> Iterator[Divergence]:
    position, state = fold.left()
    found = document(state)
    if 0 < position <= head:
        step = _last(journal, fold, position)._replace(entry=None)
        if not is_same(step.shown, found):
            yield _named(fold, f"as it is, at position {position}", step, found)


def _elsewhere(
    journal: Journal, fold: Fold[Any], packed: PackedFold, place: Place, at: int
) -> Divergence:
    other = Elsewhere(journal, packed, at, place, at=at)
    try:
        found = other.document()
    finally:
        other.close()
    return _named(fold, place.name, _last(journal, fold, at), found)


def _named(fold: Fold[Any], way: str, step: _Step, found: Any) -> Divergence:  # noqa: ANN401
    if is_same(step.shown, found):
        return Divergence(fold.name, way, step.entry, "", None, None, None, None)
    path, ours, theirs = deeper("$", step.shown, found)
    return Divergence(fold.name, way, step.entry, path, ours, theirs, step.shown, found)
