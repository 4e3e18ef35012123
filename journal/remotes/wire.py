"""The wire: sends requests over HTTP, blocking and async; the only place that imports httpx.

- W1. A request goes to the remote's own origin, or to that of its token endpoint, and nowhere
  else: its path is relative, and a redirect is never followed.
- W2. An exchange ends within its deadline, however slowly bytes drip in, and takes in no more
  than its most bytes, before and after decompression.
- W3. Whatever goes wrong is an answer: `NoAnswer`, which says whether the request may have
  reached the remote. No exception of httpx leaves this module, and no text of ours holds a
  header or a secret.
- W4. What is sent is what the remote says, and nothing else: of a client that was given, its
  transports are used (proxies, certificates, connections), and not its headers, parameters,
  cookies, `auth`, `base_url`, redirects and hooks.
- W5. A request is sent twice only where the first one, on a connection that was kept, is one
  that reads, or has certainly not left.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from journal.remotes.exchange import Exchange, Limits, credentials_of, sent_as
from journal.remotes.libraries import Library, library_of
from journal.remotes.remote import NoAnswer
from journal.remotes.watchdog import Link, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.remotes.remote import Answer, Remote, Request

__all__ = ["AsyncClient", "AsyncWire", "Client", "Limits", "Wire"]


class Client(Protocol):
    """A blocking client, of httpx or of a fork of it."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class AsyncClient(Protocol):
    """An async client, of httpx or of a fork of it."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


class _Wire:
    """What both wires are made of."""

    def __init__(self, remote: Remote, limits: Limits, client: Any, *, trust_env: bool) -> None:  # noqa: ANN401
        self._remote = remote
        self._limits = limits
        self._given = client
        self._own: Any = None
        self._trust_env = trust_env
        self._library = Library.of(httpx) if client is None else library_of(client)

    def _began(self, request: Request, link: Link, trace: Callable[..., Any]) -> Exchange:
        return Exchange(self._library, self._limits, sent_as(self._remote, request), link, trace)

    def _verify(self) -> ssl.SSLContext | bool:
        """Return what certificates are checked by; to load them takes longer than a request."""
        credentials = credentials_of(self._remote)
        token_url = "" if credentials is None else credentials.token_url or ""
        urls = (self._remote.url, token_url or "http:")
        is_plain = not self._trust_env and all(url.startswith("http:") for url in urls)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else True

    def _transport(self, exchange: Exchange, client: Any) -> Any:  # noqa: ANN401  of either library
        """Return what sends for a client; None where the client sends no more."""
        if client.is_closed:
            problem = "the client that was given is closed"
            exchange.answer = NoAnswer(was_sent=False, problem=problem, cause="configuration")
            return None
        try:
            # What a client adds to its transports is not wanted here (W4).
            return client._transport_for_url(exchange.url)  # noqa: SLF001
        except exchange.library.errors as error:
            exchange.fail(error)
            return None


class Wire(_Wire):
    """Sends requests, and waits for their answers."""

    def __init__(
        self,
        remote: Remote,
        limits: Limits,
        client: Client | None = None,
        *,
        trust_env: bool = False,
    ) -> None:
        """Send to that remote, by that client or by one of our own.

        Args:
            remote: where to send to.
            limits: how long an exchange may take, and how much it may take in.
            client: to use instead of one of our own; it is not closed. On a connection that it
                has kept, the deadline begins anew with every byte of a head: which of its
                connections is in use is not known until then.
            trust_env: whether our own client heeds what the environment says of proxies and
                certificates.

        Raises:
            RemoteError: the client is of no library that works like httpx.
        """
        super().__init__(remote, limits, client, trust_env=trust_env)
        self._watchdog = Watchdog()
        self._connection: Any = None

    def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever it is (W1, W2, W3).

        Raises:
            RemoteError: the request cannot be sent as it is.
        """
        link = Link(self._connection)
        exchange = self._began(request, link, link.trace)
        transport = self._transport(exchange, self._client())
        self._watchdog.begin(link, self._limits.timeout_s)
        try:
            while exchange.answer is None:
                try:
                    self._try(exchange, transport)
                except self._library.errors as error:
                    exchange.fail(error)
        finally:
            self._watchdog.end(link)
        # A connection of a client that others use too may be theirs the next time.
        self._connection = link.connection if self._given is None else None
        return exchange.slow() if link.has_bitten else exchange.answer

    def _try(self, exchange: Exchange, transport: Any) -> None:  # noqa: ANN401
        response = transport.handle_request(exchange.built())
        try:
            if exchange.begin(response):
                for chunk in response.stream:
                    if not exchange.take(chunk):
                        break
            exchange.end()
        finally:
            response.close()

    def _client(self) -> Any:  # noqa: ANN401  of either library
        if self._given is None and self._own is None:
            # With one connection, the one that was made last is the one in use.
            limits = httpx.Limits(max_connections=1)
            self._own = httpx.Client(
                limits=limits, verify=self._verify(), trust_env=self._trust_env
            )
        return self._own if self._given is None else self._given

    def close(self) -> None:
        """Close the connections, if they are our own; the next exchange makes new ones."""
        own, self._own, self._connection = self._own, None, None
        self._watchdog.close()
        if own is not None:
            own.close()


class AsyncWire(_Wire):
    """Sends requests, and awaits their answers."""

    def __init__(
        self,
        remote: Remote,
        limits: Limits,
        client: AsyncClient | None = None,
        *,
        trust_env: bool = False,
    ) -> None:
        """Send to that remote, by that client or by one of our own.

        The arguments are those of `Wire`.

        Raises:
            RemoteError: the client is of no library that works like httpx.
        """
        super().__init__(remote, limits, client, trust_env=trust_env)

    async def exchange(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever it is (W1, W2, W3).

        Raises:
            RemoteError: the request cannot be sent as it is.
        """
        link = Link()
        exchange = self._began(request, link, link.trace_async)
        transport = self._transport(exchange, self._client())
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                while exchange.answer is None:
                    try:
                        await self._try(exchange, transport)
                    except self._library.errors as error:
                        exchange.fail(error)
        except TimeoutError:
            return exchange.slow()
        return exchange.answer

    async def _try(self, exchange: Exchange, transport: Any) -> None:  # noqa: ANN401
        response = await transport.handle_async_request(exchange.built())
        try:
            if exchange.begin(response):
                async for chunk in response.stream:
                    if not exchange.take(chunk):
                        break
            exchange.end()
        finally:
            await response.aclose()

    def _client(self) -> Any:  # noqa: ANN401  of either library
        if self._given is None and self._own is None:
            self._own = httpx.AsyncClient(verify=self._verify(), trust_env=self._trust_env)
        return self._own if self._given is None else self._given

    async def close(self) -> None:
        """Close the connections, if they are our own; the next exchange makes new ones."""
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()
