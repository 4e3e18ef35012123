"""What a seed stands for: the knobs, what is done, and what goes wrong; pure values.

A scenario can be run without its seed, and with fewer operations and faults: that is how a
failing one is made short.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

OF_A_PULL: Final = 1.0
"""How much more a crash is that comes at a call of a pull: those are counted for themselves."""
Dialect: TypeAlias = Literal["etag", "keyed", "plain", "together"]
"""How the model service speaks: see `journal.testing.simulate.dialects`."""


class Knobs(NamedTuple):
    """How everything is set up."""

    dialect: Dialect = "etag"
    on_file: bool = False
    """Whether the log is a real SQLite file, not in memory."""
    durability: Literal["full", "normal"] = "full"
    senders: int = 1
    """How many processes have the journal open, and send."""
    on_held: Literal["lane", "stop"] = "lane"
    policy: Literal["merge", "ours", "theirs", "hold"] = "merge"
    attempts: int = 5
    rejections: int | None = 5
    doubts: int | None = 20
    first_s: float = 0.25
    most_s: float = 60.0
    request_s: float = 30.0
    lease_s: float | None = None
    most_together: int = 4
    is_terse: bool = False
    """Whether the service says of a change no more than that it was made."""
    shows_part: bool = False
    """Whether the lists of the service show some of the fields of a record only."""
    remembered_s: float = 86_400.0
    """How long the service remembers a key, where it does."""
    drains: bool = False
    """Whether a process drains again and again, instead of sending in the background."""
    reads_views: bool = False
    """Whether projections are read on the way, and compared with the log."""
    troubled_s: float = 20.0
    """How long things go wrong, before the quiet phase."""


class Operation(NamedTuple):
    """Something that is done by a person, or by another writer at the service.

    The numbers say to which of the records, or drafts, that there are then, and how.
    """

    at_s: float
    kind: str
    a: int = 0
    b: int = 0
    c: int = 0


class Fault(NamedTuple):
    """Something that goes wrong."""

    row: int
    """Of the fault matrix."""
    kind: str
    at: int
    """At which request, storage call or step it happens; for what has a time, at which second."""
    more: float = 0.0
    """How long it lasts, or how far it goes; the kind knows."""

    @property
    def is_of_pull(self) -> bool:
        """Whether it is a crash at a call of a pull, which are counted for themselves."""
        return self.kind in {"crash before", "crash after"} and self.more == OF_A_PULL


class Scenario(NamedTuple):
    """One run, whole."""

    seed: int
    knobs: Knobs
    operations: tuple[Operation, ...]
    faults: tuple[Fault, ...]


class Places(NamedTuple):
    """How many places there were, up to some moment, at which something could go wrong."""

    writes: int = 0
    """Calls to the log that write."""
    requests: int = 0
    statements: tuple[int, ...] = ()
    """How many statements each of these calls consists of; where the log is on a file only."""
