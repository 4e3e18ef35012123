"""Constraints: what a single value of a profile must be; pure."""

from __future__ import annotations

import re
from typing import Final, NoReturn
from urllib.parse import urlsplit

from journal.remotes import times
from journal.remotes.paths import check_path
from journal.remotes.pointers import steps_of
from journal.remotes.selection import Source, check_selector
from journal.remotes.templates import json_of

_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "host"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that the library sets itself, or that would change what a request is."""
_CONDITIONS: Final = frozenset({"if-match", "if-none-match"})
_SECRETS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def checked_url(url: str) -> str:
    """Return the URL of a service without a slash at its end.

    Raises:
        ValueError: it is none, or holds what does not belong there.
    """
    if not (url.isascii() and url.isprintable()) or {" ", "\\"} & set(url):
        _refuse("must be printable ASCII without spaces and backslashes")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        _refuse("must be an http or https URL")
    if "@" in parts.netloc or "?" in url or "#" in url:
        _refuse("must not hold credentials, a query or a fragment; use [auth] for credentials")
    try:
        parts.hostname.encode("idna")
    except UnicodeError as error:
        message = "must name a host whose parts have 1 to 63 characters each"
        raise ValueError(message) from error
    if parts.port == 0:
        _refuse("must not name the port 0")
    return url.rstrip("/")


def checked_path(path: str) -> str:
    """Return the path, if it is one.

    Raises:
        ValueError: it is not.
    """
    check_path(path)
    return path


def checked_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers of a request, if a profile may set them.

    Raises:
        ValueError: it is not.
    """
    for name in headers:
        if name.lower() in _SECRETS:
            _refuse(f"{name} is a credential: say in [auth] where it is, and not what it is")
        if name.lower() in _OURS:
            _refuse(f"{name} is set by the library")
    return headers


def checked_common(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers of all requests, if a profile may set them.

    Raises:
        ValueError: it is not.
    """
    for name in headers:
        if name.lower() in _CONDITIONS:
            _refuse(f"{name} is set by the library; see version.condition and create.only_new")
    return checked_headers(headers)


def checked_json(source: str) -> str:
    """Return the template, if it is JSON.

    Raises:
        ValueError: it is not.
    """
    json_of(source)
    return source


def checked_unset(source: str) -> str:
    """Return how a field is unset, if it is a way.

    Raises:
        ValueError: it is not.
    """
    return source if source in {"null", "omit"} else checked_json(source)


def checked_pattern(pattern: str) -> str:
    """Return the pattern, if it is one.

    Raises:
        ValueError: it is not.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"is no regular expression: {error}"
        raise ValueError(message) from None
    return pattern


def checked_version(source: object) -> object:
    """Return where the version stands, if that is a place or a table of places.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(source, dict):
        return check_selector(source)
    if not source:
        _refuse("must name its parts, as { seq = '/_seq_no' } does")
    return {name: check_selector(part) for name, part in source.items()}


def checked_place(source: object) -> Source:
    """Return the place of a record, if it is one.

    Raises:
        ValueError: it is not.
    """
    return check_selector(source, is_pointer=True)


def checked_pointer(source: str) -> str:
    """Return the pointer, if it is one.

    Raises:
        ValueError: it is not.
    """
    steps_of(source)
    return source


def checked_pointer_of_type(source: str) -> str:
    """Return the pointer, in which the words of a type may stand, if it is one.

    Raises:
        ValueError: it is not.
    """
    check_selector(checked_pointer(source))
    return source


def checked_time_form(form: str) -> str:
    """Return the form of a time, if it is one.

    Raises:
        ValueError: it is not.
    """
    if form not in times.UNITS and "%" not in form:
        _refuse("must be seconds, milliseconds, or a form such as %Y-%m-%d %H:%M")
    return form


def as_condition(value: object) -> object:
    """Return a place alone as the condition that what stands there is true."""
    return {"at": value} if isinstance(value, (str, list)) else value


def as_tuple(value: object) -> object:
    """Return a list as a tuple, which cannot change."""
    return tuple(value) if isinstance(value, list) else value


def several(value: object) -> object:
    """Return one number as several."""
    return (value,) if isinstance(value, int) else as_tuple(value)
