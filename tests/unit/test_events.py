"""The events and their envelope: the stored format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, get_args, get_origin

import pytest
from pydantic import ValidationError

from journal import events
from journal.events import (
    EARLIEST,
    EVENT_TYPES,
    LATEST,
    SCHEMA_VERSIONS,
    UPCASTERS,
    Entry,
    NewEntry,
    PushStarted,
    RecordCreated,
    RecordObserved,
    time_of,
)
from journal.values import Ref

FIELDS = {
    "RecordCreated": ["references", "fields"],
    "RecordUpdated": ["references", "changes", "base", "base_version"],
    "RecordDeleted": ["references", "base", "base_version"],
    "RecordObserved": [
        "references",
        "exists",
        "fields",
        "remote_id",
        "remote_version",
        "partial",
    ],
    "PushStarted": ["references", "draft_id", "revision"],
    "DraftAcknowledged": [
        "references",
        "draft_id",
        "revision",
        "remote_id",
        "remote_version",
        "evidence",
        "attempts",
        "status",
        "remote_date",
        "fields",
    ],
    "DraftHeld": [
        "references",
        "draft_id",
        "revision",
        "classification",
        "messages",
        "status",
        "answer",
        "attempts",
    ],
    "DraftRetried": ["references", "draft_id"],
    "DraftAmended": ["references", "draft_id", "revision", "fields"],
    "DraftDiscarded": ["references", "draft_id", "cause", "maybe_applied"],
    "ConflictResolved": [
        "references",
        "draft_id",
        "revision",
        "base",
        "ours",
        "theirs",
        "resolutions",
        "kind",
        "fields",
        "remote_version",
    ],
    "QueueStopped": ["references", "cause", "problem"],
    "QueueStarted": ["references"],
}
"""The stored format: a name that is missing here, or another, breaks every log there is."""


class TestTime:
    """Times that a calendar has no name for."""

    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (LATEST, "9999-12-31 23:59:59.999999+00:00"),
            (LATEST + 1, "9999-12-31 23:59:59.999999+00:00"),
            (2**63 - 1, "9999-12-31 23:59:59.999999+00:00"),
            (0, "1970-01-01 00:00:00+00:00"),
            (EARLIEST, "0001-01-01 00:00:00+00:00"),
            (-(2**63), "0001-01-01 00:00:00+00:00"),
        ],
    )
    def test_time_beyond_the_calendar_is_its_end(self, at: int, expected: str) -> None:
        """Whatever is stored has a time; one beyond the calendar is its first or last moment."""
        assert str(time_of(at)) == expected


class TestFormat:
    """The names that are stored for ever."""

    def test_names_are_what_they_were(self) -> None:
        """The names of the events and of their fields are never changed."""
        assert {name: list(kind.model_fields) for name, kind in EVENT_TYPES.items()} == FIELDS

    def test_every_event_has_a_schema_version_and_its_upcasters(self) -> None:
        """Every version before the current one has an upcaster to the next."""
        assert SCHEMA_VERSIONS.keys() == EVENT_TYPES.keys()
        assert set(UPCASTERS) == {
            (name, old) for name, version in SCHEMA_VERSIONS.items() for old in range(1, version)
        }

    def test_defaults_are_what_they_were(self) -> None:
        """What equals its default is not stored, so a default is never changed."""
        defaults = {
            (name, field): info.default
            for name, kind in EVENT_TYPES.items()
            for field, info in kind.model_fields.items()
            if not info.is_required() and info.default not in (None, "", ())
        }

        assert defaults == {
            ("RecordObserved", "fields"): {},
            ("RecordObserved", "partial"): False,
            ("PushStarted", "revision"): 0,
            ("DraftAcknowledged", "revision"): 0,
            ("DraftAcknowledged", "attempts"): 1,
            ("DraftHeld", "revision"): 0,
            ("DraftHeld", "attempts"): 1,
            ("DraftDiscarded", "maybe_applied"): False,
        }

    def test_values_are_what_they_were(self) -> None:
        """Another value takes a new schema version, so that an older release asks to upgrade."""
        values = {
            name: get_args(kind)
            for name, kind in vars(events).items()
            if get_origin(kind) is Literal
        }

        assert dict.fromkeys(SCHEMA_VERSIONS.values()) == {1: None}
        assert values == {
            "ChangeKind": ("create", "update", "delete"),
            "DraftState": ("pending", "sending", "held"),
            "HoldClass": ("rejected", "conflict", "gone", "unknown"),
            "Evidence": ("answer", "read", "person"),
            "StopCause": ("person", "rejections"),
            "Side": ("ours", "theirs", "value"),
        }


class TestEvent:
    """Events are facts."""

    def test_is_frozen(self) -> None:
        """An event cannot be changed."""
        event = PushStarted(draft_id="e1")

        with pytest.raises(ValidationError):
            event.draft_id = "e2"  # type: ignore[misc]

    def test_is_closed_and_strict(self) -> None:
        """A field that is unknown, or of another type, is refused."""
        with pytest.raises(ValidationError):
            PushStarted.model_validate({"draft_id": "e1", "other": 1})
        with pytest.raises(ValidationError):
            PushStarted.model_validate({"draft_id": "e1", "revision": "1"})

    def test_fields_by_default_are_its_own(self) -> None:
        """Two events never share the fields that neither was given."""
        one, other = RecordObserved(exists=True), RecordObserved(exists=True)

        assert one.fields is not other.fields


class TestEnvelope:
    """The envelope of an event."""

    def test_columns_are_what_they_were(self) -> None:
        """The names of the envelope are never changed."""
        known = [
            "event_id",
            "stream",
            "version",
            "occurred_at",
            "actor",
            "origin",
            "correlation_id",
            "causation_id",
            "reason",
            "trace",
            "event",
        ]

        assert list(NewEntry._fields) == known
        assert list(Entry._fields) == [
            "position",
            "batch",
            *known[:4],
            "clock_adjusted",
            *known[4:],
        ]

    def test_time_is_exact_to_the_microsecond(self) -> None:
        """`at` is the stored number of microseconds as a time in UTC, without rounding."""
        at = 1_790_000_000_123_457
        event = RecordCreated(fields={})
        entry = Entry(1, 1, "e1", Ref("A:1"), 1, at, False, "a", "o", None, None, None, None, event)  # noqa: FBT003

        assert entry.at == time_of(at) == datetime(2026, 9, 21, 14, 13, 20, 123457, tzinfo=UTC)
