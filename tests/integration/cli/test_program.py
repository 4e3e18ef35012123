"""The program as a whole: help, exit codes, errors, interruptions, other ways in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from journal.cli import main
from journal.cli.program import program, run
from journal.log import Log
from tests.integration.cli.conftest import TIMEOUT_S, Cli, Done, command, in_process, on_terminal

HEAVY = ("pydantic", "pydantic_core", "eventsourcing", "httpx", "rich", "sqlite3")


def python(source: str, *arguments: str) -> Done:
    """Run a program of Python in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class TestHelp:
    """What the program says of itself."""

    def test_help_lists_the_commands_in_the_order_of_use(self, cli: Cli) -> None:
        """Help is on standard output, and lists every command."""
        done = cli("--help")

        listed = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")]
        assert done.code == 0
        assert [name for name in listed if name in program.commands] == [
            "create",
            "new",
            "update",
            "delete",
            "show",
            "list",
            "drafts",
            "queue",
            "push",
            "pull",
            "prime",
            "types",
            "remote",
            "history",
            "log",
            "import",
            "export",
            "verify",
            "replay",
            "rebuild",
            "simulate",
        ]

    @pytest.mark.parametrize("name", list(program.commands))
    def test_every_command_has_help(self, cli: Cli, name: str) -> None:
        """Each command says what it does and takes --journal and --json after its name."""
        done = cli(name, "--help")

        assert (done.code, done.err) == (0, "")
        assert "--journal FILE" in done.out
        assert "--json" in done.out

    def test_help_imports_nothing_slow(self) -> None:
        """Help answers at once: it imports neither pydantic nor eventsourcing, httpx or rich."""
        source = (
            "import sys\n"
            "from journal.cli.program import run\n"
            "code = run(['--help'])\n"
            f"slow = [name for name in {HEAVY!r} if name in sys.modules]\n"
            "sys.exit(f'imported: {slow}' if slow else code)"
        )

        done = python(source)

        assert (done.code, done.err) == (0, "")

    def test_without_a_command_help_is_an_error(self) -> None:
        """Without a command, the help is on standard error and the exit code is 2."""
        done = in_process(Path("unused.db"))

        assert (done.code, done.out) == (2, "")
        assert "Commands:" in done.err

    def test_version(self, cli: Cli) -> None:
        """The version is that of the distribution."""
        done = cli("--version")

        assert done.code == 0
        assert done.out.startswith("draft-journal ")


