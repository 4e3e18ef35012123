"""What has changed in an org, and what its objects are: every answer is written in the test."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote

import pytest

from journal.descriptions import Choice
from journal.errors import RemoteError
from journal.outcomes import Unknown
from journal.remotes import Page, Response, Sighting
from journal.remotes.salesforce.feed import OrgFeed
from journal.remotes.salesforce.objects import described, read, readable, unsettable
from journal.remotes.salesforce.rows import MOST_PATH, Listing, asked, rows

LISTING: Final = Listing("Account", "Key__c", ("Name",))
NOW: Final = {"date": "Wed, 01 Apr 2026 09:30:17 GMT"}
STAMP: Final = "2026-04-01T09:00:00.000+0000"


def row(record_id: str, at: str = STAMP, **fields: object) -> dict[str, Any]:
    """Return a row of the org."""
    own = {"attributes": {"type": "Account"}, "Id": record_id, "SystemModstamp": at}
    return {**own, "LastModifiedDate": STAMP, "Key__c": None, **fields}


def answer(headers: dict[str, str] = NOW, **content: object) -> Response:
    """Return an answer of the org."""
    return Response(200, headers, json.dumps(content).encode())


def listed(*found: dict[str, Any], more: str = "", headers: dict[str, str] = NOW) -> Response:
    """Return a page of rows."""
    after = {"nextRecordsUrl": f"/services/data/v67.0/query/{more}"} if more else {}
    return answer(headers, totalSize=9, done=not more, records=list(found), **after)


def page_of(
    response: Response, since: str | None = None, page: str | None = None, of: Listing = LISTING
) -> Page:
    """Return the page that an answer is."""
    found = OrgFeed(of).page(response, since, page)
    assert isinstance(found, Page)
    return found


def path(since: str | None, page: str | None = None, of: Listing = LISTING) -> str:
    """Return where a page is asked for."""
    return unquote(OrgFeed(of).request(since, page).path)


def first_list() -> str:
    """Return the checkpoint after a first list."""
    since = page_of(listed(row("1"))).since
    assert since is not None
    return since


class TestRows:
    """Rows, page by page."""

    def test_the_first_list_is_of_all(self) -> None:
        """Oldest first, with what tells records apart."""
        assert path(None) == (
            "/query/?q=SELECT Id, LastModifiedDate, SystemModstamp, Key__c, Name FROM Account "
            "ORDER BY SystemModstamp, Id"
        )

    def test_a_row_is_a_sighting(self) -> None:
        """Our key, the org's id, its version, and nothing that is not known to be whole."""
        found = page_of(listed(row("1", Name="A", Key__c="k-1"), row("2", Name=None, Key__c="")))

        assert found.sightings == (
            Sighting("k-1", "1", {"Name": "A"}, STAMP, is_partial=True),
            Sighting(None, "2", {"Name": None}, STAMP, is_partial=True),
        )

    def test_without_a_key_and_under_our_names(self) -> None:
        """The settings say what we call a field."""
        ours = LISTING._replace(key="", read=lambda row: {"n": row["Name"]})
        [seen] = page_of(listed(row("1", Name="A", LastModifiedDate=7)), of=ours).sightings

        assert seen == Sighting(None, "1", {"n": "A"}, None, is_partial=True)

    def test_further_pages(self) -> None:
        """A locator leads to them; the list ends with the time at which it began."""
        first = page_of(listed(row("1"), more="01gA-2000"))
        assert path(None, first.next) == "/query/01gA-2000"

        later = {"date": "Wed, 01 Apr 2026 10:30:17 GMT"}
        last = page_of(listed(row("2"), headers=later), None, first.next)
        assert last.next is None
        assert last.since is not None
        assert json.loads(last.since)["deleted"] == "2026-04-01T09:30:17.000Z"

    def test_the_next_list_begins_some_time_before(self) -> None:
        """What was saved in a long transaction appears late (F3)."""
        assert "SystemModstamp >= 2026-04-01T08:55:00.000Z ORDER" in path(first_list())

    def test_the_newest_counts_whatever_the_order(self) -> None:
        """Nothing that is listed moves the checkpoint back."""
        since = first_list()
        found = page_of(listed(row("1", "2026-04-01T08:58:00.000+0000")), since)

        assert json.loads(found.since or "")["at"] == "2026-04-01T09:00:00.000Z"

    def test_with_other_fields_the_list_begins_anew(self) -> None:
        """No record would otherwise ever be seen with them (F5)."""
        since = first_list()
        others = [
            LISTING._replace(fields=("Name", "Phone")),
            LISTING._replace(where="Name = 'x'"),
            LISTING._replace(key=""),
        ]

        assert all("SystemModstamp >=" not in path(since, of=other) for other in others)
        assert "WHERE (Name = 'x') ORDER" in path(since, of=others[1])

    @pytest.mark.parametrize(
        "stamp",
        ["0001-01-01T00:00:00.000+1400", "9999-12-31T23:59:59.000-14:00", "0001-01-01T00:00:00Z"],
    )
    def test_a_time_that_no_org_knows_is_none(self, stamp: str) -> None:
        """It stops nothing: the checkpoint is what else is known."""
        since = page_of(listed(row("1"), row("2", stamp))).since or ""

        assert json.loads(since)["at"] == "2026-04-01T09:00:00.000Z"
        assert json.loads(page_of(listed(row("2", stamp)), since).since or "") == json.loads(since)

    def test_a_checkpoint_is_never_later_than_the_time_there(self) -> None:
        """A record that is dated into the future hides no change until then (F7)."""
        since = page_of(listed(row("1", "3999-12-31T23:59:59.000+0000"))).since

        assert "SystemModstamp >= 2026-04-01T09:25:17.000Z ORDER" in path(since)

    def test_a_checkpoint_of_the_future_is_none(self) -> None:
        """Where the time there was wrong, the list begins anew once it is right (F7)."""
        wrong = {"date": "Wed, 01 Apr 2099 09:30:17 GMT"}
        since = page_of(listed(row("1", "2099-04-01T09:00:00Z"), headers=wrong)).since
        anew = page_of(listed(), since)
        last = page_of(listed(row("1")), anew.since, anew.next)

        assert (anew.sightings, json.loads(anew.since or "").keys()) == ((), {"of", "deleted"})
        assert "SystemModstamp >=" not in path(anew.since, anew.next)
        assert (last.next, last.is_check_due) == (None, True)
        assert json.loads(last.since or "")["deleted"] == "2026-04-01T09:30:17.000Z"

    @pytest.mark.parametrize(
        "content",
        [
            {},
            {"records": [], "done": "yes"},
            {"records": {}, "done": True},
            {"records": [{"Name": "A"}], "done": True},
            {"records": [{"Id": ""}], "done": True},
            {"records": [{"Id": "0" * 19}], "done": True},
            {"records": [3], "done": True},
            {"records": [], "done": False},
            {"records": [], "done": False, "nextRecordsUrl": "https://evil.example.com/?q=%2e"},
            {"records": [], "done": False, "nextRecordsUrl": 7},
            {"records": [], "done": False, "nextRecordsUrl": "/services/data/v67.0/query/-"},
        ],
    )
    def test_what_is_no_page_stores_nothing(self, content: dict[str, Any]) -> None:
        """All of it can be read, or none of it is a page (F1, F2)."""
        assert rows(answer(**content)) is None
        assert isinstance(OrgFeed(LISTING).page(answer(**content), None, None), Unknown)
        assert rows(Response(200, {}, b"<html>")) is None

    def test_a_query_must_fit_into_an_address(self) -> None:
        """It is said before it is sent, with the remedy."""
        with pytest.raises(RemoteError, match="name fewer fields"):
            asked("x" * MOST_PATH)


