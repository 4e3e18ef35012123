"""What a log promises, whichever adapter keeps it.

A test module imports these classes, and has a fixture `log`: an empty log of the journal ``j1``,
which is closed after the test.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING

import pytest

from journal.errors import LogClosedError, VersionConflictError
from journal.events import Entry, NewEntry, RecordCreated, RecordUpdated
from journal.log.chain import genesis, hash_of
from journal.values import Ref

if TYPE_CHECKING:
    from journal.log import Log

__all__ = [
    "TestAppend",
    "TestClose",
    "TestRead",
    "TestThreads",
    "TestTime",
    "TestVerify",
    "TestWait",
]

ACME = Ref("Account:1")
BOLT = Ref("Account:2")
NOW = 1_700_000_000_000_000


def new(event_id: str, ref: Ref = ACME, version: int = 1, at: int = NOW, size: int = 0) -> NewEntry:
    """Return an entry before the append."""
    event = (
        RecordCreated(fields={"Owner": BOLT, "Size": size}, references=("/fields/Owner",))
        if version == 1
        else RecordUpdated(changes={"Size": size}, base={})
    )
    return NewEntry(event_id, ref, version, at, "ann", "van-7", "c1", None, "why", None, event)


def many(ref: Ref, first: int, count: int) -> list[NewEntry]:
    """Return entries of one record, from a version on."""
    return [new(f"{ref}-{n}", ref, n, NOW + n) for n in range(first, first + count)]


class TestAppend:
    """L1 and L2: what was appended is there, all or none."""

    def test_entries_are_there_as_they_were_returned(self, log: Log) -> None:
        """L1: what `append` returned is what is read, references and all."""
        returned = log.append([new("a"), new("b", BOLT), new("c", version=2, at=NOW + 9)])

        assert [repr(entry) for entry in log.read()] == [repr(entry) for entry in returned]
        first = new("a")
        assert (*returned[0][:2], *returned[0][6:7]) == (1, 1, False)
        assert (*returned[0][2:6], *returned[0][7:]) == first

    def test_positions_rise_by_one(self, log: Log) -> None:
        """Positions begin at 1 and have no gap, also after an append that was refused."""
        log.append([new("a")])
        with pytest.raises(VersionConflictError):
            log.append([new("b", BOLT), new("c")])
        log.append([new("d", BOLT)])

        assert [(entry.position, entry.event_id) for entry in log.scan()] == [(1, "a"), (2, "d")]

    def test_batch_is_the_first_position_of_the_append(self, log: Log) -> None:
        """Entries that were appended together share a batch."""
        log.append([new("a")])
        log.append([new("b", BOLT), new("c", BOLT, 2)])

        assert [entry.batch for entry in log.read()] == [1, 2, 2]

    @pytest.mark.parametrize("bad", [0, 1, 2])
    def test_all_or_none(self, log: Log, bad: int) -> None:
        """L2: where one entry cannot be stored, none is, wherever it stands."""
        log.append([new("a")])
        entries = [new("x", BOLT, 1), new("y", BOLT, 2)]
        entries.insert(bad, new("z", ACME, 1))

        with pytest.raises(VersionConflictError):
            log.append(entries)

        assert log.head() == 1
        assert log.stream(BOLT) == []
        assert log.verify().is_intact

    def test_nothing_is_appended_by_no_entries(self, log: Log) -> None:
        """An append of no entries changes nothing."""
        assert log.append([]) == []
        log.append([new("a")])
        assert log.append([]) == []
        assert log.head() == 1

    def test_conflict_says_both_versions(self, log: Log) -> None:
        """A writer that has fallen behind is told which version it expected, and which there is."""
        log.append([new("a"), new("b", ACME, 2)])

        with pytest.raises(VersionConflictError) as caught:
            log.append([new("c", BOLT), new("d", ACME, 2), new("e", ACME, 3)])

        error = caught.value
        assert (error.stream, error.expected, error.actual) == (ACME, 1, 2)

    @pytest.mark.parametrize("together", [True, False])
    def test_event_id_is_unique(self, log: Log, together: bool) -> None:  # noqa: FBT001
        """No two entries have the same event id; it is no version that is in conflict then."""
        first, second = new("a"), new("a", BOLT)
        if not together:
            log.append([first])

        with pytest.raises(VersionConflictError) as caught:
            log.append([first, second] if together else [second])

        assert caught.value.actual is None
        assert log.head() == int(not together)

    def test_version_is_unique_within_an_append(self, log: Log) -> None:
        """An append with a version of a stream twice is refused as a whole."""
        with pytest.raises(VersionConflictError):
            log.append([new("a"), new("b")])

        assert log.head() == 0


class TestTime:
    """C3: time never goes back in the log."""

    def test_clock_that_went_back_is_flagged(self, log: Log) -> None:
        """Where the writer's clock is behind, time moves on by a microsecond, and says so."""
        log.append([new("a", at=NOW), new("b", BOLT, at=NOW - 5)])
        (third,) = log.append([new("c", ACME, 2, at=NOW - 9)])
        (fourth,) = log.append([new("d", ACME, 3, at=NOW + 3)])

        read = log.read()

        assert [entry.occurred_at - NOW for entry in read] == [0, 1, 2, 3]
        assert [entry.clock_adjusted for entry in read] == [False, True, True, False]
        assert [third, fourth] == read[2:]


