"""The table of outcomes, row by row, on a real socket: what an org says, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.events import DraftAcknowledged, DraftHeld
from journal.sync import Subscriber
from journal.testing.salesforce import (
    Org,
    Settings,
    TriggerError,
    ValidationRule,
    default_schema,
)
from journal.testing.salesforce.refusal import Answer
from journal.testing.salesforce.rules import Trigger
from tests.integration.salesforce.sending import KEY, SOON, TYPES, primed, remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal import Ref
    from journal.sync import Report
    from journal.testing.salesforce.service import Delivery, Sent
    from tests.integration.salesforce.hands import Hands

UI: Final[dict[str, Any]] = {"key": "", "types": {}}
PLAIN: Final[dict[str, Any]] = {"types": {"Account": {"create": "post"}}}


class Desk:
    """A journal, an org, and the way between them."""

    def __init__(self, journal: Journal, org: Org, url: str) -> None:
        """Begin with an empty queue."""
        self.journal, self.org, self.url = journal, org, url

    def create(self, **fields: Any) -> Ref:  # noqa: ANN401  JSON
        """Make an account here."""
        return self.journal.create("Account", {"Name": "Acme", **fields})

    def known(self) -> tuple[Ref, str]:
        """Make an account there that is known here; return it, and its id."""
        ref = primed(self.journal, self.org, {"Name": "Acme", "Phone": "1"})
        return ref, ref.id

    def sent(self, **settings: Any) -> Report:  # noqa: ANN401  any key
        """Send all that can be sent."""
        known = remote(self.url, **settings)
        with Subscriber(self.journal, known, backoff=SOON, attempts=6) as subscriber:
            return subscriber.drain(30)

    @property
    def receipt(self) -> DraftAcknowledged:
        """The last receipt."""
        found = [e.event for e in self.journal.log.read()]
        return [event for event in found if isinstance(event, DraftAcknowledged)][-1]

    @property
    def hold(self) -> DraftHeld:
        """The last hold."""
        found = [e.event for e in self.journal.log.read()]
        return [event for event in found if isinstance(event, DraftHeld)][-1]

    @property
    def names(self) -> list[str]:
        """The names of the accounts there."""
        return [record["Name"] for record in self.org.records("Account")]


@pytest.fixture
def desk(org: Org, url: str) -> Iterator[Desk]:
    """A desk with an empty journal."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield Desk(journal, org, url)


class TestUpsert:
    """Creates by our key."""

    def test_201(self, desk: Desk) -> None:
        """Acknowledged, with the id."""
        desk.create()

        desk.sent()

        assert (desk.receipt.status, desk.receipt.evidence) == (201, "answer")
        assert desk.receipt.remote_id == desk.org.records("Account")[0]["Id"]

    def test_200_of_a_replay(self, desk: Desk) -> None:
        """A first request that comes late meets the second: one record, one receipt."""
        desk.create()
        desk.org.faults.delay(later=2, method="PATCH")

        report = desk.sent()

        assert (report.acknowledged, desk.names) == (1, ["Acme"])

    def test_200_of_a_record_that_was_there(self, desk: Desk) -> None:
        """Acknowledged, and the envelope says so."""
        ref = desk.create()
        desk.org.create("Account", {"Name": "Bolt", KEY: ref.id})

        desk.sent()

        assert (desk.receipt.status, desk.names) == (200, ["Acme"])
        entry = next(e for e in desk.journal.log.read() if e.event == desk.receipt)
        assert entry.reason == "the org had a record under our key already"

    def test_204(self, desk: Desk) -> None:
        """The id is read by our key."""
        desk.create()
        answer = Answer(204)
        desk.org.faults._pending.append(_instead(answer, is_after=True))

        desk.sent()

        assert (desk.receipt.evidence, desk.names) == ("read", ["Acme"])

    def test_300(self, org: Org) -> None:
        """Held: the key is not unique."""
        schema = default_schema(external_id=None)
        loose = _loose_key()
        org = Org(type(schema)([each.with_fields(loose) for each in _writable(schema)]))
        with org.serve() as url, Journal(actor="ann") as journal:
            desk = Desk(journal, org, url)
            ref = desk.create()
            for name in "ab":
                org.create("Account", {"Name": name, KEY: ref.id})

            desk.sent(capture={})

            assert "not unique" in desk.hold.messages[0].message

    def test_404(self, desk: Desk) -> None:
        """Held: the setup is wrong."""
        desk.journal.create("Nothing", {"Name": "x"})

        desk.sent()

        assert "mend object and key" in desk.hold.messages[0].message

    def test_lost(self, desk: Desk) -> None:
        """Read by key, and not sent again."""
        desk.create()
        desk.org.faults.drop_after(method="PATCH")

        desk.sent()

        assert (desk.receipt.evidence, desk.names) == ("read", ["Acme"])
        assert [r.method for r in desk.org.requests].count("PATCH") == 1

    def test_duplicate_value(self, desk: Desk) -> None:
        """Two of our requests meet: read by key, one record."""
        ref = desk.create()
        desk.org.create("Account", {"Name": "Acme", KEY: ref.id})
        said = {"errorCode": "DUPLICATE_VALUE", "message": f"duplicate value found: {KEY}"}
        desk.org.faults._pending.append(_instead(Answer(400, [said])))

        desk.sent()

        assert (desk.receipt.evidence, desk.names) == ("read", ["Acme"])


