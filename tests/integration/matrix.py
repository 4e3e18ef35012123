"""The rows of the fault matrix that concern the wire, the service and the sender, and their hits.

Each row says what is to come of it; a test that injects the fault counts it with `hit` at the
moment at which it is injected. What was counted is printed at the end of a run.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

ROWS: Final = {
    14: "the process dies between the remote's answer and the acknowledgement",
    16: "the request was never sent",
    17: "TLS fails",
    18: "the answer is lost after the remote has committed",
    19: "a request is delivered twice, or late",
    20: "the answer is another request's",
    21: "a captive portal answers",
    22: "the answer is malformed",
    23: "the answer is truncated",
    24: "the answer drips in, or never ends",
    25: "the answer is huge",
    26: "the answer is a redirect",
    27: "the remote does not accept who we are",
    28: "the remote refuses the draft",
    29: "the remote says that there is a conflict",
    30: "the remote asks for patience",
    31: "the remote fails, again and again",
    33: "the network flaps",
    34: "a kept connection is dead",
    36: "the machine was suspended",
    37: "two processes send",
    38: "the sender is cancelled, or interrupted",
    43: "the draft is old: the remote may have forgotten its key",
    48: "nothing goes wrong",
}
"""The rows, by their number in the matrix, and what goes wrong in each."""

HITS: Final[Counter[int]] = Counter()
"""How often the fault of each row was injected in this run."""


def hit(row: int) -> None:
    """Count that the fault of a row was injected."""
    assert row in ROWS, f"the matrix has no row {row}"
    HITS[row] += 1


def report() -> list[str]:
    """Return a line for each row: how often its fault was injected."""
    return [f"{HITS[row]:7,}  {row:2}  {what}" for row, what in ROWS.items()]
