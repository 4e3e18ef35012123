"""Mistakes of the remote: of what is sent, and of what an answer is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal import record
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, Refused, Unknown
from journal.remotes import classify, comparison, contents, generic, pages
from journal.remotes.classify import Doubt, Success, refused
from journal.remotes.credentials import Credentials
from journal.remotes.errand import Errand
from journal.remotes.generic import HttpRemote
from journal.remotes.remote import Response
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from journal.outcomes import Outcome
    from journal.record import Change, Record
    from journal.remotes.classify import Meaning
    from journal.remotes.dialect import Dialect
    from journal.remotes.errand import AsExpected
    from journal.remotes.remote import Answer, Push, Request
    from journal.remotes.templates import Values
    from journal.values import Fields


# --- what is sent --------------------------------------------------------------------------------


def _rewritten(real: Code, anew: Callable[[Errand, Request], Request]) -> object:
    """Return the method that writes a request, with what it has written changed."""

    def write(self: Errand, found: AsExpected | None) -> Request:
        return anew(self, real(self, found))

    return write


@plants(Errand, "write", by="lost update")
def sends_without_a_condition(real: Code) -> object:
    """The service is not told on which version of a record a change was made."""

    def anew(_: Errand, request: Request) -> Request:
        headers = {n: v for n, v in request.headers.items() if not n.startswith("If-")}
        return request._replace(headers=headers)

    return _rewritten(real, anew)


@plants(record, "base_version", by="lost update")
def sends_the_newest_version_as_the_condition(_: Code) -> object:
    """A change is conditional on the version that a pull saw last, not on that it was made on."""

    def base_version(there: Record, change: Change) -> str | None:
        del change
        return there.remote.version

    return base_version


@plants(Errand, "_values", by="I15")
def keeps_the_key_of_an_amended_draft(real: Code) -> object:
    """The key of a request is that of the draft, whatever its fields are by now."""

    def values(self: Errand, found_id: str | None) -> dict[str, object]:
        return {**real(self, found_id), "draft": self.push.draft_id}

    return values


@plants(Errand, "_values", by="I15")
def makes_a_key_for_each_attempt(real: Code) -> object:
    """Each request has a key of its own, so that the service recognises none."""
    count = iter(range(1_000_000))

    def values(self: Errand, found_id: str | None) -> dict[str, object]:
        found: dict[str, object] = real(self, found_id)
        return {**found, "draft": f"{found['draft']}-{next(count)}"}

    return values


@plants(Errand, "key", by="I12")
def makes_a_record_for_each_attempt(real: Any) -> object:  # noqa: ANN401  a property
    """A create whose answer was lost is sent again as another record."""
    count = iter(range(1_000_000))

    def key(self: Errand) -> str:
        found: str = real.fget(self)
        is_again = self._dialect.assigns and self.push.is_maybe_applied
        return f"{found}-{next(count)}" if is_again and self.push.kind == "create" else found

    return property(key)


@plants(comparison, "resolved", by="I14")
def refers_by_its_own_ids(_: Code) -> object:
    """A reference is sent as our id of the record, not as what the service calls it."""

    def resolved(push: Push, id_value: Callable[[str], object]) -> Fields:
        del id_value
        ids = {target: target.id for target in push.targets}
        return {name: ids.get(value, value) for name, value in push.fields.items()}

    return resolved


@plants(contents, "contents", by="I14")
def sends_the_whole_record(real: Code) -> object:
    """An update writes all fields as they are here, not only those that were changed."""

    def whole(dialect: Dialect, push: Push, values: Values, there: Fields) -> dict[str, object]:
        if push.kind == "update":
            push = push._replace(fields={**push.record.remote.fields, **push.fields})
        return real(dialect, push, values, there)  # type: ignore[no-any-return]

    return whole


@plants(contents, "contents", by="I14")
def leaves_out_what_is_unset(real: Code) -> object:
    """A field that was set to no value is not sent, and so keeps its value there."""

    def kept(dialect: Dialect, push: Push, values: Values, there: Fields) -> dict[str, object]:
        if push.kind == "update":
            some = {name: value for name, value in push.fields.items() if value is not None}
            push = push._replace(fields=some)
        return real(dialect, push, values, there)  # type: ignore[no-any-return]

    return kept


# --- what an answer is taken for -----------------------------------------------------------------


def _told(real: Code, otherwise: Callable[[Response, Iterable[str]], Meaning | None]) -> object:
    """Return what says what an answer means, with some answers taken for something else."""

    def classified(answer: Answer, names: Iterable[str] = ()) -> Meaning:
        other = otherwise(answer, names) if isinstance(answer, Response) else None
        return real(answer, names) if other is None else other

    return classified


@plants(classify, "classify", by="I14")
def takes_a_failure_for_a_refusal(real: Code) -> object:
    """A 500 holds the draft as rejected, though the service may have done it."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        return refused("rejected", response, names) if response.status >= 500 else None

    return _told(real, otherwise)


