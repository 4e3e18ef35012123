"""Placeholders: which there are, in which request, and where none is filled in; pure."""

from __future__ import annotations

from difflib import get_close_matches
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.remotes.templates import holes_in, json_of, parts_of, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.profiles import Profile
    from journal.remotes.sections import Request

_DRAFT: Final = {"draft", "draft.uuid", "journal", "number", "previous"}
"""By what a service knows a draft again, and in which order they come."""
ALLOWED: Final = {
    "create": {"type", "key", "id", "fields", "names", "names.joined"} | _DRAFT,
    "update": {"type", "key", "id", "version", "fields", "record", "operations", "names"}
    | {"names.joined", "unset", "unset.joined"}
    | _DRAFT,
    "delete": {"type", "key", "id", "version"} | _DRAFT,
    "read": {"type", "key", "id", "names.joined"},
    "find": {"type", "key"},
    "changes": {"type", "since", "index", "page"},
}
"""The placeholders of each request."""
_OPERATION: Final = {"type", "key", "id", "name", "pointer", "value"}
WORD: Final = "type."
"""How the placeholders of the words of a type begin."""


class Mistake(NamedTuple):
    """What is wrong with a profile, and where."""

    key: str
    problem: str
    hint: str = ""


def uuid_of(text: str) -> str:
    """Return a UUID of version 4, always the same for the same text."""
    digest = bytearray(sha256(text.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    spelt = digest.hex()
    return "-".join((spelt[:8], spelt[8:12], spelt[12:16], spelt[16:20], spelt[20:]))


def texts_of(request: Request) -> tuple[str, ...]:
    """Return every text of a request in which placeholders may stand."""
    body = () if request.body is None else tuple(texts_in(json_of(request.body)))
    return (request.path, *request.headers.values(), *body)


def holes_of(request: Request) -> frozenset[str]:
    """Return the placeholders of a request."""
    return frozenset().union(*map(holes_in, texts_of(request)))


def is_whole(template: Any, name: str) -> bool:  # noqa: ANN401  JSON
    """Say whether a placeholder stands alone in a text of a JSON template, so keeps its type."""
    holes = (parts_of(text) for text in texts_in(template))
    return any(
        len(parts) == 1 and not isinstance(parts[0], str) and parts[0].name == name
        for parts in holes
    )


def placeholders(profile: Profile) -> Iterator[Mistake]:
    """Yield the placeholders that stand where nothing fills them in."""
    for verb, request in profile.requests():
        yield from unknown(f"{verb}.path", request.path, ALLOWED[verb])
        if verb == "read" and profile.read.key_path is not None:
            yield from unknown("read.key_path", profile.read.key_path, ALLOWED["read"] - {"id"})
        for name, text in request.headers.items():
            yield from unknown(f"{verb}.headers.{name}", text, ALLOWED[verb])
        for text in () if request.body is None else texts_in(json_of(request.body)):
            yield from unknown(f"{verb}.body", text, ALLOWED[verb])
    for name, text in profile.headers.items():
        for hole in sorted(holes_in(text)):
            where = "[auth]" if hole.startswith("env:") else "the headers of a verb"
            problem = f"has the placeholder {{{hole}}}, which is not filled in here"
            yield Mistake(f"headers.{name}", problem, f"write it into {where}")
    for key, source in (("set", profile.update.set), ("unset", profile.update.unset)):
        for text in _texts_of_json(source):
            allowed = _OPERATION if profile.update.set else set()
            yield from unknown(f"update.{key}", text, allowed)
    for text in _texts_of_json(profile.create.unset):
        yield from unknown("create.unset", text, set())


def _texts_of_json(source: str | None) -> tuple[str, ...]:
    return () if source in {None, "null", "omit"} else tuple(texts_in(json_of(str(source))))


def unknown(key: str, text: str, allowed: set[str]) -> Iterator[Mistake]:
    """Yield the placeholders of a text that are not allowed there, with the nearest that are."""
    for hole in sorted(holes_in(text) - allowed):
        if hole.startswith((WORD, "version.")) and hole.partition(".")[0] in allowed:
            continue
        if hole.startswith("env:"):
            yield Mistake(key, f"has the secret {{{hole}}}", "secrets stand in [auth] only")
            continue
        near = get_close_matches(hole.lower(), allowed, 1)
        known = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "none"
        hint = f"did you mean {{{near[0]}}}?" if near else f"here there can be {known}"
        yield Mistake(key, f"has the unknown placeholder {{{hole}}}", hint)


def has_version(holes: frozenset[str]) -> bool:
    """Say whether a version, or a part of one, is among the placeholders."""
    return any(hole.partition(".")[0] == "version" for hole in holes)
