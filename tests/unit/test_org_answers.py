"""What an answer of an org means beyond its status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal.events import FieldMessage
from journal.outcomes import Refused, Unauthorized, Unknown, Wait
from journal.remotes import NoAnswer, Response
from journal.remotes.classify import Doubt
from journal.remotes.salesforce.answers import (
    Complaint,
    complaints,
    is_key_refusal,
    is_made,
    is_moved,
    is_no_session,
    is_surely_deleted,
    meant,
)

if TYPE_CHECKING:
    from journal.remotes.salesforce.settings import How
    from journal.remotes.sections import Verb

PAGE: Final = b"<html><body>moved</body></html>"
NO_REST: Final = "This session is not valid for use with the REST API"


def says(status: int, code: str = "", message: str = "m", **more: Any) -> Response:  # noqa: ANN401
    """Return a refusal of the REST interface."""
    said = [{"errorCode": code, "message": message, **more}] if code else []
    return Response(status, {"retry-after": "7"}, json.dumps(said).encode())


def of(answer: Any, verb: Verb = "update", how: How = "upsert") -> Any:  # noqa: ANN401
    """Return what it means."""
    return meant(how, verb, answer, ["Name"], 900.0)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([{"errorCode": "A", "message": "m"}], [Complaint("A", "m", ())]),
        ([{"errorCode": "A", "fields": ["x", 5]}], [Complaint("A", "", ("x",))]),
        ({"errorCode": "A", "message": None, "field": "x"}, [Complaint("A", "", ("x",))]),
        ([{"message": "m"}, 5, None], []),
        (
            {
                "output": {
                    "errors": [{"errorCode": "A"}],
                    "fieldErrors": {"x": [{"errorCode": "B", "field": "x"}]},
                }
            },
            [Complaint("A", "", ()), Complaint("B", "", ("x",))],
        ),
        ({"output": {"errors": [], "fieldErrors": None}}, []),
        ([{"errorCode": str(number)} for number in range(60)], 50),
        (None, []),
    ],
)
def test_what_an_org_complains_of(content: object, found: Any) -> None:  # noqa: ANN401
    """Each with its code, its words and its fields, in whichever shape."""
    said = complaints(json.dumps(content).encode())

    assert (len(said) if isinstance(found, int) else list(said)) == found


@pytest.mark.parametrize(
    ("answer", "moved", "no_session"),
    [
        *[(Response(status, {}, b""), True, True) for status in (301, 302, 303, 307, 308)],
        (Response(404, {}, PAGE), True, True),
        (Response(404, {}, b"[]"), False, False),
        (Response(403, {}, PAGE), False, False),
        (Response(304, {}, b""), False, False),
        (says(401, "INVALID_SESSION_ID"), False, True),
        (says(401, "INVALID_SESSION_ID", NO_REST), False, False),
        (NoAnswer(was_sent=True, problem="lost"), False, False),
    ],
)
def test_who_does_not_know_us(answer: Any, *, moved: bool, no_session: bool) -> None:  # noqa: ANN401
    """An org that is elsewhere, or a session that has ended; but for one that is no good at all."""
    assert (is_moved(answer), is_no_session(answer)) == (moved, no_session)


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (
            Response(302, {}, b""),
            Unauthorized(
                "the org is no longer where it was: the org answered 302; mend url, its My Domain"
            ),
        ),
        (
            says(401, "X", NO_REST),
            Unauthorized(
                "this session is not valid for the REST interface, and another of the same kind "
                "would not be either: let the connected app have the scope api"
            ),
        ),
        (
            says(403, "REQUEST_LIMIT_EXCEEDED", "too many"),
            Wait("the org answered 403: too many", 900.0),
        ),
        (
            says(403, "REQUEST_LIMIT_EXCEEDED", "Concurrent requests"),
            Wait("the org answered 403: Concurrent requests", 30.0),
        ),
        *[
            (
                says(403, code),
                Unauthorized(
                    "the org answered 403: m; let the user have the permission API Enabled"
                ),
            )
            for code in ("API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED")
        ],
        (
            says(400, "UNABLE_TO_LOCK_ROW"),
            Wait("a record is locked: the org answered 400: m", 7.0),
        ),
        (
            says(400, "CANNOT_X", "UNABLE_TO_LOCK_ROW, unable"),
            Wait("a record is locked: the org answered 400: UNABLE_TO_LOCK_ROW, unable", 7.0),
        ),
        (
            says(400, "CANNOT_X", "unable to obtain exclusive access to this record"),
            Wait(
                *(
                    (
                        "a record is locked: the org answered 400: "
                        "unable to obtain exclusive access to this record"
                    ),
                    7.0,
                )
            ),
        ),
        (says(503, "SERVER_UNAVAILABLE"), Wait("the org answered 503: m", 7.0)),
        (says(500, "QUERY_TIMEOUT"), Wait("the org answered 500: m", 7.0)),
        (says(403, "X", NO_REST), None),
        (says(420), Unknown("the org answered 420")),
        (says(400, "OTHER"), None),
        (says(200, "REQUEST_LIMIT_EXCEEDED"), None),
        (says(299, "REQUEST_LIMIT_EXCEEDED"), None),
        (says(199, "QUERY_TIMEOUT"), Wait("the org answered 199: m", 7.0)),
        (NoAnswer(was_sent=True, problem="lost"), None),
    ],
)
def test_what_is_not_about_the_draft(answer: Any, meaning: object) -> None:  # noqa: ANN401
    """It is waited for, or a person has to mend something; else the status says it."""
    assert of(answer) == meaning


@pytest.mark.parametrize(
    ("how", "answer", "kind", "words"),
    [
        (
            "upsert",
            says(404, "NOT_FOUND"),
            "rejected",
            "the org has no such object, or no External",
        ),
        (
            "insert",
            says(404, "NOT_FOUND"),
            "rejected",
            "the org has no such object, or no External",
        ),
        ("upsert", says(300), "rejected", "the org has several records under our key"),
        (
            "ui",
            says(400, "X", "Idempotency-Key is not supported"),
            "unknown",
            "the org takes no Id",
        ),
        ("ui", says(404, "X"), "unknown", "the org shows no record after the create"),
        ("ui", says(422, "X"), "unknown", "the org has seen the key of this request with another"),
    ],
)
def test_a_create_that_is_held(how: How, answer: Response, kind: str, words: str) -> None:
    """In our words, and those of the org after them; another content of a key is an alarm."""
    found = of(answer, "create", how)

    assert isinstance(found, Refused)
    assert (found.classification, found.status) == (kind, answer.status)
    assert found.messages[0].message.startswith(words)
    assert len(found.messages) == 2
    assert found.is_alarm == (answer.status == 422)


def test_other_creates() -> None:
    """A key that is under way is waited for; what else is wrong is told field by field."""
    assert of(says(409, "X"), "create", "ui") == Wait(
        "the first request with this key is not over yet", 7.0
    )
    found = of(says(400, "REQUIRED", "is missing", fields=["Name", "Phone"]), "create", "ui")
    assert isinstance(found, Doubt)
    assert found.refusal is not None
    assert found.refusal.classification == "rejected"
    assert found.refusal.messages == (
        FieldMessage(field="Name", message="is missing", code="REQUIRED"),
        FieldMessage(field="Phone", message="is missing", code="REQUIRED"),
    )
    assert found.response.status == 400
    deleted = of(says(400, "ENTITY_IS_DELETED"), "create", "ui")
    assert deleted.refusal.messages[0].message.startswith("a record that it refers to")
    silent = of(says(400, "REQUIRED", ""), "create", "ui")
    assert silent.refusal.messages == (FieldMessage(message="REQUIRED", code="REQUIRED"),)
    assert of(says(400), "create", "ui") is None
    assert of(says(404, "X"), "create", "post") is None
    assert of(says(400, "X"), "create", "upsert") is None
    held = of(says(300), "update")
    assert (held.classification, held.messages[0].message[:22]) == (
        *("unknown", "the org has several re"),
    )


@pytest.mark.parametrize(
    ("verb", "answer", "kind", "words"),
    [
        (
            "update",
            says(404, "ENTITY_IS_DELETED"),
            "gone",
            "a record that it refers to was deleted",
        ),
        ("delete", says(404, "ENTITY_IS_DELETED"), "gone", "m"),
        ("read", says(404, "ENTITY_IS_DELETED"), "gone", "m"),
        ("create", says(400, "ENTITY_IS_DELETED"), "rejected", "a record that it refers to was"),
        ("update", says(400, "INVALID_CROSS_REFERENCE_KEY"), "gone", "m"),
        ("update", says(400, "DUPLICATES_DETECTED"), "rejected", "the org has records that look"),
        ("create", says(400, "DUPLICATES_DETECTED"), "rejected", "the org has records that look"),
    ],
)
def test_what_is_said_of_a_record(verb: Verb, answer: Response, kind: str, words: str) -> None:
    """Where the status says something else: it is gone, or is like another, or refers to one."""
    found = of(answer, verb, "insert")

    assert isinstance(found, Doubt)
    assert found.response is answer
    assert found.refusal is not None
    assert found.refusal.classification == kind
    assert found.refusal.messages[0].message.startswith(words)
    assert found.refusal.messages[-1].message == "m"


def test_a_field_that_is_named_in_the_words() -> None:
    """It is known by the names of the draft, as in what the status says well enough."""
    found = of(says(400, "DUPLICATES_DETECTED", "Name is like another"))

    assert [message.field for message in found.refusal.messages] == ["", "Name"]


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("update", says(400, "INVALID_CROSS_REFERENCE_KEY", fields=["Owner"])),
        ("create", says(400, "INVALID_CROSS_REFERENCE_KEY")),
        ("find", says(400, "ENTITY_IS_DELETED")),
        ("update", says(400, "REQUIRED")),
    ],
)
def test_what_the_status_says_well_enough(verb: Verb, answer: Response) -> None:
    """A field that names no record is one of the draft's; the rest is known by the status."""
    assert of(answer, verb, "insert") is None


