"""What has changed in an org, page by page; pure.

- F3. A record that was changed is listed: what was saved in a long transaction appears with a
  time that is past already, so each list begins some time before the end of the last one. What
  is listed twice is known already.
- F4. A record that was deleted is listed, as long as the org remembers it; where the org may
  have forgotten some, it is asked whether it still has each record that is known here.
- F5. A checkpoint is one of these very fields and this very filter. With others, the list begins
  anew: no record would otherwise ever be seen with them.
```
rows, changed since -> ... -> rows -> deleted since -> [which are still there?]
```
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from pydantic_core import from_json, to_json

from journal.errors import RemoteError
from journal.outcomes import Unknown
from journal.remotes.meanings import content_of
from journal.remotes.remote import Page, Request, Sighting
from journal.remotes.salesforce.soql import changed, moment, time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.remotes.remote import Response
    from journal.values import Fields

VERSION: Final = "LastModifiedDate"
"""What is the version of a record: what a condition of the org is compared with."""
STAMP: Final = "SystemModstamp"
DELETED_BACK: Final = timedelta(days=15)
"""How long an org remembers what was deleted, at most."""
MOST_PATH: Final = 15_000
"""How many characters an address may have; with its headers, the org takes 16,384 bytes."""
_MINUTE: Final = timedelta(minutes=1)
_LOCATOR: Final = "/query/"
_NO_LIST: Final = "a query was answered with something that is no list of records"


class Listing(NamedTuple):
    """Which records of one type are listed, and how a row of the org is read."""

    object: str
    """What the org calls the type."""
    key: str
    """Its field for our key; empty where it has none."""
    fields: tuple[str, ...]
    """The fields of the org's that are wanted."""
    where: str = ""
    """A condition on the records, in SOQL; empty for all."""
    overlap: timedelta = timedelta(minutes=5)
    """How long before the end of the last list the next one begins (F3)."""
    read: Callable[[Mapping[str, Any]], Fields] = dict
    """Returns the fields of a row under our names."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields that are asked for: those that are wanted, and what tells records apart."""
        needed = ("Id", VERSION, STAMP, *((self.key,) if self.key else ()))
        return tuple(dict.fromkeys((*needed, *self.fields)))

    @property
    def mark(self) -> str:
        """By what a checkpoint of this list is known again (F5)."""
        said = to_json([self.object, self.key, sorted(self.fields), self.where])
        return sha256(said).hexdigest()[:16]


class _Since(NamedTuple):
    """A checkpoint."""

    at: datetime | None = None
    """The newest change that is known."""
    deleted: datetime | None = None
    """Up to when what was deleted is known."""


class _Turn(NamedTuple):
    """Which page is asked for."""

    locator: str = ""
    """Of the next page of rows; empty for the first."""
    is_deleted: bool = False
    """Whether what was deleted is asked for, and not rows."""
    ends: str = ""
    """The time at the org when the list began."""


