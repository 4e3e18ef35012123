"""A process killed at any moment leaves a journal that has all it said it had, once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from http.client import HTTPConnection
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import pytest

from journal import Journal
from journal.testing.crashing import Moment, watching
from journal.testing.service import Effect, RecordService
from tests.integration.crashing import child, dying_at
from tests.integration.kills import tally
from tests.integration.oracle import (
    acknowledged_in,
    changes_of,
    check_log,
    check_pushed,
    check_views,
    drain,
)
from tests.integration.workload import (
    SEEN,
    SEEN_FIELDS,
    SEEN_VERSION,
    STEPS,
    live,
    short_day,
)
from tests.replay.fixed import FixedSources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.integration.crashing import Words
    from tests.integration.oracle import Change

SIDE_FILES = ("", "-wal", "-shm")
STRACE = shutil.which("strace")
PRIMING = Effect(1, "PUT", f"/{SEEN.type}/{SEEN.id}", SEEN_FIELDS)
"""What the service has seen before the journal begins."""

CALLS = ("fdatasync", "pwrite64", "flock", "ftruncate", "unlink", "sendto", "recvfrom")
"""What a journal asks of the disk, and a sender of the network."""
WAVE = 8
"""How many processes are killed at once before it is looked whether one came to its end."""

NEVER = 1_000_000
"""A moment that does not come in a short day."""

Log: TypeAlias = "list[tuple[Change, ...]]"


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


# --- killed within a commit --------------------------------------------------------------------


@pytest.mark.skipif(STRACE is None, reason="strace is not installed: it kills at a system call")
@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        ("fdatasync", (9,)),
        ("pwrite64", (99,)),
        ("sendto", (9,)),
        *(pytest.param(call, None, marks=pytest.mark.long) for call in CALLS),
    ],
)
def test_every_system_call(tmp_path: Path, call: str, numbers: Iterable[int] | None) -> None:
    """Killed at any write, sync or lock of a file, or at any request: nothing is lost, or twice."""
    lives: list[Life] = []
    with ThreadPoolExecutor(2) as two:
        following = iter(numbers or count(1))
        while wave := list(islice(following, WAVE)):
            lives += two.map(partial(killed_at_call, tmp_path, call), wave)
            if lives[-1].ended_by != signal.SIGKILL:
                break

    killed = [life for life in lives if life.ended_by == signal.SIGKILL]
    whole = lives[len(killed) :]
    tally.KILLED[f"a process at a call of {call}"] += len(killed)
    assert {life.ended_by for life in whole} <= {0}
    assert {life.told[-1] for life in whole} <= {("step", str(len(STEPS)))}
    assert bool(whole) is (numbers is None)
    assert killed


def killed_at_call(folder: Path, call: str, number: int) -> Life:
    """Live through the short day up to the n-th such call, and check what is left."""
    path = folder / f"{number}.db"
    what = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    strace = (str(STRACE), "-f", "-qq", "-o", os.devnull, *what)
    with service_after() as service:
        work = (sys.executable, "-m", "tests.integration.workload", str(path), service.url)
        traced = subprocess.run((*strace, *work), stdout=subprocess.PIPE, check=False)
        told = [tuple(line.split(" ")) for line in traced.stdout.decode().splitlines()]
        return Life(-traced.returncode, told, check_survivor(path, told, service))
