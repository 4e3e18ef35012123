"""What a draft wants against what the remote has: translated, compared; pure.

References are translated at the places where they stand, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.errors import RefusedError, RemoteError
from journal.values import Fields, freeze, references, same

if TYPE_CHECKING:
    from journal.events import Evidence
    from journal.remotes.remote import Push

_NUMBERS = frozenset({int, float})


def resolved(push: Push) -> Fields:
    """Return the fields of the push with what the remote calls the records they refer to.

    Raises:
        RemoteError: the remote has no such record; the draft should have waited for it.
    """
    copy: Fields = _copied(push.fields)
    for place, target in references(push.fields):
        remote_id = push.targets[target].remote.remote_id
        if remote_id is None:
            raise RemoteError(
                f"{push.ref} {place}: the remote has no record for {target}",
                hint="create or observe that record first",
            )
        _put(copy, place, remote_id)
    return copy


def recognised(received: Fields, push: Push, *known: Fields) -> Fields:
    """Return fields that the remote sent, with references where fields known here have them.

    A place becomes a reference only where the remote has the id there by which it knows the
    record that is referred to here.
    """
    fields: Fields = _copied(received)
    for place, target in (found for fields_here in known for found in references(fields_here)):
        remote_id = push.targets[target].remote.remote_id
        if remote_id is not None and same(_at(fields, place), remote_id):
            _put(fields, place, target)
    return fields


def agrees(received: object, wanted: object) -> bool:
    """Say whether a remote's value is the wanted one.

    JSON knows one kind of number, so ``10`` agrees with ``10.0``; and many services leave out
    what has no value, so in an object a missing value agrees with null.
    """
    if type(received) is dict and type(wanted) is dict:
        return all(agrees(received.get(key), wanted.get(key)) for key in received | wanted)
    if type(received) is list and type(wanted) is list:
        return len(received) == len(wanted) and all(map(agrees, received, wanted))
    if type(received) in _NUMBERS and type(wanted) in _NUMBERS:
        return received == wanted
    return same(received, wanted)


def holds(push: Push, received: Fields, wanted: Fields) -> bool:
    """Say whether a record of the remote's has the wanted values."""
    fields = recognised(received, push, wanted)
    return all(agrees(fields.get(name), value) for name, value in wanted.items())


def is_about(push: Push, received: Fields) -> bool:
    """Say whether an object that the remote sent shows the record at all.

    Without a value to compare, as where a field is unset, any object would do: a page of a
    captive portal, or an error that came with the status of a success. So one of the names
    that are known of the record must be in it, unless it is empty.
    """
    known = push.fields.keys() | push.base.keys() | push.record.remote.fields.keys()
    return not received or not received.keys().isdisjoint(known)


def is_overtaken(push: Push) -> bool:
    """Say whether a receipt has shown another value than the one that the change was made on.

    An earlier draft of the record was then acknowledged together with somebody else's edit,
    and its version would let this change write over that.
    """
    if push.kind != "update" or not push.is_after_receipt:
        return False
    return not holds(push, push.record.remote.fields, push.base)


def expected(push: Push) -> Fields:
    """Return what the remote should have where this draft is not applied, as far as is known."""
    known = push.record.remote.fields
    if push.kind == "delete":
        return known if push.is_after_receipt else push.base
    return {name: push.base.get(name, known.get(name)) for name in push.fields}


def shown(push: Push, received: Fields, evidence: Evidence) -> Fields | None:
    """Return the record as a receipt shows it; None where it shows what was expected.

    An answer may show a part of the record only; a read shows all of it. What could not be
    stored exactly is not kept.
    """
    remote = push.record.remote.fields
    wanted = {**remote, **push.fields}
    fields = recognised(received, push, push.fields, remote, push.record.fields or {})
    if evidence == "answer":
        fields = {**wanted, **fields}
    if agrees(fields, wanted):
        return None
    try:
        return freeze(fields, record=push.ref)
    except RefusedError:
        return None


def merge_patch(before: object, after: object) -> object:
    """Return the merge patch that makes `after` of `before` (RFC 7396), all of it."""
    if type(before) is not dict or type(after) is not dict:
        return after
    removed = {key: None for key in before if key not in after}
    return removed | {key: merge_patch(before.get(key), item) for key, item in after.items()}


def _copied(value: Any) -> Any:  # noqa: ANN401  JSON
    """Return the value with objects and lists of its own; what they hold is never changed."""
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    if type(value) is list:
        return [_copied(item) for item in value]
    return value


def _steps(place: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in place[1:].split("/")]


def _at(value: Any, place: str) -> Any:  # noqa: ANN401  JSON
    """Return what is at the place, or None."""
    for step in _steps(place):
        if type(value) is dict:
            value = value.get(step)
        elif type(value) is list and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _put(value: Any, place: str, item: str) -> None:  # noqa: ANN401  JSON
    *steps, last = _steps(place)
    for step in steps:
        value = value[int(step)] if type(value) is list else value[step]
    if type(value) is list:
        value[int(last)] = item
    else:
        value[last] = item
