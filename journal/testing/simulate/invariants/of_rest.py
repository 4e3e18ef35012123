"""The invariants of the quiet phase, and of the end of a run."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from journal.drafts import Queue
from journal.events import (
    NewEntry,
)
from journal.journal import Journal
from journal.log.chain import hash_of
from journal.record import fold
from journal.testing.simulate.invariants.of_sights import is_value
from journal.testing.simulate.invariants.of_steps import i01_whole, i03, i05, i10_shown
from journal.testing.simulate.service import PART
from projections import Drafts, History, Records

if TYPE_CHECKING:
    from journal.events import Entry
    from journal.testing.simulate.world import World
    from journal.values import Ref


def bound_s(world: World) -> float:
    """Return how long it may take until everything has come to rest, by time alone."""
    knobs = world.scenario.knobs
    lease_s = max(knobs.lease_s or 0.0, 2 * knobs.request_s)
    each_s = 4 * (1.5 * knobs.most_s + 2.0) + knobs.request_s
    asked_s = max([0.0, *world.checks.not_before_s.values()]) - world.clock.now_s
    late_s = max((fault.more for fault in world.scenario.faults if fault.kind == "late"), default=0)
    ends_s = [p.paused_until_s for p in world.processes.values() if p is not None]
    paused_s = max([0.0, *ends_s]) - world.clock.now_s
    waits_s = 60.0 + 3 * lease_s + max(asked_s, 0.0) + late_s + max(paused_s, 0.0)
    return waits_s + each_s * (3 + len(world.oracle.pending))


def is_at_rest(world: World) -> bool:
    """Say whether nothing is left that could happen."""
    if world.network.late or any(p is None or p.is_dead for p in world.processes.values()):
        return False
    if any(p is not None and len(p.tasks) > 1 for p in world.processes.values()):
        return False
    if world.oracle.is_stopped:
        return False
    if world.checks.in_flight:
        return False
    return not any(True for _ in world.oracle.free(world.scenario.knobs.on_held))


def i26(world: World, begun_s: float) -> None:
    """Say that the queue did not drain, and what is left of it."""
    free = [f"{d.kind} {d.ref}" for d in world.oracle.free(world.scenario.knobs.on_held)]
    said = [
        f"{p.name}: {p.board.now().last_error or p.board.now()!r}"
        for p in world.processes.values()
        if p is not None
    ]
    waited_s = world.clock.now_s - begun_s
    world.broken("I26", f"after {waited_s:.0f} s of quiet are left: {free}; {said}")


def at_rest(world: World) -> None:
    """Check what must be true once everything has come to rest."""
    i28(world)
    i29(world)


def i28(world: World) -> None:
    """Check that whatever is left is held, or behind a held draft, and says why."""
    for draft in world.oracle.pending.values():
        if draft.held_as is not None and not draft.said:
            world.broken("I28", f"{draft.ref} is held as {draft.held_as}, and nothing says why")


def i29(world: World) -> None:
    """Check that at most one process has the lease."""
    leaders = [
        p.name
        for p in world.processes.values()
        if p is not None and p.session.lease.fence is not None and p.session.lease.is_fresh
    ]
    if len(leaders) > 1:
        world.broken("I29", f"{leaders} all have the lease")


# --- at the end ----------------------------------------------------------------------------------


def at_the_end(world: World) -> None:
    """Check the whole run."""
    i01_whole(world)
    i03(world)
    i05(world)
    i07(world)
    i09(world)
    i10_laid_over(world)
    if world.has_pulled:
        i14_converged(world)
    if world.scenario.knobs.reads_views:
        i08(world)
        i08_shown(world)


def i07(world: World) -> None:
    """Check that the log verifies, and that it would not with one byte changed."""
    process = world.alive()
    found = process.journal.log.verify()
    if not found.is_intact or found.entries != len(world.rows):
        world.broken("I7", f"the log does not verify: {found.problems}")
    if world.rows:
        row = world.rows[world.scenario.seed % len(world.rows)]
        changed = bytes([row.data[0] ^ 1]) + row.data[1:]
        if hash_of(row._replace(data=changed)) == row.hash:
            world.broken("I7", "a changed byte goes unseen")


def i08(world: World) -> None:
    """Check that each projection is the fold of the log, as caught up and as rebuilt."""
    process = world.alive()
    with Journal(actor="replay", origin="memory") as replay:
        entries = list(process.journal.log.scan())
        for _, batch in groupby(entries, key=lambda entry: entry.batch):
            replay.log.append([_new(entry) for entry in batch])
        for view in (Drafts, Records, History):
            live = view(process.journal).digest()
            if live != view(replay).digest():
                world.broken("I8", f"{view.name} is not the fold of the log")
            again = view(process.journal)
            again.rebuild()
            if live != again.digest():
                world.broken("I9", f"{view.name} is another once it is rebuilt")


def i08_shown(world: World) -> None:
    """Check that what the projections show is what other folds of the log say."""
    journal = world.alive().journal
    refs = [ref for ref in world.oracle.versions if not ref.type.startswith("$")]
    kept = {ref: journal.kept(ref) for ref in refs}
    wanted = {ref: (r.version, r.fields) for ref, r in kept.items() if r.fields is not None}
    types = sorted({ref.type for ref in refs})
    views = [v for name in types for v in Records(journal).list(name, include_deleted=True)]
    if {view.ref: (view.version, view.fields) for view in views} != wanted:
        world.broken("I8", "the records are shown otherwise than they are in the log")
    i10_shown(world, [found.draft for found in Drafts(journal).pending()])
    if [line.position for line in History(journal).between()] != [r.position for r in world.rows]:
        world.broken("I8", "the history is not that of all entries")


def _new(entry: Entry) -> NewEntry:
    given = entry._asdict()
    return NewEntry(**{name: given[name] for name in NewEntry._fields})


def i09(world: World) -> None:
    """Check that a replay from the beginning gives what the journal has in memory."""
    process = world.alive()
    streams: dict[Ref, list[Entry]] = {}
    queue = Queue()
    for entry in process.journal.log.scan():
        streams.setdefault(entry.stream, []).append(entry)
        queue.apply(entry)
    for ref, entries in streams.items():
        if process.journal.kept(ref) != fold(ref, entries):
            world.broken("I9", f"{ref} is another once it is replayed")
    if list(queue) != process.pending():
        world.broken("I9", "the queue is another once it is replayed")


def i10_laid_over(world: World) -> None:
    """Check that what is pending lies over what the service was seen to have."""
    process = world.alive()
    laid: dict[Ref, dict[str, object]] = {}
    for draft in world.oracle.pending.values():
        laid.setdefault(draft.ref, {}).update(draft.fields)
    for ref, fields in laid.items():
        there = process.journal.kept(ref).fields or {}
        if any(name not in there or there[name] != value for name, value in fields.items()):
            world.broken("I10", f"{ref} is {there} here, and {fields} is not sent yet")


def i14_converged(world: World) -> None:
    """Check that both sides have the same, of all that is not pending, after a last pull."""
    process = world.alive()
    pending = {draft.ref for draft in world.oracle.pending.values()} | world.checks.overtaken
    there = world.service.records()
    called = {(key[0], world.service.sid(key)): fields for key, fields in there.items()}
    if world.left_out or any(d.held_as == "unknown" for d in world.oracle.pending.values()):
        return  # a pull stores nothing while it is not known whose record it is
    for ref in world.oracle.versions:
        if ref in pending or ref.type.startswith("$"):
            continue
        record = process.journal.kept(ref)
        here = {n: v for n, v in (record.fields or {}).items() if v is not None}
        if record.remote.exists is None:
            continue
        name = record.remote.remote_id  # under our key may be another record by now
        shown = there.get((ref.type, ref.id)) if name is None else called.get((ref.type, name))
        if (record.fields is None) != (shown is None):
            world.broken("I14", f"{ref} is {here} here, and {shown} there")
        if shown is None:
            continue
        if world.scenario.knobs.shows_part:  # of the others nobody tells
            here, shown = ({n: v for n, v in of.items() if n in PART} for of in (here, shown))
        is_same = here.keys() == shown.keys() and all(
            is_value(world, shown[name], value) for name, value in here.items()
        )
        if not is_same:
            world.broken("I14", f"{ref} is {here} here, and {shown} there")
