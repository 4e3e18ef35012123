"""The digest of a view: one number for all of its rows, kept up row by row; pure.

- G1. Two views digest alike if and only if their tables hold the same rows, to the type and the
  last bit: 1, 1.0 and "1" are three values, and so are 0.0 and -0.0.
- G2. The order in which rows were written means nothing, so it changes nothing; the order of
  what is within a row does.
- G3. What a row added is taken away with the row: the digest of a state is the same, whichever
  way led to it, and one row more costs the same however many there are.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_MASK: Final = 2**256 - 1
SIZE: Final = 32
"""How many bytes a digest has."""


class Digest:
    """The digest of the tables of one view, as far as their rows were noted."""

    def __init__(self, tables: Iterable[str]) -> None:
        """Begin with these tables, all of them empty."""
        self._sums = dict.fromkeys(sorted(tables), 0)

    def note(self, table: str, sign: int, row: tuple[object, ...]) -> None:
        """Note that a row is there now, or, with the sign -1, that it is there no more."""
        number = int.from_bytes(sha256(f"{table}\n{_plain(row)!a}".encode()).digest())
        self._sums[table] = (self._sums[table] + sign * number) & _MASK

    def value(self) -> bytes:
        """Return the digest."""
        text = "".join(f"{table}\n{total:064x}\n" for table, total in self._sums.items())
        return sha256(text.encode()).digest()


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row as SQLite would show it: it knows no booleans, and no kinds of text."""
    return tuple([_stored(value) for value in row])


def _stored(value: object) -> object:
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    return int(value) if type(value) is bool else value
