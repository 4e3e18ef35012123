"""Bugs that are planted into the library, one at a time, for the simulator to find.

Each is a mistake that an engineer could really make, and is kept, so that the simulator goes on
finding it. ``python -m tests.integration.simulate.planted`` looks for all of them.
"""

from __future__ import annotations

from tests.integration.simulate.planted import (
    of_answers,
    of_conflicts,
    of_journal,
    of_log,
    of_queue,
    of_requests,
    of_secrets,
    of_sender,
    of_sights,
    of_views,
)
from tests.integration.simulate.planted.seams import CATALOGUE, DEFENDED, Bug, planted

__all__ = [
    "CATALOGUE",
    "DEFENDED",
    "Bug",
    "of_answers",
    "of_conflicts",
    "of_journal",
    "of_log",
    "of_queue",
    "of_requests",
    "of_secrets",
    "of_sender",
    "of_sights",
    "of_views",
    "planted",
]
