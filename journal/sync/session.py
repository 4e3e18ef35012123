"""The core of the subscriber, shared by the blocking and the async one; it does no waiting.

A session is a generator of effects: what is to be done that takes time. Who drives it carries
out each effect, blocking or awaiting, and sends the result back in, or throws in what it raised.

- S1. One draft is in flight at a time, the first that nothing holds back (Q2, Q3).
- S2. `PushStarted` is durable before the first request of a draft leaves.
- S3. A draft is acknowledged only by the event that says how that is known, and that event is
  appended before the next request leaves: together with the beginning of the next draft, where
  nothing speaks against that one, so that a draft costs one durable append.
- S4. What is not the draft's fault leaves no event, and is tried again later.
- S5. In the background, time alone sends what can be sent: no failure ends that for good but a
  log that cannot be trusted, or is closed.
- S6. So many rejections in a row stop the queue, durably: who configured it wrongly must not
  burn through it.
- S7. Everything that it appends is appended with the fence of its lease: whoever has lost the
  lease appends nothing, and stands by (O1).
- S8. A remote that asks for patience is asked nothing before that time is over, whatever wakes it.
- S9. A remote that has seen our key with another content stops the queue, in the append that
  holds the draft: it is our fault, or somebody tampers.

```
e1  e2'  e3'          e2 in flight:  PushStarted(e2)   durable, then the request leaves
e1  e2   e3'          answered:      DraftAcknowledged(e2) + PushStarted(e3), then e3
```
"""

from __future__ import annotations

from itertools import islice
from logging import DEBUG, ERROR, INFO, WARNING, getLogger
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, assert_never

