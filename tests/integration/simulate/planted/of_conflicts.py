"""Mistakes about conflicts: of who wins, and of what is known afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal import conflicts, record
from journal.events import ConflictResolved
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.conflicts import Conflict, PolicyName, Verdict
    from journal.events import Entry
    from journal.record import Record


def _deciding(real: Code, named: str) -> object:
    """Return what decides a conflict field by field, and takes ours where a policy is named so."""

    def chosen(
        conflict: Conflict,
        names: Mapping[str, tuple[PolicyName, str]],
        values: Mapping[str, tuple[object, str]],
    ) -> Verdict:
        swapped = {
            field: ("ours" if name == named else name, why) for field, (name, why) in names.items()
        }
        return real(conflict, swapped, values)  # type: ignore[no-any-return]

    return chosen


@plants(conflicts, "chosen", by="lost update", seeds=1)
def merges_by_taking_ours(real: Code) -> object:
    """Where both sides have changed a field, a merge overwrites theirs."""
    return _deciding(real, "merge")


@plants(conflicts, "chosen", by="lost update", seeds=55)
def lets_theirs_lose(real: Code) -> object:
    """The policy that the other side wins writes ours."""
    return _deciding(real, "theirs")


@plants(conflicts, "_of_delete", by="lost update", seeds=227)
def deletes_what_was_edited(real: Code) -> object:
    """A merge carries a delete out, though another writer has changed the record."""

    def decided(conflict: Conflict, name: PolicyName, rule: str) -> Verdict:
        return real(conflict, "ours" if name == "merge" else name, rule)  # type: ignore[no-any-return]

    return decided


@plants(conflicts, "_of_gone", by="lost update", seeds=5)
def makes_again_what_was_deleted(real: Code) -> object:
    """A merge creates a record again that another writer has deleted."""

    def decided(conflict: Conflict, name: PolicyName, rule: str) -> Verdict:
        return real(conflict, "ours" if name == "merge" else name, rule)  # type: ignore[no-any-return]

    return decided


@plants(record, "evolve", by="I26", seeds=4)
def keeps_the_base_of_what_was_resolved(real: Code) -> object:
    """A draft that was resolved is compared with what it was made on at first."""

    def evolve(before: Record, entry: Entry) -> Record:
        after: Record = real(before, entry)
        event = entry.event
        if not isinstance(event, ConflictResolved):
            return after
        old, new = before.change(event.draft_id), after.change(event.draft_id)
        if old is None or new is None:
            return after
        kept = new._replace(base=old.base, base_version=old.base_version, based_at=old.based_at)
        changes = tuple([kept if change is new else change for change in after.changes])
        return after._replace(changes=changes)

    return evolve
