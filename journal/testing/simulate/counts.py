"""What a campaign must have met: rows of the fault matrix, meanings of answers, outcomes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from journal.outcomes import Acknowledged, NotSent, Refused, Unauthorized, Unknown, Wait
from journal.remotes.classify import Doubt, Success, classify
from journal.remotes.remote import Response

if TYPE_CHECKING:
    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer

ROWS: Final = {
    1: "the process dies before or after a call to the log",
    3: "the power fails, and everything was synced",
    4: "the power fails, and the last appends were not synced",
    6: "the disk is full",
    7: "the disk fails",
    9: "the file is busy",
    14: "the process dies between the remote's answer and the acknowledgement",
    16: "the request was never sent",
    17: "the certificate is refused",
    18: "a request, or its answer, is lost",
    19: "a request is delivered twice, or late",
    20: "the answer is another request's",
    21: "somebody on the way answers: a captive portal, a proxy",
    22: "the answer is malformed",
    23: "the answer is cut off",
    26: "the answer is a redirect",
    27: "the remote does not accept who we are",
    28: "the remote refuses the draft",
    29: "the remote says that there is a conflict, or that the key is in use",
    30: "the remote asks for patience",
    31: "the remote fails, once or again and again",
    32: "of several drafts that went together, not all are answered, or in another order",
    33: "the network flaps",
    35: "the clock on the wall jumps",
    36: "the machine is suspended",
    37: "a process is paused, while another one sends",
    38: "the sender is cancelled",
    43: "the remote has forgotten the key",
    48: "nothing goes wrong",
}
"""The rows of the fault matrix that are simulated."""

MEANINGS: Final = (
    "success",
    "doubt: conflict",
    "doubt: gone",
    "doubt: rejected",
    "refused: the key is used",
    "not sent",
    "not sent: configuration",
    "unauthorized",
    "unauthorized: no token",
    "wait",
    "wait: so long",
    "wait: a token",
    "unknown: no answer",
    "unknown: offline",
    "unknown: redirect",
    "unknown: failure",
)
"""Every branch of what an answer can mean."""

OUTCOMES: Final = (
    "acknowledged: answer",
    "acknowledged: read",
    "refused: rejected",
    "refused: conflict",
    "refused: gone",
    "refused: unknown",
    "refused: alarm",
    "unknown",
    "unknown: offline",
    "unknown: refusal",
    "not sent",
    "not sent: configuration",
    "wait",
    "unauthorized",
    "cut off",
)
"""Every outcome that a push can have."""


class Counts:
    """How often each was met."""

    def __init__(self) -> None:
        """Begin with none."""
        self.rows: Counter[int] = Counter()
        self.meanings: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    def row(self, row: int) -> None:
        """Count the fault of a row."""
        self.rows[row] += 1

    def answer(self, answer: Answer) -> None:
        """Count what an answer means."""
        self.meanings[meaning_of(answer)] += 1

    def outcome(self, outcome: Outcome | None) -> None:
        """Count what a push came to."""
        self.outcomes[outcome_of(outcome)] += 1

    def add(self, other: Counts) -> None:
        """Count what another has counted, too."""
        self.rows += other.rows
        self.meanings += other.meanings
        self.outcomes += other.outcomes

    def missing(self) -> list[str]:
        """Return what was never met, in words."""
        rows = [f"row {row}: {what}" for row, what in ROWS.items() if not self.rows[row]]
        meanings = [f"answer: {name}" for name in MEANINGS if not self.meanings[name]]
        outcomes = [f"outcome: {name}" for name in OUTCOMES if not self.outcomes[name]]
        return rows + meanings + outcomes


def meaning_of(answer: Answer) -> str:
    """Return by which branch it is said what an answer means."""
    is_answer = isinstance(answer, Response)
    match classify(answer):
        case Success():
            return "success"
        case Doubt(_, refusal):
            return f"doubt: {refusal.classification}"
        case Refused():
            return "refused: the key is used"
        case NotSent(_, is_misconfigured):
            return "not sent: configuration" if is_misconfigured else "not sent"
        case Unauthorized():
            return "unauthorized" if is_answer else "unauthorized: no token"
        case Wait(_, seconds) if is_answer:
            return "wait" if seconds is None else "wait: so long"
        case Wait():
            return "wait: a token"
        case Unknown(_, True):
            return "unknown: offline"
        case Unknown(problem):
            is_led_away = "never followed" in problem
            failed = "unknown: redirect" if is_led_away else "unknown: failure"
            return failed if is_answer else "unknown: no answer"


def outcome_of(outcome: Outcome | None) -> str:
    """Return which outcome it is."""
    match outcome:
        case None:
            return "cut off"
        case Acknowledged(evidence=evidence):
            return f"acknowledged: {evidence}"
        case Refused(classification=classification, is_alarm=is_alarm):
            return "refused: alarm" if is_alarm else f"refused: {classification}"
        case Unknown(_, is_offline, refusal):
            if is_offline:
                return "unknown: offline"
            return "unknown" if refusal is None else "unknown: refusal"
        case NotSent(_, is_misconfigured):
            return "not sent: configuration" if is_misconfigured else "not sent"
        case Wait():
            return "wait"
        case Unauthorized():
            return "unauthorized"
