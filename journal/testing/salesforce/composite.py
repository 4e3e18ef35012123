"""Several requests in one: `composite`, where one may name what another made, and `batch`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.call import Call, body_of, call_to, flag, segments_of
from journal.testing.salesforce.refusal import Answer, Complaint, Content, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.testing.salesforce.state import State

    Run = Callable[[State, Call], Answer]

__all__ = ["on_batch", "on_composite"]

PARTS_MOST: Final = 25
QUERIES_MOST: Final = 5
_REFERENCE: Final = re.compile(r"@\{(\w+)\.([^}]+)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_STEP: Final = re.compile(r"(\w+)|\[(\d+)\]")
_STRICT_NAMES: Final = 52
_REGROUPS: Final = 49
_OWN_HEADERS: Final = {"accept", "authorization", "content-type"}
_FIRST_ERROR: Final = 400
_HALTED: Final = "PROCESSING_HALTED"
_ROLLED_BACK: Final = Answer(
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


class _HalfError(Exception):
    """A part failed, and so does all."""


@dataclass(slots=True)
class _Part:
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


def on_composite(state: State, call: Call, run: Run) -> Answer:
    """Run the parts; in their order where they are not to be regrouped.

    Raises:
        RefusedError: it cannot be read: nothing has run.
    """
    body = body_of(call.content)
    parts = _parts(call, body)
    all_or_none = flag(body.get("allOrNone"))
    regroups = body.get("collateSubrequests", call.version >= _REGROUPS)
    ordered = _regrouped(parts) if state.settings.regroups and regroups is not False else parts
    try:
        with state.database.transaction() if all_or_none else nullcontext():
            for part in ordered:
                part.answer = _ran(state, call, part, parts, run)
                _check_whole(all_or_none and part.answer.status >= _FIRST_ERROR)
    except _HalfError:
        for part in parts:
            if part.answer is None or not _keeps(part):
                part.answer = _ROLLED_BACK
    return Answer(200, {"compositeResponse": [_shown(part) for part in parts]})


def _check_whole(is_half: bool) -> None:  # noqa: FBT001  says it all
    if is_half:
        raise _HalfError


def _keeps(part: _Part) -> bool:
    """Say whether a part says what it said before it was rolled back.

    A failure does; and so does a collection, whose items go on claiming success: a trap that is
    documented.
    """
    is_collection = part.kind[1].startswith("composite/sobjects")
    return part.answer is not None and (part.answer.status >= _FIRST_ERROR or is_collection)


def _parts(call: Call, body: Mapping[str, Content]) -> list[_Part]:
    listed = body.get("compositeRequest")
    if not isinstance(listed, list) or not listed:
        raise _unusable("compositeRequest is not a list of requests")
    if len(listed) > PARTS_MOST:
        raise _unusable(f"the request has more than {PARTS_MOST} subrequests")
    parts: list[_Part] = []
    for each in listed:
        part = _part(call, body_of(each))
        if any(part.name == other.name for other in parts):
            raise _unusable(f"the referenceId {part.name} is used more than once")
        parts.append(part)
    heavy = [part for part in parts if part.kind[1].startswith(("query", "composite/sobjects"))]
    if len(heavy) > QUERIES_MOST:
        raise _unusable(f"the request has more than {QUERIES_MOST} queries and collections")
    return parts


def _part(call: Call, said: Mapping[str, Content]) -> _Part:
    name, url = said.get("referenceId"), said.get("url")
    if not isinstance(name, str) or not isinstance(url, str):
        raise _unusable("a subrequest needs a referenceId and a url")
    if call.version >= _STRICT_NAMES and not _NAME.fullmatch(name):
        raise _unusable(f"the referenceId {name} has characters other than letters, digits and _")
    given = said.get("httpHeaders") or {}
    headers = {str(key).lower(): str(value) for key, value in body_of(given).items()}
    if own := _OWN_HEADERS & headers.keys():
        raise _unusable(f"a subrequest may not have the header {', '.join(sorted(own))}")
    part = _Part(name, str(said.get("method", "")).upper(), url, headers, said.get("body"))
    part.needs = {
        match[1] for text in _texts([url, part.body]) for match in _REFERENCE.finditer(text)
    }
    return part


def _unusable(message: str) -> RefusedError:
    return RefusedError(400, Complaint("INVALID_INPUT", message))


def _regrouped(parts: Sequence[_Part]) -> list[_Part]:
    """Return the parts as they may run: those that are alike together, after what they need."""
    ordered: list[_Part] = []
    left = list(parts)
    names = {part.name for part in parts}
    while left:
        first, done = left[0], {part.name for part in ordered}
        group = [
            part
            for part in left
            if part is first
            or (part.kind == first.kind and not part.headers and part.needs & names <= done)
        ]
        group = [first] if first.headers else group
        ordered += group
        left = [part for part in left if part not in group]
    return ordered


def _ran(state: State, call: Call, part: _Part, parts: Sequence[_Part], run: Run) -> Answer:
    try:
        answers = {each.name: each.answer for each in parts}
        url, content = _filled(part.url, answers), _filled(part.body, answers)
        return run(state, call_to(part.method, url, part.headers, content, call.caller))
    except RefusedError as refused:
        return refused.answer()


def _shown(part: _Part) -> Content:
    answer = part.answer or _ROLLED_BACK
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
    value = answer.document if answer is not None and answer.status < _FIRST_ERROR else None
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


# --- batch -------------------------------------------------------------------------------


def on_batch(state: State, call: Call, run: Run) -> Answer:
    """Run requests one after another, each for itself; each counts as a call.

    Raises:
        RefusedError: it cannot be read: nothing has run.
    """
    body = body_of(call.content)
    listed = body.get("batchRequests")
    if not isinstance(listed, list) or not listed:
        raise _unusable("batchRequests is not a list of requests")
    if len(listed) > PARTS_MOST:
        raise _unusable(f"the request has more than {PARTS_MOST} subrequests")
    halts = flag(body.get("haltOnError"))
    results: list[Content] = []
    has_errors = False
    for each in listed:
        if has_errors and halts:
            message = "Batch processing halted, since you have specified haltOnError"
            code = "BATCH_PROCESSING_HALTED"
            results.append({"statusCode": 412, "result": [{"errorCode": code, "message": message}]})
            continue
        answer = _one(state, call, body_of(each), run)
        has_errors |= answer.status >= _FIRST_ERROR
        results.append({"statusCode": answer.status, "result": answer.document})
    state.count_calls(len(listed) - 1)
    return Answer(200, {"hasErrors": has_errors, "results": results})


def _one(state: State, call: Call, said: Mapping[str, Content], run: Run) -> Answer:
    method, url = str(said.get("method", "")).upper(), str(said.get("url", ""))
    path = url if url.startswith("/services/data/") else f"/services/data/{url.lstrip('/')}"
    try:
        part = call_to(method, path, {}, said.get("richInput"), call.caller)
        if part.resource[:1] == ("composite",) and part.resource[1:2] != ("sobjects",):
            raise _unusable("a batch cannot hold a batch or a composite request")
        return run(state, part)
    except RefusedError as refused:
        return refused.answer()
