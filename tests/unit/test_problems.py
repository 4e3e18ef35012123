"""What the body of a refusal says, in every style that services have, and in none."""

from __future__ import annotations

import json
from time import process_time
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.events import FieldMessage
from journal.remotes.pages import MAX_READ, is_page
from journal.remotes.problems import (
    MAX_MESSAGES,
    MAX_TEXT,
    field_messages,
    is_error,
    json_of,
    summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES: Final = ("title", "n", "city", "Name", "email")
KINTO: Final = {"code": 400, "errno": 107, "error": "Invalid parameters"}

STYLES: Final[dict[str, tuple[Any, list[tuple[str, ...]]]]] = {
    "RFC 9457": (
        {
            "type": "https://example.com/validation",
            "title": "Not valid",
            "status": 422,
            "errors": [
                {"detail": "must be positive", "pointer": "#/n"},
                {"detail": "no colour", "pointer": "#/profile/0/color"},
            ],
        },
        [("n", "must be positive"), ("profile.color", "no colour")],
    ),
    "RFC 9457 alone": (
        {"type": "about:blank", "title": "Bad", "detail": "Very bad", "status": 422},
        [("", "Very bad")],
    ),
    "RFC 7807": (
        {"type": "https://e.com/x", "invalid-params": [{"name": "n", "reason": "too large"}]},
        [("n", "too large")],
    ),
    "OData": (
        {
            "error": {
                "code": "501",
                "message": "Unsupported",
                "details": [{"code": "301", "target": "title", "message": "not here"}],
                "innererror": {"message": "of no use"},
            }
        },
        [("title", "not here", "301")],
    ),
    "FHIR": (
        {
            "resourceType": "OperationOutcome",
            "issue": [
                {
                    "severity": "error",
                    "code": "code-invalid",
                    "diagnostics": "Unknown code 'yes'",
                    "expression": ["Patient.title"],
                }
            ],
        },
        [("title", "Unknown code 'yes'", "code-invalid")],
    ),
    "an error for each record of a request": (
        {
            "data": [
                {
                    "code": "INVALID_DATA",
                    "details": {"expected_data_type": "email", "api_name": "email"},
                    "message": "invalid data",
                    "status": "error",
                }
            ]
        },
        [("email", "invalid data", "INVALID_DATA")],
    ),
    "words in details": (
        {
            "message": "Validation error",
            "details": {
                "errors": [
                    {
                        "name": "type",
                        "type": "Integer",
                        "details": "The type is incorrect",
                        "path": ["fields", "n", "en-US"],
                    }
                ]
            },
        },
        [("n", "The type is incorrect", "Integer")],
    ),
    "the same twice": (
        {
            "error": {
                "code": 400,
                "message": "Invalid colour",
                "errors": [{"reason": "invalid", "message": "Invalid colour"}],
            }
        },
        [("", "Invalid colour", "400")],
    ),
    "the same with a field and without": (
        {
            "message": "too long",
            "errors": [{"message": "too long"}, {"field": "n", "message": "too long"}],
        },
        [("n", "too long")],
    ),
    "OData alone": (
        {"error": {"code": "501", "message": "Unsupported", "target": "query"}},
        [("", "Unsupported", "501")],
    ),
    "JSON:API": (
        {
            "errors": [
                {
                    "status": "422",
                    "source": {"pointer": "/data/attributes/title"},
                    "title": "Invalid",
                    "detail": "too long",
                    "code": "E1",
                },
                {"source": {"parameter": "include"}, "title": "Bad"},
            ]
        },
        [("title", "too long", "E1"), ("include", "Bad")],
    ),
    "SCIM": (
        {"scimType": "uniqueness", "detail": "userName taken", "status": "409"},
        [("", "userName taken", "uniqueness")],
    ),
    "Salesforce": (
        [
            {"message": "is missing", "errorCode": "MISSING", "fields": ["Name", "email"]},
            {"message": "no", "errorCode": "NO", "fields": []},
            {"errorCode": "ALONE"},
        ],
        [
            *[("Name", "is missing", "MISSING"), ("email", "is missing", "MISSING")],
            *[("", "no", "NO"), ("", "ALONE")],
        ],
    ),
    "Django": (
        {"title": ["This field is required."], "non_field_errors": ["they differ"]},
        [("title", "This field is required."), ("", "they differ")],
    ),
    "Django, nested": ({"address": {"city": ["required"]}}, [("city", "required")]),
    "Django, standardised": (
        {"type": "x", "errors": [{"code": "required", "detail": "d", "attr": "address.city"}]},
        [("city", "d", "required")],
    ),
    "Rails": (
        {"errors": {"title": ["can't be blank"], "base": ["all of it"]}},
        [("title", "can't be blank"), ("", "all of it")],
    ),
    "Laravel": (
        {"message": "invalid", "errors": {"title": ["a", "b"], "items.0.name": ["c"], "x": 1}},
        [("title", "a"), ("title", "b"), ("Name", "c")],
    ),
    "Eve": (
        {"_issues": {"title": "required field"}, "_error": {"code": 422, "message": "failed"}},
        [("title", "required field"), ("", "failed")],
    ),
    ".NET": (
        {"title": "One or more.", "status": 400, "errors": {"Title": ["is required"]}},
        [("title", "is required")],
    ),
    ".NET, older": ({"Message": "x", "ModelState": {"note.Title": ["bad"]}}, [("title", "bad")]),
    "Spring": (
        {"timestamp": "t", "status": 404, "error": "Not Found", "path": "/api/notes"},
        [("", "Not Found")],
    ),
    "Symfony": (
        {"violations": [{"propertyPath": "title", "message": "blank", "code": "c"}], "title": "x"},
        [("title", "blank", "c")],
    ),
    "FastAPI": (
        {"detail": [{"loc": ["body", 0, "title"], "msg": "required", "type": "missing"}]},
        [("title", "required", "missing")],
    ),
    "Nest": (
        {"message": ["a is bad", "b is bad"], "error": "Bad Request", "statusCode": 400},
        [("", "Bad Request"), ("", "a is bad"), ("", "b is bad")],
    ),
    "Express": ({"name": "ValidationError", "message": "no"}, [("", "no")]),
    "Zod": (
        {"error": {"issues": [{"code": "small", "path": ["title"], "message": "m"}]}},
        [("title", "m", "small")],
    ),
    "Kinto": (
        {
            **KINTO,
            "message": "n in body: no integer",
            "details": [{"location": "body", "name": "n", "description": "no integer"}],
        },
        [("n", "no integer")],
    ),
    "Kinto, modified": (
        {"errno": 114, "message": "modified", "details": {"existing": {"title": "theirs"}}},
        [("", "modified", "114")],
    ),
    "Kinto, missing": (
        {**KINTO, "code": 422, "errno": 110, "details": {"id": "nope", "resource_name": "record"}},
        [("", "Invalid parameters", "110")],
    ),
    "Datasette": (
        {"ok": False, "error": "UNIQUE failed: t.title", "errors": ["UNIQUE failed: t.title"]},
        [("title", "UNIQUE failed: t.title")],
    ),
    "Datasette, unknown": (
        {"ok": False, "errors": ["Row 0 has invalid columns: zz"]},
        [("", "Row 0 has invalid columns: zz")],
    ),
    "GraphQL": (
        {
            "data": None,
            "errors": [
                {
                    "message": "bad",
                    "path": ["createNote"],
                    "extensions": {"code": "BAD_USER_INPUT", "argumentName": "title"},
                },
                {"message": "worse", "path": ["createNote"]},
            ],
        },
        [("title", "bad", "BAD_USER_INPUT"), ("createNote", "worse")],
    ),
    "GraphQL, in the result of a mutation": (
        {"data": {"result": {"messages": [{"kind": "V", "field": "title", "message": "bad"}]}}},
        [("title", "bad")],
    ),
    "GraphQL, by a path": (
        {
            "data": {
                "edit": {"x": None, "userErrors": [{"field": ["x", "title"], "message": "bad"}]}
            }
        },
        [("title", "bad")],
    ),
    "GraphQL, several of a field": (
        {"data": {"edit": {"ok": False, "errors": [{"field": "title", "messages": ["bad"]}]}}},
        [("title", "bad")],
    ),
    "OData 2": (
        {"error": {"code": "005", "message": {"lang": "en", "value": "Name is bad"}}},
        [("Name", "Name is bad", "005")],
    ),
    "OData 3": (
        {"odata.error": {"code": "Exists", "message": {"lang": "en", "value": "is there"}}},
        [("", "is there", "Exists")],
    ),
    "JSON-RPC": (
        {"id": 1, "error": {"code": 200, "message": "Failed", "data": {"message": "title is bad"}}},
        [("title", "title is bad")],
    ),
    "JSON-RPC, whose data is no error": (
        {"id": 1, "error": {"code": 200, "message": "Failed", "data": {"title": "a"}}},
        [("", "Failed", "200")],
    ),
    "members around members": (
        {"a": {"b": {"c": {"d": {"messages": [{"msg": "bad"}]}}}}},
        [("a.b.c.d.messages", "bad")],
    ),
    "messages of a field": ({"city": {"messages": [{"msg": "bad"}]}, "m": 1}, [("city", "bad")]),
    "CouchDB": ({"error": "conflict", "reason": "an update"}, [("", "an update", "conflict")]),
    "OAuth": (
        {"error": "invalid_grant", "error_description": "expired"},
        [("", "expired", "invalid_grant")],
    ),
    "Stripe": (
        {"error": {"type": "t", "message": "Missing", "param": "title", "code": "missing"}},
        [("title", "Missing", "missing")],
    ),
    "Google": (
        {
            "error": {
                "code": 422,
                "message": "Invalid",
                "status": "INVALID_ARGUMENT",
                "details": [{"fieldViolations": [{"field": "title", "description": "too long"}]}],
            }
        },
        [("title", "too long")],
    ),
    "Google, older": (
        {
            "error": {
                "errors": [
                    {
                        "domain": "global",
                        "reason": "required",
                        "message": "Required",
                        "locationType": "parameter",
                        "location": "title",
                    }
                ]
            }
        },
        [("title", "Required", "required")],
    ),
    "Okta": (
        {"errorCode": "E1", "errorSummary": "failed: login"},
        [("", "failed: login", "E1")],
    ),
    "Roundup": ({"error": {"status": 422, "msg": "no such note"}}, [("", "no such note")]),
    "a map in a message": ({"message": {"title": "required"}}, [("title", "required")]),
    "a map in an error": ({"error": {"title": ["bad"]}}, [("title", "bad")]),
    "a map of errors": ({"errors": {"title": {"message": "bad"}}}, [("title", "bad")]),
    "an error in a map": ({"errors": {"message": "bad", "code": "x"}}, [("", "bad", "x")]),
    "a field called as a text": ({"title": "must not be empty"}, [("title", "must not be empty")]),
    "a text of errors": ({"errors": "just text"}, [("", "just text")]),
    "a code beside its message": (
        {"errors": [{"field": "A", "message": "b"}, {"message": "c"}], "detail": "x"},
        [("A", "b"), ("", "c")],
    ),
}


def told(body: bytes, *names: str) -> list[tuple[str, ...]]:
    """Return the messages in short: field, message, and a code where there is one."""
    found = field_messages(body, 422, names)
    return [(m.field, m.message, m.code) if m.code else (m.field, m.message) for m in found]


@pytest.mark.parametrize("style", STYLES)
def test_styles(style: str) -> None:
    """Each style says of which field it speaks, what is wrong with it, and by what code."""
    body, messages = STYLES[style]

    assert told(json.dumps(body).encode(), *NAMES) == messages


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the remote answered 422"),
        (b" \r\n", "the remote answered 422"),
        (b"null", "the remote answered 422"),
        (b"{}", "the remote answered 422"),
        (b"[[]]", "the remote answered 422"),
        (b"NaN", "the remote answered 422"),
        (b'{"a": NaN, "b": 1}', "the remote answered 422"),
        (b'"a text"', "a text"),
        (b"two\r\n  lines", "two lines"),
        (b"\xef\xbb\xbf" + b'{"detail": "marked"}', "marked"),
        ('{"detail": "wide"}'.encode("utf-16"), "wide"),
        (b'{"detail": "bad \xff\xfe"}', "bad \ufffd\ufffd"),
        (b'{"detail": "a", "detail": "b"}', "b"),
        (b'{"detail": "lone \\ud800"}', '{"detail": "lone \\ud800"}'),
        (b'{"detail": ', '{"detail":'),
        (b"<html><head><title>502\n Bad&nbsp;Gateway</title><h1>x", "502 Bad Gateway"),
        (b"<!DOCTYPE html><h1>Log <b>in</b></h1>", "Log in"),
        (b"<?xml version='1.0'?><e><m>Wrong</m></e>", "Wrong"),
        (b"<p>just <b>this</b></p><script>not this</script><style>nor", "just this"),
        (b"<title>open", "open"),
        (b"5 < 6", "5 < 6"),
    ],
)
def test_what_is_no_style(body: bytes, message: str) -> None:
    """Pages say their title, texts their words, and nothing is said to be the status."""
    assert told(body) == [("", message)]


