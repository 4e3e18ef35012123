"""The traps of the libraries below, and that we do not fall into them.

Numbers 3 and 10 are about PostgreSQL, for which there is no adapter yet.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from eventsourcing.application import Application

from journal import Journal, Ref
from journal.errors import UnknownEventError
from journal.events import RecordCreated
from journal.log import Factory, Log, open_recorder
from journal.log.chain import Unsealed
from journal.log.mapper import EntryMapper
from journal.values import same
from tests.contract import test_library

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """An empty journal on a file."""
    with Journal(path) as journal:
        yield journal


def positions(path: Path) -> list[int]:
    """Return the positions in the file, as SQLite has them."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT position FROM entries ORDER BY 1")]


class TestTraps:
    """One for each trap that has been found in eventsourcing 9.5.6 on SQLite."""

    def test_1_subscription_works_on_sqlite(self, journal: Journal) -> None:
        """The library's recorder for SQLite refuses to be subscribed to; ours does not."""
        journal.create("Account", {}, id="1")

        with journal.log._recorder.subscribe() as subscription:
            assert next(subscription).originator_id == "Account:1"
            journal.create("Account", {}, id="2")
            assert next(subscription).originator_id == "Account:2"

    @pytest.mark.parametrize(
        "value",
        [
            {"_type_": "tuple_as_list", "_data_": []},
            {"_type_": "uuid_hex", "_data_": "x"},
            {"_type_": 1, "_data_": {"_type_": None, "_data_": [1]}},
        ],
    )
    def test_2_data_that_looks_like_a_mark_survives(
        self, journal: Journal, value: dict[str, Any]
    ) -> None:
        """Fields that hold what the library's transcoder marks with are data like any other."""
        ref = journal.create("Account", {**value, "Nested": [value]})

        (entry,) = journal.log.stream(ref)

        assert isinstance(entry.event, RecordCreated)
        assert same(entry.event.fields, {**value, "Nested": [value]})
        assert journal.log.verify().is_intact

    @pytest.mark.parametrize("by", ["journal", "library"])
    def test_4_environment_changes_nothing(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, by: str
    ) -> None:
        """Variables of the host's process change neither what is stored nor where."""
        for name, value in {
            "PERSISTENCE_MODULE": "eventsourcing.popo",
            "COMPRESSOR_TOPIC": "eventsourcing.compressor:ZlibCompressor",
            "CIPHER_TOPIC": "eventsourcing.cipher:AESCipher",
            "CIPHER_KEY": "x" * 32,
            "TRANSCODER_TOPIC": "no.such:Transcoder",
            "MAPPER_TOPIC": "no.such:Mapper",
            "SQLITE_DBNAME": str(path.with_name("elsewhere.db")),
            "SQLITE_LOCK_TIMEOUT": "0",
            "IS_SNAPSHOTTING_ENABLED": "yes",
            "APPLICATION_NAME": "Other",
        }.items():
            monkeypatch.setenv(name, value)
            monkeypatch.setenv(f"JOURNAL_{name}", value)

        with Journal(path) as journal:
            ref = journal.create("Account", {"Name": "Acme"})
            if by == "library":
                store: Any = Factory(journal.log._recorder).event_store()
                assert [new.event for new in store.get(ref)] == [
                    RecordCreated(fields={"Name": "Acme"})
                ]

        with closing(sqlite3.connect(path)) as connection:
            (data,) = connection.execute("SELECT data FROM entries").fetchone()
        assert data == b'{"fields":{"Name":"Acme"}}'
        assert sorted(file.name for file in path.parent.iterdir()) == ["field.db", "field.db-lock"]

    def test_4_is_a_trap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library itself does read the environment: this is what we keep away from."""
        monkeypatch.setenv("COMPRESSOR_TOPIC", "eventsourcing.compressor:ZlibCompressor")

        with Application[str]() as application:
            assert "COMPRESSOR_TOPIC" in application.env

    def test_5_position_is_not_used_again(self, journal: Journal, path: Path) -> None:
        """The position of the newest row is not given out again when that row is deleted."""
        for name in ("1", "2", "3"):
            journal.create("Account", {}, id=name)
        journal.close()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("DROP TRIGGER entries_are_never_deleted")
            connection.execute("DELETE FROM entries WHERE position = 3")
            names = "event_id, stream, event_type, actor, origin, data, previous_hash, hash"
            numbers = "batch, version, schema_version, occurred_at, clock_adjusted"
            connection.execute(
                f"INSERT INTO entries ({names}, {numbers}) "  # noqa: S608
                "VALUES ('e', 'A:9', 'X', '', '', x'', x'', x'', 4, 1, 1, 1, 0)"
            )

        assert positions(path) == [1, 2, 4]

    @pytest.mark.parametrize("how", ["vacuum", "dump", "backup"])
    def test_5_position_is_kept_by_maintenance(
        self, journal: Journal, path: Path, how: str
    ) -> None:
        """VACUUM, dump and restore, and a backup keep positions, chain and the next position."""
        for name in ("1", "2", "3"):
            journal.create("Account", {}, id=name)
        journal.close()
        copy = path.with_name("copy.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            if how == "vacuum":
                connection.execute("VACUUM")
                copy = path
            else:
                with closing(sqlite3.connect(copy, isolation_level=None)) as target:
                    if how == "backup":
                        connection.backup(target)
                    else:
                        target.executescript("".join(connection.iterdump()))
                        for pragma in ("application_id", "user_version"):
                            value = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
                            target.execute(f"PRAGMA {pragma} = {value}")

        with Journal(copy) as restored:
            restored.create("Account", {}, id="4")
            assert restored.log.verify().problems == ()
        assert positions(copy) == [1, 2, 3, 4]

    def test_6_read_then_write_waits_its_turn(self, path: Path) -> None:
        """Two connections that read and then write both succeed, one after the other."""
        ready = Barrier(2)

        def change(name: str) -> None:
            with Journal(path) as journal:
                ready.wait(30)
                for n in range(30):
                    journal.load(ref)
                    journal.update(ref, {name: n})

        with Journal(path) as first:
            ref = first.create("Counter", {})
            with ThreadPoolExecutor(2) as threads:
                list(threads.map(change, "ab"))

            assert first.load(ref).fields == {"a": 29, "b": 29}
            assert first.log.head() == 61

    def test_7_memory_is_one_for_all_threads(self) -> None:
        """A journal in memory is the same one in every thread, its views too."""
        with Journal() as journal, ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda n: journal.create("Account", {}, id=str(n)), range(20)))
            with journal.log.views.write() as cursor:
                cursor.execute("CREATE TABLE seen (position INTEGER)")

            def count(_: int) -> tuple[int, int]:
                with journal.log.views.read() as cursor:
                    cursor.execute("SELECT count(*) FROM seen")
                    return journal.log.head(), cursor.fetchone()[0]

            assert set(threads.map(count, range(8))) == {(20, 0)}

    def test_8_event_is_not_an_alias(self, journal: Journal) -> None:
        """What a caller does to its own objects afterwards reaches no event, nor what is folded."""
        tags = ["a"]
        fields = {"Tags": tags}
        ref = journal.create("Account", fields)

        tags.append("b")
        fields["Tags"] = []

        assert journal.load(ref).fields == {"Tags": ["a"]}
        assert journal.log.stream(ref)[0].event == RecordCreated(fields={"Tags": ["a"]})

    def test_9_stored_type_is_not_imported(self, path: Path, tmp_path: Path) -> None:
        """A row that names a module does not load it, whoever wrote it."""
        (tmp_path / "hostile.py").write_text("raise SystemExit('imported')")
        recorder = open_recorder(path, lambda: "j1")
        log = Log(recorder)
        recorder.append(
            [
                Unsealed(
                    "e1", "A:1", 1, "hostile:Event", 1, 5, "a", "o", None, None, None, None, b"{}"
                )
            ]
        )
        sys.path.insert(0, str(tmp_path))
        try:
            with pytest.raises(UnknownEventError, match="'hostile:Event'"):
                log.read()
            store: Any = Factory(recorder).event_store()
            with pytest.raises(UnknownEventError):
                list(store.get("A:1"))
        finally:
            sys.path.remove(str(tmp_path))
            log.close()
        assert "hostile" not in sys.modules

    def test_11_version_of_the_library_is_bounded(self) -> None:
        """The next major version, whose schema and names are others, is not taken by itself."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())

        assert "eventsourcing>=9.5.6,<10" in project["project"]["dependencies"]

    def test_11_ids_are_text(self, journal: Journal) -> None:
        """Streams are named by text, as the next major version has it."""
        journal.create("Account", {}, id="1")

        (notification,) = journal.log._recorder.select_notifications(None, 10)

        assert type(str(notification.originator_id)) is str
        assert notification.originator_id == Ref("Account:1")

    def test_12_suites_of_the_library_are_run(self) -> None:
        """The suites that ship with the library are run against both recorders."""
        suites = test_library.suites

        assert issubclass(test_library.TestSQLiteRecorder, suites.ApplicationRecorderTestCase)
        assert issubclass(test_library.TestMemoryRecorder, suites.ApplicationRecorderTestCase)

    def test_13_import_is_lazy(self) -> None:
        """Importing the package loads neither of the libraries below; asking for a name does."""
        script = (
            "import sys, journal\n"
            "heavy = {'eventsourcing', 'pydantic', 'httpx', 'sqlite3'}\n"
            "print(sorted(heavy & set(sys.modules)))\n"
            "journal.Journal\n"
            "print(sorted(heavy & set(sys.modules)))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

        assert done.stdout.splitlines() == ["[]", "['eventsourcing', 'pydantic', 'sqlite3']"]

    def test_mapper_is_ours_whatever_is_asked_for(self, journal: Journal) -> None:
        """No compressor and no cipher is put between an event and its bytes."""
        factory = Factory(journal.log._recorder)

        assert type(factory.mapper("transcoder", "mapper_topic")) is EntryMapper
