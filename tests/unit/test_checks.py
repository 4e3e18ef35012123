"""What a profile must not say, though each key of it is fine, and what to say instead."""

from __future__ import annotations

from typing import Any, Final

import pytest

from journal.remotes import Profile
from journal.remotes.checks import mistakes
from journal.remotes.placeholders import Mistake

URL: Final = "https://a.example"
POST: Final = {"method": "POST", "path": "/{type}", "body": '{"key": "{key}", "is": "{fields}"}'}
PLAIN: Final = {"method": "POST", "path": "/{type}"}
DRAFT: Final = {"headers": {"Idempotency-Key": "{draft}"}}
FIND: Final = {"path": "/{type}?key={key}"}
OWN: Final = {"id": "/id", "key": "/key"}
OPERATIONS: Final = {
    "body": '"{operations}"',
    "set": '{"op": "replace", "path": "/{pointer}", "value": "{value}"}',
    "unset": '{"op": "remove", "path": "/{pointer}"}',
}
VERSIONED: Final = {"path": "/{type}/{id}?version={version}"}
ALL_RECORDS: Final = (
    "the request must hold {id} or {key}: without it, it would be about all records"
)
ANYWHERE: Final = "write it into the path, the query or the body"
HIDDEN: Final = "must show the record and its fields: on any doubt, a read decides"
KEYLESS: Final = Mistake(
    "answer.key",
    "must say where an answer shows our key, for [find] looks for it",
    'such as key = "/externalId": a hit is believed only if it shows our key',
)
UNKNOWN: Final = "needs {draft} in the request, by which the service knows it again"
LOOK: Final = "add [find] with a path that holds {key}, or read by {key}"
UNVERSIONED: Final = "say where an answer shows the version"
UNSENT: Final = Mistake(
    "version.condition",
    "is none, and update has no {version}: it would be read, but never be sent, and changes of "
    "others would be overwritten",
    "send it as {version}, or leave version.condition out",
)
UNSAID: Final = Mistake(
    "version.condition",
    "must be said: update has {version}, and delete has not; sent as If-Match, which such a "
    "service seldom heeds, it would not keep a delete from others' changes",
    "send {version} with delete, or say condition = 'none', and the record is read and compared "
    "right before it; or 'If-Match', if the service heeds it",
)
NO_OPERATION: Final = Mistake(
    "update.unset",
    "must be the operation that unsets a field, for there is update.set",
    """such as unset = '{"op": "remove", "path": "/{pointer}"}'""",
)
WORD: Final = "say what stands for it"


