"""The wire: sends requests over HTTP, blocking and async; the only place that imports httpx.

- W1. A request goes to the remote's own origin and nowhere else: its path is relative, and a
  redirect is never followed.
- W2. An exchange ends within its deadline, however slowly bytes drip in, and takes in no more
  than its most bytes, before and after decompression.
- W3. Whatever goes wrong is an answer: `NoAnswer`, which says whether the request may have
  reached the remote. No exception of httpx leaves this module, and no text of ours holds a
  header.
"""

from __future__ import annotations

import asyncio
import re
import socket
import zlib
from contextlib import suppress
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias

import httpx

from journal.errors import RemoteError
from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from journal.remotes.remote import Answer, Remote, Request

Client: TypeAlias = httpx.Client
AsyncClient: TypeAlias = httpx.AsyncClient

NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.InvalidURL,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    UnicodeError,  # the name of a host, when it is looked up
)
"""Errors after which a request has certainly not reached the remote."""
CONNECT_S: Final = 10.0
"""The longest wait for a connection to one address, so that the next one is tried too."""
_ERRORS: Final = (*NOT_SENT, httpx.HTTPError, httpx.StreamError, zlib.error)
_CONNECTED: Final = ("connect_tcp.complete", "start_tls.complete")
_HEADER_TEXT: Final = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_MAX_PROBLEM: Final = 300


class Limits(NamedTuple):
    """How long an exchange may take, and how much it may take in."""

    timeout_s: float = 30.0
    """The deadline, in seconds."""
    max_bytes: int = 16_777_216
    """The largest answer, in bytes."""

    def timeout(self) -> httpx.Timeout:
        """Return what httpx is to keep of it: for every read, and every write."""
        return httpx.Timeout(self.timeout_s, connect=min(self.timeout_s, CONNECT_S))


class Wire:
    """Sends requests, and waits for their answers."""

    def __init__(self, remote: Remote, limits: Limits, client: Client | None = None) -> None:
        """Send to that remote, by that client or by one of our own.

        On a connection that a client of others has kept, the deadline begins anew with every
        byte: it might be theirs that is cut.
        """
        self._remote = remote
        self._limits = limits
        self._given = client
        self._own: Client | None = None
        self._connection: Any = None

    def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever it is (W1, W2, W3).

        Raises:
            RemoteError: the request cannot be sent as it is.
        """
        url, headers = _url(self._remote, request), _headers(self._remote, request)
        client = self._client()
        with _Watchdog(self._limits.timeout_s, self._connection) as watchdog:
            try:
                built = client.build_request(
                    request.method,
                    url,
                    headers=headers,
                    content=request.body,
                    timeout=self._limits.timeout(),
                    extensions={"trace": watchdog.trace},
                )
                answer = self._answered(client, built)
            except _ERRORS as error:
                answer = _no_answer(error)
        # A connection of a client that others use too may be theirs the next time.
        self._connection = watchdog.connection if self._given is None else None
        return _too_slow(self._limits) if watchdog.has_bitten else answer

    def _answered(self, client: Client, built: httpx.Request) -> Answer:
        response = client.send(built, stream=True, follow_redirects=False)
        try:
            intake = _Intake(self._limits.max_bytes, response)
            if response.is_stream_consumed:
                return _taken_whole(intake, response.content)
            for chunk in response.iter_raw():
                if problem := intake.take(chunk):
                    return NoAnswer(was_sent=True, problem=problem)
            return intake.answer()
        finally:
            response.close()

    def _client(self) -> Client:
        if self._given is not None:
            return self._given
        if self._own is None:
            # With one connection, the one that was made last is the one in use.
            limits = httpx.Limits(max_connections=1)
            self._own = httpx.Client(limits=limits, trust_env=False)
        return self._own

    def close(self) -> None:
        """Close the connections, if they are our own; the next exchange makes new ones."""
        own, self._own, self._connection = self._own, None, None
        if own is not None:
            own.close()


class AsyncWire:
    """Sends requests, and awaits their answers."""

    def __init__(self, remote: Remote, limits: Limits, client: AsyncClient | None = None) -> None:
        """Send to that remote, by that client or by one of our own."""
        self._remote = remote
        self._limits = limits
        self._given = client
        self._own: AsyncClient | None = None

    async def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever it is (W1, W2, W3).

        Raises:
            RemoteError: the request cannot be sent as it is.
        """
        url, headers = _url(self._remote, request), _headers(self._remote, request)
        client = self._client()
        try:
            built = client.build_request(
                request.method,
                url,
                headers=headers,
                content=request.body,
                timeout=self._limits.timeout(),
            )
            async with asyncio.timeout(self._limits.timeout_s):
                return await self._answered(client, built)
        except TimeoutError:
            return _too_slow(self._limits)
        except _ERRORS as error:
            return _no_answer(error)

    async def _answered(self, client: AsyncClient, built: httpx.Request) -> Answer:
        response = await client.send(built, stream=True, follow_redirects=False)
        try:
            intake = _Intake(self._limits.max_bytes, response)
            if response.is_stream_consumed:
                return _taken_whole(intake, response.content)
            async for chunk in response.aiter_raw():
                if problem := intake.take(chunk):
                    return NoAnswer(was_sent=True, problem=problem)
            return intake.answer()
        finally:
            await response.aclose()

    def _client(self) -> AsyncClient:
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = httpx.AsyncClient(trust_env=False)
        return self._own

    async def close(self) -> None:
        """Close the connections, if they are our own; the next exchange makes new ones."""
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()