class TestSettings:
    """Where the journal, the actor and the form of the output come from."""

    def test_a_journal_must_be_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without --journal and DRAFT_JOURNAL, the usage is explained."""
        monkeypatch.delenv("DRAFT_JOURNAL", raising=False)
        assert run(["log"]) == 2

    def test_environment(self, file: Path) -> None:
        """The environment names the journal and the actor; an option wins over it."""
        environment = {"DRAFT_JOURNAL": str(file), "DRAFT_JOURNAL_ACTOR": "bob"}

        def call(*arguments: str) -> Done:
            done = subprocess.run(
                [sys.executable, "-m", "journal", *arguments],
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=True,
            )
            return Done(0, done.stdout, done.stderr)

        call("create", "Account", "--id", "a")
        call("create", "Account", "--id", "b", "--actor", "eve")

        assert [entry["actor"] for entry in call("log", "--json").objects] == ["bob", "eve"]

    def test_an_option_after_the_command_wins(self, cli: Cli, tmp_path: Path) -> None:
        """--journal, --actor and --reason may stand after the command, and win there."""
        other = str(tmp_path / "other.db")

        cli("--reason", "first", "create", "A", "--journal", other, "--reason", "last")

        entry = cli("log", "--journal", other, "--json").objects[0]
        assert (entry["actor"], entry["reason"]) == ("ann", "last")

    def test_a_journal_in_memory_is_refused(self, cli: Cli) -> None:
        """A journal that ends with the command is a mistake."""
        assert cli("create", "A", "--journal", ":memory:").code == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            ["log"],
            ["verify"],
            ["update", "A:1", "b=1"],
            ["delete", "A:1"],
            ["export"],
            ["list", "A"],
            ["show", "A:1"],
            ["history", "A:1"],
            ["drafts"],
            ["rebuild"],
        ],
    )
    @pytest.mark.parametrize("is_empty", [False, True])
    def test_only_create_and_import_make_a_journal(
        self,
        cli: Cli,
        file: Path,
        arguments: list[str],
        is_empty: bool,  # noqa: FBT001
    ) -> None:
        """A name that was mistyped does not make an empty journal, nor does an empty file."""
        if is_empty:
            file.touch()

        done = cli(*arguments)

        assert done == Done(
            1,
            "",
            f"error: there is no journal at '{file}'\n"
            "  check the name; your first change makes one: draft-journal create, or import\n",
        )
        assert [found.stat().st_size for found in file.parent.glob(f"{file.name}*")] == (
            [0] if is_empty else []
        )

    def test_an_empty_file_becomes_a_journal_by_the_first_change(
        self, cli: Cli, file: Path
    ) -> None:
        """Create and import take an empty file for the place of a new journal."""
        file.touch()

        assert cli("create", "A").code == 0
        assert cli("verify").code == 0


class TestErrors:
    """How what went wrong is said."""

    def test_a_refusal_is_one_readable_message(self, cli: Cli) -> None:
        """A refused command says the problem and the remedy on standard error, and exits with 1."""
        cli("create", "A", "--id", "1")

        done = cli("update", "A:2", "b=1")

        assert done == Done(
            1,
            "",
            "error: record A:2 is unknown\n"
            "  create it, or observe the remote's state of it first\n",
        )

    def test_as_json(self, cli: Cli) -> None:
        """With --json, the error is an object with its type and its facts."""
        cli("create", "A", "--id", "1")

        done = cli("update", "A:2", "b=1", "--json")

        assert (done.code, done.out) == (1, "")
        assert done.error == {
            "type": "RecordMissingError",
            "problem": "record A:2 is unknown",
            "hint": "create it, or observe the remote's state of it first",
            "facts": {"record": "A:2"},
        }

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["bogus"], "No such command 'bogus'"),
            (["create"], "Missing argument 'TYPE'"),
            (["create", "A", "b"], "there is no = in it"),
            (["create", "A", "b=1", "b=2"], "given twice"),
            (["create", "A", "b:=NaN"], "NaN is not a JSON number"),
            (["create", "a b"], "record type 'a b' is not allowed"),
            (["update", "A:1"], "Missing argument"),
            (["update", "A", "b=1"], "write it as Type:id"),
            (["update", "A:…12345", "b=1"], "at least 6 characters"),
            (["log", "--after", "-1"], "-1"),
            (["rebuild", "everything"], "everything"),
            (["push"], "Missing option '--remote'"),
            (["push", "--remote", "nowhere.toml"], "nowhere.toml"),
            (["import", "nowhere.jsonl"], "nowhere.jsonl"),
        ],
    )
    def test_wrong_usage(self, cli: Cli, arguments: list[str], said: str) -> None:
        """Wrong usage exits with 2, stores nothing, and says what was wrong, also in JSON."""
        done = cli(*arguments)
        as_json = cli("--json", *arguments)

        assert (done.code, done.out, as_json.code, as_json.out) == (2, "", 2, "")
        assert said in done.err
        assert said in as_json.error["problem"]
        assert "Traceback" not in done.err

    def test_a_file_that_is_no_journal(self, cli: Cli, file: Path) -> None:
        """Another file is not taken for a journal, and not touched."""
        file.write_text("a shopping list " * 100, encoding="utf-8")

        done = cli("log")

        assert done.code == 1
        assert "is no journal" in done.err
        assert [found.name for found in file.parent.glob(f"{file.name}*")] == [file.name]
        assert file.read_text(encoding="utf-8") == "a shopping list " * 100

    @pytest.mark.parametrize("field", ['a:="\\ud800"', "a:=9007199254740992", "a:=1e999"])
    def test_what_cannot_be_stored_exactly(self, cli: Cli, field: str) -> None:
        """A value that could not be stored exactly is refused, and nothing is stored."""
        cli("create", "A", "--id", "1")

        done = cli("update", "A:1", field)

        assert (done.code, done.out) == (1, "")
        assert "A:1 /a: " in done.err
        assert len(cli("log", "--json").objects) == 1

    def test_an_argument_that_is_no_utf_8(self, file: Path) -> None:
        """Bytes that are no UTF-8 are shown escaped, to a program as well."""
        in_process(file, "create", "A")

        done = in_process(file, "create", "\udcff")
        as_json = in_process(file, "create", "\udcff", "--json")

        assert (done.code, as_json.code) == (2, 2)
        assert "record type '\\udcff' is not allowed" in done.err
        assert "record type '\\udcff' is not allowed" in as_json.error["problem"]

    @pytest.mark.parametrize(
        "arguments", [["log"], ["log", "--json"], ["export"], ["--help"], ["log", "--help"]]
    )
    def test_the_output_cannot_be_written(self, file: Path, arguments: list[str]) -> None:
        """A full disk under the output is an error of one line, and the exit code is ours."""
        in_process(file, "create", "A")

        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                command(file, *arguments),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )

        assert done.returncode == 1
        problem = "No space left on device"
        if "--json" in arguments:
            assert json.loads(done.stderr)["error"]["problem"] == problem
        else:
            assert done.stderr == f"error: {problem}\n"

    def test_neither_output_nor_error_can_be_written(self, file: Path) -> None:
        """Where nothing can be said, the exit code still says it."""
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                command(file, "log"), stdout=full, stderr=full, timeout=TIMEOUT_S, check=False
            )

        assert done.returncode == 1

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["create", "A", "--id", "2"], "A:2 was created"),
            (["update", "A:1", "b=2"], "A:1 was updated"),
            (["delete", "A:1"], "A:1 was deleted"),
            (["import", "-"], "1 change imported"),
        ],
    )
    @pytest.mark.parametrize("is_json", [False, True])
    def test_the_answer_to_a_change_cannot_be_written(
        self,
        file: Path,
        arguments: list[str],
        said: str,
        is_json: bool,  # noqa: FBT001
    ) -> None:
        """What was stored is said on standard error, so that nobody repeats it."""
        in_process(file, "create", "A", "--id", "1")

        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                command(file, *arguments, *(["--json"] if is_json else [])),
                input='{"change":"create","type":"A","id":"2","fields":{}}',
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )

        problem = "the answer could not be written: No space left on device"
        hint = f"it is stored, so do not repeat it: {said}"
        error = {"type": "OutputLost", "problem": problem, "hint": hint, "facts": {}}
        assert done.returncode == 4
        if is_json:
            assert json.loads(done.stderr) == {"error": error}
        else:
            assert done.stderr == f"error: {problem}\n  {hint}\n"
        assert len(in_process(file, "log", "--json").objects) == 2

    def test_nobody_reads_the_answer_to_a_change(self, file: Path) -> None:
        """Where the reader went away, what was stored is said on standard error."""
        with subprocess.Popen(
            command(file, "create", "A", "--id", "1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            said = process.stderr.read().decode()
            code = process.wait(TIMEOUT_S)

        assert (code, said.splitlines()[1:]) == (
            4,
            ["  it is stored, so do not repeat it: A:1 was created"],
        )

    @pytest.mark.parametrize("option", ["--actor", "--reason"])
    def test_an_empty_fact_is_refused(self, cli: Cli, option: str) -> None:
        """A variable that was not set does not become the login name in the log."""
        cli("create", "A", "--id", "1")

        done = cli("create", "A", option, "")

        assert (done.code, done.out) == (1, "")
        assert f"error: {option[2:]} '' is not allowed" in done.err
        assert len(cli("log", "--json").objects) == 1

    @pytest.mark.parametrize("arguments", [["list", "A"], ["drafts"]])
    def test_a_limit_beyond_all_numbers_is_none(self, cli: Cli, arguments: list[str]) -> None:
        """A limit that SQLite could not hold shows everything."""
        cli("create", "A", "--id", "1")

        done = cli(*arguments, "--limit", "99999999999999999999", "--json")

        assert (done.code, len(done.objects)) == (0, 1)

    def test_standard_input_that_is_closed(self, file: Path) -> None:
        """An import from a standard input that is closed is wrong usage, and makes no journal."""
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", *command(file, "import", "-")],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

        assert (done.returncode, done.stdout) == (2, "")
        assert "standard input is closed" in done.stderr
        assert "Traceback" not in done.stderr
        assert not file.exists()


class TestEnds:
    """How the program ends when it is not at its own."""

    def test_a_reader_that_goes_away(self, file: Path, tmp_path: Path) -> None:
        """Where the reader of the output goes away, the program ends quietly with 141."""
        changes = tmp_path / "changes.jsonl"
        line = '{"change":"create","type":"A","fields":{"Name":"Acme"}}\n'
        changes.write_text(line * 2000, encoding="utf-8")
        in_process(file, "import", str(changes))

        with subprocess.Popen(
            command(file, "log"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
            code = process.wait(TIMEOUT_S)

        assert (code, said) == (141, b"")

    def test_an_interruption(self, file: Path) -> None:
        """Ctrl-C ends the program with 130, one line that says what is safe, and no traceback."""
        in_process(file, "create", "A")

        code, said = interrupted(file, "log", "--follow")
        as_json = interrupted(file, "log", "--follow", "--json")

        text = "Interrupted. Nothing was changed. Go on with --after 1."
        assert (code, said) == (130, f"{text}\n")
        assert as_json[0] == 130
        assert json.loads(as_json[1]) == {
            "error": {"type": "Interrupted", "problem": text, "hint": "", "facts": {}}
        }

    def test_an_interruption_anywhere(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Ctrl-C is never answered by silence, wherever it comes."""
        cli("create", "A")

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Log, "rows", interrupt)
            patched.setattr(Log, "salvaged", interrupt)
            done = cli("export")
            rebuilt = cli("rebuild", "records")
        with monkeypatch.context() as patched:
            patched.setattr("journal.cli.program.run", interrupt)
            with pytest.raises(SystemExit) as ended:
                main()

        anywhere = "Interrupted. Nothing is lost: what was stored stays stored.\n"
        assert done == Done(130, "", anywhere)
        assert rebuilt.code == 130
        assert rebuilt.err == (
            "Interrupted. The log is untouched; "
            "a view that was being rebuilt goes on when it is next read.\n"
        )
        assert (ended.value.code, capsys.readouterr().err) == (130, anywhere)
        assert cli("verify").code == 0
        assert cli("list", "A").code == 0