@pytest.mark.parametrize(
    ("text", "names", "field"),
    [
        ("NOT NULL constraint failed: notes.title", ["title", "body"], "title"),
        ("subtitle is wrong", ["title"], ""),
        ("title-case is wrong", ["title"], ""),
        ("title and body are wrong", ["title", "body"], ""),
        ("the id is wrong", ["id"], ""),
        ("the 'id' is wrong", ["id"], "id"),
        ("a is wrong", ["a"], ""),
        ("`a` is wrong", ["a"], "a"),
        ("Title is wrong", ["title"], ""),
        ("a.*b is wrong", ["a.*b"], "a.*b"),
    ],
)
def test_a_field_is_guessed_by_its_name(text: str, names: list[str], field: str) -> None:
    """M3: only one of the draft's own names, standing in the text as a word, is a field."""
    assert told(text.encode(), *names) == [(field, text)]
    assert told(text.encode()) == [("", text)]


def test_names_that_differ_in_case() -> None:
    """A field is called as the draft calls it; its own spelling comes first."""
    body = b'{"errors": {"NAME": ["a"], "name": ["b"], "Name": ["c"]}}'

    assert told(body, "name", "Name") == [("name", "a"), ("name", "b"), ("Name", "c")]


def test_a_message_is_told_once() -> None:
    """The same words about the same field are one message."""
    assert told(b'[{"message": "a"}, {"message": "a"}, "a"]') == [("", "a")]


