"""Projections: catching up, rebuilding, checkpoints, and views of one's own."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from journal import Journal, Ref
from journal.errors import LogClosedError, ViewError
from journal.events import RecordCreated, RecordUpdated
from projections import Drafts, Fold, History, Projection, Records
from projections import projection as projections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from journal.events import Entry
    from journal.log import Cursor


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal in memory."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


class VisitsByStatus(Projection):
    """How many visits have which status: a view in ten lines."""

    name = "visits_by_status"
    tables: ClassVar = {"visit_statuses": "visit TEXT PRIMARY KEY, status TEXT NOT NULL"}

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Note the latest status of each visit."""
        for entry in entries:
            if isinstance(entry.event, RecordCreated | RecordUpdated):
                event = entry.event
                fields = event.fields if isinstance(event, RecordCreated) else event.changes
                if "Status" in fields:
                    row = (entry.stream, fields["Status"])
                    cursor.execute("INSERT OR REPLACE INTO visit_statuses VALUES (?, ?)", row)

    def counts(self) -> dict[str, int]:
        """Return how many visits have which status."""
        with self.reading() as cursor:
            cursor.execute("SELECT status, count(*) FROM visit_statuses GROUP BY status")
            return dict(cursor.fetchall())


class Applied(Projection):
    """The positions that were applied, and how often."""

    name = "applied"
    tables: ClassVar[Mapping[str, str]] = {
        "applied": "position INTEGER PRIMARY KEY, times INTEGER NOT NULL"
    }

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Count each position."""
        for entry in entries:
            cursor.execute(
                "INSERT INTO applied VALUES (?, 1) "
                "ON CONFLICT (position) DO UPDATE SET times = times + 1",
                (entry.position,),
            )

    def rows(self) -> list[tuple[int, int]]:
        """Return position and times, in order."""
        with self.reading() as cursor:
            cursor.execute("SELECT position, times FROM applied ORDER BY position")
            return cursor.fetchall()


def drop(journal: Journal, table: str) -> None:
    """Drop a table by hand."""
    with journal.log.views.write() as cursor:
        cursor.execute(f"DROP TABLE {table}")


class TestViewOfOnesOwn:
    """Views that somebody else has written."""

    def test_counts_as_it_is_read(self, journal: Journal) -> None:
        """A view of one's own shows every change that was made before the read."""
        visits = VisitsByStatus(journal)
        first = journal.create("Visit", {"Status": "open"})
        journal.create("Visit", {"Status": "open"})
        assert visits.counts() == {"open": 2}

        journal.update(first, {"Status": "done"})

        assert visits.counts() == {"open": 1, "done": 1}

    def test_may_be_a_fold_in_memory(self, journal: Journal) -> None:
        """A pure function makes a view in memory, which goes on where it was."""
        nobody: tuple[str, ...] = ()
        changes = Fold(journal, nobody, lambda actors, entry: (*actors, entry.actor))
        account = journal.create("Account", {})
        assert changes.state() == ("ann",)

        journal.update(account, {"Name": "Acme"}, actor="bob")

        assert changes.state() == ("ann", "bob")
        assert changes.state() == ("ann", "bob")

    def test_refused_statement_is_ours_and_leaves_nothing(self, journal: Journal) -> None:
        """A statement that SQLite refuses is a `ViewError`, and the view is as before."""

        class Broken(Applied):
            is_broken = False

            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                super().apply(cursor, entries)
                if self.is_broken:
                    cursor.execute("SELECT 1 FROM nowhere")

        broken = Broken(journal)
        account = journal.create("Account", {})
        broken.catch_up()
        journal.update(account, {"Name": "Acme"})
        broken.is_broken = True

        with pytest.raises(ViewError, match="no such table: nowhere"):
            broken.catch_up()

        assert broken.checkpoint() == 1
        broken.is_broken = False
        assert broken.rows() == [(1, 1), (2, 1)]

    @pytest.mark.parametrize(
        "columns",
        ["position INTEGER", "position INTEGER PRIMARY KEY, ", "x WHATEVER PRIMARY KEY"],
    )
    def test_table_without_key_or_type_is_refused(self, journal: Journal, columns: str) -> None:
        """A table needs a primary key, and types that SQLite keeps."""

        class Loose(Applied):
            name = "loose"
            tables: ClassVar[Mapping[str, str]] = {"loose": columns}

        with pytest.raises(ViewError):
            Loose(journal).catch_up()

    def test_value_of_another_type_is_refused(self, journal: Journal) -> None:
        """A column holds values of its declared type only."""

        class Mistaken(Applied):
            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                for entry in entries:
                    cursor.execute("INSERT INTO applied VALUES (?, ?)", (entry.position, "once"))

        journal.create("Account", {})

        with pytest.raises(ViewError, match="cannot store TEXT value in INTEGER column"):
            Mistaken(journal).catch_up()

    @pytest.mark.parametrize("value", [2**63, "\ud800"])
    def test_value_that_sqlite_cannot_hold_is_refused(
        self, journal: Journal, value: int | str
    ) -> None:
        """An integer beyond 64 bits, or half a character, is the projection's mistake."""

        class Large(Applied):
            name = "large"
            tables: ClassVar = {"large": "value ANY PRIMARY KEY"}

            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                for _ in entries:
                    cursor.execute("INSERT INTO large VALUES (?)", (value,))

        large = Large(journal)
        large.catch_up()
        with (
            pytest.raises(ViewError, match="large keeps what SQLite cannot hold"),
            large.reading() as cursor,
        ):
            cursor.execute("SELECT ?", (value,))
        journal.create("Visit", {})

        with pytest.raises(ViewError, match="large keeps what SQLite cannot hold"):
            large.catch_up()
        assert large.checkpoint() == 0

    def test_overflow_of_its_own_passes(self, journal: Journal) -> None:
        """An overflow that has nothing to do with SQLite is none of ours."""

        class Overflowing(Applied):
            def apply(self, *_: object) -> None:
                raise OverflowError

        journal.create("Visit", {})
        with pytest.raises(OverflowError):
            Overflowing(journal).catch_up()

    def test_error_of_its_own_passes(self, journal: Journal) -> None:
        """What `apply` raises itself comes through, and nothing was applied."""

        class Raising(Applied):
            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                super().apply(cursor, entries)
                raise LookupError

        journal.create("Account", {})
        raising = Raising(journal)

        with pytest.raises(LookupError):
            raising.catch_up()

        assert Applied(journal).rows() == [(1, 1)]

    def test_entries_that_are_not_looked_at_are_passed_over(self, journal: Journal) -> None:
        """A view that stops looking half-way is none the less as far as its checkpoint."""

        class Glance(Applied):
            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                for entry in entries:
                    super().apply(cursor, [entry])
                    break

        with journal.batch():
            for _ in range(3):
                journal.create("Account", {})
        glance = Glance(journal)

        assert glance.rows() == [(1, 1)]
        assert glance.checkpoint() == 3

    def test_write_to_the_journal_from_apply_is_refused(self, journal: Journal) -> None:
        """A view that is applied cannot be read by itself: it would wait for itself."""

        class Nested(Applied):
            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                super().apply(cursor, entries)
                Records(self._journal).catch_up()

        journal.create("Account", {})

        with pytest.raises(ViewError):
            Nested(journal).catch_up()


