"""Records of the UI API, and answers kept by `Idempotency-Key`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from journal.testing.salesforce import DuplicateRule, Org, ValidationRule
from tests.integration.salesforce.hands import code, created, logged_in

if TYPE_CHECKING:
    from tests.integration.salesforce.hands import Hands

ACME: dict[str, Any] = {"apiName": "Account", "fields": {"Name": "Acme", "Rating": "Hot"}}


def keyed() -> dict[str, str]:
    """Return a key of one's own."""
    return {"Idempotency-Key": str(uuid4())}


def test_a_record_has_its_shape(client: httpx.Client, org: Org) -> None:
    """A record says what it is, its fields with what people see, and its versions."""
    response = client.post("ui-api/records", json=ACME)

    assert response.status_code == 201
    record = response.json()
    user = org.user_id("integration@stand-in.example")
    fields, etag = record.pop("fields"), record.pop("eTag")
    assert record == {
        "apiName": "Account",
        "childRelationships": {},
        "id": org.records("Account")[0]["Id"],
        "lastModifiedById": user,
        "lastModifiedDate": "2026-04-01T09:00:00.000Z",
        "recordTypeId": "012000000000000AAA",
        "recordTypeInfo": None,
        "systemModstamp": "2026-04-01T09:00:00.000Z",
        "weakEtag": 1775034000000,
    }
    assert fields["Name"] == {"displayValue": None, "value": "Acme"}
    assert fields["Rating"] == {"displayValue": "Hot", "value": "Hot"}
    assert fields["CreatedDate"] == {
        "displayValue": "01/04/2026, 09:00",
        "value": "2026-04-01T09:00:00.000Z",
    }
    assert len(etag) == 32


def test_a_life(client: httpx.Client, org: Org, clock: Hands) -> None:
    """A record is made, read, changed and deleted; its tags move with it."""
    made = client.post("ui-api/records", json=ACME).json()
    path = f"ui-api/records/{made['id']}"
    clock.move(seconds=5)

    changed = client.patch(path, json={"fields": {"Phone": "1"}})
    assert changed.status_code == 200
    assert changed.json()["fields"]["Phone"]["value"] == "1"
    assert changed.json()["eTag"] != made["eTag"]
    assert changed.json()["weakEtag"] == made["weakEtag"] + 5000
    read = client.get(path, params={"fields": "Account.Name,Account.Owner.Name"}).json()
    assert set(read["fields"]) == {"Name", "Owner"}
    assert read["fields"]["Owner"]["value"]["fields"]["Name"]["value"] == "integration"
    deleted = client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(path, params={"layoutTypes": "Full"}).status_code == 404
    assert [effect.operation for effect in org.effects] == ["create", "update", "delete"]


@pytest.mark.parametrize(
    "fields",
    ["", "Account.Nothing", "Account.Owner.Name.X", "Account.X.Name", "Contact.Name", "Account"],
)
def test_fields_that_are_not_there(client: httpx.Client, fields: str) -> None:
    """Fields are asked for by name; those that are optional need not be there."""
    path = f"ui-api/records/{client.post('ui-api/records', json=ACME).json()['id']}"

    assert client.get(path, params={"fields": fields}).status_code == 400
    read = client.get(path, params={"fields": "Account.Name", "optionalFields": fields})
    assert set(read.json()["fields"]) == {"Name"}


