"""Prime, pull and describe against the stand-in org, on a real socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal
from journal.errors import WouldBeRefusedError
from journal.remotes.salesforce import Salesforce
from journal.sync import AsyncSubscriber, Subscriber
from journal.testing.salesforce import EXTERNAL_ID, Org, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOQL = "SELECT Name, Phone, Type FROM Account"


@pytest.fixture
def org() -> Org:
    """An org whose clock is that of its answers, and which shows two hundred rows at once."""
    return Org(settings=Settings(page_size=200))


@pytest.fixture
def remote(org: Org, url: str) -> Salesforce:
    """The org as a remote."""
    return made(org, url)


def made(org: Org, url: str, **more: Any) -> Salesforce:  # noqa: ANN401  of the settings
    """Return the org as a remote, with these settings."""
    content = {
        "url": url,
        "allow_insecure": True,
        "key": EXTERNAL_ID,
        "auth": {"bearer": "{env:TOKEN}"},
        "types": {"Account": {"pull": {"fields": ["Name", "Phone", "Type"]}}},
    }
    return Salesforce.of({**content, **more}, environ={"TOKEN": org.access_token()})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal in a file."""
    with Journal(tmp_path / "field.db", actor="ann", origin="van-7") as journal:
        yield journal


@pytest.fixture
def subscriber(journal: Journal, remote: Salesforce) -> Iterator[Subscriber]:
    """Sends to the org, and receives from it."""
    with Subscriber(journal, remote, attempts=1) as subscriber:
        yield subscriber


class TestPrime:
    """What a query lists."""

    def test_it_is_edited_offline_and_sent(
        self, org: Org, journal: Journal, subscriber: Subscriber
    ) -> None:
        """The change is made on what the org has, and arrives."""
        acme = org.create("Account", {"Name": "Acme", "Phone": "1"})
        org.create("Account", {"Name": "Beta"})
        report = subscriber.prime(f"{SOQL} WHERE Name = 'Acme'")
        journal.update(f"Account:{acme}", {"Phone": "2"})

        assert (report.observed, report.stopped_by) == (1, None)
        assert subscriber.drain().acknowledged == 1
        found = org.get(acme)
        assert found is not None
        assert (found["Name"], found["Phone"]) == ("Acme", "2")

    def test_what_somebody_changed_there_is_a_conflict(
        self, org: Org, journal: Journal, subscriber: Subscriber
    ) -> None:
        """The base is what was primed: a newer value is not overwritten."""
        acme = org.create("Account", {"Name": "Acme", "Phone": "1"})
        subscriber.prime(SOQL)
        journal.update(f"Account:{acme}", {"Phone": "2"})
        org.update(acme, {"Phone": "3"})

        assert subscriber.drain().held == 1
        found = org.get(acme)
        assert found is not None
        assert found["Phone"] == "3"

    def test_page_by_page(self, org: Org, journal: Journal, subscriber: Subscriber) -> None:
        """Cut off after a page, it goes on there."""
        for number in range(450):
            org.create("Account", {"Name": f"A {number}"})
        first = subscriber.prime(SOQL, limit_pages=1)
        asked = len(org.requests)
        rest = subscriber.prime(SOQL)

        assert (first.observed, first.stopped_by) == (200, "limit")
        assert (rest.observed, rest.pages) == (250, 2)
        assert "/query/01g" in org.requests[asked].path
        assert journal.log.head() == 450

    def test_a_session_that_ends_between_two_pages(
        self, org: Org, journal: Journal, url: str
    ) -> None:
        """Another token is asked for, and nothing is read twice."""
        for number in range(250):
            org.create("Account", {"Name": f"A {number}"})
        [app] = org.apps
        oauth = {"client_id": app.client_id, "client_secret": "{env:SECRET}"}
        remote = Salesforce.of(
            {"url": url, "allow_insecure": True, "key": EXTERNAL_ID, "auth": {"oauth": oauth}},
            environ={"SECRET": app.client_secret},
        )
        with Subscriber(journal, remote, attempts=1) as subscriber:
            subscriber.prime(SOQL, limit_pages=1)
            org.expire_sessions()
            report = subscriber.prime(SOQL)

        assert (report.observed, report.stopped_by) == (50, None)

    def test_in_an_event_loop(self, org: Org, journal: Journal, remote: Salesforce) -> None:
        """Prime and describe are the same there."""
        org.create("Account", {"Name": "Acme"})

        async def receive() -> tuple[int, tuple[str, ...]]:
            async with AsyncSubscriber(journal, remote, attempts=1) as subscriber:
                report = await subscriber.prime(SOQL)
                return report.observed, (await subscriber.describe(["Account"])).described

        assert asyncio.run(receive()) == (1, ("Account",))


