"""How long to wait before the next attempt; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from journal.sources import Randomness


class Backoff(NamedTuple):
    """Waits that double from attempt to attempt, up to a cap, with full jitter."""

    first_s: float = 0.25
    """The longest wait after the first failure, in seconds."""
    most_s: float = 60.0
    """The longest wait after any failure, in seconds."""
    least_s: float = 0.05
    """The shortest wait after any failure, in seconds."""

    def delay_s(
        self, failures: int, randomness: Randomness, retry_after_s: float | None = None
    ) -> float:
        """Return the seconds to wait before the next attempt.

        Args:
            failures: how many attempts in a row have failed, at least 1.
            randomness: draws the jitter.
            retry_after_s: what the remote asked for; the wait is never shorter than that.
        """
        ceiling_s = min(self.first_s * 2 ** min(failures - 1, 32), self.most_s)
        jittered_s = randomness.uniform(self.least_s, max(ceiling_s, self.least_s))
        return jittered_s if retry_after_s is None else retry_after_s + jittered_s
