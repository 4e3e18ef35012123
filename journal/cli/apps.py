"""Where quick actions come from: what is named with ``--app``, and what is installed to offer some.

Nothing is imported that nobody has named or installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from journal.cli.named import NamedError, failed, named
from journal.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from journal import Actions

GROUP: Final = "draft_journal.actions"
"""The entry points of packages that offer actions; each is an `Actions`."""

app_option: Final = click.option(
    "--app",
    "apps",
    metavar="MODULE:NAME",
    multiple=True,
    help="Quick actions: of a module that is installed, or FILE.py:NAME.",
)
plugins_option: Final = click.option(
    "--plugins/--no-plugins",
    default=True,
    help="Whether to ask installed packages for quick actions, too.",
)


def actions_of(apps: Iterable[str], *, with_plugins: bool, note: Callable[[str], None]) -> Actions:
    """Return the actions that are named, and those that are installed.

    An installed package that fails is told of, and holds up nothing else.

    Args:
        apps: each as ``module:name`` or ``path/to/file.py:name``.
        with_plugins: whether installed packages are asked.
        note: told what was left out, in a line.

    Raises:
        ActionError: what was named cannot be imported, or holds no actions.
    """
    from journal import Actions

    found = Actions()
    for app in apps:
        for action in _named(app):
            found.add(action)
    if with_plugins:
        from importlib.metadata import entry_points

        for point in sorted(entry_points(group=GROUP)):
            try:
                offered = _checked(f"{point.name} = {point.value}", _loaded(point))
                for action in offered:
                    found.add(action)
            except ActionError as error:
                note(f"left out: {error}")
    return found


def _loaded(point: Any) -> object:  # noqa: ANN401  an entry point
    """Return what an installed package offers.

    Raises:
        ActionError: it cannot be imported.
    """
    try:
        return point.load()
    except Exception as error:
        raise _refused(failed(f"{point.name} = {point.value}", error)) from error


def _named(app: str) -> Actions:
    """Return the actions that an argument names.

    Raises:
        ActionError: they cannot be imported, or there are none.
    """
    try:
        return _checked(app, named(app, "actions are", "name the Actions of the module"))
    except NamedError as error:
        raise _refused(error) from error.__cause__


def _refused(error: NamedError) -> ActionError:
    return ActionError(error.where, error.problem, hint=error.hint)


def _checked(where: str, found: object) -> Actions:
    """Return what was found, if these are actions.

    Raises:
        ActionError: they are not.
    """
    from journal import Actions

    if isinstance(found, Actions):
        return found
    raise ActionError(
        where,
        f"is {type(found).__name__}, and no Actions",
        hint="write actions = journal.Actions() there, and register them with @actions.action",
    )
