"""Changes of one batch go to an org as one transaction: all of them are applied, or none."""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal
from journal.policies import Policies
from journal.testing.salesforce import ValidationRule
from projections import Drafts
from tests.integration.salesforce.hands import Hands
from tests.integration.salesforce.sending import SOON, primed, remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal import Ref
    from journal.drafts import Draft
    from journal.sync import Report
    from journal.testing.salesforce import Org
    from tests.integration.driving import Driven, Flavour

ZERO: Final = "no zero"
COUNT: Final = 5


class Ticking(Hands):
    """A clock that moves on whenever it is read, so that no two writes are in one second."""

    def __call__(self) -> Any:  # noqa: ANN401  as its base
        """Tell the time, a second later each time."""
        self.move(seconds=1)
        return super().__call__()


@pytest.fixture
def clock() -> Hands:
    """A clock that moves on."""
    return Ticking()


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal in memory."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


class Sender:
    """Sends to the org by subscribers of one flavour."""

    def __init__(self, flavour: Flavour, org: Org, url: str) -> None:
        """Send to that org."""
        self._flavour = flavour
        self.org = org
        self._url = url

    def new(self, journal: Journal, **settings: Any) -> Driven:  # noqa: ANN401  of the org
        """Return a subscriber that knows nothing of those before it."""
        attempts = settings.pop("attempts", 12)
        org = remote(self._url, **{"batches": "whole", **settings})
        conflicts = Policies(default="hold")
        return self._flavour(journal, org, backoff=SOON, conflicts=conflicts, attempts=attempts)

    def drain(self, journal: Journal, **settings: Any) -> Report:  # noqa: ANN401  of the org
        """Send all drafts, by a subscriber of its own."""
        with closing(self.new(journal, **settings)) as subscriber:
            return subscriber.drain(60)


@pytest.fixture
def sender(flavour: Flavour, org: Org, url: str) -> Sender:
    """What sends to the org."""
    return Sender(flavour, org, url)


def batch(journal: Journal, org: Org, bad: int | None = None) -> list[Ref]:
    """Make five changes of four records, in one batch; return the records.

    Args:
        journal: that keeps them.
        org: that has two of the records.
        bad: which of the changes `forbid` lets the org refuse.
    """
    phones = ["0" if at == bad else good for at, good in enumerate("1-2-3")]
    known = primed(journal, org, {"Name": "Known", "Phone": "1"})
    old = primed(journal, org, {"Name": "Old", "Phone": "1"})
    with journal.batch():
        new = journal.create("Account", {"Name": "Acme", "Phone": phones[0]})
        title = "0" if bad == 1 else "Ms"
        contact = journal.create("Contact", {"LastName": "Li", "AccountId": new, "Title": title})
        journal.update(known, {"Phone": phones[2]}, reason="they moved")
        journal.delete(old)
        journal.update(new, {"Phone": phones[4]})
    return [new, contact, known, old]


def forbid(org: Org, bad: int) -> None:
    """Let the org refuse one of the changes of the batch."""
    names = {1: ("Contact", "Title"), 3: ("Account", "Name")}
    sobject, field = names.get(bad, ("Account", "Phone"))
    value = "Old" if bad == 3 else "0"
    rule = ValidationRule(sobject, lambda row: row[field] == value, ZERO, field)
    org.rules.validation.append(rule)


def pending(journal: Journal) -> list[Draft]:
    """Return the drafts that are pending."""
    return [found.draft for found in Drafts(journal).pending()]


def told(journal: Journal) -> list[tuple[str, str, str]]:
    """Return of each pending draft what it is, where it stands, and what is said of it."""
    return [
        (f"{d.kind} {d.ref.type}", d.state, "" if d.hold is None else d.hold.messages[0].message)
        for d in pending(journal)
    ]


def calls(org: Org) -> list[int]:
    """Return how many records each request of the sender has written."""
    wrote = [effect.request for effect in org.effects if effect.request]
    return [wrote.count(n) for n in dict.fromkeys(wrote)]


