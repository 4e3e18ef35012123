"""Mistakes of the remote: of what it takes an answer for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.events import FieldMessage
from journal.outcomes import Acknowledged, Refused, Unknown
from journal.remotes import classify, generic, pages
from journal.remotes.classify import Doubt, Success, refused
from journal.remotes.credentials import Credentials
from journal.remotes.errand import Errand
from journal.remotes.generic import HttpRemote
from journal.remotes.problems import json_of
from journal.remotes.remote import Response
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from journal.outcomes import Outcome
    from journal.remotes.classify import Meaning
    from journal.remotes.errand import AsExpected
    from journal.remotes.remote import Answer, Push, Request


def _told(real: Code, otherwise: Callable[[Response, Iterable[str]], Meaning | None]) -> object:
    """Return what says what an answer means, with some answers taken for something else."""

    def classified(answer: Answer, names: Iterable[str] = ()) -> Meaning:
        other = otherwise(answer, names) if isinstance(answer, Response) else None
        return real(answer, names) if other is None else other

    return classified


@plants(classify, "classify", by="I14, I18", seeds=22)
def takes_a_failure_for_a_refusal(real: Code) -> object:
    """A 500 holds the draft as rejected, though the service may have done it."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        return refused("rejected", response, names) if response.status >= 500 else None

    return _told(real, otherwise)


@plants(classify, "classify", by="I18", seeds=3)
def takes_a_timeout_for_a_refusal(real: Code) -> object:
    """Whatever is not 2xx and not 5xx holds the draft, 408 and 429 among them."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        is_so = response.status in {408, 425, 429}
        return refused("rejected", response, names) if is_so else None

    return _told(real, otherwise)


@plants(classify, "classify", by="I26, I14", seeds=11)
def takes_a_record_that_is_not_there_for_a_refusal(real: Code) -> object:
    """A 404 says no more than that the request is refused."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        is_so = response.status in {404, 410}
        return Doubt(response, refused("rejected", response, names)) if is_so else None

    return _told(real, otherwise)


@plants(HttpRemote, "_settled", by="I14", seeds=29)
def takes_a_refusal_for_done(real: Code) -> object:
    """A create that the service declines, as it has the record, is taken for an earlier one."""

    def settled(
        self: HttpRemote, errand: Errand, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome]:
        is_taken = refusal is not None and refusal.classification == "conflict"
        if is_taken and errand.push.kind == "create":
            return Acknowledged("answer", errand.key)
        outcome: Outcome = yield from real(self, errand, refusal)
        return outcome

    return settled


@plants(HttpRemote, "_settled", by="I14", seeds=18)
def takes_a_refusal_at_its_word(_: Code) -> object:
    """What the service declines is refused, without a look whether an earlier request did it."""

    def settled(
        self: HttpRemote, errand: Errand, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome]:
        del self, errand
        yield from ()
        return refusal or Unknown("the answer says nothing")

    return settled


@plants(HttpRemote, "_settled", by="I14", seeds=41)
def takes_a_conflict_unread(real: Code) -> object:
    """What is said of the record's state is believed to a service that refuses to be read."""

    def settled(
        self: HttpRemote, errand: Errand, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome]:
        found: Outcome = yield from real(self, errand, refusal)
        is_unread = isinstance(found, Unknown) and found.problem == "the remote refused to be read"
        return refusal if is_unread and refusal is not None else found

    return settled


@plants(Errand, "absent", by="I14", seeds=185)
def takes_a_second_delete_for_a_conflict(real: Code) -> object:
    """A delete that was carried out, and whose answer was lost, is refused, as it is gone."""

    def absent(self: Errand, response: Response) -> Acknowledged | Refused | AsExpected:
        if self.push.kind == "delete":
            said = FieldMessage(message="there is no such record")
            return Refused("gone", (said,), response.status)
        return real(self, response)  # type: ignore[no-any-return]

    return absent


