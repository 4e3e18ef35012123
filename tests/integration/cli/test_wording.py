"""How things are said and set (`journal.cli.wording`, `journal.cli.table`)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.cli.table import Cell, Column, Table
from journal.cli.wording import age, cells, counted, cut, harmless, short, value
from journal.values import Ref

FRIENDLY = "\u200c\u200d"


class TestHarmless:
    """What may be in a record, on a terminal."""

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Łódź 東京 🚲", "Łódź 東京 🚲"),
            ("\x1b[31mred", "\\x1b[31mred"),
            ("a\nb\tc\r", "a\\nb\\x09c\\x0d"),
            ("\x9b31m", "\\x9b31m"),
            ("ab\u202ecd", "ab\\u202ecd"),
            ("\u2028", "\\u2028"),
            ("\U000e0001", "\\U000e0001"),
            ("👩\u200d🌾", "👩\u200d🌾"),
        ],
    )
    def test_escapes(self, text: str, shown: str) -> None:
        """Everything that a terminal acts on is escaped, and nothing else."""
        assert harmless(text) == shown

    @given(st.text())
    def test_nothing_gets_through(self, text: str) -> None:
        """No text makes a line end, a colour or a direction."""
        assert all(char.isprintable() or char in FRIENDLY for char in harmless(text))


class TestWords:
    """Ages, counts, short ids, values."""

    @pytest.mark.parametrize(
        ("seconds", "said"),
        [(-3, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (9e5, "10 d")],
    )
    def test_age(self, seconds: float, said: str) -> None:
        """An age is said in its largest whole unit."""
        assert age(seconds) == said

    def test_counted(self) -> None:
        """A number of things is in the singular for one."""
        assert [counted(n, "draft") for n in (0, 1, 1200)] == [
            "0 drafts",
            "1 draft",
            "1,200 drafts",
        ]
        assert counted(2, "entry", "entries") == "2 entries"

    def test_short(self) -> None:
        """Only an id that is a UUID is shown short."""
        assert short("Visit:0197f3a2-7b3c-7d4e-8f90-a1b2c3d4e5f6") == "Visit:…c3d4e5f6"
        assert short("Visit:v-0901-is-long-enough-to-be-a-uuid-but") == (
            "Visit:v-0901-is-long-enough-to-be-a-uuid-but"
        )

    @pytest.mark.parametrize(
        ("stored", "shown"),
        [
            ("Acme", "Acme"),
            ("", '""'),
            (" x", '" x"'),
            ("5", '"5"'),
            ("true", '"true"'),
            ("@x", '"@x"'),
            ("[x", '"[x"'),
            (5, "5"),
            (True, "true"),
            (None, "null"),
            ([1, "ż"], '[1, "ż"]'),
            (Ref("User:7"), "@User:7"),
        ],
    )
    def test_value(self, stored: object, shown: str) -> None:
        """A value is shown so that a text is not mistaken for anything else, nor it for a text."""
        assert value(stored) == shown

    @pytest.mark.parametrize(
        ("text", "width", "shown"),
        [
            ("Acme", 4, "Acme"),
            ("Acme Ltd", 5, "Acme…"),
            ("東京都", 6, "東京都"),
            ("東京都", 5, "東京…"),
        ],
    )
    def test_cut(self, text: str, width: int, shown: str) -> None:
        """A text is cut to the columns that it takes, not to its characters."""
        assert cut(text, width) == shown
        assert cells(shown) <= width


class TestTable:
    """Columns within a width."""

    COLUMNS = (Column("#", is_number=True), Column("name", may_be_cut=True), Column("id"))

    def lines(self, rows: list[tuple[str, ...]], width: int | None = None) -> list[str]:
        """Set plain rows."""
        return list(Table(self.COLUMNS, width).lines([list(map(Cell, row)) for row in rows]))

    def test_columns_are_aligned(self) -> None:
        """Texts begin, and numbers end, in the same column; wide characters count twice."""
        assert self.lines([("1", "Acme", "a"), ("12", "東京", "b")]) == [
            " #  name  id",
            " 1  Acme  a",
            "12  東京  b",
        ]

    def test_what_is_too_wide_is_cut(self) -> None:
        """Only columns that may be cut are cut (T1)."""
        assert self.lines([("1", "Acme and Sons", "0123456789")], 24) == [
            "#  name       id",
            "1  Acme and…  0123456789",
        ]

    def test_nothing_is_cut_without_a_width(self) -> None:
        """Without a width, every value is there in full."""
        assert "A" * 300 in self.lines([("1", "A" * 300, "x")])[1]

    def test_a_page_keeps_the_columns_of_the_one_before(self) -> None:
        """Later pages have no titles, and columns at least as wide as before (T2)."""
        table = Table(self.COLUMNS)
        first = list(table.lines([[Cell("100"), Cell("Acme"), Cell("a")]]))
        second = list(table.lines([[Cell("101"), Cell("B"), Cell("b")]]))

        assert first == ["  #  name  id", "100  Acme  a"]
        assert second == ["101  B     b"]

    def test_stored_text_is_harmless(self) -> None:
        """What stands in a cell cannot reach the terminal."""
        assert self.lines([("1", "\x1b[2J", "\n")])[1] == "1  \\x1b[2J  \\n"
