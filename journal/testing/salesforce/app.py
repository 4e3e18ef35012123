"""The org as an ASGI application. Starlette is imported here, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from journal.testing.salesforce.service import Delivery, Sent, Service

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

__all__ = ["Connections", "application"]

_METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")


class Connections(Protocol):
    """The sockets below the application, where there are any."""

    def abort(self, client: tuple[str, int]) -> bool:
        """Cut the connection to a client, and say whether there was one."""
        ...

    def finish(self, client: tuple[str, int]) -> bool:
        """Close the connection to a client once all is sent, and say whether there was one."""
        ...


def application(service: Service, connections: Connections | None = None) -> Starlette:
    """Return the application of a service; without sockets, a lost connection is an exception."""

    async def _endpoint(request: Request) -> Response:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raw_path = request.scope.get("raw_path")
        if isinstance(raw_path, bytes):
            target = raw_path.decode("latin-1").partition("?")[0] + target[len(request.url.path) :]
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await request.body()
        except ClientDisconnect:  # it ended before all of its request was here: nothing is done
            return Response()
        sent = Sent(request.method, target, headers, body, request.url.scheme)
        delivery = service.deliver(sent)
        return _Reply(service, delivery, connections)

    return Starlette(routes=[Route("/{path:path}", _endpoint, methods=list(_METHODS))])


class _Reply(Response):
    """An answer on its way, with what goes wrong there."""

    def __init__(
        self, service: Service, delivery: Delivery, connections: Connections | None
    ) -> None:
        answer = delivery.answer
        is_text = isinstance(answer.document, str) and answer.media_type.startswith("text/")
        text = answer.document if is_text else json.dumps(answer.document)
        body = None if answer.document is None else text.encode()
        super().__init__(body, answer.status, dict(answer.headers), answer.media_type)
        self._service, self._delivery, self._connections = service, delivery, connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._delivery.fault
        match None if fault is None else fault.kind:
            case "drop_before" | "drop_after" | "delay" | "truncate":
                await self._cut(scope, send)
                await _gone(receive)
            case "slow":
                await self._dawdle(receive)
                await super().__call__(scope, receive, send)
            case _:
                await super().__call__(scope, receive, send)

    async def _dawdle(self, receive: Receive) -> None:
        """Let time pass, as long as somebody waits for the answer."""
        fault = self._delivery.fault
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_gone(receive), fault.seconds if fault else 0)
        finally:
            self._service.settle(self._delivery)

    async def _cut(self, scope: Scope, send: Send) -> None:
        """End the connection, with the beginning of the answer or without.

        Raises:
            ConnectionResetError: there is no socket that could be closed.
        """
        fault, connections = self._delivery.fault, self._connections
        client: Any = tuple(scope.get("client") or ("", 0))
        is_begun = fault is not None and fault.kind == "truncate"
        if fault is not None and is_begun:
            start = {"type": "http.response.start", "status": self.status_code}
            await send({**start, "headers": self.raw_headers})
            part = bytes(self.body)[: fault.kept_bytes]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        end = None if connections is None else connections.finish if is_begun else connections.abort
        if end is None or not end(client):
            raise ConnectionResetError("the connection is lost")


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of the request
