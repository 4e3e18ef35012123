"""Appends and updates, one by one and in batches, beside a raw insert and stock `save()`."""

from __future__ import annotations

from contextlib import ExitStack, closing
from itertools import count
from typing import TYPE_CHECKING

from journal import Journal
from journal.log import Log, open_recorder
from projections.records import Records
from tests.bench import raw, stock, workload
from tests.bench.race import Result, parts, race, rate

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from journal.events import NewEntry
    from journal.log import Row
    from journal.values import Ref
    from tests.bench.race import Contender, Run

UPDATES_PER_RECORD = 20
"""So that a record is loaded, by whoever loads it, from 1 to 20 events."""
SIZE = 50
"""Operations in a round: few, so that what disturbs the machine disturbs everybody."""
BATCH = 100
"""Changes in a transaction, and transactions in a round of batches."""
BATCHES = 5


def one_by_one(folder: Path, rounds: int) -> list[Result]:
    """Race everything that stores one event per transaction."""
    operations = (rounds + 1) * SIZE
    records = workload.refs(operations // UPDATES_PER_RECORD)
    entries = list(workload.changes(records, len(records) + operations))
    made, left = entries[: len(records)], entries[len(records) :]
    rows = workload.sealed(entries)
    with ExitStack() as stack:
        connection = stack.enter_context(closing(raw.created(folder / "raw.db")))
        log = stack.enter_context(closing(Log(open_recorder(folder / "log.db", lambda: "bench"))))
        updated = stack.enter_context(Journal(folder / "updated.db"))
        read = stack.enter_context(Journal(folder / "read.db"))
        visits = stack.enter_context(closing(stock.opened(folder / "stock.db")))
        _insert_together(connection, rows[: len(records)])
        log.append(made)
        s = race(
            {
                "insert": _inserts(connection, rows[len(records) :]),
                "append": _appends(log, left),
                "update": _updates(updated, records, updated.update),
                "update, get": _updates(read, records, _update_and_get(read)),
                "save": _saves(visits, len(records)),
                "get, command, save": _commands(visits, len(records)),
            },
            rounds,
        )

    def compared(key: str, name: str, ours: str, reference: str, at_least: float) -> Result:
        times = {"ours_s": s[ours], "reference_s": s[reference]}
        return rate(key, name, **times, count=SIZE, at_least=at_least)

    load = "update / stock get, command, save"
    return [
        compared("a", "append / raw insert", "append", "insert", 0.80),
        compared("a", "append / stock save", "append", "save", 1.30),
        compared("b", "update / raw insert", "update", "insert", 0.72),
        compared("b", load, "update", "get, command, save", 2.00),
        compared("c", "update, records.get / raw insert", "update, get", "insert", 0.60),
    ]


def in_batches(folder: Path, rounds: int) -> list[Result]:
    """Race everything that stores a hundred events per transaction."""
    operations = (rounds + 1) * BATCHES * BATCH
    records = workload.refs(operations // UPDATES_PER_RECORD)
    entries = list(workload.changes(records, len(records) + operations))
    made, left = entries[: len(records)], entries[len(records) :]
    rows = workload.sealed(entries, BATCH)
    with ExitStack() as stack:
        connection = stack.enter_context(closing(raw.created(folder / "raw-batch.db")))
        log = stack.enter_context(
            closing(Log(open_recorder(folder / "log-batch.db", lambda: "bench")))
        )
        journal = stack.enter_context(Journal(folder / "batch.db"))
        _insert_together(connection, rows[: len(records)])
        log.append(made)
        s = race(
            {
                "executemany": _insert_batches(connection, rows[len(records) :]),
                "append": _append_batches(log, left),
                "update": _update_batches(journal, records),
            },
            rounds,
        )

    def compared(name: str, ours: str) -> Result:
        times = {"ours_s": s[ours], "reference_s": s["executemany"]}
        return rate("d", name, **times, count=BATCHES * BATCH, at_least=0.60)

    return [
        compared("append of 100 / raw executemany", "append"),
        compared("batch() of 100 updates / raw executemany", "update"),
    ]


def fill(path: Path, entries: list[NewEntry]) -> None:
    """Make a journal of these entries."""
    with closing(Log(open_recorder(path, lambda: "bench"))) as log:
        for part in parts(entries, 1000):
            log.append(part)


def _inserts(connection: sqlite3.Connection, rows: list[Row]) -> Contender:
    left = parts(rows, SIZE)

    def prepare() -> Run:
        part = next(left)

        def run() -> None:
            for row in part:
                connection.execute(raw.INSERT, row)

        return run

    return prepare


def _insert_together(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(raw.INSERT, rows)
    connection.execute("COMMIT")


def _insert_batches(connection: sqlite3.Connection, rows: list[Row]) -> Contender:
    left = parts(rows, BATCH)

    def prepare() -> Run:
        several = [next(left) for _ in range(BATCHES)]

        def run() -> None:
            for part in several:
                _insert_together(connection, part)

        return run

    return prepare


def _appends(log: Log, entries: list[NewEntry]) -> Contender:
    left = parts(entries, SIZE)

    def prepare() -> Run:
        part = next(left)

        def run() -> None:
            for new in part:
                log.append([new])

        return run

    return prepare


def _append_batches(log: Log, entries: list[NewEntry]) -> Contender:
    left = parts(entries, BATCH)

    def prepare() -> Run:
        several = [next(left) for _ in range(BATCHES)]

        def run() -> None:
            for part in several:
                log.append(part)

        return run

    return prepare


def _updates(
    journal: Journal, records: list[Ref], update: Callable[[Ref, dict[str, object]], object]
) -> Contender:
    _create(journal, records)
    numbers = count(len(records))

    def prepare() -> Run:
        part = [
            (records[number % len(records)], workload.change(number))
            for number in (next(numbers) for _ in range(SIZE))
        ]

        def run() -> None:
            for ref, change in part:
                update(ref, change)

        return run

    return prepare


def _update_and_get(journal: Journal) -> Callable[[Ref, dict[str, object]], object]:
    records = Records(journal)

    def update_and_get(ref: Ref, change: dict[str, object]) -> object:
        journal.update(ref, change)
        return records.get(ref)

    return update_and_get


def _update_batches(journal: Journal, records: list[Ref]) -> Contender:
    _create(journal, records)
    numbers = count(len(records))

    def prepare() -> Run:
        several = [
            [(records[number % len(records)], workload.change(number)) for number in part]
            for part in ([next(numbers) for _ in range(BATCH)] for _ in range(BATCHES))
        ]

        def run() -> None:
            for part in several:
                with journal.batch():
                    for ref, change in part:
                        journal.update(ref, change)

        return run

    return prepare


def _create(journal: Journal, records: list[Ref]) -> None:
    with journal.batch():
        for number, ref in enumerate(records):
            journal.create(ref.type, workload.fields(number), id=ref.id)


def _saves(visits: stock.Visits, records: int) -> Contender:
    kept = _saved(visits, records)
    numbers = count(records)

    def prepare() -> Run:
        part = [kept[next(numbers) % records] for _ in range(SIZE)]
        for number, visit in enumerate(part):
            visit.change(workload.change(number, stock.REMARK))

        def run() -> None:
            for visit in part:
                visits.save(visit)

        return run

    return prepare


def _commands(visits: stock.Visits, records: int) -> Contender:
    ids = [visit.id for visit in _saved(visits, records)]
    numbers = count(records)

    def prepare() -> Run:
        part = [
            (ids[number % records], workload.change(number, stock.REMARK))
            for number in (next(numbers) for _ in range(SIZE))
        ]

        def run() -> None:
            for visit_id, change in part:
                visit: stock.Visit = visits.repository.get(visit_id)
                visit.change(change)
                visits.save(visit)

        return run

    return prepare


def _saved(visits: stock.Visits, records: int) -> list[stock.Visit]:
    kept = [stock.Visit(fields=workload.fields(number)) for number in range(records)]
    visits.save(*kept)
    return kept
