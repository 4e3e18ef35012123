"""The disk of the simulated machine, on which the log is: what every call to it can meet.

A process sees the log through a `Mount`, which is a log adapter. A crash takes the process, and
nothing that was stored; a call that it cuts off has stored all, or nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from journal.errors import LogBusyError, LogClosedError, LogError, LogFullError, LogUnavailableError
from journal.log.memory import MemoryRecorder
from journal.log.recorder import RowRecorder
from journal.log.views import MemoryViews

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from threading import Event

    from journal.log.chain import Row, Unsealed
    from journal.log.lease import Claim, Fence, Holding, Leases, Taken
    from journal.log.views import Cursor, Views
    from journal.testing.simulate.scenario import Fault, Knobs


class Crashed(BaseException):
    """The process is no more; nothing catches it but the simulation."""


class Disk:
    """Where the log is, in memory; it outlives every process."""

    takes_all = False
    """Whether the end of one process is the end of all: the machine goes with it."""

    def __init__(
        self, journal_id: str, faults: Sequence[Fault], hit: Callable[[int], None], knobs: Knobs
    ) -> None:
        """Begin with an empty log.

        Args:
            journal_id: of the log.
            faults: of storage, each at the number of a call that writes.
            hit: told the row of each fault when it happens.
            knobs: whether it loses what was last appended when the power fails.
        """
        del knobs
        self.writes = 0
        """How many calls that write there were."""
        self.statements: list[int] = []
        """How many statements each of them consisted of, where that is known."""
        self.is_quiet = False
        self.now_s: Callable[[], float] = float
        self.on_append: Callable[[str, bool], None] = lambda _, __: None
        self._hit = hit
        self._pulls = 0
        self._faults: dict[tuple[bool, int], list[Fault]] = {}
        """By whether they are at calls of a pull, and by the number of the call."""
        for fault in faults:
            self._faults.setdefault((fault.is_of_pull, fault.at), []).append(fault)
        self._full_until_s = 0.0
        self._synced_at = 0
        """Up to which position all is durable, whatever the durability."""
        self._seen = -1
        self._recorder = _Kept(journal_id)

    def recorder(self, mount: Mount) -> RowRecorder:
        """Return the log as a process that opens it finds it."""
        del mount
        return self._recorder

    def news(self, after: int) -> list[Row]:
        """Return the rows that were appended since this was last asked, after a position."""
        if self._seen == self.writes:
            return []
        self._seen = self.writes
        return self.rows(after)

    def rows(self, after: int) -> list[Row]:
        """Return the rows that are there now, after a position, where they can be read."""
        return self._recorder.rows(after, 1_000_000)

    def left(self, mount: Mount) -> None:
        """Note that a process is no more, and what it had open not closed yet."""
        del mount

    def close(self) -> None:
        """Forget it all."""
        self._recorder.forget()

    def appended(self, mount: Mount, rows: Sequence[Row], fence: Fence | None) -> None:
        """Let be checked who has appended; a sender's append is synced, with all before it."""
        if fence is not None:
            self._synced_at = rows[-1].position
        holding = None if fence is None else mount.leases.last(fence.queue)
        is_holder = holding is not None and holding.fence == fence
        for row in rows:
            self.on_append(row.actor, is_holder)

    # --- power -----------------------------------------------------------------------------

    def lose_power(self, lost: int) -> int:
        """Lose the last rows, which were never synced; return how many are left."""
        self._recorder.truncate(min(lost, self._recorder.head() - self._synced_at))
        self._seen = -1
        return self._recorder.head()

    # --- faults ----------------------------------------------------------------------------

    def before(self, mount: Mount) -> Fault | None:
        """Meet what a call that writes meets before it; return what it meets after it.

        Raises:
            Crashed: the process ends here.
            LogError: the disk is full, busy or broken.
        """
        self.writes += 1
        if self.is_quiet:
            return None
        after = None
        met = self._faults.pop((False, self.writes), [])
        if mount.is_pulling:
            self._pulls += 1
            met += self._faults.pop((True, self._pulls), [])
        for fault in met:
            self._hit(fault.row)
            match fault.kind:
                case "crash before":
                    raise Crashed
                case "crash after" | "crash within":
                    after = fault
                case "full":
                    self._full_until_s = self.now_s() + fault.more
                case "broken":
                    mount.failure = LogUnavailableError("disk I/O error", hint="open it again")
                    raise mount.failure
                case "busy":
                    raise LogBusyError("the file is in use by another process", hint="try again")
                case _:
                    raise AssertionError(fault)
        if self.now_s() < self._full_until_s:
            self._hit(6)
            raise LogFullError("no space left on the disk", hint="free some space")
        if after is not None and after.kind == "crash within":
            self.within(mount, after)
        return after

    def within(self, mount: Mount, fault: Fault) -> None:
        """Let the process end in the midst of the call: in memory that is its end."""

    def ended(self) -> None:
        """Note that a call that writes is over."""

    def after(self, fault: Fault | None) -> None:
        """Meet what a call that has written meets after it.

        Raises:
            Crashed: the process ends here; what was written is there.
        """
        if fault is not None:
            raise Crashed


class _Kept(MemoryRecorder):
    """A log in memory that no process closes, and that can lose what was last appended."""

    def close(self) -> None:
        """Keep everything: the process ends, not the disk."""

    def forget(self) -> None:
        """End it."""
        super().close()

    def truncate(self, lost: int) -> None:
        """Lose the last rows, whole appends only, as a log that is not synced does.

        What was kept beside it is written after the entries that it is about, and lost with them.
        """
        self._views.close()
        self._views = MemoryViews()
        head = max(len(self._rows) - lost, 0)
        while 0 < head < len(self._rows) and self._rows[head].batch <= head:
            head -= 1
        for row in self._rows[head:]:
            del self._streams[row.stream][row.version]
            del self._by_id[row.event_id]
        del self._rows[head:]


