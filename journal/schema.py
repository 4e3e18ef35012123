"""Floor 4: the registered record types: pydantic models that fields must fit; pure.

Without types, any JSON object is a record. With types, a record of an unregistered type is
refused, and fields are validated before anything is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import AliasChoices, BaseModel, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema, to_json

from journal.errors import (
    InvalidRecordError,
    InvalidValueError,
    SchemaError,
    UnknownTypeError,
    shown,
)
from journal.values import (
    Fields,
    Ref,
    ascii_pointer,
    check_field,
    check_is_mapping,
    check_reference,
    check_type,
    freeze,
    references,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Collection

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
        ref = check_reference(value)
        if ref.type not in self.record_types:
            message = "must refer to {types}, not to {type}"
            facts = {"types": " or ".join(self.record_types), "type": ref.type}
            raise PydanticCustomError("reference_type", message, facts)
        return ref


class Schema:
    """The record types of a journal."""

    def __init__(self, record_types: RecordTypes = ()) -> None:
        """Register the types, under their names in a mapping or the names of their classes.

        Raises:
            SchemaError: one is no pydantic model, or two have one name.
            InvalidNameError: a name is not that of a record type.
        """
        self.record_types = _by_name(record_types)
        for name in self.record_types:
            check_type(name)
        self._shapes = {name: _Shape(model) for name, model in self.record_types.items()}

    def of_create(self, ref: Ref, fields: Mapping[str, object] | BaseModel) -> Fields:
        """Return the fields of a new record as they are to be stored.

        Raises:
            UnknownTypeError: types are registered, and the record's is none of them.
            InvalidRecordError: the fields do not fit the type.
            InvalidNameError: the name of a field is not allowed.
            InvalidValueError: a value could not be stored exactly.
        """
        shape = self._shape(ref)
        if isinstance(fields, BaseModel):
            given = _Shape(type(fields))
            shape = shape or given
            fields = given.values(fields)
        if shape is None:
            return freeze(fields, record=ref)
        translated = shape.translated(ref, fields)
        try:
            valid = shape.model.model_validate(translated)
        except ValidationError as error:
            raise InvalidRecordError(ref, _messages(error)) from error
        return freeze(shape.dumped(ref, valid, translated), record=ref)

    def of_repeated(
        self,
        ref: Ref,
        fields: Mapping[str, object] | BaseModel,
        frozen: Fields,
        created: Fields,
    ) -> Fields:
        """Return the fields of a create that may be one that is repeated, to be compared.

        Args:
            ref: the record.
            fields: as they are given now.
            frozen: what `of_create` made of them, with defaults that may be made anew each time,
                such as an id or the time.
            created: those with which the record was created; such defaults are taken from them.
        """
        shape = self._shape(ref)
        if isinstance(fields, BaseModel):
            given = _Shape(type(fields))
            shape = shape or given
            fields = given.values(fields)
        return frozen if shape is None else {**frozen, **shape.made_anew(fields, frozen, created)}

    def of_update(self, ref: Ref, current: Fields, changes: Mapping[str, object]) -> Fields:
        """Return the changes of a record as they are to be stored.

        The record is validated as it will be; where it does not fit for a field that is not
        changed, as the remote had it or because it was never seen whole, the changed fields
        are validated each for itself.

        Args:
            ref: the record.
            current: its fields before the changes; they are taken as they are.
            changes: the fields to set.

        Raises:
            UnknownTypeError: types are registered, and the record's is none of them.
            InvalidRecordError: a change does not fit the type.
            InvalidNameError: the name of a field is not allowed.
            InvalidValueError: a value could not be stored exactly.
        """
        shape = self._shape(ref)
        if shape is None:
            return freeze(changes, record=ref)
        translated = shape.translated(ref, changes)
        valid = shape.changed(ref, current, translated)
        dumped = shape.dumped(ref, valid, translated, is_whole=False)
        return freeze({key: dumped[key] for key in map(shape.stored, translated)}, record=ref)

    def overlaid(
        self, ref: Ref, fields: Fields, changes: Mapping[str, object]
    ) -> dict[str, object]:
        """Return stored fields with changes laid over them, by whatever names these are given.

        Raises:
            UnknownTypeError: types are registered, and the record's is none of them.
        """
        shape = self._shape(ref)
        if shape is None:
            return {**fields, **changes}
        stored = {shape.stored(key) for key in changes}
        kept = {key: fields[key] for key in fields if key in changes or key not in stored}
        return kept | dict(changes)

    def _shape(self, ref: Ref) -> _Shape | None:
        if not self.record_types:
            return None
        try:
            return self._shapes[ref.type]
        except KeyError:
            raise UnknownTypeError(ref.type, tuple(self.record_types)) from None


def _by_name(record_types: object) -> dict[str, type[BaseModel]]:
    """Return the types under their names.

    Raises:
        SchemaError: one is no pydantic model, or two have one name.
    """
    if isinstance(record_types, Mapping):
        return {name: _checked_model(model) for name, model in record_types.items()}
    if not isinstance(record_types, Iterable) or isinstance(record_types, str | bytes):
        raise SchemaError(
            "the types of a journal are a list of pydantic models, "
            f"not {shown(repr(record_types))}",
            hint="such as types=[Account, Visit]",
        )
    found: dict[str, type[BaseModel]] = {}
    for model in map(_checked_model, record_types):
        other = found.setdefault(model.__name__, model)
        if other is not model:
            raise SchemaError(
                f"two record types are called {shown(model.__name__)}: "
                f"{_full_name(other)} and {_full_name(model)}",
                hint='name them apart, in a mapping: types={"Account": …, "OldAccount": …}',
            )
    return found


def _checked_model(model: object) -> type[BaseModel]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model
    raise SchemaError(
        f"{shown(repr(model))} is no record type",
        hint="a record type is a class that is derived from pydantic.BaseModel",
    )


def _full_name(model: type) -> str:
    return f"{model.__module__}.{model.__qualname__}"


class _Shape:
    """A type, and what its fields are called: within it, when validated, and when stored."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        self._allows_extra = model.model_config.get("extra") == "allow"
        self._given: dict[str, str] = {}
        self._stored: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for name, info in model.model_fields.items():
            aliases = _aliases(info)
            self._given[name] = aliases[0] if aliases else name
            self._stored[name] = stored_name(name, info)
            self._names |= dict.fromkeys((*aliases, self._stored[name]), name)
        self._names = {name: name for name in model.model_fields} | self._names

    def values(self, instance: BaseModel) -> dict[str, object]:
        """Return the fields that were set in an instance of the model, but those it excludes."""
        fields = self.model.model_fields
        is_set = instance.model_fields_set
        names = [name for name in self._given if name in is_set and not fields[name].exclude]
        values = {self._stored[name]: getattr(instance, name) for name in names}
        return values | (instance.model_extra or {})

    def made_anew(
        self, given: Mapping[str, object], frozen: Fields, created: Fields
    ) -> dict[str, object]:
        """Return, as they were created, the defaults that a factory has made: none is empty."""
        names = {self._names.get(key) for key in given}
        factories = [
            self._stored[name]
            for name, info in self.model.model_fields.items()
            if info.default_factory is not None and name not in names
        ]
        return {key: created[key] for key in factories if frozen.get(key) and key in created}

    def translated(self, ref: Ref, fields: Mapping[str, object]) -> dict[str, object]:
        """Return the fields under the names by which they are validated.

        Raises:
            InvalidRecordError: the type has no such field, or one has two names and two values.
        """
        check_is_mapping(fields, ref)
        translated = self._known(fields)
        for key in self._names.keys() & fields.keys():
            one, other = fields[key], translated[self._given[self._names[key]]]
            if one is not other and (isinstance(one, dict | list) or not same(one, other)):
                text = "is given twice, by two names, with two values"
                raise InvalidRecordError(ref, {self.stored(key): text})
        unknown = [key for key in fields if key not in self._names]
        for key in unknown:
            check_field(key)
        if self._allows_extra:
            return translated | {key: fields[key] for key in unknown}
        if unknown:
            text = f"{self.model.__name__} has no such field"
            raise InvalidRecordError(ref, dict.fromkeys(unknown, text))
        return translated

    def _known(self, fields: Mapping[str, object]) -> dict[str, object]:
        names = self._names
        return {self._given[names[key]]: value for key, value in fields.items() if key in names}

    def stored(self, key: str) -> str:
        """Return the name under which the field is stored."""
        name = self._names.get(key)
        return key if name is None else self._stored[name]

    def changed(self, ref: Ref, current: Fields, changes: dict[str, object]) -> BaseModel:
        """Return the record as it is after the changes, with those validated.

        Raises:
            InvalidRecordError: a change does not fit the type.
        """
        known: dict[str, Any] = self._known(current)
        try:
            return self.model.model_validate(known | changes)
        except ValidationError as error:
            messages = _messages(error, {"", *changes})
            if messages:
                raise InvalidRecordError(ref, messages) from error
        except Exception:
            if self._is_whole(known | changes):
                raise  # the rule is wrong: nothing is the matter with what it looked at
        candidate = self.model.model_construct(**known)
        messages = {}
        for key, value in changes.items():
            messages |= self._assign(candidate, self._names.get(key, key), value)
        if messages:
            raise InvalidRecordError(ref, messages)
        return candidate

    def _assign(self, candidate: BaseModel, name: str, value: object) -> dict[str, str]:
        """Set a field in a record of which others do not fit, or return what is wrong with it.

        Where a rule breaks off, having looked at a field that is not there, or is not of its
        type, the value is held to the type of its own field.
        """
        before = vars(candidate).get(name)
        try:
            self.model.__pydantic_validator__.validate_assignment(candidate, name, value)
        except ValidationError as error:
            return {place: text for place, text in _messages(error).items() if place}
        except Exception:  # noqa: BLE001  whatever a rule may raise
            if vars(candidate).get(name) is not before:
                return {}
            try:
                valid = self._typed(name, value)
            except ValidationError as error:
                key = self._given[name]
                return {f"{key}.{at}" if at else key: said for at, said in _messages(error).items()}
            candidate.__dict__[name] = valid
            candidate.__pydantic_fields_set__.add(name)
        return {}

    def _typed(self, name: str, value: object) -> Any:  # noqa: ANN401  what the type says
        """Return a value as the type of a field makes it, without the rules of its model.

        Raises:
            ValidationError: it does not fit.
        """
        info = self.model.model_fields.get(name)
        if info is None:
            return value
        kind: Any = Annotated[(info.annotation, *info.metadata, None)]
        return TypeAdapter(kind).validate_python(value)

    def _is_whole(self, fields: Mapping[str, object]) -> bool:
        """Say whether all fields are known, and each is of its type."""
        try:
            for name, info in self.model.model_fields.items():
                if self._given[name] in fields:
                    self._typed(name, fields[self._given[name]])
                elif info.is_required():
                    return False
        except ValidationError:
            return False
        return True

    def dumped(
        self, ref: Ref, valid: BaseModel, given: dict[str, object], *, is_whole: bool = True
    ) -> Fields:
        """Return the fields as JSON values; unset fields without a value are left out.

        Args:
            ref: the record.
            valid: its fields, validated.
            given: those that the command sets.
            is_whole: whether to return all fields, or only those that are given: of a record
                that is changed, others may be of any type.

        Raises:
            InvalidRecordError: a reference would be stored as text, or a field not at all.
            InvalidValueError: a value is none of JSON.
        """
        asked = {self._names.get(key, key) for key in given}
        names = asked | {*self._given, *(valid.model_extra or {})} if is_whole else asked
        unset_names = self._given.keys() - valid.model_fields_set
        names = names - {name for name in unset_names if getattr(valid, name, None) is None}
        try:
            fields = self._as_json(valid, names)
        except ValueError as error:
            raise self._unfit(ref, valid, names, error) from error
        self._check_kept(ref, given, fields, valid.model_fields_set if is_whole else asked)
        return fields

    def _as_json(self, valid: BaseModel, names: set[str]) -> Fields:
        """Return these fields as JSON values.

        Raises:
            ValueError: a value is none of JSON, or would be stored as another.
        """
        fields: Fields = _joined(
            valid.model_dump(by_alias=True, include=names, warnings=False),
            valid.model_dump(mode="json", by_alias=True, include=names, warnings=False),
        )
        return fields

    def _check_kept(
        self, ref: Ref, given: Mapping[str, object], fields: Fields, expected: Collection[str]
    ) -> None:
        """Refuse what the type would leave out of that which is given, or make another thing.

        Args:
            ref: the record.
            given: the fields that the command sets.
            fields: those that would be stored.
            expected: the names of fields that must be among them, where they are given.

        Raises:
            InvalidRecordError: a field would not be stored, or a reference as text.
        """
        as_text = "is a reference, which the type would make a text: use Ref for the field"
        messages = {}
        for key, value in given.items():
            stored = self.stored(key)
            if stored not in fields and self._names.get(key, key) in expected:
                messages[key] = "would not be stored: the type leaves it out"
            elif _targets(value) - _targets(fields.get(stored)):
                messages[key] = as_text
        if messages:
            raise InvalidRecordError(ref, messages)

    def _unfit(
        self, ref: Ref, valid: BaseModel, names: set[str], error: ValueError
    ) -> InvalidValueError:
        """Return the error for the first of these fields that is not JSON."""
        place = ""
        for name in (*self._given, *(valid.model_extra or {})):
            try:
                self._as_json(valid, names & {name})
            except ValueError:
                place = self.stored(name)
                break
        return InvalidValueError(
            ascii_pointer((place,)),
            f"the value cannot be stored exactly: {error}",
            hint="use None, bool, int, float, str, list, dict or Ref",
            record=ref,
        )


