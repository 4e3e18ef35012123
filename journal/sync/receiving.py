"""What a subscriber receives: changes, what a query lists, record types; one thing at a time."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from journal.errors import ProfileError, SubscriberBusyError
from journal.sync import priming
from journal.sync.describing import Describe, describing
from journal.sync.floor import Floor
from journal.sync.hooks import Hook
from journal.sync.priming import primed
from journal.sync.pulling import Pull, feeding
from journal.values import check_type

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from journal.journal import Journal
    from journal.remotes.remote import Remote
    from journal.sync.effects import Effect
    from journal.sync.reports import DescribeReport, PullProgress, PullReport
    from journal.sync.settings import Settings


class Receiver:
    """Makes the effects by which something is received from a remote."""

    def __init__(self, journal: Journal, remote: Remote, settings: Settings) -> None:
        """Receive from that remote, into that journal."""
        self._journal = journal
        self._remote = remote
        self._settings = settings
        self._floor = Floor(journal.sources.clock)
        self._stop_pull = Event()
        self._in_pull = Lock()

    @contextmanager
    def _pulling(
        self,
        record_types: Iterable[str] | None,
        limit_pages: int | None,
        progress: Callable[[PullProgress], None] | None,
    ) -> Iterator[tuple[Generator[Effect, Any, PullReport], Callable[[], None]]]:
        """Yield the effects of a pull, and what waits until the callback knows everything."""
        remote = feeding(self._remote)
        types = _types(remote.record_types, record_types)
        with self._receiving(progress) as hook:
            pull = Pull(self._journal, remote, self._settings, hook, floor=self._floor)
            effects = pull.pages(types, limit_pages, self._stop_pull.is_set)
            yield effects, _nothing if hook is None else hook.flush

    @contextmanager
    def _priming(
        self,
        query: str,
        limit_pages: int | None,
        progress: Callable[[PullProgress], None] | None,
    ) -> Iterator[tuple[Generator[Effect, Any, PullReport], Callable[[], None]]]:
        """Yield the effects of a prime, and what waits until the callback knows everything."""
        listed = primed(self._remote, query)
        with self._receiving(progress) as hook:
            pull = Pull(
                self._journal, listed, self._settings, hook, actor=priming.ACTOR, floor=self._floor
            )
            effects = pull.pages(listed.record_types, limit_pages, self._stop_pull.is_set)
            yield effects, _nothing if hook is None else hook.flush

    @contextmanager
    def _describing(
        self, record_types: Iterable[str] | None
    ) -> Iterator[Generator[Effect, Any, DescribeReport]]:
        """Yield the effects of asking for record types."""
        remote = describing(self._remote)
        types = _types(remote.record_types, record_types)
        with self._receiving(None):
            describe = Describe(self._journal, remote, self._settings, self._floor)
            yield describe.types(types, self._stop_pull.is_set)

    @contextmanager
    def _receiving(
        self, progress: Callable[[PullProgress], None] | None
    ) -> Iterator[Hook[PullProgress] | None]:
        """Receive from the remote, one thing at a time; yield what calls back."""
        if not self._in_pull.acquire(blocking=False):
            raise SubscriberBusyError("the subscriber is pulling already", hint="wait for its end")
        hook = None if progress is None else Hook(progress, "pull progress")
        try:
            self._stop_pull.clear()
            yield hook
        finally:
            self._in_pull.release()
            if hook is not None:
                hook.end()


def _nothing() -> None:
    """Wait for nobody."""


def _types(known: Iterable[str], record_types: Iterable[str] | None) -> tuple[str, ...]:
    """Return the types of records to ask for.

    Raises:
        ProfileError: none is named, neither by the caller nor by the profile.
        InvalidNameError: one has a name that no type has.
    """
    types = tuple(dict.fromkeys(known if record_types is None else record_types))
    if not types and record_types is None:
        raise ProfileError(
            "types", "names no type of records to pull", hint="add [types.Note], or name the types"
        )
    for record_type in types:
        check_type(record_type)
    return types
