"""Contents: what stands for the fields of a change, in the words of a service; pure.

- C1. A draft has the same contents whenever it is sent, but for what was read of the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.remotes.comparison import merge_patch, resolved
from journal.remotes.dialect import MERGE_PATCH
from journal.remotes.templates import fill_json, json_of
from journal.values import pointer

if TYPE_CHECKING:
    from journal.remotes.dialect import Dialect
    from journal.remotes.remote import Push
    from journal.remotes.sections import Update
    from journal.remotes.templates import Values
    from journal.values import Fields


def contents(dialect: Dialect, push: Push, values: Values, record: Fields) -> dict[str, object]:
    """Return what stands for the fields of a create or an update, and for their names.

    Args:
        dialect: how to speak to the service.
        push: the draft.
        values: what stands for the other placeholders.
        record: the record as it was read, in the service's words, where the whole of it is sent.

    Raises:
        RemoteError: the draft refers to a record that the service does not have.
    """
    forms, update = dialect.forms(push.ref.type), dialect.profile.update
    fields = resolved(push, dialect.id_value)
    if push.kind == "update" and dialect.media_type("update") == MERGE_PATCH:
        fields = {name: merge_patch(push.base.get(name), item) for name, item in fields.items()}
    written = {forms.name(name): forms.written(name, item) for name, item in fields.items()}
    names = list(written)
    unset = [name for name, item in written.items() if item is None]
    found: dict[str, object] = {
        "names": names,
        "names.joined": ",".join(names),
        "unset": unset,
        "unset.joined": ",".join(unset),
    }
    if push.kind == "update" and update.set is not None:
        operations = [_operation(update, values, name, item) for name, item in written.items()]
        return {**found, "operations": operations}
    how = _unset(dialect, push)
    for ours, item in fields.items():
        name = forms.name(ours)
        if item is not None:
            continue
        said = how if how == "omit" else forms.unset(ours) or how or _default(dialect, push)
        if said == "omit":
            del written[name]
        elif said != "null":
            written[name] = json_of(said)
    kept = {name: item for name, item in record.items() if name not in unset}
    return {**found, "fields": written, "record": {**kept, **written}}


def _unset(dialect: Dialect, push: Push) -> str | None:
    """Return what the profile says is sent for a field without a value."""
    return (dialect.profile.create if push.kind == "create" else dialect.profile.update).unset


def _default(dialect: Dialect, push: Push) -> str:
    """Return what is sent where it does not say: a whole record is without the field."""
    return "omit" if push.kind == "update" and dialect.uses("update", "record") else "null"


def _operation(update: Update, values: Values, name: str, value: object) -> Any:  # noqa: ANN401  JSON
    template = update.unset if value is None else update.set
    here = {"name": name, "pointer": pointer((name,))[1:], "value": value}
    return fill_json(json_of(str(template)), {**values, **here})
