"""Floor 4: the outcomes of sending a draft, as values; pure.

Expected outcomes are values; an exception here would be a broken promise. It knows nothing of
HTTP, of remotes or of how often something was tried.

The four that settle a draft, for now or for good, become events; the other four are not the
draft's fault, leave no trace in the log, and are tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, assert_never

from journal.events import DraftAcknowledged, DraftHeld, Event, Evidence, FieldMessage
from journal.values import Fields, places_of

if TYPE_CHECKING:
    from journal.events import HoldClass

MAX_ANSWER: Final = 2_000
"""How many characters of a raw answer are kept with a held draft."""
MAX_MESSAGES: Final = 50
"""How many messages are kept with a held draft."""
MAX_MESSAGE: Final = 1_000
"""How many characters of a message are kept with a held draft."""


class Acknowledged(NamedTuple):
    """The remote has the draft."""

    evidence: Evidence
    remote_id: str | None = None
    remote_version: str | None = None
    status: int | None = None
    remote_date: str | None = None
    fields: Fields | None = None
    """The record as the receipt showed it, where that is not what was expected."""
    note: str | None = None
    """What is odd about it: it becomes the reason in the envelope of the receipt."""


class Seen(NamedTuple):
    """The record as a read has shown that the remote has it."""

    fields: Fields | None
    """None where the remote has no such record."""
    remote_id: str | None = None
    remote_version: str | None = None


class Refused(NamedTuple):
    """The remote will not have the draft as it is."""

    classification: HoldClass
    messages: tuple[FieldMessage, ...] = ()
    status: int | None = None
    answer: str = ""
    seen: Seen | None = None
    """What the read that settled it has shown, where there was one."""
    is_alarm: bool = False
    """Whether nothing more may be sent before a person has looked: our fault, or tampering."""


class Unknown(NamedTuple):
    """The request left, and whether it was applied is not known."""

    problem: str
    is_offline: bool = False
    """Whether who answered is not the remote, but somebody on the way, such as a captive portal."""
    refusal: Refused | None = None
    """What it comes to where the attempts after it show the same again."""


class NotSent(NamedTuple):
    """No request of the draft has left: it is safe to send it again."""

    problem: str
    is_misconfigured: bool = False
    """Whether a person has to mend it, such as a certificate; it is worth a retry now and then."""


class Wait(NamedTuple):
    """The remote is there and asks for patience."""

    problem: str
    retry_after_s: float | None = None


class Unauthorized(NamedTuple):
    """The remote does not accept who we say we are."""

    problem: str


Settled: TypeAlias = Acknowledged | Refused
Unsettled: TypeAlias = Unknown | NotSent | Wait | Unauthorized
Outcome: TypeAlias = Settled | Unsettled
OUTCOMES: Final = (Acknowledged, Refused, Unknown, NotSent, Wait, Unauthorized)
"""By which an outcome is told from what was asked for."""


def settle(draft_id: str, revision: int, outcome: Settled, attempts: int) -> Event:
    """Return the event that says what became of a draft.

    Args:
        draft_id: the draft.
        revision: which revision of it was sent.
        outcome: what settled it.
        attempts: how often it was tried to be sent, at least 1.
    """
    match outcome:
        case Acknowledged(fields=fields):
            return DraftAcknowledged(
                draft_id=draft_id,
                revision=revision,
                remote_id=outcome.remote_id,
                remote_version=outcome.remote_version,
                evidence=outcome.evidence,
                attempts=attempts,
                status=outcome.status,
                remote_date=outcome.remote_date,
                fields=fields,
                references=places_of("fields", fields),
            )
        case Refused():
            return DraftHeld(
                draft_id=draft_id,
                revision=revision,
                classification=outcome.classification,
                messages=tuple(map(_shortened, outcome.messages[:MAX_MESSAGES])),
                status=outcome.status,
                answer=outcome.answer[:MAX_ANSWER],
                attempts=attempts,
            )
        case _:
            assert_never(outcome)


def _shortened(message: FieldMessage) -> FieldMessage:
    return FieldMessage(
        field=message.field[:MAX_MESSAGE],
        message=message.message[:MAX_MESSAGE],
        code=message.code[:MAX_MESSAGE],
    )
