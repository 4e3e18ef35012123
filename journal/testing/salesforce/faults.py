"""Faults on command: what goes wrong with a request, before it is heard or after it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Unpack

from journal.testing.faults import Fitting, Planned, Which, checked_status
from journal.testing.salesforce.refusal import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.testing.faults import Lost

__all__ = ["Fault", "Faults", "Kind", "Which", "elsewhere"]

Kind: TypeAlias = Literal[
    "answer",
    "delay",
    "drop_after",
    "drop_before",
    "duplicate",
    "expire",
    "slow",
    "truncate",
]
DATA: Final = r"/services/data/"


@dataclass(slots=True)
class Fault(Fitting):
    """One thing that goes wrong.

    Attributes:
        kind: what it is.
        times: with how many requests it still does.
        skip: how many requests it still lets pass.
        method: with which requests: a method, or any.
        path: with which requests: a pattern that is found in the path.
        later: how many requests come before one that is late.
        answer: what is said in place of the answer.
        is_after: whether the request is heard first.
        seconds: how long an answer takes.
        kept_bytes: how much of the body of an answer arrives.
    """

    kind: Kind
    path: str = DATA
    answer: Answer | None = None
    is_after: bool = False
    seconds: float = 0.0
    kept_bytes: int = 0

    @property
    def is_heard(self) -> bool:
        """Whether the request is applied before it goes wrong."""
        return self.kind in {"drop_after", "duplicate", "slow", "truncate"} or self.is_after


_HTML: Final = "text/html;charset=UTF-8"
_SAID: Final[dict[int, tuple[str, str]]] = {
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: ("SERVER_UNAVAILABLE", "The server is temporarily unavailable, please try again later."),
}


def _lost(kind: Lost, later: int) -> Fault:
    return Fault(kind, later=later)


class Faults(Planned[Fault]):
    """What is to go wrong: the oldest fault that fits a request takes it.

    All faults take how many `times` they strike, how many fitting requests they `skip` first, the
    `method` and the `path` (a regular expression) of the requests that they fit: those for data,
    where nothing else is said.
    """

    def __init__(self, deliver: Callable[[], int]) -> None:
        super().__init__(_lost)
        self._deliver = deliver
        self.struck: list[tuple[int, Fault]] = []

    def deliver(self) -> int:
        """Apply now what is late, and return how many requests that were."""
        return self._deliver()

    def status(
        self,
        status: int,
        *,
        after: bool = False,
        retry_after_s: int | None = None,
        **which: Unpack[Which],
    ) -> None:
        """Answer with a `status` like 503, 502, 420 or 500, before or `after` the request counts.

        With `retry_after_s`, the answer says when to come back.

        Raises:
            ValueError: nobody answers so, or no request would ever fit it.
        """
        checked_status(status, retry_after_s)
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        if status in _SAID:
            code, message = _SAID[status]
            answer = Answer(status, [{"message": message, "errorCode": code}], headers)
        else:
            answer = Answer(status, f"<html><body><h1>{status}</h1></body></html>", headers, _HTML)
        self._add(Fault("answer", answer=answer, is_after=after), which)

    def refuse(self, status: int, code: str, message: str, **which: Unpack[Which]) -> None:
        """Refuse the request with that `status`, `code` and `message`, and do nothing of it."""
        answer = Answer(status, [{"message": message, "errorCode": code}])
        self._add(Fault("answer", answer=answer), which)

    def expire_session(self, **which: Unpack[Which]) -> None:
        """End the session that the request comes with: 401, and for whoever uses it later."""
        self._add(Fault("expire"), which)

    def limit_reached(self, **which: Unpack[Which]) -> None:
        """Answer that the org takes no more calls today."""
        said = {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
        self._add(Fault("answer", answer=Answer(403, [said])), which)

    def slow(self, seconds: float, **which: Unpack[Which]) -> None:
        """Apply the request, and take some `seconds` to answer."""
        self._add(Fault("slow", seconds=seconds), which)

    def truncate(self, kept_bytes: int = 1, **which: Unpack[Which]) -> None:
        """Apply the request, and send only the first `kept_bytes` of the answer's body."""
        self._add(Fault("truncate", kept_bytes=kept_bytes), which)

    def wrong_instance(self, **which: Unpack[Which]) -> None:
        """Answer as a host that the org has left."""
        self._add(Fault("answer", answer=elsewhere()), which)

    def strike(self, n: int, method: str, path: str) -> Fault | None:
        """Return what goes wrong with a request, and count it."""
        fault = self._taken(method, path)
        if fault is not None:
            self.struck.append((n, fault))
        return fault


def elsewhere() -> Answer:
    """Return what a host says that the org has left."""
    page = "<html><head><title>URL No Longer Exists</title></head><body></body></html>"
    return Answer(404, page, media_type=_HTML)
