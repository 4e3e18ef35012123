"""The commands that decide about drafts: drafts explain, retry, amend, discard, resolve."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from journal.cli import shape, wording
from journal.cli.draft_argument import draft_argument, found_draft
from journal.cli.edits import as_fields
from journal.cli.setting import Setting, common_options, pass_setting, writing_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.conflicts import PolicyName
    from journal.drafts import Draft
    from journal.values import Fields

_FIELDS = "Field=text | Field:=json | Field=@Type:id"
_CANCELLED = 1


@click.command()
@draft_argument
@common_options
@pass_setting
def explain(setting: Setting, draft: str) -> None:
    """Say what a draft waits for, why, and what would unblock it."""
    with setting.journal() as journal:
        found = found_draft(journal, draft)
    output = setting.output
    if setting.is_json:
        output.object(shape.pending(found))
        return
    why = wording.harmless(found.why)
    output.line(f"{why[:1].upper()}{why[1:]}.")
    if found.draft.hold is not None and found.draft.hold.answer:
        said = wording.cut(wording.harmless(found.draft.hold.answer), 300)
        status = found.draft.hold.status
        output.line(output.styled(f"The service answered{_status(status)}: {said}", "faint"))


def _status(status: int | None) -> str:
    return "" if status is None else f" {status}"


@click.command()
@draft_argument
@writing_options
@pass_setting
def retry(setting: Setting, draft: str) -> None:
    """Send a held draft again, as it is."""
    with setting.journal() as journal:
        found = found_draft(journal, draft).draft
        event_id = journal.retry(found.draft_id, reason=setting.reason)
    setting.stored = f"{found.ref} will be sent again" if event_id else ""
    _answer(setting, "retry", found, event_id, ("will be sent again", "is not held"))


@click.command()
@draft_argument
@click.argument("fields", metavar=f"[{_FIELDS}]...", nargs=-1, callback=as_fields)
@click.option("--remove", multiple=True, metavar="FIELD", help="Take a field out of the draft.")
@writing_options
@pass_setting
def amend(setting: Setting, draft: str, fields: Fields, remove: Sequence[str]) -> None:
    """Send a create or an update with other fields.

    They are laid over those of the draft. Field:=null leaves a field without a value; --remove
    takes it out of the draft. What was made first stays in the log.
    """
    if not fields and not remove:
        raise click.UsageError("give fields to set, or --remove FIELD")
    with setting.journal() as journal:
        found = found_draft(journal, draft).draft
        event_id = journal.amend(found.draft_id, fields, remove=remove, reason=setting.reason)
    setting.stored = f"the draft of {found.ref} was amended" if event_id else ""
    _answer(setting, "amend", found, event_id, ("amended", "has these fields already"))


@click.command()
@draft_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also what the service may have applied already.")
@writing_options
@pass_setting
def discard(setting: Setting, draft: str, *, yes: bool, force: bool) -> int:
    """Never send a draft.

    With a create fall all later drafts of the record, and all that refer to it. It shows what
    falls, and asks; where there is no terminal to ask on, --yes is needed.
    """
    output = setting.output
    with setting.journal() as journal:
        found = found_draft(journal, draft).draft
        if not yes:
            _show_falling(setting, journal.falling(found.draft_id))
            if not _may_ask(setting):
                raise click.UsageError("there is no terminal to ask on: give --yes")
            if not click.confirm("Discard?", default=False, err=True):
                output.note("Nothing was discarded.")
                return _CANCELLED
        fallen = journal.discard(found.draft_id, force=force, reason=setting.reason)
        setting.stored = f"{wording.counted(len(fallen), 'draft')} discarded"
    if setting.is_json:
        for each in fallen:
            output.object(_decided("discard", each) | {"cause": _cause(each, found)})
    else:
        names = wording.counted(len(fallen), "draft")
        output.line(f"{output.styled('discarded', 'bad')} {names}")
    return 0


def _cause(fallen: Draft, found: Draft) -> str | None:
    return None if fallen.draft_id == found.draft_id else found.draft_id


def _may_ask(setting: Setting) -> bool:
    return sys.stdin.isatty() and not setting.is_json


def _show_falling(setting: Setting, fallen: Sequence[Draft]) -> None:
    if setting.is_json:
        return
    setting.output.note(f"{wording.counted(len(fallen), 'draft')} would fall:")
    for each in fallen:
        fields = wording.fields(each.fields)
        said = f"  {each.position}  {each.kind} {wording.short(each.ref)}  {fields}"
        setting.output.note(wording.cut(said.rstrip(), setting.output.width or 200))


@click.command()
@draft_argument
@click.argument("fields", metavar=f"[{_FIELDS}]...", nargs=-1, callback=as_fields)
@click.option("--ours", "policy", flag_value="ours", help="What is here is sent.")
@click.option("--theirs", "policy", flag_value="theirs", help="What the service has is kept.")
@click.option("--merge", "policy", flag_value="merge", help="Both, where they do not meet.")
@click.option("--applied", is_flag=True, help="The service has it: I have looked.")
@click.option("--remote-id", metavar="ID", help="With --applied: what the service calls it.")
@click.option("--remote-version", metavar="V", help="With --applied: the service's version.")
@writing_options
@pass_setting
def resolve(  # noqa: PLR0913  an option each
    setting: Setting,
    draft: str,
    fields: Fields,
    policy: PolicyName | None,
    *,
    applied: bool,
    remote_id: str | None,
    remote_version: str | None,
) -> None:
    """Decide a draft that is held as a conflict or as gone; or say that it is applied.

    Fields that are given get these values, whatever the two sides have; the rest is decided by
    --ours, --theirs or --merge.
    """
    if applied == bool(policy or fields):
        raise click.UsageError("give --ours, --theirs, --merge or fields; or --applied alone")
    with setting.journal() as journal:
        found = found_draft(journal, draft).draft
        event_id = journal.resolve(
            found.draft_id,
            policy,
            fields=fields,
            applied=applied,
            remote_id=remote_id,
            remote_version=remote_version,
            reason=setting.reason,
        )
    setting.stored = f"the draft of {found.ref} was resolved" if event_id else ""
    _answer(setting, "resolve", found, event_id, ("resolved", "is resolved already"))


def _decided(decision: str, draft: Draft) -> dict[str, object]:
    return {
        "decision": decision,
        "draft_id": draft.draft_id,
        "position": draft.position,
        "change": draft.kind,
        "ref": draft.ref,
    }


def _answer(
    setting: Setting, decision: str, draft: Draft, event_id: str | None, words: tuple[str, str]
) -> None:
    output = setting.output
    if setting.is_json:
        output.object(_decided(decision, draft) | {"event_id": event_id})
        return
    what = f"the {draft.kind} of {wording.short(draft.ref)}"
    done, nothing_done = words
    if event_id is None:
        output.line(f"{output.styled('unchanged', 'faint')}: {what} {nothing_done}")
    else:
        output.line(f"{what}: {output.styled(done, 'good')}")
