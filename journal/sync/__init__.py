"""Floor 7: sync: consumes the pending drafts in order, sends them, and says what became of them.

It knows nothing of views, nor of what a remote speaks.
"""

from journal.conflicts import Conflict
from journal.policies import Policies
from journal.resolutions import WhatIf, what_if
from journal.sync.backoff import Backoff
from journal.sync.blocking import Subscriber
from journal.sync.loops import AsyncSubscriber
from journal.sync.reports import (
    DescribeReport,
    LeftOut,
    Progress,
    PullProgress,
    PullReport,
    Report,
    Settlement,
    SyncStatus,
)

__all__ = [
    "AsyncSubscriber",
    "Backoff",
    "Conflict",
    "DescribeReport",
    "LeftOut",
    "Policies",
    "Progress",
    "PullProgress",
    "PullReport",
    "Report",
    "Settlement",
    "Subscriber",
    "SyncStatus",
    "WhatIf",
    "what_if",
]
