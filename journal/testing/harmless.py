"""Which unbroken texts are known to be harmless by their form; any other may be a secret; pure.

- H1. What is shorter than `LEAST` is not looked at: it may be a word, and has its name to tell.
- H2. Known are words, numbers, both with signs between them, times, and the ids of records (UUID,
  ULID, and those of Salesforce by their check letters).
- H3. What is not known is masked by its fingerprint: it tells two texts apart, and nothing else.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["LEAST", "MASKED", "Harmless", "fingerprint", "texts_of"]

LEAST: Final = 16
"""From how many characters on an unbroken text is looked at."""
MASKED: Final = re.compile(r"masked-[0-9a-f]{6}")
_RUN: Final = re.compile(
    r"\\(?:u[0-9a-fA-F]{4}|.)"  # an escape of JSON
    r"|://[^\s/?#\"'<>]*"  # the host of a URL
    rf"|[\w~+/.!%-]{{{LEAST},}}={{0,2}}",
    re.ASCII | re.DOTALL,
)
_PART: Final = re.compile(r"[A-Za-z0-9]+")
_PLAIN: Final = re.compile(r"[A-Za-z]*[0-9]*|[0-9]+[A-Za-z]+")
_CAPITAL: Final = re.compile(r"(?<=[a-z])[A-Z]")
_LETTERS_A_WORD: Final = 5
_KNOWN: Final = re.compile(
    r"\d{4}-?\d\d-?\d\dT\d+(?:\.\d+)?(?:Z|[+-]\d{2,4})?"  # a time
    r"|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|01[0-9A-HJKMNP-TV-Z]{24}"  # a ULID of our days
    rf"|{MASKED.pattern}"
)
_OF_AN_ORG: Final = re.compile(r"[0-9A-Za-z]{15}[A-Z0-5]{3}")
_CHECKS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class Harmless:
    """What is known to be harmless: by its form, or because somebody has said so."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Begin with what was said.

        Args:
            patterns: regular expressions; what one of them fits as a whole is harmless.

        Raises:
            ValueError: one is none.
        """
        self._said = [_compiled(pattern) for pattern in patterns]

    def is_said(self, text: str) -> bool:
        """Say whether somebody has said that a text, or a name, is harmless."""
        return any(pattern.fullmatch(text) for pattern in self._said)

    def is_known(self, text: str) -> bool:
        """Say whether an unbroken text, in which no `/` is, is known to be harmless (H2)."""
        return (
            all(map(_is_plain, _PART.findall(text)))
            or _KNOWN.fullmatch(text) is not None
            or _is_of_an_org(text)
            or self.is_said(text)
        )

    def without(self, text: str) -> tuple[str, dict[str, str]]:
        """Return a text without what is not known in it, and by its mask what was masked (H3)."""
        masked: dict[str, str] = {}

        def hidden(unknown: str) -> str:
            mask = fingerprint(unknown)
            masked[mask] = unknown
            return mask

        return _RUN.sub(lambda found: self._hidden(found[0], hidden), text), masked

    def _hidden(self, run: str, hidden: Callable[[str], str]) -> str:
        if run[0] in "\\:" or self.is_said(run):
            return run
        steps = run.split("/")
        if not steps[0]:  # an address: what is known in it stays
            return "/".join(
                step if len(step) < LEAST or self.is_known(step) else hidden(step) for step in steps
            )
        for at, step in enumerate(steps):
            if not self.is_known(step):
                rest = "/".join(steps[at:])
                kept = "".join(f"{each}/" for each in steps[:at])
                return run if len(rest) < LEAST else kept + hidden(rest)
        return run


def fingerprint(text: str) -> str:
    """Return what stands for a text."""
    return f"masked-{sha256(text.encode()).hexdigest()[:6]}"


def texts_of(argument: str, texts: Iterable[str]) -> list[str]:
    """Return the texts that an argument of that name is.

    Raises:
        TypeError: it is one text, of which each letter would be taken, or has something else in it.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(f"{argument} is a list of texts, and was handed one text; write [text]")
    found = list(texts)
    for text in found:
        if not isinstance(text, str):
            raise TypeError(
                f"{argument} has {type(text).__name__} in it, and takes texts; is one not set?"
            )
    return found


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"harmless has {pattern!r} in it, which is no pattern: {error}") from error


def _is_plain(part: str) -> bool:
    """Say whether letters and digits are a word, a number, or one after the other."""
    capitals = len(_CAPITAL.findall(part))
    return _PLAIN.fullmatch(part) is not None and capitals <= max(1, len(part) // _LETTERS_A_WORD)


def _is_of_an_org(text: str) -> bool:
    """Say whether the last three of 18 characters say which of the others are capitals."""
    if not _OF_AN_ORG.fullmatch(text):
        return False
    fives = (text[at : at + 5] for at in (0, 5, 10))
    bits = (sum(each.isupper() << at for at, each in enumerate(five)) for five in fives)
    return text[15:] == "".join(_CHECKS[each] for each in bits)
