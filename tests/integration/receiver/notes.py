"""A service of records behind the receiver; what it did is written down in the same transaction.

It runs in a thread, or in a process of its own that ends itself where it is told to.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import uvicorn

from journal.receiver import Answered, DatabaseReceipts, DeclinedError, Received, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORDS: Final = (
    "CREATE TABLE IF NOT EXISTS records (type TEXT, id TEXT, version INTEGER, fields TEXT, "
    "PRIMARY KEY (type, id))"
)
_EFFECTS: Final = (
    "CREATE TABLE IF NOT EXISTS effects (n INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT, "
    "path TEXT, body TEXT, key TEXT, number INTEGER)"
)


class Effect(NamedTuple):
    """What the service did once."""

    method: str
    path: str
    body: Any
    key: str
    number: int


class Notes:
    """The service, on a database file."""

    def __init__(self, path: Path, **settings: Any) -> None:  # noqa: ANN401  of the receiver
        """Be on that file, with a receiver of these settings."""
        self.path = path
        self.validity: str | None = None
        """What is wrong with everything, if anything is."""
        self._kept = self.connect()  # as long as one is open, no close moves the WAL
        with self._kept:
            for statement in (_RECORDS, _EFFECTS):
                self._kept.execute(statement)
        self.receipts = DatabaseReceipts(self.connect)
        self.receiver = Receiver(self.receipts, self.apply, otherwise=self.read, **settings)

    def close(self) -> None:
        """Let go of the file."""
        self._kept.close()

    def connect(self) -> sqlite3.Connection:
        """Return a new connection."""
        connection = sqlite3.connect(self.path, timeout=30)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def apply(self, connection: sqlite3.Connection, received: Received) -> Answered:
        """Write a record, as a good service does."""
        record_type, key = received.segments
        if self.validity is not None:
            raise DeclinedError(422, self.validity, errors=[("Name", self.validity)])
        found = connection.execute(
            "SELECT version, fields FROM records WHERE type = ? AND id = ?", (record_type, key)
        ).fetchone()
        version, fields = (0, None) if found is None else (found[0], json.loads(found[1]))
        if found is None and received.method != "PUT":
            raise DeclinedError(404, "there is no such record")
        has, wants = received.headers.get("if-none-match"), received.headers.get("if-match")
        if (found and has == "*") or (wants is not None and wants != f'"{version}"'):
            raise DeclinedError(412, f"the record is at {version}")
        sent = None if received.method == "DELETE" else received.json()
        body = None if sent is None else json.dumps(sent)
        connection.execute(
            "INSERT INTO effects (method, path, body, key, number) VALUES (?, ?, ?, ?, ?)",
            (received.method, received.path, body, received.key, received.number),
        )
        if sent is None:
            connection.execute("DELETE FROM records WHERE type = ? AND id = ?", (record_type, key))
            return Answered(204)
        fields = _merged(fields, sent) if received.method == "PATCH" else sent
        (version,) = connection.execute("SELECT max(n) FROM effects").fetchone()
        connection.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)",
            (record_type, key, version, json.dumps(fields)),
        )
        return Answered.of(200 if found else 201, fields, {"ETag": f'"{version}"'})

    async def read(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        """Show a record."""
        if scope["type"] != "http":
            return
        del receive
        found = self.records.get(tuple(scope["path"].strip("/").split("/")))
        status, body = (404, b"{}") if found is None else (200, json.dumps(found[1]).encode())
        etag = [] if found is None else [(b"etag", f'"{found[0]}"'.encode())]
        headers = [(b"content-type", b"application/json"), *etag]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    # --- the oracle ----------------------------------------------------------------------

    @property
    def records(self) -> dict[tuple[str, ...], tuple[int, Any]]:
        """What it has: the version and the fields of each record."""
        with closing(self.connect()) as connection:
            rows = connection.execute("SELECT type, id, version, fields FROM records").fetchall()
        return {(row[0], row[1]): (row[2], json.loads(row[3])) for row in rows}

    @property
    def effects(self) -> list[Effect]:
        """What it did, in order."""
        with closing(self.connect()) as connection:
            rows = connection.execute(
                "SELECT method, path, body, key, number FROM effects ORDER BY n"
            ).fetchall()
        return [Effect(m, p, b and json.loads(b), k, n) for m, p, b, k, n in rows]


def _merged(target: object, patch: dict[str, Any]) -> dict[str, Any]:
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value) if isinstance(value, dict) else value
    return merged


# --- a server ----------------------------------------------------------------------------


def bound(port: int = 0) -> socket.socket:
    """Return a socket that listens."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening


def server_of(app: Any) -> uvicorn.Server:  # noqa: ANN401  ASGI
    """Return a server of an application."""
    return uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1)
    )


@contextmanager
def serving(app: Any) -> Iterator[str]:  # noqa: ANN401  ASGI
    """Serve an application in a thread; yield where."""
    listening, server = bound(), server_of(app)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


# --- a process that ends itself ------------------------------------------------------------


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Mortal(Notes):
    """Ends itself at its n-th draft, at a moment of it."""

    def __init__(self, path: Path, moment: str, at: int) -> None:
        super().__init__(path)
        self._moment, self._left = moment, at

    def apply(self, connection: sqlite3.Connection, received: Received) -> Answered:
        self._left -= 1
        if self._is("before the effect"):
            _end()
        answer = super().apply(connection, received)
        if self._is("before the commit"):
            _end()
        return answer

    def _is(self, moment: str) -> bool:
        return self._left == 0 and self._moment == moment

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        async def sent(message: Any) -> None:  # noqa: ANN401  ASGI
            is_start = message["type"] == "http.response.start"
            if is_start and self._is("before the answer"):
                _end()
            await send(message)
            if is_start and self._is("within the answer"):
                _end()

        await self.receiver(scope, receive, sent)


MOMENTS: Final = (
    "before the effect",
    "before the commit",
    "before the answer",
    "within the answer",
)


if __name__ == "__main__":
    file, listening_on, moment, at = sys.argv[1:]
    server_of(_Mortal(Path(file), moment, int(at))).run([bound(int(listening_on))])
