"""What an administrator sets up: rules, triggers, locks, permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from journal.testing.salesforce import (
    DuplicateRule,
    Field,
    Org,
    RefusedError,
    Trigger,
    TriggerError,
    default_schema,
)
from tests.integration.salesforce.hands import code, created, forbidding

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.integration.salesforce.hands import Hands

ALLOW = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}


def test_validation_rules(client: httpx.Client, org: Org) -> None:
    """All broken rules are told at once, each at its field; nothing is saved."""
    org.rules.validation += [forbidding("Account", "Phone"), forbidding("Account", "Site")]
    record_id = created(client, "Account", Name="A")

    for response in (
        client.post("sobjects/Account", json={"Name": "A", "Phone": "0", "Site": "0"}),
        client.patch(f"sobjects/Account/{record_id}", json={"Phone": "0", "Site": "0"}),
    ):
        assert response.status_code == 400
        assert response.json() == [
            {"message": "no zero", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": [f]}
            for f in ("Phone", "Site")
        ]
    assert len(org.effects) == 1
    created(client, "Contact", LastName="0", Phone="0")


def test_duplicate_rules(client: httpx.Client, org: Org) -> None:
    """What looks like another record is refused with it, and saved where that is asked."""
    org.rules.duplicates.append(DuplicateRule("Account", ("Name", "Phone")))
    record_id = created(client, "Account", Name="Acme", Phone="1")
    body = {"Name": "ACME", "Phone": "1"}

    refused = client.post("sobjects/Account", json=body)
    assert (refused.status_code, code(refused)) == (400, "DUPLICATES_DETECTED")
    result = refused.json()[0]["duplicateResult"]
    assert result["allowSave"] is True
    [match] = result["matchResults"][0]["matchRecords"]
    assert match["record"] == {"attributes": {"type": "Account"}, "Id": record_id}
    assert client.post("sobjects/Account", json=body, headers=ALLOW).status_code == 201
    created(client, "Account", Name="Acme", Phone="2")
    created(client, "Account", Name="Acme")
    created(client, "Account", Name="Acme")


def test_duplicate_rules_that_block(client: httpx.Client, org: Org) -> None:
    """A rule that blocks lets nobody save; with details, the fields of the others are shown."""
    org.rules.duplicates.append(DuplicateRule("Account", action="block"))
    created(client, "Account", Name="Acme")

    refused = client.post("sobjects/Account", json={"Name": "Acme"}, headers=ALLOW)
    result = refused.json()[0]["duplicateResult"]
    assert (code(refused), result["allowSave"]) == ("DUPLICATES_DETECTED", False)
    assert result["matchResults"][0]["matchRecords"][0]["record"]["Name"] == "Acme"


def test_duplicates_by_update(client: httpx.Client, org: Org) -> None:
    """An update that makes a record look like another is refused; another update is not."""
    org.rules.duplicates.append(DuplicateRule("Account"))
    created(client, "Account", Name="Acme")
    path = f"sobjects/Account/{created(client, 'Account', Name='Other')}"

    assert code(client.patch(path, json={"Name": "acme"})) == "DUPLICATES_DETECTED"
    assert client.patch(path, json={"Name": "acme"}, headers=ALLOW).status_code == 204
    assert client.patch(path, json={"Phone": "1"}).status_code == 204


def test_triggers_change_fields(client: httpx.Client, org: Org) -> None:
    """A trigger sets fields before a record is saved, and sees what they were."""

    def _count(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
        seen = 0 if old is None else int(old["Site"])
        return {"Site": str(seen + 1), "Phone": str(new["Phone"]).strip("+")}

    org.rules.triggers.append(Trigger("Account", _count))
    record_id = created(client, "Account", Name="A", Phone="+1")
    client.patch(f"sobjects/Account/{record_id}", json={"Phone": "+2"})

    assert [effect.fields for effect in org.effects] == [
        {"Name": "A", "Phone": "1", "Site": "1"},
        {"Phone": "2", "Site": "2"},
    ]


def test_triggers_refuse(client: httpx.Client, org: Org) -> None:
    """A trigger may refuse, in words of its own."""

    def _refuse(*_: object) -> dict[str, Any]:
        raise TriggerError("not on a Sunday")

    org.rules.triggers.append(Trigger("Account", _refuse, "AccountTrigger"))

    response = client.post("sobjects/Account", json={"Name": "A"})
    assert (response.status_code, code(response)) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    assert (
        response.json()[0]["message"]
        == "AccountTrigger: execution of BeforeSave\n\ncaused by: not on a Sunday"
    )


def test_what_a_trigger_fills_is_not_missing(client: httpx.Client, org: Org) -> None:
    """A field that a trigger fills need not be sent."""
    org.rules.triggers.append(Trigger("Account", lambda *_: {"Name": "filled"}))

    assert client.post("sobjects/Account", json={}).status_code == 201


def test_locks(client: httpx.Client, org: Org) -> None:
    """A locked record is not written, nor is one that newly names it, until it is unlocked."""
    record_id = created(client, "Account", Name="A")
    contact = created(client, "Contact", LastName="B", AccountId=record_id)
    org.lock(record_id)

    for response in (
        client.patch(f"sobjects/Account/{record_id}", json={"Phone": "1"}),
        client.delete(f"sobjects/Account/{record_id}"),
        client.post("sobjects/Contact", json={"LastName": "C", "AccountId": record_id}),
    ):
        assert (response.status_code, code(response)) == (400, "UNABLE_TO_LOCK_ROW")
    assert client.patch(f"sobjects/Contact/{contact}", json={"Phone": "1"}).status_code == 204
    org.unlock(record_id)
    assert client.patch(f"sobjects/Account/{record_id}", json={"Phone": "1"}).status_code == 204


def test_locks_that_pass(client: httpx.Client, org: Org) -> None:
    """A lock may hold for so many tries, and be told in the words of a trigger."""
    path = f"sobjects/Account/{created(client, 'Account', Name='A')}"
    org.lock(path.rpartition("/")[2], tries=2, wrapped=True)

    for _ in range(2):
        response = client.patch(path, json={"Phone": "1"})
        assert code(response) == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
        assert "UNABLE_TO_LOCK_ROW" in response.json()[0]["message"]
    assert client.patch(path, json={"Phone": "1"}).status_code == 204


@pytest.mark.parametrize(("verb", "method"), [("update", "PATCH"), ("delete", "DELETE")])
def test_permissions(client: httpx.Client, org: Org, verb: Any, method: str) -> None:  # noqa: ANN401
    """What a user may not do is 403; what is done within the process is always permitted."""
    org.rules.denied |= {("Account", "create"), ("Account", verb)}
    record_id = org.create("Account", {"Name": "A"})

    for response in (
        client.post("sobjects/Account", json={"Name": "B"}),
        client.request(
            method,
            f"sobjects/Account/{record_id}",
            json={"Phone": "1"} if method == "PATCH" else None,
        ),
    ):
        assert (response.status_code, code(response)) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert len(org.effects) == 1


def test_what_is_hidden(client: httpx.Client, org: Org) -> None:
    """A record that is not shared is as if it were not there."""
    one, two = (created(client, "Account", Name=name) for name in "AB")
    org.hide(one)

    assert client.get(f"sobjects/Account/{one}").status_code == 404
    assert client.patch(f"sobjects/Account/{one}", json={"Phone": "1"}).status_code == 404
    records = client.get("query", params={"q": "SELECT Id FROM Account"}).json()["records"]
    assert [each["Id"] for each in records] == [two]
    org.rules.denied.add(("Account", "read"))
    assert client.get(f"sobjects/Account/{two}").status_code == 404


def test_records_that_must_not_be_left(clock: Hands) -> None:
    """A record that others hang on is not deleted where their field says so."""
    schema = default_schema()
    owner = Field("Owner_Account__c", "reference", refers_to=("Account",), on_delete="restrict")
    org = Org(schema.having(schema.object("Visit__c").with_fields(owner)), clock=clock)
    account = org.create("Account", {"Name": "A"})
    visit = org.create("Visit__c", {"Owner_Account__c": account})

    with pytest.raises(RefusedError, match="could not be completed") as refused:
        org.delete(account)
    assert [each.code for each in refused.value.complaints] == ["DELETE_FAILED"]
    assert [effect.operation for effect in org.effects] == ["create", "create"]
    org.delete(visit)
    org.delete(account)


def test_nobody_is_there(org: Org) -> None:
    """Within the process too, a record is named by its id."""
    with pytest.raises(KeyError):
        org.update("001000000000001AAA", {})
    assert org.get("nonsense") is None


def test_what_is_gone_is_gone_within_the_process_too(org: Org) -> None:
    """A record in the bin is neither changed nor deleted again."""
    record_id = org.create("Account", {"Name": "A"})
    org.delete(record_id)

    with pytest.raises(RefusedError, match="entity is deleted"):
        org.update(record_id, {"Phone": "1"})
    with pytest.raises(RefusedError, match="entity is deleted"):
        org.delete(record_id)
    assert len(org.effects) == 2


def test_a_parent_in_place_of_another(client: httpx.Client, org: Org) -> None:
    """A lock is met by who newly names the record, and not by who named it before."""
    one, two = (created(client, "Account", Name=name) for name in "AB")
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='C', AccountId=one)}"
    org.lock(two)

    assert code(client.patch(path, json={"AccountId": two})) == "UNABLE_TO_LOCK_ROW"
    assert client.patch(path, json={"AccountId": one}).status_code == 204
