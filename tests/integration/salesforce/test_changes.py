"""What has changed, and what there is: `updated`, `deleted`, `describe`, `limits`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from journal.testing.salesforce import EXTERNAL_ID, Field, SObject, default_schema
from tests.integration.salesforce.hands import code, created

if TYPE_CHECKING:
    from journal.testing.salesforce import Org
    from tests.integration.salesforce.hands import Hands


def changes(client: httpx.Client, what: str, start: str, end: str) -> httpx.Response:
    """Ask what was updated, or deleted, in a span of time."""
    return client.get(f"sobjects/Account/{what}/", params={"start": start, "end": end})


class TestUpdated:
    """Ids of what was made or changed."""

    def test_seconds_are_ignored(self, client: httpx.Client, clock: Hands) -> None:
        """A span has whole minutes; the next one begins where it ended, and nothing falls out."""
        clock.move(seconds=30)
        first = created(client, "Account", Name="A")
        clock.move(seconds=40)
        second = created(client, "Account", Name="B")
        clock.move(minutes=5)

        page = changes(client, "updated", "2026-04-01T08:00:00Z", "2026-04-01T09:01:59Z").json()
        assert page == {"ids": [first], "latestDateCovered": "2026-04-01T09:01:00.000+0000"}
        page = changes(
            client, "updated", page["latestDateCovered"], "2026-04-01T09:06:00+00:00"
        ).json()
        assert page["ids"] == [second]

    def test_what_is_not_over_is_not_covered(self, client: httpx.Client, clock: Hands) -> None:
        """A span that ends later than now covers no more than the minute of now."""
        clock.move(seconds=30)
        record_id = created(client, "Account", Name="A")

        page = changes(client, "updated", "2026-04-01T08:00:00Z", "2026-04-02T08:00:00Z").json()
        assert page == {"ids": [record_id], "latestDateCovered": "2026-04-01T09:01:00.000+0000"}

    def test_deleted_records_are_not_updated(self, client: httpx.Client, clock: Hands) -> None:
        """What was deleted is listed as deleted alone, at its time."""
        record_id = created(client, "Account", Name="A")
        clock.move(seconds=70)
        client.delete(f"sobjects/Account/{record_id}")
        clock.move(minutes=2)
        span = ("2026-04-01T08:00:00Z", "2026-04-01T09:03:00Z")

        assert changes(client, "updated", *span).json()["ids"] == []
        page = changes(client, "deleted", *span).json()
        assert page == {
            "deletedRecords": [{"id": record_id, "deletedDate": "2026-04-01T09:01:10.000+0000"}],
            "earliestDateAvailable": "2026-03-17T09:03:00.000+0000",
            "latestDateCovered": "2026-04-01T09:03:00.000+0000",
        }

    def test_a_bin_that_was_emptied(self, client: httpx.Client, org: Org, clock: Hands) -> None:
        """What is no longer in the bin is listed nowhere: absence proves nothing."""
        record_id = created(client, "Account", Name="A", Journal_Key__c="k")
        with pytest.raises(ValueError, match="not in the bin"):
            org.purge(record_id)
        client.delete(f"sobjects/Account/{record_id}")
        org.purge(record_id)
        clock.move(minutes=2)

        page = changes(client, "deleted", "2026-04-01T08:00:00Z", "2026-04-01T09:02:00Z").json()
        assert page["deletedRecords"] == []
        query = {"q": "SELECT Id FROM Account"}
        assert client.get("queryAll", params=query).json()["totalSize"] == 0
        assert code(client.get(f"sobjects/Account/{record_id}")) == "NOT_FOUND"
        assert org.get(record_id) is None
        assert client.get("sobjects/Account/Journal_Key__c/k").status_code == 404

    @pytest.mark.parametrize(
        ("what", "start", "end"),
        [
            ("updated", "2026-03-02T08:59:00Z", "2026-04-01T09:00:00Z"),
            ("deleted", "2026-03-17T08:59:00Z", "2026-04-01T09:00:00Z"),
            ("updated", "2026-04-01T08:00:00Z", "2026-04-01T08:00:59Z"),
            ("updated", "2026-04-01T08:00:00Z", "2026-04-01T07:00:00Z"),
            ("updated", "2026-04-01T08:00:00", "2026-04-01T09:00:00Z"),
            ("updated", "nonsense", "2026-04-01T09:00:00Z"),
            ("updated", "2026-04-01T08:00:00Z", ""),
        ],
    )
    def test_spans_have_limits(self, client: httpx.Client, what: str, start: str, end: str) -> None:
        """Updates go back 30 days, deletes 15; a span has a minute at least."""
        response = changes(client, what, start, end)

        assert (response.status_code, code(response)) == (400, "INVALID_REPLICATION_DATE")

    def test_too_many(self, client: httpx.Client, org: Org) -> None:
        """A span with more ids than the org lists is refused."""
        org.settings.updated_ids_most = 1
        for name in "AB":
            created(client, "Account", Name=name)

        response = changes(client, "updated", "2026-04-01T08:00:00Z", "2026-04-01T10:00:00Z")
        assert (response.status_code, code(response)) == (400, "EXCEEDED_ID_LIMIT")

    def test_stamps_count(self, client: httpx.Client, org: Org, clock: Hands) -> None:
        """What automation touched is updated, though nobody modified it."""
        record_id = created(client, "Account", Name="A")
        clock.move(minutes=10)
        org.touch(record_id)

        page = changes(client, "updated", "2026-04-01T09:05:00Z", "2026-04-01T10:00:00Z").json()
        assert page["ids"] == [record_id]


class TestDescribe:
    """What an org says of itself."""

    def test_versions(self, url: str) -> None:
        """Anybody may ask which versions there are; what is below one is for who is logged in."""
        with httpx.Client(trust_env=False) as client:
            versions = client.get(f"{url}/services/data/").json()
            assert versions[-1] == {
                "label": "Version 68",
                "url": "/services/data/v68.0",
                "version": "68.0",
            }
            assert client.get(f"{url}/services/data/v67.0").status_code == 401

    @pytest.mark.parametrize("version", ["v19.0", "v69.0", "67.0", "v67", "v67.1", "x"])
    def test_versions_that_are_not_there(
        self, client: httpx.Client, url: str, version: str
    ) -> None:
        """Another version is 404."""
        assert client.get(httpx.URL(f"{url}/services/data/{version}/limits")).status_code == 404

    def test_resources(self, client: httpx.Client) -> None:
        """A version lists what is below it."""
        assert client.get("").json()["sobjects"] == "/services/data/v67.0/sobjects"

    def test_objects(self, client: httpx.Client) -> None:
        """Every object is listed, and described in short with its newest records."""
        sobjects = client.get("sobjects").json()["sobjects"]
        assert [each["name"] for each in sobjects] == [
            "User",
            "Account",
            "Contact",
            "Opportunity",
            "Task",
            "Visit__c",
        ]
        ids = [created(client, "Account", Name=name) for name in "ABCDEF"]
        short = client.get("sobjects/Account").json()
        assert short["objectDescribe"] == sobjects[1]
        assert [each["Id"] for each in short["recentItems"]] == ids[:0:-1]

    def test_fields(self, client: httpx.Client) -> None:
        """A field says what it takes: for all that a client needs to know beforehand."""
        described = client.get("sobjects/Visit__c/describe").json()
        fields: dict[str, dict[str, Any]] = {each["name"]: each for each in described["fields"]}

        key, account, status = fields[EXTERNAL_ID], fields["Account__c"], fields["Status__c"]
        assert (key["externalId"], key["unique"], key["length"], key["type"]) == (
            True,
            True,
            64,
            "string",
        )
        assert (account["referenceTo"], account["relationshipName"]) == (["Account"], "Account__r")
        assert [each["value"] for each in status["picklistValues"]] == [
            "open",
            "planned",
            "done",
            "cancelled",
        ]
        assert (status["restrictedPicklist"], status["nillable"]) == (True, True)
        assert (fields["CreatedDate"]["createable"], fields["CreatedDate"]["updateable"]) == (
            False,
            False,
        )
        assert (fields["Hours__c"]["precision"], fields["Hours__c"]["scale"]) == (8, 2)
        assert fields["Billable__c"]["defaultedOnCreate"] is True
        assert fields["Name"]["nameField"] is True

    def test_required_fields(self, client: httpx.Client) -> None:
        """What has to be sent is neither nillable nor has a default."""
        required: dict[str, list[str]] = {}
        for name in "Account", "Contact", "Opportunity", "Task":
            fields = client.get(f"sobjects/{name}/describe").json()["fields"]
            required[name] = [
                each["name"]
                for each in fields
                if each["createable"] and not each["nillable"] and not each["defaultedOnCreate"]
            ]
        assert required == {
            "Account": ["Name"],
            "Contact": ["LastName"],
            "Opportunity": ["Name", "StageName", "CloseDate"],
            "Task": [],
        }

    def test_what_has_not_changed(self, client: httpx.Client, org: Org, clock: Hands) -> None:
        """A description is told again where it has changed since; records get the new fields."""
        record_id = org.create("Account", {"Name": "A"})
        clock.move(seconds=10)
        seen = "Wed, 01 Apr 2026 09:00:00 GMT"
        for path in "sobjects", "sobjects/Account/describe":
            assert client.get(path).headers["Last-Modified"] == seen
            unchanged = client.get(path, headers={"If-Modified-Since": seen})
            assert (unchanged.status_code, unchanged.content) == (304, b"")

        account = default_schema().object("Account")
        org.alter(account.with_fields(Field("New__c", is_external_id=True, is_unique=True)))
        changed = client.get("sobjects/Account/describe", headers={"If-Modified-Since": seen})
        assert "New__c" in [each["name"] for each in changed.json()["fields"]]
        assert client.get(f"sobjects/Account/{record_id}").json()["New__c"] is None
        client.patch(f"sobjects/Account/{record_id}", json={"New__c": "n"})
        assert client.get("sobjects/Account/New__c/n").json()["Id"] == record_id

    def test_objects_come_and_fields_go(self, client: httpx.Client, org: Org) -> None:
        """An object is added; a field that is taken away is not there any more."""
        record_id = org.create("Account", {"Name": "A", "Phone": "1"})
        org.alter(SObject("Route__c", "a02", (Field("Name"),)))
        org.alter(SObject("Account", "001", (Field("Name", is_required=True),)))

        created(client, "Route__c", Name="R")
        assert "Phone" not in client.get(f"sobjects/Account/{record_id}").json()
        response = client.patch(f"sobjects/Account/{record_id}", json={"Phone": "2"})
        assert (response.status_code, code(response)) == (400, "INVALID_FIELD")
        assert client.patch(f"sobjects/Account/{record_id}", json={"Name": "B"}).status_code == 204

    def test_children(self, client: httpx.Client) -> None:
        """An object says which others name it, and what becomes of them."""
        described = client.get("sobjects/Account/describe").json()
        children = {each["childSObject"]: each for each in described["childRelationships"]}

        assert children["Contact"]["relationshipName"] == "Contacts"
        assert (children["Contact"]["cascadeDelete"], children["Visit__c"]["cascadeDelete"]) == (
            True,
            False,
        )


class TestLimits:
    """The calls of a day."""

    def test_calls_are_told(self, client: httpx.Client) -> None:
        """Every answer says how many calls were made today, refusals too."""
        client.get("limits")
        refused = client.get("sobjects/Nothing")

        assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/100000"
        limits = client.get("limits").json()["DailyApiRequests"]
        assert limits == {"Max": 100_000, "Remaining": 99_997}

    def test_the_wall(self, client: httpx.Client, org: Org) -> None:
        """When the calls are used up nothing more is done."""
        org.settings.calls_per_day = 2
        created(client, "Account", Name="A")
        created(client, "Account", Name="B")

        response = client.post("sobjects/Account", json={"Name": "C"})
        assert (response.status_code, code(response)) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert response.headers["Sforce-Limit-Info"] == "api-usage=2/2"
        assert len(org.effects) == 2

    def test_the_day_rolls(self, client: httpx.Client, org: Org, clock: Hands) -> None:
        """A call counts for 24 hours, not until midnight."""
        org.settings.calls_per_day = 10
        org.spend_calls(10)
        clock.move(hours=1)
        assert client.get("limits").status_code == 403
        clock.move(hours=22, minutes=59)
        client.headers["Authorization"] = f"Bearer {org.access_token()}"
        assert client.get("limits").status_code == 403
        clock.move(minutes=1)
        assert client.get("limits").status_code == 200
