"""What both subscribers are made of; they differ only in how they carry out an effect.

What is done is in `session`.
"""

from __future__ import annotations

from logging import getLogger
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from journal.checkpoint import Checkpoint
from journal.errors import InvalidValueError, JournalError, SubscriberBusyError, shown
from journal.policies import Policies
from journal.remotes.wire import Limits
from journal.sync.backoff import Backoff
from journal.sync.hooks import Hook
from journal.sync.receiving import Receiver
from journal.sync.session import Session
from journal.sync.settings import Settings
from journal.sync.status import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journal.drafts import OnHeld
    from journal.journal import Journal
    from journal.remotes.remote import Remote
    from journal.sync.effects import Effect, Listen, Pause, Woken
    from journal.sync.reports import (
        Progress,
        Report,
        Spans,
        SyncStatus,
    )

_Client = TypeVar("_Client")
_LONG_S: Final = 3600.0
_log = getLogger("journal.sync")


class AnySubscriber(Receiver, Generic[_Client]):
    """What is the same for both, how they are made above all."""

    def __init__(  # noqa: PLR0913  keywords, each with a safe default
        self,
        journal: Journal,
        remote: Remote,
        *,
        on_held: OnHeld = "lane",
        attempts: int = 5,
        backoff: Backoff | None = None,
        limits: Limits | None = None,
        lease_s: float | None = None,
        progress: Callable[[Progress], None] | None = None,
        on_status: Callable[[SyncStatus], None] | None = None,
        spans: Spans | None = None,
        conflicts: Policies | None = None,
        rejections: int | None = 5,
        doubts: int | None = 20,
        client: _Client | None = None,
    ) -> None:
        """Send the drafts of the journal to the remote.

        Args:
            journal: whose drafts are sent.
            remote: where they are sent to.
            on_held: whether a held draft holds its ``lane`` only, or all must ``stop``.
            attempts: how often in a row `drain` tries before it gives up for now.
            backoff: how long to wait between attempts.
            limits: how long a request may take, and how large an answer may be.
            lease_s: how long it may show no sign of life before another sender takes over, in
                seconds; twice as long as a request may take otherwise.
            progress: called with what is being done, in a thread of its own; what it raises is
                logged, and where it is slow, it misses the oldest.
            on_status: called with every change of the status, in the same way.
            spans: traces pushes, such as `journal.sync.telemetry.push_spans`.
            conflicts: the policies that decide conflicts; those of the remote's profile
                otherwise.
            rejections: how many drafts rejected in a row stop the queue; None for never.
            doubts: how often in a row it may be open what came of a draft, with the remote
                answering, before it is held; None for never.
            client: of httpx, to use instead of one of our own; it is not closed.

        Raises:
            InvalidNameError: `on_held` is neither ``lane`` nor ``stop``.
            InvalidValueError: `attempts`, `rejections` or `doubts` is no number of times.
        """
        self._journal = journal
        self._remote = remote
        self._limits = limits or Limits.of(remote)
        progress_hook = None if progress is None else Hook(progress, "progress")
        status_hook = None if on_status is None else Hook(on_status, "status")
        self._hooks = [hook for hook in (progress_hook, status_hook) if hook is not None]
        self._board = Board(journal.sources.clock, status_hook)
        settings = Settings(
            on_held,
            backoff or Backoff(),
            attempts,
            conflicts or _policies_of(remote),
            rejections,
            self._limits.timeout_s,
            lease_s,
            doubts,
        ).checked()
        super().__init__(journal, remote, settings)
        self._session = Session(
            journal,
            remote,
            settings,
            Checkpoint(journal.log),
            progress_hook,
            board=self._board,
            spans=spans,
            floor=self._floor,
        )
        self._client = client
        self._stop = Event()
        self._wake = Event()
        self._in_use = Lock()
        self._settings = settings

    @property
    def status(self) -> SyncStatus:
        """How it is doing now."""
        return self._board.now()

    def nudge(self) -> None:
        """Try again now, where it waits: the network is back, or a mistake is mended.

        It may be called in any thread. A remote that asked for patience is not asked earlier.
        """
        self._wake.set()

    # --- the beginning, and the end ------------------------------------------------------

    def _claim(self) -> None:
        """Begin to send; nobody else may until `_yield_up` (S1)."""
        if not self._in_use.acquire(blocking=False):
            raise SubscriberBusyError("the subscriber is sending already", hint="stop it first")
        self._stop.clear()
        self._wake.clear()
        self._board.open()
        self._board.write(is_running=True)

    def _yield_up(self) -> None:
        """End to send, whatever it was that ended it; this neither waits nor fails."""
        self._session.lease.release()
        self._board.write(
            is_running=False, is_leader=False, leader="", sending=None, next_attempt_s=None
        )
        for hook in self._hooks:
            hook.end()
        self._in_use.release()

    def _ask_to_stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._stop_pull.set()

    def _flush(self) -> None:
        """Wait, for a while, until the callbacks know everything."""
        for hook in self._hooks:
            hook.flush()

    @property
    def _is_callback(self) -> bool:
        """Whether it is a callback that asks."""
        return any(hook.is_calling for hook in self._hooks)

    def _rested_in_pull(self, pause: Pause) -> Woken:
        """Wait between two attempts of a pull, blocking; return what ended the wait."""
        return "stop" if self._stop_pull.wait(pause.seconds) else "time"

    # --- what is carried out -------------------------------------------------------------

    def _ended_by(self, error: BaseException) -> None:
        """Tell, where the status is read and in the log of the program, what has ended it."""
        said = error.problem if isinstance(error, JournalError) else type(error).__name__
        self._board.write(last_error=f"the subscriber has ended: {said}", sending=None)
        _log.error("the subscriber of %r has ended", self._remote, exc_info=error)

    def _draining(self, timeout_s: float | None) -> Generator[Effect, Any, Report]:
        if timeout_s is not None and not timeout_s >= 0:
            problem = f"{shown(str(timeout_s))} is no time to wait"
            raise InvalidValueError("timeout_s", problem, hint="give seconds, from 0")
        now_s = self._journal.sources.clock.monotonic_s()
        deadline_s = None if timeout_s is None else now_s + timeout_s
        return self._session.drain(deadline_s, self._stop.is_set)

    def _running(self) -> Generator[Effect, Any, None]:
        return self._session.run(self._stop.is_set)

    def _rested(self, pause: Pause) -> Woken:
        """Wait, blocking; return what ended the wait."""
        sure_s = pause.seconds if pause.at_least_s is None else pause.at_least_s
        sure_s = min(sure_s, pause.seconds)
        if self._stop.wait(sure_s):
            return "stop"
        if (left_s := pause.seconds - sure_s) <= 0:
            return "time"
        is_append = False
        if pause.after is None:
            self._wake.wait(left_s)
        else:
            is_append = self._journal.log.wait(pause.after, left_s, self._wake) > pause.after
        is_nudged = self._wake.is_set()
        self._wake.clear()
        if self._stop.is_set():
            return "stop"
        return "nudge" if is_nudged else "append" if is_append else "time"

    def _listened(self, listen: Listen) -> Woken:
        """Wait for an entry, blocking; return what ended the wait."""
        self._journal.log.wait(listen.after, _LONG_S, self._stop)
        return "stop" if self._stop.is_set() else "append"

    def __repr__(self) -> str:
        """Show where drafts are sent to."""
        return f"{type(self).__name__}({self._remote!r})"


def _policies_of(remote: Remote) -> Policies:
    """Return what the remote's profile says of conflicts, where it has one."""
    profile = getattr(remote, "profile", None)
    return Policies() if profile is None else profile.conflicts
