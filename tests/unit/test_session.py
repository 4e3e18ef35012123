"""The session: whenever a change is made, it is sent without another one (S5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.checkpoint import Checkpoint
from journal.errors import (
    InvalidNameError,
    InvalidValueError,
    JournalError,
    LeaseLostError,
    RefusedError,
)
from journal.remotes import HttpRemote, NoAnswer, Profile, Request, Response
from journal.sources import Sources
from journal.sync import AsyncSubscriber, Progress, Subscriber
from journal.sync.backoff import Backoff, Failures
from journal.sync.effects import Call, Listen, Pause
from journal.sync.floor import Floor
from journal.sync.session import Session
from journal.sync.settings import Settings
from journal.sync.waits import SLICE_S
from tests.integration.matrix import hit
from tests.unit.scripted import LOST, Script, says, shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.remotes import Answer
    from journal.sync.effects import Woken

STEPS: Final = 16
"""More than the effects of sending two drafts in the background."""


@pytest.mark.parametrize("nth", range(STEPS))
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_change_at_any_moment_is_sent(
    nth: int,
    is_after: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """A change made before or after any step is sent before the session waits for another."""
    with Journal(actor="ann", origin="van-7") as journal:
        journal.create("Account", {"Name": "first"}, id="a1")
        remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
        session = Session(journal, remote, Settings(), Checkpoint(journal.log), None)
        effects = session.run(lambda: False)
        sent: list[str] = []
        result: Any = None
        for step in range(10 * STEPS):
            effect = effects.send(result)
            if step == nth and not is_after:
                journal.create("Account", {"Name": "second"}, id="a2")
            match effect:
                case Request(body=body, path=path):
                    sent.append(path)
                    result = shows(json.loads(body or b"{}"), f'"{step}"')
                case Call(function):
                    result = function()
                case Listen(after):
                    result = False
                    if journal.log.head() <= after and step >= nth:
                        break  # here it would wait for ever
                case _:
                    raise AssertionError(effect)
            if step == nth and is_after:
                journal.create("Account", {"Name": "second"}, id="a2")
        effects.close()

    has_second = step > nth or not is_after
    assert sent == ["/Account/a1", "/Account/a2"][: 1 + has_second]


class Suspended:
    """A clock on the wall that runs on while the monotonic one sleeps."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.wall_us = 1_700_000_000_000_000
        self.monotonic = 1000.0

    def now_us(self) -> int:
        """Return the wall clock."""
        return self.wall_us

    def monotonic_s(self) -> float:
        """Return the monotonic clock."""
        return self.monotonic


def waits(
    *answers: Answer,
    wake: Callable[[Pause, Suspended], Woken] = lambda _pause, _clock: "time",
) -> list[Pause]:
    """Return the pauses between the requests for one draft, which gets these answers."""
    clock, pauses = Suspended(), list[Pause]()
    left = list(answers)
    with Journal(actor="ann", origin="van-7", sources=Sources(clock=clock)) as journal:
        journal.create("Account", {"Name": "first"}, id="a1")
        remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
        settings = Settings(backoff=Backoff(100.0, 100.0, 100.0), request_s=20.0)
        session = Session(journal, remote, settings, Checkpoint(journal.log), None)
        effects = session.run(lambda: False)
        result: Any = None
        while left:
            match effect := effects.send(result):
                case Request():
                    result = left.pop(0)
                case Call(function):
                    result = function()
                case Pause(seconds):
                    pauses.append(effect)
                    clock.monotonic += seconds
                    clock.wall_us += round(seconds * 1e6)
                    result = wake(effect, clock)
                case _:
                    raise AssertionError(effect)
        effects.close()
    return pauses


NOT_SENT: Final = NoAnswer(was_sent=False, problem="no network")
DONE: Final = NoAnswer(was_sent=False, problem="the end of the test")


