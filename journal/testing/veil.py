"""What looks like a secret, and texts without it: what a cassette is written by.

- V1. What has the name of a secret is masked, whatever it is and wherever it stands: in a query,
  a form, JSON, XML, HTML, the parts of a body, or a line of text.
- V2. What has the form of a secret is masked: tokens, keys, and who logs in within a URL.
- V3. What was sent to be let in is known from there on, and masked in whatever it comes back in.
- V4. Played back, what a service has echoed of a request is what was sent: a sender compares it.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from journal.remotes.masking import MASK as KNOWN
from journal.remotes.masking import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Veil"]

MASK: Final = "***"
_LEAST: Final = 8
"""What is shorter is not looked for elsewhere: it may be a word."""
_WORDS: Final = (
    r"access[_-]?key|access[_-]?token|api[_-]?key|assertion|authorization|bearer|code_verifier"
    r"|cookie|credential|csrf|jwt|pass(?:code|phrase|word|wd)|private[_-]?key|pwd|refresh[_-]?token"
    r"|secret(?!ar)|session[_-]?(?:id|key|token)|signature|xsrf"
)
_NAMES: Final = re.compile(rf"{_WORDS}|tokens?$", re.IGNORECASE)
_IN_QUERY: Final = re.compile(r"auth|code|key|pin|sid|sig", re.IGNORECASE)
"""What is a secret in a query or a form, and hardly ever in JSON."""
_LETS_IN: Final = re.compile(
    r"(access|id|refresh)[_-]?token|api[_-]?key|client[_-]?secret|pass(phrase|word|wd)",
    re.IGNORECASE,
)
_IN_HEADER: Final = re.compile(r"(?:^|[-_])(?:auth|key|sid|sig|token)(?:[-_]|$)", re.IGNORECASE)
"""What lets in as a header, whoever has made up its name."""
_REST: Final = r"[\w.-]{0,80}"
"""Of a name; it has a bound, so that a long text without a name in it is searched once."""
_CONTENT: Final = r"(?:<!\[CDATA\[.*?\]\]>|[^<])+"
_NAME: Final = rf"(?:{_WORDS}|token){_REST}"
_FORMS: Final = re.compile(
    r"eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"  # a JSON web token
    r"|(?:Bearer|Basic|Token) [\w.~+/=!-]{8,}"
    r"|00D\w{12,15}![\w.]{8,}"  # a session of Salesforce
    r"|gh[opsur]_\w{20,}|AKIA\w{16}|xox[abp]-[\w-]{10,}|sk_live_\w{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<=://)[^\s/?#@\"'<>]+(?=@)",  # who logs in, in a URL
    re.DOTALL,
)
_PAIRS: Final = re.compile(
    rf"({_NAME}=|(?<=[?&#])(?:{_IN_QUERY.pattern})=)([^\s\"'<>&;,#]+)", re.IGNORECASE
)
_IN_TEXTS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"({_NAME}[\"']?\s*:\s*[\"']?)([^\s\"'<>&;,#]+)",
        rf"(<(?:{_REST}:)?{_REST}?{_NAME}(?:\s[^<>]{{0,999}})?>)({_CONTENT})(?=</)",
        rf"({_NAME}\s*=\s*\"|{_NAME}\s*=\s*')([^\"'<>]+)",
        rf"(name=[\"']?{_REST}?{_NAME}[\"']?[^<>]{{0,200}}?\bvalue=[\"']?)([^\"'>\s]+)",
        rf"(name=\"{_REST}?{_NAME}\"[^\r\n]*(?:\r\n[^\r\n]+)*\r\n\r\n)(.*?)(?=\r\n--)",
    )
)
"""Lines and JSON lines; elements; attributes; fields of a page; parts of a body."""
_BOUNDARY: Final = re.compile(r"boundary=\"?([^\s\";]+)")


class Veil:
    """Masks secrets, those that it knows and those that look like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Begin with those that are known.

        Args:
            secrets: texts that are masked wherever they stand.
        """
        self._known = Secrets()
        self._known.add(secrets)
        self._said: dict[str, Any] = {}
        """By its name, what was masked last."""
        self._texts: dict[str, str] = {}
        """By what is left of it, each text of JSON in which something was masked."""

    def learn(self, name: str, value: str) -> None:
        """Take in a header that is not written: what lets in is known from there on (V3)."""
        if not (_NAMES.search(name) or _IN_HEADER.search(name)):
            return
        if "cookie" in name.lower():
            values = [pair.partition("=")[2].strip() for pair in value.split(";")]
            self._add(*(values[:1] if name.lower() == "set-cookie" else values))
            return
        scheme, _, rest = value.partition(" ")
        self._add(rest or scheme)
        if scheme.lower() == "basic":
            try:
                self._add(b64decode(rest).decode().partition(":")[2])
            except ValueError:
                return

    def _add(self, *texts: str) -> None:
        self._known.add(text for text in texts if len(text) >= _LEAST)

    # --- texts without secrets -----------------------------------------------------------

    def known(self, text: str) -> str:
        """Return a text without the secrets that are known (V3)."""
        return self._known.masked(text).replace(KNOWN, MASK)

    def text(self, text: str) -> str:
        """Return a text, or a header, without secrets (V2, V3)."""
        hidden = _FORMS.sub(MASK, self.known(text))
        return _PAIRS.sub(rf"\1{MASK}", hidden)

    def target(self, target: str) -> str:
        """Return the path and the query of a request without secrets (V1)."""
        path, mark, query = target.partition("?")
        return self.text(path) + mark + (self._form(query) if query else "")

    def media_type(self, value: str) -> str:
        """Return a media type without what is another in every request."""
        return _BOUNDARY.sub("boundary=parts", value)

    def body(self, content: bytes, media_type: str) -> str | dict[str, str]:
        """Return a body without secrets: as a text, or in base64 where it is none (V1)."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            kept = self.known(content.decode("latin-1"))
            return {"base64": b64encode(kept.encode("latin-1")).decode()}
        if "x-www-form-urlencoded" in media_type:
            return self._form(text)
        if found := _BOUNDARY.search(media_type):
            text = text.replace(found[1], "parts")
        try:
            document = json.loads(text)
        except ValueError:
            text = self.text(text)
            for pattern in _IN_TEXTS:
                text = pattern.sub(rf"\1{MASK}", text)
            return text
        hidden = self._hide(document)
        return self.text(text) if hidden == document else json.dumps(hidden, ensure_ascii=False)

    def _form(self, text: str) -> str:
        pairs = parse_qsl(text, keep_blank_values=True)
        hidden = [(n, self._named(n, v, is_query=True)) for n, v in pairs]
        return text if hidden == pairs else urlencode(hidden)

    def _named(self, name: str, value: str, *, is_query: bool = False) -> str:
        """Return a value that has a name."""
        if _NAMES.search(name) or (is_query and _IN_QUERY.fullmatch(name)):
            if _LETS_IN.search(name):
                self._add(value)
            return MASK
        return self.text(value)

    def _hide(self, value: Any, name: str = "") -> Any:  # noqa: ANN401  JSON
        """Return JSON without secrets; what is within one is one."""
        match value:
            case dict():
                return {k: self._hide(v, _inner(name, k)) for k, v in value.items()}
            case list():
                return [self._hide(v, _inner(name, str(i))) for i, v in enumerate(value)]
            case bool() | None:
                return value
            case str():
                hidden = self._hidden_within(self._named(name, value))
            case _:
                hidden = MASK if _NAMES.search(name) else value
        if hidden == MASK != value:
            self._said[name] = value
        return hidden

    def _hidden_within(self, text: str) -> str:
        """Return a text of JSON, which may be JSON itself, without secrets."""
        if not text.lstrip().startswith(("{", "[")):
            return text
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return text
        hidden = self._hide(document)
        if hidden == document:
            return text
        left = json.dumps(hidden, ensure_ascii=False)
        self._texts[left] = text
        return left

    def echoed(self, text: str) -> str:
        """Return the body of an answer, with what was sent where that is masked in it (V4)."""
        try:
            document = json.loads(text)
        except ValueError:
            return text
        said = self._restored(document)
        return text if said == document else json.dumps(said, ensure_ascii=False)

    def _restored(self, value: Any, name: str = "") -> Any:  # noqa: ANN401  JSON
        match value:
            case dict():
                return {k: self._restored(v, _inner(name, k)) for k, v in value.items()}
            case list():
                return [self._restored(v, _inner(name, str(i))) for i, v in enumerate(value)]
            case _:
                said = self._said if value == MASK else self._texts
                return said.get(name if value == MASK else value, value)


def _inner(name: str, key: str) -> str:
    """Return what a value is called that stands in one of that name: what is in a secret is one."""
    return f"{key}.{name}" if _NAMES.search(name) else key
