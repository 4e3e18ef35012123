"""A record service in memory that somebody else writes to as well, as a remote without a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from journal.events import FieldMessage
from journal.outcomes import Acknowledged, Refused, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer, Push, Request
    from journal.values import Fields, Ref

NEWER = FieldMessage(message="the remote has a newer version of the record")


class Stored(NamedTuple):
    """A record as the service has it."""

    fields: Fields
    version: str
    authors: Mapping[str, str]
    """Who wrote each field: ``us`` or ``them``."""


class Shared:
    """A service with versions, on which we and others write; it is a `Remote`, too."""

    url = "https://records.example.com"

    def __init__(self) -> None:
        """Begin empty."""
        self.stored: dict[Ref, Stored] = {}
        self.pushes: list[Push] = []
        self.overwritten: list[tuple[Push, str, Any]] = []
        """What we have written over: the push, the field, and what somebody else had put there."""
        self.before_push: Callable[[Push], None] = lambda _: None
        self._writes = 0

    def headers(self) -> Mapping[str, str]:
        """Return no headers."""
        return {}

    def write(self, ref: Ref, fields: Fields | None) -> None:
        """Let somebody else set fields of a record, or delete it."""
        if fields is None:
            self.stored.pop(ref, None)
        else:
            self._set(ref, fields, "them")

    def _set(self, ref: Ref, fields: Fields, author: str) -> None:
        self._writes += 1
        before = self.stored.get(ref, Stored({}, "", {}))
        authors = {**before.authors, **dict.fromkeys(fields, author)}
        self.stored[ref] = Stored({**before.fields, **fields}, f"v{self._writes}", authors)

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Take a draft, or refuse it with what a read shows."""
        self.pushes.append(push)
        self.before_push(push)
        return self._outcome(push)
        yield

    def _outcome(self, push: Push) -> Outcome:
        found = self.stored.get(push.ref)
        if found is None and push.kind == "delete":
            return Acknowledged("read", push.ref.id)
        if found is None and push.kind == "update":
            gone = FieldMessage(message="the remote no longer has the record")
            return Refused("gone", (gone,), 404, seen=Seen(None))
        if found is not None and push.kind != "delete" and _holds(found.fields, push.fields):
            return self._receipt(push, found, "read")
        if found is not None and (push.kind == "create" or not _is_as_expected(push, found)):
            seen = Seen(dict(found.fields), push.ref.id, found.version)
            return Refused("conflict", (NEWER,), 412, seen=seen)
        return self._applied(push, found)

    def _applied(self, push: Push, found: Stored | None) -> Outcome:
        if found is not None:
            names = found.fields if push.kind == "delete" else push.fields
            self.overwritten += [
                (push, name, found.fields[name])
                for name in names
                if found.authors.get(name) == "them"
            ]
        if push.kind == "delete":
            del self.stored[push.ref]
            return Acknowledged("answer", push.ref.id)
        self._set(push.ref, push.fields, "us")
        return self._receipt(push, self.stored[push.ref], "answer")

    def _receipt(self, push: Push, found: Stored, evidence: Any) -> Acknowledged:  # noqa: ANN401
        known = {} if push.kind == "create" else push.record.remote.fields
        shown = None if found.fields == {**known, **push.fields} else dict(found.fields)
        return Acknowledged(evidence, push.ref.id, found.version, fields=shown)


def _is_as_expected(push: Push, found: Stored) -> bool:
    """Say whether the record is the one that the draft was made on."""
    if push.base_version is None:
        known = push.record.remote.fields if push.is_after_receipt else push.base
        return _holds(found.fields, known if push.kind == "delete" else _before(push))
    is_overtaken = (
        push.kind == "update"
        and push.is_after_receipt
        and not _holds(push.record.remote.fields, _before(push))
    )
    return push.base_version == found.version and not is_overtaken


def _before(push: Push) -> Fields:
    """Return what the fields had before an update."""
    return dict.fromkeys(push.fields) | push.base


def _holds(fields: Fields, wanted: Fields) -> bool:
    return all(fields.get(name) == value for name, value in wanted.items())
