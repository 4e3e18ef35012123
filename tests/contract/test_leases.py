"""The contract of leases, on each adapter, and what SQLite does beyond."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal
from journal.errors import LogUnavailableError
from journal.log.filelock import FileLock
from journal.testing.contracts.leases import *  # noqa: F403  that is how the contract is used
from journal.testing.contracts.leases import appends, claim
from journal.testing.crashing import Moment, watching

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["file", "memory"])
def journal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Journal]:
    """Return an empty journal of each adapter."""
    path = tmp_path / "field.db" if request.param == "file" else ":memory:"
    with Journal(path, actor="ann", origin="here") as journal:
        yield journal


class TestRelease:
    """A lease is released in whatever moment."""

    def test_a_release_waits_for_nobody(self, journal: Journal) -> None:
        """A lease is released also while something is appended.

        The garbage collector releases that of a subscriber that nobody closed, in the midst of
        whatever the thread is doing: to wait for the lock of the log there is to wait for ever.
        """
        taken = journal.log.leases.take(claim("one"))
        assert taken is not None
        recorder: Any = journal.log._recorder
        lock = recorder._database._lock if hasattr(recorder, "_database") else recorder._lock

        with lock:
            release = Thread(target=journal.log.leases.release, args=(taken.fence,), daemon=True)
            release.start()
            release.join(5.0)
            has_waited = release.is_alive()

        assert not has_waited
        assert journal.log.leases.holder("default") is None


class TestFiles:
    """The lease in a file, and the file beside it."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return where the journal is."""
        return tmp_path / "field.db"

    def test_it_is_private(self, path: Path) -> None:
        """Nobody else may read who sends, or stand in the way."""
        with Journal(path) as journal:
            assert journal.log.leases.take(claim("one")) is not None
            mode = stat.S_IMODE((path.parent / "field.db-sender").stat().st_mode)

        assert mode == 0o600

    def test_an_older_copy_does_not_bring_an_old_epoch_back(self, path: Path) -> None:
        """Where the row is lost with the file, the file beside it remembers the epoch (F2)."""
        with Journal(path) as journal:
            journal.create("Account", {}, id="a1")
        copy = path.read_bytes()
        with Journal(path) as journal:
            for token in ("one", "two", "three"):
                taken = journal.log.leases.take(claim(token))
                assert taken is not None
                assert taken.skipped == 0
                journal.log.leases.release(taken.fence)
        path.write_bytes(copy)

        with Journal(path) as journal:
            taken = journal.log.leases.take(claim("four"))

        assert taken is not None
        assert (taken.fence.epoch, taken.skipped) == (4, 3)

    def test_an_old_epoch_that_comes_back_has_another_token(self, path: Path) -> None:
        """Where both are lost, the number comes back, and the old fence is not valid (F2)."""
        with Journal(path) as journal:
            first = journal.log.leases.take(claim("one"))
            assert first is not None
            with journal.log.views.write() as cursor:
                cursor.execute("DROP TABLE senders")
            assert not appends(journal.log, first.fence, 1)
            (path.parent / "field.db-sender").unlink()
            again = journal.log.leases.take(claim("two"))

            assert again is not None
            assert again.fence.epoch == first.fence.epoch
            assert not appends(journal.log, first.fence, 1)
            assert appends(journal.log, again.fence, 1)

    def test_a_file_beside_it_that_is_damaged(self, path: Path) -> None:
        """What is no epoch is none; the row knows better."""
        with Journal(path) as journal:
            first = journal.log.leases.take(claim("one"))
            assert first is not None
            journal.log.leases.release(first.fence)
            (path.parent / "field.db-sender").write_bytes(b"\xff\x00 nonsense")

            again = journal.log.leases.take(claim("two"))

        assert again is not None
        assert again.fence.epoch == 2

    def test_who_dies_while_taking_it_leaves_no_gap(self, path: Path, tmp_path: Path) -> None:
        """Wherever a process dies that takes it, the file is not mistaken for an older copy."""
        copies: list[Path] = []

        def copy(_: Moment) -> None:
            folder = tmp_path / str(len(copies))
            folder.mkdir()
            for end in ("", "-wal", "-sender"):
                if (source := Path(f"{path}{end}")).exists():
                    shutil.copyfile(source, folder / source.name)
            copies.append(folder / path.name)

        Journal(path).close()
        with watching(copy), Journal(path) as journal:
            before = len(copies)
            assert journal.log.leases.take(claim("one")) is not None
            during = copies[before:]
        for left in during:
            left.chmod(0o600)
            with Journal(left) as journal:
                taken = journal.log.leases.take(claim("two"))

                assert taken is not None
                assert taken.skipped == 0

        assert len(during) > 2

    def test_a_take_that_fails_leaves_no_lock(self, path: Path) -> None:
        """Where the row cannot be written, the lease is free for the next one."""
        with Journal(path) as journal:
            assert journal.log.leases.take(claim("one")) is not None
            broken = claim("two")._replace(name=None)  # type: ignore[arg-type]
            last = journal.log.leases.last("default")
            with pytest.raises(Exception, match="NOT NULL"):
                journal.log.leases.take(broken, last)

            assert journal.log.leases.take(claim("three")) is not None

    def test_a_lock_on_a_file_that_was_replaced_is_none(self, path: Path) -> None:
        """Who has opened the file before another was put in its place does not get the lease."""
        with Journal(path) as journal:
            first = journal.log.leases.take(claim("one"))
            assert first is not None
            stale = FileLock(path.parent / "field.db-sender", 0.0)
            second = journal.log.leases.take(claim("two"), journal.log.leases.last("default"))
            assert second is not None
            journal.log.leases.release(first.fence)
            assert stale.attempt()
            assert not stale.is_in_place
            assert journal.log.leases.take(claim("three")) is None
            (path.parent / "field.db-sender").unlink()
            assert not stale.is_in_place
            stale.close()

    def test_a_link_is_refused(self, path: Path, tmp_path: Path) -> None:
        """The file beside the journal's is no way to write to another file."""
        target = tmp_path / "other"
        target.write_text("precious", encoding="utf-8")
        with Journal(path) as journal:
            os.symlink(target, f"{path}-sender")  # noqa: PTH211

            with pytest.raises(LogUnavailableError):
                journal.log.leases.take(claim("one"))

        assert target.read_text(encoding="utf-8") == "precious"
