"""What an argument names, in a module that is installed or in a file: nothing else is imported."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


class NamedError(Exception):
    """What was named cannot be had."""

    def __init__(self, where: str, problem: str, hint: str = "") -> None:
        """Say what is wrong with what stands there, and how to mend it."""
        super().__init__(f"{where}: {problem}{hint and '; '}{hint}")
        self.where = where
        self.problem = problem
        self.hint = hint


def named(text: str, sought: str, hint: str) -> object:
    """Return what ``module:name`` or ``path/to/file.py:name`` names.

    Args:
        text: that.
        sought: what is looked for, in words: ``actions are``.
        hint: what to name in a module that has nothing of that name.

    Raises:
        NamedError: it cannot be imported, or there is nothing of that name.
    """
    where, colon, name = text.rpartition(":")
    if not (colon and where and name):
        raise NamedError(
            text, f"is not where {sought}", "write module:name, or path/to/file.py:name"
        )
    try:
        module = _file(Path(where)) if where.endswith(".py") else import_module(where)
    except NamedError:
        raise
    except Exception as error:
        raise failed(text, error) from error
    if not hasattr(module, name):
        raise NamedError(text, f"there is no {name} in it", hint)
    return getattr(module, name)


def failed(where: str, error: Exception) -> NamedError:
    """Return what is said of a module that cannot be imported."""
    is_missing = isinstance(error, ModuleNotFoundError)
    hint = "install it, or write path/to/file.py:name" if is_missing else ""
    return NamedError(where, f"cannot be imported: {type(error).__name__}: {error}", hint)


def _file(path: Path) -> ModuleType:
    """Return the module that one file is; nothing beside it is found by its name.

    Raises:
        NamedError: there is no such file.
    """
    if not path.is_file():
        raise NamedError(str(path), "there is no such file", "check the name")
    name = f"draft_journal_app_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101  its name ends in .py
    assert spec.loader is not None  # noqa: S101  the same
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
