"""The secrets that are in use, and texts without them; it knows nothing of where they go.

- K1. What is told, kept or raised holds no secret: not as it is, nor as it stands in a URL, in
  JSON, in the path of a field or in a Basic header.
- K2. A text is cut only after it was searched, for half a secret is found by nobody.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, assert_never
from urllib.parse import quote, quote_plus

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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journal.outcomes import Outcome

MASK: Final = "[secret]"
SHORTEST: Final = 4
"""What has fewer characters is hidden from nobody, and would be found everywhere."""
_MOST: Final = 64
"""How many secrets are known at a time: tokens that were renewed long ago are forgotten."""
_STEPS: Final = re.compile(r"[^/.\[\]]+")
"""Between the signs that a message about a field takes for those of a path."""
_HEX: Final = re.compile(r"%[0-9A-F]{2}")


class Secrets:
    """The secrets that are, or lately were, in use."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        """Show how many there are."""
        return f"Secrets({len(self._known)})"

    def add(self, texts: Iterable[str]) -> None:
        """Remember secrets."""
        new = [text for text in texts if len(text) >= SHORTEST and text not in self._known]
        if not new:
            return
        self._known.update(dict.fromkeys(new))
        self._known = dict.fromkeys(list(self._known)[-_MOST:])
        forms = {form for text in self._known for form in _forms(text)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def masked(self, text: str) -> str:
        """Return the text without a secret in it (K1)."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def cleared(self, outcome: Outcome, known: object = None) -> Outcome:
        """Return the outcome without a secret in it (K1, K2).

        Args:
            outcome: what came of a draft.
            known: JSON that is in the journal already. A secret that stands in it is none: a
                password may be a word that a record holds as well.
        """
        match outcome:
            case Acknowledged(fields=fields, remote_version=version):
                return outcome._replace(
                    remote_id=self._kept(outcome.remote_id),
                    remote_version=version if version == self._kept(version) else None,
                    remote_date=self._kept(outcome.remote_date),
                    fields=None if fields is None else self._without(fields, known),
                    note=self._kept(outcome.note),
                )
            case Refused():
                return self._refusal(outcome, known)
            case Unknown(problem, _, Refused() as refusal):
                masked = self.masked(problem)[:MAX_MESSAGE]
                return outcome._replace(problem=masked, refusal=self._refusal(refusal, known))
            case Unknown(problem) | NotSent(problem) | Wait(problem) | Unauthorized(problem):
                return outcome._replace(problem=self.masked(problem)[:MAX_MESSAGE])
            case _:
                assert_never(outcome)

    def _refusal(self, refusal: Refused, known: object) -> Refused:
        seen = refusal.seen
        return refusal._replace(
            messages=tuple(map(self._message, refusal.messages)),
            answer=self.masked(refusal.answer),
            seen=None if seen is None else self._seen(seen, known),
        )

    def _message(self, message: FieldMessage) -> FieldMessage:
        return FieldMessage(
            field=self.masked(message.field),
            message=self.masked(message.message),
            code=self.masked(message.code),
        )

    def _seen(self, seen: Seen, known: object) -> Seen:
        version = seen.remote_version
        return Seen(
            None if seen.fields is None else self._without(seen.fields, known),
            self._kept(seen.remote_id),
            version if version == self._kept(version) else None,
        )

    def _kept(self, text: str | None) -> str | None:
        return None if text is None else self.masked(text)

    def _without(self, content: Any, known: object) -> Any:  # noqa: ANN401  JSON
        """Return JSON without the secrets in it, but for those that stand in what is known."""
        if self._pattern is None or not self._pattern.search(_dumped(content)):
            return content
        ours = _dumped(known)

        def hidden(found: re.Match[str]) -> str:
            return found[0] if found[0] in ours else MASK

        return _mapped(content, self._pattern, hidden)


def _mapped(content: Any, pattern: re.Pattern[str], hidden: Any) -> Any:  # noqa: ANN401  JSON
    match content:
        case str():
            return pattern.sub(hidden, content)
        case list():
            return [_mapped(item, pattern, hidden) for item in content]
        case dict():
            return {
                pattern.sub(hidden, key): _mapped(item, pattern, hidden)
                for key, item in content.items()
            }
        case _:
            return content


def _dumped(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, default=str)


def _forms(text: str) -> set[str]:
    """Return the ways in which a secret may stand in a text."""
    in_json = json.dumps(text)[1:-1]
    in_path = ".".join(step for step in _STEPS.findall(text) if not step.isdigit())
    in_urls = {quote(text, safe=""), quote(text), quote_plus(text)}
    lower = {_HEX.sub(lambda found: found[0].lower(), form) for form in in_urls}
    found = {text, in_json, in_json.replace("/", "\\/"), in_path, *in_urls, *lower}
    return {form for form in found if len(form) >= SHORTEST}
