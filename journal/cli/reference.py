"""References on the command line: ``Type:id``, or short as they are shown: ``Type:…1a2b3c4d``.

A UUIDv7 begins with the time, so records made together begin alike: its end tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from journal.cli.setting import Setting
from journal.errors import InvalidNameError, JournalError, RecordMissingError
from journal.values import Ref, check_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal import Journal
    from projections import Records

LEAST_TAIL: Final = 6
"""How many characters the end of an id must have, at least, to stand for it."""
MOST_COMPLETIONS: Final = 200
_MARKS: Final = ("…", "...")


class ShortRef(NamedTuple):
    """A type, and the end of the id of one of its records."""

    record_type: str
    tail: str


def _as_ref(
    context: click.Context, _parameter: click.Parameter, value: str | None
) -> Ref | ShortRef | None:
    """Return the reference of an argument, short where it was typed short."""
    if value is None or context.resilient_parsing:
        return None
    try:
        return _parsed(value)
    except InvalidNameError as error:
        raise click.BadParameter(str(error)) from error


def _parsed(value: str) -> Ref | ShortRef:
    """Return the reference that a text is, short where it was typed short.

    Raises:
        InvalidNameError: it is none.
        BadParameter: it is too short.
    """
    record_type, _, record_id = value.partition(":")
    mark = next((mark for mark in _MARKS if record_id.startswith(mark)), None)
    if mark is None:
        return Ref(value)
    check_type(record_type)
    tail = record_id.removeprefix(mark)
    if len(tail) < LEAST_TAIL:
        raise click.BadParameter(f"give at least {LEAST_TAIL} characters of the end of the id")
    return ShortRef(record_type, tail)


def _as_type(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return the record type of an argument."""
    if value is None or context.resilient_parsing:
        return None
    try:
        check_type(value)
    except InvalidNameError as error:
        raise click.BadParameter(str(error)) from error
    return value


def _complete_ref(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Complete the type, and after the colon the id."""
    record_type, colon, begun = incomplete.partition(":")
    if not colon:
        return _found(context, lambda records: _types(records, record_type, ":"))
    return _found(context, lambda records: _refs(records, record_type, begun))


def _complete_type(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Complete the name of a type from those in the journal."""
    return _found(context, lambda records: _types(records, incomplete, ""))


ref_argument = click.argument("ref", metavar="REF", callback=_as_ref, shell_complete=_complete_ref)
type_argument = click.argument(
    "record_type", metavar="TYPE", callback=_as_type, shell_complete=_complete_type
)


def resolved(journal: Journal, ref: Ref | ShortRef) -> Ref:
    """Return the reference in full.

    Raises:
        RecordMissingError: no record of the type has such an id.
        UsageError: several have.
    """
    if isinstance(ref, Ref):
        return ref
    from projections import Records

    views = Records(journal).list(ref.record_type, include_deleted=True)
    found = [view.ref for view in views if view.ref.id.endswith(ref.tail)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RecordMissingError(f"{ref.record_type}:…{ref.tail}")
    listed = ", ".join(found[:3])
    raise click.UsageError(f"{len(found)} records end in {ref.tail}, such as {listed}")


def record_named(journal: Journal, text: str) -> Ref:
    """Return the record that a text names, which the journal must know.

    Raises:
        RefusedError: it names none, or one that is not known.
        UsageError: it names several.
    """
    ref = resolved(journal, _parsed(text))
    if journal.load(ref).version == 0:
        raise RecordMissingError(ref)
    return ref


def _found(context: click.Context, find: Callable[[Records], list[str]]) -> list[str]:
    """Return what is found in the journal; nothing where there is none, or it cannot be read."""
    setting = context.find_object(Setting)
    if setting is None:
        return []
    from projections import Records

    try:
        with setting.journal() as journal:
            return find(Records(journal))
    except (click.UsageError, JournalError, OSError):
        return []


def _types(records: Records, begun: str, end: str) -> list[str]:
    return [f"{name}{end}" for name in dict(records.types()) if name.startswith(begun)]


def _refs(records: Records, record_type: str, begun: str) -> list[str]:
    views = records.list(record_type)
    return [str(v.ref) for v in views if v.ref.id.startswith(begun)][:MOST_COMPLETIONS]
