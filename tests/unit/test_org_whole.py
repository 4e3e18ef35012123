"""Changes of one batch as one transaction of an org: every answer is written in the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.events import DraftHeld, FieldMessage
from journal.outcomes import Refused
from journal.remotes.remote import Push
from journal.remotes.salesforce import composite
from journal.remotes.salesforce.bound import cannot, held_up, problem_of
from journal.remotes.salesforce.settings import Settings
from journal.sources import Sources
from projections import Drafts
from tests.unit import test_org_together
from tests.unit.scripted import LOST, REFUSED, outcomes
from tests.unit.test_org_together import (
    BUSY,
    DONE,
    KEY,
    LATER,
    NO_FIELD,
    RULE,
    THEN,
    UNDONE,
    Hands,
    known,
    made,
    org_id,
    receipts,
    row,
    rows,
    says,
    seen,
    serial,
    states,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import ChangeKind

MINTED: Final = "0197c0de-0000-7000-8000-00000000000"
BACK: Final = (400, UNDONE)
STALE: Final = [{"errorCode": "PRECONDITION_FAILED", "message": "it was modified"}]
TAKEN: Final = [{"errorCode": "DUPLICATE_VALUE", "message": f"duplicate value found: {KEY}"}]
GONE: Final = [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}]
NONE: Final = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


class Script(test_org_together.Script):
    """A drain to an org that takes the changes of one batch together or not at all."""

    def __init__(self, journal: Journal, **settings: Any) -> None:  # noqa: ANN401  any key
        """Send the drafts of that journal."""
        super().__init__(journal, **{"batches": "whole", **settings})


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal, in which a wait takes no time."""
    with Journal(actor="ann", origin="van-7", sources=Sources(Hands())) as journal:
        yield journal


def creating(journal: Journal, count: int = 2) -> None:
    """Make accounts offline, in one batch, under keys that are ours alone."""
    with journal.batch():
        for number in range(1, count + 1):
            journal.create("Account", {"Name": f"n{number}"}, id=f"{MINTED}{number}")


def changing(journal: Journal, count: int = 2) -> list[Ref]:
    """Change accounts that the org has, in one batch."""
    found = known(journal, count)
    with journal.batch():
        for ref in found:
            journal.update(ref, {"Name": "new"})
    return found


def held(journal: Journal) -> list[tuple[str, str, list[str]]]:
    """Return of each held draft whose it is, as what, and what is said."""
    drafts = [found.draft for found in Drafts(journal).pending()]
    return [
        (d.ref.id, d.hold.classification, [m.message for m in d.hold.messages])
        for d in drafts
        if d.hold is not None
    ]


def new(*numbers: int, **fields: Any) -> tuple[int, Any]:  # noqa: ANN401  JSON
    """Return the rows of accounts that the batch has made."""
    return rows(
        *[row(n, LATER, **{"Name": f"n{n}", KEY: f"{MINTED}{n}", **fields}) for n in numbers]
    )


def changed(count: int = 2) -> tuple[int, Any]:
    """Return the rows of accounts that the batch has changed."""
    return seen(count, Name="new", modified=LATER)


def settings_of(**said: Any) -> Settings:  # noqa: ANN401  any key
    """Return the settings of an org."""
    return Settings.of({"url": "https://acme.my.salesforce.com", "key": KEY, **said})


def pushed(journal: Journal, kind: ChangeKind, count: int) -> list[Push]:
    """Return changes of one batch on their way."""
    found = []
    for ref in known(journal, count):
        record = journal.load(ref)
        push = Push(f"d{ref.id}", ref, kind, {}, {}, THEN, 0, False, record, {})  # noqa: FBT003
        found.append(push._replace(batch=1, batch_size=count))
    return found


