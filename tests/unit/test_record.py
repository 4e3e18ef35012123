"""One record: its fold, and the decisions about it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.errors import (
    DanglingReferenceError,
    RecordDeletedError,
    RecordExistsError,
    RecordMissingError,
    RefusedError,
)
from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    Entry,
    PushStarted,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
    Resolution,
)
from journal.record import (
    Change,
    CreateRecord,
    DeleteRecord,
    Made,
    ObserveRecord,
    Record,
    Remote,
    UpdateRecord,
    base_version,
    decide,
    detached,
    evolve,
    fields_before,
    fold,
    initial,
)
from journal.values import Ref
from tests import strategies

if TYPE_CHECKING:
    from journal.events import Event, Evidence, Side
    from tests.strategies import Story

ACME = Ref("Account:1")
VISIT = Ref("Visit:1")
CREATED = RecordCreated(fields={"Name": "Acme"})


def entries(*events: Event, ref: Ref = ACME) -> list[Entry]:
    """Return the events as the entries of one stream, with ids ``e1``, ``e2`` ..."""
    return [
        Entry(n, n, f"e{n}", ref, n, n, False, "ann", "van-7", None, None, None, None, event)  # noqa: FBT003
        for n, event in enumerate(events, 1)
    ]


def after(*events: Event) -> Record:
    """Return the record after the events."""
    return fold(ACME, entries(*events))


def made(occurred_at: int) -> Made:
    """Return what the envelope of an entry says of when, by whom and where."""
    return Made(occurred_at, "ann", "van-7", None)


def acknowledged(draft_id: str, version: str | None = None, **more: Any) -> DraftAcknowledged:  # noqa: ANN401
    """Return the receipt of a draft."""
    return DraftAcknowledged(draft_id=draft_id, remote_version=version, evidence="answer", **more)


class TestCreateRecord:
    """Creating a record."""

    def test_creates(self) -> None:
        """A record that is not there is created, with the places of its references."""
        fields = {"Name": "Visit", "Account": [{"a/b": ACME}]}

        events = decide(initial(VISIT), CreateRecord(VISIT, fields), {ACME: after(CREATED)})

        assert events == (RecordCreated(fields=fields, references=("/fields/Account/0/a~1b",)),)

    def test_existing_record_is_refused(self) -> None:
        """A record that exists, created or observed, is not created again."""
        observed = RecordObserved(exists=True, fields={"Name": "Acme"})

        for record in (after(CREATED), after(observed)):
            with pytest.raises(RecordExistsError, match="Account:1 exists already"):
                decide(record, CreateRecord(ACME, {"Name": "Bolt"}), {})

    @pytest.mark.parametrize(
        "events",
        [
            (CREATED, RecordDeleted(base={})),
            (CREATED, acknowledged("e1"), RecordDeleted(base={}), acknowledged("e3")),
            (RecordObserved(exists=True, fields={"a": 1}), RecordObserved(exists=False)),
            (RecordObserved(exists=True, remote_id="r1"), RecordObserved(exists=False)),
        ],
        ids=["delete pending", "delete acknowledged", "gone", "gone, without fields"],
    )
    def test_deleted_record_is_refused(self, events: tuple[Event, ...]) -> None:
        """The id of a record that is deleted, here or by the remote, is not used again (R4)."""
        with pytest.raises(RecordDeletedError, match="Account:1 is deleted"):
            decide(after(*events), CreateRecord(ACME, {"Name": "Bolt"}), {})

    @pytest.mark.parametrize(
        "events",
        [(CREATED, DraftDiscarded(draft_id="e1")), (RecordObserved(exists=False),)],
        ids=["discarded", "absent"],
    )
    def test_record_that_never_was_is_created(self, events: tuple[Event, ...]) -> None:
        """Where the remote never had the record, and no draft of it is left, it is created."""
        assert decide(after(*events), CreateRecord(ACME, {}), {}) == (RecordCreated(fields={}),)

    @pytest.mark.parametrize(
        ("target", "problem"),
        [(initial(ACME), "is unknown"), (after(CREATED, RecordDeleted(base={})), "is deleted")],
    )
    def test_dangling_reference_is_refused(self, target: Record, problem: str) -> None:
        """A reference leads to a record that is there."""
        command = CreateRecord(VISIT, {"Lines": [{"Account": ACME}]})

        with pytest.raises(DanglingReferenceError, match=f"Visit:1 .*{problem}") as caught:
            decide(initial(VISIT), command, {ACME: target})

        assert (caught.value.record, caught.value.path, caught.value.target) == (
            VISIT,
            "/Lines/0/Account",
            ACME,
        )


class TestUpdateRecord:
    """Updating a record."""

    def test_updates(self) -> None:
        """An update carries the changed fields, what they were before, and the version seen."""
        record = after(
            RecordObserved(
                exists=True,
                fields={"Name": "Acme", "Owner": VISIT, "Size": 1},
                remote_version="v1",
                references=("/fields/Owner",),
            )
        )
        changes = {"Owner": ACME, "Size": 1, "New": True}

        events = decide(record, UpdateRecord(ACME, changes), {ACME: record})

        assert events == (
            RecordUpdated(
                changes={"Owner": ACME, "New": True},
                base={"Owner": VISIT},
                base_version="v1",
                references=("/changes/Owner", "/base/Owner"),
            ),
        )

    @pytest.mark.parametrize(
        ("events", "error"),
        [
            ((), RecordMissingError),
            ((CREATED, RecordDeleted(base={})), RecordDeletedError),
            ((CREATED, DraftDiscarded(draft_id="e1")), RecordDeletedError),
            ((RecordObserved(exists=False),), RecordDeletedError),
        ],
    )
    def test_record_that_is_not_there_is_refused(
        self, events: tuple[Event, ...], error: type[RefusedError]
    ) -> None:
        """Only a record that is there is updated (R4)."""
        with pytest.raises(error, match="Account:1"):
            decide(after(*events), UpdateRecord(ACME, {"Name": "Bolt"}), {})

    def test_dangling_reference_is_refused(self) -> None:
        """A reference leads to a record that is there."""
        with pytest.raises(DanglingReferenceError, match="Account:1 /Owner: Visit:1 is unknown"):
            decide(after(CREATED), UpdateRecord(ACME, {"Owner": VISIT}), {VISIT: initial(VISIT)})

    @pytest.mark.parametrize("changes", [{}, {"Name": "Acme"}])
    def test_same_values_change_nothing(self, changes: dict[str, Any]) -> None:
        """Fields that have the value already are not set again (R2)."""
        assert decide(after(CREATED), UpdateRecord(ACME, changes), {}) == ()

    def test_none_is_a_change_where_the_field_is_not_known(self) -> None:
        """A field that was never seen may have a value at the remote: None takes it away, once."""
        seen = RecordObserved(exists=True, fields={"Name": "Acme"}, partial=True)

        (event,) = decide(after(seen), UpdateRecord(ACME, {"Phone": None}), {})

        assert event == RecordUpdated(changes={"Phone": None}, base={})
        assert decide(after(seen, event), UpdateRecord(ACME, {"Phone": None}), {}) == ()

    @pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0.0, -0.0), ("Visit:1", VISIT)])
    def test_value_of_another_kind_is_a_change(self, old: object, new: object) -> None:
        """What Python takes for equal, but JSON does not, is a change."""
        record = after(RecordCreated(fields={"x": old}))

        (event,) = decide(record, UpdateRecord(ACME, {"x": new}), {VISIT: record})

        assert isinstance(event, RecordUpdated)
        assert type(event.changes["x"]) is type(new)


class TestDeleteRecord:
    """Deleting a record."""

    def test_deletes(self) -> None:
        """A delete carries all fields that the record had, and the version seen."""
        record = after(
            RecordObserved(
                exists=True,
                fields={"Owner": VISIT},
                remote_version="v1",
                references=("/fields/Owner",),
            )
        )

        assert decide(record, DeleteRecord(ACME), {}) == (
            RecordDeleted(base={"Owner": VISIT}, base_version="v1", references=("/base/Owner",)),
        )

    def test_unknown_record_is_refused(self) -> None:
        """A record that the journal has never heard of is not deleted."""
        with pytest.raises(RecordMissingError, match="record Account:1 is unknown; create it"):
            decide(initial(ACME), DeleteRecord(ACME), {})

    @pytest.mark.parametrize(
        "events",
        [(CREATED, RecordDeleted(base={})), (RecordObserved(exists=False),)],
    )
    def test_deleted_record_stays_deleted(self, events: tuple[Event, ...]) -> None:
        """A record that is deleted already is left alone (R2)."""
        assert decide(after(*events), DeleteRecord(ACME), {}) == ()


class TestObserveRecord:
    """Noting the remote's state."""

    def test_observes(self) -> None:
        """What the remote has is noted, with the places of references."""
        command = ObserveRecord(ACME, {"Owner": VISIT}, "r1", "v1", partial=True)

        assert decide(initial(ACME), command, {}) == (
            RecordObserved(
                exists=True,
                fields={"Owner": VISIT},
                remote_id="r1",
                remote_version="v1",
                partial=True,
                references=("/fields/Owner",),
            ),
        )

    def test_absence_is_noted(self) -> None:
        """That the remote has no such record is noted too."""
        assert decide(initial(ACME), ObserveRecord(ACME, None), {}) == (
            RecordObserved(exists=False),
        )

    @pytest.mark.parametrize(
        "command",
        [
            ObserveRecord(ACME, {"a": 1, "b": 2}, "r1", "v1"),
            ObserveRecord(ACME, {"a": 1}, "r1", "v1", partial=True),
            ObserveRecord(ACME, {"b": 2, "a": 1}, None, "v1"),
        ],
    )
    def test_what_is_known_is_not_noted_again(self, command: ObserveRecord) -> None:
        """Nothing is noted where nothing is new (R2)."""
        record = after(
            RecordObserved(
                exists=True, fields={"a": 1, "b": 2}, remote_id="r1", remote_version="v1"
            )
        )

        assert decide(record, command, {}) == ()

    @pytest.mark.parametrize(
        "command",
        [
            ObserveRecord(ACME, {"a": 1}, "r1", "v1"),
            ObserveRecord(ACME, {"a": True, "b": 2}, "r1", "v1"),
            ObserveRecord(ACME, {"a": 1, "b": 2}, "r1", "v2"),
            ObserveRecord(ACME, {"a": 1, "b": 2}, "r2", "v1"),
            ObserveRecord(ACME, None, "r1", "v1"),
        ],
    )
    def test_what_differs_is_noted(self, command: ObserveRecord) -> None:
        """A field, an id, a version or an existence that differs is news."""
        record = after(
            RecordObserved(
                exists=True, fields={"a": 1, "b": 2}, remote_id="r1", remote_version="v1"
            )
        )

        assert len(decide(record, command, {})) == 1


