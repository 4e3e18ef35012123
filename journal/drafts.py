"""Floor 3: the queue of pending drafts, as a fold of the log; pure.

It knows nothing of remotes, networks, clocks or logs.

- Q1. A draft is in the queue from its change until it is acknowledged or discarded; nothing
  else takes it out.
- Q2. Drafts are attempted in the order of their positions.
- Q3. A held draft holds its lane: every later draft of the same record, and every later draft
  that refers to a record whose lane is held, directly or not.
- Q4. `Queue` and a table of `Draft` rows that is kept with `evolve` hold the same drafts.
- Q5. While the queue is stopped, nothing is sent.
- Q6. Where batches are bound, the pending drafts of one batch are one unit: as long as one of
  them is held, or held back, none of them is sent, and each of them holds its lane.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, assert_never

from journal.errors import DraftMissingError
from journal.events import (
    ChangeKind,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    DraftState,
    Entry,
    FieldMessage,
    HoldClass,
    PushStarted,
    QueueStarted,
    QueueStopped,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
    StopCause,
)
from journal.values import Fields, Ref, references

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

OnHeld: TypeAlias = Literal["lane", "stop"]


class Hold(NamedTuple):
    """Why a draft is held."""

    classification: HoldClass
    messages: tuple[FieldMessage, ...]
    status: int | None
    answer: str


class Draft(NamedTuple):
    """A change that is not acknowledged yet."""

    draft_id: str
    position: int
    ref: Ref
    kind: ChangeKind
    occurred_at: int
    actor: str
    reason: str | None
    fields: Fields
    """The fields that it sets; none for a delete."""
    targets: tuple[Ref, ...] = ()
    """The records that its fields refer to."""
    state: DraftState = "pending"
    revision: int = 0
    pushes: int = 0
    """How often it was begun to be sent; the retries in between are not counted."""
    hold: Hold | None = None
    batch: int = 0
    """The position of the first entry that was appended with it: those made together share it."""

    @property
    def is_maybe_applied(self) -> bool:
        """Whether a request has left whose outcome is unknown."""
        return self.state == "sending"


def draft_id_of(entry: Entry) -> str | None:
    """Return the id of the draft that the entry is about, or None where it is about none."""
    event = entry.event
    match event:
        case RecordCreated() | RecordUpdated() | RecordDeleted():
            return entry.event_id
        case RecordObserved() | QueueStopped() | QueueStarted():
            return None
        case (
            PushStarted()
            | DraftAcknowledged()
            | DraftHeld()
            | DraftRetried()
            | DraftAmended()
            | DraftDiscarded()
            | ConflictResolved()
        ):
            return event.draft_id
        case _:
            assert_never(event)


def evolve(draft: Draft | None, entry: Entry) -> Draft | None:
    """Return the draft after an entry that is about it; None once it has ended (Q1)."""
    event = entry.event
    match event:
        case RecordCreated(fields=fields):
            return _begun(entry, "create", fields)
        case RecordUpdated(changes=fields):
            return _begun(entry, "update", fields)
        case RecordDeleted():
            return _begun(entry, "delete", {})
        case DraftAcknowledged() | DraftDiscarded():
            return None
        case ConflictResolved(kind=None):
            return None
        case RecordObserved() | QueueStopped() | QueueStarted():
            return draft
        case PushStarted() | DraftHeld() | DraftRetried() | DraftAmended() | ConflictResolved():
            return None if draft is None else _moved(draft, event)
        case _:
            assert_never(event)


_Move: TypeAlias = PushStarted | DraftHeld | DraftRetried | DraftAmended | ConflictResolved


def _moved(draft: Draft, event: _Move) -> Draft:
    """Return the draft, which stays in the queue, in its next state."""
    match event:
        case PushStarted():
            return draft._replace(state="sending", pushes=draft.pushes + 1)
        case DraftHeld(classification=classification, messages=messages):
            hold = Hold(classification, messages, event.status, event.answer)
            return draft._replace(state="held", hold=hold)
        case DraftRetried():
            return draft._replace(state="pending", hold=None)
        case DraftAmended() | ConflictResolved():
            kind = event.kind if isinstance(event, ConflictResolved) else None
            return draft._replace(
                state="pending",
                hold=None,
                kind=kind or draft.kind,
                revision=event.revision,
                fields=event.fields,
                targets=_targets(event.fields),
            )
        case _:
            assert_never(event)


def _begun(entry: Entry, kind: ChangeKind, fields: Fields) -> Draft:
    return Draft(
        entry.event_id,
        entry.position,
        entry.stream,
        kind,
        entry.occurred_at,
        entry.actor,
        entry.reason,
        fields,
        _targets(fields) if entry.event.references else (),
        batch=entry.batch,
    )


def _targets(fields: Fields) -> tuple[Ref, ...]:
    return tuple(dict.fromkeys(target for _, target in references(fields)))


class Stop(NamedTuple):
    """Why nothing is sent."""

    position: int
    occurred_at: int
    cause: StopCause
    problem: str
    actor: str
    reason: str | None


class Switch(NamedTuple):
    """Whether the queue is sent at all."""

    stop: Stop | None = None
    """Who stopped it, and why; None while it is sent."""
    rejections: int = 0
    """How many times in a row the remote rejected a draft."""


STARTED: Final = Switch()
"""The queue as nobody has stopped it."""


def switched(switch: Switch, entry: Entry) -> Switch:
    """Return the switch after one more entry of the log."""
    event = entry.event
    match event:
        case QueueStopped(cause=cause, problem=problem):
            who, why = entry.actor, entry.reason
            return Switch(Stop(entry.position, entry.occurred_at, cause, problem, who, why))
        case QueueStarted():
            return STARTED
        case DraftHeld(classification="rejected"):
            return switch._replace(rejections=switch.rejections + 1)
        case DraftAcknowledged():
            return switch._replace(rejections=0)
        case _:
            return switch


class Queue:
    """The pending drafts in order: the accumulator of the fold.

    It changes only by `apply`, entry after entry, and so is the same wherever the same
    entries were applied.
    """

    def __init__(
        self,
        drafts: Iterable[Draft] = (),
        position: int = 0,
        switch: Switch = STARTED,
        *,
        binds: bool = False,
    ) -> None:
        """Begin with drafts in order of position, as they were after the entry at `position`.

        Args:
            drafts: the pending drafts.
            position: of the last entry that was folded in.
            switch: whether they are sent at all.
            binds: whether the drafts of one batch are sent together or not at all (Q6).
        """
        self.position = position
        self.switch = switch
        self._binds = binds
        self._sizes: Counter[int] = Counter()
        """How many drafts of each batch are pending, where batches are bound."""
        self._ahead = OrderedDict((draft.draft_id, draft) for draft in drafts)
        self._passed: OrderedDict[str, Draft] = OrderedDict()
        """The first of the drafts, as far as each is known to be held or behind a held one."""
        self._lanes: dict[Ref, Draft] = {}
        """The lanes that those in `_passed` hold, each with the held draft."""
        self._held = sum(draft.state == "held" for draft in self)
        if binds:
            self._sizes.update(draft.batch for draft in self)
        self._row_begins = 0
        """Where the rejections in a row begin, as far as that is known."""

    def apply(self, entry: Entry) -> None:
        """Fold in the next entry of the log; one that was folded in before changes nothing."""
        if entry.position <= self.position:
            return
        self.position = entry.position
        before = self.switch.rejections
        self.switch = switched(self.switch, entry)
        if self.switch.rejections and not before:
            self._row_begins = entry.position
        draft_id = draft_id_of(entry)
        if draft_id is None:
            return
        if draft_id in self._passed:
            self._look_anew()
        draft = self._ahead.get(draft_id)
        after = evolve(draft, entry)
        self._held += _is_held(after) - _is_held(draft)
        if self._binds:
            self._count(draft, after)
        if after is not None:
            self._ahead[draft_id] = after
        else:
            self._ahead.pop(draft_id, None)

    def __len__(self) -> int:
        """Return the number of pending drafts."""
        return len(self._passed) + len(self._ahead)

    def __iter__(self) -> Iterator[Draft]:
        """Yield the pending drafts in order."""
        return chain(self._passed.values(), self._ahead.values())

    def __getitem__(self, draft_id: str) -> Draft:
        """Return the pending draft with that id.

        Raises:
            DraftMissingError: none has it.
        """
        found = self._ahead.get(draft_id) or self._passed.get(draft_id)
        if found is None:
            raise DraftMissingError(draft_id)
        return found

    @property
    def held(self) -> int:
        """The number of held drafts."""
        return self._held

    @property
    def low_water(self) -> int:
        """The position up to which every change is settled, and nothing that may stop it began.

        A fold that begins after it, with no drafts, comes to the same queue.
        """
        first = next(iter(self), None)
        settled = self.position if first is None else first.position - 1
        if self.switch.rejections:
            settled = min(settled, max(self._row_begins - 1, 0))
        return settled if self.switch.stop is None else min(settled, self.switch.stop.position - 1)

    def next_to_send(self, on_held: OnHeld = "lane") -> Draft | None:
        """Return the first draft that nothing holds back (Q2, Q3, Q5), or None.

        Args:
            on_held: whether a held draft stops its ``lane`` only, or everything behind it.
        """
        if self.switch.stop is not None:
            return None
        if on_held == "stop" and self._held:
            unit = self._unit(self)
            return None if any(map(_is_held, unit)) else unit[0]
        while self._ahead:
            if not self._held:
                return next(iter(self._ahead.values()))
            unit = self._unit(self._ahead.values())
            if _unit_blocker(unit, self._lanes) is None:
                return unit[0]
            for draft in unit:
                self._passed[draft.draft_id] = self._ahead.pop(draft.draft_id)
        return None

    def next_together(
        self, most: int, on_held: OnHeld = "lane", unsent: Collection[str] = ()
    ) -> list[Draft]:
        """Return the drafts that are next to send, in order, none of them held back (Q2, Q3, Q5).

        A draft whose outcome is unknown goes alone: it is looked up first. So do the drafts of a
        batch that is bound, all of them, be the outcome known or not (Q6).

        Args:
            most: how many, at most; at least 1.
            on_held: what a held draft stops, as for `next_to_send`.
            unsent: drafts that were begun, and of which no request has left.
        """
        first = self.next_to_send(on_held)
        if first is None:
            return []
        if self.size_of(first) > 1:
            return self._unit(self._ahead.values())[:most]
        found, lanes = [first], dict(self._lanes)
        others = () if _is_doubtful(first, unsent) else islice(self._ahead.values(), 1, None)
        for draft in others:
            if len(found) == most or _is_doubtful(draft, unsent) or self.size_of(draft) > 1:
                break
            if _blocker(draft, lanes) is None:
                found.append(draft)
            elif on_held == "stop":
                break
        return found

    def size_of(self, draft: Draft) -> int:
        """Return how many drafts are one unit with this one, itself included (Q6)."""
        return self._sizes[draft.batch] if self._binds else 1

    def _unit(self, drafts: Iterable[Draft]) -> list[Draft]:
        """Return the first of the drafts, with those behind it that are one unit with it."""
        first = next(iter(drafts))
        return list(islice(drafts, self.size_of(first)))

    def _count(self, before: Draft | None, after: Draft | None) -> None:
        """Count the drafts of a batch, one of which has begun, moved or ended."""
        if before is None and after is not None:
            self._sizes[after.batch] += 1
        elif before is not None and after is None:
            self._sizes[before.batch] -= 1
            if not self._sizes[before.batch]:
                del self._sizes[before.batch]

    def _look_anew(self) -> None:
        """Forget which drafts are held back: one of these is about to change."""
        self._passed.update(self._ahead)
        self._ahead, self._passed = self._passed, OrderedDict()
        self._lanes.clear()


def _is_doubtful(draft: Draft, unsent: Collection[str]) -> bool:
    """Say whether a draft may be applied already, for all that is known."""
    return draft.is_maybe_applied and draft.draft_id not in unsent


def _is_held(draft: Draft | None) -> bool:
    return draft is not None and draft.state == "held"


def _blocker(draft: Draft, lanes: dict[Ref, Draft]) -> Draft | None:
    """Return the held draft that holds this one back, or None; note the lane that it holds.

    Args:
        draft: the next draft in order; a held one is its own blocker.
        lanes: the lanes that are held by those before it, each with the held draft.
    """
    if draft.state == "held":
        blocker: Draft | None = draft
    else:
        blocker = next((lanes[ref] for ref in (draft.ref, *draft.targets) if ref in lanes), None)
    if blocker is not None:
        lanes.setdefault(draft.ref, blocker)
    return blocker


def _unit_blocker(unit: Sequence[Draft], lanes: dict[Ref, Draft]) -> Draft | None:
    """Return the held draft that holds a unit back, or None; note the lanes that it holds."""
    found = (_blocker(draft, lanes) for draft in unit)
    blocker = next((each for each in found if each is not None), None)
    if blocker is not None:
        for draft in unit:
            lanes.setdefault(draft.ref, blocker)
    return blocker


def blockers(
    drafts: Iterable[Draft], on_held: OnHeld = "lane"
) -> Iterator[tuple[Draft, Draft | None]]:
    """Yield each draft, in order, with the held draft that holds it back, or None (Q3).

    A held draft is its own blocker.
    """
    lanes: dict[Ref, Draft] = {}
    for draft in drafts:
        blocker = _blocker(draft, lanes)
        if blocker is None and on_held == "stop":
            blocker = next(iter(lanes.values()), None)
        yield draft, blocker
