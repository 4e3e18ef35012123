"""Names, JSON values and references."""

from __future__ import annotations

import copy
import json
import pickle
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from hypothesis import example, given
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from journal.errors import InvalidNameError, InvalidValueError
from journal.values import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    Ref,
    check_field,
    check_record_id,
    check_type,
    copied,
    freeze,
    places_of,
    references,
    restore,
    same,
)
from tests import strategies

if TYPE_CHECKING:
    from collections.abc import Iterator

ACME = Ref("Account:1")


class Colour(StrEnum):
    """Text, but not only text."""

    RED = "red"


class Number(Enum):
    """Not text at all."""

    ONE = 1


class Text(str):
    """A text with a type of its own."""

    __slots__ = ()


def nested(depth: int) -> Any:  # noqa: ANN401  JSON
    """Return objects within each other."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def pickled(value: object) -> object:
    """Return the value after a trip through pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes


class TestRef:
    """References: their own text, and a type of their own."""

    def test_has_type_and_id(self) -> None:
        """The type ends at the first colon; the id may hold more of them."""
        ref = Ref("Account:a:1")

        assert (ref.type, ref.id, str(ref)) == ("Account", "a:1", "Account:a:1")
        assert ref == Ref.of("Account", "a:1") == Ref.trusted("Account:a:1")

    def test_is_shown_as_code(self) -> None:
        """Its repr is the code that makes it."""
        assert repr(Ref("Account:1")) == "Ref('Account:1')"

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
    def test_stays_a_reference_when_copied(self, copied: Any) -> None:  # noqa: ANN401
        """A copy, deep or pickled, is a reference, not a text."""
        ref = copied(Ref("Account:1"))

        assert type(ref) is Ref
        assert ref == "Account:1"

    @pytest.mark.parametrize("text", ["Account", "", ":1", "Account:", "Acc ount:1", 5, None])
    def test_refuses_what_is_no_reference(self, text: Any) -> None:  # noqa: ANN401
        """A text without a type, or an id, or what is no text, is refused."""
        with pytest.raises(InvalidNameError):
            Ref(text)

    def test_takes_the_text_of_a_text_type(self) -> None:
        """An id that is a member of an enumeration of texts counts as its value."""
        assert Ref.of("Account", Colour.RED) == "Account:red"


class Visit(BaseModel):
    """A model of a host, with a reference."""

    to: Ref


class TestInModels:
    """References in the models of a host."""

    def test_a_field_may_be_a_reference(self) -> None:
        """A field of a model takes a reference as it is."""
        assert Visit(to=ACME).to is ACME

    @pytest.mark.parametrize("value", ["Account:1", 1, None])
    def test_a_text_is_none(self, value: Any) -> None:  # noqa: ANN401
        """What is no reference is refused in words, however much it looks like one."""
        with pytest.raises(ValidationError) as caught:
            Visit(to=value)

        (error,) = caught.value.errors()
        assert (error["type"], error["msg"]) == ("reference", "must be a reference to a record")


