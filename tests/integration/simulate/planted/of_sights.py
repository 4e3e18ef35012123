"""Mistakes about what is seen of a record while something of it is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.sync import seen
from journal.sync.seen import SeenSince
from journal.sync.storing import Store
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from journal.record import Change, Record
    from journal.sync.seen import Sight


@plants(SeenSince, "has_seen", by="I14", seeds=231)
def lets_a_receipt_set_a_record_back(_: Code) -> object:
    """A receipt overwrites what was seen since its request left, and is newer."""
    return lambda _self, _draft_id: False


@plants(SeenSince, "forget", by="I14", seeds=366)
def takes_what_was_seen_before_for_newer(_: Code) -> object:
    """What was seen before a request of a draft had left is noted again behind its receipt."""
    return lambda _self, _draft_id: None


@plants(seen, "_is_newer", by="I14", seeds=12)
def takes_what_was_not_there_yet_for_gone(real: Code) -> object:
    """That a record was not there before it was created is noted again behind the receipt."""

    def is_newer(record: Record, change: Change, version: str | None, sight: Sight) -> bool:
        return record.remote.exists is False or bool(real(record, change, version, sight))

    return is_newer


@plants(seen, "_is_newer", by="I14", seeds=341)
def takes_a_version_that_nobody_knew_for_newer(real: Code) -> object:
    """A version is newer though the one that the draft was made on is not known."""

    def is_newer(record: Record, change: Change, version: str | None, sight: Sight) -> bool:
        remote = record.remote._replace(receipt=0)
        change = change._replace(base_version=change.base_version or "unknown")
        return bool(real(record._replace(remote=remote), change, version, sight))

    return is_newer


@plants(Store, "_is_of_earlier", by="I14", seeds=1405)
def deletes_what_was_made_again(_: Code) -> object:
    """A tombstone of what a record was called before it was made again deletes it."""
    return lambda _self, _ref, _sighting: False


@plants(SeenSince, "is_late", by="I14", seeds=497)
def lets_a_late_read_set_a_record_back(_: Code) -> object:
    """A conflict is with what a read has shown, though something newer was seen since it left."""
    return lambda _self, _draft_id: False
