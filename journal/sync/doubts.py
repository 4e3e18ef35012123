"""Ends what would be in doubt for ever while the remote answers: the draft is held, to be seen.

- D1. A draft that is in doubt so many times in a row, with the remote answering, is held as
  unknown. What was not answered, or by somebody on the way, does not count.
- D2. A remote that only fails, or does not answer what has reached it, is borne with much
  longer: it is as likely its fault as the draft's.
- D3. What reads show again and again, and would settle the draft if it could be believed, is
  believed then; so is a refusal that they go on to deny.
- D4. Once the first request of a draft left an hour ago, a few times in a row are enough: whoever
  is started from a timetable counts anew each time.

It knows nothing of logs, clocks or waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.events import FieldMessage
from journal.outcomes import Refused, Unknown, Wait
from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from journal.outcomes import Outcome, Seen
    from journal.remotes.remote import Answer, Request

SURE: Final = 10
"""How much a doubt counts in which the remote has answered, and not just failed."""
FAILING: Final = 1
"""How much one counts in which it has only failed, or not answered what has reached it."""
AGREEING: Final = 3
"""How many reads in a row must show the same to be believed, with a wait between each two."""
OLD_S: Final = 3600.0
"""From how long after its first request on a draft is held after `FEW` doubts, in seconds."""
FEW: Final = 3
_FAILS: Final = 500
_NOT_DONE: Final = frozenset({401, 425, 429})
"""Answers by which a remote says that it has not even looked at what it was asked."""
_READS: Final = frozenset({"GET", "HEAD"})
_KEY_STATUSES: Final = frozenset({400, 409, 422})
"""Of those that ask for patience, the answers that say that our key is in use."""


class Doubts:
    """How often in a row the outcome of the draft that is sent was not known."""

    def __init__(self, most: int | None) -> None:
        """Hold a draft after so many; never, where that is None."""
        self._most = most
        self._of = ("", 0)
        self._answers: list[Answer] = []
        self.has_asked = False
        """Whether a request of this attempt has left, or tried to."""
        self._is_old = False
        self.has_written = False
        """Whether a request of this attempt may have changed something at the remote."""
        self._has_read = False
        self._forget()

    def _forget(self) -> None:
        self._weight = self._times = self._same = 0
        self._seen: Seen | int | None = None
        self._answer = ""

    def begin(self, draft_id: str, revision: int, age_s: float = 0.0) -> None:
        """Begin an attempt to send a draft, whose first request left so many seconds ago."""
        self._is_old = age_s >= OLD_S
        self._answers.clear()
        self.has_asked = self.has_written = self._has_read = False
        if self._of != (draft_id, revision):
            self._of = (draft_id, revision)
            self._forget()

    def heard(self, request: Request, answer: Answer) -> None:
        """Take note of an answer of the remote, or that there was none.

        That somebody else gives tokens does not show that the remote is there.
        """
        self.has_asked = True
        if request.to == "remote":
            self._answers.append(answer)
            is_done = answer.was_sent if isinstance(answer, NoAnswer) else _is_done(answer)
            self.has_written = self.has_written or (is_done and request.method not in _READS)
            is_answered = isinstance(answer, Response)
            self._has_read = self._has_read or (is_answered and request.method in _READS)

    def is_looked_up_before(self, request: Request) -> bool:
        """Say whether this is the first of the attempt to change anything, and follows a read."""
        is_write = request.to == "remote" and request.method not in _READS
        return is_write and self._has_read and not self.has_written

    def judged(self, outcome: Outcome) -> Outcome:
        """Return the outcome of the attempt, or what it comes to after those before it (D1, D3)."""
        if not isinstance(outcome, Unknown | Wait):
            return outcome
        weight = self._weighed(outcome)
        if not weight:
            return outcome
        self._weight += weight
        self._times += 1
        refusal = outcome.refusal if isinstance(outcome, Unknown) else None
        if refusal is not None and self._is_agreed(refusal):
            self._forget()
            return refusal
        self._answer = self._answer if refusal is None else refusal.answer
        most = self._borne_with
        if most is None or self._weight < most * SURE:
            return outcome
        said = f"not known after {self._times} attempts: {outcome.problem}"
        held = Refused("unknown", (FieldMessage(message=said),), self._status, self._answer)
        self._forget()
        return held

    @property
    def _borne_with(self) -> int | None:
        """After how many doubts in a row a draft is held (D1, D4); None for never."""
        if self._most is None or not self._is_old:
            return self._most
        return min(self._most, FEW)

    def _is_agreed(self, refusal: Refused) -> bool:
        """Say whether that has come out so often in a row that it is believed (D3)."""
        shown = _shown(refusal)
        if shown is None:
            self._same = 0
            return False
        self._same = self._same + 1 if shown == self._seen else 1
        self._seen = shown
        return self._same >= AGREEING

    def _weighed(self, outcome: Unknown | Wait) -> int:
        """Return how much a doubt counts; nothing where it is not the remote that answered."""
        if isinstance(outcome, Wait):
            return FAILING if self._status in _KEY_STATUSES else 0
        if outcome.is_offline:
            return 0
        if not self._answers:  # it could not even be asked, such as by a remote that is broken
            return 0 if self.has_asked else SURE
        last = self._answers[-1]
        if isinstance(last, NoAnswer):
            return FAILING if last.was_sent else 0
        statuses = [answer.status for answer in self._answers if isinstance(answer, Response)]
        return FAILING if min(statuses) >= _FAILS else SURE

    @property
    def _status(self) -> int | None:
        last = self._answers[-1] if self._answers else None
        return last.status if isinstance(last, Response) else None


def _is_done(response: Response) -> bool:
    """Say whether what was asked may have been done."""
    return response.status not in _NOT_DONE


def _shown(refusal: Refused) -> Seen | int | None:
    """Return what must be the same to be believed; None for what is never believed (D3)."""
    if refusal.classification == "rejected":
        return refusal.status
    return refusal.seen if refusal.classification == "conflict" else None
