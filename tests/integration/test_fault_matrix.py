"""Each fault of the matrix, at each kind of draft: one effect, in order, and nothing stuck.

Every story is the same: a draft before, the draft that meets the fault, a later draft of its
record, and one of another lane. Whatever happens to the one, the service does each of them once
and in order, and nothing that it did not do is acknowledged (I12 to I14, I26).
"""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from journal import Journal, Ref
from journal.events import DraftAcknowledged, DraftHeld
from journal.remotes import HttpRemote, Profile
from journal.sync.doubts import AGREEING
from journal.testing.service import RecordService
from tests.integration.crashing import child, working
from tests.integration.faults import (
    Proxy,
    answered,
    dropped_after,
    dropped_before,
    duplicated,
    duplicated_late,
    message,
    passed,
    status,
    truncated,
)
from tests.integration.lossy import cut_within_headers, failed_after
from tests.integration.matrix import hit
from tests.integration.oracle import (
    acknowledged_in,
    check_log,
    drain,
    pushes_of,
    records_of,
    valued,
)
from tests.integration.workload import HASTE, pushing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journal.sync import Report
    from tests.integration.crashing import Child
    from tests.integration.driving import Flavour
    from tests.integration.faults import Exchange, Fault

VERBS: Final = {"create": "PUT", "update": "PATCH", "delete": "DELETE"}
TARGET: Final = Ref("Account:target")
ELSEWHERE: Final = Ref("Visit:elsewhere")
OLD: Final = Ref("Account:old")


class Row(NamedTuple):
    """A fault, and the row of the matrix that it belongs to."""

    number: int
    name: str
    fault: Fault

    def inject(self, exchange: Exchange) -> None:
        """Inject the fault, and count it."""
        hit(self.number)
        self.fault(exchange)


def applied_then(raw: bytes, *, close: bool = True) -> Fault:
    """Return the fault that does what was asked, and answers these bytes."""

    def fault(exchange: Exchange) -> None:
        exchange.forward()
        exchange.reply(raw)
        if close:
            exchange.close()

    return fault


def with_body(body: bytes, *headers: str) -> bytes:
    """Return an answer that claims success, with this body."""
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


JSON: Final = "Content-Type: application/json"
HTML: Final = b"<!doctype html><html><body>Welcome to the hotel</body></html>"
CHUNKED: Final = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"Na'
CLOSED: Final = b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"Name": "target", "Gra'
BOMB: Final = gzip.compress(b" " * 40_000_000)

TRANSIENT: Final = (
    Row(18, "answer lost", dropped_after),
    Row(18, "request lost", dropped_before),
    Row(19, "delivered twice", duplicated),
    Row(19, "delivered twice, second answer", duplicated_late),
    Row(20, "empty record", applied_then(with_body(b"{}", JSON))),
    Row(20, "other record", applied_then(with_body(b'{"Name": "another", "Grade": 9}', JSON))),
    Row(20, "other record, not applied", answered(with_body(b'{"Name": "another"}', JSON))),
    Row(21, "200 with a page", answered(with_body(HTML, "Content-Type: text/html"))),
    Row(21, "200 with a page, called JSON", answered(with_body(HTML, JSON))),
    Row(21, "511", status(511, HTML)),
    Row(21, "407", status(407)),
    Row(22, "no JSON", applied_then(with_body(b'{"Name": ', JSON))),
    Row(22, "NaN", applied_then(with_body(b'{"Name": NaN}', JSON))),
    Row(22, "Latin-1", applied_then(with_body(b'{"Name": "\xe4"}', JSON))),
    Row(22, "byte order mark", applied_then(with_body(b'\xef\xbb\xbf{"Name": 1}', JSON))),
    Row(22, "duplicate keys", applied_then(with_body(b'{"Name": 1, "Name": 2}', JSON))),
    Row(22, "depth bomb", applied_then(with_body(b"[" * 100_000, JSON))),
    Row(22, "a list", applied_then(with_body(b"[1, 2]", JSON))),
    Row(22, "no HTTP", applied_then(b"SSH-2.0-OpenSSH_9.2\r\n")),
    Row(23, "cut by length", truncated),
    Row(23, "cut within its headers", cut_within_headers),
    Row(23, "cut within a chunk", applied_then(CHUNKED)),
    Row(23, "cut by closing", applied_then(CLOSED)),
    Row(25, "gzip bomb", applied_then(with_body(BOMB, JSON, "Content-Encoding: gzip"))),
    Row(25, "header bomb", applied_then(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000)),
    *(
        Row(26, f"{code}", status(code, b"", Location="http://127.0.0.1:9/elsewhere"))
        for code in (301, 302, 303, 307, 308)
    ),
    Row(30, "408", status(408)),
    Row(30, "425", status(425)),
    Row(30, "429", status(429, b"", Retry_After="0")),
    Row(30, "503, in the past", status(503, b"", Retry_After="Sun, 06 Nov 1994 08:49:37 GMT")),
    Row(30, "503, no sense", status(503, b"", Retry_After="soon")),
    Row(31, "500", status(500, HTML)),
    Row(31, "500 though applied", failed_after),
    Row(31, "502", status(502, HTML)),
    Row(31, "504 though applied", applied_then(message(504))),
    Row(48, "none", passed),
)
"""Faults that are over with the next request: the draft is sent, once."""

