"""The invariant of what is known of a record: it never becomes older (I14).

The service remembers every state that a record was ever in, in order. Of each record it is kept
how new what is known of it must be, at least, field by field: as new as what was noted of it
before, and as what its own drafts have done. A state that fits several moments counts as the
oldest of them.

Nobody can tell which is newer where a sighting was noted while the read was under way that a
receipt was found by; since a request left that deletes the record, or of which a person says
what became of it; while a request was under way that a service without versions has carried
out, or the read before it; or while a create was, and somebody else has made a record under our
key as well, before it or after it. What is known then may be either.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from journal.events import DraftAcknowledged
from journal.testing.simulate.service import FOREIGN
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from journal.events import Entry, RecordObserved
    from journal.testing.simulate.network import Exchange
    from journal.testing.simulate.oracle import Expected
    from journal.testing.simulate.world import World

    State: TypeAlias = "dict[str, Any] | None"
    """A state of a record at the service; None where it is not there."""


class Shown:
    """What is known of a record, and how new it must be."""

    __slots__ = ("at_least", "exists", "fields", "is_part", "of_field", "seen_s")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.exists: bool | None = None
        self.fields: dict[str, Any] = {}
        self.is_part = False
        """Whether it was shown in part since it was gone: of its other fields nothing is known."""
        self.at_least = 0
        """The oldest state of the record that it may be, by its number among all of them."""
        self.of_field: dict[str, int] = {}
        """The same of fields that must be newer than that."""
        self.seen_s = -1.0
        """When anybody but a sender has noted a sighting of it last."""

    def floor(self, name: str) -> int:
        """Return the oldest state that a field may be of."""
        return max(self.at_least, self.of_field.get(name, 0))

    @property
    def newest(self) -> int:
        """Return the newest state that any field must be of, at least."""
        return max([self.at_least, *self.of_field.values()])

    def raise_to(self, at: int, names: Iterable[str] | None = None) -> None:
        """Let it be no older than a state from now on, or only some of its fields."""
        if names is None:
            self.at_least = max(self.at_least, at)
        else:
            self.of_field.update({name: max(self.floor(name), at) for name in names})

    def forget(self) -> None:
        """Let it be as old as it likes."""
        self.at_least = 0
        self.of_field.clear()


class Sights:
    """What is known of all records, and what led to each of their states."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.shown: dict[Ref, Shown] = {}
        self.touched: dict[Ref, None] = {}
        """Of which records something was noted in this step."""
        self.carried: dict[str, tuple[int, float]] = {}
        """By which change each draft was carried out, and when its request had left."""
        self.read_s: dict[str, float] = {}
        """When each sender has begun to read last."""
        self._changes: dict[tuple[str, str], list[int]] = {}
        self._counted = 0

    def forget(self) -> None:
        """Forget what is known: the log is read anew."""
        self.shown.clear()
        self.touched.clear()

    def changes(self, world: World, key: tuple[str, str]) -> list[int]:
        """Return the numbers of the changes that led to the states of a record; 0 to the first."""
        effects = world.service.effects
        for effect in effects[self._counted :]:
            self._changes.setdefault(effect.key, [0]).append(effect.n)
        self._counted = len(effects)
        return self._changes.get(key, [0])


def carried_out(world: World, exchange: Exchange) -> None:
    """Note when the request had left by which drafts were just carried out."""
    carried = world.checks.sights.carried
    for effect in reversed(world.service.effects):
        if effect.draft == FOREIGN or effect.draft in carried:
            return
        carried[effect.draft] = (effect.n, exchange.began_s)


def noted(world: World, entry: Entry, event: RecordObserved | DraftAcknowledged) -> None:
    """Fold in what was noted of a record; what is known of it is checked after the step."""
    sights = world.checks.sights
    sights.touched[entry.stream] = None
    shown = sights.shown.setdefault(entry.stream, Shown())
    if isinstance(event, DraftAcknowledged):
        _acknowledged(world, entry, event, shown)
    else:
        _observed(world, entry, event, shown)


def _observed(world: World, entry: Entry, event: RecordObserved, shown: Shown) -> None:
    if entry.actor != "sync":
        shown.seen_s = world.clock.now_s
    if event.exists:  # of a record that was gone, nobody knows what is not shown
        shown.is_part = event.partial and (shown.is_part or shown.exists is False)
        known = shown.fields if event.partial and shown.exists else {}
        shown.fields = {**known, **event.fields}
    shown.exists = event.exists
    key = (entry.stream.type, entry.stream.id)
    past = world.service.past.get(key, [None])
    least = _told(world.checks.sights.changes(world, key), event.remote_version)
    if event.exists and event.partial:
        for name in event.fields:
            at = _oldest(past, max(least, shown.floor(name)), _has(world, event.fields, [name]))
            shown.raise_to(at, [name])
        return
    is_so = _is_gone if not event.exists else _has(world, event.fields, _names(past, event.fields))
    shown.raise_to(_oldest(past, max(least, shown.newest), is_so))


