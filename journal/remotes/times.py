"""Times as services write them, and checkpoints that are times, moved in their form; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_ISO: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:([T t])(\d\d:\d\d(?::\d\d)?)([.,]\d+)?(.*))?")
_HTTP: Final = re.compile(
    r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})"
)
"""As in the header Date, and in mail."""
_UNITS: Final = ((1e17, 1_000_000_000), (1e14, 1_000_000), (1e11, 1_000))
"""From which number on it counts which part of a second; seconds below."""
UNITS: Final = {
    "seconds": timedelta(seconds=1),
    "milliseconds": timedelta(milliseconds=1),
}
"""The numbers that a time may be written as: of what, since 1970."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moved(checkpoint: object, by_s: float) -> object:
    """Return a checkpoint that is so many seconds later, or earlier, in the same form.

    It is a time as in ISO 8601 or in the header Date, or a number of seconds, milli-, micro- or
    nanoseconds since 1970; as a text, it may stand in quotes.

    Raises:
        ValueError: it is no time.
    """
    if isinstance(checkpoint, str):
        text = checkpoint.strip('"')
        return checkpoint.replace(text, _moved_text(text, by_s)) if text else _no_time(checkpoint)
    if isinstance(checkpoint, bool) or not isinstance(checkpoint, (int, float)):
        return _no_time(checkpoint)
    change = by_s * _unit(float(checkpoint))
    return checkpoint + (round(change) if isinstance(checkpoint, int) else change)


def is_later(one: str, other: str) -> bool:
    """Say whether a time is later than another; what is no time is, unless it is the same."""
    try:
        times = [datetime.fromisoformat(text) for text in (one, other)]
    except ValueError:
        return one != other
    first, second = (time.replace(tzinfo=time.tzinfo or UTC) for time in times)
    return first > second


def http_date(text: str, by_s: int = 0) -> str | None:
    """Return a time of ISO 8601 as headers have it, to the second below; None if it is none.

    Args:
        text: the time; one without a zone is in UTC.
        by_s: how many seconds later.
    """
    try:
        time = datetime.fromisoformat(text) + timedelta(seconds=by_s)
        return format_datetime(time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC), usegmt=True)
    except (ValueError, OverflowError):
        return None


def written(checkpoint: object, form: str) -> object:
    """Return a checkpoint, which is a time as for `moved`, in another form; never later than it.

    Args:
        checkpoint: the time.
        form: ``seconds`` or ``milliseconds`` since 1970, or a form of `strftime`, in UTC.

    Raises:
        ValueError: it is no time.
    """
    time = _time(checkpoint)
    if form in UNITS:
        return (time - _EPOCH) // UNITS[form]
    return time.astimezone(UTC).strftime(form)


def not_after(checkpoint: object, date: str | None) -> object:
    """Return a checkpoint, or the time of an answer where that is earlier.

    A record that somebody has dated into the future would otherwise hide all changes until
    then.

    Args:
        checkpoint: a time, as for `moved`; anything else stays as it is.
        date: the header Date of the answer.
    """
    try:
        now = parsedate_to_datetime(date or "")
        ahead_s = (_time(checkpoint) - now.replace(tzinfo=now.tzinfo or UTC)).total_seconds()
        return moved(checkpoint, -ahead_s) if ahead_s > 0 else checkpoint
    except (ValueError, OverflowError):
        return checkpoint


def instant(text: str) -> datetime:
    """Return which time a text names, as in ISO 8601 or in the header Date; UTC without a zone.

    Raises:
        ValueError: it is none.
    """
    is_http = _HTTP.fullmatch(text) is not None
    time = parsedate_to_datetime(text) if is_http else datetime.fromisoformat(text)
    return time.replace(tzinfo=time.tzinfo or UTC)


def _moved_text(text: str, by_s: float) -> str:
    if _NUMBER.fullmatch(text):
        digits = len(text.partition(".")[2])
        change = by_s * _unit(float(text))
        return f"{float(text) + change:.{digits}f}" if digits else str(int(text) + round(change))
    if _HTTP.fullmatch(text):
        moment = instant(text) + timedelta(seconds=by_s)
        return format_datetime(moment, usegmt=text.endswith("GMT"))
    found = _ISO.fullmatch(text)
    if found is None:
        return _no_time(text)
    date, letter, clock, fraction, zone = found.groups()
    time = datetime.fromisoformat(f"{date}T{clock or '00:00'}") + timedelta(seconds=by_s)
    if clock is None:  # days are whole: the day before is early enough
        return time.date().isoformat()
    if not fraction:
        return f"{time:%Y-%m-%d}{letter}{time:%H:%M:%S}{zone}"
    time += timedelta(microseconds=int(fraction[1:7].ljust(6, "0")))
    digits = len(fraction) - 1
    cut = f"{time.microsecond:06}".ljust(digits, "0")[:digits]
    return f"{time:%Y-%m-%d}{letter}{time:%H:%M:%S}{fraction[0]}{cut}{zone}"


def _time(checkpoint: object) -> datetime:
    """Return which time it is; one without a zone is in UTC.

    Raises:
        ValueError: it is none.
    """
    text = str(checkpoint).strip('"')
    if _NUMBER.fullmatch(text):
        return _EPOCH + timedelta(seconds=float(text) / _unit(float(text)))
    return instant(text)


def _unit(number: float) -> int:
    """Return how many of what a number counts make a second."""
    return next((unit for least, unit in _UNITS if abs(number) >= least), 1)


def _no_time(checkpoint: object) -> str:
    message = f"{checkpoint!r} is no time"
    raise ValueError(message)