class TestOnTheWay:
    """What is kept before a list has ended."""

    def test_a_page_before_the_last(self) -> None:
        """The newest that was shown, and the deletes that were known already."""
        since = first_list()
        shown = row("1", "2026-04-01T09:20:00.000+0000")
        found = page_of(listed(shown, more="01gA-1"), since)

        assert [seen.remote_id for seen in found.sightings] == ["1"]
        kept = json.loads(found.since or "")
        assert (kept["at"], kept["deleted"]) == (
            "2026-04-01T09:20:00.000Z",
            "2026-04-01T09:30:17.000Z",
        )
        older = page_of(listed(row("2")), since, found.next)
        assert json.loads(older.since or "")["at"] == "2026-04-01T09:20:00.000Z"

    def test_where_the_org_will_not_say_what_was_deleted(self) -> None:
        """What was deleted is known until the list began, for all is checked."""
        since = first_list()
        later = {"date": "Wed, 01 Apr 2026 10:30:17 GMT"}
        found = page_of(listed(headers=later), since)
        checked = OrgFeed(LISTING).forgotten(since, found.next, ())

        assert checked is not None
        kept = json.loads(checked.since or "")
        assert (kept["at"], kept["deleted"]) == (
            "2026-04-01T09:00:00.000Z",
            "2026-04-01T10:30:17.000Z",
        )

    def test_after_a_checkpoint_of_the_future(self) -> None:
        """The list goes on, from its beginning."""
        wrong = {"date": "Thu, 01 Apr 2027 09:30:17 GMT"}
        since = page_of(listed(row("1", "2027-04-01T09:00:00.000+0000"), headers=wrong)).since

        assert page_of(listed(row("1")), since).next is not None

    def test_a_list_of_deletes_is_read(self) -> None:
        """As everything is."""
        since = first_list()
        found = page_of(listed(), since)

        assert OrgFeed(LISTING).request(since, found.next).method == "GET"

    @pytest.mark.parametrize(("at", "is_listed"), [("09:24:17", False), ("09:24:16", True)])
    def test_the_longest_time(self, at: str, *, is_listed: bool) -> None:
        """F4: of 15 days a minute is left to the clocks."""
        found = page_of(listed(headers={"date": f"Thu, 16 Apr 2026 {at} GMT"}), first_list())

        assert (found.next is not None) == is_listed


