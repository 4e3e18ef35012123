"""The journal: commands on a real file."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from decimal import Decimal
from math import inf, nan
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, model_validator

from journal import Journal, Ref, Sources
from journal.errors import (
    BatchMovedError,
    DanglingReferenceError,
    DraftMissingError,
    InvalidNameError,
    InvalidRecordError,
    InvalidValueError,
    RecordDeletedError,
    RecordExistsError,
    RecordMissingError,
    RefusedError,
    UnknownTypeError,
    VersionConflictError,
)
from journal.events import LATEST, QUEUE, RecordCreated, RecordObserved, RecordUpdated
from journal.values import same
from tests import strategies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

ACME = Ref("Account:1")


class Ticking:
    """A clock that a test sets, and that otherwise moves on by a second each time."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.us = 1_700_000_000_000_000

    def now_us(self) -> int:
        """Return the next second."""
        self.us += 1_000_000
        return self.us

    def monotonic_s(self) -> float:
        """Return the same clock in seconds."""
        return self.us / 1e6


class Account(BaseModel):
    """A registered type."""

    Name: str
    Rating: float | None = None


@pytest.fixture
def other(journal: Journal, path: Path) -> Iterator[Journal]:
    """A second journal object on the same file, as another process would have."""
    assert journal.log.head() == 0
    with Journal(path, actor="bob", origin="van-8") as other:
        yield other


@pytest.fixture
def typed(tmp_path: Path) -> Iterator[Journal]:
    """A journal with a registered type."""
    with Journal(tmp_path / "typed.db", types=[Account]) as journal:
        yield journal


def told(journal: Journal) -> list[tuple[str, str]]:
    """Return who did what, in order."""
    return [(entry.actor, type(entry.event).__name__) for entry in journal.log.scan()]


