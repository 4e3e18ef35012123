"""How a bug is planted: a part of the library is swapped for a broken one, for a while.

The library has no hooks for it. A method is swapped on its class, a function in every module
that has it, a part of the simulated process by `Parts`; after the block all is as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from journal.testing.simulate import REAL, Parts, simulate

if TYPE_CHECKING:
    from journal.testing.simulate import Result

Code: TypeAlias = Callable[..., Any]
"""A function, a method or a property, as it is or as it is broken."""
MOST_SEEDS: Final = 2_000
"""Within how many seeds any bug is to be found."""
LEEWAY: Final = 10
"""How many times as many seeds as it took once may be needed, after the library has changed."""
_OURS: Final = ("journal.", "projections.")


class Swap(NamedTuple):
    """What is put in the place of something."""

    owner: type | ModuleType
    name: str
    broken: Callable[[Code], object]
    """Given what is there, returns what is to be there."""


class Bug(NamedTuple):
    """A mistake that an engineer could make."""

    name: str
    breaks: str
    """What goes wrong, in one sentence."""
    floor: str
    """Where it is."""
    by: tuple[str, ...]
    """The promises that it is found to break; the first one is that of its first seed."""
    seeds: int
    """In how many seeds it was found, when that was last measured."""
    swaps: tuple[Swap, ...] = ()
    parts: Parts = REAL

    @property
    def budget(self) -> int:
        """Within how many seeds it must be found."""
        return min(MOST_SEEDS, LEEWAY * max(self.seeds, 2))

    def run(self, seed: int) -> Result:
        """Return what comes of a seed with the bug in the library."""
        with planted(self):
            return simulate(seed, self.parts)

    def found(self, seeds: Sequence[int]) -> Result | None:
        """Return the first of these seeds in which its promise is broken; None where none is.

        What is defended twice has no promise of its own: any that is broken will do.
        """
        with planted(self):
            for seed in seeds:
                run = simulate(seed, self.parts)
                if run.violation and (not self.by or run.violation.invariant in self.by):
                    return run
        return None


CATALOGUE: Final[dict[str, Bug]] = {}
"""Every bug that the simulator must find, by its name."""
DEFENDED: Final[dict[str, Bug]] = {}
"""Every mistake after which another defence still keeps all promises, by its name."""


def plants(
    owner: type | ModuleType,
    name: str,
    *,
    by: str = "",
    seeds: int = 0,
) -> Callable[[Callable[[Code], object]], Callable[[Code], object]]:
    """Enter a bug into the catalogue: what the decorated function returns is put there.

    The name of the function names the bug, and its docstring says what goes wrong.

    Args:
        owner: the class or the module.
        name: of the attribute that is swapped.
        by: the promises that it breaks, parted by commas; none where another defence keeps them.
        seeds: in how many seeds it was found.
    """

    def entered(broken: Callable[[Code], object]) -> Callable[[Code], object]:
        _enter(broken, by, seeds, swaps=(Swap(owner, name, broken),))
        return broken

    return entered


def builds(*, by: str, seeds: int = 0) -> Callable[[Callable[[], Parts]], Callable[[], Parts]]:
    """Enter a bug into the catalogue that is in a part of the simulated process.

    Args:
        by: the promises that it breaks, parted by commas.
        seeds: in how many seeds it was found.
    """

    def entered(made: Callable[[], Parts]) -> Callable[[], Parts]:
        _enter(made, by, seeds, parts=made())
        return made

    return entered


def _enter(
    code: Code, by: str, seeds: int, *, swaps: tuple[Swap, ...] = (), parts: Parts = REAL
) -> None:
    name = code.__name__.replace("_", " ")
    said = " ".join((code.__doc__ or "").split())
    floor = code.__module__.rpartition(".of_")[2]
    found_by = tuple(filter(None, by.split(", ")))
    entries = CATALOGUE if found_by else DEFENDED
    assert name not in entries
    entries[name] = Bug(name, said, floor, found_by, seeds, swaps, parts)


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Let the bug be in the library while the block lasts."""
    with ExitStack() as stack:
        for swap in bug.swaps:
            for owner in _owners(swap):
                stack.enter_context(_swapped(owner, swap))
        yield


def _owners(swap: Swap) -> list[type | ModuleType]:
    """Return where it is: the class, or all modules that have imported the function."""
    if not isinstance(swap.owner, ModuleType):
        return [swap.owner]
    there = getattr(swap.owner, swap.name)
    ours = [module for name, module in sys.modules.items() if name.startswith(_OURS)]
    return [module for module in ours if vars(module).get(swap.name) is there]


@contextmanager
def _swapped(owner: type | ModuleType, swap: Swap) -> Iterator[None]:
    there = vars(owner)[swap.name]
    setattr(owner, swap.name, swap.broken(there))
    try:
        yield
    finally:
        setattr(owner, swap.name, there)
