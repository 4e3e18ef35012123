"""Events to stored bytes and back."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, Final

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given

from journal.errors import InvalidValueError, LogCorruptError, UnknownEventError
from journal.events import EVENT_TYPES, LATEST, Entry, NewEntry, RecordCreated, RecordObserved
from journal.log.chain import Head, Row, genesis, seal
from journal.log.mapper import EntryMapper, JSONBytes
from journal.values import Ref, references
from tests import strategies

NEW: Final = NewEntry(
    "e1", Ref("A:1"), 1, 5, "ann", "van", "c", "d", "why", "t", RecordCreated(fields={})
)
MORE: Final = "Extra inputs are not permitted"


def new_entry(entry: Entry) -> NewEntry:
    """Return what an entry was before the append."""
    return NewEntry(
        entry.event_id,
        entry.stream,
        entry.version,
        entry.occurred_at,
        entry.actor,
        entry.origin,
        entry.correlation_id,
        entry.causation_id,
        entry.reason,
        entry.trace,
        entry.event,
    )


def row(event_type: str, data: bytes, schema_version: int = 1) -> Row:
    """Return a row with this event."""
    unsealed = (
        EntryMapper()
        .unsealed(NEW)
        ._replace(event_type=event_type, data=data, schema_version=schema_version)
    )
    return seal(Head(6, genesis("j1"), 0), [unsealed])[0]


def renamed(fields: dict[str, Any]) -> dict[str, Any]:
    """Upcast from version 1, in which fields were called values."""
    return {"fields": fields.pop("values"), **fields}


def upcasting() -> EntryMapper:
    """Return a mapper that has seen two other versions of every event."""
    return EntryMapper(
        EVENT_TYPES,
        dict.fromkeys(EVENT_TYPES, 3),
        {("RecordCreated", 1): renamed, ("RecordCreated", 2): marked},
    )


def marked(fields: dict[str, Any]) -> dict[str, Any]:
    """Upcast from version 2, in which nothing was marked."""
    return {**fields, "fields": {**fields["fields"], "Marked": True}}


class TestRoundTrip:
    """What is written is what is read."""

    @given(strategies.histories)
    def test_every_event_comes_back(self, history: list[Entry]) -> None:
        """V2: an event is read as it was written, references and all, with its envelope."""
        mapper = EntryMapper()
        rows = seal(Head(0, genesis("j1"), 0), [mapper.unsealed(new_entry(e)) for e in history])

        read = [mapper.entry(row) for row in rows]

        assert [repr(entry._replace(batch=0)) for entry in read] == [
            repr(entry._replace(batch=0)) for entry in history
        ]

    @given(strategies.fields())
    def test_every_field_comes_back(self, fields: dict[str, Any]) -> None:
        """V2: fields that are stored come back value for value and type for type."""
        places = tuple(f"/fields{place}" for place, _ in references(fields))
        new = NewEntry(
            "e1",
            Ref("A:1"),
            1,
            5,
            "ann",
            "van",
            None,
            None,
            None,
            None,
            RecordObserved(exists=True, fields=fields, references=places),
        )

        stored = EntryMapper().to_stored_event(new)  # type: ignore[arg-type]
        read = EntryMapper().to_domain_event(stored)

        assert repr(read) == repr(new)

    def test_a_clock_that_was_adjusted(self) -> None:
        """The mark of a row whose time was moved is in the entry."""
        unsealed = EntryMapper().unsealed(NEW)
        [moved] = seal(Head(6, genesis("j1"), 99), [unsealed])

        assert EntryMapper().entry(moved).clock_adjusted is True

    def test_the_latest_time(self) -> None:
        """No clock shows a later one: it counts in another unit, and is told with the record."""
        EntryMapper().unsealed(NEW._replace(occurred_at=LATEST))

        with pytest.raises(InvalidValueError, match="after the year 9999") as caught:
            EntryMapper().unsealed(NEW._replace(occurred_at=LATEST + 1))

        assert (caught.value.path, caught.value.record) == ("occurred_at", Ref("A:1"))

    def test_envelope_is_kept(self) -> None:
        """Every column of the envelope is in the entry."""
        entry = EntryMapper().entry(row("RecordCreated", b'{"fields":{}}'))

        assert entry._asdict() == {
            "position": 7,
            "batch": 7,
            "event_id": "e1",
            "stream": Ref("A:1"),
            "version": 1,
            "occurred_at": 5,
            "clock_adjusted": False,
            "actor": "ann",
            "origin": "van",
            "correlation_id": "c",
            "causation_id": "d",
            "reason": "why",
            "trace": "t",
            "event": RecordCreated(fields={}),
        }

    def test_defaults_are_not_stored(self) -> None:
        """What equals its default takes no space."""
        new = NewEntry(
            "e1", Ref("A:1"), 1, 5, "a", "o", None, None, None, None, RecordCreated(fields={})
        )

        assert EntryMapper().unsealed(new).data == b'{"fields":{}}'


class TestReading:
    """What cannot be read is an error that names the position; nothing is skipped."""

    @pytest.mark.parametrize(
        "name", ["RecordCopied", "", "journal.events:RecordCreated", "os:system"]
    )
    def test_unknown_type(self, name: str) -> None:
        """A type that is not on the list is of a newer release, and is never imported."""
        with pytest.raises(UnknownEventError, match="upgrade draft-journal") as caught:
            EntryMapper().entry(row(name, b"{}"))

        assert (caught.value.position, caught.value.event_type) == (7, name)

    def test_stored_name_is_not_imported(self) -> None:
        """A stored type that names a module does not load it."""
        module = "antigravity"
        sys.modules.pop(module, None)

        with pytest.raises(UnknownEventError):
            EntryMapper().entry(row(f"{module}:fly", b"{}"))

        assert module not in sys.modules

    @pytest.mark.parametrize("version", [0, -1, 2, 99])
    def test_unknown_schema_version(self, version: int) -> None:
        """A schema version that this release does not write, nor upcast, is unknown."""
        with pytest.raises(UnknownEventError) as caught:
            EntryMapper().entry(row("RecordCreated", b'{"fields":{}}', version))

        assert (caught.value.position, caught.value.schema_version) == (7, version)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff",
            b"{}",
            b'{"fields":[]}',
            b'{"fields":{},"more":1}',
            b'{"fields":{},"references":["/fields/a"]}',
            b'{"fields":{"a":1},"references":["/fields/a"]}',
            b'{"fields":{"a":[]},"references":["/fields/a/x"]}',
            b'{"fields":{"a":"x"},"references":[""]}',
            b'{"fields":{"a":"x"},"references":["/references/0"]}',
            b"[" * 100_000,
        ],
        ids=lambda data: data[:60].decode("latin-1"),
    )
    def test_damaged_data(self, data: bytes) -> None:
        """Data that is not such an event is reported with the position and one line of why."""
        with pytest.raises(LogCorruptError, match="at position 7: its data is not a") as caught:
            EntryMapper().entry(row("RecordCreated", data))

        assert caught.value.position == 7
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b'{"fields":[]}', "fields: Input should be an object"),
            (b'{"a":1,"b":1,"c":1,"d":1}', f"fields: Field required; a: {MORE}; b: {MORE}"),
            (b'{"fields":{},"references":["/fields/a"]}', "'a'"),
        ],
    )
    def test_why_data_is_damaged(self, data: bytes, why: str) -> None:
        """The first mistakes in it are told, each with its place; or what else went wrong."""
        with pytest.raises(LogCorruptError) as caught:
            EntryMapper().entry(row("RecordCreated", data))

        assert f"its data is not a RecordCreated: {why}; export" in str(caught.value)

    def test_only_the_first_line_of_an_error(self) -> None:
        """What an upcaster says is told in one line, as everything else."""

        def talkative(_: dict[str, Any]) -> dict[str, Any]:
            raise ValueError("no such field\nin any release\nof ours")

        mapper = EntryMapper(
            EVENT_TYPES, dict.fromkeys(EVENT_TYPES, 2), {("RecordCreated", 1): talkative}
        )
        with pytest.raises(LogCorruptError) as caught:
            mapper.entry(row("RecordCreated", b"{}"))

        assert "a RecordCreated: no such field; export" in str(caught.value)


class TestUpcasting:
    """Old schema versions are read for ever."""

    @pytest.mark.parametrize(
        ("version", "data", "fields"),
        [
            (
                1,
                b'{"values":{"A":"T:1"},"references":["/fields/A"]}',
                {"A": Ref("T:1"), "Marked": True},
            ),
            (2, b'{"fields":{"A":1}}', {"A": 1, "Marked": True}),
            (3, b'{"fields":{"A":1}}', {"A": 1}),
        ],
    )
    def test_reads_every_version(self, version: int, data: bytes, fields: dict[str, Any]) -> None:
        """An event of an old schema version is brought to the current one, step by step."""
        entry = upcasting().entry(row("RecordCreated", data, version))

        assert entry.event.model_dump()["fields"] == fields
        assert repr(entry.event).count("Ref(") == (version == 1)

    @pytest.mark.parametrize(("name", "data"), [("RecordCreated", b"{}"), ("RecordDeleted", b"{}")])
    def test_old_data_that_is_damaged(self, name: str, data: bytes) -> None:
        """Data that an upcaster cannot bring forward, or has none for, is damaged."""
        with pytest.raises(LogCorruptError, match="at position 7"):
            upcasting().entry(row(name, data, 1))

    def test_writes_the_current_version(self) -> None:
        """A new event has the current schema version."""
        new = NewEntry(
            "e1", Ref("A:1"), 1, 5, "a", "o", None, None, None, None, RecordCreated(fields={})
        )

        assert upcasting().unsealed(new).schema_version == 3


class TestLibrary:
    """The library's way in and out."""

    def test_refuses_foreign_events(self) -> None:
        """Only an entry of ours is stored by this mapper."""
        with pytest.raises(TypeError, match="a StoredEvent is no NewEntry"):
            EntryMapper().to_stored_event(StoredEvent("A:1", 1, "x", b""))  # type: ignore[arg-type]

    def test_reads_plain_stored_events(self) -> None:
        """A stored event without our columns is read by its topic and state."""
        stored = StoredEvent("A:1", 3, "RecordCreated", b'{"fields":{"a":1}}')

        assert EntryMapper().to_domain_event(stored) == NewEntry(
            "A:1@3",
            Ref("A:1"),
            3,
            0,
            "",
            "",
            None,
            None,
            None,
            None,
            RecordCreated(fields={"a": 1}),
        )

    def test_an_entry_goes_out_as_it_came_in(self) -> None:
        """As the library knows it, and whole."""
        stored = EntryMapper().to_stored_event(NEW)  # type: ignore[arg-type]

        assert (stored.originator_id, stored.originator_version) == ("A:1", 1)
        assert (stored.topic, stored.state) == ("RecordCreated", b'{"fields":{}}')
        assert EntryMapper().to_domain_event(stored) == NEW

    @pytest.mark.parametrize(("position", "told"), [(9, 9), (None, 0)])
    def test_damaged_data_is_told_with_its_position(self, position: int | None, told: int) -> None:
        """Where the library knows one."""
        stored = EntryMapper().to_stored_event(NEW)  # type: ignore[arg-type]
        damaged = replace(stored, position=position, unsealed=stored.unsealed._replace(data=b"[]"))

        with pytest.raises(LogCorruptError) as caught:
            EntryMapper().to_domain_event(damaged)

        assert caught.value.position == told

    def test_transcoder_marks_nothing(self) -> None:
        """JSON in and out; data that looks like a mark of the library is data."""
        value = {"_type_": "tuple_as_list", "_data_": [1, "🐈"]}

        assert JSONBytes().decode(JSONBytes().encode(value)) == value
