"""Decisions about drafts: what they append, what they refuse, and when they stay quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from journal import Journal, Ref
from journal.conflicts import Unresolved
from journal.decisions import discard
from journal.errors import (
    ConflictUnresolvedError,
    DanglingReferenceError,
    DraftMissingError,
    DraftStateError,
    InvalidNameError,
    InvalidRecordError,
    PolicyError,
    RefusedError,
)
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    FieldMessage,
    PushStarted,
    QueueStarted,
    QueueStopped,
    RecordObserved,
    RecordUpdated,
    Resolution,
)
from journal.outcomes import Refused, Seen
from journal.policies import Policies
from journal.record import Change
from journal.resolutions import MAX_RESOLUTIONS, settled, what_if
from journal.staging import Facts
from projections import Drafts, Records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.conflicts import PolicyName
    from journal.events import Event, HoldClass

ACME = Ref("Account:acme")
FACTS = Facts("sync", "van-7")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Return an empty journal in memory."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def draft_of(journal: Journal, ref: Ref = ACME, nth: int = -1) -> str:
    """Return the id of a pending draft of the record."""
    return journal.load(ref).changes[nth].draft_id


def note(journal: Journal, *events: Event, ref: Ref = ACME) -> None:
    """Append what a subscriber would."""
    journal.note(ref, lambda _: events, FACTS)


def hold(journal: Journal, kind: HoldClass = "rejected", ref: Ref = ACME, nth: int = 0) -> str:
    """Let the remote refuse a draft of the record; return its id."""
    change = journal.load(ref).changes[nth]
    messages = (FieldMessage(field="Name", message="is taken"),)
    note(
        journal,
        PushStarted(draft_id=change.draft_id, revision=change.revision),
        DraftHeld(
            draft_id=change.draft_id,
            revision=change.revision,
            classification=kind,
            messages=messages,
        ),
        ref=ref,
    )
    return change.draft_id


def observed(journal: Journal, fields: dict[str, Any] | None, version: str | None = "v1") -> None:
    """Note what the remote has."""
    journal.observe(ACME, fields, remote_version=version)


def last(journal: Journal, ref: Ref = ACME) -> Event:
    """Return the last event of the record."""
    return journal.log.stream(ref)[-1].event


class TestRetry:
    """Sending a held draft again."""

    def test_sends_again(self, journal: Journal) -> None:
        """A held draft is pending again, by an event with actor and reason."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = hold(journal)

        event_id = journal.retry(draft_id, actor="eve", reason="it is back")

        entry = journal.log.stream(ACME)[-1]
        assert (entry.event_id, entry.actor, entry.reason) == (event_id, "eve", "it is back")
        assert entry.event == DraftRetried(draft_id=draft_id)
        assert journal.load(ACME).changes[0].state == "pending"

    def test_stays_quiet(self, journal: Journal) -> None:
        """V1: what is not held is not retried."""
        journal.create("Account", {"Name": "Acme"}, id="acme")

        assert journal.retry(draft_of(journal)) is None

    @pytest.mark.parametrize("verb", ["retry", "amend", "discard", "resolve"])
    def test_unknown_draft_is_refused(self, journal: Journal, verb: str) -> None:
        """A draft that never was, or has ended, can be decided no more."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = draft_of(journal)
        note(journal, DraftAcknowledged(draft_id=draft_id, evidence="answer"))
        more = {"policy": "ours"} if verb == "resolve" else {}

        for unknown in (draft_id, "nobody's"):
            with pytest.raises(DraftMissingError, match=f"draft has the id {unknown!r}"):
                getattr(journal, verb)(unknown, **more)


class TestAmend:
    """Sending a draft with other fields."""

    def test_changes_are_laid_over(self, journal: Journal) -> None:
        """A held create is amended: some fields set, one removed, the original untouched."""
        journal.create("Account", {"Name": "Acme", "Fax": "1", "City": "Ulm"}, id="acme")
        draft_id = hold(journal)

        journal.amend(draft_id, {"Name": "Acme Ltd", "City": None}, remove=["Fax"])

        fields = {"Name": "Acme Ltd", "City": None}
        assert last(journal) == DraftAmended(draft_id=draft_id, revision=1, fields=fields)
        record = journal.load(ACME)
        assert record.fields == fields
        made = record.changes[0].made
        assert record.changes == (
            Change(draft_id, 1, "create", fields, {}, None, 1, revision=1, made=made),
        )

    def test_stays_quiet(self, journal: Journal) -> None:
        """V1: amended to what it is, nothing is stored; a single name may be removed as a text."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = draft_of(journal)

        assert journal.amend(draft_id, {"Name": "Acme"}, remove="Fax") is None

    def test_later_drafts_follow(self, journal: Journal) -> None:
        """R5: what a later change was made on is what the amended one leaves."""
        observed(journal, {"Phone": "1", "Fax": "1", "City": "Ulm"})
        journal.update(ACME, {"Phone": "2", "Fax": "2"})
        journal.update(ACME, {"Phone": "3", "Fax": "3", "City": "Bern"})
        journal.update(ACME, {"Phone": "4"})
        journal.delete(ACME)

        journal.amend(draft_of(journal, nth=0), {"Phone": "9", "City": "Rom"}, remove=["Fax"])

        bases = [change.base for change in journal.load(ACME).changes]
        assert bases == [
            {"Phone": "1", "City": "Ulm"},
            {"Phone": "9", "Fax": "1", "City": "Rom"},
            {"Phone": "3"},
            {"Phone": "4", "Fax": "3", "City": "Bern"},
        ]

    def test_delete_is_refused(self, journal: Journal) -> None:
        """A delete has no fields."""
        observed(journal, {"Name": "Acme"})
        journal.delete(ACME)

        with pytest.raises(DraftStateError, match="a delete has no fields; retry it, or"):
            journal.amend(draft_of(journal), {"Name": "x"})

    @pytest.mark.parametrize(
        ("is_held", "hint"),
        [
            (False, "let the subscriber find out first; or resolve it as applied, and update "),
            (True, "resolve it as applied, retry it, or discard it by force"),
        ],
    )
    def test_maybe_applied_is_refused(
        self,
        journal: Journal,
        is_held: bool,  # noqa: FBT001  a parameter of the test
        hint: str,
    ) -> None:
        """V2: what may have been applied is not amended; the error says why, and what to do."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = draft_of(journal)
        if is_held:
            hold(journal, "unknown")
        else:
            note(journal, PushStarted(draft_id=draft_id))

        problem = "a request of it may have been applied, so that it can no longer be amended; "
        with pytest.raises(DraftStateError, match=problem + hint) as caught:
            journal.amend(draft_id, {"Name": "x"})

        state = "held as unknown" if is_held else "sending"
        assert (caught.value.state, caught.value.record) == (state, ACME)

    def test_nothing_left_is_refused(self, journal: Journal) -> None:
        """An update of nothing is a discard."""
        observed(journal, {"Name": "Acme"})
        journal.update(ACME, {"Name": "x"})

        with pytest.raises(DraftStateError, match="nothing of it would be left; discard it"):
            journal.amend(draft_of(journal), remove=["Name"])

    def test_references_are_checked(self, journal: Journal) -> None:
        """A draft may refer to what the remote will have by then, and to nothing else."""
        journal.create("Visit", {"S": "a"}, id="1")
        visit = Ref("Visit:1")
        draft_id = draft_of(journal, visit)
        journal.create("Account", {"Name": "later"}, id="acme")

        for target, problem in {
            ACME: "is created later than this draft is sent",
            Ref("Account:nobody"): "is unknown",
            visit: "is what this draft creates",
        }.items():
            with pytest.raises(
                DanglingReferenceError, match=f"^Visit:1 /Account: {target} {problem}; "
            ):
                journal.amend(draft_id, {"Account": target})

        note(journal, DraftAcknowledged(draft_id=draft_of(journal), evidence="answer"))
        journal.amend(draft_id, {"Account": ACME})
        event = last(journal, visit)
        assert isinstance(event, DraftAmended)
        assert event.references == ("/fields/Account",)

    def test_every_reference_is_checked(self, journal: Journal) -> None:
        """A reference that leads to what is there says nothing of the one after it."""
        journal.observe(Ref("Account:old"), {"Name": "old"}, remote_version="v1")
        journal.create("Visit", {"S": "a"}, id="1")
        draft_id = draft_of(journal, Ref("Visit:1"))
        journal.create("Account", {"Name": "later"}, id="acme")

        with pytest.raises(DanglingReferenceError, match="/B: Account:acme is created later"):
            journal.amend(draft_id, {"A": Ref("Account:old"), "B": ACME})

    def test_a_change_may_refer_to_its_own_record(self, journal: Journal) -> None:
        """A record that the remote has, or will have by then, may refer to itself."""
        observed(journal, {"Name": "Acme"})
        journal.update(ACME, {"Name": "x"})

        journal.amend(draft_of(journal), {"Parent": ACME})

        journal.create("Visit", {"S": "a"}, id="1")
        visit = Ref("Visit:1")
        journal.update(visit, {"S": "b"})
        journal.amend(draft_of(journal, visit), {"Of": visit})

        assert journal.load(ACME).fields == {"Name": "x", "Parent": ACME}
        assert journal.load(visit).fields == {"S": "b", "Of": visit}

    def test_a_create_of_what_the_remote_has_may_refer_to_itself(self, journal: Journal) -> None:
        """Where the remote has the record under our key, that is what is referred to."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        observed(journal, {"Name": "theirs"})

        journal.amend(draft_of(journal), {"Parent": ACME})

        assert journal.load(ACME).fields == {"Name": "Acme", "Parent": ACME}

    def test_a_reference_that_stays_is_not_asked_for_again(self, journal: Journal) -> None:
        """What a draft refers to already may have been deleted since: it is not what is amended."""
        other = journal.create("Account", {"Name": "Bolt"}, id="bolt")
        journal.create("Visit", {"Account": other, "Name": "a"}, id="v1")
        journal.delete(other)

        journal.amend(draft_of(journal, Ref("Visit:v1")), {"Name": "b"})

        assert journal.load(Ref("Visit:v1")).fields == {"Account": other, "Name": "b"}

    def test_fields_are_checked(self, journal: Journal) -> None:
        """Names of fields are those that a record may have."""
        journal.create("Account", {"Name": "Acme"}, id="acme")

        with pytest.raises(InvalidNameError):
            journal.amend(draft_of(journal), remove=["a\nb"])

    def test_types_are_checked(self) -> None:
        """Amended fields fit the type, of a create and of an update; texts become what they say."""

        class Account(BaseModel):
            Name: str
            Size: int = 0

        with Journal(actor="ann", origin="van-7", types=[Account]) as journal:
            journal.create("Account", {"Name": "Acme"}, id="acme")
            create = draft_of(journal)
            journal.update(ACME, {"Size": 2})
            update = draft_of(journal)

            for wrong in ({"Size": "many"}, {"Sise": 1}):
                for draft_id in (create, update):
                    with pytest.raises(InvalidRecordError):
                        journal.amend(draft_id, wrong)
            with pytest.raises(InvalidRecordError):
                journal.amend(create, remove=["Name"])
            journal.amend(update, {"Size": "3"})

            assert journal.load(ACME).fields == {"Name": "Acme", "Size": 3}

    def test_is_part_of_a_batch(self, journal: Journal) -> None:
        """A draft of the same batch can be amended in it."""
        with journal.batch() as batch:
            ref = journal.create("Account", {"Name": "Acme"}, id="acme")
            assert batch.staging is not None
            journal.amend(batch.staging.new[0].event_id, {"Name": "Acme Ltd"})

        assert journal.load(ref).fields == {"Name": "Acme Ltd"}


