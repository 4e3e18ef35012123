"""What the processes do that are killed at any moment: change, push, pull and read, for ever.

Whatever one tells was done must be found again. It says so before a change, and after it.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import traceback
from contextlib import nullcontext
from itertools import count, islice
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal import Journal, Ref
from journal.remotes import HttpRemote, Profile
from journal.sync import AsyncSubscriber, Subscriber
from projections import Drafts
from tests.integration.workload import HASTE, TYPES, change, plans, teller
from tests.replay.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.sync import PullReport
    from tests.integration.workload import Plan, Tell

COMMON: Final = Ref("Account:common")
"""The record that everybody changes, each in a field of its own; other clients do, too."""
AHEAD: Final = 12
"""How many drafts may wait before whoever makes them waits a little."""
REST_S: Final = 0.02
VICTIM: Final = "X-Victim"
DRAFT: Final = "X-Draft"
"""The headers that tell whose request it is, and of which draft; the service heeds neither."""


class Victim(NamedTuple):
    """Somebody who is to be killed."""

    path: str
    url: str
    actor: str
    life: int
    """How often somebody lived in this journal before."""
    roles: tuple[str, ...]
    """What it does of: change, push, pull, read; the second and third by an event loop: async."""
    has_conditions: bool = True
    """Whether what it sends may say which version it is about."""

    @property
    def name(self) -> str:
        """Whose request it is."""
        return f"{self.actor}-{self.life}"


def profile(url: str, name: str, *, has_conditions: bool = True) -> dict[str, Any]:
    """Return how the service is spoken to by the victim of that name.

    Without conditions, nothing but a look can tell whether a change was made already.
    """
    told = {"headers": {DRAFT: "{draft}"}}
    versions = {} if has_conditions else {"version": "none"}
    return {
        "url": url,
        "answer": versions,
        "headers": {VICTIM: name},
        "create": told,
        "update": told,
        "delete": told,
        "changes": {
            "path": "/{type}?since={since}&limit=3",
            "items": "/changes",
            "first": "0",
            "since": "/n",
            "deleted": "/deleted",
            "next": "/next",
            "answer": {"fields": "/fields", "key": "/id", "version": "/etag", **versions},
        },
        "types": {name: {} for name in TYPES},
    }


def restless_day(victim: Victim, tell: Tell) -> None:
    """Do for ever what the roles say, in a journal that may have been another's.

    Tells ``opening`` and ``open``; ``will PLAN``, as JSON, before a change, and ``done`` after it;
    ``draft ID`` when a draft is acknowledged, ``pulled COUNT`` after a pull; and ``failed WHY``
    where anything goes wrong, which ends it.
    """
    tell("opening")
    try:
        journal = Journal(victim.path, actor=victim.actor, origin="tablet-3")
        tell("open")
        spoken = profile(victim.url, victim.name, has_conditions=victim.has_conditions)
        remote = HttpRemote(Profile.of(spoken))
        if "async" in victim.roles:
            asyncio.run(_synced(journal, remote, tell))
        sync = Subscriber(journal, remote, backoff=HASTE, progress=teller(tell))
        if "push" in victim.roles:
            sync.start()
            _beside(_tended, journal, sync, tell)
        if "pull" in victim.roles:
            _beside(_pulled, journal, sync, tell)
        if "read" in victim.roles:
            _beside(_read, journal, tell)
        if "change" in victim.roles:
            _changed(journal, victim, tell)
        while True:
            signal.pause()
    except Exception:  # noqa: BLE001  whatever it is
        _failed(tell)


def _failed(tell: Tell) -> None:
    tell("failed", traceback.format_exc()[-3000:])
    signal.raise_signal(signal.SIGTERM)


def _beside(work: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401
    """Do that for ever, beside the rest; the last argument tells what went wrong."""

    def run() -> None:
        try:
            while True:
                work(*arguments)
        except Exception:  # noqa: BLE001  whatever it is
            _failed(arguments[-1])

    Thread(target=run, daemon=True).start()


def _tended(journal: Journal, sync: Subscriber, _: Tell) -> None:
    """See that the subscriber still sends, or stands by."""
    assert sync.is_running
    journal.log.wait(journal.log.head(), REST_S)


def _pulled(journal: Journal, sync: Subscriber, tell: Tell) -> None:
    _tell_pulled(sync.pull(), tell)
    journal.log.wait(journal.log.head(), REST_S)


def _tell_pulled(report: PullReport, tell: Tell) -> None:
    assert report.stopped_by in {None, "unsettled"}, report
    assert not report.conflicting, report
    tell("pulled", str(report.observed))


async def _synced(journal: Journal, remote: HttpRemote, tell: Tell) -> None:
    """Push and pull in an event loop, for ever."""
    async with AsyncSubscriber(journal, remote, backoff=HASTE, progress=teller(tell)) as sync:
        sync.start()
        while True:
            assert sync.is_running
            _tell_pulled(await sync.pull(), tell)
            await asyncio.sleep(REST_S)


def _read(journal: Journal, _: Tell) -> None:
    for view in VIEWS:
        view(journal).catch_up()
    if (head := journal.log.head()) % 8 == 0:
        VIEWS[head % len(VIEWS)](journal).rebuild()
    journal.log.wait(journal.log.head(), REST_S)


def _changed(journal: Journal, victim: Victim, tell: Tell) -> None:
    """Make changes for ever; wait a little where many drafts are left."""
    drafts = Drafts(journal)
    for _ in _changes(journal, victim, victim.name, tell):
        if len(drafts) > AHEAD:
            journal.log.wait(journal.log.head(), REST_S)


def brief_days(victim: Victim, tell: Tell) -> None:
    """Open the journal, change a little, push and pull, and close it, again and again."""
    tell("opening")
    remote = HttpRemote(Profile.of(profile(victim.url, victim.name)))
    try:
        for day in count():
            with (
                Journal(victim.path, actor=victim.actor, origin="tablet-3") as journal,
                Subscriber(journal, remote, backoff=HASTE, progress=teller(tell)) as sync,
            ):
                tell("open")
                for _ in islice(_changes(journal, victim, f"{victim.name}-{day}", tell), 3):
                    pass
                report = sync.drain()
                assert report.pending == 0, report
                _tell_pulled(sync.pull(), tell)
    except Exception:  # noqa: BLE001  whatever it is
        _failed(tell)


def _changes(journal: Journal, victim: Victim, prefix: str, tell: Tell) -> Iterator[None]:
    """Make changes for ever, of records of its own, and of the common one; yield after each."""
    dice = random.Random(prefix)  # noqa: S311  a test's
    journal.create(COMMON.type, {"Name": "Common"}, id=COMMON.id)  # which may be there already
    for plan in _plans(dice, victim.actor, prefix, _alive(journal, victim.actor)):
        tell("will", json.dumps(plan))
        carry_out(journal, plan)
        tell("done")
        yield


def _plans(dice: random.Random, actor: str, prefix: str, alive: list[Ref]) -> Iterator[Plan]:
    for number, plan in enumerate(plans(dice, prefix, alive)):
        yield plan
        if dice.random() < 0.2:
            yield (("update", COMMON, {actor: f"{prefix}-{number}"}),)


def _alive(journal: Journal, actor: str) -> list[Ref]:
    """Return the records of an actor that are there now, in the order of their making."""
    refs = dict.fromkeys(entry.stream for entry in journal.log.scan())
    return [r for r in refs if r.id.startswith(f"{actor}-") and not journal.load(r).is_deleted]


def carry_out(journal: Journal, plan: Plan) -> None:
    """Make the changes of a plan: one alone as it is, several in one transaction."""
    with nullcontext() if len(plan) == 1 else journal.batch():
        for kind, ref, fields in plan:
            change(journal, kind, ref, fields)
