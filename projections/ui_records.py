"""A record in the shape of Salesforce's UI API, with the section ``drafts`` of its offline apps.

For hosts whose pages were written for that shape; pure, from a `RecordView`.

- U1. ``fields`` are the record as it is here; with ``serverValues`` laid over them, as the remote
  last said that it is.
- U2. ``drafts`` is there where drafts are pending, and only there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from journal.values import Ref, same

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NotRequired

    from journal.descriptions import TypeDescription
    from journal.values import Fields
    from projections.records import RecordView

_MILLISECOND: Final = timedelta(milliseconds=1)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT", re.ASCII)


class UiValue(TypedDict):
    """The value of a field."""

    displayValue: str | None
    """What a person reads, where that is another text than the value."""
    value: Any


class UiDrafts(TypedDict):
    """What is pending for a record."""

    created: bool
    edited: bool
    deleted: bool
    serverValues: dict[str, UiValue]
    """What the remote last said of the fields that drafts have changed."""
    draftActionIds: list[str]
    latestDraftActionId: str


class UiRecord(TypedDict):
    """A record as the UI API shows it."""

    apiName: str
    childRelationships: dict[str, Any]
    """Always empty: other records are records of their own."""
    drafts: NotRequired[UiDrafts]
    eTag: str
    fields: dict[str, UiValue]
    id: str
    lastModifiedById: str | None
    lastModifiedDate: str | None
    recordTypeId: str | None
    recordTypeInfo: None
    systemModstamp: str | None
    weakEtag: int
    """When it was last changed there, in milliseconds since 1970; -1 where that is not known."""


def as_ui_record(
    view: RecordView,
    *,
    described: TypeDescription | None = None,
    id_of: Callable[[Ref], str] = lambda ref: ref.id,
) -> UiRecord:
    """Return a record in the shape of the UI API.

    Args:
        view: the record.
        described: its type, for what a person reads in the place of a value.
        id_of: returns what stands for a record that is referred to: its id here otherwise.

    Returns:
        Plain JSON, which shares nothing with the view.
    """
    shape = _Shape(described, id_of)
    server = view.drafts.server or {}
    is_created = view.drafts.created
    etag = "" if is_created else view.remote_version or ""
    modified = _text(server, "LastModifiedDate") or _moment(etag)
    record = UiRecord(
        apiName=view.ref.type,
        childRelationships={},
        eTag=etag,
        fields=shape.values(view.fields),
        id=view.remote_id or view.ref.id,
        lastModifiedById=_text(server, "LastModifiedById"),
        lastModifiedDate=modified,
        recordTypeId=_text(view.fields, "RecordTypeId"),
        recordTypeInfo=None,
        systemModstamp=_text(server, "SystemModstamp"),
        weakEtag=_milliseconds(_text(server, "SystemModstamp") or modified),
    )
    if view.drafts.ids:
        record["drafts"] = UiDrafts(
            created=is_created,
            edited=view.drafts.edited,
            deleted=view.drafts.deleted,
            serverValues={} if is_created else shape.values(_overwritten(view.fields, server)),
            draftActionIds=list(view.drafts.ids),
            latestDraftActionId=view.drafts.ids[-1],
        )
    return record


def _overwritten(fields: Fields, server: Fields) -> Fields:
    """Return what the remote has, of the fields that are not so here (U1)."""
    return {
        name: server.get(name)
        for name in dict.fromkeys((*fields, *server))
        if not same(fields.get(name), server.get(name))
    }


class _Shape:
    """How values are written."""

    def __init__(self, described: TypeDescription | None, id_of: Callable[[Ref], str]) -> None:
        self._id_of = id_of
        self._labels = {
            field.name: {choice.value: choice.label for choice in field.choices if choice.label}
            for field in (() if described is None else described.fields)
        }

    def values(self, fields: Fields) -> dict[str, UiValue]:
        """Return the fields, each with what a person reads."""
        return {
            name: UiValue(displayValue=self._read(name, value), value=self._plain(value))
            for name, value in fields.items()
        }

    def _read(self, name: str, value: object) -> str | None:
        return self._labels.get(name, {}).get(value) if type(value) is str else None

    def _plain(self, value: Any) -> Any:  # noqa: ANN401  JSON
        """Return a value with what stands for the records that it refers to."""
        if type(value) is Ref:
            return self._id_of(value)
        if isinstance(value, dict):
            return {key: self._plain(inner) for key, inner in value.items()}
        return [self._plain(inner) for inner in value] if isinstance(value, list) else value


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return value if type(value) is str else None


def _moment(version: str) -> str | None:
    """Return the time that a version is, as the UI API writes it; None where it is none.

    An org of Salesforce has no other versions; its time of change is no field of a record here.
    """
    if not _MOMENT.match(version) or (at := _milliseconds(version)) < 0:
        return None
    changed = datetime(1970, 1, 1, tzinfo=UTC) + at * _MILLISECOND
    return changed.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(text: str | None) -> int:
    """Return when that was, or -1 where it is no time."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return -1
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND
