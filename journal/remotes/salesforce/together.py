"""Sends drafts to an org together, in calls that keep their order; it does no I/O.

- B4. Nothing is acknowledged by a call that was rolled back, nor by one that does not say of
  each of its requests what became of it.
- B5. A draft that an org refuses among others goes alone after that: what becomes of it is what
  would have become of it without the others.
- V1. What was read is as good as a read right before only in the very next request, and soon.

```
draft 1..24 and queries  ->  all done:  receipts of all, and rows of those that come next
                         ->  n refused: receipts of those before n; n goes alone; then the rest
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.errors import RemoteError
from journal.outcomes import Refused, Unknown, Wait
from journal.remotes.classify import Doubt, Success, classify
from journal.remotes.meanings import Done
from journal.remotes.remote import Response
from journal.remotes.salesforce import composite
from journal.remotes.salesforce.answers import meant
from journal.remotes.salesforce.group import MARK, Group
from journal.remotes.salesforce.settings import KEYED
from journal.remotes.salesforce.sights import Search, Sights

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from journal.outcomes import Outcome
    from journal.remotes.meanings import Meaning
    from journal.remotes.remote import Answer, Push, Request
    from journal.remotes.salesforce.errands import OrgErrand
    from journal.remotes.salesforce.settings import Settings
    from journal.sources import Clock
    from journal.values import Ref

AHEAD: Final = 2 * composite.MOST
"""How many drafts are looked at: those that go, and those whose records are read for them."""
FRESH_S: Final = 1.0
"""How long rows are as good as a read right before, in seconds: within a second, no condition of
an org tells an edit from another."""
_SERVER: Final = 500
UNSAID: Final = "the org did not say what became of each request of a call"
CARRIED_ON: Final = "the org went on behind a request that failed"


class Together:
    """How drafts go to an org together."""

    def __init__(  # noqa: PLR0913  who has a part in it
        self,
        settings: Settings,
        make: Callable[[Push], OrgErrand],
        in_call: Callable[[Push], OrgErrand],
        *,
        alone: Callable[[OrgErrand], Generator[Request, Answer, Outcome]],
        note: Callable[[Answer], None],
        clock: Clock,
    ) -> None:
        """Send nothing yet.

        Args:
            settings: of the org.
            make: returns what carries a draft.
            in_call: returns what carries it in a call with others.
            alone: sends a draft by itself.
            note: takes note of an answer of the org.
            clock: says how old rows are.
        """
        self._settings = settings
        self._make = make
        self._in_call = in_call
        self._alone = alone
        self._note = note
        self._clock = clock
        self._coming: Sequence[Push] = ()
        self._apart = ""
        self._reach = AHEAD
        """How many drafts are begun together: few where the last could not go so, then more."""
        self._unlisted: set[str] = set()
        """The types whose records no query shows."""
        self._sights = Sights()
        self._seen_s = float("-inf")
        self.is_possible = True
        """Whether the org takes such calls."""

    def count(self, pushes: Sequence[Push]) -> int:
        """Return how many of the drafts can go in one call, from the first one on, at most."""
        count = requests = 0
        types: set[str] = set()
        touched: set[Ref] = set()
        for push in pushes[: self._reach]:
            types.add(push.ref.type)
            requests += 2 if push.kind == "delete" and self._captures(push) else 1
            is_full = len(types) > composite.MOST_QUERIES or requests + len(types) > composite.MOST
            is_late = push.kind == "delete" and push.ref in touched  # B6
            if is_full or is_late or not self._can_go(push):
                break
            touched |= {push.ref} if push.kind == "create" else set()
            touched |= set() if push.kind == "delete" else set(push.targets)
            count += 1
        self._coming = pushes[count : count + composite.MOST]
        return max(count, 1)

    def _captures(self, push: Push) -> bool:
        return bool(self._settings.capture_of(push.ref.type).names)

    def _can_go(self, push: Push) -> bool:
        """Say whether a draft can go with others, as far as that is plain without its record."""
        said = self._settings.types.get(push.ref.type)
        has_header = said is not None and said.allow_duplicates and push.kind != "delete"
        is_keyed = push.kind != "create" or self._settings.how(push.ref.type) in KEYED
        is_plain = push.kind == "create" or push.ref.type not in self._unlisted
        has_mark = MARK in f"{push.fields}{push.made}"  # B3
        is_apart = has_mark or push.is_doubted or push.draft_id == self._apart
        return is_keyed and is_plain and not has_header and not is_apart

    def forget(self) -> None:
        """Note that another request leaves: what was read before is no longer new (V1)."""
        self._sights = Sights()

    @property
    def is_fresh(self) -> bool:
        """Whether what was read is new enough to be as good as a read right before (V1)."""
        return self._clock.monotonic_s() - self._seen_s <= FRESH_S

    # --- sending -------------------------------------------------------------------------

    def sent(self, pushes: Sequence[Push]) -> Generator[Request, Answer, Sequence[Outcome | None]]:
        """Send drafts together; return what became of the first of them, at least of one."""
        if not self.is_fresh:
            self.forget()
        search = self._lacking(pushes)
        if search:
            failed = yield from self._read(search)
            if isinstance(failed, Refused):  # the call itself, and not the draft
                return [(yield from self._by_itself(pushes[0]))]
            if failed is not None:
                return [failed]
        group = Group(self._in_call, self._sights)
        for push in pushes:
            if not group.join(push):
                break
        self._coming = [*pushes[len(group.members) :], *self._coming]
        self._reach = min(2 * self._reach, AHEAD)
        if len(group.members) < len(pushes):
            self._set_apart(len(group.members), pushes[len(group.members)])
        if len(group.members) < 2:  # noqa: PLR2004  that is one alone
            return [(yield from self._by_itself(pushes[0]))]
        return (yield from self._delivered(group))

    def _set_apart(self, count: int, push: Push) -> None:
        """Note that a draft cannot go with the so many before it: none is begun behind it (B5)."""
        self._apart, self._reach = push.draft_id, max(count, 2)

    def _by_itself(self, push: Push) -> Generator[Request, Answer, Outcome]:
        self.forget()
        return (yield from self._alone(self._make(push)))

    def _lacking(self, pushes: Sequence[Push]) -> Search:
        """Return the search for the records that have to be read before these can go."""
        search = Search(self._settings)
        made: set[Ref] = set()
        for push in pushes:
            errand = self._made(push)
            if push.kind == "create" or errand is None:
                made.add(push.ref)  # there is nothing yet to be read
            elif push.ref not in made and not self._sights.is_known(errand):
                search.add(errand, errand.remote_id)
        return search

    def _made(self, push: Push) -> OrgErrand | None:
        """Return what carries a draft; None where the org does not take it."""
        try:
            return self._make(push)
        except RemoteError:
            return None

    def _read(self, search: Search) -> Generator[Request, Answer, Outcome | None]:
        """Read records by queries; return what stands in the way, if anything does."""
        queries = search.queries(composite.MOST)
        self._unlisted |= search.too_long
        if not queries:
            return None
        answer = yield composite.serial(self._settings.api_version, queries, halts=False)
        self._note(answer)
        outcome = self._unheard(answer)
        if outcome is not None or not isinstance(answer, Response):
            return outcome
        answers = composite.serial_answers(answer, len(queries))
        if answers is None:
            return Unknown(UNSAID)
        self._take_in(search, answers)
        return None

    def _take_in(self, search: Search, answers: Sequence[Response]) -> None:
        for (record_type, key), answer in zip(search.listed, answers, strict=True):
            if composite.is_done(answer):
                self._sights.add(record_type, key, answer)
                self._sights.asked |= {mark for mark in search.marks if mark[0] == record_type}
            elif self._is_for_good(answer):
                self._unlisted.add(record_type)
        self._seen_s = self._clock.monotonic_s()

    def _is_for_good(self, answer: Response) -> bool:
        """Say whether an org that is asked the same query later would refuse it again."""
        if composite.is_halted(answer) or composite.is_rolled_back(answer):
            return False
        return isinstance(self._meaning(answer), Doubt | Refused)

    def _meaning(self, answer: Answer) -> Meaning:
        said = meant("upsert", "changes", answer, (), self._settings.limits.pause_s)
        return said or classify(answer)

    def _unheard(self, answer: Answer) -> Outcome | None:
        """Return what an answer to a call comes to that has not been carried out, or None."""
        match self._meaning(answer):
            case Success() | Done():
                return None
            case Doubt(_, refusal) | (Refused() as refusal):
                self.is_possible = False
                return refusal
            case outcome:
                return outcome

    # --- a call --------------------------------------------------------------------------

    def _delivered(self, group: Group) -> Generator[Request, Answer, list[Outcome]]:
        while True:
            search, queries = self._after(group)
            parts = [*group.requests, *queries]
            version, is_whole = self._settings.api_version, group.is_whole
            self.forget()
            answer = yield (composite.whole if is_whole else composite.serial)(version, parts)
            self._note(answer)
            outcome = self._unheard(answer)
            if not isinstance(answer, Response) or outcome is not None:
                return (yield from self._failed(group, outcome, answer))
            read = composite.whole_answers if is_whole else composite.serial_answers
            answers = read(answer, len(parts))
            if answers is None:
                return [Unknown(UNSAID)] * len(group.members)
            wrote = len(group.requests)
            at = next((n for n, each in enumerate(answers) if not composite.is_done(each)), None)
            self._take_in(search, answers[wrote:])
            if at is None or (at >= wrote and not is_whole):
                return group.outcomes(answers[:wrote], self._read_back)
            if not is_whole:
                return (yield from self._halted(group, answers[:wrote], at))
            if any(map(composite.is_done, answers[:wrote])):
                return [Unknown(CARRIED_ON)] * len(group.members)
            failed = (n for n, each in enumerate(answers) if not composite.is_rolled_back(each))
            at = next(failed, 0)
            if at >= wrote and self._is_for_good(answers[at]):
                continue  # a query failed, and is not asked again
            if at >= wrote:
                return [Unknown(f"the org answered {answers[at].status} to a query of a call")]
            refused = group.member_at(at)
            if refused == 0:
                return [(yield from self._by_itself(group.members[0].push))]
            self._set_apart(refused, group.members[refused].push)
            group = group.first(refused)

    @property
    def _read_back(self) -> Sights:
        """What the records of a call were read as behind it, where that is asked for."""
        return self._sights if self._settings.reads_back else Sights()

    def _after(self, group: Group) -> tuple[Search, list[Request]]:
        """Return what is read behind the drafts of a call: what they left, and what comes next."""
        search = Search(self._settings)
        if self._settings.reads_back:
            for member in group.left:
                if member.push.ref.type not in self._unlisted:
                    search.add(member.errand, group.id_of(member))
        for push in self._coming:
            errand = None if push.kind == "create" else self._made(push)
            if errand is not None and push.ref.type not in self._unlisted:
                search.add(errand, errand.remote_id)
        most = min(composite.MOST_QUERIES, composite.MOST - len(group.requests))
        queries = search.queries(most)
        self._unlisted |= search.too_long
        return search, queries

    def _failed(
        self, group: Group, outcome: Outcome | None, answer: Answer
    ) -> Generator[Request, Answer, list[Outcome]]:
        """Return what a call comes to that nobody has carried out, or of which that is unknown."""
        is_failure = isinstance(answer, Response) and answer.status >= _SERVER
        match outcome:
            case Unknown():
                return [outcome] * len(group.members)
            case Wait() if is_failure:  # it may have been carried out before it failed
                return [outcome] * len(group.members)
            case None | Refused():  # the call itself: so the org takes none of them
                return [(yield from self._by_itself(group.members[0].push))]
            case _:
                return [outcome]

    def _halted(
        self, group: Group, answers: Sequence[Response], at: int
    ) -> Generator[Request, Answer, list[Outcome]]:
        """Return what became of drafts one of which failed, so that those behind it did not go."""
        done, member = group.first(at), group.members[at]
        told: list[Outcome] = []
        if at:
            search, _ = self._after(done)
            if search:
                yield from self._read(search)
            told = done.outcomes(answers[:at], self._read_back)
        if not all(map(composite.is_halted, answers[at + 1 :])):
            return [*told, *[Unknown(CARRIED_ON)] * (len(group.members) - at)]
        if answers[at].status >= _SERVER:
            return [*told, Unknown(f"the org answered {answers[at].status} within a call")]
        if not at:
            return [(yield from self._by_itself(member.push))]
        self._set_apart(at, member.push)
        return told
