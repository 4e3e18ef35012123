"""Drafts that go to an org together: what comes of it is what would have come of it one by one."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.sync import AsyncSubscriber, Subscriber
from journal.testing.salesforce import DuplicateRule, Org, Trigger, ValidationRule
from tests.integration.salesforce.pairs import Direct, Scene, ended, sent
from tests.integration.salesforce.sending import (
    CAPTURE,
    KEY,
    SOON,
    TYPES,
    day,
    long_day,
    primed,
    remote,
)
from tests.integration.salesforce.test_pushing import effects, run, state

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from journal import Ref
    from journal.sync import Report
    from journal.testing.salesforce.service import Delivery, Sent

    Shape = Callable[[Scene, int], list[Ref]]

DRAFTS: Final = 26
"""So many drafts are more than one call."""
POSITIONS: Final = 25
SOME: Final = (0, 12)
POLICIES: Final = ("merge", "ours", "theirs", "hold")
REFUSED: Final = "0"
"""A phone that a rule refuses."""


# --- what is changed ---------------------------------------------------------------------


def updates(scene: Scene, at: int) -> list[Ref]:
    """Change records that the org has."""
    refs = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(DRAFTS)]
    scene.clock.move(seconds=60)
    for n, ref in enumerate(refs):
        scene.journal.update(ref, {"Phone": REFUSED if n == at else "2"})
    return refs


def creates(scene: Scene, at: int) -> list[Ref]:
    """Make parents and children."""
    refs: list[Ref] = []
    for n in range(DRAFTS):
        phone = {"Phone": REFUSED if n == at else "2"}
        if n % 2:
            fields = {"LastName": f"n{n}", "AccountId": refs[-1], **phone}
            refs.append(scene.journal.create("Contact", fields))
        else:
            refs.append(scene.journal.create("Account", {"Name": f"n{n}", **phone}))
    return refs


def deletes(scene: Scene, _: int) -> list[Ref]:
    """Delete records that the org has."""
    refs = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(DRAFTS)]
    scene.clock.move(seconds=60)
    for ref in refs:
        scene.journal.delete(ref)
    return refs


def chains(scene: Scene, at: int) -> list[Ref]:
    """Change the same records again and again, and delete them."""
    refs = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(6)]
    scene.clock.move(seconds=60)
    for n in range(DRAFTS):
        if n // 6 == 4:
            scene.journal.delete(refs[n % 6])
        else:
            more = {} if n % 3 else {"Description": f"d{n}"}
            phone = REFUSED if n == at else f"{n + 2}"
            scene.journal.update(refs[n % 6], {"Phone": phone, **more})
    return refs * 5


def mixed(scene: Scene, at: int) -> list[Ref]:
    """Make changes of each kind, on records that are new and that are known."""
    journal = scene.journal
    refs = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(DRAFTS)]
    scene.clock.move(seconds=60)
    account = refs[0]
    for n, ref in enumerate(refs):
        phone = {"Phone": REFUSED if n == at else "2"}
        match n % 5:
            case 0:
                journal.update(ref, phone)
            case 1:
                account = journal.create("Account", {"Name": f"m{n}", **phone})
            case 2:
                fields = {"LastName": f"c{n}", "AccountId": account, **phone}
                journal.create("Contact", fields)
            case 3:
                journal.update(account, {"Description": "@{r0.id}" if n % 2 else "d", **phone})
            case _:
                journal.delete(ref)
    return refs


# --- what goes wrong ---------------------------------------------------------------------


def a_rule(scene: Scene, _: Ref) -> None:
    """A rule refuses a phone."""
    for sobject in ("Account", "Contact"):
        rule = ValidationRule(sobject, lambda row: row["Phone"] == REFUSED, "no zero", "Phone")
        scene.org.rules.validation.append(rule)


def a_trigger(scene: Scene, _: Ref) -> None:
    """A trigger rewrites a phone."""
    trigger = Trigger("Account", lambda new, _: {"Website": f"https://{new['Phone']}.example"})
    scene.org.rules.triggers.append(trigger)


def a_lock(scene: Scene, ref: Ref) -> None:
    """The record is locked, once."""
    scene.org.lock(ref.id, tries=1)


def a_foreign_edit(scene: Scene, ref: Ref) -> None:
    """Somebody else has changed the same field."""
    scene.org.update(ref.id, {"Phone": "9"}, by="bob")
    scene.clock.move(seconds=60)


def another_edit(scene: Scene, ref: Ref) -> None:
    """Somebody else has changed another field."""
    scene.org.update(ref.id, {"Name": "theirs"}, by="bob")
    scene.clock.move(seconds=60)


def an_edit_of_this_second(scene: Scene, ref: Ref) -> None:
    """Somebody else has changed another field, in the second in which we send."""
    scene.org.update(ref.id, {"Name": "theirs"}, by="bob")


def a_foreign_delete(scene: Scene, ref: Ref) -> None:
    """Somebody else has deleted the record."""
    scene.org.delete(ref.id, by="bob")
    scene.clock.move(seconds=60)


def out_of_sight(scene: Scene, ref: Ref) -> None:
    """The record is no longer shown to us."""
    scene.org.hide(ref.id)


NO_CAPTURE: Final[dict[str, Any]] = {"capture": {}}
BY_ID: Final[dict[str, Any]] = {"types": {}}
BARE: Final[dict[str, Any]] = {"types": {}, "capture": {}, "reads_back": False}
ACTOR: Final[dict[str, Any]] = {"capture": {"actor": CAPTURE["actor"]}}
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "usual": {},
    "no capture": NO_CAPTURE,
    "by id": BY_ID,
    "bare": BARE,
    "actor": ACTOR,
}
DECIDED: Final = (a_foreign_edit, another_edit, an_edit_of_this_second, a_foreign_delete)
ON_KNOWN: Final = (a_lock, *DECIDED, out_of_sight)
CASES: Final[list[tuple[Any, Any, str, str]]] = [
    *((shape, a_rule, "merge", "lane") for shape in (updates, creates, chains, mixed)),
    *((shape, a_rule, "merge", "stop") for shape in (updates, creates, chains)),
    *((shape, a_trigger, "merge", "lane") for shape in (updates, creates)),
    *((shape, kind, "merge", "lane") for shape in (updates, deletes) for kind in ON_KNOWN),
    *((chains, a_foreign_edit, policy, "lane") for policy in POLICIES),
    *((deletes, a_foreign_edit, policy, "stop") for policy in POLICIES),
    *((updates, a_foreign_delete, policy, "stop") for policy in POLICIES),
]


def assert_as_one_by_one(
    begin: Callable[[Scene], object],
    **settings: Any,  # noqa: ANN401  any key
) -> None:
    """Assert that all is the same on both sides, whether the drafts go together or one by one."""
    apart, together = (sent(begin, batches=is_on, **settings) for is_on in ("off", "order"))

    assert together.ended == apart.ended
    assert together.report[:3] == apart.report[:3]


def assert_case(shape: Shape, kind: Any, at: int, **settings: Any) -> None:  # noqa: ANN401
    """Assert the same of drafts one of which meets something."""

    def begin(scene: Scene) -> None:
        refs = shape(scene, at)
        kind(scene, refs[at])

    assert_as_one_by_one(begin, **settings)


@pytest.mark.parametrize(("shape", "kind", "policy", "on_held"), CASES)
def test_as_one_by_one(shape: Shape, kind: Any, policy: str, on_held: str) -> None:  # noqa: ANN401
    """Whatever a draft meets at some positions of a call: the same effects, outcomes, records."""
    for at in SOME:
        assert_case(shape, kind, at, policies=policy, on_held=on_held)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "usual"])
@pytest.mark.parametrize("shape", [updates, creates, deletes, chains, mixed])
def test_as_one_by_one_however_it_is_set(shape: Shape, name: str) -> None:
    """With and without capture fields, parents by key, and what is read back."""
    kind: Any = a_foreign_edit if shape in {updates, deletes} else a_rule
    assert_case(shape, kind, 11, **SETTINGS[name])


@pytest.mark.long
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("shape", "kind", "policy", "on_held"), CASES)
def test_as_one_by_one_at_each_position(
    shape: Shape,
    kind: Any,  # noqa: ANN401
    policy: str,
    on_held: str,
    name: str,
) -> None:
    """The same for each position of a call, however it is set."""
    for at in range(POSITIONS):
        assert_case(shape, kind, at, policies=policy, on_held=on_held, **SETTINGS[name])


# --- drafts of other kinds ---------------------------------------------------------------


def several_kinds(scene: Scene) -> None:
    """Make records of five types, in a row, and change them."""
    journal = scene.journal
    for n in range(5):
        account = journal.create("Account", {"Name": f"a{n}"})
        contact = journal.create("Contact", {"LastName": f"c{n}", "AccountId": account})
        deal = {"Name": f"o{n}", "StageName": "Closed Won", "CloseDate": "2026-04-02"}
        deal_made = journal.create("Opportunity", {**deal, "AccountId": account})
        journal.create("Task", {"Subject": "Call", "WhoId": contact})
        journal.create("Visit", {"Name": f"v{n}", "Account__c": account})
        journal.create("Site", {"Name": f"s{n}"})
        journal.update(deal_made, {"NextStep": "call"})
        journal.update(account, {"Phone": "1"}, reason="@{r0.id}" if n == 3 else "moved")
        journal.update(contact, {"Title": "@{" if n == 2 else "Dr"})


def dangling(scene: Scene) -> None:
    """Make children of records two of which are gone."""
    refs = [scene.known("Account", Name=f"n{n}") for n in range(10)]
    for n, ref in enumerate(refs):
        scene.journal.create("Contact", {"LastName": f"c{n}", "AccountId": ref})
    for ref in (refs[0], refs[4]):
        scene.org.delete(ref.id)


def incomplete(scene: Scene) -> None:
    """Make records two of which have no name."""
    for n in range(10):
        scene.journal.create("Account", {"Phone": "1"} if n in {0, 4} else {"Name": f"n{n}"})


def alike(scene: Scene) -> None:
    """Make records two of which look like one that is there."""
    scene.org.create("Account", {"Name": "Acme"})
    scene.org.rules.duplicates.append(DuplicateRule("Account"))
    for n in range(10):
        scene.journal.create("Account", {"Name": "Acme" if n in {0, 4} else f"n{n}"})


def there_already(scene: Scene) -> None:
    """Make records two of which the org has under our key."""
    for n in range(10):
        ref = scene.journal.create("Account", {"Name": f"n{n}"})
        if n in {0, 4}:
            scene.org.create("Account", {"Name": "theirs", KEY: ref.id})


def without_a_field(scene: Scene) -> None:
    """Change records, one of them in a field that the user does not see."""
    refs = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(10)]
    for n, ref in enumerate(refs):
        scene.journal.update(ref, {"Secret__c": "2"} if n == 6 else {"Phone": "2"})


SITES: Final = {**TYPES, "Site": {"object": "Account"}}


@pytest.mark.parametrize(
    "types",
    [
        SITES,
        {"Visit": {"object": "Visit__c"}, "Site": {"object": "Account"}},
        {**SITES, "Contact": {"key": ""}},
        {**SITES, "Contact": {"create": "post"}},
        {**SITES, "Account": {"allow_duplicates": True}, "Contact": {"create": "insert"}},
    ],
)
def test_types_of_each_kind(types: dict[str, Any]) -> None:
    """Six in a row; with a key of the request, with none, with a header of their own."""
    assert_as_one_by_one(several_kinds, types=types)


@pytest.mark.parametrize("begin", [dangling, incomplete, alike, there_already, without_a_field])
@pytest.mark.parametrize("name", ["usual", "by id"])
def test_what_an_org_refuses(begin: Callable[[Scene], None], name: str) -> None:
    """Each draft ends as it would alone."""
    assert_as_one_by_one(begin, **SETTINGS[name])


def test_what_a_trigger_makes_of_a_chain(org: Org, url: str) -> None:
    """The one difference: nobody looks between two drafts of one record in one call.

    What a trigger makes of the first in a field of the second, the second writes over; sent one
    by one, it is held.
    """

    def begin(scene: Scene) -> None:
        mark = Trigger("Account", lambda new, _: {"Description": f"of {new['Phone']}"})
        scene.org.rules.triggers.append(mark)
        ref = scene.journal.create("Account", {"Name": "Acme", "Phone": "1"})
        scene.journal.update(ref, {"Description": "ours"})

    apart, together = (sent(begin, batches=is_on) for is_on in ("off", "order"))

    assert (apart.report.held, together.report.held) == (1, 0)
    assert (org.records("Account"), url[:4]) == ([], "http")


# --- a thousand --------------------------------------------------------------------------


def thousand(scene: Scene) -> None:
    """Make 1,000 changes: parents, children, chains, and deletes with capture fields."""
    dice, journal = random.Random(7), scene.journal  # noqa: S311  the same each time
    known = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(100)]
    scene.clock.move(seconds=60)
    accounts: list[Ref] = [journal.create("Account", {"Name": "first"})]
    contacts: list[Ref] = [journal.create("Contact", {"LastName": "first"})]
    for n in range(998):
        match dice.choices("acudx", (25, 25, 20, 23, 7))[0]:
            case "a":
                accounts.append(journal.create("Account", {"Name": f"a{n}", "Phone": "1"}))
            case "c":
                fields = {"LastName": f"c{n}", "AccountId": dice.choice(accounts)}
                contacts.append(journal.create("Contact", fields))
            case "u":
                journal.update(dice.choice(accounts[-9:]), {"Phone": str(n)})
            case "d":
                journal.update(dice.choice(contacts[-9:]), {"Title": str(n)}, reason="why")
            case _:
                journal.delete(known.pop())


def test_a_thousand_drafts_take_fifty_requests(org: Org, url: str) -> None:
    """Over a socket: each effect once and in order, and both sides have the same records."""
    with Journal(actor="ann", origin="van-7") as journal:
        thousand(Scene(journal, org, org._state._clock))  # type: ignore[arg-type]
        ours = [entry for entry in journal.log.scan() if entry.actor == "ann"]
        with Subscriber(journal, remote(url, batches="order"), backoff=SOON) as subscriber:
            report = subscriber.drain(60)

        assert (report.acknowledged, report.pending, report.held) == (1000, 0, 0)
        calls = [r for r in org.requests if "/services/data/" in r.path]
        assert len(calls) <= 50
        user = org.user_id("integration@stand-in.example")
        done = [effect.operation for effect in org.effects if effect.by == user]
        kinds = {"RecordCreated": ["create"], "RecordUpdated": ["update"]}
        made = [kinds.get(type(e.event).__name__, ["update", "delete"]) for e in ours[100:]]
        assert done == [operation for operations in made for operation in operations]
        for name in ("Account", "Contact"):
            for found in org.records(name):
                ref = f"{name}:{found[KEY] or found['Id']}"
                here = journal.load(ref).fields or {}
                there = {n: found[n] for n in here if n != "AccountId"}
                assert there == {n: value for n, value in here.items() if n != "AccountId"}


@pytest.mark.long
def test_a_thousand_drafts_are_as_one_by_one() -> None:
    """The same effects, receipts and records."""
    assert_as_one_by_one(thousand)


# --- a bad link --------------------------------------------------------------------------


def chained(journal: Journal, org: Org) -> None:
    """Change records again and again, and delete some; make others, too."""
    refs = [primed(journal, org, {"Name": f"n{n}", "Phone": "1"}) for n in range(4)]
    for n, ref in enumerate(refs):
        journal.update(ref, {"Phone": "2"})
        journal.update(ref, {"Phone": "3"} if n % 2 else {"Site": "x"})
        account = journal.create("Account", {"Name": f"a{n}", "Phone": "1"})
        journal.create("Contact", {"LastName": "Li", "AccountId": account})
        journal.update(account, {"Phone": "2"})
        if n == 1:
            journal.delete(ref, reason="closed")


PLAIN: Final = {begin: run(None, "", begin, batches="order") for begin in (day, chained)}
EACH: Final = [(begin, skip) for begin, plain in PLAIN.items() for skip in range(plain[1])]


def test_they_do_go_together() -> None:
    """The days of these tests take few requests, and end as they do one by one."""
    for begin, (org, count, _) in PLAIN.items():
        apart, many, _ = run(None, "", begin)
        assert count < many / 3
        assert state(org) == state(apart)
        assert effects(org) == effects(apart)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "truncate", "expire_session"])
@pytest.mark.parametrize(("begin", "skip"), EACH)
def test_a_lost_answer_at_every_request(begin: Any, skip: int, kind: str) -> None:  # noqa: ANN401
    """No duplicate, no lost update, order kept, every id known: whichever call it is."""
    org, _, _ = run(skip, kind, begin, batches="order")

    plain = PLAIN[begin][0]
    assert state(org) == state(plain)
    assert [effect[:2] for effect in effects(org)] == [effect[:2] for effect in effects(plain)]


@pytest.mark.parametrize("kind", ["duplicate", "delay"])
@pytest.mark.parametrize(("begin", "skip"), EACH)
def test_a_call_that_comes_twice_or_late(begin: Any, skip: int, kind: str) -> None:  # noqa: ANN401
    """A copy that is delivered after the next request changes nothing."""
    org, _, _ = run(skip, kind, begin, batches="order")
    org.faults.deliver()

    assert state(org) == state(PLAIN[begin][0])


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_a_lost_answer_at_every_request_of_200_drafts(part: int) -> None:
    """The same for a day of 200 drafts, one run for each of its requests."""

    def begin(journal: Journal, _: Org) -> None:
        long_day(journal, 200)

    plain, count, _ = run(None, "", begin, batches="order")
    for kind in ("drop_after", "drop_before", "delay", "duplicate"):
        for skip in range(part, count, 4):
            org, _, _ = run(skip, kind, begin, batches="order")
            org.faults.deliver()
            assert state(org) == state(plain)


class Deadly(Direct):
    """Kills the sender at a request, before it leaves or when it was answered."""

    def __init__(self, org: Org, at: int, *, is_after: bool) -> None:
        """Kill at that request."""
        super().__init__(org)
        self._left, self._is_after = at, is_after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, unless it is that one.

        Raises:
            KeyboardInterrupt: it is.
        """
        self._left -= 1
        if self._left == -1 and not self._is_after:
            raise KeyboardInterrupt
        answer = super().handle_request(request)
        if self._left == -1:
            raise KeyboardInterrupt
        return answer


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("shape", [chains, mixed])
def test_the_sender_is_killed_at_every_request(shape: Shape, *, is_after: bool) -> None:
    """Whoever sends after that ends as if nothing had been."""
    plain = sent(lambda scene: shape(scene, -1), batches="order")
    for at in range(plain.calls):
        found = sent(
            lambda scene: shape(scene, -1),
            transport=partial(Deadly, at=at, is_after=is_after),
            batches="order",
        )
        assert found.ended.there == plain.ended.there
        assert (found.report.held, found.report.pending) == (0, 0)
        twice = [e for n, e in enumerate(found.ended.effects) if found.ended.effects[n - 1] != e]
        assert twice == plain.ended.effects


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("after", [False, True])
def test_an_org_that_fails(org: Org, url: str, status: int, *, after: bool) -> None:
    """Whether the call was carried out before it or not."""
    with Journal(actor="ann", origin="van-7") as journal:
        chained(journal, org)
        org.faults.status(status, after=after, path="/composite$")
        with Subscriber(journal, remote(url, batches="order"), backoff=SOON) as subscriber:
            report = subscriber.drain(60)

    assert (report.held, report.pending) == (0, 0)
    assert effects(org) == effects(PLAIN[chained][0]) or state(org) == state(PLAIN[chained][0])
    assert state(org) == state(PLAIN[chained][0])


