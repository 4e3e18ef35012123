"""Calls to an org, request by request: what is asked, and what each draft is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pytest

from journal import Journal, Ref
from journal.outcomes import Unknown
from journal.remotes import Salesforce
from journal.remotes.salesforce.together import CARRIED_ON, UNSAID
from journal.sources import Sources
from tests.unit.scripted import LOST, REFUSED
from tests.unit.test_org_together import (
    BUSY,
    DONE,
    HALTED,
    KEY,
    LATER,
    NO_FIELD,
    RULE,
    THEN,
    UNDONE,
    Hands,
    Script,
    changing,
    creating,
    known,
    made,
    org_id,
    row,
    rows,
    says,
    seen,
    serial,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal.outcomes import Outcome
    from journal.remotes import Request
    from journal.remotes.remote import Answer

BACK: Final = (400, UNDONE)
STOPPED: Final = (412, HALTED["result"])
OTHERS: Final = [{**row(number, Name="x"), KEY: "x1"} for number in (100, 101)]
CAPTURE: Final = {"capture": {"actor": "By__c"}}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7", sources=Sources(Hands())) as journal:
        yield journal


class Line:
    """An org at the other end, and the drafts that are to go there."""

    def __init__(self, journal: Journal, **settings: Any) -> None:  # noqa: ANN401  any key
        """Send the pending drafts of that journal."""
        given = {"url": "https://acme.my.salesforce.com", "key": KEY, "batches": "order"}
        self.remote = Salesforce.of({**given, **settings}, clock=journal.sources.clock)
        ledger = Script(journal, **settings).session._ledger
        found = [ledger.push_of(draft) for draft in ledger.next_together(60)]
        self.pushes = [push for push in found if push is not None]
        self.requests: list[Request] = []

    @property
    def count(self) -> int:
        """How many of them can go in one call."""
        return self.remote.together(self.pushes)

    def send(self, *answers: Answer) -> Sequence[Outcome | None]:
        """Send the first of them together, and take away those that were told their outcome."""
        exchange = self.remote.push_together(self.pushes[: self.count])
        left = list(answers)
        answer: Any = None
        try:
            while True:
                self.requests.append(exchange.send(answer))
                answer = left.pop(0)
        except StopIteration as ended:
            assert left == []
            told: Sequence[Outcome | None] = ended.value
            self.pushes = self.pushes[len(told) :]
            return told

    def parts(self, at: int) -> list[str]:
        """Return the parts of a call as they are written, but for the quotes in a query."""
        said = json.loads(self.requests[at].body or b"")
        listed = said.get("compositeRequest") or said["batchRequests"]
        return [f"{each['method']} {unquote(each['url'])}" for each in listed]

    def queries(self, at: int) -> list[str]:
        """Return what the queries of a call look for."""
        return [part.partition(" WHERE ")[2] for part in self.parts(at) if "/query/" in part]

    @property
    def paths(self) -> list[str]:
        """The paths of the requests, without what is asked of a record."""
        return [request.path.partition("?")[0] for request in self.requests]


def kinds(told: Sequence[Outcome | None]) -> list[str]:
    """Return what each draft was told."""
    return [type(each).__name__ for each in told]


def of_other_types(journal: Journal, *names: str) -> None:
    """Change records of these types, each of which the org has."""
    for number, name in enumerate(names, 100):
        ref = Ref(f"{name}:x1")
        journal.observe(ref, {"Name": "x"}, remote_id=org_id(number), remote_version=THEN)
        journal.update(ref, {"Name": "y"})


class TestHowMany:
    """How many drafts are begun together, as far as that is plain before anything is read."""

    @pytest.mark.parametrize(("types", "most"), [("A", 24), ("AB", 23), ("ABCDE", 20)])
    def test_each_type_needs_a_query(self, journal: Journal, types: str, most: int) -> None:
        """A call holds 25 requests, these among them."""
        for number in range(30):
            journal.create(f"Type{types[number % len(types)]}", {"Name": "n"})

        assert Line(journal).count == most

    def test_five_queries(self, journal: Journal) -> None:
        """There may be no more in a call, so there are no drafts of six types."""
        for letter in "ABCDEF":
            journal.create(f"Type{letter}", {"Name": "n"})

        assert Line(journal).count == 5

    @pytest.mark.parametrize(
        ("settings", "most"),
        [
            ({}, 24),
            (CAPTURE, 12),
            ({**CAPTURE, "types": {"Account": {"capture": {}}}}, 24),
            ({"types": {"Account": CAPTURE}}, 12),
        ],
    )
    def test_a_delete_that_says_whose_it_is(
        self, journal: Journal, settings: dict[str, Any], most: int
    ) -> None:
        """It takes two requests, where its type has capture fields."""
        for ref in known(journal, 26):
            journal.delete(ref)

        assert Line(journal, **settings).count == most

    def test_an_update_that_says_whose_it_is(self, journal: Journal) -> None:
        """It does so in its one request."""
        changing(journal, 26)

        assert Line(journal, **CAPTURE).count == 24

    def test_a_delete_behind_creates(self, journal: Journal) -> None:
        """B6: it waits for the create of its record, whatever is between the two."""
        creating(journal)
        journal.delete("Account:a1")

        assert Line(journal).count == 2

    def test_a_delete_behind_that_of_a_child(self, journal: Journal) -> None:
        """B6: what is deleted itself is lost to nobody."""
        [ref] = known(journal, 1)
        child = {"LastName": "Li", "AccountId": ref}
        journal.observe("Contact:c1", child, remote_id=org_id(9), remote_version=THEN)
        journal.delete("Contact:c1")
        journal.delete(ref)

        assert Line(journal).count == 2

    @pytest.mark.parametrize(("kind", "most"), [("create", 1), ("update", 1), ("delete", 2)])
    def test_a_header_of_its_own(self, journal: Journal, kind: str, most: int) -> None:
        """No part of a call has one: where duplicates are allowed, only deletes go together."""
        for number, ref in enumerate(known(journal), 3):
            if kind == "create":
                journal.create("Account", {"Name": "n"}, id=f"a{number}")
            elif kind == "update":
                journal.update(ref, {"Name": "b"})
            else:
                journal.delete(ref)

        assert Line(journal, types={"Account": {"allow_duplicates": True}}).count == most

    def test_a_create_without_our_key(self, journal: Journal) -> None:
        """It goes alone, by a key of the request; a change of such a record does not."""
        known(journal, 1)
        journal.create("Contact", {"LastName": "Li"})
        journal.update("Account:a1", {"Name": "b"})
        journal.create("Account", {"Name": "n"})

        line = Line(journal, types={"Account": {"key": ""}})

        assert line.count == 2

    def test_a_text_like_the_name_of_a_result(self, journal: Journal) -> None:
        """B3: it goes alone."""
        creating(journal, 1)
        journal.create("Account", {"Name": "@{r0.id}"})

        assert Line(journal).count == 1

    def test_a_type_that_queries_refuse(self, journal: Journal) -> None:
        """Its changes go alone from then on, whatever else is read; its creates do not."""
        changing(journal)
        line = Line(journal)
        line.send(serial((400, NO_FIELD)), LOST)
        journal.create("B", {"Name": "n"}, id="b1")
        journal.create("B", {"Name": "n"}, id="b2")
        of_other_types(journal, "D", "E")
        journal.create("Account", {"Name": "n"}, id="a3")
        journal.create("Account", {"Name": "n"}, id="a4")
        _, change, *others = Line(journal).pushes

        line.pushes = others[:2]
        line.send(serial(made(1), made(2), rows()))
        line.pushes = others[2:4]
        line.send(serial(*[rows(at) for at in OTHERS]), whole(DONE, DONE, rows(), rows()))

        assert line.remote.together([change, change]) == 1
        assert line.remote.together(others[4:]) == 2

    def test_a_type_that_no_query_can_ask_for(self, journal: Journal) -> None:
        """It has too many fields, which is remembered though only what is behind was asked for."""
        many = {f"Field_{number:04}__c": "x" for number in range(900)}
        for number in (1, 2):
            journal.create("Account", many, id=f"a{number}")
        line = Line(journal)
        line.send(serial(made(1), made(2)))
        changing(journal)

        assert Line(journal).count == 4
        assert line.remote.together(Line(journal).pushes[2:]) == 1


class TestReads:
    """What is asked for before a call, and behind it."""

    def test_records_that_are_known_are_asked_for_by_their_ids(self, journal: Journal) -> None:
        """First all that are to be changed, then what has become of them."""
        changing(journal)
        line = Line(journal)

        line.send(serial(seen()), whole(DONE, DONE, seen(2, Name="new", modified=LATER)))

        ids = f"Id IN ('{org_id(1)}', '{org_id(2)}')"
        assert line.queries(0) == line.queries(1) == [ids]

    def test_records_that_are_made_are_asked_for_by_our_key(self, journal: Journal) -> None:
        """What the org will call them is not known yet."""
        creating(journal, 1)
        journal.update("Account:a1", {"Phone": "1"})
        line = Line(journal)

        line.send(whole(made(1), DONE, rows()))

        assert line.queries(0) == [f"{KEY} IN ('a1')"]

    def test_the_first_read(self, journal: Journal) -> None:
        """It is of the version that the settings name, and one query does not stop the others."""
        changing(journal)
        line = Line(journal, api_version="66.0")

        line.send(serial(rows()), LOST)

        said = json.loads(line.requests[0].body or b"")
        assert said["haltOnError"] is False
        assert line.parts(0)[0].startswith("GET v66.0/query/?q=SELECT Id, LastModifiedDate, ")

    def test_what_comes_next(self, journal: Journal) -> None:
        """V1: all of it is asked for behind a call."""
        changing(journal, 27)
        line = Line(journal, reads_back=False)

        line.send(serial(seen(24)), whole(*[DONE] * 24, rows()))

        ids = ", ".join(f"'{org_id(number)}'" for number in (25, 26, 27))
        assert line.queries(1) == [f"Id IN ({ids})"]

    def test_no_more_queries_than_there_is_room_for(self, journal: Journal) -> None:
        """What has become of the drafts of the call comes first, and a call has 25 requests."""
        creating(journal, 24)
        of_other_types(journal, "B", "C")
        line = Line(journal)

        line.send(serial(*map(made, range(24)), rows()))

        assert len(line.parts(0)) == 25
        assert "Journal_Key__c IN" in line.queries(0)[0]

    def test_no_more_than_five_queries(self, journal: Journal) -> None:
        """However many types come next."""
        for letter in "ABCDE":
            journal.create(f"Type{letter}", {"Name": "n"}, id="n1")
        of_other_types(journal, "F", "G")
        line = Line(journal)

        told = line.send(serial(*map(made, range(5)), *[rows()] * 5))

        assert kinds(told) == ["Acknowledged"] * 5
        assert len(line.queries(0)) == 5

    def test_the_allowance_is_told_by_reads_too(self, journal: Journal) -> None:
        """O1: where a pause is due behind one, no others are begun that would have to wait."""
        changing(journal, 3)
        line = Line(journal)
        used = says(503, BUSY, **{"sforce-limit-info": "api-usage=900/1000"})

        assert kinds(line.send(used)) == ["Wait"]

        assert line.count == 1

    def test_an_org_that_takes_no_such_reads(self, journal: Journal) -> None:
        """What it says of them is said of no draft: the first goes alone, at once."""
        changing(journal)
        line = Line(journal)
        no = says(404, [{"errorCode": "NOT_FOUND", "message": "no"}])

        told = line.send(no, says(200, row(1, Name="n1")), says(204), says(503))

        assert kinds(told) == ["Acknowledged"]
        assert line.paths == ["/composite/batch", *[f"/sobjects/Account/{org_id(1)}"] * 3]

    def test_all_types_of_a_batch(self, journal: Journal) -> None:
        """B8: what was read of one type is not forgotten for what was read of another."""
        with journal.batch():
            journal.create("Account", {"Name": "n1"}, id="a1")
            journal.create("Contact", {"LastName": "Li"}, id="c1")
        line = Line(journal, batches="whole")
        line.pushes = [push._replace(is_maybe_applied=True) for push in line.pushes]

        told = line.send(
            serial(rows(row(1, Name="n1")), rows({**row(9, LastName="Li"), KEY: "c1"}))
        )

        assert kinds(told) == ["Acknowledged"] * 2


class TestOneByOne:
    """B5: a draft that the org refuses among others goes alone after that."""

    def test_fewer_are_begun_behind_it(self, journal: Journal) -> None:
        """As many as went, and at least two; then twice as many each time, as long as all go."""
        creating(journal, 20)
        line = Line(journal, reads_back=False)

        first = line.send(serial(made(1), (400, RULE), *[STOPPED] * 18))

        assert (kinds(first), line.count) == (["Acknowledged"], 1)
        line.pushes = line.pushes[1:]
        counts = [line.count]
        for _ in range(2):
            line.send(serial(*map(made, range(line.count))))
            counts.append(line.count)
        assert counts == [2, 4, 8]

    def test_as_many_as_went(self, journal: Journal) -> None:
        """Three went before one that was refused: three are begun behind it."""
        creating(journal, 10)
        line = Line(journal, reads_back=False)

        line.send(serial(made(1), made(2), made(3), (400, RULE), *[STOPPED] * 6))
        line.pushes = line.pushes[1:]

        assert line.count == 3


class TestFailures:
    """B4: of a call of which not everything is known, each draft of it is told the same."""

    @pytest.mark.parametrize(
        ("answer", "kind"), [(LOST, "Unknown"), (says(500), "Unknown"), (says(503), "Wait")]
    )
    def test_of_the_whole_call(self, journal: Journal, answer: Answer, kind: str) -> None:
        """It may have been carried out before: all of them are in doubt."""
        creating(journal)
        line = Line(journal)

        assert kinds(line.send(answer)) == [kind] * 2

    def test_that_it_is_not_sent(self, journal: Journal) -> None:
        """None of them is in doubt then; the first is told, and begun again."""
        creating(journal)

        assert kinds(Line(journal).send(REFUSED)) == ["NotSent"]

    def test_that_it_is_refused(self, journal: Journal) -> None:
        """No draft of it is: the first goes alone."""
        creating(journal)
        line = Line(journal, reads_back=False)
        one = says(201, {"id": org_id(1), "success": True, "created": True})

        told = line.send(says(404, [{"errorCode": "NOT_FOUND", "message": "no"}]), one)

        assert kinds(told) == ["Acknowledged"]
        assert line.paths == ["/composite/batch", f"/sobjects/Account/{KEY}/a1"]

    @pytest.mark.parametrize("is_whole", [False, True])
    def test_an_answer_that_is_not_about_each(self, journal: Journal, *, is_whole: bool) -> None:
        """It says nothing of any."""
        creating(journal)
        if is_whole:
            journal.update("Account:a1", {"Phone": "1"})
        line = Line(journal)

        assert line.send(whole() if is_whole else serial()) == [Unknown(UNSAID)] * (2 + is_whole)

    def test_a_success_beside_a_rollback(self, journal: Journal) -> None:
        """Who says both is believed in neither."""
        changing(journal)
        line = Line(journal, reads_back=False)

        told = line.send(serial(seen()), whole(DONE, BACK))

        assert told == [Unknown(CARRIED_ON)] * 2

    def test_all_is_undone_and_nobody_says_why(self, journal: Journal) -> None:
        """The first goes alone."""
        changing(journal)
        line = Line(journal, reads_back=False)

        line.send(serial(seen()), whole(BACK, BACK), LOST)

        assert line.paths[2:] == [f"/sobjects/Account/{org_id(1)}"]

    def test_a_query_behind_a_transaction_fails_for_once(self, journal: Journal) -> None:
        """The first is told, in the words of the org, and nothing was done."""
        changing(journal)
        line = Line(journal)

        [told] = line.send(serial(seen()), whole(BACK, BACK, (503, BUSY)))

        assert told == Unknown("the org answered 503 to a query of a call")

    @pytest.mark.parametrize("at", [0, 1])
    def test_it_goes_on_behind_a_failure(self, journal: Journal, at: int) -> None:
        """B1: what is before it is done; of what is behind, nothing is known."""
        creating(journal, 3)
        line = Line(journal, reads_back=False)
        answers = [made(1), made(2), made(3)]
        answers[at] = (400, RULE)

        told = line.send(serial(*answers))

        assert kinds(told) == ["Acknowledged"] * at + ["Unknown"] * (3 - at)
        assert told[at] == Unknown(CARRIED_ON)

    def test_a_draft_that_had_no_room(self, journal: Journal) -> None:
        """It is told nothing of a call in which it was not."""
        for number in range(1, 5):
            journal.create("Account", {"Name": "x" * 600_000}, id=f"a{number}")
        line = Line(journal, reads_back=False)

        told = line.send(serial(made(1), (400, RULE), made(3)))

        assert (kinds(told), len(line.pushes)) == (["Acknowledged", "Unknown", "Unknown"], 1)

    @pytest.mark.parametrize("at", [0, 1])
    def test_a_server_fails_at_one(self, journal: Journal, at: int) -> None:
        """It may have been carried out, and is not sent again at once."""
        creating(journal, 2)
        line = Line(journal, reads_back=False)

        *done, told = line.send(serial(*[made(1)] * at, (500, BUSY), *[STOPPED] * (1 - at)))

        assert kinds(done) == ["Acknowledged"] * at
        assert told == Unknown("the org answered 500 within a call")
