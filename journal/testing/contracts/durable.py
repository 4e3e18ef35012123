"""What a log promises that outlives its process: several have it open, and it is the same for all.

A test module imports these classes, and has two fixtures: `log`, an empty log of the journal
``j1``, which is closed after the test, and `another`, which returns the same log opened once more,
as another process has it, or one that comes after a crash.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from journal.errors import VersionConflictError
from journal.testing.contracts.log import ACME, BOLT, many, new
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.log import Log

__all__ = ["TestDurable", "TestTogether"]


class TestDurable:
    """L1: what `append` has returned is there for ever, in the order in which it was returned."""

    def test_whoever_comes_after_a_crash(self, log: Log, another: Callable[[], Log]) -> None:
        """After every append, whoever opens the log has all of it, and nobody has closed it."""
        for number in range(1, 6):
            returned = log.append(many(Ref(f"Account:{number}"), 1, number))
            later = another()

            assert later.read()[-number:] == returned
            assert later.head() == log.head()
            assert later.verify().is_intact
            later.close()

    def test_what_was_refused_leaves_nothing(self, log: Log, another: Callable[[], Log]) -> None:
        """L2: of an append that was refused, nothing is there for anybody."""
        log.append([new("a")])
        with pytest.raises(VersionConflictError):
            log.append([new("b", BOLT), new("c")])

        assert [entry.event_id for entry in another().scan()] == ["a"]

    def test_the_journal_is_the_same(self, log: Log, another: Callable[[], Log]) -> None:
        """The id of the journal is that with which it was made."""
        assert another().journal_id == log.journal_id == "j1"


class TestTogether:
    """Several that have the log open, and append."""

    def test_positions_are_given_once(self, log: Log, another: Callable[[], Log]) -> None:
        """L3: of two that append at once, each gets positions of its own, without a gap."""
        ready = Barrier(2)

        def write(name: str, mine: Log) -> list[int]:
            ready.wait(30)
            stream = Ref.of("T", name)
            parts = (mine.append(many(stream, n * 2 + 1, 2)) for n in range(15))
            return [entry.position for part in parts for entry in part]

        with ThreadPoolExecutor(2) as threads:
            one, two = threads.map(write, "ab", (log, another()))

        assert sorted(one + two) == list(range(1, 61))
        assert [entry.position for entry in log.scan()] == list(range(1, 61))
        assert log.verify().is_intact

    def test_a_version_is_given_once(self, log: Log, another: Callable[[], Log]) -> None:
        """Whoever has fallen behind the other is refused, and told which version there is."""
        other = another()
        other.append([new("a")])

        with pytest.raises(VersionConflictError) as caught:
            log.append([new("b")])

        assert (caught.value.expected, caught.value.actual) == (0, 1)
        assert log.stream(ACME) == other.stream(ACME)

    def test_an_append_of_the_other_is_seen(self, log: Log, another: Callable[[], Log]) -> None:
        """What one has appended, the other reads at once, and its wait ends."""
        other = another()
        other.append([new("a")])

        assert log.head() == log.wait(0, 10) == 1
        assert [entry.event_id for entry in log.read()] == ["a"]
