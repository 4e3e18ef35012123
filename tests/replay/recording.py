"""Records the golden journal of the stored format, by one command.

``python -m tests.replay.recording`` writes ``golden/format-1.db`` and ``golden/format-1.json``
anew. Before the first release an event may still change its fields: then run it, and commit
both files with the change. After a release its files are never written again: what was stored
is read for ever, and a new format gets files of its own.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journal import Journal, Ref
from journal.drafts import Queue
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftAcknowledged,
    DraftAmended,
    DraftDiscarded,
    DraftHeld,
    DraftRetried,
    FieldMessage,
    PushStarted,
    QueueStarted,
    QueueStopped,
    Resolution,
)
from journal.record import base_version, evolve, initial
from journal.staging import Facts
from tests.replay.fixed import HOUR_US, FixedSources
from tests.replay.views import digests_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.drafts import Draft
    from journal.events import Event
    from journal.record import Record

GOLDEN = Path(__file__).parent / "golden"
SYNC = Facts("sync", "tablet-3")


@contextmanager
def recorded(path: Path | str) -> Iterator[Journal]:
    """Return a journal in which everything that can be stored has been stored.

    The same entries are written each time, to the byte.
    """
    sources = FixedSources()
    with Journal(path, actor="tech-17", origin="tablet-3", sources=sources) as journal:
        visit = _made_offline(journal)
        _clock_went_back(journal, sources)
        _observed(journal)
        _pushed(journal, visit)
        _held_and_settled(journal)
        _deleted(journal)
        yield journal


def _made_offline(journal: Journal) -> Ref:
    """Store values of every kind, references, a batch, and every part of the envelope."""
    account = journal.create(
        "Account",
        {
            "Name": "Zoë & Søn — 東京 🛠",
            "Combining": "e\u0301 is not é",
            "Controls": "tab\tline\nnull\x00 sep\u2028\u2029",
            "Empty": "",
            "Nothing": None,
            "Yes": True,
            "No": False,
            "Zero": 0,
            "Largest": 2**53 - 1,
            "Smallest": -(2**53) + 1,
            "Tenth": 0.1,
            "Whole": 3.0,
            "Minus zero": -0.0,
            "Huge": 1.7976931348623157e308,
            "Tiny": 5e-324,
            "List": [1, "two", None, [3.5, {}], []],
            "Object": {"b": 1, "a": {"~/": "escaped", "": "empty"}},
            "Looks like": "Account:a1",
        },
        id="a1",
    )
    with journal.batch(actor="tech-18", reason="site inspection\nsecond line: naïve"):
        visit = journal.create(
            "Visit__c",
            {
                "Account__c": account,
                "Also": [account, "Account:a1", {"in/~here": account}],
                "Status__c": "open",
            },
            id="v/1: ü",
        )
        journal.update(visit, {"Status__c": "done", "Minutes": 12.5})
        journal.create("Part.v2-x", {"Visit": visit, "Count": 1}, reason="used", actor="van 4")
    journal.create("Account", {"Name": "Acme"}, id="a2", correlation_id="call-7")
    journal.create("Account", {"Name": "Acme"}, id="a2")  # seen before: nothing is stored
    return visit


def _clock_went_back(journal: Journal, sources: FixedSources) -> None:
    """Store changes while the clock is an hour behind, and after it was put right."""
    right = sources.clock.now
    sources.clock.now -= HOUR_US
    journal.update(Ref("Account:a1"), {"Name": "Zoë"}, causation_id="e-1", reason="renamed")
    journal.update(Ref("Account:a1"), {"Empty": None, "Whole": 3})
    sources.clock.now = right + HOUR_US
    journal.update(Ref("Account:a1"), {"Zero": False})


def _observed(journal: Journal) -> None:
    """Store what a remote has, whole, in part and not at all."""
    seen = Ref("Contact:c9")
    journal.observe(
        seen,
        {"Name": "Ida", "Boss": Ref("Account:a1"), "Phone": None},
        remote_id="003xx",
        remote_version='W/"7 "',
        actor="pull",
    )
    journal.update(seen, {"Name": "Ida B.", "Phone": "+41"})
    journal.observe(seen, {"Phone": "+49"}, remote_version='W/"8"', partial=True)
    journal.observe(Ref("Contact:never"), None, actor="pull")


def _pushed(journal: Journal, visit: Ref) -> None:
    """Store receipts: by answer and by read, with and without the record that they showed."""
    draft = _draft(journal, Ref("Account:a1"))
    _note(journal, draft, PushStarted(draft_id=draft.draft_id))
    _note(
        journal,
        draft,
        DraftAcknowledged(
            draft_id=draft.draft_id,
            remote_id="001-ä",
            remote_version='"1"',
            evidence="answer",
            status=201,
            remote_date="Sun, 15 Jun 2025 15:06:40 GMT",
        ),
    )
    draft = _draft(journal, visit)
    _note(journal, draft, PushStarted(draft_id=draft.draft_id))
    _note(
        journal,
        draft,
        DraftAcknowledged(
            draft_id=draft.draft_id,
            revision=0,
            evidence="read",
            attempts=4,
            fields={"Account__c": Ref("Account:a1"), "Also": [], "Status__c": "open", "No": 1},
            references=("/fields/Account__c",),
        ),
    )


def _held_and_settled(journal: Journal) -> None:
    """Store holds of each class, and every decision that settles one."""
    part = next(d for d in _queue(journal) if d.ref.type == "Part.v2-x")
    said = (
        FieldMessage(field="Count", message="must be over 1 ≠", code="RANGE"),
        FieldMessage(message="refused"),
    )
    _note(
        journal,
        part,
        PushStarted(draft_id=part.draft_id),
        DraftHeld(
            draft_id=part.draft_id,
            classification="rejected",
            messages=said,
            status=422,
            answer='{"e":"≠"}',
            attempts=2,
        ),
    )
    _note(journal, part, DraftRetried(draft_id=part.draft_id), facts=Facts("boss", "desk"))
    fields = {"Visit": part.fields["Visit"], "Count": 2, "Note": "Account:a1"}
    amended = DraftAmended(
        draft_id=part.draft_id, revision=1, fields=fields, references=("/fields/Visit",)
    )
    _note(journal, part, amended, facts=Facts("boss", "desk", "fix-1", part.draft_id, "typo"))
    seen = _draft(journal, Ref("Contact:c9"))
    resolution = Resolution(field="Phone", side="theirs", rule="newest")
    held = DraftHeld(draft_id=seen.draft_id, classification="conflict", status=412)
    resolved = ConflictResolved(
        draft_id=seen.draft_id,
        revision=1,
        base={"Name": "Ida", "Phone": None},
        ours={"Name": "Ida B.", "Phone": "+41"},
        theirs={"Name": "Ida", "Phone": "+49"},
        resolutions=(resolution, Resolution(field="Name", side="ours", rule="disjoint")),
        kind="update",
        fields={"Name": "Ida B."},
        remote_version='W/"8"',
    )
    _note(journal, seen, held, resolved)
    journal.update(Ref("Contact:c9"), {"Name": "Ida C."})
    later = _queue(journal)[-1]
    gone = ConflictResolved(
        draft_id=seen.draft_id,
        revision=2,
        base={},
        ours={"Name": "Ida B."},
        theirs=None,
        resolutions=(Resolution(field="Name", side="value", rule="asked"),),
        kind="create",
        fields={"Name": "Ida D."},
    )
    _note(journal, seen, DraftHeld(draft_id=seen.draft_id, classification="gone"), gone)
    _note(
        journal,
        seen,
        DraftDiscarded(draft_id=seen.draft_id, maybe_applied=True),
        DraftDiscarded(draft_id=later.draft_id, cause=seen.draft_id),
    )
    _queue_stopped(journal)
    account = _draft(journal, Ref("Account:a2"))
    held = DraftHeld(draft_id=account.draft_id, classification="rejected", answer="<html>")
    _note(journal, account, held)


def _queue_stopped(journal: Journal) -> None:
    """Store that the queue was stopped and started, twice, and at last stopped by a person."""
    stopped = QueueStopped(cause="rejections", problem="5 drafts in a row were rejected: naïve")
    boss = Facts("boss", "desk", reason="the form is mended", trace=f"00-{'4b' * 16}-{'0a' * 8}-01")
    journal.note(QUEUE, lambda _queue: (stopped,), SYNC)
    journal.note(QUEUE, lambda _queue: (QueueStarted(),), boss)
    journal.note(QUEUE, lambda _queue: (QueueStopped(cause="person"),), boss)


def _deleted(journal: Journal) -> None:
    """Store a delete that was acknowledged, one that is pending, and one never sent."""
    gone = journal.create("Account", {"Name": "Gone", "Of": Ref("Account:a1")}, id="gone")
    journal.delete(gone, reason="a mistake")
    for _ in range(2):
        draft = _draft(journal, gone)
        receipt = DraftAcknowledged(draft_id=draft.draft_id, evidence="answer", status=204)
        _note(journal, draft, PushStarted(draft_id=draft.draft_id), receipt)
    with journal.batch(correlation_id="close"):
        brief = journal.create("Account", {}, id="brief")
        journal.delete(brief)
        journal.delete(Ref("Visit__c:v/1: ü"))


def _queue(journal: Journal) -> list[Draft]:
    queue = Queue()
    for entry in journal.log.scan():
        queue.apply(entry)
    return list(queue)


def _draft(journal: Journal, ref: Ref) -> Draft:
    """Return the first pending draft of the record."""
    return next(draft for draft in _queue(journal) if draft.ref == ref)


def _note(journal: Journal, draft: Draft, *events: Event, facts: Facts = SYNC) -> None:
    assert journal.note(draft.ref, lambda _record: events, facts)


# --- what the golden journal must be read as ---------------------------------------------------


def reading_of(journal: Journal) -> dict[str, Any]:
    """Return all that is to be read from a journal for ever, as JSON."""
    verification = journal.log.verify()
    assert verification.problems == ()
    records: dict[Ref, Record] = {}
    queue = Queue()
    for entry in journal.log.scan():
        before = records.get(entry.stream, initial(entry.stream))
        records[entry.stream] = evolve(before, entry)
        queue.apply(entry)
    return {
        "journal_id": verification.journal_id,
        "entries": verification.entries,
        "head_hash": verification.head_hash,
        "records": {str(ref): _record(record) for ref, record in sorted(records.items())},
        "queue": list(map(_waiting, queue)),
        "stop": _plain(queue.switch.stop),
    }


def _record(record: Record) -> dict[str, Any]:
    """Return what is true of a record, however a release chooses to keep it."""
    remote = record.remote
    return {
        "version": record.version,
        "deleted": record.is_deleted,
        "fields": _plain(record.fields),
        "remote": {
            "exists": remote.exists,
            "fields": _plain(remote.fields),
            "id": remote.remote_id,
            "version": remote.version,
        },
        "changes": [
            {
                "draft": change.draft_id,
                "kind": change.kind,
                "revision": change.revision,
                "state": change.state,
                "fields": _plain(change.fields),
                "base": _plain(change.base),
                "on": base_version(record, change),
            }
            for change in record.changes
        ],
    }


def _waiting(draft: Draft) -> dict[str, Any]:
    """Return what is true of a pending draft."""
    return {
        "draft": draft.draft_id,
        "position": draft.position,
        "record": str(draft.ref),
        "kind": draft.kind,
        "state": draft.state,
        "revision": draft.revision,
        "pushes": draft.pushes,
        "fields": _plain(draft.fields),
        "targets": list(map(str, draft.targets)),
        "hold": _plain(draft.hold),
    }


def _plain(value: object) -> Any:  # noqa: ANN401  JSON
    """Return plain JSON in which a reference is told from a text that looks like one."""
    match value:
        case Ref():
            return {"ref": str(value)}
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        case FieldMessage():
            return _plain(value.model_dump())
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def written(reading: dict[str, Any]) -> str:
    """Return the reading as the text that is kept: every value exact, one way to write it."""
    return json.dumps(reading, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write both files anew."""
    database = GOLDEN / "format-1.db"
    GOLDEN.mkdir(exist_ok=True)
    database.unlink(missing_ok=True)
    with recorded(database) as journal:
        reading = reading_of(journal)
    with recorded(":memory:") as journal:
        reading["views"] = digests_of(journal)
    Path(f"{database}-lock").unlink()
    (GOLDEN / "format-1.json").write_text(written(reading), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
