"""`verify`: what an attacker, or a failing disk, did to the file is found, and where."""

# ruff: noqa: S608  statements of an attacker's

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref, Sources
from journal.errors import LogCorruptError, LogError, UnknownEventError, ViewError
from journal.events import EVENT_TYPES
from journal.log import Anchor, Log, Unreadable, open_recorder
from journal.log.chain import Head, Row, Unsealed, genesis, seal
from journal.log.mapper import EntryMapper
from journal.log.soundness import is_as_made
from journal.log.sqlite import SQLiteRecorder
from journal.log.tables import SCHEMA
from projections import Records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from journal.log import Problem, Verification

TRIGGERS = ("entries_are_never_changed", "entries_are_never_deleted")
NUMBERS = [
    "position",
    "batch",
    "version",
    "schema_version",
    "occurred_at",
    "clock_adjusted",
]
TEXTS = [
    "event_id",
    "stream",
    "event_type",
    "actor",
    "origin",
    "correlation_id",
    "causation_id",
    "reason",
    "trace",
]
BYTES = ["data", "previous_hash", "hash"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of eight entries, closed."""
    path = tmp_path / "field.db"
    sources = Sources(trace=lambda: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    with Journal(path, actor="ann", origin="van-7", sources=sources) as journal:
        for name in ("a", "b", "c", "d"):
            ref = journal.create(
                "Account",
                {"Name": name},
                id=name,
                reason="new",
                correlation_id="c1",
                causation_id="d1",
            )
            journal.update(
                ref, {"Name": name * 2}, reason="more", correlation_id="c2", causation_id="d2"
            )
    return path


def tampered(path: Path, *statements: str | tuple[str, tuple[Any, ...]]) -> None:
    """Run statements on the file as somebody would who may write to it; restore the triggers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.text_factory = bytes
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))
        for statement in SCHEMA[2:]:
            connection.execute(statement)


def verified(path: Path) -> Verification:
    """Return what `verify` finds."""
    with Journal(path) as journal:
        return journal.log.verify()


def found_at(path: Path) -> set[int]:
    """Return the positions at which `verify` finds something."""
    return {problem.position for problem in verified(path).problems}


def anchored(path: Path, anchor: Anchor) -> tuple[Problem, ...]:
    """Return what `verify` finds against an anchor that was kept."""
    with Journal(path) as journal:
        return journal.log.verify(anchor=anchor).problems


class TestAnchors:
    """What was kept elsewhere tells what the chain alone cannot."""

    def test_log_that_has_grown_holds_its_anchor(self, path: Path) -> None:
        """An anchor holds for ever, whatever is appended, in either case of its letters."""
        anchor = verified(path).anchor
        with Journal(path) as journal:
            journal.create("Account", {})
            expected = Anchor(8, journal.log.rows()[7].hash.hex(), journal.log.journal_id)

        assert anchor == expected
        assert anchored(path, anchor) == ()
        assert anchored(path, Anchor(8, anchor.hash.upper())) == ()

    def test_beginning_is_an_anchor(self, path: Path, tmp_path: Path) -> None:
        """The anchor of an empty log belongs to its journal."""
        with Journal(tmp_path / "other.db") as other:
            anchor = other.log.verify().anchor
            other.create("Account", {})
            mine = other.log.journal_id

        assert anchored(tmp_path / "other.db", anchor) == ()
        (problem,) = anchored(path, anchor)
        assert problem.position == 0
        assert problem.text.endswith(f"and the anchor is of {mine}")
        assert anchored(path, anchor._replace(journal_id=None))[0].position == 0

    def test_log_of_another_journal_is_found(self, path: Path, tmp_path: Path) -> None:
        """A log made anew, with the same changes, does not hold the anchor of the first."""
        anchor = verified(path).anchor._replace(journal_id=None)
        with Journal(tmp_path / "other.db") as other:
            for n in range(9):
                other.create("Account", {"n": n})

        assert [p.position for p in anchored(tmp_path / "other.db", anchor)] == [8]

    @pytest.mark.parametrize(
        "damage",
        ["DELETE FROM entries WHERE position = 4", "hash = x'00'", "hash = CAST(1 AS BLOB)"],
    )
    def test_entry_that_is_damaged_is_not_held(self, path: Path, damage: str) -> None:
        """Where the entry of the anchor is damaged or missing, that is found twice."""
        with Journal(path) as journal:
            anchor = Anchor(4, journal.log.rows()[3].hash.hex())
        update = f"UPDATE entries SET {damage} WHERE position = 4"
        tampered(path, damage if damage.startswith("DELETE") else update)

        problems = anchored(path, anchor)

        assert len(problems) > 1
        assert "not the entry of the anchor" in problems[-1].text

    def test_log_in_memory(self) -> None:
        """A log in memory is held against an anchor, too."""
        with Journal() as journal:
            journal.create("Account", {})
            found = journal.log.verify()
            assert journal.log.verify(anchor=found.anchor) == found


