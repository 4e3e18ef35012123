"""Drafts on their way to an org, over real sockets: conflicts, lost answers, and what is told."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.events import DraftAcknowledged
from journal.outcomes import Acknowledged
from journal.policies import Policies
from journal.sync import AsyncSubscriber, Subscriber
from journal.testing.salesforce import DuplicateRule, Org, Trigger, ValidationRule
from projections import Drafts
from tests.integration.salesforce.hands import Hands
from tests.integration.salesforce.sending import (
    CAPTURE,
    KEY,
    SOON,
    TYPES,
    content,
    day,
    long_day,
    primed,
    remote,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal import Ref
    from journal.drafts import Draft
    from journal.sync import Report

LOCAL: Final = ("create", "update", "delete", "create+delete")
REMOTE: Final = ("unchanged", "updated", "deleted")
POLICIES: Final = ("merge", "ours", "theirs", "hold")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal in memory."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def drained(journal: Journal, url: str, policy: Any = "merge", **settings: Any) -> Report:  # noqa: ANN401
    """Send all drafts to the org; return the report."""
    policies = Policies(default=policy)
    with Subscriber(
        journal, remote(url, **settings), backoff=SOON, conflicts=policies, attempts=12
    ) as subscriber:
        return subscriber.drain(60)


def pending(journal: Journal) -> list[Draft]:
    """Return the drafts that are pending."""
    return [found.draft for found in Drafts(journal).pending()]


# --- the matrix --------------------------------------------------------------------------


def begun(local: str, journal: Journal, org: Org, url: str) -> Ref:
    """Make the change; of a new record, the create is applied, and its answer lost."""
    if local in {"update", "delete"}:
        ref = primed(journal, org, {"Name": "Acme", "Phone": "1"})
        if local == "update":
            journal.update(ref, {"Phone": "2"})
        else:
            journal.delete(ref)
        return ref
    ref = journal.create("Account", {"Name": "Acme", "Phone": "2"})
    if local == "create+delete":
        journal.delete(ref)
    org.faults.drop_after(method="PATCH")
    org.faults.drop_before(method="GET", times=9)
    with Subscriber(journal, remote(url), backoff=SOON, attempts=1) as subscriber:
        assert subscriber.drain(60).stopped_by == "unreachable"
    org.faults.clear()
    return ref


EXPECTED: Final[dict[tuple[str, str], dict[str, tuple[str | None, str | None]]]] = {
    # the phone in the org, or None where it has no record; how the draft is held, if it is
    ("create", "unchanged"): dict.fromkeys(POLICIES, ("2", None)),
    ("create", "updated"): dict.fromkeys(POLICIES, ("9", None)),
    ("create", "deleted"): dict.fromkeys(POLICIES, ("2", None)),
    ("update", "unchanged"): dict.fromkeys(POLICIES, ("2", None)),
    ("update", "updated"): {
        "merge": ("9", "conflict"),
        "ours": ("2", None),
        "theirs": ("9", None),
        "hold": ("9", "conflict"),
    },
    ("update", "deleted"): {
        "merge": (None, "gone"),
        "ours": ("2", None),
        "theirs": (None, None),
        "hold": (None, "gone"),
    },
    ("delete", "unchanged"): dict.fromkeys(POLICIES, (None, None)),
    ("delete", "updated"): {
        "merge": ("9", "conflict"),
        "ours": (None, None),
        "theirs": ("9", None),
        "hold": ("9", "conflict"),
    },
    ("delete", "deleted"): dict.fromkeys(POLICIES, (None, None)),
    ("create+delete", "unchanged"): dict.fromkeys(POLICIES, (None, None)),
    ("create+delete", "updated"): {
        "merge": ("9", "conflict"),
        "ours": (None, None),
        "theirs": ("9", None),
        "hold": ("9", "conflict"),
    },
    ("create+delete", "deleted"): dict.fromkeys(POLICIES, (None, None)),
}


@pytest.mark.parametrize("moves", [0, 10], ids=["within the second", "later"])
@pytest.mark.parametrize(("local", "theirs", "policy"), list(product(LOCAL, REMOTE, POLICIES)))
def test_matrix(  # noqa: PLR0913, PLR0917  the axes of the matrix
    journal: Journal,
    org: Org,
    url: str,
    clock: Hands,
    local: str,
    theirs: str,
    policy: str,
    moves: int,
) -> None:
    """Whatever both sides do, in whatever second: one record at most, and what the policy says."""
    ref = begun(local, journal, org, url)
    clock.move(seconds=moves)
    [found] = org.records("Account")
    if theirs == "updated":
        org.update(found["Id"], {"Phone": "9"}, by="bob")
    elif theirs == "deleted":
        org.delete(found["Id"], by="bob")
    clock.move(seconds=moves)

    drained(journal, url, policy)

    phone, hold = EXPECTED[local, theirs][policy]
    assert [record["Phone"] for record in org.records("Account")] == [phone] * (phone is not None)
    holds = [draft.hold and draft.hold.classification for draft in pending(journal)]
    assert holds == [hold] * (hold is not None)
    if hold is None and phone is not None:
        assert journal.load(ref).fields == {"Name": "Acme", "Phone": phone}


# --- a day, and every answer of it lost --------------------------------------------------


def state(org: Org) -> list[dict[str, Any]]:
    """Return what the org has, without what differs from run to run."""
    found = []
    for name in ("Account", "Contact", "Visit__c"):
        for record in org.records(name):
            parent = org.get(record.get("AccountId") or record.get("Account__c") or "")
            keep = ("Name", "LastName", "Phone", "Title", "Status__c", "Notes__c")
            kept = {n: record[n] for n in (*keep, *CAPTURE.values()) if n in record}
            kept.pop(CAPTURE["occurred_at"])
            found.append({**kept, "parent": parent and parent["Name"]})
    return found


def effects(org: Org) -> list[tuple[str, str, str]]:
    """Return what our user did there, in order, without what it did twice over."""
    ours = org.user_id("integration@stand-in.example")
    done = [(e.operation, e.sobject, e.id) for e in org.effects if e.by == ours]
    return [effect for n, effect in enumerate(done) if done[n - 1 : n] != [effect]]


def run(
    skip: int | None,
    kind: str,
    begin: Callable[[Journal, Org], None] = day,
    ticks_s: float = 0,
    **settings: Any,  # noqa: ANN401  any key
) -> tuple[Org, int, list[str]]:
    """Send a day to an org of its own, with a fault at one request; return how it ended.

    Its clock moves on by so many seconds each time that the org looks at it.
    """
    org = Org(clock=Hands(ticks_s))
    with org.serve() as url, Journal(actor="ann", origin="van-7") as journal:
        begin(journal, org)
        made = [entry.event_id for entry in journal.log.read()]
        if skip is not None:
            getattr(org.faults, kind)(skip=skip, path="/services/")
        report = drained(journal, url, **settings)
        assert (report.pending, report.held) == (0, 0), [d.why for d in Drafts(journal).pending()]
        found = (entry.event for entry in journal.log.read())
        receipts = [event.draft_id for event in found if isinstance(event, DraftAcknowledged)]
        assert receipts == [event_id for event_id in made if event_id in set(receipts)]
        for draft in receipts:
            record = journal.load(journal.log.find(draft).stream)  # type: ignore[union-attr]
            assert record.remote.remote_id
        return org, len(org.requests), [e.operation for e in org.effects]


WITHOUT_FAULT: Final = run(None, "")


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("skip", range(WITHOUT_FAULT[1]))
def test_a_lost_answer_at_every_request(skip: int, kind: str) -> None:
    """No duplicate, no lost update, order kept, every id known: whichever request it is."""
    org, _, _ = run(skip, kind)

    assert org.faults.pending == []
    assert state(org) == state(WITHOUT_FAULT[0])
    done, plain = effects(org), effects(WITHOUT_FAULT[0])
    assert [effect[:2] for effect in done] == [effect[:2] for effect in plain]


@pytest.mark.parametrize("ticks_s", [0, 0.3], ids=["within the second", "over seconds"])
@pytest.mark.parametrize("kind", ["duplicate", "delay"])
@pytest.mark.parametrize("skip", range(1, WITHOUT_FAULT[1]))
def test_a_request_that_comes_twice_or_late(skip: int, kind: str, ticks_s: float) -> None:
    """A copy that is delivered after the next request changes nothing.

    Nor when it makes the record newer than the condition of the request that is sent again.
    """
    org, _, _ = run(skip, kind, ticks_s=ticks_s)
    org.faults.deliver()

    assert state(org) == state(WITHOUT_FAULT[0])


@pytest.mark.parametrize("later", [3, 7, 30])
def test_a_create_that_comes_much_later_overwrites_nothing(later: int) -> None:
    """The org refuses an insert under a key that it has, whatever has been changed since."""
    types = {name: {**said, "create": "insert"} for name, said in TYPES.items()}
    types["Account"] = {"create": "insert"}

    for skip in range(3):
        org = Org()
        with org.serve() as url, Journal(actor="ann", origin="van-7") as journal:
            day(journal, org)
            org.faults.duplicate(later=later, skip=skip, method="POST", path="/sobjects/")
            report = drained(journal, url, types=types)
            org.faults.deliver()

        assert (report.pending, report.held) == (0, 0)
        assert state(org) == state(WITHOUT_FAULT[0])


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_a_lost_answer_at_every_request_of_200_drafts(part: int) -> None:
    """The same for a day of 200 drafts: one run for each of its requests."""

    def begin(journal: Journal, _: Org) -> None:
        long_day(journal, 200)

    plain, count, _ = run(None, "", begin)
    for skip in range(part, count, 8):
        org, _, _ = run(skip, "drop_after", begin)
        assert org.faults.pending == []
        assert state(org) == state(plain)
        assert [effect[:2] for effect in effects(org)] == [e[:2] for e in effects(plain)]


@pytest.mark.parametrize("kind", ["truncate", "expire_session"])
@pytest.mark.parametrize("skip", range(1, WITHOUT_FAULT[1], 3))
def test_half_an_answer_and_an_expired_session(skip: int, kind: str) -> None:
    """As a lost answer; and a session that ends costs nothing but another one."""
    org, _, _ = run(skip, kind)

    assert state(org) == state(WITHOUT_FAULT[0])


def test_the_day_without_a_fault() -> None:
    """The plain day: what it asks for, and that captured times of the client are in the org."""
    org, _, operations = WITHOUT_FAULT

    assert [record["Phone"] for record in org.records("Account")] == ["2", "1", "3"]
    visit = org.records("Visit__c")[0]
    assert (visit[CAPTURE["actor"]], visit[CAPTURE["device"]]) == ("ann", "van-7")
    assert org.records("Account")[0][CAPTURE["reason"]] == "they moved"
    assert all(r[CAPTURE["occurred_at"]] for r in org.records("Contact"))
    assert operations.count("delete") == 2
    bodies = [r.body for r in org.requests if "Contact" in r.path and r.method == "PATCH"]
    assert any("Account" in (body or {}) for body in bodies)


# --- what an org does --------------------------------------------------------------------


def test_async_is_the_same(journal: Journal, org: Org, url: str) -> None:
    """The same generator, awaited."""
    day(journal, org)

    async def sent() -> Report:
        async with AsyncSubscriber(journal, remote(url), backoff=SOON) as subscriber:
            return await subscriber.drain(60)

    report = asyncio.run(sent())

    assert (report.pending, report.held) == (0, 0)
    assert state(org) == state(WITHOUT_FAULT[0])


def test_a_validation_error_is_amended(journal: Journal, org: Org, url: str) -> None:
    """The field is named, its child waits, and the amended parent takes both along."""
    rule = ValidationRule("Account", lambda r: not r["Phone"], "a phone, please", "Phone")
    org.rules.validation.append(rule)
    account = journal.create("Account", {"Name": "Acme"})
    journal.create("Contact", {"LastName": "Li", "AccountId": account})

    drained(journal, url)
    [parent, _] = pending(journal)
    assert parent.hold is not None
    assert [(m.field, m.message) for m in parent.hold.messages] == [("Phone", "a phone, please")]
    journal.amend(parent.draft_id, {"Phone": "1"})
    report = drained(journal, url)

    assert report.acknowledged == 2
    [contact] = org.records("Contact")
    assert contact["AccountId"] == org.records("Account")[0]["Id"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_record_that_was_pulled_whole_is_created_again(
    journal: Journal, org: Org, url: str, *, lost: bool
) -> None:
    """Deleted there, edited here, and decided for ours: once, with the times of this change."""
    gone = org.create("Account", {"Name": "Acme", "Phone": "1", "Journal_Actor__c": "bob"})
    account = f"Account:{gone}"
    with Subscriber(journal, remote(url, types={"Account": {}})) as subscriber:
        assert subscriber.pull().observed == 1
    journal.update(account, {"Phone": "2"})
    org.delete(gone)
    if lost:
        org.faults.drop_after(method="PATCH")

    report = drained(journal, url, "ours")

    assert (report.pending, report.held) == (0, 0)
    [made] = org.records("Account")
    assert (made["Phone"], made["Journal_Actor__c"]) == ("2", "ann")
    here = journal.load(account)
    assert here.remote.remote_id == made["Id"]
    assert (here.fields or {})["CreatedDate"] == made["CreatedDate"]


@pytest.mark.parametrize("batches", ["off", "order"])
@pytest.mark.parametrize("theirs", [{}, {"Phone": "9"}, {"Journal_Actor__c": "bob"}])
def test_a_record_that_was_primed_whole_is_updated_and_deleted(
    journal: Journal, org: Org, url: str, theirs: dict[str, str], batches: str
) -> None:
    """What our own update writes into every record is no change by somebody else (E5)."""
    known = org.create("Account", {"Name": "Acme", "Phone": "1", "Journal_Actor__c": "eve"})
    account = f"Account:{known}"
    with Subscriber(journal, remote(url, types={"Account": {}})) as subscriber:
        assert subscriber.prime("SELECT FIELDS(ALL) FROM Account LIMIT 200").observed == 1
    org.update(known, theirs)
    journal.update(account, {"Name": "Acme Ltd"}, reason="they moved")
    journal.delete(account, reason="they closed")

    report = drained(journal, url, "hold", batches=batches)

    is_changed = "Phone" in theirs
    assert (report.acknowledged, report.held) == ((1, 1) if is_changed else (2, 0))
    assert (org.get(known) or {})["IsDeleted"] is not is_changed


def test_what_triggers_make_is_known(journal: Journal, org: Org, url: str) -> None:
    """A trigger rewrites the phone: it is known here, and the next change meets no conflict."""
    trigger = Trigger("Account", lambda new, _: {"Phone": f"+{str(new['Phone']).lstrip('+')}"})
    org.rules.triggers.append(trigger)
    account = journal.create("Account", {"Name": "Acme", "Phone": "1"})
    drained(journal, url)
    assert journal.load(account).fields == {"Name": "Acme", "Phone": "+1"}

    journal.update(account, {"Phone": "2"})
    report = drained(journal, url)

    assert (report.acknowledged, report.held) == (1, 0)
    assert journal.load(account).fields == {"Name": "Acme", "Phone": "+2"}


def test_what_triggers_write_anyway_may_be_left_uncompared(
    journal: Journal, org: Org, url: str
) -> None:
    """Several changes of such a field, made offline, go through where the settings say so."""
    trigger = Trigger("Account", lambda new, _: {"Phone": f"+{str(new['Phone']).lstrip('+')}"})
    org.rules.triggers.append(trigger)
    account = journal.create("Account", {"Name": "Acme", "Phone": "1"})
    journal.update(account, {"Phone": "2"})

    report = drained(journal, url, types={"Account": {"fields": {"Phone": {"compare": "any"}}}})

    assert (report.acknowledged, report.held) == (2, 0)
    assert [record["Phone"] for record in org.records("Account")] == ["+2"]


def test_a_time_with_a_fraction_is_the_time_that_is_kept(journal: Journal, url: str) -> None:
    """The org keeps whole seconds: several changes of a time, made offline, are no conflict."""
    visit = journal.create("Visit", {"Name": "v", "Visited_At__c": "2026-04-01T09:30:07.612Z"})
    journal.update(visit, {"Visited_At__c": "2026-04-01T10:00:00.001Z"})

    report = drained(journal, url, "hold")

    assert (report.acknowledged, report.held) == (2, 0)
    assert journal.load(visit).fields == {"Name": "v", "Visited_At__c": "2026-04-01T10:00:00.001Z"}


def test_our_mark_of_a_delete_is_known_again(
    journal: Journal, org: Org, url: str, clock: Hands
) -> None:
    """The time of our clock is told to the millisecond, and the org keeps the second."""
    ref = primed(journal, org, {"Name": "Acme", "Phone": "1"})
    journal.delete(ref, reason=f" moved {'x' * 300}")
    clock.move(seconds=60)
    org.faults.drop_before(method="DELETE")

    report = drained(journal, url, "hold")

    assert (report.acknowledged, report.held) == (1, 0)
    assert [effect.operation for effect in org.effects] == ["create", "update", "delete"]


def test_a_parent_that_has_lost_its_key(journal: Journal, org: Org, url: str) -> None:
    """Somebody has emptied the field: the child finds its parent by the id."""
    account = journal.create("Account", {"Name": "Acme"})
    drained(journal, url)
    account_id = org.records("Account")[0]["Id"]
    org.update(account_id, {KEY: None})
    contact = journal.create("Contact", {"LastName": "Li", "AccountId": account})
    journal.update(contact, {"Title": "Dr"})

    report = drained(journal, url)

    assert (report.acknowledged, report.held) == (2, 0)
    assert org.records("Contact")[0]["AccountId"] == account_id


def test_automation_alone_is_no_conflict(
    journal: Journal, org: Org, url: str, clock: Hands
) -> None:
    """What moves the SystemModstamp and nothing else is nobody's edit."""
    ref = primed(journal, org, {"Name": "Acme", "Phone": "1"})
    journal.update(ref, {"Phone": "2"})
    clock.move(seconds=60)
    org.touch(org.records("Account")[0]["Id"])

    report = drained(journal, url, "hold")

    assert (report.acknowledged, report.held) == (1, 0)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_lock_is_waited_for(journal: Journal, org: Org, url: str, *, wrapped: bool) -> None:
    """However the org says it."""
    ref = primed(journal, org, {"Name": "Acme", "Phone": "1"})
    journal.update(ref, {"Phone": "2"})
    org.lock(org.records("Account")[0]["Id"], tries=3, wrapped=wrapped)

    report = drained(journal, url)

    assert (report.acknowledged, report.held) == (1, 0)