class TestDiscard:
    """Never sending a draft."""

    def test_with_all_that_stands_on_it(self, journal: Journal) -> None:
        """V3: with a create falls what changes the record, or refers to it, in one append."""
        acme = journal.create("Account", {"Name": "Acme"}, id="acme")
        other = journal.create("Account", {"Name": "Bolt"}, id="bolt")
        visit = journal.create("Visit", {"Lines": [{"For": acme}]}, id="1")
        journal.update(other, {"Parent": acme})
        journal.update(other, {"Name": "Bolt Ltd"})
        journal.create("Report", {"On": visit}, id="1")
        journal.update(acme, {"Name": "Acme Ltd"})
        root = draft_of(journal, nth=0)
        preview = journal.falling(root)
        head = journal.log.head()

        fallen = journal.discard(root, reason="a mistake")

        assert fallen == preview
        assert [draft.position for draft in fallen] == [1, 3, 4, 6, 7]
        new = journal.log.read(head)
        assert {entry.batch for entry in new} == {head + 1}
        assert [entry.event for entry in new] == [
            DraftDiscarded(draft_id=draft.draft_id, cause=None if draft.draft_id == root else root)
            for draft in fallen
        ]
        assert {entry.reason for entry in new} == {"a mistake"}
        assert [each.draft.position for each in Drafts(journal).pending()] == [2, 5]
        assert Records(journal).get(other).fields == {"Name": "Bolt Ltd"}

    def test_an_update_falls_alone(self, journal: Journal) -> None:
        """R5: later changes stand, on what was there before."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        journal.update(ACME, {"Phone": "3"})

        journal.discard(draft_of(journal, nth=0))

        (left,) = journal.load(ACME).changes
        assert (left.fields, left.base) == ({"Phone": "3"}, {"Phone": "1"})

    def test_stays_quiet(self, journal: Journal) -> None:
        """V1: what was discarded is not discarded again."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = draft_of(journal)
        journal.discard(draft_id)
        head = journal.log.head()

        assert journal.discard(draft_id) == ()
        assert journal.log.head() == head

    def test_maybe_applied_needs_force(self, journal: Journal) -> None:
        """V2: what may have been applied falls by force only, also where it falls with another."""
        acme = journal.create("Account", {"Name": "Acme"}, id="acme")
        visit = journal.create("Visit", {"For": acme}, id="1")
        note(journal, PushStarted(draft_id=draft_of(journal, visit)), ref=visit)
        root = draft_of(journal)

        with pytest.raises(DraftStateError, match="would not be undone"):
            journal.discard(root)
        with pytest.raises(DraftStateError) as caught:
            discard(journal.load(visit), draft_of(journal, visit))
        assert str(caught.value).endswith(
            ": a request of it may have been applied, and would not be undone;"
            " let the subscriber find out first, or discard it by force"
        )
        journal.discard(root, force=True)

        events = [journal.log.stream(ref)[-1].event for ref in (acme, visit)]
        assert [e.maybe_applied for e in events if isinstance(e, DraftDiscarded)] == [False, True]

    def test_not_in_a_batch(self, journal: Journal) -> None:
        """What is decided on the whole queue is no part of a batch."""
        journal.create("Account", {"Name": "Acme"}, id="acme")

        with pytest.raises(RefusedError, match="cannot be part of a batch"), journal.batch():
            journal.discard(draft_of(journal))


