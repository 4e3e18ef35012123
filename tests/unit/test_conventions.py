"""Services of other conventions: what is sent to them, and what is made of their answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.events import DraftAcknowledged, DraftHeld, RecordObserved
from journal.outcomes import Refused, Seen
from journal.policies import Policies
from journal.record import Record
from journal.remotes import HttpRemote, NoAnswer, Profile, Push, Request, Response
from journal.remotes.dialect import Dialect
from journal.staging import Facts
from tests.unit.scripted import LOST, REFUSED, Script, outcomes, says, shows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import ChangeKind
    from journal.outcomes import Outcome
    from journal.remotes import Answer

URL: Final = "https://records.example.com"
NOTE: Final = Ref("Note:k1")
FIELDS: Final = {"title": "a", "n": 1}
HERE: Final = "header:ETag"


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def remote(**profile: Any) -> HttpRemote:  # noqa: ANN401  any key of a profile
    """Return a remote with these keys in its profile."""
    return HttpRemote(Profile.of({"url": URL, **profile}))


def body(request: Request) -> Any:  # noqa: ANN401  JSON
    """Return the content of a request."""
    assert request.body is not None
    return json.loads(request.body)


def known(journal: Journal, remote_id: str | None = None, version: str | None = '"1"') -> Ref:
    """Return a record that the remote is known to have."""
    journal.observe(NOTE, FIELDS, remote_id=remote_id, remote_version=version)
    return NOTE


def last(journal: Journal) -> DraftAcknowledged | DraftHeld:
    """Return the last outcome."""
    event = outcomes(journal)[-1]
    assert isinstance(event, (DraftAcknowledged, DraftHeld))
    return event


def pushed(journal: Journal, remote: HttpRemote, *answers: Answer) -> Outcome:
    """Return the outcome of pushing the one change of the note."""
    record = journal.load(NOTE)
    [change] = record.changes
    kind: ChangeKind = change.kind
    push = Push(
        *(change.draft_id, NOTE, kind, change.fields, change.base, change.base_version),
        *(change.revision, False, record, {}),
    )
    exchange = remote.push(push)
    next(exchange)
    for answer in answers:
        try:
            exchange.send(answer)
        except StopIteration as ended:
            outcome: Outcome = ended.value
            return outcome
    raise AssertionError(answers)


# --- ids of the service ------------------------------------------------------------------

ASSIGNED: Final[dict[str, Any]] = {
    "answer": {"id": "/id", "key": "/ref"},
    "create": {"method": "POST", "path": "/{type}", "body": '{"ref": "{key}", "...": "{fields}"}'},
    "find": {"path": "/{type}?ref={key}", "items": "/hits"},
}
MADE: Final = {"id": 7, "ref": "k1", **FIELDS}


def found(*hits: object) -> Response:
    """Return the answer to a look-up."""
    return shows({"hits": list(hits)})


class TestIdsOfTheService:
    """Where the service calls records as it likes, and keeps our key beside it."""

    def test_both_ids_are_kept(self, journal: Journal) -> None:
        """The id of the answer is the remote's, and what comes next is sent to it."""
        journal.create("Note", FIELDS, id="k1")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**ASSIGNED))

        script.drain(shows(MADE, '"1"', 201), shows({**MADE, "n": 2}, '"2"'))

        assert script.lines == ["POST /Note", "PATCH /Note/7"]
        assert body(script.requests[0]) == {"ref": "k1", **FIELDS}
        assert "If-None-Match" not in script.requests[0].headers
        assert last(journal).model_dump()["remote_id"] == "7"
        assert journal.load(NOTE).fields == {**FIELDS, "n": 2}

    @pytest.mark.parametrize("is_lost", [False, True])
    def test_a_record_that_is_created_again_gets_another_id(
        self, journal: Journal, *, is_lost: bool
    ) -> None:
        """Nobody looks for it under the id that it had, and it is made once."""
        journal.observe(NOTE, FIELDS, remote_id="7", remote_version='"1"')
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**ASSIGNED), conflicts=Policies(default="ours"))
        again = {**MADE, "id": 8, "n": 2}
        answers: list[Answer] = [LOST, found(again)] if is_lost else []

        script.drain(says(404), says(404), *answers, shows(again, '"1"', 201))

        assert script.methods.count("POST") == 1
        assert (journal.load(NOTE).remote.remote_id, journal.load(NOTE).changes) == ("8", ())

    def test_an_empty_id_is_none(self, journal: Journal) -> None:
        """A receipt must show what the service calls the record, or what refers to it cannot be."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(shows({**MADE, "id": ""}, '"1"', 201), found(MADE), shows(MADE, '"1"'))

        assert last(journal).model_dump()["remote_id"] == "7"

    def test_a_lost_create_is_looked_up_by_our_key(self, journal: Journal) -> None:
        """After a lost answer only our key is known; the hit is read, and settles it."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(LOST, found(MADE), shows(MADE, '"1"'))

        assert script.lines == ["POST /Note", "GET /Note?ref=k1", "GET /Note/7"]
        event = last(journal)
        assert isinstance(event, DraftAcknowledged)
        assert (event.evidence, event.remote_id, event.remote_version) == ("read", "7", '"1"')

    @pytest.mark.parametrize("nothing", [found(), says(404)], ids=["none", "404"])
    def test_no_hit_sends_it_again(self, journal: Journal, nothing: Response) -> None:
        """Where nothing has our key, the create is sent again: the same bytes."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(LOST, nothing, shows(MADE, '"1"', 201))

        assert script.methods == ["POST", "GET", "POST"]
        assert script.requests[0] == script.requests[2]

    def test_a_hit_must_show_our_key(self, journal: Journal) -> None:
        """Records of other keys mean that the filter was ignored: nothing is known then."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(LOST, found({**MADE, "ref": "k2"}, {**MADE, "ref": None}))

        event = last(journal)
        assert isinstance(event, DraftHeld)
        assert event.classification == "unknown"
        assert "its filter is ignored" in event.messages[0].message

    def test_a_look_before_the_first_request(self, journal: Journal) -> None:
        """Where the service lets two records have one key, a create looks before it makes one."""
        create = {**ASSIGNED["create"], "looks_first": True}
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**{**ASSIGNED, "create": create}))
        other = {**MADE, "n": 9}

        script.drain(found(other), shows(other, '"1"'))

        assert set(script.methods) == {"GET"}
        event = last(journal)
        assert isinstance(event, DraftHeld)
        assert event.classification == "conflict"

    def test_a_look_that_finds_nothing(self, journal: Journal) -> None:
        """Where there is none yet, it is made."""
        create = {**ASSIGNED["create"], "looks_first": True}
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**{**ASSIGNED, "create": create}))

        script.drain(found(), shows(MADE, '"1"', 201))

        assert script.methods == ["GET", "POST"]
        assert isinstance(last(journal), DraftAcknowledged)

    def test_no_content_is_no_hit(self, journal: Journal) -> None:
        """A look-up that is answered without content has found nothing."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(LOST, Response(204), shows(MADE, '"1"', 201))

        assert script.methods == ["POST", "GET", "POST"]

    def test_a_list_of_all(self, journal: Journal) -> None:
        """Where the look-up lists all records, those of other keys are no surprise."""
        find = {**ASSIGNED["find"], "lists_all": True}
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**{**ASSIGNED, "find": find}))

        script.drain(LOST, found({**MADE, "ref": "k2"}), shows(MADE, '"1"', 201))

        assert script.methods == ["POST", "GET", "POST"]

    def test_two_hits_are_for_a_person(self, journal: Journal) -> None:
        """Two records under our key are never chosen from."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(LOST, found(MADE, {**MADE, "id": 8}))

        event = last(journal)
        assert isinstance(event, DraftHeld)
        assert (event.classification, event.messages[0].message) == (
            "unknown",
            "the remote has 2 records under our key",
        )

    @pytest.mark.parametrize(
        "answer",
        [
            says(200, b"<html>"),
            shows({}),
            shows({"hits": {}}),
            shows({"hits": [3]}),
            says(403),
            found({"ref": "k1"}),
            says(500),
            LOST,
            REFUSED,
        ],
        ids=repr,
    )
    def test_a_look_up_that_says_nothing(self, journal: Journal, answer: Answer) -> None:
        """Without a list of records, nothing is sent and nothing is settled."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED), attempts=2)

        report = script.drain(LOST, answer)

        assert (report.pending, report.held) == (1, 0)
        assert "the remote failed" not in report.problem
        assert script.methods == ["POST", "GET"]

    def test_a_refused_create_of_a_taken_key(self, journal: Journal) -> None:
        """Whatever a second create is answered, the look-up shows whether ours is there."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(says(400, b'{"detail": "UNIQUE"}'), found(MADE), shows({**MADE, "n": 5}))

        event = last(journal)
        assert isinstance(event, DraftHeld)
        assert event.classification == "conflict"
        said = [message.message for message in event.messages]
        assert said[-2:] == ["the remote has another record under our key", "UNIQUE"]

    @pytest.mark.parametrize("answer", [says(201), says(204), shows({"ref": "k1", **FIELDS})])
    def test_a_create_without_an_id_in_its_answer(self, journal: Journal, answer: Answer) -> None:
        """What the service calls the record must be known, and is looked up where need be."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**ASSIGNED))

        script.drain(answer, found(MADE), shows(MADE, '"1"'))

        assert script.methods == ["POST", "GET", "GET"]
        assert journal.load(NOTE).remote.remote_id == "7"

    def test_an_id_that_is_not_known(self, journal: Journal) -> None:
        """A record that was observed without the service's id is looked up before a change."""
        seen = RecordObserved(exists=True, fields=FIELDS, remote_version='"1"')
        journal.note(NOTE, lambda _: (seen,), Facts("ann", "van-7"))
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**ASSIGNED))

        script.drain(found(MADE), shows(MADE, '"1"'), shows({**MADE, "n": 2}, '"2"'))

        assert script.lines == ["GET /Note?ref=k1", "GET /Note/7", "PATCH /Note/7"]
        assert script.requests[2].headers["If-Match"] == '"1"'

    def test_anothers_answer(self, journal: Journal) -> None:
        """An answer that shows another id, or another key, acknowledges nothing."""
        known(journal, "7")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**ASSIGNED), attempts=2)

        other = shows({**MADE, "id": 8, "n": 2}, '"2"')
        report = script.drain(other, other, other)

        assert (report.pending, report.held) == (1, 0)

    def test_a_foreign_record_has_another_key(self, journal: Journal) -> None:
        """A record that others have made is known by its id, and need not show our key."""
        known(journal, "7")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**ASSIGNED))

        report = script.drain(shows({**MADE, "ref": None, "n": 2}, '"2"'))

        assert report.pending == 0

    def test_numbers_stay_numbers(self, journal: Journal) -> None:
        """An id that is a number is one in bodies, in references too."""
        read = {"method": "POST", "path": "/get", "body": '{"id": "{id}"}'}
        profile = {**ASSIGNED, "read": read}
        profile["answer"] = {**ASSIGNED["answer"], "id_type": "number", "version": "none"}
        known(journal, "7")
        child = journal.create("Note", {"parent": NOTE}, id="k2")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**profile))

        script.drain(
            shows({"id": 8, "ref": "k2", "parent": 7}), shows(MADE), shows({**MADE, "n": 2})
        )

        assert body(script.requests[0]) == {"ref": "k2", "parent": 7}
        assert script.requests[1].body == b'{"id":7}'
        assert journal.load(child).remote.fields == {"parent": NOTE}

    def test_nothing_finds_it(self, journal: Journal) -> None:
        """Where a lost create cannot be found by anything, it waits for a person."""
        create = {"method": "POST", "path": "/{type}", "on_doubt": "hold"}
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(answer={"id": "/id"}, create=create))

        script.drain(LOST)

        event = last(journal)
        assert isinstance(event, DraftHeld)
        assert event.classification == "unknown"
        assert "look there" in event.messages[0].message
        assert script.methods == ["POST"]

    def test_a_refusal_needs_no_look(self, journal: Journal) -> None:
        """A refused create that nothing could find stays refused."""
        create = {"method": "POST", "path": "/{type}", "on_doubt": "hold"}
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(answer={"id": "/id"}, create=create))

        script.drain(says(422, b'{"detail": "no"}'))

        assert last(journal).model_dump()["classification"] == "rejected"

    def test_a_repeatable_create(self, journal: Journal) -> None:
        """Where the service knows a draft by its key, it is sent again without a look."""
        create = {
            "method": "POST",
            "path": "/{type}",
            "is_repeatable": True,
            "headers": {"Idempotency-Key": '"{draft}"'},
        }
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(answer={"id": "/id"}, create=create))

        script.drain(LOST, says(500), shows({"id": 7, **FIELDS}, status=201))

        assert script.methods == ["POST", "POST", "POST"]
        draft_id = journal.log.read()[0].event_id
        keys = {request.headers["Idempotency-Key"] for request in script.requests}
        assert keys == {f'"{draft_id}"'}


