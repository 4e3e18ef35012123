"""log."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from typing import TYPE_CHECKING

from journal import Journal
from journal.cli.entries import PAGE
from tests.integration.cli.conftest import TIMEOUT_S, Cli, Done, command, in_process, on_terminal

if TYPE_CHECKING:
    from pathlib import Path


class TestLog:
    """The whole log, for people and for programs."""

    def test_for_a_person(self, cli: Cli) -> None:
        """One aligned line an event: when, who, what, of which record, why."""
        cli("create", "Account", "Name=Acme", "No:=5", "--id", "acme")
        cli("update", "Account:acme", "Name=Acme Ltd", "--reason", "renamed")
        cli("delete", "Account:acme")

        done = cli("log")

        lines = [
            re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", x) for x in done.out.splitlines()
        ]
        assert [re.sub(r" {2,}", "  ", line) for line in lines] == [
            "  #  time (UTC)  actor  event  record  what",
            "  1  TIME  ann  created  Account:acme  Name=Acme  No:=5",
            "  2  TIME  ann  updated  Account:acme  Name=Acme Ltd  (renamed)",
            "  3  TIME  ann  deleted  Account:acme",
        ]
        assert len({line.index("Account:acme") for line in done.out.splitlines()[1:]}) == 1

    def test_as_json(self, cli: Cli, file: Path) -> None:
        """One object an event, with its whole envelope; the time is UTC with microseconds."""
        cli("create", "Account", "Name=Łódź", "--id", "acme", "--reason", "new")

        done = cli("log", "--json")

        with Journal(file) as journal:
            (entry,) = journal.log.read()
        assert "Łódź" in done.out
        assert done.objects == [
            {
                "position": 1,
                "at": f"{entry.at:%Y-%m-%dT%H:%M:%S.%f}Z",
                "event": "RecordCreated",
                "ref": "Account:acme",
                "version": 1,
                "actor": "ann",
                "origin": entry.origin,
                "reason": "new",
                "correlation_id": None,
                "causation_id": None,
                "trace": None,
                "event_id": entry.event_id,
                "batch": 1,
                "clock_adjusted": False,
                "schema_version": 1,
                "data": {"fields": {"Name": "Łódź"}},
            }
        ]

    def test_parts(self, cli: Cli) -> None:
        """--after and --last choose the end of the log."""
        for at in range(4):
            cli("create", "A", "--id", str(at))

        def positions(*arguments: str) -> list[int]:
            return [e["position"] for e in cli("log", "--json", *arguments).objects]

        assert positions() == [1, 2, 3, 4]
        assert positions("--after", "3") == [4]
        assert positions("--after", "9") == []
        assert positions("--last", "2") == [3, 4]
        assert positions("--last", "9", "--after", "1") == [2, 3, 4]
        assert positions("--last", "0") == []

    def test_more_than_a_page(self, cli: Cli, file: Path) -> None:
        """A long log is read page by page, with the titles once."""
        with Journal(file) as journal, journal.batch():
            for at in range(PAGE + 2):
                journal.create("A", {}, id=str(at))

        assert len(cli("log").out.splitlines()) == PAGE + 3
        assert len(cli("log", "--json").objects) == PAGE + 2

    def test_nothing(self, cli: Cli, file: Path) -> None:
        """An empty log says what to do next; to a program it says nothing."""
        Journal(file).close()

        assert "draft-journal create" in cli("log").out
        assert cli("log", "--json").out == ""

    def test_beyond_the_end(self, cli: Cli) -> None:
        """After a position beyond the end, it says where the log ends; to a program nothing."""
        cli("create", "A")

        assert cli("log", "--after", "7") == Done(
            0, "There is nothing after position 7: the log ends at 1.\n", ""
        )
        assert cli("log", "--after", "7", "--json") == Done(0, "", "")

    def test_every_kind_of_event(self, cli: Cli, file: Path) -> None:
        """What a pull saw, and what is unknown to this release, is shown too."""
        with Journal(file) as journal:
            ref = journal.create("A", {"a": 1}, id="1")
            journal.observe(ref, {"a": 2}, remote_version="v2")
            journal.observe(ref, None)

        shown = cli("log").out

        assert "observed      A:1           a:=2\n" in shown
        assert "the remote has no such record" in shown

    def test_damaged_data_is_shown_as_such(self, cli: Cli, file: Path) -> None:
        """An entry whose data cannot be read does not hide the others."""
        cli("create", "A", "--id", "1")
        cli("create", "A", "--id", "2")
        damage(file, "UPDATE entries SET data = X'7B1B' WHERE position = 1")
        damage(file, "UPDATE entries SET event_type = 'RecordPraised' WHERE position = 2")

        done = cli("log")

        assert "its data cannot be read" in done.out
        assert "RecordPraised" in done.out
        assert [e["data"] for e in cli("log", "--json").objects] == [None, {"fields": {}}]

    def test_control_characters_are_escaped(self, file: Path, cli: Cli) -> None:
        """What is stored cannot act on a terminal; a program gets it exactly."""
        in_process(file, "create", "A", "Name=\x1b]0;owned\x07\nnext", "--id", "1")

        assert "Name=\\x1b]0;owned\\x07\\nnext" in on_terminal(file, "log", columns=200).out
        assert json.loads(cli("log", "--json").out)["data"]["fields"]["Name"] == (
            "\x1b]0;owned\x07\nnext"
        )

    def test_the_width_of_the_terminal_is_kept(self, file: Path) -> None:
        """On a terminal, no line is wider than it; long ids are shown by their end."""
        plain = {"NO_COLOR": "1"}
        ref = in_process(file, "create", "Account", f"Name={'Acme ' * 40}").out.strip()

        done = on_terminal(file, "log", columns=90, environment=plain)

        assert max(map(len, done.out.splitlines())) <= 90
        assert f"Account:…{ref[-8:]}" in done.out


class TestFollow:
    """log --follow."""

    def test_what_another_process_appends_is_shown(self, cli: Cli, file: Path) -> None:
        """Entries appear as they are appended, until the program is terminated."""
        cli("create", "A", "--id", "1")

        with subprocess.Popen(
            command(file, "log", "--follow", "--json"), stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            seen = [json.loads(process.stdout.readline())["ref"]]
            for name in ("2", "3"):
                cli("create", "A", "--id", name)
                seen.append(json.loads(process.stdout.readline())["ref"])
            process.terminate()
            code = process.wait(TIMEOUT_S)

        assert seen == ["A:1", "A:2", "A:3"]
        assert code == -15

    def test_for_a_person(self, cli: Cli, file: Path) -> None:
        """A table that goes on has its titles once."""
        cli("create", "A", "--id", "1")

        with subprocess.Popen(command(file, "log", "--follow"), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            words = [process.stdout.readline().split()[0] for _ in range(2)]
            cli("create", "A", "--id", "2")
            words.append(process.stdout.readline().split()[0])
            process.terminate()
            process.wait(TIMEOUT_S)

        assert words == [b"#", b"1", b"2"]


def damage(file: Path, statement: str) -> None:
    """Do to the log what only somebody with an SQLite shell can do."""
    connection = sqlite3.connect(file)
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    for _, trigger in triggers:
        connection.execute(trigger)
    connection.commit()
    connection.close()
