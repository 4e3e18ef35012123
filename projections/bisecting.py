"""Finds the first event after which an expectation fails, in as many looks as halving takes.

- B1. What is found fails, and held one event earlier. Where it failed and held again in between,
  it is one of several such events.
- B2. No entry is folded more than about twice, however often it is halved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from journal.errors import InvalidValueError
from projections.folding import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal import Journal
    from journal.events import Entry
    from projections.expectation import Comparison, Expectation

    Progress: TypeAlias = Callable[[int, int], None]

__all__ = ["Failure", "first_failure"]

_TICK = 1000


class Failure(NamedTuple):
    """The first event after which an expectation fails."""

    entry: Entry
    comparison: Comparison
    """The first of its comparisons that fails."""
    before: Any
    """What was at its path before the event."""
    after: Any
    looks: int
    """How often the expectation was looked at."""


def first_failure(
    journal: Journal,
    expectation: Expectation,
    *,
    after: int = 0,
    until: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Failure | None:
    """Return the first event after which the expectation fails, or None where it holds.

    Args:
        journal: whose log is looked through.
        expectation: what is expected.
        after: a position at which it holds.
        until: the last position that is looked at; the end of the log otherwise.
        progress: called now and then with how many entries were folded, and how many will be.

    Raises:
        InvalidValueError: it fails already at the first position.
        LogError: the log could not be read.
    """
    head = journal.log.head() if until is None else until
    search = _Search(journal, expectation, head, progress)
    low = search.moved(Moment(), after)
    if search.failing(low) is not None:
        raise InvalidValueError(
            "expectation",
            f"{expectation.text} does not hold at position {after}",
            hint="name a position at which it does: --after N",
        )
    last = search.moved(low.copy(), head)
    if search.failing(last) is None:
        return None
    high, failed = head, last
    while high - low.position > 1:
        middle = search.moved(low.copy(), (low.position + high) // 2)
        if search.failing(middle) is None:
            low = middle
        else:
            high, failed = middle.position, middle
    comparison = expectation.failing(failed)
    assert comparison is not None  # noqa: S101  it was looked at
    [entry] = journal.log.read(high - 1, 1)
    return Failure(entry, comparison, comparison.found(low), comparison.found(failed), search.looks)


class _Search:
    """What is looked at, and how often."""

    def __init__(
        self, journal: Journal, expectation: Expectation, head: int, progress: Progress
    ) -> None:
        self.looks = 0
        self._log = journal.log
        self._expectation = expectation
        self._total = 2 * head
        self._folded = 0
        self._progress = progress

    def moved(self, moment: Moment, position: int) -> Moment:
        """Fold a moment on to a position."""
        if position > moment.position:
            for entry in self._log.scan(moment.position, until=position):
                moment.apply(entry)
                self._folded += 1
                if self._folded % _TICK == 0:
                    self._progress(min(self._folded, self._total), self._total)
        return moment

    def failing(self, moment: Moment) -> Comparison | None:
        """Return the comparison that fails at a moment, or None."""
        self.looks += 1
        return self._expectation.failing(moment)
