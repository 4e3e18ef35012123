"""What must be true of a journal and of a service, worked out from the log alone.

It folds the log anew with nothing kept from before, so that whatever a journal, a view or a
subscriber has in memory or in a table is compared with what follows from the entries.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote

from journal import Journal, Ref
from journal.drafts import Queue
from journal.events import (
    DraftAcknowledged,
    Entry,
    NewEntry,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)
from journal.record import Record, evolve, initial
from projections import Drafts, History, Records
from tests.integration.workload import subscriber
from tests.replay.views import VIEWS, digests_of, rebuilt_digests_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from journal.testing.service import Effect, RecordService
    from projections import Projection

Request: TypeAlias = tuple[str, str, Any]
Plans: TypeAlias = list[list[Any]]
"""Transactions, each a list of changes as they are told: the kind, the record, the fields."""


class Change(NamedTuple):
    """What the log says of one change, but for what depends on when it was pushed."""

    event_id: str
    ref: Ref
    event_type: str
    actor: str
    content: dict[str, Any]


def changes_of(entries: Iterable[Entry]) -> list[tuple[Change, ...]]:
    """Return the local changes and observations in order, one tuple for each transaction."""
    kinds = (RecordCreated, RecordUpdated, RecordDeleted, RecordObserved)
    local = (entry for entry in entries if isinstance(entry.event, kinds))
    return [
        tuple(
            Change(
                entry.event_id,
                entry.stream,
                type(entry.event).__name__,
                entry.actor,
                entry.event.model_dump(exclude={"base_version"}),
            )
            for entry in batch
        )
        for _, batch in groupby(local, key=lambda entry: entry.batch)
    ]


def records_of(entries: Iterable[Entry]) -> dict[Ref, Record]:
    """Return every record, folded."""
    records: dict[Ref, Record] = {}
    for entry in entries:
        record = records.get(entry.stream) or initial(entry.stream)
        records[entry.stream] = evolve(record, entry)
    return records


def queue_of(entries: Iterable[Entry]) -> Queue:
    """Return the pending drafts, folded."""
    queue = Queue()
    for entry in entries:
        queue.apply(entry)
    return queue


def drafts_in(entries: Iterable[Entry]) -> list[str]:
    """Return the ids of all drafts in order, pending or not."""
    kinds = (RecordCreated, RecordUpdated, RecordDeleted)
    return [entry.event_id for entry in entries if isinstance(entry.event, kinds)]


def plans_in(entries: Iterable[Entry]) -> Plans:
    """Return what was carried out, transaction by transaction, as it was told before."""
    plans: Plans = []
    for _, batch in groupby(entries, key=lambda entry: entry.batch):
        plan: list[Any] = []
        for entry in batch:
            match entry.event:
                case RecordCreated(fields=fields):
                    plan.append(["create", entry.stream, fields])
                case RecordUpdated(changes=fields):
                    plan.append(["update", entry.stream, fields])
                case RecordDeleted():
                    plan.append(["delete", entry.stream, {}])
                case _:
                    pass
        if plan:
            plans.append(plan)
    return plans


def acknowledged_in(entries: Iterable[Entry]) -> list[str]:
    """Return the ids of the acknowledged drafts in order."""
    return [entry.event.draft_id for entry in entries if isinstance(entry.event, DraftAcknowledged)]


def pushes_of(entries: Iterable[Entry]) -> list[Request]:
    """Return the requests that push every draft in order, each once."""
    requests: list[Request] = []
    for entry in entries:
        path = "/".join(("", *(quote(part, safe="") for part in entry.stream.split(":", 1))))
        match entry.event:
            case RecordCreated(fields=fields):
                requests.append(("PUT", path, sent(fields)))
            case RecordUpdated(changes=fields):
                requests.append(("PATCH", path, sent(fields)))
            case RecordDeleted():
                requests.append(("DELETE", path, None))
            case _:
                pass
    return requests


def sent(value: object) -> Any:  # noqa: ANN401  JSON
    """Return the value with the ids that the service has for the records it refers to: ours."""
    match value:
        case Ref():
            return value.id
        case dict():
            return {key: sent(item) for key, item in value.items()}
        case list():
            return [sent(item) for item in value]
        case _:
            return value


# --- what must be true ---------------------------------------------------------------------------


def check_log(journal: Journal) -> list[Entry]:
    """Check the log, whole; return its entries."""
    verification = journal.log.verify()
    entries = list(journal.log.scan())
    assert verification.problems == ()
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    versions: Counter[Ref] = Counter()
    for entry in entries:
        versions[entry.stream] += 1
        assert entry.version == versions[entry.stream]
    assert max(Counter(entry.event_id for entry in entries).values(), default=1) == 1
    return entries


def check_views(journal: Journal, entries: Sequence[Entry]) -> None:
    """Check that every projection is the fold of the log: as it was left, caught up, rebuilt."""
    for view in VIEWS:
        left_at = view(journal).checkpoint()
        if left_at:
            with replayed(entries[:left_at]) as replay:
                assert view(replay).catch_up() == left_at
                assert _rows_of(journal, view) == _rows_of(replay, view)
    caught_up = digests_of(journal)
    with replayed(entries) as replay:
        assert caught_up == digests_of(replay)
    assert caught_up == rebuilt_digests_of(journal)
    check_records(journal, entries)
    check_drafts(journal, entries)
    check_history(journal, entries)


@contextmanager
def replayed(entries: Sequence[Entry]) -> Iterator[Journal]:
    """Return a journal in memory into which the same log was written again."""
    with Journal(actor="replay", origin="memory") as replay:
        for _, batch in groupby(entries, key=lambda entry: entry.batch):
            replay.log.append([_new(entry) for entry in batch])
        yield replay


def _rows_of(journal: Journal, view: type[Projection]) -> list[list[Any]]:
    """Return the rows of a view as they are, not caught up."""
    with journal.log.views.read() as cursor:
        return [
            list(cursor.execute(f"SELECT * FROM {table}"))  # noqa: S608  a name of ours
            for table in sorted(view.tables)
        ]


def _new(entry: Entry) -> NewEntry:
    given = entry._asdict()
    return NewEntry(**{name: given[name] for name in NewEntry._fields})


def check_records(journal: Journal, entries: Sequence[Entry]) -> None:
    """Check that `Records` holds every record as folded."""
    folded = records_of(entries)
    views = {
        view.ref: view
        for record_type in {ref.type for ref in folded}
        for view in Records(journal).list(record_type, include_deleted=True)
    }
    for ref, record in folded.items():
        assert journal.load(ref) == record
        if record.fields is None:
            assert ref not in views
            continue
        view = views[ref]
        assert (view.ref, view.version, view.fields) == (ref, record.version, record.fields)
        assert view.remote_id == record.remote.remote_id
        assert view.drafts.ids == tuple(change.draft_id for change in record.changes)
        assert view.drafts.deleted == record.is_deleted


def check_drafts(journal: Journal, entries: Sequence[Entry]) -> None:
    """Check that `Drafts` holds the queue as folded."""
    folded = queue_of(entries)
    drafts = Drafts(journal)
    assert [pending.draft for pending in drafts.pending()] == list(folded)
    assert list(drafts.queue()) == list(folded)
    assert (len(drafts), drafts.held()) == (len(folded), folded.held)


def check_history(journal: Journal, entries: Sequence[Entry]) -> None:
    """Check that `History` has each entry once, and the outcome of each draft that has one."""
    lines = History(journal).between()
    assert [line.event_id for line in lines] == [entry.event_id for entry in entries]
    outcomes = {line.event_id: line.outcome.state for line in lines if line.outcome is not None}
    assert outcomes == dict.fromkeys(acknowledged_in(entries), "acknowledged")


def check_pushed(entries: Sequence[Entry], effects: Sequence[Effect]) -> None:
    """Check that what the service did is a beginning of what is to be pushed, in order, once.

    All that is acknowledged has been done, and at most one more.
    """
    done = [(effect.method, effect.path, effect.body) for effect in effects]
    acknowledged = len(acknowledged_in(entries))
    assert done == pushes_of(entries)[: len(done)]
    assert acknowledged <= len(done) <= acknowledged + 1


def drain(journal: Journal, service: RecordService, before: int = 0) -> None:
    """Push what is left, and check that the service has what the journal has.

    Args:
        journal: whose drafts are pushed.
        service: has done nothing that the journal does not know of, but `before` writes.
        before: the writes that were made to the service by others, before.
    """
    with subscriber(journal, service.url) as sync:
        report = sync.drain(timeout_s=60)
    assert (report.pending, report.held, report.stopped_by) == (0, 0, None), report
    entries = check_log(journal)
    done = [(effect.method, effect.path, effect.body) for effect in service.effects[before:]]
    assert done == pushes_of(entries)
    assert len(acknowledged_in(entries)) == len(set(acknowledged_in(entries))) == len(done)
    local = {
        (ref.type, ref.id): valued(sent(record.fields))
        for ref, record in records_of(entries).items()
        if record.fields is not None
    }
    assert {key: valued(fields) for key, fields in service.records.items()} == local


def valued(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value: a service may drop one that has none."""
    return {name: value for name, value in fields.items() if value is not None}