class TestEvolve:
    """The record after an entry."""

    def test_create(self) -> None:
        """A created record has its fields, and the create pending."""
        assert after(CREATED) == Record(
            ACME,
            1,
            Remote(),
            (Change("e1", 1, "create", {"Name": "Acme"}, {}, None, 1, made=made(1)),),
            {"Name": "Acme"},
        )

    def test_a_change_knows_who_made_it_and_why(self) -> None:
        """When, by whom, where and why a change was made is what its envelope says."""
        entry = entries(CREATED)[0]._replace(reason="a call", actor="bob")

        (change,) = fold(ACME, [entry]).changes

        assert change.made == Made(1, "bob", "van-7", "a call")

    def test_that_it_is_gone_has_a_version(self) -> None:
        """What the remote says of a record that it has lost is kept, and so is what it was."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1}, remote_id="r1", remote_version="v1"),
            RecordObserved(exists=False, remote_version="v2"),
        )

        assert record.remote == Remote(False, {"a": 1}, "r1", "v2")  # noqa: FBT003

    def test_changes_lie_over_the_remote(self) -> None:
        """R1: a pull moves the ground under the pending changes, which stay on top."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={"a": 1}, base_version="v1"),
            RecordObserved(exists=True, fields={"a": 9, "b": 9}, remote_version="v2"),
        )

        assert record.fields == {"a": 2, "b": 9}
        assert record.remote.fields == {"a": 9, "b": 9}

    def test_partial_observation_keeps_the_rest(self) -> None:
        """Where only some fields were seen, the others stay as they were."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}),
            RecordObserved(exists=True, fields={"b": 2}, partial=True),
        )

        assert record.fields == {"a": 1, "b": 2}

    def test_acknowledgement_without_fields(self) -> None:
        """The remote has what was sent; the record looks as before, with nothing pending."""
        record = after(CREATED, PushStarted(draft_id="e1"), acknowledged("e1", "v1"))

        assert record == Record(
            ACME,
            3,
            Remote(True, {"Name": "Acme"}, None, "v1", 3, "v1"),  # noqa: FBT003
            (),
            {"Name": "Acme"},
        )

    def test_acknowledgement_with_fields(self) -> None:
        """The remote has what the receipt showed, under the changes that are still pending."""
        record = after(
            CREATED,
            RecordUpdated(changes={"Size": 2}, base={}),
            acknowledged("e1", "v1", remote_id="r1", fields={"Name": "ACME", "Size": 1}),
        )

        assert record.fields == {"Name": "ACME", "Size": 2}
        assert record.remote.fields == {"Name": "ACME", "Size": 1}
        assert record.remote.remote_id == "r1"

    def test_acknowledged_create_starts_afresh(self) -> None:
        """R1: what the remote had before it lost the record is not part of one created anew."""
        record = after(
            CREATED,
            RecordObserved(exists=True, fields={"Old": 1}),
            RecordObserved(exists=False),
            acknowledged("e1"),
        )

        assert record.fields == record.remote.fields == {"Name": "Acme"}

    def test_acknowledgement_out_of_order(self) -> None:
        """R1: the change that is still pending lies over a later one that is acknowledged."""
        record = after(
            CREATED,
            RecordUpdated(changes={"Name": "Bolt"}, base={"Name": "Acme"}),
            acknowledged("e2"),
        )

        assert record.remote.fields == {"Name": "Bolt"}
        assert record.fields == {"Name": "Acme"}
        assert record.version == 3

    def test_acknowledgement_of_nothing_pending(self) -> None:
        """A receipt for a draft that is settled already changes nothing."""
        before = after(CREATED, acknowledged("e1", "v1"))
        record = after(CREATED, acknowledged("e1", "v1"), acknowledged("e1", "v9"))

        assert record == before._replace(version=3)

    def test_acknowledged_delete(self) -> None:
        """A record whose delete is acknowledged is gone."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1}),
            RecordDeleted(base={"a": 1}),
            acknowledged("e2"),
        )

        assert record.fields is None
        assert record.is_deleted
        assert (record.remote.exists, record.remote.fields) == (False, {})

    def test_acknowledged_delete_of_a_record_without_fields(self) -> None:
        """It is gone as any other is."""
        empty = RecordObserved(exists=True, fields={})

        record = after(empty, RecordDeleted(base={}), acknowledged("e2"))

        assert (record.fields, record.remote.exists) == (None, False)

    def test_pending_delete_leaves_the_fields(self) -> None:
        """A record whose delete is pending can still be looked at."""
        record = after(CREATED, RecordDeleted(base={"Name": "Acme"}))

        assert record.is_deleted
        assert record.fields == {"Name": "Acme"}

    def test_local_work_survives_a_remote_delete(self) -> None:
        """R1: changes lie over what the record last was when the remote has lost it."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}),
            RecordUpdated(changes={"a": 2}, base={"a": 1}),
            RecordObserved(exists=False),
        )

        assert record.fields == {"a": 2, "b": 1}
        assert not record.is_deleted

    def test_discard_uncovers_what_was_below(self) -> None:
        """R1: without a change, the record is as the remote and the other changes leave it."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1}),
            RecordUpdated(changes={"a": 2}, base={"a": 1}),
            RecordUpdated(changes={"b": 3}, base={}),
            DraftDiscarded(draft_id="e2"),
        )

        assert record.fields == {"a": 1, "b": 3}
        assert record.change("e2") is None

    def test_amend_replaces_the_fields_of_the_change(self) -> None:
        """An amended change keeps its place, with the base of the fields that it now sets."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "c": 3, "d": 5}, remote_version="v1"),
            RecordUpdated(changes={"a": 2, "d": 6}, base={"a": 1, "d": 5}, base_version="v1"),
            RecordUpdated(changes={"b": 3}, base={}, base_version="v1"),
            DraftAmended(draft_id="e2", revision=1, fields={"c": 4, "d": 7}),
        )

        assert record.fields == {"a": 1, "b": 3, "c": 4, "d": 7}
        assert record.change("e2") == Change(
            "e2",
            2,
            "update",
            {"c": 4, "d": 7},
            {"c": 3, "d": 5},
            "v1",
            2,
            revision=1,
            made=made(2),
        )

    def test_a_create_leaves_nothing_of_an_earlier_record(self) -> None:
        """What was seen under our key before our create was applied is not there after it."""
        seen = RecordObserved(exists=True, fields={"Name": "theirs", "Fax": "1"})

        record = after(CREATED, seen, acknowledged("e1", "v2"))

        assert record.remote.fields == record.fields == {"Name": "Acme"}

    @pytest.mark.parametrize(
        ("evidence", "base"),
        [("answer", {"Fax": "1", "Name": "Acme"}), ("read", {"Name": "Acme"})],
    )
    def test_what_the_remote_gives_a_record_is_what_follows_was_made_on(
        self, evidence: Evidence, base: dict[str, Any]
    ) -> None:
        """R5: the answer to a create shows what nobody else has put there; a read may not."""
        update = RecordUpdated(changes={"Name": "Bolt", "Fax": "2"}, base={"Name": "Acme"})
        shown = {"Name": "Acme", "Fax": "1", "Owner": "me"}
        receipt = DraftAcknowledged(draft_id="e1", evidence=evidence, fields=shown)

        (change,) = after(CREATED, update, receipt).changes

        assert change.base == base

    def test_base_that_was_never_the_remote_s_is_no_condition(self) -> None:
        """A change made on another that has fallen away is compared by its values."""
        observed = RecordObserved(exists=True, fields={"a": 3}, remote_version="v2")
        first = RecordUpdated(changes={"a": 2}, base={"a": 1}, base_version="v1")
        second = RecordUpdated(changes={"a": 4}, base={"a": 2}, base_version="v2")
        resolved = ConflictResolved(
            draft_id="e1",
            revision=1,
            base={"a": 1},
            ours={"a": 2},
            theirs={"a": 3},
            resolutions=(Resolution(field="a", side="theirs", rule="theirs"),),
            kind=None,
            fields={},
            remote_version="v2",
        )

        record = after(first, observed, second, resolved)

        (change,) = record.changes
        assert (change.base, change.base_version) == ({"a": 2}, "v2")
        assert base_version(record, change) is None

    def test_a_draft_that_has_ended_is_not_amended(self) -> None:
        """What is amended or discarded after its end stays ended."""
        ended = (CREATED, acknowledged("e1"))
        amended = DraftAmended(draft_id="e1", revision=1, fields={"c": 4})

        for event in (amended, DraftDiscarded(draft_id="e1")):
            assert after(*ended, event) == after(*ended)._replace(version=3)

    @pytest.mark.parametrize(("theirs", "base"), [({"a": 9}, {"a": 9}), (None, {})])
    def test_resolution_moves_the_base(
        self, theirs: dict[str, Any] | None, base: dict[str, Any]
    ) -> None:
        """A resolved change stands on the version that the decision was made on."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1}, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={"a": 1}, base_version="v1"),
            ConflictResolved(
                draft_id="e2",
                revision=1,
                base={"a": 1},
                ours={"a": 2},
                theirs=theirs,
                resolutions=(Resolution(field="a", side="ours", rule="ours"),),
                kind="update",
                fields={"a": 2},
                remote_version="v2",
            ),
        )

        assert record.change("e2") == Change(
            "e2", 2, "update", {"a": 2}, base, "v2", 3, revision=1, resolved=1, made=made(2)
        )

    @pytest.mark.parametrize(
        "event",
        [
            PushStarted(draft_id="e1"),
            DraftHeld(draft_id="e1", classification="rejected"),
            DraftRetried(draft_id="e1"),
        ],
    )
    def test_what_happens_to_a_draft_leaves_the_record(self, event: Event) -> None:
        """A push, a hold and a retry change only the version of the stream, and a state."""
        record = after(CREATED, event)
        change = record.changes[0]._replace(state="pending", held_as=None, first_sent_at=None)

        assert record._replace(changes=(change,)) == after(CREATED)._replace(version=2)

    def test_what_is_said_of_an_ended_draft_changes_nothing(self) -> None:
        """A late word about a draft that has ended counts in the stream, and moves nothing."""
        ended = after(CREATED, DraftAcknowledged(draft_id="e1", evidence="answer"))
        late = after(
            CREATED,
            DraftAcknowledged(draft_id="e1", evidence="answer"),
            PushStarted(draft_id="e1"),
        )

        assert late == ended._replace(version=3)

    def test_change_knows_its_state(self) -> None:
        """A pending change is sending, held, or pending again, as its last event says."""
        sent = PushStarted(draft_id="e1")
        held = DraftHeld(draft_id="e1", classification="gone")
        events: list[Event] = [sent, held, DraftRetried(draft_id="e1")]

        states = [after(CREATED, *events[:n]).changes[0] for n in range(4)]

        assert [(change.state, change.held_as) for change in states] == [
            ("pending", None),
            ("sending", None),
            ("held", "gone"),
            ("pending", None),
        ]

    @pytest.mark.parametrize(("side", "base"), [("value", 9), ("ours", 2), ("theirs", 2)])
    def test_another_value_is_what_follows_it_was_made_on(self, side: Side, base: int) -> None:
        """R5: a value that is neither side's was put there by a decision made here."""
        resolved = ConflictResolved(
            draft_id="e2",
            revision=1,
            base={"a": 1},
            ours={"a": 2},
            theirs={"a": 3},
            resolutions=(Resolution(field="a", side=side, rule="a person's value"),),
            kind="update",
            fields={"a": 9},
            remote_version="v2",
        )

        record = after(
            RecordObserved(exists=True, fields={"a": 1}, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={"a": 1}, base_version="v1"),
            RecordUpdated(changes={"a": 4}, base={"a": 2}, base_version="v1"),
            resolved,
        )

        assert [change.base for change in record.changes] == [{"a": 3}, {"a": base}]

    def test_a_delete_follows_what_falls_away_before_it(self) -> None:
        """R5: without the change before it, a delete is made on what that change was made on."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}),
            RecordUpdated(changes={"a": 2}, base={"a": 1}),
            RecordDeleted(base={"a": 2, "b": 1}, base_version="v1"),
            DraftDiscarded(draft_id="e2"),
        )

        (change,) = record.changes
        assert (change.base, change.base_version) == ({"a": 1, "b": 1}, "v1")

    def test_what_is_decided_is_pending_again(self) -> None:
        """A held change that is amended or resolved waits to be sent, as what it is from now on."""
        held = DraftHeld(draft_id="e1", classification="conflict")
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
        amended = DraftAmended(draft_id="e1", revision=1, fields={"a": 1})

        events = (amended, resolved)
        changes = [change for event in events for change in after(CREATED, held, event).changes]

        assert [(each.state, each.held_as, each.kind) for each in changes] == [
            ("pending", None, "create"),
            ("pending", None, "update"),
        ]

    def test_a_hold_leaves_the_other_changes(self) -> None:
        """What happens to one change happens to none before it and to none after it."""
        more = [RecordUpdated(changes={"a": n}, base={}) for n in (1, 2, 3)]

        record = after(CREATED, *more, DraftHeld(draft_id="e2", classification="rejected"))

        assert [(change.draft_id, change.state) for change in record.changes] == [
            ("e1", "pending"),
            ("e2", "held"),
            ("e3", "pending"),
            ("e4", "pending"),
        ]

    def test_change_knows_its_first_request(self) -> None:
        """What counts is when the first request of what it sets left; an amended one has none."""
        sent = PushStarted(draft_id="e1")
        held = DraftHeld(draft_id="e1", classification="gone")
        amended = DraftAmended(draft_id="e1", revision=1, fields={"Name": "Bolt"})
        events: list[Event] = [sent, held, DraftRetried(draft_id="e1"), sent, amended, sent]

        states = [after(CREATED, *events[:n]).changes[0] for n in range(7)]

        assert [change.first_sent_at for change in states] == [None, 2, 2, 2, 2, None, 7]

    def test_change_knows_that_it_is_in_doubt(self) -> None:
        """A change that was last held as unknown may have been applied, until it is held again."""
        unknown = DraftHeld(draft_id="e1", classification="unknown")
        rejected = DraftHeld(draft_id="e1", classification="rejected")
        sent = PushStarted(draft_id="e1")
        events: list[Event] = [sent, unknown, DraftRetried(draft_id="e1"), sent, rejected]

        states = [after(CREATED, *events[:n]).changes[0] for n in range(6)]

        assert [change.is_doubted for change in states] == [False, False, True, True, True, False]

    def test_change_knows_how_often_its_conflict_was_resolved(self) -> None:
        """Resolutions in a row are counted, whatever is sent in between; a hold ends the row."""
        resolved = ConflictResolved(
            draft_id="e1",
            revision=1,
            base={},
            ours={},
            theirs={},
            resolutions=(),
            kind="update",
            fields={"a": 1},
            remote_version=None,
        )
        sent = PushStarted(draft_id="e1")
        held = DraftHeld(draft_id="e1", classification="conflict")
        events: list[Event] = [sent, resolved, sent, resolved, held, resolved]

        states = [after(CREATED, *events[:n]).changes[0] for n in range(7)]

        assert [change.resolved for change in states] == [0, 0, 1, 1, 2, 0, 1]


class TestBaseVersion:
    """What a change is to be conditional on."""

    def test_is_the_version_that_it_was_made_on(self) -> None:
        """A pull that came later is no reason to overwrite what it brought."""
        record = after(
            RecordObserved(exists=True, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={}, base_version="v1"),
            RecordObserved(exists=True, remote_version="v2"),
        )

        assert base_version(record, record.changes[0]) == "v1"

    def test_is_what_our_own_receipt_left(self) -> None:
        """A change behind another one of ours stands on the version that that one made."""
        record = after(
            RecordObserved(exists=True, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={}, base_version="v1"),
            RecordUpdated(changes={"a": 3}, base={"a": 2}, base_version="v1"),
            acknowledged("e2", "v2"),
            RecordObserved(exists=True, remote_version="v9"),
        )

        assert base_version(record, record.changes[0]) == "v2"

    def test_holds_where_the_remote_has_what_it_was_made_on(self) -> None:
        """At the version that it was made on, the remote has the values that its author saw."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={"a": 1}, base_version="v1"),
        )

        assert base_version(record, record.changes[0]) == "v1"

    def test_stays_that_of_its_author_where_the_remote_has_moved(self) -> None:
        """A version that a pull has seen since is another one, whatever the values are."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1}, remote_version="v1"),
            RecordUpdated(changes={"a": 2}, base={"a": 1}, base_version="v1"),
            RecordObserved(exists=True, fields={"a": 3}, remote_version="v2"),
        )

        assert base_version(record, record.changes[0]) == "v1"


class TestFieldsBefore:
    """What a pending change was laid over."""

    def test_is_what_those_before_it_leave(self) -> None:
        """The remote's fields, with every earlier change over them, and no later one."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}),
            RecordUpdated(changes={"a": 2}, base={"a": 1}),
            RecordUpdated(changes={"c": 3}, base={}),
            RecordUpdated(changes={"b": 4}, base={"b": 1}),
        )

        before = [fields_before(record, change) for change in record.changes]

        assert before == [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 1, "c": 3}]

    def test_of_a_record_that_is_made_here(self) -> None:
        """What the remote once had is not before a create, nor what follows it."""
        gone = (RecordObserved(exists=True, fields={"Old": 1}), RecordObserved(exists=False))
        record = after(CREATED, RecordUpdated(changes={"Size": 2}, base={}), *gone)

        assert [fields_before(record, c) for c in record.changes] == [{}, {"Name": "Acme"}]
        assert record.fields == {"Name": "Acme", "Size": 2}

    def test_of_a_record_that_the_remote_has_lost(self) -> None:
        """A change of a record that is gone lies over what it last was."""
        record = after(
            RecordObserved(exists=True, fields={"a": 1, "b": 1}),
            RecordUpdated(changes={"a": 2}, base={"a": 1}),
            RecordObserved(exists=False),
        )

        assert fields_before(record, record.changes[0]) == {"a": 1, "b": 1}


