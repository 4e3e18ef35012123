"""Registered record types."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from math import inf, nan
from typing import Annotated, Any, ClassVar, Self

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    SecretBytes,
    SecretStr,
    ValidationInfo,
    computed_field,
    create_model,
    field_serializer,
    field_validator,
    model_validator,
)

from journal.errors import (
    InvalidNameError,
    InvalidRecordError,
    InvalidValueError,
    SchemaError,
    UnknownTypeError,
)
from journal.schema import Schema, To
from journal.values import Ref, same

ACME = Ref("Account:1")
VISIT = Ref("Visit:1")
ToAccount = Annotated[Ref, To("Account")]


class Account(BaseModel):
    """A plain type."""

    Name: str
    Rating: float | None = None
    Site: dict[str, Any] | None = None
    Any_: object = None


class Visit(BaseModel):
    """A type with values that are no JSON, with references, and a rule."""

    Start: date
    End: date
    At: datetime | None = None
    Price: Decimal = Decimal(1)
    Account: ToAccount | Annotated[Ref, To("Person", "Company")] | None = None
    Others: tuple[ToAccount, ...] = ()
    Notes: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Visit:
        if self.Start > self.End:
            message = "must not start after its end"
            raise ValueError(message)
        return self


class Aliased(BaseModel):
    """A type whose fields are called otherwise outside."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(alias="Name__c")
    size: int = Field(0, validation_alias=AliasChoices("Size__c", "Size"))  # type: ignore[pydantic-alias]
    note: str = Field("", serialization_alias="Note__c")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def shout(self) -> str:
        """A field that is computed is not stored."""
        return self.name.upper()


class Open(BaseModel):
    """A type that allows other fields."""

    model_config = ConfigDict(extra="allow")

    x: int = 0


SCHEMA = Schema([Account, Visit, Aliased, Open])
DAY = {"Start": "2026-01-01", "End": "2026-01-02"}


def _check(low: int, high: int) -> None:
    """Refuse a span that ends before it begins; break off on anything but numbers, and on 0."""
    if 1 / low and low > high:
        message = "low is above high"
        raise ValueError(message)


class _Span(BaseModel):
    """What the spans share; each has the same rule, in another place."""

    Low: int
    High: int
    Sizes: list[int] = []


class _BeforeSpan(_Span):
    """A rule for what was given."""

    @model_validator(mode="before")
    @classmethod
    def _rule(cls, given: dict[str, Any]) -> dict[str, Any]:
        _check(given["Low"], given["High"])
        return given


class _WrapSpan(_Span):
    """A rule around the others."""

    @model_validator(mode="wrap")
    @classmethod
    def _rule(cls, given: Any, handler: Any) -> Any:  # noqa: ANN401  pydantic's signature
        span = handler(given)
        _check(span.Low, span.High)
        return span


class _AfterSpan(_Span):
    """A rule for the whole record."""

    @model_validator(mode="after")
    def _rule(self) -> Self:
        _check(self.Low, self.High)
        return self


class _FieldSpan(_Span):
    """A rule for one field that looks at another."""

    @field_validator("High")
    @classmethod
    def _rule(cls, high: int, info: ValidationInfo) -> int:
        _check(info.data["Low"], high)
        return high


SPANS: dict[str, type[BaseModel]] = {
    "before": _BeforeSpan,
    "wrap": _WrapSpan,
    "after": _AfterSpan,
    "field": _FieldSpan,
}


