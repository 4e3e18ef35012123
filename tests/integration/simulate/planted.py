"""Mistakes that a sender, a remote or a log could make, planted by small wrappers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.checkpoint import Checkpoint
from journal.log.recorder import RowRecorder
from journal.outcomes import Acknowledged, Unknown, Wait
from journal.remotes import HttpRemote
from journal.sync.session import Session
from journal.testing.simulate import REAL, Parts
from journal.testing.simulate.together import TogetherRemote

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from journal.journal import Journal
    from journal.log import Fence, Row
    from journal.log.chain import Unsealed
    from journal.outcomes import Outcome
    from journal.remotes.profiles import Profile
    from journal.remotes.remote import Answer, Push, Remote, Request
    from journal.sources import Clock
    from journal.sync.reports import Spans
    from journal.sync.settings import Settings
    from journal.sync.status import Board
    from journal.testing.simulate import Knobs


class Credulous(HttpRemote):
    """Takes every draft whose outcome is not known for done."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft."""
        outcome = yield from super().push(push)
        return Acknowledged("answer") if isinstance(outcome, Unknown) else outcome


class Forgetful(HttpRemote):
    """Never looks first, whatever may have been applied."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft."""
        return super().push(push._replace(is_maybe_applied=False, is_doubted=False, age_s=0.0))


class Unconditional(HttpRemote):
    """Sends changes without a condition."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft."""
        exchange = super().push(push)
        try:
            request = next(exchange)
            while True:
                kept = {n: v for n, v in request.headers.items() if not n.startswith("If-")}
                request = exchange.send((yield request._replace(headers=kept)))
        except StopIteration as ended:
            outcome: Outcome = ended.value
            return outcome


class Impatient(Session):
    """Does not heed for how long a remote asks to be left alone."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  a session's
        """Send."""
        super().__init__(*given, **named)
        after = self._waits.after

        def hurried(draft: Any, outcome: Any, bounds: Any) -> Any:  # noqa: ANN401  of the method
            if isinstance(outcome, Wait):
                outcome = outcome._replace(retry_after_s=None)
            return after(draft, outcome, bounds)

        self._waits.after = hurried  # type: ignore[method-assign]


class Careless(Session):
    """Notes that everything is settled up to where it has read."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  a session's
        """Send."""
        super().__init__(*given, **named)
        ledger = self._ledger
        ledger.save = lambda: ledger._checkpoint.save(ledger.queue.position)  # type: ignore[method-assign]


class Deaf(Session):
    """Reads on before it waits, and so misses what was appended since it last looked."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  a session's
        """Send."""
        super().__init__(*given, **named)
        ledger, save = self._ledger, self._ledger.save

        def saved() -> None:
            ledger._catch_up()
            save()

        ledger.save = saved  # type: ignore[method-assign]


class Unfenced(RowRecorder):
    """A log adapter that takes what it is given from whoever has lost the lease."""

    def __init__(self, below: RowRecorder) -> None:
        """Store there."""
        self._below = below
        self.journal_id = below.journal_id

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  the other's
        if name in {"append", "_below", "__class__"}:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_below"), name)

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows, whoever asks for it."""
        del fence
        return self._below.append(rows, head)

    def _never(self, *_: Any) -> Any:  # noqa: ANN401
        raise NotImplementedError

    rows = stream_rows = row_of = head = wait = problems = close = _never  # type: ignore[assignment]
    views = leases = property(_never)


def with_remote(kind: type[HttpRemote]) -> Parts:
    """Return parts whose remote is of that kind, where drafts go one by one."""

    def made(profile: Profile, knobs: Knobs, bearer: Callable[[], str], clock: Clock) -> Remote:
        if knobs.dialect == "together":
            return TogetherRemote(profile, knobs.most_together, bearer=bearer, clock=clock)
        return kind(profile, environ={}, bearer=bearer, clock=clock)

    return REAL._replace(remote=made)


def with_session(kind: type[Session]) -> Parts:
    """Return parts whose sender is of that kind."""

    def made(
        journal: Journal, remote: Remote, settings: Settings, board: Board, spans: Spans
    ) -> Session:
        checkpoint = Checkpoint(journal.log)
        return kind(journal, remote, settings, checkpoint, None, board=board, spans=spans)

    return REAL._replace(session=made)
