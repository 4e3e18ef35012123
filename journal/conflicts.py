"""Floor 3: conflicts, field by field: what was, what it became here, what it became there; pure.

It knows nothing of records, queues, logs or remotes, nor of who chooses: it is handed a conflict
and what is chosen, and says what the draft is from now on, or what is still open.

- C1. A field that only one side has changed is never disputed; nor one that both have given
  the same value.
- C2. `merge` decides nothing that is disputed: it holds the draft.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from journal.events import ConflictResolved, FieldMessage, Resolution
from journal.values import Fields, places_of, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.events import ChangeKind, Side
    from journal.values import Ref

PolicyName: TypeAlias = Literal["merge", "ours", "theirs", "hold"]
SHOWN: Final = 60
"""How many characters of a value are shown in a message."""


class Conflict(NamedTuple):
    """A draft that was made on another state of the record than the remote has."""

    ref: Ref
    draft_id: str
    kind: ChangeKind
    base: Fields
    """The values that the draft was made on; none for a create."""
    ours: Fields
    """The values that the draft sets; none for a delete."""
    remote: Fields | None
    """The record as the remote has it; None where it has none."""
    whole: Fields
    """The record as it would be here with this draft as its last."""

    @property
    def theirs(self) -> Fields | None:
        """The remote's values of the fields in question; None where it has no such record."""
        if self.remote is None or self.kind == "delete":
            return self.remote
        return {name: self.remote[name] for name in self.ours if name in self.remote}

    @property
    def disputed(self) -> tuple[str, ...]:
        """The fields that both sides have given other values (C1); for a delete, all changed."""
        remote = self.remote or {}
        if self.kind == "delete":
            names = dict.fromkeys((*self.base, *remote))
            return tuple([n for n in names if not same(self.base.get(n), remote.get(n))])
        return tuple(
            [
                name
                for name, value in self.ours.items()
                if not same(value, remote.get(name))
                and not same(self.base.get(name), remote.get(name))
            ]
        )


class Resolved(NamedTuple):
    """A conflict that is decided."""

    kind: ChangeKind | None
    """What the draft is from now on; None where nothing of it is left to send."""
    fields: Fields
    resolutions: tuple[Resolution, ...]
    reason: str


class Unresolved(NamedTuple):
    """A conflict that somebody else must decide, and why."""

    messages: tuple[FieldMessage, ...]


Verdict: TypeAlias = Resolved | Unresolved


def as_a_whole(conflict: Conflict, name: PolicyName, rule: str = "") -> Verdict:
    """Return what the policy of that name makes of a conflict as a whole."""
    rule = rule or name
    if conflict.remote is None:
        return _of_gone(conflict, name, rule)
    if conflict.kind == "delete":
        return _of_delete(conflict, name, rule)
    if conflict.kind == "create" and name != "ours":
        return _of_taken(conflict, name, rule)
    if name == "hold":
        held = FieldMessage(message="the remote has changed the record, and the policy is to hold")
        return Unresolved((*_disputes(conflict), held))
    return chosen(conflict, dict.fromkeys(conflict.disputed, (name, rule)), {})


def _of_gone(conflict: Conflict, name: PolicyName, rule: str) -> Verdict:
    if name == "ours" and conflict.kind != "delete":
        sides = _sides(conflict.whole, "ours", rule)
        return Resolved("create", dict(conflict.whole), sides, "the record is created again")
    if name == "theirs" or conflict.kind == "delete":
        sides = _sides(conflict.ours or conflict.base, "theirs", rule)
        return Resolved(None, {}, sides, "the remote no longer has the record")
    return in_words("the remote no longer has the record")


def _of_delete(conflict: Conflict, name: PolicyName, rule: str) -> Verdict:
    if name == "ours" or (name == "merge" and not conflict.disputed):
        why = "what was changed is deleted" if conflict.disputed else "no field was changed"
        return Resolved("delete", {}, _sides(conflict.remote or {}, "ours", rule), why)
    if name == "theirs":
        sides = _sides(conflict.remote or {}, "theirs", rule)
        return Resolved(None, {}, sides, "what was changed is kept")
    words = FieldMessage(message="it was deleted here, and changed at the remote")
    return Unresolved((*_disputes(conflict), words))


