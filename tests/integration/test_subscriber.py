"""Both subscribers, over real sockets, with a real service, and a network that misbehaves."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.errors import (
    InvalidValueError,
    LogBusyError,
    LogClosedError,
    LogFullError,
    SubscriberBusyError,
)
from journal.events import (
    DraftAcknowledged,
    DraftDiscarded,
    DraftHeld,
    FieldMessage,
    PushStarted,
    RecordCreated,
    RecordUpdated,
)
from journal.remotes import HttpRemote, Profile
from journal.remotes.wire import Limits
from journal.staging import Facts
from journal.sync import Progress, Report, Subscriber
from journal.sync.backoff import Backoff
from journal.sync.ledger import Ledger
from journal.testing.service import RecordService
from tests.integration.driving import Driven, Flavour, Watch
from tests.integration.faults import (
    PATIENCE_S,
    Held,
    Proxy,
    Seen,
    answered,
    dropped_after,
    dropped_before,
    duplicated,
    duplicated_late,
    passed,
    status,
    truncated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from journal import events as stored
    from journal.drafts import Draft
    from journal.remotes.remote import Push

HASTE: Final = Backoff(first_s=0.002, most_s=0.005, least_s=0.001)
ACME: Final = {"Name": "Acme", "Size": 1}
CANARY: Final = "s3cr3t-c4n4ry"


def refuse_small(_: str, fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Refuse records with a negative size."""
    if fields.get("Size", 0) < 0:
        yield "Size", "is negative"


@pytest.fixture
def service() -> Iterator[RecordService]:
    """Return a running record service, which refuses records of a negative size."""
    with RecordService(validate=refuse_small) as service:
        yield service


