"""The wire where somebody could listen, pretend or lead astray: TLS, clients, redirects."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import pytest

from journal.errors import RemoteError
from journal.remotes import Answer, HttpRemote, NoAnswer, Profile, Request, Response
from journal.remotes.classify import classify
from journal.remotes.wire import AsyncWire, Limits, Wire
from tests.integration.certificates import Authority
from tests.integration.faults import Proxy, answered, dropped_before, message, read_message, status
from tests.integration.matrix import hit
from tests.integration.test_wire import CANARY, GET, PATIENT, SLOW, remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from tests.integration.faults import Exchange, Fault

PUT: Final = Request("PUT", "/Account/1", {}, b"{}")


@pytest.fixture
def server() -> Iterator[Proxy]:
    """Return a server that answers what the test says."""
    with Proxy() as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority that signs certificates."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    """Return httpx, or its fork."""
    module: ModuleType = pytest.importorskip(request.param)
    return module


def blocking(
    known: HttpRemote,
    *requests: Request,
    client: Any = None,  # noqa: ANN401  of either library
    trust_env: bool = False,
) -> list[Answer]:
    """Send the requests one after another, blocking."""
    wire = Wire(known, PATIENT, client, trust_env=trust_env)
    try:
        return [wire.exchange(request) for request in requests]
    finally:
        wire.close()


class Tls:
    """A server that does a TLS handshake, and answers one request."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        """Serve with that certificate; with none, reset the connection within the handshake."""
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._serve)
        self.heard = b""

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until the connection is over."""
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, contextlib.suppress(OSError):
            if self._context is None:
                client.recv(65536)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            with self._context.wrap_socket(client, server_side=True) as secured:
                with secured.makefile("rb") as stream:  # all of it: unread bytes reset a close
                    found = read_message(stream)
                self.heard = found[0] if found else b""
                secured.sendall(message(200, b"secret"))


class TestTls:
    """Who is spoken to is who they say they are, or nothing is said."""

    def sent(
        self, context: ssl.SSLContext | None, trusted: ssl.SSLContext, *, is_async: bool
    ) -> tuple[Answer, bytes]:
        """Send a request to such a server; return the answer, and what the server heard."""

        async def later(url: str) -> Answer:
            async with httpx.AsyncClient(verify=trusted, trust_env=False) as client:
                return await AsyncWire(remote(url), PATIENT, client).exchange(PUT)

        with Tls(context) as service:
            if is_async:
                answer = asyncio.run(later(service.url))
            else:
                with httpx.Client(verify=trusted, trust_env=False) as client:
                    answer = Wire(remote(service.url), PATIENT, client).exchange(PUT)
        return answer, service.heard

    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
    def test_a_good_certificate(self, authority: Authority, is_async: bool) -> None:  # noqa: FBT001
        """A certificate for this host, from somebody who is trusted, is enough."""
        answer, heard = self.sent(
            authority.server("good", "IP:127.0.0.1"), authority.trusting(), is_async=is_async
        )

        assert isinstance(answer, Response)
        assert answer.body == b"secret"
        assert heard.startswith(b"PUT /Account/1")

    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
    @pytest.mark.parametrize("kind", ["expired", "wrong", "self-signed", "reset"])
    def test_a_bad_one(self, authority: Authority, kind: str, is_async: bool) -> None:  # noqa: FBT001
        """Nothing is said to who is not known; that is told at once, and tried again rarely."""
        context: ssl.SSLContext | None = None
        match kind:
            case "expired":
                context = authority.server("old", "IP:127.0.0.1", is_expired=True)
            case "wrong":
                context = authority.server("wrong", "DNS:other.example")
            case "self-signed":
                context = authority.self_signed("IP:127.0.0.1")
            case _:  # reset within the handshake
                pass
        hit(17)

        answer, heard = self.sent(context, authority.trusting(), is_async=is_async)

        assert isinstance(answer, NoAnswer)
        assert (answer.was_sent, answer.cause, heard) == (False, "configuration", b"")
        assert answer.problem.startswith("the connection could not be made secure: ConnectError")
        assert getattr(classify(answer), "is_misconfigured", None) is True

    def test_our_own_client_checks_too(self, authority: Authority) -> None:
        """Our own client trusts whom everybody trusts, and nobody else."""
        with Tls(authority.server("ours", "IP:127.0.0.1")) as service:
            (answer,) = blocking(remote(service.url), PUT)

        assert isinstance(answer, NoAnswer)
        assert "CERTIFICATE_VERIFY_FAILED" in answer.problem
        assert service.heard == b""

    def test_nobody_is_trusted_where_nothing_is_secured(self, server: Proxy) -> None:
        """Certificates are not loaded for plain http, and then none would be accepted."""
        wire = Wire(remote(server.url), PATIENT)
        server.then(status(200))
        wire.exchange(GET)

        context = wire._own._transport._pool._ssl_context
        assert context.cert_store_stats()["x509_ca"] == 0
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        wire.close()