# --- versions ----------------------------------------------------------------------------


class TestVersions:
    """How versions come, and how they go back."""

    @pytest.mark.parametrize("version", [3, "3", "3-x", '"3"', 1.5, 'W/"1"'])
    @pytest.mark.parametrize("verb", ["update", "delete"])
    def test_a_version_in_the_body(self, journal: Journal, version: object, verb: str) -> None:
        """A version in a body goes back as the JSON type that it came as."""
        write = {
            "update": {"method": "POST", "body": '{"rev": "{version}", "set": "{fields}"}'},
            "delete": {"method": "POST", "body": '{"rev": "{version}"}'},
        }
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(answer={"version": "/rev"}, **write))
        script.drain(shows({**FIELDS, "rev": version}, '"e"', 201))

        if verb == "update":
            journal.update(NOTE, {"n": 2})
            script.drain(shows({**FIELDS, "n": 2, "rev": "new"}))
        else:
            journal.delete(NOTE)
            script.drain(says(204))

        assert body(script.requests[1])["rev"] == version
        assert type(body(script.requests[1])["rev"]) is type(version)
        assert "If-Match" not in script.requests[1].headers

    def test_a_version_in_the_query(self, journal: Journal) -> None:
        """A version in the query is text, whatever it came as."""
        profile = {
            "answer": {"version": "/rev"},
            "update": {"path": "/{type}?id=eq.{id}&rev=eq.{version}"},
            "version": {"condition": "none"},
        }
        known(journal, version="5")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**profile))

        script.drain(shows({**FIELDS, "n": 2, "rev": 6}))

        assert script.lines == ["PATCH /Note?id=eq.k1&rev=eq.5"]

    def test_a_composed_version(self, journal: Journal) -> None:
        """A version of several parts goes back in parts."""
        profile = {
            "answer": {"fields": "/_source", "version": {"seq": "/_seq_no", "term": "/_term"}},
            "update": {
                "method": "POST",
                "path": "/{type}/{id}?seq={version.seq}&term={version.term}",
                "body": '{"doc": "{fields}"}',
            },
            "version": {"condition": "none"},
        }
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(**profile))
        script.drain(shows({"_source": FIELDS, "_seq_no": 4, "_term": 1}, status=201))

        journal.update(NOTE, {"n": 2})
        script.drain(shows({"_source": {**FIELDS, "n": 2}, "_seq_no": 5, "_term": 1}))

        assert script.lines[1] == "POST /Note/k1?seq=4&term=1"
        assert last(journal).model_dump()["remote_version"] == '{"seq":5,"term":1}'

    def test_a_condition_of_its_own(self, journal: Journal) -> None:
        """A version is sent in the header that the profile names, without being asked to."""
        known(journal, version="7")
        journal.delete(NOTE)
        profile = {"answer": {"version": "/v"}, "version": {"condition": "X-Version"}}
        script = Script(journal, remote(**profile))

        script.drain(says(204))

        assert script.requests[0].headers == {"X-Version": "7"}

    def test_answers_without_a_version(self, journal: Journal) -> None:
        """Where a write is answered without one, the next change of the record reads first."""
        journal.create("Note", FIELDS, id="k1")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote())

        script.drain(shows(FIELDS, status=201), shows(FIELDS, '"1"'), shows({**FIELDS, "n": 2}))

        assert script.methods == ["PUT", "GET", "PATCH"]
        assert script.requests[2].headers["If-Match"] == '"1"'

    def test_a_required_version_that_nobody_shows(self, journal: Journal) -> None:
        """Where a version is required and none is shown, nothing is sent."""
        known(journal, version=None)
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(version={"is_required": True}))

        script.drain(shows(FIELDS))

        assert "shows no version" in last(journal).model_dump()["messages"][0]["message"]

    def test_never_from_a_refusal(self, journal: Journal) -> None:
        """The version of a refusal may be of something else: the read's is taken."""
        known(journal)
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote())

        script.drain(says(412, etag='"collection"'), shows({**FIELDS, "n": 2}, '"2"'))

        assert last(journal).model_dump()["remote_version"] == '"2"'

    def test_a_delete_without_its_version(self, journal: Journal) -> None:
        """Where a delete cannot carry the version, the record is compared right before it."""
        known(journal)
        journal.delete(NOTE)
        profile = {
            "version": {"condition": "none"},
            "update": {"headers": {"X-V": "{version}"}},
        }
        script = Script(journal, remote(**profile))

        script.drain(shows(FIELDS, '"1"'), says(204))

        assert script.methods == ["GET", "DELETE"]