def found(said: dict[str, Any]) -> list[Mistake]:
    """Return what is wrong with a profile."""
    return list(mistakes(Profile.model_validate({"url": URL, **said})))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"create": POST, "find": FIND, "answer": OWN},
        {"create": {**PLAIN, **DRAFT, "is_repeatable": True}, "answer": OWN},
        {"create": {**PLAIN, "on_doubt": "hold"}, "answer": OWN},
        {"create": {**POST, "looks_first": True}, "find": FIND, "answer": OWN},
        {"create": POST, "read": {"key_path": "/{type}/by/{key}"}, "answer": OWN},
        {"create": POST, "read": {"path": "/{type}/{key}"}, "answer": OWN},
        {"find": {"path": "/{type}", "lists_all": True}, "answer": {"key": "/key"}},
        {"find": FIND, "answer": {"key": "/key"}},
        {"update": {**DRAFT, "is_repeatable": True}, "delete": {**DRAFT, "is_repeatable": True}},
        {"update": {"headers": {"Key": "{draft.uuid}"}, "is_repeatable": True}},
        {"update": OPERATIONS},
        {"update": {"body": '"{record}"', "unset": "omit"}},
        {"update": {"unset": "null"}},
        {"update": {**VERSIONED, "body": '"{fields}"'}, "delete": VERSIONED},
        {"update": VERSIONED, "version": {"condition": "If-Match"}},
        {"update": VERSIONED, "version": {"condition": "none"}},
        {"update": {"headers": {"If-Version": "{version}"}}},
        {"answer": {"version": "none"}, "version": {"condition": "none"}},
        {
            "answer": {"version": {"a": "/a"}},
            "update": {"path": "/{type}/{id}?a={version.a}"},
            "delete": {"path": "/{type}/{id}?a={version.a}"},
        },
        {"types": {"A": {"fields": {"a": {"name": "b"}, "b": {"name": "a"}}}}},
        {"types": {"A": {"fields": {"a": {"name": "x", "shown_as": "x"}}}}},
        {"types": {"A": {"fields": {"a": {"write": '{"is": "{value}"}', "unset": '""'}}}}},
        {"types": {"A": {"words": {"one": "a"}}}, "read": {"path": "/{type.one}/{id}"}},
    ],
    ids=str,
)
def test_what_can_be_said(said: dict[str, Any]) -> None:
    """Ways that services have, none of which loses or doubles a change."""
    assert found(said) == []


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"update": {"path": "/{type}"}}, [Mistake("update.path", ALL_RECORDS, ANYWHERE)]),
        ({"delete": {"path": "/{type}"}}, [Mistake("delete.path", ALL_RECORDS, ANYWHERE)]),
        ({"read": {"path": "/{type}"}}, [Mistake("read.path", ALL_RECORDS, ANYWHERE)]),
        ({"read": {"answer": {"record": "none"}}}, [Mistake("read.answer", HIDDEN)]),
        ({"read": {"answer": {"fields": "none"}}}, [Mistake("read.answer", HIDDEN)]),
        (
            {"read": {"key_path": "/{type}/by"}},
            [Mistake("read.key_path", "the request must hold {key}")],
        ),
        (
            {"find": {"path": "/{type}"}, "answer": {"key": "/key"}},
            [
                Mistake(
                    "find.path",
                    "the request must hold {key}",
                    "or say lists_all = true, if it lists all",
                )
            ],
        ),
        ({"find": FIND}, [KEYLESS]),
    ],
    ids=str,
)
def test_which_record_a_request_is_about(said: dict[str, Any], wrong: list[Mistake]) -> None:
    """A request names its record, a read shows it, and a hit shows our key."""
    assert found(said) == wrong


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_what_is_repeated_is_known_again(verb: str) -> None:
    """A service makes one change of two requests by something that both have."""
    hint = f"such as [{verb}.headers] Idempotency-Key = '{{draft}}'"

    assert found({verb: {"is_repeatable": True}}) == [
        Mistake(f"{verb}.is_repeatable", UNKNOWN, hint)
    ]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (
            {"create": {"body": '"{key}"'}},
            [Mistake("create.body", "must hold {fields}: else nothing of the record is sent")],
        ),
        (
            {"create": {"path": "/{type}/{id}?k={key}"}, "find": FIND, "answer": OWN},
            [
                Mistake(
                    "create.path",
                    "has {id}, but answer.id says that the service gives it",
                    "send our key as {key}, and use a path without the id",
                )
            ],
        ),
        (
            {
                "create": {**POST, **DRAFT, "is_repeatable": True, "looks_first": True},
                "answer": OWN,
            },
            [
                Mistake(
                    "create.looks_first",
                    "needs a way to look for a record of which only our key is known",
                    LOOK,
                )
            ],
        ),
        (
            {"create": {"looks_first": True, "on_doubt": "hold"}},
            [Mistake("create.looks_first", "and create.on_doubt = 'hold' exclude each other")],
        ),
        (
            {"create": PLAIN},
            [
                Mistake(
                    "create.body",
                    "must hold {key}: a create whose answer is lost could only make a second "
                    "record",
                    "send our key, or set create.is_repeatable with {draft}, or "
                    "create.on_doubt = 'hold'",
                )
            ],
        ),
        (
            {"create": POST, "answer": OWN},
            [
                Mistake(
                    "find",
                    "is needed: after a create whose answer was lost, only our key is known",
                    LOOK,
                )
            ],
        ),
    ],
    ids=str,
)
def test_how_a_record_is_created_once(said: dict[str, Any], wrong: list[Mistake]) -> None:
    """It is known again after a lost answer, or is not sent a second time."""
    assert found(said) == wrong


@pytest.mark.parametrize(
    ("update", "wrong"),
    [
        (
            {"body": '{"a": 1}'},
            [Mistake("update.body", "must hold {fields}, {record} or {operations}")],
        ),
        (
            {"body": '"{operations}"'},
            [
                Mistake(
                    "update.set",
                    "is needed, for the request holds {operations}",
                    """such as set = '{"op": "replace", "path": "/{pointer}", "value": """
                    """"{value}"}'""",
                )
            ],
        ),
        (
            {**OPERATIONS, "body": '"{fields}"'},
            [Mistake("update.body", "must hold {operations}, for there is update.set")],
        ),
        ({**OPERATIONS, "unset": None}, [NO_OPERATION]),
        ({**OPERATIONS, "unset": "null"}, [NO_OPERATION]),
        ({**OPERATIONS, "unset": "omit"}, [NO_OPERATION]),
        (
            {"unset": "omit"},
            [
                Mistake(
                    "update.unset",
                    "omit would unset nothing: the field would only not be mentioned",
                    "name it by {unset} or {names}, or send the whole {record}",
                )
            ],
        ),
    ],
    ids=str,
)
def test_how_fields_are_set_and_unset(update: dict[str, Any], wrong: list[Mistake]) -> None:
    """A field that is unset is told to the service, in the way in which others are set."""
    assert found({"update": update}) == wrong


