"""The command about record types as the service describes them: types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from journal.cli import form, shape, wording
from journal.cli.interruption import explained
from journal.cli.profile_file import attempts_option, remote_by
from journal.cli.setting import Setting, common_options, pass_setting
from journal.cli.table import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal import Described, FieldDescription, Journal
    from journal.sync import DescribeReport

MORE_TO_ASK: Final = 3
_NOTHING: Final = """\
No record types are described. Ask the service: draft-journal types --remote PROFILE.toml TYPE"""


@click.command()
@click.argument("record_types", metavar="[TYPE]...", nargs=-1)
@click.option(
    "--remote",
    "profile",
    metavar="PROFILE.toml",
    type=click.Path(exists=True, dir_okay=False),
    help="Ask this service what these types are; those of its profile where none is named.",
)
@attempts_option
@click.option("--forget", is_flag=True, help="Forget what these types were described as.")
@common_options
@pass_setting
def types(
    setting: Setting,
    record_types: tuple[str, ...],
    profile: str | None,
    *,
    attempts: int,
    forget: bool,
) -> int:
    """Show what the service takes: its record types, or the fields of one.

    What is known of a type is used when a draft is made: one that the service would surely
    refuse is refused then. With --remote, the service is asked anew.
    """
    if forget and (profile is not None or not record_types):
        raise click.UsageError("--forget needs the types to be forgotten, and no --remote")
    if profile is not None:
        return _ask(setting, record_types, profile, attempts)
    with setting.journal() as journal:
        if forget:
            return _forget(setting, journal, record_types)
        return _show(setting, journal, record_types)


def _ask(setting: Setting, record_types: Sequence[str], profile: str, attempts: int) -> int:
    """Ask the service, and say what came of it."""
    from journal.sync import Subscriber

    remote = remote_by(profile)
    with (
        setting.journal(may_create=True) as journal,
        explained(setting, lambda: "What was described is kept."),
        Subscriber(journal, remote, attempts=attempts) as subscriber,
    ):
        report = subscriber.describe(record_types or None)
        found = [journal.catalogue.find(name) for name in report.described]
    if setting.is_json:
        for described in found:
            if described is not None:
                setting.output.object(shape.described(described, is_whole=False))
        for name, problem in report.refused.items():
            setting.output.object({"type": name, "problem": problem})
    else:
        setting.output.lines(_asked(setting, report))
    if report.stopped_by is not None:
        setting.output.note(f"In the way: {wording.harmless(report.problem)}")
        return MORE_TO_ASK
    return 1 if report.refused else 0


def _asked(setting: Setting, report: DescribeReport) -> Iterator[str]:
    output = setting.output
    for name in report.described:
        yield f"{output.styled('described', 'good')} {wording.harmless(name)}"
    for name, problem in report.refused.items():
        said = wording.harmless(f"{name}: {problem}")
        yield f"{output.styled('not described', 'bad')} {said}"


def _forget(setting: Setting, journal: Journal, record_types: Sequence[str]) -> int:
    for name in record_types:
        is_known = journal.catalogue.forget(name)
        if setting.is_json:
            setting.output.object({"type": name, "forgotten": is_known})
        else:
            done = "forgotten" if is_known else "was not described:"
            setting.output.line(f"{done} {wording.harmless(name)}")
    return 0


def _show(setting: Setting, journal: Journal, record_types: Sequence[str]) -> int:
    """Show all types, or the fields of those that are named."""
    output = setting.output
    if not record_types:
        found = journal.catalogue.all()
        if setting.is_json:
            for described in found:
                output.object(shape.described(described, is_whole=False))
        elif found:
            now_us = journal.sources.clock.now_us()
            output.lines(_listed(setting, found, now_us))
        else:
            output.line(_NOTHING)
        return 0
    for name in record_types:
        kept = journal.catalogue.find(name)
        if kept is None:
            ask = f"draft-journal types --remote PROFILE.toml {name}"
            raise click.ClickException(f"{name} is not described; ask the service: {ask}")
        if setting.is_json:
            output.object(shape.described(kept, is_whole=True))
        else:
            output.lines(_shown(setting, kept))
    return 0


def _listed(setting: Setting, found: Sequence[Described], now_us: int) -> Iterator[str]:
    columns = [
        Column("type"),
        Column("label", may_be_cut=True),
        Column("fields", is_number=True),
        Column("can be"),
        Column("asked"),
        Column("described by", may_be_cut=True),
    ]
    rows = [
        [
            Cell(kept.type.record_type, "strong"),
            Cell(kept.type.label if kept.type.label != kept.type.record_type else ""),
            Cell(f"{len(kept.type.fields):,}"),
            Cell(_allowed(kept)),
            Cell(f"{wording.age((now_us - kept.described_at) / 1_000_000)} ago"),
            Cell(kept.source),
        ]
        for kept in found
    ]
    yield from Table(columns, setting.output.width, setting.output.styled).lines(rows)


def _allowed(kept: Described) -> str:
    of = kept.type
    words = {"created": of.createable, "updated": of.updateable, "deleted": of.deletable}
    allowed = [word for word, is_allowed in words.items() if is_allowed]
    return ", ".join(allowed) or "read only"


def _shown(setting: Setting, kept: Described) -> Iterator[str]:
    output, of = setting.output, kept.type
    label = f"  {wording.harmless(of.label)}" if of.label not in {"", of.record_type} else ""
    yield f"{output.styled(wording.harmless(of.record_type), 'strong')}{label}"
    more = "" if of.complete else "; it has other fields, too"
    said = f"can be {_allowed(kept)}{more}; described by {wording.harmless(kept.source)}"
    yield output.styled(said, "faint")
    columns = [
        Column("field"),
        Column("label", may_be_cut=True),
        Column("holds", may_be_cut=True),
        Column("create"),
        Column("update"),
        Column("is"),
    ]
    rows = [
        [
            Cell(field.name, "strong" if field.required else ""),
            Cell(field.label if field.label != field.name else ""),
            Cell(_holds(field)),
            _on_create(field),
            Cell("yes" if field.updateable else "no", "" if field.updateable else "faint"),
            Cell(_marks(field)),
        ]
        for field in of.fields
    ]
    yield from Table(columns, output.width, output.styled).lines(rows)


def _holds(field: FieldDescription) -> str:
    text = form.kind_of(field).partition(", such")[0].partition(", with")[0]
    if not field.choices:
        return text
    values = ", ".join(choice.value for choice in field.choices)
    return f"{text} {values}" if field.closed else f"{text} {values}, or others"


def _on_create(field: FieldDescription) -> Cell:
    if not field.createable:
        return Cell("no", "faint")
    return Cell("required", "changed") if field.required else Cell("yes")


def _marks(field: FieldDescription) -> str:
    marks = {"unique": field.unique, "external id": field.external_id}
    return ", ".join(mark for mark, is_so in marks.items() if is_so)
