"""Where services are: which addresses are safe to send a secret to; pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_secure(url: str) -> bool:
    """Say whether nobody on the way can read what is sent there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def is_within(host: str, hosts: Iterable[str]) -> bool:
    """Say whether a host is one of these, or below one of them."""
    return any(host == each or host.endswith(f".{each}") for each in hosts)


def moved(url: str, origin: str) -> str:
    """Return the URL at another origin."""
    there, here = urlsplit(origin), urlsplit(url)
    return here._replace(scheme=there.scheme, netloc=there.netloc).geturl()


def followed(instance: str, hosts: Iterable[str]) -> str | None:
    """Return the origin of an instance that a token is for; None where it is not to be followed.

    Args:
        instance: the URL, as the token endpoint says it.
        hosts: to which it may lead, with all below them.
    """
    try:
        parts = urlsplit(checked_token_url(instance))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{port}" if is_within(host, hosts) else None


def checked_token_url(url: str) -> str:
    """Return the URL that access tokens come from.

    Raises:
        ValueError: it is none, is not secure, or holds what does not belong there.
    """
    if not (url.isascii() and url.isprintable()) or {" ", "\\"} & set(url):
        message = "must be printable ASCII without spaces and backslashes"
        raise ValueError(message)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        message = "must be an http or https URL"
        raise ValueError(message)
    if "@" in parts.netloc or "#" in url:
        message = "must not hold credentials or a fragment"
        raise ValueError(message)
    if not is_secure(url):
        message = "must be https: plain http would send the secret readable by all"
        raise ValueError(message)
    return url
