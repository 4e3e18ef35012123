"""Cassettes: exchanges with a remote, recorded once and played back in every run.

A cassette is a file of JSON lines beside the test, one exchange a line. Played back, each
request must be the next one on it; one that is another, one too many, and one too few all fail.

- K1. No header is recorded that is not on the list of those that may be.
- K2. What looks like a secret, or is known to be one, is masked wherever it stands, before it is
  written, and so is what is long and not known to be harmless; a request is masked in the same way
  before it is compared.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

import httpx

from journal.testing.veil import Veil

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["ANSWER_HEADERS", "REQUEST_HEADERS", "Cassette", "CassetteError"]

REQUEST_HEADERS: Final = frozenset(
    {
        "accept",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "prefer",
    }
)
"""The headers of a request that are recorded, and compared."""
ANSWER_HEADERS: Final = frozenset(
    {"content-type", "date", "etag", "last-modified", "link", "location", "retry-after"}
)
"""The headers of an answer that are recorded."""


_OF_REQUEST: Final = {"method", "target", "headers", "body"}
_OF_ANSWER: Final = {"status", "headers", "body"}
_HAND_OVER: Final = "hand it over: Subscriber(journal, remote, client=cassette.client)"


class CassetteError(BaseException):
    """What was asked is not what is on the cassette.

    It is no `Exception`, so that no sender takes it for a remote that failed, and tries again.
    """


class Cassette:
    """Exchanges on a file: played back, or recorded."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        record: bool = False,
        secrets: Iterable[str] = (),
        harmless: Iterable[str] = (),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Begin at its first exchange.

        Args:
            path: of the file.
            record: whether it is recorded anew, or played back.
            secrets: texts that are masked wherever they stand, besides what looks like one.
            harmless: patterns of what is no secret, though it looks like one: a name of a field or
                a parameter, or a text as a whole.
            transport: by which is sent what is recorded; over the network otherwise.

        Raises:
            CassetteError: what is in the file was not recorded.
            TypeError: `secrets` or `harmless` is a text, or has something else in it.
            ValueError: a secret is too short to be found, or a pattern is none.
        """
        self.path = path = Path(path)
        self.is_recording = record
        self.problem = ""
        """What was wrong with a request, where one was."""
        self._was_heard = False
        self._veil = Veil(secrets, harmless)
        self._inner = transport
        self._exchanges: list[dict[str, Any]] = []
        self._next = 0
        if not record and path.exists():
            lines = path.read_text("utf-8").splitlines()
            self._exchanges = [_exchange(path, at, line) for at, line in enumerate(lines, 1)]
        self.client = httpx.Client(transport=_Reel(self))
        """To be handed to a subscriber: `Subscriber(journal, remote, client=cassette.client)`."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End it, completely where nothing went wrong."""
        self.close(is_complete=kind is None)

    def exchanged(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request: the recorded one, or that of the remote.

        Raises:
            CassetteError: the request is not the next one on the cassette.
        """
        sent = self._request(request)
        if self.is_recording:
            return self._recorded(request, sent)
        if self._next == len(self._exchanges):
            self._fail(f"one request too many: {_line(sent)}")
        exchange = self._exchanges[self._next]
        if exchange["request"] != sent:
            self._fail(self._other(sent))
        self._next += 1
        answer = exchange["answer"]
        headers = [(name, self._veil.recalled(value)) for name, value in answer["headers"]]
        body = answer["body"]
        content = _bytes(self._veil.echoed(body) if isinstance(body, str) else body)
        return httpx.Response(answer["status"], headers=headers, content=content)

    def _fail(self, problem: str) -> NoReturn:
        if not self.path.exists():
            problem = "it was never recorded"
        said = f"cassette {self.path.name}: {problem}; record it anew: pytest --journal-record"
        self.problem = self.problem or said
        self._was_heard = current_thread() is main_thread()
        raise CassetteError(self.problem)

    def _other(self, sent: Mapping[str, Any]) -> str:
        """Say how a request differs from the next one on the cassette."""
        later = [e["request"] for e in self._exchanges[self._next :]]
        expected = later[0]
        at = f"request {self._next + 1} is {_line(sent)}"
        if sent in later:
            return f"{at}, which is number {self._next + later.index(sent) + 1} there"
        differing = [key for key in expected if expected[key] != sent.get(key)]
        said = "; ".join(f"{key} {sent.get(key)!r}, not {expected[key]!r}" for key in differing)
        return f"{at}, and there it is {_line(expected)}: {said}"

    def _recorded(self, request: httpx.Request, sent: dict[str, Any]) -> httpx.Response:
        if self._inner is None:
            self._inner = httpx.HTTPTransport()
        answer = self._inner.handle_request(request)
        content = answer.read()
        answer.close()
        kept = {
            "status": answer.status_code,
            "headers": self._headers(answer.headers, ANSWER_HEADERS),
            "body": self._veil.body(content, answer.headers.get("content-type", "")),
        }
        self._exchanges.append({"request": sent, "answer": kept})
        headers = [
            (name, value)
            for name, value in answer.headers.multi_items()
            if name not in {"content-encoding", "content-length", "transfer-encoding"}
        ]
        return httpx.Response(answer.status_code, headers=headers, content=content)

    def close(self, *, is_complete: bool = True) -> None:
        """End it: what was recorded is written; what was not asked for fails.

        Args:
            is_complete: whether everything was to be asked for; not so where the test has failed,
                and then nothing is written.

        Raises:
            CassetteError: some on the cassette were never made, or none at all; or a request was
                wrong, in a thread where nobody heard of it.
        """
        self.client.close()
        if self.is_recording:
            if self._inner is not None:
                self._inner.close()
            if is_complete:
                self._write()
        elif self.problem:
            if not self._was_heard:
                raise CassetteError(self.problem)
        elif is_complete and (left := self._exchanges[self._next :]):
            first = _line(left[0]["request"])
            self._fail(f"{len(left)} requests were never made, the first of them {first}")
        elif is_complete and not self._exchanges:
            self._fail("no request was made by its client, and none is on it")

    def _write(self) -> None:
        if not self._exchanges:
            said = "no request was made by its client, so nothing was recorded"
            raise CassetteError(f"cassette {self.path.name}: {said}; {_HAND_OVER}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [self._line(exchange) for exchange in self._exchanges]
        self.path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    # --- what is written -----------------------------------------------------------------

    def _request(self, request: httpx.Request) -> dict[str, Any]:
        headers = self._headers(request.headers, REQUEST_HEADERS)
        return {
            "method": request.method,
            "target": self._veil.target(request.url.raw_path.decode("ascii")),
            "headers": headers,
            "body": self._veil.body(request.read(), request.headers.get("content-type", "")),
        }

    def _headers(self, headers: httpx.Headers, allowed: frozenset[str]) -> list[list[str]]:
        """Return the headers that may be recorded, in an order that means nothing (K1)."""
        pairs = [(name.lower(), value) for name, value in headers.multi_items()]
        for name, value in pairs:
            if name not in allowed:
                self._veil.learn(name, value)
        return sorted([n, self._header(n, value)] for n, value in pairs if n in allowed)

    def _header(self, name: str, value: str) -> str:
        return self._veil.text(self._veil.media_type(value) if name == "content-type" else value)

    def _line(self, exchange: dict[str, Any]) -> str:
        """Return an exchange as it is written, without what was known to be secret later on."""
        return json.dumps(_mapped(exchange, self._veil.known), ensure_ascii=False)


def _exchange(path: Path, number: int, line: str) -> dict[str, Any]:
    """Return what a line of the file says.

    Raises:
        CassetteError: it was not recorded.
    """
    try:
        exchange: dict[str, Any] = json.loads(line)
        request, answer = exchange["request"], exchange["answer"]
        if request.keys() == _OF_REQUEST and answer.keys() == _OF_ANSWER:
            return exchange
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    said = f"cassette {path.name}: line {number} is no exchange that was recorded"
    raise CassetteError(f"{said}; record it anew: pytest --journal-record")


def _mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401  JSON
    match value:
        case dict():
            return {k: v if k == "base64" else _mapped(v, change) for k, v in value.items()}
        case list():
            return [_mapped(each, change) for each in value]
        case str():
            return change(value)
        case _:
            return value


class _Reel(httpx.BaseTransport):
    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._cassette.exchanged(request)


def _line(request: Mapping[str, Any]) -> str:
    return f"{request['method']} {request['target']}"


def _bytes(body: str | dict[str, str]) -> bytes:
    return b64decode(body["base64"]) if isinstance(body, dict) else body.encode()