def test_a_summary() -> None:
    """What a body says fits into a line."""
    assert summary(b'{"error": "invalid_grant", "error_description": "no"}', 400) == (
        "no (invalid_grant)"
    )
    assert summary(b'["a", "b", "c", "d"]', 400) == "a; b; c"
    assert summary(b"", 400) == ""
    assert summary(b'{"message": "no", "code": "404"}', 404) == "no"


def test_json_of_what_is_none() -> None:
    """What is no JSON, or too much of it, is none."""
    assert json_of(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert json_of(b"{") is None
    assert json_of(b'"' + b"x" * 1_048_576 + b'"') is None
    assert json_of(b"1" + b" " * (MAX_READ - 1)) == 1
    assert json_of(b"1" + b" " * MAX_READ) is None


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (b"<html>", True),
        (b" \n<!-- hello --><!DOCTYPE HTML PUBLIC", True),
        (b"<?xml version='1.0'?>\n<html xmlns='x'>", True),
        (b"\xef\xbb\xbf<head>", True),
        ("<html>".encode("utf-16"), True),
        (b"<records/>", False),
        (b'{"a": "<html>"}', False),
        (b"<htmlx>", False),
        (b"", False),
    ],
)
def test_a_page(body: bytes, is_one: bool) -> None:  # noqa: FBT001  a parameter of the test
    """A page of HTML is told by how it begins."""
    assert is_page(body) == is_one