class TestTypes:
    """Which types there are."""

    def test_any_object_is_a_record_without_types(self) -> None:
        """Without types, whatever JSON holds is a record of any type."""
        fields = {"a": [1, {"b": ACME}]}

        assert same(Schema().of_create(Ref("X:1"), fields), fields)
        assert same(Schema().of_update(Ref("X:1"), {}, fields), fields)

    def test_unknown_type_is_refused(self) -> None:
        """With types, a record of another one is refused, and the known ones are named."""
        for refused in (SCHEMA.of_create, lambda ref, new: SCHEMA.of_update(ref, {}, new)):
            with pytest.raises(UnknownTypeError, match=r"'Acount' is not .* Account, Visit"):
                refused(Ref("Acount:1"), {})

    def test_types_have_names_of_types(self) -> None:
        """A type, or the target of a reference, has a name that a type may have."""
        assert Schema({"Account.v2": Account}).record_types == {"Account.v2": Account}
        with pytest.raises(InvalidNameError):
            Schema({"not a name": Account})
        with pytest.raises(InvalidNameError):
            To("not a name")

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ([int], "\"<class 'int'>\" is no record type; a record type is a class"),
            ([Account, "Visit"], "\"'Visit'\" is no record type"),
            ({"Account": Account(Name="Acme")}, "is no record type"),
            (Account, "the types of a journal are a list of pydantic models, not"),
            (5, "the types of a journal are a list of pydantic models, not '5'"),
            ("Account", "the types of a journal are a list of pydantic models"),
            (None, "the types of a journal are a list of pydantic models, not 'None'"),
        ],
    )
    def test_what_is_no_type_is_refused(self, given: Any, said: str) -> None:  # noqa: ANN401
        """What is no pydantic model, or no list of them, is refused by what it is."""
        with pytest.raises(SchemaError, match=re.escape(said)):
            Schema(given)

    def test_two_types_of_one_name_are_refused(self) -> None:
        """Two types that have one name are refused, by their full names; one may stand twice."""
        other: type[BaseModel] = create_model("Account", __module__="branch.office", Zip=(str, ...))

        with pytest.raises(
            SchemaError,
            match=rf"two record types are called 'Account': {__name__}\.Account and "
            r"branch\.office\.Account; name them apart, in a mapping",
        ):
            Schema([Account, other])
        assert Schema([Account, Account]).record_types == {"Account": Account}
        apart: dict[str, type[BaseModel]] = {"Account": Account, "Branch": other}
        assert Schema(apart).record_types == apart