@pytest.mark.parametrize("key", [KEY, ""])
def test_a_duplicate_rule_offers_choices(journal: Journal, org: Org, url: str, key: str) -> None:
    """Held with the choices; with the setting and a retry it is saved, by the UI API too."""
    org.rules.duplicates.append(DuplicateRule("Account"))
    org.create("Account", {"Name": "Acme"})
    journal.create("Account", {"Name": "Acme"})

    drained(journal, url, key=key, types={})
    [draft] = pending(journal)
    assert draft.hold is not None
    assert "allow_duplicates" in draft.hold.messages[0].message
    journal.retry(draft.draft_id)
    report = drained(journal, url, key=key, types={"Account": {"allow_duplicates": True}})

    assert report.acknowledged == 1
    assert len(org.records("Account")) == 2


def test_the_limit_is_reached_slowly(journal: Journal, org: Org, url: str) -> None:
    """Before the wall it is slowed down, at the wall it waits; no draft is held or doubled."""
    org.settings.calls_per_day = 60
    org.spend_calls(50)
    for number in range(8):
        journal.create("Account", {"Name": f"n{number}"})

    report = drained(journal, url, limits={"pause_s": 0.01})

    assert report.held == 0
    assert len(org.records("Account")) == report.acknowledged


class TestUi:
    """Objects that have no field for our key."""

    def test_a_lost_answer_makes_one_record(self, journal: Journal, org: Org, url: str) -> None:
        """The same request with the same key is answered from the memory of the org."""
        journal.create("Account", {"Name": "Acme"})
        org.faults.drop_after(method="POST")

        report = drained(journal, url, key="", types={})

        assert report.acknowledged == 1
        assert [record["Name"] for record in org.records("Account")] == ["Acme"]

    def test_an_org_without_keys_is_remembered(self, journal: Journal, org: Org, url: str) -> None:
        """It is asked with a key once, and never again."""
        org.settings.has_idempotency = False
        for number in range(3):
            journal.create("Account", {"Name": f"n{number}"})

        report = drained(journal, url, key="", types={})

        assert report.acknowledged == 3
        asked = [r.path.rpartition("/")[2] for r in org.requests if r.method == "POST"]
        assert asked.count("records") == 1

    def test_a_person_settles_what_nobody_can_know(
        self, journal: Journal, org: Org, url: str
    ) -> None:
        """Without a key and a field, a lost answer is never repeated by itself."""
        org.settings.has_idempotency = False
        journal.create("Account", {"Name": "Acme"})
        org.faults.drop_after(method="POST", path="/sobjects/")

        drained(journal, url, key="", types={})
        [draft] = pending(journal)
        assert draft.hold is not None
        assert draft.hold.classification == "unknown"
        [found] = org.records("Account")
        journal.resolve(draft.draft_id, applied=True, remote_id=found["Id"])

        assert len(Drafts(journal)) == 0
        assert len(org.records("Account")) == 1


def test_a_key_that_is_not_unique_is_named(journal: Journal, url: str) -> None:
    """A field that is not there is a mistake of the setup, and said to be one."""
    journal.create("Account", {"Name": "Acme"})

    drained(journal, url, key="No_Such__c", types={})

    [draft] = pending(journal)
    assert draft.hold is not None
    assert "mend object and key of the type" in draft.hold.messages[0].message
    assert draft.hold.classification == "rejected"


def test_key_and_content_are_what_they_are_for(url: str) -> None:
    """The settings of these tests are settings."""
    assert content(url)["key"] == KEY
    assert Acknowledged("read").note is None
