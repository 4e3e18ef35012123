"""Conditional headers: whole seconds, and ETags for accounts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.salesforce.hands import code, created

if TYPE_CHECKING:
    import httpx

    from journal.testing.salesforce import Org
    from tests.integration.salesforce.hands import Hands

AT_NINE = "Wed, 01 Apr 2026 09:00:00 GMT"
BEFORE = "Wed, 01 Apr 2026 08:59:59 GMT"


def test_a_write_after_a_change_is_refused(client: httpx.Client, org: Org, clock: Hands) -> None:
    """A record that was changed in a later second is not written."""
    record_id = created(client, "Contact", LastName="A")
    clock.move(seconds=1)
    org.update(record_id, {"Phone": "theirs"})

    headers = {"If-Unmodified-Since": AT_NINE}
    response = client.patch(
        f"sobjects/Contact/{record_id}", json={"Phone": "ours"}, headers=headers
    )
    assert (response.status_code, code(response)) == (412, "PRECONDITION_FAILED")
    record = org.get(record_id)
    assert record is not None
    assert record["Phone"] == "theirs"


def test_a_change_within_the_second_slips_through(
    client: httpx.Client, org: Org, clock: Hands
) -> None:
    """The condition has whole seconds: a change in the same one is not seen."""
    record_id = created(client, "Contact", LastName="A")
    clock.move(seconds=0.9)
    org.update(record_id, {"Phone": "theirs"})

    headers = {"If-Unmodified-Since": AT_NINE}
    assert (
        client.patch(
            f"sobjects/Contact/{record_id}", json={"Phone": "ours"}, headers=headers
        ).status_code
        == 204
    )


def test_a_stamp_of_the_system_is_no_change(client: httpx.Client, org: Org, clock: Hands) -> None:
    """Automation may move SystemModstamp alone, which conditions do not see."""
    record_id = created(client, "Contact", LastName="A")
    clock.move(seconds=5)
    org.touch(record_id)

    headers = {"If-Unmodified-Since": AT_NINE}
    record = org.get(record_id)
    assert record is not None
    assert record["SystemModstamp"] > record["LastModifiedDate"]
    assert (
        client.patch(
            f"sobjects/Contact/{record_id}", json={"Phone": "1"}, headers=headers
        ).status_code
        == 204
    )


def test_reads_are_conditional(client: httpx.Client) -> None:
    """What was not modified is 304, without a body."""
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='A')}"

    unchanged = client.get(path, headers={"If-Modified-Since": AT_NINE})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert client.get(path, headers={"If-Modified-Since": BEFORE}).status_code == 200
    assert client.get(path, headers={"If-Modified-Since": "nonsense"}).status_code == 200
    assert client.get(path, headers={"If-Unmodified-Since": BEFORE}).status_code == 412
    assert client.get(path).headers["Last-Modified"] == AT_NINE


def test_accounts_have_etags(client: httpx.Client) -> None:
    """An account is read and written by its ETag."""
    path = f"sobjects/Account/{created(client, 'Account', Name='A')}"
    etag = client.get(path).headers["ETag"]

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert (
        client.patch(path, json={"Phone": "1"}, headers={"If-None-Match": etag}).status_code == 412
    )
    assert (
        client.patch(path, json={"Phone": "1"}, headers={"If-Match": f'"x", {etag}'}).status_code
        == 204
    )
    assert client.get(path).headers["ETag"] != etag
    assert client.patch(path, json={"Phone": "2"}, headers={"If-Match": etag}).status_code == 412
    assert client.patch(path, json={"Phone": "2"}, headers={"If-Match": "*"}).status_code == 204


def test_others_have_none(client: httpx.Client) -> None:
    """Other rows have no ETag, and pay no heed to one."""
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='A')}"

    assert "ETag" not in client.get(path).headers
    assert client.patch(path, json={"Phone": "1"}, headers={"If-Match": '"x"'}).status_code == 204


@pytest.mark.parametrize("header", ["If-Unmodified-Since", "If-Modified-Since"])
def test_a_condition_that_cannot_be_read(client: httpx.Client, header: str) -> None:
    """A write with a time that is none is refused."""
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='A')}"

    assert client.patch(path, json={"Phone": "1"}, headers={header: "nonsense"}).status_code == 400


def test_writes_that_need_a_change(client: httpx.Client) -> None:
    """A write may ask that the record was modified since."""
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='A')}"

    assert (
        client.patch(path, json={"Phone": "1"}, headers={"If-Modified-Since": AT_NINE}).status_code
        == 412
    )
    assert (
        client.patch(path, json={"Phone": "1"}, headers={"If-Modified-Since": BEFORE}).status_code
        == 204
    )


def test_deletes_are_not_conditional(client: httpx.Client, org: Org) -> None:
    """A delete takes no condition."""
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='A')}"

    assert client.delete(path, headers={"If-Unmodified-Since": AT_NINE}).status_code == 400
    assert len(org.effects) == 1


def test_keys_pay_no_heed_to_conditions(client: httpx.Client) -> None:
    """A row that is named by its key is written whatever the condition says."""
    path = "sobjects/Contact/Journal_Key__c/k"
    client.patch(path, json={"LastName": "A"})

    response = client.patch(path, json={"Phone": "1"}, headers={"If-Unmodified-Since": BEFORE})
    assert response.status_code == 200
