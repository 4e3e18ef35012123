"""One exchange with a remote: what goes out, and what becomes of it; it does no I/O.

The blocking and the async wire do what is decided here. It knows no library: the classes of the
one that is in use are handed to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from journal.errors import RemoteError
from journal.remotes.intake import Intake
from journal.remotes.remote import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.remotes.credentials import Credentials
    from journal.remotes.libraries import Library
    from journal.remotes.remote import Answer, Cause, Remote, Request
    from journal.remotes.watchdog import Link

CONNECT_S: Final = 10.0
"""The longest wait for a connection to one address, so that the next one is tried too."""
MAX_URL: Final = 65_536
"""The longest address, in characters, that a client sends."""
_HEADER_TEXT: Final = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_MAX_PROBLEM: Final = 300
_READS: Final = frozenset({"GET", "HEAD"})
_OURS: Final = {"Accept-Encoding": "identity", "User-Agent": "draft-journal"}


class Limits(NamedTuple):
    """How long an exchange may take, and how much it may take in."""

    timeout_s: float = 30.0
    """The deadline, in seconds."""
    max_bytes: int = 16_777_216
    """The largest answer, in bytes."""

    @classmethod
    def of(cls, remote: Remote) -> Limits:
        """Return what the profile of a remote says of them, where it has one."""
        profile = getattr(remote, "profile", None)
        return cls() if profile is None else cls(profile.timeout_s, profile.max_bytes)


class Sent(NamedTuple):
    """A request as it goes out, with all that the credentials add to it."""

    method: str
    url: str
    headers: list[tuple[bytes, bytes]]
    body: bytes | None
    masked: Callable[[str], str]
    """Returns a text without the secrets that are in use."""


class Exchange:
    """What becomes of one request: all that is decided about it, and nothing that is done."""

    def __init__(
        self,
        library: Library,
        limits: Limits,
        sent: Sent,
        link: Link,
        trace: Callable[..., Any],
    ) -> None:
        """Begin with a request that is on its way by that link."""
        self.library = library
        self.answer: Answer | None = None
        self._limits = limits
        self._sent = sent
        self._link = link
        self._trace = trace
        self._intake: Intake | None = None
        self._url: Any = None

    @property
    def url(self) -> Any:  # noqa: ANN401  of either library
        """Where it goes, as the library has it."""
        if self._url is None:
            self._url = self.library.module.URL(self._sent.url)
        return self._url

    def built(self) -> Any:  # noqa: ANN401  of either library
        """Return the request as the library has it."""
        seconds = self._limits.timeout_s
        connect_s = min(seconds, CONNECT_S)
        timeout = {"connect": connect_s, "read": seconds, "write": seconds, "pool": seconds}
        return self.library.module.Request(
            self._sent.method,
            self.url,
            headers=self._sent.headers,
            content=self._sent.body,
            extensions={"timeout": timeout, "trace": self._trace},
        )

    def begin(self, response: Any) -> bool:  # noqa: ANN401  of either library
        """Take in the head of an answer; say whether its body is still to come."""
        connection = response.extensions.get("network_stream")
        if connection is not None:
            self._link.use(connection)
        self._intake = Intake(self._limits.max_bytes, response.status_code, response.headers.raw)
        if response.is_stream_consumed:  # of a transport that comes with its content, as in a test
            self._intake.take(response.content)
            return False
        return True

    def take(self, chunk: bytes) -> bool:
        """Take in a chunk; say whether more may come."""
        return self._intake is not None and self._intake.take(chunk)

    def end(self) -> None:
        """Settle the exchange by what was taken in."""
        if self._intake is not None:
            self.answer = self._intake.answer()

    def fail(self, error: Exception) -> None:
        """Settle the exchange by what went wrong, or let it be tried again (W5).

        A connection that has failed is kept no longer, so a new one is made in the end.
        """
        link = self._link
        is_lost = self._intake is None and not isinstance(error, self.library.timeouts)
        is_safe = self._sent.method in _READS or link.is_unsent
        if is_lost and is_safe and link.is_reused and not link.has_bitten:
            link.again()
            return
        is_unsent = isinstance(error, self.library.not_sent)
        if isinstance(error, self.library.timeouts) and not is_unsent:
            self.answer = self.slow()  # the timeouts of a read and of a write are the deadline
            return
        was_sent = not (is_unsent or link.is_unsent)
        self.answer = NoAnswer(was_sent, self._said(error), self._cause(error))

    def slow(self) -> NoAnswer:
        """Return what is known of an exchange that was not over at its deadline."""
        problem = f"no whole answer within {self._limits.timeout_s:g} s"
        return NoAnswer(not self._link.is_unsent, problem)

    def _cause(self, error: Exception) -> Cause:
        is_insecure = self._link.has_failed_tls and not isinstance(error, self.library.timeouts)
        is_mine = is_insecure or isinstance(error, self.library.misconfigured)
        return "configuration" if is_mine else "link"

    def _said(self, error: Exception) -> str:
        """Return what went wrong, in words that quote no header, and hold no secret (W3)."""
        is_silent = isinstance(error, self.library.silent)
        said = "" if is_silent else self._sent.masked(f": {error}").rstrip(": ")
        what = type(error).__name__
        if self._link.has_failed_tls:
            what = f"the connection could not be made secure: {what}"
        return f"{what}{said}"[:_MAX_PROBLEM]


def credentials_of(remote: Remote) -> Credentials | None:
    """Return the credentials of a remote, if it has any."""
    return getattr(remote, "credentials", None)


def sent_as(remote: Remote, request: Request) -> Sent:
    """Return the request as it goes out, to the one place that it is for (W1).

    Raises:
        RemoteError: it leads away from the remote, or cannot be sent.
    """
    credentials = credentials_of(remote)
    masked = str if credentials is None else credentials.secrets.masked
    if request.to == "token":
        if credentials is None:
            raise RemoteError("a token was asked for, and the remote has no credentials")
        asked = credentials.token_request()
        headers = _headers(asked.headers)
        return Sent(request.method, asked.url, headers, asked.body, masked)
    url = _url(remote, request, {} if credentials is None else credentials.query())
    headers = _headers({**remote.headers(), **request.headers})
    return Sent(request.method, url, headers, request.body, masked)


def _url(remote: Remote, request: Request, query: dict[str, str]) -> str:
    """Return where a request goes: below the remote's URL, and nowhere else (W1)."""
    path = request.path
    steps = path.partition("?")[0].split("/")
    if not path.startswith("/") or path.startswith("//") or {".", ".."} & set(steps):
        raise RemoteError(
            f"the path {path!r} leads away from the remote", hint="quote every segment of it"
        )
    if not (path.isascii() and path.isprintable()) or {" ", "\\", "#"} & set(path):
        raise RemoteError(f"the path {path!r} is not quoted", hint="quote every segment of it")
    added = "&".join(f"{quote(n, safe='')}={quote(t, safe='')}" for n, t in query.items())
    joint = "" if not added else "&" if "?" in path else "?"
    credentials = credentials_of(remote)
    base = remote.url if credentials is None else credentials.located(remote.url)
    url = f"{base}{path}{joint}{added}"
    if len(url) > MAX_URL:
        raise RemoteError(f"a request has an address of {len(url)} characters, which is too long")
    return url


def _headers(named: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return all headers, byte for byte as they came; of two with one name, the later.

    Raises:
        RemoteError: a header holds what no header can carry.
    """
    headers: dict[str, tuple[bytes, bytes]] = {}
    for name, text in (*_OURS.items(), *named.items()):
        if not _HEADER_TEXT.fullmatch(text):
            raise RemoteError(f"what is to go into the header {name} cannot be sent in one")
        headers[name.lower()] = (name.encode("latin-1"), text.encode("latin-1"))
    return list(headers.values())
