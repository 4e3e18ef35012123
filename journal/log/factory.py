"""The persistence module: makes recorders and mappers, from arguments, never the environment.

A journal needs `open_recorder` only. What speaks the interface of the library beside it serves
whoever wants to read a journal by an `Application`, and the library's own suites, which our
recorders pass: `Factory`, `EntryMapper.to_domain_event`, and in `recorder` the methods below
"the library's interface" and `RowSubscription`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    NotSupportedError,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.utils import Environment

from journal.errors import InvalidNameError, LogMissingError
from journal.log.database import BUSY_TIMEOUT_S, Database, Durability
from journal.log.mapper import EntryMapper
from journal.log.memory import MemoryRecorder
from journal.log.sqlite import SQLiteRecorder
from journal.log.tables import fill

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from journal.log.recorder import RowRecorder

MEMORY = ":memory:"
"""The path that stands for a journal in memory."""


def open_recorder(
    path: str | os.PathLike[str],
    new_journal_id: Callable[[], str],
    *,
    create: bool = True,
    durability: Durability = "full",
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> RowRecorder:
    """Return the recorder for a path.

    Args:
        path: of an SQLite file, or ``:memory:``.
        new_journal_id: makes the id of a journal that is new.
        create: whether a journal is made where there is none.
        durability: ``full`` for an append that survives power loss, ``normal`` for one that
            survives the death of the process only.
        busy_timeout_s: how long to wait for another process, in seconds.

    Raises:
        InvalidNameError: there is no such durability.
        LogMissingError: there is no journal, and none is to be made.
        LogError: the file cannot be used.
    """
    if durability not in get_args(Durability):
        raise InvalidNameError(
            "durability", str(durability), hint=f"use {' or '.join(get_args(Durability))}"
        )
    if str(path) == MEMORY:
        if not create:
            raise LogMissingError(MEMORY)
        return MemoryRecorder(new_journal_id())
    database = Database(
        path,
        lambda connection: fill(connection, new_journal_id()),
        create=create,
        durability=durability,
        busy_timeout_s=busy_timeout_s,
    )
    return SQLiteRecorder(database)


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Lets an `Application` of the library read and write a journal that is open already.

    The library's own way of configuration merges the environment of the process, in which a
    host's variables would change how our files are read; this factory reads none of it.
    """

    def __init__(self, recorder: RowRecorder) -> None:
        """Hand out this recorder."""
        super().__init__(Environment())
        self._recorder = recorder

    def mapper(self, *_: object, **__: object) -> EntryMapper:  # type: ignore[override]
        """Return our mapper, whatever the arguments ask for."""
        return EntryMapper()

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Return the recorder of the journal; there is one sequence of events, no snapshots."""
        if purpose != "events":
            message = f"a journal keeps no {purpose}"
            raise NotSupportedError(message)
        return self._recorder

    def application_recorder(self) -> ApplicationRecorder:
        """Return the recorder of the journal."""
        return self._recorder

    def tracking_recorder(self, *_: object, **__: object) -> TrackingRecorder:
        """Refuse: a projection keeps its checkpoint with its rows."""
        message = "a journal's projections keep their checkpoints with their rows"
        raise NotSupportedError(message)

    def process_recorder(self) -> ProcessRecorder:
        """Refuse: a projection keeps its checkpoint with its rows."""
        message = "a journal's projections keep their checkpoints with their rows"
        raise NotSupportedError(message)
