"""The async subscriber: carries out the effects of a session in an event loop, never holding it up.

What blocks, the log above all, is done in a thread of its own.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self, TypeVar, assert_never

from journal.remotes.remote import Request
from journal.remotes.wire import AsyncClient, AsyncWire
from journal.sync.effects import Call, Listen, Pause
from journal.sync.following import settled
from journal.sync.subscriber import AnySubscriber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable
    from types import TracebackType

    from journal.sync.effects import Effect
    from journal.sync.reports import (
        DescribeReport,
        PullProgress,
        PullReport,
        Report,
        Settlement,
        SyncStatus,
    )
    from journal.values import Ref

_Result = TypeVar("_Result")


class AsyncSubscriber(AnySubscriber[AsyncClient]):
    """Sends pending drafts to a remote, async; `start` does so in a task.

    Cancelled, wherever it is, it leaves no half state, and releases the lease.
    """

    _task: asyncio.Task[None] | None = None
    _own_wire: AsyncWire | None = None

    @cached_property
    def _threads(self) -> dict[bool, ThreadPoolExecutor]:
        """The threads in which it waits: one for what is sent, and one for pulls."""
        return {}

    @cached_property
    def _ending(self) -> list[ThreadPoolExecutor]:
        """Those in which nobody waits any more."""
        return []

    @property
    def _wire(self) -> AsyncWire:
        if self._own_wire is None:
            self._own_wire = AsyncWire(self._remote, self._limits, self._client)
        return self._own_wire

    async def drain(self, timeout_s: float | None = None) -> Report:
        """Send until nothing is left, or nothing more can be done for now; as `Subscriber.drain`.

        Args:
            timeout_s: when to give up, in seconds, after the draft in flight.

        Raises:
            LogError: the log could not be read or written.
            SubscriberBusyError: it is sending already.
        """
        self._claim()
        try:
            report = await self._driven(self._draining(timeout_s))
        finally:
            self._yield_up()
        await self._in_thread(self._flush)
        return report

    async def pull(
        self,
        record_types: Iterable[str] | None = None,
        *,
        limit_pages: int | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> PullReport:
        """Store what has changed at the remote since the last pull; as `Subscriber.pull`.

        Cancelled, it has stored whole pages only.

        Args:
            record_types: what to pull; the types that the profile names otherwise.
            limit_pages: how many pages to store at most; None for all there are.
            progress: called after every page, and before every wait, in a thread of its own.

        Raises:
            ProfileError: the profile does not say how the service lists its changes.
            RemoteError: the remote is none that lists its changes.
            SubscriberBusyError: it is pulling already.
            LogError: the log could not be read or written.
        """
        with self._pulling(record_types, limit_pages, progress) as (effects, flush):
            report = await self._driven(effects, self._carried_out_in_pull)
            await self._in_thread(flush, in_pull=True)
        return report

    async def prime(
        self,
        query: str,
        *,
        limit_pages: int | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> PullReport:
        """Store what a query lists, page by page; as `Subscriber.prime`.

        Cancelled, it has stored whole pages only.

        Args:
            query: in the language of the remote, such as SOQL.
            limit_pages: how many pages to store at most; None for all there are.
            progress: called after every page, and before every wait, in a thread of its own.

        Raises:
            QueryError: it is no query, or not one for whole records.
            RemoteError: the remote cannot be queried.
            SubscriberBusyError: it is pulling already.
            LogError: the log could not be read or written.
        """
        with self._priming(query, limit_pages, progress) as (effects, flush):
            report = await self._driven(effects, self._carried_out_in_pull)
            await self._in_thread(flush, in_pull=True)
        return report

    async def describe(self, record_types: Iterable[str] | None = None) -> DescribeReport:
        """Ask the remote what its record types are, and keep it; as `Subscriber.describe`.

        Args:
            record_types: what to ask for; the types that the profile names otherwise.

        Raises:
            ProfileError: no type is named.
            RemoteError: the remote does not describe its types.
            SubscriberBusyError: it is pulling already.
            LogError: the catalogue could not be written.
        """
        with self._describing(record_types) as effects:
            return await self._driven(effects, self._carried_out_in_pull)

    def start(self) -> Self:
        """Send in a task of the running loop, for ever.

        Raises:
            SubscriberBusyError: it is sending already.
        """
        loop = asyncio.get_running_loop()
        self._claim()
        self._task = loop.create_task(self._run(), name="journal-subscriber")
        self._task.add_done_callback(self._ended)
        return self

    def _ended(self, _: asyncio.Task[None]) -> None:
        """End to send, also where the loop ends, and nobody is there to close it."""
        self._yield_up()
        threads = self._threads.pop(False, None)
        if threads is not None:
            threads.shutdown(wait=False)
            self._ending[:] = [threads]

    async def _run(self) -> None:
        try:
            await self._driven(self._running())
        except Exception as error:
            self._ended_by(error)
            raise

    async def stop(self) -> None:
        """Stop, after the draft in flight, and release the lease; twice changes nothing.

        Raises:
            JournalError: what ended the subscriber, where it had ended before.
        """
        self._ask_to_stop()
        task = self._task
        if task is None:
            return
        await asyncio.wait([task])
        self._task = None
        await self._in_thread(self._flush)
        if not task.cancelled():
            task.result()

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self._task is not None and not self._task.done()

    async def watch(self) -> AsyncIterator[SyncStatus]:
        """Yield the status, and again whenever it has changed since, until it is closed.

        Whoever is slow sees the latest, and not every one in between.
        """
        loop, changed, seen = asyncio.get_running_loop(), asyncio.Event(), -1

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(changed.set)

        self._board.listen(tell)
        try:
            while True:
                changed.clear()
                seen, status, is_closed = self._board.news(seen)
                if status is not None:
                    yield status
                if is_closed:
                    return
                await changed.wait()
        finally:
            self._board.forget(tell)

    async def wait_for(self, of: Ref | str, timeout_s: float | None = None) -> Settlement:
        """Wait until a draft is settled, by whichever sender; as `Subscriber.wait_for`.

        Args:
            of: the id of the draft; or a record, for all drafts that it has now.
            timeout_s: how long to wait, in seconds; None for as long as it takes.

        Raises:
            DraftMissingError: there has never been such a draft.
            StillPendingError: the time was up.
            LogError: the log could not be read.
        """
        loop, interrupt = asyncio.get_running_loop(), Event()
        future: asyncio.Future[Settlement] = loop.create_future()

        def tell(function: Callable[[Any], None], value: object) -> None:
            if not future.done():
                function(value)

        def follow() -> None:
            function: Callable[[Any], None]
            value: object
            try:
                value = settled(self._journal, of, timeout_s, interrupt)
                function = future.set_result
            except Exception as error:  # noqa: BLE001  for whoever waits
                function, value = future.set_exception, error
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(tell, function, value)

        Thread(target=follow, name="journal-wait", daemon=True).start()
        try:
            return await future
        finally:
            interrupt.set()

    async def _driven(
        self,
        effects: Generator[Effect, Any, _Result],
        carried_out: Callable[[Effect], Coroutine[Any, Any, Any]] | None = None,
    ) -> _Result:
        """Carry out the effects, one after another, without holding up the loop."""
        step = partial(effects.send, None)
        try:
            while True:
                effect = step()
                try:
                    step = partial(effects.send, await (carried_out or self._carried_out)(effect))
                except Exception as error:  # noqa: BLE001  for the session to judge
                    step = partial(effects.throw, error)
        except StopIteration as ended:
            returned: _Result = ended.value
            return returned
        finally:
            effects.close()

    async def _carried_out(self, effect: Effect) -> Any:  # noqa: ANN401  what the effect results in
        match effect:
            case Request():
                return await self._wire.exchange(effect)
            case Call(function):
                return await self._in_thread(function)
            case Pause():
                return await self._in_thread(partial(self._rested, effect))
            case Listen():
                return await self._in_thread(partial(self._listened, effect))
            case _:
                assert_never(effect)

    async def _carried_out_in_pull(self, effect: Effect) -> Any:  # noqa: ANN401  what it results in
        """Carry out an effect of a pull, in a thread of its own: it runs beside a push."""
        match effect:
            case Call(function):
                return await self._in_thread(function, in_pull=True)
            case Pause():
                return await self._in_thread(partial(self._rested_in_pull, effect), in_pull=True)
            case _:
                return await self._carried_out(effect)

    async def _in_thread(
        self, function: Callable[[], _Result], *, in_pull: bool = False
    ) -> _Result:
        """Call a function that blocks; a cancelled caller ends its wait, and never its write.

        It is called in a thread of the subscriber's own: in those of the loop, idle
        subscribers would take the room of everybody else.
        """
        if in_pull not in self._threads:
            name = "journal-pull" if in_pull else "journal-subscriber"
            self._threads[in_pull] = ThreadPoolExecutor(1, thread_name_prefix=name)
        called = asyncio.get_running_loop().run_in_executor(self._threads[in_pull], function)
        is_cancelled = False
        while not called.done():
            try:
                await asyncio.wait([called])
            except asyncio.CancelledError:
                is_cancelled = True
                if in_pull:
                    self._stop_pull.set()
                else:
                    self._ask_to_stop()
        if is_cancelled:
            called.exception()  # it has nobody left to tell
            raise asyncio.CancelledError
        return called.result()

    async def close(self) -> None:
        """Stop, close the connections, and end whoever watches."""
        try:
            await self.stop()
        finally:
            self._board.close()
            threads = [*self._threads.values(), *self._ending]
            self._threads.clear()
            self._ending.clear()
            for each in threads:
                each.shutdown()  # nothing is under way in it, but a page that is being stored
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