class Mount(RowRecorder):
    """The log as one process has it open."""

    def __init__(self, disk: Disk) -> None:
        """Open it."""
        self.failure: LogError | None = None
        """After it, nothing is written any more before it is opened anew."""
        self.is_pulling = False
        """Whether the call that is made is one of a pull."""
        self.fences: list[Fence] = []
        self._disk = disk
        self._is_dead = self._is_closed = False
        self._recorder = disk.recorder(self)
        self.journal_id = self._recorder.journal_id
        self._views = _Views(self, self._recorder.views)
        self._leases = _Leases(self, self._recorder.leases)

    def die(self) -> None:
        """Let the process be no more: nothing that it still does has an effect."""
        self._is_dead = True
        self._disk.left(self)
        for fence in self.fences:  # the system takes its locks
            self._recorder.leases.release(fence)
        self._recorder.close()

    @property
    def is_open(self) -> bool:
        """Whether it can be read."""
        return not (self._is_dead or self._is_closed)

    @property
    def below(self) -> RowRecorder:
        """The adapter on which it is."""
        return self._recorder

    @contextmanager
    def at_call(self, *, is_of_pull: bool) -> Iterator[None]:
        """Note, in the block, whether the call that is made is one of a pull."""
        self.is_pulling = is_of_pull
        try:
            yield
        finally:
            self.is_pulling = False

    def check(self) -> None:
        """Refuse whoever is no more.

        Raises:
            Crashed: the process has ended.
            LogClosedError: it was closed.
        """
        if self._is_dead:
            raise Crashed
        if self._is_closed:
            raise LogClosedError("the journal was closed", hint="open the journal again")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write, in the block, with what may happen before it and after it."""
        self.check()
        if self.failure is not None:
            raise self.failure
        fault = self._disk.before(self)
        try:
            yield
        except Exception:
            if fault is not None and fault.kind == "crash within":
                raise Crashed from None  # it has ended before the call could say that it failed
            raise
        finally:
            self._disk.ended()
        self._disk.after(fault)

    # --- the adapter -----------------------------------------------------------------------

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows after the last one, in one durable transaction, and return them."""
        with self.writing():
            stored = self._recorder.append(rows, head, fence)
            self._disk.appended(self, stored, fence)
            return stored

    def rows(self, after: int, limit: int, until: int | None = None) -> list[Row]:
        """Return at most `limit` rows in order, after one position and up to another."""
        self.check()
        return self._recorder.rows(after, limit, until)

    def contents(
        self, after: int, limit: int, until: int | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """Return what `rows` does, where need be without the hashes."""
        self.check()
        return self._recorder.contents(after, limit, until)

    def stream_rows(
        self, stream: str, after: int, until: int | None, limit: int | None, *, newest: bool
    ) -> list[Row]:
        """Return the rows of a stream after a version and up to another."""
        self.check()
        return self._recorder.stream_rows(stream, after, until, limit, newest=newest)

    def row_of(self, event_id: str) -> Row | None:
        """Return the row with that event id."""
        self.check()
        return self._recorder.row_of(event_id)

    def head(self) -> int:
        """Return the position of the last row; 0 where there is none."""
        self.check()
        return self._recorder.head()

    def wait(self, after: int, timeout_s: float, interrupt: Event | None = None) -> int:
        """Return the head; whoever simulates does the waiting."""
        del after, timeout_s, interrupt
        return self.head()

    def problems(self) -> list[str]:
        """Return what is wrong with the store itself."""
        return self._recorder.problems()

    @property
    def views(self) -> Views:
        """The place for the tables of projections."""
        return self._views

    @property
    def leases(self) -> Leases:
        """Who may send."""
        return self._leases

    def close(self) -> None:
        """Close it, in order; a second time changes nothing."""
        if not self._is_closed and not self._is_dead:
            self._is_closed = True
            self._recorder.close()


class _Views:
    """The tables of projections as one process has them open."""

    def __init__(self, mount: Mount, views: Views) -> None:
        self._mount = mount
        self._views = views

    @contextmanager
    def write(self, name: str = "") -> Iterator[Cursor]:
        with self._mount.writing(), self._views.write(name) as cursor:
            yield cursor

    def only(self, name: str, tables: Collection[str]) -> AbstractContextManager[None]:
        return self._views.only(name, tables)

    def read(self) -> AbstractContextManager[Cursor]:
        self._mount.check()
        return self._views.read()


class _Leases:
    """The leases as one process has them; a dead process holds none."""

    def __init__(self, mount: Mount, leases: Leases) -> None:
        self._mount = mount
        self._leases = leases

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        with self._mount.writing():
            taken = self._leases.take(claim, instead_of)
            if taken is not None:
                self._mount.fences.append(taken.fence)
            return taken

    def renew(self, fence: Fence, now_s: float) -> bool:
        with self._mount.writing():
            return self._leases.renew(fence, now_s)

    def release(self, fence: Fence) -> None:
        self._leases.release(fence)

    def last(self, queue: str) -> Holding | None:
        self._mount.check()
        return self._leases.last(queue)

    def holder(self, queue: str) -> Holding | None:
        self._mount.check()
        return self._leases.holder(queue)
