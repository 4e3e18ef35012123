"""Floor 4: a pydantic model, or the parameters of a function, as a description; pure.

A description says what can be told of a field to whoever fills in a form; what else the model
demands is found out when it validates.
"""

from __future__ import annotations

import inspect
import re
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined, to_jsonable_python

from journal.descriptions import Choice, FieldDescription, TypeDescription
from journal.schema import To, stored_name
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from journal.descriptions import FieldKind

_KINDS: Final[tuple[tuple[type, FieldKind], ...]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (Decimal, "number"),
    (datetime, "datetime"),
    (date, "date"),
    (time, "time"),
    (Ref, "reference"),
    (str, "text"),
)
"""Of several that a type is derived from, the first: a truth is an integer, a time is a date."""
_SEVERAL: Final = (list, tuple, set, frozenset)
_ENTRY: Final = re.compile(r"(\s+)\**(\w+)(?:\s*\([^)]*\))?:\s*(.*)")


def described(record_type: str, model: type[BaseModel]) -> TypeDescription:
    """Return the description of a record type that a model is.

    Args:
        record_type: its name.
        model: that its records must fit.
    """
    fields = [form_field(stored_name(n, info), info) for n, info in model.model_fields.items()]
    allows_others = model.model_config.get("extra") == "allow"
    return TypeDescription(record_type, tuple(fields), complete=not allows_others)


def parameters(docstring: str) -> dict[str, str]:
    """Return what a docstring says of each parameter, in a section ``Args:``."""
    said: dict[str, str] = {}
    lines = inspect.cleandoc(docstring).splitlines()
    begin = next((at for at, line in enumerate(lines, 1) if line.strip() == "Args:"), len(lines))
    indent, name = "", ""
    for line in lines[begin:]:
        if line and not line[0].isspace():
            break
        found = _ENTRY.fullmatch(line)
        if found is not None and indent in {"", found[1]}:
            indent, name = found[1], found[2]
            said[name] = found[3].strip()
        elif name and line.strip():
            said[name] = f"{said[name]} {line.strip()}".strip()
    return said


def form_field(name: str, info: FieldInfo) -> FieldDescription:
    """Return what a field is, as far as its annotation tells.

    Args:
        name: under which it is given.
        info: what is said of it, in a model or in the parameters of a function.
    """
    found = _Found()
    found.look(info.annotation, info.metadata)
    default = None
    if info.default_factory is None and info.default is not PydanticUndefined:
        default = to_jsonable_python(info.default, fallback=str)
    is_bounded = found.kind in {"text", "choice"}
    return FieldDescription(
        name,
        found.kind,
        label=info.title or "",
        help=info.description or "",
        required=info.is_required(),
        nullable=found.is_nullable,
        default=default,
        length=found.length if is_bounded else None,
        precision=found.precision,
        scale=found.scale,
        choices=tuple(found.choices),
        closed=bool(found.choices),
        refers_to=tuple(dict.fromkeys(found.refers_to)),
    )


class _Found:
    """What was found in an annotation."""

    def __init__(self) -> None:
        self.kind: FieldKind = "any"
        self.is_nullable = False
        self.length: int | None = None
        self.precision: int | None = None
        self.scale: int | None = None
        self.choices: list[Choice] = []
        self.refers_to: list[str] = []

    def look(self, annotation: Any, metadata: Iterable[object] = ()) -> None:  # noqa: ANN401
        """Look at an annotation, and at what stands beside it."""
        origin = get_origin(annotation)
        if origin is Annotated:
            inner, *beside = get_args(annotation)
            self.look(inner, beside)
        elif origin in {Union, UnionType}:
            self._look_at_several(get_args(annotation))
        elif origin is Literal:
            self._choose(get_args(annotation))
        elif origin in _SEVERAL and len(inner := set(get_args(annotation)) - {Ellipsis}) == 1:
            one = _Found()
            one.look(inner.pop())
            if one.choices:
                self.kind, self.choices = "choices", one.choices
        elif isinstance(annotation, type) and annotation not in {object, Any}:
            self._look_at_type(annotation)
        else:
            self.is_nullable = True
        for mark in _parts(metadata):
            self._mark(mark)

    def _look_at_several(self, branches: tuple[Any, ...]) -> None:
        """Look at a union: its branches say what a field is where they agree."""
        self.is_nullable = NoneType in branches
        found = [_Found() for branch in branches if branch is not NoneType]
        for one, branch in zip(found, [b for b in branches if b is not NoneType], strict=True):
            one.look(branch)
        kinds = {one.kind for one in found}
        if len(kinds) != 1:
            return
        self.kind = kinds.pop()
        if len(found) == 1:
            [one] = found
            self.length, self.precision, self.scale = one.length, one.precision, one.scale
        self.choices = [choice for one in found for choice in one.choices]
        if all(one.refers_to for one in found):
            self.refers_to = [name for one in found for name in one.refers_to]

    def _look_at_type(self, annotation: type) -> None:
        if issubclass(annotation, Enum):
            self._choose([member.value for member in annotation])
            return
        kind = next((kind for base, kind in _KINDS if issubclass(annotation, base)), None)
        if kind is not None:
            self.kind = kind

    def _choose(self, values: Iterable[object]) -> None:
        """Take note of the values that there are, unless some are no texts."""
        listed = list(values)
        self.is_nullable = None in listed
        texts = [value for value in listed if isinstance(value, str)]
        if len(texts) == len(listed) - self.is_nullable:
            self.kind, self.choices = "choice", [Choice(text) for text in texts]

    def _mark(self, mark: object) -> None:
        if isinstance(mark, To):
            self.kind, self.refers_to = "reference", list(mark.record_types)
        self.length = getattr(mark, "max_length", None) or self.length
        self.precision = getattr(mark, "max_digits", None) or self.precision
        places = getattr(mark, "decimal_places", None)
        self.scale = self.scale if places is None else places


def _parts(metadata: Iterable[object]) -> Iterable[object]:
    """Yield what stands beside a type; of what holds several constraints, each."""
    for mark in metadata:
        yield mark
        inner = getattr(mark, "metadata", None)
        yield from inner if isinstance(inner, list) else ()


def first_line(docstring: str) -> str:
    """Return the first sentence of a docstring, without its full stop."""
    text = inspect.cleandoc(docstring).partition("\n\n")[0]
    return text.replace("\n", " ").strip().removesuffix(".")
