"""The lease of a sender: when to take it, when to renew it, and from whom to take it.

- O1. Nothing is sent, nor appended as a sender, by anybody who has not taken the lease; whoever
  has lost it appends nothing, for every append shows its fence (F1).
- O2. Who has died is replaced at once, whoever waits longer than a lease without a sign of life
  is replaced too; both alive, only one makes progress.
- O3. No clock on the wall has a say: a holder measures its own lease, and whoever stands by
  measures how long it has seen no sign of life, both by the monotonic clock.
- O4. A request leaves only while the lease lasts longer than the request may.

```
A  takes 1 ... renews ... paused ─────────────────── wakes: renews? lost. stands by
B          looks: 1/7 ..... looks: 1/7, a lease later: takes 2 ... sends
```
"""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.errors import LeaseLostError
from journal.events import QUEUE, time_of
from journal.log import Claim

if TYPE_CHECKING:
    from journal.log import Fence, Holding, Leases
    from journal.sources import Sources

MARGIN: Final = 8
"""A renewal is due that part of a lease early."""
LEAST_PER_REQUEST: Final = 1.5
"""A lease lasts that many times as long as a request may, at least."""
LOOKS: Final = 8
"""How often, in the time of a lease, whoever stands by looks for a sign of life, at least."""
LOOK_S: Final = 0.1
"""How long whoever stands by waits before it looks again, in seconds, at most."""

_log = getLogger("journal.sync")


class Other(NamedTuple):
    """Somebody else has the lease."""

    text: str
    """Who, and since when."""
    is_surely_alive: bool
    """Whether it has shown a sign of life not longer than a lease ago."""


class SenderLease:
    """The lease of one sender on the queue of its journal."""

    def __init__(
        self, leases: Leases, sources: Sources, name: str, request_s: float, lease_s: float | None
    ) -> None:
        """Begin without it.

        Args:
            leases: where it is kept.
            sources: of time, and of the token.
            name: who takes it, for people.
            request_s: how long a request may take.
            lease_s: how long it lasts without a sign of life; twice as long as a request by
                default, and one and a half times as long at least.
        """
        self._leases = leases
        self._sources = sources
        self._name = name
        self._request_s = request_s
        self.lease_s = max(
            2 * request_s if lease_s is None else lease_s, LEAST_PER_REQUEST * request_s
        )
        self._queue = QUEUE.id
        self._until_s = 0.0
        self._seen: Holding | None = None
        self._seen_s = self._looked_s = 0.0
        self.fence: Fence | None = None

    def __repr__(self) -> str:
        """Show whether it is held, and in which epoch."""
        return f"SenderLease({'' if self.fence is None else f'epoch {self.fence.epoch}'})"

    @property
    def look_s(self) -> float:
        """How long to stand by before the next look, in seconds."""
        return min(LOOK_S, self.lease_s / LOOKS)

    def _now_s(self) -> float:
        return self._sources.clock.monotonic_s()

    # --- taking --------------------------------------------------------------------------

    def attempt(self) -> Other | None:
        """Take the lease, or keep it; return who else has it, if somebody does (O1, O2).

        Raises:
            LogError: it could not be read or written.
        """
        if self.fence is not None:
            try:
                self.keep()
            except LeaseLostError:
                pass
            else:
                return None
        if self._took(None):
            return None
        other = self._leases.last(self._queue)
        if other is None:
            return Other("a sender that has just begun", is_surely_alive=True)
        if self._is_silent(other) and self._took(other):
            _log.warning("took the lease over from %s: no sign of life", _text(other))
            return None
        return Other(_text(other), 0 <= self._now_s() - other.renewed_s < other.lease_s)

    def _took(self, instead_of: Holding | None) -> bool:
        clock, now_s = self._sources.clock, self._now_s()
        now_us = clock.now_us()
        token = self._sources.ids.new(now_us)
        claim = Claim(self._queue, token, self._name, now_us, self.lease_s, now_s)
        taken = self._leases.take(claim, instead_of)
        if taken is None:
            return False
        self.fence, self._until_s, self._seen = taken.fence, now_s + self.lease_s, None
        if taken.skipped:
            _log.warning(
                "the journal is an older copy of itself: it has forgotten %d senders; "
                "what they sent is found out by reading",
                taken.skipped,
            )
        _log.info("sending, with the lease of epoch %d", taken.fence.epoch)
        return True

    def _is_silent(self, other: Holding) -> bool:
        """Say whether that holder was looked at for a lease, and has shown no sign of life (O3).

        Whoever did not look for a while, for it had nothing to send, or was paused itself,
        begins to look anew.
        """
        now_s = self._now_s()
        has_looked = now_s - self._looked_s < other.lease_s / 2
        self._looked_s = now_s
        if other != self._seen or not has_looked:
            self._seen, self._seen_s = other, now_s
        return now_s - self._seen_s >= other.lease_s

    # --- holding -------------------------------------------------------------------------

    @property
    def is_fresh(self) -> bool:
        """Whether it lasts longer than a request may (O4)."""
        margin_s = self._request_s + self.lease_s / MARGIN
        return self.fence is not None and self._now_s() + margin_s <= self._until_s

    def keep(self) -> None:
        """Renew the lease where it is due.

        Raises:
            LeaseLostError: another sender has taken it.
            LogError: it could not be renewed.
        """
        if self.is_fresh:
            return
        now_s, fence = self._now_s(), self.held()
        if not self._leases.renew(fence, now_s):
            self.lose()
            raise LeaseLostError(fence.queue, fence.epoch)
        self._until_s = now_s + self.lease_s

    def held(self) -> Fence:
        """Return the fence.

        Raises:
            LeaseLostError: it is not held.
        """
        if self.fence is None:
            raise LeaseLostError(self._queue, 0)
        return self.fence

    def lose(self) -> None:
        """Note that another sender has taken it, and stand in nobody's way."""
        if self.fence is not None:
            _log.warning("another sender has taken the lease of epoch %d", self.fence.epoch)
        self.release()

    def release(self) -> None:
        """Let anybody take it; a second time changes nothing. It neither waits nor fails."""
        fence, self.fence = self.fence, None
        if fence is not None:
            self._leases.release(fence)

    def __del__(self) -> None:
        """Release it: a subscriber that nobody closed must not hold up the next one."""
        if getattr(self, "fence", None) is not None:
            self.release()


def holder_text(leases: Leases, queue: str = QUEUE.id) -> str:
    """Return who has the lease of the queue, and since when; empty where nobody has it.

    Raises:
        LogError: it could not be read.
    """
    holder = leases.holder(queue)
    return "" if holder is None else _text(holder)


def _text(holding: Holding) -> str:
    since = time_of(holding.taken_at).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{holding.name}, since {since} (epoch {holding.epoch})"
