"""The blocking subscriber: carries out the effects of a session in the thread that calls it."""

from __future__ import annotations

from functools import partial
from threading import Thread, current_thread
from typing import TYPE_CHECKING, Any, Self, TypeVar, assert_never

from journal.remotes.remote import Request
from journal.remotes.wire import Client, Wire
from journal.sync.effects import Call, Listen, Pause
from journal.sync.following import settled
from journal.sync.subscriber import AnySubscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
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


class Subscriber(AnySubscriber[Client]):
    """Sends pending drafts to a remote, blocking; `start` does so in the background."""

    _thread: Thread | None = None
    _failure: BaseException | None = None
    _own_wire: Wire | None = None
    _own_pull_wire: Wire | None = None

    @property
    def _wire(self) -> Wire:
        if self._own_wire is None:
            self._own_wire = Wire(self._remote, self._limits, self._client)
        return self._own_wire

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
            self._yield_up()
            self._flush()

    def pull(
        self,
        record_types: Iterable[str] | None = None,
        *,
        limit_pages: int | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> PullReport:
        """Store what has changed at the remote since the last pull, page by page.

        It may run beside whatever is sent, and beside other pulls. Pending drafts stay as they
        are, and lie over what was stored. It goes on where the last one ended, wherever that
        was; `stop`, called in another thread, ends it after the page under way.

        Args:
            record_types: what to pull; the types that the profile names otherwise.
            limit_pages: how many pages to store at most; None for all there are.
            progress: called after every page, and before every wait, in a thread of its own.

        Returns:
            What came of it; `PullReport.stopped_by` says why there may be more, if there may.

        Raises:
            ProfileError: the profile does not say how the service lists its changes.
            RemoteError: the remote is none that lists its changes.
            SubscriberBusyError: it is pulling already.
            LogError: the log could not be read or written.
        """
        with self._pulling(record_types, limit_pages, progress) as (effects, flush):
            report = self._driven(effects, self._carried_out_in_pull)
            flush()
        return report

    def prime(
        self,
        query: str,
        *,
        limit_pages: int | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> PullReport:
        """Store what a query lists, page by page, so that it can be read and edited offline.

        As for a pull, pending drafts stay as they are, and it goes on where the last prime with
        the same query was cut off; one that has ended begins anew.

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
            report = self._driven(effects, self._carried_out_in_pull)
            flush()
        return report

    def describe(self, record_types: Iterable[str] | None = None) -> DescribeReport:
        """Ask the remote what its record types are, and keep it in the journal's catalogue.

        Args:
            record_types: what to ask for; the types that the profile names otherwise.

        Raises:
            ProfileError: no type is named.
            RemoteError: the remote does not describe its types.
            SubscriberBusyError: it is pulling already.
            LogError: the catalogue could not be written.
        """
        with self._describing(record_types) as effects:
            return self._driven(effects, self._carried_out_in_pull)

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
            self._ended_by(error)
        finally:
            self._yield_up()

    def stop(self) -> None:
        """Stop, after the draft in flight, and release the lease; twice changes nothing.

        Called by a callback, it does not wait for that draft.

        Raises:
            JournalError: what ended the subscriber, where it had ended before.
        """
        self._ask_to_stop()
        thread = self._thread
        if thread is None or thread is current_thread() or self._is_callback:
            return
        thread.join()
        self._flush()
        self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @property
    def is_running(self) -> bool:
        """Whether it sends in the background."""
        return self._thread is not None and self._thread.is_alive()

    def watch(self) -> Iterator[SyncStatus]:
        """Yield the status, and again whenever it has changed since, until it is closed.

        Whoever is slow sees the latest, and not every one in between.
        """
        return self._board.watch()

    def wait_for(self, of: Ref | str, timeout_s: float | None = None) -> Settlement:
        """Wait until a draft is settled, by whichever sender, in whichever process.

        Args:
            of: the id of the draft; or a record, for all drafts that it has now.
            timeout_s: how long to wait, in seconds; None for as long as it takes.

        Returns:
            What became of it; of a record, the first draft that is held, or the last one.

        Raises:
            DraftMissingError: there has never been such a draft.
            StillPendingError: the time was up.
            LogError: the log could not be read.
        """
        return settled(self._journal, of, timeout_s)

    def _driven(
        self,
        effects: Generator[Effect, Any, _Result],
        carried_out: Callable[[Effect], Any] | None = None,
    ) -> _Result:
        """Carry out the effects, one after another, blocking."""
        carried_out = carried_out or self._carried_out
        step = partial(effects.send, None)
        try:
            while True:
                effect = step()
                try:
                    step = partial(effects.send, carried_out(effect))
                except Exception as error:  # noqa: BLE001  for the session to judge
                    step = partial(effects.throw, error)
        except StopIteration as ended:
            returned: _Result = ended.value
            return returned
        finally:
            effects.close()

    def _carried_out(self, effect: Effect) -> Any:  # noqa: ANN401  what the effect results in
        match effect:
            case Request():
                return self._wire.exchange(effect)
            case Call(function):
                return function()
            case Pause():
                return self._rested(effect)
            case Listen():
                return self._listened(effect)
            case _:
                assert_never(effect)

    def _carried_out_in_pull(self, effect: Effect) -> Any:  # noqa: ANN401  what it results in
        """Carry out an effect of a pull, on a connection of its own: it runs beside a push."""
        match effect:
            case Request():
                if self._own_pull_wire is None:
                    self._own_pull_wire = Wire(self._remote, self._limits, self._client)
                return self._own_pull_wire.exchange(effect)
            case Pause():
                return self._rested_in_pull(effect)
            case _:
                return self._carried_out(effect)

    def close(self) -> None:
        """Stop, close the connections, and end whoever watches."""
        try:
            self.stop()
        finally:
            self._board.close()
            self._wire.close()
            if self._own_pull_wire is not None:
                self._own_pull_wire.close()

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
