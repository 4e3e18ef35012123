"""The generic remote: what it sends, and what it makes of every answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import Journal, Ref
from journal.events import (
    DraftAcknowledged,
    DraftDiscarded,
    DraftHeld,
    FieldMessage,
    PushStarted,
    RecordObserved,
)
from journal.remotes import HttpRemote, NoAnswer, Profile, Request, Response
from journal.remotes.comparison import merge_patch
from journal.remotes.forms import agrees
from journal.sources import Sources
from journal.staging import Facts
from tests.strategies import json_values
from tests.unit.scripted import LOST, REFUSED, Leaping, Script, outcomes, says, shows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes import Answer

URL = "https://records.example.com"
ACME = {"Name": "Acme", "Size": 1}
ACCOUNT = Ref("Account:a1")
CREATE = {"If-None-Match": "*", "Content-Type": "application/json"}
BECAME = "here it became 2, at the remote 3; it was 1"
NEWER = FieldMessage(message="the remote has a newer version of the record")
TAKEN = FieldMessage(message="the remote has another record under our key")
GONE = FieldMessage(message="the remote no longer has the record")
CANARY = "s3cr3t-c4n4ry"
KEY_ONLY = {"record": "none"}
POSTED = {"method": "POST", "path": "/{type}", "body": '{"key": "{key}", "...": "{fields}"}'}
GIVEN = {"id": "/sid", "key": "/key", "version": "none"}
HELD_ON_DOUBT = {"method": "POST", "path": "/{type}", "on_doubt": "hold"}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7", sources=Sources(clock=Leaping())) as journal:
        yield journal


def remote(**profile: Any) -> HttpRemote:  # noqa: ANN401  any key of a profile
    """Return a remote with these keys in its profile."""
    return HttpRemote(Profile.of({"url": URL, **profile}))


def started(journal: Journal, **profile: Any) -> Script:  # noqa: ANN401
    """Return a script whose account was created at version "1", and is to be changed next."""
    journal.create("Account", ACME, id="a1")
    script = Script(journal, remote(**profile))
    script.drain(shows(ACME, '"1"', 201))
    script.requests.clear()
    return script


def changed(journal: Journal, kind: str) -> Script:
    """Return a script whose account is to be created, updated or deleted next."""
    if kind == "create":
        journal.create("Account", ACME, id="a1")
        return Script(journal, remote())
    script = started(journal)
    if kind == "update":
        journal.update(ACCOUNT, {"Size": 2})
    else:
        journal.delete(ACCOUNT)
    return script


def acknowledged(journal: Journal) -> DraftAcknowledged:
    """Return the last outcome, which is an acknowledgement."""
    event = outcomes(journal)[-1]
    assert isinstance(event, DraftAcknowledged)
    return event


def held(journal: Journal) -> DraftHeld:
    """Return the last outcome, which is a hold."""
    event = outcomes(journal)[-1]
    assert isinstance(event, DraftHeld)
    return event


def body(request: Request) -> Any:  # noqa: ANN401  JSON
    """Return the content of a request."""
    assert request.body is not None
    return json.loads(request.body)


class TestRequests:
    """What is sent."""

    def test_create(self, journal: Journal) -> None:
        """A create is a PUT of all fields under our key, only where there is no record."""
        journal.create("Account", {**ACME, "Note": None}, id="a1")
        script = Script(journal, remote())

        report = script.drain(shows(ACME, '"1"', 201))

        assert script.requests == [
            Request("PUT", "/Account/a1", CREATE, b'{"Name":"Acme","Size":1,"Note":null}')
        ]
        assert (report.acknowledged, report.pending, report.stopped_by) == (1, 0, None)

    def test_create_that_may_replace(self, journal: Journal) -> None:
        """Without `only_new` a create has no condition."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(create={"only_new": False}))

        script.drain(shows(ACME, '"1"', 200))

        assert script.requests[0].headers == {"Content-Type": "application/json"}

    def test_update(self, journal: Journal) -> None:
        """An update is a PATCH of the changed fields, conditional on our last version."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(shows({**ACME, "Size": 2}, '"2"'))

        headers = {"If-Match": '"1"', "Content-Type": "application/merge-patch+json"}
        assert script.requests == [Request("PATCH", "/Account/a1", headers, b'{"Size":2}')]

    def test_delete(self, journal: Journal) -> None:
        """A delete is conditional too, and has no body."""
        script = started(journal)
        journal.delete(ACCOUNT)

        script.drain(says(204))

        assert script.requests == [Request("DELETE", "/Account/a1", {"If-Match": '"1"'}, None)]

    def test_the_version_is_sent_back_to_the_letter(self, journal: Journal) -> None:
        """A version is opaque: weak, odd, in any header, it is sent back as it came."""
        journal.create("Account", ACME, id="a1")
        script = Script(
            journal, remote(version={"condition": "X-If"}, answer={"version": "header:X-Version"})
        )
        odd = 'W/"ä , \\"'
        script.drain(Response(201, {"x-version": odd}, json.dumps(ACME).encode()))

        journal.update(ACCOUNT, {"Size": 2})
        script.drain(shows({**ACME, "Size": 2}))

        assert script.requests[-1].headers["X-If"] == odd

    def test_no_versions_no_condition(self, journal: Journal) -> None:
        """A service without versions is sent none, even where one was observed."""
        script = Script(journal, remote(answer={"version": "none"}))
        journal.observe(ACCOUNT, ACME, remote_version="7")
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(shows(ACME), shows({**ACME, "Size": 2}))

        assert script.methods == ["GET", "PATCH"]
        assert "If-Match" not in script.requests[1].headers

    def test_own_names_and_verbs(self, journal: Journal) -> None:
        """Paths, methods, media types and type names are those of the profile."""
        profile = {
            "create": {"method": "POST", "path": "/new/{type}?id={id}", "media_type": "text/x"},
            "types": {"Account": {"name": "bank accounts"}},
        }
        journal.create("Account", ACME, id="a/1 ?#%ä")
        script = Script(journal, remote(**profile))

        script.drain(shows(ACME, status=201))

        assert script.lines == ["POST /new/bank%20accounts?id=a%2F1%20%3F%23%25%C3%A4"]
        assert script.requests[0].headers["Content-Type"] == "text/x"

    @pytest.mark.parametrize("name", [".", ".."])
    def test_a_name_that_would_lead_elsewhere(self, journal: Journal, name: str) -> None:
        """A remote id that no path can hold is held, and nothing is sent."""
        journal.observe(ACCOUNT, ACME, remote_id=name, remote_version='"1"')
        journal.delete(ACCOUNT)
        script = Script(journal, remote())

        report = script.drain()

        assert report.held == 1
        assert "cannot stand in a path" in held(journal).messages[0].message

    def test_the_remote_id_is_used(self, journal: Journal) -> None:
        """A record that the remote calls otherwise is named as the remote does."""
        journal.observe(ACCOUNT, ACME, remote_id="0017/x", remote_version='"1"')
        journal.update(ACCOUNT, {"Size": 2})
        script = Script(journal, remote())

        script.drain(shows({**ACME, "Size": 2}))

        assert script.lines == ["PATCH /Account/0017%2Fx"]
        assert acknowledged(journal).remote_id == "0017/x"

    def test_the_same_bytes_every_time(self, journal: Journal) -> None:
        """However often a draft is sent, its body is the same to the byte."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2, "Site": {"B": 1, "A": [1.0, None]}})

        answers: list[Answer] = [
            LOST,
            shows(ACME, '"1"'),
            LOST,
            shows(ACME, '"1"'),
            says(200),
            LOST,
        ]
        script.drain(*answers, REFUSED, LOST)

        bodies = {request.body for request in script.requests if request.method == "PATCH"}
        assert bodies == {b'{"Size":2,"Site":{"B":1,"A":[1.0,null]}}'}


