"""What an answer means, for every answer that there can be: the table of the documentation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.events import FieldMessage
from journal.outcomes import NotSent, Refused, Unauthorized, Unknown, Wait
from journal.remotes.classify import Doubt, Meaning, Success, classify
from journal.remotes.patience import MAX_RETRY_AFTER_S, retry_after_s
from journal.remotes.remote import NoAnswer, Response
from tests.pages import DOCS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import HoldClass
    from journal.remotes.remote import Answer

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
A_MINUTE_LATER = "Sun, 06 Nov 1994 08:50:37 GMT"
UNDER_WAY: Final = b'{"title": "A request is outstanding for this Idempotency-Key"}'
REUSED: Final = b'{"detail": "This Idempotency-Key was already used with another body"}'
PAGE: Final = b"<!DOCTYPE html><title>Welcome to the Hotel</title>"
EXAMPLES: Final[dict[str, Answer]] = {
    "is a page of HTML": Response(0, {}, PAGE),
    "says that a request with our key is under way": Response(0, {}, UNDER_WAY),
    "says that our key was used for something else": Response(0, {}, REUSED),
    "is from a proxy on the way, by its headers": Response(0, {"x-squid-error": "ERR_DNS_FAIL 0"}),
    "was certainly not carried out": NoAnswer(was_sent=False, problem="p"),
    "shows that a person has to mend it, such as a certificate": NoAnswer(
        was_sent=False, problem="p", cause="configuration"
    ),
    "may have been carried out": NoAnswer(was_sent=True, problem="p"),
    "could not be had for want of credentials": NoAnswer(
        was_sent=False, problem="p", cause="credentials"
    ),
    "has to wait for somebody else, who is renewing the credentials": NoAnswer(
        was_sent=False, problem="p", cause="turn"
    ),
}
"""An answer of each of the kinds that the table tells apart beside their status."""


def in_words(meaning: Meaning) -> str:
    """Return a meaning as the table calls it."""
    match meaning:
        case Success():
            return "success"
        case Doubt(_, refusal):
            return f"doubt, {refusal.classification}"
        case Refused(classification="unknown", is_alarm=True):
            return "alarm"
        case Unknown(is_offline=is_offline):
            return "unknown, offline" if is_offline else "unknown"
        case NotSent(is_misconfigured=is_misconfigured):
            return "not sent, misconfigured" if is_misconfigured else "not sent"
        case Wait():
            return "wait"
        case Unauthorized():
            return "unauthorized"
        case _:
            raise AssertionError(meaning)


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table in the documentation."""
    text = (DOCS / "explanation" / "what-answers-mean.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\| (.*) \|$", text, flags=re.MULTILINE)[2:]:
        statuses, where, meaning = (part.strip() for part in line.split("|"))
        yield statuses, where, meaning


def statuses_of(text: str) -> list[int]:
    """Return the statuses that a cell names."""
    if ranged := re.fullmatch(r"`(\d+)`-`(\d+)`", text):
        return list(range(int(ranged[1]), int(ranged[2]) + 1))
    return [int(status) for status in re.findall(r"\d+", text)]


ROWS: Final = list(rows())


@pytest.mark.parametrize(("statuses", "where", "means"), ROWS, ids=[" ".join(row) for row in ROWS])
def test_the_table(statuses: str, where: str, means: str) -> None:
    """Each row of the table says what each of its answers means."""
    example = EXAMPLES.get(where, Response(0)) if where else Response(0)
    assert not where or where in EXAMPLES

    if isinstance(example, NoAnswer):
        assert (statuses, in_words(classify(example))) == ("none", means)
        return
    found = {s: in_words(classify(example._replace(status=s))) for s in statuses_of(statuses)}
    assert found
    assert found == dict.fromkeys(found, means)


def test_the_table_is_complete() -> None:
    """Each status is in one row that has no condition, and each condition in one row."""
    plain = [status for text, where, _ in ROWS if not where for status in statuses_of(text)]

    assert sorted(plain) == list(range(100, 1000))
    assert sorted(where for _, where, _ in ROWS if where) == sorted(EXAMPLES)


def test_no_answer_keeps_its_words() -> None:
    """Without an answer, what is told is what went wrong on the way."""
    assert classify(NoAnswer(was_sent=False, problem="refused")) == NotSent("refused")
    assert classify(NoAnswer(was_sent=True, problem="reset")) == Unknown("reset")
    refused = NoAnswer(was_sent=False, problem="no token", cause="credentials")
    assert classify(refused) == Unauthorized("no token")
    assert classify(refused._replace(cause="turn", problem="busy")) == Wait("busy")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Response(401), Unauthorized("the remote answered 401")),
        (
            Response(401, {}, b'{"error": "invalid_token", "error_description": "expired"}'),
            Unauthorized("the remote answered 401: expired (invalid_token)"),
        ),
        (Response(503, {}, PAGE), Wait("the remote answered 503: Welcome to the Hotel")),
        (Response(502, {}, b"no upstream"), Unknown("the remote answered 502: no upstream")),
        (
            Response(200, {}, PAGE),
            Unknown(
                "offline: the remote answered 200 with a page, titled 'Welcome to the Hotel', "
                "as a captive portal does",
                is_offline=True,
            ),
        ),
        (
            Response(511),
            Unknown(
                "offline: the remote answered 511, which a proxy on the way does", is_offline=True
            ),
        ),
    ],
)
def test_the_words(answer: Response, meaning: Meaning) -> None:
    """What the remote says is told with what it means."""
    assert classify(answer) == meaning


