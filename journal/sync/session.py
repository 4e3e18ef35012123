"""The core of the subscriber, shared by the blocking and the async one; it does no waiting.

A session is a generator of effects: what is to be done that takes time. Who drives it carries
out each effect, blocking or awaiting, and sends the result back in, or throws in what it raised.

- S4. What is not the draft's fault leaves no event, and is tried again later.
- S5. In the background, time alone sends what can be sent: no failure ends that for good but a
  log that cannot be trusted, or is closed.
- S1, about what is in flight, is in `delivery`; S2, S3, S6, S7 and S9, about what is appended, in
  `ledger`; S8, about patience, in `waits`.
- Whoever has lost the lease stands by.

```
e1  e2'  e3'          e2 in flight:  PushStarted(e2)   durable, then the request leaves
e1  e2   e3'          answered:      DraftAcknowledged(e2) + PushStarted(e3), then e3
```
"""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

from journal.conflicts import Resolved
from journal.errors import (
    LeaseLostError,
    LogBusyError,
    LogFullError,
)
from journal.explanation import stop_text
from journal.outcomes import (
    Acknowledged,
    NotSent,
    Refused,
    Settled,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.remotes.remote import is_binding
from journal.sources import process_name
from journal.sync.delivery import Delivery
from journal.sync.doubts import Doubts
from journal.sync.effects import Call, Listen, Pause
from journal.sync.floor import Floor
from journal.sync.lease import SenderLease
from journal.sync.ledger import Ledger
from journal.sync.reports import Report
from journal.sync.status import Board
from journal.sync.tally import Tally
from journal.sync.waits import Bounds, Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journal.checkpoint import Checkpoint
    from journal.drafts import Draft
    from journal.journal import Journal
    from journal.remotes.remote import Remote
    from journal.sync.delivery import Became
    from journal.sync.effects import Effect
    from journal.sync.reports import Progress, Spans, StoppedBy
    from journal.sync.settings import Settings

    Stopping: TypeAlias = Generator[Effect, Any, StoppedBy | None]
    """The effects of a step, which returns why there is nothing to do for now, or None."""
    Sending: TypeAlias = Generator[Effect, Any, list[tuple[Draft, Became]]]

SETTLED_PAUSE_S: Final = 0.01
"""How long to wait where somebody else has settled a draft, in seconds."""
_log = getLogger("journal.sync")


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
        floor: Floor | None = None,
    ) -> None:
        """Begin where the checkpoint says that everything before is settled."""
        sources = journal.sources
        name = f"{journal.origin}, {process_name()}"
        self.lease = SenderLease(
            journal.log.leases, sources, name, settings.request_s, settings.lease_s
        )
        self._board = board or Board(sources.clock)
        self._journal = journal
        self._settings = settings
        binds = is_binding(remote)
        self._ledger = Ledger(journal, self.lease, settings, checkpoint, binds=binds)
        self._tally = Tally(self._ledger.queue, progress)
        self.floor = floor or Floor(sources.clock)
        self._waits = Waits(
            sources,
            settings.backoff,
            board=self._board,
            lease=self.lease,
            tally=self._tally,
            floor=self.floor,
        )
        self._delivery = Delivery(
            remote,
            self._ledger,
            self.lease,
            board=self._board,
            tally=self._tally,
            doubts=Doubts(settings.doubts),
            spans=spans,
        )
        self._is_led = True

    def drain(
        self, deadline_s: float | None, should_stop: Callable[[], bool]
    ) -> Generator[Effect, Any, Report]:
        """Send until nothing is left, or nothing more can be done for now.

        Args:
            deadline_s: when to give up, on the monotonic clock; None for never.
            should_stop: asked between drafts.
        """
        started_s = self._waits.now_s()
        before = self._tally.acknowledged, self._tally.attempts
        bounds = Bounds(deadline_s, self._settings.attempts)
        while True:
            stopped_by = yield from self._sent_all(bounds, should_stop)
            if stopped_by != "another sender" or self._is_led:
                break
            # Nobody can say whether the other one lives but by looking for a while (O2).
            if bounds.are_over(self._waits.now_s() + self.lease.look_s):
                break
            if (yield Pause(self.lease.look_s)) == "stop":
                stopped_by = "stop"
                break
        queue = self._ledger.queue
        return Report(
            self._tally.acknowledged - before[0],
            queue.held,
            len(queue),
            self._tally.attempts - before[1],
            self._waits.now_s() - started_s,
            stopped_by,
            self._waits.problem if stopped_by else "",
        )

    def run(self, should_stop: Callable[[], bool]) -> Generator[Effect, Any, None]:
        """Send for ever: all there is, then the next change, until told to stop (S5)."""
        failures = 0
        while not should_stop():
            try:
                stopped_by = yield from self._sent_all(Bounds(), should_stop)
                if should_stop():
                    return
                waiting = Listen(self._ledger.queue.position)
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

    def _sent_all(self, bounds: Bounds, should_stop: Callable[[], bool]) -> Stopping:
        """Send draft after draft; return why some are left, or None where none is."""
        waits = self._waits
        waits.begin()
        stopped_by: StoppedBy | None = None
        while stopped_by is None:
            draft = yield Call(self._next)
            if draft is None:
                stopped_by = self._stopped_by()
                break
            if should_stop():
                stopped_by = "stop"
            elif bounds.are_over(waits.now_s()):
                stopped_by = "timeout"
            elif waits.floor_s > 0:
                stopped_by = yield from self._led(waits.until_floor(draft, bounds))
            else:

                def may_go_on() -> bool:
                    is_over = should_stop() or bounds.are_over(waits.now_s())
                    return not is_over and self.lease.is_fresh

                attempts = waits.failures.all + 1
                sending = self._delivery.sent(draft, attempts, may_go_on)
                stopped_by = yield from self._turn(sending, bounds)
        if stopped_by != "another sender":
            yield Call(self._ledger.save)
        self._board.write(next_attempt_s=None)
        return stopped_by

    def _next(self) -> Draft | None:
        """Return the draft to send now; note how many there are."""
        draft = self._ledger.next()
        queue = self._ledger.queue
        stop = queue.switch.stop
        self._board.write(
            pending=len(queue), held=queue.held, stopped="" if stop is None else stop_text(stop)
        )
        return draft

    def _stopped_by(self) -> StoppedBy | None:
        """Return why nothing can be sent, or None where nothing is left."""
        queue = self._ledger.queue
        if not len(queue):
            return None
        stop = queue.switch.stop
        if stop is None:
            return "held"
        self._waits.problem = stop_text(stop)
        return "stopped"

    # --- one turn ------------------------------------------------------------------------

    def _turn(self, sending: Sending, bounds: Bounds) -> Stopping:
        """Send what is next, if the lease is ours, and wait where that is due (S7)."""
        if not self.lease.is_fresh:
            other = yield Call(self._ledger.lead)
            if other is not None:
                self._is_led = other.is_surely_alive
                self._waits.problem = f"another sender has the lease: {other.text}"
                self._board.write(is_leader=False, leader=other.text)
                return "another sender"
            is_new = not self._board.now().is_leader
            self._board.write(is_leader=True, leader="")
            if is_new:
                return None  # the one before may have settled it: look again
        return (yield from self._led(self._after_all(sending, bounds)))

    def _led(self, effects: Stopping) -> Stopping:
        """Carry on as long as the lease is ours; another sender goes on once it is lost (S7)."""
        try:
            return (yield from effects)
        except LeaseLostError as error:
            self.lease.lose()
            self._is_led = True
            self._waits.problem = error.problem
            self._board.write(is_leader=False, leader="", sending=None, next_attempt_s=None)
            return "another sender"

    def _after_all(self, sending: Sending, bounds: Bounds) -> Stopping:
        """Send; count what became of each draft, and wait for the first to be tried again."""
        told = sorted((yield from sending), key=_is_open)  # what is settled needs no wait
        for draft, became in told:
            stopped_by = yield from self._after(draft, became, bounds)
            if stopped_by is not None or _is_open((draft, became)):
                return stopped_by
        return None

    def _after(self, draft: Draft, outcome: Became, bounds: Bounds) -> Stopping:
        """Count what became of a draft, and wait where waiting is due (S4)."""
        match outcome:
            case None:  # the next look at the log will say who settled it; no reason to hurry
                woken = yield Pause(SETTLED_PAUSE_S)
                return "stop" if woken == "stop" else None
            case Acknowledged():
                self._waits.recover()
                self._tally.acknowledged += 1
                self._tally.say("acknowledged", draft)
                return None
            case Resolved(reason=reason):
                self._waits.recover()
                self._tally.say("resolved", draft, reason)
                return None
            case Refused(messages=messages):
                self._waits.recover()
                said = next((message.text for message in messages), outcome.classification)
                self._waits.problem = said
                self._tally.say("held", draft, said)
                return None
            case Unauthorized() | NotSent(is_misconfigured=True):
                once = bounds if bounds.attempts is None else bounds._replace(attempts=1)
                stopped_by = yield from self._waits.after(draft, outcome, once)
                is_refused = isinstance(outcome, Unauthorized) and stopped_by == "unreachable"
                return "unauthorized" if is_refused else stopped_by
            case Wait() | Unknown() | NotSent():
                return (yield from self._waits.after(draft, outcome, bounds))
            case _:
                assert_never(outcome)


def _is_open(told: tuple[Draft, Became]) -> bool:
    """Say whether what became of a draft is that it has to be tried again."""
    _, became = told
    return became is not None and not isinstance(became, Settled | Resolved)