class TestMergePatch:
    """An update of an object within a field."""

    def test_removes_what_is_gone(self, journal: Journal) -> None:
        """A key that an object has no more is null in the merge patch, for else it would stay."""
        journal.create(
            "Account", {"Site": {"City": "Bern", "Zip": "3000", "At": {"x": 1}}}, id="a1"
        )
        script = Script(journal, remote())
        script.drain(says(201, b"", etag='"1"'), shows(journal.load(ACCOUNT).fields, '"1"'))
        after = {"Site": {"City": "Rom", "At": {"y": 2}}}

        journal.update(ACCOUNT, after)
        report = script.drain(shows(after, '"2"'))

        sent = {"Site": {"City": "Rom", "Zip": None, "At": {"y": 2, "x": None}}}
        assert body(script.requests[-1]) == sent
        assert report.pending == 0
        assert journal.load(ACCOUNT).remote.fields == after

    def test_other_media_types_send_the_value(self, journal: Journal) -> None:
        """Where an update is no merge patch, the value is sent as it is."""
        journal.create("Account", {"Site": {"City": "Bern", "Zip": "3000"}}, id="a1")
        script = Script(journal, remote(update={"media_type": "application/json"}))
        script.drain(shows(journal.load(ACCOUNT).fields, '"1"'))

        journal.update(ACCOUNT, {"Site": {"City": "Rom"}})
        script.drain(shows({"Site": {"City": "Rom"}}, '"2"'))

        assert body(script.requests[-1]) == {"Site": {"City": "Rom"}}

    @given(json_values(st.nothing()), json_values(st.nothing()))
    def test_makes_the_one_of_the_other(self, before: object, after: object) -> None:
        """Whatever a value was, its patch makes it what it is to be, but for missing or null."""
        patched = _merged(before, merge_patch(before, after))

        assert agrees(patched, after)


def _merged(target: object, patch: object) -> object:
    """Apply a merge patch (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


class TestReferences:
    """Records that refer to records."""

    def test_are_sent_as_the_remote_calls_them(self, journal: Journal) -> None:
        """A reference is sent as the remote's id, at every depth; text like one is not."""
        journal.observe(ACCOUNT, ACME, remote_id="001", remote_version='"1"')
        fields = {
            "Account": ACCOUNT,
            "Text": str(ACCOUNT),
            "Lines": [{"a/b~c": [ACCOUNT, "Account:a1"]}],
        }
        visit = journal.create("Visit", fields, id="v1")
        script = Script(journal, remote())
        sent = {
            "Account": "001",
            "Text": "Account:a1",
            "Lines": [{"a/b~c": ["001", "Account:a1"]}],
        }

        script.drain(shows(sent, '"1"', 201))

        assert body(script.requests[0]) == sent
        assert acknowledged(journal).fields is None
        assert journal.load(visit).fields == fields

    def test_are_recognised_in_what_is_shown(self, journal: Journal) -> None:
        """A shown record keeps its references where the remote names the same record."""
        other = Ref("Account:a2")
        journal.observe(ACCOUNT, ACME, remote_id="001", remote_version='"1"')
        journal.observe(other, ACME, remote_id="002", remote_version='"1"')
        visit = journal.create("Visit", {"Account": ACCOUNT, "Other": [other]}, id="v1")
        script = Script(journal, remote())
        script.drain(shows({"Account": "001", "Other": ["002"], "No": 1}, '"1"', 201))

        journal.update(visit, {"Status": "done"})
        journal.update(visit, {"Account": other})
        shown = {"Account": "001", "Other": ["002"], "No": 2, "Status": "done"}
        script.drain(shows(shown, '"2"'), LOST, LOST, LOST, LOST, LOST)

        record = journal.load(visit)
        assert record.remote.fields == {**shown, "Account": ACCOUNT, "Other": [other]}
        assert type(record.remote.fields["Account"]) is Ref
        assert type(record.remote.fields["Other"][0]) is Ref

    def test_another_record_at_the_place_is_text(self, journal: Journal) -> None:
        """Where the remote names another record, or nothing, there is no reference."""
        journal.create("Account", ACME, id="a1")
        visit = journal.create("Visit", {"Lines": [{"Account": ACCOUNT}]}, id="v1")
        script = Script(journal, remote())
        script.drain(shows(ACME, '"1"'), shows({"Lines": [{"Account": "a1"}]}, '"2"'))

        journal.update(visit, {"Status": "done"})
        shown = {"Status": "done", "Lines": "none"}
        script.drain(shows(shown, '"3"'))

        assert journal.load(visit).fields == shown

    def test_nothing_is_no_reference(self, journal: Journal) -> None:
        """Where a record without a remote id was referred to, nothing there is not taken for it."""
        visit = Ref("Visit:v1")
        journal.observe(visit, {"Account": ACCOUNT, "A": [ACCOUNT]}, remote_version='"1"')
        journal.update(visit, {"Status": "done"})
        script = Script(journal, remote())

        script.drain(LOST, shows({"Status": "done"}, '"2"'))

        assert journal.load(visit).fields == {"Status": "done"}

    def test_a_record_that_the_remote_does_not_have(self, journal: Journal) -> None:
        """A reference to a record without a remote id is held before anything is sent."""
        created = journal.create("Account", ACME, id="a1")
        journal.observe(Ref("Visit:v1"), {"x": 1}, remote_version='"1"')
        script = Script(journal, remote())
        # The account goes without ever having been sent.
        draft_id = journal.log.read()[0].event_id
        journal.update(Ref("Visit:v1"), {"Account": created})
        journal.note(created, lambda _: (DraftDiscarded(draft_id=draft_id),), Facts("ann", "van-7"))
        report = script.drain()

        assert report.held == 1
        assert "the remote has no record for Account:a1" in held(journal).messages[0].message


