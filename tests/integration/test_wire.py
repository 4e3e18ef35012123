"""The wire, blocking and async, over real sockets that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from contextlib import closing
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

import httpx
import pytest

from journal.errors import RemoteError
from journal.remotes import Answer, HttpRemote, NoAnswer, Profile, Request, Response
from journal.remotes.exchange import MAX_URL
from journal.remotes.wire import AsyncWire, Limits, Wire
from tests.integration.faults import (
    Exchange,
    Fault,
    Held,
    Proxy,
    answered,
    dropped_before,
    message,
    status,
)
from tests.integration.matrix import hit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Send: TypeAlias = "Callable[..., list[Answer]]"
GET: Final = Request("GET", "/Account/1")
PATIENT: Final = Limits(timeout_s=10.0)
SHORT: Final = Limits(timeout_s=0.15)
SOON_S: Final = 3.0
"""Long before the patience of the test ends, however busy the machine is."""
BOMB: Final = gzip.compress(bytes(30_000_000), 9)
"""Some 30 kB that become 30 MB."""
CANARY: Final = "s3cr3t-c4n4ry"


def remote(url: str) -> HttpRemote:
    """Return a remote at the address."""
    profile = Profile.of({"url": url, "auth": {"bearer": "{env:TOKEN}"}})
    return HttpRemote(profile, environ={"TOKEN": CANARY})


def blocking(url: str, *requests: Request, limits: Limits = PATIENT) -> list[Answer]:
    """Send the requests one after another, blocking."""
    wire = Wire(remote(url), limits)
    try:
        return [wire.exchange(request) for request in requests]
    finally:
        wire.close()


def in_a_loop(url: str, *requests: Request, limits: Limits = PATIENT) -> list[Answer]:
    """Send the requests one after another, async."""

    async def sent() -> list[Answer]:
        wire = AsyncWire(remote(url), limits)
        try:
            return [await wire.exchange(request) for request in requests]
        finally:
            await wire.close()

    return asyncio.run(sent())


@pytest.fixture(params=[blocking, in_a_loop], ids=["blocking", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    """Return what sends requests and returns their answers."""
    chosen: Send = request.param
    return chosen


@pytest.fixture
def server() -> Iterator[Proxy]:
    """Return a server that answers what the test says."""
    with Proxy() as server:
        yield server


class TestAnswers:
    """What comes through."""

    def test_whole(self, send: Send, server: Proxy) -> None:
        """Status, headers in lower case, and body come through, on one kept connection."""
        server.then(status(200, b"a", ETag='"1"', X_A="b"), status(404, b""))

        answers = send(server.url, GET, GET)

        headers = {"content-length": "1", "etag": '"1"', "x-a": "b"}
        assert answers == [
            Response(200, headers, b"a"),
            Response(404, {"content-length": "0"}, b""),
        ]
        assert len(server._clients) == 1

    def test_the_request(self, send: Send, server: Proxy) -> None:
        """Method, quoted path, body and headers arrive as they are; nothing is compressed."""
        server.then(status(204))

        send(
            f"{server.url}/api", Request("PATCH", "/A/%2F%C3%A4?x=%20", {"If-Match": '"1"'}, b"{}")
        )

        (seen,) = server.seen
        assert (seen.line, seen.body) == ("PATCH /api/A/%2F%C3%A4?x=%20", b"{}")
        assert seen.headers["if-match"] == '"1"'
        assert seen.headers["accept-encoding"] == "identity"
        assert seen.headers["authorization"] == f"Bearer {CANARY}"

    def test_headers_are_bytes(self, send: Send, server: Proxy) -> None:
        """A version beyond ASCII is sent back byte for byte; a repeated header is one list."""
        head = (
            b'HTTP/1.1 200 OK\r\nETag: "\xe4\x80\xff"\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n'
        )
        server.then(answered(head + b"\r\n"), status(204))

        (answer,) = send(server.url, GET)
        assert isinstance(answer, Response)
        send(server.url, Request("PATCH", "/a", {"If-Match": answer.headers["etag"]}, b"{}"))

        assert answer.headers["x-a"] == "1, 2"
        assert server.seen[1].headers["if-match"].encode("latin-1") == b'"\xe4\x80\xff"'

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", gzip.compress(b"whole" * 100)),
            ("X-GZIP", gzip.compress(b"whole" * 100)),
            ("deflate", zlib.compress(b"whole" * 100)),
            ("identity", b"whole" * 100),
        ],
    )
    def test_compressed_though_not_asked_for(
        self, send: Send, server: Proxy, encoding: str, body: bytes
    ) -> None:
        """An answer that is compressed all the same is understood."""
        server.then(status(200, body, Content_Encoding=encoding))

        (answer,) = send(server.url, GET)

        assert isinstance(answer, Response)
        assert answer.body == b"whole" * 100

    def test_compressed_nothing(self, send: Send, server: Proxy) -> None:
        """An answer without a body is whole, whatever its headers say of compression."""
        server.then(answered(b"HTTP/1.1 204 X\r\nContent-Encoding: gzip\r\n\r\n"))

        assert send(server.url, GET) == [Response(204, {"content-encoding": "gzip"}, b"")]

    def test_works_again_after_close(self, server: Proxy) -> None:
        """A closed wire makes a new connection when it is used again."""
        wire = Wire(remote(server.url), PATIENT)
        server.then(status(200), status(200))

        for _ in range(2):
            assert isinstance(wire.exchange(GET), Response)
            wire.close()


class TestOrigin:
    """Where a request goes (W1)."""

    @pytest.mark.parametrize("code", [300, 301, 302, 303, 305, 307, 308])
    def test_a_redirect_is_not_followed(self, send: Send, server: Proxy, code: int) -> None:
        """A redirect is an answer like any other, wherever it leads."""
        with Proxy() as other:
            server.then(status(code, Location=f"{other.url}/x"), status(code, Location="/x"))

            answers = send(server.url, GET, GET)

            assert [answer.status for answer in answers if isinstance(answer, Response)] == [
                code
            ] * 2
            assert server.lines == ["GET /Account/1"] * 2
            assert other.seen == []

    @pytest.mark.parametrize(
        "path",
        [
            *["", "x", "//e.example/x", "http://e.example/", "@e.example/", "/../x", "/a/.."],
            *["/a/./b", "/.", "/a b", "/a\\b", "/a#b", "/ä", "/a\r\nX: 1"],
        ],
    )
    def test_a_path_that_leads_away_is_refused(self, send: Send, server: Proxy, path: str) -> None:
        """A path that could be read as another place is a fault of the remote, and not sent."""
        with pytest.raises(RemoteError, match="path"):
            send(server.url, Request("GET", path))

        assert server.seen == []

    def test_an_address_that_no_client_sends_is_refused(self, send: Send, server: Proxy) -> None:
        """One that is too long is a fault of the draft, and not of the link: it is held."""
        longest = MAX_URL - len(server.url)

        with pytest.raises(RemoteError, match="too long"):
            send(server.url, Request("GET", "/".ljust(longest + 1, "a")))

        send(server.url, Request("GET", "/".ljust(longest, "a")))
        assert [len(seen.path) for seen in server.seen] == [longest]

    @pytest.mark.parametrize("text", [f"{CANARY}\r\nX: 1", f"{CANARY}\n", "☃", f" {CANARY}", "\0"])
    def test_a_header_that_cannot_be_sent_is_refused(
        self, send: Send, server: Proxy, text: str
    ) -> None:
        """A header that would become another is a fault of the remote, and not sent."""
        with pytest.raises(RemoteError, match="If-Match") as caught:
            send(server.url, Request("GET", "/a", {"If-Match": text}))

        assert CANARY not in str(caught.value)
        assert server.seen == []

    def test_the_environment_changes_nothing(
        self, send: Send, server: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Proxies and passwords of the environment are not ours."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        monkeypatch.delenv("NO_PROXY", raising=False)
        server.then(status(200))

        assert isinstance(send(server.url, GET)[0], Response)


class TestNotSent:
    """What certainly has not reached the remote (W3)."""

    def test_nobody_listens(self, send: Send) -> None:
        """A refused connection carried nothing."""
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]

        (answer,) = send(f"http://127.0.0.1:{port}", GET)

        assert isinstance(answer, NoAnswer)
        assert not answer.was_sent
        assert answer.problem.startswith("ConnectError: ")

    def test_nobody_speaks_tls(self, send: Send) -> None:
        """A connection that never became secure carried nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = Thread(target=_answer_in_plain_text, args=(listener,))
            thread.start()

            (answer,) = send(f"https://127.0.0.1:{listener.getsockname()[1]}", GET)
            thread.join()

        assert isinstance(answer, NoAnswer)
        assert not answer.was_sent


