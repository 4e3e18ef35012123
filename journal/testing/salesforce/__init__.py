"""A stand-in for a Salesforce org, for tests: see `Org`."""

from __future__ import annotations

from journal.testing.salesforce.database import RecordEffect
from journal.testing.salesforce.defaults import CAPTURE_FIELDS, EXTERNAL_ID, default_schema
from journal.testing.salesforce.faults import Fault, Faults
from journal.testing.salesforce.org import Org
from journal.testing.salesforce.refusal import RefusedError
from journal.testing.salesforce.rules import (
    DuplicateRule,
    Rules,
    Trigger,
    TriggerError,
    ValidationRule,
)
from journal.testing.salesforce.schema import Field, Schema, SObject
from journal.testing.salesforce.service import ReceivedRequest
from journal.testing.salesforce.settings import Settings
from journal.testing.salesforce.tokens import ConnectedApp

__all__ = [
    "CAPTURE_FIELDS",
    "EXTERNAL_ID",
    "ConnectedApp",
    "DuplicateRule",
    "Fault",
    "Faults",
    "Field",
    "Org",
    "ReceivedRequest",
    "RecordEffect",
    "RefusedError",
    "Rules",
    "SObject",
    "Schema",
    "Settings",
    "Trigger",
    "TriggerError",
    "ValidationRule",
    "default_schema",
]