class TestReceipts:
    """What counts as an acknowledgement (G1)."""

    @pytest.mark.parametrize(
        "answer",
        [
            shows(ACME, '"1"', 201),
            shows({**ACME, "Id": 7}, '"1"'),
            shows({"Name": "Acme", "Size": 1.0}, '"1"'),
            says(204, etag='"1"'),
            says(205, etag='"1"'),
        ],
        ids=repr,
    )
    def test_an_answer(self, journal: Journal, answer: Response) -> None:
        """A 2xx that shows the draft's values, or is empty by its status, is the evidence."""
        journal.create("Account", {**ACME, "Note": None}, id="a1")
        script = Script(journal, remote())

        script.drain(answer)

        event = acknowledged(journal)
        assert (event.evidence, event.status, event.remote_id) == ("answer", answer.status, "a1")
        assert event.remote_version == '"1"'

    @pytest.mark.parametrize(
        "answer",
        [
            says(200),
            says(201),
            says(202),
            shows(ACME, '"9"', 202),
            says(200, b"<html>Please log in</html>"),
            says(200, b'{"Name": "Acme", "Si'),
            says(200, b"[]"),
            says(200, b'\xef\xbb\xbf{"Name": "Acme", "Size": 1}'),
            says(204, b"<html>"),
            shows({}),
            shows({"Name": "Acme"}),
            shows({"Name": "Other", "Size": 1}),
            shows({"Name": "Acme", "Size": "1"}),
            shows({"Name": "Acme", "Size": True}),
            shows({"record": ACME}),
            says(207, b'{"results": [201]}'),
        ],
        ids=repr,
    )
    def test_no_receipt_is_read_back(self, journal: Journal, answer: Response) -> None:
        """A 2xx that contradicts the draft, or says nothing of it, acknowledges nothing."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(answer, shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_a_false_2xx_is_sent_again(self, journal: Journal) -> None:
        """Where the read shows nothing of the draft, it is sent again after another read."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        report = script.drain(says(200), says(404), says(404), shows(ACME, '"1"', 201))

        assert script.methods == ["PUT", "GET", "GET", "PUT"]
        assert (report.attempts, report.acknowledged, len(script.pauses)) == (2, 1, 1)
        assert acknowledged(journal).evidence == "answer"

    @pytest.mark.parametrize("answer", [says(204), says(205)], ids=repr)
    def test_a_delete(self, journal: Journal, answer: Response) -> None:
        """A delete needs no body to be acknowledged, where the status says that there is none."""
        script = started(journal)
        journal.delete(ACCOUNT)

        script.drain(answer)

        assert acknowledged(journal).evidence == "answer"
        assert journal.load(ACCOUNT).fields is None

    def test_a_page_is_not_the_remote(self, journal: Journal) -> None:
        """A page where a receipt was expected settles nothing, and the record is read later."""
        script = started(journal)
        journal.delete(ACCOUNT)

        report = script.drain(says(200, b"<html>"), says(200, b"<html>"), says(404))

        assert script.methods == ["DELETE", "GET", "GET"]
        assert (report.acknowledged, report.held, report.pending) == (1, 0, 0)

    @pytest.mark.parametrize(
        "answer",
        [
            says(202),
            says(200),
            says(200, b"<a>"),
            shows({"error": "login"}),
            shows({"Name": "another"}),
            shows(ACME),
            shows({}),
        ],
        ids=repr,
    )
    def test_a_delete_that_is_not_sure(self, journal: Journal, answer: Response) -> None:
        """A delete whose answer shows no key, no id and no word of the profile's is read back."""
        script = started(journal)
        journal.delete(ACCOUNT)

        report = script.drain(answer, shows(ACME, '"1"'), shows(ACME, '"1"'), answer, says(404))

        assert script.methods == ["DELETE", "GET", "GET", "DELETE", "GET"]
        assert report.pending == 0
        assert acknowledged(journal).evidence == "read"

    @pytest.mark.parametrize(
        ("said", "is_receipt"),
        [
            ({"error": "the record is locked"}, False),
            ({"errors": [{"message": "locked"}]}, False),
            ({"message": "locked", "code": 17}, False),
            ({"errors": [], "error": None}, True),
            ({"deleted": True}, True),
            ({**ACME, "message": "a field of ours"}, True),
        ],
    )
    def test_an_answer_that_names_the_record_and_what_is_wrong(
        self, journal: Journal, said: dict[str, Any], *, is_receipt: bool
    ) -> None:
        """A refusal with the status of a success may name the record that it refuses."""
        journal.create("Account", {**ACME, "message": "a field of ours"}, id="a1")
        journal.delete(ACCOUNT)
        profile = {"answer": {"key": "/id", "version": "none"}, "create": {"answer": KEY_ONLY}}
        script = Script(journal, remote(**profile))
        record = {"id": "a1", **ACME, "message": "a field of ours"}

        lost = [] if is_receipt else [LOST] * 5
        script.drain(shows({"id": "a1"}), shows(record), shows({"id": "a1", **said}), *lost)

        event = journal.log.read()[-1].event
        assert isinstance(event, DraftAcknowledged if is_receipt else PushStarted)

    def test_a_create_that_is_named_and_refused(self, journal: Journal) -> None:
        """So may a create of which only our key is shown: it is read back."""
        journal.create("Account", ACME, id="a1")
        profile = {"answer": {"key": "/id", "version": "none"}, "create": {"answer": KEY_ONLY}}
        script = Script(journal, remote(**profile))

        report = script.drain(shows({"id": "a1", "error": "over quota"}), says(404), *[LOST] * 4)

        assert report.acknowledged == 0

    @pytest.mark.parametrize("change", [{"Name": None}, {"Note": None}])
    def test_an_object_that_is_not_the_record(
        self, journal: Journal, change: dict[str, object]
    ) -> None:
        """Where no value can be compared, an object without any known name is no receipt."""
        script = started(journal)
        journal.update(ACCOUNT, change)
        portal = shows({"error": "login required"})

        report = script.drain(*[portal] * 6)

        assert report.acknowledged == 0
        assert report.pending == 1

    @pytest.mark.parametrize(
        "shown", [{}, {"Size": 1}, {"Name": None}, {"Name": "another"}, {"Size": 2, "Id": 3}]
    )
    def test_an_unset_that_nothing_shows(self, journal: Journal, shown: object) -> None:
        """Where fields are only unset, what is known of the others must be shown, and fit."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": None})

        script.drain(shows(shown, '"2"'), shows({"Name": "Acme"}, '"2"'))

        assert script.methods == ["PATCH", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_an_unset_that_is_shown(self, journal: Journal) -> None:
        """An answer that shows the other fields, and not the one that was unset, is a receipt."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": None})

        script.drain(shows({"Name": "Acme"}, '"2"'))

        assert acknowledged(journal).evidence == "answer"

    def test_a_field_that_is_never_compared(self, journal: Journal) -> None:
        """A field that agrees with any value tells no record from another."""
        compare = {"Account": {"fields": {"Size": {"compare": "any"}}}}
        script = started(journal, types=compare)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(shows({"Size": 9}), shows({**ACME, "Size": 2}, '"2"'))

        assert acknowledged(journal).evidence == "read"

    def test_an_empty_create_and_a_portal(self, journal: Journal) -> None:
        """A create without fields is not acknowledged by whatever object comes back."""
        journal.create("Account", {}, id="a1")

        report = Script(journal, remote()).drain(*[shows({"error": "login required"})] * 6)

        assert report.acknowledged == 0

    def test_an_answer_may_show_a_part(self, journal: Journal) -> None:
        """An answer that shows a part of the record takes nothing away from the rest."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(shows({"Size": 2, "At": "now"}, '"2"'))

        assert journal.load(ACCOUNT).fields == {"Name": "Acme", "Size": 2, "At": "now"}

    def test_a_read_shows_all(self, journal: Journal) -> None:
        """What a read does not show is not there."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(LOST, shows({"Size": 2, "At": "now"}, '"2"'))

        assert journal.load(ACCOUNT).fields == {"Size": 2, "At": "now"}

    def test_a_read_after_a_create_shows_all(self, journal: Journal) -> None:
        """What was seen under our key before the create says nothing of what it has made."""
        journal.create("Account", {"Name": "Acme"}, id="a1")
        journal.observe(ACCOUNT, ACME, remote_id="a1")

        Script(journal, remote()).drain(LOST, shows(ACME, '"1"'))

        assert acknowledged(journal).fields == ACME
        assert journal.load(ACCOUNT).fields == ACME

    @pytest.mark.parametrize(
        "odd",
        [b'{"Big": 12345678901234567890}', b'{"Inf": 1e999}', b'{"\\u0000": 1}', b'{"": 1}'],
        ids=repr,
    )
    def test_what_cannot_be_stored_is_not_kept(self, journal: Journal, odd: bytes) -> None:
        """A receipt with what a log cannot keep exactly is a receipt all the same."""
        journal.create("Account", {"Size": 1}, id="a1")
        script = Script(journal, remote())

        report = script.drain(says(201, odd[:-1] + b', "Size": 1}', etag='"1"'))

        assert report.pending == 0
        assert journal.load(ACCOUNT).fields == {"Size": 1}
        assert journal.log.verify().is_intact


