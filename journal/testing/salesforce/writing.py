"""How a record is saved and deleted: every check that an org makes, in its order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from journal.testing.salesforce.assigning import Body, assigned
from journal.testing.salesforce.database import Database, Operation, RecordEffect, Row
from journal.testing.salesforce.duplicates import check_duplicates
from journal.testing.salesforce.refusal import Complaint, RefusedError
from journal.testing.salesforce.rules import Rules, TriggerError
from journal.testing.salesforce.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from journal.testing.salesforce.caller import Caller
    from journal.testing.salesforce.schema import Field, SObject

__all__ = ["Writer", "shown_fields"]

_LOCKED: Final = "unable to obtain exclusive access to this record"


class Writer:
    """Saves and deletes.

    Args:
        database: where rows are.
        rules: what is set up.
        now: tells the time, in whole seconds.
        may_audit: whether a create may say when and by whom it was.
    """

    def __init__(
        self,
        database: Database,
        rules: Rules,
        now: Callable[[], datetime],
        may_audit: Callable[[], bool],
    ) -> None:
        self._database, self._rules = database, rules
        self._now, self._may_audit = now, may_audit

    def create(self, sobject: SObject, body: Body, caller: Caller) -> Row:
        """Save a new record.

        Raises:
            RefusedError: it may not be saved.
        """
        self.check_permitted(sobject, "create", caller)
        if not sobject.is_writable:
            raise RefusedError(400, _not_creatable(sobject))
        audits = self._may_audit()
        given = assigned(self._database, sobject, body, "create", may_audit=audits)
        now = self._now()
        values: dict[str, Any] = {field.name: _default(field) for field in sobject.all_fields}
        values |= {"OwnerId": caller.user_id, "IsDeleted": False, "SystemModstamp": now}
        values |= {"CreatedDate": now, "CreatedById": caller.user_id}
        values |= {"LastModifiedDate": now, "LastModifiedById": caller.user_id}
        values |= {name: v for name, v in given.items() if v is not None}
        row = Row(sobject, self._database.new_id(sobject), values)
        values["Id"] = row.id
        if sobject.is_custom and sobject.name_field == "Name" and not values.get("Name"):
            values["Name"] = row.id
        return self._save("create", row, None, given, caller)

    def update(self, row: Row, body: Body, caller: Caller) -> Row:
        """Save the changes to a record.

        Raises:
            RefusedError: they may not be saved.
        """
        self.check_permitted(row.sobject, "update", caller)
        if row.is_deleted:
            raise RefusedError(404, Complaint("ENTITY_IS_DELETED", "entity is deleted"))
        given = assigned(self._database, row.sobject, body, "update")
        now = self._now()
        modified = {"LastModifiedDate": now, "LastModifiedById": caller.user_id}
        values = {**row.values, **given, **modified, "SystemModstamp": now}
        return self._save("update", Row(row.sobject, row.id, values), row, given, caller)

    def delete(self, row: Row, caller: Caller) -> None:
        """Put a record into the bin, with what hangs on it.

        Raises:
            RefusedError: it may not be deleted.
        """
        self.check_permitted(row.sobject, "delete", caller)
        if row.is_deleted:
            raise RefusedError(404, Complaint("ENTITY_IS_DELETED", "entity is deleted"))
        self._check_locks(row.sobject, [row.id])
        with self._database.transaction():
            self._mark(row, caller, is_deleted=True)
            for sobject, field in self._database.schema.references_to(row.sobject.name):
                for child in self._database.rows(sobject):
                    if not child.is_deleted and child.values[field.name] == row.id:
                        self._on_parent_gone(child, field, row, caller)

    def undelete(self, row: Row, caller: Caller) -> None:
        """Take a record out of the bin."""
        self._mark(row, caller, is_deleted=False)

    def touch(self, row: Row, caller: Caller) -> None:
        """Move the stamp of the system, and nothing else, as automation does."""
        values = {**row.values, "SystemModstamp": self._now()}
        self._database.put(replace(row, values=values))
        self._note("touch", row, {}, caller)

    def check_permitted(
        self, sobject: SObject, verb: Literal["create", "read", "update", "delete"], caller: Caller
    ) -> None:
        """Refuse what a user may not do to an object.

        Raises:
            RefusedError: the user may not.
        """
        if not caller.is_admin and (sobject.name, verb) in self._rules.denied:
            message = f"insufficient access rights on object id: {verb} on {sobject.name}"
            raise RefusedError(403, Complaint("INSUFFICIENT_ACCESS_OR_READONLY", message))

    def _save(
        self,
        operation: Literal["create", "update"],
        row: Row,
        before: Row | None,
        given: Mapping[str, Any],
        caller: Caller,
    ) -> Row:
        changed = dict(given)
        row = self._triggered(row, before, changed)
        self._check_required(row)
        self._check_rules(row)
        self._check_unique(row)
        check_duplicates(self._database, self._rules.duplicates, row, before, caller)
        parents = [row.values[f.name] for f in row.sobject.fields if f.type == "reference"]
        own = [row.id] if before is not None else []
        was = set() if before is None else set(before.values.values())
        self._check_locks(row.sobject, [*own, *(each for each in parents if each not in was)])
        self._database.put(row)
        self._note(operation, row, shown_fields(row, changed), caller)
        return row

    def _triggered(self, row: Row, before: Row | None, changed: dict[str, Any]) -> Row:
        """Return the row as its triggers leave it."""
        old = None if before is None else shown_fields(before)
        for trigger in self._rules.triggers:
            if trigger.sobject != row.sobject.name:
                continue
            try:
                said = trigger.before_save(shown_fields(row), old)
            except TriggerError as error:
                raise RefusedError(400, _trigger_failed(trigger.name, str(error))) from error
            setting = assigned(self._database, row.sobject, said, "update")
            changed |= setting
            row = replace(row, values={**row.values, **setting})
        if row.sobject.name_from:
            parts = (row.values[name] for name in row.sobject.name_from)
            row = replace(row, values={**row.values, "Name": " ".join(p for p in parts if p)})
        return row

    def _check_required(self, row: Row) -> None:
        required = [field.name for field in row.sobject.fields if field.is_required]
        if missing := [name for name in required if row.values[name] is None]:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise RefusedError(400, Complaint("REQUIRED_FIELD_MISSING", message, missing))

    def _check_rules(self, row: Row) -> None:
        record = shown_fields(row)
        broken = [
            Complaint(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                rule.message,
                (rule.field,) if rule.field else (),
            )
            for rule in self._rules.validation
            if rule.sobject == row.sobject.name and rule.is_broken(record)
        ]
        if broken:
            raise RefusedError(400, *broken)

    def _check_unique(self, row: Row) -> None:
        for field in row.sobject.fields:
            value = row.values[field.name]
            if not field.is_unique or value is None:
                continue
            for other in self._database.named(row.sobject, field, value):
                if other.id != row.id:
                    message = (
                        f"duplicate value found: {field.name} duplicates value "
                        f"on record with id: {other.id[:15]}"
                    )
                    raise RefusedError(400, Complaint("DUPLICATE_VALUE", message))

    def _check_locks(self, sobject: SObject, record_ids: Iterable[str | None]) -> None:
        for record_id in record_ids:
            lock = self._rules.locks.get(record_id or "")
            if record_id is None or lock is None:
                continue
            if lock.tries is not None:
                lock.tries -= 1
                if lock.tries <= 0:
                    del self._rules.locks[record_id]
            if lock.is_wrapped:
                cause = f"System.DmlException: UNABLE_TO_LOCK_ROW, {_LOCKED}"
                raise RefusedError(400, _trigger_failed(f"{sobject.name}Trigger", cause))
            raise RefusedError(400, Complaint("UNABLE_TO_LOCK_ROW", _LOCKED))

    def _on_parent_gone(self, child: Row, field: Field, parent: Row, caller: Caller) -> None:
        if field.on_delete == "restrict":
            message = (
                f"Your attempt to delete {parent.id} could not be completed because it is "
                f"associated with the following {child.sobject.name}: {child.id}"
            )
            raise RefusedError(400, Complaint("DELETE_FAILED", message))
        if field.on_delete == "cascade":
            self.delete(child, replace(caller, is_admin=True))
            return
        values = {**child.values, field.name: None, "SystemModstamp": self._now()}
        self._database.put(replace(child, values=values))
        self._note("update", child, {field.name: None}, caller)

    def _mark(self, row: Row, caller: Caller, *, is_deleted: bool) -> None:
        now = self._now()
        modified = {"LastModifiedDate": now, "LastModifiedById": caller.user_id}
        marked = {**row.values, "IsDeleted": is_deleted, **modified, "SystemModstamp": now}
        self._database.put(replace(row, values=marked))
        self._note("delete" if is_deleted else "undelete", row, {}, caller)

    def _note(
        self, operation: Operation, row: Row, fields: Mapping[str, Any], caller: Caller
    ) -> None:
        n = len(self._database.effects) + 1
        by, request, at = caller.user_id, caller.request, self._now()
        effect = RecordEffect(n, operation, row.sobject.name, row.id, fields, by, request, at)
        self._database.effects.append(effect)


def shown_fields(row: Row, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Return the fields of a row, or some of them, as rows are shown."""
    fields = row.sobject.all_fields
    wanted = {field.name for field in fields} if names is None else set(names)
    return {f.name: shown(f, row.values[f.name]) for f in fields if f.name in wanted}


def _default(field: Field) -> Any:  # noqa: ANN401  kept values
    return False if field.type == "boolean" and field.default is None else field.default


def _trigger_failed(name: str, cause: str) -> Complaint:
    message = f"{name}: execution of BeforeSave\n\ncaused by: {cause}"
    return Complaint("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)


def _not_creatable(sobject: SObject) -> Complaint:
    message = f"entity type {sobject.name} does not support create"
    return Complaint("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
