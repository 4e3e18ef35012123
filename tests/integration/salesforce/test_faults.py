"""Faults on command, at the socket: what is lost, late, twice, slow or wrong."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from journal.testing.salesforce import ValidationRule
from tests.integration.salesforce.hands import code, created, logged_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.testing.salesforce import Org


def test_a_client_that_dies_within_its_request_is_no_error(
    org: Org, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is done, and nothing is said: who is tested may be killed at any time."""
    head = f"POST {client.base_url.path}sobjects/Account HTTP/1.1\r\nHost: x\r\n"
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(f'{head}Content-Length: 100\r\n\r\n{{"Name":'.encode())
    for _ in range(3):
        assert client.get("limits").status_code == 200

    assert org.records("Account") == []
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def names(org: Org) -> list[str]:
    """Return the names of the accounts, in the order of their making."""
    return [each["Name"] for each in org.records("Account")]


def raw(client: httpx.Client, body: dict[str, Any]) -> bytes:
    """Make an account on a connection of one's own; return everything up to its end."""
    content = json.dumps(body).encode()
    url = client.base_url
    head = (
        f"POST {url.path}sobjects/Account HTTP/1.1\r\nHost: {url.host}\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(head.encode() + content)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    return received


def test_a_connection_that_is_lost_before(client: httpx.Client, org: Org) -> None:
    """A request that is not heard does nothing, and is answered by nobody."""
    org.faults.drop_before()

    with pytest.raises(httpx.TransportError):
        client.post("sobjects/Account", json={"Name": "A"})
    assert org.effects == []
    assert (org.requests[0].status, org.requests[0].fault) == (None, "drop_before")
    created(client, "Account", Name="B")


def test_a_connection_that_is_lost_after(client: httpx.Client, org: Org) -> None:
    """A request is done, and its answer lost: not a byte of it arrives."""
    client.headers["X-Forwarded-For"] = "192.0.2.1"
    org.faults.drop_after()
    assert raw(client, {"Name": "A"}) == b""

    assert names(org) == ["A"]
    assert [each.request for each in org.effects] == [1]
    org.faults.drop_after()
    with pytest.raises(httpx.TransportError):
        client.post("sobjects/Account", json={"Name": "B"})
    assert names(org) == ["A", "B"]


def test_a_request_that_comes_late(client: httpx.Client, org: Org) -> None:
    """A request that was given up for lost is done after others."""
    org.faults.delay(later=2)
    with pytest.raises(httpx.TransportError):
        client.post("sobjects/Account", json={"Name": "late"})

    for name in "ABC":
        created(client, "Account", Name=name)
    assert names(org) == ["A", "B", "late", "C"]
    assert [each.request for each in org.effects] == [2, 3, 1, 4]


def test_a_request_that_comes_twice(client: httpx.Client, org: Org) -> None:
    """A request is done, answered, and done again later; with a key it makes no other record."""
    org.faults.duplicate(method="POST")
    org.faults.duplicate(later=5, method="PATCH")
    created(client, "Account", Name="A")
    assert client.patch("sobjects/Account/Journal_Key__c/k", json={"Name": "B"}).status_code == 201
    client.get("limits")
    assert org.faults.deliver() == 1

    assert names(org) == ["A", "B", "A"]
    assert [each.operation for each in org.effects] == ["create", "create", "create", "update"]
    assert org.faults.deliver() == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("status", [500, 502, 503, 420])
def test_servers_that_fail(client: httpx.Client, org: Org, status: int, *, after: bool) -> None:
    """A server fails before it has heard a request, or after it has done what it says."""
    org.faults.status(status, after=after, retry_after_s=7)

    response = client.post("sobjects/Account", json={"Name": "A"})
    assert (response.status_code, response.headers["Retry-After"]) == (status, "7")
    assert names(org) == (["A"] if after else [])
    assert "Sforce-Limit-Info" in response.headers
    is_json = response.headers["Content-Type"].startswith("application/json")
    assert is_json == (status in {500, 503})


def test_words_of_ones_own(client: httpx.Client, org: Org) -> None:
    """A refusal of any kind is said on command."""
    message = "This session is not valid for use with the REST API"
    org.faults.refuse(401, "INVALID_SESSION_ID", message)

    response = client.get("limits")
    assert (response.status_code, code(response)) == (401, "INVALID_SESSION_ID")
    assert client.get("limits").status_code == 200


def test_a_session_that_ends_midway(client: httpx.Client, org: Org, url: str) -> None:
    """A session ends with a request, and stays ended; another one works."""
    org.faults.expire_session(skip=1)
    created(client, "Account", Name="A")

    for name in "BC":
        response = client.post("sobjects/Account", json={"Name": name})
        assert (response.status_code, code(response)) == (401, "INVALID_SESSION_ID")
    with logged_in(url, org.access_token()) as other:
        created(other, "Account", Name="D")
    assert names(org) == ["A", "D"]


def test_the_limit(client: httpx.Client, org: Org) -> None:
    """The org takes no more calls, for a while."""
    org.faults.limit_reached(times=2)

    for _ in range(2):
        response = client.get("limits")
        assert (response.status_code, code(response)) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert "Sforce-Limit-Info" in response.headers
    assert client.get("limits").status_code == 200


def test_slow_answers(client: httpx.Client, org: Org) -> None:
    """A request is done at once and answered late, so that a client may give up."""
    org.faults.slow(30.0)

    with pytest.raises(httpx.ReadTimeout):
        client.post("sobjects/Account", json={"Name": "A"}, timeout=0.2)
    assert names(org) == ["A"]
    created(client, "Account", Name="B")


@pytest.mark.parametrize("kept", [0, 1, 10])
def test_truncated_answers(client: httpx.Client, org: Org, kept: int) -> None:
    """An answer ends within its body, before the length that it told."""
    org.faults.truncate(kept)
    head, _, body = raw(client, {"Name": "A"}).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 201")
    assert body == b'{"id": "001'[:kept]
    org.faults.truncate(kept)
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("sobjects/Account", json={"Name": "B"})
    assert names(org) == ["A", "B"]


def test_the_wrong_instance(client: httpx.Client, org: Org) -> None:
    """A host that the org has left knows nothing of it."""
    org.faults.wrong_instance()

    response = client.post("sobjects/Account", json={"Name": "A"})
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
    assert org.effects == []


def test_an_org_that_moves(client: httpx.Client, org: Org, url: str) -> None:
    """An org that has moved is found where its tokens say, and not where it was."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "stand-in-client",
        "client_secret": "stand-in-secret",
    }
    with org.serve() as new:
        org.move(new)
        assert client.get("limits").status_code == 404
        with httpx.Client(trust_env=False) as door:
            answer = door.post(f"{url}/services/oauth2/token", data=form).json()
        assert answer["instance_url"] == new
        with logged_in(new, answer["access_token"]) as moved:
            assert moved.get("limits").status_code == 200


def test_which_requests(client: httpx.Client, org: Org) -> None:
    """A fault strikes the requests that it fits: by method, by path, after some, so many times."""
    org.faults.status(503, method="PATCH", path="/Contact/", skip=1, times=2)
    path = f"sobjects/Contact/{created(client, 'Contact', LastName='A')}"
    client.patch(f"sobjects/Account/{created(client, 'Account', Name='A')}", json={"Phone": "1"})

    statuses = [client.patch(path, json={"Phone": str(n)}).status_code for n in range(4)]
    assert statuses == [204, 503, 503, 204]
    assert org.faults.pending == []
    assert [n for n, _ in org.faults.struck] == [5, 6]


def test_requests_for_tokens_go_wrong_on_demand(client: httpx.Client, org: Org, url: str) -> None:
    """Where nothing is said of paths, requests for tokens are let pass."""
    org.faults.status(503)
    org.faults.status(502, path="/oauth2/token$")
    with httpx.Client(trust_env=False) as door:
        assert [door.post(f"{url}/services/oauth2/token").status_code for _ in range(2)] == [
            502,
            400,
        ]
    assert client.get("limits").status_code == 503


def test_faults_are_taken_back(client: httpx.Client, org: Org) -> None:
    """What has not gone wrong yet may be taken back."""
    org.faults.drop_before()
    org.faults.clear()

    assert client.get("limits").status_code == 200


WRITES: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "create": lambda client: client.post("sobjects/Account", json={"Name": "A"}),
    "upsert": lambda client: client.patch("sobjects/Account/Journal_Key__c/k", json={"Name": "A"}),
    "composite": lambda client: client.post(
        "composite",
        json={
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": "/services/data/v67.0/sobjects/Account",
                    "referenceId": "r",
                    "body": {"Name": "A"},
                }
            ]
        },
    ),
    "batch": lambda client: client.post(
        "composite/batch",
        json={
            "batchRequests": [
                {"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {"Name": "A"}}
            ]
        },
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))
def test_every_write_can_lose_its_answer(
    client: httpx.Client, org: Org, write: Callable[[httpx.Client], httpx.Response]
) -> None:
    """Whatever wrote it, a record is there once though its answer was lost."""
    org.faults.drop_after()
    with pytest.raises(httpx.TransportError):
        write(client)

    assert names(org) == ["A"]


def test_a_rule_that_is_wrong_itself(
    client: httpx.Client, org: Org, caplog: pytest.LogCaptureFixture
) -> None:
    """What a rule of the test raises is answered with 500, logged, and has changed nothing."""
    org.rules.validation.append(ValidationRule("Account", lambda row: row["Nothing"], "never"))

    response = client.post("sobjects/Account", json={"Name": "A"})
    assert (response.status_code, code(response)) == (500, "UNKNOWN_EXCEPTION")
    assert "KeyError: 'Nothing'" in caplog.text
    assert org.effects == []


def test_faults_are_not_logged(
    client: httpx.Client, org: Org, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong on command is nothing to write home about."""
    for fault in org.faults.drop_before, org.faults.drop_after, org.faults.truncate:
        fault()
        with pytest.raises(httpx.TransportError):
            client.get("limits")

    client.get("limits")
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
