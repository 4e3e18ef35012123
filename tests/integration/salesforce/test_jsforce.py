"""A day of `jsforce`, a client that nobody here wrote, against the stand-in org.

What it does is in `day.mjs`; the client is installed for the test, into a folder of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from journal.testing.salesforce import Org, Settings
from tests.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

JSFORCE: Final = "jsforce@3.10.16"  # the newest that runs on Node.js 18 and 20
DAY: Final = ROOT / "tests" / "integration" / "salesforce" / "day.mjs"
INSTALL_S: Final = 300.0
DAY_S: Final = 120.0


@pytest.fixture
def jsforce(tmp_path: Path) -> Path:
    """The entry file of an installed client."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is no npm, or no node")
    done = subprocess.run(
        [npm, "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", JSFORCE],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
    )
    if done.returncode != 0:
        pytest.skip(f"{JSFORCE} cannot be installed here: {done.stderr[-500:]}")
    return tmp_path / "node_modules" / "jsforce" / "index.js"


@pytest.mark.long
def test_a_day(jsforce: Path) -> None:
    """The client logs in, writes, reads, queries, describes and refreshes as with an org."""
    org = Org(settings=Settings(page_size=200, rotates_refresh_tokens=True))
    environ = {**os.environ, "STAND_IN_REFRESH_TOKEN": org.refresh_token()}
    with org.serve() as url:
        done = subprocess.run(
            ["node", str(DAY), url, str(jsforce)],  # noqa: S607  the one of npm
            env=environ,
            check=False,
            capture_output=True,
            text=True,
            timeout=DAY_S,
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "a good day\n"
    made = [effect.id for effect in org.effects if effect.operation == "create"]
    assert len(made) == len(set(made))
    assert len(org.records("Contact")) == 450
