"""Finds a projection that looks at more than its entries: a clock, a die, a file, a network.

It listens to the calls of functions that are written in C, which nearly all of these are in the
end, and reads the statements, for SQLite has a clock and a die of its own.
"""

from __future__ import annotations

import gc
import os
import random  # noqa: TID251  it is listened for
import re
import sys
from contextlib import contextmanager
from dis import opmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from projections.portable import deepcopied
from projections.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from journal import Journal
    from journal.events import Entry
    from journal.log import Cursor
    from projections import Fold, Projection

__all__ = ["Impurity", "impurity", "impurity_of_fold"]

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
"""Those that look at it whatever they are given."""
_CLOCKS_BELOW: Final = {"asctime": 1, "ctime": 1, "gmtime": 1, "localtime": 1, "strftime": 2}
"""Those that look at it where they are given fewer arguments: no time."""
_CALLS: Final = frozenset(opmap[name] for name in ("CALL", "PRECALL") if name in opmap)
_OWN: Final = frozenset(
    {"collections.abc", "genericpath", "os", "pathlib", "posixpath", "random", "secrets"}
    | {"tempfile", "uuid"}
)
"""Modules of Python on whose account nothing is done: who calls them is meant."""
_HARMLESS: Final = frozenset(
    {"importlib._bootstrap", "importlib._bootstrap_external", "linecache", "logging", "threading"}
    | {"tracemalloc", "warnings"}
)
"""Modules of Python whose looks at a clock or a file leave no trace in a row."""
_HASHING: Final = frozenset({"eventsourcing", "journal", "projections", "pydantic"})
"""Packages that may hash what they like, as Python's own may: no number of it is kept."""
_ENVIRONMENT: Final = frozenset(
    getattr(type(os.environ), name).__code__ for name in ("__getitem__", "__iter__", "__len__")
)
_OF_SYSTEM: Final = {
    **dict.fromkeys(("access", "listdir", "lstat", "readlink", "scandir", "stat"), "a file"),
    **dict.fromkeys(("cpu_count", "getlogin", "getuid", "uname"), "the machine"),
    **dict.fromkeys(("getcwd", "getppid"), "the process"),
}
"""Functions of the module ``posix``."""
_DICE: Final = frozenset({"Random.getrandbits", "Random.random"})
_COMMON_DIE: Final = getattr(random, "_inst", None)
"""That of the module; one of somebody's own is seeded by an event, or is heard when it is made."""
_SEEDING: Final = random.Random.seed.__code__
_NAMED: Final = {
    "datetime.now": "a clock",
    "datetime.utcnow": "a clock",
    "datetime.today": "a clock",
    "date.today": "a clock",
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
    kind: str
    """What that is, in words: the projection, or the fold."""
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
        said = f"{self.kind} {self.view} looks at {self.what}: {self.function} at {self.where}"
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
    watch = _Watch(view.name, "the projection")

    class Watched(view):  # type: ignore[valid-type,misc]
        def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
            watch.apply(super().apply, cursor, entries)

    with Replay(journal, (Watched,)) as replay:
        replay.to(journal.log.head())
    return watch.found


def impurity_of_fold(journal: Journal, fold: Fold[Any]) -> Impurity | None:
    """Do the same with a fold in memory.

    Raises:
        LogError: the log could not be read.
    """
    watch = _Watch(fold.name, "the fold")
    state = deepcopied(fold.initial)
    for entry in journal.log.scan():
        state = watch.evolve(fold.evolve, state, entry)
    return watch.found


class _Watch:
    """Listens while entries are applied."""

    def __init__(self, view: str, kind: str) -> None:
        self.found: Impurity | None = None
        self._view = view
        self._kind = kind
        self._entry: Entry | None = None

    def apply(self, apply: Any, cursor: Cursor, entries: Iterable[Entry]) -> None:  # noqa: ANN401
        """Apply the entries, and listen."""
        with self._listening():
            apply(_Reader(cursor, self), self._followed(entries))

    def evolve(self, evolve: Any, state: Any, entry: Entry) -> Any:  # noqa: ANN401
        """Fold an entry in, and listen."""
        self._entry = entry
        with self._listening():
            return evolve(state, entry)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        before, collects = sys.getprofile(), gc.isenabled()
        gc.disable()  # who is called back by it, as Hypothesis is, may look at a clock
        sys.setprofile(self._heard)
        try:
            yield
        finally:
            sys.setprofile(before)
            if collects:
                gc.enable()

    def _followed(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._entry = entry
            yield entry

    def _heard(self, frame: FrameType, event: str, function: Any) -> None:  # noqa: ANN401
        if self.found is not None:
            return
        if event == "c_call":
            what, caller = _what(function, frame), frame
            module = getattr(function, "__module__", None)
            name = f"{module}.{function.__qualname__}" if module else function.__qualname__
        elif event == "call" and frame.f_back is not None:
            caller = frame.f_back
            what, name = _what_python(frame)
        else:
            return
        if what is not None and caller.f_globals.get("__name__") not in _HARMLESS:
            self._note(name, what, _outside(caller))

    def _note(self, name: str, what: str, caller: FrameType) -> None:
        where = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        self.found = Impurity(self._view, self._kind, self._entry, name, what, where)

    def read(self, statement: str, caller: FrameType) -> None:
        """Look at a statement, which is about to be run."""
        look = _IN_SQL.search(statement)
        if look is not None and self.found is None:
            what = "a clock" if look["clock"] else "a die"
            self._note(f"{look[0]} in SQL", what, caller)


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


def _what(function: Any, caller: FrameType) -> str | None:  # noqa: ANN401
    """Return what a function that is written in C looks at, if that is not in the log."""
    name = getattr(function, "__qualname__", "")
    match getattr(function, "__module__", None):
        case "time" if name in _CLOCKS or _arguments(caller) < _CLOCKS_BELOW.get(name, 0):
            return "a clock"
        case "posix" | "nt" if name in _OF_SYSTEM:
            return _OF_SYSTEM[name]
        case "builtins" if name == "hash" and _is_kept(caller):
            return "the hash seed"
        case _ if name in _DICE:
            return "a die" if function.__self__ is _COMMON_DIE else None
        case _:
            return _NAMED.get(name)


def _what_python(frame: FrameType) -> tuple[str | None, str]:
    """Return what a function that is written in Python looks at, and what it is called."""
    if frame.f_code in _ENVIRONMENT:
        return "the environment", "os.environ"
    is_unseeded = frame.f_code is _SEEDING and frame.f_locals.get("a") is None
    return ("a die" if is_unseeded else None), "random.Random"


def _arguments(caller: FrameType) -> int:
    """Return how many arguments are given in the call that a frame is in; many if it is unknown."""
    code, at = caller.f_code.co_code, caller.f_lasti
    return code[at + 1] if code[at] in _CALLS else sys.maxsize


def _is_kept(caller: FrameType) -> bool:
    """Say whether a hash may be kept: what ``__hash__`` returns is not, nor what libraries do."""
    package = str(caller.f_globals.get("__name__")).partition(".")[0]
    return caller.f_code.co_name != "__hash__" and not (
        package in _HASHING or package in sys.stdlib_module_names
    )


def _outside(frame: FrameType) -> FrameType:
    """Return the caller that is no module of Python's own: `uuid4` is called, not `urandom`."""
    while frame.f_globals.get("__name__") in _OWN and frame.f_back is not None:
        frame = frame.f_back
    return frame
