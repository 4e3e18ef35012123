"""What has changed in an org, by the ids that it lists: every answer is written in the test."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote

import pytest

from journal.outcomes import Unknown
from journal.remotes import Page, Response, Sighting
from journal.remotes.questions import CHECKED_AT_ONCE
from journal.remotes.salesforce.rows import NO_LIST, Listing
from journal.remotes.salesforce.updated import MOST_IDS, TOO_MANY, UpdatedFeed

LISTING: Final = Listing("Account", "", ("Name",), "A = 1", is_by_id=True)
FEED: Final = UpdatedFeed(LISTING)
STAMP: Final = "2026-04-01T09:00:00.000+0000"


def answer(at: str = "10:00:00", /, **content: object) -> Response:
    """Return an answer of the org, at that time of the first of April."""
    headers = {"date": f"Wed, 01 Apr 2026 {at} GMT"} if at else {}
    return Response(200, headers, json.dumps(content).encode())


def listed(*ids: str, at: str = "10:00:00", more: str = "") -> Response:
    """Return a page of rows."""
    rows = [{"Id": each, "LastModifiedDate": STAMP, "Name": each} for each in ids]
    after = {"nextRecordsUrl": f"/services/data/v67.0/query/{more}"} if more else {}
    return answer(at, done=not more, records=rows, **after)


def page_of(response: Response, since: str | None = None, page: str | None = None) -> Page:
    """Return the page that an answer is."""
    found = FEED.page(response, since, page)
    assert isinstance(found, Page)
    return found


def path(since: str | None, page: str | None = None) -> str:
    """Return where a page is asked for."""
    return unquote(FEED.request(since, page).path)


def first_list() -> str:
    """Return the checkpoint after a first list, which began at ten."""
    since = page_of(listed("1")).since
    assert since is not None
    return since


def begun(since: str, at: str = "12:00:30") -> Page:
    """Return the page after which the ids are listed."""
    return page_of(listed("1", at=at), since)


def times(page: Page) -> tuple[str | None, str | None]:
    """Return up to when changes, and deletes, are known after a page."""
    kept = json.loads(page.since or "{}")
    return kept.get("at"), kept.get("deleted")


class TestLists:
    """All rows first, then the ids of what has changed."""

    def test_the_first_list_is_of_all(self) -> None:
        """In whatever order, and without what some objects do not have."""
        assert path(None) == "/query/?q=SELECT Id, LastModifiedDate, Name FROM Account WHERE A = 1"
        first = page_of(listed("1", more="01gA-1"))
        assert path(None, first.next) == "/query/01gA-1"

        last = page_of(listed("2", at="10:05:00"), None, first.next)
        assert [seen.remote_id for seen in last.sightings] == ["2"]
        assert (last.next, last.is_check_due) == (None, True)
        kept = json.loads(last.since or "")
        assert (kept["at"], kept["deleted"]) == ("2026-04-01T10:00:00.000Z",) * 2

    def test_then_the_ids(self) -> None:
        """First what time it is there; then from some time before the last list to that."""
        since = first_list()
        assert path(since) == "/query/?q=SELECT Id FROM Account LIMIT 1"

        found = begun(since)
        assert found.sightings == ()
        assert path(since, found.next) == (
            "/sobjects/Account/updated/?start=2026-04-01T09:55:00.000Z&end=2026-04-01T12:00:30.000Z"
        )

    def test_then_their_rows(self) -> None:
        """So many at a time, and then what was deleted; the next list begins after them."""
        since = first_list()
        ids = [f"{number:03}" for number in range(CHECKED_AT_ONCE + 1)]
        covered = "2026-04-01T12:00:00.000+0000"
        found = page_of(answer(ids=ids, latestDateCovered=covered), since, begun(since).next)

        assert path(since, found.next).startswith(
            "/query/?q=SELECT Id, LastModifiedDate, Name FROM Account WHERE Id IN ('000', '001', "
        )
        assert path(since, found.next).endswith("'199') AND (A = 1)")
        some = page_of(listed("000"), since, found.next)
        assert some.sightings == (Sighting(None, "000", {"Name": "000"}, STAMP, is_partial=True),)
        assert "Id IN ('200') AND" in path(since, some.next)
        last = page_of(listed("200"), since, some.next)
        assert [seen.remote_id for seen in last.sightings] == ["200"]
        assert path(since, last.next).startswith(
            "/sobjects/Account/deleted/?start=2026-04-01T09:55"
        )

        end = page_of(answer(deletedRecords=[]), since, last.next)
        assert (end.next, end.is_check_due) == (None, False)
        assert json.loads(end.since or "")["at"] == "2026-04-01T12:00:00.000Z"

    def test_nothing_has_changed(self) -> None:
        """Then what was deleted is asked for at once."""
        since = first_list()
        found = page_of(answer(ids=[]), since, begun(since).next)

        assert found.sightings == ()
        assert "/deleted/" in path(since, found.next)

    def test_what_is_kept_on_the_way(self) -> None:
        """Before the last page, a checkpoint is never later than what was shown until then."""
        since = first_list()
        asked = begun(since)
        ids = [f"{number:03}" for number in range(CHECKED_AT_ONCE + 1)]
        covered = "2026-04-01T12:00:00.000+0000"
        found = page_of(answer(ids=ids, latestDateCovered=covered), since, asked.next)
        some = page_of(listed("000"), since, found.next)

        assert found.sightings == ()
        assert [times(each) for each in (asked, found, some)] == [
            ("2026-04-01T10:00:00.000Z", "2026-04-01T10:00:00.000Z"),
            ("2026-04-01T12:00:00.000Z", "2026-04-01T10:00:00.000Z"),
            ("2026-04-01T12:00:00.000Z", "2026-04-01T10:00:00.000Z"),
        ]

    def test_what_is_kept_of_all_rows(self) -> None:
        """Until all of them were shown, no change is known; what was deleted is, as it was."""
        since = first_list()
        anew = FEED.forgotten(since, begun(since).next, {"INVALID_REPLICATION_DATE"})
        assert anew is not None
        some = page_of(listed("1", more="01gA-1"), since, anew.next)

        assert [seen.remote_id for seen in some.sightings] == ["1"]
        assert [times(each) for each in (anew, some)] == [(None, "2026-04-01T10:00:00.000Z")] * 2

    def test_the_list_ends_with_the_time_at_which_it_began(self) -> None:
        """So does one that began anew: what was changed while it was read is listed again."""
        since = first_list()
        anew = FEED.forgotten(since, begun(since).next, {"INVALID_REPLICATION_DATE"})
        assert anew is not None
        last = page_of(listed("1", at="13:00:00"), since, anew.next)

        assert times(last)[0] == "2026-04-01T12:00:30.000Z"

    def test_what_the_org_may_have_forgotten_is_checked(self) -> None:
        """F4: what was deleted since the checkpoint, and not since some other time."""
        since = first_list()
        found = page_of(answer(ids=[]), since, begun(since).next)
        lacking = answer(deletedRecords=[], earliestDateAvailable="2026-04-01T11:00:00.000+0000")

        assert page_of(lacking, since, found.next).is_check_due

    def test_our_key(self) -> None:
        """A row is known by it, where there is a field for it."""
        keyed = UpdatedFeed(LISTING._replace(key="Key__c"))
        rows = [{"Id": "1", "LastModifiedDate": STAMP, "Key__c": "k-1", "Name": "A"}]
        found = keyed.page(answer(done=True, records=rows), None, None)

        assert isinstance(found, Page)
        assert [seen.key for seen in found.sightings] == ["k-1"]


class TestLimits:
    """F6: 30 days, whole minutes, not too many."""

    def test_what_is_too_long_ago_begins_anew(self) -> None:
        """All rows are listed, and then everything is checked."""
        since = first_list()
        late = Response(200, {"date": "Fri, 01 May 2026 10:00:00 GMT"}, listed().body)
        found = page_of(late, since)

        assert "FROM Account WHERE A = 1" in path(since, found.next)
        last = page_of(listed("1"), since, found.next)
        assert last.is_check_due
        assert json.loads(last.since or "")["at"] == "2026-05-01T10:00:00.000Z"

    @pytest.mark.parametrize(("at", "is_anew"), [("09:54:00", True), ("09:53:59", False)])
    def test_the_longest_time(self, at: str, *, is_anew: bool) -> None:
        """Of 30 days a minute is left to the clocks."""
        since = first_list()
        late = Response(200, {"date": f"Fri, 01 May 2026 {at} GMT"}, listed().body)

        assert ("/query/" in path(since, page_of(late, since).next)) == is_anew

    def test_a_checkpoint_of_the_future_begins_anew(self) -> None:
        """Where the time there was wrong, all rows are listed once it is right (F7)."""
        wrong = Response(200, {"date": "Thu, 01 Apr 2027 10:00:00 GMT"}, listed("1").body)
        since = page_of(wrong).since
        found = page_of(listed("1"), since)

        assert "FROM Account WHERE A = 1" in path(since, found.next)

    def test_too_many_ids_are_asked_for_in_halves(self) -> None:
        """The org refuses them, or they would be too many to be kept."""
        since, turn = first_list(), begun(first_list()).next
        many = [str(number) for number in range(MOST_IDS + 1)]
        halves = [page_of(answer(ids=many), since, turn), FEED.forgotten(since, turn, {TOO_MANY})]

        for half in halves:
            assert half is not None
            assert "end=2026-04-01T11:00:15.000Z" in path(since, half.next)
        [half, _] = halves
        assert half is not None
        rows = page_of(answer(ids=["1"]), since, half.next)
        second = page_of(listed("1"), since, rows.next)
        assert [seen.remote_id for seen in second.sightings] == ["1"]
        assert path(since, second.next).endswith(
            "start=2026-04-01T10:55:15.000Z&end=2026-04-01T12:00:30.000Z"
        )
        third = page_of(answer(ids=[]), since, second.next)
        assert path(since, third.next) == (
            "/sobjects/Account/deleted/?start=2026-04-01T09:55:00.000Z&end=2026-04-01T12:00:30.000Z"
        )

    def test_as_many_ids_as_are_kept(self) -> None:
        """They are read as they are."""
        since = first_list()
        many = [str(number) for number in range(MOST_IDS)]
        found = page_of(answer(ids=many), since, begun(since).next)

        assert "Id IN" in path(since, found.next)

    def test_two_minutes_are_halved(self) -> None:
        """Each half is a minute, which the org takes."""
        since = first_list()
        half = FEED.forgotten(since, begun(since, "10:02:00").next, {TOO_MANY})

        assert half is not None
        assert "end=2026-04-01T10:01:00.000Z" in path(since, half.next)

    def test_a_minute_is_not_halved(self) -> None:
        """What came together is read together, or all is read."""
        since = first_list()
        turn = begun(since, "10:01:00").next
        many = [str(number) for number in range(MOST_IDS + 1)]
        found = page_of(answer(ids=many), since, turn)

        assert "Id IN" in path(since, found.next)
        anew = FEED.forgotten(since, turn, {TOO_MANY})
        assert anew is not None
        assert "FROM Account WHERE A = 1" in path(since, anew.next)

    def test_what_the_org_refuses_otherwise_begins_anew(self) -> None:
        """All rows are listed; a refusal of rows is one."""
        since = first_list()
        turn = begun(since).next
        anew = FEED.forgotten(since, turn, {"INVALID_REPLICATION_DATE"})
        deleted = page_of(answer(ids=[]), since, turn).next
        checked = FEED.forgotten(since, deleted, ())

        assert anew is not None
        assert "FROM Account WHERE A = 1" in path(since, anew.next)
        assert FEED.forgotten(since, None, ()) is None
        assert checked is not None
        assert checked.is_check_due

    def test_at_the_same_minute(self) -> None:
        """The org takes no span that is shorter than one."""
        at_once = UpdatedFeed(LISTING._replace(overlap=LISTING.overlap * 0))
        since = first_list()
        turn = at_once.page(listed("1", at="10:00:20"), since, None)

        assert isinstance(turn, Page)
        assert "start=2026-04-01T09:59:20.000Z" in unquote(at_once.request(since, turn.next).path)


class TestNoPages:
    """What is no page stores nothing."""

    @pytest.mark.parametrize(
        "content", [{}, {"ids": 3}, {"ids": [3]}, {"ids": [""]}, {"ids": ["0" * 19]}]
    )
    def test_no_ids(self, content: dict[str, Any]) -> None:
        """All of it can be read, or none of it is a page."""
        since = first_list()

        found = FEED.page(answer(**content), since, begun(since).next)

        assert isinstance(found, Unknown)
        assert "what was changed" in found.problem

    def test_no_rows(self) -> None:
        """The same of rows."""
        assert FEED.page(answer(), None, None) == Unknown(NO_LIST)

    def test_no_time(self) -> None:
        """Without the time of the org nobody knows up to when."""
        found = FEED.page(listed("1", at=""), None, None)

        assert isinstance(found, Unknown)
        assert "what time it is" in found.problem
