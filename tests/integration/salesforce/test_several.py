"""Collections: many records in one call, each with a result of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.salesforce.hands import code, created

if TYPE_CHECKING:
    import httpx

    from journal.testing.salesforce import Org

PATH = "composite/sobjects"
KEY = "Journal_Key__c"


def of(sobject: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """Return a record of a collection."""
    return {"attributes": {"type": sobject}, **fields}


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    """Return what is wrong with each item."""
    return [each["errors"][0]["statusCode"] if each["errors"] else None for each in results]


def test_records_of_several_objects(client: httpx.Client, org: Org) -> None:
    """Records are made in their order, whatever they are; each has its result."""
    records = [of("Account", Name="A"), of("Contact", LastName="B"), of("Account", Name="C")]

    results = client.post(PATH, json={"records": records}).json()

    assert [each["success"] for each in results] == [True] * 3
    assert [effect.id for effect in org.effects] == [each["id"] for each in results]
    assert results[0] == {"id": results[0]["id"], "success": True, "errors": []}


def test_each_for_itself(client: httpx.Client, org: Org) -> None:
    """One that is refused leaves the others alone; the answer is 200 all the same."""
    records = [of("Account", Name="A"), of("Account"), of("Nothing"), of("Account", Name="D")]

    response = client.post(PATH, json={"records": records, "allOrNone": False})

    assert response.status_code == 200
    assert codes(response.json()) == [None, "REQUIRED_FIELD_MISSING", "INVALID_TYPE", None]
    assert response.json()[1]["errors"][0]["fields"] == ["Name"]
    assert [each["Name"] for each in org.records("Account")] == ["A", "D"]


@pytest.mark.parametrize("position", range(3))
def test_all_or_none(client: httpx.Client, org: Org, position: int) -> None:
    """Where all have to succeed, one that is refused takes the others back."""
    records = [of("Account", Name="" if n == position else "A") for n in range(3)]

    results = client.post(PATH, json={"records": records, "allOrNone": True}).json()

    rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert codes(results) == [
        "REQUIRED_FIELD_MISSING" if n == position else rolled_back for n in range(3)
    ]
    assert org.effects == []


def test_updates(client: httpx.Client, org: Org) -> None:
    """Records are changed by their ids; what is gone, or is no id, is refused by itself."""
    record_id, gone = (created(client, "Account", Name=name) for name in "AB")
    client.delete(f"sobjects/Account/{gone}")
    records = [
        of("Account", id=record_id, Phone="1"),
        of("Account", Id=gone, Phone="1"),
        of("Account", id="001000000000001AAA", Phone="1"),
        of("Account", id="nonsense", Phone="1"),
        of("Account", Phone="1"),
    ]

    results = client.patch(PATH, json={"records": records}).json()
    assert codes(results) == [
        None,
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
    ]
    assert org.effects[-1].fields == {"Phone": "1"}


def test_upserts(client: httpx.Client, org: Org) -> None:
    """Records are made or changed by their keys."""
    records = [of("Account", Name="A", **{KEY: "1"}), of("Account", Name="B", **{KEY: "2"})]
    path = f"{PATH}/Account/{KEY}"

    first = client.patch(path, json={"records": records}).json()
    second = client.patch(path, json={"records": [*records, of("Account", Name="C")]}).json()
    assert [each["created"] for each in first] == [True, True]
    assert [each.get("created") for each in second] == [False, False, None]
    assert codes(second) == [None, None, "MISSING_ARGUMENT"]
    assert len(org.records("Account")) == 2


def test_deletes(client: httpx.Client, org: Org) -> None:
    """Records of several objects are deleted by their ids."""
    ids = [created(client, "Account", Name="A"), created(client, "Contact", LastName="B")]

    results = client.delete(PATH, params={"ids": ",".join([*ids, ids[0], "x"])}).json()
    assert codes(results) == [None, None, "ENTITY_IS_DELETED", "MALFORMED_ID"]
    assert org.records("Account") + org.records("Contact") == []
    assert client.delete(PATH, params={"ids": ids[0], "allOrNone": "true"}).status_code == 200


def test_reads(client: httpx.Client) -> None:
    """Records are read by their ids, by GET or POST; null where there is none."""
    record_id = created(client, "Account", Name="A")
    ids = [record_id, "001000000000001AAA"]

    by_get = client.get(f"{PATH}/Account", params={"ids": ",".join(ids), "fields": "Name"}).json()
    by_post = client.post(f"{PATH}/Account", json={"ids": ids, "fields": ["Name"]}).json()
    assert by_get == by_post
    assert [each and each["Name"] for each in by_get] == ["A", None]
    assert set(by_get[0]) == {"attributes", "Id", "Name"}


@pytest.mark.parametrize(
    "records",
    [
        None,
        [1],
        [of("Account", Name="A")] * 201,
        [of("Account", Name="A"), of("Contact", LastName="B")] * 6,
    ],
)
def test_what_is_no_collection(client: httpx.Client, org: Org, records: object) -> None:
    """A collection has 200 records at most, in ten chunks of one object at most."""
    response = client.post(PATH, json={"records": records})

    assert response.status_code == 400
    code(response)
    assert org.effects == []
