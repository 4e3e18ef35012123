"""Pushes of drafts, one at a time, beside a bare loop of httpx that sends the same requests."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing, contextmanager
from itertools import count, islice
from queue import Queue
from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import httpx

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from tests.bench import raw, workload
from tests.bench.race import Result, growth, parts, race, rate

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from journal.sync import Progress
    from tests.bench.race import Contender

_HEADERS: Final = {"If-None-Match": "*", "Content-Type": "application/json"}
ROUND: Final = 50
"""Drafts in a round: few, so that what disturbs the machine disturbs both."""
FEW, MANY = 500, 5_000
"""Updates of one record, to see whether the cost of one grows with their number."""


@contextmanager
def service() -> Iterator[str]:
    """Run a record service in a process of its own; yield where it is."""
    command = [sys.executable, "-u", "-m", "journal.testing.service", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield next(word for word in line.split() if word.startswith("http://"))
        finally:
            process.terminate()


def results(folder: Path, drafts: int, waits: int) -> list[Result]:
    """Race the subscriber against the bare loop, and time how soon an idle one sends."""
    with service() as url:
        return [
            *_one_at_a_time(folder, url, drafts),
            *_first_request(folder, url, waits),
            *_one_record(folder, url),
        ]


def _one_at_a_time(folder: Path, url: str, drafts: int) -> list[Result]:
    rounds = drafts // ROUND
    with (
        Journal(folder / "pushed.db") as journal,
        Subscriber(journal, HttpRemote(Profile.of({"url": url}))) as subscriber,
        closing(httpx.Client(trust_env=False)) as client,
        closing(raw.created(folder / "bare.db")) as connection,
    ):
        contenders: dict[str, Contender] = {
            "push": _pushes(journal, subscriber),
            "bare": _bare(client, url),
            "durable": _durable(client, url, connection, drafts + ROUND),
        }
        s = race(contenders, rounds)
    name = f"{drafts:,} drafts pushed, one at a time / bare httpx"
    least = "the same / bare httpx, two rows durable after each"
    return [
        rate("P", name, ours_s=s["push"], reference_s=s["bare"], count=ROUND, at_least=0.6),
        rate("P", least, ours_s=s["push"], reference_s=s["durable"], count=ROUND),
    ]


def _pushes(journal: Journal, subscriber: Subscriber) -> Contender:
    number = count()

    def prepared() -> Any:  # noqa: ANN401  what is timed
        with journal.batch():
            for _ in range(ROUND):
                n = next(number)
                journal.create("Visit", workload.fields(n), id=f"ours-{n}")
        return subscriber.drain

    return prepared


def _bare(client: httpx.Client, url: str) -> Contender:
    number = count()

    def prepared() -> Any:  # noqa: ANN401  what is timed
        bodies = _bodies(url, "bare", number)

        def run() -> None:
            for to, body in bodies:
                client.put(to, content=body, headers=_HEADERS).raise_for_status()

        return run

    return prepared


def _durable(
    client: httpx.Client, url: str, connection: sqlite3.Connection, drafts: int
) -> Contender:
    """Send, and store two ready rows: the least that an acknowledgement and a beginning cost."""
    number = count()
    rows = workload.sealed(list(workload.settled(workload.refs(drafts), 2 * drafts, 0)), 2)
    pairs = iter(parts(rows, 2))

    def prepared() -> Any:  # noqa: ANN401  what is timed
        bodies = _bodies(url, "durable", number)

        def run() -> None:
            for (to, body), pair in zip(bodies, pairs, strict=False):
                client.put(to, content=body, headers=_HEADERS).raise_for_status()
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(raw.INSERT, pair)
                connection.execute("COMMIT")

        return run

    return prepared


def _bodies(url: str, name: str, number: Iterator[int]) -> list[tuple[str, bytes]]:
    """Return what one round sends: where to, and the records."""
    return [
        (f"{url}/Visit/{name}-{n}", json.dumps(workload.fields(n)).encode())
        for n in islice(number, ROUND)
    ]


def _first_request(folder: Path, url: str, waits: int) -> list[Result]:
    """Time how long it takes from an append until its request leaves, with nothing else to do."""
    told: Queue[float] = Queue()
    done: Queue[None] = Queue()

    def tell(progress: Progress) -> None:
        if progress.step == "acknowledged":
            done.put(None)

    seconds = []
    with Journal(folder / "idle.db") as journal:
        remote = _Telling(HttpRemote(Profile.of({"url": url})), told)
        with Subscriber(journal, remote, progress=tell).start():
            for n in range(waits):
                journal.create("Visit", workload.fields(n), id=f"idle-{n}")
                returned = perf_counter()
                seconds.append(told.get(timeout=30) - returned)
                done.get(timeout=30)
    hundredths = quantiles(seconds[1:], n=100)
    middle_us, late_us = hundredths[49] * 1e6, hundredths[98] * 1e6
    name = "append to request, nothing else to do, p50 | p99"
    return [Result("P", name, middle_us, late_us, "us", middle_us / late_us, "", None)]


class _Telling:
    """A remote that tells when the first request of a push leaves."""

    def __init__(self, remote: HttpRemote, told: Queue[float]) -> None:
        self._remote, self._told = remote, told
        self.url, self.headers = remote.url, remote.headers

    def push(self, push: Any) -> Any:  # noqa: ANN401  as every remote does
        self._told.put(perf_counter())
        return (yield from self._remote.push(push))


def _one_record(folder: Path, url: str) -> list[Result]:
    """Compare the cost of an update where few, and where many, of one record are pending."""
    took = {}
    for size in (FEW, MANY):
        with Journal(folder / f"one-{size}.db") as journal:
            ref = journal.create("Visit", workload.fields(0), id=f"one-{size}")
            with journal.batch():
                for n in range(size):
                    journal.update(ref, workload.change(n + 1))
            with Subscriber(journal, HttpRemote(Profile.of({"url": url}))) as subscriber:
                began = perf_counter()
                assert subscriber.drain().pending == 0
                took[size] = (perf_counter() - began) / size
    name = f"a push, {MANY:,} / {FEW} drafts of one record pending"
    return [growth("P", name, large_s=took[MANY], small_s=took[FEW], at_most=1.5)]
