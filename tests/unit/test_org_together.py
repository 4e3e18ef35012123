"""Drafts that go to an org together: every answer is written in the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pytest

from journal import Journal, Ref
from journal.events import DraftAcknowledged, DraftHeld, DraftRetried
from journal.remotes import Response, Salesforce
from journal.remotes.salesforce import composite
from journal.remotes.salesforce.group import Group
from journal.remotes.salesforce.sights import Sights
from journal.remotes.salesforce.together import FRESH_S
from journal.sources import Sources
from tests.unit import scripted
from tests.unit.scripted import LOST, REFUSED, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes import Request

KEY: Final = "Journal_Key__c"
THEN: Final = "2026-04-01T09:30:00.000+0000"
LATER: Final = "2026-04-01T09:45:00.000+0000"
HALTED: Final = {"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED"}]}
UNDONE: Final = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation failed.",
    }
]
RULE: Final = [{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "no"}]
NO_FIELD: Final = [{"errorCode": "INVALID_FIELD", "message": "no such column"}]
BUSY: Final = [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]


class Hands(scripted.Leaping):
    """A clock that stands, but for what is waited."""

    def __init__(self) -> None:
        """Begin in spring."""
        super().__init__()
        self.now_s = 1_775_000_000.0

    def now_us(self) -> int:
        """Tell the time."""
        return int(self.monotonic_s() * 1e6)

    def monotonic_s(self) -> float:
        """Tell the seconds."""
        return self.now_s + self._waited_s


@pytest.fixture
def hands() -> Hands:
    """A clock."""
    return Hands()


@pytest.fixture
def journal(hands: Hands) -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7", sources=Sources(hands)) as journal:
        yield journal


class Script(scripted.Script):
    """A drain to an org that takes drafts together."""

    def __init__(self, journal: Journal, **settings: Any) -> None:  # noqa: ANN401  any key
        """Send the drafts of that journal."""
        given = {"url": "https://acme.my.salesforce.com", "key": KEY, "batches": "order"}
        remote = Salesforce.of({**given, **settings}, clock=journal.sources.clock)
        super().__init__(journal, remote, confirms=False)

    @property
    def parts(self) -> list[list[str]]:
        """What each call held: the method and the path of each of its parts."""
        return [parts_of(request) for request in self.requests]

    def bodies(self, at: int) -> list[Any]:
        """Return what the parts of a call carry."""
        said = json.loads(self.requests[at].body or b"")
        listed = said.get("compositeRequest") or said["batchRequests"]
        return [each.get("body") or each.get("richInput") for each in listed]


def parts_of(request: Request) -> list[str]:
    """Return the parts of a call, or what it is where it is none."""
    said = json.loads(request.body or b"{}")
    listed = said.get("compositeRequest") or said.get("batchRequests")
    if listed is None:
        return [f"{request.method} {unquote(request.path)}"]
    found = []
    for each in listed:
        path = unquote(each["url"].partition("/v67.0" if each["url"][0] == "/" else "v67.0")[2])
        found.append(f"{each['method']} {path.partition(' WHERE')[0]}")
    return found


def says(status: int, content: Any = None, **headers: str) -> Response:  # noqa: ANN401  JSON
    """Return an answer with that content."""
    body = b"" if content is None else json.dumps(content).encode()
    return Response(status, headers, body)


def serial(*parts: tuple[int, Any]) -> Response:
    """Return the answer to a call whose parts go one after another."""
    results = [{"statusCode": status, "result": content} for status, content in parts]
    return says(200, {"hasErrors": False, "results": results})


def whole(*parts: tuple[int, Any]) -> Response:
    """Return the answer to a call that is a transaction."""
    listed = [
        {"referenceId": f"r{n}", "httpStatusCode": status, "body": content, "httpHeaders": {}}
        for n, (status, content) in enumerate(parts)
    ]
    return says(200, {"compositeResponse": listed})


def made(number: int) -> tuple[int, Any]:
    """Return the answer to an insert."""
    return 201, {"id": org_id(number), "success": True, "errors": []}


def org_id(number: int) -> str:
    """Return an id of the org."""
    return f"001{number:012}AAA"


def row(number: int, modified: str = THEN, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a row of the org."""
    own = {"attributes": {"type": "Account"}, "Id": org_id(number), "LastModifiedDate": modified}
    return {**own, KEY: f"a{number}", **fields}


def rows(*found: dict[str, Any]) -> tuple[int, Any]:
    """Return the answer to a query."""
    return 200, {"totalSize": len(found), "done": True, "records": list(found)}


DONE: Final = (204, None)


def creating(journal: Journal, count: int = 2) -> None:
    """Make accounts offline."""
    for number in range(1, count + 1):
        journal.create("Account", {"Name": f"n{number}"}, id=f"a{number}")


