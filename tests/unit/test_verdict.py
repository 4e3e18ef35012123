"""What settles a draft, and what became of the draft once that is appended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.conflicts import Resolved
from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftHeld,
    FieldMessage,
    RecordObserved,
)
from journal.outcomes import Acknowledged, Refused, Seen
from journal.policies import Policies
from journal.sync.verdict import Verdict, storable
from projections import Drafts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal.events import Event
    from journal.outcomes import Settled
    from journal.record import Change, Record

NOTE: Final = Ref.of("Note", "n1")
BEFORE: Final = {"title": "a", "text": "x"}
THEIRS: Final = {"title": "theirs", "text": "x"}
DISPUTED: Final = "the remote has another state of the record than the draft was made on"
RECEIPT: Final = Acknowledged("answer", "r1", '"2"', 200)


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal in which the title of a note was changed."""
    with Journal(actor="ann", origin="van-7") as journal:
        journal.observe(NOTE, BEFORE, remote_version='"1"')
        journal.update(NOTE, {"title": "b"})
        yield journal


SEEN: Final = RecordObserved(exists=False)


class Told:
    """What was seen since a draft was begun: the end of the record, and what it was asked."""

    def __init__(self, *, is_late: bool = False) -> None:
        """Begin with nothing asked; what is late lets nothing be decided."""
        self.asked: list[tuple[Record, Change, Sequence[Event]]] = []
        self._is_late = is_late

    def __call__(self, record: Record, change: Change, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events with what was seen."""
        self.asked.append((record, change, events))
        return () if self._is_late else (*events, SEEN)


def decided(
    journal: Journal, outcome: Settled, policies: Policies | None = None
) -> tuple[Verdict, Sequence[Event]]:
    """Return what settles the draft, and its events, where nothing was seen since."""
    record = journal.load(NOTE)
    [pending] = Drafts(journal).pending()
    verdict = Verdict(
        pending.draft, outcome, 3, policies or Policies(), lambda _, __, events: events
    )
    return verdict, verdict.decide(record, record.changes[0])


class TestDecide:
    """The events of what settles a draft."""

    def test_a_receipt_and_what_is_newer(self, journal: Journal) -> None:
        """N1: what was seen since comes behind the receipt, and with it."""
        record, told = journal.load(NOTE), Told()
        [pending] = Drafts(journal).pending()
        verdict = Verdict(pending.draft, RECEIPT, 3, Policies(), told)

        events = verdict.decide(record, record.changes[0])

        receipt, seen = events
        assert isinstance(receipt, DraftAcknowledged)
        assert (receipt.evidence, receipt.remote_id, receipt.attempts) == ("answer", "r1", 3)
        assert told.asked == [(record, record.changes[0], (receipt,))]
        assert (seen, verdict.events, verdict.became) == (SEEN, events, RECEIPT)

    def test_nothing_while_something_else_was_seen(self, journal: Journal) -> None:
        """N3: then nothing has become of the draft, and the remote is asked once more."""
        record = journal.load(NOTE)
        [pending] = Drafts(journal).pending()
        told = Told(is_late=True)
        verdict = Verdict(pending.draft, Refused("conflict"), 3, Policies(), told)

        assert (verdict.decide(record, record.changes[0]), verdict.became) == ((), None)

    def test_a_refusal(self, journal: Journal) -> None:
        """It holds the draft, with what was said."""
        refusal = Refused("rejected", (FieldMessage(message="no"),), 422)

        verdict, events = decided(journal, refusal)

        [held] = events
        assert isinstance(held, DraftHeld)
        assert (held.classification, held.status) == ("rejected", 422)
        assert verdict.events == events

    @pytest.mark.parametrize(("name", "kind"), [("ours", ConflictResolved), ("hold", DraftHeld)])
    def test_a_conflict(self, journal: Journal, name: Any, kind: type[Event]) -> None:  # noqa: ANN401
        """It is decided by the policies, on what was seen of the record."""
        disputed = Refused("conflict", (), 412, seen=Seen(THEIRS, "r1", '"2"'))

        verdict, events = decided(journal, disputed, Policies(default=name))

        assert [type(event) for event in events] == [RecordObserved, kind]
        assert verdict.events == events


class TestBecame:
    """What became of a draft, for who sent it."""

    def test_nothing_before_it_is_decided(self, journal: Journal) -> None:
        """Nor where somebody else was first, and nothing was decided at all."""
        [pending] = Drafts(journal).pending()

        verdict = Verdict(pending.draft, RECEIPT, 1, Policies(), Told())

        assert (verdict.draft, verdict.outcome) == (pending.draft, RECEIPT)
        assert (verdict.events, verdict.became) == ((), None)

    def test_what_is_acknowledged(self, journal: Journal) -> None:
        """It is what the remote said."""
        verdict, _ = decided(journal, RECEIPT)

        assert verdict.became is RECEIPT

    def test_what_is_held(self, journal: Journal) -> None:
        """With all that was noted of it, and not only with what the remote said."""
        no = FieldMessage(message="no")
        disputed = Refused("conflict", (no,), 412, "{}", Seen(THEIRS, "r1", '"2"'))

        verdict, events = decided(journal, disputed, Policies(default="hold"))

        held = events[-1]
        assert isinstance(held, DraftHeld)
        assert len(held.messages) > 1
        assert verdict.became == disputed._replace(messages=held.messages)

    def test_what_is_resolved(self, journal: Journal) -> None:
        """With what is left to send, who won, and why there was anything to decide."""
        disputed = Refused("conflict", (), 412, seen=Seen(THEIRS, "r1", '"2"'))

        verdict, events = decided(journal, disputed, Policies(default="ours"))

        event = events[-1]
        assert isinstance(event, ConflictResolved)
        assert verdict.became == Resolved("update", {"title": "b"}, event.resolutions, DISPUTED)
        assert event.resolutions


class TestReason:
    """Why it is so, in the envelope."""

    @pytest.mark.parametrize(
        ("outcome", "reason"),
        [
            (RECEIPT, None),
            (RECEIPT._replace(note="it was there"), "it was there"),
            (Refused("rejected"), None),
            (Refused("conflict"), DISPUTED),
            (Refused("gone"), "the remote no longer has the record"),
        ],
    )
    def test_of_what_settles_it(
        self, journal: Journal, outcome: Settled, reason: str | None
    ) -> None:
        """What is odd about a receipt, or that it stood in a conflict."""
        [pending] = Drafts(journal).pending()

        assert Verdict(pending.draft, outcome, 1, Policies(), Told()).reason == reason


class TestStorable:
    """What a read has shown, as it can be kept."""

    @pytest.mark.parametrize(
        "outcome",
        [RECEIPT, Refused("rejected"), Refused("gone", seen=Seen(None, "r1"))],
        ids=["a receipt", "nothing was read", "it is gone"],
    )
    def test_where_nothing_was_shown(self, outcome: Settled) -> None:
        """It stays as it is."""
        assert storable(outcome, NOTE) is outcome

    def test_what_can_be_kept(self) -> None:
        """It is kept, whole, and is nobody else's: what is changed there is not changed here."""
        fields: dict[str, Any] = {"tags": ["a"]}
        outcome = Refused("conflict", (FieldMessage(message="no"),), 412, "", Seen(fields, "r1"))

        found = storable(outcome, NOTE)
        fields["tags"].append("b")

        assert found == outcome._replace(seen=Seen({"tags": ["a"]}, "r1"))

    def test_what_cannot_be_kept(self) -> None:
        """The refusal stands without it, and says why, behind what the remote said."""
        no = FieldMessage(message="no")
        outcome = Refused("conflict", (no,), 412, "{}", Seen({"n": float("nan")}, "r1"))

        found = storable(outcome, NOTE)

        assert isinstance(found, Refused)
        first, why = found.messages
        assert (first, found.seen, found.answer) == (no, None, "{}")
        assert why.message.startswith("the remote's record cannot be kept: ")
        assert "Note:n1" in why.message