# --- updates -----------------------------------------------------------------------------

WHOLE: Final = {"update": {"method": "PUT", "body": '{"data": "{record}"}'}}


class TestUpdates:
    """How fields are changed, and unset."""

    def test_a_whole_document(self, journal: Journal) -> None:
        """What was read goes back with the change in it, and without what is the service's own."""
        known(journal)
        journal.update(NOTE, {"n": 2, "title": None})
        profile = {**WHOLE, "answer": {"own": ["/meta"]}}
        script = Script(journal, remote(**profile))

        shown = {**FIELDS, "theirs": [1], "meta": {"at": 1}}
        script.drain(shows(shown, '"1"'), says(204, etag='"2"'))

        assert script.methods == ["GET", "PUT"]
        assert body(script.requests[1]) == {"data": {"n": 2, "theirs": [1]}}
        assert script.requests[1].headers["If-Match"] == '"1"'

    def test_a_whole_document_that_has_changed(self, journal: Journal) -> None:
        """A document at another version is not written over: that is a conflict."""
        known(journal)
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**WHOLE))

        script.drain(shows({**FIELDS, "n": 9}, '"2"'))

        assert last(journal).model_dump()["classification"] == "conflict"
        assert script.methods == ["GET"]

    def test_operations(self, journal: Journal) -> None:
        """Each field is an operation, in the order of the draft, between what else is said."""
        update = {
            "media_type": "application/json-patch+json",
            "set": '{"op": "add", "path": "/fields/{pointer}", "value": "{value}"}',
            "unset": '{"op": "remove", "path": "/fields/{pointer}"}',
            "body": '[{"op": "test", "path": "/rev", "value": "{version}"},'
            ' {"...": "{operations}"}]',
        }
        known(journal, version="4")
        journal.update(NOTE, {"a/b": [1], "title": None})
        version = {"answer": {"version": "/rev"}, "version": {"condition": "none"}}
        script = Script(journal, remote(update=update, **version))

        script.drain(shows({"a/b": [1], "n": 1, "rev": 5}))

        assert body(script.requests[0]) == [
            {"op": "test", "path": "/rev", "value": 4},
            {"op": "add", "path": "/fields/a~1b", "value": [1]},
            {"op": "remove", "path": "/fields/title"},
        ]
        assert script.requests[0].headers["Content-Type"] == "application/json-patch+json"

    @pytest.mark.parametrize(
        ("update", "path", "sent"),
        [
            ({}, "/Note/k1", {"n": None, "title": "b"}),
            ({"unset": '""'}, "/Note/k1", {"n": "", "title": "b"}),
            ({"unset": '{"__op": "Delete"}'}, "/Note/k1", {"n": {"__op": "Delete"}, "title": "b"}),
            (
                {"unset": "omit", "path": "/{type}/{id}?mask={names}"},
                "/Note/k1?mask=title&mask=n",
                {"title": "b"},
            ),
            (
                {"unset": "omit", "path": "/{type}/{id}?mask={names.joined}"},
                "/Note/k1?mask=title%2Cn",
                {"title": "b"},
            ),
            (
                {"unset": "omit", "body": '{"set": "{fields}", "clear": "{unset}"}'},
                "/Note/k1",
                {"set": {"title": "b"}, "clear": ["n"]},
            ),
            (
                {"unset": "omit", "body": '{"set": "{fields}", "clear": "{unset.joined}"}'},
                "/Note/k1",
                {"set": {"title": "b"}, "clear": "n"},
            ),
        ],
    )
    def test_ways_to_unset(
        self, journal: Journal, update: dict[str, Any], path: str, sent: object
    ) -> None:
        """A field is unset as the service has it: by null, a marker, a mask, or a list of names."""
        known(journal)
        journal.update(NOTE, {"title": "b", "n": None})
        script = Script(journal, remote(update=update))

        report = script.drain(
            shows({"title": "b", "n": ""} if '""' in update.values() else {"title": "b"}, '"2"')
        )

        assert (script.requests[0].path, body(script.requests[0])) == (path, sent)
        assert report.pending == 0

    @pytest.mark.parametrize(
        ("update", "sent"),
        [({}, {"n": {"a": 1, "b": None}}), ({"media_type": "application/json"}, {"n": {"a": 1}})],
        ids=["merge patch", "json"],
    )
    def test_a_member_that_is_left_out(
        self, journal: Journal, update: dict[str, Any], sent: object
    ) -> None:
        """A merge patch says what is to go from within a field; other contents are whole."""
        journal.observe(NOTE, {"n": {"a": 1, "b": 2}}, remote_version='"1"')
        journal.update(NOTE, {"n": {"a": 1}})
        script = Script(journal, remote(update=update))

        script.drain(shows({"n": {"a": 1}}, '"2"'))

        assert body(script.requests[0]) == sent

    def test_several_fields_that_are_unset_are_joined(self, journal: Journal) -> None:
        """Their names are one text, with commas."""
        known(journal)
        journal.update(NOTE, {"title": None, "n": None})
        update = {"unset": "omit", "body": '{"set": "{fields}", "clear": "{unset.joined}"}'}
        script = Script(journal, remote(update=update))

        script.drain(shows({"title": None, "n": None}, '"2"'), shows({}, '"2"'))

        assert body(script.requests[0]) == {"set": {}, "clear": "title,n"}

    def test_operations_by_name(self, journal: Journal) -> None:
        """An operation may call the field by its name, as it is."""
        operation = '{"field": "{name}", "to": "{value}"}'
        update = {"set": operation, "unset": operation, "body": '{"changes": "{operations}"}'}
        known(journal)
        journal.update(NOTE, {"a/b": 1})
        script = Script(journal, remote(update=update))

        script.drain(shows({"a/b": 1}, '"2"'))

        assert body(script.requests[0]) == {"changes": [{"field": "a/b", "to": 1}]}

    def test_each_field_may_have_its_way_to_be_unset(self, journal: Journal) -> None:
        """Where values stand in envelopes, one without a value has one too."""
        title = {"write": '{"text": [{"is": "{value}"}]}', "read": "/text/0/is"}
        number = {"write": '{"number": "{value}"}', "read": "/number"}
        fields = {
            "title": {**title, "unset": '{"text": []}'},
            "n": {**number, "unset": '{"number": 0}'},
        }
        known(journal)
        journal.update(NOTE, {"title": None, "n": None, "done": True})
        script = Script(journal, remote(types={"Note": {"fields": fields}}))
        shown = {"title": {"text": []}, "n": {"number": 0}, "done": True}

        script.drain(shows(shown, '"2"'))

        assert body(script.requests[0]) == shown
        assert isinstance(last(journal), DraftAcknowledged)

    @pytest.mark.parametrize(
        ("form", "shown", "here"),
        [
            ({"unset": "false"}, False, None),
            ({"unset": "false"}, "a", "a"),
            ({"unset": '{"v": ""}', "read": "/v"}, {"v": ""}, None),
            ({"unset": "null"}, "", ""),
            ({"compare": "number"}, "", None),
            ({"compare": "number"}, "7", 7),
            ({"compare": "text"}, "", ""),
        ],
    )
    def test_what_stands_for_no_value_is_none_here(
        self, form: dict[str, Any], shown: object, here: object
    ) -> None:
        """What a service shows where a field has no value, is read as none."""
        service = remote(types={"Note": {"fields": {"n": form}}})

        fields = service.dialect.forms("Note").read({"n": shown})

        assert service.recognised(fields, Record(NOTE), {}) == {"n": here}

    def test_what_stands_for_no_value_may_be_written(self, journal: Journal) -> None:
        """A draft that sets just that is acknowledged: the service cannot tell them apart."""
        journal.create("Note", {"title": "", "n": 1}, id="k1")
        types = {"Note": {"fields": {"title": {"unset": '""'}}}}
        script = Script(journal, remote(types=types))

        script.drain(shows({"title": "", "n": 1}, '"1"', 201))

        assert isinstance(last(journal), DraftAcknowledged)
        assert journal.load(NOTE).fields == {"title": "", "n": 1}

    @pytest.mark.parametrize(("unset", "sent"), [("null", {"n": []}), ("omit", {})])
    def test_a_create_with_a_field_that_has_its_way(
        self, journal: Journal, unset: str, sent: dict[str, Any]
    ) -> None:
        """What a create leaves out is left out; otherwise each field has its way."""
        journal.create("Note", {"title": "a", "n": None}, id="k1")
        types = {"Note": {"fields": {"n": {"unset": "[]"}}}}
        script = Script(journal, remote(create={"unset": unset}, types=types))

        script.drain(shows({"title": "a"}, '"1"', 201))

        assert body(script.requests[0]) == {"title": "a", **sent}

    def test_a_whole_document_with_a_field_that_has_its_way(self, journal: Journal) -> None:
        """In a whole record, a field is left out unless it says what stands for no value."""
        known(journal)
        journal.update(NOTE, {"title": None, "n": None, "done": True})
        types = {"Note": {"fields": {"n": {"unset": "[]"}}}}
        whole = {"method": "PUT", "body": '"{record}"'}
        script = Script(journal, remote(update=whole, types=types))

        script.drain(shows(FIELDS, '"1"'), shows({"n": [], "done": True}, '"2"'))

        assert body(script.requests[1]) == {"n": [], "done": True}
        assert isinstance(last(journal), DraftAcknowledged)

    def test_a_field_that_is_shown_under_another_name(self, journal: Journal) -> None:
        """A field may be written by one name and shown by another: it is one field here."""
        owner = {"name": "owner@bind", "shown_as": "_owner_value", "write": '"/users({value})"'}
        journal.create("Note", {"title": "a", "owner": "u1"}, id="k1")
        script = Script(journal, remote(types={"Note": {"fields": {"owner": owner}}}))

        script.drain(shows({"title": "a", "_owner_value": "u1"}, '"1"', 201))

        assert body(script.requests[0]) == {"title": "a", "owner@bind": "/users(u1)"}
        assert isinstance(last(journal), DraftAcknowledged)
        assert journal.load(NOTE).fields == {"title": "a", "owner": "u1"}

    def test_a_create_leaves_out_what_has_no_value(self, journal: Journal) -> None:
        """Where a create takes no null, a field without a value is not in it."""
        journal.create("Note", {**FIELDS, "x": None}, id="k1")
        script = Script(journal, remote(create={"unset": "omit"}))

        script.drain(shows(FIELDS, '"1"', 201))

        assert body(script.requests[0]) == FIELDS

    def test_a_form(self, journal: Journal) -> None:
        """A body can be a form."""
        form = "application/x-www-form-urlencoded"
        known(journal)
        journal.update(NOTE, {"n": 2, "more": {"a b": "c&d"}})
        update = {"method": "POST", "media_type": form, "body": '{"data": "{fields}"}'}
        script = Script(journal, remote(update=update))

        script.drain(shows({**FIELDS, "n": 2, "more": {"a b": "c&d"}}, '"2"'))

        assert script.requests[0].body == b"data%5Bn%5D=2&data%5Bmore%5D%5Ba+b%5D=c%26d"
        assert script.requests[0].headers["Content-Type"] == form

    def test_names_and_envelopes(self, journal: Journal) -> None:
        """Fields go out under the service's names and come back under ours."""
        types = {
            "Note": {
                "name": "notes",
                "words": {"one": "note"},
                "fields": {
                    "title": {"name": "name", "write": '{"en-US": "{value}"}', "read": "/en-US"},
                    "n": {"compare": "number"},
                },
            }
        }
        profile = {
            "types": types,
            "answer": {"record": "/{type.one}"},
            "update": {"body": '{"{type.one}": "{fields}"}', "path": "/{type}/{id}.json"},
        }
        known(journal)
        journal.update(NOTE, {"title": "b", "n": 2})
        script = Script(journal, remote(**profile))

        report = script.drain(shows({"note": {"name": {"en-US": "b"}, "n": "2"}}, '"2"'))

        assert script.lines == ["PATCH /notes/k1.json"]
        assert body(script.requests[0]) == {"note": {"name": {"en-US": "b"}, "n": 2}}
        assert report.pending == 0
        assert journal.load(NOTE).fields == {"title": "b", "n": 2}

    def test_what_is_the_services_own_is_not_sent(self, journal: Journal) -> None:
        """A field that the service keeps itself is held before anything is sent."""
        known(journal)
        journal.update(NOTE, {"rev": 5})
        script = Script(journal, remote(answer={"version": "/rev"}))

        script.drain()

        assert "keeps 'rev' itself" in last(journal).model_dump()["messages"][0]["message"]

    @pytest.mark.parametrize(
        ("own", "name", "is_own"),
        [
            ("/_*", "_links", True),
            ("/*_at", "changed_at", True),
            ("/*_at", "at", False),
            ("/*_at", "changed_by", False),
            ("/x*y", "x-y", True),
            ("/xy*yx", "xyx", False),
            ("/x", "xy", False),
        ],
    )
    def test_what_is_the_services_own_by_a_part_of_its_name(
        self,
        journal: Journal,
        own: str,
        name: str,
        is_own: bool,  # noqa: FBT001
    ) -> None:
        """A star stands for any text: such a field is neither shown here nor sent."""
        service = remote(answer={"own": [own]})
        shown = service.dialect.shown("read", "Note", shows({"title": "a", name: 1}))
        known(journal)
        journal.update(NOTE, {name: 5})
        script = Script(journal, service)

        script.drain(*([] if is_own else [shows({**FIELDS, name: 5}, '"2"')]))

        assert shown is not None
        assert (name in (shown.fields or {})) is not is_own
        assert isinstance(last(journal), DraftHeld) is is_own


