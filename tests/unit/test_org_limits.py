"""The allowance of an org, and the ids that it gives."""

from __future__ import annotations

import pytest

from journal.remotes.salesforce.ids import StandIn, is_id, is_minted
from journal.remotes.salesforce.limits import Usage, pause_s, usage_of
from journal.remotes.salesforce.settings import LimitSettings


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("per-app-api-usage=17/250(appName=x); api-usage=18/5000", Usage(18, 5000)),
        ("api-usage=18/5000, x=1", Usage(18, 5000)),
        ("per-app-api-usage=17/250", None),
        ("api-usage=18/0", None),
        ("api-usage=18", None),
        ("", None),
    ],
)
def test_usage(header: str, usage: Usage | None) -> None:
    """Of the whole org, and not of one application; without an allowance nothing is known."""
    assert usage_of(header) == usage


@pytest.mark.parametrize(
    ("used", "pause"),
    [
        (0, 0.0),
        (799, 0.0),
        (800, 0.0),
        (850, 7.5),
        (899, 30 * 0.99**2),
        (900, 300.0),
        (1000, 300.0),
        (2000, 300.0),
    ],
)
def test_the_wait_grows_before_the_wall(used: int, pause: float) -> None:
    """Nothing at first, then ever longer up to half a minute, and the whole pause at the wall."""
    limits = LimitSettings(slow_from=0.8, stop_at=0.9, pause_s=300.0)

    assert pause_s(Usage(used, 1000), limits) == pytest.approx(pause)


def test_a_short_pause_is_the_longest() -> None:
    """Nobody waits longer before the wall than at it."""
    limits = LimitSettings(slow_from=0.5, stop_at=1.0, pause_s=4.0)

    assert pause_s(Usage(750, 1000), limits) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("001xx0000000001", True),
        ("001xx0000000001AAA", True),
        ("001xx0000000001aaa", False),
        ("001xx0000000001A", False),
        ("001xx000000000", False),
        ("001xx00000000-1", False),
        ("\uff10\uff10\uff11xx0000000001", False),
        (1, False),
        (None, False),
        (StandIn("@{ref1.id}"), True),
        ("@{ref1.id}", False),
    ],
)
def test_ids_of_an_org(value: object, is_one: bool) -> None:  # noqa: FBT001
    """15 characters or 18; or what stands for the id of a record that the same call makes."""
    assert is_id(value) == is_one


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("0191e9a0-0000-7000-8000-000000000001", True),
        ("0191E9A0-0000-7000-8000-000000000001", False),
        ("0191e9a0-0000-9000-8000-000000000001", False),
        ("0191e9a0-0000-7000-c000-000000000001", False),
        ("x0191e9a0-0000-7000-8000-000000000001", False),
        ("acme", False),
    ],
)
def test_keys_that_nobody_else_has(key: str, is_one: bool) -> None:  # noqa: FBT001
    """Only a UUID as it is made here is known to be unique."""
    assert is_minted(key) == is_one
