"""The commands that change one record: create, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from journal.cli import notation, wording
from journal.cli.reference import ShortRef, ref_argument, resolved, type_argument
from journal.cli.setting import Setting, pass_setting, writing_options
from journal.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.values import Fields, Ref


def as_fields(
    context: click.Context, _parameter: click.Parameter, value: Sequence[str] | None
) -> Fields:
    """Return the fields of arguments in the notation for fields."""
    if value is None or context.resilient_parsing:
        return {}
    try:
        return notation.parse_all(value)
    except RefusedError as error:
        raise click.UsageError(str(error), context) from error


_FIELDS = "Field=text | Field:=json | Field=@Type:id"
_expected_version = click.option(
    "--expected-version",
    type=click.IntRange(min=0),
    metavar="N",
    help="Refuse the change unless the record is at this version.",
)


@click.command()
@type_argument
@click.argument("fields", metavar=f"[{_FIELDS}]...", nargs=-1, callback=as_fields)
@click.option("--id", "record_id", metavar="ID", help="The record's id; a new one otherwise.")
@writing_options
@pass_setting
def create(setting: Setting, record_type: str, fields: Fields, record_id: str | None) -> None:
    """Create a record.

    With an id that was used before, and the same fields, nothing happens: it is safe to try
    again; a record that has been deleted since is not created anew. Where the output is no
    terminal, it is the reference alone.
    """
    from journal.events import RecordCreated

    with setting.journal(may_create=True) as journal:
        head = journal.log.head()
        ref = journal.create(record_type, fields, id=record_id, reason=setting.reason)
        setting.stored = f"{ref} was created"
        new = (entry for entry in journal.log.stream(ref) if entry.position > head)
        draft_id = next((e.event_id for e in new if isinstance(e.event, RecordCreated)), None)
    if not setting.is_json and not setting.output.is_terminal:
        setting.output.line(ref)
        return
    _answer(setting, "create", ref, draft_id, ("created", "exists already, with these fields"))


@click.command()
@ref_argument
@click.argument("fields", metavar=f"({_FIELDS})...", nargs=-1, required=True, callback=as_fields)
@_expected_version
@writing_options
@pass_setting
def update(
    setting: Setting,
    ref: Ref | ShortRef,
    fields: Fields,
    expected_version: int | None,
) -> None:
    """Set fields of a record.

    Field:=null leaves a field without a value.
    """
    with setting.journal() as journal:
        ref = resolved(journal, ref)
        draft_id = journal.update(
            ref, fields, expected_version=expected_version, reason=setting.reason
        )
    setting.stored = f"{ref} was updated" if draft_id else ""
    _answer(setting, "update", ref, draft_id, ("updated", "has these values already"))


@click.command()
@ref_argument
@_expected_version
@writing_options
@pass_setting
def delete(setting: Setting, ref: Ref | ShortRef, expected_version: int | None) -> None:
    """Delete a record."""
    with setting.journal() as journal:
        ref = resolved(journal, ref)
        draft_id = journal.delete(ref, expected_version=expected_version, reason=setting.reason)
    setting.stored = f"{ref} was deleted" if draft_id else ""
    _answer(setting, "delete", ref, draft_id, ("deleted", "is deleted already"))


def _answer(
    setting: Setting, kind: str, ref: Ref, draft_id: str | None, words: tuple[str, str]
) -> None:
    output = setting.output
    if setting.is_json:
        output.object({"change": kind, "ref": ref, "draft_id": draft_id})
        return
    done, nothing_done = words
    shown = wording.harmless(ref)
    if draft_id is None:
        output.line(f"{output.styled('unchanged', 'faint')}: {shown} {nothing_done}")
    else:
        output.line(f"{output.styled(done, 'good')} {shown}")
