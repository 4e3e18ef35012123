"""The port to where receipts are kept: the database of the effects themselves.

- K1. A receipt is stored in the transaction of its effect: there is one exactly where there is
  the other.
- K2. A key is kept for ever; its answer for a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from journal.receiver.messages import Answered

ConnectionT = TypeVar("ConnectionT")


class Receipt(NamedTuple):
    """That a draft was applied, and what was answered."""

    caller: str
    key: str
    fingerprint: str
    journal: str | None
    number: int
    received_at: int
    """In microseconds since 1970 in UTC."""
    answer: Answered | None = None
    """None where it is kept no longer."""


class Receipts(Protocol[ConnectionT]):
    """Keeps receipts in a database; every method but `transaction` works within one."""

    def transaction(self) -> AbstractContextManager[ConnectionT]:
        """Begin a transaction: it is durable at the end, and undone by an exception.

        Raises:
            Exception: the database cannot be had now.
        """
        ...

    def find(self, connection: ConnectionT, caller: str, key: str) -> Receipt | None:
        """Return the receipt of a key."""
        ...

    def last(self, connection: ConnectionT, caller: str, journal: str) -> int | None:
        """Return the number of the journal that was applied last; None where none was.

        No other transaction of that journal goes on before the end of this one.
        """
        ...

    def reserve(self, connection: ConnectionT, receipt: Receipt) -> bool:
        """Store a receipt without its answer; say whether its key was free.

        The number becomes the last one of its journal.
        """
        ...

    def conclude(self, connection: ConnectionT, receipt: Receipt) -> None:
        """Store the answer of a receipt that was reserved in this transaction.

        Raises:
            Exception: the transaction was ended in the meantime.
        """
        ...

    def admit(self, connection: ConnectionT, caller: str, journal: str, number: int) -> None:
        """Let the journal go on after a number, whatever was applied of it."""
        ...

    def expire(self, connection: ConnectionT, before: int) -> int:
        """Forget the answers from before a time; return how many. Their keys are kept (K2)."""
        ...