@pytest.mark.parametrize("kind", [Subscriber, AsyncSubscriber])
@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ({"on_held": "Stop"}, InvalidNameError),
        ({"attempts": 0}, InvalidValueError),
        ({"attempts": None}, InvalidValueError),
        ({"attempts": "3"}, InvalidValueError),
        ({"rejections": 0}, InvalidValueError),
        ({"rejections": True}, InvalidValueError),
        ({"doubts": -1}, InvalidValueError),
    ],
)
def test_a_setting_that_is_none_is_refused(
    kind: Any,  # noqa: ANN401
    setting: dict[str, Any],
    error: type[RefusedError],
) -> None:
    """A mistyped setting is not taken for another: what is to be held would be sent."""
    (name,) = setting
    with Journal() as journal, pytest.raises(error, match=name):
        kind(journal, HttpRemote(Profile.of({"url": "https://records.example.com"})), **setting)


class TestWaits:
    """How long is waited, and what ends it."""

    def test_in_slices(self) -> None:
        """A long wait is one of short ones, between which it is looked around."""
        pauses = waits(NOT_SENT, DONE)

        assert sum(pause.seconds for pause in pauses) == pytest.approx(100.0)
        assert max(pause.seconds for pause in pauses) == SLICE_S
        assert all(pause.at_least_s == 0.0 for pause in pauses)

    def test_an_append_ends_it_after_a_quarter(self) -> None:
        """From a quarter of a wait on, an append ends it: somebody works, and may be online."""
        pauses = waits(NOT_SENT, DONE)

        assert [pause.after for pause in pauses] == [None] * 5 + [2] * 15
        woken = waits(NOT_SENT, DONE, wake=lambda pause, _: "append" if pause.after else "time")
        assert len(woken) == 6

    def test_a_machine_that_was_suspended(self) -> None:
        """Whoever slept through hours does not go on waiting where it had stopped (row 36)."""

        def sleep(_: Pause, clock: Suspended) -> Woken:
            hit(36)
            clock.wall_us += 3 * 3600 * 1_000_000
            return "time"

        assert len(waits(NOT_SENT, DONE, wake=sleep)) == 1

    def test_a_wish_of_the_remote_is_kept_through_it(self) -> None:
        """A remote that asked for patience is not asked earlier, whatever the wall clock says."""

        def jump(_: Pause, clock: Suspended) -> Woken:
            clock.wall_us += 3 * 3600 * 1_000_000
            return "time"

        pauses = waits(Response(503, {"retry-after": "60"}), Response(404), DONE, wake=jump)

        assert 60.0 <= sum(pause.seconds for pause in pauses) <= 65.0
        assert (pauses[0].at_least_s, pauses[-1].at_least_s) == (60.0, 0.0)

    def test_what_a_pull_was_asked_for_holds_for_a_push(self) -> None:
        """S8, I27: it is waited before the next draft is sent, and said why."""
        clock = Suspended()
        said: list[Progress] = []
        with Journal(actor="ann", origin="van-7", sources=Sources(clock=clock)) as journal:
            journal.create("Account", {"Name": "first"}, id="a1")
            remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
            floor = Floor(clock)
            checkpoint = Checkpoint(journal.log)
            session = Session(journal, remote, Settings(), checkpoint, said.append, floor=floor)
            floor.rise(30.0, "the remote is busy")
            effects = session.drain(None, lambda: False)
            effect = next(effects)
            while isinstance(effect, Call):
                effect = effects.send(effect.function())
            effects.close()

        assert isinstance(effect, Pause)
        assert effect.at_least_s == pytest.approx(30.0)
        assert [(progress.step, progress.problem) for progress in said] == [
            ("waiting", "the remote is busy")
        ]

    def test_the_lease_is_lost_while_the_remote_is_left_alone(self) -> None:
        """S7: who loses it while waiting for what a pull was told ends as any second sender."""
        clock = Suspended()
        with Journal(actor="ann", origin="van-7", sources=Sources(clock=clock)) as journal:
            journal.create("Account", {"Name": "first"}, id="a1")
            journal.create("Account", {"Name": "second"}, id="a2")
            remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
            session, other = (
                Session(journal, remote, Settings(), Checkpoint(journal.log), None) for _ in "ab"
            )
            effects: Any = session.drain(None, lambda: False)
            result: Any = None
            report: Any = None
            failure: JournalError | None = None
            while report is None:
                try:
                    effect = effects.send(result) if failure is None else effects.throw(failure)
                except StopIteration as ended:
                    report = ended.value
                    break
                result = failure = None
                match effect:
                    case Request():
                        session.floor.rise(60.0, "the remote is busy")
                        result = Response(201, {"etag": "1"}, b'{"Name": "first"}')
                    case Call(function):
                        try:
                            result = function()
                        except LeaseLostError as error:
                            failure = error
                    case Pause():
                        clock.monotonic += 1000.0
                        journal.log.leases.release(session.lease.held())
                        assert other.lease.attempt() is None
                    case _:
                        raise AssertionError(effect)

        assert (report.acknowledged, report.pending) == (1, 1)
        assert report.stopped_by == "another sender"

    def test_kinds_are_counted_apart(self) -> None:
        """What was waited for a network does not make the waits for a busy remote longer."""
        failures = Failures().and_another("unreachable").and_another("unreachable")

        mixed = failures.and_another("throttled")

        assert (mixed.of("unreachable"), mixed.of("throttled"), mixed.all) == (2, 1, 3)


