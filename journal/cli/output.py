"""Standard output and standard error, for a person or for a program.

It knows nothing of what is written. For a person: text, in colours where a terminal shows them.
For a program: JSON, one object a line, in UTF-8 whatever the locale.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "title": {"dim": True},
    "faint": {"dim": True},
    "strong": {"bold": True},
    "good": {"fg": "green"},
    "new": {"fg": "green"},
    "changed": {"fg": "yellow"},
    "bad": {"fg": "red"},
    "busy": {"fg": "cyan"},
}


def is_coloured(stream: TextIO) -> bool:
    """Say whether to write colours: to a terminal, unless ``NO_COLOR`` asks for none."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return an object as one line of JSON, in UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate: an argument or a file's name that is no UTF-8
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class Output:
    """Writes what a command found."""

    def __init__(self) -> None:
        """Write to the standard streams of the process as they are now."""
        self.is_terminal = sys.stdout.isatty()
        self._is_coloured = is_coloured(sys.stdout)
        for stream in (sys.stdout, sys.stderr):
            if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
                reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int | None:
        """How many columns a line may take; None where it is no terminal."""
        return shutil.get_terminal_size().columns if self.is_terminal else None

    def styled(self, text: str, style: str) -> str:
        """Return the text in a style, where styles are shown."""
        return click.style(text, **_STYLES[style]) if style and self._is_coloured else text

    def line(self, text: str = "") -> None:
        """Write a line for a person; what is in it must be harmless already."""
        sys.stdout.write(f"{text}\n")

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines for a person."""
        for text in texts:
            self.line(text)

    def object(self, value: Mapping[str, Any]) -> None:
        """Write an object for a program."""
        self.raw(encoded(value))

    def raw(self, line: bytes) -> None:
        """Write bytes as they are."""
        sys.stdout.buffer.write(line)

    def note(self, text: str) -> None:
        """Write a line beside the output: to standard error."""
        self.flush()
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def flush(self) -> None:
        """Send what was written on its way."""
        sys.stdout.flush()
