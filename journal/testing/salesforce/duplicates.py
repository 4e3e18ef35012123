"""Duplicate rules: what looks like a record that would be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.testing.salesforce.refusal import Complaint, Content, RefusedError
from journal.testing.salesforce.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.testing.salesforce.caller import Caller
    from journal.testing.salesforce.database import Database, Row
    from journal.testing.salesforce.rules import DuplicateRule

__all__ = ["check_duplicates"]


def check_duplicates(
    database: Database,
    rules: Iterable[DuplicateRule],
    row: Row,
    before: Row | None,
    caller: Caller,
) -> None:
    """Refuse a record that looks like another, unless it is to be saved all the same.

    Raises:
        RefusedError: it does.
    """
    for rule in rules:
        if rule.sobject != row.sobject.name:
            continue
        if before is not None and _looks(before, rule) == _looks(row, rule):
            continue
        if caller.allow_save and rule.action == "alert":
            continue
        others = [
            other
            for other in database.rows(row.sobject)
            if other.id != row.id
            and not other.is_deleted
            and _looks(other, rule) == _looks(row, rule)
        ]
        if others and all(_looks(row, rule)):
            raise RefusedError(400, _complaint(rule, others, shows_details=caller.shows_details))


def _looks(row: Row, rule: DuplicateRule) -> list[Any]:
    values = [row.values[row.sobject.field(name).name] for name in rule.fields]
    return [value.lower() if isinstance(value, str) else value for value in values]


def _complaint(rule: DuplicateRule, others: list[Row], *, shows_details: bool) -> Complaint:
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": _record(rule, other, shows_details=shows_details),
        }
        for other in others
    ]
    match = {
        "entityType": rule.sobject,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": records,
        "rule": rule.name,
        "size": len(records),
        "success": True,
    }
    result = {
        "allowSave": rule.action == "alert",
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": rule.sobject,
        "errorMessage": rule.message,
        "matchResults": [match],
    }
    return Complaint("DUPLICATES_DETECTED", rule.message, more={"duplicateResult": result})


def _record(rule: DuplicateRule, row: Row, *, shows_details: bool) -> Content:
    fields: Content = {"attributes": {"type": rule.sobject}, "Id": row.id}
    if shows_details:
        for name in rule.fields:
            field = row.sobject.field(name)
            fields[field.name] = shown(field, row.values[field.name])
    return fields
