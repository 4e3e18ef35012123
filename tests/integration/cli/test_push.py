"""drafts, push: against a record service on a real socket."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal
from journal.log import Claim
from journal.testing.service import RecordService
from tests.integration.cli.conftest import Cli, Done, in_process, on_terminal
from tests.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PLAIN = {"NO_COLOR": "1"}


@pytest.fixture
def service() -> Iterator[RecordService]:
    """A record service that is up, and takes no account without a city."""

    def validate(collection: str, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
        is_wanting = collection == "Account" and not fields.get("City")
        return [("City", "an account needs a city")] if is_wanting else []

    with RecordService(validate=validate) as service:
        yield service


@pytest.fixture
def profile(tmp_path: Path, service: RecordService) -> str:
    """The profile of the service that is up."""
    path = tmp_path / "up.toml"
    path.write_text(f'url = "{service.url}"\n', encoding="utf-8")
    return str(path)


@pytest.fixture
def nobody(tmp_path: Path) -> str:
    """The profile of a service that is down."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path / "down.toml"
    path.write_text(f'url = "http://127.0.0.1:{port}"\n', encoding="utf-8")
    return str(path)


def some_drafts(cli: Cli) -> None:
    """Make three drafts of two records."""
    cli("create", "Account", "Name=Acme", "City=Bern", "--id", "acme")
    cli("create", "Visit", "Account=@Account:acme", "--id", "v1")
    cli("update", "Account:acme", "Name=Acme Ltd", "--reason", "renamed")


def refused_draft(cli: Cli) -> None:
    """Make a draft that the service refuses, one that refers to it, and one that does not."""
    cli("create", "Account", "Name=Acme", "--id", "acme")
    cli("create", "Visit", "Account=@Account:acme", "--id", "v1")
    cli("create", "Visit", "Subject=free", "--id", "v2")


class TestDrafts:
    """The queue, shown."""

    def test_for_a_person(self, cli: Cli) -> None:
        """One line a draft, in order, with its age and state; and what to do next."""
        some_drafts(cli)

        lines = re.sub(r"\d+ s", "0 s", cli("drafts").out).splitlines()

        assert lines == [
            "#  age  state    change  record        fields",
            "1  0 s  waiting  create  Account:acme  Name=Acme  City=Bern",
            "2  0 s  waiting  create  Visit:v1      Account=@Account:acme",
            "3  0 s  waiting  update  Account:acme  Name=Acme Ltd",
            "3 drafts pending. Send them: draft-journal push --remote PROFILE.toml",
        ]

    def test_as_json(self, cli: Cli) -> None:
        """One object a draft."""
        some_drafts(cli)

        first, second, third = cli("drafts", "--json").objects

        entry = cli("log", "--json", "--last", "1").objects[0]
        assert (first["ref"], second["references"]) == ("Account:acme", {"Account": "Account:acme"})
        assert 0 <= third.pop("age_s") < 60
        assert third == {
            "draft_id": entry["event_id"],
            "position": 3,
            "batch": 3,
            "change": "update",
            "ref": "Account:acme",
            "fields": {"Name": "Acme Ltd"},
            "references": {},
            "state": "pending",
            "at": entry["at"],
            "actor": "ann",
            "reason": "renamed",
            "revision": 0,
            "pushes": 0,
            "hold": None,
            "blocked_by": None,
            "why": "the update of Account:acme waits for its turn behind 2 drafts",
        }

    def test_limit(self, cli: Cli) -> None:
        """--limit shows the first drafts, and says that there are more."""
        some_drafts(cli)

        done = cli("drafts", "--limit", "1")

        assert len(cli("drafts", "--limit", "1", "--json").objects) == 1
        assert "3 drafts pending, the first 1 shown." in done.out

    def test_nothing(self, cli: Cli, profile: str) -> None:
        """An empty queue is said to be one."""
        some_drafts(cli)
        cli("push", "--remote", profile)

        assert cli("drafts").out == "No drafts are pending: everything is acknowledged.\n"
        assert cli("drafts", "--json").out == ""


