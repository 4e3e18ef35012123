"""What a pull stores: of which record each sighting is, and whether it says anything new.

- D3. What is known already appends nothing.
- D4. A page never sets a record back: where a receipt, or another pull, has told of a record
  since the page was asked for, the page is not stored, unless it says the same.
- D5. A record that the remote shows is ours by its id, or else by our key; and where neither
  tells it from a create of ours whose outcome is unknown, nothing is stored before that is.
- D6. What cannot be kept is left out, and named: it holds up nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from journal.checkpoint import Checkpoint
from journal.errors import RefusedError
from journal.events import DraftAcknowledged, RecordObserved
from journal.explanation import name_of
from journal.names import Names
from journal.staging import Facts, check_text
from journal.sync.reports import LeftOut
from journal.sync.sightings import is_maybe_made, is_rebased, observed
from journal.values import Ref, freeze, references

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.commands import Move
    from journal.drafts import Queue
    from journal.events import Event
    from journal.journal import Journal
    from journal.record import Record
    from journal.remotes.remote import Page, Sighted, Sighting
    from journal.staging import Decision

ACTOR: Final = "pull"
"""Who observes, in the envelope of what a pull appends."""
ENTRIES_AT_ONCE: Final = 1000
AGAIN: Final = "again"
"""Says that a page must be asked for anew."""
_MAX_NAME: Final = 1024


class Counts(NamedTuple):
    """How many records were seen."""

    observed: int = 0
    unchanged: int = 0
    deleted: int = 0


class Store:
    """Stores pages, for one pull."""

    def __init__(self, journal: Journal, remote: Sighted, actor: str = ACTOR) -> None:
        """Store in that journal what that remote shows; `actor` is who observes."""
        self.counts = Counts()
        self.conflicting: dict[Ref, None] = {}
        self.left_out: dict[tuple[str, str], LeftOut] = {}
        self._journal = journal
        self._remote = remote
        self._names = Names(journal.log)
        group = journal.sources.ids.new(journal.sources.clock.now_us())
        self._facts = Facts(actor, journal.origin, correlation_id=group)
        self._low_water = 0

    def store(self, record_type: str, page: Page, head: int) -> str:
        """Store what a page shows that is not known, in one append.

        Args:
            record_type: what it lists.
            page: the page.
            head: where the log ended before the page was asked for.

        Returns:
            Why nothing was stored: `AGAIN`, or what has to be settled first; nothing otherwise.

        Raises:
            LogError: it could not be stored.
        """
        doubt, unchanged = "", 0

        def plan(queue: Queue) -> Sequence[Move]:
            nonlocal doubt, unchanged
            self._low_water = queue.low_water
            self._names.catch_up()
            told = self._told_since(head)
            doubt, shown = self._identified(record_type, page.sightings, queue)
            unchanged, moves = 0, []
            for ref, sighting in shown.items():
                events = self._news(ref, sighting)
                if events and ref in told:
                    doubt = AGAIN
                unchanged += not events
                if events:
                    moves.append((ref, _decided(events)))
            return [] if doubt else moves

        entries = self._journal.note_planned(plan, self._facts)
        if doubt:
            return doubt
        gone = sum(isinstance(e.event, RecordObserved) and not e.event.exists for e in entries)
        before = self.counts
        self.counts = Counts(
            before.observed + len(entries) - gone,
            before.unchanged + unchanged,
            before.deleted + gone,
        )
        for entry in entries:
            if is_rebased(self._journal.load(entry.stream)):
                self.conflicting[entry.stream] = None
        return ""

    def end(self) -> None:
        """Keep how far the log was read, so that the next pull begins to read there.

        Raises:
            LogError: it could not be written.
        """
        self._names.catch_up()
        if self._low_water:
            Checkpoint(self._journal.log).save(self._low_water)

    def _told_since(self, head: int) -> set[Ref]:
        """Return the records of which something was heard after a position (D4)."""
        return {
            entry.stream
            for entry in self._journal.log.scan(head, page=ENTRIES_AT_ONCE)
            if isinstance(entry.event, (RecordObserved, DraftAcknowledged))
        }

    # --- of which record -----------------------------------------------------------------

    def _identified(
        self, record_type: str, sightings: Sequence[Sighting], queue: Queue
    ) -> tuple[str, dict[Ref, Sighting]]:
        """Return the records of a page, each as it is shown last; and what is to be settled."""
        known = self._names.find(record_type, {s.remote_id for s in sightings if s.remote_id})
        doubted = [d for d in queue if d.ref.type == record_type and is_maybe_made(d)]
        shown: dict[Ref, Sighting] = {}
        for sighting in sightings:
            try:
                ref = known.get(sighting.remote_id or "") or self._by_key(record_type, sighting)
                if ref is None or _is_another(shown.get(ref), sighting):
                    ref = Ref.of(record_type, sighting.remote_id or "")
                    is_new = self._journal.load(ref).version == 0
                    if is_new and doubted and sighting.key is None and sighting.fields is not None:
                        first = name_of(doubted[0])
                        return f"{first} may have made a record there: push it first", {}
            except RefusedError as error:
                self._leave_out(record_type, sighting, error)
            else:
                if not self._is_of_earlier(ref, sighting):
                    shown.pop(ref, None)
                    shown[ref] = sighting
        return "", shown

    def _is_of_earlier(self, ref: Ref, sighting: Sighting) -> bool:
        """Say whether what is gone is what was called so before the record was made again."""
        if sighting.fields is not None:
            return False  # the record need not be read for what is there
        remote = self._journal.load(ref).remote
        return bool(remote.exists) and remote.remote_id not in {None, sighting.remote_id}

    def _by_key(self, record_type: str, sighting: Sighting) -> Ref | None:
        """Return the record with our key; None where another one has that key there."""
        if sighting.key is None:
            return None
        ref = Ref.of(record_type, sighting.key)
        if sighting.remote_id in {None, sighting.key}:
            return ref
        by_id = Ref.of(record_type, str(sighting.remote_id))
        if self._journal.load(by_id).remote.remote_id == sighting.remote_id:
            return by_id
        remote = self._journal.load(ref).remote
        is_another = remote.exists and remote.remote_id not in {None, sighting.remote_id}
        return None if is_another else ref

    # --- what is new ---------------------------------------------------------------------

    def _news(self, ref: Ref, sighting: Sighting) -> Sequence[Event]:
        """Return the event of what a sighting says, if that is anything new (D3, D6)."""
        record = self._journal.load(ref)
        fields, remote_id, version = sighting.fields, sighting.remote_id, sighting.version
        try:
            check_text("remote id", remote_id, _MAX_NAME)
            check_text("remote version", version, _MAX_NAME)
            if fields is not None:
                fields = freeze(fields, record=ref)
                recognised = self._remote.recognised(fields, record, self._targets(record))
                fields = freeze(recognised, record=ref)
            return observed(record, fields, remote_id, version, is_partial=sighting.is_partial)
        except RefusedError as error:
            self._leave_out(ref.type, sighting, error)
            return ()

    def _targets(self, record: Record) -> dict[Ref, Record]:
        """Return the records that one, and its pending changes, refer to."""
        known = [record.remote.fields, record.fields or {}]
        for change in record.changes:
            known += [change.fields, change.base]
        targets = {target for fields in known for _, target in references(fields)}
        return {target: self._journal.load(target) for target in targets}

    def _leave_out(self, record_type: str, sighting: Sighting, error: RefusedError) -> None:
        name = sighting.key or sighting.remote_id or ""
        self.left_out[record_type, name] = LeftOut(record_type, name, error.problem)


def known_there(journal: Journal, record_type: str) -> list[str]:
    """Return what the remote calls the records of a type that it is known to have.

    Raises:
        LogError: the log could not be read.
    """
    seen = {
        entry.stream
        for entry in journal.log.scan(0, page=ENTRIES_AT_ONCE)
        if entry.stream.type == record_type
        and isinstance(entry.event, (RecordObserved, DraftAcknowledged))
    }
    remotes = [journal.kept(ref).remote for ref in seen]
    return sorted(r.remote_id for r in remotes if r.exists and r.remote_id is not None)


def _is_another(shown: Sighting | None, sighting: Sighting) -> bool:
    """Say whether two records of a page have one key of ours."""
    is_there = shown is not None and shown.fields is not None
    return is_there and shown is not None and shown.remote_id != sighting.remote_id


def _decided(events: Sequence[Event]) -> Decision:
    """Return the decision for events that were decided on the log as it is."""
    return lambda _record, _lookup: events
