"""Conflicts: what the policies make of them, field by field."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.conflicts import (
    Conflict,
    Resolved,
    Unresolved,
    as_a_whole,
    chosen,
    event_of,
    shown,
)
from journal.errors import PolicyError
from journal.events import ConflictResolved, FieldMessage, Resolution
from journal.policies import NAMES, Policies, decided
from journal.values import Ref, same
from tests import strategies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.conflicts import PolicyName
    from journal.events import ChangeKind, Side
    from journal.policies import Decision, Policy
    from journal.values import Fields

ACME = Ref("Account:1")
MERGE = Policies()
GONE = FieldMessage(message="the remote no longer has the record")
TAKEN = FieldMessage(message="the remote has another record under our key")


def conflict(
    base: Fields, ours: Fields, remote: Fields | None, kind: ChangeKind = "update"
) -> Conflict:
    """Return a conflict; the whole record is the base with our values over it."""
    return Conflict(ACME, "d-1", kind, base, ours, remote, {**base, **ours})


def sides(verdict: object) -> dict[str, tuple[str, str]]:
    """Return the side and the rule of each field."""
    assert isinstance(verdict, Resolved)
    return {each.field: (each.side, each.rule) for each in verdict.resolutions}


def each(side: Side, *names: str) -> tuple[Resolution, ...]:
    """Return that the default policy takes this side for each of these fields."""
    return tuple(Resolution(field=name, side=side, rule=f"{side} (by default)") for name in names)


def words(verdict: object) -> dict[str, str]:
    """Return the messages of what is not resolved."""
    assert isinstance(verdict, Unresolved)
    return {message.field: message.message for message in verdict.messages}


class TestUpdate:
    """An update of a record that somebody else has changed."""

    def test_disjoint_fields_merge(self) -> None:
        """C1: what only one side has changed is kept on both."""
        found = conflict({"Phone": "1"}, {"Phone": "2"}, {"Phone": "1", "Name": "theirs"})

        assert decided(found, MERGE) == Resolved(
            "update",
            {"Phone": "2"},
            (Resolution(field="Phone", side="ours", rule="changed here only"),),
            "sent again: Phone",
        )

    def test_the_same_on_both_sides_is_no_conflict(self) -> None:
        """C1: a field that has our value already is not sent, and nothing may be left to send."""
        found = conflict({"Phone": "1"}, {"Phone": "2"}, {"Phone": "2"})

        assert decided(found, MERGE) == Resolved(
            None,
            {},
            (Resolution(field="Phone", side="theirs", rule="the same on both sides"),),
            "nothing of it is left to send",
        )

    def test_the_same_field_is_held(self) -> None:
        """C2: a field that both have changed is told with what it was, and became on each side."""
        found = conflict({"Phone": "1", "Size": 1}, {"Phone": "2", "Size": 2}, {"Phone": "3"})

        assert words(decided(found, MERGE)) == {
            "Phone": 'here it became "2", at the remote "3"; it was "1"',
            "Size": "here it became 2, at the remote nothing; it was 1",
        }

    @pytest.mark.parametrize(
        ("name", "kind", "fields"),
        [("ours", "update", {"Phone": "2", "Fax": "9"}), ("theirs", "update", {"Fax": "9"})],
    )
    def test_a_side_decides_what_is_disputed(
        self, name: PolicyName, kind: str, fields: Fields
    ) -> None:
        """A side is taken for what is disputed, and for nothing else."""
        found = conflict(
            {"Phone": "1", "Fax": "8"}, {"Phone": "2", "Fax": "9"}, {"Phone": "3", "Fax": "8"}
        )

        verdict = decided(found, Policies(default=name))

        assert isinstance(verdict, Resolved)
        assert (verdict.kind, verdict.fields) == (kind, fields)
        assert sides(verdict) == {
            "Phone": (name, f"{name} (by default)"),
            "Fax": ("ours", "changed here only"),
        }

    def test_hold_holds_what_would_merge(self) -> None:
        """The policy to hold asks a person, whether anything is disputed or not."""
        found = conflict({"Phone": "1"}, {"Phone": "2"}, {"Phone": "1", "Name": "theirs"})

        assert words(decided(found, Policies({"Account": "hold"}))) == {
            "": "the remote has changed the record, and the policy is to hold"
        }

    def test_a_field_goes_before_its_type(self) -> None:
        """A policy is looked up by field, then by type, then there is the default."""
        policies = Policies({"Account": "theirs", "Account.Phone": "ours"}, default="hold")
        found = conflict(
            {"Phone": "1", "Fax": "1"}, {"Phone": "2", "Fax": "2"}, {"Phone": "3", "Fax": "3"}
        )

        assert sides(decided(found, policies)) == {
            "Phone": ("ours", "ours (for Account.Phone)"),
            "Fax": ("theirs", "theirs (for Account)"),
        }
        assert isinstance(decided(found._replace(ref=Ref("Visit:1")), policies), Unresolved)

    def test_values_are_chosen_for_any_field(self) -> None:
        """A value is ours, theirs or another one; it need not be of a disputed field."""
        found = conflict({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 1})

        rule = "a person's value"
        verdict = chosen(found, {}, {"a": (3, rule), "b": (2, rule), "c": (4, rule)})

        assert sides(verdict) == {"a": ("theirs", rule), "b": ("ours", rule), "c": ("value", rule)}
        assert isinstance(verdict, Resolved)
        assert verdict.fields == {"b": 2, "c": 4}
        assert verdict.reason == "sent again: b, c"

    def test_only_what_is_open_is_asked_for(self) -> None:
        """A field that was given a value is not told as open, where another one is."""
        found = conflict({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 3})

        assert set(words(chosen(found, {}, {"a": (5, "a person's value")}))) == {"b"}

    def test_a_side_is_its_own_rule(self) -> None:
        """Where nothing else is said, the rule by which a side was taken is its name."""
        found = conflict({"a": 1}, {"a": 2}, {"a": 3})

        assert sides(as_a_whole(found, "ours")) == {"a": ("ours", "ours")}

    def test_a_reason_is_no_longer_than_it_may_be(self) -> None:
        """However many fields are sent again, the reason is one that can be stored."""
        ours = {f"field_{n}": 1 for n in range(999)}

        verdict = decided(conflict({}, ours, {}), MERGE)

        assert isinstance(verdict, Resolved)
        assert len(verdict.reason) == 1000


class TestCreate:
    """A create of a record that the remote has already."""

    FOUND = conflict({}, {"Name": "ours", "Size": 1}, {"Name": "theirs", "City": "Bern"}, "create")

    @pytest.mark.parametrize("name", ["merge", "hold"])
    def test_two_records_are_never_merged(self, name: PolicyName) -> None:
        """Whether it is the same record, only a person can say."""
        assert words(decided(self.FOUND, Policies(default=name))) == {
            "Name": 'here it is "ours", at the remote "theirs"',
            "": TAKEN.message,
        }

    def test_ours_is_an_update(self) -> None:
        """For ours, what differs is sent as an update."""
        verdict = decided(self.FOUND, Policies({"Account": "ours"}))

        assert isinstance(verdict, Resolved)
        assert (verdict.kind, verdict.fields) == ("update", {"Name": "ours", "Size": 1})
        assert sides(verdict)["Name"] == ("ours", "ours (for Account)")

    def test_theirs_ends_it(self) -> None:
        """For theirs, nothing of it is sent."""
        assert decided(self.FOUND, Policies(default="theirs")) == Resolved(
            None, {}, each("theirs", "Name", "Size"), "the record that the remote has is kept"
        )


class TestGone:
    """A change of a record that the remote no longer has."""

    FOUND = conflict({"Name": "a", "Phone": "1"}, {"Phone": "2"}, None)

    @pytest.mark.parametrize("name", ["merge", "hold"])
    def test_is_held(self, name: PolicyName) -> None:
        """Whether to create it again, only a person can say."""
        assert decided(self.FOUND, Policies(default=name)) == Unresolved((GONE,))

    def test_ours_creates_it_again(self) -> None:
        """For ours, the record is created again with all of its fields."""
        assert decided(self.FOUND, Policies(default="ours")) == Resolved(
            "create",
            {"Name": "a", "Phone": "2"},
            each("ours", "Name", "Phone"),
            "the record is created again",
        )

    def test_theirs_ends_it(self) -> None:
        """For theirs, nothing of it is sent."""
        assert decided(self.FOUND, Policies(default="theirs")) == Resolved(
            None, {}, each("theirs", "Phone"), "the remote no longer has the record"
        )

    @pytest.mark.parametrize("name", NAMES)
    def test_a_delete_has_nothing_left_to_do(self, name: PolicyName) -> None:
        """What is to be deleted and is gone has ended, whatever the policy."""
        found = conflict({"Name": "a"}, {}, None, "delete")

        assert decided(found, Policies(default=name)) == Resolved(
            None,
            {},
            (Resolution(field="Name", side="theirs", rule=f"{name} (by default)"),),
            "the remote no longer has the record",
        )


class TestDelete:
    """A delete of a record that somebody else has changed."""

    FOUND = conflict({"Name": "a", "Size": 1}, {}, {"Name": "b", "Size": 1}, "delete")

    @pytest.mark.parametrize("name", ["merge", "hold"])
    def test_is_held(self, name: PolicyName) -> None:
        """What was changed is told."""
        assert words(decided(self.FOUND, Policies(default=name))) == {
            "Name": 'at the remote "b"; it was "a"',
            "": "it was deleted here, and changed at the remote",
        }

    def test_ours_deletes_the_new_version(self) -> None:
        """For ours, it is deleted as it is now."""
        assert decided(self.FOUND, Policies(default="ours")) == Resolved(
            "delete", {}, each("ours", "Name", "Size"), "what was changed is deleted"
        )

    def test_theirs_keeps_it(self) -> None:
        """For theirs, the delete has ended."""
        assert decided(self.FOUND, Policies(default="theirs")) == Resolved(
            None, {}, each("theirs", "Name", "Size"), "what was changed is kept"
        )

    def test_merge_deletes_what_is_the_same(self) -> None:
        """Where only the version is another one, there is nothing to be asked."""
        verdict = decided(self.FOUND._replace(remote={"Name": "a", "Size": 1}), MERGE)

        assert isinstance(verdict, Resolved)
        assert (verdict.kind, verdict.reason) == ("delete", "no field was changed")


def broken(_: Conflict) -> Decision:
    """Fail, as a policy of a host may."""
    raise ZeroDivisionError("by nothing")


class _Larger:
    """A policy that is an object."""

    def __call__(self, _: Conflict) -> Decision:
        """Choose theirs."""
        return "theirs"


class TestFunctions:
    """Policies that are functions."""

    FOUND = conflict({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 3})

    def test_gives_values(self) -> None:
        """A function sees the conflict, and gives the values that disputed fields are to have."""

        def larger(found: Conflict) -> Decision:
            theirs = found.theirs or {}
            return {name: max(found.ours[name], theirs[name]) for name in found.disputed}

        verdict = decided(self.FOUND, Policies({"Account": larger}))

        assert sides(verdict) == {
            "a": ("theirs", "larger (for Account)"),
            "b": ("theirs", "larger (for Account)"),
        }

    def test_names_a_policy(self) -> None:
        """A function may name a policy, by field."""
        policies = Policies({"Account.a": lambda _: "ours", "Account.b": lambda _: {"b": 9}})

        verdict = decided(self.FOUND, policies)

        assert isinstance(verdict, Resolved)
        assert verdict.fields == {"a": 2, "b": 9}

    @pytest.mark.parametrize(
        ("policy", "said"),
        [
            (broken, "the policy broken failed: ZeroDivisionError: by nothing"),
            (lambda _: 7, "returned a int, and neither a policy's name nor values"),
            (lambda _: "mine", "returned a str, and neither"),
            (lambda _: {"a": float("nan")}, "gave what cannot be stored"),
            (lambda _: {"a": 1}, "<lambda> (by default) gave no value for b"),
        ],
    )
    def test_nonsense_is_held_in_words(self, policy: Policy, said: str) -> None:
        """C3: whatever a function does, the draft is held, and says why."""
        assert said in words(decided(self.FOUND, Policies(default=policy)))[""]

    def test_a_long_failure_is_shortened(self) -> None:
        """C3: however much a function has to say, the draft is held with what a message takes."""

        def wordy(_: Conflict) -> Decision:
            raise ValueError("x" * 9999)

        assert len(words(decided(self.FOUND, Policies(default=wordy)))[""]) == 1000

    def test_changes_nothing(self) -> None:
        """What a function does to what it is handed changes nothing."""
        seen: list[Conflict] = []

        def wild(found: Conflict) -> Decision:
            seen.append(deepcopy(found))
            for fields in (found.base, found.ours, found.remote or {}, found.whole):
                fields.clear()
            return "hold"

        before = deepcopy(self.FOUND)
        decided(self.FOUND, Policies(default=wild))

        assert before == self.FOUND
        assert seen == [self.FOUND]

    def test_is_asked_once(self) -> None:
        """A function that decides several fields of a conflict is asked once, for all of them."""
        asked: list[tuple[str, ...]] = []

        def larger(found: Conflict) -> Decision:
            asked.append(found.disputed)
            return "theirs"

        decided(self.FOUND, Policies(default=larger))

        assert asked == [("a", "b")]

    def test_each_field_says_which_one_decided_it(self) -> None:
        """Where several functions give values, each is told for the fields that it decided."""

        def least(_: Conflict) -> Decision:
            return {"a": 0}

        def most(_: Conflict) -> Decision:
            return {"b": 9}

        policies = Policies({"Account.a": least, "Account.b": most})

        assert sides(decided(self.FOUND, policies)) == {
            "a": ("value", "least (for Account.a)"),
            "b": ("value", "most (for Account.b)"),
        }

    def test_is_named_by_its_type_where_it_has_no_name(self) -> None:
        """An object that can be called is named by its type, shortened to what is shown."""
        policies = Policies(default=_Larger())

        assert set(sides(decided(self.FOUND, policies)).values()) == {
            ("theirs", "_Larger (by default)")
        }

    def test_what_cannot_be_stored_names_the_record(self) -> None:
        """What a function gave that cannot be stored is told with the record it was given for."""
        verdict = decided(self.FOUND, Policies(default=lambda _: {"a": float("nan")}))

        assert "Account:1" in words(verdict)[""]

    def test_decides_as_a_whole(self) -> None:
        """A create is decided by its type's function, with values for it where it gives some."""
        found = conflict({}, {"a": 1}, {"a": 2, "b": 3}, "create")

        verdict = decided(found, Policies({"Account": lambda _: {"a": 5}}))

        assert isinstance(verdict, Resolved)
        assert (verdict.kind, verdict.fields) == ("update", {"a": 5})
        assert sides(verdict) == {"a": ("value", "<lambda> (for Account)")}

    def test_a_field_without_a_value_is_asked_for(self) -> None:
        """A create whose function gives a value for another field leaves the disputed one open."""
        found = conflict({}, {"a": 1}, {"a": 2, "b": 3}, "create")

        verdict = decided(found, Policies(default=lambda _: {"b": 5}))

        assert words(verdict) == {"a": "here it is 1, at the remote 2"}

    @pytest.mark.parametrize(
        ("found", "what"),
        [(TestDelete.FOUND, "a delete"), (TestGone.FOUND, "a record that is gone")],
    )
    def test_values_are_for_fields_only(self, found: Conflict, what: str) -> None:
        """C3: values for what has no fields are no decision."""
        verdict = decided(found, Policies(default=lambda _: {"a": 1}))

        assert words(verdict)[""].endswith(f"gave values, and {what} takes none")

    def test_failure_on_a_whole_is_held(self) -> None:
        """C3: a function that fails on a delete holds it."""
        assert "failed" in words(decided(TestDelete.FOUND, Policies(default=broken)))[""]


