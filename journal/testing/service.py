"""A record service: small, real, on loopback; records as JSON over HTTP, kept in memory.

It knows nothing of the journal. It does what a good service does (strong ETags, conditional
writes, merge patch, problem details) and remembers each write that it applied, so that a test can
ask what really happened, and in which order.

    GET    /                    the service, and how many records it has
    GET    /{collection}        its records, in the order of their ids
    GET    /{collection}?since=N&limit=M
                                what has changed after the write N, in order, deletes too
    GET    /{collection}/{id}   one record
    PUT    /{collection}/{id}   create or replace (If-None-Match: *, If-Match)
    PATCH  /{collection}/{id}   JSON merge patch, RFC 7396 (If-Match)
    DELETE /{collection}/{id}   delete (If-Match)
    GET    /-/effects           the writes that were applied, in order
"""

from __future__ import annotations

import argparse
import copy
import ipaddress
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from math import isfinite
from typing import Any, Final, NamedTuple, Self, TypeAlias
from urllib.parse import parse_qsl, quote, unquote

from journal.testing.loopback import LoopbackServer, RefusedError, Reply

__all__ = ["Effect", "RecordService", "Validate", "main"]

Fields: TypeAlias = dict[str, Any]
Validate: TypeAlias = Callable[[str, Mapping[str, Any]], Iterable[tuple[str, str]]]
"""Says what is wrong with a record that would be stored: (field, message) for each fault."""

_METHODS: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE")  # the first two only read


class Effect(NamedTuple):
    """One applied write: its number from 1, and the request that caused it."""

    n: int
    method: str
    path: str
    body: Any


class _Stored(NamedTuple):
    fields: Fields
    etag: str


class RecordService:
    """A record service on loopback; `with RecordService() as service` starts and stops it.

    Stopped and started again it keeps its records and its address, like a service that was down.

    Args:
        host: A loopback address.
        port: The port; 0 takes a free one when it first starts.
        validate: Says what is wrong with a record that would be stored; any fault gives 422.

    Raises:
        ValueError: The host is not a loopback address.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, validate: Validate | None = None
    ) -> None:
        if host != "localhost" and not ipaddress.IPv4Address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address; use 127.0.0.1")
        if validate is not None and not callable(validate):
            raise TypeError(f"validate is {validate!r}; it is a function of type and fields")
        self._host, self._port, self._validate = host, port, validate
        self._lock = threading.Lock()
        self._stored: dict[tuple[str, str], _Stored] = {}
        self._effects: list[Effect] = []
        self._touched: dict[tuple[str, str], int] = {}
        self._server: LoopbackServer | None = None

    @property
    def url(self) -> str:
        """Where the service is, or will be: `http://127.0.0.1:8080`.

        Raises:
            RuntimeError: The port is 0 and the service was never started.
        """
        if not self._port:
            raise RuntimeError("no port yet: start the service, or name a port")
        return f"http://{self._host}:{self._port}"

    @property
    def records(self) -> dict[tuple[str, str], Fields]:
        """A copy of the fields of every record, by (collection, id)."""
        with self._lock:
            return {key: copy.deepcopy(stored.fields) for key, stored in self._stored.items()}

    @property
    def effects(self) -> list[Effect]:
        """The writes that were applied, in order."""
        with self._lock:
            return copy.deepcopy(self._effects)

    def start(self) -> Self:
        """Listen, and serve in a thread.

        Raises:
            OSError: The port is taken.
            RuntimeError: The service is already started.
        """
        if self._server is not None:
            raise RuntimeError("the service is already started")
        self._server = LoopbackServer(self.answer, self._host, self._port)
        self._port = self._server.port
        self._server.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; requests under way come to their end."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request, without a socket; what is refused is raised as `RefusedError`."""
        route = _route(target)
        allowed = _METHODS if _is_record(route) else _METHODS[:2]
        if method not in allowed:
            detail, allow = f"{method} is not for {target}", {"Allow": ", ".join(allowed)}
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers=allow)
        sent = _parsed(body) if method in {"PUT", "PATCH"} else None
        with self._lock:
            match route:
                case []:
                    document = {"service": "record service", "records": len(self._stored)}
                    return Reply(HTTPStatus.OK, document)
                case ["-", _]:
                    return Reply(HTTPStatus.OK, [effect._asdict() for effect in self._effects])
                case [collection]:
                    query = dict(parse_qsl(target.partition("?")[2]))
                    listed = self._changed if "since" in query else self._listed
                    return Reply(HTTPStatus.OK, listed(collection, query))
                case _:
                    return self._on_record(method, (route[0], route[1]), headers, sent)

    def _listed(self, collection: str, _: Mapping[str, str]) -> dict[str, Any]:
        found = sorted((key[1], at) for key, at in self._stored.items() if key[0] == collection)
        return {"records": [{"id": i, "etag": at.etag, "fields": at.fields} for i, at in found]}

    def _changed(self, collection: str, query: Mapping[str, str]) -> dict[str, Any]:
        """What has changed since a write: each record once, at its last one; a page of it."""
        since, limit = _whole(query["since"]), max(1, _whole(query.get("limit", "100")))
        touched = sorted((n, key) for key, n in self._touched.items() if key[0] == collection)
        later = [(n, key) for n, key in touched if n > since]
        changes: list[dict[str, Any]] = []
        for n, key in later[:limit]:
            stored = self._stored.get(key)
            shown = {"deleted": True} if stored is None else {"fields": stored.fields}
            changes.append({"n": n, "id": key[1], "etag": f'"{n}"', **shown})
        if len(later) <= limit:
            return {"changes": changes, "next": None}
        path = f"/{quote(collection, safe='')}"
        return {"changes": changes, "next": f"{path}?since={changes[-1]['n']}&limit={limit}"}

    def _on_record(
        self, method: str, key: tuple[str, str], headers: Mapping[str, str], sent: Fields | None
    ) -> Reply:
        stored = self._stored.get(key)
        if stored is None and method != "PUT":
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no record {'/'.join(key)}")
        if stored is not None and method in {"GET", "HEAD"}:
            return Reply(HTTPStatus.OK, stored.fields, {"ETag": stored.etag})
        _check_conditions(headers, stored)

        path = "/" + "/".join(quote(segment, safe="") for segment in key)
        effect = Effect(len(self._effects) + 1, method, path, sent)
        if sent is None:
            self._effects.append(effect)
            self._touched[key] = effect.n
            del self._stored[key]
            return Reply(HTTPStatus.NO_CONTENT)

        fields = _merged(stored.fields, sent) if stored is not None and method == "PATCH" else sent
        if faults := list(self._validate(key[0], fields)) if self._validate else []:
            detail = f"{'/'.join(key)} has {len(faults)} fault(s)"
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=faults)
        self._effects.append(effect)
        self._touched[key] = effect.n
        self._stored[key] = _Stored(fields, f'"{effect.n}"')
        tagged = {"ETag": f'"{effect.n}"'}
        if stored is None:
            return Reply(HTTPStatus.CREATED, fields, {**tagged, "Location": path})
        return Reply(HTTPStatus.OK, fields, tagged)