class TestCall:
    """The call of a batch."""

    def test_is_a_transaction(self, journal: Journal) -> None:
        """B7: though none of its requests is conditional, and none needs another."""
        creating(journal)
        script = Script(journal)

        report = script.drain(whole(made(1), made(2), new(1, 2)))

        assert report.acknowledged == 2
        assert script.requests[0].path == "/composite"

    def test_a_delete_behind_others_of_its_record(self, journal: Journal) -> None:
        """What is looked up together may be undone in the same call."""
        [ref] = known(journal, 1)
        with journal.batch():
            journal.update(ref, {"Name": "b"})
            journal.delete(ref)
        script = Script(journal)

        assert script.drain(serial(seen(1)), whole(DONE, DONE)).acknowledged == 2

    def test_a_query_that_fails(self, journal: Journal) -> None:
        """What is read behind must not stop what is written: it is read by a call of its own."""
        creating(journal)
        script = Script(journal)

        report = script.drain(
            whole(BACK, BACK, (400, NO_FIELD)), whole(made(1), made(2)), serial(new(1, 2))
        )

        assert report.acknowledged == 2
        assert [len(parts) for parts in script.parts] == [3, 2, 1]

    def test_a_query_that_fails_apart(self, journal: Journal) -> None:
        """The receipts stand, whatever comes of what is read after them."""
        creating(journal)

        report = Script(journal).drain(
            whole(BACK, BACK, (503, BUSY)), whole(made(1), made(2)), says(503, BUSY)
        )

        assert report.acknowledged == 2

    def test_a_condition_on_parts_of_a_second(self, journal: Journal) -> None:
        """Where the record is as we know it, the batch goes again with a later date."""
        changing(journal)
        script = Script(journal)
        read = says(200, row(1, Name="n1"))

        report = script.drain(
            serial(seen()),
            whole((412, STALE), BACK, BACK),
            *[read] * 2,
            serial(seen()),
            whole(DONE, DONE, changed()),
        )

        assert report.acknowledged == 2
        said = json.loads(script.requests[-1].body or b"")["compositeRequest"]
        dates = [part["httpHeaders"]["If-Unmodified-Since"][-6:] for part in said[:2]]
        assert dates == ["01 GMT", "00 GMT"]

    def test_that_nothing_is_sent_alone(self, journal: Journal) -> None:
        """B7: the first is held where its batch cannot go, with what would mend that."""
        with journal.batch():
            for number in range(60):
                journal.create("Account", {"Name": f"n{number}"})
        script = Script(journal)

        script.drain()

        [(_, classification, said)] = held(journal)
        assert classification == "rejected"
        assert said[0] == (
            "the 60 changes of its batch are applied together or not at all, and cannot be sent "
            "so: a call holds no more than 25 requests; discard some of them, or set "
            'batches = "order" for the org, and retry it'
        )

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"types": {"Account": {"allow_duplicates": True}}}, "has allow_duplicates"),
            ({"types": {"Account": {"create": "ui"}}}, "has no field for our key"),
            ({"capture": {"actor": "By__c"}}, "and they need 26"),
        ],
    )
    def test_what_no_call_can_hold(
        self, journal: Journal, settings: dict[str, Any], words: str
    ) -> None:
        """Each of these is told, and nothing is sent."""
        if "capture" in settings:
            refs = known(journal, 13)
            with journal.batch():
                for ref in refs:
                    journal.delete(ref)
        else:
            creating(journal)

        Script(journal, **settings).drain()

        [(_, _, said)] = held(journal)
        assert words in said[0]

    def test_what_is_too_large(self, journal: Journal) -> None:
        """So is a batch that holds more than a call may."""
        with journal.batch():
            for number in range(1, 3):
                journal.create("Account", {"Name": "x" * 999_990}, id=f"a{number}")

        Script(journal).drain()

        [(ref, _, said)] = held(journal)
        assert (ref, "too large for one call" in said[0]) == ("a2", True)
        assert states(journal) == ["pending", "held"]

    def test_what_no_query_shows(self, journal: Journal) -> None:
        """So is one with changes of records that no query shows."""
        changing(journal)

        Script(journal).drain(serial((400, NO_FIELD)))

        [(_, _, said)] = held(journal)
        assert "the org shows no Account by a query" in said[0]

    def test_what_the_org_does_not_take_itself(self, journal: Journal) -> None:
        """Where the org refuses such calls, the first is held, and nothing goes by itself."""
        creating(journal)
        journal.create("Account", {"Name": "n3"}, id="a3")
        script = Script(journal, reads_back=False)

        one = says(201, {"id": org_id(3), "success": True, "created": True})
        report = script.drain(says(404, NONE), one)

        assert (report.acknowledged, report.held) == (1, 1)
        [(_, _, said)] = held(journal)
        assert "the org refused the call itself" in said[0]
        assert said[-1] == "1 other change of the same batch waits with it"

    def test_a_key_that_the_org_does_not_take(self, journal: Journal) -> None:
        """What cannot be sent is held by itself, with its reason."""
        with journal.batch():
            journal.create("Account", {"Name": "n1"}, id="a1")
            journal.create("Account", {"Name": "n2"}, id="a.2")

        Script(journal).drain()

        [(ref, _, said)] = held(journal)
        assert (ref, "takes no key" in said[0]) == ("a.2", True)

    def test_a_pause_that_is_due(self, journal: Journal) -> None:
        """O1: a batch waits for it, whole, and is not held."""
        journal.create("Account", {"Name": "n1"}, id="a1")
        creating(journal)
        script = Script(journal, reads_back=False)
        used = {"sforce-limit-info": "api-usage=90/100"}
        one = says(201, {"id": org_id(1), "success": True, "created": True}, **used)

        report = script.drain(one, whole(made(1), made(2)))

        assert (report.acknowledged, report.held) == (3, 0)
        assert sum(script.pauses) > 9

    @pytest.mark.parametrize("kind", ["create", "update"])
    def test_a_text_like_the_name_of_a_result(self, journal: Journal, kind: str) -> None:
        """B3: what the org would read as the name of a result is told, and not sent."""
        [ref] = known(journal, 1)
        with journal.batch():
            journal.create("Account", {"Name": "n2"}, id="a2")
            if kind == "create":
                journal.create("Account", {"Name": "@{r0.id}"}, id="a3")
            else:
                journal.update(ref, {"Name": "@{r0.id}"})

        Script(journal).drain(*[serial(seen(1))] * (kind == "update"))

        [(_, _, said)] = held(journal)
        assert "has '@{', by which the org names what a call has made" in said[0]

    def test_a_read_that_fails_first(self, journal: Journal) -> None:
        """Where the records cannot be read, nothing of the batch has left: it is tried again."""
        changing(journal)
        script = Script(journal)

        report = script.drain(REFUSED, serial(seen()), whole(DONE, DONE, changed()))

        assert (report.acknowledged, len(script.pauses)) == (2, 1)

    def test_as_many_as_a_call_holds(self, journal: Journal) -> None:
        """They go in one call, each with all that is known."""
        with journal.batch():
            for number in range(composite.MOST):
                journal.create("Account", {"Name": f"n{number}"}, id=f"b{number}")
        script = Script(journal, reads_back=False)

        report = script.drain(whole(*[made(number) for number in range(composite.MOST)]))

        assert (report.acknowledged, len(script.requests)) == (composite.MOST, 1)


