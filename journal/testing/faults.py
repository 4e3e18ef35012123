"""What is to go wrong on the way to a service: which faults there are yet, and whom they strike."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypedDict, TypeVar, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fitting", "Lost", "Planned", "Which"]

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
    """

    kind: str
    times: int = 1
    skip: int = 0
    method: str | None = None
    path: str = ""
    later: int = 1


class Which(TypedDict, total=False):
    """With which requests something goes wrong."""

    times: int
    skip: int
    method: str
    path: str


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
        self._pending.append(replace(fault, **which))

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
            fault.times -= 1
            if fault.times <= 0:
                self._pending.remove(fault)
            return fault
        return None