@pytest.mark.parametrize(
    ("status", "code"), [(404, "NOT_FOUND"), (403, "FUNCTIONALITY_NOT_ENABLED"), (405, "X")]
)
def test_an_org_without_such_calls(org: Org, url: str, status: int, code: str) -> None:
    """It is asked once, and then they go one by one."""
    org.faults.refuse(status, code, "no", path="/composite", times=99)
    with Journal(actor="ann", origin="van-7") as journal:
        day(journal, org)
        with Subscriber(journal, remote(url, batches="order"), backoff=SOON) as subscriber:
            report = subscriber.drain(60)

    assert (report.held, report.pending) == (0, 0)
    assert state(org) == state(PLAIN[day][0])
    assert sum("/composite" in request.path for request in org.requests) == 1


def test_the_limit_is_reached_slowly(org: Org, url: str) -> None:
    """Before the wall it is slowed down, at the wall it waits; no draft is held or doubled."""
    org.settings.calls_per_day = 400
    org.spend_calls(330)
    with Journal(actor="ann", origin="van-7") as journal:
        for number in range(60):
            journal.create("Account", {"Name": f"n{number}"})
        limited = remote(url, batches="order", limits={"pause_s": 0.01})
        with Subscriber(journal, limited, backoff=SOON) as subscriber:
            report = subscriber.drain(60)

    assert report.held == 0
    assert len(org.records("Account")) == report.acknowledged