def is_applied(org: Org) -> bool:
    """Say whether the batch is applied; it is so whole, or not at all, and never twice."""
    rows = {row["Name"]: row["Phone"] for row in org.records("Account")}
    titles = [row["Title"] for row in org.records("Contact")]
    after = {"Known": "2", "Acme": "3"}
    assert (rows, titles) in (({"Known": "1", "Old": "1"}, []), (after, ["Ms"]))
    assert len(org.records("Account")) == 2
    return rows == after


@contextmanager
def edited_before(org: Org, edit: Callable[[], object]) -> Iterator[None]:
    """Let somebody do something right before the first call that is a transaction."""
    process, edits = org._service._process, [edit]

    def processed(sent: Any, n: int) -> Any:  # noqa: ANN401  passed on
        if sent.path.endswith("/composite") and edits:
            edits.pop()()
        return process(sent, n)

    org._service._process = processed  # type: ignore[method-assign]
    try:
        yield
    finally:
        org._service._process = process  # type: ignore[method-assign]


class TestWhole:
    """What is applied together."""

    def test_one_request(self, journal: Journal, sender: Sender) -> None:
        """All changes of a batch are applied by one request."""
        refs = batch(journal, sender.org)

        report = sender.drain(journal)

        assert (report.acknowledged, report.pending) == (COUNT, 0)
        assert is_applied(sender.org)
        assert calls(sender.org) == [6]  # the delete is told of first
        paths = [request.path for request in sender.org.requests if "token" not in request.path]
        assert [path.rpartition("/")[2] for path in paths] == ["batch", "composite"]
        (account,) = [r for r in sender.org.records("Account") if r["Name"] == "Acme"]
        (contact,) = sender.org.records("Contact")
        assert contact["AccountId"] == account["Id"]
        assert journal.kept(refs[0]).remote.remote_id == account["Id"]
        assert journal.load(refs[1]).remote.fields["AccountId"] == refs[0]

    def test_those_made_apart_go_as_ever(self, journal: Journal, sender: Sender) -> None:
        """What was made alone goes with others of its kind, and with nothing of a batch."""
        journal.create("Account", {"Name": "first"})
        journal.create("Account", {"Name": "second"})
        batch(journal, sender.org)
        journal.create("Account", {"Name": "last"})

        report = sender.drain(journal)

        assert (report.acknowledged, report.pending) == (COUNT + 3, 0)
        assert calls(sender.org) == [2, 6, 1]

    def test_in_order_each_by_itself(self, journal: Journal, sender: Sender) -> None:
        """Where only the order is kept, a part of a batch may be applied."""
        batch(journal, sender.org, 1)
        forbid(sender.org, 1)

        report = sender.drain(journal, batches="order")

        assert (report.acknowledged, report.held) == (COUNT - 1, 1)

    @pytest.mark.parametrize("count", [25, 26])
    def test_as_many_as_a_call_holds(self, journal: Journal, sender: Sender, count: int) -> None:
        """A batch of 25 requests goes in one call, with its records read in another."""
        with journal.batch():
            for number in range(count):
                journal.create("Account", {"Name": f"n{number}"})

        report = sender.drain(journal)

        if count == 25:
            assert (report.acknowledged, calls(sender.org)) == (25, [25])
            return
        assert (report.held, report.acknowledged, sender.org.effects) == (1, 0, [])
        first, *others = told(journal)
        assert first[1] == "held"
        assert "a call holds no more than 25 requests, and they need 26" in first[2]
        assert 'set batches = "order"' in first[2]
        assert {state for _, state, _ in others} == {"pending"}
        journal.retry(pending(journal)[0].draft_id)
        assert sender.drain(journal, batches="order").acknowledged == 26

    def test_a_text_like_the_name_of_a_result(self, journal: Journal, sender: Sender) -> None:
        """What the org would read as the name of a result is not sent."""
        with journal.batch():
            journal.create("Account", {"Name": "a"})
            journal.create("Account", {"Name": "@{r0.id}"})

        sender.drain(journal)

        assert [(state, "would" in said) for _, state, said in told(journal)] == [
            ("pending", False),
            ("held", False),
        ]
        assert "'@{'" in told(journal)[1][2]
        assert sender.org.effects == []


