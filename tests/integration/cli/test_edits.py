"""create, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.cli.conftest import Cli, Done, in_process, on_terminal

if TYPE_CHECKING:
    from pathlib import Path


def changes(cli: Cli) -> list[tuple[str, str, object]]:
    """What was appended: the event, the record, and what is stored."""
    return [(e["event"], e["ref"], e["data"]) for e in cli("log", "--json").objects]


class TestCreate:
    """create TYPE Field=…."""

    def test_a_record_is_created(self, cli: Cli) -> None:
        """The three notations become text, JSON and a reference; the output is the reference."""
        cli("create", "User", "--id", "7")

        done = cli("create", "Account", "Name=5", "No:=5", "Owner=@User:7", "--id", "acme")

        assert done == Done(0, "Account:acme\n", "")
        assert changes(cli)[1] == (
            "RecordCreated",
            "Account:acme",
            {
                "fields": {"Name": "5", "No": 5, "Owner": "User:7"},
                "references": ["/fields/Owner"],
            },
        )

    def test_an_id_is_made(self, cli: Cli) -> None:
        """Without an id, the record gets a new one."""
        first, second = cli("create", "Account").out, cli("create", "Account").out

        assert first.startswith("Account:")
        assert first != second

    def test_as_json(self, cli: Cli) -> None:
        """The draft id is that of the event; a second time it is null, for nothing happened."""
        created = cli("create", "Account", "Name=A", "--id", "acme", "--json").objects
        again = cli("--json", "create", "Account", "Name=A", "--id", "acme").objects

        (entry,) = cli("log", "--json").objects
        assert created == [
            {"change": "create", "ref": "Account:acme", "draft_id": entry["event_id"]}
        ]
        assert again == [{"change": "create", "ref": "Account:acme", "draft_id": None}]

    def test_an_id_with_other_fields_is_refused(self, cli: Cli) -> None:
        """An id that was used with other fields is refused."""
        cli("create", "Account", "Name=A", "--id", "acme")

        done = cli("create", "Account", "Name=B", "--id", "acme")

        assert (done.code, done.out) == (1, "")
        assert "Account:acme exists already" in done.err

    def test_on_a_terminal_it_says_what_it_did(self, file: Path) -> None:
        """A person reads what happened, and what did not."""
        plain = {"NO_COLOR": "1"}

        first = on_terminal(file, "create", "A", "--id", "1", environment=plain)
        again = on_terminal(file, "create", "A", "--id", "1", environment=plain)

        assert first.out == "created A:1\n"
        assert again.out == "unchanged: A:1 exists already, with these fields\n"

    def test_actor_and_reason_are_kept(self, cli: Cli) -> None:
        """Who and why stand in the log."""
        cli("create", "A", "--actor", "bob", "--reason", "a new customer")

        (entry,) = cli("log", "--json").objects
        assert (entry["actor"], entry["reason"]) == ("bob", "a new customer")

    def test_the_journal_is_private(self, cli: Cli, file: Path) -> None:
        """The file is made for its user alone."""
        cli("create", "A")

        assert file.stat().st_mode & 0o777 == 0o600


class TestUpdate:
    """update REF Field=…."""

    def test_fields_are_set(self, cli: Cli) -> None:
        """The change is stored with what was there before; null leaves no value."""
        cli("create", "A", "a=1", "b=2", "--id", "1")

        done = cli("update", "A:1", "a=2", "b:=null", "c:=true")

        assert done == Done(0, "updated A:1\n", "")
        assert changes(cli)[1] == (
            "RecordUpdated",
            "A:1",
            {"changes": {"a": "2", "b": None, "c": True}, "base": {"a": "1", "b": "2"}},
        )

    def test_what_is_so_already_is_not_stored(self, cli: Cli) -> None:
        """A change that changes nothing says so, and appends nothing."""
        cli("create", "A", "a=1", "--id", "1")

        assert cli("update", "A:1", "a=1") == Done(
            0, "unchanged: A:1 has these values already\n", ""
        )
        assert cli("update", "A:1", "a=1", "--json").objects == [
            {"change": "update", "ref": "A:1", "draft_id": None}
        ]
        assert len(changes(cli)) == 1

    def test_expected_version(self, cli: Cli) -> None:
        """A change on another version than the expected one is refused."""
        cli("create", "A", "a=1", "--id", "1")
        cli("update", "A:1", "a=2", "--expected-version", "1")

        done = cli("update", "A:1", "a=3", "--expected-version", "1", "--json")

        assert done.code == 1
        assert done.error["type"] == "VersionConflictError"
        assert done.error["facts"] == {"stream": "A:1", "expected": 1, "actual": 2}

    def test_a_reference_may_be_short(self, cli: Cli) -> None:
        """An id may be given by its end, as it is shown."""
        ref = cli("create", "A", "a=1").out.strip()

        for mark in ("…", "..."):
            done = cli("update", f"A:{mark}{ref[-8:]}", f"a={mark}")
            assert done.out == f"updated {ref}\n"

    def test_a_short_reference_must_lead_to_one_record(self, cli: Cli) -> None:
        """An end that no id has, or several have, is refused."""
        cli("create", "A", "--id", "x-100000")
        cli("create", "A", "--id", "y-100000")

        several, none = cli("delete", "A:…100000"), cli("delete", "A:…200000")

        assert several.code == 2
        assert "2 records end in 100000, such as A:x-100000, A:y-100000" in several.err
        assert none.code == 1
        assert "A:…200000 is unknown" in none.err


class TestDelete:
    """delete REF."""

    def test_a_record_is_deleted_once(self, cli: Cli) -> None:
        """A second delete says that there was nothing to do."""
        cli("create", "A", "--id", "1")

        assert cli("delete", "A:1") == Done(0, "deleted A:1\n", "")
        assert cli("delete", "A:1") == Done(0, "unchanged: A:1 is deleted already\n", "")
        assert [event for event, _, _ in changes(cli)] == ["RecordCreated", "RecordDeleted"]

    def test_in_a_process_of_its_own(self, file: Path) -> None:
        """Each command is a process; what one has stored the next one sees."""
        created = in_process(file, "create", "A", "Name=Łódź", "--json")
        ref = created.objects[0]["ref"]

        assert in_process(file, "delete", ref) == Done(0, f"deleted {ref}\n", "")
