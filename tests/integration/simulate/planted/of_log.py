"""Mistakes of the log, and of the adapters under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.errors import LogFullError
from journal.log import chain
from journal.log.chain import Head, hash_of, seal
from journal.log.database import Database
from journal.log.memory import MemoryRecorder
from journal.log.recorder import RowRecorder
from journal.testing.simulate import REAL, Parts
from tests.integration.simulate.planted.seams import Code, builds, plants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.log import Fence, Row
    from journal.log.chain import Unsealed


class Around(RowRecorder):
    """A log adapter around another one."""

    def __init__(self, below: RowRecorder) -> None:
        """Store there."""
        self._below = below
        self.journal_id = below.journal_id

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  the other's
        if name in {"append", "_below", "__class__"}:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_below"), name)

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows."""
        return self._below.append(rows, head, fence)

    def _never(self, *_: Any) -> Any:  # noqa: ANN401
        raise NotImplementedError

    rows = stream_rows = row_of = head = wait = problems = close = _never  # type: ignore[assignment]
    views = leases = property(_never)


class Unfenced(Around):
    """Takes what it is given from whoever has lost the lease."""

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows, whoever asks for it."""
        del fence
        return self._below.append(rows, head)


class Torn(Around):
    """Stores each row in a transaction of its own."""

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows, one after another."""
        stored = self._below.append(rows[:1], head, fence)
        for row in rows[1:]:
            stored += self._below.append([row], None, fence)
        return stored


class Optimist(Around):
    """Says that the rows are stored, where the disk is full."""

    def append(
        self, rows: Sequence[Unsealed], head: int | None = None, fence: Fence | None = None
    ) -> list[Row]:
        """Store the rows, if that can be done."""
        try:
            return self._below.append(rows, head, fence)
        except LogFullError:
            last = self._below.rows(self._below.head() - 1, 1)
            behind = [Head(row.position, row.hash, row.occurred_at) for row in last]
            return seal(behind[0], rows) if behind else []


@plants(Database, "_prepare", by="I3", seeds=226)
def skips_the_fsync(real: Code) -> object:
    """A change is told as stored before the disk has it: the log is not synced as was asked."""

    def prepare(self: Database, connection: object, _: object, fill: object) -> None:
        real(self, connection, "normal", fill)

    return prepare


@builds(by="I14, I22, I3", seeds=20)
def swallows_a_full_disk() -> Parts:
    """An adapter says that rows are stored which found no place on the disk."""
    return REAL._replace(recorder=Optimist)


@builds(by="I5", seeds=1)
def stores_an_append_row_by_row() -> Parts:
    """An append of several rows is several transactions, so that a crash leaves half of it."""
    return REAL._replace(recorder=Torn)


@builds(by="I16", seeds=1)
def appends_without_a_lease() -> Parts:
    """What a sender appends that has lost the lease is stored all the same."""
    return REAL._replace(recorder=Unfenced)


@plants(MemoryRecorder, "_check_free", by="I6", seeds=9)
def takes_a_version_twice(_: Code) -> object:
    """A version of a stream that another writer has taken is taken once more."""
    return lambda _self, _rows: None


@plants(MemoryRecorder, "_check_free", by="I2, I1", seeds=9)
def leaves_a_gap_where_an_append_was_refused(real: Code) -> object:
    """Positions are drawn before the rows are checked, as from a sequence of a database."""

    def check(self: MemoryRecorder, rows: Sequence[Unsealed]) -> None:
        try:
            real(self, rows)
        except Exception:
            if self._rows:
                self._rows[-1] = self._rows[-1]._replace(position=self._rows[-1].position + 1)
            raise

    return check


@plants(chain, "seal", by="I1", seeds=1)
def chains_a_batch_to_what_was_before_it(real: Code) -> object:
    """Each row of an append follows the row before the append, not the one before it."""

    def sealed(head: Head, rows: Sequence[Unsealed]) -> list[Row]:
        first, *others = real(head, rows)
        loose = [row._replace(previous_hash=head.hash) for row in others]
        return [first, *(row._replace(hash=hash_of(row)) for row in loose)]

    return sealed


@plants(chain, "leaf", by="I7", seeds=1)
def leaves_the_content_out_of_the_hash(real: Code) -> object:
    """The hash covers the envelope of an entry, and not what the entry says."""

    def leaf(*columns: object) -> object:
        *envelope, _, previous = columns
        return real(*envelope, b"", previous)

    return leaf


@plants(chain, "seal", by="I7", seeds=15)
def believes_a_clock_that_was_set_back(real: Code) -> object:
    """Entries have the time that the clock tells, though that was later before."""

    def sealed(head: Head, rows: Sequence[Unsealed]) -> list[Row]:
        return real(head._replace(occurred_at=0), rows)  # type: ignore[no-any-return]

    return sealed