class TestTriggers:
    """The file itself refuses what is not an append."""

    @pytest.mark.parametrize("statement", ["UPDATE entries SET actor = 'x'", "DELETE FROM entries"])
    def test_log_is_append_only(self, path: Path, statement: str) -> None:
        """Even outside the library, entries are neither changed nor deleted."""
        with (
            closing(sqlite3.connect(path)) as connection,
            pytest.raises(sqlite3.IntegrityError, match="the log is append-only"),
        ):
            connection.execute(statement)

    @pytest.mark.parametrize("trigger", TRIGGERS)
    def test_missing_trigger_is_found(self, path: Path, trigger: str) -> None:
        """That somebody took this away is found, though nothing else was done."""
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"DROP TRIGGER {trigger}")

        (problem,) = verified(path).problems

        assert problem.position == 0
        assert trigger in problem.text


class TestChanges:
    """C1, C2: any change of any column of any row is found at its position."""

    def test_untouched_file_is_intact(self, path: Path) -> None:
        """What the tests do to the file besides their change leaves no trace."""
        tampered(path)

        assert verified(path).problems == ()

    @pytest.mark.parametrize("column", [name for name in NUMBERS if name != "position"])
    @pytest.mark.parametrize("position", [1, 4, 8])
    def test_number(self, path: Path, column: str, position: int) -> None:
        """A number that is another one is found."""
        tampered(path, f"UPDATE entries SET {column} = {column} + 100 WHERE position = {position}")

        assert position in found_at(path)

    @pytest.mark.parametrize("bit", [0, 5, 7])
    @pytest.mark.parametrize("column", TEXTS + BYTES)
    @pytest.mark.parametrize("position", [1, 4, 8])
    def test_bit(self, path: Path, column: str, position: int, bit: int) -> None:
        """A single bit of a text or of bytes is found, also where it is no UTF-8 any more."""
        select = f"SELECT CAST({column} AS BLOB) FROM entries WHERE position = {position}"
        with closing(sqlite3.connect(path)) as connection:
            value = bytearray(connection.execute(select).fetchone()[0])
        value[len(value) // 2] ^= 1 << bit
        kind = "BLOB" if column in BYTES else "TEXT"

        tampered(
            path,
            (
                f"UPDATE entries SET {column} = CAST(? AS {kind}) WHERE position = {position}",
                (bytes(value),),
            ),
        )

        assert position in found_at(path)

    @pytest.mark.parametrize("column", ["correlation_id", "causation_id", "reason"])
    def test_value_that_is_taken_away(self, path: Path, column: str) -> None:
        """A column that lost its value is found; so is one that gained one."""
        tampered(path, f"UPDATE entries SET {column} = NULL WHERE position = 4")

        assert found_at(path) == {4}

    def test_text_that_is_no_text_is_refused_when_read(self, path: Path) -> None:
        """Reading an entry whose text is damaged is an error of ours."""
        tampered(path, "UPDATE entries SET actor = CAST(x'ff' AS TEXT) WHERE position = 4")

        with Journal(path) as journal, pytest.raises(LogCorruptError, match="decode"):
            journal.log.read()


class TestRows:
    """Rows that are swapped, removed, added or written anew."""

    @pytest.mark.parametrize("pair", [(1, 2), (3, 6), (7, 8)])
    def test_swapped(self, path: Path, pair: tuple[int, int]) -> None:
        """Two rows that changed places are found, both."""
        one, two = pair
        tampered(
            path,
            f"UPDATE entries SET position = 99 WHERE position = {one}",
            f"UPDATE entries SET position = {one} WHERE position = {two}",
            f"UPDATE entries SET position = {two} WHERE position = 99",
        )

        assert {one, two} <= found_at(path)

    @pytest.mark.parametrize("position", [1, 4, 7])
    def test_removed_from_the_middle(self, path: Path, position: int) -> None:
        """A row that is missing is found at the row behind the gap, with its position."""
        tampered(path, f"DELETE FROM entries WHERE position = {position}")

        found = verified(path)

        assert position + 1 in {problem.position for problem in found.problems}
        assert any(
            f"entries {position} to {position} are missing" in p.text for p in found.problems
        )

    def test_removed_from_the_end(self, path: Path) -> None:
        """Rows that are missing at the end are found; nothing can be appended in their place."""
        tampered(path, "DELETE FROM entries WHERE position > 6")

        found = verified(path)

        assert found.problems[0] == (0, "entries 7 to 8 were removed from the end of the log")
        with Journal(path) as journal, pytest.raises(LogCorruptError, match="at position 8"):
            journal.create("Account", {})

    def test_removed_from_the_end_with_the_count(self, path: Path) -> None:
        """Where the file's own count was lowered too, the last hash that somebody kept tells."""
        kept = verified(path).head_hash
        tampered(
            path,
            "DELETE FROM entries WHERE position > 6",
            "UPDATE sqlite_sequence SET seq = 6 WHERE name = 'entries'",
        )

        found = verified(path)

        assert found.is_intact
        assert found.head_hash != kept
        assert anchored(path, Anchor(8, kept)) == (
            (8, "entry 8, of the anchor, was cut off: the log ends before it"),
        )

    @pytest.mark.parametrize(
        "count", ["DELETE FROM sqlite_sequence", "UPDATE sqlite_sequence SET seq = 3"]
    )
    def test_count_that_is_too_low(self, path: Path, count: str) -> None:
        """Entries that the file's own count does not know are found."""
        tampered(path, count)

        assert "were never counted by the file" in verified(path).problems[0].text

    @pytest.mark.parametrize("count", [3, 6])
    def test_count_has_no_say_in_what_is_there(self, path: Path, count: int) -> None:
        """Entries beyond the count are checked, too, and still hold their anchor."""
        anchor = verified(path).anchor
        tampered(
            path,
            f"UPDATE sqlite_sequence SET seq = {count}",
            "UPDATE entries SET actor = 'eve' WHERE position = 7",
        )

        assert anchored(path, anchor) == (
            (
                0,
                (
                    f"the file counts entries up to {count}; {8 - count} beyond it, up to "
                    "position 8, were never counted by the file"
                ),
            ),
            (7, "its hash does not fit its content: it was changed"),
        )

    def test_row_that_was_moved_behind_the_end(self, path: Path) -> None:
        """A row at a position far behind is one row, and it is said where it was due."""
        tampered(path, "UPDATE entries SET position = 106 WHERE position = 8")

        found = verified(path)

        assert found.entries == 8
        assert found.problems == (
            (
                0,
                (
                    "the file counts entries up to 8; 1 beyond it, up to position 106, "
                    "were never counted by the file"
                ),
            ),
            (106, "entries 8 to 105 are missing"),
            (106, "its hash does not fit its content: it was changed"),
        )

    def test_end_that_was_cut_off_is_told_from_one_that_was_written_anew(self, path: Path) -> None:
        """Where the entry of the anchor is gone, it was cut off, whatever the file counts."""
        anchor = verified(path).anchor
        tampered(path, "DELETE FROM entries WHERE position > 6")

        assert anchored(path, anchor) == (
            (0, "entries 7 to 8 were removed from the end of the log"),
            (8, "entry 8, of the anchor, was cut off: the log ends before it"),
        )

    def test_chain_of_another_journal(self, path: Path) -> None:
        """A chain that was written anew, from another beginning, is found at its first row."""
        with Journal(path) as journal:
            rows = journal.log.rows()
        forged = seal(Head(0, genesis("another"), 0), [unsealed(row) for row in rows])

        tampered(path, *[replacement(row) for row in forged])

        assert found_at(path) == {1}

    def test_end_that_was_written_anew(self, path: Path) -> None:
        """A chain that was written anew from the middle on shows in the last hash only."""
        with Journal(path) as journal:
            rows = journal.log.rows()
        kept = verified(path).head_hash
        last = Head(4, rows[3].hash, rows[3].occurred_at)
        forged: list[Row] = []
        for row in rows[4:]:
            forged += seal(last, [unsealed(row)._replace(actor="eve")])
            last = Head(forged[-1].position, forged[-1].hash, forged[-1].occurred_at)

        tampered(path, *[replacement(row) for row in forged])

        assert verified(path).is_intact
        assert verified(path).head_hash != kept
        assert anchored(path, Anchor(8, kept)) == (
            (8, "it is not the entry of the anchor: the log was written anew, or is another"),
        )
        assert anchored(path, Anchor(4, rows[3].hash.hex())) == ()

    def test_journal_without_its_id(self, path: Path) -> None:
        """A file that has lost the id of its journal is not opened."""
        tampered(path, "DELETE FROM journal")

        with pytest.raises(LogCorruptError, match="the id of the journal is missing"):
            Journal(path)

    def test_index_that_lies(self, path: Path) -> None:
        """An index that does not agree with its table is found: streams are read by it."""
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            (root,) = connection.execute(
                "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_entries_2'"
            ).fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        content = bytearray(path.read_bytes())
        page = content[(root - 1) * size : root * size]
        content[(root - 1) * size : root * size] = page.replace(b"Account:b", b"Account:x")
        path.write_bytes(content)

        assert 0 in found_at(path)


def unsealed(row: Row) -> Unsealed:
    """Return the columns of a row that are known before the append."""
    return Unsealed(*(getattr(row, name) for name in Unsealed._fields))


def replacement(row: Row) -> tuple[str, tuple[Any, ...]]:
    """Return the statement that puts a row in the place of another."""
    marks = ", ".join(f"{name} = ?" for name in Row._fields)
    return f"UPDATE entries SET {marks} WHERE position = {row.position}", tuple(row)


class TestEvents:
    """Events that cannot be read are found, though the chain is whole."""

    @pytest.fixture
    def log(self, tmp_path: Path) -> Any:  # noqa: ANN401  a generator of one log
        """A log whose third entry a newer release has written."""
        recorder = open_recorder(tmp_path / "newer.db", lambda: "j1")
        log = Log(recorder)
        entry = Unsealed(
            "e1",
            "A:1",
            1,
            "RecordCreated",
            1,
            5,
            "ann",
            "van",
            None,
            None,
            None,
            None,
            b'{"fields":{}}',
        )
        recorder.append([entry, entry._replace(event_id="e2", version=2)])
        yield log
        log.close()

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"event_type": "RecordCopied"}, UnknownEventError, "which this release does not know"),
            ({"schema_version": 2}, UnknownEventError, "of schema version 2"),
            ({"data": b"{}"}, LogCorruptError, "its data is not a RecordCreated"),
            ({"data": b"\xff"}, LogCorruptError, "its data is not a RecordCreated"),
        ],
    )
    def test_event_that_cannot_be_read(
        self, log: Log, changes: dict[str, Any], error: type[LogError], words: str
    ) -> None:
        """An event of a newer release, or damaged before it was sealed, is found; never skipped."""
        recorder = log._recorder
        third = unsealed(log.rows()[0])._replace(event_id="e3", version=3, **changes)
        recorder.append([third])

        (problem,) = log.verify().problems

        assert problem.position == 3
        assert words in problem.text
        reads: list[Callable[[], object]] = [
            log.read,
            lambda: log.stream(Ref("A:1")),
            lambda: list(log.scan()),
        ]
        for read in reads:
            with pytest.raises(error) as caught:
                read()
            assert caught.value.position == 3  # type: ignore[attr-defined]
        assert len(log.rows()) == 3

    def test_version_that_is_missing(self, log: Log) -> None:
        """A version of a stream that is skipped is found."""
        log._recorder.append([unsealed(log.rows()[0])._replace(event_id="e3", version=7)])

        assert log.verify().problems == ((3, "it is version 7 of A:1 where 3 was due"),)

    def test_old_event_is_read(self, tmp_path: Path, log: Log) -> None:
        """A log with events of an older schema version is intact, and is read as of now."""
        log.close()
        mapper = EntryMapper(
            EVENT_TYPES,
            dict.fromkeys(EVENT_TYPES, 2),
            {("RecordCreated", 1): lambda old: {"fields": {**old["fields"], "Marked": True}}},
        )
        newer = Log(open_recorder(tmp_path / "newer.db", lambda: "j1"), mapper)

        assert newer.verify().is_intact
        assert [e.event.model_dump()["fields"] for e in newer.scan()] == [{"Marked": True}] * 2
        newer.close()

    def test_problems_have_an_end(self, path: Path) -> None:
        """A log in which everything is wrong is not described for ever."""
        with Journal(path) as journal, journal.batch():
            for n in range(100):
                journal.create("Account", {"n": n})
        tampered(path, "UPDATE entries SET actor = 'eve'")

        problems = verified(path).problems

        assert 20 <= len(problems) <= 24
        assert problems[-1] == (
            problems[-1].position,
            "the entries from here to 108 were not checked: too much is wrong",
        )
        assert problems[-1].position > problems[-2].position


