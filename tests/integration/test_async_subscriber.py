"""What only the async subscriber has to do: be cancelled, and hold up nobody.

All that both have to do is in `test_subscriber`.
"""

from __future__ import annotations

import asyncio
import gc
from threading import Event, get_ident
from threading import enumerate as threads
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.errors import LogClosedError
from journal.events import DraftAcknowledged, PushStarted, RecordCreated
from journal.remotes import HttpRemote, Profile
from journal.sync import AsyncSubscriber
from journal.sync.backoff import Backoff
from tests.integration.faults import PATIENCE_S, Held, Proxy, dropped_after, status
from tests.integration.matrix import hit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from journal.sync import Progress, Report
    from journal.sync.effects import Effect
    from journal.sync.reports import Step
    from journal.testing.service import RecordService

HASTE: Final = Backoff(first_s=0.002, most_s=0.005, least_s=0.001)
ACME: Final = {"Name": "Acme"}


def subscriber(journal: Journal, url: str, **settings: Any) -> AsyncSubscriber:  # noqa: ANN401
    """Return a subscriber in haste."""
    remote = HttpRemote(Profile.of({"url": url, "timeout_s": 5.0}))
    given = {"backoff": HASTE, "attempts": 8, **settings}
    return AsyncSubscriber(journal, remote, **given)


def after(step: Step, event: asyncio.Event, times: int = 1) -> Callable[[Progress], None]:
    """Return the callback that sets an event when a step was told so many times."""
    left = [None] * times
    loop = asyncio.get_running_loop()

    def told(progress: Progress) -> None:
        if progress.step == step and left:
            left.pop()
            if not left:
                loop.call_soon_threadsafe(event.set)

    return told


class Gate:
    """Stops calls of a function until they are let through; tells when one has come."""

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[..., Any]) -> None:
        """Stand before that function."""
        self.arrived = asyncio.Event()
        self.opened = Event()
        self._loop = loop
        self._function = function

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401  whatever the function is given
        """Wait, and call the function."""
        self._loop.call_soon_threadsafe(self.arrived.set)
        assert self.opened.wait(PATIENCE_S)
        return self._function(*arguments)


