"""The invariants of the sync contract, each a small function with its number.

S: checked after each step. E: at the end. L: in the quiet phase, when nothing goes wrong any more.

| | |
|---|---|
| I1 S | what was once visible never changes |
| I2 S | positions rise by 1, without a gap |
| I3 S | what was told as stored is there, whoever died since |
| I4 S | what was not told is there once at most |
| I5 S | a batch is there whole, or not at all |
| I6 S | the versions of a stream rise by 1 |
| I7 E | the chain is whole, and a change of a byte would be found |
| I8 S | a record is the fold of the log, and so, at the end, is a projection |
| I9 E | a replay from the beginning gives the same as living did |
| I10 S | what is pending is what an independent fold says |
| I12 S | the service does what a draft asks once at most |
| I13 S | drafts are begun in the order of the log |
| I14 S | what is acknowledged, the service has done |
| I15 S | one key, one request, to the byte |
| I16 S | one request at a time, and nothing by a sender that has lost the lease |
| I17 S | no draft leaves the queue without an event that says so |
| I18 S | a service that asks for patience is left alone |
| I19 S | no secret is stored, said, or sent to where it does not belong |
| I21 S | once the service may have forgotten a key, it is asked before it is sent again |
| I22 S | whatever fails, fails with an error of ours |
| I25 S | the log can be read whatever has happened |
| I26 L | the queue drains by time alone |
| I27 S | who waits has a reason, and says so |
| I28 L | a refused draft holds up its lane only |
| I29 L | one of several processes sends |
"""

from __future__ import annotations

from journal.testing.simulate.invariants.of_log import before_entry, of_entry, of_row
from journal.testing.simulate.invariants.of_rest import (
    at_rest,
    at_the_end,
    bound_s,
    i26,
    is_at_rest,
)
from journal.testing.simulate.invariants.of_steps import (
    after_start,
    after_step,
    i10_shown,
    i22,
    i25,
    i27_stopped,
    of_report,
)
from journal.testing.simulate.invariants.of_wire import (
    after_effects,
    at_arrival,
    at_departure,
    i16_fenced,
    i19_said,
)
from journal.testing.simulate.invariants.remembered import Memory

__all__ = [
    "Memory",
    "after_effects",
    "after_start",
    "after_step",
    "at_arrival",
    "at_departure",
    "at_rest",
    "at_the_end",
    "before_entry",
    "bound_s",
    "i10_shown",
    "i16_fenced",
    "i19_said",
    "i22",
    "i25",
    "i26",
    "i27_stopped",
    "is_at_rest",
    "of_entry",
    "of_report",
    "of_row",
]
