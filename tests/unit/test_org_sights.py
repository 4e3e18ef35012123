"""What an org has shown of records, and the queries that show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pytest

from journal import Journal, Ref
from journal.remotes import Push, Response, Salesforce
from journal.remotes.salesforce.rows import MOST_PATH
from journal.remotes.salesforce.settings import Settings
from journal.remotes.salesforce.sights import Search, Sights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.salesforce.errands import OrgErrand

GIVEN: Final = {
    "url": "https://acme.my.salesforce.com",
    "key": "Key__c",
    "types": {"Contact": {"key": ""}},
}
ID: Final = "001000000000001AAA"


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def errand(journal: Journal, ref: str = "Account:a1", **fields: Any) -> OrgErrand:  # noqa: ANN401
    """Return what carries a change of a record that the org has."""
    known = {"Name": "n", **fields}
    journal.observe(ref, known, remote_id=ID)
    record = journal.load(ref)
    push = Push("d1", Ref(ref), "update", {"Name": "b"}, {}, None, 0, False, record, {})  # noqa: FBT003
    return Salesforce.of(GIVEN).errand(push)


def shows(*rows: dict[str, Any]) -> Response:
    """Return the answer to a query."""
    listed = [{"attributes": {"type": "Account"}, **row} for row in rows]
    content = {"totalSize": len(rows), "done": True, "records": listed}
    return Response(200, {}, json.dumps(content).encode())


def queries(search: Search, most: int = 9) -> list[str]:
    """Return the queries of a search."""
    return [unquote(each.path).partition("?q=")[2] for each in search.queries(most)]


class TestSights:
    """V1: what was shown, and by what it is known again."""

    def test_a_record_by_its_id_and_by_our_key(self, journal: Journal) -> None:
        """Either finds its row; the last letters of an id say nothing."""
        carrier = errand(journal)
        sights = Sights()
        row = {"Id": f"{ID[:15]}ZZZ", "Key__c": "a1", "Name": "n"}
        sights.add("Account", "Key__c", shows(row))

        for remote_id in (ID, None):
            found = sights.row(carrier, remote_id)
            assert found is not None
            assert found["Name"] == "n"
        assert sights.row(carrier, "001000000000002AAA") is None
        assert sights.is_known(carrier)

    def test_a_row_without_some_of_the_fields(self, journal: Journal) -> None:
        """It does not say what the record is like."""
        carrier = errand(journal, City="c")
        sights = Sights()
        sights.add("Account", "Key__c", shows({"Id": ID, "Key__c": None, "Name": "n"}))

        assert not sights.is_known(carrier)

    def test_a_row_with_just_the_fields(self, journal: Journal) -> None:
        """It says so."""
        carrier = errand(journal)
        sights = Sights()
        names = set(carrier.known_names) - {"Id"}
        sights.add("Account", "", shows({"Id": ID, **dict.fromkeys(names)}))

        assert sights.is_known(carrier)

    def test_a_type_without_a_key(self, journal: Journal) -> None:
        """Its rows are known by their ids alone."""
        carrier = errand(journal)
        sights = Sights()
        sights.add("Account", "", shows({"Id": ID, "": "a1", "Key__c": "a1"}))

        assert sights.row(carrier, None) is None

    def test_what_was_asked_for_and_is_not_there(self, journal: Journal) -> None:
        """It is known by what was asked for, and by nothing else."""
        carrier = errand(journal)
        search = Search(Settings.of(GIVEN))
        search.add(carrier, ID)
        sights = Sights()
        assert not sights.is_known(carrier)

        sights.asked |= search.marks

        assert sights.is_known(carrier)
        assert search.marks == {("Account", ID[:15])}

    def test_an_answer_that_is_no_list(self) -> None:
        """It shows nothing."""
        sights = Sights()
        sights.add("Account", "Key__c", Response(200, {}, b"[]"))

        assert sights.asked == set()


class TestSearch:
    """The queries: one for each type."""

    def test_ids_and_keys(self, journal: Journal) -> None:
        """Records are asked for by either, with all that is known of them, in order."""
        search = Search(Settings.of(GIVEN))
        assert not search
        assert search.listed == []
        search.add(errand(journal), ID)
        search.add(errand(journal, "Account:a2", City="c"), None)
        search.add(errand(journal, "Contact:c1"), ID)

        assert search
        account, contact = queries(search)
        fields, _, where = account.partition(" FROM Account WHERE ")
        assert fields == "SELECT Id, LastModifiedDate, Key__c, Name, City"
        assert where == f"Id IN ('{ID}') OR Key__c IN ('a2')"
        fields, _, where = contact.partition(" FROM Contact WHERE ")
        assert (fields, where) == ("SELECT Id, LastModifiedDate, Name", f"Id IN ('{ID}')")
        assert search.listed == [("Account", "Key__c"), ("Contact", "")]
        assert len(queries(search, most=1)) == 1

    def test_a_query_that_would_be_too_long(self, journal: Journal) -> None:
        """The records of that type are not shown; those of the others are."""
        search = Search(Settings.of(GIVEN))
        search.add(
            errand(journal, "Account:a1", **{f"F{n}__c": 1 for n in range(MOST_PATH // 6)}), ID
        )
        search.add(errand(journal, "Contact:c1"), ID)

        assert [each.partition(" FROM ")[2] for each in queries(search)] == [
            f"Contact WHERE Id IN ('{ID}')"
        ]
        assert (search.listed, search.too_long) == ([("Contact", "")], {"Account"})
