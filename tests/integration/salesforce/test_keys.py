"""External ids: upsert, read and delete by key, and parents named by theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.testing.salesforce import Field, Org, default_schema
from tests.integration.salesforce.hands import code, created, logged_in

if TYPE_CHECKING:
    import httpx

    from tests.integration.salesforce.hands import Hands

KEY = "Journal_Key__c"
UUID = "7f0c2d6e-9a51-4c4e-8d57-2f1a3b4c5d6e"


@pytest.fixture
def org(clock: Hands) -> Org:
    """An org whose contacts have an old id too that need not be unique."""
    schema = default_schema()
    contact = schema.object("Contact").with_fields(
        Field("Legacy__c", is_external_id=True),
        Field("Cased__c", is_external_id=True, is_unique=True, is_case_sensitive=True),
    )
    return Org(schema.having(contact), clock=clock)


def test_an_upsert_creates_once(client: httpx.Client, org: Org) -> None:
    """The first upsert creates with 201, the next changes the same record with 200."""
    path = f"sobjects/Visit__c/{KEY}/{UUID}"

    first = client.patch(path, json={"Name": "V-1"})
    second = client.patch(path, json={"Name": "V-2"})

    record_id = first.json()["id"]
    assert (first.status_code, first.json()["created"]) == (201, True)
    said = {"id": record_id, "success": True, "errors": [], "created": False}
    assert (second.status_code, second.json()) == (200, said)
    [visit] = org.records("Visit__c")
    assert (visit["Name"], visit[KEY]) == ("V-2", UUID)


def test_old_versions_say_less(org: Org, url: str) -> None:
    """Before version 46 a hit is 204 without a body, and nothing says `created`."""
    path = f"sobjects/Visit__c/{KEY}/{UUID}"
    with logged_in(url, org.access_token(), "v45.0") as client:
        first, second = (client.patch(path, json={"Name": "V"}) for _ in range(2))

    assert (first.status_code, set(first.json())) == (201, {"id", "success", "errors"})
    assert (second.status_code, second.content) == (204, b"")
    assert [effect.operation for effect in org.effects] == ["create", "update"]


def test_an_upsert_that_may_only_update(client: httpx.Client, org: Org) -> None:
    """With `updateOnly` nothing is created."""
    response = client.patch(f"sobjects/Visit__c/{KEY}/{UUID}?updateOnly=true", json={})

    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert org.effects == []


def test_a_record_is_read_and_deleted_by_key(client: httpx.Client) -> None:
    """A key names a record, in letters of any case, until the record is deleted."""
    record_id = client.patch(f"sobjects/Account/{KEY}/{UUID}", json={"Name": "A"}).json()["id"]

    for path in (
        f"sobjects/Account/{KEY}/{UUID}",
        f"sobjects/account/{KEY.lower()}/{UUID.upper()}",
    ):
        assert client.get(path).json()["Id"] == record_id
    assert client.delete(f"sobjects/Account/{KEY}/{UUID}").status_code == 204
    assert client.get(f"sobjects/Account/{KEY}/{UUID}").status_code == 404


def test_a_key_is_free_again_after_a_delete(client: httpx.Client, org: Org) -> None:
    """A record that was deleted elsewhere is created anew by its key: the hole that is left."""
    path = f"sobjects/Account/{KEY}/{UUID}"
    org.delete(client.patch(path, json={"Name": "A"}).json()["id"])

    assert client.patch(path, json={"Name": "A"}).status_code == 201
    assert [effect.operation for effect in org.effects] == ["create", "delete", "create"]


def test_keys_that_are_not_unique(client: httpx.Client, org: Org) -> None:
    """Where a key names two records, both are listed and neither is changed."""
    ids = [created(client, "Contact", LastName=name, Legacy__c="x") for name in "ab"]
    path = "sobjects/Contact/Legacy__c/x"

    for response in (
        client.get(path),
        client.patch(path, json={"Title": "T"}),
        client.delete(path),
    ):
        assert response.status_code == 300
        assert [url.rpartition("/")[2] for url in response.json()] == ids
    assert len(org.effects) == 2


def test_keys_are_unique(client: httpx.Client, org: Org) -> None:
    """A second record with a key is refused, and the first is named."""
    record_id = created(client, "Account", Name="A", **{KEY: UUID})

    response = client.post("sobjects/Account", json={"Name": "B", KEY: UUID.upper()})
    assert (response.status_code, code(response)) == (400, "DUPLICATE_VALUE")
    assert record_id[:15] in response.json()[0]["message"]
    assert len(org.effects) == 1


def test_keys_that_tell_case(client: httpx.Client) -> None:
    """Where the case of letters counts, keys that differ in it are two."""
    paths = ["sobjects/Contact/Cased__c/a", "sobjects/Contact/Cased__c/A"]

    assert [client.patch(path, json={"LastName": "x"}).status_code for path in paths] == [201, 201]


@pytest.mark.parametrize("field", ["Nothing__c", "Name", "Phone"])
def test_what_is_no_key(client: httpx.Client, field: str) -> None:
    """A field that is not there, or is no external id, is 404: a matter of configuration."""
    response = client.patch(f"sobjects/Account/{field}/x", json={"Name": "A"})

    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert field in response.json()[0]["message"]


def test_the_key_stands_in_the_path(client: httpx.Client) -> None:
    """A key in the body as well is refused."""
    response = client.patch(f"sobjects/Account/{KEY}/{UUID}", json={"Name": "A", KEY: UUID})

    assert (response.status_code, code(response)) == (400, "INVALID_FIELD")


def test_keys_that_look_like_files(client: httpx.Client) -> None:
    """A key that ends like a file or a site is never found, whatever it names."""
    created(client, "Contact", LastName="A", Legacy__c="a@b.inc")

    response = client.get("sobjects/Contact/Legacy__c/a@b.inc")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


def test_keys_are_decoded(client: httpx.Client, org: Org) -> None:
    """A key may have any character, percent-encoded."""
    assert (
        client.patch(
            "sobjects/Contact/Legacy__c/a%2Fb%20%C3%B6", json={"LastName": "A"}
        ).status_code
        == 201
    )

    assert [each["Legacy__c"] for each in org.records("Contact")] == ["a/b ö"]


def test_a_parent_is_named_by_its_key(client: httpx.Client, org: Org) -> None:
    """A child names its parent by the parent's key, on create and on update."""
    one, two = (
        client.patch(f"sobjects/Account/{KEY}/{k}", json={"Name": k}).json()["id"]
        for k in ("p1", "p2")
    )
    visit = f"sobjects/Visit__c/{KEY}/{UUID}"

    assert client.patch(visit, json={"Account__r": {KEY: "p1"}}).status_code == 201
    assert [each["Account__c"] for each in org.records("Visit__c")] == [one]
    assert client.patch(visit, json={"account__R": {KEY: "p2"}}).status_code == 200
    assert [each["Account__c"] for each in org.records("Visit__c")] == [two]
    assert client.patch(visit, json={"Account__r": None}).status_code == 200
    assert [each["Account__c"] for each in org.records("Visit__c")] == [None]
    assert org.effects[2].fields == {"Account__c": one, KEY: UUID}


