"""What a sighting says of a record that is known here; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.record import ObserveRecord, decide
from journal.remotes.forms import agrees
from journal.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from journal.drafts import Draft
    from journal.events import Event
    from journal.record import Change, Record
    from journal.values import Fields


def observed(
    record: Record,
    fields: Fields | None,
    remote_id: str | None,
    version: str | None,
    *,
    is_partial: bool = False,
) -> Sequence[Event]:
    """Return the event by which a sighting becomes known; none where it is known already.

    A version is that of a whole record. Where a part has changed, and the rest may have, too, no
    version is known any more: what is changed later is compared with the remote's values first.

    Args:
        record: as it is known here.
        fields: as the remote has them, in our words; None where it is gone there.
        remote_id: what the remote calls it.
        version: the remote's version of it.
        is_partial: whether it has other fields, too, of which nothing is said.
    """
    remote = record.remote
    if fields is None:
        if record.version == 0 or remote.exists is False:
            return ()
        return decide(record, ObserveRecord(record.ref, None, remote_id, version), {})
    seen = {**remote.fields, **fields} if is_partial else fields
    if version != remote.version and seen.keys() - fields.keys():
        version = None
    is_same = remote.exists is True and agrees(seen, remote.fields)
    if is_same and version in {None, remote.version} and remote_id in {None, remote.remote_id}:
        return ()
    return decide(record, ObserveRecord(record.ref, fields, remote_id, version, is_partial), {})


def is_rebased(record: Record) -> bool:
    """Say whether pending changes of a record were made on another state than the remote's.

    What the remote has as the change would leave it speaks against nothing.
    """
    if not record.changes:
        return False
    if not record.remote.exists:
        return record.changes[0].kind == "update"
    fields = dict(record.remote.fields)
    for change in record.changes:
        if any(_differs(fields, change, name) for name in _names(change)):
            return True
        fields |= change.fields
    return False


def _names(change: Change) -> Iterable[str]:
    return change.base if change.kind == "delete" else change.fields


def _differs(fields: Fields, change: Change, name: str) -> bool:
    here = fields.get(name)
    is_ours = name in change.fields and same(here, change.fields[name])
    is_as_seen = change.kind != "create" and agrees(here, change.base.get(name))
    return not (is_ours or is_as_seen)


def is_maybe_made(draft: Draft) -> bool:
    """Say whether a draft is a create that the remote may have carried out already."""
    is_refused = draft.hold is not None and draft.hold.classification != "unknown"
    return draft.kind == "create" and draft.pushes > 0 and not is_refused
