"""Waits until a draft is settled, by whichever sender, in whichever process: it follows the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.drafts import draft_id_of
from journal.errors import DraftMissingError, StillPendingError
from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
)
from journal.sync.reports import Settlement
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event

    from journal.events import Entry
    from journal.journal import Journal


def settled(
    journal: Journal, of: Ref | str, timeout_s: float | None, interrupt: Event | None = None
) -> Settlement:
    """Wait until a draft, or all of a record, is settled: by whom, does not matter.

    Args:
        journal: in which the draft is.
        of: the id of a draft; or a record, for the last draft that it has now, or the first of
            its drafts that is held.
        timeout_s: how long to wait, in seconds; None for as long as it takes.
        interrupt: ends the wait early.

    Raises:
        DraftMissingError: there is no such draft, nor has there ever been.
        StillPendingError: the time was up.
        LogError: the log could not be read.
    """
    clock = journal.sources.clock
    until_s = None if timeout_s is None else clock.monotonic_s() + timeout_s
    ref, wanted = _wanted(journal, of)
    seen = 0
    settlements: dict[str, Settlement | None] = dict.fromkeys(wanted)
    while True:
        head = journal.log.head()
        for entry in journal.log.stream(ref, seen):
            seen = entry.version
            draft_id = draft_id_of(entry)
            if draft_id in settlements and draft_id is not None:
                settlements[draft_id] = _after(entry, draft_id, settlements[draft_id])
        if (found := _answer(settlements.values())) is not None:
            return found
        left_s = 3600.0 if until_s is None else until_s - clock.monotonic_s()
        if left_s <= 0 or (interrupt is not None and interrupt.is_set()):
            change = next((c for c in journal.kept(ref).changes if c.draft_id in settlements), None)
            why = "nobody has sent it yet" if change is None else _why(change.state)
            raise StillPendingError(str(of), timeout_s or 0.0, why)
        journal.log.wait(head, left_s, interrupt)


def _wanted(journal: Journal, of: Ref | str) -> tuple[Ref, list[str]]:
    """Return the record, and the ids of the drafts of it that are waited for."""
    if ":" in of:
        ref = of if isinstance(of, Ref) else Ref(of)
        drafts = [change.draft_id for change in journal.kept(ref).changes]
        if drafts:
            return ref, drafts
        last = [draft_id_of(entry) for entry in journal.log.stream(ref)]
        known = [draft_id for draft_id in last if draft_id is not None]
        if not known:
            raise DraftMissingError(str(of))
        return ref, known[-1:]
    entry = journal.log.find(of)
    if entry is None or draft_id_of(entry) != of:
        raise DraftMissingError(of)
    return entry.stream, [of]


def _after(entry: Entry, draft_id: str, before: Settlement | None) -> Settlement | None:
    """Return what became of a draft with one more entry about it."""
    event = entry.event
    match event:
        case DraftAcknowledged():
            return Settlement(draft_id, entry.stream, "acknowledged", event)
        case DraftHeld():
            return Settlement(draft_id, entry.stream, "held", event)
        case DraftDiscarded():
            return Settlement(draft_id, entry.stream, "discarded", event)
        case ConflictResolved(kind=None):
            return Settlement(draft_id, entry.stream, "resolved", event)
        case DraftRetried() | DraftAmended() | ConflictResolved():
            return None
        case _:
            return before


def _answer(settlements: Iterable[Settlement | None]) -> Settlement | None:
    """Return what there is to say: the first that is held, or the last once all have ended."""
    last: Settlement | None = None
    for last in settlements:
        if last is None or last.state == "held":
            return last
    return last


def _why(state: str) -> str:
    return {
        "pending": "it has not been sent yet",
        "sending": "it was sent, and what came of it is not known yet",
    }.get(state, f"it is {state}")
