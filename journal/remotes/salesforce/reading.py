"""What an org is asked without writing to it: changes, queries, its objects; no I/O.

- O3. What an org refuses to list stores nothing; what it may have forgotten is asked for by id.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from journal.events import FieldMessage
from journal.outcomes import OUTCOMES, Refused, Unknown
from journal.remotes.classify import Doubt, Success
from journal.remotes.credentials import authorised
from journal.remotes.generic import HttpRemote
from journal.remotes.meanings import Done, content_of
from journal.remotes.remote import Page, Request, Response
from journal.remotes.salesforce import objects, soql
from journal.remotes.salesforce.answers import meant
from journal.remotes.salesforce.feed import OrgFeed
from journal.remotes.salesforce.rows import NO_LIST, VERSION, Listing, asked, rows, sighting
from journal.remotes.salesforce.updated import UpdatedFeed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from journal.descriptions import FieldDescription, TypeDescription
    from journal.outcomes import Outcome, Wait
    from journal.remotes.remote import Answer
    from journal.remotes.salesforce.settings import Settings

_Found = TypeVar("_Found")
_NO_END: Final = "a query for some records was answered with pages that show none of them anew"
_NO_OBJECT: Final = "the org was asked what an object is, and the answer does not say it"


class OrgReader(HttpRemote):
    """An org, as far as it is only read."""

    settings: Settings
    _objects: dict[str, dict[str, Any]]
    """What the org has said of its objects, by our names of the types."""

    # --- what has changed ----------------------------------------------------------------

    def changes(
        self, record_type: str, since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of changes: yield requests, receive their answers, return the page.

        Where the settings do not name the fields that are wanted, the org is asked first which
        there are.

        Raises:
            RemoteError: the page cannot be asked for.
        """
        return (yield from self._asked(self._page_of(record_type, since, page)))

    def _page_of(
        self, record_type: str, since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        listing = yield from self._listing(record_type)
        if not isinstance(listing, Listing):
            return listing
        feed = UpdatedFeed(listing) if listing.is_by_id else OrgFeed(listing)
        found = yield from self._said(record_type, feed.request(since, page))
        if isinstance(found, Response):
            return feed.page(found, since, page)
        if isinstance(found, Refused):
            codes = {message.code for message in found.messages}
            return feed.forgotten(since, page, codes) or found
        return found

    def _listing(self, record_type: str) -> Generator[Request, Answer, Listing | Outcome]:
        """Return what is listed of a type: what the settings say, or all that can be read."""
        pull = self.settings.pull_of(record_type)
        fields = pull.fields
        if not fields:
            content = yield from self._object(record_type)
            if not isinstance(content, dict):
                return content
            fields = objects.readable(content)
        return Listing(
            self.settings.object_of(record_type),
            self.settings.key_of(record_type),
            fields,
            pull.where,
            timedelta(seconds=pull.overlap_s),
            pull.by == "updated",
            self.dialect.forms(record_type).read,
        )

    def surviving(
        self, record_type: str, remote_ids: Sequence[str]
    ) -> Generator[Request, Answer, frozenset[str] | Outcome]:
        """Ask which of these records are still there.

        Args:
            record_type: of the records.
            remote_ids: what the org calls them.

        Raises:
            RemoteError: it cannot be asked for.
        """
        return (yield from self._asked(self._surviving(record_type, remote_ids)))

    def _surviving(
        self, record_type: str, remote_ids: Sequence[str]
    ) -> Generator[Request, Answer, frozenset[str] | Outcome]:
        query = soql.among(self.settings.object_of(record_type), ["Id"], remote_ids)
        wanted, there = {each[:15] for each in remote_ids}, set[str]()
        locator: str | None = None
        while locator != "":
            answer = yield from self._said(record_type, asked(query, locator))
            if not isinstance(answer, Response):
                return answer
            found = rows(answer)
            if found is None:
                return Unknown(NO_LIST)
            new = {row["Id"][:15] for row in found.rows} & wanted - there
            if found.locator and not new:
                return Unknown(_NO_END)
            there |= new
            locator = found.locator
        return frozenset(each for each in remote_ids if each[:15] in there)

    # --- what somebody wants to have here ------------------------------------------------

    def queried(self, query: str) -> str:
        """Return the type of the records that a query lists.

        Args:
            query: in SOQL.

        Raises:
            QueryError: it is no query, or not one for whole records.
        """
        name = soql.read(query).object
        for record_type in self.settings.types:
            if self.settings.object_of(record_type).lower() == name.lower():
                return record_type
        return name

    def selected(self, query: str, page: str | None) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of what a query lists.

        Args:
            query: in SOQL.
            page: what the page before has said of it; None for the first.

        Raises:
            QueryError: it is no query, or not one for whole records.
            RemoteError: the query is too long.
        """
        return (yield from self._asked(self._selected(query, page)))

    def _selected(self, query: str, page: str | None) -> Generator[Request, Answer, Page | Outcome]:
        record_type = self.queried(query)
        key = self.settings.key_of(record_type)
        wanted = ("Id", VERSION, *((key,) if key else ()))
        read = soql.read(query)
        answer = yield from self._said(record_type, asked(read.with_fields(wanted), page))
        if not isinstance(answer, Response):
            return answer
        found = rows(answer)
        if found is None:
            return Unknown(NO_LIST)
        name = _object_of(found.rows) or read.object
        if name != read.object and record_type == read.object:
            said = f"the org calls the object {name}: write FROM {name}"
            return Refused("rejected", (FieldMessage(message=said),))
        forms = self.dialect.forms(record_type)
        named = {each.upper() for each in read.names}
        shown = [sighting(row, key, forms.read) for row in found.rows]
        if VERSION.upper() in named:
            shown = [
                seen._replace(fields={**(seen.fields or {}), forms.ours(VERSION): row.get(VERSION)})
                for seen, row in zip(shown, found.rows, strict=True)
            ]
        return Page(tuple(shown), None, found.locator or None)

    # --- what its objects are ------------------------------------------------------------

    def describe(self, record_type: str) -> Generator[Request, Answer, TypeDescription | Outcome]:
        """Ask what a record type is: yield requests, receive their answers, return it.

        Args:
            record_type: under our name.

        Raises:
            RemoteError: it cannot be asked for.
        """
        self._objects.pop(record_type, None)
        return (yield from self._asked(self._as_described(record_type)))

    def _as_described(
        self, record_type: str
    ) -> Generator[Request, Answer, TypeDescription | Outcome]:
        content = yield from self._object(record_type)
        if not isinstance(content, dict):
            return content
        found = objects.described(record_type, content, self.dialect.forms(record_type).ours)
        fields = [self._as_filled_in(record_type, field) for field in found.fields]
        return found._replace(fields=tuple(fields))

    def _as_filled_in(self, record_type: str, field: FieldDescription) -> FieldDescription:
        """Return a field as it is for a draft: our key is none, and nobody has to capture.

        The key stands in the address of a create, and must not stand in its body as well.
        """
        forms, settings = self.dialect.forms(record_type), self.settings
        if field.name == forms.ours(settings.key_of(record_type)):
            return field._replace(required=False, createable=False, updateable=False)
        is_captured = field.name in map(forms.ours, settings.capture_of(record_type).names)
        refers_to = tuple(name for named in field.refers_to for name in self._types_of(named))
        required = field.required and not is_captured
        return field._replace(required=required, refers_to=refers_to)

    def _types_of(self, name: str) -> tuple[str, ...]:
        """Return what we call the records of an object."""
        named = [t for t in self.settings.types if self.settings.object_of(t) == name]
        return tuple(dict.fromkeys((*named, name)))

    def _object(self, record_type: str) -> Generator[Request, Answer, dict[str, Any] | Outcome]:
        """Return what the org says of an object; it is asked once."""
        if record_type not in self._objects:
            name = self.settings.object_of(record_type)
            answer = yield from self._said(
                record_type, Request("GET", f"/sobjects/{name}/describe")
            )
            if not isinstance(answer, Response):
                return answer
            content = objects.read(content_of(answer))
            if content is None:
                return Unknown(_NO_OBJECT)
            self._objects[record_type] = content
        return self._objects[record_type]

    # --- asking --------------------------------------------------------------------------

    def _asked(
        self, exchange: Generator[Request, Answer, _Found | Outcome]
    ) -> Generator[Request, Answer, _Found | Outcome]:
        """Drive what only reads, as somebody whom the org knows; not while it is to be spared."""
        if (owed := self._owed()) is not None:
            return owed
        found = yield from authorised(exchange, self.credentials, self.is_refused)
        return self.credentials.secrets.cleared(found) if isinstance(found, OUTCOMES) else found

    def _said(
        self, record_type: str, request: Request
    ) -> Generator[Request, Answer, Response | Outcome]:
        """Return an answer that says something, or what it means that it does not."""
        answer = yield request
        self._note(answer)
        limits = self.settings.limits
        meaning = meant("upsert", "read", answer, (), limits.pause_s)
        match self.dialect.means("read", record_type, answer) if meaning is None else meaning:
            case Success(response) | Done(response):
                return response
            case Doubt(_, refusal):
                return refusal
            case outcome:
                return outcome

    def _owed(self) -> Wait | None:
        """Return the pause that is due before the org is asked again."""

    def _note(self, answer: Answer) -> None:
        """Take note of what an answer says of the allowance."""


def _object_of(listed: Iterable[Mapping[str, Any]]) -> str | None:
    """Return what the org calls the object whose records these are."""
    for row in listed:
        match row.get("attributes"):
            case {"type": str(name)}:
                return name
            case _:
                return None
    return None
