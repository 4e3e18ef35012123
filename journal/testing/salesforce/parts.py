"""The parts of a composite request: what each asks, what it takes from others, what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from journal.testing.salesforce.call import Call, body_of, call_to, segments_of
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError

if TYPE_CHECKING:
    from journal.testing.salesforce.state import State

__all__ = ["FIRST_ERROR", "ROLLED_BACK", "Part", "Run", "parts_of", "ran", "shown_part", "unusable"]

Run: TypeAlias = "Callable[[State, Call], Answer]"
"""Answers a request within another."""
_REFERENCE: Final = re.compile(r"@\{(\w+)\.([^}]+)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_STEP: Final = re.compile(r"(\w+)|\[(\d+)\]")
_STRICT_NAMES: Final = 52
_OWN_HEADERS: Final = {"accept", "authorization", "content-type"}
FIRST_ERROR: Final = 400
_HALTED: Final = "PROCESSING_HALTED"
ROLLED_BACK: Final = Answer(
    400,
    [
        {
            "errorCode": _HALTED,
            "message": (
                "The transaction was rolled back since another operation "
                "in the same transaction failed."
            ),
        }
    ],
)


@dataclass(slots=True)
class Part:
    """A request within a composite one, and what came of it."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Content
    answer: Answer | None = None
    needs: set[str] = field(default_factory=set)

    @property
    def kind(self) -> tuple[str, str]:
        """What it has in common with those that may run together with it."""
        segments = segments_of(self.url.partition("?")[0])
        return self.method, "/".join(segments[3:5])


def parts_of(call: Call, body: Mapping[str, Content], most: int) -> list[Part]:
    """Return the parts of a composite request, of which there are no more than some number.

    Raises:
        RefusedError: they cannot be read.
    """
    listed = body.get("compositeRequest")
    if not isinstance(listed, list) or not listed:
        raise unusable("compositeRequest is not a list of requests")
    if len(listed) > most:
        raise unusable(f"the request has more than {most} subrequests")
    parts: list[Part] = []
    for each in listed:
        part = _part(call, body_of(each))
        if any(part.name == other.name for other in parts):
            raise unusable(f"the referenceId {part.name} is used more than once")
        parts.append(part)
    return parts


def _part(call: Call, said: Mapping[str, Content]) -> Part:
    name, url = said.get("referenceId"), said.get("url")
    if not isinstance(name, str) or not isinstance(url, str):
        raise unusable("a subrequest needs a referenceId and a url")
    if call.version >= _STRICT_NAMES and not _NAME.fullmatch(name):
        raise unusable(f"the referenceId {name} has characters other than letters, digits and _")
    given = said.get("httpHeaders") or {}
    headers = {str(key).lower(): str(value) for key, value in body_of(given).items()}
    if own := _OWN_HEADERS & headers.keys():
        raise unusable(f"a subrequest may not have the header {', '.join(sorted(own))}")
    part = Part(name, str(said.get("method", "")).upper(), url, headers, said.get("body"))
    part.needs = {
        match[1] for text in _texts([url, part.body]) for match in _REFERENCE.finditer(text)
    }
    return part


def unusable(message: str) -> RefusedError:
    """Return the refusal of a request that cannot be run at all."""
    return RefusedError(400, Complaint("INVALID_INPUT", message))


def ran(state: State, call: Call, part: Part, parts: Sequence[Part], run: Run) -> Answer:
    """Run a part, with what it takes from the answers of others."""
    try:
        answers = {each.name: each.answer for each in parts}
        url, content = _filled(part.url, answers), _filled(part.body, answers)
        return run(state, call_to(part.method, url, part.headers, content, call.caller))
    except RefusedError as refused:
        return refused.answer()


def shown_part(part: Part) -> Content:
    """Return what came of a part, as it is answered."""
    answer = part.answer or ROLLED_BACK
    return {
        "body": answer.document,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": part.name,
    }


# --- what a part takes from another ------------------------------------------------------


def _texts(content: Content) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _filled(content: Content, answers: Mapping[str, Answer | None]) -> Content:
    """Return a content with what it takes from the answers of others.

    Raises:
        RefusedError: one has no such answer.
    """
    if isinstance(content, Mapping):
        return {name: _filled(value, answers) for name, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, answers) for value in content]
    if not isinstance(content, str):
        return content
    whole = _REFERENCE.fullmatch(content)
    if whole:
        return _taken(whole[1], whole[2], answers)
    return _REFERENCE.sub(lambda match: str(_taken(match[1], match[2], answers)), content)


def _taken(name: str, path: str, answers: Mapping[str, Answer | None]) -> Content:
    answer = answers.get(name)
    value = answer.document if answer is not None and answer.status < FIRST_ERROR else None
    for member, number in _STEP.findall(path):
        if number:
            here = value if isinstance(value, list) else []
            value = here[int(number)] if int(number) < len(here) else None
        else:
            value = value.get(member) if isinstance(value, Mapping) else None
    if value is None:
        message = f"Invalid reference specified. No value for {name}.{path} found in {name}"
        raise RefusedError(400, Complaint(_HALTED, message))
    return value
