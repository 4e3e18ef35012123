"""What is to go wrong on the way to a service: which faults there are yet, and whom they strike."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeAlias, TypedDict, TypeVar, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fitting", "Lost", "Planned", "Which", "checked_status"]

Lost: TypeAlias = Literal["drop_before", "drop_after", "delay", "duplicate"]
"""What every such network may do to a request."""


@dataclass(slots=True)
class Fitting:
    """With which requests something goes wrong, and with how many.

    Attributes:
        kind: what goes wrong.
        times: with how many requests it still does.
        skip: how many requests it still lets pass.
        method: with which requests: a method, or any.
        path: with which requests: a pattern that is found in the path.
        later: how many requests come before one that is late.
        is_met: whether it has gone wrong at least once.
    """

    kind: str
    times: int = 1
    skip: int = 0
    method: str | None = None
    path: str = ""
    later: int = 1
    is_met: bool = False


class Which(TypedDict, total=False):
    """With which requests something goes wrong."""

    times: int
    skip: int
    method: str
    path: str


_WHICH: Final = frozenset({"times", "skip", "method", "path"})


def checked_status(status: object, retry_after_s: int | None) -> int:
    """Return a status that may be answered.

    Raises:
        ValueError: nobody answers so.
    """
    if not (isinstance(status, int) and 200 <= status <= 599):  # noqa: PLR2004  of HTTP
        raise ValueError(f"status {status!r} is answered by nobody; it is a number like 503")
    if retry_after_s is not None and retry_after_s < 0:
        raise ValueError(f"retry_after_s is {retry_after_s}; it is a number of seconds from 0 on")
    return status


def _check_fitting(fault: Fitting) -> None:
    """Refuse what would never go wrong.

    Raises:
        ValueError: no request would ever fit it.
    """
    if fault.method is not None and fault.method != fault.method.upper():
        raise ValueError(
            f"no request has the method {fault.method!r}; write {fault.method.upper()!r}"
        )
    if fault.times < 1 or fault.skip < 0 or fault.later < 0:
        said = f"times={fault.times}, skip={fault.skip}, later={fault.later}"
        raise ValueError(f"a fault with {said} never strikes; times is 1 at least, the others 0")
    try:
        re.compile(fault.path)
    except re.error as error:
        raise ValueError(f"path {fault.path!r} is no regular expression: {error}") from error


_Fault = TypeVar("_Fault", bound=Fitting)


class Planned(Generic[_Fault]):
    """What is to go wrong: the oldest fault that fits a request takes it."""

    def __init__(self, lost: Callable[[Lost, int], _Fault]) -> None:
        """Begin with nothing that goes wrong.

        Args:
            lost: makes the fault of that kind, which comes so many requests late.
        """
        self._lost = lost
        self._pending: list[_Fault] = []

    def _add(self, fault: _Fault, which: Which) -> None:
        """Let something go wrong that can.

        Raises:
            TypeError: `which` has a name that nobody knows.
            ValueError: no request would ever fit it.
        """
        for name in which.keys() - _WHICH:
            raise TypeError(f"a fault has no {name!r}; it has {', '.join(sorted(_WHICH))}")
        made = replace(fault, **which)
        _check_fitting(made)
        self._pending.append(made)

    @property
    def unmet(self) -> list[_Fault]:
        """What has never gone wrong yet: no request has fitted it."""
        return [fault for fault in self._pending if not fault.is_met]

    @property
    def pending(self) -> list[_Fault]:
        """What has not gone wrong yet."""
        return list(self._pending)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._pending.clear()

    def drop_before(self, **which: Unpack[Which]) -> None:
        """Drop the connection before the request is heard."""
        self._add(self._lost("drop_before", 1), which)

    def drop_after(self, **which: Unpack[Which]) -> None:
        """Apply the request, then drop the connection: the answer is lost."""
        self._add(self._lost("drop_after", 1), which)

    def delay(self, later: int = 1, **which: Unpack[Which]) -> None:
        """Drop the connection, and apply the request after `later` others: it was on its way."""
        self._add(self._lost("delay", later), which)

    def duplicate(self, later: int = 1, **which: Unpack[Which]) -> None:
        """Answer the request, and apply it again after `later` others: it was sent twice."""
        self._add(self._lost("duplicate", later), which)

    def _taken(self, method: str, path: str) -> _Fault | None:
        """Return what goes wrong with a request, and count it."""
        for fault in self._pending:
            if fault.method not in {None, method} or not re.search(fault.path, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.is_met = True
            fault.times -= 1
            if fault.times <= 0:
                self._pending.remove(fault)
            return fault
        return None