@pytest.mark.parametrize("length", range(60, 120, 7))
def test_the_title_of_a_page_is_cut_between_words(length: int) -> None:
    """A secret in it would be cut in two otherwise, and found by nobody."""
    title = f"{'Hotel ' * (length // 6)}00Dxx!a-token-of-thirty-characters and more"
    page = f"<!DOCTYPE html><title>{title}</title>".encode()
    meaning = classify(Response(200, {}, page))

    assert isinstance(meaning, Unknown)
    assert "00D" not in meaning.problem or "00Dxx!a-token-of-thirty-characters" in meaning.problem


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Welcome " * 11 + "to the Hotel", "Welcome " * 11 + "to the Hotel"),
        ("Welcome " * 11 + "to the Hotels", "Welcome " * 11 + "to the …"),
        ("x" * 101, " …"),
    ],
    ids=["as long as may be", "too long", "one word"],
)
def test_the_title_of_a_page_is_told_as_far_as_it_is_short(title: str, told: str) -> None:
    """Up to 100 characters it is told whole, and else the words that are whole up to there."""
    meaning = classify(Response(200, {}, f"<!DOCTYPE html><title>{title}</title>".encode()))

    assert isinstance(meaning, Unknown)
    assert f"titled '{told}'," in meaning.problem


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://e.example/login?token=s3cret", "a redirect to https://e.example"),
        ("http://u:s3cret@e.example:81/s3cret#s3cret", "a redirect to http://e.example:81"),
        ("//e.example", "a redirect or half an answer"),
        ("/s3cret", "a redirect or half an answer"),
        ("https://e.example:99999/", "a redirect to no address"),
        ("https://[::1", "a redirect to no address"),
        ("", "a redirect or half an answer"),
    ],
)
def test_a_redirect_names_an_origin_and_no_secret(location: str, words: str) -> None:
    """Where a redirect leads is told as an origin: more of it could be a secret."""
    for status in (301, 302, 303, 307, 308):
        meaning = classify(Response(status, {"location": location}))

        said = f"the remote answered {status}, {words}, which is never followed"
        assert meaning == Unknown(said)


@pytest.mark.parametrize(
    "body",
    [
        UNDER_WAY,
        b'{"type": "https://e.com/idempotency-key-in-use", "title": "Conflict"}',
        b'{"error": {"code": "idempotency_key_in_use", "message": "Another request is running"}}',
        b'[{"code": "IDEMPOTENCY_CONCURRENT_REQUEST"}]',
        b"The request with this idempotency key is still being processed",
    ],
)
@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_outstanding_request_is_waited_for(status: int, body: bytes) -> None:
    """Where our own request is still under way, there is nothing to hold."""
    assert isinstance(classify(Response(status, {}, body)), Wait)


@pytest.mark.parametrize(
    "body",
    [
        REUSED,
        b'{"error": {"type": "idempotency_error", "message": "Keys for idempotent requests"}}',
        b'{"errors": [], "code": "IDEMPOTENCY_KEY_REUSED"}',
        b'{"title": "Idempotency-Key is already used"}',
        b"Idempotency key payload mismatch",
    ],
)
@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_key_used_for_something_else_is_an_alarm(status: int, body: bytes) -> None:
    """A key stands for one body for ever: if not, nothing more is sent before a person looks."""
    meaning = classify(Response(status, {}, body))

    assert isinstance(meaning, Refused)
    assert (meaning.classification, meaning.is_alarm, meaning.status) == ("unknown", True, status)
    assert meaning.answer == body.decode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"detail": "The field idempotency is required"}',
        b'{"detail": "the payload is different"}',
        b'{"detail": "Idempotency-Key is missing"}',
        b"[1]",
        b"",
    ],
)
def test_what_only_sounds_like_a_key_is_in_doubt(body: bytes) -> None:
    """A refusal that does not speak of a key that was used is one like any other."""
    assert isinstance(classify(Response(422, {}, body)), Doubt)


