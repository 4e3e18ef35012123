"""Drafts: the queue of pending changes, for people to look at.

What an entry does to a draft, and what holds a draft back, is defined once, by
`journal.drafts`; here its result is kept.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from pydantic_core import from_json, to_json

from journal.drafts import STARTED, Draft, Hold, Queue, Stop, Switch, draft_id_of, evolve, switched
from journal.errors import DraftMissingError
from journal.events import FieldMessage
from journal.explanation import Status, explain, explained, status_of
from journal.values import Ref
from projections.projection import Projection
from projections.rows import bounded, decoding, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from journal.drafts import OnHeld
    from journal.events import Entry
    from journal.log import Cursor

_COLUMNS: Final = (
    "position, draft_id, record, kind, occurred_at, actor, reason, fields, refs, targets, "
    "state, revision, pushes, hold, batch"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM drafts ORDER BY position LIMIT ?"  # noqa: S608
_UP_TO: Final = (
    f"SELECT {_COLUMNS} FROM drafts "  # noqa: S608
    "WHERE position <= (SELECT position FROM drafts WHERE draft_id = ?) ORDER BY position"
)
_LOAD: Final = f"SELECT {_COLUMNS} FROM drafts WHERE draft_id = ?"  # noqa: S608
_SAVE: Final = f"INSERT OR REPLACE INTO drafts VALUES ({', '.join('?' * 15)})"  # noqa: S608
_DROP: Final = "DELETE FROM drafts WHERE draft_id = ?"
_SWITCH: Final = "SELECT stop, rejections FROM draft_queue"
_KEEP_SWITCH: Final = "INSERT OR REPLACE INTO draft_queue VALUES (?, ?, ?)"


class PendingDraft(NamedTuple):
    """A draft in the queue, and what it waits for."""

    draft: Draft
    blocker: Draft | None
    """The held draft that holds it back, itself where it is held; None where nothing does."""
    why: str
    """One sentence: what it waits for, why, and what would unblock it."""
    age_s: float
    """How long ago the change was made, in seconds."""


class Drafts(Projection):
    """The pending drafts in the order in which they will be sent."""

    name: ClassVar[str] = "drafts"
    version: ClassVar[int] = 2
    tables: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "drafts": """
                position INTEGER PRIMARY KEY,
                draft_id TEXT NOT NULL UNIQUE,
                record TEXT NOT NULL,
                kind TEXT NOT NULL,
                occurred_at INTEGER NOT NULL,
                actor TEXT NOT NULL,
                reason TEXT,
                fields TEXT NOT NULL,
                refs TEXT,
                targets TEXT,
                state TEXT NOT NULL,
                revision INTEGER NOT NULL,
                pushes INTEGER NOT NULL,
                hold TEXT,
                batch INTEGER NOT NULL
            """,
            "draft_queue": """
                id INTEGER PRIMARY KEY CHECK (id = 1),
                stop TEXT,
                rejections INTEGER NOT NULL
            """,
        }
    )

    def pending(self, limit: int | None = None) -> list[PendingDraft]:
        """Return the pending drafts in order, or the first of them.

        Raises:
            LogError: they could not be read.
        """
        most = -1 if limit is None else bounded(limit)
        with self.reading() as cursor:
            drafts = _read(cursor, most)
            switch = _switch(cursor)
            if 0 <= most <= len(drafts) and any(draft.state == "held" for draft in drafts):
                drafts = _read(cursor, -1)  # to count those that wait behind the held ones
        found = self._explained(drafts, switch)
        return found if most < 0 else found[:most]

    def get(self, draft_id: str) -> PendingDraft:
        """Return the pending draft with that id.

        Raises:
            DraftMissingError: none has it.
            LogError: it could not be read.
        """
        with self.reading() as cursor:
            cursor.execute(_UP_TO, (draft_id,))
            drafts = _decoded(cursor.fetchall())
            switch = _switch(cursor)
            if not drafts:
                raise DraftMissingError(draft_id)
            at = len(drafts) - 1
            if drafts[at].state == "held":
                drafts = _read(cursor, -1)
        return self._explained(drafts, switch)[at]

    def explain(self, draft_id: str, on_held: OnHeld = "lane") -> str:
        """Return one sentence: what a draft waits for, why, and what would unblock it.

        Args:
            draft_id: of a pending draft.
            on_held: what a held draft stops, as it was said to the subscriber.

        Raises:
            DraftMissingError: no pending draft has that id.
            LogError: it could not be read.
        """
        return explain(self.queue(), draft_id, on_held)

    def status(self, on_held: OnHeld = "lane") -> Status:
        """Return how the queue is as a whole, and what it waits for, in one sentence.

        Args:
            on_held: what a held draft stops, as it was said to the subscriber.

        Raises:
            LogError: it could not be read.
        """
        return status_of(self.queue(), self._journal.sources.clock.now_us(), on_held)

    def __len__(self) -> int:
        """Return the number of pending drafts."""
        with self.reading() as cursor:
            cursor.execute("SELECT count(*) FROM drafts")
            count: int = cursor.fetchone()[0]
        return count

    def held(self) -> int:
        """Return the number of held drafts.

        Raises:
            LogError: they could not be counted.
        """
        with self.reading() as cursor:
            cursor.execute("SELECT count(*) FROM drafts WHERE state = 'held'")
            count: int = cursor.fetchone()[0]
        return count

    def queue(self) -> Queue:
        """Return the queue as it is now, to be folded on from its position.

        Raises:
            LogError: it could not be read.
        """
        with self.reading() as cursor:
            return Queue(_read(cursor, -1), self._at(cursor), _switch(cursor))

    def _explained(self, drafts: Iterable[Draft], switch: Switch) -> list[PendingDraft]:
        now_us = self._journal.sources.clock.now_us()
        return [
            PendingDraft(draft, blocker, why, max(now_us - draft.occurred_at, 0) / 1_000_000)
            for draft, blocker, why in explained(drafts, switch)
        ]

    def apply(self, cursor: Cursor, entries: Iterable[Entry]) -> None:
        """Fold the entries into the drafts that they are about."""
        touched: dict[str, Draft | None] = {}
        switch = before = _switch(cursor)
        for entry in entries:
            switch = switched(switch, entry)
            draft_id = draft_id_of(entry)
            if draft_id is None:
                continue
            if draft_id not in touched:
                is_new = draft_id == entry.event_id
                touched[draft_id] = None if is_new else _loaded(cursor, draft_id)
            touched[draft_id] = evolve(touched[draft_id], entry)
        cursor.executemany(_SAVE, [draft_row(draft) for draft in touched.values() if draft])
        cursor.executemany(_DROP, [(key,) for key, draft in touched.items() if not draft])
        if switch != before:
            _keep_switch(cursor, switch)


def _read(cursor: Cursor, most: int) -> list[Draft]:
    """Return the drafts in order, at most so many; all of them where that is negative."""
    cursor.execute(_ALL, (most,))
    return _decoded(cursor.fetchall())


def _decoded(rows: Iterable[tuple[Any, ...]]) -> list[Draft]:
    with decoding():
        return list(map(_draft_of_row, rows))


def _keep_switch(cursor: Cursor, switch: Switch) -> None:
    """Keep the switch in the one row there is."""
    row = switch_row(switch)
    if row is None:
        cursor.execute("DELETE FROM draft_queue")
    else:
        cursor.execute(_KEEP_SWITCH, row)


def switch_row(switch: Switch) -> tuple[object, ...] | None:
    """Return the row of the switch; None for a queue that nobody has stopped."""
    if switch == STARTED:
        return None
    return (1, None if switch.stop is None else to_json(switch.stop).decode(), switch.rejections)


def _switch(cursor: Cursor) -> Switch:
    cursor.execute(_SWITCH)
    found = cursor.fetchone()
    if found is None:
        return STARTED
    stop, rejections = found
    with decoding():
        return Switch(None if stop is None else Stop(*from_json(stop)), rejections)


def _loaded(cursor: Cursor, draft_id: str) -> Draft | None:
    cursor.execute(_LOAD, (draft_id,))
    found = cursor.fetchone()
    return None if found is None else _decoded([found])[0]


def draft_row(draft: Draft) -> tuple[object, ...]:
    """Return the row of a draft, in the order of the columns."""
    return (
        draft.position,
        draft.draft_id,
        draft.ref,
        draft.kind,
        draft.occurred_at,
        draft.actor,
        draft.reason,
        *packed(draft.fields),
        to_json(draft.targets).decode() if draft.targets else None,
        draft.state,
        draft.revision,
        draft.pushes,
        None if draft.hold is None else to_json(draft.hold).decode(),
        draft.batch,
    )


def _draft_of_row(row: tuple[Any, ...]) -> Draft:
    (position, draft_id, ref, kind, occurred_at, actor, reason, text, refs, targets, *rest) = row
    state, revision, pushes, hold, batch = rest
    return Draft(
        draft_id,
        position,
        Ref.trusted(ref),
        kind,
        occurred_at,
        actor,
        reason,
        unpacked(text, refs),
        () if targets is None else tuple(map(Ref.trusted, from_json(targets))),
        state,
        revision,
        pushes,
        None if hold is None else _hold_of_text(hold),
        batch,
    )


def _hold_of_text(text: str) -> Hold:
    classification, messages, status, answer = from_json(text)
    return Hold(classification, tuple(FieldMessage(**m) for m in messages), status, answer)
