"""The commands that show records: show, list."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

import click

from journal.cli import shape, wording
from journal.cli.edits import as_fields
from journal.cli.reference import ShortRef, ref_argument, resolved, type_argument
from journal.cli.setting import Setting, common_options, pass_setting
from journal.cli.table import GAP, Cell, Column, Table
from journal.values import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal.cli.output import Output
    from journal.values import Fields, Ref
    from projections import Records
    from projections.records import RecordDrafts, RecordView

WIDEST: Final = 28
"""How wide a field's column may make a table before further columns are left out."""


@click.command()
@ref_argument
@common_options
@pass_setting
def show(setting: Setting, ref: Ref | ShortRef) -> None:
    """Show a record.

    Its fields as they are here, and what the remote last said of it where that differs.
    """
    from projections import Records

    with setting.journal() as journal:
        view = Records(journal).get(resolved(journal, ref))
    if setting.is_json:
        setting.output.object(shape.record(view))
    else:
        setting.output.lines(_shown(view, setting.output))


@click.command("list")
@type_argument
@click.option(
    "--where",
    "where",
    metavar="Field=value",
    multiple=True,
    callback=as_fields,
    help="Only records whose field has this value; Field=text, Field:=json or Field=@Type:id.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many records.")
@click.option("--deleted", is_flag=True, help="Records whose delete is pending, too.")
@common_options
@pass_setting
def list_(
    setting: Setting,
    record_type: str,
    where: Fields,
    limit: int | None,
    deleted: bool,  # noqa: FBT001  click hands over by name
) -> None:
    """List the records of a type."""
    from projections import Records

    with setting.journal() as journal:
        records = Records(journal)
        views = records.list(record_type, where or None, include_deleted=deleted, limit=limit)
        if setting.is_json:
            for view in views:
                setting.output.object(shape.record(view))
        elif views:
            setting.output.lines(_listed(views, setting.output))
            if len(views) == limit:
                setting.output.line(
                    setting.output.styled(f"the first {limit}: there may be more", "faint")
                )
        else:
            setting.output.line(_none_found(records, record_type, is_filtered=bool(where)))


def state(drafts: RecordDrafts) -> Cell:
    """Return what is pending for a record."""
    if drafts.deleted:
        return Cell("deleted", "bad")
    if drafts.created:
        return Cell("created", "new")
    return Cell("edited", "changed") if drafts.edited else Cell("")


def _shown(view: RecordView, output: Output) -> Iterator[str]:
    shown = state(view.drafts)
    count = len(view.drafts.ids)
    waiting = f"{shown.text} here, {wording.counted(count, 'draft')} pending" if count else "synced"
    styled = output.styled(waiting, shown.style or "good")
    yield f"{output.styled(wording.harmless(view.ref), 'strong')}  {styled}"
    yield output.styled(_known_as(view), "faint")
    fields = view.fields
    server = None if _is_as_on_remote(view) else view.drafts.server
    columns = [Column("field"), Column("value", may_be_cut=server is not None)]
    if server is not None:
        columns.append(Column("on the remote", may_be_cut=True))
    rows = []
    for name in dict.fromkeys(chain(fields, server or {})):
        row = [Cell(name), Cell(wording.value(fields[name]) if name in fields else "")]
        if server is not None:
            is_same = name in server and name in fields and same(server[name], fields[name])
            said = wording.value(server[name]) if name in server else "(nothing)"
            row.append(Cell("the same", "faint") if is_same else Cell(said, "changed"))
        rows.append(row)
    if rows:
        yield from Table(columns, output.width, output.styled).lines(rows)
    else:
        yield "no fields"


def _is_as_on_remote(view: RecordView) -> bool:
    return view.drafts.server is not None and same(view.fields, view.drafts.server)


def _known_as(view: RecordView) -> str:
    if view.remote_id is None:
        return f"version {view.version}; the remote has not said anything of it"
    known = f"version {view.version}; on the remote {wording.harmless(view.remote_id)}"
    version = view.remote_version
    return known if version is None else f"{known}, version {wording.harmless(version)}"


def _listed(views: Sequence[RecordView], output: Output) -> Iterator[str]:
    names = dict.fromkeys(chain.from_iterable(view.fields for view in views))
    columns = [Column("record"), Column("draft", least=len("deleted"))]
    columns += [Column(name, may_be_cut=True) for name in names]
    rows = [
        [
            Cell(view.ref),
            state(view.drafts),
            *(
                Cell(wording.value(view.fields[name]) if name in view.fields else "")
                for name in names
            ),
        ]
        for view in views
    ]
    kept = _fitting(rows, columns, output.width)
    table = Table(columns[:kept], output.width, output.styled)
    yield from table.lines([row[:kept] for row in rows])
    if left := len(columns) - kept:
        more = wording.counted(left, "more field")
        example = f"draft-journal show {wording.harmless(views[0].ref)}"
        yield output.styled(f"{more}: {example}", "faint")


def _fitting(rows: Sequence[Sequence[Cell]], columns: Sequence[Column], width: int | None) -> int:
    """Return how many columns fit, each field's counted up to `WIDEST`; three at least."""
    if width is None:
        return len(columns)
    taken = 0
    for at, column in enumerate(columns):
        natural = max(wording.cells(column.title), *(wording.cells(row[at].text) for row in rows))
        taken += min(natural, WIDEST) if column.may_be_cut else natural
        if taken > width and at > 2:  # noqa: PLR2004  the record, its state, one field
            return at
        taken += len(GAP)
    return len(columns)


def _none_found(records: Records, record_type: str, *, is_filtered: bool) -> str:
    counts = dict(records.types())
    if is_filtered and counts.get(record_type):
        return (
            f"None of the {wording.counted(counts[record_type], record_type + ' record')} matches."
        )
    hint = f"Create one: draft-journal create {record_type} Field=text"
    if others := [f"{name} ({count:,})" for name, count in counts.items() if name != record_type]:
        hint = f"{hint}\nThere are: {', '.join(others)}"
    return f"No {record_type} records. {hint}"
