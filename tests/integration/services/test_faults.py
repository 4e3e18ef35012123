"""Real services behind a bad network, by a profile file only: each draft once, in order.

What is compared is the service's own word: Kinto's history, and what Datasette's triggers note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import pytest

from journal import Ref
from journal.events import DraftAcknowledged, RecordCreated, RecordDeleted, RecordUpdated
from tests.integration.faults import Proxy, dropped_after, dropped_before, passed, status
from tests.integration.lossy import failed_after
from tests.integration.matrix import hit
from tests.integration.services.desk import Desk
from tests.integration.workload import HASTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import Evidence
    from journal.sync import Report
    from tests.integration.faults import Exchange, Fault

KINDS: Final[dict[type, str]] = {
    RecordCreated: "create",
    RecordUpdated: "update",
    RecordDeleted: "delete",
}
SERVICES: Final = {
    "kinto": ("kinto_service", "kinto.toml", "Note", None),
    "datasette, our ids": ("datasette_service", "datasette.toml", "Note", "notes"),
    "datasette, its ids": ("datasette_service", "datasette-tasks.toml", "Task", "tasks"),
    "scim": ("scim_service", "scim.toml", "User", None),
}
FAULTS: Final[dict[str, tuple[int, Fault, bool]]] = {
    "the answer is lost": (18, dropped_after, True),
    "the request is lost": (18, dropped_before, False),
    "503": (30, status(503, b"", Retry_After="0"), False),
    "500 though applied": (31, failed_after, True),
    "500": (31, status(500, b"<h1>Internal Server Error</h1>"), False),
}
"""Each with its row of the matrix, and whether the service does what it is asked to."""


class Step(NamedTuple):
    """A draft in the life of a record, and what the service has after it."""

    kind: str
    fields: dict[str, Any]
    record: dict[str, Any] | None


FIELDS: Final = {"title": "a", "n": 1, "body": "text"}
LIFE: Final = (
    Step("create", FIELDS, FIELDS),
    Step("update", {"n": 2}, {**FIELDS, "n": 2}),
    Step("update", {"body": None}, {"title": "a", "n": 2}),
    Step("delete", {}, None),
)
NAMES: Final = ["create", "update", "unset", "delete"]


class Behind(Desk):
    """A desk whose service stands behind a proxy, and the life of one record."""

    def __init__(
        self,
        proxy: Proxy,
        service: Any,  # noqa: ANN401  one of the services
        profile: str,
        record_type: str,
        table: str | None,
    ) -> None:
        path = urlsplit(service.url).path
        super().__init__(service, profile, record_type, table, f"{proxy.url}{path}")
        self.proxy = proxy
        self._writes = 0

    def live(self, first: int, last: int) -> None:
        """Make the drafts of a life, offline, from the one with that number to that one."""
        for step in LIFE[first : last + 1]:
            note = Ref.of(self.type, self.key)
            if step.kind == "create":
                self.create(step.fields)
            elif step.kind == "update":
                self.journal.update(note, step.fields)
            else:
                self.journal.delete(note)

    def meet(self, fault: Fault, row: int, number: int, times: int = 1) -> None:
        """Let the writes from that number on meet a fault, as often as that."""
        self._writes = 0

        def chosen(exchange: Exchange) -> None:
            if exchange.seen.method == "GET":
                passed(exchange)
                return
            self._writes += 1
            if number < self._writes <= number + times:
                hit(row)
                fault(exchange)
            else:
                passed(exchange)

        self.proxy.otherwise = chosen

    def drain(self) -> Report:
        """Send what is pending, in haste."""
        return self.push(backoff=HASTE, attempts=20)

    @property
    def evidence(self) -> list[Evidence]:
        """How each draft is known to be applied, in the order in which they were."""
        events = [entry.event for entry in self.journal.log.read()]
        return [event.evidence for event in events if isinstance(event, DraftAcknowledged)]

    def check(self, report: Report, record: dict[str, Any] | None) -> None:
        """Check that the journal and the service agree: each draft once, in order."""
        assert (report.pending, report.stopped_by) == (0, None), report
        entries = list(self.journal.log.read())
        drafted = [entry for entry in entries if type(entry.event) in KINDS]
        events = [entry.event for entry in entries]
        done = [event.draft_id for event in events if isinstance(event, DraftAcknowledged)]
        assert done == [entry.event_id for entry in drafted]
        assert self.history == [KINDS[type(entry.event)] for entry in drafted]
        assert self.record == record


@pytest.fixture(params=list(SERVICES.values()), ids=list(SERVICES))
def desk(request: pytest.FixtureRequest) -> Iterator[Behind]:
    """A desk in front of each service, and a proxy between them."""
    name, *rest = request.param
    service = request.getfixturevalue(name)
    with Proxy(f"http://{urlsplit(service.url).netloc}") as proxy:
        desk = Behind(proxy, service, *rest)
        yield desk
        desk.close()


@pytest.mark.parametrize("times", [1, 3], ids=["once", "three times"])
@pytest.mark.parametrize("number", range(len(LIFE)), ids=NAMES)
@pytest.mark.parametrize("fault", list(FAULTS))
def test_fault(desk: Behind, fault: str, number: int, times: int) -> None:
    """After a fault, once or in a row, the draft and the one behind it are done: once, in order."""
    row, inject, is_applied = FAULTS[fault]
    last = min(number + 1, len(LIFE) - 1)
    desk.live(0, last)
    desk.meet(inject, row, number, times)

    report = desk.drain()

    desk.check(report, LIFE[last].record)
    assert desk.evidence[:number] == ["answer"] * number
    if times == 1:
        assert desk.evidence[number] == ("read" if is_applied else "answer")


@pytest.mark.parametrize("number", range(len(LIFE)), ids=NAMES)
def test_refused_connection(desk: Behind, number: int) -> None:
    """16: what meets a refused connection has not left, and is sent when the service is there."""
    url = desk.profile.url
    desk.live(0, number - 1)
    desk.check(desk.drain(), LIFE[number - 1].record if number else None)
    desk.live(number, number)
    seen = len(desk.proxy.seen)
    hit(16)
    desk.reach_by("http://127.0.0.1:1")
    assert desk.push(backoff=HASTE, attempts=2).stopped_by == "unreachable"
    assert len(desk.proxy.seen) == seen

    desk.reach_by(url)

    desk.check(desk.drain(), LIFE[number].record)