class TestPull:
    """What has changed since."""

    def test_changes_deletes_and_what_comes_back(
        self, org: Org, journal: Journal, subscriber: Subscriber
    ) -> None:
        """A record follows the org, also out of its bin."""
        acme = org.create("Account", {"Name": "Acme", "Phone": "1"})
        subscriber.pull()
        org.update(acme, {"Phone": "2"})
        org.create("Account", {"Name": "Beta"})
        report = subscriber.pull()

        assert (report.observed, report.stopped_by) == (2, None)
        fields = journal.load(f"Account:{acme}").fields
        assert fields == {"Name": "Acme", "Phone": "2", "Type": None}

        org.delete(acme)
        subscriber.prime(SOQL)  # a query says nothing of what it does not list
        assert journal.load(f"Account:{acme}").fields is not None
        org.undelete(acme)
        org.update(acme, {"Phone": "4"})
        subscriber.pull()
        again = journal.load(f"Account:{acme}").fields
        assert again == {"Name": "Acme", "Phone": "4", "Type": None}

    def test_what_was_primed_and_is_gone(
        self, org: Org, journal: Journal, subscriber: Subscriber
    ) -> None:
        """The first pull asks for each record that is known here: deleted, or out of sight."""
        names = [org.create("Account", {"Name": name}) for name in "abc"]
        subscriber.prime(SOQL)
        org.delete(names[0])
        report = subscriber.pull()

        assert (report.deleted, report.stopped_by) == (1, None)
        assert journal.load(f"Account:{names[0]}").fields is None
        assert journal.load(f"Account:{names[1]}").fields is not None

    def test_our_own_records_are_recognised(
        self, org: Org, journal: Journal, subscriber: Subscriber
    ) -> None:
        """By our key: no second record appears, whatever order things happen in."""
        ours = journal.create("Account", {"Name": "Ours"})
        subscriber.drain()
        report = subscriber.pull()

        assert report.stopped_by is None
        assert len(org.records("Account")) == 1
        assert {entry.stream for entry in journal.log.scan(0)} == {ours}

    def test_by_the_ids_that_the_org_lists(self, org: Org, journal: Journal, url: str) -> None:
        """What was changed and deleted arrives in the same way."""
        acme = org.create("Account", {"Name": "Acme", "Phone": "1"})
        beta = org.create("Account", {"Name": "Beta"})
        pull = {"fields": ["Name", "Phone"], "by": "updated"}
        remote = made(org, url, types={"Account": {"pull": pull}})
        with Subscriber(journal, remote, attempts=1) as subscriber:
            first = subscriber.pull()
            org.update(acme, {"Phone": "2"})
            org.delete(beta)
            second = subscriber.pull()

        assert (first.observed, first.stopped_by, second.stopped_by) == (2, None, None)
        paths = [request.path for request in org.requests]
        assert sum("/updated/?start=" in path for path in paths) == 1
        assert sum("/deleted/?start=" in path for path in paths) == 1
        statuses = {request.status for request in org.requests}
        assert statuses == {200}

    def test_a_condition_of_the_settings(self, org: Org, journal: Journal, url: str) -> None:
        """Only what is wanted is pulled, with all that can be read of it."""
        acme = org.create("Account", {"Name": "Acme", "Phone": "1"})
        org.create("Account", {"Name": "Beta"})
        remote = made(org, url, types={"Account": {"pull": {"where": "Name LIKE 'Ac%'"}}})
        with Subscriber(journal, remote, attempts=1) as subscriber:
            report = subscriber.pull()

        assert report.observed == 1
        fields = journal.load(f"Account:{acme}").fields
        assert fields is not None
        assert (fields["Phone"], fields["Industry"]) == ("1", None)


class TestDescribe:
    """What the org takes."""

    def test_a_draft_that_it_would_refuse(
        self, org: Org, journal: Journal, subscriber: Subscriber
    ) -> None:
        """It is refused when it is made, and what the org takes is not."""
        report = subscriber.describe(["Account"])
        with pytest.raises(WouldBeRefusedError) as caught:
            journal.create("Account", {"Phone": "1" * 41, "Colour": "red", "IsDeleted": True})

        assert report.described == ("Account",)
        assert caught.value.messages == {
            "Phone": "has 41 characters; the service takes 40",
            "Colour": "the service has no such field",
            "IsDeleted": "cannot be set when a record is created",
            "Name": "is required",
        }
        account = journal.create("Account", {"Name": "Acme", "Phone": "1" * 40})
        assert subscriber.drain().acknowledged == 1
        assert journal.load(account).remote.exists
        assert len(org.records("Account")) == 1

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"Name": "A", "Colour": "red"},
            {"Name": "A", "IsDeleted": True},
            {"Name": "A" * 256},
            {"Name": "A", "AnnualRevenue": "much"},
            {"Name": "A", "NumberOfEmployees": True},
            {"Name": "A", "Industry": "Rivalry"},
            {"Name": ["A"]},
        ],
    )
    def test_what_is_refused_here_would_be_refused_there(
        self, org: Org, journal: Journal, subscriber: Subscriber, fields: dict[str, Any]
    ) -> None:
        """The description is no stricter than the org."""
        subscriber.describe(["Account"])
        with pytest.raises(WouldBeRefusedError):
            journal.create("Account", fields)
        journal.catalogue.forget("Account")
        journal.create("Account", fields)

        assert subscriber.drain().held == 1
        assert org.records("Account") == []
