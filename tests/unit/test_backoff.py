"""How long to wait before the next attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.outcomes import NotSent, Unauthorized, Unknown, Wait
from journal.sync.backoff import Backoff, Failures, kind_of

if TYPE_CHECKING:
    from journal.outcomes import Unsettled
    from journal.sync.backoff import Kind

BACKOFF = Backoff(first_s=0.25, most_s=60.0, least_s=0.05)


class Lowest:
    """Randomness that always draws the least."""

    def uniform(self, low: float, high: float) -> float:
        """Return the least."""
        assert low <= high
        return low


class Highest:
    """Randomness that always draws the most."""

    def uniform(self, low: float, high: float) -> float:
        """Return the most."""
        assert low <= high
        return high


class Share:
    """Randomness that always draws the same share of the way."""

    def __init__(self, share: float) -> None:
        """Draw that share, from 0 to 1."""
        self.share = share

    def uniform(self, low: float, high: float) -> float:
        """Return the number at that share of the way."""
        return low + (high - low) * self.share


@pytest.mark.parametrize(
    ("failures", "most_s"),
    [(1, 0.25), (2, 0.5), (3, 1.0), (8, 32.0), (9, 60.0), (10, 60.0), (2**31, 60.0)],
)
def test_doubles_up_to_the_cap(failures: int, most_s: float) -> None:
    """The longest wait doubles with each failure, up to the cap, however many there are."""
    assert BACKOFF.delay_s(failures, Highest()) == most_s
    assert BACKOFF.delay_s(failures, Lowest()) == BACKOFF.least_s


def test_retry_after_is_a_floor_below_the_jitter() -> None:
    """A remote's wish is a floor: the jitter is added above it, and never taken from it."""
    assert BACKOFF.delay_s(1, Lowest(), 30.0) == 30.05
    assert BACKOFF.delay_s(1, Highest(), 30.0) == 30.25
    assert BACKOFF.delay_s(1, Lowest(), 0.0) == 0.05


@pytest.mark.parametrize(
    ("kind", "asked_s", "least_s", "most_s"),
    [
        ("unknown", None, 0.05, 0.5),
        ("unreachable", None, 0.05, 0.5),
        ("throttled", None, 1.05, 1.5),
        ("throttled", 0.0, 0.05, 0.5),
        ("throttled", 30.0, 30.05, 30.5),
        ("misconfigured", None, 30.05, 60.0),
    ],
)
def test_each_kind_is_waited_for_by_itself(
    kind: Kind, asked_s: float | None, least_s: float, most_s: float
) -> None:
    """What a person has to mend is tried seldom; what asks for patience gets some, in any case."""
    assert BACKOFF.delay_s(2, Lowest(), asked_s, kind) == pytest.approx(least_s)
    assert BACKOFF.delay_s(2, Highest(), asked_s, kind) == pytest.approx(most_s)


def test_patience_ends_at_the_cap() -> None:
    """Where the longest wait is shorter than what is usual, it is the one that counts."""
    hasty = Backoff(first_s=0.25, most_s=0.5, least_s=0.1)

    assert hasty.delay_s(1, Lowest(), None, "throttled") == pytest.approx(0.6)


def test_a_least_wait_above_the_cap() -> None:
    """It is waited all the same: the least is the least."""
    slow = Backoff(first_s=0.25, most_s=1.0, least_s=5.0)

    assert slow.delay_s(1, Highest()) == 5.0


def test_of_failures_nobody_has_named() -> None:
    """They are of a kind that nothing else is known of."""
    assert BACKOFF.delay_s(1, Highest()) == BACKOFF.delay_s(1, Highest(), None, "unknown")


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (NotSent("no network"), "unreachable"),
        (NotSent("no such certificate", is_misconfigured=True), "misconfigured"),
        (Unknown("lost"), "unknown"),
        (Wait("busy"), "throttled"),
        (Unauthorized("who?"), "misconfigured"),
    ],
)
def test_which_kind_a_failure_is(outcome: Unsettled, kind: Kind) -> None:
    """What was not sent is not lost, and what only a person can mend is told apart."""
    assert kind_of(outcome) == kind


def test_failures_are_counted_by_their_kinds() -> None:
    """Each by itself, and all together; what is counted stays as it was."""
    none = Failures()
    some = none.and_another("unknown").and_another("throttled").and_another("unknown")

    assert (some.of("unknown"), some.of("throttled"), some.of("unreachable")) == (2, 1, 0)
    assert (none.all, some.all) == (0, 3)


@given(
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.none() | st.floats(0, 3600),
    st.builds(Backoff, st.floats(0, 10), st.floats(0, 100), st.floats(0, 10)),
)
def test_is_always_within_its_bounds(
    failures: int, share: float, asked_s: float | None, backoff: Backoff
) -> None:
    """No wait is shorter than the least or what was asked, nor longer than the cap beyond it."""
    delay_s = backoff.delay_s(failures, Share(share), asked_s)

    floor_s = asked_s or 0.0
    assert floor_s + backoff.least_s <= delay_s + 1e-9
    assert delay_s <= floor_s + max(backoff.most_s, backoff.least_s) + 1e-9
