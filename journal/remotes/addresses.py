"""Where services are: which addresses are safe to send a secret to; pure."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


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
