"""Floor 4: the append-only log, and its adapters: in memory, and SQLite.

The only place that imports ``eventsourcing``, or a database. It knows nothing of what the
events mean: neither records nor drafts.
"""

from journal.log.chain import Row, genesis, hash_of, leaf
from journal.log.database import Durability, has_wal_reset_bug
from journal.log.entries import Log
from journal.log.factory import MEMORY, Factory, open_recorder
from journal.log.lease import Claim, Fence, Holding, Leases, Taken
from journal.log.recorder import Unreadable
from journal.log.verify import Anchor, Problem, Verification
from journal.log.views import Cursor, Views

__all__ = [
    "MEMORY",
    "Anchor",
    "Claim",
    "Cursor",
    "Durability",
    "Factory",
    "Fence",
    "Holding",
    "Leases",
    "Log",
    "Problem",
    "Row",
    "Taken",
    "Unreadable",
    "Verification",
    "Views",
    "genesis",
    "has_wal_reset_bug",
    "hash_of",
    "leaf",
    "open_recorder",
]
