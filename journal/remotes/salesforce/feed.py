"""What has changed in an org, page by page; pure.

- F3. A record that was changed is listed: what was saved in a long transaction appears with a
  time that is past already, so each list begins some time before the end of the last one. What
  is listed twice is known already.
- F4. A record that was deleted is listed, as long as the org remembers it; where the org may
  have forgotten some, it is asked whether it still has each record that is known here.
- F5. A checkpoint is one of these very fields and this very filter. With others, the list begins
  anew: no record would otherwise ever be seen with them.
- F7. A checkpoint is never later than the time at the org; one that turns out to be is none: what
  was changed until then would otherwise never be seen.
```
rows, changed since -> ... -> rows -> deleted since -> [which are still there?]
```
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from pydantic_core import from_json, to_json

from journal.outcomes import Unknown
from journal.remotes import patience
from journal.remotes.meanings import content_of
from journal.remotes.remote import Page, Request, Sighting
from journal.remotes.salesforce.rows import NO_LIST, STAMP, asked, is_short, rows, sighting
from journal.remotes.salesforce.soql import changed, known_time, moment, time_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from journal.remotes.remote import Response
    from journal.remotes.salesforce.rows import Listing

DELETED_BACK: Final = timedelta(days=15)
"""How long an org remembers what was deleted, at most."""
EVER: Final = datetime.max.replace(tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
Step: TypeAlias = Literal["rows", "updated", "ids", "deleted"]
"""What is listed."""


class Since(NamedTuple):
    """A checkpoint."""

    at: datetime | None = None
    """The newest change that is known."""
    deleted: datetime | None = None
    """Up to when what was deleted is known."""


class Turn(NamedTuple):
    """Which page is asked for."""

    step: Step = "rows"
    locator: str = ""
    """Of the next page of rows; empty for the first."""
    ends: str = ""
    """The time at the org when the list began."""
    at: str = ""
    """The newest change that it has shown."""
    until: str = ""
    """Up to when ids are listed, by `UpdatedFeed`."""
    ids: tuple[str, ...] = ()
    """What these were, as far as their rows are still to be read."""


class OrgFeed:
    """The changes of the records of one type."""

    def __init__(self, listing: Listing) -> None:
        """List these."""
        self.listing = listing

    # --- requests ------------------------------------------------------------------------

    def request(self, since: str | None, page: str | None) -> Request:
        """Return the request for a page.

        Args:
            since: the checkpoint; None for the first list of all.
            page: what the page before says of it; None for the first of a list.

        Raises:
            RemoteError: the query is too long.
        """
        turn, known = turn_of(page), self.known(since)
        if turn.locator:
            return asked("", turn.locator)
        if turn.step == "deleted":
            return self.within("deleted", *self._span(known, turn))
        listing = self.listing
        begin = None if known.at is None else moment(known.at - listing.overlap)
        return asked(changed(listing.object, listing.columns, begin, listing.where))

    def known(self, since: str | None) -> Since:
        """Return a checkpoint; one of another list is none (F5)."""
        kept = {} if since is None else from_json(since)
        if kept.get("of") != self.listing.mark:
            return Since()
        return Since(time_of(kept.get("at")), time_of(kept.get("deleted")))

    def _span(self, known: Since, turn: Turn) -> tuple[datetime, datetime]:
        """Return from when to when deletes are asked for."""
        return self.span(known.deleted, time_of(turn.ends) or EVER)

    def span(self, since: datetime | None, end: datetime) -> tuple[datetime, datetime]:
        """Return from when to when to ask: a minute at least, for the org takes whole ones."""
        start = (since or end) - self.listing.overlap
        return min(start, end - MINUTE), end

    def is_ahead(self, since: datetime | None, now: datetime | None) -> bool:
        """Say whether a checkpoint is of a time that is still to come (F7)."""
        return since is not None and now is not None and since - self.listing.overlap > now

    def within(self, what: str, start: datetime, end: datetime) -> Request:
        """Return the request for the ids of what was updated, or deleted, in that time."""
        span = f"start={quote(moment(start))}&end={quote(moment(end))}"
        return Request("GET", f"/sobjects/{self.listing.object}/{what}/?{span}")

    # --- answers -------------------------------------------------------------------------

    def page(self, response: Response, since: str | None, page: str | None) -> Page | Unknown:
        """Return the page that an answer is, or why it is none.

        Args:
            response: the answer.
            since: as it was asked for.
            page: as it was asked for.
        """
        turn, known = turn_of(page), self.known(since)
        if turn.step == "deleted":
            return self._deleted(response, known, turn)
        found = rows(response)
        if found is None:
            return Unknown(NO_LIST)
        stamps = [stamp for row in found.rows if (stamp := time_of(row.get(STAMP))) is not None]
        now = date_of(response)
        if page is None and self.is_ahead(known.at, now):
            return Page((), self.kept(None, known.deleted), kept_turn(Turn()))
        before = time_of(turn.at) or known.at
        newest = max([*stamps, *([before] if before else [])], default=None)
        newest = newest if now is None or newest is None else min(newest, now)
        now = now or newest
        ends = turn.ends or ("" if now is None else moment(now))
        turn = turn._replace(ends=ends, at="" if newest is None else moment(newest))
        sightings = tuple(sighting(row, self.listing.key, self.listing.read) for row in found.rows)
        if found.locator:
            after = turn._replace(locator=found.locator)
            return Page(sightings, self.kept(newest, known.deleted), kept_turn(after))
        return self.last(sightings, known, turn)

    def last(self, sightings: tuple[Sighting, ...], known: Since, turn: Turn) -> Page:
        """Return the last page of rows, after which comes what was deleted.

        Args:
            sightings: that it shows.
            known: the checkpoint with which the list began.
            turn: which page it is.
        """
        newest = time_of(turn.at)
        if turn.ends and self._can_list_deleted(known, turn):
            after = Turn("deleted", ends=turn.ends, at=turn.at)
            return Page(sightings, self.kept(newest, known.deleted), kept_turn(after))
        deleted = time_of(turn.ends) or known.deleted
        return Page(sightings, self.kept(newest, deleted), None, is_check_due=True)

    def forgotten(
        self,
        since: str | None,  # noqa: ARG002  so is a list of ids that goes on with all records
        page: str | None,
        codes: Collection[str],  # noqa: ARG002  an org that lists ids says why it does not
    ) -> Page | None:
        """Return the page that follows where the org will not say what was deleted (F4).

        Args:
            since: as it was asked for.
            page: as it was asked for.
            codes: of the refusal.

        Returns:
            The page; None where nothing else can be asked.
        """
        turn = turn_of(page)
        if turn.step != "deleted":
            return None
        kept = self.kept(time_of(turn.at), time_of(turn.ends))
        return Page((), kept, None, is_check_due=True)

    def _can_list_deleted(self, known: Since, turn: Turn) -> bool:
        """Say whether the org may still remember all that was deleted since (F4)."""
        if known.deleted is None:
            return False
        start, end = self._span(known, turn)
        return not self.is_ahead(known.deleted, end) and end - start < DELETED_BACK - MINUTE

    def _deleted(self, response: Response, known: Since, turn: Turn) -> Page | Unknown:
        match content_of(response):
            case {"deletedRecords": [*records], **rest}:
                ids = [record.get("id") if isinstance(record, dict) else None for record in records]
            case _:
                return Unknown("the org was asked what was deleted, and the answer does not say it")
        if not all(map(is_short, ids)):
            return Unknown("a record that was deleted has no id")
        start, end = self._span(known, turn)
        earliest = time_of(rest.get("earliestDateAvailable"))
        is_lacking = earliest is not None and earliest > start
        tombstones = tuple(Sighting(None, str(found), None, None) for found in ids)
        deleted = min(time_of(rest.get("latestDateCovered")) or end, end)
        kept = self.kept(time_of(turn.at), deleted)
        return Page(tombstones, kept, None, is_check_due=is_lacking)

    def kept(self, at: datetime | None, deleted: datetime | None) -> str:
        """Return a checkpoint, as a page says it."""
        said = {"at": at, "deleted": deleted}
        times = {name: moment(time) for name, time in said.items() if time is not None}
        return to_json({"of": self.listing.mark, **times}).decode()


def turn_of(page: str | None) -> Turn:
    """Return which page is asked for, by what the page before has said."""
    if page is None:
        return Turn()
    content = from_json(page)
    return Turn(**{**content, "ids": tuple(content["ids"])})


def kept_turn(turn: Turn) -> str:
    """Return what asks for a page, as a page says it."""
    return to_json(turn._asdict()).decode()


def date_of(response: Response) -> datetime | None:
    """Return the time at the org."""
    at = patience.date_of(response)
    return None if at is None else known_time(at)
