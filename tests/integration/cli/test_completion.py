"""Completion in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.conftest import TIMEOUT_S, Cli

if TYPE_CHECKING:
    from pathlib import Path


def complete(file: Path, *words: str) -> list[str]:
    """Return what zsh would be offered for the last of these words."""
    done = subprocess.run(
        [sys.executable, "-m", "journal"],
        env={
            **os.environ,
            "DRAFT_JOURNAL": str(file),
            "_DRAFT_JOURNAL_COMPLETE": "zsh_complete",
            "COMP_WORDS": " ".join(("draft-journal", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout.splitlines()[1::3]


class TestCompletion:
    """What is offered."""

    def test_commands(self, file: Path) -> None:
        """Commands are completed, without a journal."""
        assert complete(file, "ex") == ["export"]

    def test_types_and_references(self, cli: Cli, file: Path) -> None:
        """Types and references are completed from the journal."""
        for ref_id in ("acme", "acre", "b1"):
            cli("create", "Account", "--id", ref_id)
        cli("create", "Visit")

        assert complete(file, "list", "A") == ["Account"]
        assert complete(file, "show", "A") == ["Account:"]
        assert complete(file, "show", "Account:ac") == ["Account:acme", "Account:acre"]

    def test_without_a_journal_there_is_nothing(self, file: Path) -> None:
        """Where there is no journal, nothing is offered, and none is made."""
        assert complete(file, "show", "A") == []
        assert not file.exists()

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_script_of_a_shell(self, shell: str) -> None:
        """The script that a shell sources is printed."""
        if shell == "bash" and not _is_bash_new():
            pytest.skip("completion needs bash 4.4")
        done = subprocess.run(
            [sys.executable, "-m", "journal"],
            env={**os.environ, "_DRAFT_JOURNAL_COMPLETE": f"{shell}_source"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

        assert "_DRAFT_JOURNAL_COMPLETE" in done.stdout


def _is_bash_new() -> bool:
    found = subprocess.run(
        ["bash", "-c", "(( BASH_VERSINFO[0] * 10 + BASH_VERSINFO[1] >= 44 ))"],  # noqa: S607
        check=False,
    )
    return found.returncode == 0
