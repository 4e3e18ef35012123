"""Conditional headers: by time, in whole seconds, for every row; by ETag for accounts."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.refusal import Complaint, RefusedError

if TYPE_CHECKING:
    from journal.testing.salesforce.call import Call
    from journal.testing.salesforce.database import Row

__all__ = ["check_conditions", "etag_of", "http_date", "is_unchanged", "is_unmodified"]

_HEADERS: Final = ("if-modified-since", "if-unmodified-since", "if-match", "if-none-match")


def http_date(at: datetime) -> str:
    """Return a time as headers have it."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def etag_of(row: Row) -> str:
    """Return what changes whenever a row does."""
    shown = repr(sorted((name, str(value)) for name, value in row.values.items()))
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


def check_conditions(call: Call, row: Row) -> None:
    """Refuse a request whose condition does not hold; a delete takes none.

    Raises:
        RefusedError: with 412, or with 400 where the condition cannot be read.
    """
    if call.method == "DELETE":
        if any(name in call.headers for name in _HEADERS):
            message = "Conditional requests are not supported for DELETE"
            raise RefusedError(400, Complaint("INVALID_REQUEST_HEADER", message))
        return
    unmodified = _time(call, "if-unmodified-since")
    if unmodified is not None and row.values["LastModifiedDate"] > unmodified:
        raise _failed("The resource has been modified since the given time")
    if call.method in {"PATCH", "POST"}:
        modified = _time(call, "if-modified-since")
        if modified is not None and row.values["LastModifiedDate"] <= modified:
            raise _failed("The resource has not been modified since the given time")
    match = call.headers.get("if-match")
    if match is not None and row.sobject.has_etag and not _names(match, row):
        raise _failed("The ETag does not match")
    none_match = call.headers.get("if-none-match")
    is_write = call.method in {"PATCH", "POST"}
    if none_match is not None and is_write and row.sobject.has_etag and _names(none_match, row):
        raise _failed("The ETag matches")


def is_unchanged(call: Call, row: Row) -> bool:
    """Say whether a read of a row is answered with 304."""
    none_match = call.headers.get("if-none-match")
    if none_match is not None and row.sobject.has_etag:
        return _names(none_match, row)
    return is_unmodified(call, row.values["LastModifiedDate"])


def is_unmodified(call: Call, at: datetime) -> bool:
    """Say whether a read of what was modified then is answered with 304."""
    modified = _time(call, "if-modified-since")
    return modified is not None and at <= modified


def _time(call: Call, name: str) -> datetime | None:
    """Return the time of a header; a read does not mind one that is none."""
    said = call.headers.get(name)
    if said is None:
        return None
    try:
        at = parsedate_to_datetime(said)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        if call.method == "GET":
            return None
        message = f"Invalid value for header {name.title()}: {said}"
        raise RefusedError(400, Complaint("INVALID_REQUEST_HEADER", message)) from None


def _names(condition: str, row: Row) -> bool:
    tags = [
        tag.strip().removeprefix("W/").strip('"').removesuffix("-gzip")
        for tag in condition.split(",")
    ]
    return tags == ["*"] or etag_of(row) in tags


def _failed(message: str) -> RefusedError:
    return RefusedError(412, Complaint("PRECONDITION_FAILED", message))
