"""Processes that send, to be paused and killed by a test, which they tell what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.remotes.wire import Limits
from journal.sync import Subscriber
from journal.sync.backoff import Backoff

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from journal.sync import Progress

REQUEST_S: Final = 0.4
LEASE_S: Final = 0.8
"""Short, so that a test need not wait for long."""
HASTE: Final = Backoff(first_s=0.002, most_s=0.05, least_s=0.001)


def send(path: str, url: str, name: str, pipe: Connection) -> None:
    """Send for ever, and tell every step."""

    def tell(progress: Progress) -> None:
        ref = "" if progress.draft is None else progress.draft.ref
        pipe.send((progress.step, ref, progress.problem))

    with Journal(path, actor=name, origin=name) as journal:
        remote = HttpRemote(Profile.of({"url": url}))
        subscriber = Subscriber(
            journal,
            remote,
            backoff=HASTE,
            limits=Limits(REQUEST_S, 10**6),
            lease_s=LEASE_S,
            progress=tell,
        )
        pipe.send(("ready", "", ""))
        with subscriber.start():
            for status in subscriber.watch():
                pipe.send(("leader" if status.is_leader else "standing by", "", status.leader))
