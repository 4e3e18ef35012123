"""How long to wait before the next attempt; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, assert_never

from journal.outcomes import NotSent, Unauthorized, Unknown, Wait

if TYPE_CHECKING:
    from journal.outcomes import Unsettled
    from journal.sources import Randomness

Kind: TypeAlias = Literal["unreachable", "unknown", "throttled", "misconfigured"]
"""Why an attempt failed: each kind is counted, and waited for, by itself."""


def kind_of(outcome: Unsettled) -> Kind:
    """Return which kind of failure that is."""
    match outcome:
        case NotSent(is_misconfigured=True):
            return "misconfigured"
        case NotSent():
            return "unreachable"
        case Unknown():
            return "unknown"
        case Wait():
            return "throttled"
        case Unauthorized():
            return "misconfigured"
        case _:
            assert_never(outcome)


class Failures(NamedTuple):
    """How many attempts in a row have failed, and of which kind."""

    unreachable: int = 0
    unknown: int = 0
    throttled: int = 0
    misconfigured: int = 0

    @property
    def all(self) -> int:
        """How many there were, of whichever kind."""
        return sum(self)

    def of(self, kind: Kind) -> int:
        """Return how many there were of a kind."""
        count: int = getattr(self, kind)
        return count

    def and_another(self, kind: Kind) -> Failures:
        """Return the failures with one more."""
        return self._replace(**{kind: self.of(kind) + 1})


class Backoff(NamedTuple):
    """Waits that double from attempt to attempt, up to a cap, with full jitter."""

    first_s: float = 0.25
    """The longest wait after the first failure, in seconds."""
    most_s: float = 60.0
    """The longest wait after any failure, in seconds."""
    least_s: float = 0.05
    """The shortest wait after any failure, in seconds."""
    throttled_s: float = 1.0
    """The shortest wait where the remote asks for patience, and does not say for how long."""

    def delay_s(
        self,
        failures: int,
        randomness: Randomness,
        retry_after_s: float | None = None,
        kind: Kind = "unknown",
    ) -> float:
        """Return the seconds to wait before the next attempt.

        Args:
            failures: how many attempts in a row have failed, at least 1.
            randomness: draws the jitter.
            retry_after_s: what the remote asked for; the wait is never shorter than that.
            kind: why they failed. What only a person can mend is tried seldom from the first
                failure on.
        """
        ceiling_s = min(self.first_s * 2 ** min(failures - 1, 32), self.most_s)
        floor_s = 0.0
        if kind == "misconfigured":
            ceiling_s, floor_s = self.most_s / 2, self.most_s / 2
        elif kind == "throttled" and retry_after_s is None:
            floor_s = min(self.throttled_s, self.most_s)
        jittered_s = randomness.uniform(self.least_s, max(ceiling_s, self.least_s))
        return (floor_s if retry_after_s is None else retry_after_s) + jittered_s