MEMBERS: Final = [
    *["errors", "error", "detail", "details", "title", "message", "field", "fields", "path"],
    *["loc", "source", "pointer", "code", "type", "extensions", "name", "x"],
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "errors",
                    "error",
                    "detail",
                    "details",
                    "title",
                    "message",
                    "field",
                    "fields",
                    "path",
                    "loc",
                    "source",
                    "pointer",
                    "code",
                    "type",
                    "extensions",
                    "name",
                    "x",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)
bodies = (
    st.binary(max_size=200)
    | values.map(lambda value: json.dumps(value).encode())
    | st.text(st.sampled_from("<>/!?-title h1{}[]\"':,x"), max_size=200).map(str.encode)
)


@given(bodies, st.lists(st.text(min_size=1, max_size=6), max_size=4))
def test_whatever_the_body(body: bytes, names: list[str]) -> None:
    """M1, M2: whatever the bytes, there is a message, no error, and a bound."""
    found = field_messages(body, 500, names)

    assert 1 <= len(found) <= MAX_MESSAGES
    assert all(isinstance(message, FieldMessage) for message in found)
    assert all(0 < len(message.message) <= MAX_TEXT for message in found)
    assert all(len(m.field) <= MAX_TEXT and len(m.code) <= MAX_TEXT for m in found)
    assert isinstance(is_page(body), bool)
    assert len(summary(body, 500)) <= MAX_TEXT


