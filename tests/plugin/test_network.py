"""The way to a service at hand: each fault does to a request what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from journal.testing import NetworkFaults, ServiceAtHand
from journal.testing.salesforce import Org

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=["in process", "on a socket"])
def service(request: pytest.FixtureRequest) -> Iterator[ServiceAtHand]:
    """A service without records."""
    service = ServiceAtHand(on_socket=request.param == "on a socket")
    yield service
    service.close()


@pytest.fixture
def client(service: ServiceAtHand) -> Iterator[httpx.Client]:
    """What asks it."""
    with httpx.Client(transport=service.network, base_url=service.url) as client:
        yield client


def put(client: httpx.Client, name: str) -> int:
    """Write a record; return the status, 0 where there is no answer."""
    try:
        return client.put(f"/A/{name}", json={"Name": name}).status_code
    except httpx.TransportError:
        return 0


def test_what_is_lost(service: ServiceAtHand, client: httpx.Client) -> None:
    """A request may be lost before it is heard, or its answer after that."""
    service.faults.drop_before()
    service.faults.unreachable()
    service.faults.drop_after()
    service.faults.truncate()

    assert [put(client, name) for name in "abcde"] == [0, 0, 0, 0, 201]

    assert [effect.path for effect in service.effects] == ["/A/c", "/A/d", "/A/e"]


@pytest.mark.parametrize("kind", [NetworkFaults, Org])
@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (lambda faults: faults.drop_after(method="put"), "no request has the method 'put'; write"),
        (lambda faults: faults.drop_before(path="("), r"path '\(' is no regular expression"),
        (lambda faults: faults.drop_after(times=0), "a fault with times=0, skip=0, .* never"),
        (lambda faults: faults.drop_after(skip=-1), "skip=-1, .* never strikes"),
        (lambda faults: faults.delay(later=-1), "later=-1 never strikes"),
        (lambda faults: faults.status(99), "status 99 is answered by nobody"),
        (lambda faults: faults.status("503"), "status '503' is answered by nobody"),
        (lambda faults: faults.status(503, retry_after_s=-1), "from 0 on"),
        (lambda faults: faults.status(503, methd="PUT"), "a fault has no 'methd'; it has method, "),
    ],
)
def test_what_can_never_go_wrong(kind: Any, plan: Callable[[Any], None], problem: str) -> None:  # noqa: ANN401
    """A fault that no request would ever meet is refused, and nothing is planned."""
    faults = kind() if kind is NetworkFaults else kind().faults

    with pytest.raises((TypeError, ValueError), match=problem):
        plan(faults)

    assert faults.pending == []


def test_what_is_late(service: ServiceAtHand, client: httpx.Client) -> None:
    """A request may be applied after others, in place of now or once more, or when it is told."""
    service.faults.delay(later=2)
    service.faults.duplicate()

    assert [put(client, name) for name in "abc"] == [0, 201, 201]

    assert [effect.path for effect in service.effects] == ["/A/b", "/A/c", "/A/a", "/A/b"]
    service.faults.delay(later=100)
    assert put(client, "d") == 0
    assert service.network.deliver() == 1
    assert service.effects[-1].path == "/A/d"


def test_what_is_answered(service: ServiceAtHand, client: httpx.Client) -> None:
    """A status may be answered before the request counts, or after, with when to come back."""
    service.faults.status(503, retry_after_s=7)
    service.faults.status(500, after=True)

    first = client.put("/A/a", json={})
    second = client.put("/A/b", json={})

    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert (second.status_code, list(service.records)) == (500, [("A", "b")])


def test_whom_it_strikes(service: ServiceAtHand, client: httpx.Client) -> None:
    """A fault strikes requests of a method and a path, after some that it skips, so many times."""
    service.faults.drop_before(method="PUT", path="/A/[bc]", skip=1, times=2)

    assert [put(client, name) for name in "abcbcb"] == [201, 201, 0, 0, 201, 200]
    assert client.get("/A/c").status_code == 200
    assert len(service.faults.struck) == 2
    service.faults.status(500)
    service.faults.clear()
    assert put(client, "z") == 201


def test_what_is_refused(client: httpx.Client) -> None:
    """What the service refuses is an answer."""
    answer = client.get("/A/never")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.put("/A/a", json={}).headers["ETag"] == '"1"'
    assert client.delete("/A/a", headers={"If-Match": '"1"'}).status_code == 204
