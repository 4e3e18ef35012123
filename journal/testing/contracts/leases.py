"""What a log promises about who may send: one at a time, fenced; whichever adapter keeps it.

A test module imports these classes, and has a fixture `log`, an empty log that is closed after
the test; for `TestLeasesOfTwo` also a fixture `another`, which returns the same log opened once
more, as another process has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.errors import LeaseLostError
from journal.events import NewEntry, RecordCreated
from journal.log import Claim, Fence
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.log import Log

__all__ = ["TestLeases", "TestLeasesOfTwo"]


def claim(token: str) -> Claim:
    """Return a claim of somebody."""
    return Claim("default", token, f"sender {token}", 1, 10.0, 100.0)


def entry(number: int) -> NewEntry:
    """Return an entry to append."""
    event = RecordCreated(fields={"Number": number})
    return NewEntry(f"e{number}", Ref(f"A:{number}"), 1, 1, "s", "h", None, None, None, None, event)


def appends(log: Log, fence: Fence, number: int) -> bool:
    """Append two entries at once, and one alone; say whether that was let."""
    head = log.head()
    try:
        log.append([entry(number)], fence=fence)
        log.append([entry(number + 1), entry(number + 2)], fence=fence)
    except LeaseLostError:
        assert log.head() == head
        with pytest.raises(LeaseLostError):
            log.append([entry(number + 1), entry(number + 2)], fence=fence)
        assert log.head() == head
        return False
    return True


class TestLeases:
    """Who has the lease, and what the others may not do."""

    def test_one_at_a_time(self, log: Log) -> None:
        """While one has the lease nobody else takes it, until it is released."""
        leases = log.leases
        first = leases.take(claim("one"))
        assert first is not None
        assert first.fence == Fence("default", 1, "one")
        assert leases.take(claim("two")) is None
        holder = leases.holder("default")
        assert holder is not None
        assert (holder.name, holder.fence) == ("sender one", first.fence)

        leases.release(first.fence)
        leases.release(first.fence)

        assert leases.holder("default") is None
        second = leases.take(claim("two"))
        assert second is not None
        assert second.fence == Fence("default", 2, "two")
        assert not leases.renew(first.fence, 1.0)
        assert leases.renew(second.fence, 1.0)

    def test_a_fence_that_was_replaced_is_never_valid_again(self, log: Log) -> None:
        """Nothing is stored with an old fence, alone or together with others (F1, F2)."""
        leases = log.leases
        first = leases.take(claim("one"))
        assert first is not None
        assert appends(log, first.fence, 1)
        last = leases.last("default")
        second = leases.take(claim("two"), last)
        assert second is not None

        assert not appends(log, first.fence, 4)
        assert not appends(log, second.fence._replace(token=first.fence.token), 7)
        assert appends(log, second.fence, 10)
        leases.release(first.fence)
        assert leases.take(claim("three")) is None

    def test_a_sign_of_life_keeps_it(self, log: Log) -> None:
        """Who has renewed the lease meanwhile is not replaced."""
        leases = log.leases
        first = leases.take(claim("one"))
        assert first is not None
        last = leases.last("default")
        assert leases.renew(first.fence, 101.0)

        assert leases.take(claim("two"), last) is None

        newer = leases.last("default")
        assert newer is not None
        assert (newer.renewals, newer.renewed_s) == (1, 101.0)
        assert leases.take(claim("two"), newer) is not None

    def test_queues_are_apart(self, log: Log) -> None:
        """The lease of one queue is none of another."""
        leases = log.leases
        assert leases.take(claim("one")) is not None
        other = leases.take(claim("two")._replace(queue="other"))
        assert other is not None
        assert other.fence == Fence("other", 1, "two")

    def test_nobody_has_ever_sent(self, log: Log) -> None:
        """Of a queue that was never sent, nothing is known, and no fence is valid."""
        leases = log.leases
        assert (leases.last("default"), leases.holder("default")) == (None, None)
        assert not leases.renew(Fence("default", 1, "one"), 1.0)
        assert not appends(log, Fence("default", 1, "one"), 1)


class TestLeasesOfTwo:
    """One sender at a time, of all that have the log open."""

    def test_one_at_a_time(self, log: Log, another: Callable[[], Log]) -> None:
        """What one has taken, nobody else takes, until it is released or its holder is gone."""
        other = another()
        first = log.leases.take(claim("one"))
        assert first is not None

        assert other.leases.take(claim("two")) is None
        holder = other.leases.holder("default")
        assert holder is not None
        assert holder.fence == first.fence

        log.leases.release(first.fence)
        second = other.leases.take(claim("two"))
        assert second is not None
        assert second.fence == Fence("default", 2, "two")

    def test_a_stale_one_stores_nothing(self, log: Log, another: Callable[[], Log]) -> None:
        """Whoever was replaced by somebody else stores nothing more with its fence (F1)."""
        other = another()
        first = log.leases.take(claim("one"))
        assert first is not None
        assert appends(log, first.fence, 1)
        second = other.leases.take(claim("two"), other.leases.last("default"))
        assert second is not None

        assert not appends(log, first.fence, 4)
        assert not log.leases.renew(first.fence, 101.0)
        assert appends(other, second.fence, 7)
        assert log.head() == other.head() == 6
