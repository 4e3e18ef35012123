"""The objects of an org that nobody has said anything else of."""

from __future__ import annotations

from typing import Final

from journal.testing.salesforce.schema import Field, Schema, SObject

__all__ = ["CAPTURE_FIELDS", "EXTERNAL_ID", "default_schema"]

EXTERNAL_ID: Final = "Journal_Key__c"
"""The external-id field of every object."""
CAPTURE_FIELDS: Final = (
    Field("Journal_Made_At__c", "datetime"),
    Field("Journal_Actor__c"),
    Field("Journal_Device__c"),
    Field("Journal_Reason__c"),
)
"""Where a client may note when, by whom, on what and why a change was made."""

_ADDRESS: Final = tuple(
    Field(f"Billing{part}", length=length)
    for part, length in {
        "Street": 255,
        "City": 40,
        "State": 80,
        "PostalCode": 20,
        "Country": 80,
    }.items()
)
_STAGES: Final = ("Prospecting", "Qualification", "Negotiation", "Closed Won", "Closed Lost")
_USER: Final = SObject(
    "User",
    "005",
    (
        Field("Username", length=80, is_required=True, is_unique=True),
        Field("Name", length=121),
        Field("Email", "email", length=128),
        Field("IsActive", "boolean", default=True),
    ),
    plural="Users",
    is_writable=False,
)
_ACCOUNT: Final = SObject(
    "Account",
    "001",
    (
        Field("Name", label="Account Name", is_required=True),
        Field(
            "ParentId",
            "reference",
            refers_to=("Account",),
            relationship="Parent",
            children="ChildAccounts",
        ),
        Field(
            "Type",
            "picklist",
            values=("Prospect", "Customer", "Partner", "Other"),
            is_restricted=False,
        ),
        Field("Industry", "picklist", values=("Agriculture", "Banking", "Energy", "Technology")),
        Field("Rating", "picklist", values=("Hot", "Warm", "Cold")),
        Field("Phone", "phone"),
        Field("Website", "url"),
        Field("AccountNumber", length=40),
        Field("Site", length=80),
        Field("AnnualRevenue", "currency", scale=0),
        Field("NumberOfEmployees", "int", precision=8, scale=0),
        Field("Description", "textarea"),
        *_ADDRESS,
    ),
    plural="Accounts",
    has_etag=True,
)
_CONTACT: Final = SObject(
    "Contact",
    "003",
    (
        Field(
            "AccountId",
            "reference",
            refers_to=("Account",),
            relationship="Account",
            children="Contacts",
            on_delete="cascade",
        ),
        Field("FirstName", length=40),
        Field("LastName", length=80, is_required=True),
        Field("Name", length=121, is_createable=False, is_updateable=False),
        Field("Title", length=128),
        Field("Email", "email"),
        Field("Phone", "phone"),
        Field("MobilePhone", "phone"),
        Field("Birthdate", "date"),
        Field(
            "ReportsToId",
            "reference",
            refers_to=("Contact",),
            relationship="ReportsTo",
            children="Reports",
        ),
        Field("DoNotCall", "boolean", default=False),
        Field("Description", "textarea"),
    ),
    plural="Contacts",
    name_from=("FirstName", "LastName"),
)
_OPPORTUNITY: Final = SObject(
    "Opportunity",
    "006",
    (
        Field(
            "AccountId",
            "reference",
            refers_to=("Account",),
            relationship="Account",
            children="Opportunities",
            on_delete="cascade",
        ),
        Field("Name", length=120, is_required=True),
        Field("StageName", "picklist", values=_STAGES, is_required=True, is_restricted=False),
        Field("CloseDate", "date", is_required=True),
        Field("Amount", "currency"),
        Field("Probability", "percent", precision=3, scale=0),
        Field("NextStep"),
        Field("Description", "textarea"),
    ),
    plural="Opportunities",
)
_TASK: Final = SObject(
    "Task",
    "00T",
    (
        Field("WhoId", "reference", refers_to=("Contact",), relationship="Who", children="Tasks"),
        Field(
            "WhatId",
            "reference",
            refers_to=("Account", "Opportunity", "Visit__c"),
            relationship="What",
            children="Tasks",
        ),
        Field("Subject", "combobox", values=("Call", "Email", "Other"), is_restricted=False),
        Field(
            "Status",
            "picklist",
            values=("Not Started", "In Progress", "Completed"),
            is_required=True,
            default="Not Started",
        ),
        Field(
            "Priority",
            "picklist",
            values=("High", "Normal", "Low"),
            is_required=True,
            default="Normal",
        ),
        Field("ActivityDate", "date", label="Due Date Only"),
        Field("Description", "textarea"),
    ),
    plural="Tasks",
    name_field="Subject",
)
_VISIT: Final = SObject(
    "Visit__c",
    "a01",
    (
        Field("Name", length=80),
        Field(
            "Account__c",
            "reference",
            refers_to=("Account",),
            relationship="Account__r",
            children="Visits__r",
        ),
        Field(
            "Contact__c",
            "reference",
            refers_to=("Contact",),
            relationship="Contact__r",
            children="Visits__r",
        ),
        Field("Status__c", "picklist", values=("open", "planned", "done", "cancelled")),
        Field("Visit_Date__c", "date"),
        Field("Visited_At__c", "datetime"),
        Field("Hours__c", "double", precision=8),
        Field("Amount__c", "currency"),
        Field("Billable__c", "boolean", default=False),
        Field("Notes__c", "textarea", length=32768),
    ),
    plural="Visits",
)


def default_schema(
    external_id: str | None = EXTERNAL_ID, capture: tuple[Field, ...] = CAPTURE_FIELDS
) -> Schema:
    """Return User, Account, Contact, Opportunity, Task and Visit__c.

    Args:
        external_id: the external-id field that each has, unique; None for none.
        capture: the fields that each has for what a client notes.
    """
    key = (
        Field(external_id, length=64, is_external_id=True, is_unique=True) if external_id else None
    )
    added = (key, *capture) if key else capture
    written = (_ACCOUNT, _CONTACT, _OPPORTUNITY, _TASK, _VISIT)
    return Schema([_USER, *(sobject.with_fields(*added) for sobject in written)])
