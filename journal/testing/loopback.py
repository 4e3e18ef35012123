"""A loopback HTTP server for one answering function: HTTP/1.1, kept connections, no Nagle delay.

It knows bytes and connections; what a request means is the business of the function.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, TypeAlias

__all__ = ["Answer", "LoopbackServer", "RefusedError", "Reply"]

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
DRAIN_BYTES_MAX: Final = 64 * 1024 * 1024  # read and thrown away, so that the refusal is heard
STOP_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: a status, and a document unless it is 204."""

    status: HTTPStatus
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


Answer: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""From method, request target, headers (`If-Match`, whatever case was sent), body to the reply."""


class RefusedError(Exception):
    """A request that is answered with a problem (RFC 9457) and changes nothing."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        document = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "errors": [{"field": name, "message": message} for name, message in errors],
        }
        self.reply = Reply(status, document, headers or {}, "application/problem+json")


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Listens from the moment it is made; a thread for each connection.

    None of its threads keeps a program alive that has come to its end without stopping it.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, answer: Answer, host: str, port: int) -> None:
        self.answer = answer
        self.is_stopping = False
        self._open: set[socket.socket] = set()
        self._serving: list[threading.Thread] = []
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(STOP_POLL_S,), name="loopback-server", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self.socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port, then the connections; a request under way is answered first."""
        self.is_stopping = True
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # ends the wait for a next request
        self.server_close()
        for thread in self._serving:
            thread.join()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it."""
        connection, client = super().get_request()
        self._open.add(connection)
        return connection, client

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  the base's
        """Serve a connection in a thread, for which `stop` waits; the base does not, of these."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._serving = [thread, *(other for other in self._serving if other.is_alive())]
        thread.start()

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  the base's signature
        """Close a connection, and forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  the base's
        """Say nothing when a client went away; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "record-service", ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one write

    def _respond(self) -> None:
        try:
            headers = {name.title(): value for name, value in self.headers.items()}
            reply = self.server.answer(self.command, self.path, headers, self._body())
        except RefusedError as refused:
            reply = refused.reply
        self._send(reply)

    # The names that http.server looks for.
    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST = do_OPTIONS = _respond  # noqa: N815

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "send the body with a Content-Length")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise RefusedError(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
        if int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._drain(min(int(length), DRAIN_BYTES_MAX))
            detail = f"the body has {length} bytes; at most {BODY_BYTES_MAX} are taken"
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError("the connection ended within a body")
        return body

    def _drain(self, length: int) -> None:
        while length > 0 and (read := self.rfile.read(min(length, 65536))):
            length -= len(read)

    def _send(self, reply: Reply) -> None:
        has_body = reply.status is not HTTPStatus.NO_CONTENT
        body = json.dumps(reply.document).encode() if has_body else b""
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if has_body:
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection or self.server.is_stopping:
            self.send_header("Connection", "close")  # sets close_connection too
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server itself refuses, with a problem too."""
        self.close_connection = True
        self.request_version = self.protocol_version  # a status line for every client
        status = HTTPStatus(code)
        self._send(RefusedError(status, message or explain or status.description).reply)

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: the answer must not wait in the buffer."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""