class TestNames:
    """Types, ids and field names."""

    @pytest.mark.parametrize("name", ["Account", "Visit__c", "_x", "a.b-c", "A" * 80])
    def test_type_is_allowed(self, name: str) -> None:
        """A type is a letter followed by letters, digits, and _ . -."""
        check_type(name)

    @pytest.mark.parametrize(
        "name", ["", "1a", "a b", "a:b", "a/b", "Ä", "A" * 81, "a\n", "../x", None, 5, ("a",)]
    )
    def test_type_is_refused(self, name: object) -> None:
        """Anything else is refused, with the kind of name and what was given."""
        with pytest.raises(InvalidNameError, match=r"record type .* is not allowed") as caught:
            check_type(name)

        assert caught.value.what == "record type"
        assert caught.value.name == (name if isinstance(name, str) else f"<{type(name).__name__}>")
        assert caught.value.hint.startswith("begin with a letter or _")

    @pytest.mark.parametrize("record_id", ["1", "a b", "ä/ö", "a:b", "x" * 255, "...", "'"])
    def test_id_is_allowed(self, record_id: str) -> None:
        """An id is any printable text without white space at its ends."""
        check_record_id(record_id)

    @pytest.mark.parametrize(
        "record_id",
        ["", ".", "..", " a", "a ", "a\nb", "a\0", "\ud800", "x" * 256, "\u202e", None, 5, b"a"],
    )
    def test_id_is_refused(self, record_id: object) -> None:
        """What a path, a URL or a terminal would act on is refused."""
        with pytest.raises(InvalidNameError, match=r"record id .* is not allowed") as caught:
            check_record_id(record_id)

        shown_as = record_id if isinstance(record_id, str) else f"<{type(record_id).__name__}>"
        assert (caught.value.what, caught.value.name) == ("record id", shown_as)
        assert caught.value.hint.startswith("use text of 1 to 255 printable characters")

    @pytest.mark.parametrize(
        "name", ["Name", "Ort Ö", "a.b", "a/b", "@id", "$ref", "n%", "a (b)", "x" * 128]
    )
    def test_field_is_allowed(self, name: str) -> None:
        """A field has a name as people write it."""
        check_field(name)

    @pytest.mark.parametrize(
        "name",
        [
            'Name"; DROP TABLE entries; --',
            "x' OR '1'='1",
            "a--b",
            "a/*b",
            "a;b",
            "",
            " a",
            "a\nb",
            "a\0b",
            "\ud800",
            "x" * 129,
            Text("Name"),
            Colour.RED,
            None,
            5,
            pytest.param(10**5000, id="huge"),
            (1,),
            b"a",
        ],
    )
    def test_field_is_refused(self, name: object) -> None:
        """A name that SQL acts on, or that is no plain text, is refused with the remedy."""
        with pytest.raises(InvalidNameError, match=r"field name .* is not allowed; use") as caught:
            check_field(name)

        shown_as = name if isinstance(name, str) else f"<{type(name).__name__}>"
        assert (caught.value.what, caught.value.name) == ("field name", shown_as)
        assert len(str(caught.value)) < 300


