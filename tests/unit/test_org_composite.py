"""Several requests in one call of an org: how they are asked, and what is answered."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from journal.remotes import Request, Response
from journal.remotes.salesforce.composite import (
    is_done,
    is_halted,
    is_rolled_back,
    made_by,
    serial,
    serial_answers,
    whole,
    whole_answers,
)
from journal.remotes.salesforce.ids import StandIn

GET: Final = Request("GET", "/sobjects/A/1?fields=Id")
PATCH: Final = Request("PATCH", "/sobjects/A/1", {"If-Unmodified-Since": "d"}, b'{"Name":"a"}')
DATED: Final = {"date": "Wed, 01 Apr 2026 09:30:00 GMT", "x": "y"}


def says(content: object, status: int = 200) -> Response:
    """Return the answer to a call."""
    return Response(status, DATED, json.dumps(content).encode())


def refused(code: str, message: str, status: int = 412) -> Response:
    """Return what became of a request that was not carried out."""
    return says([{"errorCode": code, "message": message}], status)


class TestAsked:
    """How a call is made."""

    def test_one_after_another(self) -> None:
        """Each with its method, its address below the version, and its content."""
        call = serial("67.0", [GET, PATCH])

        assert (call.method, call.path) == ("POST", "/composite/batch")
        assert call.headers == {"Content-Type": "application/json"}
        assert json.loads(call.body or b"") == {
            "haltOnError": True,
            "batchRequests": [
                {"method": "GET", "url": "v67.0/sobjects/A/1?fields=Id"},
                {
                    "method": "PATCH",
                    "url": "v67.0/sobjects/A/1",
                    "richInput": {"Name": "a"},
                },
            ],
        }
        assert json.loads(serial("67.0", [], halts=False).body or b"")["haltOnError"] is False

    def test_all_or_none(self) -> None:
        """In their order, each by a name, with the headers that it has."""
        call = whole("67.0", [GET, PATCH])

        assert (call.method, call.path) == ("POST", "/composite")
        assert call.headers == {"Content-Type": "application/json"}
        assert json.loads(call.body or b"") == {
            "allOrNone": True,
            "collateSubrequests": False,
            "compositeRequest": [
                {
                    "method": "GET",
                    "url": "/services/data/v67.0/sobjects/A/1?fields=Id",
                    "referenceId": "r0",
                },
                {
                    "method": "PATCH",
                    "url": "/services/data/v67.0/sobjects/A/1",
                    "referenceId": "r1",
                    "httpHeaders": {"If-Unmodified-Since": "d"},
                    "body": {"Name": "a"},
                },
            ],
        }

    def test_what_a_request_makes_can_be_named(self) -> None:
        """By the name of the request, and it is told from a text."""
        assert made_by(3) == "@{r3.id}"
        assert isinstance(made_by(3), StandIn)


class TestAnswered:
    """C1: an answer that does not say what became of each request says nothing."""

    def test_one_after_another(self) -> None:
        """Its status, its content, and the time of the call."""
        results = [{"statusCode": 204, "result": None}, {"statusCode": 400, "result": [1]}]
        date = {"date": DATED["date"]}

        assert serial_answers(says({"results": results}), 2) == [
            Response(204, date, b""),
            Response(400, date, b"[1]"),
        ]
        undated = Response(200, {}, json.dumps({"results": results[:1]}).encode())
        assert serial_answers(undated, 1) == [Response(204, {}, b"")]

    def test_all_or_none(self) -> None:
        """Each is known by its name, whatever their order."""
        results = [
            {"referenceId": "r1", "httpStatusCode": 204, "body": None},
            {"referenceId": "r0", "httpStatusCode": 201, "body": {"id": "1"}},
        ]

        found = whole_answers(says({"compositeResponse": results}), 2)

        assert found is not None
        assert [(one.status, one.body) for one in found] == [(201, b'{"id":"1"}'), (204, b"")]

    @pytest.mark.parametrize(
        "content",
        [
            {},
            [],
            {"results": {}},
            {"results": []},
            {"results": [{"statusCode": 200}, {"statusCode": 200}]},
            {"results": [{"statusCode": "200"}]},
            {"results": [{"statusCode": True}]},
            {"results": [{"result": 1}]},
            {"results": ["x"]},
            {"compositeResponse": [{"referenceId": "r0", "httpStatusCode": 200}]},
        ],
    )
    def test_what_says_nothing_of_one(self, content: object) -> None:
        """One too few or too many, or one without a status."""
        assert serial_answers(says(content), 1) is None

    @pytest.mark.parametrize(
        "results",
        [
            [],
            ["x"],
            [{"referenceId": "r1", "httpStatusCode": 200}],
            [{"httpStatusCode": 200}],
            [{"referenceId": "r0", "statusCode": 200}],
            [{"referenceId": "r0", "httpStatusCode": 200}] * 2,
        ],
    )
    def test_what_says_nothing_of_all(self, results: list[Any]) -> None:
        """A name that is missing, or another; or one too few or too many."""
        assert whole_answers(says({"compositeResponse": results}), 1) is None
        assert whole_answers(says({"results": results}), 1) is None

    @pytest.mark.parametrize(
        ("status", "done"), [(199, False), (200, True), (299, True), (300, False)]
    )
    def test_done(self, status: int, done: bool) -> None:  # noqa: FBT001
        """Any 2xx."""
        assert is_done(Response(status, {}, b"")) == done

    def test_not_carried_out(self) -> None:
        """Told by its code, and by its status; or by the words that it was rolled back."""
        for code in ("BATCH_PROCESSING_HALTED", "PROCESSING_HALTED"):
            assert is_halted(refused(code, "x"))
            assert not is_halted(refused(code, "x", 400))
            assert is_rolled_back(refused(code, "The transaction was Rolled back since", 400))
            assert not is_rolled_back(refused(code, "x"))
        assert not is_halted(refused("OTHER", "x"))
        assert not is_rolled_back(refused("OTHER", "rolled back"))
        assert not is_halted(says([], 412))
