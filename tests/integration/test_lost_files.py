"""Files that were lost, moved, linked or left: nothing is taken for a new journal by mistake."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from shutil import copy
from typing import TYPE_CHECKING

import pytest

from journal import Journal, Ref
from journal.errors import (
    LogMissingError,
    LogUnavailableError,
    VersionConflictError,
    WrongFileError,
)

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, sys
from journal import Journal
journal = Journal(sys.argv[1])
for n in range(int(sys.argv[2])):
    journal.create("Account", {"n": n})
os._exit(9)
"""


def kill(path: Path, count: int = 100) -> None:
    """Let a process make so many records, and die without closing its journal."""
    command = [sys.executable, "-c", KILLED, str(path), str(count)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9


def content(path: Path) -> dict[str, bytes]:
    """Return what is in the folder of the file, locks aside."""
    return {
        file.name: file.read_bytes()
        for file in path.parent.iterdir()
        if not file.name.endswith("-lock")
    }


class TestCreation:
    """D4: a journal's file is marked from the first moment on."""

    @pytest.mark.parametrize("count", [0, 1])
    def test_file_by_itself_is_a_journal(self, path: Path, tmp_path: Path, count: int) -> None:
        """While it is open, the file without those beside it is the journal, if an older one."""
        with Journal(path) as journal:
            for _ in range(count):
                journal.create("Account", {})
            copy(path, tmp_path / "copy.db")
            with Journal(tmp_path / "copy.db", create=False) as copied:
                assert copied.log.journal_id == journal.log.journal_id
                assert copied.log.verify().is_intact

    def test_creation_that_was_cut_short_is_begun_anew(self, path: Path) -> None:
        """What a process left that died while it made the journal is no journal, and no harm."""
        script = (
            "import os, sys\n"
            "from journal.log.database import Database\n"
            "def fill(connection):\n"
            "    connection.execute('PRAGMA cache_size = 1')\n"
            "    connection.execute('CREATE TABLE a (b)')\n"
            "    connection.execute('INSERT INTO a VALUES (zeroblob(100000))')\n"
            "    os._exit(9)\n"
            "Database(sys.argv[1], fill)\n"
        )
        command = [sys.executable, "-c", script, str(path)]
        assert subprocess.run(command, check=False, timeout=60).returncode == 9
        assert path.with_name("field.db-journal").exists()

        with pytest.raises(LogMissingError):
            Journal(path, create=False)
        with Journal(path) as journal:
            journal.create("Account", {})
            assert journal.log.verify().is_intact


class TestMoving:
    """A file that lost its WAL."""

    @pytest.mark.parametrize("create", [True, False])
    def test_file_moved_without_its_wal_is_refused(self, path: Path, create: bool) -> None:  # noqa: FBT001
        """After a crash the newest entries are in the WAL: moved without, the file is refused."""
        kill(path)
        other = path.with_name("other.db")
        path.rename(other)
        before = content(path)

        with pytest.raises(
            LogUnavailableError, match=r"was moved without field.db-wal, .*; rename field.db-wal to"
        ):
            Journal(other, create=create)

        assert content(path) == before
        path.with_name("field.db-wal").rename(path.with_name("other.db-wal"))
        with Journal(other) as journal:
            assert journal.log.head() == 100
            assert journal.log.verify().is_intact

    def test_what_was_moved_to_the_wal_later_is_known_too(self, path: Path) -> None:
        """It is known by the last entry in the file, too, however large the WAL is."""
        with Journal(path) as journal:
            journal.create("Account", {})
        kill(path, 3)
        wal = path.with_name("field.db-wal")
        wal.write_bytes(bytes((1 << 20) - wal.stat().st_size // 2) + wal.read_bytes())
        path.rename(path.with_name("other.db"))

        with pytest.raises(LogUnavailableError, match=r"moved without field.db-wal"):
            Journal(path.with_name("other.db"))

    def test_wal_of_a_stranger_is_no_sign(self, path: Path) -> None:
        """Files beside it that end alike, and have nothing to do with the journal, are no sign."""
        path.with_name("a-wal").write_bytes(b"x" * 100)
        path.with_name("b-wal").mkdir()
        for n in range(2):
            with Journal(path) as journal:
                journal.create("Account", {})
                assert journal.log.head() == n + 1

    def test_wal_that_was_removed_after_a_crash_is_missed(self, path: Path) -> None:
        """Where the WAL is gone and its index is there, entries may be missing: it is said."""
        kill(path)
        path.with_name("field.db-wal").unlink()

        with pytest.raises(LogUnavailableError, match=r"remove field.db-shm, if it is left of"):
            Journal(path)
        path.with_name("field.db-shm").unlink()
        with Journal(path) as journal:
            assert journal.log.verify().is_intact

    @pytest.mark.parametrize("create", [True, False])
    @pytest.mark.parametrize("left", [None, b""])
    def test_wal_without_its_file_is_kept(
        self,
        path: Path,
        left: bytes | None,
        create: bool,  # noqa: FBT001
    ) -> None:
        """No journal is made where the entries of an old one are: SQLite would delete them."""
        kill(path)
        aside = path.rename(path.with_name("aside"))
        if left is not None:
            path.write_bytes(left)
        before = content(path)

        with pytest.raises(LogUnavailableError, match=r"field.db-wal beside it holds entries of a"):
            Journal(path, create=create)

        assert content(path) == before
        aside.rename(path)
        with Journal(path) as journal:
            assert journal.log.head() == 100

    @pytest.mark.parametrize("create", [True, False])
    def test_file_that_was_emptied_is_refused(self, path: Path, create: bool) -> None:  # noqa: FBT001
        """An SQLite file without tables that was in WAL mode has lost what was in it."""
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA journal_mode=WAL")
        before = content(path)
        assert len(before["field.db"]) == 4096

        with pytest.raises(LogUnavailableError, match=r"put that file beside it as field.db-wal"):
            Journal(path, create=create)

        assert content(path) == before


class TestLosingTheWal:
    """The WAL goes away under an open journal."""

    @pytest.mark.parametrize("loss", ["removed", "replaced"])
    def test_nothing_more_is_acknowledged(self, path: Path, loss: str) -> None:
        """D3: an append that would go into a file without a name is refused; closing saves all."""
        wal = path.with_name("field.db-wal")
        with Journal(path) as journal:
            journal.create("Account", {}, id="1")
            wal.rename(wal.with_name("gone"))
            if loss == "replaced":
                wal.touch()
            for _ in range(2):
                with pytest.raises(LogUnavailableError, match=r"-wal was replaced .*; close the"):
                    journal.create("Account", {})
            assert "-wal was replaced or removed" in journal.log.verify().problems[0].text
        if loss == "removed":
            with Journal(path) as again:
                assert again.load(Ref("Account:1")).version == 1
                assert again.log.verify().is_intact


class TestSettled:
    """What the time of the folder tells, which is all that an append looks at."""

    @pytest.mark.parametrize("end", ["", "-wal", "-lock"])
    def test_loss_is_noticed_in_a_folder_that_was_quiet(self, path: Path, end: str) -> None:
        """D3: a file that goes away changes the folder, however long nothing else did."""
        with Journal(path) as journal:
            os.utime(path.parent, (1_000_000_000, 1_000_000_000))
            for _ in range(3):
                journal.create("Account", {})
            file = journal.log._recorder._database  # type: ignore[attr-defined]
            assert file._settled_at == 1_000_000_000 * 10**9
            path.with_name(f"field.db{end}").rename(path.with_name("gone"))

            with pytest.raises(LogUnavailableError, match=r"removed while"):
                journal.create("Account", {})

    def test_folder_that_is_not_quiet_is_looked_into(self, path: Path) -> None:
        """Where the folder changed just now, the next change may be at the same time."""
        with Journal(path) as journal:
            journal.create("Account", {})
            journal.create("Account", {})
            assert not journal.log._recorder._database._settled_at  # type: ignore[attr-defined]
            before = path.parent.stat()
            path.with_name("field.db-wal").rename(path.with_name("gone"))
            os.utime(path.parent, ns=(before.st_atime_ns, before.st_mtime_ns))

            with pytest.raises(LogUnavailableError, match=r"removed while"):
                journal.create("Account", {})


class TestLinks:
    """One file under two names."""

    def test_hard_link_is_refused(self, path: Path) -> None:
        """A file with two names would have two WALs, so it is refused until it has one name."""
        other = path.with_name("other.db")
        with Journal(path) as journal:
            os.link(path, other)
            with pytest.raises(WrongFileError, match=r"has 2 names, .*; remove the other names"):
                Journal(other)
            journal.create("Account", {})
        for name in (path, other):
            for create in (True, False):
                with pytest.raises(WrongFileError, match=r"is a hard link"):
                    Journal(name, create=create)
        other.unlink()

        with Journal(path) as journal:
            assert journal.log.head() == 1


class TestRestoringIntoAnOpenFile:
    """An older copy is put into the file, by SQLite itself, while a journal is open on it."""

    @staticmethod
    def copied(source: Path, target: Path) -> None:
        """Copy what is in one file into another, whoever has it open."""
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)

    def rewound(self, path: Path) -> Journal:
        """Return an open journal that saw four updates of two records, which are gone."""
        copy = path.with_name("copy.db")
        journal = Journal(path)
        for record_id in "12":
            journal.create("A", {"n": 0}, id=record_id)
        self.copied(path, copy)
        for n in range(1, 5):
            for record_id in "12":
                journal.update(f"A:{record_id}", {"n": n})
        self.copied(copy, path)
        return journal

    def test_what_was_seen_before_is_forgotten(self, path: Path) -> None:
        """No version is left out: a change follows what is there, not what was there once."""
        with self.rewound(path) as journal:
            journal.update("A:1", {"n": 7})
            journal.update("A:2", {"n": 8})
            assert [journal.load(Ref(f"A:{n}")).version for n in (1, 2)] == [2, 2]
            assert [entry.event.model_dump()["base"] for entry in journal.log.scan(2)] == [
                {"n": 0},
                {"n": 0},
            ]
            assert journal.log.verify().is_intact

    def test_batch_follows_what_is_there(self, path: Path) -> None:
        """The same of several changes at once."""
        with self.rewound(path) as journal:
            with journal.batch():
                journal.update("A:1", {"n": 7})
                journal.update("A:2", {"n": 8})
            assert journal.log.verify() == journal.log.verify()
            assert journal.log.verify().is_intact

    def test_version_that_was_seen_is_gone(self, path: Path) -> None:
        """A caller who names the version that it saw is told that it is gone."""
        with self.rewound(path) as journal:
            with pytest.raises(VersionConflictError, match=r"expected at version 5 and is at"):
                journal.update("A:1", {"n": 7}, expected_version=5)
            assert journal.log.head() == 2

    def test_value_that_was_there_once_is_set_again(self, path: Path) -> None:
        """A change that was nothing new in the log that was lost is stored in this one."""
        with self.rewound(path) as journal:
            assert journal.update("A:1", {"n": 4})
            assert journal.load("A:1").fields == {"n": 4}

    def test_records_that_were_only_read(self, path: Path) -> None:
        """What another process wrote, and this one has only read, is forgotten just so."""
        with self.rewound(path) as journal:
            with Journal(path) as other:
                for n in range(10, 13):
                    other.update("A:1", {"n": n})
            with Journal(path) as reader:
                assert reader.load("A:1").version == 4
                self.copied(path.with_name("copy.db"), path)
                reader.update("A:1", {"n": 9})
                assert reader.log.verify().is_intact
            journal.update("A:2", {"n": 9})
            assert journal.log.verify().is_intact
