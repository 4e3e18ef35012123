"""What a remote is: requests out, answers in, an outcome at the end; it does no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from journal.errors import RemoteError
from journal.values import Fields, Ref, references, restore

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from journal.events import ChangeKind
    from journal.outcomes import Outcome
    from journal.record import Record


class Request(NamedTuple):
    """A request to the remote, relative to where the remote is."""

    method: str
    path: str
    """Below the remote's URL, each segment quoted; it begins with a slash."""
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Response(NamedTuple):
    """An answer of the remote, whole."""

    status: int
    headers: Mapping[str, str] = {}
    """The names are in lower case."""
    body: bytes = b""


class NoAnswer(NamedTuple):
    """There was no answer, or none that could be received whole."""

    was_sent: bool
    """Whether the request may have reached the remote."""
    problem: str


Answer: TypeAlias = Response | NoAnswer


class Push(NamedTuple):
    """A draft on its way, with all that a remote needs to know."""

    draft_id: str
    ref: Ref
    kind: ChangeKind
    fields: Fields
    """The fields that it sets, with the records that they refer to."""
    base: Fields
    base_version: str | None
    """The remote's version that it is to be conditional on, where one is known."""
    revision: int
    is_maybe_applied: bool
    """Whether an earlier request for it left without its outcome having become known."""
    record: Record
    targets: Mapping[Ref, Record]
    """The records that its fields refer to."""

    @property
    def remote_id(self) -> str | None:
        """What the remote calls the record, where it is known."""
        return self.record.remote.remote_id


class Remote(Protocol):
    """A record service that drafts can be sent to."""

    @property
    def url(self) -> str:
        """Where the remote is: credentials are sent to this origin only."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request, credentials among them, as they are now."""
        ...

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft: yield requests, receive their answers, return the outcome."""
        ...


def resolved(push: Push, fields: Fields) -> Fields:
    """Return fields of the push with what the remote calls the records that they refer to.

    Raises:
        RemoteError: the remote has no such record; the draft should have waited for it.
    """
    places = list(references(fields))
    if not places:
        return fields
    copy: Fields = _copied(fields)
    for place, target in places:
        remote_id = push.targets[target].remote.remote_id
        if remote_id is None:
            raise RemoteError(
                f"{push.ref} {place}: the remote has no record for {target}",
                hint="create or observe that record first",
            )
        _put(copy, place, remote_id)
    return copy


def recognised(received: Fields, push: Push) -> Fields:
    """Return fields that the remote sent, with references where it named what we know it by."""
    known = {**(push.record.fields or {}), **push.fields}
    fields: Fields = _copied(received)
    for place, target in references(known):
        record = push.targets.get(target)
        remote_id = target.id if record is None else record.remote.remote_id
        if _at(fields, place) == remote_id:
            _put(fields, place, str(target))
            restore(fields, (place,))
    return fields


def _copied(value: object) -> Fields:
    """Return the value with objects and lists of its own; what they hold is never changed."""
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    if type(value) is list:
        return [_copied(item) for item in value]  # type: ignore[return-value]
    return value  # type: ignore[return-value]


def _steps(place: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in place[1:].split("/")]


def _at(value: object, place: str) -> object:
    """Return what is at the place, or None."""
    for step in _steps(place):
        if type(value) is dict:
            value = value.get(step)
        elif type(value) is list and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _put(value: object, place: str, item: object) -> None:
    *steps, last = _steps(place)
    for step in steps:
        value = value[int(step)] if type(value) is list else value[step]  # type: ignore[index]
    if type(value) is list:
        value[int(last)] = item
    else:
        value[last] = item  # type: ignore[index]
