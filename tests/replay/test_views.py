"""Views have the same bytes in every process, whatever its hash seed, time zone and locale."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.replay.recording import recorded
from tests.replay.views import digests_of, rebuilt_digests_of

PROGRAM = """
import json
from tests.replay.recording import recorded
from tests.replay.views import digests_of
with recorded(":memory:") as journal:
    print(json.dumps(digests_of(journal)))
"""


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"},
        {
            "PYTHONHASHSEED": "4242",
            "TZ": "America/St_Johns",
            "LC_ALL": "C.UTF-8",
            "PYTHONUTF8": "0",
        },
    ],
    ids=lambda surroundings: surroundings["PYTHONHASHSEED"],
)
def test_surroundings_do_not_matter(surroundings: dict[str, str]) -> None:
    """A log replayed in other surroundings gives views that are the same to the byte."""
    with recorded(":memory:") as journal:
        here, rebuilt = digests_of(journal), rebuilt_digests_of(journal)

    there = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **surroundings},
        capture_output=True,
        check=True,
        text=True,
    )

    assert json.loads(there.stdout) == here == rebuilt
