"""What another process needs to replay a projection, or a fold: where it is imported from."""

from __future__ import annotations

import pickle
import sys
from copy import deepcopy
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from projections.fold import Fold
    from projections.projection import Projection


def is_importable(view: type[Projection]) -> bool:
    """Say whether another process can import a projection, by its name or from its file."""
    if "<locals>" in view.__qualname__:
        return False
    module = sys.modules.get(view.__module__)
    return module is not None and _found(module, view.__qualname__) is view


def _found(module: object, name: str) -> object:
    try:
        return attrgetter(name)(module)
    except AttributeError:
        return None


def named(view: type[Projection]) -> list[str | None]:
    """Return by what another process imports a projection: its module, its name, and the file."""
    file = getattr(sys.modules[view.__module__], "__file__", None)
    return [view.__module__, view.__qualname__, None if file is None else str(Path(file).resolve())]


def imported(module: str, name: str, file: str | None) -> Any:  # noqa: ANN401  whatever it is
    """Return a thing by its module, or from the file of that where it is not on the path."""
    try:
        found = None if module == "__main__" else _found(import_module(module), name)
    except ImportError:
        found = None
    spec = None if found or file is None else spec_from_file_location("replayed", file)
    if spec is not None and spec.loader is not None:
        made = module_from_spec(spec)
        sys.modules["replayed"] = made
        spec.loader.exec_module(made)
        found = _found(made, name)
    if found is None:
        message = f"{module}.{name} cannot be imported"
        raise ImportError(message)
    return found


class PackedFold(NamedTuple):
    """A fold as it travels to another process."""

    pickled: str
    """Its first state and its function, in hexadecimal."""
    files: dict[str, str]
    """The modules that it needs, and where they are."""

    def unpacked(self) -> Any:  # noqa: ANN401  both
        """Return the first state and the function."""
        return _Unpickler(bytes.fromhex(self.pickled), self.files).load()


def packed_fold(fold: Fold[Any]) -> PackedFold | None:
    """Return a fold to be replayed in another process; None where that cannot import it."""
    try:
        pickled = pickle.dumps((fold.initial, fold.evolve))
        needed = _Unpickler(pickled, {})
        needed.load()
    except Exception:  # noqa: BLE001  whatever a value of the host raises
        return None
    found = {name: getattr(sys.modules.get(name), "__file__", None) for name in needed.modules}
    files = {name: str(Path(file).resolve()) for name, file in found.items() if file}
    return PackedFold(pickled.hex(), files)


class _Unpickler(pickle.Unpickler):
    """Imports as a projection is imported: by its name, or from its file."""

    def __init__(self, pickled: bytes, files: dict[str, str]) -> None:
        super().__init__(BytesIO(pickled))
        self.modules: set[str] = set()
        self._files = files

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  whatever it is
        """Return what has that name."""
        self.modules.add(module)
        file = self._files.get(module)
        return super().find_class(module, name) if file is None else imported(module, name, file)


def deepcopied(value: Any) -> Any:  # noqa: ANN401  a state
    """Return a copy of a value that shares nothing with it, where there can be one."""
    try:
        return deepcopy(value)
    except Exception:  # noqa: BLE001  whatever a value of the host raises
        return value
