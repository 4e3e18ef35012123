"""The commands that store what the remote has: pull, prime."""

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

    from journal.sync import PullProgress, PullReport

MORE_TO_PULL: Final = 3
_SAFE: Final = "Nothing is lost: whole pages are stored. Run the same command again to go on."
_ENDS: Final = {
    "limit": "There may be more. Run the same command again to go on.",
    "stop": "It was stopped. Run the same command again to go on.",
    "unsettled": "It goes on when that is settled: draft-journal push --remote PROFILE.toml",
    "refused": "The service did not list them; what was listed before is stored.",
    "unreachable": "The service did not answer. Run the same command again when it is back.",
    "unauthorized": "The service did not accept the credentials of the profile.",
}

pages_option: Final = click.option(
    "--pages",
    "limit_pages",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many pages to store at most; all there are otherwise.",
)


@click.command()
@click.argument("record_types", metavar="[TYPE]...", nargs=-1)
@profile_option
@pages_option
@attempts_option
@common_options
@pass_setting
def pull(
    setting: Setting,
    record_types: tuple[str, ...],
    profile: str,
    *,
    limit_pages: int | None,
    attempts: int,
) -> int:
    """Store what has changed at the service, so that it can be read and edited offline.

    All types that the profile names, or those that are named here. It goes on where the last
    pull ended; pending drafts stay as they are. The exit code is 3 where it stopped before the
    end.
    """
    from journal.sync import Subscriber

    remote = remote_by(profile)
    with (
        setting.journal(may_create=True) as journal,
        explained(setting, lambda: _SAFE),
        _progress(setting) as shown,
        Subscriber(journal, remote, attempts=attempts) as subscriber,
    ):
        report = subscriber.pull(record_types or None, limit_pages=limit_pages, progress=shown)
    return told(setting, report)


@click.command()
@profile_option
@click.option(
    "--soql",
    "query",
    metavar="QUERY",
    required=True,
    help="Which records, and which of their fields: SELECT Name FROM Account WHERE …",
)
@pages_option
@attempts_option
@common_options
@pass_setting
def prime(
    setting: Setting,
    profile: str,
    query: str,
    *,
    limit_pages: int | None,
    attempts: int,
) -> int:
    """Store the records that a query lists, so that they can be read and edited offline.

    It goes on where the last prime with the same query was cut off; one that has ended begins
    anew, and stores what has changed. Pending drafts stay as they are. The exit code is 3 where
    it stopped before the end.
    """
    from journal.sync import Subscriber

    remote = remote_by(profile)
    with (
        setting.journal(may_create=True) as journal,
        explained(setting, lambda: _SAFE),
        _progress(setting, "priming") as shown,
        Subscriber(journal, remote, attempts=attempts) as subscriber,
    ):
        report = subscriber.prime(query, limit_pages=limit_pages, progress=shown)
    return told(setting, report)


def told(setting: Setting, report: PullReport) -> int:
    """Say what came of it; return the exit code."""
    if setting.is_json:
        setting.output.object(shape.pull_report(report))
    else:
        setting.output.lines(_reported(setting, report))
    return MORE_TO_PULL if report.stopped_by else 0


@contextmanager
def _progress(
    setting: Setting, title: str = "pulling"
) -> Iterator[Callable[[PullProgress], None] | None]:
    """Show each page: as a bar, or one line each; not at all with JSON."""
    if setting.is_json:
        yield None
    elif not shows_bars(setting):
        yield lambda progress: setting.output.note(_described(progress))
    else:
        with bar(setting, title) as move:
            yield lambda progress: move(progress.pages, progress.pages + 1, _described(progress))


def _described(progress: PullProgress) -> str:
    seen = progress.observed + progress.unchanged + progress.deleted
    pages = wording.counted(progress.pages, "page")
    why = f": {wording.harmless(progress.problem)}" if progress.problem else ""
    again = "" if progress.delay_s is None else f"; again in {progress.delay_s:.1f} s"
    return f"{progress.record_type}: {pages}, {wording.counted(seen, 'record')}{why}{again}"


def _reported(setting: Setting, report: PullReport) -> Iterator[str]:
    output = setting.output
    done = f"{wording.counted(report.observed, 'record')} stored"
    took = f"in {report.duration_s:.1f} s"
    others = f", {report.deleted:,} deleted there, {report.unchanged:,} known already"
    yield f"{output.styled(done, 'good' if report.observed else 'faint')}{others} {took}"
    if report.conflicting:
        names = ", ".join(wording.short(ref) for ref in report.conflicting[:5])
        more = "" if len(report.conflicting) <= 5 else " and others"  # noqa: PLR2004  as above
        yield output.styled(f"Changed there and here: {names}{more}", "changed")
        yield "Their drafts are compared with it when they are sent."
    for left in report.left_out:
        name = wording.harmless(f"{left.record_type}:{left.name}")
        yield output.styled(f"Left out: {name}: {wording.harmless(left.problem)}", "bad")
    if report.stopped_by is not None:
        if report.problem:
            yield f"In the way: {wording.harmless(report.problem)}"
        yield _ENDS[report.stopped_by]
