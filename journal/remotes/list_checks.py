"""What a profile must not say of lists, and of what answers mean; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.remotes.placeholders import Mistake, holes_of
from journal.remotes.selection import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.profiles import Profile
    from journal.remotes.sections import Changes, Condition, Rule


def lists(profile: Profile) -> Iterator[Mistake]:
    """Yield what is wrong with the list of changes."""
    changes = profile.changes
    if changes is None:
        return
    holes = holes_of(changes)
    yield from _whole_list(changes) if changes.lists_all else _checkpoints(changes)
    for hole, is_said, key in (
        ("page", changes.page != NONE, "page"),
        ("index", changes.index_from is not None, "index_from"),
    ):
        if (hole in holes) != is_said:
            yield Mistake(
                f"changes.{key}",
                f"and {{{hole}}} in the request need each other",
                "{page} is the token of a page, and {index} the number of an item, or of a page",
            )
    shown = profile.places("changes")
    if shown.id == shown.key == NONE:
        yield Mistake(
            "changes.answer",
            "must show the id of a record, or our key: else a change is about no record",
            'such as answer = { key = "/id" }',
        )
    if NONE in {shown.record, shown.fields}:
        yield Mistake("changes.answer", "must show the fields of a record")
    for key, condition in (("deleted", changes.deleted), ("more", changes.more)):
        if condition is not None:
            yield from _compared(f"changes.{key}", condition)


def rules(profile: Profile) -> Iterator[Mistake]:
    """Yield what is wrong with the meanings of answers."""
    for number, rule in enumerate(profile.meaning):
        yield from _rule(f"meaning.{number}", rule)


def _checkpoints(changes: Changes) -> Iterator[Mistake]:
    if changes.next_list != NONE:
        said = [("since", changes.since != NONE), ("next_since", changes.next_since != NONE)]
        said += [("since_as", changes.since_as is not None)]
        said += [("first", changes.first is not None), ("overlap_s", bool(changes.overlap_s))]
        for key in (key for key, is_said in said if is_said):
            yield Mistake(
                f"changes.{key}", "is of no use: by next_list, the service keeps the checkpoint"
            )
        return
    if changes.since == NONE and changes.next_since == NONE:
        yield Mistake(
            "changes.since",
            "is needed, or changes.next_since: where the next list begins",
            'such as since = "/last_modified"; or say next_list, or lists_all = true',
        )
    if "since" not in holes_of(changes):
        yield Mistake("changes.path", "must hold {since}: else every list begins anew")


def _whole_list(changes: Changes) -> Iterator[Mistake]:
    for key in ("since", "next_since", "next_list", "since_as", "first", "overlap_s"):
        if getattr(changes, key) not in {NONE, None, 0.0}:
            problem = "has no meaning with lists_all: each list is whole"
            yield Mistake(f"changes.{key}", problem, "leave one of the two out")
    if "since" in holes_of(changes):
        yield Mistake("changes.path", "has {since}, which has no value with lists_all")
    is_paged = changes.next != NONE or changes.page != NONE or changes.index_from is not None
    if changes.more is not None and not is_paged:
        yield Mistake(
            "changes.more",
            "would read the first page for ever, for lists_all knows no checkpoint",
            "say where the next page is: next, page or index_from",
        )


def _compared(key: str, condition: Condition | Rule) -> Iterator[Mistake]:
    values = (condition.is_, condition.is_not, condition.has)
    compared = sum(value is not None for value in values) + condition.is_empty
    if compared and condition.at is None:
        yield Mistake(f"{key}.at", "is needed: where the value stands that is compared")
    if compared > 1:
        yield Mistake(key, "must have one of is, is_not, has and is_empty")
    if condition.at == NONE:
        yield Mistake(f"{key}.at", "can never match")


def _rule(key: str, rule: Rule) -> Iterator[Mistake]:
    if rule.status is None and rule.at is None:
        yield Mistake(key, "would give every answer this meaning", "say a status, or at and is")
    yield from _compared(key, rule)
    for status in rule.status or ():
        if not 100 <= status <= 999:  # noqa: PLR2004  the statuses there can be
            yield Mistake(f"{key}.status", f"{status} is no status")
        elif rule.means == "refused" and not 200 <= status < 300:  # noqa: PLR2004  2xx
            yield Mistake(
                key,
                f"would never match: {status} is a refusal already, and settled by a read",
                'use another meaning, such as "absent" or "wait", or leave it out',
            )
