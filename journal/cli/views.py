"""The projections of a host that a command is to look at: those that are named, and no others."""

from __future__ import annotations

from inspect import isabstract
from typing import TYPE_CHECKING, Final

import click

from journal.cli import wording
from journal.cli.named import NamedError, named

if TYPE_CHECKING:
    from projections import Projection


def _as_projections(
    context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[type[Projection], ...]:
    """Return the projections that are named."""
    if context.resilient_parsing:
        return ()
    return tuple(map(_projection, values))


def _projection(text: str) -> type[Projection]:
    """Return the projection that an argument names.

    Raises:
        click.BadParameter: there is none.
    """
    from projections import Projection

    try:
        found = named(text, "a projection is", "name a class that derives from Projection")
    except NamedError as error:
        raise click.BadParameter(wording.harmless(str(error))) from error
    if not (isinstance(found, type) and issubclass(found, Projection)):
        raise click.BadParameter(
            f"{wording.harmless(text)}: it is no projection; name a class that derives from "
            "projections.Projection, which is made with the journal alone"
        )
    if isabstract(found) or not (hasattr(found, "name") and hasattr(found, "tables")):
        raise click.BadParameter(
            f"{wording.harmless(text)}: it is no whole projection; give it a name, tables and "
            "apply(), or name one that has them"
        )
    return found


projection_option: Final = click.option(
    "--projection",
    "own",
    metavar="MODULE:NAME",
    multiple=True,
    callback=_as_projections,
    help="A projection of yours: of a module that is installed, or FILE.py:NAME; may be given "
    "several times.",
)
