"""The command that shows what happened to a record: history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from journal.cli import shape, wording
from journal.cli.entries import event_word
from journal.cli.reference import ShortRef, ref_argument, resolved
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from journal.cli.output import Output
    from journal.values import Ref
    from projections.history import FieldChange, HistoryLine


@click.command()
@ref_argument
@common_options
@pass_setting
def history(setting: Setting, ref: Ref | ShortRef) -> None:
    """Show what happened to a record.

    Who changed it, when, why, from what to what, and what the remote said.
    """
    from projections import History

    with setting.journal() as journal:
        ref = resolved(journal, ref)
        found = History(journal).of(ref)
    if setting.is_json:
        for line in found:
            setting.output.object(shape.history_line(line))
    else:
        setting.output.lines(_told(ref, found, setting.output))


def _told(ref: Ref, found: Sequence[HistoryLine], output: Output) -> Iterator[str]:
    count = wording.counted(len(found), "event")
    yield f"{output.styled(wording.harmless(ref), 'strong')}  {count}"
    settled = {line.outcome.at for line in found if line.outcome is not None}
    for line in found:
        if not _is_told(line, settled):
            continue
        word = event_word(line.event)
        yield ""
        yield "  ".join(
            (
                output.styled(f"{wording.moment(line.at)} UTC", "faint"),
                output.styled(word.text, word.style),
                f"by {wording.harmless(line.actor)}",
            )
        )
        if line.reason:
            yield f"    why: {wording.harmless(line.reason)}"
        width = max((wording.cells(change.field) for change in line.changes), default=0)
        for change in line.changes:
            yield _changed(change, width, output)
        yield from _became(line, output)


def _is_told(line: HistoryLine, settled: Collection[datetime]) -> bool:
    """Say whether a line stands for itself: what became of a draft is told with the draft."""
    if line.event in {"PushStarted", "DraftAcknowledged"}:
        return bool(line.changes)
    return line.event != "DraftHeld" or line.at not in settled


def _changed(change: FieldChange, width: int, output: Output) -> str:
    name = wording.harmless(change.field)
    padding = " " * (width - wording.cells(name))
    before, after = wording.value(change.before), wording.value(change.after)
    if change.before is None:
        text = after
    elif change.after is None:
        text = f"{before} {output.styled('→', 'faint')} {output.styled('nothing', 'faint')}"
    else:
        text = f"{before} {output.styled('→', 'faint')} {after}"
    return f"    {name}{padding}  {text}"


def _became(line: HistoryLine, output: Output) -> Iterator[str]:
    """Yield what became of a draft."""
    outcome = line.outcome
    if outcome is None:
        if line.draft_id == line.event_id:
            yield f"    {output.styled('pending', 'changed')}"
        return
    style = "good" if outcome.state == "acknowledged" else "bad"
    parts = [f"{output.styled(outcome.state, style)} {wording.moment(outcome.at)} UTC"]
    if outcome.remote_version is not None:
        parts.append(f"version {wording.harmless(outcome.remote_version)}")
    if outcome.attempts > 1:
        parts.append(wording.counted(outcome.attempts, "attempt"))
    yield f"    {', '.join(parts)}"
    for message in outcome.messages:
        place = f"{message.field}: " if message.field else ""
        yield f"      {wording.harmless(f'{place}{message.message}')}"
