"""The pages of the documentation, and how the examples in them are run.

An example is a fenced block; its language says what is done with it:

- ``python`` runs, all blocks of a page in one namespace; one that begins with ``>>>`` is a
  doctest, in which ``...`` stands for any text.
- ``console`` runs: each line that begins with ``$ `` is a command (``> `` continues it), and
  what follows is what it writes, to either stream. ``...`` stands for any text within its line,
  and alone on a line for any lines. A command must succeed.
- ``toml``, ``json`` and ``jsonl`` are parsed; a TOML document with a ``url`` must be a profile,
  or the settings of an org.
- ``sql`` must be part of the schema of the log.
- ``text`` is a picture or a listing, for people only.

A block after the line ``<!-- file: NAME -->`` is written to that file too. A page runs in a
folder of its own, as on the machine of a reader who works through it from the top.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sybil import Region, Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.region import Lexeme

from journal.log.tables import SCHEMA
from journal.remotes import Profile
from journal.remotes.salesforce import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Document, Example

ROOT: Final = Path(__file__).parent.parent
DOCS: Final = ROOT / "docs"
PAGES: Final = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))

_FENCE: Final = re.compile(
    r"^(?:<!-- file: (?P<file>[\w.-]+) -->\n)?"
    r"```(?P<language>[^\n`]*)\n(?P<source>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND: Final = re.compile(r"^\$ ", re.MULTILINE)
_TIMEOUT_S: Final = 60


def fences(document: Document) -> Iterator[Region]:
    """Yield the examples of a page (a parser for Sybil)."""
    for found in _FENCE.finditer(document.text):
        language, source = found["language"], found["source"]
        first_line = document.text.count("\n", found.start(), found.start("source")) - 1
        lexeme = Lexeme(source, found.start("source") - found.start(), first_line)
        if language == "python" and source.startswith(">>>"):
            for region in _DOCTESTS(lexeme, document.path):
                region.adjust(Region(found.start(), found.end()), lexeme)
                yield region
            continue
        if language not in _EVALUATORS:
            line = document.text.count("\n", 0, found.start()) + 1
            message = f"{document.path}:{line}: a block in {language!r} is not checked by anything"
            raise ValueError(message)
        region = Region(found.start(), found.end(), lexeme, _EVALUATORS[language])
        region.lexemes["file"] = found["file"]
        yield region


def _write(example: Example) -> None:
    """Write the block to its file, where it has one, in the folder of the page."""
    if name := example.region.lexemes["file"]:
        Path(name).write_text(example.parsed, encoding="utf-8")


def _run_python(example: Example) -> None:
    _write(example)
    _PYTHON(example)


def _check_toml(example: Example) -> None:
    _write(example)
    content = tomllib.loads(example.parsed)
    if "url" in content:
        described = Settings if content.get("service") == "salesforce" else Profile
        described.of(content)


def _check_json(example: Example) -> None:
    _write(example)
    json.loads(example.parsed)


def _check_jsonl(example: Example) -> None:
    _write(example)
    for line in example.parsed.splitlines():
        json.loads(line)


def _check_sql(example: Example) -> str | None:
    schema = _squeezed(";".join(SCHEMA))
    statements = [_squeezed(part) for part in re.split(r";\n", example.parsed)]
    unknown = [statement for statement in statements if statement not in schema]
    return f"not in the schema: {unknown[0]}" if unknown else None


def _squeezed(sql: str) -> str:
    return " ".join(sql.split()).rstrip("; ")


def _show(_: Example) -> None:
    """Leave a picture to the reader."""


def _run_console(example: Example) -> str | None:
    """Run the commands of a block; return what differs from what the page shows."""
    _write(example)
    before, *commands = _COMMAND.split(example.parsed)
    if before.strip() or not commands:
        return "a console block begins with a command: $ …"
    for text in commands:
        first, *rest = text.splitlines()
        while rest and rest[0].startswith("> "):
            first += "\n" + rest.pop(0)[2:]
        expected = "\n".join(rest).strip("\n")
        status, actual = _shell(first)
        if status:
            return f"$ {first}\nended with {status}:\n{actual}"
        if not matches(expected, actual):
            return f"$ {first}\nthe page shows:\n{expected}\n\nit wrote:\n{actual}"
    return None


def _shell(command: str) -> tuple[int, str]:
    """Run a command as a reader would; return its exit code and what it wrote."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=_TIMEOUT_S,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return done.returncode, "\n".join(lines).strip("\n")


def _environment() -> dict[str, str]:
    """Return the environment of a reader who has set nothing that would change what is shown."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DRAFT_JOURNAL") and name not in {"FORCE_COLOR", "NO_COLOR"}
    }
    path = f"{_commands()}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "PYTHONUTF8": "1"}


def _commands() -> Path:
    """Return a folder with the commands of a reader: of this interpreter, wherever it is."""
    folder = Path(".commands")
    folder.mkdir(exist_ok=True)
    for name, arguments in (("python", ""), ("draft-journal", "-m journal ")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return folder.absolute()


def matches(expected: str, actual: str) -> bool:
    """Say whether a page shows that output: ``...`` is any text, alone on a line any lines."""
    pattern = "\n".join(re.escape(line.rstrip()) for line in expected.splitlines())
    pattern = re.sub(r"^[ ]*\\\.\\\.\\\.$\n?", "(?:.*\n)*?", pattern + "\n", flags=re.MULTILINE)
    pattern = pattern.replace(r"\.\.\.", "[^\n]*?")
    return re.fullmatch(pattern, actual + "\n") is not None


_PYTHON: Final = PythonEvaluator()
_DOCTESTS: Final = DocTestStringParser(DocTestEvaluator(ELLIPSIS | NORMALIZE_WHITESPACE))
_EVALUATORS: Final = {
    "python": _run_python,
    "console": _run_console,
    "toml": _check_toml,
    "json": _check_json,
    "jsonl": _check_jsonl,
    "sql": _check_sql,
    "text": _show,
}

EXAMPLES: Final = Sybil([fences])
