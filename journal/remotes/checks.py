"""What a profile must not say, though each key of it is fine; pure.

Every check is a mistake that was made with a real service, and would lose or double a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.remotes.placeholders import WORD, Mistake, holes_of, placeholders, unknown
from journal.remotes.selection import NONE, Source, inner_steps
from journal.remotes.templates import holes_in, json_of, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.profiles import Profile
    from journal.remotes.sections import Rule

_NAMING: Final = {"names", "names.joined", "unset", "unset.joined", "record"}
"""By these a service learns that a field is unset which is not mentioned otherwise."""

_DATE: Final = "header:Last-Modified"
"""A version that changes once a second at most."""


def mistakes(profile: Profile) -> Iterator[Mistake]:
    """Yield what is wrong with a profile."""
    yield from placeholders(profile)
    yield from _addresses(profile)
    yield from _creation(profile)
    yield from _updates(profile)
    yield from _versions(profile)
    yield from _lists(profile)
    for number, rule in enumerate(profile.meaning):
        yield from _rule(f"meaning.{number}", rule)
    yield from _types(profile)


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
    elif profile.version.condition == NONE and not _has_version(holes_of(profile.delete)):
        yield "delete has no {version}: the record is read and compared right before it"
    if profile.create.on_doubt == "hold":
        yield "create.on_doubt is hold: a create whose answer is lost waits for a person"


# --- which record a request is about -----------------------------------------------------


def _addresses(profile: Profile) -> Iterator[Mistake]:
    for verb, request in (
        ("update", profile.update),
        ("delete", profile.delete),
        ("read", profile.read),
    ):
        if not holes_of(request) & {"id", "key"}:
            yield Mistake(
                f"{verb}.path",
                "the request must hold {id} or {key}: without it, it would be about all records",
                "write it into the path, the query or the body",
            )
    shown = profile.places("read")
    if NONE in {shown.record, shown.fields}:
        yield Mistake(
            "read.answer", "must show the record and its fields: on any doubt, a read decides"
        )
    key_path = profile.read.key_path
    if key_path is not None and "key" not in holes_in(key_path):
        yield Mistake("read.key_path", "the request must hold {key}")
    find = profile.find
    if find is None:
        return
    if "key" not in holes_of(find) and not find.lists_all:
        yield Mistake(
            "find.path", "the request must hold {key}", "or say lists_all = true, if it lists all"
        )
    if profile.places("find").key == NONE:
        yield Mistake(
            "answer.key",
            "must say where an answer shows our key, for [find] looks for it",
            'such as key = "/externalId": a hit is believed only if it shows our key',
        )


def _creation(profile: Profile) -> Iterator[Mistake]:
    create, holes = profile.create, holes_of(profile.create)
    assigns = profile.answer.id != NONE
    if not holes & {"fields"}:
        yield Mistake("create.body", "must hold {fields}: else nothing of the record is sent")
    if assigns and "id" in holes:
        yield Mistake(
            "create.path",
            "has {id}, but answer.id says that the service gives it",
            "send our key as {key}, and use a path without the id",
        )
    if create.is_repeatable and not holes & {"draft", "draft.uuid"}:
        yield Mistake(
            "create.is_repeatable",
            "needs {draft} in the request, by which the service knows it again",
            "such as [create.headers] Idempotency-Key = '{draft}'",
        )
    if create.is_repeatable or create.on_doubt == "hold":
        return
    if not holes & {"id", "key"}:
        yield Mistake(
            "create.body",
            "must hold {key}: a create whose answer is lost could only make a second record",
            "send our key, or set create.is_repeatable with {draft}, or create.on_doubt = 'hold'",
        )
    elif assigns and not _finds(profile) and "id" in holes_of(profile.read):
        yield Mistake(
            "find",
            "is needed: after a create whose answer was lost, only our key is known",
            "add [find] with a path that holds {key}, or read.key_path, or read by {key}",
        )


def _finds(profile: Profile) -> bool:
    """Say whether a record can be found by our key alone."""
    return profile.find is not None or profile.read.key_path is not None


def _updates(profile: Profile) -> Iterator[Mistake]:
    update, holes = profile.update, holes_of(profile.update)
    if not holes & {"fields", "record", "operations"}:
        yield Mistake("update.body", "must hold {fields}, {record} or {operations}")
    if "operations" in holes and update.set is None:
        yield Mistake(
            "update.set",
            "is needed, for the request holds {operations}",
            """such as set = '{"op": "replace", "path": "/{pointer}", "value": "{value}"}'""",
        )
    if update.set is not None:
        if "operations" not in holes:
            yield Mistake("update.body", "must hold {operations}, for there is update.set")
        if update.unset in {None, "null", "omit"}:
            yield Mistake(
                "update.unset",
                "must be the operation that unsets a field, for there is update.set",
                """such as unset = '{"op": "remove", "path": "/{pointer}"}'""",
            )
    elif update.unset == "omit" and not holes & _NAMING:
        yield Mistake(
            "update.unset",
            "omit would unset nothing: the field would only not be mentioned",
            "name it by {unset} or {names}, or send the whole {record}",
        )


def _has_version(holes: frozenset[str]) -> bool:
    return any(hole.partition(".")[0] == "version" for hole in holes)


def _versions(profile: Profile) -> Iterator[Mistake]:
    source = profile.answer.version
    for verb, request in (("update", profile.update), ("delete", profile.delete)):
        for hole in sorted(holes_of(request)):
            head, _, part = hole.partition(".")
            if head != "version":
                continue
            if source == NONE:
                yield Mistake(
                    f"{verb}.path" if hole in holes_in(request.path) else f"{verb}.body",
                    f"has {{{hole}}}, but answer.version says that there is none",
                    "say where an answer shows the version",
                )
            elif part and part not in (source if isinstance(source, dict) else {}):
                problem = f"has no part {part!r}, which {verb} sends as {{{hole}}}"
                yield Mistake("answer.version", problem, "name it there")
    is_unsent = profile.version.condition == NONE and not _has_version(holes_of(profile.update))
    if source != NONE and is_unsent:
        yield Mistake(
            "version.condition",
            "is none, and update has no {version}: it would be read, but never be sent, "
            "and changes of others would be overwritten",
            "send it as {version}, or leave version.condition out",
        )
    if profile.version.is_required and source == NONE:
        yield Mistake("version.is_required", "needs answer.version, which is none")


# --- lists and meanings ------------------------------------------------------------------


def _lists(profile: Profile) -> Iterator[Mistake]:
    changes = profile.changes
    if changes is None:
        return
    holes = holes_of(changes)
    if changes.since == NONE and changes.next_since == NONE:
        yield Mistake(
            "changes.since",
            "is needed, or changes.next_since: where the next list begins",
            'such as since = "/last_modified"',
        )
    if "since" not in holes:
        yield Mistake("changes.path", "must hold {since}: else every list begins anew")
    for hole, is_said, key in (
        ("page", changes.page != NONE, "page"),
        ("index", changes.index_from is not None, "index_from"),
    ):
        if (hole in holes) != is_said:
            yield Mistake(f"changes.{key}", f"and {{{hole}}} in the request need each other")
    shown = profile.places("changes")
    if shown.id == shown.key == NONE:
        yield Mistake(
            "changes.answer",
            "must show the id of a record, or our key: else a change is about no record",
            'such as answer = { key = "/id" }',
        )
    if NONE in {shown.record, shown.fields}:
        yield Mistake("changes.answer", "must show the fields of a record")


def _rule(key: str, rule: Rule) -> Iterator[Mistake]:
    compared = (rule.is_ is not None) + (rule.is_not is not None) + rule.is_empty
    if rule.status is None and rule.at is None:
        yield Mistake(key, "would give every answer this meaning", "say a status, or at and is")
    if compared and rule.at is None:
        yield Mistake(f"{key}.at", "is needed: where the value stands that is compared")
    if compared > 1:
        yield Mistake(key, "must have one of is, is_not and is_empty")
    if rule.at == NONE:
        yield Mistake(f"{key}.at", "can never match")
    for status in rule.status or ():
        if not 100 <= status <= 999:  # noqa: PLR2004  the statuses there can be
            yield Mistake(f"{key}.status", f"{status} is no status")
        elif rule.means == "refused" and not 200 <= status < 300:  # noqa: PLR2004  2xx
            yield Mistake(
                key,
                f"would never match: {status} is a refusal already, and settled by a read",
                'use another meaning, such as "absent" or "wait", or leave it out',
            )


# --- types -------------------------------------------------------------------------------


def _types(profile: Profile) -> Iterator[Mistake]:
    words = {hole.removeprefix(WORD) for hole in _all_words(profile)}
    for name, section in profile.types.items():
        for word in sorted(words - section.words.keys()):
            problem = f"has no {word!r}, which the profile uses as {{type.{word}}}"
            yield Mistake(f"types.{name}.words", problem, "say what stands for it")
        taken: dict[str, str] = {}
        for ours, form in section.fields.items():
            theirs = form.name or ours
            if theirs in taken:
                problem = f"is the name of {taken[theirs]} too"
                yield Mistake(f"types.{name}.fields.{ours}.name", problem)
            taken[theirs] = ours
            for text in () if form.write is None else texts_in(json_of(form.write)):
                yield from unknown(f"types.{name}.fields.{ours}.write", text, {"value"})


def _all_words(profile: Profile) -> Iterator[str]:
    for _, request in profile.requests():
        yield from (hole for hole in holes_of(request) if hole.startswith(WORD))
    yield from (h for h in holes_in(profile.read.key_path or "") if h.startswith(WORD))
    for verb, _ in profile.requests():
        places = profile.places(verb)
        parts = places.version.values() if isinstance(places.version, dict) else [places.version]
        for source in (places.record, places.fields, places.id, places.key, *parts):
            yield from _words_in(source)


def _words_in(source: Source) -> Iterator[str]:
    for steps in inner_steps(source):
        for step in steps:
            yield from (hole for hole in holes_in(step) if hole.startswith(WORD))
