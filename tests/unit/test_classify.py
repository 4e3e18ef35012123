"""What an answer means, for every answer that there can be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.events import FieldMessage
from journal.outcomes import NotSent, Refused, Unauthorized, Unknown, Wait
from journal.remotes.classify import (
    MAX_RETRY_AFTER_S,
    Doubt,
    Meaning,
    Success,
    classify,
    retry_after_s,
)
from journal.remotes.remote import NoAnswer, Response

WAIT = {408, 425, 429, 503}
DOUBT = {409: "conflict", 412: "conflict", 404: "gone", 410: "gone", 501: "rejected"} | {
    505: "rejected"
}
NEVER_FOLLOWED = "a redirect or half an answer, which is never followed"
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
A_MINUTE_LATER = "Sun, 06 Nov 1994 08:50:37 GMT"


def expected(status: int) -> Meaning:
    """Say what a bare status means: the table, written a second time."""
    said = f"the remote answered {status}"
    response = Response(status)
    if status in range(200, 300):
        return Success(response)
    if status in WAIT:
        return Wait(said)
    if status == 401:
        return Unauthorized(said)
    if status in {407, 511}:
        return Unknown(f"{said}, which a proxy on the way does")
    if status < 400:
        return Unknown(f"{said}, {NEVER_FOLLOWED}")
    if status < 500 or status in DOUBT:
        classification = DOUBT.get(status, "rejected")
        refused = Refused(classification, (FieldMessage(message=said),), status)  # type: ignore[arg-type]
        return Doubt(response, refused)
    return Unknown(said)


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_its_meaning(status: int) -> None:
    """Each status from 100 to 599 means what the table says."""
    assert classify(Response(status)) == expected(status)


def test_no_answer_is_not_sent_or_unknown() -> None:
    """Without an answer, all that counts is whether the request may have reached the remote."""
    assert classify(NoAnswer(was_sent=False, problem="refused")) == NotSent("refused")
    assert classify(NoAnswer(was_sent=True, problem="reset")) == Unknown("reset")


header_texts = st.text(st.characters(max_codepoint=255), max_size=40) | st.sampled_from(
    [DATE, A_MINUTE_LATER, "30", "-30", "1e3", "٣", "²", "0" * 5000, "9" * 5000, "Sun, 99 X"]
)
bodies = (
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["errors", "detail", "title", "message", "field", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode())
    | st.just(b"[" * 100_000)
)
answers = st.builds(
    Response,
    st.integers(-1, 1000),
    st.dictionaries(st.sampled_from(["retry-after", "date", "etag"]), header_texts),
    bodies,
) | st.builds(NoAnswer, st.booleans(), st.text())


@given(answers)
def test_is_total(answer: Response | NoAnswer) -> None:
    """Whatever status, headers and bytes there are: a meaning, and no exception."""
    meaning = classify(answer)

    assert isinstance(meaning, (Success, Doubt, Unknown, NotSent, Wait, Unauthorized))
    if isinstance(meaning, Wait) and meaning.retry_after_s is not None:
        assert 0 <= meaning.retry_after_s <= MAX_RETRY_AFTER_S
    if isinstance(meaning, Success):
        assert isinstance(answer, Response)
        assert answer.status in range(200, 300)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "0000000000030"}, 30.0),
        ({"retry-after": "86400"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "9" * 5000}, MAX_RETRY_AFTER_S),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": A_MINUTE_LATER, "date": DATE}, 60.0),
        ({"retry-after": "Sunday, 06-Nov-94 08:50:37 GMT", "date": DATE}, 60.0),
        ({"retry-after": "Sun Nov  6 08:50:37 1994", "date": DATE}, 60.0),
        ({"retry-after": DATE, "date": A_MINUTE_LATER}, 0.0),
        ({"retry-after": "Sun, 06 Nov 2094 08:49:37 GMT", "date": DATE}, MAX_RETRY_AFTER_S),
        ({"retry-after": A_MINUTE_LATER}, None),
        ({"retry-after": A_MINUTE_LATER, "date": "today"}, None),
        ({"retry-after": "Sun, 99 Nov 1994 99:49:37 GMT", "date": DATE}, None),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds or a date, counted from the answer's own Date, clamped; anything else is ignored."""
    assert retry_after_s(Response(503, headers)) == seconds
    assert classify(Response(429, headers)) == Wait("the remote answered 429", seconds)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (b"", [("", "the remote answered 422")]),
        (b"<html>no</html>", [("", "the remote answered 422")]),
        (b"[1]", [("", "the remote answered 422")]),
        (b'{"title": "Bad"}', [("", "Bad")]),
        (b'{"title": "Bad", "detail": "Very bad"}', [("", "Very bad")]),
        (b'{"message": "Bad"}', [("", "Bad")]),
        (b'{"errors": [], "detail": "Bad"}', [("", "Bad")]),
        (b'{"errors": ["x", {"message": 1}], "detail": "Bad"}', [("", "Bad")]),
        (b'{"errors": {"Name": ["no"]}, "detail": "Bad"}', [("", "Bad")]),
        (
            b'{"detail": "x", "errors": [{"field": "A", "message": "b"}, {"message": "c"}]}',
            [("A", "b"), ("", "c")],
        ),
    ],
)
def test_a_refusal_says_what_the_remote_said(body: bytes, messages: list[tuple[str, str]]) -> None:
    """The messages are those of the fields, or that of the whole, or at least the status."""
    meaning = classify(Response(422, {}, body))

    assert isinstance(meaning, Doubt)
    assert [(m.field, m.message) for m in meaning.refusal.messages] == messages
    assert meaning.refusal.answer == body.decode()
