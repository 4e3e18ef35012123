"""Faults on command: what goes wrong with a request, before it is heard or after it was."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypedDict, Unpack

from journal.testing.salesforce.refusal import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

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
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: what it is.
        times: with how many requests it still does.
        skip: how many requests it still lets pass.
        method: with which requests: a method, or any.
        path: with which requests: a pattern that is found in the path.
        answer: what is said in place of the answer.
        is_after: whether the request is heard first.
        later: how many requests come before one that is late.
        seconds: how long an answer takes.
        kept_bytes: how much of the body of an answer arrives.
    """

    kind: Kind
    times: int = 1
    skip: int = 0
    method: str | None = None
    path: str = DATA
    answer: Answer | None = None
    is_after: bool = False
    later: int = 1
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


class Which(TypedDict, total=False):
    """With which requests something goes wrong."""

    times: int
    skip: int
    method: str
    path: str


class Faults:
    """What is to go wrong: the oldest fault that fits a request takes it.

    All faults take how many `times` they strike, how many fitting requests they `skip` first, the
    `method` and the `path` (a regular expression) of the requests that they fit: those for data,
    where nothing else is said.
    """

    def __init__(self, deliver: Callable[[], int]) -> None:
        self._pending: list[Fault] = []
        self._deliver = deliver
        self.struck: list[tuple[int, Fault]] = []

    def _add(self, fault: Fault, which: Which) -> None:
        self._pending.append(replace(fault, **which))

    @property
    def pending(self) -> list[Fault]:
        """What has not gone wrong yet."""
        return list(self._pending)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._pending.clear()

    def drop_before(self, **which: Unpack[Which]) -> None:
        """Drop the connection before the request is heard."""
        self._add(Fault("drop_before"), which)

    def drop_after(self, **which: Unpack[Which]) -> None:
        """Apply the request, then drop the connection: the answer is lost."""
        self._add(Fault("drop_after"), which)

    def delay(self, later: int = 1, **which: Unpack[Which]) -> None:
        """Drop the connection, and apply the request after `later` others: it was on its way."""
        self._add(Fault("delay", later=later), which)

    def duplicate(self, later: int = 1, **which: Unpack[Which]) -> None:
        """Answer the request, and apply it again after `later` others: it was sent twice."""
        self._add(Fault("duplicate", later=later), which)

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
        """
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
        for fault in self._pending:
            fits = fault.method in {None, method} and re.search(fault.path, path)
            if not fits:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._pending.remove(fault)
            self.struck.append((n, fault))
            return fault
        return None


def elsewhere() -> Answer:
    """Return what a host says that the org has left."""
    page = "<html><head><title>URL No Longer Exists</title></head><body></body></html>"
    return Answer(404, page, media_type=_HTML)
