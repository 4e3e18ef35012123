"""The record service of `journal.testing`, over a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from journal.testing.service import Effect, RecordService

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACME = {"Name": "Acme", "Tags": ["a", "b"], "Site": {"City": "Bern", "Zip": "3000"}}


@pytest.fixture
def client(service: RecordService) -> Iterator[httpx.Client]:
    """A client of that service, on one kept connection."""
    with httpx.Client(base_url=service.url, trust_env=False) as client:
        yield client


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem that a response carries, seen to be one."""
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    assert document["status"] == response.status_code
    return document


def exchange(service: RecordService, request: bytes) -> tuple[int, bytes]:
    """Send raw bytes on a connection of its own; the status, and everything up to the end."""
    port = int(service.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as stream:
            answer = stream.read()
    return int(answer.split(b" ", 2)[1]), answer


class TestReading:
    """GET and HEAD."""

    def test_root_counts_records(self, client: httpx.Client) -> None:
        """The root names the service and counts its records."""
        client.put("/Account/a1", json=ACME)

        response = client.get("/")

        assert response.status_code == 200
        assert response.json() == {"service": "record service", "records": 1}

    def test_record_has_exactly_the_sent_fields(self, client: httpx.Client) -> None:
        """A record is read as it was sent, with its ETag and no field of the server's making."""
        written = client.put("/Account/a1", json=ACME)

        response = client.get("/Account/a1")

        assert (response.status_code, response.json()) == (200, ACME)
        assert response.headers["ETag"] == written.headers["ETag"]

    def test_head_has_no_body(self, client: httpx.Client) -> None:
        """HEAD answers like GET without a body, and the connection stays usable."""
        client.put("/Account/a1", json=ACME)

        response = client.head("/Account/a1")

        assert (response.status_code, response.content) == (200, b"")
        assert client.get("/Account/a1").json() == ACME

    def test_collection_is_in_id_order(self, client: httpx.Client) -> None:
        """A collection lists its records by id, each with its ETag; an unknown one is empty."""
        for record_id in ("b", "c", "a"):
            client.put(f"/Account/{record_id}", json={"Name": record_id})
        client.put("/Visit/a", json={})

        assert client.get("/Account").json() == {
            "records": [
                {"id": "a", "etag": '"3"', "fields": {"Name": "a"}},
                {"id": "b", "etag": '"1"', "fields": {"Name": "b"}},
                {"id": "c", "etag": '"2"', "fields": {"Name": "c"}},
            ]
        }
        assert client.get("/Other").json() == {"records": []}

    def test_missing_record(self, client: httpx.Client) -> None:
        """Reading a record that is not there gives 404."""
        response = client.get("/Account/a1")

        assert response.status_code == 404
        assert problem(response)["detail"] == "there is no record Account/a1"

    def test_path_segments_are_decoded(self, client: httpx.Client, service: RecordService) -> None:
        """A segment is percent-decoded after the split: an id may hold a slash, a space, an ö."""
        response = client.put("/Acc%20ount/a%2Fb%C3%B6%25", json={})

        assert response.status_code == 201
        assert service.records == {("Acc ount", "a/bö%"): {}}
        assert response.headers["Location"] == "/Acc%20ount/a%2Fb%C3%B6%25"
        assert client.get("/Acc%20ount/a%2Fb%C3%B6%25?q=1").status_code == 200


class TestPut:
    """PUT creates or replaces."""

    def test_creates_then_replaces(self, client: httpx.Client, service: RecordService) -> None:
        """Without a condition, PUT gives 201 for a new record and 200 for one it replaces whole."""
        created = client.put("/Account/a1", json=ACME)
        replaced = client.put("/Account/a1", json={"Name": "Bolt"})

        assert (created.status_code, created.json()) == (201, ACME)
        assert (replaced.status_code, replaced.json()) == (200, {"Name": "Bolt"})
        assert service.records == {("Account", "a1"): {"Name": "Bolt"}}

    def test_etag_changes_with_every_write(self, client: httpx.Client) -> None:
        """Every write gives a new strong ETag, also one that changes no field."""
        tags = [client.put("/Account/a1", json=ACME).headers["ETag"] for _ in range(3)]

        assert tags == ['"1"', '"2"', '"3"']

    def test_if_none_match_creates_once(self, client: httpx.Client, service: RecordService) -> None:
        """`If-None-Match: *` creates a new record, and gives 412 with its ETag when it exists."""
        condition = {"If-None-Match": "*"}
        created = client.put("/Account/a1", json=ACME, headers=condition)
        refused = client.put("/Account/a1", json={"Name": "Bolt"}, headers=condition)

        assert (created.status_code, refused.status_code) == (201, 412)
        assert refused.headers["ETag"] == created.headers["ETag"]
        assert problem(refused)["detail"] == 'the record is at "1"'
        assert service.records == {("Account", "a1"): ACME}

    @pytest.mark.parametrize(
        ("condition", "status"),
        [
            ('"1"', 200),
            ('"7", "1"', 200),
            ("*", 200),
            ('"2"', 412),
            ('W/"1"', 412),  # a weak tag never matches strongly
        ],
    )
    def test_if_match(self, client: httpx.Client, condition: str, status: int) -> None:
        """`If-Match` replaces only the version that it names."""
        client.put("/Account/a1", json=ACME)

        response = client.put("/Account/a1", json={}, headers={"If-Match": condition})

        assert response.status_code == status

    def test_if_match_does_not_create(self, client: httpx.Client, service: RecordService) -> None:
        """`If-Match` on a record that is not there gives 412, without an ETag."""
        response = client.put("/Account/a1", json=ACME, headers={"If-Match": "*"})

        assert response.status_code == 412
        assert "ETag" not in response.headers
        assert service.records == {}


class TestPatch:
    """PATCH is a JSON merge patch."""

    @pytest.mark.parametrize(
        ("before", "patch", "after"),
        [  # the table of RFC 7396, appendix A, where both sides are objects
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ],
    )
    def test_merges(
        self,
        client: httpx.Client,
        before: Mapping[str, Any],
        patch: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        """Objects merge, null removes, anything else replaces; the answer is the whole record."""
        client.put("/T/1", json=before)

        response = client.patch("/T/1", json=patch)

        assert (response.status_code, response.json()) == (200, after)
        assert response.headers["ETag"] == '"2"'
        assert client.get("/T/1").json() == after

    def test_if_match(self, client: httpx.Client, service: RecordService) -> None:
        """A patch made on another version gives 412 with the current ETag, and changes nothing."""
        client.put("/T/1", json={"a": 1})
        kept = client.patch("/T/1", json={"a": 2}, headers={"If-Match": '"1"'})
        refused = client.patch("/T/1", json={"a": 3}, headers={"If-Match": '"1"'})

        assert (kept.status_code, refused.status_code) == (200, 412)
        assert refused.headers["ETag"] == kept.headers["ETag"] == '"2"'
        assert service.records == {("T", "1"): {"a": 2}}

    def test_missing_record(self, client: httpx.Client) -> None:
        """A patch of a record that is not there gives 404, whatever its condition."""
        response = client.patch("/T/1", json={}, headers={"If-Match": '"1"'})

        assert response.status_code == 404


class TestDelete:
    """DELETE removes a record."""

    def test_deletes(self, client: httpx.Client, service: RecordService) -> None:
        """A delete gives 204 with no body; a second one gives 404."""
        client.put("/T/1", json={})

        first, second = client.delete("/T/1"), client.delete("/T/1")

        assert (first.status_code, first.content, second.status_code) == (204, b"", 404)
        assert service.records == {}

    def test_if_match(self, client: httpx.Client, service: RecordService) -> None:
        """A delete of another version gives 412 with the current ETag, and deletes nothing."""
        client.put("/T/1", json={})

        refused = client.delete("/T/1", headers={"If-Match": '"9"'})

        assert (refused.status_code, refused.headers["ETag"]) == (412, '"1"')
        assert service.records == {("T", "1"): {}}
        assert client.delete("/T/1", headers={"If-Match": '"1"'}).status_code == 204


class TestEffects:
    """What was applied, as an independent witness."""

    def test_applied_writes_in_order(self, client: httpx.Client, service: RecordService) -> None:
        """Each applied write is there once, in order, with what was sent; a refused one is not."""
        client.put("/Account/a1", json={"Name": "Acme"})
        client.put("/Account/a1", json={}, headers={"If-None-Match": "*"})
        client.patch("/Account/a1", json={"Name": None})
        client.delete("/Account/a1")
        client.delete("/Account/a1")

        response = client.get("/-/effects")

        assert response.json() == [
            {"n": 1, "method": "PUT", "path": "/Account/a1", "body": {"Name": "Acme"}},
            {"n": 2, "method": "PATCH", "path": "/Account/a1", "body": {"Name": None}},
            {"n": 3, "method": "DELETE", "path": "/Account/a1", "body": None},
        ]
        assert service.effects[2] == Effect(3, "DELETE", "/Account/a1", None)

    def test_copies_are_independent(self, client: httpx.Client, service: RecordService) -> None:
        """Changing what `records` and `effects` returned does not change the service."""
        client.put("/Account/a1", json=ACME)

        service.records["Account", "a1"]["Site"]["City"] = "Basel"
        service.effects[0].body["Site"]["City"] = "Basel"

        assert client.get("/Account/a1").json() == ACME
        assert service.effects[0].body == ACME

    def test_many_clients_at_once(self, service: RecordService) -> None:
        """With eight clients writing at once, every write is applied once, under its own number."""

        def write(worker: int) -> None:
            with httpx.Client(base_url=service.url, trust_env=False) as client:
                for n in range(20):
                    assert client.put(f"/T/{worker}-{n}", json={}).status_code == 201

        with ThreadPoolExecutor(8) as workers:
            list(workers.map(write, range(8)))

        assert [effect.n for effect in service.effects] == list(range(1, 161))
        assert len({effect.path for effect in service.effects}) == 160

    def test_one_of_many_creates(self, service: RecordService) -> None:
        """Of eight clients that create one record with `If-None-Match: *`, exactly one does."""

        def create(_: int) -> int:
            condition = {"If-None-Match": "*"}
            with httpx.Client(base_url=service.url, trust_env=False) as client:
                return client.put("/T/1", json={}, headers=condition).status_code

        with ThreadPoolExecutor(8) as workers:
            assert sorted(workers.map(create, range(8))) == [201, *[412] * 7]


class TestRefusals:
    """What is wrong is said as problem+json, and changes nothing."""

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"1", b'{"a": NaN}', b'{"a": 1e999}', b"\xff", b'{"a":' * 100_000],
    )
    def test_bad_body(self, client: httpx.Client, service: RecordService, body: bytes) -> None:
        """A body that is no JSON object gives 400."""
        response = client.put("/T/1", content=body)

        assert response.status_code == 400
        problem(response)
        assert service.effects == []

    @pytest.mark.parametrize("path", ["/T/1/2", "/T/", "/-/other", "/-", "/-/effects/1"])
    def test_unknown_path(self, client: httpx.Client, path: str) -> None:
        """A path that is neither a collection nor a record gives 404."""
        response = client.get(path)

        assert response.status_code == 404
        problem(response)

    def test_path_is_not_utf8(self, client: httpx.Client) -> None:
        """A segment that does not decode gives 400."""
        response = client.get("/T/%FF")

        assert response.status_code == 400
        problem(response)

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("POST", "/T/1", "GET, HEAD, PUT, PATCH, DELETE"),
            ("PUT", "/T", "GET, HEAD"),
            ("DELETE", "/", "GET, HEAD"),
            ("PUT", "/-/effects", "GET, HEAD"),
        ],
    )
    def test_wrong_method(self, client: httpx.Client, method: str, path: str, allow: str) -> None:
        """A method that a path does not have gives 405 and names those it has."""
        response = client.request(method, path, json={})

        assert (response.status_code, response.headers["Allow"]) == (405, allow)
        problem(response)

    def test_body_too_long(self, client: httpx.Client, service: RecordService) -> None:
        """A body over 2 MiB gives 413, heard by a client that sends it all; 2 MiB are taken."""
        longest = json.dumps({"a": "x" * (2 * 1024 * 1024 - 9)}).encode()

        response = client.put("/T/1", content=longest + b" ")

        assert response.status_code == 413
        problem(response)
        assert client.put("/T/2", content=longest).status_code == 201
        assert list(service.records) == [("T", "2")]

    def test_body_without_length(self, client: httpx.Client) -> None:
        """A chunked body gives 411."""
        response = client.put("/T/1", content=iter([b"{", b"}"]))

        assert response.status_code == 411
        problem(response)

    @pytest.mark.parametrize(
        ("request_line", "status"),
        [
            (b"PUT /T/1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"BREW / HTTP/1.1\r\n\r\n", 501),
            (b"GET / HTTP/9.0\r\n\r\n", 505),
        ],
    )
    def test_malformed_request(
        self, service: RecordService, request_line: bytes, status: int
    ) -> None:
        """A request that is not HTTP as we know it is refused and the connection closed."""
        actual, answer = exchange(service, request_line)

        assert actual == status
        assert b"application/problem+json" in answer

    def test_invalid_record(self) -> None:
        """A record that the hook finds fault with gives 422 with each fault; a patch likewise."""

        def validate(collection: str, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
            return [] if fields.get("Name") else [("Name", f"{collection} needs a name")]

        with (
            RecordService(validate=validate) as service,
            httpx.Client(base_url=service.url, trust_env=False) as client,
        ):
            refused = client.put("/Account/a1", json={})
            client.put("/Account/a2", json={"Name": "Acme"})
            patched = client.patch("/Account/a2", json={"Name": None})

            assert (refused.status_code, patched.status_code) == (422, 422)
            faults = [{"field": "Name", "message": "Account needs a name"}]
            assert problem(refused)["errors"] == problem(patched)["errors"] == faults
            assert service.records == {("Account", "a2"): {"Name": "Acme"}}


class TestLifetime:
    """Start, stop, and a process of its own."""

    def test_stopped_service_is_unreachable(self, service: RecordService) -> None:
        """Stopping closes kept connections too: a client cannot reach a stopped service."""
        with httpx.Client(base_url=service.url, trust_env=False) as client:
            client.get("/")
            service.stop()

            with pytest.raises(httpx.TransportError):
                client.put("/T/1", json={})

        assert service.effects == []

    def test_started_again_it_keeps_records_and_address(self, service: RecordService) -> None:
        """A service that comes back has the same address and the same records."""
        url = service.url
        httpx.put(f"{url}/T/1", json={}, trust_env=False)
        service.stop()
        service.stop()
        service.start()

        assert service.url == url
        assert httpx.get(f"{url}/T/1", trust_env=False).status_code == 200
        with pytest.raises(RuntimeError):
            service.start()

    def test_cut_body_is_not_applied(self, service: RecordService) -> None:
        """A client that goes away within a body is not answered, and nothing is applied."""
        port = int(service.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"PUT /T/1 HTTP/1.1\r\nContent-Length: 100\r\n\r\n{}")
            connection.shutdown(socket.SHUT_WR)

            assert connection.recv(1) == b""
        assert service.effects == []

    def test_expecting_client_is_asked_for_its_body(self, service: RecordService) -> None:
        """`Expect: 100-continue` is answered before the body comes."""
        port = int(service.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = b"PUT /T/1 HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head)
            assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"{}")
            assert connection.recv(4096).startswith(b"HTTP/1.1 201 ")

    def test_loopback_only(self) -> None:
        """A host that is not loopback is refused."""
        with pytest.raises(ValueError, match="not a loopback address"):
            RecordService(host="0.0.0.0")  # noqa: S104 - refused is what we want to see

    def test_no_address_before_the_start(self) -> None:
        """Without a port of its own, the service has no address until it first starts."""
        with pytest.raises(RuntimeError, match="start the service"):
            _ = RecordService().url

    @pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
    def test_process_of_its_own(self, end: signal.Signals) -> None:
        """As a process it says where it listens, and a signal ends it cleanly."""
        command = [sys.executable, "-m", "journal.testing.service", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = line.removeprefix("listening on ").strip()
            assert httpx.get(url, trust_env=False).json()["records"] == 0

            os.kill(process.pid, end)

            assert process.stdout.read() == ""
            assert process.wait(timeout=10) == 0

    def test_program_that_forgets_to_stop_it_ends(self) -> None:
        """A program ends also where it has not stopped the service, nor closed a connection."""
        program = (
            "import httpx\n"
            "from journal.testing.service import RecordService\n"
            "client = httpx.Client()\n"
            "assert client.get(RecordService().start().url).status_code == 200\n"
        )

        done = subprocess.run([sys.executable, "-c", program], timeout=20, check=False)

        assert done.returncode == 0

    def test_port_is_taken(self, service: RecordService) -> None:
        """As a process it says so and exits with 1 when its port is taken."""
        port = service.url.rpartition(":")[2]
        command = [sys.executable, "-m", "journal.testing.service", "--port", port]

        ended = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("cannot listen: ")