class TestResolve:
    """A person decides a conflict."""

    @pytest.mark.parametrize(
        ("policy", "fields", "kind", "sent"),
        [
            ("ours", None, "update", {"Phone": "2", "Fax": "2"}),
            ("theirs", None, "update", {"Fax": "2"}),
            (None, {"Phone": "9"}, "update", {"Phone": "9", "Fax": "2"}),
            ("theirs", {"Fax": "1"}, None, {}),
            (None, {"Phone": "3", "City": "Ulm"}, "update", {"Fax": "2", "City": "Ulm"}),
        ],
    )
    def test_by_policy_or_values(
        self,
        journal: Journal,
        policy: PolicyName | None,
        fields: dict[str, Any] | None,
        kind: str | None,
        sent: dict[str, Any],
    ) -> None:
        """A side, or values, decide; the draft stands on the remote's new version."""
        observed(journal, {"Phone": "1", "Fax": "1"})
        journal.update(ACME, {"Phone": "2", "Fax": "2"})
        observed(journal, {"Phone": "3", "Fax": "1"}, "v2")
        draft_id = hold(journal, "conflict")

        event_id = journal.resolve(draft_id, policy, fields=fields, actor="eve")

        entry = journal.log.stream(ACME)[-1]
        assert (entry.event_id, entry.actor) == (event_id, "eve")
        event = entry.event
        assert isinstance(event, ConflictResolved)
        assert (event.kind, event.fields, event.remote_version) == (kind, sent, "v2")
        assert (event.base, event.theirs) == (
            {"Phone": "1", "Fax": "1"},
            {"Phone": "3", "Fax": "1"},
        )
        record = journal.load(ACME)
        assert [change.base_version for change in record.changes] == (["v2"] if kind else [])

    def test_a_value_is_what_later_drafts_stand_on(self, journal: Journal) -> None:
        """R5: a value of a person's is the base of what follows; a dropped one is not."""
        observed(journal, {"Phone": "1", "Fax": "1"})
        journal.update(ACME, {"Phone": "2", "Fax": "2"})
        journal.update(ACME, {"Phone": "8", "Fax": "8"})
        observed(journal, {"Phone": "3", "Fax": "3"}, "v2")
        draft_id = hold(journal, "conflict")

        journal.resolve(draft_id, "theirs", fields={"Phone": "9"})

        assert journal.load(ACME).changes[1].base == {"Phone": "9", "Fax": "2"}

    def test_open_fields_are_refused(self, journal: Journal) -> None:
        """What is still open is named, with what it is on both sides."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        observed(journal, {"Phone": "3"}, "v2")
        draft_id = hold(journal, "conflict")

        with pytest.raises(ConflictUnresolvedError, match='at the remote "3"') as caught:
            journal.resolve(draft_id, "merge")

        assert caught.value.messages.keys() == {"Phone"}
        assert "Account:acme" in str(caught.value)
        with pytest.raises(DanglingReferenceError, match=r"^Account:acme /Of: Account:nobody is "):
            journal.resolve(draft_id, "ours", fields={"Of": Ref("Account:nobody")})
        later = journal.create("Account", {"Name": "later"}, id="later")
        with pytest.raises(DanglingReferenceError, match="is created later than this draft"):
            journal.resolve(draft_id, "ours", fields={"Of": later})
        journal.resolve(draft_id, "ours")
        assert [change.revision for change in journal.load(ACME).changes] == [1]

    def test_gone(self, journal: Journal) -> None:
        """What is gone is created again, with values where some are given, or given up."""
        observed(journal, {"Phone": "1", "City": "Ulm"})
        journal.update(ACME, {"Phone": "2"})
        journal.update(ACME, {"Fax": "7"})
        observed(journal, None, None)
        draft_id = hold(journal, "gone")

        with pytest.raises(ConflictUnresolvedError, match="nothing to give values to"):
            journal.resolve(draft_id, "theirs", fields={"Phone": "9"})
        with pytest.raises(ConflictUnresolvedError, match="no longer has the record"):
            journal.resolve(draft_id, "merge")
        journal.resolve(draft_id, fields={"Phone": "9"})

        event = last(journal)
        assert isinstance(event, ConflictResolved)
        assert {resolution.rule for resolution in event.resolutions} == {"a person's values"}
        change = journal.load(ACME).changes[0]
        assert (change.kind, change.fields) == ("create", {"Phone": "9", "City": "Ulm"})
        assert journal.load(ACME).fields == {"Phone": "9", "City": "Ulm", "Fax": "7"}
        assert journal.resolve(draft_id, "ours") is None

    def test_a_delete_takes_no_values(self, journal: Journal) -> None:
        """A delete is decided for a side."""
        observed(journal, {"Phone": "1"})
        journal.delete(ACME)
        observed(journal, {"Phone": "3"}, "v2")
        draft_id = hold(journal, "conflict")

        words = ": a delete takes no values; decide for ours or theirs$"
        with pytest.raises(DraftStateError, match=words):
            journal.resolve(draft_id, fields={"Phone": "9"})
        journal.resolve(draft_id, "theirs")

        assert journal.load(ACME).fields == {"Phone": "3"}

    @pytest.mark.parametrize(("is_held", "hint"), [(True, "amend it"), (False, "let it be sent")])
    def test_what_is_no_conflict_is_refused(
        self,
        journal: Journal,
        is_held: bool,  # noqa: FBT001  a parameter of the test
        hint: str,
    ) -> None:
        """A draft in no conflict is decided by another verb."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = hold(journal) if is_held else draft_of(journal)

        with pytest.raises(DraftStateError, match=f"not held in a conflict; {hint}"):
            journal.resolve(draft_id, "ours")
        with pytest.raises(DraftStateError, match="nothing of it has left"):
            journal.resolve(draft_id, applied=True)

    @pytest.mark.parametrize("kind", ["create", "update", "delete"])
    def test_what_is_unknown_has_no_sides(self, journal: Journal, kind: str) -> None:
        """V2, V3: nothing that may be applied is dropped, changed or made another by a policy."""
        if kind != "create":
            observed(journal, {"Name": "Acme"})
        match kind:
            case "create":
                journal.create("Account", {"Name": "Acme"}, id="acme")
                journal.create("Visit", {"Account": ACME}, id="v1")
            case "update":
                journal.update(ACME, {"Name": "Bolt"})
            case _:
                journal.delete(ACME)
        draft_id = hold(journal, "unknown")
        head = journal.log.head()

        for policy in ("ours", "theirs", "merge"):
            with pytest.raises(DraftStateError, match="resolve it as applied; or retry it"):
                journal.resolve(draft_id, policy)
        with pytest.raises(DraftStateError, match="resolve it as applied; or retry it"):
            journal.resolve(draft_id, fields={"Name": "Cole"})

        assert journal.log.head() == head

    def test_applied(self, journal: Journal) -> None:
        """A person's word acknowledges what may have been applied."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = hold(journal, "unknown")

        journal.resolve(draft_id, applied=True, remote_version="v7", reason="I have looked")

        assert last(journal) == DraftAcknowledged(
            draft_id=draft_id, remote_id="acme", remote_version="v7", evidence="person"
        )
        assert journal.load(ACME).changes == ()

    def test_applied_after_a_decision(self, journal: Journal) -> None:
        """It is the draft as it was decided that the remote has, and not as it was made."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        observed(journal, {"Phone": "3"}, "v2")
        journal.resolve(hold(journal, "conflict"), "ours")
        draft_id = hold(journal, "unknown")

        journal.resolve(draft_id, applied=True)

        event = last(journal)
        assert isinstance(event, DraftAcknowledged)
        assert event.revision == 1

    @pytest.mark.parametrize(
        ("known", "said", "noted"),
        [(None, None, "acme"), ("001", None, "001"), (None, "002", "002"), ("001", "002", "002")],
    )
    def test_applied_to_which_record(
        self, journal: Journal, known: str | None, said: str | None, noted: str
    ) -> None:
        """The id that a person names is the remote's; else the one that is known, or our own."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        if known is not None:
            seen = RecordObserved(exists=True, fields={}, remote_id=known, remote_version="v1")
            note(journal, seen)
        draft_id = hold(journal, "unknown")

        journal.resolve(draft_id, applied=True, remote_id=said)

        event = last(journal)
        assert isinstance(event, DraftAcknowledged)
        assert event.remote_id == noted

    def test_a_choice_must_be_one(self, journal: Journal) -> None:
        """Neither nothing nor two things are a decision; nor is another policy."""
        journal.create("Account", {"Name": "Acme"}, id="acme")
        draft_id = draft_of(journal)

        words = (
            f"it is not said how draft '{draft_id}' is decided; "
            "name a policy, or give values; or say that it is applied, and neither$"
        )
        with pytest.raises(RefusedError, match=words):
            journal.resolve(draft_id)
        with pytest.raises(RefusedError, match="it is not said how"):
            journal.resolve(draft_id, "ours", applied=True)
        with pytest.raises(PolicyError, match="policy 'hold'"):
            journal.resolve(draft_id, "hold")


class TestQueue:
    """Stopping the queue, and starting it."""

    def test_stop_and_start(self, journal: Journal) -> None:
        """Each is an event of the queue's stream, and each only once."""
        journal.create("Account", {"Name": "Acme"}, id="acme")

        assert [journal.stop_queue(reason="lunch"), journal.stop_queue()] == [True, False]
        assert Drafts(journal).status().sentence == (
            "the queue is stopped: it was stopped by ann (lunch); 1 draft waits until it is started"
        )
        assert [journal.start_queue(), journal.start_queue()] == [True, False]

        events = [entry.event for entry in journal.log.stream(QUEUE)]
        assert events == [QueueStopped(cause="person"), QueueStarted()]

    def test_an_unknown_keyword_is_refused(self, journal: Journal) -> None:
        """A misspelt part of the envelope is an ordinary error."""
        with pytest.raises(TypeError, match="unexpected keyword argument 'reasons'"):
            journal.stop_queue(reasons="lunch")  # type: ignore[call-arg]


