"""drafts explain, retry, amend, discard, resolve; queue status, stop, start."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref
from journal.events import DraftHeld, FieldMessage, HoldClass, PushStarted
from journal.staging import Facts
from journal.sync.lease import SenderLease
from journal.testing.service import RecordService
from tests.integration.cli.conftest import TIMEOUT_S, Cli, Done, command, in_process, on_terminal
from tests.integration.cli.test_completion import complete

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"NO_COLOR": "1"}
WHY = "rejected (Name: is taken); it waits for a decision: amend it, retry it, or discard it"


def hold(file: Path, ref: str, kind: HoldClass = "rejected") -> str:
    """Let the first draft of a record be refused; return its id."""
    with Journal(file) as journal:
        draft_id = journal.load(ref).changes[0].draft_id
        messages = (FieldMessage(field="Name", message="is taken"),)
        events = (
            PushStarted(draft_id=draft_id),
            DraftHeld(
                draft_id=draft_id,
                classification=kind,
                messages=messages,
                status=422,
                answer="no\x1b",
            ),
        )
        journal.note(Ref(ref), lambda _: events, Facts("sync", "van-7"))
    return draft_id


def some(cli: Cli) -> None:
    """Make a create, what refers to it, and what does not."""
    cli("create", "Account", "Name=Acme", "Fax=1", "--id", "acme")
    cli("create", "Visit", "Account=@Account:acme", "--id", "v1")
    cli("create", "Visit", "Subject=free", "--id", "v2")


def conflict(cli: Cli, file: Path) -> str:
    """Make a draft that is held in a conflict; return its id."""
    with Journal(file) as journal:
        journal.observe("Account:acme", {"Name": "Acme"}, remote_version="v1")
    cli("update", "Account:acme", "Name=ours")
    with Journal(file) as journal:
        journal.observe("Account:acme", {"Name": "theirs"}, remote_version="v2")
    return hold(file, "Account:acme", "conflict")


class TestExplain:
    """One draft, explained."""

    def test_for_a_person(self, cli: Cli, file: Path) -> None:
        """The sentence, and what the service answered, harmless."""
        some(cli)
        hold(file, "Account:acme")

        assert cli("drafts", "explain", "Account:acme").out.splitlines() == [
            f"The create of Account:acme is held: {WHY}; 1 draft waits behind it.",
            "The service answered 422: no\\x1b",
        ]

    def test_for_a_program(self, cli: Cli) -> None:
        """The draft as `drafts` shows it."""
        some(cli)

        (said,) = cli("drafts", "explain", "3", "--json").objects

        assert (said["position"], said["why"]) == (
            3,
            "the create of Visit:v2 waits for its turn behind 2 drafts",
        )
        assert said == {**cli("drafts", "--json").objects[2], "age_s": said["age_s"]}


class TestNames:
    """How a draft is named."""

    def test_by_number_id_beginning_or_record(self, cli: Cli, file: Path) -> None:
        """All four lead to the same draft."""
        some(cli)
        draft_id = hold(file, "Account:acme")
        cli("update", "Account:acme", "Name=Acme Ltd")

        for name in ("1", draft_id, draft_id[:-1], "Account:acme", "Account:…acme"):
            (said,) = cli("drafts", "explain", name, "--json").objects
            assert said["draft_id"] == draft_id

    def test_ambiguous_name_is_refused(self, cli: Cli) -> None:
        """Where several drafts are meant, they are named."""
        some(cli)
        cli("update", "Visit:v2", "Subject=taken")

        done = cli("drafts", "explain", "Visit:v2")

        assert done.code == 2
        assert "2 drafts are meant by Visit:v2: 3 (create of Visit:v2), 4 (update of" in done.err

    def test_unknown_name_is_refused(self, cli: Cli) -> None:
        """What names no pending draft is an error."""
        some(cli)

        done = cli("drafts", "retry", "Visit:v9", "--json")

        assert (done.code, done.error["type"]) == (1, "DraftMissingError")

    def test_are_completed(self, cli: Cli, file: Path) -> None:
        """Ids are completed, and the records of held drafts; without a journal, nothing is."""
        assert complete(file, "drafts", "explain", "") == []
        some(cli)
        draft_id = hold(file, "Account:acme")

        assert complete(file, "drafts", "retry", draft_id[:-1]) == [draft_id]
        assert complete(file, "drafts", "retry", "Acc") == ["Account:acme"]


class TestRetryAndAmend:
    """A held draft on its way again."""

    def test_retry(self, cli: Cli, file: Path) -> None:
        """It says what it did, or that nothing was to be done."""
        some(cli)
        hold(file, "Account:acme")

        first, second = (cli("drafts", "retry", "1", "--reason", "back").out for _ in range(2))

        assert first == "the create of Account:acme: will be sent again\n"
        assert second == "unchanged: the create of Account:acme is not held\n"
        assert cli("log", "--last", "1", "--json").objects[0]["reason"] == "back"

    def test_amend(self, cli: Cli, file: Path) -> None:
        """Fields are laid over, and taken out."""
        some(cli)
        hold(file, "Account:acme")

        done = cli("drafts", "amend", "1", "Name=Acme Ltd", "Size:=3", "--remove", "Fax", "--json")

        (said,) = done.objects
        assert said.pop("event_id")
        assert said.pop("draft_id")
        assert said == {
            "decision": "amend",
            "position": 1,
            "change": "create",
            "ref": "Account:acme",
        }
        assert cli("drafts", "--json").objects[0]["fields"] == {"Name": "Acme Ltd", "Size": 3}

    def test_amend_by_nothing_is_refused(self, cli: Cli) -> None:
        """There must be something to amend by."""
        some(cli)

        assert cli("drafts", "amend", "1").code == 2


class TestDiscard:
    """What falls."""

    def test_without_a_terminal(self, cli: Cli) -> None:
        """It shows what would fall, and does nothing without --yes."""
        some(cli)

        done = cli("drafts", "discard", "1")

        assert done.code == 2
        assert done.err.splitlines()[:3] == [
            "2 drafts would fall:",
            "  1  create Account:acme  Name=Acme  Fax=1",
            "  2  create Visit:v1  Account=@Account:acme",
        ]
        assert "there is no terminal to ask on: give --yes" in done.err
        assert len(cli("drafts", "--json").objects) == 3

    def test_yes(self, cli: Cli) -> None:
        """With --yes, all fall; as JSON, one line each with its cause."""
        some(cli)

        first, second = cli("drafts", "discard", "1", "--yes", "--json").objects

        assert (first["cause"], second["cause"]) == (None, first["draft_id"])
        assert cli("drafts", "discard", "Visit:v2", "--yes").out == "discarded 1 draft\n"
        assert cli("drafts").out == "No drafts are pending: everything is acknowledged.\n"

    def test_json_never_asks(self, cli: Cli) -> None:
        """A program says --yes."""
        some(cli)

        done = cli("drafts", "discard", "1", "--json")

        assert (done.code, done.error["type"]) == (2, "UsageError")

    @pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, 1), (b"n\n", 1, 3)])
    def test_on_a_terminal(self, cli: Cli, file: Path, answer: bytes, code: int, left: int) -> None:
        """On a terminal it asks."""
        some(cli)

        done = answering(file, answer, "drafts", "discard", "1")

        assert done.code == code
        assert "2 drafts would fall:" in done.out
        assert "Discard? [y/N]" in done.out
        assert len(cli("drafts", "--json").objects) == left

    def test_force(self, cli: Cli, file: Path) -> None:
        """What may have been applied needs --force."""
        some(cli)
        hold(file, "Account:acme", "unknown")

        refused = cli("drafts", "discard", "1", "--yes", "--json")
        assert (refused.code, refused.error["type"]) == (1, "DraftStateError")
        assert cli("drafts", "discard", "1", "--yes", "--force").code == 0


def answering(file: Path, answer: bytes, *arguments: str) -> Done:
    """Run a command on a terminal, and type an answer once it asks."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(file, *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **PLAIN},
    ) as process:
        os.close(theirs)
        said = b""
        while b"]: " not in said:
            said += os.read(ours, 65536)
        os.write(ours, answer)
        code = process.wait(TIMEOUT_S)
    os.close(ours)
    return Done(code, said.decode().replace("\r\n", "\n"), "")