class TestRead:
    """Reading by position, by stream and by event id."""

    @pytest.fixture
    def entries(self, log: Log) -> list[Entry]:
        """Twelve entries, of two records, in turns."""
        for version in range(1, 7):
            log.append([new(f"a{version}", ACME, version), new(f"b{version}", BOLT, version)])
        return log.read()

    @pytest.mark.parametrize("after", [0, 1, 11, 12, 13, 10**9])
    @pytest.mark.parametrize("limit", [1, 3, 1000])
    @pytest.mark.parametrize("until", [None, 0, 1, 5, 12, 99])
    def test_pages(
        self, log: Log, entries: list[Entry], after: int, limit: int, until: int | None
    ) -> None:
        """A page begins after a position, and ends with its limit or at another position."""
        stop = 12 if until is None else until

        expected = [entry for entry in entries if after < entry.position <= stop][:limit]

        assert log.read(after, limit, until) == expected

    @pytest.mark.parametrize("page", [1, 5, 12, 100])
    def test_scan_is_all_pages(self, log: Log, entries: list[Entry], page: int) -> None:
        """A scan yields every entry once, whatever the size of its pages."""
        assert list(log.scan(page=page)) == entries
        assert list(log.scan(3, 7, page)) == entries[3:7]

    def test_stream_is_one_record(self, log: Log, entries: list[Entry]) -> None:
        """A stream is the entries of one record, in order of version."""
        assert log.stream(ACME) == entries[::2]
        assert log.stream(ACME, 4) == entries[8::2]
        assert log.stream(ACME, 6) == log.stream(Ref("Account:9")) == []

    def test_created_is_how_it_began(self, log: Log, entries: list[Entry]) -> None:
        """The event by which a record was created is found; a record that was not has none."""
        assert log.created(ACME) == entries[0].event
        assert log.created(Ref("Account:9")) is None

    def test_find_is_by_event_id(self, log: Log, entries: list[Entry]) -> None:
        """An entry is found by its event id."""
        assert log.find("b3") == entries[5]
        assert log.find("x") is None

    def test_rows_are_what_is_stored(self, log: Log, entries: list[Entry]) -> None:
        """Rows are the entries as stored: each chained to the one before it (C1)."""
        rows = log.rows()

        assert log.entries(rows) == entries
        assert [row.hash for row in rows] == [hash_of(row) for row in rows]
        assert [row.previous_hash for row in rows] == [
            genesis("j1"),
            *[row.hash for row in rows[:-1]],
        ]
        assert log.rows(10) == rows[10:]
        assert log.rows(0, 2) == rows[:2]

    def test_journal_has_an_id(self, log: Log) -> None:
        """The id of the journal is the one that it was made with."""
        assert log.journal_id == "j1"


