"""Traces of changes and of their pushes, for OpenTelemetry: the extra ``otel``.

It is the only place that imports ``opentelemetry``, and does so when it is used. A change keeps
the trace in which it was made, with `current_trace` as the source; the span of its push, however
much later, in whichever process, belongs to that trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.outcomes import Acknowledged, Refused

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from journal.drafts import Draft
    from journal.outcomes import Outcome
    from journal.sync.reports import Spans

TRACER: Final = "journal.sync"
"""The name of the tracer."""
_TRACEPARENT: Final = "traceparent"


def current_trace() -> str | None:
    """Return the trace that is current, as a W3C ``traceparent``: for `Sources.trace`.

    Returns:
        None where there is none, or where none is recorded.
    """
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415  when it is used

    carrier: dict[str, str] = {}
    tracecontext.TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_TRACEPARENT)


def push_spans(provider: TracerProvider | None = None) -> Spans:
    """Return what makes a span of every attempt to send a draft: for a subscriber's `spans`.

    The span is a child of the one in which the change was made, where that is known. It says
    what was sent and what came of it, and no values of fields.

    Args:
        provider: where the spans go; the global one otherwise.
    """
    from opentelemetry import trace  # noqa: PLC0415  when it is used
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415

    tracer = trace.get_tracer(TRACER, tracer_provider=provider)
    propagator = tracecontext.TraceContextTextMapPropagator()

    def begun(draft: Draft, traceparent: str | None) -> _Span:
        carrier = {} if traceparent is None else {_TRACEPARENT: traceparent}
        attributes: dict[str, str | int] = {
            "journal.draft.id": draft.draft_id,
            "journal.draft.kind": draft.kind,
            "journal.draft.position": draft.position,
            "journal.draft.revision": draft.revision,
            "journal.record": str(draft.ref),
        }
        return _Span(
            tracer.start_span(
                f"push {draft.kind} {draft.ref.type}",
                context=propagator.extract(carrier),
                kind=trace.SpanKind.CLIENT,
                attributes=attributes,
            )
        )

    return begun


class _Span:
    """The span of one push."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, outcome: Outcome | None) -> None:
        """End it with the outcome."""
        from opentelemetry.trace import StatusCode  # noqa: PLC0415  it was imported before

        name = "none" if outcome is None else type(outcome).__name__.lower()
        self._span.set_attribute("journal.outcome", name)
        match outcome:
            case Acknowledged(evidence=evidence):
                self._span.set_attribute("journal.evidence", evidence)
                self._span.set_status(StatusCode.OK)
            case Refused(classification=classification):
                self._span.set_attribute("journal.held_as", classification)
                self._span.set_status(StatusCode.ERROR, classification)
            case None:
                pass
            case _:
                self._span.set_status(StatusCode.ERROR, outcome.problem)
        self._span.end()
