"""Many seeds, over the cores of the machine: what was met, and what was broken."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.testing.simulate.counts import Counts
from journal.testing.simulate.parts import REAL
from journal.testing.simulate.simulation import simulate
from journal.testing.simulate.workers import cores, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.testing.simulate.parts import Parts

CHUNK: Final = 50
"""How many seeds a worker runs before it tells of them."""
REPEATED: Final = 20
"""How many seeds of a campaign are run a second time, in a process with another hash seed."""
ENOUGH: Final = 1_000
"""From how many seeds on a campaign must have met everything."""


class Failure(NamedTuple):
    """A seed that broke a promise."""

    seed: int
    text: str


class Chunk(NamedTuple):
    """What came of some seeds."""

    seeds: int
    operations: int
    requests: int
    effects: int
    virtual_s: float
    counts: Counts
    failures: tuple[Failure, ...]


class Campaign(NamedTuple):
    """What came of a campaign."""

    seeds: int
    jobs: int
    seconds: float
    operations: int
    requests: int
    effects: int
    virtual_s: float
    counts: Counts
    failures: tuple[Failure, ...]
    differing: tuple[int, ...]
    """Seeds whose trace was another one in another process (I30)."""
    missing: tuple[str, ...]
    """What was never met, though it had to be (I31)."""

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept, and everything met."""
        return not (self.failures or self.differing or self.missing)


def run_chunk(seeds: range, parts: Parts = REAL) -> Chunk:
    """Run some seeds, one after another."""
    counts, failures = Counts(), []
    operations = requests = effects = 0
    virtual_s = 0.0
    for seed in seeds:
        result = simulate(seed, parts)
        counts.add(result.counts)
        operations += len(result.scenario.operations)
        requests += result.requests
        effects += result.effects
        virtual_s += result.virtual_s
        if result.violation is not None:
            failures.append(Failure(seed, str(result.violation)))
    return Chunk(len(seeds), operations, requests, effects, virtual_s, counts, tuple(failures))


def campaign(  # noqa: PLR0913, PLR0917  keywords, each with a default
    seeds: int,
    begin: int = 0,
    jobs: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    most_failures: int = 10,
    enough: int = ENOUGH,
) -> Campaign:
    """Run many seeds.

    Args:
        seeds: how many.
        begin: the first of them.
        jobs: how many processes run them; one for each core where that is 0.
        progress: told how many are done, and how many there are.
        most_failures: after how many failures no more are begun.
        enough: from how many seeds on everything must have been met.
    """
    began_s = perf_counter()
    total = Chunk(0, 0, 0, 0, 0.0, Counts(), ())
    end = begin + seeds
    ranges = [range(first, min(first + CHUNK, end)) for first in range(begin, end, CHUNK)]
    jobs = min(jobs or cores(), len(ranges))
    for chunk in spread(run_chunk, ranges, jobs):
        total = _sum(total, chunk)
        progress(total.seeds, seeds)
        if len(total.failures) >= most_failures:
            break
    differing = tuple(_differing(range(begin, begin + min(seeds, REPEATED))))
    missing = tuple(total.counts.missing()) if total.seeds >= enough else ()
    seconds = perf_counter() - began_s
    return Campaign(total.seeds, jobs, seconds, *total[1:], differing, missing)


def _sum(total: Chunk, chunk: Chunk) -> Chunk:
    total.counts.add(chunk.counts)
    failures = total.failures + chunk.failures
    return Chunk(
        total.seeds + chunk.seeds,
        total.operations + chunk.operations,
        total.requests + chunk.requests,
        total.effects + chunk.effects,
        total.virtual_s + chunk.virtual_s,
        total.counts,
        failures,
    )


def hashes(seeds: range) -> list[str]:
    """Return the hash of the trace of each seed."""
    return [simulate(seed).hash for seed in seeds]


def _differing(seeds: range) -> Iterator[int]:
    """Yield the seeds whose trace is another one in a process with another hash seed (I30)."""
    here = hashes(seeds)
    script = (
        "from journal.testing.simulate.campaigns import hashes; "
        f"print(*hashes(range({seeds.start}, {seeds.stop})))"
    )
    path = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": path, "TZ": "Asia/Tokyo"},
    )
    for seed, first, second in zip(seeds, here, done.stdout.split(), strict=True):
        if first != second:
            yield seed
