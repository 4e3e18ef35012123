"""A log replayed in every way there is: what differs is found, and where it begins."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.errors import InvalidValueError, LogUnavailableError
from journal.past import Past
from projections import Drafts, History, Records
from projections.replaying import VIEWS, digests, divergences, divergences_by_restart
from tests.replay.recording import recorded
from tests.replay.views import digests_of
from tests.replay.wayward import Batched, Counting, Dated, Hashing, Wayward

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projections import Projection


@pytest.fixture(scope="module", params=["memory", "file"])
def journal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journal]:
    """A journal in which everything that can be stored has been stored."""
    is_file = request.param == "file"
    path = tmp_path_factory.mktemp("replay") / "f.db" if is_file else ":memory:"
    with recorded(path) as made:
        for view in VIEWS:
            view(made).catch_up()
        yield made


@pytest.fixture
def short() -> Iterator[Journal]:
    """Four events."""
    with Journal(actor="ann", origin="van") as made:
        ref = made.create("Account", {"Name": "Acme"}, id="1")
        for name in ("Bolt", "Crane", "Drill"):
            made.update(ref, {"Name": name})
        yield made


class TestDivergences:
    """What differs between two ways to replay a log."""

    def test_ours_are_the_same_in_every_way(self, journal: Journal) -> None:
        """Live, rebuilt, in tables, in memory, in parts and elsewhere, our views are the same."""
        assert list(divergences(journal)) == []

    @pytest.mark.parametrize(
        ("view", "way", "path", "position"),
        [
            (Hashing, "in another process (PYTHONHASHSEED=", '$.wayward["2"].said.words[', 2),
            (Dated, "in another process (PYTHONHASHSEED=", '$.wayward["1"].said', 1),
            (Counting, "in parts, each by new objects", '$.wayward["2"].said', 2),
            (Batched, "in one go", '$.wayward["3"].said', 3),
        ],
    )
    def test_a_wayward_one_is_found(
        self, short: Journal, view: type[Projection], way: str, path: str, position: int
    ) -> None:
        """The first event after which a view is another is named, with the place of the difference.

        A set has another order under another hash seed; a day is another in another time zone;
        what is kept in memory is lost in a restart; and parts have other sizes.
        """
        found = next(iter(divergences(short, (view,))))

        assert found.way.startswith(way)
        assert found.path.startswith(path)
        assert found.entry == short.log.read(position - 1, 1)[0]
        assert found.expected != found.found
        assert found.expected_row["position"] == found.found_row["position"] == position
        assert f"first after event {position}, Record" in found.sentence
        assert f"of Account:1 ({found.entry.event_id})" in found.sentence

    def test_one_that_is_sound_is_not(self, short: Journal) -> None:
        """A projection that looks at its entries only is the same in every way."""
        assert list(divergences_by_restart(short, (Wayward,))) == []

    def test_one_that_cannot_be_imported_is_replayed_here(self, short: Journal) -> None:
        """A class within a function is not replayed elsewhere, and everything else is done."""

        class Local(Counting):
            pass

        ways = {found.way for found in divergences_by_restart(short, (Local,))}

        assert ways == {"in parts, each by new objects", "with a restart after every event"}

    def test_a_row_that_somebody_changed(self, tmp_path: Path) -> None:
        """Tables that are not the fold are found, with the event that made the row what it was."""
        path = tmp_path / "f.db"
        with Journal(path, actor="ann") as made:
            made.create("Account", {"Name": "Acme", "Sites": [1, 2]}, id="1")
            made.create("Account", {"Name": "Bolt"}, id="2")
            made.update("Account:1", {"City": "Graz"})
            Records(made).catch_up()
            made.create("Account", {}, id="3")
            with sqlite3.connect(path) as other:
                text = '{"Name":"Acme","Sites":[1,2.0],"City":"Graz"}'
                other.execute("UPDATE records SET fields = ? WHERE record_id = '1'", (text,))
            other.close()

            [found] = divergences(made)

            assert Records(made).checkpoint() == 3
        assert (found.view, found.way) == ("records", "as its tables are, at position 3")
        assert (found.path, found.expected, found.found) == (
            '$.records["Account:1"].fields.Sites[1]',
            2,
            2.0,
        )
        assert found.entry is not None
        assert found.entry.position == 3

    def test_a_journal_that_may_only_be_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What may only be read is replayed, and is the same to the byte afterwards."""
        path = tmp_path / "f.db"
        with Journal(path, actor="ann") as made:
            made.create("Account", {"Name": "Acme"}, id="1")
        before = path.read_bytes()
        monkeypatch.setattr(os, "access", lambda *_: False)

        with Journal(path, create=False) as journal:
            monkeypatch.undo()
            assert list(divergences(journal)) == []
            assert [position for position, _ in digests(journal)] == [0, 1]

        assert path.read_bytes() == before

    def test_only_the_beginning(self, short: Journal) -> None:
        """Up to a position, nothing behind it is looked at."""
        assert list(divergences(short, (Batched,), until=2)) == []


class TestDigests:
    """What every view is at every position."""

    def test_the_last_one_is_that_of_the_view(self, journal: Journal) -> None:
        """There is one definition: kept up row by row, it is the digest of the view itself."""
        found = list(digests(journal))

        assert [position for position, _ in found] == list(range(journal.log.head() + 1))
        live = digests_of(journal)
        assert found[-1][1] == {name: of["digest"] for name, of in live.items()}

    def test_each_is_that_of_the_journal_as_it_was(self, short: Journal) -> None:
        """At every position, it is the digest of a journal that ends there."""
        for position, found in digests(short):
            with Past(short, position) as past:
                assert found == {view.name: view(past).digest() for view in VIEWS}


class TestPast:
    """A journal as it was."""

    def test_views_show_it_as_it_was(self, short: Journal) -> None:
        """Records, queue and history are those of the position, and the journal's are untouched."""
        with Past(short, 2) as past:
            assert Records(past).get("Account:1").fields == {"Name": "Bolt"}
            assert len(Drafts(past)) == len(History(past).between()) == 2
            assert past.load("Account:1").version == 2
            assert past.log.find(short.log.read(3, 1)[0].event_id) is None

        assert Records(short).checkpoint() == 0
        assert Records(short).get("Account:1").fields == {"Name": "Drill"}

    def test_it_takes_no_change(self, short: Journal) -> None:
        """What is past is read, and nothing else."""
        with Past(short, 2) as past, pytest.raises(LogUnavailableError, match="position 2"):
            past.create("Account", {})

        assert short.log.head() == 4

    @pytest.mark.parametrize("position", [-1, 5])
    def test_a_position_that_there_is_not(self, short: Journal, position: int) -> None:
        """One behind the end is refused, and so is one before the beginning."""
        with pytest.raises(InvalidValueError, match="it ends at 4"):
            Past(short, position)
