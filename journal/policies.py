"""Floor 4: the policies that decide conflicts: by type, by field, by name or by function; pure.

- C3. Whatever a policy function raises or returns, the draft is resolved or held, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, get_args

from journal.conflicts import (
    SHOWN,
    Conflict,
    PolicyName,
    Unresolved,
    Verdict,
    as_a_whole,
    chosen,
    in_words,
)
from journal.errors import PolicyError, RefusedError
from journal.values import freeze

NAMES: Final[tuple[PolicyName, ...]] = get_args(PolicyName)
Decision: TypeAlias = PolicyName | Mapping[str, Any]
"""The name of a policy, or the values that disputed fields are to have."""
Policy: TypeAlias = PolicyName | Callable[[Conflict], Decision]


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
        return in_words(f"{rule} gave values, and {what} takes none")
    return chosen(conflict, {}, {name: (value, rule) for name, value in decision.items()})


def _by_field(conflict: Conflict, policies: Policies) -> Verdict:
    """Let the policy of each disputed field decide it."""
    names: dict[str, tuple[PolicyName, str]] = {}
    values: dict[str, tuple[Any, str]] = {}
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
            values[field] = decision[field], rule
        else:
            return in_words(f"{rule} gave no value for {field}")
    return chosen(conflict, names, values)


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
        return in_words(f"the policy {name} gave what cannot be stored: {error}")
    except Exception as error:  # noqa: BLE001  a function of the host's may raise anything (C3)
        return in_words(f"the policy {name} failed: {type(error).__name__}: {error}")
    kind = type(decision).__name__
    return in_words(f"the policy {name} returned a {kind}, and neither a policy's name nor values")


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
