"""What a draft wants against what the remote has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from journal.errors import RemoteError
from journal.record import Change, Record, Remote
from journal.remotes.comparison import (
    expected,
    holds,
    is_about,
    ours,
    recognised,
    resolved,
    shown,
    tells,
)
from journal.remotes.forms import Forms
from journal.remotes.remote import Push
from journal.remotes.sections import FieldForm
from journal.values import Ref

if TYPE_CHECKING:
    from journal.events import ChangeKind
    from journal.values import Fields

VISIT = Ref("Visit:1")
ACME = Ref("Account:acme")
EXACT = Forms({}, "exact", None)
TARGETS = {ACME: Record(ACME, remote=Remote(remote_id="001"))}


def push(
    fields: Fields | None = None,
    base: Fields | None = None,
    remote: Fields | None = None,
    kind: ChangeKind = "update",
    receipt: int = 0,
    **more: Any,  # noqa: ANN401  of the push
) -> Push:
    """Return a push of a change that was made at position 5, over what the remote has shown."""
    change = Change("d1", 5, kind, fields or {}, base or {}, None, 5)
    record = Record(VISIT, 5, _remote(remote or {}, receipt), (change,), fields)
    values: dict[str, Any] = {"record": record, "targets": TARGETS, **more}
    return Push(
        "d1", VISIT, kind, fields or {}, base or {}, None, 0, is_maybe_applied=False, **values
    )


def _remote(fields: Fields, receipt: int = 0) -> Remote:
    return Remote(exists=True, fields=fields, remote_id="7", version="v1", receipt=receipt)


class TestReferences:
    """References are translated where they stand, and nowhere else."""

    def test_a_reference_is_sent_as_the_id_of_the_remote(self) -> None:
        """What the remote calls the record stands in its place, and the draft is as it was."""
        fields = {"Of": ACME, "Lines": [{"For": ACME}], "Text": "Account:acme"}
        one = push(fields)

        assert resolved(one, int) == {"Of": 1, "Lines": [{"For": 1}], "Text": "Account:acme"}
        assert one.fields == {"Of": ACME, "Lines": [{"For": ACME}], "Text": "Account:acme"}

    def test_a_record_without_an_id_of_the_remote_is_none_to_refer_to(self) -> None:
        """It should have been created first: which one is told, and where it stands."""
        with pytest.raises(RemoteError) as caught:
            resolved(push({"Of": ACME}, targets={ACME: Record(ACME)}), str)

        assert str(caught.value) == (
            "Visit:1 /Of: the remote has no record for Account:acme; "
            "create or observe that record first"
        )

    @pytest.mark.parametrize(
        ("received", "is_recognised"),
        [("001", True), ("002", False), (1, False), ({"id": "001"}, False), (None, False)],
    )
    def test_an_id_becomes_a_reference(self, received: object, *, is_recognised: bool) -> None:
        """Only the id by which the remote knows the record that is meant here is the record."""
        found = recognised({"Of": received}, TARGETS, EXACT, {"Of": ACME})

        assert found == {"Of": ACME if is_recognised else received}

    def test_a_number_may_be_an_id(self) -> None:
        """An id that is a number is told by its digits."""
        targets = {ACME: Record(ACME, remote=Remote(remote_id="17"))}

        assert recognised({"Of": 17}, targets, EXACT, {"Of": ACME}) == {"Of": ACME}

    @pytest.mark.parametrize("received", ["None", "001", ""])
    def test_what_has_no_id_is_not_recognised(self, received: str) -> None:
        """A record that the remote does not have is none that it can name."""
        targets = {ACME: Record(ACME)}

        assert recognised({"Of": received}, targets, EXACT, {"Of": ACME}) == {"Of": received}

    def test_an_id_elsewhere_is_text(self) -> None:
        """The same characters at another place are what they are."""
        found = recognised({"Of": "001", "Text": "001"}, TARGETS, EXACT, {"Of": ACME, "Text": "x"})

        assert found == {"Of": ACME, "Text": "001"}


class TestValues:
    """Which values are the wanted ones."""

    FORMS = Forms({"n": FieldForm(compare="number")}, "exact", None)

    def test_a_value_that_agrees_becomes_ours(self) -> None:
        """A value in the form of the service is the one that is known here; the first that fits."""
        known = ({"n": 2.5}, {"n": 3})

        assert recognised({"n": "2.50"}, {}, self.FORMS, *known) == {"n": 2.5}
        assert recognised({"n": "3"}, {}, self.FORMS, *known) == {"n": 3}
        assert recognised({"n": "4"}, {}, self.FORMS, *known) == {"n": 4}
        assert recognised({"t": "4"}, {}, self.FORMS, *known) == {"t": "4"}

    def test_each_field_is_compared_by_its_own_form(self) -> None:
        """A record has the wanted values where each agrees as its field is compared."""
        assert holds(push(), self.FORMS, {"n": "2.50", "t": "a"}, {"n": 2.5, "t": "a"})
        assert not holds(push(), self.FORMS, {"n": 2.5, "t": "2.50"}, {"n": 2.5, "t": 2.5})
        assert holds(push(), EXACT, {"t": "a", "u": 1}, {"t": "a"})
        assert not holds(push(), EXACT, {"t": "b"}, {"t": "a"})
        assert holds(push(), EXACT, {}, {"t": None})
        assert not holds(push(), EXACT, {}, {"t": "a"})

    def test_an_object_is_about_the_record_by_its_names(self) -> None:
        """One name that is known of it is enough; an object of other names is something else."""
        one = push({"a": 1}, {"b": 1}, {"c": 1})

        assert [is_about(one, {name: 0}) for name in "abcd"] == [True, True, True, False]
        assert is_about(one, {})

    def test_a_record_is_told_by_a_value(self) -> None:
        """Where only values are unset, those of the other fields tell it from another record."""
        unset = push({"a": None}, {"a": 1}, {"a": 1, "b": 2})

        assert tells(unset, EXACT, {"b": 2})
        assert not tells(unset, EXACT, {"b": 3})
        assert not tells(unset, EXACT, {"c": 1})
        assert tells(push({"a": 1}), EXACT, {"a": 1})
        assert not tells(push({"a": 1}), Forms({}, "any", None), {"a": 1})


class TestShown:
    """What an answer shows of the record."""

    @pytest.mark.parametrize(("receipt", "fields"), [(0, {"a": 1}), (6, {"a": 2, "b": 3})])
    def test_a_delete_expects_what_was_known_when_it_was_made(
        self, receipt: int, fields: Fields
    ) -> None:
        """What it was made on; or what a receipt has shown since."""
        delete = push(base={"a": 1}, remote={"a": 2, "b": 3}, kind="delete", receipt=receipt)

        assert expected(delete) == fields

    def test_an_update_expects_its_fields_as_they_were(self) -> None:
        """A field that was not there had no value."""
        assert expected(push({"a": 2, "b": 2}, {"a": 1})) == {"a": 1, "b": None}

    def test_what_is_as_expected_is_not_told(self) -> None:
        """A receipt that shows what was sent over what was known says nothing new."""
        update = push({"a": 2}, {"a": 1}, {"a": 1, "b": 3})

        assert shown(update, EXACT, {"a": 2, "b": 3}, "read") is None
        assert shown(update, EXACT, {"a": 2, "b": 4}, "read") == {"a": 2, "b": 4}
        assert shown(update, EXACT, {"b": 4}, "read") == {"b": 4}
        assert shown(update, EXACT, {"b": 4}, "answer") == {"a": 2, "b": 4}

    def test_what_cannot_be_stored_is_not_kept(self) -> None:
        """A value that no JSON can hold exactly is told to nobody."""
        assert shown(push({"a": 2}), EXACT, {"a": 2**60}, "read") is None
        assert ours(push({"a": 2}), EXACT, {"a": float("inf")}) is None

    def test_the_record_is_in_our_words(self) -> None:
        """What any of us knows of the record, the draft before all, is how it is written."""
        forms = Forms({}, "number", None)
        here = Record(VISIT, 5, _remote({"c": 3.0}), (), {"d": 4.0})
        draft = push({"a": 1.0}, {"b": 2.0}, record=here)

        found = ours(draft, forms, {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"})

        assert repr(found) == "{'a': 1.0, 'b': 2.0, 'c': 3.0, 'd': 4.0, 'e': 5}"
        assert ours(push(None, record=Record(VISIT)), forms, {"a": "1"}) == {"a": 1}
