"""How a subscriber behaves: what a host may choose; pure values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from journal.errors import InvalidNameError, InvalidValueError, shown
from journal.policies import Policies
from journal.sync.backoff import Backoff

if TYPE_CHECKING:
    from journal.drafts import OnHeld


class Settings(NamedTuple):
    """How a subscriber behaves."""

    on_held: OnHeld = "lane"
    backoff: Backoff = Backoff()
    attempts: int = 5
    """How often in a row a drain tries before it gives up for now."""
    conflicts: Policies = Policies()
    """What decides a conflict."""
    rejections: int | None = 5
    """How many rejections in a row stop the queue; None where they never do."""
    request_s: float = 30.0
    """How long a request may take."""
    lease_s: float | None = None
    """How long the lease lasts without a sign of life; twice as long as a request otherwise."""
    doubts: int | None = 20
    """How often in a row a draft may be in doubt before it is held; None for as often as it is."""

    def checked(self) -> Self:
        """Return the settings; a mistyped one would send what its host wants to be held.

        Raises:
            InvalidNameError: `on_held` is neither ``lane`` nor ``stop``.
            InvalidValueError: how often is no number of times.
        """
        if self.on_held not in {"lane", "stop"}:
            raise InvalidNameError("on_held", str(self.on_held), hint="use lane or stop")
        counts = {"attempts": self.attempts, "rejections": self.rejections, "doubts": self.doubts}
        for name, count in counts.items():
            is_number = type(count) is int and count > 0
            if not is_number and (count is not None or name == "attempts"):
                problem = f"{shown(str(count))} is no number of times"
                raise InvalidValueError(name, problem, hint="give a whole number, from 1")
        return self
