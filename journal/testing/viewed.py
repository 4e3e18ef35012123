"""What a test names as views: classes of projections, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections import Projection

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_views"]


def check_views(views: Iterable[object]) -> None:
    """Refuse what is no class of a projection.

    Raises:
        TypeError: one is none.
    """
    if isinstance(views, type | str):
        raise TypeError(f"views is {views!r}; it takes several: (*VIEWS, Totals), for instance")
    for view in views:
        if not (isinstance(view, type) and issubclass(view, Projection)):
            raise TypeError(f"{view!r} is no class of a projection; name the class, as Totals")
