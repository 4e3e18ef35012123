"""Drafts on their way to a receiver: each has its effect once, in order, whatever happens."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Final

import pytest

from journal import Journal, Ref
from journal.receiver import Received
from journal.sync import Subscriber
from tests.integration.crashing import child
from tests.integration.faults import (
    PATIENCE_S,
    Held,
    Proxy,
    dropped_after,
    dropped_before,
    duplicated,
    duplicated_late,
    passed,
)
from tests.integration.lossy import LossyLink
from tests.integration.matrix import hit
from tests.integration.oracle import acknowledged_in, check_log, pushes_of
from tests.integration.receiver.notes import MOMENTS, Notes, bound, serving
from tests.integration.receiver.sender import remote_at, send
from tests.integration.sending import HASTE
from tests.integration.test_one_sender import heard, paused, woken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journal.sync import Report
    from tests.integration.faults import Exchange, Fault

DRAFTS: Final = 80
WITHIN_S: Final = 60.0


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """Return a journal in a file."""
    with Journal(path, actor="ann", origin="van-7") as journal:
        yield journal


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    """Return a service on a file of its own."""
    notes = Notes(tmp_path / "notes.db")
    yield notes
    notes.close()


def change(journal: Journal, count: int, seed: int = 1) -> None:
    """Make that many changes: creates, updates and deletes."""
    dice = random.Random(seed)  # noqa: S311  a test's
    made: list[Ref] = []
    for number in range(count):
        kind = dice.choice(("create", "update", "update", "delete")) if made else "create"
        if kind == "create":
            made.append(journal.create("Note", {"Name": f"n{number}"}, id=f"r{seed}-{number}"))
        elif kind == "update":
            journal.update(dice.choice(made), {"Name": f"n{number}", "More": {"n": number}})
        else:
            journal.delete(made.pop(dice.randrange(len(made))))


def drained(journal: Journal, url: str) -> Report:
    """Push what is pending, in haste."""
    with Subscriber(journal, remote_at(url), backoff=HASTE, attempts=1000) as subscriber:
        return subscriber.drain(timeout_s=WITHIN_S)


def check(journal: Journal, notes: Notes) -> None:
    """Check that each draft had its effect once, in the order of the log, and all are known."""
    entries = check_log(journal)
    effects = notes.effects
    assert [(e.method, e.path, e.body) for e in effects] == pushes_of(entries)
    assert [effect.key for effect in effects] == acknowledged_in(entries)
    assert [e.number for e in effects] == sorted({e.number for e in effects})
    assert len(acknowledged_in(entries)) == len(effects)


def test_nothing_goes_wrong(journal: Journal, notes: Notes) -> None:
    """Every draft is acknowledged by its answer, and nothing is read."""
    change(journal, DRAFTS)
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        report = drained(journal, proxy.url)

    assert (report.pending, report.acknowledged) == (0, DRAFTS)
    assert Counter(seen.method for seen in proxy.seen)["GET"] == 0
    assert len(proxy.seen) == DRAFTS
    check(journal, notes)


def test_who_says_the_one_before(journal: Journal, notes: Notes) -> None:
    """Each draft says the number of the one that was acknowledged before it, over restarts too."""
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        for _ in range(3):
            journal.create("Note", {"Name": "a"})
            journal.create("Note", {"Name": "b"})
            drained(journal, proxy.url)

    numbers = [effect.number for effect in notes.effects]
    said = [int(seen.headers.get("draft-previous", "0")) for seen in proxy.seen]
    assert said == [0, *numbers[:-1]]
    assert {seen.headers["draft-journal"] for seen in proxy.seen} == {journal.log.journal_id}


@pytest.mark.parametrize("seed", range(3))
def test_bad_link(journal: Journal, notes: Notes, seed: int) -> None:
    """Whatever a link loses, repeats, delays or mangles: each effect is there once, in order."""
    for row in (14, 18, 19, 20, 21):
        hit(row)
    change(journal, DRAFTS, seed)
    link = LossyLink(seed)
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        proxy.otherwise = link
        report = drained(journal, proxy.url)

    assert (report.pending, report.held) == (0, 0), report
    assert sum(link.met.values()) > DRAFTS + link.met["dropped after apply"]
    check(journal, notes)


def test_lost_answer_needs_no_read(journal: Journal, notes: Notes) -> None:
    """A draft whose answer was lost is sent again, and acknowledged by the stored answer.

    Even where somebody else has changed the record since: a read would find a conflict there.
    """
    hit(14)
    note = journal.create("Note", {"Name": "a"}, id="n1")

    def interfere(exchange: Exchange) -> None:
        dropped_after(exchange)
        with notes.receipts.transaction() as connection:
            connection.execute("UPDATE records SET fields = ?, version = 99", ('{"Name": "c"}',))

    with serving(notes.receiver) as url, Proxy(url) as proxy:
        drained(journal, proxy.url)
        journal.update(note, {"Name": "b"})
        proxy.then(interfere)
        report = drained(journal, proxy.url)

    assert (report.pending, report.acknowledged) == (0, 1)
    assert proxy.lines == ["PUT /Note/n1", "PATCH /Note/n1", "PATCH /Note/n1"]
    assert notes.records["Note", "n1"] == (99, {"Name": "c"})
    check(journal, notes)


@pytest.mark.parametrize("fault", [duplicated, duplicated_late, dropped_before, dropped_after])
def test_each_fault(journal: Journal, notes: Notes, fault: Fault) -> None:
    """Each fault alone, at every draft: one effect for each."""
    change(journal, 12)
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        faults = cycle([fault, passed])

        def alternately(exchange: Exchange) -> None:
            next(faults)(exchange)

        proxy.otherwise = alternately
        report = drained(journal, proxy.url)

    assert report.pending == 0
    check(journal, notes)


class _Late:
    """A fault that keeps a request, which arrives when the test says so."""

    def __init__(self) -> None:
        self._kept: list[Exchange] = []

    def __call__(self, exchange: Exchange) -> None:
        self._kept.append(exchange)
        exchange.close()

    def arrives(self) -> bytes:
        return self._kept[0].forward()


@pytest.mark.parametrize("decision", ["amended", "discarded"])
def test_late_copy_of_what_was_given_up(journal: Journal, notes: Notes, decision: str) -> None:
    """A request that arrives after its draft was amended, or discarded, has no effect."""
    hit(19)
    note = journal.create("Note", {"Name": "a"}, id="n1")
    late = _Late()
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        drained(journal, proxy.url)
        journal.update(note, {"Name": "b"})
        [change] = journal.load(note).changes
        proxy.then(late)
        notes.validity = "no names today"
        drained(journal, proxy.url)
        notes.validity = None
        if decision == "amended":
            journal.amend(change.draft_id, {"Name": "c"})
        else:
            journal.discard(change.draft_id)
            journal.update(note, {"Name": "c"})
        assert drained(journal, proxy.url).pending == 0

        answer = late.arrives()

    assert b" 409 " in answer.partition(b"\r\n")[0]
    assert b"idempotency-number-mismatch" in answer
    assert [effect.body for effect in notes.effects] == [{"Name": "a"}, {"Name": "c"}]


def test_held_draft_that_goes_on_later(journal: Journal, notes: Notes) -> None:
    """A draft that was refused is no hole: others go on, and it gets another number later."""
    journal.create("Note", {"Name": "a"}, id="n1")
    with serving(notes.receiver) as url:
        notes.validity = "no names today"
        drained(journal, url)
        notes.validity = None
        journal.create("Note", {"Name": "b"}, id="n2")
        drained(journal, url)
        [held] = journal.load(Ref("Note:n1")).changes
        journal.retry(held.draft_id)
        report = drained(journal, url)

    assert report.pending == 0
    assert [effect.path for effect in notes.effects] == ["/Note/n2", "/Note/n1"]
    assert sorted(numbers := [effect.number for effect in notes.effects]) == numbers


def test_draft_that_is_overtaken(journal: Journal, notes: Notes) -> None:
    """A draft in doubt that an earlier one overtakes, which a person lets go on, is not stuck."""
    first = journal.create("Note", {"Name": "a"}, id="n1")
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        notes.validity = "no names today"
        drained(journal, proxy.url)
        notes.validity = None
        journal.create("Note", {"Name": "b"}, id="n2")
        proxy.then(dropped_before)
        with Subscriber(journal, remote_at(proxy.url), attempts=1) as subscriber:
            assert subscriber.drain().acknowledged == 0
        journal.retry(journal.load(first).changes[0].draft_id)
        report = drained(journal, proxy.url)

    assert (report.pending, report.held) == (0, 0)
    assert [effect.path for effect in notes.effects] == ["/Note/n1", "/Note/n2"]


# --- what is missing ---------------------------------------------------------------------


def test_receiver_that_was_restored(journal: Journal, notes: Notes, tmp_path: Path) -> None:
    """Where a receiver has lost what it acknowledged, drafts wait: none is held, none applied."""
    journal.create("Note", {"Name": "a"}, id="n1")
    with serving(notes.receiver) as url:
        drained(journal, url)
        before = sqlite3.connect(tmp_path / "backup.db")
        with closing(before), closing(notes.connect()) as current:
            current.backup(before)
            journal.create("Note", {"Name": "b"}, id="n2")
            drained(journal, url)
            before.backup(current)
        journal.create("Note", {"Name": "c"}, id="n3")

        with Subscriber(journal, remote_at(url), attempts=2, backoff=HASTE) as subscriber:
            report = subscriber.drain(timeout_s=1)

        assert (report.pending, report.held, report.acknowledged) == (1, 0, 0)
        assert "has not been applied here" in report.problem
        assert set(notes.records) == {("Note", "n1")}
        missing = [e for e in journal.log.read() if e.stream == "Note:n2"]
        with notes.receipts.transaction() as connection:
            notes.receipts.admit(connection, "", journal.log.journal_id, missing[-1].position)
        assert drained(journal, url).pending == 0


# --- processes that die, or pause --------------------------------------------------------


@contextmanager
def mortal(path: Path, deaths: list[tuple[str, int]]) -> Iterator[tuple[str, list[int]]]:
    """Run the service in a process that ends itself so often, and is started again each time.

    Yields:
        Where it is, and how each process ended.
    """
    with bound() as probe:
        port = probe.getsockname()[1]
    left, ended, is_over = iter(deaths), list[int](), Event()
    processes: list[subprocess.Popen[bytes]] = []

    def run() -> None:
        while not is_over.is_set():
            moment, at = next(left, ("never", 0))
            module = "tests.integration.receiver.notes"
            command = [sys.executable, "-m", module, str(path), str(port), moment, str(at)]
            processes.append(subprocess.Popen(command))
            ended.append(processes[-1].wait())

    thread = Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}", ended
    finally:
        is_over.set()
        processes[-1].kill()
        thread.join()


def test_receiver_that_is_killed(journal: Journal, notes: Notes) -> None:
    """Killed before its effect, before the commit, before the answer or within it: each once."""
    hit(14)
    change(journal, 40)
    deaths = [(moment, at) for at in (1, 3) for moment in MOMENTS]

    with mortal(notes.path, deaths) as (url, ended):
        report = drained(journal, url)
        assert ended == [-signal.SIGKILL] * len(deaths)

    assert (report.pending, report.held) == (0, 0), report
    check(journal, notes)


def test_two_senders(path: Path, journal: Journal, notes: Notes) -> None:
    """A sender is paused within a request, and another takes over: the request comes too late."""
    for row in (19, 37):
        hit(row)
    change(journal, 40)
    held = Held()
    with serving(notes.receiver) as url, Proxy(url) as proxy:
        proxy.then(*[passed] * 5, held)
        with child(send, str(path), proxy.url, "zombie") as zombie:
            assert held.arrived.wait(PATIENCE_S)
            paused(zombie)
            with child(send, str(path), url, "heir") as heir:
                heard(heir, lambda words: words == ("acknowledged", "35"))
                held.released.set()
                assert held.done.wait(PATIENCE_S)
                woken(zombie)
                heard(zombie, lambda words: words[0] == "standing by")

    check(journal, notes)


def test_two_senders_without_a_lease(
    path: Path, journal: Journal, notes: Notes, tmp_path: Path
) -> None:
    """Two copies of a journal, each with a sender: the lease does not help, the keys do.

    Once each of them makes drafts of its own, one of them is told that it was set back.
    """
    hit(37)
    change(journal, 30)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(copy)) as to, closing(sqlite3.connect(path)) as source:
        source.backup(to)
    with serving(notes.receiver) as url, Journal(copy, actor="bob", origin="copy") as other:
        with ThreadPoolExecutor(2) as two:
            reports = list(two.map(lambda of: drained(of, url), (journal, other)))
        assert [report.pending for report in reports] == [0, 0]
        check(journal, notes)
        assert len(notes.effects) == 30

        for of in (journal, other):
            of.create("Note", {"Name": "new"})
        first, second = drained(journal, url), drained(other, url)

    assert (first.pending, second.pending, second.stopped_by) == (0, 1, "stopped")
    assert len(notes.effects) == 31


def test_many_at_once(notes: Notes) -> None:
    """Of many requests with one key at the same time, one has an effect."""
    asked = Received("PUT", "/Note/n1", "", {}, b'{"Name": "a"}', "k1")
    ready = Barrier(8)

    def ask(_: int) -> int:
        ready.wait(PATIENCE_S)
        return notes.receiver.receive(asked).status

    with ThreadPoolExecutor(8) as eight:
        statuses = Counter(eight.map(ask, range(8)))

    assert len(notes.effects) == 1
    assert statuses.keys() <= {201, 409}
    assert notes.receiver.receive(asked).headers["Idempotent-Replayed"] == "true"
