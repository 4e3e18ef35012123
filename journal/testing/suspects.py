"""What is called like a secret, and what has the form of one, in whatever it stands."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = [
    "FORMS",
    "IN_PATH",
    "IN_TEXTS",
    "LETS_IN",
    "NAME",
    "PAIRS",
    "inner_name",
    "is_code",
    "is_pair",
    "is_secret",
]

_WORDS: Final = (
    r"(?:access|account|shared)[_-]?key|access[_-]?token|api[_-]?key|assertion|authorization|bearer|code_verifier"
    r"|cookie|credential|csrf|jwt|pass(?:code|phrase|word|wd)|private[_-]?key|pwd|refresh[_-]?token"
    r"|secret(?!ar)|session[_-]?(?:id|key|token)|signature|xsrf"
    r"|mnemonic|one[_-]?time[_-]?(?:code|key|pass|pin)|pin[_-]?code|seed[_-]?phrase"
    r"|(?:activation|auth|backup|confirmation|invitation|invite|login|mfa|recovery|reset|security"
    r"|sms|verification)[ _-]?(?:answer|code|key|phrase)"
)
_SHORT: Final = (
    r"(?:(?<![A-Za-z])|(?-i:(?<=[a-z])(?=[A-Z])))(?:auth|cv[cv]2?|mfa|2fa|[ht]?otp|pin|puk|pw)s?"
    r"(?:(?![A-Za-z])|(?-i:(?=[A-Z][a-z])))"
)
"""What is one only as a word of its own: no shipping, and no author."""
_NAMES: Final = re.compile(rf"{_WORDS}|{_SHORT}|tokens?$", re.IGNORECASE)
_IN_QUERY: Final = re.compile(r"auth|code|key|pass|pin|sid|sig", re.IGNORECASE)
"""What is a secret in a query or a form, and hardly ever in JSON."""
_IN_HEADER: Final = re.compile(r"(?:^|[-_])(?:auth|key|sid|sig|token)(?:[-_]|$)", re.IGNORECASE)
"""What lets in as a header, whoever has made up its name."""
LETS_IN: Final = re.compile(
    r"(access|id|refresh)[_-]?token|api[_-]?key|client[_-]?secret|pass(phrase|word|wd)",
    re.IGNORECASE,
)
IN_PATH: Final = re.compile(
    r"activat|confirm|invit|log-?in|magic|recover|reset|session|sign-?in|unlock|unsubscri|verif",
    re.IGNORECASE,
)
"""After which a long step of a path, or a code of a few digits, lets in: also one like an id."""
_CODE: Final = re.compile(r"[0-9]{4,8}")
_REST: Final = r"[\w.-]{0,80}"
"""Of a name; it has a bound, so that a long text without a name in it is searched once."""
_CONTENT: Final = r"(?:<!\[CDATA\[.*?\]\]>|[^<])+"
_NAME: Final = rf"(?:{_WORDS}|{_SHORT}|token){_REST}"
FORMS: Final = re.compile(
    r"eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"  # a JSON web token
    r"|(?:Bearer|Basic|Token) [\w.~+/=!-]{8,}"
    r"|00D\w{12,15}![\w.]{8,}"  # a session of Salesforce
    r"|gh[opsur]_\w{20,}|AKIA\w{16}|xox[abp]-[\w-]{10,}|sk_live_\w{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<=://)[^\s/?#@\"'<>]+(?=@)",  # who logs in, in a URL
    re.DOTALL,
)
PAIRS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"({_NAME}=|(?<=[?&#])(?:{_IN_QUERY.pattern})=)([^\s\"'<>&;,#]+)",
        rf"({_NAME}[\s:]{{1,2}}(?:is )?)((?=[^\s\"'<>]{{0,80}}[0-9])[^\s\"'<>&;,#]{{4,}})",
        rf"({_NAME}[\"']?\s?:\s?\\?[\"'])([^\"'\\]+)",
        r"(\bcode is )([0-9]{4,8})\b",
        r"(\bcode: )([0-9]{6})\b",
    )
)
"""In any text: what is equated to a name, and what is said of one, and has a digit."""
IN_TEXTS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"({_NAME}[\"']?\s*:\s*[\"']?)([^\s\"'<>&;,#]+)",
        rf"(<(?:{_REST}:)?{_REST}?{_NAME}(?:\s[^<>]{{0,999}})?>)({_CONTENT})(?=</)",
        rf"(<name>\s*{_NAME}\s*</name>\s*<value>)(.*?)(?=</value>)",
        rf"(<(?:{_REST}:)?{_NAME}\s(?:[^<>]{{0,200}}?\s)?value=[\"'])([^\"'<>]+)",
        rf"({_NAME}\s*=\s*\"|{_NAME}\s*=\s*')([^\"'<>]+)",
        rf"(name=[\"']?{_REST}?{_NAME}[\"']?[^<>]{{0,200}}?\bvalue=[\"']?)([^\"'>\s]+)",
        rf"(name=\"{_REST}?{_NAME}\"[^\r\n]*(?:\r\n[^\r\n]+)*\r\n\r\n)(.*?)(?=\r\n--)",
    )
)
"""Lines and JSON lines; elements; attributes; fields of a page; parts of a body."""


NAME: Final = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*")
"""What stands as a key within a secret, and is none."""
_LABELS: Final = frozenset({"field", "id", "key", "label", "name", "type"})
_LABELLED: Final = frozenset({"code", "content", "data", "text", "value"})
"""What a value is called that has its name beside it."""


def _is_labelled(document: dict[str, Any]) -> bool:
    """Say whether an object of JSON says itself that its value is a secret."""
    said = (value for key, value in document.items() if key.lower() in _LABELS)
    return any(isinstance(name, str) and is_secret(name, is_header=True) for name in said)


def is_secret(name: str, *, is_query: bool = False, is_header: bool = False) -> bool:
    """Say whether what has that name is a secret."""
    return (
        _NAMES.search(name) is not None
        or (is_query and _IN_QUERY.fullmatch(name) is not None)
        or (is_header and _IN_HEADER.search(name) is not None)
    )


def is_code(text: str) -> bool:
    """Say whether a text may be a one-time code."""
    return _CODE.fullmatch(text) is not None


def inner_name(value: dict[str, Any], name: str, key: str) -> str:
    """Return what a value is called that stands in an object, which may say itself what it is."""
    if key.lower() in _LABELLED and _is_labelled(value):
        return f"{key}.secret"
    return f"{key}.{name}" if is_secret(name) else key


def is_pair(label: str) -> bool:
    """Say whether the first of two texts is the name of the other, which is a secret."""
    return NAME.fullmatch(label) is not None and is_secret(label, is_header=True)
