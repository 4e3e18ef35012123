"""Many writers and readers on one file, threads and processes: nothing lost, nothing twice."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from projections import Drafts, History, Records
from tests.integration.crashing import PROCESSES, child
from tests.integration.oracle import check_log, check_views, records_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path
    from threading import Barrier

    from journal.events import Entry
    from tests.integration.crashing import Words

WRITERS: Final = 4
"""How many processes write."""
THREADS: Final = 8
"""How many threads write in each process."""
COMMON: Final = Ref("Account:common")
"""The record that every thread changes."""


class Writer:
    """One thread among many: it changes records and reads them back."""

    def __init__(self, journal: Journal, records: Records, name: str) -> None:
        """Write to the journal, and read by this view, which others may read by too."""
        self.journal = journal
        self.records = records
        self.drafts = Drafts(journal)
        self.history = History(journal)
        self.name = name
        self.told: list[str] = []

    def write(self, rounds: int) -> list[str]:
        """Change records of its own, and the common one; return the ids of the drafts."""
        own = self.journal.create("Visit", {"Of": COMMON, "Round": 0}, id=self.name)
        for number in range(1, rounds + 1):
            self.told.append(self.updated(COMMON, {self.name: number}))
            assert self.records.get(COMMON).fields[self.name] == number
            with self.journal.batch():
                part = self.journal.create("Part", {"Of": own}, id=f"{self.name}-{number}")
                self.told.append(self.updated(own, {"Round": number, "Part": part}))
            self.read(own, number, part)
        return self.told

    def updated(self, ref: Ref, changes: dict[str, object]) -> str:
        """Update a record in a way that is not in it yet; return the id of the draft."""
        draft_id = self.journal.update(ref, changes)
        assert draft_id is not None
        return draft_id

    def read(self, own: Ref, number: int, part: Ref) -> None:
        """Check that every view shows what was just written (P3)."""
        assert self.records.get(own).fields["Round"] == number
        assert part in self.records
        assert len(self.drafts) >= 3 * number + 1
        assert [line.event_id for line in self.history.of(own)][-1] == self.told[-1]
        self.history.catch_up()
        if number % 10 == 0:
            self.drafts.rebuild()


def write(path: str, name: str, rounds: int, all_ready: Barrier, pipe: Connection) -> None:
    """Write in many threads, in a child; tell the ids of the drafts, or what went wrong."""
    with Journal(path, actor=name, origin="here") as journal:
        shared = Records(journal)
        writers = [
            Writer(journal, shared if thread % 2 else Records(journal), f"w{name}t{thread}")
            for thread in range(THREADS)
        ]
        all_ready.wait()
        with ThreadPoolExecutor(THREADS) as threads:
            for told in threads.map(lambda writer: writer.write(rounds), writers):
                pipe.send(tuple(told))


@pytest.mark.parametrize("rounds", [15, pytest.param(60, marks=pytest.mark.long)])
def test_processes_and_threads(tmp_path: Path, rounds: int) -> None:
    """Four processes of eight threads each lose and double nothing, and every view is the fold."""
    path = tmp_path / "journal.db"
    with Journal(path, actor="first", origin="here") as journal:
        journal.create("Account", {"Name": "Common"}, id=COMMON.id)
        told = written_by_many(path, rounds)
        entries = check_log(journal)
        check_views(journal, entries)

    assert all(len(words) == 2 * rounds for words in told)
    assert len(told) == WRITERS * THREADS
    assert len(entries) == 1 + WRITERS * THREADS * (1 + 3 * rounds)
    check_told(entries, told)
    assert records_of(entries)[COMMON].fields == {
        "Name": "Common",
        **{f"w{w}t{t}": rounds for w in range(WRITERS) for t in range(THREADS)},
    }


def written_by_many(path: Path, rounds: int) -> list[Words]:
    """Write in several processes at once; return what each of their threads told."""
    all_ready = PROCESSES.Barrier(WRITERS)
    with ExitStack() as stack:
        children = [
            stack.enter_context(child(write, str(path), str(number), rounds, all_ready))
            for number in range(WRITERS)
        ]
        told = [words for process in children for words in process.words()]
        assert [process.ended_by for process in children] == [0] * WRITERS
    return told


def check_told(entries: list[Entry], told: list[Words]) -> None:
    """Check that every draft is there, each thread's in the order in which it made them."""
    positions: dict[str, Any] = {entry.event_id: entry.position for entry in entries}
    for words in told:
        at = [positions[draft_id] for draft_id in words]
        assert at == sorted(at)


def test_a_second_journal_that_is_closed_takes_no_locks_with_it(tmp_path: Path) -> None:
    """What is acknowledged after another handle was closed here is there for other processes.

    To close any descriptor of a file drops the locks that the process holds on it; the next
    process to close the file would believe that it is the last, and remove what is not yet
    checkpointed.
    """
    path = tmp_path / "field.db"
    script = (
        "import sys\n"
        "from journal import Journal\n"
        "with Journal(sys.argv[1]) as journal: print(journal.log.head())\n"
    )

    def head_elsewhere() -> int:
        command = [sys.executable, "-c", script, str(path)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    with Journal(path) as journal:
        ref = journal.create("Account", {"Name": "Acme"})
        Journal(path).close()
        head_elsewhere()

        for size in range(5):
            journal.update(ref, {"Size": size})

        assert head_elsewhere() == journal.log.head() == 6


def test_a_child_may_not_open_what_its_parent_has_open(tmp_path: Path) -> None:
    """A file that was open at the fork is refused in the child, and its parent's is not harmed."""
    path = tmp_path / "field.db"
    script = (
        "import os, sys\n"
        "from journal import Journal\n"
        "from journal.errors import LogClosedError\n"
        "journal = Journal(sys.argv[1])\n"
        "journal.create('Account', {})\n"
        "if os.fork() == 0:\n"
        "    try: Journal(sys.argv[1])\n"
        "    except LogClosedError: os._exit(7)\n"
        "    os._exit(0)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "journal.create('Account', {})\n"
        "journal.close()\n"
        "with Journal(sys.argv[1]) as again: print(again.log.head())\n"
    )

    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["7", "2"]
