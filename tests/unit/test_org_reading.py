"""What an org is asked without writing to it: every answer of the org is written in the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pytest

from journal import Journal, Ref
from journal.errors import ProfileError, QueryError, RemoteError
from journal.events import RecordObserved
from journal.remotes import HttpRemote, NoAnswer, Profile, Request, Response
from journal.remotes.salesforce import Salesforce
from journal.remotes.salesforce.rows import VERSION
from journal.sources import Sources
from journal.sync.backoff import Backoff
from journal.sync.describing import Describe, describing
from journal.sync.effects import Call, Pause
from journal.sync.priming import ACTOR, primed
from journal.sync.pulling import READS_AGAIN, Pull
from journal.sync.settings import Settings
from tests.unit.scripted import Leaping

if TYPE_CHECKING:
    from collections.abc import Generator

    from journal.remotes import Answer
    from journal.sync import DescribeReport, PullReport

STAMP: Final = "2026-04-01T09:00:00.000+0000"
LATER: Final = "2026-04-01T10:00:00.000+0000"
ORG: Final[dict[str, Any]] = {
    "url": "https://acme.my.salesforce.com",
    "key": "Key__c",
    "auth": {"bearer": "{env:TOKEN}"},
    "types": {
        "Account": {"pull": {"fields": ["Name", "Phone"]}},
        "Visit": {"object": "Visit__c", "fields": {"note": {"name": "Note__c"}}},
    },
}
HASTE: Final = Backoff(first_s=1.0, most_s=1.0, least_s=1.0)
SETTINGS: Final = Settings("lane", HASTE, 3)
SOQL: Final = "SELECT Name FROM Account WHERE Active = true"


def row(record_id: str, at: str = STAMP, of: str = "Account", **fields: object) -> dict[str, Any]:
    """Return a row of the org."""
    own = {"attributes": {"type": of}, "Id": record_id, "LastModifiedDate": at}
    return {**own, "SystemModstamp": at, "Key__c": None, **fields}


def answer(status: int = 200, /, **content: object) -> Response:
    """Return an answer of the org."""
    headers = {"date": "Wed, 01 Apr 2026 10:30:17 GMT"}
    return Response(status, headers, json.dumps(content).encode())


def listed(*found: dict[str, Any], more: str = "") -> Response:
    """Return a page of rows."""
    after = {"nextRecordsUrl": f"/services/data/v67.0/query/{more}"} if more else {}
    return answer(totalSize=9, done=not more, records=list(found), **after)


def refused(code: str, message: str = "no", status: int = 400) -> Response:
    """Return a refusal of the org."""
    body = json.dumps([{"errorCode": code, "message": message}])
    return Response(status, {}, body.encode())


class Script:
    """Reads from an org that answers what the script says."""

    def __init__(self, **settings: object) -> None:
        """Read into a journal of its own."""
        self.clock = Leaping()
        self.journal = Journal(actor="ann", origin="van-7", sources=Sources(self.clock))
        self.org = Salesforce.of({**ORG, **settings}, environ={"TOKEN": "s3cret"})
        self.requests: list[Request] = []
        self.pauses = 0
        self.stops_after: int | None = None

    def pull(self, *answers: Answer, types: tuple[str, ...] = ("Account",)) -> PullReport:
        """Pull; each request gets the next answer, and there must be neither more nor fewer."""
        pull = Pull(self.journal, self.org, SETTINGS, None)
        report: PullReport = self._driven(pull.pages(types, None, self._should_stop), *answers)
        return report

    def prime(
        self, *answers: Answer, query: str = SOQL, limit_pages: int | None = None
    ) -> PullReport:
        """Prime by a query, in the same way."""
        found = primed(self.org, query)
        pull = Pull(self.journal, found, SETTINGS, None, actor=ACTOR)
        effects = pull.pages(found.record_types, limit_pages, self._should_stop)
        report: PullReport = self._driven(effects, *answers)
        return report

    def describe(self, *answers: Answer, types: tuple[str, ...] = ("Account",)) -> DescribeReport:
        """Ask for record types, in the same way."""
        effects = Describe(self.journal, describing(self.org), SETTINGS).types(
            types, self._should_stop
        )
        report: DescribeReport = self._driven(effects, *answers)
        return report

    def _should_stop(self) -> bool:
        return self.stops_after is not None and len(self.requests) >= self.stops_after

    def _driven(self, effects: Generator[Any, Any, Any], *answers: Answer) -> Any:  # noqa: ANN401
        left = list(answers)
        result: Any = None
        while True:
            try:
                effect = effects.send(result)
            except StopIteration as ended:
                assert left == []
                return ended.value
            match effect:
                case Request():
                    assert left, f"unexpected: {effect}"
                    self.requests.append(effect)
                    result = left.pop(0)
                case Call(function):
                    result = function()
                case Pause(seconds):
                    self.pauses += 1
                    self.clock.leap(seconds)
                    result = "time"
                case _:
                    raise AssertionError(effect)

    @property
    def paths(self) -> list[str]:
        """Where the requests went."""
        return [unquote(request.path) for request in self.requests]

    def observed(self) -> list[tuple[str, dict[str, Any], str | None]]:
        """Return what was observed: the record, its fields and its version."""
        events = [(e.stream.id, e.event) for e in self.journal.log.scan(0)]
        return [
            (name, dict(event.fields), event.remote_version)
            for name, event in events
            if isinstance(event, RecordObserved)
        ]


@pytest.fixture
def script() -> Script:
    """An org, and an empty journal."""
    return Script()


class TestPrime:
    """The records that a query lists."""

    def test_they_can_be_edited_with_a_correct_base(self, script: Script) -> None:
        """What the org has is the base of a change, with its version."""
        report = script.prime(listed(row("001A", Name="Acme")))
        script.journal.update("Account:001A", {"Name": "Acme Ltd"})
        [change] = script.journal.load("Account:001A").changes

        assert (report.observed, report.pages, report.stopped_by) == (1, 1, None)
        assert (change.base, change.base_version) == ({"Name": "Acme"}, STAMP)
        assert script.paths == [
            "/query/?q=SELECT Name, Id, LastModifiedDate, Key__c FROM Account WHERE Active = true"
        ]
        assert {entry.actor for entry in script.journal.log.scan(0)} == {"prime", "ann"}

    def test_page_by_page(self, script: Script) -> None:
        """One that was cut off goes on at its page, one that has ended begins anew."""
        first = script.prime(listed(row("1", Name="A"), more="01gA-2000"), limit_pages=1)
        script.prime(listed(row("2", Name="B")))
        again = script.prime(listed(row("1", Name="A"), row("2", Name="B")))

        assert first.stopped_by == "limit"
        assert script.paths[1] == "/query/01gA-2000"
        assert script.paths[2] == script.paths[0]
        assert (again.observed, again.unchanged) == (0, 2)

    def test_a_page_that_the_org_has_forgotten(self, script: Script) -> None:
        """The query is asked anew; what is known appends nothing."""
        script.prime(listed(row("1", Name="A"), more="01gA-2000"), limit_pages=1)
        report = script.prime(refused("INVALID_QUERY_LOCATOR"), listed(row("1", Name="A")))

        assert (report.unchanged, report.stopped_by) == (1, None)

    def test_pages_that_are_forgotten_again_and_again(self, script: Script) -> None:
        """A list is not begun anew for ever."""
        first = listed(row("1", Name="A"), more="01gA-2000")
        forgotten = refused("INVALID_QUERY_LOCATOR", "invalid query locator")
        report = script.prime(*[first, forgotten] * (READS_AGAIN + 1))

        assert report.stopped_by == "refused"
        assert report.problem == "invalid query locator (400)"

    def test_each_query_has_its_own_bookmark(self, script: Script) -> None:
        """Another query begins at its beginning, and so does a pull."""
        script.prime(listed(row("1", Name="A"), more="01gA-2000"), limit_pages=1)
        script.prime(listed(), query="SELECT Phone FROM Account")

        assert script.paths[1].startswith("/query/?q=SELECT Phone")

    def test_the_names_of_the_settings(self, script: Script) -> None:
        """An object is our type, a field of it ours; our key tells which record it is."""
        visit = script.journal.create("Visit", {"note": "x"}, id="v-1")
        script.prime(
            listed(row("a01", of="Visit__c", Note__c="y", Key__c="v-1")),
            query="select Note__c, lastmodifieddate from VISIT__C",
        )

        record = script.journal.load(visit)
        assert record.remote.fields == {"note": "y", "LastModifiedDate": STAMP}
        assert (record.remote.remote_id, record.fields) == (
            "a01",
            {"note": "x", "LastModifiedDate": STAMP},
        )

    def test_a_row_without_what_was_asked_for(self, script: Script) -> None:
        """What an org does not show has no value."""
        shown = {"attributes": {"type": "Account"}, "Id": "1", "Name": "A"}
        report = script.prime(listed(shown), query="SELECT Name, LastModifiedDate FROM Account")

        assert report.stopped_by is None
        assert script.observed() == [("1", {"Name": "A", VERSION: None}, None)]

    def test_an_object_is_called_as_the_org_calls_it(self, script: Script) -> None:
        """Otherwise there would be two types of one object."""
        report = script.prime(listed(row("1", of="Case")), query="SELECT Id FROM case")

        assert report.stopped_by == "refused"
        assert report.problem == "the org calls the object Case: write FROM Case"
        assert script.observed() == []

    def test_what_the_org_refuses(self, script: Script) -> None:
        """Its words are the problem; nothing is stored."""
        report = script.prime(refused("INVALID_FIELD", "No such column 'Nme'"))

        assert (report.stopped_by, report.problem) == ("refused", "No such column 'Nme' (400)")

    def test_what_is_no_query(self, script: Script) -> None:
        """It is refused before anything is asked."""
        with pytest.raises(QueryError):
            script.prime(query="SELECT COUNT() FROM Account")

    def test_what_is_no_page_is_asked_for_again(self, script: Script) -> None:
        """A page of a portal is no list of records."""
        portal = Response(200, {}, b"<html><title>Hotel</title></html>")
        report = script.prime(portal, NoAnswer(was_sent=True, problem="cut"), listed())

        assert (script.pauses, report.stopped_by) == (2, None)

    def test_a_limit_of_the_org_is_waited_for(self, script: Script) -> None:
        """The org is not asked again before its pause is over."""
        limit = refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)
        report = script.prime(limit, limit, limit)

        assert report.stopped_by == "unreachable"
        assert "TotalRequests Limit exceeded." in report.problem

    def test_the_allowance_is_spared(self, script: Script) -> None:
        """As it runs out, there are pauses between the pages, as there are between drafts."""
        used = {"sforce-limit-info": "api-usage=900/1000"}
        first = listed(row("1", Name="A"), more="01gA-1")
        report = script.prime(first._replace(headers=used), listed(row("2", Name="B")))

        assert (report.observed, report.stopped_by, script.pauses) == (2, None, 1)

    def test_a_remote_that_cannot_be_queried(self) -> None:
        """A record service by profile has no query language."""
        remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
        with pytest.raises(RemoteError, match="cannot be queried"):
            primed(remote, SOQL)
        with pytest.raises(RemoteError, match="does not describe"):
            describing(remote)

    def test_it_is_a_remote_that_lists_its_changes(self, script: Script) -> None:
        """It is who the org knows that asks."""
        found = primed(script.org, SOQL)

        assert found.headers()["Authorization"] == "Bearer s3cret"
        assert found.url.endswith(SOQL)


class TestParts:
    """A sighting of some fields says nothing of the others."""

    def test_what_is_not_seen_stays(self, script: Script) -> None:
        """Two queries for different fields know all of them."""
        script.prime(listed(row("1", Name="A")))
        script.prime(listed(row("1", Phone="7")), query="SELECT Phone FROM Account")

        assert script.journal.load("Account:1").fields == {"Name": "A", "Phone": "7"}

    def test_a_version_is_that_of_all_that_is_known(self, script: Script) -> None:
        """What was not seen may be older than the version: then there is none."""
        script.prime(listed(row("1", Name="A")))
        script.prime(listed(row("1", Phone="7")), query="SELECT Phone FROM Account")
        assert script.journal.load("Account:1").remote.version == STAMP

        script.prime(listed(row("1", LATER, Name="B")))
        assert script.journal.load("Account:1").remote.version is None

        both = "SELECT Name, Phone FROM Account"
        script.prime(listed(row("1", LATER, Name="B", Phone="8")), query=both)
        assert script.journal.load("Account:1").remote.version == LATER

    def test_a_version_without_any_change_of_what_is_seen(self, script: Script) -> None:
        """What is known stays at its version, so that a change is held against that."""
        script.prime(listed(row("1", Name="A")))
        script.prime(listed(row("1", Phone="7")), query="SELECT Phone FROM Account")
        report = script.prime(listed(row("1", LATER, Name="A")))

        assert report.unchanged == 1
        assert script.journal.load("Account:1").remote.version == STAMP


class TestPull:
    """What has changed."""

    def test_rows_then_what_was_deleted(self, script: Script) -> None:
        """A record that is gone there is gone here."""
        script.pull(listed(row("1", Name="A"), row("2", Name="B")), listed(row("1"), row("2")))
        deleted = answer(deletedRecords=[{"id": "2"}], latestDateCovered=LATER)
        report = script.pull(listed(row("1", LATER, Name="C")), deleted)

        assert (report.observed, report.deleted, report.stopped_by) == (1, 1, None)
        assert script.journal.load("Account:2").fields is None
        assert "/sobjects/Account/deleted/?start=" in script.paths[3]

    def test_the_first_asks_for_what_is_known_here(self, script: Script) -> None:
        """What was primed may have been deleted since: nothing else would tell."""
        script.prime(listed(row("1", Name="A"), row("2", Name="B")))
        report = script.pull(listed(row("1", Name="A", Phone=None)), listed(row("1")))

        assert script.paths[-1] == "/query/?q=SELECT Id FROM Account WHERE Id IN ('1', '2')"
        assert report.deleted == 1
        assert script.journal.load("Account:2").fields is None

    def test_where_the_org_will_not_say_what_was_deleted(self, script: Script) -> None:
        """The records are asked for by their ids, in pages."""
        script.pull(listed(row("1", Name="A"), row("2", Name="B")), listed(row("1"), row("2")))
        report = script.pull(
            listed(),
            refused("INVALID_REPLICATION_DATE"),
            listed(row("1"), more="01gA-1"),
            listed(),
        )

        assert (report.deleted, report.stopped_by) == (1, None)

    def test_a_check_that_is_cut_off_is_made_again(self, script: Script) -> None:
        """The list ends only once it was checked (D1)."""
        script.prime(listed(row("1", Name="A")))
        down = NoAnswer(was_sent=False, problem="down")
        cut = script.pull(listed(), down, down, down)
        assert cut.stopped_by == "unreachable"

        script.stops_after = 6
        assert script.pull(listed()).stopped_by == "stop"
        script.stops_after = None
        nonsense = answer(records=3, done=True)
        assert script.pull(listed(), nonsense, listed()).deleted == 1

    def test_what_the_check_finds_changed_meanwhile_is_asked_for_again(
        self, script: Script
    ) -> None:
        """A check never sets a record back (D4)."""
        script.prime(listed(row("1", Name="A")))
        pull = Pull(script.journal, script.org, SETTINGS, None)
        effects = pull.pages(("Account",), None, lambda: False)
        asked = 0

        def result(effect: object) -> object:
            nonlocal asked
            if isinstance(effect, Call):
                return effect.function()
            assert isinstance(effect, Request)
            asked += 1
            if asked == 2:  # it is made anew there, and another pull has seen that
                script.journal.observe("Account:1", {"Name": "B"}, remote_version=LATER)
            return listed(row("1")) if asked == 3 else listed()

        sent: object = None
        report: PullReport | None = None
        while report is None:
            try:
                sent = result(effects.send(sent))
            except StopIteration as ended:
                report = ended.value

        assert report is not None
        assert (asked, report.deleted) == (3, 0)

    def test_without_named_fields_all_are_wanted(self) -> None:
        """The org is asked once which there are."""
        script = Script(types={"Account": {}})
        fields = [{"name": name, "type": "string"} for name in ("Id", "Name", "SystemModstamp")]
        described = answer(name="Account", fields=fields)
        script.pull(described, listed())
        script.pull(listed(), answer(deletedRecords=[]))

        columns = "SELECT Id, LastModifiedDate, SystemModstamp, Key__c, Name FROM Account "
        assert [path for path in script.paths if columns in path] == script.paths[1:3]

    def test_an_org_that_does_not_say_which_fields_there_are(self) -> None:
        """Nothing is stored; it is asked again later."""
        script = Script(types={"Account": {}})
        report = script.pull(answer(), refused("NOT_FOUND", "no such object", 404))

        assert (report.stopped_by, report.problem) == ("refused", "no such object (404)")

    def test_a_condition_must_be_one(self) -> None:
        """The settings are refused, and it is said which key."""
        with pytest.raises(ProfileError, match=r"types\.Account\.pull\.where"):
            Script(types={"Account": {"pull": {"where": "A = 1 LIMIT 5"}}})


class TestDescribe:
    """What the objects of an org are."""

    def test_it_is_kept(self, script: Script) -> None:
        """Under our names; what we fill in ourselves is for nobody else to fill in."""
        needed: dict[str, Any] = {"type": "string", "nillable": False, "defaultedOnCreate": False}
        fields = [{"name": name, **needed} for name in ("Note__c", "Key__c", "When__c")]
        script = Script(capture={"occurred_at": "When__c"})
        parent = {"name": "Parent__c", "type": "reference", "referenceTo": ["Visit__c", "User"]}
        report = script.describe(
            answer(name="Visit__c", label="Visit", fields=[*fields, parent]), types=("Visit",)
        )
        kept = script.journal.catalogue.find("Visit")

        assert (report.described, report.refused, report.stopped_by) == (("Visit",), {}, None)
        assert kept is not None
        assert kept.source == script.org.url
        assert [(f.name, f.required, f.createable) for f in kept.type.fields] == [
            ("note", True, True),
            ("Key__c", False, False),
            ("When__c", False, True),
            ("Parent__c", False, True),
        ]
        assert kept.type.fields[-1].refers_to == ("Visit", "Visit__c", "User")
        assert script.paths == ["/sobjects/Visit__c/describe"]

    def test_one_that_is_refused_holds_up_no_other(self, script: Script) -> None:
        """It is said which, and why."""
        missing = refused("NOT_FOUND", "The requested resource does not exist", 404)
        report = script.describe(
            missing, answer(name="Account", fields=[]), types=("Nothing", "Account")
        )

        last = script.describe(missing, types=("Nothing",))

        assert report.described == ("Account",)
        assert report.refused == {"Nothing": "The requested resource does not exist (404)"}
        assert (last.refused, last.stopped_by, last.problem) == (report.refused, None, "")

    def test_it_is_asked_anew_each_time(self, script: Script) -> None:
        """What the org was before does not count."""
        script.describe(answer(name="Account", fields=[]))
        script.describe(answer(name="Account", fields=[{"name": "New__c"}]))
        kept = script.journal.catalogue.find("Account")

        assert kept is not None
        assert [field.name for field in kept.type.fields] == ["New__c"]

    def test_an_org_that_does_not_answer(self, script: Script) -> None:
        """It is asked again, and given up for now."""
        down = NoAnswer(was_sent=False, problem="down")
        report = script.describe(down, down, down, types=("Account", "Visit"))

        assert (report.described, report.stopped_by, report.problem) == ((), "unreachable", "down")
        assert script.pauses == 2

    def test_it_can_be_stopped(self, script: Script) -> None:
        """Between two types."""
        script.stops_after = 1
        report = script.describe(answer(name="Account", fields=[]), types=("Account", "Visit"))

        assert (report.described, report.stopped_by) == (("Account",), "stop")


def test_ids_of_either_length_are_the_same(script: Script) -> None:
    """An org shows ids of 18 characters, and knows them by 15."""
    short, long = "001Ws008EYnUbrv", "001Ws008EYnUbrvIYC"
    script.journal.observe(Ref.of("Account", short), {"Name": "A"})
    script.journal.observe(Ref.of("Account", long), {"Name": "A"})
    report = script.pull(listed(), listed(row(long)))

    assert report.deleted == 0


def test_pages_without_end_are_no_answer(script: Script) -> None:
    """A page that shows none of the records that were asked for leads nowhere."""
    script.prime(listed(row("1", Name="A")))
    endless = [listed(row(f"x{n}"), more=f"01gA-{n}") for n in range(3)]
    report = script.pull(listed(), *endless)

    assert (report.stopped_by, report.deleted) == ("unreachable", 0)
    assert report.problem.endswith("pages that show none of them anew")
