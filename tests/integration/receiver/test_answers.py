"""What a receiver answers, over ASGI and on a real database: statuses, bounds, and what is kept."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from journal.receiver import Answered, DatabaseReceipts, DeclinedError, Received, Receiver
from journal.receiver.app import FLOOR_S
from tests.integration.receiver.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from journal.receiver.database import Dialect

PATIENCE_S: Final = 10.0
DAY_US: Final = 86_400_000_000


class Heard(NamedTuple):
    """An answer as ASGI has it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """What kind of problem it tells."""
        assert self.headers["content-type"] == "application/problem+json"
        kind: str = json.loads(self.body)["type"]
        return kind.rpartition(":")[2]


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    """Return a service on a file of its own."""
    notes = Notes(tmp_path / "notes.db")
    yield notes
    notes.close()


def asked(
    app: Any,  # noqa: ANN401  ASGI
    method: str = "PUT",
    path: str = "/Note/n1",
    body: bytes = b'{"Name": "a"}',
    *,
    breaks: bool = False,
    **headers: Any,  # noqa: ANN401  texts
) -> Heard | None:
    """Ask an application; return its answer, if it gives one.

    Args:
        app: the application.
        method: of the request.
        path: of the request.
        body: of the request, which comes in chunks.
        breaks: whether the connection breaks within the body.
        headers: of the request, with `_` for `-`.
    """
    chunks = [body[at : at + 4] for at in range(0, len(body), 4)] or [b""]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": n < len(chunks) - 1}
        for n, part in enumerate(chunks)
    ]
    if breaks:
        messages[-1] = {"type": "http.disconnect"}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(k.replace("_", "-").lower().encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(app(scope, receive, send))
    if not sent:
        return None
    start, *rest = sent
    named = {name.decode(): text.decode() for name, text in start["headers"]}
    return Heard(start["status"], named, b"".join(part["body"] for part in rest))


def told(notes: Notes, key: str = "k1", **how: Any) -> Heard:  # noqa: ANN401  as of `asked`
    """Ask the service, with a key."""
    answer = asked(notes.receiver, Idempotency_Key=key, **how)
    assert answer is not None
    return answer


class TestStatuses:
    """What each request is answered."""

    def test_once(self, notes: Notes) -> None:
        """The first has an effect; the second gets the same answer, and says so."""
        first, second = told(notes), told(notes)

        assert (first.status, first.body, first.headers["etag"]) == (201, b'{"Name":"a"}', '"1"')
        assert second == first._replace(headers={**first.headers, "idempotent-replayed": "true"})
        assert len(notes.effects) == 1

    def test_without_content(self, notes: Notes) -> None:
        """An answer without content has none when it is given again."""
        told(notes)
        first = told(notes, "k2", method="DELETE", body=b"")
        second = told(notes, "k2", method="DELETE", body=b"")

        assert (first.status, first.body, "content-length" in first.headers) == (204, b"", False)
        assert (second.status, second.body, "content-length" in second.headers) == (204, b"", False)

    def test_no_key(self, notes: Notes) -> None:
        """A draft without a key is refused: 400."""
        answer = asked(notes.receiver)

        assert answer is not None
        assert (answer.status, answer.problem) == (400, "idempotency-key-missing")
        assert notes.effects == []

    @pytest.mark.parametrize(
        "how", [{"body": b"{}"}, {"path": "/Note/n2"}, {"method": "PATCH"}], ids=str
    )
    def test_key_for_something_else(self, notes: Notes, how: dict[str, Any]) -> None:
        """A key that comes with another body, path or method is refused: 422."""
        told(notes)
        answer = told(notes, **how)

        assert (answer.status, answer.problem) == (422, "idempotency-key-already-used")
        assert len(notes.effects) == 1

    def test_first_is_running(self, notes: Notes) -> None:
        """As long as the first request with a key is running, others are to wait: 409."""
        inside, outside = Event(), Event()
        apply = notes.apply

        def slowly(connection: sqlite3.Connection, received: Received) -> Answered:
            inside.set()
            assert outside.wait(PATIENCE_S)
            return apply(connection, received)

        notes.receiver._apply = slowly

        async def both() -> tuple[Answered, Answered]:
            request = Received("PUT", "/Note/n1", "", {}, b"{}", "k1")
            first = asyncio.create_task(asyncio.to_thread(notes.receiver.receive, request))
            await asyncio.to_thread(inside.wait, PATIENCE_S)
            second = await asyncio.to_thread(notes.receiver.receive, request)
            outside.set()
            return await first, second

        first, second = asyncio.run(both())

        assert (first.status, second.status) == (201, 409)
        assert second.headers["Retry-After"] == "1"
        assert len(notes.effects) == 1

    def test_gap(self, notes: Notes) -> None:
        """What comes before its time is to wait: 425, until the one before has come."""
        turn = {"Draft_Journal": "j1", "Draft_Previous": "4", "Draft_Number": "6"}
        early = told(notes, "k6", path="/Note/n2", **turn)
        told(notes, "k4", Draft_Journal="j1", Draft_Number="4")
        then = told(notes, "k6", path="/Note/n2", **turn)

        assert (early.status, early.problem, then.status) == (425, "previous-missing", 201)
        assert [effect.number for effect in notes.effects] == [4, 6]

    def test_journals_do_not_wait_for_each_other(self, notes: Notes) -> None:
        """Each journal has a sequence of its own."""
        told(notes, "k9", Draft_Journal="j1", Draft_Number="9")
        answer = told(notes, "k2", path="/Note/n2", Draft_Journal="j2", Draft_Number="2")

        assert answer.status == 201

    def test_refused_by_the_host(self, notes: Notes) -> None:
        """What the host refuses leaves nothing, not even its key: it may be tried again."""
        notes.validity = "no names today"
        refused = told(notes, Draft_Journal="j1", Draft_Number="1")
        notes.validity = None
        again = told(notes, Draft_Journal="j1", Draft_Number="1")

        assert (refused.status, refused.problem) == (422, "about:blank".rpartition(":")[2])
        assert json.loads(refused.body)["errors"] == [
            {"field": "Name", "message": "no names today"}
        ]
        assert (again.status, "idempotent-replayed" in again.headers) == (201, False)

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_what_asks_for_no_effect(self, notes: Notes, method: str) -> None:
        """What only reads is the other application's, or nobody's."""
        told(notes)
        alone = Receiver(notes.receipts, notes.apply)

        mine = asked(alone, method, body=b"")
        theirs = asked(notes.receiver, method, body=b"")

        assert mine is not None
        assert theirs is not None
        assert (mine.status, mine.headers["allow"]) == (405, "DELETE, PATCH, POST, PUT")
        assert (mine.body == b"") is (method == "HEAD")
        assert theirs.status == 200


class TestBounds:
    """A3: nothing without a bound."""

    @pytest.mark.parametrize("said", [None, "11", "9" * 30])
    def test_large_body(self, notes: Notes, said: str | None) -> None:
        """A body that is too large is refused, before it is read where its length is said."""
        small = Receiver(notes.receipts, notes.apply, max_bytes=10)
        headers: dict[str, Any] = {} if said is None else {"Content_Length": said}

        answer = asked(small, Idempotency_Key="k1", body=b'{"a": 1234}', **headers)

        assert answer is not None
        assert answer.status == 413
        assert notes.effects == []

    def test_large_answer(self, notes: Notes, caplog: pytest.LogCaptureFixture) -> None:
        """An answer that is too large to be stored is a mistake of the host, and undone."""
        small = Receiver(notes.receipts, notes.apply, max_answer_bytes=5)

        answer = asked(small, Idempotency_Key="k1")

        assert answer is not None
        assert answer.status == 500
        assert "too large" in caplog.text
        assert notes.effects == []

    def test_large_headers_of_an_answer(
        self, notes: Notes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """They are stored with it, and count."""

        def wordy(connection: sqlite3.Connection, received: Received) -> Answered:
            notes.apply(connection, received)
            return Answered(201, b"", {"Location": "/" + "a" * 300})

        answer = asked(Receiver(notes.receipts, wordy, max_answer_bytes=300), Idempotency_Key="k1")

        assert answer is not None
        assert answer.status == 500
        assert "an answer of 309 bytes is too large" in caplog.text
        assert notes.effects == []

    def test_half_a_body(self, notes: Notes) -> None:
        """A request that breaks off has no effect, and no answer."""
        assert asked(notes.receiver, Idempotency_Key="k1", breaks=True) is None
        assert notes.effects == []

    def test_answers_are_forgotten(self, tmp_path: Path) -> None:
        """After their time answers are forgotten, now and then; that they were, never is."""
        clock = _Clock()
        notes = Notes(tmp_path / "kept.db", keeps_s=FLOOR_S, clock=clock)
        told(notes, "k1")
        clock.us += DAY_US
        still = told(notes, "k1")
        clock.us += 1
        told(notes, "k2", path="/Note/n2")
        forgotten = told(notes, "k1")
        notes.close()

        assert still.status == 201
        assert (forgotten.status, forgotten.problem) == (409, "answer-expired")
        assert len(notes.effects) == 2

    def test_floor(self, notes: Notes) -> None:
        """Answers are kept for a day at least."""
        with pytest.raises(ValueError, match="a day"):
            Receiver(notes.receipts, notes.apply, keeps_s=FLOOR_S - 1)


class _Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.us = 1_700_000_000_000_000

    def now_us(self) -> int:
        """Return the wall clock."""
        return self.us

    def monotonic_s(self) -> float:
        """Return the monotonic clock."""
        return self.us / 1e6


class TestMistakes:
    """What a host, or its database, does wrong."""

    def test_function_that_breaks(self, notes: Notes, caplog: pytest.LogCaptureFixture) -> None:
        """Its effect is undone, the answer tells nothing of it, and the log does."""

        def broken(connection: sqlite3.Connection, received: Received) -> Answered:
            notes.apply(connection, received)
            raise ZeroDivisionError("a secret")

        answer = asked(Receiver(notes.receipts, broken), Idempotency_Key="k1")

        assert answer is not None
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert "a secret" in caplog.text
        assert (notes.effects, told(notes).status) == ([], 201)

    def test_answer_that_cannot_be_sent(
        self, notes: Notes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nothing is applied whose answer nobody would hear, or somebody else has written."""

        def gullible(connection: sqlite3.Connection, received: Received) -> Answered:
            notes.apply(connection, received)
            return Answered(201, b"", {"Location": f"/{received.segments[-1]}"})

        receiver = Receiver(notes.receipts, gullible)
        answer = asked(receiver, path="/Note/a\r\nSet-Cookie:b=c", Idempotency_Key="k1")

        assert answer is not None
        assert (answer.status, notes.effects) == (500, [])
        assert "the header 'Location' cannot be sent" in caplog.text

    def test_function_that_says_no_by_its_answer(self, notes: Notes) -> None:
        """An answer that is no success undoes what was done, and is not stored."""

        def unwilling(connection: sqlite3.Connection, received: Received) -> Answered:
            notes.apply(connection, received)
            return Answered.of(409, {"no": 1})

        answer = asked(Receiver(notes.receipts, unwilling), Idempotency_Key="k1")

        assert answer is not None
        assert (answer.status, answer.body, notes.effects) == (409, b'{"no":1}', [])
        assert told(notes).status == 201

    def test_function_that_commits(self, notes: Notes, caplog: pytest.LogCaptureFixture) -> None:
        """Who ends the transaction is told so; the effect is there, and is not made twice."""

        def hasty(connection: sqlite3.Connection, received: Received) -> Answered:
            answer = notes.apply(connection, received)
            connection.commit()
            return answer

        receiver = Receiver(notes.receipts, hasty)
        first = asked(receiver, Idempotency_Key="k1")
        second = asked(receiver, Idempotency_Key="k1")

        assert first is not None
        assert second is not None
        assert (first.status, second.status, second.problem) == (500, 409, "answer-expired")
        assert "has ended their transaction" in caplog.text
        assert len(notes.effects) == 1

    @pytest.mark.parametrize(
        ("mode", "dialect"), [(True, "sqlite"), (False, "sqlite"), (True, "postgresql")]
    )
    def test_connection_that_commits_by_itself(
        self,
        tmp_path: Path,
        mode: bool,  # noqa: FBT001
        dialect: Dialect,
    ) -> None:
        """A receipt without its effect, or an effect that is never committed, is refused first."""

        class Modern(sqlite3.Connection):
            autocommit = mode

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(tmp_path / "modern.db", factory=Modern)

        with pytest.raises(ValueError, match=f"autocommit={mode}.* leave autocommit at its"):
            DatabaseReceipts(connect, dialect=dialect)

    def test_database_that_is_away(self, notes: Notes) -> None:
        """Where the database cannot be had, nothing is done, and it is to be tried again: 503."""

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(notes.path, timeout=0)
            connection.execute("PRAGMA busy_timeout=0")
            return connection

        receiver = Receiver(DatabaseReceipts(connect), notes.apply)
        with closing(notes.connect()) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = asked(receiver, Idempotency_Key="k1")

        assert answer is not None
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert notes.effects == []


class TestAsync:
    """An async function has its effect as a plain one has: in one transaction, or not at all."""

    @staticmethod
    def received_by(notes: Notes, end: Callable[[], Awaitable[None]]) -> Receiver[Any]:
        """Return a receiver whose effect ends so."""

        async def apply(connection: sqlite3.Connection, received: Received) -> Answered:
            answer = notes.apply(connection, received)
            await asyncio.sleep(0)
            await end()
            return answer

        return Receiver(notes.receipts, apply)

    def test_once(self, notes: Notes) -> None:
        """It is applied once, and its answer is given again."""

        async def end() -> None:
            return None

        app = self.received_by(notes, end)

        first = asked(app, Idempotency_Key='"k1"')
        again = asked(app, Idempotency_Key='"k1"')

        assert first is not None
        assert again is not None
        assert (first.status, again.status) == (201, 201)
        assert again.headers["idempotent-replayed"] == "true"
        assert len(notes.effects) == 1

    @pytest.mark.parametrize(
        ("error", "status"),
        [(DeclinedError(422, "no"), 422), (KeyError("x"), 500), (asyncio.CancelledError(), 500)],
    )
    def test_what_fails_is_undone(
        self, notes: Notes, caplog: pytest.LogCaptureFixture, error: BaseException, status: int
    ) -> None:
        """Whatever is raised after an await leaves nothing, and the draft may come again."""
        caplog.set_level("CRITICAL")

        async def fail() -> None:
            raise error

        async def end() -> None:
            return None

        failed = asked(self.received_by(notes, fail), Idempotency_Key='"k1"')

        assert failed is not None
        assert (failed.status, notes.effects) == (status, [])
        again = asked(self.received_by(notes, end), Idempotency_Key='"k1"')
        assert again is not None
        assert (again.status, len(notes.effects)) == (201, 1)

    def test_what_it_has_begun_ends_with_it(self, notes: Notes) -> None:
        """A task that is left behind is ended before the commit, and not after it (A4)."""
        ended: list[int] = []
        begun: list[asyncio.Task[None]] = []

        async def linger() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(len(notes.effects))

        async def end() -> None:
            begun.append(asyncio.create_task(linger()))
            await asyncio.sleep(0)

        answer = asked(self.received_by(notes, end), Idempotency_Key='"k1"')

        assert answer is not None
        assert (answer.status, ended) == (201, [0])
        assert begun[0].cancelled()


class TestCallers:
    """Who asks."""

    def test_others_keys_are_not_ours(self, notes: Notes) -> None:
        """Nobody is shown the answer to somebody else, nor disturbs their sequence."""
        receiver = Receiver(
            notes.receipts,
            notes.apply,
            caller=lambda scope: dict(scope["headers"])[b"who"].decode(),
        )
        turn: dict[str, Any] = {"Draft_Journal": "j1", "Draft_Number": "7"}

        ann = asked(receiver, Idempotency_Key="k1", who="ann", **turn)
        bob = asked(receiver, path="/Note/n2", Idempotency_Key="k1", who="bob", **turn)

        assert ann is not None
        assert bob is not None
        assert (ann.status, bob.status) == (201, 201)
        assert len(notes.effects) == 2

    def test_caller_that_is_refused(self, notes: Notes) -> None:
        """Who may not ask at all can be refused there."""

        def nobody(_: object) -> str:
            raise DeclinedError(401, "who are you?", headers={"WWW-Authenticate": "Bearer"})

        answer = asked(Receiver(notes.receipts, notes.apply, caller=nobody), Idempotency_Key="k1")

        assert answer is not None
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


class TestWhereItStands:
    """In a framework, or alone."""

    def test_mounted(self, notes: Notes) -> None:
        """Mounted below a path, it sees what is below that; other routes are the framework's."""
        routes = [
            Route("/health", lambda _: PlainTextResponse("ok")),
            Mount("/v1", app=notes.receiver),
        ]
        with TestClient(Starlette(routes=routes)) as client:
            headers = {"Idempotency-Key": "k1"}
            answer = client.put("/v1/Note/a%2F1", json={"Name": "a"}, headers=headers)

            assert (answer.status_code, client.get("/health").text) == (201, "ok")
        assert notes.records.keys() == {("Note", "a/1")}

    def test_alone(self, notes: Notes) -> None:
        """Alone, it follows the life of its server."""
        alone = Receiver(notes.receipts, notes.apply, needs_number=True)
        with TestClient(alone) as client:
            answer = client.put("/Note/n1", json={}, headers={"Idempotency-Key": "k1"})

        assert answer.status_code == 400
        assert answer.json()["title"] == "sequence missing"

    def test_a_pool(self, notes: Notes) -> None:
        """Connections may come from a pool, by a context manager, and go back there."""
        returned: list[int] = []

        class Pool:
            def __enter__(self) -> sqlite3.Connection:
                self._connection = notes.connect()
                return self._connection

            def __exit__(self, *_: object) -> None:
                returned.append(self._connection.total_changes)
                self._connection.close()

        receiver = Receiver(DatabaseReceipts(Pool), notes.apply)

        answer = asked(receiver, Idempotency_Key="k1")

        assert answer is not None
        assert (answer.status, len(returned), len(notes.effects)) == (201, 2, 1)
