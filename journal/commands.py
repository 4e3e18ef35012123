"""Floor 7: what all commands share: the log, the envelope, the batch, and how they are carried out.

It knows nothing of what the commands are.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeAlias

from journal.actions import Actions, check_actions
from journal.advice import advice, check_hints
from journal.batches import Batches
from journal.catalogue import Catalogue
from journal.errors import RefusedError
from journal.events import QUEUE
from journal.log import MEMORY, Log, open_recorder
from journal.log.database import BUSY_TIMEOUT_S
from journal.pending import Pending
from journal.schema import Schema
from journal.sources import Sources, host_name, login_name
from journal.staging import Batch, Decision, Facts, Step, check_seconds, check_version
from journal.values import Ref, check_type
from journal.writer import Writer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from typing import Unpack

    from journal.advice import Advice, Hints
    from journal.drafts import Queue
    from journal.events import Entry, Event
    from journal.log import Durability, Fence
    from journal.record import Record
    from journal.schema import RecordTypes
    from journal.staging import Envelope

Move: TypeAlias = tuple[Ref, Decision]
"""One of several things that are done together: the record, and the decision on it."""
Note: TypeAlias = "tuple[Ref, Callable[[Record], Sequence[Event]], Facts]"
"""What a subscriber learned: of which record, what returns the events, and who says so."""


class Commands:
    """A journal without commands: how it is opened, how what it does is stored, how it ends."""

    def __init__(  # noqa: PLR0913  keywords, each with a safe default
        self,
        path: str | os.PathLike[str] = MEMORY,
        *,
        actor: str | None = None,
        origin: str | None = None,
        types: RecordTypes = (),
        create: bool = True,
        durability: Durability = "full",
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        sources: Sources | None = None,
        actions: Actions | None = None,
        hints: Hints = "refuse",
        log: Log | None = None,
    ) -> None:
        """Open a journal, creating it where there is none.

        Args:
            path: of its SQLite file; ``:memory:`` for one that is forgotten when closed.
            actor: who makes the changes, where a change does not say; the login name otherwise.
            origin: the device or application; the host's name otherwise.
            types: pydantic models that records must fit; any JSON object is a record otherwise.
            create: whether a journal is made where there is none, or only an empty file; one
                that only reads, or must not take a mistyped name for a new journal, says False.
            durability: ``full`` for changes that survive power loss, ``normal`` for changes
                that survive the death of the process only.
            busy_timeout_s: how long to wait for another process, in seconds.
            sources: of time, ids and randomness.
            actions: the quick actions that a person can do with it.
            hints: what is done with a draft that the service would surely refuse, by what it has
                said of the record's type: ``refuse`` it, ``warn`` of it in the log of the
                program, or nothing, ``off``.
            log: where its entries are kept, in the place of a file: of a test, or a simulation;
                `path`, `create`, `durability` and `busy_timeout_s` say nothing then.

        Raises:
            LogMissingError: there is no journal, and `create` is False.
            LogError: the file cannot be used.
            ActionError: the actions are none.
            SchemaError: one of the types is no pydantic model, or two have one name.
            InvalidNameError: the actor, the origin or a type has a name that is not allowed.
            InvalidValueError: the timeout is no time, or there are no such hints.
        """
        self.sources = sources or Sources()
        self.schema = Schema(types)
        check_seconds("busy_timeout_s", busy_timeout_s)
        check_hints(hints)
        if actions is not None:
            check_actions(actions)
        self._facts = Facts(
            login_name() if actor is None else actor,
            (host_name() or "unknown") if origin is None else origin,
        ).checked()
        if log is None:
            recorder = open_recorder(
                path,
                lambda: self._new_id(self.sources.clock.now_us()),
                create=create,
                durability=durability,
                busy_timeout_s=busy_timeout_s,
            )
            log = Log(recorder)
        self._log = log
        self._writer = Writer(self._log, self._new_id)
        self._pending = Pending(self._log)
        self._batches = Batches()
        self._actions = Actions()
        for action in actions or ():
            self._actions.add(action)
        self._hints: Hints = hints
        self.catalogue = Catalogue(self._log)

    def _new_id(self, now_us: int) -> str:
        return self.sources.ids.new(now_us)

    @property
    def log(self) -> Log:
        """The log, for whoever reads it: projections, subscribers, audits."""
        return self._log

    @property
    def origin(self) -> str:
        """The device or application in which this journal is open."""
        return self._facts.origin

    # --- several changes at once ---------------------------------------------------------

    @contextmanager
    def batch(self, **envelope: Unpack[Envelope]) -> Iterator[Batch]:
        """Store the changes that are made in the block together, all or none, when it ends.

        Where the block raises, nothing of it is stored. A batch in a batch is part of the outer
        one, and stored with it. Views show the changes once the outer one has ended. What other
        tasks and threads do is stored on its own, also where the block waits for them. An id that
        a command returns in the block is that of an entry unless another writer does the same
        before the block ends: `Batch.entries` has what was stored.

        Args:
            **envelope: who makes the changes, why, and what they belong to, where a change does
                not say; without a correlation id they get one of their own.

        Raises:
            BatchMovedError: the block, in a generator, was ended by another task.
            JournalError: the changes could not be stored; none was.
        """
        if (outer := self._batches.own()) is not None:
            with self._inner_batch(outer, envelope):
                yield outer
            return
        group = envelope.get("correlation_id") or self._new_id(self.sources.clock.now_us())
        batch = Batch(self._all_facts({**envelope, "correlation_id": group}))
        with self._batches.opened(batch):
            yield batch
        batch.entries = tuple(self._writer.carry_out(batch.steps, batch.staging))

    @contextmanager
    def _inner_batch(self, outer: Batch, given: Envelope) -> Iterator[None]:
        """Let the outer batch say other facts for a while; undo what a failing block did to it."""
        facts, count = outer.facts, len(outer)
        outer.facts = self._all_facts(given)
        try:
            yield
        except BaseException:
            self._writer.unstage(outer, count)
            raise
        finally:
            outer.facts = facts

    # --- load, decide, append ------------------------------------------------------------

    def _all_facts(self, given: Envelope) -> Facts:
        batch = self._batches.own()
        default = self._facts if batch is None else batch.facts
        return default.but(given) if given else default

    def _do(
        self,
        ref: Ref,
        decision: Decision,
        now_us: int,
        given: Envelope,
        expected_version: int | None = None,
    ) -> str | None:
        """Carry out one command, now or at the end of the batch; return the id of its event."""
        if ref == QUEUE:  # it is no record: it has no type that a record may have
            check_type(ref.type)
        if expected_version is not None:
            check_version("expected_version", expected_version)
        facts = self._traced(given)
        step = Step(ref, decision, self._new_id(now_us), now_us, facts, expected_version)
        batch = self._batches.own()
        if batch is None:
            return step.event_id if self._writer.carry_out([step]) else None
        return step.event_id if self._writer.stage(batch, step) else None

    def _traced(self, given: Envelope) -> Facts:
        """Return who does something, and why, with the trace in which it is done."""
        facts = self._all_facts(given)
        if self.sources.trace is not None:
            facts = facts._replace(trace=self.sources.trace()).checked()
        return facts

    def _advice(self, ref: Ref) -> Advice:
        """Return what the service has said of the record's type."""
        return advice(self.catalogue, self._hints, ref)

    def _on_queue(self, plan: Callable[[Queue], Sequence[Move]], given: Envelope) -> list[Entry]:
        """Append what is planned on the queue as it is then, all or none."""
        if self._batches.own() is not None:
            raise RefusedError(
                "this is decided on the queue as it is, and cannot be part of a batch",
                hint="do it before the batch, or after it",
            )
        return self._moved(plan, self._traced(given))

    def _moved(
        self,
        plan: Callable[[Queue], Sequence[Move]],
        facts: Facts,
        fence: Fence | None = None,
    ) -> list[Entry]:
        now_us = self.sources.clock.now_us()

        def planned() -> tuple[list[Step], int]:
            queue = self._pending.queue()
            moves = plan(queue)
            steps = [Step(ref, made, self._new_id(now_us), now_us, facts) for ref, made in moves]
            return steps, queue.position

        return self._writer.carry_out_at_head(planned, fence)

    def note(
        self,
        ref: Ref,
        decision: Callable[[Record], Sequence[Event]],
        facts: Facts,
        fence: Fence | None = None,
    ) -> bool:
        """Append what a subscriber learned about a record, decided on its current state.

        Args:
            ref: the record; the text ``Type:id`` will do.
            decision: returns the events, from the record as it is when they are appended.
            facts: who says so.
            fence: of a sender; nothing is stored unless it holds the lease.

        Returns:
            Whether there were any events.

        Raises:
            LeaseLostError: another sender has taken the lease.
            LogError: they could not be stored.
        """
        return bool(self.note_together([(ref, decision, facts)], fence))

    def note_together(self, notes: Sequence[Note], fence: Fence | None = None) -> list[Entry]:
        """Append what a subscriber learned about several records, all or nothing, durable at once.

        Args:
            notes: of each: the record, what returns the events, and who says so, as for `note`.
            fence: of a sender; nothing is stored unless it holds the lease.

        Returns:
            The entries.

        Raises:
            LeaseLostError: another sender has taken the lease.
            LogError: they could not be stored.
        """
        now_us = self.sources.clock.now_us()

        def step(ref: Ref, decision: Callable[[Record], Sequence[Event]], facts: Facts) -> Step:
            event_id = self._new_id(now_us)
            return Step(ref, lambda record, _: decision(record), event_id, now_us, facts)

        return self._writer.carry_out([step(*note) for note in notes], fence=fence)

    def note_on_queue(
        self,
        decision: Callable[[Queue], Sequence[Event]],
        facts: Facts,
        fence: Fence | None = None,
    ) -> bool:
        """Append what a subscriber decides about the queue as a whole, on its current state.

        Args:
            decision: returns the events, from the queue as it is when they are appended.
            facts: who says so.
            fence: of a sender; nothing is stored unless it holds the lease.

        Returns:
            Whether there were any events.

        Raises:
            LeaseLostError: another sender has taken the lease.
            LogError: they could not be stored.
        """
        return bool(self._moved(lambda queue: on_stream(decision(queue)), facts, fence))

    def note_planned(
        self, plan: Callable[[Queue], Sequence[Move]], facts: Facts
    ) -> Sequence[Entry]:
        """Append what is planned on the log as it is then, all or nothing, durable at once.

        Args:
            plan: returns what is to be done, each a record and the decision on it; called again
                where the log has moved on meanwhile.
            facts: who says so.

        Returns:
            The entries.

        Raises:
            LogError: they could not be stored.
        """
        return self._moved(plan, facts)

    # --- the end -------------------------------------------------------------------------

    def close(self) -> None:
        """Close the journal; a second time changes nothing."""
        self._log.close()

    def __enter__(self) -> Self:
        """Return the journal, to be closed when the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the journal."""
        self.close()


def on_stream(events: Sequence[Event]) -> list[Move]:
    """Return the moves of appending events to the stream of the queue."""
    return [(QUEUE, lambda _record, _lookup: events)] if events else []


def as_ref(ref: Ref | str) -> Ref:
    """Return the reference, checked where it was given as a text."""
    return ref if type(ref) is Ref else Ref(ref)
