"""The invariants of every moment: of the queue, of who waits, and of what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.errors import JournalError, LogError
from journal.sync.effects import Pause
from journal.testing.simulate.invariants.of_sights import i14_older
from journal.testing.simulate.invariants.remembered import CANARY

if TYPE_CHECKING:
    from journal.drafts import Draft
    from journal.sync.reports import Report
    from journal.testing.simulate.oracle import Expected
    from journal.testing.simulate.process import Process
    from journal.testing.simulate.world import World


def after_step(world: World) -> None:
    """Check what must always be true."""
    for process in world.processes.values():
        if process is not None and not process.is_dead:
            i27(world, process)
            if world.checks.seen_position != world.oracle.position:
                i10(world, process)
    if world.checks.seen_position != world.oracle.position:
        i05_fallen(world)
        i14_older(world)
    world.checks.seen_position = world.oracle.position


def i05_fallen(world: World) -> None:
    """Check that with a create falls whatever stands on it."""
    fallen = world.oracle.fallen
    for draft in world.oracle.pending.values() if fallen else ():
        if draft.ref in fallen or draft.targets & fallen:
            world.broken("I5", f"{draft.kind} {draft.ref} stands on a create that was discarded")


def i10(world: World, process: Process) -> None:
    """Check that the queue that the journal knows is the one that follows from the log."""
    if process.mount.failure is not None:
        return
    drafts = process.pending()
    expected = world.oracle.pending
    if [draft.draft_id for draft in drafts] != list(expected):
        world.broken("I10", f"{process.name} knows of {len(drafts)} drafts, not {len(expected)}")
    for draft in drafts:
        there = expected[draft.draft_id]
        if _state(draft) != _expected(there):
            world.broken("I10", f"{process.name} has another state of {draft.draft_id[-6:]}")


def _state(draft: Draft) -> tuple[object, ...]:
    """Return what must be so of a draft, as the library has it."""
    held_as = None if draft.hold is None else draft.hold.classification
    states = (draft.state == "held", draft.is_maybe_applied)
    return (draft.revision, held_as, *states, draft.kind, draft.fields, {*draft.targets})


def _expected(draft: Expected) -> tuple[object, ...]:
    """Return what must be so of a draft, as another fold has it."""
    states = (draft.held_as is not None, draft.is_sending)
    return (draft.revision, draft.held_as, *states, draft.kind, draft.fields, draft.targets)


def i10_shown(world: World, shown: list[Draft]) -> None:
    """Check that the list that people see is the queue."""
    pending = world.oracle.pending.values()
    there = [(d.draft_id, _expected(d)) for d in pending]
    here = [(d.draft_id, _state(d)) for d in shown]
    if here != there:
        world.broken("I10", f"{len(here)} drafts are shown otherwise than the {len(there)} are")


def i27(world: World, process: Process) -> None:
    """Check that a sender that waits has a reason: a time, or nothing to send."""
    wait = process.sender.wait
    if wait is None:
        return
    status = process.board.now()
    if CANARY in status.last_error:
        world.broken("I19", "the status says the secret")
    if isinstance(wait, Pause):
        if status.next_attempt_s is not None and not status.last_error and status.is_leader:
            world.broken("I27", "it waits for an attempt, and does not say why")
        return
    is_behind = world.oracle.position > wait.after
    if is_behind or world.oracle.is_stopped or process.is_stopping:
        return
    for draft in world.oracle.free(world.scenario.knobs.on_held):
        world.broken("I27", f"{process.name} listens, and {draft.draft_id[-6:]} could be sent")


def i27_stopped(world: World) -> None:
    """Check that a stopped queue says why."""
    if not world.oracle.why:
        world.broken("I27", "the queue is stopped, and nothing says why")


def of_report(world: World, report: Report) -> None:
    """Check that a drain says why drafts are left, and how many."""
    if (report.stopped_by is None) != (report.pending == 0):
        world.broken("I27", f"{report.pending} drafts are left of a drain: {report.stopped_by}")
    if CANARY in report.problem:
        world.broken("I19", "a report says the secret")


def after_start(world: World) -> None:
    """Check what a process finds that was just started."""
    i01_whole(world)
    i03(world)
    i05(world)


def i01_whole(world: World) -> None:
    """Check that all rows are as they were first seen."""
    if world.disk.rows(0) != world.rows:
        world.broken("I1", "the log is not what it was")


def i03(world: World) -> None:
    """Check that what was told as stored is there."""
    known = {row.event_id for row in world.rows}
    for draft_id in world.desk.stored:
        if draft_id not in known:
            world.broken("I3", f"{draft_id[-6:]} was told as stored, and is not there")
    for ref in world.desk.created:
        if ref not in world.oracle.versions:
            world.broken("I3", f"{ref} was told as created, and is not there")


def i05(world: World) -> None:
    """Check that each batch is there whole, or not at all."""
    found: dict[str, list[int]] = {}
    for row in world.rows:
        if row.correlation_id is not None and row.correlation_id.startswith("batch-"):
            found.setdefault(row.correlation_id, []).append(row.batch)
    for group, count, is_told in world.desk.batches:
        batches = found.get(group, [])
        is_whole = len(batches) == count or world.scenario.knobs.senders > 1
        if (
            (batches and not is_whole)
            or len(set(batches)) > 1
            or (is_told and count and not batches)
        ):
            world.broken("I5", f"{len(batches)} of {count} events of {group} are there")


def i22(world: World, what: str, error: BaseException) -> None:
    """Check that an error is one of ours."""
    if not isinstance(error, JournalError):
        world.broken("I22", f"{what} raises {error!r}")
    if CANARY in str(error):
        world.broken("I19", f"an error of {what} says the secret")


def i25(world: World, process: Process) -> None:
    """Check that the log can be read, whatever has happened."""
    if process.is_dead:
        return
    try:
        if process.journal.log.head() != len(world.rows):
            world.broken("I25", "a reader does not see the end of the log")
        for ref in world.desk.refs[:1]:
            process.journal.load(ref)
    except LogError as error:
        world.broken("I25", f"the log cannot be read: {error!r}")
