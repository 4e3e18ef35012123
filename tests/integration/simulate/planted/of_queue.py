"""Mistakes of the queue: of what is sent next, and of what is not."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from journal import drafts
from journal.drafts import STARTED, Queue
from journal.events import DraftAcknowledged, DraftAmended, DraftDiscarded, DraftHeld, DraftRetried
from journal.sync.ledger import Ledger
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from journal.drafts import Draft, OnHeld, Switch
    from journal.events import Entry
    from journal.values import Ref


@plants(Queue, "next_to_send", by="I13", seeds=23)
def orders_by_the_time_in_the_id(real: Code) -> object:
    """Drafts go in the order of their ids, which begin with the time: clocks are set back."""

    def next_to_send(self: Queue, on_held: OnHeld = "lane") -> Draft | None:
        self._ahead = OrderedDict(sorted(self._ahead.items()))
        return real(self, on_held)  # type: ignore[no-any-return]

    return next_to_send


@plants(Queue, "next_to_send")
def orders_by_the_time(real: Code) -> object:
    """Drafts go in the order of their times; but the log lets these rise, whatever the clock."""

    def next_to_send(self: Queue, on_held: OnHeld = "lane") -> Draft | None:
        ordered = sorted(self._ahead.values(), key=lambda draft: draft.occurred_at)
        self._ahead = OrderedDict((draft.draft_id, draft) for draft in ordered)
        return real(self, on_held)  # type: ignore[no-any-return]

    return next_to_send


@plants(Queue, "next_to_send", by="I13", seeds=7)
def sends_the_newest_first(real: Code) -> object:
    """The draft that was made last goes first."""

    def next_to_send(self: Queue, on_held: OnHeld = "lane") -> Draft | None:
        found: Draft | None = real(self, on_held)
        free = [draft for draft in self._ahead.values() if draft.state == "pending"]
        return found and (free[-1] if free else found)

    return next_to_send


@plants(drafts, "_blocker", by="I13, I14", seeds=5)
def forgets_the_lane(_: Code) -> object:
    """A held draft holds up itself, and not what was changed in its record after it."""

    def blocker(draft: Draft, lanes: dict[Ref, Draft]) -> Draft | None:
        del lanes
        return draft if draft.state == "held" else None

    return blocker


@plants(drafts, "_blocker", by="I13", seeds=15)
def forgets_who_refers_to_what_is_held(real: Code) -> object:
    """A draft is sent that refers to a record whose create is held."""
    return lambda draft, lanes: real(draft._replace(targets=()), lanes)


@plants(Queue, "next_to_send", by="I13", seeds=23)
def goes_on_behind_a_held_draft(real: Code) -> object:
    """Other lanes flow though everything is to stop behind a held draft."""
    return lambda self, _="lane": real(self, "lane")


@plants(Queue, "next_to_send", by="I13", seeds=13)
def sends_though_it_is_stopped(real: Code) -> object:
    """Who has stopped the queue is not heeded."""

    def next_to_send(self: Queue, on_held: OnHeld = "lane") -> Draft | None:
        switch, self.switch = self.switch, STARTED
        try:
            return real(self, on_held)  # type: ignore[no-any-return]
        finally:
            self.switch = switch

    return next_to_send


@plants(Queue, "low_water", by="I26", seeds=145)
def forgets_after_a_restart_that_it_was_stopped(_: Code) -> object:
    """The mark from which a queue is read again lies behind the stop of it."""

    def low_water(self: Queue) -> int:
        first = next(iter(self), None)
        return self.position if first is None else first.position - 1

    return property(low_water)


@plants(Ledger, "_has_tripped", by="I13", seeds=721)
def burns_through_a_queue_that_is_refused(_: Code) -> object:
    """However many drafts in a row are rejected, the next one is sent."""
    return lambda _self, _queue: False


@plants(drafts, "evolve", by="I10", seeds=4)
def keeps_what_was_discarded(real: Code) -> object:
    """A draft that somebody has discarded is sent all the same."""

    def evolve(draft: Draft | None, entry: Entry) -> Draft | None:
        return draft if isinstance(entry.event, DraftDiscarded) else real(draft, entry)

    return evolve


@plants(drafts, "evolve", by="I10", seeds=1)
def tries_what_was_refused_for_ever(real: Code) -> object:
    """A refused draft is not held, but sent again."""

    def evolve(draft: Draft | None, entry: Entry) -> Draft | None:
        after: Draft | None = real(draft, entry)
        is_held = isinstance(entry.event, DraftHeld) and after is not None
        return after._replace(state="pending") if is_held and after else after

    return evolve


@plants(drafts, "switched", by="I27", seeds=34)
def counts_rejections_for_ever(real: Code) -> object:
    """An acknowledgement does not end a row of rejections, so that the queue is stopped early."""

    def switched(switch: Switch, entry: Entry) -> Switch:
        return switch if isinstance(entry.event, DraftAcknowledged) else real(switch, entry)

    return switched


@plants(drafts, "_moved", by="I10", seeds=356)
def keeps_what_an_amended_draft_referred_to(real: Code) -> object:
    """An amended draft waits for what it referred to before, and not for what it refers to now."""

    def moved(draft: Draft, event: object) -> Draft:
        after: Draft = real(draft, event)
        return after._replace(targets=draft.targets) if isinstance(event, DraftAmended) else after

    return moved


@plants(drafts, "_moved", by="I10", seeds=7)
def keeps_why_a_draft_was_held(real: Code) -> object:
    """A draft that is tried again still says why it was held."""

    def moved(draft: Draft, event: object) -> Draft:
        after: Draft = real(draft, event)
        return after._replace(hold=draft.hold) if isinstance(event, DraftRetried) else after

    return moved
