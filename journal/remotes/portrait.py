"""The portrait of a profile: what it says of a service, in words; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.remotes.placeholders import holes_of
from journal.remotes.selection import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.auth import Auth
    from journal.remotes.profiles import Profile

_VERBS: Final = ("create", "update", "delete", "read")


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
    holes = holes_of(profile.update)
    if any(hole.partition(".")[0] == "version" for hole in holes):
        sent = "{version} in the request"
    yield f"The version is at {source}, and goes back as {sent}."
