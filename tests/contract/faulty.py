"""Adapters of the log that are wrong, each in its way: the contracts must find every one of them.

What outlives a process is kept in `STORES` here, by the path.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from eventsourcing.persistence import IntegrityError

from journal.log.chain import Head, Row, genesis, hash_of, seal
from journal.log.lease import Holding, MemoryLeases, Taken, holding_of
from journal.log.memory import MemoryRecorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.log.chain import Unsealed
    from journal.log.lease import Claim, Fence

STORES: Final[dict[str, list[Row]]] = defaultdict(list)
_LOOKS: Final = 50


def give_way() -> None:
    """Let the other threads run, many times."""
    for _ in range(_LOOKS):
        os.sched_yield()


class Stored(MemoryRecorder):
    """Keeps rows in a store that several have open; by itself, it is not wrong where one writes."""

    def __init__(self, path: str, journal_id: str = "j1") -> None:
        super().__init__(journal_id)
        self._store = STORES[path]
        for row in list(self._store):
            self._keep(row)

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows."""
        sealed = super().append(rows, head, fence)
        self._write(sealed)
        return sealed

    def _write(self, sealed: list[Row]) -> None:
        self._store.extend(sealed)


class Reusing(Stored):
    """Gives the position of the last row once more, to every third append."""

    _appends = 0

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows where the last one is."""
        self._appends += 1
        sealed = super().append(rows, head, fence)
        if self._appends % 3:
            return sealed
        moved = [row._replace(position=row.position - 1) for row in sealed]
        with self._lock:
            self._rows[len(self._rows) - len(sealed) :] = moved
        return moved


class Racing(Stored):
    """Looks where the end is, and writes there, without a lock in between."""

    def append(
        self, rows: Sequence[Unsealed], _head: int | None = None, _fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows behind the last one that it has seen."""
        self._check_open()
        self._check_free(rows)
        last = self._rows[-1] if self._rows else None
        behind = Head(0, genesis("j1"), 0)
        if last is not None:
            behind = Head(last.position, last.hash, last.occurred_at)
        give_way()
        sealed = seal(behind, rows)
        for row in sealed:
            self._keep(row)
        self._bell.ring()
        return sealed


class Halving(Stored):
    """Lets others see an append row by row."""

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows one after another, where all of them can be."""
        with self._lock:
            self._check_free(rows)
        done = []
        for row in rows:
            done += super().append([row], head, fence)
            give_way()
        first = done[0].position if done else 0
        return [row._replace(batch=first) for row in done]


class Delaying(Stored):
    """Writes an append when the next one comes: what was promised last is lost in a crash."""

    _waiting: list[Row]

    def _write(self, sealed: list[Row]) -> None:
        waiting, self._waiting = getattr(self, "_waiting", []), sealed
        self._store.extend(waiting)


class Disordered(Delaying):
    """Writes every second append before the first: a crash leaves a hole."""

    def _write(self, sealed: list[Row]) -> None:
        if getattr(self, "_waiting", None):
            self._store.extend([*sealed, *self._waiting])
            self._waiting = []
        else:
            self._waiting = sealed


class Alone(Stored):
    """Believes that nobody else has the log open: two writers get the same position."""


class Permitting(Stored):
    """Looks for a version that is taken in one append only."""

    def _check_free(self, rows: Sequence[Unsealed]) -> None:
        if len({(row.stream, row.version) for row in rows}) < len(rows):
            message = "the rows of one append are not unique"
            raise IntegrityError(message)


class Unchained(Stored):
    """Chains every row to the beginning."""

    def _keep(self, row: Row) -> None:
        loose = row._replace(previous_hash=genesis("j1"))
        super()._keep(loose._replace(hash=hash_of(loose)))


class Backwards(Stored):
    """Keeps the time of a clock that went back."""

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows with the time that they say."""
        times = {row.event_id: row.occurred_at for row in rows}
        sealed = [
            row._replace(occurred_at=times[row.event_id], clock_adjusted=False)
            for row in super().append(rows, head, fence)
        ]
        with self._lock:
            self._rows[len(self._rows) - len(sealed) :] = sealed
        return sealed


# --- who may send ----------------------------------------------------------------------------


class Unfenced(Stored):
    """Stores whatever comes, whoever holds the lease."""

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, _fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows."""
        return super().append(rows, head)


class _Generous(MemoryLeases):
    """Gives the lease to everybody that asks."""

    def take(self, claim: Claim, _instead_of: Holding | None = None) -> Taken | None:
        return super().take(claim, self.last(claim.queue))


class Generous(Stored):
    """Lets two send at a time."""

    def __init__(self, path: str, journal_id: str = "j1") -> None:
        super().__init__(path, journal_id)
        self._leases = _Generous(self._lock)


class _Forgetful(MemoryLeases):
    """Begins with the first epoch again, when a lease was released."""

    def take(self, claim: Claim, instead_of: Holding | None = None) -> Taken | None:
        taken = super().take(claim, instead_of)
        if taken is None:
            return None
        fence = taken.fence._replace(epoch=1)
        self._last[claim.queue] = holding_of(fence, claim)
        return Taken(fence)


class Forgetful(Stored):
    """Gives an epoch twice."""

    def __init__(self, path: str, journal_id: str = "j1") -> None:
        super().__init__(path, journal_id)
        self._leases = _Forgetful(self._lock)


class Separate(Stored):
    """Has a lease of its own in every process."""