@pytest.mark.parametrize(
    ("status", "code", "message", "is_one"),
    [
        (400, "X", "The Idempotency-Key is not enabled", True),
        (400, "IDEMPOTENCY_NOT_ENABLED", "x", True),
        (400, "X", "The Idempotency-Key is not supported", True),
        (400, "X", "it is not supported", False),
        (400, "X", "the Idempotency-Key is too long", False),
        (422, "X", "The Idempotency-Key is not supported", False),
        (None, "X", "The Idempotency-Key is not supported", False),
    ],
)
def test_an_org_that_takes_no_keys(
    status: int | None, code: str, message: str, *, is_one: bool
) -> None:
    """It says so with 400, by a code or by words."""
    assert is_key_refusal(status, [Complaint(code, message, ())]) == is_one


def test_a_record_that_is_made_or_deleted() -> None:
    """It is there where its id is said, and success too, but for the UI API; gone by its code."""
    made = {"id": "001xx0000000001AAA", "success": True}

    assert is_made("upsert", made)
    assert is_made("ui", {"id": made["id"]})
    assert not is_made("upsert", {"id": made["id"]})
    assert not is_made("upsert", {**made, "success": "true"})
    assert not is_made("ui", {"id": "x"})
    assert is_surely_deleted(says(404, "ENTITY_IS_DELETED"))
    assert not is_surely_deleted(says(404, "NOT_FOUND"))
