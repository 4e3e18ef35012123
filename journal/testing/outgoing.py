"""Requests as they leave this process: a watch is called before each one, and after.

It stands between a client and its transports, whatever these are: sockets, a service within the
process, a cassette. Subscribers and clients of the host are watched alike.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Watch: TypeAlias = Callable[[Literal["before", "after"], str], None]

__all__ = ["watching_requests"]

_FORK: Final = "httpx2"


@contextmanager
def watching_requests(watch: Watch) -> Iterator[None]:
    """Call `watch` before each request of httpx leaves this process, and when it was answered.

    A request that was answered was done by the service, and nobody here has seen the answer yet.

    Args:
        watch: called with the side, and with the request in words.
    """
    libraries: list[Any] = [httpx, *filter(None, [sys.modules.get(_FORK)])]
    with ExitStack() as stack:
        for kind in [
            kind for library in libraries for kind in (library.Client, library.AsyncClient)
        ]:
            stack.enter_context(_watched(kind, watch))
        yield


@contextmanager
def _watched(kind: Any, watch: Watch) -> Iterator[None]:  # noqa: ANN401  a class of httpx
    """Let clients of a class hand out transports that are watched."""
    chosen = kind._transport_for_url  # noqa: SLF001  what every request goes by

    def transport_for(client: Any, url: Any) -> _Watched:  # noqa: ANN401  httpx's
        return _Watched(chosen(client, url), watch)

    kind._transport_for_url = transport_for  # noqa: SLF001
    try:
        yield
    finally:
        kind._transport_for_url = chosen  # noqa: SLF001


class _Watched:
    """A transport that is watched."""

    def __init__(self, transport: Any, watch: Watch) -> None:  # noqa: ANN401  of either kind
        self._transport = transport
        self._watch = watch

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._sent(request):
            response: httpx.Response = self._transport.handle_request(request)
            return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with self._sent(request):
            response: httpx.Response = await self._transport.handle_async_request(request)
            return response

    @contextmanager
    def _sent(self, request: httpx.Request) -> Iterator[None]:
        said = f"{request.method} {request.url.path}"
        self._watch("before", f"{said} leaves")
        try:
            yield
        finally:
            self._watch("after", f"{said} was sent, and its answer is not seen")
