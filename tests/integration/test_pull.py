"""Both subscribers pull over real sockets, from a real service, over a network that misbehaves."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from journal import Journal
from journal.errors import ProfileError, RemoteError, SubscriberBusyError
from journal.events import RecordObserved
from journal.remotes import HttpRemote, Profile
from journal.sync import AsyncSubscriber, PullProgress, Subscriber
from journal.sync.backoff import Backoff
from journal.testing.service import RecordService
from tests.integration.faults import (
    PATIENCE_S,
    Held,
    Proxy,
    answered,
    dropped_after,
    dropped_before,
    duplicated,
    message,
    passed,
    status,
    truncated,
)
from tests.integration.matrix import hit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.driving import Driven, Flavour
    from tests.integration.faults import Fault

HASTE: Final = Backoff(first_s=0.002, most_s=0.005, least_s=0.001)
CHANGES: Final = {
    "path": "/{type}?since={since}&limit=2",
    "items": "/changes",
    "first": "0",
    "since": "/n",
    "deleted": "/deleted",
    "next": "/next",
    "answer": {"fields": "/fields", "key": "/id", "version": "/etag"},
}
PORTAL: Final = message(200, b"<html><title>Hotel</title></html>")


@pytest.fixture
def service() -> Iterator[RecordService]:
    """A service with five accounts."""
    with RecordService() as service:
        for number in range(5):
            put(service, f"a{number}", {"n": number})
        yield service


def put(service: RecordService, key: str, fields: dict[str, Any]) -> None:
    """Do what another client would."""
    with httpx.Client(trust_env=False) as client:
        client.put(f"{service.url}/Account/{key}", json=fields).raise_for_status()


def remote(url: str, **more: Any) -> HttpRemote:  # noqa: ANN401  of a profile
    """Return the service there, by its profile."""
    content = {"url": url, "timeout_s": 5.0, "changes": CHANGES, "types": {"Account": {}}}
    return HttpRemote(Profile.of({**content, **more}))


def subscriber(flavour: Flavour, journal: Journal, url: str, **settings: Any) -> Driven:  # noqa: ANN401
    """Return a subscriber in haste."""
    return flavour(journal, remote(url), backoff=HASTE, **settings)


def here(journal: Journal) -> dict[str, Any]:
    """Return the accounts as they are here."""
    refs = {e.stream for e in journal.log.read() if isinstance(e.event, RecordObserved)}
    found = {ref.id: journal.load(ref).fields for ref in refs}
    return {key: fields for key, fields in found.items() if fields is not None}


def there(service: RecordService) -> dict[str, Any]:
    """Return the accounts as the service has them."""
    return {key: fields for (_, key), fields in service.records.items()}


def test_the_records_of_the_service_are_here(
    flavour: Flavour, journal: Journal, service: RecordService, proxy: Proxy
) -> None:
    """All pages are stored, and told; then only what has changed."""
    hit(48)
    said: list[PullProgress] = []
    pulling = subscriber(flavour, journal, proxy.url)
    first = pulling.pull(progress=said.append)
    put(service, "a1", {"n": 11})
    with httpx.Client(trust_env=False) as client:
        client.delete(f"{service.url}/Account/a2").raise_for_status()
    second = pulling.pull()

    assert (first.observed, first.pages, first.stopped_by) == (5, 3, None)
    assert [(p.pages, p.observed) for p in said] == [(1, 2), (2, 4), (3, 5)]
    assert (second.observed, second.deleted, second.unchanged) == (1, 1, 0)
    assert here(journal) == there(service)


FAULTS: Final[dict[str, tuple[int, Fault]]] = {
    "captive portal": (21, answered(PORTAL)),
    "no list": (22, answered(message(200, b'{"error": "later"}'))),
    "no JSON": (22, answered(message(200, b'{"changes": [{"n":'))),
    "truncated": (23, truncated),
    "lost": (18, dropped_after),
    "not sent": (16, dropped_before),
    "twice": (19, duplicated),
    "redirect": (26, status(302, b"", Location="http://127.0.0.1:1/")),
    "503": (30, status(503)),
    "500": (31, status(500)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_page_stores_nothing_false(
    flavour: Flavour, tmp_path: Path, service: RecordService, proxy: Proxy, name: str
) -> None:
    """Whatever comes in the place of a page, the pull ends with what the service has."""
    row, fault = FAULTS[name]
    for at in range(3):
        hit(row)
        proxy.then(*[passed] * at, fault)
        with Journal(tmp_path / f"{at}.db", actor="ann") as journal:
            report = subscriber(flavour, journal, proxy.url).pull()

            assert (report.observed, report.stopped_by) == (5, None)
            assert here(journal) == there(service)


def test_a_fault_that_stays_ends_the_pull_and_the_next_goes_on(
    flavour: Flavour, journal: Journal, service: RecordService, proxy: Proxy
) -> None:
    """What was stored stays; the next pull asks for the page at which this one ended."""
    hit(31)
    proxy.then(passed, *[status(500)] * 3)
    pulling = subscriber(flavour, journal, proxy.url, attempts=3)
    first, second = pulling.pull(), pulling.pull()

    assert (first.stopped_by, first.observed) == ("unreachable", 2)
    assert "500" in first.problem
    assert (second.stopped_by, second.observed) == (None, 3)
    assert here(journal) == there(service)


def test_credentials_that_are_refused(flavour: Flavour, journal: Journal, proxy: Proxy) -> None:
    """A 401 ends the pull at once, and says so."""
    hit(27)
    proxy.then(status(401))

    assert subscriber(flavour, journal, proxy.url).pull().stopped_by == "unauthorized"


def test_it_stops_at_a_page(
    flavour: Flavour, journal: Journal, service: RecordService, proxy: Proxy
) -> None:
    """Told to stop while a page is under way, it stores that page, and the next pull the rest."""
    hit(38)
    held = Held()
    proxy.then(held)
    pulling = subscriber(flavour, journal, proxy.url)
    reports: list[Any] = []
    thread = Thread(target=lambda: reports.append(pulling.pull()))
    thread.start()
    held.arrived.wait(PATIENCE_S)
    pulling.stop()
    with pytest.raises(SubscriberBusyError):
        pulling.pull()
    held.released.set()
    thread.join(PATIENCE_S)

    assert [(r.stopped_by, r.observed) for r in reports] == [("stop", 2)]
    assert pulling.pull().observed == 3
    assert here(journal) == there(service)


def test_a_pull_beside_a_push(
    flavour: Flavour, journal: Journal, service: RecordService, proxy: Proxy
) -> None:
    """While drafts are sent, pulls store no record as it was before its own receipt."""
    refs = [journal.create("Account", {"n": 0}, id=f"own{n}") for n in range(8)]
    pulling = subscriber(flavour, journal, proxy.url)
    pulling.start()
    for n in range(1, 6):
        for ref in refs:
            journal.update(ref, {"n": n})
        pulling.pull()
    for ref in refs:
        pulling.wait_for(ref, PATIENCE_S)
    pulling.stop()
    last = pulling.pull()

    assert (last.stopped_by, last.conflicting) == (None, ())
    for ref in refs:
        assert journal.load(ref).fields == {"n": 5} == service.records["Account", ref.id]
    assert {**here(journal), **{r.id: journal.load(r).fields for r in refs}} == there(service)
    head = journal.log.head()
    pulling.pull()
    assert journal.log.head() == head


def test_several_pulls_at_once_are_harmless(
    tmp_path: Path, service: RecordService, proxy: Proxy
) -> None:
    """Pulls of one journal, beside one another, store each record once."""

    def pulled() -> None:
        with (
            Journal(tmp_path / "shared.db", actor="ann") as journal,
            Subscriber(journal, remote(proxy.url), backoff=HASTE) as subscriber,
        ):
            subscriber.pull()

    Journal(tmp_path / "shared.db").close()
    threads = [Thread(target=pulled) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    with Journal(tmp_path / "shared.db") as journal:
        assert here(journal) == there(service)
        assert journal.log.head() == 5


def test_a_cancelled_pull_has_stored_whole_pages(
    tmp_path: Path, service: RecordService, proxy: Proxy
) -> None:
    """Cancelled at a page, it stores nothing of it, and the sender goes on."""
    hit(38)
    held = Held()
    proxy.then(held)

    async def cancelled(journal: Journal) -> int:
        async with AsyncSubscriber(journal, remote(proxy.url), backoff=HASTE) as subscriber:
            subscriber.start()
            task = asyncio.create_task(subscriber.pull())
            assert await asyncio.to_thread(held.arrived.wait, PATIENCE_S)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            held.released.set()
            assert subscriber.is_running
            assert journal.log.head() == 0
            return (await subscriber.pull()).observed

    with Journal(tmp_path / "field.db", actor="ann") as journal:
        assert asyncio.run(cancelled(journal)) == 5
        assert here(journal) == there(service)


def test_a_remote_that_lists_no_changes_says_so(journal: Journal) -> None:
    """The error names the key to write, or what a remote of one's own lacks."""
    bare = HttpRemote(Profile.of({"url": "http://127.0.0.1:1"}))
    with Subscriber(journal, bare) as subscriber:
        with pytest.raises(ProfileError) as nameless:
            subscriber.pull()
        with pytest.raises(ProfileError) as listless:
            subscriber.pull(["Account"])

    class Own:
        url = "http://127.0.0.1:1"
        headers = push = None

    with (
        Subscriber(journal, Own()) as subscriber,  # type: ignore[arg-type]
        pytest.raises(RemoteError, match="changes, recognised"),
    ):
        subscriber.pull(["Account"])
    assert (nameless.value.key, listless.value.key) == ("types", "changes")


def test_the_feed_of_the_service(service: RecordService) -> None:
    """Each record stands in it once, at its last change, with tombstones, in pages."""
    put(service, "a0", {"n": 10})
    with httpx.Client(base_url=service.url, trust_env=False) as client:
        client.delete("/Account/a1")
        first = client.get("/Account", params={"since": 4, "limit": 2}).json()
        second = client.get(first["next"]).json()
        wrong = client.get("/Account", params={"since": "x"})

    assert [(c["n"], c["id"]) for c in first["changes"]] == [(5, "a4"), (6, "a0")]
    assert second == {
        "changes": [{"n": 7, "id": "a1", "etag": '"7"', "deleted": True}],
        "next": None,
    }
    assert wrong.status_code == 400
    assert json.loads(wrong.text)["detail"]
