"""The wire: sends requests over HTTP, blocking and async; the only place that imports httpx.

- W1. A request goes to the remote's own origin and nowhere else: its path is relative, and a
  redirect is never followed.
- W2. An exchange ends within its deadline, and takes in no more than its most bytes.
- W3. Whatever goes wrong is an answer: `NoAnswer`, which says whether the request may have
  reached the remote. No exception of httpx leaves this module, and no text of ours holds a
  header.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import httpx

from journal.errors import RemoteError
from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.remotes.remote import Answer, Remote, Request
    from journal.sources import Clock

NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors after which a request has certainly not reached the remote."""


class Limits:
    """How long an exchange may take, and how much it may take in."""

    def __init__(self, timeout_s: float = 30.0, max_bytes: int = 16_777_216) -> None:
        """Set the deadline, in seconds, and the largest answer, in bytes."""
        self.timeout_s = timeout_s
        self.max_bytes = max_bytes


class Wire:
    """Sends requests, and waits for their answers."""

    def __init__(
        self, remote: Remote, clock: Clock, limits: Limits, client: httpx.Client | None = None
    ) -> None:
        """Send to that remote, by that client or by one of our own."""
        self._remote = remote
        self._clock = clock
        self._limits = limits
        self._owns_client = client is None
        self._client = client or httpx.Client(
            timeout=limits.timeout_s, follow_redirects=False, trust_env=False
        )

    def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever it is (W1, W2, W3).

        Raises:
            RemoteError: the request would leave the remote's origin.
        """
        deadline_s = self._clock.monotonic_s() + self._limits.timeout_s
        intake = _Intake(self._limits.max_bytes)
        built = self._client.build_request(
            request.method,
            _url(self._remote, request),
            headers=_headers(self._remote, request),
            content=request.body,
            timeout=self._limits.timeout_s,
        )
        try:
            response = self._client.send(built, stream=True, follow_redirects=False)
            try:
                for chunk in response.iter_bytes():
                    intake.take(chunk)
                    if self._clock.monotonic_s() > deadline_s:
                        return _too_slow(self._limits)
            finally:
                response.close()
            return _answer(response.status_code, response.headers, intake)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return _no_answer(error)

    def close(self) -> None:
        """Close the connections, if they are our own."""
        if self._owns_client:
            self._client.close()


class AsyncWire:
    """Sends requests, and awaits their answers."""

    def __init__(
        self, remote: Remote, limits: Limits, client: httpx.AsyncClient | None = None
    ) -> None:
        """Send to that remote, by that client or by one of our own."""
        self._remote = remote
        self._limits = limits
        self._owns_client = client is None
        self._client = client or httpx.AsyncClient(
            timeout=limits.timeout_s, follow_redirects=False, trust_env=False
        )

    async def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever it is (W1, W2, W3).

        Raises:
            RemoteError: the request would leave the remote's origin.
        """
        intake = _Intake(self._limits.max_bytes)
        built = self._client.build_request(
            request.method,
            _url(self._remote, request),
            headers=_headers(self._remote, request),
            content=request.body,
            timeout=self._limits.timeout_s,
        )
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                response = await self._client.send(built, stream=True, follow_redirects=False)
                try:
                    async for chunk in response.aiter_bytes():
                        intake.take(chunk)
                finally:
                    await response.aclose()
            return _answer(response.status_code, response.headers, intake)
        except TimeoutError:
            return _too_slow(self._limits)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return _no_answer(error)

    async def close(self) -> None:
        """Close the connections, if they are our own."""
        if self._owns_client:
            await self._client.aclose()


class _Intake:
    """Takes in the bytes of an answer, up to a bound."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._size = 0

    def take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._max_bytes:
            message = f"the answer is larger than {self._max_bytes} bytes"
            raise httpx.ReadError(message)
        self._chunks.append(chunk)

    def bytes(self) -> bytes:
        return b"".join(self._chunks)


def _url(remote: Remote, request: Request) -> str:
    """Return where a request goes: below the remote's URL, and nowhere else (W1)."""
    path = request.path
    if not path.startswith("/") or path.startswith("//") or "\\" in path or "/../" in f"{path}/":
        raise RemoteError(
            f"the path {path!r} leads away from the remote", hint="quote every segment of it"
        )
    return f"{remote.url}{path}"


def _headers(remote: Remote, request: Request) -> dict[str, str]:
    return {"Accept-Encoding": "identity", **remote.headers(), **request.headers}


def _answer(status: int, headers: Mapping[str, str], intake: _Intake) -> Response:
    return Response(status, {name.lower(): text for name, text in headers.items()}, intake.bytes())


def _no_answer(error: Exception) -> NoAnswer:
    problem = f"{type(error).__name__}: {error}".rstrip(": ")
    return NoAnswer(not isinstance(error, NOT_SENT), problem)


def _too_slow(limits: Limits) -> NoAnswer:
    return NoAnswer(was_sent=True, problem=f"no whole answer within {limits.timeout_s:g} s")
