"""The command that sends the drafts: push."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from journal.cli import shape, wording
from journal.cli.interruption import explained
from journal.cli.profile_file import attempts_option, profile_option, remote_by
from journal.cli.progress import bar, shows_bars
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal import Journal
    from journal.drafts import OnHeld
    from journal.sync import Progress, Report

STILL_PENDING: Final = 3
PAGE: Final = 500
_STYLES: Final = {
    "acknowledged": "good",
    "resolved": "good",
    "held": "bad",
    "waiting": "changed",
}
_ENDS: Final = {
    "held": "Held drafts need a decision; see which: draft-journal drafts explain DRAFT",
    "stopped": "The queue is stopped. Start it again: draft-journal queue start",
    "timeout": "The time was up. Run the same command again to go on.",
    "unreachable": "The service did not take them. Run the same command again when it is back.",
    "unauthorized": "The service did not accept the credentials of the profile.",
    "another sender": "It goes on with them; there is nothing to do here.",
    "stop": "It was stopped. Run the same command again to go on.",
}


@click.command()
@profile_option
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="When to give up; as long as it takes otherwise.",
)
@click.option(
    "--watch",
    "is_watching",
    is_flag=True,
    help="Send every change as it is made, until it is interrupted.",
)
@attempts_option
@click.option(
    "--on-held",
    type=click.Choice(["lane", "stop"]),
    default="lane",
    show_default=True,
    help="Whether a held draft holds back its lane, or everything behind it.",
)
@common_options
@pass_setting
def push(  # noqa: PLR0913  options
    setting: Setting,
    profile: str,
    *,
    timeout_s: float | None,
    is_watching: bool,
    attempts: int,
    on_held: OnHeld,
) -> int:
    """Send the pending drafts, in order.

    The exit code is 3 where any is still pending at the end. Where another process sends the
    drafts of the journal already, it is said which; with --watch, its place is taken when it ends.
    """
    from journal.cli.watching import Account, as_object, telling, watched
    from journal.sync import Subscriber
    from projections import Drafts

    remote = remote_by(profile)
    with setting.journal() as journal:
        pending = len(Drafts(journal))
        head = journal.log.head()
        with explained(setting, lambda: _done(journal, head)), _progress(setting, pending) as shown:
            objects = as_object(setting) if is_watching and setting.is_json else None
            account = Account(shown or objects)
            subscriber = Subscriber(
                journal,
                remote,
                on_held=on_held,
                attempts=attempts,
                progress=account,
                on_status=telling(setting) if is_watching else None,
            )
            with subscriber:
                if is_watching:
                    report = watched(setting, subscriber, account, timeout_s)
                else:
                    report = subscriber.drain(timeout_s)
    if setting.is_json:
        setting.output.object(shape.report(report))
    else:
        setting.output.lines(_reported(setting, report))
    return STILL_PENDING if report.pending else 0


def _done(journal: Journal, head: int) -> str:
    """Return what was done since the log ended at a position, when that was interrupted."""
    from journal.events import DraftAcknowledged
    from projections import Drafts

    since = journal.log.scan(head, page=PAGE)
    acknowledged = sum(isinstance(entry.event, DraftAcknowledged) for entry in since)
    return (
        f"Nothing is lost: {wording.counted(acknowledged, 'draft')} acknowledged, "
        f"{len(Drafts(journal)):,} still pending. Run the same command again to go on."
    )


@contextmanager
def _progress(setting: Setting, pending: int) -> Iterator[Callable[[Progress], None] | None]:
    """Show the steps of the push: as a bar, or one line each; not at all with JSON."""
    if setting.is_json:
        yield None
    elif not shows_bars(setting):
        yield lambda progress: _noted(setting, progress)
    else:
        with bar(setting, "pushing") as move:
            move(0, pending)

            def moved(progress: Progress) -> None:
                total = progress.acknowledged + progress.pending
                counts = f"{progress.acknowledged:,}/{total:,}"
                move(progress.acknowledged, total, f"{counts} {_described(progress)}")

            yield moved


def _noted(setting: Setting, progress: Progress) -> None:
    if progress.step != "sending":
        total = progress.acknowledged + progress.pending
        setting.output.note(f"{progress.acknowledged:,}/{total:,} {_described(progress)}")


def _described(progress: Progress) -> str:
    draft = progress.draft
    what = "" if draft is None else f" {draft.kind} {wording.short(draft.ref)}"
    why = f": {wording.harmless(progress.problem)}" if progress.problem else ""
    again = "" if progress.delay_s is None else f"; again in {progress.delay_s:.1f} s"
    return f"{progress.step}{what}{why}{again}"


def _reported(setting: Setting, report: Report) -> Iterator[str]:
    output = setting.output
    took = f"in {report.duration_s:.1f} s"
    done = f"{wording.counted(report.acknowledged, 'draft')} acknowledged"
    yield f"{output.styled(done, 'good' if report.acknowledged else 'faint')} {took}"
    if not report.pending:
        yield "Nothing is pending."
        return
    left = f"{wording.counted(report.pending, 'draft')} still pending"
    held = f", {report.held:,} held" if report.held else ""
    yield output.styled(f"{left}{held}", "changed")
    if report.problem:
        yield f"The last attempt: {wording.harmless(report.problem)}"
    if report.stopped_by is not None:
        yield _ENDS[report.stopped_by]
