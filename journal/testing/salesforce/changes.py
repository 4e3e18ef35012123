"""What has changed, and what was deleted, within a span of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.refusal import Answer, Complaint, RefusedError
from journal.testing.salesforce.values import moment, shown_moment

if TYPE_CHECKING:
    from journal.testing.salesforce.call import Call
    from journal.testing.salesforce.schema import SObject
    from journal.testing.salesforce.state import State

__all__ = ["deleted", "updated"]

_MINUTE: Final = timedelta(minutes=1)
_UPDATED_BACK: Final = timedelta(days=30)
_DELETED_BACK: Final = timedelta(days=15)


def updated(state: State, call: Call, sobject: SObject) -> Answer:
    """List the ids of the records that were made or changed and are still there."""
    start, end = _span(state, call, _UPDATED_BACK)
    ids = [
        row.id
        for row in state.database.rows(sobject)
        if not row.is_deleted
        and state.is_visible(row, call.caller)
        and start <= row.values["SystemModstamp"] < end
    ]
    if len(ids) > state.settings.updated_ids_most:
        message = f"the span has more than {state.settings.updated_ids_most} ids"
        raise RefusedError(400, Complaint("EXCEEDED_ID_LIMIT", message))
    return Answer(200, {"ids": ids, "latestDateCovered": shown_moment(end)})


def deleted(state: State, call: Call, sobject: SObject) -> Answer:
    """List the ids of the records that were deleted, and when."""
    start, end = _span(state, call, _DELETED_BACK)
    records = [
        {"id": row.id, "deletedDate": shown_moment(row.values["SystemModstamp"])}
        for row in state.database.rows(sobject)
        if row.is_deleted
        and state.is_visible(row, call.caller)
        and start <= row.values["SystemModstamp"] < end
    ]
    document = {
        "deletedRecords": records,
        "earliestDateAvailable": shown_moment(_minute(state.now() - _DELETED_BACK)),
        "latestDateCovered": shown_moment(end),
    }
    return Answer(200, document)


def _span(state: State, call: Call, back: timedelta) -> tuple[datetime, datetime]:
    """Return the span that is asked for, in whole minutes, to now at most.

    Raises:
        RefusedError: it is none, or begins too long ago.
    """
    bounds = [moment(call.query.get(name, "")) for name in ("start", "end")]
    start, end = bounds
    if start is None or end is None:
        raise _refused("start and end have to be times in ISO 8601, with their zones")
    start, end = _minute(start), _minute(min(end, state.now() + _MINUTE))
    if start < _minute(state.now() - back):
        raise _refused(f"startDate cannot be more than {back.days} days ago")
    if start >= end:
        raise _refused("endDate must be at least one minute greater than the startDate")
    return start, end


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _refused(message: str) -> RefusedError:
    return RefusedError(400, Complaint("INVALID_REPLICATION_DATE", message))
