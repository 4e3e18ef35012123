"""The invariants of records: what each is here, what a change says of it, who wins a conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.events import QUEUE, ConflictResolved, RecordDeleted, RecordUpdated
from journal.record import evolve, initial
from journal.testing.simulate.copies import sides_of

if TYPE_CHECKING:
    from journal.events import Entry
    from journal.testing.simulate.world import World


def i08_record(world: World, entry: Entry) -> None:
    """Check that the fold of a record is what another fold of the log says.

    That is what the remote was last heard to have, with what is pending laid over it.
    """
    if entry.stream == QUEUE:
        return
    folded, ref = world.checks.folded, entry.stream
    folded[ref] = evolve(folded.get(ref) or initial(ref), entry)
    here, wanted = sides_of(folded[ref]), world.copies.sides(ref)
    if here != wanted:
        world.broken("I8", f"{ref} is {here} after {entry.position}, and must be {wanted}")


def i08_base(world: World, entry: Entry, event: RecordUpdated | RecordDeleted) -> None:
    """Check that a change says what its author saw, in the record as it was here."""
    sides = world.copies.sides(entry.stream)
    here = sides.here or {}
    names = here if isinstance(event, RecordDeleted) else event.changes
    seen = {name: here[name] for name in names if name in here}
    if (event.base, event.base_version) != (seen, sides.version):
        said = f"{event.base} at {event.base_version}"
        world.broken("I8", f"{entry.stream} was {seen} at {sides.version}, and the base is {said}")


def i26_again(world: World, event: ConflictResolved) -> None:
    """Check that what was resolved is not resolved once more, where nothing has changed since."""
    state = (event.remote_version, event.theirs)
    before = world.checks.resolved.get(event.draft_id)
    world.checks.resolved[event.draft_id] = state
    if event.remote_version is not None and before == state:
        world.broken("I26", f"{event.draft_id[-6:]} is resolved again, with nothing new there")


def lost_edit(world: World, event: ConflictResolved) -> None:
    """Check that a policy decides as it is named, and `merge` nothing that both have changed."""
    policy, draft = world.scenario.knobs.policy, world.oracle.pending[event.draft_id]
    theirs, base, kind = event.theirs, event.base, event.kind
    is_gone, is_delete = theirs is None, draft.kind == "delete"
    said = f"{policy} makes {kind} of {draft.kind} {draft.ref}: {base} is {theirs} there"
    if is_delete and is_gone:
        if kind is not None:
            world.broken("lost update", said)
        return
    if policy == "hold":
        world.broken("lost update", said)
    if theirs is None or draft.kind != "update":  # it is decided as a whole
        there = theirs or {}
        is_edited = any(base.get(name) != there.get(name) for name in {*base, *there})
        may_send = policy == "ours" or (policy == "merge" and is_delete and not is_edited)
        if (policy == "theirs") is not (kind is None) or not (kind is None or may_send):
            world.broken("lost update", said)
        return
    both = [n for n, v in event.ours.items() if theirs.get(n) not in (v, base.get(n))]
    if policy in {"merge", "theirs"} and any(name in event.fields for name in both):
        world.broken("lost update", f"{policy} lets {both} of {draft.ref} be overwritten")
    if policy == "ours" and any(name not in event.fields for name in both):
        world.broken("lost update", f"ours gives {both} of {draft.ref} up")


def i05_cause(world: World, draft_id: str, cause: str) -> None:
    """Check that with a draft falls only what stands on it, and only with a create."""
    draft, root = world.oracle.pending[draft_id], world.oracle.drafts[cause]
    lost = {root.ref, *world.oracle.fallen}
    if root.kind != "create" or not (draft.ref in lost or draft.targets & lost):
        world.broken("I5", f"{draft.kind} {draft.ref} falls with {root.kind} {root.ref}")


def i14_amended(world: World, draft_id: str) -> None:
    """Check that nothing is amended that may have been applied."""
    draft = world.oracle.pending[draft_id]
    if draft.is_sending or draft.held_as == "unknown":
        world.broken("I14", f"{draft.kind} {draft.ref} is amended, and may have been applied")


def i27_tripped(world: World, problem: str) -> None:
    """Check that rejections stop the queue only where there were so many in a row."""
    most = world.scenario.knobs.rejections
    is_row = "in a row were rejected" in problem
    if is_row and (most is None or world.oracle.rejections < most):
        world.broken("I27", f"after {world.oracle.rejections} rejections it is said: {problem}")