class TestDetached:
    """A record for somebody else to keep."""

    def test_is_the_same_and_shares_nothing(self) -> None:
        """It is equal in every part, and what is done to it is not done to the one it is of."""
        record = after(
            RecordObserved(exists=True, fields={"a": [1]}, remote_id="r1", remote_version="v1"),
            RecordUpdated(changes={"a": [2]}, base={"a": [1]}, base_version="v1"),
        )
        before = deepcopy(record)

        found = detached(record)

        assert found == before
        (change,) = found.changes
        for fields in (found.fields or {}, found.remote.fields, change.fields, change.base):
            fields["a"].append(9)
            fields["b"] = 9
        assert record == before

    def test_of_a_record_that_is_not_there(self) -> None:
        """A record without fields has none."""
        assert detached(initial(ACME)) == initial(ACME)


class TestProperties:
    """The invariants, over random histories."""

    @given(strategies.stories)
    def test_changes_lie_over_the_remote_in_order(self, story: Story) -> None:
        """R1: the fields are the remote's, with the pending changes laid over them in order."""
        for record in story.records.values():
            expected = None
            is_first_create = bool(record.changes) and record.changes[0].kind == "create"
            if record.remote.exists or (record.changes and not is_first_create):
                expected = dict(record.remote.fields)
            for change in record.changes:
                if change.kind != "delete":
                    expected = (expected or {}) | change.fields

            assert record.fields == expected

    @given(strategies.stories)
    def test_a_delete_is_the_last_change(self, story: Story) -> None:
        """R4: nothing is changed after a delete."""
        for record in story.records.values():
            assert all(change.kind != "delete" for change in record.changes[:-1])

    @given(strategies.histories, st.integers(0, 60))
    def test_fold_may_be_cut_anywhere(self, history: list[Entry], cut: int) -> None:
        """R3: a fold goes on where another one ended, and changes nothing that it was given."""
        for ref in strategies.REFS:
            stream = [entry for entry in history if entry.stream == ref]
            given_stream = deepcopy(stream)
            before = fold(ref, stream[:cut])
            kept = deepcopy(before)

            record = before
            for entry in stream[cut:]:
                record = evolve(record, entry)

            assert record == fold(ref, stream)
            assert before == kept
            assert stream == given_stream

    @given(strategies.stories, strategies.steps)
    def test_deciding_twice_appends_once(self, story: Story, step: strategies.Step) -> None:
        """R2: a command that was carried out before returns no events, or is refused."""
        before = len(story.entries)
        step.take(story)
        taken = story.entries[before:]
        if step.verb not in {"create", "update", "delete", "observe"} or not taken:
            return

        step.take(story)

        assert story.entries[before:] == taken
        assert len(taken) == 1
