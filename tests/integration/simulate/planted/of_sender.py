"""Mistakes of the sender: of what it notes when, of its waits, its lease and its pulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.outcomes import Unknown, Wait
from journal.record import Change
from journal.remotes import patience
from journal.sync.backoff import Backoff
from journal.sync.delivery import Delivery
from journal.sync.effects import Listen, Pause
from journal.sync.lease import SenderLease
from journal.sync.ledger import Ledger
from journal.sync.pulling import Pull
from journal.sync.session import Session
from journal.sync.storing import Store
from journal.sync.waits import Bounds, Waits
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from datetime import datetime

    from journal.commands import Note
    from journal.drafts import Draft
    from journal.events import Event
    from journal.log import Holding
    from journal.outcomes import Outcome
    from journal.record import Record
    from journal.remotes.remote import Page, Push
    from journal.sync.bookmarks import Bookmark
    from journal.sync.effects import Effect


# --- what it notes -------------------------------------------------------------------------------


@plants(Ledger, "begin", by="I13, I14", seeds=27)
def sends_before_it_is_noted(_: Code) -> object:
    """A request leaves, and nothing in the log says so: after a crash it is sent as if new."""
    return lambda _self, _drafts: True


@plants(Ledger, "_note", by="I17", seeds=4)
def settles_what_is_settled(real: Code) -> object:
    """An answer settles a draft that somebody has discarded while it was under way."""

    def note(
        self: Ledger,
        draft: Draft,
        decide: Callable[[Record, Change], Sequence[Event]],
        reason: str | None = None,
    ) -> Note:
        ref, _, facts = real(self, draft, decide, reason)

        def decision(there: Record) -> Sequence[Event]:
            at, fields = draft.position, draft.fields
            change = Change(draft.draft_id, at, draft.kind, fields, {}, None, at, draft.revision)
            return decide(there, there.change(draft.draft_id) or change)

        return ref, decision, facts

    return note


@plants(Ledger, "save", by="I13, I26, I10", seeds=36)
def notes_too_early_what_is_settled(_: Code) -> object:
    """The checkpoint is where the sender has read, not where everything is settled."""

    def save(self: Ledger) -> None:
        self._checkpoint.save(self.queue.position)

    return save


@plants(Ledger, "save", by="I27", seeds=13)
def misses_an_append(real: Code) -> object:
    """The sender reads on before it waits, and so waits behind what was appended meanwhile."""

    def save(self: Ledger) -> None:
        self._catch_up()
        real(self)

    return save


@plants(Ledger, "_following", by="I13", seeds=13)
def begins_the_next_without_a_look(_: Code) -> object:
    """With an acknowledgement the next draft is begun, whether something holds it back or not."""

    def following(self: Ledger, settled: list[Draft]) -> Draft | None:
        self._catch_up()
        done = {draft.draft_id for draft in settled}
        left = (draft for draft in self.queue if draft.draft_id not in done)
        return next((draft for draft in left if draft.state == "pending"), None)

    return following


# --- what may have been applied ------------------------------------------------------------------


@plants(Ledger, "push_of", by="I21, I14, I12", seeds=401)
def forgets_its_doubts_after_a_restart(real: Code) -> object:
    """Only what left in the life of this process counts as maybe applied."""

    def push_of(self: Ledger, draft: Draft) -> Push | None:
        push: Push | None = real(self, draft)
        left: set[str] = self.__dict__.setdefault("_left", set())
        is_doubtful = draft.draft_id in left
        left.add(draft.draft_id)
        return push and push._replace(is_maybe_applied=push.is_maybe_applied and is_doubtful)

    return push_of


@plants(Ledger, "push_of", by="I21", seeds=29)
def never_looks_first(real: Code) -> object:
    """A draft is sent again without a look, whatever may have been applied."""

    def push_of(self: Ledger, draft: Draft) -> Push | None:
        push: Push | None = real(self, draft)
        return push and push._replace(is_maybe_applied=False, is_doubted=False, age_s=0.0)

    return push_of


@plants(Ledger, "_age_s", by="I21", seeds=29)
def ignores_how_old_a_key_is(_: Code) -> object:
    """A request is sent again by its key, which the service has forgotten since."""
    return lambda _self, _change: 0.0


@plants(Delivery, "_is_unsent", by="I21", seeds=29)
def takes_a_lost_answer_for_a_lost_request(real: Code) -> object:
    """Where no answer came, it is believed that no request has left."""

    def is_unsent(self: Delivery, outcome: Outcome | None) -> bool:
        return isinstance(outcome, Unknown) or bool(real(self, outcome))

    return is_unsent


# --- waits ---------------------------------------------------------------------------------------


@plants(Waits, "after", by="I18", seeds=33)
def does_not_heed_retry_after(real: Code) -> object:
    """The service says for how long it is to be left alone, and is asked again before."""

    def after(
        self: Waits, draft: Draft, outcome: Outcome, bounds: Bounds
    ) -> Generator[Effect, Any, object]:
        if isinstance(outcome, Wait):
            outcome = outcome._replace(retry_after_s=None)
        return real(self, draft, outcome, bounds)  # type: ignore[no-any-return]

    return after


@plants(patience, "_seconds", by="I18", seeds=56)
def counts_a_date_from_its_own_clock(real: Code) -> object:
    """A date until which the service is to be left alone is compared with our clock."""

    def seconds(value: str, since: datetime | None) -> float | None:
        return real(value, since and since.replace(year=since.year + 1))  # type: ignore[no-any-return]

    return seconds


@plants(Waits, "floor_s", by="I18", seeds=37)
def hurries_when_it_is_woken(_: Code) -> object:
    """A new change, or somebody who presses a button, ends a wait that the service asked for."""
    return property(lambda _self: 0.0)


@plants(Backoff, "delay_s", by="I18", seeds=3)
def drops_the_backoff(_: Code) -> object:
    """What has failed is tried again at once, and again."""
    return lambda _self, _failures, _randomness, asked_s=None, _kind="": asked_s or 0.0


# --- the lease -----------------------------------------------------------------------------------


@plants(SenderLease, "is_fresh", by="I16", seeds=11)
def trusts_a_lease_for_ever(_: Code) -> object:
    """Who once had the lease never renews it, and sends."""
    return property(lambda self: self.fence is not None)


@plants(SenderLease, "_is_silent", by="I16", seeds=9)
def takes_the_lease_from_who_lives(_: Code) -> object:
    """Who stands by takes the lease at its first look."""

    def is_silent(self: SenderLease, other: Holding) -> bool:
        del self, other
        return True

    return is_silent


# --- for ever ------------------------------------------------------------------------------------


@plants(Session, "run", by="I26", seeds=17)
def ends_where_the_file_is_busy(_: Code) -> object:
    """A log that cannot be written for a moment ends the sender for good."""

    def run(self: Session, should_stop: Callable[[], bool]) -> Generator[Effect, Any, None]:
        while not should_stop():
            stopped_by = yield from self._sent_all(Bounds(), should_stop)
            waiting = Listen(self._ledger.queue.position)
            is_second = stopped_by == "another sender"
            if (yield Pause(self.lease.look_s) if is_second else waiting) == "stop":
                return

    return run


# --- pulls ---------------------------------------------------------------------------------------


@plants(Pull, "__init__", by="I14", seeds=167)
def moves_on_before_a_page_is_stored(real: Code) -> object:
    """The bookmark of a pull is kept before what it has read is."""

    def begin(self: Pull, *given: object, **named: object) -> None:
        real(self, *given, **named)
        store, bookmarks = self._store.store, self._bookmarks

        def stored(record_type: str, page: Page, head: int) -> str:
            bookmark: Bookmark = bookmarks.load(record_type)
            bookmarks.save(record_type, bookmark.after(page.since, page.next))
            return store(record_type, page, head)

        self._store.store = stored  # type: ignore[method-assign]

    return begin


@plants(Store, "_told_since", by="I14", seeds=661)
def sets_a_record_back(_: Code) -> object:
    """A page of a pull overwrites what a receipt has told since the page was asked for."""
    return lambda _self, _head: set()