def known(journal: Journal, count: int = 2) -> list[Ref]:
    """Note accounts here that the org has."""
    found = [Ref(f"Account:a{number}") for number in range(1, count + 1)]
    for number, ref in enumerate(found, 1):
        seen = {"Name": f"n{number}"}
        journal.observe(ref, seen, remote_id=org_id(number), remote_version=THEN)
    return found


def changing(journal: Journal, count: int = 2) -> list[Ref]:
    """Change accounts that the org has."""
    found = known(journal, count)
    for ref in found:
        journal.update(ref, {"Name": "new"})
    return found


def seen(count: int = 2, **fields: Any) -> tuple[int, Any]:  # noqa: ANN401  JSON
    """Return the rows of these accounts as they were noted."""
    return rows(*[row(n, **{"Name": f"n{n}", **fields}) for n in range(1, count + 1)])


def states(journal: Journal) -> list[str]:
    """Return the states of the pending drafts."""
    return [change.state for n in range(1, 5) for change in journal.load(f"Account:a{n}").changes]


def receipts(journal: Journal) -> list[DraftAcknowledged]:
    """Return the receipts."""
    return [event for event in outcomes(journal) if isinstance(event, DraftAcknowledged)]


class TestCalls:
    """Which calls are made."""

    def test_creates_go_one_after_another(self, journal: Journal) -> None:
        """B1: inserts in their order, none behind one that fails; then what they have become."""
        creating(journal)
        script = Script(journal)

        report = script.drain(serial(made(1), made(2), seen()))

        assert (report.acknowledged, report.pending) == (2, 0)
        said = json.loads(script.requests[0].body or b"")
        assert (script.requests[0].path, said["haltOnError"]) == ("/composite/batch", True)
        insert = "POST /sobjects/Account"
        assert script.parts == [
            [
                insert,
                insert,
                "GET /query/?q=SELECT Id, LastModifiedDate, Journal_Key__c, Name FROM Account",
            ]
        ]
        assert script.bodies(0)[0] == {"Name": "n1", KEY: "a1"}
        assert [r.remote_version for r in receipts(journal)] == [THEN, THEN]

    def test_updates_are_a_transaction(self, journal: Journal) -> None:
        """B2: what they change is read, and each is on the condition that it is still so."""
        changing(journal)
        script = Script(journal)

        report = script.drain(
            serial(seen()), whole(DONE, DONE, seen(2, Name="new", modified=LATER))
        )

        assert report.acknowledged == 2
        said = json.loads(script.requests[1].body or b"")
        assert (said["allOrNone"], said["collateSubrequests"]) == (True, False)
        headers = [part.get("httpHeaders") for part in said["compositeRequest"]]
        condition = {"If-Unmodified-Since": "Wed, 01 Apr 2026 09:30:00 GMT"}
        assert headers == [condition, condition, None]
        assert [part["referenceId"] for part in said["compositeRequest"]] == ["r0", "r1", "r2"]
        assert journal.load("Account:a1").remote.receipt_version == LATER

    def test_what_comes_next_is_read_behind(self, journal: Journal) -> None:
        """V1: the rows of the next call come with this one, so that each call is one request."""
        changing(journal, 26)
        script = Script(journal)

        new = [row(n, LATER, Name="new") for n in range(1, 25)]
        report = script.drain(
            serial(seen(24)),
            whole(*[DONE] * 24, rows(*new, row(25, Name="n25"), row(26, Name="n26"))),
            whole(DONE, DONE, rows()),
        )

        assert report.acknowledged == 26
        assert list(map(len, script.parts)) == [1, 25, 3]

    @pytest.mark.parametrize("passes_s", [0.0, FRESH_S + 0.1])
    def test_rows_that_are_a_second_old_are_read_anew(
        self, journal: Journal, hands: Hands, passes_s: float
    ) -> None:
        """V1: somebody else may have changed them since."""
        refs = changing(journal)
        script = Script(journal)
        script.drain(serial(seen()), whole(DONE, DONE, seen(2, Name="new", modified=LATER)))
        for ref in refs:
            journal.delete(ref)
        hands.leap(passes_s)

        read = [serial(seen(2, Name="new", modified=LATER))] if passes_s else []
        report = script.drain(*read, serial((204, None), (204, None)))

        assert report.pending == 0

    def test_a_child_names_a_parent_of_the_same_call(self, journal: Journal) -> None:
        """B3: by the result of the request that makes it; then its id is known."""
        account = journal.create("Account", {"Name": "n1"}, id="a1")
        journal.create("Contact", {"LastName": "Li", "AccountId": account}, id="c1")
        script = Script(journal, reads_back=False)

        report = script.drain(whole(made(1), (201, {"id": org_id(9), "success": True})))

        assert report.acknowledged == 2
        assert script.bodies(0)[1] == {"LastName": "Li", "AccountId": "@{r0.id}", KEY: "c1"}
        assert journal.load("Contact:c1").remote.fields["AccountId"] == account

    def test_a_child_names_a_parent_by_its_key(self, journal: Journal) -> None:
        """Where the settings say so, no result is named; it is known here all the same."""
        account = journal.create("Account", {"Name": "n1"})
        contact = journal.create("Contact", {"LastName": "Li", "AccountId": account}, id="c1")
        journal.update(contact, {"LastName": "Ko"})
        parents = {"Contact": {"parents": {"AccountId": f"Account.{KEY}"}}}
        script = Script(journal, reads_back=False, types=parents)

        report = script.drain(whole(made(1), (201, {"id": org_id(9), "success": True}), DONE))

        assert report.acknowledged == 3
        assert script.bodies(0)[1]["Account"] == {KEY: account.id}
        assert journal.load("Contact:c1").remote.fields["AccountId"] == account

    def test_a_type_without_a_key(self, journal: Journal) -> None:
        """Its records are made alone; what comes next is not looked for before it is there."""
        types = {"Account": {"key": ""}}
        for number in (1, 2):
            journal.create("Contact", {"LastName": "Li"}, id=f"c{number}")
        creating(journal, 1)
        journal.update("Account:a1", {"Name": "b"})
        journal.create("Contact", {"LastName": "Ko"}, id="c3")
        script = Script(journal, types=types, reads_back=False)

        shown = {name: value for name, value in row(1, Name="n1").items() if name != KEY}
        report = script.drain(
            serial(made(8), made(9)),
            says(201, {"id": org_id(1)}),
            serial(rows(shown)),
            whole(DONE, made(7)),
        )

        assert report.acknowledged == 5

    @pytest.mark.parametrize("text", ["@{r0.id}", "@{"])
    def test_what_looks_like_a_name_goes_alone(self, journal: Journal, text: str) -> None:
        """B3: a text of a person is never read as the name of a result."""
        creating(journal, 1)
        journal.create("Account", {"Name": text}, id="a2")
        journal.create("Account", {"Name": "n3"}, id="a3")
        script = Script(journal, reads_back=False)

        alone = says(201, {"id": org_id(2), "success": True, "created": True})
        first = says(201, {"id": org_id(1), "success": True, "created": True})
        third = says(201, {"id": org_id(3), "success": True, "created": True})
        report = script.drain(first, alone, third)

        assert report.acknowledged == 3
        assert [request.method for request in script.requests] == ["PATCH"] * 3

    def test_a_chain_on_one_record(self, journal: Journal) -> None:
        """The first is conditional; those behind it find what it leaves, which nobody can change.

        They go without a condition: the first has changed what one would be about.
        """
        [ref] = known(journal, 1)
        journal.update(ref, {"Name": "b"})
        journal.update(ref, {"Name": "c", "Phone": "1"})
        script = Script(journal)

        report = script.drain(
            serial(rows(row(1, Name="n1", Phone=None))),
            whole(DONE, DONE, rows(row(1, LATER, Name="c", Phone="+1"))),
        )

        assert report.acknowledged == 2
        said = json.loads(script.requests[1].body or b"")["compositeRequest"]
        assert ["httpHeaders" in part for part in said] == [True, False, False]
        assert journal.load(ref).fields == {"Name": "c", "Phone": "+1"}
        assert [r.remote_version for r in receipts(journal)] == [None, LATER]

    def test_a_record_that_is_made_and_changed(self, journal: Journal) -> None:
        """The change names the record by the result of the request that makes it."""
        creating(journal, 1)
        journal.update("Account:a1", {"Name": "b"})
        script = Script(journal)

        report = script.drain(whole(made(1), DONE, rows(row(1, LATER, Name="b"))))

        assert report.acknowledged == 2
        assert script.parts[0][1] == "PATCH /sobjects/Account/@{r0.id}"
        assert journal.load("Account:a1").remote.remote_id == org_id(1)

    def test_a_delete_and_its_capture_fields(self, journal: Journal) -> None:
        """They are written right before it, in the same call."""
        refs = known(journal)
        for ref in refs:
            journal.delete(ref)
        script = Script(journal, capture={"actor": "By__c"})

        report = script.drain(serial(seen(By__c=None)), whole(DONE, DONE, DONE, DONE))

        assert report.acknowledged == 2
        path = f"/sobjects/Account/{org_id(1)}"
        assert script.parts[1][:2] == [f"PATCH {path}", f"DELETE {path}"]

    @pytest.mark.parametrize("is_child", [False, True])
    def test_a_delete_goes_behind_no_create_of_its_record(
        self, journal: Journal, *, is_child: bool
    ) -> None:
        """B6: nor of one that refers to it: after a lost answer nothing could be told of them."""
        if is_child:
            [ref] = known(journal, 1)
            journal.create("Contact", {"LastName": "Li", "AccountId": ref}, id="c1")
        else:
            ref = journal.create("Account", {"Name": "n1"}, id="a1")
        journal.delete(ref)
        remote = Salesforce.of({"url": "https://a.example", "key": KEY, "batches": "order"})
        ledger = Script(journal).session._ledger
        pushes = [ledger.push_of(draft) for draft in ledger.next_together(9)]

        assert remote.together([push for push in pushes if push]) == 1

    def test_no_more_than_a_call_holds(self, journal: Journal) -> None:
        """25 requests, with a query for each type; the other drafts go in the next call."""
        creating(journal, 26)
        script = Script(journal, reads_back=False)

        script.drain(
            serial(*[made(n) for n in range(24)]), serial(*[made(n) for n in range(24, 26)])
        )

        assert list(map(len, script.parts)) == [24, 2]

    def test_no_more_than_may_be_sent_at_once(self, journal: Journal) -> None:
        """Large contents go in several calls."""
        for number in (1, 2, 3):
            journal.create("Account", {"Name": "n", "Text": "x" * 900_000}, id=f"a{number}")
        script = Script(journal, reads_back=False)

        script.drain(serial(made(1), made(2)), says(201, {"id": org_id(3), "success": True}))

        assert [request.method for request in script.requests] == ["POST", "PATCH"]

    def test_six_types_are_two_calls(self, journal: Journal) -> None:
        """A transaction holds no more than five queries."""
        for letter in "ABCDEF":
            journal.create(f"Type{letter}", {"Name": "n"}, id="a1")
        script = Script(journal)

        script.drain(
            serial(*[made(n) for n in range(5)], *[rows()] * 5),
            says(201, {"id": org_id(6), "success": True}),
            says(404, []),
        )

        assert len(script.parts[0]) == 10


