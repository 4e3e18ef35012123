"""Who may send: a lease for each queue, fenced by an epoch; the port, and the one in memory.

It knows nothing of what is sent, nor of when a lease should be taken from somebody.

- F1. What is appended with a fence is stored only while the lease is held by that fence: that is
  looked at under the lock under which it is stored.
- F2. A fence that was replaced is never valid again: the epoch rises with every taking, and the
  token of a holder is never made twice, so that not even a restored file makes an old one valid.
- F3. The lease of a holder that has died is free at once: the system releases its lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from journal.errors import LeaseLostError

if TYPE_CHECKING:
    from threading import Lock


class Fence(NamedTuple):
    """What a sender shows with everything that it appends."""

    queue: str
    epoch: int
    """How often the lease of the queue was taken; it only rises."""
    token: str
    """Made for this taking, and for no other."""


class Claim(NamedTuple):
    """Who wants to have the lease of a queue."""

    queue: str
    token: str
    name: str
    """Who that is, for people."""
    taken_at: int
    """Microseconds since 1970 in UTC, for people."""
    lease_s: float
    """How long it may show no sign of life before the lease is taken from it."""
    renewed_s: float
    """The monotonic clock of the machine."""


class Holding(NamedTuple):
    """Who has the lease of a queue."""

    queue: str
    epoch: int
    token: str
    name: str
    taken_at: int
    lease_s: float
    renewed_s: float
    renewals: int
    """Signs of life: how often it was renewed."""

    @property
    def fence(self) -> Fence:
        """What the holder shows."""
        return Fence(self.queue, self.epoch, self.token)


class Taken(NamedTuple):
    """A lease that was taken."""

    fence: Fence
    skipped: int = 0
    """How many epochs the journal's file has forgotten: it is an older copy that was put back."""


class Leases(Protocol):
    """Where the leases of a journal are kept."""

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        """Take the lease where its holder has died, or nobody had it; None where one lives.

        Args:
            claim: who takes it.
            instead_of: a holder that lives, to take it from, provided that it has shown no sign
                of life since.

        Raises:
            LogError: the lease could not be read or written.
        """
        ...

    def renew(self, fence: Fence, now_s: float) -> bool:
        """Show a sign of life; say whether the lease is still held.

        Raises:
            LogError: the lease could not be read or written.
        """
        ...

    def release(self, fence: Fence) -> None:
        """Let anybody take the lease; a second time changes nothing."""
        ...

    def last(self, queue: str) -> Holding | None:
        """Return who took the lease last, dead or alive.

        Raises:
            LogError: it could not be read.
        """
        ...

    def holder(self, queue: str) -> Holding | None:
        """Return who has the lease now; None where nobody that lives has it.

        Raises:
            LogError: it could not be read.
        """
        ...


def holding_of(fence: Fence, claim: Claim) -> Holding:
    """Return the holding that a claim becomes."""
    _, _, name, taken_at, lease_s, renewed_s = claim
    return Holding(*fence, name, taken_at, lease_s, renewed_s, 0)


def lost(fence: Fence) -> LeaseLostError:
    """Return the error of a sender that is none any more."""
    return LeaseLostError(fence.queue, fence.epoch)


class MemoryLeases:
    """Leases in memory, for a log in memory: within one process nobody dies alone."""

    def __init__(self, lock: Lock) -> None:
        """Keep them under that lock, which is the log's."""
        self._lock = lock
        self._last: dict[str, Holding] = {}
        self._held: set[str] = set()

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        """Take the lease; None where its holder lives, or has shown a sign of life since."""
        with self._lock:
            found = self._last.get(claim.queue)
            if found is not None and found.token in self._held and found != instead_of:
                return None
            fence = Fence(claim.queue, 1 if found is None else found.epoch + 1, claim.token)
            self._last[claim.queue] = holding_of(fence, claim)
            if found is not None:
                self._held.discard(found.token)
            self._held.add(claim.token)
            return Taken(fence)

    def renew(self, fence: Fence, now_s: float) -> bool:
        """Show a sign of life; say whether the lease is still held."""
        with self._lock:
            is_held = self.is_held(fence)
            if is_held:
                found = self._last[fence.queue]
                renewed = found._replace(renewed_s=now_s, renewals=found.renewals + 1)
                self._last[fence.queue] = renewed
            return is_held

    def release(self, fence: Fence) -> None:
        """Let anybody take the lease; a second time changes nothing.

        It waits for no lock: the garbage collector may do so, for a subscriber that nobody closed,
        in the midst of an append of the same thread.
        """
        self._held.discard(fence.token)

    def last(self, queue: str) -> Holding | None:
        """Return who took the lease last, dead or alive."""
        return self._last.get(queue)

    def holder(self, queue: str) -> Holding | None:
        """Return who has the lease now; None where nobody that lives has it."""
        with self._lock:
            found = self._last.get(queue)
            return found if found is not None and found.token in self._held else None

    def is_held(self, fence: Fence) -> bool:
        """Say whether that fence holds the lease; the caller holds the log's lock (F1)."""
        found = self._last.get(fence.queue)
        return found is not None and found.fence == fence
