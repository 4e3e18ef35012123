"""Views of one file, caught up, read and rebuilt by several threads and processes at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from itertools import count
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from journal import Journal, Ref
from journal.errors import ViewError
from projections import Drafts, History, Records
from projections import projection as projections
from tests.integration.interrupting import interrupted_at
from tests.integration.oracle import check_log, check_views

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VIEWS = (Records, Drafts, History)
PROCESSES = get_context("forkserver")


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """A journal in a file."""
    with Journal(path, actor="ann", origin="van-7", durability="normal") as journal:
        yield journal


def change(journal: Journal, records: Records, name: str, count: int) -> None:
    """Change a record of one's own, and a shared one, and read each change back at once."""
    own = journal.create("Visit", {"By": name, "Count": 0})
    for number in range(1, count):
        journal.update(own, {"Count": number})
        assert records.get(own).fields["Count"] == number
        draft_id = journal.update(Ref("Account:shared"), {name: number})
        view = records.get(Ref("Account:shared"))
        assert view.fields[name] == number
        assert draft_id in view.drafts.ids
        if number % 5 == 0:
            listed = records.list("Visit", {"By": name})
            assert [each.fields["Count"] for each in listed] == [number]


def work(path: Path, name: str) -> None:
    """Change records in a process of one's own, with views rebuilt in between."""
    with Journal(path, actor=name, origin="here", durability="normal") as journal:
        records = Records(journal)
        change(journal, records, name, 12)
        for view in VIEWS:
            view(journal).rebuild()
        change(journal, records, f"{name} again", 12)


def test_what_is_not_there_is_not_there_whatever_is_made_meanwhile(
    journal: Journal, path: Path
) -> None:
    """A table is missed, though another process makes others each time while it is looked for.

    That is when a file is new, and many begin to use it at once.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        made = count()

        def make_another(action: int, *_: object) -> int:
            if action == sqlite3.SQLITE_DELETE:
                other.execute(f"CREATE TABLE another_{next(made)} (x)")
            return sqlite3.SQLITE_OK

        def look() -> None:
            # SQLite asks in the midst of this statement, between its first table and its second.
            with journal.log.views.read() as cursor:
                assert isinstance(cursor, sqlite3.Cursor)
                cursor.connection.set_authorizer(make_another)
                cursor.execute("DELETE FROM entries WHERE position IN (SELECT 1 FROM missing)")

        with pytest.raises(ViewError, match="no such table"):
            look()

    assert next(made) == 2


def rebuild(path: Path, times: int) -> None:
    """Rebuild a view in small steps, over and over."""
    with pytest.MonkeyPatch.context() as patch, Journal(path, actor="bob") as journal:
        patch.setattr(projections, "PAGE", 7)
        patch.setattr(projections, "BATCH", 7)
        for _ in range(times):
            Records(journal).rebuild()


def test_threads_share_a_view(journal: Journal) -> None:
    """Threads that change and read through one object each see their own changes at once."""
    journal.create("Account", {}, id="shared")
    records = Records(journal)

    with ThreadPoolExecutor(6) as threads:
        names = [f"thread-{number}" for number in range(6)]
        list(threads.map(lambda name: change(journal, records, name, 25), names))

    check_views(journal, check_log(journal))


def test_processes_share_a_view(journal: Journal, path: Path) -> None:
    """Processes that change, read and rebuild leave the views that follow from the log."""
    journal.create("Account", {}, id="shared")
    records = Records(journal)

    with ProcessPoolExecutor(3, mp_context=PROCESSES) as processes:
        working = [processes.submit(work, path, f"process-{number}") for number in range(3)]
        change(journal, records, "here", 25)
        for each in working:
            each.result()

    check_views(journal, check_log(journal))


def test_reader_never_sees_half_a_view(journal: Journal, path: Path) -> None:
    """While another process rebuilds a view, each read shows the whole of it."""
    with journal.batch():
        for number in range(60):
            journal.create("Visit", {"Number": number})
    records = Records(journal)
    expected = records.list("Visit")

    with ProcessPoolExecutor(1, mp_context=PROCESSES) as processes:
        rebuilding = processes.submit(rebuild, path, 10)
        reads = 0
        while not rebuilding.done() or reads < 3:
            assert records.list("Visit") == expected
            assert Records(journal).get(expected[0].ref) == expected[0]
            reads += 1
        rebuilding.result()

    assert records.rebuild() == 60


def test_file_is_opened_by_the_next(journal: Journal, path: Path) -> None:
    """A view goes on where another process, or another day, has left it."""
    first = journal.create("Visit", {"Number": 1})
    Records(journal).catch_up()
    journal.update(first, {"Number": 2})
    journal.close()

    with Journal(path, actor="ann", origin="van-7") as reopened:
        records = Records(reopened)
        assert records.checkpoint() == 1
        assert records.get(first).fields == {"Number": 2}
        assert records.checkpoint() == 2
        reopened.update(first, {"Number": 3})
        assert records.get(first).fields == {"Number": 3}


def test_other_log_is_noticed(journal: Journal, tmp_path: Path) -> None:
    """Views that came into a file from another day's log are built anew."""
    journal.create("Visit", {"Number": 1}, id="1")
    journal.create("Visit", {"Number": 2}, id="2")
    Records(journal).catch_up()
    with Journal(tmp_path / "other.db", actor="ann", origin="van-7") as other:
        other.create("Visit", {"Number": 3}, id="3")
        records = Records(other)
        with journal.log.views.read() as cursor:
            cursor.execute("SELECT * FROM records")
            rows = cursor.fetchall()
            cursor.execute("SELECT position, hash FROM view_checkpoints")
            (position, hash_) = cursor.fetchone()
        records.catch_up()
        with other.log.views.write() as cursor:
            cursor.execute("DELETE FROM records")
            cursor.executemany(f"INSERT INTO records VALUES ({','.join('?' * 16)})", rows)  # noqa: S608
            cursor.execute("UPDATE view_checkpoints SET position = ?, hash = ?", (position, hash_))

        assert [view.ref.id for view in Records(other).list("Visit")] == ["3"]


@pytest.mark.parametrize("is_listed", [False, True])
def test_interrupt_leaves_a_view_that_is_right(
    journal: Journal,
    is_listed: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """Interrupted at any line of a read, a view says none the less what follows from the log."""
    records = Records(journal)
    visit = journal.create("Visit", {"Number": 0})
    records.get(visit)
    line = number = 0
    is_interrupted = True
    while is_interrupted:
        for _ in range(2):
            number += 1
            journal.update(visit, {"Number": number})
        is_interrupted = interrupted_at(
            line,
            "/projections/",
            lambda: records.list("Visit") if is_listed else records.get(visit),
        )
        number += 1
        journal.update(visit, {"Number": number})

        view = records.get(visit)

        assert (view.version, view.fields) == (number + 1, {"Number": number}), line
        assert len(view.drafts.ids) == number + 1, line
        if line % 5 == 0:
            assert records.list("Visit") == [view], line
        line += 1

    assert line > 15
    check_views(journal, check_log(journal))
