"""How a process is killed: by a strike that comes at a call, at a request, or after a time."""

from __future__ import annotations

import time
from contextlib import ExitStack
from itertools import count
from multiprocessing.connection import wait
from signal import SIGKILL
from threading import Timer
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tests.integration.crashing import PROCESSES, child, working
from tests.integration.kills.victims import restless_day

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from multiprocessing.context import ForkServerContext, SpawnContext

    from journal.testing.loopback import Reply
    from tests.integration.crashing import Child, Words
    from tests.integration.kills.service import Answering, WatchedService
    from tests.integration.kills.victims import Victim

PATIENCE_S: Final = 60.0
"""How long a victim may take to come to the moment of its strike, on a machine that is busy."""
AT: Final = ("call", "request", "time")
HOW: Final = ("lost", "late", "done", "answered")
"""What becomes of the request at which a process dies: it is lost; it is done a while after the
death; it is done, and not answered; it is answered, and the death comes a moment later."""


class Strike(NamedTuple):
    """When a process is killed."""

    at: Literal["call", "request", "time"]
    """After a call that changed something has returned, at a request, or after a while."""
    number: int
    """After which call, or at which request."""
    how: Literal["lost", "late", "done", "answered"]
    delay_s: float
    """How much later than the moment; it is the whole of a time."""


def thrown(dice: random.Random, victim: Victim) -> Strike:
    """Return a strike for a victim.

    One whose changes have no conditions has no request that is late: it would undo another.
    """
    can = {"call": "change" in victim.roles, "request": "pull" in victim.roles, "time": True}
    at = dice.choice([moment for moment in AT if can[moment]])
    how = dice.choice([how for how in HOW if victim.has_conditions or how != "late"])
    delay_s = 0.25 * dice.random() ** 3 if at == "time" else 0.004 * dice.random()
    return Strike(at, dice.randint(1, 25 if at == "call" else 12), how, delay_s)  # type: ignore[arg-type]


class Striker:
    """Kills one process, once, at the moment of its strike."""

    def __init__(self, strike: Strike, kill: Callable[[], None]) -> None:
        """Wait for the moment."""
        self.strike = strike
        self.words: list[Words] = []
        self.has_struck = False
        self._kill = kill
        self._calls = 0
        self._requests = count(1)  # in which two threads never find the same number

    def __repr__(self) -> str:
        """Show how far the process came."""
        return f"Striker({self.strike}, {self._requests}, {self.words[-5:]})"

    def hear(self, word: Words) -> None:
        """Note what the process tells; strike where that is the moment."""
        self.words.append(word)
        self._calls += word[0] == "done"
        is_call = self.strike.at == "call" and word[0] == "done"
        is_time = self.strike.at == "time" and word[0] == "opening"
        if is_time or (is_call and self._calls == self.strike.number):
            self.kill_in(self.strike.delay_s)

    def meet(self, method: str, answering: Answering) -> Reply:
        """Answer a request of the process; strike where that is the moment."""
        number = next(self._requests)
        if self.strike.at != "request" or number != self.strike.number:
            return answering()
        how = self.strike.how
        if how == "answered":
            self.kill_in(self.strike.delay_s)
            return answering()
        if how == "done" or method == "PUT":  # a create that is late may come upon a delete
            try:
                return answering()
            finally:  # what the service refuses is raised
                self.kill()
        self.kill()
        if how == "lost":
            raise ConnectionAbortedError("the request is lost")
        time.sleep(50 * self.strike.delay_s)
        return answering()

    def kill_in(self, delay_s: float) -> None:
        """Kill the process, a moment later."""
        timer = Timer(delay_s, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """Kill the process; nothing happens where it is no more."""
        self.has_struck = True
        self._kill()


def live_and_die(
    victims: Sequence[Victim],
    strikes: Sequence[Strike],
    service: WatchedService,
    day: Callable[..., None] = restless_day,
    context: ForkServerContext | SpawnContext = PROCESSES,
) -> list[list[Words]]:
    """Start processes, and kill each at the moment of its strike; return what each has told.

    Args:
        victims: who they are.
        strikes: when each is killed.
        service: what they push to.
        day: what each of them does, for ever.
        context: what they are made from.

    Raises:
        AssertionError: one of them was not killed, but failed, ended or came no further.
    """
    with ExitStack() as stack:
        struck: list[tuple[Child, Striker]] = []
        for victim, strike in zip(victims, strikes, strict=True):
            process = stack.enter_context(child(working, day, (victim,), context=context))
            striker = Striker(strike, process.strike)
            service.meets[victim.name] = striker.meet
            struck.append((process, striker))
        _watched(struck)
        for process, striker in struck:
            assert process.ended_by == SIGKILL, striker
            assert striker.has_struck
        return [striker.words for _, striker in struck]


def _watched(struck: Sequence[tuple[Child, Striker]]) -> None:
    """Hear what the processes tell, until the last of them is dead."""
    alive: dict[object, tuple[Child, Striker]] = {pair[0].pipe: pair for pair in struck}
    until_s = time.monotonic() + PATIENCE_S
    while alive:
        ready = wait(
            [process.pipe for process, _ in alive.values()], max(0.0, until_s - time.monotonic())
        )
        assert ready, [striker for _, striker in alive.values()]
        for pipe in ready:
            process, striker = alive[pipe]
            word = process.word()
            if word is None:
                del alive[pipe]
            else:
                striker.hear(word)