class TestResolve:
    """A conflict, decided."""

    @pytest.mark.parametrize(
        ("arguments", "fields"),
        [
            (["--ours"], {"Name": "ours"}),
            (["--theirs"], {"Name": "theirs"}),
            (["Name=both"], {"Name": "both"}),
            (["--merge", "Name:=null"], {"Name": None}),
        ],
    )
    def test_by_side_or_value(
        self, cli: Cli, file: Path, arguments: list[str], fields: dict[str, Any]
    ) -> None:
        """A side, or values, decide."""
        conflict(cli, file)

        done = cli("drafts", "resolve", "Account:acme", *arguments)

        assert done.out == "the update of Account:acme: resolved\n"
        assert cli("show", "Account:acme", "--json").objects[0]["fields"] == fields

    def test_open_is_refused(self, cli: Cli, file: Path) -> None:
        """What a merge leaves open is said."""
        conflict(cli, file)

        done = cli("drafts", "resolve", "Account:acme", "--merge", "--json")

        assert (done.code, done.error["type"]) == (1, "ConflictUnresolvedError")
        assert done.error["facts"]["messages"] == {
            "Name": 'here it became "ours", at the remote "theirs"; it was "Acme"'
        }

    def test_applied(self, cli: Cli, file: Path) -> None:
        """A person has looked."""
        some(cli)
        hold(file, "Account:acme", "unknown")

        cli("drafts", "resolve", "1", "--applied", "--remote-id", "A-7", "--remote-version", "v7")

        (said,) = cli("show", "Account:acme", "--json").objects
        assert (said["remote"]["id"], said["remote"]["version"]) == ("A-7", "v7")

    @pytest.mark.parametrize("arguments", [[], ["--ours", "--applied"]])
    def test_a_decision_must_be_one(self, cli: Cli, file: Path, arguments: list[str]) -> None:
        """Neither nothing nor two things."""
        conflict(cli, file)

        assert cli("drafts", "resolve", "Account:acme", *arguments).code == 2


