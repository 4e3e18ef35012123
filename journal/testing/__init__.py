"""For tests and demonstrations: what a host may use to try its journal against something real.

The names are imported when they are first asked for; the fixtures are those of the plugin of
pytest, `journal.testing.plugin`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journal.testing.asserting import assert_deterministic, assert_drained, assert_verified
    from journal.testing.cassettes import Cassette
    from journal.testing.crashing import CrashPoint, for_each_crash_point
    from journal.testing.golden import golden_journal, record_golden
    from journal.testing.machine import JournalMachine
    from journal.testing.network import NetworkFaults, ServiceAtHand
    from journal.testing.orgs import OrgAtHand
    from journal.testing.scenario import Given, When, given
    from journal.testing.sources import SeededSources, SteppingClock

__all__ = [
    "Cassette",
    "CrashPoint",
    "Given",
    "JournalMachine",
    "NetworkFaults",
    "OrgAtHand",
    "SeededSources",
    "ServiceAtHand",
    "SteppingClock",
    "When",
    "assert_deterministic",
    "assert_drained",
    "assert_verified",
    "for_each_crash_point",
    "given",
    "golden_journal",
    "record_golden",
]

_HOMES = {
    "Cassette": "cassettes",
    "CrashPoint": "crashing",
    "Given": "scenario",
    "JournalMachine": "machine",
    "NetworkFaults": "network",
    "OrgAtHand": "orgs",
    "SeededSources": "sources",
    "ServiceAtHand": "network",
    "SteppingClock": "sources",
    "When": "scenario",
    "assert_deterministic": "asserting",
    "assert_drained": "asserting",
    "assert_verified": "asserting",
    "for_each_crash_point": "crashing",
    "given": "scenario",
    "golden_journal": "golden",
    "record_golden": "golden",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        message = f"module 'journal.testing' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"journal.testing.{_HOMES[name]}"), name)
