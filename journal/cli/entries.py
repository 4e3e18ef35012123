"""The command that shows the log: log.

It reads stored rows, so it shows also what a newer release wrote, or what is damaged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from journal.cli import shape, wording
from journal.cli.interruption import deferred, explained
from journal.cli.setting import Setting, common_options, pass_setting
from journal.cli.table import Cell, Column, Table
from journal.values import restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.cli.output import Output
    from journal.log import Log, Row

PAGE: Final = 500
_LONG_S: Final = 3600.0
_COLUMNS: Final = (
    Column("#", is_number=True, least=4),
    Column("time (UTC)"),
    Column("actor", least=8),
    Column("event", least=len("acknowledged")),
    Column("record", least=12),
    Column("what", may_be_cut=True),
)
_EVENTS: Final = {
    "RecordCreated": Cell("created", "new"),
    "RecordUpdated": Cell("updated", "changed"),
    "RecordDeleted": Cell("deleted", "bad"),
    "RecordObserved": Cell("observed", "busy"),
    "PushStarted": Cell("sending", "faint"),
    "DraftAcknowledged": Cell("acknowledged", "good"),
    "DraftHeld": Cell("held", "bad"),
    "DraftRetried": Cell("retried", "busy"),
    "DraftAmended": Cell("amended", "changed"),
    "DraftDiscarded": Cell("discarded", "bad"),
    "ConflictResolved": Cell("resolved", "busy"),
    "QueueStopped": Cell("stopped", "bad"),
    "QueueStarted": Cell("started", "good"),
}


@click.command()
@click.option("--follow", is_flag=True, help="Wait for more, until interrupted.")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Begin after this position.",
)
@click.option("--last", type=click.IntRange(min=0), metavar="N", help="Begin with the last N.")
@common_options
@pass_setting
def log(setting: Setting, follow: bool, after: int, last: int | None) -> None:  # noqa: FBT001  click hands over by name
    """Show every event, in order."""
    output = setting.output
    with setting.journal() as journal:
        source = journal.log
        if last is not None:
            after = max(after, source.head() - last)
        table = Table(_COLUMNS, output.width, output.styled)
        shown = after
        with explained(setting, lambda: f"Nothing was changed. Go on with --after {shown}."):
            for page in _pages(source, after, follow=follow):
                with deferred():
                    if setting.is_json:
                        for row in page:
                            output.object(shape.entry(row))
                    else:
                        output.lines(table.lines([_cells(row, output) for row in page]))
                    output.flush()
                    shown = page[-1].position
        if shown == after and not setting.is_json:
            output.line(_nothing(after, source.head()))


def _nothing(after: int, head: int) -> str:
    """Return why no entry was shown."""
    if not head:
        return "The log is empty; draft-journal create makes the first entry."
    return f"There is nothing after position {after:,}: the log ends at {head:,}."


def _pages(log: Log, after: int, *, follow: bool) -> Iterator[list[Row]]:
    """Yield the rows after a position, a page at a time; for ever where they are followed."""
    until = log.head()
    while True:
        while after < until and (page := log.rows(after, PAGE)):
            after = page[-1].position
            yield page
        if not follow:
            return
        until = log.wait(after, _LONG_S)


def _cells(row: Row, output: Output) -> list[Cell]:
    why = f"  ({row.reason})" if row.reason else ""
    return [
        Cell(str(row.position), "faint"),
        Cell(wording.moment(shape.instant(row.occurred_at)), "faint"),
        Cell(row.actor),
        event_word(row.event_type),
        Cell(wording.short(row.stream) if output.is_terminal else row.stream),
        Cell(f"{_summary(row)}{why}"),
    ]


def event_word(event_type: str) -> Cell:
    """Return the word for an event; the name of its type where this release does not know it."""
    return _EVENTS.get(event_type, Cell(event_type))


def _summary(row: Row) -> str:
    """Return what an event says, in the width of a line."""
    data = shape.stored(row)
    if data is None:
        return "its data cannot be read: draft-journal verify says more"
    try:
        restore(data, tuple(data.get("references", ())))
        return _said(row.event_type, data)
    except (AttributeError, LookupError, TypeError, ValueError):
        return row.data.decode(errors="backslashreplace")


def _said(event_type: str, data: dict[str, Any]) -> str:
    match event_type:
        case "RecordCreated" | "DraftAmended" | "ConflictResolved":
            return wording.fields(data.get("fields", {}))
        case "RecordUpdated":
            return wording.fields(data["changes"])
        case "RecordObserved":
            gone = "the remote has no such record"
            return wording.fields(data.get("fields", {})) if data["exists"] else gone
        case "DraftAcknowledged":
            known = (("as", "remote_id"), ("version", "remote_version"), ("by", "evidence"))
            return ", ".join(f"{word} {data[key]}" for word, key in known if data.get(key))
        case "DraftHeld":
            messages = [
                f"{m['field']}: {m['message']}" if m.get("field") else m["message"]
                for m in data.get("messages", ())
            ]
            return "; ".join([data["classification"], *messages])
        case "QueueStopped":
            return "; ".join(filter(None, (data["cause"], data.get("problem", ""))))
        case "RecordDeleted" | "PushStarted" | "DraftRetried" | "DraftDiscarded" | "QueueStarted":
            return ""
        case _:
            return wording.fields(data)
