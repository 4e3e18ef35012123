"""How long a sender waits, and for what; it waits by effects, and does no waiting itself.

It knows nothing of what is sent, nor of logs.
"""

from __future__ import annotations

from logging import DEBUG, ERROR, WARNING, getLogger
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.outcomes import Unknown, Wait
from journal.sync.backoff import Failures, kind_of
from journal.sync.effects import Call, Pause

if TYPE_CHECKING:
    from collections.abc import Generator

    from journal.drafts import Draft
    from journal.outcomes import Unsettled
    from journal.sources import Sources
    from journal.sync.backoff import Backoff
    from journal.sync.effects import Effect
    from journal.sync.floor import Floor
    from journal.sync.lease import SenderLease
    from journal.sync.reports import StoppedBy
    from journal.sync.status import Board
    from journal.sync.tally import Tally

SLICE_S: Final = 5.0
"""How long to wait, at most, before looking whether the machine was suspended meanwhile."""
SUSPENDED_S: Final = 10.0
"""By how much the clock on the wall is then ahead of the wait, at least."""
_log = getLogger("journal.sync")


class Bounds(NamedTuple):
    """When to give up for now."""

    deadline_s: float | None = None
    """On the monotonic clock; None for never."""
    attempts: int | None = None
    """How many failures in a row are too many; None for never."""

    def are_over(self, now_s: float) -> bool:
        """Say whether it is too late at that time."""
        return self.deadline_s is not None and now_s >= self.deadline_s


class Waits:
    """The failures since something was settled last, and the waits that they ask for."""

    def __init__(  # noqa: PLR0913  who has a part in it
        self,
        sources: Sources,
        backoff: Backoff,
        *,
        board: Board,
        lease: SenderLease,
        tally: Tally,
        floor: Floor,
    ) -> None:
        """Begin without any.

        Args:
            sources: of time, and of the jitter.
            backoff: how long to wait.
            board: where it is written what stands in the way.
            lease: kept while it is waited.
            tally: is told which draft waits, why, and for how long.
            floor: before which nothing is asked (S8).
        """
        self._clock = sources.clock
        self._randomness = sources.randomness
        self._backoff = backoff
        self._board = board
        self._lease = lease
        self._tally = tally
        self.failures = Failures()
        self.problem = ""
        """What stands in the way."""
        self._floor = floor

    def now_s(self) -> float:
        """Return the time on the monotonic clock, in seconds."""
        return self._clock.monotonic_s()

    @property
    def floor_s(self) -> float:
        """How long the remote is to be left alone yet, in seconds; not above 0: no longer."""
        return self._floor.left_s

    def begin(self) -> None:
        """Forget the failures before, but not what is still waited for."""
        self.failures = Failures()
        self.problem = self._floor.problem

    def recover(self) -> None:
        """Note that a draft was settled: whatever had failed before works again."""
        self._board.write(last_error="")
        if self.failures.all:
            _log.info("sending goes on, after %d attempts that failed", self.failures.all)
        self.failures = Failures()

    def after(
        self, draft: Draft, outcome: Unsettled, bounds: Bounds
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Wait for the next attempt; return why not, if not.

        Args:
            draft: the draft that was tried to be sent.
            outcome: why it has to wait.
            bounds: when to give up.
        """
        kind = kind_of(outcome)
        self.problem = problem = outcome.problem
        self.failures = self.failures.and_another(kind)
        asked_s = outcome.retry_after_s if isinstance(outcome, Wait) else None
        delay_s = self._backoff.delay_s(self.failures.of(kind), self._randomness, asked_s, kind)
        if isinstance(outcome, Unknown) and outcome.is_offline:
            self._board.write(online=False)  # somebody on the way has answered
        self._floor.heed(outcome, delay_s)
        is_over = bounds.attempts is not None and self.failures.all >= bounds.attempts
        level = ERROR if kind == "misconfigured" else WARNING  # the first one only is loud
        what = "it is not tried again for now" if is_over else f"again in {delay_s:.1f} s"
        _log.log(level if self.failures.all == 1 else DEBUG, "%s: %s", what, problem)
        if is_over:
            self._board.write(last_error=problem)
            return "unreachable"
        return (yield from self.until_next(draft, delay_s, bounds))

    def until_floor(self, draft: Draft, bounds: Bounds) -> Generator[Effect, Any, StoppedBy | None]:
        """Wait as long as the remote is to be left alone, whoever was told so."""
        self.problem = self._floor.problem or self.problem
        return (yield from self.until_next(draft, self.floor_s, bounds))

    def until_next(
        self, draft: Draft, delay_s: float, bounds: Bounds
    ) -> Generator[Effect, Any, StoppedBy | None]:
        """Wait for the next attempt, unless that is beyond the deadline."""
        if bounds.are_over(self.now_s() + delay_s):
            return "timeout"
        self._tally.say("waiting", draft, self.problem, delay_s)
        self._board.write(last_error=self.problem, next_attempt_s=delay_s)
        has_stopped = yield from self._paused(delay_s)
        return "stop" if has_stopped else None

    def _paused(self, delay_s: float) -> Generator[Effect, Any, bool]:
        """Wait, but no longer than there is a reason to; say whether to stop.

        A nudge ends it, an append after a quarter of it, and a machine that wakes from a
        suspension, which the monotonic clock has slept through; but nothing does before the
        remote is ready (S8).
        """
        floor_s = self.floor_s
        append_s = max(floor_s, delay_s / 4)
        waited_s = 0.0
        while waited_s < delay_s:
            began_us = self._clock.now_us()
            slice_s = min(SLICE_S, self._lease.lease_s / 4, delay_s - waited_s)
            after = self._tally.queue.position if waited_s >= append_s else None
            woken = yield Pause(slice_s, max(floor_s - waited_s, 0.0), after)
            waited_s += slice_s
            if woken == "stop":
                return True
            lag_s = (self._clock.now_us() - began_us) / 1e6 - slice_s
            if woken in {"nudge", "append"} or (lag_s > SUSPENDED_S and waited_s > floor_s):
                return False
            if self._lease.fence is not None:
                yield Call(self._lease.keep)
        return False
