"""What a test asserts of a journal: that it is whole, sent, and replayed the same every time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from journal.testing.purity import impurity
from projections import Drafts, Projection
from projections.replaying import VIEWS, divergences_by_restart

if TYPE_CHECKING:
    from journal import Journal

__all__ = ["assert_deterministic", "assert_drained", "assert_verified"]


def assert_deterministic(journal: Journal, *views: type[Projection] | Projection) -> None:
    """Assert that projections follow from the log of a journal, and from nothing else.

    The log is replayed entry by entry, and compared with that: the tables as they are; in one
    go; in parts, and with a restart after every event; and in two other processes with other
    hash seeds, time zones and locales, as far as the projections can be imported there. Once it
    is replayed while it is watched what the projections look at.

    Args:
        journal: with a log that has what the projections are about.
        views: the projections, or their classes; those of this library otherwise.

    Raises:
        AssertionError: one is not, which names the event, and the JSON path or the call; or there
            is no event.
    """
    __tracebackhide__ = True
    kinds = [type(view) if isinstance(view, Projection) else view for view in views]
    if not journal.log.head():
        raise AssertionError("there is no event in the log, so a replay of it shows nothing")
    for kind in kinds:
        look = impurity(journal, kind)
        if look is not None:
            raise AssertionError(look.sentence)
    with closing(divergences_by_restart(journal, kinds or VIEWS)) as found:
        first = next(found, None)
    if first is not None:
        raise AssertionError(first.sentence)


def assert_drained(journal: Journal) -> None:
    """Assert that no draft is pending.

    Raises:
        AssertionError: some are; it says of each why.
    """
    __tracebackhide__ = True
    pending = Drafts(journal).pending()
    if pending:
        whys = [f"  #{found.draft.position} {found.why}" for found in pending]
        raise AssertionError("\n".join([f"{len(pending)} drafts are pending:", *whys]))


def assert_verified(journal: Journal) -> None:
    """Assert that the log is whole: its chain of hashes, its streams, and every event.

    Raises:
        AssertionError: it is not; it says what is wrong, and where.
    """
    __tracebackhide__ = True
    problems = journal.log.verify().problems
    if problems:
        listed = [f"  at {problem.position}: {problem.text}" for problem in problems]
        raise AssertionError("\n".join(["the log is not whole:", *listed]))