class TestFreeze:
    """V1 and V2: an exact copy that survives JSON, or a refusal."""

    @given(strategies.fields())
    @example({"a": [-0.0, 5e-324, 1.7976931348623157e308, 1e22, MAX_INTEGER, "\0"]})
    def test_is_an_equal_copy(self, fields: dict[str, Any]) -> None:
        """V1: the copy is the same value for value and type for type."""
        frozen = freeze(fields)

        assert same(frozen, fields)
        assert list(frozen) == list(fields)

    @given(strategies.fields())
    def test_shares_nothing_that_can_change(self, fields: dict[str, Any]) -> None:
        """V1: no list or object of the copy is one of the original."""

        def containers(value: Any) -> set[int]:  # noqa: ANN401  JSON
            found: set[int] = set()
            if isinstance(value, dict | list):
                found.add(id(value))
                for item in value.values() if isinstance(value, dict) else value:
                    found |= containers(item)
            return found

        assert not containers(freeze(fields)) & containers(fields)

    @given(strategies.fields())
    @example({"a/b": {"~1": [Ref("Account:1")], "": {"": Ref("Account:2")}}})
    def test_survives_json(self, fields: dict[str, Any]) -> None:
        """V2: written as JSON and read again with the places of its references, it is the same."""
        frozen = freeze(fields)
        places = tuple(place for place, _ in references(frozen))

        read = from_json(to_json(frozen))
        restore(read, places)

        assert same(read, frozen)

    @given(strategies.fields())
    def test_is_understood_by_other_readers(self, fields: dict[str, Any]) -> None:
        """V2: the JSON is what any strict reader understands."""
        assert same(json.loads(to_json(fields)), json.loads(json.dumps(fields)))

    @pytest.mark.parametrize(
        "value",
        [
            nan,
            inf,
            -inf,
            MAX_INTEGER + 1,
            -MAX_INTEGER - 1,
            10**400,
            "\ud800",
            "a\udfffb",
            (1,),
            {1},
            frozenset(),
            b"a",
            bytearray(),
            Decimal(1),
            datetime(2026, 1, 1, tzinfo=UTC),
            UUID(int=1),
            Path("a"),
            Colour.RED,
            Number.ONE,
            Text("a"),
            OrderedDict(a=1),
            object(),
            range(3),
            1j,
            len,
            nested(MAX_DEPTH + 1),
            nested(1000),
        ],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("place", ["/Name", "/Name/0/x"])
    def test_refuses_what_json_cannot_keep(self, value: object, place: str) -> None:
        """A value that would not come back as it was is refused, wherever it stands."""
        field = value if place == "/Name" else [{"x": value}]

        with pytest.raises(InvalidValueError) as caught:
            freeze({"Fine": 1, "Name": field}, record=Ref("Account:1"))

        assert caught.value.path.startswith(place)
        assert caught.value.record == "Account:1"
        assert str(caught.value).startswith(f"Account:1 {place}")
        assert caught.value.hint
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize(
        ("key", "problem"),
        [
            ("\ud800", "surrogate"),
            (1, "key is a int"),
            (None, "key is a NoneType"),
            (Text("a"), "Text"),
        ],
    )
    def test_refuses_keys_that_are_no_text(self, key: object, problem: str) -> None:
        """The key of an object within a field is text that UTF-8 can carry."""
        with pytest.raises(InvalidValueError, match=problem) as caught:
            freeze({"Name": [{key: 1}]})

        assert caught.value.path.startswith("/Name/0")
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (2**60, "the integer is too large for JSON; store it as text instead"),
            (inf, "inf is not a JSON number; store None, or text, instead"),
            (
                b"x",
                (
                    "a value of type bytes cannot be stored exactly; use None, bool, int, float, "
                    "str, list, dict or Ref, such as str(value) or value.isoformat()"
                ),
            ),
            ({1: 2}, "an object's key is a int; use text for the keys of objects"),
            (
                "\ud800",
                (
                    "the text holds a lone surrogate, half a character, which UTF-8 cannot carry; "
                    "decode the text with the encoding in which it was written"
                ),
            ),
        ],
    )
    def test_says_what_to_do(self, value: object, said: str) -> None:
        """A value that cannot be kept is told with its place, why, and what to do instead."""
        with pytest.raises(InvalidValueError) as caught:
            freeze({"a": value})

        assert str(caught.value).endswith(f"/a: {said}")

    def test_allows_the_greatest_integers(self) -> None:
        """The integers that every reader of JSON knows go up to a bound, on both sides."""
        fields = {"most": MAX_INTEGER, "least": -MAX_INTEGER}

        assert freeze(fields) == fields
        for beyond in (MAX_INTEGER + 1, -MAX_INTEGER - 1):
            with pytest.raises(InvalidValueError, match="/a/0/b: the integer is too large"):
                freeze({"a": [{"b": beyond}]})

    def test_refuses_a_circle(self) -> None:
        """A list or an object that contains itself is refused, not followed for ever."""
        circle: dict[str, Any] = {"a": []}
        circle["a"].append(circle)

        with pytest.raises(InvalidValueError, match="contain themselves"):
            freeze({"Name": circle})
        with pytest.raises(InvalidValueError, match="contain themselves"):
            freeze(circle)

    def test_allows_the_greatest_depth(self) -> None:
        """Lists and objects may be nested 32 deep."""
        assert freeze({"Name": nested(MAX_DEPTH)}) == {"Name": nested(MAX_DEPTH)}

    @pytest.mark.parametrize(
        "value",
        [
            "x" * 10_000_000,
            "ö" * (MAX_BYTES // 2),
            [0] * 1_000_000,
            [{}] * 1_000_000,
            {"k" * 10_000_000: 1},
            [Ref.of("Account", "x" * 255)] * 5000,
        ],
        ids=["text", "utf-8", "numbers", "objects", "key", "references"],
    )
    def test_refuses_what_is_too_large(self, value: object) -> None:
        """A change holds at most 1 MiB of text and structure, counted as UTF-8."""
        with pytest.raises(InvalidValueError, match="more than 1048576 bytes") as caught:
            freeze({"a/b": value})

        assert caught.value.path == "/a~1b"

    def test_counts_all_fields_together(self) -> None:
        """The limit is for the change, not for each of its fields."""
        half = "x" * (MAX_BYTES // 2)

        assert freeze({"a": half}) == {"a": half}
        with pytest.raises(InvalidValueError) as caught:
            freeze({"a": half, "b": half}, record="Account:1")

        assert str(caught.value) == (
            f"Account:1 /b: the change holds more than {MAX_BYTES} bytes; "
            "keep large content elsewhere and its address in the record"
        )
        assert caught.value.record == "Account:1"

    def test_counts_the_names_of_fields(self) -> None:
        """A field with nothing in it takes place by its name, and is told by it."""
        many = {f"{number:0>128}": None for number in range(MAX_BYTES // 128)}

        with pytest.raises(InvalidValueError, match=r"/0+\d+: the change holds more than"):
            freeze(many)

    @pytest.mark.parametrize("fields", [None, 5, "Name", [("Name", 1)], {1}])
    def test_refuses_what_is_no_mapping(self, fields: Any) -> None:  # noqa: ANN401
        """Fields are a mapping of names to values."""
        with pytest.raises(InvalidValueError) as caught:
            freeze(fields, record="Account:1")

        assert str(caught.value) == (
            f"Account:1 /: the fields are a value of type {type(fields).__name__}; "
            "give a mapping of field names to values, such as a dict"
        )

    def test_takes_any_mapping(self) -> None:
        """The fields themselves may be any mapping; they are stored as a dict."""
        frozen = freeze(OrderedDict(Name="Acme"))

        assert type(frozen) is dict
        assert frozen == {"Name": "Acme"}


class TestCopied:
    """Copies of what can change."""

    VALUE: Final = {"a": [1, {"b": [2, [3]]}], "c": {"d": {"e": 4}}, "f": "x", "g": None}

    @pytest.mark.parametrize("value", [VALUE, [VALUE, 5, [6]], {"f": 1}, {}, []])
    def test_shares_nothing_that_can_change(self, value: Any) -> None:  # noqa: ANN401  JSON
        """V1: a copy is equal, and every list and object in it is another one."""
        made = copied(value)

        assert made == value
        assert not {*containers(made)} & {*containers(value)}


def containers(value: Any) -> Iterator[int]:  # noqa: ANN401  JSON
    """Yield the identity of each list and each object in a value."""
    if isinstance(value, dict | list):
        yield id(value)
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


class TestReferences:
    """Where references stand."""

    VALUE: Final = {"a": [ACME, {"b/c": ACME}], "d~e": {"f": ACME}, "g": ["Account:1"], "h": ACME}
    PLACES: Final = ("/a/0", "/a/1/b~1c", "/d~0e/f", "/h")

    def test_are_found_and_restored(self) -> None:
        """V2: every reference has a place, at which its text becomes one again; no other does."""
        text = json.loads(json.dumps(self.VALUE))

        restore(text, self.PLACES)

        assert tuple(references(self.VALUE)) == tuple((place, ACME) for place in self.PLACES)
        assert text == self.VALUE
        assert tuple(references(text)) == tuple(references(self.VALUE))

    def test_in_a_part_of_an_event(self) -> None:
        """A place in a part is told as one in the whole; nothing has none."""
        assert places_of("fields", {"a": [1, ACME]}) == ("/fields/a/1",)
        assert places_of("fields", None) == ()
        assert tuple(references({"a": 1, "b": "Account:1"})) == ()


class TestRestore:
    """Texts become references again where they were, and nowhere else."""

    @pytest.mark.parametrize(
        "place", ["", "/", "/b", "/a/x", "/a/1", "/a/0/0", "/n", "/n/0", "/d/x/y", "/a"]
    )
    def test_refuses_a_place_without_text(self, place: str) -> None:
        """V2: where no text stands at a place, the data is not what was written."""
        with pytest.raises((LookupError, TypeError, ValueError)):
            restore({"a": ["t"], "n": 1, "d": {"x": None}}, (place,))

    def test_looks_like_one_but_is_none(self) -> None:
        """A text that looks like a reference stays a text."""
        assert list(references({"a": "Account:1", "b": [Ref("Account:2")]})) == [
            ("/b/0", Ref("Account:2"))
        ]
        assert list(references("Account:1")) == []


class TestSame:
    """Equality as JSON has it."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (1, True),
            (1, 1.0),
            (0, False),
            (0.0, -0.0),
            ("Account:1", Ref("Account:1")),
            ([1], [True]),
            ([1], [1, 2]),
            ({"a": 1}, {"a": 1.0}),
            ({"a": 1}, {"b": 1}),
            (None, 0),
            ([], {}),
        ],
    )
    def test_differ(self, one: object, other: object) -> None:
        """What Python takes for equal may be different JSON."""
        assert not same(one, other)
        assert not same(other, one)

    def test_order_of_names_does_not_count(self) -> None:
        """Objects with the same fields in another order are the same."""
        assert same({"a": 1, "b": [1.5, None]}, {"b": [1.5, None], "a": 1})
