"""Ids of 15 and of 18 characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.testing.salesforce.ids import full_id, minted_id, normal_id


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("001D000000IqhSL", "001D000000IqhSLIAZ"),
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("000000000000000", "000000000000000AAA"),
        ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"),
    ],
)
def test_checksum(short: str, full: str) -> None:
    """The three characters more are those that Salesforce gives."""
    assert full_id(short) == full
    assert normal_id(short) == full
    assert normal_id(full) == full


@given(st.integers(0, 62**6), st.sampled_from(["001", "003", "a01"]))
def test_minted_ids_are_ids(number: int, prefix: str) -> None:
    """A minted id has its prefix and 18 characters, and is normal."""
    minted = minted_id(prefix, number)

    assert (len(minted), minted[:3]) == (18, prefix)
    assert normal_id(minted) == minted
    assert normal_id(minted[:15]) == minted


@given(st.integers(0, 62**6))
def test_case_is_restored(number: int) -> None:
    """Eighteen characters name a record in letters of any case; fifteen do not."""
    minted = minted_id("001", number)

    assert normal_id(minted.lower()) == minted
    assert normal_id(minted.upper()) == minted
    assert normal_id(minted[:15].swapcase()) != minted


def test_ids_differ_in_case_alone() -> None:
    """An org has ids that only their case tells apart: a client may not fold it."""
    ids = [minted_id("001", number) for number in range(62)]

    assert len({each[:15] for each in ids}) == 62
    assert len({each[:15].lower() for each in ids}) < 62


@pytest.mark.parametrize(
    "text",
    ["", "001", "001D000000IqhS!", "001D000000IqhSLIA", "001D000000IqhSLIA9", "001D000000IqhSLZZZ"],
)
def test_what_is_no_id(text: str) -> None:
    """An id has 15 characters, or 18 of which the last three fit."""
    assert normal_id(text) is None
