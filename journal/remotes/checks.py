"""What a profile must not say, though each key of it is fine; pure.

Every check is a mistake that was made with a real service, and would lose or double a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.remotes.list_checks import lists, rules
from journal.remotes.placeholders import WORD, Mistake, has_version, holes_of, placeholders, unknown
from journal.remotes.sections import Changes, Find
from journal.remotes.selection import NONE, Source, inner_steps
from journal.remotes.templates import holes_in, json_of, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.profiles import Profile
    from journal.remotes.sections import Request

_NAMING: Final = {"names", "names.joined", "unset", "unset.joined", "record"}
"""By these a service learns that a field is unset which is not mentioned otherwise."""

_VALUES: Final = {"value", "value.text"}
"""What a field is written by."""


def mistakes(profile: Profile) -> Iterator[Mistake]:
    """Yield what is wrong with a profile."""
    yield from placeholders(profile)
    yield from _addresses(profile)
    yield from _repeats(profile)
    yield from _creation(profile)
    yield from _updates(profile)
    yield from _versions(profile)
    yield from lists(profile)
    yield from rules(profile)
    yield from _types(profile)


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


def _repeats(profile: Profile) -> Iterator[Mistake]:
    writes = {"create": profile.create, "update": profile.update, "delete": profile.delete}
    for verb, write in writes.items():
        if write.is_repeatable and not holes_of(write) & {"draft", "draft.uuid"}:
            yield Mistake(
                f"{verb}.is_repeatable",
                "needs {draft} in the request, by which the service knows it again",
                f"such as [{verb}.headers] Idempotency-Key = '{{draft}}'",
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
    is_read_by_key = profile.read.key_path is not None or "id" not in holes_of(profile.read)
    has_look = not assigns or profile.find is not None or is_read_by_key
    if create.looks_first and not has_look:
        yield Mistake(
            "create.looks_first",
            "needs a way to look for a record of which only our key is known",
            "add [find] with a path that holds {key}, or read by {key}",
        )
    if create.looks_first and create.on_doubt == "hold":
        yield Mistake("create.looks_first", "and create.on_doubt = 'hold' exclude each other")
    if create.is_repeatable or create.on_doubt == "hold":
        return
    if not holes & {"id", "key"}:
        yield Mistake(
            "create.body",
            "must hold {key}: a create whose answer is lost could only make a second record",
            "send our key, or set create.is_repeatable with {draft}, or create.on_doubt = 'hold'",
        )
    elif not has_look:
        yield Mistake(
            "find",
            "is needed: after a create whose answer was lost, only our key is known",
            "add [find] with a path that holds {key}, or read by {key}",
        )


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


def _is_elsewhere(update: Request, delete: Request) -> bool:
    """Say whether an update has the version in its path or body, and a delete has it nowhere."""
    bare = update.model_copy(update={"headers": {}})
    return has_version(holes_of(bare)) and not has_version(holes_of(delete))


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
    is_unsent = profile.version.condition == NONE and not has_version(holes_of(profile.update))
    if source != NONE and is_unsent:
        yield Mistake(
            "version.condition",
            "is none, and update has no {version}: it would be read, but never be sent, "
            "and changes of others would be overwritten",
            "send it as {version}, or leave version.condition out",
        )
    is_said = "condition" in profile.version.model_fields_set
    if source != NONE and not is_said and _is_elsewhere(profile.update, profile.delete):
        yield Mistake(
            "version.condition",
            "must be said: update has {version}, and delete has not; sent as If-Match, which "
            "such a service seldom heeds, it would not keep a delete from others' changes",
            "send {version} with delete, or say condition = 'none', and the record is read and "
            "compared right before it; or 'If-Match', if the service heeds it",
        )
    if profile.version.is_required and source == NONE:
        yield Mistake("version.is_required", "needs answer.version, which is none")


# --- types -------------------------------------------------------------------------------


def _types(profile: Profile) -> Iterator[Mistake]:
    words = {hole.removeprefix(WORD) for hole in _all_words(profile)}
    for name, section in profile.types.items():
        for word in sorted(words - section.words.keys()):
            problem = f"has no {word!r}, which the profile uses as {{type.{word}}}"
            yield Mistake(f"types.{name}.words", problem, "say what stands for it")
        taken: dict[str, str] = {}
        for ours, form in section.fields.items():
            for key, theirs in (("name", form.name or ours), ("shown_as", form.shown_as)):
                if theirs is None:
                    continue
                if taken.get(theirs, ours) != ours:
                    problem = f"is the name of {taken[theirs]} too"
                    yield Mistake(f"types.{name}.fields.{ours}.{key}", problem)
                taken[theirs] = ours
            for key, source, allowed in (
                ("write", form.write, _VALUES),
                ("unset", form.unset, set[str]()),
            ):
                for text in () if source is None else texts_in(json_of(source)):
                    yield from unknown(f"types.{name}.fields.{ours}.{key}", text, allowed)


def _all_words(profile: Profile) -> Iterator[str]:
    for _, request in profile.requests():
        yield from (hole for hole in holes_of(request) if hole.startswith(WORD))
    yield from (h for h in holes_in(profile.read.key_path or "") if h.startswith(WORD))
    for source in _selectors(profile):
        yield from _words_in(source)


def _selectors(profile: Profile) -> Iterator[Source]:
    for verb, request in profile.requests():
        places = profile.places(verb)
        parts = places.version.values() if isinstance(places.version, dict) else [places.version]
        yield from (places.record, places.fields, places.id, places.key, *parts, *places.own)
        if isinstance(request, (Find, Changes)):
            yield request.items
    if (changes := profile.changes) is not None:
        yield from (changes.since, changes.next_since, changes.next_list, changes.next)
        yield changes.page
        yield from (said.at for said in (changes.deleted, changes.more) if said is not None)
    yield from (rule.at for rule in profile.meaning if rule.at is not None)


def _words_in(source: Source) -> Iterator[str]:
    for steps in inner_steps(source):
        for step in steps:
            yield from (hole for hole in holes_in(step) if hole.startswith(WORD))
