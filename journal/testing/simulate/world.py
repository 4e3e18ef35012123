"""The simulated world: one machine with processes and a disk, a network, and a service.

Everything happens in one thread, in an order that the seed decides, on a clock that leaps from
one event to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.errors import JournalError, LogClosedError, LogCorruptError, LogUnavailableError
from journal.log.mapper import EntryMapper
from journal.testing.simulate import invariants
from journal.testing.simulate.clock import Agenda, CountedIds, VirtualClock
from journal.testing.simulate.copies import Copies
from journal.testing.simulate.counts import Counts
from journal.testing.simulate.dice import Dice
from journal.testing.simulate.network import Network
from journal.testing.simulate.operations import Desk
from journal.testing.simulate.oracle import Oracle
from journal.testing.simulate.process import Process
from journal.testing.simulate.scenario import Places
from journal.testing.simulate.service import ModelService
from journal.testing.simulate.storage import Crashed, Disk
from journal.testing.simulate.traces import Broken, Trace, Violation

if TYPE_CHECKING:
    from journal.log.chain import Row
    from journal.remotes.remote import Answer
    from journal.testing.simulate.network import Exchange
    from journal.testing.simulate.parts import Parts
    from journal.testing.simulate.scenario import Fault, Scenario

NAMES: Final = ("van", "desk")
"""What the processes are called."""
RESTART_S: Final = 0.7
"""How long after its end a process is started again."""
LOOK_S: Final = 0.5
"""How often it is looked whether everything has come to rest, in the quiet phase."""
STARTS: Final = 25
"""How often a person starts a queue that rejections have stopped, in the quiet phase."""
MOST_EVENTS: Final = 400_000
"""After how many events a run goes nowhere."""
_OF_STORAGE: Final = frozenset(
    {"crash before", "crash within", "crash after", "full", "broken", "busy"}
)
_OF_TIME: Final = frozenset(
    {"power", "clock jumps", "suspended", "token expires", "keys forgotten"}
)
_OF_PROCESS: Final = frozenset({"pause", "cancel"})


class World:
    """One run."""

    def __init__(self, scenario: Scenario, parts: Parts, disk: type[Disk]) -> None:
        """Make a world in which nothing has happened yet."""
        knobs = scenario.knobs
        self.scenario = scenario
        self.parts = parts
        self.counts = Counts()
        self.clock = VirtualClock()
        self.agenda = Agenda(self.clock)
        self.ids = CountedIds()
        self.jitter = Dice(scenario.seed, 1)
        self.trace = Trace(self.clock)
        self.oracle = Oracle()
        self.copies = Copies()
        self.service = ModelService(knobs)
        self.rows: list[Row] = []
        """The rows as they were first seen."""
        self.is_quiet = False
        self.places = Places()
        """Where something could go wrong; known once the quiet phase begins."""
        self.struck = Places()
        """How far it was when something went wrong last."""
        self.left_out = 0
        self.has_pulled = False
        """Whether both sides can be compared: a last pull was made."""
        self.processes: dict[str, Process | None] = dict.fromkeys(NAMES[: knobs.senders])
        of = scenario.faults
        self.disk = disk(
            self.ids.new(self.clock.now_us()),
            [fault for fault in of if fault.kind in _OF_STORAGE],
            self._hit,
            knobs,
        )
        self.disk.now_s = lambda: self.clock.now_s
        self.disk.on_append = lambda actor, is_holder: invariants.i16_fenced(
            self, actor, is_holder=is_holder
        )
        others = _OF_STORAGE | _OF_TIME | _OF_PROCESS
        self.network = Network(
            knobs,
            service=self.service,
            agenda=self.agenda,
            clock=self.clock,
            dice=Dice(scenario.seed, 2),
            trace=self.trace,
            faults=[fault for fault in of if fault.kind not in others],
            hit=self._hit,
        )
        self.network.on_departure = self._departs
        self.network.on_arrival = self._arrives
        self.network.on_effects = lambda exchange: invariants.after_effects(self, exchange)
        self.network.on_death = self._dies
        self.checks = invariants.Memory()
        self.desk = Desk(self)
        self._mapper = EntryMapper()
        self._steps = 0
        self._events = 0
        self._starts = 0
        self._of_process = {fault.at: fault for fault in of if fault.kind in _OF_PROCESS}

    # --- the course of a run ---------------------------------------------------------------

    def run(self) -> None:
        """Let everything happen: the phase of faults, then the quiet one.

        Raises:
            Broken: an invariant does not hold.
        """
        knobs = self.scenario.knobs
        if not self.scenario.faults:
            self.counts.row(48)
        for name in self.processes:
            self.start(name)
        for operation in self.scenario.operations:
            self.agenda.at(operation.at_s, lambda operation=operation: self.desk.do(operation))  # type: ignore[misc]
        for fault in self.scenario.faults:
            if fault.kind in _OF_TIME:
                self.agenda.at(float(fault.at), lambda fault=fault: self._meet(fault))  # type: ignore[misc]
        self._until(knobs.troubled_s)
        self._heal()
        begun_s = self.clock.now_s
        bound_s = invariants.bound_s(self)
        while not invariants.is_at_rest(self):
            if self.clock.now_s > begun_s + bound_s:
                invariants.i26(self, begun_s)
            self._until(self.clock.now_s + LOOK_S)
            self._start_queue()
        invariants.at_rest(self)
        self.trace.say("world", f"at rest after {self.clock.now_s - begun_s:.1f} s")
        has_lost_pull = any(fault.is_of_pull for fault in self.scenario.faults)
        if self.scenario.seed % 2 == 0 or has_lost_pull:  # it takes as long as half of a run
            self._pull_at_last()
        invariants.at_the_end(self)

    def _until(self, until_s: float) -> None:
        while self.agenda.next_s <= until_s:
            self._events += 1
            if self._events > MOST_EVENTS:
                self.broken("I26", "too much happens, and nothing comes of it")
            self.agenda.step()
            self._look()
        self.clock.now_s = max(self.clock.now_s, until_s)

    def _look(self) -> None:
        """Check what must be true after each step."""
        self.observe()
        invariants.after_step(self)

    def _pull_at_last(self) -> None:
        process = self.alive()
        ended: list[bool] = []
        types = sorted({record_type for record_type, _ in self.service.past})
        process.pull(lambda: ended.append(True), types)
        until_s = self.clock.now_s + 600.0
        while not ended and self.clock.now_s < until_s:
            self._until(self.clock.now_s + LOOK_S)
        self.has_pulled = bool(ended)
        if not ended:
            self.broken("I26", "a pull does not come to its end, though nothing is in its way")

    def close(self) -> None:
        """Let go of everything."""
        for process in self.processes.values():
            if process is not None and not process.is_dead:
                process.stop()
        self.disk.close()

    def broken(self, invariant: str, text: str) -> None:
        """End the run: an invariant does not hold.

        Raises:
            Broken: always.
        """
        raise Broken(Violation(invariant, self.clock.now_s, text))

    def _hit(self, row: int) -> None:
        self.counts.row(row)
        self.struck = self._reached()

    def _reached(self) -> Places:
        return Places(self.disk.writes, self.network.count, tuple(self.disk.statements))

    # --- the log ---------------------------------------------------------------------------

    def observe(self) -> None:
        """Look at what was appended, whoever did it, and let whoever waits for it know."""
        found = self.disk.news(len(self.rows))
        if not found:
            return
        for row in found:
            invariants.of_row(self, row)
            self.rows.append(row)
            entry = self._mapper.entry(row)
            invariants.before_entry(self, entry)
            self.oracle.apply(entry)
            self.copies.apply(entry)
            self.trace.say("log", f"{entry.position:3} {row.event_type} {row.stream} {row.actor}")
            invariants.of_entry(self, entry)
        for process in self.processes.values():
            if process is not None and not process.is_dead:
                process.heard()

    # --- processes -------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a process, where it does not run."""
        running = self.processes[name]
        if running is not None and not running.is_dead:
            return
        try:
            process = Process(self, name)
        except (Crashed, JournalError) as error:
            self.trace.say(name, f"does not start: {type(error).__name__}")
            self.agenda.after(RESTART_S, lambda: self.start(name))
            return
        self.processes[name] = process
        self.observe()
        invariants.after_start(self)
        process.begin()

    def restart(self, process: Process, why: str) -> None:
        """End a process in order, and start it again after a while."""
        if process.is_dead:
            return
        self.trace.say(process.name, f"is started anew: {why}")
        process.stop()
        self.checks.in_flight.pop(process.name, None)
        self.checks.forget_waits(process.name)
        self.agenda.after(RESTART_S, lambda: self.start(process.name))

    def died(self, process: Process) -> None:
        """Note that a process has died; it is started again after a while."""
        if self.disk.takes_all:
            for other in self.processes.values():
                if other is not None and not other.is_dead:
                    other.crash("with the machine")
        self.checks.in_flight.pop(process.name, None)
        self.checks.forget_waits(process.name)
        self.agenda.after(RESTART_S, lambda: self.start(process.name))

    def alive(self, number: int = 0) -> Process:
        """Return one of the processes that run.

        Raises:
            LookupError: none does.
        """
        running = [p for p in self.processes.values() if p is not None and not p.is_dead]
        if not running:
            raise LookupError
        return running[number % len(running)]

    def failed(self, process: Process, what: str, error: Exception) -> None:
        """Judge an error that has ended something in a process."""
        self.trace.say(process.name, f"{what} ends: {type(error).__name__}")
        invariants.i22(self, what, error)
        if what == "the sender":
            is_fatal = isinstance(error, LogUnavailableError | LogCorruptError | LogClosedError)
            if not (is_fatal or self.scenario.knobs.drains):
                self.broken("I26", f"the sender ended for good: {error!r}")
        elif isinstance(error, LogUnavailableError):
            self.restart(process, "its log cannot be used")

    def steps(self, process: Process) -> bool:
        """Count a step of a process, and let happen what is to happen at it."""
        self._steps += 1
        fault = self._of_process.pop(self._steps, None) if not self.is_quiet else None
        if fault is None:
            return True
        self._hit(fault.row)
        if fault.kind == "pause":
            self.trace.say(process.name, f"is paused for {fault.more:.1f} s")
            process.paused_until_s = self.clock.now_s + fault.more
            process.paused_at_s = self.clock.now_s
            return True
        self.restart(process, "it was cancelled")
        return False

    def _dies(self, sender: str, how: str) -> None:
        process = self.processes[sender.split(" ", 1)[0]]
        if process is not None:
            process.crash(how)

    # --- what is sent ----------------------------------------------------------------------

    def _departs(self, exchange: Exchange) -> None:
        invariants.at_departure(self, exchange)

    def _arrives(self, exchange: Exchange, answer: Answer) -> None:
        process = self.processes[exchange.sender.split(" ", 1)[0]]
        if process is None or process.is_dead or exchange.began_s < process.began_s:
            return  # it comes to nobody
        self.counts.answer(answer)
        invariants.at_arrival(self, exchange, answer)

    # --- what goes wrong by time -----------------------------------------------------------

    def _meet(self, fault: Fault) -> None:
        if self.is_quiet:
            return
        match fault.kind:
            case "token expires":
                self._hit(fault.row)
                self.service.expire()
            case "clock jumps" | "suspended":
                self._hit(fault.row)
                self.trace.say("clock", f"{fault.kind}: {fault.more:+.0f} s")
                self.clock.jumped_s += fault.more
                self.clock.has_gone_back |= fault.more < 0
            case "keys forgotten":
                if self.service.forget_keys():
                    self._hit(fault.row)
            case "power":
                self._lose_power(fault)
            case _:
                raise AssertionError(fault)

    def _lose_power(self, fault: Fault) -> None:
        """Let all processes die at once; the machine is booted again soon."""
        self._hit(fault.row)
        for process in self.processes.values():
            if process is not None:
                process.crash("with the machine")
        lost = int(fault.more) if self.scenario.knobs.durability == "normal" else 0
        self.observe()
        left = self.disk.lose_power(lost)
        self.trace.say("power", f"fails: {len(self.rows) - left} entries are lost")
        if left < len(self.rows):
            if self.scenario.knobs.durability == "full":
                self.broken("I3", f"{len(self.rows) - left} entries that were stored are lost")
            self.rows, self.oracle, self.copies = [], Oracle(), Copies()
            self.checks.folded.clear()
            self.checks.has_lost = True
            self.checks.resolved.clear()
            self.checks.told.clear()
            self.checks.sights.forget()
            self.desk.forget(left)
            self.observe()
        self.clock.booted_s = self.clock.now_s

    # --- the quiet phase -------------------------------------------------------------------

    def _heal(self) -> None:
        """Let nothing go wrong any more."""
        self.trace.say("world", "is quiet from here on")
        self.places = self._reached()
        self.is_quiet = self.network.is_quiet = self.disk.is_quiet = True
        for name, process in self.processes.items():
            if process is None:
                continue
            if process.is_dead:
                continue  # it is being started
            if process.mount.failure is not None:
                self.restart(process, "its log can be used again")
            del name

    def _start_queue(self) -> None:
        """Start the queue as a person, where it was stopped, so that everything is tried."""
        if not self.oracle.is_stopped or self._starts >= STARTS:
            return
        invariants.i27_stopped(self)
        try:
            process = self.alive()
        except LookupError:
            return
        self._starts += 1
        process.do("start", lambda journal: journal.start_queue())
        self.observe()
