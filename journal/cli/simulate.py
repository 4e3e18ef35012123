"""The command that tries the library itself: simulate."""

from __future__ import annotations

import click

from journal.cli.progress import bar
from journal.cli.setting import Setting, common_options, pass_setting


@click.command()
@click.option(
    "--seeds", type=click.IntRange(1), default=1000, help="How many seeds; 1000 otherwise."
)
@click.option("--seed", type=click.IntRange(0), help="One seed alone, with all that happens in it.")
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
    begin: int,
    jobs: int,
    whole: bool,  # noqa: FBT001
) -> int:
    """Try the library in a simulated world.

    Each seed is a day on a machine, a disk and a network on which everything goes wrong, against
    a model of a record service. The exit code is 1 where a promise is broken, or where something
    that must be met was not. It needs no journal.
    """
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


def _one(setting: Setting, seed: int, *, is_whole: bool) -> int:
    """Run one seed, and tell all that happened."""
    from journal.testing.simulate.report import lived, outlined
    from journal.testing.simulate.shrinking import shrunk
    from journal.testing.simulate.simulation import simulate as run

    result = run(seed)
    shown = result if is_whole else shrunk(result)
    if setting.is_json:
        setting.output.object(outlined(shown))
    else:
        setting.output.lines(lived(shown))
    return 0 if result.is_kept else 1
