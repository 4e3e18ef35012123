"""Floor 7: sync: consumes the pending drafts in order, sends them, and says what became of them.

It knows nothing of views, nor of what a remote speaks.
"""

from journal.conflicts import Conflict, Policies
from journal.decisions import WhatIf, what_if
from journal.sync.session import Progress, Report
from journal.sync.subscriber import AsyncSubscriber, Subscriber

__all__ = [
    "AsyncSubscriber",
    "Conflict",
    "Policies",
    "Progress",
    "Report",
    "Subscriber",
    "WhatIf",
    "what_if",
]
