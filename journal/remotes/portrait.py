"""The portrait of a profile: what it says, in words, and what its author should know; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.remotes.placeholders import has_version, holes_of
from journal.remotes.selection import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.auth import Auth
    from journal.remotes.profiles import Profile

_VERBS: Final = ("create", "update", "delete", "read")
_DATE: Final = "header:Last-Modified"
"""A version that changes once a second at most."""
_GONE: Final = frozenset({204, 404, 410})
"""Statuses that say by themselves that there is nothing."""


def portrait(profile: Profile) -> Iterator[str]:
    """Yield what a profile says of its service, a line each; it holds no secret."""
    yield f"The service is at {profile.url}."
    yield f"It is told who we are by {_auth(profile.auth)}."
    for verb, request in profile.requests():
        name = verb if verb in _VERBS else {"find": "look up", "changes": "list changes"}[verb]
        yield f"{name}: {request.method} {request.path}" + (
            f", with {request.body}" if request.body else ""
        )
    answer = profile.answer
    if answer.id == NONE:
        yield "Our key is the record's id."
    else:
        key = "nowhere" if answer.key == NONE else f"at {answer.key}"
        yield f"The service gives ids of its own, at {answer.id}; our key stands {key}."
    yield from _versions(profile)
    if profile.update.set is None:
        unset = profile.update.unset
        left_out = "record" in holes_of(profile.update) or unset == "omit"
        yield f"A field is unset by {'leaving it out' if left_out else unset or 'null'}."
        if unset != "omit":
            yield from _unset(profile)
    else:
        yield f"A field is set by {profile.update.set}, and unset by {profile.update.unset}."


def notes(profile: Profile) -> Iterator[str]:
    """Yield what a profile may say, but not without its author knowing what that means."""
    has_versions = profile.answer.version != NONE
    if not has_versions:
        yield (
            "answer.version is none: each change is sent right after a read; what another writer "
            "does in between is overwritten"
        )
        if "record" in holes_of(profile.update):
            yield (
                "update.body sends the whole record without a version: what another writer does "
                "in between is lost, in all fields"
            )
    elif profile.answer.version == _DATE and not profile.version.is_weak:
        yield (
            "answer.version is a date: what another writer does within the same second is "
            "overwritten"
        )
    elif profile.version.condition == NONE and not has_version(holes_of(profile.delete)):
        yield "delete has no {version}: the record is read and compared right before it"
    update = holes_of(profile.update)
    if "draft" in update and ("record" in update or "{version" in (profile.update.body or "")):
        yield (
            "update sends {draft} with a body that a read may change: a service that remembers a "
            "request by it takes the second one for another, and the queue stops"
        )
    if profile.create.on_doubt == "hold":
        yield "create.on_doubt is hold: a create whose answer is lost waits for a person"
    for number, rule in enumerate(profile.meaning):
        if rule.means == "absent" and rule.at is None and not set(rule.status or ()) <= _GONE:
            yield (
                f"meaning.{number} says absent by a status alone: whatever else the service "
                "answers with it proves that a record is gone; say at, and is or has"
            )


def _unset(profile: Profile) -> Iterator[str]:
    for name, section in profile.types.items():
        for field, form in section.fields.items():
            if form.unset is not None:
                yield f"The field {field} of {name} is unset by {form.unset}."


def _auth(auth: Auth) -> str:
    ways = [*auth.ways]
    ways += [f"the header {name}" for name in auth.headers]
    ways += [f"the parameter {name}" for name in auth.query]
    return " and ".join(ways) or "nothing"


def _versions(profile: Profile) -> Iterator[str]:
    source = profile.answer.version
    if source == NONE:
        yield "There are no versions."
        return
    sent = profile.version.condition
    if has_version(holes_of(profile.update)):
        sent = "{version} in the request"
    yield f"The version is at {source}, and goes back as {sent}."
