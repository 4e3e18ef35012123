"""Places: where the answers of a service show what, for one record type; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from journal.remotes.selection import NONE, Selector, pointers_in, selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.remotes.pointers import Steps
    from journal.remotes.profiles import Profile
    from journal.remotes.sections import Verb


class Places(NamedTuple):
    """Where the answers to one kind of request show what, for one record type."""

    record: Selector | None
    fields: Selector | None
    id: Selector
    key: Selector
    version: Selector | dict[str, Selector]
    own: tuple[Steps, ...]


def places_of(profile: Profile, verb: Verb, words: Mapping[str, str]) -> Places:
    """Return where the answers to one kind of request show what.

    Args:
        profile: the profile that says so.
        verb: what is asked.
        words: what stands for the record type in pointers.
    """
    places = profile.places(verb)
    version = places.version
    where = (
        {name: selector(part, words) for name, part in version.items()}
        if isinstance(version, dict)
        else selector(version, words)
    )
    fields = None if places.fields == NONE else selector(places.fields, words)
    record_id, key = selector(places.id, words), selector(places.key, words)
    marks = [record_id, key, *(where.values() if isinstance(where, dict) else [where])]
    named = [steps for mark in marks for steps in pointers_in(mark)]
    own = [s for pointer in places.own for s in pointers_in(selector(pointer, words))]
    for prefix in pointers_in(fields or ()):
        own += [s[len(prefix) :] for s in named if s[: len(prefix)] == prefix != s]
    record = None if places.record == NONE else selector(places.record, words)
    return Places(record, fields, record_id, key, where, tuple(own))
