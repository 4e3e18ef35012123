"""The command that reads changes from a file: import.

- I1. The lines of a batch are stored in one transaction: all of them, or none.
- I2. Whatever ends an import, it says up to which line everything is stored.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final, assert_never

import click

from journal.cli import wording
from journal.cli.change import Change, Create, Delete, Update, parse
from journal.cli.interruption import deferred
from journal.cli.progress import bar
from journal.cli.setting import Setting, pass_setting, writing_options
from journal.errors import InvalidChangeError, JournalError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal import Journal

LONGEST_LINE: Final = 16 * 1024 * 1024
"""How long a line may be, in bytes: more than any change that the journal takes."""


class _Input(click.File):
    """A file, or standard input, which the caller may have closed (``<&-``)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  click's signature
        """Open the file for reading."""
        if value == "-" and sys.stdin is None:
            self.fail("standard input is closed", param, ctx)
        return super().convert(value, param, ctx)


@click.command("import")
@click.argument("file", metavar="FILE.jsonl|-", type=_Input("rb"))
@click.option(
    "--batch",
    "size",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    metavar="N",
    help="How many lines are stored together, all or none.",
)
@click.option(
    "--from-line",
    "first",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Leave out the lines before this one: to resume.",
)
@writing_options
@pass_setting
def import_(setting: Setting, file: BinaryIO, size: int, first: int) -> None:
    """Make the changes of a file.

    The file, or standard input for -, has one JSON object a line:

    \b
    {"change":"create","type":"Account","id":"acme","fields":{"Name":"Acme"}}
    {"change":"update","record":"Account:acme","fields":{},"references":{"Owner":"User:7"}}
    {"change":"delete","record":"Account:acme"}
    """  # noqa: D301  \b is click's mark for lines that are not to be filled
    with setting.journal(may_create=True) as journal:
        intake = Intake(journal, first, setting.reason)
        with _told(setting, intake, first), bar(setting, "importing") as move:
            total = _size(file)
            lines = _numbered(file, first)
            while batch := list(islice(lines, size)):
                intake.store(batch)
                move(file.tell() if total else intake.through, total)


class Intake:
    """Stores numbered lines, and knows how far it has come."""

    def __init__(self, journal: Journal, first: int, reason: str | None) -> None:
        """Store into the journal, for this reason where a line says no other."""
        self.through = first - 1
        """The line up to which everything is stored."""
        self.changes = 0
        self.appended = 0
        self._journal = journal
        self._reason = reason

    def store(self, lines: list[tuple[int, bytes]]) -> None:
        """Store these lines, all or none (I1).

        Raises:
            InvalidChangeError: a line is no change, or was refused; its number is named.
            LogError: they could not be stored.
        """
        changes = [(number, parse(line, number)) for number, line in lines if line.strip()]
        with deferred():
            with self._journal.batch(reason=self._reason) as batch:
                for number, change in changes:
                    try:
                        self._make(change)
                    except RefusedError as error:
                        raise InvalidChangeError(number, error.problem, hint=error.hint) from error
            self.through = lines[-1][0]
            self.changes += len(changes)
            self.appended += batch.events

    def _make(self, change: Change) -> None:
        actor, reason, correlation_id = change.facts
        journal = self._journal
        match change:
            case Create(record_type=record_type, record_id=record_id, fields=fields):
                journal.create(
                    record_type,
                    fields,
                    id=record_id,
                    actor=actor,
                    reason=reason,
                    correlation_id=correlation_id,
                )
            case Update(ref=ref, fields=fields):
                journal.update(
                    ref, fields, actor=actor, reason=reason, correlation_id=correlation_id
                )
            case Delete(ref=ref):
                journal.delete(ref, actor=actor, reason=reason, correlation_id=correlation_id)
            case _:
                assert_never(change)


@contextmanager
def _told(setting: Setting, intake: Intake, first: int) -> Iterator[None]:
    """Say at the end, whatever ends it, how far the import has come (I2)."""
    try:
        yield
    except KeyboardInterrupt:
        setting.afterword = f"Interrupted. {_stored(intake, first)}"
        _tell(setting, intake, is_done=False)
        raise
    except (JournalError, OSError):
        if not setting.is_json:
            setting.afterword = _stored(intake, first, "Mend it, and run")
        _tell(setting, intake, is_done=False)
        raise
    setting.stored = f"{wording.counted(intake.changes, 'change')} imported"
    _tell(setting, intake, is_done=True)


def _tell(setting: Setting, intake: Intake, *, is_done: bool) -> None:
    output = setting.output
    if setting.is_json:
        output.object(
            {
                "done": is_done,
                "stored_through_line": intake.through,
                "changes": intake.changes,
                "appended": intake.appended,
            }
        )
    elif is_done:
        done = output.styled(f"{wording.counted(intake.changes, 'change')} imported", "good")
        same = intake.changes - intake.appended
        output.line(f"{done}, {same:,} of them made before" if same else done)


def _stored(intake: Intake, first: int, again: str = "Run") -> str:
    """Return what is stored, and how to go on."""
    through = intake.through
    if through < first:
        return f"Nothing was stored. {again} the same command again."
    return (
        f"Lines {first} to {through} are stored, and nothing after them. "
        f"Go on with --from-line {through + 1}."
    )


def _numbered(file: BinaryIO, first: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines from the first one on, with their numbers.

    Raises:
        InvalidChangeError: a line is too long to be a change.
        UsageError: there are not so many lines that the first one could follow.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise InvalidChangeError(number, f"it is longer than {LONGEST_LINE:,} bytes")
        if number >= first:
            yield number, line
    if number < first - 1:
        lines = wording.counted(number, "line")
        raise click.UsageError(f"there is no line {first:,} to begin with: there are {lines}")


def _size(file: BinaryIO) -> int:
    """Return the size of the file; 0 where it has none, such as a pipe."""
    try:
        return os.fstat(file.fileno()).st_size if file.seekable() else 0
    except OSError:
        return 0
