"""Ctrl-C: when it may come, and what is said of it; it knows nothing of what is interrupted."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.cli.setting import Setting

ANYWHERE: Final = "Interrupted. Nothing is lost: what was stored stays stored."
"""What is said where a command does not say more."""


@contextmanager
def explained(setting: Setting, words: Callable[[], str]) -> Iterator[None]:
    """Where the block is interrupted, say these words at the end: one line, what is safe."""
    try:
        yield
    except KeyboardInterrupt:
        setting.afterword = f"Interrupted. {words()}"
        raise


@contextmanager
def deferred() -> Iterator[None]:
    """Let an interruption wait until the block has ended; a second one does not wait.

    So what is said of a block is true: it was done, or it was not begun.
    """
    if current_thread() is not main_thread():
        yield
        return
    is_pending = False

    def wait(number: int, frame: object) -> None:  # noqa: ARG001  a signal handler's signature
        nonlocal is_pending
        if is_pending:
            raise KeyboardInterrupt
        is_pending = True

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if is_pending:
        raise KeyboardInterrupt
