"""Times as services write them, and checkpoints that are times."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from journal.remotes.times import http_date, instant, is_later, moved, not_after, written

if TYPE_CHECKING:
    from collections.abc import Iterator

NINE = "2026-04-01T09:30:00Z"
S = 1_775_035_800
"""The same in seconds since 1970."""


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be elsewhere."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("checkpoint", "by_s", "later"),
    [
        (NINE, 1, "2026-04-01T09:30:01Z"),
        (NINE, -1, "2026-04-01T09:29:59Z"),
        ("2026-04-01t09:30:00.1239999", 1, "2026-04-01t09:30:01.1239990"),
        ("2026-04-01T09:30:00,5+02:00", 0.5, "2026-04-01T09:30:01,0+02:00"),
        ("2026-04-01", -1, "2026-03-31"),
        ("Wed, 01 Apr 2026 09:30:00 GMT", 1, "Wed, 01 Apr 2026 09:30:01 GMT"),
        ("Wed, 01 Apr 2026 09:30:00 +0200", 1, "Wed, 01 Apr 2026 09:30:01 +0200"),
        (f'"{NINE}"', 1, '"2026-04-01T09:30:01Z"'),
        (S, 1, S + 1),
        (S, 0.4, S),
        (S + 0.5, 0.25, S + 0.75),
        (100_000_000_000, 1, 100_000_001_000),
        (99_999_999_999, 1, 100_000_000_000),
        (S * 10**6, 1, S * 10**6 + 10**6),
        (str(S), 1, str(S + 1)),
        ("-5", 1, "-4"),
        (f"{S}.25", 1, f"{S + 1}.25"),
        ("1775035800123456789", 1, "1775035801123456789"),
    ],
)
def test_a_checkpoint_is_moved_in_its_form(checkpoint: object, by_s: float, later: object) -> None:
    """It stays the text or the number that it was, with the same digits, and as exact."""
    found = moved(checkpoint, by_s)

    assert (type(found), found) == (type(later), later)


@pytest.mark.parametrize("checkpoint", ["", '""', "soon", "2026-13-01", True, None, [1]])
def test_what_is_no_time_is_not_moved(checkpoint: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"."):
        moved(checkpoint, 1)


@pytest.mark.parametrize("checkpoint", ["", '""', "soon", True])
def test_what_is_no_time_is_named(checkpoint: object) -> None:
    """It is said what was taken for a time."""
    with pytest.raises(ValueError, match=f"^{checkpoint!r} is no time$"):
        moved(checkpoint, 1)


@pytest.mark.parametrize(
    ("one", "other", "later"),
    [
        ("2026-04-01T09:30:01Z", NINE, True),
        ("2026-04-01T11:00:00+02:00", NINE, False),
        ("2026-04-01T09:30:01", NINE, True),
        (NINE, NINE, False),
        ("x", NINE, True),
        ("x", "x", False),
    ],
)
def test_which_is_later(one: str, other: str, later: bool) -> None:  # noqa: FBT001
    """Times are compared as instants, whatever their zones; without a zone they are in UTC."""
    assert is_later(one, other) == later


@pytest.mark.usefixtures("far_east")
def test_the_zone_of_this_machine_is_nobodys_business() -> None:
    """What is sent is in UTC, wherever it is sent from."""
    assert http_date("2026-04-01T11:30:00+02:00", 1) == "Wed, 01 Apr 2026 09:30:01 GMT"
    assert http_date("2026-04-01T09:30:00") == "Wed, 01 Apr 2026 09:30:00 GMT"
    assert written("2026-04-01T11:30:00+02:00", "%H:%M") == "09:30"
    assert instant("2026-04-01T09:30:00") == instant(NINE)


@pytest.mark.parametrize(
    ("checkpoint", "form", "is_written"),
    [
        (NINE, "seconds", S),
        (f'"{NINE}"', "seconds", S),
        ("2026-04-01T09:30:00.9999Z", "seconds", S),
        ("2026-04-01T09:30:00.9999Z", "milliseconds", S * 1000 + 999),
        (S, "%Y-%m-%dT%H:%M:%SZ", NINE),
        (S * 1000, "seconds", S),
        (str(S * 10**6), "milliseconds", S * 1000),
        ("Wed, 01 Apr 2026 09:30:00 GMT", "seconds", S),
    ],
)
def test_a_checkpoint_in_another_form(checkpoint: object, form: str, is_written: object) -> None:
    """A time is asked for in the form of the service, and never later than it is."""
    assert written(checkpoint, form) == is_written


@pytest.mark.parametrize(
    ("checkpoint", "date", "kept"),
    [
        ("2026-04-01T09:30Z", "Wed, 01 Apr 2026 09:30:00 GMT", "2026-04-01T09:30Z"),
        ("2026-04-01T09:30:01Z", "Wed, 01 Apr 2026 09:30:00 GMT", NINE),
        ("2026-04-01T10:00:00Z", "Wed, 01 Apr 2026 11:30:00 +0200", NINE),
        ("2026-04-01T10:00:00Z", "Wed, 01 Apr 2026 09:30:00 -0000", NINE),
        ("2126-04-01", "Wed, 01 Apr 2026 09:30:00 GMT", "2026-04-01"),
        (NINE, "Wed, 01 Apr 2026 10:00:00 GMT", NINE),
        (NINE, None, NINE),
        (NINE, "soon", NINE),
        ("a cursor", "Wed, 01 Apr 2026 09:30:00 GMT", "a cursor"),
    ],
)
def test_a_checkpoint_is_never_after_the_answer(
    checkpoint: object, date: str | None, kept: object
) -> None:
    """A time of the future would hide what is changed until then; what is no time stays."""
    assert not_after(checkpoint, date) == kept
