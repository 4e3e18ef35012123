"""prime, pull and types, against the stand-in org on a real socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from journal.testing.salesforce import EXTERNAL_ID, Org, Settings
from tests.integration.cli.conftest import on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.cli.conftest import Cli

PROFILE = """\
service = "salesforce"
url = "{url}"
allow_insecure = true
key = "{key}"

[auth]
bearer = "{{env:ORG_TOKEN}}"

[types.Account.pull]
fields = ["Name", "Phone"]
"""
SOQL = "SELECT Name FROM Account"


@pytest.fixture
def org() -> Org:
    """An org with three hundred accounts, which shows two hundred at once."""
    org = Org(settings=Settings(page_size=200))
    for number in range(300):
        org.create("Account", {"Name": f"A {number:03}"})
    return org


@pytest.fixture
def profile(org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The profile of the org."""
    monkeypatch.setenv("ORG_TOKEN", org.access_token())
    path = tmp_path / "org.toml"
    with org.serve() as url:
        path.write_text(PROFILE.format(url=url, key=EXTERNAL_ID), encoding="utf-8")
        yield str(path)


class TestRemoteCheck:
    """A profile of an org, tried."""

    def test_the_one_type_that_is_named_is_tried(self, cli: Cli, profile: str) -> None:
        """What goes for all other types is no type."""
        done = cli("remote", "check", profile, "--write", "--yes", "Name=Probe", "Phone=1")

        assert done.code == 0, done
        assert "does not" not in done.out

    def test_of_several_types_one_is_to_be_named(self, cli: Cli, profile: str) -> None:
        """The message lists those that there are."""
        path = Path(profile)
        path.write_text(f"{path.read_text('utf-8')}\n[types.Contact]\n", encoding="utf-8")

        done = cli("remote", "check", profile)

        assert done.code == 2
        assert "the profile names Account, Contact\n" in done.err


class TestPrime:
    """What a query lists, stored."""

    def test_for_a_person(self, cli: Cli, profile: str) -> None:
        """A line for each page on standard error, and a report."""
        done = cli("prime", "--remote", profile, "--soql", SOQL)

        assert done.code == 0
        assert done.out.startswith("300 records stored, 0 deleted there, 0 known already in ")
        assert done.err.splitlines() == [
            "Account: 1 page, 200 records",
            "Account: 2 pages, 300 records",
        ]

    def test_as_json_and_resumed(self, cli: Cli, profile: str) -> None:
        """One object; the exit code is 3 where there may be more."""
        command = ("prime", "--remote", profile, "--soql", SOQL, "--json")
        (first,) = (limited := cli(*command, "--pages", "1")).objects
        (rest,) = (done := cli(*command)).objects

        assert (limited.code, first["observed"], first["stopped_by"]) == (3, 200, "limit")
        assert (done.code, rest["observed"], rest["stopped_by"]) == (0, 100, None)

    def test_what_is_no_query(self, cli: Cli, profile: str) -> None:
        """It is said what is wrong with it."""
        done = cli("prime", "--remote", profile, "--soql", "SELECT Owner.Name FROM Account")

        assert done.code == 1
        assert "Owner.Name is a field of another record" in done.err

    def test_what_the_org_refuses(self, cli: Cli, profile: str) -> None:
        """In its words."""
        done = cli("prime", "--remote", profile, "--soql", "SELECT Nme FROM Account")

        assert done.code == 3
        assert "In the way: " in done.out
        assert "Nme" in done.out

    def test_on_a_terminal(self, file: Path, profile: str) -> None:
        """A bar, which is gone at the end."""
        done = on_terminal(file, "prime", "--remote", profile, "--soql", SOQL)

        assert "priming" in done.out
        assert "300 records stored" in done.out


