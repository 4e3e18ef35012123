"""Drafts on the command line: by id or its beginning, by position, or by their record.

A record stands for its held draft, or for its only one: that is the one to be decided about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from journal.cli import wording
from journal.cli.reference import MOST_COMPLETIONS
from journal.cli.setting import Setting
from journal.errors import DraftMissingError, JournalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal import Journal
    from projections.drafts import PendingDraft

_MARKS = ("…", "...")


def _complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a draft, or the record of one."""
    setting = context.find_object(Setting)
    if setting is None:
        return []
    from projections import Drafts

    try:
        with setting.journal() as journal:
            found = Drafts(journal).pending()
    except (click.UsageError, JournalError, OSError):
        return []
    names = [each.draft.draft_id for each in found]
    names += dict.fromkeys(str(each.draft.ref) for each in found if each.draft.state == "held")
    return [name for name in names if name.startswith(incomplete)][:MOST_COMPLETIONS]


draft_argument = click.argument("draft", metavar="DRAFT", shell_complete=_complete)


def found_draft(journal: Journal, text: str) -> PendingDraft:
    """Return the pending draft that is meant.

    Raises:
        DraftMissingError: none is.
        UsageError: several are.
    """
    from projections import Drafts

    pending = Drafts(journal).pending()
    for meant in (_by_position(pending, text), _by_id(pending, text), _by_record(pending, text)):
        if len(meant) == 1:
            return meant[0]
        if meant:
            listed = ", ".join(
                f"{each.draft.position} ({each.draft.kind} of {wording.short(each.draft.ref)})"
                for each in meant[:3]
            )
            raise click.UsageError(
                f"{len(meant)} drafts are meant by {text}: {listed}; name one by its number"
            )
    raise DraftMissingError(text)


def _by_position(pending: Sequence[PendingDraft], text: str) -> list[PendingDraft]:
    return [each for each in pending if str(each.draft.position) == text]


def _by_id(pending: Sequence[PendingDraft], text: str) -> list[PendingDraft]:
    exact = [each for each in pending if each.draft.draft_id == text]
    return exact or [each for each in pending if text and each.draft.draft_id.startswith(text)]


def _by_record(pending: Sequence[PendingDraft], text: str) -> list[PendingDraft]:
    """Return the held drafts of the record, or all of them where none is held."""
    record_type, _, record_id = text.partition(":")
    mark = next((mark for mark in _MARKS if record_id.startswith(mark)), None)
    of_record = [
        each
        for each in pending
        if each.draft.ref == text
        or (
            mark is not None
            and each.draft.ref.type == record_type
            and each.draft.ref.id.endswith(record_id.removeprefix(mark))
        )
    ]
    return [each for each in of_record if each.draft.state == "held"] or of_record
