"""What a model, or the parameters of a function, say of a field."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal

import pytest
from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.fields import FieldInfo

from journal import Ref, To
from journal.descriptions import Choice, FieldDescription
from journal.modelling import described, first_line, form_field, parameters


class Colour(Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Size(Enum):
    """Numbers are no choice of texts."""

    SMALL = 1


class Odd:
    """A value that JSON does not know."""

    def __str__(self) -> str:
        """Return how it is told."""
        return "odd"


NONE_OR_A: Final = Literal["a", None]  # noqa: PYI061  a model may say it so
AMOUNT: Final = Annotated[Decimal, Field(max_digits=8, decimal_places=2)]


def field(annotation: Any, **said: Any) -> FieldDescription:  # noqa: ANN401
    """Return what a field with that annotation is."""
    return form_field("f", FieldInfo.from_annotated_attribute(annotation, Field(**said)))


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "text"),
        (int, "integer"),
        (bool, "boolean"),
        (float, "number"),
        (Decimal, "number"),
        (date, "date"),
        (datetime, "datetime"),
        (time, "time"),
        (bytes, "any"),
        (str | int, "any"),
        (int | None, "integer"),
        (Annotated[Ref, To("Account")], "reference"),
        (Literal["a", 1], "any"),
        (Size, "any"),
        (list[str], "any"),
        (dict[str, str], "any"),
        (list[Colour], "choices"),
        (tuple[Literal["a"], ...], "choices"),
        (tuple[Literal["a"], int], "any"),
    ],
)
def test_the_kind_of_a_field(annotation: Any, kind: str) -> None:  # noqa: ANN401
    """What its values are, where all are of one kind."""
    assert field(annotation).kind == kind


@pytest.mark.parametrize(
    ("annotation", "is_nullable"),
    [
        (str, False),
        (str | None, True),
        (NONE_OR_A, True),
        (Literal["a"], False),
        (Any, True),
        (object, True),
        (Annotated[str, "told"] | None, True),
    ],
)
def test_whether_it_may_have_no_value(annotation: Any, *, is_nullable: bool) -> None:  # noqa: ANN401
    """Where its annotation says so, or says nothing."""
    assert field(annotation).nullable is is_nullable


@pytest.mark.parametrize(
    ("annotation", "choices"),
    [
        (Literal["a", "b"], ["a", "b"]),
        (NONE_OR_A, ["a"]),
        (Colour | Literal["a"] | None, ["red", "blue", "a"]),
        (Colour, ["red", "blue"]),
        (set[Colour], ["red", "blue"]),
        (Literal["a", 1], []),
        (str, []),
    ],
)
def test_the_choices_that_there_are(annotation: Any, choices: list[str]) -> None:  # noqa: ANN401
    """All of them, and no others are let in."""
    found = field(annotation)

    assert found.choices == tuple(map(Choice, choices))
    assert found.closed is bool(choices)


@pytest.mark.parametrize(
    ("annotation", "length"),
    [
        (Annotated[str, Field(max_length=5)], 5),
        (Annotated[str, Field(max_length=5)] | None, 5),
        (Annotated[str, StringConstraints(max_length=5)], 5),
        (Annotated[Literal["a"], MaxLen(5)], 5),
        (Annotated[list[str], MaxLen(5)], None),
        (Annotated[str, MaxLen(5), "told"], 5),
        (str, None),
    ],
)
def test_how_long_a_text_is(annotation: Any, length: int | None) -> None:  # noqa: ANN401
    """What stands beside a type says it, however deep; a list has items, and no characters."""
    assert field(annotation).length == length


@pytest.mark.parametrize(
    ("annotation", "precision", "scale"),
    [
        (AMOUNT, 8, 2),
        (AMOUNT | None, 8, 2),
        (AMOUNT | int, None, None),
        (Annotated[Decimal, Field(max_digits=8, decimal_places=0)], 8, 0),
        (Annotated[Decimal, Field(decimal_places=2), "told"], None, 2),
        (Decimal, None, None),
    ],
)
def test_how_many_digits_a_number_has(
    annotation: Any,  # noqa: ANN401
    precision: int | None,
    scale: int | None,
) -> None:
    """In all, and behind the point: there may be none."""
    found = field(annotation)

    assert (found.precision, found.scale) == (precision, scale)


@pytest.mark.parametrize(
    ("annotation", "types"),
    [
        (Annotated[Ref, To("Account", "Contact")], ("Account", "Contact")),
        (Annotated[Ref, To("Account")] | None, ("Account",)),
        (Annotated[Ref, To("A")] | Annotated[Ref, To("B", "A")], ("A", "B")),
        (Annotated[Ref, To("A")] | str, ()),
        (Ref, ()),
    ],
)
def test_what_a_field_refers_to(annotation: Any, types: tuple[str, ...]) -> None:  # noqa: ANN401
    """Each type once; where not all branches refer to something, nothing is known."""
    assert field(annotation).refers_to == types


@pytest.mark.parametrize(
    ("said", "default", "required"),
    [
        ({}, None, True),
        ({"default": None}, None, False),
        ({"default": 5}, 5, False),
        ({"default": Colour.RED}, "red", False),
        ({"default": Odd()}, "odd", False),
        ({"default_factory": list}, None, False),
    ],
)
def test_what_it_has_by_itself(said: dict[str, Any], default: object, *, required: bool) -> None:
    """As JSON says it, or in words; what is made anew each time is not told."""
    found = field(Any, **said)

    assert (found.default, found.required) == (default, required)


def test_what_is_said_of_it() -> None:
    """For people: a label, and a help."""
    found = field(str, title="The name", description="Of the account.")

    assert (found.name, found.label, found.help) == ("f", "The name", "Of the account.")
    assert (field(str).label, field(str).help) == ("", "")


def test_a_model() -> None:
    """Its fields under the names that are stored; it is all, unless it takes others."""

    class Account(BaseModel):
        name: str = Field(alias="Name")
        city: str

    class Open(Account):
        model_config = ConfigDict(extra="allow")

    found = described("Account", Account)

    assert (found.record_type, found.complete) == ("Account", True)
    assert [each.name for each in found.fields] == ["Name", "city"]
    assert described("Open", Open).complete is False


@pytest.mark.parametrize(
    ("docstring", "said"),
    [
        (
            "Do it.\n\n    Args:\n        a: One.\n        b: Two\n            lines.\n",
            ["One.", "Two lines."],
        ),
        ("Do it.\n\n    Args:\n        a (int): One.\n        **b: Two.", ["One.", "Two."]),
        ("Do it.\n\n    Args:\n        a:\n            One.\n        b: Two.", ["One.", "Two."]),
    ],
)
def test_what_a_docstring_says_of_parameters(docstring: str, said: list[str]) -> None:
    """Each with all of its lines, in one."""
    assert parameters(docstring) == dict(zip("ab", said, strict=True))


def test_only_a_section_says_it() -> None:
    """What stands before it, and behind it, is about something else."""
    assert parameters("Do it.\n\n    a: One.") == {}
    assert parameters("    a: One.\n    b: Two.") == {}
    assert parameters("Do it.\n\nArgs:\n    of no parameter\n    a: One.") == {"a": "One."}
    assert parameters("Do it.\n\nArgs:\n\n    a: One.\n\n    b: Two.") == {"a": "One.", "b": "Two."}
    assert parameters("Args:\n    a: One.\nA word.\n    b: Two.") == {"a": "One."}
    assert parameters("Args:\n    a: One.\n\nReturns:\n    b: Two.") == {"a": "One."}


@pytest.mark.parametrize(
    ("docstring", "line"),
    [
        ("Do it.", "Do it"),
        ("Do it\n    well.\n\n    And more.", "Do it well"),
        ("\n    Do it...\n", "Do it.."),
        ("", ""),
    ],
)
def test_the_first_sentence(docstring: str, line: str) -> None:
    """In one line, without its full stop."""
    assert first_line(docstring) == line
