"""Receipts in a database that the host owns, by its connections (PEP 249).

It imports no database: the host hands over what connects to its own.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from journal.receiver.messages import Answered
from journal.receiver.receipts import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

_RECEIPTS: Final = (
    "CREATE TABLE IF NOT EXISTS draft_receipts (caller TEXT NOT NULL, draft_key TEXT NOT NULL, "
    "fingerprint TEXT NOT NULL, journal TEXT, number BIGINT NOT NULL, "
    "received_at BIGINT NOT NULL, answer TEXT, PRIMARY KEY (caller, draft_key))"
)
_BY_TIME: Final = (
    "CREATE INDEX IF NOT EXISTS draft_receipts_by_time ON draft_receipts (received_at) "
    "WHERE answer IS NOT NULL"
)
_JOURNALS: Final = (
    "CREATE TABLE IF NOT EXISTS draft_journals (caller TEXT NOT NULL, journal TEXT NOT NULL, "
    "number BIGINT NOT NULL, PRIMARY KEY (caller, journal))"
)
_FIND: Final = (
    "SELECT fingerprint, journal, number, received_at, answer FROM draft_receipts "
    "WHERE caller = ? AND draft_key = ?"
)
_RESERVE: Final = (
    "INSERT INTO draft_receipts (caller, draft_key, fingerprint, journal, number, received_at) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_CONCLUDE: Final = "UPDATE draft_receipts SET answer = ? WHERE caller = ? AND draft_key = ?"
_MEET: Final = (
    "INSERT INTO draft_journals (caller, journal, number) VALUES (?, ?, -1) ON CONFLICT DO NOTHING"
)
_LAST: Final = "SELECT number FROM draft_journals WHERE caller = ? AND journal = ?"
_ADVANCE: Final = (
    "INSERT INTO draft_journals (caller, journal, number) VALUES (?, ?, ?) "
    "ON CONFLICT (caller, journal) DO UPDATE SET number = excluded.number"
)
_EXPIRE: Final = (
    "UPDATE draft_receipts SET answer = NULL WHERE received_at < ? AND answer IS NOT NULL"
)


class _Connection(Protocol):
    """A connection to a database (PEP 249)."""

    def cursor(self) -> Any:  # noqa: ANN401  of whichever database
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class DatabaseReceipts:
    """Receipts in two tables of the host's database, `draft_receipts` and `draft_journals`."""

    def __init__(
        self,
        connect: Callable[[], _Connection | AbstractContextManager[Any]],
        *,
        dialect: Dialect = "sqlite",
    ) -> None:
        """Make the tables, where they are missing.

        Args:
            connect: returns a new connection, which is closed after one transaction; or a
                context manager that hands out one, as a pool does. It is called in threads.
            dialect: of the database.

        Raises:
            ValueError: what connects is in a mode in which no transaction can be begun and ended.
        """
        self._connect = connect
        self._dialect = dialect
        with self.transaction() as connection:
            for statement in (_RECEIPTS, _BY_TIME, _JOURNALS):
                connection.cursor().execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Begin a transaction: it is durable at the end, and undone by an exception."""
        with self._connected() as connection:
            _check_transactional(connection, self._dialect)
            if self._dialect == "sqlite":  # one writer at a time, from the first look on
                connection.cursor().execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        found: Any = self._connect()
        if not hasattr(found, "cursor"):
            with found as connection:
                yield connection
            return
        try:
            yield found
        finally:
            found.close()

    def find(self, connection: Any, caller: str, key: str) -> Receipt | None:  # noqa: ANN401
        """Return the receipt of a key."""
        row = self._run(connection, _FIND, caller, key).fetchone()
        if row is None:
            return None
        fingerprint, journal, number, received_at, answer = row
        kept = None if answer is None else _answer(answer)
        return Receipt(caller, key, fingerprint, journal, number, received_at, kept)

    def last(self, connection: Any, caller: str, journal: str) -> int | None:  # noqa: ANN401
        """Return the number of the journal that was applied last; None where none was."""
        self._run(connection, _MEET, caller, journal)
        lock = " FOR UPDATE" if self._dialect == "postgresql" else ""
        (number,) = self._run(connection, _LAST + lock, caller, journal).fetchone()
        return None if number < 0 else int(number)

    def reserve(self, connection: Any, receipt: Receipt) -> bool:  # noqa: ANN401
        """Store a receipt without its answer; say whether its key was free."""
        if self._run(connection, _RESERVE, *receipt[:-1]).rowcount != 1:
            return False
        if receipt.journal is not None:
            self.admit(connection, receipt.caller, receipt.journal, receipt.number)
        return True

    def conclude(self, connection: Any, receipt: Receipt) -> None:  # noqa: ANN401
        """Store the answer of a receipt that was reserved in this transaction.

        Raises:
            RuntimeError: the transaction was ended in the meantime.
        """
        if not getattr(connection, "in_transaction", True):
            raise RuntimeError("the function that applies drafts has ended their transaction")
        text = None if receipt.answer is None else _text(receipt.answer)
        self._run(connection, _CONCLUDE, text, receipt.caller, receipt.key)

    def admit(self, connection: Any, caller: str, journal: str, number: int) -> None:  # noqa: ANN401
        """Let the journal go on after a number, whatever was applied of it."""
        self._run(connection, _ADVANCE, caller, journal, number)

    def expire(self, connection: Any, before: int) -> int:  # noqa: ANN401
        """Forget the answers from before a time; return how many. Their keys are kept."""
        return int(self._run(connection, _EXPIRE, before).rowcount)

    def _run(self, connection: Any, statement: str, *values: object) -> Any:  # noqa: ANN401
        if self._dialect == "postgresql":
            statement = statement.replace("?", "%s")
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return cursor


def _check_transactional(connection: Any, dialect: Dialect) -> None:  # noqa: ANN401
    """Refuse a connection of which an effect and its receipt would not be one transaction.

    Raises:
        ValueError: it is in `autocommit`; one of sqlite3 in either of the modes of Python 3.12, in
            which it ends no transaction that we begin, or has begun one already.
    """
    mode = getattr(connection, "autocommit", None)
    if mode is True or (mode is False and dialect == "sqlite"):
        raise ValueError(
            f"connect() has returned a connection with autocommit={mode}, by which an effect and "
            "its receipt are not one transaction; leave autocommit at its default"
        )


def _text(answer: Answered) -> str:
    """Return an answer as text, which any database keeps: bytes as characters up to 255."""
    return json.dumps([answer.status, answer.body.decode("latin-1"), dict(answer.headers)])


def _answer(text: str) -> Answered:
    status, body, headers = json.loads(text)
    return Answered(status, body.encode("latin-1"), headers)
