"""A process killed at any moment leaves a journal that has all it said it had, once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from http.client import HTTPConnection
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest

from journal import Journal
from journal.events import RecordCreated, RecordDeleted, RecordUpdated
from journal.testing.crashing import Moment, watching
from journal.testing.service import Effect, RecordService
from tests.integration.crashing import child, dying_at, working
from tests.integration.oracle import (
    acknowledged_in,
    changes_of,
    check_log,
    check_pushed,
    check_views,
    drain,
    pushes_of,
)
from tests.integration.workload import (
    SEEN,
    SEEN_FIELDS,
    SEEN_VERSION,
    STEPS,
    live,
    restless_day,
    short_day,
)
from tests.replay.fixed import FixedSources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from journal.events import Entry
    from tests.integration.crashing import Words
    from tests.integration.oracle import Change

SIDE_FILES = ("", "-wal", "-shm")
STRACE = shutil.which("strace")
PRIMING = Effect(1, "PUT", f"/{SEEN.type}/{SEEN.id}", SEEN_FIELDS)
"""What the service has seen before the journal begins."""

NEVER = 1_000_000
"""A moment that does not come in a short day."""

CASES = ("stored, not told", "announced, not stored", "pushed, not acknowledged", "drafts left")
"""In what many processes that are killed at random must have died."""

Log: TypeAlias = "list[tuple[Change, ...]]"
Plans: TypeAlias = list[list[tuple[str, str, dict[str, Any]]]]


@contextmanager
def service_after(effects: Sequence[Effect] = (PRIMING,)) -> Iterator[RecordService]:
    """A service that has done these writes."""
    with RecordService() as service:
        client = HTTPConnection(service.url.removeprefix("http://"))
        for method, path, body in (effect[1:] for effect in effects):
            client.request(method, path, None if body is None else json.dumps(body))
            with client.getresponse() as response:
                response.read()
                assert response.status < 300
        client.close()
        yield service


@cache
def days() -> tuple[Log, ...]:
    """The changes in the log before the short day, after one step, and so on to its end.

    They are lived through in memory, where nobody is killed, and without a service: what a
    change says does not depend on what was pushed before it.
    """
    sources = FixedSources()
    with Journal(actor="tech-17", origin="tablet-3", sources=sources) as journal:
        told: list[Log] = [[]]
        live(journal, sources, None, lambda *_: told.append(changes_of(journal.log.scan())))
    return tuple(told)


def check_survivor(path: Path, words: Iterable[Words], service: RecordService) -> int:
    """Check the journal of somebody who died in the short day, and finish the day's work.

    Returns:
        How many appends had been made when they died.
    """
    told = list(words)
    with Journal(path, actor="heir", origin="tablet-3") as journal:
        entries = check_log(journal)
        check_changes(changes_of(entries), told)
        acknowledged = acknowledged_in(entries)
        assert [word for kind, word in told if kind == "draft"] == acknowledged[: drafts_in(told)]
        check_pushed(entries, service.effects[1:])
        check_views(journal, entries)
        if journal.load(SEEN).version == 0:
            journal.observe(SEEN, SEEN_FIELDS, remote_version=SEEN_VERSION)
        journal.create("Account", {"Name": "Next"}, id="next")
        drain(journal, service, before=1)
        check_views(journal, check_log(journal))
    return len({entry.batch for entry in entries})


def check_changes(changes: Log, told: Sequence[Words]) -> None:
    """Check that each step told as done is there, once, and at most the next one, whole."""
    done = sum(kind == "step" for kind, _ in told)
    assert changes in (days()[done], days()[min(done + 1, len(STEPS))])


def drafts_in(told: Sequence[Words]) -> int:
    """How many drafts were told to be acknowledged."""
    return sum(kind == "draft" for kind, _ in told)


class Life(NamedTuple):
    """A process that lived through the short day, or a part of it."""

    ended_by: int
    told: list[Words]
    appends: int


def lived_until(folder: Path, moment: int) -> Life:
    """Kill a process at the n-th moment of a commit, and check what it leaves."""
    path = folder / f"{moment}.db"
    with (
        service_after() as service,
        child(dying_at, moment, short_day, (str(path), service.url)) as process,
    ):
        told = list(process.words())
        return Life(process.ended_by, told, check_survivor(path, told, service))


def test_every_commit(tmp_path: Path) -> None:
    """Killed before or after any commit, a process loses nothing and does nothing twice."""
    whole = lived_until(tmp_path, NEVER)
    moments = NEVER - int(whole.told[-1][1])

    with ThreadPoolExecutor(2) as two:
        lives = list(two.map(partial(lived_until, tmp_path), range(1, moments + 1)))

    assert whole.ended_by == 0
    assert moments > 2 * whole.appends > 2 * len(STEPS)
    assert {life.ended_by for life in lives} == {signal.SIGKILL}
    assert lives[-1].told == whole.told[:-1]


class Copy(NamedTuple):
    """The files at a moment, and what was told and done by then."""

    moment: Moment
    files: tuple[bytes | None, ...]
    told: tuple[Words, ...]
    effects: tuple[Effect, ...]

    def same_as(self, other: Copy) -> bool:
        """Whether it is the same database, log of changes to it, and service."""
        return (self.files[:2], self.effects) == (other.files[:2], other.effects)

    def restore(self, path: Path) -> None:
        """Write the files."""
        for suffix, content in zip(SIDE_FILES, self.files, strict=True):
            if content is not None:
                Path(f"{path}{suffix}").write_bytes(content)


def copies_of_the_day(path: Path) -> list[Copy]:
    """Live through the short day, copying all that differs before and after each statement.

    Of moments at which the files and the service are the same, only the last is kept: by then
    the most was told.
    """
    copies: list[Copy] = []
    told: list[Words] = []
    with service_after() as service:

        def watch(moment: Moment) -> None:
            files = tuple(_content(Path(f"{path}{suffix}")) for suffix in SIDE_FILES)
            copy = Copy(moment, files, tuple(told), tuple(service.effects))
            if copies and copies[-1].same_as(copy):
                copies.pop()
            copies.append(copy)

        with watching(watch):
            short_day(str(path), service.url, lambda *words: told.append(words))
            watch(Moment("after", "the end", is_commit=False))
    return copies


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def test_every_statement(tmp_path: Path) -> None:
    """The files as they are before and after any statement are a journal with all it told."""
    copies = copies_of_the_day(tmp_path / "day.db")
    for number, copy in enumerate(copies):
        path = tmp_path / f"{number}.db"
        copy.restore(path)
        with service_after(copy.effects) as service:
            check_survivor(path, copy.told, service)


def test_torn_wal(tmp_path: Path) -> None:
    """A WAL that was cut off anywhere, without its index, is a journal with whole transactions."""
    copies = copies_of_the_day(tmp_path / "day.db")
    last = next(copy for copy in reversed(copies) if copy.moment[:2] == ("before", "CLOSE"))
    database, wal, _ = last.files
    assert database is not None
    assert wal is not None
    dice = random.Random(5)  # noqa: S311  a test's
    lengths = sorted({0, 31, 32, *(dice.randrange(len(wal)) for _ in range(12)), len(wal)})
    seen: list[int] = []
    changes: Log = []
    for length in lengths:
        path = tmp_path / f"{length}.db"
        last._replace(files=(database, wal[:length], None)).restore(path)
        with Journal(path, actor="heir", origin="tablet-3") as journal:
            entries = check_log(journal)
            changes = changes_of(entries)
            assert changes in days()
            check_views(journal, entries)
            seen.append(len(entries))
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert changes == days()[-1]


# --- killed at random ------------------------------------------------------------------------


@pytest.mark.parametrize("kills", [10, pytest.param(220, marks=pytest.mark.long)])
def test_random_kills(tmp_path: Path, kills: int) -> None:
    """Killed while it changes, pushes and reads at once, a process loses nothing, each time."""
    dice = random.Random(kills)  # noqa: S311  a test's
    met: Counter[str] = Counter()
    for series in range(0, kills, 10):
        path = tmp_path / f"{series}.db"
        plans: Plans = []
        with RecordService() as service:
            for number in range(10):
                words = words_until_killed(dice, path, service, seed=series + number)
                with Journal(path, actor="heir", origin="tablet-3") as journal:
                    plans = check_restless(journal, plans, words, service, met)

    assert kills < 100 or min(met[case] for case in CASES) > 0, met


def words_until_killed(
    dice: random.Random, path: Path, service: RecordService, seed: int
) -> list[Words]:
    """Kill a process at a moment that the dice choose; return what it had told by then."""
    with child(working, restless_day, (str(path), service.url, seed)) as process:
        words = process.until(dice.randrange(80))
        time.sleep(dice.random() * 0.004)
        process.kill()
        words += process.words()
        assert process.ended_by == signal.SIGKILL
    return words


def check_restless(
    journal: Journal,
    before: Plans,
    words: Sequence[Words],
    service: RecordService,
    met: Counter[str],
) -> Plans:
    """Check the journal of somebody who died in the restless day; return all its changes."""
    entries = check_log(journal)
    willed = [json.loads(word[1]) for word in words if word[0] == "will"]
    done = sum(word[0] == "done" for word in words)
    drafts = [word[1] for word in words if word[0] == "draft"]
    plans = plans_in(entries)
    assert plans in (before + willed[:done], before + willed)
    assert set(drafts) <= set(acknowledged_in(entries))
    check_pushed(entries, service.effects)
    check_views(journal, entries)
    met["stored, not told"] += plans != before + willed[:done]
    met["announced, not stored"] += plans != before + willed
    met["pushed, not acknowledged"] += len(service.effects) > len(acknowledged_in(entries))
    met["drafts left"] += len(acknowledged_in(entries)) < len(pushes_of(entries))
    drain(journal, service)
    return plans


def plans_in(entries: Iterable[Entry]) -> Plans:
    """Return what was carried out, transaction by transaction, as it was told before."""
    plans: Plans = []
    for _, batch in groupby(entries, key=lambda entry: entry.batch):
        plan: list[Any] = []
        for entry in batch:
            match entry.event:
                case RecordCreated(fields=fields):
                    plan.append(["create", entry.stream, fields])
                case RecordUpdated(changes=fields):
                    plan.append(["update", entry.stream, fields])
                case RecordDeleted():
                    plan.append(["delete", entry.stream, {}])
                case _:
                    pass
        if plan:
            plans.append(plan)
    return plans


# --- killed within a commit --------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.skipif(STRACE is None, reason="strace is not installed: it kills at a system call")
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_every_system_call(tmp_path: Path, call: str) -> None:
    """Killed at any write or sync of the disk, a process loses nothing that it told."""
    told: list[Words] = []
    ended_by, number = signal.SIGKILL.value, 0
    while ended_by:
        number += 1
        path = tmp_path / f"{number}.db"
        ended_by, told = killed_at_call(path, call, number)
        assert ended_by in {0, signal.SIGKILL}
        with Journal(path, actor="heir", origin="tablet-3") as journal:
            entries = check_log(journal)
            check_changes(changes_of(entries), told)
            check_views(journal, entries)
            journal.create("Account", {"Name": "Next"}, id="next")
            check_log(journal)

    assert told[-1] == ("step", str(len(STEPS)))
    assert number > len(STEPS)


def killed_at_call(path: Path, call: str, number: int) -> tuple[int, list[Words]]:
    """Live through the short day up to the n-th such call; return what ended it, and was told."""
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    strace = (str(STRACE), "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", inject)
    work = (sys.executable, "-m", "tests.integration.workload", str(path))
    traced = subprocess.run((*strace, *work), stdout=subprocess.PIPE, check=False)
    told = [tuple(line.split(" ")) for line in traced.stdout.decode().splitlines()]
    return -traced.returncode, told
