"""A table of text: aligned columns within a width, one line after another; pure.

- T1. No line takes more columns than the width, unless the columns that may not be cut do.
- T2. Rows are laid out a page at a time; a column that has become wide stays wide, so a table
  that goes on looks like one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from journal.cli.wording import cells, cut, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GAP: Final = "  "
LEAST: Final = 6
"""The width below which no column is cut."""


class Column(NamedTuple):
    """How one column is set."""

    title: str
    is_number: bool = False
    may_be_cut: bool = False
    least: int = 0


class Cell(NamedTuple):
    """A text, made harmless when it is set, and its style."""

    text: str
    style: str = ""


class Table:
    """Sets rows in columns."""

    def __init__(
        self,
        columns: Sequence[Column],
        width: int | None = None,
        styled: Callable[[str, str], str] = lambda text, _style: text,
    ) -> None:
        """Set in these columns.

        Args:
            columns: from the left to the right; the last ones are cut first.
            width: of the terminal; None for no limit.
            styled: returns a text in a style.
        """
        self._columns = columns
        self._width = width
        self._styled = styled
        self._natural = [max(cells(column.title), column.least) for column in columns]
        self._has_title = False

    def lines(self, rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
        """Yield the lines of a page, with the titles above the first."""
        safe = [[Cell(harmless(cell.text), cell.style) for cell in row] for row in rows]
        for at in range(len(self._columns)):
            widest = max((cells(row[at].text) for row in safe), default=0)
            self._natural[at] = max(self._natural[at], widest)
        widths = self._fitted()
        if not self._has_title:
            self._has_title = True
            yield self._line([Cell(column.title, "title") for column in self._columns], widths)
        for row in safe:
            yield self._line(row, widths)

    def _fitted(self) -> list[int]:
        """Return the widths of the columns, cut from the right where they are too wide (T1)."""
        widths = list(self._natural)
        if self._width is None:
            return widths
        excess = sum(widths) + len(GAP) * (len(widths) - 1) - self._width
        for at in reversed(range(len(widths))):
            if excess > 0 and self._columns[at].may_be_cut:
                cut_by = min(excess, max(widths[at] - LEAST, 0))
                widths[at] -= cut_by
                excess -= cut_by
        return widths

    def _line(self, row: Sequence[Cell], widths: Sequence[int]) -> str:
        parts = []
        for cell, width, column in zip(row, widths, self._columns, strict=True):
            text = cut(cell.text, width)
            padding = " " * (width - cells(text))
            styled = self._styled(text, cell.style) if cell.style and text else text
            parts.append(padding + styled if column.is_number else styled + padding)
        return GAP.join(parts).rstrip()
