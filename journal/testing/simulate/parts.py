"""What a simulated process is made of: each part can be swapped for one of a host.

With the real ones, the library is what is tried; with one that has a bug, the simulation is.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from journal.checkpoint import Checkpoint
from journal.journal import Journal
from journal.log import Log
from journal.remotes.credentials import Credentials
from journal.remotes.generic import HttpRemote
from journal.sync.session import Session
from journal.testing.simulate.partial import PartialRemote
from journal.testing.simulate.together import TogetherRemote

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.log.recorder import RowRecorder
    from journal.remotes.profiles import Profile
    from journal.remotes.remote import Remote
    from journal.sources import Clock, Sources
    from journal.sync.reports import Spans
    from journal.sync.settings import Settings
    from journal.sync.status import Board
    from journal.testing.simulate.scenario import Knobs


class MakesRemote(Protocol):
    """Makes the remote of a process."""

    def __call__(
        self, profile: Profile, knobs: Knobs, bearer: Callable[[], str], clock: Clock
    ) -> Remote:
        """Return a remote by that profile."""
        ...


class MakesSession(Protocol):
    """Makes what sends, in a process."""

    def __call__(
        self, journal: Journal, remote: Remote, settings: Settings, board: Board, spans: Spans
    ) -> Session:
        """Return a session that sends the drafts of that journal to that remote."""
        ...


def opened(recorder: RowRecorder, sources: Sources, name: str) -> Journal:
    """Return the journal on a log, opened by a process of that name."""
    return Journal(actor="ann", origin=name, sources=sources, log=Log(recorder))


_MADE: Final[dict[tuple[int, bool], HttpRemote]] = {}
"""A remote of each profile, to be copied: to check a profile takes as long as some requests."""


def real_remote(profile: Profile, knobs: Knobs, bearer: Callable[[], str], clock: Clock) -> Remote:
    """Return the generic remote by that profile, or the one that sends drafts together."""
    if knobs.dialect == "together":
        return TogetherRemote(profile, knobs.most_together, bearer=bearer, clock=clock)
    kind = (id(profile), knobs.shows_part)
    if kind not in _MADE:
        made = PartialRemote if knobs.shows_part else HttpRemote
        _MADE[kind] = made(profile, environ={})
    remote = copy(_MADE[kind])
    remote.credentials = Credentials(profile.auth, {}, bearer=bearer, clock=clock)
    return remote


def real_session(
    journal: Journal, remote: Remote, settings: Settings, board: Board, spans: Spans
) -> Session:
    """Return a session of the library."""
    checkpoint = Checkpoint(journal.log)
    return Session(journal, remote, settings, checkpoint, None, board=board, spans=spans)


def as_it_is(recorder: RowRecorder) -> RowRecorder:
    """Return the log adapter of a process as it is."""
    return recorder


class Parts(NamedTuple):
    """What a process is made of."""

    recorder: Callable[[RowRecorder], RowRecorder] = as_it_is
    """Given the log adapter of a process, returns the one that its journal uses."""
    journal: Callable[[RowRecorder, Sources, str], Journal] = opened
    """Opens the journal on a log adapter, with these sources, in the process of that name."""
    remote: MakesRemote = real_remote
    """Makes its remote."""
    session: MakesSession = real_session
    """Makes what sends."""


REAL = Parts()
"""The library as it is."""
