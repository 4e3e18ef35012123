"""What a profile says, in words, and what its author should know."""

from __future__ import annotations

from typing import Any, Final

import pytest

from journal.remotes import Profile
from journal.remotes.portrait import notes, portrait

URL: Final = "https://a.example"
POST: Final = {"method": "POST", "path": "/{type}", "body": '{"key": "{key}", "is": "{fields}"}'}
VERSIONED: Final = {"path": "/{type}/{id}?version={version}"}
WHOLE: Final = {"method": "PUT", "body": '"{record}"'}
UNREAD: Final = (
    "answer.version is none: each change is sent right after a read; what another writer does in "
    "between is overwritten"
)
LOST: Final = (
    "update.body sends the whole record without a version: what another writer does in between is "
    "lost, in all fields"
)
DATED: Final = (
    "answer.version is a date: what another writer does within the same second is overwritten"
)
CHANGED: Final = (
    "update sends {draft} with a body that a read may change: a service that remembers a request "
    "by it takes the second one for another, and the queue stops"
)
ABSENT: Final = (
    "meaning.1 says absent by a status alone: whatever else the service answers with it proves "
    "that a record is gone; say at, and is or has"
)
OPERATIONS: Final = (
    'A field is set by {"path": "/{pointer}", "value": "{value}"}, and unset by '
    '{"path": "/{pointer}"}.'
)


def profile(**said: Any) -> Profile:  # noqa: ANN401  any key
    """Return a profile."""
    return Profile.of({"url": URL, **said})


class TestPortrait:
    """What it says, a line each."""

    def test_of_a_profile_that_says_nothing(self) -> None:
        """What goes without saying is said."""
        assert list(portrait(profile())) == [
            "The service is at https://a.example.",
            "It is told who we are by nothing.",
            'create: PUT /{type}/{id}, with "{fields}"',
            'update: PATCH /{type}/{id}, with "{fields}"',
            "delete: DELETE /{type}/{id}",
            "read: GET /{type}/{id}",
            "Our key is the record's id.",
            "The version is at header:ETag, and goes back as If-Match.",
            "A field is unset by null.",
        ]

    def test_of_look_ups_lists_and_ids(self) -> None:
        """Requests that not every service has have names of more than one word."""
        changes = {"path": "/{type}?since={since}", "since": "/at"}
        said = portrait(
            profile(
                create=POST,
                find={"path": "/{type}?key={key}"},
                changes=changes,
                answer={"id": "/id", "key": "/key"},
            )
        )

        lines = list(said)
        assert lines[6:9] == [
            "look up: GET /{type}?key={key}",
            "list changes: GET /{type}?since={since}",
            "The service gives ids of its own, at /id; our key stands at /key.",
        ]

    def test_of_a_service_without_our_key(self) -> None:
        """It stands nowhere."""
        create = {"method": "POST", "path": "/{type}", "on_doubt": "hold"}
        lines = list(portrait(profile(create=create, answer={"id": "/id"})))

        assert lines[6] == "The service gives ids of its own, at /id; our key stands nowhere."

    def test_of_credentials(self) -> None:
        """Where they stand, and never what they are."""
        auth = {
            "bearer": "{env:TOKEN}",
            "headers": {"X-Key": "{env:KEY}"},
            "query": {"k": "{env:K}"},
        }
        lines = list(portrait(profile(auth=auth)))

        assert lines[1].endswith(" and the header X-Key and the parameter k.")
        assert not any("env" in line for line in lines)

    @pytest.mark.parametrize(
        ("said", "line"),
        [
            ({"answer": {"version": "none"}}, "There are no versions."),
            (
                {"update": VERSIONED, "delete": VERSIONED},
                "The version is at header:ETag, and goes back as {version} in the request.",
            ),
            (
                {"version": {"condition": "If-Version"}},
                "The version is at header:ETag, and goes back as If-Version.",
            ),
        ],
    )
    def test_of_versions(self, said: dict[str, Any], line: str) -> None:
        """Where they are shown, and how they come back."""
        assert list(portrait(profile(**said)))[-2] == line

    @pytest.mark.parametrize(
        ("update", "lines"),
        [
            ({"unset": '""'}, ['A field is unset by "".', 'The field a of A is unset by "-".']),
            ({**WHOLE, "unset": "omit"}, ["A field is unset by leaving it out."]),
            (
                {"body": '{"is": "{fields}", "of": "{names}"}', "unset": "omit"},
                ["A field is unset by leaving it out."],
            ),
            (
                WHOLE,
                ["A field is unset by leaving it out.", 'The field a of A is unset by "-".'],
            ),
            (
                {
                    "body": '"{operations}"',
                    "set": '{"path": "/{pointer}", "value": "{value}"}',
                    "unset": '{"path": "/{pointer}"}',
                },
                [OPERATIONS],
            ),
        ],
        ids=["a value", "left out", "named", "a whole record", "operations"],
    )
    def test_of_fields_without_a_value(self, update: dict[str, Any], lines: list[str]) -> None:
        """How it is told that a field has none, and which field has a way of its own."""
        types = {"A": {"fields": {"a": {"unset": '"-"'}, "b": {}}}}
        said = list(portrait(profile(update=update, types=types)))

        assert said[7].startswith("The version")
        assert said[8:] == lines