class Meddling(Applied):
    """A view of which `apply` runs some other statement, too."""

    name = "meddling"
    tables: ClassVar = {"meddled": "position INTEGER PRIMARY KEY, n INTEGER NOT NULL"}
    statements: tuple[str, ...] = ()

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Run the statements."""
        for entry in entries:
            cursor.execute("INSERT INTO meddled VALUES (?, 1)", (entry.position,))
        for statement in self.statements:
            cursor.execute(statement)
            cursor.fetchall()


@pytest.fixture(params=["memory", "sqlite"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """A journal with one record and two views, in memory or in a file."""
    with Journal(tmp_path / "field.db" if request.param == "sqlite" else ":memory:") as journal:
        journal.create("Account", {"Name": "Acme"}, id="1")
        Applied(journal).catch_up()
        Meddling(journal).catch_up()
        yield journal


ROW = "INSERT INTO applied VALUES (99, 1)"


class TestGuard:
    """P4: what a projection may do while it applies entries."""

    @pytest.mark.parametrize(
        ("statement", "refused"),
        [
            (ROW, "write to the table applied"),
            ("UPDATE applied SET times = 2", "write to the table applied"),
            ("DELETE FROM applied", "write to the table applied"),
            ("DELETE FROM view_checkpoints", "write to the table view_checkpoints"),
            ("DROP TABLE applied", "drop the table applied"),
            ("ALTER TABLE applied ADD COLUMN more TEXT", "alter the table applied"),
            ("CREATE TABLE more (a)", "make the table more"),
            ("CREATE TEMP TABLE more (a)", "make the table more"),
            ("CREATE INDEX more ON applied (times)", "make or drop an index of the table applied"),
            (
                "CREATE TRIGGER more AFTER INSERT ON meddled BEGIN DELETE FROM applied; END",
                "make a trigger on the table meddled",
            ),
            ("PRAGMA user_version = 7", "set the pragma user_version"),
            ("COMMIT", r"begin or end a transaction \(COMMIT\)"),
            ("ROLLBACK", r"begin or end a transaction \(ROLLBACK\)"),
            ("ATTACH ':memory:' AS more", "run such a statement"),
        ],
    )
    def test_more_than_its_own_is_refused(
        self, either: Journal, statement: str, refused: str
    ) -> None:
        """What is not its own cannot be changed; nothing of the transaction is kept."""
        meddling = Meddling(either)
        meddling.statements = (statement,)
        either.update("Account:1", {"Name": "Acme Ltd"})

        with pytest.raises(
            ViewError,
            match=f"the projection meddling may not {refused}: it writes only to its own tables, "
            r"meddled; mend its apply\(\)",
        ):
            meddling.catch_up()

        assert meddling.checkpoint() == 1
        assert Applied(either).rows() == [(1, 1), (2, 1)]
        meddling.statements = ()
        assert meddling.catch_up() == 2
        assert either.log.verify().is_intact

    @pytest.mark.parametrize(
        "statement", ["DELETE FROM entries", "INSERT INTO journal VALUES (1, 2)"]
    )
    def test_log_is_refused(self, tmp_path: Path, statement: str) -> None:
        """The tables of the log are named in the error, and stay as they are."""
        with Journal(tmp_path / "field.db") as journal:
            journal.create("Account", {}, id="1")
            meddling = Meddling(journal)
            meddling.statements = (statement,)
            table = statement.split()[2]

            with pytest.raises(ViewError, match=f"may not write to the table {table}"):
                meddling.catch_up()

            assert journal.log.verify().is_intact

    def test_what_another_has_prepared_is_refused_too(self, either: Journal) -> None:
        """A statement is refused also where the one whose it is has just run it."""
        meddling = Meddling(either)
        meddling.statements = (
            "INSERT INTO applied VALUES (?, 1) "
            "ON CONFLICT (position) DO UPDATE SET times = times + 1".replace("?", "9"),
        )
        with either.log.views.write("applied") as cursor:
            cursor.execute(meddling.statements[0])
            cursor.execute("DELETE FROM applied WHERE position = 9")
        either.update("Account:1", {"Name": "Acme Ltd"})

        with pytest.raises(ViewError, match="may not write to the table applied"):
            meddling.catch_up()

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT count(*) FROM applied",
            "SELECT * FROM view_checkpoints",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n LIMIT 3) SELECT i FROM n",
            "PRAGMA table_info(meddled)",
            "PRAGMA schema_version",
            "SELECT name FROM pragma_table_info('meddled')",
            "CREATE INDEX IF NOT EXISTS meddled_n ON meddled (n)",
            "SAVEPOINT here",
            "REPLACE INTO meddled SELECT position, times + 1 FROM applied",
        ],
    )
    def test_its_own_and_reading_are_allowed(self, either: Journal, statement: str) -> None:
        """It reads what it likes, and does with its own tables what it likes."""
        meddling = Meddling(either)
        meddling.statements = (statement,)
        either.update("Account:1", {"Name": "Acme Ltd"})

        assert meddling.catch_up() == 2
        assert meddling.catch_up() == 2

    def test_interrupt_leaves_it_lifted(self, either: Journal) -> None:
        """An interrupt while a projection is let go again is no obstacle to the next one."""
        meddling = Meddling(either)
        either.update("Account:1", {"Name": "Acme Ltd"})
        views = either.log.views

        def interrupted() -> None:
            with views.write("meddling"):
                views.only("meddling", ["meddled"]).__enter__()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()

        assert meddling.rebuild() == 2

    def test_reader_does_not_write(self, either: Journal) -> None:
        """A cursor for reading reads, in memory too, also after a write from within the read."""
        applied = Applied(either)
        assert applied.rows() == [(1, 1)]

        def meddle(*changes: dict[str, object]) -> None:
            with applied.reading() as cursor:
                for change in changes:
                    either.update("Account:1", change)
                    applied.catch_up()
                cursor.execute("DELETE FROM applied")

        for changes in ((), ({"Name": "Acme Ltd"},)):
            with pytest.raises(ViewError, match="a cursor for reading was written to"):
                meddle(*changes)

        assert applied.rows() == [(1, 1), (2, 1)]

    @pytest.mark.parametrize("is_async", [False, True])
    def test_apply_that_does_nothing_is_refused(
        self,
        either: Journal,
        is_async: bool,  # noqa: FBT001
    ) -> None:
        """A generator and a coroutine have not begun when they return: no entry is passed over."""

        class Late(Applied):
            name = "late"
            tables: ClassVar = {"late": Applied.tables["applied"]}

            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> Any:  # noqa: ANN401
                return self.awaited() if is_async else (cursor.execute(ROW) for _ in entries)

            async def awaited(self) -> None:
                raise NotImplementedError

        late = Late(either)

        with pytest.raises(ViewError, match="projection late has a yield in it, or is async"):
            late.catch_up()

        assert late.checkpoint() == 0


class TestNames:
    """Names of projections and tables."""

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "Visits",
            "visits;",
            'visits"',
            "visits by status",
            "1st",
            "ünits",
            "a" * 64,
            "entries",
            "journal",
            "view_checkpoints",
            "sync_checkpoint",
            "sqlite_x",
        ],
    )
    def test_name_that_is_not_allowed_is_refused(self, journal: Journal, name: str) -> None:
        """Names of projections and tables are plain, and none of ours."""

        class Named(Applied):
            pass

        Named.name = name
        with pytest.raises(ViewError, match="is not allowed"):
            Named(journal)

        Named.name, Named.tables = "named", {name: "position INTEGER PRIMARY KEY"}
        with pytest.raises(ViewError, match="is not allowed"):
            Named(journal)

    def test_table_of_another_projection_is_refused(self, journal: Journal) -> None:
        """Two projections cannot have a table of one name: each would drop the other's."""

        class Other(Applied):
            name = "other"

        applied = Applied(journal)
        applied.catch_up()

        with pytest.raises(ViewError, match="other and applied both have a table applied"):
            Other(journal).catch_up()

        assert applied.rows() == []

    def test_renamed_projection_is_let_in_when_the_old_name_is_forgotten(
        self, journal: Journal
    ) -> None:
        """The tables of a projection that is there no more are deleted under its name."""

        class Renamed(Applied):
            name = "renamed"

        assert not Projection.forget(journal, "applied")
        journal.create("Visit", {})
        Applied(journal).catch_up()
        with pytest.raises(ViewError, match=r"Projection.forget\(journal, 'applied'\)"):
            Renamed(journal).catch_up()

        assert Projection.forget(journal, "applied")

        assert not Projection.forget(journal, "applied")
        assert Renamed(journal).rows() == [(1, 1)]
        assert len(Records(journal).list("Visit")) == 1

    def test_forgotten_projection_that_is_used_is_built_anew(self, journal: Journal) -> None:
        """Nothing is lost where a projection is forgotten that is still there."""
        journal.create("Visit", {})
        applied = Applied(journal)
        assert applied.rows() == [(1, 1)]

        Projection.forget(journal, "applied")

        assert applied.rows() == [(1, 1)]

    @pytest.mark.parametrize("table", ["records", "record_changes", "drafts", "history_outcomes"])
    def test_table_of_this_library_is_refused(self, journal: Journal, table: str) -> None:
        """A projection of one's own cannot take the place of ours, although it came first."""

        class Named(Applied):
            tables: ClassVar = {table: "position INTEGER PRIMARY KEY"}

        with pytest.raises(ViewError, match=f"the table {table} is that of a projection of this"):
            Named(journal)

    @pytest.mark.parametrize("name", ["records", "drafts", "history"])
    def test_name_of_this_library_is_refused(self, journal: Journal, name: str) -> None:
        """Nor can it take its name; what is derived from ours may keep it."""

        class Named(Applied):
            pass

        class Derived(Records):
            """More methods on the same tables."""

        Named.name = name
        with pytest.raises(ViewError, match=f"the name {name} is that of a projection of this"):
            Named(journal)
        assert Derived(journal).catch_up() == 0

    @pytest.mark.parametrize("missing", ["name", "tables"])
    def test_projection_without_name_or_tables_is_refused(
        self, journal: Journal, missing: str
    ) -> None:
        """What a projection must say is asked for."""
        said = {"name": "bare", "tables": {"bare": "n INTEGER PRIMARY KEY"}}
        said = {key: value for key, value in said.items() if key != missing}
        bare = type("Bare", (Projection,), {**said, "apply": Applied.apply})

        with pytest.raises(ViewError, match=f"the projection Bare has no {missing}"):
            bare(journal)

    @pytest.mark.parametrize("name", [None, 3])
    def test_name_that_is_no_text_is_refused(self, journal: Journal, name: Any) -> None:  # noqa: ANN401
        """A name is text."""

        class Named(Applied):
            pass

        Named.name = name
        with pytest.raises(ViewError, match="is not allowed"):
            Named(journal)