def nested(depth: int) -> dict[str, Any]:
    """Return objects within each other."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"x": value}
    return value


class TestCommands:
    """Each command: does it, refuses it, stays quiet."""

    def test_create(self, journal: Journal) -> None:
        """J1: a created record is in the log, with who, where, when and why."""
        ref = journal.create(
            "Account",
            {"Name": "Acme"},
            id="1",
            actor="eve",
            reason="new",
            correlation_id="c",
            causation_id="d",
        )

        (entry,) = journal.log.read()
        assert ref == ACME
        assert entry.event == RecordCreated(fields={"Name": "Acme"})
        assert entry[3:5] == (ACME, 1)
        assert entry[7:12] == ("eve", "van-7", "c", "d", "new")
        assert journal.load(ref).fields == {"Name": "Acme"}

    def test_change_keeps_its_trace(self) -> None:
        """What was made in a trace says so; what was made in none says nothing."""
        traces = iter(["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None])
        with Journal(sources=Sources(trace=lambda: next(traces))) as journal:
            ref = journal.create("Account", {"Name": "Acme"})
            journal.delete(ref)

            said = [entry.trace for entry in journal.log.read()]

        assert said == ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None]

    def test_create_again(self, journal: Journal) -> None:
        """R2: with an id and fields that were seen before, nothing is stored."""
        ref = journal.create("Account", {"Name": "Acme"}, id="1")
        assert journal.create("Account", {"Name": "Acme"}, id="1") == ref
        journal.update(ref, {"Name": "Bolt"})
        assert journal.create("Account", {"Name": "Acme"}, id="1") == ref

        assert journal.log.head() == 2

    def test_create_again_otherwise(self, journal: Journal) -> None:
        """An id that was seen before with other fields is refused."""
        journal.create("Account", {"Name": 1}, id="1")

        with pytest.raises(RecordExistsError):
            journal.create("Account", {"Name": True}, id="1")
        assert journal.log.head() == 1

    def test_update(self, journal: Journal) -> None:
        """An update returns the id of its draft, which is the id of its event."""
        ref = journal.create("Account", {"Name": "Acme", "Size": 1})

        draft_id = journal.update(ref, {"Name": "Bolt", "Size": 1})

        entry = journal.log.read(1)[0]
        assert entry.event_id == draft_id
        assert entry.event == RecordUpdated(changes={"Name": "Bolt"}, base={"Name": "Acme"})

    def test_update_again(self, journal: Journal) -> None:
        """R2: an update to what is there already changes nothing."""
        ref = journal.create("Account", {"Name": "Acme"})

        assert journal.update(ref, {"Name": "Acme"}) is None
        assert journal.update(ref, {}) is None
        assert journal.log.head() == 1

    def test_delete(self, journal: Journal) -> None:
        """A deleted record is gone at once; a second delete changes nothing."""
        ref = journal.create("Account", {"Name": "Acme"})

        assert journal.delete(ref)
        assert journal.delete(ref) is None
        assert journal.load(ref).is_deleted
        assert journal.log.head() == 2

    def test_observe(self, journal: Journal) -> None:
        """What a pull saw is noted once, and can be edited offline."""
        seen = {"Name": "Acme"}

        assert journal.observe(ACME, seen, remote_version="v1")
        assert journal.observe(ACME, seen, remote_version="v1") is None
        journal.update(ACME, {"Name": "Bolt"})

        first, second = journal.log.read()
        assert first.event == RecordObserved(
            exists=True, fields=seen, remote_id="1", remote_version="v1"
        )
        assert second.event == RecordUpdated(changes={"Name": "Bolt"}, base=seen, base_version="v1")

    def test_expected_version(self, journal: Journal) -> None:
        """J3: a caller that says which version it saw is refused where it has moved on."""
        ref = journal.create("Account", {"Name": "Acme"})
        journal.update(ref, {"Name": "Bolt"}, expected_version=1)

        commands: list[Callable[[], object]] = [
            lambda: journal.update(ref, {"Name": "Coil"}, expected_version=1),
            lambda: journal.delete(ref, expected_version=1),
        ]
        for command in commands:
            with pytest.raises(VersionConflictError) as caught:
                command()

            assert (caught.value.expected, caught.value.actual) == (1, 2)
        assert journal.log.head() == 2

    def test_reference_to_a_record_that_is_offline_too(self, journal: Journal) -> None:
        """A record may refer to one that the remote has never heard of."""
        account = journal.create("Account", {"Name": "Acme"})
        visit = journal.create("Visit", {"Account": account, "Also": [{"x": account}]})

        read = journal.log.stream(visit)[0].event

        assert isinstance(read, RecordCreated)
        assert read.references == ("/fields/Account", "/fields/Also/0/x")
        assert same(read.fields, {"Account": account, "Also": [{"x": account}]})

    def test_what_was_given_may_change_afterwards(self, journal: Journal) -> None:
        """V1: the journal keeps no part of what the caller gave it."""
        inner: list[Any] = [1, {"x": 2}]
        fields: dict[str, Any] = {"Name": "Acme", "Tags": inner}
        ref = journal.create("Account", fields, id="1")
        changes: dict[str, Any] = {"More": {"y": [1]}}
        journal.update(ref, changes)
        seen: dict[str, Any] = {"Seen": [1]}
        journal.observe(Ref("Account:2"), seen)

        fields["Name"] = nan
        inner.append(nan)
        inner[1]["x"] = nan
        changes["More"]["y"].append(nan)
        seen["Seen"].append(nan)

        expected = {"Name": "Acme", "Tags": [1, {"x": 2}], "More": {"y": [1]}}
        assert journal.load(ref).fields == expected
        assert journal.load(Ref("Account:2")).fields == {"Seen": [1]}
        assert journal.log.stream(ref)[0].event.model_dump()["fields"]["Tags"] == [1, {"x": 2}]

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
    @given(strategies.fields(st.nothing()))
    def test_what_was_accepted_is_stored_exactly(
        self, journal: Journal, fields: dict[str, Any]
    ) -> None:
        """V2: what is read from the file is what was given, value for value, type for type."""
        ref = journal.create("T", fields)

        (entry,) = journal.log.stream(ref)

        assert same(entry.event.model_dump()["fields"], fields)
        assert journal.log.verify().is_intact

    @pytest.mark.parametrize("now_us", [LATEST + 1, 1_700_000_000_000_000_000, 2**63, 2**70])
    def test_clock_beyond_the_calendar_is_refused(self, path: Path, now_us: int) -> None:
        """A clock in nanoseconds is refused: it would be the time of all that follows, for ever."""
        clock = Ticking()
        with Journal(path, sources=Sources(clock=clock)) as journal:
            clock.us, before = now_us, clock.us
            with pytest.raises(InvalidValueError, match=r"after the year 9999; now_us\(\) counts"):
                journal.create("Account", {}, id="1")
            clock.us = before
            journal.create("Account", {}, id="1")
            clock.us = LATEST - 60_000_000
            with journal.batch():
                for _ in range(3):
                    journal.create("Account", {})

            assert journal.log.verify().is_intact
            assert {entry.at.year for entry in journal.log.scan(1)} == {9999}

    def test_clock_that_goes_back(self, path: Path) -> None:
        """C3: the log's time never goes back with the clock's, and says so."""
        clock = Ticking()
        with Journal(path, sources=Sources(clock=clock)) as journal:
            journal.create("T", {})
            clock.us -= 3_600_000_000
            journal.create("T", {})
            clock.us += 7_200_000_000
            journal.create("T", {})

            first, second, third = journal.log.read()

        assert second.occurred_at == first.occurred_at + 1
        assert [e.clock_adjusted for e in (first, second, third)] == [False, True, False]
        assert third.occurred_at > second.occurred_at + 3_600_000_000


BAD_VALUES: list[Any] = [
    nan,
    inf,
    2**53,
    10**400,
    "\ud800",
    {"x": [nan]},
    {"\ud800": 1},
    {1: 1},
    (1,),
    {1},
    b"x",
    Decimal(1),
    object(),
    nested(1000),
    "x" * 10_000_000,
]
BAD_NAMES: list[Any] = [
    'Name"; DROP TABLE entries; --',
    "x' OR '1'='1",
    "",
    "a\nb",
    "\ud800",
    5,
    None,
]
BAD_IDS: list[Any] = ["..", ".", "", "a\nb", " a", "\ud800", "x" * 256, 5]


class TestBadInput:
    """J2: what is refused names the record, the field and the remedy, and stores nothing."""

    @pytest.fixture(autouse=True)
    def _stores_nothing(self, journal: Journal) -> Iterator[None]:
        """Nothing that these tests do may be stored, and the next change still works."""
        journal.create("Account", {"Name": "Acme"}, id="1")
        yield
        assert journal.log.head() == 1
        assert journal.load(ACME).fields == {"Name": "Acme"}
        assert journal.update(ACME, {"Name": "Bolt"})
        assert journal.log.verify().is_intact

    @staticmethod
    def commands(journal: Journal, fields: Any) -> list[Callable[[], object]]:  # noqa: ANN401
        """Return the commands that take fields."""
        return [
            lambda: journal.create("Account", fields, id="2"),
            lambda: journal.update(ACME, fields),
            lambda: journal.observe(ACME, fields),
        ]

    def test_the_queue_is_no_record(self, journal: Journal) -> None:
        """The stream of the queue, which every log shows, is nothing to write fields to."""
        commands: list[Callable[[], object]] = [
            lambda: journal.update(QUEUE, {"Name": "Bolt"}),
            lambda: journal.delete(QUEUE),
            lambda: journal.observe(QUEUE, {"Name": "Bolt"}),
            lambda: journal.observe(QUEUE, None),
        ]
        for command in commands:
            with pytest.raises(InvalidNameError, match=r"'\$queue' is not allowed"):
                command()

    @pytest.mark.parametrize("version", ["1", True, 1.0, -1])
    def test_expected_version_is_a_number(self, journal: Journal, version: Any) -> None:  # noqa: ANN401
        """What is no version is said to be none, and is not compared with one."""
        commands: list[Callable[[], object]] = [
            lambda: journal.update(ACME, {"Name": "Bolt"}, expected_version=version),
            lambda: journal.delete(ACME, expected_version=version),
        ]
        for command in commands:
            with pytest.raises(InvalidValueError, match="is no version of a record"):
                command()

    def test_partial_is_true_or_false(self, journal: Journal) -> None:
        """Whether fields are only some is said by True or False."""
        partial: Any = "yes"

        with pytest.raises(InvalidValueError, match="'yes' is neither True nor False"):
            journal.observe(ACME, {"Name": "Bolt"}, partial=partial)

    def test_no_draft(self, journal: Journal) -> None:
        """The None of an update that had nothing to do is no draft."""
        draft_id: Any = journal.update(ACME, {"Name": "Acme"})

        for command in (journal.retry, journal.amend, journal.discard, journal.falling):
            with pytest.raises(DraftMissingError, match="has the id 'None'"):
                command(draft_id)

    @pytest.mark.parametrize("value", BAD_VALUES, ids=lambda value: type(value).__name__)
    def test_value(self, journal: Journal, value: object) -> None:
        """A value that JSON cannot keep is refused, with record, field and remedy."""
        for number, command in enumerate(self.commands(journal, {"Fine": 1, "Name": value})):
            with pytest.raises(InvalidValueError) as caught:
                command()

            error = caught.value
            assert error.record == ("Account:2" if number == 0 else ACME)
            assert error.path.startswith("/Name")
            assert str(error).startswith(f"{error.record} /Name")
            assert error.hint in str(error)
            assert len(str(error)) < 400

    def test_circle(self, journal: Journal) -> None:
        """A circle is refused, not followed."""
        circle: dict[str, Any] = {"Name": []}
        circle["Name"].append(circle)

        for command in self.commands(journal, circle):
            with pytest.raises(InvalidValueError, match="contain themselves"):
                command()

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_name_of_a_field(self, journal: Journal, name: object) -> None:
        """A name that a database would act on is refused."""
        for command in self.commands(journal, {name: 1}):
            with pytest.raises(InvalidNameError, match="field name"):
                command()

    @pytest.mark.parametrize("fields", [None, [], "Name", 5])
    def test_fields_that_are_none(self, journal: Journal, fields: object) -> None:
        """Fields are a mapping."""
        for command in self.commands(journal, fields)[: 2 if fields is None else 3]:
            with pytest.raises(InvalidValueError, match="mapping of field names to values"):
                command()

    @pytest.mark.parametrize("record_id", BAD_IDS)
    def test_record_id(self, journal: Journal, record_id: Any) -> None:  # noqa: ANN401
        """An id that a path, a URL or a terminal would act on is refused."""
        with pytest.raises(
            InvalidNameError, match=r"record id .* is not allowed; use text of 1 to"
        ):
            journal.create("Account", {}, id=record_id)

    @pytest.mark.parametrize("record_type", ["", "../x", "a b", "x'--", 5, None])
    def test_record_type(self, journal: Journal, record_type: Any) -> None:  # noqa: ANN401
        """A type is a name."""
        with pytest.raises(InvalidNameError, match="record type"):
            journal.create(record_type, {})

    @pytest.mark.parametrize("text", ["no reference", "Account:..", "Account:", ":1", "a\nb:1", 5])
    def test_text_that_is_no_reference(self, journal: Journal, text: Any) -> None:  # noqa: ANN401
        """A record is named by a reference; a text that is none is refused, and never stored."""
        commands: list[Callable[[], object]] = [
            lambda: journal.update(text, {"Name": "x"}),
            lambda: journal.delete(text),
            lambda: journal.observe(text, {"Name": "x"}),
            lambda: journal.observe(text, None),
        ]
        for command in commands:
            with pytest.raises(RefusedError):
                command()

    def test_unknown_record(self, journal: Journal) -> None:
        """A record that was never heard of is not changed."""
        commands: list[Callable[[], object]] = [
            lambda: journal.update(Ref("Account:9"), {"Name": "x"}),
            lambda: journal.delete(Ref("Account:9")),
        ]
        for command in commands:
            with pytest.raises(RecordMissingError, match="Account:9 is unknown; create it, or"):
                command()

    @pytest.mark.parametrize("place", ["/Account", "/Lines/0/x"])
    def test_reference_to_nothing(self, journal: Journal, place: str) -> None:
        """A field refers to a record that is there."""
        nowhere = Ref("Account:9")
        fields = {"Account": nowhere} if place == "/Account" else {"Lines": [{"x": nowhere}]}

        for command in self.commands(journal, fields)[:2]:
            with pytest.raises(DanglingReferenceError, match="Account:9 is unknown") as caught:
                command()
            assert caught.value.path == place

    @pytest.mark.parametrize("what", ["actor", "reason", "correlation_id", "causation_id"])
    @pytest.mark.parametrize("text", ["\x1b[31m", "a\0", "", "\ud800", "x" * 5000, 5])
    def test_who_and_why(self, journal: Journal, what: str, text: Any) -> None:  # noqa: ANN401
        """Who and why are printable text."""
        given_facts: dict[str, Any] = {what: text}

        commands: list[Callable[[], object]] = [
            lambda: journal.create("Account", {}, **given_facts),
            lambda: journal.update(ACME, {"Name": "x"}, **given_facts),
            lambda: journal.delete(ACME, **given_facts),
            lambda: journal.observe(ACME, {}, **given_facts),
        ]
        for command in commands:
            with pytest.raises(InvalidNameError, match=what.replace("_", " ")):
                command()

    @pytest.mark.parametrize("what", ["actor", "origin"])
    def test_actor_of_a_journal(self, path: Path, what: str) -> None:
        """The actor and the origin of a journal are printable text too."""
        given_facts: dict[str, Any] = {what: "a\nb\x1b"}

        with pytest.raises(InvalidNameError, match=what):
            Journal(path, **given_facts)

    @pytest.mark.parametrize("seconds", ["x", None, True, -1, nan, inf, 1e7, 10**400])
    def test_timeout_that_is_no_time(self, path: Path, seconds: Any) -> None:  # noqa: ANN401
        """A timeout that is no number of seconds is refused, and no file is made."""
        with pytest.raises(InvalidValueError, match=r"busy_timeout_s: .* is no time to wait"):
            Journal(path.with_name("new.db"), busy_timeout_s=seconds)
        assert not path.with_name("new.db").exists()

    @pytest.mark.parametrize("what", ["actor", "origin"])
    def test_empty_actor_of_a_journal(self, path: Path, what: str) -> None:
        """An empty text is refused, and is not taken for a name that was not given."""
        given_facts: dict[str, Any] = {what: ""}

        with pytest.raises(InvalidNameError, match=f"{what} '' is not allowed"):
            Journal(path, **given_facts)


class TestDeletedRecord:
    """A record that is deleted is not changed, nor referred to."""

    def test_is_refused(self, journal: Journal) -> None:
        """Every change of a deleted record is refused, with what to do instead."""
        ref = journal.create("Account", {"Name": "Acme"}, id="1")
        journal.delete(ref)

        with pytest.raises(RecordDeletedError, match="create a new record"):
            journal.update(ref, {"Name": "Bolt"})
        for name in ("Bolt", "Acme"):
            with pytest.raises(RecordDeletedError):
                journal.create("Account", {"Name": name}, id="1")
        with pytest.raises(DanglingReferenceError, match="Account:1 is deleted"):
            journal.create("Visit", {"Account": ref})
        assert journal.log.head() == 2


class TestTypes:
    """With registered types, nothing else is stored."""

    @pytest.mark.parametrize(
        ("record_type", "fields", "error"),
        [
            ("Acount", {"Name": "Acme"}, UnknownTypeError),
            ("Account", {}, InvalidRecordError),
            ("Account", {"Name": "Acme", "Rating": "high"}, InvalidRecordError),
            ("Account", {"Name": "Acme", "Nmae": "x"}, InvalidRecordError),
            ("Account", {"Name": "Acme", "Rating": nan}, InvalidValueError),
        ],
    )
    def test_misfit_is_refused(
        self, typed: Journal, record_type: str, fields: dict[str, Any], error: type[RefusedError]
    ) -> None:
        """A record that fits no registered type is refused."""
        ref = typed.create("Account", {"Name": "Acme"})

        with pytest.raises(error):
            typed.create(record_type, fields)
        if record_type == "Account" and fields:
            with pytest.raises(error):
                typed.update(ref, fields)
        assert typed.log.head() == 1

    def test_record_of_the_same_batch(self, typed: Journal) -> None:
        """A record that is created and updated in one batch is validated as it will be."""
        with typed.batch():
            ref = typed.create("Account", {"Name": "Acme"})
            typed.update(ref, {"Rating": 1})

        assert typed.load(ref).fields == {"Name": "Acme", "Rating": 1.0}


class Tagged(BaseModel):
    """A record type with a set, and with what is made anew for each record."""

    tags: set[str | int]
    key: str = Field(default_factory=lambda: uuid4().hex)
    notes: list[str] = []


class TestRepeatedTypedCreate:
    """R2: a typed create with an id is safe to repeat, whatever its type makes of the fields."""

    def test_what_was_made_anew_is_as_it_was(self) -> None:
        """A default that a factory makes is no other field than the one that was stored."""
        with Journal(types=[Tagged]) as journal:
            ref = journal.create("Tagged", {"tags": {"a"}}, id="1")
            journal.update(ref, {"notes": ["x"]})

            assert journal.create("Tagged", {"tags": ["a"]}, id="1") == ref
            assert journal.create("Tagged", Tagged(tags={"a"}), id="1") == ref
            for fields in (
                {"tags": {"b"}},
                {"tags": {"a"}, "key": "k"},
                {"tags": "a", "notes": "x"},
            ):
                with pytest.raises((RecordExistsError, InvalidRecordError)):
                    journal.create("Tagged", fields, id="1")
            assert journal.log.head() == 2

    def test_model_without_registered_types(self, journal: Journal) -> None:
        """A model that is given where no types are registered is held to the same."""
        ref = journal.create("Tagged", Tagged.model_validate({"tags": []}), id="1")

        assert journal.create("Tagged", Tagged.model_validate({"tags": []}), id="1") == ref
        with pytest.raises(RecordExistsError):
            journal.create("Tagged", Tagged(tags={1}), id="1")

    def test_order_of_a_set_is_always_the_same(self) -> None:
        """A set is stored in an order of its values, not of their hashes, which change."""
        with Journal(types=[Tagged]) as journal:
            ref = journal.create("Tagged", {"tags": {"b", "a", 10, "c", 9}}, id="1")

            assert (journal.load(ref).fields or {})["tags"] == ["a", "b", "c", 10, 9]


class TestBatch:
    """Changes that are stored together, all or none."""

    def test_all(self, journal: Journal) -> None:
        """The changes of a batch are one append, with one correlation id, in order."""
        with journal.batch(actor="eve", reason="import") as batch:
            ref = journal.create("Account", {"Name": "Acme"})
            journal.update(ref, {"Name": "Bolt"}, reason="name")
            assert journal.log.head() == 0
            assert len(batch) == 2

        entries = journal.log.read()
        assert [entry.batch for entry in entries] == [1, 1]
        assert [entry.version for entry in entries] == [1, 2]
        assert {entry.correlation_id for entry in entries} == {entries[0].correlation_id}
        assert entries[0].correlation_id is not None
        assert [(entry.actor, entry.reason) for entry in entries] == [
            ("eve", "import"),
            ("eve", "name"),
        ]

    def test_sees_its_own_changes(self, journal: Journal) -> None:
        """Within a batch, a change is decided on those before it."""
        with journal.batch():
            account = journal.create("Account", {"Name": "Acme"})
            assert journal.update(account, {"Name": "Acme"}) is None
            visit = journal.create("Visit", {"Account": account})
            assert journal.delete(visit)
            assert journal.delete(visit) is None

        assert journal.log.head() == 3

    @pytest.mark.filterwarnings("ignore:1 change of a batch was given up")
    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
    def test_none(self, journal: Journal, error: type[BaseException]) -> None:
        """J2: where the block raises, whatever it is, nothing is stored."""

        def fail() -> None:
            with journal.batch():
                journal.create("Account", {"Name": "Acme"})
                raise error

        with pytest.raises(error):
            fail()

        assert journal.log.head() == 0
        journal.create("Account", {"Name": "Acme"})
        assert journal.log.head() == 1

    def test_refused_change_ends_it(self, journal: Journal) -> None:
        """A change that is refused is refused at once, and takes the batch with it."""

        def change() -> None:
            with journal.batch():
                journal.create("Account", {"Name": "Acme"})
                journal.update(Ref("Account:9"), {"Name": "x"})

        with pytest.raises(RecordMissingError):
            change()
        assert journal.log.head() == 0

    def test_refused_change_may_be_caught(self, journal: Journal) -> None:
        """A refusal that the block catches leaves out that change only."""
        with journal.batch():
            journal.create("Account", {}, id="1")
            with pytest.raises(RecordExistsError):
                journal.create("Account", {"Name": "other"}, id="1")
            journal.create("Account", {}, id="2")

        assert [entry.stream for entry in journal.log.read()] == ["Account:1", "Account:2"]

    def test_nested(self, journal: Journal) -> None:
        """A batch within a batch is part of the outer one."""
        with journal.batch() as outer:
            journal.create("Account", {}, id="1")
            with journal.batch() as inner:
                journal.create("Account", {}, id="2")
            assert inner is outer
            assert journal.log.head() == 0

        assert [entry.batch for entry in journal.log.read()] == [1, 1]

    def test_failed_inner_batch_takes_the_outer_with_it(self, journal: Journal) -> None:
        """What fails within fails as a whole where nobody catches it."""

        def fail() -> None:
            with journal.batch():
                journal.create("Account", {}, id="1")
                with journal.batch():
                    journal.create("Account", {}, id="2")
                    raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert journal.log.head() == 0

    def test_empty(self, journal: Journal) -> None:
        """A batch without changes stores nothing."""
        with journal.batch():
            pass

        assert journal.log.head() == 0

    def test_other_thread_is_not_part_of_it(self, journal: Journal) -> None:
        """What another thread does meanwhile is stored at once, on its own."""

        def elsewhere() -> None:
            journal.create("Account", {}, id="2")

        with journal.batch():
            journal.create("Account", {}, id="1")
            thread = Thread(target=elsewhere)
            thread.start()
            thread.join(30)
            assert journal.log.head() == 1

        assert [(e.stream, e.batch) for e in journal.log.read()] == [
            ("Account:2", 1),
            ("Account:1", 2),
        ]

    def test_tasks_have_batches_of_their_own(self, journal: Journal) -> None:
        """Tasks that take turns keep their batches apart."""

        async def change(name: str, turn: asyncio.Event, following: asyncio.Event) -> None:
            with journal.batch(actor=name):
                journal.create("Account", {}, id=f"{name}1")
                following.set()
                await turn.wait()
                journal.create("Account", {}, id=f"{name}2")

        async def main() -> None:
            one, two = asyncio.Event(), asyncio.Event()
            await asyncio.gather(change("a", one, two), change("b", two, one))

        asyncio.run(main())

        entries = journal.log.read()
        assert {(e.actor, e.stream.id[0]) for e in entries} == {("a", "a"), ("b", "b")}
        assert [e.batch for e in entries] == [1, 1, 3, 3]

    def test_task_that_outlives_it_is_not_part_of_it(self, journal: Journal) -> None:
        """What a task that was begun in a batch does after it is stored on its own."""

        async def later(go: asyncio.Event) -> None:
            await go.wait()
            journal.create("Account", {}, id="2")

        async def main() -> None:
            go = asyncio.Event()
            with journal.batch():
                journal.create("Account", {}, id="1")
                task = asyncio.create_task(later(go))
            go.set()
            await task

        asyncio.run(main())

        assert [entry.batch for entry in journal.log.read()] == [1, 2]


class TestWhoseBatch:
    """O1: a batch takes up what the task, or the thread, that opened it changes, and no more."""

    def test_task_that_is_awaited_in_it_is_not_part_of_it(self, journal: Journal) -> None:
        """What another task has been answered stays, although the batch fails."""

        async def create() -> Ref:
            return journal.create("Order", {}, id="1")

        async def main() -> None:
            with journal.batch():
                journal.create("Account", {}, id="1")
                assert journal.load(await asyncio.create_task(create())).version == 1
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asyncio.run(main())
        assert [entry.stream for entry in journal.log.read()] == ["Order:1"]

    def test_call_in_a_thread_is_not_part_of_it(self, journal: Journal) -> None:
        """What `asyncio.to_thread` has returned for is durable, whatever becomes of the batch."""

        async def main() -> None:
            with journal.batch():
                ref = await asyncio.to_thread(journal.create, "Order", {}, id="1")
                assert journal.load(ref).version == 1
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asyncio.run(main())
        assert journal.log.head() == 1

    def test_batches_of_gathered_tasks_are_their_own(self, journal: Journal) -> None:
        """Of the batches of tasks that were begun within a batch, only the failing one is lost."""

        async def change(name: str) -> None:
            with journal.batch(actor=name):
                journal.create("Order", {}, id=name)
                await asyncio.sleep(0)
                if name == "b":
                    raise ZeroDivisionError

        async def main() -> None:
            with journal.batch(actor="eve"):
                journal.create("Account", {}, id="1")
                done = await asyncio.gather(*map(change, "abc"), return_exceptions=True)
                assert [type(each) for each in done] == [type(None), ZeroDivisionError, type(None)]

        asyncio.run(main())
        said = [(entry.stream, entry.actor, entry.batch) for entry in journal.log.read()]
        assert said == [("Order:a", "a", 1), ("Order:c", "c", 2), ("Account:1", "eve", 3)]

    def test_what_it_calls_and_awaits_is_part_of_it(self, journal: Journal) -> None:
        """A function that the block calls, or a coroutine that it awaits, is the same task."""

        async def create() -> None:
            await asyncio.sleep(0)
            journal.create("Order", {}, id="1")

        async def main() -> None:
            with journal.batch():
                journal.create("Account", {}, id="1")
                await create()
                assert journal.log.head() == 0

        asyncio.run(main())
        assert [entry.batch for entry in journal.log.read()] == [1, 1]

    def test_a_context_manager_of_ones_own_may_open_it(self, journal: Journal) -> None:
        """A batch that is open across a yield takes up what the block behind it changes."""

        @contextmanager
        def request(name: str) -> Iterator[None]:
            with journal.batch(actor=name):
                yield

        with request("eve"):
            journal.create("Account", {}, id="1")
            journal.create("Account", {}, id="2")
            assert journal.log.head() == 0

        assert [(e.actor, e.batch) for e in journal.log.read()] == [("eve", 1), ("eve", 1)]

    def test_generator_that_is_closed_says_what_is_given_up(self, journal: Journal) -> None:
        """Changes are not lost in silence where a generator with an open batch is closed."""

        def generate() -> Iterator[None]:
            with journal.batch():
                journal.create("Account", {}, id="1")
                yield

        generator = generate()
        next(generator)
        journal.create("Order", {}, id="1")

        with pytest.warns(RuntimeWarning, match="2 changes of a batch were given up"):
            generator.close()  # type: ignore[attr-defined]
        assert journal.log.head() == 0

    def test_generator_that_ends_elsewhere_is_refused(self, journal: Journal) -> None:
        """A batch that one task opened and another would end is not stored, and says so."""

        async def generate() -> AsyncIterator[None]:
            with journal.batch():
                journal.create("Account", {}, id="1")
                yield

        async def resume(generator: AsyncIterator[None]) -> None:
            with pytest.raises(StopAsyncIteration):
                await anext(generator)

        async def main() -> None:
            generator = generate()
            await anext(generator)
            with pytest.raises(BatchMovedError, match="its 1 change was not stored"):
                await asyncio.create_task(resume(generator))
            journal.create("Order", {}, id="1")

        asyncio.run(main())
        assert [entry.stream for entry in journal.log.read()] == ["Order:1"]

    def test_generator_that_fails_elsewhere_fails_as_it_does(self, journal: Journal) -> None:
        """Where the block of such a batch raises, that is what the caller is told."""

        def generate() -> Iterator[None]:
            with journal.batch():
                yield
                raise ZeroDivisionError

        generator = generate()
        next(generator)
        with pytest.raises(ZeroDivisionError):
            copy_context().run(next, generator)

        journal.create("Order", {}, id="1")
        assert journal.log.head() == 1


class TestTwoWriters:
    """J3: decided on the state that the events follow, whoever else writes."""

    def test_decided_anew(self, journal: Journal, other: Journal) -> None:
        """A change is decided anew where the other writer was faster."""
        ref = journal.create("Account", {"Name": "Acme", "Size": 1})
        other.update(ref, {"Size": 2})

        journal.update(ref, {"Name": "Bolt", "Size": 2})

        assert journal.log.read()[-1].event == RecordUpdated(
            changes={"Name": "Bolt"}, base={"Name": "Acme"}
        )
        assert told(journal) == [
            ("ann", "RecordCreated"),
            ("bob", "RecordUpdated"),
            ("ann", "RecordUpdated"),
        ]

    def test_seen_before_it_is_refused(self, journal: Journal, other: Journal) -> None:
        """Nothing is refused for a state that is no longer so."""
        ref = journal.create("Account", {"Name": "Acme"}, id="1")
        with pytest.raises(RecordMissingError):
            other.update(Ref("Visit:1"), {})
        journal.create("Visit", {}, id="1")

        assert other.update(Ref("Visit:1"), {"Account": ref})
        other.delete(ref)
        with pytest.raises(RecordDeletedError):
            journal.update(ref, {"Name": "Bolt"})
        assert journal.delete(ref) is None

    def test_same_update_twice(self, journal: Journal, other: Journal) -> None:
        """R2: what the other writer has done already is not done again."""
        ref = journal.create("Account", {"Name": "Acme"})
        journal.load(ref)
        other.update(ref, {"Name": "Bolt"})

        assert journal.update(ref, {"Name": "Bolt"}) is None
        assert journal.update(ref, {"Name": "Acme"}) is not None
        assert journal.log.head() == 3

    def test_same_create_twice(self, journal: Journal, other: Journal) -> None:
        """R2: two writers that create the same record create it once."""
        assert journal.create("Account", {"a": 1}, id="1") == other.create(
            "Account", {"a": 1}, id="1"
        )
        assert journal.log.head() == 1

    def test_batch_is_decided_anew(self, journal: Journal, other: Journal) -> None:
        """A batch that another writer came before is decided anew as a whole."""
        ref = journal.create("Account", {"Name": "Acme", "Size": 1}, id="1")
        with journal.batch():
            journal.update(ref, {"Name": "Bolt"})
            journal.create("Visit", {"Account": ref}, id="1")
            other.update(ref, {"Name": "Coil", "Size": 2})

        entries = journal.log.read(2)
        assert [entry.version for entry in entries] == [3, 1]
        assert entries[0].event == RecordUpdated(changes={"Name": "Bolt"}, base={"Name": "Coil"})
        assert journal.log.verify().is_intact

    def test_batch_knows_what_was_stored(self, journal: Journal, other: Journal) -> None:
        """What the other writer has done before the block ends is in no entry of the batch."""
        ref = journal.create("Account", {"Name": "Acme"}, id="1")
        with journal.batch() as batch:
            in_vain = journal.update(ref, {"Name": "Bolt"})
            stored = journal.update(ref, {"Size": 1})
            other.update(ref, {"Name": "Bolt"})
            assert (batch.events, batch.entries) == (2, ())

        assert in_vain is not None
        assert [entry.event_id for entry in batch.entries] == [stored]
        assert batch.entries == tuple(journal.log.read(2))
        assert (len(batch), batch.events) == (2, 1)

    def test_batch_that_no_longer_fits(self, journal: Journal, other: Journal) -> None:
        """A batch that the other writer made impossible is refused as a whole."""
        ref = journal.create("Account", {"Name": "Acme"}, id="1")

        def change() -> None:
            with journal.batch():
                journal.create("Visit", {}, id="1")
                journal.update(ref, {"Name": "Bolt"})
                other.delete(ref)

        with pytest.raises(RecordDeletedError):
            change()
        assert told(journal) == [("ann", "RecordCreated"), ("bob", "RecordDeleted")]

    def test_batch_with_an_expected_version(self, journal: Journal, other: Journal) -> None:
        """A version that was expected within a batch is checked when the batch is stored."""
        ref = journal.create("Account", {"Name": "Acme"})

        def change() -> None:
            with journal.batch():
                journal.update(ref, {"Name": "Bolt"}, expected_version=1)
                other.update(ref, {"Name": "Coil"})

        with pytest.raises(VersionConflictError):
            change()
        assert journal.log.head() == 2

    def test_threads_of_one_journal(self, journal: Journal) -> None:
        """Threads that change one record lose no change of each other."""
        ref = journal.create("Counter", {})
        go = Event()

        def change(name: str) -> None:
            go.wait(30)
            for n in range(25):
                journal.update(ref, {name: n})

        with ThreadPoolExecutor(4) as threads:
            changing = [threads.submit(change, name) for name in "abcd"]
            go.set()
            for future in changing:
                future.result(60)

        assert journal.load(ref).fields == dict.fromkeys("abcd", 24)
        assert [e.version for e in journal.log.stream(ref)] == list(range(1, 102))
        assert journal.log.verify().is_intact


class Span(BaseModel):
    """A record type with a rule over two fields."""

    low: int
    high: int

    @model_validator(mode="after")
    def in_order(self) -> Self:
        """Refuse a span that ends before it begins."""
        if self.low > self.high:
            message = "low is above high"
            raise ValueError(message)
        return self


class TestTypedBatch:
    """A typed update within a batch is validated on what the batch so far leaves."""

    def test_two_fields_under_one_rule_may_be_changed_one_after_the_other(self) -> None:
        """The second update of a batch sees the first one's fields."""
        with Journal(types=[Span]) as journal:
            ref = journal.create("Span", {"low": 1, "high": 2})
            with journal.batch():
                journal.update(ref, {"high": 9})
                journal.update(ref, {"low": 5})

            assert journal.load(ref).fields == {"low": 5, "high": 9}


