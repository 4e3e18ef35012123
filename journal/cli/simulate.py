"""The command that tries the library itself: simulate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from journal.cli.progress import bar
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from journal.testing.simulate.simulation import Result

_TAKES: Final = {
    "case": {"whole"},
    "exhaustive": {"only", "jobs"},
    "seed": {"whole"},
    "seeds": {"begin", "jobs"},
}
"""What goes with each of the ways to say what is run."""


@click.command()
@click.option(
    "--seeds", type=click.IntRange(1), default=1000, help="How many seeds; 1000 otherwise."
)
@click.option("--seed", type=click.IntRange(0), help="One seed alone, with all that happens in it.")
@click.option(
    "--exhaustive",
    type=click.IntRange(1, 3),
    is_flag=False,
    flag_value=3,
    metavar="[LENGTH]",
    help="Instead, every workload of up to so many operations, 3 where none is said, with a crash "
    "at every call.",
)
@click.option("--only", default="", help="Of those, the ones whose name begins so.")
@click.option("--case", help="One of those alone, by its name, with all that happens in it.")
@click.option("--begin", type=click.IntRange(0), default=0, help="The first seed; 0 otherwise.")
@click.option(
    "--jobs", type=click.IntRange(0), default=0, help="How many processes; one a core otherwise."
)
@click.option("--whole", is_flag=True, help="Do not make the trace of a seed that fails short.")
@common_options
@pass_setting
def simulate(  # noqa: PLR0913, PLR0917  one for each option
    setting: Setting,
    seeds: int,
    seed: int | None,
    exhaustive: int | None,
    only: str,
    case: str | None,
    begin: int,
    jobs: int,
    whole: bool,  # noqa: FBT001
) -> int:
    """Try the library in a simulated world.

    Each seed is a day on a machine, a disk and a network on which everything goes wrong, against
    a model of a record service. The exit code is 1 where a promise is broken, or where something
    that must be met was not. It needs no journal.
    """
    _check_together()
    if case is not None:
        return _case(setting, case, is_whole=whole)
    if exhaustive is not None:
        return _all(setting, exhaustive, jobs, only)
    if seed is not None:
        return _one(setting, seed, is_whole=whole)
    from journal.testing.simulate.campaigns import campaign
    from journal.testing.simulate.report import described, told

    with bar(setting, "simulating") as move:
        found = campaign(seeds, begin, jobs, move)
    if setting.is_json:
        setting.output.object(described(found))
    else:
        setting.output.lines(told(found))
    return 0 if found.is_kept else 1


def _check_together() -> None:
    """Refuse what would be passed over, for it says something of another way to run.

    Raises:
        UsageError: two options do not go together.
    """
    context = click.get_current_context()
    source = context.get_parameter_source
    names = [*_TAKES, *sorted(set().union(*_TAKES.values()))]
    given = [name for name in names if source(name) is ParameterSource.COMMANDLINE]
    way = next((name for name in given if name in _TAKES), "seeds")
    for name in given:
        if name != way and name not in _TAKES[way]:
            with_what = f"--{way}" if way in given else "a campaign"
            raise click.UsageError(f"--{name} does not go with {with_what}")


def _one(setting: Setting, seed: int, *, is_whole: bool) -> int:
    """Run one seed, and tell all that happened."""
    from journal.testing.simulate.simulation import simulate as run

    return _shown(setting, run(seed), is_whole=is_whole)


def _case(setting: Setting, name: str, *, is_whole: bool) -> int:
    """Run one case of a short workload, and tell all that happened."""
    from journal.testing.simulate.cases import case_of
    from journal.testing.simulate.report import CASE

    try:
        case = case_of(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return _shown(setting, case.run(), is_whole=is_whole, again=f"{CASE} {name}")


def _shown(setting: Setting, result: Result, *, is_whole: bool, again: str = "") -> int:
    """Tell all that happened in a run; one that has broken a promise is made short first."""
    from journal.testing.simulate.report import lived, outlined
    from journal.testing.simulate.shrinking import shrunk

    shown = result if is_whole else shrunk(result)
    if setting.is_json:
        setting.output.object(outlined(shown))
    else:
        setting.output.lines(lived(shown, again))
    return 0 if result.is_kept else 1


def _all(setting: Setting, length: int, jobs: int, only: str) -> int:
    """Run every case of every short workload."""
    from journal.testing.simulate.exhaustive import exhaust
    from journal.testing.simulate.report import listed, tried

    try:
        with bar(setting, "every short workload") as move:
            found = exhaust(length, jobs, move, only=only)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if setting.is_json:
        setting.output.object(listed(found))
    else:
        setting.output.lines(tried(found))
    return 0 if found.is_kept else 1