class TestProblems:
    """Why a batch surely cannot be one transaction."""

    CAPTURE: Final = {"capture": {"actor": "By__c"}}

    def test_only_deletes_take_a_request_to_say_whose_they_are(self, journal: Journal) -> None:
        """Other changes say it themselves."""
        pushes = pushed(journal, "update", composite.MOST)

        assert problem_of(settings_of(**self.CAPTURE), pushes) == ""

    def test_a_delete_of_a_type_that_says_nothing(self, journal: Journal) -> None:
        """It takes one request, whatever others take."""
        own = settings_of(**self.CAPTURE, types={"Account": {"capture": {}}})

        assert problem_of(own, pushed(journal, "delete", composite.MOST)) == ""

    def test_a_batch_of_which_only_one_is_here(self, journal: Journal) -> None:
        """It is one of all the same."""
        [push] = pushed(journal, "update", 1)

        said = problem_of(settings_of(), [push._replace(batch_size=2)])

        assert said == "a call holds no more than 25 requests"

    def test_a_delete_makes_no_duplicates(self, journal: Journal) -> None:
        """The header is not needed for it."""
        own = settings_of(types={"Account": {"allow_duplicates": True}})

        assert problem_of(own, pushed(journal, "delete", 2)) == ""

    def test_why_it_cannot_be_sent(self, journal: Journal) -> None:
        """Where no reason is known, none is told."""
        [push, _] = pushed(journal, "update", 2)

        assert cannot(push, "").problem == (
            "the 2 changes of its batch are applied together or not at all"
        )

    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_what_waits_with_it(self, journal: Journal, at: int) -> None:
        """All but one have no outcome yet; the one that is held says how many wait with it."""
        refusal = Refused("rejected", (FieldMessage(message="no"),))

        told = held_up(pushed(journal, "update", 3), at, refusal)

        assert [each is None for each in told] == [number != at for number in range(3)]
        held = told[at]
        assert isinstance(held, Refused)
        assert [said.message for said in held.messages] == [
            "no",
            "2 other changes of the same batch wait with it",
        ]


