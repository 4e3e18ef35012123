"""What a session asks to be done that takes time; pure values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from journal.remotes.remote import Request

if TYPE_CHECKING:
    from collections.abc import Callable

Woken: TypeAlias = Literal["time", "append", "nudge", "stop"]
"""What ended a wait."""


class Call(NamedTuple):
    """Effect: call a function that reads or writes the log, and return its result."""

    function: Callable[[], Any]


class Pause(NamedTuple):
    """Effect: wait; return what ended the wait."""

    seconds: float
    at_least_s: float | None = None
    """From when on a nudge, or an append, ends it too; None for never."""
    after: int | None = None
    """The position behind which an append ends it; None where no append does."""


class Listen(NamedTuple):
    """Effect: wait for an entry after a position; return what ended the wait."""

    after: int


Effect: TypeAlias = Request | Call | Pause | Listen