class TestAlone:
    """What goes alone."""

    @pytest.mark.parametrize(
        "types", [{"Account": {"key": ""}}, {"Account": {"allow_duplicates": True}}]
    )
    def test_what_a_call_cannot_hold(self, journal: Journal, types: Any) -> None:  # noqa: ANN401
        """A create by a key of the request, and one with a header of its own."""
        creating(journal)
        script = Script(journal, types=types, reads_back=False)

        script.drain(*[says(201, {"id": org_id(n), "success": True}) for n in (1, 2)])

        assert not any("composite" in request.path for request in script.requests)

    def test_what_has_to_be_settled_first(self, journal: Journal) -> None:
        """B2: a record that is not as its draft expects: found as one by one, and held."""
        changing(journal)
        script = Script(journal)

        shown = says(200, row(1, LATER, Name="theirs"))
        again = says(200, row(2, LATER, Name="new"))
        report = script.drain(
            serial(rows(row(1, LATER, Name="theirs"), row(2, Name="n2"))),
            shown,
            shown,
            says(200, row(2, Name="n2")),
            DONE_ALONE,
            again,
        )

        assert (report.held, report.acknowledged) == (1, 1)

    def test_a_record_that_no_query_shows(self, journal: Journal) -> None:
        """It is looked up, and found to be gone."""
        changing(journal, 2)
        script = Script(journal)

        gone = says(404, [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}])
        report = script.drain(
            serial(rows()), gone, gone, says(200, row(2, Name="n2")), DONE_ALONE, says(404)
        )

        assert (report.held, report.acknowledged) == (1, 1)


