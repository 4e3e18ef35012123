"""One sender: two processes on one journal, one of which is paused, killed, or just alive."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.events import DraftAcknowledged, PushStarted
from journal.remotes import HttpRemote, Profile
from journal.remotes.wire import Limits
from journal.sync import Subscriber
from journal.sync.lease import holder_text
from tests.integration.crashing import Child, child
from tests.integration.faults import PATIENCE_S, Held, Proxy, dropped_after, passed, status
from tests.integration.matrix import hit
from tests.integration.sending import HASTE, LEASE_S, REQUEST_S, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from journal.testing.service import RecordService
    from tests.integration.crashing import Words

COUNT: Final = 12


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """Return a journal in a file, with drafts in it."""
    with Journal(path, actor="ann", origin="here") as journal:
        for number in range(COUNT):
            journal.create("Account", {"Number": number}, id=f"a{number}")
        yield journal


@contextmanager
def sender(path: Path, url: str, name: str) -> Iterator[Child]:
    """Start a process that sends."""
    with child(send, str(path), url, name) as process:
        assert process.until(1) == [("ready", "", "")]
        yield process


def heard(process: Child, is_it: Callable[[Words], bool]) -> Words:
    """Wait until a process tells something."""
    return next(words for words in process.words() if is_it(words))


def paused(process: Child) -> None:
    """Pause a process, and wait until it is paused."""
    pid = process._process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    while _state_of(pid) != "T":
        pass


def woken(process: Child) -> None:
    """Let a paused process go on."""
    assert process._process.pid is not None
    os.kill(process._process.pid, signal.SIGCONT)


def _state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[0]


def senders_of(journal: Journal) -> Counter[tuple[str, str]]:
    """Return how many events each sender appended, of each kind."""
    return Counter(
        (entry.origin, type(entry.event).__name__)
        for entry in journal.log.read()
        if entry.actor == "sync"
    )


def all_settled(journal: Journal) -> None:
    """Wait until everything is acknowledged."""
    remote = HttpRemote(Profile.of({"url": "http://127.0.0.1:9"}))
    with Subscriber(journal, remote) as follower:
        for number in range(COUNT):
            settlement = follower.wait_for(f"Account:a{number}", PATIENCE_S)
            assert settlement.state == "acknowledged"


def check_one_effect_each(journal: Journal, service: RecordService) -> None:
    """Check that each draft was applied once, in order, and acknowledged once (I12, I13, I16)."""
    events = [entry.event for entry in journal.log.read()]
    drafts = [entry.event_id for entry in journal.log.read(0, COUNT)]
    assert [effect.path for effect in service.effects] == [f"/Account/a{n}" for n in range(COUNT)]
    receipts = [event.draft_id for event in events if isinstance(event, DraftAcknowledged)]
    assert receipts == drafts
    assert [event.draft_id for event in events if isinstance(event, PushStarted)] == drafts
    assert journal.log.verify().is_intact


class TestTwoProcesses:
    """Two processes send from one journal (I29)."""

    def test_both_alive(self, path: Path, journal: Journal, service: RecordService) -> None:
        """While both live, exactly one makes progress."""
        with sender(path, service.url, "one"), sender(path, service.url, "two"):
            hit(37)
            all_settled(journal)

        check_one_effect_each(journal, service)
        assert len({origin for origin, _ in senders_of(journal)}) == 1

    @pytest.mark.parametrize("plan", [(0, passed), (0, dropped_after), (3, passed)])
    def test_paused_within_a_request(
        self,
        path: Path,
        journal: Journal,
        service: RecordService,
        proxy: Proxy,
        plan: tuple[int, Callable[..., None]],
    ) -> None:
        """Who is paused past its lease is replaced, and appends nothing when it wakes (I16)."""
        nth, fault = plan
        held = Held(fault)
        proxy.then(*[passed] * nth, held)
        with sender(path, proxy.url, "zombie") as zombie:
            assert held.arrived.wait(PATIENCE_S)
            paused(zombie)
            before = senders_of(journal)
            held.released.set()
            assert held.done.wait(PATIENCE_S)
            with sender(path, service.url, "heir") as heir:
                all_settled(journal)
                woken(zombie)
                heard(zombie, lambda words: words[0] == "standing by")
                assert senders_of(journal) == before + Counter(
                    {
                        ("heir", "PushStarted"): COUNT - nth - 1,
                        ("heir", "DraftAcknowledged"): COUNT - nth,
                    }
                )
                # Both go on living: the heir is the one that sends.
                journal.create("Visit", {}, id="v1")
                heard(heir, lambda words: words[:2] == ("acknowledged", "Visit:v1"))

        check_one_effect_each_of_many(journal, service)

    def test_paused_between_requests(
        self, path: Path, journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """Who is paused while it waits sends nothing when it wakes, until it is its turn again."""
        proxy.then(passed, status(503, Retry_After="1"))
        with sender(path, proxy.url, "zombie") as zombie:
            heard(zombie, lambda words: words[0] == "waiting")
            paused(zombie)
            with sender(path, service.url, "heir") as heir:
                all_settled(journal)
                woken(zombie)
                heir.kill()
                journal.create("Visit", {}, id="v1")  # and it takes over again
                heard(zombie, lambda words: words[:2] == ("acknowledged", "Visit:v1"))

        check_one_effect_each_of_many(journal, service)

    def test_killed(
        self, path: Path, journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """Who is killed is replaced at once, long before its lease is over (F3)."""
        held = Held()
        proxy.then(passed, passed, held)
        with ExitStack() as stack:
            first = stack.enter_context(sender(path, proxy.url, "first"))
            assert held.arrived.wait(PATIENCE_S)
            second = stack.enter_context(sender(path, service.url, "second"))
            heard(second, lambda words: words[0] == "standing by" and "first" in words[2])
            first.kill()
            held.released.set()
            all_settled(journal)

        check_one_effect_each(journal, service)

    def test_a_drain_stands_by(
        self, path: Path, journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """A drain beside a sender that lives sends nothing, and says who that is."""
        held = Held()
        proxy.then(held)
        with sender(path, proxy.url, "first"):
            assert held.arrived.wait(PATIENCE_S)
            assert holder_text(journal.log.leases).startswith("first, process ")

            report = drained(journal, service.url)
            held.released.set()

            assert (report.stopped_by, report.attempts) == ("another sender", 0)
            assert report.problem.startswith("another sender has the lease: first, process ")
            all_settled(journal)
        assert holder_text(journal.log.leases) == ""
        check_one_effect_each(journal, service)

    def test_a_drain_replaces_who_is_paused(
        self, path: Path, journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """A drain beside a sender that is paused looks for a lease, and then goes on."""
        held = Held(dropped_after)
        proxy.then(held)
        with sender(path, proxy.url, "zombie") as zombie:
            assert held.arrived.wait(PATIENCE_S)
            paused(zombie)
            reports = [drained(journal, service.url)]
            while reports[-1].stopped_by == "another sender":
                reports.append(drained(journal, service.url))
            held.released.set()
            woken(zombie)
            heard(zombie, lambda words: words[0] == "standing by")

        assert reports[-1].acknowledged == COUNT
        check_one_effect_each(journal, service)


def check_one_effect_each_of_many(journal: Journal, service: RecordService) -> None:
    """Check that each draft was applied once, and in order, whoever sent it."""
    created = [f"/Account/a{n}" for n in range(COUNT)]
    assert [effect.path for effect in service.effects] == [*created, "/Visit/v1"]
    events = [entry.event for entry in journal.log.read()]
    receipts = [event.draft_id for event in events if isinstance(event, DraftAcknowledged)]
    assert len(receipts) == len(set(receipts)) == COUNT + 1
    assert journal.log.verify().is_intact


def drained(journal: Journal, url: str) -> Any:  # noqa: ANN401  a report
    """Drain in this process, in haste."""
    remote = HttpRemote(Profile.of({"url": url}))
    limits = Limits(REQUEST_S, 10**6)
    with Subscriber(journal, remote, backoff=HASTE, limits=limits, lease_s=LEASE_S) as subscriber:
        return subscriber.drain(PATIENCE_S)
