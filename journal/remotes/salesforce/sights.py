"""What an org has just shown of records that drafts are about to change; pure.

- V1. A row stands for a read right before a write only while no other request has left since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from journal.errors import RemoteError
from journal.remotes.salesforce import soql
from journal.remotes.salesforce.rows import VERSION, asked, rows

if TYPE_CHECKING:
    from journal.remotes.remote import Request, Response
    from journal.remotes.salesforce.errands import OrgErrand
    from journal.remotes.salesforce.settings import Settings

_SHORT: Final = 15
"""The characters of an id that tell records apart."""

Row: TypeAlias = dict[str, Any]


class Sights:
    """The rows of the last answer, and what was asked for."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._rows: dict[tuple[str, str], Row] = {}
        self.asked: set[tuple[str, str]] = set()
        """By what the records that were asked for are known again, be they there or not."""

    def row(self, errand: OrgErrand, remote_id: str | None) -> Row | None:
        """Return the row of a draft's record; None where none was shown.

        Args:
            errand: of the draft.
            remote_id: what the org calls the record, where that is known.
        """
        return self._rows.get(_mark(errand, remote_id))

    def is_known(self, errand: OrgErrand) -> bool:
        """Say whether it was shown what the record of a draft is like, or that it is not there."""
        row = self.row(errand, errand.remote_id)
        if row is None:
            return _mark(errand, errand.remote_id) in self.asked
        return row.keys() >= set(errand.known_names)

    def add(self, record_type: str, key: str, answer: Response) -> None:
        """Take in the rows that an answer lists.

        Args:
            record_type: of the records.
            key: the field for our key; empty where there is none.
            answer: to a query.
        """
        found = rows(answer)
        for row in [] if found is None else found.rows:
            self._rows[record_type, row["Id"][:_SHORT]] = row
            if key and isinstance(row.get(key), str):
                self._rows[record_type, f"={row[key]}"] = row


class Search:
    """The queries that show some records: one for each type."""

    def __init__(self, settings: Settings) -> None:
        """Look for nothing yet."""
        self._settings = settings
        self._names: dict[str, dict[str, None]] = {}
        self._ids: dict[str, dict[str, None]] = {}
        self._keys: dict[str, dict[str, None]] = {}
        self.marks: set[tuple[str, str]] = set()
        """By what the records that are looked for are known again."""
        self.listed: list[tuple[str, str]] = []
        """The types of the queries, in their order, each with its field for our key."""
        self.too_long: set[str] = set()
        """The types of which no query can be made."""

    def add(self, errand: OrgErrand, remote_id: str | None) -> None:
        """Look for the record of a draft, too, with all fields that are known of it.

        Args:
            errand: of the draft.
            remote_id: what the org calls the record; None to look for it by our key.
        """
        record_type = errand.push.ref.type
        if remote_id is not None:
            self._ids.setdefault(record_type, {})[remote_id] = None
        else:  # a draft without either has no errand
            self._keys.setdefault(record_type, {})[errand.key] = None
        self.marks.add(_mark(errand, remote_id))
        self._names.setdefault(record_type, {}).update(dict.fromkeys(errand.known_names))

    def __bool__(self) -> bool:
        """Say whether anything is looked for."""
        return bool(self._names)

    def queries(self, most: int) -> list[Request]:
        """Return the queries, so many at most; where one would be too long, none of its type."""
        found: list[Request] = []
        self.listed = []
        for record_type in list(self._names)[:most]:
            key = self._settings.key_of(record_type)
            columns = dict.fromkeys(("Id", VERSION, *([key] if key else [])))
            query = soql.named(
                self._settings.object_of(record_type),
                [*columns, *(each for each in self._names[record_type] if each not in columns)],
                self._ids.get(record_type, {}),
                key,
                self._keys.get(record_type, {}),
            )
            try:
                found.append(asked(query))
            except RemoteError:
                self.too_long.add(record_type)
                continue
            self.listed.append((record_type, key))
        return found


def _mark(errand: OrgErrand, remote_id: str | None) -> tuple[str, str]:
    """Return by what a record is known again: the org's id for it, or our key."""
    return errand.push.ref.type, f"={errand.key}" if remote_id is None else remote_id[:_SHORT]
