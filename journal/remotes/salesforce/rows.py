"""Rows of an org: which are listed, how a page of them is asked for, and what it shows; pure.

- F1. A page is a page only if all of it can be read; anything else shows nothing.
- F2. The next page is one of the same query, at the same org, or is not asked for.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from pydantic_core import to_json

from journal.errors import RemoteError
from journal.remotes.meanings import content_of
from journal.remotes.remote import Request, Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.remotes.remote import Response
    from journal.values import Fields

VERSION: Final = "LastModifiedDate"
"""What is the version of a record: what a condition of the org is compared with."""
STAMP: Final = "SystemModstamp"
MOST_PATH: Final = 15_000
"""How many characters an address may have; with its headers, the org takes 16,384 bytes."""
NO_LIST: Final = "a query was answered with something that is no list of records"
_LONGEST_ID: Final = 18
_LOCATOR: Final = "/query/"


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
    is_by_id: bool = False
    """Whether the org lists the ids of what was changed, and not the rows."""
    read: Callable[[Mapping[str, Any]], Fields] = dict
    """Returns the fields of a row under our names."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields that are asked for: those that are wanted, and what tells records apart."""
        stamp = () if self.is_by_id else (STAMP,)
        key = (self.key,) if self.key else ()
        return tuple(dict.fromkeys(("Id", VERSION, *stamp, *key, *self.fields)))

    @property
    def mark(self) -> str:
        """By what a checkpoint of this list is known again (F5)."""
        said = to_json([self.object, self.key, sorted(self.fields), self.where, self.is_by_id])
        return sha256(said).hexdigest()[:16]


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
    if not all(isinstance(row, dict) and is_short(row.get("Id")) for row in records):
        return None
    if is_done:
        return Rows(records, "")
    where = rest.get("nextRecordsUrl")
    locator = where.rpartition("/")[2] if isinstance(where, str) else ""
    is_safe = locator.replace("-", "").isalnum() and locator.isascii()
    return Rows(records, locator) if is_safe else None


def is_short(text: object) -> bool:
    """Say whether something is no longer than an id: many are asked for in one address."""
    return isinstance(text, str) and 0 < len(text) <= _LONGEST_ID


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
