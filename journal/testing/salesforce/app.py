"""The org as an ASGI application. Starlette is imported here, and nowhere else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.applications import Starlette
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
        sent = Sent(request.method, target, headers, await request.body())
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
        kind = None if fault is None else fault.kind
        if fault is None or kind not in {"drop_before", "drop_after", "delay", "slow", "truncate"}:
            await super().__call__(scope, receive, send)
            return
        if kind == "slow":
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                self._service.settle(self._delivery)
            await super().__call__(scope, receive, send)
            return
        client: Any = scope.get("client") or ("", 0)
        if kind == "truncate":
            start = {"type": "http.response.start", "status": self.status_code}
            await send({**start, "headers": self.raw_headers})
            part = bytes(self.body)[: fault.kept_bytes]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            if self._connections is None or not self._connections.finish(tuple(client)):
                raise ConnectionResetError("the answer ends within its body")
            return
        if self._connections is None or not self._connections.abort(tuple(client)):
            raise ConnectionResetError("the connection is lost")
