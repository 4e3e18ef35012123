"""What an answer of an org means beyond its status; pure.

Only what the table of statuses would get wrong is said here. The codes are those of the REST
interface; a code that nobody has heard of is judged by its status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.events import FieldMessage
from journal.outcomes import Refused, Unauthorized, Unknown, Wait
from journal.remotes.classify import Doubt, refused
from journal.remotes.pages import is_page
from journal.remotes.patience import retry_after_s
from journal.remotes.problems import json_of
from journal.remotes.remote import Response
from journal.remotes.salesforce.ids import is_id
from journal.remotes.salesforce.settings import KEYED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from journal.remotes.meanings import Meaning
    from journal.remotes.remote import Answer
    from journal.remotes.salesforce.settings import How
    from journal.remotes.sections import Verb

CONCURRENT_S: Final = 30.0
"""How long to wait where too many long requests run at once, in seconds."""
_LIMIT: Final = "REQUEST_LIMIT_EXCEEDED"
_LOCKED: Final = "UNABLE_TO_LOCK_ROW"
_LOCK_TEXT: Final = "unable to obtain exclusive access"
_BUSY: Final = frozenset({"SERVER_UNAVAILABLE", "QUERY_TIMEOUT"})
_DISABLED: Final = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
_DUPLICATES: Final = "DUPLICATES_DETECTED"
_DELETED: Final = "ENTITY_IS_DELETED"
_NO_SUCH: Final = "INVALID_CROSS_REFERENCE_KEY"
_ELSEWHERE: Final = frozenset({301, 302, 303, 307, 308})
_UNROUTED: Final = 420
_CHOICES: Final = FieldMessage(
    message=(
        "the org has records that look like it: amend the draft, or set allow_duplicates = true "
        "for the type and retry it, or discard it and use the record that is there"
    ),
    code=_DUPLICATES,
)
_NOT_UNIQUE: Final = (
    "the org has several records under our key: the key field is not unique; mark it as unique "
    "in the org, and mend these records"
)
_RELATED: Final = FieldMessage(
    message=(
        "a record that it refers to was deleted in the org, or is not shared with this user: "
        "amend the field that names it, or discard the draft"
    )
)
_NO_FIELD: Final = (
    "the org has no such object, or no External ID of that name on it, or does not show them to "
    "this user: mend object and key of the type, or the permissions"
)
_GIVEN_AWAY: Final = (
    "the org shows no record after the create: either it has no such object for this user, or it "
    "has made the record, and this user may not see it; look there, and then resolve the draft as "
    "applied, retry it, or discard it"
)
_NO_REST: Final = (
    "this session is not valid for the REST interface, and another of the same kind would not be "
    "either: let the connected app have the scope api"
)


class Complaint(NamedTuple):
    """One thing that an org says is wrong."""

    code: str
    message: str
    fields: tuple[str, ...]


def complaints(body: bytes) -> tuple[Complaint, ...]:
    """Return what an org says is wrong, in whichever of its shapes."""
    return tuple(_found(json_of(body)))


def _found(content: Any) -> Iterator[Complaint]:  # noqa: ANN401  JSON
    match content:
        case [*items]:
            for item in items[:50]:
                yield from _found(item)
        case {"output": {"errors": [*errors], **rest}}:
            by_field = rest.get("fieldErrors")
            of_fields = by_field.values() if isinstance(by_field, dict) else ()
            for several in (errors, *of_fields):
                yield from _found(several)
        case {"errorCode": str(code), **rest}:
            named = rest.get("fields") or rest.get("field")
            fields = named if isinstance(named, list) else [named]
            texts = tuple(name for name in fields if isinstance(name, str))
            yield Complaint(code, str(rest.get("message") or ""), texts)
        case _:
            return


def is_moved(answer: Answer) -> bool:
    """Say whether who answered is not the org, but where it was before.

    The REST interface says in JSON what it does not find.
    """
    if not isinstance(answer, Response):
        return False
    is_gone = answer.status == 404 and is_page(answer.body)  # noqa: PLR2004  Not Found
    return is_gone or answer.status in _ELSEWHERE


def is_no_session(answer: Answer) -> bool:
    """Say whether an answer refuses the session, so that another one may help."""
    if is_moved(answer):
        return True
    is_refused = isinstance(answer, Response) and answer.status == 401  # noqa: PLR2004
    return is_refused and not _is_not_for_rest(answer)


def _is_not_for_rest(answer: Answer) -> bool:
    return isinstance(answer, Response) and b"not valid for use with the REST" in answer.body


def meant(
    how: How, verb: Verb, answer: Answer, names: Iterable[str], pause_s: float
) -> Meaning | None:
    """Return what an answer means; None where its status says it well enough.

    Args:
        how: how the record is created.
        verb: what was asked.
        answer: whatever came of it.
        names: of the draft's fields, as the org has them.
        pause_s: how long to wait where the org takes no more calls, in seconds.
    """
    if not isinstance(answer, Response) or 200 <= answer.status < 300:  # noqa: PLR2004  any 2xx
        return None
    said = complaints(answer.body)
    found = _of_the_org(answer, said, pause_s)
    if found is not None:
        return found
    if verb == "create":
        found = _of_a_create(how, answer, said)
    if found is None and answer.status == 300:  # noqa: PLR2004  Multiple Choices
        return _held("unknown" if verb != "create" else "rejected", answer, _NOT_UNIQUE)
    return found or _of_a_record(verb, answer, said, names)


def _of_the_org(response: Response, said: tuple[Complaint, ...], pause_s: float) -> Meaning | None:
    """Return what an answer says that is not about the draft."""
    codes = {each.code for each in said}
    first = f"the org answered {response.status}" + (f": {said[0].message}" if said else "")
    if is_moved(response):
        return Unauthorized(f"the org is no longer where it was: {first}; mend url, its My Domain")
    if response.status == 401 and _is_not_for_rest(response):  # noqa: PLR2004  Unauthorized
        return Unauthorized(_NO_REST)
    if _LIMIT in codes:
        is_concurrent = any("concurrent" in each.message.lower() for each in said)
        return Wait(first, CONCURRENT_S if is_concurrent else pause_s)
    if codes & _DISABLED:
        return Unauthorized(f"{first}; let the user have the permission API Enabled")
    if _LOCKED in codes or any(_LOCKED in m or _LOCK_TEXT in m for _, m, _ in said):
        return Wait(f"a record is locked: {first}", retry_after_s(response))
    if codes & _BUSY:
        return Wait(first, retry_after_s(response))
    if response.status == _UNROUTED:
        return Unknown(first)
    return None


def _of_a_create(how: How, response: Response, said: tuple[Complaint, ...]) -> Meaning | None:
    if how in KEYED:
        is_config = response.status == 404  # noqa: PLR2004  Not Found
        return _held("rejected", response, _NO_FIELD) if is_config else None
    if how != "ui":
        return None
    if is_key_refusal(response.status, said):
        return _held("unknown", response, "the org takes no Idempotency-Key")
    if response.status == 404:  # noqa: PLR2004  Not Found
        return _held("unknown", response, _GIVEN_AWAY)
    if response.status == 409:  # noqa: PLR2004  Conflict
        return Wait("the first request with this key is not over yet", retry_after_s(response))
    if response.status == 422:  # noqa: PLR2004  Unprocessable Content
        problem = "the org has seen the key of this request with another content"
        return _held("unknown", response, problem)._replace(is_alarm=True)
    if said:
        refusal = refused("rejected", response)
        first = _first("create", {each.code for each in said})
        return Doubt(response, refusal._replace(messages=(*first, *_told(said))))
    return None


def _told(said: Iterable[Complaint]) -> Iterator[FieldMessage]:
    """Yield what is wrong, field by field, as the UI API says it."""
    for code, message, fields in said:
        for field in fields or ("",):
            yield FieldMessage(field=field, message=message or code, code=code)


def is_key_refusal(status: int | None, said: Iterable[Complaint | FieldMessage]) -> bool:
    """Say whether an org refuses a key of a request because it takes none at all."""
    if status != 400:  # noqa: PLR2004  Bad Request
        return False
    texts = [f"{each.code} {each.message}".lower().replace("_", "-") for each in said]
    about = [text for text in texts if "idempotency" in text]
    return any("not supported" in t or "not enabled" in t or "not-enabled" in t for t in about)


def _of_a_record(
    verb: Verb, response: Response, said: tuple[Complaint, ...], names: Iterable[str]
) -> Meaning | None:
    """Return what an answer says of a record, where its status says something else."""
    codes = {each.code for each in said}
    is_itself = any(each.code == _NO_SUCH and not each.fields for each in said)
    is_gone = verb in {"update", "delete", "read"} and (_DELETED in codes or is_itself)
    first = _first(verb, codes)
    if not (is_gone or first):
        return None
    refusal = refused("gone" if is_gone else "rejected", response, names)
    return Doubt(response, refusal._replace(messages=(*first, *refusal.messages)))


def _first(verb: Verb, codes: Collection[str]) -> tuple[FieldMessage, ...]:
    """Return what is said before the words of the org, where these do not say what to do.

    That a record is deleted says of a write of another one, or of one that is there, that it is
    one that it refers to.
    """
    if _DUPLICATES in codes:
        return (_CHOICES,)
    return (_RELATED,) if verb in {"create", "update"} and _DELETED in codes else ()


def is_made(how: How, members: Mapping[str, object]) -> bool:
    """Say whether what is answered to a create says that there is a record now, and its id."""
    is_said = how == "ui" or members.get("success") is True
    return is_said and is_id(members.get("id"))


def is_surely_deleted(response: Response) -> bool:
    """Say whether an answer proves that a record was deleted, and is not just out of sight."""
    return any(each.code == _DELETED for each in complaints(response.body))


def _held(classification: Any, response: Response, problem: str) -> Refused:  # noqa: ANN401
    """Return a refusal in our words, with those of the org after them."""
    refusal = refused(classification, response)
    return refusal._replace(messages=(FieldMessage(message=problem), *refusal.messages))