class TestCreate:
    """The fields of a new record."""

    def test_values_become_json(self) -> None:
        """Typed values are stored as JSON, defaults included; references stay references."""
        fields = {**DAY, "Start": date(2026, 1, 1), "Account": ACME, "Others": (ACME,)}

        stored = SCHEMA.of_create(VISIT, fields)

        assert same(stored, {**DAY, "Price": "1", "Account": ACME, "Others": [ACME]})

    @pytest.mark.parametrize("schema", [SCHEMA, Schema()])
    def test_takes_an_instance(self, schema: Schema) -> None:
        """An instance of the model will do, with the fields that were set in it."""
        instance = Visit(Start=date(2026, 1, 1), End=date(2026, 1, 2), Account=ACME)

        assert same(
            schema.of_create(VISIT, instance), {**DAY, "Price": "1", "Account": ACME, "Others": []}
        )

    def test_instance_of_another_type_is_refused(self) -> None:
        """An instance of another model does not pass by the registered one."""
        with pytest.raises(InvalidRecordError, match="Account has no such field"):
            SCHEMA.of_create(ACME, Open(x=1))

    @pytest.mark.parametrize(
        ("fields", "messages"),
        [
            ({}, {"Name": "Field required"}),
            ({"Name": 5}, {"Name": "Input should be a valid string"}),
            ({"Name": "Acme", "Nmae": "x"}, {"Nmae": "Account has no such field"}),
            ({"Name": ACME}, {"Name": "is a reference, which the type would make a text"}),
        ],
    )
    def test_misfit_is_refused(self, fields: dict[str, Any], messages: dict[str, str]) -> None:
        """Fields that do not fit are refused with a message for each; none is dropped."""
        with pytest.raises(InvalidRecordError, match="Account:1 is not valid") as caught:
            SCHEMA.of_create(ACME, fields)

        assert caught.value.messages.keys() == messages.keys()
        for name, message in messages.items():
            assert caught.value.messages[name].startswith(message)

    @pytest.mark.parametrize("value", [nan, inf, {"x": nan}, [nan], {"x": {1.0, nan}}, (nan,)])
    @pytest.mark.parametrize("command", ["create", "update"])
    def test_not_a_number_is_refused(self, value: object, command: str) -> None:
        """NaN is refused wherever it stands, though the type allows it; it never becomes null."""
        with pytest.raises(InvalidValueError, match="is not a JSON number"):
            _stored(command, {"Any_": value})

    @pytest.mark.parametrize(
        "value",
        [object(), {"x": object()}, {"x": [b"\xff"]}, {"x": "\ud800"}, {"x": 10**400}],
    )
    @pytest.mark.parametrize("command", ["create", "update"])
    def test_value_that_is_no_json_is_refused(self, value: object, command: str) -> None:
        """A value that the type lets through, but JSON does not, is refused by its field."""
        with pytest.raises(InvalidValueError, match="Account:1 /Any_") as caught:
            _stored(command, {"Any_": value})

        assert caught.value.path.startswith("/Any_")

    @pytest.mark.parametrize("command", ["create", "update"])
    def test_circle_and_depth_are_refused(self, command: str) -> None:
        """A circle and a thousand objects in each other end in an error of ours."""
        circle: dict[str, Any] = {}
        circle["x"] = circle
        deep: dict[str, Any] = {}
        for _ in range(1000):
            deep = {"x": deep}

        for value in (circle, deep):
            with pytest.raises(InvalidValueError, match="Account:1 /Site"):
                _stored(command, {"Site": value})

    @pytest.mark.parametrize("fields", [[1], None, "Name", 5])
    @pytest.mark.parametrize("command", ["create", "update"])
    def test_fields_that_are_no_mapping_are_refused(self, fields: Any, command: str) -> None:  # noqa: ANN401
        """Fields are a mapping."""
        store = SCHEMA.of_create if command == "create" else partial(SCHEMA.of_update, ACME)
        target: Any = ACME if command == "create" else {}

        with pytest.raises(InvalidValueError, match="the fields are a value of type"):
            store(target, fields)

    def test_names_that_are_no_text_are_refused(self) -> None:
        """A field is called by a text."""
        with pytest.raises(InvalidNameError, match="field name '<int>'"):
            SCHEMA.of_create(ACME, {"Name": "Acme", 5: 1})  # type: ignore[dict-item]

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            (VISIT, "must refer to Account, not to Visit"),
            ("Account:1", "must be a reference to a record"),
            (None, "must be a reference to a record"),
        ],
    )
    def test_reference_is_typed(self, target: object, message: str) -> None:
        """A reference leads to a record of an allowed type, and is never made from text."""
        with pytest.raises(InvalidRecordError) as caught:
            SCHEMA.of_create(VISIT, {**DAY, "Others": [target]})

        assert caught.value.messages == {"Others.0": message}

    def test_reference_to_any_type(self) -> None:
        """A field that is a `Ref` takes a reference to any type, alone or among others."""

        class Note(BaseModel):
            """A type with references that may lead anywhere."""

            about: Ref
            see: list[Ref] = []
            by: Ref | None = None

        schema, ref = Schema([Note]), Ref("Note:1")
        fields = {"about": ACME, "see": [VISIT], "by": None}

        frozen = schema.of_create(ref, fields)

        assert same(frozen, fields)
        assert same(schema.of_update(ref, frozen, {"by": VISIT}), {"by": VISIT})
        with pytest.raises(InvalidRecordError) as caught:
            schema.of_create(ref, {"about": "Account:1", "see": [7]})
        text = "must be a reference to a record"
        assert caught.value.messages == {"about": text, "see.0": text}

    @pytest.mark.parametrize("mode", ["before", "wrap", "after", "field"])
    @pytest.mark.parametrize("current", [{"Low": "junk"}, {"High": 3}, {}, {"Low": None, "x": 1}])
    def test_rule_that_breaks_off(self, mode: str, current: dict[str, Any]) -> None:
        """A rule that cannot cope with what the remote had hinders no change of another field."""
        schema, ref = Schema({"Span": SPANS[mode]}), Ref("Span:1")

        assert same(schema.of_update(ref, current, {"High": "5"}), {"High": 5})
        with pytest.raises(InvalidRecordError) as caught:
            schema.of_update(ref, current, {"High": "much", "Sizes": [1, "x"]})
        assert sorted(caught.value.messages) == ["High", "Sizes.1"]

    @pytest.mark.parametrize("mode", ["before", "wrap", "after", "field"])
    def test_rule_that_is_wrong(self, mode: str) -> None:
        """A rule that fails on a record that fits is not passed over."""
        schema, ref = Schema({"Span": SPANS[mode]}), Ref("Span:1")

        with pytest.raises(ZeroDivisionError):
            schema.of_update(ref, {"Low": 0}, {"High": 1})
        with pytest.raises(InvalidRecordError, match="low is above high"):
            schema.of_update(ref, {"Low": 3}, {"High": 1})

    def test_other_fields_are_kept_where_allowed(self) -> None:
        """A type that allows other fields keeps them, references too."""
        fields = {"x": 1, "y": [ACME], "z": {"a": None}}

        assert same(SCHEMA.of_create(Ref("Open:1"), fields), fields)
        assert same(SCHEMA.of_create(Ref("Open:1"), Open.model_validate(fields)), fields)


class Login(BaseModel):
    """A secret."""

    Password: SecretStr | None = None
    Key: SecretBytes | None = None


