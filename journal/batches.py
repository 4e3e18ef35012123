"""Floor 5: the batch that is open, and whose it is.

It knows nothing of what is in a batch, nor of how it is stored.

- O1. A batch belongs to the context that opened it, that is, to one task or to one thread. Those
  that were begun within the block have a context of their own, with a copy of what was in it:
  they find no open batch.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from journal.errors import BatchMovedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Token

    from journal.staging import Batch


class _Open:
    """A batch, and what only its owner can give back."""

    __slots__ = ("batch", "token")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.token: Token[_Open | None] | None = None


class Batches:
    """The batches of a journal: at most one for each context."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: ContextVar[_Open | None] = ContextVar("batch", default=None)

    def own(self) -> Batch | None:
        """Return the batch that was opened in this context, or None (O1)."""
        found = self._open.get()
        if found is None or not found.batch.is_open or not self._leave(found):
            return None
        self._enter(found)
        return found.batch

    @contextmanager
    def opened(self, batch: Batch) -> Iterator[None]:
        """Let the batch be open in this context while the block lasts.

        Raises:
            BatchMovedError: the block was ended in another context.
        """
        opened = _Open(batch)
        self._enter(opened)
        try:
            yield
        except GeneratorExit:
            if len(batch):
                warnings.warn(_given_up(len(batch)), RuntimeWarning, stacklevel=5)
            raise
        finally:
            batch.is_open = False
            is_left = self._leave(opened)
        if not is_left:
            raise BatchMovedError(len(batch))

    def _enter(self, opened: _Open) -> None:
        opened.token = self._open.set(opened)

    def _leave(self, opened: _Open) -> bool:
        """Take the batch out of this context; say whether it is the one that it was put into.

        There is no other way to tell contexts apart: a token is taken back only where it was
        given out, and only once, which is what another thread may see at the wrong moment.
        """
        token = opened.token
        if token is None:
            return False
        try:
            self._open.reset(token)
        except (RuntimeError, ValueError):
            return False
        opened.token = None
        return True


def _given_up(count: int) -> str:
    changes = "1 change of a batch was" if count == 1 else f"{count} changes of a batch were"
    return f"{changes} given up, and not stored: the generator that the block is in was closed"