class TestQueue:
    """The queue as a whole."""

    def test_stop_and_start(self, cli: Cli) -> None:
        """It says what it did, or that nothing was to be done."""
        some(cli)

        assert cli("queue", "stop", "--reason", "lunch").out == "the queue is stopped\n"
        assert cli("queue", "stop").out == "unchanged: the queue is stopped already\n"
        first, second = cli("queue").out.splitlines()
        assert first == (
            "The queue is stopped: it was stopped by ann (lunch); "
            "3 drafts wait until it is started."
        )
        assert second.startswith("3 pending, 0 held, 0 sending; the oldest is ")
        assert cli("drafts").out.splitlines()[-1].startswith("The queue is stopped")
        assert cli("queue", "start", "--json").objects == [{"decision": "start", "changed": True}]
        assert cli("queue", "start").out == "unchanged: the queue is not stopped\n"

    def test_status_for_a_program(self, cli: Cli, file: Path) -> None:
        """All of it, with the sentence."""
        assert in_process(file, "create", "Account", "--id", "a").code == 0
        cli("queue", "stop")

        (said,) = cli("queue", "status", "--json").objects

        assert said.pop("oldest_age_s") >= 0
        assert said["stopped"].pop("at")
        assert said == {
            "pending": 1,
            "held": 0,
            "sending": 0,
            "stopped": {"cause": "person", "problem": "", "actor": "ann", "reason": None},
            "next": None,
            "sender": None,
            "why": "the queue is stopped: it was stopped by ann; 1 draft waits until it is started",
        }

    def test_names_who_sends(self, cli: Cli, file: Path) -> None:
        """Whoever has the lease is named, as long as it has it."""
        some(cli)
        with Journal(file, actor="ann", origin="van-7") as journal:
            lease = SenderLease(journal.log.leases, journal.sources, "van-7, process 7", 30.0, None)
            assert lease.attempt() is None

            lines = cli("queue", "status").out.splitlines()
            (said,) = cli("queue", "status", "--json").objects

            assert lines[-1].startswith("Sent by van-7, process 7, since ")
            assert lines[-1] == f"Sent by {said['sender']}."
            lease.release()

        assert "Sent by" not in cli("queue", "status").out

    def test_nothing_is_pending(self, cli: Cli) -> None:
        """An empty queue says so."""
        some(cli)
        cli("drafts", "discard", "1", "--yes")
        cli("drafts", "discard", "3", "--yes")

        assert cli("queue", "status").out == "Nothing is pending: everything is acknowledged.\n"

    def test_push_says_that_it_is_stopped(self, cli: Cli, tmp_path: Path) -> None:
        """A push of a stopped queue sends nothing, and says how to start it."""
        some(cli)
        cli("queue", "stop")
        with RecordService() as service:
            profile = tmp_path / "up.toml"
            profile.write_text(f'url = "{service.url}"\n', encoding="utf-8")

            done = cli("push", "--remote", str(profile))

        assert (done.code, service.effects) == (3, [])
        assert "The queue is stopped. Start it again: draft-journal queue start" in done.out

    def test_on_a_terminal(self, cli: Cli, file: Path) -> None:
        """A queue that can send nothing is red."""
        some(cli)
        cli("queue", "stop")

        assert on_terminal(file, "queue").out.startswith("\x1b[31mThe queue is stopped")


class TestPolicies:
    """The table [conflicts] of the file that describes the remote."""

    def profile(self, tmp_path: Path, text: str) -> str:
        """Return the path of a profile of nobody, with that text at its end."""
        path = tmp_path / "service.toml"
        path.write_text(f'url = "http://127.0.0.1:1"\n{text}\n', encoding="utf-8")
        return str(path)

    def test_is_read(self, cli: Cli, tmp_path: Path) -> None:
        """Policies may stand in the profile."""
        some(cli)
        text = '[conflicts]\ndefault = "theirs"\nAccount.Phone = "ours"'

        done = cli("push", "--remote", self.profile(tmp_path, text), "--attempts", "1", "--json")

        assert done.objects[0]["stopped_by"] == "unreachable"

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ('[conflicts]\nAccount = "mine"', "ProfileError"),
            ("conflicts = 7", "ProfileError"),
            ("[conflicts", "ProfileError"),
            ("colour = 7", "ProfileError"),
        ],
    )
    def test_mistakes_are_named(self, cli: Cli, tmp_path: Path, text: str, kind: str) -> None:
        """A wrong policy, or a wrong file, is an error before anything is sent."""
        some(cli)

        done = cli("push", "--remote", self.profile(tmp_path, text), "--json")

        assert (done.code, done.error["type"]) == (1, kind)


def test_the_module_runs() -> None:
    """The groups explain themselves."""
    for group in ("drafts", "queue"):
        done = subprocess.run(
            [sys.executable, "-m", "journal", group, "--help"], check=True, capture_output=True
        )
        assert b"Commands:" in done.stdout