def test_names_lead_to_fields() -> None:
    """A message is recognised to be about a field of the draft."""
    meaning = classify(Response(400, {}, b"no such column: zz in notes"), ["zz", "title"])

    assert isinstance(meaning, Doubt)
    message = FieldMessage(field="zz", message="no such column: zz in notes")
    assert meaning.refusal.messages == (message,)


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
) | st.builds(
    NoAnswer,
    st.booleans(),
    st.text(),
    st.sampled_from(["link", "configuration", "credentials", "turn"]),
)


@given(answers)
def test_is_total(answer: Response | NoAnswer) -> None:
    """Whatever status, headers and bytes there are: a meaning, and no exception."""
    meaning = classify(answer)

    assert in_words(meaning)
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
        ({"retry-after": "Sun, 06 Nov 1994 09:50:37 +0100", "date": DATE}, 60.0),
        ({"retry-after": DATE, "date": A_MINUTE_LATER}, 0.0),
        ({"retry-after": "Sun, 06 Nov 2094 08:49:37 GMT", "date": DATE}, MAX_RETRY_AFTER_S),
        ({"retry-after": A_MINUTE_LATER}, None),
        ({"retry-after": A_MINUTE_LATER, "date": "today"}, None),
        ({"retry-after": "Sun, 99 Nov 1994 99:49:37 GMT", "date": DATE}, None),
        ({"retry-after": "5, 120"}, 120.0),
        ({"retry-after": f"5, {A_MINUTE_LATER}", "date": DATE}, 60.0),
        ({"retry-after": f"{A_MINUTE_LATER}, 120", "date": DATE}, 120.0),
        ({"retry-after": f"{A_MINUTE_LATER}, soon, 5"}, 5.0),
        ({"retry-after": f"{DATE}, {A_MINUTE_LATER}", "date": DATE}, 60.0),
        ({"retry-after": ", ,"}, None),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds or a date, counted from the answer's own Date, clamped; anything else is ignored."""
    assert retry_after_s(Response(503, headers)) == seconds
    assert classify(Response(429, headers)) == Wait("the remote answered 429", seconds)


@pytest.mark.parametrize(
    "body",
    [UNDER_WAY, b'{"error": %b}' % UNDER_WAY, b"[%b]" % UNDER_WAY, b"Idempotency-Key: outstanding"],
)
def test_a_key_that_is_under_way_is_waited_for(body: bytes) -> None:
    """That our key is under way is said by an error or just below it, with how long it takes."""
    meaning = classify(Response(409, {"retry-after": "7"}, body))

    assert isinstance(meaning, Wait)
    assert meaning.retry_after_s == 7.0
    assert meaning.problem.startswith("the remote answered 409: ")


@pytest.mark.parametrize("form", ["%b", "[%b]"])
def test_an_echo_of_the_request_says_nothing_of_the_key(form: str) -> None:
    """What an error repeats of the request, further below, is not what it says."""
    echo = b'{"title": "Bad", "request": {"headers": {"Idempotency-Key": "outstanding"}}}'

    meaning = classify(Response(422, {}, form.encode() % echo))

    assert isinstance(meaning, Doubt)
    assert meaning.refusal.classification == "rejected"


@pytest.mark.parametrize(
    ("status", "classification"), [(409, "conflict"), (410, "gone"), (422, "rejected")]
)
def test_a_refusal_is_told_with_its_answer_and_by_field(
    status: int, classification: HoldClass
) -> None:
    """What is to be looked up is told with the answer, and messages are about our fields."""
    response = Response(status, {}, b'{"detail": "Name is taken"}')

    meaning = classify(response, ["Name"])

    assert isinstance(meaning, Doubt)
    assert meaning.response == response
    assert meaning.refusal.classification == classification
    assert meaning.refusal.messages == (FieldMessage(field="Name", message="Name is taken"),)
    silent = classify(Response(status))
    assert isinstance(silent, Doubt)
    assert silent.refusal.messages == (FieldMessage(message=f"the remote answered {status}"),)


def test_an_alarm_is_about_our_fields() -> None:
    """That our key was used for something else is told with what is said of each field."""
    body = b'{"detail": "Name is another, and the Idempotency-Key was reused"}'

    meaning = classify(Response(422, {}, body), ["Name"])

    assert isinstance(meaning, Refused)
    assert meaning.is_alarm
    assert [message.field for message in meaning.messages] == ["Name"]


def test_a_success_is_told_with_its_answer() -> None:
    """What a success shows is read from its answer."""
    response = Response(201, {"etag": '"1"'}, b"{}")

    assert classify(response) == Success(response)


def test_a_refusal_keeps_the_answer() -> None:
    """The messages are what the body says, and the body is kept as it came."""
    meaning = classify(Response(422, {}, b'{"title": "Bad", "detail": "Very bad\xff"}'))

    refused = Refused(
        "rejected",
        (FieldMessage(message="Very bad\ufffd"),),
        422,
        '{"title": "Bad", "detail": "Very bad\ufffd"}',
    )
    assert isinstance(meaning, Doubt)
    assert meaning.refusal == refused