class TestCancellation:
    """A cancelled subscriber leaves no half state, wherever it was."""

    def test_during_a_request(self, journal: Journal, service: RecordService, proxy: Proxy) -> None:
        """A draft whose request was cancelled is in doubt: a read settles it the next time."""
        held = Held(dropped_after)
        proxy.then(held)
        journal.create("Account", ACME, id="a1")

        async def main() -> Report:
            async with subscriber(journal, proxy.url) as sync:
                draining = asyncio.create_task(sync.drain())
                await asyncio.to_thread(held.arrived.wait, PATIENCE_S)
                draining.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await draining
                held.released.set()
                await asyncio.to_thread(held.done.wait, PATIENCE_S)
                return await sync.drain()

        report = asyncio.run(main())

        assert report.acknowledged == 1
        assert [effect.method for effect in service.effects] == ["PUT"]
        assert [seen.method for seen in proxy.seen] == ["PUT", "GET"]

    def test_during_a_request_after_one_that_never_left(
        self, journal: Journal, service: RecordService, proxy: Proxy
    ) -> None:
        """That an earlier attempt never left does not make a cancelled one certain."""
        journal.create("Account", ACME, id="a1")
        url, held = service.url, Held(dropped_after)
        service.stop()

        async def main() -> Report:
            async with subscriber(journal, url, attempts=1) as sync:
                assert (await sync.drain()).problem.startswith("ConnectError")
                service.start()
                sync._remote.profile = sync._remote.profile.model_copy(  # type: ignore[attr-defined]
                    update={"url": proxy.url}
                )
                proxy.then(held)
                draining = asyncio.create_task(sync.drain())
                await asyncio.to_thread(held.arrived.wait, PATIENCE_S)
                draining.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await draining
                held.released.set()
                await asyncio.to_thread(held.done.wait, PATIENCE_S)
                return await sync.drain()

        assert asyncio.run(main()).acknowledged == 1
        assert [seen.method for seen in proxy.seen] == ["PUT", "GET"]

    @pytest.mark.parametrize("nth", range(1, 4))
    def test_during_the_nth_append(
        self, journal: Journal, service: RecordService, proxy: Proxy, nth: int
    ) -> None:
        """A cancelled append is stored whole before the cancellation is felt."""
        journal.create("Account", ACME, id="a1")
        journal.create("Account", ACME, id="a2")
        recorder = journal.log._recorder
        append = recorder.append

        async def main() -> list[str]:
            gate = Gate(asyncio.get_running_loop(), append)
            calls = 0

            def counted(rows: Any, *fence: Any) -> Any:  # noqa: ANN401  of the recorder
                nonlocal calls
                calls += 1
                return gate(rows, *fence) if calls == nth else append(rows, *fence)

            recorder.append = counted  # type: ignore[method-assign,assignment]
            async with subscriber(journal, proxy.url) as sync:
                draining = asyncio.create_task(sync.drain())
                await gate.arrived.wait()
                draining.cancel()
                draining.cancel()
                gate.opened.set()
                with pytest.raises(asyncio.CancelledError):
                    await draining
                stored = [type(entry.event).__name__ for entry in journal.log.read(2)]
                assert (await sync.drain()).pending == 0
                return stored

        stored = asyncio.run(main())

        # The end of the first draft and the beginning of the second one are one append.
        all_of_them = ["PushStarted", "DraftAcknowledged", "PushStarted", "DraftAcknowledged"]
        assert stored == all_of_them[: [1, 3, 4][nth - 1]]
        assert [effect.path for effect in service.effects] == ["/Account/a1", "/Account/a2"]
        assert [type(entry.event) for entry in journal.log.read()] == [
            *[RecordCreated] * 2,
            *[PushStarted, DraftAcknowledged] * 2,
        ]
        assert journal.log.verify().is_intact

    def test_during_a_wait(self, journal: Journal, service: RecordService, proxy: Proxy) -> None:
        """A long wait ends at once when it is cancelled; the remote is not asked any earlier."""
        proxy.then(status(503, Retry_After="3600"))
        journal.create("Account", ACME, id="a1")

        async def main() -> Report:
            waiting = asyncio.Event()

            told = after("waiting", waiting)
            async with subscriber(journal, proxy.url, progress=told) as sync:
                draining = asyncio.create_task(sync.drain())
                await waiting.wait()
                draining.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(draining, 2.0)
                assert (await sync.drain(timeout_s=1.0)).stopped_by == "timeout"
            async with subscriber(journal, proxy.url) as another:
                return await another.drain()

        assert asyncio.run(main()).acknowledged == 1
        assert len(service.effects) == 1
        assert [seen.method for seen in proxy.seen] == ["PUT", "GET", "PUT"]

    def test_by_the_end_of_the_loop(self, journal: Journal, proxy: Proxy) -> None:
        """A subscriber that nobody stopped ends with its loop, and leaves no thread waiting."""
        sync = None

        async def main() -> None:
            nonlocal sync
            done = asyncio.Event()
            sync = subscriber(journal, proxy.url, progress=after("acknowledged", done))
            sync.start()
            journal.create("Account", ACME, id="a1")
            await done.wait()
            await sync._wire.close()

        asyncio.run(main())
        left = [one for one in threads() if one.name.startswith("journal-sub")]
        for thread in left:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

        assert sync is not None
        assert not sync.is_running
        assert journal.log.head() == 3

    @pytest.mark.parametrize("is_before", [True, False], ids=["before", "within"])
    def test_at_every_await(
        self,
        journal: Journal,
        service: RecordService,
        proxy: Proxy,
        is_before: bool,  # noqa: FBT001  a parameter of the test
    ) -> None:
        """Cancelled at whichever await, it leaves the lease free and no half state (row 38)."""
        before = list(threads())

        async def cancelled_at(nth: int) -> bool:
            """Cancel a drain at its n-th await; say whether there was one."""
            sync = subscriber(journal, proxy.url)
            carried_out, awaits = sync._carried_out, 0

            async def counted(effect: Effect) -> Any:  # noqa: ANN401  what it results in
                nonlocal awaits
                awaits += 1
                if awaits == nth:
                    hit(38)
                    draining.cancel()
                    if is_before:
                        await asyncio.sleep(0)
                return await carried_out(effect)

            sync._carried_out = counted  # type: ignore[method-assign]
            draining = asyncio.create_task(sync.drain())
            await asyncio.wait([draining])
            assert journal.log.leases.holder("default") is None
            assert not sync.status.is_running
            assert sync.status.sending is None
            assert sync._in_use.acquire(blocking=False)
            sync._in_use.release()
            await sync.close()
            return draining.cancelled()

        async def main() -> int:
            nth = 0
            while True:
                nth += 1
                for name in ("a", "b"):
                    journal.create("Account", ACME, id=f"{name}{nth}")
                if not await cancelled_at(nth):
                    return nth
                async with subscriber(journal, proxy.url) as another:
                    assert (await another.drain()).pending == 0

        awaits = asyncio.run(main())

        assert awaits > 8
        paths = [effect.path for effect in service.effects]
        assert paths == [f"/Account/{name}{n}" for n in range(1, awaits + 1) for name in "ab"]
        assert journal.log.verify().is_intact
        gc.collect()  # a subscriber that nobody closed, in another test, has its thread until then
        assert not [
            one for one in threads() if one.name.startswith("journal-") and one not in before
        ]

    def test_of_a_timeout_of_the_caller(self, journal: Journal, proxy: Proxy) -> None:
        """A caller's own timeout works as on anything else."""
        proxy.then(status(503, Retry_After="3600"))
        journal.create("Account", ACME, id="a1")

        async def main() -> None:
            async with subscriber(journal, proxy.url) as sync:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await sync.drain()

        asyncio.run(main())


