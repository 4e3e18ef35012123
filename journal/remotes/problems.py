"""What a remote says that is wrong: the body of a refusal as messages for fields; pure.

Told by what a body holds and never by its media type, which is often wrong. It knows nothing of
statuses but the one that it is handed, and nothing of records but the names of their fields.

- M1. Every body yields at least one message, and no body yields an error.
- M2. What is yielded is bounded, and so is the time that it takes.
- M3. A field is guessed from a text only where one of the draft's own names is a word of it.

```
problem documents, JSON:API, GraphQL, OData, Google, Salesforce, field maps:  parts, or a text
pages and plain text:                                                        title, or words
nothing:                                                                     the status
```
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pydantic_core import from_json

from journal.events import FieldMessage
from journal.remotes.naming import Names, plain_of
from journal.remotes.pages import MAX_READ, text_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_MESSAGES: Final = 50
"""How many messages of a body are told."""
MAX_TEXT: Final = 4_000
"""How many characters of a text are told: more than are kept, so that a secret that stands in
it is never cut in two before it is found."""
_MAX_DEPTH: Final = 8
_MAX_AROUND: Final = 3
"""How deep an error may stand within what has no name for it."""
_MAX_STEPS: Final = 2_000


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_MAPS: Final = _listed(
    "errors fielderrors fieldviolations validationerrors validation violations invalidparams "
    "issues issue modelstate messages formerrors usererrors"
)
"""Members that hold messages: a list of them, or a map of fields."""
_PARTS: Final = (*_MAPS, "error", "details", "detail", "message")
"""Members that may hold messages, and may hold something else, such as the record."""
_TEXTS: Final = _listed(
    "detail message msg description errordescription errormessage errorsummary diagnostics reason "
    "text details title error errors"
)
"""Members that say what is wrong, the one that says most first."""
_STRONG: Final = frozenset(
    {"message", "msg", "detail", "errormessage", "errordescription", "description", "reason"}
    | {"diagnostics"}
)
"""Those of `_TEXTS` that are hardly ever the name of a field among others in a map."""
_CODES: Final = _listed("code errorcode scimtype errno type status keyword rule reason error")
_Said: TypeAlias = "Iterator[FieldMessage]"


def field_messages(body: bytes, status: int, names: Iterable[str] = ()) -> tuple[FieldMessage, ...]:
    """Return what a body says that is wrong, at least one message (M1).

    Args:
        body: of the refusal, whatever it is.
        status: said where the body says nothing.
        names: of the draft's fields, by which a text is recognised to be about one of them.
    """
    found = _Reading(names, status).of_body(text_of(body))
    return found or (FieldMessage(message=f"the remote answered {status}"),)


def summary(body: bytes, status: int) -> str:
    """Return what a body says in one line, or nothing."""
    found = _Reading((), status).of_body(text_of(body))
    said = (f"{part.message} ({part.code})" if part.code else part.message for part in found[:3])
    return "; ".join(said)[:MAX_TEXT]


def json_of(body: bytes) -> Any:  # noqa: ANN401  JSON
    """Return the JSON that a body holds; None where it holds none, or is too large."""
    try:
        return from_json(text_of(body)) if len(body) <= MAX_READ else None
    except ValueError:
        return None


def is_error(members: dict[str, Any]) -> bool:
    """Say whether an object says by its members that something is wrong."""
    return _is_error(members) or not plain_of(members).keys().isdisjoint(_PARTS)


class _Part(NamedTuple):
    """Something that says what is wrong, and what is known of it from around it."""

    value: Any
    steps: tuple[str, ...] = ()
    """The path of the field that it is about, as far as that is known."""
    depth: int = 0
    is_item: bool = False
    """Whether it is one of a list."""


class _Reading:
    """One body being read; it counts its steps (M2)."""

    def __init__(self, names: Iterable[str], status: int) -> None:
        self._status = status
        self._names = Names(names)
        self._steps = 0

    def of_body(self, text: str) -> tuple[FieldMessage, ...]:
        """Return the messages of a body, each once, and not too many (M2)."""
        try:
            found = self._of(_Part(from_json(text)))
        except ValueError:
            found = self._of_text(words_of(text), ())
        return tuple(islice(_once(list(islice(found, 4 * MAX_MESSAGES))), MAX_MESSAGES))

    def _of(self, part: _Part) -> _Said:
        self._steps += 1
        if self._steps > _MAX_STEPS or part.depth > _MAX_DEPTH:
            return
        match part.value:
            case str(text):
                yield from self._of_text(words_of(text), part.steps)
            case list(items):
                for item in items:
                    yield from self._of(_Part(item, part.steps, part.depth + 1, is_item=True))
            case dict(members):
                yield from self._of_object(members, part)
            case _:  # a number says nothing
                return

    def _of_object(self, members: dict[str, Any], part: _Part) -> _Said:
        """Yield what an object says: its parts, or its text, or what it is a map of (M1)."""
        if part.depth == 0 and self._names.are_all(members):
            yield from self._of_map(members, part)
            return
        plain = plain_of(members)
        steps = part.steps
        every = (
            [steps] if steps else (list(self._names.paths_in(plain, is_item=part.is_item)) or [()])
        )
        parts = list(self._of_parts(plain, part, every[0]))
        text = _first(plain, _TEXTS)
        if (more := _told_more(plain)) is not None:
            parts += self._of(_Part(more, steps, part.depth + 1))
        if parts and (any(found.field for found in parts) or text is None):
            yield from parts
            return
        code = _code(plain, {text, str(self._status), "about:blank", None})
        if text is None and not part.depth and (said := self._told_inside(members)):
            yield from self._of(_Part(said, part.steps, part.depth + 1))
        elif text is not None or code:
            words = words_of(text or code)
            for about in every:
                yield from self._of_text(words, about, "" if text is None else code)
            yield from parts
        elif part.depth == 0 or steps:
            yield from self._of_map(members, part)

    def _of_parts(self, plain: dict[str, Any], part: _Part, steps: tuple[str, ...]) -> _Said:
        for key in _PARTS:
            value = plain.get(key)
            if isinstance(value, list):
                yield from self._of(_Part(value, steps, part.depth + 1))
            elif isinstance(value, dict) and value:
                inner = _Part(value, steps, part.depth + 1)
                if self._names.are_all(value) or (key in _MAPS and not _is_error(value)):
                    yield from self._of_map(value, inner)
                elif key == "error" or _is_error(value):
                    yield from self._of(inner)

    def _told_inside(self, members: dict[str, Any]) -> dict[str, Any] | None:
        """Return what says, within members of whatever name but a field's, what is wrong.

        It has both a code and the words for it; or it lists messages, as the result of a
        mutation does.
        """
        around = [members]
        for _ in range(_MAX_AROUND):
            within = [
                value
                for each in around
                for name, value in islice(each.items(), MAX_MESSAGES)
                if isinstance(value, dict) and not self._names.are_all({name: value})
            ]
            for value in within:
                plain = plain_of(value)
                if "code" in plain and _first(plain, ("text", *_STRONG)) is not None:
                    return value
                if any(_is_list_of_errors(plain.get(key)) for key in _MAPS):
                    return value
            around = within[:MAX_MESSAGES]
        return None

    def _of_map(self, members: dict[str, Any], part: _Part) -> _Said:
        """Yield what a map of fields says of each of them."""
        self._steps += 1
        if self._steps > _MAX_STEPS or part.depth > _MAX_DEPTH:
            return
        for name, value in members.items():
            is_whole = self._names.is_whole(name)
            steps = part.steps if is_whole else (*part.steps, *self._names.path_of(name))
            match value:
                case str() | list():
                    yield from self._of(_Part(value, steps, part.depth + 1))
                case dict() if _is_error(value):
                    yield from self._of(_Part(value, steps, part.depth + 1))
                case dict():
                    yield from self._of_map(value, _Part(value, steps, part.depth + 1))
                case _:
                    continue

    def _of_text(self, text: str, steps: tuple[str, ...], code: str = "") -> _Said:
        message = text.strip()[:MAX_TEXT]
        if message:
            field = self._names.named(steps) or self._names.guessed(message)
            yield FieldMessage(field=field[:MAX_TEXT], message=message, code=code[:MAX_TEXT])


def _once(found: list[FieldMessage]) -> _Said:
    """Yield each message once, and one without a field only where none with a field says it."""
    seen = {("", message.message) for message in found if message.field}
    for message in found:
        if (said := (message.field, message.message)) not in seen:
            seen.add(said)
            yield message


def _first(plain: dict[str, Any], keys: Iterable[str]) -> str | None:
    for key in keys:
        text = _words_in(plain.get(key))
        if text is not None:
            return text
    return None


def _code(plain: dict[str, Any], known: set[str | None]) -> str:
    """Return by what the error may be told apart, where that is not known already."""
    extensions = plain.get("extensions")
    if isinstance(extensions, dict):
        plain = {**plain, **plain_of(extensions)}
    for key in _CODES:
        value = plain.get(key)
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            code = str(value).strip()
            if code and code not in known and not (key == "status" and code.isdigit()):
                return code
    return ""


def _is_error(members: dict[str, Any]) -> bool:
    """Say whether an object says what is wrong itself, rather than of each of its members."""
    plain = plain_of(members)
    if any(isinstance(plain.get(key), str) for key in _STRONG):
        return True
    return any(key in plain for key in ("code", "errorcode", "fieldviolations", "errors"))


def _is_list_of_errors(value: object) -> bool:
    """Say whether it is a list in which an error stands, or several messages for a field."""
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return any(_is_error(item) or "messages" in plain_of(item) for item in items)


def _told_more(plain: dict[str, Any]) -> object:
    """Return the data of an error of JSON-RPC, where it says more; not the record, sent back."""
    data = plain.get("data")
    is_rpc = isinstance(plain.get("code"), int) and isinstance(plain.get("message"), str)
    return data if is_rpc and isinstance(data, dict) and _is_error(data) else None


def _words_in(value: object) -> str | None:
    """Return a text, or the one that OData puts beside its language."""
    text = value.get("value") if isinstance(value, dict) else value
    return text if isinstance(text, str) and text.strip() else None