class TestInnerBatch:
    """A batch in a batch is part of the outer one, and undone where its block raises."""

    def test_a_failing_inner_block_leaves_nothing_behind(self) -> None:
        """What the inner block did is forgotten; what the outer one did is stored."""
        with Journal() as journal:
            with journal.batch():
                before = journal.create("Account", {"Name": "before"})
                inner = Ref("Account:inner")

                def fail() -> None:
                    with journal.batch():
                        journal.create("Account", {"Name": "inner"}, id="inner")
                        journal.update(before, {"Name": "changed"})
                        raise ZeroDivisionError

                with pytest.raises(ZeroDivisionError):
                    fail()
                after = journal.create("Account", {"Name": "after"})

            assert [entry.stream for entry in journal.log.read()] == [before, after]
            assert journal.load(before).fields == {"Name": "before"}
            assert journal.load(inner).version == 0

    def test_inner_facts_are_kept(self) -> None:
        """What the inner batch says of who and why stands in its entries, and in no others."""
        with Journal(actor="me") as journal:
            with journal.batch(reason="outer"):
                journal.create("Account", {})
                with journal.batch(actor="you", reason="inner"):
                    journal.create("Account", {})
                journal.create("Account", {})

            said = [(entry.actor, entry.reason) for entry in journal.log.read()]
            assert said == [("me", "outer"), ("you", "inner"), ("me", "outer")]


