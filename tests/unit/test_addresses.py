"""Where services are: which addresses are safe to send a secret to."""

from __future__ import annotations

import pytest

from journal.remotes.addresses import (
    checked_token_url,
    followed,
    is_loopback,
    is_secure,
    is_within,
    moved,
)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  any address, and not this machine's own
        ("localhost.example.com", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_this_machine(host: str, is_here: bool) -> None:  # noqa: FBT001
    """Only what never leaves the machine is the machine."""
    assert is_loopback(host) == is_here


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://example.com", True),
        ("http://example.com", False),
        ("http://localhost:8000/a", True),
        ("http://[::1]:8000", True),
        ("http://", False),
        ("ftp://example.com", False),
    ],
)
def test_what_nobody_on_the_way_can_read(url: str, is_safe: bool) -> None:  # noqa: FBT001
    """Sent encrypted, or not sent at all."""
    assert is_secure(url) == is_safe


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("example.com", True),
        ("a.b.example.com", True),
        ("evilexample.com", False),
        ("example.com.evil", False),
        ("example.org", True),
        ("com", False),
    ],
)
def test_hosts_with_all_below_them(host: str, is_one: bool) -> None:  # noqa: FBT001
    """A host is below another by whole names only."""
    assert is_within(host, ["example.com", "example.org"]) == is_one


def test_the_same_place_elsewhere() -> None:
    """Only the origin is another: the path and the query stay."""
    assert moved("https://a.example/p/q?x=1#f", "http://b.example:81/other?y") == (
        "http://b.example:81/p/q?x=1#f"
    )


@pytest.mark.parametrize(
    ("instance", "origin"),
    [
        ("https://na1.example.com", "https://na1.example.com"),
        ("https://na1.example.com:8443/services?x=1", "https://na1.example.com:8443"),
        ("https://NA1.Example.com", "https://na1.example.com"),
        ("http://localhost:8000/x", "http://localhost:8000"),
        ("http://na1.example.com", None),
        ("https://evil.test", None),
        ("https://na1.example.com@evil.test", None),
        ("https://na1.example.com:0", None),
        ("https://na1.example.com:99999", None),
        ("https://na1.example.com\\@evil.test", None),
        ("na1.example.com", None),
        ("", None),
    ],
)
def test_whom_a_token_may_move_us_to(instance: str, origin: str | None) -> None:
    """Only to hosts that were named before, and only safely."""
    assert followed(instance, ["example.com", "localhost"]) == origin


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://a.example/ü", "must be printable ASCII without spaces and backslashes"),
        ("https://a.example/\n", "must be printable ASCII without spaces and backslashes"),
        ("https://a.example/ x", "must be printable ASCII without spaces and backslashes"),
        ("https://a.example\\x", "must be printable ASCII without spaces and backslashes"),
        ("ftp://a.example", "must be an http or https URL"),
        ("https://", "must be an http or https URL"),
        ("https://a.example:0/", "must be an http or https URL"),
        ("https://ann@a.example", "must not hold credentials or a fragment"),
        ("https://a.example/#x", "must not hold credentials or a fragment"),
        ("http://a.example", "must be https: plain http would send the secret readable by all"),
    ],
)
def test_where_tokens_do_not_come_from(url: str, problem: str) -> None:
    """An address that is none, is not safe, or holds what does not belong there is refused."""
    with pytest.raises(ValueError, match=f"^{problem}$"):
        checked_token_url(url)


@pytest.mark.parametrize("url", ["https://a.example/token?x=1", "http://127.0.0.1:8000/token"])
def test_where_tokens_come_from(url: str) -> None:
    """A path and a query may be in it; on this machine it may be plain."""
    assert checked_token_url(url) == url
