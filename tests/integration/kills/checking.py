"""What must be true of a journal, and of a service, after processes were killed."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from journal import Journal
from journal.events import PushStarted
from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from tests.integration.kills.victims import COMMON, profile
from tests.integration.oracle import (
    acknowledged_in,
    check_log,
    check_views,
    drafts_in,
    plans_in,
    pushes_of,
    records_of,
    sent,
    valued,
)
from tests.integration.workload import HASTE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from journal.events import Entry
    from tests.integration.crashing import Words
    from tests.integration.kills.service import WatchedService
    from tests.integration.oracle import Plans

FREE_S: Final = 30.0
"""How long a quiet sender may take for all that is left. A lease that nobody holds any more, and
that is not free at once, lasts for twice that."""
CASES: Final = (
    "stored, not told",
    "announced, not stored",
    "pushed, not acknowledged",
    "begun, not pushed",
    "drafts left",
)
"""In what many processes must have died."""


class Account:
    """All that was told of one journal, and what was met in it."""

    def __init__(self, path: Path, service: WatchedService) -> None:
        """Begin with a journal that is not there yet."""
        self.met: Counter[str] = Counter()
        self._path = path
        self._service = service
        self._lives: defaultdict[str, list[list[Words]]] = defaultdict(list)
        self._told: set[str] = set()

    def add(self, actor: str, words: list[Words]) -> None:
        """Note what somebody has told in a life."""
        self._lives[actor].append(words)
        self._told |= {word[1] for word in words if word[0] == "draft"}

    def check(self) -> None:
        """Open the journal, check all of it, bring the day to its end, and check it again."""
        self.met.update({case: -self.met[case] for case in CASES[:2]})  # counted anew, from all
        self._service.is_quiet = True  # though a late request may come
        with Journal(self._path, actor="heir", origin="tablet-3") as journal:
            entries = check_log(journal)
            for actor in self._lives:
                self._check_changes(actor, [e for e in entries if e.actor == actor])
            assert self._told <= set(acknowledged_in(entries))
            self._check_pushed(entries)
            self._count(entries)
            self._drain(journal)
            entries = check_log(journal)
            check_views(journal, entries)
            self._check_both_sides(entries)
        for end in ("-wal", "-shm"):
            assert not self._path.with_name(f"{self._path.name}{end}").exists()
        self._service.is_quiet = False

    def _check_changes(self, actor: str, entries: Sequence[Entry]) -> None:
        """Check that all that was told is there, once, and of each life at most one more."""
        plans = [plan for plan in plans_in(entries) if plan[0][:2] != ["create", COMMON]]
        ends, told, announced = {0}, 0, 0
        for words in self._lives[actor]:
            willed: Plans = [json.loads(word[1]) for word in words if word[0] == "will"]
            done = sum(word[0] == "done" for word in words)
            lasts = {end + done for end in ends if plans[end : end + done] == willed[:done]}
            assert lasts, f"what {actor} was told is not there: {willed[:done]}"
            ends = lasts | {end + 1 for end in lasts if plans[end : end + 1] == willed[done:] != []}
            told, announced = told + done, announced + len(willed)
        assert len(plans) in ends, f"{actor} has never announced {plans[max(ends) :]}"
        self.met["stored, not told"] += len(plans) - told
        self.met["announced, not stored"] += announced - len(plans)

    def _check_pushed(self, entries: Sequence[Entry]) -> None:
        """Check that the service did what the drafts say, each once, by its key, and in order."""
        done = self._service.own
        assert [draft for draft, _ in done] == drafts_in(entries)[: len(done)]
        assert [effect[1:] for _, effect in done] == pushes_of(entries)[: len(done)]
        acknowledged = len(acknowledged_in(entries))
        assert acknowledged <= len(done) <= acknowledged + 1

    def _count(self, entries: Sequence[Entry]) -> None:
        acknowledged = set(acknowledged_in(entries))
        begun = {e.event.draft_id for e in entries if isinstance(e.event, PushStarted)}
        done = {draft for draft, _ in self._service.own}
        self.met["pushed, not acknowledged"] += len(done - acknowledged)
        self.met["begun, not pushed"] += len(begun - done)
        self.met["drafts left"] += len(acknowledged) < len(drafts_in(entries))

    def _drain(self, journal: Journal) -> None:
        """Push what is left, and pull; nothing is stuck, nor waits for a lease of the dead."""
        remote = HttpRemote(Profile.of(profile(self._service.url, "heir")))
        with Subscriber(journal, remote, backoff=HASTE) as sync:
            began_s = time.monotonic()
            report = sync.drain(timeout_s=2 * FREE_S)
            assert (report.pending, report.held, report.stopped_by) == (0, 0, None), report
            assert time.monotonic() - began_s < FREE_S
            pulled = sync.pull()
            assert (pulled.conflicting, pulled.stopped_by) == ((), None), pulled
            assert sync.drain(timeout_s=FREE_S).attempts == 0

    def _check_both_sides(self, entries: Sequence[Entry]) -> None:
        """Check that all is acknowledged once, and both sides have the same."""
        drafts = drafts_in(entries)
        assert sorted(acknowledged_in(entries)) == sorted(drafts)
        assert [draft for draft, _ in self._service.own] == drafts
        assert [effect[1:] for _, effect in self._service.own] == pushes_of(entries)
        local = {
            (ref.type, ref.id): valued(sent(record.fields))
            for ref, record in records_of(entries).items()
            if record.fields is not None
        }
        assert {key: valued(has) for key, has in self._service.records.items()} == local
