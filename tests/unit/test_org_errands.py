"""One draft in the words of an org: what is sent, and what a read of its record settles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.errors import RemoteError
from journal.events import PushStarted
from journal.outcomes import Acknowledged, Refused
from journal.remotes import Response, Salesforce
from journal.remotes.errand import AsExpected
from journal.sources import Sources
from journal.staging import Facts
from tests.unit.test_org_together import Hands, Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes import Push, Request
    from journal.remotes.salesforce.errands import OrgErrand

KEY: Final = "0197c0de-0000-7000-8000-000000000001"
ACME: Final = Ref(f"Account:{KEY}")
ID: Final = "001000000000001AAA"
THEN: Final = "2026-04-01T09:30:00.000+0000"
LATER: Final = "2026-04-01T09:45:00.000+0000"
DELETED: Final = [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}]
CONDITION: Final = "If-Unmodified-Since"
TITLED: Final[dict[str, Any]] = {"fields": {"Title": {"name": "Name"}, "by": {"name": "By__c"}}}
"""A type of which we call some fields otherwise."""
BY: Final[dict[str, Any]] = {"capture": {"actor": "By__c"}}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7", sources=Sources(Hands())) as journal:
        yield journal


def errands(journal: Journal, *, is_sent: bool = False, **settings: Any) -> list[OrgErrand]:  # noqa: ANN401
    """Return what carries the pending drafts; requests of all of them may have left before."""
    remote = Salesforce.of({"url": "https://a.example", "key": "Key__c", **settings})
    ledger = Script(journal).session._ledger
    found = [ledger.push_of(draft) for draft in ledger.next_together(9)]
    pushes = [push for push in found if push is not None]
    if is_sent:
        for push in pushes:
            begin(journal, push)
        pushes = [p._replace(is_maybe_applied=True, record=journal.load(p.ref)) for p in pushes]
    return [remote.errand(push) for push in pushes]


def begin(journal: Journal, push: Push) -> None:
    """Note that a request of a draft has left."""
    started = (PushStarted(draft_id=push.draft_id),)
    journal.note(push.ref, lambda _: started, Facts("sync", "van-7"))


def account(**settings: Any) -> dict[str, Any]:  # noqa: ANN401  any key
    """Return settings that are of accounts alone."""
    return {"types": {"Account": settings}}


def known(journal: Journal, **fields: Any) -> None:  # noqa: ANN401  any field
    """Note an account that the org has."""
    journal.observe(ACME, fields, remote_id=ID, remote_version=THEN)


def row(modified: str = THEN, **fields: Any) -> Response:  # noqa: ANN401  any field
    """Return the answer that shows our account."""
    shown = {"Id": ID, "LastModifiedDate": modified, "Key__c": KEY, **fields}
    return says(200, {"attributes": {"type": "Account"}, **shown})


def says(status: int, content: Any = None) -> Response:  # noqa: ANN401  JSON
    """Return an answer with that content."""
    return Response(status, {}, b"" if content is None else json.dumps(content).encode())


def settled(errand: OrgErrand, response: Response) -> Acknowledged | Refused | AsExpected:
    """Return what a read settles that shows the record."""
    record = errand.shown(response)
    assert record is not None
    return errand.compared(response, record, None)


def body(request: Request | None) -> Any:  # noqa: ANN401  JSON
    """Return the content of a request."""
    assert request is not None
    return json.loads(request.body or b"")


class TestHints:
    """E3: what is to be done where nobody knows what the org calls a record."""

    def test_of_a_record(self, journal: Journal) -> None:
        """It is to be said."""
        journal.observe(ACME, {"Name": "n"})
        journal.update(ACME, {"Name": "b"})

        with pytest.raises(RemoteError, match=f"what the org calls {ACME} is not known") as error:
            errands(journal, key="")

        assert "remote_id=" in (error.value.hint or "")

    def test_of_a_record_that_a_field_names(self, journal: Journal) -> None:
        """So it is of that one, which is named with the field."""
        journal.observe(ACME, {"Name": "n"}, remote_id=KEY)
        journal.create("Contact", {"AccountId": ACME}, id="c1")
        [errand] = errands(journal)

        with pytest.raises(RemoteError, match=f"AccountId: what the org calls {ACME}") as error:
            errand.write(None)

        assert "remote_id=" in (error.value.hint or "")


class TestWrite:
    """The request that applies a draft."""

    DUPLICATES: Final = account(allow_duplicates=True)
    HEADER: Final = "Sforce-Duplicate-Rule-Header"

    @pytest.mark.parametrize("create", ["upsert", "insert", "ui", "post"])
    def test_duplicates_are_allowed(self, journal: Journal, create: str) -> None:
        """Beside all other headers; in the address only of a create through the UI API."""
        journal.create("Account", {"Name": "n"}, id=KEY)
        [errand] = errands(journal, **account(allow_duplicates=True, create=create))

        request = errand.write(None)

        assert request.headers[self.HEADER] == "allowSave=true"
        assert request.headers["Content-Type"] == "application/json"
        assert request.path.endswith("?allowSaveOnDuplicate=true") is (create == "ui")

    def test_duplicates_of_an_update(self, journal: Journal) -> None:
        """It is conditional all the same, and its address is that of the record alone."""
        known(journal, Name="n")
        journal.update(ACME, {"Name": "b"})
        [errand] = errands(journal, **account(allow_duplicates=True, create="ui"))

        request = errand.write(None)

        assert request.headers[self.HEADER] == "allowSave=true"
        assert request.headers[CONDITION] == "Wed, 01 Apr 2026 09:30:00 GMT"
        assert request.path == f"/sobjects/Account/{ID}"

    def test_duplicates_of_a_delete(self, journal: Journal) -> None:
        """It makes none."""
        known(journal, Name="n")
        journal.delete(ACME)
        [errand] = errands(journal, **self.DUPLICATES)

        assert self.HEADER not in errand.write(None).headers

    @pytest.mark.parametrize("version", [THEN, None])
    def test_a_condition_with_grace(self, journal: Journal, version: str | None) -> None:
        """It is a second later than the version that is known, or else that was just read."""
        journal.observe(ACME, {"Name": "n"}, remote_id=ID, remote_version=version)
        journal.update(ACME, {"Name": "b"})
        [errand] = errands(journal)
        errand.grace_s = 1

        request = errand.write(AsExpected(ID, version or LATER))

        minutes = "30" if version else "45"
        assert request.headers[CONDITION] == f"Wed, 01 Apr 2026 09:{minutes}:01 GMT"

    def test_no_condition_with_grace(self, journal: Journal) -> None:
        """Where there is no condition, there is none that is later."""
        known(journal, Name="n")
        journal.delete(ACME)
        [errand] = errands(journal)
        errand.grace_s = 1

        assert CONDITION not in errand.write(AsExpected(ID, THEN)).headers

    def test_what_is_left_out(self, journal: Journal) -> None:
        """E4: it is named as we call it."""
        journal.create("Account", {"Title": "n", "Phone": "1"}, id=KEY)
        [errand] = errands(journal, **account(**TITLED))

        errand.leave_out({"Name"})

        assert (errand.left_out, errand.push.fields) == (("Title",), {"Phone": "1"})


class TestMark:
    """What is written before a delete: whose it is."""

    def test_of_a_type_with_fields_of_its_own(self, journal: Journal) -> None:
        """They are those of the type."""
        known(journal, Name="n")
        journal.delete(ACME)
        [errand] = errands(journal, capture={"actor": "Other__c"}, **account(**BY))

        assert body(errand.before(AsExpected(ID, THEN))) == {"By__c": "ann"}

    def test_of_a_record_that_was_found(self, journal: Journal) -> None:
        """It goes to the id that a read has shown, at the object that the type is there."""
        journal.observe(ACME, {"Name": "n"})
        journal.delete(ACME)
        [errand] = errands(journal, **account(object="Firm__c", **BY))

        request = errand.before(AsExpected(ID, THEN))

        assert request is not None
        assert request.path == f"/sobjects/Firm__c/{ID}"

    def test_with_grace(self, journal: Journal) -> None:
        """Its condition is that of an update."""
        known(journal, Name="n")
        journal.delete(ACME)
        [errand] = errands(journal, **BY)
        errand.grace_s = 1

        request = errand.before(AsExpected(ID, LATER))

        assert request is not None
        assert request.headers[CONDITION] == "Wed, 01 Apr 2026 09:45:01 GMT"

    @pytest.mark.parametrize(
        "fields", [{"By__c": {"compare": "any"}}, {"by": {"name": "By__c", "compare": "any"}}]
    )
    def test_it_is_compared_as_the_settings_say(
        self, journal: Journal, fields: dict[str, Any]
    ) -> None:
        """A field of which nothing is compared shows a mark, whatever it has come to."""
        known(journal, Name="n")
        journal.delete(ACME)
        marked = row(LATER, Name="n", By__c="ANN")

        [plain] = errands(journal, **BY)
        [told] = errands(journal, **BY, **account(fields=fields))

        record = told.shown(marked)
        assert record is not None
        assert told.before(AsExpected(ID, LATER, record.fields or {})) is None
        assert plain.before(AsExpected(ID, LATER, record.fields or {})) is not None

    @pytest.mark.parametrize(("remote_id", "found"), [(None, ID), (ID[:15], ID[:15])])
    def test_a_record_with_a_mark(
        self, journal: Journal, remote_id: str | None, found: str
    ) -> None:
        """It is as the delete expects it, under the names that we have, and at its new version."""
        journal.observe(ACME, {"Title": "n"}, remote_id=remote_id, remote_version=THEN)
        journal.delete(ACME)
        [errand] = errands(journal, **BY, **account(**TITLED))

        told = settled(errand, row(LATER, Name="n ", By__c="ann"))

        assert told == AsExpected(found, LATER, {"Name": "n ", "By__c": "ann"})


class TestExpected:
    """E6: what the org should have where a draft is not applied."""

    def test_of_a_delete(self, journal: Journal) -> None:
        """All that is known but the capture fields, whatever we call them."""
        known(journal, Title="n", by="bob")
        journal.delete(ACME)
        [errand] = errands(journal, **BY, **account(**TITLED))

        assert errand.expected() == {"Title": "n"}

    def test_of_an_update(self, journal: Journal) -> None:
        """All that it changes, also a capture field: a person has read it."""
        known(journal, Name="n", By__c="bob")
        journal.update(ACME, {"By__c": "eve"})
        [errand] = errands(journal, **BY)

        assert errand.expected() == {"By__c": "bob"}


class TestReceipt:
    """What an answer to a write acknowledges."""

    @pytest.mark.parametrize("content", [[], "x", 5, {}, {"id": ID}])
    def test_a_create_that_nothing_says_was_done(self, journal: Journal, content: object) -> None:
        """It is none without a success, in whichever shape it comes."""
        journal.create("Account", {"Name": "n"}, id=KEY)
        [errand] = errands(journal)

        assert errand.receipt(says(201, content), is_said=False) is None

    def test_what_others_have_changed(self, journal: Journal) -> None:
        """An update tells it, as far as a read right before has shown it."""
        known(journal, Name="n", Phone="1")
        journal.update(ACME, {"Name": "b"})
        [errand] = errands(journal)

        found = AsExpected(ID, THEN, {"Name": "n", "Phone": "2"})
        receipt = errand.receipt(says(204), found, is_said=False)

        assert receipt is not None
        assert receipt.fields == {"Name": "b", "Phone": "2"}

    def test_what_the_org_has_made_of_it(self, journal: Journal) -> None:
        """E1: each field that is otherwise is named, and none that is as it was sent."""
        journal.create("Account", {"Title": "n", "Phone": "1", "Fax": "2"}, id=KEY)
        [errand] = errands(journal, is_sent=True, **account(**TITLED))

        told = settled(errand, row(Name="n ", Phone="7", Fax="9"))

        assert isinstance(told, Acknowledged)
        assert told.note == "the org has other values than were sent in Phone, Fax"


class TestAtOdds:
    """What a refusal says of a record that a read has shown as it should be."""

    @pytest.mark.parametrize(
        ("status", "grace_s", "is_at_odds"),
        [(412, 0, False), (412, 1, True), (404, 0, True), (404, 1, True), (400, 0, False)],
    )
    def test_which_is_at_odds(
        self,
        journal: Journal,
        status: int,
        grace_s: int,
        is_at_odds: bool,  # noqa: FBT001
    ) -> None:
        """A condition may be about parts of a second, until it has been sent with grace."""
        known(journal, Name="n")
        journal.update(ACME, {"Name": "b"})
        [errand] = errands(journal)
        errand.grace_s = grace_s

        assert errand.is_at_odds(Refused("conflict", (), status)) is is_at_odds


class TestBehind:
    """E5: what drafts behind one have made of its record, that left in the same call."""

    def test_another_value(self, journal: Journal) -> None:
        """It is what the draft behind has set: the read is a receipt, with what it shows."""
        known(journal, Title="n")
        for name in ("b", "c"):
            journal.update(ACME, {"Title": name})
        first, last = errands(journal, is_sent=True, **account(**TITLED))

        told, own = settled(first, row(LATER, Name="c ")), settled(last, row(LATER, Name="c "))

        assert told == Acknowledged("read", ID, LATER, 200, None, {"Title": "c"})
        assert isinstance(own, Acknowledged)

    def test_a_value_that_nobody_of_ours_has_set(self, journal: Journal) -> None:
        """It is a conflict, though the draft behind is applied."""
        known(journal, Name="n", Phone="0")
        journal.update(ACME, {"Name": "b", "Phone": "1"})
        journal.update(ACME, {"Name": "c"})
        first, _ = errands(journal, is_sent=True)

        told = settled(first, row(LATER, Name="c", Phone="9"))

        assert isinstance(told, Refused)
        assert told.classification == "conflict"

    def test_a_field_that_only_the_draft_behind_sets(self, journal: Journal) -> None:
        """It says nothing of the one before."""
        known(journal, Name="n", Phone="0")
        journal.update(ACME, {"Name": "b"})
        journal.update(ACME, {"Name": "c", "Phone": "1"})
        first, _ = errands(journal, is_sent=True)

        assert isinstance(settled(first, row(LATER, Name="c", Phone="9")), Acknowledged)

    def test_that_nothing_of_it_was_sent(self, journal: Journal) -> None:
        """What is behind it made nothing of it then."""
        known(journal, Name="n")
        for name in ("b", "c"):
            journal.update(ACME, {"Name": name})
        first, _ = errands(journal)

        assert isinstance(settled(first, row(LATER, Name="c")), Refused)

    def test_that_it_is_deleted(self, journal: Journal) -> None:
        """It is applied, and shows no record any more."""
        known(journal, Name="n")
        journal.update(ACME, {"Name": "b"})
        journal.delete(ACME)
        update, _ = errands(journal, is_sent=True)

        assert update.absent(says(404, DELETED)) == Acknowledged("read", ID, None, 404)

    def test_that_somebody_else_has_deleted_it(self, journal: Journal) -> None:
        """It is gone, where nothing behind deletes it."""
        known(journal, Name="n")
        for name in ("b", "c"):
            journal.update(ACME, {"Name": name})
        update, _ = errands(journal, is_sent=True)

        told = update.absent(says(404, DELETED))

        assert isinstance(told, Refused)
        assert told.classification == "gone"
