"""What the `[auth]` section of a profile may say, and what may be sent of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from journal.errors import ProfileError
from journal.remotes import Profile
from journal.remotes.auth import Auth, checked_header, checked_token, form

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://a.example"


@pytest.mark.parametrize(
    ("auth", "key", "problem"),
    [
        (
            {"bearer": "t0ken"},
            "auth.bearer",
            "must not hold a secret: name the environment variable of it, as {env:NAME}",
        ),
        (
            {"bearer": "{env:TOKEN}{env}"},
            "auth.bearer",
            "must name an environment variable as {env:NAME}, in letters, digits and _",
        ),
        (
            {"basic": {"user": "{env:1ST}", "password": "{env:P}"}},
            "auth.basic.user",
            "must name an environment variable as {env:NAME}, in letters, digits and _",
        ),
        (
            {"bearer": "{e{env:X}nv"},
            "auth.bearer",
            "must name an environment variable as {env:NAME}, in letters, digits and _",
        ),
        ({"headers": {"Host": "{env:H}"}}, "auth.headers", "Host is no credential"),
        ({"headers": {"If-Match": "{env:H}"}}, "auth.headers", "If-Match is no credential"),
    ],
)
def test_what_is_refused(auth: dict[str, Any], key: str, problem: str) -> None:
    """A secret is named, and never said; a header of ours is none."""
    with pytest.raises(ProfileError) as caught:
        Profile.of({"url": URL, "auth": auth})

    assert caught.value.key == key
    assert caught.value.problem == f"profile key {key}: {problem}"


@pytest.mark.parametrize(
    ("auth", "ways"),
    [
        ({}, []),
        ({"basic": {"user": "ann", "password": "{env:P}"}}, ["basic"]),
        ({"bearer": "Token {env:A}-{env:B}"}, ["bearer"]),
        ({"headers": {"X-Key": "{env:K}"}, "query": {"k": "{env:K}"}}, []),
    ],
)
def test_what_is_said(auth: dict[str, Any], ways: list[str]) -> None:
    """One way at most, with any text around what is secret."""
    assert Auth.model_validate(auth).ways == ways


@pytest.mark.parametrize(
    ("check", "text", "problem"),
    [
        *[
            (
                checked_header,
                text,
                (
                    "no header can carry what is there: it is empty, or has spaces at its ends, "
                    "line breaks, or characters beyond ASCII"
                ),
            )
            for text in ("", " a", "a ", "a\n", "a\rb", "ü", "a\0")
        ],
        *[
            (
                checked_token,
                text,
                "what is there is no token: it has spaces, line breaks, or characters beyond ASCII",
            )
            for text in ("", "a b", "a\n", "ü", "a\t")
        ],
    ],
)
def test_what_cannot_be_sent(check: Callable[[str, str], str], text: str, problem: str) -> None:
    """A secret that no header can carry is told by its key, with what to do, and not shown."""
    with pytest.raises(ProfileError) as caught:
        check("auth.bearer", text)

    assert caught.value.key == "auth.bearer"
    assert caught.value.problem == f"profile key auth.bearer: {problem}"
    assert caught.value.hint == "set it without a line break at its end"


def test_what_can_be_sent() -> None:
    """A header may have spaces within, a token has none."""
    assert checked_header("k", "ApiKey a-b") == "ApiKey a-b"
    assert checked_token("k", "a.b-c") == "a.b-c"


def test_a_form() -> None:
    """Every sign that means something is escaped, and what is not there is left out."""
    assert form({"a/b": "c/d", "x": None, "e&f": "g=h X", "i": ""}) == (
        b"a%2Fb=c%2Fd&e%26f=g%3Dh%20X&i="
    )
    assert form({"X": "X"}) == b"X=X"
