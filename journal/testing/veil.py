"""What looks like a secret, and texts without it: what a cassette is written by.

- V1. What has the name of a secret is masked, whatever it is and wherever it stands: in a path, a
  query, a form, JSON, XML, HTML, the parts of a body, or a line of text; and as a key of JSON.
- V2. What has the form of a secret is masked: tokens, keys, and who logs in within a URL.
- V3. What was sent to be let in is known from there on, and masked in whatever it comes back in.
- V4. Played back, what a service has echoed of a request is what was sent: a sender compares it.
- V5. What is long, unbroken, and not known to be harmless is masked, whatever it is called.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from journal.remotes.masking import MASK as KNOWN
from journal.remotes.masking import SHORTEST, Secrets
from journal.testing.harmless import LEAST, MASKED, Harmless, fingerprint, texts_of
from journal.testing.suspects import (
    FORMS,
    IN_PATH,
    IN_TEXTS,
    LETS_IN,
    NAME,
    PAIRS,
    inner_name,
    is_code,
    is_pair,
    is_secret,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "Veil"]

MASK: Final = "***"
_LEAST: Final = 8
"""What is shorter is not looked for elsewhere: it may be a word."""
_BOUNDARY: Final = re.compile(r"boundary=\"?([^\s\";]+)")
_DIGIT: Final = re.compile(r"[0-9]")


class Veil:
    """Masks secrets, those that it knows and those that look like one."""

    def __init__(self, secrets: Iterable[str] = (), harmless: Iterable[str] = ()) -> None:
        """Begin with those that are known.

        Args:
            secrets: texts that are masked wherever they stand.
            harmless: patterns of names and of texts that are masked nowhere.

        Raises:
            TypeError: these are no texts.
            ValueError: a secret is too short to be found, or a pattern is none.
        """
        self._known = Secrets()
        self._known.add(_secrets(secrets))
        self._harmless = Harmless(texts_of("harmless", harmless))
        self._said: dict[str, Any] = {}
        """By its name, what was masked last."""
        self._texts: dict[str, str] = {}
        """By what is left of it, each text of JSON in which something was masked."""
        self._keys: dict[str, str] = {}
        """By what is left of it, each key of JSON that was masked."""
        self._unknown: dict[str, str] = {}
        """By its fingerprint, what was masked because it is not known to be harmless."""

    def learn(self, name: str, value: str) -> None:
        """Take in a header that is not written: what lets in is known from there on (V3)."""
        if not is_secret(name, is_header=True):
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
        """Return a text, or a header, without secrets (V2, V3, V5)."""
        hidden, masked = self._harmless.without(self._formed(text))
        self._unknown.update(masked)
        return hidden

    def _formed(self, text: str) -> str:
        """Return a text without what has the form of a secret, or is known (V2, V3)."""
        hidden = FORMS.sub(MASK, self.known(text))
        for pattern in PAIRS:
            hidden = pattern.sub(rf"\1{MASK}", hidden)
        return hidden

    def _masked(self, text: str) -> str:
        mask = fingerprint(text)
        self._unknown[mask] = text
        return mask

    def target(self, target: str) -> str:
        """Return the path and the query of a request without secrets (V1)."""
        path, mark, query = target.partition("?")
        hidden: list[str] = []
        name = ""
        for step in path.split("/"):
            plain = unquote(step)
            shown = self._step(name, plain)
            hidden.append(step if shown == plain != MASK else quote(shown, safe=f"{MASK};=,:@!"))
            name = plain
        return "/".join(hidden) + mark + (self._form(query) if query else "")

    def _step(self, name: str, step: str) -> str:
        """Return a step of a path, of which the step before is the name."""
        is_word = not _DIGIT.search(step) or MASKED.fullmatch(step) or self._harmless.is_said(step)
        if is_word or self._harmless.is_said(name) or self._formed(step) != step:
            return self.text(step)
        is_named = is_secret(name)
        if (is_named or IN_PATH.search(name)) and len(step) >= LEAST:
            return self._masked(step)
        return MASK if is_named or (IN_PATH.search(name) and is_code(step)) else self.text(step)

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
            document, is_whole = _parsed(text)
        except ValueError:
            for pattern in IN_TEXTS:
                text = pattern.sub(rf"\1{MASK}", text)
            return self.text(text)
        hidden = self._hide(document)
        if hidden == document and is_whole:
            return FORMS.sub(MASK, self.known(text))
        return json.dumps(hidden, ensure_ascii=False)

    def _form(self, text: str) -> str:
        """Return the pairs of a query or a form without secrets."""
        pairs = parse_qsl(text, keep_blank_values=True)
        hidden = [(n, self._named(n, v, is_query=True)) for n, v in pairs]
        is_same = hidden == pairs and not any(value == MASK for _, value in pairs)
        return text if is_same else urlencode(hidden)

    def _named(self, name: str, value: str, *, is_query: bool = False) -> str:
        """Return a value that has a name."""
        if self._harmless.is_said(name):
            return value
        if is_secret(name, is_query=is_query):
            if LETS_IN.search(name):
                self._add(value)
            return MASK
        return self.text(value)

    def _hide(self, value: Any, name: str = "") -> Any:  # noqa: ANN401  JSON
        """Return JSON without secrets; what is within one is one."""
        match value:
            case dict():
                hidden: Any = {}
                for key, inner in value.items():
                    within = inner_name(value, name, key)
                    hidden[self._key(name, key, hidden)] = self._hide(inner, within)
                return hidden
            case [str(label), str(inner)] if is_pair(label):
                return [label, self._hide(inner, f"{label}.secret")]
            case list():
                return [self._hide(v, inner_name({}, name, str(i))) for i, v in enumerate(value)]
            case bool() | None:
                return value
            case str():
                is_open = not is_secret(name) or self._harmless.is_said(name)
                inner = self._hidden_within(value) if is_open else None
                return self._noted(name, value, inner or self._named(name, value))
            case _:
                is_masked = is_secret(name) and not self._harmless.is_said(name)
                return self._noted(name, value, MASK if is_masked else value)

    def _noted(self, name: str, value: Any, hidden: Any) -> Any:  # noqa: ANN401  JSON
        """Remember what was masked of that name, and return what is left of it."""
        if hidden == MASK != value:
            self._said[name] = value
        return hidden

    def _key(self, name: str, key: str, others: dict[str, Any]) -> str:
        """Return a key without a secret, which is none of the others: within one, it is a name."""
        is_open = NAME.fullmatch(key) or MASKED.fullmatch(key) or self._harmless.is_said(key)
        shown = self._masked(key) if is_secret(name) and not is_open else self.text(key)
        while shown != key and shown in others:
            shown += "*"
        if shown != key:
            self._keys[shown] = key
        return shown

    def _hidden_within(self, text: str) -> str | None:
        """Return a text of JSON that is JSON itself without secrets; None where it is none."""
        if not text.lstrip().startswith(("{", "[")):
            return None
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
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
            return self.recalled(text)
        said = self._restored(document)
        return text if said == document else json.dumps(said, ensure_ascii=False)

    def recalled(self, text: str) -> str:
        """Return a text, or a header, with what was sent where its fingerprint stands (V4)."""
        return MASKED.sub(lambda found: self._unknown.get(found[0], found[0]), text)

    def _restored(self, value: Any, name: str = "") -> Any:  # noqa: ANN401  JSON
        match value:
            case dict():
                keys = {key: self._keys.get(key, self.recalled(key)) for key in value}
                names = {key: inner_name(value, name, keys[key]) for key in value}
                return {keys[k]: self._restored(v, names[k]) for k, v in value.items()}
            case [str(label), str(inner)] if is_pair(label):
                return [label, self._restored(inner, f"{label}.secret")]
            case list():
                return [
                    self._restored(v, inner_name({}, name, str(i))) for i, v in enumerate(value)
                ]
            case str():
                said = self._said.get(name, MASK) if value == MASK else self._texts.get(value)
                return self.recalled(value) if said is None else said
            case _:
                return value


def _parsed(text: str) -> tuple[Any, bool]:
    """Return a document of JSON, and whether it has all that the text says, and no key twice.

    Raises:
        ValueError: it is no JSON.
    """
    twice: list[str] = []

    def paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        twice.extend(found if len(found) < len(pairs) else ())
        return found

    return json.loads(text, object_pairs_hook=paired), not twice


def _secrets(said: Iterable[str]) -> list[str]:
    """Return the secrets that were named, but for the empty one: one that is not set today.

    Raises:
        ValueError: one is so short that it would be found everywhere.
    """
    named = [text for text in texts_of("secrets", said) if text]
    for text in named:
        if len(text) < SHORTEST:
            problem = f"a secret has {len(text)} characters, and is found from {SHORTEST} on"
            raise ValueError(f"{problem}; what holds it is masked where it is called so, as pin")
    return named