class _Watchdog:
    """Cuts the connection of an exchange at its deadline (W2).

    The timeouts of httpx begin anew with every byte, and a blocking read cannot be cancelled:
    only the end of its connection ends it.
    """

    def __init__(self, seconds: float, connection: Any) -> None:  # noqa: ANN401  httpcore's
        self.connection = connection
        self.has_bitten = False
        self._is_over = False
        self._lock = Lock()
        self._timer = Timer(seconds, self._bite)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._is_over = True
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the connection that httpx has just made."""
        if event.endswith(_CONNECTED):
            with self._lock:
                self.connection = info["return_value"]
                if self.has_bitten:
                    self._cut()

    def _bite(self) -> None:
        with self._lock:
            if not self._is_over:
                self.has_bitten = True
                self._cut()

    def _cut(self) -> None:
        if self.connection is not None:
            with suppress(OSError):
                # Not the method of a TLS socket, which would also stop decrypting.
                cut = self.connection.get_extra_info("socket")
                socket.socket.shutdown(cut, socket.SHUT_RDWR)


class _Intake:
    """Takes in an answer, up to a bound, and decompresses it, though that was not asked for."""

    def __init__(self, max_bytes: int, response: httpx.Response) -> None:
        self._max_bytes = max_bytes
        self._response = response
        self._encoding = response.headers.get("content-encoding", "identity").strip().lower()
        self._inflate = (
            zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whatever its header says
            if self._encoding in {"gzip", "x-gzip", "deflate"}
            else None
        )
        self._received = 0
        self._left = max_bytes
        self._chunks: list[bytes] = []

    def take(self, chunk: bytes) -> str:
        """Take in a chunk; say why not, if not."""
        if self._inflate is None and self._encoding not in {"", "identity"}:
            return "the answer is compressed in a way that was not asked for"
        self._received += len(chunk)
        if self._inflate is not None:
            chunk = self._inflate.decompress(chunk, self._left + 1)
        self._left -= len(chunk)
        if self._left < 0 or self._received > self._max_bytes:
            return f"the answer is larger than {self._max_bytes} bytes"
        self._chunks.append(chunk)
        return ""

    def answer(self) -> Answer:
        """Return the whole answer."""
        if self._inflate is not None and self._received and not self._inflate.eof:
            return NoAnswer(was_sent=True, problem="the compressed answer ends too early")
        headers: dict[str, str] = {}
        for name, value in self._response.headers.raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return Response(self._response.status_code, headers, b"".join(self._chunks))


def _taken_whole(intake: _Intake, content: bytes) -> Answer:
    """Return the answer of a transport that came with its content, such as one of a test."""
    if problem := intake.take(content):
        return NoAnswer(was_sent=True, problem=problem)
    return intake.answer()


def _url(remote: Remote, request: Request) -> str:
    """Return where a request goes: below the remote's URL, and nowhere else (W1)."""
    path = request.path
    steps = path.partition("?")[0].split("/")
    if not path.startswith("/") or path.startswith("//") or {".", ".."} & set(steps):
        raise RemoteError(
            f"the path {path!r} leads away from the remote", hint="quote every segment of it"
        )
    if not (path.isascii() and path.isprintable()) or {" ", "\\", "#"} & set(path):
        raise RemoteError(f"the path {path!r} is not quoted", hint="quote every segment of it")
    return f"{remote.url}{path}"


def _headers(remote: Remote, request: Request) -> httpx.Headers:
    """Return all headers, byte for byte as they came; the request's own come last.

    Raises:
        RemoteError: a header holds what no header can carry.
    """
    headers = httpx.Headers({"Accept-Encoding": "identity"}, encoding="latin-1")
    for name, text in [*remote.headers().items(), *request.headers.items()]:
        if not _HEADER_TEXT.fullmatch(text):
            raise RemoteError(f"what is to go into the header {name} cannot be sent in one")
        headers[name] = text
    return headers


def _no_answer(error: Exception) -> NoAnswer:
    """Return what is known after an error, in words that quote no header (W3)."""
    said = "" if isinstance(error, httpx.LocalProtocolError) else f": {error}".rstrip(": ")
    problem = f"{type(error).__name__}{said}"[:_MAX_PROBLEM]
    return NoAnswer(not isinstance(error, NOT_SENT), problem)


def _too_slow(limits: Limits) -> NoAnswer:
    return NoAnswer(was_sent=True, problem=f"no whole answer within {limits.timeout_s:g} s")
