"""When a lease is taken, renewed and lost: with clocks of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.errors import LeaseLostError
from journal.sources import RandomIds, Sources
from journal.sync.lease import SenderLease

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.log import Leases

REQUEST_S: Final = 10.0
LEASE_S: Final = 20.0


class Clock:
    """Two clocks that the test moves."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.wall_us = 1_700_000_000_000_000
        self.monotonic = 1000.0

    def now_us(self) -> int:
        """Return the wall clock."""
        return self.wall_us

    def monotonic_s(self) -> float:
        """Return the monotonic clock."""
        return self.monotonic


@pytest.fixture
def clock() -> Clock:
    """Return the clocks."""
    return Clock()


@pytest.fixture
def leases() -> Iterator[Leases]:
    """Return the leases of a journal in memory."""
    with Journal(actor="ann", origin="here") as journal:
        yield journal.log.leases


def lease(leases: Leases, clock: Clock, name: str = "one", **given: Any) -> SenderLease:  # noqa: ANN401
    """Return the lease of a sender that does not have it yet."""
    sources = Sources(clock=clock, ids=RandomIds())
    return SenderLease(leases, sources, name, REQUEST_S, given.get("lease_s", LEASE_S))


def watched(standing_by: SenderLease, clock: Clock, seconds: float) -> object:
    """Let somebody stand by for so long; return what it is told in the end."""
    other = standing_by.attempt()
    for _ in range(int(seconds * 10)):
        clock.monotonic += 0.1
        other = standing_by.attempt()
    return other


def test_how_long_it_lasts(leases: Leases, clock: Clock) -> None:
    """It lasts twice as long as a request may, and always longer than one."""
    assert lease(leases, clock, lease_s=None).lease_s == 2 * REQUEST_S
    assert lease(leases, clock, lease_s=1.0).lease_s == 1.5 * REQUEST_S
    assert lease(leases, clock, lease_s=60.0).lease_s == 60.0
    assert lease(leases, clock, lease_s=60.0).look_s == 0.1


def test_it_is_fresh_while_it_outlasts_a_request(leases: Leases, clock: Clock) -> None:
    """A request leaves only while the lease lasts longer than the request may (O4)."""
    own = lease(leases, clock)
    assert not own.is_fresh
    assert own.attempt() is None
    assert own.is_fresh
    clock.monotonic += LEASE_S - REQUEST_S - LEASE_S / 8
    assert own.is_fresh
    clock.monotonic += 0.01
    assert not own.is_fresh

    own.keep()

    assert own.is_fresh
    assert own.attempt() is None
    last = leases.last("default")
    assert last is not None
    assert (last.renewals, last.epoch) == (1, 1)


def test_who_shows_no_sign_of_life_is_replaced(leases: Leases, clock: Clock) -> None:
    """After a lease without a sign of life the other one takes over, and the first one has lost."""
    first, second = lease(leases, clock), lease(leases, clock, "two")
    assert first.attempt() is None
    assert watched(second, clock, LEASE_S - 0.2) is not None
    assert second.fence is None

    assert watched(second, clock, 0.4) is None

    assert second.fence is not None
    assert second.fence.epoch == 2
    with pytest.raises(LeaseLostError):
        first.keep()
    assert first.fence is None
    with pytest.raises(LeaseLostError):
        first.held()
    other = first.attempt()
    assert other is not None
    assert other.text.startswith("two, since 2023-11-14 22:13:20 UTC (epoch 2)")


def test_who_lives_is_not_replaced(leases: Leases, clock: Clock) -> None:
    """Both alive, the one that has the lease keeps it, for however long (O2)."""
    first, second = lease(leases, clock), lease(leases, clock, "two")
    assert first.attempt() is None
    for _ in range(100):
        clock.monotonic += LEASE_S / 2
        first.keep()
        other = second.attempt()
        assert other is not None
        assert other.is_surely_alive


@pytest.mark.parametrize("jump_s", [-(10**9), -3600, 3600, 10**9])
def test_clocks_on_the_wall_have_no_say(leases: Leases, clock: Clock, jump_s: int) -> None:
    """However the clock on the wall jumps, exactly one has the lease (O3)."""
    first, second = lease(leases, clock), lease(leases, clock, "two")
    assert first.attempt() is None
    assert second.attempt() is not None
    clock.wall_us += jump_s * 1_000_000

    clock.monotonic += LEASE_S / 4
    assert second.attempt() is not None
    assert first.is_fresh
    assert second.fence is None


def test_who_stopped_looking_begins_anew(leases: Leases, clock: Clock) -> None:
    """Who was idle, or paused itself, has not seen that there was no sign of life."""
    first, second = lease(leases, clock), lease(leases, clock, "two")
    assert first.attempt() is None
    assert second.attempt() is not None
    clock.monotonic += 100 * LEASE_S

    other = second.attempt()

    assert other is not None
    assert not other.is_surely_alive
    assert watched(second, clock, LEASE_S - 0.2) is not None
    assert watched(second, clock, 0.4) is None


def test_a_renewal_begins_the_looking_anew(leases: Leases, clock: Clock) -> None:
    """A sign of life in the last moment is one."""
    first, second = lease(leases, clock), lease(leases, clock, "two")
    assert first.attempt() is None
    assert watched(second, clock, LEASE_S - 0.2) is not None
    first.keep()

    assert watched(second, clock, LEASE_S - 0.2) is not None
    assert second.fence is None


def test_one_that_is_forgotten_is_released(leases: Leases, clock: Clock) -> None:
    """A lease that nobody refers to any more is free."""
    own = lease(leases, clock)
    assert own.attempt() is None
    assert repr(own) == "SenderLease(epoch 1)"
    del own

    assert lease(leases, clock, "two").attempt() is None
