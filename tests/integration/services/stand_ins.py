"""Stand-ins for what cannot be installed here: one like CouchDB, and one that is POST-only.

They keep what they are sent in memory, and count each change that they applied.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

from journal.testing.loopback import LoopbackServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


Headers: TypeAlias = "Mapping[str, str]"
Content: TypeAlias = Any
"""JSON."""


class _StandIn:
    """A service in this process, with the history of every record."""

    environ: Final = {"COUCH_USER": "u", "COUCH_PASSWORD": "p", "RPC_KEY": "k"}

    def __init__(self) -> None:
        self._lock = Lock()
        self._server = LoopbackServer(self._locked, "127.0.0.1", 0)
        self._history: list[tuple[str, str]] = []

    @property
    def root(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve."""
        self._server.start()
        try:
            yield
        finally:
            self._server.stop()

    def history(self, key: str) -> list[str]:
        """Return each change that was applied to a record, oldest first."""
        return [action for action, changed in self._history if changed == key]

    def _locked(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        with self._lock:
            content = json.loads(body) if body else None
            return self._answer(method, target, headers, content)

    def _answer(
        self, method: str, target: str, headers: Mapping[str, str], content: Content
    ) -> Reply:
        raise NotImplementedError


class Couch(_StandIn):
    """Like CouchDB: whole documents, the version in the body, tombstones."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self._documents: dict[str, dict[str, Any]] = {}
        self._versions: dict[str, int] = {}

    @property
    def url(self) -> str:
        """Where it is."""
        return self.root

    def _answer(
        self, method: str, target: str, headers: Mapping[str, str], content: Content
    ) -> Reply:
        del headers
        parts = urlsplit(target)
        key = unquote(parts.path.split("/")[2])
        held = self._documents.get(key)
        if method == "GET":
            missing = {"error": "not_found", "reason": "missing"}
            return _reply(404, missing) if held is None else _reply(200, held)
        rev = parse_qs(parts.query).get("rev", [None])[0] or (content or {}).get("_rev")
        if rev != (held or {}).get("_rev"):
            return _reply(409, {"error": "conflict", "reason": "Document update conflict."})
        number = self._versions[key] = self._versions.get(key, 0) + 1
        rev = f"{number}-{'abc' * 3}"
        if method == "DELETE":
            if held is None:
                return _reply(404, {"error": "not_found", "reason": "deleted"})
            del self._documents[key]
            self._history.append(("delete", key))
            return _reply(200, {"ok": True, "id": key, "rev": rev})
        self._history.append(("create" if held is None else "update", key))
        self._documents[key] = {"_id": key, **content, "_rev": rev}
        return _reply(201, {"ok": True, "id": key, "rev": rev})

    def create(self, key: str, fields: dict[str, Any]) -> None:
        """Create a document behind the journal's back."""
        assert self._answer("PUT", f"/notes/{key}", {}, fields).status == 201

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        """Edit a document behind the journal's back."""
        whole = {**self._documents[key], **fields}
        assert self._answer("PUT", f"/notes/{key}", {}, whole).status == 201

    def delete(self, key: str) -> None:
        """Delete a document behind the journal's back."""
        rev = self._documents[key]["_rev"]
        assert self._answer("DELETE", f"/notes/{key}?rev={rev}", {}, None).status == 200

    def fields(self, key: str) -> dict[str, Any] | None:
        """Return what it has, without its own members."""
        held = self._documents.get(key)
        return held and {name: v for name, v in held.items() if name not in {"_id", "_rev"}}


class Rpc(_StandIn):
    """POST-only: everything in the body, ids and versions of its own, refusals with 200."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self._records: dict[int, dict[str, Any]] = {}
        self._made = 100

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.root}/api"

    def _answer(
        self, method: str, target: str, headers: Mapping[str, str], content: Content
    ) -> Reply:
        if method != "POST":
            return _reply(405, {"error": {"code": "method", "message": "POST only"}})
        if headers.get("X-Api-Key") != "k":
            return _refused("token_expired", "log in again")
        match target.rpartition("/")[2]:
            case "record.create":
                return self._create(content)
            case "record.query":
                ref = content["where"]["ref"]
                hits = [record for record in self._records.values() if record["ref"] == ref]
                return _reply(200, {"result": {"records": hits}})
            case verb:
                return self._on_record(verb, content)

    def _create(self, content: Content) -> Reply:
        if any(record["ref"] == content["ref"] for record in self._records.values()):
            return _refused("duplicate", "ref is taken")
        self._made += 1
        record = {"ref": content["ref"], "rev": 1, "values": content["values"]}
        record = self._records[self._made] = {"id": self._made, **record}
        self._history.append(("create", content["ref"]))
        return _reply(200, {"result": {"record": record}})

    def _on_record(self, verb: str, content: Content) -> Reply:
        record = self._records.get(content["id"])
        if record is None:
            return _refused("not_found", "no such record")
        if verb == "record.get":
            return _reply(200, {"result": {"record": record}})
        if content["rev"] != record["rev"]:
            return _refused("conflict", f"rev is {record['rev']}")
        if verb == "record.delete":
            del self._records[record["id"]]
            self._history.append(("delete", record["ref"]))
            return _reply(200, {"result": {"id": record["id"]}})
        values = {**record["values"], **content["values"]}
        kept = {name: v for name, v in values.items() if name not in content["clear"]}
        record = {**record, "rev": record["rev"] + 1, "values": kept}
        self._records[record["id"]] = record
        self._history.append(("update", record["ref"]))
        return _reply(200, {"result": {"record": record}})

    def _found(self, key: str) -> dict[str, Any] | None:
        return next((r for r in self._records.values() if r["ref"] == key), None)

    def _do(self, verb: str, content: dict[str, Any]) -> None:
        reply = self._answer("POST", f"/api/{verb}", {"X-Api-Key": "k"}, content)
        assert "result" in reply.document

    def create(self, key: str, fields: dict[str, Any]) -> None:
        """Create a record behind the journal's back."""
        self._do("record.create", {"ref": key, "values": fields})

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        """Edit a record behind the journal's back."""
        found = self._found(key) or {}
        known = {"id": found["id"], "rev": found["rev"]}
        self._do("record.update", {**known, "values": fields, "clear": []})

    def delete(self, key: str) -> None:
        """Delete a record behind the journal's back."""
        found = self._found(key) or {}
        self._do("record.delete", {"id": found["id"], "rev": found["rev"]})

    def fields(self, key: str) -> dict[str, Any] | None:
        """Return what it has."""
        found = self._found(key)
        return None if found is None else found["values"]


def _reply(status: int, document: Content) -> Reply:
    return Reply(HTTPStatus(status), document)


def _refused(code: str, message: str) -> Reply:
    return _reply(200, {"error": {"code": code, "message": message}})