@pytest.mark.parametrize(
    "evil",
    [
        *[b"[" + b"{}," * 340_000 + b"{}]", b"<a" * 100_000],
        *[b"<title" * 20_000, b"<" * 300_000, b"<script" * 30_000, b"<!--" * 50_000],
        *[b'{"a":' * 50_000, b"[1," * 60_000, b" " * 2_000_000, b"<a>" * 300_000],
        *[b"x" * 2_000_000, b"&amp;" * 100_000, b"\xff" * 500_000, b"<?" * 100_000],
        json.dumps({str(i): [{"x": ["y"] * 50}] * 50 for i in range(200)}).encode(),
        json.dumps([{"message": str(i)} for i in range(20_000)]).encode(),
        json.dumps({"errors": {f"f{i}": ["x" * 5_000] for i in range(100)}}).encode(),
        b'{"errors":' * 100 + b'["deep"]' + b"}" * 100,
        b'{"errors":' + b'{"a":' * 100 + b'["deep"]' + b"}" * 101,
    ],
    ids=lambda body: body[:8].decode("latin-1"),
)
def test_evil_bodies_cost_little(evil: bytes) -> None:
    """M2: no body costs more than it weighs; the bound is far above what any takes."""
    began_s = process_time()

    found = field_messages(evil, 500, NAMES)
    is_page(evil)

    assert process_time() - began_s < 2.0
    assert len(found) <= MAX_MESSAGES
    assert all(len(message.message) <= MAX_TEXT for message in found)


@pytest.mark.parametrize("name", ["why", "fault", "outcome"])
def test_words_inside_a_member_of_any_name(name: str) -> None:
    """Where the body itself has a code only, a member with a code and words says what is wrong."""
    body = json.dumps({"status": "ERR", name: {"code": "STALE", "text": "rev is 2"}}).encode()

    assert field_messages(body, 200) == (FieldMessage(message="rev is 2", code="STALE"),)


@pytest.mark.parametrize(("before", "field"), [(MAX_MESSAGES - 1, ""), (MAX_MESSAGES, "z")])
def test_among_how_many_members_it_is_looked_for(before: int, field: str) -> None:
    """M2: what stands behind so many is taken for what is wrong with a field of that name."""
    others: dict[str, Any] = {f"k{number}": {} for number in range(before)}
    body = json.dumps({**others, "z": {"code": "STALE", "message": "rev is 2"}}).encode()

    assert field_messages(body, 200)[0] == (
        FieldMessage(field=field, message="rev is 2", code="STALE")
    )


@pytest.mark.parametrize("inner", [{"code": 7}, {"text": "a note"}, "STALE"])
def test_a_member_that_is_no_error(inner: object) -> None:
    """A member without both is not taken for the words of an error."""
    body = json.dumps({"status": "ERR", "record": inner}).encode()

    assert field_messages(body, 200)[0].message == "ERR"


