"""The house: what stands at the top, what modules are called, and what no file may say."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Final

import pytest

from tests.mutation.proofs import PROOFS
from tests.pages import ROOT

TOP: Final = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "docs",
    "journal",
    "projections",
    "pyproject.toml",
    "tests",
}
NEVER_NAMES: Final = {"core", "helper", "helpers", "manager", "managers", "util", "utils"}
LINES_MOST: Final = 300
LONGER: Final = {
    "journal/commands.py": "one journal: how it is opened, how what it does is stored, how it ends",
    "journal/drafts.py": "one fold: the states of a draft and the order of the queue",
    "journal/errors.py": "one tree, drawn at its top",
    "journal/events.py": "one vocabulary: every event that is stored",
    "journal/log/database.py": "one file: how it is opened, locked, written, read and closed",
    "journal/log/sqlite.py": "one adapter: how rows are appended, read, waited for and looked over",
    "journal/record.py": "one fold, and the decisions on what it yields",
    "journal/remotes/dialect.py": "one dialect: what it asks, and what it finds in every answer",
    "journal/remotes/errand.py": "one draft: its requests, and what every answer says of it",
    "journal/remotes/generic.py": "one remote: what it asks, and what each answer settles",
    "journal/remotes/salesforce/errands.py": "one draft to an org: what it says, what answers say",
    "journal/remotes/salesforce/group.py": "one call: who joins it, what it asks, what it comes to",
    "journal/remotes/salesforce/remote.py": "one remote: which way each draft goes, and how fast",
    "journal/remotes/salesforce/together.py": "one way of sending: what a call comes to",
    "journal/schema.py": "one question: whether fields fit their type, under its kinds of names",
    "journal/sync/delivery.py": "one turn: how drafts leave, and what became of them",
    "journal/sync/ledger.py": "one account: what a sender reads of the log, and what it notes",
    "journal/sync/loops.py": "the subscriber of an event loop: it drains, pulls, runs and waits",
    "journal/testing/contracts/log.py": "one contract: what every adapter of the log promises",
    "journal/testing/simulate/network.py": "one network: what becomes of requests and answers",
    "journal/testing/simulate/operations.py": "one desk: all that people do at it, each a method",
    "journal/testing/simulate/service.py": "one service: what it is asked, and what it keeps",
    "journal/testing/simulate/storage.py": "one disk: what every call to it can meet",
    "journal/testing/simulate/world.py": "one world: its parts, and the course of a run",
    "journal/values.py": "what a record may hold: names, values and references",
    "projections/history.py": "one view: its rows, and what is read from the log for them",
    "projections/projection.py": "one catching up: its checkpoint, its tables, and who owns them",
    "projections/records.py": "one view: its rows, and how records are made of them",
    "projections/replaying.py": "one comparison: the ways to replay, and where each differs first",
}
"""Modules that are longer than we like, each with the reason why it is one."""


def _files() -> list[str]:
    """Return the files of the project, by their paths from the top."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_top_level_is_fixed() -> None:
    """The top level is the architecture diagram: nothing is added to it in passing."""
    assert {name.partition("/")[0] for name in _files()} == TOP


def test_modules_are_named_by_what_they_are() -> None:
    """No module has a name that would let anything land in it."""
    stems = {name: name.rpartition("/")[2].removesuffix(".py") for name in _files()}

    assert [name for name, stem in stems.items() if stem.strip("_") in NEVER_NAMES] == []


def test_long_modules_have_a_reason() -> None:
    """A module of more than 300 lines is listed here with a reason, or is split."""
    modules = [name for name in _files() if re.fullmatch(r"(journal|projections)/.*\.py", name)]
    lengths = {name: len((ROOT / name).read_bytes().splitlines()) for name in modules}

    assert {name for name, lines in lengths.items() if lines > LINES_MOST} <= LONGER.keys()
    assert LONGER.keys() <= lengths.keys()


# Written in pieces, so that this file does not say what none may say.
_FORBIDDEN: Final = {
    "a path of one machine": r"(?<![\w.~])/(?:work|tmp|home|root|Users)" + r"/\w",
    "a package registry": r"py" + r"pi\.org|python" + r"hosted\.org|index" + r"[-_]url",
    "a tracker's number": r"\bissue" + r" #?\d",
}


def test_every_module_of_the_pure_core_has_its_proof() -> None:
    """Mutation testing knows which tests are to notice a change of each pure module."""
    command = ["make", "-s", "--eval", "pure: ; @echo $(PURE)", "pure"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert set(said.split()) == set(PROOFS)
    for names in PROOFS.values():
        assert all((ROOT / "tests" / "unit" / f"{name}.py").is_file() for name in names)


@pytest.mark.parametrize("pattern", _FORBIDDEN.values(), ids=list(_FORBIDDEN))
def test_nothing_foreign_is_named(pattern: str) -> None:
    """No file names a path of somebody's machine, or where packages come from."""
    found = []
    for name in _files():
        text = (ROOT / name).read_bytes().decode("utf-8", "ignore")
        found += [f"{name}: {match[0]}" for match in re.finditer(pattern, text)]

    assert found == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import journal", {"click", "eventsourcing", "httpx", "pydantic", "rich", "sqlite3"}),
        ("import journal.cli", {"click", "eventsourcing", "httpx", "pydantic", "rich"}),
        ("from journal import Journal", {"click", "httpx", "rich"}),
        ("import projections", {"click", "httpx", "rich"}),
        ("import journal.remotes", {"click", "httpx", "rich"}),
        (
            "import journal.receiver",
            {"eventsourcing", "httpx", "journal.log", "journal.sync", "pydantic", "sqlite3"},
        ),
    ],
)
def test_imports_are_lazy(statement: str, absent: set[str]) -> None:
    """An import loads what it needs: what is slow comes when it is used."""
    script = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert absent & set(done.stdout.split()) == set()
