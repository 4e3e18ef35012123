"""What the headers of a request say of its draft; pure.

- H1. What is said is said once, is bounded, and is what it should be; otherwise it is refused.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import quote, unquote

from journal.receiver.messages import DeclinedError, Received, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY: Final = "Idempotency-Key"
JOURNAL: Final = "Draft-Journal"
NUMBER: Final = "Draft-Number"
PREVIOUS: Final = "Draft-Previous"
_BARE: Final = re.compile(r"[!#-\[\]-~]{1,255}")
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"')
"""A string of a structured field (RFC 8941), as the draft of the header wants it."""
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_SEPARATE: Final = b", "


def received_of(
    scope: Mapping[str, Any], body: bytes, caller: str, *, needs_number: bool
) -> Received:
    """Return a request as it was received.

    Args:
        scope: of ASGI.
        body: the whole of it.
        caller: who asks.
        needs_number: whether a draft without a journal and a number is refused.

    Raises:
        DeclinedError: its headers do not say what they must (H1).
    """
    headers = _headers(scope)
    key = _text(headers, KEY)
    if key is None:
        _refuse("idempotency-key-missing", f"the header {KEY} is missing: a key for each draft")
    journal, number = _text(headers, JOURNAL), _number(headers, NUMBER)
    previous = _number(headers, PREVIOUS)
    if (journal is None) != (number is None) or (number is None and previous is not None):
        _refuse("sequence-incomplete", f"{JOURNAL} and {NUMBER} go together")
    if journal is None and needs_number:
        _refuse("sequence-missing", f"the headers {JOURNAL} and {NUMBER} are missing")
    if number is not None and number <= (previous or 0):
        _refuse("sequence-malformed", f"{NUMBER} must be more than {PREVIOUS}, and than 0")
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    path = _below(scope.get("root_path") or "", path.partition("?")[0])
    query = scope.get("query_string", b"").decode("latin-1")
    asked = (scope["method"].upper(), path, query, headers, body)
    return Received(*asked, key, caller, journal, number or 0, previous or 0)


def _below(root: str, path: str) -> str:
    """Return what is left of a path below a root, in whichever way the root is quoted there."""
    parts, root = path.split("/"), root.rstrip("/")
    depth = root.count("/") + 1
    is_below = unquote("/".join(parts[:depth])) == root
    return "".join(f"/{part}" for part in parts[depth:]) if is_below else path


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    found: dict[bytes, bytes] = {}
    for written, value in scope["headers"]:
        name = written.lower()
        known = found.get(name)
        found[name] = value if known is None else known + _SEPARATE + value
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in found.items()}


def _text(headers: Mapping[str, str], name: str) -> str | None:
    """Return what a header says, without the quotes that it may have."""
    said = headers.get(name.lower())
    if said is None:
        return None
    if quoted := _QUOTED.fullmatch(said):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if not _BARE.fullmatch(said):
        _refuse("header-malformed", f"{name} must be a text of 1 to 255 characters")
    return said


def _number(headers: Mapping[str, str], name: str) -> int | None:
    said = headers.get(name.lower())
    if said is None:
        return None
    if not _DIGITS.fullmatch(said):
        _refuse("header-malformed", f"{name} must be a whole number with up to 18 digits")
    return int(said)


def _refuse(name: str, detail: str) -> NoReturn:
    error = DeclinedError(HTTPStatus.BAD_REQUEST, detail)
    error.answer = problem_of(HTTPStatus.BAD_REQUEST, name, detail)
    raise error
