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

RECORDS = 200
SIZE = 50
"""Operations in a round: few, so that what disturbs the machine disturbs everybody."""
BATCH = 100
"""Changes in a transaction, and transactions in a round of batches."""
BATCHES = 5


def one_by_one(folder: Path, rounds: int) -> list[Result]:
    """Race everything that stores one event per transaction."""
    records = workload.refs(RECORDS)
    entries = list(workload.changes(records, RECORDS + (rounds + 1) * SIZE))
    with ExitStack() as stack:
        connection = stack.enter_context(closing(raw.created(folder / "raw.db")))
        log = stack.enter_context(closing(Log(open_recorder(folder / "log.db", lambda: "bench"))))
        updated = stack.enter_context(Journal(folder / "updated.db"))
        read = stack.enter_context(Journal(folder / "read.db"))
        visits = stack.enter_context(closing(stock.opened(folder / "stock.db")))
        s = race(
            {
                "insert": _inserts(connection, workload.sealed(entries)),
                "append": _appends(log, entries),
                "update": _updates(updated, records, updated.update),
                "update, get": _updates(read, records, _update_and_get(read)),
                "save": _saves(visits),
                "get, command, save": _commands(visits),
            },
            rounds,
        )
    return [
        rate("a1", "append / raw insert", s["append"], s["insert"], SIZE, 0.80),
        rate("a2", "append / stock save", s["append"], s["save"], SIZE, 1.3),
        rate("b1", "update / raw insert", s["update"], s["insert"], SIZE, 0.72),
        rate("b2", "update / stock get, command, save", s["update"], s["get, command, save"], SIZE, 2),
        rate("c", "update, get / raw insert", s["update, get"], s["insert"], SIZE, 0.6),
    ]


def in_batches(folder: Path, rounds: int) -> list[Result]:
    """Race everything that stores a hundred events per transaction."""
    records = workload.refs(RECORDS)
    entries = list(workload.changes(records, RECORDS + (rounds + 1) * BATCHES * BATCH))
    with ExitStack() as stack:
        connection = stack.enter_context(closing(raw.created(folder / "raw-batch.db")))
        journal = stack.enter_context(Journal(folder / "batch.db"))
        s = race(
            {
                "executemany": _insert_batches(connection, workload.sealed(entries, BATCH)),
                "batch": _update_batches(journal, records),
            },
            rounds,
        )
    size = BATCHES * BATCH
    return [rate("d", "batch of 100 / raw executemany", s["batch"], s["executemany"], size, 0.6)]


def _inserts(connection: sqlite3.Connection, rows: list[Row]) -> Contender:
    _insert_together(connection, rows[:RECORDS])
    left = parts(rows[RECORDS:], SIZE)

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
    _insert_together(connection, rows[:RECORDS])
    left = parts(rows[RECORDS:], BATCH)

    def prepare() -> Run:
        parts = [next(left) for _ in range(BATCHES)]

        def run() -> None:
            for part in parts:
                _insert_together(connection, part)

        return run

    return prepare


def _appends(log: Log, entries: list[NewEntry]) -> Contender:
    log.append(entries[:RECORDS])
    left = parts(entries[RECORDS:], SIZE)

    def prepare() -> Run:
        part = next(left)

        def run() -> None:
            for new in part:
                log.append([new])

        return run

    return prepare


def _updates(
    journal: Journal, records: list[Ref], update: Callable[[Ref, dict[str, object]], object]
) -> Contender:
    _create(journal, records)
    numbers = count(RECORDS)

    def prepare() -> Run:
        part = [
            (records[number % RECORDS], workload.change(number))
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
    numbers = count(RECORDS)

    def prepare() -> Run:
        parts = [
            [(records[number % RECORDS], workload.change(number)) for number in part]
            for part in ([next(numbers) for _ in range(BATCH)] for _ in range(BATCHES))
        ]

        def run() -> None:
            for part in parts:
                with journal.batch():
                    for ref, change in part:
                        journal.update(ref, change)

        return run

    return prepare


def _create(journal: Journal, records: list[Ref]) -> None:
    with journal.batch():
        for number, ref in enumerate(records):
            journal.create(ref.type, workload.fields(number), id=ref.id)


def _saves(visits: stock.Visits) -> Contender:
    kept = _saved(visits)
    numbers = count(RECORDS)

    def prepare() -> Run:
        part = [kept[next(numbers) % RECORDS] for _ in range(SIZE)]
        for number, visit in enumerate(part):
            visit.change(workload.change(number, stock.REMARK))

        def run() -> None:
            for visit in part:
                visits.save(visit)

        return run

    return prepare


def _commands(visits: stock.Visits) -> Contender:
    ids = [visit.id for visit in _saved(visits)]
    numbers = count(RECORDS)

    def prepare() -> Run:
        part = [
            (ids[number % RECORDS], workload.change(number, stock.REMARK))
            for number in (next(numbers) for _ in range(SIZE))
        ]

        def run() -> None:
            for visit_id, change in part:
                visit: stock.Visit = visits.repository.get(visit_id)
                visit.change(change)
                visits.save(visit)

        return run

    return prepare


def _saved(visits: stock.Visits) -> list[stock.Visit]:
    kept = [stock.Visit(fields=workload.fields(number)) for number in range(RECORDS)]
    visits.save(*kept)
    return kept