def _of_taken(conflict: Conflict, name: PolicyName, rule: str) -> Verdict:
    """Decide a create of a record that the remote has already; two records are never merged."""
    if name == "theirs":
        sides = _sides(conflict.ours, "theirs", rule)
        return Resolved(None, {}, sides, "the record that the remote has is kept")
    taken = FieldMessage(message="the remote has another record under our key")
    return Unresolved((*_disputes(conflict), taken))


def chosen(
    conflict: Conflict,
    names: Mapping[str, tuple[PolicyName, str]],
    values: Mapping[str, tuple[Any, str]],
) -> Verdict:
    """Return a conflict decided field by field.

    Args:
        conflict: of a record that the remote has.
        names: the policy that decides a field, and by which rule.
        values: what fields are to have, whether they are disputed or not, and by which rule.
    """
    remote = conflict.remote or {}
    fields: Fields = {}
    sides: list[Resolution] = []
    open_fields = []
    disputed = set(conflict.disputed)
    for name in dict.fromkeys((*conflict.ours, *values)):
        ours, theirs = conflict.ours.get(name), remote.get(name)
        side: Side
        if name in values:
            ours, why = values[name]
            side = _side(ours, conflict, name)
        elif name in disputed:
            policy, why = names.get(name, ("hold", "hold"))
            if policy not in {"ours", "theirs"}:
                open_fields.append(name)
                continue
            side = "ours" if policy == "ours" else "theirs"
        elif same(ours, theirs):
            side, why = "theirs", "the same on both sides"
        else:
            side, why = "ours", "changed here only"
        sides.append(Resolution(field=name, side=side, rule=why))
        if side != "theirs":
            fields[name] = ours
    if open_fields:
        return Unresolved(tuple(_disputes(conflict, open_fields)))
    kind: ChangeKind | None = "update" if fields else None
    return Resolved(kind, fields, tuple(sides), _reason(sides))


def _side(value: object, conflict: Conflict, name: str) -> Side:
    """Return whose value it is."""
    if same(value, (conflict.remote or {}).get(name)):
        return "theirs"
    return "ours" if name in conflict.ours and same(value, conflict.ours[name]) else "value"


def _reason(sides: list[Resolution]) -> str:
    """Return in a few words what was decided."""
    kept = [side.field for side in sides if side.side != "theirs"]
    if not kept:
        return "nothing of it is left to send"
    return f"sent again: {', '.join(kept)}"[:1000]


def _sides(fields: Fields, side: Side, rule: str) -> tuple[Resolution, ...]:
    return tuple([Resolution(field=name, side=side, rule=rule) for name in fields])


def in_words(text: str) -> Unresolved:
    """Return a conflict that is left open, for a reason in words."""
    return Unresolved((FieldMessage(message=text[:1000]),))


def _disputes(conflict: Conflict, names: list[str] | None = None) -> tuple[FieldMessage, ...]:
    """Return a message for each disputed field: what it was, and what it became."""
    remote = conflict.remote or {}
    return tuple(
        [
            FieldMessage(field=name, message=_dispute(conflict, name, remote))
            for name in (conflict.disputed if names is None else names)
        ]
    )


def _dispute(conflict: Conflict, name: str, remote: Fields) -> str:
    there = f"at the remote {shown(remote.get(name))}"
    if conflict.kind == "create":
        return f"here it is {shown(conflict.ours.get(name))}, {there}"
    was = f"it was {shown(conflict.base.get(name))}"
    if conflict.kind == "delete":
        return f"{there}; {was}"
    return f"here it became {shown(conflict.ours.get(name))}, {there}; {was}"


def shown(value: object) -> str:
    """Return a value for a message, as JSON, shortened."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def event_of(
    conflict: Conflict, revision: int, remote_version: str | None, resolved: Resolved
) -> ConflictResolved:
    """Return the event that says how a conflict was resolved."""
    parts = {
        "base": conflict.base,
        "ours": conflict.ours,
        "theirs": conflict.theirs,
        "fields": resolved.fields,
    }
    return ConflictResolved(
        draft_id=conflict.draft_id,
        revision=revision,
        base=conflict.base,
        ours=conflict.ours,
        theirs=conflict.theirs,
        resolutions=resolved.resolutions,
        kind=resolved.kind,
        fields=resolved.fields,
        remote_version=remote_version,
        references=tuple(
            chain.from_iterable(places_of(name, part) for name, part in parts.items())
        ),
    )
