"""Values: what a field takes, how it is kept, how it is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from journal.testing.salesforce.refusal import RefusedError
from journal.testing.salesforce.schema import Field
from journal.testing.salesforce.values import displayed, kept, shown, shown_ui

PICKLIST = Field("P", "picklist", values=("a", "b"))
OPEN = Field("P", "picklist", values=("a", "b"), is_restricted=False)
SEVERAL = Field("M", "multipicklist", values=("a", "b"))
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "sent", "value"),
    [
        (Field("S"), "  x ", "x"),
        (Field("S"), "", None),
        (Field("S"), " ", None),
        (Field("S"), 7, "7"),
        (Field("S"), None, None),
        (Field("T", "textarea"), " x\n", " x\n"),
        (Field("B", "boolean"), "TRUE", True),
        (Field("B", "boolean"), None, False),
        (Field("I", "int"), "12", 12),
        (Field("D", "double"), 1.005, 1.0),
        (Field("C", "currency", scale=0), 2.5, 2.0),
        (Field("D", "date"), "2026-04-01", date(2026, 4, 1)),
        (Field("D", "datetime"), "2026-04-01T14:00:00.999+02:00", NOON),
        (Field("D", "datetime"), "2026-04-01T12:00:00Z", NOON),
        (Field("E", "email"), "a@b.example", "a@b.example"),
        (PICKLIST, "a", "a"),
        (OPEN, "c", "c"),
        (SEVERAL, "b;a", "b;a"),
        (Field("R", "reference"), "001D000000IqhSL", "001D000000IqhSLIAZ"),
        (Field("R", "reference"), "", None),
    ],
)
def test_kept(field: Field, sent: Any, value: Any) -> None:  # noqa: ANN401
    """Text is trimmed, nothing is null, a moment has whole seconds, a number its scale."""
    assert kept(field, sent) == value


@pytest.mark.parametrize(
    ("field", "sent", "code"),
    [
        (Field("S"), "x" * 256, "STRING_TOO_LONG"),
        (Field("S"), {}, "JSON_PARSER_ERROR"),
        (Field("S"), True, "JSON_PARSER_ERROR"),
        (Field("E", "email"), "a@b", "INVALID_EMAIL_ADDRESS"),
        (PICKLIST, "c", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (SEVERAL, "a;c", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (Field("B", "boolean"), 1, "JSON_PARSER_ERROR"),
        (Field("I", "int"), 1.5, "JSON_PARSER_ERROR"),
        (Field("I", "int"), "x", "JSON_PARSER_ERROR"),
        (Field("I", "int"), [], "JSON_PARSER_ERROR"),
        (Field("I", "int", precision=8), 10**8, "NUMBER_OUTSIDE_VALID_RANGE"),
        (Field("D", "double"), "nan", "JSON_PARSER_ERROR"),
        (Field("D", "date"), "2026-02-30", "JSON_PARSER_ERROR"),
        (Field("D", "date"), 7, "JSON_PARSER_ERROR"),
        (Field("D", "datetime"), "2026-04-01T12:00:00", "JSON_PARSER_ERROR"),
        (Field("D", "datetime"), 7, "JSON_PARSER_ERROR"),
        (Field("R", "reference"), "no id", "MALFORMED_ID"),
        (Field("R", "reference"), 7, "JSON_PARSER_ERROR"),
    ],
)
def test_refused(field: Field, sent: Any, code: str) -> None:  # noqa: ANN401
    """What a field does not take is refused with the code of the cause."""
    with pytest.raises(RefusedError) as refused:
        kept(field, sent)

    assert refused.value.status == 400
    assert [each.code for each in refused.value.complaints] == [code]


def test_shown() -> None:
    """Rows and the UI API write moments each in their own way; numbers have their points."""
    assert shown(Field("D", "datetime"), NOON) == "2026-04-01T12:00:00.000+0000"
    assert shown_ui(Field("D", "datetime"), NOON) == "2026-04-01T12:00:00.000Z"
    assert shown(Field("D", "date"), date(2026, 4, 1)) == "2026-04-01"
    assert repr(shown(Field("N", "double"), 12)) == "12.0"
    assert repr(shown(Field("N", "int"), 12)) == "12"
    assert shown(Field("B", "boolean"), True) is True  # noqa: FBT003  the value that is shown


def test_displayed() -> None:
    """The UI API prints what a value alone does not say."""
    assert displayed(Field("S"), "x") is None
    assert displayed(PICKLIST, "a") == "a"
    assert displayed(Field("C", "currency"), 1234.5) == "1,234.50"
    assert displayed(Field("P", "percent", scale=0), 12.0) == "12%"
    assert displayed(Field("D", "date"), date(2026, 4, 1)) == "01/04/2026"
    assert displayed(Field("D", "datetime"), NOON) == "01/04/2026, 12:00"
    assert displayed(Field("S"), None) is None
