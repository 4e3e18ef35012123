"""What can be asserted of a journal: each finds what it is for, and says where."""

from __future__ import annotations

import datetime as dt
import gc
import itertools
import logging
import os
import random
import sqlite3
import tempfile
import time
import uuid
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from journal import Journal
from journal.errors import InvalidValueError, RecordMissingError, ViewError
from journal.events import RecordCreated, RecordUpdated
from journal.testing import assert_deterministic, assert_verified, given
from journal.testing.asserting import assert_drained
from projections import Fold, Projection, Records
from tests.replay.wayward import Batched, Counting, Wayward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from journal.events import Entry
    from journal.log import Cursor


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Three events."""
    with Journal(actor="ann", origin="van") as made:
        ref = made.create("Account", {"Name": "Acme"}, id="1")
        made.update(ref, {"Name": "Bolt"})
        made.update(ref, {"Name": "Crane"})
        yield made


class Clocked(Wayward):
    """Reads the clock at the second event, and rounds it so far that it hardly ever differs."""

    def said(self, entry: Entry) -> str:
        """Return the century."""
        return str(dt.datetime.now(dt.UTC).year // 100) if entry.position == 2 else ""


class Drawn(Wayward):
    """Draws an id, and does not keep it."""

    def said(self, entry: Entry) -> str:  # noqa: ARG002
        """Return how long an id is."""
        return str(len(str(uuid.uuid4())))


class Diced(Wayward):
    """Throws a die at the third event."""

    def said(self, entry: Entry) -> str:
        """Return nothing of it."""
        return "" if entry.position < 3 else str(random.random() > 2)  # noqa: S311


class Asking(Wayward):
    """Asks SQLite for the time, once a year."""

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Write the year."""
        for entry in entries:
            year = "SELECT strftime('%Y', 'now')" if entry.position == 3 else "SELECT '2025'"
            cursor.execute(year)
            said = cursor.fetchone()[0]
            cursor.execute("INSERT INTO wayward VALUES (?, ?)", (entry.position, said))


class Rolling(Wayward):
    """Has SQLite throw a die, and forgets what came."""

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Write nothing of it."""
        rows = [(entry.position,) for entry in entries]
        cursor.executemany("INSERT INTO wayward VALUES (?, iif(RANDOM() > 0, '', ''))", rows)


class Telling(Wayward):
    """Asks what year it is in a way that may be asked of any time."""

    def said(self, entry: Entry) -> str:
        """Return the year, of now for the third event."""
        then = time.gmtime(entry.occurred_at // 1_000_000)
        return time.strftime("%Y") if entry.position == 3 else time.strftime("%Y", then)


class Configured(Wayward):
    """Looks whether the environment has something, which it has not."""

    def said(self, entry: Entry) -> str:
        """Return what it has."""
        return os.environ.get("NOT_THERE", "") if entry.position == 2 else ""


class Standing(Wayward):
    """Looks whether a file is there."""

    def said(self, entry: Entry) -> str:
        """Return whether it is."""
        return str(os.path.exists("/not/there")) if entry.position == 2 else ""  # noqa: PTH110


class Halved(Wayward):
    """Keeps one bit of a hash, which is the same half of the time."""

    def said(self, entry: Entry) -> str:
        """Return the bit."""
        return str(hash(entry.actor) % 2) if entry.position == 2 else ""


class Paired(Wayward):
    """Takes one of two."""

    def said(self, entry: Entry) -> str:
        """Return whichever comes first."""
        return next(iter({"alpha", "beta"})) if entry.position == 2 else ""


class Adding(Wayward):
    """Adds numbers up in parts as they come, which floats do not bear."""

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Add up to what there is."""
        more = sum(0.1 * entry.position for entry in entries)
        found = cursor.execute("SELECT said FROM wayward").fetchone()
        total = repr((float(found[0]) if found else 0.0) + more)
        cursor.execute("INSERT OR REPLACE INTO wayward VALUES (0, ?)", (total,))