class TestRefused:
    """What the org refuses."""

    @pytest.mark.parametrize("bad", range(COUNT))
    def test_at_each_position(self, journal: Journal, sender: Sender, bad: int) -> None:
        """Nothing is applied; that one is held; it goes with all others once it is amended."""
        batch(journal, sender.org, bad)
        forbid(sender.org, bad)
        journal.create("Account", {"Name": "apart"})
        before = len(sender.org.records("Account"))

        report = sender.drain(journal)

        assert (report.acknowledged, report.held, report.pending) == (1, 1, COUNT)
        assert calls(sender.org) == [1]  # that which is apart
        assert len(sender.org.records("Account")) == before + 1
        states = ["held" if at == bad else "pending" for at in range(COUNT)]
        assert [draft.state for draft in pending(journal)] == states
        held = pending(journal)[bad]
        assert held.hold is not None
        assert held.hold.classification == "rejected"
        assert held.hold.messages[0].message == ZERO
        assert held.hold.messages[-1].message == "4 other changes of the same batch wait with it"
        sender.org.rules.validation.clear()
        if bad == 3:
            journal.retry(held.draft_id)
        else:
            journal.amend(held.draft_id, {"Title" if bad == 1 else "Phone": "ok"})
        assert sender.drain(journal).acknowledged == COUNT
        assert calls(sender.org) == [1, 6]

    def test_a_delete_that_is_denied(self, journal: Journal, sender: Sender) -> None:
        """What is written before a delete goes with the delete, or not at all."""
        sender.org.rules.denied.add(("Account", "delete"))
        batch(journal, sender.org)

        sender.drain(journal)

        assert [state for _, state, _ in told(journal)].index("held") == 3
        assert not is_applied(sender.org)

    def test_without_it(self, journal: Journal, sender: Sender) -> None:
        """Once it is discarded, the others go in one request; what is held stops nothing else."""
        batch(journal, sender.org, 2)
        forbid(sender.org, 2)
        sender.drain(journal)

        journal.discard(pending(journal)[2].draft_id)

        assert sender.drain(journal).acknowledged == COUNT - 1
        assert calls(sender.org) == [5]

    def test_the_others_can_be_changed(self, journal: Journal, sender: Sender) -> None:
        """Those that wait were not sent: they can be amended and discarded."""
        batch(journal, sender.org, 2)
        forbid(sender.org, 2)
        sender.drain(journal)
        first, second, third, *_ = pending(journal)

        journal.amend(first.draft_id, {"Phone": "5"})
        journal.discard(second.draft_id)
        journal.amend(third.draft_id, {"Phone": "2"})

        assert sender.drain(journal).acknowledged == COUNT - 1
        assert sender.org.records("Contact") == []

    def test_its_records_wait(self, journal: Journal, sender: Sender) -> None:
        """What is made later of a record of the batch waits; what is not, passes."""
        refs = batch(journal, sender.org, 3)
        forbid(sender.org, 3)
        journal.update(refs[2], {"Phone": "9"})
        journal.create("Contact", {"LastName": "Ko", "AccountId": refs[0]})

        report = sender.drain(journal)

        assert (report.acknowledged, report.pending) == (0, COUNT + 2)
        sender.org.rules.validation.clear()
        journal.retry(pending(journal)[3].draft_id)
        assert sender.drain(journal).acknowledged == COUNT + 2

    def test_a_lock(self, journal: Journal, sender: Sender) -> None:
        """Where a record is locked, the batch is sent again, whole, after the wait."""
        refs = batch(journal, sender.org)
        sender.org.lock(journal.kept(refs[2]).remote.remote_id or "", tries=3)

        report = sender.drain(journal)

        assert (report.acknowledged, report.held) == (COUNT, 0)
        assert is_applied(sender.org)
        assert calls(sender.org) == [6]

    def test_an_edit_of_somebody_else(self, journal: Journal, sender: Sender) -> None:
        """A conflict holds the batch; resolved, all of it goes."""
        refs = batch(journal, sender.org)
        sender.org.update(journal.kept(refs[2]).remote.remote_id or "", {"Phone": "7"})

        sender.drain(journal)

        held = [draft for draft in pending(journal) if draft.state == "held"]
        assert [d.hold and d.hold.classification for d in held] == ["conflict"]
        assert calls(sender.org) == []
        journal.resolve(held[0].draft_id, "ours")
        assert sender.drain(journal).acknowledged == COUNT
        assert is_applied(sender.org)

    def test_an_edit_in_between(self, journal: Journal, sender: Sender) -> None:
        """An edit between the read and the call is found by the condition, and nothing is done."""
        refs = batch(journal, sender.org)
        known = journal.kept(refs[2]).remote.remote_id or ""
        with edited_before(sender.org, lambda: sender.org.update(known, {"Phone": "7"})):
            sender.drain(journal)

        (held,) = [draft for draft in pending(journal) if draft.state == "held"]
        assert held.hold is not None
        assert (held.hold.classification, held.kind) == ("conflict", "update")
        assert calls(sender.org) == []

    def test_a_record_that_is_gone(self, journal: Journal, sender: Sender) -> None:
        """A record that somebody else has deleted holds the batch as gone."""
        refs = batch(journal, sender.org)
        sender.org.delete(journal.kept(refs[2]).remote.remote_id or "")

        sender.drain(journal)

        (held,) = [draft for draft in pending(journal) if draft.state == "held"]
        assert held.hold is not None
        assert (held.hold.classification, calls(sender.org)) == ("gone", [])
        journal.resolve(held.draft_id, "theirs")
        assert sender.drain(journal).acknowledged == COUNT - 1
        assert calls(sender.org) == [5]

    def test_what_is_deleted_already(self, journal: Journal, sender: Sender) -> None:
        """A delete of what is gone is done; the others go in one request."""
        refs = batch(journal, sender.org)
        sender.org.delete(journal.kept(refs[3]).remote.remote_id or "")

        assert sender.drain(journal).acknowledged == COUNT
        assert calls(sender.org) == [4]