class TestTypes:
    """What the org takes."""

    def test_asked_listed_and_shown(self, cli: Cli, profile: str) -> None:
        """First the org is asked; then it is known, also offline."""
        asked = cli("types", "--remote", profile, "Account", "Contact")
        listed = cli("types")
        shown = cli("types", "Account")

        assert (asked.code, asked.out) == (0, "described Account\ndescribed Contact\n")
        title, account, contact = listed.out.splitlines()
        assert title.split() == [
            *("type", "label", "fields", "can", "be", "asked", "described", "by")
        ]
        assert "created, updated, deleted" in account
        assert contact.startswith("Contact")
        lines = shown.out.splitlines()
        assert lines[0] == "Account"
        assert lines[1].startswith("can be created, updated, deleted; described by http://")
        [name] = [line for line in lines if line.startswith("Name ")]
        assert [part.strip() for part in name.split("  ") if part] == [
            *("Name", "Account Name", "text of at most 255", "required", "yes")
        ]
        [rating] = [line for line in lines if line.startswith("Rating ")]
        assert "one of Hot, Warm, Cold" in rating

    def test_as_json(self, cli: Cli, profile: str) -> None:
        """One object a type; its fields where it is named."""
        (asked,) = cli("types", "--remote", profile, "--json").objects
        (listed,) = cli("types", "--json").objects
        (shown,) = cli("types", "Account", "--json").objects

        assert asked == listed
        assert (listed["type"], listed["createable"]) == ("Account", True)
        assert len(shown["fields"]) == listed["fields"]
        [name] = [field for field in shown["fields"] if field["name"] == "Name"]
        assert (name["kind"], name["required"], name["length"]) == ("text", True, 255)

    def test_a_type_that_the_org_does_not_have(self, cli: Cli, profile: str) -> None:
        """The others are described; the exit code says that one was not."""
        done = cli("types", "--remote", profile, "Nothing", "Account")
        (_, refused) = cli("types", "--remote", profile, "Nothing", "Account", "--json").objects

        assert done.code == 1
        assert done.out.startswith("described Account\nnot described Nothing: ")
        assert refused["type"] == "Nothing"
        assert cli("types", "Nothing").code == 1

    def test_an_org_that_is_down(self, cli: Cli, profile: str, tmp_path: Path) -> None:
        """It is said why, and the exit code is 3."""
        assert profile
        path = tmp_path / "down.toml"
        path.write_text(PROFILE.format(url="http://127.0.0.1:1", key=EXTERNAL_ID))
        done = cli("types", "--remote", str(path), "--attempts", "1")

        assert done.code == 3
        assert "In the way: " in done.err

    def test_forgotten(self, cli: Cli, profile: str) -> None:
        """What was described may be forgotten."""
        cli("types", "--remote", profile)

        assert cli("types", "--forget", "Account").out == "forgotten Account\n"
        assert cli("types", "--forget", "Account", "--json").objects == [
            {"type": "Account", "forgotten": False}
        ]
        assert cli("types").out.startswith("No record types are described.")
        assert cli("types", "--forget").code == 2


class TestHints:
    """A draft that the org would surely refuse."""

    def test_refused_warned_of_or_made(self, cli: Cli, profile: str) -> None:
        """It is refused, unless somebody says otherwise."""
        cli("types", "--remote", profile)
        refused = cli("create", "Account", "Phone=1")
        warned = cli("create", "Account", "Phone=1", "--id", "a", "--hints", "warn")
        as_json = cli("create", "Account", "Phone=1", "--id", "c", "--hints", "warn", "--json")
        made = cli("create", "Account", "Phone=1", "--id", "b", "--hints", "off")

        assert refused.code == 1
        assert "would be refused: Name: is required" in refused.err
        assert (warned.code, warned.out) == (0, "Account:a\n")
        assert warned.err == "warning: Account:a would be refused: Name: is required\n"
        assert json.loads(as_json.err) == {
            "warning": {"problem": "Account:c would be refused: Name: is required"}
        }
        assert (made.code, made.err) == (0, "")

    def test_a_type_without_a_form(self, cli: Cli, profile: str) -> None:
        """It is said which there are, and how to get that one."""
        cli("types", "--remote", profile, "Account")

        done = cli("new", "Visit__c")

        assert done.code == 2
        assert "There are forms for Account." in done.err
        assert "draft-journal types --remote PROFILE.toml Visit__c" in done.err

    def test_a_form(self, cli: Cli, profile: str, org: Org) -> None:
        """What is known of a type is a form, too."""
        cli("types", "--remote", profile)
        ref = cli("new", "Account", "Name=Acme", "Industry=energy", "NumberOfEmployees=12").out
        done = cli("push", "--remote", profile)

        assert done.code == 0
        (made,) = [row for row in org.records("Account") if row["Name"] == "Acme"]
        assert (made["Industry"], made["NumberOfEmployees"]) == ("Energy", 12)
        assert made[EXTERNAL_ID] == ref.strip().partition(":")[2]
