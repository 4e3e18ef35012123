"""What a query says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

__all__ = [
    "Among",
    "Both",
    "Column",
    "Compared",
    "Condition",
    "Constant",
    "Either",
    "Not",
    "Order",
    "Query",
]

Constant: TypeAlias = str | float | int | bool | date | datetime | None
"""A text, a number, a truth, a day, a moment, or nothing."""
Path: TypeAlias = tuple[str, ...]
"""The way to a field: the parents, and its name."""
Sign: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A field, a sign, and what it is compared with: one value, or the bounds of a time."""

    path: Path
    sign: Sign
    value: Constant | tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Among:
    """A field whose value is one of several, or of what another query finds."""

    path: Path
    values: tuple[Constant, ...] | Query


@dataclass(frozen=True, slots=True)
class Both:
    """Conditions that all hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions of which one holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that does not hold."""

    part: Condition


Condition: TypeAlias = Compared | Among | Both | Either | Not


@dataclass(frozen=True, slots=True)
class Column:
    """What is selected: a field, all of them, what is counted, or the children of a record."""

    path: Path = ()
    kind: Literal["field", "all", "standard", "custom", "count", "min", "max", "children"] = "field"
    alias: str = ""
    children: Query | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """By which field rows are sorted, and how."""

    path: Path
    is_descending: bool = False
    has_nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    columns: tuple[Column, ...]
    source: str
    where: Condition | None = None
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    counts: bool = False
    has_all_rows: bool = False
