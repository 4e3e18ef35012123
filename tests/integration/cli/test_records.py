"""show, list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from journal import Journal
from tests.integration.cli.conftest import Cli, Done, on_terminal

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"NO_COLOR": "1"}


def observed(file: Path) -> None:
    """Make a journal with a record of the remote's, edited here."""
    with Journal(file) as journal:
        owner = journal.create("User", {}, id="7")
        acme = journal.create("Account", {}, id="new")
        journal.observe(
            acme, {"Name": "Acme", "No": 5, "Old": 1}, remote_id="001", remote_version='"3"'
        )
        journal.update(acme, {"Name": "Acme Ltd", "Owner": owner})


class TestShow:
    """show REF."""

    def test_a_record_that_is_only_here(self, cli: Cli) -> None:
        """The fields are listed, with what is pending."""
        cli("create", "Account", "Name=Acme", "No:=5", "--id", "acme")
        cli("update", "Account:acme", "No:=6")

        assert cli("show", "Account:acme").out == (
            "Account:acme  created here, 2 drafts pending\n"
            "version 2; the remote has not said anything of it\n"
            "field  value\n"
            "Name   Acme\n"
            "No     6\n"
        )

    def test_what_the_remote_has_stands_beside_it(self, cli: Cli, file: Path) -> None:
        """Where the remote has other values, they stand in a column of their own."""
        observed(file)

        lines = cli("show", "Account:new").out.splitlines()

        assert lines[1] == 'version 3; on the remote 001, version "3"'
        assert lines[2].split() == ["field", "value", "on", "the", "remote"]
        assert [" ".join(line.split()) for line in lines[3:]] == [
            "Name Acme Ltd Acme",
            "No 5 the same",
            "Old 1 the same",
            "Owner @User:7 (nothing)",
        ]

    def test_as_json(self, cli: Cli, file: Path) -> None:
        """The object has the fields, the references, what is pending, and the remote's state."""
        observed(file)

        (found,) = cli("show", "Account:new", "--json").objects

        ids = found["drafts"].pop("ids")
        assert len(ids) == 2
        assert found == {
            "ref": "Account:new",
            "type": "Account",
            "id": "new",
            "version": 3,
            "fields": {"Name": "Acme Ltd", "No": 5, "Old": 1},
            "references": {"Owner": "User:7"},
            "drafts": {"created": found["drafts"]["created"], "edited": True, "deleted": False},
            "remote": {
                "id": "001",
                "version": '"3"',
                "fields": {"Name": "Acme", "No": 5, "Old": 1},
                "references": {},
            },
        }

    def test_a_reference_within_a_field(self, cli: Cli, file: Path) -> None:
        """A reference within a field stands under its pointer, as an import takes it."""
        with Journal(file) as journal:
            user = journal.create("User", {}, id="7")
            journal.create("Team", {"Members": [{"User": user}]}, id="t")

        (found,) = cli("show", "Team:t", "--json").objects

        assert found["fields"] == {"Members": [{"User": "User:7"}]}
        assert found["references"] == {"/Members/0/User": "User:7"}

    def test_a_record_without_fields(self, cli: Cli) -> None:
        """A record may have none."""
        cli("create", "A", "--id", "1")

        assert cli("show", "A:1").out.endswith("no fields\n")

    def test_a_pending_delete(self, cli: Cli) -> None:
        """A record whose delete is pending can still be looked at."""
        cli("create", "A", "a=1", "--id", "1")
        cli("delete", "A:1")

        assert "A:1  deleted here, 2 drafts pending" in cli("show", "A:1").out

    def test_an_unknown_record(self, cli: Cli) -> None:
        """A record that the journal has never heard of is an error."""
        cli("create", "A", "--id", "1")

        assert cli("show", "A:2", "--json").error["type"] == "RecordMissingError"

    def test_control_characters_are_escaped(self, cli: Cli, file: Path) -> None:
        """Neither names nor values reach the terminal as they are."""
        cli("create", "A", "a=\x1b[2J\u202e", "--id", "1")

        shown = on_terminal(file, "show", "A:1", environment=PLAIN).out

        assert "\\x1b[2J\\u202e" in shown
        assert "\x1b" not in shown


