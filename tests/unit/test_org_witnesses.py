"""Whether a batch is applied, by what its records say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pytest

from journal import Journal, Ref
from journal.outcomes import Acknowledged
from journal.remotes import Push, Response, Salesforce
from journal.remotes.salesforce.settings import Settings
from journal.remotes.salesforce.sights import Sights
from journal.remotes.salesforce.witnesses import Witnesses, said_by, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import ChangeKind
    from journal.outcomes import Outcome
    from journal.remotes.salesforce.witnesses import Word

MINTED: Final = "0197c0de-0000-7000-8000-000000000001"
ID: Final = "001000000000001AAA"
OTHER: Final = "001000000000002AAA"
BEFORE: Final = {"Name": "a", "Size": 1}
GIVEN: Final = {
    "url": "https://acme.my.salesforce.com",
    "key": "Key__c",
    "types": {"Account": {"fields": {"Size": {"name": "Size__c"}}}},
}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def changes(
    journal: Journal,
    key: str,
    *made: tuple[ChangeKind, dict[str, Any]],
    **known: Any,  # noqa: ANN401  JSON
) -> list[Push]:
    """Return changes of an account; the org has it as known, where anything is."""
    ref = Ref.of("Account", key)
    if known:
        journal.observe(ref, known, remote_id=ID)
    record = journal.load(ref)
    base = {name: known.get(name) for name in BEFORE}
    return [
        Push(f"d{number}", ref, kind, fields, base, None, 0, False, record, {})  # noqa: FBT003
        for number, (kind, fields) in enumerate(made)
    ]


def row(record_id: str = ID, **fields: object) -> dict[str, Any]:
    """Return the row of an account."""
    return {"attributes": {"type": "Account"}, "Id": record_id, "Key__c": None, **fields}


def sights(*rows: dict[str, Any]) -> Sights:
    """Return what a query has shown."""
    content = {"totalSize": len(rows), "done": True, "records": list(rows)}
    found = Sights()
    found.add("Account", "Key__c", Response(200, {}, json.dumps(content).encode()))
    return found


def said(pushes: list[Push], found: dict[str, Any] | None, *, is_shown: bool = True) -> Word:
    """Return what a record says of its changes."""
    return said_by([Salesforce.of(GIVEN).errand(push) for push in pushes], found, is_shown=is_shown)


class TestWords:
    """W1: what one record says of its changes."""

    @pytest.mark.parametrize(
        ("kinds", "is_there", "word"),
        [
            (("create", "delete"), False, "mute"),
            (("create", "delete"), True, "other"),
            (("create", "update"), False, "before"),
            (("update",), False, "other"),
            (("update", "delete"), False, "gone"),
            (("update", "delete"), True, "before"),
        ],
    )
    def test_whether_it_is_there(
        self,
        journal: Journal,
        kinds: tuple[ChangeKind, ...],
        is_there: bool,  # noqa: FBT001
        word: Word,
    ) -> None:
        """What is made and deleted leaves nothing: a record there is somebody else's."""
        made: list[tuple[ChangeKind, dict[str, Any]]] = [(kind, {}) for kind in kinds]
        pushes = changes(journal, "a1", *made, **({} if kinds[0] == "create" else BEFORE))

        assert said(pushes, row(Name="a") if is_there else None) == word
        assert said(pushes, None, is_shown=False) == "other"

    @pytest.mark.parametrize(
        ("name", "size", "word"),
        [("b", 2, "after"), ("a", 1, "before"), ("c", 2, "other"), ("b", 1, "other")],
    )
    @pytest.mark.parametrize("key", ["a1", MINTED], ids=["any key", "ours alone"])
    def test_of_changes_all_count(
        self, journal: Journal, key: str, name: str, size: int, word: Word
    ) -> None:
        """Fields of the first and of the last; and under the names that the org has for them."""
        pushes = changes(journal, key, ("update", {"Name": "b"}), ("update", {"Size": 2}), **BEFORE)

        assert said(pushes, row(Name=name, Size__c=size)) == word

    @pytest.mark.parametrize(
        ("key", "name", "word"),
        [("a1", "n", "after"), ("a1", None, "other"), (MINTED, None, "after")],
    )
    def test_of_a_new_record(
        self, journal: Journal, key: str, name: str | None, word: Word
    ) -> None:
        """Under a key that is ours alone it is ours; else its values say it, or nothing does."""
        pushes = changes(journal, key, ("create", {"Name": "n"}))

        assert said(pushes, row(Name=name)) == word


