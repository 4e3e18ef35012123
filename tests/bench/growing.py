"""Whether a change, and a look at the queue, cost more where the log is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal import Journal
from journal.events import DraftAcknowledged
from journal.staging import Facts
from projections.drafts import Drafts
from tests.bench import workload
from tests.bench.race import Result, growth, race
from tests.bench.writing import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.race import Contender, Run

SMALL = 1000
PENDING = 20
EVENTS_PER_RECORD = 10
_FACTS = Facts("bench", "bench")


def results(folder: Path, large: int, rounds: int) -> list[Result]:
    """Race a short log against one of that many events, with as many drafts pending in both."""
    with (
        _filled(folder / "small.db", SMALL) as small_journal,
        _filled(folder / "large.db", large) as large_journal,
    ):
        small, grown = _Queue(small_journal), _Queue(large_journal)
        s = race(
            {
                "small update": small.update,
                "large update": grown.update,
                "small pending": small.pending,
                "large pending": grown.pending,
            },
            rounds,
        )
    at = f"at {large:,} events / at {SMALL:,}"
    return [
        growth(
            "g",
            f"drafts.pending {at}",
            large_s=s["large pending"],
            small_s=s["small pending"],
            at_most=1.3,
        ),
        growth(
            "g",
            f"update {at}",
            large_s=s["large update"],
            small_s=s["small update"],
            at_most=1.3,
        ),
    ]


def _filled(path: Path, events: int) -> Journal:
    records = workload.refs(events // EVENTS_PER_RECORD)
    fill(path, list(workload.settled(records, events, PENDING)))
    return Journal(path)


class _Queue:
    """A journal in which the last change is acknowledged before the next is made."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._drafts = Drafts(journal)
        self._ref = workload.refs(PENDING + 1)[-1]
        self._draft_id: str | None = None
        self._number = 0

    @property
    def update(self) -> Contender:
        """Time a change."""

        def prepare() -> Run:
            self._settle()
            return self._change()

        return prepare

    @property
    def pending(self) -> Contender:
        """Time a look at the queue, which has to catch up with a change."""

        def prepare() -> Run:
            self._settle()
            self._change()()
            return self._drafts.pending

        return prepare

    def _settle(self) -> None:
        if self._draft_id is not None:
            receipt = DraftAcknowledged(draft_id=self._draft_id, evidence="answer")
            self._journal.note(self._ref, lambda _: [receipt], _FACTS)

    def _change(self) -> Run:
        self._number += 1
        change = workload.change(self._number)

        def run() -> None:
            self._draft_id = self._journal.update(self._ref, change)

        return run