class TestDeleted:
    """What was deleted (F4)."""

    def test_it_follows_the_rows(self) -> None:
        """In whole minutes, some time before the last list, to the time of this one."""
        since = first_list()
        found = page_of(listed(headers={"date": "Wed, 01 Apr 2026 12:00:05 GMT"}), since)

        assert not found.is_check_due
        assert path(since, found.next) == (
            "/sobjects/Account/deleted/?start=2026-04-01T09:25:17.000Z&end=2026-04-01T12:00:05.000Z"
        )

    def test_a_span_has_a_minute_at_least(self) -> None:
        """The org takes no shorter one."""
        at_once = LISTING._replace(overlap=LISTING.overlap * 0)
        since = page_of(listed(row("1")), of=at_once).since
        found = page_of(listed(), since, of=at_once)

        assert "start=2026-04-01T09:29:17.000Z&end=2026-04-01T09:30:17" in path(
            since, found.next, at_once
        )

    def test_tombstones(self) -> None:
        """Each is a record that is gone; the next list begins where this one is covered."""
        since = first_list()
        turn = page_of(listed(), since).next
        content: dict[str, Any] = {
            "deletedRecords": [{"id": "1", "deletedDate": STAMP}],
            "earliestDateAvailable": "2026-03-17T09:00:00.000+0000",
            "latestDateCovered": "2026-04-01T09:30:00.000+0000",
        }
        found = page_of(answer(**content), since, turn)

        assert found.sightings == (Sighting(None, "1", None, None),)
        assert (found.next, found.is_check_due) == (None, False)
        assert json.loads(found.since or "") == {
            **json.loads(since),
            "deleted": "2026-04-01T09:30:00.000Z",
        }

    def test_the_newest_row_of_the_list_is_not_forgotten(self) -> None:
        """What was deleted comes last, and the next list begins after the rows before it."""
        since = first_list()
        turn = page_of(listed(row("1", "2026-04-01T09:20:00.000+0000")), since).next
        lists = [
            page_of(answer(deletedRecords=[]), since, turn),
            OrgFeed(LISTING).forgotten(since, turn, ()),
        ]

        assert [json.loads(found.since or "")["at"] for found in lists if found is not None] == [
            "2026-04-01T09:20:00.000Z",
            "2026-04-01T09:20:00.000Z",
        ]

    def test_what_the_org_may_have_forgotten_is_checked(self) -> None:
        """The first list of all, a list after more than two weeks, and a log that was cleared."""
        since = first_list()
        late = {"date": "Fri, 17 Apr 2026 09:30:17 GMT"}
        turn = page_of(listed(), since).next
        cleared = answer(deletedRecords=[], earliestDateAvailable="2026-04-01T09:28:00.000+0000")
        whole = answer(deletedRecords=[], earliestDateAvailable="2026-04-01T09:25:17.000+0000")

        assert page_of(listed(row("1"))).is_check_due
        assert page_of(listed(headers=late), since).is_check_due
        assert page_of(listed(headers=late), since).next is None
        assert page_of(cleared, since, turn).is_check_due
        assert not page_of(whole, since, turn).is_check_due

    def test_where_the_org_will_not_say_it_is_checked(self) -> None:
        """A refusal is no end: the records are asked for by id."""
        since = first_list()
        turn = page_of(listed(), since).next
        found = OrgFeed(LISTING).forgotten(since, turn, ())

        assert found is not None
        assert (found.sightings, found.next, found.is_check_due) == ((), None, True)
        assert OrgFeed(LISTING).forgotten(since, None, ()) is None

    @pytest.mark.parametrize("headers", [{}, {"date": "soon"}])
    def test_without_the_time_of_the_org(self, headers: dict[str, str]) -> None:
        """The newest change is a time at the org; without any, everything is checked."""
        found = page_of(listed(row("1"), headers=headers))
        assert json.loads(found.since or "")["deleted"] == "2026-04-01T09:00:00.000Z"

        nothing = page_of(listed(headers=headers))
        assert nothing.is_check_due
        assert "deleted" not in json.loads(nothing.since or "")
        assert "WHERE" not in path(nothing.since)

    def test_a_time_without_a_zone_is_in_utc(self) -> None:
        """As the header of some proxies is."""
        found = page_of(listed(headers={"date": "Wed, 01 Apr 2026 09:30:17 -0000"}))

        assert json.loads(found.since or "")["deleted"] == "2026-04-01T09:30:17.000Z"

    @pytest.mark.parametrize(
        "content", [{}, {"deletedRecords": 3}, {"deletedRecords": [{}]}, {"deletedRecords": [7]}]
    )
    def test_what_does_not_say_it_stores_nothing(self, content: dict[str, Any]) -> None:
        """All of it can be read, or none of it is a page."""
        since = first_list()
        turn = page_of(listed(), since).next

        assert isinstance(OrgFeed(LISTING).page(answer(**content), since, turn), Unknown)


