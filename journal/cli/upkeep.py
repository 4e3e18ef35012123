"""The commands that look after a journal: verify, rebuild."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from journal.cli import shape, strict_json, wording
from journal.cli.interruption import explained
from journal.cli.progress import bar
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal import Journal
    from journal.cli.output import Output
    from journal.log import Anchor, Verification

_SAFE: Final = "The log is untouched; a view that was being rebuilt goes on when it is next read."
_ANCHOR: Final = re.compile(r"([0-9]{1,18}):([0-9a-fA-F]{64})")
VIEWS: Final = ("records", "drafts", "history")


def _as_anchor(
    context: click.Context, _parameter: click.Parameter, value: str | None
) -> Anchor | None:
    """Return an anchor: given so, or what an earlier verify has answered."""
    if value is None or context.resilient_parsing:
        return None
    from journal.log import Anchor

    if match := _ANCHOR.fullmatch(value):
        return Anchor(int(match[1]), match[2])
    try:
        text = Path(value).read_bytes()
    except (OSError, ValueError) as error:
        raise click.BadParameter(
            f"{wording.harmless(value)} is neither POSITION:HASH nor a file that can be read"
        ) from error
    try:
        kept = strict_json.parse(text)
        anchor = Anchor(int(kept["entries"]), str(kept["head_hash"]), str(kept["journal_id"]))
        is_intact = kept["intact"] is True
    except (LookupError, TypeError, ValueError) as error:
        why = f": {error}" if isinstance(error, ValueError) else ""
        raise click.BadParameter(
            f"{wording.harmless(value)} is not the answer of draft-journal verify --json{why}"
        ) from error
    if not is_intact:
        raise click.BadParameter(
            f"{wording.harmless(value)} is of a log in which something was wrong already"
        )
    return anchor


@click.command()
@click.option(
    "--anchor",
    metavar="POSITION:HASH|FILE",
    callback=_as_anchor,
    help="An entry that the log must still hold, or a file with the answer of an earlier "
    "verify --json.",
)
@common_options
@pass_setting
def verify(setting: Setting, anchor: Anchor | None) -> int:
    """Check the whole log.

    The file, the chain of hashes, the versions and every event; the exit code is 1 where
    anything is wrong. With an anchor, that nothing was cut off or written anew since it was
    taken, too.
    """
    from journal.log import has_wal_reset_bug

    with setting.journal() as journal:
        with bar(setting, "verifying") as move:
            found = journal.log.verify(move, anchor)
        with journal.log.views.read() as cursor:
            (sqlite_version,) = cursor.execute("SELECT sqlite_version()").fetchone()
    has_bug = has_wal_reset_bug()
    if setting.is_json:
        setting.output.object(shape.verification(found, anchor, sqlite_version, has_bug=has_bug))
    else:
        setting.output.lines(_verified(found, setting.output))
        if found.is_intact and anchor is not None:
            setting.output.line(f"it holds entry {anchor.position:,} of the anchor, unchanged")
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
