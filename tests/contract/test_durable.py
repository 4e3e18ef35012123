"""The contract of a log that lasts, on the adapter that keeps it in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.testing.contracts.durable import *  # noqa: F403  that is how the contract is used

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the log is kept."""
    return str(tmp_path / "log.db")
