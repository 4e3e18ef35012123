"""The shapes of JSON answers; pure. Documented in docs/reference/command-line.md.

NEVER RENAME A KEY: programs read them. References stand apart from the fields, under the names
of the fields that hold them, as in the lines of an import; one inside a field stands under the
JSON pointer to its place, where `fields` has its text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from journal.values import Ref, references

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from journal import Action, Described, FieldDescription
    from journal.drafts import Draft
    from journal.explanation import Status
    from journal.log import Anchor, Row, Verification
    from journal.sync import Progress, PullReport, Report
    from projections.drafts import PendingDraft
    from projections.history import HistoryLine
    from projections.records import RecordView


def time_text(at: datetime) -> str:
    """Return a time as ISO 8601 in UTC with microseconds."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def instant(occurred_at: int) -> datetime:
    """Return the time that is so many microseconds after 1970."""
    from journal.events import time_of

    return time_of(occurred_at)


def split(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields without those that are references, and the references."""
    plain = {name: value for name, value in fields.items() if type(value) is not Ref}
    targets = {name: str(value) for name, value in fields.items() if type(value) is Ref} | {
        place: str(target) for place, target in references(plain)
    }
    return plain, targets


def record(view: RecordView) -> dict[str, Any]:
    """Return a record as it is here, with what is pending and what the remote last said."""
    plain, targets = split(view.fields)
    drafts = view.drafts
    said, said_targets = split(drafts.server or {})
    return {
        "ref": view.ref,
        "type": view.ref.type,
        "id": view.ref.id,
        "version": view.version,
        "fields": plain,
        "references": targets,
        "drafts": {
            "created": drafts.created,
            "edited": drafts.edited,
            "deleted": drafts.deleted,
            "ids": list(drafts.ids),
        },
        "remote": {
            "id": view.remote_id,
            "version": view.remote_version,
            "fields": None if drafts.server is None else said,
            "references": said_targets,
        },
    }


def pending(found: PendingDraft) -> dict[str, Any]:
    """Return a pending draft and what it waits for."""
    draft = found.draft
    blocker = found.blocker
    plain, targets = split(draft.fields)
    return {
        "draft_id": draft.draft_id,
        "position": draft.position,
        "batch": draft.batch,
        "change": draft.kind,
        "ref": draft.ref,
        "fields": plain,
        "references": targets,
        "state": draft.state,
        "at": time_text(instant(draft.occurred_at)),
        "age_s": round(found.age_s, 3),
        "actor": draft.actor,
        "reason": draft.reason,
        "revision": draft.revision,
        "pushes": draft.pushes,
        "hold": _hold(draft),
        "blocked_by": None if blocker is None else blocker.draft_id,
        "why": found.why,
    }


def _hold(draft: Draft) -> dict[str, Any] | None:
    hold = draft.hold
    if hold is None:
        return None
    return {
        "class": hold.classification,
        "status": hold.status,
        "messages": [
            {"field": m.field, "message": m.message, "code": m.code} for m in hold.messages
        ],
        "answer": hold.answer,
    }


def queue(found: Status, sender: str) -> dict[str, Any]:
    """Return how the queue is as a whole, and who sends it, if anybody does."""
    stop, following, age_s = found.stopped, found.next, found.oldest_age_s
    return {
        "pending": found.pending,
        "held": found.held,
        "sending": found.sending,
        "stopped": None
        if stop is None
        else {
            "cause": stop.cause,
            "problem": stop.problem,
            "at": time_text(instant(stop.occurred_at)),
            "actor": stop.actor,
            "reason": stop.reason,
        },
        "next": None if following is None else following.draft_id,
        "oldest_age_s": None if age_s is None else round(age_s, 3),
        "sender": sender or None,
        "why": found.sentence,
    }


def history_line(line: HistoryLine) -> dict[str, Any]:
    """Return one event of a record: who, when, why, from what to what, and what became of it."""
    outcome = line.outcome
    changes = [
        {"field": change.field, "before": change.before, "after": change.after}
        for change in line.changes
    ]
    return {
        "position": line.position,
        "at": time_text(line.at),
        "actor": line.actor,
        "origin": line.origin,
        "reason": line.reason,
        "ref": line.ref,
        "event": line.event,
        "event_id": line.event_id,
        "correlation_id": line.correlation_id,
        "draft_id": line.draft_id,
        "changes": changes,
        "references": [place for place, _ in references(changes)],
        "outcome": None
        if outcome is None
        else {
            "state": outcome.state,
            "at": time_text(outcome.at),
            "evidence": outcome.evidence,
            "remote_id": outcome.remote_id,
            "remote_version": outcome.remote_version,
            "attempts": outcome.attempts,
            "messages": [
                {"field": m.field, "message": m.message, "code": m.code} for m in outcome.messages
            ],
        },
    }


def stored(row: Row) -> dict[str, Any] | None:
    """Return the event of a row as it is stored, or None where it is not JSON."""
    try:
        data = json.loads(row.data)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def entry(row: Row) -> dict[str, Any]:
    """Return an entry of the log."""
    return {
        "position": row.position,
        "at": time_text(instant(row.occurred_at)),
        "event": row.event_type,
        "ref": row.stream,
        "version": row.version,
        "actor": row.actor,
        "origin": row.origin,
        "reason": row.reason,
        "correlation_id": row.correlation_id,
        "causation_id": row.causation_id,
        "trace": row.trace,
        "event_id": row.event_id,
        "batch": row.batch,
        "clock_adjusted": bool(row.clock_adjusted),
        "schema_version": row.schema_version,
        "data": stored(row),
    }


def progress(found: Progress) -> dict[str, Any]:
    """Return one step of a push."""
    draft = found.draft
    return {
        "step": found.step,
        "draft_id": None if draft is None else draft.draft_id,
        "change": None if draft is None else draft.kind,
        "ref": None if draft is None else draft.ref,
        "acknowledged": found.acknowledged,
        "held": found.held,
        "pending": found.pending,
        "problem": found.problem,
        "delay_s": found.delay_s,
    }


def report(found: Report) -> dict[str, Any]:
    """Return what came of a push."""
    return {**found._asdict(), "duration_s": round(found.duration_s, 6)}


def pull_report(found: PullReport) -> dict[str, Any]:
    """Return what came of a pull."""
    return {
        **found._asdict(),
        "left_out": [left._asdict() for left in found.left_out],
        "duration_s": round(found.duration_s, 6),
    }


def field(described: FieldDescription) -> dict[str, Any]:
    """Return what a field is."""
    return {
        **described._asdict(),
        "choices": [{"value": c.value, "label": c.label or c.value} for c in described.choices],
    }


def action(found: Action) -> dict[str, Any]:
    """Return what can be created, and what is asked for."""
    return {
        "type": found.record_type,
        "action": found.name,
        "says": found.says,
        "fields": [field(described) for described in found.form.fields if described.createable],
    }


def described(found: Described, *, is_whole: bool) -> dict[str, Any]:
    """Return a record type, who described it and when, and its fields, or how many there are."""
    of = found.type
    return {
        "type": of.record_type,
        "label": of.title,
        "createable": of.createable,
        "updateable": of.updateable,
        "deletable": of.deletable,
        "complete": of.complete,
        "source": found.source,
        "described_at": time_text(instant(found.described_at)),
        "fields": list(map(field, of.fields)) if is_whole else len(of.fields),
    }


def verification(
    found: Verification, anchor: Anchor | None, sqlite_version: str, *, has_bug: bool
) -> dict[str, Any]:
    """Return what was found in checking the log, against an anchor where there is one."""
    return {
        "journal_id": found.journal_id,
        "intact": found.is_intact,
        "entries": found.entries,
        "head_hash": found.head_hash,
        "problems": [{"position": p.position, "text": p.text} for p in found.problems],
        "anchor": anchor and {"position": anchor.position, "hash": anchor.hash},
        "sqlite_version": sqlite_version,
        "wal_reset_bug": has_bug,
    }
