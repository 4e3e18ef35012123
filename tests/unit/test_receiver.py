"""What a receiver understands of a request, and what becomes of it; without a database."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from journal.outcomes import Refused, Wait
from journal.receiver import Answered, DeclinedError, Receipt, Received
from journal.receiver.headers import received_of
from journal.receiver.messages import check_sendable, problem_of
from journal.receiver.sequence import out_of_turn, outstanding, replayed
from journal.remotes.classify import Doubt, classify
from journal.remotes.remote import Response

KEY: Final = {"Idempotency-Key": "k1"}


def scope(headers: dict[str, str], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a request of ASGI."""
    raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {"method": "put", "path": "/notes/a b", "headers": raw, **more}


def received(headers: dict[str, str], **more: Any) -> Received:  # noqa: ANN401
    """Return a request as it was received."""
    return received_of(scope(headers, **more), b"{}", "ann", needs_number=False)


def refusal(headers: dict[str, str], *, needs_number: bool = False) -> dict[str, Any]:
    """Return the problem of a request that is refused."""
    with pytest.raises(DeclinedError) as caught:
        received_of(scope(headers), b"", "", needs_number=needs_number)
    answer = caught.value.answer
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.body)
    return problem


def problem(answer: Answered | None, name: str) -> dict[str, Any]:
    """Return what an answer says that is wrong, without what all problems of a kind have."""
    assert answer is not None
    said: dict[str, Any] = json.loads(answer.body)
    assert said.pop("type") == f"urn:draft-journal:receiver:{name}"
    assert said.pop("title") == name.replace("-", " ")
    assert said.pop("status") == answer.status
    return said


def as_heard(answer: Answered) -> Response:
    """Return an answer as a sender has it."""
    headers = {name.lower(): text for name, text in answer.headers.items()}
    return Response(answer.status, headers, answer.body)


