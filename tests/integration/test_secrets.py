"""No secret is anywhere: a service that shows all that it is sent, and a search of all we keep."""

from __future__ import annotations

import json
import logging
import traceback
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from journal.sync.backoff import Backoff
from tests.integration.faults import Proxy, message

if TYPE_CHECKING:
    from pathlib import Path

    from journal.sync import Progress
    from tests.integration.faults import Exchange

CANARY: Final = "c4n4ry/s3cr3t+of+ours"
OTHER: Final = "another-c4n4ry-of-0urs"
ENVIRON: Final = {"A": CANARY, "B": OTHER}
SOON: Final = Backoff(0.001, 0.001, 0.001)
WAYS: Final[dict[str, dict[str, Any]]] = {
    "basic": {"basic": {"user": "ann", "password": "{env:A}"}},
    "key as user": {"basic": {"user": "{env:A}"}},
    "bearer": {"bearer": "{env:A}"},
    "header": {"headers": {"X-Api-Key": "Key {env:A}"}},
    "query": {"query": {"api_key": "{env:A}"}},
    "all": {"bearer": "{env:A}", "headers": {"X-K": "{env:B}"}, "query": {"k": "{env:B}"}},
    "oauth": {
        "oauth": {
            "client_id": "app",
            "client_secret": "{env:A}",
            "refresh_token": "{env:B}",
        }
    },
}


class Echo:
    """A service that shows in every answer all that it was sent."""

    def __init__(self) -> None:
        """Begin with an answer of each kind."""
        self.kinds = ["receipt", "refusal", "list", "text", "page", "redirect", "401", "500"]
        self.count = 0

    def __call__(self, exchange: Exchange) -> None:
        """Answer the next kind."""
        seen = exchange.seen
        if seen.path == "/token":
            given = {"access_token": f"access-{CANARY}", "refresh_token": f"refresh-{CANARY}"}
            exchange.reply(message(200, json.dumps(given).encode()))
            return
        kind = self.kinds[self.count % len(self.kinds)]
        self.count += 1
        exchange.reply(_answer(kind, f"{seen.path} {seen.headers}", seen.body))


def _answer(kind: str, echo: str, body: bytes) -> bytes:
    match kind:
        case "receipt":
            record = {**json.loads(body or b"{}"), "Status": "new", "echo": [echo, {echo: echo}]}
            return message(200, json.dumps(record).encode(), ETag='"1"')
        case "refusal":
            problem = {"detail": echo, "errors": [{"field": echo, "message": echo, "code": echo}]}
            return message(422, json.dumps(problem).encode())
        case "list":
            return message(409, json.dumps([{"message": echo, "errorCode": echo}]).encode())
        case "text":
            return message(400, echo.encode())
        case "page":
            return message(200, f"<html><title>{echo}</title>".encode())
        case "redirect":
            return message(302, Location=f"https://{echo[1:8]}.example/{CANARY}")
        case "401":
            return message(401, json.dumps({"error_description": echo}).encode())
        case _:
            return message(500, echo.encode())


@pytest.mark.parametrize("way", WAYS)
def test_nowhere(tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """I19: neither file, log, report, repr nor error holds a secret, whatever the service shows."""
    caplog.set_level(logging.DEBUG)
    told: list[Progress] = []
    saved: list[str] = []
    with Proxy() as proxy:
        section = json.loads(json.dumps(WAYS[way]))
        if "oauth" in section:
            section["oauth"]["token_url"] = f"{proxy.url}/token"
        echo = Echo()
        proxy.then(*[echo] * 500)
        profile = Profile.of({"url": proxy.url, "auth": section})
        known = HttpRemote(profile, environ=ENVIRON, save=saved.append)
        path = tmp_path / "field.db"
        with (
            Journal(path, actor="ann") as journal,
            Subscriber(
                journal, known, backoff=SOON, attempts=3, progress=told.append
            ) as subscriber,
        ):
            records = [journal.create("Account", {"Name": f"n{i}"}) for i in range(12)]
            reports = [subscriber.drain() for _ in range(10)]
            for record in records[:4]:
                journal.update(record, {"Name": "m"})
            reports += [subscriber.drain() for _ in range(10)]
            kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
            shown = repr((told, reports, known, known.credentials, subscriber, profile))
            events = [entry.event for entry in journal.log.read()]

    assert any(report.acknowledged for report in reports)
    assert any(report.held for report in reports)
    assert saved == ([f"refresh-{CANARY}"] if way == "oauth" else [])
    # At DEBUG, httpcore logs the headers of answers: what a service shows there is not ours.
    logged = [m for m in caplog.messages if not m.startswith("receive_response_headers.complete")]
    for text in (kept.decode("latin-1"), shown, repr(events), "".join(logged)):
        assert _secrets_in(text) == []


def test_in_no_error() -> None:
    """An error about a secret shows neither it nor where it came from."""
    for environ in ({"A": f"{CANARY}\n"}, {"A": f" {CANARY}"}):
        with pytest.raises(Exception, match="auth") as caught:
            HttpRemote(
                Profile.of({"url": "https://x.example", "auth": {"bearer": "{env:A}"}}),
                environ=environ,
            )
        assert _secrets_in("".join(traceback.format_exception(caught.value))) == []


def _secrets_in(text: str) -> list[str]:
    pair = b64encode(f"ann:{CANARY}".encode()).decode()
    alone = b64encode(f"{CANARY}:".encode()).decode()
    parts = ["c4n4ry", "s3cr3t", "0urs", pair, alone]
    return [text[max(text.index(p) - 60, 0) : text.index(p) + 40] for p in parts if p in text]
