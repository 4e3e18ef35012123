"""What was seen of a record while a draft of it was on its way; pure.

- N1. A receipt tells of the moment at which the remote answered. What a pull, or the host, has
  seen of the record since the draft was begun may be newer; then it is noted once more, behind
  the receipt, so that no receipt sets the record back.
- N2. It is newer where it shows what the draft wants, or that the record is gone, or a version
  which is neither that of the receipt nor the one that the draft was made on. Where nothing
  tells, as where a record that is being created was never there, such a sight is of a state that somebody has left since, and the next pull shows what
  became of it, while nothing would show again what was seen.
- N3. A receipt that was found by a read, or that is of a delete, stands: a read comes late, and
  not every remote tells again of what is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.drafts import draft_id_of
from journal.events import DraftHeld, DraftRetried, PushStarted, RecordObserved
from journal.record import ObserveRecord, Remote, decide
from journal.remotes.forms import agrees

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.events import DraftAcknowledged, Entry, Event
    from journal.record import Change, Record
    from journal.values import Ref


class SeenSince:
    """What was seen of records that have a draft on its way: the accumulator of a fold."""

    def __init__(self) -> None:
        """Begin with no draft on its way."""
        self._begun: dict[str, Ref] = {}
        self._known: dict[Ref, int] = {}
        """The newest versions of their streams."""
        self._seen: set[str] = set()

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry of the log."""
        event, ref = entry.event, entry.stream
        draft_id = draft_id_of(entry)
        if isinstance(event, PushStarted):
            self._begun.setdefault(event.draft_id, ref)
            self._known[ref] = entry.version
            return
        if ref not in self._known:
            return
        self._known[ref] = entry.version
        if isinstance(event, RecordObserved):
            self._seen.update(each for each, known in self._begun.items() if known == ref)
        elif draft_id in self._begun and not isinstance(event, (DraftHeld, DraftRetried)):
            self._begun.pop(draft_id)
            self._seen.discard(draft_id)
            if ref not in self._begun.values():
                del self._known[ref]

    def forget(self, draft_id: str) -> None:
        """Take what was seen of the record of a draft until now for older than its receipt."""
        self._seen.discard(draft_id)

    def is_current(self, record: Record) -> bool:
        """Say whether all is folded in that is known of a record."""
        return self._known.get(record.ref) == record.version

    def has_seen(self, draft_id: str) -> bool:
        """Say whether anything was seen of the record of a draft since it was begun."""
        return draft_id in self._seen


def seen_again(record: Record, change: Change, receipt: DraftAcknowledged) -> Sequence[Event]:
    """Return what is noted once more, behind a receipt, of a record that was seen before (N1).

    Args:
        record: as it is before the receipt.
        change: the draft, since whose beginning the record was seen.
        receipt: what acknowledges it.
    """
    if receipt.evidence != "answer" or change.kind == "delete":
        return ()
    if not _is_newer(record, change, receipt.remote_version):
        return ()
    remote = record.remote
    fields = remote.fields if remote.exists else None
    again = ObserveRecord(record.ref, fields, remote.remote_id, remote.version)
    return decide(record._replace(remote=Remote()), again, {})  # as if it were seen just now


def _is_newer(record: Record, change: Change, version: str | None) -> bool:
    """Say whether a record was seen after the remote had carried out its draft (N2)."""
    remote = record.remote
    if not remote.exists:
        return change.kind != "create" or bool(remote.fields)  # it was there, and is gone
    if remote.version is not None and remote.version == version:
        return False
    wanted = {name: remote.fields.get(name) for name in change.fields}
    if agrees(wanted, change.fields):
        return True
    if remote.version is not None:
        return remote.version not in {change.base_version, remote.receipt_version}
    before = {name: change.base.get(name) for name in change.fields}
    return not agrees(wanted, before)
