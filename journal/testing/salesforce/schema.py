"""Which objects an org has, and their fields: declared as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["SYSTEM", "Field", "FieldType", "OnDelete", "SObject", "Schema", "UnknownError"]

FieldType: TypeAlias = Literal[
    "boolean",
    "combobox",
    "currency",
    "date",
    "datetime",
    "double",
    "email",
    "id",
    "int",
    "multipicklist",
    "percent",
    "phone",
    "picklist",
    "reference",
    "string",
    "textarea",
    "url",
]
OnDelete: TypeAlias = Literal["clear", "cascade", "restrict"]
LENGTHS: Final[dict[str, int]] = {
    "combobox": 255,
    "email": 80,
    "id": 18,
    "multipicklist": 4099,
    "phone": 40,
    "picklist": 255,
    "reference": 18,
    "string": 255,
    "textarea": 32000,
    "url": 255,
}


class UnknownError(LookupError):
    """There is no such object, or no such field."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object.

    Args:
        name: its API name.
        type: what it holds.
        label: what people see; made of the name where it is empty.
        length: how many characters it takes at most; 0 for what is usual of the type.
        is_required: a record has it.
        is_createable: a create may set it.
        is_updateable: an update may set it.
        is_external_id: records may be named by it.
        is_unique: no two records have the same.
        is_case_sensitive: of a unique field, whether the case of letters tells values apart.
        values: of a picklist.
        is_restricted: a picklist takes no other value.
        default: what a create sets where it says nothing.
        refers_to: of a reference, the objects that it may name.
        relationship: of a reference, what the way to the parent is called.
        children: of a reference, what the way back is called.
        on_delete: what happens to the record when the one that it names is deleted.
        precision: how many digits a number has.
        scale: how many of them stand behind the point.
    """

    name: str
    type: FieldType = "string"
    label: str = ""
    length: int = 0
    is_required: bool = False
    is_createable: bool = True
    is_updateable: bool = True
    is_external_id: bool = False
    is_unique: bool = False
    is_case_sensitive: bool = False
    values: tuple[str, ...] = ()
    is_restricted: bool = True
    default: Any = None
    refers_to: tuple[str, ...] = ()
    relationship: str = ""
    children: str = ""
    on_delete: OnDelete = "clear"
    precision: int = 18
    scale: int = 2

    @property
    def is_custom(self) -> bool:
        """Whether somebody added it to the object."""
        return self.name.endswith("__c")

    @property
    def length_most(self) -> int:
        """How many characters it takes at most; 0 for what is no text."""
        return self.length or LENGTHS.get(self.type, 0)

    @property
    def shown_label(self) -> str:
        """What people see."""
        return self.label or self.name.removesuffix("__c").replace("_", " ")

    @property
    def is_filterable(self) -> bool:
        """Whether a query may compare it: a long text may not be."""
        return self.type != "textarea" or self.length_most <= LENGTHS["string"]


def _system(name: str, field_type: FieldType, *, of_user: str = "") -> Field:
    refers_to = ("User",) if of_user else ()
    field = Field(name, field_type, refers_to=refers_to, relationship=of_user)
    return replace(field, is_createable=False, is_updateable=False)


SYSTEM: Final = (
    _system("Id", "id"),
    _system("IsDeleted", "boolean"),
    _system("CreatedDate", "datetime"),
    _system("CreatedById", "reference", of_user="CreatedBy"),
    _system("LastModifiedDate", "datetime"),
    _system("LastModifiedById", "reference", of_user="LastModifiedBy"),
    _system("SystemModstamp", "datetime"),
)
"""What every record has, and only the org sets."""
OWNER: Final = Field("OwnerId", "reference", refers_to=("User",), relationship="Owner")


@dataclass(frozen=True, slots=True)
class SObject:
    """An object: what kind of record an org keeps.

    Args:
        name: its API name.
        prefix: the three characters that its ids begin with.
        fields: what its records have, without those of the system.
        label: what people call one; the name where it is empty.
        plural: what people call many.
        name_field: the field that names a record to people, or nothing.
        name_from: the fields that it is put together from, where nobody may write it.
        has_etag: whether its rows have ETags and heed If-Match.
        is_writable: whether anything may be written through the API.
    """

    name: str
    prefix: str
    fields: tuple[Field, ...]
    label: str = ""
    plural: str = ""
    name_field: str = "Name"
    name_from: tuple[str, ...] = ()
    has_etag: bool = False
    is_writable: bool = True

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """The fields of the system, the owner, and its own."""
        owner = (OWNER,) if self.is_writable else ()
        return SYSTEM[:1] + owner + self.fields + SYSTEM[1:]

    @property
    def is_custom(self) -> bool:
        """Whether somebody added it to the org."""
        return self.name.endswith("__c")

    @property
    def shown_label(self) -> str:
        """What people call one."""
        return self.label or self.name.removesuffix("__c").replace("_", " ")

    def field(self, name: str) -> Field:
        """Return the field of that name, in letters of any case.

        Raises:
            UnknownError: there is none.
        """
        for field in self.all_fields:
            if field.name.lower() == name.lower():
                return field
        raise UnknownError(name)

    def reference(self, relationship: str) -> Field:
        """Return the field that leads to a parent by that name.

        Raises:
            UnknownError: there is none.
        """
        for field in self.all_fields:
            if field.relationship and field.relationship.lower() == relationship.lower():
                return field
        raise UnknownError(relationship)

    def with_fields(self, *fields: Field) -> Self:
        """Return it with more fields, or with others of the same names."""
        kept = {field.name: field for field in (*self.fields, *fields)}
        return replace(self, fields=tuple(kept.values()))


class Schema:
    """The objects of an org."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        self._objects = {sobject.name.lower(): sobject for sobject in objects}

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def object(self, name: str) -> SObject:
        """Return the object of that name, in letters of any case.

        Raises:
            UnknownError: there is none.
        """
        try:
            return self._objects[name.lower()]
        except KeyError:
            raise UnknownError(name) from None

    def of_id(self, record_id: str) -> SObject | None:
        """Return the object whose prefix an id has."""
        return next((each for each in self if each.prefix == record_id[:3]), None)

    def having(self, *objects: SObject) -> Schema:
        """Return a schema with these objects too, or in place of those of the same names."""
        return Schema([*self, *objects])

    def put(self, sobject: SObject) -> None:
        """Keep an object in place of the one of its name, or add it."""
        self._objects[sobject.name.lower()] = sobject

    def references_to(self, name: str) -> Iterator[tuple[SObject, Field]]:
        """Yield the fields that may name a record of an object, with theirs."""
        for sobject in self:
            for field in sobject.all_fields:
                if name in field.refers_to:
                    yield sobject, field