def _instead(answer: Answer, *, is_after: bool = False) -> Any:  # noqa: ANN401  a fault
    from journal.testing.salesforce import Fault  # noqa: PLC0415

    return Fault("answer", method="PATCH", answer=answer, is_after=is_after)


def _loose_key() -> Any:  # noqa: ANN401  a field
    from journal.testing.salesforce import Field  # noqa: PLC0415

    return Field(KEY, length=64, is_external_id=True)


def _writable(schema: Any) -> list[Any]:  # noqa: ANN401  a schema
    return [schema.object(name) for name in ("User", "Account", "Contact", "Visit__c")]


class TestPlain:
    """Creates that nothing makes safe to repeat."""

    @pytest.mark.parametrize("fault", ["lost", "500"])
    def test_unknown(self, desk: Desk, fault: str) -> None:
        """Held, never sent again; a person settles it."""
        desk.create()
        if fault == "lost":
            desk.org.faults.drop_after(method="POST")
        else:
            desk.org.faults.status(500, after=True, method="POST")

        desk.sent(**PLAIN)

        assert (desk.hold.classification, desk.names) == ("unknown", ["Acme"])
        [found] = desk.org.records("Account")
        desk.journal.resolve(desk.hold.draft_id, applied=True, remote_id=found["Id"])
        assert desk.receipt.evidence == "person"


class TestUi:
    """Creates through the UI API."""

    def test_201(self, desk: Desk) -> None:
        """Acknowledged."""
        desk.create()

        desk.sent(**UI)

        assert (desk.receipt.status, desk.names) == (201, ["Acme"])

    def test_201_of_the_memory(self, desk: Desk) -> None:
        """The same answer again, and one record."""
        desk.create()
        desk.org.faults.drop_after(method="POST")

        desk.sent(**UI)

        assert (desk.receipt.status, desk.names) == (201, ["Acme"])

    def test_409(self, desk: Desk) -> None:
        """The same key again later."""
        desk.create()
        said = [{"errorCode": "IDEMPOTENCY_KEY_IN_PROGRESS", "message": "is being processed"}]
        fault = _instead(Answer(409, said, {"Retry-After": "0"}))
        fault.method = "POST"
        desk.org.faults._pending.append(fault)

        report = desk.sent(**UI)

        assert (report.acknowledged, desk.names) == (1, ["Acme"])

    def test_404(self, desk: Desk) -> None:
        """Who gives away what was made does not see it: only a person can tell that it is there."""
        desk.org.rules.private.add("Account")
        desk.create(OwnerId=desk.org.user_id("other@stand-in.example"))

        desk.sent(**UI)

        assert (desk.hold.classification, desk.hold.status, desk.names) == (
            "unknown",
            404,
            ["Acme"],
        )

    def test_422(self, desk: Desk) -> None:
        """Held, and the queue stops."""
        desk.create()
        said = [{"errorCode": "IDEMPOTENCY_KEY_REUSED", "message": "for another request"}]
        fault = _instead(Answer(422, said))
        fault.method = "POST"
        desk.org.faults._pending.append(fault)

        report = desk.sent(**UI)

        assert (report.stopped_by, desk.hold.classification) == ("stopped", "unknown")

    def test_400(self) -> None:
        """An org without keys is asked plainly, and remembered."""
        org = Org(settings=Settings(has_idempotency=False))
        with org.serve() as url, Journal(actor="ann") as journal:
            desk = Desk(journal, org, url)
            desk.create()
            desk.create(Name="Bolt")

            report = desk.sent(**UI)

        assert (report.acknowledged, desk.names) == (2, ["Acme", "Bolt"])