def test_a_parent_that_may_be_of_several_objects(client: httpx.Client, org: Org) -> None:
    """Where the parent may be of several objects, its type is said."""
    account = created(client, "Account", Name="A", **{KEY: "p1"})

    vague = client.post("sobjects/Task", json={"Subject": "Call", "What": {KEY: "p1"}})
    assert (vague.status_code, code(vague)) == (400, "INVALID_FIELD")
    named = {"attributes": {"type": "Account"}, KEY: "p1"}
    created(client, "Task", Subject="Call", What=named)
    assert [each["WhatId"] for each in org.records("Task")] == [account]


@pytest.mark.parametrize(
    "parent",
    [{KEY: "nobody"}, {"Name": "A"}, {"Nothing__c": "x"}, {KEY: "p1", "Name": "A"}, {}, "p1"],
)
def test_parents_that_are_not_found(client: httpx.Client, org: Org, parent: object) -> None:
    """A parent that is not there, or is not named by exactly one key, is refused."""
    org.create("Account", {"Name": "A", KEY: "p1"})

    response = client.post("sobjects/Contact", json={"LastName": "B", "Account": parent})
    assert (response.status_code, code(response)) == (400, "INVALID_FIELD")
    assert org.records("Contact") == []


def test_a_key_of_a_record_that_is_hidden(client: httpx.Client, org: Org) -> None:
    """A record that the user may not see is not found by key, and not written."""
    org.hide(created(client, "Account", Name="A", **{KEY: UUID}))
    path = f"sobjects/Account/{KEY}/{UUID}"

    assert client.get(path).status_code == 404
    response = client.patch(path, json={"Name": "B"})
    assert (response.status_code, code(response)) == (
        403,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    )


def test_a_collection_by_a_key_that_is_not_unique(client: httpx.Client, org: Org) -> None:
    """An item whose key names two records is refused by itself, with both of them."""
    ids = [created(client, "Contact", LastName=name, Legacy__c="x") for name in "ab"]
    records = [{"attributes": {"type": "Contact"}, "Legacy__c": "x", "Title": "T"}]

    [result] = client.patch(
        "composite/sobjects/Contact/Legacy__c", json={"records": records}
    ).json()
    [error] = result["errors"]
    assert (result["success"], error["statusCode"]) == (False, "DUPLICATE_EXTERNAL_ID")
    assert all(each in error["message"] for each in ids)
    assert len(org.effects) == 2


def test_an_id_is_a_key_too(client: httpx.Client, org: Org) -> None:
    """A record may be read and changed by the field `Id`, as by a key."""
    record_id = created(client, "Account", Name="A")

    assert client.patch(f"sobjects/Account/Id/{record_id}", json={"Name": "B"}).status_code == 204
    assert client.get(f"sobjects/Account/Id/{record_id}").json()["Name"] == "B"
    assert len(org.effects) == 2