def said(name: str, kind: str, **more: object) -> dict[str, Any]:
    """Return a field as an org describes it."""
    return {
        "name": name,
        "type": kind,
        "label": f"The {name}",
        "createable": True,
        "updateable": True,
        "nillable": True,
        "defaultedOnCreate": False,
        **more,
    }


class TestObjects:
    """What an org says of an object."""

    def test_fields(self) -> None:
        """Each is what the org says, and no stricter."""
        values = [
            {"value": "Open", "label": "Offen", "active": True, "defaultValue": True},
            {"value": "Lost", "label": "Lost", "active": False},
            {"value": "Done", "label": "Done", "active": True},
            {"value": None},
            7,
        ]
        content = {
            "name": "Visit__c",
            "label": "Visit",
            "createable": True,
            "updateable": False,
            "deletable": False,
            "fields": [
                said("Name", "string", nillable=False, length=80, inlineHelpText="What it is."),
                said("Auto", "string", nillable=False, defaultedOnCreate=True, length=0),
                said("Kept", "string", nillable=False, createable=False),
                said("Status", "picklist", picklistValues=values, restrictedPicklist=True),
                said("Colour", "multipicklist", picklistValues=values[:1]),
                said("Price", "currency", precision=16, scale=2, defaultValue=7),
                said("Count", "int", digits=8, precision=0),
                said("Who", "reference", referenceTo=["User", "Group"], relationshipName="Owner"),
                said("Key", "string", unique=True, externalId=True, updateable=False),
                said("Where", "address"),
                said("Odd", "dataCategoryGroupReference"),
                {"name": "Bare"},
            ],
        }
        assert read(content) == content
        found = described("Visit", content, lambda name: f"our {name}")
        fields = {field.name.removeprefix("our "): field for field in found.fields}

        assert (found.record_type, found.label) == ("Visit", "Visit")
        assert (found.createable, found.updateable, found.deletable) == (True, False, False)
        assert (fields["Name"].required, fields["Name"].length) == (True, 80)
        assert (fields["Name"].label, fields["Name"].help) == ("The Name", "What it is.")
        assert (fields["Auto"].required, fields["Auto"].length) == (False, None)
        assert (fields["Kept"].required, fields["Kept"].createable) == (False, False)
        assert fields["Status"].choices == (Choice("Open", "Offen"), Choice("Done", "Done"))
        assert (fields["Status"].closed, fields["Status"].default) == (True, "Open")
        assert (fields["Colour"].kind, fields["Colour"].closed) == ("choices", False)
        assert (fields["Price"].precision, fields["Price"].scale) == (16, 2)
        assert (fields["Price"].kind, fields["Price"].default) == ("number", 7)
        assert (fields["Count"].kind, fields["Count"].precision) == ("integer", 8)
        assert (fields["Who"].refers_to, fields["Who"].relation) == (("User", "Group"), "Owner")
        assert (fields["Key"].unique, fields["Key"].external_id) == (True, True)
        assert not fields["Key"].updateable
        assert (fields["Where"].kind, fields["Odd"].kind) == ("any", "any")
        assert (fields["Bare"].kind, fields["Bare"].required) == ("any", False)
        assert "Where" not in readable(content)
        assert readable({"fields": [said("SystemModstamp", "datetime"), said("A", "string")]}) == (
            "A",
        )

    def test_what_a_field_takes(self) -> None:
        """A limit is told where it holds for the kind; nothing is stricter than the org says."""
        fields = [
            said("Name", "string", length=1, precision=5, scale=2, referenceTo=["User"]),
            said("Status", "picklist", length=40, nillable=False),
            said("Price", "double", length=9, precision=3, scale=0, relationshipName="X"),
            said("Open", "string", nillable=None),
        ]
        content = {"name": "A", "fields": fields}
        found = {field.name: field for field in described("A", content).fields}

        name, price = found["Name"], found["Price"]
        assert (name.length, name.precision, name.scale) == (1, None, None)
        assert (name.refers_to, name.relation, name.nullable) == ((), "", True)
        assert (found["Status"].length, found["Status"].nullable) == (40, False)
        assert (price.length, price.precision, price.scale, price.relation) == (None, 3, 0, "")
        assert found["Open"].nullable
        assert name.updateable is True

    def test_what_nobody_may_set(self) -> None:
        """Those of which the org says so."""
        content = {
            "name": "A",
            "createable": False,
            "fields": [said("Id", "id", createable=False), said("Name", "string"), {"name": "X"}],
        }

        assert unsettable(content) == {"Id"}
        found = described("A", content)
        assert (found.createable, found.updateable, found.deletable) == (False, True, True)
        assert described("A", {"fields": []}).createable is True

    def test_what_is_said_in_another_type_is_left_open(self) -> None:
        """Nothing that an org answers there stops us."""
        fields = [
            {"name": "A", "type": ["string"], "length": True},
            {"name": "B", "type": "reference", "referenceTo": 5},
            {"name": "C", "type": "reference", "referenceTo": ["User", None]},
        ]
        content = read({"name": "X", "fields": fields})
        assert content is not None
        found = described("X", content).fields

        assert readable(content) == ("A", "B", "C")
        assert [field.refers_to for field in found] == [(), (), ("User",)]
        assert (found[0].kind, found[0].length) == ("any", None)

    @pytest.mark.parametrize(
        "content",
        [
            None,
            [],
            {},
            {"name": "A"},
            {"name": "A", "fields": [{"label": "x"}]},
            {"name": "A", "fields": [{"name": "Id FROM User LIMIT 1 --"}]},
        ],
    )
    def test_what_is_no_object(self, content: object) -> None:
        """What an org would not say is not taken for it."""
        assert read(content) is None
