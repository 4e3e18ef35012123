"""Mistakes of the commands: of what is decided, and of how it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal import decisions, record
from journal.events import DraftAmended, RecordObserved
from journal.staging import Staging
from journal.values import references
from journal.writer import Writer
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from journal.drafts import Draft
    from journal.events import Entry, Event
    from journal.log import Fence
    from journal.record import Change, Record, Remote
    from journal.staging import Step
    from journal.values import Fields, Ref


@plants(Writer, "carry_out", by="I5", seeds=1)
def stores_the_changes_of_a_batch_one_by_one(real: Code) -> object:
    """Each change of a batch is an append of its own, so that a crash leaves half of it."""

    def carry_out(
        self: Writer,
        steps: Sequence[Step],
        staged: Staging | None = None,
        fence: Fence | None = None,
    ) -> list[Entry]:
        if staged is None:
            return real(self, steps, staged, fence)  # type: ignore[no-any-return]
        return [entry for step in steps for entry in real(self, [step], None, fence)]

    return carry_out


@plants(Staging, "stage", by="I6", seeds=15)
def ignores_the_expected_version(real: Code) -> object:
    """A change is stored on another version of the record than its author has seen."""
    return lambda self, step, new_id: real(self, step._replace(expected_version=None), new_id)


@plants(Writer, "_refresh", by="I8, I14, I26, I9", seeds=15)
def moves_on_without_reading(real: Code) -> object:
    """Where another writer was faster, only the version is made to fit, and not the record."""

    def refresh(self: Writer, refs: Sequence[Ref]) -> bool:
        before = {ref: self._records[ref] for ref in refs if ref in self._records}
        has_moved: bool = real(self, refs)
        for ref, stale in before.items():
            self._records[ref] = stale._replace(version=self._records[ref].version)
        return has_moved

    return refresh


@plants(record, "_decide_create", by="I4", seeds=6)
def stores_a_repeated_create_again(real: Code) -> object:
    """A create that is tried again after a crash, with its id, is a second create."""

    def decide(there: Record, fields: Fields, targets: Mapping[Ref, Record]) -> object:
        anew = record.initial(there.ref) if there.changes else there
        return real(anew, fields, targets)

    return decide


@plants(record, "evolve", by="I8, I10", seeds=1)
def hides_pending_changes_behind_a_sighting(real: Code) -> object:
    """What a pull shows of a record lies over the changes that are not sent yet."""

    def evolve(before: Record, entry: Entry) -> Record:
        after: Record = real(before, entry)
        if isinstance(entry.event, RecordObserved) and entry.event.exists:
            return after._replace(fields=after.remote.fields)
        return after

    return evolve


@plants(record, "evolve", by="I8, I10, I26", seeds=1)
def loses_pending_changes_to_a_sighting(real: Code) -> object:
    """What a pull shows of a record takes the place of the changes that are not sent yet."""

    def evolve(before: Record, entry: Entry) -> Record:
        after: Record = real(before, entry)
        if isinstance(entry.event, RecordObserved) and entry.event.exists:
            return after._replace(fields=after.remote.fields, changes=())
        return after

    return evolve


@plants(decisions, "amend", by="I15", seeds=45)
def uses_a_revision_again(real: Code) -> object:
    """An amended draft keeps its revision, and so its key, with another content."""

    def amend(
        there: Record, change: Change, fields: Fields, targets: Mapping[Ref, Record]
    ) -> tuple[Event, ...]:
        events: tuple[Event, ...] = real(there, change, fields, targets)
        same = {"revision": change.revision}
        return tuple(
            [e.model_copy(update=same) if isinstance(e, DraftAmended) else e for e in events]
        )

    return amend


@plants(decisions, "amendable", by="I14", seeds=20)
def amends_what_is_under_way(_: Code) -> object:
    """A draft is amended though a request of it may have been applied."""
    return decisions.pending


@plants(decisions, "falling", by="I5", seeds=193)
def leaves_what_stands_on_a_discarded_create(real: Code) -> object:
    """A create is discarded, and what changes that record or refers to it stays in the queue."""

    def falling(drafts: Iterable[Draft], draft_id: str) -> tuple[Draft, ...]:
        return real(drafts, draft_id)[:1]  # type: ignore[no-any-return]

    return falling


@plants(record, "_in_state", by="I21", seeds=29)
def retries_without_the_doubt(real: Code) -> object:
    """A draft that is held, as nobody knows whether it was applied, is sent again as if new."""

    def in_state(before: Record, entry: Entry, event: object) -> Record:
        after: Record = real(before, entry, event)
        sure = tuple([c._replace(is_doubted=False, first_sent_at=None) for c in after.changes])
        return after._replace(changes=sure)

    return in_state


@plants(decisions, "is_maybe_applied", by="I14", seeds=205)
def takes_what_is_held_in_doubt_for_refused(_: Code) -> object:
    """What is held as unknown is amended, and discarded by nobody who insists."""
    return lambda change: change.state == "sending"


@plants(decisions, "falling", by="I5", seeds=44)
def fells_what_stands_on_an_update(real: Code) -> object:
    """With an update fall the later drafts of its record, and those that refer to it."""

    def falling(pending: Iterable[Draft], draft_id: str) -> tuple[Draft, ...]:
        listed = [draft._replace(kind="create") for draft in pending]
        return real(listed, draft_id)  # type: ignore[no-any-return]

    return falling


@plants(record, "_relaid", by="I8", seeds=23)
def forgets_what_is_gone_there(real: Code) -> object:
    """Of a record that is gone there, what was changed here lies over nothing any more."""

    def relaid(before: Record, version: int, remote: Remote, changes: tuple[Change, ...]) -> Record:
        left = remote if remote.exists else remote._replace(fields={})
        after: Record = real(before, version, left, changes)
        return after._replace(remote=remote)

    return relaid


@plants(record, "_decide_delete", by="I8", seeds=6)
def deletes_what_nobody_saw(real: Code) -> object:
    """A delete says what the remote has, and not what its author saw."""

    def decide(there: Record) -> tuple[Event, ...]:
        events: tuple[Event, ...] = real(there)
        base = there.remote.fields
        left = {"base": base, "references": record.within("base", [p for p, _ in references(base)])}
        return tuple([event.model_copy(update=left) for event in events])

    return decide


@plants(record, "_decide_update", by="I8, I14, I22", seeds=1)
def forgets_what_a_change_was_made_on(real: Code) -> object:
    """An update does not say which values it has replaced."""

    def decide(there: Record, changes: Fields, targets: Mapping[Ref, Record]) -> tuple[Event, ...]:
        events: tuple[Event, ...] = real(there, changes, targets)
        left = {"base": {}, "references": record.within("changes", places(changes))}
        return tuple([event.model_copy(update=left) for event in events])

    def places(changes: Fields) -> list[str]:
        return [place for place, _ in references(changes)]

    return decide
