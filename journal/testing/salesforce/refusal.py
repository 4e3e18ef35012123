"""A request that is refused: what an org says of it, in the three shapes in which it says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Answer", "Complaint", "Content", "RefusedError"]

Content: TypeAlias = Any
"""JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: a status, and a document unless it has none."""

    status: int
    document: Content = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong: its code, its text, and the fields that it is about."""

    code: str
    message: str
    fields: Sequence[str] = ()
    more: Mapping[str, Content] = field(default_factory=dict)

    def in_rest(self) -> Content:
        """Return it as the rows of an sObject have it."""
        shown: Content = {"message": self.message, "errorCode": self.code, **self.more}
        return {**shown, "fields": list(self.fields)} if self.fields else shown

    def in_item(self) -> Content:
        """Return it as the item of a collection has it."""
        fields = list(self.fields)
        return {"statusCode": self.code, "message": self.message, "fields": fields, **self.more}

    def in_ui(self) -> Content:
        """Return it as the output of the UI API has it."""
        name = self.fields[0] if self.fields else None
        return {
            "constituentField": None,
            "duplicateRecordError": self.more.get("duplicateResult"),
            "errorCode": self.code,
            "field": name,
            "fieldLabel": name,
            "message": self.message,
        }


class RefusedError(Exception):
    """A request, or a part of one, that is refused and changes nothing."""

    def __init__(self, status: int, *complaints: Complaint) -> None:
        super().__init__("; ".join(each.message for each in complaints))
        self.status, self.complaints = status, complaints
        self.headers: dict[str, str] = {}

    def answer(self) -> Answer:
        """Return the refusal as the rows of an sObject answer it."""
        return Answer(self.status, [each.in_rest() for each in self.complaints], self.headers)