class Device(BaseModel):
    """A type with fields that JSON does not have, or not as they are."""

    Name: str | None = None
    Password: SecretStr | None = None
    Logins: list[Login] | None = None
    Token: SecretStr | None = None
    Cached: int | None = Field(default=None, exclude=True)
    Settings: Json[Any] = None
    Legacy: str | None = None

    @field_serializer("Token", when_used="json")
    def _told(self, value: SecretStr | None) -> str | None:
        return None if value is None else value.get_secret_value()

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, data: dict[str, Any]) -> dict[str, Any]:
        name = data.get("Legacy")
        return {"Name": name} if name else data


class TestLeftOut:
    """What a type would not store, or not as it is."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [("Password", "p"), ("Logins", [{"Password": "p"}]), ("Logins", [{"Key": b"k"}])],
    )
    @pytest.mark.parametrize("command", ["create", "update"])
    def test_secret_is_never_stored_as_asterisks(
        self, command: str, field: str, value: object
    ) -> None:
        """A secret, which JSON masks, is refused by its field: its value would be lost."""
        with pytest.raises(InvalidValueError, match="only asterisks") as caught:
            _stored_device(command, {"Name": "x", field: value})

        assert caught.value.path == f"/{field}"

    @pytest.mark.parametrize("command", ["create", "update"])
    def test_secret_is_stored_where_its_type_says_how(self, command: str) -> None:
        """A secret with a serializer is what that returns, and an empty one is empty."""
        fields = {"Token": "t", "Password": ""}

        assert same(_stored_device(command, fields), fields)

    @pytest.mark.parametrize("command", ["create", "update"])
    def test_excluded_field_is_refused(self, command: str) -> None:
        """A field that the type excludes is not accepted, and then not stored."""
        with pytest.raises(InvalidRecordError, match="Cached: would not be stored"):
            _stored_device(command, {"Cached": 3})

    def test_excluded_field_of_an_instance_is_no_part_of_it(self) -> None:
        """An instance brings what its type does not exclude."""
        stored = Schema([Device]).of_create(Ref("Device:1"), Device(Name="x", Cached=3))

        assert same(stored, {"Name": "x"})

    def test_change_that_the_type_turns_into_another_is_refused(self) -> None:
        """A change that a rule takes out is refused: of an update, nothing would be stored."""
        with pytest.raises(InvalidRecordError, match="Legacy: would not be stored"):
            _stored_device("update", {"Legacy": "x"})

        assert same(_stored_device("create", {"Legacy": "x"}), {"Name": "x"})

    def test_update_looks_only_at_its_changes(self) -> None:
        """What JSON has made of other fields, or a secret unlike its type, is left alone."""
        current = {"Settings": {"a": 1}, "Password": "shown"}

        stored = Schema([Device]).of_update(Ref("Device:1"), current, {"Name": "x"})

        assert same(stored, {"Name": "x"})


def _stored_device(command: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a device as a create or an update would store them."""
    if command == "create":
        return Schema([Device]).of_create(Ref("Device:1"), fields)
    return Schema([Device]).of_update(Ref("Device:1"), {}, fields)