class TestManyRecords:
    """A record that was seen long ago is never remembered in part."""

    def test_a_forgotten_record_is_read_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Looking up what a change refers to may push the changed record out of memory."""
        monkeypatch.setattr("journal.writer.KEPT_RECORDS", 2)
        with Journal() as journal:
            target = journal.create("Account", {"Name": "target"})
            ref = journal.create("Visit", {"Status": "open", "Place": "here"})
            journal.create("Account", {"Name": "other"})
            journal.create("Account", {"Name": "another"})

            journal.update(ref, {"Account": target})

            fields = {"Status": "open", "Place": "here", "Account": target}
            assert journal.load(ref).fields == fields
            assert journal.update(ref, {"Place": "here"}) is None


class TestStaleState:
    """What another writer did since is seen before something is decided on it (J3)."""

    def test_a_reference_to_what_another_deleted_is_refused(self, tmp_path: Path) -> None:
        """A record that is only referred to is looked up anew."""
        with Journal(tmp_path / "a.db") as ours, Journal(tmp_path / "a.db") as theirs:
            account = ours.create("Account", {"Name": "Acme"})
            theirs.delete(account)

            with pytest.raises(DanglingReferenceError, match="is deleted"):
                ours.create("Visit", {"Account": account})

    def test_a_typed_update_is_validated_on_what_another_left(self, tmp_path: Path) -> None:
        """A rule over two fields holds although each writer changed one of them."""
        path = tmp_path / "a.db"
        with Journal(path, types=[Span]) as ours, Journal(path, types=[Span]) as theirs:
            ref = ours.create("Span", {"low": 1, "high": 9})
            theirs.update(ref, {"high": 5})

            with pytest.raises(InvalidRecordError, match="low is above high"):
                ours.update(ref, {"low": 7})
            assert ours.load(ref).fields == {"low": 1, "high": 5}


class TestLoadedRecord:
    """What `load` returns belongs to whoever asked for it."""

    def test_may_be_changed(self, journal: Journal) -> None:
        """A changed copy changes nothing here: neither what is loaded next, nor a stored base."""
        ref = journal.create("Account", {"n": 1, "tags": ["a"]}, id="1")
        journal.update(ref, {"more": {"x": [1]}})
        journal.observe(ref, {"n": 0, "seen": [1]})
        known = journal.load(ref)
        loaded = journal.load(ref)
        fields = loaded.fields or {}

        fields["n"] = 2
        fields["tags"].append("b")
        fields["seen"].append(2)
        loaded.remote.fields["n"] = 3
        loaded.remote.fields["seen"].append(3)
        for change in loaded.changes:
            change.fields["n"] = 4
            change.base["n"] = 5
        loaded.changes[1].fields["more"]["x"].append(2)

        assert journal.load(ref) == known
        assert journal.update(ref, fields)
        assert journal.log.read()[-1].event == RecordUpdated(
            changes={"n": 2, "tags": ["a", "b"], "seen": [1, 2]},
            base={"n": 1, "tags": ["a"], "seen": [1]},
        )