@plants(Errand, "receipt", by="I14", seeds=29)
def takes_the_status_for_a_receipt(real: Code) -> object:
    """Any 2xx acknowledges the draft, whatever the body says: so does a captive portal's page."""

    def receipt(
        self: Errand, response: Response, found: AsExpected | None = None, *, is_said: bool
    ) -> Acknowledged:
        there = real(self, response, found, is_said=is_said)
        return there or Acknowledged("answer", self.remote_id or self.key, None, response.status)

    return receipt


@plants(Errand, "receipt", by="I14", seeds=31)
def takes_what_is_cut_off_for_a_receipt(real: Code) -> object:
    """A 2xx whose body is empty, or cannot be read to its end, acknowledges the draft."""

    def receipt(
        self: Errand, response: Response, found: AsExpected | None = None, *, is_said: bool
    ) -> Acknowledged | None:
        there: Acknowledged | None = real(self, response, found, is_said=is_said)
        if there is not None or json_of(response.body) is not None:
            return there
        return Acknowledged("answer", self.remote_id or self.key, None, response.status)

    return receipt


@plants(Errand, "receipt", by="I14", seeds=82)
def takes_accepted_for_done(real: Code) -> object:
    """A 202 acknowledges the draft, though the service may do it later, or never."""

    def receipt(
        self: Errand, response: Response, found: AsExpected | None = None, *, is_said: bool
    ) -> Acknowledged | None:
        response = response._replace(status=200) if response.status == 202 else response
        return real(self, response, found, is_said=is_said)  # type: ignore[no-any-return]

    return receipt


@plants(pages, "is_page")
def believes_a_captive_portal(_: Code) -> object:
    """A page in the place of an answer is an answer; but none that shows the record."""
    return lambda _body: False


@plants(Errand, "_fits", by="I14", seeds=29)
def takes_any_record_for_its_own(_: Code) -> object:
    """An answer that shows another record is a receipt."""
    return lambda _self, _record, *, is_said: is_said or True


@plants(Errand, "is_it")
def reads_any_record_for_its_own(_: Code) -> object:
    """A read that shows another record settles a doubt; but a second read must agree."""
    return lambda _self, _record, _found_id: True


@plants(generic, "_sure", by="I14", seeds=29)
def believes_a_single_read(_: Code) -> object:
    """One read ends a draft, though it may show the past, or another record."""

    def sure(
        request: Request, judge: Callable[[Answer], object], ends: object
    ) -> Generator[Request, Answer, object]:
        del ends
        return judge((yield request))

    return sure


@plants(HttpRemote, "push", by="I14", seeds=7)
def takes_a_lost_answer_for_done(real: Code) -> object:
    """A draft is acknowledged without a receipt, where its outcome is not known."""

    def push(self: HttpRemote, given: Push) -> Generator[Request, Answer, Outcome]:
        outcome = yield from real(self, given)
        return Acknowledged("answer") if isinstance(outcome, Unknown) else outcome

    return push


@plants(classify, "classify", by="I14", seeds=41)
def follows_a_redirect_to_a_success(real: Code) -> object:
    """A redirect leads to a sign-in page, and that the page is there is a success."""

    def otherwise(response: Response, _: Iterable[str]) -> Meaning | None:
        is_led_away = 300 <= response.status < 400
        return Success(Response(204, response.headers, b"")) if is_led_away else None

    return _told(real, otherwise)


@plants(classify, "classify")
def takes_an_expired_token_for_a_refusal(real: Code) -> object:
    """A 401 holds the draft; but before that the token is renewed, and the request sent again."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        is_so = response.status == 401
        return Doubt(response, refused("rejected", response, names)) if is_so else None

    return _told(real, otherwise)


@plants(Credentials, "authorised", by="I26", seeds=29)
def never_renews_a_token(_: Code) -> object:
    """A token that has expired is used for ever."""

    def authorised(
        self: Credentials, request: Request, is_refused: object
    ) -> Generator[Request, Answer, Answer]:
        del is_refused
        if self._tokens.access is None:
            yield from self._tokens.renewed()
        return (yield request)

    return authorised
