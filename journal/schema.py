"""Floor 4: the registered record types: pydantic models that fields must fit; pure.

Without types, any JSON object is a record. With types, a record of an unregistered type is
refused, and fields are validated before anything is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from journal.errors import InvalidRecordError, UnknownTypeError
from journal.values import Fields, Ref, check_type, freeze, references, restore

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

RecordTypes: TypeAlias = Mapping[str, type[BaseModel]] | Iterable[type[BaseModel]]


class To:
    """Says which types of record a field may refer to: ``Annotated[Ref, To("Account")]``."""

    def __init__(self, *record_types: str) -> None:
        """Allow these types.

        Raises:
            InvalidNameError: one is not the name of a record type.
        """
        for record_type in record_types:
            check_type(record_type)
        self.record_types = record_types

    def __get_pydantic_core_schema__(
        self, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate a reference to one of the types."""
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: object) -> Ref:
        if type(value) is not Ref:
            message = "must be a reference to a record"
            raise PydanticCustomError("reference", message)
        if value.type not in self.record_types:
            message = "must refer to {types}, not to {type}"
            facts = {"types": " or ".join(self.record_types), "type": value.type}
            raise PydanticCustomError("reference_type", message, facts)
        return value


class Schema:
    """The record types of a journal."""

    def __init__(self, record_types: RecordTypes = ()) -> None:
        """Register the types, under their names in a mapping or the names of their classes.

        Raises:
            InvalidNameError: a name is not that of a record type.
        """
        if not isinstance(record_types, Mapping):
            record_types = {model.__name__: model for model in record_types}
        for name in record_types:
            check_type(name)
        self.record_types = dict(record_types)

    def of_create(self, ref: Ref, fields: Mapping[str, object] | BaseModel) -> Fields:
        """Return the fields of a new record as they are to be stored.

        Raises:
            UnknownTypeError: types are registered, and the record's is none of them.
            InvalidRecordError: the fields do not fit the type.
            InvalidValueError: a value could not be stored exactly.
        """
        model = self._model(ref)
        if isinstance(fields, BaseModel):
            model = type(fields)
            fields = {
                _stored_name(name, info): getattr(fields, name)
                for name, info in model.model_fields.items()
                if name in fields.model_fields_set
            }
        if model is None:
            return freeze(fields, record=ref)
        try:
            valid = model.model_validate(dict(fields))
        except ValidationError as error:
            raise _invalid(ref, error) from error
        return freeze(_dumped(valid), record=ref)

    def of_update(self, ref: Ref, current: Fields, changes: Mapping[str, object]) -> Fields:
        """Return the changes of a record as they are to be stored.

        Args:
            ref: the record.
            current: its fields before the changes; they are taken as they are.
            changes: the fields to set.

        Raises:
            UnknownTypeError: types are registered, and the record's is none of them.
            InvalidRecordError: a change does not fit the type.
            InvalidValueError: a value could not be stored exactly.
        """
        model = self._model(ref)
        if model is None:
            return freeze(changes, record=ref)
        names = {_stored_name(name, info): name for name, info in model.model_fields.items()}
        known = {names[key]: value for key, value in current.items() if key in names}
        candidate = model.model_construct(**known)
        messages: dict[str, str] = {}
        for key, value in changes.items():
            try:
                model.__pydantic_validator__.validate_assignment(
                    candidate, names.get(key, key), value
                )
            except ValidationError as error:
                messages |= _messages(error)
        if messages:
            raise InvalidRecordError(ref, messages)
        dumped = _dumped(candidate)
        return freeze({key: dumped.get(key, changes[key]) for key in changes}, record=ref)

    def _model(self, ref: Ref) -> type[BaseModel] | None:
        if not self.record_types:
            return None
        try:
            return self.record_types[ref.type]
        except KeyError:
            raise UnknownTypeError(ref.type, tuple(self.record_types)) from None


def _stored_name(name: str, info: FieldInfo) -> str:
    return info.serialization_alias or info.alias or name


def _dumped(valid: BaseModel) -> Fields:
    """Return the fields as JSON values, references kept; unset fields without a value left out."""
    unset_names = type(valid).model_fields.keys() - valid.model_fields_set
    unset = {name for name in unset_names if getattr(valid, name, None) is None}
    dumped: Fields = valid.model_dump(
        mode="json", by_alias=True, exclude=unset, warnings=False
    )
    kept = valid.model_dump(by_alias=True, exclude=unset, warnings=False)
    restore(dumped, tuple(place for place, _ in references(kept)))
    return dumped


def _invalid(ref: Ref, error: ValidationError) -> InvalidRecordError:
    return InvalidRecordError(ref, _messages(error))


def _messages(error: ValidationError) -> dict[str, str]:
    return {
        ".".join(map(str, detail["loc"])): detail["msg"]
        for detail in error.errors(include_url=False, include_input=False)
    }
