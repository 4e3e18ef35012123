"""Cuts what is still going on at its deadline: one thread for all the exchanges of a wire.

The timeouts of an HTTP client begin anew with every byte, and a blocking read cannot be
cancelled: only the end of its connection ends it. A thread for each exchange would cost more
than the exchange. This one sleeps until the earliest deadline that it has heard of, and ends
when it wakes and nothing is going on, or when its wire is closed.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from journal.sources import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.sources import Clock


END_S: Final = 5.0
"""How long to wait for the end of the thread, in seconds, at most."""


class Link:
    """The connection of one exchange, and how far the request has come on it."""

    def __init__(self, connection: Any = None) -> None:  # noqa: ANN401  httpcore's
        """Begin with the connection that will be used if no other is made."""
        self.connection = connection
        self.has_bitten = False
        """Whether it was cut, or is to be cut once there is something to cut."""
        self.has_failed_tls = False
        self._is_made = False
        self._is_used = False
        self._is_unsent = False
        self._is_told = False
        self._lock = Lock()

    @property
    def is_reused(self) -> bool:
        """Whether the request went out on a connection that was there already."""
        return self._is_used and not self._is_made

    @property
    def is_unsent(self) -> bool:
        """Whether not even the head of the request has left, whole."""
        return self._is_told and (self._is_unsent or not self._is_used)

    def again(self) -> None:
        """Begin anew, on another connection."""
        self._is_made = self._is_used = self._is_unsent = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note what the client says that it does."""
        self._is_told = True
        match event.partition(".")[2]:
            case "connect_tcp.complete" | "start_tls.complete" | "connect_unix_socket.complete":
                self._is_made = True
                self.use(info["return_value"])
            case "start_tls.failed":
                self.has_failed_tls = True
            case "send_request_headers.started":
                self._is_used = True
                self._is_unsent = False
            case "send_request_headers.failed":
                self._is_unsent = True
            case _:
                return

    async def trace_async(self, event: str, info: Mapping[str, Any]) -> None:
        """Note what the client says that it does."""
        self.trace(event, info)

    def use(self, connection: Any) -> None:  # noqa: ANN401  httpcore's
        """Note the connection that is in use."""
        with self._lock:
            self.connection = connection
            if self.has_bitten:
                self._cut()

    def bite(self) -> None:
        """End the connection, now or as soon as there is one."""
        with self._lock:
            self.has_bitten = True
            self._cut()

    def _cut(self) -> None:
        if self.connection is not None:
            with suppress(OSError):
                # Not the method of a TLS socket, which would also stop decrypting.
                cut = self.connection.get_extra_info("socket")
                socket.socket.shutdown(cut, socket.SHUT_RDWR)


class Watchdog:
    """Watches over links."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Tell the time by that clock."""
        self._clock = clock or SystemClock()
        self._deadlines_s: dict[Link, float] = {}
        self._changed = Condition()
        self._wakes_s = 0.0
        self._thread: Thread | None = None
        self._is_closed = False

    def begin(self, link: Link, seconds: float) -> None:
        """Cut the link after that time, unless it has ended before."""
        deadline_s = self._clock.monotonic_s() + seconds
        with self._changed:
            self._is_closed = False
            self._deadlines_s[link] = deadline_s
            # A thread that was there before a fork is not alive in the child.
            if self._thread is None or not self._thread.is_alive():
                self._wakes_s = deadline_s
                self._thread = Thread(target=self._run, name="journal-watchdog", daemon=True)
                self._thread.start()
            elif deadline_s < self._wakes_s:
                self._changed.notify()

    def end(self, link: Link) -> None:
        """Forget the link; it is not cut any more."""
        with self._changed:
            self._deadlines_s.pop(link, None)
            if self._is_closed:
                self._changed.notify()

    def close(self) -> None:
        """End the thread now, or as soon as nothing is going on any more."""
        with self._changed:
            self._is_closed = True
            thread = None if self._deadlines_s else self._thread
            self._changed.notify()
        if thread is not None:
            thread.join(END_S)

    def _run(self) -> None:
        with self._changed:
            while self._deadlines_s:
                now_s = self._clock.monotonic_s()
                for link in [link for link, at_s in self._deadlines_s.items() if at_s <= now_s]:
                    del self._deadlines_s[link]
                    link.bite()
                if self._deadlines_s:
                    self._wakes_s = min(self._deadlines_s.values())
                    self._changed.wait(self._wakes_s - now_s)
            self._thread = None