# --- receipts and refusals ---------------------------------------------------------------


class TestReceipts:
    """What counts as an acknowledgement, where answers are of another shape."""

    @pytest.mark.parametrize(
        ("answer", "is_receipt"),
        [
            (shows({"data": {"id": "k1", "deleted": True}}), True),
            (shows({"data": {"id": "k2", "deleted": True}}), False),
            (shows({"data": {"deleted": True}}), False),
            (shows({"data": {"title": "a", "n": 1}}), False),
            (shows({"data": {"title": "another", "n": 1}}), False),
            (shows({"data": {"title": "a"}}), False),
            (shows({"ok": True}), False),
            (says(200, b"deleted"), False),
            (says(202), False),
        ],
        ids=repr,
    )
    def test_a_delete_with_a_body(
        self,
        journal: Journal,
        answer: Response,
        is_receipt: bool,  # noqa: FBT001
    ) -> None:
        """A delete that shows our record is a receipt; what shows nothing of it is read back."""
        known(journal)
        journal.delete(NOTE)
        script = Script(journal, remote(answer={"record": "/data", "key": "/id"}))

        script.drain(answer, *([] if is_receipt else [says(404)]))

        assert last(journal).model_dump()["evidence"] == ("answer" if is_receipt else "read")

    @pytest.mark.parametrize("shown", [{"ok": True}, {"error": "log in"}, [], "yes"])
    def test_an_answer_that_shows_nothing(self, journal: Journal, shown: object) -> None:
        """Where answers show nothing of the record, each change is read back."""
        known(journal)
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(update={"answer": {"record": "none"}}))

        script.drain(shows(shown, '"2"'), shows({**FIELDS, "n": 2}, '"2"'))

        assert last(journal).model_dump()["evidence"] == "read"

    def test_a_rule_says_that_it_is_done(self, journal: Journal) -> None:
        """What a rule calls done is a receipt, though it shows nothing that could be compared."""
        known(journal)
        journal.delete(NOTE)
        meaning = [{"on": ["delete"], "at": "/ok", "is": True, "means": "done"}]
        script = Script(journal, remote(meaning=meaning))

        script.drain(shows({"ok": True}))

        assert last(journal).model_dump()["evidence"] == "answer"

    def test_what_a_rule_calls_done_must_not_contradict(self, journal: Journal) -> None:
        """A rule makes no receipt of an answer that shows other values."""
        known(journal)
        journal.update(NOTE, {"n": 2})
        meaning = [{"status": 200, "on": ["update"], "means": "done"}]
        script = Script(journal, remote(meaning=meaning))

        script.drain(shows({**FIELDS, "n": 1}, '"2"'), shows({**FIELDS, "n": 2}, '"2"'))

        assert last(journal).model_dump()["evidence"] == "read"

    @pytest.mark.parametrize("status", [200, 204])
    def test_what_others_changed_is_known_by_the_read_before(
        self, journal: Journal, status: int
    ) -> None:
        """Where an answer shows no fields, those that were read right before are noted."""
        answer = {"record": "none", "key": "none"}
        rule = {"on": ["update"], "at": "/ok", "is": True, "means": "done"}
        profile = {"answer": {"version": "none"}, "update": {"answer": answer}, "meaning": [rule]}
        boss = Ref("Note:boss")
        journal.observe(boss, {}, remote_id="boss")
        known(journal, version=None)
        journal.update(NOTE, {"title": "b", "of": boss})
        script = Script(journal, remote(**profile))
        done = Response(204) if status == 204 else shows({"ok": True})

        script.drain(shows({**FIELDS, "n": 9}), done)

        assert isinstance(last(journal), DraftAcknowledged)
        assert journal.load(NOTE).fields == {"title": "b", "n": 9, "of": boss}

    def test_a_false_receipt(self, journal: Journal) -> None:
        """A create that is answered with the old record under the key is no receipt."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(answer={"key": "/id"}))

        old = shows({"id": "k1", "title": "old", "n": 1}, '"1"')
        script.drain(old, old)

        assert last(journal).model_dump()["classification"] == "conflict"

    def test_a_refusal_in_a_200(self, journal: Journal) -> None:
        """A refusal that comes as a success is one, once a read has shown it."""
        known(journal)
        journal.update(NOTE, {"n": -1})
        meaning = [{"at": "/error", "means": "refused"}]
        script = Script(journal, remote(meaning=meaning))

        script.drain(shows({"error": True, "detail": "negative"}), shows(FIELDS, '"1"'))

        event = last(journal)
        assert isinstance(event, DraftHeld)
        assert (event.classification, event.status) == ("rejected", 200)
        assert event.messages[0].message == "negative"

    def test_absence_by_other_means(self, journal: Journal) -> None:
        """A read may say in its own way that there is nothing."""
        known(journal)
        journal.delete(NOTE)
        meaning = [{"on": ["read"], "at": "/items", "is_empty": True, "means": "absent"}]
        profile = {"answer": {"record": "/items/0"}, "read": {"path": "/{type}?id={id}"}}
        script = Script(journal, remote(meaning=meaning, **profile))

        script.drain(says(403), shows({"items": []}))

        assert last(journal).model_dump()["evidence"] == "read"

    def test_a_rule_may_name_the_type(self, journal: Journal) -> None:
        """The place of a rule may hold a word of the record's type."""
        rule = {"on": ["read"], "at": "/{type.one}/state", "is": "deleted", "means": "absent"}
        known(journal, version=None)
        journal.delete(NOTE)
        types = {"Note": {"words": {"one": "note"}}}
        script = Script(journal, remote(meaning=[rule], types=types))
        gone = shows({"note": {"state": "deleted"}})

        script.drain(gone)

        assert isinstance(last(journal), DraftAcknowledged)

    def test_a_portal_is_no_absence(self, journal: Journal) -> None:
        """A page that is no answer of the service's proves no absence."""
        known(journal)
        journal.delete(NOTE)
        meaning = [{"on": ["read"], "at": "/items", "is_empty": True, "means": "absent"}]
        script = Script(journal, remote(meaning=meaning), attempts=1)

        report = script.drain(says(403), shows({"error": "log in"}))

        assert (report.pending, report.held) == (1, 0)


