"""Which drafts go to an org in one call, and what each of them has become: no call is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.outcomes import Acknowledged, Unknown
from journal.remotes import Response, Salesforce
from journal.remotes.salesforce.group import MOST_BYTES, Group
from journal.remotes.salesforce.sights import Sights
from journal.sources import Sources
from tests.unit.test_org_together import (
    KEY,
    LATER,
    THEN,
    Hands,
    Script,
    creating,
    known,
    made,
    org_id,
    row,
    rows,
    says,
    serial,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.outcomes import Outcome
    from journal.remotes import Push, Request

GIVEN: Final = {"url": "https://acme.my.salesforce.com", "key": KEY, "batches": "order"}
DONE: Final = says(204)
ACCOUNT: Final = Ref("Account:a1")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7", sources=Sources(Hands())) as journal:
        yield journal


def sights_of(*accounts: dict[str, Any], **others: list[dict[str, Any]]) -> Sights:
    """Return what an org has shown: accounts, and records of other types."""
    sights = Sights()
    for name, found in {"Account": accounts, **others}.items():
        sights.add(name, KEY, says(*rows(*found)))
    return sights


def pushes_of(journal: Journal) -> list[Push]:
    """Return the pending drafts as they are sent."""
    ledger = Script(journal).session._ledger
    found = [ledger.push_of(draft) for draft in ledger.next_together(50)]
    return [push for push in found if push is not None]


def calling(sights: Sights | None = None, **settings: Any) -> Group:  # noqa: ANN401  any key
    """Return a call without drafts, to an org that has shown that."""
    remote = Salesforce.of({**GIVEN, **settings})
    return Group(remote._in_call, sights or Sights())


def joined(journal: Journal, sights: Sights | None = None, **settings: Any) -> Group:  # noqa: ANN401
    """Return the call with all pending drafts, each of which can go."""
    group = calling(sights, **settings)
    assert [group.join(push) for push in pushes_of(journal)] == [True] * len(pushes_of(journal))
    return group


def receipts(found: list[Outcome]) -> list[Acknowledged]:
    """Return the outcomes, all of which are receipts."""
    told = [each for each in found if isinstance(each, Acknowledged)]
    assert len(told) == len(found)
    return told


def makes(number: int) -> Response:
    """Return the answer to an insert."""
    return says(*made(number))


class TestRoom:
    """What a call can hold."""

    def test_a_query_for_each_type_is_left_room_for(self, journal: Journal) -> None:
        """25 requests are 24 drafts of one type, and the query for what they have become."""
        creating(journal, 26)
        group = calling()

        told = [group.join(push) for push in pushes_of(journal)]

        assert told == [*[True] * 24, False, False]

    @pytest.mark.parametrize("more", [0, 1])
    def test_so_many_bytes_and_not_one_more(self, journal: Journal, more: int) -> None:
        """The contents of a call may be as large as that, all together."""
        creating(journal, 1)
        frame = sum(len(each.body or b"") for each in joined(journal).requests) - len("n1")
        half = MOST_BYTES // 2
        for number, size in ((2, half - frame), (3, half - frame + more)):
            journal.create("Account", {"Name": "x" * size}, id=f"a{number}")
        _, *pushes = pushes_of(journal)
        group = calling()

        assert [group.join(push) for push in pushes] == [True, not more]


class TestWhoGoesAlone:
    """B2: what has to be settled first, of drafts whose records were read."""

    def test_a_change_that_may_be_applied(self, journal: Journal) -> None:
        """Though its record is as it expects it: that may be somebody else's doing."""
        [ref] = known(journal, 1)
        journal.update(ref, {"Name": "b"})
        [push] = pushes_of(journal)
        group = calling(sights_of(row(1, Name="n1")))

        assert not group.join(push._replace(is_maybe_applied=True))
        assert not group.join(push._replace(is_doubted=True))
        assert group.join(push)

    def test_a_create_that_nothing_tells_from_another(self, journal: Journal) -> None:
        """After a lost answer, its record could not be found again."""
        creating(journal, 1)
        [push] = pushes_of(journal)

        assert not calling(types={"Account": {"create": "post"}}).join(push)

    def test_a_record_that_is_created_again(self, journal: Journal) -> None:
        """The org is asked first what of it nobody may set (E4)."""
        creating(journal, 1)
        [push] = pushes_of(journal)
        gone = push.record._replace(remote=push.record.remote._replace(exists=False))

        assert not calling().join(push._replace(record=gone))

    @pytest.mark.parametrize(("shown", "goes"), [({"Phone": None}, True), ({}, False)])
    def test_a_row_without_one_of_the_fields(
        self,
        journal: Journal,
        shown: dict[str, Any],
        goes: bool,  # noqa: FBT001
    ) -> None:
        """It does not say whether somebody has changed that field; one that was empty does."""
        [ref] = known(journal, 1)
        journal.update(ref, {"Phone": "1"})
        [push] = pushes_of(journal)

        assert calling(sights_of(row(1, Name="n1", **shown))).join(push) is goes

    def test_a_row_with_just_the_fields(self, journal: Journal) -> None:
        """A row that shows all that is known of a record, and no more, is enough."""
        shown = row(1, Name="n1")
        own = {name: value for name, value in shown.items() if name != "attributes"}
        journal.observe(ACCOUNT, own, remote_id=org_id(1), remote_version=THEN)
        journal.update(ACCOUNT, {"Name": "b"})
        [push] = pushes_of(journal)
        sights = sights_of(shown)
        sights._rows = dict.fromkeys(sights._rows, own)

        assert calling(sights).join(push)

    def test_a_row_that_has_no_id_of_an_org(self, journal: Journal) -> None:
        """It shows no record."""
        journal.observe(ACCOUNT, {"Name": "n1"})
        journal.update(ACCOUNT, {"Name": "b"})
        [push] = pushes_of(journal)

        assert not calling(sights_of({**row(1, Name="n1"), "Id": "../1"})).join(push)
        assert calling(sights_of(row(1, Name="n1"))).join(push)

    def test_a_delete_of_what_the_call_refers_to(self, journal: Journal) -> None:
        """B6: an org deletes the children with their parent, and those drafts could not be told."""
        [ref] = known(journal, 1)
        journal.create("Contact", {"LastName": "Li", "AccountId": ref}, id="c1")
        journal.delete(ref)
        group = calling(sights_of(row(1, Name="n1")))

        assert [group.join(push) for push in pushes_of(journal)] == [True, False]

    def test_a_delete_behind_the_delete_of_its_child(self, journal: Journal) -> None:
        """B6: that both are gone is told by either."""
        [ref] = known(journal, 1)
        child = {"LastName": "Li", "AccountId": ref}
        journal.observe("Contact:c1", child, remote_id=org_id(9), remote_version=THEN)
        journal.delete("Contact:c1")
        journal.delete(ref)
        shown = {**row(9, LastName="Li", AccountId=org_id(1)), KEY: "c1"}

        joined(journal, sights_of(row(1, Name="n1"), Contact=[shown]))

    def test_a_change_made_before_a_receipt(self, journal: Journal) -> None:
        """What those before it in the call will have made of the record is no edit of others."""
        [ref] = known(journal, 1)
        journal.observe(ref, {"Phone": "0"}, partial=True)
        journal.update(ref, {"Phone": "1"})
        script = Script(journal, reads_back=False)

        def edit(request: Request) -> None:
            if request.method == "PATCH":
                for name in ("b", "c"):
                    journal.update(ref, {"Name": name})

        report = script.drain(
            says(200, row(1, Name="n1", Phone="0")),
            DONE,
            serial(rows(row(1, LATER, Name="n1", Phone="1"))),
            whole((204, None), (204, None)),
            at=edit,
        )

        assert (report.acknowledged, report.held) == (3, 0)


