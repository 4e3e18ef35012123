"""What a profile must not say of lists and of what answers mean, and what to say instead."""

from __future__ import annotations

from typing import Any, Final

import pytest

from journal.remotes import Profile
from journal.remotes.list_checks import lists, rules
from journal.remotes.placeholders import Mistake

URL: Final = "https://a.example"
GOOD: Final = {"path": "/{type}?since={since}", "since": "/at", "answer": {"key": "/id"}}
WHOLE: Final = {"path": "/{type}", "lists_all": True, "answer": {"key": "/id"}}
NO_USE: Final = "is of no use: by next_list, the service keeps the checkpoint"
NO_MEANING: Final = "has no meaning with lists_all: each list is whole"
EITHER: Final = "leave one of the two out"
TOKENS: Final = "{page} is the token of a page, and {index} the number of an item, or of a page"
ONE_OF: Final = "must have one of is, is_not, has and is_empty"


def listed(changes: dict[str, Any] | None, **more: Any) -> list[Mistake]:  # noqa: ANN401
    """Return what is wrong with the changes of a profile."""
    said = {} if changes is None else {"changes": changes}
    return list(lists(Profile.model_validate({"url": URL, **said, **more})))


def ruled(*meaning: dict[str, Any]) -> list[Mistake]:
    """Return what is wrong with the rules of a profile."""
    return list(rules(Profile.model_validate({"url": URL, "meaning": meaning})))


@pytest.mark.parametrize(
    "changes",
    [
        None,
        GOOD,
        WHOLE,
        {**GOOD, "since": "none", "next_since": "header:X-To"},
        {**GOOD, "path": "/{type}?s={since}&p={page}", "page": "/token"},
        {**GOOD, "path": "/{type}?s={since}&i={index}", "index_from": 0},
        {**GOOD, "deleted": "/gone", "more": {"at": "/more", "is": False}},
        {**GOOD, "overlap_s": 5.0, "first": "0", "since_as": "seconds"},
        {"path": "/{type}/delta", "next_list": "/delta", "answer": {"id": "/id"}},
        {**WHOLE, "more": "/more", "next": "/next"},
        {**WHOLE, "more": "/more", "path": "/{type}?p={page}", "page": "/token"},
        {**WHOLE, "more": "/more", "path": "/{type}?i={index}", "index_from": 1},
    ],
)
def test_what_can_be_said(changes: dict[str, Any] | None) -> None:
    """A list begins where the one before ended, by one of the ways that services have."""
    assert listed(changes) == []


@pytest.mark.parametrize(
    ("changes", "mistakes"),
    [
        (
            {**GOOD, "page": "/token"},
            [Mistake("changes.page", "and {page} in the request need each other", TOKENS)],
        ),
        (
            {**GOOD, "path": "/{type}?since={since}&page={page}"},
            [Mistake("changes.page", "and {page} in the request need each other", TOKENS)],
        ),
        (
            {**GOOD, "index_from": 0},
            [Mistake("changes.index_from", "and {index} in the request need each other", TOKENS)],
        ),
        (
            {**GOOD, "answer": {}},
            [
                Mistake(
                    "changes.answer",
                    "must show the id of a record, or our key: else a change is about no record",
                    'such as answer = { key = "/id" }',
                )
            ],
        ),
        (
            {**GOOD, "answer": {"key": "/id", "fields": "none"}},
            [Mistake("changes.answer", "must show the fields of a record")],
        ),
        (
            {**GOOD, "record": "none"},
            [Mistake("changes.answer", "must show the fields of a record")],
        ),
        (
            {**GOOD, "since": "none"},
            [
                Mistake(
                    "changes.since",
                    "is needed, or changes.next_since: where the next list begins",
                    'such as since = "/last_modified"; or say next_list, or lists_all = true',
                )
            ],
        ),
        (
            {**GOOD, "path": "/{type}"},
            [Mistake("changes.path", "must hold {since}: else every list begins anew")],
        ),
        (
            {**GOOD, "next_list": "/x", "next_since": "/y", "since_as": "seconds", "first": "0"},
            [
                Mistake(f"changes.{key}", NO_USE)
                for key in ("since", "next_since", "since_as", "first")
            ],
        ),
        (
            {**GOOD, "since": "none", "next_list": "/x", "overlap_s": 1.0},
            [Mistake("changes.overlap_s", NO_USE)],
        ),
        (
            {
                **WHOLE,
                "since": "/a",
                "next_since": "/b",
                "next_list": "/c",
                "since_as": "seconds",
                "first": "0",
                "overlap_s": 1.0,
            },
            [
                Mistake(f"changes.{key}", NO_MEANING, EITHER)
                for key in ("since", "next_since", "next_list", "since_as", "first", "overlap_s")
            ],
        ),
        (
            {**WHOLE, "path": "/{type}?since={since}"},
            [Mistake("changes.path", "has {since}, which has no value with lists_all")],
        ),
        (
            {**WHOLE, "more": "/more"},
            [
                Mistake(
                    "changes.more",
                    "would read the first page for ever, for lists_all knows no checkpoint",
                    "say where the next page is: next, page or index_from",
                )
            ],
        ),
        (
            {**GOOD, "more": {"at": "none", "is": 1}},
            [Mistake("changes.more.at", "can never match")],
        ),
        (
            {**GOOD, "deleted": {"at": "/a", "is": 1, "is_not": 2}},
            [Mistake("changes.deleted", ONE_OF)],
        ),
        (
            {**GOOD, "deleted": {"at": "/a", "has": "x", "is_empty": True}},
            [Mistake("changes.deleted", ONE_OF)],
        ),
    ],
)
def test_what_must_not_be_said_of_lists(changes: dict[str, Any], mistakes: list[Mistake]) -> None:
    """Each mistake is told by its key, with why it is one, and what to say instead."""
    assert listed(changes) == mistakes


@pytest.mark.parametrize(
    ("rule", "mistakes"),
    [
        ({"status": 404, "means": "absent"}, []),
        ({"status": [100, 999], "means": "wait"}, []),
        ({"status": [200, 299], "at": "/ok", "is": False, "means": "refused"}, []),
        ({"at": "/ok", "is_empty": True, "means": "refused"}, []),
        (
            {"means": "wait"},
            [
                Mistake(
                    "meaning.1",
                    "would give every answer this meaning",
                    "say a status, or at and is",
                )
            ],
        ),
        (
            {"status": 200, "is": 1, "means": "done"},
            [Mistake("meaning.1.at", "is needed: where the value stands that is compared")],
        ),
        ({"at": "/a", "is": 1, "has": "x", "means": "done"}, [Mistake("meaning.1", ONE_OF)]),
        ({"at": "none", "means": "done"}, [Mistake("meaning.1.at", "can never match")]),
        (
            {"status": [99, 1000], "means": "wait"},
            [
                Mistake("meaning.1.status", "99 is no status"),
                Mistake("meaning.1.status", "1000 is no status"),
            ],
        ),
        *[
            (
                {"status": status, "means": "refused"},
                [
                    Mistake(
                        "meaning.1",
                        f"would never match: {status} is a refusal already, and settled by a read",
                        'use another meaning, such as "absent" or "wait", or leave it out',
                    )
                ],
            )
            for status in (199, 300, 404)
        ],
    ],
)
def test_what_must_not_be_said_of_answers(rule: dict[str, Any], mistakes: list[Mistake]) -> None:
    """A rule that would match everything, or nothing, is a mistake."""
    assert ruled({"status": 404, "means": "absent"}, rule) == mistakes