class TestSeen:
    """What a refusal tells of the record."""

    def test_a_conflict(self, journal: Journal) -> None:
        """What the remote has is told in our words: names, references, values, and no more."""
        types = {"Note": {"fields": {"done": {"compare": "bool"}, "title": {"name": "name"}}}}
        fields = {"title": "a", "done": True}
        journal.observe(NOTE, fields, remote_version='"1"')
        journal.update(NOTE, {"title": "b"})
        profile = {"types": types, "answer": {"own": ["/meta"]}}

        theirs = shows({"name": "c", "done": 1, "meta": 5, "new": 1}, '"2"')
        outcome = pushed(journal, remote(**profile), says(412), theirs, theirs)

        assert isinstance(outcome, Refused)
        assert outcome.seen == Seen({"title": "c", "done": True, "new": 1}, "k1", '"2"')

    def test_gone(self, journal: Journal) -> None:
        """A record that the remote has no more is seen as absent."""
        known(journal, "7")
        journal.update(NOTE, {"n": 2})

        outcome = pushed(journal, remote(), says(412), says(404), says(404))

        assert isinstance(outcome, Refused)
        assert (outcome.classification, outcome.seen) == ("gone", Seen(None, "7"))

    def test_what_cannot_be_stored(self, journal: Journal) -> None:
        """What a log cannot keep exactly is not seen; the refusal stands all the same."""
        known(journal)
        journal.update(NOTE, {"n": 2})

        odd = says(200, b'{"n": 12345678901234567890, "title": "a"}', etag='"2"')
        outcome = pushed(journal, remote(), says(412), odd, odd)

        assert isinstance(outcome, Refused)
        assert (outcome.classification, outcome.seen) == ("conflict", None)


