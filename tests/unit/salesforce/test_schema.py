"""The objects of an org, declared as data."""

from __future__ import annotations

import pytest

from journal.testing.salesforce import EXTERNAL_ID, Field, SObject, default_schema
from journal.testing.salesforce.schema import UnknownError


def test_names_are_of_any_case() -> None:
    """Objects, fields and the ways to parents are found in letters of any case."""
    schema = default_schema()
    visit = schema.object("VISIT__C")

    assert visit.field("status__c").name == "Status__c"
    assert visit.reference("account__R").name == "Account__c"
    for unknown in ("Nothing", ""):
        with pytest.raises(UnknownError):
            schema.object(unknown)
        with pytest.raises(UnknownError):
            visit.field(unknown)
        with pytest.raises(UnknownError):
            visit.reference(unknown)


def test_each_default_object_can_be_keyed_and_captured() -> None:
    """Every object that can be written has the key, unique, and the fields of the client."""
    schema = default_schema()
    written = [sobject for sobject in schema if sobject.is_writable]

    assert [each.name for each in written] == [
        "Account",
        "Contact",
        "Opportunity",
        "Task",
        "Visit__c",
    ]
    for sobject in written:
        key = sobject.field(EXTERNAL_ID)
        assert key.is_external_id
        assert key.is_unique
        assert sobject.field("Journal_Made_At__c").type == "datetime"


def test_the_key_is_a_matter_of_choice() -> None:
    """The key has the name that one gives it, or is not there."""
    assert default_schema("Key__c").object("Account").field("Key__c").is_external_id
    with pytest.raises(UnknownError):
        default_schema(None).object("Account").field(EXTERNAL_ID)


def test_objects_and_fields_are_added() -> None:
    """A schema with more objects, an object with more fields, or with others of their names."""
    account = default_schema().object("Account").with_fields(Field("Name", length=5), Field("N__c"))
    route = SObject("Route__c", "a02", (Field("Name"),))
    schema = default_schema().having(account, route)

    assert schema.object("Account").field("Name").length_most == 5
    assert schema.object("Account").field("N__c").is_custom
    found = schema.of_id("a02000000000000AAA")
    assert found is not None
    assert found.name == "Route__c"
    assert schema.of_id("zzz") is None


def test_references() -> None:
    """It is known which fields name an object, those of several objects too."""
    references = [(s.name, f.name) for s, f in default_schema().references_to("Account")]

    assert references == [
        ("Account", "ParentId"),
        ("Contact", "AccountId"),
        ("Opportunity", "AccountId"),
        ("Task", "WhatId"),
        ("Visit__c", "Account__c"),
    ]
