"""Views of a journal: folds of its log, kept in tables that may be deleted at any time.

`Records` holds the local state of every record, `Drafts` the queue of pending changes, `History`
who changed what, and `Projection` whatever you need: a view catches up when it is read.
"""

from journal.explanation import Status
from projections.drafts import Drafts, PendingDraft
from projections.fold import Fold
from projections.history import FieldChange, History, HistoryLine, Outcome
from projections.projection import Projection
from projections.records import RecordDrafts, Records, RecordView
from projections.ui_records import UiDrafts, UiRecord, UiValue, as_ui_record

__all__ = [
    "Drafts",
    "FieldChange",
    "Fold",
    "History",
    "HistoryLine",
    "Outcome",
    "PendingDraft",
    "Projection",
    "RecordDrafts",
    "RecordView",
    "Records",
    "Status",
    "UiDrafts",
    "UiRecord",
    "UiValue",
    "as_ui_record",
]
