"""Rows: made, read, changed and deleted by their ids, over a real socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from journal.testing.salesforce import Org, Settings
from tests.integration.salesforce.hands import VERSION, code, created

if TYPE_CHECKING:
    import httpx

    from tests.integration.salesforce.hands import Hands


def test_a_record_is_made(client: httpx.Client, org: Org) -> None:
    """A create gives an id, says where the record is, and fills in what the org knows."""
    response = client.post("sobjects/Account", json={"Name": " Acme ", "Phone": ""})

    assert response.status_code == 201
    record_id = response.json()["id"]
    assert response.json() == {"id": record_id, "success": True, "errors": []}
    assert response.headers["Location"].endswith(f"/sobjects/Account/{record_id}")
    record = client.get(f"sobjects/Account/{record_id}").json()
    assert record["attributes"] == {
        "type": "Account",
        "url": f"/services/data/{VERSION}/sobjects/Account/{record_id}",
    }
    assert (record["Name"], record["Phone"]) == ("Acme", None)
    user = org.user_id("integration@stand-in.example")
    assert {record["OwnerId"], record["CreatedById"], record["LastModifiedById"]} == {user}
    at = "2026-04-01T09:00:00.000+0000"
    assert {record[n] for n in ("CreatedDate", "LastModifiedDate", "SystemModstamp")} == {at}
    assert record["IsDeleted"] is False


def test_a_record_is_changed(client: httpx.Client, org: Org, clock: Hands) -> None:
    """An update sets the given fields, and the time of the change, and nothing else."""
    record_id = created(client, "Account", Name="Acme", Phone="1", Site="S")
    clock.move(seconds=1.7)

    response = client.patch(f"sobjects/Account/{record_id}", json={"Phone": "2", "Site": None})

    assert (response.status_code, response.content) == (204, b"")
    record = org.get(record_id)
    assert record is not None
    assert (record["Name"], record["Phone"], record["Site"]) == ("Acme", "2", None)
    assert record["CreatedDate"] == "2026-04-01T09:00:00.000+0000"
    assert record["LastModifiedDate"] == record["SystemModstamp"] == "2026-04-01T09:00:01.000+0000"


def test_a_record_is_deleted(client: httpx.Client, org: Org) -> None:
    """A deleted record is in the bin: it is gone for who asks, and can be taken out."""
    record_id = created(client, "Account", Name="Acme")
    assert client.delete(f"sobjects/Account/{record_id}").status_code == 204

    for response in (
        client.get(f"sobjects/Account/{record_id}"),
        client.patch(f"sobjects/Account/{record_id}", json={"Name": "B"}),
        client.delete(f"sobjects/Account/{record_id}"),
    ):
        assert (response.status_code, code(response)) == (404, "ENTITY_IS_DELETED")
    record = org.get(record_id)
    assert record is not None
    assert record["IsDeleted"] is True
    org.undelete(record_id)
    assert client.get(f"sobjects/Account/{record_id}").status_code == 200
    assert [effect.operation for effect in org.effects] == ["create", "delete", "undelete"]


@pytest.mark.parametrize(
    ("record_id", "status", "expected"),
    [
        ("001000000000001AAA", 404, "NOT_FOUND"),
        ("001000000000001", 404, "NOT_FOUND"),
        ("nonsense", 404, "NOT_FOUND"),
        ("003000000000001AAA", 400, "MALFORMED_ID"),
    ],
)
def test_ids_that_name_nothing(
    client: httpx.Client, record_id: str, status: int, expected: str
) -> None:
    """An id that names nothing is 404; one of another object is malformed."""
    for method in ("GET", "PATCH", "DELETE"):
        body = {"Name": "A"} if method == "PATCH" else None
        response = client.request(method, f"sobjects/Account/{record_id}", json=body)
        assert (response.status_code, code(response)) == (status, expected)


def test_ids_of_both_lengths(client: httpx.Client) -> None:
    """A record is named by 15 characters as by 18; what is answered has 18."""
    record_id = created(client, "Account", Name="Acme")

    for text in (record_id, record_id[:15], record_id.lower()):
        assert client.get(f"sobjects/Account/{text}").json()["Id"] == record_id
    contact = created(client, "Contact", LastName="B", AccountId=record_id[:15])
    assert client.get(f"sobjects/Contact/{contact}").json()["AccountId"] == record_id


def test_some_fields(client: httpx.Client) -> None:
    """A read of some fields gives these, and the id, whatever the case of their names."""
    record_id = created(client, "Account", Name="Acme")
    path = f"sobjects/account/{record_id}"

    record = client.get(path, params={"fields": "name,SystemModstamp"}).json()
    assert set(record) == {"attributes", "Id", "Name", "SystemModstamp"}
    refused = client.get(path, params={"fields": "Nothing"})
    assert (refused.status_code, code(refused)) == (400, "INVALID_FIELD")


@pytest.mark.parametrize(
    ("sobject", "fields", "expected"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING"),
        ("Account", {"Name": "  "}, "REQUIRED_FIELD_MISSING"),
        ("Account", {"Name": "A", "Nothing__c": 1}, "INVALID_FIELD"),
        (
            "Account",
            {"Name": "A", "CreatedDate": "2026-01-01T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        ("Account", {"Name": "A", "Id": "001000000000001AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Account", {"Name": "A" * 256}, "STRING_TOO_LONG"),
        ("Account", {"Name": "A", "Rating": "Mild"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Account", {"Name": "A", "ParentId": "003000000000001AAA"}, "MALFORMED_ID"),
        ("Account", {"Name": "A", "ParentId": "001000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ("Contact", {"LastName": "A", "Name": "B"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Contact", {"LastName": "A", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ("Contact", {"LastName": "A", "Birthdate": "1.4.1990"}, "JSON_PARSER_ERROR"),
        ("User", {"Username": "a@b.example"}, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
    ],
)
def test_what_is_refused(
    client: httpx.Client, org: Org, sobject: str, fields: dict[str, Any], expected: str
) -> None:
    """What does not fit is refused with the code of its cause, and nothing is done."""
    response = client.post(f"sobjects/{sobject}", json=fields)

    assert (response.status_code, code(response)) == (400, expected)
    assert org.effects == []


def test_a_refusal_names_its_fields(client: httpx.Client) -> None:
    """Which fields a refusal is about stands in it."""
    [error] = client.post("sobjects/Opportunity", json={"Name": "O"}).json()

    assert error == {
        "message": "Required fields are missing: [StageName, CloseDate]",
        "errorCode": "REQUIRED_FIELD_MISSING",
        "fields": ["StageName", "CloseDate"],
    }


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
def test_a_body_is_an_object(client: httpx.Client, body: bytes) -> None:
    """A body that is no JSON object is refused."""
    response = client.post("sobjects/Account", content=body)

    assert (response.status_code, code(response)) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_is_json(client: httpx.Client, org: Org, media_type: str) -> None:
    """A body that says that it is something else is refused."""
    headers = {"Content-Type": media_type}

    response = client.post("sobjects/Account", content=b'{"Name": "A"}', headers=headers)
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert org.effects == []


@pytest.mark.parametrize(
    "path",
    [
        "sobjects/Nothing",
        "sobjects/Nothing/describe",
        "nothing",
        "sobjects/Account/a/b/c",
        "composite/x",
    ],
)
def test_what_is_not_there(client: httpx.Client, path: str) -> None:
    """A resource that is not there is 404."""
    response = client.get(path)

    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


def test_methods(client: httpx.Client) -> None:
    """A method that is not for a resource is 405, and it is said which are."""
    response = client.put("sobjects/Account", json={})

    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "GET,HEAD,POST"


def test_an_update_names_no_id(client: httpx.Client) -> None:
    """The id of a record stands in the path, not in the body."""
    record_id = created(client, "Account", Name="Acme")

    response = client.patch(f"sobjects/Account/{record_id}", json={"Id": record_id})
    assert (response.status_code, code(response)) == (400, "INVALID_FIELD")


def test_parents_and_what_becomes_of_children(client: httpx.Client, org: Org) -> None:
    """With a parent its children are deleted, or lose it, as the field says."""
    account = created(client, "Account", Name="Acme")
    contact = created(client, "Contact", LastName="B", AccountId=account)
    visit = created(client, "Visit__c", Account__c=account, Contact__c=contact)
    client.delete(f"sobjects/Account/{account}")

    assert client.get(f"sobjects/Contact/{contact}").status_code == 404
    kept = client.get(f"sobjects/Visit__c/{visit}").json()
    assert (kept["Account__c"], kept["Contact__c"]) == (None, None)
    response = client.post("sobjects/Contact", json={"LastName": "C", "AccountId": account})
    assert (response.status_code, code(response)) == (400, "ENTITY_IS_DELETED")
    done = [(effect.operation, effect.id) for effect in org.effects[3:]]
    assert done == [("delete", account), ("delete", contact), ("update", visit), ("update", visit)]


def test_names_that_are_put_together(client: httpx.Client, org: Org) -> None:
    """A contact is named by its first and last names; a visit that has no name by its id."""
    contact = created(client, "Contact", FirstName="Ada", LastName="B")
    visit = created(client, "Visit__c")

    assert [each["Name"] for each in org.records("Contact")] == ["Ada B"]
    client.patch(f"sobjects/Contact/{contact}", json={"FirstName": None})
    assert [each["Name"] for each in org.records("Contact")] == ["B"]
    assert [each["Name"] for each in org.records("Visit__c")] == [visit]


def test_defaults(client: httpx.Client, org: Org) -> None:
    """What a create does not say has its default."""
    created(client, "Task", Subject="Call")

    [task] = org.records("Task")
    assert (task["Status"], task["Priority"], task["OwnerId"] is not None) == (
        "Not Started",
        "Normal",
        True,
    )


def test_effects_are_what_happened(client: httpx.Client, org: Org) -> None:
    """Each effect says what was done, to what, by whom, and which request did it."""
    record_id = created(client, "Account", Name="Acme")
    client.post("sobjects/Account", json={})
    org.update(record_id, {"Phone": "9"})

    first, second = org.effects
    user = org.user_id("integration@stand-in.example")
    assert first[:7] == (1, "create", "Account", record_id, {"Name": "Acme"}, user, 1)
    assert second[:7] == (
        2,
        "update",
        "Account",
        record_id,
        {"Phone": "9"},
        org.user_id("admin@stand-in.example"),
        None,
    )
    assert [(each.n, each.method, each.status) for each in org.requests] == [
        (1, "POST", 201),
        (2, "POST", 400),
    ]
    assert org.requests[0].body == {"Name": "Acme"}
    assert org.requests[0].headers["content-type"] == "application/json"
    assert "authorization" not in org.requests[0].headers


def test_audit_fields(client: httpx.Client, org: Org) -> None:
    """Where the org lets it, a create says when it was; an update never does."""
    org.settings.takes_audit_fields = True
    at = "2025-12-24T18:00:00.000+0000"
    record_id = created(client, "Account", Name="Acme", CreatedDate=at)

    assert client.get(f"sobjects/Account/{record_id}").json()["CreatedDate"] == at
    response = client.patch(f"sobjects/Account/{record_id}", json={"CreatedDate": at})
    assert code(response) == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_pages_of_a_query(client: httpx.Client, org: Org) -> None:
    """A query comes in pages, which show what was there when it was asked."""
    org.settings.page_size = 2
    ids = [created(client, "Account", Name=name) for name in "abcde"]

    page = client.get("query", params={"q": "SELECT Name FROM Account"}).json()
    client.delete(f"sobjects/Account/{ids[4]}")
    seen = [each["Name"] for each in page["records"]]
    while not page["done"]:
        assert page["totalSize"] == 5
        page = client.get(page["nextRecordsUrl"].removeprefix(client.base_url.path)).json()
        seen += [each["Name"] for each in page["records"]]
    assert seen == list("abcde")
    assert "nextRecordsUrl" not in page
    lost = client.get("query/01g000000000001AAA-2")
    assert (lost.status_code, code(lost)) == (400, "INVALID_QUERY_LOCATOR")


def test_cursors_are_few(client: httpx.Client, org: Org) -> None:
    """Ten cursors are kept; the oldest is closed for an eleventh."""
    org.settings.page_size = 1
    for name in "ab":
        created(client, "Account", Name=name)

    pages = [client.get("query", params={"q": "SELECT Id FROM Account"}).json() for _ in range(11)]
    more = [page["nextRecordsUrl"].removeprefix(client.base_url.path) for page in pages]
    assert [client.get(url).status_code for url in more] == [400] + [200] * 10


def test_page_sizes_are_asked_for(client: httpx.Client, org: Org) -> None:
    """A client may ask for smaller pages, of 200 records at least."""
    for n in range(205):
        org.create("Account", {"Name": str(n)})
    headers = {"Sforce-Query-Options": "batchSize=10"}

    page = client.get("query", params={"q": "SELECT Id FROM Account"}, headers=headers).json()
    assert len(page["records"]) == 200
    assert page["nextRecordsUrl"].endswith("-200")


def test_queries_of_all(client: httpx.Client) -> None:
    """`queryAll` finds what is in the bin; `query` does not."""
    record_id = created(client, "Account", Name="Acme")
    client.delete(f"sobjects/Account/{record_id}")
    query = {"q": "SELECT Id, IsDeleted FROM Account"}

    assert client.get("query", params=query).json()["totalSize"] == 0
    [record] = client.get("queryAll", params=query).json()["records"]
    assert (record["Id"], record["IsDeleted"]) == (record_id, True)


def test_long_addresses(client: httpx.Client) -> None:
    """An address of more than 16,384 bytes is too long."""
    response = client.get("query", params={"q": "x" * 16_384})

    assert (response.status_code, code(response)) == (414, "URI_TOO_LONG")


def test_settings_are_those_of_one_org() -> None:
    """Two orgs have nothing in common."""
    one, two = Org(), Org(settings=Settings(page_size=5))
    one.create("Account", {"Name": "A"})

    assert two.records("Account") == []
    assert (one.settings.page_size, two.settings.page_size) == (2000, 5)
    json.dumps(one.records("Account"))
