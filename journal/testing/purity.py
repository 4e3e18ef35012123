"""Finds a projection that looks at more than its entries: a clock, a die, a file, a network.

It listens to the calls of functions that are written in C, which all of these are in the end,
and reads the statements, for SQLite has a clock and a die of its own.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from projections.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from journal import Journal
    from journal.events import Entry
    from journal.log import Cursor
    from projections import Projection

__all__ = ["Impurity", "impurity"]

_CLOCKS: Final = frozenset(
    {
        "clock_gettime",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "time",
        "time_ns",
    }
)
"""Those that look at it whatever they are given: ``gmtime`` may be given a time."""
_OWN: Final = frozenset({"random", "secrets", "uuid", "tempfile", "pathlib"})
"""Modules of Python on whose account nothing is done: who calls them is meant."""
_HARMLESS: Final = frozenset({"linecache", "logging", "threading", "tracemalloc", "warnings"})
"""Modules of Python whose looks at a clock or a file leave no trace in a row."""
_NAMED: Final = {
    "datetime.now": "a clock",
    "datetime.utcnow": "a clock",
    "datetime.today": "a clock",
    "date.today": "a clock",
    "Random.random": "a die",
    "Random.getrandbits": "a die",
    "urandom": "a die",
    "getpid": "the process",
    "open": "a file",
    "socket.connect": "a network",
    "gethostname": "the machine",
    "getaddrinfo": "a network",
}


_IN_SQL: Final = re.compile(
    r"(?P<clock>'now'|\bcurrent_(?:date|time|timestamp)\b)|(?P<die>\brandom(?:blob)?\s*\()",
    re.IGNORECASE,
)


class Impurity(NamedTuple):
    """A look at something that is not in the log."""

    view: str
    entry: Entry | None
    """The event that was being applied."""
    function: str
    """What was called: ``datetime.now``."""
    what: str
    """What that looks at: a clock, a die."""
    where: str
    """The file and the line of the call."""

    @property
    def sentence(self) -> str:
        """Who looks at what, where, and at which event."""
        said = f"the projection {self.view} looks at {self.what}: {self.function} at {self.where}"
        if self.entry is None:
            return said
        event = type(self.entry.event).__name__
        return (
            f"{said}, first at event {self.entry.position}, {event} of {self.entry.stream} "
            f"({self.entry.event_id})"
        )


def impurity(journal: Journal, view: type[Projection]) -> Impurity | None:
    """Replay a log, and return the first look at something that is not in it, or None.

    Raises:
        ViewError: a statement of the projection was refused.
        LogError: the log could not be read.
    """
    watch = _Watch(view.name)

    class Watched(view):  # type: ignore[valid-type,misc]
        def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
            watch.apply(super().apply, cursor, entries)

    with Replay(journal, (Watched,)) as replay:
        replay.to(journal.log.head())
    return watch.found


class _Watch:
    """Listens while entries are applied."""

    def __init__(self, view: str) -> None:
        self.found: Impurity | None = None
        self._view = view
        self._entry: Entry | None = None

    def apply(self, apply: Any, cursor: Cursor, entries: Iterable[Entry]) -> None:  # noqa: ANN401
        """Apply the entries, and listen."""
        before = sys.getprofile()
        sys.setprofile(self._heard)
        try:
            apply(_Reader(cursor, self), self._followed(entries))
        finally:
            sys.setprofile(before)

    def _followed(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._entry = entry
            yield entry

    def _heard(self, frame: FrameType, event: str, function: Any) -> None:  # noqa: ANN401
        if event != "c_call" or self.found is not None:
            return
        what = _what(function)
        if what is not None and frame.f_globals.get("__name__") not in _HARMLESS:
            module = getattr(function, "__module__", None)
            name = f"{module}.{function.__qualname__}" if module else function.__qualname__
            caller = _outside(frame)
            where = f"{caller.f_code.co_filename}:{caller.f_lineno}"
            self.found = Impurity(self._view, self._entry, name, what, where)

    def read(self, statement: str, caller: FrameType) -> None:
        """Look at a statement, which is about to be run."""
        look = _IN_SQL.search(statement)
        if look is not None and self.found is None:
            what = "a clock" if look["clock"] else "a die"
            where = f"{caller.f_code.co_filename}:{caller.f_lineno}"
            self.found = Impurity(self._view, self._entry, f"{look[0]} in SQL", what, where)


class _Reader:
    """A cursor whose statements are read."""

    def __init__(self, cursor: Cursor, watch: _Watch) -> None:
        self._cursor = cursor
        self._watch = watch

    def execute(self, statement: str, *values: Any) -> Any:  # noqa: ANN401  the cursor's
        self._watch.read(statement, sys._getframe(1))  # noqa: SLF001  who runs it
        return self._cursor.execute(statement, *values)

    def executemany(self, statement: str, *values: Any) -> Any:  # noqa: ANN401
        self._watch.read(statement, sys._getframe(1))  # noqa: SLF001
        return self._cursor.executemany(statement, *values)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._cursor, name)


def _what(function: Any) -> str | None:  # noqa: ANN401
    """Return what a function that is written in C looks at, if that is not in the log."""
    name = getattr(function, "__qualname__", "")
    if getattr(function, "__module__", None) == "time" and name in _CLOCKS:
        return "a clock"
    return _NAMED.get(name)


def _outside(frame: FrameType) -> FrameType:
    """Return the caller that is no module of Python's own: `uuid4` is called, not `urandom`."""
    while frame.f_globals.get("__name__") in _OWN and frame.f_back is not None:
        frame = frame.f_back
    return frame
