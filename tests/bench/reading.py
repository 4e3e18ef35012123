"""Reading the whole log: decoded and folded, and caught up into the tables of `Records`."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from journal import Journal
from journal.record import evolve, initial
from projections.projection import BATCH
from projections.records import Records
from tests.bench import raw, workload
from tests.bench.race import Result, race, rate
from tests.bench.writing import fill

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from journal.record import Record
    from journal.values import Fields, Ref
    from tests.bench.race import Contender

RECORDS = 1000
_UPSERT = (
    "INSERT INTO records VALUES (?, ?, ?) "
    "ON CONFLICT (ref) DO UPDATE SET position = excluded.position, fields = excluded.fields"
)


def results(folder: Path, events: int, rounds: int) -> list[Result]:
    """Race what reads a log of that many events, of which half are acknowledgements."""
    entries = list(workload.settled(workload.refs(RECORDS), events, RECORDS // 10))
    fill(folder / "all.db", entries)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(folder / "all.db"))
        connection = stack.enter_context(closing(raw.created(folder / "raw-all.db")))
        connection.execute("PRAGMA synchronous=NORMAL")
        rows = workload.sealed(entries, 1000)
        connection.execute("BEGIN")
        connection.executemany(raw.INSERT, rows)
        connection.execute("COMMIT")
        del entries, rows
        s = race(
            {
                "decode": lambda: lambda: _decode(connection),
                "decode, merge": lambda: lambda: _merge(connection),
                "fold": lambda: lambda: _fold(journal),
                "upsert": _upserts(connection),
                "catch up": lambda: Records(journal).rebuild,
            },
            rounds,
        )
    return [
        rate(
            "e",
            "read, decode, fold / raw select, decode",
            ours_s=s["fold"],
            reference_s=s["decode"],
            count=events,
            at_least=0.55,
        ),
        rate(
            "e",
            "read, decode, fold / raw select, decode, merge",
            ours_s=s["fold"],
            reference_s=s["decode, merge"],
            count=events,
        ),
        rate(
            "f",
            "catch-up of Records / raw decode, merge, upsert",
            ours_s=s["catch up"],
            reference_s=s["upsert"],
            count=events,
            at_least=0.35,
            or_per_s=60_000,
        ),
    ]


def _decode(connection: sqlite3.Connection) -> None:
    for row in connection.execute(raw.SELECT):
        from_json(row[raw.DATA])


def _merge(connection: sqlite3.Connection) -> dict[str, Fields]:
    """Keep the newest value of every field: the least that a fold can be."""
    records: dict[str, Fields] = {}
    for row in connection.execute(raw.SELECT):
        _merge_row(records, row)
    return records


def _merge_row(records: dict[str, Fields], row: tuple[Any, ...]) -> None:
    data = from_json(row[raw.DATA])
    changes = data.get("changes") or data.get("fields")
    if changes:
        stream = row[raw.STREAM]
        records[stream] = {**records.get(stream, {}), **changes}


def _fold(journal: Journal) -> dict[Ref, Record]:
    records: dict[Ref, Record] = {}
    for entry in journal.log.scan():
        ref = entry.stream
        records[ref] = evolve(records.get(ref) or initial(ref), entry)
    return records


def _upserts(connection: sqlite3.Connection) -> Contender:
    """Race against as many entries a transaction, and one upsert per record that they touch."""

    def run() -> None:
        connection.execute("DROP TABLE IF EXISTS records")
        connection.execute(
            "CREATE TABLE records (ref TEXT PRIMARY KEY, position INTEGER NOT NULL, "
            "fields TEXT NOT NULL) STRICT, WITHOUT ROWID"
        )
        records: dict[str, Fields] = {}
        after = 0
        while rows := connection.execute(raw.PAGE, (after, BATCH)).fetchall():
            for row in rows:
                _merge_row(records, row)
            after = rows[-1][0]
            touched = sorted({row[raw.STREAM] for row in rows})
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                _UPSERT, [(ref, after, to_json(records[ref]).decode()) for ref in touched]
            )
            connection.execute("COMMIT")

    return lambda: run
