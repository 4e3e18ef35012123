"""Strategies: JSON values, and histories that a journal and its subscriber could have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from journal import record as records
from journal.drafts import Draft, Queue
from journal.errors import RefusedError
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    Entry,
    FieldMessage,
    PushStarted,
    QueueStarted,
    QueueStopped,
    Resolution,
)
from journal.record import (
    CreateRecord,
    DeleteRecord,
    ObserveRecord,
    Record,
    UpdateRecord,
    initial,
)
from journal.testing.strategies import field_names, fields, json_values, refs, texts
from journal.values import Fields, Ref, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from journal.events import ChangeKind, Event, HoldClass, StopCause
    from journal.record import Command

__all__ = [
    "HOLD_CLASSES",
    "REFS",
    "STOP_CAUSES",
    "Step",
    "Story",
    "field_names",
    "fields",
    "histories",
    "json_values",
    "refs",
    "steps",
    "stories",
    "texts",
]

REFS = (Ref("Account:1"), Ref("Account:2"), Ref("Visit:1"))
"""The few records that histories are about, so that they meet."""
HOLD_CLASSES: tuple[HoldClass, ...] = ("rejected", "conflict", "gone", "unknown")
STOP_CAUSES: tuple[StopCause, ...] = ("person", "rejections")

_small_fields = st.dictionaries(
    st.sampled_from(["Name", "Size", "Owner"]),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(0, 2),
        st.sampled_from(["", "a", "Account:1"]),
        st.sampled_from(REFS),
        st.lists(st.sampled_from(REFS), max_size=2),
    ),
    max_size=3,
)


class Story:
    """A history in the making, with the state that its next steps are decided on."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self.entries: list[Entry] = []
        self.records: dict[Ref, Record] = {ref: initial(ref) for ref in (*REFS, QUEUE)}
        self.queue = Queue()

    def append(self, ref: Ref, events: Iterable[Event]) -> None:
        """Append events of a record, each an entry."""
        for event in events:
            position = len(self.entries) + 1
            entry = Entry(
                position,
                position,
                f"e{position}",
                ref,
                self.records[ref].version + 1,
                1_700_000_000_000_000 + position,
                False,  # noqa: FBT003
                "ann",
                "van-7",
                None,
                None,
                None,
                None,
                event,
            )
            self.entries.append(entry)
            self.records[ref] = records.evolve(self.records[ref], entry)
            self.queue.apply(entry)

    def do(self, command: Command) -> bool:
        """Carry out the command as a journal would; say whether it led to events."""
        try:
            events = records.decide(self.records[command.ref], command, self.targets(command))
        except RefusedError:
            return False
        self.append(command.ref, events)
        return bool(events)

    def targets(self, command: Command) -> dict[Ref, Record]:
        """Return the records that the fields of the command refer to."""
        match command:
            case CreateRecord(fields=given) | UpdateRecord(changes=given):
                return {target: self.records[target] for _, target in references(given)}
            case _:
                return {}

    def change(self, draft: Draft) -> records.Change:
        """Return the pending change that is the draft."""
        change = self.records[draft.ref].change(draft.draft_id)
        assert change is not None
        return change


