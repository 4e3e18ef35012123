"""The allowance of an org: how much of it is used, and how long to wait for that; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from journal.remotes.salesforce.settings import LimitSettings

HEADER: Final = "sforce-limit-info"
SLOWEST_S: Final = 30.0
"""The longest wait before everything is stopped, in seconds."""
_USAGE: Final = re.compile(r"(?:^|[\s,;])api-usage=(\d{1,12})/(\d{1,12})")


class Usage(NamedTuple):
    """How many calls the org has answered in the last 24 hours, and how many it answers."""

    used: int
    allowed: int


def usage_of(text: str) -> Usage | None:
    """Return what the header ``Sforce-Limit-Info`` says; None where it does not say it."""
    found = _USAGE.search(text)
    if found is None or not int(found[2]):
        return None
    return Usage(int(found[1]), int(found[2]))


def pause_s(usage: Usage, limits: LimitSettings) -> float:
    """Return how long to wait before the next draft, in seconds: ever longer before the wall."""
    share = usage.used / usage.allowed
    if share < limits.slow_from:
        return 0.0
    if share >= limits.stop_at:
        return limits.pause_s
    way = (share - limits.slow_from) / (limits.stop_at - limits.slow_from)
    return min(SLOWEST_S, limits.pause_s) * way * way
