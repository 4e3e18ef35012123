"""Outcomes, and the events that they become."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journal.events import DraftAcknowledged, DraftHeld, FieldMessage
from journal.outcomes import (
    MAX_ANSWER,
    MAX_MESSAGE,
    MAX_MESSAGES,
    Acknowledged,
    Refused,
    settle,
)
from journal.values import Ref
from tests.strategies import fields

ACCOUNT = Ref("Account:1")


class TestAcknowledged:
    """The receipt."""

    def test_becomes_a_receipt_with_all_that_is_known(self) -> None:
        """An acknowledgement is stored with its evidence, ids, version, status, date, attempts."""
        outcome = Acknowledged("read", "r-1", '"7"', 200, "Sun, 06 Nov 1994 08:49:37 GMT")

        event = settle("d-1", 2, outcome, 3)

        assert event == DraftAcknowledged(
            draft_id="d-1",
            revision=2,
            remote_id="r-1",
            remote_version='"7"',
            evidence="read",
            attempts=3,
            status=200,
            remote_date="Sun, 06 Nov 1994 08:49:37 GMT",
        )

    def test_shown_fields_keep_their_references(self) -> None:
        """The places of references in the shown record are named, at every depth."""
        shown = {"Owner": ACCOUNT, "Text": "Account:1", "Lines": [{"To": ACCOUNT}]}

        event = settle("d-1", 0, Acknowledged("answer", fields=shown), 1)

        assert event == DraftAcknowledged(
            draft_id="d-1",
            evidence="answer",
            fields=shown,
            references=("/fields/Owner", "/fields/Lines/0/To"),
        )

    @given(fields())
    def test_any_fields_survive_the_round_trip(self, shown: dict[str, object]) -> None:
        """What a receipt showed is stored and read again exactly."""
        event = settle("d-1", 0, Acknowledged("answer", fields=shown), 1)
        assert isinstance(event, DraftAcknowledged)

        again = DraftAcknowledged.model_validate_json(event.model_dump_json())

        assert again.references == event.references
        assert again.fields == event.fields


class TestRefused:
    """The hold."""

    def test_becomes_a_hold_with_all_that_was_said(self) -> None:
        """A refusal is stored with its class, messages, status, answer and attempts."""
        messages = (FieldMessage(field="Name", message="is taken", code="E1"),)

        event = settle("d-1", 1, Refused("rejected", messages, 422, "{}"), 2)

        assert event == DraftHeld(
            draft_id="d-1",
            revision=1,
            classification="rejected",
            messages=messages,
            status=422,
            answer="{}",
            attempts=2,
        )

    @given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
    def test_is_bounded(self, answers: int, messages: int, texts: int) -> None:
        """However much a remote says, what is kept of it is bounded."""
        long = "x" * (texts * MAX_MESSAGE)
        said = (FieldMessage(field=long, message=long, code=long),) * (messages * MAX_MESSAGES)
        outcome = Refused("gone", said, 404, "y" * (answers * MAX_ANSWER))

        event = settle("d-1", 2, outcome, 1)

        assert isinstance(event, DraftHeld)
        assert event.answer == outcome.answer[:MAX_ANSWER]
        short = long[:MAX_MESSAGE]
        kept = (FieldMessage(field=short, message=short, code=short),) * len(said[:MAX_MESSAGES])
        assert event.messages == kept
