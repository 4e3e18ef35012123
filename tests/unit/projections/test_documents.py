"""Any value as a document: the same for whoever reads it, in whichever process."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from journal import Ref
from projections.documents import digest_of, document


class Colour(Enum):
    """An enumeration."""

    RED = "r"


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


@dataclass
class Box:
    """A dataclass, which shows less than it holds."""

    inner: list[int]
    hidden: int = field(default=1, repr=False)


class Slotted:
    """An object with slots, and no text of its own."""

    __slots__ = ("_a", "b")

    def __init__(self) -> None:
        self._a = 1


class Bare:
    """An object without anything."""


class Held:
    """An object with attributes."""

    def __init__(self) -> None:
        self.me = self
        self.at = Point(1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (-0.0, -0.0),
        (Ref("A:1"), "A:1"),
        ({"b": 1, 2: (1, [2])}, {"b": 1, "2": [1, [2]]}),
        ({("a", 1): Counter("a")}, {'["a", 1]': {"a": 1}}),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (deque([1]), [1]),
        (Colour.RED, "Colour.RED"),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Box([1]), {"": "Box", "inner": [1], "hidden": 1}),
        (Slotted(), {"": "Slotted", "_a": 1}),
        (Bare(), {"": "Bare"}),
        (Held(), {"": "Held", "me": "(itself)", "at": {"x": 1, "y": 2}}),
        (b"a", "b'a'"),
        (Decimal("1.50"), "Decimal('1.50')"),
        (dt.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        (PurePosixPath("/a"), "PurePosixPath('/a')"),
        (UUID(int=1), "UUID('00000000-0000-0000-0000-000000000001')"),
        (Held, f"{__name__}.Held"),
        (digest_of, "projections.documents.digest_of"),
    ],
)
def test_a_value(value: Any, expected: Any) -> None:  # noqa: ANN401  whatever it is
    """What is in a value is shown, whatever it is made of, and no address of it."""
    assert repr(document(value)) == repr(expected)


def test_order() -> None:
    """The order of a mapping counts; that of a set does not."""
    assert digest_of(document({"a": 1, "b": 2})) != digest_of(document({"b": 2, "a": 1}))
    words = [str(n) for n in range(50)]
    assert digest_of(document(set(words))) == digest_of(
        document(dict.fromkeys(reversed(words)).keys())
    )
