"""A disk that is real: the log is an SQLite file, and whoever dies leaves the files as they are.

The files are copied at the moment of the end, which is what a process that is killed leaves; the
next ones open the copy. As all of them open it, all of them end together.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final

from journal.log import open_recorder
from journal.testing.simulate.storage import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.log import Fence, Row
    from journal.log.recorder import RowRecorder
    from journal.testing.simulate.scenario import Fault, Knobs
    from journal.testing.simulate.storage import Mount

NAME: Final = "field.db"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder of one's own is made there
_FRAME: Final = 4096 + 24
"""How long a page in the write-ahead log is."""
_FULL: Final = 2
"""How SQLite calls it to sync at the end of each transaction."""
_LEFT: Final = ("", "-wal", "-lock", "-sender")
"""The files that a process leaves; who opens them makes the others anew."""


class FileDisk(Disk):
    """Where the log is, in files; it outlives every process."""

    takes_all = True

    def __init__(
        self, journal_id: str, faults: Sequence[Fault], hit: Callable[[int], None], knobs: Knobs
    ) -> None:
        """Begin with an empty folder."""
        super().__init__(journal_id, faults, hit, knobs)
        self._journal_id = journal_id
        self._durability = knobs.durability
        self._root = Path(mkdtemp(prefix="simulated-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self._life = 0
        self._lives: dict[Mount, int] = {}
        self._synced = 0
        """Up to where the write-ahead log was synced."""
        self._left = 0
        """Before how many statements more the files are kept as they are."""
        self._is_writing = False
        self._begin()

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700)

    @property
    def _folder(self) -> Path:
        return self._root / str(self._life)

    def recorder(self, mount: Mount) -> RowRecorder:
        """Open the file, as a process does."""
        self._lives[mount] = self._life
        path = self._folder / NAME
        recorder = open_recorder(path, lambda: self._journal_id, durability=self._durability)
        self._listen(recorder)
        return recorder

    def _listen(self, recorder: Any) -> None:  # noqa: ANN401  its inside
        """Hear of each statement of a process."""
        database = recorder._database  # noqa: SLF001  what a crash is simulated at
        connected = database._connected  # noqa: SLF001  what a crash is simulated at

        def heard(*given: Any) -> Any:  # noqa: ANN401  whatever it takes
            connection = connected(*given)
            connection.set_trace_callback(self._statement)
            return connection

        database._connected = heard  # noqa: SLF001  what a crash is simulated at
        database._appender.set_trace_callback(self._statement)  # noqa: SLF001  what a crash is simulated at

    def rows(self, after: int) -> list[Row]:
        """Return the rows that are there now, after a position, where somebody has it open."""
        for mount, life in self._lives.items():
            if life == self._life and mount.is_open:
                return mount.below.rows(after, 1_000_000)
        self._seen = -1
        return []

    def left(self, mount: Mount) -> None:
        """Keep the files as the process leaves them, before what it had open is closed."""
        self._seen = -1
        if self._lives.pop(mount, None) == self._life:
            self._copy()

    def appended(self, mount: Mount, rows: Sequence[Row], fence: Fence | None) -> None:
        """Note up to where everything was synced, by who syncs at the end of an append."""
        self.ended()
        super().appended(mount, rows, fence)
        connection: Any = mount.below._database._appender  # type: ignore[attr-defined]  # noqa: SLF001  what a power failure is simulated at
        size = os.stat(self._folder / f"{NAME}-wal").st_size  # noqa: PTH116  as everywhere here
        if connection.execute("PRAGMA synchronous").fetchone()[0] == _FULL:
            self._synced = size
        elif size < self._synced:  # another one: what was in that before is in the database
            self._synced = 0

    def before(self, mount: Mount) -> Fault | None:
        """Meet what a call that writes meets before it, and begin to count its statements."""
        self.statements.append(0)
        self._left = 0
        fault = super().before(mount)
        self._is_writing = True
        return fault

    def ended(self) -> None:
        """Count no more: the call is over."""
        self._is_writing = False

    def within(self, mount: Mount, fault: Fault) -> None:
        """Keep the files as they are before a statement of the call that is under way."""
        del mount
        self._left = int(fault.more)

    def _statement(self, _: str) -> None:
        if self._is_writing:
            self.statements[-1] += 1
            self._left -= 1
            if self._left == 0:
                self._copy()

    def lose_power(self, lost: int) -> int:
        """Lose what was not synced: of the write-ahead log, the end."""
        self._seen = -1
        wal = self._folder / f"{NAME}-wal"
        size = wal.stat().st_size if wal.exists() else 0
        kept = 0 if self._durability == "full" else size - lost * _FRAME
        kept = max(kept, min(self._synced, size))
        if kept < size:
            os.truncate(wal, kept)
        if not (self._folder / NAME).exists():
            return 0
        path = self._folder / NAME
        recorder = open_recorder(path, lambda: self._journal_id, durability=self._durability)
        try:
            return recorder.head()
        finally:
            recorder.close()

    def _copy(self) -> None:
        before = self._folder
        self._life += 1
        self._begin()
        for suffix in _LEFT:
            file = before / f"{NAME}{suffix}"
            if file.exists():
                shutil.copyfile(file, self._folder / file.name)
                (self._folder / file.name).chmod(0o600)

    def close(self) -> None:
        """Remove everything."""
        super().close()
        shutil.rmtree(self._root)
