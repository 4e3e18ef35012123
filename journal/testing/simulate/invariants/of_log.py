"""The invariants of what is appended: of each row, and of each entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    PushStarted,
    QueueStarted,
    QueueStopped,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)
from journal.log.chain import hash_of
from journal.testing.simulate.invariants.of_records import (
    i05_cause,
    i08_base,
    i08_record,
    i14_amended,
    i26_again,
    i27_tripped,
    lost_edit,
)
from journal.testing.simulate.invariants.of_sights import is_value, noted
from journal.testing.simulate.invariants.remembered import CANARY, RACE_S
from journal.testing.simulate.service import FOREIGN
from journal.values import Ref

if TYPE_CHECKING:
    from journal.events import Entry
    from journal.log.chain import Row
    from journal.testing.simulate.oracle import Expected
    from journal.testing.simulate.world import World


def of_row(world: World, row: Row) -> None:
    """Check a row that was appended."""
    i01(world, row)
    i02(world, row)
    i06(world, row)
    i19_stored(world, row)


def i01(world: World, row: Row) -> None:
    """Check that it follows the last row as that was when it was seen."""
    before = world.rows[-1].hash if world.rows else row.previous_hash
    if row.previous_hash != before or row.hash != hash_of(row):
        world.broken("I1", f"row {row.position} does not follow what was there before it")


def i02(world: World, row: Row) -> None:
    """Check that positions rise by 1."""
    if row.position != len(world.rows) + 1:
        world.broken("I2", f"position {row.position} follows {len(world.rows)}")


def i06(world: World, row: Row) -> None:
    """Check that the versions of a stream rise by 1."""
    before = world.oracle.versions.get(Ref.trusted(row.stream), 0)
    if row.version != before + 1:
        world.broken("I6", f"{row.stream} goes from version {before} to {row.version}")


def i19_stored(world: World, row: Row) -> None:
    """Check that no secret is stored."""
    if CANARY.encode() in row.data or CANARY in (row.reason or ""):
        world.broken("I19", f"a secret is stored at {row.position}")


def before_entry(world: World, entry: Entry) -> None:
    """Check an entry against what was before it."""
    match entry.event:
        case RecordCreated():
            i04(world, entry)
        case RecordUpdated() | RecordDeleted() as event:
            i08_base(world, entry, event)
        case PushStarted(draft_id=draft_id):
            world.checks.left_at.setdefault(draft_id, entry.position)
            i13(world, entry, draft_id)
            i13_stopped(world, entry)
        case DraftAcknowledged() | DraftHeld():
            i17(world, entry)
        case ConflictResolved() as event if entry.actor == "sync":
            lost_edit(world, event)
        case DraftAmended(draft_id=draft_id):
            i14_amended(world, draft_id)
        case DraftDiscarded(draft_id=draft_id, cause=str(cause)):
            i05_cause(world, draft_id, cause)
        case QueueStopped(cause="rejections", problem=problem):
            i27_tripped(world, problem)
        case _:
            pass


def i04(world: World, entry: Entry) -> None:
    """Check that a create is not stored a second time."""
    for draft in world.oracle.pending.values():
        if draft.ref == entry.stream and draft.kind == "create":
            world.broken("I4", f"{entry.stream} is created twice")


def i13(world: World, entry: Entry, draft_id: str) -> None:
    """Check that a draft is begun only when nothing before it could be sent."""
    process, decided_s = world.processes[entry.origin], world.checks.decided_s
    if world.clock.now_s - decided_s < RACE_S:
        return
    if process is not None and process.paused_until_s >= decided_s:
        return  # it had looked before it was paused
    for draft in world.oracle.free(world.scenario.knobs.on_held):
        if draft.draft_id == draft_id:
            return
        if not (world.scenario.knobs.dialect == "together" and draft.is_sending):
            world.broken("I13", f"{draft_id[-6:]} is begun before {draft.draft_id[-6:]}")
    world.broken("I13", f"{draft_id[-6:]} is begun, and is held back")


def i13_stopped(world: World, entry: Entry) -> None:
    """Check that nothing is begun while the queue is stopped, or should be for what is refused."""
    most, oracle = world.scenario.knobs.rejections, world.oracle
    if most is not None and oracle.rejections >= most:
        world.broken("I13", f"a draft is begun after {oracle.rejections} rejections in a row")
    process, decided_s = world.processes[entry.origin], world.checks.decided_s
    is_race = world.clock.now_s - decided_s < RACE_S
    if process is None or is_race or process.paused_until_s >= decided_s:
        return
    if oracle.is_stopped:
        world.broken("I13", f"a draft is begun, and the queue is stopped: {oracle.why}")


def i17(world: World, entry: Entry) -> None:
    """Check that what settles a draft is about one that is pending."""
    event = entry.event
    if isinstance(event, DraftAcknowledged | DraftHeld):
        draft = world.oracle.pending.get(event.draft_id)
        if draft is None:
            world.broken("I17", f"{event.draft_id[-6:]} is settled, and was not pending")
        elif draft.revision != event.revision:
            world.broken("I17", f"another revision of {event.draft_id[-6:]} is settled")


def of_entry(world: World, entry: Entry) -> None:
    """Check an entry, and remember what has to be."""
    event = entry.event
    i08_record(world, entry)
    if isinstance(event, RecordObserved | DraftAcknowledged):
        known = world.checks.known.setdefault(entry.stream, {})
        _note_overtaken(world, entry)
        for name, value in (event.fields or {}).items():
            if isinstance(value, str):
                known.setdefault((name, value), entry.position)
        i14_back(world, entry, event)
        noted(world, entry, event)
    match event:
        case DraftAcknowledged():
            i14(world, event)
        case DraftHeld(draft_id=draft_id, classification=classification):
            world.checks.decided_s = world.clock.now_s
            i14_held(world, entry, event)
            if classification != "unknown":  # it is known what became of all that was sent
                world.checks.last_sent_s.pop(world.oracle.drafts[draft_id].key, None)
        case DraftDiscarded(maybe_applied=is_given_up):
            world.checks.decided_s = world.clock.now_s
            if is_given_up:
                world.checks.given_up.add(entry.stream)
        case ConflictResolved():
            world.checks.decided_s = world.clock.now_s
            i14_resolved(world, entry)
            i26_again(world, event)
        case DraftRetried() | DraftAmended() | QueueStarted() | QueueStopped():
            world.checks.decided_s = world.clock.now_s
        case _:
            pass


def _note_overtaken(world: World, entry: Entry) -> None:
    """Note of which records a receipt that was read came after a sighting that may be newer.

    Nor does the receipt of a delete tell: what is known here may be older than what was seen.
    """
    checks = world.checks
    if isinstance(entry.event, RecordObserved):
        checks.seen_at[entry.stream] = entry.position
        checks.overtaken.discard(entry.stream)
    elif isinstance(entry.event, DraftAcknowledged):
        draft = world.oracle.drafts[entry.event.draft_id]
        if entry.event.evidence == "answer" and draft.kind != "delete":
            return
        left_at = checks.left_at.get(entry.event.draft_id, entry.position)
        if checks.seen_at.get(entry.stream, 0) > left_at:
            checks.overtaken.add(entry.stream)


def i14_back(world: World, entry: Entry, event: RecordObserved | DraftAcknowledged) -> None:
    """Check that a page of a pull sets no record back to what it was before a receipt."""
    version = event.remote_version
    if version is None:
        return
    n, told = int(version.strip('"v')), world.checks.told
    if isinstance(event, DraftAcknowledged):
        told[entry.stream] = max(told.get(entry.stream, 0), n)
    elif entry.actor == "pull" and n < told.get(entry.stream, 0):
        world.broken("I14", f"{entry.stream} is set back to version {version}")


def i14(world: World, event: DraftAcknowledged) -> None:
    """Check that the service has done what is acknowledged, or has it so."""
    draft = world.oracle.drafts[event.draft_id]
    if event.evidence == "person":
        return
    effects = [each for each in world.service.effects if each.draft == draft.key]
    for effect in effects:
        if effect.action != draft.kind or not _is_body(world, effect.body, draft):
            world.broken("I14", f"{draft.kind} {draft.ref} was done as {effect}")
    if not effects and not _had(world, draft):
        said = f"{draft.kind} of {draft.ref} is acknowledged by {event.evidence}"
        world.broken("I14", f"{said}, and was never done")


def _is_body(world: World, body: dict[str, Any] | None, draft: Expected) -> bool:
    if body is None or draft.kind == "delete":
        return body is None and draft.kind == "delete"
    return body.keys() == draft.fields.keys() and _fits(world, body, draft)


def _fits(world: World, fields: dict[str, Any], draft: Expected) -> bool:
    return all(is_value(world, fields.get(name), value) for name, value in draft.fields.items())


def _had(world: World, draft: Expected) -> bool:
    """Say whether the service ever had the record as a draft leaves it."""
    past = world.service.past.get((draft.ref.type, draft.ref.id), [None, None])
    if draft.kind == "delete":
        return None in past[1:]
    return any(fields is not None and _fits(world, fields, draft) for fields in past)


def i14_held(world: World, entry: Entry, event: DraftHeld) -> None:
    """Check that what a draft is held for is so: the service has not done it, and is as it says."""
    if event.classification == "rejected" and entry.origin in world.checks.cannot_read:
        world.checks.given_up.add(
            entry.stream
        )  # what it has refused, and yet done, may be met again
        return
    draft, service = world.oracle.drafts[event.draft_id], world.service
    key = (draft.ref.type, draft.ref.id)
    effects = [each for each in service.effects if each.key == key]
    said = f"{draft.kind} {draft.ref} is held as {event.classification}, and"
    match event.classification:
        case "unknown":
            pass
        case _ if effects and effects[-1].draft == draft.key:
            world.broken("I14", f"{said} was done")
        case "gone" if None not in service.past.get(key, [None])[1:] and effects:
            world.broken("I14", f"{said} was never away")
        case "conflict" if is_alone(world, draft.ref):
            world.broken("I14", f"{said} nobody else has changed it")
        case _:
            pass


def is_alone(world: World, ref: Ref) -> bool:
    """Say whether nobody but the journal has ever changed a record, as far as the log can tell."""
    if world.checks.has_lost or ref in world.checks.given_up:
        return False
    key = (ref.type, ref.id)
    return all(each.draft != FOREIGN for each in world.service.effects if each.key == key)


def i14_resolved(world: World, entry: Entry) -> None:
    """Check that a draft is in no conflict with what the journal itself has changed."""
    if entry.actor == "sync" and is_alone(world, entry.stream):
        world.broken("I14", f"a conflict of {entry.stream} is resolved, and nobody has changed it")