@pytest.mark.parametrize("name", ["unset", "unset.joined", "names", "names.joined"])
def test_what_is_left_out_may_be_named(name: str) -> None:
    """A service that is told the names knows which fields are to have no value."""
    body = f'{{"is": "{{fields}}", "names": "{{{name}}}"}}'

    assert found({"update": {"body": body, "unset": "omit"}}) == []


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (
            {"answer": {"version": "none"}, "update": VERSIONED, "delete": VERSIONED},
            [
                Mistake(
                    f"{verb}.path",
                    "has {version}, but answer.version says that there is none",
                    UNVERSIONED,
                )
                for verb in ("update", "delete")
            ],
        ),
        (
            {
                "answer": {"version": "none"},
                "update": {"body": '{"is": "{fields}", "v": "{version.a}"}'},
            },
            [
                Mistake(
                    "update.body",
                    "has {version.a}, but answer.version says that there is none",
                    UNVERSIONED,
                )
            ],
        ),
        (
            {
                "update": {"path": "/{type}/{id}?a={version.a}"},
                "delete": {"path": "/{type}/{id}?a={version.a}"},
            },
            [
                Mistake(
                    "answer.version",
                    f"has no part 'a', which {verb} sends as {{version.a}}",
                    "name it there",
                )
                for verb in ("update", "delete")
            ],
        ),
        (
            {
                "answer": {"version": {"b": "/b"}},
                "update": {"path": "/{type}/{id}?a={version.a}&b={version.b}"},
                "delete": {"path": "/{type}/{id}?b={version.b}"},
            },
            [
                Mistake(
                    "answer.version",
                    "has no part 'a', which update sends as {version.a}",
                    "name it there",
                )
            ],
        ),
        ({"version": {"condition": "none"}}, [UNSENT]),
        ({"update": VERSIONED}, [UNSAID]),
        (
            {
                "answer": {"version": "none"},
                "version": {"condition": "none", "is_required": True},
            },
            [Mistake("version.is_required", "needs answer.version, which is none")],
        ),
    ],
    ids=str,
)
def test_versions_are_shown_and_sent(said: dict[str, Any], wrong: list[Mistake]) -> None:
    """What is sent is shown somewhere, and what is shown is sent, or nothing heeds it."""
    assert found(said) == wrong


@pytest.mark.parametrize(
    "said",
    [
        {"read": {"path": "/{type.one}/{id}"}},
        {"read": {"key_path": "/{type.one}/{key}"}},
        {"answer": {"record": "/{type.one}"}},
        {"answer": {"version": {"a": "/{type.one}"}}},
        {"answer": {"own": ["/{type.one}"]}},
        {"find": {**FIND, "items": "/{type.one}"}, "answer": {"key": "/key"}},
        {
            "changes": {
                "path": "/{type}?since={since}",
                "since": "/at",
                "answer": {"key": "/id"},
                "deleted": "/{type.one}",
            }
        },
        {"meaning": ({"at": "/{type.one}", "is": 1, "means": "done"},)},
    ],
    ids=str,
)
def test_words_of_a_type_are_said_wherever_they_are_used(said: dict[str, Any]) -> None:
    """Of each type that the profile names."""
    types = {"A": {"words": {"one": "a"}}, "B": {"words": {"two": "b"}}}

    assert found({**said, "types": types}) == [
        Mistake("types.B.words", "has no 'one', which the profile uses as {type.one}", WORD)
    ]


def test_two_fields_have_two_names() -> None:
    """By which they are written, and by which they are shown; each that is not is told."""
    fields = {
        "a": {"name": "x"},
        "b": {"name": "x"},
        "c": {"name": "y", "shown_as": "x"},
        "d": {"shown_as": "y"},
        "y": {},
        "z": {"shown_as": "a"},
    }

    assert found({"types": {"A": {"fields": fields}}}) == [
        Mistake("types.A.fields.b.name", "is the name of a too"),
        Mistake("types.A.fields.c.shown_as", "is the name of b too"),
        Mistake("types.A.fields.d.shown_as", "is the name of c too"),
        Mistake("types.A.fields.y.name", "is the name of d too"),
    ]


@pytest.mark.parametrize(
    ("form", "key"), [({"write": '"{fields}"'}, "write"), ({"unset": '"{value}"'}, "unset")]
)
def test_what_a_field_is_written_by(form: dict[str, str], key: str) -> None:
    """By its value; where it has none, by nothing that is only known with one."""
    [wrong] = found({"types": {"A": {"fields": {"a": form}}}})

    assert wrong.key == f"types.A.fields.a.{key}"
