"""The projections that the library ships, and their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from projections.replaying import VIEWS

if TYPE_CHECKING:
    from journal import Journal

__all__ = ["VIEWS", "Digests", "digests_of", "rebuilt_digests_of"]

Digests: TypeAlias = dict[str, dict[str, str | int]]


def digests_of(journal: Journal) -> Digests:
    """Return version and digest of every projection, by name, caught up with the log."""
    views = [view(journal) for view in VIEWS]
    for view in views:
        view.catch_up()
    return {view.name: {"version": view.version, "digest": view.digest()} for view in views}


def rebuilt_digests_of(journal: Journal) -> Digests:
    """Return the same after every projection was folded from the first entry."""
    for view in VIEWS:
        view(journal).rebuild()
    return digests_of(journal)
