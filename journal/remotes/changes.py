"""The list of changes of a service: its requests, and what its pages show; pure.

- F1. A page is a page only if all of it can be read: which record each change is about, its
  fields or that it is gone, and where the next list begins. Anything else shows nothing.
- F2. The next page is below the address of the service, or is not asked for.

A checkpoint, and what asks for the next page, are texts that only this module reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from pydantic_core import from_json, to_json

from journal.errors import ProfileError
from journal.events import FieldMessage
from journal.outcomes import Refused, Unknown
from journal.remotes.meanings import content_of, holds
from journal.remotes.pointers import MISSING
from journal.remotes.remote import Page, Sighting
from journal.remotes.selection import NONE
from journal.remotes.templates import text_of
from journal.remotes.times import moved, not_after, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.remotes.dialect import Dialect, Item
    from journal.remotes.remote import Request, Response
    from journal.remotes.sections import Condition

_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT: Final = re.compile(
    r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next\b)", re.IGNORECASE
)
_KEPT: Final = "/%:@!$&'()*+,;=?~-._[]"
_PORTS: Final = {"http": 80, "https": 443}
_SUCCESS: Final = range(200, 300)
_NO_LIST: Final = "the changes were asked for, and the answer is no list of changes"


class _Turn(NamedTuple):
    """Which page is asked for."""

    values: Mapping[str, Any]
    path: str | None
    """Where it is, if the page before said so."""


class _Beyond(NamedTuple):
    """An address that is not asked for."""

    problem: str


class Feed:
    """The changes of the records of one type."""

    def __init__(self, dialect: Dialect, record_type: str) -> None:
        """List them as the profile says.

        Raises:
            ProfileError: it does not say.
        """
        changes = dialect.profile.changes
        if changes is None:
            raise ProfileError(
                "changes",
                "is needed to pull: how the service lists what has changed",
                hint="add [changes] with a path that holds {since}, and since or next_since",
            )
        self._changes = changes
        self._dialect = dialect
        self.record_type = record_type

    # --- requests ------------------------------------------------------------------------

    def request(self, since: str | None, page: str | None) -> Request:
        """Return the request for a page.

        Args:
            since: the checkpoint; None for the first list of all.
            page: what the page before says of it; None for the first of a list.

        Raises:
            ProfileError: `overlap_s`, or `since_as`, is said of checkpoints that are no times.
        """
        turn = self._turn(since, page)
        values = {**turn.values, **self._written(turn.values)}
        request = self._dialect.request("changes", self.record_type, values)
        return request if turn.path is None else request._replace(path=turn.path)

    def _turn(self, since: str | None, page: str | None) -> _Turn:
        changes = self._changes
        of, token = (None, {}) if page is None else from_json(page)
        if of == changes.path:
            path = token.pop("path", None)
            return _Turn(token, path)
        if changes.next_list != NONE and since is not None:
            of, path = from_json(since)
            return _Turn({}, path if of == changes.path else None)
        value = self._began(since)
        values = {} if value is MISSING else {"since": value}
        if changes.index_from is not None:
            values["index"] = changes.index_from
        return _Turn(values, None)

    def _began(self, since: str | None) -> object:
        """Return where a list begins; one kept for another list is none (F1)."""
        changes = self._changes
        kept = [None, None] if since is None else from_json(since)
        if since is None or kept[0] != changes.path or changes.lists_all:
            return MISSING if changes.first is None else changes.first
        if not changes.overlap_s:
            return kept[1]
        try:
            return moved(kept[1], -changes.overlap_s)
        except (ValueError, OverflowError) as error:
            raise ProfileError(
                "changes.overlap_s",
                f"moves a checkpoint back, and {error}",
                hint="leave it out, or let changes.since be a time",
            ) from error

    def _written(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the checkpoint as the request has it, where that is not as it was shown."""
        form = self._changes.since_as
        if form is None or "since" not in values:
            return {}
        try:
            return {"since": written(values["since"], form)}
        except (ValueError, OverflowError) as error:
            raise ProfileError(
                "changes.since_as",
                f"is for checkpoints that are times, and {error}",
                hint="leave it out, or let changes.since and changes.first be times",
            ) from error

    # --- answers -------------------------------------------------------------------------

    def page(
        self,
        request: Request,
        response: Response,
        since: str | None,
        page: str | None,
        *,
        is_empty: bool = False,
    ) -> Page | Unknown | Refused:
        """Return the page that an answer is, or why it is none (F1).

        Args:
            request: that was answered.
            response: the answer.
            since: as it was asked for.
            page: as it was asked for.
            is_empty: whether the profile says that this answer is a page without changes.
        """
        items = [] if is_empty else self._dialect.items("changes", self.record_type, response)
        if items is None:
            return Unknown(_NO_LIST)
        sightings = [self._sighting(item) for item in items]
        for sighting in sightings:
            if isinstance(sighting, str):
                return Unknown(f"a change {sighting}")
        content = content_of(response)
        turn = self._turn(since, page)
        value = self._checkpoint(items, content, request, response)
        after = self._next(request, response, value, turn, len(items))
        for found in (value, after):
            if isinstance(found, _Beyond):
                return Refused("rejected", (FieldMessage(message=found.problem),), response.status)
        must_show = bool(items) or (self._changes.since == NONE and not is_empty)
        if value is MISSING and must_show and after is None:
            return Unknown("the list of changes shows no checkpoint")
        return Page(
            tuple(found for found in sightings if not isinstance(found, str)),
            None if value is MISSING else to_json([self._changes.path, value]).decode(),
            None if after is None else to_json([self._changes.path, after]).decode(),
        )

    def _sighting(self, item: Item) -> Sighting | str:
        """Return what a change shows of a record, or what is wrong with it."""
        shown, gone = item.shown, self._changes.deleted
        is_gone = gone is not None and self._is(gone, item.content, {})
        key, remote_id = shown.key or None, shown.id or None
        if key is None and remote_id is None:
            return "shows neither our key nor an id (answer.key, answer.id)"
        if shown.fields is None and not is_gone:
            return "shows no fields, and does not say that its record was deleted"
        fields = None
        if shown.fields is not None and not is_gone:
            fields = self._dialect.forms(self.record_type).read(shown.fields)
        named = remote_id if self._dialect.assigns else key or remote_id
        return Sighting(key, named, fields, shown.version)

    def _checkpoint(
        self, items: list[Item], content: object, request: Request, response: Response
    ) -> object:
        """Return the checkpoint after a page, `MISSING`, or what is wrong with it."""
        changes = self._changes
        if changes.lists_all:
            return None  # every list is whole, and says nothing of where it begins
        if changes.next_list != NONE:
            found = self._find(changes.next_list, content, response.headers)
            return self._path(request, text_of(found)) if found else MISSING
        value = self._find(changes.next_since, content, response.headers)
        for item in reversed(items):
            if value is not MISSING:
                break
            value = self._find(changes.since, item.content, {})
        if value is not MISSING and changes.overlap_s:
            value = not_after(value, response.headers.get("date"))
        return value

    def _find(self, where: Any, content: object, headers: Mapping[str, str]) -> object:  # noqa: ANN401
        return self._dialect.find(where, self.record_type, content, headers)

    def _is(self, condition: Condition, content: object, headers: Mapping[str, str]) -> bool:
        where, of = condition.at, self.record_type
        found = self._dialect.find(where, of, content, headers, takes_null=True)
        return holds(condition, found, content)

    # --- the next page -------------------------------------------------------------------

    def _next(
        self, request: Request, response: Response, value: object, turn: _Turn, count: int
    ) -> dict[str, Any] | _Beyond | None:
        """Return what asks for the next page, None where there is none, or what is wrong."""
        changes, content = self._changes, content_of(response)
        more = changes.more
        if more is not None and not self._is(more, content, response.headers):
            return None
        if changes.next != NONE:
            found = self._find(changes.next, content, response.headers)
            address = _linked(text_of(found)) if _is_link(changes.next) and found else found
            path = self._path(request, text_of(address)) if address else None
            return {**turn.values, "path": path} if isinstance(path, str) else path
        if changes.page != NONE:
            found = self._find(changes.page, content, response.headers)
            return {**turn.values, "page": found} if found else None
        if changes.index_from is not None:
            index = turn.values.get("index", changes.index_from)
            step = count if changes.index_counts == "items" else 1
            return {**turn.values, "index": index + step} if count else None
        if more is not None and value is not MISSING:
            return {**turn.values, "since": value}
        return None

    def _path(self, request: Request, address: str) -> str | _Beyond:
        """Return the path that an address is, or what is wrong with it (F2)."""
        url = self._dialect.profile.url
        base = urlsplit(url)
        try:
            found = urlsplit(urljoin(f"{url}{request.path}", address))
            is_ours = _origin(found) == _origin(base) and not (found.username or found.password)
        except ValueError:
            is_ours = False
            found = base
        steps = set(map(unquote, found.path.split("/")))
        if not is_ours or not found.path.startswith(f"{base.path}/") or {".", ".."} & steps:
            where = f"{found.scheme}://{found.hostname}"
            return _Beyond(f"the next page is at {where}, beyond {url}, and is not asked for")
        path = quote(found.path[len(base.path) :], safe=_KEPT)
        secrets = set(self._dialect.profile.auth.query)  # the wire adds them to every request
        kept = [p for p in found.query.split("&") if unquote(p.partition("=")[0]) not in secrets]
        query = quote("&".join(kept), safe=_KEPT)
        return f"{path}?{query}" if query else path


def is_empty_list(response: Response, refusal: Refused) -> bool:
    """Say whether a rule of the profile means by an answer that there are no changes."""
    return response.status in _SUCCESS and refusal.classification == "gone"


def _origin(parts: Any) -> tuple[str, str | None, int | None]:  # noqa: ANN401  of urllib
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _is_link(where: object) -> bool:
    return isinstance(where, str) and where.lower() == "header:link"


def _linked(header: str) -> str | None:
    """Return the target of a header Link with ``rel="next"``."""
    for found in _LINK.finditer(header):
        if _NEXT.search(found[2]):
            return found[1].strip()
    return None
