"""Ways to run the command line: in this process, in one of its own, and on a terminal."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from journal.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SETTINGS = (
    "DRAFT_JOURNAL",
    "DRAFT_JOURNAL_ACTOR",
    "NO_COLOR",
    "FORCE_COLOR",
    "PYTHONUNBUFFERED",  # hides what happens to output that waits to be written
)
TIMEOUT_S = 30


class Done(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The error as JSON."""
        error: dict[str, Any] = json.loads(self.err)["error"]
        return error


class Cli(Protocol):
    """Runs a command on the journal of the test."""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Done:
        """Return how it ended."""
        ...


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without the settings of whoever runs the tests."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the journal of the test is, or will be."""
    return tmp_path / "field.db"


@pytest.fixture
def cli(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process."""

    def call(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(["--journal", str(file), "--actor", "ann", *arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return call


def command(file: Path, *arguments: str) -> list[str]:
    """Return the command line in a process of its own."""
    return [sys.executable, "-m", "journal", "--journal", str(file), *arguments]


def in_process(
    file: Path,
    *arguments: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        command(file, *arguments),
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def on_terminal(
    file: Path,
    *arguments: str,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    typed: str = "",
) -> Done:
    """Run a command on a terminal of so many columns; all that it writes is in `out`.

    What is typed waits in the terminal until it is asked for.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        command(file, *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**env, **(environment or {})},
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        written = b"".join(_read(ours))
        code = process.wait(TIMEOUT_S)
    os.close(ours)
    return Done(code, written.decode().replace("\r\n", "\n"), "")


def _read(descriptor: int) -> Iterator[bytes]:
    """Yield what is written to the terminal, until nobody has it open any more."""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            return
        if not chunk:
            return
        yield chunk