DONE_ALONE: Final = says(204)


class TestFailures:
    """What becomes of a call in which something fails."""

    @pytest.mark.parametrize("at", range(3))
    def test_a_refusal_in_a_serial_call(self, journal: Journal, at: int) -> None:
        """B1, B5: what is before it is done; it goes alone; what is behind it has not gone."""
        creating(journal, 3)
        script = Script(journal, reads_back=False)

        done = [made(n + 1) for n in range(at)]
        call = serial(*done, (400, RULE), *[(412, HALTED["result"])] * (2 - at))
        rest = [says(201, {"id": org_id(3), "success": True})] if at == 1 else []
        rest = [serial(made(2), made(3))] if at == 0 else rest
        missing = says(404, [{"errorCode": "NOT_FOUND", "message": "no"}])
        report = script.drain(call, says(400, RULE), missing, missing, *rest)

        assert (report.acknowledged, report.held) == (2, 1)
        assert len([e for e in outcomes(journal) if isinstance(e, DraftRetried)]) == 2 - at + (
            at > 0
        )

    @pytest.mark.parametrize("at", range(3))
    def test_a_refusal_in_a_transaction(self, journal: Journal, at: int) -> None:
        """B4: nothing is acknowledged by it; those before the refused one go again without it."""
        changing(journal, 3)
        script = Script(journal, reads_back=False)

        undone = [(400, UNDONE)] * 3
        undone[at] = (400, RULE)
        first = [whole(*[DONE] * at)] if at else []
        alone = [says(400, RULE), says(200, row(at + 1, Name=f"n{at + 1}"))]
        behind = [whole(*[DONE] * (2 - at))] if at == 0 else []
        report = script.drain(
            serial(seen(3)),
            whole(*undone),
            *first,
            says(200, row(at + 1, Name=f"n{at + 1}")),
            alone[0],
            alone[1],
            alone[1],
            *([serial(rows(row(2, Name="n2"), row(3, Name="n3")))] if at == 0 else []),
            *behind,
            *([says(200, row(3, Name="n3")), DONE_ALONE] if at == 1 else []),
        )

        assert (report.acknowledged, report.held) == (2, 1)
        [held] = [e for e in outcomes(journal) if isinstance(e, DraftHeld)]
        assert held.classification == "rejected"

    def test_all_of_a_transaction_is_undone_by_nobody(self, journal: Journal) -> None:
        """Where none of them says why, the first goes alone, so that it goes on."""
        changing(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(
            serial(seen()),
            whole((400, UNDONE), (400, UNDONE)),
            *[says(200, row(1, Name="n1")), DONE_ALONE],
            *[says(200, row(2, Name="n2")), DONE_ALONE],
        )

        assert report.acknowledged == 2

    def test_a_success_beside_a_rollback(self, journal: Journal) -> None:
        """B4: a call that says both is believed in nothing: each draft is looked up."""
        changing(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(
            serial(seen()),
            whole(DONE, (400, UNDONE)),
            *[says(200, row(1, LATER, Name="new")), says(200, row(2, Name="n2")), DONE_ALONE],
        )

        assert report.acknowledged == 2
        assert [r.evidence for r in receipts(journal)] == ["read", "answer"]

    def test_it_goes_on_behind_a_failure(self, journal: Journal) -> None:
        """B1: what the org has applied behind one that failed is found by look-ups."""
        creating(journal, 3)
        script = Script(journal, reads_back=False)

        missing = says(404, [{"errorCode": "NOT_FOUND", "message": "no"}])
        report = script.drain(
            serial(made(1), (400, RULE), made(3)),
            missing,
            says(201, {"id": org_id(2), "success": True}),
            says(200, row(3, Name="n3")),
        )

        assert report.acknowledged == 3
        assert script.pauses == [1.0]

    def test_a_server_fails_in_the_middle(self, journal: Journal) -> None:
        """What was asked for then may have been done, and is looked up after a wait."""
        creating(journal, 3)
        script = Script(journal, reads_back=False)

        report = script.drain(
            serial(made(1), (503, BUSY), (412, HALTED["result"])),
            says(200, row(2, Name="n2")),
            says(201, {"id": org_id(3), "success": True}),
        )

        assert (report.acknowledged, script.pauses) == (3, [1.0])
        assert receipts(journal)[1].evidence == "read"

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_server_fails_as_a_whole(self, journal: Journal, status: int) -> None:
        """All of it may have been done before: each draft is looked up."""
        creating(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(
            says(status, BUSY), says(200, row(1, Name="n1")), says(200, row(2, Name="n2"))
        )

        assert report.acknowledged == 2
        assert [r.evidence for r in receipts(journal)] == ["read", "read"]

    def test_a_lost_answer(self, journal: Journal) -> None:
        """Each draft is looked up; what those behind one have made of it is no conflict (E5)."""
        [ref] = known(journal, 1)
        for name in ("b", "c", "d"):
            journal.update(ref, {"Name": name})
        script = Script(journal)

        found = says(200, row(1, LATER, Name="d"))
        report = script.drain(serial(seen(1)), LOST, found, found, found)

        assert (report.acknowledged, report.held) == (3, 0)
        assert journal.load(ref).fields == {"Name": "d"}

    def test_a_lost_answer_and_a_delete(self, journal: Journal) -> None:
        """E3: that a record is gone that a draft behind it has deleted is no news."""
        [ref] = known(journal, 1)
        journal.update(ref, {"Name": "b"})
        journal.delete(ref)
        script = Script(journal)

        gone = says(404, [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}])
        report = script.drain(serial(seen(1)), LOST, gone, gone, gone)

        assert (report.acknowledged, report.held) == (2, 0)
        assert [r.evidence for r in receipts(journal)] == ["read", "read"]

    def test_a_lost_answer_and_a_foreign_edit(self, journal: Journal) -> None:
        """What none of ours has made is a conflict, as ever."""
        [ref] = known(journal, 1)
        for name in ("b", "c"):
            journal.update(ref, {"Name": name})
        script = Script(journal)

        found = says(200, row(1, LATER, Name="theirs"))
        report = script.drain(serial(seen(1)), LOST, found, found)

        assert (report.acknowledged, report.held) == (0, 1)

    def test_it_is_not_sent(self, journal: Journal) -> None:
        """Only the first was begun, as far as anybody can tell; it is tried alone first."""
        creating(journal, 3)
        script = Script(journal, reads_back=False)

        report = script.drain(
            REFUSED,
            says(201, {"id": org_id(1), "success": True}),
            serial(made(2), made(3)),
        )

        assert report.acknowledged == 3

    @pytest.mark.parametrize("status", [400, 403, 404, 405])
    def test_an_org_that_takes_no_calls(self, journal: Journal, status: int) -> None:
        """It is asked once; then they go one by one."""
        creating(journal, 3)
        script = Script(journal, reads_back=False)

        done = [says(201, {"id": org_id(n), "success": True}) for n in (1, 2, 3)]
        report = script.drain(says(status, [{"errorCode": "X", "message": "no"}]), *done)

        assert report.acknowledged == 3
        assert [request.method for request in script.requests] == ["POST", *["PATCH"] * 3]

    def test_the_limit_is_reached(self, journal: Journal) -> None:
        """All of it waits."""
        creating(journal, 2)
        script = Script(journal, reads_back=False)

        said = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}]
        report = script.drain(
            says(403, said),
            says(404, [{"errorCode": "NOT_FOUND", "message": "no"}]),
            says(201, {"id": org_id(1), "success": True}),
            says(201, {"id": org_id(2), "success": True}),
        )

        assert report.acknowledged == 2
        assert sum(script.pauses) >= 900

    def test_a_pause_that_is_due_begins_no_others(self, journal: Journal) -> None:
        """O1: one waits for it, and then they go together again."""
        creating(journal, 26)
        script = Script(journal, reads_back=False)

        used = {"sforce-limit-info": "api-usage=900/1000"}
        first = serial(*[made(n) for n in range(1, 25)])
        report = script.drain(first._replace(headers=used), serial(made(25), made(26)))

        assert report.acknowledged == 26
        assert sum(script.pauses) > 10
        assert not [e for e in outcomes(journal) if isinstance(e, DraftRetried)]

    def test_a_pause_that_is_due_within_a_call(self, journal: Journal) -> None:
        """O1: nothing leaves before it is over."""
        creating(journal, 2)
        script = Script(journal, reads_back=False)
        remote: Any = script.session._delivery._remote
        remote.together, remote._owed_s = len, 7.0

        script.drain(serial(made(1), made(2)))

        assert sum(script.pauses) >= 7


