"""What has changed in an org, by the ids that it lists; pure.

- F6. The org lists the ids of 30 days, in whole minutes, and not too many: a longer time begins
  the list anew, and what are too many ids are asked for in halves.
```
what time is it? -> ids, changed since -> their rows -> ... -> deleted since -> ...
```
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from journal.outcomes import Unknown
from journal.remotes.meanings import content_of
from journal.remotes.questions import CHECKED_AT_ONCE
from journal.remotes.remote import Page, Request
from journal.remotes.salesforce.feed import EVER, MINUTE, OrgFeed, Turn, date_of, kept_turn, turn_of
from journal.remotes.salesforce.rows import NO_LIST, asked, is_short, rows, sighting
from journal.remotes.salesforce.soql import all_of, among, clock, moment, time_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from journal.remotes.remote import Response, Sighting
    from journal.remotes.salesforce.feed import Since

UPDATED_BACK: Final = timedelta(days=30)
"""How far back an org lists what was changed."""
TOO_MANY: Final = "EXCEEDED_ID_LIMIT"
MOST_IDS: Final = 2000
"""How many ids are kept until their rows are read."""
_NO_IDS: Final = "the org was asked what was changed, and the answer does not say it"
_NO_TIME: Final = "the org does not say what time it is"


class UpdatedFeed(OrgFeed):
    """The changes of the records of one type, by their ids."""

    # --- requests ------------------------------------------------------------------------

    def request(self, since: str | None, page: str | None) -> Request:
        """Return the request for a page.

        Args:
            since: the checkpoint; None for the first list of all.
            page: what the page before says of it; None for the first of a list.

        Raises:
            RemoteError: the query is too long.
        """
        turn, known, listing = turn_of(page), self.known(since), self.listing
        match turn.step:
            case "updated":
                return self.within("updated", *self._part(known, turn))
            case "ids":
                ids = turn.ids[:CHECKED_AT_ONCE]
                return asked(among(listing.object, listing.columns, ids, listing.where))
            case "rows" if known.at is not None and page is None:
                return asked(clock(listing.object))
            case "rows" if not turn.locator:
                return asked(all_of(listing.object, listing.columns, listing.where))
            case _:
                return super().request(since, page)

    def _part(self, known: Since, turn: Turn) -> tuple[datetime, datetime]:
        """Return from when to when ids are listed."""
        return self.span(time_of(turn.at) or known.at, time_of(turn.until) or EVER)

    # --- answers -------------------------------------------------------------------------

    def page(self, response: Response, since: str | None, page: str | None) -> Page | Unknown:
        """Return the page that an answer is, or why it is none.

        Args:
            response: the answer.
            since: as it was asked for.
            page: as it was asked for.
        """
        turn, known = turn_of(page), self.known(since)
        match turn.step:
            case "updated":
                return self._listed(response, known, turn)
            case "ids" | "rows":
                return self._shown(response, known, turn, is_first=page is None)
            case _:
                return super().page(response, since, page)

    def _shown(
        self, response: Response, known: Since, turn: Turn, *, is_first: bool
    ) -> Page | Unknown:
        found, now = rows(response), date_of(response)
        if found is None:
            return Unknown(NO_LIST)
        ends = turn.ends or ("" if now is None else moment(now))
        if not ends:
            return Unknown(_NO_TIME)
        if is_first and known.at is not None:
            return Page((), self.kept(known.at, known.deleted), kept_turn(self._begun(known, ends)))
        seen = tuple(sighting(row, self.listing.key, self.listing.read) for row in found.rows)
        if turn.step == "ids":
            left = turn._replace(ids=turn.ids[CHECKED_AT_ONCE:])
            if left.ids:
                return Page(seen, self.kept(time_of(turn.at), known.deleted), kept_turn(left))
            return self._next_part(seen, known, left)
        if found.locator:
            after = Turn(locator=found.locator, ends=ends)
            return Page(seen, self.kept(None, known.deleted), kept_turn(after))
        return self.last(seen, known, Turn(ends=ends, at=ends))

    def _begun(self, known: Since, ends: str) -> Turn:
        """Return the first page of ids, or of all rows where the org lists none (F6, F7)."""
        start, end = self._part(known, turn := Turn("updated", ends=ends, until=ends))
        if self.is_ahead(known.at, end) or end - start >= UPDATED_BACK - MINUTE:
            return Turn(ends=ends)
        return turn._replace(at="" if known.at is None else moment(known.at))

    def _listed(self, response: Response, known: Since, turn: Turn) -> Page | Unknown:
        """Return the page that follows on a list of ids: their rows, or fewer ids (F6)."""
        match content_of(response):
            case {"ids": [*ids], **rest} if all(map(is_short, ids)):
                pass
            case _:
                return Unknown(_NO_IDS)
        if len(ids) > MOST_IDS and (half := _halved(turn)) is not None:
            return self._on(known, half)
        _, end = self._part(known, turn)
        covered = moment(min(time_of(rest.get("latestDateCovered")) or end, end))
        after = turn._replace(step="ids", at=covered, ids=tuple(ids))
        return self._on(known, after) if ids else self._next_part((), known, after)

    def _next_part(self, seen: tuple[Sighting, ...], known: Since, turn: Turn) -> Page:
        """Return the page after which come the ids of the time that is left, or the deletes."""
        if turn.until != turn.ends:
            after = Turn("updated", ends=turn.ends, at=turn.at, until=turn.ends)
            return self._on(known, after)._replace(sightings=seen)
        return self.last(seen, known, Turn(ends=turn.ends, at=turn.at))

    def _on(self, known: Since, turn: Turn) -> Page:
        return Page((), self.kept(time_of(turn.at), known.deleted), kept_turn(turn))

    def forgotten(self, since: str | None, page: str | None, codes: Collection[str]) -> Page | None:
        """Return the page that follows where the org refuses to list what it was asked for.

        Args:
            since: as it was asked for.
            page: as it was asked for.
            codes: of the refusal.

        Returns:
            The page; None where nothing else can be asked.
        """
        turn, known = turn_of(page), self.known(since)
        if turn.step != "updated":
            return super().forgotten(since, page, codes)
        half = _halved(turn) if TOO_MANY in codes else None
        return self._on(known, half or Turn(ends=turn.ends))


def _halved(turn: Turn) -> Turn | None:
    """Return the first half of a list of ids; None where it is too short to be halved."""
    start, end = time_of(turn.at), time_of(turn.until)
    if start is None or end is None or end - start < 2 * MINUTE:
        return None
    return turn._replace(until=moment(start + (end - start) / 2))