def _answer_in_plain_text(listener: socket.socket) -> None:
    client, _ = listener.accept()
    with client:
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        client.recv(65536)


class TestMaybeSent:
    """What may have reached the remote (W3)."""

    @pytest.mark.parametrize(
        "fault",
        [
            dropped_before,
            answered(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", then_close=True),
            answered(b"HTTP/1.1 200 OK\r\nContent-Len", then_close=True),
            answered(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", then_close=True
            ),
            answered(b"SSH-2.0-OpenSSH\r\n\r\n", then_close=True),
            answered(b"HTTP/1.1 200 OK\r\nA\x00B: c\r\n\r\n", then_close=True),
            answered(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", then_close=True),
            status(200, gzip.compress(b"whole" * 100)[:-9], Content_Encoding="gzip"),
            status(200, b"no gzip at all", Content_Encoding="gzip"),
            status(200, b"whatever", Content_Encoding="br"),
            status(200, b"whatever", Content_Encoding="gzip, gzip"),
        ],
        ids=["dropped", "body", "head", "chunk", "ssh", "nul", "bomb", "gz", "no-gz", "br", "gzgz"],
    )
    def test_a_broken_answer(self, send: Send, server: Proxy, fault: Fault) -> None:
        """An answer that is not whole is none, and the request may have been carried out."""
        server.then(fault)

        (answer,) = send(server.url, GET)

        assert isinstance(answer, NoAnswer)
        assert answer.was_sent

    @pytest.mark.parametrize(
        "fault",
        [
            status(200, b"x" * 1001),
            answered(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001, then_close=True),
            status(200, gzip.compress(b"x" * 1001), Content_Encoding="gzip"),
            status(200, BOMB, Content_Encoding="gzip"),
            status(200, gzip.compress(b"", 0) + b"\0" * 2000, Content_Encoding="gzip"),
        ],
        ids=["length", "open", "gzip", "bomb", "padding"],
    )
    def test_a_huge_answer(self, send: Send, server: Proxy, fault: Fault) -> None:
        """No more is taken in than the limit, before and after decompression."""
        server.then(fault)

        answers = send(server.url, GET, limits=Limits(5.0, 1000))

        assert answers == [NoAnswer(was_sent=True, problem="the answer is larger than 1000 bytes")]

    def test_a_bomb_does_not_go_off(self, server: Proxy) -> None:
        """What is beyond the limit is not even decompressed."""
        server.then(status(200, BOMB, Content_Encoding="gzip"))
        wire = Wire(remote(server.url), Limits(10.0, 1000))
        tracemalloc.start()
        try:
            wire.exchange(GET)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            wire.close()

        assert most < 10_000_000

    def test_an_answer_of_exactly_the_limit(self, send: Send, server: Proxy) -> None:
        """The limit itself is not beyond the limit."""
        zipped = gzip.compress(b"x" * 1000)
        server.then(status(200, b"x" * 1000), status(200, zipped, Content_Encoding="gzip"))

        answers = send(server.url, GET, GET, limits=Limits(5.0, 1000))

        bodies = [answer.body for answer in answers if isinstance(answer, Response)]
        assert bodies == [b"x" * 1000] * 2


def dripping(first: bytes, drop: bytes) -> Fault:
    """Return the fault that answers one drop after another, without an end."""

    def fault(exchange: Exchange) -> None:
        never = Event()
        is_there = exchange.reply(first)
        while is_there and not never.wait(0.02):
            is_there = exchange.reply(drop)
        exchange.close()

    return fault


SLOW: Final = {
    "headers": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "interim": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "no-end": dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "gzip": dripping(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10],
        b"\x00\x00\x00\xff\xff",
    ),
}


class TestDeadline:
    """When an exchange ends (W2)."""

    @pytest.mark.parametrize("slow", SLOW)
    @pytest.mark.parametrize("is_kept", [False, True], ids=["new", "kept"])
    def test_drips(
        self,
        send: Send,
        server: Proxy,
        slow: str,
        is_kept: bool,  # noqa: FBT001  a parameter of the test
    ) -> None:
        """However steadily bytes drip in, on a new or a kept connection, the deadline is kept."""
        server.then(*[status(200)] * is_kept, SLOW[slow])
        hit(24)
        began_s = monotonic()

        answers = send(server.url, *[GET] * is_kept, GET, limits=SHORT)

        assert monotonic() - began_s < SOON_S
        assert answers[-1] == NoAnswer(was_sent=True, problem="no whole answer within 0.15 s")

    def test_silence(self, send: Send, server: Proxy) -> None:
        """A server that says nothing is waited for until the deadline; the next one is new."""
        held = Held(dropped_before)
        server.then(held, status(200))

        first, second = send(server.url, GET, GET, limits=Limits(0.5))
        held.released.set()

        assert isinstance(first, NoAnswer)
        assert first.was_sent
        assert isinstance(second, Response)

    def test_a_server_that_does_not_listen(self, send: Send) -> None:
        """A request that nobody takes in ends at the deadline too."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            began_s = monotonic()

            (answer,) = send(url, Request("PUT", "/a", {}, b"x" * 50_000_000), limits=SHORT)

        assert monotonic() - began_s < SOON_S
        assert isinstance(answer, NoAnswer)
        assert answer.was_sent

    def test_a_given_client_keeps_it_too(self, server: Proxy) -> None:
        """The deadline holds on the connections of a client that was given."""
        server.then(SLOW["headers"])
        with httpx.Client(trust_env=False) as client:
            wire = Wire(remote(server.url), SHORT, client)

            answer = wire.exchange(GET)
            wire.close()

            assert answer == NoAnswer(was_sent=True, problem="no whole answer within 0.15 s")
            assert not client.is_closed


def _errors(base: type[Exception]) -> Iterator[type[Exception]]:
    for error in base.__subclasses__():
        yield error
        yield from _errors(error)


CERTAINLY_NOT_SENT: Final = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
}
ERRORS: Final = sorted({*_errors(httpx.RequestError)}, key=lambda error: error.__name__)


class TestErrors:
    """What each error of httpx says of the request (W3)."""

    @pytest.mark.parametrize("error", ERRORS)
    def test_every_error_is_an_answer(self, error: type[httpx.RequestError]) -> None:
        """Every error is told apart: certainly not sent, or maybe sent; none comes through."""

        def fail(_: httpx.Request) -> httpx.Response:
            raise error("no luck")

        async def fail_later(request: httpx.Request) -> httpx.Response:
            return fail(request)

        transport = httpx.MockTransport(fail)
        with (
            httpx.Client(transport=transport) as client,
            closing(Wire(remote("http://127.0.0.1"), PATIENT, client)) as wire,
        ):
            answer = wire.exchange(GET)

        async def later() -> Answer:
            async with httpx.AsyncClient(transport=httpx.MockTransport(fail_later)) as client:
                return await AsyncWire(remote("http://127.0.0.1"), PATIENT, client).exchange(GET)

        assert isinstance(answer, NoAnswer)
        assert answer.was_sent == (error.__name__ not in CERTAINLY_NOT_SENT)
        assert answer == asyncio.run(later())

    def test_an_address_that_is_none(self, send: Send) -> None:
        """An address that cannot be one was not sent to."""
        for url in ("https://a..b:1", "https://a:b"):
            broken = remote("http://127.0.0.1").profile.model_copy(update={"url": url})

            (answer,) = _sent_by(send, broken)

            assert isinstance(answer, NoAnswer)
            assert not answer.was_sent
            assert answer.cause == "configuration" or ".." in url

    def test_no_header_is_told(self) -> None:
        """What httpx says of a header that it refused is not repeated."""

        def fail(_: httpx.Request) -> httpx.Response:
            message = f"Illegal header value b'Bearer {CANARY}'"
            raise httpx.LocalProtocolError(message)

        with (
            httpx.Client(transport=httpx.MockTransport(fail)) as client,
            closing(Wire(remote("http://127.0.0.1"), PATIENT, client)) as wire,
        ):
            answer = wire.exchange(GET)

        assert answer == NoAnswer(was_sent=True, problem="LocalProtocolError")

    def test_a_long_problem_is_cut(self) -> None:
        """What went wrong is told in a bounded number of words."""

        def fail(_: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("x" * 100_000)

        with (
            httpx.Client(transport=httpx.MockTransport(fail)) as client,
            closing(Wire(remote("http://127.0.0.1"), PATIENT, client)) as wire,
        ):
            answer = wire.exchange(GET)

        assert isinstance(answer, NoAnswer)
        assert len(answer.problem) == 300


def _sent_by(send: Send, profile: Profile) -> list[Answer]:
    if send is blocking:
        with closing(Wire(HttpRemote(profile, environ={"TOKEN": "t"}), PATIENT)) as blocking_wire:
            return [blocking_wire.exchange(GET)]
    wire = AsyncWire(HttpRemote(profile, environ={"TOKEN": "t"}), PATIENT)
    return [asyncio.run(wire.exchange(GET))]


def test_a_message_is_one() -> None:
    """The answers of these tests are HTTP."""
    assert message(200, b"a", X_A="b") == b"HTTP/1.1 200 X\r\nContent-Length: 1\r\nX-A: b\r\n\r\na"


class TestTransportOfATest:
    """A client with a transport of a test, whose answers came whole, is as good as any."""

    def test_blocking(self) -> None:
        """The content of an answer that was never a stream is taken as it is."""
        transport = httpx.MockTransport(lambda _: httpx.Response(200, text="whole"))

        with httpx.Client(transport=transport) as client:
            remote = HttpRemote(Profile.of({"url": "http://127.0.0.1:9"}))
            with closing(Wire(remote, Limits(), client)) as wire:
                answer = wire.exchange(Request("GET", "/A/1"))

        assert isinstance(answer, Response)
        assert answer.body == b"whole"
