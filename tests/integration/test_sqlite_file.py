"""The SQLite file: how it is made, locked, lost, filled and closed."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, suppress
from errno import ENOSPC
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref
from journal.errors import (
    InvalidNameError,
    JournalError,
    LogBusyError,
    LogClosedError,
    LogCorruptError,
    LogError,
    LogFullError,
    LogMissingError,
    LogUnavailableError,
    ViewError,
    WrongFileError,
)
from journal.log.database import Database, has_wal_reset_bug
from journal.log.failures import translate
from journal.log.filelock import FileLock
from journal.log.place import unopened
from journal.remotes import HttpRemote, Profile
from projections import Records
from tests.integration.crashing import child, working
from tests.integration.interrupting import interrupted_at
from tests.unit.scripted import Script, shows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.workload import Tell


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """A journal of one record."""
    with Journal(path) as journal:
        journal.create("Account", {"Name": "Acme"}, id="1")
        yield journal


def database(journal: Journal) -> Any:  # noqa: ANN401  the adapter's inside
    """Return the file of a journal."""
    return journal.log._recorder._database  # type: ignore[attr-defined]


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def open_descriptors() -> int:
    """Return how many files this process holds open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def bound(path: Path) -> None:
    """Leave a socket at the path."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


class TestOpening:
    """What a journal's file is, and what is refused."""

    def test_is_for_its_user_alone(self, journal: Journal, path: Path) -> None:
        """The file and all files beside it can be read by nobody else, whatever the umask."""
        journal.create("Account", {})
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

        assert modes == dict.fromkeys(
            ["field.db", "field.db-wal", "field.db-shm", "field.db-lock"], 0o600
        )

    def test_is_what_it_promises(self, journal: Journal) -> None:
        """The connections have the settings on which the promises stand."""
        file = database(journal)

        def setting(connection: sqlite3.Connection, name: str) -> object:
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        with file.read() as reader:
            for connection, synchronous in (
                (file._appender, 2),
                (file._viewer(""), 1),
                (reader, 1),
            ):
                assert setting(connection, "journal_mode") == "wal"
                assert setting(connection, "synchronous") == synchronous
                assert setting(connection, "trusted_schema") == 0
                assert setting(connection, "cell_size_check") == 1
                assert setting(connection, "mmap_size") in {0, None}
        assert setting(file._appender, "application_id") == 0x444A524E
        assert setting(file._appender, "user_version") == 1

    def test_durability_may_be_normal(self, path: Path) -> None:
        """A host may choose changes that survive the death of the process only."""
        with Journal(path, durability="normal") as journal:
            appender = database(journal)._appender
            assert appender.execute("PRAGMA synchronous").fetchone()[0] == 1

    def test_what_is_sent_is_durable_whatever_the_durability(self, path: Path) -> None:
        """D5: a sender's append waits for the disk, with all before it; the next one need not."""
        with Journal(path, durability="normal") as journal:
            appender = database(journal)._appender
            waits: list[int] = []

            def look(_: object = None) -> None:
                waits.append(appender.execute("PRAGMA synchronous").fetchone()[0])

            remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
            made = [shows({"n": n}, f'"{n}"', 201) for n in (1, 2)]
            journal.create("Note", {"n": 1})
            journal.create("Note", {"n": 2})
            look()
            Script(journal, remote).drain(*made, at=look)
            look()
            journal.create("Note", {"n": 3})
            look()
            with journal.batch():
                journal.create("Note", {"n": 4})
                journal.create("Note", {"n": 5})
            look()

        assert waits == [1, 2, 2, 2, 1, 1]

    @pytest.mark.parametrize("durability", ["off", "fulll", "FULL", "", None, "full; PRAGMA x"])
    @pytest.mark.parametrize("name", ["field.db", ":memory:"])
    def test_other_durability_is_refused(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        durability: Any,  # noqa: ANN401
    ) -> None:
        """What is neither full nor normal is refused, before there is a file."""
        monkeypatch.chdir(tmp_path)

        with pytest.raises(InvalidNameError, match=r"durability .* not allowed; use full or"):
            Journal(name, durability=durability)
        assert not list(tmp_path.iterdir())

    def test_opens_again(self, journal: Journal, path: Path) -> None:
        """What was stored is there when the journal is opened again, under the same id."""
        journal_id = journal.log.journal_id
        journal.close()

        with Journal(path) as again:
            assert again.log.journal_id == journal_id
            assert again.load(Ref("Account:1")).fields == {"Name": "Acme"}

    def test_link_is_refused(self, journal: Journal, path: Path) -> None:
        """A symbolic link is refused, which somebody else may have put there."""
        journal.close()
        link = path.with_name("link.db")
        link.symlink_to(path)

        with pytest.raises(WrongFileError, match="is a symbolic link; name the file"):
            Journal(link)

    def test_link_in_place_of_the_lock_is_refused(self, path: Path) -> None:
        """The lock beside the file is no symbolic link either."""
        path.with_name("field.db-lock").symlink_to(path.with_name("victim"))

        with pytest.raises(LogUnavailableError, match=r"field\.db-lock"):
            Journal(path)
        assert not path.with_name("victim").exists()

    def test_folder_that_is_open_to_all_is_refused(self, tmp_path: Path) -> None:
        """A folder in which anybody may replace files is refused, but not one like /tmp."""
        folder = tmp_path / "open"
        folder.mkdir()
        folder.chmod(0o777)

        with pytest.raises(WrongFileError, match="chmod o-w"):
            Journal(folder / "field.db")
        folder.chmod(0o1777)
        Journal(folder / "field.db").close()

    @pytest.mark.parametrize("content", [b"hello" * 1000, b"SQLite format 3\0" + b"x" * 4080])
    def test_other_file_is_refused(self, path: Path, content: bytes) -> None:
        """A file that is no SQLite file is refused, and left as it is."""
        path.write_bytes(content)
        before = open_descriptors()

        with pytest.raises((WrongFileError, LogCorruptError)):
            Journal(path)

        assert path.read_bytes() == content
        assert [file.name for file in path.parent.iterdir()] == ["field.db"]
        assert open_descriptors() == before

    @pytest.mark.parametrize("mode", ["delete", "wal"])
    def test_file_of_another_application_is_refused(self, path: Path, mode: str) -> None:
        """Another application's SQLite file is refused, and left as it is."""
        with closing(sqlite3.connect(path)) as foreign:
            foreign.execute(f"PRAGMA journal_mode={mode}")
            foreign.execute("CREATE TABLE accounts (name TEXT)")
        content = path.read_bytes()
        before = open_descriptors()

        with pytest.raises(WrongFileError, match="another application; name another file"):
            Journal(path)

        assert path.read_bytes() == content
        assert [file.name for file in path.parent.iterdir()] == ["field.db"]
        assert open_descriptors() == before

    def test_file_that_another_application_has_open_is_refused(self, path: Path) -> None:
        """Another application's file is refused also where all of it is still in its WAL."""
        with closing(sqlite3.connect(path)) as foreign:
            foreign.execute("PRAGMA journal_mode=WAL")
            foreign.execute("CREATE TABLE accounts (name TEXT)")
            files = sorted(path.parent.iterdir())

            with pytest.raises(WrongFileError, match="another application"):
                Journal(path)

            assert sorted(path.parent.iterdir()) == files
            assert foreign.execute("SELECT count(*) FROM accounts").fetchone() == (0,)

    @pytest.mark.parametrize(
        ("make", "kind"),
        [
            (lambda path: path.mkdir(), "a folder"),
            (os.mkfifo, "a named pipe"),
            (bound, "a socket"),
        ],
    )
    def test_what_is_no_file_is_refused(
        self, path: Path, make: Callable[[Path], object], kind: str
    ) -> None:
        """What cannot hold a journal is refused at once, by what it is, and left alone."""
        make(path)

        for create in (True, False):
            with pytest.raises(WrongFileError, match=f"is {kind}: it cannot hold a journal"):
                Journal(path, create=create)

        assert list(path.parent.iterdir()) == [path]

    def test_device_is_refused(self) -> None:
        """A device is refused."""
        with pytest.raises(WrongFileError, match="/dev/null is a device"):
            Journal("/dev/null")

    @pytest.mark.parametrize("given", [5, None, b"field.db", 1.5])
    def test_what_is_no_path_is_refused(self, given: Any) -> None:  # noqa: ANN401
        """What is no path is an error of ours."""
        with pytest.raises(WrongFileError, match="a journal's path is a text or a Path, not"):
            Journal(given)

    @pytest.mark.parametrize("content", [None, "", "sqlite"])
    def test_no_journal_is_made_where_none_is_to_be(self, path: Path, content: str | None) -> None:
        """With create=False, a file that is missing or empty is refused, and left as it is."""
        if content == "sqlite":
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA user_version = 0")
                connection.execute("VACUUM")
        elif content is not None:
            path.write_text(content)
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}

        with pytest.raises(LogMissingError, match=r"there is no journal at .*; check the name"):
            Journal(path, create=False)

        assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before

    def test_journal_that_is_there_is_opened(self, journal: Journal, path: Path) -> None:
        """With create=False, a journal is opened to read and write, as ever."""
        with Journal(path, create=False) as second:
            second.create("Account", {}, id="2")

        assert journal.log.head() == 2

    def test_journal_in_memory_is_always_new(self) -> None:
        """With create=False, there is no journal in memory."""
        with pytest.raises(LogMissingError):
            Journal(create=False)

    @pytest.mark.parametrize("version", [0, 2, 99])
    def test_other_format_is_refused(self, journal: Journal, path: Path, version: int) -> None:
        """A journal of another format is refused, before anything is written."""
        journal.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

        with pytest.raises(LogUnavailableError, match=f"format {version}.*; upgrade draft-journal"):
            Journal(path)

    @pytest.mark.parametrize("name", ["no/such/folder.db", "a\0b.db", "\ud800.db"])
    def test_impossible_path_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """A path at which there can be no file is an error of ours."""
        monkeypatch.chdir(tmp_path)

        with pytest.raises(LogUnavailableError, match="cannot be opened"):
            Journal(name)

    def test_old_sqlite_is_refused(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An SQLite without strict tables is refused, with the version that will do."""
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 9))

        with pytest.raises(WrongFileError, match=r"is too old; use a Python with SQLite 3\.38\.0"):
            Journal(path)
        assert not path.exists()

    def test_creators_at_once_make_one_journal(self, path: Path) -> None:
        """Of processes that open a new file at once, one makes it, and all use it."""
        script = (
            "import sys\n"
            "from journal import Journal\n"
            "with Journal(sys.argv[1]) as journal:\n"
            "    journal.create('Account', {})\n"
            "    print(journal.log.journal_id)\n"
        )
        command = [sys.executable, "-c", script, str(path)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        ids = {process.communicate(timeout=60)[0] for process in processes}

        with Journal(path) as journal:
            assert ids == {f"{journal.log.journal_id}\n"}
            assert journal.log.head() == 4
            assert journal.log.verify().is_intact

    @pytest.mark.parametrize(
        ("version", "has_bug"),
        [
            ((3, 6, 23), False),
            ((3, 7, 0), True),
            ((3, 40, 1), True),
            ((3, 51, 2), True),
            ((3, 51, 3), False),
            ((4, 0, 0), False),
        ],
    )
    def test_knows_versions_with_the_bug(self, version: tuple[int, ...], has_bug: bool) -> None:  # noqa: FBT001
        """The versions of SQLite with the WAL-reset bug are known."""
        assert has_wal_reset_bug(version) is has_bug


class TestLosing:
    """The file goes away, or the disk is full."""

    @pytest.mark.parametrize("loss", ["removed", "replaced"])
    def test_file_that_is_no_longer_there(self, journal: Journal, path: Path, loss: str) -> None:
        """D3: a change is not written into a file that is no longer at its path."""
        for file in path.parent.glob("field.db*"):
            if not file.name.endswith("-lock"):
                file.unlink()
        if loss == "replaced":
            Journal(path.with_name("other.db")).close()
            path.with_name("other.db").rename(path)

        for _ in range(2):
            with pytest.raises(LogUnavailableError, match="replaced or removed while it was open"):
                journal.create("Account", {})

    def test_full_disk(self, journal: Journal) -> None:
        """Where no space is left, nothing of the append is stored, and later ones work again."""
        appender = database(journal)._appender
        pages = appender.execute("PRAGMA page_count").fetchone()[0]
        appender.execute(f"PRAGMA max_page_count = {pages + 1}")

        def fill() -> None:
            with journal.batch():
                for _ in range(50):
                    journal.create("Account", {"Name": "x" * 1000})

        with pytest.raises(
            LogFullError, match=r"no space left on the disk of .*field\.db: nothing of this append"
        ):
            fill()
        assert journal.log.head() == 1
        appender.execute("PRAGMA max_page_count = 1000000")
        fill()

        assert journal.log.head() == 51
        assert journal.log.verify().is_intact

    def test_full_disk_under_a_read(self, journal: Journal) -> None:
        """Where views have no space to catch up, the read says so, and that the log is safe."""
        for _ in range(50):
            journal.create("Account", {"Name": "x" * 1000})
        viewer = database(journal)._viewer("records")
        pages = viewer.execute("PRAGMA page_count").fetchone()[0]
        viewer.execute(f"PRAGMA max_page_count = {pages + 1}")

        with pytest.raises(
            LogFullError,
            match=r"no space left on the disk of .*field\.db: the views could not be brought up to "
            "date, and the log itself is safe; free some space and try again",
        ):
            Records(journal).list("Account")
        assert journal.log.verify().is_intact
        journal.update("Account:1", {"Name": "y"})
        viewer.execute("PRAGMA max_page_count = 1000000")

        assert len(Records(journal).list("Account")) == 51

    def test_full_disk_at_opening(self, path: Path) -> None:
        """Where SQLite finds no space for the memory that connections share, the disk is full."""
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE

        assert str(translate(error, path)) == (
            f"no space left on the disk of {path}: the log itself is safe; "
            "free some space and try again"
        )
        assert isinstance(unopened(path, OSError(ENOSPC, "No space left")), LogFullError)

    def test_write_that_fails(self, path: Path) -> None:
        """D3: after an I/O error this object writes no more; opened anew, the file is sound."""
        script = (
            "import resource, sys\n"
            "from journal import Journal\n"
            "from journal.errors import LogError\n"
            "journal = Journal(sys.argv[1])\n"
            "journal.create('Account', {'Name': 'x' * 1000})\n"
            "limit = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))\n"
            "stored = 1\n"
            "try:\n"
            "    while True:\n"
            "        journal.create('Account', {'Name': 'x' * 1000})\n"
            "        stored += 1\n"
            "except LogError as error: print(stored, type(error).__name__)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, limit)\n"
            "try: print(journal.create('Account', {}))\n"
            "except LogError as error: print(type(error).__name__)\n"
        )

        lines = run(script, path).stdout.split()

        stored, first, second = int(lines[0]), lines[1], lines[2]
        assert (first, second) == ("LogUnavailableError", "LogUnavailableError")
        with Journal(path) as journal:
            assert journal.log.head() == stored
            assert journal.log.verify().is_intact

    def test_damaged_file(self, journal: Journal, path: Path) -> None:
        """Damage that SQLite finds is an error of ours, and ends all writing (D3)."""
        journal.close()
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        path.write_bytes(content)

        def use() -> None:
            with Journal(path) as damaged:
                damaged.create("Account", {})

        with pytest.raises(LogError):
            use()

    def test_every_code_is_translated(self, path: Path) -> None:
        """No exception of SQLite's leaves as it is, whatever its code."""
        for code in [None, *range(1, 29), 522, 778, 1032]:
            error = sqlite3.OperationalError("it rains")
            if code is not None:
                error.sqlite_errorcode = code

            assert isinstance(translate(error, path), LogError)
            assert translate(error, path).hint


class TestLocking:
    """One writer at a time, across processes."""

    def test_busy(self, path: Path) -> None:
        """D2: where another process holds the lock too long, the append is refused, then works."""
        holder = (
            "import fcntl, os, sys\n"
            "lock = os.open(sys.argv[1] + '-lock', os.O_RDWR)\n"
            "fcntl.flock(lock, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n"
        )
        with Journal(path, busy_timeout_s=0.05) as journal:
            process = subprocess.Popen(
                [sys.executable, "-c", holder, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            with process:
                assert process.stdout is not None
                assert process.stdout.readline() == "held\n"
                with pytest.raises(LogBusyError, match=r"more than 0\.05 s; look for a process"):
                    journal.create("Account", {})
                assert journal.log.head() == 0
                process.communicate("")

            journal.create("Account", {})
            assert journal.log.head() == 1

    def test_database_locked_by_a_stranger(self, journal: Journal, path: Path) -> None:
        """A process that locks the database itself makes an append wait, then refuse."""
        journal.close()
        with (
            Journal(path, busy_timeout_s=0.05) as patient,
            closing(sqlite3.connect(path, isolation_level=None)) as stranger,
        ):
            stranger.execute("BEGIN IMMEDIATE")
            with pytest.raises(LogBusyError, match="in use by another process"):
                patient.create("Account", {})
            stranger.execute("ROLLBACK")

            patient.create("Account", {})
            assert patient.log.head() == 2

    def test_reader_does_not_wait(self, path: Path) -> None:
        """Reading goes on while somebody else holds the lock."""
        with Journal(path, busy_timeout_s=0.05) as journal:
            journal.create("Account", {}, id="1")
            lock = FileLock(path.with_name("field.db-lock"), 0)
            lock.take()
            assert journal.log.head() == 1
            assert journal.load(Ref("Account:1")).version == 1
            with pytest.raises(LogBusyError):
                journal.create("Account", {})
            lock.release()
            lock.close()
            lock.close()

    def test_write_within_a_write_is_refused(self, journal: Journal) -> None:
        """A projection that writes to the journal while it is written to would wait for itself."""

        def nest() -> None:
            with journal.log.views.write():
                journal.create("Account", {})

        with pytest.raises(ViewError, match="from within a write to it"):
            nest()
        journal.create("Account", {})
        assert journal.log.head() == 2


FORKED = """
import os, sys
from journal import Journal
from journal.errors import LogClosedError
journal = Journal(sys.argv[1])
journal.create("Account", {})
child = os.fork()
if child == 0:
    code = 1
    try:
        journal.create("Account", {})
    except LogClosedError as error:
        try:
            journal.log.read()
        except LogClosedError as error:
            code = 7 if "before this process was forked; open the journal" in str(error) else 2
    journal.close()
    os._exit(code)
_, status = os.waitpid(child, 0)
journal.create("Account", {})
print(os.waitstatus_to_exitcode(status), journal.log.head(), journal.log.verify().is_intact)
"""


ABANDONED = """
import gc, os, sqlite3, sys
from journal import Journal
from journal.log import registry
from journal.log.filelock import FileLock
path = sys.argv[1]
before = len(os.listdir("/proc/self/fd"))
journal = Journal(path)
journal.create("Account", {})
lock = FileLock(journal.log._recorder._database._file_lock.path, 0)
lock.take()
del journal
gc.collect()
print(os.path.exists(path + "-wal"), len(registry._OPEN))
lock.release()
lock.close()
other = Journal(path)
del other
gc.collect()
print(os.path.exists(path + "-wal"), len(registry._OPEN))
print(len(os.listdir("/proc/self/fd")) - before)
last = Journal(path)
last.create("Account", {})
"""


class TestEnding:
    """Closing, forking, interrupting."""

    def test_journal_that_was_never_closed(self, path: Path) -> None:
        """D2: what is garbage is closed under the lock, without waiting; in the end, whatever is.

        A child of a fork may open the file then, and nothing stays open.
        """
        assert run(ABANDONED, path).stdout.splitlines() == ["True 1", "False 0", "0"]
        assert not path.with_name("field.db-wal").exists()
        with Journal(path) as journal:
            assert journal.log.head() == 2
            assert journal.log.verify().is_intact

    def test_lock_that_was_removed(self, journal: Journal, path: Path) -> None:
        """D2: a writer whose lock others cannot find does not write."""
        path.with_name("field.db-lock").unlink()
        with Journal(path) as other:
            for _ in range(2):
                with pytest.raises(LogUnavailableError, match=r"-lock was replaced .*; close the"):
                    journal.create("Account", {})
            other.create("Account", {}, id="2")
            assert other.log.verify().is_intact

    def test_child_of_a_fork_is_refused(self, path: Path) -> None:
        """A child that inherited the journal is refused, and does its parent no harm."""
        assert run(FORKED, path).stdout.split() == ["7", "2", "True"]

    def test_closed_journal_is_refused(self, journal: Journal) -> None:
        """A closed journal says so; closing it again is nothing."""
        journal.close()
        journal.close()

        uses: list[Callable[[], object]] = [
            lambda: journal.create("Account", {}),
            lambda: journal.load(Ref("Account:1")),
            journal.log.verify,
        ]
        for use in uses:
            with pytest.raises(LogClosedError, match="was closed; open the journal again"):
                use()

    def test_close_leaves_nothing_open(self, path: Path) -> None:
        """All connections and the lock are closed, and the log is back in its one file."""
        before = open_descriptors()
        with Journal(path) as journal:
            journal.create("Account", {})
            threads = [Thread(target=journal.log.read) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)

        assert open_descriptors() == before
        assert sorted(file.name for file in path.parent.iterdir()) == ["field.db", "field.db-lock"]

    def test_close_while_others_read(self, journal: Journal, path: Path) -> None:
        """A reader that is under way ends in peace, and its connection is closed behind it."""
        before = open_descriptors()
        journal.log.read()
        reading, closed = Event(), Event()
        found: list[int] = []

        def read() -> None:
            with database(journal).read() as connection:
                reading.set()
                closed.wait(30)
                found.extend(connection.execute("SELECT position FROM entries").fetchone())

        thread = Thread(target=read)
        thread.start()
        reading.wait(30)
        journal.close()
        closed.set()
        thread.join(30)

        assert found == [1]
        assert open_descriptors() < before
        assert not path.with_name("field.db-wal").exists()

    def test_write_that_waited_for_the_close(self, journal: Journal) -> None:
        """A write that another thread began before the close, and that waits, is refused."""
        file: Database = database(journal)
        waiting = Event()
        told: list[JournalError] = []

        def write() -> None:
            waiting.set()
            try:
                journal.create("Account", {})
            except JournalError as error:
                told.append(error)

        thread = Thread(target=write)
        with file._lock:
            thread.start()
            waiting.wait(30)
            file._is_closed = True
            file._close_last(*file._viewers.values(), file._appender)
        thread.join(30)

        assert [type(error) for error in told] == [LogClosedError]

    def test_interrupted_append_is_rolled_back(self, journal: Journal) -> None:
        """L2: whatever ends an append before its commit takes all of it back."""
        file: Database = database(journal)

        def append() -> None:
            with file.append() as connection:
                connection.execute("UPDATE sqlite_sequence SET seq = 9")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            append()

        assert journal.log.head() == 1
        journal.create("Account", {})
        assert journal.log.verify().is_intact


class TestInterrupts:
    """Ctrl-C at any line of an append."""

    @pytest.mark.parametrize("size", [1, 2])
    def test_at_every_line(self, path: Path, size: int) -> None:
        """L2: interrupted at any line, the log has all of an append or none, and goes on."""
        line = 0
        is_interrupted = True
        while is_interrupted:
            with Journal(path) as journal:
                append(journal, size)
                is_interrupted = interrupted_at(
                    line, "/journal/log/", partial(append, journal, size)
                )
                append(journal, size)
                batches = [entry.batch for entry in journal.log.scan()]
                head = journal.log.head()
            assert all(batches.count(batch) == size for batch in batches), line
            with Journal(path) as journal:
                assert journal.log.head() == head
            line += 1

        with Journal(path) as journal:
            assert journal.log.verify().is_intact
        assert line > 40

    def test_at_any_moment(self, path: Path) -> None:
        """A signal at whichever moment leaves no lock and no transaction behind.

        In a process of its own: what else runs in this one, such as what measures coverage, has
        locks that no signal may come in.
        """
        with child(working, interrupted_often, (str(path),)) as process:
            told = list(process.words())

            assert process.ended_by == 0
        assert int(told[0][0]) > 10
        with Journal(path) as journal:
            assert journal.log.verify().is_intact


def interrupted_often(path: str, tell: Tell) -> None:
    """Append again and again, with a signal at some moment of each; tell how many came."""
    is_armed = False
    count = 0

    def interrupt(*_: object) -> None:
        nonlocal is_armed, count
        if is_armed:
            is_armed = False
            count += 1
            raise KeyboardInterrupt

    dice = random.Random(8)  # noqa: S311  any moment will do
    signal.signal(signal.SIGALRM, interrupt)
    with Journal(path, durability="normal") as journal, Path(f"{path}-lock").open("rb+") as other:
        file = database(journal)
        account = journal.create("Account", {"n": 0})
        for n in range(1500):
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-6, 4e-4))
            with suppress(KeyboardInterrupt):
                is_armed = True
                append(journal, 2) if n % 3 else journal.update(account, {"n": n})
                is_armed = False

            assert not file._lock.locked()
            assert not file._appender.in_transaction
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(other, fcntl.LOCK_UN)
        signal.setitimer(signal.ITIMER_REAL, 0)
    tell(str(count))


def append(journal: Journal, size: int) -> None:
    """Append so many entries at once."""
    if size == 1:
        journal.create("Account", {})
        return
    with journal.batch():
        for _ in range(size):
            journal.create("Account", {})