class TestRefusal:
    """What is refused, and by whom."""

    def test_for_now(self, journal: Journal) -> None:
        """What is locked is tried again, with all others, after the records were read."""
        creating(journal)
        script = Script(journal)
        locked = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain"}]

        report = script.drain(
            whole(BACK, (400, locked), BACK), serial(rows()), whole(made(1), made(2), new(1, 2))
        )

        assert (report.acknowledged, report.held, len(script.pauses)) == (2, 0, 1)

    def test_a_record_that_is_gone(self, journal: Journal) -> None:
        """A record that the query does not list is looked up, and held as gone."""
        changing(journal)
        script = Script(journal)

        script.drain(serial(rows(row(1, Name="n1"))), *[says(404, NONE)] * 2)

        assert held(journal)[0][:2] == ("a2", "gone")
        assert states(journal) == ["pending", "held"]

    def test_is_settled_by_reads(self, journal: Journal) -> None:
        """B9: what the org says of one is looked up, and nothing is written by itself."""
        creating(journal)
        script = Script(journal)

        report = script.drain(
            whole(BACK, (400, TAKEN), BACK),
            *[says(200, row(9, Name="other", **{KEY: f"{MINTED}2"}))] * 2,
        )

        assert report.acknowledged == 0
        [(ref, classification, said)] = held(journal)
        assert (ref, classification) == (f"{MINTED}2", "conflict")
        assert [request.method for request in script.requests[1:]] == ["GET", "GET"]
        assert said[-1] == "1 other change of the same batch waits with it"

    def test_behind_a_change_of_the_record(self, journal: Journal) -> None:
        """Of a record that was not made there is nothing to be read."""
        with journal.batch():
            journal.create("Account", {"Name": "n2"}, id=f"{MINTED}2")
            journal.update(f"Account:{MINTED}2", {"Name": "m"})
        script = Script(journal)

        script.drain(whole(BACK, (404, NONE), BACK))

        [(_, classification, said)] = held(journal)
        assert (classification, said[0]) == ("rejected", NONE[0]["message"])

    def test_a_record_that_is_so_already(self, journal: Journal) -> None:
        """What somebody else has made so is done; the others go."""
        changing(journal, 3)
        script = Script(journal, reads_back=False)

        report = script.drain(
            serial(rows(row(1, LATER, Name="new"), row(2, Name="n2"), row(3, Name="n3"))),
            says(200, row(1, LATER, Name="new")),
            serial(rows(row(2, Name="n2"), row(3, Name="n3"))),
            whole(DONE, DONE),
        )

        assert report.acknowledged == 3

    @pytest.mark.parametrize(
        "read", [says(403, NO_FIELD), says(200, row(1, Name="n1"))], ids=["refused", "as it was"]
    )
    def test_reads_that_settle_nothing(self, journal: Journal, read: Any) -> None:  # noqa: ANN401
        """Where reads refuse, or contradict one another, all of it is tried again."""
        changing(journal)
        script = Script(journal)

        report = script.drain(
            serial(rows(row(1, LATER, Name="other"), row(2, Name="n2"))),
            read,
            serial(seen()),
            whole(DONE, DONE, changed()),
        )

        assert (report.acknowledged, len(script.pauses)) == (2, 1)


