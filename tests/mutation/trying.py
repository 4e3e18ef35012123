"""Runs mutmut over one module, in a folder of its own, and reads what became of each mutant."""

from __future__ import annotations

import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.mutation.proofs import PROOFS

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
"""The repository."""
_NEEDED = ("journal", "projections", "tests", "docs", "pyproject.toml")
_SETTINGS = """\
[mutmut]
source_paths = journal
only_mutate = {source}
also_copy =
    projections
    docs
pytest_add_cli_args_test_selection =
    {tests}
pytest_add_cli_args =
    -p
    no:cacheprovider
    -p
    no:unraisableexception
    -p
    no:threadexception
timeout_constant = 2.0
timeout_multiplier = 5.0
use_git_change_detection = false
track_dependencies = false
"""
_TIMEOUTS = {-24, 24, 36, 152, 255}
_KILLS = {1, 3}
_MARK = "__mutmut_"
"""In the name of a mutant, before its number; and in that of what it is a mutant of."""


class Survivor(NamedTuple):
    """A change that no test noticed."""

    name: str
    removed: tuple[str, ...]
    """The lines that the change takes away."""
    added: tuple[str, ...]
    """The lines that it puts in their place."""


class Result(NamedTuple):
    """What became of the mutants of a module."""

    module: str
    killed: int
    timeouts: int
    others: tuple[str, ...]
    """Mutants that are neither killed nor survived: a crash of the interpreter, or no test."""
    survivors: tuple[Survivor, ...]

    @property
    def mutants(self) -> int:
        """Return how many there were."""
        return self.killed + self.timeouts + len(self.others) + len(self.survivors)

    @property
    def share(self) -> float:
        """Return how much of them was noticed, in percent."""
        return 100 * (self.killed + self.timeouts) / self.mutants if self.mutants else 100.0


def run(module: str, work: Path, *, again: bool = False) -> Result:
    """Try the mutants of a module, in a folder of its own below `work`.

    Args:
        module: its path below ``journal``.
        work: where the folders are.
        again: whether to try only those that were not killed the last time.

    Raises:
        RuntimeError: The tests fail without any mutant, by themselves or as they are run for one;
            or the tool does.
    """
    folder = work / module.replace("/", ".")
    tests = "\n    ".join(f"tests/unit/{name}.py" for name in PROOFS[module])
    settings = _SETTINGS.format(source=f"journal/{module}.py", tests=tests)
    left = _left(folder, module, settings) if again else []
    if not left:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in _NEEDED:
            (folder / name).symlink_to(ROOT / name)
        (folder / "setup.cfg").write_text(settings)
    with (folder / "mutmut.txt").open("w") as said:
        command = [
            str(Path(sys.executable).with_name("mutmut")),
            "run",
            "--max-children",
            "1",
            *left,
        ]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "HYPOTHESIS_PROFILE": "mutants"},
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if not _has_mutants(folder, module):
        return read(module, work)
    if done.returncode != 0:
        raise RuntimeError(f"mutmut failed for {module}: see {folder / 'mutmut.txt'}")
    _check_unchanged(module, folder / "mutants")
    return read(module, work)


def _check_unchanged(module: str, folder: Path) -> None:
    """Check that the tests pass where nothing is changed, run by name as they are for a change.

    Raises:
        RuntimeError: Some do not: mutants are killed by whatever is wrong with their tests.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation.unchanged"],
        cwd=folder,
        env={**os.environ, "HYPOTHESIS_PROFILE": "mutants", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise RuntimeError(f"the tests of {module} fail where nothing is changed: {said}")


def read(module: str, work: Path) -> Result:
    """Return what became of the mutants of a module when they were last tried."""
    folder = work / module.replace("/", ".")
    codes = _codes(folder, module)
    return Result(
        module,
        sum(code in _KILLS for code in codes.values()),
        sum(code in _TIMEOUTS for code in codes.values()),
        tuple(name for name, code in codes.items() if code not in {0, *_KILLS, *_TIMEOUTS}),
        _survivors(
            folder / "mutants" / "journal" / f"{module}.py",
            [name.rpartition(".")[2] for name, code in codes.items() if code == 0],
        ),
    )


def _codes(folder: Path, module: str) -> dict[str, int | None]:
    """Return the exit codes of the tests by mutant; None for one that was not tried."""
    meta = json.loads((folder / "mutants" / "journal" / f"{module}.py.meta").read_text())
    codes: dict[str, int | None] = meta["exit_code_by_key"]
    return codes


def _has_mutants(folder: Path, module: str) -> bool:
    """Say whether a module has any mutants: one without functions has none, which is no error."""
    tried = folder / "mutants" / "journal" / f"{module}.py.meta"
    return not tried.exists() or bool(_codes(folder, module))


def _left(folder: Path, module: str, settings: str) -> list[str]:
    """Return the mutants that were not killed the last time; none where all are to be tried."""
    tried = folder / "mutants" / "journal" / f"{module}.py.meta"
    if not tried.exists() or (folder / "setup.cfg").read_text() != settings:
        return []
    return [name for name, code in _codes(folder, module).items() if code not in _KILLS]


def _survivors(changed: Path, names: Sequence[str]) -> tuple[Survivor, ...]:
    """Return the changes that these mutants are, from the file that has all of them."""
    text = changed.read_text()
    lines = text.splitlines()
    functions = {
        node.name: [
            line.replace(node.name, "").strip() for line in lines[node.lineno - 1 : node.end_lineno]
        ]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and _MARK in node.name
    }
    found = []
    for name in names:
        before = functions[f"{name.rpartition(_MARK)[0]}{_MARK}orig"]
        compared = list(difflib.ndiff(before, functions[name]))
        removed, added = (
            tuple(line[2:] for line in compared if line.startswith(mark)) for mark in ("- ", "+ ")
        )
        found.append(Survivor(name, removed, added))
    return tuple(found)