class TestList:
    """list TYPE."""

    def test_records_in_a_table(self, cli: Cli) -> None:
        """One line a record, with a column for every field that any of them has."""
        cli("create", "A", "Name=Łódź", "--id", "1")
        cli("create", "A", "No:=5", "Text=5", "--id", "2")
        cli("create", "B")

        assert cli("list", "A").out == (
            "record  draft    Name  No  Text\n"
            "A:1     created  Łódź\n"
            'A:2     created        5   "5"\n'
        )

    def test_as_json(self, cli: Cli) -> None:
        """One object a line, of the same shape as that of show."""
        cli("create", "A", "a=1", "--id", "1")
        cli("create", "A", "a=2", "--id", "2")

        found = cli("list", "A", "--json").objects

        assert found == [cli("show", ref, "--json").objects[0] for ref in ("A:1", "A:2")]

    def test_where(self, cli: Cli) -> None:
        """--where compares exactly, in the three notations, and several must all fit."""
        cli("create", "User", "--id", "7")
        cli("create", "A", "a=1", "b:=true", "--id", "text")
        cli("create", "A", "a:=1", "b:=true", "--id", "number")
        cli("create", "A", "a:=1", "Owner=@User:7", "--id", "owned")

        def ids(*where: str) -> list[str]:
            options = [option for text in where for option in ("--where", text)]
            return [found["id"] for found in cli("list", "A", "--json", *options).objects]

        assert ids("a=1") == ["text"]
        assert ids("a:=1") == ["number", "owned"]
        assert ids("a:=1", "b:=true") == ["number"]
        assert ids("Owner=@User:7") == ["owned"]
        assert ids("Owner=User:7") == []
        assert ids("b:=null") == ["owned"]

    def test_limit(self, cli: Cli) -> None:
        """--limit cuts the list, and says so."""
        for name in "123":
            cli("create", "A", "--id", name)

        done = cli("list", "A", "--limit", "2")

        assert done.out.splitlines()[1:] == [
            "A:1     created",
            "A:2     created",
            "the first 2: there may be more",
        ]

    def test_deleted(self, cli: Cli) -> None:
        """A record whose delete is pending is listed only when it is asked for."""
        cli("create", "A", "--id", "1")
        cli("delete", "A:1")

        assert cli("list", "A", "--json").objects == []
        assert cli("list", "A", "--deleted").out.splitlines()[1:] == ["A:1     deleted"]

    def test_nothing_found(self, cli: Cli) -> None:
        """An empty list says what to do next, or what there is; to a program it says nothing."""
        cli("create", "A", "a=1", "--id", "1")

        assert cli("list", "B") == Done(
            0,
            "No B records. Create one: draft-journal create B Field=text\nThere are: A (1)\n",
            "",
        )
        assert cli("list", "A", "--where", "a=2").out == "None of the 1 A record matches.\n"
        assert cli("list", "B", "--json").out == ""

    def test_a_strange_field_name(self, cli: Cli) -> None:
        """A name that SQL would act on is refused as wrong usage, and finds nothing."""
        cli("create", "A", "a=1", "--id", "1")

        assert cli("list", "A", "--where", "a') OR 1=1").code == 2
        assert cli("list", "A", "--where", "SELECT=1").out == "None of the 1 A record matches.\n"

    def test_the_width_of_the_terminal_is_kept(self, cli: Cli, file: Path) -> None:
        """On a terminal, fields that do not fit are left out, and it is said how many."""
        fields: list[str] = [f"Field{at}=value {at}" for at in range(20)]
        cli("create", "A", *fields, "--id", "1")

        narrow = on_terminal(file, "list", "A", columns=60, environment=PLAIN).out
        wide = on_terminal(file, "list", "A", columns=300, environment=PLAIN).out

        assert max(map(len, narrow.splitlines())) <= 60
        assert "more fields: draft-journal show A:1" in narrow
        assert "value 19" in wide


class TestRoundTrip:
    """What is listed can be imported."""

    def test_listed_records_are_creates(self, cli: Cli, tmp_path: Path) -> None:
        """Fields and references of the JSON are those of a line of an import."""
        cli("create", "User", "--id", "7")
        cli("create", "A", "a=1", "Owner=@User:7", "--id", "1")
        found = [
            *cli("list", "User", "--json").objects,
            *cli("list", "A", "--json").objects,
        ]
        keys = ("type", "id", "fields", "references")
        lines: list[dict[str, Any]] = [
            {"change": "create", **{key: each[key] for key in keys}} for each in found
        ]
        text = "\n".join(map(json.dumps, lines))

        other = str(tmp_path / "other.db")
        cli("import", "-", "--journal", other, stdin=text.encode())

        copied = cli("list", "A", "--json", "--journal", other).objects
        assert [copied[0][key] for key in keys] == [found[1][key] for key in keys]