class TestPush:
    """The queue, sent."""

    def test_everything_is_sent_in_order(
        self, cli: Cli, profile: str, service: RecordService
    ) -> None:
        """With the service up, everything is acknowledged, and the exit code is 0."""
        some_drafts(cli)

        done = cli("push", "--remote", profile)

        assert done.code == 0
        assert re.sub(r"in \d+\.\d s", "in 0.0 s", done.out) == (
            "3 drafts acknowledged in 0.0 s\nNothing is pending.\n"
        )
        assert done.err.splitlines() == [
            "1/3 acknowledged create Account:acme",
            "2/3 acknowledged create Visit:v1",
            "3/3 acknowledged update Account:acme",
        ]
        assert [effect.path for effect in service.effects] == [
            "/Account/acme",
            "/Visit/v1",
            "/Account/acme",
        ]

    def test_as_json(self, cli: Cli, profile: str) -> None:
        """The report is an object, and nothing else is written."""
        some_drafts(cli)

        done = cli("push", "--remote", profile, "--json")

        (report,) = done.objects
        assert (done.code, done.err) == (0, "")
        assert report.pop("duration_s") >= 0
        assert report == {
            "acknowledged": 3,
            "held": 0,
            "pending": 0,
            "attempts": 3,
            "stopped_by": None,
            "problem": "",
        }

    def test_nothing_to_send(self, cli: Cli, profile: str) -> None:
        """A second push has nothing to do."""
        some_drafts(cli)
        cli("push", "--remote", profile)

        done = cli("push", "--remote", profile)

        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("0 drafts acknowledged")

    def test_a_service_that_is_down(self, cli: Cli, nobody: str) -> None:
        """With the service down, nothing is lost, it is said why, and the exit code is 3."""
        some_drafts(cli)

        done = cli("push", "--remote", nobody, "--attempts", "1")
        as_json = cli("push", "--remote", nobody, "--attempts", "1", "--json")

        assert (done.code, as_json.code) == (3, 3)
        assert "3 drafts still pending\n" in done.out
        assert "The last attempt: " in done.out
        assert as_json.objects[0]["stopped_by"] == "unreachable"
        assert len(cli("drafts", "--json").objects) == 3

    def test_a_time_limit(self, cli: Cli, nobody: str) -> None:
        """With no time left, it gives up and says so."""
        some_drafts(cli)

        done = cli("push", "--remote", nobody, "--timeout", "0")

        assert done.code == 3
        assert "The time was up." in done.out

    def test_a_refused_draft_is_held(self, cli: Cli, profile: str) -> None:
        """What the service refuses is held, with its lane; the rest is sent; the exit code is 3."""
        refused_draft(cli)

        done = cli("push", "--remote", profile)

        held, blocked = cli("drafts", "--json").objects
        shown = cli("drafts").out
        assert done.code == 3
        assert "1 draft acknowledged" in done.out
        assert "2 drafts still pending, 1 held\n" in done.out
        assert (held["state"], held["ref"], held["blocked_by"]) == (
            "held",
            "Account:acme",
            held["draft_id"],
        )
        assert held["hold"]["class"] == "rejected"
        assert held["hold"]["messages"][0]["message"] == "an account needs a city"
        assert (blocked["ref"], blocked["blocked_by"]) == ("Visit:v1", held["draft_id"])
        assert "#1 the create of Account:acme is held: " in shown
        assert "#2 the create of Visit:v1 waits behind" in shown
        assert "2 drafts pending, 1 held." in shown
        assert "\n1  " in shown
        assert "held  " in cli("log").out
        assert "    held " in cli("history", "Account:acme").out

    def test_everything_behind_a_held_draft_may_wait(self, cli: Cli, profile: str) -> None:
        """With --on-held stop, nothing behind a held draft is sent."""
        refused_draft(cli)

        done = cli("push", "--remote", profile, "--on-held", "stop")

        assert done.code == 3
        assert "3 drafts still pending, 1 held\n" in done.out

    @pytest.mark.parametrize("form", [(), ("--json",)])
    def test_ctrl_c_says_what_is_safe(
        self, cli: Cli, profile: str, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
    ) -> None:
        """An interrupted push says how many drafts are acknowledged, and goes on when repeated."""
        some_drafts(cli)
        original = Journal.note_together
        notes = iter(range(100))

        def note(journal: Journal, *arguments: Any) -> Any:  # noqa: ANN401
            if next(notes) == 2:
                raise KeyboardInterrupt
            return original(journal, *arguments)

        with monkeypatch.context() as patched:
            patched.setattr(Journal, "note_together", note)
            done = cli("push", "--remote", profile, *form)

        text = (
            "Interrupted. Nothing is lost: 1 draft acknowledged, 2 still pending. "
            "Run the same command again to go on."
        )
        assert done.code == 130
        assert (done.error["problem"] if form else done.err.splitlines()[-1]) == text
        assert "Traceback" not in done.err
        assert cli("push", "--remote", profile).code == 0
        assert cli("drafts", "--json").out == ""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_watching(
        self, cli: Cli, file: Path, profile: str, service: RecordService, number: signal.Signals
    ) -> None:
        """With --watch, changes are sent as they are made, until a signal: a calm end."""
        some_drafts(cli)
        command = [sys.executable, "-m", "journal", "--journal", str(file)]
        command += ["push", "--remote", profile, "--watch"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stderr is not None
            first = [process.stderr.readline() for _ in range(3)]
            cli("create", "Account", "Name=Later", "City=Bern", "--id", "later")
            later = process.stderr.readline()
            busy = cli("push", "--remote", profile)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)

        assert first[-1] == "3/3 acknowledged update Account:acme\n"
        assert later == "4/4 acknowledged create Account:later\n"
        assert "Nothing is pending." in busy.out
        assert err == "stopped, after the draft that was under way\n"
        assert re.sub(r"in \d+\.\d s", "in 0.0 s", out) == (
            "4 drafts acknowledged in 0.0 s\nNothing is pending.\n"
        )
        assert process.returncode == 0
        assert len(service.effects) == 4

    def test_watching_with_json(self, cli: Cli, profile: str) -> None:
        """With --json, every step is an object, and the report is the last one."""
        some_drafts(cli)

        done = cli("push", "--remote", profile, "--watch", "--timeout", "0.6", "--json")

        *steps, report = done.objects
        assert [step["step"] for step in steps] == ["sending", "acknowledged"] * 3
        assert steps[-1]["ref"] == "Account:acme"
        assert (report["acknowledged"], report["attempts"], report["stopped_by"]) == (3, 3, None)

    def test_another_sender(
        self, cli: Cli, file: Path, profile: str, service: RecordService
    ) -> None:
        """Where another process sends, it is said which, and nothing is sent here."""
        some_drafts(cli)
        with Journal(file, origin="elsewhere") as journal:
            claim = Claim("default", "t", "elsewhere, process 7", 0, 60.0, monotonic())
            assert journal.log.leases.take(claim) is not None

            done = cli("push", "--remote", profile)

        assert done.code == 3
        assert "another sender has the lease: elsewhere, process 7, since 1970-01-01" in done.out
        assert "It goes on with them; there is nothing to do here.\n" in done.out
        assert service.effects == []

    def test_a_wrong_profile(self, cli: Cli, tmp_path: Path) -> None:
        """A profile that is wrong is an error that names the key."""
        path = tmp_path / "wrong.toml"
        path.write_text('url = "ftp://example.org"\n', encoding="utf-8")
        cli("create", "A")

        done = cli("push", "--remote", str(path), "--json")

        assert (done.code, done.error["type"]) == (1, "ProfileError")
        assert done.error["facts"] == {"key": "url", "keys": ["url"]}

    def test_all_mistakes_of_a_profile(self, cli: Cli, tmp_path: Path) -> None:
        """All that is wrong with a profile is said at once, a line for each."""
        path = tmp_path / "wrong.toml"
        path.write_text('url = "ftp://x"\n[creat]\n[update]\npth = 1\n', encoding="utf-8")

        done = cli("push", "--remote", str(path))

        assert done.err.splitlines() == [
            "error: profile key url: must be an http or https URL",
            "error: profile key update.pth: is unknown; did you mean path?",
            "error: profile key creat: is unknown; did you mean create?",
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("\ufeffurl = 'x'".encode(), "invisible byte order mark: take that away"),
            ("url = 'x'".encode("utf-16"), "it is UTF-16, or has zero bytes in it: save it as"),
            ("url = 'x'".encode("utf-16-le"), "it is UTF-16, or has zero bytes"),
            (b"url", "is not TOML"),
        ],
    )
    def test_an_encoding_of_windows(
        self, cli: Cli, tmp_path: Path, content: bytes, said: str
    ) -> None:
        """A profile that is not plain UTF-8 is refused in plain words."""
        cli("create", "A")
        path = tmp_path / "windows.toml"
        path.write_bytes(content)

        done = cli("push", "--remote", str(path))

        assert done.code == 1
        assert f"error: profile key file: {path} " in done.err
        assert said in done.err

    def test_history_tells_of_the_acknowledgement(self, cli: Cli, profile: str) -> None:
        """Each change says how it was acknowledged, and the record is said to be synced."""
        some_drafts(cli)
        cli("push", "--remote", profile)

        shown = cli("history", "Account:acme").out
        lines = cli("history", "Account:acme", "--json").objects

        assert shown.count("    acknowledged ") == 2
        assert "sending" not in shown
        assert lines[0]["outcome"]["state"] == "acknowledged"
        assert lines[0]["outcome"]["evidence"] == "answer"
        assert "Account:acme  synced" in cli("show", "Account:acme").out
        assert "on the remote" in cli("show", "Account:acme").out
        assert "acknowledged" in cli("log").out

    def test_in_a_process_of_its_own(self, cli: Cli, file: Path, profile: str) -> None:
        """The real command does the same."""
        some_drafts(cli)

        done = in_process(file, "push", "--remote", profile)

        assert (done.code, len(done.err.splitlines())) == (0, 3)
        assert in_process(file, "drafts", "--json") == Done(0, "", "")

    def test_on_a_terminal(self, cli: Cli, file: Path, profile: str) -> None:
        """A person sees a bar, and the sum at the end."""
        some_drafts(cli)

        done = on_terminal(file, "push", "--remote", profile, environment=PLAIN)

        assert done.code == 0
        assert "pushing" in done.out
        assert "3/3 acknowledged" in done.out
        assert "Nothing is pending.\n" in done.out
