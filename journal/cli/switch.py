"""The commands about the queue as a whole: queue status, stop, start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from journal.cli import shape, wording
from journal.cli.setting import Setting, common_options, pass_setting, writing_options

if TYPE_CHECKING:
    from journal import Journal
    from journal.explanation import Status


@click.group(invoke_without_command=True)
@common_options
@click.pass_context
def queue(context: click.Context) -> None:
    """Show the queue as a whole; stop it, and start it again."""
    if context.invoked_subcommand is None:
        context.invoke(status)


@queue.command()
@common_options
@pass_setting
def status(setting: Setting) -> None:
    """Say how many drafts are pending, what they wait for, and who sends them."""
    from projections import Drafts

    with setting.journal() as journal:
        found, sender = Drafts(journal).status(), _sender(journal)
    _show(setting, found, sender)


def _sender(journal: Journal) -> str:
    """Return who has the lease of the queue, and since when; empty where nobody has it."""
    from journal.events import QUEUE

    if journal.log.leases.holder(QUEUE.id) is None:
        return ""
    from journal.sync.lease import holder_text  # all that sends comes with it

    return holder_text(journal.log.leases)


@queue.command()
@writing_options
@pass_setting
def stop(setting: Setting) -> None:
    """Let nothing be sent until the queue is started again, whoever sends.

    The draft in flight is finished.
    """
    with setting.journal() as journal:
        is_new = journal.stop_queue(reason=setting.reason)
    setting.stored = "the queue was stopped" if is_new else ""
    _answer(setting, "stop", "stopped", is_new=is_new)


@queue.command()
@writing_options
@pass_setting
def start(setting: Setting) -> None:
    """Let the queue be sent again, whoever or whatever stopped it."""
    with setting.journal() as journal:
        is_new = journal.start_queue(reason=setting.reason)
    setting.stored = "the queue was started" if is_new else ""
    _answer(setting, "start", "started", is_new=is_new)


def _answer(setting: Setting, decision: str, done: str, *, is_new: bool) -> None:
    output = setting.output
    if setting.is_json:
        output.object({"decision": decision, "changed": is_new})
    elif is_new:
        output.line(f"the queue is {output.styled(done, 'good')}")
    else:
        already = "stopped already" if decision == "stop" else "not stopped"
        output.line(f"{output.styled('unchanged', 'faint')}: the queue is {already}")


def _show(setting: Setting, found: Status, sender: str) -> None:
    output = setting.output
    if setting.is_json:
        output.object(shape.queue(found, sender))
        return
    said = wording.harmless(found.sentence)
    style = "bad" if found.stopped or (found.pending and found.next is None) else ""
    output.line(output.styled(f"{said[:1].upper()}{said[1:]}.", style))
    if found.oldest_age_s is not None:
        oldest = wording.age(found.oldest_age_s)
        counts = f"{found.pending:,} pending, {found.held:,} held, {found.sending:,} sending"
        output.line(output.styled(f"{counts}; the oldest is {oldest} old", "faint"))
    if sender:
        output.line(output.styled(f"Sent by {wording.harmless(sender)}.", "faint"))
