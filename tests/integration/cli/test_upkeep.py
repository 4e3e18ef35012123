"""verify, rebuild."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.log import has_wal_reset_bug
from tests.integration.cli.conftest import Cli, on_terminal
from tests.integration.cli.test_log import damage

if TYPE_CHECKING:
    from pathlib import Path


class TestVerify:
    """The whole log, checked."""

    def test_an_intact_log(self, cli: Cli, file: Path) -> None:
        """The entries are counted, and the head hash is there to be written down."""
        cli("create", "A", "--id", "1")

        done, as_json = cli("verify"), cli("verify", "--json")

        with Journal(file) as journal:
            found = journal.log.verify()
        assert done.code == as_json.code == 0
        assert done.out.splitlines()[:2] == [
            f"intact: 1 entry of journal {found.journal_id}",
            f"head hash {found.head_hash}",
        ]
        assert as_json.objects == [
            {
                "journal_id": found.journal_id,
                "intact": True,
                "entries": 1,
                "head_hash": found.head_hash,
                "problems": [],
                "anchor": None,
                "sqlite_version": sqlite3.sqlite_version,
                "wal_reset_bug": has_wal_reset_bug(),
            }
        ]

    @pytest.mark.parametrize("form", ["hash", "file"])
    def test_against_an_anchor(self, cli: Cli, file: Path, tmp_path: Path, form: str) -> None:
        """With an anchor, a log that was cut or made anew is found, which is whole by itself."""
        cli("create", "A", "--id", "1")
        cli("create", "A", "--id", "2")
        kept = cli("verify", "--json")
        (tmp_path / "anchor.json").write_text(kept.out, encoding="utf-8")
        digest = kept.objects[0]["head_hash"]
        anchor = f"2:{digest}" if form == "hash" else str(tmp_path / "anchor.json")
        cli("create", "A", "--id", "3")

        holds = cli("verify", "--anchor", anchor)
        as_json = cli("verify", "--anchor", anchor, "--json").objects[0]
        damage(file, "DELETE FROM entries WHERE position > 1")
        damage(file, "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'entries'")
        cut = cli("verify", "--anchor", anchor)
        for part in tmp_path.glob(f"{file.name}*"):
            part.unlink()
        cli("create", "A", "--id", "1")
        cli("create", "A", "--id", "2")
        anew = cli("verify", "--anchor", anchor)

        assert holds.code == 0
        assert "it holds entry 2 of the anchor, unchanged" in holds.out
        assert (as_json["intact"], as_json["anchor"]) == (True, {"position": 2, "hash": digest})
        assert (cut.code, anew.code) == (1, 1)
        assert "at 2: entry 2, of the anchor, was cut off: the log ends before it" in cut.out
        said = "not the entry of the anchor" if form == "hash" else "and the anchor is of"
        assert said in anew.out
        assert cli("verify").code == 0

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "is neither POSITION:HASH nor a file that can be read"),
            ("hello", "is not the answer of draft-journal verify --json"),
            ("\0", "is not the answer of draft-journal verify --json: it is UTF-16, or has zero"),
            ("[1]", "is not the answer of draft-journal verify --json"),
            ('{"entries":1}', "is not the answer of draft-journal verify --json"),
            (
                '{"entries":1,"head_hash":"a","journal_id":"j","intact":false}',
                "is of a log in which something was wrong already",
            ),
        ],
    )
    def test_what_is_no_anchor(
        self, cli: Cli, tmp_path: Path, content: str | None, said: str
    ) -> None:
        """What is no anchor is wrong usage."""
        cli("create", "A")
        path = tmp_path / "anchor.json"
        if content is not None:
            path.write_text(content, encoding="utf-8")

        done = cli("verify", "--anchor", str(path))

        assert done.code == 2
        assert said in done.err

    def test_the_bug_of_sqlite_is_named(self, cli: Cli) -> None:
        """It is said whether this SQLite has the WAL-reset bug, and what is done about it."""
        cli("create", "A")

        says_so = "WAL-reset bug" in cli("verify").out

        assert says_so is has_wal_reset_bug()

    def test_a_damaged_log(self, cli: Cli, file: Path) -> None:
        """Every problem is named with its position, and the exit code is 1."""
        cli("create", "A", "Name=Acme", "--id", "1")
        cli("create", "A", "--id", "2")
        damage(file, "UPDATE entries SET actor = 'eve' WHERE position = 1")

        done, as_json = cli("verify"), cli("verify", "--json")

        (found,) = as_json.objects
        assert done.code == as_json.code == 1
        assert "1 problem: 2 entries of journal" in done.out
        assert "  at 1: its hash does not fit its content: it was changed\n" in done.out
        assert (found["intact"], [p["position"] for p in found["problems"]]) == (False, [1])

    def test_on_a_terminal(self, file: Path) -> None:
        """A person sees a bar while it runs, and it is gone at the end."""
        with Journal(file) as journal, journal.batch():
            for at in range(1500):
                journal.create("A", {}, id=str(at))

        done = on_terminal(file, "verify", environment={"NO_COLOR": "1"})

        assert done.code == 0
        assert "verifying" in done.out
        assert "intact: 1,500 entries" in done.out


class TestRebuild:
    """Views, made anew."""

    def test_all_views(self, cli: Cli) -> None:
        """Without a name, every view is made anew."""
        cli("create", "A", "--id", "1")

        done = cli("rebuild")

        assert done.code == 0
        assert done.out.splitlines() == [
            "rebuilt records up to position 1",
            "rebuilt drafts up to position 1",
            "rebuilt history up to position 1",
        ]

    def test_a_view_by_name(self, cli: Cli) -> None:
        """The digest of a rebuilt view is that of one that lived through the log."""
        cli("create", "A", "Name=a", "--id", "1")
        cli("list", "A")
        cli("update", "A:1", "Name=b")

        first, again = cli("rebuild", "records", "--json"), cli("rebuild", "records", "--json")

        assert first.objects == again.objects
        assert [(o["view"], o["position"]) for o in first.objects] == [("records", 2)]

    def test_a_damaged_view_is_mended(self, cli: Cli, file: Path) -> None:
        """What somebody did to the tables of a view is undone."""
        cli("create", "A", "Name=a", "--id", "1")
        before = cli("list", "A").out
        connection = sqlite3.connect(file)
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'records%'"
            )
        ]
        for table in tables:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
        connection.commit()
        connection.close()
        if not tables:
            pytest.fail("the records have no tables")

        cli("rebuild", "records")

        assert cli("list", "A").out == before
