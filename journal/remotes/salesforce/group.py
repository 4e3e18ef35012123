"""Drafts that go to an org in one call, in their order; pure.

- B1. The call keeps the order of the drafts, and nothing behind one that fails is applied.
- B2. A draft joins only if nothing needs to be settled first: what it changes was read right
  before, and is as it expects, or is made by a draft before it in the same call.
- B6. After a lost answer each draft is looked up by itself, so what it left must still be there:
  a delete goes behind no create of its record, nor a draft that refers to it.
- B3. What the org would read as the name of another request's result is never sent in a call
  that has such names, unless it is meant.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from pydantic_core import from_json, to_json

from journal.errors import RemoteError
from journal.outcomes import Acknowledged, Unknown
from journal.remotes.errand import AsExpected
from journal.remotes.pointers import steps_of
from journal.remotes.remote import Response
from journal.remotes.salesforce import composite
from journal.remotes.salesforce.settings import KEYED
from journal.values import references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from journal.outcomes import Outcome
    from journal.record import Record
    from journal.remotes.remote import Push, Request
    from journal.remotes.salesforce.errands import OrgErrand
    from journal.remotes.salesforce.sights import Row, Sights
    from journal.values import Ref

MOST_BYTES: Final = 2_000_000
"""How large the contents of a call may be, all together."""
_CONDITION: Final = "If-Unmodified-Since"
MARK: Final = "@{"
"""What the name of another request's result begins with."""
_UNFIT: Final = "the org's answer and its record do not fit together"


class Member(NamedTuple):
    """A draft in a call."""

    push: Push
    errand: OrgErrand
    requests: tuple[Request, ...]
    """What applies it: the write, and before a delete what writes the capture fields."""
    found: AsExpected | None
    """What was read right before; None where nothing was."""
    row: Row
    """The record as the draft leaves it, in the org's words, as far as that is known."""
    is_behind: bool
    """Whether a draft of the same record goes before it in the call."""


