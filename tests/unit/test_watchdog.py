"""The thread that cuts what is too slow: when it does, and that it is there only when needed."""

from __future__ import annotations

import asyncio
import socket
from threading import Event
from typing import Final

import pytest

from journal.remotes.watchdog import Link, Watchdog

PATIENCE_S: Final = 10.0
LONG_S: Final = 3600.0


class Stream:
    """A connection as httpcore hands it out."""

    def __init__(self) -> None:
        """Connect two ends."""
        self.ours, self.theirs = socket.socketpair()

    def get_extra_info(self, what: str) -> socket.socket:
        """Return the socket."""
        assert what == "socket"
        return self.ours

    @property
    def is_cut(self) -> bool:
        """Whether the other end has seen the end."""
        self.theirs.settimeout(0)
        try:
            return self.theirs.recv(1) == b""
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Close both ends."""
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def stream() -> Stream:
    """Return a connection; it is closed when it is collected."""
    return Stream()


class Watched(Link):
    """A link that tells when it was bitten."""

    def __init__(self) -> None:
        """Begin unbitten."""
        super().__init__()
        self.bitten = Event()

    def bite(self) -> None:
        """Tell."""
        super().bite()
        self.bitten.set()


class TestLink:
    """What is known of a connection."""

    def test_is_cut_at_once(self, stream: Stream) -> None:
        """A connection that is there is cut."""
        link = Link(stream)

        link.bite()

        assert (link.has_bitten, stream.is_cut) == (True, True)
        stream.close()
        link.bite()  # a closed one is not there any more

    def test_is_cut_once_it_is_there(self, stream: Stream) -> None:
        """A connection that is made after the deadline is cut when it is."""
        link = Link()
        link.bite()

        asyncio.run(link.trace_async("connection.connect_tcp.complete", {"return_value": stream}))

        assert stream.is_cut
        stream.close()

    def test_how_far_a_request_has_come(self, stream: Stream) -> None:
        """A request has not left before its head has, whole."""
        link = Link()
        assert (link.is_unsent, link.is_reused) == (False, False)  # nobody has told anything

        link.trace("connection.connect_tcp.started", {})
        assert link.is_unsent
        link.trace("connection.connect_tcp.complete", {"return_value": stream})
        link.trace("http11.send_request_headers.started", {})
        assert (link.is_unsent, link.is_reused) == (False, False)
        link.trace("http11.send_request_headers.failed", {})
        assert link.is_unsent

        link.again()
        link.trace("http11.send_request_headers.started", {})
        assert (link.is_unsent, link.is_reused) == (False, True)
        assert not link.has_failed_tls
        link.trace("connection.start_tls.failed", {})
        assert link.has_failed_tls
        stream.close()


class TestWatchdog:
    """When a link is bitten (W2)."""

    def test_the_earlier_deadline_comes_first(self) -> None:
        """A link that came later, with an earlier deadline, does not wait for the first."""
        watchdog, patient, hasty = Watchdog(), Watched(), Watched()

        watchdog.begin(patient, LONG_S)
        while not watchdog._changed._waiters:  # type: ignore[attr-defined]
            pass  # the thread is not asleep yet
        watchdog.begin(hasty, 0.01)

        assert hasty.bitten.wait(PATIENCE_S)
        assert not patient.has_bitten
        watchdog.end(patient)
        watchdog.close()

    def test_who_has_ended_is_left_alone(self) -> None:
        """A link that ended before its deadline is not bitten."""
        watchdog, ended, other = Watchdog(), Watched(), Watched()
        watchdog.begin(ended, 0.05)
        watchdog.end(ended)
        watchdog.end(ended)

        watchdog.begin(other, 0.1)

        assert other.bitten.wait(PATIENCE_S)
        assert not ended.has_bitten

    def test_one_thread_which_ends_when_nothing_is_left(self) -> None:
        """There is one thread while something is going on, and none when it wakes to nothing."""
        watchdog, first, second = Watchdog(), Watched(), Watched()
        watchdog.begin(first, 0.01)
        thread = watchdog._thread
        assert thread is not None
        watchdog.begin(second, 0.02)
        assert watchdog._thread in {thread, None}

        thread.join(PATIENCE_S)

        assert not thread.is_alive()
        assert first.has_bitten
        watchdog.close()
        again = Watched()
        watchdog.begin(again, 0.01)
        assert again.bitten.wait(PATIENCE_S)

    def test_close(self) -> None:
        """A watchdog that is closed has no thread, unless something is still going on."""
        watchdog, first, second = Watchdog(), Watched(), Watched()
        watchdog.close()
        watchdog.begin(first, LONG_S)
        thread = watchdog._thread
        assert thread is not None
        watchdog.begin(second, LONG_S)
        watchdog.end(second)

        watchdog.close()
        while not watchdog._changed._waiters:  # type: ignore[attr-defined]
            pass  # the thread is not asleep yet
        assert thread.is_alive()
        watchdog.end(first)
        thread.join(PATIENCE_S)

        assert not thread.is_alive()
        assert not first.has_bitten
        watchdog.begin(second, LONG_S)
        watchdog.end(second)
        again = watchdog._thread
        assert again is not None
        watchdog.close()
        assert not again.is_alive()
