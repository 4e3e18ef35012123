"""Processes and threads that append to one file at once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from journal import Journal, Ref
from journal.drafts import Queue
from journal.record import fold

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from threading import Barrier, Thread
from journal import Journal, Ref
from journal.errors import VersionConflictError

path, process, threads, changes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
shared = [Ref("Shared:1"), Ref("Shared:2")]
errors = []
ready = Barrier(threads)

with Journal(path, actor=process) as journal:
    def write(thread):
        name = f"{process}-{thread}"
        try:
            ready.wait(60)
            own = journal.create("Own", {"n": -1}, id=name)
            for n in range(changes):
                journal.update(own, {"n": n})
                journal.update(shared[n % 2], {name: n})
                if n % 5 == 0:
                    with journal.batch():
                        child = journal.create("Child", {"of": own, "n": n}, id=f"{name}-{n}")
                        journal.update(shared[1], {f"{name}-last": child})
        except BaseException as error:
            errors.append(repr(error))

    print("ready", flush=True)
    sys.stdin.readline()
    workers = [Thread(target=write, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
sys.exit("; ".join(errors) or 0)
"""


def race(path: Path, processes: int, threads: int, changes: int) -> None:
    """Let processes of so many threads write at once, and check what they left behind."""
    with Journal(path) as journal:
        for name in ("1", "2"):
            journal.create("Shared", {}, id=name)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"p{number}", str(threads), str(changes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        _, stderr = process.communicate(timeout=540)
        assert (process.returncode, stderr) == (0, "")
    check(path, [f"p{p}-{t}" for p in range(processes) for t in range(threads)], changes)


def check(path: Path, writers: list[str], changes: int) -> None:
    """See that nothing was lost or doubled, and that everything is in its place."""
    batches = range(0, changes, 5)
    with Journal(path) as journal:
        entries = list(journal.log.scan())
        found = journal.log.verify()

        assert found.problems == ()
        assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
        assert len(entries) == 2 + len(writers) * (1 + 2 * changes + 2 * len(batches))
        assert len({entry.event_id for entry in entries}) == len(entries)

        streams = Counter(entry.stream for entry in entries)
        for ref, length in streams.items():
            stream = [entry for entry in entries if entry.stream == ref]
            assert [entry.version for entry in stream] == list(range(1, length + 1))
            assert journal.load(ref) == fold(ref, stream)

        for writer in writers:
            assert journal.load(Ref(f"Own:{writer}")).fields == {"n": changes - 1}
            for n in batches:
                fields = {"of": Ref(f"Own:{writer}"), "n": n}
                assert journal.load(Ref(f"Child:{writer}-{n}")).fields == fields
        shared = [journal.load(Ref(f"Shared:{n}")).fields or {} for n in (1, 2)]
        for writer in writers:
            assert shared[0][writer] == max(range(0, changes, 2))
            assert shared[1][writer] == max(range(1, changes, 2))
            assert shared[1][f"{writer}-last"] == f"Child:{writer}-{batches[-1]}"

    queue = Queue()
    for entry in entries:
        queue.apply(entry)
    assert len(queue) == len(entries)


class TestManyWriters:
    """Four processes and eight threads: no error, nothing lost, nothing doubled."""

    def test_processes_with_threads(self, tmp_path: Path) -> None:
        """Four processes of two threads each append to their own and to shared records."""
        race(tmp_path / "field.db", 4, 2, 30)

    def test_threads_of_one_process(self, tmp_path: Path) -> None:
        """Eight threads share one journal."""
        race(tmp_path / "field.db", 1, 8, 20)

    @pytest.mark.long
    def test_processes_with_many_threads(self, tmp_path: Path) -> None:
        """Four processes of eight threads each, for a while."""
        race(tmp_path / "field.db", 4, 8, 200)
