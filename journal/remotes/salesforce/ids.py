"""Ids: those that are made here, and what may be one of an org; pure."""

from __future__ import annotations

import re
from typing import Final

_MINTED: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_OF_AN_ORG: Final = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Z]{3})?", re.ASCII)


class StandIn(str):
    """What stands for the id of a record in the call that makes the record."""

    __slots__ = ()


def is_minted(key: str) -> bool:
    """Say whether a key is one that was made to be unique, so that nobody else has it."""
    return _MINTED.fullmatch(key) is not None


def is_id(value: object) -> bool:
    """Say whether something may be an id that an org gives to its records: 15 characters, or 18."""
    if isinstance(value, StandIn):
        return True
    return isinstance(value, str) and _OF_AN_ORG.fullmatch(value) is not None
