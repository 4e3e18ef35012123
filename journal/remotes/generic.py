"""The generic remote: a record service described by a profile; it does no I/O.

- G1. Nothing is acknowledged by an answer that contradicts the draft, or says nothing of it
  where it should.
- G2. On any doubt the record is read, and the read decides: what the remote has, not what it
  said.
- G3. A change is sent on a condition, or right after a read has shown that the record is as
  the change expects it.
- G4. Nothing is final by one read alone: what it shows may be the past, or somebody on the way.
- G5. What is said of the record's state, and not of the draft, is believed to no remote that
  refuses to be read.

```
maybe applied, or no condition known:  read -> as expected -> write
otherwise:                             write -> a receipt
                                             -> anything else -> read -> settled, or in doubt
```
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from journal.events import FieldMessage
from journal.outcomes import Acknowledged, NotSent, Refused, Unauthorized, Unknown, Wait
from journal.remotes.changes import Feed, is_empty_list
from journal.remotes.classify import Doubt, Success
from journal.remotes.comparison import recognised
from journal.remotes.credentials import Credentials, authorised, is_unauthorized
from journal.remotes.dialect import Dialect
from journal.remotes.errand import AsExpected, Errand
from journal.remotes.meanings import Done
from journal.remotes.profiles import ALL
from journal.remotes.remote import Page, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from journal.outcomes import Outcome
    from journal.record import Record
    from journal.remotes.profiles import Profile
    from journal.remotes.remote import Answer, Push, Request
    from journal.remotes.sections import Verb
    from journal.sources import Clock
    from journal.values import Fields, Ref

_SAY_NO_MORE: Final = frozenset({404, 410, 412})
"""Refusals whose words say no more than what a read has shown."""
_UNSURE: Final = (
    "whether the remote has made the record is not known, and it has no place for our key: "
    "look there, and then resolve the draft as applied, with the remote's id, retry it, or "
    "discard it"
)
_NO_LIST: Final = "a look-up by our key was answered with something that is no list"
_NO_ID: Final = "a hit shows no id of the record"
_STRANGE: Final = "a read was answered with something that is not the record"
_IGNORED: Final = (
    "the look-up by our key lists other records only, so its filter is ignored: mend [find] of "
    "the profile"
)

_AT_ODDS: Final = "the remote refused it for a state of the record that no read shows"
_UNREAD: Final = "the remote refused to be read"
_DISAGREE: Final = "two reads of the record, one after the other, do not agree"

_Found: TypeAlias = "Outcome | AsExpected | None"
"""What a look-up settles; None where the remote refused to be read."""


_Judged = TypeVar("_Judged")


class _Hit(NamedTuple):
    """What the remote calls the record under our key."""

    id: str


class _Absent(NamedTuple):
    """The remote does not have the record."""

    response: Response


class HttpRemote:
    """A record service over HTTP, described by a profile."""

    def __init__(
        self,
        profile: Profile,
        *,
        environ: Mapping[str, str] = os.environ,
        bearer: Callable[[], str] | None = None,
        save: Callable[[str], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Speak to the service as the profile says.

        Args:
            profile: of the service.
            environ: where the secrets that the profile names are looked up.
            bearer: gives a token, when there is none and when the service refuses the last one.
            save: keeps a refresh token that the service has put in the place of another.
            clock: says until when an assertion that asks for a token is valid.

        Raises:
            ProfileError: the profile is not safe, or a secret is not set in the environment.
        """
        profile.check()
        self.profile = profile
        self.dialect = Dialect(profile)
        self.credentials = Credentials(profile.auth, environ, bearer=bearer, save=save, clock=clock)

    def __repr__(self) -> str:
        """Show where the service is, and no secret."""
        return f"HttpRemote({self.profile.url!r})"

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.profile.url

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request, credentials among them, as they are now.

        Raises:
            ProfileError: the environment variable of a secret is not set, or holds none.
        """
        own = {"Accept": "application/json", **self.profile.headers}
        return {**own, **self.credentials.headers()}

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft: yield requests, receive their answers, return the outcome.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        exchange = self._pushed(self.errand(push))
        outcome = yield from authorised(exchange, self.credentials, self.is_refused)
        known = [push.fields, push.base, push.record.remote.fields]
        return self.credentials.secrets.cleared(outcome, known)

    def errand(self, push: Push) -> Errand:
        """Return what carries the draft.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        return Errand(self.dialect, push)

    def is_refused(self, answer: Answer) -> bool:
        """Say whether an answer refuses who we say we are, so that another token may help."""
        return is_unauthorized(answer)

    # --- what has changed there ----------------------------------------------------------

    @property
    def record_types(self) -> tuple[str, ...]:
        """The types of records that the profile names."""
        return tuple(name for name in self.profile.types if name != ALL)

    def changes(
        self, record_type: str, since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of changes: yield requests, receive their answers, return the page.

        Raises:
            ProfileError: the profile does not say how the service lists its changes.
            RemoteError: the page cannot be asked for.
        """
        feed = Feed(self.dialect, record_type)
        found = yield from authorised(self._listed(feed, since, page), self.credentials)
        return found if isinstance(found, Page) else self.credentials.secrets.cleared(found)

    def _listed(
        self, feed: Feed, since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        request = feed.request(since, page)
        answer = yield request
        match self.dialect.means("changes", feed.record_type, answer):
            case Success(response) | Done(response):
                return feed.page(request, response, since, page)
            case Doubt(response, refusal) if is_empty_list(response, refusal):
                return feed.page(request, response, since, page, is_empty=True)
            case Doubt(_, refusal):
                return refusal
            case meaning:
                return meaning

    def recognised(self, fields: Fields, record: Record, targets: Mapping[Ref, Record]) -> Fields:
        """Return the fields of a sighting as we would have written them.

        Args:
            fields: as the page shows them, under our names.
            record: what is known of the record here.
            targets: the records that it, and its pending changes, refer to.
        """
        changes = [fields for change in record.changes for fields in (change.fields, change.base)]
        known = (record.remote.fields, *changes, record.fields or {})
        return recognised(fields, targets, self.dialect.forms(record.ref.type), *known)

    # --- pushing -------------------------------------------------------------------------

    def _pushed(self, errand: Errand) -> Generator[Request, Answer, Outcome]:
        kind, expected = errand.push.kind, None
        if errand.must_look:
            if kind == "create" and not errand.can_look:  # the remote has forgotten the request
                return Refused("unknown", (FieldMessage(message=_UNSURE),))
            ends = {Refused, Acknowledged} if kind == "delete" else {Refused}
            found = yield from self._looked_up(errand, frozenset(ends))
            if found is None:
                return Unknown(_UNREAD)
            if not isinstance(found, AsExpected) and not errand.is_sent_anyway(found):
                return found
            expected = found if isinstance(found, AsExpected) else None
        first = None if expected is None else errand.before(expected)
        if first is not None and (ended := (yield from self._prepared(errand, first))) is not None:
            return ended
        answer = yield errand.write(expected)
        match errand.means(kind, answer):
            case Success(response) | Done(response) as done:
                receipt = errand.receipt(response, expected, is_said=isinstance(done, Done))
                if receipt is None:
                    return (yield from self._settled(errand, None))
                return (yield from self._as_it_became(errand, receipt))
            case Doubt(_, refusal):
                return (yield from self._settled(errand, errand.in_our_words(refusal)))
            case NotSent(problem=problem) if first is not None:
                return Unknown(problem)
            case meaning:
                return meaning

    def _prepared(
        self, errand: Errand, first: Request
    ) -> Generator[Request, Answer, Outcome | None]:
        """Send what comes before the write; return what ends the draft, if anything does."""
        answer = yield first
        match errand.means("update", answer):
            case Success() | Done():
                return None
            case Doubt(_, refusal):
                return (yield from self._settled(errand, errand.in_our_words(refusal)))
            case meaning:
                return meaning

    def _as_it_became(
        self, errand: Errand, receipt: Acknowledged
    ) -> Generator[Request, Answer, Acknowledged]:
        """Return the receipt, with what a read right after it shows where that is asked for.

        The receipt stands whatever comes of the read.
        """
        if errand.push.kind == "delete" or not errand.dialect.profile.read.after_writes:
            return receipt
        answer = yield errand.read(receipt.remote_id)
        match errand.means("read", answer):
            case Success(response) | Done(response):
                return errand.seen_after(receipt, response)
            case _:
                return receipt

    def _settled(
        self, errand: Errand, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome]:
        """Settle a doubt by a look-up, or by what the remote said where that settles nothing.

        Args:
            errand: the draft that was sent.
            refusal: what the remote said; None where it said that it had done it.
        """
        if refusal is not None and errand.holds_doubt:
            return refusal
        is_taken = refusal is not None and refusal.classification == "conflict"
        found = yield from self._looked_up(errand, _ends(errand, refusal), is_taken=is_taken)
        if refusal is None:
            if found is None or isinstance(found, AsExpected):
                return Unknown("the remote's answer and its record do not fit together")
            return found
        match found:
            case None if errand.can_look and refusal.classification != "rejected":
                return Unknown(_UNREAD, refusal=refusal._replace(classification="unknown"))
            case None:
                return refusal
            case AsExpected():
                rejected = refusal._replace(classification="rejected")
                is_at_odds = errand.is_at_odds(refusal)
                return Unknown(_AT_ODDS, refusal=rejected) if is_at_odds else rejected
            case Refused(classification="conflict") if refusal.status not in _SAY_NO_MORE:
                said = (*found.messages, *refusal.messages)
                return found._replace(messages=said, status=refusal.status)
            case Refused():
                return found._replace(status=refusal.status)
            case _:
                return found

    # --- looking up ----------------------------------------------------------------------

    def _looked_up(
        self, errand: Errand, ends: frozenset[type], *, is_taken: bool = False
    ) -> Generator[Request, Answer, _Found]:
        """Read the record, after finding its id where need be, and say what that settles (G2).

        Args:
            errand: the draft.
            ends: what ends it, and is looked up twice (G4).
            is_taken: whether the remote has said that there is a record already.
        """
        if errand.holds_doubt:
            return Refused("unknown", (FieldMessage(message=_UNSURE),))
        if errand.push.kind == "create" and not errand.can_look:
            return None
        found_id = None
        if errand.is_found_by_key:
            find = partial(self._found, errand)
            hit = yield from _sure(errand.find(), find, ends)
            if not isinstance(hit, _Hit):
                return hit
            found_id = hit.id
        read = partial(self._read, errand, found_id, is_taken=is_taken)
        found = yield from _sure(errand.read(found_id), read, ends)
        if isinstance(found, AsExpected) and errand.loses_id():
            return (yield from self._looked_up(errand, ends, is_taken=is_taken))
        return found

    def _read(
        self, errand: Errand, found_id: str | None, answer: Answer, *, is_taken: bool
    ) -> _Found:
        """Say what the answer to a read settles."""
        match self._answered(errand, "read", answer):
            case Response() as response:
                shown = errand.shown(response)
                if shown is None or not errand.is_it(shown, found_id):
                    refusal = errand.strange(response, shown, is_taken=is_taken)
                    return Unknown(_STRANGE, refusal=refusal)
                return errand.compared(response, shown, found_id)
            case _Absent(response):
                return errand.absent(response)
            case unsettled:
                return unsettled

    def _found(self, errand: Errand, answer: Answer) -> _Hit | _Found:
        """Say what the remote calls the record by the answer to a look-up by our key."""
        match self._answered(errand, "find", answer):
            case Response() as response:
                return self._hit(errand, response)
            case _Absent(response):
                return errand.absent(response)
            case unsettled:
                return unsettled

    def _hit(self, errand: Errand, response: Response) -> _Hit | _Found:
        """Return the one hit of a look-up, or what it settles that there is none, or several."""
        hits = errand.hits(response)
        if hits is None:
            return Unknown(_NO_LIST, refusal=errand.held(_NO_LIST, response))
        if len(hits.ours) > 1:
            return errand.held(f"the remote has {len(hits.ours)} records under our key", response)
        if hits.ours:
            found_id = hits.ours[0].id
            if found_id is None:
                return Unknown(_NO_ID, refusal=errand.held(_NO_ID, response))
            return _Hit(found_id)
        find = self.profile.find
        if hits.others and find is not None and not find.lists_all:
            return errand.held(_IGNORED, response)
        return errand.absent(response)

    def _answered(
        self, errand: Errand, verb: Verb, answer: Answer
    ) -> Response | _Absent | Unknown | Wait | Unauthorized | Refused | None:
        """Return the answer of a read that succeeded, or what it means that it did not."""
        match errand.means(verb, answer):
            case Success(response) | Done(response):
                return response
            case Doubt(response, Refused(classification="gone")):
                return _Absent(response)
            case Refused(classification="unknown", is_alarm=False) as held:
                return held
            case Doubt() | Refused():
                return None
            case NotSent(problem=problem):
                return Unknown(problem)  # the read was not sent; an earlier write may have been
            case meaning:
                return meaning


def _ends(errand: Errand, refusal: Refused | None) -> frozenset[type]:
    """Return what a look-up must find twice to end a draft that was answered (G4).

    A refusal is final where the record is as expected. A delete is done by one read where the
    answer to it agrees that there is no record.
    """
    if refusal is None:
        return frozenset({Refused})
    if errand.push.kind == "delete" and refusal.classification != "gone":
        return frozenset({Refused, AsExpected, Acknowledged})
    return frozenset({Refused, AsExpected})


def _sure(
    request: Request, judge: Callable[[Answer], _Judged], ends: frozenset[type]
) -> Generator[Request, Answer, _Judged | Unknown]:
    """Read, and once more before that ends the draft (G4).

    Args:
        request: that reads.
        judge: says what its answer settles.
        ends: the types of what ends it.
    """
    found = judge((yield request))
    if type(found) not in ends:
        return found
    again = judge((yield request))
    if again is None or (type(again) in ends and _ending(again) != _ending(found)):
        return Unknown(_DISAGREE)  # what was shown once is not refuted by a read that is refused
    return again


def _ending(found: object) -> object:
    """Return what two reads must agree in: what was found, not how it was said."""
    return (found.classification, found.seen) if isinstance(found, Refused) else type(found)
