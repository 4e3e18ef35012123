"""What a single value of a profile must be, and which placeholders stand where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import RFC_4122, UUID

import pytest

from journal.remotes import Profile
from journal.remotes.constraints import (
    as_condition,
    as_tuple,
    checked_common,
    checked_headers,
    checked_json,
    checked_path,
    checked_pattern,
    checked_place,
    checked_pointer,
    checked_pointer_of_type,
    checked_time_form,
    checked_unset,
    checked_url,
    checked_version,
    several,
)
from journal.remotes.placeholders import (
    Mistake,
    has_version,
    holes_of,
    is_whole,
    placeholders,
    texts_of,
    unknown,
    uuid_of,
)
from journal.remotes.sections import Request

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://a.example"


@pytest.mark.parametrize(
    ("check", "value", "problem"),
    [
        (checked_url, "https://a.example/ö", "must be printable ASCII without spaces and back"),
        (checked_url, "https://a.example/\n", "must be printable ASCII without spaces and back"),
        (checked_url, "https://a.example/ a", "must be printable ASCII without spaces and back"),
        (checked_url, "https://a.example\\a", "must be printable ASCII without spaces and back"),
        (checked_url, "ftp://a.example", "must be an http or https URL"),
        (checked_url, "https://", "must be an http or https URL"),
        (checked_url, "https://ann@a.example", "must not hold credentials, a query or a fragment"),
        (checked_url, "https://a.example?x", "must not hold credentials, a query or a fragment"),
        (checked_url, "https://a.example#x", "must not hold credentials, a query or a fragment"),
        (checked_url, f"https://{'a' * 64}.example", "must name a host whose parts have 1 to 63"),
        (checked_url, "https://a.example:0", "must not name the port 0"),
        (checked_path, "a", "must begin with one slash"),
        (checked_headers, {"Cookie": "x"}, r"Cookie is a credential: say in \[auth\] where it is"),
        (checked_headers, {"HOST": "x"}, "HOST is set by the library$"),
        (
            checked_common,
            {"If-Match": "x"},
            "If-Match is set by the library; see version.condition",
        ),
        (checked_common, {"Host": "x"}, "Host is set by the library$"),
        (checked_json, "{", "is no JSON"),
        (checked_unset, "none", "is no JSON"),
        (checked_pattern, "(", "is no regular expression: missing"),
        (checked_version, {}, "must name its parts, as { seq = '/_seq_no' } does"),
        (checked_version, {"a": "/a~"}, "must write ~ as ~0"),
        (checked_version, 3, "must be a text"),
        (checked_place, "header:ETag", "must begin with a slash"),
        (checked_pointer, "a", "must begin with a slash"),
        (checked_pointer_of_type, "/{id}", r"has the unknown placeholder \{id\}"),
        (checked_pointer_of_type, "a", "must begin with a slash"),
        (checked_time_form, "days", "must be seconds, milliseconds, or a form such as %Y"),
    ],
)
def test_what_is_refused(check: Callable[[Any], object], value: object, problem: str) -> None:
    """A value that cannot be right is refused, with what it must be."""
    with pytest.raises(ValueError, match=f"^{problem}"):
        check(value)


@pytest.mark.parametrize(
    ("check", "value", "kept"),
    [
        (checked_url, "https://a.example/v1//", "https://a.example/v1"),
        (checked_url, "https://a.example/X", "https://a.example/X"),
        (checked_url, "http://[::1]:8000", "http://[::1]:8000"),
        (checked_path, "/{type}?x={id}", "/{type}?x={id}"),
        (checked_headers, {"Accept": "a", "If-Match": "b"}, {"Accept": "a", "If-Match": "b"}),
        (checked_common, {"Accept": "a"}, {"Accept": "a"}),
        (checked_json, '{"a": "{id}"}', '{"a": "{id}"}'),
        (checked_unset, "null", "null"),
        (checked_unset, "omit", "omit"),
        (checked_unset, '""', '""'),
        (checked_pattern, "[a-z]+", "[a-z]+"),
        (checked_version, "header:ETag", "header:ETag"),
        (checked_version, {"a": "/a", "b": ["/b", "/c"]}, {"a": "/a", "b": ("/b", "/c")}),
        (checked_place, "/{type.one}/data", "/{type.one}/data"),
        (checked_place, "none", "none"),
        (checked_pointer, "/a~1b", "/a~1b"),
        (checked_pointer_of_type, "/{type}/a", "/{type}/a"),
        (checked_time_form, "seconds", "seconds"),
        (checked_time_form, "milliseconds", "milliseconds"),
        (checked_time_form, "%Y", "%Y"),
        (as_condition, "/gone", {"at": "/gone"}),
        (as_condition, ["/a", "/b"], {"at": ["/a", "/b"]}),
        (as_condition, {"at": "/a", "is": 1}, {"at": "/a", "is": 1}),
        (as_tuple, [1, 2], (1, 2)),
        (as_tuple, "ab", "ab"),
        (several, 404, (404,)),
        (several, [404, 410], (404, 410)),
    ],
)
def test_what_is_kept(check: Callable[[Any], object], value: object, kept: object) -> None:
    """What may be right is kept as it is, or in the one form in which it is used."""
    assert check(value) == kept


def test_a_key_that_is_a_uuid() -> None:
    """It is one of version 4, and the same for the same text in every release."""
    found = UUID(uuid_of("d1"))

    assert (found.version, found.variant) == (4, RFC_4122)
    assert str(found) == uuid_of("d1") == "8b53639f-152c-4fc6-af30-802fde462ba0"
    assert uuid_of("d2") == "e788103e-e153-48fc-92af-9b73b4ebbb33"


def test_the_texts_of_a_request() -> None:
    """Placeholders may stand in the path, in headers, and anywhere in the body."""
    request = Request(path="/{a}", headers={"X": "{b}"}, body='{"{c}": ["{d}", 1]}')

    assert texts_of(request) == ("/{a}", "{b}", "{c}", "{d}")
    assert holes_of(request) == {"a", "b", "c", "d"}
    assert texts_of(Request(path="/x")) == ("/x",)


def test_a_placeholder_that_stands_alone() -> None:
    """It keeps the type of what it stands for; in a longer text it is text."""
    assert is_whole({"a": ["{version}"]}, "version")
    assert not is_whole({"a": "v{version}", "b": "{other}", "c": "version"}, "version")


def test_a_version_among_placeholders() -> None:
    """The whole of it, or a part."""
    assert has_version(frozenset({"id", "version"}))
    assert has_version(frozenset({"version.seq"}))
    assert not has_version(frozenset({"id", "versions"}))


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("{id}{type.one}{version.seq}", []),
        ("{Typ}", [Mistake("k", "has the unknown placeholder {Typ}", "did you mean {type}?")]),
        (
            "{zzz}",
            [
                Mistake(
                    *("k", "has the unknown placeholder {zzz}"),
                    "here there can be {id}, {type}, {version}",
                )
            ],
        ),
        (
            "{type.one}{env:X}{zz.part}",
            [
                Mistake("k", "has the secret {env:X}", "secrets stand in [auth] only"),
                Mistake("k", "has the unknown placeholder {zz.part}", ""),
            ],
        ),
        ("{env:X}", [Mistake("k", "has the secret {env:X}", "secrets stand in [auth] only")]),
        ("{other.part}", [Mistake("k", "has the unknown placeholder {other.part}", "")]),
    ],
)
def test_a_placeholder_that_is_not_known(text: str, mistakes: list[Mistake]) -> None:
    """It is told with the nearest that is known there, or with all that are."""
    found = list(unknown("k", text, {"id", "type", "version"}))

    assert [(m.key, m.problem) for m in found] == [(m.key, m.problem) for m in mistakes]
    assert all(m.hint in {"", one.hint} for m, one in zip(mistakes, found, strict=True))


def test_nothing_may_stand_where_nothing_is_filled_in() -> None:
    """Then it is said that there is none."""
    (found,) = unknown("k", "{zzz}", set())

    assert found.hint == "here there can be none"


@pytest.mark.parametrize(
    ("said", "key", "problem"),
    [
        ({"read": {"path": "/{type}/{id}/{draft}"}}, "read.path", "{draft}"),
        ({"read": {"headers": {"X": "{fields}"}}}, "read.headers.X", "{fields}"),
        ({"read": {"key_path": "/{type}/{key}/{id}"}}, "read.key_path", "{id}"),
        ({"delete": {"body": '{"a": "{fields}"}'}}, "delete.body", "{fields}"),
        ({"headers": {"X": "{id}"}}, "headers.X", "{id}, which is not filled in here"),
        ({"update": {"unset": '{"a": "{name}"}'}}, "update.unset", "{name}"),
        ({"create": {"unset": '{"a": "{name}"}'}}, "create.unset", "{name}"),
        (
            {"update": {"set": '{"a": "{draft}"}', "body": '{"x": "{operations}"}'}},
            "update.set",
            "{draft}",
        ),
    ],
)
def test_placeholders_of_a_profile(said: dict[str, Any], key: str, problem: str) -> None:
    """Each stands where something fills it in; else its key is told."""
    profile = Profile.model_validate({"url": URL, **said})

    found = [mistake for mistake in placeholders(profile) if mistake.key == key]

    assert [problem in mistake.problem for mistake in found] == [True]


@pytest.mark.parametrize(("hole", "where"), [("id", "the headers of a verb"), ("env:X", "[auth]")])
def test_a_placeholder_in_a_header_of_all_requests(hole: str, where: str) -> None:
    """It is told where it belongs."""
    profile = Profile.model_validate({"url": URL, "headers": {"X": f"{{{hole}}}"}})

    (found,) = placeholders(profile)

    assert found == Mistake(
        *("headers.X", f"has the placeholder {{{hole}}}, which is not filled in here"),
        f"write it into {where}",
    )