class Group:
    """The drafts of a call."""

    def __init__(self, make: Callable[[Push], OrgErrand], sights: Sights) -> None:
        """Begin with none.

        Args:
            make: returns what carries a draft.
            sights: what the org has shown right before.
        """
        self._make = make
        self._sights = sights
        self.members: list[Member] = []
        self._made: dict[Ref, str] = {}
        """What stands for the ids of the records that are made in the call."""

    # --- who goes ------------------------------------------------------------------------

    def join(self, push: Push) -> bool:
        """Let a draft go with those before it, if it can; say whether it does (B2)."""
        try:
            member = self._member(push)
        except RemoteError:
            return False  # it goes alone, and is held then
        if member is None or not self._has_room(member):
            return False
        if push.kind == "create":
            self._made[push.ref] = composite.made_by(len(self.requests))
        self.members.append(member)
        return True

    def errand(self, push: Push) -> OrgErrand:
        """Return what carries a draft that would go behind those in the call.

        Raises:
            RemoteError: it cannot be sent as it is.
        """
        return self._make(as_known(push, self._made))

    def first(self, count: int) -> Group:
        """Return the group of the first of them only."""
        group = copy(self)
        group.members = self.members[:count]
        return group

    def _has_room(self, member: Member) -> bool:
        types = {each.push.ref.type for each in (*self.members, member)}
        queries = min(len(types), composite.MOST_QUERIES)
        requests = [*self.requests, *member.requests]
        size = sum(len(each.body or b"") for each in requests)
        is_small = len(requests) + queries <= composite.MOST and size <= MOST_BYTES
        return is_small and len(types) <= composite.MOST_QUERIES

    def _member(self, push: Push) -> Member | None:
        """Return the draft as it would go; None where it has to go alone.

        Raises:
            RemoteError: it cannot be sent as it is.
        """
        if push.is_maybe_applied or push.is_doubted:
            return None
        before = [member for member in self.members if member.push.ref == push.ref]
        if push.kind == "delete" and self._would_lose(push.ref):
            return None  # B6
        earlier = before[-1] if before else None
        errand = self._make(_overlaid(as_known(push, self._made), before))
        found, row = None, {}
        if push.kind == "create":
            if errand.is_again or errand.way.how not in KEYED:
                return None
        else:
            shown = self._sights.row(errand, errand.remote_id) if earlier is None else earlier.row
            is_made = push.ref in self._made
            if shown is None or not (is_made or shown.keys() >= set(errand.known_names)):
                return None
            found = as_expected(errand, shown)
            if found is None:
                return None
            row = shown
        requests = self._requests(errand, found, is_behind=earlier is not None)
        if requests is None:
            return None
        after = {**row, **self._written(errand, requests)}
        return Member(push, errand, requests, found, after, earlier is not None)

    def _would_lose(self, ref: Ref) -> bool:
        """Say whether the call makes a record, or refers to it: an org deletes children, too."""
        left = (member.push for member in self.members if member.push.kind != "delete")
        return ref in self._made or any(ref in push.targets for push in left)

    def _requests(
        self, errand: OrgErrand, found: AsExpected | None, *, is_behind: bool
    ) -> tuple[Request, ...] | None:
        """Return what applies the draft; None where a call cannot hold that."""
        first = None if found is None else errand.before(found)
        written = [*([] if first is None else [first]), errand.write(found)]
        requests = [self._in_call(each, is_behind=is_behind) for each in written]
        if any(each.headers.keys() - {_CONDITION} for each in requests):
            return None
        marks = sum((each.body or b"").count(MARK.encode()) for each in requests)
        meant = sum(
            target in self._made and steps_of(place)[0] not in errand.by_key
            for place, target in references(errand.push.fields)
        )
        return tuple(requests) if marks == meant else None  # B3

    def _in_call(self, request: Request, *, is_behind: bool) -> Request:
        """Return a request as a part of a call.

        A draft of the same record before it has changed what a condition would be about, and
        nobody else can change it while the call is carried out.
        """
        dropped = {"Content-Type", *([_CONDITION] if is_behind else [])}
        headers = {name: text for name, text in request.headers.items() if name not in dropped}
        path = request.path
        for name in self._made.values():
            path = path.replace(quote(name, safe=""), name)
        return request._replace(path=path, headers=headers)

    def _written(self, errand: OrgErrand, requests: Sequence[Request]) -> Row:
        """Return what the record is made of by what is written, in the org's words."""
        body = requests[-1].body
        written: Row = {} if body is None else from_json(body)
        for name in errand.by_key:
            target = errand.push.fields[name]
            written[errand.dialect.forms(errand.push.ref.type).name(name)] = errand.push.targets[
                target
            ].remote.remote_id
        if errand.push.kind == "create":
            written["Id"] = composite.made_by(len(self.requests))
        return written

    # --- the call ------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """What applies the drafts, in order."""
        return [each for member in self.members for each in member.requests]

    @property
    def is_whole(self) -> bool:
        """Whether the call has to be a transaction: where parts are conditional, or in relation."""
        return any(
            member.is_behind or each.headers or MARK in f"{each.path}{each.body!r}"
            for member in self.members
            for each in member.requests
        )

    @property
    def left(self) -> list[Member]:
        """The drafts of the records that are there after the call."""
        gone = {member.push.ref for member in self.members if member.push.kind == "delete"}
        return [member for member in self.members if member.push.ref not in gone]

    def id_of(self, member: Member) -> str | None:
        """Return what the org calls a record; None where it is made in the call."""
        return None if member.push.ref in self._made else member.errand.remote_id

    def member_at(self, part: int) -> int:
        """Return to which of the drafts a request of the call belongs."""
        parts = [at for at, member in enumerate(self.members) for _ in member.requests]
        return parts[part]

    # --- what became of them -------------------------------------------------------------

    def outcomes(self, answers: Sequence[Response], sights: Sights) -> list[Outcome]:
        """Return what became of the drafts of a call that was carried out.

        Args:
            answers: to the requests of the call, all of which succeeded.
            sights: what was read after them.
        """
        left = iter(answers)
        known: dict[Ref, str | None] = {}
        told: list[Outcome] = []
        for at, member in enumerate(self.members):
            answer = [next(left) for _ in member.requests][-1]
            earlier = [each for each in self.members[:at] if each.push.ref == member.push.ref]
            push = as_known(member.push, known)
            errand = self._make(_overlaid(push, earlier))
            found = None if member.is_behind else member.found
            receipt = errand.receipt(answer, found, is_said=False)
            if receipt is None:  # what is behind it must not be acknowledged before it
                return [*told, *[Unknown(_UNFIT)] * (len(self.members) - at)]
            known[push.ref] = receipt.remote_id
            is_last = all(m.push.ref != push.ref for m in self.members[at + 1 :])
            told.append(_read_back(errand, receipt, sights) if is_last else receipt)
        return told


def _read_back(errand: OrgErrand, receipt: Acknowledged, sights: Sights) -> Acknowledged:
    """Return the receipt with what a read after it has shown, where there was one."""
    row = None if errand.push.kind == "delete" else sights.row(errand, receipt.remote_id)
    return receipt if row is None else errand.seen_after(receipt, response_of(row))


def as_expected(errand: OrgErrand, row: Row) -> AsExpected | None:
    """Return what a row shows before a write; None where something has to be settled first."""
    response = response_of(row)
    record = errand.shown(response)
    found = None if record is None else errand.compared(response, record, None)
    return found if isinstance(found, AsExpected) else None


def response_of(row: Row) -> Response:
    """Return the answer to a read that shows a row."""
    return Response(200, {}, to_json(row))


def as_known(push: Push, ids: Mapping[Ref, str | None]) -> Push:
    """Return the draft with what the org calls records that are made in its call."""

    def named(record: Record) -> Record:
        remote_id = ids.get(record.ref)
        if remote_id is None:
            return record
        return record._replace(remote=record.remote._replace(remote_id=remote_id))

    targets: dict[Any, Record] = {ref: named(record) for ref, record in push.targets.items()}
    return push._replace(record=named(push.record), targets=targets)


def _overlaid(push: Push, earlier: Sequence[Member]) -> Push:
    """Return the draft as it is once those of its record before it are acknowledged."""
    if not earlier:
        return push
    fields = dict(push.record.remote.fields)
    for each in earlier:
        fields |= each.push.fields
    remote = push.record.remote._replace(fields=fields)
    return push._replace(record=push.record._replace(remote=remote))
