"""A profile in use: the requests that its templates make, and what its selectors find; pure.

It knows nothing of drafts: who pushes, and who pulls, speaks to a service through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from journal.errors import RemoteError
from journal.remotes.forms import agrees_as
from journal.remotes.meanings import content_of, is_bare, meaning
from journal.remotes.paths import fill_path
from journal.remotes.placeholders import holes_of, is_whole
from journal.remotes.places import Places, places_of
from journal.remotes.pointers import MISSING, Steps, without
from journal.remotes.remote import Request
from journal.remotes.sections import Changes, Find
from journal.remotes.selection import NONE, Selector, select, selector
from journal.remotes.templates import as_form, fill_json, header, holes_in, json_of, text_of
from journal.remotes.times import http_date, is_later

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from journal.remotes.forms import Forms
    from journal.remotes.meanings import Meaning
    from journal.remotes.profiles import Profile
    from journal.remotes.remote import Answer, Response
    from journal.remotes.sections import Verb
    from journal.remotes.selection import Source
    from journal.remotes.templates import Values
    from journal.values import Fields

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
FORM: Final = "application/x-www-form-urlencoded"
_NEEDED: Final = ("type", "id", "key")
"""Without these a request would be about another record, or about all."""


class Shown(NamedTuple):
    """A record as an answer shows it, in the service's words."""

    fields: Fields | None = None
    """Without what the service keeps itself; None where the answer shows none."""
    id: str | None = None
    key: str | None = None
    version: str | None = None


class Item(NamedTuple):
    """A record in a list."""

    shown: Shown
    content: Any
    """The whole item."""


