"""import."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref
from journal.cli.intake import LONGEST_LINE
from tests.integration.cli.conftest import TIMEOUT_S, Cli, Done, command, in_process, on_terminal

if TYPE_CHECKING:
    from pathlib import Path


def lines(*changes: dict[str, Any]) -> bytes:
    """Return changes as lines of JSON."""
    return b"".join(json.dumps(change).encode() + b"\n" for change in changes)


def creates(first: int, last: int) -> bytes:
    """Return the lines that create records with these numbers."""
    return lines(
        *(
            {"change": "create", "type": "A", "id": str(n), "fields": {"n": n}}
            for n in range(first, last + 1)
        )
    )


def ids(cli: Cli) -> list[str]:
    """The ids of the records that were created, in order."""
    return [e["ref"].partition(":")[2] for e in cli("log", "--json").objects]


class TestImport:
    """Lines that are all well."""

    def test_every_kind_of_change(self, cli: Cli, tmp_path: Path) -> None:
        """Creates, updates and deletes are made in order, with who, why and what they belong to."""
        path = tmp_path / "changes.jsonl"
        path.write_bytes(
            lines(
                {"change": "create", "type": "User", "id": "7"},
                {
                    "change": "create",
                    "type": "Account",
                    "id": "acme",
                    "fields": {"Name": "Acme"},
                    "references": {"Owner": "User:7"},
                    "actor": "bob",
                    "correlation_id": "r-1",
                },
                {
                    "change": "update",
                    "record": "Account:acme",
                    "fields": {"Name": "Acme Ltd"},
                    "reason": "renamed",
                },
                {"change": "delete", "record": "Account:acme"},
            )
        )

        done = cli("import", str(path), "--reason", "initial load")

        entries = cli("log", "--json").objects
        assert done == Done(0, "4 changes imported\n", "")
        assert [(e["event"], e["ref"], e["actor"], e["reason"]) for e in entries] == [
            ("RecordCreated", "User:7", "ann", "initial load"),
            ("RecordCreated", "Account:acme", "bob", "initial load"),
            ("RecordUpdated", "Account:acme", "ann", "renamed"),
            ("RecordDeleted", "Account:acme", "ann", "initial load"),
        ]
        assert entries[1]["correlation_id"] == "r-1"
        assert entries[1]["data"]["references"] == ["/fields/Owner"]
        assert {e["batch"] for e in entries} == {1}

    def test_standard_input(self, cli: Cli) -> None:
        """- stands for standard input; empty lines, and a missing end of line, do no harm."""
        done = cli("import", "-", stdin=b"\n" + creates(1, 2) + b"  \n" + creates(3, 3)[:-1])

        assert done == Done(0, "3 changes imported\n", "")
        assert ids(cli) == ["1", "2", "3"]

    def test_batches_are_transactions(self, cli: Cli) -> None:
        """So many lines are one transaction."""
        cli("import", "-", "--batch", "2", stdin=creates(1, 5))

        assert [e["batch"] for e in cli("log", "--json").objects] == [1, 1, 3, 3, 5]

    def test_a_second_time_changes_nothing(self, cli: Cli) -> None:
        """Creates with an id may be imported again."""
        cli("import", "-", stdin=creates(1, 3))

        assert cli("import", "-", stdin=creates(1, 4)) == Done(
            0, "4 changes imported, 3 of them made before\n", ""
        )
        assert ids(cli) == ["1", "2", "3", "4"]

    def test_as_json(self, cli: Cli) -> None:
        """The report says how far it came, and how much was new."""
        cli("import", "-", stdin=creates(1, 1))

        assert cli("import", "-", "--json", stdin=b"\n" + creates(1, 2)).objects == [
            {"done": True, "stored_through_line": 3, "changes": 2, "appended": 1}
        ]

    def test_an_empty_file(self, cli: Cli) -> None:
        """An empty file is no error."""
        assert cli("import", "-") == Done(0, "0 changes imported\n", "")

    def test_on_a_terminal(self, file: Path, tmp_path: Path) -> None:
        """A person sees a bar while it runs, and the sum at the end."""
        path = tmp_path / "changes.jsonl"
        path.write_bytes(creates(1, 20))

        done = on_terminal(file, "import", str(path), "--batch", "1")

        assert done.code == 0
        assert "importing" in done.out
        assert done.out.rstrip().endswith("20 changes imported\x1b[0m")


class TestBadLines:
    """Lines that are not."""

    def test_nothing_of_the_batch_is_stored(self, cli: Cli) -> None:
        """A bad line is named by its number; its batch is not stored, earlier batches are."""
        bad = creates(1, 5) + b'{"change":"create"}\n' + creates(7, 9)

        done = cli("import", "-", "--batch", "2", stdin=bad)

        assert done == Done(
            1,
            "",
            'error: line 6: "type" is missing\n'
            "Lines 1 to 4 are stored, and nothing after them. Go on with --from-line 5.\n",
        )
        assert ids(cli) == ["1", "2", "3", "4"]

    def test_it_goes_on_where_it_stopped(self, cli: Cli) -> None:
        """--from-line leaves out what is stored; line numbers stay those of the file."""
        cli("import", "-", "--batch", "2", stdin=creates(1, 2) + b"[]\n")

        again = cli("import", "-", "--from-line", "3", stdin=creates(1, 2) + b"[]\n")
        mended = cli("import", "-", "--from-line", "3", stdin=b"never read\n\n" + creates(3, 3))

        assert again.err == (
            "error: line 3: it is not a JSON object\n"
            '  such as {"change":"create", …}\n'
            "Nothing was stored. Mend it, and run the same command again.\n"
        )
        assert mended.code == 0
        assert ids(cli) == ["1", "2", "3"]

    def test_it_cannot_begin_behind_the_end(self, cli: Cli) -> None:
        """A first line that the file does not have is told; right behind the last is its end."""
        beyond = cli("import", "-", "--from-line", "4", stdin=creates(1, 2))
        at_the_end = cli("import", "-", "--from-line", "3", stdin=creates(1, 2))

        assert beyond.code == 2
        assert "there is no line 4 to begin with: there are 2 lines" in beyond.err
        assert (at_the_end.code, at_the_end.out) == (0, "0 changes imported\n")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (b"nonsense", "it is not JSON: expecting value at character 1"),
            (b"\xff", "it is not UTF-8 at byte 1"),
            (b'{"change":"delete","record":"A:9"}', "record A:9 is unknown"),
            (
                b'{"change":"create","type":"A","references":{"o":"B:1"}}',
                "/o: B:1 is unknown",
            ),
            (b'{"change":"create","type":"A","id":"1"}', "A:1 exists already"),
            (b'{"change":"update","record":"A:1","fields":{"a":"\\ud800"}}', "lone surrogate"),
            (b'{"change":"update","record":"A:1","fields":{"a":1e999}}', "not a JSON number"),
            (b'{"change":"update","record":"A:1","fields":{"a":9007199254740992}}', "too large"),
            (b'{"change":"update","record":"A:1","fields":{"a;b":1}}', "field name 'a;b'"),
            (b'{"change":"delete","record":"A:1","actor":"\\u0007"}', "actor "),
            (
                b'{"change":"update","record":"A:1","fields":{"a":"' + b"x" * 1_100_000 + b'"}}',
                "more than 1048576 bytes",
            ),
        ],
    )
    def test_whatever_is_bad_is_named(self, cli: Cli, line: bytes, said: str) -> None:
        """What the journal refuses is refused as a bad line too, with its number and type."""
        cli("import", "-", stdin=creates(1, 1))

        done = cli("import", "-", "--json", stdin=creates(2, 2) + line)

        assert done.code == 1
        assert done.error["type"] == "InvalidChangeError"
        assert done.error["facts"] == {"line": 2}
        assert said in done.error["problem"]
        assert done.objects == [
            {"done": False, "stored_through_line": 0, "changes": 0, "appended": 0}
        ]
        assert ids(cli) == ["1"]

    def test_a_byte_order_mark_is_passed_over(self, cli: Cli) -> None:
        """A file that Windows has marked as UTF-8 is imported; so are two that were joined."""
        mark = b"\xef\xbb\xbf"

        done = cli("import", "-", stdin=mark + creates(1, 2) + mark + creates(3, 3))

        assert done == Done(0, "3 changes imported\n", "")
        assert ids(cli) == ["1", "2", "3"]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_utf_16_is_called_by_its_name(self, cli: Cli, encoding: str) -> None:
        """A file in UTF-16 is refused in plain words."""
        done = cli("import", "-", stdin=creates(1, 2).decode().encode(encoding))

        assert (done.code, done.out) == (1, "")
        assert done.err.splitlines()[0] == (
            "error: line 1: it is UTF-16, or has zero bytes in it: save it as UTF-8"
        )

    def test_a_line_without_end(self, cli: Cli) -> None:
        """A line that is longer than any change is refused before it is read to its end."""
        done = cli("import", "-", stdin=b"[" * (LONGEST_LINE + 1))

        assert done.code == 1
        assert "error: line 1: it is longer than 16,777,216 bytes" in done.err


class TestInterrupted:
    """Ctrl-C, and kills."""

    def test_ctrl_c_says_how_far_it_came(self, file: Path) -> None:
        """An interrupted import says what is stored, and exits with 130."""
        with subprocess.Popen(
            command(file, "import", "-", "--batch", "2"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "dumb"},
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            process.stdin.write(creates(1, 5))
            process.stdin.flush()
            wait_for(file, 4)
            process.send_signal(signal.SIGINT)
            code = process.wait(TIMEOUT_S)
            said = process.stderr.read().decode()
            process.stdin.close()

        assert code == 130
        assert said.strip() == (
            "Interrupted. Lines 1 to 4 are stored, and nothing after them. "
            "Go on with --from-line 5."
        )

    @pytest.mark.parametrize("at", ["parse", "commit"])
    def test_ctrl_c_within_a_batch_waits_for_its_end(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, at: str
    ) -> None:
        """What is said to be stored is all that is stored, wherever Ctrl-C comes in a batch."""
        original = Journal.create

        def create(journal: Journal, *arguments: Any, **facts: Any) -> Ref:  # noqa: ANN401
            if len(journal._batches.own() or ()) == (0 if at == "parse" else 1):
                signal.raise_signal(signal.SIGINT)
            return original(journal, *arguments, **facts)

        with monkeypatch.context() as patched:
            patched.setattr(Journal, "create", create)
            done = cli("import", "-", "--batch", "2", stdin=creates(1, 5))

        assert (done.code, done.out) == (130, "")
        assert done.err == (
            "Interrupted. Lines 1 to 2 are stored, and nothing after them. "
            "Go on with --from-line 3.\n"
        )
        assert len(cli("log", "--json").objects) == 2

    def test_second_ctrl_c_does_not_wait(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who presses Ctrl-C twice means it: nothing of the batch is stored."""

        def create(*_: object, **__: object) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

        with monkeypatch.context() as patched:
            patched.setattr(Journal, "create", create)
            done = cli("import", "-", stdin=creates(1, 5))

        assert done == Done(
            130, "", "Interrupted. Nothing was stored. Run the same command again.\n"
        )
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert len(cli("log", "--json").objects) == 0

    def test_many_lines(self, file: Path) -> None:
        """A long import in a process of its own stores every line once."""
        done = in_process(file, "import", "-", stdin=creates(1, 1234))

        assert done.out == "1,234 changes imported\n"
        with Journal(file) as journal:
            assert journal.log.head() == 1234


def wait_for(file: Path, position: int) -> None:
    """Wait until another process has appended so much."""
    with Journal(file) as journal:
        while journal.log.wait(position - 1, TIMEOUT_S) < position:
            pass
