"""The forms of values: when a service's value is ours, and what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.remotes.forms import Forms, agrees_as, canonical
from journal.remotes.sections import FieldForm
from tests.strategies import json_values

if TYPE_CHECKING:
    from journal.remotes.forms import Kind

KINDS: tuple[Kind, ...] = ("exact", "number", "time", "text", "bool", "json", "any")


@pytest.mark.parametrize(
    ("kind", "received", "wanted", "is_same"),
    [
        ("exact", 1, 1.0, True),
        ("exact", "1", 1, False),
        ("exact", 1, True, False),
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