SAID: Final = {"message": "m"}
NESTS: Final[dict[str, tuple[Callable[[Any], Any], Any, int, str]]] = {
    "lists": (lambda inner: [inner], "m", 8, ""),
    "errors": (lambda inner: {"error": inner}, SAID, 8, ""),
    "maps of maps": (lambda inner: {"errors": inner}, {"n": "m"}, 7, "n"),
    "lists of errors": (lambda inner: {"errors": [inner]}, "m", 4, ""),
    "maps": (lambda inner: {"n": inner}, "m", 8, "n.n.n.n.n.n.n.n"),
    "maps of errors": (lambda inner: {"n": inner}, SAID, 8, "n.n.n.n.n.n.n.n"),
}
"""What may stand within itself: how, what it holds, how often, and which field it is about."""


@pytest.mark.parametrize("nest", NESTS)
def test_how_deep_a_message_may_stand(nest: str) -> None:
    """M2: what is so deep is told, and what is deeper is not."""
    around, inner, most, field = NESTS[nest]
    for _ in range(most):
        inner = around(inner)

    assert told(json.dumps(inner).encode()) == [(field, "m")]
    assert told(json.dumps(around(inner)).encode()) == [("", "the remote answered 422")]


def test_how_deep_more_may_be_told() -> None:
    """M2: of errors of JSON-RPC, each with more, no more are told than may stand so deep."""
    inner: Any = SAID
    for number in reversed(range(12)):
        inner = {"code": 1, "message": f"m{number}", "data": inner}

    assert [message for _, message, _ in told(json.dumps(inner).encode())] == [
        f"m{number}" for number in range(9)
    ]


@pytest.mark.parametrize(("lists", "message"), [(6, "deep"), (7, "m")])
def test_how_deep_within_a_member_of_any_name(lists: int, message: str) -> None:
    """M2: that member counts, too."""
    inner: Any = {"field": "n", "message": "deep"}
    for _ in range(lists):
        inner = [inner]
    body = {"outcome": {"code": 1, "message": "m", "errors": inner}}

    assert told(json.dumps(body).encode(), "n")[0][1] == message


@pytest.mark.parametrize(("count", "is_told"), [(1998, True), (1999, False)])
def test_how_many_parts_are_read(count: int, *, is_told: bool) -> None:
    """M2: a message after more than so many parts is not told; each map is such a part."""
    values = [*range(count), "m"]
    maps = {**{f"k{number}": {} for number in range(count - 1)}, "z": "m"}

    assert (told(json.dumps(values).encode()) == [("", "m")]) == is_told
    assert (told(json.dumps(maps).encode()) == [("z", "m")]) == is_told


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {"errors": {"n": {"code": 1, "message": "bad", "data": {"message": "too large"}}}},
            [("n", "too large")],
        ),
        ({"errors": {"n": {"message": "too large", "code": "E"}}}, [("n", "too large", "E")]),
        ({"errors": {"n": 1, "title": "bad"}}, [("title", "bad")]),
        ({"details": {"fieldViolations": ["too large"]}}, [("", "too large")]),
        ({"error": {"text": "too large"}}, [("", "too large")]),
        ({"message": "m", "code": "E", "data": {"message": "the note"}}, [("", "m", "E")]),
    ],
    ids=[
        "more of a field",
        "an error of a field",
        "a number",
        "violations",
        "an error",
        "a record",
    ],
)
def test_what_stands_in_a_map(body: object, messages: list[tuple[str, ...]]) -> None:
    """Each member is told as what it is; what says nothing is passed over."""
    assert told(json.dumps(body).encode(), "n", "title") == messages


@pytest.mark.parametrize(
    ("members", "is_one"),
    [
        ({"code": 1}, True),
        ({"errorCode": "E"}, True),
        ({"message": "no"}, True),
        ({"details": {}}, True),
        ({"message": 7}, True),
        ({"title": "a", "n": 1}, False),
    ],
    ids=str,
)
def test_an_object_that_is_an_error(members: dict[str, Any], *, is_one: bool) -> None:
    """Its members say so, by their names."""
    assert is_error(members) == is_one
