"""The way to a service, within this process or over a socket, with whatever goes wrong on it."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeAlias, Unpack

import httpx

from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from journal.sync.backoff import Backoff
from journal.testing.faults import Fitting, Planned, Which, checked_status
from journal.testing.loopback import RefusedError
from journal.testing.service import RecordService

if TYPE_CHECKING:
    from typing import Any

    from journal import Journal
    from journal.testing.faults import Lost
    from journal.testing.service import Validate

__all__ = ["Network", "NetworkFault", "NetworkFaults", "ServiceAtHand"]

Kind: TypeAlias = Literal[
    "answer", "delay", "drop_after", "drop_before", "duplicate", "truncate", "unreachable"
]
_SOON = Backoff(first_s=0.001, most_s=0.002, least_s=0.0, throttled_s=0.001)
"""How long is waited between attempts in a test."""


@dataclass(slots=True)
class NetworkFault(Fitting):
    """One thing that goes wrong.

    Attributes:
        kind: what it is.
        times: with how many requests it still does.
        skip: how many requests it still lets pass.
        method: with which requests: a method, or any.
        path: with which requests: a pattern that is found in the path.
        later: how many requests come before one that is late.
        status: what is answered.
        headers: of the answer.
        is_after: whether the request is heard first.
    """

    kind: Kind
    status: int = 503
    headers: tuple[tuple[str, str], ...] = ()
    is_after: bool = False


def _lost(kind: Lost, later: int) -> NetworkFault:
    return NetworkFault(kind, later=later)


class NetworkFaults(Planned[NetworkFault]):
    """What is to go wrong: the oldest fault that fits a request takes it.

    All faults take how many `times` they strike, how many fitting requests they `skip` first, the
    `method` and the `path` (a regular expression) of the requests that they fit.
    """

    def __init__(self) -> None:
        """Begin with nothing that goes wrong."""
        super().__init__(_lost)
        self.struck: list[NetworkFault] = []
        """What has gone wrong, in order."""

    def unreachable(self, **which: Unpack[Which]) -> None:
        """Let no connection be made: the request has certainly not left."""
        self._add(NetworkFault("unreachable"), which)

    def truncate(self, **which: Unpack[Which]) -> None:
        """Apply the request, and lose the end of the answer."""
        self._add(NetworkFault("truncate"), which)

    def status(
        self,
        status: int,
        *,
        after: bool = False,
        retry_after_s: int | None = None,
        **which: Unpack[Which],
    ) -> None:
        """Answer with a `status`, before or `after` the request counts.

        With `retry_after_s`, the answer says when to come back.

        Raises:
            ValueError: nobody answers so, or no request would ever fit it.
        """
        headers = () if retry_after_s is None else (("Retry-After", str(retry_after_s)),)
        known = checked_status(status, retry_after_s)
        self._add(NetworkFault("answer", status=known, headers=headers, is_after=after), which)

    def save(self) -> tuple[list[NetworkFault], list[NetworkFault]]:
        """Return what is to go wrong yet, and what has."""
        return copy.deepcopy(self.pending), list(self.struck)

    def restore(self, saved: tuple[list[NetworkFault], list[NetworkFault]]) -> None:
        """Let that be what is to go wrong, and that what has."""
        pending, struck = saved
        self._pending[:] = copy.deepcopy(pending)
        self.struck[:] = struck

    def strike(self, method: str, path: str) -> NetworkFault | None:
        """Return what goes wrong with a request, and count it."""
        fault = self._taken(method, path)
        if fault is not None:
            self.struck.append(fault)
        return fault


class _InProcess(httpx.BaseTransport):
    """Hands requests to a service without a socket."""

    def __init__(self, service: RecordService) -> None:
        self._service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return what the service answers."""
        target = request.url.raw_path.decode("ascii")
        headers = {name.title(): value for name, value in request.headers.items()}
        try:
            reply = self._service.answer(request.method, target, headers, request.read())
        except RefusedError as refused:
            reply = refused.reply
        is_empty = reply.status is HTTPStatus.NO_CONTENT
        body = b"" if is_empty else json.dumps(reply.document).encode()
        kind = {} if is_empty else {"Content-Type": reply.media_type}
        return httpx.Response(reply.status, headers={**reply.headers, **kind}, content=body)