class TestNames:
    """B3: what stands in a call for what the call makes."""

    def test_a_record_in_a_path(self, journal: Journal) -> None:
        """The org finds the name of a result as it is written, and in no other letters."""
        creating(journal, 1)
        journal.update(ACCOUNT, {"Phone": "1"})

        group = joined(journal)

        assert group.requests[1].path == "/sobjects/Account/@{r0.id}"

    @pytest.mark.parametrize("types", [{}, {"Contact": {"fields": {"Boss": {"name": "BossId"}}}}])
    def test_a_parent_that_is_named_by_its_key(
        self, journal: Journal, types: dict[str, dict[str, Any]]
    ) -> None:
        """What is behind it finds the parent under the id that it gets, by whichever name."""
        field = "Boss" if types else "AccountId"
        account = journal.create("Account", {"Name": "n"})
        contact = journal.create("Contact", {"LastName": "Li", field: account}, id="c1")
        journal.update(contact, {field: None})
        said = {**types.get("Contact", {}), "parents": {field: f"Account.{KEY}"}}

        group = joined(journal, types={"Contact": said})

        assert b'"@{' not in (group.requests[1].body or b"")


class TestOutcomes:
    """What became of the drafts of a call that was carried out."""

    def test_what_others_have_changed(self, journal: Journal) -> None:
        """What was read right before shows it, where nothing is read behind."""
        journal.observe(ACCOUNT, {"Name": "n1", "Phone": "1"}, remote_id=org_id(1))
        journal.update(ACCOUNT, {"Name": "b"})
        group = joined(journal, sights_of(row(1, Name="n1", Phone="2")))

        [receipt] = receipts(group.outcomes([DONE], Sights()))

        assert receipt.fields == {"Name": "b", "Phone": "2"}

    def test_what_was_read_before_another_draft(self, journal: Journal) -> None:
        """It is told once: what stands there is not new to the one behind."""
        journal.observe(ACCOUNT, {"Name": "n1", "Phone": "1"}, remote_id=org_id(1))
        journal.update(ACCOUNT, {"Name": "b"})
        journal.update(ACCOUNT, {"Name": "c"})
        group = joined(journal, sights_of(row(1, Name="n1", Phone="2")))

        told = receipts(group.outcomes([DONE, DONE], Sights()))

        assert [receipt.fields for receipt in told] == [{"Name": "b", "Phone": "2"}, None]

    def test_a_chain_that_has_become_what_it_says(self, journal: Journal) -> None:
        """What those before it have written is no news in the receipt of the last."""
        journal.observe(ACCOUNT, {"Name": "n1", "Fax": "0"}, remote_id=org_id(1))
        for fields in ({"Name": "b"}, {"Phone": "1"}, {"Mail": "m"}):
            journal.update(ACCOUNT, fields)
        before = row(1, Name="n1", Fax="0", Phone=None, Mail=None)
        group = joined(journal, sights_of(before))

        after = {**before, "Name": "b", "Phone": "1", "Mail": "m"}
        told = receipts(group.outcomes([DONE] * 3, sights_of(after)))

        assert [receipt.fields for receipt in told] == [None] * 3

    def test_a_chain_of_which_others_have_changed_something(self, journal: Journal) -> None:
        """The last receipt tells it, also of a field that only one before it has set."""
        journal.observe(ACCOUNT, {"Name": "n1", "Fax": "0"}, remote_id=org_id(1))
        for fields in ({"Name": "b"}, {"Phone": "1"}, {"Mail": "m"}):
            journal.update(ACCOUNT, fields)
        before = row(1, Name="n1", Fax="0", Phone=None, Mail=None)
        group = joined(journal, sights_of(before))

        now = {"Name": "B", "Fax": "9", "Phone": "1", "Mail": "m"}
        told = receipts(group.outcomes([DONE] * 3, sights_of({**before, **now})))

        assert [receipt.fields for receipt in told] == [None, None, now]

    def test_a_parent_that_the_call_has_made(self, journal: Journal) -> None:
        """What is read back names it by its new id, which is known here, whatever came between."""
        creating(journal)
        journal.create("Contact", {"LastName": "Li", "AccountId": ACCOUNT}, id="c1")
        group = joined(journal)

        child = {**row(9, LATER, LastName="LI", AccountId=org_id(1)), KEY: "c1"}
        sights = sights_of(row(1, Name="n1"), row(2, Name="n2"), Contact=[child])
        *_, told = receipts(group.outcomes([makes(1), makes(2), makes(9)], sights))

        assert told.fields == {"LastName": "LI", "AccountId": ACCOUNT}

    def test_one_for_each_draft(self, journal: Journal) -> None:
        """Behind an answer that cannot be read nothing is known of any, and of no other draft."""
        creating(journal, 3)
        group = joined(journal)

        told = group.outcomes([makes(1), says(200), makes(3)], Sights())

        assert [type(each) for each in told] == [Acknowledged, Unknown, Unknown]

    def test_a_delete_shows_no_record(self, journal: Journal) -> None:
        """Whatever a late answer lists."""
        [ref] = known(journal, 1)
        journal.delete(ref)
        group = joined(journal, sights_of(row(1, Name="n1")))

        [receipt] = receipts(group.outcomes([DONE], sights_of(row(1, LATER, Name="theirs"))))

        assert (receipt.fields, receipt.remote_version) == (None, None)

    def test_a_record_without_our_key(self, journal: Journal) -> None:
        """What it has become is found by its id."""
        [ref] = known(journal, 1)
        journal.update(ref, {"Name": "b"})
        group = joined(journal, sights_of({**row(1, Name="n1"), KEY: None}))

        after = {**row(1, LATER, Name="B"), KEY: None}
        [receipt] = receipts(group.outcomes([DONE], sights_of(after)))

        assert (receipt.fields, receipt.remote_version) == ({"Name": "B"}, LATER)

    @pytest.mark.parametrize("kind", ["update", "delete"])
    def test_a_record_whose_id_only_a_read_has_shown(self, journal: Journal, kind: str) -> None:
        """The answer to a write by that id is a receipt, though it is empty."""
        journal.observe(ACCOUNT, {"Name": "n1"})
        if kind == "update":
            journal.update(ACCOUNT, {"Name": "b"})
        else:
            journal.delete(ACCOUNT)
        group = joined(journal, sights_of(row(1, Name="n1")))

        [receipt] = receipts(group.outcomes([DONE], Sights()))

        assert receipt.remote_id == org_id(1)
