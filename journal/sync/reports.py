"""What a subscriber says of what it does, and did; pure values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from journal.drafts import Draft

if TYPE_CHECKING:
    from journal.events import ConflictResolved, DraftAcknowledged, DraftDiscarded, DraftHeld
    from journal.outcomes import Outcome
    from journal.values import Ref

StoppedBy: TypeAlias = Literal[
    "held", "stopped", "timeout", "unreachable", "unauthorized", "another sender", "stop"
]
Step: TypeAlias = Literal["sending", "acknowledged", "resolved", "held", "waiting"]


class Progress(NamedTuple):
    """What a subscriber is doing."""

    step: Step
    draft: Draft | None
    acknowledged: int
    held: int
    pending: int
    problem: str = ""
    delay_s: float | None = None
    """How long until the next attempt, in seconds, while waiting."""


class Report(NamedTuple):
    """What came of a drain."""

    acknowledged: int
    """How many drafts were acknowledged."""
    held: int
    """How many drafts are held now."""
    pending: int
    """How many drafts are not acknowledged now, the held ones included."""
    attempts: int
    """How many times a draft was tried to be sent."""
    duration_s: float
    stopped_by: StoppedBy | None
    """Why drafts are still pending, or None where none is."""
    problem: str = ""
    """What the last attempt ran into, where drafts are still pending."""


PullStoppedBy: TypeAlias = Literal[
    "limit", "stop", "unsettled", "refused", "unreachable", "unauthorized"
]


class PullProgress(NamedTuple):
    """How far a pull is."""

    record_type: str
    pages: int
    observed: int
    unchanged: int
    deleted: int
    problem: str = ""
    """What the last attempt ran into, while waiting."""
    delay_s: float | None = None
    """How long until the next attempt, in seconds, while waiting."""


class LeftOut(NamedTuple):
    """A record of the remote's that cannot be kept here."""

    record_type: str
    name: str
    """Our key, or what the remote calls it."""
    problem: str


class PullReport(NamedTuple):
    """What came of a pull."""

    observed: int
    """How many records were stored as the remote has them now."""
    unchanged: int
    """How many it showed that were known so already."""
    deleted: int
    """How many it no longer has."""
    pages: int
    """How many pages were stored."""
    conflicting: tuple[Ref, ...]
    """The records whose pending drafts were made on another state than the remote has now."""
    left_out: tuple[LeftOut, ...]
    """What could not be kept: a name, or a value, that no record here can have."""
    stopped_by: PullStoppedBy | None
    """Why there may be more, or None where everything is stored."""
    problem: str
    """What was in the way, where anything was."""
    duration_s: float


class DescribeReport(NamedTuple):
    """What came of asking a remote for its record types."""

    described: tuple[str, ...]
    """The types of which it is known now what they are."""
    refused: Mapping[str, str]
    """The types that the remote did not describe, and why not."""
    stopped_by: PullStoppedBy | None
    """Why there may be more, or None where all were asked for."""
    problem: str
    """What was in the way, where anything was."""
    duration_s: float


class SyncStatus(NamedTuple):
    """How a subscriber is doing."""

    is_running: bool = False
    """Whether it sends in the background, or drains."""
    is_leader: bool = False
    """Whether it has the lease: whoever has it is the only one to send."""
    leader: str = ""
    """Who else has the lease, and since when, where it stands by for another sender."""
    online: bool | None = None
    """Whether the remote answered the last request; None before the first."""
    sending: Draft | None = None
    """The draft whose request is under way."""
    pending: int = 0
    """How many drafts are not acknowledged, the held ones included; as it last looked."""
    held: int = 0
    stopped: str = ""
    """Why the queue is stopped, where it is."""
    next_attempt_s: float | None = None
    """How long until the next attempt, in seconds, while it waits for one."""
    next_attempt_at: int | None = None
    """The same as a time: microseconds since 1970 in UTC."""
    last_error: str = ""
    """What the last attempt ran into; empty after one that was successful."""
    since: int = 0
    """When it came to be so: microseconds since 1970 in UTC."""


class PushSpan(Protocol):
    """The trace of one push."""

    def end(self, outcome: Outcome | None) -> None:
        """End it with the outcome; None where there is none: it was cut off, or settled before."""
        ...


Spans: TypeAlias = Callable[[Draft, str | None], PushSpan]
"""Begins to trace the push of a draft, in the trace in which the change was made, if in any."""


class Settlement(NamedTuple):
    """What became of a draft."""

    draft_id: str
    ref: Ref
    state: Literal["acknowledged", "held", "discarded", "resolved"]
    """``resolved`` where a conflict was decided so that nothing was left to send."""
    event: DraftAcknowledged | DraftHeld | DraftDiscarded | ConflictResolved
    """The event that says so."""
