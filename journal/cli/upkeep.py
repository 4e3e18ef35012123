"""The commands that look after a journal: verify, rebuild."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from journal.cli import shape, wording
from journal.cli.interruption import explained
from journal.cli.progress import bar
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal import Journal
    from journal.cli.output import Output
    from journal.log import Verification

_SAFE: Final = "The log is untouched; a view that was being rebuilt goes on when it is next read."
VIEWS: Final = ("records", "drafts", "history")


@click.command()
@common_options
@pass_setting
def verify(setting: Setting) -> int:
    """Check the whole log.

    The file, the chain of hashes, the versions and every event; the exit code is 1 where
    anything is wrong.
    """
    from journal.log import has_wal_reset_bug

    with setting.journal() as journal:
        with bar(setting, "verifying") as move:
            found = journal.log.verify(move)
        with journal.log.views.read() as cursor:
            (sqlite_version,) = cursor.execute("SELECT sqlite_version()").fetchone()
    has_bug = has_wal_reset_bug()
    if setting.is_json:
        setting.output.object(shape.verification(found, sqlite_version, has_bug=has_bug))
    else:
        setting.output.lines(_verified(found, setting.output))
        if has_bug:
            setting.output.line(
                setting.output.styled(
                    f"SQLite {sqlite_version} has the WAL-reset bug (fixed in 3.51.3): "
                    "writes are taken under a lock because of it, and are safe.",
                    "faint",
                )
            )
    return 0 if found.is_intact else 1


def _verified(found: Verification, output: Output) -> Iterator[str]:
    entries = wording.counted(found.entries, "entry", "entries")
    if found.is_intact:
        yield f"{output.styled('intact', 'good')}: {entries} of journal {found.journal_id}"
    else:
        problems = wording.counted(len(found.problems), "problem")
        yield f"{output.styled(problems, 'bad')}: {entries} of journal {found.journal_id} checked"
    yield f"head hash {found.head_hash}"
    for problem in found.problems:
        at = f"at {problem.position:,}: " if problem.position else ""
        yield f"  {output.styled(at, 'bad')}{wording.harmless(problem.text)}"
    if not found.is_intact:
        yield "Export what can be read (draft-journal export), and restore the file from a backup."


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(VIEWS))
@common_options
@pass_setting
def rebuild(setting: Setting, names: tuple[str, ...]) -> None:
    """Make views anew from the log.

    The views are records, drafts and history; all of them where none is named.
    """
    with setting.journal() as journal, explained(setting, lambda: _SAFE):
        for name in dict.fromkeys(names or VIEWS):
            position, digest = _rebuilt(setting, journal, name)
            if setting.is_json:
                setting.output.object({"view": name, "position": position, "digest": digest})
            else:
                done = setting.output.styled("rebuilt", "good")
                setting.output.line(f"{done} {name} up to position {position:,}")
            setting.output.flush()


def _rebuilt(setting: Setting, journal: Journal, name: str) -> tuple[int, str]:
    """Rebuild a view; return the position that it is at, and the digest of what is in it."""
    from projections import Drafts, History, Records

    views = (Records(journal), Drafts(journal), History(journal))
    view = next(view for view in views if view.name == name)
    with bar(setting, f"rebuilding {name}") as move:
        view.rebuild(move)
    return view.checkpoint(), view.digest()