class TestGoingOn:
    """What is behind a damaged entry is checked, and can be exported."""

    def test_entries_behind_a_damaged_text(self, path: Path) -> None:
        """A text that is none is a problem of its entry, and of no other."""
        tampered(
            path,
            "UPDATE entries SET reason = CAST(x'ff' AS TEXT) WHERE position = 3",
            "UPDATE entries SET actor = 'eve' WHERE position = 6",
        )

        found = verified(path)

        assert found.entries == 8
        assert found.problems == (
            (3, "its reason is no text in UTF-8: the file is damaged"),
            (6, "its hash does not fit its content: it was changed"),
        )

    def test_entries_behind_a_damaged_page(self, tmp_path: Path) -> None:
        """A page that cannot be read takes its own entries with it only."""
        path = tmp_path / "large.db"
        with Journal(path) as journal:
            for n in range(40):
                journal.create("A", {"text": "x" * 2500}, id=str(n))
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        content = bytearray(path.read_bytes())
        pages = [
            place
            for place in range(0, len(content), size)
            if content[place] == 13 and b"RecordCreated" in content[place : place + size]
        ]
        content[pages[10]] = 77
        path.write_bytes(content)

        with Journal(path) as journal:
            found = journal.log.verify()
            rows = [row for page in journal.log.salvaged() for row in page]

        lost = [row.position for row in rows if isinstance(row, Unreadable)]
        assert [row.position for row in rows] == [*range(1, 41)]
        assert 1 <= len(lost) <= 5
        assert found.entries == 40 - len(lost)
        assert [p.position for p in found.problems if p.position] == lost
        assert len([p for p in found.problems if not p.position]) <= 6
        assert all("\n" not in problem.text for problem in found.problems)