# --- both flavours, and somebody else ----------------------------------------------------


def test_async_is_the_same(org: Org, url: str) -> None:
    """The same generator, awaited."""
    with Journal(actor="ann", origin="van-7") as journal:
        day(journal, org)

        async def drained() -> Report:
            whole = remote(url, batches="order")
            async with AsyncSubscriber(journal, whole, backoff=SOON) as subscriber:
                return await subscriber.drain(60)

        report = asyncio.run(drained())

    assert (report.held, report.pending) == (0, 0)
    assert state(org) == state(PLAIN[day][0])
    assert len(org.requests) == PLAIN[day][1]


@pytest.fixture
def before(org: Org, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done right before each request is heard, the first for the first."""
    done: list[Any] = []
    deliver = org._service.deliver

    def delivered(request: Sent) -> Delivery:
        if done:
            done.pop(0)()
        return deliver(request)

    monkeypatch.setattr(org._service, "deliver", delivered)
    return done


@pytest.mark.parametrize(("kind", "at"), list(product(("update", "delete"), range(1, 4))))
def test_somebody_comes_between_two_calls(
    org: Org, url: str, before: list[Any], kind: str, at: int
) -> None:
    """What was changed since a call has shown it is a conflict, and is not written over."""
    with Journal(actor="ann", origin="van-7") as journal:
        scene = Scene(journal, org, org._state._clock)  # type: ignore[arg-type]
        refs = [scene.known("Account", Name=f"n{n}", Phone="1") for n in range(30)]
        scene.clock.move(seconds=60)
        for ref in refs:
            journal.update(ref, {"Phone": "2"}) if kind == "update" else journal.delete(ref)

        def edits() -> None:
            scene.clock.move(seconds=60)
            org.update(refs[-1].id, {"Phone": "9"}, by="bob")
            scene.clock.move(seconds=60)

        before += [lambda: None] * at
        before.append(edits)
        with Subscriber(journal, remote(url, batches="order"), backoff=SOON) as subscriber:
            report = subscriber.drain(60)

        assert (report.acknowledged, report.held) == (29, 1)
        assert (org.get(refs[-1].id) or {})["Phone"] == "9"
        assert ended(journal, org).queue
