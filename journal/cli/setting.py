"""What every command is handed: which journal, who acts and why, and how to answer.

The options that say so stand before the command or after it; the later one wins.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from journal.cli.output import Output, encoded
from journal.cli.wording import harmless
from journal.errors import LogMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal import Actions, Journal
    from journal.advice import Hints

Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass
class Setting:
    """What the options before and after the command said."""

    journal_file: str | None = None
    actor: str | None = None
    reason: str | None = None
    hints: Hints = "refuse"
    is_json: bool = False
    output: Output = field(default_factory=Output)
    afterword: str = ""
    """What is to be said after the message of an error, or of an interruption."""
    stored: str = ""
    """What was changed, to be said where the output can no longer be written."""

    @property
    def path(self) -> Path:
        """The file of the journal.

        Raises:
            UsageError: none was named, or one that would be forgotten.
        """
        if not self.journal_file:
            raise click.UsageError("no journal is named: give --journal FILE, or set DRAFT_JOURNAL")
        if self.journal_file == ":memory:":
            raise click.UsageError("a journal in memory ends with the command: name a file")
        return Path(self.journal_file)

    @contextmanager
    def journal(
        self, *, may_create: bool = False, actions: Actions | None = None
    ) -> Iterator[Journal]:
        """Open the journal, and close it when the block ends.

        Args:
            may_create: whether a file that is not there is made.
            actions: the quick actions that it is to know.

        Raises:
            LogMissingError: there is none, and none is made.
            LogError: the file cannot be used.
        """
        path = self.path
        if not (may_create or os.path.lexists(path)):
            raise _missing(path)  # before the library is imported, which takes longer
        from journal import Journal

        try:
            journal = Journal(
                path, actor=self.actor, create=may_create, actions=actions, hints=self.hints
            )
        except LogMissingError:
            raise _missing(path) from None
        with journal, self._told_of_hints():
            yield journal

    def _warn(self, problem: str) -> None:
        """Say on standard error what will be in the way, for a person or for a program."""
        if self.is_json:
            self.output.note(encoded({"warning": {"problem": problem}}).decode().rstrip())
        else:
            self.output.note(f"warning: {harmless(problem)}")

    @contextmanager
    def _told_of_hints(self) -> Iterator[None]:
        """Say on standard error, within the block, what the service would refuse."""
        if self.hints != "warn":
            yield
            return
        from logging import Handler, getLogger

        handler = Handler()
        handler.emit = lambda record: self._warn(record.getMessage())  # type: ignore[method-assign]
        log = getLogger("journal.hints")
        log.addHandler(handler)
        try:
            yield
        finally:
            log.removeHandler(handler)


def _missing(path: Path) -> LogMissingError:
    return LogMissingError(
        str(path),
        hint="check the name; your first change makes one: draft-journal create, or import",
    )


pass_setting = click.make_pass_decorator(Setting)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep the value of an option, unless it was not given; an empty text was."""
    setting = context.find_object(Setting)
    if setting is not None and parameter.name and value not in {None, False}:
        setattr(setting, parameter.name, value)


def common_options(function: Function) -> Function:
    """Add the options of every command."""
    file = click.option(
        "--journal",
        "journal_file",
        metavar="FILE",
        expose_value=False,
        callback=_keep,
        help="The journal's file.",
    )
    is_json = click.option(
        "--json",
        "is_json",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Answer in JSON, one object a line.",
    )
    return file(is_json(function))


def writing_options(function: Function) -> Function:
    """Add the options of every command that makes changes."""
    actor = click.option(
        "--actor", metavar="NAME", expose_value=False, callback=_keep, help="Who makes the change."
    )
    reason = click.option(
        "--reason", metavar="TEXT", expose_value=False, callback=_keep, help="Why it is made."
    )
    hints = click.option(
        "--hints",
        type=click.Choice(["refuse", "warn", "off"]),
        expose_value=False,
        callback=_keep,
        help="What becomes of a draft that the service would surely refuse; refuse it otherwise.",
    )
    return actor(reason(hints(common_options(function))))


def global_options(function: Function) -> Function:
    """Add the options that stand before the command, with their environment variables."""
    options = (
        click.option(
            "--journal",
            "journal_file",
            metavar="FILE",
            envvar="DRAFT_JOURNAL",
            show_envvar=True,
            expose_value=False,
            callback=_keep,
            help="The journal's file.",
        ),
        click.option(
            "--actor",
            metavar="NAME",
            envvar="DRAFT_JOURNAL_ACTOR",
            show_envvar=True,
            expose_value=False,
            callback=_keep,
            help="Who makes changes; your login name otherwise.",
        ),
        click.option(
            "--reason",
            metavar="TEXT",
            expose_value=False,
            callback=_keep,
            help="Why changes are made; kept with them.",
        ),
        click.option(
            "--json",
            "is_json",
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Answer in JSON, one object a line.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
