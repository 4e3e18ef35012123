"""Hints: a draft that the service would surely refuse is refused when it is made."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref
from journal.catalogue import Described
from journal.descriptions import Choice, FieldDescription, TypeDescription
from journal.errors import InvalidRecordError, InvalidValueError, WouldBeRefusedError
from journal.events import DraftHeld
from journal.staging import Facts

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "https://org.example.com"
VISIT = TypeDescription(
    "Visit",
    (
        FieldDescription("Name", "text", required=True, nullable=False, length=5),
        FieldDescription("Status", "choice", choices=(Choice("Open"),), closed=True),
        FieldDescription("Account", "reference", updateable=False),
    ),
    deletable=False,
)


def described(**says: Any) -> Journal:  # noqa: ANN401
    """Return a journal that knows what a visit is."""
    journal = Journal(actor="ann", origin="van-7", **says)
    journal.catalogue.keep(Described(VISIT, SOURCE, 17))
    return journal


class TestRefused:
    """The usual case."""

    def test_a_create(self) -> None:
        """Nothing is stored, and each field has its message."""
        journal = described()
        with pytest.raises(WouldBeRefusedError) as caught:
            journal.create("Visit", {"Name": "much too long", "Status": "Lost"})

        assert caught.value.messages == {
            "Name": "has 13 characters; the service takes 5",
            "Status": "'Lost' is none of its values: Open",
        }
        assert isinstance(caught.value, InvalidRecordError)
        assert caught.value.source == SOURCE
        assert "Name: has 13 characters" in str(caught.value)
        assert 'hints="warn"' in caught.value.hint
        assert journal.log.head() == 0

    def test_an_update_is_held_against_what_it_really_sets(self) -> None:
        """A field that has the value already is not set, so nothing is refused for it."""
        journal = described()
        visit = journal.create("Visit", {"Name": "V-1", "Account": "001"})
        journal.update(visit, {"Account": "001", "Status": "Open"})
        with pytest.raises(WouldBeRefusedError) as caught:
            journal.update(visit, {"Account": "002"})

        assert caught.value.messages == {"Account": "cannot be changed"}
        assert journal.load(visit).version == 2

    def test_a_delete(self) -> None:
        """The service may let nobody delete a record of the type."""
        journal = described()
        visit = journal.create("Visit", {"Name": "V-1"})
        with pytest.raises(WouldBeRefusedError, match="record: the service lets nobody delete"):
            journal.delete(visit)

    def test_a_draft_that_is_amended(self) -> None:
        """An amended draft is a draft."""
        journal = described()
        visit = journal.create("Visit", {"Name": "V-1"})
        [entry] = journal.log.stream(visit)
        with pytest.raises(WouldBeRefusedError):
            journal.amend(entry.event_id, {"Name": "much too long"})

        assert journal.amend(entry.event_id, {"Name": "V-2"}) is not None

    def conflicting(self, **says: Any) -> tuple[Journal, str]:  # noqa: ANN401
        """Return a journal with a draft that is held in a conflict, about the status."""
        journal = described(**says)
        journal.observe("Visit:1", {"Name": "V-1", "Status": None, "Colour": "red"})
        draft_id = journal.update("Visit:1", {"Status": "Open"}) or ""
        journal.observe("Visit:1", {"Name": "V-2", "Status": "Lost", "Colour": "red"})
        hold = DraftHeld(draft_id=draft_id, revision=0, classification="conflict", attempts=1)
        journal.note(Ref("Visit:1"), lambda _: (hold,), Facts("sync", "van-7"))
        return journal, draft_id

    def test_a_value_that_decides_a_conflict(self) -> None:
        """Who gives it is told, like who amends; the draft is held as it was."""
        journal, draft_id = self.conflicting()
        with pytest.raises(WouldBeRefusedError) as caught:
            journal.resolve(draft_id, fields={"Status": "Won"})

        assert caught.value.messages == {"Status": "'Won' is none of its values: Open"}
        assert journal.load("Visit:1").changes[0].state == "held"
        assert journal.resolve(draft_id, fields={"Status": "open"}) is not None

    def test_only_a_value_that_is_given_is_looked_at(self) -> None:
        """What the service has said itself of a record that is created again is a fact."""
        journal, draft_id = self.conflicting()
        journal.observe("Visit:1", None)

        journal.resolve(draft_id, "ours", fields={"Status": "open"})

        [change] = journal.load("Visit:1").changes
        assert (change.kind, change.fields["Status"]) == ("create", "open")

    def test_a_value_that_decides_a_conflict_is_warned_of(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As a draft is."""
        journal, draft_id = self.conflicting(hints="warn")
        with caplog.at_level(logging.WARNING, "journal.hints"):
            journal.resolve(draft_id, fields={"Status": "Won"})

        assert ["Won" in record.getMessage() for record in caplog.records] == [True]

    def test_in_a_batch(self) -> None:
        """Nothing of the batch is stored."""
        journal = described()

        def make() -> None:
            with journal.batch():
                journal.create("Note", {"text": "x"})
                journal.create("Visit", {})

        with pytest.raises(WouldBeRefusedError):
            make()

        assert journal.log.head() == 0

    def test_a_create_that_is_repeated_is_safe(self) -> None:
        """What was done already is not refused by what was learned later."""
        journal = Journal()
        journal.create("Visit", {"Name": "much too long"}, id="v-1")
        journal.catalogue.keep(Described(VISIT, SOURCE, 17))

        assert journal.create("Visit", {"Name": "much too long"}, id="v-1") == "Visit:v-1"

    def test_what_the_service_itself_says_is_a_fact(self) -> None:
        """An observation is no draft."""
        journal = described()
        journal.observe("Visit:1", {"Colour": "red"})

        assert journal.load("Visit:1").fields == {"Colour": "red"}

    def test_other_types_are_as_they_were(self) -> None:
        """Nothing is known of them, so nothing is refused."""
        assert described().create("Note", {"anything": [1]}).type == "Note"


