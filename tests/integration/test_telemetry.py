"""Traces: the push of a change belongs to the trace in which it was made."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.sources import Sources
from journal.sync import Subscriber
from journal.sync.backoff import Backoff
from journal.sync.telemetry import current_trace, push_spans
from journal.testing.service import RecordService
from tests.integration.faults import Proxy, dropped_before
from tests.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

HASTE = Backoff(first_s=0.002, most_s=0.005, least_s=0.001)


class Bench:
    """A journal that keeps traces, a service behind a proxy, and the spans that were made."""

    def __init__(self, journal: Journal, proxy: Proxy) -> None:
        """Begin with no spans."""
        self.journal = journal
        self.proxy = proxy
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("host")

    def drain(self, spans: Any = None) -> Any:  # noqa: ANN401  a report
        """Send everything."""
        remote = HttpRemote(Profile.of({"url": self.proxy.url}))
        given = spans or push_spans(self.provider)
        with Subscriber(self.journal, remote, backoff=HASTE, spans=given) as subscriber:
            return subscriber.drain()

    @property
    def pushes(self) -> list[ReadableSpan]:
        """The spans of pushes, in order."""
        return [span for span in self.exporter.get_finished_spans() if span.name[:5] == "push "]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Return all of it."""

    def refuse(_: str, fields: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
        if fields.get("Size", 0) < 0:
            yield "Size", "is negative"

    with (
        RecordService(validate=refuse) as service,
        Proxy(service.url) as proxy,
        Journal(actor="ann", origin="here", sources=Sources(trace=current_trace)) as journal,
    ):
        made = Bench(journal, proxy)
        yield made
        made.provider.shutdown()


def test_a_push_belongs_to_the_trace_of_its_change(bench: Bench) -> None:
    """The span of a push is a child of that in which the change was made, and says what came."""
    with bench.tracer.start_as_current_span("visit") as visit:
        ref = bench.journal.create("Account", {"Name": "secret name"}, id="a1")
    entry = bench.journal.log.read()[0]

    bench.drain()

    (push,) = bench.pushes
    assert push.context is not None
    assert entry.trace is not None
    assert f"{visit.get_span_context().trace_id:032x}" in entry.trace
    assert push.context.trace_id == visit.get_span_context().trace_id
    assert push.parent is not None
    assert push.parent.span_id == visit.get_span_context().span_id
    assert push.name == "push create Account"
    assert dict(push.attributes or {}) == {
        "journal.draft.id": entry.event_id,
        "journal.draft.kind": "create",
        "journal.draft.position": 1,
        "journal.draft.revision": 0,
        "journal.record": ref,
        "journal.outcome": "acknowledged",
        "journal.evidence": "answer",
    }
    assert "secret name" not in push.to_json()


def test_every_attempt_has_a_span(bench: Bench) -> None:
    """An attempt that failed, and one that was refused, say so."""
    bench.proxy.then(dropped_before)
    bench.journal.create("Account", {"Name": "Acme"}, id="a1")
    bench.journal.create("Account", {"Size": -1}, id="bad")

    bench.drain()

    said = [
        (span.status.status_code.name, (span.attributes or {})["journal.outcome"])
        for span in bench.pushes
    ]
    assert said == [("ERROR", "unknown"), ("OK", "acknowledged"), ("ERROR", "refused")]
    assert (bench.pushes[2].attributes or {})["journal.held_as"] == "rejected"
    assert all(span.parent is None for span in bench.pushes)


def test_no_trace(bench: Bench) -> None:
    """A change that is made in no trace keeps none."""
    bench.journal.create("Account", {"Name": "Acme"}, id="a1")

    assert bench.journal.log.read()[0].trace is None


def test_tracing_that_fails_ends_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Where spans cannot be made, drafts are sent all the same."""

    def broken(*_: object) -> Any:  # noqa: ANN401  a span that is none
        raise ZeroDivisionError

    bench.journal.create("Account", {"Name": "Acme"}, id="a1")

    assert bench.drain(broken).acknowledged == 1

    assert "a push could not be traced" in caplog.text


def test_it_is_not_imported_before_it_is_used() -> None:
    """Who does not trace does not load OpenTelemetry."""
    script = "import journal.sync, journal.sync.telemetry, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert not [name for name in done.stdout.split() if name.startswith("opentelemetry")]