class TestHeaders:
    """H1: what is said is said once, is bounded, and is what it should be."""

    @pytest.mark.parametrize(
        ("said", "key"),
        [("k1", "k1"), ('"k1"', "k1"), ('"a \\"b\\" \\\\"', 'a "b" \\'), ("k" * 255, "k" * 255)],
    )
    def test_key(self, said: str, key: str) -> None:
        """A key is a bare word, or a string as RFC 8941 has it."""
        assert received({"Idempotency-Key": said}).key == key

    @pytest.mark.parametrize("said", ["", "a b", '"a', "ü", "k" * 256, '""', '"a\\b"'])
    def test_key_that_is_none(self, said: str) -> None:
        """Any other is refused."""
        refused = refusal({"Idempotency-Key": said})

        assert refused["detail"] == "Idempotency-Key must be a text of 1 to 255 characters"
        assert refused["type"].endswith(":header-malformed")

    def test_two_keys(self) -> None:
        """A header that comes twice says nothing."""
        twice = scope({})
        for name in (b"idempotency-key", b"Idempotency-Key"):
            twice["headers"] = [(b"idempotency-key", b"k1"), (name, b"k2")]
            with pytest.raises(DeclinedError):
                received_of(twice, b"", "", needs_number=False)

    def test_no_key(self) -> None:
        """Without a key a request is refused, with what is missing."""
        refused = refusal({})

        assert refused == {
            "type": "urn:draft-journal:receiver:idempotency-key-missing",
            "title": "idempotency key missing",
            "status": 400,
            "detail": "the header Idempotency-Key is missing: a key for each draft",
        }

    def test_turn(self) -> None:
        """The journal, the number and the one before it are taken from their headers."""
        said = {**KEY, "Draft-Journal": "j1", "Draft-Number": "60", "Draft-Previous": "40"}

        assert received(said)[-4:] == ("ann", "j1", 60, 40)
        assert received({**KEY, "Draft-Journal": '"j 1"', "Draft-Number": "1"})[-3:] == (
            *("j 1", 1, 0),
        )
        assert received(KEY)[-3:] == (None, 0, 0)

    @pytest.mark.parametrize(
        ("said", "name", "detail"),
        [
            ({"Draft-Journal": "j1"}, "sequence-incomplete", "go together"),
            ({"Draft-Number": "1"}, "sequence-incomplete", "go together"),
            ({"Draft-Previous": "1"}, "sequence-incomplete", "go together"),
            ({"Draft-Journal": "j1", "Draft-Number": "-1"}, "header-malformed", "whole number"),
            ({"Draft-Journal": "j1", "Draft-Number": "1" * 19}, "header-malformed", "whole number"),
            ({"Draft-Journal": "j1", "Draft-Number": "x"}, "header-malformed", "whole number"),
            ({"Draft-Journal": "j1", "Draft-Number": "0"}, "sequence-malformed", "more than"),
            (
                {"Draft-Journal": "j1", "Draft-Number": "5", "Draft-Previous": "5"},
                "sequence-malformed",
                "more than",
            ),
        ],
    )
    def test_turn_that_is_none(self, said: dict[str, str], name: str, detail: str) -> None:
        """A turn that is half said, or none, is refused, with the kind of mistake."""
        refused = refusal({**KEY, **said})

        assert refused["type"] == f"urn:draft-journal:receiver:{name}"
        assert detail in refused["detail"]

    def test_turn_that_is_needed(self) -> None:
        """Where a turn is asked for, a key alone is not enough."""
        refused = refusal(KEY, needs_number=True)

        assert refused["type"].endswith(":sequence-missing")
        assert refused["detail"] == "the headers Draft-Journal and Draft-Number are missing"

    @pytest.mark.parametrize(
        ("more", "path", "segments"),
        [
            ({}, "/notes/a%20b", ("notes", "a b")),
            ({"raw_path": b"/notes/a%2Fb"}, "/notes/a%2Fb", ("notes", "a/b")),
            ({"raw_path": b"/v1/notes/a?x=1", "root_path": "/v1"}, "/notes/a", ("notes", "a")),
            ({"raw_path": b"/%76%31/notes/a", "root_path": "/v1"}, "/notes/a", ("notes", "a")),
            ({"raw_path": b"/v1/%C3%A4/b", "root_path": "/v1/\xe4/"}, "/b", ("b",)),
            ({"raw_path": b"/v1/", "root_path": "/v1"}, "/", ("",)),
            ({"raw_path": b"/v1s/a", "root_path": "/v1"}, "/v1s/a", ("v1s", "a")),
            ({"raw_path": b"/X/a", "root_path": "/X"}, "/a", ("a",)),
            ({"raw_path": b"*"}, "*", ("*",)),
        ],
    )
    def test_path(self, more: dict[str, Any], path: str, segments: tuple[str, ...]) -> None:
        """The path is as it was sent, below where the receiver is mounted."""
        found = received(KEY, query_string=b"x=1", **more)

        assert (found.method, found.path, found.query) == ("PUT", path, "x=1")
        assert found.segments == segments
        assert received(KEY, **more).query == ""