class TestLostAnswers:
    """What is done where the outcome of a request is not known (G2)."""

    def test_a_create_that_was_applied(self, journal: Journal) -> None:
        """A read that shows the record settles it: it is not sent again."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        report = script.drain(LOST, shows({**ACME, "Id": 1}, '"1"'))

        assert script.methods == ["PUT", "GET"]
        assert (report.acknowledged, report.attempts) == (1, 2)
        event = acknowledged(journal)
        assert (event.evidence, event.attempts, event.remote_version) == ("read", 2, '"1"')

    def test_a_create_that_was_not_applied(self, journal: Journal) -> None:
        """A read that shows nothing sends it again."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(LOST, says(404), shows(ACME, '"1"', 201))

        assert script.methods == ["PUT", "GET", "PUT"]

    def test_a_create_that_was_applied_after_the_read(self, journal: Journal) -> None:
        """A delayed first copy makes the second fail its condition, and the read settles it."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(LOST, says(404), says(412), shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET", "PUT", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_an_update_that_was_applied(self, journal: Journal) -> None:
        """A read that shows the values settles it, at the version that it shows."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(LOST, shows({**ACME, "Size": 2}, '"2"'))

        assert acknowledged(journal).remote_version == '"2"'

    def test_an_update_that_was_not_applied(self, journal: Journal) -> None:
        """A read that shows the base sends it again, on the same condition."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(LOST, shows(ACME, '"1"'), shows({**ACME, "Size": 2}, '"2"'))

        assert script.methods == ["PATCH", "GET", "PATCH"]
        assert script.requests[2] == script.requests[0]

    def test_an_update_that_somebody_was_faster_than(self, journal: Journal) -> None:
        """A read that shows neither the values nor the base is a conflict."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(LOST, shows({**ACME, "Size": 3}, '"2"'))

        assert held(journal) == DraftHeld(
            draft_id=held(journal).draft_id,
            classification="conflict",
            messages=(FieldMessage(field="Size", message=BECAME), NEWER),
            status=200,
            answer='{"Name": "Acme", "Size": 3}',
            attempts=2,
        )

    def test_a_delete_that_was_applied(self, journal: Journal) -> None:
        """A read that shows nothing settles a delete."""
        script = started(journal)
        journal.delete(ACCOUNT)

        script.drain(LOST, says(404))

        assert acknowledged(journal).evidence == "read"

    def test_a_delete_that_was_not_applied(self, journal: Journal) -> None:
        """A read that shows the record sends the delete again."""
        script = started(journal)
        journal.delete(ACCOUNT)

        script.drain(LOST, shows(ACME, '"1"'), says(204))

        assert script.methods == ["DELETE", "GET", "DELETE"]

    def test_what_was_never_sent_is_not_read(self, journal: Journal) -> None:
        """Where no connection was made, the draft is sent again without a read."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(REFUSED, REFUSED, shows(ACME, '"1"', 201))

        assert script.methods == ["PUT", "PUT", "PUT"]

    def test_once_sent_it_stays_in_doubt(self, journal: Journal) -> None:
        """A read that was not sent says nothing of the write before it."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(says(200), REFUSED, REFUSED, shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET", "GET", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_in_doubt_it_stays_in_doubt(self, journal: Journal) -> None:
        """A second copy that never left says nothing of the first, which may come late."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(LOST, says(404), REFUSED, shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET", "PUT", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_not_sent_then_lost(self, journal: Journal) -> None:
        """A request that was lost is in doubt, also where an earlier one had not left."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(REFUSED, LOST, shows(ACME, '"1"'))

        assert script.methods == ["PUT", "PUT", "GET"]

    @pytest.mark.parametrize(
        "answer", [says(500), says(502), says(504), says(302), says(408), says(503), says(101)]
    )
    def test_an_answer_that_leaves_it_open(self, journal: Journal, answer: Response) -> None:
        """After an answer that settles nothing, the record is read before anything is sent."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(answer, says(404), shows(ACME, '"1"', 201))

        assert script.methods == ["PUT", "GET", "PUT"]

    @pytest.mark.parametrize("answer", [says(401), says(425), says(429)])
    def test_an_answer_that_says_that_nothing_was_done(
        self, journal: Journal, answer: Response
    ) -> None:
        """Who is not let in, or sent away for a while, has changed nothing: no doubt is left."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(create=HELD_ON_DOUBT, answer={"id": "/id"}))

        first = script.drain(answer, *[shows({**ACME, "id": 7})] * (answer.status != 401))
        report = script.drain(*[shows({**ACME, "id": 7})] * first.pending)

        assert script.methods == ["POST", "POST"]
        assert (report.held, report.pending) == (0, 0)
        assert acknowledged(journal).evidence == "answer"

    @pytest.mark.parametrize(
        "answers", [[says(503)], [says(429), says(503)], [says(429), LOST], [says(408)]]
    )
    def test_one_that_does_not_say_so(self, journal: Journal, answers: list[Answer]) -> None:
        """Any other leaves a doubt, and so does what came after."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(create=HELD_ON_DOUBT, answer={"id": "/id"}))

        report = script.drain(*answers)

        assert report.held == 1
        assert held(journal).classification == "unknown"

    def test_one_after_a_doubt(self, journal: Journal) -> None:
        """A doubt of earlier stays, whatever is answered later: only a read settles it."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(LOST, says(404), says(429), shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET", "PUT", "GET"]

    def test_what_cannot_be_read_once_a_request_has_left(self, journal: Journal) -> None:
        """V2: a draft that may be applied is no rejected one, which could be amended."""
        journal.create("Account", ACME, id="a1")
        ids = {"id": "/id", "key": "/ref"}
        body = '{"ref": "{key}", "...": "{fields}"}'
        create = {"method": "POST", "path": "/{type}", "body": body}
        script = Script(journal, remote(answer=ids, create=create, find={}))

        script.drain(says(201), shows([{"id": "..", "ref": "a1"}]))

        assert script.methods == ["POST", "GET"]
        assert held(journal).classification == "unknown"

    def test_what_can_no_longer_be_sent(self, journal: Journal) -> None:
        """So is one that was in doubt before the profile was changed."""
        journal.create("Account", ACME, id="a1")
        Script(journal, remote(), attempts=1).drain(LOST)

        Script(journal, remote(key={"pattern": "[0-9]+"})).drain()

        assert held(journal).classification == "unknown"

    def test_no_token_is_no_doubt(self, journal: Journal) -> None:
        """Where no token could be had, nothing has left."""
        tokens = ["t0k3n-t0k3n", ""]

        journal.create("Account", ACME, id="a1")
        profile = {"url": URL, "create": HELD_ON_DOUBT, "answer": {"id": "/id"}}
        script = Script(journal, HttpRemote(Profile.of(profile), bearer=tokens.pop))

        assert script.drain().stopped_by == "unauthorized"
        assert script.drain(shows({**ACME, "id": 7})).acknowledged == 1

    @pytest.mark.parametrize(
        "answer",
        [says(500), says(403), says(302), says(200, b"<html>"), says(503), LOST, says(401)],
    )
    def test_a_read_that_says_nothing(self, journal: Journal, answer: Response | NoAnswer) -> None:
        """Without a read, a draft in doubt is neither sent again nor settled."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(), attempts=2)

        report = script.drain(LOST, answer)

        assert script.methods == ["PUT", "GET"]
        assert (report.pending, report.held) == (1, 0)
        assert outcomes(journal) == []

    def test_a_long_queue_is_read_whole(self, journal: Journal) -> None:
        """However many drafts there are, all are counted, and the first is sent first."""
        with journal.batch():
            for number in range(1001):
                journal.create("Account", {}, id=f"a{number}")
        script = Script(journal, remote(), attempts=1)

        report = script.drain(REFUSED)

        assert (report.pending, script.lines) == (1001, ["PUT /Account/a0"])

    def test_one_beginning_for_all_attempts(self, journal: Journal) -> None:
        """However often a draft is tried, the log holds one PushStarted and nothing else."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(), attempts=20)

        again: list[Answer] = [LOST, says(500), says(503), REFUSED]
        script.drain(REFUSED, REFUSED, LOST, *again, *again, *again, *again, says(429))

        draft_id = journal.log.read()[0].event_id
        assert [e.event for e in journal.log.read()[1:]] == [PushStarted(draft_id=draft_id)]

    @pytest.mark.parametrize(
        ("named", "gets"),
        [
            pytest.param({"find": {"path": "/{type}?key={key}", "items": "/found"}}, 3, id="find"),
            pytest.param({"read": {"key_path": "/{type}/as/{key}"}}, 2, id="read by key"),
        ],
    )
    def test_a_create_that_was_seen_and_is_gone(
        self, journal: Journal, named: dict[str, Any], gets: int
    ) -> None:
        """A create is not looked for by the id of what is gone alone: it may be made anew."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(create=POSTED, answer=GIVEN, **named), attempts=1)
        script.drain(LOST)
        journal.observe(ACCOUNT, ACME, remote_id="S3")
        made = {"sid": "S5", "key": "a1", **ACME}

        script.drain(says(404), *[shows({"found": [made]})] * (gets - 2), shows(made))

        assert script.methods == ["POST", *["GET"] * gets]
        assert acknowledged(journal).remote_id == "S5"


class TestRefusals:
    """What is held, and as what."""

    @pytest.mark.parametrize("status", [400, 402, 403, 405, 413, 415, 422, 428, 451, 501])
    def test_rejected(self, journal: Journal, status: int) -> None:
        """A refusal that is no conflict is held with what the remote said of each field."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": -1})
        problem = b'{"errors": [{"field": "Size", "message": "is negative"}]}'

        report = script.drain(says(status, problem), shows(ACME, '"1"'))

        event = held(journal)
        assert (event.classification, event.status) == ("rejected", status)
        assert event.messages == (FieldMessage(field="Size", message="is negative"),)
        assert event.answer == problem.decode()
        assert (report.held, report.stopped_by) == (1, "held")
        assert report.problem == "Size: is negative"

    @pytest.mark.parametrize("status", [400, 403, 409, 412, 422])
    def test_refused_because_it_is_there_already(self, journal: Journal, status: int) -> None:
        """Whatever a second copy is answered, the read shows that the first was applied."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(status), shows({**ACME, "Size": 2}, '"2"'))

        assert acknowledged(journal).evidence == "read"

    def test_foreign_edit(self, journal: Journal) -> None:
        """A condition that fails for somebody else's edit is a conflict, with their record."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(412), shows({**ACME, "Size": 3}, '"2"'))

        event = held(journal)
        assert (event.classification, event.messages[-1], event.status) == ("conflict", NEWER, 412)
        assert json.loads(event.answer) == {**ACME, "Size": 3}

    def test_foreign_delete(self, journal: Journal) -> None:
        """An update of a record that the remote no longer has is gone."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(404), says(404))

        event = held(journal)
        assert (event.classification, event.messages, event.status) == ("gone", (GONE,), 404)

    @pytest.mark.parametrize("answer", [says(404), says(410), says(412)])
    def test_delete_of_what_is_gone(self, journal: Journal, answer: Response) -> None:
        """A delete of a record that the remote no longer has is acknowledged."""
        script = started(journal)
        journal.delete(ACCOUNT)

        script.drain(answer, says(404))

        assert acknowledged(journal).evidence == "read"

    def test_delete_of_what_was_edited(self, journal: Journal) -> None:
        """A delete of a record that somebody else has edited is a conflict."""
        script = started(journal)
        journal.delete(ACCOUNT)

        script.drain(says(412), shows({**ACME, "Size": 3}, '"2"'))

        assert held(journal).classification == "conflict"

    def test_key_is_taken(self, journal: Journal) -> None:
        """A create under a key that another record has is a conflict."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(says(412), shows({"Name": "Other"}, '"9"'))

        event = held(journal)
        assert (event.classification, event.messages[-1]) == ("conflict", TAKEN)

    def test_a_semantic_conflict_says_why(self, journal: Journal) -> None:
        """A 409 about a record that is as it was is a rejection, in the remote's words."""
        script = started(journal)
        journal.update(ACCOUNT, {"Name": "Bolt"})

        script.drain(says(409, b'{"detail": "Name is taken"}'), shows(ACME, '"1"'))

        event = held(journal)
        assert (event.classification, event.status) == ("rejected", 409)
        assert event.messages == (FieldMessage(field="Name", message="Name is taken"),)

    def test_a_409_about_another_version(self, journal: Journal) -> None:
        """A 409 about a record that has changed is a conflict, in both our words and theirs."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(409, b'{"detail": "stale"}'), shows({**ACME, "Size": 3}, '"2"'))

        event = held(journal)
        assert (event.classification, event.status) == ("conflict", 409)
        assert event.messages[-2:] == (NEWER, FieldMessage(message="stale"))

    @pytest.mark.parametrize("status", [404, 409, 410, 422])
    def test_a_create_where_nothing_is(self, journal: Journal, status: int) -> None:
        """A refused create of a record that the remote does not have is a rejection."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(says(status), says(404))

        assert (held(journal).classification, held(journal).status) == ("rejected", status)

    def test_a_conflict_with_what_cannot_be_kept(self, journal: Journal) -> None:
        """Where the remote's record is not stored, no side can be taken: it says so."""
        script = changed(journal, "update")

        script.drain(says(412), shows({**ACME, "Size": 9, "Photo": "x" * 2_000_000}, '"2"'))

        assert held(journal).classification == "conflict"
        assert [m.message for m in held(journal).messages] == [
            "the remote has a newer version of the record",
            "it cannot be kept here, for it is too large or not exact: discard the draft",
        ]

    @pytest.mark.parametrize(
        ("kind", "status", "stale", "fresh"),
        [
            ("create", 412, says(404), shows(ACME, '"1"')),
            ("update", 412, shows(ACME, '"1"'), shows({**ACME, "Size": 2}, '"2"')),
            ("delete", 404, shows(ACME, '"1"'), says(404)),
            ("delete", 410, shows(ACME, '"1"'), says(404)),
        ],
    )
    def test_a_read_that_lags_behind(
        self, journal: Journal, kind: str, status: int, stale: Response, fresh: Response
    ) -> None:
        """A refusal for a state that no read shows yet rejects nothing: it is looked up again."""
        script = changed(journal, kind)

        report = script.drain(LOST, stale, says(status), stale, fresh)

        assert report.pending == 0
        assert acknowledged(journal).evidence == "read"

    def test_a_delete_is_not_done_for_a_read_that_lags_behind(self, journal: Journal) -> None:
        """What was just acknowledged, and cannot be read, is deleted all the same."""
        script = started(journal, answer={"version": "none"})
        journal.delete(ACCOUNT)

        script.drain(says(404), says(204))

        assert script.methods == ["GET", "DELETE"]
        assert acknowledged(journal).evidence == "answer"

    def test_a_delete_of_what_somebody_else_has_deleted(self, journal: Journal) -> None:
        """Where it was not ours, or a request may have done it, there is nothing to delete."""
        journal.observe(ACCOUNT, ACME)
        journal.delete(ACCOUNT)
        there = Ref("Account:a2")
        journal.observe(there, ACME)
        journal.delete(there)
        script = Script(journal, remote(answer={"version": "none"}))

        script.drain(says(404), shows(ACME), LOST, says(404))

        assert script.methods == ["GET", "GET", "DELETE", "GET"]
        assert acknowledged(journal).evidence == "read"

    @pytest.mark.parametrize(
        ("kind", "status", "there"),
        [("create", 412, says(404)), ("update", 412, shows(ACME, '"1"'))],
    )
    def test_a_refusal_that_reads_go_on_to_deny(
        self, journal: Journal, kind: str, status: int, there: Response
    ) -> None:
        """Where both go on to say so, it is rejected: a service may compare versions in vain."""
        script = changed(journal, kind)

        report = script.drain(*[says(status), there, there] * 2, says(status), there)

        assert (report.held, len(script.pauses)) == (1, 2)
        assert (held(journal).classification, held(journal).status) == ("rejected", status)

    @pytest.mark.parametrize("status", [400, 403, 409, 422])
    def test_a_refusal_of_what_was_edited_too(self, journal: Journal, status: int) -> None:
        """A refused change of what somebody else has edited is a conflict, whatever its status."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": -1})

        script.drain(says(status, b'{"detail": "no"}'), shows({**ACME, "Size": 3}, '"2"'))

        event = held(journal)
        assert (event.classification, event.status) == ("conflict", status)
        assert event.messages[-2:] == (NEWER, FieldMessage(message="no"))

    def test_a_refusal_without_a_read(self, journal: Journal) -> None:
        """Where the remote refuses to be read, its refusal of the draft stands."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(422), says(403))

        assert (held(journal).classification, held(journal).status) == ("rejected", 422)

    @pytest.mark.parametrize("status", [404, 409, 410, 412])
    def test_said_of_the_record_without_a_read(self, journal: Journal, status: int) -> None:
        """What a refusal says of the record is not believed to who refuses to be read (G5)."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})
        there, done = shows(ACME, '"1"'), shows({**ACME, "Size": 2}, '"2"')

        script.drain(says(status), says(403), there, done)

        assert script.methods == ["PATCH", "GET", "GET", "PATCH"]
        assert acknowledged(journal).evidence == "answer"
        assert not any(isinstance(e.event, RecordObserved) for e in journal.log.read())

    def test_a_conflict_that_was_done(self, journal: Journal) -> None:
        """A create that is done, and refused by who refuses to be read, is found done (G5)."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote())

        script.drain(says(409), says(403), shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_a_create_that_was_in_a_conflict(self, journal: Journal) -> None:
        """What is known to be there is read before a create is tried again (G3).

        A service that remembers the first request would answer as it did then.
        """
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        new = journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(create=keyed))
        theirs = shows({**ACME, "Size": 3}, '"2"')
        script.drain(says(409), theirs)
        journal.retry(held(journal).draft_id)

        script.drain(theirs)

        assert script.methods == ["PUT", "GET", "GET"]
        assert (held(journal).classification, journal.load(new).remote.version) == (
            "conflict",
            '"2"',
        )

    def test_a_rejection_without_a_read(self, journal: Journal) -> None:
        """That the draft is bad is believed without a read: who may not write may not read."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(403), says(403))

        assert (held(journal).classification, held(journal).status) == ("rejected", 403)

    @pytest.mark.parametrize("status", [409, 410])
    def test_a_remote_that_is_never_read(self, journal: Journal, status: int) -> None:
        """After as many doubts as are borne with, a person decides: nothing is known (D1, G5)."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(), doubts=3)
        script.drain(shows(ACME, '"1"', 201))
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(status, b"taken"), says(403), says(403), says(403))

        assert (held(journal).classification, held(journal).answer) == ("unknown", "taken")
        assert not any(isinstance(e.event, RecordObserved) for e in journal.log.read())

    def test_a_refusal_and_an_outage(self, journal: Journal) -> None:
        """Where the read fails for now, nothing is held before it has succeeded."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(412), LOST, shows({**ACME, "Size": 2}, '"2"'))

        assert acknowledged(journal).evidence == "read"


class TestTwoReads:
    """What a read by itself does not end (G4)."""

    @pytest.mark.parametrize(
        ("seen", "kind"),
        [(shows({**ACME, "Size": 3}, '"2"'), "conflict"), (says(404), "gone")],
        ids=["conflict", "gone"],
    )
    def test_two_that_agree(self, journal: Journal, seen: Response, kind: str) -> None:
        """A draft is held as a conflict, or as gone, by two reads that agree."""
        script = started(journal)
        script._confirms = False
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(says(412), seen, seen)

        assert script.methods == ["PATCH", "GET", "GET"]
        assert held(journal).classification == kind

    @pytest.mark.parametrize(
        "wrong", [says(404), shows({"Name": "another", "Size": 9}, '"7"')], ids=["none", "another"]
    )
    def test_one_that_was_of_another(self, journal: Journal, wrong: Response) -> None:
        """An answer to another's read holds nothing; the second one is as good as any read."""
        script = started(journal)
        script._confirms = False
        journal.update(ACCOUNT, {"Size": 2})

        script.drain(LOST, wrong, shows({**ACME, "Size": 2}, '"2"'))

        assert script.methods == ["PATCH", "GET", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_two_that_do_not_agree(self, journal: Journal) -> None:
        """Two reads that show different records hold nothing: it is read again later."""
        script = started(journal)
        script._confirms = False
        journal.update(ACCOUNT, {"Size": 2})
        one, other = shows({**ACME, "Size": 3}, '"2"'), shows({**ACME, "Size": 4}, '"3"')

        report = script.drain(says(412), one, other, other, other)

        assert script.methods == ["PATCH", "GET", "GET", "GET", "GET"]
        assert (report.held, len(script.pauses)) == (1, 1)

    @pytest.mark.parametrize("status", [410, 422])
    def test_one_that_is_refused(self, journal: Journal, status: int) -> None:
        """What one read has shown is not refuted by a second one that is refused."""
        script = started(journal)
        script._confirms = False
        journal.update(ACCOUNT, {"Size": 2})
        there, done = shows(ACME, '"1"'), shows({**ACME, "Size": 2}, '"2"')

        script.drain(says(status), there, says(403), there, done)

        assert script.methods == ["PATCH", "GET", "GET", "GET", "PATCH"]
        assert acknowledged(journal).evidence == "answer"

    def test_a_refusal_that_was_a_conflict(self, journal: Journal) -> None:
        """One read that finds the record as expected does not make a refusal final."""
        journal.create("Account", ACME, id="a1")
        script = Script(journal, remote(), confirms=False)

        script.drain(says(412), says(404), shows(ACME, '"1"'))

        assert script.methods == ["PUT", "GET", "GET"]
        assert acknowledged(journal).evidence == "read"

    def test_a_delete_in_doubt(self, journal: Journal) -> None:
        """One read that shows nothing does not tell that a delete was applied."""
        script = started(journal)
        script._confirms = False
        journal.delete(ACCOUNT)

        script.drain(LOST, says(404), shows(ACME, '"1"'), says(204))

        assert script.methods == ["DELETE", "GET", "GET", "DELETE"]
        assert acknowledged(journal).evidence == "answer"

    @pytest.mark.parametrize("answer", [says(200), says(404)], ids=["done", "gone"])
    def test_a_delete_that_was_answered(self, journal: Journal, answer: Response) -> None:
        """One read is enough where the answer to the delete says the same."""
        script = started(journal)
        script._confirms = False
        journal.delete(ACCOUNT)

        script.drain(answer, says(404))

        assert acknowledged(journal).evidence == "read"


class TestBases:
    """What a change is conditional on (G3)."""

    def test_our_own_version_before(self, journal: Journal) -> None:
        """A change made offline is conditional on the version that our change before it left."""
        journal.create("Account", ACME, id="a1")
        journal.update(ACCOUNT, {"Size": 2})
        journal.update(ACCOUNT, {"Size": 3})
        script = Script(journal, remote())

        script.drain(
            shows(ACME, '"1"'), shows({**ACME, "Size": 2}, '"2"'), shows({**ACME, "Size": 3}, '"3"')
        )

        conditions = [request.headers.get("If-Match") for request in script.requests]
        assert conditions == [None, '"1"', '"2"']

    def test_never_one_that_was_observed_since(self, journal: Journal) -> None:
        """A version that was seen after the change was made does not become its condition."""
        script = started(journal)
        journal.update(ACCOUNT, {"Size": 2})
        journal.observe(ACCOUNT, {**ACME, "Size": 9}, remote_version='"2"')

        script.drain(says(412), shows({**ACME, "Size": 9}, '"2"'))

        assert script.requests[0].headers["If-Match"] == '"1"'
        assert held(journal).classification == "conflict"

    def test_without_a_version_a_read_comes_first(self, journal: Journal) -> None:
        """Where no version is known, the base is compared, and the read's version is used."""
        journal.observe(ACCOUNT, ACME)
        journal.update(ACCOUNT, {"Size": 2})
        script = Script(journal, remote())

        script.drain(shows({**ACME, "Name": "Bolt"}, '"7"'), shows({"Size": 2}, '"8"'))

        assert script.methods == ["GET", "PATCH"]
        assert script.requests[1].headers["If-Match"] == '"7"'

    def test_without_a_version_a_foreign_edit_is_seen(self, journal: Journal) -> None:
        """Where no version is known, a foreign edit of the same field is a conflict."""
        journal.observe(ACCOUNT, ACME)
        journal.update(ACCOUNT, {"Size": 2})
        script = Script(journal, remote())

        script.drain(shows({**ACME, "Size": 5}))

        assert held(journal).classification == "conflict"

    def test_without_a_version_a_delete_compares_all(self, journal: Journal) -> None:
        """Where no version is known, a delete is sent only if the record is as it was."""
        visit = Ref("Visit:v1")
        for ref in (ACCOUNT, visit):
            journal.observe(ref, ACME)
            journal.delete(ref)
        script = Script(journal, remote())

        script.drain(shows(ACME), says(204), shows({**ACME, "Size": 9}))

        assert script.lines == ["GET /Account/a1", "DELETE /Account/a1", "GET /Visit/v1"]
        assert [type(event) for event in outcomes(journal)] == [DraftAcknowledged, DraftHeld]

    def test_an_edit_that_came_with_a_read_receipt(self, journal: Journal) -> None:
        """A version that holds a foreign edit of the same field lets nothing write over it."""
        script = started(journal)
        journal.update(ACCOUNT, {"Name": "Bolt"})
        journal.update(ACCOUNT, {"Size": 2})
        theirs = {"Name": "Bolt", "Size": 9}

        script.drain(LOST, shows(theirs, '"3"'), shows(theirs, '"3"'))

        assert script.methods == ["PATCH", "GET", "GET"]
        assert [type(event) for event in outcomes(journal)[1:]] == [DraftAcknowledged, DraftHeld]
        assert held(journal).classification == "conflict"

    def test_an_edit_of_another_field_that_came_with_a_read_receipt(self, journal: Journal) -> None:
        """Somebody else's edit of another field holds nothing up."""
        script = started(journal)
        journal.update(ACCOUNT, {"Name": "Bolt"})
        journal.update(ACCOUNT, {"Size": 2})
        theirs = {"Name": "Bolt", "Size": 1, "Phone": "1"}

        report = script.drain(LOST, shows(theirs, '"3"'), shows({**theirs, "Size": 2}, '"4"'))

        assert script.methods == ["PATCH", "GET", "PATCH"]
        assert report.pending == 0

    @pytest.mark.parametrize("version", ["header:ETag", "none"])
    def test_an_edit_of_a_field_without_a_value(self, journal: Journal, version: str) -> None:
        """A value that somebody else gave to a field that had none is not written over unseen."""
        condition = {"condition": "none" if version == "none" else "If-Match"}
        script = started(journal, answer={"version": version}, version=condition)
        journal.update(ACCOUNT, {"Name": "Bolt"})
        journal.update(ACCOUNT, {"Phone": "2"})
        before, theirs = {**ACME, "Phone": "1"}, {"Name": "Bolt", "Size": 1, "Phone": "1"}
        met = [says(412)] if version != "none" else []

        script.drain(*met, shows(before, '"3"'), shows(theirs, '"4"'), shows(theirs, '"4"'))

        assert script.methods.count("PATCH") == len(met) + 1
        assert held(journal).messages[0] == FieldMessage(
            field="Phone", message='here it became "2", at the remote "1"; it was nothing'
        )

    def test_a_value_that_was_pulled_meanwhile(self, journal: Journal) -> None:
        """Where there are no versions, what a pull has shown since is what nobody saw either."""
        script = started(journal, answer={"version": "none"}, version={"condition": "none"})
        journal.update(ACCOUNT, {"Phone": "2"})
        journal.observe(ACCOUNT, {**ACME, "Phone": "1"})

        script.drain(shows({**ACME, "Phone": "1"}))

        assert held(journal).classification == "conflict"

    def test_a_default_of_the_service_is_no_conflict(self, journal: Journal) -> None:
        """A value that the service chose for a field that we had left open may be changed."""
        journal.create("Account", ACME, id="a1")
        journal.update(ACCOUNT, {"Status": "done"})
        script = Script(journal, remote())

        report = script.drain(
            shows({**ACME, "Status": "new"}, '"1"'), shows({**ACME, "Status": "done"}, '"2"')
        )

        assert report.pending == 0

    def test_another_value_than_the_default_of_the_service_is(self, journal: Journal) -> None:
        """What the service chose is what the change was made on: an edit of it is a conflict."""
        journal.create("Account", ACME, id="a1")
        journal.update(ACCOUNT, {"Status": "done"})
        theirs = {**ACME, "Status": "lost"}
        script = Script(journal, remote())

        script.drain(shows({**ACME, "Status": "new"}, '"1"'), says(412), shows(theirs, '"2"'))

        assert held(journal).messages[0] == FieldMessage(
            field="Status", message='here it became "done", at the remote "lost"; it was "new"'
        )


class TestSecrets:
    """What the log must never hold."""

    @pytest.mark.parametrize("status", [400, 409, 422])
    def test_an_echo_of_the_token_is_not_kept(self, journal: Journal, status: int) -> None:
        """A service that shows our token in its error puts it nowhere in the log."""
        profile = Profile.of({"url": URL, "auth": {"bearer": "{env:TOKEN}"}})
        journal.create("Account", ACME, id="a1")
        script = Script(journal, HttpRemote(profile, environ={"TOKEN": CANARY}), attempts=2)
        echo = json.dumps(
            {"errors": [{"field": CANARY, "message": f"Bearer {CANARY}"}], "detail": CANARY}
        ).encode()

        report = script.drain(says(status, echo), says(404))

        rows = b"".join(row.data for row in journal.log.rows())
        assert CANARY.encode() not in rows
        assert held(journal).messages[0].message == "Bearer [secret]"
        assert CANARY not in report.problem

    def test_an_echo_in_an_error_is_not_said(self, journal: Journal) -> None:
        """A problem of the network that shows our token is told without it."""
        profile = Profile.of({"url": URL, "auth": {"bearer": "{env:TOKEN}"}})
        journal.create("Account", ACME, id="a1")
        script = Script(journal, HttpRemote(profile, environ={"TOKEN": CANARY}), attempts=1)

        report = script.drain(NoAnswer(was_sent=True, problem=f"illegal header {CANARY}"))

        assert report.problem == "illegal header [secret]"


@given(json_values(st.nothing()), json_values(st.nothing()))
def test_agreement_is_even(one: object, other: object) -> None:
    """Values agree with themselves, and with each other whichever comes first."""
    assert agrees(one, one)
    assert agrees(one, other) == agrees(other, one)


@pytest.mark.parametrize(
    ("received", "wanted", "is_same"),
    [
        (10, 10.0, True),
        (-0.0, 0, True),
        (1, True, False),
        (0, None, False),
        ("1", 1, False),
        ({}, {"a": None}, True),
        ({"a": None}, {}, True),
        ({"a": [{}]}, {"a": [{"b": None}]}, True),
        ([], [None], False),
        ({"a": 1}, {}, False),
        ({}, [], False),
        ("", None, False),
    ],
    ids=repr,
)
def test_agreement(received: object, wanted: object, is_same: bool) -> None:  # noqa: FBT001
    """Numbers agree by value, missing agrees with null in an object, and nothing else does."""
    assert agrees(received, wanted) is is_same
