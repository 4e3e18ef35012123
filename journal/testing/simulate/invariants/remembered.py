"""What the invariants remember of a run, and what they tell things by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.testing.simulate.invariants.of_sights import Sights

if TYPE_CHECKING:
    from journal.record import Record
    from journal.testing.simulate.network import Exchange
    from journal.values import Ref

CANARY: Final = "canary-"
"""How every secret of the simulation begins."""
FOREIGN: Final = ("foreign", "+")
"""How the values of another writer begin."""
RACE_S: Final = 0.05
"""How long a decision may be overtaken by a draft whose turn had come before it."""
PATIENT: Final = frozenset({408, 425, 429, 503})
UNREAD: Final = frozenset({401, 425, 429})
"""Answers by which a service says that it has not looked at what it was asked."""
MISSING: Final = frozenset({404, 410})
"""Answers to a read by which a service says that there is no such record."""
SLACK_S: Final = 1e-6


class Memory:
    """What the invariants remember of a run."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.folded: dict[Ref, Record] = {}
        """Each record, as the library folds it."""
        self.requests: dict[str, tuple[str, str, bytes | None]] = {}
        """What was sent under each key."""
        self.last_sent_s: dict[str, float] = {}
        self.not_before_s: dict[str, float] = {}
        """From when on each sender may send again."""
        self.in_flight: dict[str, Exchange] = {}
        self.last_was_read: dict[str, bool] = {}
        self.cannot_read: set[str] = set()
        """The senders that were last refused to read: the service is to be taken at its word."""
        self.decided_s = -1.0
        """When something was last decided about a draft."""
        self.seen_position = -1
        self.has_lost = False
        """Whether the log has lost entries, as it may where it is not synced."""
        self.left_at: dict[str, int] = {}
        """Where in the log each draft was begun."""
        self.seen_at: dict[Ref, int] = {}
        """Where in the log each record was last seen."""
        self.overtaken: set[Ref] = set()
        """Of which records a receipt may have told what was true before they were last seen."""
        self.told: dict[Ref, int] = {}
        """The newest version of each record that a receipt has told of."""
        self.given_up: set[Ref] = set()
        """The records of which a draft was discarded that may have been applied."""
        self.resolved: dict[str, tuple[str | None, Any]] = {}
        """The state of the service against which each draft was last resolved."""
        self.sights = Sights()
        self.known: dict[Ref, dict[tuple[str, Any], int]] = {}
        """The values that the service was seen to have, with where that was first noted."""

    def forget_waits(self, process: str) -> None:
        """Note that a process has ended, and with it what it knew of the remote's patience."""
        for sender in [each for each in self.not_before_s if each.split(" ", 1)[0] == process]:
            del self.not_before_s[sender]
