"""The ways of a query: from an object to a field, by its parents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.testing.salesforce.refusal import Complaint, RefusedError
from journal.testing.salesforce.schema import Field, SObject, UnknownError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.testing.salesforce.database import Database, Row

__all__ = ["Ways"]


class Ways:
    """Finds what names lead to.

    Args:
        database: where rows are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def object(self, name: str) -> SObject:
        """Return the object of that name.

        Raises:
            RefusedError: there is none.
        """
        try:
            return self._database.schema.object(name)
        except UnknownError:
            message = (
                f"sObject type '{name}' is not supported. If you are attempting to use a custom "
                "object, be sure to append the '__c' after the entity name."
            )
            raise RefusedError(400, Complaint("INVALID_TYPE", message)) from None

    def path(self, sobject: SObject, path: Sequence[str]) -> tuple[str, ...]:
        """Return a path with its names as they are spelt, the object's own left out.

        Raises:
            RefusedError: the path leads nowhere.
        """
        return tuple(name for name, _ in self._steps(sobject, path))

    def field(self, sobject: SObject, path: Sequence[str]) -> Field:
        """Return the field at the end of a path.

        Raises:
            RefusedError: the path leads nowhere.
        """
        return self._steps(sobject, path)[-1][1]

    def _steps(self, sobject: SObject, path: Sequence[str]) -> list[tuple[str, Field]]:
        if (
            len(path) > 1
            and path[0].lower() == sobject.name.lower()
            and not _leads(sobject, path[0])
        ):
            path = path[1:]
        steps: list[tuple[str, Field]] = []
        here = [sobject]
        for name in path[:-1]:
            field = next((each.reference(name) for each in here if _leads(each, name)), None)
            if field is None:
                message = f"Didn't understand relationship '{name}' in field path."
                raise RefusedError(400, Complaint("INVALID_FIELD", message))
            steps.append((field.relationship, field))
            here = [self.object(target) for target in field.refers_to]
        for each in here:
            try:
                field = each.field(path[-1])
            except UnknownError:
                continue
            return [*steps, (field.name, field)]
        message = (
            f"No such column '{path[-1]}' on entity '{here[0].name}'. If you are attempting to use "
            "a custom field, be sure to append the '__c' after the custom field name."
        )
        raise RefusedError(400, Complaint("INVALID_FIELD", message))

    def value(self, row: Row, path: Sequence[str]) -> Any:  # noqa: ANN401  kept values
        """Return what a path leads to from a row, or None."""
        for relationship in path[:-1]:
            parent = self.parent(row, relationship)
            if parent is None:
                return None
            row = parent
        return row.values.get(path[-1])

    def parent(self, row: Row, relationship: str) -> Row | None:
        """Return the parent of a row, or None where it has none of that name."""
        try:
            parent_id = row.values[row.sobject.reference(relationship).name]
        except UnknownError:
            return None  # of a field that may name several objects
        return None if parent_id is None else self._database.row(parent_id)


def _leads(sobject: SObject, relationship: str) -> bool:
    try:
        return bool(sobject.reference(relationship))
    except UnknownError:
        return False