FAULTS: Final = ("drop_before", "drop_after", "delay", "duplicate", "truncate", "503", "503 after")


def spoil(org: Org, fault: str, skip: int) -> None:
    """Let something go wrong with a request."""
    if fault.startswith("503"):
        org.faults.status(503, after=fault.endswith("after"), skip=skip)
    else:
        getattr(org.faults, fault)(skip=skip)


class TestDoubt:
    """Answers that are lost, and senders that are killed."""

    @pytest.mark.parametrize(("fault", "at"), list(product(FAULTS, range(3))))
    def test_at_each_request(self, journal: Journal, sender: Sender, fault: str, at: int) -> None:
        """Whatever goes wrong with a request, the batch is applied once, and never by half."""
        batch(journal, sender.org)
        spoil(sender.org, fault, at)

        report = sender.drain(journal)
        sender.org.faults.deliver()

        assert (report.acknowledged, report.held) == (COUNT, 0)
        assert is_applied(sender.org)
        assert calls(sender.org) == [6]

    @pytest.mark.parametrize(("fault", "at"), list(product(FAULTS, range(3))))
    def test_a_sender_that_is_gone(
        self, journal: Journal, sender: Sender, fault: str, at: int
    ) -> None:
        """Who comes after a sender that was killed knows as much as the log, and does no harm."""
        batch(journal, sender.org)
        spoil(sender.org, fault, at)

        for _ in range(4):
            sender.drain(journal, attempts=1)
            is_applied(sender.org)
        sender.org.faults.deliver()

        assert (pending(journal), is_applied(sender.org)) == ([], True)
        assert calls(sender.org) == [6]
