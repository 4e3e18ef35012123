"""The invariant of what is known of a record: it never becomes older (I14).

The service remembers every state that a record was ever in, in order. Of each record it is kept
how new what is known of it must be, at least, field by field: as new as what the journal was
shown of it, and as what its own drafts have done. Where a state fits several moments, it counts
as the oldest of them.

Nobody can tell which is newer where a sighting was noted while

- the request was under way that has carried a draft out: it may show what was before;
- the read was under way that a receipt was found by, or the record was deleted from here.

What is known then may be either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.events import DraftAcknowledged
from journal.testing.simulate.service import FOREIGN
from journal.values import Ref

if TYPE_CHECKING:
    from journal.events import Entry, RecordObserved
    from journal.testing.simulate.network import Exchange
    from journal.testing.simulate.oracle import Expected
    from journal.testing.simulate.world import World


class Shown:
    """What is known of a record, and how new it must be."""

    __slots__ = ("at_least", "exists", "fields", "of_field", "seen_s")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.exists: bool | None = None
        self.fields: dict[str, Any] = {}
        self.at_least = 0
        """The oldest state of the record that it may be, by its number among all of them."""
        self.of_field: dict[str, int] = {}
        """The same of fields that must be newer than that."""
        self.seen_s = -1.0
        """When somebody but the sender has noted a sighting of it last."""

    def floor(self, name: str) -> int:
        """Return the oldest state that a field may be of."""
        return max(self.at_least, self.of_field.get(name, 0))

    @property
    def newest(self) -> int:
        """Return the newest state of which any field must be."""
        return max([self.at_least, *self.of_field.values()])

    def forget(self) -> None:
        """Let it be as old as it likes."""
        self.at_least = 0
        self.of_field.clear()


def carried_out(world: World, exchange: Exchange) -> None:
    """Note when the request left that has carried a draft out."""
    checks, effects = world.checks, world.service.effects
    for effect in effects[checks.counted :]:
        checks.states.setdefault(effect.key, [0]).append(effect.n)
        if effect.draft != FOREIGN:
            checks.carried.setdefault(effect.draft, (effect.n, exchange.began_s))
    checks.counted = len(effects)


def _states(world: World, key: tuple[str, str]) -> list[int]:
    """Return the numbers of the changes that led to each state of a record."""
    checks, effects = world.checks, world.service.effects
    for effect in effects[checks.counted :]:  # of another writer
        checks.states.setdefault(effect.key, [0]).append(effect.n)
    checks.counted = len(effects)
    return checks.states.get(key, [0])


def noted(world: World, entry: Entry, event: RecordObserved | DraftAcknowledged) -> None:
    """Fold in what was noted of a record; what is known of it is looked at after the step."""
    if entry.stream.type.startswith("$"):
        return
    shown = world.checks.shown.setdefault(entry.stream, Shown())
    world.checks.touched[entry.stream] = entry.position
    if isinstance(event, DraftAcknowledged):
        draft = world.oracle.drafts[event.draft_id]
        _acknowledged(world, entry, event, draft, shown)
        return
    if entry.actor != "sync":
        shown.seen_s = world.clock.now_s
    shown.exists = event.exists
    if event.exists:
        shown.fields = {**shown.fields, **event.fields} if event.partial else dict(event.fields)
    key = (entry.stream.type, entry.stream.id)
    past = world.service.past.get(key, [None])
    number = _told(_states(world, key), event.remote_version)
    if not event.exists:
        shown.at_least = _oldest(past, shown.newest, number, lambda state: state is None)
    elif event.partial:
        for name, value in event.fields.items():
            shown.of_field[name] = _oldest(
                past, shown.floor(name), number, _has(world, {name: value}, [name])
            )
    else:
        is_so = _has(world, event.fields, _names(past, event.fields))
        shown.at_least = _oldest(past, shown.newest, number, is_so)


def _told(states: list[int], version: str | None) -> int:
    """Return which state a version is of; the first one where nothing tells."""
    n = 0 if version is None else int(version.strip('"v'))
    return states.index(n) if n in states else 0


def _oldest(past: list[dict[str, Any] | None], floor: int, told: int, is_so: Any) -> int:  # noqa: ANN401  a test
    """Return the oldest state that something can be of, which is as new as it must be."""
    least = max(floor, told)
    return next((at for at in range(least, len(past)) if is_so(past[at])), floor)


def _names(past: list[dict[str, Any] | None], fields: Any) -> set[str]:  # noqa: ANN401  a mapping
    return {name for state in past if state for name in state}.union(fields)


def _has(world: World, fields: Any, names: Any) -> Any:  # noqa: ANN401
    return lambda state: (
        state is not None
        and all(is_value(world, state.get(name), fields.get(name)) for name in names)
    )


def is_value(world: World, there: object, here: object) -> bool:
    """Say whether what the service has is what is here; a reference is its name there."""
    if isinstance(here, Ref):
        return there in {here.id, *world.service.ids.get((here.type, here.id), ())}
    return there == here


def _acknowledged(
    world: World, entry: Entry, event: DraftAcknowledged, draft: Expected, shown: Shown
) -> None:
    if draft.kind == "delete":
        shown.exists, shown.fields = False, {}
    else:
        known = shown.fields if draft.kind == "update" else {}
        shown.exists = True
        shown.fields = {**known, **draft.fields} if event.fields is None else dict(event.fields)
    key = (entry.stream.type, entry.stream.id)
    n, left_s = world.checks.carried.get(draft.key, (0, 0.0))
    states = _states(world, key)
    if event.evidence != "answer" or draft.kind == "delete":
        since_s = world.checks.read_s.get(entry.origin, 0.0)
        if event.evidence == "person" or draft.kind == "delete":
            since_s = left_s
        if shown.seen_s >= since_s:
            shown.forget()
            return
    if n not in states or shown.seen_s >= left_s:
        return
    at, past = states.index(n), world.service.past[key]
    is_whole = draft.kind == "delete"
    if event.evidence == "answer" and event.fields is not None:
        is_whole = _has(world, event.fields, _names(past, event.fields))(past[at])
    if is_whole:
        shown.at_least = max(shown.at_least, at)
    else:
        for name in draft.fields:
            shown.of_field[name] = max(shown.floor(name), at)


def i14_older(world: World) -> None:
    """Check that what is known of a record is no older than what was known of it before."""
    for ref in world.checks.touched:
        shown = world.checks.shown[ref]
        past = world.service.past.get((ref.type, ref.id))
        if past is None:
            continue
        if not shown.exists:
            if None not in past[shown.newest :]:
                world.broken("I14", f"{ref} is gone here, and was seen to be there since")
            continue
        is_part = world.scenario.knobs.shows_part  # what was never seen is not older
        for name in sorted(shown.fields if is_part else _names(past, shown.fields)):
            value, floor = shown.fields.get(name), shown.floor(name)
            if not any(map(_has(world, {name: value}, [name]), past[floor:])):
                said = f"{name} of {ref} is {value!r} here, which is older than what was known"
                world.broken("I14", f"{said}: {[s and s.get(name) for s in past[floor:]]}")
    world.checks.touched.clear()