class TestWhatIf:
    """A dry run of other policies."""

    def test_over_what_was_decided(self, journal: Journal) -> None:
        """Each conflict of the past is decided again; nothing is changed."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        observed(journal, {"Phone": "3"}, "v2")
        draft_id = hold(journal, "conflict")
        journal.resolve(draft_id, "ours")
        head = journal.log.head()
        hold(journal, "rejected")

        def tried(policy: PolicyName) -> list[tuple[int, bool, bool]]:
            found = what_if(journal.log.scan(), Policies(default=policy))
            return [(w.position, w.is_same, isinstance(w.verdict, Unresolved)) for w in found]

        assert tried("ours") == [(head - 1, False, False), (head, True, False)]
        assert tried("theirs") == [(head - 1, False, False), (head, False, False)]
        assert tried("merge") == [(head - 1, True, True), (head, False, True)]
        assert journal.log.head() == head + 2
        met = next(what_if(journal.log.scan(), Policies(default="ours"))).conflict
        assert (met.draft_id, met.ours, met.remote) == (draft_id, {"Phone": "2"}, {"Phone": "3"})

    def test_what_was_gone_is_tried_too(self, journal: Journal) -> None:
        """A draft that was held for a record that is gone would be decided by other policies."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        observed(journal, None, None)
        hold(journal, "gone")

        found = list(what_if(journal.log.scan(), Policies(default="ours")))

        assert [(w.conflict.remote, w.is_same) for w in found] == [(None, False)]