class TestDoubt:
    """What may be applied."""

    @pytest.mark.parametrize(
        "answer",
        [
            LOST,
            says(200, {"compositeResponse": []}),
            whole(made(1), (400, RULE), BACK),
            whole(BACK, BACK, BACK),
            says(500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "?"}]),
            says(503, BUSY),
        ],
        ids=["lost", "unsaid", "carried on", "nobody", "failed", "busy"],
    )
    @pytest.mark.parametrize("is_applied", [True, False])
    def test_is_looked_up(self, journal: Journal, answer: Any, *, is_applied: bool) -> None:  # noqa: ANN401
        """B8: what an answer leaves open is read from the records, by one call."""
        creating(journal)
        script = Script(journal)

        found = (
            [serial(new(1, 2))]
            if is_applied
            else [serial(rows()), whole(made(1), made(2), new(1, 2))]
        )
        report = script.drain(answer, *found)

        assert (report.acknowledged, report.held) == (2, 0)
        assert journal.load(f"Account:{MINTED}2").remote.remote_id == org_id(2)

    def test_a_change_of_somebody_else_since(self, journal: Journal) -> None:
        """W1: one record that tells is enough; what others have changed since is taken in."""
        refs = changing(journal)
        script = Script(journal)

        report = script.drain(
            serial(seen()),
            LOST,
            serial(rows(row(1, LATER, Name="new"), row(2, LATER, Name="theirs"))),
        )

        assert report.acknowledged == 2
        assert journal.load(refs[1]).fields == {"Name": "theirs"}

    def test_records_that_do_not_tell(self, journal: Journal) -> None:
        """W2: where others have changed all of them, a person decides; none is sent alone."""
        changing(journal)
        script = Script(journal)
        theirs = serial(rows(row(1, LATER, Name="x"), row(2, LATER, Name="y")))

        report = script.drain(serial(seen()), LOST, theirs, theirs)

        assert (report.acknowledged, report.held) == (0, 1)
        [(ref, classification, said)] = held(journal)
        assert (ref, classification) == ("a1", "unknown")
        assert "look whether the org has the changes of this batch" in said[0]
        assert states(journal) == ["held", "sending"]

    def test_records_that_contradict(self, journal: Journal) -> None:
        """W2: a part that is applied, and a part that is not, is no work of one call."""
        changing(journal)
        half = serial(rows(row(1, LATER, Name="new"), row(2, Name="n2")))

        report = Script(journal).drain(serial(seen()), LOST, half, half)

        assert report.held == 1

    def test_two_reads_that_differ(self, journal: Journal) -> None:
        """Nothing is held by one read alone."""
        changing(journal)
        half = serial(rows(row(1, LATER, Name="new"), row(2, Name="n2")))
        script = Script(journal)

        report = script.drain(serial(seen()), LOST, half, serial(rows(*changed()[1]["records"])))

        assert (report.acknowledged, report.held) == (2, 0)

    def test_deletes(self, journal: Journal) -> None:
        """Records that are gone are as the batch leaves them, once a second read says so, too."""
        refs = known(journal)
        with journal.batch():
            for ref in refs:
                journal.delete(ref)
        script = Script(journal)

        report = script.drain(serial(seen()), LOST, serial(rows()), serial(rows()))

        assert report.acknowledged == 2
        assert [receipt.remote_id for receipt in receipts(journal)] == [org_id(1), org_id(2)]

    def test_two_changes_of_a_record(self, journal: Journal) -> None:
        """Only the last receipt takes in what was read, for the record has no other state."""
        [ref] = known(journal, 1)
        with journal.batch():
            journal.update(ref, {"Name": "m"})
            journal.update(ref, {"City": "c"})
        row_after = serial(rows(row(1, LATER, Name="m", City="c")))

        report = Script(journal, reads_back=False).drain(
            serial(rows(row(1, Name="n1", City=None))), LOST, row_after
        )

        assert report.acknowledged == 2
        assert [each.remote_id for each in receipts(journal)] == [org_id(1)] * 2
        assert [each.remote_version for each in receipts(journal)] == [None, LATER]

    def test_a_look_up_that_fails(self, journal: Journal) -> None:
        """Nothing is sent before the records were read."""
        creating(journal)
        script = Script(journal)

        report = script.drain(
            LOST, REFUSED, serial((503, BUSY)), serial(rows()), whole(made(1), made(2), new(1, 2))
        )

        assert report.acknowledged == 2
        assert len(script.pauses) == 3

    def test_a_person_decides(self, journal: Journal) -> None:
        """What is retried after that is looked up again, with those that wait with it."""
        changing(journal)
        script = Script(journal)
        theirs = serial(rows(row(1, LATER, Name="x"), row(2, LATER, Name="y")))
        script.drain(serial(seen()), LOST, theirs, theirs)
        journal.retry(Drafts(journal).pending()[0].draft.draft_id)

        script.drain(
            serial(rows(row(1, Name="n1"), row(2, Name="n2"))), whole(DONE, DONE, changed())
        )

        kinds = [event for event in outcomes(journal) if isinstance(event, DraftHeld)]
        assert (len(kinds), states(journal)) == (1, [])

    def test_two_reads_that_settle_nothing(self, journal: Journal) -> None:
        """Where each says something else, and neither settles it, it is asked again later."""
        changing(journal)
        half = serial(rows(row(1, LATER, Name="new"), row(2, Name="n2")))
        theirs = serial(rows(row(1, LATER, Name="x"), row(2, LATER, Name="y")))
        script = Script(journal)

        report = script.drain(
            serial(seen()), LOST, half, theirs, serial(rows(*changed()[1]["records"]))
        )

        assert (report.acknowledged, report.held, len(script.pauses)) == (2, 0, 2)

    def test_records_that_no_query_shows(self, journal: Journal) -> None:
        """W2: an org that does not show them says nothing of them."""
        creating(journal)
        unseen = serial((400, NO_FIELD))

        report = Script(journal).drain(LOST, unseen, unseen)

        assert report.held == 1

    def test_a_record_that_is_made_and_deleted(self, journal: Journal) -> None:
        """W1: what leaves nothing says nothing: all of it goes again, which does no harm."""
        with journal.batch():
            ref = journal.create("Account", {"Name": "n1"})
            journal.delete(ref)
        script = Script(journal)

        report = script.drain(LOST, serial(rows()), whole(made(1), DONE))

        assert report.acknowledged == 2

    def test_one_that_was_applied(self, journal: Journal) -> None:
        """Nor does it when another record says that all is applied; its id is not known then."""
        creating(journal, 1)
        with journal.batch():
            ref = journal.create("Account", {"Name": "n2"}, id=f"{MINTED}2")
            journal.delete(ref)
            journal.create("Account", {"Name": "n3"}, id=f"{MINTED}3")
        script = Script(journal, reads_back=False)

        one = says(201, {"id": org_id(1), "success": True, "created": True})
        report = script.drain(one, LOST, serial(new(3)))

        assert report.acknowledged == 4

    def test_a_delete_that_is_not_done(self, journal: Journal) -> None:
        """A record that is there was not deleted, whatever others have made of it."""
        refs = known(journal)
        with journal.batch():
            journal.delete(refs[0])
            journal.update(refs[1], {"Name": "new"})
        script = Script(journal)

        report = script.drain(
            serial(seen()),
            LOST,
            serial(rows(row(1, Name="n1"), row(2, LATER, Name="theirs"))),
            *[says(200, row(2, LATER, Name="theirs"))] * 2,
        )

        assert (report.acknowledged, report.held) == (0, 1)
        assert held(journal)[0][:2] == ("a2", "conflict")

    def test_a_delete_of_what_may_be_out_of_sight(self, journal: Journal) -> None:
        """W2: with on_not_found = "hold", a record that is not found says nothing."""
        refs = known(journal)
        with journal.batch():
            for ref in refs:
                journal.delete(ref)

        report = Script(journal, on_not_found="hold").drain(
            serial(seen()), LOST, serial(rows()), serial(rows())
        )

        assert (report.acknowledged, report.held) == (0, 1)

    def test_a_parent_that_is_made_in_it(self, journal: Journal) -> None:
        """W1: a change that names what the batch makes is known again by the id of that."""
        [ref] = known(journal, 1)
        with journal.batch():
            parent = journal.create("Account", {"Name": "n2"}, id="a2")
            journal.update(ref, {"ParentId": parent})
            journal.update(ref, {"ParentId": parent, "Name": "b"})
        journal.update(ref, {"ParentId": None})
        script = Script(journal, reads_back=False)
        made_so = row(1, LATER, Name="b", ParentId=org_id(2))

        report = script.drain(
            serial(rows(row(1, Name="n1", ParentId=None))),
            LOST,
            serial(rows(made_so, row(2, LATER, Name="theirs"))),
            says(200, made_so),
            says(204),
        )

        assert (report.acknowledged, report.held) == (4, 0)

    @pytest.mark.parametrize("policy", ["done", "hold"])
    def test_a_delete_that_somebody_else_may_have_done(self, journal: Journal, policy: str) -> None:
        """W2: a record that is gone says little where somebody else has changed the others."""
        refs = known(journal)
        with journal.batch():
            journal.delete(refs[0])
            journal.update(refs[1], {"Name": "new"})
        theirs = serial(rows(row(2, LATER, Name="theirs")))

        report = Script(journal, on_not_found=policy).drain(serial(seen()), LOST, theirs, theirs)

        assert (report.acknowledged, report.held) == (0, 1)

    def test_a_change_that_changes_nothing(self, journal: Journal) -> None:
        """W1: a record that is left as it was says nothing."""
        refs = known(journal)
        with journal.batch():
            journal.update(refs[0], {"Name": "new"})
            journal.update(refs[0], {"Name": "n1"})
            journal.delete(refs[1])
        script = Script(journal, reads_back=False)
        after = serial(rows(row(1, LATER, Name="n1")))

        report = script.drain(serial(seen()), LOST, after, after)

        assert (report.acknowledged, report.held) == (3, 0)
