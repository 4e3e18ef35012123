"""The org on a socket of the loopback. Uvicorn is imported here, and nowhere else."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from journal.testing.salesforce.app import application

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from journal.testing.salesforce.service import Service

__all__ = ["listening", "serving"]

_BACKLOG: Final = 128


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        OSError: the port is taken.
    """
    # Its protocol is named, as asyncio wants it: otherwise an answer waits for acknowledgements.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


@contextmanager
def serving(service: Service, bound: socket.socket) -> Iterator[None]:
    """Serve on a socket, in a thread, while the block lasts."""
    connections = _Connections()
    config = uvicorn.Config(
        application(service, connections),
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        loop="asyncio",
        server_header=False,
        proxy_headers=False,  # who sends a request is who is connected
        h11_max_incomplete_event_size=128 * 1024,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), name="stand-in-org")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


class _Connections:
    """The sockets that are open, by the address of the client."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """Return the protocol that notes each connection here."""
        noted = self._open

        class _Noting(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    noted[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    noted.pop(self.client, None)
                super().connection_lost(exc)

        return _Noting

    def abort(self, client: tuple[str, int]) -> bool:
        """Cut the connection to a client."""
        transport = self._open.get(client)
        if transport is not None:
            transport.abort()
        return transport is not None

    def finish(self, client: tuple[str, int]) -> bool:
        """Close the connection to a client once all is sent."""
        transport = self._open.get(client)
        if transport is not None:
            transport.close()
        return transport is not None
