"""What a sender has done so far, and who is told of each step."""

from __future__ import annotations

from logging import DEBUG, INFO, getLogger
from typing import TYPE_CHECKING

from journal.sync.reports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.drafts import Draft, Queue
    from journal.sync.reports import Step

_log = getLogger("journal.sync")


class Tally:
    """How many drafts were acknowledged, and how often one was tried to be sent."""

    def __init__(self, queue: Queue, progress: Callable[[Progress], None] | None) -> None:
        """Begin with none; `progress` is called in a thread of its own."""
        self.queue = queue
        self.acknowledged = 0
        self.attempts = 0
        self._progress = progress

    def say(
        self, step: Step, draft: Draft, problem: str = "", delay_s: float | None = None
    ) -> None:
        """Tell that a draft has come to a step."""
        _log.log(INFO if step == "held" else DEBUG, "%s %s of %s", step, draft.kind, draft.ref)
        if self._progress is not None:
            counts = (self.acknowledged, self.queue.held, len(self.queue))
            self._progress(Progress(step, draft, *counts, problem, delay_s))
