"""Golden journals: they are read as on the day when they were recorded, and never written to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.testing import golden_journal, record_golden
from projections import Records
from tests.replay.recording import GOLDEN
from tests.replay.wayward import Wayward

if TYPE_CHECKING:
    from pathlib import Path

    from journal.events import Entry


class Louder(Wayward):
    """The same projection, changed without raising its version."""

    def said(self, entry: Entry) -> str:
        """Return it in capitals."""
        return entry.actor.upper()


class Newer(Louder):
    """The same, with a new version."""

    version = 2


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A golden journal with a projection of its own."""
    path = tmp_path / "old.db"
    with Journal(path, actor="ann") as journal:
        journal.create("Account", {"Name": "Acme"}, id="1")
    record_golden(path, Wayward)
    return path


def test_ours_are_read_as_they_were() -> None:
    """The golden journals of this library are golden for this, too, and stay as they are."""
    path = GOLDEN / "format-1.db"
    before = path.read_bytes()

    with golden_journal(path) as journal:
        assert Records(journal).types()
        journal.create("Account", {"Name": "New"})

    assert path.read_bytes() == before
    assert {file.name for file in GOLDEN.iterdir()} == {"format-1.db", "format-1.json"}


def test_one_of_a_host(golden: Path) -> None:
    """What was recorded is found again; a view of another version is compared with itself only."""
    for view in (Wayward, Newer):
        with golden_journal(golden, view) as journal:
            assert Records(journal).get("Account:1").fields == {"Name": "Acme"}


def test_a_projection_that_was_changed(golden: Path) -> None:
    """A projection that makes something else of an old log is found, and told to say so."""
    with pytest.raises(AssertionError, match=r"view wayward of version 1 .* raise its version"):
        golden_journal(golden, Louder).__enter__()


def test_a_log_that_was_changed(golden: Path) -> None:
    """A log that has grown since is no golden journal any more."""
    with Journal(golden) as journal:
        journal.create("Account", {}, id="2")
    recorded = json.loads(golden.with_suffix(".json").read_text("utf-8"))
    recorded["views"] = {}
    golden.with_suffix(".json").write_text(json.dumps(recorded), encoding="utf-8")

    with pytest.raises(AssertionError, match="its entries is 2, and was 1"):
        golden_journal(golden).__enter__()


def test_it_is_recorded_once(golden: Path) -> None:
    """What was recorded is not recorded over."""
    with pytest.raises(FileExistsError):
        record_golden(golden)