class TestGrowth:
    """A column that a later format adds, and one that somebody else does."""

    ADDED = "ALTER TABLE entries ADD COLUMN "

    def grown(self, *columns: str) -> str:
        """Return the definition of the entries with more columns, as SQLite keeps it."""
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(SCHEMA[1])
            for column in columns:
                connection.execute(f"{self.ADDED}{column}")
            (found,) = connection.execute(
                "SELECT sql FROM sqlite_schema WHERE name = 'entries'"
            ).fetchone()
        assert isinstance(found, str)
        return found

    @pytest.mark.parametrize(
        ("columns", "format_version", "is_sound"),
        [
            ([], 1, True),
            ([], 2, True),
            (["tenant TEXT"], 1, False),
            (["tenant TEXT"], 2, True),
            (["tenant TEXT", "size INTEGER", "seal BLOB"], 3, True),
            (["tenant TEXT NOT NULL DEFAULT ''"], 2, False),
            (["tenant TEXT DEFAULT 'x'"], 2, False),
        ],
    )
    def test_columns_come_with_a_later_format_only(
        self,
        columns: list[str],
        format_version: int,
        is_sound: bool,  # noqa: FBT001
    ) -> None:
        """Columns that are null in old entries are sound in a later format, and in no other."""
        assert is_as_made(self.grown(*columns), SCHEMA[1], format_version) is is_sound

    @pytest.mark.parametrize("made", SCHEMA)
    def test_nothing_else_may_change(self, made: str) -> None:
        """Whatever else is changed of a table or a trigger is no growth."""
        for stored in (made + " ", made.replace("TEXT", "ANY"), made.replace("ABORT", "IGNORE")):
            if stored != made:
                assert not is_as_made(stored, made, 2)

    def test_column_that_somebody_added(self, path: Path) -> None:
        """In a file of this format, another column is found."""
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"{self.ADDED}tenant TEXT")

        assert [problem.text for problem in verified(path).problems] == [
            "this was taken from the file, or changed: CREATE TABLE entries ("
        ]


