"""What a service takes, described, and what it would surely refuse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.descriptions import (
    KINDS,
    Choice,
    FieldDescription,
    TypeDescription,
    as_json,
    of_json,
)
from journal.fitting import misfits, unfit
from journal.values import Ref
from tests.strategies import field_names, fields, texts

ACME = Ref("Account:1")
STATUS = FieldDescription(
    "Status", "choice", choices=(Choice("Open", "Offen"), Choice("Done")), closed=True
)
VISIT = TypeDescription(
    "Visit",
    (
        FieldDescription("Name", "text", required=True, nullable=False, length=5),
        FieldDescription("Number", "text", createable=False, updateable=False),
        FieldDescription("Owner", "reference", refers_to=("User", "Group"), updateable=False),
        FieldDescription("Account", "reference", required=True, relation="AccountRecord"),
        FieldDescription("Done", "boolean", nullable=False),
        STATUS,
    ),
)
WHOLE = {"Name": "V-1", "Account": ACME}

descriptions = st.builds(
    TypeDescription,
    st.just("Visit"),
    st.lists(
        st.builds(
            FieldDescription,
            field_names,
            st.sampled_from(sorted(KINDS)),
            label=texts,
            required=st.booleans(),
            nullable=st.booleans(),
            default=st.none() | st.booleans() | texts,
            length=st.none() | st.integers(0, 300),
            choices=st.lists(st.builds(Choice, texts, texts), max_size=3).map(tuple),
            closed=st.booleans(),
            createable=st.booleans(),
            updateable=st.booleans(),
            refers_to=st.lists(texts, max_size=2).map(tuple),
        ),
        max_size=4,
    ).map(tuple),
    texts,
    st.booleans(),
    st.booleans(),
)


class TestKept:
    """A description as text (K1)."""

    @given(descriptions)
    def test_it_comes_back_as_it_was(self, description: TypeDescription) -> None:
        """What is kept is the description, to the last flag."""
        assert of_json(as_json(description)) == description

    @pytest.mark.parametrize(
        "text", ["", "[]", "3", "{}", '{"record_type":"A","fields":[3]}', '{"fields":[{}]}']
    )
    def test_what_is_none_is_said_to_be_none(self, text: str) -> None:
        """A text that is no description is no description."""
        with pytest.raises(ValueError, match=r"."):
            of_json(text)

    def test_what_is_no_object_is_said_to_be_no_description(self) -> None:
        """JSON that is something else is told from what is no JSON."""
        for text in ("[]", '{"fields":[{}]}', "{}"):
            with pytest.raises(ValueError, match=r"^this is no description of a record type$"):
                of_json(text)

    def test_what_is_as_usual_is_left_out(self) -> None:
        """A type of which only the name is known needs no more than that."""
        assert of_json('{"record_type":"A"}') == TypeDescription("A")
        assert of_json(as_json(TypeDescription("A"))) == TypeDescription("A")

    def test_what_a_newer_release_says_more_is_passed_over(self) -> None:
        """A key, or a kind, that is not known does no harm."""
        text = '{"record_type":"A","colour":1,"fields":[{"name":"x","kind":"shape","size":2}]}'

        assert of_json(text) == TypeDescription("A", (FieldDescription("x"),))

    def test_titles(self) -> None:
        """A person reads the label, or the name where there is none."""
        assert (VISIT.title, VISIT._replace(label="A visit").title) == ("Visit", "A visit")
        assert (STATUS.title, STATUS._replace(label="State").title) == ("Status", "State")
        assert VISIT.field("Status") is STATUS
        assert VISIT.field("Nothing") is None


class TestChanges:
    """What would be refused for what a change does."""

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            (WHOLE, {}),
            ({**WHOLE, "Number": None, "Done": None}, {}),
            ({"AccountRecord": {"Key": "a"}, "Name": "x"}, {}),
            ({}, {"Name": "is required", "Account": "is required"}),
            ({**WHOLE, "Name": ""}, {"Name": "is required"}),
            ({**WHOLE, "Number": "7"}, {"Number": "cannot be set when a record is created"}),
            ({**WHOLE, "Colour": 1}, {"Colour": "the service has no such field"}),
            (
                {**WHOLE, "Name": "abcdef"},
                {"Name": "has 6 characters; the service takes 5"},
            ),
        ],
    )
    def test_a_create(self, fields: dict[str, Any], wrong: dict[str, str]) -> None:
        """A create needs what is required, and sets what may be set then."""
        assert misfits(VISIT, "create", fields) == wrong

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"Status": None, "Done": None}, {}),
            ({"Name": None}, {"Name": "cannot be left without a value"}),
            ({"Name": ""}, {"Name": "cannot be left without a value"}),
            ({"Owner": Ref("User:1")}, {"Owner": "cannot be changed"}),
            ({"Number": None}, {"Number": "cannot be changed"}),
            ({"AccountRecord": 3}, {"AccountRecord": "the service has no such field"}),
        ],
    )
    def test_an_update(self, fields: dict[str, Any], wrong: dict[str, str]) -> None:
        """An update sets what may be changed, and leaves nothing empty that may not be."""
        assert misfits(VISIT, "update", fields) == wrong

    def test_a_delete(self) -> None:
        """A delete sets nothing, whatever it is handed; the type allows it or does not."""
        assert misfits(VISIT, "delete", {}) == {}
        assert misfits(VISIT, "delete", {"Colour": 1, "Number": 7}) == {}

    @pytest.mark.parametrize("kind", ["create", "update", "delete"])
    def test_a_type_that_is_not_to_be_changed(self, kind: Any) -> None:  # noqa: ANN401
        """What nobody may do to records of the type is said of the record."""
        closed = VISIT._replace(createable=False, updateable=False, deletable=False)

        assert misfits(closed, kind, {}) == {
            "": f"the service lets nobody {kind} a record of this type"
        }

    @given(fields())
    def test_a_type_of_which_little_is_told_takes_anything(self, given: dict[str, Any]) -> None:
        """What a description does not say, nothing is refused for (T1)."""
        silent = tuple(FieldDescription(name) for name in list(given)[:2])

        assert misfits(TypeDescription("Visit", silent, complete=False), "create", given) == {}


def field(kind: Any, **says: Any) -> FieldDescription:  # noqa: ANN401
    """Return a field of that kind."""
    return FieldDescription("f", kind, **says)


MANY = tuple(Choice(str(number)) for number in range(10))


class TestValues:
    """Which values are none for a field."""

    @pytest.mark.parametrize(
        ("of", "value"),
        [
            (field("text", length=2), "ab"),
            (field("text"), "long" * 99),
            (field("text"), 3),
            (field("text"), ACME),
            (field("number"), 1.5),
            (field("number"), " 12 "),
            (field("number", precision=5, scale=2), 999.999),
            (field("number", precision=2), 0.001),
            (field("number", precision=2), 99),
            (field("number", precision=1), 0),
            (field("integer"), -7),
            (field("boolean"), False),
            (field("boolean"), "true"),
            (field("boolean"), "false"),
            (field("date"), "2026-04-01"),
            (field("date"), "2026-04-01T09:30:00.000+0000"),
            (field("datetime"), "2026-04-01T09:30:00Z"),
            (field("time"), "09:30:00.000Z"),
            (STATUS, "Open"),
            (STATUS, "open"),
            (STATUS, "Offen"),
            (STATUS._replace(closed=False), "anything"),
            (field("choice", closed=True), "nobody has told which there are"),
            (field("choice", closed=True, choices=(Choice("a;b"),)), "a;b"),
            (STATUS._replace(kind="choices"), "Open;Done"),
            (STATUS._replace(kind="choices"), ["Open", "Done"]),
            (field("reference", refers_to=("Account",)), ACME),
            (field("reference"), ACME),
            (field("reference", refers_to=("Account",)), "001xx0000000001AAA"),
            (field("any"), {"x": [1]}),
        ],
    )
    def test_what_fits(self, of: FieldDescription, value: object) -> None:
        """Nothing is refused that a service may take (T1)."""
        assert unfit(of, value) == ""

    @pytest.mark.parametrize(
        ("of", "value", "why"),
        [
            (field("text", length=2), "abc", "has 3 characters; the service takes 2"),
            (field("text"), ["a"], "is no text"),
            (field("choice"), {"a": 1}, "is no text"),
            (field("number"), "twelve", "is no number"),
            (field("number"), "NaN", "is no number"),
            (field("number"), True, "is no number"),
            (field("number"), [1], "is no number"),
            (field("integer"), "twelve", "is no number"),
            (
                field("number", precision=2),
                100,
                "has too many digits: at most 2 may stand before the point",
            ),
            (
                field("number", precision=5, scale=2),
                1000,
                "has too many digits: at most 3 may stand before the point",
            ),
            (field("boolean"), "yes", "is neither true nor false"),
            (field("boolean"), 1, "is neither true nor false"),
            (field("boolean"), [True], "is neither true nor false"),
            (field("date"), "tomorrow", "is no date, such as 2026-04-01"),
            (field("datetime"), 17, "is no datetime, such as 2026-04-01T09:30:00Z"),
            (field("time"), "9 am", "is no time, such as 09:30:00"),
            (STATUS, "Lost", "'Lost' is none of its values: Open, Done"),
            (
                STATUS._replace(kind="choices"),
                "Open;Lost",
                "'Lost' is none of its values: Open, Done",
            ),
            (STATUS._replace(kind="choices"), ["Open", {}], "is no text"),
            (
                field("choice", closed=True, choices=MANY),
                "x",
                "'x' is none of its values: 0, 1, 2, 3, 4, 5, 6, 7, …",
            ),
            (
                field("choice", closed=True, choices=MANY[:8]),
                "x",
                "'x' is none of its values: 0, 1, 2, 3, 4, 5, 6, 7",
            ),
            (
                field("reference", refers_to=("User", "Group")),
                ACME,
                "must refer to User or Group, not to Account",
            ),
            (field("reference"), 7, "is no reference"),
        ],
    )
    def test_what_does_not(self, of: FieldDescription, value: object, why: str) -> None:
        """It is said what is wrong, in words for the person who fills in the form."""
        assert unfit(of, value) == why

    @pytest.mark.parametrize("kind", ["number", "integer", "boolean", "date", "datetime", "time"])
    def test_a_reference_is_no_plain_value(self, kind: str) -> None:
        """A record is neither a number nor a time; a text may be made of its id."""
        assert unfit(field(kind), ACME) == f"is a reference, and the field holds a {kind}"
        assert unfit(field("text"), ACME) == ""