def interrupted(file: Path, *arguments: str) -> tuple[int, str]:
    """Interrupt a command when it has written some lines; return its code and what it said."""
    with subprocess.Popen(
        command(file, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(1 if "--json" in arguments else 2):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().decode()
        return process.wait(TIMEOUT_S), said


class TestInstallation:
    """Without the extra."""

    @pytest.mark.parametrize(
        ("installed", "missing"), [((), "click and rich"), (("click",), "rich")]
    )
    def test_without_click_or_rich_the_extra_is_named(
        self, tmp_path: Path, installed: tuple[str, ...], missing: str
    ) -> None:
        """Where a library of the extra is missing, one line says what to install."""
        for name in ("journal", *installed):
            package = Path(sys.modules[name].__path__[0])
            (tmp_path / name).symlink_to(package)
        source = "import sys; sys.path.insert(0, sys.argv[1]); import journal.cli as c; c.main()"

        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", source, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

        assert (done.returncode, done.stdout, done.stderr) == (
            2,
            "",
            f"draft-journal: the command line needs {missing}: install draft-journal[cli]\n",
        )


class TestLocales:
    """Where the locale knows little."""

    def test_text_is_escaped_and_json_is_utf_8(self, file: Path) -> None:
        """What a stream cannot show is escaped for a person, and exact for a program."""
        environment = {"PYTHONIOENCODING": "ascii"}
        in_process(file, "create", "A", "Name=Łódź", "--id", "1")

        shown = in_process(file, "list", "A", environment=environment)
        as_json = in_process(file, "list", "A", "--json", environment=environment)
        error = in_process(file, "show", "A:ź", "--json", environment=environment)

        assert "\\u0141\\xf3d\\u017a" in shown.out
        assert as_json.objects[0]["fields"] == {"Name": "Łódź"}
        assert error.error["facts"] == {"record": "A:ź"}


class TestColours:
    """When there are colours."""

    def test_a_terminal_has_colours(self, file: Path) -> None:
        """On a terminal, states are coloured."""
        in_process(file, "create", "A", "--id", "1")

        assert "\x1b[32mcreated" in on_terminal(file, "log").out

    @pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
    def test_who_wants_none_gets_none(self, file: Path, environment: dict[str, str]) -> None:
        """NO_COLOR, and a terminal that knows none, are respected."""
        in_process(file, "create", "A", "--id", "1")

        assert "\x1b" not in on_terminal(file, "log", environment=environment).out
        assert "\x1b" not in on_terminal(file, "log", "A", environment=environment).out

    def test_a_pipe_has_none(self, file: Path) -> None:
        """What is no terminal gets plain text, unless FORCE_COLOR asks for colours."""
        in_process(file, "create", "A", "--id", "1")

        plain = in_process(file, "log")
        forced = in_process(file, "log", environment={"FORCE_COLOR": "1"})

        assert "\x1b" not in plain.out
        assert "\x1b[32mcreated" in forced.out
