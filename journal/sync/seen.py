"""What was seen of a record while a draft of it was on its way; pure.

- N1. A receipt tells of the moment at which the remote answered. What a pull, or the host, has
  seen of the record since the draft was begun may be newer; then it is noted once more, behind
  the receipt, so that no receipt sets the record back.
- N2. It is newer where it shows what the draft wants, or that the record is gone, or a version
  which is neither that of the receipt nor the one that the draft was made on; where that one is
  not known, as answers to changes may show none, other values tell. Where nothing tells, such
  a sight is of a state that somebody has left since, and the next pull shows what became of
  it, while nothing would show again what was seen. So it is where a record that is being
  created was not there, or was another one, by its id; but what is gone by the very id that the
  receipt has was there.
- N3. A receipt that was found by a read, or that is of a delete, stands: a read comes late, and
  not every remote tells again of what is gone.
  What ends in a conflict does not: where the record was seen to be otherwise since the remote
  was asked, it is asked once more.
- N4. Where only some fields were seen, only these are noted once more, and no version: it would
  be newer than the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from journal.drafts import draft_id_of
from journal.events import DraftHeld, DraftRetried, PushStarted, RecordObserved
from journal.record import ObserveRecord, Remote, decide
from journal.remotes.forms import agrees
from journal.values import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.events import DraftAcknowledged, Entry, Event
    from journal.record import Change, Record
    from journal.values import Ref

    Sight: TypeAlias = "frozenset[str] | None"

WHOLE: Final = None
"""The sight of a whole record; that of some of its fields has their names."""
NOTHING: Final[frozenset[str]] = frozenset()
"""The sight of a record that is gone: whoever sees some of its fields later has seen no others."""


class SeenSince:
    """What was seen of records that have a draft on its way: the accumulator of a fold."""

    def __init__(self) -> None:
        """Begin with no draft on its way."""
        self._begun: dict[str, Ref] = {}
        self._known: dict[Ref, int] = {}
        """The newest versions of their streams."""
        self._seen: dict[str, Sight] = {}
        self._gone: dict[str, str | None] = {}
        """What the remote called the records of drafts that were seen last to be gone."""
        self._late: set[str] = set()
        """The drafts of whose records something was seen since the remote was asked last."""

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
            names = frozenset(event.fields) if event.partial else WHOLE
            for each in [each for each, known in self._begun.items() if known == ref]:
                before = self._seen.get(each, NOTHING)
                self._seen[each] = _together(before, names) if event.exists else NOTHING
                self._gone[each] = None if event.exists else event.remote_id
                self._late.add(each)
        elif draft_id in self._begun and not isinstance(event, (DraftHeld, DraftRetried)):
            self._begun.pop(draft_id)
            self.forget(draft_id)
            self.asks(draft_id)
            if ref not in self._begun.values():
                del self._known[ref]

    def forget(self, draft_id: str) -> None:
        """Take what was seen of the record of a draft until now for older than its receipt."""
        self._seen.pop(draft_id, None)
        self._gone.pop(draft_id, None)

    def asks(self, draft_id: str) -> None:
        """Note that the remote is asked now, so that its answer is newer than what was seen."""
        self._late.discard(draft_id)

    def is_late(self, draft_id: str) -> bool:
        """Say whether the record of a draft was seen since the remote was asked last."""
        return draft_id in self._late

    def is_current(self, record: Record) -> bool:
        """Say whether all is folded in that is known of a record."""
        return self._known.get(record.ref) == record.version

    def has_seen(self, draft_id: str) -> bool:
        """Say whether anything was seen of the record of a draft since it was begun."""
        return draft_id in self._seen

    def sight(self, draft_id: str) -> Sight:
        """Return what was seen of the record of a draft of which anything was."""
        return self._seen[draft_id]

    def gone(self, draft_id: str) -> str | None:
        """Return what the remote called a record that it said to be gone; None where not known."""
        return self._gone.get(draft_id)


def _together(one: Sight, other: Sight) -> Sight:
    return WHOLE if one is None or other is None else one | other


def seen_again(
    record: Record,
    change: Change,
    receipt: DraftAcknowledged,
    sight: Sight = WHOLE,
    gone: str | None = None,
) -> Sequence[Event]:
    """Return what is noted once more, behind a receipt, of a record that was seen before (N1).

    Args:
        record: as it is before the receipt.
        change: the draft, since whose beginning the record was seen.
        receipt: what acknowledges it.
        sight: the names of the fields that were seen, where it was not the whole record.
        gone: what the remote called it, where it was seen to be gone.
    """
    remote = record.remote
    if receipt.evidence != "answer" or change.kind == "delete":
        return ()
    is_of = gone is not None and record.ref.id != gone == receipt.remote_id
    is_other = change.kind == "create" and remote.remote_id not in {None, receipt.remote_id}
    if not is_of and (is_other or not _is_newer(record, change, receipt.remote_version, sight)):
        return ()
    if not remote.exists:
        again = ObserveRecord(record.ref, None, gone or remote.remote_id, remote.version)
    elif sight is WHOLE:
        again = ObserveRecord(record.ref, remote.fields, remote.remote_id, remote.version)
    else:
        left = {**remote.fields, **change.fields} if receipt.fields is None else receipt.fields
        known = ((name, remote.fields.get(name)) for name in sorted(sight))
        other = {name: value for name, value in known if not same(left.get(name), value)}
        if not other:
            return ()
        again = ObserveRecord(record.ref, other, remote.remote_id, partial=True)  # N4
    return decide(record._replace(remote=Remote()), again, {})  # as if it were seen just now


def is_other(record: Record, events: Sequence[Event]) -> bool:
    """Say whether events note that a record is otherwise than it is known to be."""
    remote = record.remote
    return any(
        isinstance(event, RecordObserved)
        and not (
            event.exists == remote.exists
            and event.remote_version == remote.version
            and (not event.exists or agrees(event.fields, remote.fields))
        )
        for event in events
    )


def _is_newer(record: Record, change: Change, version: str | None, sight: Sight) -> bool:
    """Say whether a record was seen after the remote had carried out its draft (N2)."""
    remote = record.remote
    if not remote.exists:
        return change.kind != "create" or bool(remote.fields)  # it was there, and is gone
    if remote.version is not None and remote.version == version:
        return False
    names = [name for name in change.fields if sight is WHOLE or name in sight]
    wanted = {name: change.fields[name] for name in names}
    shown = {name: remote.fields.get(name) for name in names}
    if (names or sight is WHOLE) and agrees(shown, wanted):
        return True
    made_on = remote.receipt_version if remote.receipt > change.based_at else change.base_version
    if remote.version is not None and made_on is not None:
        return remote.version not in {change.base_version, remote.receipt_version}
    before = {name: change.base.get(name) for name in names}
    return not agrees(shown, before)
