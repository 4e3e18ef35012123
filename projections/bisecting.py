"""Finds the first event after which an expectation fails, in as many looks as halving takes.

- B1. What is found fails, and held one event earlier. Where it failed and held again in between,
  it is one of several such events.
- B2. No entry is folded more than about twice, however often it is halved; where it is about a
  projection of the host, each look replays the log up to there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from journal.errors import InvalidValueError
from projections.documents import document
from projections.folding import Moment
from projections.portable import deepcopied
from projections.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal import Journal
    from journal.events import Entry
    from projections.expectation import Comparison, Expectation
    from projections.fold import Fold
    from projections.projection import Projection

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


def first_failure(  # noqa: PLR0913  what there is to say
    journal: Journal,
    expectation: Expectation,
    *,
    after: int = 0,
    until: int | None = None,
    views: Sequence[type[Projection]] = (),
    folds: Sequence[Fold[Any]] = (),
    progress: Progress = lambda _done, _total: None,
) -> Failure | None:
    """Return the first event after which the expectation fails, or None where it holds.

    Args:
        journal: whose log is looked through.
        expectation: what is expected.
        after: a position at which it holds.
        until: the last position that is looked at; the end of the log otherwise.
        views: projections of the host that the expectation may be about.
        folds: the same of folds, each by its name.
        progress: called now and then with how many entries were folded, and how many will be.

    Raises:
        InvalidValueError: it fails already at the first position, or is about a view that is not
            among the `views`, or a fold that is not among the `folds`.
        ViewError: a statement of a projection was refused.
        LogError: the log could not be read.
    """
    head = journal.log.head() if until is None else until
    search = _Search(journal, expectation, head, progress)
    search.look_at(views)
    search.look_at_folds(folds)
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
        self._journal = journal
        self._log = journal.log
        self._views: list[type[Projection]] = []
        self._folds: list[Fold[Any]] = []
        self._expectation = expectation
        self._total = 2 * head
        self._folded = 0
        self._progress = progress

    def look_at(self, views: Sequence[type[Projection]]) -> None:
        """Look at those of the projections that the expectation is about, if it is about any."""
        asked = [each.path[1:] for each in self._expectation.comparisons if each.is_of_view]
        self._views = [view for view in views if any(path[0] == view.name for path in asked)]
        with Replay(self._journal, views) as replay:
            columns = {table: of.names for table, of in replay.columns.items()}
        known = {(view.name, table): columns[table] for view in views for table in view.tables}
        for name, table, *rest in asked:
            if (name, table) not in known:
                there = ", ".join(f"views.{view}.{table}" for view, table in sorted(known))
                hint = (
                    f"there are {there}"
                    if there
                    else "name its projection, too: --projection MODULE:NAME"
                )
                raise InvalidValueError(
                    "expectation", f"there is no views.{name}.{table}", hint=hint
                )
            if rest != ["count"] and rest[1] not in known[name, table]:
                raise InvalidValueError(
                    "expectation",
                    f"views.{name}.{table} has no column {rest[1]}",
                    hint=f"it has {', '.join(known[name, table])}",
                )

    def look_at_folds(self, folds: Sequence[Fold[Any]]) -> None:
        """Look at those of the folds that the expectation is about, if it is about any."""
        asked = [each.path[1] for each in self._expectation.comparisons if each.is_of_fold]
        self._folds = [fold for fold in folds if fold.name in asked]
        for name in asked:
            if name not in {fold.name for fold in folds}:
                there = ", ".join(sorted(f"folds.{fold.name}" for fold in folds))
                hint = f"there are {there}" if there else "name it, too: --projection MODULE:NAME"
                raise InvalidValueError("expectation", f"there is no folds.{name}", hint=hint)

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
        if self._views:
            with Replay(self._journal, self._views) as replay:
                replay.to(moment.position)
                moment.views = {view.name: replay.state(view) for view in self._views}
        for fold in self._folds:
            state = deepcopied(fold.initial)
            for entry in self._log.scan(until=moment.position):
                state = fold.evolve(state, entry)
            moment.folds[fold.name] = document(state)
        return self._expectation.failing(moment)
