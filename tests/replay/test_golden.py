"""The golden journal: what a release has stored is read the same for ever."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal
from journal.events import EVENT_TYPES
from tests.replay.recording import GOLDEN, reading_of, recorded, written
from tests.replay.views import VIEWS, digests_of, rebuilt_digests_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journal.log import Row


@pytest.fixture
def golden(tmp_path: Path) -> Iterator[Journal]:
    """A copy of the golden journal, open."""
    path = tmp_path / "format-1.db"
    shutil.copyfile(GOLDEN / "format-1.db", path)
    with Journal(path, actor="reader", origin="here") as journal:
        yield journal


@pytest.fixture
def expected() -> dict[str, Any]:
    """What the golden journal was read as when it was recorded."""
    reading: dict[str, Any] = json.loads((GOLDEN / "format-1.json").read_text("utf-8"))
    return reading


def rows_of(journal: Journal) -> list[Row]:
    """Every stored row, as it is."""
    return journal.log.rows(0, 1000)


def test_it_is_intact_and_read_as_it_was_recorded(
    golden: Journal, expected: dict[str, Any]
) -> None:
    """A journal of format 1 verifies, and folds to the records and the queue of its day."""
    del expected["views"]

    reading = reading_of(golden)

    assert written(reading) == written(expected)


def test_every_view_has_the_bytes_of_its_day(golden: Journal, expected: dict[str, Any]) -> None:
    """A projection of the recorded version digests alike; another layout takes a new version."""
    versions = {view.name: view.version for view in VIEWS}
    recorded_views = {
        name: view for name, view in expected["views"].items() if view["version"] == versions[name]
    }

    live, rebuilt = digests_of(golden), rebuilt_digests_of(golden)

    assert live == rebuilt
    assert {name: live[name] for name in recorded_views} == recorded_views


@pytest.mark.parametrize("place", ["file", "memory"])
def test_it_is_written_the_same_today(tmp_path: Path, golden: Journal, place: str) -> None:
    """The same commands store the same bytes today, in every adapter.

    A release that stores an event in another way records a golden journal of its own, and writes
    that one the same; it only reads this one.
    """
    with recorded(":memory:" if place == "memory" else tmp_path / "today.db") as journal:
        rows = rows_of(journal)

    assert rows == rows_of(golden)


def test_it_holds_everything_that_can_be_stored(golden: Journal) -> None:
    """The golden journal has every event type, every column filled and empty, a clock gone back."""
    rows = rows_of(golden)

    assert {row.event_type for row in rows} == set(EVENT_TYPES)
    assert {row.clock_adjusted for row in rows} == {0, 1}
    assert any(row.batch != row.position for row in rows)
    for column in ("correlation_id", "causation_id", "reason"):
        assert {getattr(row, column) is None for row in rows} == {True, False}


def test_it_can_be_written_on(golden: Journal) -> None:
    """A journal of format 1 takes new changes behind its own."""
    head = golden.log.head()

    ref = golden.create("Account", {"Name": "New"})

    assert golden.log.stream(ref)[0].position == head + 1
    assert golden.log.verify().is_intact
