"""Drives a session without a network: every answer of the remote is written in the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from journal.checkpoint import Checkpoint
from journal.remotes.remote import NoAnswer, Request, Response
from journal.sources import SystemClock
from journal.sync.backoff import Backoff
from journal.sync.effects import Call, Pause
from journal.sync.session import Session
from journal.sync.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal import Journal
    from journal.events import Event
    from journal.remotes.remote import Answer, Remote
    from journal.sync import Report

LOST: Final = NoAnswer(was_sent=True, problem="lost")
REFUSED: Final = NoAnswer(was_sent=False, problem="refused")


def shows(record: Any, version: str | None = None, status: int = 200) -> Response:  # noqa: ANN401
    """Return the answer that shows a record, at a version."""
    headers = {} if version is None else {"etag": version}
    return Response(status, headers, json.dumps(record).encode())


def says(status: int, body: bytes = b"", **headers: str) -> Response:
    """Return an answer with this status."""
    return Response(status, headers, body)


class Leaping(SystemClock):
    """A clock that a scripted drain moves on by its waits, so that none of them takes time."""

    def __init__(self) -> None:
        """Begin at the time that it is."""
        self._waited_s = 0.0

    def now_us(self) -> int:
        """Return the wall clock."""
        return super().now_us() + round(self._waited_s * 1e6)

    def monotonic_s(self) -> float:
        """Return the monotonic clock."""
        return super().monotonic_s() + self._waited_s

    def leap(self, seconds: float) -> None:
        """Let that time be over."""
        self._waited_s += seconds


class Script:
    """A drain in which the remote answers what the script says, in order."""

    def __init__(
        self,
        journal: Journal,
        remote: Remote,
        attempts: int = 5,
        *,
        confirms: bool = True,
        **settings: Any,  # noqa: ANN401  of the session
    ) -> None:
        """Send the drafts of that journal to that remote.

        Args:
            journal: with the drafts.
            remote: to send them to.
            attempts: how often in a row to try.
            confirms: whether a read that is repeated at once is answered as the first was; it is
                not noted then. Otherwise the test answers both.
            settings: of the session.
        """
        self.journal = journal
        backoff = Backoff(first_s=1.0, most_s=1.0, least_s=1.0)
        given = Settings("lane", backoff, attempts)._replace(**settings)
        self.session = Session(journal, remote, given, Checkpoint(journal.log), None)
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self._confirms = confirms

    def drain(self, *answers: Answer, at: Callable[[Request], None] | None = None) -> Report:
        """Drain; each request gets the next answer, and there must be neither more nor fewer.

        Args:
            answers: what the remote answers.
            at: called with every request, before it is answered.
        """
        left = list(answers)
        effects = self.session.drain(None, lambda: False)
        result: Any = None
        last: tuple[Request, Answer] | None = None
        while True:
            try:
                effect = effects.send(result)
            except StopIteration as ended:
                assert left == []
                report: Report = ended.value
                return report
            if self._confirms and last is not None and effect == last[0]:
                result, last = last[1], None
                continue
            last = None
            match effect:
                case Request():
                    self.requests.append(effect)
                    if at is not None:
                        at(effect)
                    assert left, f"unexpected: {effect}"
                    result = left.pop(0)
                    if _is_answered(effect, result):
                        last = effect, result
                case Call(function):
                    result = function()
                case Pause(seconds):
                    self.pauses.append(seconds)
                    clock = self.journal.sources.clock
                    if isinstance(clock, Leaping):
                        clock.leap(seconds)
                    result = False
                case _:
                    raise AssertionError(effect)

    @property
    def lines(self) -> list[str]:
        """The requests in short: method and path."""
        return [f"{request.method} {request.path}" for request in self.requests]

    @property
    def methods(self) -> list[str]:
        """The methods of the requests."""
        return [request.method for request in self.requests]


def _is_answered(request: Request, answer: Answer) -> bool:
    """Say whether a request may be one that reads, and was answered."""
    is_write = request.method in {"PUT", "PATCH", "DELETE"}
    return not is_write and isinstance(answer, Response) and answer.status != 401


def outcomes(journal: Journal) -> list[Event]:
    """Return what the subscriber noted, without the beginnings of its pushes."""
    entries = journal.log.read()
    return [e.event for e in entries if e.actor == "sync" and type(e.event).__name__[0] == "D"]