class TestSettled:
    """What is noted of the remote's record where a draft is refused for what it is."""

    @pytest.mark.parametrize(
        ("known", "seen", "noted"),
        [
            (None, Seen({"Phone": "3"}), "acme"),
            ("001", Seen({"Phone": "3"}), "001"),
            ("001", Seen({"Phone": "3"}, "002"), "002"),
            (None, Seen(None), None),
            ("001", Seen(None), "001"),
            (None, Seen(None, "002"), "002"),
        ],
    )
    def test_under_which_id(
        self, journal: Journal, known: str | None, seen: Seen, noted: str | None
    ) -> None:
        """That which was seen, or is known; what is there without one has our own."""
        journal.create("Account", {"Phone": "2"}, id="acme")
        if known is not None:
            note(journal, RecordObserved(exists=True, fields={"Phone": "1"}, remote_id=known))
        record = journal.load(ACME)
        refused = Refused("conflict", (), 409, "", seen)

        events = settled(record, record.changes[0], refused, 1, Policies(default="merge"))

        observed = events[0]
        assert isinstance(observed, RecordObserved)
        assert (observed.remote_id, observed.exists) == (noted, seen.fields is not None)

    def test_what_is_gone_is_noted_as_gone(self, journal: Journal) -> None:
        """A remote that says so needs no read to be believed."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        record = journal.load(ACME)

        events = settled(record, record.changes[0], Refused("gone"), 1, Policies(default="merge"))

        assert isinstance(events[0], RecordObserved)
        assert events[0].exists is False

    def test_other_refusals_note_nothing(self, journal: Journal) -> None:
        """What was seen of a draft that is no good is nothing to decide by."""
        observed(journal, {"Phone": "1"})
        journal.update(ACME, {"Phone": "2"})
        record = journal.load(ACME)
        refused = Refused("rejected", seen=Seen({"Phone": "3"}))

        events = settled(record, record.changes[0], refused, 1, Policies(default="merge"))

        assert [type(event) for event in events] == [DraftHeld]


def test_resolutions_are_counted_until_a_hold(journal: Journal) -> None:
    """V4: what is resolved is counted in the record, and anew after a hold."""
    observed(journal, {"Phone": "1"})
    journal.update(ACME, {"Phone": "2"})
    draft_id = draft_of(journal)
    for revision in range(1, MAX_RESOLUTIONS + 1):
        event = ConflictResolved(
            draft_id=draft_id,
            revision=revision,
            base={"Phone": "1"},
            ours={"Phone": "2"},
            theirs={"Phone": "1"},
            resolutions=(Resolution(field="Phone", side="ours", rule="changed here only"),),
            kind="update",
            fields={"Phone": "2"},
        )
        note(journal, event)

    assert journal.load(ACME).changes[0].resolved == MAX_RESOLUTIONS
    hold(journal, "conflict")
    assert journal.load(ACME).changes[0].resolved == 0


def test_the_original_is_never_rewritten(journal: Journal) -> None:
    """Whatever is decided, the entry of the change stays what it was."""
    observed(journal, {"Phone": "1"})
    journal.update(ACME, {"Phone": "2"})
    before = journal.log.rows()
    journal.amend(draft_of(journal), {"Phone": "3"})
    journal.discard(draft_of(journal))

    assert journal.log.rows()[: len(before)] == before
    kinds = [type(entry.event) for entry in journal.log.read()]
    assert kinds == [RecordObserved, RecordUpdated, DraftAmended, DraftDiscarded]
