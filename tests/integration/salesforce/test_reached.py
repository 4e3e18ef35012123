"""How an org is reached: within the process, at several addresses, in a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from journal.testing.salesforce.serving import listening
from tests.integration.salesforce.hands import code, created, logged_in
from tests.pages import ROOT

if TYPE_CHECKING:
    from journal.testing.salesforce import Org

COMMAND: Final = [sys.executable, "-m", "journal.testing.salesforce"]


def test_within_the_process(org: Org) -> None:
    """An org is an ASGI application; a connection that a fault drops is an exception there."""
    headers = {"Authorization": f"Bearer {org.access_token()}"}

    async def _day() -> list[int]:
        transport = httpx.ASGITransport(org.app)
        base = "http://org.example/services/data/v67.0/"
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
            made = await client.post("sobjects/Account", json={"Name": "A"})
            org.faults.slow(0.01)
            read = await client.get(f"sobjects/Account/{made.json()['id']}")
            for fault in org.faults.drop_after, org.faults.drop_before, org.faults.truncate:
                fault()
                with pytest.raises(ConnectionResetError):
                    await client.post("sobjects/Account", json={"Name": fault.__name__})
            return [made.status_code, read.status_code]

    assert asyncio.run(_day()) == [201, 200]
    assert [each["Name"] for each in org.records("Account")] == ["A", "drop_after", "truncate"]


def test_within_the_process_by_tls(org: Org) -> None:
    """A token names the org as it was asked, in the scheme too."""
    form = {"client_id": "stand-in-client", "client_secret": "stand-in-secret"}

    async def _instance_url() -> str:
        transport = httpx.ASGITransport(org.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://org.example") as client:
            said = {"grant_type": "client_credentials", **form}
            answer = await client.post("/services/oauth2/token", data=said)
            return str(answer.json()["instance_url"])

    assert asyncio.run(_instance_url()) == "https://org.example"


def test_several_addresses(org: Org) -> None:
    """One org may be served at several addresses; what is done at one is seen at the other."""
    with org.serve() as one, org.serve() as two:
        with logged_in(one, org.access_token()) as client:
            record_id = created(client, "Account", Name="A")
        with logged_in(two, org.access_token()) as client:
            assert client.get(f"sobjects/Account/{record_id}").status_code == 200


def test_many_clients(org: Org, url: str) -> None:
    """Clients at the same time are answered one after another: nothing is lost, or done twice."""

    def _work(n: int) -> list[str]:
        with logged_in(url, org.access_token()) as client:
            path = "sobjects/Account/Journal_Key__c/shared"
            statuses = {client.patch(path, json={"Name": str(n)}).status_code for _ in range(5)}
            assert statuses <= {200, 201}
            return [created(client, "Account", Name=f"{n}") for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        ids = [record_id for made in pool.map(_work, range(8)) for record_id in made]

    assert len(set(ids)) == 80
    assert len(org.records("Account")) == 81
    assert [effect.n for effect in org.effects] == list(range(1, 121))
    assert [request.n for request in org.requests] == list(range(1, 121))


def test_answers_wait_for_nothing() -> None:
    """What is sent leaves at once: the protocol of the socket is named, as asyncio wants it."""
    with listening("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_served_again(org: Org) -> None:
    """An org that was stopped keeps its records, its sessions and, on demand, its port."""
    token = org.access_token()
    with org.serve() as url, logged_in(url, token) as client:
        record_id = created(client, "Account", Name="A")
    with pytest.raises(httpx.ConnectError), logged_in(url, token) as client:
        client.get("limits")

    port = int(url.rpartition(":")[2])
    with org.serve(port) as again, logged_in(again, token) as client:
        assert again == url
        assert client.get(f"sobjects/Account/{record_id}").status_code == 200
        with pytest.raises(OSError, match="in use"), org.serve(port):
            pass


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_process_of_its_own(end: signal.Signals) -> None:
    """The command serves, says where and for whom, and ends when it is told to."""
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().removeprefix("listening on ").strip()
        said = process.stdout.readline()
        assert said == "client id stand-in-client, client secret stand-in-secret\n"
        with httpx.Client(base_url=url, trust_env=False) as door:
            form = {"client_id": "stand-in-client", "client_secret": "stand-in-secret"}
            answer = door.post(
                "/services/oauth2/token", data={"grant_type": "client_credentials", **form}
            ).json()
        with logged_in(answer["instance_url"], answer["access_token"]) as client:
            assert code(client.get("sobjects/Nothing")) == "NOT_FOUND"
    finally:
        process.send_signal(end)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_a_port_that_is_taken(org: Org) -> None:
    """A port that is taken, or is none, is told in a line."""
    with org.serve() as url:
        for port in url.rpartition(":")[2], "70000":
            done = subprocess.run(
                [*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("cannot listen: ")


def test_what_it_needs_comes_when_it_is_served() -> None:
    """The package is imported without what it serves with, which may not be there."""
    script = "from journal.testing.salesforce import Org; Org(); import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert {"starlette", "uvicorn", "cryptography"} & set(done.stdout.split()) == set()


def test_the_extra_is_missing() -> None:
    """Without what it serves with, the command says what to install."""
    script = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from journal.testing.salesforce.__main__ import main; sys.exit(main([]))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "uvicorn is missing: install draft-journal[testing]\n"
