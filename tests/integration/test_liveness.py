"""Both subscribers: what they say of themselves, what wakes them, and whom they make room for."""

from __future__ import annotations

from itertools import pairwise
from threading import Event
from threading import enumerate as threads
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.errors import DraftMissingError, StillPendingError
from journal.events import DraftAcknowledged, PushStarted
from journal.log import Claim
from journal.remotes import HttpRemote, Profile
from journal.sync.backoff import Backoff
from journal.testing.service import RecordService
from tests.integration.driving import Driven, Flavour, Watch
from tests.integration.faults import (
    PATIENCE_S,
    Held,
    Proxy,
    dropped_after,
    dropped_before,
    passed,
    status,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from journal.sync import SyncStatus

HASTE: Final = Backoff(first_s=0.002, most_s=0.005, least_s=0.001)
FOREVER: Final = Backoff(3600.0, 3600.0, 3600.0)
ACME: Final = {"Name": "Acme", "Size": 1}


@pytest.fixture
def service() -> Iterator[RecordService]:
    """Return a running record service, which refuses records of a negative size."""

    def refuse(_: str, fields: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
        if fields.get("Size", 0) < 0:
            yield "Size", "is negative"

    with RecordService(validate=refuse) as service:
        yield service


@pytest.fixture(params=["file", "memory"])
def journal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Journal]:
    """Return an empty journal."""
    path = tmp_path / "field.db" if request.param == "file" else ":memory:"
    with Journal(path, actor="ann", origin="van-7") as journal:
        yield journal


@pytest.fixture
def make(flavour: Flavour, journal: Journal, proxy: Proxy) -> Iterator[Callable[..., Driven]]:
    """Return what makes subscribers, all of which are closed before the journal is."""

    def made(**settings: Any) -> Driven:  # noqa: ANN401  any setting
        remote = HttpRemote(Profile.of({"url": proxy.url, "timeout_s": 5.0}))
        return flavour(journal, remote, **{"backoff": HASTE, **settings})

    yield made
    flavour.close()


def until(subscriber: Driven, is_it: Callable[[SyncStatus], bool]) -> SyncStatus:
    """Watch until the status is so."""
    return next(filter(is_it, subscriber.watch()))


class TestOneSender:
    """Two subscribers in one process on one journal."""

    def test_the_second_drain_stands_by(
        self, make: Callable[..., Driven], journal: Journal, proxy: Proxy
    ) -> None:
        """While one sends, the other one's drain sends nothing, and says who sends."""
        held = Held()
        proxy.then(held)
        journal.create("Account", ACME, id="a1")
        first, second = make(), make()
        first.start()
        assert held.arrived.wait(PATIENCE_S)

        report = second.drain()
        held.released.set()

        assert (report.stopped_by, report.attempts, report.pending) == ("another sender", 0, 1)
        assert report.problem.startswith("another sender has the lease: van-7, process ")
        assert first.wait_for("Account:a1", PATIENCE_S).state == "acknowledged"
        assert proxy.most_at_once == 1

    def test_the_second_takes_over(
        self, make: Callable[..., Driven], journal: Journal, service: RecordService
    ) -> None:
        """When the one that sends is stopped, the one that stands by goes on."""
        first, second = make(), make()
        journal.create("Account", ACME, id="a1")
        first.start()
        first.wait_for("Account:a1", PATIENCE_S)
        second.start()
        journal.create("Account", ACME, id="a2")
        first.wait_for("Account:a2", PATIENCE_S)
        assert (first.status.is_leader, second.status.is_leader) == (True, False)
        first.stop()
        journal.create("Account", ACME, id="a3")

        assert second.wait_for("Account:a3", PATIENCE_S).state == "acknowledged"
        assert [first.status.is_leader, second.status.is_leader] == [False, True]
        assert len(service.effects) == 3

    def test_what_the_stale_one_appends_is_refused(
        self, make: Callable[..., Driven], journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """Who has lost the lease within a request appends nothing, and sends again in its turn."""
        held = Held()
        proxy.then(held)
        journal.create("Account", ACME, id="a1")
        subscriber = make()
        subscriber.start()
        assert held.arrived.wait(PATIENCE_S)
        leases = journal.log.leases
        last = leases.last("default")
        taken = leases.take(Claim("default", "thief", "a thief", 0, 10.0, 0.0), last)
        assert taken is not None
        before = journal.log.head()

        held.released.set()
        status = until(subscriber, lambda status: status.leader != "")

        assert status.leader.startswith("a thief, since ")
        assert journal.log.head() == before
        leases.release(taken.fence)
        settlement = subscriber.wait_for("Account:a1", PATIENCE_S)
        assert (settlement.state, len(service.effects)) == ("acknowledged", 1)
        last = leases.last("default")
        assert last is not None
        assert last.epoch == taken.fence.epoch + 1

    def test_what_another_one_has_sent_is_looked_up(
        self,
        make: Callable[..., Driven],
        flavour: Flavour,
        journal: Journal,
        proxy: Proxy,
        service: RecordService,
    ) -> None:
        """That one's own attempt never left says nothing once another sender was there."""
        journal.create("Account", ACME, id="a1")
        service.stop()
        remote = HttpRemote(Profile.of({"url": service.url}))
        first = flavour(journal, remote, backoff=HASTE, attempts=1)
        assert first.drain().problem.startswith("ConnectError")
        service.start()
        proxy.then(passed, dropped_after)  # a read, and the write
        assert make(attempts=1).drain().stopped_by == "unreachable"

        remote.profile = remote.profile.model_copy(update={"url": proxy.url})
        assert first.drain().acknowledged == 1

        assert [seen.method for seen in proxy.seen] == ["GET", "PUT", "GET"]
        receipt = journal.log.read()[-1].event
        assert isinstance(receipt, DraftAcknowledged)
        assert receipt.evidence == "read"
        assert len(service.effects) == 1

    def test_an_empty_drain_takes_no_lease(
        self, make: Callable[..., Driven], journal: Journal
    ) -> None:
        """Who has nothing to send stands in nobody's way."""
        make().drain()

        assert journal.log.leases.last("default") is None

    def test_the_lease_is_released_in_the_end(
        self, make: Callable[..., Driven], journal: Journal
    ) -> None:
        """After a drain, and after a stop, nobody has the lease."""
        journal.create("Account", ACME, id="a1")
        subscriber = make()
        subscriber.drain()
        assert journal.log.leases.holder("default") is None
        subscriber.start()
        journal.create("Account", ACME, id="a2")
        subscriber.wait_for("Account:a2", PATIENCE_S)
        assert journal.log.leases.holder("default") is not None

        subscriber.stop()

        assert journal.log.leases.holder("default") is None


class TestStatus:
    """What it says of itself."""

    def test_of_a_day(self, make: Callable[..., Driven], journal: Journal, proxy: Proxy) -> None:
        """Idle, sending, waiting with the time of the next attempt, and idle again."""
        told: list[SyncStatus] = []
        held = Held(dropped_before)
        proxy.then(held)
        subscriber = make(backoff=FOREVER, on_status=told.append)
        assert subscriber.status[:4] == (False, False, "", None)
        subscriber.start()
        journal.create("Account", ACME, id="a1")
        assert held.arrived.wait(PATIENCE_S)
        sending = subscriber.status
        assert (sending.is_running, sending.is_leader, sending.pending) == (True, True, 1)
        assert sending.sending is not None
        assert sending.sending.ref == "Account:a1"
        held.released.set()

        waiting = until(subscriber, lambda status: status.next_attempt_s is not None)

        assert (waiting.online, waiting.sending) == (False, None)
        assert waiting.last_error.startswith("RemoteProtocolError")
        assert waiting.next_attempt_s is not None
        assert 3590 < waiting.next_attempt_s <= 3600
        assert waiting.next_attempt_at is not None
        assert abs(waiting.next_attempt_at - waiting.since - 3600e6) < 1e6
        subscriber.nudge()
        done = until(subscriber, lambda status: status.pending == 0)
        assert (done.online, done.next_attempt_s, done.held) == (True, None, 0)
        subscriber.stop()
        assert subscriber.status.is_running is False
        assert told[-1] == subscriber.status
        assert [one for one, two in pairwise(told) if one[:-1] == two[:-1]] == []

    def test_a_success_forgets_the_error(
        self, make: Callable[..., Driven], journal: Journal, proxy: Proxy
    ) -> None:
        """What the last attempt ran into is forgotten with the next one that is successful."""
        proxy.then(dropped_before)
        journal.create("Account", ACME, id="a1")
        subscriber = make()

        subscriber.drain()

        assert (subscriber.status.last_error, subscriber.status.online) == ("", True)

    def test_a_captive_portal(
        self, make: Callable[..., Driven], journal: Journal, proxy: Proxy
    ) -> None:
        """An answer of somebody on the way is no sign that the remote is there (row 21)."""
        proxy.then(status(200, b"<html><title>Welcome</title></html>"))
        journal.create("Account", ACME, id="a1")
        subscriber = make(attempts=1)

        subscriber.drain()

        assert subscriber.status.online is False
        assert subscriber.status.last_error.startswith("offline: ")

    def test_a_stopped_queue(self, make: Callable[..., Driven], journal: Journal) -> None:
        """Why the queue is stopped is part of it."""
        journal.create("Account", ACME, id="a1")
        journal.stop_queue(reason="stock-taking")
        subscriber = make()

        assert subscriber.drain().stopped_by == "stopped"

        assert "stock-taking" in subscriber.status.stopped
        assert subscriber.status.pending == 1

    def test_a_queue_that_is_stopped_meanwhile(
        self, make: Callable[..., Driven], journal: Journal, proxy: Proxy
    ) -> None:
        """A queue that is stopped during a request has no other draft begun (Q5)."""
        held = Held()
        proxy.then(held)
        journal.create("Account", ACME, id="a1")
        journal.create("Account", ACME, id="a2")
        subscriber = make()
        subscriber.start()
        assert held.arrived.wait(PATIENCE_S)
        journal.stop_queue()
        held.released.set()

        until(subscriber, lambda status: status.stopped != "" and status.pending == 1)

        events = [type(entry.event).__name__ for entry in journal.log.read(2)]
        assert events == ["PushStarted", "QueueStopped", "DraftAcknowledged"]

    def test_watching_ends_when_it_is_closed(self, make: Callable[..., Driven]) -> None:
        """Whoever watches is let go."""
        subscriber = make()
        watching = subscriber.watch()
        next(watching)
        subscriber.close()

        assert list(watching)[1:] == []


class TestWaking:
    """What wakes it, and what does not."""

    def test_a_nudge(self, make: Callable[..., Driven], journal: Journal, proxy: Proxy) -> None:
        """A nudge ends a wait that nobody has asked for."""
        proxy.then(dropped_before)
        journal.create("Account", ACME, id="a1")
        subscriber = make(backoff=FOREVER)
        subscriber.start()
        until(subscriber, lambda status: status.next_attempt_s is not None)

        subscriber.nudge()

        assert subscriber.wait_for("Account:a1", PATIENCE_S).state == "acknowledged"

    def test_no_nudge_ends_the_remotes_wish(
        self, make: Callable[..., Driven], journal: Journal, proxy: Proxy
    ) -> None:
        """A remote that asks for patience is asked nothing earlier, by no drain either (S8)."""
        proxy.then(status(503, Retry_After="3600"), passed)
        journal.create("Account", ACME, id="a1")
        subscriber = make()
        subscriber.start()
        until(subscriber, lambda status: status.next_attempt_s is not None)
        asked = len(proxy.seen)

        subscriber.nudge()
        journal.create("Account", ACME, id="a2")
        with pytest.raises(StillPendingError, match="is still pending after"):
            subscriber.wait_for("Account:a1", 0.3)
        subscriber.stop()
        report = subscriber.drain(timeout_s=10)

        assert (report.stopped_by, len(proxy.seen)) == ("timeout", asked)


class TestWaitingForADraft:
    """Waiting until a draft is settled."""

    def test_states(self, make: Callable[..., Driven], journal: Journal) -> None:
        """It says what became of a draft: acknowledged, held, or discarded."""
        good = journal.create("Account", ACME, id="good")
        bad = journal.create("Account", {"Size": -1}, id="bad")
        update = journal.update(good, {"Size": 2})
        assert update is not None
        subscriber = make()
        subscriber.start()

        assert subscriber.wait_for(good, PATIENCE_S).draft_id == update
        assert subscriber.wait_for(update, PATIENCE_S).state == "acknowledged"
        settlement = subscriber.wait_for(bad, PATIENCE_S)
        assert (settlement.state, settlement.ref) == ("held", bad)
        journal.discard(settlement.draft_id, reason="a typing mistake")
        assert subscriber.wait_for(settlement.draft_id, PATIENCE_S).state == "discarded"
        assert subscriber.wait_for(bad, PATIENCE_S).state == "discarded"

    def test_a_held_draft_that_is_tried_again(
        self, make: Callable[..., Driven], journal: Journal
    ) -> None:
        """A held draft that is amended is waited for again."""
        bad = journal.create("Account", {"Size": -1}, id="bad")
        subscriber = make()
        subscriber.start()
        draft_id = subscriber.wait_for(bad, PATIENCE_S).draft_id

        journal.amend(draft_id, {"Size": 1})

        assert subscriber.wait_for(draft_id, PATIENCE_S).state == "acknowledged"

    def test_it_says_why_not(self, make: Callable[..., Driven], journal: Journal) -> None:
        """Where the time is up, the error says which draft it was, and how it is."""
        journal.create("Account", ACME, id="a1")
        subscriber = make()

        with pytest.raises(StillPendingError, match="Account:a1 is still pending") as caught:
            subscriber.wait_for("Account:a1", 0.0)

        assert (caught.value.what, caught.value.timeout_s) == ("Account:a1", 0.0)
        assert caught.value.why == "it has not been sent yet"

    @pytest.mark.parametrize("of", ["Account:nobody", "no-such-draft"])
    def test_a_draft_that_never_was(self, make: Callable[..., Driven], of: str) -> None:
        """What was never made is not waited for."""
        with pytest.raises(DraftMissingError):
            make().wait_for(of, 1.0)


class TestCallbacks:
    """The functions of the host."""

    def test_one_that_hangs_stalls_nothing(
        self,
        make: Callable[..., Driven],
        journal: Journal,
        service: RecordService,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A callback that never returns keeps no draft from being sent."""
        monkeypatch.setattr("journal.sync.hooks.FLUSH_S", 0.05)
        release = Event()
        journal.create("Account", ACME, id="a1")
        journal.create("Account", ACME, id="a2")

        report = make(progress=lambda _: release.wait(PATIENCE_S)).drain()
        release.set()

        assert (report.acknowledged, len(service.effects)) == (2, 2)
        assert "the progress callback is slow" in caplog.text

    def test_no_thread_is_left(self, make: Callable[..., Driven], journal: Journal) -> None:
        """A subscriber that was stopped leaves no thread of its own."""
        watch = Watch()
        journal.create("Account", ACME, id="a1")
        subscriber = make(progress=watch, on_status=lambda _: None)
        subscriber.start()
        subscriber.wait_for("Account:a1", PATIENCE_S)

        subscriber.close()

        names = {thread.name for thread in threads()}
        assert not names & {"journal-subscriber", "journal-hook"}
        assert watch.said[-1].step == "acknowledged"


def test_many_drafts_of_one_record(make: Callable[..., Driven], journal: Journal) -> None:
    """However many drafts a record has, each is begun once, and all arrive."""
    ref = journal.create("Account", ACME, id="a1")
    with journal.batch():
        for size in range(2, 200):
            journal.update(ref, {"Size": size})

    report = make().drain()

    assert (report.acknowledged, report.pending) == (199, 0)
    begun = [e for e in journal.log.read(199, 1000) if isinstance(e.event, PushStarted)]
    assert len(begun) == 199
