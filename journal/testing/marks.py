"""What the marks of a test say: what none of them can say fails the test, with what it may be.

Nothing of a mark is passed over: a mark that does nothing is a test of something else, or a
secret that is not masked.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["arguments_of", "checked_flag", "refuse"]


def arguments_of(
    request: pytest.FixtureRequest, name: str, allowed: Iterable[str]
) -> dict[str, Any]:
    """Return the arguments of the mark of that name that is closest to the test.

    Args:
        request: of the fixture that the mark is for.
        name: of the mark.
        allowed: the arguments that it may have.
    """
    mark = request.node.get_closest_marker(name)
    if mark is None:
        return {}
    known = sorted(allowed)
    listed = ", ".join(known)
    if mark.args:
        said = ", ".join(map(repr, mark.args))
        refuse(f"the mark {name}({said}): its arguments have names; say which it is: {listed}")
    for argument in mark.kwargs:
        if argument not in known:
            close = get_close_matches(argument, known, 1)
            meant = f"did you mean {close[0]}?" if close else f"it may be {listed}"
            refuse(f"the mark {name} has no argument {argument!r}; {meant}")
    return dict(mark.kwargs)


def checked_flag(mark: str, argument: str, value: object) -> bool:
    """Return an argument of a mark that is true or false."""
    if not isinstance(value, bool):
        refuse(f"the mark {mark} has {argument}={value!r}; it is True or False")
    return value


def refuse(problem: str) -> NoReturn:
    """Fail the test that is being made ready, with that and nothing else."""
    __tracebackhide__ = True
    pytest.fail(problem, pytrace=False)