class TestUpdate:
    """Updates."""

    def test_204(self, desk: Desk) -> None:
        """Acknowledged."""
        ref, record_id = desk.known()
        desk.journal.update(ref, {"Phone": "2"})

        desk.sent()

        assert desk.receipt.status == 204
        assert (desk.org.get(record_id) or {})["Phone"] == "2"

    def test_412(self, desk: Desk, clock: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
        """Somebody comes between our read and our write: a conflict, and nothing overwritten."""
        ref, record_id = desk.known()
        desk.journal.update(ref, {"Phone": "2"})
        asked: list[int] = []

        before = desk.org._service.deliver

        def between(sent: Sent) -> Delivery:
            found = before(sent)
            if desk.org.requests[-1].method == "GET" and not asked:
                asked.append(1)
                clock.move(seconds=5)
                desk.org.update(record_id, {"Phone": "9"}, by="bob")
            return found

        monkeypatch.setattr(desk.org._service, "deliver", between)
        desk.sent()

        assert [r.status for r in desk.org.requests].count(412) == 1
        assert desk.hold.classification == "conflict"
        assert (desk.org.get(record_id) or {})["Phone"] == "9"

    def test_404_deleted(self, desk: Desk) -> None:
        """Gone."""
        ref, record_id = desk.known()
        desk.journal.update(ref, {"Phone": "2"})
        desk.org.delete(record_id)

        desk.sent()

        assert desk.hold.classification == "gone"

    def test_404_out_of_sight(self, desk: Desk) -> None:
        """Gone, with a word on what else it may be."""
        ref, record_id = desk.known()
        desk.journal.update(ref, {"Phone": "2"})
        desk.org.hide(record_id)

        desk.sent()

        assert desk.hold.classification == "gone"
        assert "no longer shared" in desk.hold.messages[-1].message

    def test_lost(self, desk: Desk) -> None:
        """Read: all ours, acknowledged."""
        ref, record_id = desk.known()
        desk.journal.update(ref, {"Phone": "2"})
        desk.org.faults.drop_after(method="PATCH")

        desk.sent()

        assert desk.receipt.evidence == "read"
        assert (desk.org.get(record_id) or {})["Phone"] == "2"

    def test_a_copy_that_comes_late(self, desk: Desk, clock: Hands) -> None:
        """Its condition does not hold any more: it overwrites nothing."""
        ref, record_id = desk.known()
        clock.move(seconds=5)
        desk.org.faults.delay(later=4, method="PATCH")
        desk.journal.update(ref, {"Phone": "2"})
        desk.sent()
        clock.move(seconds=5)
        desk.journal.update(ref, {"Phone": "3"})
        desk.sent()
        desk.org.faults.deliver()

        assert (desk.org.get(record_id) or {})["Phone"] == "3"


class TestDelete:
    """Deletes."""

    def test_204(self, desk: Desk) -> None:
        """Acknowledged."""
        ref, _ = desk.known()
        desk.journal.delete(ref)

        desk.sent()

        assert (desk.receipt.status, desk.names) == (204, [])

    def test_404_deleted(self, desk: Desk) -> None:
        """Done already."""
        ref, record_id = desk.known()
        desk.journal.delete(ref)
        desk.org.delete(record_id)

        assert desk.sent().acknowledged == 1

    @pytest.mark.parametrize(("says", "held"), [("done", 0), ("hold", 1)])
    def test_404_out_of_sight(self, desk: Desk, says: str, held: int) -> None:
        """As the settings say."""
        ref, record_id = desk.known()
        desk.journal.delete(ref)
        desk.org.hide(record_id)

        assert desk.sent(on_not_found=says).held == held

    def test_refused(self, desk: Desk) -> None:
        """What may not be deleted is held."""
        ref, _ = desk.known()
        desk.journal.delete(ref)
        desk.org.rules.denied.add(("Account", "delete"))

        desk.sent()

        assert (desk.hold.classification, desk.names) == ("rejected", ["Acme"])


class TestAny:
    """What an org says that is not about the draft."""

    @pytest.mark.parametrize("status", [420, 429, 500, 502, 503])
    @pytest.mark.parametrize("after", [False, True])
    def test_transient(self, desk: Desk, status: int, *, after: bool) -> None:
        """Tried again: one record, whether it was applied or not."""
        desk.create()
        desk.org.faults.status(status, after=after, method="PATCH")

        report = desk.sent()

        assert (report.acknowledged, desk.names) == (1, ["Acme"])

    def test_limit(self, desk: Desk) -> None:
        """A pause, and then on."""
        desk.create()
        desk.org.faults.limit_reached(method="PATCH")

        report = desk.sent(limits={"pause_s": 0.01})

        assert (report.acknowledged, report.held) == (1, 0)

    def test_403(self, desk: Desk) -> None:
        """A permission: held."""
        desk.create()
        desk.org.rules.denied.add(("Account", "create"))

        desk.sent()

        assert desk.hold.classification == "rejected"

    def test_400_of_a_rule(self, desk: Desk) -> None:
        """The field is named."""
        desk.org.rules.validation.append(
            ValidationRule("Account", lambda record: not record["Phone"], "missing", "Phone")
        )
        desk.create()

        desk.sent()

        assert (desk.hold.messages[0].field, desk.hold.messages[0].message) == ("Phone", "missing")

    def test_400_of_a_trigger(self, desk: Desk) -> None:
        """Its words are told."""

        def refuses(new: Any, old: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001  a trigger
            raise TriggerError("not on a Sunday")

        desk.org.rules.triggers.append(Trigger("Account", refuses))
        desk.create()

        desk.sent()

        assert any("not on a Sunday" in message.message for message in desk.hold.messages)


def test_the_types_are_those_of_the_org() -> None:
    """What the other tests send has its parents by key."""
    assert set(TYPES) == {"Contact", "Visit"}
