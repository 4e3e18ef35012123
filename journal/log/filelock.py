"""A lock between processes, on a file of its own; it knows nothing of databases."""

from __future__ import annotations

import os
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from journal.errors import LogBusyError, LogClosedError
from journal.log.place import unopened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]

    def _releasing(descriptor: int) -> Callable[[], object]:
        return partial(_unlock, descriptor)
else:

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _releasing(descriptor: int) -> Callable[[], object]:
        return partial(fcntl.flock, descriptor, fcntl.LOCK_UN)


_LOCKS: Final[WeakSet[FileLock]] = WeakSet()


def _close_inherited() -> None:
    """Close what a child inherited: it would hold its parent's locks after the parent's death."""
    for lock in list(_LOCKS):
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)

_PAUSES_S: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005)


class NoLock:
    """For who only reads: nobody waits for it."""

    is_closed = False

    def take(self) -> None:
        """Go on."""

    def attempt(self) -> bool:
        """Go on."""
        return True

    def release(self) -> None:
        """Go on."""

    def is_lost(self) -> bool:
        """Say no: there is no file."""
        return False

    def close(self) -> None:
        """Go on."""


class FileLock:
    """Held by one process at a time; the system releases it when the process dies.

    A child does not inherit it.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        """Open the file, creating it with mode 0600; wait `timeout_s` seconds at most.

        Raises:
            LogUnavailableError: the file cannot be opened.
            LogFullError: no space is left for it.
        """
        self.path = path
        self.is_closed = False
        self._timeout_s = timeout_s
        try:
            self._descriptor = os.open(
                path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600
            )
        except OSError as error:
            raise unopened(path, error) from error
        _LOCKS.add(self)

        self.release: Callable[[], object] = _releasing(self._descriptor)
        """Releases the lock: nothing of Python's own, before which an interrupt could come."""

    def take(self) -> None:
        """Take the lock; a ``try`` whose ``finally`` calls `release` must follow at once.

        Python lets in no signal between the two, and none between the ``finally`` and a
        function that is not written in Python; at the begin of ``__exit__`` it would.

        Raises:
            LogBusyError: another process held it for longer than the timeout.
            LogClosedError: it was closed.
        """
        if self.is_closed:
            raise LogClosedError(f"{self.path} was closed", hint="open the journal again")
        try:
            try:
                _try_lock(self._descriptor)
            except OSError:
                self._wait()
        except KeyboardInterrupt:
            self.release()  # it may have come when the lock was taken already
            raise

    def attempt(self) -> bool:
        """Take the lock, to be released by `close`, where nobody has it; say whether it is ours."""
        try:
            _try_lock(self._descriptor)
        except OSError:
            return False
        return True

    @property
    def is_in_place(self) -> bool:
        """Whether the file that is locked is still the one at the path."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))  # noqa: PTH116
        except OSError:
            return False

    def note(self, text: str) -> None:
        """Write into the file what whoever finds the lock held may want to know."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, text.encode("utf-8", "replace"))

    def noted(self) -> str:
        """Return what was noted in the file."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 1000).decode("utf-8", "replace")

    def _wait(self) -> None:
        never = Event()
        waited_s = 0.0
        attempt = 0
        while waited_s < self._timeout_s:
            pause_s = _PAUSES_S[min(attempt, len(_PAUSES_S) - 1)]
            never.wait(pause_s)
            waited_s += pause_s
            attempt += 1
            try:
                _try_lock(self._descriptor)
            except OSError:
                continue
            return
        raise LogBusyError(
            f"another process has held {self.path} for more than {self._timeout_s:g} s",
            hint="look for a process that is paused in the middle of a write",
        )

    def is_lost(self) -> bool:
        """Say whether the file is no longer at its path: who opens another would not wait."""
        try:
            return self.path.stat().st_ino != os.fstat(self._descriptor).st_ino
        except OSError:
            return True

    def close(self) -> None:
        """Close the file; a second time changes nothing."""
        if not self.is_closed:
            self.is_closed = True
            os.close(self._descriptor)
