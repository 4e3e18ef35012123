"""Expectations: what can be written, what it means, and that no text is ever run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.errors import InvalidValueError
from journal.events import PushStarted
from journal.staging import Facts
from projections.bisecting import first_failure
from projections.expectation import UNHEARD, Expectation
from projections.folding import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Two accounts, one of them deleted, and a visit."""
    with Journal(actor="ann") as made:
        account = made.create("Account", {"Name": "Acme", "Sites": [1, {"City": "Graz"}]}, id="1")
        made.create("Account", {"Name": "1", "Of": account, "a.b": True}, id="a.1")
        made.delete("Account:a.1")
        made.create("Visit", {"N": 3, "F": 3.0, "And": "x and y"}, id="v")
        draft_id = made.log.read(0, 1)[0].event_id
        made.note(account, lambda _: [PushStarted(draft_id=draft_id)], Facts("sync", "van"))
        yield made


def moment(journal: Journal, until: int | None = None) -> Moment:
    """The journal at a position, or at its end."""
    found = Moment()
    for entry in journal.log.scan(until=until):
        found.apply(entry)
    return found


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('records.Account:1.fields.Name == "Acme"', True),
        ('records.Account:1.fields.Name != "Acme"', False),
        ('  records.Account:1.fields.Name=="Acme"  ', True),
        ("records.Account:1.fields.Sites.1.City == null", False),
        ('records.Account:1.fields.Sites.1.City == "Graz"', True),
        ("records.Account:1.fields.Sites.7 == null", True),
        ("records.Account:1.fields.Sites.City == null", True),
        ('records.Account:1.fields.Sites == [1, {"City": "Graz"}]', True),
        ("records.Account:1.fields.Nothing == null", True),
        ("records.Account:1.fields.Name < 3", False),
        ('records.Account:1.fields.Name < "B"', True),
        ("records.Visit:v.fields.N == 3", True),
        ("records.Visit:v.fields.N == 3.0", False),
        ("records.Visit:v.fields.N >= 3.0 and records.Visit:v.fields.F <= 3", True),
        ('records.Visit:v.fields.And == "x and y" and drafts.held == 0', True),
        ("records.Visit:v.fields.N > true", False),
        ('records."Account:a.1".exists == false', True),
        ('records."Account:a.1".deleted == true', True),
        ('records."Account:a.1".fields."a.b" == true', False),
        ('records."Account:a.1".fields."a.b" == null', True),
        ('records."Account:a.1".drafts == 2', True),
        ('records."Account:a.1".version == 2', True),
        ("records.Account:1.remote_id == null", True),
        ("records.Account:1.remote_version == null", True),
        ("records.Account:never.exists == true", True),
        ("records.count == 2", True),
        ("records.Account.count == 1", True),
        ("drafts.pending == 4 and drafts.sending == 1 and drafts.stopped == false", True),
        ("position == 5", True),
    ],
)
def test_what_holds(journal: Journal, text: str, holds: bool) -> None:  # noqa: FBT001
    """Values are compared exactly, and what is unknown yet is not held against anybody."""
    assert (Expectation.parse(text).failing(moment(journal)) is None) is holds


def test_a_reference_is_no_text(journal: Journal) -> None:
    """A reference is written behind @, and is not the text that it looks like."""
    then = moment(journal, until=2)

    assert Expectation.parse('records."Account:a.1".fields.Of == @Account:1').failing(then) is None
    assert Expectation.parse('records."Account:a.1".fields.Of == "Account:1"').failing(then)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a path is names"),
        ("drafts.held", "after drafts.held comes one of"),
        ("drafts.held = 0", "after drafts.held comes one of"),
        ("drafts.held ==", "is no JSON"),
        ("drafts.held == zero", "'zero' is no JSON"),
        ("drafts.held == NaN", "is no JSON"),
        ("drafts.held == @nowhere", "is no JSON, nor a reference"),
        ("drafts.held == 0 or drafts.held == 1", "what is 'or"),
        ("drafts.held == 0 and", "nothing follows"),
        ("draft.held == 0", "there is no draft.held"),
        ("records.Account:1.name == 0", "there is no records.Account:1.name"),
        ("records.Account:1.exists.really == 0", "there is no"),
        ("records.Account.1.fields.Name == 0", "there is no"),
        ("records.1A:1.exists == true", "1A"),
        ("records..fields == 0", "a path is names"),
        ('records."Account:1\\q".exists == true', "is no text in JSON"),
        ("__import__('os').system('true') == 0", "there is no __import__"),
    ],
)
def test_what_is_none(text: str, problem: str) -> None:
    """A text that is no expectation is refused, with what is wrong; nothing of it is run."""
    with pytest.raises(InvalidValueError, match="expectation") as caught:
        Expectation.parse(text)

    assert problem in caught.value.problem + caught.value.hint


class TestFirstFailure:
    """The first event after which an expectation fails."""

    @pytest.mark.parametrize("n", [0, 1, 41, 98])
    def test_it_is_found_by_halving(self, n: int) -> None:
        """The event is found, whichever it is, in as many looks as halving takes."""
        with Journal(actor="ann") as journal:
            with journal.batch():
                ref = journal.create("A", {"N": 0}, id="1")
                for value in range(1, 100):
                    journal.update(ref, {"N": value})
            told: list[tuple[int, int]] = []
            expectation = Expectation.parse(f"records.A:1.fields.N <= {n}")

            found = first_failure(
                journal, expectation, progress=lambda done, total: told.append((done, total))
            )

        assert found is not None
        assert (found.entry.position, found.before, found.after) == (n + 2, n, n + 1)
        assert found.looks <= 2 + 7

    def test_the_first_event_of_all(self, journal: Journal) -> None:
        """Where the record was not heard of before, there was nothing to be compared."""
        found = first_failure(journal, Expectation.parse('records.Account:1.fields.Name == "X"'))

        assert found is not None
        assert (found.entry.position, found.before, found.after) == (1, UNHEARD, "Acme")

    def test_what_holds_to_the_end(self, journal: Journal) -> None:
        """Nothing is found where it holds at the end, or at the position that is named."""
        assert first_failure(journal, Expectation.parse("drafts.held == 0")) is None
        assert first_failure(journal, Expectation.parse("records.count <= 1"), until=1) is None

    def test_what_does_not_hold_at_the_beginning(self, journal: Journal) -> None:
        """Where it does not hold at the beginning, one is asked for at which it does."""
        expectation = Expectation.parse("drafts.pending >= 1 and drafts.sending == 0")

        with pytest.raises(InvalidValueError, match="does not hold at position 0"):
            first_failure(journal, expectation)

        found = first_failure(journal, expectation, after=1)
        assert found is not None
        assert (found.entry.position, found.comparison.text) == (5, "drafts.sending")
