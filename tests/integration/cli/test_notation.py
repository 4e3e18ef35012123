"""The notation of fields (N1 to N3 of `journal.cli.notation`)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.cli.notation import parse, parse_all, written
from journal.errors import InvalidNameError, InvalidValueError, RefusedError
from journal.values import Ref, same

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_ .:@]{0,20}[A-Za-z0-9_]", fullmatch=True)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=6,
) | st.sampled_from([Ref("Account:acme"), Ref("User:a=b"), Ref("User:a:b")])


class TestParse:
    """One argument."""

    @pytest.mark.parametrize(
        ("argument", "name", "value"),
        [
            ("Name=Acme", "Name", "Acme"),
            ("Name=", "Name", ""),
            ("Name=a=b", "Name", "a=b"),
            ("Name=5", "Name", "5"),
            ("Name= null ", "Name", " null "),
            ("Count:=5", "Count", 5),
            ("Count:= 5.0", "Count", 5.0),
            ("Gone:=null", "Gone", None),
            ('Tags:=["a",{"b":true}]', "Tags", ["a", {"b": True}]),
            ('Handle:="@ann"', "Handle", "@ann"),
            ("Owner=@User:7", "Owner", Ref("User:7")),
            ("Owner=@User:a=b:c", "Owner", Ref("User:a=b:c")),
            ("a:b=c", "a:b", "c"),
            ("a:b:=1", "a:b", 1),
            ("dc@x=1", "dc@x", "1"),
        ],
    )
    def test_notations(self, argument: str, name: str, value: object) -> None:
        """A field is text, JSON or a reference, by how its = is written (N1, N2)."""
        parsed_name, parsed = parse(argument)

        assert (parsed_name, type(parsed)) == (name, type(value))
        assert same(parsed, value)

    @pytest.mark.parametrize(
        ("argument", "said"),
        [
            ("Name", "there is no = in it"),
            ("Count:=", "it is not JSON: expecting value at character 1"),
            ("Count:=five", "it is not JSON: expecting value at character 1"),
            ("Count:=NaN", "NaN is not a JSON number"),
            ("Count:=-Infinity", "-Infinity is not a JSON number"),
            ('Map:={"a":1,"a":2}', 'the key "a" stands twice in an object'),
            ("Count:=1 2", "extra data at character 3"),
            ("Deep:=" + "[" * 100_000, "nested too deep"),
            ("Long:=" + "9" * 5000, "a number has more than 400 digits"),
            ("Owner=@", "@ begins a reference"),
            ("Owner=@User", "write Owner=@Type:id, or Owner:='\"@…\"' for a text"),
        ],
    )
    def test_what_is_no_field_is_refused(self, argument: str, said: str) -> None:
        """What is none of the three notations is refused, and the text says what to write."""
        with pytest.raises(InvalidValueError) as refused:
            parse(argument)

        assert said in str(refused.value)

    @pytest.mark.parametrize("argument", ["=x", ":=1", "a;b=1", "a'b=1", "a--b=1"])
    def test_bad_names_are_refused(self, argument: str) -> None:
        """A name that is none for a field is refused."""
        with pytest.raises(RefusedError):
            parse(argument)

    @given(names, values)
    def test_written_fields_are_read_back(self, name: str, value: Any) -> None:  # noqa: ANN401
        """What is written in the notation is the same field when it is read (N3)."""
        parsed_name, parsed = parse(written(name, value))

        assert (parsed_name, type(parsed)) == (name, type(value))
        assert same(parsed, value)


class TestParseAll:
    """Several arguments."""

    def test_fields_in_order(self) -> None:
        """The fields come in the order of the arguments."""
        assert list(parse_all(["b=1", "a=2"]).items()) == [("b", "1"), ("a", "2")]

    def test_a_field_given_twice_is_refused(self) -> None:
        """A field that is given twice is refused, even with the same value."""
        with pytest.raises(InvalidValueError, match="/a: the field is given twice"):
            parse_all(["a=1", "a=1"])

    def test_a_bad_name_is_named(self) -> None:
        """The refused name is in the error."""
        with pytest.raises(InvalidNameError) as refused:
            parse_all(["a=1", 'b"=2'])

        assert refused.value.name == 'b"'
