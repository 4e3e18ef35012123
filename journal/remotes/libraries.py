"""Which library a client is of: httpx, or a fork of it, whose classes are unrelated.

They are told apart by the module that a client's class is from, and their errors are taken from
that module by name: an `isinstance` would take the error of a fork for none at all.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.errors import RemoteError

if TYPE_CHECKING:
    from types import ModuleType

_NOT_SENT: Final = (
    "ConnectError",
    "ConnectTimeout",
    "InvalidURL",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
)
"""Errors after which a request has certainly not reached the remote."""
_MISCONFIGURED: Final = ("InvalidURL", "UnsupportedProtocol")
_ALL: Final = ("HTTPError", "InvalidURL", "StreamError")
_MARKS: Final = ("Request", "Timeout", "URL", *_ALL)


class Library(NamedTuple):
    """An HTTP library, and what its errors mean."""

    module: Any
    errors: tuple[type[Exception], ...]
    """All that can go wrong with an exchange."""
    not_sent: tuple[type[Exception], ...]
    misconfigured: tuple[type[Exception], ...]
    timeouts: tuple[type[Exception], ...]
    silent: tuple[type[Exception], ...]
    """Errors whose text quotes what was sent."""

    @classmethod
    def of(cls, module: ModuleType) -> Library:
        """Return a library by its module."""

        def named(names: tuple[str, ...]) -> tuple[type[Exception], ...]:
            return tuple(getattr(module, name) for name in names)

        # The name of a host is encoded when it is looked up.
        not_sent = (*named(_NOT_SENT), UnicodeError)
        return cls(
            module,
            (*not_sent, *named(_ALL), zlib.error),
            not_sent,
            (*named(_MISCONFIGURED), UnicodeError),
            named(("TimeoutException",)),
            named(("LocalProtocolError",)),
        )


def library_of(client: object) -> Library:
    """Return the library that a client is of.

    Raises:
        RemoteError: it is of none that works like httpx.
    """
    for kind in type(client).__mro__:
        module = sys.modules.get(kind.__module__.partition(".")[0])
        if module is not None and all(hasattr(module, mark) for mark in _MARKS):
            return Library.of(module)
    raise RemoteError(
        f"a {type(client).__name__} is no client of httpx, nor of a fork of it",
        hint="hand over an httpx.Client, or an httpx.AsyncClient to an AsyncSubscriber",
    )
