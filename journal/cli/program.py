"""The program `draft-journal`: its commands, and how each of its ends becomes an exit code.

- 0: done. 1: failed; one readable message on standard error. 2: wrong usage. 3: drafts are
  still pending after a push, or a pull stopped before its end. 4: done, and stored, but the
  answer could not be written. 130: interrupted; one line on standard error says what is safe.
  141: whoever read the output went away.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

from journal.cli.described import types
from journal.cli.drafts import drafts
from journal.cli.edits import create, delete, update
from journal.cli.entries import log
from journal.cli.export import export
from journal.cli.history import history
from journal.cli.intake import import_
from journal.cli.interruption import ANYWHERE
from journal.cli.new import new
from journal.cli.output import encoded, is_coloured
from journal.cli.pull import prime, pull
from journal.cli.push import push
from journal.cli.records import list_, show
from journal.cli.remote import remote
from journal.cli.replay import replay
from journal.cli.setting import Setting, global_options
from journal.cli.simulate import simulate
from journal.cli.switch import queue
from journal.cli.upkeep import rebuild, verify
from journal.cli.wording import harmless
from journal.errors import JournalError, ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Code(IntEnum):
    """The exit codes beside those that a command returns itself."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNTOLD = 4
    INTERRUPTED = 130
    READER_GONE = 141


class _Program(click.Group):
    """Lists its commands in the order of use, and ends quietly when its reader goes away."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names in the order in which the commands were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's signature
        """Run the command; what it returns is the exit code."""
        try:
            code = super().invoke(ctx)
            ctx.ensure_object(Setting).output.flush()
        except BrokenPipeError as error:
            if (setting := ctx.ensure_object(Setting)).stored:
                return _say_untold(error, setting)
            _forget_output()
            return Code.READER_GONE
        except KeyboardInterrupt:
            raise click.Abort from None  # otherwise click writes a line of its own
        return code


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    if not value or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("draft-journal")
    except PackageNotFoundError:
        found = "(not installed)"
    click.echo(f"draft-journal {found}")
    context.exit()


@click.group(
    cls=_Program,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 drafts still pending, or more to pull, "
    "4 done and stored, but the answer could not be written.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
@global_options
@click.pass_context
def program(context: click.Context) -> None:
    """Keep record changes in a journal, and push them to a remote service in order.

    A record is named by its type and its id: Account:acme. Fields are written
    Field=text, Field:=json or Field=@Type:id.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(Code.USAGE)


for _command in (
    create,
    new,
    update,
    delete,
    show,
    list_,
    drafts,
    queue,
    push,
    pull,
    prime,
    types,
    remote,
    history,
    log,
    import_,
    export,
    verify,
    replay,
    rebuild,
    simulate,
):
    program.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code; expected errors become messages."""
    code = _run(arguments)
    _drop_unwritten()
    return code


def _run(arguments: Sequence[str]) -> int:
    setting = Setting()
    try:
        code = program.main(
            list(arguments), prog_name="draft-journal", standalone_mode=False, obj=setting
        )
    except click.Abort:
        _say_interrupted(setting.afterword, is_json=setting.is_json or "--json" in arguments)
        return Code.INTERRUPTED
    except (click.ClickException, JournalError, OSError) as error:
        if setting.stored and isinstance(error, OSError):
            return _say_untold(error, setting)
        _report(error, is_json=setting.is_json or "--json" in arguments)
        if setting.afterword:
            _say(setting.afterword)
        return error.exit_code if isinstance(error, click.ClickException) else Code.FAILED
    return code if isinstance(code, int) else Code.DONE


def _report(error: click.ClickException | JournalError | OSError, *, is_json: bool) -> None:
    """Say on standard error what went wrong."""
    described = error_object(error)
    if is_json:
        _say_object(described)
        return
    if isinstance(error, click.UsageError) and error.ctx is not None:
        _say(error.ctx.get_usage())
    # A profile tells all its mistakes, one a line; any other line break may be somebody's trick.
    is_listed = isinstance(error, ProfileError)
    lines = described["problem"].splitlines() if is_listed else [described["problem"]]
    _say("\n".join(f"{_mark()}: {harmless(line)}" for line in lines))
    if described["hint"]:
        _say(f"  {harmless(described['hint'])}")


def _mark() -> str:
    return click.style("error", fg="red") if is_coloured(sys.stderr) else "error"


def _say_untold(error: OSError, setting: Setting) -> Code:
    """Say on standard error what was done, as the output cannot, and return the exit code."""
    problem = f"the answer could not be written: {error.strerror or error}"
    hint = f"it is stored, so do not repeat it: {setting.stored}"
    if setting.is_json:
        _say_object({"type": "OutputLost", "problem": problem, "hint": hint, "facts": {}})
    else:
        _say(f"{_mark()}: {problem}")
        _say(f"  {harmless(hint)}")
    _forget_output()
    return Code.UNTOLD


def _say_interrupted(afterword: str, *, is_json: bool) -> None:
    """Say on standard error that the program was interrupted, and what is safe."""
    text = afterword or ANYWHERE
    if is_json:
        _say_object({"type": "Interrupted", "problem": text, "hint": "", "facts": {}})
        return
    if sys.stderr.isatty():
        _say("")  # the line on which the terminal shows ^C
    _say(text)


def _say_object(described: Mapping[str, Any]) -> None:
    """Write an error for a program to standard error."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.buffer.write(encoded({"error": described}))
        sys.stderr.buffer.flush()


def _say(text: str) -> None:
    """Write to standard error, after what went to standard output, if anybody listens."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def error_object(error: click.ClickException | JournalError | OSError) -> dict[str, Any]:
    """Return the error for a program: its type, the problem, the hint, and its facts."""
    facts: Mapping[str, Any] = {}
    hint = ""
    if isinstance(error, JournalError):
        problem, hint = error.problem, error.hint
        facts = {key: value for key, value in vars(error).items() if key not in {"problem", "hint"}}
    elif isinstance(error, click.ClickException):
        problem = error.format_message()
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"try '{error.ctx.command_path} --help'"
    else:
        named = f"{error.filename}: " if error.filename else ""
        problem = f"{named}{error.strerror or error}"
    return {"type": type(error).__name__, "problem": problem, "hint": hint, "facts": dict(facts)}


def _drop_unwritten() -> None:
    """Let go of what cannot be written, as on a full disk; it was said where it can be.

    The interpreter would try once more, say so in words of its own, and exit with 120.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        _forget_output()


def _forget_output() -> None:
    """Let what is still to be written go nowhere, so that the interpreter ends quietly."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
