"""Until when a remote is to be left alone."""

from __future__ import annotations

import pytest

from journal.outcomes import NotSent, Unknown, Wait
from journal.sync.floor import Floor


class Stood:
    """A clock that stands still until somebody moves it."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.at_s = 1000.0

    def now_us(self) -> int:
        """Return the wall clock."""
        return 0

    def monotonic_s(self) -> float:
        """Return the monotonic clock."""
        return self.at_s


@pytest.fixture
def clock() -> Stood:
    """A clock."""
    return Stood()


@pytest.fixture
def floor(clock: Stood) -> Floor:
    """A remote that has asked for nothing yet."""
    return Floor(clock)


def test_a_remote_may_be_asked_at_first(floor: Floor) -> None:
    """S8: nobody has asked for patience."""
    assert (floor.left_s, floor.problem) == (0.0, "")


def test_it_is_left_alone_as_long_as_it_asks_for(clock: Stood, floor: Floor) -> None:
    """S8: it is said for how long yet, and why, until that is over."""
    floor.heed(Wait("busy", 30.0), 7.0)
    assert (floor.left_s, floor.problem) == (30.0, "busy")

    clock.at_s += 29.5
    assert (floor.left_s, floor.problem) == (0.5, "busy")
    clock.at_s += 0.5
    assert (floor.left_s, floor.problem) == (0.0, "")


def test_where_it_does_not_say_how_long(floor: Floor) -> None:
    """S8: it is left alone for as long as is waited; not at all is said, too."""
    floor.heed(Wait("busy"), 7.0)
    assert (floor.left_s, floor.problem) == (7.0, "busy")

    other = Floor(Stood())
    other.heed(Wait("no longer", 0.0), 7.0)
    assert other.left_s == 0.0


@pytest.mark.parametrize("outcome", [Unknown("lost"), NotSent("no network")])
def test_what_asks_for_nothing(floor: Floor, outcome: Unknown | NotSent) -> None:
    """S8: a remote that could not be reached has not asked to be left alone."""
    floor.heed(outcome, 7.0)

    assert (floor.left_s, floor.problem) == (0.0, "")


@pytest.mark.parametrize(
    ("first_s", "then_s", "left_s", "problem"),
    [(30.0, 20.0, 30.0, "first"), (30.0, 40.0, 40.0, "then"), (30.0, 30.0, 30.0, "then")],
)
def test_the_longest_counts(
    floor: Floor, first_s: float, then_s: float, left_s: float, problem: str
) -> None:
    """S8: a shorter time, asked for later, does not end a longer one; the newest words count."""
    floor.rise(first_s, "first")

    floor.rise(then_s, "then")

    assert (floor.left_s, floor.problem) == (left_s, problem)