class Seeding(Wayward):
    """Throws a die that follows from the event, and keeps things by keys of its own."""

    name = "seeding"
    tables = {"seeding": "position INTEGER PRIMARY KEY, said TEXT NOT NULL"}  # noqa: RUF012

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Write what is said of each event."""
        for entry in entries:
            cursor.execute("INSERT INTO seeding VALUES (?, ?)", (entry.position, self.said(entry)))

    def said(self, entry: Entry) -> str:
        """Return what came."""
        kept = {Key(entry.actor): random.Random(entry.actor).random()}  # noqa: S311
        return str(kept[Key(entry.actor)])


@dataclass(frozen=True)
class Key:
    """A key, which hashes what it is made of."""

    name: str


class Talking(Wayward):
    """Writes to the log of the program, which looks at a clock, and asks for a day of long ago."""

    def said(self, entry: Entry) -> str:
        """Return the year of the event."""
        logging.getLogger("talking").warning("event %d", entry.position)
        return str(time.gmtime(entry.occurred_at // 1_000_000).tm_year)


class TestDeterministic:
    """Projections that follow from the log, and from nothing else."""

    @pytest.mark.parametrize(
        ("view", "said"),
        [
            (
                Clocked,
                r"at a clock: datetime\.now at .*test_assertions\.py:\d+, first at event 2, ",
            ),
            (
                Drawn,
                r"looks at a die: posix\.urandom at .*test_assertions\.py:\d+, first at event 1",
            ),
            (
                Diced,
                r"looks at a die: Random\.random at .*:\d+, first at event 3, RecordUpdated of",
            ),
            (Asking, r"a clock: 'now' in SQL at .*test_assertions\.py:\d+, first at event 3, "),
            (Rolling, r"a die: RANDOM\( in SQL at .*test_assertions\.py:\d+, first at event 3, "),
            (Counting, r"new objects: \$\.wayward\[\"2\"\]\.said is '1', and '2' .* event 2, "),
            (Batched, r"in one go: \$\.wayward\[\"3\"\]\.said is '3', and '1' .* event 3, "),
            (Telling, r"at a clock: time\.strftime at .*test_assertions\.py:\d+, .* event 3, "),
            (Configured, r"the environment: os\.environ at .*test_assertions\.py:.* event 2, "),
            (Standing, r"at a file: posix\.stat at .*test_assertions\.py:\d+, .* event 2, "),
            (Halved, r"the hash seed: builtins\.hash at .*test_assertions\.py:.* event 2, "),
            (Paired, r"PYTHONHASHSEED=.*\$\.wayward\[\"2\"\]\.said is '.* event 2, "),
            (Adding, r"\$\.wayward\[\"0\"\]\.said is '0\.6', and '0\.60+1' .* event 3, "),
        ],
    )
    def test_what_is_not_is_named(
        self, journal: Journal, view: type[Projection], said: str
    ) -> None:
        """A clock, a die, the order of a set, memory and batches: the event and the place."""
        with pytest.raises(AssertionError, match=said) as caught:
            assert_deterministic(journal, view)

        assert "of Account:1 (" in str(caught.value)

    def test_nothing_is_left(
        self, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where it fails before the other processes have ended, they are ended and cleared away."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

        with pytest.raises(AssertionError, match="in one go") as caught:
            assert_deterministic(journal, Batched)

        assert caught.tb is not None
        assert list(tmp_path.iterdir()) == []

    def test_no_event_shows_nothing(self) -> None:
        """A log without events proves nothing, so it does not pass."""
        with Journal() as empty, pytest.raises(AssertionError, match="there is no event"):
            assert_deterministic(empty, Wayward)

    def test_what_the_garbage_collector_calls_is_nobodys(self, journal: Journal) -> None:
        """Who is called back by it, as Hypothesis is, may look at a clock, whatever it ends in."""
        told: list[float] = []

        def look(_phase: str, _info: object) -> None:
            told.append(time.perf_counter())

        thresholds = gc.get_threshold()
        gc.callbacks.append(look)
        gc.set_threshold(1)
        try:
            assert_deterministic(journal, Talking)
        finally:
            gc.set_threshold(*thresholds)
            gc.callbacks.remove(look)

        assert told
        assert gc.isenabled()

    def test_what_is_passes(self, journal: Journal) -> None:
        """A projection that looks at its entries only passes, and so do ours."""
        assert_deterministic(journal, Talking, Seeding, Records(journal))
        assert_deterministic(journal)

    def test_two_of_one_name(self, journal: Journal) -> None:
        """Two projections that share a name or a table cannot be replayed together."""
        with pytest.raises(ViewError, match="two projections are called wayward"):
            assert_deterministic(journal, Wayward, Talking)

    def test_what_is_no_view(self, journal: Journal) -> None:
        """What is neither a projection nor a fold is not passed over."""
        with pytest.raises(TypeError, match="neither a projection"):
            assert_deterministic(journal, counted)  # type: ignore[arg-type]


Counts: TypeAlias = dict[str, Any]
"""The state of a fold."""


def counted(state: Counts, entry: Entry) -> Counts:
    """Count who did how much."""
    return state | {entry.actor: state.get(entry.actor, 0) + 1}


def spoiling(state: Counts, entry: Entry) -> Counts:
    """Do the same in place, from the second event on."""
    if entry.position > 1:
        state[entry.actor] = entry.position
    return state


def clocked(state: Counts, entry: Entry) -> Counts:
    """Keep the time of the second event."""
    return state | ({"at": time.time() > 0} if entry.position == 2 else {})


def ordered(state: Counts, entry: Entry) -> Counts:
    """Keep a mapping in the order of a set."""
    words = {"b", "c", "d", entry.actor}
    return state | ({"words": dict.fromkeys(words, 1)} if entry.position == 2 else {})


SEEN = itertools.count()


def remembering(state: Counts, entry: Entry) -> Counts:
    """Keep how often anything was folded, at the second event."""
    return state | ({"seen": next(SEEN)} if entry.position == 2 else {})


@dataclass(frozen=True)
class Tally:
    """A state of a class of its own."""

    count: int = 0
    names: frozenset[str] = frozenset()
    last: dt.datetime | None = None
    kept: dict[int, str] = field(default_factory=dict)


def tallied(state: Tally, entry: Entry, name: str = "") -> Tally:
    """Count, and keep names in a set, which has no order."""
    names = state.names | {entry.actor, name, str(entry.position)}
    return replace(state, count=state.count + 1, names=names, last=dt.datetime(2026, 1, 1, 0, 0))  # noqa: DTZ001


def littering(state: Tally, entry: Entry) -> Tally:
    """Return another state, and leave something in the one before."""
    state.kept[entry.position] = entry.actor
    return replace(state, count=state.count + 1)


class TestDeterministicFold:
    """Folds in memory, which follow from the log, too."""

    @pytest.mark.parametrize(
        ("initial", "evolve", "said", "states"),
        [
            (
                {},
                spoiling,
                r"spoiling is .* the state that it is handed: \$\.ann is 2, .* event 2",
                2,
            ),
            (Tally(), littering, r"it is handed: \$\.kept\[\"1\"\] is 'ann', .* event 1, ", 2),
            ({}, clocked, r"the fold clocked looks at a clock: time\.time at .* event 2, ", 0),
            (
                {},
                ordered,
                r"ordered is another in another process \(PYT.*\$\.words is .* event 2",
                2,
            ),
            ({}, remembering, r"remembering is another a second time: \$\.seen is .* event 2, ", 2),
        ],
    )
    def test_what_is_not_is_named(
        self,
        journal: Journal,
        initial: object,
        evolve: Callable[[Any, Entry], object],
        said: str,
        states: int,
    ) -> None:
        """The event is named, with the path and both states, or with the call."""
        with pytest.raises(AssertionError, match=said) as caught:
            assert_deterministic(journal, Fold(journal, initial, evolve))

        assert "of Account:1 (" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1 + states

    def test_a_state_that_somebody_changed(self, journal: Journal) -> None:
        """A fold that is not what it was folded to is found, with both states."""
        initial: Counts = {}
        fold = Fold(journal, initial, counted)
        fold.state()["bob"] = 7

        with pytest.raises(
            AssertionError, match=r"as it is, at position 3: \$\.bob is 7"
        ) as caught:
            assert_deterministic(journal, fold)

        assert "entry by entry  {'ann': 3}" in str(caught.value)

    def test_what_is_passes(self, journal: Journal) -> None:
        """A pure function passes, whatever its state is made of; one without a name, too."""
        named = Fold(journal, Tally(), partial(tallied, name="bob"))
        named.state()
        state = named.left()

        assert_deterministic(journal, named)
        with pytest.warns(UserWarning, match="lambda> cannot be imported by another process"):
            assert_deterministic(journal, Fold(journal, [], lambda state, _entry: [*state, 1]))

        assert named.left() == state
        assert named.name == "tallied"


def test_a_log_that_is_not_whole(tmp_path: Path) -> None:
    """Where an entry was changed, it is said which."""
    path = tmp_path / "f.db"
    with Journal(path, actor="ann") as journal:
        journal.create("Account", {}, id="1")
        assert_verified(journal)
    with sqlite3.connect(path) as file:
        file.execute("DROP TRIGGER entries_are_never_changed")
        file.execute("UPDATE entries SET actor = 'eve' WHERE position = 1")
    file.close()

    with Journal(path) as journal, pytest.raises(AssertionError, match="not whole:\n  at "):
        assert_verified(journal)


@pytest.mark.parametrize("check", [assert_deterministic, assert_drained, assert_verified])
def test_what_is_no_journal(check: Callable[[Any], None], tmp_path: Path) -> None:
    """A path, or nothing, is no journal."""
    for what in (tmp_path, None, "field.db"):
        with pytest.raises(TypeError, match="is no journal; open it first"):
            check(what)


def test_half_a_projection(journal: Journal) -> None:
    """A projection without a name, or tables, is said to be none."""
    with pytest.raises(TypeError, match="Half is no whole projection; give it a name, tables and"):
        assert_deterministic(journal, type("Half", (Projection,), {}))


def test_what_no_other_process_can_import(journal: Journal) -> None:
    """A projection, or a fold, of a function is not tried elsewhere, which is warned of."""
    local = type("Local", (Wayward,), {"__qualname__": "f.<locals>.Local"})

    with pytest.warns(UserWarning, match="wayward cannot be imported by another process"):
        assert_deterministic(journal, local)
    with pytest.warns(UserWarning, match="the order of a set, is not found; define it at the top"):
        assert_deterministic(journal, Fold(journal, 0, lambda count, _entry: count + 1))


def test_drafts_that_are_left(journal: Journal) -> None:
    """Where drafts are pending, it is said of each why."""
    with pytest.raises(AssertionError, match="3 drafts are pending:\n  #1 the create of Account:1"):
        assert_drained(journal)


ACME = ("Account:1", RecordCreated(fields={"Name": "Acme"}))
BOLT = RecordUpdated(changes={"Name": "Bolt"}, base={"Name": "Acme"})


class TestGivenWhenThen:
    """Scenarios: events or an error, and state that follows from the log."""

    def test_events(self) -> None:
        """An event is expected by itself, with its record, or by its type; steps may be calls."""
        scenario = given(ACME, lambda journal: journal.create("Visit", {}, id="v"))

        when = scenario.when(lambda journal: journal.update("Account:1", {"Name": "Bolt"}))

        when.then(BOLT).then(("Account:1", BOLT)).then(RecordUpdated)
        when.then(("Account:1", RecordUpdated))
        with pytest.raises(AssertionError, match="expected"):
            when.then(("Account:2", RecordUpdated))
        assert when.result == when.entries[0].event_id

    def test_nothing(self) -> None:
        """A command that leaves nothing to do stores nothing."""
        given(ACME).when(lambda journal: journal.update("Account:1", {"Name": "Acme"})).then()

    def test_an_error(self) -> None:
        """An error is expected by its type, or with a part of what it says."""
        when = given(ACME).when(lambda journal: journal.update("Account:2", {"Name": "Bolt"}))

        when.then(RecordMissingError).then(RecordMissingError("Account:2"))

    @pytest.mark.parametrize(
        ("expected", "said"),
        [
            ((), "expected nothing\nbut it stored\n  .'Account:1', RecordUpdated"),
            ((BOLT, BOLT), "expected\n"),
            ((RecordCreated,), "but it stored"),
            ((("Account:2", BOLT),), "Account:2"),
            ((RecordMissingError,), "expected RecordMissingError, but it stored"),
        ],
    )
    def test_what_is_not_so(self, expected: tuple[object, ...], said: str) -> None:
        """What was stored instead is said."""
        when = given(ACME).when(lambda journal: journal.update("Account:1", {"Name": "Bolt"}))

        with pytest.raises(AssertionError, match=said):
            when.then(*expected)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "step",
        [
            ("Account:1", "x"),
            (1, RecordCreated(fields={})),
            ("Account:1", RecordCreated),
            RecordCreated,
            RecordCreated(fields={}),
            ("Account:1", RecordCreated(fields={}), "ann"),
            "Account:1",
            None,
        ],
    )
    def test_what_is_no_step(self, step: Any) -> None:  # noqa: ANN401  what a host may hand over
        """What is no step is named by its number, with what one is; nothing has happened."""
        done: list[object] = []

        with pytest.raises(TypeError, match=r"^step 2 of given\(\) is .*; it is an event with its"):
            given(done.append, step)

        assert done == []

    def test_what_is_only_begun(self) -> None:
        """What is async, or yields, would never be done, and is refused as a step and a command."""

        async def later(journal: Journal) -> None:
            journal.create("Account", {}, id="1")

        def yielding(journal: Journal) -> Iterator[Journal]:
            yield journal

        for each, said in ((later, "is async"), (yielding, "yields")):
            with pytest.raises(TypeError, match=rf"a step of given\(\) {said}, so nothing of it"):
                given(each)
            with pytest.raises(TypeError, match=f"the command {said}, so nothing of it was done"):
                given().when(each)
        with pytest.raises(TypeError, match="was handed 'x'"):
            given().when("x")  # type: ignore[arg-type]

    def test_a_view_that_is_none(self) -> None:
        """A view is the class of a projection."""
        with pytest.raises(TypeError, match="'records' is no class of a projection"):
            given(views=["records"])  # type: ignore[list-item]

    @pytest.mark.parametrize(
        ("expected", "said"),
        [
            ((RecordUpdated, RecordMissingError), "an error comes alone"),
            ((ValueError, RecordMissingError), "an error comes alone"),
            ((("Account:1", RecordUpdated, 1),), "is neither an event nor an error; expect an"),
            ((("Account:1", ("Account:1", RecordUpdated)),), "is neither"),
            ((("Account:1", RecordMissingError),), "is neither"),
            ((object,), "is neither"),
            ((None,), "None is neither"),
            (("Account:1",), "is neither"),
            (([RecordUpdated],), "is neither"),
        ],
    )
    def test_what_cannot_be_expected(self, expected: Any, said: str) -> None:  # noqa: ANN401
        """What is no event and no error, or an error and more, is refused, and not passed over."""
        when = given(ACME).when(lambda journal: journal.update("Account:1", {"Name": "Bolt"}))

        with pytest.raises(TypeError, match=said):
            when.then(*expected)

    def test_another_error(self) -> None:
        """An error that is not the one that was expected is said, also instead of events."""
        when = given(ACME).when(lambda journal: journal.update("Account:2", {"Name": "Bolt"}))

        for expected in (BOLT, InvalidValueError, RecordMissingError("Account:3")):
            with pytest.raises(AssertionError, match="Account:2"):
                when.then(expected)

    def test_state_that_is_not_from_an_event(self) -> None:
        """Rows, or records in memory, that were changed by anything but an event are found."""

        def meddle(journal: Journal) -> None:
            journal.update("Account:1", {"Name": "Bolt"})
            with journal.log.views.write("records") as cursor:
                cursor.execute("UPDATE records SET drafts = 7 WHERE record_id = '2'")

        other = ("Account:2", RecordCreated(fields={}))
        with pytest.raises(AssertionError, match=r'\$\.records\["Account:2"\]\.drafts is 7, and 1'):
            given(ACME, other).when(meddle).then(RecordUpdated)

        def change(journal: Journal) -> None:
            journal.update("Account:1", {"Name": "Bolt"})
            fields = journal.kept("Account:1").fields  # type: ignore[arg-type]
            assert fields is not None
            fields["Name"] = "Eve"

        with pytest.raises(AssertionError, match=r"Account:1 is .*Eve.*, and its events say"):
            given(ACME).when(change).then(RecordUpdated)