class OrgFeed:
    """The changes of the records of one type."""

    def __init__(self, listing: Listing) -> None:
        """List these."""
        self._listing = listing

    # --- requests ------------------------------------------------------------------------

    def request(self, since: str | None, page: str | None) -> Request:
        """Return the request for a page.

        Args:
            since: the checkpoint; None for the first list of all.
            page: what the page before says of it; None for the first of a list.

        Raises:
            RemoteError: the query is too long.
        """
        turn, known = _turn(page), self._since(since)
        if turn.locator:
            return Request("GET", f"{_LOCATOR}{turn.locator}")
        if turn.is_deleted:
            start, end = self._span(known, turn)
            span = f"start={quote(moment(start))}&end={quote(moment(end))}"
            return Request("GET", f"/sobjects/{self._listing.object}/deleted/?{span}")
        listing = self._listing
        begin = None if known.at is None else moment(known.at - listing.overlap)
        return asked(changed(listing.object, listing.columns, begin, listing.where))

    def _since(self, since: str | None) -> _Since:
        """Return a checkpoint; one of another list is none (F5)."""
        kept = {} if since is None else from_json(since)
        if kept.get("of") != self._listing.mark:
            return _Since()
        return _Since(time_of(kept.get("at")), time_of(kept.get("deleted")))

    def _span(self, known: _Since, turn: _Turn) -> tuple[datetime, datetime]:
        """Return from when to when deletes are asked for: the org takes whole minutes."""
        end = time_of(turn.ends) or datetime.max.replace(tzinfo=UTC)
        start = (known.deleted or end) - self._listing.overlap
        return min(start, end - _MINUTE), end

    # --- answers -------------------------------------------------------------------------

    def page(self, response: Response, since: str | None, page: str | None) -> Page | Unknown:
        """Return the page that an answer is, or why it is none.

        Args:
            response: the answer.
            since: as it was asked for.
            page: as it was asked for.
        """
        turn, known = _turn(page), self._since(since)
        if turn.is_deleted:
            return self._deleted(response, known, turn)
        found = rows(response)
        if found is None:
            return Unknown(_NO_LIST)
        stamps = [stamp for row in found.rows if (stamp := time_of(row.get(STAMP))) is not None]
        newest = max([*stamps, *([known.at] if known.at else [])], default=None)
        now = _date_of(response) or newest
        turn = turn._replace(ends=turn.ends or ("" if now is None else moment(now)))
        sightings = tuple(
            sighting(row, self._listing.key, self._listing.read) for row in found.rows
        )
        if found.locator:
            after = turn._replace(locator=found.locator)
            return Page(sightings, self._kept(newest, known.deleted), _kept_turn(after))
        if turn.ends and self._can_list_deleted(known, turn):
            after = turn._replace(locator="", is_deleted=True)
            return Page(sightings, self._kept(newest, known.deleted), _kept_turn(after))
        deleted = time_of(turn.ends) or known.deleted
        return Page(sightings, self._kept(newest, deleted), None, is_check_due=True)

    def forgotten(self, since: str | None, page: str | None) -> Page | None:
        """Return the page that follows where the org will not say what was deleted (F4).

        Args:
            since: as it was asked for.
            page: as it was asked for.

        Returns:
            The page; None where it was not that which was asked.
        """
        turn, known = _turn(page), self._since(since)
        if not turn.is_deleted:
            return None
        return Page((), self._kept(known.at, time_of(turn.ends)), None, is_check_due=True)

    def _can_list_deleted(self, known: _Since, turn: _Turn) -> bool:
        """Say whether the org may still remember all that was deleted since (F4)."""
        if known.deleted is None:
            return False
        start, end = self._span(known, turn)
        return end - start < DELETED_BACK - _MINUTE

    def _deleted(self, response: Response, known: _Since, turn: _Turn) -> Page | Unknown:
        match content_of(response):
            case {"deletedRecords": [*records], **rest}:
                ids = [record.get("id") if isinstance(record, dict) else None for record in records]
            case _:
                return Unknown("the org was asked what was deleted, and the answer does not say it")
        if not all(isinstance(found, str) and found for found in ids):
            return Unknown("a record that was deleted has no id")
        start, end = self._span(known, turn)
        earliest, covered = (
            time_of(rest.get("earliestDateAvailable")),
            rest.get("latestDateCovered"),
        )
        is_lacking = earliest is not None and earliest > start
        tombstones = tuple(Sighting(None, str(found), None, None) for found in ids)
        deleted = min(time_of(covered) or end, end)
        return Page(tombstones, self._kept(known.at, deleted), None, is_check_due=is_lacking)

    def _kept(self, at: datetime | None, deleted: datetime | None) -> str:
        said = {"at": at, "deleted": deleted}
        times = {name: moment(time) for name, time in said.items() if time is not None}
        return to_json({"of": self._listing.mark, **times}).decode()


class Rows(NamedTuple):
    """A page of what a query lists."""

    rows: list[dict[str, Any]]
    locator: str
    """What asks for the next page; empty where this is the last."""


def rows(response: Response) -> Rows | None:
    """Return the rows of a page, and what asks for the next one; None where it is no page."""
    match content_of(response):
        case {"records": [*records], "done": bool(is_done), **rest}:
            pass
        case _:
            return None
    if not all(isinstance(row, dict) and isinstance(row.get("Id"), str) for row in records):
        return None
    if is_done:
        return Rows(records, "")
    where = rest.get("nextRecordsUrl")
    locator = where.rpartition("/")[2] if isinstance(where, str) else ""
    is_safe = locator.replace("-", "").isalnum() and locator.isascii()
    return Rows(records, locator) if is_safe else None


def sighting(
    row: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any]], Fields]
) -> Sighting:
    """Return what a row shows of a record.

    Args:
        row: as the org has it.
        key: the field for our key; empty where there is none.
        read: returns the fields of a row under our names.
    """
    own = {"attributes", "Id", VERSION, STAMP, key}
    fields = {name: value for name, value in row.items() if name not in own}
    ours = row.get(key) if key else None
    version = row.get(VERSION)
    return Sighting(
        ours if isinstance(ours, str) and ours else None,
        row["Id"],
        read(fields),
        version if isinstance(version, str) else None,
        is_partial=True,
    )


def asked(query: str, page: str | None = None) -> Request:
    """Return the request for a page of what a query lists.

    Args:
        query: in SOQL.
        page: what asks for it; None for the first.

    Raises:
        RemoteError: it is too long for an address.
    """
    path = f"/query/?q={quote(query, safe='')}" if page is None else f"{_LOCATOR}{page}"
    if len(path) > MOST_PATH:
        raise RemoteError(
            f"the query has {len(path):,} characters as an address, and the org takes no more "
            f"than {MOST_PATH:,}",
            hint="name fewer fields: pull = { fields = [...] } of the type",
        )
    return Request("GET", path)


def _turn(page: str | None) -> _Turn:
    return _Turn() if page is None else _Turn(**from_json(page))


def _kept_turn(turn: _Turn) -> str:
    return to_json(turn._asdict()).decode()


def _date_of(response: Response) -> datetime | None:
    """Return the time at the org."""
    try:
        at = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