@plants(classify, "classify", by="I28")
def takes_a_timeout_for_a_refusal(real: Code) -> object:
    """Whatever is not 2xx and not 5xx holds the draft, 408 and 429 among them."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        is_so = response.status in {408, 425, 429}
        return refused("rejected", response, names) if is_so else None

    return _told(real, otherwise)


@plants(classify, "classify", by="I26")
def takes_a_record_that_is_not_there_for_a_refusal(real: Code) -> object:
    """A 404 says no more than that the request is refused."""

    def otherwise(response: Response, names: Iterable[str]) -> Meaning | None:
        is_so = response.status in {404, 410}
        return Doubt(response, refused("rejected", response, names)) if is_so else None

    return _told(real, otherwise)


@plants(HttpRemote, "_settled", by="I14")
def takes_a_refusal_for_done(real: Code) -> object:
    """A create that the service declines, as it has the record, is taken for an earlier one."""

    def settled(
        self: HttpRemote, errand: Errand, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome]:
        is_taken = refusal is not None and refusal.classification == "conflict"
        if is_taken and errand.push.kind == "create":
            return Acknowledged("answer", errand.key)
        return (yield from real(self, errand, refusal))

    return settled


@plants(HttpRemote, "_settled", by="I14")
def takes_a_refusal_at_its_word(_: Code) -> object:
    """What the service declines is refused, without a look whether an earlier request did it."""

    def settled(
        self: HttpRemote, errand: Errand, refusal: Refused | None
    ) -> Generator[Request, Answer, Outcome]:
        del self, errand
        yield from ()
        return refusal or Unknown("the answer says nothing")

    return settled


@plants(Errand, "absent", by="I14")
def takes_a_second_delete_for_a_conflict(real: Code) -> object:
    """A delete that was carried out, and whose answer was lost, is held as gone."""

    def absent(self: Errand, response: Response) -> Acknowledged | Refused | AsExpected:
        if self.push.kind == "delete":
            said = FieldMessage(message="there is no such record")
            return Refused("gone", (said,), response.status)
        return real(self, response)  # type: ignore[no-any-return]

    return absent


@plants(Errand, "receipt", by="I14")
def takes_the_status_for_a_receipt(real: Code) -> object:
    """Any 2xx acknowledges the draft, whatever the body says: so does a captive portal's page."""

    def receipt(
        self: Errand, response: Response, found: AsExpected | None = None, *, is_said: bool
    ) -> Acknowledged:
        there = real(self, response, found, is_said=is_said)
        return there or Acknowledged("answer", self.remote_id or self.key, None, response.status)

    return receipt


@plants(pages, "is_page", by="I14")
def believes_a_captive_portal(_: Code) -> object:
    """A page in the place of an answer is an answer."""
    return lambda _body: False


@plants(Errand, "_fits", by="I14")
def takes_any_record_for_its_own(_: Code) -> object:
    """An answer that shows another record is a receipt."""
    return lambda _self, _record, *, is_said: is_said or True


@plants(Errand, "is_it", by="I14")
def reads_any_record_for_its_own(_: Code) -> object:
    """A read that shows another record settles a doubt."""
    return lambda _self, _record, _found_id: True


@plants(generic, "_sure", by="I14")
def believes_a_single_read(_: Code) -> object:
    """One read ends a draft, though it may show the past, or another record."""

    def sure(
        request: Request, judge: Callable[[Answer], object], ends: object
    ) -> Generator[Request, Answer, object]:
        del ends
        return judge((yield request))

    return sure


@plants(HttpRemote, "push", by="I14")
def takes_a_lost_answer_for_done(real: Code) -> object:
    """A draft is acknowledged without a receipt, where its outcome is not known."""

    def push(self: HttpRemote, given: Push) -> Generator[Request, Answer, Outcome]:
        outcome = yield from real(self, given)
        return Acknowledged("answer") if isinstance(outcome, Unknown) else outcome

    return push


@plants(classify, "classify", by="I14")
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


@plants(Credentials, "authorised", by="I26")
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


# --- secrets -------------------------------------------------------------------------------------


@plants(Errand, "write", by="I19")
def says_what_the_token_is_in_a_url(real: Code) -> object:
    """The access token is a parameter of the address, which every log on the way keeps."""

    def anew(errand: Errand, request: Request) -> Request:
        del errand
        return request._replace(path=f"{request.path}?access_token=canary-0000-secret")

    return _rewritten(real, anew)
