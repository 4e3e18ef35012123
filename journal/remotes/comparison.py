"""What a draft wants against what the remote has: translated, compared; pure.

References are translated at the places where they stand, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.errors import RefusedError, RemoteError
from journal.remotes.forms import Forms, agrees
from journal.remotes.pointers import at, steps_of
from journal.remotes.templates import text_of
from journal.values import Fields, freeze, references, same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.events import Evidence
    from journal.record import Record
    from journal.remotes.remote import Push
    from journal.values import Ref


def resolved(push: Push, id_value: Callable[[str], object]) -> Fields:
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
        _put(copy, place, id_value(remote_id))
    return copy


def recognised(
    received: Fields, targets: Mapping[Ref, Record], forms: Forms, *known: Fields
) -> Fields:
    """Return fields that the remote sent as we would have written them.

    A place becomes a reference only where the remote has the id there by which it knows the
    record that is referred to here; and a value that agrees with one known here becomes it.

    Args:
        received: the fields, under our names.
        targets: the records that the known fields refer to.
        forms: how the service writes them.
        known: fields as they are known here; the first that agrees wins.
    """
    fields: Fields = _copied(received)
    for place, target in (found for fields_here in known for found in references(fields_here)):
        remote_id = targets[target].remote.remote_id
        found = at(fields, steps_of(place))
        is_id = type(found) in {str, int} and remote_id is not None
        if is_id and forms.is_same_id(text_of(found), str(remote_id)):
            _put(fields, place, target)
    for name, value in fields.items():
        ours = (here[name] for here in known if name in here)
        agreed = (wanted for wanted in ours if forms.agrees(name, value, wanted))
        fields[name] = next(agreed, forms.canonical(name, value))
    return fields


def holds(push: Push, forms: Forms, received: Fields, wanted: Fields) -> bool:
    """Say whether a record of the remote's has the wanted values."""
    if all(name in received and same(received[name], value) for name, value in wanted.items()):
        return True  # as nearly always: there is nothing to recognise
    fields = recognised(received, push.targets, forms, wanted)
    return all(forms.agrees(name, fields.get(name), value) for name, value in wanted.items())


def is_about(push: Push, received: Fields) -> bool:
    """Say whether an object that the remote sent shows the record at all.

    Without a value to compare, as where a field is unset, any object would do: a page of a
    captive portal, or an error that came with the status of a success. So one of the names
    that are known of the record must be in it, unless it is empty.
    """
    return not received or not received.keys().isdisjoint(known_names(push))


def known_names(push: Push) -> set[str]:
    """Return the names of the fields that are known of the record."""
    return push.fields.keys() | push.base.keys() | push.record.remote.fields.keys()


def tells(push: Push, forms: Forms, received: Fields) -> bool:
    """Say whether an object that the remote sent can be told from one of another record.

    It can where a value of it is compared. Where a draft only unsets fields, that is what is
    known of the others: any record without those fields would do otherwise.
    """
    wanted = push.fields
    if all(value is None for value in wanted.values()):
        wanted = {**push.record.remote.fields, **wanted}
    shown = {name: wanted[name] for name in wanted if received.get(name) is not None}
    compared = [name for name, value in shown.items() if value is not None]
    is_compared = any(forms.kind(name) != "any" for name in compared)
    return is_compared and holds(push, forms, received, shown)


def is_overtaken(push: Push, forms: Forms) -> bool:
    """Say whether a receipt has shown another value than the one that the change was made on.

    An earlier draft of the record was then acknowledged together with somebody else's edit,
    and its version would let this change write over that. A field that had no value is one of
    these: what is there now was put there by somebody else.
    """
    if push.kind != "update" or not push.is_after_receipt:
        return False
    return not holds(push, forms, push.record.remote.fields, _base(push))


def _base(push: Push) -> Fields:
    """Return what the fields of an update had before; None where that was nothing."""
    return {name: push.base.get(name) for name in push.fields}


def expected(push: Push) -> Fields:
    """Return what the remote should have where this draft is not applied, as far as is known."""
    if push.kind == "delete":
        return push.record.remote.fields if push.is_after_receipt else push.base
    return _base(push)


def ours(push: Push, forms: Forms, received: Fields) -> Fields | None:
    """Return the remote's record in our words; None where it could not be stored exactly."""
    known = (push.fields, push.base, push.record.remote.fields, push.record.fields or {})
    try:
        return freeze(recognised(received, push.targets, forms, *known), record=push.ref)
    except RefusedError:
        return None


def shown(push: Push, forms: Forms, received: Fields, evidence: Evidence) -> Fields | None:
    """Return the record as a receipt shows it; None where it shows what was expected.

    An answer may show a part of the record only; a read shows all of it. What could not be
    stored exactly is not kept.
    """
    # What a create makes has nothing of what was under our key before.
    before = {} if push.kind == "create" else push.record.remote.fields
    wanted = {**before, **push.fields}
    if same(received, wanted):
        return None
    fields = ours(push, forms, received)
    if fields is not None and evidence == "answer":
        fields = {**wanted, **fields}
    return None if fields is None or agrees(fields, wanted) else fields


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


def _put(value: Any, place: str, item: object) -> None:  # noqa: ANN401  JSON
    *steps, last = steps_of(place)
    for step in steps:
        value = value[int(step)] if type(value) is list else value[step]
    if type(value) is list:
        value[int(last)] = item
    else:
        value[last] = item