class Dialect:
    """Speaks to a service as its profile says."""

    def __init__(self, profile: Profile) -> None:
        """Speak as that profile says."""
        self.profile = profile
        self.holes = {verb: holes_of(request) for verb, request in profile.requests()}
        self._types: dict[str, tuple[dict[str, str], Forms]] = {}
        self._places: dict[tuple[str, str], Places] = {}
        bodies = [json_of(body) for r in (profile.update, profile.delete) if (body := r.body)]
        is_composed = isinstance(profile.answer.version, dict)
        self._is_json_version = is_composed or any(is_whole(body, "version") for body in bodies)

    @property
    def assigns(self) -> bool:
        """Whether the service gives its records ids of its own."""
        return self.profile.answer.id != NONE

    @property
    def has_versions(self) -> bool:
        """Whether the service tells the versions of a record apart."""
        return bool(self.profile.answer.version != NONE)

    def uses(self, verb: Verb, *holes: str) -> bool:
        """Say whether a request has one of these placeholders."""
        return not self.holes.get(verb, frozenset()).isdisjoint(holes)

    def is_conditional(self, verb: Verb) -> bool:
        """Say whether a write carries the version, where one is known."""
        return self._places_version(verb) or self._has_condition(verb)

    def _has_condition(self, verb: Verb) -> bool:
        version = self.profile.version
        return version.condition != NONE and (version.on is None or verb in version.on)

    def _places_version(self, verb: Verb) -> bool:
        return any(hole.partition(".")[0] == "version" for hole in self.holes[verb])

    def forms(self, record_type: str) -> Forms:
        """Return how the service names and writes the fields of a record type."""
        return self._type(record_type)[1]

    def means(
        self, verb: Verb, record_type: str, answer: Answer, names: Iterable[str] = ()
    ) -> Meaning:
        """Return what an answer to a request means; fields in it are known by these names."""
        return meaning(self.profile.meaning, verb, answer, names, self._type(record_type)[0])

    # --- requests ------------------------------------------------------------------------

    def request(
        self, verb: Verb, record_type: str, values: Values, path: str | None = None
    ) -> Request:
        """Return the request that the profile describes.

        Args:
            verb: what is asked.
            record_type: our name of the record type.
            values: what stands for the other placeholders.
            path: where else it goes.

        Raises:
            RemoteError: it cannot be made of these values.
        """
        described = self.profile.request(verb)
        values = {**self._type(record_type)[0], **values}
        holes = self.holes[verb] if path is None else holes_in(path)
        for needed in _NEEDED:
            if needed in holes and needed not in values:
                raise RemoteError(
                    f"the request needs {{{needed}}}, which is not known",
                    hint="acknowledge or observe the record first, or add [find] to the profile",
                )
        headers = self._conditions(verb, values)
        for name, text in described.headers.items():
            if (filled := header(name, text, values)) is not None:
                headers[name] = filled
        body = self._body(verb, values, headers)
        filled = fill_path(path or described.path, values)
        return Request(described.method, filled, headers, body)

    def media_type(self, verb: Verb) -> str:
        """Return the media type of the bodies of a request."""
        described = self.profile.request(verb)
        if described.media_type is not None:
            return described.media_type
        is_patch = (verb, described.method, described.body) == ("update", "PATCH", '"{fields}"')
        return MERGE_PATCH if is_patch else JSON

    def _conditions(self, verb: Verb, values: Values) -> dict[str, str]:
        """Return the condition of a write; sent by itself, so that it is never forgotten."""
        create, version = self.profile.create, self.profile.version
        name = version.condition
        if verb == "create":
            only_new = create.method == "PUT" if create.only_new is None else create.only_new
            return {"If-None-Match": "*"} if only_new else {}
        if verb not in {"update", "delete"} or not self._has_condition(verb):
            return {}
        if self._places_version(verb):
            return {}
        text = header(name, "{version}", values)
        if text is not None and version.form == "http-date":
            text = http_date(text)
        return {} if text is None else {name: text}

    def _body(self, verb: Verb, values: Values, headers: dict[str, str]) -> bytes | None:
        source = self.profile.request(verb).body
        if source is None:
            return None
        content = fill_json(json_of(source), values)
        if content is MISSING:
            return None
        headers["Content-Type"] = media_type = self.media_type(verb)
        return as_form(content) if media_type.partition(";")[0] == FORM else to_json(content)

    # --- answers -------------------------------------------------------------------------

    def shown(self, verb: Verb, record_type: str, response: Response) -> Shown | None:
        """Return the record that an answer shows; None where it is not what it should be."""
        content = content_of(response)
        places = self._placed(verb, record_type)
        if content is MISSING:
            return None
        return self._shown(places, content, response.headers)

    def said(self, verb: Verb, record_type: str, response: Response) -> Shown:
        """Return what an answer without content shows: what stands in its headers."""
        places = self._placed(verb, record_type)
        return self._shown(places._replace(record=None), MISSING, response.headers) or Shown()

    def items(self, verb: Verb, record_type: str, response: Response) -> list[Item] | None:
        """Return the records that an answer lists; None where it is no list of records.

        A change that only says that its record is gone may show nothing of the record; then
        its id, key and version stand in the change itself.
        """
        described = self.profile.request(verb)
        where = described.items if isinstance(described, (Find, Changes)) else ""
        places, content = self._placed(verb, record_type), content_of(response)
        found = [] if is_bare(response) else self.find(where, record_type, content, {})
        if not isinstance(found, list):
            return None
        items = []
        for content in found:
            shown = self._shown(places, content, {})
            if shown is None and verb == "changes":
                shown = self._shown(places._replace(record=None), content, {})
            if shown is None:
                return None
            items.append(Item(shown, content))
        return items

    def find(
        self,
        source: Source,
        record_type: str,
        content: object,
        headers: Mapping[str, str],
        *,
        takes_null: bool = False,
    ) -> object:
        """Return what stands where a selector of the profile says, or `MISSING`.

        Args:
            source: the selector, such as ``changes.next_since``.
            record_type: our name of the record type.
            content: the JSON of the answer, or an item of it.
            headers: the headers of the answer.
            takes_null: whether null is a value too.
        """
        where = selector(source, self._type(record_type)[0])
        return select(where, content, headers, takes_null=takes_null)

    def _shown(self, places: Places, content: object, headers: Mapping[str, str]) -> Shown | None:
        record = content if places.record is None else select(places.record, content, headers)
        if record is MISSING and places.record is not None:
            return None
        fields: Any = None
        if places.record is not None and places.fields is not None:
            fields = select(places.fields, record, headers)
            if not isinstance(fields, dict):
                return None
        if fields is not None:
            fields = without(fields, places.own)
        return Shown(
            fields,
            _text(select(places.id, record, headers)) or None,  # an empty one names no record
            _text(select(places.key, record, headers)),
            self._version(places.version, record, headers),
        )

    def _version(
        self,
        where: Selector | dict[str, Selector],
        record: object,
        headers: Mapping[str, str],
    ) -> str | None:
        if not isinstance(where, dict):
            found = select(where, record, headers)
            if found is MISSING:
                return None
            return to_json(found).decode() if self._is_json_version else text_of(found)
        parts = {name: select(part, record, headers) for name, part in where.items()}
        return None if MISSING in parts.values() else to_json(parts).decode()

    # --- what is kept as text ------------------------------------------------------------

    def version_values(self, version: str | None) -> dict[str, object]:
        """Return what stands for ``{version}``, and for its parts: as it came, and of its type."""
        if version is None:
            return {}
        value = self._version_value(version)
        parts = value if isinstance(value, dict) else {}
        return {"version": value, **{f"version.{name}": part for name, part in parts.items()}}

    def is_same_version(self, one: str, other: str) -> bool:
        """Say whether two versions are the same; dates are, however they are written."""
        texts = text_of(self._version_value(one)), text_of(self._version_value(other))
        return agrees_as("time" if self._is_dated else "exact", *texts)

    def is_unchanged(self, version: str, known: str) -> bool:
        """Say whether a record of that version is still as it was at the one that is known."""
        if self._is_dated:
            return not is_later(version, known)
        return self.is_same_version(version, known)

    @property
    def _is_dated(self) -> bool:
        return self.profile.version.form == "http-date"

    def _version_value(self, version: str) -> object:
        if not self._is_json_version:
            return version
        try:
            return from_json(version)
        except ValueError:
            return version

    def id_value(self, remote_id: str) -> str | int:
        """Return an id as a body has it."""
        is_number = self.profile.answer.id_type == "number" and remote_id.isascii()
        return int(remote_id) if is_number and remote_id.isdigit() else remote_id

    # --- types ---------------------------------------------------------------------------

    def _type(self, record_type: str) -> tuple[dict[str, str], Forms]:
        if record_type not in self._types:
            profile = self.profile
            self._types[record_type] = profile.words(record_type), profile.forms(record_type)
        return self._types[record_type]

    def own(self, verb: Verb, record_type: str) -> tuple[Steps, ...]:
        """Return the places among the fields that the service keeps itself."""
        return self._placed(verb, record_type).own

    def _placed(self, verb: Verb, record_type: str) -> Places:
        known = self._places.get((verb, record_type))
        if known is None:
            known = self._places[verb, record_type] = places_of(
                self.profile, verb, self._type(record_type)[0]
            )
        return known


def _text(value: object) -> str | None:
    return None if value is MISSING else text_of(value)