class TestReads:
    """What is read before a call, and behind it."""

    def test_an_answer_that_is_not_about_each_read(self, journal: Journal) -> None:
        """Nothing is known then: the first goes alone, after a wait."""
        changing(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(
            serial(),
            *[says(200, row(1, Name="n1")), DONE_ALONE],
            *[says(200, row(2, Name="n2")), DONE_ALONE],
        )

        assert (report.acknowledged, script.pauses) == (2, [1.0])

    def test_an_org_that_takes_no_such_reads(self, journal: Journal) -> None:
        """That is no refusal of a draft: they go one by one."""
        changing(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(
            says(404, [{"errorCode": "NOT_FOUND", "message": "no"}]),
            *[says(200, row(1, Name="n1")), DONE_ALONE],
            *[says(200, row(2, Name="n2")), DONE_ALONE],
        )

        assert (report.acknowledged, report.held) == (2, 0)

    def test_a_read_that_is_lost(self, journal: Journal) -> None:
        """The first is looked up then."""
        changing(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(
            LOST,
            *[says(200, row(1, Name="n1")), DONE_ALONE],
            *[says(200, row(2, Name="n2")), DONE_ALONE],
        )

        assert report.acknowledged == 2

    def test_a_type_that_queries_refuse(self, journal: Journal) -> None:
        """Its records are looked up one by one from then on; nothing is read behind them."""
        changing(journal, 3)
        script = Script(journal)

        alone = [
            [says(200, row(n, Name=f"n{n}")), DONE_ALONE, says(200, row(n, LATER, Name="new"))]
            for n in (1, 2, 3)
        ]
        report = script.drain(serial((400, NO_FIELD)), *alone[0], *alone[1], *alone[2])

        assert report.acknowledged == 3

    def test_a_query_behind_a_transaction_fails(self, journal: Journal) -> None:
        """All is undone by it: the call goes again without it."""
        creating(journal, 1)
        journal.update("Account:a1", {"Name": "b"})
        script = Script(journal)

        report = script.drain(
            whole((400, UNDONE), (400, UNDONE), (400, NO_FIELD)), whole(made(1), DONE)
        )

        assert report.acknowledged == 2
        assert list(map(len, script.parts)) == [3, 2]

    def test_a_query_behind_a_transaction_fails_for_once(self, journal: Journal) -> None:
        """It is no reason never to ask again; it goes on after a wait."""
        creating(journal, 1)
        journal.update("Account:a1", {"Name": "b"})
        script = Script(journal)

        report = script.drain(
            whole((400, UNDONE), (400, UNDONE), (503, BUSY)),
            says(404, [{"errorCode": "NOT_FOUND", "message": "no"}]),
            says(201, {"id": org_id(1), "success": True}),
            says(200, row(1, Name="n1")),
            says(200, row(1, Name="n1")),
            DONE_ALONE,
            says(200, row(1, LATER, Name="b")),
        )

        assert (report.acknowledged, script.pauses) == (2, [1.0])

    def test_a_query_behind_a_serial_call_fails(self, journal: Journal) -> None:
        """What was made is made."""
        creating(journal, 2)
        script = Script(journal)

        report = script.drain(serial(made(1), made(2), (400, NO_FIELD)))

        assert report.acknowledged == 2

    def test_what_was_done_before_a_failure_is_read_back(self, journal: Journal) -> None:
        """With what triggers have made of it."""
        creating(journal, 2)
        script = Script(journal)

        missing = says(404, [{"errorCode": "NOT_FOUND", "message": "no"}])
        script.drain(
            serial(made(1), (400, RULE), (412, HALTED["result"])),
            serial(rows(row(1, Name="N1"))),
            says(400, RULE),
            missing,
            missing,
        )

        assert journal.load("Account:a1").fields == {"Name": "N1"}


class TestReceipts:
    """What is acknowledged, and what is not."""

    @pytest.mark.parametrize(
        "answer",
        [
            (200, None),
            (200, {"success": True}),
            (201, {"id": org_id(2), "success": False}),
            (202, {"id": org_id(2), "success": True}),
            (204, {"id": org_id(2)}),
            (200, [{"errorCode": "X", "message": "no"}]),
        ],
    )
    def test_one_that_cannot_be_read(self, journal: Journal, answer: tuple[int, Any]) -> None:
        """G1: it acknowledges nothing, and nothing behind it is acknowledged before it."""
        creating(journal, 3)
        script = Script(journal, reads_back=False)

        report = script.drain(
            serial(made(1), answer, made(3)),
            says(200, row(2, Name="n2")),
            says(200, row(3, Name="n3")),
        )

        assert report.acknowledged == 3
        assert [r.evidence for r in receipts(journal)] == ["answer", "read", "read"]

    def test_nothing_is_read_back_where_that_is_not_wanted(self, journal: Journal) -> None:
        """What is read for the next call is not taken for what a write has left."""
        changing(journal, 25)
        journal.update("Account:a1", {"Name": "newer"})
        script = Script(journal, reads_back=False)

        new = [row(1, LATER, Name="new"), row(25, Name="n25")]
        report = script.drain(serial(seen(24)), whole(*[DONE] * 24, rows(*new)), whole(DONE, DONE))

        assert report.acknowledged == 26
        assert {receipt.remote_version for receipt in receipts(journal)} == {None}


class TestAnswers:
    """C1: an answer that does not say of each request what became of it says nothing."""

    LIES: Final = [
        says(200, None),
        says(200, "<html></html>"),
        Response(200, {}, b"<html><body>Please log in</body></html>"),
        says(200, []),
        says(200, {"results": "x"}),
        serial(made(1)),
        serial(made(1), made(2), made(3)),
        says(200, {"results": [1, 2]}),
        says(200, {"results": [{"statusCode": "201"}, {"statusCode": True}]}),
        says(200, {"compositeResponse": "x"}),
        whole(made(1)),
        whole(made(1), made(2), made(3)),
        says(200, {"compositeResponse": [1, 2]}),
        says(200, {"compositeResponse": [{"referenceId": "r0", "httpStatusCode": 201}] * 2}),
        says(
            200,
            {
                "compositeResponse": [
                    {"referenceId": "r1", "httpStatusCode": 201},
                    {"referenceId": "x", "httpStatusCode": 201},
                ]
            },
        ),
    ]

    @pytest.mark.parametrize("answer", LIES)
    def test_lies(self, answer: Response) -> None:
        """Fewer, more, none, of other names, or with a status that is none."""
        assert composite.serial_answers(answer, 2) is None
        assert composite.whole_answers(answer, 2) is None

    def test_parts_are_told_apart_by_their_names(self) -> None:
        """However they are listed."""
        said = json.loads(whole((201, {"id": "a"}), (204, None)).body)
        said["compositeResponse"].reverse()

        answers = composite.whole_answers(says(200, said, date="then"), 2)

        assert answers == [Response(201, {"date": "then"}, b'{"id":"a"}'), says(204, date="then")]

    @pytest.mark.parametrize("answer", LIES[:8])
    def test_a_lie_acknowledges_nothing(self, journal: Journal, answer: Response) -> None:
        """Each draft is looked up then."""
        creating(journal)
        script = Script(journal, reads_back=False)

        report = script.drain(answer, says(200, row(1, Name="n1")), says(200, row(2, Name="n2")))

        assert report.acknowledged == 2
        assert [r.evidence for r in receipts(journal)] == ["read", "read"]

    def test_what_is_said_of_a_halt(self) -> None:
        """A condition that does not hold is no halt, though its status is the same."""
        condition = says(412, [{"errorCode": "PRECONDITION_FAILED", "message": "modified"}])

        assert not composite.is_halted(condition)
        assert composite.is_halted(says(412, HALTED["result"]))
        assert not composite.is_halted(says(400, HALTED["result"]))
        assert composite.is_rolled_back(says(400, UNDONE))
        assert not composite.is_rolled_back(says(400, RULE))
        invalid = [{"errorCode": "PROCESSING_HALTED", "message": "Invalid reference specified."}]
        assert not composite.is_rolled_back(says(400, invalid))


class TestWhoJoins:
    """B2, B3, B6: whatever it is asked to take, a call holds nothing that does not belong there."""

    @staticmethod
    def joins(journal: Journal, **settings: Any) -> list[bool]:  # noqa: ANN401  any key
        """Return which of the pending drafts join one call, of records that nobody has seen."""
        script = Script(journal, **settings)
        remote: Any = script.session._delivery._remote
        ledger = script.session._ledger
        group = Group(remote._in_call, Sights())
        pushes = [ledger.push_of(draft) for draft in ledger.next_together(9)]
        return [group.join(push) for push in pushes if push is not None]

    def test_nothing_that_cannot_be_sent(self, journal: Journal) -> None:
        """Its key, or a field, is none for the org: it goes alone, and is held."""
        creating(journal, 1)
        journal.create("Account", {"Name": "n"}, id="no key")
        journal.create("Account", {"Id": "x"}, id="a3")

        assert self.joins(journal) == [True, False, False]

    def test_nothing_that_may_be_applied(self, journal: Journal) -> None:
        """It has to be looked up first."""
        creating(journal, 2)
        script = Script(journal)
        remote: Any = script.session._delivery._remote
        ledger = script.session._ledger
        [push, other] = [ledger.push_of(draft) for draft in ledger.next_together(9)]
        assert push is not None
        assert other is not None
        group = Group(remote._in_call, Sights())

        assert not group.join(push._replace(is_maybe_applied=True))
        assert not group.join(push._replace(is_doubted=True))
        assert remote.together([push, other._replace(is_doubted=True)]) == 1

    def test_nothing_that_is_not_by_key(self, journal: Journal) -> None:
        """A key of the request would be a header, which a call does not take."""
        creating(journal, 1)

        assert self.joins(journal, types={"Account": {"key": ""}}) == [False]
        assert self.joins(journal, types={"Account": {"allow_duplicates": True}}) == [False]

    def test_nothing_that_reads_like_a_name(self, journal: Journal) -> None:
        """Whoever has asked to take it along."""
        journal.create("Account", {"Name": "@{r0.id}"}, id="a1")

        assert self.joins(journal) == [False]

    def test_no_delete_that_would_lose_another(self, journal: Journal) -> None:
        """Of a record that the call makes, or refers to; nor of one that nobody has seen."""
        [ref] = known(journal, 1)
        journal.create("Contact", {"LastName": "Li", "AccountId": ref}, id="c1")
        journal.delete(ref)
        made_here = journal.create("Account", {"Name": "n"}, id="a4")
        journal.delete(made_here)

        assert self.joins(journal) == [True, False, True, False]

    def test_a_key_that_is_none_goes_alone(self, journal: Journal) -> None:
        """It is held, and the others go together."""
        journal.create("Account", {"Name": "n"}, id="no key")
        creating(journal, 2)
        script = Script(journal, reads_back=False)

        report = script.drain(serial(made(1), made(2)))

        assert (report.acknowledged, report.held) == (2, 1)

    def test_a_record_with_too_many_fields(self, journal: Journal) -> None:
        """No query can name them all: it is looked up by itself."""
        [ref, _] = known(journal, 2)
        many = {f"Field_{n:04}__c": "x" for n in range(900)}
        journal.observe(ref, many, remote_id=org_id(1), remote_version=THEN)
        journal.update(ref, {"Phone": "2"})
        journal.update("Account:a2", {"Phone": "2"})
        script = Script(journal, reads_back=False)

        shown = row(1, Phone=None, **many)
        report = script.drain(
            says(200, shown), DONE_ALONE, says(200, row(2, Name="n2", Phone=None)), DONE_ALONE
        )

        assert report.acknowledged == 2
        assert all(request.method != "POST" for request in script.requests)
