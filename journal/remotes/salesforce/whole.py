"""Sends the changes of a batch to an org as one transaction; it does no I/O.

- B8. Whether a call was carried out whose answer is not known is read from the records, before
  anything of the batch is sent again; where that does not tell, a person decides.
- B9. What is refused is held by itself, as the org says it, or as a read shows; the others are
  as if they were never sent.

```
1..n  ->  all done:     receipts of all
      ->  k refused:    k is held, and the others wait with it
      ->  not answered: the records are read  ->  applied: all are acknowledged
                                              ->  not applied: 1..n go again
                                              ->  neither: the first is held as unknown
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.errors import RemoteError
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, NotSent, Refused, Unknown
from journal.remotes.classify import Doubt, Success
from journal.remotes.errand import AsExpected
from journal.remotes.meanings import Done
from journal.remotes.remote import Response
from journal.remotes.salesforce import composite
from journal.remotes.salesforce.bound import Bound, cannot, held_up, is_doubtful, problem_of
from journal.remotes.salesforce.group import MARK, as_expected
from journal.remotes.salesforce.together import CARRIED_ON, UNSAID, Together
from journal.remotes.salesforce.witnesses import Witnesses, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import TypeAlias

    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer, Push, Request
    from journal.remotes.salesforce.errands import OrgErrand
    from journal.remotes.salesforce.group import Member
    from journal.remotes.salesforce.witnesses import Word

    Told: TypeAlias = list[Outcome | None]
    Exchange: TypeAlias = Generator[Request, Answer, Outcome]

_PRECONDITION: Final = 412
_UNPROVEN: Final = (
    "whether its batch was applied is not known, and the records do not tell: look whether the "
    "org has the changes of this batch; resolve each as applied where it has, and else retry or "
    'discard them; with batches = "order" each is looked up by itself'
)
_DISAGREE: Final = "two reads of the record, one after the other, do not agree"
_UNREAD: Final = "the remote refused to be read"
_NO_CULPRIT: Final = "the org did not say which request of a call it refused"


class Whole(Together):
    """How drafts go to an org together, those of one batch as one transaction."""

    def __init__(
        self,
        *given: Any,  # noqa: ANN401  of its base
        look: Callable[[OrgErrand, frozenset[type]], Generator[Request, Answer, Any]],
        settle: Callable[[OrgErrand, Refused], Exchange],
        **named: Any,  # noqa: ANN401  of its base
    ) -> None:
        """Send nothing yet.

        Args:
            *given: what `Together` takes.
            look: says what reads settle of a draft; it ends by types that are looked up twice.
            settle: settles by reads what an org said of a draft that is not applied.
            **named: what `Together` takes.
        """
        super().__init__(*given, **named)
        self._look = look
        self._settle = settle
        self._unfit = ("", "")
        """The draft whose batch cannot be one transaction, and why."""
        self._late: set[str] = set()
        """The drafts whose conditions the org compares with more than whole seconds."""
        self._reads_after = False
        """Whether the records are read in a call of their own, for a query failed in that one."""

    # --- whether a batch can go ----------------------------------------------------------

    def count(self, pushes: Sequence[Push]) -> int:
        """Return how many of the drafts can go in one call: of a batch all, or the first alone."""
        first = pushes[0]
        if first.batch_size == 1:
            return super().count(pushes) if self.is_possible else 1
        self._coming = ()
        why = problem_of(self._settings, pushes)
        self._unfit = (first.draft_id, why)
        return 1 if why else len(pushes)

    def why_not_alone(self, push: Push) -> RemoteError:
        """Return why a draft is not sent alone that is one of a batch."""
        draft_id, why = self._unfit
        return cannot(push, why if draft_id == push.draft_id else "")

    # --- sending -------------------------------------------------------------------------

    def sent(self, pushes: Sequence[Push]) -> Generator[Request, Answer, Told]:
        """Send drafts together; return what became of the first of them, or of all of a batch."""
        if pushes[0].batch_size == 1:
            return [*(yield from super().sent(pushes))]
        if any(map(is_doubtful, pushes)):
            settled = yield from self._settled(pushes)
            if settled is not None:
                return settled
        return (yield from self._delivered_whole(pushes))

    def _delivered_whole(self, pushes: Sequence[Push]) -> Generator[Request, Answer, Told]:
        """Send a batch of which nothing is applied."""
        if not self.is_fresh:
            self.forget()
        self._reads_after = False
        fresh = [push._replace(is_maybe_applied=False, is_doubted=False) for push in pushes]
        while True:
            search = self._lacking(fresh)
            if search and (failed := (yield from self._read(search))) is not None:
                return [failed]
            group = Bound(self._in_time, self._sights)
            for at, push in enumerate(fresh):
                if not group.join(push):
                    return held_up(pushes, at, (yield from self._left_out(group, push)))
            told = yield from self._called(group, pushes)
            if told is not None:
                return told

    def _called(
        self, group: Bound, pushes: Sequence[Push]
    ) -> Generator[Request, Answer, Told | None]:
        """Send the call; return what became of each, or None where it is to be sent once more."""
        search, queries = self._after(group)
        reads_after = self._reads_after or len(search.queries(composite.MOST)) > len(queries)
        parts = [*group.requests, *([] if reads_after else queries)]
        self.forget()
        answer = yield composite.whole(self._settings.api_version, parts)
        self._note(answer)
        outcome = self._unheard(answer)
        if isinstance(outcome, Refused):
            why = FieldMessage(message=cannot(pushes[0], "the org refused the call itself").problem)
            said = (why, *outcome.messages)
            return held_up(pushes, 0, outcome._replace(classification="rejected", messages=said))
        if outcome is not None or not isinstance(answer, Response):
            return [outcome] * len(pushes)
        answers = composite.whole_answers(answer, len(parts))
        if answers is None:
            return [Unknown(UNSAID)] * len(pushes)
        wrote = len(group.requests)
        if not all(map(composite.is_done, answers)):
            return (yield from self._rolled_back(group, pushes, answers))
        if reads_after:
            yield from self._read(search)
        else:
            self._take_in(search, answers[wrote:])
        return [*group.outcomes(answers[:wrote], self._read_back)]

    # --- what was refused ----------------------------------------------------------------

    def _rolled_back(
        self, group: Bound, pushes: Sequence[Push], answers: Sequence[Response]
    ) -> Generator[Request, Answer, Told | None]:
        """Return what became of the drafts of a call of which a request failed (B9)."""
        wrote = len(group.requests)
        if any(map(composite.is_done, answers[:wrote])):
            return [Unknown(CARRIED_ON)] * len(pushes)
        failed = [
            n
            for n, each in enumerate(answers)
            if not (composite.is_done(each) or composite.is_rolled_back(each))
        ]
        if len(failed) != 1:
            return [Unknown(_NO_CULPRIT)] * len(pushes)
        (part,) = failed
        if part >= wrote:
            self._reads_after = True
            return None
        at = group.member_at(part)
        outcome = yield from self._judged(group.members[at], pushes[at], answers[part])
        if self._is_too_exact(pushes[at], outcome):
            self._late.add(pushes[at].draft_id)
            return None
        return held_up(pushes, at, outcome)

    def _judged(self, member: Member, push: Push, answer: Response) -> Exchange:
        """Return what the org said of a draft that is not applied, or what reads show of it."""
        match member.errand.means(push.kind, answer):
            case Success() | Done():  # no answer of an org that is none of a success
                return Unknown(UNSAID)
            case Doubt(_, refusal):
                errand = self._graced(self._make(push))
                said = errand.in_our_words(refusal)
                if member.is_behind:  # there is no such record to be read
                    return said._replace(classification="rejected")
                return (yield from self._settle(errand, said))
            case meaning:
                return meaning

    def _is_too_exact(self, push: Push, outcome: Outcome) -> bool:
        """Say whether the org compares more than whole seconds: the record is as we know it."""
        if not isinstance(outcome, Refused) or push.kind != "update":
            return False
        is_condition = (outcome.classification, outcome.status) == ("rejected", _PRECONDITION)
        return is_condition and push.draft_id not in self._late

    def _in_time(self, push: Push) -> OrgErrand:
        """Return what carries a draft in a call, on a condition that the org can keep."""
        return self._graced(self._in_call(push))

    def _graced(self, errand: OrgErrand) -> OrgErrand:
        errand.grace_s = int(errand.push.draft_id in self._late)
        return errand

    def _left_out(self, group: Bound, push: Push) -> Exchange:
        """Return what becomes of a draft with which its batch cannot be sent as it is."""
        try:
            return (yield from self._unfitting(group, push))
        except RemoteError as error:
            return Refused("rejected", (FieldMessage(message=str(error)),))

    def _unfitting(self, group: Bound, push: Push) -> Exchange:
        """Return what reads show of a draft that does not find its record as it expects it.

        Raises:
            RemoteError: the record is as it should be, or need not be, and it cannot be sent so.
        """
        errand = group.errand(push)
        is_behind = any(member.push.ref == push.ref for member in group.members)
        found = None
        if push.kind != "create" and not is_behind and push.ref.type not in self._unlisted:
            row = self._sights.row(errand, errand.remote_id)
            if row is not None and self._sights.is_known(errand):
                found = as_expected(errand, row)
            if found is None:
                return (yield from self._looked_up(push))
        written = errand.write(found).body or b""
        why = "it is too large for one call"
        if push.ref.type in self._unlisted:
            why = f"the org shows no {push.ref.type} by a query"
        elif MARK.encode() in written:
            why = f"a text of {push.ref} has '{MARK}', by which the org names what a call has made"
        raise cannot(push, why)

    def _looked_up(self, push: Push) -> Exchange:
        """Return what reads show of a draft that finds its record otherwise than it expects it."""
        self.forget()
        ends = {Refused, Acknowledged} if push.kind == "delete" else {Refused}
        found = yield from self._look(self._make(push), frozenset(ends))
        if found is None:
            return Unknown(_UNREAD)
        return NotSent(_DISAGREE) if isinstance(found, AsExpected) else found

    # --- what may be applied -------------------------------------------------------------

    def _settled(self, pushes: Sequence[Push]) -> Generator[Request, Answer, Told | None]:
        """Return what became of a batch that may be applied; None where it is not (B8)."""
        before: list[Word] = []
        while True:
            self.forget()
            witnesses = Witnesses(self._make, pushes)
            search = witnesses.search(self._settings)
            if (failed := (yield from self._read(search))) is not None:
                return [failed]
            shown = {name for name, _ in search.marks & self._sights.asked}
            if {name for name, _ in search.marks} - shown - self._unlisted:
                return [Unknown(_UNREAD)]
            words = witnesses.words(self._sights, shown)
            applied = verdict(words, sum(map(is_doubtful, pushes)), len(pushes))
            if applied is False:
                return None
            if applied and "after" in words:
                return [*witnesses.receipts(self._sights)]
            if before:
                break
            before = words  # nothing is final by one read of what is not there
        if words != before:
            return [Unknown(_DISAGREE)]
        if applied:
            return [*witnesses.receipts(self._sights)]
        at = next(at for at, push in enumerate(pushes) if is_doubtful(push))
        held = Refused("unknown", (FieldMessage(message=_UNPROVEN),))
        return held_up(pushes, at, held)[: at + 1]
