"""A journal that may only be read, by somebody who may not write to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.errors import LogUnavailableError
from journal.log.readonly import ReadOnly
from projections import Drafts, History, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ = """
import os, sys
from journal import Journal
from journal.errors import JournalError
from journal.cli.program import run
from projections import Drafts, Records


def tried(path, **options):
    try:
        with Journal(path, **options) as journal:
            print(journal.log.verify().is_intact, journal.log.head(), journal.load("A:1").fields)
            print(len(Records(journal).list("A")), len(Drafts(journal).pending()))
            journal.create("A", {})
    except JournalError as error:
        print(type(error).__name__, error)


def all_of_it(path):
    tried(path, create=False)
    tried(path)
    for command in (["verify"], ["log"], ["export"], ["list", "A"], ["drafts"], ["queue"]):
        code = run(["--journal", path, *command])
        print(*command, code, flush=True)


all_of_it(sys.argv[1] + "-imported")  # nobody may not even read the modules
print("as nobody", flush=True)
if os.getuid() == 0:
    os.setuid(65534)
all_of_it(sys.argv[1])
"""


@pytest.fixture
def path() -> Iterator[Path]:
    """A journal of two records, closed, in a folder of its own that everybody may look into."""
    above = Path(mkdtemp())
    folder = above / "theirs"
    folder.mkdir()
    path = folder / "field.db"
    with Journal(path, actor="ann") as journal:
        journal.create("A", {"n": 1}, id="1")
        journal.create("A", {"n": 2}, id="2")
    for each in (folder, above):
        each.chmod(0o755)
    yield path
    folder.chmod(0o755)
    rmtree(above)


def read(path: Path) -> str:
    """Read the journal as somebody who owns nothing of it; return what was printed."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=path.parent,
    )
    assert done.returncode == 0, done.stderr
    for file in path.parent.glob("*-imported*"):
        file.unlink()
    return done.stdout.partition("as nobody\n")[2]


def lines(path: Path) -> list[str]:
    """Return what was printed first."""
    return read(path).splitlines()[:4]


def expected(path: Path) -> list[str]:
    """Return what is printed where all can be read."""
    return [
        "True 2 {'n': 1}",
        "2 2",
        (
            f"LogUnavailableError {path} may only be read; check the permissions of the file, of "
            "its folder and of what is beside it"
        ),
        (
            f"LogUnavailableError {path} may only be read; check the permissions of the file, of "
            "its folder and of what is beside it; opened with create=False, it can be read"
        ),
    ]


class TestReading:
    """What may be read is read, and nothing is made beside it."""

    @pytest.mark.parametrize("mode", [0o755, 0o1777])
    def test_file_of_somebody_else(self, path: Path, mode: int) -> None:
        """Log and views are read, in a folder of others or in one where we could make files."""
        path.chmod(0o444)
        path.with_name("field.db-lock").chmod(0o444)
        path.parent.chmod(mode)
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}

        found = read(path)

        assert found.splitlines()[:4] == expected(path)
        for command in ("verify", "log", "export", "list A", "drafts", "queue"):
            assert f"{command} 0\n" in found
        assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before

    def test_file_that_is_being_written_to(self, path: Path) -> None:
        """Beside a writer, what it has stored is read."""
        with Journal(path) as journal:
            journal.update("A:1", {"n": 3})
            for file in path.parent.iterdir():
                file.chmod(0o444)

            assert lines(path)[0] == "True 3 {'n': 3}"
            journal.create("A", {})
            assert lines(path)[0] == "True 4 {'n': 3}"

    def test_file_whose_newest_entries_cannot_be_read(self, path: Path) -> None:
        """Where entries are in a WAL without its index, that is said, with what to do."""
        with Journal(path) as journal:
            journal.create("A", {})
            for file in path.parent.iterdir():
                file.chmod(0o444)
            path.with_name("field.db-shm").rename(path.parent.parent / "shm")

            assert lines(path)[0] == (
                f"LogUnavailableError {path} may only be read, and its newest entries are still in "
                "field.db-wal; copy both to where you may write; or let somebody who may write to "
                "it open it and close it once"
            )
            (path.parent.parent / "shm").rename(path.with_name("field.db-shm"))

    def test_file_that_is_missing(self, path: Path) -> None:
        """A file that cannot be looked at is an error of ours."""
        with pytest.raises(FileNotFoundError):
            ReadOnly(path.with_name("other.db"))


class TestOpened:
    """A journal that was opened to be read only."""

    @pytest.fixture
    def journal(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
        """A journal on a disk that may not be written to."""
        monkeypatch.setattr(os, "access", lambda *_: False)
        with Journal(path, create=False) as journal:
            monkeypatch.undo()
            yield journal

    def test_views_are_in_memory(self, journal: Journal, path: Path) -> None:
        """Views are made of the whole log, and nothing of them is kept."""
        content = path.read_bytes()

        assert Records(journal).rebuild() == 2
        assert len(Drafts(journal).pending()) == 2
        assert len(History(journal).of("A:1")) == 1
        assert journal.log.leases.holder("default") is None
        assert path.read_bytes() == content
        assert sorted(file.name for file in path.parent.iterdir()) == ["field.db", "field.db-lock"]

    def test_every_write_is_refused(self, journal: Journal) -> None:
        """Whatever writes says that it may not."""

        def batch() -> None:
            with journal.batch():
                journal.create("A", {})
                journal.create("A", {})

        writes: list[Callable[[], object]] = [lambda: journal.update("A:1", {"n": 9}), batch]
        for write in writes:
            with pytest.raises(LogUnavailableError, match="may only be read; check the permissi"):
                write()
        assert journal.log.verify().is_intact

    def test_write_of_somebody_else_is_noticed(self, journal: Journal, path: Path) -> None:
        """SQLite took the file for one that nobody writes to: when somebody does, it is said."""
        with Journal(path) as writer:
            writer.create("A", {})
            with pytest.raises(LogUnavailableError, match=r"has been written to .*; open it again"):
                journal.log.head()
        with pytest.raises(LogUnavailableError, match="open it again"):
            journal.log.head()