A_MONTH_US: Final = 30 * 24 * 3600 * 1_000_000
REPEATABLE: Final = {"is_repeatable": True, "headers": {"Idempotency-Key": "{draft}"}}


class TestOldDrafts:
    """A draft whose first request left so long ago that the remote may have forgotten it (I21)."""

    def sent(self, profile: dict[str, Any], *answers: Answer, wait_us: int = A_MONTH_US) -> Script:
        """Let a create be lost, and be sent again by another sender after a month."""
        clock = Suspended()
        with Journal(actor="ann", origin="van-7", sources=Sources(clock=clock)) as journal:
            journal.create("Account", {"Name": "first"}, id="a1")
            remote = HttpRemote(Profile.of({"url": "https://records.example.com", **profile}))
            first = Script(journal, remote, attempts=1)
            first.drain(LOST)
            first.session.lease.release()
            hit(43)
            clock.wall_us += wait_us
            script = Script(journal, remote)
            script.drain(*answers)
        return script

    @pytest.mark.parametrize("create", [{}, REPEATABLE], ids=["plain", "repeatable"])
    def test_is_looked_up_first(self, create: dict[str, Any]) -> None:
        """It is looked up by our key before anything is sent again."""
        there = shows({"Name": "first"}, '"1"')

        applied = self.sent({"create": create}, there)
        lost = self.sent({"create": create}, says(404), there)

        assert applied.lines == ["GET /Account/a1"]
        assert lost.lines == ["GET /Account/a1", "PUT /Account/a1"]

    def test_which_is_remembered(self) -> None:
        """As long as the service remembers a request, it is sent again without a look."""
        there = shows({"Name": "first"}, '"1"')
        for_long = {"create": {**REPEATABLE, "remembered_s": 31 * 24 * 3600.0}}

        assert self.sent(for_long, there).methods == ["PUT"]
        assert self.sent({"create": REPEATABLE}, there, wait_us=3_600_000_000).methods == ["PUT"]

    def test_which_is_of_the_future(self) -> None:
        """A clock that was far ahead, and was set back, hides how old it is: it is looked up."""
        there = shows({"Name": "first"}, '"1"')

        far = self.sent({"create": REPEATABLE}, there, wait_us=-A_MONTH_US)
        near = self.sent({"create": REPEATABLE}, there, wait_us=-1_000_000)

        assert (far.methods, near.methods) == (["GET"], ["PUT"])

    def test_which_cannot_be_looked_up(self) -> None:
        """Where there is no look-up by our key, a person is asked, and nothing is sent."""
        create = {**REPEATABLE, "method": "POST", "path": "/{type}"}

        script = self.sent({"create": create, "answer": {"id": "/id"}})

        assert script.requests == []
        assert script.session._ledger.queue.held == 1


def test_who_drains_again_too_early_says_why_it_waits() -> None:
    """A drain that begins while the remote is to be left alone waits, and the status says why."""
    with Journal(actor="ann", origin="van-7") as journal:
        journal.create("Account", {"Name": "first"}, id="a1")
        remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
        script = Script(journal, remote, attempts=1)
        script.drain(Response(503, {"retry-after": "60"}))

        effects = script.session.drain(None, lambda: False)
        effect = next(effects)
        while isinstance(effect, Call):
            effect = effects.send(effect.function())
        status = script.session._board.now()
        effects.close()

    assert isinstance(effect, Pause)
    assert status.next_attempt_s is not None
    assert "503" in status.last_error
