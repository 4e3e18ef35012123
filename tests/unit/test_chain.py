"""The hash chain: what a hash covers, and how rows are sealed."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from journal.log.chain import Head, Row, Unsealed, genesis, hash_of, leaf, seal
from tests.strategies import texts

NUMBERS = st.integers(1, 2**62)
KNOWN_HASH = "876e24493ed10528a54c2975941aa94a4f785c23e4c89935e5628d25dbcce734"
OPTIONAL = st.none() | texts
ROWS = st.builds(
    Row,
    NUMBERS,
    NUMBERS,
    texts,
    texts,
    NUMBERS,
    texts,
    NUMBERS,
    NUMBERS,
    st.integers(0, 1),
    texts,
    texts,
    OPTIONAL,
    OPTIONAL,
    OPTIONAL,
    OPTIONAL,
    st.binary(max_size=20),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=32, max_size=32),
)


def described(row: Row) -> bytes:
    """Return the leaf by the letter of C2: an independent reading of the rule."""
    lines = []
    for name, value in sorted(row._asdict().items()):
        if name == "hash" or value is None:
            continue
        if name == "data":
            stored = value
        elif isinstance(value, bytes):
            stored = value.hex().encode()
        else:
            stored = str(value).encode()
        lines.append(name.encode() + b":" + str(len(stored)).encode() + b":" + stored + b"\n")
    return b"".join(lines)


def unsealed(n: int, occurred_at: int = 0) -> Unsealed:
    """Return the columns of a row."""
    return Unsealed(
        f"e{n}",
        "Account:1",
        n,
        "RecordCreated",
        1,
        occurred_at,
        "ann",
        "van",
        None,
        None,
        None,
        None,
        b"{}",
    )


class TestLeaf:
    """C2: the bytes that a hash covers."""

    def test_is_what_it_was(self) -> None:
        """The hash of a known row is what it was in the first release, for ever."""
        (row,) = seal(Head(0, genesis("j1"), 0), [unsealed(1, 1_700_000_000_000_000)])

        assert hash_of(row).hex() == KNOWN_HASH
        assert row.hash == hash_of(row)

    def test_every_column_that_holds_a_value(self) -> None:
        """C2: each has its line, and only these; text is in the bytes of its UTF-8."""
        (row,) = seal(Head(0, genesis("j1"), 0), [unsealed(1, 7)])
        full = row._replace(correlation_id="c", causation_id="d", reason="Ü", trace="t-1")

        assert leaf(*row[:-1]) == described(row)
        assert leaf(*full[:-1]) == described(full)
        assert leaf(*full[:-1]).endswith(b"trace:3:t-1\nversion:1:1\n")
        assert b"\nreason:2:\xc3\x9c\n" in leaf(*full[:-1])

    @given(ROWS)
    def test_is_as_described(self, row: Row) -> None:
        """C2: each column with a value, in the order of the names, as name:length:value."""
        assert leaf(*row[:-1]) == described(row)

    @given(ROWS, ROWS)
    def test_is_different_for_different_rows(self, one: Row, other: Row) -> None:
        """C2: two rows that differ in any column but the hash have different leaves."""
        assert (one[:-1] == other[:-1]) == (leaf(*one[:-1]) == leaf(*other[:-1]))

    def test_text_cannot_imitate_a_column(self) -> None:
        """C2: with its length before it, no text can look like the next column."""
        (row,) = seal(Head(0, genesis("j1"), 0), [unsealed(1)])
        honest = row._replace(origin="van", reason="x")
        forged = row._replace(origin="van\nposition:1:1\nreason:1:x", reason=None)

        assert hash_of(honest) != hash_of(forged)

    def test_length_is_in_bytes(self) -> None:
        """C2: the length of a text is that of its UTF-8."""
        (row,) = seal(Head(0, genesis("j1"), 0), [unsealed(1)._replace(actor="Ö")])

        assert leaf(*row[:-1]).startswith(b"actor:2:\xc3\x96\n")


class TestSeal:
    """C1 and C3: rows follow the head, each chained to the one before."""

    def test_chains(self) -> None:
        """C1: positions rise by 1, and each row holds the hash of the one before it."""
        head = Head(7, b"\1" * 32, 100)

        rows = seal(head, [unsealed(1, 101), unsealed(2, 102), unsealed(3, 103)])

        assert [row.position for row in rows] == [8, 9, 10]
        assert [row.batch for row in rows] == [8, 8, 8]
        assert [row.previous_hash for row in rows] == [head.hash, rows[0].hash, rows[1].hash]
        assert [row.hash for row in rows] == [hash_of(row) for row in rows]

    def test_belongs_to_one_journal(self) -> None:
        """C1: the first row is chained to the id of its journal."""
        assert genesis("j1") == sha256(b"draft-journal:j1").digest()
        assert genesis("j1") != genesis("j2")

    @given(st.integers(0, 50), st.lists(st.integers(0, 100), max_size=10))
    def test_time_rises(self, last: int, times: list[int]) -> None:
        """C3: time rises from row to row; where the clock went back, it is moved and flagged."""
        before = last
        rows = seal(Head(1, b"", last), [unsealed(n, at) for n, at in enumerate(times)])

        for n, (given_at, row) in enumerate(zip(times, rows, strict=True)):
            went_back = given_at <= before or given_at < max(times[:n], default=0)
            expected = given_at if given_at > last else last + 1
            assert (row.occurred_at, row.clock_adjusted) == (expected, int(went_back))
            last = row.occurred_at

    def test_a_clock_that_stood_since_the_row_before(self) -> None:
        """C3: another append at the same moment is moved, and flagged."""
        [row] = seal(Head(1, b"", 5), [unsealed(1, 5)])

        assert (row.occurred_at, row.clock_adjusted) == (6, 1)

    def test_one_moment_is_not_a_clock_that_went_back(self) -> None:
        """C3: rows that were made at one moment follow one another, and none is flagged."""
        rows = seal(Head(1, b"", 5), [unsealed(n, 9) for n in range(3)])

        assert [(row.occurred_at, row.clock_adjusted) for row in rows] == [(9, 0), (10, 0), (11, 0)]

    def test_nothing_to_seal(self) -> None:
        """No rows are no rows."""
        assert seal(Head(0, b"", 0), []) == []