class TestGivenClients:
    """A client of the host's, whatever it is set to (W4)."""

    def test_nothing_of_it_is_sent(self, library: ModuleType, server: Proxy) -> None:
        """Its headers, parameters, cookies, auth, base_url, hooks and redirects are not ours."""
        called: list[object] = []
        server.then(status(302, Location="/x", Set_Cookie="theirs=1"), status(200))
        with library.Client(
            headers={"X-Leak": "1", "Accept-Encoding": "gzip"},
            params={"leak": "1"},
            cookies={"leak": "1"},
            auth=("leak", "leak"),
            base_url="http://leak.example/",
            event_hooks={"request": [called.append], "response": [called.append]},
            follow_redirects=True,
            trust_env=False,
        ) as client:
            answers = blocking(remote(server.url), GET, GET, client=client)

            assert dict(client.cookies) == {"leak": "1"}

        assert [a.status for a in answers if isinstance(a, Response)] == [302, 200]
        assert server.lines == ["GET /Account/1"] * 2
        assert set(server.seen[1].headers) == {
            *["host", "accept-encoding", "user-agent", "accept", "authorization"]
        }
        assert server.seen[1].headers["authorization"] == f"Bearer {CANARY}"
        assert server.seen[1].headers["accept-encoding"] == "identity"
        assert called == []

    def test_nothing_of_an_async_one(self, library: ModuleType, server: Proxy) -> None:
        """An async client is used in the same way."""
        server.then(status(307, Location="/x"), status(200, b"a"))

        async def sent() -> list[Answer]:
            async with library.AsyncClient(
                headers={"X-Leak": "1"}, follow_redirects=True, trust_env=False
            ) as client:
                wire = AsyncWire(remote(server.url), PATIENT, client)
                answers = [await wire.exchange(GET), await wire.exchange(PUT)]
                await wire.close()
                assert not client.is_closed
                return answers

        answers = asyncio.run(sent())

        assert [a.status for a in answers if isinstance(a, Response)] == [307, 200]
        assert "x-leak" not in server.seen[0].headers

    def test_its_errors_are_told_apart(self, library: ModuleType, server: Proxy) -> None:
        """The errors of a fork are unrelated to those of httpx, and mean the same."""
        with socket.create_server(("127.0.0.1", 0)) as unused:
            nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        server.then(
            answered(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", then_close=True),
            answered(b"HTTP/1.1 200 OK\r\nX: ", then_close=False),
        )
        with library.Client(trust_env=False) as client:
            (refused,) = blocking(remote(nobody), PUT, client=client)
            (truncated,) = blocking(remote(server.url), PUT, client=client)
            slow = Wire(remote(server.url), Limits(0.15), client).exchange(PUT)

        assert [
            (a.was_sent, a.cause) for a in (refused, truncated, slow) if type(a) is NoAnswer
        ] == [*[(False, "link"), (True, "link"), (True, "link")]]

    def test_a_client_of_a_class_of_the_hosts(self, library: ModuleType, server: Proxy) -> None:
        """A client is of the library that its class comes from, through whatever module."""
        own: Any = type("Own", (library.Client,), {"__module__": __name__})
        server.then(dropped_before)
        with own(trust_env=False) as client:
            (answer,) = blocking(remote(server.url), PUT, client=client)

        assert isinstance(answer, NoAnswer)

    def test_what_is_no_client(self) -> None:
        """What is no client of such a library is refused, with words."""
        with pytest.raises(RemoteError, match="a dict is no client of httpx"):
            Wire(remote("http://127.0.0.1:1"), PATIENT, {})  # type: ignore[arg-type]

    def test_its_kept_connections_are_cut_too(self, library: ModuleType, server: Proxy) -> None:
        """Once the head of an answer is there, it is known which connection is to be cut."""
        server.then(status(200), SLOW["body"])
        with library.Client(trust_env=False) as client:
            wire = Wire(remote(server.url), Limits(0.15), client)
            first, second = wire.exchange(GET), wire.exchange(GET)
            wire.close()

        assert isinstance(first, Response)
        assert second == NoAnswer(was_sent=True, problem="no whole answer within 0.15 s")

    def test_a_closed_one(self, server: Proxy) -> None:
        """A client that was closed sends nothing, and opens no connection again."""
        client = httpx.Client(trust_env=False)
        client.close()

        (answer,) = blocking(remote(server.url), GET, client=client)

        assert answer == NoAnswer(
            was_sent=False,
            problem="the client that was given is closed",
            cause="configuration",
        )
        assert server.seen == []

    def test_the_environment_where_it_is_wanted(
        self, server: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Proxies of the environment are used where that is said, and nowhere else."""
        monkeypatch.setenv("HTTP_PROXY", server.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        server.then(status(200))

        (answer,) = blocking(remote("http://127.0.0.1:9"), GET, trust_env=True)

        assert isinstance(answer, Response)
        assert server.lines == ["GET http://127.0.0.1:9/Account/1"]


def reset(first: bytes = b"") -> Fault:
    """Return the fault that answers some bytes, and resets the connection."""

    def fault(exchange: Exchange) -> None:
        exchange.reply(first)
        linger = struct.pack("ii", 1, 0)
        exchange._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        exchange.close()

    return fault


BROKEN: Final[dict[str, Fault]] = {
    "reset": reset(),
    "reset in the head": reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "reset in the body": reset(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
    "two lengths": answered(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", then_close=True
    ),
    "zstd": status(200, b"(\xb5/\xfd", Content_Encoding="zstd"),
    "many headers": answered(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, then_close=True),
    "endless interim": answered(b"HTTP/1.1 103 X\r\n\r\n" * 10_000, then_close=True),
}


@pytest.fixture(params=["blocking", "async"])
def send(request: pytest.FixtureRequest) -> Callable[..., list[Answer]]:
    """Return what sends requests and returns their answers."""

    def in_a_loop(known: HttpRemote, *requests: Request) -> list[Answer]:
        async def sent() -> list[Answer]:
            wire = AsyncWire(known, PATIENT)
            try:
                return [await wire.exchange(each) for each in requests]
            finally:
                await wire.close()

        return asyncio.run(sent())

    return blocking if request.param == "blocking" else in_a_loop


class TestWords:
    """What is told of an error (W3)."""

    @pytest.mark.parametrize(
        ("error", "cause", "words"),
        [
            (
                httpx.ConnectError("no luck"),
                "configuration",
                "the connection could not be made secure: ConnectError: no luck",
            ),
            (
                httpx.ConnectTimeout("no hurry"),
                "link",
                "the connection could not be made secure: ConnectTimeout: no hurry",
            ),
            (
                httpx.ConnectError(f"x {CANARY}" * 30),
                "configuration",
                ("the connection could not be made secure: ConnectError: " + "x [secret]" * 30)[
                    :300
                ],
            ),
        ],
        ids=["refused", "slow", "secret"],
    )
    def test_of_a_handshake(self, error: Exception, cause: str, words: str) -> None:
        """A handshake that takes too long is the fault of the link; no text holds a secret."""

        def fail(request: httpx.Request) -> httpx.Response:
            request.extensions["trace"]("connection.start_tls.failed", {"exception": error})
            raise error

        with httpx.Client(transport=httpx.MockTransport(fail)) as client:
            (answer,) = blocking(remote("https://127.0.0.1"), GET, client=client)

        assert isinstance(answer, NoAnswer)
        assert (answer.was_sent, answer.cause, answer.problem) == (False, cause, words)


class TestConnections:
    """Connections that break (W3, W5)."""

    @pytest.mark.parametrize("kind", BROKEN)
    def test_on_a_new_one(self, send: Callable[..., Any], server: Proxy, kind: str) -> None:
        """A request on a new connection is sent once, whatever it is."""
        server.then(BROKEN[kind])

        (answer,) = send(remote(server.url), GET)

        assert isinstance(answer, NoAnswer)
        assert (answer.was_sent, len(server.seen)) == (True, 1)

    @pytest.mark.parametrize("fault", [dropped_before, reset()], ids=["closed", "reset"])
    def test_a_read_on_a_kept_one(
        self, send: Callable[..., Any], server: Proxy, fault: Fault
    ) -> None:
        """A read that meets the end of a kept connection is sent again, on a new one."""
        server.then(status(200), fault, status(200, b"a"))

        first, second = send(remote(server.url), GET, GET)

        assert isinstance(first, Response)
        assert isinstance(second, Response)
        assert second.body == b"a"
        assert server.lines == ["GET /Account/1"] * 3

    @pytest.mark.parametrize("fault", [dropped_before, reset()], ids=["closed", "reset"])
    def test_a_write_on_a_kept_one(
        self, send: Callable[..., Any], server: Proxy, fault: Fault
    ) -> None:
        """A write that may have arrived is never sent again by the wire."""
        server.then(status(200), fault)

        _, second = send(remote(server.url), GET, PUT)

        assert isinstance(second, NoAnswer)
        assert second.was_sent
        assert server.lines == ["GET /Account/1", "PUT /Account/1"]

    def test_once_only(self, send: Callable[..., Any], server: Proxy) -> None:
        """A read is sent again once."""
        server.then(status(200), dropped_before, dropped_before)

        _, second = send(remote(server.url), GET, GET)

        assert isinstance(second, NoAnswer)
        assert len(server.seen) == 3

    def test_half_an_answer_is_one(self, send: Callable[..., Any], server: Proxy) -> None:
        """What has begun to answer is not asked again."""
        half = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", then_close=True)
        server.then(status(200), half)

        _, second = send(remote(server.url), GET, GET)

        assert isinstance(second, NoAnswer)
        assert len(server.seen) == 2

    def test_one_that_ended_while_nobody_looked(
        self, send: Callable[..., Any], server: Proxy
    ) -> None:
        """A connection that the service has closed in between is not used for a write."""
        server.then(answered(message(200, b"a", Connection="close"), then_close=True), status(200))

        answers = send(remote(server.url), PUT, PUT)

        assert [type(answer) for answer in answers] == [Response, Response]

    def test_no_such_host(self, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """A host that has no address was not reached."""

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        (answer,) = send(remote("https://records.example"), PUT)

        assert isinstance(answer, NoAnswer)
        assert (answer.was_sent, answer.cause) == (False, "link")
        assert "Name or service not known" in answer.problem


class TestTokens:
    """Who sees which secret, over real sockets (A1)."""

    def known(self, url: str, token_url: str) -> HttpRemote:
        """Return a remote that gets its tokens elsewhere."""
        section = {
            "token_url": f"{token_url}/token",
            "client_id": "app",
            "client_secret": "{env:SECRET}",
        }
        profile = Profile.of({"url": url, "auth": {"oauth": section, "query": {"k": "{env:KEY}"}}})
        return HttpRemote(profile, environ={"SECRET": "client-secret", "KEY": "a-key"})

    def test_each_sees_its_own(self, send: Callable[..., Any], server: Proxy) -> None:
        """The token endpoint sees the client's secret, and the remote its own; never both."""
        with Proxy() as tokens:
            known = self.known(server.url, tokens.url)
            tokens.then(status(200, b'{"access_token": "one"}'))
            server.then(status(200))

            send(known, Request("POST", "", to="token"))
            known.credentials._tokens.access = "access-1"
            send(known, GET)

            (asked,), (got,) = tokens.seen, server.seen
        assert asked.line == "POST /token"
        assert asked.body == b"grant_type=client_credentials"
        assert asked.headers["authorization"].startswith("Basic ")
        assert "a-key" not in str(asked)
        assert got.line == "GET /Account/1?k=a-key"
        assert got.headers["authorization"] == "Bearer access-1"

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_a_redirect_sees_nothing(
        self, send: Callable[..., Any], server: Proxy, code: int
    ) -> None:
        """A token endpoint that leads elsewhere leads nowhere."""
        with Proxy() as tokens:
            tokens.then(status(code, Location=f"{server.url}/token"))
            (answer,) = send(self.known(server.url, tokens.url), Request("POST", "", to="token"))

        assert isinstance(answer, Response)
        assert answer.status == code
        assert server.seen == []
