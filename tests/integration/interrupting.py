"""Interrupts at a chosen line of the code: where Python would let in a signal."""

from __future__ import annotations

import sys
from contextlib import suppress
from linecache import getline
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def interrupted_at(line: int, folder: str, work: Callable[[], object]) -> bool:
    """Do some work, with an interrupt at that line of what lies in a folder; say whether it came.

    Args:
        line: how many lines are let pass before.
        folder: a part of the path of the code.
        work: what is to be interrupted.
    """
    left = line
    came = False

    def interrupt(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401  a tracer
        nonlocal left, came
        if folder not in frame.f_code.co_filename:
            return interrupt
        if event == "line" and not _is_sheltered(frame):
            if left == 0 and not came:
                came = True
                raise KeyboardInterrupt
            left -= 1
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with suppress(KeyboardInterrupt):
            work()
    finally:
        sys.settrace(before)
    return came


def _is_sheltered(frame: FrameType) -> bool:
    """Say whether Python lets in no signal there: as a ``with`` or a ``try`` begins or ends."""
    line = getline(frame.f_code.co_filename, frame.f_lineno)
    return line.lstrip().startswith(("with ", "try:"))
