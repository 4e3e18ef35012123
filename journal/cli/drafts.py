"""The command that shows the pending drafts, and the group of those that decide about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from journal.cli import shape, wording
from journal.cli.decisions import amend, discard, explain, resolve, retry
from journal.cli.setting import Setting, common_options
from journal.cli.table import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal.cli.output import Output
    from projections.drafts import PendingDraft

_COLUMNS: Final = (
    Column("#", is_number=True),
    Column("age", is_number=True),
    Column("state"),
    Column("change"),
    Column("record"),
    Column("fields", may_be_cut=True),
)
_KINDS: Final = {"create": "new", "update": "changed", "delete": "bad"}


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND [ARGS]...]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many drafts.")
@common_options
@click.pass_context
def drafts(context: click.Context, limit: int | None) -> None:
    """Show the pending drafts, in order; decide about one.

    A DRAFT is named by its number, by its id or the beginning of that, or by its record, where
    that has only one that is held.
    """
    if context.invoked_subcommand is None:
        _list(context.ensure_object(Setting), limit)


for _command in (explain, retry, amend, discard, resolve):
    drafts.add_command(_command)


def _list(setting: Setting, limit: int | None) -> None:
    from journal.explanation import stop_text
    from projections import Drafts

    with setting.journal() as journal:
        view = Drafts(journal)
        found = view.pending(limit)
        queue = view.queue()
    output = setting.output
    if setting.is_json:
        for draft in found:
            output.object(shape.pending(draft))
    elif found:
        output.lines(listed(found, output))
        output.line(output.styled(_sum(len(queue), queue.held, len(found)), "faint"))
        if queue.switch.stop is not None:
            why = wording.harmless(stop_text(queue.switch.stop))
            output.line(output.styled(f"The queue is stopped: {why}", "bad"))
    else:
        output.line("No drafts are pending: everything is acknowledged.")


def state(found: PendingDraft) -> Cell:
    """Return what a draft is at, in one word."""
    draft = found.draft
    if draft.state == "held":
        return Cell("held", "bad")
    if found.blocker is not None:
        return Cell("blocked", "changed")
    return Cell("sending", "busy") if draft.state == "sending" else Cell("waiting")


def listed(found: Sequence[PendingDraft], output: Output) -> Iterator[str]:
    """Yield the lines that show drafts, and why those wait that do not just wait their turn."""
    rows = [
        [
            Cell(str(pending.draft.position), "faint"),
            Cell(wording.age(pending.age_s)),
            state(pending),
            Cell(pending.draft.kind, _KINDS[pending.draft.kind]),
            Cell(wording.short(pending.draft.ref) if output.is_terminal else pending.draft.ref),
            Cell(wording.fields(pending.draft.fields)),
        ]
        for pending in found
    ]
    yield from Table(_COLUMNS, output.width, output.styled).lines(rows)
    whys = [p for p in found if p.draft.state != "pending" or p.blocker is not None]
    if whys:
        yield ""
    for pending in whys:
        at = output.styled(f"#{pending.draft.position}", "faint")
        yield f"{at} {wording.harmless(pending.why)}"


def _sum(count: int, held: int, shown: int) -> str:
    parts = [f"{wording.counted(count, 'draft')} pending"]
    if held:
        parts.append(f"{held:,} held")
    if shown < count:
        parts.append(f"the first {shown:,} shown")
    return f"{', '.join(parts)}. Send them: draft-journal push --remote PROFILE.toml"
