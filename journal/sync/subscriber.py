"""The subscribers: drive a session, blocking in a thread, or async in an event loop.

They differ only in how they carry out an effect; what is done is in `session`.
"""

from __future__ import annotations

import asyncio
from logging import getLogger
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, assert_never

from journal.errors import SubscriberBusyError
from journal.remotes.remote import Request
from journal.remotes.wire import AsyncWire, Limits, Wire
from journal.sync.backoff import Backoff
from journal.sync.checkpoint import Checkpoint
from journal.sync.session import Call, Listen, Pause, Session, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    import httpx

    from journal.drafts import OnHeld
    from journal.journal import Journal
    from journal.remotes.remote import Remote
    from journal.sync.session import Effect, Progress, Report

_Result = TypeVar("_Result")
_LONG_S: Final = 3600.0
_log = getLogger("journal.sync")


class _Subscriber:
    """What both subscribers are made of."""

    def __init__(  # noqa: PLR0913  keywords, each with a safe default
        self,
        journal: Journal,
        remote: Remote,
        *,
        on_held: OnHeld = "lane",
        attempts: int = 5,
        backoff: Backoff | None = None,
        limits: Limits | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        settings = Settings(on_held, backoff or Backoff(), attempts)
        self._journal = journal
        self._remote = remote
        self._limits = limits or _limits_of(remote)
        self._session = Session(journal, remote, settings, Checkpoint(journal.log), progress)
        self._stop = Event()

    def _deadline_s(self, timeout_s: float | None) -> float | None:
        now_s = self._journal.sources.clock.monotonic_s()
        return None if timeout_s is None else now_s + timeout_s

    def __repr__(self) -> str:
        """Show where drafts are sent to."""
        return f"{type(self).__name__}({self._remote!r})"


class Subscriber(_Subscriber):
    """Sends pending drafts to a remote, blocking; `start` does so in the background."""

    def __init__(  # noqa: PLR0913  keywords, each with a safe default
        self,
        journal: Journal,
        remote: Remote,
        *,
        on_held: OnHeld = "lane",
        attempts: int = 5,
        backoff: Backoff | None = None,
        limits: Limits | None = None,
        progress: Callable[[Progress], None] | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        """Send the drafts of the journal to the remote.

        Args:
            journal: whose drafts are sent.
            remote: where they are sent to.
            on_held: whether a held draft holds its ``lane`` only, or all must ``stop``.
            attempts: how often in a row `drain` tries before it gives up for now.
            backoff: how long to wait between attempts.
            limits: how long a request may take, and how large an answer may be.
            progress: called with what is being done; what it raises is logged.
            client: of httpx, to use instead of one of our own; it is not closed.
        """
        super().__init__(
            journal,
            remote,
            on_held=on_held,
            attempts=attempts,
            backoff=backoff,
            limits=limits,
            progress=progress,
        )
        self._wire = Wire(remote, journal.sources.clock, self._limits, client)
        self._thread: Thread | None = None
        self._failure: BaseException | None = None

    def drain(self, timeout_s: float | None = None) -> Report:
        """Send until nothing is left, or nothing more can be done for now.

        Args:
            timeout_s: when to give up, in seconds; None for as long as it takes.

        Returns:
            What came of it; `Report.stopped_by` says why drafts are left, if any are.

        Raises:
            LogError: the log could not be read or written.
            SubscriberBusyError: it runs in the background already.
        """
        if self._thread is not None:
            raise SubscriberBusyError(
                "the subscriber runs in the background already", hint="stop it first"
            )
        self._stop.clear()
        return self._driven(self._session.drain(self._deadline_s(timeout_s), self._stop.is_set))

    def start(self) -> Self:
        """Send in the background, for ever: on every append, and again after every failure.

        Raises:
            SubscriberBusyError: it runs in the background already.
        """
        if self._thread is not None:
            raise SubscriberBusyError(
                "the subscriber runs in the background already", hint="stop it first"
            )
        self._stop.clear()
        self._failure = None
        self._thread = Thread(target=self._run, name="journal-subscriber", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self._driven(self._session.run(self._stop.is_set))
        except BaseException as error:  # noqa: BLE001  raised again by stop()
            self._failure = error
            _log.exception("the subscriber of %r has ended", self._remote)

    def stop(self) -> None:
        """Stop, after the draft in flight; a second time changes nothing.

        Raises:
            JournalError: what ended the subscriber, where it had ended before.
        """
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self._thread is not None and self._thread.is_alive()

    def _driven(self, effects: Generator[Effect, Any, _Result]) -> _Result:
        """Carry out the effects, one after another, blocking."""
        result: Any = None
        while True:
            try:
                effect = effects.send(result)
            except StopIteration as ended:
                returned: _Result = ended.value
                return returned
            match effect:
                case Request():
                    result = self._wire.exchange(effect)
                case Call(function):
                    result = function()
                case Pause(seconds):
                    result = self._stop.wait(seconds)
                case Listen(after):
                    self._journal.log.wait(after, _LONG_S, self._stop)
                    result = self._stop.is_set()
                case _:
                    assert_never(effect)

    def close(self) -> None:
        """Stop, and close the connections."""
        try:
            self.stop()
        finally:
            self._wire.close()

    def __enter__(self) -> Self:
        """Return the subscriber, to be closed when the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and close the connections."""
        self.close()


class AsyncSubscriber(_Subscriber):
    """Sends pending drafts to a remote, async; `start` does so in a task."""

    def __init__(  # noqa: PLR0913  keywords, each with a safe default
        self,
        journal: Journal,
        remote: Remote,
        *,
        on_held: OnHeld = "lane",
        attempts: int = 5,
        backoff: Backoff | None = None,
        limits: Limits | None = None,
        progress: Callable[[Progress], None] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Send the drafts of the journal to the remote; the arguments are those of `Subscriber`."""
        super().__init__(
            journal,
            remote,
            on_held=on_held,
            attempts=attempts,
            backoff=backoff,
            limits=limits,
            progress=progress,
        )
        self._wire = AsyncWire(remote, self._limits, client)
        self._task: asyncio.Task[None] | None = None

    async def drain(self, timeout_s: float | None = None) -> Report:
        """Send until nothing is left, or nothing more can be done for now.

        Args:
            timeout_s: when to give up, in seconds; None for as long as it takes.

        Returns:
            What came of it; `Report.stopped_by` says why drafts are left, if any are.

        Raises:
            LogError: the log could not be read or written.
            SubscriberBusyError: it runs in the background already.
        """
        if self._task is not None:
            raise SubscriberBusyError(
                "the subscriber runs in the background already", hint="stop it first"
            )
        self._stop.clear()
        deadline_s = self._deadline_s(timeout_s)
        return await self._driven(self._session.drain(deadline_s, self._stop.is_set))

    def start(self) -> Self:
        """Send in a task of the running loop, for ever.

        Raises:
            SubscriberBusyError: it runs in the background already.
        """
        if self._task is not None:
            raise SubscriberBusyError(
                "the subscriber runs in the background already", hint="stop it first"
            )
        self._stop.clear()
        run = self._driven(self._session.run(self._stop.is_set))
        self._task = asyncio.get_running_loop().create_task(run, name="journal-subscriber")
        return self

    async def stop(self) -> None:
        """Stop, after the draft in flight; a second time changes nothing.

        Raises:
            JournalError: what ended the subscriber, where it had ended before.
        """
        self._stop.set()
        task, self._task = self._task, None
        if task is not None:
            await task

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self._task is not None and not self._task.done()

    async def _driven(self, effects: Generator[Effect, Any, _Result]) -> _Result:
        """Carry out the effects, one after another, without holding up the loop."""
        result: Any = None
        while True:
            try:
                effect = effects.send(result)
            except StopIteration as ended:
                returned: _Result = ended.value
                return returned
            match effect:
                case Request():
                    result = await self._wire.exchange(effect)
                case Call(function):
                    result = await self._in_thread(function)
                case Pause(seconds):
                    result = await self._in_thread(lambda: self._stop.wait(seconds))
                case Listen(after):
                    await self._in_thread(
                        lambda: self._journal.log.wait(after, _LONG_S, self._stop)
                    )
                    result = self._stop.is_set()
                case _:
                    assert_never(effect)

    async def _in_thread(self, function: Callable[[], _Result]) -> _Result:
        """Call a function that blocks; a cancelled caller ends its wait, and never its write."""
        try:
            return await asyncio.shield(asyncio.to_thread(function))
        except asyncio.CancelledError:
            self._stop.set()
            raise

    async def close(self) -> None:
        """Stop, and close the connections."""
        try:
            await self.stop()
        finally:
            await self._wire.close()

    async def __aenter__(self) -> Self:
        """Return the subscriber, to be closed when the block ends."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and close the connections."""
        await self.close()


def _limits_of(remote: Remote) -> Limits:
    """Return what the remote's profile says of limits, where it has one."""
    profile = getattr(remote, "profile", None)
    return Limits() if profile is None else Limits(profile.timeout_s, profile.max_bytes)
