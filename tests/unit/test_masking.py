"""Texts and outcomes without the secrets that are in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from journal.events import FieldMessage
from journal.outcomes import (
    MAX_MESSAGE,
    Acknowledged,
    NotSent,
    Refused,
    Seen,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.remotes.masking import Secrets

if TYPE_CHECKING:
    from journal.outcomes import Outcome

CANARY = "s3cr3t/ü+1"


def knowing(*secrets: str) -> Secrets:
    """Return these secrets."""
    known = Secrets()
    known.add(secrets)
    return known


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        (CANARY, f"a {CANARY} b", "a [secret] b"),
        ("a/b c", "x=a%2Fb%20c", "x=[secret]"),
        ("a/b c", "x=a%2fb%20c", "x=[secret]"),
        ("a/b c", "/a/b%20c/", "/[secret]/"),
        ("a/b c", "x=a%2Fb+c", "x=[secret]"),
        ('a"bc', '{"x": "a\\"bc"}', '{"x": "[secret]"}'),
        ('"abcd"', '\\"abcd\\"', "[secret]"),
        ("a/bcd", '{"x": "a\\/bcd"}', '{"x": "[secret]"}'),
        ("über", '"\\u00fcber"', '"[secret]"'),
        ("ab/0/cd", "the field ab.cd", "the field [secret]"),
        ("abcd", "xabcdx", "x[secret]x"),
        ("abc", "abc", "abc"),
        ("a/b", "a/b", "a/b"),
    ],
)
def test_a_secret_is_found_in_any_form(secret: str, text: str, masked: str) -> None:
    """As it is, and as it stands in addresses, in JSON and in paths of fields (K1)."""
    assert knowing(secret).masked(text) == masked


def test_the_longest_is_found_first() -> None:
    """A secret that holds another is hidden whole."""
    assert knowing("abcd", "abcdefgh", "xxabcd").masked("abcdefgh xxabcd abcd") == (
        "[secret] [secret] [secret]"
    )
    assert knowing("a/bcd", "zz/a/bcd").masked("zz/a/bcd") == "[secret]"


def test_what_is_known_is_not_forgotten_by_being_told_again() -> None:
    """Only secrets that are new take the place of the oldest."""
    known = knowing("first-secret", *(f"secret-{number}" for number in range(63)))

    known.add(["secret-1", "secret-2", "secret-3"])
    assert known.masked("first-secret") == "[secret]"
    known.add(["another-one"])
    assert known.masked("first-secret another-one") == "first-secret [secret]"
    assert repr(known) == "Secrets(64)"


NOTHING = Secrets()
REFUSED = Refused(
    "conflict",
    (FieldMessage(field=CANARY, message=CANARY, code=CANARY), FieldMessage(message="plain")),
    409,
    f"<{CANARY}>",
    Seen({"a": CANARY, "b": 1}, CANARY, '"7"'),
)
CLEARED = Refused(
    "conflict",
    (
        FieldMessage(field="[secret]", message="[secret]", code="[secret]"),
        FieldMessage(message="plain"),
    ),
    409,
    "<[secret]>",
    Seen({"a": "[secret]", "b": 1}, "[secret]", '"7"'),
)


@pytest.mark.parametrize(
    ("outcome", "cleared"),
    [
        (
            Acknowledged("answer", CANARY, CANARY, 200, CANARY, {CANARY: [CANARY]}, CANARY),
            Acknowledged(
                *("answer", "[secret]", None, 200, "[secret]"),
                *({"[secret]": ["[secret]"]}, "[secret]"),
            ),
        ),
        (
            Acknowledged("read", "id", '"7"', 200, "date", {"a": [1, None, "b"]}, "odd"),
            Acknowledged("read", "id", '"7"', 200, "date", {"a": [1, None, "b"]}, "odd"),
        ),
        (Acknowledged("answer"), Acknowledged("answer")),
        (REFUSED, CLEARED),
        (REFUSED._replace(seen=None), CLEARED._replace(seen=None)),
        (
            REFUSED._replace(seen=Seen(None, "id", CANARY)),
            CLEARED._replace(seen=Seen(None, "id", None)),
        ),
        (
            Unknown(f"lost {CANARY}", refusal=REFUSED),
            Unknown("lost [secret]", refusal=CLEARED),
        ),
        (Unknown(CANARY, is_offline=True), Unknown("[secret]", is_offline=True)),
        (NotSent(CANARY, is_misconfigured=True), NotSent("[secret]", is_misconfigured=True)),
        (Wait(CANARY, 3.0), Wait("[secret]", 3.0)),
        (Unauthorized(CANARY), Unauthorized("[secret]")),
    ],
)
def test_no_outcome_holds_a_secret(outcome: Outcome, cleared: Outcome) -> None:
    """In none of its parts, and a version with one in it is none (K1)."""
    assert knowing(CANARY).cleared(outcome) == cleared
    assert NOTHING.cleared(outcome) == outcome


@pytest.mark.parametrize("refusal", [None, REFUSED])
def test_a_problem_is_cut_after_it_was_searched(refusal: Refused | None) -> None:
    """Half a secret is found by nobody (K2)."""
    long = Unknown("x" * (MAX_MESSAGE - 5) + CANARY, refusal=refusal)

    cleared = knowing(CANARY).cleared(long)

    assert isinstance(cleared, Unknown)
    assert cleared.problem == "x" * (MAX_MESSAGE - 5) + "[secr"


@pytest.mark.parametrize("word", ["password", "Schlüssel"])
def test_a_word_of_the_journal_is_no_secret(word: str) -> None:
    """What is in the journal already is left where the remote shows it, and only that."""
    known: Any = {"title": f"my {word}"}
    fields = {"title": f"a {word}", "other": CANARY}
    clear = {"title": f"a {word}", "other": "[secret]"}
    secrets = knowing(word, CANARY)

    assert secrets.cleared(Acknowledged("answer", fields=fields), known) == Acknowledged(
        "answer", fields=clear
    )
    refused = Refused("conflict", seen=Seen(fields))
    assert secrets.cleared(refused, known) == Refused("conflict", seen=Seen(clear))
    assert secrets.cleared(Unknown("lost", refusal=refused), known) == Unknown(
        "lost", refusal=Refused("conflict", seen=Seen(clear))
    )
    assert secrets.cleared(refused) == Refused(
        "conflict", seen=Seen({"title": "a [secret]", "other": "[secret]"})
    )


def test_what_is_no_json_is_known_by_its_text() -> None:
    """Whatever is handed in as known is searched as text."""
    fields = {"a": "(1, 'word')"}

    assert knowing("word").cleared(Acknowledged("read", fields=fields), {"x": {("word",)}}) == (
        Acknowledged("read", fields=fields)
    )
