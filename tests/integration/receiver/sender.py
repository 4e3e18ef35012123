"""Who sends to the receiver, by its profile file; in a process of its own, where a test says so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.remotes.profiles import toml_of
from journal.remotes.wire import Limits
from journal.sync import Subscriber
from tests.integration.sending import HASTE, LEASE_S, REQUEST_S
from tests.pages import DOCS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from journal.sync import Progress

PROFILE: Final = DOCS / "how-to" / "profiles" / "receiver.toml"


def remote_at(url: str) -> HttpRemote:
    """Return a remote that speaks to the receiver by its profile file."""
    return HttpRemote(Profile.of({**toml_of(PROFILE), "url": url}))


def send(path: str, url: str, name: str, pipe: Connection) -> None:
    """Send for ever, in a process of its own; tell each step, and how many were acknowledged."""
    told: Counter[str] = Counter()

    def tell(progress: Progress) -> None:
        told[progress.step] += 1
        pipe.send((progress.step, str(told[progress.step])))

    with Journal(path, actor=name, origin=name) as journal:
        limits = Limits(REQUEST_S, 10**6)
        settings: Any = {"backoff": HASTE, "limits": limits, "lease_s": LEASE_S}
        subscriber = Subscriber(journal, remote_at(url), progress=tell, **settings)
        with subscriber.start():
            for status in subscriber.watch():
                pipe.send(("leader" if status.is_leader else "standing by", ""))
