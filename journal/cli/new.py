"""The command that creates a record by a form, or lists what can be created: new."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from journal.cli import form, shape, wording
from journal.cli.apps import actions_of, app_option, plugins_option
from journal.cli.edits import as_fields
from journal.cli.reference import record_named
from journal.cli.setting import Setting, pass_setting, writing_options
from journal.cli.table import Cell, Column, Table
from journal.errors import ActionError, InvalidRecordError, JournalError, RefusedError
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from journal import Action, Actions, FieldDescription, Journal
    from journal.values import Fields

ASKED_MOST: Final = 12
"""How many fields a form may have for all to be asked for; of a longer one, those required."""
NAMED_MOST: Final = 4
"""How many fields are named in the list."""
_NOTHING: Final = """\
Nothing can be created by a form yet. Name quick actions with --app, or ask the service for its
types: draft-journal types --remote PROFILE.toml TYPE"""


@click.command()
@click.argument("record_type", metavar="[TYPE]", required=False)
@click.argument("fields", metavar="[FIELD]...", nargs=-1, callback=as_fields)
@app_option
@plugins_option
@writing_options
@pass_setting
def new(
    setting: Setting,
    record_type: str | None,
    fields: Fields,
    *,
    apps: tuple[str, ...],
    plugins: bool,
) -> None:
    """Create a record by a form, or list what can be created.

    Without TYPE, the list. With it, the fields that are not given are asked for on a terminal;
    without one, all that are required must be given, as for create.
    """
    actions = actions_of(apps, with_plugins=plugins, note=setting.output.note)
    if record_type is None:
        with _to_be_listed(setting, actions) as journal:
            _list(setting, journal.creatable())
        return
    with setting.journal(may_create=True, actions=actions) as journal:
        action = _chosen(journal.creatable(), record_type)
        form_ = _Form(setting, journal, action)
        try:
            ref, draft_ids = form_.filled_in(fields)
        except click.Abort:
            setting.afterword = "Interrupted. Nothing was created."
            raise
        setting.stored = f"{ref} was created"
    output = setting.output
    if setting.is_json:
        output.object({"action": action.name, "ref": ref, "draft_ids": draft_ids})
    elif not output.is_terminal:
        output.line(wording.harmless(ref or ""))
    else:
        shown = wording.harmless(ref or action.name)
        output.line(f"{output.styled('created' if ref else 'done', 'good')} {shown}")


@contextmanager
def _to_be_listed(setting: Setting, actions: Actions) -> Iterator[Journal]:
    """Open the journal, to see what it knows; where there is none yet, it knows the actions."""
    if setting.journal_file and Path(setting.journal_file).exists():
        with setting.journal(actions=actions) as journal:
            yield journal
        return
    from journal import Journal

    with Journal(actions=actions) as journal:
        yield journal


def _chosen(creatable: Sequence[Action], record_type: str) -> Action:
    """Return what creates records of a type.

    Raises:
        UsageError: nothing does.
    """
    for action in creatable:
        if record_type in {action.record_type, action.name}:
            return action
    known = ", ".join(action.record_type for action in creatable)
    ask = (
        f"For another one, ask the service: draft-journal types --remote PROFILE.toml {record_type}"
    )
    hint = f"There are forms for {known}. {ask}" if known else _NOTHING.replace("\n", " ")
    raise click.UsageError(f"There is no form for {record_type}. {hint}")


def _list(setting: Setting, creatable: Sequence[Action]) -> None:
    output = setting.output
    if setting.is_json:
        for action in creatable:
            output.object(shape.action(action))
        return
    if not creatable:
        output.line(_NOTHING)
        return
    columns = [
        Column("type"),
        Column("needs", may_be_cut=True),
        Column("may have", may_be_cut=True),
        Column("what it does", may_be_cut=True),
    ]
    rows = [
        [
            Cell(action.record_type, "strong"),
            Cell(_named(field.name for field in _asked(action) if field.required)),
            Cell(_named(field.name for field in _asked(action) if not field.required)),
            Cell(action.says or action.form.label),
        ]
        for action in creatable
    ]
    output.lines(Table(columns, output.width, output.styled).lines(rows))
    output.line(output.styled("Create one: draft-journal new TYPE", "faint"))


def _named(names: Iterable[str]) -> str:
    """Return the names, or the first of many."""
    listed = list(names)
    more = len(listed) - NAMED_MOST
    return ", ".join(listed) if more < 2 else f"{', '.join(listed[:NAMED_MOST])} and {more} more"  # noqa: PLR2004  one is named


def _asked(action: Action) -> list[FieldDescription]:
    return [field for field in action.form.fields if field.createable]


class _Form:
    """What a person fills in, and what comes of it."""

    def __init__(self, setting: Setting, journal: Journal, action: Action) -> None:
        self._setting = setting
        self._journal = journal
        self._action = action
        self._fields = {field.name: field for field in _asked(action)}
        self._is_asked = sys.stdin.isatty() and not setting.is_json

    def filled_in(self, given: Fields) -> tuple[Ref | None, list[str]]:
        """Create the record with what is given, and what is asked for; return it, and the drafts.

        Raises:
            RefusedError: a subclass says what is wrong; nothing was stored.
            UsageError: nobody can be asked for what is missing.
        """
        values = self._typed(given)
        missing = [field for field in self._fields.values() if field.name not in values]
        required = [field for field in missing if field.required]
        if self._is_asked:
            is_long = len(missing) > ASKED_MOST
            for field in required if is_long else missing:
                self._ask(field, values)
            if is_long:
                self._ask_for_more(values)
        elif required:
            needed = ", ".join(f"{field.name} ({form.kind_of(field)})" for field in required)
            raise click.UsageError(
                f"fields are missing, and there is no terminal to ask on: {needed}"
            )
        while True:
            try:
                return self._done(values)
            except InvalidRecordError as error:
                wrong = [self._fields[name] for name in error.messages if name in self._fields]
                if not (self._is_asked and wrong):
                    raise
                for field in wrong:
                    self._say(f"{field.name}: {error.messages[field.name]}")
                    self._ask(field, values)

    def _done(self, values: Mapping[str, object]) -> tuple[Ref | None, list[str]]:
        from journal.events import RecordCreated, RecordDeleted, RecordUpdated

        with self._journal.batch(reason=self._setting.reason) as batch:
            found = self._acted(values)
        changes = (RecordCreated, RecordUpdated, RecordDeleted)
        made = [entry.event_id for entry in batch.entries if isinstance(entry.event, changes)]
        return found if isinstance(found, Ref) else None, made

    def _acted(self, values: Mapping[str, object]) -> object:
        """Do what the action does; one that is broken is an error like any other.

        Raises:
            ActionError: it is.
            JournalError: a subclass says what is wrong; nothing was stored.
        """
        try:
            return self._journal.act(self._action.name, values)
        except JournalError:
            raise
        except Exception as error:
            problem = f"failed: {type(error).__name__}: {error}"
            raise ActionError(
                self._action.name, problem, hint="nothing was stored; mend the action"
            ) from error

    def _typed(self, given: Fields) -> dict[str, Any]:
        """Return what was given on the command line; a text is what the field makes of it.

        Raises:
            UsageError: a text is nothing for its field.
        """
        values: dict[str, Any] = {}
        for name, value in given.items():
            field = self._fields.get(name)
            values[name] = value
            if field is not None and type(value) is str and value:
                try:
                    values[name] = form.value_of(field, value, self._record)
                except (ValueError, RefusedError) as error:
                    raise click.UsageError(f"{name}: {_why(error)}") from error
        return values

    def _ask(self, field: FieldDescription, values: dict[str, Any]) -> None:
        """Ask until there is a value, or none is needed."""
        output = self._setting.output
        first, *others = form.question(field)
        output.note(output.styled(first, "strong"))
        for line in others:
            output.note(output.styled(line, "faint"))
        while True:
            text = click.prompt("", prompt_suffix="> ", default="", show_default=False, err=True)
            if not text:
                if not field.required:
                    values.pop(field.name, None)
                    return
                self._say("it is required")
                continue
            try:
                values[field.name] = form.value_of(field, text, self._record)
            except (ValueError, RefusedError) as error:
                self._say(_why(error))
            else:
                return

    def _ask_for_more(self, values: dict[str, Any]) -> None:
        """Ask for other fields by their names, until there are enough."""
        names = [name for name in self._fields if name not in values]
        self._setting.output.note(f"Other fields: {', '.join(map(wording.harmless, names))}")
        while True:
            name = click.prompt(
                "Which (Enter: none)", default="", show_default=False, prompt_suffix="> ", err=True
            )
            if not name:
                return
            field = self._fields.get(name.strip())
            if field is None:
                self._say("there is no such field")
            else:
                self._ask(field, values)

    def _record(self, text: str) -> Ref:
        return record_named(self._journal, text)

    def _say(self, problem: str) -> None:
        output = self._setting.output
        output.note(output.styled(f"  {wording.harmless(problem)}", "bad"))


def _why(error: Exception) -> str:
    return error.problem if isinstance(error, RefusedError) else str(error)
