"""The model service: a record service as one pure object; a request in, an answer out.

It does no I/O, knows nothing of the journal, and is no mock: it keeps records, versions and keys
as the dialect says. It is the oracle of what really happened: it notes each change that it made,
with the draft that a request said it was of.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from journal.remotes.remote import Response
from journal.testing.simulate.dialects import DRAFT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.testing.simulate.scenario import Knobs

POISON: Final = "Poison"
"""A field that no record may have: the service refuses it."""
PART: Final = ("Name", "Note", "Of")
"""The fields that a list shows which shows some only."""
REFUSED: Final = 400
"""From which status on an answer refuses."""
FOREIGN: Final = ""
"""The draft of what another writer did."""


class Sent(NamedTuple):
    """A request as it is on the way."""

    method: str
    path: str
    headers: Mapping[str, str]
    """The names are in lower case."""
    body: bytes | None

    @property
    def draft(self) -> str:
        """The draft that it says it is of; nothing for a read."""
        return self.headers.get(DRAFT.lower(), "")

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.method not in {"GET", "HEAD"}


class Effect(NamedTuple):
    """A change that the service made."""

    n: int
    action: str
    """``create``, ``update`` or ``delete``."""
    key: tuple[str, str]
    """The record type, and our key."""
    draft: str
    """Of which draft; `FOREIGN` where another writer did it."""
    body: Any
    at_s: float


class _Stored:
    """A record as the service has it."""

    __slots__ = ("fields", "key", "n", "sid")

    def __init__(self, key: tuple[str, str], sid: str, fields: dict[str, Any], n: int) -> None:
        self.key = key
        self.sid = sid
        self.fields = fields
        self.n = n


class ModelService:
    """Records by type and key, and the changes that were made to them."""

    def __init__(self, knobs: Knobs) -> None:
        """Begin without records."""
        self._is_keyed = knobs.dialect == "keyed"
        self._has_versions = knobs.dialect != "plain"
        self._remembered_s = knobs.remembered_s
        self._is_terse = knobs.is_terse
        self._shows_part = knobs.shows_part
        self.effects: list[Effect] = []
        self.applied: Counter[str] = Counter()
        """How often a draft was applied."""
        self.ids: dict[tuple[str, str], list[str]] = {}
        """What a record was ever called here, by type and key."""
        self.past: dict[tuple[str, str], list[dict[str, Any] | None]] = {}
        """The states that a record was ever in; None where it was not there."""
        self._records: dict[tuple[str, str], _Stored] = {}
        self._by_sid: dict[tuple[str, str], _Stored] = {}
        self._touched: dict[tuple[str, str], tuple[int, str]] = {}
        """The last change of a record and our key, by type and what it is called here."""
        self._answers: dict[str, tuple[float, Sent, Response]] = {}
        self._token = 0

    # --- who may ask -----------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The access token that is accepted now; it must never be seen anywhere else."""
        return f"canary-{self._token:04d}-secret"

    def expire(self) -> None:
        """Accept another token only, from now on."""
        self._token += 1

    def remembers(self, draft: str, at_s: float) -> bool:
        """Say whether a request with that key would be answered as the first one was."""
        known = self._answers.get(draft)
        return known is not None and at_s - known[0] < self._remembered_s

    def forget_keys(self) -> bool:
        """Forget the keys of all requests; say whether there were any."""
        had_some = bool(self._answers)
        self._answers.clear()
        return had_some

    # --- what another writer does ----------------------------------------------------------

    def records(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the fields of every record, by type and key."""
        return {key: stored.fields for key, stored in self._records.items()}

    def version(self, key: tuple[str, str]) -> str | None:
        """Return the version of a record, where the service shows any."""
        stored = self._records.get(key)
        return self._version(stored) if stored is not None and self._has_versions else None

    def last_of(self, key: tuple[str, str]) -> str:
        """Return which draft has changed a record last; `FOREIGN` where another writer has."""
        return next((each.draft for each in reversed(self.effects) if each.key == key), FOREIGN)

    def sid(self, key: tuple[str, str]) -> str | None:
        """Return what the service calls a record."""
        stored = self._records.get(key)
        return None if stored is None else stored.sid

    def foreign(
        self, action: str, key: tuple[str, str], fields: dict[str, Any], at_s: float
    ) -> None:
        """Change a record behind the journal's back; what cannot be done is not."""
        stored = self._records.get(key)
        if action == "create" and stored is None:
            self._create(key, fields, FOREIGN, at_s)
        elif action == "update" and stored is not None:
            self._update(stored, fields, FOREIGN, at_s)
        elif action == "delete" and stored is not None:
            self._delete(stored, FOREIGN, at_s)

    # --- requests --------------------------------------------------------------------------

    def answer(self, sent: Sent, at_s: float) -> Response:
        """Do what a request asks, at a time of the world, and answer it."""
        if sent.headers.get("authorization") != f"Bearer {self.token}":
            return _problem(401, "who are you?", {"www-authenticate": "Bearer"})
        if not (self._is_keyed and sent.is_write and sent.draft):
            return self._routed(sent, at_s)
        if self.remembers(sent.draft, at_s):
            _, first, response = self._answers[sent.draft]
            if (first.method, first.path, first.body) != (sent.method, sent.path, sent.body):
                return _problem(422, "this idempotency key was used with a different request")
            return response
        response = self._routed(sent, at_s)
        if response.status < REFUSED:
            self._answers[sent.draft] = (at_s, sent, response)
        return response

    def _routed(self, sent: Sent, at_s: float) -> Response:
        path, _, query = sent.path.partition("?")
        parts = [unquote(part) for part in path.split("/")[1:]]
        asked = dict(parse_qsl(query))
        match sent.method, parts:
            case "POST", ["-", "together"]:
                return self._together(sent, at_s)
            case "GET", [record_type] if "since" in asked:
                return self._changed(record_type, asked)
            case "GET", [record_type]:
                found = self._records.get((record_type, asked.get("key", "")))
                return _json(200, {"found": [] if found is None else [self._shown(found)]})
            case "POST", [record_type]:
                fields = json.loads(sent.body or b"{}")
                return self._created((record_type, fields.pop("key")), fields, sent, at_s)
            case _, [record_type, name]:
                return self._on_record((record_type, name), sent, at_s)
            case _:
                return _problem(404, "there is nothing here")

    def _on_record(self, named: tuple[str, str], sent: Sent, at_s: float) -> Response:
        stored = (self._by_sid if self._is_keyed else self._records).get(named)
        if sent.method == "GET":
            return self._read(stored)
        if sent.method == "PUT":
            return self._created(named, json.loads(sent.body or b"{}"), sent, at_s)
        if stored is None:
            return _problem(404, "there is no such record")
        match = sent.headers.get("if-match")
        if self._has_versions and match is not None and match != self._version(stored):
            return _problem(412, "the record is at another version")
        if sent.method == "DELETE":
            self._delete(stored, sent.draft, at_s)
            return Response(204)
        fields = json.loads(sent.body or b"{}")
        if POISON in {**stored.fields, **fields}:
            return _refusal()
        self._update(stored, fields, sent.draft, at_s)
        return Response(204) if self._is_terse else self._read(stored)

    def _created(
        self, key: tuple[str, str], fields: dict[str, Any], sent: Sent, at_s: float
    ) -> Response:
        if key in self._records:
            status = 409 if self._is_keyed else 412
            return _problem(status, "there is such a record")
        if POISON in fields:
            return _refusal()
        stored = self._create(key, fields, sent.draft, at_s)
        if self._is_terse and not self._is_keyed:  # else nobody knew what it is called here
            return Response(204)
        return self._read(stored)._replace(status=201)

    def _together(self, sent: Sent, at_s: float) -> Response:
        """Do several things in order, up to the first that fails; answer as far as was done."""
        answers = []
        for each in json.loads(sent.body or b"[]"):
            headers = {name.lower(): text for name, text in each["headers"].items()}
            body = None if each["body"] is None else json.dumps(each["body"]).encode()
            response = self._routed(Sent(each["method"], each["path"], headers, body), at_s)
            content = json.loads(response.body) if response.body else None
            headers = dict(response.headers)
            answers.append({"status": response.status, "headers": headers, "body": content})
            if response.status >= REFUSED:
                break
        return _json(207, answers)

    # --- what is shown ---------------------------------------------------------------------

    def _version(self, stored: _Stored) -> str:
        return f"v{stored.n}" if self._is_keyed else f'"{stored.n}"'

    def _shown(self, stored: _Stored) -> dict[str, Any]:
        if self._is_keyed:
            return {
                "sid": stored.sid,
                "key": stored.key[1],
                "version": self._version(stored),
                **stored.fields,
            }
        return {"id": stored.key[1], **stored.fields}

    def _read(self, stored: _Stored | None) -> Response:
        if stored is None:
            return _problem(404, "there is no such record")
        is_tagged = self._has_versions and not self._is_keyed
        return _json(200, self._shown(stored), {"etag": self._version(stored)} if is_tagged else {})

    def _changed(self, record_type: str, asked: Mapping[str, str]) -> Response:
        since, limit = int(asked["since"]), int(asked.get("limit", "3"))
        of_type = (
            (n, sid, key) for (of, sid), (n, key) in self._touched.items() if of == record_type
        )
        later = sorted(each for each in of_type if each[0] > since)
        changes = [self._change(n, (record_type, sid), key) for n, sid, key in later[:limit]]
        is_last = len(later) <= limit
        more = None if is_last else f"/{record_type}?since={changes[-1]['n']}&limit={limit}"
        return _json(200, {"changes": changes, "next": more})

    def _change(self, n: int, called: tuple[str, str], key: str) -> dict[str, Any]:
        stored = self._by_sid.get(called)
        names = {"sid": called[1], "key": key} if self._is_keyed else {"id": key}
        if stored is None:
            return {"n": n, **names, "deleted": True}
        label = "version" if self._is_keyed else "etag"
        fields = stored.fields
        if self._shows_part:
            fields = {name: fields.get(name) for name in PART}
        return {"n": n, **names, label: self._version(stored), "fields": fields}

    # --- changes ---------------------------------------------------------------------------

    def _create(
        self, key: tuple[str, str], fields: dict[str, Any], draft: str, at_s: float
    ) -> _Stored:
        n = self._note("create", key, draft, fields, at_s)
        sid = f"S{n}" if self._is_keyed else key[1]
        kept = {name: value for name, value in fields.items() if value is not None}
        stored = self._records[key] = _Stored(key, sid, kept, n)
        self._by_sid[key[0], sid] = stored
        self._touch(stored, n)
        self.ids.setdefault(key, []).append(sid)
        self.past.setdefault(key, [None]).append(dict(kept))
        return stored

    def _update(self, stored: _Stored, fields: dict[str, Any], draft: str, at_s: float) -> None:
        """Merge fields; what changes nothing is no change."""
        merged = {**stored.fields, **fields}
        kept = {name: value for name, value in merged.items() if value is not None}
        if kept == stored.fields:
            return
        stored.n = self._note("update", stored.key, draft, fields, at_s)
        self._touch(stored, stored.n)
        stored.fields = kept
        self.past[stored.key].append(dict(kept))

    def _delete(self, stored: _Stored, draft: str, at_s: float) -> None:
        self._touch(stored, self._note("delete", stored.key, draft, None, at_s))
        del self._records[stored.key]
        del self._by_sid[stored.key[0], stored.sid]
        self.past[stored.key].append(None)

    def _touch(self, stored: _Stored, n: int) -> None:
        record_type, key = stored.key
        self._touched[record_type, stored.sid] = n, key

    def _note(
        self,
        action: str,
        key: tuple[str, str],
        draft: str,
        body: Any,  # noqa: ANN401  whatever it is
        at_s: float,
    ) -> int:
        n = len(self.effects) + 1
        self.effects.append(Effect(n, action, key, draft, body, at_s))
        if draft != FOREIGN:
            self.applied[draft] += 1
        return n


def _json(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    kind = {"content-type": "application/json", **(headers or {})}
    return Response(status, kind, json.dumps(content).encode())


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json(status, {"status": status, "detail": detail}, headers)


def _refusal() -> Response:
    said = [{"field": POISON, "message": "no record may have that"}]
    return _json(422, {"status": 422, "detail": "refused", "errors": said})