def stored_name(name: str, info: FieldInfo) -> str:
    """Return the name under which a field of a model is stored.

    Args:
        name: that it has in the model.
        info: what the model says of it.
    """
    return info.serialization_alias or info.alias or name


def _aliases(info: FieldInfo) -> list[str]:
    alias = info.validation_alias or info.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [choice for choice in choices if isinstance(choice, str)]


def _targets(value: object) -> set[Ref]:
    return {target for _, target in references(value)}


_ARRAYS: Final = (list, tuple, set, frozenset)


def _joined(kept: Any, dumped: Any) -> Any:  # noqa: ANN401  JSON
    """Return the JSON value with what JSON loses: references, and NaN, which is refused later.

    A set is in the order of its values: that of their hashes is another in every process.

    Raises:
        ValueError: it is a secret, which JSON has masked.
    """
    if type(kept) is Ref or (isinstance(kept, float) and not isfinite(kept)):
        return kept
    if type(dumped) is str and hasattr(kept, "get_secret_value") and "" != dumped in str(kept):
        message = "of the secret, only asterisks would be kept"
        raise ValueError(message)
    if isinstance(kept, Mapping) and type(dumped) is dict and len(kept) == len(dumped):
        pairs = zip(kept.values(), dumped.items(), strict=True)
        return {key: _joined(value, item) for value, (key, item) in pairs}
    if isinstance(kept, _ARRAYS) and type(dumped) is list and len(kept) == len(dumped):
        items = [_joined(value, item) for value, item in zip(kept, dumped, strict=True)]
        return sorted(items, key=to_json) if isinstance(kept, set | frozenset) else items
    return dumped


def _messages(error: ValidationError, fields: Iterable[str] | None = None) -> dict[str, str]:
    """Return the messages for those fields, or for all; the whole record's under no name."""
    return {
        ".".join(map(str, detail["loc"])): detail["msg"]
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
        if fields is None or "".join(map(str, detail["loc"][:1])) in fields
    }