class TestWait:
    """Waiting for an entry beyond a position."""

    def test_does_not_wait_for_what_is_there(self, log: Log) -> None:
        """Where there is an entry already, its position is returned at once."""
        log.append(many(ACME, 1, 3))

        assert log.wait(0, 3600) == log.wait(2, 3600) == 3

    @pytest.mark.parametrize("timeout_s", [0.0, 0.01])
    def test_ends_with_the_timeout(self, log: Log, timeout_s: float) -> None:
        """Where nothing comes, the head is returned when the time is over."""
        log.append([new("a")])

        assert log.wait(1, timeout_s) == 1

    def test_ends_with_an_append(self, log: Log) -> None:
        """An append in this process ends the wait."""
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(log.wait, 0, 60)
            log.append([new("a")])

            assert waiting.result(timeout=30) == 1

    def test_ends_with_an_interrupt(self, log: Log) -> None:
        """Setting the interrupt ends the wait, with the head as it is."""
        interrupt = Event()
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(log.wait, 0, 60, interrupt)
            interrupt.set()

            assert waiting.result(timeout=30) == 0

    def test_ends_with_the_close(self, log: Log) -> None:
        """Closing the log ends the wait of another thread, which is told so."""
        started = Event()

        def wait() -> int:
            started.set()
            return log.wait(0, 60)

        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(wait)
            started.wait(30)
            log.close()

            with pytest.raises(LogClosedError):
                waiting.result(timeout=30)


class TestThreads:
    """Many at once."""

    def test_reader_never_sees_a_hole(self, log: Log) -> None:
        """L2, L3: a reader sees every append whole, after all that are before it."""
        ready = Barrier(4)
        done = Event()
        seen: list[str] = []

        def write(name: str) -> None:
            ready.wait(30)
            for n in range(40):
                log.append(many(Ref.of("T", name), n * 5 + 1, 5))

        def read() -> None:
            ready.wait(30)
            position = 0
            while not seen and (not done.is_set() or position < log.head()):
                is_over = done.is_set()
                page = log.read(position)
                positions = [entry.position for entry in page]
                if is_over and not page and position < log.head():
                    seen.append(f"nothing after {position}, and the head is {log.head()}")
                if positions != list(range(position + 1, position + 1 + len(page))):
                    seen.append(f"a hole after {position}: {positions}")
                if len(page) % 5 and len(page) < 1000:
                    seen.append(f"half of an append after {position}: {positions[-1]}")
                position = positions[-1] if positions else position

        reader = Thread(target=read)
        reader.start()
        try:
            with ThreadPoolExecutor(3) as threads:
                list(threads.map(write, "abc"))
        finally:
            done.set()  # also where a writer fails: nobody is left behind
            reader.join(60)

        assert seen == []
        assert log.head() == 600
        assert log.verify().is_intact

    def test_one_of_many_writers_wins(self, log: Log) -> None:
        """Of threads that append the same version of a stream, exactly one does."""
        ready = Barrier(4)

        def write(name: str) -> bool:
            ready.wait(30)
            try:
                log.append([new(name)])
            except VersionConflictError:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            won = list(threads.map(write, "abcd"))

        assert sum(won) == log.head() == 1


class TestVerify:
    """The whole log is checked."""

    def test_sound_log_is_intact(self, log: Log) -> None:
        """Nothing is wrong with a log that nobody touched; its last hash says which log it is."""
        assert log.verify().is_intact
        log.append(many(ACME, 1, 3))
        progress: list[tuple[int, int]] = []

        found = log.verify(lambda done, total: progress.append((done, total)))

        assert found.problems == ()
        assert (found.journal_id, found.entries) == ("j1", 3)
        assert found.head_hash == log.rows()[-1].hash.hex()
        assert progress == [(3, 3)]


class TestClose:
    """The end."""

    def test_closed_log_is_refused(self, log: Log) -> None:
        """After the close everything is refused, with what to do; a second close is nothing."""
        log.close()
        log.close()

        for use in (
            lambda: log.append([new("a")]),
            log.read,
            log.head,
            log.verify,
            lambda: log.stream(ACME),
            lambda: log.find("a"),
            lambda: log.wait(0, 1),
        ):
            with pytest.raises(LogClosedError, match="open the journal again"):
                use()
