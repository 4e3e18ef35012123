"""Floor 7: sync: consumes the pending drafts in order, sends them, and says what became of them.

It knows nothing of views, nor of what a remote speaks.
"""

from journal.sync.backoff import Backoff
from journal.sync.blocking import Subscriber
from journal.sync.loops import AsyncSubscriber
from journal.sync.reports import Progress, Report, Settlement, Status

__all__ = [
    "AsyncSubscriber",
    "Backoff",
    "Progress",
    "Report",
    "Settlement",
    "Status",
    "Subscriber",
]
