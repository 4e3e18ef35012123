"""Carries out the effects of a session, or of a pull, on the simulated clock.

It is what a subscriber does by threads or an event loop, without either: every effect takes
virtual time, and between any two effects others may do something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from journal.remotes.remote import Request
from journal.sync.effects import Call, Listen, Pause
from journal.testing.simulate.storage import Crashed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journal.remotes.remote import Answer
    from journal.sync.effects import Effect, Woken
    from journal.testing.simulate.clock import Timer
    from journal.testing.simulate.process import Process

CALL_S: Final = 0.001
"""How long a call to the log takes."""


class Task:
    """A generator of effects, and where it is."""

    def __init__(
        self,
        process: Process,
        name: str,
        effects: Generator[Effect, Any, Any],
        ended: Callable[[Any, Exception | None], None],
    ) -> None:
        """Begin nothing yet.

        Args:
            process: in which it runs.
            name: what it is called in the trace.
            effects: what is carried out.
            ended: called with what it returned, or with the error that ended it.
        """
        self.name = name
        self.request: Request | None = None
        """The request that it waits for."""
        self.wait: Pause | Listen | None = None
        """What it waits for."""
        self.since_s = 0.0
        self.is_over = False
        self._process = process
        self._effects = effects
        self._ended = ended
        self._timer: Timer | None = None
        self._number = 0

    def resume(self, value: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401  whatever it is
        """Go on, with what an effect came to, up to the next one that takes time."""
        process = self._process
        if self.is_over or process.is_dead:
            return
        world = process.world
        self.request = self.wait = None
        self._number += 1
        if process.paused_until_s > world.clock.now_s:
            self._timer = world.agenda.at(process.paused_until_s, lambda: self.resume(value, error))
            return
        try:
            effect = self._effects.throw(error) if error else self._effects.send(value)
        except StopIteration as ended:
            self.is_over = True
            self._ended(ended.value, None)
            return
        except Crashed:
            process.crash("in the middle of something")
            return
        except Exception as failure:  # noqa: BLE001  it is judged
            self.is_over = True
            self._ended(None, failure)
            return
        if process.steps(self):
            self._begin(effect)

    def _begin(self, effect: Effect) -> None:
        """Begin what takes time."""
        process = self._process
        agenda = process.world.agenda
        self.since_s = process.world.clock.now_s
        match effect:
            case Call(function):
                self._timer = agenda.after(CALL_S, lambda: self._call(function))
            case Request():
                self.request = effect
                number = self._number

                def came(answer: Answer) -> None:
                    if number == self._number and not self.is_over:
                        self.resume(answer)

                process.send(self, effect, came)
            case Pause():
                self._rest(effect)
            case Listen(after):
                self.wait = effect
                if process.journal.log.head() > after:
                    self._timer = agenda.after(CALL_S, lambda: self.resume("append"))
                elif process.is_stopping:
                    self._timer = agenda.after(CALL_S, lambda: self.resume("stop"))
            case _:
                assert_never(effect)

    def _call(self, function: Callable[[], Any]) -> None:
        process = self._process
        if self.is_over or process.is_dead:
            return
        if process.paused_until_s > process.world.clock.now_s:
            process.world.agenda.at(process.paused_until_s, lambda: self._call(function))
            return
        try:
            with process.mount.at_call(is_of_pull=self is not process.sender):
                value = function()
        except Crashed:
            process.crash("at a call to the log")
        except Exception as error:  # noqa: BLE001  it is judged
            self.resume(None, error)
        else:
            self.resume(value)

    # --- waiting ---------------------------------------------------------------------------

    def _rest(self, pause: Pause) -> None:
        self.wait = pause
        agenda = self._process.world.agenda
        sure_s = pause.seconds if pause.at_least_s is None else min(pause.at_least_s, pause.seconds)
        if self._process.is_stopping:
            self._timer = agenda.after(CALL_S, lambda: self.resume("stop"))
        elif sure_s < pause.seconds and self._is_woken(pause):
            self._timer = agenda.after(max(sure_s, CALL_S), lambda: self._wake_up("nudge"))
        else:
            self._timer = agenda.after(pause.seconds, lambda: self.resume("time"))

    def _is_woken(self, pause: Pause) -> bool:
        process = self._process
        has_more = pause.after is not None and process.journal.log.head() > pause.after
        return process.is_nudged or has_more

    def _wake_up(self, woken: Woken) -> None:
        if self._process.is_nudged:
            self._process.is_nudged = False
            woken = "nudge"
        self.resume(woken)

    def heard(self) -> None:
        """Look whether what happened (an append, a nudge, a stop) ends the wait."""
        if self.is_over or self._process.is_dead or self.wait is None:
            return
        agenda, now_s = self._process.world.agenda, self._process.world.clock.now_s
        wait = self.wait
        woken: Woken
        at_s = now_s + CALL_S
        if self._process.is_stopping:
            woken = "stop"
        elif isinstance(wait, Listen):
            if self._process.journal.log.head() <= wait.after:
                return
            woken = "append"
        else:
            sure_s = wait.seconds if wait.at_least_s is None else wait.at_least_s
            if sure_s >= wait.seconds or not self._is_woken(wait):
                return
            woken = "nudge" if self._process.is_nudged else "append"
            at_s = max(at_s, self.since_s + sure_s)
        if self._timer is not None:
            self._timer.is_off = True
        self._timer = agenda.at(at_s, lambda: self._wake_up(woken))

    def end(self) -> None:
        """End it where it is, as the end of a process does."""
        if not self.is_over:
            self.is_over = True
            if self._timer is not None:
                self._timer.is_off = True
            self._effects.close()
