"""What a remote is: requests out, answers in, an outcome at the end; it does no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from journal.errors import RemoteError
from journal.values import Fields, Ref, references, same

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
    """The records that it, its base and its record refer to."""

    @property
    def remote_id(self) -> str | None:
        """What the remote calls the record, where it is known."""
        return self.record.remote.remote_id

    @property
    def is_after_receipt(self) -> bool:
        """Whether the remote acknowledged an earlier draft of the record since this one was made.

        Then `base_version`, and what the remote is known to have, are from that receipt.
        """
        change = self.record.change(self.draft_id)
        return change is not None and self.record.remote.receipt > change.based_at


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
        """Send a draft: yield requests, receive their answers, return the outcome.

        `NotSent` is returned only where no request of this push has left that could write.

        Raises:
            RemoteError: the draft cannot be sent as it is; it will be held.
        """
        ...


def resolved(push: Push) -> Fields:
    """Return the fields of the push with what the remote calls the records they refer to.

    Raises:
        RemoteError: the remote has no such record; the draft should have waited for it.
    """
    copy: Fields = _copied(push.fields)
    for place, target in references(push.fields):
        remote_id = push.targets[target].remote.remote_id
        if remote_id is None:
            raise RemoteError(
                f"{push.ref} {place}: the remote has no record for {target}",
                hint="create or observe that record first",
            )
        _put(copy, place, remote_id)
    return copy


def recognised(received: Fields, push: Push, *known: Fields) -> Fields:
    """Return fields that the remote sent, with references where fields known here have them.

    A place becomes a reference only where the remote has the id there by which it knows the
    record that is referred to here.
    """
    fields: Fields = _copied(received)
    for place, target in (found for fields_here in known for found in references(fields_here)):
        remote_id = push.targets[target].remote.remote_id
        if remote_id is not None and same(_at(fields, place), remote_id):
            _put(fields, place, target)
    return fields


def agrees(received: object, wanted: object) -> bool:
    """Say whether a remote's value is the wanted one.

    JSON knows one kind of number, so ``10`` agrees with ``10.0``; and many services leave out
    what has no value, so in an object a missing value agrees with null.
    """
    if type(received) is dict and type(wanted) is dict:
        return all(agrees(received.get(key), wanted.get(key)) for key in received | wanted)
    if type(received) is list and type(wanted) is list:
        return len(received) == len(wanted) and all(map(agrees, received, wanted))
    if type(received) in _NUMBERS and type(wanted) in _NUMBERS:
        return received == wanted
    return same(received, wanted)


_NUMBERS = frozenset({int, float})


def _copied(value: Any) -> Any:  # noqa: ANN401  JSON
    """Return the value with objects and lists of its own; what they hold is never changed."""
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    if type(value) is list:
        return [_copied(item) for item in value]
    return value


def _steps(place: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in place[1:].split("/")]


def _at(value: Any, place: str) -> Any:  # noqa: ANN401  JSON
    """Return what is at the place, or None."""
    for step in _steps(place):
        if type(value) is dict:
            value = value.get(step)
        elif type(value) is list and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _put(value: Any, place: str, item: str) -> None:  # noqa: ANN401  JSON
    *steps, last = _steps(place)
    for step in steps:
        value = value[int(step)] if type(value) is list else value[step]
    if type(value) is list:
        value[int(last)] = item
    else:
        value[last] = item
