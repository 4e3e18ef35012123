"""Drafts: the queue as people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import Journal
from journal.drafts import Queue
from journal.errors import DraftMissingError
from journal.events import DraftHeld, DraftRetried, FieldMessage, PushStarted
from journal.explanation import explained
from projections import Drafts
from projections import projection as projections
from tests.replay.fixed import FixedSources
from tests.strategies import histories
from tests.unit.projections.folding import append, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import Entry


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal in memory, with a clock of its own."""
    with Journal(actor="ann", origin="van-7", sources=FixedSources()) as journal:
        yield journal


class TestPending:
    """What waits for what, and for how long."""

    def test_says_what_waits_for_what(self, journal: Journal) -> None:
        """Each draft says, in order, what it waits for and why; others flow past a held one."""
        account = journal.create("Account", {"Name": "Acme"}, id="1", reason="a new client")
        journal.create("Visit", {"Account": account}, id="1")
        journal.create("Visit", {"Status": "open"}, id="2")
        drafts = Drafts(journal)
        first, second, third = (pending.draft for pending in drafts.pending())
        note(journal, account, PushStarted(draft_id=first.draft_id))
        messages = (FieldMessage(field="Name", message="is taken", code="duplicate"),)
        held = DraftHeld(
            draft_id=first.draft_id,
            classification="rejected",
            messages=messages,
            status=422,
            answer="no",
        )
        note(journal, account, held)

        pending = drafts.pending()

        blocker, no = pending[0].draft, "rejected (Name: is taken)"
        assert [each.draft for each in pending] == [blocker, second, third]
        assert [each.blocker for each in pending] == [blocker, blocker, None]
        assert [each.why for each in pending] == [
            (
                f"the create of Account:1 is held: {no}; it waits for a decision: "
                "amend it, retry it, or discard it; 1 draft waits behind it"
            ),
            (
                "the create of Visit:1 waits behind the create of Account:1, which is held: "
                f"{no}; it waits for a decision on that draft"
            ),
            "the create of Visit:2 is the next to be sent",
        ]
        assert blocker.hold is not None
        assert blocker.hold._asdict() == {
            "classification": "rejected",
            "messages": messages,
            "status": 422,
            "answer": "no",
        }
        assert (blocker.reason, blocker.actor, blocker.pushes) == ("a new client", "ann", 1)
        assert (len(drafts), drafts.held()) == (3, 1)

    def test_ages(self, journal: Journal) -> None:
        """A draft is as old as its change, and never younger than nothing."""
        journal.create("Account", {})
        clock = journal.sources.clock
        assert isinstance(journal.sources, FixedSources)
        made_at = journal.log.read()[0].occurred_at
        journal.sources.clock.now = made_at + 89_999_000
        (pending,) = Drafts(journal).pending()
        assert pending.age_s == 90.0

        journal.sources.clock.now = made_at - 5_000_000
        (pending,) = Drafts(journal).pending()
        assert pending.age_s == 0.0
        assert clock is journal.sources.clock

    @pytest.mark.parametrize("limit", [-1, 0, 1, 2, 3, 4])
    def test_limit_gives_the_first(self, journal: Journal, limit: int) -> None:
        """A limit cuts the queue behind the first so many, which are explained no differently."""
        for name in ("a", "b", "c"):
            journal.create("Account", {"Name": name})
        drafts = Drafts(journal)

        pending = drafts.pending(limit)

        assert [each[:3] for each in pending] == [
            each[:3] for each in drafts.pending()[: max(limit, 0)]
        ]

    def test_get_finds_one(self, journal: Journal) -> None:
        """A draft is found by its id, and one that is not pending is missing."""
        account = journal.create("Account", {"Name": "a"})
        draft_id = str(journal.update(account, {"Name": "b"}))
        drafts = Drafts(journal)

        found = drafts.get(draft_id)

        assert found[:3] == drafts.pending()[1][:3]
        with pytest.raises(DraftMissingError) as caught:
            drafts.get("no such draft")
        assert caught.value.draft_id == "no such draft"

    def test_retried_draft_waits_again(self, journal: Journal) -> None:
        """A held draft that is retried is pending as it was, and known to have been pushed."""
        account = journal.create("Account", {})
        drafts = Drafts(journal)
        (before,) = drafts.queue()
        note(journal, account, PushStarted(draft_id=before.draft_id))
        note(journal, account, DraftHeld(draft_id=before.draft_id, classification="gone"))
        assert drafts.held() == 1

        note(journal, account, DraftRetried(draft_id=before.draft_id))

        assert list(drafts.queue()) == [before._replace(pushes=1)]
        assert drafts.held() == 0


@given(histories, st.lists(st.integers(1, 9)), st.booleans())
def test_table_and_queue_hold_the_same(
    history: list[Entry],
    cuts: list[int],
    is_cut_small: bool,  # noqa: FBT001  drawn
) -> None:
    """The table is the queue folded over the log, at every cut, and in every split (Q4)."""
    queue = Queue()
    with Journal() as journal, pytest.MonkeyPatch.context() as patch:
        if is_cut_small:
            patch.setattr(projections, "PAGE", 2)
            patch.setattr(projections, "BATCH", 3)
        drafts = Drafts(journal)
        done = 0
        for count in [*cuts, len(history)]:
            append(journal, history[done : done + count])
            for entry in journal.log.scan(queue.position):
                queue.apply(entry)
            done += count

            kept = drafts.queue()

            assert list(kept) == list(queue)
            assert kept.switch == queue.switch
            assert (kept.position, kept.held, len(drafts)) == (
                queue.position,
                queue.held,
                len(queue),
            )
            assert [each[:3] for each in drafts.pending()] == list(explained(queue, queue.switch))
        digest = drafts.digest()
        drafts.rebuild()
        assert drafts.digest() == digest