class TestSwitch:
    """Hints can be softened, and switched off."""

    def test_warn(self, caplog: pytest.LogCaptureFixture) -> None:
        """The draft is made, and the log of the program says what will become of it."""
        journal = described(hints="warn")
        with caplog.at_level(logging.WARNING, "journal.hints"):
            visit = journal.create("Visit", {"Name": "much too long"}, id="v-1")
            journal.create("Visit", {"Name": "much too long"}, id="v-1")
            journal.update(visit, {"Status": "Open"})

        assert journal.load(visit).version == 2
        assert [record.getMessage() for record in caplog.records] == [
            "Visit:v-1 would be refused: Name: has 13 characters; the service takes 5"
        ]

    def test_off(self, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing is said, and nothing is looked up."""
        journal = described(hints="off")
        journal.create("Visit", {"Colour": 1})

        assert caplog.records == []

    def test_there_are_three(self) -> None:
        """A fourth is a mistake."""
        with pytest.raises(InvalidValueError, match="refuse, warn, off"):
            Journal(hints="maybe")  # type: ignore[arg-type]


class TestCatalogue:
    """Where descriptions are kept."""

    def test_they_are_there_the_next_time(self, tmp_path: Path) -> None:
        """They are kept in the file, beside the log and not in it."""
        with Journal(tmp_path / "j.db") as journal:
            journal.catalogue.keep(Described(VISIT, SOURCE, 17))
            journal.catalogue.keep(Described(VISIT._replace(label="A visit"), SOURCE, 18))
        with Journal(tmp_path / "j.db") as journal:
            assert journal.catalogue.find("Visit") == (VISIT._replace(label="A visit"), SOURCE, 18)
            assert journal.catalogue.find("Note") is None
            assert [kept.type.record_type for kept in journal.catalogue.all()] == ["Visit"]
            assert journal.log.head() == 0

    def test_they_can_be_forgotten(self) -> None:
        """What was described may be forgotten, and described again."""
        journal = described()

        assert journal.catalogue.forget("Visit")
        assert not journal.catalogue.forget("Visit")
        assert not Journal().catalogue.forget("Visit")
        assert journal.create("Visit", {}).type == "Visit"

    def test_nothing_is_refused_by_what_another_process_knows_better(self, tmp_path: Path) -> None:
        """Before a draft is refused, its type is looked up again."""
        longer = VISIT._replace(fields=(VISIT.fields[0]._replace(length=20), *VISIT.fields[1:]))
        with Journal(tmp_path / "j.db") as one, Journal(tmp_path / "j.db") as other:
            one.catalogue.keep(Described(VISIT, SOURCE, 17))
            one.create("Visit", {"Name": "V-1"})
            other.catalogue.keep(Described(longer, SOURCE, 18))

            one.create("Visit", {"Name": "much too long"})
            with pytest.raises(WouldBeRefusedError, match="takes 20"):
                one.create("Visit", {"Name": "much too long" * 2})
            other.catalogue.forget("Visit")
            one.create("Visit", {"Name": "much too long" * 2})

    def test_what_another_process_learned_is_seen_when_it_is_asked_for(
        self, tmp_path: Path
    ) -> None:
        """A type is looked up once, until it is to be looked up anew."""
        with Journal(tmp_path / "j.db") as one, Journal(tmp_path / "j.db") as other:
            assert one.catalogue.find("Visit") is None
            other.catalogue.keep(Described(VISIT, SOURCE, 17))
            assert one.catalogue.find("Visit") is None
            one.catalogue.reload()
            assert one.catalogue.find("Visit") == (VISIT, SOURCE, 17)

    def test_what_somebody_has_damaged_was_never_there(self, tmp_path: Path) -> None:
        """It can be asked for anew, so it stops nobody."""
        with Journal(tmp_path / "j.db") as journal:
            journal.catalogue.keep(Described(VISIT, SOURCE, 17))
            with journal.log.views.write() as cursor:
                cursor.execute("UPDATE sync_record_type SET description = '{'")
            journal.catalogue.reload()

            assert journal.catalogue.all() == []
            assert journal.create("Visit", {}) in {Ref(s.stream) for s in journal.log.scan(0)}


def test_what_a_subscriber_notes_is_not_advised_on() -> None:
    """Who notes what a remote said makes no draft."""
    journal = described()
    visit = journal.create("Visit", {"Name": "V-1"})

    assert not journal.note(visit, lambda _: (), Facts("sync", "van-7"))