def _told(changes: list[int], version: str | None) -> int:
    """Return which state a version is of; the first one where nothing tells."""
    n = 0 if version is None else int(version.strip('"v'))
    return changes.index(n) if n in changes else 0


def _oldest(past: list[State], least: int, is_so: Callable[[State], bool]) -> int:
    """Return the oldest state from one on that is so; the first of all where none is."""
    return next((at for at in range(least, len(past)) if is_so(past[at])), 0)


def _times_made(past: list[State]) -> int:
    """Return how often a record was made, by whomever."""
    is_there = [state is not None for state in past]
    return sum(after and not before for before, after in pairwise(is_there))


def _is_gone(state: State) -> bool:
    return state is None


def _names(past: list[State], fields: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that a record ever had, there or here."""
    return {name for state in past if state for name in state}.union(fields)


def _has(world: World, fields: Mapping[str, Any], names: Iterable[str]) -> Callable[[State], bool]:
    """Return what says whether a state has these fields as they are here."""

    def is_so(state: State) -> bool:
        return state is not None and all(
            is_value(world, state.get(name), fields.get(name)) for name in names
        )

    return is_so


def is_value(world: World, there: object, here: object) -> bool:
    """Say whether what the service has is what is here; a reference is its name there."""
    if isinstance(here, Ref):
        return there in {here.id, *world.service.ids.get((here.type, here.id), ())}
    if isinstance(here, dict) and isinstance(there, dict):
        is_same = here.keys() == there.keys()
        return is_same and all(is_value(world, there[name], here[name]) for name in here)
    if isinstance(here, list) and isinstance(there, list):
        is_same = len(here) == len(there)
        return is_same and all(map(partial(is_value, world), there, here))
    return there == here


def _acknowledged(world: World, entry: Entry, event: DraftAcknowledged, shown: Shown) -> None:
    draft, sights = world.oracle.drafts[event.draft_id], world.checks.sights
    after = _after(draft, event, shown.fields)
    if shown.is_part:
        after = {n: v for n, v in after.items() if n in shown.fields or n in draft.fields}
    shown.exists, shown.fields = draft.kind != "delete", after
    n, left_s = sights.carried.get(draft.key, (0, 0.0))
    if event.evidence == "read" and draft.kind != "delete":
        left_s = sights.read_s.get(entry.origin, 0.0)
    is_told = event.evidence == "answer" and draft.kind != "delete"
    if shown.seen_s >= left_s and not is_told:
        shown.forget()
        return
    key = (entry.stream.type, entry.stream.id)
    changes, past = sights.changes(world, key), world.service.past.get(key, [None])
    if world.scenario.knobs.dialect == "plain":
        left_s = min(left_s, sights.read_s.get(entry.origin, left_s))  # it is read first
        is_either = shown.seen_s >= left_s
    else:
        is_either = False
    if draft.kind == "create" and shown.seen_s >= left_s and _times_made(past) > 1:
        shown.forget()
        return
    if n not in changes or is_either:
        return
    at = changes.index(n)
    is_whole = draft.kind == "delete"
    if is_told and event.fields is not None:
        is_whole = _has(world, event.fields, _names(past, event.fields))(past[at])
    shown.raise_to(at, None if is_whole else draft.fields)


def _after(draft: Expected, event: DraftAcknowledged, known: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a record after a receipt."""
    if draft.kind == "delete":
        return {}
    if event.fields is not None:
        return dict(event.fields)
    return {**known, **draft.fields} if draft.kind == "update" else dict(draft.fields)


def i14_older(world: World) -> None:
    """Check that what is known of a record is no older than what was known of it before."""
    sights = world.checks.sights
    for ref in sights.touched:
        past = world.service.past.get((ref.type, ref.id))
        if past is not None:
            _check(world, ref, sights.shown[ref], past)
    sights.touched.clear()


def _check(world: World, ref: Ref, shown: Shown, past: list[State]) -> None:
    if not shown.exists:
        if None not in past[shown.newest :]:
            world.broken("I14", f"{ref} is gone here, and was seen to be there since")
        return
    is_part = world.scenario.knobs.shows_part  # what was never seen is not older
    for name in sorted(shown.fields if is_part else _names(past, shown.fields)):
        newer = past[shown.floor(name) :]
        if not any(map(_has(world, shown.fields, [name]), newer)):
            said = f"{name} of {ref} is {shown.fields.get(name)!r} here, and was newer"
            there = [None if state is None else state.get(name) for state in newer]
            world.broken("I14", f"{said}: it is one of {there} since")
