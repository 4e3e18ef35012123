"""What a receiver is asked, and what it answers, as values; pure.

It knows nothing of ASGI, and nothing of databases.
"""

from __future__ import annotations

import json
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from journal.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
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
            return json.loads(self.body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise DeclinedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error


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
            status: from 400 on.
            problem: what is wrong, for people.
            errors: what is wrong with which field: (field, message).
            headers: of the answer.
        """
        super().__init__(problem)
        self.status = status
        listed = [{"field": field, "message": message} for field, message in errors]
        more = {"errors": listed} if listed else {}
        self.answer = problem_of(status, "about:blank", problem, headers, **more)


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


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")