REFUSALS: Final = (400, 403, 410, 413, 414, 415, 422)


class Story:
    """The drafts of a story, and the service that they are to reach over a bad network."""

    def __init__(
        self, journal: Journal, kind: str, service: RecordService, flavour: Flavour, proxy: Proxy
    ) -> None:
        """Make the drafts, offline."""
        self.journal, self.service, self.proxy = journal, service, proxy
        self._flavour = flavour
        self.is_blocking = flavour.is_blocking
        self.line = f"{VERBS[kind]} /Account/target"
        journal.create(OLD.type, {"Name": "old"}, id=OLD.id)
        if kind == "create":
            journal.create(TARGET.type, {"Name": "target", "Grade": 1}, id=TARGET.id)
            journal.update(TARGET, {"Grade": 2})
        else:
            journal.create(TARGET.type, {"Name": "before", "Grade": 1}, id=TARGET.id)
            assert self.drained().stopped_by is None
            journal.update(OLD, {"Name": "older"})
        if kind == "update":
            journal.update(TARGET, {"Name": "target"})
            journal.update(TARGET, {"Grade": 2})
        elif kind == "delete":
            journal.delete(TARGET)
        journal.create(ELSEWHERE.type, {"Name": "elsewhere", "Of": OLD}, id=ELSEWHERE.id)

    def drained(self, **settings: Any) -> Report:  # noqa: ANN401  any setting
        """Push all there is, in haste."""
        remote = HttpRemote(Profile.of({"url": self.proxy.url, "timeout_s": 5.0}))
        given = {"backoff": HASTE, "attempts": 20, **settings}
        return self._flavour(self.journal, remote, **given).drain()

    def meet(self, fault: Fault, times: int = 1) -> None:
        """Let the first requests that write the target meet a fault, and all others none."""
        left = [times]

        def chosen(exchange: Exchange) -> None:
            if exchange.seen.line == self.line and left[0]:
                left[0] -= 1
                fault(exchange)
            else:
                passed(exchange)

        self.proxy.otherwise = chosen

    def check_drained(self, report: Report) -> None:
        """Check that everything was done, once and in order, and is acknowledged."""
        assert (report.pending, report.stopped_by) == (0, None), report
        entries = check_log(self.journal)
        done = [(effect.method, effect.path, effect.body) for effect in self.service.effects]
        assert done == pushes_of(entries)
        assert len(acknowledged_in(entries)) == len(done)
        local = {
            (ref.type, ref.id): valued(_sent(record.fields))
            for ref, record in records_of(entries).items()
            if record.fields is not None
        }
        assert self.service.records == local

    @property
    def holds(self) -> list[DraftHeld]:
        """What is held."""
        entries = self.journal.log.read()
        return [entry.event for entry in entries if isinstance(entry.event, DraftHeld)]


def _sent(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: v.id if isinstance(v, Ref) else v for name, v in fields.items()}


@pytest.fixture(params=list(VERBS))
def story(request: pytest.FixtureRequest, tmp_path: Path, flavour: Flavour) -> Iterator[Story]:
    """Return a story whose target is of each kind."""
    with (
        RecordService() as service,
        Proxy(service.url) as proxy,
        Journal(tmp_path / "field.db", actor="ann", origin="van-7") as journal,
    ):
        yield Story(journal, request.param, service, flavour, proxy)


