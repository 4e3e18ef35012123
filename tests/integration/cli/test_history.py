"""history."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.cli.conftest import Cli

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


class TestHistory:
    """history REF."""

    def test_for_a_person(self, cli: Cli) -> None:
        """Who changed the record, when, why, and every field from what to what."""
        cli("create", "User", "--id", "7")
        cli("create", "Account", "Name=Acme", "No:=5", "--id", "acme")
        cli(
            "update",
            "Account:acme",
            "Name=Acme Ltd",
            "No:=null",
            "Owner=@User:7",
            "--actor",
            "bob",
            "--reason",
            "renamed",
        )
        cli("delete", "Account:acme")

        done = cli("history", "Account:acme")

        assert TIME.sub("TIME", done.out) == (
            "Account:acme  3 events\n"
            "\n"
            "TIME  created  by ann\n"
            "    Name  Acme\n"
            "    No    5\n"
            "    pending\n"
            "\n"
            "TIME  updated  by bob\n"
            "    why: renamed\n"
            "    Name   Acme → Acme Ltd\n"
            "    No     5 → nothing\n"
            "    Owner  @User:7\n"
            "    pending\n"
            "\n"
            "TIME  deleted  by ann\n"
            "    Name   Acme Ltd → nothing\n"
            "    Owner  @User:7 → nothing\n"
            "    pending\n"
        )

    def test_as_json(self, cli: Cli, file: Path) -> None:
        """One object an event; the references among the values are pointed to."""
        cli("create", "User", "--id", "7")
        cli("create", "A", "Owner=@User:7", "--id", "1", "--reason", "new")

        (found,) = cli("history", "A:1", "--json").objects

        with Journal(file) as journal:
            entry = journal.log.read(after=1)[0]
        assert found == {
            "position": 2,
            "at": f"{entry.at:%Y-%m-%dT%H:%M:%S.%f}Z",
            "actor": "ann",
            "origin": entry.origin,
            "reason": "new",
            "ref": "A:1",
            "event": "RecordCreated",
            "event_id": entry.event_id,
            "correlation_id": None,
            "draft_id": entry.event_id,
            "changes": [{"field": "Owner", "before": None, "after": "User:7"}],
            "references": ["/0/after"],
            "outcome": None,
        }

    def test_an_observation(self, cli: Cli, file: Path) -> None:
        """What a pull saw is told too."""
        with Journal(file, actor="pull") as journal:
            ref = journal.create("A", {"a": 1}, id="1")
            journal.observe(ref, {"a": 2})

        lines = TIME.sub("TIME", cli("history", "A:1").out).splitlines()

        assert "TIME  observed  by pull" in lines
        assert "    a  2" in lines

    def test_an_unknown_record(self, cli: Cli) -> None:
        """A record without a history is an error."""
        cli("create", "A", "--id", "1")

        done = cli("history", "A:2")

        assert (done.code, done.out) == (1, "")
        assert "A:2 is unknown" in done.err

    def test_control_characters_are_escaped(self, cli: Cli) -> None:
        """Nothing of what is stored reaches a terminal as it is."""
        cli("create", "A", "a=\x1b[2J", "--id", "1", "--reason", "one\ntwo")

        shown = cli("history", "A:1").out

        assert "why: one\\ntwo" in shown
        assert "a  \\x1b[2J" in shown
