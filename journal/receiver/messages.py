"""What a receiver is asked, and what it answers, as values; pure.

It knows nothing of ASGI, and nothing of databases.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn
from urllib.parse import unquote

from journal.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_REFUSALS: Final = range(400, 600)
_STATUSES: Final = range(200, 600)
_BODILESS: Final = frozenset({204, 304})
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT: Final = re.compile(r"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
"""What a header may say (RFC 9110): no line break, and no space around it."""
_OF_SERVER: Final = frozenset({"connection", "content-length", "transfer-encoding"})
_TYPES: Final = "urn:draft-journal:receiver:"


class Received(NamedTuple):
    """A request that asks for an effect, whole."""

    method: str
    path: str
    """Below where the receiver is mounted, quoted as it was sent."""
    query: str
    headers: Mapping[str, str]
    """The names are in lower case."""
    body: bytes
    key: str
    """By which the draft is known again, for ever."""
    caller: str = ""
    """Who asks, as the host knows it: nobody else's keys and journals are theirs."""
    journal: str | None = None
    """The journal that the draft is from; None where the sender does not say."""
    number: int = 0
    """Its number in that journal: a later draft has a greater one."""
    previous: int = 0
    """The number of the draft that the sender knows to be applied; 0 where it knows of none."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path, unquoted: ``("notes", "a/1")`` for ``/notes/a%2F1``."""
        return tuple(map(unquote, self.path.strip("/").split("/")))

    @property
    def fingerprint(self) -> str:
        """What must be the same whenever the key is: method, path, query and body."""
        said = f"{self.method} {self.path}?{self.query}\n".encode()
        return sha256(said + self.body).hexdigest()

    def json(self) -> Any:  # noqa: ANN401  JSON
        """Return the body as JSON.

        Raises:
            DeclinedError: it is none.
        """
        try:
            document = json.loads(self.body.decode(), parse_constant=_no_number, parse_float=_float)
            if b"\\u" in self.body:  # half a character can be written so, and in no other way
                json.dumps(document, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise DeclinedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
        return document


class Answered(NamedTuple):
    """An answer, whole."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @classmethod
    def of(
        cls, status: int, document: object, headers: Mapping[str, str] | None = None
    ) -> Answered:
        """Return an answer with a JSON document."""
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": JSON, **(headers or {})})


class DeclinedError(JournalError):
    """A draft will not be applied: raised by the host's function, which undoes what it did."""

    def __init__(
        self,
        status: int,
        problem: str,
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what is answered.

        Args:
            status: from 400 to 599.
            problem: what is wrong, for people.
            errors: what is wrong with which field: (field, message).
            headers: of the answer.

        Raises:
            ValueError: such an answer cannot be sent, or would say that it was applied.
        """
        if status not in _REFUSALS:
            raise ValueError(f"what is declined has a status from 400 to 599, and not {status}")
        super().__init__(problem)
        self.status = status
        listed = [{"field": field, "message": message} for field, message in errors]
        more = {"errors": listed} if listed else {}
        self.answer = problem_of(status, "about:blank", problem, headers, **more)
        check_sendable(self.answer)


def check_sendable(answer: Answered) -> None:
    """Refuse an answer that no server could send as it is, before it is stored for good.

    Raises:
        ValueError: of its status, its body, or a header; such as one with a line break in it, by
            which whoever chose an id would write headers of their own.
    """
    status: object = answer.status
    if not isinstance(status, int) or status not in _STATUSES:
        raise ValueError(f"an answer has a status from 200 to 599, and not {status!r}")
    if answer.body and status in _BODILESS:
        raise ValueError(f"an answer of {status} has no body")
    headers: Mapping[str, object] = answer.headers
    for name, value in headers.items():
        if not (_HEADER.fullmatch(name) and isinstance(value, str) and _TEXT.fullmatch(value)):
            raise ValueError(f"the header {name!r} cannot be sent: {value!r}")
        if name.lower() in _OF_SERVER:
            raise ValueError(f"the header {name} is said by the server, and by nobody else")


def problem_of(
    status: int,
    name: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Answered:
    """Return an answer that says what is wrong (RFC 9457).

    Args:
        status: of the answer.
        name: of the kind of problem; ``about:blank`` where the status says it.
        detail: what is wrong here.
        headers: of the answer.
        more: members of the document.
    """
    kind = name if name == "about:blank" else f"{_TYPES}{name}"
    title = _phrase(status) if name == "about:blank" else name.replace("-", " ")
    document = {"type": kind, "title": title, "status": int(status), "detail": detail, **more}
    return Answered.of(status, document, {"Content-Type": PROBLEM, **(headers or {})})


def _phrase(status: int) -> str:
    """Return the name of a status; hosts may answer with one that has none."""
    return next((known.phrase for known in HTTPStatus if known == status), "refused")


def _float(text: str) -> float:
    value = float(text)
    return value if isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")