class TestCatchUp:
    """How a view follows the log."""

    def test_applies_each_entry_once(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However entries come and batches are cut, each entry is applied once, in order."""
        monkeypatch.setattr(projections, "PAGE", 2)
        monkeypatch.setattr(projections, "BATCH", 5)
        applied, other = Applied(journal), Applied(journal)
        for count in (0, 1, 2, 4, 5, 6, 11):
            with journal.batch():
                for _ in range(count):
                    journal.create("Account", {})
            other.catch_up()
            assert applied.catch_up() == journal.log.head()

        assert applied.rows() == [(position, 1) for position in range(1, 30)]

    def test_large_changes_are_cut_too(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A transaction applies only so many bytes, give or take a page."""
        monkeypatch.setattr(projections, "PAGE", 1)
        monkeypatch.setattr(projections, "BATCH_BYTES", 2500)
        with journal.batch():
            for _ in range(7):
                journal.create("Note", {"Text": "x" * 1000})
        said: list[tuple[int, int]] = []

        Applied(journal).catch_up(lambda done, total: said.append((done, total)))

        assert said == [(3, 7), (6, 7), (7, 7)]

    def test_tells_progress(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        """Progress says how far it is, and of how much, after each transaction."""
        monkeypatch.setattr(projections, "PAGE", 2)
        monkeypatch.setattr(projections, "BATCH", 2)
        for _ in range(5):
            journal.create("Account", {})
        applied = Applied(journal)
        said: list[tuple[int, int]] = []

        applied.catch_up(lambda done, total: said.append((done, total)))
        applied.rebuild(lambda done, total: said.append((done, total)))

        assert said == [(2, 5), (4, 5), (5, 5)] * 2

    def test_checkpoint_does_not_catch_up(self, journal: Journal) -> None:
        """The checkpoint says how far the view is, not how far it could be."""
        applied = Applied(journal)
        assert applied.checkpoint() == 0
        journal.create("Account", {})
        assert applied.checkpoint() == 0

        assert applied.catch_up() == 1

        assert applied.checkpoint() == 1

    @pytest.mark.parametrize("view", [Records, Drafts, History, Applied])
    def test_closed_journal_is_said_to_be_closed(self, view: type[Projection]) -> None:
        """A view of a closed journal raises what the journal would raise."""
        with Journal() as journal:
            closed = view(journal)
            closed.catch_up()

        with pytest.raises((LogClosedError, ViewError)), closed.reading():
            pass
        with pytest.raises((LogClosedError, ViewError)):
            closed.catch_up()


class TestRebuilding:
    """When a view is built anew, and how."""

    @pytest.mark.parametrize("table", ["applied", "view_checkpoints"])
    @pytest.mark.parametrize("is_known", [True, False])
    def test_dropped_table_is_built_anew(
        self,
        journal: Journal,
        table: str,
        is_known: bool,  # noqa: FBT001  a parameter of the test
    ) -> None:
        """Whichever table is dropped by hand, the next read finds everything in its place."""
        applied = Applied(journal)
        journal.create("Account", {})
        journal.create("Account", {})
        assert applied.rows() == [(1, 1), (2, 1)]

        drop(journal, table)

        reader = applied if is_known else Applied(journal)
        assert reader.rows() == [(1, 1), (2, 1)]

    def test_dropped_table_of_an_empty_log_is_made(self, journal: Journal) -> None:
        """Tables are there to be read even where there is nothing to be in them."""
        applied = Applied(journal)
        assert applied.rows() == []

        drop(journal, "applied")

        assert applied.rows() == []

    def test_other_version_is_built_anew(self, journal: Journal) -> None:
        """A projection of another version, with other tables, replaces the one before."""

        class Later(Applied):
            version = 2
            tables: ClassVar[Mapping[str, str]] = {"applied_later": "position INTEGER PRIMARY KEY"}

            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                cursor.executemany(
                    "INSERT INTO applied_later VALUES (?)", [(entry.position,) for entry in entries]
                )

        journal.create("Account", {})
        Applied(journal).catch_up()
        later = Later(journal)

        with later.reading() as cursor:
            cursor.execute("SELECT position FROM applied_later")
            rows = cursor.fetchall()
            cursor.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'applied%'")
            tables = cursor.fetchall()

        assert rows == [(1,)]
        assert tables == [("applied_later",)]

    def test_table_with_other_columns_is_built_anew(self, journal: Journal) -> None:
        """Where a definition has changed and nobody thought of the version, it is seen."""

        class Wider(Applied):
            tables: ClassVar[Mapping[str, str]] = {
                "applied": "position INTEGER PRIMARY KEY, times INTEGER NOT NULL, note TEXT"
            }

            def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
                for entry in entries:
                    cursor.execute("INSERT INTO applied VALUES (?, 1, 'x')", (entry.position,))

        journal.create("Account", {})
        Applied(journal).catch_up()

        assert Wider(journal).rows() == [(1, 1)]

    @pytest.mark.parametrize(
        ("position", "hash_"),
        [(1, b"of another log"), (7, b"of a longer log"), (2, b"")],
    )
    def test_checkpoint_of_another_log_is_noticed(
        self, journal: Journal, position: int, hash_: bytes
    ) -> None:
        """A view that is not of this log, as a restored file may have, is built anew."""
        journal.create("Account", {})
        journal.create("Account", {})
        Applied(journal).catch_up()
        with journal.log.views.write() as cursor:
            cursor.execute("UPDATE applied SET times = 9")
            cursor.execute("UPDATE view_checkpoints SET position = ?, hash = ?", (position, hash_))

        rows = Applied(journal).rows()

        assert rows == [(1, 1), (2, 1)]

    def test_reader_of_a_view_that_is_being_built_helps(self, journal: Journal) -> None:
        """A rebuild that died half-way is carried on by the next reader, who sees all of it."""
        for _ in range(4):
            journal.create("Account", {})

        def die(done: int, _total: int) -> None:
            if done == 2:
                raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(projections, "PAGE", 1)
            patch.setattr(projections, "BATCH", 1)
            with suppress(KeyboardInterrupt):
                Applied(journal).rebuild(die)
        reader = Applied(journal)
        assert reader.checkpoint() == 2

        assert reader.rows() == [(1, 1), (2, 1), (3, 1), (4, 1)]

    def test_rebuild_forgets_what_was_written_by_hand(self, journal: Journal) -> None:
        """A rebuild gives the rows that follow from the log, and no others."""
        journal.create("Account", {})
        applied = Applied(journal)
        digest = applied.digest()
        with journal.log.views.write() as cursor:
            cursor.execute("INSERT INTO applied VALUES (99, 99)")
        assert applied.digest() != digest

        assert applied.rebuild() == 1

        assert applied.digest() == digest

    def test_other_views_stay(self, journal: Journal) -> None:
        """Rebuilding one view leaves the others alone."""
        journal.create("Account", {})
        applied, visits = Applied(journal), VisitsByStatus(journal)
        applied.catch_up()
        visits.catch_up()

        applied.rebuild()

        assert VisitsByStatus(journal).checkpoint() == 1


class TestDigest:
    """What a digest is of."""

    def test_is_of_rows_and_not_of_their_making(self, journal: Journal) -> None:
        """Rows that are equal digest alike, and rows that differ do not."""
        empty = Applied(journal).digest()
        journal.create("Account", {})
        one = Applied(journal).digest()

        with Journal() as other:
            other.create("Visit", {"Status": "open"}, id="1")
            assert Applied(other).digest() == one

        assert empty != one
        assert len(one) == 64

    def test_covers_every_table(self, journal: Journal) -> None:
        """A row more in any of the tables gives another digest."""
        account = journal.create("Account", {})
        records = Records(journal)
        digests = {records.digest()}
        for statement in (
            "UPDATE record_changes SET revision = 7",
            "UPDATE records SET receipt = 7",
        ):
            with journal.log.views.write() as cursor:
                cursor.execute(statement)
            digests.add(records.digest())

        assert len(digests) == 3
        assert records.get(Ref(account)).version == 1
