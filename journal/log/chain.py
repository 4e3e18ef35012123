"""The hash chain: how rows are sealed, and what a hash covers; pure.

- C1. Positions rise by 1 from 1, and every row's `previous_hash` is the hash of the row before
  it; that of the first is `genesis(journal_id)`, so a row belongs to one journal only.
- C2. A row's hash is the SHA-256 of its `leaf`: its columns that hold a value, `hash` aside,
  in the order of their names, each as ``name:length:value`` and a line feed, where length
  counts the bytes of the value. Integers are decimal text, hashes lower-case hexadecimal,
  texts UTF-8, and `data` is its stored bytes. A column that a later format adds changes no
  old hash, for it holds no value there.
- C3. `occurred_at` rises from row to row: where it would not, it is moved to one microsecond
  after the row before it. `clock_adjusted` is 1 where that is because the clock had gone back
  since an earlier row was made, and 0 among rows of one append that were made at one moment.

Nothing here reads a file: a third party can verify an export with these few lines.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Row(NamedTuple):
    """An entry as it is stored, column by column, in the order of the table."""

    position: int
    batch: int
    event_id: str
    stream: str
    version: int
    event_type: str
    schema_version: int
    occurred_at: int
    clock_adjusted: int
    actor: str
    origin: str
    correlation_id: str | None
    causation_id: str | None
    reason: str | None
    trace: str | None
    data: bytes
    previous_hash: bytes
    hash: bytes


class Unsealed(NamedTuple):
    """The columns of a row that are known before the append."""

    event_id: str
    stream: str
    version: int
    event_type: str
    schema_version: int
    occurred_at: int
    actor: str
    origin: str
    correlation_id: str | None
    causation_id: str | None
    reason: str | None
    trace: str | None
    data: bytes


class Head(NamedTuple):
    """The end of the log, to which the next row is chained."""

    position: int
    hash: bytes
    occurred_at: int


def genesis(journal_id: str) -> bytes:
    """Return the hash before the first row of the journal."""
    return sha256(f"draft-journal:{journal_id}".encode()).digest()


def seal(head: Head, rows: Sequence[Unsealed]) -> list[Row]:
    """Return the rows as they follow the head in one append (C1, C3)."""
    position, previous, last = head
    batch = position + 1
    latest = 0
    sealed = []
    for row in rows:
        position += 1
        occurred_at = row.occurred_at
        adjusted = int(occurred_at <= head.occurred_at or occurred_at < latest)
        latest = max(latest, occurred_at)
        if occurred_at <= last:
            occurred_at = last + 1
        last = occurred_at
        values = (position, batch, *row[:5], occurred_at, adjusted, *row[6:], previous)
        previous = sha256(leaf(*values)).digest()
        sealed.append(Row._make((*values, previous)))
    return sealed


def hash_of(row: Row) -> bytes:
    """Return the hash that the row must have."""
    return sha256(leaf(*row[:-1])).digest()


def leaf(  # noqa: PLR0913, PLR0917  one for each column
    position: int,
    batch: int,
    event_id: str,
    stream: str,
    version: int,
    event_type: str,
    schema_version: int,
    occurred_at: int,
    clock_adjusted: int,
    actor: str,
    origin: str,
    correlation_id: str | None,
    causation_id: str | None,
    reason: str | None,
    trace: str | None,
    data: bytes,
    previous_hash: bytes,
) -> bytes:
    """Return the bytes that the hash of a row covers (C2).

    They are put together as a text of which each character stands for a byte.
    """
    texts = (event_id, stream, event_type, actor, origin)
    given = (correlation_id, causation_id, reason, trace)
    if not "".join((*texts, *filter(None, given))).isascii():
        event_id, stream, event_type, actor, origin = map(_bytewise, texts)
        correlation_id, causation_id, reason, trace = [t and _bytewise(t) for t in given]
    place, first, number = str(position), str(batch), str(version)
    time, adjusted, schema = str(occurred_at), str(clock_adjusted), str(schema_version)
    text = (
        f"actor:{len(actor)}:{actor}\n"
        f"batch:{len(first)}:{first}\n"
        f"{'' if causation_id is None else _line('causation_id', causation_id)}"
        f"clock_adjusted:{len(adjusted)}:{adjusted}\n"
        f"{'' if correlation_id is None else _line('correlation_id', correlation_id)}"
        f"data:{len(data)}:{data.decode('latin-1')}\n"
        f"event_id:{len(event_id)}:{event_id}\n"
        f"event_type:{len(event_type)}:{event_type}\n"
        f"occurred_at:{len(time)}:{time}\n"
        f"origin:{len(origin)}:{origin}\n"
        f"position:{len(place)}:{place}\n"
        f"previous_hash:{len(previous_hash) * 2}:{previous_hash.hex()}\n"
        f"{'' if reason is None else _line('reason', reason)}"
        f"schema_version:{len(schema)}:{schema}\n"
        f"stream:{len(stream)}:{stream}\n"
        f"{'' if trace is None else _line('trace', trace)}"
        f"version:{len(number)}:{number}\n"
    )
    return text.encode("latin-1")


def _line(name: str, text: str) -> str:
    return f"{name}:{len(text)}:{text}\n"


def _bytewise(text: str) -> str:
    """Return the text with a character for each byte of its UTF-8; ASCII stays what it is."""
    return text.encode().decode("latin-1")
