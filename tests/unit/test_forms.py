"""The forms of values: when a service's value is ours, and what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.remotes.forms import Forms, agrees_as, canonical, is_same_id
from journal.remotes.sections import FieldForm
from tests.strategies import json_values

if TYPE_CHECKING:
    from journal.remotes.forms import IdType, Kind

KINDS: tuple[Kind, ...] = ("exact", "number", "time", "text", "bool", "json", "any")


@pytest.mark.parametrize(
    ("kind", "received", "wanted", "is_same"),
    [
        ("exact", 1, 1.0, True),
        ("exact", "1", 1, False),
        ("exact", 1, True, False),
        ("exact", [1, {"a": 2}], [1.0, {"a": 2.0, "b": None}], True),
        ("exact", [1, 2], [1, 3], False),
        ("exact", [1], [1, 2], False),
        ("exact", [1], {"0": 1}, False),
        ("number", "1.50", 1.5, True),
        ("number", 1, True, True),
        ("number", "-0", 0, True),
        ("number", "x", 1, False),
        ("number", "1e999", 1, False),
        ("number", "NaN", "NaN", True),
        ("number", "2", 1, False),
        ("number", None, 0, False),
        ("number", [1], 1, False),
        ("time", "2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", True),
        ("time", "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000000Z", True),
        ("time", "2026-01-02T03:04:05", "2026-01-02T03:04:05.987654Z", True),
        ("time", "2026-01-02T03:04:05.98Z", "2026-01-02T03:04:05.987654Z", True),
        ("time", "2026-01-02T03:04:05.99Z", "2026-01-02T03:04:05.987654Z", False),
        ("time", "2026-01-02T03:04:06Z", "2026-01-02T03:04:05Z", False),
        ("time", "Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05.9Z", True),
        ("time", "Fri, 02 Jan 2026 03:04:05 +0100", "2026-01-02T02:04:05Z", True),
        ("time", "Fri, 99 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05Z", False),
        ("time", "0001-01-01T00:00:00+01:00", "2026-01-02T03:04:05Z", False),
        ("time", "soon", "soon", True),
        ("time", 5, "2026-01-02", False),
        ("text", "1.5", 1.5, True),
        ("text", "true", True, True),
        ("text", " a ", "a", True),
        ("text", "a", "b", False),
        ("text", None, "", False),
        ("bool", 1, True, True),
        ("bool", "0", False, True),
        ("bool", "TRUE", True, True),
        ("bool", 2, True, False),
        ("bool", None, False, False),
        ("json", '{"a": [1, 2]}', {"a": [1, 2]}, True),
        ("json", {"a": 1}, {"a": 1.0}, True),
        ("json", "text", "text", True),
        ("json", "1", 2, False),
        ("any", "whatever", None, True),
        ("number", None, "", False),
        ("number", "", None, False),
        ("number", "Infinity", "Infinity", True),
        ("time", "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123456Z", True),
        ("time", "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123457Z", False),
        ("time", "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.1234568Z", True),
        ("lenient", " a ", "a", True),
        ("lenient", "a", " a", True),
        ("lenient", "  ", None, True),
        ("lenient", None, "", True),
        ("lenient", "a", None, False),
        ("lenient", None, "a", False),
        ("lenient", "A", "a", False),
        ("lenient", "a\r\nb\rc", "a\nb\nc", True),
        ("lenient", "a\nb\nc", "a\r\nb\rc", True),
        ("lenient", "a b", "a\nb", False),
        ("lenient", 5, 5.0, True),
        ("lenient", "5", 5, False),
        ("lenient", "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.7Z", True),
        ("lenient", "2026-01-02T03:04:05.7Z", "2026-01-02T03:04:05.000Z", True),
        ("lenient", "2026-01-02T03:04:05.700Z", "2026-01-02T03:04:05.5Z", False),
        ("lenient", "2026-01-02T03:04:06.000Z", "2026-01-02T03:04:05.7Z", False),
        ("bool", 1, 1.0, True),
        ("bool", 0.0, 0, True),
    ],
)
def test_agreement(kind: Kind, received: object, wanted: object, is_same: bool) -> None:  # noqa: FBT001
    """A value agrees in the form that the service gives it, and in no other."""
    assert agrees_as(kind, received, wanted) is is_same


@given(st.sampled_from(KINDS), json_values(st.nothing()))
def test_everything_agrees_with_itself(kind: Kind, value: object) -> None:
    """Whatever form a service gives a value, the value itself is not taken for another."""
    assert agrees_as(kind, value, value)


@given(st.sampled_from(KINDS), json_values(st.nothing()), json_values(st.nothing()))
def test_agreement_never_raises(kind: Kind, one: object, other: object) -> None:
    """Any value of a service can be compared with any of ours, and null only with null."""
    assert isinstance(agrees_as(kind, one, other), bool)
    if kind != "any" and one is not None:
        assert agrees_as(kind, None, one) is False
    canonical(kind, one)


@pytest.mark.parametrize(
    ("kind", "received", "value"),
    [
        ("number", "12345678901234567891", 12345678901234567891),
        ("number", "1.5", 1.5),
        ("number", "2.0", 2),
        ("number", "1e400", 10**400),
        ("number", "1e401", "1e401"),
        ("number", "-1e-401", "-1e-401"),
        ("number", "Infinity", "Infinity"),
        ("number", "", None),
        ("number", True, 1),
        ("bool", "maybe", "maybe"),
        ("bool", " True ", True),
        ("bool", "", None),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("json", "NaN", "NaN"),
        ("json", "", None),
        ("time", "", None),
        ("text", "", ""),
        ("exact", "", ""),
        ("exact", "1", "1"),
    ],
)
def test_as_we_would_write_it(kind: Kind, received: object, value: object) -> None:
    """What a form says it is; and as it came, where it is nothing of the kind."""
    found = canonical(kind, received)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("kind", "one", "other", "is_same"),
    [
        ("salesforce", "001xx0000000001", "001xx0000000001AAA", True),
        ("salesforce", "001xx0000000001AAA", "001xx0000000001", True),
        ("salesforce", "001xx0000000001AAA", "001xx0000000001AAB", False),
        ("salesforce", "001xx0000000001", "001xx0000000002AAA", False),
        ("salesforce", "001xx0000000001", "001xx0000000001A", False),
        ("text", "001xx0000000001", "001xx0000000001AAA", False),
        ("text", "a", "a", True),
        ("number", "7", "07", False),
    ],
)
def test_ids(kind: IdType, one: str, other: str, is_same: bool) -> None:  # noqa: FBT001
    """Only the ids of Salesforce have two lengths."""
    assert is_same_id(kind, one, other) is is_same
    assert Forms({}, "exact", None, kind).is_same_id(one, other) is is_same


class TestNames:
    """What a service calls our fields, and what it shows where one has no value."""

    def test_a_field_may_be_shown_under_another_name(self) -> None:
        """Both names are the field; what is not named is called as here."""
        forms = Forms({"A": FieldForm(name="a", shown_as="a_shown")}, "exact", None)

        assert [forms.ours(name) for name in ("a", "a_shown", "A", "b")] == ["A", "A", "A", "b"]
        assert (forms.name("A"), forms.name("b")) == ("a", "b")
        assert forms.read({"a_shown": 1, "b": 2}) == {"A": 1, "b": 2}

    def test_all_are_compared_as_the_profile_says(self) -> None:
        """Where a field says nothing of its own."""
        forms = Forms({"A": FieldForm(compare="text")}, "number", None)

        assert forms.agrees("x", "1.0", 1)
        assert not forms.agrees("A", "1.0", 1)
        assert (forms.kind("x"), forms.kind("A")) == ("number", "text")

    def test_what_a_field_is_unset_with(self) -> None:
        """It is sent as the field says, and where it is shown, there is no value."""
        form = FieldForm(write='{"is": "{value}"}', read="/is", unset='{"is": ""}')
        forms = Forms({"A": form, "B": FieldForm(unset='"none"')}, "exact", "-")

        assert (forms.unset("A"), forms.unset("x")) == ('{"is": ""}', None)
        assert forms.read({"A": {"is": ""}, "B": "none", "x": "-"}) == {
            "A": None,
            "B": None,
            "x": "-",
        }
        assert forms.read({"A": {"is": "a"}, "B": "-"}) == {"A": "a", "B": "-"}
        assert [forms.agrees("A", shown, None) for shown in ("", "-", "none")] == [
            *(True, False, False),
        ]
        assert [forms.agrees("x", shown, None) for shown in ("", "-", None)] == [
            *(False, True, True),
        ]
        assert forms.agrees("x", None, "-")
        assert not forms.agrees("x", None, "a")
        assert not forms.agrees("x", "-", "a")

    def test_an_envelope_that_is_left_out(self) -> None:
        """Where a field is unset by an empty envelope, no value stands for none."""
        form = FieldForm(write='{"is": "{value}"}', read="/is", unset="{}")
        forms = Forms({"A": form}, "exact", "-")

        assert forms.agrees("A", None, None)
        assert not forms.agrees("A", "-", None)
        assert forms.read({"A": {}, "x": 1}) == {"x": 1}
        assert forms.read({"A": None}) == {"A": None}


class TestForms:
    """Names, and envelopes of values."""

    FORMS = Forms(
        {
            "Title": FieldForm(name="title", write='{"en-US": "{value}"}', read="/en-US"),
            "Done": FieldForm(compare="bool"),
            "Size": FieldForm(write='{"N": "{value.text}"}', read="/N", compare="number"),
        },
        "exact",
        "",
    )

    def test_written(self) -> None:
        """A value goes into its envelope; nothing stays nothing."""
        assert self.FORMS.name("Title") == "title"
        assert self.FORMS.written("Title", "a") == {"en-US": "a"}
        assert self.FORMS.written("Title", None) is None
        assert self.FORMS.written("Other", [1]) == [1]

    def test_written_as_text(self) -> None:
        """A service that wants numbers as texts gets them so, and is understood."""
        assert self.FORMS.written("Size", 1.5) == {"N": "1.5"}
        assert self.FORMS.written("Size", "a") == {"N": "a"}
        assert self.FORMS.written("Size", None) is None
        assert self.FORMS.agrees("Size", "1.50", 1.5)
        assert self.FORMS.canonical("Size", "7") == 7

    def test_read(self) -> None:
        """A value comes out of its envelope; where the envelope is empty, there is none."""
        received = {"title": {"en-US": "a"}, "Done": 1, "x": 2}

        assert self.FORMS.read(received) == {"Title": "a", "Done": 1, "x": 2}
        assert self.FORMS.read({"title": {"de": "a"}}) == {}
        assert self.FORMS.read({"title": None}) == {"Title": None}

    def test_the_marker_is_no_value(self) -> None:
        """What a field is unset with agrees with nothing, whatever its form."""
        assert self.FORMS.agrees("Title", "", None)
        assert self.FORMS.agrees("Done", None, None)
        assert not self.FORMS.agrees("Title", "a", None)

    def test_each_field_has_its_form(self) -> None:
        """A field is compared as the profile says of it, or as it says of all."""
        assert self.FORMS.agrees("Done", "1", wanted=True)
        assert not self.FORMS.agrees("Other", "1", wanted=True)
        assert self.FORMS.canonical("Done", 0) is False
        assert self.FORMS.canonical("Other", 0) == 0

    @given(json_values(st.nothing()).filter(lambda value: value is not None))
    def test_round_trip(self, value: object) -> None:
        """What was written is what is read."""
        written = {self.FORMS.name("Title"): self.FORMS.written("Title", value)}

        assert self.FORMS.read(written) == {"Title": value}
