"""What everybody stores: visits, of which each change makes an event of about 310 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.events import DraftAcknowledged, NewEntry, RecordCreated, RecordUpdated
from journal.log import Row, genesis
from journal.log.chain import Head, seal
from journal.log.mapper import EntryMapper
from journal.sources import RandomIds
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.values import Fields

_BEGAN_US = 1_700_000_000_000_000
_STATUSES = ("open", "under way", "done")
REMARK = "nobody at home, a card was left with the neighbour"


def refs(count: int) -> list[Ref]:
    """Return references to that many records."""
    return [Ref.of("Visit", f"{number:08}-7b1e-4f60") for number in range(count)]


def fields(number: int) -> Fields:
    """Return the fields of a new record: about 310 bytes of JSON."""
    return {
        "Account": f"001-{number:08}",
        "Street": f"{number % 200} Harbour Road, second floor, left",
        "City": "Bergen",
        "Phone": f"+47 55 {number % 100:02} {number % 97:02} {number % 89:02}",
        "IsUrgent": number % 2 == 0,
        "Rooms": [number % 7, number % 5, number % 3],
        **change(number),
    }


def change(number: int, remark: str = REMARK) -> Fields:
    """Return new values for four fields; two in a row for one record differ in all of them."""
    minute, second = divmod(number, 60)
    return {
        "Status": _STATUSES[number % 3],
        "VisitedAt": f"2026-11-{minute // 60 % 28 + 1:02}T09:{minute % 60:02}:{second:02}Z",
        "Minutes": number,
        "Note": f"visit {number:07}: {remark}",
    }


def changes(records: list[Ref], count: int) -> Iterator[NewEntry]:
    """Yield entries: the records are created, then each is updated in turn."""
    ids = RandomIds()
    current: dict[Ref, Fields] = {}
    versions: dict[Ref, int] = {}
    for number in range(count):
        ref = records[number % len(records)]
        now_us = _BEGAN_US + number * 1000
        versions[ref] = versions.get(ref, 0) + 1
        event: RecordCreated | RecordUpdated
        if ref in current:
            new = change(number)
            base = {name: current[ref][name] for name in new}
            event = RecordUpdated(changes=new, base=base)
            current[ref] |= new
        else:
            current[ref] = fields(number)
            event = RecordCreated(fields=dict(current[ref]))
        yield _entry(ids.new(now_us), ref, versions[ref], now_us, event)


def settled(records: list[Ref], count: int, pending: int) -> Iterator[NewEntry]:
    """Yield changes, each acknowledged at once, but for as many as are to stay pending."""
    ids = RandomIds()
    versions: dict[Ref, int] = {}
    for new in changes(records, (count + pending) // 2):
        versions[new.stream] = versions.get(new.stream, 0) + 1
        yield new._replace(version=versions[new.stream])
        pending -= 1
        if pending < 0:
            versions[new.stream] += 1
            receipt = DraftAcknowledged(
                draft_id=new.event_id, remote_version=str(versions[new.stream]), evidence="answer"
            )
            yield _entry(
                ids.new(new.occurred_at), new.stream, versions[new.stream], new.occurred_at, receipt
            )


def _entry(
    event_id: str,
    ref: Ref,
    version: int,
    now_us: int,
    event: RecordCreated | RecordUpdated | DraftAcknowledged,
) -> NewEntry:
    return NewEntry(
        event_id, ref, version, now_us, "tech-17", "tablet-4", None, None, None, None, event
    )


def sealed(entries: list[NewEntry], batch: int = 1) -> list[Row]:
    """Return the rows of the entries, as a log would store them in batches of that size."""
    mapper = EntryMapper()
    head = Head(0, genesis("bench"), 0)
    rows: list[Row] = []
    for start in range(0, len(entries), batch):
        rows += seal(head, [mapper.unsealed(new) for new in entries[start : start + batch]])
        head = Head(rows[-1].position, rows[-1].hash, rows[-1].occurred_at)
    return rows