class TestWithoutAValue:
    """What is left out of a request, and what never is."""

    def test_an_id_is_never_left_out(self, journal: Journal) -> None:
        """A request in whose body the id would stand is not sent without it."""
        read = {"method": "POST", "path": "/get", "body": '{"ref": "{key}"}'}
        update = {"method": "POST", "path": "/set", "body": '{"id": "{id}", "set": "{fields}"}'}
        profile = {**ASSIGNED, "read": read, "update": update}
        seen = RecordObserved(exists=True, fields=FIELDS, remote_version='"1"')
        journal.note(NOTE, lambda _: (seen,), Facts("ann", "van-7"))
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(**{**profile, "find": None}))

        script.drain(shows({"ref": "k1", **FIELDS}, '"1"'))

        assert "needs {id}" in last(journal).model_dump()["messages"][0]["message"]

    def test_headers_and_bodies(self, journal: Journal) -> None:
        """A header, and a whole body, without a value is left out."""
        delete = {"headers": {"X-V": "{version}"}, "body": '{"rev": "{version}"}'}
        known(journal, version=None)
        journal.delete(NOTE)
        script = Script(journal, remote(delete=delete))

        script.drain(shows(FIELDS), says(204))

        assert script.requests[1] == Request("DELETE", "/Note/k1")

    def test_a_version_that_a_host_has_noted(self, journal: Journal) -> None:
        """A version that was noted as plain text is sent as that, where bodies hold versions."""
        update = {"body": '{"rev": "{version}", "...": "{fields}"}'}
        known(journal, version="3-x")
        journal.update(NOTE, {"n": 2})
        version = {"answer": {"version": "/rev"}, "version": {"condition": "none"}}
        script = Script(journal, remote(update=update, **version))

        script.drain(shows({**FIELDS, "n": 2, "rev": "4-y"}))

        assert body(script.requests[0]) == {"rev": "3-x", "n": 2}

    def test_a_change_that_may_not_be_read(self, journal: Journal) -> None:
        """Where a read must come first and is refused, nothing is sent and nothing is held."""
        known(journal, version=None)
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(), attempts=1)

        report = script.drain(says(403))

        assert (report.pending, report.held, script.methods) == (1, 0, ["GET"])


