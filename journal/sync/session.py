"""The core of the subscriber, shared by the blocking and the async one; it does no waiting.

A session is a generator of effects: what is to be done that takes time. Who drives it carries
out each effect, blocking or awaiting, and sends the result back in, or throws in what it raised.

- S1. One draft is in flight at a time, the first that nothing holds back (Q2, Q3).
- S2. `PushStarted` is durable before the first request of a draft leaves.
- S3. A draft is acknowledged only by the event that says how that is known, and that event is
  appended before the next draft is looked at.
- S4. What is not the draft's fault leaves no event, and is tried again later.
- S5. In the background, time alone sends what can be sent: no failure ends that for good but a
  log that cannot be trusted, or is closed.
- S6. So many rejections in a row stop the queue, durably: who configured it wrongly must not
  burn through it.

```
e1  e2'  e3'          e2 in flight:  PushStarted(e2)   durable, then the request leaves
e1  e2   e3'          answered:      DraftAcknowledged(e2), then e3
```
"""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, assert_never

from journal.conflicts import Policies, Resolved
from journal.decisions import settled
from journal.drafts import Draft, Queue, hold_text, name_of, stop_text
from journal.errors import LogBusyError, LogFullError, ProfileError, RefusedError, RemoteError
from journal.events import ConflictResolved, DraftHeld, FieldMessage, PushStarted, QueueStopped
from journal.outcomes import (
    Acknowledged,
    NotSent,
    Refused,
    Settled,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.record import base_version
from journal.remotes.remote import Push, Request
from journal.staging import Facts
from journal.sync.backoff import Backoff
from journal.values import freeze, references

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from journal.checkpoint import Checkpoint
    from journal.drafts import OnHeld
    from journal.events import Event
    from journal.journal import Journal
    from journal.outcomes import Outcome
    from journal.record import Change, Record
    from journal.remotes.remote import Remote
    from journal.values import Ref

ACTOR: Final = "sync"
"""Who acknowledges and holds, in the envelope of what a subscriber appends."""
ENTRIES_AT_ONCE: Final = 1000
MAX_PROBLEM: Final = 1000
"""How many characters say why the queue was stopped."""
SETTLED_PAUSE_S: Final = 0.01
"""How long to wait where somebody else has settled a draft, in seconds."""

StoppedBy: TypeAlias = Literal["held", "stopped", "timeout", "unreachable", "unauthorized", "stop"]
Step: TypeAlias = Literal["sending", "acknowledged", "resolved", "held", "waiting"]

_WHY: Final = {
    "conflict": "the remote has another state of the record than the draft was made on",
    "gone": "the remote no longer has the record",
}
"""The reason, in the envelope, of what became of a draft that stood in a conflict."""
_log = getLogger("journal.sync")


class Call(NamedTuple):
    """Effect: call a function that reads or writes the log, and return its result."""

    function: Callable[[], Any]


class Pause(NamedTuple):
    """Effect: wait, unless told to stop; return whether to stop."""

    seconds: float


class Listen(NamedTuple):
    """Effect: wait for an entry after a position, unless told to stop; return whether to stop."""

    after: int


Effect: TypeAlias = Request | Call | Pause | Listen


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


class Settings(NamedTuple):
    """How a subscriber behaves."""

    on_held: OnHeld = "lane"
    backoff: Backoff = Backoff()
    attempts: int = 5
    """How often in a row a drain tries before it gives up for now."""
    conflicts: Policies = Policies()
    """What decides a conflict."""
    rejections: int | None = 5
    """How many rejections in a row stop the queue; None where they never do."""


class Session:
    """Sends pending drafts, one after another."""

    def __init__(
        self,
        journal: Journal,
        remote: Remote,
        settings: Settings,
        checkpoint: Checkpoint,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        """Begin where the checkpoint says that everything before is settled."""
        self._journal = journal
        self._remote = remote
        self._settings = settings
        self._checkpoint = checkpoint
        self._progress = progress
        self._queue = Queue(position=checkpoint.load())
        self._acknowledged = 0
        self._attempts = 0
        self._failures = 0
        self._problem = ""
        self._unsent: str | None = None

    # --- the effects ---------------------------------------------------------------------

    def drain(
        self, deadline_s: float | None, should_stop: Callable[[], bool]
    ) -> Generator[Effect, Any, Report]:
        """Send until nothing is left, or nothing more can be done for now.

        Args:
            deadline_s: when to give up, on the monotonic clock; None for never.
            should_stop: asked between drafts.
        """
        clock = self._journal.sources.clock
        started_s = clock.monotonic_s()
        before = self._acknowledged, self._attempts
        stopped_by = yield from self._sent_all(deadline_s, should_stop, self._settings.attempts)
        return Report(
            self._acknowledged - before[0],
            self._queue.held,
            len(self._queue),
            self._attempts - before[1],
            clock.monotonic_s() - started_s,
            stopped_by,
            self._problem if stopped_by else "",
        )

    def run(self, should_stop: Callable[[], bool]) -> Generator[Effect, Any, None]:
        """Send for ever: all there is, then the next change, until told to stop (S5)."""
        failures = 0
        while not should_stop():
            try:
                yield from self._sent_all(None, should_stop, None)
                if should_stop() or (yield Listen(self._queue.position)):
                    return
                failures = 0
            except (LogBusyError, LogFullError) as error:
                failures += 1
                delay_s = self._delay_s(failures, None)
                _log.warning("sending goes on in %.1f s: %s", delay_s, error)
                if (yield Pause(delay_s)):
                    return

    def _sent_all(
        self, deadline_s: float | None, should_stop: Callable[[], bool], attempts: int | None
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Send draft after draft; return why some are left, or None where none is."""
        self._failures = 0
        self._problem = ""
        stopped_by: StoppedBy | None = None
        while stopped_by is None:
            draft = yield Call(self._next)
            if draft is None:
                stopped_by = self._stopped_by()
                break
            if should_stop():
                stopped_by = "stop"
            elif deadline_s is not None and self._now_s() >= deadline_s:
                stopped_by = "timeout"
            else:
                outcome = yield from self._sent(draft)
                stopped_by = yield from self._after(draft, outcome, deadline_s, attempts)
        yield Call(self._save)
        return stopped_by

    def _sent(self, draft: Draft) -> Generator[Effect, Any, Outcome | Resolved | None]:
        """Send one draft and append what became of it (S1, S2, S3).

        Returns:
            The outcome, or how a conflict was resolved; None where somebody else has settled
            the draft.
        """
        self._say("sending", draft)
        push = yield Call(lambda: self._started(draft))
        if push is None:
            return None
        self._attempts += 1
        self._unsent = None
        outcome = yield from self._pushed(push)
        if isinstance(outcome, NotSent) and not push.is_maybe_applied:
            self._unsent = draft.draft_id
        if isinstance(outcome, Settled):
            became: Outcome | Resolved | None
            became = yield Call(lambda: self._settled(draft, outcome))
            return became
        return outcome

    def _pushed(self, push: Push) -> Generator[Effect, Any, Outcome]:
        """Let the remote send the draft; return the outcome.

        A remote that breaks, a host's own among them, does not end the subscriber: what came of
        the draft is unknown then, and it is tried again.
        """
        try:
            return (yield from self._remote.push(push))
        except RemoteError as error:
            return Refused("rejected", (FieldMessage(message=str(error)),))
        except ProfileError as error:
            return Unauthorized(str(error))
        except Exception as error:  # noqa: BLE001  it is logged, and the draft tried again
            _log.exception("the remote failed at %s of %s", push.kind, push.ref)
            return Unknown(f"the remote failed: {type(error).__name__}")

    def _after(
        self,
        draft: Draft,
        outcome: Outcome | Resolved | None,
        deadline_s: float | None,
        attempts: int | None,
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Count what became of a draft, and wait where waiting is due (S4)."""
        match outcome:
            case None:  # the next look at the log will say who settled it; no reason to hurry
                should_stop = yield Pause(SETTLED_PAUSE_S)
                return "stop" if should_stop else None
            case Acknowledged():
                self._failures = 0
                self._acknowledged += 1
                self._say("acknowledged", draft)
                return None
            case Resolved(reason=reason):
                self._failures = 0
                self._say("resolved", draft, reason)
                return None
            case Refused():
                self._failures = 0
                self._problem = _first_message(outcome)
                self._say("held", draft, self._problem)
                return None
            case Unauthorized(problem=problem):
                tries = None if attempts is None else 1
                waited = self._waited(draft, problem, None, deadline_s, tries)
                stopped_by = yield from waited
                return "unauthorized" if stopped_by == "unreachable" else stopped_by
            case Wait(problem=problem, retry_after_s=asked_s):
                return (yield from self._waited(draft, problem, asked_s, deadline_s, attempts))
            case Unknown(problem=problem) | NotSent(problem=problem):
                return (yield from self._waited(draft, problem, None, deadline_s, attempts))
            case _:
                assert_never(outcome)

    def _waited(
        self,
        draft: Draft,
        problem: str,
        asked_s: float | None,
        deadline_s: float | None,
        attempts: int | None,
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Wait for the next attempt; return why not, if not.

        Args:
            draft: the draft that was tried to be sent.
            problem: why it has to wait.
            asked_s: the seconds that the remote asked for.
            deadline_s: when to give up, on the monotonic clock; None for never.
            attempts: how many failures in a row are too many; None for never.
        """
        self._failures += 1
        self._problem = problem
        if attempts is not None and self._failures >= attempts:
            return "unreachable"
        delay_s = self._delay_s(self._failures, asked_s)
        if deadline_s is not None and self._now_s() + delay_s >= deadline_s:
            return "timeout"
        self._say("waiting", draft, problem, delay_s)
        should_stop = yield Pause(delay_s)
        return "stop" if should_stop else None

    def _delay_s(self, failures: int, asked_s: float | None) -> float:
        randomness = self._journal.sources.randomness
        return self._settings.backoff.delay_s(failures, randomness, asked_s)

    def _now_s(self) -> float:
        return self._journal.sources.clock.monotonic_s()

    # --- what the effects call -----------------------------------------------------------

    def _next(self) -> Draft | None:
        """Return the draft to send now, after folding in what was appended since."""
        self._catch_up()
        if self._has_tripped(self._queue):
            self._journal.note_on_queue(self._tripped, Facts(ACTOR, self._journal.origin))
            self._catch_up()
        return self._queue.next_to_send(self._settings.on_held)

    def _has_tripped(self, queue: Queue) -> bool:
        """Say whether so many drafts in a row were rejected that something else must be wrong."""
        most = self._settings.rejections
        return most is not None and queue.switch.rejections >= most and not queue.switch.stop

    def _tripped(self, queue: Queue) -> tuple[Event, ...]:
        """Return the events of stopping a queue in which too much is rejected (S6)."""
        if not self._has_tripped(queue):
            return ()
        rejected = [d for d in queue if d.hold and d.hold.classification == "rejected"]
        last = (
            f", such as {name_of(rejected[-1])}: {hold_text(rejected[-1].hold)}" if rejected else ""
        )
        problem = f"{queue.switch.rejections} drafts in a row were rejected{last}"
        return (QueueStopped(cause="rejections", problem=problem[:MAX_PROBLEM]),)

    def _stopped_by(self) -> StoppedBy | None:
        """Return why nothing can be sent, or None where nothing is left."""
        if not len(self._queue):
            return None
        stop = self._queue.switch.stop
        if stop is None:
            return "held"
        self._problem = stop_text(stop)
        return "stopped"

    def _catch_up(self) -> None:
        while entries := self._journal.log.read(self._queue.position, ENTRIES_AT_ONCE):
            for entry in entries:
                self._queue.apply(entry)
            if len(entries) < ENTRIES_AT_ONCE:
                return

    def _started(self, draft: Draft) -> Push | None:
        """Note that the draft is about to leave (S2); None where it is pending no more."""
        if not draft.is_maybe_applied:
            started = PushStarted(draft_id=draft.draft_id, revision=draft.revision)
            if not self._appended(draft, lambda _record, _change: (started,)):
                return None
        record = self._journal.load(draft.ref)
        change = record.change(draft.draft_id)
        if change is None:
            return None
        known = [change.fields, change.base, record.fields, record.remote.fields]
        targets = {target for _, target in references(known)}
        return Push(
            draft.draft_id,
            draft.ref,
            change.kind,
            change.fields,
            change.base,
            base_version(record, change),
            change.revision,
            draft.is_maybe_applied and draft.draft_id != self._unsent,
            record,
            {target: self._journal.load(target) for target in targets},
        )

    def _settled(self, draft: Draft, outcome: Settled) -> Outcome | Resolved | None:
        """Append what became of a draft; return it, or how a conflict was resolved."""
        outcome = _storable(outcome, draft.ref)
        events: Sequence[Event] = ()

        def decision(record: Record, change: Change) -> Sequence[Event]:
            nonlocal events
            policies = self._settings.conflicts
            events = settled(record, change, outcome, self._failures + 1, policies)
            return events

        reason = _WHY.get(outcome.classification) if isinstance(outcome, Refused) else None
        if not self._appended(draft, decision, reason):
            return None
        match events[-1]:
            case ConflictResolved() as event:
                return Resolved(event.kind, event.fields, event.resolutions, reason or "")
            case DraftHeld(messages=messages) if isinstance(outcome, Refused):
                return outcome._replace(messages=messages)
            case _:
                return outcome

    def _appended(
        self,
        draft: Draft,
        decide: Callable[[Record, Change], Sequence[Event]],
        reason: str | None = None,
    ) -> bool:
        """Append events about a draft that is still as it was sent; say whether it is."""

        def decision(record: Record) -> Sequence[Event]:
            change = record.change(draft.draft_id)
            if change is None or change.revision != draft.revision or change.state == "held":
                return ()
            return decide(record, change)

        origin = self._journal.origin
        facts = Facts(ACTOR, origin, causation_id=draft.draft_id, reason=reason)
        return self._journal.note(draft.ref, decision, facts)

    def _save(self) -> None:
        """Keep where to begin the next time.

        It reads no further: a draft that was appended since `_next` looked must be seen by
        `_next`, or else the wait for the next entry would begin behind it.
        """
        self._checkpoint.save(self._queue.low_water)

    def _say(
        self, step: Step, draft: Draft, problem: str = "", delay_s: float | None = None
    ) -> None:
        """Tell the callback; what it raises is logged, and stops nothing."""
        if self._progress is None:
            return
        pending = len(self._queue) - (step == "acknowledged")
        held = self._queue.held + (step == "held")
        said = Progress(step, draft, self._acknowledged, held, pending, problem, delay_s)
        try:
            self._progress(said)
        except Exception:  # noqa: BLE001  a callback may raise anything; it is logged
            _log.exception("the progress callback failed at %s of %s", step, draft.ref)


def _storable(outcome: Settled, ref: Ref) -> Settled:
    """Return the outcome with what a read has shown as it can be kept, or without it."""
    if isinstance(outcome, Acknowledged) or outcome.seen is None or outcome.seen.fields is None:
        return outcome
    try:
        fields = freeze(outcome.seen.fields, record=ref)
    except RefusedError as error:
        said = FieldMessage(message=f"the remote's record cannot be kept: {error}")
        return outcome._replace(messages=(*outcome.messages, said), seen=None)
    return outcome._replace(seen=outcome.seen._replace(fields=fields))


def _first_message(outcome: Refused) -> str:
    message = next(iter(outcome.messages), FieldMessage(message=outcome.classification))
    return f"{message.field}: {message.message}" if message.field else message.message
