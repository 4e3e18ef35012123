"""Takes in an answer, up to a bound, and decompresses it, though that was not asked for."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from journal.remotes.remote import NoAnswer, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.remotes.remote import Answer

_ZLIB: Final = frozenset({"gzip", "x-gzip", "deflate"})


class Intake:
    """One answer on its way in."""

    def __init__(self, max_bytes: int, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Begin with what came before the body."""
        self._max_bytes = max_bytes
        self._status = status
        self._headers: dict[str, str] = {}
        for name, value in headers:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            known = self._headers.get(key)
            self._headers[key] = text if known is None else f"{known}, {text}"
        self._encoding = self._headers.get("content-encoding", "identity").strip().lower()
        self._inflate = (
            zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whatever its header says
            if self._encoding in _ZLIB
            else None
        )
        self._received = 0
        self._left = max_bytes
        self._chunks: list[bytes] = []
        self.problem = ""
        """Why no more is taken in."""

    def take(self, chunk: bytes) -> bool:
        """Take in a chunk; say whether more may come.

        Raises:
            zlib.error: it is not compressed in the way that its header says.
        """
        if self._inflate is None and self._encoding not in {"", "identity"}:
            self.problem = "the answer is compressed in a way that was not asked for"
            return False
        self._received += len(chunk)
        if self._inflate is not None:
            chunk = self._inflate.decompress(chunk, self._left + 1)
        self._left -= len(chunk)
        if self._left < 0 or self._received > self._max_bytes:
            self.problem = f"the answer is larger than {self._max_bytes} bytes"
            return False
        self._chunks.append(chunk)
        return True

    def answer(self) -> Answer:
        """Return the answer, whole, or why it is none."""
        if not self.problem and self._inflate is not None:
            is_whole = self._inflate.eof or not self._received
            self.problem = "" if is_whole else "the compressed answer ends too early"
        if self.problem:
            return NoAnswer(was_sent=True, problem=self.problem)
        return Response(self._status, self._headers, b"".join(self._chunks))
