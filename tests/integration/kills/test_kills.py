"""Killed again and again, at any moment, nothing is lost, done twice or stuck."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.integration.crashing import FRESH, PROCESSES
from tests.integration.kills import commands, tally
from tests.integration.kills.checking import CASES, Account
from tests.integration.kills.service import WatchedService
from tests.integration.kills.striking import live_and_die, thrown
from tests.integration.kills.victims import Victim, brief_days, restless_day

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL: Final = ("change", "push", "pull", "read")


class Household(NamedTuple):
    """Who lives in one journal at once."""

    what: str
    roles: dict[str, tuple[str, ...]]
    """By actor."""
    is_fresh: bool = False
    """Whether each is an interpreter of its own, and not the fork of a warm one."""
    day: Callable[..., None] = restless_day
    """What each does."""
    has_conditions: bool = True
    """Whether their changes are conditional; what is in doubt is safe by a look alone if not."""


ONE: Final = Household("a fork that changes, pushes, pulls and reads", {"w1": ALL})
SEVERAL: Final = Household(
    "one of four at once: two that change, two that push",
    {
        "w1": ("change",),
        "w2": ("change", "read"),
        "s1": ("push", "pull"),
        "s2": ("push", "pull", "async"),
    },
)
ONE_FRESH: Final = ONE._replace(what="an interpreter that does all that", is_fresh=True)
UNCONDITIONAL: Final = ONE._replace(
    what="a fork that does all that without conditions", has_conditions=False
)
CLOSING: Final = ONE._replace(
    what="a fork that opens, does a little of that, and closes, again and again", day=brief_days
)
SERIES: Final = 12
"""How many processes die in one journal."""


def killed_in_series(folder: Path, household: Household, kills: int, seed: int) -> Counter[str]:
    """Kill processes in one journal, one life after another; check it now and then, and at last.

    Returns:
        In what they died.
    """
    dice = random.Random(f"{household.what} {seed}")  # noqa: S311  a test's
    path = folder / f"{seed}.db"
    with WatchedService() as service:
        account = Account(path, service)
        lives = kills // len(household.roles)
        for life in range(lives):
            victims = [
                Victim(str(path), service.url, actor, life, roles, household.has_conditions)
                for actor, roles in household.roles.items()
            ]
            strikes = [thrown(dice, victim) for victim in victims]
            try:
                context = FRESH if household.is_fresh else PROCESSES
                told = live_and_die(victims, strikes, service, household.day, context)
                for victim, words in zip(victims, told, strict=True):
                    tally.count(household.what)
                    account.add(victim.actor, words)
                if not household.has_conditions:
                    service.come_to_rest()
                if life == lives - 1 or dice.random() < 0.25:
                    account.check()
            except BaseException as error:
                error.add_note(f"series {seed}, life {life}: {strikes}")
                raise
    return account.met


def killed_in_all(folder: Path, household: Household, kills: int) -> Counter[str]:
    """Kill that many processes in several journals, two at a time; return in what they died."""

    def killed(seed: int) -> Counter[str]:
        return killed_in_series(folder, household, SERIES, seed)

    with ThreadPoolExecutor(2) as two:
        return sum(two.map(killed, range(kills // SERIES)), Counter())


@pytest.mark.parametrize(("household", "kills"), [(UNCONDITIONAL, 12), (SEVERAL, 12)])
def test_some_kills(tmp_path: Path, household: Household, kills: int) -> None:
    """Whoever is killed while it changes, pushes, pulls and reads: nothing is lost, or twice."""
    before = tally.KILLED[household.what]

    killed_in_all(tmp_path, household, kills)

    assert tally.KILLED[household.what] - before == kills


CAMPAIGN: Final = (
    (ONE, 1_080),
    (CLOSING, 240),
    (UNCONDITIONAL, 324),
    (SEVERAL, 360),
    (ONE_FRESH, 156),
)
ENOUGH: Final = 2_000
"""How many there must be in the campaign, beside the commands and the system calls."""


# --- commands ----------------------------------------------------------------------------------


def commands_killed(folder: Path, command: str, kills: int, seed: int) -> None:
    """Kill one command after another in one journal; check it now and then, and at last."""
    dice = random.Random(f"{command} {seed}")  # noqa: S311  a test's
    path = folder / f"{command}-{seed}.db"
    with WatchedService() as service:
        account = Account(path, service)
        killed = 0
        for life in range(3 * kills):
            account.add(commands.CLERK, commands.written(path, life))
            for _ in range(commands.WRITES):
                service.write_beside()
            strike = commands.thrown(dice, command)
            try:
                if commands.is_killed(command, path, service, strike):
                    tally.count(f"draft-journal {command}")
                    killed += 1
                if killed == kills or dice.random() < 0.25:
                    account.check()
            except BaseException as error:
                error.add_note(f"{command}, series {seed}, life {life}: {strike}")
                raise
            if killed == kills:
                return
    raise AssertionError(f"only {killed} of {kills} commands were alive when they were struck")


@pytest.mark.parametrize("kills", [2, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("command", commands.COMMANDS)
def test_commands(tmp_path: Path, command: str, kills: int) -> None:
    """Whenever a command is killed, the next one goes on: nothing is lost, or done twice."""
    with ThreadPoolExecutor(2) as two:
        series = range(max(1, kills // SERIES))
        list(two.map(partial(commands_killed, tmp_path, command, min(kills, SERIES)), series))


@pytest.mark.long
@pytest.mark.parametrize(("household", "kills"), CAMPAIGN)
def test_many_kills(tmp_path: Path, household: Household, kills: int) -> None:
    """The same for thousands of them, and every case of what is left behind was met."""
    assert sum(kills for _, kills in CAMPAIGN) >= ENOUGH
    before = tally.KILLED[household.what]

    met = killed_in_all(tmp_path, household, kills)

    print(*(f"{count:7,}  {name}" for name, count in met.most_common()), sep="\n")
    assert tally.KILLED[household.what] - before == kills
    assert min(met[case] for case in CASES) > 0, met
