"""Progress of what takes long: a bar where a person watches a terminal, otherwise nothing.

Bars go to standard error, so that the output can be piped, and are gone when the work is done.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.cli.setting import Setting

Tick: TypeAlias = "Callable[[int, int], None]"
"""Told how much is done, and how much there is in all."""


class Bar(Protocol):
    """Shows how far the work is."""

    def __call__(self, done: int, total: int, text: str | None = None) -> None:
        """Show how much is done of how much, and what is being done."""


def shows_bars(setting: Setting) -> bool:
    """Say whether a person watches: standard error is a terminal that can redraw a line."""
    return not setting.is_json and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def bar(setting: Setting, title: str) -> Iterator[Bar]:
    """Show a bar while the block runs; yield what moves it."""
    if not shows_bars(setting):
        yield lambda _done, _total, _text=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.text import Text

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(title, total=None, text=Text(""))

        def move(done: int, total: int, text: str | None = None) -> None:
            shown.update(task, completed=done, total=total)
            if text is not None:
                shown.update(task, text=text)

        yield move
