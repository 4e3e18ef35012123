"""The ASGI application: takes drafts in, applies each once, and answers.

- A1. An effect and its receipt are one transaction; whatever goes wrong undoes both.
- A2. Only a success is stored: what is refused has no effect, and may be tried again.
- A3. Nothing that is read or stored is without a bound.
- A4. An async effect runs to its end in the thread of its transaction, with all that it has begun:
  what goes on after the commit would be no part of it.
- A5. An answer is stored only where it can be sent: no draft is applied, and never answered.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from http import HTTPStatus
from inspect import isawaitable
from logging import getLogger
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

from journal.receiver.headers import received_of
from journal.receiver.messages import DeclinedError, check_sendable, problem_of
from journal.receiver.receipts import ConnectionT, Receipt
from journal.receiver.sequence import SOON_S, out_of_turn, outstanding, replayed
from journal.sources import SystemClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from journal.receiver.messages import Answered, Received
    from journal.receiver.receipts import Receipts
    from journal.sources import Clock

    Scope: TypeAlias = MutableMapping[str, Any]
    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

FLOOR_S: Final = 86_400.0
"""The least time that answers are kept: a sender repeats a request without a look for so long."""
_DAY_S: Final = 86_400.0
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_ALLOW: Final = {"Allow": "DELETE, PATCH, POST, PUT"}
_SUCCESS: Final = range(200, 300)
_MICROSECONDS: Final = 1_000_000
_EXPIRE_EVERY_S: Final = 3600.0
_log = getLogger("journal.receiver")


class Receiver(Generic[ConnectionT]):
    """An ASGI application that applies each draft at most once, in the order of its journal."""

    def __init__(  # noqa: PLR0913  what a host may want otherwise
        self,
        receipts: Receipts[ConnectionT],
        apply: Callable[[ConnectionT, Received], Answered | Awaitable[Answered]],
        *,
        otherwise: App | None = None,
        caller: Callable[[Scope], str] | None = None,
        needs_number: bool = False,
        admits_midway: bool = False,
        keeps_s: float = 30 * _DAY_S,
        max_bytes: int = 1_048_576,
        max_answer_bytes: int = 262_144,
        clock: Clock | None = None,
    ) -> None:
        """Receive drafts.

        Args:
            receipts: where it is kept what was applied: the database of the effects.
            apply: has the effect, on the connection that it is handed, and says what is
                answered. It is called in a thread, and neither commits nor rolls back; where it
                is async, it runs in that thread, in an event loop of its own. It raises
                `DeclinedError` where it will not; a status that is no 2xx undoes its effect, too.
            otherwise: the application that answers what asks for no effect, such as a read.
            caller: says by the scope of a request who asks. Keys and journals are told apart by
                it, so that nobody is shown the answer to somebody else.
            needs_number: whether a draft without a journal and a number is refused.
            admits_midway: whether a journal of which nothing is known may begin in its middle.
            keeps_s: how long answers are kept, in seconds; a day at least. Keys are kept for ever.
            max_bytes: the largest body that is taken.
            max_answer_bytes: the largest answer that is given to be stored.
            clock: says when.

        Raises:
            ValueError: `keeps_s` is less than a day.
        """
        if keeps_s < FLOOR_S:
            raise ValueError(f"keeps_s must be {FLOOR_S:.0f} at least, a day")
        self._receipts = receipts
        self._apply = apply
        self._otherwise = otherwise
        self._caller = caller
        self._needs_number = needs_number
        self._admits_midway = admits_midway
        self._keeps_s = keeps_s
        self._max_bytes = max_bytes
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._running: set[tuple[str, str]] = set()
        self._expires_at = self._clock.monotonic_s()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: the interface of ASGI."""
        if self._otherwise is not None and (
            scope["type"] != "http" or scope["method"].upper() in _SAFE
        ):
            await self._otherwise(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            answer = await self._answered(scope, receive)
            if answer is not None:
                await _sent(answer, scope["method"], send)

    async def _answered(self, scope: Scope, receive: Receive) -> Answered | None:
        """Return the answer to a request; None where whoever asked is gone."""
        if scope["method"].upper() in _SAFE:
            said = "drafts are received here, and nothing is read"
            return problem_of(HTTPStatus.METHOD_NOT_ALLOWED, "about:blank", said, _ALLOW)
        try:
            body = await _body(scope, receive, self._max_bytes)
            if body is None:
                return None
            caller = "" if self._caller is None else self._caller(scope)
            received = received_of(scope, body, caller, needs_number=self._needs_number)
        except DeclinedError as error:
            return error.answer
        return await asyncio.to_thread(self.receive, received)

    def receive(self, received: Received) -> Answered:
        """Apply a draft, unless it was applied before, and return what is answered; it blocks."""
        name = (received.caller, received.key)
        with self._lock:
            if name in self._running:
                return outstanding(received.key)
            self._running.add(name)
        try:
            return self._received(received)
        finally:
            with self._lock:
                self._running.discard(name)

    def _received(self, received: Received) -> Answered:
        try:
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(self._receipts.transaction())
                except Exception:  # noqa: BLE001  of whichever database
                    _log.exception("the database cannot be had")
                    return _unavailable()
                return self._once(connection, received)
        except DeclinedError as error:
            return error.answer
        except _NotStored as ended:
            return ended.answer
        except Exception:  # noqa: BLE001  it is undone, whatever it was (A1)
            _log.exception("a draft could not be applied: %s %s", received.method, received.path)
            said = "it could not be applied, and nothing of it was"
            return problem_of(HTTPStatus.INTERNAL_SERVER_ERROR, "about:blank", said)

    def _once(self, connection: ConnectionT, received: Received) -> Answered:
        """Apply a draft that is not known, in its turn (A1).

        Raises:
            _NotStored: it is not applied.
        """
        receipts, caller = self._receipts, received.caller
        last = None
        if received.journal is not None:
            last = receipts.last(connection, caller, received.journal)
        known = receipts.find(connection, caller, received.key)
        if known is not None:
            raise _NotStored(replayed(received, known))
        if received.journal is not None:
            early = out_of_turn(received, last, admits_midway=self._admits_midway)
            if early is not None:
                raise _NotStored(early)
        now = self._clock.now_us()
        mark, journal, number = received.fingerprint, received.journal, received.number
        receipt = Receipt(caller, received.key, mark, journal, number, now)
        if not receipts.reserve(connection, receipt):
            raise _NotStored(outstanding(received.key))
        applied = self._apply(connection, received)
        answer = asyncio.run(_ended(applied)) if isawaitable(applied) else applied
        check_sendable(answer)
        if answer.status not in _SUCCESS:
            raise _NotStored(answer)
        size = len(answer.body) + sum(len(k) + len(v) for k, v in answer.headers.items())
        if size > self._max_answer_bytes:
            raise ValueError(f"an answer of {size} bytes is too large to be stored")
        receipts.conclude(connection, receipt._replace(answer=answer))
        self._expire(connection, now)
        return answer

    def _expire(self, connection: ConnectionT, now: int) -> None:
        """Forget old answers now and then."""
        at = self._clock.monotonic_s()
        if at >= self._expires_at:
            self._expires_at = at + _EXPIRE_EVERY_S
            self._receipts.expire(connection, now - int(self._keeps_s * _MICROSECONDS))


class _NotStored(Exception):  # noqa: N818  it is no error
    """Ends a transaction that is to leave nothing, with what is answered (A2)."""

    def __init__(self, answer: Answered) -> None:
        super().__init__(answer.status)
        self.answer = answer


async def _ended(applied: Awaitable[Answered]) -> Answered:
    """Wait for an effect (A4).

    Raises:
        RuntimeError: it was cancelled from within: a failure as any other.
    """
    try:
        return await applied
    except asyncio.CancelledError as error:
        raise RuntimeError("the effect was cancelled before its end") from error


def _unavailable() -> Answered:
    said = "the database cannot be had now"
    headers = {"Retry-After": str(SOON_S)}
    return problem_of(HTTPStatus.SERVICE_UNAVAILABLE, "about:blank", said, headers)


async def _body(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """Return the body, whole; None where it broke off.

    Raises:
        DeclinedError: it is larger than it may be.
    """
    too_large = DeclinedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body may have {most} bytes at most"
    )
    said = dict(scope["headers"]).get(b"content-length", b"")
    if said.isdigit() and int(said[:19]) > most:
        raise too_large
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            raise too_large
        if not message.get("more_body", False):
            return bytes(body)


async def _sent(answer: Answered, method: str, send: Send) -> None:
    body = b"" if method.upper() == "HEAD" else answer.body
    headers = [
        (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers.items()
    ]
    if answer.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    """Follow the life of the server: there is nothing to begin or to end."""
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
