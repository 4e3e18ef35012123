"""Tokens that end, over real sockets: renewed once, never the draft's fault, and resumed."""

from __future__ import annotations

import asyncio
import json
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import pytest

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.remotes.wire import Limits
from journal.sync import AsyncSubscriber, Subscriber
from journal.sync.backoff import Backoff
from tests.integration.faults import PATIENCE_S, Proxy, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from journal.sync import Report
    from tests.integration.faults import Exchange

SOON: Final = Backoff(0.001, 0.001, 0.001)


class Service:
    """A record service that takes each token for some requests, and the place they come from."""

    def __init__(self) -> None:
        """Give tokens that never end."""
        self.lasts = 10**9
        self.given = 0
        self.refresh = "refresh-0"
        self.is_generous = True
        self.hangs: Event | None = None
        self.records: dict[str, Any] = {}
        self.refused = 0
        self._left = 0
        self._lock = Lock()
        self.proxy = Proxy()
        self.tokens = Proxy()
        self.proxy.then(*[self._serve] * 1000)
        self.tokens.then(*[self._give] * 1000)

    def _serve(self, exchange: Exchange) -> None:
        with self._lock:
            is_known = exchange.seen.headers.get("authorization") == f"Bearer access-{self.given}"
            self._left -= 1
            if not is_known or self._left < 0:
                self.refused += 1
                exchange.reply(message(401, b'{"error_description": "the token has expired"}'))
                return
            if exchange.seen.method == "PUT":
                self.records[exchange.seen.path] = json.loads(exchange.seen.body)
            record = self.records.get(exchange.seen.path)
        body = json.dumps(record).encode()
        exchange.reply(message(404) if record is None else message(200, body, ETag='"1"'))

    def _give(self, exchange: Exchange) -> None:
        if self.hangs is not None:
            self.hangs.wait(PATIENCE_S)
        fields = parse_qs(exchange.seen.body.decode())
        with self._lock:
            if not self.is_generous or fields["refresh_token"] != [self.refresh]:
                exchange.reply(message(400, b'{"error": "invalid_grant"}'))
                return
            self.given += 1
            self._left = self.lasts
            self.refresh = f"refresh-{self.given}"
            given = {"access_token": f"access-{self.given}", "refresh_token": self.refresh}
        exchange.reply(message(200, json.dumps(given).encode()))

    def remote(self, saved: list[str]) -> HttpRemote:
        """Return a remote that begins with the first refresh token."""
        section = {
            "token_url": f"{self.tokens.url}/token",
            "client_id": "app",
            "refresh_token": "{env:REFRESH}",
        }
        profile = Profile.of({"url": self.proxy.url, "auth": {"oauth": section}})
        return HttpRemote(profile, environ={"REFRESH": "refresh-0"}, save=saved.append)


@pytest.fixture
def service() -> Iterator[Service]:
    """Return the service."""
    service = Service()
    with service.proxy, service.tokens:
        yield service


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Return a journal with six drafts."""
    with Journal(tmp_path / "field.db", actor="ann") as journal:
        for number in range(6):
            journal.create("Account", {"Name": f"n{number}"}, id=f"a{number}")
        yield journal


def blocking(journal: Journal, remote: HttpRemote, limits: Limits | None = None) -> Report:
    """Drain, blocking."""
    with Subscriber(journal, remote, backoff=SOON, attempts=3, limits=limits) as subscriber:
        return subscriber.drain()


def in_a_loop(journal: Journal, remote: HttpRemote, limits: Limits | None = None) -> Report:
    """Drain, async."""

    async def drained() -> Report:
        async with AsyncSubscriber(
            journal, remote, backoff=SOON, attempts=3, limits=limits
        ) as subscriber:
            return await subscriber.drain()

    return asyncio.run(drained())


@pytest.fixture(params=[blocking, in_a_loop], ids=["blocking", "async"])
def drain(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """Return what drains."""
    chosen: Callable[..., Report] = request.param
    return chosen


def test_expiry_in_the_middle(
    drain: Callable[..., Report], journal: Journal, service: Service
) -> None:
    """A token that ends in the middle of the queue is renewed, and no draft notices."""
    service.lasts = 2
    saved: list[str] = []

    report = drain(journal, service.remote(saved))

    assert (report.acknowledged, report.attempts, report.stopped_by) == (6, 6, None)
    assert (service.given, service.refused) == (3, 2)
    assert saved == ["refresh-1", "refresh-2", "refresh-3"]
    assert sorted(service.records) == [f"/Account/a{number}" for number in range(6)]


def test_a_token_that_is_never_taken(
    drain: Callable[..., Report], journal: Journal, service: Service
) -> None:
    """A 401 for ever stops the queue after one renewal: nothing is held, and it says why."""
    service.lasts = 0

    report = drain(journal, service.remote([]))

    assert (report.acknowledged, report.held, report.pending) == (0, 0, 6)
    assert report.stopped_by == "unauthorized"
    assert report.problem == "the remote answered 401: the token has expired"
    assert (service.given, service.refused) == (2, 2)


def test_a_renewal_that_is_refused_and_resumed(
    drain: Callable[..., Report], journal: Journal, service: Service
) -> None:
    """Where no token can be had, no draft leaves; once one can, the queue goes on by itself."""
    service.is_generous = False
    remote = service.remote([])

    report = drain(journal, remote)
    seen = len(service.proxy.seen)
    service.is_generous = True
    after = drain(journal, remote)

    said = "there is no access token: the token endpoint answered 400: invalid_grant"
    assert (report.stopped_by, report.problem, report.held) == ("unauthorized", said, 0)
    assert seen == 0
    assert (after.acknowledged, after.stopped_by) == (6, None)


def test_a_renewal_that_hangs(
    drain: Callable[..., Report], journal: Journal, service: Service
) -> None:
    """A token endpoint that says nothing is waited for until the deadline, and no longer."""
    service.hangs = Event()

    report = drain(journal, service.remote([]), Limits(timeout_s=0.2))
    service.hangs.set()

    said = "there is no access token: no whole answer within 0.2 s"
    assert (report.stopped_by, report.problem, report.held) == ("unreachable", said, 0)


def test_two_at_once(tmp_path: Path, service: Service) -> None:
    """Two subscribers with one remote make one renewal, and both come to their end."""
    service.lasts = 3
    remote = service.remote([])
    with (
        Journal(tmp_path / "one.db", actor="ann") as one,
        Journal(tmp_path / "two.db", actor="ann") as two,
        Subscriber(one, remote, backoff=SOON) as first,
        Subscriber(two, remote, backoff=SOON) as second,
    ):
        for number in range(12):
            one.create("Account", {"Name": "n"}, id=f"one{number}")
            two.create("Account", {"Name": "n"}, id=f"two{number}")
        first.start()
        second.start()
        done = Event()
        for _ in range(1000):
            if len(service.records) == 24 or done.wait(0.01):
                break
        first.stop()
        second.stop()

    assert len(service.records) == 24
    assert service.given <= 1 + service.refused
