"""A proxy on loopback that does to requests and answers what a bad network does.

It knows HTTP/1.1 just well enough to tell where a message ends. Nothing in it sleeps: what has
to wait waits for an event.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

PATIENCE_S = 10.0
"""How long a test waits for what must happen, before it fails."""


class Seen(NamedTuple):
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        """The request in short."""
        return f"{self.method} {self.path}"


class Exchange:
    """One request, and what can be done with it."""

    def __init__(self, proxy: Proxy, client: socket.socket, raw: bytes, seen: Seen) -> None:
        """Begin with the request as it came."""
        self.proxy = proxy
        self.seen = seen
        self.is_closed = False
        self._client = client
        self._raw = raw

    def forward(self) -> bytes:
        """Send the request to the service and return its answer; none where it is down."""
        try:
            with socket.create_connection(self.proxy.upstream, PATIENCE_S) as service:
                service.sendall(self._raw)
                with service.makefile("rb") as stream:
                    message = read_message(stream)
        except OSError:
            return b""
        return b"" if message is None else message[0]

    def reply(self, raw: bytes) -> bool:
        """Send bytes to the client; say whether it was still there."""
        try:
            self._client.sendall(raw)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the connection to the client."""
        self.is_closed = True


Fault: TypeAlias = "Callable[[Exchange], None]"


def passed(exchange: Exchange) -> None:
    """Do what a good network does."""
    answer = exchange.forward()
    if answer:
        exchange.reply(answer)
    else:
        exchange.close()


def dropped_before(exchange: Exchange) -> None:
    """Lose the request."""
    exchange.close()


def dropped_after(exchange: Exchange) -> None:
    """Lose the answer."""
    exchange.forward()
    exchange.close()


def truncated(exchange: Exchange) -> None:
    """Lose the end of the answer."""
    exchange.reply(exchange.forward()[:-4])
    exchange.close()


def duplicated(exchange: Exchange) -> None:
    """Deliver the request twice, and the first answer."""
    answer = exchange.forward()
    exchange.forward()
    exchange.reply(answer)


def duplicated_late(exchange: Exchange) -> None:
    """Deliver the request twice, and the second answer."""
    exchange.forward()
    exchange.reply(exchange.forward())


def answered(raw: bytes, *, then_close: bool = False) -> Fault:
    """Return the fault that answers these bytes itself."""

    def fault(exchange: Exchange) -> None:
        exchange.reply(raw)
        if then_close:
            exchange.close()

    return fault


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """Return the fault that answers this status itself."""
    return answered(message(code, body, **headers))


def message(code: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer with this status."""
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    return f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


class Held:
    """A fault that holds a request until it is released."""

    def __init__(self, then: Fault = passed) -> None:
        """Do that once it is released."""
        self.arrived = Event()
        self.released = Event()
        self.done = Event()
        self._then = then

    def __call__(self, exchange: Exchange) -> None:
        """Hold the request."""
        self.arrived.set()
        assert self.released.wait(PATIENCE_S), "nobody released the request"
        self._then(exchange)
        self.done.set()


class Proxy:
    """Stands between a client and a service; each request meets the next fault."""

    def __init__(self, upstream_url: str = "http://127.0.0.1:1") -> None:
        """Listen before a service, which may be down."""
        host, _, port = upstream_url.removeprefix("http://").partition(":")
        self.upstream = (host, int(port))
        self.faults: deque[Fault] = deque()
        self.otherwise: Fault = passed
        self.seen: list[Seen] = []
        self.most_at_once = 0
        self.on_request: Callable[[Seen], None] = lambda _: None
        self.failures: list[BaseException] = []
        self._at_once = 0
        self._lock = Lock()
        self._clients: list[socket.socket] = []
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def then(self, *faults: Fault) -> None:
        """Let the next requests meet these faults, one each."""
        self.faults.extend(faults)

    @property
    def lines(self) -> list[str]:
        """The requests so far, in short."""
        return [seen.line for seen in self.seen]

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection, and raise what went wrong."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(PATIENCE_S)
        if self.failures:
            raise self.failures[0]

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as stream:
                for raw, seen in _requests(stream):
                    if self._meet(client, raw, seen):
                        return
        except OSError:
            return
        except BaseException as error:  # noqa: BLE001  raised again at the end
            self.failures.append(error)

    def _meet(self, client: socket.socket, raw: bytes, seen: Seen) -> bool:
        """Let a request meet the next fault; say whether its connection is to be closed."""
        with self._lock:
            self.seen.append(seen)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self.faults.popleft() if self.faults else self.otherwise
        exchange = Exchange(self, client, raw, seen)
        try:
            self.on_request(seen)
            fault(exchange)
        finally:
            with self._lock:
                self._at_once -= 1
        return exchange.is_closed


def _requests(stream: BinaryIO) -> Iterator[tuple[bytes, Seen]]:
    while (found := read_message(stream)) is not None:
        raw, first, headers, body = found
        method, path, _ = first.split(" ", 2)
        yield raw, Seen(method, path, headers, body)


def read_message(stream: BinaryIO) -> tuple[bytes, str, dict[str, str], bytes] | None:
    """Read a message: all its bytes, its first line, its headers, and its body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): text.strip() for name, _, text in pairs}
    is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    body = _chunks(stream) if is_chunked else stream.read(int(headers.get("content-length", "0")))
    return head + body, first, headers, body


def _chunks(stream: BinaryIO) -> bytes:
    """Read a body that comes in chunks, as it comes; a trailer is not known."""
    raw = b""
    while line := stream.readline():
        size = int(line.partition(b";")[0], 16)
        raw += line + stream.read(size + len(b"\r\n"))
        if not size:
            break
    return raw
