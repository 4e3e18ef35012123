"""The subscribers: drive a session, blocking in a thread, or async in an event loop.

They differ only in how they carry out an effect; what is done is in `session`.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from logging import getLogger
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, assert_never

from journal.checkpoint import Checkpoint
from journal.conflicts import Policies
from journal.errors import SubscriberBusyError
from journal.remotes.remote import Request
from journal.remotes.wire import AsyncWire, Limits, Wire
from journal.sync.backoff import Backoff
from journal.sync.session import Call, Listen, Pause, Session, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from journal.drafts import OnHeld
    from journal.journal import Journal
    from journal.remotes.remote import Remote
    from journal.remotes.wire import AsyncClient, Client
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
        conflicts: Policies | None = None,
        rejections: int | None = 5,
    ) -> None:
        settings = Settings(
            on_held, backoff or Backoff(), attempts, conflicts or Policies(), rejections
        )
        self._journal = journal
        self._remote = remote
        self._limits = limits or _limits_of(remote)
        self._session = Session(journal, remote, settings, Checkpoint(journal.log), progress)
        self._stop = Event()
        self._in_use = Lock()

    def _claim(self) -> None:
        """Begin to send; nobody else may until `_in_use` is released (S1)."""
        if not self._in_use.acquire(blocking=False):
            raise SubscriberBusyError("the subscriber is sending already", hint="stop it first")
        self._stop.clear()

    def _draining(self, timeout_s: float | None) -> Generator[Effect, Any, Report]:
        now_s = self._journal.sources.clock.monotonic_s()
        deadline_s = None if timeout_s is None else now_s + timeout_s
        return self._session.drain(deadline_s, self._stop.is_set)

    def _running(self) -> Generator[Effect, Any, None]:
        return self._session.run(self._stop.is_set)

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
        conflicts: Policies | None = None,
        rejections: int | None = 5,
        client: Client | None = None,
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
            conflicts: the policies that decide conflicts; `merge` for all otherwise.
            rejections: how many drafts rejected in a row stop the queue; None for never.
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
            conflicts=conflicts,
            rejections=rejections,
        )
        self._wire = Wire(remote, self._limits, client)
        self._thread: Thread | None = None
        self._failure: BaseException | None = None

    def drain(self, timeout_s: float | None = None) -> Report:
        """Send until nothing is left, or nothing more can be done for now.

        Args:
            timeout_s: when to give up, in seconds, after the draft in flight; None for as long
                as it takes.

        Returns:
            What came of it; `Report.stopped_by` says why drafts are left, if any are.

        Raises:
            LogError: the log could not be read or written.
            SubscriberBusyError: it is sending already.
        """
        self._claim()
        try:
            return self._driven(self._draining(timeout_s))
        finally:
            self._in_use.release()

    def start(self) -> Self:
        """Send in the background, for ever: on every append, and again after every failure.

        Raises:
            SubscriberBusyError: it is sending already.
        """
        self._claim()
        self._failure = None
        self._thread = Thread(target=self._run, name="journal-subscriber", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self._driven(self._running())
        except BaseException as error:  # noqa: BLE001  raised again by stop()
            self._failure = error
            _log.exception("the subscriber of %r has ended", self._remote)
        finally:
            self._in_use.release()

    def stop(self) -> None:
        """Stop, after the draft in flight; a second time changes nothing.

        Called by the progress callback, it does not wait for that draft.

        Raises:
            JournalError: what ended the subscriber, where it had ended before.
        """
        self._stop.set()
        thread = self._thread
        if thread is None or thread is current_thread():
            return
        thread.join()
        self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self._thread is not None and self._thread.is_alive()

    def _driven(self, effects: Generator[Effect, Any, _Result]) -> _Result:
        """Carry out the effects, one after another, blocking."""
        step = partial(effects.send, None)
        while True:
            try:
                effect = step()
            except StopIteration as ended:
                returned: _Result = ended.value
                return returned
            try:
                step = partial(effects.send, self._carried_out(effect))
            except Exception as error:  # noqa: BLE001  for the session to judge
                step = partial(effects.throw, error)

    def _carried_out(self, effect: Effect) -> Any:  # noqa: ANN401  what the effect results in
        match effect:
            case Request():
                return self._wire.exchange(effect)
            case Call(function):
                return function()
            case Pause(seconds):
                return self._stop.wait(seconds)
            case Listen(after):
                self._journal.log.wait(after, _LONG_S, self._stop)
                return self._stop.is_set()
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
        conflicts: Policies | None = None,
        rejections: int | None = 5,
        client: AsyncClient | None = None,
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
            conflicts=conflicts,
            rejections=rejections,
        )
        self._wire = AsyncWire(remote, self._limits, client)
        self._task: asyncio.Task[None] | None = None
        self._threads: ThreadPoolExecutor | None = None

    async def drain(self, timeout_s: float | None = None) -> Report:
        """Send until nothing is left, or nothing more can be done for now.

        Args:
            timeout_s: when to give up, in seconds, after the draft in flight; None for as long
                as it takes.

        Returns:
            What came of it; `Report.stopped_by` says why drafts are left, if any are.

        Raises:
            LogError: the log could not be read or written.
            SubscriberBusyError: it is sending already.
        """
        self._claim()
        try:
            return await self._driven(self._draining(timeout_s))
        finally:
            self._in_use.release()

    def start(self) -> Self:
        """Send in a task of the running loop, for ever.

        Raises:
            SubscriberBusyError: it is sending already.
        """
        loop = asyncio.get_running_loop()
        self._claim()
        self._task = loop.create_task(self._run(), name="journal-subscriber")
        self._task.add_done_callback(lambda _: self._in_use.release())
        return self

    async def _run(self) -> None:
        try:
            await self._driven(self._running())
        except Exception:
            _log.exception("the subscriber of %r has ended", self._remote)
            raise

    async def stop(self) -> None:
        """Stop, after the draft in flight; a second time changes nothing.

        Raises:
            JournalError: what ended the subscriber, where it had ended before.
        """
        self._stop.set()
        task = self._task
        if task is None:
            return
        await asyncio.wait([task])
        self._task = None
        if not task.cancelled():
            task.result()

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self._task is not None and not self._task.done()

    async def _driven(self, effects: Generator[Effect, Any, _Result]) -> _Result:
        """Carry out the effects, one after another, without holding up the loop."""
        step = partial(effects.send, None)
        while True:
            try:
                effect = step()
            except StopIteration as ended:
                returned: _Result = ended.value
                return returned
            try:
                step = partial(effects.send, await self._carried_out(effect))
            except Exception as error:  # noqa: BLE001  for the session to judge
                step = partial(effects.throw, error)

    async def _carried_out(self, effect: Effect) -> Any:  # noqa: ANN401  what the effect results in
        match effect:
            case Request():
                return await self._wire.exchange(effect)
            case Call(function):
                return await self._in_thread(function)
            case Pause(seconds):
                return await self._in_thread(partial(self._stop.wait, seconds))
            case Listen(after):
                wait = partial(self._journal.log.wait, after, _LONG_S, self._stop)
                await self._in_thread(wait)
                return self._stop.is_set()
            case _:
                assert_never(effect)

    async def _in_thread(self, function: Callable[[], _Result]) -> _Result:
        """Call a function that blocks; a cancelled caller ends its wait, and never its write.

        It is called in a thread of the subscriber's own: in those of the loop, idle
        subscribers would take the room of everybody else.
        """
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="journal-subscriber")
        called = asyncio.get_running_loop().run_in_executor(self._threads, function)
        is_cancelled = False
        while not called.done():
            try:
                await asyncio.wait([called])
            except asyncio.CancelledError:
                is_cancelled = True
                self._stop.set()
        if is_cancelled:
            called.exception()  # it has nobody left to tell
            raise asyncio.CancelledError
        return called.result()

    async def close(self) -> None:
        """Stop, and close the connections."""
        try:
            await self.stop()
        finally:
            threads, self._threads = self._threads, None
            if threads is not None:
                threads.shutdown(wait=False)
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
