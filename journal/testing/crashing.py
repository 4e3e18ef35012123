"""Crashes at every point of a piece of work: what a process leaves behind that dies there.

The work is done once, on a real file. Before and after every statement of SQLite, what is on
the disk is copied, as a process would leave it that is killed there; and where a commit has
written to the WAL, also as one would that is killed in the middle of writing. So it is before
every request leaves, and after the service has done it, whose state is kept with the copy. Every
copy is opened again, and checked. The code under test has no switch for this.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from inspect import isgenerator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Literal,
    NamedTuple,
    Protocol,
    TypeAlias,
    TypeVar,
)

from journal import Journal
from journal.testing.handed import check_done, check_made, check_services, check_views
from journal.testing.outgoing import watching_requests
from projections.replaying import VIEWS, divergences_in_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from projections import Projection

    Watch: TypeAlias = Callable[["Moment"], None]

__all__ = ["CrashPoint", "Moment", "Saving", "for_each_crash_point", "watching"]

Opened = TypeVar("Opened")

_COMMITS: Final = ("COMMIT", "CLOSE", "PRAGMA journal_mode=WAL")
"""How what commits begins; outside of a transaction, whatever writes does, too."""
_READS: Final = ("SELECT", "PRAGMA", "BEGIN")
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24


class Moment(NamedTuple):
    """A moment just before or just after a statement."""

    side: Literal["before", "after"]
    statement: str
    is_commit: bool
    """Whether the file is another for those who open it next, once the statement was run."""


class _WatchedCursor(sqlite3.Cursor):
    def execute(self, statement: str, *values: Any) -> _WatchedCursor:  # noqa: ANN401  sqlite3's
        with _watched(self.connection, statement):
            super().execute(statement, *values)
        return self

    def executemany(self, statement: str, *values: Any) -> _WatchedCursor:  # noqa: ANN401
        with _watched(self.connection, statement):
            super().executemany(statement, *values)
        return self


class _WatchedConnection(sqlite3.Connection):
    watch: ClassVar[Watch]

    def cursor(self, *_: Any) -> Any:  # noqa: ANN401  sqlite3's
        return super().cursor(_WatchedCursor)

    def execute(self, statement: str, *values: Any) -> Any:  # noqa: ANN401  sqlite3's
        return self.cursor().execute(statement, *values)

    def executemany(self, statement: str, *values: Any) -> Any:  # noqa: ANN401  sqlite3's
        return self.cursor().executemany(statement, *values)

    def close(self) -> None:
        with _watched(self, "CLOSE"):
            super().close()


@contextmanager
def _watched(connection: sqlite3.Connection, statement: str) -> Iterator[None]:
    is_commit = statement.startswith(_COMMITS) or not (
        connection.in_transaction or statement.startswith(_READS)
    )
    _WatchedConnection.watch(Moment("before", statement, is_commit))
    yield
    _WatchedConnection.watch(Moment("after", statement, is_commit))


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Call `watch` before and after every statement and close of SQLite, in this process."""
    _WatchedConnection.watch = watch
    connect = sqlite3.connect
    watched = partial(connect, factory=_WatchedConnection)
    sqlite3.connect = watched  # type: ignore[assignment]
    try:
        yield
    finally:
        sqlite3.connect = connect


class Saving(Protocol):
    """A service whose state can be kept, and brought back: a stand-in, or one of the host's."""

    def save(self) -> Any:  # noqa: ANN401  the service's own
        """Return all that it is now, to be handed to `restore`, maybe several times."""
        ...

    def restore(self, saved: Any) -> None:  # noqa: ANN401
        """Become what it was."""
        ...


class CrashPoint(NamedTuple):
    """A point at which the process might have died."""

    number: int
    """From 1, in the order of the work."""
    at: str
    """Where it stood, in words."""
    promised: tuple[Any, ...]
    """What the work had yielded until then: it was told to somebody, so it must be there."""
    path: Path
    """The file that was left."""