class TestKeys:
    """What our key may be, and where it goes."""

    def test_a_key_in_the_url_is_the_id(self, journal: Journal) -> None:
        """Where our key is the id, a record that the remote calls otherwise is called so."""
        known(journal, "theirs")
        journal.update(NOTE, {"n": 2})
        script = Script(journal, remote(update={"path": "/{type}/{key}"}))

        script.drain(shows({**FIELDS, "n": 2}, '"2"'))

        assert script.lines == ["PATCH /Note/theirs"]

    def test_a_key_that_is_not_taken(self, journal: Journal) -> None:
        """A key that the service does not take is held before anything is sent."""
        journal.create("Note", FIELDS, id="k1")
        script = Script(journal, remote(key={"pattern": "[0-9]+"}))

        script.drain()

        assert "takes no key like 'k1'" in last(journal).model_dump()["messages"][0]["message"]

    @pytest.mark.parametrize("key", ["a'b", 'a" or "1" eq "1', "a\\"])
    def test_a_key_that_would_end_a_filter(self, journal: Journal, key: str) -> None:
        """A key is never put between quotes that it would end."""
        find = {"path": "/{type}?filter=ref eq \"{key}\" or ref eq '{key}'", "items": "/hits"}
        journal.create("Note", FIELDS, id=key)
        script = Script(journal, remote(**{**ASSIGNED, "find": find}))

        script.drain(LOST)

        assert "stands in quotes" in last(journal).model_dump()["messages"][0]["message"]

    def test_an_amended_draft_has_another_key(self) -> None:
        """The key of a draft is the same for ever, until it is amended."""
        profile = Profile.of({"url": URL, "create": {"headers": {"X-Id": "{draft}"}}})
        remote = HttpRemote(profile)
        with Journal() as journal:
            journal.create("Note", FIELDS, id="k1")
            record = journal.load(NOTE)
            draft_id = record.changes[0].draft_id
            is_maybe = False
            push = Push(draft_id, NOTE, "create", FIELDS, {}, None, 0, is_maybe, record, {})

            keys = [
                next(remote.push(push._replace(revision=revision))).headers["X-Id"]
                for revision in (0, 0, 1, 2)
            ]

        assert keys == [draft_id, draft_id, f"{draft_id}-1", f"{draft_id}-2"]


