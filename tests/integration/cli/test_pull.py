"""pull: against a record service on a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from journal.testing.service import RecordService

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.cli.conftest import Cli

PROFILE = """\
url = "{url}"

[changes]
path = "/{{type}}?since={{since}}&limit=2"
items = "/changes"
first = "0"
since = "/n"
deleted = "/deleted"
next = "/next"
answer = {{ fields = "/fields", key = "/id", version = "/etag" }}

[types.Account]
"""


@pytest.fixture
def service() -> Iterator[RecordService]:
    """A service with three accounts."""
    with RecordService() as service:
        for key in "abc":
            put(service, key, {"Name": key})
        yield service


@pytest.fixture
def profile(tmp_path: Path, service: RecordService) -> str:
    """The profile of the service."""
    path = tmp_path / "service.toml"
    path.write_text(PROFILE.format(url=service.url), encoding="utf-8")
    return str(path)


def put(service: RecordService, key: str, fields: dict[str, str]) -> None:
    """Do what another client would."""
    with httpx.Client(trust_env=False) as client:
        client.put(f"{service.url}/Account/{key}", json=fields).raise_for_status()


class TestPull:
    """What the service has, stored."""

    def test_for_a_person(self, cli: Cli, profile: str) -> None:
        """A line for each page on standard error, and a report."""
        done = cli("pull", "--remote", profile)
        again = cli("pull", "--remote", profile, "Account")

        assert done.code == 0
        assert done.out.startswith("3 records stored, 0 deleted there, 0 known already in 0.")
        assert done.err.splitlines() == [
            "Account: 1 page, 2 records",
            "Account: 2 pages, 3 records",
        ]
        assert again.out.startswith("0 records stored, 0 deleted there, 0 known already")
        assert "Name" in cli("show", "Account:a").out
        assert {line["actor"] for line in cli("log", "--json").objects} == {"pull"}

    def test_as_json(self, cli: Cli, service: RecordService, profile: str) -> None:
        """One object; the exit code is 3 where there may be more."""
        limited = cli("pull", "--remote", profile, "--pages", "1", "--json")
        cli("pull", "--remote", profile)
        cli("update", "Account:a", "Name=ours")
        put(service, "a", {"Name": "theirs"})
        done = cli("pull", "--remote", profile, "--json")

        assert (limited.code, limited.objects[0]["stopped_by"]) == (3, "limit")
        (found,) = done.objects
        assert found.pop("duration_s") >= 0
        assert (done.code, found) == (
            0,
            {
                "observed": 1,
                "unchanged": 0,
                "deleted": 0,
                "pages": 1,
                "conflicting": ["Account:a"],
                "left_out": [],
                "stopped_by": None,
                "problem": "",
            },
        )

    def test_conflicts_and_what_is_left_out_are_named(
        self, cli: Cli, service: RecordService, profile: str
    ) -> None:
        """A person sees what was changed there and here, and what cannot be kept."""
        cli("pull", "--remote", profile)
        cli("update", "Account:a", "Name=ours")
        put(service, "a", {"Name": "theirs"})
        put(service, "b", {"bad'name": "x"})
        done = cli("pull", "--remote", profile)

        assert done.code == 0
        assert "Changed there and here: Account:a\n" in done.out
        assert "Left out: Account:b: " in done.out

    def test_a_service_that_is_down(self, cli: Cli, service: RecordService, profile: str) -> None:
        """It is said why, and the exit code is 3."""
        service.stop()
        done = cli("pull", "--remote", profile, "--attempts", "1")

        assert done.code == 3
        assert "In the way: " in done.out
        assert "did not answer" in done.out

    def test_a_profile_without_changes(self, cli: Cli, tmp_path: Path) -> None:
        """The error names the key to write."""
        path = tmp_path / "bare.toml"
        path.write_text('url = "http://127.0.0.1:1"\n[types.Account]\n', encoding="utf-8")
        done = cli("pull", "--remote", str(path), "--json")

        assert done.code == 1
        assert done.error["facts"]["key"] == "changes"
