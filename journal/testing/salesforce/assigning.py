"""From what a body says to values that a row may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from journal.testing.salesforce.refusal import Complaint, Content, RefusedError
from journal.testing.salesforce.schema import Field, SObject, UnknownError
from journal.testing.salesforce.values import kept

if TYPE_CHECKING:
    from journal.testing.salesforce.database import Database

__all__ = ["Body", "assigned", "no_such_field"]

Body: TypeAlias = Mapping[str, Content]
_AUDIT = {"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"}


def assigned(
    database: Database,
    sobject: SObject,
    body: Body,
    verb: Literal["create", "update"],
    *,
    may_audit: bool = False,
) -> dict[str, Any]:
    """Return the values that a body sets, by the names of their fields.

    Raises:
        RefusedError: there is no such field, it may not be set, or it does not take its value.
    """
    values: dict[str, Any] = {}
    unwritable: list[str] = []
    for name, value in body.items():
        if name == "attributes":
            continue
        try:
            field = sobject.field(name)
        except UnknownError:
            field, value = _parent(database, sobject, name, value)  # noqa: PLW2901  its id
        is_writable = field.is_createable if verb == "create" else field.is_updateable
        if not is_writable and not (may_audit and verb == "create" and field.name in _AUDIT):
            unwritable.append(field.name)
            continue
        values[field.name] = kept(field, value)
    if unwritable:
        raise RefusedError(400, _unwritable(unwritable, verb))
    _check_references(database, sobject, values)
    return values


def no_such_field(sobject: SObject, name: str) -> RefusedError:
    """Return the refusal of a field that is not there."""
    message = f"No such column '{name}' on sobject of type {sobject.name}"
    return RefusedError(400, Complaint("INVALID_FIELD", message))


def _unwritable(names: list[str], verb: str) -> Complaint:
    code = "INVALID_FIELD_FOR_INSERT_UPDATE"
    if names == ["Id"]:
        if verb == "create":
            return Complaint(code, "cannot specify Id in an insert call", names)
        message = "The Id field should not be specified in the sobject data."
        return Complaint("INVALID_FIELD", message, names)
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings "
        "of this field and verify that it is read/write for your profile or permission set."
    )
    return Complaint(code, message, names)


def _parent(
    database: Database, sobject: SObject, relationship: str, named: Content
) -> tuple[Field, str | None]:
    """Return the field of a parent that is named by an external id, and the parent's id."""
    try:
        field = sobject.reference(relationship)
    except UnknownError:
        raise no_such_field(sobject, relationship) from None
    if named is None:
        return field, None
    if not isinstance(named, Mapping):
        raise no_such_field(sobject, relationship)
    given = {name: value for name, value in named.items() if name != "attributes"}
    target = _target(database, field, named)
    if len(given) != 1:
        message = f"{relationship}: a parent is named by exactly one external id"
        raise RefusedError(400, Complaint("INVALID_FIELD", message))
    [(name, value)] = given.items()
    try:
        key = target.field(name)
    except UnknownError:
        raise no_such_field(target, name) from None
    if not key.is_external_id:
        message = f"{name} is not an external ID field for {target.name}"
        raise RefusedError(400, Complaint("INVALID_FIELD", message))
    found = database.named(target, key, kept(key, value))
    if len(found) != 1:
        problem = "not found" if not found else "matches more than one record"
        message = f"Foreign key external ID: {value} {problem} for field {key.name}"
        code = "INVALID_FIELD" if not found else "DUPLICATE_EXTERNAL_ID"
        raise RefusedError(400, Complaint(code, f"{message} in entity {target.name}"))
    return field, found[0].id


def _target(database: Database, field: Field, named: Body) -> SObject:
    """Return the object of a parent: that of the field, or the one that is said."""
    attributes = named.get("attributes")
    said = attributes.get("type") if isinstance(attributes, Mapping) else None
    if said is None and len(field.refers_to) == 1:
        return database.schema.object(field.refers_to[0])
    if said not in field.refers_to:
        message = f"{field.relationship}: attributes.type has to be one of {field.refers_to}"
        raise RefusedError(400, Complaint("INVALID_FIELD", message))
    return database.schema.object(said)


def _check_references(database: Database, sobject: SObject, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        field = sobject.field(name)
        if field.type != "reference" or value is None:
            continue
        target = database.schema.of_id(value)
        if target is None or target.name not in field.refers_to:
            message = f"{field.shown_label}: id value of incorrect type: {value}"
            raise RefusedError(400, Complaint("MALFORMED_ID", message, (field.name,)))
        row = database.row(value)
        if row is None:
            complaint = Complaint("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            raise RefusedError(400, complaint)
        if row.is_deleted:
            raise RefusedError(400, Complaint("ENTITY_IS_DELETED", "entity is deleted"))
