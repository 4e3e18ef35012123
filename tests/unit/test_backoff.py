"""How long to wait before the next attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.sync.backoff import Backoff

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
