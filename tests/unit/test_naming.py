"""Which field an error is about: by the paths that it holds, or by its words."""

from __future__ import annotations

from typing import Any

import pytest

from journal.remotes.naming import Names, plain_of, squeezed


def named(error: dict[str, Any], *names: str, is_item: bool = True) -> list[str]:
    """Return the fields that an error is about."""
    known = Names(names)
    return [known.named(steps) for steps in known.paths_in(plain_of(error), is_item=is_item)]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("title", "title"),
        ("#/title", "title"),
        ("$.title", "title"),
        ("$", ""),
        ("/data/attributes/title", "title"),
        ("body.title", "title"),
        ("BODY.title", "title"),
        ("address[0].city", "address.city"),
        ("items/0/name", "items.name"),
        ("/a~1b", "a/b"),
        ("/a~0b", "a~b"),
        ("/a~01b", "a~1b"),
        ("data", "data"),
        ("data.data", "data"),
        ("data.query", "query"),
        ("address.data", "address.data"),
        ("#title", "#title"),
    ],
)
def test_a_path_leads_from_the_record_on(path: str, field: str) -> None:
    """Without what is around a record, without numbers, and unescaped step by step."""
    assert named({"field": path}) == ([field] if field else [])


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        ({"source": {"pointer": "/data/attributes/title"}}, ["title"]),
        ({"source": {"parameter": "include"}}, ["include"]),
        ({"source": "title"}, []),
        ({"source": {"header": "title"}}, []),
        ({"loc": ["body", 0, "title"]}, ["title"]),
        ({"path": ["a.b", "c"]}, ["a.b.c"]),
        ({"field": ["x", "title"]}, ["x.title"]),
        ({"fields": ["title", "body.n", 5]}, ["title", "n"]),
        ({"location": "body", "name": "n"}, ["n"]),
        ({"location": "Query", "name": "n"}, ["n"]),
        ({"location": "Body", "key": "n"}, ["n"]),
        ({"location": "query"}, []),
        ({"location": "title"}, ["title"]),
        ({"location": "body.title"}, ["title"]),
        ({"location": "body.tags[3]"}, ["tags"]),
        ({"location": "a.b"}, ["a.b"]),
        ({"property_path": "title", "field": ""}, ["title"]),
        ({"Field-Name": "title"}, ["title"]),
        ({"field": 5}, []),
        ({"details": {"field": "n", "path": "x"}}, ["n"]),
        ({"details": {"fields": ["a", "b"]}}, ["a"]),
        ({"details": {"path": "n"}}, []),
        ({"details": {"source": {"pointer": "/n"}}}, ["n"]),
        ({"extensions": {"argumentName": "title"}, "path": ["createNote"]}, ["title"]),
        ({"extensions": {"path": "title"}, "path": ["createNote"]}, []),
        ({"extensions": {}, "path": ["createNote"]}, []),
    ],
)
def test_where_an_error_says_it(error: dict[str, Any], fields: list[str]) -> None:
    """In the first member that does, whatever its style; a path of a query is none of a record."""
    assert named(error) == fields


@pytest.mark.parametrize(
    ("error", "is_item", "fields"),
    [
        ({"path": "/api/notes"}, False, []),
        ({"path": "/api/notes"}, True, ["api.notes"]),
        ({"path": "/api/title"}, False, ["title"]),
        ({"name": "ValidationError"}, False, []),
        ({"name": "Title"}, False, ["title"]),
        ({"name": "ValidationError", "argument": "title"}, False, ["title"]),
        ({"field": "other"}, False, ["other"]),
    ],
)
def test_a_word_that_may_mean_something_else(
    error: dict[str, Any],
    is_item: bool,  # noqa: FBT001  a parameter of the test
    fields: list[str],
) -> None:
    """It means a field in a list of errors, or where the draft has such a field."""
    assert named(error, "title", is_item=is_item) == fields


def test_a_field_that_is_called_as_a_part_of_an_error() -> None:
    """Where the draft has a field `details`, what stands there is its value."""
    assert named({"details": {"field": "n"}}, "details") == []
    assert named({"details": {"field": "n"}}, "other") == ["n"]


def test_a_field_is_called_as_the_draft_calls_it() -> None:
    """Its own spelling first, then whatever the case; another name stays as it was told."""
    names = Names(["Name", "name", "City"])

    assert names.named(("name",)) == "name"
    assert names.named(("CITY",)) == "City"
    assert names.named(("address", "city")) == "City"
    assert names.named(("address", "street")) == "address.street"


@pytest.mark.parametrize(
    ("key", "path"),
    [("a.b", ["a.b"]), ("A.B", ["A.B"]), ("c.d", ["c", "d"]), ("body.x", ["x"]), ("0", ["0"])],
)
def test_a_key_of_a_map_is_a_path(key: str, path: list[str]) -> None:
    """Unless the draft has a field of that very name."""
    assert Names(["a.b"]).path_of(key) == path


@pytest.mark.parametrize(
    ("text", "names", "field"),
    [
        ("ab is wrong", ["ab"], "ab"),
        ("'to' is wrong", ["to"], "to"),
        ("to is wrong", ["to"], ""),
        ("x is wrong", ["x"], ""),
        ('"x" is wrong', ["x"], "x"),
        ("'x\" is wrong", ["x"], ""),
        ("my-ab is wrong", ["ab"], ""),
        ("abc is wrong", ["ab"], ""),
    ],
)
def test_a_word_of_a_text(text: str, names: list[str], field: str) -> None:
    """A name is a field where it is a word; an ordinary or a short one where it is quoted."""
    assert Names(names).guessed(text) == field


def test_what_stands_for_the_whole_record() -> None:
    """Names by which maps speak of all of it, unless the draft has a field of that name."""
    assert Names([]).is_whole("non_field_errors")
    assert Names([]).is_whole("")
    assert not Names(["base"]).is_whole("base")
    assert not Names([]).is_whole("title")
    assert Names(["a", "b"]).are_all({"A": 1, "base": 2})
    assert not Names(["a"]).are_all({"a": 1, "c": 2})
    assert not Names(["a"]).are_all({"base": 1})


def test_keys_in_all_styles() -> None:
    """Styles differ in case and in what stands between words; the first of two counts."""
    assert squeezed("Error-Code_x") == "errorcodex"
    assert plain_of({"errorCode": 1, "error_code": 2, "b": 3}) == {"errorcode": 1, "b": 3}
    assert len(plain_of({f"k{number}": 0 for number in range(5000)})) == 2000