class TestContent:
    """What a request holds."""

    def test_fingerprint(self) -> None:
        """Another method, path, query or body is another request; other headers are the same."""
        one = Received("PUT", "/a", "", {}, b"{}", "k1")
        others = [
            one._replace(method="POST"),
            one._replace(path="/b"),
            one._replace(query="x"),
            one._replace(body=b"{ }"),
        ]

        assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 5
        assert one._replace(headers={"if-match": "1"}).fingerprint == one.fingerprint

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"{", b"\xff", b'{"n": NaN}', b"[" * 100_000),
            *(b'{"n": 1e999}', b"[-1e999]", b'"\\ud800"', b'{"\\udc00": 1}'),
            '{"n": 1}'.encode("utf-16"),
        ],
    )
    def test_what_is_no_json(self, body: bytes) -> None:
        """A body that is no JSON is refused, whatever it is."""
        with pytest.raises(DeclinedError) as caught:
            Received("PUT", "/a", "", {}, body, "k1").json()

        assert caught.value.status == 400
        assert str(caught.value) == "the body is not JSON"
        said = json.loads(caught.value.answer.body)
        assert (said["detail"], said.get("errors")) == ("the body is not JSON", None)

    def test_an_answer_of_json(self) -> None:
        """A document takes no more bytes than it needs, and keeps its letters."""
        answer = Answered.of(200, {"Name": "Ö", "n": [1, 2]}, {"X": "1"})

        assert answer.body == '{"Name":"Ö","n":[1,2]}'.encode()
        assert answer.headers == {"Content-Type": "application/json", "X": "1"}

    def test_json(self) -> None:
        """A body that is JSON is what it says."""
        assert Received("PUT", "/a", "", {}, b'{"n": [1.5, null]}', "k1").json() == {
            "n": [1.5, None]
        }
        assert Received("PUT", "/a", "", {}, rb'"\ud83d\ude00"', "k1").json() == "\N{GRINNING FACE}"

    def test_declined(self) -> None:
        """What a host refuses is a problem document, field by field."""
        error = DeclinedError(422, "no", errors=[("Name", "is missing")], headers={"X": "1"})

        assert error.answer.headers == {"Content-Type": "application/problem+json", "X": "1"}
        assert json.loads(error.answer.body) == {
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "no",
            "errors": [{"field": "Name", "message": "is missing"}],
        }

    def test_declined_with_a_status_that_has_no_name(self) -> None:
        """A host may answer with any status, also with one that no standard names."""
        assert json.loads(DeclinedError(499, "no").answer.body) == {
            "type": "about:blank",
            "title": "refused",
            "status": 499,
            "detail": "no",
        }


class TestSendable:
    """A5: an answer that no server can send is refused before it is stored."""

    @pytest.mark.parametrize(
        "answer",
        [
            Answered(200, b"", {"Location": "/a\r\nSet-Cookie: a=b"}),
            Answered(200, b"", {"Location": "/a\n"}),
            Answered(200, b"", {"X": "\0"}),
            Answered(200, b"", {"X": " a"}),
            Answered(200, b"", {"X": "\u0436"}),
            Answered(200, b"", {"X": 5}),  # type: ignore[dict-item]
            Answered(200, b"", {"X:": "a"}),
            Answered(200, b"", {"": "a"}),
            Answered(200, b"", {"Content-length": "99"}),
            Answered(200, b"", {"Transfer-Encoding": "chunked"}),
            Answered(204, b"{}"),
            Answered(304, b"{}"),
            Answered(100),
            Answered(600),
            Answered(200.0),  # type: ignore[arg-type]
        ],
    )
    def test_what_is_not(self, answer: Answered) -> None:
        """It says which part of it is wrong."""
        with pytest.raises(ValueError, match=r"an answer|the header"):
            check_sendable(answer)

    @pytest.mark.parametrize(
        "answer",
        [
            Answered(200, b"a", {"ETag": '"1"', "X": "", "Y": "a b\tc", "Z": "\xfc"}),
            Answered(204),
            Answered(599, b"a"),
        ],
    )
    def test_what_is(self, answer: Answered) -> None:
        """Anything else goes."""
        check_sendable(answer)

    @pytest.mark.parametrize("status", [200, 399, 600])
    def test_declined_with_a_status_that_is_no_refusal(self, status: int) -> None:
        """What is undone is never answered like a success."""
        with pytest.raises(ValueError, match=f"from 400 to 599, and not {status}"):
            DeclinedError(status, "no")

    def test_declined_with_a_header_that_cannot_be_sent(self) -> None:
        """What is refused is answered, too."""
        with pytest.raises(ValueError, match="the header 'X' cannot be sent"):
            DeclinedError(422, "no", headers={"X": "\r\n"})


def sent(number: int, previous: int = 0) -> Received:
    """Return a draft with these numbers."""
    return Received("PUT", "/a", "", {}, b"{}", f"k{number}", "", "j1", number, previous)


