"""The adapters that the contracts are run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.log import MEMORY, Log, open_recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=["memory", "sqlite"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the log is kept."""
    return MEMORY if request.param == "memory" else str(tmp_path / "log.db")


@pytest.fixture
def log(path: str) -> Iterator[Log]:
    """An empty log of the journal ``j1``."""
    log = Log(open_recorder(path, lambda: "j1"))
    yield log
    log.close()


@pytest.fixture
def another(path: str, log: Log) -> Iterator[Callable[[], Log]]:
    """What opens the same log once more."""
    if path == MEMORY:
        pytest.skip("a log in memory is opened once")
    opened: list[Log] = []

    def open_again() -> Log:
        opened.append(Log(open_recorder(path, lambda: log.journal_id)))
        return opened[-1]

    yield open_again
    for each in opened:
        each.close()