def test_refusals_have_an_output(client: httpx.Client, org: Org) -> None:
    """What a rule refuses says so by field, and above the fields."""
    rules = org.rules.validation
    rules.append(
        ValidationRule("Account", lambda row: row["Phone"] == "0", "no such phone", "Phone")
    )
    rules.append(ValidationRule("Account", lambda row: row["Phone"] == "0", "not at all"))

    response = client.post(
        "ui-api/records", json={"apiName": "Account", "fields": {"Name": "A", "Phone": "0"}}
    )

    assert response.status_code == 400
    error = response.json()
    assert error["enhancedErrorType"] == "RecordError"
    [general], [of_field] = error["output"]["errors"], error["output"]["fieldErrors"]["Phone"]
    assert (general["message"], of_field["message"]) == ("not at all", "no such phone")
    assert of_field["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_parents_are_named_by_their_ids(client: httpx.Client, org: Org) -> None:
    """Nothing is nested in what is sent: a parent is not named by its key here."""
    org.create("Account", {"Name": "A", "Journal_Key__c": "p"})
    fields = {"LastName": "B", "Account": {"Journal_Key__c": "p"}}

    response = client.post("ui-api/records", json={"apiName": "Contact", "fields": fields})
    [error] = response.json()["output"]["errors"]
    assert (response.status_code, error["errorCode"]) == (400, "INVALID_FIELD")
    assert org.records("Contact") == []


def test_refusals_without_an_output(client: httpx.Client) -> None:
    """What is not there, or not an object of the org, is refused as rows are."""
    missing = client.patch("ui-api/records/001000000000001AAA", json={"fields": {}})
    assert (missing.status_code, code(missing)) == (404, "NOT_FOUND")
    assert client.get("ui-api/records/nonsense").status_code == 404
    assert client.post("ui-api/records", json={"apiName": "Nothing"}).status_code == 400
    assert client.get("ui-api/records/x/y").status_code == 404


def test_duplicates_are_saved_when_asked(client: httpx.Client, org: Org) -> None:
    """A duplicate is refused with what it duplicates, and saved where that is allowed."""
    org.rules.duplicates.append(DuplicateRule("Account"))
    client.post("ui-api/records", json=ACME)

    refused = client.post("ui-api/records", json=ACME)
    [error] = refused.json()["output"]["errors"]
    assert (refused.status_code, error["errorCode"]) == (400, "DUPLICATES_DETECTED")
    assert error["duplicateRecordError"]["matchResults"][0]["size"] == 1
    assert (
        client.post("ui-api/records", json={**ACME, "allowSaveOnDuplicate": True}).status_code
        == 201
    )


def test_a_write_is_conditional(client: httpx.Client, org: Org, clock: Hands) -> None:
    """A record that has changed since is not changed again."""
    record_id = created(client, "Account", Name="A")
    clock.move(seconds=2)
    org.update(record_id, {"Phone": "1"})

    headers = {"If-Unmodified-Since": "Wed, 01 Apr 2026 09:00:01 GMT"}
    response = client.patch(
        f"ui-api/records/{record_id}", json={"fields": {"Phone": "2"}}, headers=headers
    )
    assert response.status_code == 412
    assert [effect.fields for effect in org.effects[1:]] == [{"Phone": "1"}]


def test_an_owner_who_loses_sight(client: httpx.Client, org: Org) -> None:
    """Who gives a record away and sees it no more is told 404, though it was saved."""
    org.rules.private.add("Account")
    other = org.user_id("other@stand-in.example")
    for extra, status in ({}, 404), ({"handleOwnerChange": True}, 200), (None, 200):
        record_id = created(client, "Account", Name="A")
        body = {"fields": {"OwnerId": other}, **(extra or {})}
        query = {"handleOwnerChange": "true"} if extra is None else {}
        response = client.patch(f"ui-api/records/{record_id}", json=body, params=query)
        assert response.status_code == status
        record = org.get(record_id)
        assert record is not None
        assert record["OwnerId"] == other
        assert client.get(f"sobjects/Account/{record_id}").status_code == 404


def test_an_owner_who_never_has_sight(client: httpx.Client, org: Org) -> None:
    """Who makes a record of somebody else's, and does not see it, is told 404 as well."""
    org.rules.private.add("Account")
    body = {**ACME, "fields": {**ACME["fields"], "OwnerId": org.user_id("other@x.example")}}

    assert client.post("ui-api/records", json=body).status_code == 404
    assert [effect.operation for effect in org.effects] == ["create"]


# --- Idempotency-Key ---------------------------------------------------------------------


def test_a_repeated_create_is_answered_from_memory(org: Org, url: str, clock: Hands) -> None:
    """For 30 days a request with a key does its work once; then the key is new."""
    org.settings.session_s = 1e9
    headers = keyed()
    with logged_in(url, org.access_token()) as client:
        first = client.post("ui-api/records", json=ACME, headers=headers)
        clock.move(days=29, hours=23)
        again = client.post("ui-api/records", json=ACME, headers=headers)
        assert (again.status_code, again.json()) == (201, first.json())
        assert len(org.effects) == 1

        clock.move(hours=1)
        assert client.post("ui-api/records", json=ACME, headers=headers).json() != first.json()
        assert len(org.effects) == 2


def test_updates_and_deletes_have_keys_too(client: httpx.Client, org: Org) -> None:
    """A repeated update or delete is answered from memory as well."""
    path = f"ui-api/records/{client.post('ui-api/records', json=ACME).json()['id']}"
    for method, body in ("PATCH", {"fields": {"Phone": "1"}}), ("DELETE", None):
        headers = keyed()
        first, again = (client.request(method, path, json=body, headers=headers) for _ in range(2))
        assert first.status_code == again.status_code
    assert [effect.operation for effect in org.effects] == ["create", "update", "delete"]


def test_a_key_is_for_one_request(client: httpx.Client, org: Org) -> None:
    """A key that comes with another request is 422, from another user 409."""
    headers = keyed()
    client.post("ui-api/records", json=ACME, headers=headers)
    other = {"apiName": "Account", "fields": {"Name": "Other"}}

    assert client.post("ui-api/records", json=other, headers=headers).status_code == 422
    token = {"Authorization": f"Bearer {org.access_token('other@stand-in.example')}"}
    assert client.post("ui-api/records", json=ACME, headers={**headers, **token}).status_code == 409
    assert len(org.effects) == 1


def test_a_refused_request_leaves_its_key_unused(client: httpx.Client, org: Org) -> None:
    """What was refused is tried again under its key."""
    rule = ValidationRule("Account", lambda _: True, "not today")
    org.rules.validation.append(rule)
    headers = keyed()
    assert client.post("ui-api/records", json=ACME, headers=headers).status_code == 400
    org.rules.validation.clear()

    assert client.post("ui-api/records", json=ACME, headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
def test_what_is_no_key(client: httpx.Client, org: Org, key: str) -> None:
    """A key is a UUID of version 4."""
    response = client.post("ui-api/records", json=ACME, headers={"Idempotency-Key": key})

    assert response.status_code == 400
    assert org.effects == []


def test_where_keys_are_not_heeded(client: httpx.Client, org: Org) -> None:
    """Other resources refuse a key, and so does an org that has not got the feature."""
    for path in "sobjects/Account", "composite":
        response = client.post(path, json={"Name": "A"}, headers=keyed())
        assert (response.status_code, code(response)) == (400, "IDEMPOTENCY_NOT_SUPPORTED")
    org.settings.has_idempotency = False
    response = client.post("ui-api/records", json=ACME, headers=keyed())
    assert (response.status_code, code(response)) == (400, "IDEMPOTENCY_FEATURE_NOT_ENABLED")
    assert org.effects == []
    assert client.get("sobjects", headers=keyed()).status_code == 200


def test_a_lost_answer_is_given_again(client: httpx.Client, org: Org) -> None:
    """A create whose answer was lost is answered when it is repeated, and done once."""
    headers = keyed()
    org.faults.drop_after()
    with pytest.raises(httpx.TransportError):
        client.post("ui-api/records", json=ACME, headers=headers)

    response = client.post("ui-api/records", json=ACME, headers=headers)
    assert response.status_code == 201
    assert [effect.id for effect in org.effects] == [response.json()["id"]]


def test_a_first_attempt_that_is_not_at_its_end(client: httpx.Client, org: Org, url: str) -> None:
    """While the first attempt is not answered, a repetition is 409, and says when to come back."""
    headers = keyed()
    org.faults.slow(1.0)
    with ThreadPoolExecutor() as pool, logged_in(url, org.access_token()) as other:
        first = pool.submit(client.post, "ui-api/records", json=ACME, headers=headers)
        until = time.monotonic() + 10
        while not org.effects and time.monotonic() < until:
            pass
        meanwhile = other.post("ui-api/records", json=ACME, headers=headers)
        answer = first.result()
        after = other.post("ui-api/records", json=ACME, headers=headers)

    assert (meanwhile.status_code, meanwhile.headers["Retry-After"]) == (409, "1")
    assert (answer.status_code, after.json()) == (201, answer.json())
    assert len(org.effects) == 1


# --- many in one call --------------------------------------------------------------------


def operations(*said: tuple[str, dict[str, Any]], **options: object) -> dict[str, Any]:
    """Return a batch of operations, each on one record."""
    listed = [{"type": kind, "records": [record]} for kind, record in said]
    return {**options, "operations": listed}


def statuses(response: httpx.Response) -> list[int]:
    """Return what came of each operation."""
    assert response.status_code == 200
    return [each["statusCode"] for each in response.json()["results"]]


def test_a_batch(client: httpx.Client, org: Org) -> None:
    """Records are made, changed and deleted in their order; each has its result."""
    one, two = (created(client, "Account", Name=name) for name in "AB")
    body = operations(
        ("CREATE", {"apiName": "Contact", "fields": {"LastName": "C"}}),
        ("Update", {"fields": {"Id": one, "Phone": "1"}}),
        ("Delete", {"fields": {"Id": two}}),
    )

    response = client.post("ui-api/records/batch", json=body)

    assert statuses(response) == [201, 200, 204]
    first, second, third = response.json()["results"]
    assert first["result"]["fields"]["LastName"]["value"] == "C"
    assert (second["result"]["id"], third["result"]) == (one, None)
    assert [effect.operation for effect in org.effects[2:]] == ["create", "update", "delete"]


@pytest.mark.parametrize(
    ("options", "expected", "names"),
    [({}, [412, 400, 412], []), ({"allOrNone": False}, [201, 400, 201], ["A", "C"])],
)
def test_a_batch_with_a_failure(
    client: httpx.Client, org: Org, options: dict[str, Any], expected: list[int], names: list[str]
) -> None:
    """Where nothing is said, one failure takes all back; otherwise each stands for itself."""
    records = [
        ("Create", {"apiName": "Account", "fields": {"Name": name}}) for name in ("A", "", "C")
    ]

    response = client.post("ui-api/records/batch", json=operations(*records, **options))
    assert statuses(response) == expected
    assert response.json()["hasErrors"] is True
    assert response.json()["results"][1]["result"]["enhancedErrorType"] == "RecordError"
    assert [each["Name"] for each in org.records("Account")] == names


def test_a_repeated_batch_is_done_once(client: httpx.Client, org: Org) -> None:
    """A batch has a key like a record."""
    body, headers = operations(("Create", ACME), ("Create", ACME)), keyed()

    first, again = (client.post("ui-api/records/batch", json=body, headers=headers) for _ in "12")
    assert first.json() == again.json()
    assert len(org.effects) == 2


ACCOUNT = "001000000000001AAA"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "INVALID_INPUT"),
        ({"operations": []}, "INVALID_INPUT"),
        ({"operations": [{"type": "Create", "records": []}]}, "INVALID_INPUT"),
        ({"operations": [{"type": "Merge", "records": [ACME]}]}, "INVALID_INPUT"),
        ({"operations": [{"type": "Create", "records": [ACME] * 201}]}, "INVALID_INPUT"),
        (operations(("Update", {"fields": {"Phone": "1"}})), "INVALID_BATCH_REQUEST"),
        (operations(("Create", {"fields": {"Id": ACCOUNT}})), "INVALID_BATCH_REQUEST"),
        (
            operations(
                ("Update", {"fields": {"Id": ACCOUNT}}),
                ("Delete", {"fields": {"Id": ACCOUNT[:15]}}),
            ),
            "INVALID_BATCH_REQUEST",
        ),
    ],
)
def test_a_batch_that_cannot_be_done(
    client: httpx.Client, org: Org, body: dict[str, Any], expected: str
) -> None:
    """A batch has operations, 200 records at most, and each record once."""
    response = client.post("ui-api/records/batch", json=body)

    assert (response.status_code, code(response)) == (400, expected)
    assert org.effects == []