class TestPolicies:
    """The choice of policies."""

    def test_from_a_table(self) -> None:
        """A table names policies by type, by field, and by default."""
        found = Policies.of({"default": "theirs", "Account": "ours", "Visit": {"Status": "hold"}})

        assert found.of_type("Account") == ("Account", "ours")
        assert found.of_field("Account", "Phone") == ("Account", "ours")
        assert found.of_field("Visit", "Status") == ("Visit.Status", "hold")
        assert found.of_type("Visit") == ("default", "theirs")
        assert repr(found) == (
            "Policies({'Account': 'ours', 'Visit.Status': 'hold'}, default='theirs')"
        )

    def test_a_table_without_a_default_merges(self) -> None:
        """What no policy is named for is merged."""
        assert Policies.of({"Account": "ours"}).of_type("Visit") == ("default", "merge")

    @pytest.mark.parametrize("content", [{"Account": "mine"}, {"default": 1}, {"A": {"b": []}}])
    def test_unknown_names_are_refused(self, content: Mapping[str, object]) -> None:
        """A table names policies that there are; the error names the key."""
        with pytest.raises(PolicyError, match="is none that there is; use merge, ours") as caught:
            Policies.of(content)
        assert "None" not in str(caught.value)

    def test_only_names_and_functions(self) -> None:
        """A policy is a name or a function."""
        with pytest.raises(PolicyError) as caught:
            Policies({"Account": 7})  # type: ignore[dict-item]
        assert caught.value.key == "Account"
        assert "policy '7' for" in str(caught.value)
        with pytest.raises(PolicyError) as caught:
            Policies(default=7)  # type: ignore[arg-type]
        assert caught.value.key == "default"