from journal.conflicts import Resolved
from journal.drafts import Draft, Hold, Queue
from journal.errors import (
    LeaseLostError,
    LogBusyError,
    LogFullError,
    ProfileError,
    RefusedError,
    RemoteError,
)
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftHeld,
    FieldMessage,
    PushStarted,
    QueueStopped,
)
from journal.explanation import hold_text, name_of, stop_text
from journal.outcomes import (
    Acknowledged,
    NotSent,
    Refused,
    Settled,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.policies import Policies
from journal.record import base_version
from journal.remotes.remote import Push, Response
from journal.resolutions import settled
from journal.sources import process_name
from journal.staging import Facts
from journal.sync.backoff import Backoff, Failures, kind_of
from journal.sync.doubts import Doubts
from journal.sync.effects import Call, Listen, Pause
from journal.sync.lease import SenderLease
from journal.sync.reports import Progress, Report
from journal.sync.status import Board
from journal.values import freeze, references

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from journal.checkpoint import Checkpoint
    from journal.commands import Note
    from journal.drafts import OnHeld
    from journal.events import Entry, Event
    from journal.journal import Journal
    from journal.outcomes import Outcome, Unsettled
    from journal.record import Change, Record
    from journal.remotes.remote import Answer, Remote, Request
    from journal.sync.effects import Effect
    from journal.sync.lease import Other
    from journal.sync.reports import PushSpan, Spans, Step, StoppedBy
    from journal.values import Ref

ACTOR: Final = "sync"
"""Who acknowledges and holds, in the envelope of what a subscriber appends."""
ENTRIES_AT_ONCE: Final = 1000
SLICE_S: Final = 5.0
"""How long to wait, at most, before looking whether the machine was suspended meanwhile."""
SUSPENDED_S: Final = 10.0
"""By how much the clock on the wall is then ahead of the wait, at least."""
SAVE_EVERY: Final = 500
"""After how many drafts it is noted how far they are settled, in case the end is not reached."""
MAX_PROBLEM: Final = 1000
"""How many characters say why the queue was stopped."""
SETTLED_PAUSE_S: Final = 0.01
"""How long to wait where somebody else has settled a draft, in seconds."""

_WHY: Final = {
    "conflict": "the remote has another state of the record than the draft was made on",
    "gone": "the remote no longer has the record",
}
"""The reason, in the envelope, of what became of a draft that stood in a conflict."""
_log = getLogger("journal.sync")
_Result = TypeVar("_Result")


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
    request_s: float = 30.0
    """How long a request may take."""
    lease_s: float | None = None
    """How long the lease lasts without a sign of life; twice as long as a request otherwise."""
    doubts: int | None = 20
    """How often in a row a draft may be in doubt before it is held; None for as often as it is."""


class Session:
    """Sends pending drafts, one after another."""

    def __init__(  # noqa: PLR0913  what a subscriber is made of
        self,
        journal: Journal,
        remote: Remote,
        settings: Settings,
        checkpoint: Checkpoint,
        progress: Callable[[Progress], None] | None,
        *,
        board: Board | None = None,
        spans: Spans | None = None,
    ) -> None:
        """Begin where the checkpoint says that everything before is settled."""
        clock = journal.sources.clock
        name = f"{journal.origin}, {process_name()}"
        self.lease = SenderLease(
            journal.log.leases, journal.sources, name, settings.request_s, settings.lease_s
        )
        self._board = board or Board(clock)
        self._spans = spans
        self._journal = journal
        self._remote = remote
        self._settings = settings
        self._checkpoint = checkpoint
        self._progress = progress
        self._queue = Queue(position=checkpoint.load())
        self._acknowledged = 0
        self._attempts = 0
        self._failures = Failures()
        self._doubts = Doubts(settings.doubts)
        self._problem = ""
        self._unsent: str | None = None
        self._not_before_s = clock.monotonic_s()
        self._unsaved = 0
        self._is_led = True
        self._epoch = 0

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
        while True:
            stopped_by = yield from self._sent_all(deadline_s, should_stop, self._settings.attempts)
            if stopped_by != "another sender" or self._is_led:
                break
            # Nobody can say whether the other one lives but by looking for a while (O2).
            if deadline_s is not None and self._now_s() + self.lease.look_s >= deadline_s:
                break
            if (yield Pause(self.lease.look_s)) == "stop":
                stopped_by = "stop"
                break
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
                stopped_by = yield from self._sent_all(None, should_stop, None)
                if should_stop():
                    return
                waiting = Listen(self._queue.position)
                is_second = stopped_by == "another sender"
                if (yield Pause(self.lease.look_s) if is_second else waiting) == "stop":
                    return
                failures = 0
            except (LogBusyError, LogFullError) as error:
                failures += 1
                delay_s = self._settings.backoff.delay_s(failures, self._journal.sources.randomness)
                _log.warning("sending goes on in %.1f s: %s", delay_s, error)
                self._board.write(last_error=error.problem, next_attempt_s=delay_s, sending=None)
                if (yield Pause(delay_s)) == "stop":
                    return

    def _sent_all(
        self, deadline_s: float | None, should_stop: Callable[[], bool], attempts: int | None
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Send draft after draft; return why some are left, or None where none is."""
        self._failures = Failures()
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
            elif (left_s := self._not_before_s - self._now_s()) > 0:
                stopped_by = yield from self._patient(draft, left_s, deadline_s)
            else:

                def may_go_on() -> bool:
                    is_late = deadline_s is not None and self._now_s() >= deadline_s
                    return not (should_stop() or is_late) and self.lease.is_fresh

                sending = self._sent(draft, may_go_on)
                stopped_by = yield from self._turn(draft, sending, deadline_s, attempts)
        if stopped_by != "another sender":
            yield Call(self._save)
        self._board.write(next_attempt_s=None)
        return stopped_by

    def _turn(
        self,
        draft: Draft,
        sending: Generator[Effect, Any, Outcome | Resolved | None],
        deadline_s: float | None,
        attempts: int | None,
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Send one draft, if the lease is ours, and wait where that is due (S7)."""
        if not self.lease.is_fresh:
            other = yield Call(self._lead)
            if other is not None:
                self._is_led = other.is_surely_alive
                self._problem = f"another sender has the lease: {other.text}"
                self._board.write(is_leader=False, leader=other.text)
                return "another sender"
            is_new = not self._board.now().is_leader
            self._board.write(is_leader=True, leader="")
            if is_new:
                return None  # the one before may have settled it: look again
        try:
            outcome = yield from sending
            return (yield from self._after(draft, outcome, deadline_s, attempts))
        except LeaseLostError as error:
            self.lease.lose()
            self._is_led = True
            self._problem = error.problem
            self._board.write(is_leader=False, leader="", sending=None, next_attempt_s=None)
            return "another sender"

    def _sent(
        self, draft: Draft, may_go_on: Callable[[], bool]
    ) -> Generator[Effect, Any, Outcome | Resolved | None]:
        """Send one draft and append what became of it (S1, S2, S3).

        Args:
            draft: the draft.
            may_go_on: says whether the next one may be begun at once.

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
        self._board.write(sending=draft, next_attempt_s=None)
        span = yield from self._span(draft)
        outcome: Outcome | None = None
        try:
            self._doubts.begin(push.draft_id, push.revision)
            outcome = self._doubts.judged((yield from self._pushed(push)))
        finally:
            self._board.write(sending=None)
            self._ended(span, outcome)
        if isinstance(outcome, NotSent) and not push.is_maybe_applied:
            self._unsent = draft.draft_id
        if isinstance(outcome, Settled):
            is_plain = isinstance(outcome, Acknowledged) and may_go_on()
            became: Outcome | Resolved | None
            became = yield Call(lambda: self._settled(draft, outcome, with_next=is_plain))
            return became
        return outcome

    def _pushed(self, push: Push) -> Generator[Effect, Any, Outcome]:
        """Let the remote send the draft; return the outcome.

        A remote that breaks, a host's own among them, does not end the subscriber: what came of
        the draft is unknown then, and it is tried again.
        """
        try:
            return (yield from self._exchanged(self._remote.push(push)))
        except RemoteError as error:
            return Refused("rejected", (FieldMessage(message=str(error)),))
        except ProfileError as error:
            return Unauthorized(str(error))
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  it is logged, and the draft tried again
            _log.exception("the remote failed at %s of %s", push.kind, push.ref)
            return Unknown(f"the remote failed: {type(error).__name__}")

    def _exchanged(
        self, exchange: Generator[Request, Answer, _Result]
    ) -> Generator[Effect, Any, _Result]:
        """Let requests out only while the lease outlasts them (O4); note who answers."""
        try:
            request = next(exchange)
            while True:
                if not self.lease.is_fresh:
                    yield Call(self.lease.keep)
                try:
                    answer = yield request
                except Exception as error:  # noqa: BLE001  for the remote to judge
                    request = exchange.throw(error)
                    continue
                self._board.write(online=isinstance(answer, Response))
                self._doubts.heard(request, answer)
                request = exchange.send(answer)
        except StopIteration as ended:
            result: _Result = ended.value
            return result
        finally:
            exchange.close()

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
                woken = yield Pause(SETTLED_PAUSE_S)
                return "stop" if woken == "stop" else None
            case Acknowledged():
                self._recovered()
                self._acknowledged += 1
                self._say("acknowledged", draft)
                return None
            case Resolved(reason=reason):
                self._recovered()
                self._say("resolved", draft, reason)
                return None
            case Refused():
                self._recovered()
                self._problem = _first_message(outcome)
                self._say("held", draft, self._problem)
                return None
            case Unauthorized() | NotSent(is_misconfigured=True):
                tries = None if attempts is None else 1
                stopped_by = yield from self._waited(draft, outcome, deadline_s, tries)
                is_refused = isinstance(outcome, Unauthorized) and stopped_by == "unreachable"
                return "unauthorized" if is_refused else stopped_by
            case Wait() | Unknown() | NotSent():
                return (yield from self._waited(draft, outcome, deadline_s, attempts))
            case _:
                assert_never(outcome)

    def _recovered(self) -> None:
        """Note that a draft was settled: whatever had failed before works again."""
        self._board.write(last_error="")
        if self._failures.all:
            _log.info("sending goes on, after %d attempts that failed", self._failures.all)
        self._failures = Failures()
        self._unsaved += 1

    def _waited(
        self,
        draft: Draft,
        outcome: Unsettled,
        deadline_s: float | None,
        attempts: int | None,
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Wait for the next attempt; return why not, if not.

        Args:
            draft: the draft that was tried to be sent.
            outcome: why it has to wait.
            deadline_s: when to give up, on the monotonic clock; None for never.
            attempts: how many failures in a row are too many; None for never.
        """
        kind = kind_of(outcome)
        self._problem = problem = outcome.problem
        self._failures = self._failures.and_another(kind)
        asked_s = outcome.retry_after_s if isinstance(outcome, Wait) else None
        backoff, randomness = self._settings.backoff, self._journal.sources.randomness
        delay_s = backoff.delay_s(self._failures.of(kind), randomness, asked_s, kind)
        if isinstance(outcome, Unknown) and outcome.is_offline:
            self._board.write(online=False)  # somebody on the way has answered
        if isinstance(outcome, Wait):
            self._not_before_s = self._now_s() + (delay_s if asked_s is None else asked_s)
        is_over = attempts is not None and self._failures.all >= attempts
        self._warn(
            kind, "it is not tried again for now" if is_over else f"again in {delay_s:.1f} s"
        )
        if is_over:
            self._board.write(last_error=problem)
            return "unreachable"
        return (yield from self._patient(draft, delay_s, deadline_s))

    def _patient(
        self, draft: Draft, delay_s: float, deadline_s: float | None
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Wait for the next attempt, unless that is beyond the deadline."""
        if deadline_s is not None and self._now_s() + delay_s >= deadline_s:
            return "timeout"
        self._say("waiting", draft, self._problem, delay_s)
        self._board.write(last_error=self._problem, next_attempt_s=delay_s)
        has_stopped = yield from self._paused(delay_s)
        return "stop" if has_stopped else None

    def _paused(self, delay_s: float) -> Generator[Effect, Any, bool]:
        """Wait, but no longer than there is a reason to; say whether to stop.

        A nudge ends it, an append after a quarter of it, and a machine that wakes from a
        suspension, which the monotonic clock has slept through; but nothing does before the
        remote is ready (S8).
        """
        clock = self._journal.sources.clock
        floor_s = self._not_before_s - self._now_s()
        append_s = max(floor_s, delay_s / 4)
        waited_s = 0.0
        while waited_s < delay_s:
            began_us = clock.now_us()
            slice_s = min(SLICE_S, self.lease.lease_s / 4, delay_s - waited_s)
            after = self._queue.position if waited_s >= append_s else None
            woken = yield Pause(slice_s, max(floor_s - waited_s, 0.0), after)
            waited_s += slice_s
            if woken == "stop":
                return True
            lag_s = (clock.now_us() - began_us) / 1e6 - slice_s
            if woken in {"nudge", "append"} or (lag_s > SUSPENDED_S and waited_s > floor_s):
                return False
            if self.lease.fence is not None:
                yield Call(self.lease.keep)
        return False

    def _warn(self, kind: str, what: str) -> None:
        """Log a failure: what only a person can mend as an error; loud for the first one only."""
        level = ERROR if kind == "misconfigured" else WARNING
        _log.log(level if self._failures.all == 1 else DEBUG, "%s: %s", what, self._problem)

    def _now_s(self) -> float:
        return self._journal.sources.clock.monotonic_s()

    # --- what the effects call -----------------------------------------------------------

    def _next(self) -> Draft | None:
        """Return the draft to send now, after folding in what was appended since."""
        self._catch_up()
        if self.lease.fence is not None and self._has_tripped(self._queue):
            facts = Facts(ACTOR, self._journal.origin)
            self._journal.note_on_queue(self._tripped, facts, self.lease.fence)
            self._catch_up()
        if self._unsaved >= SAVE_EVERY:
            self._save()
        queue = self._queue
        stop = queue.switch.stop
        self._board.write(
            pending=len(queue), held=queue.held, stopped="" if stop is None else stop_text(stop)
        )
        return queue.next_to_send(self._settings.on_held)

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
        for entry in self._journal.log.scan(self._queue.position, page=ENTRIES_AT_ONCE):
            self._queue.apply(entry)

    def _started(self, draft: Draft) -> Push | None:
        """Note that the draft is about to leave (S2); None where it is pending no more."""
        if not draft.is_maybe_applied:
            started = PushStarted(draft_id=draft.draft_id, revision=draft.revision)
            if not self._appended(draft, lambda _record, _change: (started,)):
                return None
        record = self._journal.kept(draft.ref)
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
            {target: self._journal.kept(target) for target in targets},
            change.is_doubted,
            self._age_s(change),
        )

    def _age_s(self, change: Change) -> float:
        """Return how long ago the first request of a draft left, by the clock on the wall."""
        if change.first_sent_at is None:
            return 0.0
        return max(self._journal.sources.clock.now_us() - change.first_sent_at, 0) / 1_000_000

    def _lead(self) -> Other | None:
        """Take the lease, or keep it; return who else has it, if somebody does."""
        other = self.lease.attempt()
        fence = self.lease.fence
        if fence is not None and fence.epoch != self._epoch:
            if fence.epoch != self._epoch + 1:
                self._unsent = None  # another sender was there, and may have sent it
            self._epoch = fence.epoch
        return other

    def _following(self, draft: Draft) -> Draft | None:
        """Return the draft that comes next once this one is acknowledged, if that is plain."""
        self._catch_up()
        if self._queue.switch.stop is not None:
            return None
        first_two = list(islice(self._queue, 2))
        if len(first_two) < 2 or first_two[0].draft_id != draft.draft_id:  # noqa: PLR2004
            return None
        return None if first_two[1].is_maybe_applied else first_two[1]

    def _settled(
        self, draft: Draft, outcome: Settled, *, with_next: bool
    ) -> Outcome | Resolved | None:
        """Append what became of a draft; return it, or how a conflict was resolved.

        Args:
            draft: the draft.
            outcome: what settles it.
            with_next: whether the next draft is begun, and durable at once (S2, S3).
        """
        outcome = _storable(outcome, draft.ref)
        events: Sequence[Event] = ()

        def decision(record: Record, change: Change) -> Sequence[Event]:
            nonlocal events
            policies = self._settings.conflicts
            events = settled(record, change, outcome, self._failures.all + 1, policies)
            return events

        reason = _WHY.get(outcome.classification) if isinstance(outcome, Refused) else None
        notes = [self._note(draft, decision, reason)]
        if isinstance(outcome, Refused) and outcome.is_alarm:
            notes.append(self._alarm(draft, outcome, lambda: bool(events)))
        following = self._following(draft) if with_next else None
        if following is not None:
            started = PushStarted(draft_id=following.draft_id, revision=following.revision)
            notes.append(self._note(following, lambda _record, _change: (started,)))
            if any(e.event == started for e in self._noted(notes)):
                self._unsent = following.draft_id  # begun, and no request of it has left
        else:
            self._noted(notes)
        if not events:
            return None
        match events[-1]:
            case ConflictResolved() as event:
                return Resolved(event.kind, event.fields, event.resolutions, reason or "")
            case DraftHeld(messages=messages) if isinstance(outcome, Refused):
                return outcome._replace(messages=messages)
            case _:
                return outcome

    def _alarm(self, draft: Draft, outcome: Refused, is_held: Callable[[], bool]) -> Note:
        """Return the stop of the queue, in the append that holds the draft (S9)."""
        said = hold_text(Hold("unknown", outcome.messages, outcome.status, ""))
        problem = (
            f"the remote has seen the key of {name_of(draft)} with another content: "
            f"somebody else uses the key, or it was changed on the way: {said}"
        )
        stopped = QueueStopped(cause="rejections", problem=problem[:MAX_PROBLEM])

        def decision(_: Record) -> Sequence[Event]:
            return (stopped,) if is_held() and self._queue.switch.stop is None else ()

        facts = Facts(ACTOR, self._journal.origin, causation_id=draft.draft_id)
        return QUEUE, decision, facts

    def _appended(self, draft: Draft, decide: Callable[[Record, Change], Sequence[Event]]) -> bool:
        """Append events about a draft that is still as it was sent; say whether it is."""
        return bool(self._noted([self._note(draft, decide)]))

    def _noted(self, notes: Sequence[Note]) -> Sequence[Entry]:
        """Append what was learned, as the sender that has the lease (S7)."""
        entries = self._journal.note_together(notes, self.lease.held())
        if entries and entries[0].position == self._queue.position + 1:
            for entry in entries:
                self._queue.apply(entry)  # nobody else wrote in between: no need to read it again
        else:
            self._catch_up()
        return entries

    def _note(
        self,
        draft: Draft,
        decide: Callable[[Record, Change], Sequence[Event]],
        reason: str | None = None,
    ) -> Note:
        """Return what is to be appended if the draft is still as it was sent."""

        def decision(record: Record) -> Sequence[Event]:
            change = record.change(draft.draft_id)
            if change is None or change.revision != draft.revision or change.state == "held":
                return ()
            return decide(record, change)

        origin = self._journal.origin
        facts = Facts(ACTOR, origin, causation_id=draft.draft_id, reason=reason)
        return draft.ref, decision, facts

    def _span(self, draft: Draft) -> Generator[Effect, Any, PushSpan | None]:
        """Begin to trace a push, in the trace in which the change was made."""
        if self._spans is None:
            return None
        entry = yield Call(lambda: self._journal.log.find(draft.draft_id))
        try:
            return self._spans(draft, None if entry is None else entry.trace)
        except Exception:  # noqa: BLE001  tracing ends nothing
            _log.exception("a push could not be traced")
            return None

    def _ended(self, span: PushSpan | None, outcome: Outcome | None) -> None:
        try:
            if span is not None:
                span.end(outcome)
        except Exception:  # noqa: BLE001  tracing ends nothing
            _log.exception("a push could not be traced")

    def _save(self) -> None:
        """Keep where to begin the next time.

        It reads no further: a draft that was appended since `_next` looked must be seen by
        `_next`, or else the wait for the next entry would begin behind it.
        """
        self._checkpoint.save(self._queue.low_water)
        self._unsaved = 0

    def _say(
        self, step: Step, draft: Draft, problem: str = "", delay_s: float | None = None
    ) -> None:
        """Tell the callback, which is called in a thread of its own."""
        _log.log(INFO if step == "held" else DEBUG, "%s %s of %s", step, draft.kind, draft.ref)
        if self._progress is None:
            return
        counts = (self._acknowledged, self._queue.held, len(self._queue))
        self._progress(Progress(step, draft, *counts, problem, delay_s))


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
    return next((message.text for message in outcome.messages), outcome.classification)