class TestNotes:
    """What a profile may say, but not without its author knowing what that means."""

    @pytest.mark.parametrize(
        ("said", "noted"),
        [
            ({}, []),
            (
                {"answer": {"version": "none"}},
                [UNREAD],
            ),
            (
                {"answer": {"version": "none"}, "update": WHOLE},
                [UNREAD, LOST],
            ),
            (
                {"answer": {"version": "header:Last-Modified"}},
                [DATED],
            ),
            ({"answer": {"version": "header:Last-Modified"}, "version": {"is_weak": True}}, []),
            (
                {"update": VERSIONED, "version": {"condition": "none"}},
                ["delete has no {version}: the record is read and compared right before it"],
            ),
            (
                {"update": VERSIONED, "delete": VERSIONED, "version": {"condition": "none"}},
                [],
            ),
            (
                {"create": {"on_doubt": "hold"}},
                ["create.on_doubt is hold: a create whose answer is lost waits for a person"],
            ),
        ],
        ids=str,
    )
    def test_what_is_noted(self, said: dict[str, Any], noted: list[str]) -> None:
        """What is lost, and to whom, or who has to be there."""
        assert list(notes(profile(**said))) == noted

    @pytest.mark.parametrize(
        ("body", "headers", "is_noted"),
        [
            ('"{record}"', {"Key": "{draft}"}, True),
            ('{"v": "{version}", "is": "{fields}"}', {"Key": "{draft}"}, True),
            ('"{fields}"', {"Key": "{draft}"}, False),
            ('"{record}"', {}, False),
            ('{"v": "{version}", "is": "{fields}"}', {}, False),
        ],
    )
    def test_a_body_that_a_read_may_change(
        self,
        body: str,
        headers: dict[str, str],
        is_noted: bool,  # noqa: FBT001
    ) -> None:
        """A service that knows the request again finds another one."""
        update = {"body": body, "headers": headers}
        said = list(notes(profile(update=update, version={"condition": "If-Match"})))

        assert said == ([CHANGED] * is_noted)

    @pytest.mark.parametrize(
        ("rule", "is_noted"),
        [
            ({"status": [404], "means": "absent"}, False),
            ({"status": [204, 410], "means": "absent"}, False),
            ({"status": [204, 404, 410], "means": "absent"}, False),
            ({"status": [404, 400], "means": "absent"}, True),
            ({"status": [400], "at": "/code", "is": "NONE", "means": "absent"}, False),
            ({"status": [400], "means": "wait"}, False),
        ],
        ids=str,
    )
    def test_a_status_that_may_say_anything(self, rule: dict[str, Any], *, is_noted: bool) -> None:
        """Where a rule takes it for the end of a record, each other use of it is one, too."""
        first = {"status": [499], "means": "wait"}
        said = list(notes(profile(meaning=[first, rule])))

        assert said == ([ABSENT] * is_noted)
