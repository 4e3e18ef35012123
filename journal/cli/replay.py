"""The command that replays the log: the state as of a position, a check, and a bisection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from journal.cli import shape, wording
from journal.cli.drafts import listed as drafts_listed
from journal.cli.findings import bisect, check_replays, entry_object, json_value, told
from journal.cli.interruption import explained
from journal.cli.progress import bar
from journal.cli.records import state as record_state
from journal.cli.setting import Setting, common_options, pass_setting
from journal.cli.table import Cell, Column, Table
from journal.cli.views import projection_option
from journal.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal import Journal
    from journal.cli.output import Output
    from journal.cli.views import Own
    from journal.events import Entry
    from projections.drafts import PendingDraft
    from projections.expectation import Expectation
    from projections.records import RecordView
    from projections.states import State

_SAFE: Final = "Nothing was changed: a replay only reads."
_COLUMNS: Final = (
    Column("record"),
    Column("draft", least=len("deleted")),
    Column("fields", may_be_cut=True),
)


def _as_expectation(
    context: click.Context, _parameter: click.Parameter, value: str | None
) -> Expectation | None:
    if value is None or context.resilient_parsing:
        return None
    from projections.expectation import Expectation

    try:
        return Expectation.parse(value)
    except InvalidValueError as error:
        raise click.BadParameter(wording.harmless(str(error))) from error


@click.command()
@click.option(
    "--at",
    type=click.IntRange(min=0),
    metavar="POSITION",
    help="Replay up to this position: shows the records and the queue as they were.",
)
@click.option("--check", is_flag=True, help="Replay in every way there is, and compare.")
@click.option(
    "--bisect",
    "expectation",
    metavar="EXPR",
    callback=_as_expectation,
    help="Find the first event after which an expectation fails, such as "
    "'records.Account:1.fields.Name == \"Acme\"' or 'drafts.held == 0'.",
)
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="With --bisect: a position at which the expectation holds.",
)
@projection_option
@common_options
@pass_setting
def replay(  # noqa: PLR0913  what click hands over
    setting: Setting,
    *,
    at: int | None,
    check: bool,
    expectation: Expectation | None,
    after: int,
    own: Own,
) -> int:
    """Replay the log from its first event, and change nothing.

    Says what every view is at the end: its digest, a hash of all its rows. With --at, the state
    as of a position. With --check, whether the log gives the same views at every position,
    whichever way it is replayed; the exit code is 1 where it does not. With --bisect, after which
    event an expectation fails first; the exit code is 1 where it does. With --projection, a view
    of yours is replayed as well, in tables or in memory.
    """
    if check and expectation is not None:
        raise click.UsageError("--check and --bisect are two things: say one of them")
    with setting.journal() as journal, explained(setting, lambda: _SAFE):
        head = journal.log.head()
        until = head if at is None else at
        if until > head:
            raise click.UsageError(f"the log has no position {until}: it ends at {head}")
        if after > until:
            raise click.UsageError(f"--after {after} is behind the end, which is {until}")
        if expectation is not None:
            return bisect(setting, journal, expectation, range(after, until), own)
        if check:
            return check_replays(setting, journal, until, own)
        _show(setting, journal, until, own, is_whole=at is not None)
    return 0


# --- the state as of a position --------------------------------------------------------------


def _show(
    setting: Setting,
    journal: Journal,
    position: int,
    own: Own,
    *,
    is_whole: bool,
) -> None:
    from journal.past import Past
    from projections import Drafts, History, Records
    from projections.documents import digest_of, document
    from projections.replay import Replay

    with Past(journal, position) as past:
        records, drafts = Records(past), Drafts(past)
        views = (records, drafts, History(past), *(view(past) for view in own.projections))
        for view in views:
            with bar(setting, f"replaying {view.name}") as move:
                view.catch_up(move)
        digests = {view.name: view.digest() for view in views}
        states = {fold.name: document(fold.state()) for fold in own.folds(past)}
        digests |= {name: digest_of(state).hex() for name, state in states.items()}
        entry = next(iter(journal.log.read(position - 1, 1)), None) if position else None
        output = setting.output
        if setting.is_json:
            output.object({"position": position, "entry": entry_object(entry), "digests": digests})
        else:
            output.lines(_headed(position, entry, digests, output))
        if is_whole:
            found = [
                view
                for name in sorted(_types(past))
                for view in records.list(name, include_deleted=True)
            ]
            _show_state(setting, found, drafts.pending())
            with Replay(journal, own.projections) as replay:
                replay.to(position)
                for kind in own.projections:
                    _show_rows(setting, kind.name, replay.state(kind))
            for name, state in states.items():
                _show_fold(setting, name, state)


def _types(past: Journal) -> set[str]:
    """Return the types of which there are records, those that wait to be deleted included."""
    with past.log.views.read() as cursor:
        cursor.execute("SELECT DISTINCT record_type FROM records WHERE fields IS NOT NULL")
        return {name for (name,) in cursor.fetchall()}


def _show_state(
    setting: Setting, found: Sequence[RecordView], pending: Sequence[PendingDraft]
) -> None:
    output = setting.output
    if setting.is_json:
        for view in found:
            output.object({"record": shape.record(view)})
        for draft in pending:
            output.object({"draft": shape.pending(draft)})
        return
    output.line()
    if found:
        rows = [
            [Cell(view.ref), record_state(view.drafts), Cell(wording.fields(view.fields))]
            for view in found
        ]
        output.lines(Table(_COLUMNS, output.width, output.styled).lines(rows))
    else:
        output.line("There was no record.")
    output.line()
    if pending:
        output.lines(drafts_listed(pending, output))
    else:
        output.line("No draft was pending.")


def _show_rows(setting: Setting, name: str, state: State) -> None:
    """Show what the tables of a projection hold, each row with its columns."""
    output = setting.output
    for table, rows in state.items():
        shown = [json_value(row) for row in rows.values()]
        if setting.is_json:
            for row in shown:
                output.object({"view": name, "table": table, "row": row})
            continue
        output.line()
        output.line(f"{name}: {table}, {wording.counted(len(shown), 'row')}")
        for row in shown:
            output.line(f"  {wording.fields(row)}")


def _show_fold(setting: Setting, name: str, state: object) -> None:
    """Show the state of a fold: as a document, for it may be whatever the host makes of it."""
    if setting.is_json:
        setting.output.object({"fold": name, "state": state})
        return
    setting.output.line()
    setting.output.line(f"{name}: {wording.value(state)}")


def _headed(
    position: int, entry: Entry | None, digests: dict[str, str], output: Output
) -> Iterator[str]:
    yield f"replayed up to position {position:,}"
    if entry is not None:
        yield f"  {told(entry, output)}"
    width = max(map(len, digests))
    for name, digest in digests.items():
        yield f"  {name:<{width}}  {output.styled(digest, 'faint')}"