@pytest.mark.parametrize("row", TRANSIENT, ids=lambda row: f"{row.number}-{row.name}")
def test_fault_that_is_over(story: Story, row: Row) -> None:
    """After a fault, once or three times in a row, everything arrives, once and in order."""
    story.meet(row.inject, times=1 if story.is_blocking else 3)

    report = story.drained()

    story.check_drained(report)
    assert story.holds == []


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("applied", [False, True], ids=["refused", "applied though refused"])
def test_refusal(story: Story, code: int, applied: bool) -> None:  # noqa: FBT001  a parameter
    """28: a refusal holds its lane only, never silently; one that was applied is acknowledged."""
    raw = message(code, b'{"detail": "no such thing"}')
    times = 1 if applied else AGREEING  # 410 of what reads go on to show is not believed at once
    story.meet(Row(28, "refused", applied_then(raw) if applied else answered(raw)).inject, times)

    report = story.drained()

    if applied:
        story.check_drained(report)
        return
    assert (report.stopped_by, len(story.holds)) == ("held", 1)
    (hold,) = story.holds
    assert hold.messages[0].message == "no such thing"
    assert hold.status == code
    assert ("Visit", "elsewhere") in story.service.records


@pytest.mark.parametrize("code", [409, 412])
def test_conflict_that_is_none(story: Story, code: int) -> None:
    """29: a conflict that is our own write of before is an acknowledgement, not a conflict."""
    story.meet(Row(29, "ours", applied_then(message(code))).inject)

    story.check_drained(story.drained())


def test_unauthorized(story: Story) -> None:
    """27: who is not accepted stops everything, holds nothing, and goes on when he is."""
    story.meet(Row(27, "401", status(401)).inject)

    assert story.drained().stopped_by == "unauthorized"
    assert story.holds == []
    story.check_drained(story.drained())


def test_dead_connection(story: Story) -> None:
    """34: a connection that the service closed after an answer is made anew."""

    def closing(exchange: Exchange) -> None:
        hit(34)
        exchange.reply(exchange.forward())
        exchange.close()

    story.proxy.otherwise = closing

    story.check_drained(story.drained())


def test_flapping_network(story: Story) -> None:
    """33: a network that loses two of three requests lets everything through in the end."""
    dice = random.Random(3)  # noqa: S311  a test's

    def flapping(exchange: Exchange) -> None:
        fault = dice.choice((passed, dropped_before, dropped_after))
        if fault is not passed:
            hit(33)
        fault(exchange)

    story.proxy.otherwise = flapping

    story.check_drained(story.drained(attempts=50))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://nowhere.invalid"])
def test_never_sent(story: Story, url: str) -> None:
    """16: what never left is not maybe applied: it is sent, unread, when the service is there."""
    hit(16)
    real, story.proxy.url = story.proxy.url, url
    assert story.drained(attempts=2).stopped_by == "unreachable"
    story.proxy.url = real

    story.check_drained(story.drained())


def test_process_dies_before_the_acknowledgement(tmp_path: Path) -> None:
    """14: who dies between the answer and the acknowledgement has it acknowledged by the next."""
    path = tmp_path / "field.db"
    with Journal(path, actor="ann", origin="van-7") as journal:
        journal.create(TARGET.type, {"Name": "target"}, id=TARGET.id)
        journal.update(TARGET, {"Name": "again"})
        journal.delete(TARGET)
    with RecordService() as service, Proxy(service.url) as proxy:
        for done in (1, 2, 3):
            with child(working, pushing, (str(path), proxy.url)) as process:

                def killed(exchange: Exchange, process: Child = process) -> None:
                    if exchange.seen.method == "GET":
                        passed(exchange)
                        return
                    hit(14)
                    exchange.forward()
                    process.strike()
                    exchange.close()

                proxy.otherwise = killed
                assert list(process.words()) == []
            assert len(service.effects) == done
        proxy.otherwise = passed
        with Journal(path, actor="heir", origin="van-7") as journal:
            drain(journal, service)
            receipts = [
                entry.event
                for entry in journal.log.read()
                if isinstance(entry.event, DraftAcknowledged)
            ]
        assert [receipt.evidence for receipt in receipts] == ["read", "read", "read"]