def _stored(command: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an account as a create or an update would store them."""
    if command == "create":
        return SCHEMA.of_create(ACME, {"Name": "Acme", **fields})
    return SCHEMA.of_update(ACME, {"Name": "Acme"}, fields)


class TestUpdate:
    """The changes of a record."""

    def test_only_the_changes_are_stored(self) -> None:
        """The changed fields come back as JSON; the others, and defaults, are left out."""
        stored = SCHEMA.of_update(
            VISIT, {**DAY, "Account": ACME}, {"End": date(2026, 1, 9), "Others": [ACME]}
        )

        assert same(stored, {"End": "2026-01-09", "Others": [ACME]})

    def test_none_is_stored(self) -> None:
        """A field that is set to None is a change."""
        assert SCHEMA.of_update(ACME, {"Name": "A", "Rating": 1.0}, {"Rating": None}) == {
            "Rating": None
        }

    def test_rule_is_for_the_record_as_it_will_be(self) -> None:
        """Two fields that only fit together may be changed together, in any order."""
        later = {"Start": "2027-01-01", "End": "2027-01-02"}

        assert SCHEMA.of_update(VISIT, DAY, later) == later
        assert SCHEMA.of_update(VISIT, DAY, dict(reversed(later.items()))) == later

    def test_broken_rule_is_refused(self) -> None:
        """A change that breaks a rule between fields is refused for the whole record."""
        with pytest.raises(InvalidRecordError, match=r"record: .*must not start after its end"):
            SCHEMA.of_update(VISIT, DAY, {"Start": "2027-01-01"})

    @pytest.mark.parametrize("current", [{}, {"Start": "garbage"}, {**DAY, "Price": "much"}])
    def test_unchanged_fields_are_taken_as_they_are(self, current: dict[str, Any]) -> None:
        """What the remote had, or was never seen, does not hinder a change of another field."""
        assert SCHEMA.of_update(VISIT, current, {"Notes": "x"}) == {"Notes": "x"}
        assert SCHEMA.of_update(VISIT, current, {"Price": Decimal("1.50"), "Account": ACME}) == {
            "Price": "1.50",
            "Account": ACME,
        }

    @pytest.mark.parametrize("current", [DAY, {}, {"Start": "garbage"}])
    def test_misfit_is_refused(self, current: dict[str, Any]) -> None:
        """A changed field that does not fit is refused, whatever the others are."""
        changes = {"Price": "much", "Account": "Account:1"}

        with pytest.raises(InvalidRecordError) as caught:
            SCHEMA.of_update(VISIT, current, changes)

        assert {name.partition(".")[0] for name in caught.value.messages} == {"Price", "Account"}

    def test_misfit_that_only_an_assignment_finds(self) -> None:
        """Where the record does not fit anyhow, each change is still held to its own rule."""

        class Even(BaseModel):
            """A type with a rule for one field that looks at another."""

            Limit: int
            Size: int = 0

            @field_validator("Size")
            @classmethod
            def _even(cls, size: int) -> int:
                if size % 2:
                    message = "must be even"
                    raise ValueError(message)
                return size

        schema = Schema([Even])

        assert schema.of_update(Ref("Even:1"), {"Limit": "x"}, {"Size": "4"}) == {"Size": 4}
        with pytest.raises(InvalidRecordError, match="must be even"):
            schema.of_update(Ref("Even:1"), {"Limit": "x"}, {"Size": 3})

    def test_other_fields_are_kept_where_allowed(self) -> None:
        """A type that allows other fields keeps changes of them."""
        assert same(
            SCHEMA.of_update(Ref("Open:1"), {"x": 1, "y": 2}, {"y": [ACME], "x": 2}),
            {"y": [ACME], "x": 2},
        )

    def test_unknown_field_is_refused(self) -> None:
        """A field that the type does not have is refused, not dropped."""
        with pytest.raises(InvalidRecordError, match="Nmae: Account has no such field"):
            SCHEMA.of_update(ACME, {"Name": "Acme"}, {"Nmae": "x"})


class TestNames:
    """Fields that are called otherwise outside: stored under one name, given by any."""

    STORED: ClassVar = {"Name__c": "Acme", "size": 2, "Note__c": "n"}

    @pytest.mark.parametrize(
        "given",
        [
            {"Name__c": "Acme", "Size__c": 2, "note": "n"},
            {"name": "Acme", "Size": 2, "Note__c": "n"},
            {"Name__c": "Acme", "size": 2, "note": "n"},
        ],
    )
    def test_stored_name_is_one(self, given: dict[str, Any]) -> None:
        """Whatever name a field is given by, it is stored under its one name, and not twice."""
        ref = Ref("Aliased:1")

        assert SCHEMA.of_create(ref, given) == self.STORED
        assert SCHEMA.of_update(ref, {"Name__c": "Bolt", "size": 0}, given) == self.STORED
        assert SCHEMA.of_update(ref, {}, {**given, "note": "n"}) == self.STORED

    @pytest.mark.parametrize("names", [("note", "Note__c"), ("Note__c", "note")])
    def test_two_values_by_two_names_are_refused(self, names: tuple[str, str]) -> None:
        """Of two values of one field, neither is chosen in silence."""
        ref = Ref("Aliased:1")
        given = {"Name__c": "Acme", "size": 2, **dict(zip(names, ("n", "m"), strict=True))}

        with pytest.raises(InvalidRecordError, match="Note__c: is given twice"):
            SCHEMA.of_create(ref, given)
        with pytest.raises(InvalidRecordError, match="Note__c: is given twice"):
            SCHEMA.of_update(ref, self.STORED, given)

    def test_changes_are_laid_over_whatever_their_names(self) -> None:
        """What is stored is set anew by any name of a field; without types, names are names."""
        ref = Ref("Aliased:1")

        assert SCHEMA.of_create(ref, SCHEMA.overlaid(ref, self.STORED, {"note": "m"})) == {
            **self.STORED,
            "Note__c": "m",
        }
        assert list(Schema().overlaid(ref, {"a": 1, "b": 2}, {"a": 3, "c": 4})) == ["a", "b", "c"]