class TestWitnesses:
    """The records of a batch: how they are asked for, and what is noted of them."""

    def receipts(self, pushes: list[Push], *rows: dict[str, Any]) -> list[Outcome]:
        """Return the acknowledgements of changes, by what was read."""
        return Witnesses(Salesforce.of(GIVEN).errand, pushes).receipts(sights(*rows))

    def test_are_looked_for_by_id_where_that_is_known(self, journal: Journal) -> None:
        """And by our key where it is not."""
        pushes = [
            *changes(journal, "a1", ("update", {"Name": "b"}), **BEFORE),
            *changes(journal, "a2", ("create", {"Name": "b"})),
        ]
        witnesses = Witnesses(Salesforce.of(GIVEN).errand, pushes)

        [query] = witnesses.search(Settings.of(GIVEN)).queries(9)

        where = unquote(query.path).partition(" WHERE ")[2]
        assert where == f"Id IN ('{ID}') OR Key__c IN ('a2')"
        assert witnesses.words(sights(row(Name="b")), {"Account"}) == ["after", "before"]

    def test_a_record_that_the_org_has_under_no_key(self, journal: Journal) -> None:
        """The row with its id is its row, whatever key stands there; not one with our key."""
        pushes = changes(journal, "a1", ("update", {"Name": "b"}), **BEFORE)
        witnesses = Witnesses(Salesforce.of(GIVEN).errand, pushes)
        found = sights(row(Name="b"), row(OTHER, Name="a", Key__c="a1"))

        assert witnesses.words(found, {"Account"}) == ["after"]

    def test_only_the_last_change_is_told_what_was_read(self, journal: Journal) -> None:
        """The record has no state between them."""
        pushes = changes(journal, "a1", ("create", {"Name": "n"}), ("update", {"Name": "m"}))

        first, last = self.receipts(pushes, row(Name="theirs", Key__c="a1"))

        assert first == Acknowledged("read", ID)
        assert isinstance(last, Acknowledged)
        assert (last.remote_id, last.fields) == (ID, {"Name": "theirs"})

    @pytest.mark.parametrize("is_there", [True, False])
    def test_a_delete_is_told_nothing(self, journal: Journal, *, is_there: bool) -> None:
        """What is there has come behind it, if it is ours at all."""
        pushes = changes(journal, "a1", ("delete", {}), **BEFORE)

        assert self.receipts(pushes, *[row(Name="a", Size__c=1)] * is_there) == [
            Acknowledged("read", ID)
        ]

    def test_a_row_with_an_id_that_is_none(self, journal: Journal) -> None:
        """It shows nothing of the record."""
        pushes = changes(journal, "a1", ("create", {"Name": "n"}))

        assert self.receipts(pushes, row("odd", Name="n", Key__c="a1")) == [
            Acknowledged("read", "odd")
        ]

    def test_a_record_that_was_not_read(self, journal: Journal) -> None:
        """Its changes are acknowledged as they were sent."""
        pushes = changes(journal, "a1", ("update", {"Name": "b"}), **BEFORE)

        assert self.receipts(pushes) == [Acknowledged("read", ID)]


class TestVerdict:
    """W1, W2: what all words together come to."""

    @pytest.mark.parametrize(
        ("words", "is_applied"),
        [
            (["after"], True),
            (["after", "mute", "gone", "other"], True),
            (["before"], False),
            (["before", "mute", "gone", "other"], False),
            (["after", "before"], None),
            (["gone"], True),
            (["gone", "mute"], True),
            (["gone", "other"], None),
            (["other"], None),
            (["other", "mute"], None),
            (["mute"], False),
        ],
    )
    def test_where_all_may_be_applied(self, words: list[Word], is_applied: bool | None) -> None:  # noqa: FBT001
        """One witness is enough; none, or two that contradict one another, are not."""
        assert verdict(words, 3, 3) is is_applied

    @pytest.mark.parametrize(
        ("words", "is_applied"),
        [
            (["after"], None),
            (["after", "before"], None),
            (["before"], False),
            (["gone"], False),
            (["gone", "other"], None),
            (["other"], None),
            (["mute"], False),
        ],
    )
    def test_where_some_surely_were_not_sent(
        self,
        words: list[Word],
        is_applied: bool | None,  # noqa: FBT001
    ) -> None:
        """Nothing is acknowledged then: what was never sent is not applied."""
        assert verdict(words, 2, 3) is is_applied