class TestSequence:
    """N1 to N3, and what our own sender makes of each answer."""

    @pytest.mark.parametrize(
        ("draft", "last"),
        [
            (sent(60, 40), 40),
            (sent(60, 40), 50),  # the sender has given up 50, which was applied all the same
            (sent(60), None),
            (sent(1), None),
            (sent(60), 50),  # it has forgotten which one was before
        ],
    )
    def test_its_turn(self, draft: Received, last: int | None) -> None:
        """N2, N3: what comes after all that is known, on both sides, is applied."""
        assert out_of_turn(draft, last, admits_midway=False) is None

    @pytest.mark.parametrize("last", [None, 30])
    def test_something_is_missing(self, last: int | None) -> None:
        """N2: what comes too early waits, and is not held; the answer says what is missing."""
        answer = out_of_turn(sent(60, 40), last, admits_midway=False)

        assert answer is not None
        assert (answer.status, answer.headers["Retry-After"]) == (425, "5")
        assert problem(answer, "previous-missing") == {
            "detail": "the draft with number 40 has not been applied here; the last one was "
            + ("none" if last is None else "30"),
            "journal": "j1",
            "number": 60,
            "previous": 40,
            "last": last,
        }
        meaning = classify(as_heard(answer))
        assert isinstance(meaning, Wait)
        assert meaning.retry_after_s == 5

    def test_journal_that_begins_in_its_middle(self) -> None:
        """A receiver may be told to admit a journal that it does not know; not one that it does."""
        assert out_of_turn(sent(60, 40), None, admits_midway=True) is None
        assert out_of_turn(sent(60, 40), 30, admits_midway=True) is not None

    @pytest.mark.parametrize("last", [60, 70])
    def test_too_late(self, last: int) -> None:
        """N3: a late copy is refused; a sender that is told so stops, for it was set back."""
        answer = out_of_turn(sent(60, 40), last, admits_midway=False)

        assert answer is not None
        assert answer.status == 409
        assert problem(answer, "idempotency-number-mismatch") == {
            "detail": f"the number 60 is not after {last}, which was applied last: "
            "it is a late copy, or the journal was set back",
            "journal": "j1",
            "number": 60,
            "previous": 40,
            "last": last,
        }
        meaning = classify(as_heard(answer))
        assert isinstance(meaning, Refused)
        assert meaning.is_alarm

    def test_again(self) -> None:
        """N1: the stored answer is given again, and says that it is."""
        receipt = Receipt("", "k60", sent(60).fingerprint, "j1", 60, 1, Answered(201, b"{}"))

        answer = replayed(sent(60), receipt)

        assert answer == Answered(201, b"{}", {"Idempotent-Replayed": "true"})

    def test_again_with_another_content(self) -> None:
        """N1: a key that was used for something else is refused, and its sender stops."""
        receipt = Receipt("", "k60", "another", "j1", 60, 1, Answered(201, b"{}"))

        answer = replayed(sent(60), receipt)

        assert answer.status == 422
        assert problem(answer, "idempotency-key-already-used") == {
            "detail": "the Idempotency-Key k60 was used for another method, path or body"
        }
        meaning = classify(as_heard(answer))
        assert isinstance(meaning, Refused)
        assert meaning.is_alarm

    def test_again_after_the_answer_was_forgotten(self) -> None:
        """N1: it is said that it was applied, and a sender reads what has become of it."""
        receipt = Receipt("", "k60", sent(60).fingerprint, "j1", 60, 17)

        answer = replayed(sent(60), receipt)

        assert answer.status == 409
        assert problem(answer, "answer-expired") == {
            "detail": "it was applied, and its answer is kept no longer: "
            "read what has become of it",
            "received_at": 17,
        }
        assert isinstance(classify(as_heard(answer)), Doubt)

    def test_while_the_first_is_running(self) -> None:
        """A request whose key is in use is to be sent again soon."""
        answer = outstanding("k1")

        assert (answer.status, answer.headers["Retry-After"]) == (409, "1")
        assert problem(answer, "idempotency-request-outstanding") == {
            "detail": "a request with the Idempotency-Key k1 is outstanding"
        }
        meaning = classify(as_heard(answer))
        assert isinstance(meaning, Wait)
        assert meaning.retry_after_s == 1

    def test_what_is_missing_is_no_alarm(self) -> None:
        """A key that is missing is a mistake of the profile: it is refused, and nothing more."""
        with pytest.raises(DeclinedError) as caught:
            received({})

        assert isinstance(classify(as_heard(caught.value.answer)), Doubt)
        assert problem_of(404, "about:blank", "x").status == 404
