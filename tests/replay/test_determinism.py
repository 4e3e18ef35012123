"""The same log gives the same views, to the byte, wherever it is replayed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.replay.living import lived_through

if TYPE_CHECKING:
    from pathlib import Path

PLACES = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "de_CH.ISO-8859-1"},
    {"PYTHONHASHSEED": "7", "TZ": "XXX-14:59", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place["TZ"])
def test_another_place(tmp_path: Path, place: dict[str, str]) -> None:
    """Under another hash seed, time zone and locale, rows, views and texts have the same bytes."""
    expected = lived_through(":memory:")

    there = subprocess.run(
        (sys.executable, "-m", "tests.replay.living", str(tmp_path / "there.db")),
        env={**os.environ, **place},
        stdout=subprocess.PIPE,
        check=True,
    )

    assert json.loads(there.stdout) == expected


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_rhythm(seed: int) -> None:
    """Read at other moments, and so folded in other batches, the views have the same bytes."""
    expected = lived_through(":memory:", seed=1)

    lived = lived_through(":memory:", seed=seed)

    assert lived == expected
    assert lived["live"] == lived["rebuilt"]
