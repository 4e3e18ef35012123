"""Where quick actions come from: what is named with ``--app``, and what is installed to offer some.

Nothing is imported that nobody has named or installed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from journal.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

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
        raise _failed(f"{point.name} = {point.value}", error) from error


def _named(app: str) -> Actions:
    """Return the actions that an argument names.

    Raises:
        ActionError: they cannot be imported, or there are none.
    """
    where, colon, name = app.rpartition(":")
    if not (colon and where and name):
        raise ActionError(
            app, "is not where actions are", hint="write module:name, or path/to/file.py:name"
        )
    try:
        module = _file(Path(where)) if where.endswith(".py") else import_module(where)
    except ActionError:
        raise
    except Exception as error:
        raise _failed(app, error) from error
    if not hasattr(module, name):
        raise ActionError(app, f"there is no {name} in it", hint="name the Actions of the module")
    return _checked(app, getattr(module, name))


def _file(path: Path) -> ModuleType:
    """Return the module that one file is; nothing beside it is found by its name.

    Raises:
        ActionError: there is no such file.
    """
    if not path.is_file():
        raise ActionError(str(path), "there is no such file", hint="check the name")
    name = f"draft_journal_app_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101  its name ends in .py
    assert spec.loader is not None  # noqa: S101  the same
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


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


def _failed(where: str, error: Exception) -> ActionError:
    return ActionError(where, f"cannot be imported: {type(error).__name__}: {error}")