class Desk:
    """A journal, and a subscriber of it at the proxy."""

    def __init__(
        self, flavour: Flavour, journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """Make the subscriber when it is needed."""
        self.flavour = flavour
        self.journal = journal
        self.service = service
        self.proxy = proxy
        self.watch = Watch()

    def subscriber(self, **settings: Any) -> Driven:  # noqa: ANN401  any setting
        """Return a subscriber, in haste and patient."""
        remote = HttpRemote(Profile.of({"url": self.proxy.url, "timeout_s": 5.0}))
        given = {"backoff": HASTE, "attempts": 8, "progress": self.watch, **settings}
        return self.flavour(self.journal, remote, **given)

    def drain(self, **settings: Any) -> Report:  # noqa: ANN401  any setting
        """Drain with a new subscriber."""
        return self.subscriber(**settings).drain()

    @property
    def events(self) -> list[stored.Event]:
        """All events of the log."""
        return [entry.event for entry in self.journal.log.read()]

    @property
    def noted(self) -> list[stored.Event]:
        """The events that the subscriber appended."""
        return [entry.event for entry in self.journal.log.read() if entry.actor == "sync"]

    @property
    def effects(self) -> list[str]:
        """What really happened at the service."""
        return [f"{effect.method} {effect.path}" for effect in self.service.effects]

    @property
    def receipts(self) -> list[DraftAcknowledged]:
        """The acknowledgements."""
        return [event for event in self.events if isinstance(event, DraftAcknowledged)]

    @property
    def holds(self) -> list[DraftHeld]:
        """The holds."""
        return [event for event in self.events if isinstance(event, DraftHeld)]


@pytest.fixture
def desk(
    flavour: Flavour, journal: Journal, service: RecordService, proxy: Proxy
) -> Iterator[Desk]:
    """Return all of it, ready; the subscribers are closed before the rest."""
    yield Desk(flavour, journal, service, proxy)
    flavour.close()


class TestOrder:
    """In which order, and how many at a time."""

    def test_drafts_are_sent_in_order(self, desk: Desk) -> None:
        """Drafts arrive in the order in which they were made, one at a time."""
        refs = [desk.journal.create("Account", ACME, id=f"a{number}") for number in range(5)]
        for ref in reversed(refs):
            desk.journal.update(ref, {"Size": 2})
        desk.journal.delete(refs[2])

        report = desk.drain()

        created = [f"PUT /Account/a{number}" for number in range(5)]
        updated = [f"PATCH /Account/a{number}" for number in reversed(range(5))]
        assert desk.effects == [*created, *updated, "DELETE /Account/a2"]
        assert desk.proxy.most_at_once == 1
        assert report == Report(11, 0, 0, 11, report.duration_s, None, "")
        assert desk.service.records == {
            ("Account", ref.id): {"Name": "Acme", "Size": 2} for ref in refs if ref != refs[2]
        }

    def test_created_and_deleted_offline(self, desk: Desk) -> None:
        """A record that was created and deleted offline is created and deleted."""
        desk.journal.delete(desk.journal.create("Account", ACME, id="a1"))

        desk.drain()

        assert desk.effects == ["PUT /Account/a1", "DELETE /Account/a1"]
        assert desk.service.records == {}

    def test_a_child_refers_to_its_parent(self, desk: Desk) -> None:
        """A record that refers to one that was created offline is sent with the remote's id."""
        parent = desk.journal.create("Account", ACME, id="a1")
        desk.journal.create("Visit", {"Account": parent, "Lines": [{"For": parent}]}, id="v1")

        desk.drain()

        assert desk.service.records["Visit", "v1"] == {"Account": "a1", "Lines": [{"For": "a1"}]}

    def test_a_version_of_our_own(self, desk: Desk) -> None:
        """Updates made offline are each conditional on the version that the one before left."""
        ref = desk.journal.create("Account", ACME, id="a1")
        for size in (2, 3):
            desk.journal.update(ref, {"Size": size})

        desk.drain()

        assert [seen.headers.get("if-match") for seen in desk.proxy.seen] == [None, '"1"', '"2"']

    def test_the_beginning_is_durable_before_the_request(self, desk: Desk, path: Path) -> None:
        """When a request arrives, another connection finds its PushStarted in the file (S2)."""
        found: list[list[str]] = []

        def look(_: Seen) -> None:
            connection = sqlite3.connect(path)
            rows = connection.execute("SELECT event_type FROM entries ORDER BY position")
            found.append([row[0] for row in rows])
            connection.close()

        ref = desk.journal.create("Account", ACME, id="a1")
        desk.journal.update(ref, {"Size": 2})
        desk.proxy.on_request = look

        desk.drain()

        drafts = ["RecordCreated", "RecordUpdated"]
        assert found == [
            [*drafts, "PushStarted"],
            [*drafts, "PushStarted", "DraftAcknowledged", "PushStarted"],
        ]


class TestLostAnswers:
    """Whatever the network does: one effect."""

    @pytest.mark.parametrize(
        ("fault", "requests", "evidence"),
        [
            (passed, ["PUT"], "answer"),
            (dropped_before, ["PUT", "GET", "PUT"], "answer"),
            (dropped_after, ["PUT", "GET"], "read"),
            (truncated, ["PUT", "GET"], "read"),
            (duplicated, ["PUT"], "answer"),
            (duplicated_late, ["PUT", "GET"], "read"),
            (status(502, b"<html>Bad Gateway</html>"), ["PUT", "GET", "PUT"], "answer"),
            (status(200, b"<html>Welcome</html>"), ["PUT", "GET", "PUT"], "answer"),
            (status(307, Location="http://127.0.0.1:1/"), ["PUT", "GET", "PUT"], "answer"),
            (answered(b"garbage\r\n\r\n", then_close=True), ["PUT", "GET", "PUT"], "answer"),
        ],
        ids=lambda part: getattr(part, "__name__", ""),
    )
    def test_a_create(
        self, desk: Desk, fault: Callable[..., None], requests: list[str], evidence: str
    ) -> None:
        """A create has one effect, and says how that is known."""
        desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(fault)

        report = desk.drain()

        assert [seen.method for seen in desk.proxy.seen] == requests
        assert desk.effects == ["PUT /Account/a1"]
        assert [receipt.evidence for receipt in desk.receipts] == [evidence]
        assert (report.acknowledged, report.pending) == (1, 0)

    @pytest.mark.parametrize(
        "fault", [dropped_before, dropped_after, truncated, duplicated, duplicated_late]
    )
    def test_an_update_and_a_delete(self, desk: Desk, fault: Callable[..., None]) -> None:
        """An update and a delete have one effect each, and nothing is held."""
        ref = desk.journal.create("Account", ACME, id="a1")
        desk.journal.update(ref, {"Size": 2})
        desk.drain()
        desk.proxy.then(fault)
        desk.journal.update(ref, {"Size": 3})
        assert desk.drain().pending == 0
        desk.proxy.then(fault)
        desk.journal.delete(ref)

        assert desk.drain().pending == 0

        methods = ["PUT", "PATCH", "PATCH", "DELETE"]
        assert desk.effects == [f"{method} /Account/a1" for method in methods]
        assert desk.service.records == {}

    def test_every_answer_is_lost_once(self, desk: Desk) -> None:
        """A day on which every write's answer is lost ends with one effect of each."""
        refs = [desk.journal.create("Account", ACME, id=f"a{number}") for number in range(4)]
        for ref in refs:
            desk.journal.update(ref, {"Size": 2})
        desk.proxy.then(*[dropped_after, passed] * 8)

        report = desk.drain()

        assert (report.acknowledged, report.attempts) == (8, 16)
        assert len(desk.effects) == len(set(desk.effects)) == 8
        assert {receipt.evidence for receipt in desk.receipts} == {"read"}

    def test_a_restart_in_the_middle(self, desk: Desk, path: Path) -> None:
        """A push without an outcome is resolved by a read, after a restart too."""
        ref = desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(dropped_after)
        assert desk.drain(attempts=1).pending == 1
        desk.journal.close()

        with Journal(path, actor="ann", origin="van-7") as reopened:
            desk.journal = reopened
            report = desk.drain()

            assert report.acknowledged == 1
            assert [seen.method for seen in desk.proxy.seen] == ["PUT", "GET"]
            assert desk.receipts[0].evidence == "read"
            assert reopened.load(ref).changes == ()
            assert len([event for event in desk.events if isinstance(event, PushStarted)]) == 1


class TestOutage:
    """While the service is down, and when it comes back."""

    def test_nothing_is_noted_but_the_beginning(self, desk: Desk) -> None:
        """However often it is tried, an outage adds one PushStarted to the log."""
        desk.journal.create("Account", ACME, id="a1")
        desk.journal.create("Account", ACME, id="a2")
        desk.service.stop()

        reports = [desk.drain(attempts=3) for _ in range(3)]

        assert desk.noted == [PushStarted(draft_id=desk.journal.log.read()[0].event_id)]
        for report in reports:
            assert report[:4] == (0, 0, 2, 3)
            assert report.stopped_by == "unreachable"
            assert report.problem.startswith("RemoteProtocolError")

    def test_nobody_listens(self, desk: Desk) -> None:
        """A connection that is refused was not sent: the write follows without a read."""
        desk.journal.create("Account", ACME, id="a1")
        desk.service.stop()
        remote = HttpRemote(Profile.of({"url": desk.service.url}))
        subscriber = desk.flavour(desk.journal, remote, backoff=HASTE, attempts=2)

        report = subscriber.drain()

        assert report.stopped_by == "unreachable"
        assert report.problem.startswith("ConnectError")
        desk.service.start()
        assert subscriber.drain().pending == 0
        assert desk.receipts[0].evidence == "answer"

    def test_it_goes_on_by_itself(self, desk: Desk) -> None:
        """In the background, drafts are sent when the service is back, with no new write."""
        desk.service.stop()
        desk.journal.create("Account", ACME, id="a1")
        desk.journal.create("Account", ACME, id="a2")
        desk.subscriber(attempts=1).start()
        desk.watch.wait_for("waiting", 3)

        desk.service.start()
        last = desk.watch.wait_for("acknowledged", 2)

        assert desk.effects == ["PUT /Account/a1", "PUT /Account/a2"]
        assert (last.acknowledged, last.pending) == (2, 0)

    def test_it_wakes_on_every_append(self, desk: Desk) -> None:
        """An idle subscriber sends a change within 100 ms."""
        desk.subscriber().start()
        took_s = []
        for number in range(5):
            began_s = monotonic()
            desk.journal.create("Account", ACME, id=f"a{number}")
            desk.watch.wait_for("sending")
            took_s.append(monotonic() - began_s)
            desk.watch.wait_for("acknowledged")

        assert sorted(took_s)[2] < 0.1

    def test_it_wakes_on_an_append_of_another(self, desk: Desk, path: Path) -> None:
        """A change that was appended through another connection to the file is sent too."""
        desk.subscriber().start()
        with Journal(path, actor="bob", origin="van-8") as other:
            other.create("Account", ACME, id="a1")

            desk.watch.wait_for("acknowledged")

        assert desk.effects == ["PUT /Account/a1"]

    def test_retry_after_is_kept(self, desk: Desk) -> None:
        """A wait that the service asks for is never shorter, and stop does not wait for it."""
        desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(status(503, Retry_After="60"))
        subscriber = desk.subscriber()
        subscriber.start()

        waiting = desk.watch.wait_for("waiting")
        began_s = monotonic()
        subscriber.stop()

        assert waiting.delay_s is not None
        assert 60.0 + HASTE.least_s <= waiting.delay_s <= 60.0 + HASTE.most_s
        assert waiting.problem == "the remote answered 503"
        assert monotonic() - began_s < 1.0
        assert len(desk.proxy.seen) == 1

    def test_retry_after_and_a_timeout(self, desk: Desk) -> None:
        """A drain does not begin a wait that would end after its timeout."""
        desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(status(429, Retry_After="60"))

        report = desk.subscriber().drain(timeout_s=30)

        assert (report.stopped_by, report.pending) == ("timeout", 1)
        assert report.duration_s < 5

    def test_retry_after_that_is_short(self, desk: Desk) -> None:
        """A wait that is over is over."""
        desk.journal.create("Account", ACME, id="a1")
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        desk.proxy.then(status(429, Retry_After="0"), status(503, Retry_After=date, Date=date))

        assert desk.drain().pending == 0


class TestHolds:
    """What the service will not have."""

    def test_a_rejection_holds_its_lane(self, desk: Desk) -> None:
        """A rejected draft is held with its messages; its lane waits, and the others flow."""
        bad = desk.journal.create("Account", {"Name": "Bad", "Size": -1}, id="bad")
        desk.journal.update(bad, {"Name": "Worse"})
        desk.journal.create("Visit", {"Account": bad}, id="v1")
        good = desk.journal.create("Account", ACME, id="good")
        desk.journal.update(good, {"Size": 2})

        report = desk.drain()

        assert desk.effects == ["PUT /Account/good", "PATCH /Account/good"]
        assert report[:4] == (2, 1, 3, 3)
        assert (report.stopped_by, report.problem) == ("held", "Size: is negative")
        (hold,) = desk.holds
        assert (hold.classification, hold.status) == ("rejected", 422)
        assert hold.messages == (FieldMessage(field="Size", message="is negative"),)
        assert '"is negative"' in hold.answer

    def test_a_rejection_stops_all(self, desk: Desk) -> None:
        """Where a hold stops all, nothing behind it is sent."""
        desk.journal.create("Account", {"Size": -1}, id="bad")
        desk.journal.create("Account", ACME, id="good")

        reports = [desk.drain(on_held="stop") for _ in range(2)]

        assert desk.effects == []
        assert [report[:4] for report in reports] == [(0, 1, 2, 1), (0, 1, 2, 0)]
        assert [report.stopped_by for report in reports] == ["held", "held"]

    def test_a_held_lane_does_not_keep_it_awake(self, desk: Desk) -> None:
        """In the background a held draft is not retried, and other changes flow."""
        desk.journal.create("Account", {"Size": -1}, id="bad")
        desk.subscriber().start()
        desk.watch.wait_for("held")

        desk.journal.create("Account", ACME, id="good")
        last = desk.watch.wait_for("acknowledged")

        assert (last.held, last.pending) == (1, 1)
        looks = ["GET /Account/bad"] * 2
        assert desk.proxy.lines == ["PUT /Account/bad", *looks, "PUT /Account/good"]

    def test_unauthorized(self, desk: Desk) -> None:
        """A 401 ends a drain at once, and nothing is held: it is not the draft's fault."""
        desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(status(401))

        report = desk.drain()

        assert report[:4] == (0, 0, 1, 1)
        assert (report.stopped_by, report.problem) == ("unauthorized", "the remote answered 401")
        assert desk.drain().pending == 0

    def test_unauthorized_in_the_background(self, desk: Desk) -> None:
        """In the background a 401 is tried again, so that a renewed token needs no restart."""
        desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(status(401), status(401), status(401))
        desk.subscriber(attempts=1).start()

        desk.watch.wait_for("waiting", 3)
        desk.watch.wait_for("acknowledged")

        assert desk.holds == []

    def test_a_foreign_edit(self, desk: Desk) -> None:
        """A change of what somebody else has changed since is held as a conflict."""
        ref = desk.journal.create("Account", ACME, id="a1")
        desk.drain()
        desk.journal.update(ref, {"Size": 2})
        with Journal(actor="eve", origin="web") as other:
            other.observe(ref, ACME, remote_version='"1"')
            other.update(ref, {"Size": 3})
            desk.flavour(other, HttpRemote(Profile.of({"url": desk.service.url}))).drain()

        report = desk.drain()

        assert report.held == 1
        assert (desk.holds[0].classification, desk.holds[0].status) == ("conflict", 412)
        assert '"Size": 3' in desk.holds[0].answer
        assert desk.service.records["Account", "a1"]["Size"] == 3

    def test_a_foreign_edit_that_was_observed(self, desk: Desk) -> None:
        """That the foreign edit was observed since does not let the change write over it."""
        ref = desk.journal.create("Account", ACME, id="a1")
        desk.drain()
        desk.journal.update(ref, {"Size": 2})
        with Journal(actor="eve", origin="web") as other:
            other.observe(ref, ACME, remote_version='"1"')
            other.update(ref, {"Size": 3})
            desk.flavour(other, HttpRemote(Profile.of({"url": desk.service.url}))).drain()
        desk.journal.observe(ref, {**ACME, "Size": 3}, remote_version='"2"')

        desk.drain()

        assert desk.proxy.seen[1].headers["if-match"] == '"1"'
        assert desk.holds[0].classification == "conflict"

    def test_a_foreign_delete(self, desk: Desk) -> None:
        """A change of what somebody else has deleted is held as gone; a delete is acknowledged."""
        refs = [desk.journal.create("Account", ACME, id=name) for name in ("a1", "a2")]
        desk.drain()
        with Journal(actor="eve", origin="web") as other:
            for ref in refs:
                other.observe(ref, ACME)
                other.delete(ref)
            desk.flavour(other, HttpRemote(Profile.of({"url": desk.service.url}))).drain()
        desk.journal.update(refs[0], {"Size": 2})
        desk.journal.delete(refs[1])

        report = desk.drain()

        assert report[:3] == (1, 1, 1)
        assert desk.holds[0].classification == "gone"
        assert desk.receipts[-1].evidence == "read"
        assert desk.effects.count("DELETE /Account/a2") == 1


class TestStopping:
    """How it ends."""

    def test_the_draft_in_flight_is_finished(self, desk: Desk) -> None:
        """Stop waits for the draft in flight, which is acknowledged, and sends no other."""
        desk.journal.create("Account", ACME, id="a1")
        desk.journal.create("Account", ACME, id="a2")
        held = Held()
        desk.proxy.then(held)
        subscriber = desk.subscriber()
        subscriber.start()
        assert held.arrived.wait(PATIENCE_S)

        stopping = Thread(target=subscriber.stop)
        stopping.start()
        is_stopped_early = not stopping.is_alive()
        held.released.set()
        stopping.join(PATIENCE_S)

        assert not is_stopped_early
        assert not subscriber.is_running
        assert desk.effects == ["PUT /Account/a1"]
        assert len(desk.receipts) == 1
        assert desk.drain().acknowledged == 1

    def test_idle_it_stops_at_once(self, desk: Desk) -> None:
        """Stop ends the wait of an idle subscriber, a second time changes nothing."""
        subscriber = desk.subscriber()
        subscriber.start()
        assert subscriber.is_running
        began_s = monotonic()

        subscriber.stop()
        subscriber.stop()

        assert monotonic() - began_s < 1.0
        assert not subscriber.is_running

    def test_it_starts_again(self, desk: Desk) -> None:
        """A stopped subscriber, and even a closed one, can be started again."""
        subscriber = desk.subscriber()
        for number, end in enumerate((subscriber.stop, subscriber.close, subscriber.stop)):
            subscriber.start()
            desk.journal.create("Account", ACME, id=f"a{number}")
            desk.watch.wait_for("acknowledged")
            end()

        assert len(desk.effects) == 3

    def test_a_drain_after_running_gives_up_again(self, desk: Desk) -> None:
        """That it ran for ever once does not make its drains do so."""
        subscriber = desk.subscriber(attempts=2)
        subscriber.start()
        subscriber.stop()
        desk.service.stop()
        desk.journal.create("Account", ACME, id="a1")

        report = subscriber.drain()

        assert (report.attempts, report.stopped_by) == (2, "unreachable")

    def test_one_at_a_time(self, desk: Desk) -> None:
        """Who sends already is neither started nor drained a second time (S1)."""
        subscriber = desk.subscriber()
        subscriber.start()

        with pytest.raises(SubscriberBusyError, match="sending already"):
            subscriber.drain()
        with pytest.raises(SubscriberBusyError, match="sending already"):
            subscriber.start()

    def test_two_drains_at_a_time(self, desk: Desk) -> None:
        """Two threads that drain do not send two drafts at once (S1)."""
        desk.journal.create("Account", ACME, id="a1")
        held = Held()
        desk.proxy.then(held)
        subscriber = desk.subscriber()
        draining = Thread(target=subscriber.drain)
        draining.start()
        assert held.arrived.wait(PATIENCE_S)

        with pytest.raises(SubscriberBusyError):
            subscriber.drain()
        held.released.set()
        draining.join(PATIENCE_S)

        assert desk.proxy.most_at_once == 1

    def test_a_timeout(self, desk: Desk) -> None:
        """A drain gives up at its timeout, after the draft in flight."""
        desk.journal.create("Account", ACME, id="a1")

        report = desk.subscriber().drain(timeout_s=0)

        assert report[:4] == (0, 0, 1, 0)
        assert report.stopped_by == "timeout"

    @pytest.mark.parametrize("timeout_s", [float("nan"), -1.0])
    def test_a_timeout_that_is_none(self, desk: Desk, timeout_s: float) -> None:
        """What is no time is refused: it would be taken for no bound, or for none left."""
        with pytest.raises(InvalidValueError, match="is no time to wait"):
            desk.subscriber().drain(timeout_s)

    def test_a_timeout_while_it_waits(self, desk: Desk) -> None:
        """A drain gives up at its timeout, however often it may try."""
        desk.journal.create("Account", ACME, id="a1")
        desk.service.stop()

        report = desk.subscriber(attempts=10**6).drain(timeout_s=0.2)

        assert report.stopped_by == "timeout"
        assert report.duration_s < 2.0

    def test_nothing_to_do(self, desk: Desk) -> None:
        """A drain without drafts is done."""
        report = desk.drain()

        assert report == Report(0, 0, 0, 0, report.duration_s, None, "")
        assert desk.watch.said == []

    def test_a_closed_journal_ends_it(self, desk: Desk) -> None:
        """What ended it in the background is raised when it is stopped."""
        subscriber = desk.subscriber()
        subscriber.start()
        desk.journal.create("Account", ACME, id="a1")
        desk.watch.wait_for("acknowledged")

        desk.journal.close()

        with pytest.raises(LogClosedError) as ended:
            _stopped(subscriber)
        assert not subscriber.is_running
        said = f"the subscriber has ended: {ended.value.problem}"
        assert subscriber.status.last_error == said


def _stopped(subscriber: Driven) -> None:
    """Stop a subscriber, once it has seen for itself that the journal is closed."""
    pause = Event()
    while subscriber.is_running:
        pause.wait(0.002)
    subscriber.stop()


class TestTrouble:
    """When the log is in trouble."""

    @pytest.mark.parametrize("trouble", [LogBusyError, LogFullError])
    def test_it_goes_on_when_that_is_over(
        self, desk: Desk, trouble: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In the background, a log that is busy or full for now ends nothing (S5)."""
        append = desk.journal.log._recorder.append
        left = [trouble("for now")] * 3

        def failing(rows: Any, *fence: Any) -> Any:  # noqa: ANN401  of the recorder
            if left and rows[0].actor == "sync":
                raise left.pop()
            return append(rows, *fence)

        monkeypatch.setattr(desk.journal.log._recorder, "append", failing)
        desk.journal.create("Account", ACME, id="a1")
        desk.subscriber().start()

        desk.watch.wait_for("acknowledged")

        assert desk.effects == ["PUT /Account/a1"]

    def test_it_stops_while_that_lasts(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """In the background, a log in trouble is waited for, and stop does not wait for it."""
        tried = Event()

        def failing(*_: Any) -> Any:  # noqa: ANN401  of the recorder
            tried.set()
            raise LogFullError("no space")

        desk.journal.create("Account", ACME, id="a1")
        monkeypatch.setattr(desk.journal.log._recorder, "append", failing)
        subscriber = desk.subscriber(backoff=Backoff(60.0, 60.0, 60.0))
        subscriber.start()
        assert tried.wait(PATIENCE_S)

        subscriber.stop()

        assert not subscriber.is_running
        assert "sending goes on in 60.0 s: no space" in caplog.text

    @pytest.mark.parametrize("is_sent_before", [False, True])
    def test_a_draft_that_somebody_else_settles(
        self,
        desk: Desk,
        is_sent_before: bool,  # noqa: FBT001  a parameter of the test
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A draft that is settled just before it is sent is not sent, and nothing is waited for."""
        ref = desk.journal.create("Account", ACME, id="a1")
        if is_sent_before:
            desk.proxy.then(dropped_before)
            desk.drain(attempts=1)
        draft_id = desk.journal.log.read()[0].event_id
        discarded = DraftDiscarded(draft_id=draft_id)

        started = Ledger.started

        def settled(ledger: Ledger, draft: Draft) -> Push | None:
            desk.journal.note(ref, lambda _: (discarded,), Facts("ann", "van-7"))
            return started(ledger, draft)

        monkeypatch.setattr(Ledger, "started", settled)
        report = desk.drain(backoff=Backoff(60.0, 60.0, 60.0))

        assert report == Report(0, 0, 0, 0, report.duration_s, None, "")
        assert len(desk.proxy.seen) == is_sent_before

    def test_stop_from_within_the_callback(self, journal: Journal, service: RecordService) -> None:
        """A callback may stop the subscriber that calls it, which waits for nothing then."""
        journal.create("Account", ACME, id="a1")
        journal.create("Account", ACME, id="a2")
        watch = Watch()

        def stop(progress: Progress) -> None:
            watch(progress)
            if progress.step == "acknowledged":
                subscriber.stop()

        remote = HttpRemote(Profile.of({"url": service.url}))
        subscriber = Subscriber(journal, remote, progress=stop)
        with subscriber.start():
            watch.wait_for("acknowledged")

        assert not subscriber.is_running
        assert len(service.effects) in {1, 2}

    def test_an_acknowledgement_that_is_not_stored(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A draft whose acknowledgement could not be stored is resolved by a read."""
        append = desk.journal.log._recorder.append

        def failing(rows: Any, *fence: Any) -> Any:  # noqa: ANN401  of the recorder
            if rows[0].event_type == "DraftAcknowledged":
                raise LogFullError("no space")
            return append(rows, *fence)

        ref = desk.journal.create("Account", ACME, id="a1")
        with monkeypatch.context() as patch:
            patch.setattr(desk.journal.log._recorder, "append", failing)
            with pytest.raises(LogFullError):
                desk.drain()
        assert desk.journal.load(ref).changes != ()

        desk.drain()

        assert desk.effects == ["PUT /Account/a1"]
        assert desk.receipts[0].evidence == "read"

    def test_a_progress_callback_that_raises(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What the callback raises is logged, and stops nothing."""

        def fail(progress: Progress) -> None:
            raise ZeroDivisionError(progress.step)

        desk.journal.create("Account", ACME, id="a1")
        with caplog.at_level(logging.ERROR, "journal.sync"):
            report = desk.drain(progress=fail)

        assert report.pending == 0
        assert [record.getMessage() for record in caplog.records] == [
            "the progress callback failed at sending of Account:a1",
            "the progress callback failed at acknowledged of Account:a1",
        ]


class TestReport:
    """What is said of it."""

    def test_counts_are_of_one_drain(self, desk: Desk) -> None:
        """A report counts its own drain; what is held and pending is as it is now."""
        subscriber = desk.subscriber(attempts=3)
        desk.journal.create("Account", {"Size": -1}, id="bad")
        desk.journal.create("Account", ACME, id="a1")
        desk.proxy.then(passed, passed, passed, dropped_before)

        first = subscriber.drain()
        desk.journal.create("Account", ACME, id="a2")
        second = subscriber.drain()

        assert first[:4] == (1, 1, 1, 3)
        assert second[:4] == (1, 1, 1, 1)
        assert second.stopped_by == "held"

    def test_progress(self, desk: Desk) -> None:
        """Every step is told, with the draft and what is left."""
        desk.journal.create("Account", ACME, id="a1")
        desk.journal.create("Account", {"Size": -1}, id="bad")
        desk.proxy.then(dropped_after)

        desk.drain()

        said = [(p.step, p.draft.ref.id, p[2:5]) for p in desk.watch.said if p.draft is not None]
        assert said == [
            ("sending", "a1", (0, 0, 2)),
            ("waiting", "a1", (0, 0, 2)),
            ("sending", "a1", (0, 0, 2)),
            ("acknowledged", "a1", (1, 0, 1)),
            ("sending", "bad", (1, 0, 1)),
            ("held", "bad", (1, 1, 1)),
        ]


class TestCheckpoint:
    """Where it begins to read."""

    def positions_read(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Drain with a new subscriber; return the positions after which it read the log."""
        scan = desk.journal.log.scan
        after: list[int] = []

        def noting(start: int = 0, until: int | None = None, page: int = 100) -> Any:  # noqa: ANN401
            after.append(start)
            return scan(start, until, page)

        with monkeypatch.context() as patch:
            patch.setattr(desk.journal.log, "scan", noting)
            desk.drain()
        return after

    def test_a_restart_begins_at_the_low_water_mark(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is settled is not read again: the cost of a start does not grow with the log."""
        for number in range(5):
            desk.journal.create("Account", ACME, id=f"a{number}")
        desk.drain()
        head = desk.journal.log.head()

        assert self.positions_read(desk, monkeypatch)[0] == head

    def test_a_draft_that_is_held_keeps_the_mark_before_it(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The mark stays before the first draft that is not settled."""
        desk.journal.create("Account", ACME, id="a1")
        desk.drain()
        desk.journal.create("Account", {"Size": -1}, id="bad")
        desk.journal.create("Account", ACME, id="a2")
        desk.drain()

        assert self.positions_read(desk, monkeypatch)[0] == 3
        assert desk.drain().held == 1

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE sync_checkpoint SET hash = x'00'",
            "UPDATE sync_checkpoint SET position = position - 1",
            "UPDATE sync_checkpoint SET position = 10000",
            "DELETE FROM sync_checkpoint",
            "DROP TABLE sync_checkpoint",
        ],
    )
    def test_a_mark_of_another_log_is_not_used(
        self, desk: Desk, damage: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A mark that does not fit the log, or is gone, is made anew from the beginning."""
        desk.journal.create("Account", ACME, id="a1")
        desk.drain()
        with desk.journal.log.views.write() as cursor:
            cursor.execute(damage)

        assert self.positions_read(desk, monkeypatch)[0] == 0
        assert self.positions_read(desk, monkeypatch)[0] == desk.journal.log.head()
        assert desk.effects == ["PUT /Account/a1"]

    def test_a_mark_that_is_too_high_loses_nothing(self, desk: Desk) -> None:
        """A draft that was made after the mark is sent, whatever else came after it."""
        desk.journal.create("Account", ACME, id="a1")
        desk.drain()
        desk.journal.observe(Ref("Visit:v1"), {"x": 1})
        desk.drain()
        desk.journal.create("Account", ACME, id="a2")

        assert desk.drain().acknowledged == 1


class TestSecrets:
    """Where the token is not."""

    def test_it_is_nowhere(self, desk: Desk, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """No file, log line, text of an object or exception holds the token."""
        profile = Profile.of({"url": desk.proxy.url, "auth": {"bearer": "{env:TOKEN}"}})
        remote = HttpRemote(profile, environ={"TOKEN": CANARY})
        desk.proxy.then(
            dropped_before,
            status(404),
            status(422, f'{{"detail": "Bearer {CANARY}"}}'.encode()),
            status(404),
        )
        desk.journal.create("Account", ACME, id="a1")
        desk.journal.create("Account", ACME, id="a2")

        with caplog.at_level(logging.DEBUG):
            watch = Watch()
            subscriber = desk.flavour(
                desk.journal, remote, backoff=HASTE, progress=watch, limits=Limits(5.0, 10**6)
            )
            report = subscriber.drain()
            subscriber.start()
            with pytest.raises(SubscriberBusyError) as caught:
                subscriber.start()
            subscriber.stop()

        assert desk.proxy.seen[0].headers["authorization"] == f"Bearer {CANARY}"
        assert len(desk.holds) == 1
        files = b"".join(file.read_bytes() for file in path.parent.iterdir())
        texts = [
            repr((report, watch.said, subscriber, remote, profile, desk.journal)),
            caplog.text,
            "".join(traceback.format_exception(caught.value)),
            repr(desk.events),
        ]
        assert b"RecordCreated" in files
        assert CANARY.encode() not in files
        assert [CANARY in text for text in texts] == [False] * len(texts)


def test_the_log_is_intact_and_replays(desk: Desk) -> None:
    """After a day of everything, the log is intact and its events are those that were told."""
    ref = desk.journal.create("Account", ACME, id="a1")
    desk.journal.update(ref, {"Size": 2})
    desk.journal.create("Account", {"Size": -1}, id="bad")
    desk.proxy.then(dropped_after, passed, truncated)

    desk.drain()

    assert desk.journal.log.verify().is_intact
    assert [type(event) for event in desk.events] == [
        *[RecordCreated, RecordUpdated, RecordCreated],
        *[PushStarted, DraftAcknowledged] * 2,
        *[PushStarted, DraftHeld],
    ]
