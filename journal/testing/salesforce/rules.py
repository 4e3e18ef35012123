"""What an administrator has set up: rules, triggers, permissions and locks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["DuplicateRule", "Lock", "Rules", "Trigger", "TriggerError", "ValidationRule"]

Record: TypeAlias = Mapping[str, Any]
Verb: TypeAlias = Literal["create", "read", "update", "delete"]


class TriggerError(Exception):
    """Raised by a trigger to refuse a change, with what it says of it."""


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses a record that would be saved.

    Args:
        sobject: the object that it is for.
        is_broken: whether the fields of a record, as a row would show them, break it.
        message: what is said then.
        field: where it is said, or nothing for the top of the page.
    """

    sobject: str
    is_broken: Callable[[Record], bool]
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Finds records that look like one that would be saved.

    Args:
        sobject: the object that it is for.
        fields: those that have to be equal, letters of any case.
        action: `"alert"` lets a client save all the same, `"block"` does not.
        message: what is said.
        name: what it is called.
    """

    sobject: str
    fields: tuple[str, ...] = ("Name",)
    action: Literal["alert", "block"] = "alert"
    message: str = "Use one of these records?"
    name: str = "Standard_Rule"


@dataclass(frozen=True, slots=True)
class Trigger:
    """Changes a record before it is saved.

    Args:
        sobject: the object that it is for.
        before_save: from the fields of the record, and what they were, to those that it sets; it
            raises `TriggerError` to refuse.
        name: what it is called.
    """

    sobject: str
    before_save: Callable[[Record, Record | None], Record]
    name: str = "BeforeSave"


@dataclass(slots=True)
class Lock:
    """A lock on a record: for so many tries, or until it is taken away where that is None."""

    tries: int | None = None
    is_wrapped: bool = False


@dataclass(slots=True)
class Rules:
    """All that is set up; a test adds to it and takes away at any time.

    Attributes:
        validation: what refuses records.
        duplicates: what finds records that look alike.
        triggers: what changes records before they are saved.
        denied: what users may not do: the name of an object, and `create`, `read`, `update` or
            `delete`.
        locks: by the ids of records; `Org.lock()` adds them.
        hidden: the ids of records that users do not see; `Org.hide()` adds them.
        private: the names of objects whose records are seen by their owners alone.
    """

    validation: list[ValidationRule] = field(default_factory=list)
    duplicates: list[DuplicateRule] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    denied: set[tuple[str, Verb]] = field(default_factory=set)
    locks: dict[str, Lock] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