class TestChanges:
    """What a list of changes shows, for who pulls."""

    PROFILE: Final = Profile.of(
        {
            "url": URL,
            "answer": {"fields": "/values", "id": "/id", "key": "/ref", "version": "/rev"},
            "create": {"path": "/{type}/{key}"},
            "find": {"path": "/{type}?ref={key}"},
            "changes": {
                "path": "/{type}?since={since}&p={page}",
                "items": "/items",
                "record": "/doc",
                "deleted": "/deleted",
                "next_since": "/cursor",
                "page": "/next",
            },
        }
    )

    def test_requests(self) -> None:
        """A list begins at a checkpoint, and a page at its token."""
        dialect = Dialect(self.PROFILE)

        first = dialect.request("changes", "Note", {})
        later = dialect.request("changes", "Note", {"since": "a b", "page": 2})

        assert (first.path, later.path) == ("/Note", "/Note?since=a%20b&p=2")

    def test_items(self) -> None:
        """An item shows its record, or only which record is gone."""
        dialect = Dialect(self.PROFILE)
        doc = {"id": 1, "ref": "k1", "rev": 3, "values": FIELDS}
        items = [{"doc": doc}, {"id": 2, "ref": "k2", "rev": 4, "deleted": True}]
        answer = shows({"items": items, "cursor": 9, "next": None})

        found = dialect.items("changes", "Note", answer)

        assert found is not None
        assert [item.shown for item in found] == [
            (FIELDS, "1", "k1", "3"),
            (None, "2", "k2", "4"),
        ]
        assert [item.content for item in found] == items
        changes = self.PROFILE.changes
        assert changes is not None
        assert dialect.find(changes.next_since, "Note", json.loads(answer.body), {}) == 9
        assert not dialect.find(changes.page, "Note", json.loads(answer.body), {})


def test_nothing_of_a_service_raises(journal: Journal) -> None:
    """Whatever JSON a service answers, the outcome is a value."""
    known(journal, "7")
    journal.update(NOTE, {"n": 2})
    contents: list[Any] = [None, [], [{}], "text", 5, True, {"id": [1]}, {"id": {}, "ref": []}]
    for content in contents:
        for status in (200, 201, 400, 404, 409, 412):
            outcome = pushed(
                journal,
                remote(**ASSIGNED),
                shows(content, status=status),
                shows(content),
                NoAnswer(was_sent=True, problem="end"),
            )
            assert not isinstance(outcome, Exception)
