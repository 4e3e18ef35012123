"""Trouble between a remote and its service: what a network, and whoever stands on the way, does.

It stands where a remote yields its requests, so that it needs no network of its own: the requests
that pass go to the real service, by the real wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from journal.remotes.remote import NoAnswer, Push, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer, Remote, Request

    Trouble: TypeAlias = Callable[[Request], Generator[Request, Answer, Answer]]

PORTAL: Final = Response(
    200, {"content-type": "text/html"}, b"<!DOCTYPE html><title>Welcome</title><h1>Log in</h1>"
)
_TOGETHER: Final = frozenset({"most_together", "together", "push_together"})


def passed(request: Request) -> Generator[Request, Answer, Answer]:
    """Let it pass."""
    return (yield request)


def lost_request(_: Request) -> Generator[Request, Answer, Answer]:
    """Lose the request; nobody can know that it was not the answer."""
    yield from ()
    return NoAnswer(was_sent=True, problem="the connection broke")


def lost_answer(request: Request) -> Generator[Request, Answer, Answer]:
    """Lose the answer, when the service has done what it was asked to."""
    yield request
    return NoAnswer(was_sent=True, problem="the connection broke")


def refused_connection(_: Request) -> Generator[Request, Answer, Answer]:
    """Let no connection be made."""
    yield from ()
    return NoAnswer(was_sent=False, problem="connection refused")


def doubled(request: Request) -> Generator[Request, Answer, Answer]:
    """Deliver the request twice, and the first answer."""
    answer = yield request
    yield request
    return answer


def doubled_late(request: Request) -> Generator[Request, Answer, Answer]:
    """Deliver the request twice, and the second answer."""
    yield request
    return (yield request)


def portal(_: Request) -> Generator[Request, Answer, Answer]:
    """Answer with the page of a captive portal; the request goes nowhere."""
    yield from ()
    return PORTAL


def portal_after(request: Request) -> Generator[Request, Answer, Answer]:
    """Answer with a page, when the service has done what it was asked to."""
    yield request
    return PORTAL


class Troubled:
    """A remote whose exchanges meet with trouble, one after another; all later ones pass."""

    def __init__(self, remote: Remote, troubles: list[Trouble]) -> None:
        """Let the next exchanges of that remote meet with these."""
        self._remote = remote
        self._troubles = troubles
        self.requests: list[Request] = []
        """The requests that the remote has yielded."""
        self.late: list[Request] = []
        """Requests that arrive before the next one, and whose answers nobody waits for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  of the remote
        """Be as the remote is; but drafts go one by one."""
        if name in _TOGETHER:
            raise AttributeError(name)
        return getattr(self._remote, name)

    @property
    def url(self) -> str:
        """Where the remote is."""
        return self._remote.url

    def headers(self) -> Any:  # noqa: ANN401  as of the remote
        """Return the headers of every request."""
        return self._remote.headers()

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, with what comes in between."""
        exchange = self._remote.push(push)
        try:
            request = next(exchange)
            while True:
                while self.late:
                    yield self.late.pop(0)
                self.requests.append(request)
                trouble = self._troubles.pop(0) if self._troubles else passed
                answer = yield from trouble(request)
                request = exchange.send(answer)
        except StopIteration as ended:
            outcome: Outcome = ended.value
            return outcome
        finally:
            exchange.close()