def for_each_crash_point(
    work: Callable[[Opened], object],
    check: Callable[[Opened, CrashPoint], object],
    *,
    open: Callable[[Path], AbstractContextManager[Opened]] = Journal,  # type: ignore[assignment]  # noqa: A002  the word for it
    views: Sequence[type[Projection]] = VIEWS,
    services: Sequence[Saving] = (),
) -> int:
    """Do a piece of work, and check what it leaves behind wherever it might have died.

    Of every copy, the log is verified, and the tables of the views are compared with a replay,
    before it is handed to `check`. In the end, the services are as the work has left them.

    Args:
        work: called once with what `open` returns, in a thread that does it all. It may yield:
            whatever it yields is promised from there on.
        check: called for each point with what is left, opened again, and the point; it raises
            what is wrong.
        open: opens the file at a path; a service that keeps a journal there, for instance.
        views: projections whose tables must be those of a replay.
        services: those that the work sends to, by whichever client of httpx: while a point is
            checked, each is as it was then.

    Returns:
        How many points there were.

    Raises:
        AssertionError: the log or a view is not whole at one of them, or `check` returned False; a
            note names the point. Or the work has done nothing that a crash could interrupt.
        TypeError: the work, the check, a view or a service is none that could be called.
    """
    __tracebackhide__ = True
    check_views(views)
    check_services(services)
    with TemporaryDirectory(prefix="draft-journal-") as folder:
        camera = _Camera(Path(folder), services)
        with (
            watching(camera.look),
            watching_requests(camera.look_at_request),
            open(camera.path) as opened,
        ):
            before = len(camera.points)
            done = work(opened)
            if isgenerator(done):
                _follow(done, camera)
            else:
                check_done("work", done)
            count = len(camera.points)
        if count == before:
            said = f"the work has changed nothing in the file at {camera.path}, and sent nothing"
            raise AssertionError(f"{said}: it must work with what open() returns for that path")
        camera.look(Moment("after", "the end", is_commit=True))
        try:
            for point, saved in camera.points:
                camera.restore(saved)
                try:
                    with Journal(point.path, actor="heir", origin="after a crash") as journal:
                        _check_whole(journal, views)
                    with open(point.path) as opened:
                        check_made(check(opened, point))
                except BaseException as error:
                    which = f"crash point {point.number} of {len(camera.points)}"
                    error.add_note(f"{which}: {point.at}")
                    raise
        finally:
            camera.restore(camera.saved)
        return len(camera.points)


def _follow(done: Iterable[Any], camera: _Camera) -> None:
    for promise in done:
        camera.promised = (*camera.promised, promise)
        camera.look(Moment("after", "the promise", is_commit=True))


def _check_whole(journal: Journal, views: Sequence[type[Projection]]) -> None:
    problems = journal.log.verify().problems
    if problems:
        raise AssertionError(f"the log is not whole: {problems[0].text}")
    for divergence in divergences_in_tables(journal, views):
        raise AssertionError(divergence.sentence)


class _Camera:
    """Copies what is on the disk whenever it is another than at the last look."""

    def __init__(self, folder: Path, services: Sequence[Saving]) -> None:
        self._folder = folder
        (folder / "0").mkdir()
        self.path = folder / "0" / "journal.db"
        self.points: list[tuple[CrashPoint, list[Any]]] = []
        self.promised: tuple[Any, ...] = ()
        self._services = services
        self.saved = [service.save() for service in services]
        """What the services are now."""
        self._seen: tuple[object, ...] = ()
        self._last = (b"", b"")

    def look_at_request(self, side: Literal["before", "after"], said: str) -> None:
        """Copy the files, changed or not, and keep what the services are."""
        self.saved = [service.save() for service in self._services]
        self._seen = (None, *self._seen[1:])
        self.look(Moment(side, said, is_commit=True))

    def restore(self, saved: Iterable[Any]) -> None:
        """Let the services be what they were."""
        for service, state in zip(self._services, saved, strict=True):
            service.restore(state)

    def look(self, moment: Moment) -> None:
        """Copy the files, unless nothing has changed."""
        if not self.path.exists():
            return
        wal = self.path.with_name(f"{self.path.name}-wal")
        files = self.path.read_bytes(), wal.read_bytes() if wal.exists() else b""
        seen = (*map(_digest, files), len(self.promised))
        if seen == self._seen:
            return
        at = f"{moment.side} {moment.statement.split(' --')[0]}"
        if self._seen:
            for length in _torn(self._last, files):
                self._keep((files[0], files[1][:length]), f"within {at.partition(' ')[2]}")
        self._keep(files, at)
        self._seen, self._last = seen, files

    def _keep(self, files: tuple[bytes, bytes], at: str) -> None:
        number = len(self.points) + 1
        folder = self._folder / str(number)
        folder.mkdir()
        path = folder / self.path.name
        path.write_bytes(files[0])
        path.chmod(0o600)
        if files[1]:
            path.with_name(f"{path.name}-wal").write_bytes(files[1])
        for end in ("-lock", "-sender"):
            beside = self.path.with_name(f"{self.path.name}{end}")
            if beside.exists():
                shutil.copyfile(beside, path.with_name(f"{path.name}{end}"))
        self.points.append((CrashPoint(number, at, self.promised, path), self.saved))


def _digest(content: bytes) -> bytes:
    return sha256(content).digest()


def _torn(before: tuple[bytes, bytes], after: tuple[bytes, bytes]) -> Iterator[int]:
    """Yield how long a WAL may be that was being written to: at each frame, and within the last."""
    (database, old), (other, new) = before, after
    if database != other or not old or len(new) <= len(old) or not new.startswith(old):
        return
    frame = int.from_bytes(new[8:12]) + _FRAME_HEADER
    yield from range(len(old) + frame, len(new), frame)
    yield len(new) - frame // 2