def _route(target: str) -> list[str]:
    """The decoded segments of a path: none, a collection, or a collection and an id."""
    path = target.partition("?")[0]
    try:
        route = [unquote(segment, errors="strict") for segment in path.split("/")[1:]]
    except UnicodeDecodeError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{path} is not UTF-8") from error
    if route == [""]:
        return []
    known = all(route) and (route == ["-", "effects"] if route[0] == "-" else len(route) in {1, 2})
    if not known:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is nothing at {path}")
    return route


def _whole(text: str) -> int:
    """The number that a parameter is, at least 0."""
    if not (text.isascii() and text.isdigit()):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{text!r} is not a whole number")
    return int(text[:15])


def _is_record(route: list[str]) -> bool:
    return len(route) == len(("collection", "id")) and route[0] != "-"


def _parsed(body: bytes) -> Fields:
    """The fields that a body carries."""
    try:
        fields = json.loads(body, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
    return fields


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(f"{text} is not a JSON number")
    return number


def _check_conditions(headers: Mapping[str, str], stored: _Stored | None) -> None:
    """Refuse when If-Match or If-None-Match does not hold (RFC 9110, strong comparison)."""
    current = None if stored is None else stored.etag
    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    holds = (match is None or _names(match, current)) and (
        none_match is None or not _names(none_match, current)
    )
    if not holds:
        detail = "the record does not exist" if current is None else f"the record is at {current}"
        tagged = {} if current is None else {"ETag": current}
        raise RefusedError(HTTPStatus.PRECONDITION_FAILED, detail, headers=tagged)


def _names(condition: str, current: str | None) -> bool:
    tags = [tag.strip() for tag in condition.split(",")]
    return current is not None and (tags == ["*"] or current in tags)


def _merged(target: object, patch: Fields) -> Fields:
    """RFC 7396: objects merge, null removes, anything else replaces."""
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value) if isinstance(value, dict) else value
    return merged


def main(arguments: list[str] | None = None) -> int:
    """Run the service in a process of its own until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m journal.testing.service")
    parser.add_argument("--port", type=int, default=0, help="the port; 0 takes a free one")
    service = RecordService(port=parser.parse_args(arguments).port)
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before any thread, so that sigwait gets them
    try:
        service.start()
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"cannot listen: {error}\n")
        return 1
    sys.stdout.write(f"listening on {service.url}\n")
    sys.stdout.flush()
    signal.sigwait(ends)
    service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
