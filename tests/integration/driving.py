"""Drives both subscribers by one interface, so that one suite of tests holds for both."""

from __future__ import annotations

import asyncio
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from journal.sync import AsyncSubscriber, Progress, Subscriber
from tests.integration.faults import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from journal import Journal
    from journal.remotes import Remote
    from journal.sync import PullProgress, PullReport, Report, Settlement, SyncStatus
    from journal.sync.reports import Step

_Result = TypeVar("_Result")


class Driven(Protocol):
    """A subscriber, whichever flavour it is."""

    def drain(self, timeout_s: float | None = None) -> Report:
        """Send what there is."""
        ...

    def pull(
        self,
        record_types: Iterable[str] | None = None,
        *,
        limit_pages: int | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> PullReport:
        """Store what has changed."""
        ...

    def start(self) -> object:
        """Send in the background."""
        ...

    def stop(self) -> None:
        """Stop that."""
        ...

    def close(self) -> None:
        """Stop, and close the connections."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        ...

    @property
    def status(self) -> SyncStatus:
        """How it is doing."""
        ...

    def nudge(self) -> None:
        """Let it try again now."""
        ...

    def watch(self) -> Iterator[SyncStatus]:
        """Yield the status whenever it has changed."""
        ...

    def wait_for(self, of: str, timeout_s: float | None = None) -> Settlement:
        """Wait until a draft is settled."""
        ...


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        """Run it."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="test-loop", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine in the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


class LoopedSubscriber:
    """An async subscriber, driven from outside of its loop."""

    def __init__(self, loop: Loop, journal: Journal, remote: Remote, **settings: Any) -> None:  # noqa: ANN401
        """Make it, to run in that loop."""
        self._loop = loop
        self.subscriber = AsyncSubscriber(journal, remote, **settings)

    def drain(self, timeout_s: float | None = None) -> Report:
        """Send what there is."""
        return self._loop.run(self.subscriber.drain(timeout_s))

    def pull(
        self,
        record_types: Iterable[str] | None = None,
        *,
        limit_pages: int | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> PullReport:
        """Store what has changed."""
        pulling = self.subscriber.pull(record_types, limit_pages=limit_pages, progress=progress)
        return self._loop.run(pulling)

    def start(self) -> None:
        """Send in the background."""

        async def started() -> None:
            self.subscriber.start()

        self._loop.run(started())

    def stop(self) -> None:
        """Stop that."""
        self._loop.run(self.subscriber.stop())

    def close(self) -> None:
        """Stop, and close the connections."""
        self._loop.run(self.subscriber.close())

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self.subscriber.is_running

    @property
    def status(self) -> SyncStatus:
        """How it is doing."""
        return self.subscriber.status

    def nudge(self) -> None:
        """Let it try again now."""
        self.subscriber.nudge()

    def watch(self) -> Iterator[SyncStatus]:
        """Yield the status whenever it has changed."""
        watching = self.subscriber.watch()
        while True:
            try:
                yield self._loop.run(anext(watching))  # type: ignore[arg-type]
            except StopAsyncIteration:
                return

    def wait_for(self, of: str, timeout_s: float | None = None) -> Settlement:
        """Wait until a draft is settled."""
        return self._loop.run(self.subscriber.wait_for(of, timeout_s))


class Flavour:
    """Makes subscribers of one flavour, and closes them in the end."""

    def __init__(self, *, is_async: bool) -> None:
        """Make blocking or async ones."""
        self.is_blocking = not is_async
        self._loop = Loop() if is_async else None
        self._made: list[Driven] = []

    def __call__(self, journal: Journal, remote: Remote, **settings: Any) -> Driven:  # noqa: ANN401
        """Make one."""
        made: Driven
        if self._loop is None:
            made = Subscriber(journal, remote, **settings)
        else:
            made = LoopedSubscriber(self._loop, journal, remote, **settings)
        self._made.append(made)
        return made

    def close(self) -> None:
        """Close all that were made; a second time changes nothing."""
        loop, self._loop = self._loop, None
        try:
            while self._made:
                self._made.pop(0).close()
        finally:
            if loop is not None:
                loop.close()


class Watch:
    """Keeps what a subscriber says that it does, and waits for it."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.said: list[Progress] = []
        self._new: Queue[Progress] = Queue()

    def __call__(self, progress: Progress) -> None:
        """Note it."""
        self.said.append(progress)
        self._new.put(progress)

    def wait_for(self, step: Step, times: int = 1) -> Progress:
        """Wait until it has said a step, so many times from now on; return what it said."""
        while True:
            try:
                progress = self._new.get(timeout=PATIENCE_S)
            except Empty:
                message = f"never said {step!r}: {self.said}"
                raise AssertionError(message) from None
            times -= progress.step == step
            if not times:
                return progress
