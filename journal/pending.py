"""Floor 6: the pending drafts as they are now: the queue, folded on from where it was.

It begins at the low-water mark that a subscriber has left, so that it need not read the whole
log. It knows nothing of commands, nor of who sends.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from journal.checkpoint import Checkpoint
from journal.drafts import Queue

if TYPE_CHECKING:
    from journal.log import Log

ENTRIES_AT_ONCE: Final = 1000


class Pending:
    """The queue of a log, read when it is asked for."""

    def __init__(self, log: Log) -> None:
        """Read nothing yet."""
        self._log = log
        self._lock = Lock()
        self._queue: Queue | None = None

    def queue(self) -> Queue:
        """Return the queue as it is now: one that is later folded on, to be looked at now.

        Raises:
            LogError: the log could not be read.
        """
        with self._lock:
            if self._queue is None:
                self._queue = Queue(position=Checkpoint(self._log).load())
            for entry in self._log.scan(self._queue.position, page=ENTRIES_AT_ONCE):
                self._queue.apply(entry)
            return self._queue
