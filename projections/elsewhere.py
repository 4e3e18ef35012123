"""A replay in another process, with another hash seed, time zone and locale.

The child is told what to do by a file, and answers by another: so neither waits for the other.
A log in memory goes along in that file, as rows; one in a file is opened there.
"""

from __future__ import annotations

import json
import locale
import os
import subprocess
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from journal import Journal
from journal.errors import ViewError
from journal.log import Log, Row
from journal.log.memory import MemoryRecorder
from projections.digests import SIZE
from projections.documents import digest_of, document, text_of
from projections.portable import PackedFold, deepcopied, imported, named
from projections.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.replay import Views
    from projections.states import State

_PROGRAM: Final = "from projections.elsewhere import main; main()"
_PAGE: Final = 1000


class Place(NamedTuple):
    """Surroundings in which a log must give the same views."""

    hash_seed: str
    time_zone: str
    locale: str

    @property
    def name(self) -> str:
        """The place in words."""
        seed, zone, language = self
        return f"in another process (PYTHONHASHSEED={seed}, TZ={zone}, LC_ALL={language})"


PLACES: Final = (
    Place("1", "<+14>-14", "tr_TR.UTF-8"),
    Place("4242", "<-12>12", "C"),
)
"""In these two, no moment has the same local date."""
SEEDS: Final = tuple(Place(str(seed), "UTC0", "C") for seed in (2, 3, 5))
"""More hash seeds: two texts in a set change places under every other one only."""


class Elsewhere:
    """A replay that has begun in another process."""

    def __init__(
        self,
        journal: Journal,
        views: Views | PackedFold,
        head: int,
        place: Place,
        at: int | None = None,
    ) -> None:
        """Begin it.

        Args:
            journal: whose log is replayed.
            views: the projections, which can be imported; or a fold.
            head: the position up to which is replayed.
            place: the surroundings.
            at: the position of which the rows are asked for; None for the digests of all.
        """
        self._folder = TemporaryDirectory(prefix="draft-journal-")
        folder = Path(self._folder.name)
        self._answer, self._problem = folder / "answer", folder / "problem"
        job = {
            "path": None if journal.log.path is None else str(journal.log.path),
            "fold": views if isinstance(views, PackedFold) else None,
            "views": [] if isinstance(views, PackedFold) else [named(view) for view in views],
            "head": head,
            "at": at,
        }
        with (folder / "job").open("w", encoding="utf-8") as file:
            file.write(json.dumps(job) + "\n")
            if journal.log.path is None:
                file.write(json.dumps(journal.log.journal_id) + "\n")
                for row in _rows(journal.log, head):
                    file.write(json.dumps(_packed(row)) + "\n")
        with self._answer.open("wb") as answer, self._problem.open("wb") as problem:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter
                [sys.executable, "-P", "-c", _PROGRAM, str(folder / "job")],  # -P: not from here
                env={
                    **os.environ,
                    "PYTHONHASHSEED": place.hash_seed,
                    "TZ": place.time_zone,
                    "LC_ALL": place.locale,
                    "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path),
                },
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=problem,
            )

    def digests(self) -> bytes:
        """Wait for the end, and return the digests of all views after every position, in order.

        Raises:
            ViewError: the replay failed there.
        """
        self._wait()
        return self._answer.read_bytes()

    def state(self) -> State:
        """Wait for the end, and return the rows that were asked for.

        Raises:
            ViewError: the replay failed there.
        """
        self._wait()
        return cast("State", json.loads(self._answer.read_bytes(), object_hook=_unpacked_value))

    def document(self) -> Any:  # noqa: ANN401  JSON
        """Wait for the end, and return the state of the fold that was asked for.

        Raises:
            ViewError: the replay failed there.
        """
        self._wait()
        return json.loads(self._answer.read_bytes())

    def _wait(self) -> None:
        if self._process.wait():
            said = self._problem.read_text("utf-8", "replace").strip().splitlines()
            raise ViewError(
                f"a replay in another process failed: {said[-1] if said else 'it said nothing'}",
                hint="the projections must be importable, and made with the journal alone",
            )

    def close(self) -> None:
        """End it, where it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def _rows(log: Log, head: int) -> Iterator[Row]:
    after = 0
    while after < head and (page := log.rows(after, min(_PAGE, head - after))):
        yield from page
        after = page[-1].position


def _packed(row: Row) -> list[Any]:
    return [[value.hex()] if isinstance(value, bytes) else value for value in row]


def _unpacked(line: str) -> Row:
    values = json.loads(line)
    return Row._make(bytes.fromhex(v[0]) if isinstance(v, list) else v for v in values)


def _packed_value(value: object) -> dict[str, str]:
    return {"bytes": cast("bytes", value).hex()}


def _unpacked_value(value: dict[str, Any]) -> Any:  # noqa: ANN401  JSON
    is_bytes = value.keys() == {"bytes"} and isinstance(value["bytes"], str)
    return bytes.fromhex(value["bytes"]) if is_bytes else value


def main() -> None:
    """Do what the file says that is the argument, in the child."""
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    with Path(sys.argv[-1]).open(encoding="utf-8") as file:
        job = json.loads(file.readline())
        if job["path"] is None:
            journal_id = json.loads(file.readline())
            log = Log(MemoryRecorder.of(journal_id, map(_unpacked, file)))
            journal = Journal(actor="replay", origin="elsewhere", log=log)
        else:
            journal = Journal(job["path"], create=False, actor="replay")
    if journal.log.head() < job["head"]:
        message = f"the log ends at {journal.log.head()} there, and not at {job['head']}"
        raise LookupError(message)
    if job["fold"] is not None:
        with journal:
            _fold(journal, PackedFold(*job["fold"]), job["head"], job["at"])
        return
    views = [imported(*where) for where in job["views"]]
    with journal, Replay(journal, views) as replay:
        if job["at"] is None:
            for position in range(job["head"] + 1):
                sys.stdout.buffer.write(b"".join(replay.to(position)))
        else:
            for position in range(job["at"] + 1):
                replay.to(position)
            text = json.dumps(replay.state(views[0]), default=_packed_value)
            sys.stdout.buffer.write(text.encode())


def _fold(journal: Journal, packed: PackedFold, head: int, at: int | None) -> None:
    """Write the digest of a fold after every entry, or its state after one."""
    state, evolve = packed.unpacked()
    for entry in journal.log.scan(until=head if at is None else at):
        state = evolve(deepcopied(state), entry)
        if at is None:
            sys.stdout.buffer.write(digest_of(document(state)))
    if at is not None:
        sys.stdout.buffer.write(text_of(document(state)).encode())


def each(digests: bytes, views: int) -> Iterator[list[bytes]]:
    """Yield the digests of the views, position after position."""
    parts = iter(range(0, len(digests), SIZE))
    while row := [digests[at : at + SIZE] for at in islice(parts, views)]:
        yield row