def test_values_are_shown_shortened() -> None:
    """A value in a message is JSON, and no longer than a line."""
    assert shown({"a": "é", "b": None}) == '{"a": "é", "b": null}'
    assert shown("x" * 99) == '"' + "x" * 58 + "…"
    assert shown("x" * 58) == '"' + "x" * 58 + '"'


def test_event_names_the_places_of_references() -> None:
    """References in every part of the decision are stored as such."""
    found = conflict({"To": ACME}, {"To": Ref("Account:2")}, {"To": Ref("Account:3")})
    verdict = as_a_whole(found, "ours")
    assert isinstance(verdict, Resolved)

    event = event_of(found, 1, "v2", verdict)

    gone = found._replace(remote=None)
    assert (gone.theirs, found._replace(kind="delete").theirs) == (None, {"To": Ref("Account:3")})
    assert event.references == ("/base/To", "/ours/To", "/theirs/To", "/fields/To")
    assert (event.revision, event.remote_version, event.kind) == (1, "v2", "update")
    assert (event.base, event.ours, event.theirs) == (found.base, found.ours, found.theirs)
    assert (event.draft_id, event.resolutions) == ("d-1", verdict.resolutions)
    assert ConflictResolved.model_validate_json(event.model_dump_json()).fields == event.fields


@given(
    strategies.fields(),
    strategies.fields(),
    strategies.fields(),
    st.sampled_from(NAMES),
    st.sampled_from(["create", "update", "delete"]),
)
def test_nothing_of_theirs_is_lost_unless_ours_is_chosen(
    base: Fields, ours: Fields, remote: Fields, name: PolicyName, kind: ChangeKind
) -> None:
    """What is sent over a foreign value was never disputed, or ours was chosen."""
    found = conflict(base, {} if kind == "delete" else ours, remote, kind)

    verdict = decided(found, Policies(default=name))

    if isinstance(verdict, Resolved) and verdict.kind == "update":
        for field, value in verdict.fields.items():
            assert same(value, ours[field])
            is_disputed = not same(base.get(field), remote.get(field)) and kind == "update"
            assert not is_disputed or name == "ours"
    if isinstance(verdict, Resolved) and verdict.kind == "delete":
        assert name == "ours" or not found.disputed
