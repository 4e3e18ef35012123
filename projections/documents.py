"""Any value of Python as a document of JSON, in which two values can be compared; pure.

- O1. Two values give one document if whoever reads them sees the same: the order of a mapping
  counts, and that of a set does not.
- O2. Nothing that is another in every process is in it: no address, and no hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

_PLAIN: Final = (bool, int, float, type(None))
_NAMED: Final = (type, FunctionType, BuiltinFunctionType, ModuleType)
_BYTES: Final = (bytes, bytearray, memoryview)


def document(value: Any, within: tuple[int, ...] = ()) -> Any:  # noqa: ANN401  whatever it is
    """Return a value as a document.

    Args:
        value: the value.
        within: the ids of what it is in: nothing is shown within itself.
    """
    if isinstance(value, str) and not isinstance(value, Enum):
        return str.__str__(value)
    if type(value) in _PLAIN:
        return value
    if id(value) in within:
        return "(itself)"
    inner = (*within, id(value))
    parts = _parts(value)
    if isinstance(parts, Mapping):
        return {_key(key): document(each, inner) for key, each in parts.items()}
    if isinstance(parts, AbstractSet):
        return sorted((document(each, inner) for each in parts), key=text_of)
    return [document(each, inner) for each in parts] if isinstance(parts, list) else parts


def _parts(value: Any) -> Any:  # noqa: ANN401
    """Return what a value is made of: a mapping, a set, a list, or a text that stands for it."""
    if isinstance(value, Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, _NAMED):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
    if isinstance(value, Mapping | AbstractSet):
        return value
    if isinstance(value, tuple) and (names := getattr(value, "_fields", None)) is not None:
        return dict(zip(names, value, strict=False))
    if isinstance(value, Sequence) and not isinstance(value, _BYTES):
        return list(value)
    kind: Any = type(value)
    is_bare = kind.__repr__ is object.__repr__
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        held = {**(_slotted(value) if is_bare else {}), **getattr(value, "__dict__", {})}
    return {"": kind.__qualname__, **held} if held or is_bare else repr(value)


def _slotted(value: object) -> dict[str, Any]:
    """Return what stands in the slots of an object."""
    listed = [kind.__dict__.get("__slots__", ()) for kind in type(value).__mro__]
    names = [name for each in listed for name in ((each,) if isinstance(each, str) else each)]
    return {n: getattr(value, n) for n in names if n[:2] != "__" and hasattr(value, n)}


def _key(key: object) -> str:
    return document(key) if isinstance(key, str) else text_of(document(key))


def text_of(shown: Any) -> str:  # noqa: ANN401  JSON
    """Return a document as a text."""
    return json.dumps(shown, ensure_ascii=True)


def digest_of(shown: Any) -> bytes:  # noqa: ANN401  JSON
    """Return the digest of a document."""
    return sha256(text_of(shown).encode()).digest()
