"""One run of a scenario, and what came of it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, NamedTuple

from journal.testing.simulate.ears import heard
from journal.testing.simulate.files import FileDisk
from journal.testing.simulate.parts import REAL, Parts
from journal.testing.simulate.storage import Crashed, Disk
from journal.testing.simulate.traces import Broken, Violation
from journal.testing.simulate.workload import scenario_of
from journal.testing.simulate.world import World

if TYPE_CHECKING:
    from journal.testing.simulate.counts import Counts
    from journal.testing.simulate.scenario import Places, Scenario


class Result(NamedTuple):
    """What came of a run."""

    scenario: Scenario
    violation: Violation | None
    """The promise that was broken; None where all were kept."""
    trace: tuple[str, ...]
    """What happened, line by line."""
    hash: str
    """Of the trace: the same for the same scenario, on any machine."""
    counts: Counts
    requests: int
    effects: int
    virtual_s: float
    """How long it took, on the clock of the simulated world."""
    places: Places
    """Where something could go wrong."""
    struck: Places
    """How far it was when something went wrong last."""

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        return self.violation is None


def simulate(seed: int, parts: Parts = REAL, scenario: Scenario | None = None) -> Result:
    """Run what a seed stands for, or another scenario, to its end, or to the first violation.

    Args:
        seed: of the scenario.
        parts: what the simulated processes are made of.
        scenario: to be run in the place of the one that the seed stands for.
    """
    scenario = scenario or scenario_of(seed)
    world = World(scenario, parts, FileDisk if scenario.knobs.on_file else Disk)
    violation = None
    try:
        with heard(world):
            world.run()
    except Broken as broken:
        violation = broken.violation
    except (Exception, Crashed) as error:  # noqa: BLE001  it is judged
        where = " < ".join(
            f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})"
            for frame in reversed(traceback.extract_tb(error.__traceback__)[-4:])
        )
        violation = Violation("I22", world.clock.now_s, f"{error!r} in {where}")
    finally:
        world.close()
    if violation is not None:
        world.trace.say("world", f"BROKEN {violation}")
    return Result(
        scenario,
        violation,
        tuple(world.trace.lines),
        world.trace.hash(),
        world.counts,
        world.network.count,
        len(world.service.effects),
        world.clock.now_s,
        world.places,
        world.struck,
    )
