"""Commands that are killed while they talk to a service: push, and pull."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from signal import SIGKILL
from typing import TYPE_CHECKING, Final

from journal import Journal
from tests.integration.kills.striking import PATIENCE_S, Strike, Striker
from tests.integration.kills.victims import carry_out, profile
from tests.integration.workload import plans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.crashing import Words
    from tests.integration.kills.service import WatchedService

COMMANDS: Final = ("push", "pull")
PLANS: Final = 12
"""How many transactions wait to be pushed by each command."""
WRITES: Final = 12
"""How many writes of others wait to be pulled by each command."""
CLERK: Final = "clerk"
REQUESTS: Final = {"push": 12, "pull": 3}
"""After how many requests at most a command is killed."""


def written(path: Path, life: int) -> list[Words]:
    """Make changes, quietly; return what somebody would have told who does so."""
    dice = random.Random(f"{path} {life}")  # noqa: S311  a test's
    told: list[Words] = []
    with Journal(path, actor=CLERK, origin="tablet-3") as journal:
        for plan, _ in zip(plans(dice, f"{CLERK}-{life}", []), range(PLANS), strict=False):
            carry_out(journal, plan)
            told += [("will", json.dumps(plan)), ("done",)]
    return told


def thrown(dice: random.Random, command: str) -> Strike:
    """Return a strike for a command."""
    how = dice.choice(("lost", "late", "done", "answered"))
    delay_s = (0.1 if how == "answered" else 0.004) * dice.random()
    return Strike("request", dice.randint(1, REQUESTS[command]), how, delay_s)  # type: ignore[arg-type]


def is_killed(command: str, path: Path, service: WatchedService, strike: Strike) -> bool:
    """Run a command until it is struck; say whether it was alive then, and died of it.

    Raises:
        AssertionError: it failed.
    """
    settings = path.with_suffix(".toml")
    settings.write_text("\n".join(_lines(profile(service.url, command))), encoding="utf-8")
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "journal", "--journal", str(path)),
            *(command, "--remote", str(settings), "--attempts", "1"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1"},
    ) as process:
        striker = Striker(strike, process.kill)
        service.meets[command] = striker.meet
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in {0, -SIGKILL}, said.decode()
    assert process.returncode == 0 or striker.has_struck
    return process.returncode != 0


def _lines(table: dict[str, object], *above: str) -> Iterator[str]:
    """Yield a profile as TOML."""
    for name, value in table.items():
        if not isinstance(value, dict):
            yield f"{name} = {json.dumps(value)}"
    for name, value in table.items():
        if isinstance(value, dict):
            yield f"[{'.'.join((*above, name))}]"
            yield from _lines(value, *above, name)
