"""An org as a remote: every row of the table of outcomes, by answers that are written here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.events import (
    ConflictResolved,
    DraftAcknowledged,
    DraftHeld,
    PushStarted,
    QueueStopped,
)
from journal.outcomes import Unknown
from journal.policies import Policies
from journal.remotes import Push, Request, Response, Salesforce
from journal.remotes.errand import AsExpected
from journal.remotes.salesforce.answers import CONCURRENT_S
from journal.sources import Sources
from journal.staging import Facts
from tests.unit import scripted
from tests.unit.scripted import LOST, REFUSED, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes import Answer

URL: Final = "https://acme.my.salesforce.com"
KEY: Final = "0197c0de-0000-7000-8000-000000000001"
ACME: Final = Ref(f"Account:{KEY}")
ID: Final = "001000000000001AAA"
BY_KEY: Final = f"/sobjects/Account/Journal_Key__c/{KEY}"
BY_ID: Final = f"/sobjects/Account/{ID}"
FIELDS: Final = {"Name": "Acme"}
THEN: Final = "2026-04-01T09:30:00.000+0000"
LATER: Final = "2026-04-01T09:45:00.000+0000"
THEN_IN_HEADERS: Final = "Wed, 01 Apr 2026 09:30:00 GMT"


class Hands:
    """A clock that goes on by what is waited."""

    def __init__(self) -> None:
        """Begin in spring."""
        self.pauses: list[float] = []
        self.now = 1_775_000_000.0

    def now_us(self) -> int:
        """Tell the time."""
        return int(self.monotonic_s() * 1e6)

    def monotonic_s(self) -> float:
        """Tell the seconds."""
        return self.now + sum(self.pauses)


HANDS: Final = Hands()


class Script(scripted.Script):
    """A drain whose waits move the clock on."""

    def __init__(self, journal: Journal, remote: Salesforce, **settings: Any) -> None:  # noqa: ANN401
        """Send the drafts of that journal to that org."""
        super().__init__(journal, remote, **settings)
        HANDS.pauses = self.pauses


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    HANDS.pauses = []
    with Journal(actor="ann", origin="van-7", sources=Sources(HANDS)) as journal:
        yield journal


def org(**settings: Any) -> Salesforce:  # noqa: ANN401  any key
    """Return an org with our key on every object."""
    return Salesforce.of({"url": URL, "key": "Journal_Key__c", "reads_back": False, **settings})


def says(status: int, content: Any = None, **headers: str) -> Response:  # noqa: ANN401  JSON
    """Return an answer with that content."""
    body = b"" if content is None else json.dumps(content).encode()
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


def refuses(status: int, code: str, message: str = "no", *fields: str) -> Response:
    """Return the refusal of an org."""
    return says(status, [{"message": message, "errorCode": code, "fields": list(fields)}])


def row(fields: dict[str, Any], modified: str = THEN, **more: Any) -> Response:  # noqa: ANN401
    """Return the answer that shows our account."""
    shown = {"Id": ID, "LastModifiedDate": modified, "Journal_Key__c": KEY, **fields, **more}
    return says(200, {"attributes": {"type": "Account"}, **shown})


MADE: Final = says(201, {"id": ID, "success": True, "errors": [], "created": True})
WAS_THERE: Final = says(200, {"id": ID, "success": True, "errors": [], "created": False})
DONE: Final = says(204)
NOT_FOUND: Final = refuses(404, "NOT_FOUND", "The requested resource does not exist")
DELETED: Final = refuses(404, "ENTITY_IS_DELETED", "entity is deleted")


def creating(journal: Journal, *, is_sent: bool = False, **settings: Any) -> Script:  # noqa: ANN401
    """Return a script that begins with a create; a request of it may have left before."""
    journal.create("Account", FIELDS, id=KEY)
    if is_sent:
        sent(journal)
    return Script(journal, org(**settings))


def changing(journal: Journal, *, is_sent: bool = False, **settings: Any) -> Script:  # noqa: ANN401
    """Return a script that begins with the change of a record that was pulled."""
    journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
    journal.update(ACME, {"Name": "Acme Ltd"})
    if is_sent:
        sent(journal)
    return Script(journal, org(**settings))


def deleting(journal: Journal, *, is_sent: bool = False, **settings: Any) -> Script:  # noqa: ANN401
    """Return a script that begins with the delete of a record that was pulled."""
    journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
    journal.delete(ACME)
    if is_sent:
        sent(journal)
    return Script(journal, org(**settings))


def sent(journal: Journal) -> None:
    """Note that a request of the last draft has left, and that nothing came back."""
    draft_id = journal.load(ACME).changes[-1].draft_id
    facts = Facts("sync", "van-7")
    journal.note(ACME, lambda _: (PushStarted(draft_id=draft_id),), facts)


def receipt(journal: Journal) -> DraftAcknowledged:
    """Return the last outcome, which is a receipt."""
    event = outcomes(journal)[-1]
    assert isinstance(event, DraftAcknowledged)
    return event


def held(journal: Journal) -> DraftHeld:
    """Return the last outcome, which is a hold."""
    event = outcomes(journal)[-1]
    assert isinstance(event, DraftHeld)
    return event


def reason(journal: Journal) -> str | None:
    """Return why the last outcome is as it is, by its envelope."""
    return [e for e in journal.log.read() if isinstance(e.event, DraftAcknowledged)][-1].reason


def body(request: Request) -> Any:  # noqa: ANN401  JSON
    """Return the content of a request."""
    assert request.body is not None
    return json.loads(request.body)


class TestUpsert:
    """A create by our key in a field of its own."""

    def test_201_is_a_receipt(self, journal: Journal) -> None:
        """The fields go to our key, which is not among them; the id of the org is kept."""
        script = creating(journal)

        report = script.drain(MADE)

        assert report.acknowledged == 1
        [request] = script.requests
        assert (request.method, request.path) == ("PATCH", BY_KEY)
        assert body(request) == FIELDS
        assert (receipt(journal).remote_id, receipt(journal).status) == (ID, 201)
        assert reason(journal) is None

    def test_200_without_an_earlier_request_is_told(self, journal: Journal) -> None:
        """A record that was there under our key is taken, and the receipt says so."""
        script = creating(journal)

        script.drain(WAS_THERE)

        assert (receipt(journal).remote_id, receipt(journal).status) == (ID, 200)
        assert reason(journal) == "the org had a record under our key already"

    def test_200_after_an_earlier_request_is_a_replay(self, journal: Journal) -> None:
        """The first request may have been on its way while we read: it was ours."""
        script = creating(journal, is_sent=True)

        script.drain(NOT_FOUND, WAS_THERE)

        assert script.lines == [f"GET {BY_KEY}", f"PATCH {BY_KEY}"]
        assert receipt(journal).remote_id == ID
        assert reason(journal) is None

    def test_204_is_read_for_the_id(self, journal: Journal) -> None:
        """An answer without the id is no receipt: the record is read by our key."""
        script = creating(journal)

        script.drain(DONE, row(FIELDS))

        assert script.lines == [f"PATCH {BY_KEY}", f"GET {BY_KEY}"]
        assert (receipt(journal).remote_id, receipt(journal).evidence) == (ID, "read")

    def test_300_is_a_mistake_of_the_setup(self, journal: Journal) -> None:
        """Several records under one key: the field is not unique, and that is said."""
        script = creating(journal)

        script.drain(says(300, ["/a", "/b"]))

        assert held(journal).classification == "rejected"
        assert "the key field is not unique" in held(journal).messages[0].message

    def test_300_of_a_read_holds_in_doubt(self, journal: Journal) -> None:
        """Which of them is ours, nobody can say."""
        script = creating(journal, is_sent=True)

        script.drain(says(300, ["/a", "/b"]))

        assert held(journal).classification == "unknown"
        assert "the key field is not unique" in held(journal).messages[0].message

    def test_404_is_a_mistake_of_the_setup(self, journal: Journal) -> None:
        """An object or a key field that is not there is named as such; nothing is looked up."""
        script = creating(journal)

        script.drain(NOT_FOUND)

        assert script.lines == [f"PATCH {BY_KEY}"]
        assert held(journal).classification == "rejected"
        assert "mend object and key of the type" in held(journal).messages[0].message
        assert held(journal).messages[1].code == "NOT_FOUND"

    def test_it_is_read_before_it_is_sent_again(self, journal: Journal) -> None:
        """After a lost answer the record is there: it is taken as it is, and not written again."""
        script = creating(journal)

        script.drain(LOST, row(FIELDS))

        assert script.lines == [f"PATCH {BY_KEY}", f"GET {BY_KEY}"]
        assert (receipt(journal).remote_id, receipt(journal).evidence) == (ID, "read")

    def test_what_others_made_of_it_is_taken(self, journal: Journal) -> None:
        """Under a key that only we have, the record is ours, whatever a trigger has written."""
        script = creating(journal)

        script.drain(LOST, row({"Name": "ACME"}, LATER))

        assert receipt(journal).fields == {"Name": "ACME"}
        assert reason(journal) == "the org has other values than were sent in Name"
        assert journal.load(ACME).fields == {"Name": "ACME"}

    def test_a_key_that_others_may_have_is_no_proof(self, journal: Journal) -> None:
        """Under a key that was not made to be unique, another record may stand."""
        journal.create("Account", FIELDS, id="acme")
        script = Script(journal, org())

        script.drain(LOST, row({"Name": "Bolt"}, Journal_Key__c="acme"))

        assert held(journal).classification == "conflict"

    def test_a_key_that_others_may_have_is_no_proof_even_so(self, journal: Journal) -> None:
        """A duplicate under our key before any request of ours was sent is another record."""
        script = creating(journal)
        taken = refuses(400, "DUPLICATE_VALUE", f"duplicates value on record with id: {ID}")

        script.drain(taken, row({"Name": "Bolt"}))

        assert held(journal).classification == "conflict"

    def test_duplicate_value_of_our_key_is_a_replay(self, journal: Journal) -> None:
        """Two of our requests have met: the record is read by our key, and its id taken."""
        script = creating(journal)
        message = f"duplicate value found: Journal_Key__c duplicates value on record with id: {ID}"

        script.drain(refuses(400, "DUPLICATE_VALUE", message), row(FIELDS))

        assert script.lines == [f"PATCH {BY_KEY}", f"GET {BY_KEY}"]
        assert receipt(journal).remote_id == ID

    def test_duplicate_value_of_another_field_is_a_refusal(self, journal: Journal) -> None:
        """Nothing stands under our key: the org means another unique field."""
        script = creating(journal)

        script.drain(refuses(400, "DUPLICATE_VALUE", "Email__c duplicates value"), NOT_FOUND)

        assert held(journal).classification == "rejected"
        assert held(journal).messages[0].code == "DUPLICATE_VALUE"

    def test_duplicates_detected_says_the_choices(self, journal: Journal) -> None:
        """What a person can do about it stands first."""
        script = creating(journal)

        script.drain(refuses(400, "DUPLICATES_DETECTED", "Use one of these records?"), NOT_FOUND)

        assert held(journal).classification == "rejected"
        assert "allow_duplicates = true" in held(journal).messages[0].message
        assert held(journal).messages[1].message == "Use one of these records?"

    def test_duplicates_may_be_allowed(self, journal: Journal) -> None:
        """A type of which that is said saves in spite of an alert."""
        script = creating(journal, types={"Account": {"allow_duplicates": True}})

        script.drain(MADE)

        headers = script.requests[0].headers
        assert headers["Sforce-Duplicate-Rule-Header"] == "allowSave=true"

    def test_no_success_is_no_receipt(self, journal: Journal) -> None:
        """An answer that contradicts itself is settled by a read."""
        script = creating(journal)

        script.drain(says(201, {"id": ID, "success": False, "errors": []}), row(FIELDS))

        assert receipt(journal).evidence == "read"

    @pytest.mark.parametrize(
        "content",
        [
            {"id": 5, "status": "ok"},
            {"id": ID},
            {"id": ID, "success": "true"},
            {"id": "../../oauth2/revoke", "success": True, "errors": []},
            {"id": [ID], "success": True, "errors": []},
            {"id": ID.lower(), "success": True, "errors": []},
            {"success": True, "errors": []},
        ],
    )
    def test_what_no_org_says_is_no_receipt(self, journal: Journal, content: object) -> None:
        """An answer of somebody on the way is settled by a read, and no id of it is kept."""
        script = creating(journal)

        script.drain(says(201, content), row(FIELDS))

        assert (receipt(journal).evidence, receipt(journal).remote_id) == ("read", ID)

    def test_a_read_that_shows_no_id_of_an_org(self, journal: Journal) -> None:
        """It shows nothing."""
        script = creating(journal, is_sent=True)

        script.drain(row(FIELDS, Id="../1"), row(FIELDS))

        assert (receipt(journal).evidence, receipt(journal).remote_id) == ("read", ID)

    def test_a_key_like_a_file_name_is_refused(self, journal: Journal) -> None:
        """The org would not find it: nothing is sent."""
        journal.create("Account", FIELDS, id="acme.inc")
        script = Script(journal, org())

        script.drain()

        assert "takes no key like 'acme.inc'" in held(journal).messages[0].message


class TestWhatItRefersTo:
    """A record that is named in a field was deleted there."""

    GONE: Final = refuses(400, "ENTITY_IS_DELETED", "entity is deleted")

    @pytest.mark.parametrize("how", ["upsert", "insert", "ui", "post"])
    def test_by_a_create(self, journal: Journal, how: str) -> None:
        """What is not there yet cannot have been deleted: the words of the org alone mislead."""
        script = creating(journal, types={"Account": {"create": how}})

        script.drain(self.GONE, *[NOT_FOUND] * (how in {"upsert", "insert"}))

        assert held(journal).classification == "rejected"
        first, *others = held(journal).messages
        assert first.message.startswith("a record that it refers to was deleted in the org")
        assert [message.message for message in others] == ["entity is deleted"]

    def test_by_an_update(self, journal: Journal) -> None:
        """The record itself is there, as a read shows."""
        script = changing(journal)

        script.drain(row(FIELDS), self.GONE, row(FIELDS))

        assert held(journal).classification == "rejected"
        assert held(journal).messages[0].message.startswith("a record that it refers to")


def test_a_name_in_other_letters_is_the_same_field(journal: Journal) -> None:
    """An org takes ``name`` for ``Name`` and answers with the latter: the value stays known."""
    journal.create("Account", {"name": "Acme"}, id=KEY)

    Script(journal, org(reads_back=True)).drain(MADE, row(FIELDS))

    assert journal.load(ACME).fields == {"name": "Acme"}


class TestInsert:
    """A create with our key among the fields, which never writes to a record that is there."""

    TYPES: Final[dict[str, Any]] = {"Account": {"create": "insert"}}
    TAKEN: Final = refuses(400, "DUPLICATE_VALUE", f"duplicates value on record with id: {ID}")

    def test_it_may_be_said_of_all_types(self, journal: Journal) -> None:
        """So a file says it once."""
        script = creating(journal, create="insert")

        script.drain(MADE)

        assert script.lines == ["POST /sobjects/Account"]
        assert body(script.requests[-1]) == {**FIELDS, "Journal_Key__c": KEY}

    def test_201_is_a_receipt(self, journal: Journal) -> None:
        """The key is one of the fields."""
        script = creating(journal, types=self.TYPES)

        script.drain(MADE)

        assert script.lines == ["POST /sobjects/Account"]
        assert body(script.requests[0]) == {**FIELDS, "Journal_Key__c": KEY}

    def test_it_is_read_before_it_is_sent_again(self, journal: Journal) -> None:
        """By our key, as with an upsert."""
        script = creating(journal, types=self.TYPES)

        script.drain(LOST, NOT_FOUND, MADE)

        assert script.lines == ["POST /sobjects/Account", f"GET {BY_KEY}", "POST /sobjects/Account"]

    def test_two_of_our_requests_make_one_record(self, journal: Journal) -> None:
        """The second is refused, and the first is found."""
        script = creating(journal, types=self.TYPES)

        script.drain(LOST, NOT_FOUND, self.TAKEN, row(FIELDS))

        assert (receipt(journal).evidence, receipt(journal).remote_id) == ("read", ID)

    def test_another_record_is_left_as_it_is(self, journal: Journal) -> None:
        """It is a conflict, and not overwritten."""
        script = creating(journal, types=self.TYPES)

        script.drain(self.TAKEN, row({"Name": "Bolt"}))

        assert held(journal).classification == "conflict"


class TestUi:
    """A create through the UI API, by a key of the request."""

    SETTINGS: Final[dict[str, Any]] = {"key": ""}
    PATH: Final = "/ui-api/records"
    RECORD: Final = says(201, {"apiName": "Account", "id": ID, "fields": {}})
    UNSUPPORTED: Final = refuses(
        400, "IDEMPOTENCY_FEATURE_NOT_ENABLED", "The idempotency feature is not enabled."
    )

    def test_201_is_a_receipt(self, journal: Journal) -> None:
        """The key of the request is a UUID of version 4, the same for the same draft."""
        script = creating(journal, **self.SETTINGS)

        script.drain(LOST, self.RECORD)

        first, second = script.requests
        assert (first.method, first.path) == ("POST", self.PATH)
        assert body(first) == {"apiName": "Account", "fields": FIELDS}
        key = first.headers["Idempotency-Key"]
        assert (key[14], key[19] in "89ab", len(key)) == ("4", True, 36)
        assert second == first
        assert receipt(journal).remote_id == ID

    def test_409_waits_and_sends_the_same(self, journal: Journal) -> None:
        """The first request is still on its way: the same is asked again, and not before then."""
        script = creating(journal, **self.SETTINGS)
        pending = says(409, [{"errorCode": "X", "message": "m"}], retry_after="7")

        script.drain(pending, self.RECORD)

        assert script.requests[0] == script.requests[1]
        assert sum(script.pauses) >= 7
        assert receipt(journal).remote_id == ID

    def test_422_stops_the_queue(self, journal: Journal) -> None:
        """The key was seen with another content: a fault of ours, or somebody tampers."""
        script = creating(journal, **self.SETTINGS)

        report = script.drain(refuses(422, "IDEMPOTENCY_KEY_REUSED", "for another request"))

        assert report.stopped_by == "stopped"
        assert held(journal).classification == "unknown"
        assert any(isinstance(e.event, QueueStopped) for e in journal.log.read())

    def test_404_says_nothing_of_the_record(self, journal: Journal) -> None:
        """It may have been made, and be invisible to this user."""
        script = creating(journal, **self.SETTINGS)

        script.drain(NOT_FOUND)

        assert (held(journal).classification, held(journal).status) == ("unknown", 404)

    def test_duplicates_may_be_allowed(self, journal: Journal) -> None:
        """By a parameter of its own; an update is one of rows."""
        types = {"Account": {"allow_duplicates": True}}
        script = creating(journal, types=types, **self.SETTINGS)

        script.drain(self.RECORD)

        assert script.requests[0].path == f"{self.PATH}?allowSaveOnDuplicate=true"

    def test_a_refusal_without_words_is_one(self, journal: Journal) -> None:
        """Its status is all that is known of it."""
        script = creating(journal, **self.SETTINGS)

        script.drain(says(400))

        assert held(journal).classification == "rejected"

    def test_an_amended_draft_has_another_key(self, journal: Journal) -> None:
        """Another content has another key, so that the org does not take it for the first."""
        script = creating(journal, **self.SETTINGS)
        script.drain(refuses(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "too short", "Name"))
        draft_id = journal.load(ACME).changes[0].draft_id

        journal.amend(draft_id, {"Name": "Acme Ltd"})
        script.drain(self.RECORD)

        keys = {request.headers["Idempotency-Key"] for request in script.requests}
        assert len(keys) == 2

    def test_400_falls_back_and_remembers(self, journal: Journal) -> None:
        """An org that heeds no keys is asked without one, now and from now on."""
        script = creating(journal, **self.SETTINGS)
        journal.create("Account", {"Name": "Bolt"})

        report = script.drain(self.UNSUPPORTED, MADE, MADE)

        assert script.lines == [f"POST {self.PATH}", *["POST /sobjects/Account"] * 2]
        assert [body(request) for request in script.requests[1:]] == [FIELDS, {"Name": "Bolt"}]
        assert report.acknowledged == 2

    @pytest.mark.parametrize("answer", [LOST, says(500), says(502), says(504)])
    def test_without_a_key_an_unknown_outcome_waits_for_a_person(
        self, journal: Journal, answer: Answer
    ) -> None:
        """What nobody can look up is never sent twice; a person settles it."""
        script = creating(journal, **self.SETTINGS)

        script.drain(self.UNSUPPORTED, answer)
        draft_id = journal.load(ACME).changes[0].draft_id

        assert held(journal).classification == "unknown"
        assert script.lines[-1] == "POST /sobjects/Account"
        journal.resolve(draft_id, applied=True, remote_id=ID)
        assert journal.load(ACME).remote.remote_id == ID

    def test_an_earlier_request_may_have_been_applied(self, journal: Journal) -> None:
        """An org that stops heeding keys may have heeded the first: it is not sent again."""
        script = creating(journal, is_sent=True, **self.SETTINGS)

        script.drain(self.UNSUPPORTED)

        assert script.lines == [f"POST {self.PATH}"]
        assert held(journal).classification == "unknown"
        assert "an earlier request" in held(journal).messages[0].message

    def test_an_old_key_is_not_trusted(self, journal: Journal) -> None:
        """After 29 days the org may have forgotten the key: nothing is sent."""
        journal.create("Account", FIELDS, id=KEY)
        script = Script(journal, org(**self.SETTINGS))
        script.drain(*[LOST] * 5)
        HANDS.pauses.append(29 * 86_400)

        script.drain()

        assert held(journal).classification == "unknown"


class TestPost:
    """A create that nothing makes safe to repeat."""

    TYPES: Final[dict[str, Any]] = {"Account": {"create": "post"}}

    def test_201_is_a_receipt(self, journal: Journal) -> None:
        """The one request that there may be."""
        script = creating(journal, types=self.TYPES)

        script.drain(MADE)

        assert script.lines == ["POST /sobjects/Account"]
        assert receipt(journal).remote_id == ID

    def test_a_refusal_is_one(self, journal: Journal) -> None:
        """The org has said that it has not made it."""
        script = creating(journal, types=self.TYPES)

        script.drain(refuses(400, "REQUIRED_FIELD_MISSING", "Phone is missing", "Phone"))

        assert held(journal).classification == "rejected"
        assert held(journal).messages[0].field == "Phone"

    def test_a_request_that_never_left_is_sent_again(self, journal: Journal) -> None:
        """That is certain, so it is safe."""
        script = creating(journal, types=self.TYPES)

        report = script.drain(REFUSED, MADE)

        assert report.acknowledged == 1


class TestAppliedWithoutAnId:
    """A person has said that the org has the record, and not what the org calls it."""

    def test_it_is_found_by_our_key(self, journal: Journal) -> None:
        """Our key is no id of the org: the record is read by the key, and changed by its id."""
        script = creating(journal, is_sent=True)
        journal.resolve(journal.load(ACME).changes[0].draft_id, applied=True)
        journal.update(ACME, {"Phone": "2"})

        script.drain(row({**FIELDS, "Phone": None}), DONE)

        assert script.lines == [f"GET {BY_KEY}", f"PATCH {BY_ID}"]
        assert (receipt(journal).remote_id, receipt(journal).evidence) == (ID, "answer")

    def test_it_is_deleted(self, journal: Journal) -> None:
        """What the org says is done is done, and is not looked for again under our key."""
        script = creating(journal, is_sent=True, on_not_found="hold")
        journal.resolve(journal.load(ACME).changes[0].draft_id, applied=True)
        journal.delete(ACME)

        script.drain(row(FIELDS), DONE)

        assert script.lines == [f"GET {BY_KEY}", f"DELETE {BY_ID}"]
        assert (receipt(journal).remote_id, receipt(journal).evidence) == (ID, "answer")

    @pytest.mark.parametrize("kind", ["update", "delete"])
    def test_without_a_key_nothing_is_sent(self, journal: Journal, kind: str) -> None:
        """It would be taken for gone, and created a second time: the draft is held, with why."""
        script = creating(journal, is_sent=True, types={"Account": {"create": "post"}})
        journal.resolve(journal.load(ACME).changes[0].draft_id, applied=True)
        if kind == "update":
            journal.update(ACME, {"Phone": "2"})
        else:
            journal.delete(ACME)

        script.drain()

        assert script.lines == []
        assert held(journal).classification == "rejected"
        assert f"what the org calls {ACME} is not known" in held(journal).messages[0].message
        journal.observe(ACME, {}, remote_id=ID, partial=True)
        journal.retry(journal.load(ACME).changes[0].draft_id)
        script.drain(row({**FIELDS, "Phone": None}), DONE)
        assert journal.load(ACME).changes == ()

    def test_nobody_refers_to_it_by_what_is_no_id(self, journal: Journal) -> None:
        """The field of a child would get our key, which names no record of the org."""
        script = creating(journal, is_sent=True)
        journal.resolve(journal.load(ACME).changes[0].draft_id, applied=True)
        journal.create("Contact", {"LastName": "Li", "AccountId": ACME})

        script.drain()

        assert script.lines == []
        assert "AccountId" in held(journal).messages[0].message


class TestUpdate:
    """A change by the id of the org."""

    def test_it_is_read_and_conditional(self, journal: Journal) -> None:
        """The values are compared, and the org compares the date, to the second."""
        script = changing(journal)

        script.drain(row(FIELDS), DONE)

        read, write = script.requests
        assert read.path == f"{BY_ID}?fields=Id,LastModifiedDate,Name"
        assert (write.method, write.path) == ("PATCH", BY_ID)
        assert write.headers["If-Unmodified-Since"] == THEN_IN_HEADERS
        assert body(write) == {"Name": "Acme Ltd"}
        assert receipt(journal).status == 204

    def test_200_is_a_receipt_too(self, journal: Journal) -> None:
        """Some rows answer with their id."""
        script = changing(journal)

        script.drain(row(FIELDS), says(200, {"id": ID, "success": True, "errors": []}))

        assert receipt(journal).status == 200

    def test_an_edit_within_the_second_is_seen(self, journal: Journal) -> None:
        """The date is as it was, and the value is not: the condition alone would not tell."""
        script = changing(journal)

        script.drain(row({"Name": "Bolt"}))

        assert script.methods == ["GET"]
        assert held(journal).classification == "conflict"

    def test_412_is_a_conflict(self, journal: Journal) -> None:
        """Somebody was faster after our read: what the org has is compared, field by field."""
        script = changing(journal)

        script.drain(row(FIELDS), says(412), row({"Name": "Bolt"}, LATER))

        assert script.methods == ["GET", "PATCH", "GET"]
        assert held(journal).classification == "conflict"
        assert "Bolt" in held(journal).messages[0].message

    def test_412_of_another_field_is_merged(self, journal: Journal) -> None:
        """The policy decides: nothing is disputed, so it is sent on what was seen."""
        journal.observe(ACME, {**FIELDS, "Phone": "1"}, remote_id=ID, remote_version=THEN)
        journal.update(ACME, {"Name": "Acme Ltd"})
        script = Script(journal, org())
        theirs = row({**FIELDS, "Phone": "2"}, LATER)

        script.drain(row({**FIELDS, "Phone": "1"}), says(412), theirs, theirs, DONE)

        assert isinstance(outcomes(journal)[-1], DraftAcknowledged)
        assert any(isinstance(e.event, ConflictResolved) for e in journal.log.read())
        assert script.requests[-1].headers["If-Unmodified-Since"].endswith("09:45:00 GMT")

    def test_our_own_first_request_is_no_conflict(self, journal: Journal) -> None:
        """A copy of it that came late met its own effect: the read shows that it was ours."""
        script = changing(journal)

        script.drain(row(FIELDS), says(412), row({"Name": "Acme Ltd"}, LATER))

        assert (receipt(journal).evidence, receipt(journal).status) == ("read", 200)

    def test_a_lost_answer_is_read(self, journal: Journal) -> None:
        """What the org has decides, and the change is not sent a second time."""
        script = changing(journal)

        script.drain(row(FIELDS), LOST, row({"Name": "Acme Ltd"}, LATER))

        assert script.methods == ["GET", "PATCH", "GET"]
        assert receipt(journal).evidence == "read"

    def test_a_lost_request_is_sent_again(self, journal: Journal) -> None:
        """The record is as it was: the first request has not arrived."""
        script = changing(journal)

        script.drain(row(FIELDS), LOST, row(FIELDS), DONE)

        assert script.methods == ["GET", "PATCH", "GET", "PATCH"]
        assert receipt(journal).evidence == "answer"

    def test_412_of_an_org_that_compares_parts_of_seconds(self, journal: Journal) -> None:
        """The record is as we know it, and still refused: the next whole second is named."""
        script = changing(journal)

        script.drain(row(FIELDS), says(412), row(FIELDS), row(FIELDS), DONE)

        conditions = [r.headers.get("If-Unmodified-Since") for r in script.requests]
        assert conditions[1] == THEN_IN_HEADERS
        assert conditions[-1] == "Wed, 01 Apr 2026 09:30:01 GMT"
        assert receipt(journal).status == 204

    @pytest.mark.parametrize("gone", [DELETED, NOT_FOUND])
    def test_404_is_gone(self, journal: Journal, gone: Answer) -> None:
        """By the policy: held here, and with a word on what else it may mean."""
        script = changing(journal)

        script.drain(gone)

        assert held(journal).classification == "gone"
        said = " ".join(message.message for message in held(journal).messages)
        assert ("no longer shared" in said) is (gone is NOT_FOUND)

    def test_a_reference_that_is_the_record_itself(self, journal: Journal) -> None:
        """Without a field, the cross reference that is not valid is the record."""
        script = changing(journal)
        invalid = refuses(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")

        script.drain(row(FIELDS), invalid, DELETED)

        assert held(journal).classification == "gone"

    def made_again(self, journal: Journal, **settings: Any) -> Script:  # noqa: ANN401
        """Return a script in which a record that is gone is created again, by the policy."""
        journal.observe(ACME, self.WHOLE, remote_id=ID, remote_version=THEN)
        journal.update(ACME, {"Name": "Acme Ltd"})
        return Script(journal, org(**settings), conflicts=Policies(default="ours"))

    WHOLE: Final = {**FIELDS, "Made": "2026-04-01", "Sum__c": 7, "Who__c": "bob"}
    OTHER: Final = "001000000000002AAA"
    ANEW: Final = says(201, {"id": OTHER, "success": True, "created": True})
    DESCRIBED: Final = says(
        200,
        {
            "name": "Account",
            "fields": [
                {"name": "Name"},
                {"name": "Made", "createable": False},
                {"name": "Sum__c", "createable": False},
                {"name": "Who__c", "createable": True},
            ],
        },
    )

    def test_a_gone_record_is_created_again(self, journal: Journal) -> None:
        """By the policy for ours: under our key, and the org gives it another id."""
        script = self.made_again(journal)

        script.drain(DELETED, self.DESCRIBED, self.ANEW)

        assert script.lines[-1] == f"PATCH {BY_KEY}"
        assert journal.load(ACME).remote.remote_id == self.OTHER

    def test_it_is_created_without_what_nobody_may_set(self, journal: Journal) -> None:
        """An org refuses its own dates and sums, which are known of each record that was pulled."""
        script = self.made_again(journal)

        script.drain(DELETED, self.DESCRIBED, self.ANEW)

        assert script.lines[-2] == "GET /sobjects/Account/describe"
        assert body(script.requests[-1]) == {"Name": "Acme Ltd", "Who__c": "bob"}
        assert reason(journal) == "created again without what nobody may set: Made, Sum__c"

    def test_the_org_says_what_it_has_set_then(self, journal: Journal) -> None:
        """The values of the record that is gone are not those of the new one."""
        script = self.made_again(journal, reads_back=True)
        now = {**self.WHOLE, "Id": self.OTHER, "Name": "Acme Ltd", "Made": "2026-04-02"}

        script.drain(DELETED, self.DESCRIBED, self.ANEW, row(now))

        assert (journal.load(ACME).fields or {})["Made"] == "2026-04-02"

    def test_the_capture_fields_tell_of_this_change(self, journal: Journal) -> None:
        """What was captured of an earlier change is known of the record, and is past."""
        script = self.made_again(journal, capture={"actor": "Who__c"})

        script.drain(DELETED, self.DESCRIBED, self.ANEW)

        assert body(script.requests[-1]) == {"Name": "Acme Ltd", "Who__c": "ann"}

    def test_an_org_that_does_not_describe_it_may_take_all(self, journal: Journal) -> None:
        """It then says itself what it does not take."""
        script = self.made_again(journal)

        script.drain(DELETED, refuses(403, "INSUFFICIENT_ACCESS"), self.ANEW)

        assert body(script.requests[-1]) == {**self.WHOLE, "Name": "Acme Ltd"}

    def test_it_waits_for_an_org_that_cannot_say_it_now(self, journal: Journal) -> None:
        """Nothing is created before that."""
        script = self.made_again(journal)

        script.drain(DELETED, refuses(503, "SERVER_UNAVAILABLE"), self.DESCRIBED, self.ANEW)

        assert [line[:5] for line in script.lines] == ["GET /", "GET /", "GET /", "PATCH"]

    def test_a_receipt_may_be_of_15_characters(self, journal: Journal) -> None:
        """An id of 15 characters is the same as that of 18."""
        journal.observe(ACME, FIELDS, remote_id=ID[:15], remote_version=THEN)
        journal.update(ACME, {"Name": "Acme Ltd"})
        script = Script(journal, org())

        script.drain(row(FIELDS), says(200, {"id": ID, "success": True}))

        assert receipt(journal).status == 200


class TestDelete:
    """A delete, which takes no condition."""

    def test_it_is_read_first(self, journal: Journal) -> None:
        """The read is all that guards it."""
        script = deleting(journal)

        script.drain(row(FIELDS), DONE)

        assert script.methods == ["GET", "DELETE"]
        assert "If-Unmodified-Since" not in script.requests[1].headers
        assert receipt(journal).status == 204

    def test_a_change_of_others_is_a_conflict(self, journal: Journal) -> None:
        """What somebody has changed since is not deleted unseen."""
        script = deleting(journal)

        script.drain(row({"Name": "Bolt"}, LATER))

        assert script.methods == ["GET"]
        assert held(journal).classification == "conflict"

    def test_what_a_receipt_has_shown_is_not_passed_over(self, journal: Journal) -> None:
        """The create was taken as somebody else has changed it: the delete was not made on that."""
        script = creating(journal)
        journal.delete(ACME)
        theirs = row({"Name": "Bolt"}, LATER)

        script.drain(LOST, theirs, theirs)

        assert script.methods == ["PATCH", "GET", "GET"]
        assert held(journal).classification == "conflict"

    def test_what_a_receipt_has_shown_as_it_was_is_deleted(self, journal: Journal) -> None:
        """Our own create is no change of others."""
        script = creating(journal)
        journal.delete(ACME)

        report = script.drain(LOST, row(FIELDS), row(FIELDS), DONE)

        assert (report.acknowledged, report.held) == (2, 0)

    @pytest.mark.parametrize("gone", [DELETED, NOT_FOUND])
    def test_what_is_gone_is_done(self, journal: Journal, gone: Answer) -> None:
        """Somebody has deleted it before us."""
        script = deleting(journal)

        script.drain(gone)

        assert (receipt(journal).evidence, receipt(journal).status) == ("read", 404)

    def test_deleted_right_before_us_is_done(self, journal: Journal) -> None:
        """The read still showed it."""
        script = deleting(journal)

        script.drain(row(FIELDS), DELETED, DELETED)

        assert receipt(journal).evidence == "read"

    def test_what_is_not_shown_may_be_held(self, journal: Journal) -> None:
        """By the settings: access may be lost; a deleted record is told apart."""
        script = deleting(journal, on_not_found="hold")

        script.drain(NOT_FOUND)

        assert held(journal).classification == "unknown"
        assert "no longer shared" in held(journal).messages[0].message

    def test_what_is_surely_deleted_is_done_all_the_same(self, journal: Journal) -> None:
        """The org says so."""
        script = deleting(journal, on_not_found="hold")

        script.drain(DELETED)

        assert receipt(journal).evidence == "read"

    def test_delete_failed_is_a_refusal(self, journal: Journal) -> None:
        """What depends on it keeps it there."""
        script = deleting(journal)
        refusal = refuses(400, "DELETE_FAILED", "Your attempt to delete Acme could not be done")

        script.drain(row(FIELDS), refusal, row(FIELDS))

        assert held(journal).classification == "rejected"
        assert held(journal).messages[0].code == "DELETE_FAILED"

    def test_a_lost_answer_is_read(self, journal: Journal) -> None:
        """It is gone: that was us."""
        script = deleting(journal)

        script.drain(row(FIELDS), LOST, DELETED)

        assert script.methods == ["GET", "DELETE", "GET"]
        assert receipt(journal).evidence == "read"


class TestAny:
    """Answers that say nothing of the draft."""

    def test_locks_are_waited_for(self, journal: Journal) -> None:
        """A locked record is nobody's fault, also where a trigger says it in its own words."""
        script = creating(journal)
        locked = refuses(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
        wrapped = refuses(
            400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "AfterInsert: UNABLE_TO_LOCK_ROW, ..."
        )

        report = script.drain(locked, NOT_FOUND, wrapped, NOT_FOUND, MADE)

        assert (report.acknowledged, report.held) == (1, 0)
        assert all(pause >= 1 for pause in script.pauses)

    @pytest.mark.parametrize("code", ["SERVER_UNAVAILABLE", "QUERY_TIMEOUT"])
    def test_who_is_busy_is_waited_for(self, journal: Journal, code: str) -> None:
        """Whatever the status."""
        script = creating(journal)

        report = script.drain(refuses(400, code), NOT_FOUND, MADE)

        assert (report.acknowledged, report.held) == (1, 0)

    @pytest.mark.parametrize("status", [420, 500, 502, 504])
    def test_an_edge_that_fails_is_a_doubt(self, journal: Journal, status: int) -> None:
        """It may have been applied: the record is read before it is sent again."""
        script = creating(journal)

        script.drain(says(status), NOT_FOUND, MADE)

        assert script.lines == [f"PATCH {BY_KEY}", f"GET {BY_KEY}", f"PATCH {BY_KEY}"]

    @pytest.mark.parametrize(("status", "looks"), [(503, 1), (429, 0)])
    def test_who_asks_for_patience_gets_it(self, journal: Journal, status: int, looks: int) -> None:
        """Nothing is sent before that time; 429 alone says that nothing was carried out."""
        script = creating(journal)

        script.drain(says(status, retry_after="9"), *[NOT_FOUND] * looks, MADE)

        assert sum(script.pauses) >= 9

    def test_the_limit_of_the_day_is_a_long_pause(self, journal: Journal) -> None:
        """Nothing is held, and nothing is asked meanwhile."""
        script = creating(journal, limits={"pause_s": 600})
        reached = refuses(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

        report = script.drain(reached, NOT_FOUND, MADE)

        assert (report.acknowledged, report.held) == (1, 0)
        assert sum(script.pauses) >= 600

    def test_too_many_at_once_is_a_short_one(self, journal: Journal) -> None:
        """The others will soon be done."""
        script = creating(journal)
        reached = refuses(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")

        script.drain(reached, NOT_FOUND, MADE)

        assert CONCURRENT_S <= sum(script.pauses) < 2 * CONCURRENT_S

    def test_another_403_is_a_refusal(self, journal: Journal) -> None:
        """A permission is missing: the draft is held, with what the org says."""
        script = creating(journal)

        script.drain(refuses(403, "INSUFFICIENT_ACCESS", "no access", "Name"), NOT_FOUND)

        assert held(journal).classification == "rejected"
        assert (held(journal).messages[0].field, held(journal).messages[0].code) == (
            "Name",
            "INSUFFICIENT_ACCESS",
        )

    @pytest.mark.parametrize("code", ["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"])
    def test_an_org_without_the_interface_ends_the_run(self, journal: Journal, code: str) -> None:
        """No draft is at fault."""
        script = creating(journal)

        report = script.drain(refuses(403, code))

        assert (report.stopped_by, report.pending, report.held) == ("unauthorized", 1, 0)

    def test_validation_is_told_by_field(self, journal: Journal) -> None:
        """Each message names its field, and keeps its code; the whole answer is kept."""
        script = creating(journal)
        content = [
            {
                "message": "too short",
                "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "fields": ["Name"],
            },
            {
                "message": "Required fields are missing: [Phone]",
                "errorCode": "REQUIRED_FIELD_MISSING",
                "fields": ["Phone"],
            },
        ]

        script.drain(says(400, content), NOT_FOUND)

        event = held(journal)
        assert [(m.field, m.code) for m in event.messages] == [
            ("Name", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
            ("Phone", "REQUIRED_FIELD_MISSING"),
        ]
        assert json.loads(event.answer) == content

    def test_validation_of_the_ui_api_is_told_by_field(self, journal: Journal) -> None:
        """Its shape is another one."""
        script = creating(journal, key="")
        error = {"errorCode": "REQUIRED_FIELD_MISSING", "field": "Phone", "message": "is missing"}
        content = {
            "enhancedErrorType": "RecordError",
            "message": "An error occurred while trying to update the record.",
            "output": {"errors": [], "fieldErrors": {"Phone": [error]}},
        }

        script.drain(says(400, content))

        assert held(journal).classification == "rejected"
        assert [(m.field, m.code) for m in held(journal).messages] == [
            ("Phone", "REQUIRED_FIELD_MISSING")
        ]

    def test_a_host_that_the_org_has_left_proves_nothing(self, journal: Journal) -> None:
        """A page that says 404 is not the org: no delete is done by it."""
        script = deleting(journal)
        page = Response(404, {}, b"<html><title>URL No Longer Exists</title></html>")

        report = script.drain(page)

        assert (report.stopped_by, report.pending) == ("unauthorized", 1)
        assert "mend url, its My Domain" in report.problem

    def test_a_request_that_never_left_is_sent_again(self, journal: Journal) -> None:
        """Without a look: nothing can have been applied."""
        script = creating(journal)

        script.drain(REFUSED, MADE)

        assert script.lines == [f"PATCH {BY_KEY}"] * 2


class TestSession:
    """Answers about who we are."""

    EXPIRED: Final = refuses(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def begun(self, journal: Journal, tokens: list[str]) -> Script:
        """Return a script whose tokens come from a callback."""
        journal.create("Account", FIELDS, id=KEY)
        settings = {"url": URL, "key": "Journal_Key__c", "reads_back": False}
        return Script(journal, Salesforce.of(settings, bearer=lambda: tokens.pop(0)))

    def test_401_is_renewed_once(self, journal: Journal) -> None:
        """The same request, with another token."""
        tokens = ["one", "two", "three"]
        script = self.begun(journal, tokens)

        report = script.drain(self.EXPIRED, MADE)

        assert report.acknowledged == 1
        assert script.requests[0] == script.requests[1]
        assert tokens == ["three"]

    def test_a_second_401_ends_the_run(self, journal: Journal) -> None:
        """The draft stays as it is: it is not at fault."""
        script = self.begun(journal, ["one", "two", "three"])

        report = script.drain(self.EXPIRED, self.EXPIRED)

        assert (report.stopped_by, report.pending, report.held) == ("unauthorized", 1, 0)

    def test_a_session_that_is_not_for_rest_is_not_renewed(self, journal: Journal) -> None:
        """Another one of its kind would not be either: it is said what to do."""
        tokens = ["one", "two"]
        script = self.begun(journal, tokens)
        message = "This session is not valid for use with the REST API"

        report = script.drain(refuses(401, "INVALID_SESSION_ID", message))

        assert report.stopped_by == "unauthorized"
        assert "scope api" in report.problem
        assert tokens == ["two"]


class TestAllowance:
    """The calls of a day."""

    def test_it_slows_down_and_goes_on(self, journal: Journal) -> None:
        """Before the next draft there is a wait, which makes no draft a doubt."""
        script = creating(journal)
        journal.create("Account", {"Name": "Bolt"})
        used = MADE._replace(headers={"sforce-limit-info": "api-usage=90000/100000"})

        report = script.drain(used, MADE)

        assert report.acknowledged == 2
        assert script.methods == ["PATCH", "PATCH"]
        assert 1 < sum(script.pauses) < 40

    def test_at_the_wall_it_pauses_long(self, journal: Journal) -> None:
        """One draft in each long pause, to see whether calls are to be had again."""
        script = creating(journal)
        journal.create("Account", {"Name": "Bolt"})
        used = MADE._replace(headers={"sforce-limit-info": "api-usage=99999/100000"})

        report = script.drain(used, MADE)

        assert report.acknowledged == 2
        assert sum(script.pauses) >= 900


class TestCapture:
    """When, by whom, where and why, in fields of the org."""

    NAMES: Final = {
        "occurred_at": "At__c",
        "actor": "Actor__c",
        "device": "Device__c",
        "reason": "Reason__c",
    }

    def told(self, journal: Journal) -> dict[str, str]:
        """Return what the fields are told of the last change."""
        made = journal.load(ACME).changes[-1].made
        assert made is not None
        entry = next(e for e in journal.log.read() if e.occurred_at == made.occurred_at)
        at = entry.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"At__c": at, "Actor__c": "ann", "Device__c": "van-7", "Reason__c": "seen"}

    def test_of_a_create(self, journal: Journal) -> None:
        """They go with the fields."""
        journal.create("Account", FIELDS, id=KEY, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(MADE)

        assert body(script.requests[0]) == {**FIELDS, **told}

    def test_of_an_update(self, journal: Journal) -> None:
        """They are those of this change; what the draft says itself wins."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.update(ACME, {"Name": "Acme Ltd", "Actor__c": "bob"}, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(row(FIELDS), DONE)

        assert body(script.requests[1]) == {"Name": "Acme Ltd", **told, "Actor__c": "bob"}

    def test_of_an_update_whose_answer_is_lost(self, journal: Journal) -> None:
        """What the org has is ours: the values say so, not the capture fields."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.update(ACME, {"Name": "Acme Ltd"}, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(row(FIELDS), LOST, row({"Name": "Acme Ltd", **told}, LATER))

        assert receipt(journal).evidence == "read"

    def test_of_a_delete(self, journal: Journal) -> None:
        """They are written right before it, on the same condition as an update."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(row(FIELDS), DONE, DONE)

        assert script.methods == ["GET", "PATCH", "DELETE"]
        assert body(script.requests[1]) == told
        assert script.requests[1].headers["If-Unmodified-Since"] == THEN_IN_HEADERS

    def test_a_delete_is_repeated_safely(self, journal: Journal) -> None:
        """Our own mark has moved the date: that is no conflict, and is not written twice."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(row(FIELDS), DONE, LOST, row({**FIELDS, **told}, LATER), DONE)

        assert script.methods == ["GET", "PATCH", "DELETE", "GET", "DELETE"]
        assert receipt(journal).status == 204

    def test_what_is_shown_otherwise_is_no_mark(self, journal: Journal) -> None:
        """A list in the place of a record is read again, and no change is lost for it."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME, reason="seen")
        script = Script(journal, org(capture=self.NAMES))

        script.drain(says(200, []), row(FIELDS), DONE, DONE)

        assert script.methods == ["GET", "GET", "PATCH", "DELETE"]

    def test_a_change_of_which_nothing_is_known(self, journal: Journal) -> None:
        """Without an envelope there is nothing to tell."""
        journal.observe(ACME, FIELDS, remote_id=ID)
        record = journal.load(ACME)
        push = Push("d1", ACME, "update", {"Name": "b"}, {}, None, 0, False, record, {})  # noqa: FBT003

        request = org(capture=self.NAMES).errand(push).write(AsExpected(ID, THEN, FIELDS))

        assert body(request) == {"Name": "b"}

    def test_a_mark_hides_no_receipt(self, journal: Journal) -> None:
        """What the receipt of our create has shown of others is seen beside our mark, too."""
        journal.create("Account", FIELDS, id=KEY)
        journal.delete(ACME, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(LOST, row({"Name": "Bolt"}), row({"Name": "Bolt", **told}, LATER))

        assert held(journal).classification == "conflict"

    def test_a_change_of_others_is_seen_beside_our_mark(self, journal: Journal) -> None:
        """The mark hides nothing."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(row(FIELDS), LOST, row({"Name": "Bolt", **told}, LATER))

        assert script.methods == ["GET", "PATCH", "GET"]
        assert held(journal).classification == "conflict"

    def test_a_mark_that_is_refused_holds_the_delete(self, journal: Journal) -> None:
        """Nothing is deleted that the org will not mark."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME)
        script = Script(journal, org(capture=self.NAMES))

        script.drain(row(FIELDS), refuses(400, "STRING_TOO_LONG", "no", "Actor__c"), row(FIELDS))

        assert script.methods == ["GET", "PATCH", "GET"]
        assert held(journal).messages[0].code == "STRING_TOO_LONG"

    def test_a_delete_that_never_left_after_its_mark_is_a_doubt(self, journal: Journal) -> None:
        """A request of it has left, and was carried out."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME)
        record = journal.load(ACME)
        [change] = record.changes
        push = Push(
            change.draft_id,
            ACME,
            "delete",
            {},
            FIELDS,
            THEN,
            0,
            False,  # noqa: FBT003
            record,
            {},
        )
        push = push._replace(made=change.made)
        exchange = org(capture=self.NAMES).push(push)

        next(exchange)
        exchange.send(row(FIELDS))
        exchange.send(DONE)
        with pytest.raises(StopIteration) as ended:
            exchange.send(REFUSED)

        assert isinstance(ended.value.value, Unknown)

    def test_a_mark_in_doubt_is_a_doubt(self, journal: Journal) -> None:
        """Also where the delete itself never left."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.delete(ACME, reason="seen")
        told = self.told(journal)
        script = Script(journal, org(capture=self.NAMES))
        marked = row({**FIELDS, **told}, LATER)

        script.drain(row(FIELDS), DONE, REFUSED, marked, DONE)

        assert script.methods == ["GET", "PATCH", "DELETE", "GET", "DELETE"]


class TestParents:
    """References."""

    TYPES: Final = {"Contact": {"parents": {"AccountId": "Account.Journal_Key__c"}}}
    CHILD: Final = says(201, {"id": "003000000000001AAA", "success": True, "created": True})

    def drained(self, journal: Journal, target: Ref, **settings: Any) -> Any:  # noqa: ANN401
        """Create a contact of that account, and return what was sent for it."""
        journal.create("Contact", {"LastName": "Li", "AccountId": target})
        script = Script(journal, org(**settings))
        script.drain(*[MADE] * (journal.load(target).changes != ()), self.CHILD)
        return body(script.requests[-1])

    def test_by_the_key_of_the_parent(self, journal: Journal) -> None:
        """Where both objects have one, the child needs no id of the parent."""
        journal.create("Account", FIELDS, id=KEY)

        sent = self.drained(journal, ACME, types=self.TYPES)

        assert sent == {"LastName": "Li", "Account": {"Journal_Key__c": KEY}}

    def test_by_the_id_where_no_relationship_is_named(self, journal: Journal) -> None:
        """As every reference."""
        journal.create("Account", FIELDS, id=KEY)

        assert self.drained(journal, ACME) == {"LastName": "Li", "AccountId": ID}

    def test_by_the_id_where_the_parent_may_not_have_our_key(self, journal: Journal) -> None:
        """A record that was made in the org has no key of ours."""
        ref = Ref(f"Account:{ID}")
        journal.observe(ref, FIELDS, remote_id=ID, remote_version=THEN)

        sent = self.drained(journal, ref, types=self.TYPES)

        assert sent == {"LastName": "Li", "AccountId": ID}

    def test_by_the_id_where_the_parent_has_no_key_after_all(self, journal: Journal) -> None:
        """Made before the org had the field, or emptied there: nothing is held for it."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        journal.create("Contact", {"LastName": "Li", "AccountId": ACME})
        script = Script(journal, org(types=self.TYPES))
        said = (
            f"Foreign key external ID: {KEY} not found for field Journal_Key__c in entity Account"
        )

        script.drain(refuses(400, "INVALID_FIELD", said), NOT_FOUND, self.CHILD)

        assert script.methods == ["PATCH", "GET", "PATCH"]
        assert body(script.requests[-1]) == {"LastName": "Li", "AccountId": ID}

    @pytest.mark.parametrize("said", ["no such column", "Foreign key external ID: x not found"])
    def test_another_refusal_is_one(self, journal: Journal, said: str) -> None:
        """It says nothing of the parent."""
        journal.observe(ACME, FIELDS, remote_id=ID, remote_version=THEN)
        child = journal.create("Contact", {"LastName": "Li", "AccountId": ACME})
        script = Script(journal, org(types=self.TYPES))

        script.drain(refuses(400, "INVALID_FIELD", said), NOT_FOUND)

        assert script.methods == ["PATCH", "GET"]
        assert journal.load(child).changes != ()

    def test_by_the_id_where_the_key_is_another(self, journal: Journal) -> None:
        """The relationship names a key that is not the one of the parent's type."""
        journal.create("Account", FIELDS, id=KEY)
        types = {"Contact": {"parents": {"AccountId": "Account.Other__c"}}}

        assert self.drained(journal, ACME, types=types) == {"LastName": "Li", "AccountId": ID}

    def test_a_reference_that_is_taken_away(self, journal: Journal) -> None:
        """Null names no parent."""
        journal.create("Contact", {"LastName": "Li", "AccountId": None})
        script = Script(journal, org(types=self.TYPES))

        script.drain(self.CHILD)

        assert body(script.requests[0]) == {"LastName": "Li", "AccountId": None}

    def test_an_id_of_15_characters_is_the_same_parent(self, journal: Journal) -> None:
        """What the org shows is recognised, in either form."""
        ref = Ref("Account:old")
        journal.observe(ref, FIELDS, remote_id=ID[:15], remote_version=THEN)
        child = journal.create("Contact", {"LastName": "Li", "AccountId": ref}, id=KEY)
        script = Script(journal, org())
        shown = {"Id": "003000000000001AAA", "Journal_Key__c": KEY, "LastModifiedDate": THEN}

        script.drain(LOST, says(200, {**shown, "LastName": "Li", "AccountId": ID}))

        assert (receipt(journal).evidence, receipt(journal).fields) == ("read", None)
        assert journal.load(child).fields == {"LastName": "Li", "AccountId": ref}


class TestReadBack:
    """What triggers have made of a change."""

    def test_it_is_known_after_the_receipt(self, journal: Journal) -> None:
        """The read after the write shows it, so that the next change is made on that."""
        script = creating(journal, reads_back=True)

        script.drain(MADE, row({"Name": "ACME"}))

        assert (receipt(journal).evidence, receipt(journal).status) == ("answer", 201)
        assert receipt(journal).remote_version == THEN
        assert journal.load(ACME).fields == {"Name": "ACME"}

    @pytest.mark.parametrize("answer", [LOST, says(500), NOT_FOUND, says(200, {"Id": "another"})])
    def test_the_receipt_stands_without_it(self, journal: Journal, answer: Answer) -> None:
        """Whatever comes of the read."""
        script = creating(journal, reads_back=True)

        report = script.drain(MADE, answer)

        assert report.acknowledged == 1
        assert (receipt(journal).remote_version, receipt(journal).fields) == (None, None)

    def test_no_false_conflict_follows(self, journal: Journal) -> None:
        """The next change stands on what the org has made of this one."""
        script = creating(journal, reads_back=True)
        script.drain(MADE, row({"Name": "ACME"}))
        journal.update(ACME, {"Name": "Acme Ltd"})

        script.drain(row({"Name": "ACME"}), DONE, row({"Name": "ACME LTD"}, LATER))

        assert receipt(journal).status == 204
        assert journal.load(ACME).fields == {"Name": "ACME LTD"}
