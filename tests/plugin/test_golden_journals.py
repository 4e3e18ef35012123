"""Golden journals: they are read as on the day when they were recorded, and never written to."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.testing import golden_journal, record_golden
from projections import Records
from tests.replay.recording import GOLDEN
from tests.replay.wayward import Wayward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from journal.events import Entry
    from journal.log import Cursor


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
    """What was recorded is found again."""
    with golden_journal(golden, Wayward) as journal:
        assert Records(journal).get("Account:1").fields == {"Name": "Acme"}


def test_a_projection_that_was_changed(golden: Path) -> None:
    """A projection that makes something else of an old log is found, with the place."""
    with pytest.raises(AssertionError, match=r"view wayward of version 1 .* renew=True") as caught:
        golden_journal(golden, Louder).__enter__()

    assert "recorded: $.wayward[\"1\"].said is 'ANN', and was 'ann'; where" in str(caught.value)


def test_it_is_renewed_on_purpose(golden: Path) -> None:
    """A new version is told of until it is recorded, and held to from then on."""
    before = json.loads(golden.with_suffix(".json").read_text("utf-8"))
    with (
        pytest.warns(UserWarning, match=r"version 2 was recorded as 1, .*Newer, renew=True\)"),
        golden_journal(golden, Newer),
    ):
        pass
    with pytest.raises(AssertionError, match="raise its version"):
        record_golden(golden, Louder, renew=True)

    record_golden(golden, Newer, renew=True)

    with golden_journal(golden, Newer):
        pass
    after = json.loads(golden.with_suffix(".json").read_text("utf-8"))
    assert after["views"]["wayward"]["version"] == 2
    assert {**before, "views": None} == {**after, "views": None}
    with pytest.raises(AssertionError, match="view wayward of version 2"):
        golden_journal(golden, type("Other", (Newer,), {"said": Wayward.said})).__enter__()


def test_one_that_is_new(golden: Path) -> None:
    """A projection that was never recorded is told of, and can be added."""

    class Other(Wayward):
        name = "other"
        tables = {"other": "position INTEGER PRIMARY KEY, said BLOB NOT NULL"}  # noqa: RUF012

        def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
            for entry in entries:
                cursor.execute("INSERT INTO other VALUES (?, ?)", (entry.position, b"\xff"))

    with (
        pytest.warns(UserWarning, match="was never recorded"),
        golden_journal(golden, Wayward, Other),
    ):
        pass
    record_golden(golden, Other, renew=True)
    with golden_journal(golden, Wayward, Other):
        pass


def test_a_log_that_was_changed(golden: Path) -> None:
    """A log that has grown since is no golden journal any more, and is not renewed."""
    with Journal(golden) as journal:
        journal.create("Account", {}, id="2")

    with pytest.raises(AssertionError, match="its entries is 2, and was 1: its log is another"):
        golden_journal(golden).__enter__()
    with pytest.raises(AssertionError, match="its entries is 2"):
        record_golden(golden, Wayward, renew=True)


def test_one_that_is_named_no_more(golden: Path) -> None:
    """A projection that has another name now, or was forgotten, is not compared in silence."""
    said = "the view wayward was recorded, and is not compared"

    with pytest.warns(UserWarning, match=said), golden_journal(golden):
        pass


def cut(content: bytes) -> bytes:
    """Return half of a file."""
    return content[: len(content) // 2]


def zeroed(content: bytes) -> bytes:
    """Return a file with a page that was lost."""
    return content[:8192] + bytes(4096) + content[12288:]


@pytest.mark.parametrize("damage", [cut, zeroed, lambda _: b"hello", lambda _: b""])
def test_a_file_that_is_damaged(golden: Path, damage: Callable[[bytes], bytes]) -> None:
    """It is named by its own path, and not by that of the copy, with how it is mended."""
    golden.write_bytes(damage(golden.read_bytes()))

    for check in (golden_journal, partial(record_golden, renew=True)):
        with pytest.raises(AssertionError, match="bring both files back") as caught:
            check(golden)
        assert str(golden) in str(caught.value)
        assert "/draft-journal-" not in str(caught.value)


def test_it_is_checked_where_it_is_called(golden: Path) -> None:
    """What is not what it was fails also where nobody opens it."""
    with Journal(golden) as journal:
        journal.create("Account", {}, id="2")

    with pytest.raises(AssertionError, match="its entries is 2, and was 1"):
        golden_journal(golden, Wayward)


def test_what_cannot_be_meant(golden: Path, tmp_path: Path) -> None:
    """What is no projection, and what is no journal, is named with what it takes."""
    for check in (golden_journal, record_golden):
        for view in ("wayward", Wayward.apply, Journal):
            with pytest.raises(TypeError, match="is no class of a projection; name the class"):
                check(golden, view)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="name the journal beside it"):
            check(golden.with_suffix(".json"))
        with pytest.raises(FileNotFoundError, match=r"no\.db is not there: make the journal"):
            check(tmp_path / "no.db")


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", "{}"),
        '{"journal_id": "", "entries": 1, "head_hash": "", "views": []}',
        '{"journal_id": "", "entries": 1, "head_hash": "", "views": {"records": 1}}',
    ],
)
def test_what_was_recorded_was_changed(golden: Path, text: str) -> None:
    """What nobody could have recorded is told with its name."""
    golden.with_suffix(".json").write_text(text, encoding="utf-8")

    with pytest.raises(AssertionError, match=r"old\.json is not what record_golden\(\) has"):
        golden_journal(golden, Wayward).__enter__()


def test_it_is_recorded_once(golden: Path) -> None:
    """What was recorded is not recorded over; what was not says how it is."""
    with pytest.raises(FileExistsError, match="renew=True"):
        record_golden(golden)
    golden.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match=r"old\.json is not there: .*record_golden\("):
        golden_journal(golden).__enter__()