class TestBytes:
    """Any byte of the file."""

    @pytest.mark.parametrize("seed", range(4))
    def test_flipped_byte_is_found_or_harmless(self, path: Path, seed: int) -> None:
        """A byte that is flipped anywhere is found, or has changed nothing that is read."""
        with Journal(path) as journal:
            expected = journal.log.rows()
        content = path.read_bytes()
        choice = random.Random(seed)  # noqa: S311  the same bytes every time
        missed = []

        for place in choice.sample(range(len(content)), 60):
            damaged = bytearray(content)
            damaged[place] ^= 1 << choice.randrange(8)
            for file in path.parent.glob("field.db-*"):
                file.unlink()
            path.write_bytes(damaged)
            try:
                with Journal(path) as journal:
                    if journal.log.verify().is_intact and journal.log.rows() != expected:
                        missed.append(place)
            except LogError:
                pass

        assert missed == []


def test_an_added_trigger_keeps_nothing_from_being_noticed(tmp_path: Path) -> None:
    """A trigger that swallows entries makes appends fail, and is found by verify."""
    path = tmp_path / "field.db"
    with Journal(path) as journal:
        journal.create("Account", {"Name": "Acme"}, id="1")
    with closing(sqlite3.connect(path)) as file:
        file.execute(
            "CREATE TRIGGER eater BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END"
        )

    with Journal(path) as journal:
        with pytest.raises(LogCorruptError, match="does not keep what is written"):
            journal.create("Account", {}, id="2")
        with pytest.raises(LogCorruptError, match="does not keep what is written"):
            journal.update("Account:1", {"Name": "other"})
        problems = journal.log.verify().problems

        assert [problem.text for problem in problems] == ["the trigger eater was added to the file"]
        assert journal.log.head() == 1


