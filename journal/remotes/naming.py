"""Which field an error is about: by the paths that it holds, or by its words; pure.

It knows the names of the draft's fields, and what services put around a field in a path.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Steps: TypeAlias = "tuple[str, ...]"
"""The path of a field, from the record on."""
_MOST: Final = 2_000


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_FIELDS: Final = _listed(
    "field fields fieldname source pointer propertypath propertyname property attribute attr "
    "instancepath datapath path loc param parameter name target member column argument "
    "argumentname location expression apiname key"
)
_WEAK: Final = frozenset(
    {"path", "name", "key", "target", "location", "column", "member", "argument", "attribute"}
)
"""Those of `_FIELDS` that mean a field only in a list of errors, or where the draft has it."""
_WHOLE: Final = frozenset(
    {"", "$", "all", "base", "data", "error", "nonfielderrors", "schema", "record"}
)
"""Names by which maps of fields speak of the whole record."""
_AROUND: Final = frozenset(
    {"attributes", "body", "cookie", "data", "fields", "header", "json", "path", "properties"}
    | {"query", "querystring", "record", "relationships", "row", "url"}
)
"""Steps of a path that are not of the record but of what is around it."""
_ORDINARY: Final = frozenset(
    _listed(
        "a all an and any are as at be by can data error field fields for from has have id in is "
        "it key list must no not null of on one or record required row set should that the this to "
        "type value was with"
    )
)
"""Words that a text may hold without meaning a field: these must be quoted."""
_STEPS: Final = re.compile(r"[^/.\[\]]+")
_ROOT: Final = re.compile(r"^[#$](?=[/.\[]|$)")


class Names:
    """The names of the fields of a draft, by which others are recognised."""

    def __init__(self, names: Iterable[str]) -> None:
        """Remember the names; two that differ in case only are told apart where they can be."""
        self._exact = frozenset(names)
        self._names = {name.lower(): name for name in sorted(self._exact)}

    def paths_in(self, plain: dict[str, Any], *, is_item: bool) -> Iterator[Steps]:
        """Yield the path of each field that an error says it is about."""
        extensions = plain.get("extensions")
        if isinstance(extensions, dict):  # of GraphQL, whose path is that of the query
            plain = {**plain_of(extensions), "path": None}
        for key in _FIELDS:
            paths = [path for path in _paths(key, plain.get(key)) if path]
            if key in _WEAK and not is_item:
                paths = [path for path in paths if any(self._known(step) for step in path)]
            if paths:
                yield from paths
                return
        details = plain.get("details")
        if isinstance(details, dict) and "details" not in self._names:
            inner = plain_of(details)
            said = (
                path for key in _FIELDS if key not in _WEAK for path in _paths(key, inner.get(key))
            )
            yield from islice(filter(None, said), 1)

    def path_of(self, name: str) -> list[str]:
        """Return the path that a key of a map of fields is."""
        return [name] if self._known(name) else _path(name) or [name]

    def _known(self, step: str) -> str:
        """Return what the draft calls a field, or nothing."""
        return step if step in self._exact else self._names.get(step.lower(), "")

    def named(self, steps: Steps) -> str:
        """Return the field that a path leads to, as the draft calls it where it has it."""
        return next(filter(None, map(self._known, steps)), ".".join(steps))

    def guessed(self, text: str) -> str:
        """Return the one field whose name is a word of the text, or none (M3)."""
        found = {name for name in self._exact if name in text and _is_word(name, text)}
        return next(iter(found)) if len(found) == 1 else ""

    def is_whole(self, name: str) -> bool:
        """Say whether a key of a map of fields stands for the whole record."""
        return squeezed(name) in _WHOLE and name not in self._exact

    def are_all(self, members: dict[str, Any]) -> bool:
        """Say whether the members are fields of the draft, and nothing else."""
        names = [name for name in members if not self.is_whole(name)]
        return bool(names) and all(map(self._known, names))


def squeezed(key: str) -> str:
    """Return a key as all styles of writing it have in common."""
    return key.replace("_", "").replace("-", "").lower()


def plain_of(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members by their squeezed keys; the first of two that then are one."""
    plain: dict[str, Any] = {}
    for key, value in islice(members.items(), _MOST):
        plain.setdefault(squeezed(key), value)
    return plain


def _paths(key: str, value: object) -> Iterator[Steps]:
    """Yield the paths that a member of an error holds, by what it is called."""
    match value:
        case str(path) if key != "source":
            is_around = key == "location" and path.lower() in _AROUND
            yield () if is_around else tuple(_path(path))
        case list(path) if key in {"loc", "path", "field"}:
            yield tuple(_inner([step for step in path if isinstance(step, str)]))
        case list(paths):
            yield from (tuple(_path(path)) for path in paths if isinstance(path, str))
        case dict(source) if key == "source":
            inner = plain_of(source)
            for each in ("pointer", "parameter"):
                yield from _paths(each, inner.get(each))


def _path(text: str) -> list[str]:
    """Return the steps of a path: a pointer, dotted, with brackets, or one name."""
    steps = _STEPS.findall(_ROOT.sub("", text))
    return _inner([step.replace("~1", "/").replace("~0", "~") for step in steps])


def _inner(steps: list[str]) -> list[str]:
    """Return the steps without those that lead to the record."""
    steps = [step for step in steps if not step.isdigit()]
    while len(steps) > 1 and steps[0].lower() in _AROUND:
        steps = steps[1:]
    return steps


def _is_word(name: str, text: str) -> bool:
    """Say whether the name is a word of the text, and not one that any text may hold."""
    quoted = re.escape(name)
    if name.lower() in _ORDINARY or len(name) == 1:
        return re.search(rf"""(?P<q>["'`]){quoted}(?P=q)""", text) is not None
    return re.search(rf"(?<![\w-]){quoted}(?![\w-])", text) is not None
