"""Conflicts, over random histories: we and others write the same records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal import Journal, Ref
from journal.errors import RefusedError
from journal.events import ConflictResolved, RecordCreated, RecordDeleted, RecordUpdated
from journal.policies import Policies
from tests.unit.foreign import Shared
from tests.unit.scripted import Script

if TYPE_CHECKING:
    from journal.conflicts import PolicyName
    from journal.remotes.remote import Push

REFS = (Ref("Account:1"), Ref("Account:2"))
VERBS = (
    *("create", "update", "update", "update", "delete", "drain", "settle", "pull"),
    *("their-edit", "their-edit", "their-edit", "their-delete"),
)
fields = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), min_size=1, max_size=3)


class Step(NamedTuple):
    """One step of a history."""

    verb: str
    ref: Ref
    fields: dict[str, int]
    number: int


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(VERBS),
        st.sampled_from(REFS),
        fields,
        st.integers(0, 7),
    ),
    min_size=4,
    max_size=30,
)


class World:
    """A journal, a service that is written to by others, and what sends in between."""

    def __init__(self, journal: Journal, policies: Policies, choices: tuple[str, ...]) -> None:
        """Begin with both empty."""
        self.journal = journal
        self.shared = Shared()
        self.script = Script(journal, self.shared, conflicts=policies)
        self.choices = choices

    def take(self, step: Step) -> None:
        """Take the step, where it can be taken."""
        try:
            match step.verb:
                case "create":
                    self.journal.create(step.ref.type, step.fields, id=step.ref.id)
                case "update":
                    self.journal.update(step.ref, step.fields)
                case "delete":
                    self.journal.delete(step.ref)
                case "their-edit":
                    self.shared.write(step.ref, dict(step.fields))
                case "their-delete":
                    self.shared.write(step.ref, None)
                case "drain":
                    self.script.drain()
                case "settle":
                    self.settle(step.number)
                case _:
                    self.pull(step.ref)
        except RefusedError:
            pass

    def pull(self, ref: Ref) -> None:
        """Observe what the service has."""
        found = self.shared.stored.get(ref)
        if found is not None:
            self.journal.observe(ref, found.fields, remote_version=found.version)
        elif self.journal.load(ref).version:
            self.journal.observe(ref, None)

    def settle(self, number: int) -> None:
        """Decide the held drafts, one as the other."""
        for ref in REFS:
            for change in self.journal.load(ref).changes:
                if change.state == "held":
                    self.decide(change.draft_id, self.choices[number % len(self.choices)])

    def decide(self, draft_id: str, choice: str) -> None:
        """Decide one held draft."""
        try:
            if choice == "discard":
                self.journal.discard(draft_id)
            else:
                self.journal.resolve(draft_id, choice)  # type: ignore[arg-type]
        except RefusedError:
            self.journal.discard(draft_id)

    def finish(self, number: int) -> None:
        """Send and decide until nothing is left."""
        for _ in range(200):
            if not self.script.drain().pending:
                return
            self.settle(number)
        raise AssertionError("it is never drained")


def told(
    history: list[Step], policies: Policies, choices: tuple[str, ...]
) -> tuple[World, list[Any]]:
    """Return what a history leads to, drained, and what is in the log."""
    with Journal(actor="ann", origin="van-7") as journal:
        world = World(journal, policies, choices)
        for step in history:
            world.take(step)
        world.finish(len(history))
        for ref in REFS:
            found = world.shared.stored.get(ref)
            record = journal.load(ref)
            assert record.changes == ()
            if found is not None and record.remote.version == found.version:
                assert record.fields == found.fields, journal.log.read()
            world.pull(ref)
            assert journal.load(ref).fields == (None if found is None else found.fields)
        return world, journal.log.read(limit=10_000)


@pytest.mark.parametrize("default", ["merge", "ours", "theirs", "hold"])
@given(history=steps)
@settings(max_examples=150)
def test_everything_is_drained_and_equal(default: PolicyName, history: list[Step]) -> None:
    """Whatever the policy, all is drained in the end, and the remote has what is here."""
    told(history, Policies(default=default), ("theirs", "ours", "merge", "discard"))


@given(history=steps)
@settings(max_examples=400)
def test_nothing_unseen_is_overwritten(history: list[Step]) -> None:
    """Unless somebody decides for ours, no foreign value is written over that was never seen here.

    Seen is what stood in the record when a change was made: what is in its base, or nothing where
    the field is not. A delete that follows an acknowledgement of ours is about the record as that
    left it, and any delete takes along what was not in the record then: the service may have
    added it, such as a date.
    """
    world, log = told(history, Policies(default="merge"), ("theirs", "discard"))

    for push, name, value in world.shared.overwritten:
        if push.kind == "delete" and push.is_after_receipt:
            continue
        made = [e.event for e in log if e.stream == push.ref and e.position <= _position(push)]
        bases = [e.base for e in made if isinstance(e, RecordUpdated | RecordDeleted)]
        seen = [base[name] for base in bases if name in base]
        assert value in seen or (push.kind == "delete" and not seen)


def _position(push: Push) -> int:
    change = push.record.change(push.draft_id)
    assert change is not None
    return change.position


@given(history=steps)
@settings(max_examples=150)
def test_a_decision_says_all(history: list[Step]) -> None:
    """Each resolution has base, ours and theirs, and a rule for every field of the draft."""
    _, log = told(history, Policies(default="ours"), ("ours",))

    drafts = {e.event_id: e.event for e in log}
    for entry in log:
        event = entry.event
        if isinstance(event, ConflictResolved):
            original = drafts[event.draft_id]
            assert isinstance(original, RecordCreated | RecordUpdated | RecordDeleted)
            assert {each.field for each in event.resolutions} >= event.ours.keys()
            assert all(each.rule for each in event.resolutions)
            assert entry.reason or entry.actor == "ann"
