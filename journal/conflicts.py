"""Floor 3: conflicts, field by field: what was, what it became here, what it became there; pure.

It knows nothing of records, queues, logs or remotes: it is handed a conflict and the policies,
and says what the draft is from now on, or why nobody but a person can say.

- C1. A field that only one side has changed is never disputed; nor one that both have given
  the same value.
- C2. `merge` decides nothing that is disputed: it holds the draft.
- C3. Whatever a policy function raises or returns, the draft is resolved or held, in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, get_args

from journal.errors import PolicyError, RefusedError
from journal.events import ConflictResolved, FieldMessage, Resolution
from journal.values import Fields, freeze, references, same

if TYPE_CHECKING:
    from journal.events import ChangeKind, Side
    from journal.values import Ref

PolicyName: TypeAlias = Literal["merge", "ours", "theirs", "hold"]
NAMES: Final[tuple[PolicyName, ...]] = get_args(PolicyName)
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


Decision: TypeAlias = PolicyName | Mapping[str, Any]
"""The name of a policy, or the values that disputed fields are to have."""
Policy: TypeAlias = PolicyName | Callable[[Conflict], Decision]


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


class Policies:
    """Which policy decides, by record type and by field."""

    def __init__(
        self, policies: Mapping[str, Policy] = MappingProxyType({}), *, default: Policy = "merge"
    ) -> None:
        """Decide by these policies.

        Args:
            policies: by type, such as ``Account``, or by type and field, such as
                ``Account.Phone``; a field's goes before its type's.
            default: for everything else.

        Raises:
            PolicyError: one is neither the name of a policy nor a function.
        """
        for key, policy in {**policies, "default": default}.items():
            _check(key, policy)
        self._policies: Mapping[str, Policy] = dict(policies)
        self._default: Policy = default

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Policies:
        """Return the policies of a table ``[conflicts]``: names by type or field, and a default.

        A table in it is of a type, with the names by field.

        Raises:
            PolicyError: a value is not the name of a policy.
        """
        names: dict[str, Any] = {}
        for key, value in content.items():
            by_field = value if isinstance(value, Mapping) else {"": value}
            names |= {f"{key}.{field}" if field else key: name for field, name in by_field.items()}
        for key, name in names.items():
            if name not in NAMES:
                raise PolicyError(key, name)
        return cls(names, default=names.pop("default", "merge"))

    def __repr__(self) -> str:
        """Show the policies as they were given."""
        return f"Policies({dict(self._policies)!r}, default={self._default!r})"

    def of_type(self, record_type: str) -> tuple[str, Policy]:
        """Return the policy of a type, and under which key it was found."""
        return self._found((record_type,))

    def of_field(self, record_type: str, field: str) -> tuple[str, Policy]:
        """Return the policy of a field, and under which key it was found."""
        return self._found((f"{record_type}.{field}", record_type))

    def _found(self, keys: tuple[str, ...]) -> tuple[str, Policy]:
        for key in keys:
            if key in self._policies:
                return key, self._policies[key]
        return "default", self._default


def _check(key: str, policy: object) -> None:
    if not callable(policy) and policy not in NAMES:
        raise PolicyError(key, policy)


def decided(conflict: Conflict, policies: Policies) -> Verdict:
    """Return what the policies make of a conflict; they change nothing that is handed to them.

    A record that one of the sides does not have, or that both have made, is decided as a whole,
    by the policy of its type; any other field by field.
    """
    is_whole = conflict.remote is None or conflict.kind in {"create", "delete"}
    key, policy = policies.of_type(conflict.ref.type)
    if not is_whole and policy != "hold":
        return _by_field(conflict, policies)
    decision = _called(conflict, policy)
    rule = _rule(key, policy)
    if isinstance(decision, Unresolved):
        return decision
    if isinstance(decision, str):
        return as_a_whole(conflict, decision, rule)
    if conflict.kind == "delete" or conflict.remote is None:
        what = "a delete" if conflict.kind == "delete" else "a record that is gone"
        return _in_words(f"{rule} gave values, and {what} takes none")
    return chosen(conflict, {}, decision, rule)


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
    return chosen(conflict, dict.fromkeys(conflict.disputed, (name, rule)), {}, rule)


def _of_gone(conflict: Conflict, name: PolicyName, rule: str) -> Verdict:
    if name == "ours" and conflict.kind != "delete":
        sides = _sides(conflict.whole, "ours", rule)
        return Resolved("create", dict(conflict.whole), sides, "the record is created again")
    if name == "theirs" or conflict.kind == "delete":
        sides = _sides(conflict.ours or conflict.base, "theirs", rule)
        return Resolved(None, {}, sides, "the remote no longer has the record")
    return _in_words("the remote no longer has the record")


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


def _by_field(conflict: Conflict, policies: Policies) -> Verdict:
    """Let the policy of each disputed field decide it."""
    names: dict[str, tuple[PolicyName, str]] = {}
    values: dict[str, Any] = {}
    rules: list[str] = []
    decisions: dict[int, Decision | Unresolved] = {}
    for field in conflict.disputed:
        key, policy = policies.of_field(conflict.ref.type, field)
        rule = _rule(key, policy)
        if id(policy) not in decisions:
            decisions[id(policy)] = _called(conflict, policy)
        decision = decisions[id(policy)]
        if isinstance(decision, Unresolved):
            return decision
        if isinstance(decision, str):
            names[field] = decision, rule
        elif field in decision:
            values[field] = decision[field]
            rules.append(rule)
        else:
            return _in_words(f"{rule} gave no value for {field}")
    return chosen(conflict, names, values, rules[0] if rules else "")


def chosen(
    conflict: Conflict,
    names: Mapping[str, tuple[PolicyName, str]],
    values: Mapping[str, Any],
    rule: str,
) -> Verdict:
    """Return a conflict decided field by field.

    Args:
        conflict: of a record that the remote has.
        names: the policy that decides a field, and by which rule.
        values: what fields are to have, whether they are disputed or not.
        rule: by which these values were given.
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
            side, why = _side(values[name], conflict, name), rule
            ours = values[name]
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