class Step(NamedTuple):
    """One step of a story; what it does where that is possible, and nothing otherwise."""

    verb: str
    ref: Ref
    fields: Fields
    number: int
    flag: bool

    def take(self, story: Story) -> None:
        """Take the step."""
        _VERBS[self.verb](self, story)

    def create(self, story: Story) -> None:
        """Create the record."""
        story.do(CreateRecord(self.ref, self.fields))

    def update(self, story: Story) -> None:
        """Update the record."""
        story.do(UpdateRecord(self.ref, self.fields))

    def delete(self, story: Story) -> None:
        """Delete the record."""
        story.do(DeleteRecord(self.ref))

    def observe(self, story: Story) -> None:
        """Observe the remote's state of the record; once in a while, that it is gone."""
        version = f"v{self.number}" if self.flag else None
        seen = None if self.number == 0 else self.fields
        partial = self.number % 2 == 1
        story.do(ObserveRecord(self.ref, seen, f"r-{self.ref.id}", version, partial))

    def push(self, story: Story) -> None:
        """Begin to send the next draft."""
        draft = story.queue.next_to_send()
        if draft is not None:
            event = PushStarted(draft_id=draft.draft_id, revision=draft.revision)
            story.append(draft.ref, [event])

    def acknowledge(self, story: Story) -> None:
        """Acknowledge the draft that is being sent, with or without the remote's fields."""
        draft = story.queue.next_to_send()
        if draft is None or draft.state != "sending":
            return
        remote = story.records[draft.ref].remote.fields
        shown = {**remote, **draft.fields, "Number": self.number}
        event = DraftAcknowledged(
            draft_id=draft.draft_id,
            remote_id=f"r-{draft.ref.id}",
            remote_version=f"v{self.number}" if self.flag else None,
            evidence="answer",
            fields=shown if self.number % 2 and draft.kind != "delete" else None,
            references=tuple(f"/fields{place}" for place, _ in references(shown))
            if self.number % 2 and draft.kind != "delete"
            else (),
        )
        story.append(draft.ref, [event])

    def hold(self, story: Story) -> None:
        """Hold the draft that is being sent."""
        draft = story.queue.next_to_send()
        if draft is None or draft.state != "sending":
            return
        event = DraftHeld(
            draft_id=draft.draft_id,
            classification=HOLD_CLASSES[self.number % 4],
            messages=(FieldMessage(field="Name", message="is taken"),) if self.flag else (),
            status=409,
        )
        story.append(draft.ref, [event])

    def settle(self, story: Story) -> None:
        """Retry, amend, resolve or discard a draft, most often one that is held."""
        drafts = [draft for draft in story.queue if draft.state == "held" or self.flag]
        drafts = [draft for draft in drafts if draft.state != "sending"]
        if not drafts:
            return
        draft = drafts[self.number % len(drafts)]
        places = tuple(f"/fields{place}" for place, _ in references(self.fields))
        revision = draft.revision + 1
        held = draft.state == "held"
        if self.number % 4 == 0 and held:
            story.append(draft.ref, [DraftRetried(draft_id=draft.draft_id)])
        elif self.number % 4 == 1 and draft.kind != "delete":
            event = DraftAmended(
                draft_id=draft.draft_id, revision=revision, fields=self.fields, references=places
            )
            story.append(draft.ref, [event])
        elif self.number % 4 == 2 and held and draft.kind != "delete":
            kinds: tuple[ChangeKind | None, ...] = (draft.kind, "update", None)
            resolved = ConflictResolved(
                draft_id=draft.draft_id,
                revision=revision,
                base={},
                ours={},
                theirs={"Size": 1} if self.flag else None,
                resolutions=(Resolution(field="Size", side="ours", rule="ours"),),
                kind=kinds[self.number % 3] if self.flag else "create",
                fields=self.fields,
                remote_version=f"v{self.number}",
                references=places,
            )
            story.append(draft.ref, [resolved])
        else:
            self._discard(story, draft)

    def switch(self, story: Story) -> None:
        """Stop the queue, or start it again."""
        if story.queue.switch.stop is None:
            cause = STOP_CAUSES[self.flag]
            story.append(QUEUE, [QueueStopped(cause=cause, problem="x" * self.number)])
        else:
            story.append(QUEUE, [QueueStarted()])

    def _discard(self, story: Story, draft: Draft) -> None:
        """Discard the draft, and with a create all that stands on it."""
        fallen = {draft.ref} if draft.kind == "create" else set()
        story.append(draft.ref, [DraftDiscarded(draft_id=draft.draft_id)])
        for other in list(story.queue):
            if other.position > draft.position and fallen & {other.ref, *other.targets}:
                if other.kind == "create":
                    fallen.add(other.ref)
                event = DraftDiscarded(draft_id=other.draft_id, cause=draft.draft_id)
                story.append(other.ref, [event])


_VERBS: dict[str, Callable[[Step, Story], None]] = {
    "create": Step.create,
    "update": Step.update,
    "delete": Step.delete,
    "observe": Step.observe,
    "push": Step.push,
    "acknowledge": Step.acknowledge,
    "hold": Step.hold,
    "settle": Step.settle,
    "switch": Step.switch,
}

_WEIGHTS = {"create": 2, "update": 3, "push": 3, "acknowledge": 2, "settle": 2}

steps = st.builds(
    Step,
    st.sampled_from([verb for verb in _VERBS for _ in range(_WEIGHTS.get(verb, 1))]),
    st.sampled_from(REFS),
    _small_fields,
    st.integers(0, 7),
    st.booleans(),
)


def _told(taken: list[Step]) -> Story:
    story = Story()
    for step in taken:
        step.take(story)
    return story


stories = st.lists(steps, min_size=20, max_size=60).map(_told)
"""Stories with their entries, and with the state that they lead to."""
histories = stories.map(lambda story: story.entries)
"""The entries of a log, in order."""