class TestLoop:
    """The loop is never held up."""

    def test_appends_are_made_in_another_thread(self, journal: Journal, proxy: Proxy) -> None:
        """While an append waits for the disk, the loop goes on."""
        journal.create("Account", ACME, id="a1")
        recorder = journal.log._recorder
        append, seen = recorder.append, set[int]()

        async def main() -> Report:
            gate = Gate(asyncio.get_running_loop(), append)

            def noted(rows: Any, *fence: Any) -> Any:  # noqa: ANN401  of the recorder
                seen.add(get_ident())
                return gate(rows, *fence)

            recorder.append = noted  # type: ignore[method-assign,assignment]
            async with subscriber(journal, proxy.url) as sync:
                draining = asyncio.create_task(sync.drain())
                await gate.arrived.wait()
                # The loop runs here, while the append waits for the gate there.
                for _ in range(100):
                    await asyncio.sleep(0)
                gate.opened.set()
                return await draining

        assert asyncio.run(main()).acknowledged == 1
        assert len(seen) == 1
        assert get_ident() not in seen

    def test_many_idle_subscribers_leave_room(self, tmp_path: Path, service: RecordService) -> None:
        """However many subscribers wait for changes, others can still use the loop's threads."""
        journals = [Journal(tmp_path / f"{number}.db", actor="ann") for number in range(12)]

        async def main() -> None:
            done = asyncio.Event()
            told = after("acknowledged", done, len(journals))
            all_of_them = [subscriber(j, service.url, progress=told) for j in journals]
            for sync in all_of_them:
                sync.start()
            for number, journal in enumerate(journals):
                await asyncio.to_thread(journal.create, "Account", ACME, id=f"a{number}")
            await done.wait()
            for sync in all_of_them:
                await sync.close()

        asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
        for journal in journals:
            journal.close()

        assert not [thread for thread in threads() if "journal-subscriber" in thread.name]

    def test_needs_a_loop(self, journal: Journal, proxy: Proxy) -> None:
        """Without a running loop it is not started, and can be used afterwards."""
        sync = subscriber(journal, proxy.url)

        with pytest.raises(RuntimeError, match="no running event loop"):
            sync.start()

        assert not sync.is_running
        assert asyncio.run(sync.drain()).pending == 0
        asyncio.run(sync.close())

    def test_an_end_that_nobody_asked_for(
        self, journal: Journal, proxy: Proxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What ends it in the background is logged at once, and raised by stop."""

        async def main() -> None:
            sync = subscriber(journal, proxy.url)
            sync.start()
            journal.close()
            assert sync._task is not None
            await asyncio.wait([sync._task])
            with pytest.raises(LogClosedError):
                await sync.stop()
            await sync.close()

        asyncio.run(main())

        assert "has ended" in caplog.text
