"""The queue of pending drafts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.drafts import STARTED, Draft, Hold, Queue, Stop, Switch, blockers, draft_id_of, evolve
from journal.errors import DraftMissingError
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
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)
from journal.explanation import Status, explain, explained, status_of, stop_text
from journal.values import Ref
from tests import strategies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.drafts import OnHeld
    from journal.events import ChangeKind, Event, HoldClass
    from tests.strategies import Story

ACME = Ref("Account:1")
BOLT = Ref("Account:2")
VISIT = Ref("Visit:1")
TAKEN = DraftHeld(
    draft_id="e1",
    classification="rejected",
    messages=(FieldMessage(field="Name", message="is taken"), FieldMessage(message="try later")),
    status=409,
    answer="{}",
)
HELD = DraftHeld(draft_id="e2", classification="rejected")

WHY = "rejected (Name: is taken; try later)"
BEHIND = (
    f"waits behind the create of Account:1, which is held: {WHY}; "
    "it waits for a decision on that draft"
)
SENT = "was sent and its outcome is not known yet; it is being resolved"


def log(*events: tuple[Ref, Event]) -> list[Entry]:
    """Return the events as entries with ids ``e1``, ``e2`` ..."""
    return [
        Entry(n, n, f"e{n}", ref, n, n, False, "ann", "van-7", None, None, "why", None, event)  # noqa: FBT003
        for n, (ref, event) in enumerate(events, 1)
    ]


def queue(*events: tuple[Ref, Event]) -> Queue:
    """Return the queue after the events."""
    found = Queue()
    for entry in log(*events):
        found.apply(entry)
    return found


def created(**fields: object) -> RecordCreated:
    """Return a create, with a reference wherever a field is one."""
    places = tuple(f"/fields/{name}" for name, value in fields.items() if type(value) is Ref)
    return RecordCreated(fields=fields, references=places)


def naive_next(drafts: Iterable[Draft], on_held: OnHeld, *, binds: bool = False) -> Draft | None:
    """Return the next to be sent by the letter of Q2, Q3 and Q6: an oracle, slow and plain."""
    drafts = sorted(drafts, key=lambda draft: draft.position)
    blocked = {draft.draft_id for draft in drafts if draft.state == "held"}
    while True:
        grown = blocked | {
            later.draft_id
            for earlier in drafts
            for later in drafts
            if earlier.position < later.position
            and earlier.draft_id in blocked
            and earlier.ref in {later.ref, *later.targets}
        }
        held_up = {draft.batch for draft in drafts if draft.draft_id in grown}
        grown |= {draft.draft_id for draft in drafts if binds and draft.batch in held_up}
        if grown == blocked:
            break
        blocked = grown
    for draft in drafts:
        if draft.draft_id not in blocked:
            return draft
        if on_held == "stop":
            return None
    return None


class TestEvolve:
    """One draft, after an entry that is about it."""

    def test_begins_with_a_change(self) -> None:
        """Each change is a draft, with what the log says of it."""
        history = log(
            (VISIT, created(Account=ACME, Also=ACME, Name="x")),
            (ACME, RecordUpdated(changes={"Name": "Acme"}, base={"Name": ""})),
            (BOLT, RecordDeleted(base={"Owner": ACME}, references=("/base/Owner",))),
        )

        assert [evolve(None, entry) for entry in history] == [
            Draft(
                "e1",
                1,
                VISIT,
                "create",
                1,
                "ann",
                "why",
                {"Account": ACME, "Also": ACME, "Name": "x"},
                (ACME,),
                batch=1,
            ),
            Draft("e2", 2, ACME, "update", 2, "ann", "why", {"Name": "Acme"}, batch=2),
            Draft("e3", 3, BOLT, "delete", 3, "ann", "why", {}, batch=3),
        ]

    def test_push_is_counted(self) -> None:
        """From its push on, a draft is maybe applied."""
        (draft,) = queue((ACME, created()), *[(ACME, PushStarted(draft_id="e1"))] * 2)

        assert (draft.state, draft.pushes, draft.is_maybe_applied) == ("sending", 2, True)

    def test_hold_keeps_its_reason(self) -> None:
        """A held draft says why."""
        (draft,) = queue((ACME, created()), (ACME, TAKEN))

        assert draft.state == "held"
        assert draft.hold == Hold("rejected", TAKEN.messages, 409, "{}")
        assert not draft.is_maybe_applied

    def test_retry_ends_the_hold(self) -> None:
        """A draft that is retried is pending as it was."""
        (draft,) = queue((ACME, created(a=1)), (ACME, TAKEN), (ACME, DraftRetried(draft_id="e1")))

        assert (draft.state, draft.hold, draft.fields, draft.revision) == (
            "pending",
            None,
            {"a": 1},
            0,
        )

    @pytest.mark.parametrize(
        "event",
        [
            DraftAmended(
                draft_id="e1", revision=1, fields={"To": BOLT}, references=("/fields/To",)
            ),
            ConflictResolved(
                draft_id="e1",
                revision=1,
                base={},
                ours={},
                theirs=None,
                resolutions=(),
                kind="create",
                fields={"To": BOLT},
                references=("/fields/To",),
            ),
        ],
    )
    def test_amended_draft_refers_to_what_it_now_holds(self, event: Event) -> None:
        """An amended or resolved draft has other fields, other targets and the next revision."""
        (draft,) = queue((VISIT, created(To=ACME)), (VISIT, TAKEN), (VISIT, event))

        assert (draft.state, draft.hold, draft.revision, draft.fields, draft.targets) == (
            "pending",
            None,
            1,
            {"To": BOLT},
            (BOLT,),
        )

    def test_a_resolved_create_may_be_an_update(self) -> None:
        """A resolution says what the draft is from now on; an amendment leaves its kind."""
        resolved = ConflictResolved(
            draft_id="e1",
            revision=1,
            base={},
            ours={},
            theirs={},
            resolutions=(),
            kind="update",
            fields={},
            remote_version=None,
        )
        amended = DraftAmended(draft_id="e1", revision=2, fields={})

        kinds = [
            draft.kind
            for event in (resolved, amended)
            for draft in queue((ACME, created()), (ACME, event))
        ]

        assert kinds == ["update", "create"]

    @pytest.mark.parametrize(
        "event",
        [
            PushStarted(draft_id="e1"),
            TAKEN,
            DraftRetried(draft_id="e1"),
            DraftAmended(draft_id="e1", revision=1, fields={}),
        ],
    )
    def test_ended_draft_stays_ended(self, event: Event) -> None:
        """Q1: nothing brings back a draft that has ended."""
        ended = queue((ACME, created()), (ACME, DraftDiscarded(draft_id="e1")), (ACME, event))

        assert list(ended) == []

    def test_observation_is_about_no_draft(self) -> None:
        """An observation is about no draft, and leaves every one as it is."""
        (entry,) = log((ACME, RecordObserved(exists=False)))
        (draft,) = queue((ACME, created()))

        assert draft_id_of(entry) is None
        assert evolve(draft, entry) == draft


class TestQueue:
    """The drafts in order."""

    def test_gives_a_draft_by_its_id(self) -> None:
        """A pending draft is found by its id; another id is an error that says what to do."""
        found = queue((ACME, created()))

        assert found["e1"].ref == ACME
        with pytest.raises(DraftMissingError, match="no pending draft has the id 'e9'; it may"):
            found["e9"]

    def test_gives_what_is_passed_over(self) -> None:
        """A draft that others have passed is found by its id like any other."""
        found = queue((ACME, created()), (ACME, TAKEN), (BOLT, created()))
        assert found.next_to_send() == found["e3"]

        assert (found["e1"].state, found["e1"].ref) == ("held", ACME)
        with pytest.raises(DraftMissingError):
            found["e9"]

    def test_entry_that_was_applied_changes_nothing(self) -> None:
        """An entry is folded in once, however often it is applied."""
        create, push = log((ACME, created()), (ACME, PushStarted(draft_id="e1")))
        found = Queue()
        for entry in (create, push, push, create):
            found.apply(entry)

        assert [draft.pushes for draft in found] == [1]
        assert found.position == 2

    def test_lane_is_held_along_references(self) -> None:
        """Q3: what refers to a held lane is held, and what refers to that, and what follows it."""
        report = Ref("Report:1")
        found = queue(
            (ACME, created()),
            (VISIT, created(To=ACME)),
            (report, created(On=VISIT)),
            (report, RecordUpdated(changes={"a": 1}, base={})),
            (BOLT, created()),
            (ACME, TAKEN),
        )

        held = {draft.draft_id: blocker and blocker.draft_id for draft, blocker in blockers(found)}

        assert held == {"e1": "e1", "e2": "e1", "e3": "e1", "e4": "e1", "e5": None}
        assert found.next_to_send() == found["e5"]
        assert found.next_to_send("stop") is None

    def test_nothing_waits_for_a_draft_behind_it(self) -> None:
        """Q3: where a held draft stops everything, that is everything behind it."""
        found = queue((ACME, created()), (BOLT, created()), (VISIT, created()))
        found.apply(Entry(4, 4, "e4", BOLT, 4, 4, False, "ann", "v", None, None, None, None, HELD))  # noqa: FBT003

        behind = {draft.draft_id: blocker for draft, blocker in blockers(found, "stop")}

        assert behind == {"e1": None, "e2": found["e2"], "e3": found["e2"]}

    def test_lane_is_what_comes_after(self) -> None:
        """Q3: what was made before a held draft does not wait for it."""
        found = queue(
            (ACME, created()),
            (VISIT, created(To=ACME)),
            (ACME, RecordUpdated(changes={"a": 1}, base={})),
            (ACME, DraftAcknowledged(draft_id="e1", evidence="answer")),
            (ACME, TAKEN.model_copy(update={"draft_id": "e3"})),
        )

        assert found.next_to_send() == found["e2"]

    def test_held_drafts_do_not_go_together(self) -> None:
        """Q3: a held draft is passed by those of other lanes, or by nothing at all."""
        found = queue(
            (BOLT, created()),
            (ACME, created()),
            (VISIT, created(To=ACME)),
            (Ref("Report:1"), created()),
            (ACME, TAKEN.model_copy(update={"draft_id": "e2"})),
        )

        assert found.next_together(9) == [found["e1"], found["e4"]]
        assert found.next_together(9, "stop") == [found["e1"]]

    def test_what_was_passed_over_may_be_next_again(self) -> None:
        """A held draft that is to be sent again, or ends, is looked at anew, with its lane."""
        retried, ended = DraftRetried(draft_id="e1"), DraftDiscarded(draft_id="e1")
        for event, following in ((retried, "e1"), (ended, "e3")):
            entries = log(
                (ACME, created()), (ACME, TAKEN), (VISIT, created(To=ACME)), (BOLT, created())
            )
            found = Queue()
            for entry in entries:
                found.apply(entry)
            assert found.next_to_send() == found["e4"]

            found.apply(entries[0]._replace(position=5, event_id="e5", event=event))

            assert found.next_to_send() == found[following]
            assert (found.held, len(found)) == (0, 3 if event is retried else 2)

    def test_counts_what_is_held(self) -> None:
        """A draft is held until it is retried, amended, resolved or ended, and then no more."""
        amended = DraftAmended(draft_id="e1", revision=1, fields={})
        moot = ConflictResolved(
            draft_id="e1",
            revision=2,
            base={},
            ours={},
            theirs={},
            resolutions=(),
            kind=None,
            fields={},
            remote_version=None,
        )
        events: list[Event] = [TAKEN, TAKEN, DraftRetried(draft_id="e1"), TAKEN, amended, TAKEN]
        log_of = [(ACME, event) for event in (created(), *events, moot)]

        counts = [(found.held, len(found)) for n in range(9) for found in [queue(*log_of[:n])]]

        assert counts == [(0, 0), (0, 1), (1, 1), (1, 1), (0, 1), (1, 1), (0, 1), (1, 1), (0, 0)]

    def test_what_may_be_applied_goes_alone(self) -> None:
        """Q5: a draft whose outcome is unknown is looked up by itself, wherever it stands."""
        names = (Ref("Report:1"), Ref("Report:2"), Ref("Report:3"))
        events = [(ref, created()) for ref in names]
        first = queue(*events, (names[0], PushStarted(draft_id="e1")))
        second = queue(*events, (names[1], PushStarted(draft_id="e2")))

        assert first.next_together(9) == [first["e1"]]
        assert second.next_together(9) == [second["e1"]]
        assert first.next_together(9, unsent={"e1"}) == [first[f"e{n}"] for n in (1, 2, 3)]
        assert second.next_together(9, unsent={"e2"}) == [second[f"e{n}"] for n in (1, 2, 3)]
        assert second.next_together(2, unsent={"e2"}) == [second["e1"], second["e2"]]

    def test_nothing_goes_together_behind_a_held_draft(self) -> None:
        """Q3: where a held draft stops everything, nothing is next behind it."""
        found = queue((ACME, created()), (BOLT, created()), (ACME, TAKEN))

        assert found.next_together(9) == [found["e2"]]
        assert found.next_together(9, "stop") == []

    def test_low_water_is_before_the_first_draft(self) -> None:
        """Every change up to the low-water mark is settled."""
        receipt = DraftAcknowledged(draft_id="e2", evidence="answer")

        assert Queue().low_water == 0
        assert queue((ACME, RecordObserved(exists=False)), (ACME, created())).low_water == 1
        assert (
            queue(
                (ACME, RecordObserved(exists=False)), (ACME, created()), (ACME, receipt)
            ).low_water
            == 3
        )

    def test_goes_on_from_its_drafts(self) -> None:
        """A queue that begins with kept drafts goes on as the one that they were kept from."""
        kept = queue((ACME, created()), (VISIT, created(To=ACME)), (BOLT, created()), (ACME, TAKEN))

        found = Queue(kept, kept.position)

        assert (list(found), found.position, found.held) == (list(kept), 4, 1)
        assert found.next_to_send() == found["e3"]


class TestExplain:
    """One sentence for each state: what, why, and what would unblock it."""

    @pytest.mark.parametrize(
        ("draft_id", "sentence"),
        [
            (
                "e1",
                (
                    f"the create of Account:1 is held: {WHY}; it waits for a decision: "
                    "amend it, retry it, or discard it; 2 drafts wait behind it"
                ),
            ),
            ("e2", f"the update of Account:1 {BEHIND}"),
            ("e3", f"the create of Visit:1 {BEHIND}"),
            ("e4", f"the create of Account:2 {SENT}"),
            ("e5", "the update of Account:2 waits for its turn behind 1 draft"),
            ("e6", "the delete of Account:2 waits for its turn behind 2 drafts"),
        ],
    )
    def test_says_what_it_waits_for(self, draft_id: str, sentence: str) -> None:
        """Q3 in words: a hold is told along the lane."""
        found = queue(
            (ACME, created()),
            (ACME, RecordUpdated(changes={"a": 1}, base={})),
            (VISIT, created(To=ACME)),
            (BOLT, created()),
            (BOLT, RecordUpdated(changes={"a": 1}, base={})),
            (BOLT, RecordDeleted(base={})),
            (ACME, TAKEN),
            (BOLT, PushStarted(draft_id="e4")),
        )

        assert explain(found, draft_id) == sentence

    def test_says_that_it_is_the_next(self) -> None:
        """The first of the queue waits for nothing."""
        found = queue((ACME, created()))

        assert explain(found, "e1") == "the create of Account:1 is the next to be sent"

    @pytest.mark.parametrize(
        ("hold", "words"),
        [
            (Hold("gone", (), 404, ""), "is held: gone; it waits"),
            (
                Hold(
                    "rejected",
                    (
                        FieldMessage(message="no"),
                        FieldMessage(field="A", message="is kept by us"),
                        FieldMessage(field="B", message="is kept by us"),
                        FieldMessage(field="B", message="is kept by us", code="K"),
                        FieldMessage(field="C", message="is odd"),
                    ),
                    400,
                    "",
                ),
                "is held: rejected (no; A, B: is kept by us; C: is odd); it waits",
            ),
            (None, "is held: for a reason that was not recorded; it waits"),
        ],
    )
    def test_hold_without_words(self, hold: Hold | None, words: str) -> None:
        """A hold without messages is told by its class; one without a record of it says so."""
        draft = Draft("e1", 1, ACME, "create", 1, "ann", None, {}, state="held", hold=hold)

        assert words in explain(Queue([draft]), "e1")

    def test_says_who_stopped_the_queue(self) -> None:
        """Q5 in words: while the queue is stopped, what is not held waits for that."""
        stopped = QueueStopped(cause="rejections", problem="5 in a row")
        found = queue((ACME, created()), (BOLT, created()), (ACME, TAKEN), (QUEUE, stopped))

        assert explain(found, "e1").endswith("amend it, retry it, or discard it")
        assert explain(found, "e2") == (
            "the create of Account:2 waits until the queue is started: "
            "it was stopped by ann (5 in a row; why)"
        )

    def test_says_what_stops_everything(self) -> None:
        """Where a held draft stops the queue, the drafts of other lanes wait for it as well."""
        found = queue((ACME, created()), (BOLT, created()), (ACME, TAKEN))

        behind = BEHIND.replace("waits behind", "waits, as nothing passes a held draft, behind")
        assert explain(found, "e2", "stop") == f"the create of Account:2 {behind}"
        assert explain(found, "e2") == "the create of Account:2 is the next to be sent"

    def test_unknown_draft_is_refused(self) -> None:
        """A draft that is not in the queue has no reason to wait."""
        with pytest.raises(DraftMissingError, match="e2"):
            explain(queue((ACME, created())), "e2")


class TestProperties:
    """The invariants, over random histories."""

    @given(strategies.histories)
    def test_draft_is_there_until_it_is_settled(self, history: list[Entry]) -> None:
        """Q1: the queue holds exactly the changes that are neither acknowledged nor discarded."""
        found = Queue()
        expected: list[str] = []
        for entry in history:
            found.apply(entry)
            match entry.event:
                case RecordCreated() | RecordUpdated() | RecordDeleted():
                    expected.append(entry.event_id)
                case (
                    DraftAcknowledged(draft_id=draft_id)
                    | DraftDiscarded(draft_id=draft_id)
                    | ConflictResolved(draft_id=draft_id, kind=None)
                ):
                    expected.remove(draft_id)
                case _:
                    pass

            assert [draft.draft_id for draft in found] == expected
            assert len(found) == len(expected)
            assert found.held == sum(draft.state == "held" for draft in found)

    @given(strategies.histories)
    def test_next_is_the_first_that_nothing_holds(self, history: list[Entry]) -> None:
        """Q2, Q3: the next to be sent is the one that the plain reading of the rules names."""
        found = Queue()
        for entry in history:
            found.apply(entry)
            drafts = list(found)

            assert [d.position for d in drafts] == sorted(d.position for d in drafts)
            for on_held in ("lane", "stop"):
                expected = None if found.switch.stop else naive_next(drafts, on_held)
                assert found.next_to_send(on_held) == expected

    @given(strategies.histories, st.integers(1, 3))
    def test_next_together_are_the_first_that_nothing_holds(
        self, history: list[Entry], most: int
    ) -> None:
        """Q2, Q3: those that go together would each be the next, were those before it settled."""
        found = Queue()
        for entry in history:
            found.apply(entry)
        for on_held in ("lane", "stop"):
            following = found.next_to_send(on_held)

            together = found.next_together(most, on_held)

            assert together[:1] == ([] if following is None else [following])
            assert len(together) <= most
            left = list(found)
            for draft in together:
                assert naive_next(left, on_held) == draft
                assert len(together) == 1 or not draft.is_maybe_applied
                left.remove(draft)
            if 0 < len(together) < most and not together[0].is_maybe_applied:
                after = naive_next(left, on_held)
                assert after is None or after.is_maybe_applied

    @given(strategies.histories)
    def test_what_was_begun_but_not_sent_goes_together(self, history: list[Entry]) -> None:
        """A draft that was begun, and of which no request has left, need not go alone."""
        found = Queue()
        for entry in history:
            found.apply(entry)
        begun = {draft.draft_id for draft in found if draft.is_maybe_applied}
        free = [draft for draft, blocker in blockers(found) if blocker is None]

        together = found.next_together(100, unsent=begun)

        assert together == ([] if found.switch.stop else free)

    @given(strategies.histories)
    def test_begins_anew_at_the_low_water_mark(self, history: list[Entry]) -> None:
        """Whoever begins after the low-water mark, with nothing, comes to the same queue."""
        found = Queue()
        for entry in history:
            found.apply(entry)
            again = Queue(position=found.low_water)
            for later in history[: entry.position]:
                again.apply(later)

            assert list(again) == list(found)
            assert again.switch.stop == found.switch.stop

    @given(strategies.histories)
    def test_table_of_drafts_is_the_queue(self, history: list[Entry]) -> None:
        """Q4: rows that are kept with `evolve`, one by one, hold the same drafts."""
        found = Queue()
        rows: dict[str, Draft] = {}
        for entry in history:
            found.apply(entry)
            draft_id = draft_id_of(entry)
            if draft_id is not None:
                after = evolve(rows.pop(draft_id, None), entry)
                if after is not None:
                    rows[draft_id] = after

        assert sorted(rows.values(), key=lambda draft: draft.position) == list(found)

    @given(strategies.stories)
    def test_queue_and_records_agree(self, story: Story) -> None:
        """The pending changes of the records are the drafts of the queue, with the same fields."""
        drafts = {(draft.draft_id, draft.revision, str(draft.fields)) for draft in story.queue}

        assert drafts == {
            (change.draft_id, change.revision, str(change.fields))
            for record in story.records.values()
            for change in record.changes
        }

    @given(strategies.histories)
    def test_every_draft_is_explained(self, history: list[Entry]) -> None:
        """Every draft has its one sentence, and is next only if it is the next."""
        found = Queue()
        for entry in history:
            found.apply(entry)
        following = found.next_to_send()

        all_explained = [*explained(found, found.switch)]

        assert [(draft, blocker) for draft, blocker, _ in all_explained] == [*blockers(found)]
        for draft, blocker, sentence in all_explained:
            assert sentence == explain(found, draft.draft_id)
            assert re.fullmatch(rf"the {draft.kind} of {draft.ref} [^\n]+", sentence)
            assert ("held" in sentence) == (blocker is not None)
            assert sentence.endswith("is the next to be sent") == (
                draft == following and draft.state == "pending"
            )


class TestUnits:
    """Q6: where batches are bound, the drafts of one batch are sent together or not at all."""

    MADE = (
        (ACME, created()),
        (BOLT, created()),
        (VISIT, created(To=BOLT)),
        (Ref("Account:3"), created()),
    )

    def bound(self, *events: tuple[Ref, Event], size: int = 2) -> Queue:
        """Return the queue after changes that were made by so many, and other events."""
        found = Queue(binds=True)
        for entry in log(*self.MADE, *events):
            batch = (entry.position - 1) // size * size + 1
            found.apply(entry._replace(batch=batch))
        return found

    def ids(self, found: Queue, on_held: OnHeld = "lane", most: int = 9) -> list[str]:
        """Return the ids of those that are next to send."""
        return [draft.draft_id for draft in found.next_together(most, on_held)]

    def test_a_unit_is_all_of_its_batch(self) -> None:
        """All pending drafts of a batch go together, and no other goes with them."""
        assert self.ids(self.bound()) == ["e1", "e2"]
        assert self.ids(self.bound(size=1)) == ["e1", "e2", "e3", "e4"]
        assert self.ids(self.bound(size=4), most=3) == ["e1", "e2", "e3"]
        assert [self.bound(size=4).size_of(draft) for draft in self.bound(size=4)] == [4] * 4

    def test_even_in_doubt(self) -> None:
        """They go together, too, where some or all of them may be applied."""
        found = self.bound((ACME, PushStarted(draft_id="e1")), (BOLT, PushStarted(draft_id="e2")))

        assert self.ids(found) == ["e1", "e2"]

    def test_a_held_one_holds_all(self) -> None:
        """Where one is held, none goes, be it before that one; each of them holds its lane."""
        held = TAKEN.model_copy(update={"draft_id": "e2"})
        found = self.bound((BOLT, held), (ACME, RecordUpdated(changes={}, base={})))

        assert self.ids(found) == []
        assert self.ids(found, "stop") == []

    def test_one_that_is_held_back_holds_all(self) -> None:
        """A batch waits that holds a draft behind a held one; others pass it."""
        held = TAKEN.model_copy(update={"draft_id": "e2"})
        other = Ref("Account:9")
        found = self.bound((BOLT, held), (other, created()), size=2)

        assert self.ids(found) == ["e6"]
        assert self.ids(found, "stop") == []

    def test_a_unit_behind_a_held_one(self) -> None:
        """A batch that nothing holds back goes whole, whatever is passed over before it."""
        held = TAKEN.model_copy(update={"draft_id": "e1"})
        others = [(Ref(f"Account:{number}"), created()) for number in (8, 9)]

        found = self.bound((ACME, held), (ACME, RecordObserved(exists=False)), *others)

        assert self.ids(found) == ["e7", "e8"]

    def test_is_as_large_as_what_is_left_of_it(self) -> None:
        """What is settled counts no more, and the others are one unit all the same."""
        found = self.bound(size=4)
        assert [found.size_of(draft) for draft in found] == [4, 4, 4, 4]

        found.apply(log(*self.MADE, (ACME, DraftDiscarded(draft_id="e1")))[-1])

        assert [found.size_of(draft) for draft in found] == [3, 3, 3]
        assert self.ids(found) == ["e2", "e3", "e4"]

    def test_nothing_is_bound_unless_it_is_asked_for(self) -> None:
        """By itself each draft is a unit."""
        found = Queue(self.bound(size=4), 4)

        assert [found.size_of(draft) for draft in found] == [1, 1, 1, 1]

    def test_what_goes_before_a_held_batch(self) -> None:
        """With `stop`, a batch before the held one goes."""
        held = TAKEN.model_copy(update={"draft_id": "e4"})

        found = self.bound((Ref("Account:3"), held))

        assert self.ids(found, "stop") == ["e1", "e2"]

    @pytest.mark.parametrize("ends", [True, False])
    def test_goes_once_the_held_one_is_decided(self, ends: bool) -> None:  # noqa: FBT001
        """The others go without one that was discarded, and with one that was amended."""
        held = TAKEN.model_copy(update={"draft_id": "e2"})
        amended = DraftAmended(draft_id="e2", revision=1, fields={})
        found = self.bound((BOLT, held))
        assert found.next_to_send() is None

        decided = DraftDiscarded(draft_id="e2") if ends else amended
        found.apply(log(*self.MADE, (BOLT, held), (BOLT, decided))[-1])

        assert self.ids(found) == (["e1"] if ends else ["e1", "e2"])
        assert found.size_of(found["e1"]) == (1 if ends else 2)

    def test_goes_on_from_its_drafts(self) -> None:
        """A queue that begins with kept drafts knows their batches."""
        kept = self.bound()

        again = Queue(kept, kept.position, binds=True)

        assert self.ids(again) == ["e1", "e2"]

    @given(strategies.histories, st.integers(1, 4))
    def test_next_is_the_first_unit_that_nothing_holds(
        self, history: list[Entry], size: int
    ) -> None:
        """The next to be sent are those that the plain reading of the rules names."""
        found = Queue(binds=True)
        for entry in history:
            batch = (entry.position - 1) // size * size + 1
            found.apply(entry._replace(batch=batch))
            if entry.position % size:
                continue  # a batch is appended whole, and read whole before anybody looks
            drafts = list(found)

            for on_held in ("lane", "stop"):
                is_off = found.switch.stop is not None
                expected = None if is_off else naive_next(drafts, on_held, binds=True)
                together = found.next_together(100, on_held)
                assert found.next_to_send(on_held) == expected
                assert together[:1] == ([] if expected is None else [expected])
                for draft in together:
                    unit = [each for each in drafts if each.batch == draft.batch]
                    assert found.size_of(draft) == len(unit)
                    assert together == unit or len(unit) == 1


class TestRemedies:
    """What would unblock a held draft, by why it is held and what it is."""

    @pytest.mark.parametrize(
        ("classification", "kind", "remedy"),
        [
            ("rejected", "update", "amend it, retry it, or discard it"),
            ("rejected", "delete", "retry it, or discard it"),
            (
                "conflict",
                "update",
                "resolve it for ours, for theirs or with values, or discard it",
            ),
            ("conflict", "delete", "resolve it for ours (delete it) or theirs (keep it)"),
            ("gone", "update", "resolve it for ours (create it again) or theirs (give it up)"),
            ("unknown", "create", "retry it, resolve it as applied, or discard it by force"),
        ],
    )
    def test_fits_the_hold(self, classification: HoldClass, kind: ChangeKind, remedy: str) -> None:
        """The sentence names the verbs that can be used."""
        hold = Hold(classification, (), None, "")
        draft = Draft("e1", 1, ACME, kind, 1, "ann", None, {}, state="held", hold=hold)

        assert explain(Queue([draft]), "e1") == (
            f"the {kind} of Account:1 is held: {classification}; it waits for a decision: {remedy}"
        )


class TestStatus:
    """The queue as a whole, in one sentence."""

    def test_nothing_is_pending(self) -> None:
        """An empty queue waits for nothing."""
        assert status_of(queue(), 5) == Status(
            0, 0, 0, None, None, None, "nothing is pending: everything is acknowledged"
        )

    @pytest.mark.parametrize(
        ("events", "sentence"),
        [
            (
                [(ACME, created())],
                "1 draft is pending; the create of Account:1 is the next to be sent",
            ),
            (
                [
                    (ACME, created()),
                    (BOLT, created()),
                    (ACME, TAKEN),
                    (BOLT, PushStarted(draft_id="e2")),
                ],
                "2 drafts are pending, 1 of them held; the create of Account:2 is being sent",
            ),
            (
                [
                    (ACME, created()),
                    (BOLT, created()),
                    (ACME, TAKEN),
                    (BOLT, TAKEN.model_copy(update={"draft_id": "e2"})),
                ],
                (
                    f"nothing can be sent: the create of Account:1 is held: {WHY}; it waits for "
                    "a decision: amend it, retry it, or discard it; 1 more held"
                ),
            ),
        ],
        ids=["next", "sending", "held"],
    )
    def test_says_what_is_next(self, events: list[tuple[Ref, Event]], sentence: str) -> None:
        """The sentence says what is sent next, or why nothing is."""
        assert status_of(queue(*events), 5).sentence == sentence

    def test_says_what_stops_everything(self) -> None:
        """With `stop`, one held draft is what everything waits for; its age is told in seconds."""
        waiting = queue((ACME, created()), (BOLT, created()), (ACME, TAKEN))

        found = status_of(waiting, 3_000_001, "stop")

        assert found.sentence == (
            f"nothing can be sent: the create of Account:1 is held: {WHY}; it waits for a "
            "decision: amend it, retry it, or discard it; 1 draft waits behind it, as nothing "
            "passes a held draft"
        )
        assert (found.pending, found.held, found.next, found.oldest_age_s) == (2, 1, None, 3.0)

    def test_counts_what_is_sent_and_what_is_next(self) -> None:
        """What is sent, and what comes next, is told apart from what only waits."""
        sent = PushStarted(draft_id="e1")
        others = (BOLT, created()), (VISIT, created())
        found = status_of(queue((ACME, created()), *others, (ACME, sent)), 5)

        assert (found.pending, found.held, found.sending, found.stopped) == (3, 0, 1, None)
        assert found.next is not None
        assert found.next.draft_id == "e1"

    def test_a_clock_that_was_set_back(self) -> None:
        """A draft of the future is not of a negative age, but new."""
        assert status_of(queue((ACME, created())), 0).oldest_age_s == 0.0

    def test_a_stopped_queue_of_one(self) -> None:
        """One draft waits, and not several."""
        stopped = QueueStopped(cause="rejections", problem="5 in a row")

        status = status_of(queue((ACME, created()), (QUEUE, stopped)), 5)

        assert status.sentence.endswith("; 1 draft waits until it is started")

    def test_a_stopped_queue(self) -> None:
        """It is told who stopped the queue and why, and how many drafts wait for its start."""
        stopped = QueueStopped(cause="rejections", problem="5 in a row")
        found = queue((ACME, created()), (BOLT, created()), (QUEUE, stopped))

        status = status_of(found, 5)

        assert (status.stopped, status.next) == (found.switch.stop, None)
        assert status.sentence == (
            "the queue is stopped: it was stopped by ann (5 in a row; why); "
            "2 drafts wait until it is started"
        )

    @pytest.mark.parametrize(
        ("problem", "reason", "why"),
        [
            ("hot", "lunch", " (hot; lunch)"),
            ("hot", None, " (hot)"),
            ("", "lunch", " (lunch)"),
            ("", None, ""),
        ],
    )
    def test_why_it_was_stopped(self, problem: str, reason: str | None, why: str) -> None:
        """What was wrong, and what was said, as far as there is either."""
        stop = Stop(2, 2, "person", problem, "ann", reason)

        assert stop_text(stop) == f"it was stopped by ann{why}"


class TestSwitch:
    """Whether the queue is sent at all."""

    STOP: Final = QueueStopped(cause="person", problem="too hot")

    def test_is_stopped_and_started(self) -> None:
        """Who stopped the queue, when and why is known until it is started, which forgets all."""
        events: list[tuple[Ref, Event]] = [(ACME, created()), (ACME, TAKEN), (QUEUE, self.STOP)]

        stopped = queue(*events)

        assert stopped.switch == Switch(Stop(3, 3, "person", "too hot", "ann", "why"), 0)
        assert (stopped.next_to_send(), stopped.low_water) == (None, 0)
        assert queue(*events, (QUEUE, QueueStarted())).switch == STARTED

    def test_rejections_in_a_row_are_counted(self) -> None:
        """A rejection counts until something is accepted; another hold is none."""
        other = DraftHeld(draft_id="e1", classification="conflict")
        accepted = DraftAcknowledged(draft_id="e1", evidence="answer")
        events: list[Event] = [TAKEN, other, TAKEN, accepted, TAKEN]
        start = (ACME, created())

        counts = [
            queue(start, *[(ACME, event) for event in events[:n]]).switch.rejections
            for n in range(6)
        ]

        assert counts == [0, 1, 1, 2, 0, 1]


def test_rejections_are_counted_from_the_low_water_mark() -> None:
    """A fold that begins at the low-water mark counts the same rejections in a row."""
    events: list[tuple[Ref, Event]] = [
        (ACME, created()),
        (ACME, TAKEN),
        (ACME, DraftDiscarded(draft_id="e1")),
        (BOLT, created()),
    ]
    whole = queue(*events)

    again = Queue(position=whole.low_water)
    for entry in log(*events):
        again.apply(entry)

    assert (whole.low_water, whole.switch.rejections) == (1, 1)
    assert (again.switch, list(again)) == (whole.switch, list(whole))
