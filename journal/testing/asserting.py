"""What a test asserts of a journal: that it is whole, sent, and replayed the same every time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from warnings import warn

from journal.testing.handed import check_journal, check_views
from journal.testing.purity import impurity, impurity_of_fold
from projections import Drafts, Fold, Projection
from projections.portable import is_importable, packed_fold
from projections.refolding import divergences_of_fold
from projections.replaying import VIEWS, divergences_by_restart

if TYPE_CHECKING:
    from collections.abc import Generator

    from journal import Journal
    from projections.divergence import Divergence

__all__ = ["assert_deterministic", "assert_drained", "assert_verified"]


_SHOWN_MOST: Final = 2_000
"""How much is shown of a state."""


def assert_deterministic(
    journal: Journal, *views: type[Projection] | Projection | Fold[Any]
) -> None:
    """Assert that projections and folds follow from the log of a journal, and from nothing else.

    The log is replayed entry by entry, and compared with that: the tables as they are; in one
    go; in parts, and with a restart after every event; and in other processes with other hash
    seeds, time zones and locales, as far as the projections can be imported there. Once it is
    replayed while it is watched what the projections look at. A fold is replayed twice, in other
    processes, and watched; its function may not change the state that it is handed.

    Args:
        journal: with a log that has what the projections are about.
        views: the projections, their classes, or folds; those of this library otherwise.

    Raises:
        AssertionError: one is not, which names the event, and the JSON path with both states, or
            the call; or there is no event.
        TypeError: that is no journal, or no projection and no fold.
    """
    __tracebackhide__ = True
    check_journal(journal)
    folds = [view for view in views if isinstance(view, Fold)]
    kinds = [_kind_of(view) for view in views if not isinstance(view, Fold)]
    if not journal.log.head():
        raise AssertionError("there is no event in the log, so a replay of it shows nothing")
    looks = [*(impurity(journal, kind) for kind in kinds)]
    looks += [impurity_of_fold(journal, fold) for fold in folds]
    for look in looks:
        if look is not None:
            raise AssertionError(look.sentence)
    if kinds or not folds:
        _check_none(divergences_by_restart(journal, kinds or VIEWS))
    for fold in folds:
        _check_none(divergences_of_fold(journal, fold))
    local = [kind.name for kind in kinds if not is_importable(kind)]
    local += [fold.name for fold in folds if packed_fold(fold) is None]
    for name in local:
        warn(
            f"{name} cannot be imported by another process, so what differs only there, as the "
            "order of a set, is not found; define it at the top of a module",
            stacklevel=2,
        )


def _kind_of(view: type[Projection] | Projection) -> type[Projection]:
    """Return the class of a projection.

    Raises:
        TypeError: it is none.
    """
    kind = view if isinstance(view, type) else type(view)
    if not issubclass(kind, Projection):
        raise TypeError(f"{view!r} is neither a projection, nor the class of one, nor a Fold")
    check_views((kind,))
    return kind


def _check_none(divergences: Generator[Divergence, None, None]) -> None:
    __tracebackhide__ = True
    with closing(divergences) as found:
        first = next(found, None)
    if first is not None:
        states = (("entry by entry", first.expected_row), ("that way", first.found_row))
        shown = [f"  {name:<14}  {state!r}"[:_SHOWN_MOST] for name, state in states if first.path]
        raise AssertionError("\n".join([first.sentence, *shown]))


def assert_drained(journal: Journal) -> None:
    """Assert that no draft is pending.

    Raises:
        AssertionError: some are; it says of each why.
        TypeError: that is no journal.
    """
    __tracebackhide__ = True
    check_journal(journal)
    pending = Drafts(journal).pending()
    if pending:
        whys = [f"  #{found.draft.position} {found.why}" for found in pending]
        raise AssertionError("\n".join([f"{len(pending)} drafts are pending:", *whys]))


def assert_verified(journal: Journal) -> None:
    """Assert that the log is whole: its chain of hashes, its streams, and every event.

    Raises:
        AssertionError: it is not; it says what is wrong, and where.
        TypeError: that is no journal.
    """
    __tracebackhide__ = True
    check_journal(journal)
    problems = journal.log.verify().problems
    if problems:
        listed = [f"  at {problem.position}: {problem.text}" for problem in problems]
        raise AssertionError("\n".join(["the log is not whole:", *listed]))
