"""Stock `eventsourcing`: its SQLite module, its JSON, a declarative aggregate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

if TYPE_CHECKING:
    from pathlib import Path

FULL = 2
REMARK = (
    "nobody at home, a card was left with the neighbour on the ground floor, who said that "
    "she would hand it over: ring before the next visit"
)
"""So long that an event is stored in about as many bytes as one of ours."""


class Visit(Aggregate):
    """A record as the library would have it."""

    @event("Created")
    def __init__(self, fields: dict[str, Any]) -> None:
        """Begin with these fields."""
        self.fields = fields

    @event("Changed")
    def change(self, changes: dict[str, Any]) -> None:
        """Set fields."""
        self.fields.update(changes)


class Visits(Application[UUID]):
    """The application of the tutorial: aggregates, got and saved."""


def opened(path: Path, **environment: str) -> Visits:
    """Open an application on a file, which it must write with full durability."""
    visits = Visits(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(path),
            **environment,
        }
    )
    with visits.recorder.datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]
        cursor.execute("PRAGMA synchronous")
        if cursor.fetchone()[0] != FULL:
            message = "stock eventsourcing does not write with synchronous=FULL here"
            raise RuntimeError(message)
    return visits
