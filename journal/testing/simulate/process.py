"""A process of the simulated machine: a journal, opened on the disk, and what sends from it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from journal.errors import JournalError
from journal.policies import Policies
from journal.sources import Sources
from journal.sync.backoff import Backoff
from journal.sync.pulling import Pull
from journal.sync.settings import Settings
from journal.sync.status import Board
from journal.testing.simulate import invariants
from journal.testing.simulate.dialects import TYPES, profile_of
from journal.testing.simulate.storage import Crashed, Mount
from journal.testing.simulate.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.drafts import Draft
    from journal.journal import Journal
    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer, Remote, Request
    from journal.sync.reports import Report
    from journal.sync.session import Session
    from journal.testing.simulate.world import World


DRAIN_S: Final = 1.3
"""How long after a drain the next one begins, in a host that drains now and then."""


class Process:
    """One life of a process, from its start to its end."""

    def __init__(self, world: World, name: str) -> None:
        """Start: open the journal, and begin to send in the background.

        Raises:
            Crashed: it did not come so far.
            JournalError: the journal could not be opened.
        """
        self.world = world
        self.name = name
        self.began_s = world.clock.now_s
        self.is_dead = False
        self.is_stopping = False
        self.is_nudged = False
        self.paused_until_s = 0.0
        self.paused_at_s = -1.0
        self.tasks: list[Task] = []
        knobs, parts = world.scenario.knobs, world.parts
        sources = Sources(world.clock, world.ids, world.jitter)
        self.mount = Mount(world.disk)
        try:
            self.journal: Journal = parts.journal(parts.recorder(self.mount), sources, name)
            profile = profile_of(knobs)
            self.remote: Remote = parts.remote(
                profile, knobs, lambda: world.service.token, world.clock
            )
            backoff = Backoff(first_s=knobs.first_s, most_s=knobs.most_s)
            self.settings = Settings(
                knobs.on_held,
                backoff,
                knobs.attempts,
                Policies(default=knobs.policy),
                knobs.rejections,
                knobs.request_s,
                knobs.lease_s,
                knobs.doubts,
            ).checked()
            self.board = Board(world.clock)
            self.session: Session = parts.session(
                self.journal, self.remote, self.settings, self.board, self._spans
            )
        except BaseException:
            self.mount.die()
            raise
        self.sender = self._sending()
        world.trace.say(name, "starts")

    def _sending(self) -> Task:
        effects: Any = (
            self.session.drain(None, lambda: self.is_stopping)
            if self.world.scenario.knobs.drains
            else self.session.run(lambda: self.is_stopping)
        )
        task = Task(self, self.name, effects, self._ended)
        self.tasks.append(task)
        return task

    def _spans(self, draft: Draft, trace: str | None) -> _Span:
        """Begin to note what came of a push."""
        del draft, trace
        return _Span(self.world)

    # --- what runs in it -------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to send."""
        self.sender.resume()

    def pull(self, ended: Callable[[], None], types: Sequence[str] = TYPES) -> None:
        """Begin to pull, once; `ended` is called at its end."""
        remote: Any = self.remote
        pull = Pull(self.journal, remote, self.settings, None, floor=self.session.floor)
        effects = pull.pages(types, None, lambda: self.is_stopping)

        def over(report: Any, error: Exception | None) -> None:  # noqa: ANN401  whatever it is
            self.tasks.remove(task)
            if error is not None:
                self.world.failed(self, "a pull", error)
            else:
                self.world.trace.say(self.name, f"pulled {report[:4]} {report.stopped_by}")
                self.world.left_out += len(report.left_out)
            ended()

        task = Task(self, f"{self.name} pull", effects, over)
        self.tasks.append(task)
        task.resume()

    def pending(self) -> list[Draft]:
        """Return the drafts that the journal knows to be pending."""
        return list(self.journal._pending.queue())  # noqa: SLF001  what a crash is simulated at

    def steps(self, task: Task) -> bool:
        """Count a step; say whether the process lives on."""
        del task
        return self.world.steps(self)

    def send(self, task: Task, request: Request, came: Callable[[Answer], None]) -> None:
        """Let a request of a task leave."""
        self.world.network.send(task.name, self.remote, request, came)

    def _ended(self, report: Report | None, error: Exception | None) -> None:
        """Begin to drain again after a while; who sends in the background never ends."""
        if error is not None or report is None:
            if error is not None:
                self.world.failed(self, "the sender", error)
            self.world.restart(self, "its sender has ended")
            return
        self.world.trace.say(self.name, f"drained {report.acknowledged}, {report.stopped_by}")
        invariants.of_report(self.world, report)
        self.tasks.remove(self.sender)
        self.world.agenda.after(DRAIN_S, self._drain_again)

    def _drain_again(self) -> None:
        if not self.is_dead:
            self.sender = self._sending()
            self.sender.resume()

    # --- what is done to it ----------------------------------------------------------------

    def do(self, what: str, command: Callable[[Journal], Any]) -> tuple[Any, BaseException | None]:
        """Carry out a command of a host; return what it returned, or what it raised."""
        try:
            return command(self.journal), None
        except Crashed as end:
            self.crash(f"at {what}")
            return None, end
        except JournalError as error:
            return None, error

    def heard(self) -> None:
        """Let whatever waits look whether it has to."""
        for task in tuple(self.tasks):
            task.heard()

    def crash(self, how: str) -> None:
        """End it, at once: nothing of it has an effect any more."""
        if not self.is_dead:
            self.world.trace.say(self.name, f"dies {how}")
            self._die()
            self.world.died(self)

    def _die(self) -> None:
        self.is_dead = True
        self.mount.die()
        for task in self.tasks:
            with suppress(Crashed, JournalError):
                task.end()

    def stop(self) -> None:
        """End it in order: the sender is cancelled, wherever it is, and the journal closed."""
        if self.is_dead:
            return
        self.world.trace.say(self.name, "stops")
        for task in self.tasks:
            try:
                task.end()
            except Crashed:
                break
        self.session.lease.release()
        self.journal.close()
        self.is_dead = True


class _Span:
    """Notes what came of a push."""

    def __init__(self, world: World) -> None:
        self._world = world

    def end(self, outcome: Outcome | None) -> None:
        """Count the outcome."""
        self._world.counts.outcome(outcome)
