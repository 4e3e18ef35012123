"""Carries drafts to the remote, one alone, or several in one request; it does no waiting.

- S1. One request is in flight at a time: with the first draft that nothing holds back (Q2, Q3),
  or also with those that come next, in order, where the remote keeps that order.
- A draft that may be applied goes alone: it is looked up first. So does the one that is tried
  again after a failure: an offline night begins no others.
- What was begun with others, and did not go, is pending again, durably: it can be amended.
- The drafts of a batch that the remote binds go together even then, and never alone.

It knows nothing of what comes after: of waits, and of who sends.
"""

from __future__ import annotations

from itertools import zip_longest
from logging import getLogger
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from journal.errors import LeaseLostError, ProfileError, RemoteError
from journal.events import FieldMessage
from journal.outcomes import (
    Acknowledged,
    NotSent,
    Outcome,
    Refused,
    Settled,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.remotes.remote import Response, batching
from journal.sync.effects import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journal.conflicts import Resolved
    from journal.drafts import Draft
    from journal.remotes.remote import Answer, Push, Remote, Request
    from journal.sync.doubts import Doubts
    from journal.sync.effects import Effect
    from journal.sync.lease import SenderLease
    from journal.sync.ledger import Ledger
    from journal.sync.reports import PushSpan, Spans
    from journal.sync.status import Board
    from journal.sync.tally import Tally

Became: TypeAlias = "Outcome | Resolved | None"
"""What became of a draft; None where somebody else has settled it."""
_Result = TypeVar("_Result")
_log = getLogger("journal.sync")


class Delivery:
    """How drafts get to a remote, and what became of them into the journal."""

    def __init__(  # noqa: PLR0913  who has a part in it
        self,
        remote: Remote,
        ledger: Ledger,
        lease: SenderLease,
        *,
        board: Board,
        tally: Tally,
        doubts: Doubts,
        spans: Spans | None,
    ) -> None:
        """Deliver to that remote.

        Args:
            remote: where to.
            ledger: where it is noted.
            lease: without which no request leaves.
            board: where it is written what is being sent.
            tally: is told of each step.
            doubts: ends what would be in doubt for ever.
            spans: traces pushes, where there is a tracer.
        """
        self._remote = remote
        self._batching = batching(remote)
        self._ledger = ledger
        self._lease = lease
        self._board = board
        self._tally = tally
        self._doubts = doubts
        self._spans = spans
        self._has_failed = False
        """Whether the last attempt has settled nothing, though the remote was asked."""

    def sent(
        self, draft: Draft, attempts: int, may_go_on: Callable[[], bool]
    ) -> Generator[Effect, Any, list[tuple[Draft, Became]]]:
        """Send the draft that is next, and those that can go with it; append what became of them.

        Args:
            draft: the draft.
            attempts: how often it was tried to be sent, with this time.
            may_go_on: says whether the next one may be begun at once.
        """
        pushes = yield from self._together(draft)
        if pushes is None:
            return [(draft, None)]
        if len(pushes) > 1:
            return (yield from self._sent_together(pushes, attempts))
        return [(draft, (yield from self._sent(draft, attempts, may_go_on)))]

    # --- one draft -----------------------------------------------------------------------

    def _sent(
        self, draft: Draft, attempts: int, may_go_on: Callable[[], bool]
    ) -> Generator[Effect, Any, Became]:
        """Send one draft and append what became of it (S2, S3)."""
        self._tally.say("sending", draft)
        push = yield Call(lambda: self._ledger.started(draft))
        if push is None:
            return None
        self._leaves([draft])
        (span,) = yield from self._begun_spans([draft])
        outcome: Outcome | None = None
        try:
            self._doubts.begin(push.draft_id, push.revision, push.age_s)
            outcome = self._doubts.judged((yield from self._pushed(push)))
        finally:
            self._board.write(sending=None)
            _end(span, outcome)
        self._has_failed = self._doubts.has_asked and not isinstance(outcome, Settled)
        if self._is_unsent(outcome) and not push.is_maybe_applied:
            self._ledger.leaves(draft, has_left=False)
        if not isinstance(outcome, Settled):
            return outcome
        with_next = isinstance(outcome, Acknowledged) and may_go_on()
        became: list[Became] = yield Call(
            lambda: self._ledger.settled([(draft, outcome)], attempts, with_next=with_next)
        )
        return became[0]

    def _leaves(self, drafts: list[Draft]) -> None:
        """Note that a request with these drafts is about to leave."""
        self._tally.attempts += len(drafts)
        for draft in drafts:
            self._ledger.leaves(draft, has_left=True)
        self._board.write(sending=drafts[0], next_attempt_s=None)

    def _pushed(self, push: Push) -> Generator[Effect, Any, Outcome]:
        """Let the remote send the draft; return the outcome."""
        return (yield from self._survived(lambda: self._remote.push(push), push))

    # --- several -------------------------------------------------------------------------

    def _together(self, draft: Draft) -> Generator[Effect, Any, list[tuple[Draft, Push]] | None]:
        """Return the drafts that go in the next request, where it is not that one alone.

        None where a batch that has to be whole is not, for somebody else has settled a part of it.
        """
        remote = self._batching
        if remote is None or remote.most_together < 2:  # noqa: PLR2004  that is one alone
            return []
        most = remote.most_together
        pushes: list[tuple[Draft, Push]] = yield Call(lambda: self._pushes(draft, most))
        if pushes and len(pushes) < min(pushes[0][1].batch_size, most):
            return None
        is_alone = self._has_failed and pushes[0][1].batch_size == 1
        if len(pushes) < 2 or is_alone:  # noqa: PLR2004  as above
            return []
        try:
            return pushes[: remote.together([push for _, push in pushes])]
        except Exception:  # noqa: BLE001  it is logged, and the draft is sent alone
            _log.exception("the remote failed to say what it can take together")
            return []

    def _pushes(self, draft: Draft, most: int) -> list[tuple[Draft, Push]]:
        """Return the drafts that may go together, as they would be sent; that one is the first."""
        found: list[tuple[Draft, Push]] = []
        for following in self._ledger.next_together(most):
            push = self._ledger.push_of(following)
            if push is None or (not found and following.draft_id != draft.draft_id):
                break
            found.append((following, push))
        return found

    def _sent_together(
        self, pushes: list[tuple[Draft, Push]], attempts: int
    ) -> Generator[Effect, Any, list[tuple[Draft, Became]]]:
        """Send drafts in one request, and append what became of them in one append (S2, S3)."""
        drafts = [draft for draft, _ in pushes]
        for draft in drafts:
            self._tally.say("sending", draft)
        if not (yield Call(lambda: self._ledger.begin(drafts))):
            return [(drafts[0], None)]
        self._leaves(drafts)
        for draft in drafts:
            self._ledger.asks(draft.draft_id)
        spans = yield from self._begun_spans(drafts)
        outcomes: list[Outcome | None] = []
        first = pushes[0][1]
        try:
            self._doubts.begin(first.draft_id, first.revision, first.age_s)
            outcomes = yield from self._pushed_together([push for _, push in pushes])
            if first.batch_size > 1:
                outcomes = self._judged(outcomes)
        finally:
            self._board.write(sending=None)
            for at, span in enumerate(spans):
                _end(span, outcomes[at] if at < len(outcomes) else None)
        told = [(d, o) for d, o in zip(drafts, outcomes, strict=False) if o is not None]
        back = self._kept(pushes, outcomes)
        settled = [(draft, outcome) for draft, outcome in told if isinstance(outcome, Settled)]
        self._has_failed = self._doubts.has_asked and not settled
        became: list[Became] = yield Call(
            lambda: self._ledger.settled(settled, attempts, with_next=False, back=back)
        )
        left = iter(became)
        return [(draft, next(left) if isinstance(o, Settled) else o) for draft, o in told]

    def _kept(
        self, pushes: list[tuple[Draft, Push]], outcomes: list[Outcome | None]
    ) -> list[Draft]:
        """Note which drafts did not go; return those that are to be pending again.

        The first that failed is begun for the next time; so is a batch that is bound, unless one
        of it is refused: the others can be amended then.
        """
        back: list[Draft] = []
        is_refused = pushes[0][1].batch_size > 1 and any(isinstance(o, Refused) for o in outcomes)
        for at, ((draft, push), outcome) in enumerate(zip_longest(pushes, outcomes)):
            is_held_up = is_refused and at < len(outcomes) and outcome is None
            if is_held_up or (at and push.batch_size == 1 and self._is_unsent(outcome)):
                back.append(draft)
            elif self._is_unsent(outcome) and not push.is_maybe_applied:
                self._ledger.leaves(draft, has_left=False)
        return back

    def _judged(self, outcomes: list[Outcome | None]) -> list[Outcome | None]:
        """Return the outcomes of a batch, the first of which may have been in doubt too often."""
        at = next(at for at, outcome in enumerate(outcomes) if outcome is not None)
        outcome = outcomes[at]
        judged = None if outcome is None else self._doubts.judged(outcome)
        return [*outcomes[:at], judged, *outcomes[at + 1 :]]

    def _is_unsent(self, outcome: Outcome | None) -> bool:
        """Say whether it is certain that no request has carried a draft out."""
        is_kept_back = isinstance(outcome, Wait | Unauthorized) and not self._doubts.has_written
        return outcome is None or isinstance(outcome, NotSent) or is_kept_back

    def _pushed_together(self, pushes: list[Push]) -> Generator[Effect, Any, list[Outcome | None]]:
        """Let the remote send the drafts; return the outcomes of the first of them."""
        found = yield from self._survived(lambda: self._listed(pushes), pushes[0])
        if isinstance(found, Refused | Unauthorized) and self._doubts.has_written:
            found = Unknown("the remote failed when a request had left already")
        if isinstance(found, Unknown):
            return [found] * len(pushes)
        if not isinstance(found, list):
            return [found]
        if len(found) > len(pushes) or all(outcome is None for outcome in found):
            _log.error("the remote gave %d outcomes of %d drafts", len(found), len(pushes))
            return [Unknown("the remote did not say what became of each draft")] * len(pushes)
        return found

    def _listed(self, pushes: list[Push]) -> Generator[Request, Answer, list[Outcome | None]]:
        remote = self._batching
        assert remote is not None  # noqa: S101  it has said that they can go together
        return list((yield from remote.push_together(pushes)))

    # --- the exchange --------------------------------------------------------------------

    def _survived(
        self, begin: Callable[[], Generator[Request, Answer, _Result]], push: Push
    ) -> Generator[Effect, Any, _Result | Refused | Unauthorized | Unknown]:
        """Let the remote do something; return what came of it.

        A remote that breaks, a host's own among them, does not end the subscriber: what came of
        the draft is unknown then, and it is tried again.
        """
        try:
            return (yield from self._exchanged(begin(), push))
        except RemoteError as error:
            is_open = push.is_maybe_applied or self._doubts.has_written
            said = (FieldMessage(message=str(error)),)
            return Refused("unknown" if is_open else "rejected", said)
        except ProfileError as error:
            return Unauthorized(str(error))
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  it is logged, and the draft tried again
            _log.exception("the remote failed at %s of %s", push.kind, push.ref)
            return Unknown(f"the remote failed: {type(error).__name__}")

    def _exchanged(
        self, exchange: Generator[Request, Answer, _Result], push: Push
    ) -> Generator[Effect, Any, _Result]:
        """Let requests out only while the lease outlasts them (O4); note who answers."""
        try:
            request = next(exchange)
            while True:
                if not self._lease.is_fresh:
                    yield Call(self._lease.keep)
                if self._doubts.is_looked_up_before(request):
                    yield Call(lambda: self._ledger.looked(push.draft_id))
                self._ledger.asks(push.draft_id)
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

    def _begun_spans(self, drafts: list[Draft]) -> Generator[Effect, Any, list[PushSpan | None]]:
        """Begin to trace pushes, each in the trace in which its change was made."""
        if self._spans is None:
            return [None] * len(drafts)
        traces = yield Call(lambda: list(map(self._ledger.trace_of, drafts)))
        return list(map(self._span, drafts, traces))

    def _span(self, draft: Draft, trace: str | None) -> PushSpan | None:
        try:
            return None if self._spans is None else self._spans(draft, trace)
        except Exception:  # noqa: BLE001  tracing ends nothing
            _log.exception("a push could not be traced")
            return None


def _end(span: PushSpan | None, outcome: Outcome | None) -> None:
    try:
        if span is not None:
            span.end(outcome)
    except Exception:  # noqa: BLE001  tracing ends nothing
        _log.exception("a push could not be traced")
