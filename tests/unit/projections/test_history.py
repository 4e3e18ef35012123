"""History: who, when, from what to what, and what became of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import Journal, Ref
from journal.errors import InvalidNameError, InvalidValueError, RecordMissingError
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    FieldMessage,
    PushStarted,
    time_of,
)
from projections import FieldChange, History, HistoryLine, Outcome
from projections import projection as projections
from tests.replay.fixed import FixedSources
from tests.strategies import REFS, histories
from tests.unit.projections.folding import append, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import Entry


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal in memory, with a clock of its own."""
    with Journal(actor="ann", origin="van-7", sources=FixedSources()) as journal:
        yield journal


def last(journal: Journal, ref: Ref) -> HistoryLine:
    """Return the last line of a record, which both ways of asking give alike."""
    history = History(journal)
    line = history.of(ref)[-1]
    assert history.between()[-1] == line
    return line


class TestLine:
    """What one event says."""

    def test_says_who_when_and_why(self, journal: Journal) -> None:
        """A line has the whole envelope of its event."""
        account = journal.create(
            "Account",
            {"Name": "Acme", "Nothing": None},
            actor="bob",
            reason="a new client",
            correlation_id="c1",
        )
        entry = journal.log.read()[0]

        line = last(journal, account)

        assert line == HistoryLine(
            1,
            entry.at,
            "bob",
            "van-7",
            "a new client",
            account,
            "RecordCreated",
            entry.event_id,
            (FieldChange("Name", None, "Acme"),),
            None,
            entry.event_id,
            "c1",
        )
        assert line.at.tzinfo is UTC

    def test_says_from_what_to_what(self, journal: Journal) -> None:
        """An update shows the fields that it changed, a delete all that the record had."""
        account = journal.create("Account", {"Name": "Acme", "Size": 1})

        journal.update(account, {"Size": 2, "City": "Graz", "Name": "Acme"})
        assert last(journal, account).changes == (
            FieldChange("Size", 1, 2),
            FieldChange("City", None, "Graz"),
        )

        journal.delete(account)
        assert last(journal, account).changes == (
            FieldChange("Name", "Acme", None),
            FieldChange("Size", 2, None),
            FieldChange("City", "Graz", None),
        )

    def test_says_what_the_remote_changed(self, journal: Journal) -> None:
        """An observation shows what the remote says now against what it said before."""
        account = Ref("Account:1")
        journal.observe(account, {"Name": "Acme", "Size": 1})
        assert last(journal, account).changes == (
            FieldChange("Name", None, "Acme"),
            FieldChange("Size", None, 1),
        )
        journal.update(account, {"Size": 5})

        journal.observe(account, {"Size": 2}, partial=True)
        assert last(journal, account).changes == (FieldChange("Size", 1, 2),)
        assert last(journal, account).draft_id is None

        journal.observe(account, None)
        assert last(journal, account).changes == (
            FieldChange("Name", "Acme", None),
            FieldChange("Size", 2, None),
        )

        journal.observe(account, {"Name": "Acme"})
        assert last(journal, account).changes == (FieldChange("Name", None, "Acme"),)

    def test_true_is_not_one(self, journal: Journal) -> None:
        """Values are compared as JSON, so that no change is overlooked."""
        account = journal.create("Account", {"Flag": 1})

        journal.update(account, {"Flag": True})

        assert last(journal, account).changes == (FieldChange("Flag", 1, True),)  # noqa: FBT003

    def test_says_how_a_draft_was_amended(self, journal: Journal) -> None:
        """An amendment and a decision show what the draft was to set, and what it sets now."""
        account = Ref("Account:1")
        journal.observe(account, {"Name": "Acme", "Size": 1})
        draft_id = str(journal.update(account, {"Size": 2}))
        note(journal, account, DraftAmended(draft_id=draft_id, revision=1, fields={"Size": 3}))
        assert last(journal, account).changes == (FieldChange("Size", 2, 3),)
        assert last(journal, account).draft_id == draft_id

        resolved = ConflictResolved(
            draft_id=draft_id,
            revision=2,
            base={},
            ours={},
            theirs=None,
            resolutions=(),
            kind="update",
            fields={"City": "Graz"},
        )
        note(journal, account, resolved)
        assert last(journal, account).changes == (
            FieldChange("Size", 3, None),
            FieldChange("City", None, "Graz"),
        )

        note(journal, account, DraftAmended(draft_id="no such", revision=1, fields={"Size": 3}))
        assert last(journal, account).changes == ()

    def test_says_what_a_discard_took_back(self, journal: Journal) -> None:
        """A discard shows how the record is again."""
        account = Ref("Account:1")
        journal.observe(account, {"Size": 1})
        draft_id = str(journal.update(account, {"Size": 2}))

        note(journal, account, DraftDiscarded(draft_id=draft_id))

        assert last(journal, account).changes == (FieldChange("Size", 2, 1),)

    def test_says_what_a_receipt_changed(self, journal: Journal) -> None:
        """An acknowledgement shows what the remote made of the record beyond what was sent."""
        account = journal.create("Account", {"Name": "acme"})
        draft_id = journal.log.read()[0].event_id
        receipt = DraftAcknowledged(
            draft_id=draft_id, evidence="answer", fields={"Name": "ACME", "Number": 7}
        )

        note(journal, account, PushStarted(draft_id=draft_id), receipt)

        assert [line.changes for line in History(journal).of(account)[1:]] == [
            (),
            (FieldChange("Name", "acme", "ACME"), FieldChange("Number", None, 7)),
        ]

    def test_unknown_record_is_refused(self, journal: Journal) -> None:
        """There is no history of a record that the journal has never heard of."""
        with pytest.raises(RecordMissingError):
            History(journal).of(Ref("Account:9"))
        with pytest.raises(InvalidNameError):
            History(journal).of("Account")

    def test_text_of_a_reference_will_do(self, journal: Journal) -> None:
        """A record may be named by the text of its reference."""
        journal.create("Account", {}, id="1")

        assert len(History(journal).of("Account:1")) == 1


