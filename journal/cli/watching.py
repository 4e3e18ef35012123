"""Sending until it is interrupted: what is said meanwhile, and how it ends."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Final

from journal.cli import shape, wording
from journal.cli.progress import shows_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.cli.setting import Setting
    from journal.sync import Progress, Report, Subscriber, SyncStatus

LOOK_S: Final = 0.5
"""How often to look whether it has ended by itself, and to count down, in seconds."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Account:
    """Keeps what was done, and hands it on."""

    def __init__(self, show: Callable[[Progress], None] | None) -> None:
        """Hand it on to that."""
        self.acknowledged = 0
        self.attempts = 0
        self._show = show

    def __call__(self, progress: Progress) -> None:
        """Note a step."""
        self.attempts += progress.step == "sending"
        self.acknowledged = progress.acknowledged
        if self._show is not None:
            self._show(progress)


def as_object(setting: Setting) -> Callable[[Progress], None]:
    """Return what shows a step as an object of JSON, at once."""

    def show(progress: Progress) -> None:
        setting.output.object(shape.progress(progress))
        setting.output.flush()

    return show


def telling(setting: Setting) -> Callable[[SyncStatus], None] | None:
    """Return what says who sends, where that changes."""
    said = ""

    def tell(status: SyncStatus) -> None:
        nonlocal said
        text = said
        if status.leader:
            text = f"standing by: {status.leader} is sending"
        elif status.stopped:
            text = f"the queue is stopped: {status.stopped}"
        elif status.is_leader:
            text = "sending"
        if text not in {said, "sending" if not said else ""}:
            setting.output.note(wording.harmless(text))
        said = text

    return None if setting.is_json else tell


def watched(
    setting: Setting, subscriber: Subscriber, account: Account, timeout_s: float | None
) -> Report:
    """Send until it is interrupted, by the keyboard or by whoever runs services, or the time is up.

    The draft that is under way then is finished.
    """
    from journal.sources import SystemClock
    from journal.sync import Progress, Report

    clock = SystemClock()
    began_s = clock.monotonic_s()
    with _interrupted() as interrupted, subscriber.start():
        while not interrupted.wait(LOOK_S) and subscriber.is_running:
            status = subscriber.status
            if timeout_s is not None and clock.monotonic_s() - began_s >= timeout_s:
                break
            if shows_bars(setting) and status.next_attempt_s is not None:
                left = (status.held, status.pending, status.last_error, status.next_attempt_s)
                account(Progress("waiting", None, account.acknowledged, *left))
        subscriber.stop()
        status = subscriber.status
    if interrupted.is_set():
        setting.output.note("stopped, after the draft that was under way")
    return Report(
        account.acknowledged,
        status.held,
        status.pending,
        account.attempts,
        clock.monotonic_s() - began_s,
        None if not status.pending else "held" if status.pending == status.held else "stop",
        status.last_error,
    )


@contextmanager
def _interrupted() -> Iterator[Event]:
    """Yield what is set by a signal to end, instead of what it does otherwise."""
    event = Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in _SIGNALS}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
