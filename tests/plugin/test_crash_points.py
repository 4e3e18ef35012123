"""Crashes at every point of a piece of work: each is reached, and what is wrong there is found."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Self

import pytest

from journal import Journal, Ref
from journal.testing import for_each_crash_point
from projections import Drafts, Records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journal.testing import CrashPoint

BIG = "y" * 20_000
"""So much that a commit writes several frames to the WAL."""


def day(journal: Journal) -> Iterator[Ref]:
    """Make a record, two at once, and read; promise each when it is stored."""
    account = journal.create("Account", {"Name": "Acme"}, id="1")
    yield account
    with journal.batch():
        visit = journal.create("Visit", {"Of": account, "Note": BIG}, id="v")
        journal.update(account, {"Name": "Bolt"})
    yield visit
    assert len(Drafts(journal)) == 3
    Records(journal).types()
    journal.delete(visit)
    yield Ref("Visit:gone")


def test_what_was_promised_is_there() -> None:
    """At every point, the log is whole, nothing is half there, and what was promised is there."""
    heads: Counter[int] = Counter()
    places: Counter[str] = Counter()

    def check(journal: Journal, point: CrashPoint) -> None:
        head = journal.log.head()
        heads[head] += 1
        places[point.at.partition(" ")[0]] += 1
        assert head in {0, 1, 3, 4}
        assert head >= (0, 1, 3, 4)[len(point.promised)]
        assert (
            point.promised
            == (Ref("Account:1"), Ref("Visit:v"), Ref("Visit:gone"))[: len(point.promised)]
        )

    count = for_each_crash_point(day, check)

    assert count == sum(heads.values()) == sum(places.values()) > 20
    assert set(heads) == {0, 1, 3, 4}
    assert places["within"] > 5, "some have died in the middle of a write"


def test_a_service_of_ones_own() -> None:
    """What is opened may be a service that keeps a journal at that path."""

    class Service:
        def __init__(self, path: Path) -> None:
            self.journal = Journal(path, actor="service")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.journal.close()

        def order(self, name: str) -> None:
            self.journal.create("Order", {"Name": name}, id=name)

    def work(service: Service) -> Iterator[str]:
        for name in ("a", "b"):
            service.order(name)
            yield name

    def check(service: Service, point: CrashPoint) -> None:
        for name in point.promised:
            assert f"Order:{name}" in Records(service.journal)
        service.order("b")  # whoever asks again gets it once

    assert for_each_crash_point(work, check, open=Service) > 5


def test_a_promise_that_is_made_too_early() -> None:
    """A service that answers before it stores is found, with the point at which it dies."""

    def hasty(journal: Journal) -> Iterator[str]:
        yield "Account:1"
        journal.create("Account", {}, id="1")

    def check(journal: Journal, point: CrashPoint) -> None:
        for ref in point.promised:
            assert journal.load(ref).version, f"{ref} was promised"

    with pytest.raises(AssertionError, match="Account:1 was promised") as caught:
        for_each_crash_point(hasty, check)

    [note] = [note for note in caught.value.__notes__ if note.startswith("crash point")]
    assert note.endswith("after the promise")


def test_work_that_spoils_a_view() -> None:
    """A view that is not the fold of the log is found without any check of one's own."""

    def work(journal: Journal) -> None:
        journal.create("Account", {}, id="1")
        Records(journal).types()
        assert journal.log.path is not None
        with sqlite3.connect(journal.log.path) as other:
            other.execute("UPDATE records SET version = 9")
        other.close()

    with pytest.raises(AssertionError, match=r'\$\.records\["Account:1"\]\.version is 9, and 1'):
        for_each_crash_point(work, lambda _journal, _point: None)