class Network(httpx.BaseTransport):
    """A transport to which faults happen."""

    def __init__(self, inner: httpx.BaseTransport, faults: NetworkFaults) -> None:
        """Send by that transport, with those faults."""
        self._inner = inner
        self._faults = faults
        self._late: list[tuple[int, httpx.Request]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and meet the fault that fits it.

        Raises:
            httpx.TransportError: that is the fault.
        """
        request.read()
        try:
            return self._met(request, self._faults.strike(request.method, request.url.path))
        finally:
            self._late = [(left - 1, late) for left, late in self._late]
            self.deliver(0)

    def _met(self, request: httpx.Request, fault: NetworkFault | None) -> httpx.Response:
        kind = None if fault is None else fault.kind
        if fault is None:
            return self._inner.handle_request(request)
        match kind:
            case "unreachable":
                raise httpx.ConnectError("a fault of the test: unreachable", request=request)
            case "answer":
                if fault.is_after:
                    self._applied(request)
                return httpx.Response(fault.status, headers=list(fault.headers), content=b"")
            case "duplicate":
                self._late.append((fault.later + 1, request))
                return self._inner.handle_request(request)
            case "delay":
                self._late.append((fault.later + 1, request))
            case "drop_after" | "truncate":
                self._applied(request)
            case _:
                pass
        raise httpx.ReadError(f"a fault of the test: {kind}", request=request)

    def deliver(self, least: int | None = None) -> int:
        """Apply what is late, and return how many requests that were.

        Args:
            least: only those that as many others were still to come before; None for all.
        """
        due = [late for left, late in self._late if least is None or left <= least]
        self._late = [(left, late) for left, late in self._late if late not in due]
        for request in due:
            self._applied(request)
        return len(due)

    def _applied(self, request: httpx.Request) -> None:
        response = self._inner.handle_request(request)
        response.read()
        response.close()

    def close(self) -> None:
        """Close the transport."""
        self._inner.close()

    @property
    def late(self) -> list[tuple[int, httpx.Request]]:
        """What is on its way, each request with how many others come before it."""
        return list(self._late)

    def put_late(self, late: list[tuple[int, httpx.Request]]) -> None:
        """Let that be on its way, and nothing else."""
        self._late = list(late)


class ServiceAtHand(RecordService):
    """A record service within this process or on a socket, and what sends to it in a test."""

    def __init__(
        self,
        faults: NetworkFaults | None = None,
        *,
        on_socket: bool = False,
        validate: Validate | None = None,
    ) -> None:
        """Begin with no records; it is started where it is on a socket.

        Args:
            faults: what goes wrong on the way to it.
            on_socket: whether it listens on loopback, or is called within this process.
            validate: says what is wrong with a record that would be stored.
        """
        super().__init__(validate=validate)
        self.faults = NetworkFaults() if faults is None else faults
        self._on_socket = on_socket
        if on_socket:
            self.start()
        inner = httpx.HTTPTransport() if on_socket else _InProcess(self)
        self.network = Network(inner, self.faults)
        """The way to it."""
        self._client = httpx.Client(transport=self.network)

    @property
    def url(self) -> str:
        """Where the service is; within this process, nothing listens there."""
        return super().url if self._on_socket else "http://127.0.0.1"

    def subscriber(self, journal: Journal, **settings: Any) -> Subscriber:  # noqa: ANN401
        """Return a subscriber of that journal to this service, that hardly waits between attempts.

        Args:
            journal: whose drafts are sent.
            settings: of the subscriber; `profile` holds keys of a profile to add.
        """
        profile = Profile.of({"url": self.url, **settings.pop("profile", {})})
        given = {"backoff": _SOON, "client": self._client, **settings}
        return Subscriber(journal, HttpRemote(profile), **given)

    def save(self) -> Any:  # noqa: ANN401  to be handed to `restore`, and not looked into
        """Return what it has, what it did, what is on its way to it, and what is to go wrong."""
        with self._lock:
            has = copy.deepcopy((self._stored, self._effects, self._touched))
        return has, self.network.late, self.faults.save()

    def restore(self, saved: Any) -> None:  # noqa: ANN401
        """Be what it was when that was saved."""
        has, late, planned = saved
        with self._lock:
            self._stored, self._effects, self._touched = copy.deepcopy(has)
        self.network.put_late(late)
        self.faults.restore(planned)

    def close(self) -> None:
        """Close the connections, and stop."""
        self._client.close()
        self.stop()