class TestOutcome:
    """What became of a change."""

    def test_follows_what_becomes_of_a_draft(self, journal: Journal) -> None:
        """A change says what became of it: held, on its way again, acknowledged."""
        account = journal.create("Account", {"Name": "Acme"})
        draft_id = journal.log.read()[0].event_id
        messages = (FieldMessage(message="no"),)
        seen = []
        for event in (
            PushStarted(draft_id=draft_id),
            DraftHeld(draft_id=draft_id, classification="rejected", messages=messages, attempts=2),
            PushStarted(draft_id=draft_id),
            DraftRetried(draft_id=draft_id),
            DraftAcknowledged(
                draft_id=draft_id,
                evidence="read",
                remote_id="r1",
                remote_version="v1",
                attempts=3,
            ),
        ):
            note(journal, account, event)
            history = History(journal)
            first, *rest = history.of(account)
            assert history.between() == [first, *rest]
            assert {line.outcome for line in rest} == {None}
            assert {line.draft_id for line in rest} == {draft_id}
            seen.append(first.outcome)

        times = [entry.at for entry in journal.log.scan()]
        held = Outcome("held", times[2], None, None, None, 2, messages)
        assert seen == [
            None,
            held,
            held,
            None,
            Outcome("acknowledged", times[5], "read", "r1", "v1", 3, ()),
        ]

    def test_of_one_that_was_discarded(self, journal: Journal) -> None:
        """A change that will never be sent says so."""
        account = journal.create("Account", {})
        draft_id = str(journal.update(account, {"Name": "x"}))

        note(journal, account, DraftDiscarded(draft_id=draft_id))

        created, updated, discarded = History(journal).of(account)
        assert (created.outcome, discarded.outcome) == (None, None)
        assert updated.outcome == Outcome("discarded", discarded.at, None, None, None, 0, ())


class TestBetween:
    """What happened in a time."""

    def test_is_chosen_by_time_actor_and_type(self, journal: Journal) -> None:
        """Lines are chosen by when, who and what kind, together and apart, in order."""
        journal.create("Account", {}, id="1")
        journal.create("Visit", {}, id="1", actor="bob")
        journal.create("Account", {}, id="2", actor="bob")
        journal.create("Visit", {}, id="2")
        history = History(journal)
        times = [entry.at for entry in journal.log.scan()]

        def found(lines: list[HistoryLine]) -> list[int]:
            return [line.position for line in lines]

        assert found(history.between()) == [1, 2, 3, 4]
        assert found(history.between(times[1])) == [2, 3, 4]
        assert found(history.between(times[1], times[3])) == [2, 3]
        assert found(history.between(until=times[3] + timedelta(microseconds=1))) == [1, 2, 3, 4]
        assert found(history.between(actor="bob")) == [2, 3]
        assert found(history.between(record_type="Visit")) == [2, 4]
        assert found(history.between(times[2], actor="bob", record_type="Account")) == [3]
        assert found(history.between(actor="'; DROP TABLE history")) == []
        assert [found(history.between(limit=limit)) for limit in (-1, 0, 2, 9)] == [
            [],
            [],
            [3, 4],
            [1, 2, 3, 4],
        ]

    def test_time_zone_is_heeded_and_needed(self, journal: Journal) -> None:
        """A moment is the same in every time zone, and none without one."""
        journal.create("Account", {})
        at = journal.log.read()[0].at.astimezone(timezone(timedelta(hours=5, minutes=30)))
        history = History(journal)

        assert len(history.between(at, at + timedelta(seconds=1))) == 1
        assert history.between(until=at) == []
        with pytest.raises(InvalidValueError, match="has no time zone"):
            history.between(datetime(2025, 6, 1))  # noqa: DTZ001  that is the point
        with pytest.raises(InvalidValueError, match="has no time zone"):
            history.between(until=datetime(2025, 6, 1))  # noqa: DTZ001  that is the point

    @pytest.mark.parametrize("moment", ["2025-06-01", date(2025, 6, 1), 0])
    def test_what_is_no_moment_is_refused(self, journal: Journal, moment: Any) -> None:  # noqa: ANN401
        """A day has no time zone, and a text is no time."""
        for bounds in ({"since": moment}, {"until": moment}):
            with pytest.raises(InvalidValueError, match="is no moment: a datetime is"):
                History(journal).between(**bounds)


@given(histories, st.lists(st.integers(1, 9)), st.booleans())
def test_both_ways_tell_the_same(
    history: list[Entry],
    cuts: list[int],
    is_cut_small: bool,  # noqa: FBT001  drawn
) -> None:
    """The lines of a time are those of its records, however the table came about."""
    with Journal() as journal, pytest.MonkeyPatch.context() as patch:
        if is_cut_small:
            patch.setattr(projections, "PAGE", 2)
            patch.setattr(projections, "BATCH", 3)
        view = History(journal)
        done = 0
        for count in [*cuts, len(history)]:
            append(journal, history[done : done + count])
            done += count
            view.catch_up()
        digest = view.digest()

        lines = view.between()

        told = [
            line for ref in (*REFS, QUEUE) if journal.load(ref).version for line in view.of(ref)
        ]
        assert sorted(told) == lines
        assert [line.position for line in lines] == [entry.position for entry in history]
        assert [line.at for line in lines] == [time_of(entry.occurred_at) for entry in history]
        view.rebuild()
        assert view.digest() == digest
