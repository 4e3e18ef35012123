"""How long a remote asks to be left alone: `Retry-After` in all its forms; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from journal.remotes.remote import Response

MAX_RETRY_AFTER_S: Final = 3600.0
"""The longest wait that a remote may ask for, in seconds."""
_NEXT: Final = re.compile(r",[ \t]*(?=[0-9]+[ \t]*(?:,|$)|[A-Z][a-z]{2,8}[, ])")
"""Between the values of a header that came more than once: a date has a comma of its own."""


def retry_after_s(response: Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3), or None.

    A date is counted from the answer's own ``Date``, never from our clock. Where it asks more
    than once, the longest wait is the one that all of them allow.
    """
    since = date_of(response)
    values = _NEXT.split(response.headers.get("retry-after", "").strip())
    asked_s = [seconds for value in values if (seconds := _seconds(value, since)) is not None]
    return min(max(asked_s), MAX_RETRY_AFTER_S) if asked_s else None


def _seconds(value: str, since: datetime | None) -> float | None:
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until = http_time(value)
    if until is None or since is None:
        return None
    return max((until - since).total_seconds(), 0.0)


def date_of(response: Response) -> datetime | None:
    """Return the time at the remote, by the header ``Date`` of an answer, or None."""
    return http_time(response.headers.get("date", ""))


def http_time(text: str) -> datetime | None:
    """Return the time that an HTTP date names, in any of its three forms, or None."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
