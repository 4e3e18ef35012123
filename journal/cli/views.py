"""The views of a host that a command is to look at: those that are named, and no others."""

from __future__ import annotations

from collections import Counter
from inspect import isabstract
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import click

from journal.cli import wording
from journal.cli.named import NamedError, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal import Journal
    from projections import Fold, Projection

_HINT: Final = (
    "name a class that derives from projections.Projection, which is made with the journal alone, "
    "or a function of the journal that returns a projections.Fold"
)


class Own(NamedTuple):
    """What was named."""

    projections: tuple[type[Projection], ...]
    makers: tuple[tuple[str, Callable[[Journal], object]], ...]
    """What makes each fold, with its name on the command line."""

    def folds(self, journal: Journal) -> list[Fold[Any]]:
        """Return the folds of a journal, each called by its name on the command line.

        Raises:
            click.BadParameter: a function returns none, or two are called the same.
        """
        from projections import Fold

        class Called(Fold[Any]):
            """A fold that has a name of its own."""

            name = ""

        found: list[Fold[Any]] = []
        for name, make in self.makers:
            try:
                made = make(journal)
            except Exception as error:  # noqa: BLE001  whatever a function of the host raises
                said = f"{type(error).__name__}: {error}"
                _refuse(name, f"it makes nothing of a journal: {said}; {_HINT}")
            if not isinstance(made, Fold):
                _refuse(name, f"it returns {type(made).__name__}, and no projections.Fold; {_HINT}")
            called = Called(journal, made.initial, made.evolve)
            called.name = name
            found.append(called)
        names = Counter([*(fold.name for fold in found), *(v.name for v in self.projections)])
        for name, count in names.items():
            if count > 1 and name in {fold.name for fold in found}:
                _refuse(name, "two views are called so; name each once")
        return found


def _as_own(context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Own:
    """Return the views that are named."""
    if context.resilient_parsing:
        return Own((), ())
    from projections import Projection

    found = [(text, _found(text)) for text in values]
    return Own(
        tuple(v for _, v in found if isinstance(v, type) and issubclass(v, Projection)),
        tuple(
            (text.rpartition(":")[2], _maker(view))
            for text, view in found
            if not (isinstance(view, type) and issubclass(view, Projection))
        ),
    )


def _maker(view: Any) -> Callable[[Journal], object]:  # noqa: ANN401  whatever was named
    """Return what makes a fold of a journal; of another journal, its function is the same."""
    from projections import Fold

    return (lambda _journal: view) if isinstance(view, Fold) else view


def _found(text: str) -> object:
    """Return the projection, the fold, or what makes one, that an argument names.

    Raises:
        click.BadParameter: there is none.
    """
    from projections import Fold, Projection

    try:
        found = named(text, "a projection is", _HINT)
    except NamedError as error:
        raise click.BadParameter(wording.harmless(str(error))) from error
    if isinstance(found, Fold):
        return found
    kind = found if isinstance(found, type) else None
    if not callable(found) or (kind is not None and not issubclass(kind, (Fold, Projection))):
        _refuse(text, f"it is no projection, and no fold; {_HINT}")
    is_whole = not isabstract(found) and hasattr(found, "name") and hasattr(found, "tables")
    if kind is not None and issubclass(kind, Projection) and not is_whole:
        _refuse(
            text,
            "it is no whole projection; give it a name, tables and apply(), or name one that has "
            "them",
        )
    return found


def _refuse(text: str, problem: str) -> NoReturn:
    raise click.BadParameter(f"{wording.harmless(text)}: {problem}")


projection_option: Final = click.option(
    "--projection",
    "own",
    metavar="MODULE:NAME",
    multiple=True,
    callback=_as_own,
    help="A projection of yours, or a function of the journal that returns a Fold: of a module "
    "that is installed, or FILE.py:NAME; may be given several times.",
)
