"""Floor 5: the writer: load, fold, decide, append; and again where another was faster.

It knows nothing of what the commands are.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Final

from journal.errors import RefusedError, VersionConflictError
from journal.record import Record, evolve, initial
from journal.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.events import Entry
    from journal.log import Fence, Log
    from journal.staging import Batch, Step
    from journal.values import Fields, Ref

TRIES: Final = 100
"""How often a command is decided anew because another writer was faster."""
KEPT_RECORDS: Final = 10_000
"""How many records are kept folded in memory."""


class Writer:
    """Carries out steps on a log, and keeps the records folded that it has seen."""

    def __init__(self, log: Log, new_id: Callable[[int], str]) -> None:
        """Append to that log; `new_id` makes the ids of events."""
        self._log = log
        self._new_id = new_id
        self._lock = RLock()
        self._records: OrderedDict[Ref, Record] = OrderedDict()
        self._histories = log.histories

    def stage(self, batch: Batch, step: Step) -> bool:
        """Decide a step of a batch, to be stored with it; say whether it led to events.

        Raises:
            RefusedError: the step was refused.
            VersionConflictError: the record is not at the version that the caller expects.
            LogError: a record could not be read.
        """
        with self._lock:
            if batch.staging is None:
                batch.staging = Staging(self.known, self._now)
            try:
                has_led_to_events = batch.staging.stage(step, self._new_id)
            except (RefusedError, VersionConflictError):
                if not self._refresh(batch.staging.refs):
                    raise
                batch.staging = self._staged(batch.steps)
                has_led_to_events = batch.staging.stage(step, self._new_id)
            batch.steps.append(step)
        return has_led_to_events

    def unstage(self, batch: Batch, count: int) -> None:
        """Forget the steps of a batch after the first `count` ones.

        Raises:
            LogError: a record could not be read.
        """
        with self._lock:
            if len(batch.steps) > count:
                del batch.steps[count:]
                batch.staging = self._staged(batch.steps)

    def carry_out(
        self,
        steps: Sequence[Step],
        staged: Staging | None = None,
        fence: Fence | None = None,
    ) -> list[Entry]:
        """Decide the steps and append their events, anew where another writer was faster (J3).

        Steps that were staged on records that are still the same are not decided again. With
        the fence of a sender, they are stored only while that sender holds the lease.
        """
        if not steps:
            return []
        with self._lock:
            if staged is not None and not staged.is_current(self._records):
                staged = None
            tries = 0
            while True:
                tries += 1
                staging, staged = staged or Staging(self.known, self._now), None
                try:
                    for step in steps[staging.decided :]:
                        staging.stage(step, self._new_id)
                    entries = self._log.append(staging.new, None, fence) if staging.new else []
                except (RefusedError, VersionConflictError):
                    if tries < TRIES and self._refresh(staging.refs):
                        continue
                    raise
                if entries or not self._refresh(staging.refs):
                    self._learn(entries)
                    return entries

    def carry_out_at_head(
        self, plan: Callable[[], tuple[Sequence[Step], int]], fence: Fence | None = None
    ) -> list[Entry]:
        """Carry out what is planned on the log as it is, and again where the log has moved on.

        Args:
            plan: returns the steps, and the position of the last entry that they are based on.
            fence: of a sender; nothing is stored unless it holds the lease.
        """
        with self._lock:
            tries = 0
            while True:
                tries += 1
                steps, head = plan()
                staging = Staging(self._now, self._now)
                try:
                    for step in steps:
                        staging.stage(step, self._new_id)
                    entries = self._log.append(staging.new, head, fence)
                except (RefusedError, VersionConflictError):
                    if tries < TRIES and self._log.head() > head:
                        continue
                    raise
                self._learn(entries)
                return entries

    def _staged(self, steps: Sequence[Step]) -> Staging:
        staging = Staging(self.known, self._now)
        for step in steps:
            staging.stage(step, self._new_id)
        return staging

    def known(self, ref: Ref) -> Record:
        """Return the record as it was last seen; another writer may have changed it since."""
        record = self._records.get(ref)
        if record is None:
            record = self._refreshed(initial(ref))
        return record

    def _now(self, ref: Ref) -> Record:
        """Return the record as it is in the log now."""
        return self._refreshed(self._records.get(ref) or initial(ref))

    def _refreshed(self, record: Record) -> Record:
        """Return the record with what was appended to its stream since it was last seen."""
        for entry in self._log.stream(record.ref, record.version):
            record = evolve(record, entry)
        self._keep(record)
        return record

    def _keep(self, record: Record) -> None:
        if record.version == 0:
            return
        self._records[record.ref] = record
        self._records.move_to_end(record.ref)
        if len(self._records) > KEPT_RECORDS:
            self._records.popitem(last=False)

    def _refresh(self, refs: Sequence[Ref]) -> bool:
        """Look for what other writers did to these records; say whether there was anything."""
        before = [self._records.get(ref, initial(ref)) for ref in refs]
        if self._is_another_log(before):
            self._records.clear()
            for ref in refs:
                self._refreshed(initial(ref))
            return True
        after = [self._refreshed(record) for record in before]
        return [r.version for r in after] != [r.version for r in before]

    def _is_another_log(self, records: Sequence[Record]) -> bool:
        """Say whether an older copy was put into the open file: what was kept is of another log."""
        histories, self._histories = self._histories, self._log.histories
        return self._histories != histories or any(
            record.version and not self._log.stream(record.ref, record.version - 1)
            for record in records
        )

    def _learn(self, entries: Sequence[Entry]) -> None:
        """Fold what was appended into the records that are kept whole, and into no others."""
        for entry in entries:
            record = self._records.get(entry.stream) or initial(entry.stream)
            if record.version == entry.version - 1:
                self._keep(evolve(record, entry))
            else:
                self._records.pop(entry.stream, None)

    def current(self, ref: Ref, batch: Batch | None) -> Fields:
        """Return the fields that a change is made to: those that the batch so far leaves.

        Raises:
            LogError: the record could not be read.
        """
        with self._lock:
            staging = None if batch is None else batch.staging
            record = self.known(ref) if staging is None else staging.record(ref)
        return record.fields or {}

    def load(self, ref: Ref) -> Record:
        """Return the record as it is in the log now.

        Raises:
            LogError: it could not be read.
        """
        with self._lock:
            return self._now(ref)
