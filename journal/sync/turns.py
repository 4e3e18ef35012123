"""The turns of the drafts that are sent: numbers by which a service tells their order; pure.

- W1. A draft that is sent has the number of its last `PushStarted`: its position in the log. It
  is greater than that of every draft of which something has become: one that was overtaken, such
  as by a draft that a person has let go on, is begun anew before it is sent again.
- W2. The number that is said to come before is that of the last draft that an answer has
  acknowledged: so the service has applied it. Nothing is said of drafts that were refused,
  discarded, or found by a read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.drafts import draft_id_of
from journal.events import DraftAcknowledged, DraftRetried, PushStarted

if TYPE_CHECKING:
    from journal.events import Entry


class Turns:
    """The numbers of the drafts that are being sent: the accumulator of a fold."""

    def __init__(self, acknowledged: int = 0) -> None:
        """Begin with the number that was acknowledged last, as far as it is known."""
        self.acknowledged = acknowledged
        self._settled = 0
        self._begun: dict[str, int] = {}

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry of the log."""
        draft_id, event = draft_id_of(entry), entry.event
        if draft_id is None:
            return
        if isinstance(event, PushStarted):
            self._begun[draft_id] = entry.position
            return
        number = self._begun.pop(draft_id, 0)
        if not isinstance(event, DraftRetried):  # what did not go with others overtakes none
            self._settled = max(self._settled, number)
        if isinstance(event, DraftAcknowledged) and event.evidence == "answer":
            self.acknowledged = max(self.acknowledged, number)

    def of(self, draft_id: str) -> int | None:
        """Return the number of a draft; None where it was not begun."""
        return self._begun.get(draft_id)

    def is_overtaken(self, draft_id: str) -> bool:
        """Say whether something has become of a draft that was begun after this one (W1)."""
        return self._begun.get(draft_id, 0) < self._settled