def test_nothing_is_appended_to_a_log_that_lost_its_end_while_it_was_open(tmp_path: Path) -> None:
    """C1: a row is stored only behind the row that it is chained to, whatever was known of it."""
    path = tmp_path / "field.db"
    with Journal(path) as journal:
        for record_id in "12":
            journal.create("Account", {}, id=record_id)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("DROP TRIGGER entries_are_never_deleted")
            file.execute("DELETE FROM entries WHERE position = 2")

        with pytest.raises(LogCorruptError, match="were removed"):
            journal.create("Account", {}, id="3")
        assert [row.position for row in journal.log.rows()] == [1]


def test_a_view_of_a_log_without_its_end_is_refused(tmp_path: Path) -> None:
    """A read of a view ends, with what is missing, where the end of the log was removed."""
    path = tmp_path / "field.db"
    with Journal(path) as journal:
        for record_id in "123":
            journal.create("Account", {}, id=record_id)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TRIGGER entries_are_never_deleted")
        file.execute("DELETE FROM entries WHERE position = 3")

    with Journal(path) as journal, pytest.raises(LogCorruptError, match="were removed"):
        Records(journal).list("Account")


def test_a_damaged_row_of_a_view_is_an_error_of_ours(tmp_path: Path) -> None:
    """A row that somebody has spoiled says so, and how to mend it."""
    path = tmp_path / "field.db"
    with Journal(path) as journal:
        journal.create("Account", {"Name": "Acme"}, id="1")
        Records(journal).list("Account")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE records SET fields = char(123)")

    with Journal(path) as journal:
        records = Records(journal)
        with pytest.raises(ViewError, match="draft-journal rebuild"):
            records.list("Account")
        records.rebuild()
        assert [view.fields for view in records.list("Account")] == [{"Name": "Acme"}]


def test_a_row_that_was_not_stored_is_never_chained_to(tmp_path: Path) -> None:
    """Whoever writes after a write that failed follows the last row that is there."""
    recorder = open_recorder(tmp_path / "field.db", lambda: "journal-1")
    rows = [
        Unsealed(f"e{n}", f"A:{n}", 1, "T", 1, n, "me", "here", None, None, None, None, b"{}")
        for n in range(1, 4)
    ]
    recorder.append(rows[:1])
    assert isinstance(recorder, SQLiteRecorder)

    def fail() -> None:
        with recorder._database.append() as connection:
            recorder._sealed(connection, rows[1:2], None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    recorder.append(rows[2:])

    assert [row.position for row in recorder.rows(0, 9)] == [1, 2]
    recorder.close()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE sqlite_sequence SET seq = 3", "entries that the file has not counted"),
        (
            "CREATE TRIGGER stopper AFTER INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END",
            "the file refuses what is written to it: no; export",
        ),
        ("DROP TABLE entries", "has no such table: entries; export what can be read, and restore"),
    ],
)
def test_file_that_takes_no_entries_is_damaged(path: Path, damage: str, message: str) -> None:
    """A write that the file itself refuses is no conflict of versions, nor the disk's fault."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(damage)

    with Journal(path) as journal:
        for _ in range(2):
            with pytest.raises(LogCorruptError, match=message):
                journal.create("Account", {})