def _called(conflict: Conflict, policy: Policy) -> Decision | Unresolved:
    """Return what a policy says; what a function must not say is an unresolved conflict (C3)."""
    if isinstance(policy, str):
        return policy
    name = _name(policy)
    try:
        decision: object = policy(_copy(conflict))
        if isinstance(decision, str) and decision in NAMES:
            return next(each for each in NAMES if each == decision)
        if isinstance(decision, Mapping):
            return freeze(decision, record=conflict.ref)
    except RefusedError as error:
        return _in_words(f"the policy {name} gave what cannot be stored: {error}")
    except Exception as error:  # noqa: BLE001  a function of the host's may raise anything (C3)
        return _in_words(f"the policy {name} failed: {type(error).__name__}: {error}")
    kind = type(decision).__name__
    return _in_words(f"the policy {name} returned a {kind}, and neither a policy's name nor values")


def _copy(conflict: Conflict) -> Conflict:
    """Return the conflict with fields of its own: a function may do with them what it likes."""
    remote = None if conflict.remote is None else freeze(conflict.remote)
    return conflict._replace(
        base=freeze(conflict.base),
        ours=freeze(conflict.ours),
        remote=remote,
        whole=freeze(conflict.whole),
    )


def _name(policy: object) -> str:
    return str(getattr(policy, "__name__", type(policy).__name__))[:SHOWN]


def _rule(key: str, policy: Policy) -> str:
    """Return what a resolution says of the policy: its name, and where it was found."""
    name = policy if isinstance(policy, str) else _name(policy)
    return f"{name} (by default)" if key == "default" else f"{name} (for {key})"


def _in_words(text: str) -> Unresolved:
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
            f"/{name}{place}" for name, part in parts.items() for place, _ in references(part)
        ),
    )
